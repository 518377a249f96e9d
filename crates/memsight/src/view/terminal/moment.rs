//! One step of a trace with the step before it, and what differs between the two.

use std::collections::BTreeMap;

use memsight_picture::{
    Delta, Frame, Name, Object, ObjectId, ObjectKind, Ref, Standing, States, Step, Trace,
};

use super::text::{amount, escaped};

/// What can be selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A name of a frame.
    Name {
        /// The frame.
        frame: u32,
        /// The name.
        name: String,
    },
    /// An object.
    Object(ObjectId),
}

/// How something stands to the step before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// As it was.
    Same,
    /// Was not there.
    New,
    /// Is otherwise.
    Changed,
    /// Is there no more.
    Gone,
}

impl Mark {
    /// Its sign.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Mark::Same => " ",
            Mark::New => "+",
            Mark::Changed => "~",
            Mark::Gone => "x",
        }
    }
}

/// The letters of each object, the same for the whole trace. `a` is the first that the program makes.
pub(super) struct Tags {
    tags: BTreeMap<ObjectId, String>,
}

/// Without `x`, which marks what was freed, and without `l` and `o`, which look like digits.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwyz";

impl Tags {
    /// Gives letters in the order in which objects come.
    pub(super) fn new(trace: &Trace) -> Self {
        let mut tags = BTreeMap::new();
        for object in trace.steps.iter().flat_map(|step| &step.delta.born) {
            let next = tags.len();
            tags.entry(object.id).or_insert_with(|| letters(next));
        }
        Tags { tags }
    }

    /// An object's letters; `?` for one that never came.
    pub(super) fn of(&self, id: ObjectId) -> &str {
        self.tags.get(&id).map_or("?", String::as_str)
    }
}

/// `a` … `z`, `aa`, `ab` …
fn letters(mut number: usize) -> String {
    let mut out = Vec::new();
    loop {
        out.push(LETTERS[number % LETTERS.len()]);
        number /= LETTERS.len();
        if number == 0 {
            break;
        }
        number -= 1;
    }
    out.iter().rev().map(|&letter| char::from(letter)).collect()
}

/// A step put together.
pub(super) struct Moment<'t> {
    /// The whole trace.
    pub(super) trace: &'t Trace,
    /// Which step, counted from 0.
    pub(super) index: usize,
    /// The step.
    pub(super) step: &'t Step,
    /// The step before it.
    pub(super) previous: Option<&'t Step>,
    /// The objects at this step.
    pub(super) now: BTreeMap<ObjectId, &'t Object>,
    /// The objects a step earlier.
    pub(super) before: BTreeMap<ObjectId, &'t Object>,
}

impl<'t> Moment<'t> {
    /// Puts a step together; none beyond the last.
    pub(super) fn new(trace: &'t Trace, states: &States<'t>, index: usize) -> Option<Self> {
        let step = trace.steps.get(index)?;
        let earlier = index.checked_sub(1);
        let before = earlier.map(|earlier| states.at(earlier).objects).unwrap_or_default();
        let previous = earlier.and_then(|earlier| trace.steps.get(earlier));
        Some(Moment { trace, index, step, previous, now: states.at(index).objects, before })
    }

