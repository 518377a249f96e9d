//! The recorder's own memory: pages from the kernel, never from `malloc`.

use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::syscall;

/// Bytes that the recorder has mapped and not given back.
static MAPPED: AtomicU64 = AtomicU64::new(0);

/// Bytes that the recorder has mapped and not given back. An upper bound of
/// what it holds resident, since untouched pages cost nothing.
pub fn mapped_bytes() -> u64 {
    MAPPED.load(Ordering::Relaxed)
}

/// How often something that the recorder had mapped went away from its address.
static MOVED: AtomicU64 = AtomicU64::new(0);

/// How often something that the recorder had mapped went away from its address: what was
/// readable before may not be so any more.
#[inline]
pub fn moves() -> u64 {
    MOVED.load(Ordering::Relaxed)
}

/// The system would not give more memory (`ulimit -v`, strict overcommit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// Maps `bytes` of zeroed memory.
pub fn map(bytes: usize) -> Result<*mut u8, OutOfMemory> {
    const READ_WRITE: usize = 3;
    const PRIVATE_ANONYMOUS_NORESERVE: usize = 0x2 | 0x20 | 0x4000;
    const NO_HUGE_PAGE: usize = 15;
    #[cfg(test)]
    if let Some(address) = of_this_test::again(bytes) {
        return Ok(address);
    }
    // SAFETY: a new anonymous mapping at an address of the kernel's choice.
    let address = unsafe { syscall!(MMAP, 0, bytes, READ_WRITE, PRIVATE_ANONYMOUS_NORESERVE, usize::MAX, 0) };
    if address <= 0 {
        return Err(OutOfMemory);
    }
    // Tables are touched sparsely: a huge page would make 2 MB resident for a few bytes.
    // SAFETY: advice on the mapping made above; a failure changes nothing.
    unsafe { syscall!(MADVISE, address, bytes, NO_HUGE_PAGE) };
    MAPPED.fetch_add(bytes as u64, Ordering::Relaxed);
    #[cfg(test)]
    of_this_test::note(address as usize, bytes);
    Ok(address as *mut u8)
}

/// Makes all pages of a mapping resident at once, for tables that are touched all
/// over. A page that is read first is mapped twice, to the kernel's page of zeroes
/// and then to one of its own, which stops the other processors for a moment.
pub(crate) fn populate(address: *mut u8, bytes: usize) {
    const POPULATE_WRITE: usize = 23;
    // SAFETY: advice on a mapping of ours; before Linux 5.14 it is unknown and changes nothing.
    unsafe { syscall!(MADVISE, address, bytes, POPULATE_WRITE) };
}

/// Makes a mapping longer, perhaps elsewhere, with its contents.
///
/// # Safety
/// `address` and `bytes` are a whole mapping made by [`map`], and nothing uses its old address.
unsafe fn lengthen(address: *mut u8, bytes: usize, to: usize) -> Result<*mut u8, OutOfMemory> {
    const MAY_MOVE: usize = 1;
    #[cfg(test)]
    of_this_test::forget(address as usize);
    // SAFETY: the caller says that the mapping is its own. The kernel moves its pages.
    let moved = unsafe { syscall!(MREMAP, address, bytes, to, MAY_MOVE) };
    #[cfg(test)]
    of_this_test::note(if moved > 0 { moved as usize } else { address as usize }, to);
    if moved <= 0 {
        return Err(OutOfMemory);
    }
    MAPPED.fetch_add((to - bytes) as u64, Ordering::Relaxed);
    MOVED.fetch_add(1, Ordering::Relaxed);
    Ok(moved as *mut u8)
}

/// Gives a mapping back.
///
/// # Safety
/// `address` and `bytes` are a whole mapping made by [`map`], and nothing uses it.
pub unsafe fn unmap(address: *mut u8, bytes: usize) {
    #[cfg(test)]
    of_this_test::forget(address as usize);
    // SAFETY: the caller says that the mapping is its own and unused.
    unsafe { syscall!(MUNMAP, address, bytes) };
    MAPPED.fetch_sub(bytes as u64, Ordering::Relaxed);
    MOVED.fetch_add(1, Ordering::Relaxed);
}

/// What a test has mapped, so that thousands of recorders do not add up.
#[cfg(test)]
pub(crate) mod of_this_test {
    use std::cell::RefCell;

