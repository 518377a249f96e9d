//! The program's types, and what bytes of them say.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::wire::{Field, Kind, Type};

/// More items than these are not shown of an object.
pub(super) const MOST_ITEMS: usize = 200;
/// Pointers that are followed of one object.
const MOST_POINTERS: usize = 1 << 16;
/// Structs in structs deeper than this are not looked into.
const DEEPEST: usize = 8;
/// Characters of a text that are shown.
const LONGEST_TEXT: usize = 200;

/// All types that were told.
#[derive(Default)]
pub(super) struct Types {
    all: Vec<Option<Type>>,
    laid_out: RefCell<HashMap<(usize, u64), Rc<Layout>>>,
}

/// What lies where in a number of elements of a type.
pub(super) struct Layout {
    /// The values, in order.
    pub(super) slots: Vec<Slot>,
    /// How many more there are.
    pub(super) hidden: u64,
    /// Pointers: where, and to what type. They may be more than there are slots.
    pub(super) pointers: Vec<(u64, Option<usize>)>,
}

/// One value in an object.
pub(super) struct Slot {
    pub(super) label: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) of_type: usize,
    /// For a member of less than whole bytes: the first bit and how many.
    pub(super) bits: Option<(u32, u32)>,
    /// An array of characters, as one text.
    pub(super) text: bool,
}

impl Types {
    pub(super) fn add(&mut self, new: Vec<Type>) {
        for described in new {
            // gdb numbers them one by one.
            if described.id > self.all.len() + 4096 {
                continue;
            }
            if described.id >= self.all.len() {
                self.all.resize_with(described.id + 1, || None);
            }
            let place = described.id;
            self.all[place] = Some(described);
        }
    }

    pub(super) fn get(&self, id: usize) -> Option<&Type> {
        self.all.get(id).and_then(Option::as_ref)
    }

    pub(super) fn kind(&self, id: usize) -> &Kind {
        self.get(id).map_or(&Kind::Closed, |of_type| &of_type.kind)
    }

    pub(super) fn name(&self, id: usize) -> &str {
        self.get(id).map_or("?", |of_type| &of_type.name)
    }

    pub(super) fn bytes(&self, id: usize) -> u64 {
        self.get(id).map_or(0, |of_type| of_type.bytes)
    }

    /// Whether a variable of this type is drawn as an object.
    pub(super) fn is_aggregate(&self, id: usize) -> bool {
        matches!(self.kind(id), Kind::Array { .. } | Kind::Struct { .. } | Kind::Union { .. })
    }

    pub(super) fn is_char(&self, id: usize) -> bool {
        matches!(self.kind(id), Kind::Char)
    }

    /// The element type and count of a block of so many bytes that pointers to `id` refer to.
    pub(super) fn elements(&self, id: usize, bytes: u64) -> (usize, u64) {
        match self.bytes(id) {
            _ if matches!(self.kind(id), Kind::Closed) => (id, 1),
            0 => (id, 0),
            each if self.has_flexible_end(id) => (id, u64::from(bytes >= each)),
            each => (id, bytes / each),
        }
    }

    fn has_flexible_end(&self, id: usize) -> bool {
        let Kind::Struct { fields } = self.kind(id) else { return false };
        fields.last().is_some_and(|last| matches!(self.kind(last.3), Kind::Array { count: 0, .. }))
    }

    /// The name of so many elements.
    pub(super) fn name_of(&self, id: usize, count: u64) -> String {
        match count {
            1 => self.name(id).to_owned(),
            _ => format!("{} [{count}]", self.name(id)),
        }
    }

    /// What lies where in `count` elements, in an object of so many bytes.
    pub(super) fn layout(&self, id: usize, count: u64, bytes: u64) -> Rc<Layout> {
        let key = (id, if self.has_flexible_end(id) { bytes } else { count });
        if let Some(known) = self.laid_out.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut layout = Layout { slots: Vec::new(), hidden: 0, pointers: Vec::new() };
        let each = self.bytes(id);
        if count == 1 {
            self.lay_out(&mut layout, "", 0, id, bytes, 0);
        } else {
            for index in 0..count {
                if layout.slots.len() >= MOST_ITEMS && layout.pointers.is_empty() {
                    layout.hidden += count - index;
                    break;
                }
                if layout.pointers.len() >= MOST_POINTERS {
                    layout.hidden += count - index;
                    break;
                }
                let label = match self.is_aggregate(id) {
                    true => format!("[{index}]"),
                    false => index.to_string(),
                };
                self.lay_out(&mut layout, &label, index * each, id, each, 1);
            }
        }
        if layout.slots.len() > MOST_ITEMS {
            layout.hidden += (layout.slots.len() - MOST_ITEMS) as u64;
            layout.slots.truncate(MOST_ITEMS);
        }
        let layout = Rc::new(layout);
        self.laid_out.borrow_mut().insert(key, Rc::clone(&layout));
        layout
    }

