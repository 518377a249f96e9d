//! The column of code: the line that runs next, and the one that has just run.

use memsight_picture::Source;

use super::moment::Moment;
use super::pane::Pane;
use super::text::{Ink, Line, cut, escaped, right, width};

/// Shown of a line at the most, wherever it is folded.
const LONGEST: usize = 400;

/// The code of a step in so many columns.
pub(super) fn pane(moment: &Moment<'_>, columns: usize) -> Pane {
    let none = Source { path: String::new(), text: String::new() };
    let source = moment.trace.sources.get(moment.step.source.0 as usize).unwrap_or(&none);
    let next = moment.step.line as usize;
    let ran = moment.previous.filter(|step| step.source == moment.step.source).map(|step| step.line as usize);
    let digits = source.text.lines().count().to_string().len().max(2);
    let room = columns.saturating_sub(digits + 3);
    let mut pane = Pane::new(&format!("code  {}", escaped(&source.path)), "");
    for (number, text) in (1..).zip(source.text.lines()) {
        let text = tabs_out(text);
        let number_text = right(&number.to_string(), digits);
        let sign = match number {
            _ if number == next => "▶",
            _ if Some(number) == ran => "▷",
            _ => " ",
        };
        if number != next {
            let ink = if Some(number) == ran { Ink::Strong } else { Ink::Plain };
            let line = Line::of(format!("{number_text} "), Ink::Dim).and(format!("{sign} "), Ink::Strong);
            pane.lines.push(line.and(cut(&text, room), ink));
            continue;
        }
        let first = pane.lines.len();
        for (index, part) in folded_code(&text, room).into_iter().enumerate() {
            let (number, sign) = if index == 0 { (number_text.as_str(), sign) } else { ("", " ") };
            let line = Line::of(format!("{} ", right(number, digits)), Ink::Strong);
            pane.lines.push(line.and(format!("{sign} "), Ink::Strong).and(part, Ink::Next));
        }
        pane.focus = first..pane.lines.len();
    }
    if pane.lines.is_empty() {
        pane.lines.push(Line::of("the text of this file cannot be read", Ink::Dim));
    }
    pane
}

fn tabs_out(text: &str) -> String {
    let near: String = text.chars().take(LONGEST).collect();
    escaped(&near.replace('\t', "    "))
}

/// A line of code in lines of so many columns; those after the first stand where it begins.
fn folded_code(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let indent = (text.chars().take_while(|c| *c == ' ').count() + 2).min(columns / 2);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        if used + wide > columns {
            lines.push(" ".repeat(indent));
            used = indent;
        }
        used += wide;
        let last = lines.len() - 1;
        lines[last].push(c);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_line_is_folded_below_itself() {
        assert_eq!(folded_code("  abcdefghij", 8), ["  abcdef", "    ghij"]);
        assert_eq!(folded_code("", 8), [""]);
    }
}
