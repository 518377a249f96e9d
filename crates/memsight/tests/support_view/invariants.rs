//! What holds of every trace of a Python program.

use std::collections::{BTreeMap, BTreeSet};

use super::trace::{Object, Step, Trace};

const EVENTS: [&str; 5] = ["call", "line", "return", "exception", "end"];

/// What does not hold, a sentence each; at most twenty.
pub(crate) fn broken(trace: &Trace) -> Vec<String> {
    let mut found = Vec::new();
    let mut past = Past::default();
    let lines = trace.text.lines().count() as u64;
    for (number, step) in trace.steps.iter().enumerate() {
        let mut say = |what: String| found.push(format!("step {number} (line {}): {what}", step.line));
        shape(trace, step, lines, &mut say);
        references(step, &mut say);
        addresses(step, &mut say);
        past.advance(step, &mut say);
        counts(step, &mut say);
        if found.len() >= 20 {
            break;
        }
    }
    found.truncate(20);
    found
}

fn shape(trace: &Trace, step: &Step, lines: u64, say: &mut impl FnMut(String)) {
    if !EVENTS.contains(&step.event.as_str()) {
        say(format!("the event is {:?}", step.event));
    }
    if step.say.is_empty() {
        say("nothing is said".into());
    }
    let Some(frame) = step.innermost() else {
        if step.event != "end" {
            say("the stack is empty".into());
        }
        return;
    };
    if step.event == "end" {
        return;
    }
    if frame.line != step.line {
        say(format!("the innermost frame is at line {}", frame.line));
    }
    for frame in step.stack.iter().filter(|frame| trace.is_main(frame)) {
        // A file's code has no line yet when it is called, and none at all if the file is empty.
        let none = frame.line == 0 && step.event == "line";
        if none || frame.line > lines.max(1) {
            say(format!("{} is at line {} of {lines}", frame.function, frame.line));
        }
    }
}

fn references(step: &Step, say: &mut impl FnMut(String)) {
    let mut check = |whose: &str, id: Option<&str>| {
        if let Some(id) = id.filter(|&id| !step.heap.contains_key(id)) {
            say(format!("{whose} refers to {id}, which is not in the heap"));
        }
    };
    for frame in &step.stack {
        for (name, to) in &frame.names {
            check(name, to.id());
        }
    }
    for (id, object) in &step.heap {
        for (label, to) in &object.items {
            check(&format!("{label} of {id}"), to.id());
        }
    }
    for id in step.born.iter().chain(&step.changed) {
        check("born or changed", Some(id));
    }
}

fn addresses(step: &Step, say: &mut impl FnMut(String)) {
    let mut at = BTreeMap::new();
    for (id, object) in &step.heap {
        if let Some(other) = at.insert(object.address, id) {
            say(format!("{id} and {other} are both at {:#x}", object.address));
        }
    }
}

/// What the steps before had.
#[derive(Default)]
struct Past {
    heap: BTreeMap<String, Object>,
    seen: BTreeSet<String>,
    dead: BTreeSet<String>,
}

impl Past {
    fn advance(&mut self, step: &Step, say: &mut impl FnMut(String)) {
        let is_new: BTreeSet<&String> = step.heap.keys().filter(|id| !self.heap.contains_key(*id)).collect();
        let born: BTreeSet<&String> = step.born.iter().collect();
        if is_new != born {
            say(format!("new in the heap are {is_new:?}, and born is {born:?}"));
        }
        for id in &step.died {
            if !self.seen.contains(id) {
                say(format!("{id} died and was never there"));
            }
            if !self.dead.insert(id.clone()) {
                say(format!("{id} died again"));
            }
        }
        for id in step.heap.keys().filter(|id| self.dead.contains(*id)) {
            say(format!("{id} is in the heap and died"));
        }
        for (id, object) in &step.heap {
            let Some(was) = self.heap.get(id) else { continue };
            let differs = was != object;
            if differs != step.changed.contains(id) {
                let really = if differs { "differs from" } else { "is as in" };
                say(format!("{id} {really} the step before, which `changed` does not say"));
            }
        }
        self.seen.extend(step.heap.keys().cloned());
        self.heap.clone_from(&step.heap);
    }
}

/// No object may have fewer references than are shown. Counted is only what surely is a
/// reference of its own: a variable that functions share is one cell, an instance and its
/// `__dict__` are one set of references, and so are a frame and its generator.
fn counts(step: &Step, say: &mut impl FnMut(String)) {
    let mut names = BTreeSet::new();
    for frame in &step.stack {
        names.extend(frame.names.iter().filter_map(|(name, to)| Some((name.as_str(), to.id()?))));
    }
    let mut shown: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, id) in names {
        *shown.entry(id).or_default() += 1;
    }
    for object in step.heap.values().filter(|object| ["list", "tuple"].contains(&object.of_type.as_str())) {
        for id in object.items.iter().filter_map(|(_, to)| to.id()) {
            *shown.entry(id).or_default() += 1;
        }
    }
    for (id, shown) in shown {
        let count = step.heap.get(id).and_then(|object| object.references);
        if let Some(count) = count.filter(|&count| count < shown) {
            say(format!("{id} has {count} references, and {shown} are shown"));
        }
    }
}
