//! From a command line to a recorded process.
//!
//! ```text
//! PROGRAM ARGS ─▶ program   what to execute: a script's interpreter, a module's, a file on PATH
//!                 python    the real interpreter behind a name or a shim
//!                 refuse    what cannot be recorded, said before anything runs
//! -o FILE      ─▶ capture   where the capture goes
//!                 record    the process, its signals, its end, its captures
//! ```

mod capture;
mod elf;
mod program;
mod python;
mod record;
mod refuse;

pub(crate) use capture::Destination;
pub(crate) use program::{Target, find};
pub(crate) use record::{
    Apart, Ended, Options, Stopped, Streams, end_orphans, record, record_apart, recorder,
};
