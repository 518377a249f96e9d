//! Objects that no other object tells of: a type written in C has them in its
//! fields and does not say so, or C code alone holds them.

use memsight_capture::{Domain, Label};
use memsight_recorder::ledger::{Sink, Stopped};

use super::Array;
use super::blocks::BEFORE;
use super::progress::At;
use super::types::{Type, bytes_before, flag};
use super::walk::{Phase, Walk};
use crate::proof::may_be_object;
use crate::python::word;

/// An object's head: its reference count and its type.
pub(crate) const HEAD: usize = 16;

/// More references than that nothing has; immortal objects have as many (3.12).
const MOST_REFERENCES: usize = 1 << 33;

/// What the collector's header may say of an object that is not tracked (`_PyGC_PREV_MASK`).
const HEADER_FLAGS: usize = 3;

/// Longer ones hold data.
const MOST_FIELDS: usize = 512;

impl<S: Sink> Walk<'_, S> {
    /// Whether there is an object at an address that somebody gave: it has references, and
    /// its type is one.
    pub(crate) fn proves_object(&mut self, address: usize) -> bool {
        if !may_be_object(address) {
            return false;
        }
        let in_block = |before: &usize| {
            let slot = self.recorder.shadow.peek(address.wrapping_sub(*before));
            slot.is_some_and(|slot| slot.bytes as usize >= before + HEAD)
        };
        if BEFORE.iter().any(in_block) {
            // SAFETY: both words lie in a live block.
            let (count, of) = unsafe { (word(address), word(address + self.layout.object.ob_type)) };
            return count != 0 && (self.types.has(of) || self.proof.is_type(of));
        }
        let references = self.proof.word(address);
        references.is_some_and(|count| count != 0)
            && self
                .proof
                .word(address + self.layout.object.ob_type)
                .is_some_and(|of| self.types.has(of) || self.proof.is_type(of))
    }

    /// The object in a block of the object allocator, if there is one that was not met. The
    /// collector does not track it: those that it tracks were all met.
    fn object_in(&mut self, block: usize, bytes: u32) -> Option<usize> {
        BEFORE.into_iter().find_map(|before| {
            let object = block + before;
            let left = (bytes as usize).checked_sub(before).filter(|&left| left >= HEAD)?;
            // SAFETY: both words lie in a live block.
            let (count, of) = unsafe { (word(object), word(object + self.layout.object.ob_type)) };
            let may_be = count != 0 && count < MOST_REFERENCES && may_be_object(of);
            if !may_be || !(self.types.has(of) || self.proof.is_type(of)) {
                return None;
            }
            // SAFETY: a type is there.
            let (flags, size) = unsafe {
                (word(of + self.layout.object.tp_flags), word(of + self.layout.object.tp_basicsize))
            };
            // A short `str` is smaller than the largest kind of `str`, whose size its type says.
            let size = if flags & flag::STR != 0 { self.layout.str.ascii_data } else { size };
            let has_place = before == bytes_before(flags, self.layout.minor) && size <= left;
            if !has_place || flags & flag::HAVE_GC == 0 {
                return has_place.then_some(object);
            }
            // SAFETY: the collector's header stands before the object, in the block.
            let (next, previous) = unsafe { (word(object - HEAD), word(object - HEAD + 8)) };
            (next == 0 && previous <= HEADER_FLAGS).then_some(object)
        })
    }

    /// The object in a block, if an object's allocator gave it and it has one.
    pub(crate) fn object_at_block(&mut self, block: usize) -> Option<usize> {
        let slot = self.recorder.shadow.peek(block)?;
        let is_objects = self.recorder.groups.try_get(slot.group)?.domain() == Domain::Object;
        if is_objects { self.object_in(block, slot.bytes) } else { None }
    }

    /// Writes the objects that the fields of a type without `tp_traverse` hold.
    pub(crate) fn write_untold(&mut self, object: usize, of: &Type) -> Result<(), Stopped> {
        let is_plain = of.has(flag::STR | flag::BYTES | flag::LONG) || self.known.is_number(of.address);
        if is_plain || of.size > MOST_FIELDS {
            return Ok(());
        }
        for offset in (HEAD..of.size & !7).step_by(8) {
            // SAFETY: a word of a live object.
            let target = unsafe { word(object + offset) };
            let is_block = |before: &usize| self.recorder.shadow.peek(target.wrapping_sub(*before)).is_some();
            if target & 15 == 0
                && target >> 47 == 0
                && let Some(before) = BEFORE.into_iter().find(|before| is_block(before))
                && (self.is_object(target) || self.object_at_block(target - before) == Some(target))
            {
                self.write_edge(Label::Unknown, target)?;
            }
        }
        Ok(())
    }

    /// Numbers the objects that nobody has told of and nobody owns, and gives all blocks
    /// that are left over.
    pub(crate) fn find_held(&mut self) -> Result<Array<usize>, Stopped> {
        let mut left = Array::<usize>::new();
        let mut result = Ok(());
        let recorder = self.recorder;
        self.progress.step(At::Else);
        recorder.shadow.for_each(|block, slot| {
            self.progress.tick();
            let Some(group) = recorder.groups.try_get(slot.group) else { return };
            let is_pythons = matches!(group.domain(), Domain::Object | Domain::Mem);
            if result.is_ok() && is_pythons && !self.is_objects(block) && !self.numbers.is_owned(block) {
                result = left.push(block);
            }
        });
        result?;
        if self.progress.avoids(At::Held) {
            return Ok(left);
        }
        self.phase = Phase::Held;
        self.progress.step(At::Held);
        for &block in left.as_slice() {
            if let Some(object) = self.object_at_block(block) {
                self.number(object)?;
            }
        }
        Ok(left)
    }
}
