//! Slices.

use anyhow::Result;
use memsight_report::units::{bytes, count};

use super::{Topic, lead_on, times};
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "slicing",
    line: "what a slice copies, and what copies nothing",
    experiment: include_str!("../experiments/slicing.py"),
    page,
};

/// Expressions, and the marks of their lines.
const SLICES: &[(&str, &str)] = &[
    ("list      xs[1:]", "list_tail"),
    ("list      xs[:]", "list_whole"),
    ("tuple     ts[1:]", "tuple_tail"),
    ("tuple     ts[:]", "tuple_whole"),
    ("str       text[1:]", "str_tail"),
    ("str       text[:]", "str_whole"),
    ("bytes     data[1:]", "bytes_tail"),
    ("bytes     data[:]", "bytes_whole"),
    ("bytearray data[:]", "bytearray_whole"),
    ("range(n)[1:]", "range_tail"),
    ("memoryview(data)[1:]", "view_tail"),
    ("itertools.islice(xs, 1, None)", "islice"),
];

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let copies = measured.part("copies")?;
    let items = copies.number("count")?;
    let allocated = |mark: &str| copies.line(mark).map(|line| line.allocated_bytes);
    let (tail, islice) = (allocated("list_tail")?, allocated("islice")?);
    let table = SLICES.iter().try_fold(Table::new(&["", "allocated", "an item"]), |table, (label, mark)| {
        let bytes_here = allocated(mark)?;
        let per_item = (bytes_here as f64 / items as f64).round() as u64;
        let per_item = if per_item == 0 { "nothing".into() } else { bytes(per_item) };
        anyhow::Ok(table.row([label, &bytes(bytes_here), &per_item]))
    })?;
    let same = match (copies.number("same_tuple")?, copies.number("same_str")?) {
        (1, 1) => "`[:]` of a tuple, str or bytes gives the very same object, since nobody could change it.",
        _ => "Even `[:]` of a tuple or str made a new object here.",
    };
    let (on_slices, on_indices) = (measured.part("recursion_on_slices")?, measured.part("recursion_on_indices")?);
    let (slices, indices) = (on_slices.peak(), on_indices.peak());
    let page = Page::new("Slicing", python.clone())
        .found(format!(
            "On {python} `xs[1:]` of a list of {} items allocated {}, and going over `itertools.islice(xs, 1, None)` \
             instead {}.",
            count(items),
            bytes(tail),
            bytes(islice)
        ))
        .text(
            "A slice of a list is a new list. It copies references, not the objects: one word an item, all at \
             once, and does not see what happens to the old list later. Only to look at some of the items no copy \
             is needed: an index, `islice` or a `memoryview` will do.",
        )
        .text(same)
        .text(format!(
            "It is worst in recursion. A sum of {} items that calls itself with `xs[1:]` keeps every copy until the \
             calls return: {} at the peak. The same with an index took {}{}.",
            on_slices.number("few")?,
            bytes(slices),
            bytes(indices),
            times(slices, indices)
        ))
        .heading(format!("Measured here, {} items", count(items)))
        .table(table)
        .text(
            "What else must be known: `islice` walks from the start, so far from it an index is faster; a \
             `memoryview` keeps the whole buffer alive; a slice of a NumPy array is a view and copies nothing.",
        );
    Ok(lead_on(page, "MS1", "finds such slices in your code", &[
            ("memsight explain MS101", "a rule about them, with its fix"),
    ]))
}
