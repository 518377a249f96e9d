//! Goes through a trace and says of each step which references came and went, and by whom.
//!
//! Sentences and lives are both told from this. A holder is called as the program would
//! write it (`node.next`, `rows[3]`), as long as a name leads to it in a few steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Frame, FrameKind, Language, Name, NameKind, Object, ObjectId, ObjectKind, Ref, Standing, Step, Trace,
};
use crate::state::State;

/// A holder further from a name than this is called by its type and address.
const MAX_PATH: usize = 4;
/// So many holders are tried for a name; the rest is an object that everybody refers to.
const MAX_TRIED: usize = 16;

/// Who refers to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Frame(u32),
    Object(ObjectId),
}

/// A reference that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// To what.
    pub(crate) object: ObjectId,
    /// By whom, as the program would write it.
    pub(crate) words: String,
}

/// A name of a frame that was there before and still is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renamed<'t> {
    pub(crate) frame: &'t Frame,
    pub(crate) name: &'t str,
    pub(crate) kind: NameKind,
    pub(crate) from: Option<&'t Ref>,
    pub(crate) to: Option<&'t Ref>,
}

/// What a step changed, with what was before.
#[derive(Debug, Default)]
pub(crate) struct Moment<'t> {
    /// The objects that changed or went, as they were.
    pub(crate) old: BTreeMap<ObjectId, &'t Object>,
    pub(crate) gained: Vec<Held>,
    pub(crate) lost: Vec<Held>,
    pub(crate) renamed: Vec<Renamed<'t>>,
    /// Frames of this thread that were in its step before, and are no more.
    pub(crate) left: Vec<&'t Frame>,
}

/// A trace up to some step.
pub(crate) struct Replay<'t> {
    pub(crate) language: Language,
    pub(crate) state: State<'t>,
    stacks: BTreeMap<u32, &'t [Frame]>,
    /// Who referred to an object at some time; whether it still does is looked up.
    holders: BTreeMap<ObjectId, BTreeSet<Holder>>,
}

impl<'t> Replay<'t> {
    pub(crate) fn new(trace: &'t Trace) -> Self {
        Replay {
            language: trace.language,
            state: State::default(),
            stacks: BTreeMap::new(),
            holders: BTreeMap::new(),
        }
    }

