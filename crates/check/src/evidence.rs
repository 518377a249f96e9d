//! What findings cost in a recorded run, joined by file and line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What a line cost in a recorded run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes allocated over the run.
    pub allocated_bytes: u64,
    /// Bytes live at the peak.
    pub peak_bytes: u64,
    /// Allocations over the run.
    pub allocations: u64,
}

impl Cost {
    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.allocated_bytes += other.allocated_bytes;
        self.peak_bytes += other.peak_bytes;
        self.allocations += other.allocations;
    }
}

/// What every line of a recorded run cost.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// The capture's name.
    pub capture: String,
    /// The whole run.
    pub total: Cost,
    by_line: HashMap<PathBuf, BTreeMap<usize, Cost>>,
    real: HashMap<PathBuf, PathBuf>,
}

impl Costs {
    /// No costs yet, of a capture.
    pub fn new(capture: String, total: Cost) -> Self {
        Self { capture, total, ..Self::default() }
    }

    /// Adds what a line cost. `file` is absolute, or relative to `folder`, in which the program ran.
    pub fn add(&mut self, folder: &Path, file: &str, line: usize, cost: Cost) {
        let path = folder.join(file);
        let real = self
            .real
            .entry(path)
            .or_insert_with_key(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
        self.by_line.entry(real.clone()).or_default().entry(line).or_default().add(cost);
    }

    /// Whether anything was allocated in a file.
    pub fn ran(&self, file: &Path) -> bool {
        file.canonicalize().is_ok_and(|file| self.by_line.contains_key(&file))
    }

    /// The files in which anything was allocated, by their real paths.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.by_line.keys().map(PathBuf::as_path)
    }

    /// How many of some lines of a file allocated anything.
    pub(crate) fn count(&self, file: &Path, lines: &[(usize, usize)]) -> usize {
        let Some(known) = file.canonicalize().ok().and_then(|file| self.by_line.get(&file)) else { return 0 };
        let lines: HashSet<_> =
            lines.iter().flat_map(|(first, last)| known.range(first..=last)).map(|(line, _)| line).collect();
        lines.len()
    }

    /// What some lines of a file cost together; `None` if nothing was allocated there.
    pub(crate) fn of(&self, file: &Path, lines: &[(usize, usize)]) -> Option<Cost> {
        let known = self.by_line.get(&file.canonicalize().ok()?)?;
        let mut seen = HashSet::new();
        let mut sum = Cost::default();
        for (first, last) in lines {
            for (line, cost) in known.range(first..=last) {
                if seen.insert(*line) {
                    sum.add(*cost);
                }
            }
        }
        (!seen.is_empty()).then_some(sum)
    }
}
