//! `report --json`: keys that other people's scripts rely on. They are only
//! ever added to.

use memsight_capture::{Domain, EndReason, Ending, Track};
use memsight_insight::{Amount, By, Counts, Key, Moment, Program, Site, table, types_by_site, weights};
use serde::Serialize;

use crate::text::Outcome;
use crate::view::View;

/// The schema that this version writes.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    command: &'a [String],
    exit_code: Option<i32>,
    signal: Option<i32>,
    complete: bool,
    /// In words, where the recording is not complete.
    ending: Option<String>,
    interpreter: Option<Interpreter<'a>>,
    duration_s: f64,
    track: &'static str,
    native: bool,
    totals: Totals,
    peak: Peak,
    end: End,
    machine: Machine,
    domains: Vec<DomainTotals>,
    sites: Vec<SiteFigures>,
    types: Vec<TypeFigures>,
    threads: Vec<Thread<'a>>,
    processes: Vec<Process<'a>>,
    gc: Option<Gc>,
    overhead: Overhead,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<View>,
}

#[derive(Serialize)]
struct Interpreter<'a> {
    implementation: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Totals {
    allocations: u64,
    allocated_bytes: u64,
    frees: u64,
    freed_bytes: u64,
}

#[derive(Serialize)]
struct Peak {
    live_bytes: u64,
    live_blocks: u64,
    at_s: f64,
    rss_bytes: u64,
    /// Whether `sites[].peak_bytes` are of that very moment and sum to `live_bytes`.
    by_site_exact: bool,
}

#[derive(Serialize)]
struct End {
    live_bytes: u64,
    live_blocks: u64,
    rss_bytes: u64,
}

#[derive(Serialize)]
struct Machine {
    total_bytes: u64,
    cgroup_limit_bytes: Option<u64>,
}

#[derive(Serialize)]
struct DomainTotals {
    domain: &'static str,
    allocations: u64,
    allocated_bytes: u64,
    live_bytes: u64,
}

#[derive(Serialize)]
struct SiteFigures {
    function: String,
    file: String,
    line: u32,
    allocations: u64,
    allocated_bytes: u64,
    peak_bytes: u64,
    live_bytes: u64,
    live_blocks: u64,
    temporary_allocations: u64,
    temporary_bytes: u64,
}

#[derive(Serialize)]
struct TypeFigures {
    r#type: String,
    function: String,
    file: String,
    line: u32,
    live_blocks: u64,
    live_bytes: u64,
}

#[derive(Serialize)]
struct Thread<'a> {
    id: u32,
    name: &'a str,
    allocations: u64,
    allocated_bytes: u64,
    stack_bytes_high_water: Option<u64>,
}

#[derive(Serialize)]
struct Process<'a> {
    pid: u32,
    parent: Option<u32>,
    command: &'a [String],
    capture: String,
    peak_bytes: u64,
}

#[derive(Serialize)]
struct Gc {
    collections: [u64; 3],
    collected: u64,
    uncollectable: u64,
    seconds: f64,
}

#[derive(Serialize)]
struct Overhead {
    recorder_bytes: u64,
    lost_events: u64,
}

/// The report. Sites by their bytes at the peak, the largest first; all of
/// them unless there is a `limit`.
pub fn report(
    program: &Program,
    outcome: Outcome,
    limit: Option<usize>,
    view: Option<View>,
) -> serde_json::Result<String> {
    let totals = program.totals();
    let live = totals.live();
    let first = &program.first().recording;
    let whereabouts = &first.whereabouts;
    let mut interpreters =
        program.processes.iter().filter_map(|process| process.recording.interpreter.as_ref());
    serde_json::to_string(&Report {
        schema_version: SCHEMA_VERSION,
        command: &whereabouts.command,
        exit_code: outcome.exit_code,
        signal: outcome.signal,
        complete: program.complete(),
        ending: ending(program),
        interpreter: interpreters
            .next()
            .map(|found| Interpreter { implementation: "cpython", version: &found.version }),
        duration_s: in_seconds(program.duration_ns()),
        track: match whereabouts.track {
            Track::Objects => "objects",
            Track::Heap => "heap",
        },
        native: whereabouts.native,
        totals: Totals {
            allocations: totals.allocations,
            allocated_bytes: totals.allocated_bytes,
            frees: totals.frees,
            freed_bytes: totals.freed_bytes,
        },
        peak: Peak {
            live_bytes: program.peak.amount.bytes,
            live_blocks: program.peak.amount.blocks,
            at_s: in_seconds(program.peak.at_ns),
            rss_bytes: program.peak.rss_bytes,
            by_site_exact: program.peak.by_site_exact,
        },
        end: End { live_bytes: live.bytes, live_blocks: live.blocks, rss_bytes: rss_at_end(program) },
        machine: Machine {
            total_bytes: whereabouts.machine_total_bytes,
            cgroup_limit_bytes: whereabouts.cgroup_limit_bytes,
        },
        domains: domains(program),
        sites: sites(program, limit),
        types: types(program, limit),
        threads: threads(program),
        processes: processes(program),
        gc: gc(program),
        overhead: overhead(program),
        view,
    })
}

fn in_seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn ending(program: &Program) -> Option<String> {
    if program.complete() {
        return None;
    }
    if program.still_recorded() {
        return Some("still being recorded".into());
    }
    let cut_short = program.processes.iter().find(|process| !process.recording.complete());
    let words = cut_short.map(|process| match (&process.recording.ending, &process.recording.end) {
        (Ending::Whole, Some((EndReason::Failed, why))) => format!("the recorder gave up: {why}"),
        (Ending::Whole, _) => "killed, or ended in a way that cannot be seen".into(),
        (ending, _) => ending.to_string(),
    });
    words.or_else(|| program.unreadable.first().map(ToString::to_string))
}

