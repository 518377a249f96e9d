//! The recorder's shortcut to a stack, against the whole chain of frames.
//!
//! With `MEMSIGHT_CHECK=1` the recorder walks all frames anew at each
//! allocation, compares them to the stack that its cache gave, and writes how
//! many differ into the capture's last record. None may. It also writes how
//! often one of its hooks was called while it was at work itself, as it would
//! be if it allocated: never.

mod support;

use support::{Run, number, program, pythons};

/// Runs a program in check mode on every Python; all of its stacks must agree.
fn every_stack_agrees(name: &str) {
    let mut wrong = Vec::new();
    for python in pythons() {
        let mut run = Run::new(Some(python));
        run.command.env("MEMSIGHT_CHECK", "1");
        let recorded = run.output(&[&program(name)]);
        let said = recorded.stdout();
        if let Some(why) = said.lines().find(|line| line.starts_with("no ")) {
            eprintln!("{python}: {why}, so that is not checked");
            continue;
        }
        let (report, detail) = (recorded.report(), recorded.end_detail());
        let allocations = number(&report["totals"]["allocations"]);
        assert!(allocations > 1000, "{python}: only {allocations} allocations");
        assert_eq!(report["overhead"]["lost_events"], 0, "{python}");
        if detail != "check: 0 stacks differ, 0 nested calls" {
            wrong.push(format!("{python}: '{detail}', of {allocations}"));
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

macro_rules! agree {
    ($($test:ident: $name:literal,)+) => {
        $(#[test]
        fn $test() {
            every_stack_agrees($name);
        })+
    };
}

agree! {
    stacks_agree_over_imports: "check_imports.py",
    stacks_agree_over_json: "check_json.py",
    stacks_agree_over_threads: "check_threads.py",
    stacks_agree_over_calls_of_every_kind: "check_calls.py",
    stacks_agree_over_generators: "check_generators.py",
    stacks_agree_over_asyncio: "check_asyncio.py",
    stacks_agree_over_code_that_comes_and_goes: "check_exec.py",
    stacks_agree_over_deep_recursion: "check_recursion.py",
    stacks_agree_over_finalizers: "check_del.py",
    stacks_agree_over_classes_and_decorators: "check_classes.py",
    stacks_agree_over_subinterpreters: "check_subinterpreters.py",
    stacks_agree_over_signals_and_tracing: "check_signals.py",
    stacks_agree_over_greenlets: "check_greenlet.py",
}
