//! Shadow memory: for each 16 bytes of address space that hold a block's
//! start, which group the block belongs to and how many bytes were asked for.
//!
//! ```text
//! address   46      34 33       20 19        4 3  0
//!          ┌──────────┬───────────┬───────────┬────┐
//!          │ region   │ chunk     │ slot      │    │     slot: group 32 │ bytes 32
//!          └──────────┴───────────┴───────────┴────┘
//!   8,192 regions → 16,384 chunks of 1 MB each → 65,536 slots of 8 bytes
//! ```
//! No hashing and no resizing: a slot belongs to the owner of its block, who
//! writes it after the real allocation and clears it before the real free.
//! Three small levels rather than one large table, so that a program under
//! `ulimit -v` loses next to no address space and there is one code path.
//! Blocks that do not fit a slot (4 GiB and more, or starting off a multiple
//! of 16) are the caller's to keep elsewhere: [`Slot::fits`].

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::memory::{self, OutOfMemory, Zeroed};

const REGIONS: usize = 1 << 13;
const CHUNKS: usize = 1 << 14;
const SLOTS: usize = 1 << 16;

/// The bytes of a block that is kept elsewhere.
const ELSEWHERE: u32 = u32::MAX;

/// What a slot says of the block that starts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The block's group, never 0.
    pub group: u32,
    /// Bytes asked for.
    pub bytes: u32,
}

impl Slot {
    /// Whether a block of `bytes` at `address` fits a slot.
    #[inline(always)]
    pub fn fits(address: usize, bytes: usize) -> bool {
        address & 15 == 0 && bytes < ELSEWHERE as usize && address >> 47 == 0
    }

    #[inline(always)]
    fn from_raw(raw: u64) -> Option<Self> {
        (raw != 0).then_some(Slot { group: (raw >> 32) as u32, bytes: raw as u32 })
    }
}

/// Adds to a slot and gives what was there, in one instruction that no other
/// thread has to wait for. A load before the store would have the kernel give a
/// fresh page twice: first its page of zeroes to read, then one to write.
#[inline(always)]
fn add_unlocked(slot: &AtomicU64, value: u64) -> u64 {
    let mut value = value;
    // SAFETY: the slot is of the calling thread's block, so nobody else writes it.
    unsafe {
        core::arch::asm!(
            "xadd qword ptr [{slot}], {value}",
            slot = in(reg) slot.as_ptr(),
            value = inout(reg) value,
            options(nostack),
        );
    }
    value
}

struct Region([AtomicPtr<Chunk>; CHUNKS]);

struct Chunk([AtomicU64; SLOTS]);

/// The whole address space's slots.
pub struct Shadow([AtomicPtr<Region>; REGIONS]);

// SAFETY: null pointers are an empty shadow.
unsafe impl Zeroed for Shadow {}

impl Shadow {
    /// Notes a block, and gives what was noted there before: a block whose free
    /// was not seen. The caller has checked [`Slot::fits`].
    #[inline(always)]
    pub fn set(&self, address: usize, group: u32, bytes: u32) -> Result<Option<Slot>, OutOfMemory> {
        let slot = match self.slot(address) {
            Some(slot) => slot,
            None => self.make_slot(address)?,
        };
        let fresh = u64::from(group) << 32 | u64::from(bytes);
        let before = add_unlocked(slot, fresh);
        if before != 0 {
            slot.store(fresh, Ordering::Relaxed);
        }
        Ok(Slot::from_raw(before))
    }

    /// Takes out what was noted of the block at `address`.
    #[inline(always)]
    pub fn take(&self, address: usize) -> Option<Slot> {
        // Off a multiple of 16 the slot is a neighbour's.
        let slot = self.slot(address).filter(|_| address & 15 == 0)?;
        let found = Slot::from_raw(slot.load(Ordering::Relaxed))?;
        slot.store(0, Ordering::Relaxed);
        Some(found)
    }

    /// What is noted of the block at `address`.
    #[inline]
    pub fn peek(&self, address: usize) -> Option<Slot> {
        let slot = self.slot(address).filter(|_| address & 15 == 0)?;
        Slot::from_raw(slot.load(Ordering::Relaxed))
    }

    /// Makes the slots of a range resident, of which most will be used soon: touched one
    /// by one, each of their pages would stop the program for a moment.
    pub fn prepare(&self, address: usize, bytes: usize) {
        const COVERED: usize = SLOTS << 4;
        let Some(end) = address.checked_add(bytes) else { return };
        let mut at = address;
        while at < end {
            let next = (at / COVERED + 1) * COVERED;
            let Ok(first) = self.make_slot(at) else { return };
            memory::populate(first.as_ptr().cast(), (next.min(end) - at) / 2);
            at = next;
        }
    }

