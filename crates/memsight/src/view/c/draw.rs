//! From bytes to what is shown of them: values, items, objects.

use std::collections::BTreeMap;

use memsight_picture::{Object, ObjectKind, Ref, Standing};

use super::reach::STACK_REACH;
use super::space::{Of, Space, Target, Thing};
use super::types::{self, Slot, Types};
use super::wire::Kind;

/// What pointers lead to, but for what lies in [`Space`].
#[derive(Default)]
pub(super) struct Code(pub(super) BTreeMap<u64, String>);

/// What is needed to draw.
pub(super) struct Pen<'a> {
    pub(super) types: &'a Types,
    pub(super) space: &'a Space,
    pub(super) code: &'a Code,
    /// Below this, and near it, lie frames that are gone.
    pub(super) sp: u64,
}

impl Pen<'_> {
    /// A value in a thing.
    pub(super) fn slot(&self, thing: &Thing, slot: &Slot, bytes: &[u8]) -> Ref {
        let from = slot.offset as usize;
        let Some(bytes) = bytes.get(from..from + slot.bytes as usize) else {
            return Ref::Value("not readable".into());
        };
        if thing.freed.is_none() && thing.is_unwritten(slot.offset, slot.bytes) {
            return Ref::Value("uninitialised".into());
        }
        match self.types.kind(slot.of_type) {
            Kind::Pointer { .. } => self.pointer(types::number(bytes) as u64),
            Kind::Function => Ref::Value(self.function(types::number(bytes) as u64)),
            Kind::Closed => Ref::Value("…".into()),
            _ => {
                let written = match slot.text {
                    true => {
                        let unwritten = |index: &usize| thing.is_unwritten(slot.offset + *index as u64, 1);
                        (0..bytes.len()).find(unwritten).unwrap_or(bytes.len())
                    }
                    false => bytes.len(),
                };
                Ref::Value(self.types.value(slot, &bytes[..written]))
            }
        }
    }

    /// A pointer that is not kept in memory, too.
    pub(super) fn pointer(&self, word: u64) -> Ref {
        match self.target(word) {
            Some((id, offset)) => Ref::Object { id, offset },
            None if word == 0 => Ref::Value("NULL".into()),
            None => match self.code.0.get(&word) {
                Some(name) => Ref::Value(name.clone()),
                None if word < self.sp && self.sp - word < STACK_REACH => {
                    Ref::Value(format!("{word:#x} (a frame that is gone)"))
                }
                None => Ref::Value(format!("{word:#x}")),
            },
        }
    }

    pub(super) fn target(&self, word: u64) -> Target {
        let found = self.space.find(word)?;
        self.space.get(found.0).filter(|thing| thing.shown && thing.is_object)?;
        Some(found)
    }

    fn function(&self, word: u64) -> String {
        match (word, self.code.0.get(&word)) {
            (0, _) => "NULL".into(),
            (_, Some(name)) => name.clone(),
            _ => format!("{word:#x}"),
        }
    }

    /// A thing as it is now.
    pub(super) fn object(&self, thing: &Thing, standing: Standing, bytes: &[u8]) -> Object {
        let mut object = Object {
            id: thing.id,
            address: thing.address,
            of_type: "void".into(),
            kind: ObjectKind::Closed,
            standing,
            bytes: thing.bytes,
            references: None,
            immortal: false,
            value: None,
            items: Vec::new(),
            hidden_items: 0,
            allocated_at: thing.allocated_at,
        };
        if thing.of == Of::Text {
            object.kind = ObjectKind::Value;
            object.of_type = format!("char [{}]", thing.bytes);
            object.value = Some(types::quoted(bytes));
            return object;
        }
        let Some(element) = thing.element else { return object };
        let (element, count) = self.elements(thing, element);
        object.of_type = match thing.of {
            Of::Heap { .. } | Of::Arguments => self.types.name_of(element, count),
            _ => self.types.name(element).to_owned(),
        };
        let text_of = match self.types.kind(element) {
            Kind::Array { of, .. } => self.types.is_char(*of),
            Kind::Char => count > 1,
            _ => false,
        };
        if text_of {
            let end =
                (0..bytes.len()).find(|&index| thing.is_unwritten(index as u64, 1)).unwrap_or(bytes.len());
            object.value = (end > 0).then(|| types::quoted(&bytes[..end]));
        }
        object.kind = match self.types.kind(element) {
            _ if count != 1 => ObjectKind::Sequence,
            Kind::Array { .. } => ObjectKind::Sequence,
            Kind::Struct { .. } | Kind::Union { .. } => ObjectKind::Fields,
            Kind::Closed => ObjectKind::Closed,
            _ => ObjectKind::Value,
        };
        if object.kind == ObjectKind::Closed {
            return object;
        }
        let layout = self.types.layout(element, count, thing.bytes);
        object.hidden_items = layout.hidden;
        if object.kind == ObjectKind::Value {
            match layout.slots.first().map(|slot| self.slot(thing, slot, bytes)) {
                Some(Ref::Value(value)) => object.value = Some(value),
                Some(target) => object.items = vec![(String::new(), target)],
                None => {}
            }
            return object;
        }
        let inside = |slot: &&Slot| slot.offset + slot.bytes <= bytes.len() as u64;
        object.items = layout
            .slots
            .iter()
            .filter(inside)
            .map(|slot| (slot.label.clone(), self.slot(thing, slot, bytes)))
            .collect();
        object.hidden_items += (layout.slots.len() - object.items.len()) as u64;
        object
    }

    /// The element type and count of a thing: a variable is one of its type.
    pub(super) fn elements(&self, thing: &Thing, element: usize) -> (usize, u64) {
        match thing.of {
            Of::Heap { .. } | Of::Arguments => self.types.elements(element, thing.bytes),
            _ => (element, 1),
        }
    }
}
