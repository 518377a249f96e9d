//! What an experiment measured, for programs.
//!
//! ```text
//! {"schema_version": 1, "name": str, "python": str, "missing": [str],
//!  "parts": [{"name": str, "allocations": int, "allocated_bytes": int, "peak_bytes": int,
//!             "live_bytes": int, "reserved_bytes": int, "failed": str|null,
//!             "lines": {MARK: {the same four}}, "printed": {NAME: number}}]}
//! ```

use memsight_insight::Counts;
use serde_json::{Value, json};

use super::measured::{Measured, Part};

/// `explain --json`.
pub(super) fn measured(name: &str, measured: &Measured) -> serde_json::Result<String> {
    serde_json::to_string(&json!({
        "schema_version": 1,
        "name": name,
        "python": measured.python,
        "missing": measured.missing,
        "parts": measured.parts.iter().map(part).collect::<Vec<_>>(),
    }))
}

fn part(part: &Part) -> Value {
    let mut value = counts(&part.all);
    value["name"] = json!(part.name);
    value["reserved_bytes"] = json!(part.reserved_bytes);
    value["stack_bytes"] = json!(part.stack_bytes);
    value["failed"] = json!(part.failed);
    value["lines"] = part.lines.iter().map(|(mark, line)| (mark.clone(), counts(line))).collect();
    value["printed"] = json!(part.printed);
    value
}

fn counts(counts: &Counts) -> Value {
    json!({
        "allocations": counts.allocations,
        "allocated_bytes": counts.allocated_bytes,
        "peak_bytes": counts.peak.bytes,
        "live_bytes": counts.live().bytes,
    })
}
