//! The library that `memsight run` preloads into a program.
//!
//! * `hooks` are the functions that the program calls instead of the C
//!   library's: each enters the recorder, makes the real call, records, leaves,
//! * `python` wraps CPython's allocators and reads its frames,
//! * `session` is the recording of this process, from the environment that
//!   `memsight run` set to its end,
//! * `writer` is a process of its own that shares this one's memory and
//!   writes the capture,
//! * `graph` takes a snapshot of the object graph, in a copy of the process,
//! * `steps` is a trace for `memsight view`, taken in the process itself,
//! * `environment` is what a program sees that this one starts,
//! * `real` finds the functions that ours stand before.
//!
//! The library needs nothing but the C library at load time: it goes into
//! programs that are not Python, and one file serves every CPython. Nothing in
//! here may allocate, panic or keep the program waiting; where something is not
//! as expected, recording stops with one line and the program goes on.
#![no_std]
// The standard library is linked for its panic handler alone. With
// `panic = "abort"` a panic ends the program, so nothing here panics.
extern crate std;

mod environment;
mod graph;
mod hooks;
mod proof;
mod python;
mod real;
mod session;
mod steps;
mod text;
mod tls;
mod types;
mod writer;
