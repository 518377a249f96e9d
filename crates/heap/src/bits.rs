//! A set of node numbers, one bit each: small enough to stay in the cache while a
//! walk jumps about in a graph that does not.

/// A set of numbers below a bound.
#[derive(Clone, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// An empty set that has room for the numbers below `bound`.
    pub(crate) fn new(bound: usize) -> Self {
        Bits { words: vec![0; bound.div_ceil(64)] }
    }

    /// Whether the number is in the set.
    #[inline]
    pub(crate) fn has(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Adds the number, growing if need be; whether it was new.
    #[inline]
    pub(crate) fn add(&mut self, number: usize) -> bool {
        let (at, bit) = (number / 64, 1u64 << (number % 64));
        if at >= self.words.len() {
            self.grow(at + 1);
        }
        let new = self.words[at] & bit == 0;
        self.words[at] |= bit;
        new
    }

    /// Zeroes come from the system untouched: a damaged file that names a number far away
    /// takes no memory for all those below it.
    #[cold]
    fn grow(&mut self, words: usize) {
        let mut grown = vec![0; words.max(2 * self.words.len())];
        grown[..self.words.len()].copy_from_slice(&self.words);
        self.words = grown;
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn a_number_is_new_once() {
        let mut bits = Bits::new(65);
        assert!(bits.add(64) && !bits.add(64) && bits.add(700));
        assert!(bits.has(64) && bits.has(700) && !bits.has(63) && !bits.has(100_000));
    }
}
