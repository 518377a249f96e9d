//! Insight: captures → totals, call trees, timeline, lifetimes, leaks, diff.
//!
//! A capture is folded record by record into values ([`Recording`]), the
//! captures of one run become a [`Program`], and questions are asked of that:
//! a `table` at some [`Moment`] by some [`By`], a tree of `calls`, what is
//! `left`, what `diff`ers. Nothing here draws or prints, and nothing but
//! [`Program::load`] opens files.
//!
//! The numbers of a damaged file may be anything: sums saturate, indices are
//! checked, and what cannot be true ends the fold with words instead of a panic.
#![forbid(unsafe_code)]

mod amount;
mod calls;
mod diff;
mod fold;
mod left;
mod lifetimes;
pub mod lines;
mod modules;
mod peak;
mod program;
mod recording;
mod snapshot;
mod table;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod tree;

pub use amount::{Amount, Counts};
pub use calls::{Calls, Frame, calls};
pub use diff::{Diff, Side, SiteChange, diff, same_track};
pub use fold::fold;
pub use left::{Left, left};
pub use lifetimes::Lifetimes;
pub use modules::{library_path, module_of};
pub use peak::ProgramPeak;
pub use program::{Error, MAX_PROCESSES, Process, Program, Progress, captures_beside, is_capture, run_of};
pub use recording::{
    ChildProcess, ExactPeak, HeapSnapshot, Interpreter, Point, Recording, Row, Thread, TypeAmount,
    Whereabouts,
};
pub use snapshot::{Window, amounts_at};
pub use table::{
    By, Key, Line, Moment, NoSuchView, Weights, seen_at, site_lines, table, types_by_site, weights,
};
pub use tree::{CallTree, Node, Site, SiteId};
