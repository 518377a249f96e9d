//! What one process's capture says, folded to values.

use std::path::PathBuf;

use memsight_capture::{
    Child, ChildKind, Domain, EndReason, Ending, Gc, NodeId, SnapshotReason, Start, Tick, TickIndex, Track,
};

use crate::amount::{Amount, Counts};
use crate::lifetimes::Lifetimes;
use crate::tree::{CallTree, SiteId};

/// The start record, owned: which process this is and where it ran.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// Chosen once for a run; the same in every process of it.
    pub run_id: [u8; 16],
    /// Process id.
    pub pid: u32,
    /// The parent's process id.
    pub parent: u32,
    /// How many programs this process id had been before.
    pub image: u32,
    /// When recording began, in nanoseconds since 1970.
    pub started_unix_ns: u64,
    /// What was recorded.
    pub track: Track,
    /// Whether native stacks were recorded.
    pub native: bool,
    /// The machine's memory in bytes.
    pub machine_total_bytes: u64,
    /// The control group's limit in bytes, where there is one.
    pub cgroup_limit_bytes: Option<u64>,
    /// The executable.
    pub executable: PathBuf,
    /// The working folder.
    pub cwd: PathBuf,
    /// The command line, program first.
    pub command: Vec<String>,
}

impl From<&Start<'_>> for Whereabouts {
    fn from(start: &Start<'_>) -> Self {
        Whereabouts {
            run_id: start.run_id,
            pid: start.pid,
            parent: start.parent,
            image: start.image,
            started_unix_ns: start.started_unix_ns,
            track: start.track,
            native: start.native,
            machine_total_bytes: start.machine_total_bytes,
            cgroup_limit_bytes: start.cgroup_limit_bytes,
            executable: text(start.executable).into(),
            cwd: text(start.cwd).into(),
            command: start.command.iter().map(text).collect(),
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The interpreter found in the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Its version: `3.11.7`.
    pub version: String,
    /// Whether its stacks could be read. If not, Python frames are missing.
    pub stacks: bool,
}

/// A thread that allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The kernel's thread id; of the first, where several took turns in this place.
    pub tid: u32,
    /// The kernel's name for it.
    pub name: String,
    /// How many threads took turns in this place.
    pub turns: u32,
    /// The most of its stack in use, in bytes, where known.
    pub stack_bytes_high_water: Option<u64>,
}

/// A snapshot of the object graph that the capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapSnapshot {
    /// What it was taken for.
    pub reason: SnapshotReason,
    /// When, in nanoseconds since recording began.
    pub at_ns: u64,
    /// Live bytes then.
    pub live_bytes: u64,
    /// Objects in it.
    pub objects: u64,
    /// How long the program stood still for it, in nanoseconds.
    pub paused_ns: u64,
    /// About how much of the capture it takes, in bytes.
    pub capture_bytes: u64,
}

/// One tick of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The tick's number in the capture.
    pub index: TickIndex,
    /// Its end in nanoseconds since recording began.
    pub end_ns: u64,
    /// Resident memory then, in bytes.
    pub rss_bytes: u64,
    /// Live bytes then.
    pub live_bytes: u64,
    /// The collector's counters then, if there was one.
    pub gc: Option<Gc>,
}

/// The counters of one node in one domain.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The allocating stack.
    pub node: NodeId,
    /// Which allocator.
    pub domain: Domain,
    /// The counters. `temporary` is counted by node alone and not here.
    pub counts: Counts,
    /// The next row of the same node, [`NO_ROW`] if there is none.
    pub(crate) next: u32,
}

pub(crate) const NO_ROW: u32 = u32::MAX;

/// The peak as the recorder kept it, to the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactPeak {
    /// The tick it was in.
    pub tick: TickIndex,
    /// What was alive.
    pub amount: Amount,
}

/// Objects of one type from one site, alive at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeAmount {
    /// Where they were allocated.
    pub site: SiteId,
    /// Position in [`Recording::type_names`].
    pub type_index: u32,
    /// How much of it.
    pub amount: Amount,
}

/// A child process that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildProcess {
    /// Its process id.
    pub pid: u32,
    /// How.
    pub kind: ChildKind,
}

impl From<Child> for ChildProcess {
    fn from(child: Child) -> Self {
        ChildProcess { pid: child.pid, kind: child.kind }
    }
}

/// What one capture says.
pub struct Recording {
    /// Which process this is.
    pub whereabouts: Whereabouts,
    /// The interpreter, if there was one.
    pub interpreter: Option<Interpreter>,
    /// Nodes and sites.
    pub tree: CallTree,
    /// Counters by node and domain.
    pub rows: Vec<Row>,
    /// First row of each node.
    pub(crate) first_row: Vec<u32>,
    /// Temporary allocations of each node, where it has any; may be shorter than the tree.
    pub temporary: Vec<Amount>,
    /// Threads by index.
    pub threads: Vec<Thread>,
    /// The ticks in order.
    pub timeline: Vec<Point>,
    /// How long blocks lived.
    pub lifetimes: Lifetimes,
    /// The peak, if the capture got as far as telling it.
    pub peak: Option<ExactPeak>,
    /// The last tick's figures.
    pub last_tick: Option<Tick>,
    /// Names of types.
    pub type_names: Vec<String>,
    /// Live objects by type and site.
    pub types: Vec<TypeAmount>,
    /// Snapshots of the object graph, in the order of time.
    pub snapshots: Vec<HeapSnapshot>,
    /// Children that were started.
    pub children: Vec<ChildProcess>,
    /// Why recording ended, if it got as far as telling.
    pub end: Option<(EndReason, String)>,
    /// How long was recorded, in nanoseconds.
    pub duration_ns: u64,
    /// How the file ends.
    pub ending: Ending,
}

impl Recording {
    /// Sums of all rows and temporaries.
    pub fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for row in &self.rows {
            totals.add(&row.counts);
        }
        for &temporary in &self.temporary {
            totals.temporary.add(temporary);
        }
        totals
    }

    /// The row of a node in a domain, if anything was counted there.
    pub fn row_of(&self, node: NodeId, domain: Domain) -> Option<usize> {
        let mut row = *self.first_row.get(node.index())?;
        while let Some(found) = self.rows.get(row as usize) {
            if found.domain == domain {
                return Some(row as usize);
            }
            row = found.next;
        }
        None
    }

    /// Whether the capture is whole and the program ended by itself.
    pub fn complete(&self) -> bool {
        let by_itself = matches!(self.end, Some((EndReason::Exit | EndReason::Exec, _)));
        self.ending == Ending::Whole && by_itself
    }

    /// The collector's counters, as far as they were seen.
    pub fn gc(&self) -> Option<Gc> {
        self.last_tick.and_then(|tick| tick.gc)
    }

    /// The highest that live bytes were, exactly, as far as the capture goes.
    pub fn peak_bytes(&self) -> u64 {
        match (self.peak, self.last_tick) {
            (Some(peak), _) => peak.amount.bytes,
            (None, Some(tick)) => tick.peak_bytes,
            (None, None) => self.totals().live().bytes,
        }
    }

    /// Position in the timeline of a tick, or of the next that was written.
    pub fn position_of(&self, tick: TickIndex) -> usize {
        self.timeline.partition_point(|point| point.index < tick)
    }

    /// When a tick ended, in nanoseconds since recording began; the end of the
    /// recording for one that was not closed.
    pub fn time_of(&self, tick: TickIndex) -> u64 {
        self.timeline.get(self.position_of(tick)).map_or(self.duration_ns, |point| point.end_ns)
    }
}
