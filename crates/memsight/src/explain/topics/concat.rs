//! Text that grows.

use anyhow::Result;
use memsight_report::units::{bytes, count};

use super::{Topic, lead_on};
use crate::explain::measured::{Measured, Part};
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "concat",
    line: "when s += t copies the whole text, and when it does not",
    experiment: include_str!("../experiments/concat.py"),
    page,
};

/// `s += t`, by what `s` is.
const PLACES: &[(&str, &str)] = &[
    ("a local name", "local"),
    ("a module's own name", "module"),
    ("a `global` name", "global"),
    ("a closure's name", "closure"),
    ("an attribute", "attribute"),
    ("an item of a dict", "item"),
    ("a local name that shares its text", "shared"),
];

/// Other ways to add to a local text.
const WAYS: &[(&str, &str)] = &[
    ("s = s + t + \",\"", "two_added"),
    ("s = t + s", "prepended"),
    ("s = f\"{s}{t}\"", "formatted"),
    ("s += t, bytes", "bytes"),
];

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let steps = measured.part("local")?.number("steps")?;
    let copies = |name: &str| anyhow::Ok(is_copied(measured.part(name)?, steps)?);
    let named = |copied: bool| {
        let mut names = Vec::new();
        for &(label, name) in PLACES {
            if copies(name)? == copied {
                names.push(label);
            }
        }
        anyhow::Ok(names)
    };
    let mut table = Table::new(&["`s += t` where `s` is", "moved", "at the peak", "<"]);
    for &(label, name) in PLACES.iter().chain(WAYS) {
        let part = measured.part(name)?;
        let says = if copies(name)? { "copied at each step" } else { "grew in place" };
        let label = label.replace('`', "");
        table = table.row([&label, &count(part.number("moved")?), &bytes(part.line("grow")?.peak.bytes), says]);
    }
    let build = |name: &str| measured.part(name);
    let (local, join, out) = (build("peak_local")?, build("peak_join")?, build("peak_stringio")?);
    let grown = measured.part("bytearray")?.line("grow")?;
    let length = local.number("length")?;
    let of_length = |part: &Part| format!("{:.1}", part.peak() as f64 / length.max(1) as f64);
    let peaks = Table::new(&["", "at the peak", "times the text"])
        .row(["s += piece, local", &bytes(local.peak()), &of_length(local)])
        .row(["io.StringIO", &bytes(out.peak()), &of_length(out)])
        .row(["\"\".join(list of pieces)", &bytes(join.peak()), &of_length(join)]);
    let page = Page::new("Growing a text", python.clone())
        .found(found(python, &named(false)?, &named(true)?))
        .text(
            "A str never changes, so `s += t` makes a new one, and in a loop that copies all there is at each step: \
             the bytes copied grow with the square of the length. But when nothing else refers to the old text, \
             nobody can see it change, and CPython may lengthen it where it stands.",
        )
        .text(format!(
            "What is linear wherever it stands: a list and `\"\".join`, `io.StringIO`, and for bytes a `bytearray`, \
             which asked for memory {} times in {} steps here. Linear is not small: each piece is an object, and \
             `join` needs all of them at once, {} times the text. `StringIO` held {} times the text at its peak.",
            count(grown.allocations),
            count(steps),
            of_length(join),
            of_length(out)
        ))
        .heading(format!("{} steps: how often the text was found at another address", count(steps)))
        .table(table)
        .heading(format!("{} pieces into {}", count(local.number("pieces")?), bytes(length)))
        .table(peaks)
        .text(
            "Bytes allocated do not tell the two apart: memsight counts lengthening a block as a free and an \
             allocation. The address does, and the peak, where old and new stand side by side.",
        );
    Ok(lead_on(page, "MS3", "finds text that is copied, in your code", &[
            ("memsight explain MS301", "a rule about it, with its fix"),
    ]))
}

/// Whether most steps put the text elsewhere.
fn is_copied(part: &Part, steps: u64) -> Result<bool> {
    Ok(part.number("moved")? > steps / 2)
}

fn found(python: &str, in_place: &[&str], copied: &[&str]) -> String {
    let grows = match in_place {
        [] => "never grows a text in place".to_owned(),
        names => format!("grows a text in place where `s` is {}", list(names)),
    };
    match copied {
        [] => format!("On {python} `s += t` {grows}, and copies it nowhere."),
        names => format!("On {python} `s += t` {grows}. It copies all of it at each step for {}.", list(names)),
    }
}

/// `a, b or c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
