//! Whether a fix is kept: the run with it against the run without.

use std::fs::File;

use anyhow::{Context, Result};
use memsight_check::Cost;
use memsight_report::units;

use super::printed::{self, Difference};
use super::trial::{End, Trial};
use super::written::Files;

/// What was decided about a fix, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Same behaviour, fewer bytes.
    Kept(String),
    /// Same behaviour, and not fewer bytes.
    NoFewer(String),
    /// Same behaviour, and more bytes.
    Rises(String),
    /// The program did something else.
    Differs(String),
    /// It was not run.
    NotTried(String),
}

impl Verdict {
    /// The reason, in words.
    pub(super) fn reason(&self) -> &str {
        let (Self::Kept(why)
        | Self::NoFewer(why)
        | Self::Rises(why)
        | Self::Differs(why)
        | Self::NotTried(why)) = self;
        why
    }

    /// Whether the fix is kept.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// What a run without any fix did, which every run with fixes has to do too.
pub(super) struct Behaviour {
    pub(super) end: End,
    pub(super) stdout: File,
    pub(super) tests_passed: Option<u64>,
    /// Once like runs have shown which files it writes the same each time.
    pub(super) files: Option<Files>,
}

impl Behaviour {
    /// What is to be said of a run with a fix: `plain` is what the run without any costs, `before`
    /// that without this one.
    pub(super) fn judge(
        &mut self,
        run: &mut Trial,
        noise: &Noise,
        plain: Cost,
        before: Cost,
    ) -> Result<Verdict> {
        Ok(match self.differs(run)? {
            Some(difference) => Verdict::Differs(difference),
            None => noise.judge(plain, before, run.cost()),
        })
    }

    /// What another run did differently; `None` if it did the same.
    pub(super) fn differs(&mut self, other: &mut Trial) -> Result<Option<String>> {
        if self.end != other.end {
            return Ok(Some(format!("{} instead of {}", other.end, self.end)));
        }
        if self.tests_passed != other.tests_passed {
            let said = |passed: Option<u64>| passed.map_or("none".to_owned(), |passed| passed.to_string());
            let (now, before) = (said(other.tests_passed), said(self.tests_passed));
            return Ok(Some(format!("{now} tests passed instead of {before}")));
        }
        let difference = printed::first_difference(&mut self.stdout, &mut other.stdout);
        let difference = difference.context("what the command printed")?;
        let in_files = || self.files.as_ref()?.differs(&other.written);
        Ok(difference.map(|difference| in_words(&difference)).or_else(in_files))
    }
}

fn in_words(difference: &Difference) -> String {
    const MOST: usize = 60;
    let quoted = |line: &str| match line.chars().count() {
        ..=MOST => format!("\"{line}\""),
        _ => format!("\"{}…\"", line.chars().take(MOST - 1).collect::<String>()),
    };
    let line = difference.line;
    match (&difference.before, &difference.after) {
        (Some(before), Some(after)) => {
            format!("prints something else: line {line} is {} instead of {}", quoted(after), quoted(before))
        }
        (Some(before), None) => format!("prints less: line {line}, {}, is missing", quoted(before)),
        (None, after) => format!("prints more: line {line} is {}", quoted(after.as_deref().unwrap_or(""))),
    }
}

/// By how much figures of two like runs may differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Noise {
    pub(super) allocated: u64,
    pub(super) peak: u64,
}

