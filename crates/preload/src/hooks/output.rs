//! `write`, for what a traced program prints; nothing of it is recorded.

use core::ffi::{c_int, c_void};

use crate::real;
use crate::session::session;
use crate::steps::{self, Stage};

#[unsafe(no_mangle)]
unsafe extern "C" fn write(descriptor: c_int, bytes: *const c_void, count: usize) -> isize {
    let written = match real::write() {
        // SAFETY: the caller's own arguments.
        Some(real) => unsafe { real(descriptor, bytes, count) },
        // SAFETY: as above; before anything was set up there is no other to ask.
        None => return unsafe { libc::syscall(libc::SYS_write, descriptor, bytes, count) as isize },
    };
    if steps::stage() == Stage::On && written > 0 && !bytes.is_null() && session().is_this_process() {
        // SAFETY: the kernel has just read so many bytes there.
        steps::output::wrote(descriptor, unsafe {
            core::slice::from_raw_parts(bytes.cast(), written as usize)
        });
    }
    written
}
