//! `cargo xtask bench --agree`: does memsight count what memray counts?
//!
//! Both record the same program with Python's allocators traced, and so does
//! each the same start without the workload, which is taken off. Both count a
//! block once, at the outermost layer; both count a `realloc` as an allocation
//! of its whole new size.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::root;

use super::table::Table;
use super::tables::grouped;
use super::tools::{Bench, Program, Tool};
use super::workloads::Workload;

/// Allocations and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Totals {
    allocations: u64,
    bytes: u64,
}

impl Totals {
    fn less(self, start: Totals) -> Totals {
        Totals {
            allocations: self.allocations.saturating_sub(start.allocations),
            bytes: self.bytes.saturating_sub(start.bytes),
        }
    }
}

/// The difference that needs no explaining.
const ALLOWED_PERCENT: f64 = 1.0;

/// Prints the comparison; `true` if all totals agree.
pub(super) fn run(bench: &Bench, workloads: &[&'static Workload], markdown: Option<&Path>) -> Result<bool> {
    let heads = [
        "workload",
        "allocations: memray",
        "memsight",
        "difference",
        "bytes: memray",
        "memsight",
        "difference",
    ];
    let title = "Totals, start-up taken off";
    let mut table = Table::new(title, heads.map(String::from).to_vec());
    let start = [Tool::MemrayPython, Tool::Objects].map(|tool| totals(bench, tool, None));
    let [memray_start, memsight_start] = start;
    let (memray_start, memsight_start) = (memray_start?, memsight_start?);
    let mut all_agree = true;
    for workload in workloads {
        eprintln!("{}", workload.name);
        let memray = totals(bench, Tool::MemrayPython, Some(workload))?.less(memray_start);
        let memsight = totals(bench, Tool::Objects, Some(workload))?.less(memsight_start);
        let differences = [
            difference_percent(memray.allocations, memsight.allocations),
            difference_percent(memray.bytes, memsight.bytes),
        ];
        all_agree &= differences.iter().all(|percent| percent.abs() <= ALLOWED_PERCENT);
        let [of_allocations, of_bytes] = differences.map(|percent| format!("{percent:+.3}%"));
        table.row(vec![
            workload.name.into(),
            grouped(memray.allocations),
            grouped(memsight.allocations),
            of_allocations,
            grouped(memray.bytes),
            grouped(memsight.bytes),
            of_bytes,
        ]);
    }
    println!("{}", table.to_text());
    let verdict = if all_agree { "All agree" } else { "Not all agree" };
    println!("{verdict} within {ALLOWED_PERCENT}%.");
    if let Some(path) = markdown {
        super::write(path, &table.to_markdown())?;
    }
    Ok(all_agree)
}

/// What `tool` counts for a workload behind the common start, or for the start alone.
fn totals(bench: &Bench, tool: Tool, workload: Option<&Workload>) -> Result<Totals> {
    let mut program: Program = vec![root().join("bench/agree.py").into()];
    program.extend(workload.into_iter().flat_map(Bench::program));
    bench.record(tool, &program)?;
    bench.report(tool)?;
    let path = bench.report_json();
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let report: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    totals_in(tool, &report).with_context(|| format!("{} has no totals", path.display()))
}

fn totals_in(tool: Tool, report: &Value) -> Option<Totals> {
    let number = |pointer| report.pointer(pointer)?.as_u64();
    let (allocations, bytes) = if tool.is_memsight() {
        ("/totals/allocations", "/totals/allocated_bytes")
    } else {
        ("/total_num_allocations", "/total_bytes_allocated")
    };
    Some(Totals { allocations: number(allocations)?, bytes: number(bytes)? })
}

fn difference_percent(expected: u64, found: u64) -> f64 {
    match expected {
        0 if found == 0 => 0.0,
        0 => f64::INFINITY,
        _ => (found as f64 - expected as f64) / expected as f64 * 100.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_found_in_either_report() {
        let memray = serde_json::json!({"total_num_allocations": 7, "total_bytes_allocated": 70});
        let memsight = serde_json::json!({"totals": {"allocations": 7, "allocated_bytes": 70, "frees": 0}});
        let totals = Some(Totals { allocations: 7, bytes: 70 });
        assert_eq!(totals_in(Tool::MemrayPython, &memray), totals);
        assert_eq!(totals_in(Tool::Objects, &memsight), totals);
        assert_eq!(totals_in(Tool::Objects, &memray), None);
    }

    #[test]
    fn a_difference_is_told_from_memrays_side() {
        assert_eq!(difference_percent(200, 199), -0.5);
        assert_eq!(difference_percent(0, 0), 0.0);
        assert_eq!(difference_percent(0, 1), f64::INFINITY);
    }
}
