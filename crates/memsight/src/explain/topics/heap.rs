//! Blocks.

use anyhow::Result;
use memsight_report::units::{bytes, count};

use super::{Topic, plain};
use crate::explain::measured::{Measured, Part};
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "heap",
    line: "blocks at addresses, their sizes, and how long they live",
    experiment: include_str!("../experiments/heap.py"),
    page,
};

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let made = |part: &Part| part.line("made").map(|line| line.live().bytes);
    let (dropped, kept) = (made(measured.part("dropped")?)?, made(measured.part("kept")?)?);
    let addresses = measured.part("addresses")?;
    let appended = measured.part("appended")?;
    let append = appended.line("append")?;
    let at_once = measured.part("whole")?.line("at_once")?;
    let items = appended.number("count")?;
    let reused = if addresses.number("reused")? == 1 {
        "The next block of the same size stood at the address that a freed one had left."
    } else {
        "The next block of the same size stood elsewhere than the freed one; an allocator may do either."
    };
    let strings = match (addresses.number("new_string")?, addresses.number("same_list")?) {
        (1, 1) => "`text += \"sauce\"` made a new string at a new address; `numbers += [...]` grew the same list.",
        (_, 1) => "`text += \"sauce\"` grew the string where it stood, and `numbers += [...]` the same list.",
        _ => "`numbers += [...]` made a new list.",
    };
    let sizes = measured.part("sizes")?;
    let size = |name: &str| sizes.number(name).map(plain);
    let table = Table::new(&["", "bytes", "<  ", "bytes"])
        .row(["int 1", &size("int")?, "tuple ()", &size("tuple")?])
        .row(["float 1.0", &size("float")?, "list []", &size("list")?])
        .row(["str \"apple\"", &size("str")?, "dict {}", &size("dict")?])
        .row(["str \"äpfel→\"", &size("str_wide")?, "set()", &size("set")?])
        .row(["bytes b\"apple\"", &size("bytes")?, "an object without attributes", &size("object")?]);
    Ok(Page::new("The heap", python.clone())
        .found(format!(
            "On {python} a list that a function made and nobody kept left {}; one that the caller kept, {}. What is \
             on the heap lives as long as something refers to it, not as long as the call.",
            bytes(dropped),
            bytes(kept)
        ))
        .text(
            "The heap is memory that is handed out in blocks: somebody asks for a size and is given an address. \
             Python asks for each object, and again for what an object keeps apart from itself: a list's items, \
             a dict's table. In C one frees a block by hand and may forget it; Python frees it when the last \
             reference to the object goes.",
        )
        .text(format!("{reused} {strings} That is why an address says nothing about yesterday's object."))
        .text(format!(
            "A list that grows asks for more than it needs, so that it need not ask at every step: {} appends asked \
             {} times and ended with {}, where a list made at once took {}.",
            count(items),
            count(append.allocations),
            bytes(append.live().bytes),
            bytes(at_once.live().bytes)
        ))
        .heading("Sizes here, as sys.getsizeof tells them: without what the object refers to")
        .table(table)
        .next(&[
            ("memsight explain private-heap", "who hands the blocks out"),
            ("memsight explain refcount", "when an object dies"),
        ]))
}
