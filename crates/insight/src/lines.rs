//! Which source line a bytecode offset belongs to, from the line table of a
//! CPython code object.
//!
//! CPython has had three formats in the versions memsight knows, see
//! [`LineTable`]. This module reads the bytes of one table and nothing more: it
//! doesn't know where they came from, what the code object is called or which
//! file it was compiled from, and it ignores the columns that the newest format
//! carries. The analysis calls it to turn the recorded frames into lines,
//! through [`line_at`] for a few offsets of a code object or [`decode`] for
//! many.
//!
//! The bytes come from a recording, which may be cut short or made to hurt. So
//! nothing here panics, every step takes at least one byte from the table, the
//! sums saturate, and [`decode`] makes at most one range per two bytes (per
//! byte in the newest format) and one more.

pub use memsight_capture::LineTable;

/// A run of bytecode that belongs to one line: first byte, byte past the last,
/// and the line, or `None` when the compiler gave it no line.
pub type LineRange = (u32, u32, Option<u32>);

/// The line of the instruction at `offset`, or `None` when the table says that
/// it has no line or says nothing about it.
///
/// `bytes` is the whole table and `first_line` the code object's
/// `co_firstlineno`. `offset` is in bytes from the start of the bytecode:
/// `f_lasti` in 3.9, twice `f_lasti` in 3.10, the distance from
/// `co_code_adaptive` from 3.11 on. An inline cache counts to its instruction.
///
/// A frame that has not run an instruction yet is on `first_line`, which may
/// differ from the line of offset 0 and is not asked of this function.
pub fn line_at(table: LineTable, bytes: &[u8], first_line: u32, offset: u32) -> Option<u32> {
    Ranges::new(table, bytes, first_line).find(|&(_, end, _)| offset < end).and_then(|(_, _, line)| line)
}

/// All ranges of a table, in order, without gaps or overlaps from offset 0.
///
/// Neighbours on the same line are one range. A 3.9 table doesn't tell where
/// the bytecode ends, so its last range ends at `u32::MAX`.
pub fn decode(table: LineTable, bytes: &[u8], first_line: u32) -> Vec<LineRange> {
    let mut ranges: Vec<LineRange> = Vec::new();
    for (start, end, line) in Ranges::new(table, bytes, first_line) {
        match ranges.last_mut() {
            Some(last) if last.2 == line => last.1 = end,
            _ => ranges.push((start, end, line)),
        }
    }
    ranges
}

/// The ranges of a table as they are stored, except that empty ones are left
/// out. Each one starts where the one before ended.
struct Ranges<'a> {
    table: LineTable,
    /// What is still to be read.
    rest: &'a [u8],
    /// Where the next range starts.
    start: u32,
    /// The line so far. It is wider than a line because a hostile table may
    /// take it below zero or far up, and it may come back.
    line: i64,
    /// Whether the open end of a 3.9 table has been given out.
    ended: bool,
}

impl<'a> Ranges<'a> {
    fn new(table: LineTable, bytes: &'a [u8], first_line: u32) -> Self {
        Ranges { table, rest: bytes, start: 0, line: i64::from(first_line), ended: false }
    }

    /// The next stored range as its length in bytes and its line, or `None` at
    /// the end of the table.
    fn entry(&mut self) -> Option<(u32, Option<u32>)> {
        match self.table {
            LineTable::Lnotab39 => self.lnotab_pair(),
            LineTable::LineTable310 => self.linetable_pair(),
            LineTable::Locations311 => self.location(),
        }
    }

    /// The line so far, if it can be one.
    fn current(&self) -> Option<u32> {
        u32::try_from(self.line).ok()
    }

