//! The peak of a run: the moment of most live bytes over all its processes.
//!
//! For one process the recorder kept it to the byte, and who held it. Several
//! processes that overlap are added up tick by tick:
//!
//! ```text
//! live of A  ▁▂▅█▅▂        each process counts with what it held at its last tick,
//! live of B     ▁▃▅▇▇▅▂    and in the tick of its own peak with that peak
//! sum        ▁▂▅█▇▆▇▇▅▂
//!               ▲ peak
//! ```

use memsight_capture::EndReason;

use crate::amount::Amount;
use crate::program::Process;
use crate::recording::Recording;
use crate::snapshot::{Window, amounts_at};

/// The moment of most live bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramPeak {
    /// What was alive then.
    pub amount: Amount,
    /// When, in nanoseconds since the first process's recording began.
    pub at_ns: u64,
    /// Resident memory then, in bytes, of all processes.
    pub rss_bytes: u64,
    /// Whether `amount` is exact; else it is what ticks show.
    pub exact: bool,
    /// Whether the `peak` of the rows is that very moment to the byte; else it is that of a
    /// tick's end near it.
    pub by_site_exact: bool,
    /// How many processes were alive then.
    pub processes: usize,
}

/// What one process held from some time on.
struct Step {
    at_unix_ns: u64,
    process: usize,
    /// Position in the process's timeline; `None` once it is gone.
    position: Option<usize>,
    live_bytes: u64,
}

/// Finds the peak and sets the `peak` of every row to its part of it.
pub(crate) fn find_peak(processes: &mut [Process]) -> ProgramPeak {
    if let [only] = processes {
        return peak_of_one(only);
    }
    let at = highest_moment(processes);
    let started = processes[0].recording.whereabouts.started_unix_ns;
    let mut peak = ProgramPeak {
        at_ns: at.at_unix_ns.saturating_sub(started),
        exact: true,
        by_site_exact: true,
        ..ProgramPeak::default()
    };
    for (process, position) in processes.iter_mut().zip(at.positions) {
        let Some(position) = position else {
            set_parts(&mut process.recording, &[]);
            continue;
        };
        peak.processes += 1;
        let (amount, exact) = part_of_one(process, position);
        peak.amount.add(amount);
        peak.by_site_exact &= exact;
        let point = process.recording.timeline.get(position);
        peak.rss_bytes = peak.rss_bytes.saturating_add(point.map_or(0, |point| point.rss_bytes));
    }
    peak.exact = peak.processes <= 1 && peak.by_site_exact;
    peak
}

fn peak_of_one(process: &mut Process) -> ProgramPeak {
    let recording = &process.recording;
    let bytes = recording.peak_bytes();
    let tick = match (recording.peak, recording.last_tick) {
        (Some(peak), _) => Some(peak.tick),
        (None, last) => last.map(|tick| tick.peak_tick),
    };
    let at_ns = tick.map_or(recording.duration_ns, |tick| recording.time_of(tick));
    let position = tick.map_or(usize::MAX, |tick| recording.position_of(tick));
    let point = recording.timeline.get(position).or(recording.timeline.last());
    let rss_bytes = point.map_or(0, |point| point.rss_bytes);
    let mut peak = ProgramPeak {
        amount: Amount::new(0, bytes),
        at_ns,
        rss_bytes,
        exact: true,
        by_site_exact: true,
        processes: 1,
    };
    if let Some(exact) = recording.peak {
        peak.amount = exact.amount;
        return peak;
    }
    peak.by_site_exact = false;
    let timeline = &recording.timeline;
    let highest = (0..timeline.len()).max_by_key(|&at| (timeline[at].live_bytes, usize::MAX - at));
    peak.amount.blocks = snapshot(process, highest.unwrap_or(0)).blocks;
    peak
}

/// What one process had alive at a position of its timeline, its rows set to
/// it, and whether that is its own exact peak.
fn part_of_one(process: &mut Process, position: usize) -> (Amount, bool) {
    let recording = &process.recording;
    match recording.peak {
        Some(peak) if recording.position_of(peak.tick) == position => (peak.amount, true),
        _ => (snapshot(process, position), false),
    }
}

fn snapshot(process: &mut Process, position: usize) -> Amount {
    let window = Window { born: 0..=position, alive_at: position };
    let amounts = match process.reopen() {
        Some(mut reader) => amounts_at(&mut reader, &process.recording, &window),
        None => Vec::new(),
    };
    set_parts(&mut process.recording, &amounts);
    amounts.iter().fold(Amount::default(), |mut sum, &amount| {
        sum.add(amount);
        sum
    })
}

fn set_parts(recording: &mut Recording, amounts: &[Amount]) {
    for (index, row) in recording.rows.iter_mut().enumerate() {
        row.counts.peak = amounts.get(index).copied().unwrap_or_default();
    }
}

struct HighestMoment {
    at_unix_ns: u64,
    positions: Vec<Option<usize>>,
}

fn highest_moment(processes: &[Process]) -> HighestMoment {
    let mut steps: Vec<Step> =
        processes.iter().enumerate().flat_map(|(index, process)| steps_of(index, process)).collect();
    steps.sort_by_key(|step| step.at_unix_ns);
    let mut live = vec![0u64; processes.len()];
    let mut positions = vec![None; processes.len()];
    let mut sum = 0u64;
    let mut highest = 0;
    let mut at = HighestMoment { at_unix_ns: 0, positions: positions.clone() };
    for step in steps {
        sum = sum.saturating_sub(live[step.process]).saturating_add(step.live_bytes);
        live[step.process] = step.live_bytes;
        positions[step.process] = step.position;
        if sum > highest {
            highest = sum;
            at.at_unix_ns = step.at_unix_ns;
            at.positions.clone_from(&positions);
        }
    }
    at
}

fn steps_of(index: usize, process: &Process) -> Vec<Step> {
    let recording = &process.recording;
    let started = recording.whereabouts.started_unix_ns;
    let peak_at = recording.peak.map(|peak| recording.position_of(peak.tick));
    let mut steps: Vec<Step> = Vec::with_capacity(recording.timeline.len() + 2);
    for (position, point) in recording.timeline.iter().enumerate() {
        let own_peak = recording.peak.filter(|_| peak_at == Some(position));
        steps.push(Step {
            at_unix_ns: started.saturating_add(point.end_ns),
            process: index,
            position: Some(position),
            live_bytes: own_peak.map_or(point.live_bytes, |peak| peak.amount.bytes),
        });
    }
    let end = started.saturating_add(recording.duration_ns);
    // A peak in a tick that was never closed is known all the same.
    if let Some(peak) = recording.peak.filter(|_| peak_at == Some(recording.timeline.len())) {
        let position = Some(recording.timeline.len());
        steps.push(Step { at_unix_ns: end, process: index, position, live_bytes: peak.amount.bytes });
    }
    // Where only the recorder gave up, the program lived on.
    let gave_up = matches!(recording.end, Some((EndReason::Failed, _)));
    if process.still_recorded || gave_up {
        return steps;
    }
    steps.push(Step { at_unix_ns: end, process: index, position: None, live_bytes: 0 });
    steps
}
