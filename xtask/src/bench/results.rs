//! What was measured, and the arithmetic of its summaries.

use serde::Serialize;

use super::machine::Setting;
use super::tools::Tool;

/// Everything that a benchmark measured.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    /// When and where.
    pub(super) setting: Setting,
    /// Names of the workloads, in order.
    pub(super) workloads: Vec<&'static str>,
    /// The tools, in order, plain first.
    pub(super) tools: Vec<Tool>,
    /// One line a run.
    pub(super) samples: Vec<Sample>,
    /// One line a capture that was read.
    pub(super) readings: Vec<Reading>,
    /// One line a start of an interpreter that does nothing.
    pub(super) startups: Vec<Startup>,
    /// What went wrong, in words.
    pub(super) failures: Vec<String>,
}

/// One run of a workload.
#[derive(Debug, Serialize)]
pub(super) struct Sample {
    pub(super) workload: &'static str,
    pub(super) tool: Tool,
    pub(super) round: usize,
    /// User and system time of all processes, in seconds.
    pub(super) cpu_s: f64,
    /// Until the program ended, in seconds.
    pub(super) wall_s: f64,
    /// The most that the program had resident.
    pub(super) rss_bytes: Option<u64>,
    /// Length of the capture.
    pub(super) capture_bytes: u64,
}

/// One capture read.
#[derive(Debug, Serialize)]
pub(super) struct Reading {
    pub(super) workload: &'static str,
    pub(super) tool: Tool,
    /// Until the report was there, in seconds.
    pub(super) wall_s: f64,
    /// The most that the reader had resident.
    pub(super) max_rss_bytes: u64,
    /// The program's live bytes at its peak, if the report says them.
    pub(super) peak_live_bytes: Option<u64>,
}

/// One run of `-c pass`.
#[derive(Debug, Serialize)]
pub(super) struct Startup {
    pub(super) tool: Tool,
    pub(super) round: usize,
    pub(super) cpu_s: f64,
    pub(super) wall_s: f64,
}

/// A median with the extremes beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// The spread of some figures; `None` if there are none.
    pub(super) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let middle = figures.len() / 2;
        let median = if figures.len() % 2 == 1 {
            *figures.get(middle)?
        } else {
            (figures.get(middle - 1)? + figures.get(middle)?) / 2.0
        };
        Some(Spread { median, min, max })
    }
}

/// Whether a cost has the tool's own start in it. memray's is so long, beside
/// programs of a second or two, that ratios with it say little of longer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Included,
    TakenOff,
}

impl Results {
    /// The runs of a workload with a tool.
    pub(super) fn samples_of(&self, workload: &str, tool: Tool) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.workload == workload && sample.tool == tool)
    }

    /// CPU time as a ratio to the plain run of the same round, with what the
    /// tool adds to an empty program's start or without it.
    pub(super) fn cpu_ratio(&self, workload: &str, tool: Tool, start: Start) -> Option<Spread> {
        let added_s = match start {
            Start::Included => 0.0,
            Start::TakenOff => self.startup_added(tool)?.1.median,
        };
        let plain = |round| self.samples_of(workload, Tool::Plain).find(move |sample| sample.round == round);
        let ratio = |sample: &Sample| Some((sample.cpu_s - added_s) / plain(sample.round)?.cpu_s);
        Spread::of(self.samples_of(workload, tool).filter_map(ratio).collect())
    }

    /// The median over rounds of something that each run says.
    pub(super) fn median_of(
        &self,
        workload: &str,
        tool: Tool,
        what: fn(&Sample) -> Option<f64>,
    ) -> Option<f64> {
        Spread::of(self.samples_of(workload, tool).filter_map(what).collect()).map(|spread| spread.median)
    }

    /// What a tool adds to the start, in seconds: `(wall, cpu)`, each against
    /// the plain start of the same round.
    pub(super) fn startup_added(&self, tool: Tool) -> Option<(Spread, Spread)> {
        let plain =
            |round| self.startups.iter().find(move |start| start.tool == Tool::Plain && start.round == round);
        let pairs: Vec<_> = self
            .startups
            .iter()
            .filter(|start| start.tool == tool)
            .filter_map(|start| Some((start, plain(start.round)?)))
            .collect();
        let wall = pairs.iter().map(|(start, plain)| start.wall_s - plain.wall_s).collect();
        let cpu = pairs.iter().map(|(start, plain)| start.cpu_s - plain.cpu_s).collect();
        Some((Spread::of(wall)?, Spread::of(cpu)?))
    }

    /// What reading the last capture of a workload took.
    pub(super) fn reading_of(&self, workload: &str, tool: Tool) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.workload == workload && reading.tool == tool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_stands_between_its_extremes() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of(vec![4.0, 1.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Spread::of(vec![]), None);
    }
}
