//! Memory that stays since something refers to it.

use anyhow::Result;
use memsight_report::units::{bytes, count};

use super::{Topic, each};
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "leaks",
    line: "lists, caches and exceptions that keep what nobody needs",
    experiment: include_str!("../experiments/leaks.py"),
    page,
};

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let left = |name: &str| measured.part(name).map(|part| part.left());
    let calls = measured.part("list")?.number("count")?;
    let (unbounded, bounded) = (left("unbounded")?, left("bounded")?);
    let (exception, cut) = (left("exception")?, left("without_traceback")?);
    let table = Table::new(&["", "left", "a call"]);
    let rows = [
        ("a list at module level", "list"),
        ("the same in a local list", "local"),
        ("a dict at module level", "dict"),
        ("lru_cache(maxsize=None)", "unbounded"),
        ("lru_cache(maxsize=128)", "bounded"),
        ("a WeakValueDictionary", "weak"),
    ];
    let table = rows.iter().try_fold(table, |table, (label, name)| {
        let left = left(name)?;
        anyhow::Ok(table.row([label, &bytes(left), &each(left, calls)]))
    })?;
    let table = table
        .row(["an exception that is kept", &bytes(exception), ""])
        .row(["  without its traceback", &bytes(cut), ""]);
    let traceback = if exception > 10 * cut.max(1) {
        "An exception carries its traceback, the traceback the frames, and the frames their locals: one that was \
         appended to a list of errors kept a local of its function alive. `error.with_traceback(None)` let it go."
    } else {
        "An exception that was appended to a list of errors kept no local of its function alive here."
    };
    Ok(Page::new("Leaks", python.clone())
        .found(format!(
            "On {python} a cache without a bound held {} after {} calls, {} for each; the same with `maxsize=128` held \
             {}.",
            bytes(unbounded),
            count(calls),
            each(unbounded, calls),
            bytes(bounded)
        ))
        .text(
            "In C a leak is a block whose address was lost: nobody can free it. Python loses no addresses. What \
             grows in a Python program is nearly always still referred to, by something that lives as long as \
             the program: a module's list or dict, a class attribute, a cache, a closure, a thread that waits.",
        )
        .text(
            "No collector can help there, since the objects are in use as far as anyone can tell. One has to find \
             what refers to them, and bound it, empty it, or let it refer weakly.",
        )
        .text(traceback)
        .heading(format!("Measured here, after {} calls with {} different arguments", count(calls), count(calls)))
        .table(table)
        .text(
            "\"Live at the end\" is not yet a leak: every module and class is. What grows from one request to the \
             next is.",
        )
        .next(&[
            ("memsight report CAPTURE --at end", "what was still alive, by line"),
            ("memsight diff BEFORE AFTER", "what grew"),
            ("memsight explain gc", "cycles, which are no leak"),
        ]))
}
