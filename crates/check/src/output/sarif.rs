//! `--output-format sarif`: SARIF 2.1.0 (OASIS), as far as code scanning reads it.

use serde_json::{Value, json};

use crate::project::Report;
use crate::rules::RULES;

pub(super) fn render(report: &Report) -> String {
    let used: Vec<_> =
        RULES.iter().filter(|rule| report.findings.iter().any(|it| it.finding.rule == *rule)).collect();
    let rules: Vec<Value> = used
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "name": rule.name,
                "shortDescription": {"text": rule.what},
                "fullDescription": {"text": rule.why},
                "help": {"text": format!("{}\n\n{}", rule.fix, rule.not_when)},
            })
        })
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|located| {
            let rule = located.finding.rule;
            json!({
                "ruleId": rule.code,
                "ruleIndex": used.iter().position(|other| **other == *rule),
                "level": if rule.is_note() { "note" } else { "warning" },
                "message": {"text": located.finding.message},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": uri(&located.path.to_string_lossy())},
                    "region": {
                        "startLine": located.start.line, "startColumn": located.start.column,
                        "endLine": located.end.line, "endColumn": located.end.column,
                    },
                }}],
            })
        })
        .collect();
    let whole = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "memsight", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{whole:#}\n")
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("./a b/ä.py"), "a%20b/%C3%A4.py");
    }
}
