//! An open-addressing table of row numbers, used under a lock.
//!
//! It keeps no keys: a slot holds a row number plus one and half of its hash,
//! so that other rows are seldom looked at, and the caller compares rows.
//! Linear probing, three quarters full at the most, removal by moving back what follows.

use crate::memory::{OutOfMemory, PageVec, Zeroed};

/// Row numbers found by hash.
#[derive(Default)]
pub struct Table {
    /// The low half of the hash above the row number plus one, or 0.
    slots: PageVec<u64>,
    used: usize,
}

// SAFETY: an empty array and a zero count are an empty table.
unsafe impl Zeroed for Table {}

/// Mixes a key into a hash whose low bits are good (Stafford's variant 13).
#[inline(always)]
pub fn mix(key: u64) -> u64 {
    let mut x = key.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 32;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 29)
}

/// A hash of bytes; equal bytes hash equally, and that is all that is needed.
pub fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = mix(hash ^ u64::from_le_bytes(word)).rotate_left(5);
    }
    hash
}

impl Table {
    /// The row with this hash for which `same` is true.
    #[inline(always)]
    pub fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        self.position(hash, same).map(|(_, row)| row)
    }

    /// Adds a row that is not in the table.
    pub fn insert(&mut self, row: u32, hash: u64) -> Result<(), OutOfMemory> {
        if self.is_full() {
            self.grow()?;
        }
        place(self.slots.as_mut_slice(), hash << 32 | (u64::from(row) + 1));
        self.used += 1;
        Ok(())
    }

    /// Whether one more row makes the table grow.
    pub fn is_full(&self) -> bool {
        (self.used + 1) * 4 > self.slots.len() * 3
    }

    /// Removes and gives the row with this hash for which `same` is true.
    pub fn remove(&mut self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        let (mut hole, row) = self.position(hash, same)?;
        let slots = self.slots.as_mut_slice();
        let mask = slots.len() - 1;
        let mut next = (hole + 1) & mask;
        while slots[next] != 0 {
            let home = (slots[next] >> 32) as usize & mask;
            // It may move back unless its home lies between the hole and it.
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                slots[hole] = slots[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        slots[hole] = 0;
        self.used -= 1;
        Some(row)
    }

    #[inline(always)]
    fn position(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        let slots = self.slots.as_slice();
        let mask = slots.len().checked_sub(1)?;
        let mut at = hash as u32 as usize & mask;
        loop {
            // SAFETY: the length is a power of two, so the mask keeps `at` below it.
            let slot = unsafe { *slots.get_unchecked(at) };
            let row = (slot as u32).checked_sub(1)?;
            if slot >> 32 == hash & 0xffff_ffff && same(row) {
                return Some((at, row));
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) -> Result<(), OutOfMemory> {
        let len = (self.slots.len() * 2).max(512);
        let mut bigger = PageVec::zeroed(len)?;
        for &slot in self.slots.as_slice().iter().filter(|&&slot| slot != 0) {
            place(bigger.as_mut_slice(), slot);
        }
        self.slots = bigger;
        Ok(())
    }
}

fn place(slots: &mut [u64], slot: u64) {
    let mask = slots.len() - 1;
    let mut at = (slot >> 32) as usize & mask;
    while slots[at] != 0 {
        at = (at + 1) & mask;
    }
    slots[at] = slot;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    proptest::proptest! {
        #[test]
        fn it_holds_what_a_set_holds(actions in proptest::collection::vec((0u32..200, 0u8..2), 0..600)) {
            // A bad hash on purpose: many rows share a home.
            let hash_of = |row: u32| u64::from(row / 8);
            let mut table = Table::default();
            let mut set = HashSet::new();
            for (row, remove) in actions {
                let found = table.find(hash_of(row), |other| other == row);
                assert_eq!(found.is_some(), set.contains(&row));
                if remove == 1 {
                    assert_eq!(table.remove(hash_of(row), |other| other == row).is_some(), set.remove(&row));
                } else if set.insert(row) {
                    table.insert(row, hash_of(row)).unwrap();
                }
            }
        }
    }
}
