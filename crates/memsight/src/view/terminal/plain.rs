//! The steps as plain text, for where no terminal is: step, line and sentence of each.

use memsight_picture::{Event, Step, Trace};

use super::text::{count_of, escaped, folded, right, width};

/// The whole listing in so many columns.
pub(super) fn listing(trace: &Trace, columns: usize) -> String {
    let mut out = String::new();
    let path = trace.sources.first().map(|source| escaped(&source.path)).unwrap_or_default();
    let steps = count_of(trace.steps.len() as u64, "step");
    out.push_str(&format!("{path}  {}  {steps}, {}\n", escaped(&trace.made_by), escaped(&trace.ending)));
    let numbers = trace.steps.len().to_string().len().max(4);
    out.push_str(&format!("{}  {}\n", right("step", numbers), right("line", 5)));
    for (number, step) in (1..).zip(&trace.steps) {
        let line = if step.line > 0 { step.line.to_string() } else { String::new() };
        let head = format!("{}  {}  ", right(&number.to_string(), numbers), right(&line, 5));
        let indent = " ".repeat(width(&head));
        let room = columns.saturating_sub(width(&head));
        for (index, part) in folded(&sentence(step), room).iter().enumerate() {
            let before = if index == 0 { &head } else { &indent };
            out.push_str(format!("{before}{part}").trim_end());
            out.push('\n');
        }
        for written in step.stdout.lines().chain(step.stderr.lines()) {
            out.push_str(&format!("{indent}> {}\n", escaped(written)));
        }
    }
    for said in trace.truncated.iter().chain(&trace.notes) {
        out.push_str(&format!("{}\n", escaped(said)));
    }
    out
}

/// What a step says, or what it is where nothing is said.
pub(super) fn sentence(step: &Step) -> String {
    if !step.say.is_empty() {
        return escaped(&step.say);
    }
    let function = step.stack.last().map(|frame| escaped(&frame.function)).unwrap_or_default();
    match step.event {
        Event::Call => format!("{function} is called."),
        Event::Line => String::new(),
        Event::Return if step.yields => format!("{function} pauses."),
        Event::Return => format!("{function} returns."),
        Event::Exception => format!("An exception passes through {function}."),
        Event::End => "The program is over.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_each_step_its_line_and_what_was_printed() {
        let traces = memsight_picture::testing::traces();
        let (_, mut trace) = traces.into_iter().find(|(name, _)| *name == "slice").unwrap();
        trace.steps[1].say = "`items` names a new list.".into();
        trace.notes.push("a \x1b[2J note".into());
        let expected = "\
slice.py  CPython 3.12.1  5 steps, exit 0
step   line
   1      1
   2      2  `items` names a new list.
   3      3
   4      4
             > 9000
   5         The program is over.
a \\x1b[2J note
";
        assert_eq!(listing(&trace, 100), expected);
    }
}