/// Resident memory at the end, of every process but those that went on as another program.
fn rss_at_end(program: &Program) -> u64 {
    let ended = program
        .processes
        .iter()
        .map(|process| &process.recording)
        .filter(|recording| !matches!(recording.end, Some((EndReason::Exec, _))));
    ended.filter_map(|recording| recording.last_tick).fold(0, |sum, tick| sum.saturating_add(tick.rss_bytes))
}

fn domains(program: &Program) -> Vec<DomainTotals> {
    let mut sums = [Counts::default(); Domain::ALL.len()];
    for row in program.processes.iter().flat_map(|process| &process.recording.rows) {
        sums[row.domain as usize].add(&row.counts);
    }
    let totals = Domain::ALL.iter().zip(sums).map(|(domain, counts)| DomainTotals {
        domain: domain.name(),
        allocations: counts.allocations,
        allocated_bytes: counts.allocated_bytes,
        live_bytes: counts.live().bytes,
    });
    totals.collect()
}

fn sites(program: &Program, limit: Option<usize>) -> Vec<SiteFigures> {
    let Ok(weights) = weights(program, Moment::Peak) else { return Vec::new() };
    let lines = table(program, &weights, By::Site).into_iter();
    let figures = lines.filter_map(|line| match line.key {
        Key::Site(site) => Some(SiteFigures {
            function: site.function.to_string(),
            file: site.file.to_string(),
            line: site.line,
            allocations: line.counts.allocations,
            allocated_bytes: line.counts.allocated_bytes,
            peak_bytes: line.counts.peak.bytes,
            live_bytes: line.counts.live().bytes,
            live_blocks: line.counts.live().blocks,
            temporary_allocations: line.counts.temporary.blocks,
            temporary_bytes: line.counts.temporary.bytes,
        }),
        _ => None,
    });
    figures.take(limit.unwrap_or(usize::MAX)).collect()
}

fn types(program: &Program, limit: Option<usize>) -> Vec<TypeFigures> {
    let by_site = types_by_site(program).into_iter();
    let mut all: Vec<(Site, String, Amount)> = by_site
        .flat_map(|(site, types)| types.into_iter().map(move |(name, amount)| (site.clone(), name, amount)))
        .collect();
    all.sort_by(|a, b| b.2.bytes.cmp(&a.2.bytes).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
    let figures = all.into_iter().map(|(site, name, amount)| TypeFigures {
        r#type: name,
        function: site.function.to_string(),
        file: site.file.to_string(),
        line: site.line,
        live_blocks: amount.blocks,
        live_bytes: amount.bytes,
    });
    figures.take(limit.unwrap_or(usize::MAX)).collect()
}

fn threads(program: &Program) -> Vec<Thread<'_>> {
    let Ok(weights) = weights(program, Moment::End) else { return Vec::new() };
    let lines = table(program, &weights, By::Thread);
    let mut threads = Vec::new();
    for (index, process) in program.processes.iter().enumerate() {
        for (number, thread) in process.recording.threads.iter().enumerate() {
            let key = Key::Thread { process: index, thread: number as u32 };
            let counts = lines.iter().find(|line| line.key == key).map(|line| line.counts);
            let counts = counts.unwrap_or_default();
            threads.push(Thread {
                id: thread.tid,
                name: &thread.name,
                allocations: counts.allocations,
                allocated_bytes: counts.allocated_bytes,
                stack_bytes_high_water: thread.stack_bytes_high_water,
            });
        }
    }
    threads
}

fn processes(program: &Program) -> Vec<Process<'_>> {
    let pids: Vec<u32> = program.processes.iter().map(|process| process.recording.whereabouts.pid).collect();
    let rows = program.processes.iter().map(|process| {
        let whereabouts = &process.recording.whereabouts;
        Process {
            pid: whereabouts.pid,
            // A parent outside the run is nobody's business here.
            parent: pids.contains(&whereabouts.parent).then_some(whereabouts.parent),
            command: &whereabouts.command,
            capture: process.path.to_string_lossy().into_owned(),
            peak_bytes: process.recording.peak_bytes(),
        }
    });
    rows.collect()
}

/// The collectors of all interpreters, summed.
fn gc(program: &Program) -> Option<Gc> {
    let mut found = program.processes.iter().filter_map(|process| process.recording.gc()).peekable();
    found.peek()?;
    let mut sum = Gc { collections: [0; 3], collected: 0, uncollectable: 0, seconds: 0.0 };
    for gc in found {
        for (all, runs) in sum.collections.iter_mut().zip(gc.collections) {
            *all = all.saturating_add(runs);
        }
        sum.collected = sum.collected.saturating_add(gc.collected);
        sum.uncollectable = sum.uncollectable.saturating_add(gc.uncollectable);
        sum.seconds += in_seconds(gc.sampled_ns);
    }
    Some(sum)
}

fn overhead(program: &Program) -> Overhead {
    let ticks = program.processes.iter().filter_map(|process| process.recording.last_tick);
    let recorder_bytes = ticks.fold(0u64, |sum, tick| sum.saturating_add(tick.recorder_bytes));
    Overhead { recorder_bytes, lost_events: program.lost_events() }
}
