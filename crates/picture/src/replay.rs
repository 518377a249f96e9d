//! Goes through a trace and says of each step which references came and went, and by whom.
//!
//! Sentences and lives are both told from this. A holder is called as the program would
//! write it (`node.next`, `rows[3]`), as long as a name leads to it in a few steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Frame, FrameKind, Language, NameKind, Object, ObjectId, ObjectKind, Ref, Standing, Step, Trace,
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
    /// Frames of this thread that were not in its step before.
    pub(crate) entered: Vec<&'t Frame>,
    /// Frames that were, and are no more.
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
        self.path(object.id, MAX_PATH)
            .unwrap_or_else(|| format!("({} {})", object.of_type, short_address(object.address)))
    }

    /// A name that leads to an object, and how.
    pub(crate) fn path(&self, id: ObjectId, depth: usize) -> Option<String> {
        let holders = self.holders.get(&id)?;
        let frames = self.stacks.values().flat_map(|stack| stack.iter().rev());
        for frame in frames.filter(|frame| holders.contains(&Holder::Frame(frame.id))) {
            let mut names = frame.names.iter().filter(|name| name.kind != NameKind::Held);
            if let Some(name) = names.find(|name| refers_to(&name.to, id)) {
                return Some(name.name.clone());
            }
        }
        let depth = depth.checked_sub(1)?;
        holders.iter().take(MAX_TRIED).find_map(|holder| {
            let Holder::Object(holder) = holder else { return None };
            let holder = self.state.objects.get(holder).filter(|holder| holder.id != id)?;
            let (label, _) = holder.items.iter().find(|(_, to)| refers_to(to, id))?;
            let path = self.path(holder.id, depth)?;
            Some(self.slot(&path, holder, label))
        })
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
        let earlier: BTreeMap<u32, &Frame> = before.iter().map(|frame| (frame.id, frame)).collect();
        let later: BTreeSet<u32> = now.iter().map(|frame| frame.id).collect();
        for (index, frame) in now.iter().enumerate() {
            let old = earlier.get(&frame.id);
            match old {
                Some(old) => moment.renamed.extend(renamed(old, frame)),
                None => moment.entered.push(frame),
            }
            let old = old.map_or(&[][..], |old| &old.names);
            for name in frame.names.iter().filter(|name| !old.contains(name)) {
                let was = old.iter().find(|was| was.name == name.name && was.kind == name.kind);
                let slot = Slot::Name { frame, outermost: index == 0, name: &name.name };
                match was {
                    Some(was) if object_of(&was.to) == object_of(&name.to) => {}
                    _ => self.gained.extend(object_of(&name.to).map(|id| (id, slot))),
                }
            }
        }
        for (index, frame) in before.iter().enumerate() {
            let new = now.iter().find(|new| new.id == frame.id).map_or(&[][..], |new| &new.names);
            for name in frame.names.iter().filter(|name| !new.contains(name)) {
                let is = new.iter().find(|is| is.name == name.name && is.kind == name.kind);
                let slot = Slot::Name { frame, outermost: index == 0, name: &name.name };
                match is {
                    Some(is) if object_of(&is.to) == object_of(&name.to) => {}
                    _ => self.lost.extend(object_of(&name.to).map(|id| (id, slot))),
                }
            }
        }
        moment.left.extend(before.iter().filter(|frame| !later.contains(&frame.id)));
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
            all.push(Renamed { name: &name.name, kind, from, to });
        }
    }
    for name in &before.names {
        if !now.names.iter().any(|is| is.name == name.name && is.kind == name.kind) {
            all.push(Renamed { name: &name.name, kind: name.kind, from: Some(&name.to), to: None });
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