    thread_local! {
        static MAPPED: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
        static UNUSED: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(address: usize, bytes: usize) {
        MAPPED.with_borrow_mut(|mapped| mapped.push((address, bytes)));
    }

    pub(super) fn forget(address: usize) {
        MAPPED.with_borrow_mut(|mapped| mapped.retain(|other| other.0 != address));
    }

    /// A zeroed mapping that was given back.
    pub(super) fn again(bytes: usize) -> Option<*mut u8> {
        UNUSED.with_borrow_mut(|unused| {
            let at = unused.iter().rposition(|other| other.1 == bytes)?;
            let (address, bytes) = unused.swap_remove(at);
            note(address, bytes);
            Some(address as *mut u8)
        })
    }

    /// Takes back all that this thread has mapped, for its next recorder.
    ///
    /// # Safety
    /// Nothing uses it any more.
    pub(crate) unsafe fn unmap_all() {
        const DONTNEED: usize = 4;
        for (address, bytes) in MAPPED.take() {
            // SAFETY: a whole mapping of this thread's, which the caller says is unused;
            // the kernel makes it zeroes again.
            unsafe { crate::syscall!(MADVISE, address, bytes, DONTNEED) };
            UNUSED.with_borrow_mut(|unused| unused.push((address, bytes)));
        }
    }
}

/// Types that are valid when all their bytes are zero.
///
/// # Safety
/// All-zero bytes must be a valid value.
pub unsafe trait Zeroed {}

// SAFETY: zero is an integer.
unsafe impl Zeroed for u8 {}
// SAFETY: zero is an integer.
unsafe impl Zeroed for u32 {}
// SAFETY: zero is an integer.
unsafe impl Zeroed for u64 {}

const SMALL_SEGMENT: usize = 64 << 10;

/// A table that grows in place by segments and never moves, so that threads
/// may read it while another makes it longer. `SEGMENTS` segments of `LEN`
/// rows at the most; rows begin zeroed. Small segments are made resident at once.
pub struct Segmented<T, const LEN: usize, const SEGMENTS: usize> {
    segments: [AtomicPtr<T>; SEGMENTS],
}

// SAFETY: an array of null pointers is an empty table.
unsafe impl<T, const LEN: usize, const SEGMENTS: usize> Zeroed for Segmented<T, LEN, SEGMENTS> {}

impl<T: Zeroed, const LEN: usize, const SEGMENTS: usize> Segmented<T, LEN, SEGMENTS> {
    /// Rows that fit at the most.
    pub const CAPACITY: usize = LEN * SEGMENTS;

    /// Row `index`, which [`Segmented::ensure`] has made.
    ///
    /// # Safety
    /// `ensure(index)` has succeeded.
    #[inline(always)]
    pub unsafe fn get(&self, index: usize) -> &T {
        // SAFETY: the row exists, so its segment number is in range and its pointer set.
        unsafe {
            let segment = self.segments.get_unchecked(index / LEN).load(Ordering::Acquire);
            &*segment.add(index % LEN)
        }
    }

    /// Row `index` if it was made.
    #[inline]
    pub fn try_get(&self, index: usize) -> Option<&T> {
        let segment = self.segments.get(index / LEN)?.load(Ordering::Acquire);
        // SAFETY: a segment holds LEN rows.
        (!segment.is_null()).then(|| unsafe { &*segment.add(index % LEN) })
    }

    /// Makes row `index` exist.
    pub fn ensure(&self, index: usize) -> Result<&T, OutOfMemory> {
        let place = self.segments.get(index / LEN).ok_or(OutOfMemory)?;
        if place.load(Ordering::Acquire).is_null() {
            let bytes = LEN * size_of::<T>();
            let fresh = map(bytes)?;
            if bytes <= SMALL_SEGMENT {
                populate(fresh, bytes);
            }
            let set =
                place.compare_exchange(ptr::null_mut(), fresh.cast(), Ordering::AcqRel, Ordering::Acquire);
            if set.is_err() {
                // SAFETY: another thread was first; nobody has seen our mapping.
                unsafe { unmap(fresh, bytes) };
            }
        }
        // SAFETY: the segment was set, by us or another thread.
        Ok(unsafe { self.get(index) })
    }
}

/// A growable array in mapped memory, used by one thread or under one lock.
pub struct PageVec<T> {
    data: *mut T,
    len: usize,
    capacity: usize,
    _owns: PhantomData<T>,
}

// SAFETY: a null array of capacity 0 is empty.
unsafe impl<T> Zeroed for PageVec<T> {}

impl<T> Default for PageVec<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> PageVec<T> {
    /// An empty array without memory.
    pub const fn new() -> Self {
        PageVec { data: ptr::null_mut(), len: 0, capacity: 0, _owns: PhantomData }
    }

