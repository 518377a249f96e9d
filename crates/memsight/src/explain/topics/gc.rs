//! The collector.

use anyhow::Result;
use memsight_report::units::{bytes, count, seconds};

use super::Topic;
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "gc",
    line: "cycles, which counting never frees, and what collects them",
    experiment: include_str!("../experiments/gc.py"),
    page,
};

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let part = |name: &str| measured.part(name);
    let (chains, rings, collected, on, cost) =
        (part("chains")?, part("rings")?, part("collected")?, part("on")?, part("cost")?);
    let cycles = collected.number("count")?;
    let pause_ns = (cost.value("milliseconds")? * 1e6) as u64;
    let thresholds = ["first", "second", "third"].map(|name| on.number(&format!("threshold_{name}")));
    let [first, second, third] = thresholds;
    let (first, second, third) = (first?, second?, third?);
    let off = if rings.left() > 10 * chains.left() {
        format!(
            "On {python}, with the collector off, {} pairs of objects that refer to each other left {}; as many \
             that refer one way left {}.",
            count(cycles),
            bytes(rings.left()),
            bytes(chains.left())
        )
    } else {
        format!("On {python} cycles were freed without the collector: {} was left.", bytes(rings.left()))
    };
    let runs = on.number("young")? + on.number("middle")? + on.number("full")?;
    let table = Table::new(&["", "at the peak", "left"])
        .row(["one way, collector off", &bytes(chains.peak()), &bytes(chains.left())])
        .row(["cycles, collector off", &bytes(rings.peak()), &bytes(rings.left())])
        .row(["cycles, then gc.collect()", &bytes(collected.peak()), &bytes(collected.left())])
        .row(["cycles, collector on", &bytes(on.peak()), &bytes(on.left())]);
    Ok(Page::new("The collector", python.clone())
        .found(off)
        .text(
            "Counting frees nearly everything, at once. What it can't free is a cycle: objects that refer to \
             each other keep each other's count above zero when nobody else needs them. The collector looks \
             for those: among objects that can hold references, it takes off the references that they have from \
             one another, and whatever then has none from outside is garbage.",
        )
        .text(format!(
            "It runs by itself when {first} more such objects were made than freed. Young objects are looked at \
             most often; those that stay grow old and are looked at more rarely (thresholds {first}, {second}, \
             {third}). So cycles pile up between two runs: here it ran {runs} times for {} cycles, and up to {} \
             was alive at once. `gc.collect()` found {} objects in them.",
            count(cycles),
            bytes(on.peak()),
            count(collected.number("found")?)
        ))
        .text(format!(
            "A full collection looks at everything that is alive, garbage or not: with {} lists alive it took {} \
             here and found {}. The fewer cycles a program makes, the less it has to look for.",
            count(cost.number("objects")?),
            seconds(pause_ns),
            match cost.number("found")? {
                0 => "nothing".to_owned(),
                some => count(some),
            }
        ))
        .heading(format!("Measured here, {} times two objects and a bytearray of 1 kB", count(cycles)))
        .table(table)
        .text("A `weakref` back to the parent makes no cycle. `del` of a name does not undo one.")
        .next(&[
            ("memsight run script.py", "its last lines say how often the collector ran"),
            ("memsight explain leaks", "what no collector can free"),
        ]))
}
