//! The `view` key of `report --json`: the answer to `--at`, `--by`, `--leaks`
//! or `--temporary`, which the other keys do not hold.

use memsight_insight::{By, Key, Line, Moment, NoSuchView, Program, left, table, weights};
use serde::Serialize;

use crate::heap_leaks::{Held, HeldBySite};
use crate::place::label;

/// A table as JSON.
#[derive(Serialize)]
pub struct View {
    /// What the figures are of: `peak`, `end`, `at 3.5`, `2.0..3.5`, `leaks` or `temporary`.
    of: String,
    /// What a row stands for.
    by: &'static str,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    blocks: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<Vec<Held>>,
}

impl View {
    /// `--at` and `--by`.
    pub fn at(program: &Program, moment: Moment, by: By, limit: Option<usize>) -> Result<Self, NoSuchView> {
        let lines = table(program, &weights(program, moment)?, by);
        let of = match moment {
            _ if by == By::Type => "end".into(),
            Moment::Peak => "peak".into(),
            Moment::End => "end".into(),
            Moment::At(at) => format!("at {}", at as f64 / 1e9),
            Moment::Between(from, to) => format!("{}..{}", from as f64 / 1e9, to as f64 / 1e9),
        };
        let by = match by {
            By::Site => "site",
            By::Function => "function",
            By::File => "file",
            By::Module => "module",
            By::Type => "type",
            By::Thread => "thread",
            By::Process => "process",
        };
        Ok(View { of, by, rows: rows(program, lines, limit) })
    }

    /// `--leaks`; with the object graph also what keeps alive what each line allocated.
    pub fn leaks(program: &Program, held: Option<&HeldBySite<'_>>, limit: Option<usize>) -> Self {
        let sites = left(program).sites;
        let held_by = |line: &Line| match (&line.key, held) {
            (Key::Site(site), Some(held)) => Some(held.of(site)),
            _ => None,
        };
        let held_by: Vec<_> =
            sites.iter().take(limit.unwrap_or(MOST_HELD).min(MOST_HELD)).map(held_by).collect();
        let mut rows = rows(program, sites, limit);
        rows.iter_mut().zip(held_by).for_each(|(row, held_by)| row.held_by = held_by);
        View { of: "leaks".into(), by: "site", rows }
    }

    /// `--temporary`.
    pub fn temporary(program: &Program, limit: Option<usize>) -> Result<Self, NoSuchView> {
        let mut lines = table(program, &weights(program, Moment::Peak)?, By::Site);
        lines.iter_mut().for_each(|line| line.shown = line.counts.temporary);
        lines.sort_by(|a, b| b.shown.bytes.cmp(&a.shown.bytes).then_with(|| a.key.cmp(&b.key)));
        Ok(View { of: "temporary".into(), by: "site", rows: rows(program, lines, limit) })
    }
}

/// Paths are sought for so many lines.
const MOST_HELD: usize = 50;

fn rows(program: &Program, lines: Vec<Line>, limit: Option<usize>) -> Vec<Row> {
    let cwd = &program.first().recording.whereabouts.cwd;
    let shown = lines.into_iter().filter(|line| !line.shown.is_zero());
    let rows = shown.take(limit.unwrap_or(usize::MAX)).map(|line| {
        let (place, function) = label(program, &line.key, cwd, usize::MAX);
        let (function_key, file, at) = match &line.key {
            Key::Site(site) => {
                (Some(site.function.to_string()), Some(site.file.to_string()), Some(site.line))
            }
            Key::Function { file, function } => (Some(function.to_string()), Some(file.to_string()), None),
            Key::File(file) => (None, Some(file.to_string()), None),
            _ => (None, None, None),
        };
        Row {
            name: if function.is_empty() { place } else { format!("{place} {function}") },
            function: function_key,
            file,
            line: at,
            blocks: line.shown.blocks,
            bytes: line.shown.bytes,
            held_by: None,
        }
    });
    rows.collect()
}
