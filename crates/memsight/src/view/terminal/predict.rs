//! Predict mode: the next step's reference count is asked before it is shown.

use memsight_picture::{Object, ObjectId};

use super::moment::{Moment, Tags, Target, short};

/// A question about the step after the one that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The object's letters and what it is.
    object: String,
    /// Its count in the step that is shown.
    now: u64,
    /// Its count in the next; 0 if it is freed.
    then: u64,
    /// What has been typed.
    pub(super) typed: String,
}

/// Digits of an answer at the most.
const DIGITS: usize = 9;

impl Question {
    /// What to ask of the step `next`: about the selected object, else about the first whose
    /// count changes. None where no count changes.
    pub(super) fn about(next: &Moment<'_>, tags: &Tags, selected: Option<&Target>) -> Option<Self> {
        let chosen = match selected {
            Some(Target::Object(id)) => Some(*id),
            Some(Target::Name { frame, name }) => next.named(*frame, name),
            None => None,
        };
        let delta = &next.step.delta;
        let touched = delta.changed.iter().map(|object| object.id).chain(delta.died.iter().copied());
        let question = |id: ObjectId| {
            let before = next.before.get(&id)?;
            let now = count(before)?;
            let then = next.now.get(&id).map_or(Some(0), |object| count(object))?;
            let object = format!("{}, {}", tags.of(id), short(before));
            Some(Question { object, now, then, typed: String::new() })
        };
        chosen
            .and_then(question)
            .or_else(|| touched.filter_map(question).find(|question| question.now != question.then))
    }

    /// The question in words.
    pub(super) fn words(&self) -> String {
        format!("How many references will there be to {}? Now {}.", self.object, self.now)
    }

    /// Takes a digit of the answer.
    pub(super) fn digit(&mut self, digit: char) {
        if digit.is_ascii_digit() && self.typed.len() < DIGITS {
            self.typed.push(digit);
        }
    }

    /// Whether what was typed is right, and that in words. None if nothing was typed.
    pub(super) fn answer(&self) -> Option<(bool, String)> {
        let said: u64 = self.typed.parse().ok()?;
        let (now, then) = (self.now, self.then);
        let moved = match then {
            _ if now == then => format!("it stays {now}"),
            0 => format!("{now}→0, and it is freed"),
            _ => format!("{now}→{then}"),
        };
        match said == then {
            true => Some((true, format!("Right: {}: {moved}.", self.object))),
            false => Some((false, format!("Not {said}: {}: {moved}.", self.object))),
        }
    }
}

fn count(object: &Object) -> Option<u64> {
    object.references.filter(|_| !object.immortal)
}

#[cfg(test)]
mod tests {
    use memsight_picture::States;

    use super::*;

    #[test]
    fn the_count_that_is_asked_for_is_that_of_the_next_step() {
        let traces = memsight_picture::testing::traces();
        let (_, trace) = traces.into_iter().find(|(name, _)| *name == "aliasing").unwrap();
        let (states, tags) = (States::new(&trace), Tags::new(&trace));
        let ask = |next| Question::about(&Moment::new(&trace, &states, next).unwrap(), &tags, None);
        let mut question = ask(2).unwrap();
        assert_eq!(question.words(), "How many references will there be to c, list of 2? Now 1.");
        assert_eq!(question.answer(), None);
        "x3".chars().for_each(|c| question.digit(c));
        assert_eq!(question.answer(), Some((false, "Not 3: c, list of 2: 1→2.".into())));
        question.typed = "2".into();
        assert_eq!(question.answer(), Some((true, "Right: c, list of 2: 1→2.".into())));
        assert_eq!(ask(1), None, "all that is new has no count to start from");
        let mut freed = ask(5).unwrap();
        freed.digit('0');
        assert_eq!(freed.answer(), Some((true, "Right: c, list of 3: 1→0, and it is freed.".into())));
    }
}