    /// `room` is how many bytes there are for it: more than its type's if its last array is open.
    fn lay_out(&self, layout: &mut Layout, label: &str, offset: u64, id: usize, room: u64, depth: usize) {
        if depth > DEEPEST || layout.pointers.len() > MOST_POINTERS || layout.slots.len() > MOST_POINTERS {
            return;
        }
        match self.kind(id) {
            Kind::Struct { fields } | Kind::Union { fields } => {
                for field in fields {
                    self.lay_out_field(layout, label, offset, field, room, depth);
                }
            }
            Kind::Array { of, count } => {
                let each = self.bytes(*of);
                let count = match (*count, each) {
                    (0, 1..) => room / each,
                    (count, _) => count,
                };
                if depth > 0 && self.is_char(*of) {
                    self.slot(layout, label, offset, count, id, None, true);
                    return;
                }
                for index in 0..count {
                    if layout.slots.len() >= MOST_ITEMS && layout.pointers.is_empty() {
                        layout.hidden += count - index;
                        break;
                    }
                    let label = match depth == 0 && !self.is_aggregate(*of) {
                        true => index.to_string(),
                        false => format!("{label}[{index}]"),
                    };
                    self.lay_out(layout, &label, offset + index * each, *of, each, depth + 1);
                }
            }
            kind => {
                if let Kind::Pointer { to } = kind {
                    layout.pointers.push((offset, *to));
                }
                self.slot(layout, label, offset, self.bytes(id), id, None, false);
            }
        }
    }

    fn lay_out_field(
        &self,
        layout: &mut Layout,
        label: &str,
        from: u64,
        field: &Field,
        room: u64,
        depth: usize,
    ) {
        let Field(name, bit, width, id) = field;
        let label = match (label.is_empty(), name.is_empty()) {
            (true, _) => name.clone(),
            (false, true) => label.to_owned(),
            (false, false) => format!("{label}.{name}"),
        };
        if *width > 0 && *width != self.bytes(*id) * 8 {
            let first = bit / 8;
            let bits = ((bit % 8) as u32, (*width).min(64) as u32);
            let bytes = (u64::from(bits.0 + bits.1)).div_ceil(8);
            self.slot(layout, &label, from + first, bytes, *id, Some(bits), false);
        } else {
            let room = room.saturating_sub(bit / 8);
            self.lay_out(layout, &label, from + bit / 8, *id, room, depth + 1);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of a slot")]
    fn slot(
        &self,
        layout: &mut Layout,
        label: &str,
        offset: u64,
        bytes: u64,
        of_type: usize,
        bits: Option<(u32, u32)>,
        text: bool,
    ) {
        layout.slots.push(Slot { label: label.to_owned(), offset, bytes, of_type, bits, text });
    }

    /// A value that is no pointer, as C would write it.
    pub(super) fn value(&self, slot: &Slot, bytes: &[u8]) -> String {
        if slot.text {
            return quoted(bytes);
        }
        let raw = number(bytes);
        let (raw, width) = match slot.bits {
            Some((first, width)) => ((raw >> first) & ((1_u128 << width) - 1), width),
            None => (raw, (bytes.len() * 8).min(128) as u32),
        };
        self.scalar(slot.of_type, raw, width, bytes)
    }

    /// A scalar of so many bits.
    pub(super) fn scalar(&self, id: usize, raw: u128, width: u32, bytes: &[u8]) -> String {
        let signed = || match width {
            0 => 0,
            128.. => raw as i128,
            _ => ((raw << (128 - width)) as i128) >> (128 - width),
        };
        match self.kind(id) {
            Kind::Bool => match raw {
                0 => "false".into(),
                1 => "true".into(),
                other => format!("{other} (no bool)"),
            },
            Kind::Char => character(raw as u8),
            Kind::Signed => signed().to_string(),
            Kind::Unsigned => raw.to_string(),
            Kind::Float => float(bytes),
            Kind::Enum { values } => {
                let named = values
                    .iter()
                    .find(|(_, value)| i128::from(*value) == signed() || i128::from(*value) == raw as i128);
                named.map_or_else(|| signed().to_string(), |(name, _)| name.clone())
            }
            _ => format!("{raw:#x}"),
        }
    }
}

/// The number that bytes are, the least first; of more than sixteen the first sixteen.
pub(super) fn number(bytes: &[u8]) -> u128 {
    bytes.iter().take(16).rev().fold(0, |sum, &byte| sum << 8 | u128::from(byte))
}

fn character(byte: u8) -> String {
    match byte {
        0 => "'\\0'".into(),
        b'\n' => "'\\n'".into(),
        b'\t' => "'\\t'".into(),
        b'\r' => "'\\r'".into(),
        b'\'' => "'\\''".into(),
        b'\\' => "'\\\\'".into(),
        b' '..=b'~' => format!("'{}'", char::from(byte)),
        _ => (byte as i8).to_string(),
    }
}

/// A text up to its end; without one, all of it and the word that the end is missing.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0);
    let text = &bytes[..end.unwrap_or(bytes.len())];
    let mut out = String::from("\"");
    for part in text.utf8_chunks() {
        for letter in part.valid().chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                letter if letter.is_control() => out.push_str(&format!("\\{:03o}", letter as u32)),
                letter => out.push(letter),
            }
        }
        part.invalid().iter().for_each(|byte| out.push_str(&format!("\\{byte:03o}")));
        if out.chars().count() > LONGEST_TEXT {
            break;
        }
    }
    if out.chars().count() > LONGEST_TEXT {
        out = out.chars().take(LONGEST_TEXT).collect();
        out.push('…');
        return out;
    }
    out.push('"');
    if end.is_none() {
        out.push_str(" without \\0");
    }
    out
}

