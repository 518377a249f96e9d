//! What the keys do and what the signs mean.

use super::app::KEYS;
use super::pane::Pane;
use super::text::{Ink, Line, fill, folded};

const SIGNS: [(&str, &str); 9] = [
    ("▶ ▷", "the line that runs next, and the one that has just run"),
    ("+ ~ x", "new, changed, gone or freed since the step before"),
    ("→ a", "refers to the object that has the letter a before it"),
    ("─x a", "points to a, which was freed"),
    ("2→3", "a reference count, and what it was a step ago"),
    ("∞", "an object of the interpreter, whose references nobody counts"),
    ("↑ ↓", "before bytes: grew, shrank; in a heading: lines that are not seen"),
    ("░░", "freed, or without a value so far"),
    ("❯", "selected; what leads to it or it leads to is underlined"),
];
/// Columns of a key.
const KEY_COLUMNS: usize = 11;

/// The help in so many columns.
pub(super) fn pane(columns: usize) -> Pane {
    let mut pane = Pane::new("keys", "");
    add(&mut pane, &KEYS, columns);
    pane.lines.push(Line::of(" signs", Ink::Strong));
    add(&mut pane, &SIGNS, columns);
    pane
}

fn add(pane: &mut Pane, rows: &[(&str, &str)], columns: usize) {
    for (key, does) in rows {
        for (index, part) in folded(does, columns.saturating_sub(KEY_COLUMNS + 2)).into_iter().enumerate() {
            let key = if index == 0 { key } else { "" };
            pane.lines
                .push(Line::of(format!("  {}", fill(key, KEY_COLUMNS)), Ink::Strong).and(part, Ink::Plain));
        }
    }
}
