//! Counts and bytes at lines that are known to allocate known sizes.
//!
//! Each program computes from CPython's own sources what every marked line of
//! it allocates (`programs/sizes.py`) and prints that; here it is compared to
//! the report, without any tolerance, on every CPython of the machine.

mod support;

use serde_json::Value;
use support::{Python, Run, number, program, pythons, record, sum};

const COMPARED: [&str; 4] = ["allocations", "allocated_bytes", "live_blocks", "live_bytes"];

/// Compares all that `name` wants of its lines; at least `least` lines are compared.
fn lines_are_exact(name: &str, least: usize) {
    let mut wrong = Vec::new();
    for python in pythons() {
        let recorded = record(python, name);
        let wanted: Vec<Value> = recorded
            .stdout()
            .lines()
            .map(|line| serde_json::from_str(line).expect("the program prints JSON"))
            .collect();
        assert!(wanted.len() >= least, "{python}: only {} lines are compared", wanted.len());
        let report = recorded.report();
        sums_agree(python, &report);
        wrong.extend(wanted.iter().filter_map(|one| differences(python, one, &report)));
    }
    assert!(wrong.is_empty(), "wanted and recorded differ:\n{}", wrong.join("\n"));
}

fn differences(python: &Python, wanted: &Value, report: &Value) -> Option<String> {
    let sites = report["sites"].as_array().expect("the report has sites");
    let here = |site: &&Value| site["file"] == wanted["file"] && site["line"] == wanted["line"];
    let in_function = |site: &&Value| wanted["function"].is_null() || site["function"] == wanted["function"];
    let found: Vec<&Value> = sites.iter().filter(here).filter(in_function).collect();
    let mut said = Vec::new();
    for key in COMPARED {
        let (want, got) = (number(&wanted[key]), found.iter().map(|site| number(&site[key])).sum::<i64>());
        if want != -1 && want != got {
            said.push(format!("{key} {want} and {got}"));
        }
    }
    let functions: Vec<&Value> = sites.iter().filter(here).map(|site| &site["function"]).collect();
    (!said.is_empty()).then(|| {
        format!(
            "{python}, {}, line {}: {} (functions there: {functions:?})",
            wanted["label"],
            wanted["line"],
            said.join(", ")
        )
    })
}

/// What must hold in the report of any whole run.
fn sums_agree(python: &Python, report: &Value) {
    let (totals, end) = (&report["totals"], &report["end"]);
    assert_eq!(report["complete"], true, "{python}");
    assert_eq!(report["overhead"]["lost_events"], 0, "{python}");
    for key in ["allocations", "allocated_bytes"] {
        for list in ["sites", "domains", "threads"] {
            assert_eq!(sum(&report[list], key), number(&totals[key]), "{python}: {key} of all {list}");
        }
    }
    for list in ["sites", "domains"] {
        assert_eq!(
            sum(&report[list], "live_bytes"),
            number(&end["live_bytes"]),
            "{python}: live bytes of all {list}"
        );
    }
    assert_eq!(sum(&report["sites"], "live_blocks"), number(&end["live_blocks"]), "{python}: live blocks");
    assert_eq!(sum(&report["sites"], "peak_bytes"), number(&report["peak"]["live_bytes"]), "{python}: peak");
    let left = |made: &str, freed: &str| number(&totals[made]) - number(&totals[freed]);
    assert_eq!(
        left("allocations", "frees"),
        number(&end["live_blocks"]),
        "{python}: allocated less freed blocks"
    );
    assert_eq!(
        left("allocated_bytes", "freed_bytes"),
        number(&end["live_bytes"]),
        "{python}: allocated less freed bytes"
    );
}

#[test]
fn objects_of_known_sizes_are_counted_to_the_byte() {
    lines_are_exact("exact_objects.py", 29);
}

#[test]
fn allocations_in_every_kind_of_frame_are_at_their_line() {
    lines_are_exact("exact_frames.py", 27);
}

#[test]
fn allocations_below_wrapped_allocators_are_counted_once() {
    // Each puts other allocators around or in place of pymalloc; the debug
    // hooks ask it for 24 or 32 bytes more, which is not what the program asked for.
    for python in pythons() {
        let bytes = |set: &dyn Fn(&mut Run)| {
            let mut run = Run::new(Some(python));
            run.command.env("PYTHONHASHSEED", "0");
            set(&mut run);
            let recorded = run.output(&[&program("deterministic.py")]);
            recorded.stdout();
            let report = recorded.report();
            sums_agree(python, &report);
            ["object", "mem"].map(|domain| {
                let domains = report["domains"].as_array().expect("the report has domains");
                let found = domains.iter().find(|one| one["domain"] == domain);
                found.map_or((0, 0), |one| (number(&one["allocations"]), number(&one["allocated_bytes"])))
            })
        };
        let plain = bytes(&|_| ());
        for allocator in ["malloc", "pymalloc"] {
            let other = bytes(&|run| {
                run.command.env("PYTHONMALLOC", allocator);
            });
            for (plain, other) in plain.into_iter().zip(other) {
                let apart = (plain.0 - other.0).abs();
                assert!(apart <= 20, "{python}: PYTHONMALLOC={allocator}: {plain:?} and {other:?}");
            }
        }
    }
}

#[test]
fn two_runs_of_a_deterministic_program_allocate_the_same() {
    for python in pythons() {
        // The program's own lines: what the interpreter does before and around them
        // depends on process ids, caches and addresses.
        let lines = || -> Vec<(i64, i64, i64)> {
            let mut run = Run::new(Some(python));
            run.command.env("PYTHONHASHSEED", "0");
            let report = run.output(&[&program("deterministic.py")]).report();
            sums_agree(python, &report);
            let sites = report["sites"].as_array().expect("the report has sites");
            let own = sites
                .iter()
                .filter(|site| site["file"].as_str().is_some_and(|file| file.ends_with("deterministic.py")));
            let mut lines: Vec<_> = own
                .map(|site| {
                    (number(&site["line"]), number(&site["allocations"]), number(&site["allocated_bytes"]))
                })
                .collect();
            lines.sort_unstable();
            lines
        };
        let [first, second] = [lines(), lines()];
        assert!(first.len() > 2, "{python}: {first:?}");
        assert_eq!(first, second, "{python}");
    }
}
