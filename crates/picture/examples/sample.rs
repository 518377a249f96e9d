//! Prints a made trace as the page reads it or, with `--json`, as scripts do; without a
//! name, lists the names. `large` takes a number of steps and of objects.

use std::io::{self, BufWriter, Write};

use memsight_picture::{Trace, json, page, say_all, testing};

fn main() -> io::Result<()> {
    let (flags, arguments): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|text| text.starts_with('-'));
    let mut out = BufWriter::new(io::stdout().lock());
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u32>().ok());
    let traces = testing::traces();
    let trace = match (arguments.first(), number(1), number(2)) {
        (Some(name), Some(steps), Some(objects)) if name == "large" => {
            Some(testing::large(steps, objects as usize))
        }
        (Some(name), ..) => traces.iter().find(|(other, _)| other == name).map(|(_, trace)| trace.clone()),
        (None, ..) => None,
    };
    match trace.map(with_sentences) {
        Some(trace) if flags.iter().any(|flag| flag == "--json") => json::write(&trace, &mut out)?,
        Some(trace) => page::write(&trace, &mut out)?,
        None => traces.iter().try_for_each(|(name, _)| writeln!(out, "{name}"))?,
    }
    out.flush()
}

fn with_sentences(mut trace: Trace) -> Trace {
    say_all(&mut trace);
    trace
}
