//! A trace as text for a snapshot: without addresses, paths and counts that other parts of
//! the interpreter share, which differ from run to run.
//!
//! Objects are `@1`, `@2`, … in the order in which names first lead to them. Each step has
//! its frames whole, and of the objects those that came, changed and went. Names that
//! begin with `__` are left out, with what only they lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::trace::{Object, Ref, Step, Trace};

/// The trace as text, a line for each fact.
pub(crate) fn symbolic(trace: &Trace) -> String {
    let mut symbols = Symbols::default();
    let mut out = String::new();
    for (number, step) in trace.steps.iter().enumerate() {
        symbols.step(number, step, &mut out);
    }
    let _ = writeln!(out, "truncated: {}", trace.truncated);
    out
}

#[derive(Default)]
struct Symbols {
    numbers: BTreeMap<String, usize>,
    /// Addresses of what is there.
    at: BTreeMap<String, usize>,
    addresses: BTreeMap<usize, u64>,
}

impl Symbols {
    fn step(&mut self, number: usize, step: &Step, out: &mut String) {
        let function = step.innermost().map_or("", |frame| frame.function.as_str());
        let _ = writeln!(out, "step {number}: {} at line {} of {function}", step.event, step.line);
        let came: Vec<String> =
            reached(step).into_iter().filter(|id| !self.numbers.contains_key(id)).collect();
        for id in &came {
            self.numbers.insert(id.clone(), self.numbers.len() + 1);
        }
        self.at.clear();
        for (id, object) in &step.heap {
            if let Some(&number) = self.numbers.get(id) {
                self.at.insert(format!("{:x}", object.address), number);
            }
        }
        let _ = writeln!(out, "  say {}", self.text(&step.say));
        if !step.stdout.is_empty() {
            let _ = writeln!(out, "  out {:?}", step.stdout);
        }
        for frame in &step.stack {
            let _ = write!(out, "  {}:{}", frame.function, frame.line);
            for (name, to) in frame.names.iter().filter(|(name, _)| is_shown(name)) {
                let _ = write!(out, " {name}={}", self.to(to));
            }
            out.push('\n');
        }
        let list = |ids: &[String]| ids.iter().filter(|id| !came.contains(id)).cloned().collect::<Vec<_>>();
        for (what, ids) in [("+", came.clone()), ("*", list(&step.changed))] {
            for id in ids {
                if let (Some(&number), Some(object)) = (self.numbers.get(&id), step.heap.get(&id)) {
                    if what == "*" && is_shared(object) {
                        continue;
                    }
                    let moved = self
                        .addresses
                        .insert(number, object.address)
                        .is_some_and(|was| was != object.address);
                    let object = self.object(object);
                    let _ = writeln!(out, "  {what} @{number} {object}{}", if moved { " moved" } else { "" });
                }
            }
        }
        let died: BTreeSet<usize> = step.died.iter().filter_map(|id| self.numbers.get(id).copied()).collect();
        for number in died {
            let _ = writeln!(out, "  - @{number}");
        }
    }

    fn object(&self, object: &Object) -> String {
        let mut text = format!("{} {} bytes", object.of_type, object.bytes);
        if !is_shared(object) {
            let _ = match object.references {
                Some(count) => write!(text, ", {count} references"),
                None => write!(text, ", immortal"),
            };
        }
        if let Some(value) = &object.value {
            let _ = write!(text, ", {}", self.text(value));
        }
        if object.short_type() != "type" {
            for (label, to) in object.items.iter().filter(|(label, _)| is_shown(label)) {
                let _ = write!(text, " {label}={}", self.to(to));
            }
        }
        if object.hidden_items > 0 && object.short_type() != "type" {
            let _ = write!(text, " and {} more", object.hidden_items);
        }
        text
    }

    fn to(&self, to: &Ref) -> String {
        match to {
            Ref::To(id) => self.numbers.get(id).map_or("@?".into(), |number| format!("@{number}")),
            Ref::Value(text) => self.text(text),
        }
    }

    /// A text with its addresses made symbolic, whole (`0x7f…`) or in short (`…c30`).
    fn text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(place) = [rest.find("0x"), rest.find('…')].into_iter().flatten().min() {
            let (before, behind) = rest.split_at(place);
            out.push_str(before);
            let mark = if behind.starts_with("0x") { "0x" } else { "…" };
            let behind = &behind[mark.len()..];
            let digits = behind.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(behind.len());
            if digits < 3 {
                out.push_str(mark);
                rest = behind;
                continue;
            }
            let end = &behind[..digits];
            // The end of an address may be another's as well, in one run and not in the next.
            let number = if mark == "0x" { self.at.get(end) } else { None };
            out.push_str(&number.map_or("@?".into(), |number| format!("@{number}")));
            rest = &behind[digits..];
        }
        out + rest
    }
}

/// What names lead to, in the order of frames, names and items.
fn reached(step: &Step) -> Vec<String> {
    let names = step.stack.iter().flat_map(|frame| &frame.names).filter(|(name, _)| is_shown(name));
    let mut waiting: Vec<&str> = names.filter_map(|(_, to)| to.id()).collect();
    waiting.reverse();
    let mut found: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        let Some(object) = step.heap.get(id).filter(|_| seen.insert(id)) else { continue };
        found.push(id.to_owned());
        // What a class holds differs between versions, and is not what the gallery is about.
        if object.short_type() != "type" {
            waiting.extend(object.items.iter().rev().filter_map(|(_, to)| to.id()));
        }
    }
    found
}

fn is_shown(name: &str) -> bool {
    !name.trim_start_matches(['.', '[', '\'', '"']).starts_with("__")
}

/// Whether the interpreter or other code may hold it as well.
fn is_shared(object: &Object) -> bool {
    let value = object.value.as_deref().unwrap_or_default();
    match object.short_type() {
        "NoneType" | "bool" | "module" | "type" | "builtin_function_or_method" | "ellipsis" => true,
        "int" => value.parse().is_ok_and(|number: i64| (-6..257).contains(&number)),
        "str" => value.chars().count() <= 3,
        "tuple" => object.items.is_empty(),
        _ => object.standing.as_deref() == Some("static"),
    }
}
