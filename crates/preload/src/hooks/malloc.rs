//! The `malloc` family.
//!
//! Each hook reads the same: enter, real call, record, leave. What the real
//! function calls in turn (and what CPython's allocator asks of `malloc` on
//! behalf of an object) finds the thread inside and passes by, so an
//! allocation counts once, at the outermost layer. `errno` is the real
//! function's: recording makes system calls without the C library.

use core::ffi::{c_int, c_void};
use core::ptr;

use memsight_capture::Domain;

use crate::real;
use crate::session::{Inside, enter, enter_to_allocate};

/// Calls the real allocator and records what it gave.
#[inline(always)]
fn allocate(bytes: usize, real: impl FnOnce() -> *mut c_void) -> *mut c_void {
    let Some(inside) = enter_to_allocate(false) else { return real() };
    let block = inside.thread.within_real(real);
    inside.record(Domain::Malloc, block, bytes, false);
    block
}

impl Inside {
    /// Records an allocation that succeeded.
    #[inline(always)]
    pub(crate) fn record(&self, domain: Domain, block: *mut c_void, bytes: usize, with_gil: bool) {
        if block.is_null() {
            if with_gil {
                self.session().note_out_of_memory();
            }
            return;
        }
        let python = &self.session().python;
        let node = python.node(self, with_gil);
        let (address, with_gil) = (block as usize, with_gil && python.has_one_gil());
        // SAFETY: the thread is the calling one and inside; the node is its own.
        unsafe { self.recorder().allocated(self.thread, node, domain, address, bytes, with_gil) };
    }

    /// Calls the real `realloc` and records what it did: one free and one
    /// allocation, or nothing if it failed.
    #[inline(always)]
    pub(crate) fn reallocate(
        &self,
        domain: Domain,
        old: *mut c_void,
        bytes: usize,
        with_gil: bool,
        real: impl FnOnce() -> *mut c_void,
    ) -> *mut c_void {
        // Taken out before the real call: once that gave the old block back,
        // another thread may be given its address.
        let taken = if old.is_null() { None } else { self.recorder().take(old as usize) };
        let new = self.thread.within_real(real);
        // glibc's realloc(p, 0) frees and gives NULL; Python's never does.
        if new.is_null() && (bytes != 0 || domain != Domain::Malloc) {
            if let Some(block) = taken {
                self.recorder().restore(old as usize, block);
            }
            if with_gil {
                self.session().note_out_of_memory();
            }
            return new;
        }
        if let Some(block) = taken {
            let with_gil = with_gil && self.session().python.has_one_gil();
            self.recorder().release(Some(self.thread), old as usize, block, with_gil);
        }
        self.record(domain, new, bytes, with_gil);
        new
    }
}

