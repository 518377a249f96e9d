//! Several snapshots of one capture: when they were taken, and what grew from each to the next.

use std::collections::HashMap;

use memsight_capture::SnapshotReason;
use memsight_heap::Snapshot;
use memsight_insight::{HeapSnapshot, Program};
use serde_json::{Value, json};

use crate::look::{Look, cut, fill, folded, line, printable, right};
use crate::units::{bytes, count, seconds, signed_bytes};

/// When a snapshot was taken, and what for.
pub(crate) fn when(reason: SnapshotReason, at_ns: u64) -> String {
    let at = seconds(at_ns);
    match reason {
        SnapshotReason::Exit => "at the end".into(),
        SnapshotReason::Peak => format!("near the peak, at {at}"),
        SnapshotReason::Asked => format!("at {at}"),
        SnapshotReason::OutOfMemory => format!("at {at}, when an allocation failed"),
    }
}

/// That there are others, where there are.
pub(crate) fn others(all: &[HeapSnapshot], shown: usize) -> Option<String> {
    let (first, last) = (all.first()?, all.last()?);
    (all.len() > 1).then(|| {
        format!(
            "this is number {shown} of {} snapshots from {} to {}: --snapshots lists them, --at N shows \
             another, --growth what grew",
            all.len(),
            seconds(first.at_ns),
            seconds(last.at_ns)
        )
    })
}

/// For the summary of a run: how many there are, and what they cost.
pub(crate) fn taken(all: &[HeapSnapshot]) -> Option<String> {
    let last = all.last()?;
    let paused = all.iter().map(|snapshot| snapshot.paused_ns).fold(0, u64::saturating_add);
    let stored = all.iter().map(|snapshot| snapshot.capture_bytes).fold(0, u64::saturating_add);
    let how_many = match all.len() {
        1 => format!("1 snapshot {}", when(last.reason, last.at_ns)),
        several => format!("{several} snapshots, the last {}", when(last.reason, last.at_ns)),
    };
    Some(format!(
        "{how_many}: {} objects; the program stood still for {}, {} of the capture",
        count(last.objects),
        seconds(paused),
        bytes(stored)
    ))
}

fn reason_word(reason: SnapshotReason) -> &'static str {
    match reason {
        SnapshotReason::Exit => "exit",
        SnapshotReason::Peak => "peak",
        SnapshotReason::Asked => "asked",
        SnapshotReason::OutOfMemory => "out-of-memory",
    }
}

/// Which snapshot of a capture this is.
pub(crate) fn json(number: usize, all: &[HeapSnapshot]) -> Value {
    let Some(snapshot) = number.checked_sub(1).and_then(|at| all.get(at)) else { return Value::Null };
    json!({
        "number": number,
        "reason": reason_word(snapshot.reason),
        "at_s": snapshot.at_ns as f64 / 1e9,
        "live_bytes": snapshot.live_bytes,
        "paused_s": snapshot.paused_ns as f64 / 1e9,
    })
}

/// `memsight heap --snapshots`: all of a capture.
pub fn list(program: &Program, look: &Look) -> String {
    let mut out = crate::summary::heading(program, look);
    line(&mut out, "");
    line(&mut out, &look.dim("number        live   objects      pause   taken"));
    for (at, snapshot) in program.first().recording.snapshots.iter().enumerate() {
        let text = format!(
            "{}{}{}{}   {}",
            right(&(at + 1).to_string(), 6),
            look.bold(&right(&bytes(snapshot.live_bytes), 12)),
            right(&count(snapshot.objects), 10),
            right(&seconds(snapshot.paused_ns), 11),
            when(snapshot.reason, snapshot.at_ns)
        );
        line(&mut out, &text);
    }
    out
}

/// By how much an amount grew. A damaged capture may have any.
pub(crate) fn growth(before: u64, now: u64) -> i64 {
    let most = if now < before { i64::MIN } else { i64::MAX };
    i64::try_from(i128::from(now) - i128::from(before)).unwrap_or(most)
}

/// So many snapshots are compared, the first and the last among them.
const COMPARED: usize = 6;

