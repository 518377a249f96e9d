//! Blocks that come and go: what the allocator's hooks tell, between the steps.

use memsight_recorder::memory::OutOfMemory;

use super::tracer::{HEADER, Tracer};
use crate::graph::types::{bytes_before, flag};
use crate::proof::may_be_object;
use crate::python::{careful_word, frames_of_thread, is_code, word};
use crate::session::session;

/// A list's head (`PyListObject`).
const LIST_BYTES: usize = 40;

impl Tracer {
    pub(super) fn allocated(&mut self, block: usize, bytes: usize) {
        // Without memory for it, it is not followed.
        let _ = self.young.insert(block, bytes);
        self.see_whether_to_go_on();
    }

    pub(super) fn reallocated(&mut self, old: usize, new: usize, bytes: usize) {
        let was_young = old == 0 || matches!(self.young.remove(old), Ok(Some(_)));
        if was_young {
            self.allocated(new, bytes);
        }
        self.see_whether_to_go_on();
        if old != new && old != 0 {
            self.end_lives_in(old);
        }
    }

    fn see_whether_to_go_on(&mut self) {
        if self.paused.is_some() {
            self.go_on_after_growth(session().python.current_thread_state());
        }
    }

    fn end_lives_in(&mut self, block: usize) {
        for before in [0, 16, 32] {
            if let Some(id) = self.lives.at(block + before)
                && self.lives.get(id).block == block
            {
                // Without memory for it, its death goes unsaid.
                let _ = self.lives.end(id);
            }
        }
    }

    pub(super) fn freed(&mut self, block: usize, in_objects: bool) {
        self.end_lives_in(block);
        if self.knows_type(block + HEADER) {
            self.forget_types();
        }
        if let Ok(Some(bytes)) = self.young.remove(block) {
            // As above.
            let _ = self.note_temporary(block, bytes, in_objects);
        }
    }

    /// A block that is younger than the last step is about to be given back.
    fn note_temporary(&mut self, block: usize, bytes: usize, in_objects: bool) -> Result<(), OutOfMemory> {
        let Some((object, of_type)) = in_objects.then(|| self.object_in(block, bytes)).flatten() else {
            let Some((list, head)) = self.list_of(block) else { return self.young.orphan(block, bytes) };
            let shape = self.shape(list)?;
            return self.young.add(list, shape.word.0, bytes + head);
        };
        if of_type == self.walk.known.frame {
            return Ok(());
        }
        let mut sum = bytes;
        for place in (object + 16..(block + bytes).min(object + 128).saturating_sub(7)).step_by(8) {
            // SAFETY: the word lies in the block, which is still there.
            sum += self.young.claim(unsafe { word(place) });
        }
        let shape = self.shape(of_type)?;
        self.young.add(of_type, shape.word.0, sum)
    }

    /// The list whose items a block holds, if the innermost frame computes with it and it is
    /// to be kept for reuse: its type, and the bytes of its head. Nobody sees such a one die.
    fn list_of(&mut self, block: usize) -> Option<(usize, usize)> {
        let layout = self.walk.layout;
        let frame = frames_of_thread(layout, session().python.current_thread_state());
        if frame == 0 {
            return None;
        }
        // SAFETY: a live frame; what it names as its code is an object.
        let code = unsafe { word(frame + layout.frame.code) };
        // SAFETY: as above.
        if !unsafe { is_code(code, self.walk.known.code, layout) } {
            return None;
        }
        // SAFETY: a live code object.
        let size = unsafe { ((code + layout.steps.stack_size) as *const i32).read() }.clamp(0, 64) as usize;
        let bottom = self.stack_bottom(frame, code);
        (0..size).find_map(|index| {
            // SAFETY: the frame has room for so many values; what is there may be stale.
            let list = unsafe { word(bottom + index * size_of::<usize>()) };
            if list & 7 != 0 || list < HEADER {
                return None;
            }
            let head = self.walk.recorder.shadow.peek(list - HEADER)?;
            if self.lives.at(list).is_some() || (head.bytes as usize) < HEADER + LIST_BYTES {
                return None;
            }
            // SAFETY: both words lie in a live block.
            let (of, items) =
                unsafe { (word(list + layout.object.ob_type), word(list + layout.references.list_items)) };
            (of == self.walk.known.list && items == block).then_some((of, head.bytes as usize))
        })
    }

    /// Whether there is a type at an address that may be anything, and may be gone. What a type
    /// leaves behind looks like one, but for the order in which it looked for attributes.
    fn is_type(&self, address: usize) -> bool {
        let layout = self.walk.layout;
        let at = |place: usize| careful_word(place).filter(|&found| may_be_object(found));
        let is_ordered = || {
            let order = at(address + layout.steps.type_order)?;
            let is_tuple = careful_word(order + layout.object.ob_type)? == self.walk.known.tuple;
            let first = careful_word(order + layout.references.tuple_items)?;
            let metatype = at(address + layout.object.ob_type)?;
            let makes_types = careful_word(metatype + layout.object.tp_flags)? & flag::TYPE != 0;
            Some(is_tuple && first == address && makes_types)
        };
        is_ordered().unwrap_or(false)
    }

    /// The object in a block of the object allocator: its address and type.
    fn object_in(&mut self, block: usize, bytes: usize) -> Option<(usize, usize)> {
        let layout = self.walk.layout;
        [0, 16, 32].into_iter().find_map(|before| {
            let object = block + before;
            if before + 16 > bytes {
                return None;
            }
            // SAFETY: the word lies in the block, which is still there.
            let of = unsafe { word(object + layout.object.ob_type) };
            if !may_be_object(of) || !(self.knows_type(of) || self.is_type(of)) {
                return None;
            }
            // SAFETY: it was proven to be a type.
            let flags = unsafe { word(of + layout.object.tp_flags) };
            (bytes_before(flags, layout.minor) == before).then_some((object, of))
        })
    }
}