    /// Two bytes off the front. A single byte left over ends the table.
    fn pair(&mut self) -> Option<(u8, i8)> {
        let (&[length, step], rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some((length, step.cast_signed()))
    }

    /// The pair ends the range before it: its address step is the length of the
    /// range on the line so far, and only then does the line change.
    fn lnotab_pair(&mut self) -> Option<(u32, Option<u32>)> {
        match self.pair() {
            Some((length, step)) => {
                let line = self.current();
                self.line = self.line.saturating_add(i64::from(step));
                Some((u32::from(length), line))
            }
            None if !self.ended => {
                self.ended = true;
                Some((u32::MAX, self.current()))
            }
            None => None,
        }
    }

    /// The line changes first, then comes the range. A range without a line
    /// doesn't touch the line so far.
    fn linetable_pair(&mut self) -> Option<(u32, Option<u32>)> {
        let (length, step) = self.pair()?;
        if step == i8::MIN {
            return Some((u32::from(length), None));
        }
        self.line = self.line.saturating_add(i64::from(step));
        Some((u32::from(length), self.current()))
    }

    /// An entry begins with a byte whose top bit is set: four bits of kind and
    /// three of length. All the bytes up to the next such byte belong to it, so
    /// the columns are passed over without being understood.
    fn location(&mut self) -> Option<(u32, Option<u32>)> {
        // A sound table starts with a head; anything before it is skipped.
        let head_at = self.rest.iter().position(|byte| byte & HEAD != 0)?;
        let head = self.rest[head_at];
        let after = &self.rest[head_at + 1..];
        let next = after.iter().position(|byte| byte & HEAD != 0).unwrap_or(after.len());
        let (body, rest) = after.split_at(next);
        self.rest = rest;

        let length = (u32::from(head & 0b111) + 1) * CODE_UNIT;
        let step = match (head >> 3) & 0b1111 {
            // Without a location.
            15 => return Some((length, None)),
            // Long, and without columns: the step is the first number.
            13 | 14 => signed_varint(body),
            // One line: the step is in the kind.
            kind @ 10..=12 => i64::from(kind) - 10,
            // Short: the same line.
            _ => 0,
        };
        self.line = self.line.saturating_add(step);
        Some((length, self.current()))
    }
}

impl Iterator for Ranges<'_> {
    type Item = LineRange;

    fn next(&mut self) -> Option<LineRange> {
        loop {
            let (length, line) = self.entry()?;
            let start = self.start;
            self.start = start.saturating_add(length);
            // Of length zero, or past the last offset there is.
            if self.start > start {
                return Some((start, self.start, line));
            }
        }
    }
}

/// The bit that marks the first byte of an entry in the newest format.
const HEAD: u8 = 0x80;

/// Bytes in a code unit, in which the newest format counts.
const CODE_UNIT: u32 = 2;

/// The number at the front of `bytes`: groups of six bits, low ones first, bit
/// 6 set in all but the last; of the value the lowest bit is the sign. Too long
/// a number keeps its low 36 bits, far more than a line needs, and a number cut
/// short is what was there.
fn signed_varint(bytes: &[u8]) -> i64 {
    let mut value: i64 = 0;
    for (&byte, shift) in bytes.iter().zip((0..36).step_by(6)) {
        value |= i64::from(byte & 0x3f) << shift;
        if byte & 0x40 == 0 {
            break;
        }
    }
    if value & 1 == 0 { value >> 1 } else { -(value >> 1) }
}

#[cfg(test)]
// The groups are the fields of an entry's first byte.
#[allow(clippy::unusual_byte_groupings)]
mod tests {
    use super::LineTable::{LineTable310, Lnotab39, Locations311};
    use super::*;

    #[test]
    fn a_39_pair_moves_the_line_at_the_address_it_reaches() {
        let table = [6, 1, 4, 2];
        assert_eq!(
            decode(Lnotab39, &table, 10),
            [(0, 6, Some(10)), (6, 10, Some(11)), (10, u32::MAX, Some(13))]
        );
    }

    #[test]
    fn a_39_step_too_large_for_a_pair_takes_several() {
        // 300 bytes, then 200 lines, then back by three lines.
        let table = [255, 0, 45, 127, 0, 73, 2, 0xfd];
        assert_eq!(
            decode(Lnotab39, &table, 1),
            [(0, 300, Some(1)), (300, 302, Some(201)), (302, u32::MAX, Some(198))]
        );
    }

