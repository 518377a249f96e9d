//! Reference counts.

use anyhow::Result;
use memsight_report::units::bytes;

use super::{Topic, plain};
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "refcount",
    line: "an object dies when the last reference to it goes",
    experiment: include_str!("../experiments/refcount.py"),
    page,
};

/// No program counts this far: such counts are set, to say that an object never dies.
const NEVER_DIES: u64 = 100_000_000;

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let names = measured.part("names")?;
    let counted = |name: &str| names.number(name).map(plain);
    let rows = |part: &str| measured.part(part).and_then(|part| part.line("rows"));
    let (replaced, overlapping) = (rows("replaced")?.peak.bytes, rows("overlapping")?.peak.bytes);
    let (kept, dropped) = (rows("kept")?.live().bytes, rows("dropped")?.live().bytes);
    let at_once = if dropped == 0 && replaced < overlapping {
        format!(
            "On {python} an object dies at once: `data = None` before the next `data = rows()` kept the peak at \
             {}; without it there were two lists at a time, {}.",
            bytes(replaced),
            bytes(overlapping)
        )
    } else {
        format!(
            "On {python} objects did not die with their last reference: {} was left where nothing referred to it.",
            bytes(dropped)
        )
    };
    let immortal = measured.part("immortal")?;
    let (none, one) = (immortal.number("none")?, immortal.number("one")?);
    let immortal = match (none > NEVER_DIES, one > NEVER_DIES) {
        (true, true) => "`None` and the number 1 have a count that is set once and for all: they never die.".into(),
        (false, true) => format!(
            "The number 1 has a count so high that it never dies; `None` is counted like everything else, {none} times."
        ),
        _ => format!("`None` is counted like everything else: {none} times here, and the number 1 {one} times."),
    };
    let table = Table::new(&["<", "references"])
        .row(["a = [1, 2, 3]", &counted("one_name")?])
        .row(["b = a", &counted("two_names")?])
        .row(["box = [a, a, a]", &counted("in_a_list")?])
        .row(["del box", &counted("list_gone")?])
        .row(["b = None", &counted("name_rebound")?]);
    let lists = Table::new(&["", "alive"])
        .row(["data = rows(); data = None; data = rows()   at the peak", &bytes(replaced)])
        .row(["data = rows(); data = rows()                at the peak", &bytes(overlapping)])
        .row(["other = data; del data                      at the end", &bytes(kept)])
        .row(["other = data; del data; del other           at the end", &bytes(dropped)]);
    Ok(Page::new("Reference counts", python.clone())
        .found(at_once)
        .text(
            "Every object carries the number of references to it: a name, an item of a list, an attribute, an \
             argument each count one. Whoever takes a reference adds one, whoever gives it up takes one off, and \
             who reaches zero frees the object there and then, with all that only it referred to.",
        )
        .text(
            "`del name` takes away a name and not an object: while another name refers to it, it stays. And an \
             assignment makes the new value before it lets go of the old one.",
        )
        .text(immortal)
        .heading("Counted here")
        .table(table)
        .heading("Measured here, with lists of 100,000 items")
        .table(lists)
        .next(&[
            ("memsight explain gc", "what counting cannot free"),
            ("memsight explain leaks", "references that one forgets"),
        ]))
}
