//! The workloads: programs in `bench/workloads`, about a second or two each when plain.

use std::path::PathBuf;

use crate::workspace::root;

/// A program to measure.
pub(super) struct Workload {
    /// Its name in tables and for `--only`.
    pub(super) name: &'static str,
    script: &'static str,
    /// Its arguments.
    pub(super) arguments: &'static [&'static str],
}

impl Workload {
    /// The path of its script.
    pub(super) fn script(&self) -> PathBuf {
        root().join("bench/workloads").join(self.script)
    }
}

const fn workload(name: &'static str, script: &'static str, arguments: &'static [&'static str]) -> Workload {
    Workload { name, script, arguments }
}

/// All of them, in the order of the tables.
pub(super) const WORKLOADS: &[Workload] = &[
    workload("call_heavy", "call_heavy.py", &[]),
    workload("small_objects_5", "small_objects.py", &["5"]),
    workload("small_objects_50", "small_objects.py", &["50"]),
    workload("small_objects_200", "small_objects.py", &["200"]),
    workload("big_buffers", "big_buffers.py", &[]),
    workload("threads4", "threads4.py", &[]),
    workload("json_roundtrip", "json_roundtrip.py", &[]),
    workload("imports", "imports.py", &[]),
    workload("deltablue", "pyperf_deltablue.py", &[]),
    workload("richards", "pyperf_richards.py", &[]),
    workload("go", "pyperf_go.py", &[]),
    workload("raytrace", "pyperf_raytrace.py", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_has_its_script_and_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for workload in WORKLOADS {
            assert!(workload.script().is_file(), "{}", workload.script().display());
            assert!(names.insert(workload.name));
        }
    }
}
