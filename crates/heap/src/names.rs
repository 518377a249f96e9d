//! How a path is written in the program's own words: `app.CACHE['k'].rows[0]`.
//!
//! What Python can say is written as Python would be. An object and the `__dict__` it
//! keeps its attributes in are one step, `.rows`, as they are to who reads the program.
//! Steps that no expression can go are in angle brackets, as Python's own names for such
//! things are (`load.<locals>.rows`, `<lambda>`).
//!
//! ```text
//! module                app                     attribute, slot, global   .rows
//! local of a function   load.<locals>.rows      str key, int key, repr    ['k'] [7] [(1, 2)]
//! thread                <thread>.exc_info       a dict's key              .keys()[7]
//! held from C           <dict held from C>      list, tuple; set          [0] {*}
//! shared, garbage       <garbage dict>          closure, frame            .<cell x> .f_locals['x']
//! the same again        (.next)×4711            not known                 .<unnamed>
//! ```
//!
//! Names come from files that may say anything: what is no name is quoted or escaped, and
//! a long one is cut.

use std::fmt::Write;

use crate::graph::Graph;
use crate::label::Label;
use crate::name_table::NameTable;
use crate::paths::{Path, Start};
use crate::root::Root;

/// Of a key, this many characters are shown.
const LONGEST_KEY: usize = 40;

/// Of a path with more different steps than both together, the first and last so many.
const FIRST_STEPS: usize = 16;
const LAST_STEPS: usize = 8;

impl Path {
    /// The path in the program's words.
    pub fn name(&self, graph: &Graph) -> String {
        let names = graph.names();
        let mut steps: Vec<(Label, u32)> = Vec::new();
        for &edge in &self.edges {
            push_step(&mut steps, graph.label(edge), names);
        }
        let mut text = start_name(self.start, graph);
        let left_out = steps.len().saturating_sub(FIRST_STEPS + LAST_STEPS);
        let write = |text: &mut String, &(label, times): &(Label, u32)| match times {
            1 => write_step(text, label, names),
            _ => {
                text.push('(');
                write_step(text, label, names);
                // Writing to a text cannot fail.
                let _ = write!(text, ")×{times}");
            }
        };
        if left_out == 0 {
            steps.iter().for_each(|step| write(&mut text, step));
        } else {
            steps[..FIRST_STEPS].iter().for_each(|step| write(&mut text, step));
            let _ = write!(text, ".<{left_out} more>");
            steps[steps.len() - LAST_STEPS..].iter().for_each(|step| write(&mut text, step));
        }
        text
    }
}

impl Start {
    /// How a path from here begins in the program's words.
    pub fn name(self, graph: &Graph) -> String {
        start_name(self, graph)
    }
}

impl Label {
    /// The step along a reference of this label in the program's words, `.rows` or `[0]`.
    pub fn name_of_step(self, graph: &Graph) -> String {
        let mut text = String::new();
        write_step(&mut text, self, graph.names());
        text
    }

    /// The same along a reference from an object's `__dict__`: `.rows` for `['rows']`.
    pub fn name_of_step_in_dict(self, graph: &Graph) -> String {
        in_dict(self, graph.names()).unwrap_or(self).name_of_step(graph)
    }
}

/// Adds a step to those so far, each with how many times in a row it is gone.
fn push_step(steps: &mut Vec<(Label, u32)>, label: Label, names: &NameTable) {
    let mut step = as_seen(label);
    if let (Some((Label::Dict, times)), Some(attribute)) = (steps.last_mut(), in_dict(label, names)) {
        *times -= 1;
        if *times == 0 {
            steps.pop();
        }
        step = attribute;
    }
    match steps.last_mut() {
        Some((last, times)) if *last == step => *times = times.saturating_add(1),
        _ => steps.push((step, 1)),
    }
}

/// A label as a reader of the program sees it, to whom slots are attributes.
pub(crate) fn as_seen(label: Label) -> Label {
    match label {
        Label::Slot(name) | Label::Global(name) => Label::Attribute(name),
        other => other,
    }
}

/// The attribute that a key is, if it stands in a `__dict__`.
pub(crate) fn in_dict(label: Label, names: &NameTable) -> Option<Label> {
    match label {
        Label::Key(name) if is_identifier(names.get(name)) => Some(Label::Attribute(name)),
        _ => None,
    }
}

