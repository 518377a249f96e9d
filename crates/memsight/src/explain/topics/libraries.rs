//! Layouts and functions that need less.

use anyhow::Result;
use memsight_report::units::{bytes, count};

use super::{Topic, lead_on, plain};
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "libraries",
    line: "records, numbers, counters and queues that need less",
    experiment: include_str!("../experiments/libraries.py"),
    page,
};

const RECORDS: &[(&str, &str)] = &[
    ("{\"a\": ..., \"b\": ..., \"c\": ...}", "dict"),
    ("an object", "object"),
    ("a dataclass", "dataclass"),
    ("a NamedTuple", "namedtuple"),
    ("a tuple", "tuple"),
    ("an object with __slots__", "slots"),
];

/// A reference in the list that holds the records.
const REFERENCE_BYTES: u64 = 8;

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let record = |name: &str| {
        let part = measured.part(name)?;
        let each = (part.left() as f64 / part.number("count")?.max(1) as f64).round() as u64;
        anyhow::Ok(each.saturating_sub(REFERENCE_BYTES))
    };
    let (dict, slots) = (record("dict")?, record("slots")?);
    let records = measured.part("dict")?.number("count")?;
    let records_table = RECORDS.iter().try_fold(Table::new(&["a record of three values", "bytes"]), |table, (label, name)| {
        anyhow::Ok(table.row([label, &plain(record(name)?)]))
    })?;
    let peak = |name: &str| measured.part(name).map(|part| bytes(part.peak()));
    let ways = Table::new(&["", "at the peak", "<instead", "at the peak"])
        .row(["sorted(xs)[:10]", &peak("sorted")?, "heapq.nlargest(10, xs)", &peak("nlargest")?])
        .row(["[x * 0.5 ...]", &peak("floats_list")?, "array.array(\"d\", ...)", &peak("floats_array")?])
        .row(["groups of words, len()", &peak("grouped")?, "collections.Counter", &peak("counter")?])
        .row(["list, pop(0)", &peak("list_queue")?, "collections.deque", &peak("deque")?]);
    let dataclass = if record("dataclass")? == record("object")? {
        "A dataclass is an object like any other and takes as much."
    } else {
        "A dataclass takes another amount than a plain object here."
    };
    let page = Page::new("Libraries and layouts", python.clone())
        .found(format!(
            "On {python} a record of three values takes {dict} bytes as a dict and {slots} with `__slots__`: for a \
             million records {} and {}.",
            bytes(dict * 1_000_000),
            bytes(slots * 1_000_000)
        ))
        .text(
            "An object of a class without `__slots__` can be given any attribute at any time, so its attributes \
             are kept in a table that can grow. `__slots__ = (\"a\", \"b\", \"c\")` says which there are: three \
             references, and no table. A dict of its own for each record repeats that table, keys and all.",
        )
        .text(dataclass)
        .text(
            "Numbers in a list are objects, each with its type and its count, and a reference to each. An \
             `array` holds the numbers themselves. It makes an object whenever one is taken out, so it pays for \
             what is kept and not for what is computed with.",
        )
        .heading(format!("Measured here, {} records, without their values and the list's own reference", count(records)))
        .table(records_table)
        .heading("Measured here, 100 k items, the queue 1000")
        .table(ways);
    Ok(lead_on(page, "MS5", "finds such code in yours", &[
            ("memsight explain indexing", "what a deque saves: time"),
    ]))
}