    /// The elements.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: `len` elements were written.
        unsafe { core::slice::from_raw_parts(self.data, self.len) }
    }

    /// The elements, to change.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if self.data.is_null() {
            return &mut [];
        }
        // SAFETY: `len` elements were written, and `self` is borrowed alone.
        unsafe { core::slice::from_raw_parts_mut(self.data, self.len) }
    }

    /// Elements in the array.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the array is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Pointer to the first element.
    #[inline(always)]
    pub fn data(&self) -> *mut T {
        self.data
    }

    /// Elements that fit without growing.
    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes room for `capacity` elements in all.
    pub fn reserve(&mut self, capacity: usize) -> Result<(), OutOfMemory> {
        if capacity <= self.capacity {
            return Ok(());
        }
        let page = (4096 / size_of::<T>()).max(1);
        let capacity = capacity.max(self.capacity * 2).max(page);
        let bytes = capacity.checked_mul(size_of::<T>()).ok_or(OutOfMemory)?;
        let fresh = match self.data.is_null() {
            true => map(bytes)?,
            // SAFETY: the old mapping was made here with this size and is reached through `data` alone.
            false => unsafe { lengthen(self.data.cast(), self.capacity * size_of::<T>(), bytes)? },
        };
        self.data = fresh.cast();
        self.capacity = capacity;
        Ok(())
    }

    /// Appends an element.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), OutOfMemory> {
        if self.len == self.capacity {
            self.reserve(self.len + 1)?;
        }
        // SAFETY: there is room for one more.
        unsafe { self.data.add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    /// Takes the last element out.
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: the element was written and is now out of the array.
        Some(unsafe { self.data.add(self.len).read() })
    }

    /// Forgets every element but keeps the memory. Elements are not dropped.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Keeps the first `len` elements. The others are not dropped.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Inserts an element before position `at`.
    pub fn insert(&mut self, at: usize, value: T) -> Result<(), OutOfMemory> {
        self.reserve(self.len + 1)?;
        let at = at.min(self.len);
        // SAFETY: room for one more was made; the ranges lie in the array.
        unsafe {
            let place = self.data.add(at);
            ptr::copy(place, place.add(1), self.len - at);
            place.write(value);
        }
        self.len += 1;
        Ok(())
    }

    /// Takes the elements of `from..to` out. They are not dropped.
    pub fn remove_range(&mut self, from: usize, to: usize) {
        let to = to.min(self.len);
        if from >= to {
            return;
        }
        // SAFETY: the ranges lie in the array.
        unsafe { ptr::copy(self.data.add(to), self.data.add(from), self.len - to) };
        self.len -= to - from;
    }
}

impl<T: Zeroed> PageVec<T> {
    /// `len` elements that are all zeroes, in memory that is there already.
    pub fn zeroed(len: usize) -> Result<Self, OutOfMemory> {
        let mut array = Self::new();
        // Fresh pages are zeroed, and a new array has no others.
        array.reserve(len)?;
        populate(array.data.cast(), array.capacity * size_of::<T>());
        array.len = len;
        Ok(array)
    }
}

impl<T: Copy> PageVec<T> {
    /// Appends all of `values`.
    pub fn extend(&mut self, values: &[T]) -> Result<(), OutOfMemory> {
        self.reserve(self.len + values.len())?;
        if !values.is_empty() {
            // SAFETY: there is room, and `values` is not part of this array.
            unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.data.add(self.len), values.len()) };
        }
        self.len += values.len();
        Ok(())
    }
}

impl<T> Drop for PageVec<T> {
    fn drop(&mut self) {
        if !self.data.is_null() {
            // SAFETY: the mapping was made here with this size and is not used again.
            unsafe { unmap(self.data.cast(), self.capacity * size_of::<T>()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_vec_grows_and_keeps_its_order() {
        let mut array = PageVec::new();
        for value in 0..10_000u32 {
            array.push(value).unwrap();
        }
        array.insert(5, 77).unwrap();
        array.remove_range(0, 5);
        assert_eq!(array.as_slice()[..3], [77, 5, 6]);
        assert_eq!(array.len(), 9996);
        assert_eq!(array.pop(), Some(9999));
    }

    #[test]
    fn a_segmented_table_makes_rows_where_asked() {
        // SAFETY: a table of null pointers is empty.
        let table: Segmented<u64, 512, 8> = unsafe { core::mem::zeroed() };
        assert!(table.try_get(600).is_none());
        assert_eq!(table.ensure(600).copied(), Ok(0));
        assert!(table.try_get(600).is_some());
        assert_eq!(table.ensure(512 * 8), Err(OutOfMemory));
    }
}
