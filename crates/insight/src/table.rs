//! Tables: what was alive at a moment, or happened over the run, by place.

use std::collections::HashMap;
use std::rc::Rc;

use crate::amount::{Amount, Counts};
use crate::modules::module_of;
use crate::program::Program;
use crate::recording::Recording;
use crate::snapshot::{Window, amounts_at};
use crate::tree::{Site, SiteId};

/// A moment to look at, in nanoseconds since the first process's recording began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// The moment of most live bytes.
    #[default]
    Peak,
    /// The end of each process.
    End,
    /// The end of the tick that this time falls in.
    At(u64),
    /// What was allocated from the first time on and still alive at the second.
    Between(u64, u64),
}

/// What a table's lines stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum By {
    /// A source line.
    #[default]
    Site,
    /// A function.
    Function,
    /// A file.
    File,
    /// A module.
    Module,
    /// An object type; only known of what is alive at the end.
    Type,
    /// A thread.
    Thread,
    /// A process.
    Process,
}

/// What a line of a table stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A source line.
    Site(Site),
    /// A function of a file.
    Function {
        /// The file.
        file: Rc<str>,
        /// The function.
        function: Rc<str>,
    },
    /// A file.
    File(Rc<str>),
    /// A module.
    Module(String),
    /// An object type.
    Type(String),
    /// A thread: positions of its process and of itself in that.
    Thread {
        /// Position in [`Program::processes`].
        process: usize,
        /// Position in [`Recording::threads`].
        thread: u32,
    },
    /// A process: position in [`Program::processes`].
    Process(usize),
    /// The machinery that imports modules, all its lines in one.
    Import,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it stands for.
    pub key: Key,
    /// What happened there over the whole run.
    pub counts: Counts,
    /// What was alive there at the table's moment.
    pub shown: Amount,
}

/// What is alive at some moment: for each process, by position in its rows.
pub struct Weights(pub(crate) Vec<Vec<Amount>>);

impl Weights {
    /// The sum over everything.
    pub fn total(&self) -> Amount {
        let mut total = Amount::default();
        self.0.iter().flatten().for_each(|&amount| total.add(amount));
        total
    }
}

/// A question that this capture cannot answer.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum NoSuchView {
    /// The window lies after the end of the recording.
    #[error("the recording is {duration_s:.3} s long; nothing of it is at {asked_s:.3} s")]
    AfterTheEnd {
        /// What was asked for, in seconds.
        asked_s: f64,
        /// How long the recording is, in seconds.
        duration_s: f64,
    },
    /// A window's end comes before its start.
    #[error("the window ends before it begins")]
    Backwards,
}

/// What was alive at `moment`. Reads the captures a second time for a moment
/// that is neither the peak nor the end.
pub fn weights(program: &Program, moment: Moment) -> Result<Weights, NoSuchView> {
    let (born_from_ns, at_ns) = match moment {
        Moment::Peak => return Ok(from_rows(program, |counts| counts.peak)),
        Moment::End => return Ok(from_rows(program, Counts::live)),
        Moment::At(at_ns) => (0, at_ns),
        Moment::Between(from, to) if from > to => return Err(NoSuchView::Backwards),
        Moment::Between(from, to) => (from, to),
    };
    let earliest = if matches!(moment, Moment::At(_)) { at_ns } else { born_from_ns };
    if earliest > program.duration_ns() {
        return Err(NoSuchView::AfterTheEnd {
            asked_s: earliest as f64 / 1e9,
            duration_s: program.duration_ns() as f64 / 1e9,
        });
    }
    let mut all = Vec::new();
    for process in &program.processes {
        let window = window_of(program, &process.recording, born_from_ns, at_ns);
        all.push(match window.zip(process.reopen()) {
            Some((window, mut reader)) => amounts_at(&mut reader, &process.recording, &window),
            None => Vec::new(),
        });
    }
    Ok(Weights(all))
}

