//! The numbers of objects by address, and which blocks have an owner.
//!
//! Objects that refer to each other lie near each other, so their numbers do too: for
//! each 16 bytes of address space a number, in the three levels of the recorder's shadow
//! (see [`memsight_recorder::shadow`]). What does not begin at a multiple of 16 (static
//! objects of C) is found by a hash.
//!
//! ```text
//! address   46      34 33       20 19        4 3  0
//!          ┌──────────┬───────────┬───────────┬────┐
//!          │ region   │ chunk     │ mark      │    │
//!          └──────────┴───────────┴───────────┴────┘
//! mark      0          nothing is known to begin here
//!           n + 1      object n
//!           2³² - 1    a block that an object owns
//! ```

use core::ptr;

use memsight_recorder::ledger::Stopped;
use memsight_recorder::memory;
use memsight_recorder::table::{Table, mix};

use super::Array;

const REGIONS: usize = 1 << 13;
const CHUNKS: usize = 1 << 14;
const MARKS: usize = 1 << 16;

const OWNED: u32 = u32::MAX;

type Chunk = [u32; MARKS];
type Region = [*mut Chunk; CHUNKS];

pub(crate) struct Numbers {
    regions: *mut [*mut Region; REGIONS],
    /// Objects that are not at a multiple of 16, with their numbers.
    odd: Array<(usize, u32)>,
    odd_rows: Table,
}

impl Numbers {
    pub(super) fn new() -> Result<Self, Stopped> {
        let regions = memory::map(size_of::<[*mut Region; REGIONS]>())?.cast();
        Ok(Numbers { regions, odd: Array::new(), odd_rows: Table::default() })
    }

    /// The number of the object at an address.
    #[inline(always)]
    pub(super) fn find(&self, address: usize) -> Option<u32> {
        if is_odd(address) {
            return self.find_odd(address);
        }
        match self.mark(address) {
            0 | OWNED => None,
            mark => Some(mark - 1),
        }
    }

    /// Gives an object its number.
    pub(super) fn insert(&mut self, address: usize, number: u32) -> Result<(), Stopped> {
        if is_odd(address) {
            self.odd.push((address, number))?;
            return Ok(self.odd_rows.insert(self.odd.len() as u32 - 1, mix(address as u64))?);
        }
        self.set(address, number + 1)
    }

    /// Whether an object owns the block at an address, a multiple of 16.
    #[inline(always)]
    pub(super) fn is_owned(&self, block: usize) -> bool {
        !is_odd(block) && self.mark(block) == OWNED
    }

    /// Notes that an object owns the block at an address, a multiple of 16, which is no object's.
    pub(super) fn own(&mut self, block: usize) -> Result<(), Stopped> {
        if is_odd(block) { Ok(()) } else { self.set(block, OWNED) }
    }

    fn find_odd(&self, address: usize) -> Option<u32> {
        let odd = self.odd.as_slice();
        let row = self.odd_rows.find(mix(address as u64), |row| odd[row as usize].0 == address)?;
        Some(odd[row as usize].1)
    }

    #[inline(always)]
    fn mark(&self, address: usize) -> u32 {
        let (region, chunk, mark) = place(address);
        // SAFETY: the levels are mapped where they are not null, and the indices are below their lengths.
        unsafe {
            let region = (*self.regions)[region];
            if region.is_null() {
                return 0;
            }
            let chunk = (*region)[chunk];
            if chunk.is_null() { 0 } else { (*chunk)[mark] }
        }
    }

    fn set(&mut self, address: usize, value: u32) -> Result<(), Stopped> {
        let (region, chunk, mark) = place(address);
        // SAFETY: as in `mark`; a fresh level is zeroes, which are null pointers and no marks.
        unsafe {
            let region = &mut (*self.regions)[region];
            if region.is_null() {
                *region = memory::map(size_of::<Region>())?.cast();
            }
            let chunk = &mut (**region)[chunk];
            if chunk.is_null() {
                *chunk = memory::map(size_of::<Chunk>())?.cast();
            }
            ptr::write(&raw mut (**chunk)[mark], value);
        }
        Ok(())
    }
}

#[inline(always)]
fn is_odd(address: usize) -> bool {
    address & 15 != 0 || address >> 47 != 0
}

#[inline(always)]
fn place(address: usize) -> (usize, usize, usize) {
    (address >> 34 & (REGIONS - 1), address >> 20 & (CHUNKS - 1), address >> 4 & (MARKS - 1))
}
