//! Blocks that come and go between two steps.

use memsight_recorder::memory::{OutOfMemory, PageVec};
use memsight_recorder::table::{Table, mix};

/// More blocks than that at a time are not followed.
const MOST: usize = 1 << 20;

/// Blocks that were freed without an owner, remembered until theirs dies.
const ORPHANS: usize = 16;

/// The blocks that are younger than the last step.
#[derive(Default)]
pub(super) struct Young {
    rows: PageVec<(usize, usize)>,
    unused: PageVec<u32>,
    table: Table,
    orphans: [(usize, usize); ORPHANS],
    next_orphan: usize,
    sums: PageVec<Sum>,
}

/// Objects of one type that came and went; type 0 for blocks that no object owned.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    pub(super) of_type: usize,
    pub(super) word: u32,
    pub(super) count: u64,
    pub(super) bytes: u64,
}

impl Young {
    pub(super) fn insert(&mut self, block: usize, bytes: usize) -> Result<(), OutOfMemory> {
        self.remove(block)?;
        if self.rows.len() >= MOST {
            return Ok(());
        }
        let row = match self.unused.pop() {
            Some(row) => {
                self.rows.as_mut_slice()[row as usize] = (block, bytes);
                row
            }
            None => {
                self.rows.push((block, bytes))?;
                self.rows.len() as u32 - 1
            }
        };
        self.table.insert(row, mix(block as u64))
    }

    /// Takes a young block out; gives its bytes.
    pub(super) fn remove(&mut self, block: usize) -> Result<Option<usize>, OutOfMemory> {
        let rows = &self.rows;
        let found = self.table.remove(mix(block as u64), |row| rows.as_slice()[row as usize].0 == block);
        let Some(row) = found else { return Ok(None) };
        self.unused.push(row)?;
        Ok(Some(self.rows.as_slice()[row as usize].1))
    }

    /// A young block of no object went.
    pub(super) fn orphan(&mut self, block: usize, bytes: usize) -> Result<(), OutOfMemory> {
        let at = self.next_orphan % ORPHANS;
        self.next_orphan += 1;
        let (before, lost) = core::mem::replace(&mut self.orphans[at], (block, bytes));
        if before != 0 { self.add(0, 0, lost) } else { Ok(()) }
    }

    /// The bytes of an orphan whose owner was found.
    pub(super) fn claim(&mut self, block: usize) -> usize {
        let orphan = self.orphans.iter_mut().find(|(orphan, _)| *orphan == block && block != 0);
        orphan.map_or(0, |orphan| core::mem::take(orphan).1)
    }

    /// A young object went.
    pub(super) fn add(&mut self, of_type: usize, word: u32, bytes: usize) -> Result<(), OutOfMemory> {
        if let Some(sum) = self.sums.as_mut_slice().iter_mut().find(|sum| sum.of_type == of_type) {
            sum.count += 1;
            sum.bytes += bytes as u64;
            return Ok(());
        }
        if self.sums.len() < 64 {
            self.sums.push(Sum { of_type, word, count: 1, bytes: bytes as u64 })?;
        }
        Ok(())
    }

    /// What came and went since this was asked last.
    pub(super) fn take(&mut self) -> Result<PageVec<Sum>, OutOfMemory> {
        for orphan in core::mem::take(&mut self.orphans) {
            if orphan.0 != 0 {
                self.add(0, 0, orphan.1)?;
            }
        }
        if !self.rows.is_empty() {
            self.rows = PageVec::new();
            self.unused = PageVec::new();
            self.table = Table::default();
        }
        Ok(core::mem::take(&mut self.sums))
    }
}
