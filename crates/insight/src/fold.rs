//! The fold: records in, one [`Recording`] out.
//!
//! ```text
//! Reader ──record──▶ Fold ──▶ tree      nodes and code, as they are defined
//!                         ├─▶ rows      births and deaths, summed by node and domain
//!                         ├─▶ slots     for each open group: its row and its tick of birth
//!                         └─▶ timeline  one point a tick
//! ```
//! Only open groups are kept, eight bytes each, however long the run was.
//! A record that contradicts what came before it ends the fold: the recording
//! then holds what was sound, and its ending says what was not.

use std::io::Read;

use memsight_capture::{
    Domain, End, Ending, Group, GroupBirth, GroupChange, GroupSlot, NodeId, Reader, Record, SnapshotRecord,
    ThreadEnd, ThreadStart, Tick, TypeShare,
};

use crate::amount::{Amount, Counts};
use crate::lifetimes::{Lifetimes, PendingDeaths};
use crate::recording::{
    ExactPeak, HeapSnapshot, Interpreter, NO_ROW, Point, Recording, Row, Thread, TypeAmount, Whereabouts,
    text,
};
use crate::tree::CallTree;

/// What cannot be true of any capture, in words.
#[derive(Debug)]
pub(crate) struct Contradiction(pub(crate) String);

impl Contradiction {
    pub(crate) fn new(what: &str) -> Self {
        Contradiction(what.into())
    }
}

/// Reads a capture to its end. `None` if it does not begin with a start
/// record, which [`Reader`] has made sure of.
pub fn fold<R: Read>(reader: &mut Reader<R>) -> Option<Recording> {
    let whereabouts = match reader.next_record() {
        Some(Record::Start(start)) => Whereabouts::from(&start),
        _ => return None,
    };
    let mut fold = Fold::new(whereabouts);
    let mut contradiction = None;
    loop {
        let offset = reader.offset();
        let Some(record) = reader.next_record() else { break };
        if let Record::Snapshot(record) = &record {
            fold.snapshot(record, offset);
            continue;
        }
        if let Err(Contradiction(what)) = fold.take(&record) {
            contradiction = Some(what);
            break;
        }
    }
    let mut recording = fold.finish();
    recording.ending = match (contradiction, reader.ending()) {
        (None, ending) => ending,
        (Some(what), Ending::Open { offset } | Ending::Torn { offset } | Ending::Damaged { offset, .. }) => {
            Ending::Damaged { offset, what }
        }
        (Some(what), Ending::Whole) => Ending::Damaged { offset: 0, what },
    };
    Some(recording)
}

struct Fold {
    recording: Recording,
    slots: Slots,
    pending: PendingDeaths,
    /// A snapshot that was begun.
    begun: Option<HeapSnapshot>,
}

impl Fold {
    fn new(whereabouts: Whereabouts) -> Self {
        let recording = Recording {
            whereabouts,
            interpreter: None,
            tree: CallTree::new(),
            rows: Vec::new(),
            first_row: Vec::new(),
            temporary: Vec::new(),
            threads: Vec::new(),
            timeline: Vec::new(),
            lifetimes: Lifetimes::default(),
            peak: None,
            last_tick: None,
            type_names: Vec::new(),
            types: Vec::new(),
            snapshots: Vec::new(),
            children: Vec::new(),
            end: None,
            duration_ns: 0,
            ending: Ending::Whole,
        };
        Fold { recording, slots: Slots::default(), pending: PendingDeaths::default(), begun: None }
    }

    fn take(&mut self, record: &Record<'_>) -> Result<(), Contradiction> {
        let recording = &mut self.recording;
        match record {
            Record::Start(_) => return Err(Contradiction::new("a second start record")),
            Record::Interpreter(found) => {
                let version = text(found.version);
                recording.interpreter = Some(Interpreter { version, stacks: found.stacks });
            }
            Record::Code(code) => recording.tree.define_code(code),
            Record::Node(node) => recording.tree.define_node(node)?,
            Record::ThreadStart(thread) => return self.thread_start(thread),
            Record::ThreadEnd(thread) => return self.thread_end(thread),
            Record::GroupBirth(group) => return self.birth(group),
            Record::GroupChange(change) => return self.change(change),
            Record::Temporary(temporary) => {
                let index = self.known_node(temporary.node)?;
                let all = &mut self.recording.temporary;
                if all.len() <= index {
                    all.resize(index + 1, Amount::default());
                }
                all[index].add(Amount::new(temporary.allocations, temporary.bytes));
            }
            Record::Tick(tick) => return self.tick(tick),
            Record::Peak(peak) => {
                let amount = Amount::new(peak.blocks, peak.bytes);
                recording.peak = Some(ExactPeak { tick: peak.tick, amount });
            }
            Record::PeakShare(share) => {
                let row = self.row(share.node, share.domain)?;
                self.recording.rows[row as usize].counts.peak.add(Amount::new(share.blocks, share.bytes));
            }
            Record::TypeName(name) => recording.type_names.push(text(name)),
            Record::TypeShare(share) => return self.type_share(share),
            // Seen to before; what is in them is read only when it is asked for.
            Record::Snapshot(_) | Record::Step(_) => {}
            Record::Child(child) => recording.children.push((*child).into()),
            Record::End(end) => self.end(end),
        }
        Ok(())
    }

