//! What an object takes: its own block, and those that are its alone.

use memsight_capture::Domain;
use memsight_recorder::shadow::Slot;

use super::shape::{Look, Shape};
use super::tracer::{HEADER, Tracer};
use super::value;
use crate::graph::content::characters;
use crate::graph::types::{Type, flag};
use crate::python::word;

const WORD: usize = size_of::<usize>();

impl Tracer {
    /// The block that an object lies in, and its bytes.
    pub(super) fn block_of(&self, object: usize, of: &Type) -> Option<(usize, usize)> {
        let before = of.bytes_before(self.walk.layout.minor);
        [before, 0, 16, 32].into_iter().find_map(|before| {
            let block = object.wrapping_sub(before);
            self.walk.recorder.shadow.peek(block).map(|slot| (block, slot.bytes as usize))
        })
    }

    /// Bytes of an object that no allocator gave.
    pub(super) fn static_bytes(&self, object: usize, of: &Type) -> usize {
        let layout = self.walk.layout;
        // SAFETY: a live object of this type.
        unsafe {
            if of.has(flag::STR) {
                let Some((data, kind, len)) = characters(object, layout) else { return of.size };
                return data.saturating_sub(object) + (len + 1) * kind;
            }
            if of.has(flag::LONG) {
                return layout.steps.digits + 4 * value::digits(object, layout).0.max(1);
            }
            let each = word(of.address + layout.references.itemsize);
            of.size + if each == 0 { 0 } else { each * word(object + layout.references.size) }
        }
    }

    /// Bytes of the blocks that are an object's alone: a list's items, a dict's table.
    pub(super) fn buffer_bytes(&self, object: usize, shape: &Shape, block: (usize, usize)) -> usize {
        let of = &shape.of;
        let peek = |address: usize| match address & 15 == 0 && address >> 47 == 0 && address != 0 {
            true => self.walk.recorder.shadow.peek(address),
            false => None,
        };
        let bytes = |address: usize| peek(address).map_or(0, |slot| slot.bytes as usize);
        let values = bytes(self.walk.values_block(object, of));
        values
            + match shape.look {
                Look::Tuple | Look::Class | Look::Module | Look::Function | Look::Generator => 0,
                Look::List => bytes(self.walk.list_items(object).0),
                Look::Dict => self.table_bytes(object, &bytes),
                _ if of.has(flag::STR | flag::BYTES | flag::LONG) => {
                    let end = (block.0 + block.1).min(object + of.size);
                    self.buffers_in(object + 2 * WORD, end, &peek)
                }
                _ => {
                    let dict = self.dict_of(object, of);
                    let dict_bytes = dict.map_or(0, |dict| {
                        let as_dict = Type { flags: flag::DICT, ..*of };
                        let values = self.walk.values_block(dict, &as_dict);
                        bytes(dict - HEADER) + self.table_bytes(dict, &bytes) + bytes(values)
                    });
                    dict_bytes + self.buffers_in(object + 2 * WORD, block.0 + block.1, &peek)
                }
            }
    }

    /// A dict's table, unless other dicts share it.
    fn table_bytes(&self, dict: usize, bytes: &impl Fn(usize) -> usize) -> usize {
        // SAFETY: a live dict and its table of keys, which begins with a count of its users.
        unsafe {
            let keys = word(dict + self.walk.layout.references.dict_keys);
            if keys != 0 && word(keys) == 1 { bytes(keys) } else { 0 }
        }
    }

    fn buffers_in(&self, from: usize, to: usize, peek: &impl Fn(usize) -> Option<Slot>) -> usize {
        let groups = &self.walk.recorder.groups;
        (from..to.min(from + 4096).saturating_sub(7))
            .step_by(WORD)
            .filter_map(|place| {
                // SAFETY: the word lies in a live block.
                let slot = peek(unsafe { word(place) })?;
                let domain = groups.try_get(slot.group)?.domain();
                (domain == Domain::Mem).then_some(slot.bytes as usize)
            })
            .sum()
    }
}
