//! What changed between two runs, as text and as JSON.

use memsight_capture::Track;
use memsight_insight::{Diff, Program, Side, SiteChange, same_track};
use serde::Serialize;

use crate::look::{Look, columns, cut, fill, folded, line, printable, right};
use crate::place::{OUTSIDE, program_name, short_function, short_path};
use crate::units::{bytes, count, signed_bytes};

/// A heading, which figure it stands over, and how that is written.
type Figure = (&'static str, fn(&Side) -> u64, fn(u64) -> String);

/// `diff`: the `limit` sites that changed most, or those that matter.
pub fn diff_text(
    before: &Program,
    after: &Program,
    diff: &Diff,
    look: &Look,
    limit: Option<usize>,
) -> String {
    let mut out = String::new();
    let name = |program: &Program| {
        let file = program.first().path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let command = program_name(&program.first().recording.whereabouts.command);
        let cut_short = if program.complete() { "" } else { ", INCOMPLETE" };
        printable(&format!("{command} ({file}{cut_short})"))
    };
    line(&mut out, &format!("before  {}", name(before)));
    line(&mut out, &format!("after   {}", name(after)));
    for warning in differences_of_recording(before, after) {
        line(&mut out, &look.warn(&folded(&warning, look.width, 2)));
    }
    line(&mut out, "");
    let head = format!("{:>24}{:>12}{:>12}", "before", "after", "change");
    line(&mut out, &look.dim(&head));
    let rows: [Figure; 4] = [
        ("peak", |side| side.peak_bytes, bytes),
        ("allocated", |side| side.allocated_bytes, bytes),
        ("allocations", |side| side.allocations, count),
        ("live at end", |side| side.live_bytes, bytes),
    ];
    for (label, figure, text) in rows {
        let (old, new) = (figure(&diff.before), figure(&diff.after));
        let change = change_percent(old, new);
        let row = format!("{}{:>12}{:>12}", right(&text(old), 12), text(new), change);
        line(&mut out, &format!("{}{row}", look.bold(&fill(label, 12))));
    }
    sites(&mut out, after, diff, look, limit);
    out
}

/// What else than the program's work may have changed the figures.
fn differences_of_recording(before: &Program, after: &Program) -> Vec<String> {
    let mut warnings = Vec::new();
    if !same_track(before, after) {
        let what = |program: &Program| match program.last_image().recording.whereabouts.track {
            Track::Objects => "every Python object",
            Track::Heap => "only what is outside Python's object heap",
        };
        warnings.push(format!(
            "NOT COMPARABLE: before holds {}, after {}; record both with the same --track",
            what(before),
            what(after)
        ));
    }
    let version = |program: &Program| {
        let interpreter = program.last_image().recording.interpreter.as_ref();
        interpreter.map(|found| printable(&found.version)).unwrap_or_else(|| "none".into())
    };
    let (old, new) = (version(before), version(after));
    if old != new {
        warnings.push(format!("note: Python differs too, before {old}, after {new}"));
    }
    warnings
}

/// `+12%`, `−3.4%`, `same`; with one digit where it is small.
pub(crate) fn change_percent(before: u64, after: u64) -> String {
    if before == after {
        return "same".into();
    }
    if before == 0 {
        return "new".into();
    }
    let percent = (after as f64 / before as f64 - 1.0) * 100.0;
    let sign = if percent < 0.0 { '−' } else { '+' };
    let size = percent.abs();
    match size {
        ..0.1 => format!("{sign}<0.1%"),
        ..10.0 => format!("{sign}{size:.1}%"),
        ..1000.0 => format!("{sign}{size:.0}%"),
        _ => format!("×{:.0}", after as f64 / before as f64),
    }
}

/// The lines to show where no number was asked for: those that changed by a
/// thousandth of the larger peak, up to 20.
fn sensible(diff: &Diff, changed: &[&SiteChange]) -> usize {
    const MOST: usize = 20;
    let least = diff.before.peak_bytes.max(diff.after.peak_bytes) / 1000;
    let matters = |change: &&&SiteChange| change.peak_delta().unsigned_abs() >= least;
    changed.iter().take_while(matters).count().min(MOST)
}

fn sites(out: &mut String, after: &Program, diff: &Diff, look: &Look, limit: Option<usize>) {
    let changed: Vec<&SiteChange> = diff.sites.iter().filter(|site| site.peak_delta() != 0).collect();
    line(out, "");
    if changed.is_empty() {
        line(out, "No line holds more or less at the peak.");
        return;
    }
    let limit = limit.unwrap_or_else(|| sensible(diff, &changed));
    if limit == 0 {
        let many = changed.len();
        let text = format!("No line changed by a thousandth of the peak; {many} changed by less.");
        line(out, &folded(&text, look.width, 0));
        return;
    }
    let cwd = &after.first().recording.whereabouts.cwd;
    let place_width = (look.width * 3 / 10).clamp(24, 44);
    line(out, &look.dim(&format!("{:>12}{:>11}{:>11}   where", "at the peak", "before", "after")));
    let place_of = |change: &SiteChange| {
        if change.site.is_outside_python() {
            return OUTSIDE.into();
        }
        let line = match (change.line_before, change.line_after) {
            (Some(old), Some(new)) if old != new => format!("{new} (was {old})"),
            _ => change.site.line.to_string(),
        };
        let room = place_width.saturating_sub(columns(&line) + 1);
        let path = crate::look::cut_front(&short_path(&change.site.file, cwd), room);
        printable(&format!("{path}:{line}"))
    };
    let shown = &changed[..changed.len().min(limit)];
    let width = shown.iter().map(|change| columns(&place_of(change))).max().unwrap_or(0);
    for change in shown {
        let delta = right(&signed_bytes(change.peak_delta()), 12);
        let (old, new) = (bytes(change.before.peak_bytes), bytes(change.after.peak_bytes));
        let place = look.place(&fill(&place_of(change), width));
        let function = printable(&short_function(&change.site.function));
        let function = if change.site.is_outside_python() { String::new() } else { function };
        let room = look.width.saturating_sub(width + 39);
        let text = format!("{}{old:>11}{new:>11}   {place}  {}", look.bold(&delta), cut(&function, room));
        line(out, &text);
    }
    if changed.len() > limit {
        line(out, &look.dim(&format!("{:>37}{} more", "", changed.len() - limit)));
    }
}

#[derive(Serialize)]
struct Json<'a> {
    schema_version: u32,
    before: Figures,
    after: Figures,
    peak_increase_percent: Option<f64>,
    sites: Vec<JsonSite<'a>>,
}