/// How the beginning of a path is called.
pub(crate) fn start_name(start: Start, graph: &Graph) -> String {
    let name = |name| plain(graph.names().get(name));
    let type_name = |type_id| plain(graph.type_name(type_id));
    match start {
        Start::Root(Root::Module { module }) => name(module),
        Start::Root(Root::Local { function, variable, .. }) => {
            format!("{}.<locals>.{}", name(function), name(variable))
        }
        Start::Root(Root::Thread { field }) => format!("<thread>.{}", name(field)),
        Start::Root(Root::Builtin { name: builtin }) => name(builtin),
        // A path from such a root starts with the type of what is held.
        Start::Root(Root::Unexplained) => "<held from C>".into(),
        Start::Unexplained(type_id) => format!("<{} held from C>", type_name(type_id)),
        Start::Shared(type_id) => format!("<shared {}>", type_name(type_id)),
        Start::Garbage(type_id) => format!("<garbage {}>", type_name(type_id)),
    }
}

/// Writes one step.
pub(crate) fn write_step(text: &mut String, label: Label, names: &NameTable) {
    let name = |name| names.get(name);
    let _ = match label {
        Label::Attribute(id) | Label::Slot(id) | Label::Global(id) => write!(text, ".{}", plain(name(id))),
        Label::Key(id) => write!(text, "[{}]", quoted(name(id))),
        Label::KeyNumber(number) => write!(text, "[{number}]"),
        Label::KeyRepr(id) => write!(text, "[{}]", plain(name(id))),
        Label::KeyItself(place) => write!(text, ".keys()[{place}]"),
        Label::ListIndex(index) | Label::TupleIndex(index) => write!(text, "[{index}]"),
        Label::Member => write!(text, "{{*}}"),
        Label::Cell(id) => write!(text, ".<cell {}>", plain(name(id))),
        Label::Local(id) => write!(text, ".f_locals[{}]", quoted(name(id))),
        Label::Type => write!(text, ".__class__"),
        Label::Dict => write!(text, ".__dict__"),
        Label::Unknown => write!(text, ".<unnamed>"),
    };
}

/// A `str` as Python's `repr` writes it, cut if it is long.
fn quoted(text: &str) -> String {
    quoted_to(text, LONGEST_KEY)
}

/// A `str` as Python's `repr` writes it, whole.
pub fn repr(text: &str) -> String {
    quoted_to(text, usize::MAX)
}

fn quoted_to(text: &str, longest: usize) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(quote);
    escape(&mut quoted, text, longest, |c| c == quote || c == '\\');
    quoted.push(quote);
    quoted
}

/// A name as it is, but for what would not stay in its line; cut if it is long.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    escape(&mut plain, text, LONGEST_KEY, |_| false);
    plain
}

fn escape(to: &mut String, text: &str, longest: usize, with_backslash: impl Fn(char) -> bool) {
    let mut characters = text.chars();
    for c in characters.by_ref().take(longest) {
        let _ = match c {
            '\n' => write!(to, "\\n"),
            '\r' => write!(to, "\\r"),
            '\t' => write!(to, "\\t"),
            // Controls, and what turns the direction of a line or cannot be seen.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => write!(to, "\\x{:02x}", u32::from(c)),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                write!(to, "\\u{:04x}", u32::from(c))
            }
            c if with_backslash(c) => write!(to, "\\{c}"),
            c => write!(to, "{c}"),
        };
    }
    if characters.next().is_some() {
        to.push('…');
    }
}

/// Whether a text can stand behind a dot.
fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    let starts = characters.next().is_some_and(|c| c == '_' || c.is_alphabetic());
    starts && characters.all(|c| c == '_' || c.is_alphanumeric()) && !KEYWORDS.contains(&text)
}

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

#[cfg(test)]
mod tests {
    use super::{is_identifier, plain, quoted};

    #[test]
    fn keys_are_quoted_as_python_would() {
        assert_eq!(quoted("k"), "'k'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("'\"\\"), "'\\'\"\\\\'");
        assert_eq!(quoted("a\nb\u{1b}[31m\u{202e}"), "'a\\nb\\x1b[31m\\u202e'");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 43);
    }

    #[test]
    fn names_stay_in_their_line() {
        assert_eq!(plain("größe"), "größe");
        assert_eq!(plain("a\r\n"), "a\\r\\n");
    }

    #[test]
    fn keywords_and_words_with_spaces_are_no_names() {
        assert!(is_identifier("_x1") && is_identifier("größe"));
        assert!(["", "1x", "a b", "class", "a-b"].iter().all(|text| !is_identifier(text)));
    }
}
