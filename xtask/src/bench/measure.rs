//! The rounds of measuring.

use std::time::Duration;

use anyhow::Result;

use crate::python::Python;

use super::machine::Setting;
use super::results::{Reading, Results, Sample, Startup};
use super::tools::{Bench, Program, Tool};
use super::workloads::Workload;

/// Starts of an empty program are short and noisy, so there are more of them.
const STARTS_PER_ROUND: usize = 5;

/// Runs everything in turn. A program that fails is noted and does not stop the rest.
pub(super) fn all(
    bench: &Bench,
    python: &Python,
    workloads: &[&'static Workload],
    tools: &[Tool],
    rounds: usize,
) -> Result<Results> {
    let mut results = Results {
        setting: Setting::of(python, rounds),
        workloads: workloads.iter().map(|workload| workload.name).collect(),
        tools: tools.to_vec(),
        samples: Vec::new(),
        readings: Vec::new(),
        startups: Vec::new(),
        failures: Vec::new(),
    };
    for workload in workloads {
        // Leaves compiled modules behind, so that no measured run compiles them.
        bench.record(Tool::Plain, &Bench::program(workload))?;
    }
    for round in 0..rounds {
        for start in 0..STARTS_PER_ROUND {
            start_up(bench, &mut results, round * STARTS_PER_ROUND + start);
        }
        for workload in workloads {
            for &tool in tools {
                eprintln!("round {} of {rounds}: {} with {}", round + 1, workload.name, tool.name());
                let read = round + 1 == rounds;
                if let Err(error) = sample(bench, &mut results, workload, tool, round, read) {
                    results.failures.push(format!("{} with {}: {error:#}", workload.name, tool.name()));
                }
            }
        }
    }
    Ok(results)
}

fn sample(
    bench: &Bench,
    results: &mut Results,
    workload: &'static Workload,
    tool: Tool,
    round: usize,
    read: bool,
) -> Result<()> {
    let recorded = bench.record(tool, &Bench::program(workload))?;
    results.samples.push(Sample {
        workload: workload.name,
        tool,
        round,
        cpu_s: seconds(recorded.run.cpu),
        wall_s: seconds(recorded.run.wall),
        rss_bytes: recorded.rss_bytes,
        capture_bytes: recorded.capture_bytes,
    });
    if read && tool != Tool::Plain {
        let run = bench.report(tool)?;
        results.readings.push(Reading {
            workload: workload.name,
            tool,
            wall_s: seconds(run.wall),
            max_rss_bytes: run.max_rss_bytes,
            peak_live_bytes: peak_live_bytes(bench),
        });
    }
    Ok(())
}

/// The peak that memsight's report says; memray's statistics have no such key.
fn peak_live_bytes(bench: &Bench) -> Option<u64> {
    let text = std::fs::read_to_string(bench.report_json()).ok()?;
    let report: serde_json::Value = serde_json::from_str(&text).ok()?;
    report.pointer("/peak/live_bytes")?.as_u64()
}

fn start_up(bench: &Bench, results: &mut Results, round: usize) {
    let program: Program = vec!["-c".into(), "pass".into()];
    for tool in results.tools.clone() {
        match bench.record(tool, &program) {
            Ok(recorded) => results.startups.push(Startup {
                tool,
                round,
                cpu_s: seconds(recorded.run.cpu),
                wall_s: seconds(recorded.run.wall),
            }),
            Err(error) => results.failures.push(format!("start-up with {}: {error:#}", tool.name())),
        }
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
