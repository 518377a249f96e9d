//! Finds code that wastes memory in Python sources, ranks it by what it cost in a recorded run, and mends it.
//!
//! ```text
//! files ── source ── syntax ── model ── rules ── findings ── suppress ── fix ── output
//!  which    text,     tree      names,    one     with        # memsight:  edits,   text, json,
//!  files    cells               types,    a file  fixes       ignore       again    github, …
//!                               effects
//! ```
//!
//! The crate reads sources and writes them when asked to; it never runs them.
//! It does not know captures: whoever has one gives it amounts by file and line.
#![forbid(unsafe_code)]

mod config;
mod context;
mod draft;
mod engine;
mod evidence;
mod files;
mod finding;
mod model;
pub mod output;
mod project;
mod rules;
mod source;
mod suppress;
mod syntax;
mod target;

pub use config::matching;
pub use draft::{Draft, drafts};
pub use engine::{Fixed, Options, apply, check, fix};
pub use evidence::{Cost, Costs};
pub use finding::{Applicability, Edit, Finding, Fix};
pub use project::{Changed, Located, Report, Request, run};
pub use rules::{Experiment, RULES, Rule, Saves};
pub use source::{Position, Problem};
pub use syntax::{STACK_BYTES, Unreadable};
pub use target::PythonVersion;