    fn known_node(&self, node: NodeId) -> Result<usize, Contradiction> {
        if node.index() < self.recording.tree.nodes().len() {
            return Ok(node.index());
        }
        Err(Contradiction(format!("allocations of call-tree node {}, which does not exist", node.0)))
    }

    /// The row of a node in a domain, made if it isn't there.
    fn row(&mut self, node: NodeId, domain: Domain) -> Result<u32, Contradiction> {
        if let Some(row) = self.recording.row_of(node, domain) {
            return Ok(row as u32);
        }
        let index = self.known_node(node)?;
        let Recording { rows, first_row, .. } = &mut self.recording;
        if first_row.len() <= index {
            first_row.resize(index + 1, NO_ROW);
        }
        let row = rows.len() as u32;
        rows.push(Row { node, domain, counts: Counts::default(), next: first_row[index] });
        first_row[index] = row;
        Ok(row)
    }

    /// The tick that is being read, as a position in the timeline.
    fn now(&self) -> u32 {
        self.recording.timeline.len() as u32
    }

    fn birth(&mut self, group: &GroupBirth) -> Result<(), Contradiction> {
        let row = self.row(group.node, group.domain)?;
        let open = OpenGroup { row, birth: self.now() };
        self.slots.open(group.slot, open)?;
        self.count(row, &group.counts);
        let deaths = Amount::new(group.counts.frees, group.counts.freed_bytes);
        self.recording.lifetimes.within_a_tick.add(deaths);
        Ok(())
    }

    fn change(&mut self, change: &GroupChange) -> Result<(), Contradiction> {
        let group = self.slots.change(change)?;
        self.count(group.row, &change.counts);
        let deaths = Amount::new(change.counts.frees, change.counts.freed_bytes);
        if group.birth == self.now() {
            self.recording.lifetimes.within_a_tick.add(deaths);
        } else {
            self.pending.add(group.birth, deaths);
        }
        Ok(())
    }

    fn count(&mut self, row: u32, group: &Group) {
        if let Some(row) = self.recording.rows.get_mut(row as usize) {
            row.counts.add(&Counts {
                allocations: group.allocations,
                allocated_bytes: group.allocated_bytes,
                frees: group.frees,
                freed_bytes: group.freed_bytes,
                ..Counts::default()
            });
        }
    }

    fn tick(&mut self, tick: &Tick) -> Result<(), Contradiction> {
        let timeline = &mut self.recording.timeline;
        if let Some(last) = timeline.last()
            && (tick.index <= last.index || tick.end_ns < last.end_ns)
        {
            return Err(Contradiction(format!("tick {} after tick {}", tick.index.0, last.index.0)));
        }
        if timeline.len() >= MAX_TICKS {
            return Err(Contradiction::new("more ticks than any recorder makes"));
        }
        timeline.push(Point {
            index: tick.index,
            end_ns: tick.end_ns,
            rss_bytes: tick.rss_bytes,
            live_bytes: tick.live_bytes,
            gc: tick.gc,
        });
        self.recording.last_tick = Some(*tick);
        self.recording.duration_ns = tick.end_ns;
        self.bury(tick.end_ns);
        Ok(())
    }

    /// Counts the deaths of the tick that ended at `now_ns` by their age.
    fn bury(&mut self, now_ns: u64) {
        let Recording { timeline, lifetimes, .. } = &mut self.recording;
        self.pending.drain(|birth, amount| {
            let born_ns = timeline.get(birth as usize).map_or(now_ns, |point| point.end_ns);
            lifetimes.add(now_ns.saturating_sub(born_ns), amount);
        });
    }

