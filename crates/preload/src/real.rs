//! The functions that ours stand before: what the program would have called.
//!
//! They are found with `dlsym(RTLD_NEXT, …)`, so a program that brings
//! jemalloc or mimalloc keeps it. The first allocation of a process can come
//! before anything was set up, and `dlsym` itself may allocate: what is asked
//! for meanwhile comes from a small arena that is never given back.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

macro_rules! real_functions {
    ($($name:ident: $symbol:literal, fn($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        struct Table { $($name: AtomicPtr<c_void>,)* }

        static TABLE: Table = Table { $($name: AtomicPtr::new(ptr::null_mut()),)* };

        fn resolve_all() {
            $(TABLE.$name.store(next($symbol), Ordering::Release);)*
        }

        $(
            #[doc = concat!("The program's own `", stringify!($name), "`, if it has one.")]
            #[inline(always)]
            pub(crate) fn $name() -> Option<unsafe extern "C" fn($($arg),*) $(-> $ret)?> {
                let mut found = TABLE.$name.load(Ordering::Acquire);
                if found.is_null() && !IS_RESOLVED.load(Ordering::Acquire) {
                    resolve();
                    found = TABLE.$name.load(Ordering::Acquire);
                }
                // SAFETY: the symbol's type is the one that the C library documents; null is None.
                unsafe { mem::transmute::<*mut c_void, Option<unsafe extern "C" fn($($arg),*) $(-> $ret)?>>(found) }
            }
        )*
    };
}

type Args = *const *const c_char;

real_functions! {
    malloc: c"malloc", fn(usize) -> *mut c_void;
    calloc: c"calloc", fn(usize, usize) -> *mut c_void;
    realloc: c"realloc", fn(*mut c_void, usize) -> *mut c_void;
    reallocarray: c"reallocarray", fn(*mut c_void, usize, usize) -> *mut c_void;
    free: c"free", fn(*mut c_void);
    memalign: c"memalign", fn(usize, usize) -> *mut c_void;
    posix_memalign: c"posix_memalign", fn(*mut *mut c_void, usize, usize) -> c_int;
    aligned_alloc: c"aligned_alloc", fn(usize, usize) -> *mut c_void;
    valloc: c"valloc", fn(usize) -> *mut c_void;
    pvalloc: c"pvalloc", fn(usize) -> *mut c_void;
    free_sized: c"free_sized", fn(*mut c_void, usize);
    free_aligned_sized: c"free_aligned_sized", fn(*mut c_void, usize, usize);
    malloc_usable_size: c"malloc_usable_size", fn(*mut c_void) -> usize;
    mmap: c"mmap", fn(*mut c_void, usize, c_int, c_int, c_int, i64) -> *mut c_void;
    munmap: c"munmap", fn(*mut c_void, usize) -> c_int;
    mremap: c"mremap", fn(*mut c_void, usize, usize, c_int, *mut c_void) -> *mut c_void;
    sigaction: c"sigaction", fn(c_int, *const c_void, *mut c_void) -> c_int;
    signal: c"signal", fn(c_int, usize) -> usize;
    write: c"write", fn(c_int, *const c_void, usize) -> isize;
    fork: c"fork", fn() -> c_int;
    execve: c"execve", fn(*const c_char, Args, Args) -> c_int;
    execvpe: c"execvpe", fn(*const c_char, Args, Args) -> c_int;
    fexecve: c"fexecve", fn(c_int, Args, Args) -> c_int;
    posix_spawn: c"posix_spawn", fn(*mut c_int, *const c_char, *const c_void, *const c_void, Args, Args) -> c_int;
    posix_spawnp: c"posix_spawnp", fn(*mut c_int, *const c_char, *const c_void, *const c_void, Args, Args) -> c_int;
    system: c"system", fn(*const c_char) -> c_int;
    popen: c"popen", fn(*const c_char, *const c_char) -> *mut c_void;
}

fn next(symbol: &CStr) -> *mut c_void {
    // SAFETY: dlsym takes a handle and a name.
    unsafe { libc::dlsym(libc::RTLD_NEXT, symbol.as_ptr()) }
}

/// What is not found by then is not there. A child of `fork` must not ask again:
/// another thread may have been at it, and that one is not in the child.
static IS_RESOLVED: AtomicBool = AtomicBool::new(false);

/// The thread that resolves, so that its own allocations are told from others'.
static RESOLVING: AtomicU32 = AtomicU32::new(0);

/// Finds all real functions. A thread that comes here while another is at it
/// waits; one that comes here again from within `dlsym` passes, and finds none.
#[cold]
fn resolve() {
    let me = memsight_recorder::sys::tid();
    if RESOLVING.load(Ordering::Acquire) == me {
        return;
    }
    while RESOLVING.compare_exchange(0, me, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        memsight_recorder::sys::yield_now();
    }
    if !IS_RESOLVED.load(Ordering::Acquire) {
        resolve_all();
        IS_RESOLVED.store(true, Ordering::Release);
    }
    RESOLVING.store(0, Ordering::Release);
}

const ARENA: usize = 64 << 10;

#[repr(align(16))]
struct Arena(core::cell::UnsafeCell<[u8; ARENA]>);

// SAFETY: every byte is handed out once, by an atomic counter.
unsafe impl Sync for Arena {}

static BOOTSTRAP: Arena = Arena(core::cell::UnsafeCell::new([0; ARENA]));
static BOOTSTRAP_USED: AtomicUsize = AtomicUsize::new(0);

/// Zeroed memory for what allocates before the real functions are known.
/// A block's size stands in the 16 bytes before it.
#[cold]
pub(crate) fn bootstrap_alloc(bytes: usize) -> *mut c_void {
    let Some(whole) = bytes.checked_add(31).map(|sum| sum & !15) else { return ptr::null_mut() };
    let start = BOOTSTRAP_USED.fetch_add(whole, Ordering::Relaxed);
    if start.checked_add(whole).is_none_or(|end| end > ARENA) {
        return ptr::null_mut();
    }
    let base = BOOTSTRAP.0.get().cast::<u8>();
    // SAFETY: `start..start + whole` lies in the arena and is handed out once.
    unsafe {
        base.add(start).cast::<usize>().write(bytes);
        base.add(start + 16).cast()
    }
}

/// The size of a bootstrap block, or `None` if the address is not one.
#[inline(always)]
pub(crate) fn bootstrap_size(address: *mut c_void) -> Option<usize> {
    let offset = (address as usize).wrapping_sub(BOOTSTRAP.0.get() as usize);
    // SAFETY: a block's size stands before it.
    (offset < ARENA).then(|| unsafe { address.cast::<usize>().sub(2).read() })
}
