//! What the cycle collector did, and when.

use memsight_capture::Gc;
use memsight_insight::{Point, Program};

use crate::look::{Look, folded, line, right};
use crate::units::{bytes, count, seconds};

/// So many spans of time are shown.
const SPANS: usize = 16;

/// `memsight heap --gc`: the collector's runs over time, in spans of the same length in
/// which it ran. The counts are those of the first process's last tick in each.
pub fn gc_text(program: &Program, look: &Look, limit: Option<usize>) -> String {
    let recording = &program.first().recording;
    let mut out = crate::summary::heading(program, look);
    line(&mut out, "");
    let Some(total) = recording.gc() else {
        let text = "This capture says nothing of the cycle collector: no Python interpreter was found, or \
                    it ended before it was looked at.";
        line(&mut out, &folded(text, look.width, 0));
        return out;
    };
    line(&mut out, &look.bold(&in_words(total)));
    let spans = spans(&recording.timeline, recording.duration_ns, limit.unwrap_or(SPANS).max(1));
    if spans.is_empty() {
        return out;
    }
    line(&mut out, "");
    line(&mut out, &look.dim("      until    young     middle        old   collected       time      live"));
    for span in &spans {
        let [young, middle, old] = span.gc.collections;
        let text = format!(
            "{}{}{}{}{}{}{}",
            right(&seconds(span.until_ns), 11),
            right(&count(young), 9),
            right(&count(middle), 11),
            right(&count(old), 11),
            right(&count(span.gc.collected), 12),
            right(&time(span.gc.sampled_ns), 11),
            right(&bytes(span.live_bytes), 10),
        );
        line(&mut out, &text);
    }
    line(&mut out, "");
    let text = "Runs by generation: young objects, those that survived a run, and all. Time is from samples. \
                A run that collects nothing looked for cycles in vain; --cycles shows those that wait.";
    line(&mut out, &look.dim(&folded(text, look.width, 0)));
    out
}

fn in_words(gc: Gc) -> String {
    let runs = gc.collections.iter().fold(0u64, |sum, &runs| sum.saturating_add(runs));
    let mut text = format!("GC   {} runs, {} objects collected", count(runs), count(gc.collected));
    if gc.uncollectable > 0 {
        text += &format!(", {} that cannot be", count(gc.uncollectable));
    }
    if gc.sampled_ns > 0 {
        text += &format!(", about {}", seconds(gc.sampled_ns));
    }
    text
}

fn time(ns: u64) -> String {
    if ns == 0 { "-".into() } else { seconds(ns) }
}

/// What was done until a moment, since the one before.
struct Span {
    until_ns: u64,
    gc: Gc,
    live_bytes: u64,
}

fn spans(timeline: &[Point], duration_ns: u64, limit: usize) -> Vec<Span> {
    let length = (duration_ns / limit as u64).max(1);
    let mut spans = Vec::new();
    let mut before = Gc::default();
    let in_span = |point: &Point| point.end_ns.saturating_sub(1) / length;
    for points in timeline.chunk_by(|a, b| in_span(a) == in_span(b)) {
        let Some((last, gc)) = points.iter().rev().find_map(|point| Some((point, point.gc?))) else {
            continue;
        };
        let done = since(gc, before);
        before = gc;
        if done.collections != [0; 3] {
            spans.push(Span { until_ns: last.end_ns, gc: done, live_bytes: last.live_bytes });
        }
    }
    spans
}

fn since(now: Gc, before: Gc) -> Gc {
    let mut collections = now.collections;
    for (runs, before) in collections.iter_mut().zip(before.collections) {
        *runs = runs.saturating_sub(before);
    }
    Gc {
        collections,
        collected: now.collected.saturating_sub(before.collected),
        uncollectable: now.uncollectable.saturating_sub(before.uncollectable),
        sampled_ns: now.sampled_ns.saturating_sub(before.sampled_ns),
    }
}

#[cfg(test)]
mod tests {
    use memsight_capture::{Gc, TickIndex};
    use memsight_insight::Point;

    use super::spans;

    fn point(index: u32, runs: u64) -> Point {
        let gc = Gc { collections: [runs, 0, 0], collected: 10 * runs, ..Gc::default() };
        Point {
            index: TickIndex(index),
            end_ns: u64::from(index + 1) * 100,
            rss_bytes: 0,
            live_bytes: u64::from(index),
            gc: Some(gc),
        }
    }

    #[test]
    fn runs_are_told_by_when_they_were() {
        let timeline: Vec<Point> =
            [1, 2, 2, 2, 5, 5].into_iter().zip(0..).map(|(runs, at)| point(at, runs)).collect();
        let spans = spans(&timeline, 600, 3);
        let told: Vec<_> =
            spans.iter().map(|span| (span.until_ns, span.gc.collections[0], span.gc.collected)).collect();
        assert_eq!(told, [(200, 2, 20), (600, 3, 30)]);
    }
}
