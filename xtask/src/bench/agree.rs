//! `cargo xtask bench --agree`: does memsight count what memray counts?
//!
//! Both record the same program with Python's allocators traced, and so does
//! each the same start without the workload, which is taken off. Both count a
//! block once, at the outermost layer; both count a `realloc` as an allocation
//! of its whole new size.
//!
//! memray has Python call a profile function, for which Python makes a frame
//! object at each call: it counts what the program would not allocate by itself.
//! So memsight records each workload twice, as it is and with a profile function
//! that does nothing; the second is what is compared.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
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

/// What is counted: by which tool, and whether with a profile function of our own.
const COUNTS: [(Tool, bool); 3] =
    [(Tool::Objects, false), (Tool::Objects, true), (Tool::MemrayPython, false)];

/// The difference that needs no explaining.
const ALLOWED_PERCENT: f64 = 1.0;

/// Prints the comparison; `true` if all totals agree.
pub(super) fn run(bench: &Bench, workloads: &[&'static Workload], markdown: Option<&Path>) -> Result<bool> {
    let heads = [
        "workload",
        "allocations: memsight",
        "with a profile function",
        "memray",
        "difference",
        "bytes: memsight",
        "with a profile function",
        "memray",
        "difference",
    ];
    let title = "Totals, start-up taken off; compared where Python calls a profile function in both";
    let mut table = Table::new(title, heads.map(String::from).to_vec());
    let starts = COUNTS.map(|count| totals(bench, count, None));
    let mut all_agree = true;
    for workload in workloads {
        eprintln!("{}", workload.name);
        let mut counted = [Totals { allocations: 0, bytes: 0 }; COUNTS.len()];
        for ((counted, count), start) in counted.iter_mut().zip(COUNTS).zip(&starts) {
            let start = start.as_ref().map_err(|error| anyhow!("{error:#}"))?;
            *counted = totals(bench, count, Some(workload))?.less(*start);
        }
        let [alone, profiled, memray] = counted;
        let differences = [
            difference_percent(memray.allocations, profiled.allocations),
            difference_percent(memray.bytes, profiled.bytes),
        ];
        all_agree &= differences.iter().all(|percent| percent.abs() <= ALLOWED_PERCENT);
        let [of_allocations, of_bytes] = differences.map(|percent| format!("{percent:+.3}%"));
        table.row(vec![
            workload.name.into(),
            grouped(alone.allocations),
            grouped(profiled.allocations),
            grouped(memray.allocations),
            of_allocations,
            grouped(alone.bytes),
            grouped(profiled.bytes),
            grouped(memray.bytes),
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

/// What is counted for a workload behind the common start, or for one that does nothing.
fn totals(bench: &Bench, (tool, profiled): (Tool, bool), workload: Option<&Workload>) -> Result<Totals> {
    let mut program: Program = vec![root().join("bench/agree.py").into()];
    if profiled {
        program.push("--profiled".into());
    }
    match workload {
        Some(workload) => program.extend(Bench::program(workload)),
        None => program.push(root().join("bench/workloads/empty.py").into()),
    }
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
