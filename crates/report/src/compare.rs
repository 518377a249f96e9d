//! Two commands measured in turn: medians, ratios, and whether the difference
//! is more than the noise.

use serde::Serialize;

use crate::look::{Look, cut, fill, line, printable};
use crate::units::{bytes, count, seconds};

/// What one run of a command took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// Live bytes at the peak.
    pub peak_bytes: u64,
    /// Bytes allocated.
    pub allocated_bytes: u64,
    /// Allocations.
    pub allocations: u64,
    /// Processor time of the recorded run, user and system, in nanoseconds.
    pub cpu_ns: u64,
}

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
}

impl Spread {
    /// Of some figures; all zero where there are none.
    pub fn of(figures: impl Iterator<Item = u64>) -> Self {
        let mut figures: Vec<u64> = figures.collect();
        figures.sort_unstable();
        let (Some(&min), Some(&max)) = (figures.first(), figures.last()) else {
            return Spread { median: 0, min: 0, max: 0 };
        };
        let middle = figures.len() / 2;
        let median = match figures.len() % 2 {
            0 => figures[middle - 1].midpoint(figures[middle]),
            _ => figures[middle],
        };
        Spread { median, min, max }
    }

    /// Whether some run of the one is like some run of the other.
    fn overlaps(&self, other: &Spread) -> bool {
        self.min <= other.max && other.min <= self.max
    }
}

type Figure = (&'static str, fn(&Measured) -> u64, fn(u64) -> String);

const FIGURES: [Figure; 4] = [
    ("peak", |run| run.peak_bytes, bytes),
    ("allocated", |run| run.allocated_bytes, bytes),
    ("allocations", |run| run.allocations, count),
    ("CPU, recorded", |run| run.cpu_ns, seconds),
];

/// Two commands and their runs.
pub struct Comparison {
    /// The commands as given.
    pub commands: [String; 2],
    /// The runs of each.
    pub runs: [Vec<Measured>; 2],
}

impl Comparison {
    fn spreads(&self, figure: fn(&Measured) -> u64) -> [Spread; 2] {
        [0, 1].map(|side| Spread::of(self.runs[side].iter().map(figure)))
    }

    /// The table that `compare` prints.
    pub fn text(&self, look: &Look) -> String {
        let mut out = String::new();
        for (name, command) in ["A", "B"].iter().zip(&self.commands) {
            let command = printable(&cut(command, look.width.saturating_sub(3)));
            line(&mut out, &format!("{}  {command}", look.bold(name)));
        }
        line(&mut out, "");
        let rounds = self.runs[0].len();
        let median = if rounds > 1 { format!("median of {rounds}") } else { "one run".into() };
        line(&mut out, &look.dim(&format!("{median:<14}{:>12}{:>12}{:>10}", "A", "B", "B / A")));
        for (label, figure, text) in FIGURES {
            let [a, b] = self.spreads(figure);
            let row = format!("{:>12}{:>12}{:>10}", text(a.median), text(b.median), ratio(&a, &b));
            let label = look.bold(&fill(label, 14));
            line(&mut out, &format!("{label}{row}   {}", look.dim(&self.doubt(&a, &b, text))));
        }
        if rounds < 2 {
            line(&mut out, "");
            line(&mut out, "One run says nothing of noise.");
        }
        out
    }

    /// What there is to say about how sure a difference is.
    fn doubt(&self, a: &Spread, b: &Spread, text: fn(u64) -> String) -> String {
        if self.runs[0].len() < 2 {
            return String::new();
        }
        if a == b && a.min == a.max {
            return "the same in every run".into();
        }
        if a.overlaps(b) {
            let range = |spread: &Spread| format!("{} to {}", text(spread.min), text(spread.max));
            return format!("within the noise: A {}, B {}", range(a), range(b));
        }
        String::new()
    }

    /// `compare --json`.
    pub fn json(&self) -> serde_json::Result<String> {
        let side = |side: usize| {
            serde_json::json!({
                "command": self.commands[side],
                "runs": self.runs[side],
                "median": {
                    "peak_bytes": self.spreads(|run| run.peak_bytes)[side].median,
                    "allocated_bytes": self.spreads(|run| run.allocated_bytes)[side].median,
                    "allocations": self.spreads(|run| run.allocations)[side].median,
                    "cpu_ns": self.spreads(|run| run.cpu_ns)[side].median,
                },
            })
        };
        serde_json::to_string(&serde_json::json!({ "schema_version": 1, "a": side(0), "b": side(1) }))
    }
}

fn ratio(a: &Spread, b: &Spread) -> String {
    if a.median == 0 {
        return String::new();
    }
    format!("{:.2}", b.median as f64 / a.median as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(Spread::of([4, 1, 3, 2].into_iter()), Spread { median: 2, min: 1, max: 4 });
        assert_eq!(Spread::of([9].into_iter()).median, 9);
        assert_eq!(Spread::of(std::iter::empty()).median, 0);
    }

    #[test]
    fn a_difference_within_the_noise_is_said_to_be() {
        let run = |cpu_ns| Measured { cpu_ns, peak_bytes: 5, ..Measured::default() };
        let comparison = Comparison {
            commands: ["a".into(), "b".into()],
            runs: [
                vec![run(1_000_000_000), run(3_000_000_000)],
                vec![run(2_000_000_000), run(2_500_000_000)],
            ],
        };
        let text = comparison.text(&Look::default());
        assert!(text.contains("within the noise: A 1.0 s to 3.0 s, B 2.0 s to 2.5 s"), "{text}");
        assert!(text.contains("the same in every run"), "{text}");
        let once = Comparison { runs: comparison.runs.map(|runs| runs[..1].to_vec()), ..comparison };
        let text = once.text(&Look::default());
        assert_eq!(text.matches("nothing of noise").count(), 1, "{text}");
        assert!(!text.contains("every run"), "{text}");
    }
}
