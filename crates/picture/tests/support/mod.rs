//! Random traces: objects, names and frames come, change and go.

use memsight_picture::{
    Delta, Event, Frame, FrameKind, Language, Name, NameKind, Object, ObjectId, ObjectKind, Place, Ref,
    Source, SourceId, Standing, Step, Temporary, Trace,
};
use proptest::prelude::*;

/// An object of nothing in particular.
pub(crate) fn object(id: u32) -> Object {
    Object {
        id: ObjectId(id),
        address: 0,
        of_type: String::new(),
        kind: ObjectKind::Value,
        standing: Standing::Reached,
        bytes: 0,
        references: None,
        immortal: false,
        value: None,
        items: Vec::new(),
        hidden_items: 0,
        allocated_at: None,
    }
}

/// Numbers that each decide one thing of one step.
pub(crate) fn random_steps() -> impl Strategy<Value = Vec<Vec<u32>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u32>(), 1..12), 1..150)
}

/// The trace that random numbers make.
pub(crate) fn trace(random: &[Vec<u32>]) -> Trace {
    let mut alive: Vec<Object> = Vec::new();
    let mut stack: Vec<Frame> = Vec::new();
    let mut steps = Vec::new();
    let mut next = 0;
    for numbers in random {
        let mut delta = Delta::default();
        for &number in numbers {
            let (what, rest) = (number % 8, number / 8);
            match what {
                0..=2 => {
                    let mut object = object(next);
                    next += 1;
                    change(&mut object, rest, next);
                    delta.born.push(object);
                }
                3 | 4 if !alive.is_empty() => {
                    let at = rest as usize % alive.len();
                    let mut object = alive[at].clone();
                    change(&mut object, rest / 64, next);
                    let is_new = |other: &Object| other.id != object.id;
                    if delta.changed.iter().all(is_new) {
                        delta.changed.push(object);
                    }
                }
                5 if !alive.is_empty() => {
                    let id = alive.remove(rest as usize % alive.len()).id;
                    delta.changed.retain(|object| object.id != id);
                    match rest % 2 {
                        0 => delta.died.push(id),
                        _ => delta.left.push(id),
                    }
                }
                6 => call(&mut stack, rest, next),
                _ => name(&mut stack, rest, next),
            }
        }
        for object in delta.changed.iter().chain(&delta.born) {
            alive.retain(|old| old.id != object.id);
            alive.push(object.clone());
        }
        let first = numbers[0];
        if first % 5 == 0 {
            let of_type = (first % 2 == 0).then(|| "list".to_owned());
            delta.temporaries.push(Temporary { of_type, count: 1, bytes: 88 });
        }
        steps.push(Step {
            event: [Event::Call, Event::Line, Event::Return, Event::Exception][first as usize % 4],
            yields: first % 7 == 0,
            thread: first % 2,
            source: SourceId(0),
            line: first % 9,
            stack: stack.clone(),
            value: (first % 3 == 0).then(|| to(first, next)),
            stdout: if first % 4 == 0 { "a\n".to_owned() } else { String::new() },
            stderr: String::new(),
            delta,
            say: String::new(),
        });
    }
    Trace {
        language: if next % 2 == 0 { Language::Python } else { Language::C },
        made_by: "CPython 3.12.1".to_owned(),
        sources: vec![Source { path: "a.py".to_owned(), text: "a = 1\n".to_owned() }],
        steps,
        truncated: None,
        ending: "exit 0".to_owned(),
        notes: Vec::new(),
    }
}

fn to(random: u32, objects: u32) -> Ref {
    match random % 4 {
        0 => Ref::Value(["NULL", "5"][random as usize / 4 % 2].to_owned()),
        1 => Ref::Object { id: ObjectId(random / 4 % objects.max(1)), offset: 8 },
        _ => Ref::to(ObjectId(random / 4 % objects.max(1))),
    }
}

fn change(object: &mut Object, random: u32, objects: u32) {
    let rest = random / 12;
    match random % 12 {
        0 => object.address = u64::from(rest),
        1 => object.of_type = ["list", "dict"][rest as usize % 2].to_owned(),
        2 => object.kind = [ObjectKind::Sequence, ObjectKind::Fields, ObjectKind::Set][rest as usize % 3],
        3 => object.standing = [Standing::Freed, Standing::Static, Standing::Unreached][rest as usize % 3],
        4 => object.bytes = u64::from(rest),
        5 => object.references = (rest % 3 > 0).then_some(u64::from(rest)),
        6 => object.immortal = !object.immortal,
        7 => object.value = (rest % 3 > 0).then(|| rest.to_string()),
        8 => object.hidden_items = u64::from(rest % 3),
        9 => object.allocated_at = (rest % 3 > 0).then_some((SourceId(0), rest)),
        10 if !object.items.is_empty() => {
            object.items.remove(rest as usize % object.items.len());
        }
        _ => {
            let at = rest as usize % (object.items.len() + 1);
            object.items.insert(at, (at.to_string(), to(rest / 8, objects)));
        }
    }
}

fn call(stack: &mut Vec<Frame>, random: u32, id: u32) {
    if random % 3 == 0 {
        stack.pop();
        return;
    }
    let kind = [FrameKind::Function, FrameKind::Module, FrameKind::Class, FrameKind::Generator];
    stack.push(Frame {
        id: id * 16 + random % 16,
        function: "f".to_owned(),
        source: SourceId(0),
        line: random % 9,
        kind: kind[random as usize % 4],
        names: Vec::new(),
    });
}

fn name(stack: &mut [Frame], random: u32, objects: u32) {
    let depth = stack.len().max(1);
    let Some(frame) = stack.get_mut(random as usize % depth) else { return };
    let kind = [NameKind::Local, NameKind::Global, NameKind::Cell, NameKind::Held];
    let place = (random % 3 == 0).then(|| Place {
        address: u64::from(random),
        of_type: "int".to_owned(),
        bytes: 4,
        uninitialised: random % 2 == 0,
    });
    let name = ["a", "b", "c"][random as usize / 8 % 3].to_owned();
    let kind = kind[random as usize / 32 % 4];
    frame.names.retain(|old| old.name != name);
    frame.names.push(Name { name, kind, to: to(random / 64, objects), place });
}
