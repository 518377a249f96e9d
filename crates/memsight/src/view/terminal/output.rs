//! What the program had written by a step: its end, however much there was.

use memsight_picture::Trace;

use super::pane::Pane;
use super::text::{Ink, Line, cut, escaped};

/// Bytes that are looked at of what a step wrote, and of all before it.
const NEAR: usize = 1 << 16;

/// The last lines written up to a step; what the step wrote is marked.
pub(super) fn pane(trace: &Trace, index: usize, columns: usize) -> Pane {
    let mut pane = Pane::new("what the program wrote", "");
    let mut near = Vec::new();
    let mut bytes = 0;
    for (at, step) in trace.steps.iter().enumerate().take(index + 1).rev() {
        for (text, error) in [(&step.stderr, true), (&step.stdout, false)] {
            if !text.is_empty() {
                let text = end_of(text, NEAR);
                bytes += text.len();
                near.push((at == index, error, text));
            }
        }
        if bytes >= NEAR {
            break;
        }
    }
    // What was printed without a line's end goes on in the same line.
    let mut lines: Vec<(bool, bool, String)> = Vec::new();
    let mut open = false;
    for (new, error, text) in near.into_iter().rev() {
        for part in text.split_inclusive('\n') {
            let (text, ends) = match part.strip_suffix('\n') {
                Some(text) => (text, true),
                None => (part, false),
            };
            match lines.last_mut().filter(|(_, before, _)| open && *before == error) {
                Some((is_new, _, line)) => {
                    *is_new |= new;
                    line.push_str(text);
                }
                None => lines.push((new, error, text.to_owned())),
            }
            open = !ends;
        }
    }
    for (new, error, text) in lines {
        let (sign, ink) = if new { (" + ", Ink::New) } else { ("   ", Ink::Plain) };
        let stream = if error { "stderr: " } else { "" };
        let near: String = text.chars().take(columns).collect();
        let text = escaped(&near.replace('\t', "    "));
        pane.lines.push(Line::of(cut(&format!("{sign}{stream}{text}"), columns), ink));
    }
    if pane.lines.is_empty() {
        pane.lines.push(Line::of("   nothing so far", Ink::Dim));
    }
    pane.focus = pane.lines.len() - 1..pane.lines.len();
    pane
}

/// The last bytes of a text, from a character's beginning.
fn end_of(text: &str, bytes: usize) -> &str {
    let mut from = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_joined_across_steps_and_the_new_is_marked() {
        let mut builder = memsight_picture::testing::Builder::python("print.py", "");
        builder.print("one\ntw");
        builder.line(1);
        builder.print("o\n\x1b[2J\n");
        builder.line(2).stderr.push_str("bad\n");
        let trace = builder.finish("exit 0");
        let text = |index| -> Vec<String> {
            let pane = pane(&trace, index, 40);
            pane.lines.iter().map(|line| line.pieces[0].0.clone()).collect()
        };
        assert_eq!(text(0), [" + one", " + tw"]);
        assert_eq!(text(1), ["   one", " + two", " + \\x1b[2J", " + stderr: bad"]);
    }

    #[test]
    fn of_much_output_only_the_end_is_looked_at() {
        let mut builder = memsight_picture::testing::Builder::python("print.py", "");
        builder.print(&"ä\n".repeat(1_000_000));
        builder.line(1);
        let trace = builder.finish("exit 0");
        assert!(pane(&trace, 0, 40).lines.len() <= NEAR);
        assert_eq!(end_of("aä", 1), "");
    }
}
