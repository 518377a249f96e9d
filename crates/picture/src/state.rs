//! The objects at a step, put together from what each step changed.

use std::collections::BTreeMap;

use crate::model::{Object, ObjectId, Step, Trace};

/// Every so many steps the objects are kept whole.
const KEYFRAME: usize = 64;

/// The objects of one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State<'t> {
    /// The objects by their ids.
    pub objects: BTreeMap<ObjectId, &'t Object>,
}

impl<'t> State<'t> {
    /// Goes on to the next step, from the one before it. Who goes through a whole trace needs no
    /// [`States`]: the first step follows upon the empty state.
    pub fn advance(&mut self, step: &'t Step) {
        for id in step.delta.died.iter().chain(&step.delta.left) {
            self.objects.remove(id);
        }
        for object in step.delta.born.iter().chain(&step.delta.changed) {
            self.objects.insert(object.id, object);
        }
    }
}

/// The states of a trace at any step, from keyframes.
pub struct States<'t> {
    trace: &'t Trace,
    keyframes: Vec<State<'t>>,
}

impl<'t> States<'t> {
    /// Goes through the trace once.
    pub fn new(trace: &'t Trace) -> Self {
        let mut state = State::default();
        let mut keyframes = Vec::new();
        for (index, step) in trace.steps.iter().enumerate() {
            state.advance(step);
            if index % KEYFRAME == 0 {
                keyframes.push(state.clone());
            }
        }
        States { trace, keyframes }
    }

    /// The objects at a step; none beyond the last.
    pub fn at(&self, step: usize) -> State<'t> {
        let keyframe = step / KEYFRAME;
        let after_keyframe = keyframe * KEYFRAME + 1;
        if step >= self.trace.steps.len() {
            return State::default();
        }
        let mut state = self.keyframes.get(keyframe).cloned().unwrap_or_default();
        for next in self.trace.steps.get(after_keyframe..=step).into_iter().flatten() {
            state.advance(next);
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_state_is_the_same_by_keyframes_as_step_by_step() {
        for (name, trace) in testing::traces() {
            let states = States::new(&trace);
            let mut naive = State::default();
            for (index, step) in trace.steps.iter().enumerate() {
                naive.advance(step);
                assert_eq!(states.at(index), naive, "{name}, step {index}");
            }
        }
    }

    #[test]
    fn beyond_the_last_step_there_is_nothing() {
        let trace = testing::large(130, 3);
        let states = States::new(&trace);
        assert!(!states.at(trace.steps.len() - 1).objects.is_empty());
        assert_eq!(states.at(trace.steps.len()), State::default());
        assert_eq!(states.at(usize::MAX), State::default());
    }
}