    fn thread_start(&mut self, start: &ThreadStart<'_>) -> Result<(), Contradiction> {
        let thread = self.thread(start.thread.index())?;
        thread.turns += 1;
        if thread.turns == 1 {
            thread.tid = start.tid;
            thread.name = text(start.name);
        }
        Ok(())
    }

    fn thread_end(&mut self, end: &ThreadEnd) -> Result<(), Contradiction> {
        let thread = self.thread(end.thread.index())?;
        thread.stack_bytes_high_water = thread.stack_bytes_high_water.max(end.stack_bytes_high_water);
        Ok(())
    }

    fn thread(&mut self, index: usize) -> Result<&mut Thread, Contradiction> {
        let threads = &mut self.recording.threads;
        if index >= MAX_THREADS {
            return Err(Contradiction::new("more threads than any recorder counts"));
        }
        if threads.len() <= index {
            threads.resize_with(index + 1, Thread::default);
        }
        Ok(&mut threads[index])
    }

    fn type_share(&mut self, share: &TypeShare) -> Result<(), Contradiction> {
        if share.type_id.index() >= self.recording.type_names.len() {
            return Err(Contradiction(format!("objects of type {}, which has no name", share.type_id.0)));
        }
        self.known_node(share.node)?;
        self.recording.types.push(TypeAmount {
            site: self.recording.tree.site_of(share.node),
            type_index: share.type_id.0,
            amount: Amount::new(share.blocks, share.bytes),
        });
        Ok(())
    }

    fn snapshot(&mut self, record: &SnapshotRecord<'_>, offset: u64) {
        match record {
            SnapshotRecord::Begin(begin) => {
                self.begun = Some(HeapSnapshot {
                    reason: begin.reason,
                    at_ns: begin.at_ns,
                    live_bytes: begin.live_bytes,
                    objects: 0,
                    paused_ns: 0,
                    capture_bytes: offset,
                });
            }
            SnapshotRecord::End(end) => {
                let whole = self.begun.take().map(|begun| HeapSnapshot {
                    objects: end.objects,
                    paused_ns: end.paused_ns,
                    capture_bytes: offset.saturating_sub(begun.capture_bytes),
                    ..begun
                });
                self.recording.snapshots.extend(whole);
            }
            _ => {}
        }
    }

    fn end(&mut self, end: &End<'_>) {
        self.recording.end = Some((end.reason, text(end.detail)));
        self.recording.duration_ns = self.recording.duration_ns.max(end.at_ns);
    }

    fn finish(mut self) -> Recording {
        self.bury(self.recording.duration_ns);
        self.recording
    }
}

/// A tick's length grows with the run: days of it stay far below this.
const MAX_TICKS: usize = 1 << 22;
/// The recorder gives an ended thread's index to a new one long before this.
const MAX_THREADS: usize = 1 << 16;

/// What must be known of a group while it may still change.
#[derive(Clone, Copy)]
pub(crate) struct OpenGroup {
    /// Its row in [`Recording::rows`].
    pub(crate) row: u32,
    /// Its tick of birth, as a position in the timeline.
    pub(crate) birth: u32,
}

const CLOSED: OpenGroup = OpenGroup { row: NO_ROW, birth: 0 };

/// The open groups by slot.
#[derive(Default)]
pub(crate) struct Slots {
    groups: Vec<OpenGroup>,
    births: u64,
}

impl Slots {
    /// Takes note of a group's birth.
    pub(crate) fn open(&mut self, slot: Option<GroupSlot>, group: OpenGroup) -> Result<(), Contradiction> {
        self.births += 1;
        let Some(slot) = slot else { return Ok(()) };
        // Slots are handed out from few batches, so a high one without the births
        // to match is damage; believing it would cost gigabytes.
        let bound = (1 << 20) + self.births.saturating_mul(64);
        if u64::from(slot.0) >= bound.min(1 << 28) {
            return Err(Contradiction(format!("group slot {} after {} groups", slot.0, self.births)));
        }
        if self.groups.len() <= slot.index() {
            self.groups.resize(slot.index() + 1, CLOSED);
        }
        self.groups[slot.index()] = group;
        Ok(())
    }

    /// The group that a change is of; closes it if the change says so.
    pub(crate) fn change(&mut self, change: &GroupChange) -> Result<OpenGroup, Contradiction> {
        let slot = change.slot.index();
        match self.groups.get_mut(slot) {
            Some(group) if group.row != NO_ROW => {
                let found = *group;
                if change.closed {
                    *group = CLOSED;
                }
                Ok(found)
            }
            _ => Err(Contradiction(format!("a change in group slot {slot}, where no group is open"))),
        }
    }
}