/// Records a free; the caller makes the real one after it.
#[inline(always)]
pub(crate) fn record_free(block: *mut c_void, with_gil: bool) {
    if !block.is_null()
        && let Some(inside) = enter()
    {
        let with_gil = with_gil && inside.session().python.has_one_gil();
        inside.recorder().freed(Some(inside.thread), block as usize, with_gil);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(bytes: usize) -> *mut c_void {
    let Some(real) = real::malloc() else { return real::bootstrap_alloc(bytes) };
    // SAFETY: the caller's own arguments.
    allocate(bytes, || unsafe { real(bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, each: usize) -> *mut c_void {
    let bytes = count.saturating_mul(each);
    let Some(real) = real::calloc() else { return real::bootstrap_alloc(bytes) };
    // SAFETY: the caller's own arguments.
    allocate(bytes, || unsafe { real(count, each) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, bytes: usize) -> *mut c_void {
    let Some(real) = real::realloc() else { return real::bootstrap_alloc(bytes) };
    if let Some(size) = real::bootstrap_size(old) {
        // SAFETY: both blocks hold what is copied.
        return unsafe { move_from_bootstrap(old, size, bytes) };
    }
    let Some(inside) = enter_to_allocate(false) else {
        // SAFETY: the caller's own arguments.
        return unsafe { real(old, bytes) };
    };
    // SAFETY: the caller's own arguments.
    inside.reallocate(Domain::Malloc, old, bytes, false, || unsafe { real(old, bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn reallocarray(old: *mut c_void, count: usize, each: usize) -> *mut c_void {
    let Some(bytes) = count.checked_mul(each) else {
        let Some(real) = real::reallocarray() else { return ptr::null_mut() };
        // SAFETY: the caller's own arguments; it fails and sets errno.
        return unsafe { real(old, count, each) };
    };
    // SAFETY: the same block and the same size in bytes.
    unsafe { realloc(old, bytes) }
}

/// # Safety
/// `old` is a bootstrap block of `size` bytes.
unsafe fn move_from_bootstrap(old: *mut c_void, size: usize, bytes: usize) -> *mut c_void {
    // SAFETY: malloc takes any size; both blocks hold the smaller of both.
    unsafe {
        let new = malloc(bytes);
        if !new.is_null() {
            ptr::copy_nonoverlapping(old.cast::<u8>(), new.cast::<u8>(), size.min(bytes));
        }
        new
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    if real::bootstrap_size(block).is_some() {
        return;
    }
    record_free(block, false);
    if let Some(real) = real::free() {
        // SAFETY: the caller's own argument.
        unsafe { real(block) }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cfree(block: *mut c_void) {
    // SAFETY: glibc's cfree was free.
    unsafe { free(block) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free_sized(block: *mut c_void, bytes: usize) {
    record_free(block, false);
    // SAFETY: the caller's own arguments; C23 lets free stand for free_sized.
    unsafe {
        match real::free_sized() {
            Some(real) => real(block, bytes),
            None => free(block),
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free_aligned_sized(block: *mut c_void, alignment: usize, bytes: usize) {
    record_free(block, false);
    // SAFETY: the caller's own arguments; C23 lets free stand for free_aligned_sized.
    unsafe {
        match real::free_aligned_sized() {
            Some(real) => real(block, alignment, bytes),
            None => free(block),
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(alignment: usize, bytes: usize) -> *mut c_void {
    let Some(real) = real::memalign() else { return ptr::null_mut() };
    // SAFETY: the caller's own arguments.
    allocate(bytes, || unsafe { real(alignment, bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(alignment: usize, bytes: usize) -> *mut c_void {
    let Some(real) = real::aligned_alloc() else { return ptr::null_mut() };
    // SAFETY: the caller's own arguments.
    allocate(bytes, || unsafe { real(alignment, bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, alignment: usize, bytes: usize) -> c_int {
    let Some(real) = real::posix_memalign() else { return libc::ENOMEM };
    let Some(inside) = enter_to_allocate(false) else {
        // SAFETY: the caller's own arguments.
        return unsafe { real(place, alignment, bytes) };
    };
    // SAFETY: the caller's own arguments.
    let result = inside.thread.within_real(|| unsafe { real(place, alignment, bytes) });
    if result == 0 {
        // SAFETY: on success a block was written there.
        inside.record(Domain::Malloc, unsafe { *place }, bytes, false);
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn valloc(bytes: usize) -> *mut c_void {
    let Some(real) = real::valloc() else { return ptr::null_mut() };
    // SAFETY: the caller's own arguments.
    allocate(bytes, || unsafe { real(bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pvalloc(bytes: usize) -> *mut c_void {
    let Some(real) = real::pvalloc() else { return ptr::null_mut() };
    // SAFETY: the caller's own arguments.
    allocate(bytes, || unsafe { real(bytes) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    if let Some(bytes) = real::bootstrap_size(block) {
        return bytes;
    }
    // SAFETY: the caller's own argument.
    real::malloc_usable_size().map_or(0, |real| unsafe { real(block) })
}
