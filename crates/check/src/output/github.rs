//! `--output-format github`: commands that a workflow of GitHub turns into annotations.
//!
//! Source: GitHub's documentation, "Workflow commands for GitHub Actions".

use crate::project::Report;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for located in &report.findings {
        let level = if located.finding.rule.is_note() { "notice" } else { "warning" };
        let (start, end) = (located.start, located.end);
        // Columns are only allowed within one line.
        let columns = if start.line == end.line {
            format!(",col={},endColumn={}", start.column, end.column)
        } else {
            String::new()
        };
        out.push_str(&format!(
            "::{level} file={},line={},endLine={}{columns},title={}::{}\n",
            property(&located.path.to_string_lossy()),
            start.line,
            end.line,
            property(&format!("{} {}", located.finding.rule.code, located.finding.rule.name)),
            data(&located.finding.message),
        ));
    }
    out
}

/// What would end a message is written as a code.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What would end a property as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_property() {
        assert_eq!(property("a,b:c\nd%"), "a%2Cb%3Ac%0Ad%25");
    }
}