/// What grew from each snapshot to the next.
pub struct Series {
    /// The snapshots that are compared, from 1 on.
    numbers: Vec<usize>,
    of: usize,
    /// By type: objects and bytes in each snapshot.
    types: HashMap<String, Vec<(u64, u64)>>,
    at_ns: Vec<u64>,
}

impl Series {
    /// Chooses which of `of` snapshots are compared.
    pub fn new(of: usize) -> Self {
        let chosen = of.clamp(1, COMPARED);
        let mut numbers: Vec<usize> =
            (0..chosen).map(|at| 1 + at * (of.max(1) - 1) / (chosen - 1).max(1)).collect();
        numbers.dedup();
        Series { numbers, of, types: HashMap::new(), at_ns: Vec::new() }
    }

    /// The numbers of those that are to be added, in this order.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// Adds the next.
    pub fn add(&mut self, snapshot: &Snapshot) {
        let graph = &snapshot.graph;
        let at = self.at_ns.len();
        self.at_ns.push(snapshot.at_ns);
        let mut sums: HashMap<memsight_heap::TypeId, (u64, u64)> = HashMap::new();
        for node in graph.nodes() {
            let sum = sums.entry(graph.type_of(node)).or_default();
            *sum = (sum.0 + 1, sum.1.saturating_add(graph.bytes(node)));
        }
        let room = self.numbers.len();
        for (of, (objects, bytes)) in sums {
            let row = self.types.entry(printable(graph.type_name(of))).or_insert_with(|| vec![(0, 0); room]);
            if let Some(place) = row.get_mut(at) {
                *place = (place.0 + objects, place.1.saturating_add(bytes));
            }
        }
    }

    /// The types that grew most, those first that grew in each step.
    pub fn text(&self, program: &Program, look: &Look, limit: Option<usize>) -> String {
        let mut out = crate::summary::heading(program, look);
        line(&mut out, "");
        let steps = self.at_ns.len();
        let grown = self.types.iter().filter_map(|(name, row)| {
            let (first, last) = (row.first()?, row.get(steps.checked_sub(1)?)?);
            let grown = growth(first.1, last.1);
            let steadily = row[..steps].windows(2).all(|pair| pair[1].0 > pair[0].0);
            (grown > 0).then_some((steadily, grown, name.as_str(), &row[..steps]))
        });
        let mut rows: Vec<_> = grown.collect();
        rows.sort_by(|a, b| (b.0, b.1, a.2).cmp(&(a.0, a.1, b.2)));
        if rows.is_empty() {
            line(&mut out, "No type grew.");
            return out;
        }
        let chosen: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        if self.of > self.numbers.len() {
            let text = format!(
                "{} of {} snapshots are compared: {}",
                self.numbers.len(),
                self.of,
                chosen.join(", ")
            );
            line(&mut out, &look.dim(&folded(&text, look.width, 0)));
        }
        let shown = limit.unwrap_or(8);
        let name_width = look.width.saturating_sub(11 * steps + 2).clamp(16, 40);
        let times: String = self.at_ns.iter().map(|&at| right(&seconds(at), 11)).collect();
        for (steadily, title) in [(true, "grew in each step"), (false, "grew, but not in each step")] {
            let rows: Vec<_> = rows.iter().filter(|row| row.0 == steadily).take(shown).collect();
            if rows.is_empty() {
                continue;
            }
            line(&mut out, &look.dim(&format!("{}{times}", fill(title, name_width))));
            for (_, _, name, row) in rows {
                let mut text = fill(&cut(name, name_width), name_width);
                let mut before = None;
                for &(_, now) in *row {
                    let cell = match before.replace(now) {
                        None => bytes(now),
                        Some(before) => signed_bytes(growth(before, now)),
                    };
                    text.push_str(&right(&cell, 11));
                }
                line(&mut out, &text);
            }
            line(&mut out, "");
        }
        line(&mut out, &look.dim("the first column is what there was, the others what came since"));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::growth;

    #[test]
    fn amounts_that_a_damaged_capture_says_grow_by_no_more_than_fits() {
        assert_eq!([growth(7, 9), growth(9, 7)], [2, -2]);
        assert_eq!([growth(0, u64::MAX), growth(u64::MAX, 0)], [i64::MAX, i64::MIN]);
    }
}
