//! The functions that the program calls instead of the C library's.

pub(crate) mod malloc;
mod mmap;
mod output;
mod process;
pub(crate) mod signals;