/// What is judged: its name, where it stands, and its noise.
type Figure = (&'static str, fn(Cost) -> u64, u64);

/// Fewer bytes than this are not told from what compiling a text of another length takes.
const LEAST: u64 = 1024;

impl Noise {
    /// Twice what runs of the same differ by at the most, and never nothing.
    pub(super) fn among(runs: &[Cost]) -> Self {
        let of = |figure: fn(&Cost) -> u64| {
            let (least, most) = (runs.iter().map(figure).min(), runs.iter().map(figure).max());
            (most.unwrap_or(0).abs_diff(least.unwrap_or(0)) * 2).max(LEAST)
        };
        Noise { allocated: of(|cost| cost.allocated_bytes), peak: of(|cost| cost.peak_bytes) }
    }

    /// Whether runs of this cost are as good as the same.
    pub(super) fn is_low(&self, cost: Cost) -> bool {
        let low = |noise: u64, figure: u64| noise <= LEAST.max(figure / 1000);
        low(self.allocated, cost.allocated_bytes) && low(self.peak, cost.peak_bytes)
    }

    /// The greater of each figure.
    pub(super) fn max(self, other: Self) -> Self {
        Noise { allocated: self.allocated.max(other.allocated), peak: self.peak.max(other.peak) }
    }

    /// Whether the figures after a fix are worth it: one of them falls, and the other does not rise,
    /// or by less than the one falls and, with all fixes kept so far, by less than a thousandth (a
    /// module imported, say). `plain` is the run without fixes, `before` that without this one.
    pub(super) fn judge(&self, plain: Cost, before: Cost, after: Cost) -> Verdict {
        let falls = |before: u64, after: u64, noise: u64| {
            Some(before.saturating_sub(after)).filter(|fall| *fall > noise)
        };
        let allocated = falls(before.allocated_bytes, after.allocated_bytes, self.allocated);
        let peak = falls(before.peak_bytes, after.peak_bytes, self.peak);
        let figures: [Figure; 2] = [
            ("allocated", |cost| cost.allocated_bytes, self.allocated),
            ("the peak", |cost| cost.peak_bytes, self.peak),
        ];
        let most = allocated.max(peak);
        for (name, figure, noise) in figures {
            let rise = figure(after).saturating_sub(figure(before));
            let in_all = figure(after).saturating_sub(figure(plain));
            let is_small = in_all <= figure(plain) / 1000 && most.is_some_and(|fall| rise < fall);
            if rise > noise && !is_small {
                let but = if most.is_some() { "though the other falls, " } else { "" };
                return Verdict::Rises(format!("{but}{name} rises by {}", units::bytes(rise)));
            }
        }
        match (allocated, peak) {
            (None, None) => Verdict::NoFewer("no fewer bytes, within the noise".into()),
            (Some(_), None) => Verdict::Kept("fewer bytes allocated".into()),
            (None, Some(_)) => Verdict::Kept("a lower peak".into()),
            (Some(_), Some(_)) => Verdict::Kept("fewer bytes allocated, and a lower peak".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(allocated_bytes: u64, peak_bytes: u64) -> Cost {
        Cost { allocated_bytes, peak_bytes, allocations: 0 }
    }

    #[test]
    fn a_fix_is_kept_for_what_falls_by_more_than_the_noise() {
        let noise = Noise::among(&[cost(1_000_000, 90_000), cost(1_000_100, 92_000)]);
        assert_eq!(noise, Noise { allocated: 1024, peak: 4000 });
        let before = cost(1_000_000, 90_000);
        let judge = |allocated, peak| noise.judge(before, before, cost(allocated, peak));
        assert!(judge(900_000, 90_000).is_kept());
        assert!(judge(1_000_000, 80_000).is_kept());
        assert!(judge(1_000_900, 80_000).is_kept());
        assert_eq!(judge(999_000, 87_000), Verdict::NoFewer("no fewer bytes, within the noise".into()));
        assert!(judge(900_000, 99_000).reason().contains("the peak rises by 9.0 kB"));
        assert!(judge(1_100_000, 90_000).reason().starts_with("allocated rises by 100 kB"));
    }

    #[test]
    fn a_small_rise_is_allowed_where_the_other_falls_by_more() {
        let noise = Noise::among(&[cost(0, 0), cost(0, 0)]);
        let before = cost(1_000_000_000, 30_000_000);
        assert!(noise.judge(before, before, cost(990_000_000, 30_020_000)).is_kept());
        assert!(!noise.judge(before, before, cost(999_990_000, 30_020_000)).is_kept());
        assert!(!noise.judge(before, before, cost(990_000_000, 30_900_000)).is_kept());
        let plain = cost(1_000_000_000, 29_980_000);
        assert!(!noise.judge(plain, before, cost(990_000_000, 30_020_000)).is_kept());
    }

    #[test]
    fn what_differs_is_quoted() {
        let difference = Difference { line: 3, before: Some("total 5".into()), after: None };
        assert_eq!(in_words(&difference), "prints less: line 3, \"total 5\", is missing");
    }
}