/// The moment whose figures `weights` gives for `at_ns`: the end of the tick that
/// falls in, in nanoseconds since the first process's recording began.
pub fn seen_at(program: &Program, at_ns: u64) -> u64 {
    let seen = |recording: &Recording| {
        let window = window_of(program, recording, 0, at_ns)?;
        let end_ns =
            recording.timeline.get(window.alive_at).map_or(recording.duration_ns, |tick| tick.end_ns);
        Some(offset_ns(program, recording).saturating_add(end_ns))
    };
    let moments = program.processes.iter().filter_map(|process| seen(&process.recording));
    moments.max().unwrap_or(at_ns)
}

/// How long after the first process's one began.
fn offset_ns(program: &Program, recording: &Recording) -> u64 {
    recording.whereabouts.started_unix_ns.saturating_sub(program.started_unix_ns())
}

fn from_rows(program: &Program, amount: impl Fn(&Counts) -> Amount) -> Weights {
    let of_process = |recording: &Recording| recording.rows.iter().map(|row| amount(&row.counts)).collect();
    Weights(program.processes.iter().map(|process| of_process(&process.recording)).collect())
}

/// The ticks of one process that a window of the run's time covers: from the
/// tick that `from_ns` falls in to the one that `at_ns` falls in. `None` if the
/// process wasn't there at `at_ns`.
fn window_of(program: &Program, recording: &Recording, from_ns: u64, at_ns: u64) -> Option<Window> {
    let offset = offset_ns(program, recording);
    let at = at_ns.checked_sub(offset)?;
    let from = from_ns.saturating_sub(offset);
    // The first process is asked about its end where the time lies past it by a rounding.
    let is_last = recording.whereabouts.pid == program.last_image().recording.whereabouts.pid
        && recording.whereabouts.image == program.last_image().recording.whereabouts.image;
    if at > recording.duration_ns && !is_last {
        return None;
    }
    let timeline = &recording.timeline;
    let position = |time: u64| timeline.partition_point(|point| point.end_ns < time);
    let first = if from == 0 { 0 } else { timeline.partition_point(|point| point.end_ns <= from) };
    let last = position(at);
    Some(Window { born: first..=last, alive_at: last })
}

/// The table of a moment: lines with the most bytes first.
pub fn table(program: &Program, weights: &Weights, by: By) -> Vec<Line> {
    let mut lines = match by {
        By::Type => type_lines(program),
        By::Process => process_lines(program, weights),
        By::Thread => thread_lines(program, weights),
        By::Site | By::Function | By::File | By::Module => {
            let mut groups = HashMap::new();
            for line in site_lines(program, weights) {
                add(&mut groups, coarser(line.key, by), &line.counts, line.shown);
            }
            in_lines(groups)
        }
    };
    sort(&mut lines);
    lines
}

fn sort(lines: &mut [Line]) {
    lines.sort_by(|a, b| {
        let size = |line: &Line| (line.shown.bytes, line.counts.allocated_bytes);
        size(b).cmp(&size(a)).then_with(|| a.key.cmp(&b.key))
    });
}

fn coarser(key: Key, by: By) -> Key {
    let Key::Site(site) = key else { return key };
    match by {
        By::Function => Key::Function { file: site.file, function: site.function },
        By::File => Key::File(site.file),
        By::Module => Key::Module(module_of(&site.file)),
        _ => Key::Site(site),
    }
}

fn add(groups: &mut HashMap<Key, (Counts, Amount)>, key: Key, counts: &Counts, shown: Amount) {
    let (all_counts, all_shown) = groups.entry(key).or_default();
    all_counts.add(counts);
    all_shown.add(shown);
}

fn in_lines(groups: HashMap<Key, (Counts, Amount)>) -> Vec<Line> {
    groups.into_iter().map(|(key, (counts, shown))| Line { key, counts, shown }).collect()
}

