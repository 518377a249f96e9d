//! The objects at a step, put together from what each step changed.

use std::collections::BTreeMap;

use crate::model::{Object, ObjectId, Trace};

/// Every so many steps the objects are kept whole.
const KEYFRAME: usize = 64;

/// The objects of one step.
#[derive(Clone, Debug, Default)]
pub struct State<'t> {
    /// The objects by their ids.
    pub objects: BTreeMap<ObjectId, &'t Object>,
}

impl<'t> State<'t> {
    fn advance(&mut self, trace: &'t Trace, step: usize) {
        let Some(step) = trace.steps.get(step) else { return };
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
        for step in 0..trace.steps.len() {
            state.advance(trace, step);
            if step % KEYFRAME == 0 {
                keyframes.push(state.clone());
            }
        }
        States { trace, keyframes }
    }

    /// The objects at a step; none beyond the last.
    pub fn at(&self, step: usize) -> State<'t> {
        if step >= self.trace.steps.len() {
            return State::default();
        }
        let keyframe = step / KEYFRAME;
        let mut state = self.keyframes.get(keyframe).cloned().unwrap_or_default();
        for next in keyframe * KEYFRAME + 1..=step {
            state.advance(self.trace, next);
        }
        state
    }
}
