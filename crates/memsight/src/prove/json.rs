//! `prove --json`. Its keys are a contract.

use std::path::PathBuf;

use anyhow::Result;
use memsight_check::Cost;
use serde_json::{Value, json};

use super::proof::{Baseline, Named, Proof, Tried};
use super::trial::End;
use super::verdict::Verdict;

/// The proof, and the files that were written.
pub(super) fn render(proof: &Proof, written: &[PathBuf]) -> Result<String> {
    let fixes: Vec<Value> = proof.fixes.iter().map(tried).collect();
    let not_run: Vec<Value> = proof.not_run.iter().map(named).collect();
    let written: Vec<_> = written.iter().map(|path| path.to_string_lossy()).collect();
    let whole = json!({
        "schema_version": 1,
        "command": proof.command,
        "baseline": proof.baseline.as_ref().map(baseline),
        "fixes": fixes,
        "not_run": not_run,
        "after": proof.after.map(cost),
        "without_fix": proof.without_fix,
        "written": written,
        "complete": proof.complete(),
    });
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

fn baseline(baseline: &Baseline) -> Value {
    let mut value = cost(baseline.cost);
    value["exit_code"] = match baseline.end {
        End::Code(code) => code.into(),
        End::Signal(_) | End::Late(_) => Value::Null,
    };
    value["tests_passed"] = baseline.tests_passed.into();
    value["files_written"] = baseline.files_written.into();
    value["files_not_compared"] = baseline.not_compared.clone().into();
    value["noise"] = json!({"allocated_bytes": baseline.noise.allocated, "peak_bytes": baseline.noise.peak});
    value
}

fn cost(cost: Cost) -> Value {
    json!({
        "allocated_bytes": cost.allocated_bytes,
        "peak_bytes": cost.peak_bytes,
        "allocations": cost.allocations,
    })
}

fn named(named: &Named) -> Value {
    json!({
        "code": named.code,
        "name": named.name,
        "path": named.path,
        "line": named.line,
        "message": named.message,
        "fix": named.fix,
        "applicability": named.applicability.to_string(),
    })
}

fn tried(tried: &Tried) -> Value {
    let mut value = named(&tried.named);
    value["before"] = cost(tried.before);
    value["after"] = tried.after.map_or(Value::Null, cost);
    value["kept"] = tried.verdict.is_kept().into();
    value["verdict"] = match tried.verdict {
        Verdict::Kept(_) => "kept",
        Verdict::NoFewer(_) | Verdict::Rises(_) => "no_fewer_bytes",
        Verdict::Differs(_) => "differs",
        Verdict::NotTried(_) => "not_tried",
    }
    .into();
    value["reason"] = tried.verdict.reason().into();
    value
}
