//! The recorder's core: from an allocation to the ledger.
//!
//! * [`shadow`] says for an address which group its block belongs to,
//! * [`stack`] says which node of the call tree is allocating,
//! * [`tree`] holds the nodes and the code they stand in,
//! * [`group`] counts what a node allocated in a tick, and the exact peak,
//! * [`recorder`] puts those together for each event of the program,
//! * [`ledger`] writes down, tick by tick, what changed.
//!
//! The crate exports no symbol and hooks nothing: `preload` does, and calls
//! [`Recorder`] from inside the program's own `malloc`. So everything here but
//! [`ledger`] runs on the allocation path: it never allocates (there is no
//! allocator to call), never panics, and waits for no lock that is held for
//! longer than a table insert. Its memory comes from [`memory`]. It is not for
//! use as a general profiler library: the callers keep the promises that the
//! `unsafe` functions name.
#![cfg_attr(not(test), no_std)]

pub mod group;
pub mod ledger;
mod lock;
pub mod maps;
pub mod memory;
pub mod recorder;
pub mod shadow;
pub mod stack;
pub mod sys;
pub mod table;
pub mod thread;
pub mod tree;

pub use lock::SpinLock;
pub use recorder::Recorder;
pub use stack::{Described, Frames};
pub use thread::Thread;
