//! Prints a made trace as JSON; without a name, lists the names.
//! `large` takes a number of steps and of objects.

use std::io::{self, BufWriter, Write};

use memsight_picture::{json, testing};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
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
    match trace {
        Some(trace) => json::write(&trace, &mut out)?,
        None => traces.iter().try_for_each(|(name, _)| writeln!(out, "{name}"))?,
    }
    out.flush()
}
