//! What leads to what: from variables through pointers to blocks, and which blocks nothing leads to.

use std::collections::VecDeque;

use memsight_picture::ObjectId;

use super::picture::Picture;
use super::space::{LOOKED_AT, Of, Thing};
use super::types;
use super::wire::{Kind, Returned, Stop};

/// A text without an end within so many bytes is none.
pub(super) const LONGEST_TEXT: u64 = 4096;

/// How far below the stack pointer a frame that is gone may have been.
pub(super) const STACK_REACH: u64 = 1 << 20;

/// Things to look into, and the types that pointers to them have.
type Queue = VecDeque<(ObjectId, Option<usize>)>;

impl Picture {
    /// Follows pointers from all variables, and finds what they do not lead to.
    pub(super) fn mark(&mut self, stop: &Stop) {
        self.stops += 1;
        let now = self.stops;
        let mut queue: Queue = self.globals.iter().map(|(_, id)| (*id, None)).collect();
        for frame in stop.stacks.iter().flat_map(|(_, frames)| frames) {
            queue.extend(self.visible(frame).into_iter().filter_map(|(_, id)| Some((id?, None))));
            let moving = self.frames.get(&frame.0).into_iter().flat_map(|known| known.moving.values());
            queue.extend(moving.map(|id| (*id, None)));
        }
        // What a line has not assigned yet is in a register.
        let mut words = stop.registers.clone();
        if let Some(Returned::Bits(bits)) = stop.value {
            words.push(bits);
        }
        let block_at = |word| {
            let thing = self.space.get(self.space.find(word)?.0)?;
            (matches!(thing.of, Of::Heap { .. }) && thing.freed.is_none()).then_some((thing.id, None))
        };
        queue.extend(words.into_iter().filter_map(block_at));
        self.follow(&mut queue, stop.sp);
        for id in
            self.space.things().filter(|thing| thing.seen_at == now).map(|thing| thing.id).collect::<Vec<_>>()
        {
            if let Some(thing) = self.space.get_mut(id) {
                thing.reached_at = now;
            }
        }
        let is_lost = |thing: &&Thing| {
            thing.of == Of::Heap { own: true } && thing.freed.is_none() && thing.seen_at != now
        };
        queue.extend(self.space.things().filter(is_lost).map(|thing| (thing.id, None)));
        self.follow(&mut queue, stop.sp);
    }

    fn follow(&mut self, queue: &mut Queue, sp: u64) {
        while let Some((id, hint)) = queue.pop_front() {
            let is_better = self.take_type(id, hint);
            let now = self.stops;
            let Some(thing) = self.space.get_mut(id) else { continue };
            if thing.seen_at == now && !is_better {
                continue;
            }
            thing.seen_at = now;
            let (Some(element), None) = (thing.element, thing.freed) else { continue };
            if thing.of == Of::Text {
                continue;
            }
            let (element, count) = match thing.of {
                Of::Heap { .. } | Of::Arguments => self.types.elements(element, thing.bytes),
                _ => (element, 1),
            };
            let layout = self.types.layout(element, count, thing.bytes);
            if layout.pointers.is_empty() {
                continue;
            }
            let bytes = self.memory.read(thing.address, thing.bytes);
            if thing.drawn_from.0 != bytes {
                thing.note_written(&bytes[..bytes.len().min(LOOKED_AT as usize)]);
            }
            for (offset, to) in &layout.pointers {
                let word = bytes.get(*offset as usize..*offset as usize + 8);
                let Some(word) = word.map(|word| types::number(word) as u64).filter(|word| *word != 0) else {
                    continue;
                };
                if self.space.get(id).is_some_and(|thing| thing.is_unwritten(*offset, 8)) {
                    continue;
                }
                let Some((target, inside)) = self.resolve(word, *to, sp) else { continue };
                if let Some(thing) = self.space.get_mut(target) {
                    thing.is_object = true;
                    queue.push_back((target, if inside == 0 { *to } else { None }));
                }
            }
        }
    }

    /// A block has the type of the pointers to it; one that says more replaces one that says less.
    fn take_type(&mut self, id: ObjectId, hint: Option<usize>) -> bool {
        let (Some(hint), Some(thing)) = (hint, self.space.get(id)) else { return false };
        if thing.element == Some(hint) || !matches!(thing.of, Of::Heap { .. }) {
            return false;
        }
        let fits = self.types.bytes(hint) > 0 && self.types.bytes(hint) <= thing.bytes;
        let rank = |id: usize| match self.types.kind(id) {
            Kind::Closed => 0,
            Kind::Char => 1,
            Kind::Struct { .. } | Kind::Union { .. } => 3,
            _ => 2,
        };
        let better = fits && thing.element.is_none_or(|known| rank(hint) > rank(known));
        if let (true, Some(thing)) = (better, self.space.get_mut(id)) {
            thing.element = Some(hint);
        }
        better
    }

    /// What a pointer leads to. A text that was not known becomes a thing.
    fn resolve(&mut self, word: u64, to: Option<usize>, sp: u64) -> Option<(ObjectId, u64)> {
        if let Some(found) = self.space.find(word) {
            return Some(found);
        }
        let gone = word < sp && sp - word < STACK_REACH;
        if word < 4096 || gone || !self.types.is_char(to?) {
            return None;
        }
        let text = self.memory.text(word, LONGEST_TEXT)?;
        let (id, _) = self.space.add(word, text.len() as u64, Of::Text);
        Some((id, 0))
    }
}
