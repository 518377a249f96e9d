//! The object graph accounts for what was recorded.

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Python, Recorded, Run, each_python, memsight, number, program};

/// Records a program with its object graph.
fn record(python: &Python, program: &Path) -> Recorded {
    Run::with(Some(python), &["--heap", "exit"]).output(&[&program])
}

/// What `memsight heap` says of a run, as JSON.
fn heap(recorded: &Recorded, options: &[&str]) -> Value {
    let output = Command::new(memsight())
        .arg("heap")
        .arg(recorded.capture())
        .arg("--json")
        .args(options)
        .output()
        .expect("memsight can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "memsight heap: {said}");
    serde_json::from_slice(&output.stdout).expect("memsight heap --json prints JSON")
}

/// Bytes at the end.
#[derive(Debug)]
struct Account {
    /// Live in Python's own allocators, by the recorder.
    live: i64,
    /// Of objects and of what they own.
    objects: i64,
    /// Of nobody.
    loose: i64,
}

impl Account {
    fn of(recorded: &Recorded) -> Self {
        let report = recorded.report();
        let domains = report["domains"].as_array().expect("the report has domains");
        let is_pythons = |domain: &&Value| domain["domain"] == "object" || domain["domain"] == "mem";
        Account {
            live: domains.iter().filter(is_pythons).map(|domain| number(&domain["live_bytes"])).sum(),
            objects: number(&heap(recorded, &["-n", "1"])["shallow_bytes"]),
            loose: number(&heap(recorded, &["--loose"])["bytes"]),
        }
    }
}

#[test]
fn objects_account_for_what_is_alive() {
    let wrong: Vec<String> = each_python(|python| {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.py");
        std::fs::write(&empty, "").expect("an empty script");
        let empty = record(python, &empty);
        empty.stdout();
        let empty = Account::of(&empty);
        let kinds = record(python, &program("heap_kinds.py"));
        kinds.stdout();
        let kinds = Account::of(&kinds);
        let live = kinds.live - empty.live;
        assert!(live > 20_000_000, "{python}: {kinds:?}");
        // Some objects own memory of the C library too: what they have may be more than this.
        let (objects, loose) = (kinds.objects - empty.objects, kinds.loose - empty.loose);
        println!("{python}: {live} live, {objects} of objects, {loose} loose");
        let is_near = |bytes: i64| bytes * 50 <= live;
        let is_right = is_near((live - objects).abs()) && is_near(loose.abs());
        (!is_right).then(|| format!("{python}: {kinds:?}, of an empty script {empty:?}"))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
