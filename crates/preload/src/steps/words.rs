//! Words of a trace: each is said once, and then named by its number.

use memsight_capture::WordId;
use memsight_recorder::memory::{OutOfMemory, PageVec};
use memsight_recorder::table::{Table, hash_bytes};

/// All words so far.
#[derive(Default)]
pub(super) struct Words {
    bytes: PageVec<u8>,
    /// Where each word begins and ends.
    rows: PageVec<(usize, usize)>,
    table: Table,
}

impl Words {
    /// A word's number, and whether it is new.
    pub(super) fn number(&mut self, word: &[u8]) -> Result<(WordId, bool), OutOfMemory> {
        let hash = hash_bytes(3, word);
        let (bytes, rows) = (&self.bytes, &self.rows);
        let same = |row: u32| {
            let (from, to) = rows.as_slice()[row as usize];
            &bytes.as_slice()[from..to] == word
        };
        if let Some(row) = self.table.find(hash, same) {
            return Ok((WordId(row), false));
        }
        let from = self.bytes.len();
        self.bytes.extend(word)?;
        self.rows.push((from, self.bytes.len()))?;
        let row = self.rows.len() as u32 - 1;
        self.table.insert(row, hash)?;
        Ok((WordId(row), true))
    }

    /// The word of a number.
    pub(super) fn get(&self, word: WordId) -> &[u8] {
        let (from, to) = self.rows.as_slice().get(word.index()).copied().unwrap_or((0, 0));
        &self.bytes.as_slice()[from..to]
    }
}