/// Every site of every process, unsorted; their sums are the totals.
pub fn site_lines(program: &Program, weights: &Weights) -> Vec<Line> {
    let mut groups = HashMap::new();
    for (index, process) in program.processes.iter().enumerate() {
        let recording = &process.recording;
        let mut by_site = vec![(Counts::default(), Amount::default()); recording.tree.sites().len()];
        each_count(recording, weights.0.get(index), |node, counts, shown| {
            let (all_counts, all_shown) = &mut by_site[recording.tree.site_of(node).index()];
            all_counts.add(counts);
            all_shown.add(shown);
        });
        for (site, (counts, shown)) in recording.tree.sites().iter().zip(by_site) {
            if counts != Counts::default() || !shown.is_zero() {
                add(&mut groups, Key::Site(site.clone()), &counts, shown);
            }
        }
    }
    in_lines(groups)
}

/// Calls `each` with the counters of every row and of every node's temporaries.
pub(crate) fn each_count(
    recording: &Recording,
    weights: Option<&Vec<Amount>>,
    mut each: impl FnMut(memsight_capture::NodeId, &Counts, Amount),
) {
    for (index, row) in recording.rows.iter().enumerate() {
        let shown = weights.and_then(|weights| weights.get(index)).copied().unwrap_or_default();
        each(row.node, &row.counts, shown);
    }
    for (index, &temporary) in recording.temporary.iter().enumerate() {
        if !temporary.is_zero() {
            let counts = Counts { temporary, ..Counts::default() };
            each(memsight_capture::NodeId(index as u32), &counts, Amount::default());
        }
    }
}

fn thread_lines(program: &Program, weights: &Weights) -> Vec<Line> {
    let mut groups = HashMap::new();
    for (index, process) in program.processes.iter().enumerate() {
        let recording = &process.recording;
        each_count(recording, weights.0.get(index), |node, counts, shown| {
            let nodes = recording.tree.nodes();
            let thread = nodes.get(node.index()).map_or(0, |node| node.thread.0);
            add(&mut groups, Key::Thread { process: index, thread }, counts, shown);
        });
    }
    in_lines(groups)
}

fn process_lines(program: &Program, weights: &Weights) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, process) in program.processes.iter().enumerate() {
        let mut shown = Amount::default();
        weights.0.get(index).into_iter().flatten().for_each(|&amount| shown.add(amount));
        let counts = process.recording.totals();
        lines.push(Line { key: Key::Process(index), counts, shown });
    }
    lines
}

fn type_lines(program: &Program) -> Vec<Line> {
    let mut groups: HashMap<Key, (Counts, Amount)> = HashMap::new();
    for process in &program.processes {
        let recording = &process.recording;
        for share in &recording.types {
            let name = recording.type_names.get(share.type_index as usize).cloned();
            let key = Key::Type(name.unwrap_or_default());
            add(&mut groups, key, &Counts::default(), share.amount);
        }
    }
    in_lines(groups)
}

/// Types of what is alive at the end, by site, largest first.
pub fn types_by_site(program: &Program) -> HashMap<Site, Vec<(String, Amount)>> {
    let mut by_site: HashMap<Site, Vec<(String, Amount)>> = HashMap::new();
    for process in &program.processes {
        let recording = &process.recording;
        let mut sums: HashMap<(SiteId, u32), Amount> = HashMap::new();
        for share in &recording.types {
            sums.entry((share.site, share.type_index)).or_default().add(share.amount);
        }
        for ((site, type_index), amount) in sums {
            let Some(name) = recording.type_names.get(type_index as usize) else { continue };
            let types = by_site.entry(recording.tree.site(site).clone()).or_default();
            match types.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.add(amount),
                None => types.push((name.clone(), amount)),
            }
        }
    }
    for types in by_site.values_mut() {
        types.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes).then_with(|| a.0.cmp(&b.0)));
    }
    by_site
}
