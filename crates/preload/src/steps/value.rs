//! What an object's value is, as far as it is said: numbers, the beginning of a text, names.

use memsight_capture::StepValue;

use crate::graph::content::{Text, characters};
use crate::graph::types::{Type, flag};
use crate::python::layout::Layout;
use crate::python::{Known, word};

/// Bytes of a text that are said.
const TEXT: usize = 200;
/// Digits of a long `int` that are said; of a longer one only how long it is.
const DIGITS: usize = 40;

/// Room for what a value refers to.
pub(super) struct Room {
    text: Text<TEXT>,
}

impl Room {
    pub(super) const fn new() -> Self {
        Room { text: Text::new() }
    }
}

/// Types whose values are read, by their addresses.
pub(super) struct Numbers {
    pub(super) float: usize,
    pub(super) complex: usize,
    pub(super) bytearray: usize,
}

/// The value of a number or text; nothing of another object.
///
/// # Safety
/// `object` is a live instance of this type.
pub(super) unsafe fn of<'a>(
    object: usize,
    of: &Type,
    layout: &Layout,
    known: &Known,
    numbers: &Numbers,
    room: &'a mut Room,
) -> StepValue<'a> {
    let steps = &layout.steps;
    room.text.clear();
    // SAFETY: the flags, and the type's address, say what it is.
    unsafe {
        if of.has(flag::STR) {
            room.text.push_str_object(object, layout);
            let length = characters(object, layout).map_or(0, |(_, _, len)| len as u64);
            return StepValue::Text { start: room.text.as_bytes(), length };
        }
        if of.has(flag::BYTES) {
            return bytes(object + layout.bytes.data, word(object + layout.bytes.len), room);
        }
        if of.has(flag::LONG) {
            return match known.small_int(object) {
                Some(value) => StepValue::Int(value),
                None => long(object, layout),
            };
        }
        if of.address == numbers.bytearray {
            return bytes(word(object + steps.bytearray_start), word(object + layout.bytes.len), room);
        }
        if of.address == numbers.float {
            return StepValue::Float(word(object + steps.float_value) as u64);
        }
        if of.address == numbers.complex {
            let place = object + steps.complex_value;
            return StepValue::Complex(word(place) as u64, word(place + 8) as u64);
        }
    }
    StepValue::Nothing
}

/// # Safety
/// There are `len` bytes at `data`.
unsafe fn bytes(data: usize, len: usize, room: &mut Room) -> StepValue<'_> {
    if data != 0 && len > 0 {
        // SAFETY: passed on from the caller.
        room.text.push(unsafe { core::slice::from_raw_parts(data as *const u8, len.min(TEXT)) });
    }
    StepValue::Bytes { start: room.text.as_bytes(), length: len as u64 }
}

/// How many digits an `int` has, and whether it is below zero. Up to 3.11 `ob_size` says both;
/// later `lv_tag`, whose low bits are the sign (`internal/pycore_long.h`).
///
/// # Safety
/// `object` is a live `int`.
pub(super) unsafe fn digits(object: usize, layout: &Layout) -> (usize, bool) {
    const NEGATIVE: usize = 2;
    // SAFETY: passed on from the caller.
    let tag = unsafe { word(object + layout.references.size) };
    match layout.minor {
        ..=11 => ((tag as isize).unsigned_abs(), (tag as isize) < 0),
        _ => (tag >> 3, tag & 3 == NEGATIVE),
    }
}

/// # Safety
/// `object` is a live `int` that lives as long as the value is used.
unsafe fn long<'a>(object: usize, layout: &Layout) -> StepValue<'a> {
    // SAFETY: passed on from the caller.
    let (count, negative) = unsafe { digits(object, layout) };
    let said = if count <= DIGITS { count * 4 } else { 0 };
    // SAFETY: there are `count` digits of four bytes.
    let digits = unsafe { core::slice::from_raw_parts((object + layout.steps.digits) as *const u8, said) };
    StepValue::Big { negative, count: count as u64, digits }
}