    /// An object of this step, or one that this step freed.
    pub(super) fn object(&self, id: ObjectId) -> Option<&'t Object> {
        self.now.get(&id).or_else(|| self.before.get(&id)).copied()
    }

    /// How an object stands to the step before; a new count alone is no change.
    pub(super) fn mark(&self, id: ObjectId) -> Mark {
        match (self.before.get(&id), self.now.get(&id)) {
            (_, None) => Mark::Gone,
            (None, Some(_)) => Mark::New,
            (Some(before), Some(now))
                if before.standing != now.standing && now.standing == Standing::Freed =>
            {
                Mark::Gone
            }
            (Some(before), Some(now)) => {
                let same = before.value == now.value
                    && before.items == now.items
                    && before.hidden_items == now.hidden_items
                    && before.bytes == now.bytes
                    && before.address == now.address
                    && before.of_type == now.of_type;
                if same { Mark::Same } else { Mark::Changed }
            }
        }
    }

    /// The frame as it was a step earlier.
    pub(super) fn frame_before(&self, frame: u32) -> Option<&'t Frame> {
        self.previous?.stack.iter().find(|other| other.id == frame)
    }

    /// How a name stands to the step before.
    pub(super) fn name_mark(&self, frame: &Frame, name: &Name) -> Mark {
        // In the first step everything is new, and a frame that just came says so in its heading.
        let Some(before) = self.frame_before(frame.id) else { return Mark::Same };
        match before.names.iter().find(|other| other.name == name.name) {
            None => Mark::New,
            Some(other) if other.to != name.to => Mark::Changed,
            Some(_) => Mark::Same,
        }
    }

    /// What a name refers to, if it is an object.
    pub(super) fn named(&self, frame: u32, name: &str) -> Option<ObjectId> {
        let frame = self.step.stack.iter().find(|other| other.id == frame)?;
        object_of(&frame.names.iter().find(|other| other.name == name)?.to)
    }

    /// A reference in words: `→ b 'apple'`, `= 17`.
    pub(super) fn reference(&self, tags: &Tags, to: &Ref) -> (String, String) {
        match to {
            Ref::Value(value) => (String::from("="), escaped(value)),
            Ref::Object { id, offset } => {
                let behind = if *offset > 0 { format!("+{}", amount(*offset)) } else { String::new() };
                match self.now.get(id) {
                    Some(object) if object.standing == Standing::Freed => {
                        (format!("─x {}{behind}", tags.of(*id)), "freed".into())
                    }
                    Some(object) => (format!("→ {}{behind}", tags.of(*id)), short(object)),
                    None => (format!("→ {}{behind}", tags.of(*id)), String::new()),
                }
            }
        }
    }
}

/// The object that a reference leads to.
pub(super) fn object_of(to: &Ref) -> Option<ObjectId> {
    match to {
        Ref::Object { id, .. } => Some(*id),
        Ref::Value(_) => None,
    }
}

/// An object in a word or two: its value, or its type and how much it holds.
pub(super) fn short(object: &Object) -> String {
    if let Some(value) = &object.value {
        return escaped(value);
    }
    let items = (object.items.len() as u64).saturating_add(object.hidden_items);
    match object.kind {
        ObjectKind::Sequence | ObjectKind::Mapping | ObjectKind::Set => {
            format!("{} of {}", escaped(&object.of_type), amount(items))
        }
        _ => escaped(&object.of_type),
    }
}

/// Whether a step changed what is selected, `earlier` being the step before it.
pub(super) fn changes(target: &Target, earlier: Option<&Step>, step: &Step) -> bool {
    match target {
        Target::Object(id) => concerns(&step.delta, *id),
        Target::Name { frame, name } => {
            held_by(step, *frame, name) != earlier.and_then(|s| held_by(s, *frame, name))
        }
    }
}

fn concerns(delta: &Delta, id: ObjectId) -> bool {
    delta.died.contains(&id)
        || delta.left.contains(&id)
        || delta.born.iter().chain(&delta.changed).any(|object| object.id == id)
}

/// What a name of a frame holds at a step.
pub(super) fn held_by<'s>(step: &'s Step, frame: u32, name: &str) -> Option<&'s Ref> {
    let frame = step.stack.iter().find(|other| other.id == frame)?;
    frame.names.iter().find(|other| other.name == name).map(|name| &name.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_the_alphabet() {
        let count = LETTERS.len();
        assert_eq!([0, 1, count - 1, count, count + 1].map(letters), ["a", "b", "z", "aa", "ab"]);
        assert_eq!(letters(count + count * count), "aaa");
    }
}
