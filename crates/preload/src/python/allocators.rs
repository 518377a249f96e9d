//! CPython's three allocation domains, wrapped with `PyMem_SetAllocator`.
//!
//! A wrapper stands before whatever allocator is in place. Python may put
//! others there while it starts (`PYTHONMALLOC`, `-X dev`), and those may in
//! turn stand before ours (`tracemalloc`, debug hooks). So each wrapping is a
//! layer with a memory of its own of what it wraps: a call that comes through
//! two of them is recorded by the outer one and passes through the inner one.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};

use memsight_capture::Domain;

use crate::hooks::malloc::record_free;
use crate::session::enter_to_allocate;
use crate::steps;

/// `PyMemAllocatorEx` (`cpython/pymem.h`).
#[repr(C)]
#[derive(Clone, Copy)]
struct Allocator {
    ctx: *mut c_void,
    malloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    calloc: unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void),
}

/// What is wrapped, for each domain in CPython's order.
type Layer = [Option<Allocator>; 3];

struct Layers(UnsafeCell<[Layer; LAYERS]>);

// SAFETY: a layer is written before CPython is told of it, while one thread
// starts the interpreter, and only read afterwards.
unsafe impl Sync for Layers {}

/// Python sets its allocators a few times at the most.
const LAYERS: usize = 8;

static WRAPPED: Layers = Layers(UnsafeCell::new([[None; 3]; LAYERS]));
static USED: AtomicUsize = AtomicUsize::new(0);

/// CPython's `PyMemAllocatorDomain`.
const DOMAINS: [Domain; 3] = [Domain::Raw, Domain::Mem, Domain::Object];

type Access = unsafe extern "C" fn(c_int, *mut Allocator);

/// Wraps the allocators that are not ours.
/// With `seen`, a trace is told of each block as well.
pub(super) fn wrap(seen: bool) {
    static SYMBOLS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    for (place, name) in SYMBOLS.iter().zip([c"PyMem_GetAllocator", c"PyMem_SetAllocator"]) {
        if place.load(Ordering::Relaxed) == 0 {
            place.store(super::symbol(name), Ordering::Relaxed);
        }
    }
    let [get, set] = SYMBOLS.each_ref().map(|place| place.load(Ordering::Relaxed));
    if get == 0 || set == 0 {
        return;
    }
    // SAFETY: both have this type since CPython 3.4.
    let (get, set) = unsafe { (mem::transmute::<usize, Access>(get), mem::transmute::<usize, Access>(set)) };
    let mut fresh: Layer = [None; 3];
    for (number, place) in fresh.iter_mut().enumerate() {
        let mut current = mem::MaybeUninit::<Allocator>::uninit();
        // SAFETY: it writes the domain's allocator, which is always set.
        let current = unsafe {
            get(number as c_int, current.as_mut_ptr());
            current.assume_init()
        };
        if current.malloc as usize != wrapper(number, seen).malloc as usize {
            *place = Some(current);
        }
    }
    if fresh.iter().all(Option::is_none) {
        return;
    }
    let layer = USED.load(Ordering::Relaxed);
    if layer == LAYERS {
        return;
    }
    USED.store(layer + 1, Ordering::Relaxed);
    // SAFETY: nobody reads this layer before `set` below.
    let stored = unsafe { &mut (*WRAPPED.0.get())[layer] };
    *stored = fresh;
    for (number, place) in stored.iter_mut().enumerate() {
        if let Some(wrapped) = place {
            let mut ours = Allocator { ctx: core::ptr::from_mut(wrapped).cast(), ..wrapper(number, seen) };
            // SAFETY: the wrapper's functions take the wrapped allocator as their context.
            unsafe { set(number as c_int, &mut ours) };
        }
    }
}

fn wrapper(number: usize, seen: bool) -> Allocator {
    macro_rules! wrapper_of {
        ($number:literal, $seen:literal) => {
            Allocator {
                ctx: core::ptr::null_mut(),
                malloc: malloc::<$number, $seen>,
                calloc: calloc::<$number, $seen>,
                realloc: realloc::<$number, $seen>,
                free: free::<$number, $seen>,
            }
        };
    }
    match (number, seen) {
        (0, _) => wrapper_of!(0, false),
        (1, false) => wrapper_of!(1, false),
        (1, true) => wrapper_of!(1, true),
        (_, false) => wrapper_of!(2, false),
        (_, true) => wrapper_of!(2, true),
    }
}

/// The raw domain may be used without the GIL.
const fn has_gil(number: usize) -> bool {
    number != 0
}

unsafe extern "C" fn malloc<const N: usize, const SEEN: bool>(ctx: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: the context is the wrapped allocator.
    let wrapped = unsafe { &*ctx.cast::<Allocator>() };
    // SAFETY: the caller's own argument, and the wrapped allocator's own context.
    let real = || unsafe { (wrapped.malloc)(wrapped.ctx, bytes) };
    let Some(inside) = enter_to_allocate(has_gil(N)) else { return real() };
    let block = inside.thread.within_real(real);
    inside.record(DOMAINS[N], block, bytes, has_gil(N));
    if SEEN {
        steps::allocated(block as usize, bytes);
    }
    block
}

unsafe extern "C" fn calloc<const N: usize, const SEEN: bool>(
    ctx: *mut c_void,
    count: usize,
    each: usize,
) -> *mut c_void {
    // SAFETY: the context is the wrapped allocator.
    let wrapped = unsafe { &*ctx.cast::<Allocator>() };
    // SAFETY: the caller's own arguments, and the wrapped allocator's own context.
    let real = || unsafe { (wrapped.calloc)(wrapped.ctx, count, each) };
    let Some(inside) = enter_to_allocate(has_gil(N)) else { return real() };
    let block = inside.thread.within_real(real);
    inside.record(DOMAINS[N], block, count.saturating_mul(each), has_gil(N));
    if SEEN {
        steps::allocated(block as usize, count.saturating_mul(each));
    }
    block
}

unsafe extern "C" fn realloc<const N: usize, const SEEN: bool>(
    ctx: *mut c_void,
    old: *mut c_void,
    bytes: usize,
) -> *mut c_void {
    // SAFETY: the context is the wrapped allocator.
    let wrapped = unsafe { &*ctx.cast::<Allocator>() };
    // SAFETY: the caller's own arguments, and the wrapped allocator's own context.
    let real = || unsafe { (wrapped.realloc)(wrapped.ctx, old, bytes) };
    let Some(inside) = enter_to_allocate(has_gil(N)) else { return real() };
    let new = inside.reallocate(DOMAINS[N], old, bytes, has_gil(N), real);
    if SEEN {
        steps::reallocated(old as usize, new as usize, bytes);
    }
    new
}

unsafe extern "C" fn free<const N: usize, const SEEN: bool>(ctx: *mut c_void, block: *mut c_void) {
    // SAFETY: the context is the wrapped allocator.
    let wrapped = unsafe { &*ctx.cast::<Allocator>() };
    if SEEN {
        steps::freed(block as usize, DOMAINS[N] == Domain::Object);
    }
    record_free(block, has_gil(N));
    // SAFETY: the caller's own argument, and the wrapped allocator's own context.
    unsafe { (wrapped.free)(wrapped.ctx, block) }
}
