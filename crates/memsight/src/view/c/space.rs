//! What lies where in the program: blocks, variables and texts by their addresses.

use std::collections::BTreeMap;

use memsight_picture::{Object, ObjectId, SourceId};

/// Bytes beyond this are not followed of one thing.
pub(super) const LOOKED_AT: u64 = 1 << 14;

/// Bytes that stand for "never written", by the last bits of their address: as in `gdb/session.py`.
const PAINT: [u8; 8] = [0xA5, 0xC3, 0x9A, 0xD6, 0xB9, 0xE7, 0x8D, 0xCB];

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A variable that lives as long as the program.
    Static,
    /// A variable of a frame.
    Stack,
    /// A block; whether it was given to the program, and not to the C library for itself.
    Heap { own: bool },
    /// The list of arguments that main is given.
    Arguments,
    /// A text that a pointer leads to and that is none of these.
    Text,
}

/// Something at an address.
pub(super) struct Thing {
    pub(super) id: ObjectId,
    pub(super) address: u64,
    pub(super) bytes: u64,
    pub(super) of: Of,
    /// The type of its elements, once it is known.
    pub(super) element: Option<usize>,
    /// The variable's name.
    pub(super) name: Option<String>,
    /// Whether it is drawn as an object: a variable that is no aggregate is one once its address is taken.
    pub(super) is_object: bool,
    pub(super) allocated_at: Option<(SourceId, u32)>,
    /// Where it was freed, if it was.
    pub(super) freed: Option<Option<(SourceId, u32)>>,
    /// Which of its bytes were ever written.
    pub(super) written: Vec<bool>,
    /// As it was drawn last.
    pub(super) drawn: Option<Object>,
    /// The bytes that it was drawn from, and the targets of its pointers.
    pub(super) drawn_from: (Vec<u8>, Vec<Target>),
    pub(super) drawn_as: Option<usize>,
    /// Whether it was in the picture at the last step.
    pub(super) shown: bool,
    /// The last stop at which variables led to it, and at which anything in the picture did.
    pub(super) reached_at: u32,
    pub(super) seen_at: u32,
}

/// Where a pointer leads: the object and how far into it; `None` outside of the picture.
pub(super) type Target = Option<(ObjectId, u64)>;

impl Thing {
    /// Notes which bytes are not as they were painted.
    pub(super) fn note_written(&mut self, bytes: &[u8]) {
        if self.written.len() < bytes.len() {
            self.written.resize(bytes.len(), false);
        }
        for (index, (written, byte)) in self.written.iter_mut().zip(bytes).enumerate() {
            *written |= *byte != PAINT[((self.address + index as u64) & 7) as usize];
        }
    }

    /// Whether none of these bytes was ever written.
    pub(super) fn is_unwritten(&self, offset: u64, bytes: u64) -> bool {
        let (from, to) = (offset as usize, (offset.saturating_add(bytes)) as usize);
        bytes > 0 && self.written.get(from..to).is_some_and(|part| !part.contains(&true))
    }
}

/// All things.
#[derive(Default)]
pub(super) struct Space {
    /// By their ids; where one is no more, there is nothing.
    things: Vec<Option<Thing>>,
    at: BTreeMap<u64, ObjectId>,
}

impl Space {
    /// A new thing. Whatever was freed where it lies is no more, and returned.
    pub(super) fn add(&mut self, address: u64, bytes: u64, of: Of) -> (ObjectId, Vec<Thing>) {
        // Ids count from 1.
        let id = ObjectId(self.things.len() as u32 + 1);
        let end = address.saturating_add(bytes.max(1));
        let before = self.at.range(..address).next_back().map(|(_, &id)| id);
        let over: Vec<ObjectId> =
            before.into_iter().chain(self.at.range(address..end).map(|(_, &id)| id)).collect();
        let covers = |thing: &Thing| {
            (thing.freed.is_some() || thing.of == Of::Text || thing.address == address)
                && thing.address < end
                && thing.address + thing.bytes.max(1) > address
        };
        let over: Vec<ObjectId> = over.into_iter().filter(|id| self.get(*id).is_some_and(covers)).collect();
        let gone: Vec<Thing> = over.into_iter().filter_map(|id| self.remove(id)).collect();
        let thing = Thing {
            id,
            address,
            bytes,
            of,
            element: None,
            name: None,
            is_object: true,
            allocated_at: None,
            freed: None,
            written: Vec::new(),
            drawn: None,
            drawn_from: Default::default(),
            drawn_as: None,
            shown: false,
            reached_at: 0,
            seen_at: 0,
        };
        self.things.push(Some(thing));
        self.at.insert(address, id);
        (id, gone)
    }

