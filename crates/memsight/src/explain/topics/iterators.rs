//! One item at a time.

use anyhow::Result;
use memsight_report::units::{bytes, count};

use super::{Topic, lead_on, plain};
use crate::explain::measured::Measured;
use crate::explain::page::{Page, Table};

pub(super) const TOPIC: Topic = Topic {
    name: "iterators",
    line: "one item at a time instead of a whole list",
    experiment: include_str!("../experiments/iterators.py"),
    page,
};

/// What is done, with a list, without; and the parts of both.
const WAYS: &[(&str, &str, &str)] = &[
    ("sum([...])             sum(...)", "sum_list", "sum_generator"),
    ("any([...])             any(...)", "any_list", "any_generator"),
    ("len([... if ...])      sum(1 for ... if ...)", "len_list", "len_generator"),
    ("for ... f.readlines()  for ... f", "readlines", "file"),
    ("tuple([...])           tuple(...)", "tuple_list", "tuple_generator"),
    ("\"\".join([...])         \"\".join(...)", "join_list", "join_generator"),
];

fn page(measured: &Measured) -> Result<Page> {
    let python = &measured.python;
    let peak = |name: &str| measured.part(name).map(|part| part.peak());
    let items = measured.part("sum_list")?.number("count")?;
    let table = Table::new(&["a list first           without", "list", "without"]);
    let table = WAYS.iter().try_fold(table, |table, (label, list, without)| {
        anyhow::Ok(table.row([label, &bytes(peak(list)?), &bytes(peak(without)?)]))
    })?;
    let sizes = measured.part("sizes")?;
    let (small, large) = (sizes.number("small")?, sizes.number("large")?);
    let (any_list, any_generator) = (measured.part("any_list")?, measured.part("any_generator")?);
    let (join, join_generator) = (peak("join_list")?, peak("join_generator")?);
    let joined = if join_generator * 10 >= join * 9 {
        "`\"\".join` needs all pieces before it can begin, so it makes a list of a generator itself: nothing is \
         saved there. Neither is much where the result keeps every item anyway, as in a tuple."
    } else {
        "Where the result keeps every item anyway, as in a tuple, little is saved."
    };
    let size = if small == large {
        format!("A generator takes {} whether ten items come of it or a million.", bytes(small))
    } else {
        format!("A generator of ten items took {}, of a million {}.", bytes(small), bytes(large))
    };
    let page = Page::new("Iterators", python.clone())
        .found(format!(
            "On {python} `sum([...])` over {} numbers held {} at the peak, `sum(...)` without the brackets {}.",
            count(items),
            bytes(peak("sum_list")?),
            bytes(peak("sum_generator")?)
        ))
        .text(
            "Brackets make a list: every item exists before the first is looked at. A generator makes an item when \
             it is asked for one, and remembers only where it stands. A file, a range, `map`, `zip`, a database \
             cursor do the same.",
        )
        .text(format!(
            "{size} It also stops when it is no longer asked: `any` of a list made {} objects, `any` of a \
             generator {}, since the answer came early.",
            count(any_list.all.allocations),
            plain(any_generator.all.allocations)
        ))
        .text(joined)
        .heading(format!("At the peak here, {} items (lines: 50 k)", count(items)))
        .table(table)
        .text(format!(
            "A generator can be gone over once: the sum of the same one was {}, and then {}. It has no length and \
             is always true, and what it reads from must not change meanwhile.",
            sizes.number("first_time")?,
            sizes.number("second_time")?
        ));
    Ok(lead_on(page, "MS4", "finds such lists in your code", &[
            ("memsight explain MS401", "a rule about them, with its fix"),
    ]))
}
