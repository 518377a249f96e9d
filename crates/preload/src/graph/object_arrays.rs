//! The objects in numpy's arrays: those of dtype `object` own what their buffer refers
//! to, and a view owns the array it shows. An array tells the collector of neither.
//!
//! ```text
//! PyArrayObject   16 data   24 nd (int)   32 dimensions   48 base   56 descr   64 flags (int)
//! PyArray_Descr   24 kind: 'O' is object
//! ```
//!
//! The same in numpy 1 and 2, whose binary interface has them (`ndarraytypes.h`).

use memsight_capture::Label;
use memsight_recorder::ledger::{Sink, Stopped};

use super::types::Type;
use super::walk::Walk;
use crate::python::word;

/// What the type is called, and all that is based on it.
pub(super) const TYPE_NAME: &[u8] = b"numpy.ndarray";

const DATA: usize = 16;
const DIMENSION_COUNT: usize = 24;
const DIMENSIONS: usize = 32;
const BASE: usize = 48;
const DTYPE: usize = 56;
const FLAGS: usize = 64;

/// An array is at least as long as this.
pub(super) const BYTES: usize = FLAGS + 8;

/// Where a dtype's kind is.
const KIND: usize = 24;

/// `NPY_ARRAY_OWNDATA`.
const OWNS_DATA: usize = 4;

/// `NPY_MAXDIMS` of numpy 2.
const MOST_DIMENSIONS: usize = 64;

const WORD: usize = size_of::<usize>();

/// Where an array's references are, and how many there can be.
fn items(array: usize) -> Option<(usize, usize)> {
    // SAFETY: an array is longer than this, and its dtype a live object.
    let (dtype, flags) = unsafe { (word(array + DTYPE), word(array + FLAGS)) };
    // SAFETY: as above.
    let kind = if dtype == 0 { 0 } else { unsafe { word(dtype + KIND) } };
    if kind as u8 != b'O' || flags & OWNS_DATA == 0 {
        return None;
    }
    // SAFETY: as above.
    let (data, dimensions) = unsafe { (word(array + DATA), word(array + DIMENSIONS)) };
    // SAFETY: as above.
    let count = unsafe { word(array + DIMENSION_COUNT) } & 0xffff_ffff;
    if count > MOST_DIMENSIONS {
        return None;
    }
    // SAFETY: an array has as many lengths as dimensions.
    let lengths = (0..count).map(|at| unsafe { word(dimensions + at * WORD) });
    Some((data, lengths.fold(1, usize::saturating_mul)))
}

impl<S: Sink> Walk<'_, S> {
    pub(super) fn write_array(&mut self, array: usize, of: &Type) -> Result<(), Stopped> {
        for (offset, name) in [(BASE, &b"base"[..]), (DTYPE, b"dtype")] {
            // SAFETY: an array is longer than this.
            let target = unsafe { word(array + offset) };
            if target != 0 {
                let name = self.types.word(name, self.sink)?;
                self.write_told(Label::Field(name), target, of)?;
            }
        }
        let Some((data, count)) = items(array) else { return Ok(()) };
        // The block may be longer than the array: numpy keeps small ones for later.
        let Some(block) = self.recorder.shadow.peek(data) else { return Ok(()) };
        for index in 0..count.min(block.bytes as usize / WORD) {
            // SAFETY: a word of a live block.
            let item = unsafe { word(data + index * WORD) };
            if item != 0 {
                self.write_told(Label::Item(index as u64), item, of)?;
            }
        }
        Ok(())
    }
}