    /// Goes on to this step, which follows upon the one before.
    pub(crate) fn advance(&mut self, step: &'t Step) -> Moment<'t> {
        let mut moment = Moment::default();
        let delta = &step.delta;
        let ids = delta.changed.iter().chain(&delta.born).map(|object| &object.id);
        for id in ids.chain(&delta.died).chain(&delta.left) {
            if let Some(object) = self.state.objects.get(id) {
                moment.old.insert(*id, object);
            }
        }
        let before = self.stacks.get(&step.thread).copied().unwrap_or_default();
        let mut slots = Slots::default();
        slots.compare_stacks(before, &step.stack, &mut moment);
        for object in delta.born.iter().chain(&delta.changed) {
            slots.compare_items(moment.old.get(&object.id).copied(), Some(object));
        }
        for id in delta.died.iter().chain(&delta.left) {
            slots.compare_items(moment.old.get(id).copied(), None);
        }
        moment.lost = self.in_words(&slots.lost);
        self.state.advance(step);
        self.stacks.insert(step.thread, &step.stack);
        for (object, slot) in &slots.gained {
            self.holders.entry(*object).or_default().insert(slot.holder());
        }
        moment.gained = self.in_words(&slots.gained);
        for id in &delta.died {
            self.holders.remove(id);
        }
        moment
    }

    fn in_words(&self, slots: &[(ObjectId, Slot<'t>)]) -> Vec<Held> {
        let mut called = BTreeMap::new();
        let words = |(object, slot): &(ObjectId, Slot<'t>)| {
            let words = match slot {
                Slot::Name { frame, outermost, name } if *outermost || frame.kind == FrameKind::Module => {
                    (*name).to_owned()
                }
                Slot::Name { frame, name, .. } => format!("{name} in {}", frame.function),
                Slot::Item { holder, label } => {
                    let called = called.entry(holder.id).or_insert_with(|| self.call(holder));
                    self.slot(called, holder, label)
                }
            };
            Held { object: *object, words }
        };
        slots.iter().map(words).collect()
    }

    /// How the program reaches an object; by type and address where no name is near.
    pub(crate) fn call(&self, object: &Object) -> String {
        self.path(object.id)
            .unwrap_or_else(|| format!("({} {})", object.of_type, short_address(object.address)))
    }

    /// A name that leads to an object, and how.
    pub(crate) fn path(&self, id: ObjectId) -> Option<String> {
        self.path_but(id, None, MAX_PATH)
    }

    /// The same, by another name than this one of this frame.
    pub(crate) fn other_path(&self, id: ObjectId, frame: u32, name: &str) -> Option<String> {
        self.path_but(id, Some((frame, name)), MAX_PATH)
    }

    fn path_but(&self, id: ObjectId, but: Option<(u32, &str)>, depth: usize) -> Option<String> {
        let holders = self.holders.get(&id)?;
        let frames = self.stacks.values().flat_map(|stack| stack.iter().rev());
        for frame in frames.filter(|frame| holders.contains(&Holder::Frame(frame.id))) {
            let leads = |name: &&Name| {
                name.kind != NameKind::Held && but != Some((frame.id, &name.name)) && refers_to(&name.to, id)
            };
            if let Some(name) = frame.names.iter().find(leads) {
                return Some(name.name.clone());
            }
        }
        let depth = depth.checked_sub(1)?;
        holders.iter().take(MAX_TRIED).find_map(|holder| {
            let Holder::Object(holder) = holder else { return None };
            let holder = self.state.objects.get(holder).filter(|holder| holder.id != id)?;
            if holder.standing == Standing::Freed {
                return None;
            }
            // What an iterator is over has no label, and so no path.
            let (label, _) =
                holder.items.iter().find(|(label, to)| !label.is_empty() && refers_to(to, id))?;
            let path = self.path_but(holder.id, but, depth)?;
            Some(self.slot(&path, holder, label))
        })
    }

    /// How many names and items refer to an object.
    pub(crate) fn references_to(&self, id: ObjectId) -> u64 {
        let Some(holders) = self.holders.get(&id) else { return 0 };
        let frames = self.stacks.values().flat_map(|stack| stack.iter());
        let names =
            frames.filter(|frame| holders.contains(&Holder::Frame(frame.id))).flat_map(|frame| &frame.names);
        let of_names = names.filter(|name| refers_to(&name.to, id)).count();
        let objects = holders.iter().filter_map(|holder| match holder {
            Holder::Object(holder) => self.state.objects.get(holder),
            Holder::Frame(_) => None,
        });
        let of_items = objects.flat_map(|holder| &holder.items).filter(|(_, to)| refers_to(to, id)).count();
        (of_names + of_items) as u64
    }

    /// A slot of a holder that is called so.
    pub(crate) fn slot(&self, called: &str, holder: &Object, label: &str) -> String {
        match (self.language, holder.kind) {
            (_, ObjectKind::Set) => format!("{called}{{…}}"),
            (_, ObjectKind::Sequence | ObjectKind::Mapping) => format!("{called}[{label}]"),
            (Language::C, _) if !matches!(holder.standing, Standing::OnStack | Standing::Static) => {
                format!("{called}->{label}")
            }
            _ => format!("{called}.{label}"),
        }
    }
}

/// Where a reference is kept.
#[derive(Clone, Copy)]
enum Slot<'t> {
    Name { frame: &'t Frame, outermost: bool, name: &'t str },
    Item { holder: &'t Object, label: &'t str },
}

impl Slot<'_> {
    fn holder(&self) -> Holder {
        match self {
            Slot::Name { frame, .. } => Holder::Frame(frame.id),
            Slot::Item { holder, .. } => Holder::Object(holder.id),
        }
    }
}

#[derive(Default)]
struct Slots<'t> {
    gained: Vec<(ObjectId, Slot<'t>)>,
    lost: Vec<(ObjectId, Slot<'t>)>,
}

impl<'t> Slots<'t> {
    fn compare_stacks(&mut self, before: &'t [Frame], now: &'t [Frame], moment: &mut Moment<'t>) {
        let (same, _) = common(before, now, |old, new| old.id == new.id && old.names == new.names);
        let (before, now) = (&before[same..], &now[same..]);
        let earlier: BTreeMap<u32, &Frame> = before.iter().map(|frame| (frame.id, frame)).collect();
        let later: BTreeMap<u32, &Frame> = now.iter().map(|frame| (frame.id, frame)).collect();
        for (index, frame) in now.iter().enumerate() {
            let old = earlier.get(&frame.id).copied();
            moment.renamed.extend(old.into_iter().flat_map(|old| renamed(old, frame)));
            let others = old.map_or(&[][..], |old| &old.names);
            self.gained.extend(only_here(frame, others, same + index == 0));
        }
        for (index, frame) in before.iter().enumerate() {
            let new = later.get(&frame.id).copied();
            if new.is_none() {
                moment.left.push(frame);
            }
            let others = new.map_or(&[][..], |new| &new.names);
            self.lost.extend(only_here(frame, others, same + index == 0));
        }
    }

    /// Items that only moved, as behind one that was inserted, neither come nor go.
    fn compare_items(&mut self, before: Option<&'t Object>, now: Option<&'t Object>) {
        let old = before.map_or(&[][..], |object| &object.items);
        let new = now.map_or(&[][..], |object| &object.items);
        let (same_before, same_behind) = common(old, new, |old, new| object_of(&old.1) == object_of(&new.1));
        let (old, new) =
            (&old[same_before..old.len() - same_behind], &new[same_before..new.len() - same_behind]);
        let mut balance = BTreeMap::<ObjectId, isize>::new();
        for id in new.iter().filter_map(|(_, to)| object_of(to)) {
            *balance.entry(id).or_default() += 1;
        }
        for id in old.iter().filter_map(|(_, to)| object_of(to)) {
            *balance.entry(id).or_default() -= 1;
        }
        let mut take = |items: &'t [(String, Ref)], holder: Option<&'t Object>, sign: isize| {
            let mut taken = Vec::new();
            for ((label, to), holder) in items.iter().zip(std::iter::repeat(holder)) {
                let (Some(id), Some(holder)) = (object_of(to), holder) else { continue };
                let left = balance.entry(id).or_default();
                if *left * sign > 0 {
                    *left -= sign;
                    taken.push((id, Slot::Item { holder, label }));
                }
            }
            taken
        };
        self.gained.extend(take(new, now, 1));
        self.lost.extend(take(old, before, -1));
    }
}

/// The references of a frame's names that the same names do not have at another time.
fn only_here<'t>(
    frame: &'t Frame,
    others: &'t [Name],
    outermost: bool,
) -> impl Iterator<Item = (ObjectId, Slot<'t>)> {
    frame.names.iter().filter_map(move |name| {
        let id = object_of(&name.to)?;
        let is_same = |other: &&Name| other.name == name.name && other.kind == name.kind;
        let other = others.iter().find(is_same).and_then(|other| object_of(&other.to));
        (other != Some(id)).then_some((id, Slot::Name { frame, outermost, name: &name.name }))
    })
}

/// The names of a frame that are new, refer to something else, or went, in the order of the code.
fn renamed<'t>(before: &'t Frame, now: &'t Frame) -> Vec<Renamed<'t>> {
    let mut all = Vec::new();
    if before.names == now.names {
        return all;
    }
    for name in &now.names {
        let was = before.names.iter().find(|was| was.name == name.name && was.kind == name.kind);
        let (kind, to, from) = (name.kind, Some(&name.to), was.map(|was| &was.to));
        if from != to {
            all.push(Renamed { frame: now, name: &name.name, kind, from, to });
        }
    }
    for name in &before.names {
        if !now.names.iter().any(|is| is.name == name.name && is.kind == name.kind) {
            let (kind, from) = (name.kind, Some(&name.to));
            all.push(Renamed { frame: now, name: &name.name, kind, from, to: None });
        }
    }
    all
}

/// How many elements at the beginning and at the end are the same. They do not overlap.
pub(crate) fn common<T>(old: &[T], new: &[T], same: impl Fn(&T, &T) -> bool) -> (usize, usize) {
    let before = old.iter().zip(new).take_while(|(old, new)| same(old, new)).count();
    let behind = old[before..].iter().rev().zip(new[before..].iter().rev());
    (before, behind.take_while(|(old, new)| same(old, new)).count())
}

pub(crate) fn object_of(to: &Ref) -> Option<ObjectId> {
    match to {
        Ref::Object { id, .. } => Some(*id),
        Ref::Value(_) => None,
    }
}

pub(crate) fn refers_to(to: &Ref, id: ObjectId) -> bool {
    object_of(to) == Some(id)
}

/// An address by its last three digits, which tell the objects of a small program apart.
pub(crate) fn short_address(address: u64) -> String {
    format!("…{:03x}", address & 0xfff)
}
