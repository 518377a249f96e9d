//! Frames.

use anyhow::Result;
use memsight_report::units::{bytes, count};

use super::{Topic, each};
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "stack",
    line: "frames come with calls and go with returns",
    experiment: include_str!("../experiments/stack.py"),
    page,
};

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let (deep, twice, locals) = (measured.part("deep")?, measured.part("twice")?, measured.part("locals")?);
    let calls = deep.number("depth")?;
    let frames = deep.line("call")?;
    let block = frames.allocated_bytes / frames.allocations.max(1);
    let own_block = frames.allocations.saturating_mul(2) > calls;
    let found = if own_block {
        format!(
            "On {python} a call that waits keeps a frame of {} on the heap: {} calls within each other held {}.",
            each(frames.peak.bytes, calls),
            count(calls),
            bytes(frames.peak.bytes)
        )
    } else {
        format!(
            "On {python} a call that waits takes {} of a stack of Python's own, which grows by {} at a time: {} \
             calls within each other held {} in {} blocks.",
            each(frames.peak.bytes, calls),
            bytes(block),
            count(calls),
            bytes(frames.peak.bytes),
            count(frames.allocations)
        )
    };
    let after = if frames.live().bytes == 0 {
        "When they had returned, all of it was given back.".to_owned()
    } else {
        format!(
            "When they had returned, {} was kept: the interpreter puts some frames aside for the next calls.",
            bytes(frames.live().bytes)
        )
    };
    let again = twice.line("call")?.allocated_bytes.saturating_sub(frames.allocated_bytes);
    let list = locals.line("local")?;
    let stopped = measured.part("endless")?;
    let of_c = match (deep.stack_bytes, locals.stack_bytes) {
        (Some(deep), Some(flat)) if deep > flat + calls => format!(
            "Besides, each call took {} of the thread's C stack, which the system limits: too deep a recursion ends \
             the process.",
            each(deep - flat, calls)
        ),
        (Some(_), Some(_)) => "The thread's C stack did not grow: Python functions call each other without it.".into(),
        _ => String::new(),
    };
    let table = Table::new(&["", "alive", "blocks"])
        .row([&format!("{} calls waiting", count(calls)), &bytes(frames.peak.bytes), &count(frames.allocations)])
        .row(["  after they returned", &bytes(frames.live().bytes), &count(frames.live().blocks)])
        .row(["a call with a list of 100,000 items", &bytes(list.peak.bytes), &count(list.peak.blocks)])
        .row(["  after it returned", &bytes(list.live().bytes), &count(list.live().blocks)])
        .row(["endless recursion, when it was stopped", &bytes(stopped.peak()), &count(stopped.all.peak.blocks)]);
    Ok(Page::new("The call stack", python.clone())
        .found(found)
        .text(
            "A call pushes a frame: where it will return to, and a slot for each local name. The return pops it. \
             Frames wait for the frames above them, so what a program holds in frames grows with how deep its \
             calls go and not with how many there are.",
        )
        .text(
            "A slot holds a reference, never the object. Objects are elsewhere, on the heap: when a frame goes, \
             its references go, and an object that had no other goes with them.",
        )
        .text(format!(
            "{after} Going down once more allocated {}. {of_c}",
            bytes(again)
        ))
        .heading("Measured here")
        .table(table)
        .text(
            "Recursion that hands on a copy of its input costs far more than its frames: see \
             memsight explain slicing.",
        )
        .next(&[
            ("memsight run script.py", "every allocation with its stack"),
            ("memsight explain heap", "where the objects are"),
        ]))
}
