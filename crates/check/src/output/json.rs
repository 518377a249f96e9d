//! `--output-format json`. Its keys are a contract.

use serde_json::{Value, json};

use crate::evidence::Costs;
use crate::project::{Located, Report};

pub(super) fn render(report: &Report, costs: Option<&Costs>) -> String {
    let findings: Vec<Value> = report.findings.iter().map(|located| finding(located, costs)).collect();
    let whole = json!({"schema_version": 1, "files": report.files, "findings": findings});
    format!("{whole:#}\n")
}

fn finding(located: &Located, costs: Option<&Costs>) -> Value {
    let finding = &located.finding;
    let fix = finding.fix.as_ref().map(|fix| {
        let edits: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| json!({"start": edit.start, "end": edit.end, "text": edit.text}))
            .collect();
        json!({"applicability": fix.applicability.to_string(), "message": fix.message, "edits": edits})
    });
    let evidence = costs.zip(located.cost).map(|(costs, cost)| {
        json!({
            "allocated_bytes": cost.allocated_bytes,
            "peak_bytes": cost.peak_bytes,
            "allocations": cost.allocations,
            "capture": costs.capture,
        })
    });
    let mut value = json!({
        "code": finding.rule.code,
        "name": finding.rule.name,
        "path": located.path.to_string_lossy(),
        "line": located.start.line,
        "column": located.start.column,
        "end_line": located.end.line,
        "end_column": located.end.column,
        "message": finding.message,
        "fix": fix,
        "evidence": evidence,
    });
    // Lines of a notebook are counted within its cells.
    if let Some(cell) = located.start.cell {
        value["cell"] = cell.into();
    }
    value
}