fn float(bytes: &[u8]) -> String {
    match bytes.len() {
        4 => f32::from_bits(number(bytes) as u32).to_string(),
        8 => f64::from_bits(number(bytes) as u64).to_string(),
        // The 80 bits of x86: a sign, 15 bits of exponent, and 64 that begin with the one before the point.
        16 if cfg!(target_arch = "x86_64") => {
            let raw = number(bytes);
            let (fraction, rest) = (raw as u64, (raw >> 64) as u16);
            let exponent = i32::from(rest & 0x7fff) - 16383 - 63;
            let size = fraction as f64 * 2_f64.powi(exponent);
            (if rest & 0x8000 == 0 { size } else { -size }).to_string()
        }
        _ => format!("{:#x}", number(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Types {
        let mut types = Types::default();
        let text = r#"[
            {"id": 0, "name": "int", "bytes": 4, "kind": "signed"},
            {"id": 1, "name": "char", "bytes": 1, "kind": "char"},
            {"id": 2, "name": "char [4]", "bytes": 4, "kind": "array", "of": 1, "count": 4},
            {"id": 3, "name": "struct s *", "bytes": 8, "kind": "pointer", "to": 4},
            {"id": 4, "name": "struct s", "bytes": 24, "kind": "struct", "fields":
                [["n", 0, 0, 0], ["low", 32, 3, 0], ["tag", 64, 0, 2], ["next", 128, 0, 3]]},
            {"id": 5, "name": "int [2][2]", "bytes": 16, "kind": "array", "of": 6, "count": 2},
            {"id": 6, "name": "int [2]", "bytes": 8, "kind": "array", "of": 0, "count": 2},
            {"id": 7, "name": "struct open", "bytes": 4, "kind": "struct", "fields": [["n", 0, 0, 0], ["data", 32, 0, 8]]},
            {"id": 8, "name": "int []", "bytes": 0, "kind": "array", "of": 0, "count": 0},
            {"id": 9, "name": "long double", "bytes": 16, "kind": "float"}]"#;
        types.add(serde_json::from_str(text).unwrap());
        types
    }

    fn labels(layout: &Layout) -> Vec<&str> {
        layout.slots.iter().map(|slot| slot.label.as_str()).collect()
    }

    #[test]
    fn members_are_named_as_the_program_reaches_them() {
        let types = types();
        assert_eq!(labels(&types.layout(4, 1, 24)), ["n", "low", "tag", "next"]);
        let two = types.layout(4, 2, 48);
        assert_eq!(labels(&two)[3..6], ["[0].next", "[1].n", "[1].low"]);
        assert_eq!(two.pointers, [(16, Some(4)), (40, Some(4))]);
        assert_eq!(labels(&types.layout(5, 1, 16)), ["[0][0]", "[0][1]", "[1][0]", "[1][1]"]);
        assert_eq!(labels(&types.layout(0, 3, 12)), ["0", "1", "2"]);
    }

    #[test]
    fn an_array_that_is_open_at_the_end_takes_what_room_there_is() {
        let types = types();
        assert_eq!(types.elements(7, 16), (7, 1));
        assert_eq!(labels(&types.layout(7, 1, 16)), ["n", "data[0]", "data[1]", "data[2]"]);
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let types = types();
        let layout = types.layout(0, 1_000_000, 4_000_000);
        assert_eq!((layout.slots.len(), layout.hidden), (MOST_ITEMS, 1_000_000 - MOST_ITEMS as u64));
    }

    #[test]
    fn values_are_written_as_in_c() {
        let types = types();
        let layout = types.layout(4, 1, 24);
        let value = |slot: usize, bytes: &[u8]| types.value(&layout.slots[slot], bytes);
        assert_eq!(value(0, &(-7_i32).to_le_bytes()), "-7");
        assert_eq!(value(1, &[0b0000_0111]), "-1");
        assert_eq!(value(1, &[0b1111_1011]), "3");
        assert_eq!(value(2, b"ab\0x"), "\"ab\"");
        assert_eq!(value(2, b"abcd"), "\"abcd\" without \\0");
        assert_eq!(quoted(b"\xff\"\n\x01"), "\"\\377\\\"\\n\\001\" without \\0");
        let mut half = [0; 16];
        half[..10].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0xfe, 0xbf]);
        if cfg!(target_arch = "x86_64") {
            assert_eq!(types.scalar(9, number(&half), 128, &half), "-0.5");
        }
    }

    #[test]
    fn types_that_were_never_told_are_closed() {
        let types = types();
        assert_eq!(types.name(99), "?");
        assert_eq!(labels(&types.layout(99, 1, 8)), [""]);
    }
}
