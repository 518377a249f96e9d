//! One report, many forms. Text is for people; the others are contracts with tools.

mod diff;
mod github;
mod json;
mod junit;
mod sarif;
mod text;

pub use diff::diff;
pub use text::{Look, text};

use crate::evidence::Costs;
use crate::project::Report;

/// A form for tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// memsight's own JSON: the contract of the README.
    Json,
    /// Commands of GitHub's workflows, which show findings beside the code.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for build servers.
    Junit,
}

/// A report in a form for tools.
pub fn render(report: &Report, format: Format, costs: Option<&Costs>) -> String {
    match format {
        Format::Json => json::render(report, costs),
        Format::Github => github::render(report),
        Format::Sarif => sarif::render(report),
        Format::Junit => junit::render(report),
    }
}
