//! The topics. One topic is one file here and one experiment in `experiments/`.

use anyhow::Result;

use super::lab::Measured;
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

topics![slicing];
