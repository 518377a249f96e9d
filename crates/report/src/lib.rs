//! What memsight found out, for people ([`text`]) and for programs ([`json`]).
//!
//! Takes the values of `memsight-insight` and returns strings. Reads nothing
//! but the source lines that it shows, and prints nothing.
#![forbid(unsafe_code)]

pub mod compare;
mod diff;
pub mod heap;
mod heap_diff;
mod heap_duplicates;
mod heap_gc;
pub mod heap_leaks;
mod heap_loose;
mod heap_private;
mod heap_series;
mod heap_tree;
pub mod heapsnapshot;
pub mod json;
mod look;
mod next;
mod place;
mod source;
mod summary;
mod table;
mod tree;
pub mod units;
pub mod view;

/// The text forms.
pub mod text {
    pub use crate::diff::diff_text as diff;
    pub use crate::look::{Look, cut, fill, folded, line, printable};
    pub use crate::next::next;
    pub use crate::summary::{Outcome, first_site, quoted, report, signal_name, summary};
    pub use crate::table::{leaks, temporary, view};
    pub use crate::tree::tree;
}

pub use diff::diff_json;
pub use heap_diff::diff as heap_diff;
pub use heap_duplicates::duplicates_text as heap_duplicates;
pub use heap_gc::gc_text as heap_gc;
pub use heap_loose::{loose_json as heap_loose_json, loose_text as heap_loose};
pub use heap_private::private_heap_text as heap_private;
pub use heap_series::{Series, list as heap_snapshots};
pub use summary::was_killed;
