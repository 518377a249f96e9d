//! What an experiment measured: read from what it printed and from the captures of its parts.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use memsight_insight::{Counts, Process, Program};

/// The line that begins a part.
const PART: &str = "# part: ";
/// What stands before the name of a marked line.
const MARK: &str = "  #: ";

/// An experiment that was run.
#[derive(Debug)]
pub(super) struct Measured {
    /// `CPython 3.11.7`.
    pub(super) python: String,
    /// The minor version: the 11 of 3.11.
    pub(super) minor: u32,
    /// Modules that the experiment needs and this interpreter has not. Then there are no parts.
    pub(super) missing: Vec<String>,
    /// The parts in their order.
    pub(super) parts: Vec<Part>,
}

/// What a part of an experiment did.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Its name.
    pub(super) name: String,
    /// Everything below its lines.
    pub(super) all: Counts,
    /// What was below each marked line of the experiment.
    pub(super) lines: BTreeMap<String, Counts>,
    /// The values that it printed.
    pub(super) printed: BTreeMap<String, f64>,
    /// What CPython mapped as arenas, in bytes.
    pub(super) reserved_bytes: u64,
    /// The most of the C stack in use, in bytes, where the kernel told.
    pub(super) stack_bytes: Option<u64>,
    /// The exception that it ended with.
    pub(super) failed: Option<String>,
}

impl Measured {
    /// A part by its name.
    pub(super) fn part(&self, name: &str) -> Result<&Part> {
        let part = self.parts.iter().find(|part| part.name == name);
        let part = part.with_context(|| format!("the experiment has no part '{name}'"))?;
        if let Some(error) = &part.failed {
            bail!("the experiment's part '{name}' failed on {}: {error}", self.python);
        }
        Ok(part)
    }
}

impl Part {
    /// Bytes alive at its peak.
    pub(super) fn peak(&self) -> u64 {
        self.all.peak.bytes
    }

    /// Bytes still alive when it ended.
    pub(super) fn left(&self) -> u64 {
        self.all.live().bytes
    }

    /// A marked line.
    pub(super) fn line(&self, mark: &str) -> Result<&Counts> {
        self.lines.get(mark).with_context(|| format!("part '{}' has no line marked '{mark}'", self.name))
    }

    /// A value that was printed.
    pub(super) fn value(&self, name: &str) -> Result<f64> {
        let value = self.printed.get(name).copied();
        value.with_context(|| format!("part '{}' printed no value '{name}'", self.name))
    }

    /// A printed value that is a number of things.
    pub(super) fn number(&self, name: &str) -> Result<u64> {
        Ok(self.value(name)?.max(0.0).round() as u64)
    }
}

/// Loads a capture of an experiment.
pub(super) fn load(capture: &Path) -> Result<Program> {
    Program::load(capture, &|_, _, _| {}).context("the experiment was not recorded")
}

/// Puts together what the experiment said and what its captures hold.
pub(super) fn read(said: &str, folder: &Path, experiment: &Path, source: &str) -> Result<Measured> {
    let mut measured = Measured { python: String::new(), minor: 0, missing: Vec::new(), parts: Vec::new() };
    for line in said.lines() {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words[..] {
            ["#python", name, version] => {
                let name = if name == "cpython" { "CPython" } else { name };
                measured.python = format!("{name} {version}");
                measured.minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
            }
            ["#missing", module] => measured.missing.push(module.into()),
            ["#part", name, pid] => {
                let capture = folder.join(format!("run.{pid}.msight"));
                measured.parts.push(part(name, &load(&capture)?, experiment, source));
            }
            ["#failed", name, error] => {
                // A setup that fails does so before the part begins.
                if measured.parts.iter().all(|part| part.name != name) {
                    measured.parts.push(Part { name: name.into(), ..Part::default() });
                }
                let failed = measured.parts.iter_mut().filter(|part| part.name == name);
                failed.for_each(|part| part.failed = Some(error.into()));
            }
            [name, value] => {
                if let (Some(part), Some(value)) = (measured.parts.last_mut(), value_of(value)) {
                    part.printed.insert(name.into(), value);
                }
            }
            _ => {}
        }
    }
    if measured.python.is_empty() {
        bail!("the experiment did not say which Python it ran on. What it said:\n{}", said.trim());
    }
    Ok(measured)
}

