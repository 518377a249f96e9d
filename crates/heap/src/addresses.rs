//! Addresses to node numbers, in the order in which they are first mentioned.

use std::hash::{BuildHasher, RandomState};

use crate::NodeId;
use crate::slots::Slots;

/// Numbers for addresses.
pub(crate) struct Addresses {
    by_number: Vec<u64>,
    slots: Slots,
    seed: u64,
    /// The address asked for last, as the edges of an object mostly come one after the other.
    last: Option<(u64, u32)>,
}

impl Addresses {
    pub(crate) fn new() -> Self {
        // A file that was made to have all its addresses fall into one slot would be
        // read in quadratic time; it cannot know this.
        let seed = RandomState::new().hash_one(0u64);
        Addresses { by_number: Vec::new(), slots: Slots::default(), seed, last: None }
    }

    /// The number of an address, a new one at its first mention; `None` if there would
    /// be more than `max`.
    #[inline]
    pub(crate) fn number(&mut self, address: u64, max: usize) -> Option<NodeId> {
        if let Some((last, number)) = self.last
            && last == address
        {
            return Some(NodeId(number));
        }
        let hash = hash(address, self.seed);
        let known = self.slots.find(hash, |number| self.by_number[number as usize] == address);
        let number = match known {
            Some(number) => number,
            None => {
                let number = u32::try_from(self.by_number.len()).ok()?;
                if self.by_number.len() >= max || number == Slots::MAX {
                    return None;
                }
                self.by_number.push(address);
                let (by_number, seed) = (&self.by_number, self.seed);
                self.slots.insert(hash, number, |number| self::hash(by_number[number as usize], seed));
                number
            }
        };
        self.last = Some((address, number));
        Some(NodeId(number))
    }

    /// How many addresses have a number.
    pub(crate) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// The addresses by number.
    pub(crate) fn into_vec(self) -> Vec<u64> {
        self.by_number
    }
}

/// Both halves of a product, as the low bits of addresses are always zero and the low
/// bits of a product depend on nothing above them.
#[inline]
fn hash(address: u64, seed: u64) -> u64 {
    let product = u128::from(address ^ seed) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}
