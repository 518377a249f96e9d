//! The value of an object in a trace: a kind and its fields.

use crate::codec::{Cursor, Full, Malformed, Out};

/// An object's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepValue<'a> {
    /// There is nothing to say.
    Nothing,
    /// An `int` or `bool`.
    Int(i64),
    /// An `int` of more than 64 bits.
    Big {
        /// Whether it is below zero.
        negative: bool,
        /// How many digits of 30 bits it has.
        count: u64,
        /// The digits, four bytes each, lowest first; none if there are too many.
        digits: &'a [u8],
    },
    /// The bits of a `float`.
    Float(u64),
    /// Those of a `complex`.
    Complex(u64, u64),
    /// A `str`, UTF-8; a long one is cut.
    Text {
        /// Its beginning.
        start: &'a [u8],
        /// Its length in characters.
        length: u64,
    },
    /// A `bytes` or `bytearray`; a long one is cut.
    Bytes {
        /// Its beginning.
        start: &'a [u8],
        /// Its length.
        length: u64,
    },
    /// The name of a function, class or module.
    Named(&'a [u8]),
    /// A generator or coroutine.
    Paused {
        /// Its name.
        name: &'a [u8],
        /// The line where it waits; 0 if it has not begun, runs, or is over.
        line: u32,
        /// Whether it is over.
        over: bool,
    },
}

pub(crate) fn encode_value(value: &StepValue<'_>, out: &mut Out<'_>) -> Result<(), Full> {
    match value {
        StepValue::Nothing => out.byte(0),
        StepValue::Int(value) => {
            out.byte(1)?;
            out.int((value << 1 ^ value >> 63) as u64)
        }
        StepValue::Big { negative, count, digits } => {
            out.byte(2)?;
            out.byte((*negative).into())?;
            out.int(*count)?;
            out.bytes(digits)
        }
        StepValue::Float(value) => {
            out.byte(3)?;
            out.raw(&value.to_le_bytes())
        }
        StepValue::Complex(real, imaginary) => {
            out.byte(4)?;
            out.raw(&real.to_le_bytes())?;
            out.raw(&imaginary.to_le_bytes())
        }
        StepValue::Text { start, length } => {
            out.byte(5)?;
            out.int(*length)?;
            out.bytes(start)
        }
        StepValue::Bytes { start, length } => {
            out.byte(6)?;
            out.int(*length)?;
            out.bytes(start)
        }
        StepValue::Named(name) => {
            out.byte(7)?;
            out.bytes(name)
        }
        StepValue::Paused { name, line, over } => {
            out.byte(8)?;
            out.byte((*over).into())?;
            out.int((*line).into())?;
            out.bytes(name)
        }
    }
}

pub(crate) fn decode_value<'a>(cursor: &mut Cursor<'a>) -> Result<StepValue<'a>, Malformed> {
    Ok(match cursor.byte()? {
        0 => StepValue::Nothing,
        1 => {
            let zigzag = cursor.int()?;
            StepValue::Int((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
        }
        2 => StepValue::Big { negative: cursor.byte()? != 0, count: cursor.int()?, digits: cursor.bytes()? },
        3 => StepValue::Float(float(cursor)?),
        4 => StepValue::Complex(float(cursor)?, float(cursor)?),
        5 => StepValue::Text { length: cursor.int()?, start: cursor.bytes()? },
        6 => StepValue::Bytes { length: cursor.int()?, start: cursor.bytes()? },
        7 => StepValue::Named(cursor.bytes()?),
        8 => StepValue::Paused { over: cursor.byte()? != 0, line: cursor.int32()?, name: cursor.bytes()? },
        _ => return Err(Malformed("a kind of value")),
    })
}

fn float(cursor: &mut Cursor<'_>) -> Result<u64, Malformed> {
    let mut bits = [0; 8];
    bits.copy_from_slice(cursor.raw(8)?);
    Ok(u64::from_le_bytes(bits))
}
