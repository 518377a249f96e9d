//! What is in the picture now, and how it differs from the step before.

use memsight_picture::{Delta, Object, ObjectId, Standing};

use super::draw::Pen;
use super::picture::Picture;
use super::reach::LONGEST_TEXT;
use super::space::{LOOKED_AT, Of, Thing};
use super::types;

impl Picture {
    /// Draws what changed. `freed_now` are blocks that were freed since the step before.
    pub(super) fn redraw(&mut self, sp: u64, freed_now: &[ObjectId], delta: &mut Delta) {
        let now = self.stops;
        let is_in = |thing: &Thing| thing.seen_at == now && thing.is_object;
        let all: Vec<ObjectId> = self
            .space
            .things()
            .filter(|thing| thing.seen_at == now || thing.shown)
            .map(|thing| thing.id)
            .collect();
        let mut before = Vec::with_capacity(all.len());
        for &id in &all {
            let Some(thing) = self.space.get_mut(id) else { continue };
            before.push(thing.shown);
            thing.shown = is_in(thing);
        }
        for (id, was_shown) in all.into_iter().zip(before) {
            let Some(thing) = self.space.get(id) else { continue };
            if !thing.shown && was_shown {
                match thing.freed.is_some() {
                    true => delta.died.push(id),
                    false => delta.left.push(id),
                }
            }
            if thing.seen_at != now {
                continue;
            }
            // Variables that are no objects are read as well: what is written now stays written.
            let bytes = match thing.of {
                Of::Text => self.memory.text(thing.address, LONGEST_TEXT).unwrap_or_default(),
                _ => self.memory.read(thing.address, thing.bytes.min(LOOKED_AT)),
            };
            if let Some(thing) = self.space.get_mut(id).filter(|thing| thing.of == Of::Text) {
                thing.bytes = bytes.len() as u64;
            }
            if let Some(object) = self.redrawn(id, was_shown, bytes, sp) {
                match was_shown {
                    true => delta.changed.push(object),
                    false => delta.born.push(object),
                }
            }
        }
        let is_over = |thing: &&Thing| thing.freed.is_some() && !thing.shown;
        let over = self.space.things().filter(is_over).map(|thing| thing.id);
        let over: Vec<ObjectId> = over.chain(freed_now.iter().copied()).collect();
        for id in over {
            if self.space.get(id).is_some_and(|thing| !thing.shown) {
                self.space.remove(id);
            }
        }
    }

    /// A thing's object if it differs from what was drawn last.
    fn redrawn(&mut self, id: ObjectId, was_shown: bool, bytes: Vec<u8>, sp: u64) -> Option<Object> {
        let thing = self.space.get(id)?;
        let standing = self.standing(thing);
        let mut targets = Vec::new();
        let pen = Pen { types: &self.types, space: &self.space, code: &self.code, sp };
        if let (Some(element), true) = (thing.element, thing.of != Of::Text && thing.is_object) {
            let (element, count) = pen.elements(thing, element);
            let layout = self.types.layout(element, count, thing.bytes);
            let word = |offset: u64| bytes.get(offset as usize..offset as usize + 8).map(types::number);
            targets.extend(layout.pointers.iter().map(|(offset, _)| pen.target(word(*offset)? as u64)));
        }
        let drawn = thing.drawn.as_ref().filter(|_| was_shown);
        let is_same = drawn.is_some_and(|drawn| {
            drawn.standing == standing
                && drawn.bytes == thing.bytes
                && thing.drawn_as == thing.element
                && thing.drawn_from.0 == bytes
                && thing.drawn_from.1 == targets
        });
        if is_same {
            return None;
        }
        if thing.freed.is_none()
            && let Some(thing) = self.space.get_mut(id)
        {
            thing.note_written(&bytes);
        }
        let thing = self.space.get(id).filter(|thing| thing.is_object)?;
        let pen = Pen { types: &self.types, space: &self.space, code: &self.code, sp };
        let object = pen.object(thing, standing, &bytes);
        let differs = !was_shown || thing.drawn.as_ref() != Some(&object);
        let drawn = differs.then(|| object.clone());
        if let Some(thing) = self.space.get_mut(id) {
            thing.drawn = Some(object);
            thing.drawn_from = (bytes, targets);
            thing.drawn_as = thing.element;
        }
        drawn
    }

    fn standing(&self, thing: &Thing) -> Standing {
        match thing.of {
            _ if thing.freed.is_some() => Standing::Freed,
            Of::Static | Of::Text => Standing::Static,
            Of::Stack | Of::Arguments => Standing::OnStack,
            Of::Heap { .. } if thing.reached_at == self.stops => Standing::Reached,
            Of::Heap { .. } => Standing::Unreached,
        }
    }
}
