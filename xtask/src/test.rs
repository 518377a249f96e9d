//! `cargo xtask test`: everything that CI runs, in one go, with a closing summary.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::python::{self, SUPPORTED_MINORS};
use crate::workspace::{Workspace, cargo};
use crate::{arch, web, workspace};

/// What one step came to.
struct Outcome {
    name: &'static str,
    passed: bool,
    took: Duration,
    detail: String,
}

/// Runs every step, also after one has failed, and says at the end what each came to.
pub(crate) fn run() -> Result<bool> {
    let workspace = Workspace::load()?;
    let outcomes = vec![
        step("format", || cargo_step(&["fmt", "--all", "--check"], &[])),
        // Before memsight, which is built with the page.
        step("web", web::step),
        step("lints", || cargo_step(LINTS, &[])),
        step("lints of preload", || cargo_step(LINTS_OF_PRELOAD, &[])),
        step("release build", || workspace.build_release().map(|_| (true, String::new()))),
        step("tests", || cargo_test(&workspace)),
        step("arch", || Ok((arch::run()?, String::new()))),
        step("docs", || cargo_step(DOCS, &[("RUSTDOCFLAGS", "-D warnings")])),
    ];
    print_summary(&outcomes);
    Ok(outcomes.iter().all(|outcome| outcome.passed))
}

const LINTS: &[&str] =
    &["clippy", "--workspace", "--exclude", "memsight-preload", "--all-targets", "--", "-D", "warnings"];

/// Without `--all-targets`: a test of a library that exports `malloc` records itself.
const LINTS_OF_PRELOAD: &[&str] = &["clippy", "-p", "memsight-preload", "--", "-D", "warnings"];

const DOCS: &[&str] = &["doc", "--workspace", "--no-deps"];

fn step(name: &'static str, work: impl FnOnce() -> Result<(bool, String)>) -> Outcome {
    eprintln!("\n=== {name}");
    let start = Instant::now();
    let (passed, detail) = work().unwrap_or_else(|error| {
        eprintln!("{error:#}");
        (false, String::new())
    });
    Outcome { name, passed, took: start.elapsed(), detail }
}

fn cargo_step(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(bool, String)> {
    let status =
        cargo().args(arguments).envs(environment.iter().copied()).status().context("cannot run cargo")?;
    Ok((status.success(), String::new()))
}

/// The tests of the default members. End-to-end tests find `memsight` and its
/// library in the folder that `MEMSIGHT_BIN_DIR` names.
fn cargo_test(workspace: &Workspace) -> Result<(bool, String)> {
    let mut command: Command = workspace::cargo();
    command.args(["test", "--no-fail-fast"]).env("MEMSIGHT_BIN_DIR", workspace.release_folder());
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let mut counts = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.context("cannot read what cargo test says")?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            counts.add(&line);
        }
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    let Counts { passed, failed, ignored } = counts;
    Ok((status.success(), format!("{passed} passed, {failed} failed, {ignored} ignored")))
}

/// The sums of the result lines of `cargo test`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Counts a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some((_, results)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for result in results.split("; ") {
            let Some((number, what)) = result.split_once(' ') else { continue };
            let number: u64 = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

fn print_summary(outcomes: &[Outcome]) {
    println!("\n=== Summary\n");
    for Outcome { name, passed, took, detail } in outcomes {
        let verdict = if *passed { "ok" } else { "FAILED" };
        println!(
            "{}",
            format!("  {name:<17} {verdict:<7} {:>7.1} s  {detail}", took.as_secs_f64()).trim_end()
        );
    }
    let pythons = python::all_supported();
    let found: Vec<_> = pythons.iter().map(python::Python::version_text).collect();
    let missing: Vec<_> = SUPPORTED_MINORS
        .filter(|minor| !pythons.iter().any(|python| python.version.1 == *minor))
        .map(|minor| format!("3.{minor}"))
        .collect();
    println!("\n  CPython: {}", if found.is_empty() { "none found".into() } else { found.join(", ") });
    if !missing.is_empty() {
        println!("  Not on this machine, so not tested: {}", missing.join(", "));
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    match failed {
        0 => println!("  Everything passed."),
        _ => println!("  {failed} of {} steps failed; their messages are above.", outcomes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_summed_and_other_lines_are_not() {
        let mut counts = Counts::default();
        counts.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
        );
        counts.add("test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out");
        counts.add("test every_record_comes_back ... ok");
        assert_eq!(counts, Counts { passed: 5, failed: 4, ignored: 1 });
    }
}