    #[test]
    fn an_empty_39_table_puts_all_on_the_first_line() {
        assert_eq!(line_at(Lnotab39, &[], 7, 1000), Some(7));
        assert_eq!(decode(Lnotab39, &[], 7), [(0, u32::MAX, Some(7))]);
    }

    #[test]
    fn a_310_pair_moves_the_line_before_its_range() {
        let table = [4, 1, 6, 0, 2, 0xff];
        assert_eq!(decode(LineTable310, &table, 10), [(0, 10, Some(11)), (10, 12, Some(10))]);
    }

    #[test]
    fn a_310_range_without_a_line_leaves_the_line_alone() {
        let table = [4, 0, 2, 0x80, 2, 1];
        assert_eq!(decode(LineTable310, &table, 10), [(0, 4, Some(10)), (4, 6, None), (6, 8, Some(11))]);
    }

    #[test]
    fn a_311_entry_of_each_kind_moves_the_line_as_it_should() {
        let table = [
            0b1_0000_001,
            0x11, // short, two units
            0b1_1011_000,
            0x01,
            0x05, // one line down, one unit
            0b1_1101_000,
            0b0000_0111,  // no columns, three lines up
            0b1_1111_010, // nothing, three units
            0b1_1110_000,
            0b0100_0000,
            0b0000_0010,
            0x00,
            0x01,
            0x02, // long, 64 down
        ];
        assert_eq!(
            decode(Locations311, &table, 100),
            [(0, 4, Some(100)), (4, 6, Some(101)), (6, 8, Some(98)), (8, 14, None), (14, 16, Some(162)),]
        );
    }

    #[test]
    fn neighbours_on_one_line_are_one_range() {
        let table = [0b1_0000_000, 0x11, 0b1_1010_000, 0x01, 0x05];
        assert_eq!(decode(Locations311, &table, 3), [(0, 4, Some(3))]);
    }

    #[test]
    fn an_offset_past_the_table_has_no_line() {
        assert_eq!(line_at(LineTable310, &[4, 1], 1, 4), None);
        assert_eq!(line_at(Locations311, &[0b1_0000_000, 0], 1, 2), None);
        assert_eq!(line_at(Locations311, &[], 1, 0), None);
    }

    #[test]
    fn a_line_below_zero_is_no_line_and_may_come_back() {
        let table = [2, 0xf6, 2, 20];
        assert_eq!(decode(LineTable310, &table, 5), [(0, 2, None), (2, 4, Some(15))]);
    }

    #[test]
    fn a_table_cut_anywhere_gives_what_came_before() {
        let whole = [0b1_1101_000, 0b0100_0001, 0b0000_0010, 0b1_1011_111, 1, 2];
        for length in 0..whole.len() {
            for table in [Lnotab39, LineTable310, Locations311] {
                let ranges = decode(table, &whole[..length], 1);
                assert!(ranges.len() <= length + 1);
            }
        }
    }

    #[test]
    fn any_bytes_give_touching_ranges_that_agree_with_line_at() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for round in 0..500 {
            let bytes: Vec<u8> = (0..random() % 80).map(|_| (random() >> 32) as u8).collect();
            let first = if round % 3 == 0 { u32::MAX } else { round };
            for table in [Lnotab39, LineTable310, Locations311] {
                let ranges = decode(table, &bytes, first);
                assert!(ranges.len() <= bytes.len() + 1);
                let mut at = 0;
                for (start, end, line) in ranges {
                    assert_eq!(start, at);
                    assert!(end > start);
                    for offset in [start, start + (end - start) / 2, end - 1] {
                        assert_eq!(line_at(table, &bytes, first, offset), line);
                    }
                    at = end;
                }
            }
        }
    }

    #[test]
    fn a_number_that_never_ends_is_cut() {
        let mut table = vec![0b1_1101_000];
        table.resize(10_000, 0x7f);
        assert_eq!(decode(Locations311, &table, 1), [(0, 2, None)]);
    }
}
