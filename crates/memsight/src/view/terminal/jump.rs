//! Where to go: to the next change of what is selected, to a line, to a name.

use memsight_picture::{Event, Step, Trace};

use super::moment::{Target, changes, held_by};

/// The nearest step behind (or before) `from` that changes the target.
pub(super) fn change(trace: &Trace, target: &Target, from: usize, forward: bool) -> Option<usize> {
    let changed = |&index: &usize| {
        let earlier = index.checked_sub(1).and_then(|earlier| trace.steps.get(earlier));
        trace.steps.get(index).is_some_and(|step| changes(target, earlier, step))
    };
    match forward {
        true => (from + 1..trace.steps.len()).find(changed),
        false => (0..from).rev().find(changed),
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The step.
    pub(super) step: usize,
    /// The name that was looked for, in the frame where it is.
    pub(super) target: Option<Target>,
}

/// The next step at a line, or where a name changes or a function of that name is called; after
/// the last step it goes on with the first.
pub(super) fn search(trace: &Trace, text: &str, from: usize) -> Option<Found> {
    let count = trace.steps.len();
    let line = text.parse::<u32>().ok();
    (1..=count).map(|ahead| (from + ahead) % count).find_map(|index| {
        let step = &trace.steps[index];
        if let Some(line) = line {
            return (step.line == line).then_some(Found { step: index, target: None });
        }
        let earlier = index.checked_sub(1).and_then(|earlier| trace.steps.get(earlier));
        if let Some(target) = changed_name(earlier, step, text) {
            return Some(Found { step: index, target: Some(target) });
        }
        let called =
            step.event == Event::Call && step.stack.last().is_some_and(|frame| frame.function == text);
        called.then_some(Found { step: index, target: None })
    })
}

/// The innermost frame's name of these words that a step changed.
fn changed_name(earlier: Option<&Step>, step: &Step, text: &str) -> Option<Target> {
    let frame = step.stack.iter().rev().find(|frame| {
        let now = held_by(step, frame.id, text);
        now.is_some() && now != earlier.and_then(|earlier| held_by(earlier, frame.id, text))
    })?;
    Some(Target::Name { frame: frame.id, name: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliasing() -> Trace {
        memsight_picture::testing::traces().into_iter().find(|(name, _)| *name == "aliasing").unwrap().1
    }

    #[test]
    fn a_change_is_found_in_both_directions() {
        let trace = aliasing();
        let target = Target::Name { frame: 0, name: "b".into() };
        assert_eq!(change(&trace, &target, 0, true), Some(2));
        assert_eq!(change(&trace, &target, 2, true), Some(5));
        assert_eq!(change(&trace, &target, 5, true), None);
        assert_eq!(change(&trace, &target, 5, false), Some(2));
        assert_eq!(change(&trace, &target, 0, false), None);
    }

    #[test]
    fn a_search_goes_by_line_or_by_name_and_round() {
        let trace = aliasing();
        let name = |name: &str| Some(Target::Name { frame: 0, name: name.into() });
        assert_eq!(search(&trace, "4", 0), Some(Found { step: 3, target: None }));
        assert_eq!(search(&trace, "4", 3), Some(Found { step: 3, target: None }));
        assert_eq!(search(&trace, "b", 0), Some(Found { step: 2, target: name("b") }));
        assert_eq!(search(&trace, "b", 5), Some(Found { step: 2, target: name("b") }));
        assert_eq!(search(&trace, "nobody", 0), None);
        let empty = memsight_picture::testing::Builder::python("none.py", "").finish("exit 0");
        assert_eq!(search(&empty, "4", 0), None);
    }
}
