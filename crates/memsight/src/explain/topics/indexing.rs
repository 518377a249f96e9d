//! Loops by index.

use anyhow::Result;
use memsight_report::units::{bytes, count, seconds};

use super::{Topic, lead_on, times};
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "indexing",
    line: "range(len(xs)), list(range(n)) and pop(0)",
    experiment: include_str!("../experiments/indexing.py"),
    page,
};

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let line = |name: &str, mark: &str| measured.part(name).and_then(|part| part.line(mark));
    let items = measured.part("range_len")?.number("count")?;
    let peak = |name: &str| measured.part(name).map(|part| part.peak());
    let (range_len, by_item, list_range) = (peak("range_len")?, peak("items")?, peak("list_range")?);
    let found = if range_len < 10_000 {
        format!(
            "On {python} `for i in range(len(xs))` costs no memory: {} at the peak over {} items, and `for x in xs` \
             {}. What costs is a list of indices: `list(range(len(xs)))` took {}.",
            bytes(range_len),
            count(items),
            bytes(by_item),
            bytes(list_range)
        )
    } else {
        format!(
            "On {python} `for i in range(len(xs))` took {} at the peak over {} items, and `for x in xs` {}.",
            bytes(range_len),
            count(items),
            bytes(by_item)
        )
    };
    let row = |table: Table, label: &str, name: &str| {
        let counts = line(name, "loop")?;
        let peak = bytes(measured.part(name)?.peak());
        anyhow::Ok(table.row([label, &peak, &count(counts.allocations), &bytes(counts.allocated_bytes)]))
    };
    let mut table = Table::new(&["", "at the peak", "allocations", "allocated"]);
    table = row(table, "for x in xs", "items")?;
    table = row(table, "for i in range(len(xs))", "range_len")?;
    table = row(table, "for i, x in enumerate(xs)", "enumerate")?;
    table = row(table, "for i in list(range(len(xs)))", "list_range")?;
    let time = |name: &str, value: &str| {
        measured.part(name).and_then(|part| part.value(value)).map(|ms| (ms * 1e6) as u64)
    };
    let (pop, popleft) = (time("pop_first", "pop_ms")?, time("popleft", "pop_ms")?);
    let queue = measured.part("pop_first")?.number("queue")?;
    let page = Page::new("Indexing", python.clone())
        .found(found)
        .text(
            "A range holds three numbers however long it is. Going over it makes one number at a time, which is \
             freed before the next: many allocations, nearly nothing alive. The same goes for `enumerate`.",
        )
        .text(
            "So an index is a matter of reading, and of the time that the numbers take to make, not of memory. Use \
             `for x in xs` where the index is not needed, `enumerate` where it is, and `zip` for two lists.",
        )
        .text(format!(
            "`pop(0)` costs no memory either. It moves all other items by one place, each time: to empty a list of \
             {} took {}, a `collections.deque` with `popleft()` {}{}.",
            count(queue),
            seconds(pop),
            seconds(popleft),
            times(pop, popleft)
        ))
        .heading(format!("Measured here, {} items", count(items)))
        .table(table);
    Ok(lead_on(page, "MS2", "finds such loops in your code", &[
            ("memsight explain iterators", "one item at a time"),
    ]))
}
