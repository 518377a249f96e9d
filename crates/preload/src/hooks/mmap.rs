//! Memory that the program maps itself.
//!
//! Anonymous private maps that can be read or written are allocations. Maps
//! without access only reserve addresses and are not counted, files are listed
//! apart, shared memory belongs to nobody alone. What an allocator maps while
//! it serves an allocation is its arena: reserved, and counted by what is put
//! in it. The C library's own calls (large `malloc`s, thread stacks, the
//! loading of libraries) do not come through here.

use core::ffi::{c_int, c_void};

use memsight_recorder::Recorder;
use memsight_recorder::maps::Purpose;
use memsight_recorder::thread::Within;

use crate::real;
use crate::session::{enter, enter_to_allocate, session};
use crate::tls::{self, Local};

#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    address: *mut c_void,
    bytes: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    let Some(real) = real::mmap() else { return libc::MAP_FAILED };
    let call = || {
        // SAFETY: the caller's own arguments.
        unsafe { real(address, bytes, protection, flags, file, offset) }
    };
    let anonymous = flags & libc::MAP_ANONYMOUS != 0;
    let private = flags & libc::MAP_TYPE == libc::MAP_PRIVATE;
    let Some(inside) = enter_to_allocate(false) else {
        let map = call();
        if anonymous && private && map != libc::MAP_FAILED {
            note_arena(map, bytes);
        }
        return map;
    };
    let map = inside.thread.within_real(call);
    if map == libc::MAP_FAILED {
        return map;
    }
    // The kernel maps whole pages, and only whole pages can be given back.
    let bytes = whole_pages(bytes);
    if flags & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) != 0 {
        inside.recorder().unmapped(map as usize, bytes);
    }
    if !anonymous {
        inside.recorder().mapped_file(map as usize, bytes);
    } else if private && protection & (libc::PROT_READ | libc::PROT_WRITE) != 0 {
        let node = inside.session().python.node(&inside, false);
        // SAFETY: the node is the calling thread's.
        unsafe { inside.recorder().mapped_block(node, map as usize, bytes) };
    }
    map
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mmap64(
    address: *mut c_void,
    bytes: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    // SAFETY: on x86-64 the two are one.
    unsafe { mmap(address, bytes, protection, flags, file, offset) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(address: *mut c_void, bytes: usize) -> c_int {
    let Some(real) = real::munmap() else { return -1 };
    if address as usize & 4095 == 0 && bytes != 0 {
        match enter() {
            Some(inside) => {
                inside.recorder().unmapped(address as usize, whole_pages(bytes));
            }
            None => forget_arena(address, bytes),
        }
    }
    // SAFETY: the caller's own arguments.
    unsafe { real(address, bytes) }
}

// C declares the last argument variadic; the calling convention passes it in
// the same register either way.
#[unsafe(no_mangle)]
unsafe extern "C" fn mremap(
    old: *mut c_void,
    old_bytes: usize,
    new_bytes: usize,
    flags: c_int,
    target: *mut c_void,
) -> *mut c_void {
    let Some(real) = real::mremap() else { return libc::MAP_FAILED };
    let call = || {
        // SAFETY: the caller's own arguments.
        unsafe { real(old, old_bytes, new_bytes, flags, target) }
    };
    let Some(inside) = enter_to_allocate(false) else { return call() };
    let new = inside.thread.within_real(call);
    if new == libc::MAP_FAILED {
        return new;
    }
    if flags & libc::MREMAP_FIXED != 0 {
        inside.recorder().unmapped(target as usize, whole_pages(new_bytes));
    }
    let purpose = inside.recorder().unmapped(old as usize, whole_pages(old_bytes));
    let new_bytes = whole_pages(new_bytes);
    match purpose {
        Some(Purpose::Block(_)) => {
            let node = inside.session().python.node(&inside, false);
            // SAFETY: the node is the calling thread's.
            unsafe { inside.recorder().mapped_block(node, new as usize, new_bytes) };
        }
        Some(Purpose::Arena) => inside.recorder().mapped_arena(new as usize, new_bytes),
        Some(Purpose::File) => inside.recorder().mapped_file(new as usize, new_bytes),
        None => {}
    }
    new
}

/// Calls `change` if the thread is serving an allocation. A signal handler that
/// maps memory while the tables are locked must not go on.
fn while_serving(change: impl FnOnce(&Recorder)) {
    if let Some(recorder) = session().recorder()
        && recorder.is_on()
        && let Local::Row(thread) = tls::get()
        && thread.within() == Within::RealCall
    {
        thread.back_from_real(|| change(recorder));
    }
}

fn note_arena(map: *mut c_void, bytes: usize) {
    while_serving(|recorder| recorder.mapped_arena(map as usize, whole_pages(bytes)));
}

fn forget_arena(map: *mut c_void, bytes: usize) {
    while_serving(|recorder| recorder.unmapped_arena(map as usize, whole_pages(bytes)));
}

fn whole_pages(bytes: usize) -> usize {
    bytes.saturating_add(4095) & !4095
}