/// A number, or a truth as 1 and 0.
fn value_of(printed: &str) -> Option<f64> {
    match printed {
        "True" => Some(1.0),
        "False" => Some(0.0),
        number => number.parse().ok(),
    }
}

fn part(name: &str, program: &Program, experiment: &Path, source: &str) -> Part {
    let process = program.first();
    let recording = &process.recording;
    let marks = marks_of(name, source);
    let file = experiment.to_string_lossy();
    let mut part = Part {
        name: name.into(),
        reserved_bytes: recording.last_tick.map_or(0, |tick| tick.reserved_bytes),
        stack_bytes: recording.threads.iter().find_map(|thread| thread.stack_bytes_high_water),
        ..Part::default()
    };
    part.lines = marks.iter().map(|(_, mark)| (mark.to_string(), Counts::default())).collect();
    let below = below(process, &file, &marks);
    let mut count = |node: usize, counts: &Counts| {
        let Some(Below { part: true, marks: stood_on }) = below.get(node) else { return };
        part.all.add(counts);
        let mut counted: Vec<&str> = Vec::new();
        for (at, (_, mark)) in marks.iter().enumerate() {
            if stood_on & 1 << at != 0 && !counted.contains(mark) {
                counted.push(mark);
                part.lines.entry(mark.to_string()).or_default().add(counts);
            }
        }
    };
    for row in &recording.rows {
        count(row.node.index(), &row.counts);
    }
    for (node, &temporary) in recording.temporary.iter().enumerate() {
        count(node, &Counts { temporary, ..Counts::default() });
    }
    part
}

/// The marked lines that a part can reach: its own and the setup's, by number from 1.
/// More than the bits of a word has no experiment.
fn marks_of<'a>(part: &str, source: &'a str) -> Vec<(u32, &'a str)> {
    let mut within = true;
    let mut marks = Vec::new();
    for (line, number) in source.lines().zip(1..) {
        if let Some(name) = line.strip_prefix(PART) {
            within = name == part;
        }
        if let (true, Some((_, mark))) = (within, line.rsplit_once(MARK)) {
            marks.push((number, mark.trim()));
        }
    }
    marks.truncate(64);
    marks
}

/// What stands on a node's stack.
#[derive(Clone, Copy, Default)]
struct Below {
    /// A line of the experiment.
    part: bool,
    /// A bit for each marked line.
    marks: u64,
}

/// For each node, what stands on its stack. A caller's node comes before its callee's.
fn below(process: &Process, file: &str, marks: &[(u32, &str)]) -> Vec<Below> {
    let tree = &process.recording.tree;
    let mut all: Vec<Below> = Vec::with_capacity(tree.nodes().len());
    for node in tree.nodes() {
        let mut here = all.get(node.parent.index()).copied().unwrap_or_default();
        let site = tree.site(node.site);
        if node.is_frame && &*site.file == file {
            here.part = true;
            for (at, _) in marks.iter().enumerate().filter(|(_, (line, _))| *line == site.line) {
                here.marks |= 1 << at;
            }
        }
        all.push(here);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reaches_the_marks_of_the_setup_and_its_own() {
        let source =
            "def f():\n    return []  #: made\n# part: a\nf()  #: call\n# part: b\nx = 1  #: other\n";
        assert_eq!(marks_of("a", source), [(2, "made"), (4, "call")]);
        assert_eq!(marks_of("b", source), [(2, "made"), (6, "other")]);
    }
}
