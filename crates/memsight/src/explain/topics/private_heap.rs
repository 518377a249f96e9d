//! CPython's own allocator.

use anyhow::Result;
use memsight_report::units::{bytes, count, share};

use super::{Topic, plain};
use crate::explain::measured::{Measured, Part};
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "private-heap",
    line: "arenas, pools and blocks: what is asked for and what is taken",
    experiment: include_str!("../experiments/private-heap.py"),
    page,
};

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let part = |name: &str| measured.part(name);
    let (small, edge, beyond) = (part("small")?, part("edge")?, part("beyond")?);
    let (large, full, holes, empty) = (part("large")?, part("full")?, part("holes")?, part("empty")?);
    // Arenas are all of one size, so it divides whatever is reserved.
    let arena = measured.parts.iter().fold(0, |arena, part| common_divisor(arena, part.reserved_bytes));
    let before = measured.parts.iter().map(|part| part.reserved_bytes).min().unwrap_or(0);
    let grown = |part: &Part| part.reserved_bytes.saturating_sub(before);
    let live = |part: &Part| part.line("blocks").map(|line| line.live().bytes);
    if grown(full) == 0 {
        return Ok(without(measured));
    }
    let (asked, apart) = (small.number("size")?, small.number("apart")?);
    let found = format!(
        "On {python} an object of {asked} bytes takes a block of {apart}. {} of them took {} arenas of {}. When one in \
         fifty was left, {} of that was still taken, for {} that was alive.",
        count(small.number("count")?),
        grown(full) / arena.max(1),
        kibibytes(arena),
        match grown(holes) {
            same if same == grown(full) => "all".to_owned(),
            taken => share(taken, grown(full)),
        },
        bytes(live(holes)?)
    );
    let large_count = count(large.number("count")?);
    let larger = match (edge.number("apart")?, beyond.number("apart")?) {
        (512, beyond_apart) if beyond_apart > beyond.number("size")? => format!(
            "Objects of up to 512 bytes are served from there, without anything between them. Larger ones are \
             passed on to malloc, which puts a word of its own before each block: {large_count} objects of {} bytes \
             made {}.",
            plain(large.number("size")?),
            match grown(large) {
                0 => "no arena grow".to_owned(),
                some => format!("the arenas grow by {}", bytes(some)),
            }
        ),
        _ => {
            let size = large.number("size")?;
            format!("{large_count} objects of {size} bytes made the arenas grow by {}.", bytes(grown(large)))
        }
    };
    let table = Table::new(&["", "alive", "arenas grew by"])
        .row(["50,000 objects of 133 bytes", &bytes(live(full)?), &bytes(grown(full))])
        .row(["  one in fifty left", &bytes(live(holes)?), &bytes(grown(holes))])
        .row(["  none left", &bytes(live(empty)?), &bytes(grown(empty))])
        .row(["5,000 objects of 1,033 bytes", &bytes(live(large)?), &bytes(grown(large))]);
    let blocks = Table::new(&["", "bytes", "apart"])
        .row(["an object of", &plain(asked), &plain(apart)])
        .row(["", "512", &plain(edge.number("apart")?)])
        .row(["", &plain(beyond.number("size")?), &plain(beyond.number("apart")?)]);
    Ok(Page::new("Python's private heap", python.clone())
        .found(found)
        .text(format!(
            "Most objects are small and short-lived, and asking the system for each would be slow. So CPython maps \
             arenas, here of {}, and divides them into pools. A pool holds blocks of one size: here {} in a row \
             for objects of {asked} bytes. What an object does not need of its block is lost.",
            kibibytes(arena),
            small.number("in_a_row")?
        ))
        .text(larger)
        .text(
            "A pool can serve another size only when all its blocks are free, and an arena goes back to the \
             system only when all its pools are. A few objects that stay, spread over everything, keep it all: \
             that is why the resident memory of a program often doesn't fall when its objects go.",
        )
        .heading("Measured here")
        .table(table)
        .heading("How far apart objects stand")
        .table(blocks)
        .next(&[
            ("memsight explain heap", "blocks, addresses and sizes"),
            ("memsight report CAPTURE", "what was asked for, and what was resident"),
        ]))
}

/// The page where objects are not served from arenas.
fn without(measured: &Measured) -> Page {
    Page::new("Python's private heap", measured.python.clone())
        .found(format!(
            "This {} does not use its private heap: 50,000 small objects made no arena grow.",
            measured.python
        ))
        .text(
            "Usually CPython serves small objects from arenas of its own, in pools of blocks of one size. Here each \
             goes to malloc, as it does with PYTHONMALLOC=malloc or in a build without pymalloc.",
        )
}

/// Powers of two as they are meant: 256 KiB, 1 MiB.
fn kibibytes(size: u64) -> String {
    match size {
        0 => "no size".into(),
        _ if size.is_multiple_of(1 << 20) => format!("{} MiB", size >> 20),
        _ if size.is_multiple_of(1 << 10) => format!("{} KiB", size >> 10),
        _ => bytes(size),
    }
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