#[derive(Serialize)]
struct Figures {
    peak_bytes: u64,
    live_bytes: u64,
    allocations: u64,
    allocated_bytes: u64,
}

#[derive(Serialize)]
struct JsonSite<'a> {
    function: &'a str,
    file: &'a str,
    line_before: Option<u32>,
    line_after: Option<u32>,
    before: Figures,
    after: Figures,
}

impl From<Side> for Figures {
    fn from(side: Side) -> Self {
        Figures {
            peak_bytes: side.peak_bytes,
            live_bytes: side.live_bytes,
            allocations: side.allocations,
            allocated_bytes: side.allocated_bytes,
        }
    }
}

/// `diff --json`: every site of either run, the largest change at the peak first.
pub fn diff_json(diff: &Diff) -> serde_json::Result<String> {
    let sites = diff.sites.iter().map(|change| JsonSite {
        function: &change.site.function,
        file: &change.site.file,
        line_before: change.line_before,
        line_after: change.line_after,
        before: change.before.into(),
        after: change.after.into(),
    });
    serde_json::to_string(&Json {
        schema_version: 1,
        before: diff.before.into(),
        after: diff.after.into(),
        peak_increase_percent: diff.peak_increase_percent(),
        sites: sites.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_percent() {
        for (before, after, text) in [
            (100, 100, "same"),
            (0, 5, "new"),
            (1000, 1050, "+5.0%"),
            (1000, 400, "−60%"),
            (100_000, 100_001, "+<0.1%"),
            (10, 1000, "×100"),
        ] {
            assert_eq!(change_percent(before, after), text);
        }
    }
}
