//! What happened to each object, from its birth to its death.

use std::collections::BTreeMap;

use crate::model::{Object, ObjectId, ObjectKind, Standing, Trace};
use crate::replay::Replay;
use crate::words::{count, cut};

/// So many events of one object are told.
pub const MAX_EVENTS: usize = 200;
/// So many of one that is built into the interpreter, which all the program refers to.
const MAX_EVENTS_IMMORTAL: usize = 20;
/// A value in an event is cut behind so many characters.
const MAX_VALUE: usize = 60;

/// What kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is in the picture for the first time.
    Born,
    /// It was freed. In C a pointer may still refer to it.
    Died,
    /// It is out of the picture: it lives where nobody looks, or was freed before and the last
    /// pointer to it is gone.
    Left,
    /// Something refers to it that did not; the text says who.
    Gained,
    /// Something refers to it no more; the text says who.
    Lost,
    /// Its reference count changed, without or beside the above: `2→3`.
    Count,
    /// Its value, its size or the number of its items changed; the text is the new one.
    Value,
    /// No name leads to it any more, or one does again; the text says which.
    Standing,
    /// There was more than is told here.
    More,
}

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// At which step, counted from 0.
    pub step: usize,
    /// What.
    pub what: What,
    /// The words that go with it.
    pub text: String,
}

/// The lives of all objects of a trace.
pub fn lives(trace: &Trace) -> BTreeMap<ObjectId, Vec<Life>> {
    let mut lives = Lives::default();
    let mut replay = Replay::new(trace);
    for (index, step) in trace.steps.iter().enumerate() {
        let moment = replay.advance(step);
        for object in &step.delta.born {
            lives.tell(object, index, What::Born, String::new());
        }
        for held in &moment.lost {
            let known = replay.state.objects.get(&held.object).or_else(|| moment.old.get(&held.object));
            lives.tell_if(known, index, What::Lost, &held.words);
        }
        for held in &moment.gained {
            lives.tell_if(replay.state.objects.get(&held.object), index, What::Gained, &held.words);
        }
        for object in &step.delta.changed {
            if let Some(old) = moment.old.get(&object.id) {
                lives.compare(old, object, index);
            }
        }
        for id in &step.delta.died {
            let Some(old) = moment.old.get(id) else { continue };
            match old.standing {
                Standing::Freed => {
                    lives.tell(old, index, What::Left, "no pointer refers to it any more".to_owned());
                }
                _ => lives.tell(old, index, What::Died, String::new()),
            }
        }
        for id in &step.delta.left {
            lives.tell_if(moment.old.get(id), index, What::Left, "");
        }
    }
    lives.all
}

#[derive(Default)]
struct Lives {
    all: BTreeMap<ObjectId, Vec<Life>>,
}

impl Lives {
    fn tell_if(&mut self, object: Option<&&Object>, step: usize, what: What, text: &str) {
        if let Some(object) = object {
            self.tell(object, step, what, text.to_owned());
        }
    }

    /// The death of an object is told, however much happened to it before.
    fn tell(&mut self, object: &Object, step: usize, what: What, text: String) {
        let life = self.all.entry(object.id).or_default();
        let most = match object.immortal {
            true => MAX_EVENTS_IMMORTAL,
            false => MAX_EVENTS,
        };
        if life.len() < most || what == What::Died {
            life.push(Life { step, what, text });
        } else if life.len() == most {
            life.push(Life { step, what: What::More, text: "…".to_owned() });
        }
    }

    fn compare(&mut self, old: &Object, new: &Object, step: usize) {
        if let (Some(before), Some(now)) = (old.references, new.references)
            && before != now
        {
            self.tell(new, step, What::Count, format!("{before}→{now}"));
        }
        if old.address != new.address {
            self.tell(new, step, What::Value, format!("moved to {:#x}", new.address));
        }
        let items = |object: &Object| object.hidden_items.saturating_add(object.items.len() as u64);
        if let Some(value) = new.value.as_ref().filter(|value| old.value.as_ref() != Some(*value)) {
            self.tell(new, step, What::Value, cut(value, MAX_VALUE));
        } else if is_container(new) && items(old) != items(new) {
            self.tell(new, step, What::Value, count(items(new), "item"));
        } else if old.bytes != new.bytes {
            self.tell(new, step, What::Value, count(new.bytes, "byte"));
        }
        match (old.standing, new.standing) {
            (before, now) if before == now => {}
            (_, Standing::Freed) => self.tell(new, step, What::Died, "freed".to_owned()),
            (_, Standing::Unreached) => {
                self.tell(new, step, What::Standing, "no name leads to it any more".to_owned());
            }
            (Standing::Unreached, _) => {
                self.tell(new, step, What::Standing, "a name leads to it again".to_owned())
            }
            _ => {}
        }
    }
}

fn is_container(object: &Object) -> bool {
    matches!(object.kind, ObjectKind::Sequence | ObjectKind::Mapping | ObjectKind::Set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// The life of the first object of a type and value, an event a line.
    fn told(name: &str, of_type: &str, value: Option<&str>) -> Vec<String> {
        let traces = testing::traces();
        let trace = &traces.iter().find(|(other, _)| *other == name).expect("a trace of this name").1;
        let is_meant = |object: &&Object| object.of_type == of_type && object.value.as_deref() == value;
        let mut born = trace.steps.iter().flat_map(|step| &step.delta.born);
        let object = born.find(is_meant).expect("such an object");
        let lives = lives(trace);
        lives[&object.id].iter().map(|life| format!("{} {:?} {}", life.step, life.what, life.text)).collect()
    }

    #[test]
    fn a_list_is_born_gains_a_name_grows_and_dies() {
        assert_eq!(
            told("aliasing", "list", None),
            [
                "1 Born ",
                "1 Gained a",
                "2 Gained b",
                "2 Count 1→2",
                "3 Value 3 items",
                "4 Lost a",
                "4 Count 2→1",
                "5 Lost b",
                "5 Died ",
            ]
        );
    }

    #[test]
    fn a_slot_is_called_by_the_way_that_leads_to_it() {
        assert_eq!(
            told("slice", "int", Some("3000")),
            [
                "1 Born ",
                "1 Gained items[2]",
                "2 Gained tail[0]",
                "2 Count 1→2",
                "4 Lost items[2]",
                "4 Count 2→1"
            ]
        );
        assert_eq!(
            told("cycle", "Node", None),
            [
                "2 Born ",
                "2 Gained a",
                "3 Gained a.self",
                "3 Count 1→2",
                "4 Lost a",
                "4 Count 2→1",
                "4 Standing no name leads to it any more",
            ]
        );
    }

    #[test]
    fn a_freed_block_is_dead_while_a_pointer_dangles() {
        assert_eq!(
            told("c", "struct node", None),
            [
                "1 Born ",
                "1 Gained first",
                "5 Died freed",
                "8 Lost first",
                "8 Left no pointer refers to it any more"
            ]
        );
    }

    #[test]
    fn a_long_life_ends_with_an_ellipsis() {
        let mut builder = testing::Builder::python("long.py", "");
        let list = builder.list(&[]);
        builder.name("a", list);
        for step in 0..300 {
            builder.edit(list).bytes = 56 + step;
            builder.line(1);
        }
        let trace = builder.finish("exit 0");
        let life = &lives(&trace)[&list];
        assert_eq!(life.len(), MAX_EVENTS + 1);
        assert_eq!(life.last().map(|life| (life.what, life.text.as_str())), Some((What::More, "…")));
    }
}
