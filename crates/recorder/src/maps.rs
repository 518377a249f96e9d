//! Which address ranges were mapped, for what. Maps can be given back in part,
//! so this is a sorted list of pieces; several pieces may be left of one block.

use crate::memory::{OutOfMemory, PageVec, Zeroed};

/// What a mapped range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An anonymous private map: a block of this group.
    Block(u32),
    /// An arena of Python's own allocator: reserved, counted by what is put in it.
    Arena,
    /// A file.
    File,
}

#[derive(Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
    block: u32,
}

#[derive(Clone, Copy)]
struct Block {
    purpose: Purpose,
    pieces: u32,
}

/// The pieces that are mapped.
#[derive(Default)]
pub struct Maps {
    /// Sorted by address, not overlapping.
    pieces: PageVec<Piece>,
    blocks: PageVec<Block>,
    unused_blocks: PageVec<u32>,
}

// SAFETY: empty arrays are no maps.
unsafe impl Zeroed for Maps {}

impl Maps {
    /// Notes a map. What was there before must have been removed.
    pub fn insert(&mut self, start: usize, bytes: usize, purpose: Purpose) -> Result<(), OutOfMemory> {
        let block = match self.unused_blocks.pop() {
            Some(block) => block,
            None => {
                self.blocks.push(Block { purpose, pieces: 0 })?;
                self.blocks.len() as u32 - 1
            }
        };
        self.blocks.as_mut_slice()[block as usize] = Block { purpose, pieces: 1 };
        let piece = Piece { start, end: start.saturating_add(bytes), block };
        let at = self.pieces.as_slice().partition_point(|other| other.start < start);
        self.pieces.insert(at, piece)
    }

    /// Removes what is mapped of a range, and gives each part's purpose, bytes
    /// and whether it was the last of its block.
    pub fn remove(
        &mut self,
        start: usize,
        bytes: usize,
        mut removed: impl FnMut(Purpose, usize, bool),
    ) -> Result<(), OutOfMemory> {
        let end = start.saturating_add(bytes);
        let mut at = self.pieces.as_slice().partition_point(|piece| piece.end <= start);
        while let Some(&piece) = self.pieces.as_slice().get(at).filter(|piece| piece.start < end) {
            let (from, to) = (piece.start.max(start), piece.end.min(end));
            let before = Piece { end: from, ..piece };
            let after = Piece { start: to, ..piece };
            // A piece cut in two needs a place more: if there is none, nothing changes.
            self.pieces.reserve(self.pieces.len() + 1)?;
            let left = usize::from(before.start < before.end) + usize::from(after.start < after.end);
            self.pieces.remove_range(at, at + 1);
            for kept in [before, after] {
                if kept.start < kept.end {
                    self.pieces.insert(at, kept)?;
                    at += 1;
                }
            }
            let block = &mut self.blocks.as_mut_slice()[piece.block as usize];
            block.pieces = block.pieces + left as u32 - 1;
            let last = block.pieces == 0;
            removed(block.purpose, to - from, last);
            if last {
                // A row that cannot be noted as unused is only a few bytes lost.
                let _ = self.unused_blocks.push(piece.block);
            }
        }
        Ok(())
    }

    /// Every piece: its start, its bytes, and what it is.
    pub fn for_each(&self, mut visit: impl FnMut(usize, usize, Purpose)) {
        for piece in self.pieces.as_slice() {
            let purpose = self.blocks.as_slice()[piece.block as usize].purpose;
            visit(piece.start, piece.end - piece.start, purpose);
        }
    }

    /// Forgets everything, as after `fork`.
    pub fn clear(&mut self) {
        self.pieces.clear();
        self.blocks.clear();
        self.unused_blocks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(maps: &mut Maps, start: usize, bytes: usize) -> Vec<(Purpose, usize, bool)> {
        let mut parts = Vec::new();
        maps.remove(start, bytes, |purpose, bytes, last| parts.push((purpose, bytes, last))).unwrap();
        parts
    }

    #[test]
    fn a_block_unmapped_in_parts_ends_with_the_last_part() {
        let mut maps = Maps::default();
        maps.insert(0x1000, 0x3000, Purpose::Block(1)).unwrap();
        assert_eq!(removed(&mut maps, 0x2000, 0x1000), [(Purpose::Block(1), 0x1000, false)]);
        assert_eq!(removed(&mut maps, 0x2000, 0x1000), []);
        assert_eq!(
            removed(&mut maps, 0, 0x10000),
            [(Purpose::Block(1), 0x1000, false), (Purpose::Block(1), 0x1000, true)]
        );
    }

    #[test]
    fn one_unmap_can_reach_over_several_maps() {
        let mut maps = Maps::default();
        maps.insert(0x1000, 0x1000, Purpose::Block(1)).unwrap();
        maps.insert(0x4000, 0x1000, Purpose::File).unwrap();
        maps.insert(0x2000, 0x2000, Purpose::Arena).unwrap();
        assert_eq!(
            removed(&mut maps, 0x1800, 0x3000),
            [
                (Purpose::Block(1), 0x800, false),
                (Purpose::Arena, 0x2000, true),
                (Purpose::File, 0x800, false)
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn it_agrees_with_one_entry_a_page(actions in proptest::collection::vec((0usize..40, 1usize..12, 0u8..2), 0..200)) {
            let mut maps = Maps::default();
            let mut pages = [None; 64];
            for (i, (page, len, insert)) in actions.into_iter().enumerate() {
                let gone: usize = pages[page..page + len].iter().filter(|p| p.is_some()).count();
                let parts = removed(&mut maps, page << 12, len << 12);
                assert_eq!(parts.iter().map(|part| part.1).sum::<usize>(), gone << 12);
                pages[page..page + len].fill(None);
                for &(purpose, ..) in &parts {
                    let said = parts.iter().any(|part| part.0 == purpose && part.2);
                    assert_eq!(said, !pages.contains(&Some(purpose)), "{purpose:?}");
                }
                if insert == 1 {
                    maps.insert(page << 12, len << 12, Purpose::Block(i as u32)).unwrap();
                    pages[page..page + len].fill(Some(Purpose::Block(i as u32)));
                }
            }
        }
    }
}
