//! What happened to objects: their insides, their counts, their ends.

use super::describe::{is_container, is_plain, is_the_programs, items, new, some, the, tick, type_of};
use super::{Rank, Teller, several};
use crate::model::{Event, Language, Object, ObjectKind, Ref, Standing};
use crate::replay::common;
use crate::words::{amount, count, plural, with_article};

impl<'t> Teller<'_, 't> {
    /// C: what was given back, what is lost, what dangles.
    pub(super) fn blocks(&mut self) {
        if self.language() != Language::C {
            return;
        }
        let delta = &self.step.delta;
        for object in &delta.changed {
            let Some(old) = self.moment.old.get(&object.id).filter(|old| old.standing != object.standing)
            else {
                continue;
            };
            match (old.standing, object.standing) {
                (_, Standing::Freed) => {
                    self.mentioned.insert(object.id);
                    self.fact(Rank::Block, format!("{} was freed", the(object, Language::C)));
                    if let Some(path) = self.replay.path(object.id) {
                        self.fact(Rank::Dangling, format!("{} still points to it", tick(&path)));
                    }
                }
                (Standing::Freed, _) => {}
                (_, Standing::Unreached) => {
                    self.mentioned.insert(object.id);
                    self.fact(
                        Rank::Block,
                        format!("nothing points to {} any more: it leaks", self.block(object)),
                    );
                }
                _ => {}
            }
        }
        for object in delta.born.iter().filter(|object| object.standing == Standing::Unreached) {
            self.mentioned.insert(object.id);
            self.fact(Rank::Block, format!("nothing points to {}: it leaks", self.block(object)));
        }
        for id in &delta.died {
            let Some(&old) = self.moment.old.get(id) else { continue };
            if is_the_programs(old) && old.standing != Standing::Freed {
                self.mentioned.insert(*id);
                self.fact(Rank::Block, format!("{} was freed", the(old, Language::C)));
            }
        }
    }

    fn block(&self, object: &Object) -> String {
        let block = the(object, Language::C);
        match object.allocated_at {
            Some((_, line)) => format!("{block} (line {line})"),
            None => block,
        }
    }

    pub(super) fn changes(&mut self) {
        let changed: Vec<_> = self
            .step
            .delta
            .changed
            .iter()
            .filter_map(|object| Some((*self.moment.old.get(&object.id)?, object)))
            .collect();
        for (old, object) in changed {
            self.change(old, object);
        }
    }

    fn change(&mut self, old: &'t Object, object: &'t Object) {
        let text = match () {
            () if object.standing == Standing::Freed => None,
            () if object.of_type == "str" => self.string(old, object),
            () if old.items != object.items || items(old) != items(object) => self.inside(old, object),
            () if old.value != object.value && object.kind == ObjectKind::Value => object
                .value
                .as_ref()
                .map(|_| format!("{} is now {}", self.called(object), self.short(object))),
            () if old.bytes != object.bytes => Some(format!(
                "{} {} from {} to {} bytes",
                self.called(object),
                if old.bytes < object.bytes { "grew" } else { "shrank" },
                amount(old.bytes),
                amount(object.bytes)
            )),
            () => None,
        };
        if let Some(text) = text {
            self.mentioned.insert(object.id);
            self.fact(Rank::Object, text);
        }
    }

    /// A string is changed only by CPython, and only while it has one reference.
    fn string(&self, old: &Object, object: &Object) -> Option<String> {
        if old.value == object.value && old.bytes == object.bytes {
            return None;
        }
        let (before, now) = (amount(old.bytes), amount(object.bytes));
        let at = crate::replay::short_address(object.address);
        Some(match old.address == object.address {
            true => {
                format!("{} grew in place from {before} to {now} bytes: still at {at}", self.called(object))
            }
            false => format!("{} grew from {before} to {now} bytes and moved to {at}", self.called(object)),
        })
    }

    fn inside(&self, old: &'t Object, object: &'t Object) -> Option<String> {
        if object.kind == ObjectKind::Iterator {
            return None;
        }
        let (before, now) = (items(old), items(object));
        let keyed = !matches!(object.kind, ObjectKind::Sequence | ObjectKind::Set);
        let (same_before, same_behind) = common(&old.items, &object.items, |old, new| old == new);
        let was = &old.items[same_before..old.items.len() - same_behind];
        let is = &object.items[same_before..object.items.len() - same_behind];
        let slots: Vec<_> = match keyed {
            true => is.iter().filter(|item| !was.contains(item)).collect(),
            false if before == now => {
                let pairs = is.iter().zip(was);
                pairs.filter(|(new, old)| new.1 != old.1).map(|(new, _)| new).collect()
            }
            false => Vec::new(),
        };
        let called = self.replay.call(object);
        match slots.as_slice() {
            [(label, to)] => {
                let slot = tick(&self.replay.slot(&called, object, label));
                return Some(self.slot(&slot, to));
            }
            [] if keyed && now < before => {
                let gone = was.iter().find(|(label, _)| !is.iter().any(|(other, _)| other == label));
                if let Some((label, _)) = gone.filter(|_| before - now == 1) {
                    return Some(format!("{} is gone", tick(&self.replay.slot(&called, object, label))));
                }
            }
            _ => {}
        }
        let called = self.called(object);
        if before == now {
            let places = is.len().max(was.len());
            return (places > 0).then(|| format!("{called} changed in {}", count(places as u64, "place")));
        }
        if !is_container(object) {
            return Some(format!("{called} has {} fields, {} before", amount(now), amount(before)));
        }
        let verb = if before < now { "grew" } else { "shrank" };
        let number = format!("{called} {verb} from {} to {}", amount(before), count(now, "item"));
        Some(match (old.bytes, object.bytes) {
            (then, bytes) if then == bytes && before < now => format!("{number} in the room it had"),
            (then, bytes) if then == bytes => format!("{number}, and keeps its {} bytes", amount(bytes)),
            (then, bytes) => format!("{number}: {} → {} bytes", amount(then), amount(bytes)),
        })
    }

    fn slot(&self, slot: &str, to: &Ref) -> String {
        let verb = match self.language() {
            Language::C => "now points to",
            Language::Python => "now refers to",
        };
        match self.object(to) {
            None => format!("{slot} is now {}", self.value(to)),
            Some(object) if is_plain(object) => format!("{slot} is now {}", some(object, self.language())),
            Some(object) if self.born.contains(&object.id) && is_the_programs(object) => {
                format!("{slot} {verb} {}", new(object, self.replay))
            }
            Some(object) => format!("{slot} {verb} {}", the(object, self.language())),
        }
    }

    /// By a path in backticks, or as what it is.
    fn called(&self, object: &Object) -> String {
        self.replay.path(object.id).map_or_else(|| the(object, self.language()), |path| tick(&path))
    }

    fn short(&self, object: &Object) -> String {
        super::short_value(object).unwrap_or_else(|| with_article(&type_of(object)))
    }

    /// Python: alive, and the program cannot get there.
    pub(super) fn unreached(&mut self) {
        if self.language() == Language::C {
            return;
        }
        let lost = self.step.delta.changed.iter().filter(|object| {
            object.standing == Standing::Unreached
                && self.moment.old.get(&object.id).is_some_and(|old| old.standing != Standing::Unreached)
        });
        let lost: Vec<_> = lost.collect();
        let text = match lost.as_slice() {
            [] => return,
            [object] => {
                let still = object.references.map_or_else(
                    || "it is alive".to_owned(),
                    |references| format!("it has {}", count(references, "reference")),
                );
                format!("no name leads to {} any more, but {still}", the(object, Language::Python))
            }
            more => format!("no name leads to {} any more, but they are alive", several(more)),
        };
        self.mentioned.extend(lost.iter().map(|object| object.id));
        self.fact(Rank::Unreached, text);
    }

    pub(super) fn deaths(&mut self) {
        if self.language() == Language::C || self.step.event == Event::End {
            return;
        }
        let dead = self.step.delta.died.iter().filter(|id| !self.mentioned.contains(id));
        let dead: Vec<_> = dead.filter_map(|id| self.moment.old.get(id).copied()).collect();
        let text = match dead.as_slice() {
            [] => return,
            [object] => format!("{} was freed", the(object, Language::Python)),
            more => {
                let bytes = more.iter().fold(0u64, |sum, object| sum.saturating_add(object.bytes));
                format!("{} were freed, {}", several(more), count(bytes, "byte"))
            }
        };
        self.fact(Rank::Death, text);
    }

    pub(super) fn temporaries(&mut self) {
        let Some(most) = self.step.delta.temporaries.iter().max_by_key(|made| made.bytes) else { return };
        let of_type = most.of_type.as_deref().map_or("block", |of_type| of_type);
        let of_type = crate::words::cut(of_type, 30);
        let text = match most.count {
            1 => format!("{} of {} was made and freed", with_article(&of_type), count(most.bytes, "byte")),
            more => format!(
                "{} {} of {} in all were made and freed",
                amount(more),
                plural(&of_type),
                count(most.bytes, "byte")
            ),
        };
        self.fact(Rank::Temporary, text);
    }

    /// Counts that changed without another story.
    pub(super) fn counts(&mut self) {
        let other = self.step.delta.changed.iter().find(|object| {
            let before = self.moment.old.get(&object.id).and_then(|old| old.references);
            !self.mentioned.contains(&object.id)
                && object.references.is_some_and(|now| before.is_some_and(|before| before != now))
        });
        if let Some((object, references)) = other.and_then(|object| Some((object, object.references?))) {
            let text = format!("{} now has {}", self.called(object), count(references, "reference"));
            self.fact(Rank::Count, text);
        }
    }
}
