//! What a rule says about a place in a file.

use std::fmt;

use crate::rules::Rule;

/// A place where a rule applies.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Where it begins, in bytes from the start of the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What is wasted here, in one line.
    pub message: String,
    /// How to change it, where that can be written down.
    pub fix: Option<Fix>,
    /// Where its cost arises, as ranges like `start..end`: other lines than its own for a class, whose
    /// instances are made elsewhere.
    pub costs_at: Vec<(usize, usize)>,
}

/// A change of the text that mends a finding.
#[derive(Clone, Debug)]
pub struct Fix {
    /// Whether it is proven to keep what the program does.
    pub applicability: Applicability,
    /// What it does; for an unsafe one, what could differ.
    pub message: String,
    /// The changes, none of which overlap.
    pub edits: Vec<Edit>,
}

/// Whether a fix is proven to keep what the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// It is.
    Safe,
    /// It is not: its message says what could differ.
    Unsafe,
}

impl fmt::Display for Applicability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        })
    }
}

/// A replacement of a part of the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// Where the part begins, in bytes from the start of the text.
    pub start: usize,
    /// Where it ends; the same as `start` for an insertion.
    pub end: usize,
    /// What stands there instead.
    pub text: String,
}