    pub(super) fn remove(&mut self, id: ObjectId) -> Option<Thing> {
        let thing = self.things.get_mut(place(id))?.take()?;
        if self.at.get(&thing.address) == Some(&id) {
            self.at.remove(&thing.address);
        }
        Some(thing)
    }

    pub(super) fn get(&self, id: ObjectId) -> Option<&Thing> {
        self.things.get(place(id))?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: ObjectId) -> Option<&mut Thing> {
        self.things.get_mut(place(id))?.as_mut()
    }

    /// All things, in the order of their ids.
    pub(super) fn things(&self) -> impl Iterator<Item = &Thing> {
        self.things.iter().flatten()
    }

    /// The thing that begins here.
    pub(super) fn beginning_at(&self, address: u64) -> Option<ObjectId> {
        self.at.get(&address).copied()
    }

    /// The thing at an address, or that ends there, and how far behind its beginning that is.
    pub(super) fn find(&self, address: u64) -> Option<(ObjectId, u64)> {
        let (&start, &id) = self.at.range(..=address).next_back()?;
        let thing = self.get(id)?;
        let offset = address - start;
        let ends_here = offset == thing.bytes && thing.is_object && thing.of != Of::Text;
        (offset < thing.bytes || offset == 0 || ends_here).then_some((id, offset))
    }
}

fn place(id: ObjectId) -> usize {
    (id.0 as usize).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_the_thing_that_it_is_in_or_at_the_end_of() {
        let mut space = Space::default();
        let (block, _) = space.add(1000, 40, Of::Heap { own: true });
        let (next, _) = space.add(1040, 0, Of::Heap { own: true });
        assert_eq!(space.find(1000), Some((block, 0)));
        assert_eq!(space.find(1039), Some((block, 39)));
        assert_eq!(space.find(1040), Some((next, 0)));
        assert_eq!(space.find(1041), None);
        assert_eq!(space.find(999), None);
    }

    #[test]
    fn a_new_block_takes_the_place_of_freed_ones_and_not_of_live_ones() {
        let mut space = Space::default();
        let (freed, _) = space.add(1000, 16, Of::Heap { own: true });
        let (live, _) = space.add(1100, 16, Of::Heap { own: true });
        space.get_mut(freed).unwrap().freed = Some(None);
        let (new, gone) = space.add(1008, 92, Of::Heap { own: true });
        assert_eq!(gone.iter().map(|thing| thing.id).collect::<Vec<_>>(), [freed]);
        assert_eq!(space.find(1008), Some((new, 0)));
        assert!(space.get(live).is_some() && space.get(freed).is_none());
    }

    #[test]
    fn a_byte_that_was_written_once_stays_so() {
        let mut space = Space::default();
        let (id, _) = space.add(1000, 4, Of::Stack);
        let thing = space.get_mut(id).unwrap();
        let painted: Vec<u8> = (0..4).map(|index| PAINT[((1000 + index) & 7) as usize]).collect();
        thing.note_written(&painted);
        assert!(thing.is_unwritten(0, 4));
        thing.note_written(&[painted[0], 7, painted[2], painted[3]]);
        thing.note_written(&painted);
        assert!(!thing.is_unwritten(0, 4) && thing.is_unwritten(2, 2) && !thing.is_unwritten(2, 3));
    }
}