    /// Calls `visit` with the address and slot of every block, in address order.
    pub fn for_each(&self, mut visit: impl FnMut(usize, Slot)) {
        for (r, region) in self.0.iter().enumerate() {
            // SAFETY: a region that was published is never unmapped.
            let Some(region) = (unsafe { region.load(Ordering::Acquire).as_ref() }) else { continue };
            for (c, chunk) in region.0.iter().enumerate() {
                // SAFETY: a chunk that was published is never unmapped.
                let Some(chunk) = (unsafe { chunk.load(Ordering::Acquire).as_ref() }) else { continue };
                for_each_in(chunk, (r << 34) | (c << 20), &mut visit);
            }
        }
    }

    #[inline(always)]
    fn slot(&self, address: usize) -> Option<&AtomicU64> {
        let region = self.0.get(address >> 34)?.load(Ordering::Acquire);
        // SAFETY: a published region is never unmapped; indices are masked to their tables.
        unsafe {
            let chunk = region.as_ref()?.0.get_unchecked((address >> 20) & (CHUNKS - 1));
            let chunk = chunk.load(Ordering::Acquire).as_ref()?;
            Some(chunk.0.get_unchecked((address >> 4) & (SLOTS - 1)))
        }
    }

    #[cold]
    fn make_slot(&self, address: usize) -> Result<&AtomicU64, OutOfMemory> {
        let region = publish(self.0.get(address >> 34).ok_or(OutOfMemory)?)?;
        let chunk = publish(region.0.get((address >> 20) & (CHUNKS - 1)).ok_or(OutOfMemory)?)?;
        chunk.0.get((address >> 4) & (SLOTS - 1)).ok_or(OutOfMemory)
    }
}

/// Visits a chunk's slots, passing over pages that were never touched: reading
/// those would make them resident.
fn for_each_in(chunk: &Chunk, base: usize, visit: &mut impl FnMut(usize, Slot)) {
    const PAGES: usize = size_of::<Chunk>() / 4096;
    let mut resident = [1u8; PAGES];
    // SAFETY: mincore writes one byte for each page of the chunk.
    unsafe { crate::syscall!(MINCORE, ptr::from_ref(chunk), size_of::<Chunk>(), resident.as_mut_ptr()) };
    for (page, slots) in chunk.0.chunks(4096 / 8).enumerate() {
        if resident[page] & 1 == 0 {
            continue;
        }
        for (s, slot) in slots.iter().enumerate() {
            if let Some(found) = Slot::from_raw(slot.load(Ordering::Relaxed)) {
                visit(base | ((page * 512 + s) << 4), found);
            }
        }
    }
}

/// The table behind `place`, made if there is none yet.
fn publish<T>(place: &AtomicPtr<T>) -> Result<&T, OutOfMemory> {
    let mut table = place.load(Ordering::Acquire);
    if table.is_null() {
        let fresh = memory::map(size_of::<T>())?;
        match place.compare_exchange(ptr::null_mut(), fresh.cast(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => table = fresh.cast(),
            Err(other) => {
                table = other;
                // SAFETY: another thread was first; nobody has seen our mapping.
                unsafe { memory::unmap(fresh, size_of::<T>()) };
            }
        }
    }
    // SAFETY: published tables are zeroed arrays of atomics and never unmapped.
    Ok(unsafe { &*table })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shadow() -> Box<Shadow> {
        // SAFETY: an empty shadow is all zeroes.
        unsafe { Box::<Shadow>::new_zeroed().assume_init() }
    }

    #[test]
    fn a_block_is_found_until_it_is_taken() {
        let shadow = shadow();
        for address in [0x5555_0000_1230usize, 0x7fff_ffff_fff0, 0x10] {
            assert_eq!(shadow.peek(address), None);
            shadow.set(address, 7, 0).unwrap();
            assert_eq!(shadow.take(address), Some(Slot { group: 7, bytes: 0 }));
            assert_eq!(shadow.take(address), None);
        }
    }

    #[test]
    fn every_block_is_visited_in_address_order() {
        let shadow = shadow();
        let addresses = [0x10usize, 0x20, 0x5555_0000_1230, 0x5555_0010_1230, 0x7fff_0000_0000];
        for (i, &address) in addresses.iter().enumerate() {
            shadow.set(address, i as u32 + 1, 5).unwrap();
        }
        let mut seen = Vec::new();
        shadow.for_each(|address, slot| seen.push((address, slot.group)));
        let expected: Vec<_> = addresses.iter().enumerate().map(|(i, &a)| (a, i as u32 + 1)).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_does_not_fit_a_slot_is_said() {
        assert!(Slot::fits(0x1000, 0xffff_fffe));
        assert!(!Slot::fits(0x1000, 0xffff_ffff));
        assert!(!Slot::fits(0x1008, 8));
        assert!(!Slot::fits(1 << 47, 8));
    }
}
