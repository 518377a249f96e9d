//! What the walk says of a value: a string's beginning, a small number.

use memsight_capture::Content;
use memsight_recorder::table::hash_bytes;

use super::types::{Type, flag};
use crate::python::layout::Layout;
use crate::python::{Known, word};

/// Bytes of a string that are said.
const TEXT: usize = 64;

/// Bits of a hash that are said.
const HASH_BITS: u32 = 56;

/// A bounded text in UTF-8.
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Text { bytes: [0; N], len: 0 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(N - self.len);
        self.bytes[self.len..self.len + len].copy_from_slice(&bytes[..len]);
        self.len += len;
    }

    /// Bytes that may be no UTF-8.
    pub(crate) fn push_lossy(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.push_char(if byte < 0x80 { byte.into() } else { '?' }));
    }

    pub(crate) fn push_char(&mut self, character: char) {
        let mut utf8 = [0; 4];
        let utf8 = character.encode_utf8(&mut utf8).as_bytes();
        if self.len + utf8.len() <= N {
            self.push(utf8);
        } else {
            // Nothing after the first that does not fit.
            self.bytes[self.len..].fill(0);
        }
    }

    /// The text of a `str`, as much as fits.
    ///
    /// # Safety
    /// `object` is a live `str`.
    pub(crate) unsafe fn push_str_object(&mut self, object: usize, layout: &Layout) {
        // SAFETY: passed on from the caller.
        let Some((data, kind, len)) = (unsafe { characters(object, layout) }) else { return };
        for i in 0..len.min(N) {
            // SAFETY: there are `len` characters of this width.
            let character = unsafe {
                match kind {
                    1 => u32::from((data as *const u8).add(i).read()),
                    2 => u32::from((data as *const u16).add(i).read()),
                    _ => (data as *const u32).add(i).read(),
                }
            };
            if self.len + 4 > N {
                return;
            }
            self.push_char(char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
}

/// Where the characters of a `str` are, how wide, and how many.
///
/// # Safety
/// `object` is a live `str`.
pub(crate) unsafe fn characters(object: usize, layout: &Layout) -> Option<(usize, usize, usize)> {
    let str = &layout.str;
    // SAFETY: the state word says where the characters are and how wide.
    unsafe {
        let state = ((object + str.state) as *const u32).read();
        let kind = (state >> str.kind_shift & ((1 << str.kind_width) - 1)) as usize;
        let compact = state >> str.compact_shift & 1 != 0;
        let ascii = state >> str.ascii_shift & 1 != 0;
        let data = match (compact, ascii) {
            (true, true) => object + str.ascii_data,
            (true, false) => object + str.compact_data,
            (false, _) => word(object + str.loose_data),
        };
        (data != 0 && kind != 0).then(|| (data, kind, word(object + str.length)))
    }
}

/// Whether a `str` is interned.
///
/// # Safety
/// `object` is a live `str`.
unsafe fn is_interned(object: usize, layout: &Layout) -> bool {
    let str = &layout.str;
    // SAFETY: passed on from the caller.
    let state = unsafe { ((object + str.state) as *const u32).read() };
    state >> str.interned_shift & ((1 << str.interned_width) - 1) != 0
}

fn hash_of(seed: usize, bytes: &[u8]) -> u64 {
    hash_bytes(seed as u64, bytes) >> (64 - HASH_BITS)
}

/// What there is to say of an object's value. The text is kept in `room`.
///
/// # Safety
/// `object` is a live instance of this type.
pub(crate) unsafe fn of<'a>(
    object: usize,
    of: &Type,
    layout: &Layout,
    known: &Known,
    room: &'a mut Text<TEXT>,
) -> Content<'a> {
    // SAFETY: the flags say what it is.
    unsafe {
        if of.has(flag::STR) {
            room.clear();
            room.push_str_object(object, layout);
            let hash = characters(object, layout).map_or(0, |(data, kind, len)| {
                hash_of(kind, core::slice::from_raw_parts(data as *const u8, len * kind))
            });
            return Content::Text { text: room.as_bytes(), hash, interned: is_interned(object, layout) };
        }
        if of.has(flag::BYTES) {
            let (data, len) = (object + layout.bytes.data, word(object + layout.bytes.len));
            let all = core::slice::from_raw_parts(data as *const u8, len);
            room.clear();
            room.push(all);
            return Content::Bytes { start: room.as_bytes(), hash: hash_of(0, all) };
        }
        if of.has(flag::LONG) {
            return known.small_int(object).map_or(Content::Unknown, Content::Int);
        }
    }
    Content::Unknown
}

/// Room for a text that [`of`] gives.
pub(crate) type Room = Text<TEXT>;
