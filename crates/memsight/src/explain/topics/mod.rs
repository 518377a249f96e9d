//! The topics. One topic is one file here and one experiment in `experiments/`.

use anyhow::Result;
use memsight_check::RULES;
use memsight_report::units::bytes;

use super::measured::Measured;
use super::page::Page;

/// Something that can be explained.
pub(super) struct Topic {
    /// What it is called.
    pub(super) name: &'static str,
    /// It in a line.
    pub(super) line: &'static str,
    /// The experiment's source.
    pub(super) experiment: &'static str,
    /// The page, from what the experiment measured.
    pub(super) page: fn(&Measured) -> Result<Page>,
}

macro_rules! topics {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every topic, in the order in which one builds on another.
        pub(super) static TOPICS: &[Topic] = &[$($module::TOPIC),*];
    };
}

topics![stack, heap, refcount, gc, private_heap, leaks, slicing, indexing, concat, iterators, libraries];

/// A share of some bytes: `8 B`.
fn each(all: u64, of: u64) -> String {
    bytes((all as f64 / of.max(1) as f64).round() as u64)
}

/// A number with all its digits.
fn plain(number: u64) -> String {
    number.to_string()
}

/// `, 12 times as much`, where it is at least twice as much.
fn times(more: u64, less: u64) -> String {
    match more / less.max(1) {
        0 | 1 => String::new(),
        times => format!(", a factor of {times}"),
    }
}

/// Ends a page with the commands that lead on, and before them the one that finds the code in
/// question, if there are rules of that family.
fn lead_on(page: Page, family: &str, finds: &str, others: &[(&str, &str)]) -> Page {
    let command = format!("memsight check --select {family} .");
    let known = RULES.iter().any(|rule| rule.code.starts_with(family));
    let first = known.then_some((command.as_str(), finds));
    page.next(&first.iter().chain(others).copied().collect::<Vec<_>>())
}
