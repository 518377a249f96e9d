//! A hash table that holds nothing but numbers: what a number stands for is kept in
//! an array of the caller, once. Four bytes a slot, at most two thirds of them taken.

const EMPTY: u32 = u32::MAX;

/// Numbers by the hash of what they stand for.
#[derive(Default)]
pub(crate) struct Slots {
    /// A power of two of them, or none.
    slots: Vec<u32>,
    taken: usize,
}

impl Slots {
    /// Numbers are below this.
    pub(crate) const MAX: u32 = EMPTY;

    /// The number with this hash for which `is_it` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots[at] {
                EMPTY => return None,
                number if is_it(number) => return Some(number),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a number that was not found, and so all from 0 to it are there.
    /// `hash_of` says any number's hash again when the table grows.
    pub(crate) fn insert(&mut self, hash: u64, number: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.taken + 1) * 3 > self.slots.len() * 2 {
            let size = (self.slots.len() * 2).max(16);
            // The old slots go first: the numbers are 0 to `taken`, they need not be read.
            self.slots = Vec::new();
            self.slots.resize(size, EMPTY);
            for other in 0..self.taken as u32 {
                self.put(hash_of(other), other);
            }
        }
        self.put(hash, number);
        self.taken += 1;
    }

    fn put(&mut self, hash: u64, number: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != EMPTY {
            at = (at + 1) & mask;
        }
        self.slots[at] = number;
    }
}
