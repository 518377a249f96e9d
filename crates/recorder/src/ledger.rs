//! The writer's side: what changed since the last tick, as records.
//!
//! One writer calls [`Ledger::tick`] at the end of each tick and
//! [`Ledger::finish`] at the end of the run. It shares memory with the
//! program's threads and never makes them wait: threads put the groups they
//! change on a list and raise counters; the writer takes the list, has every
//! thread pass a memory barrier, and writes the difference between a group's
//! counters and what it wrote of it before. A change that comes too late for
//! one tick is found in the next.
//!
//! A group whose blocks are all dead is used again once no thread can still
//! hold its number: every thread that was inside the recorder when the group
//! was retired has since left it. A group that had something alive at the peak
//! is kept until there is a higher peak, since its share is written at the end.

use core::sync::atomic::Ordering;

use memsight_capture::{
    CodeId, Group as Delta, GroupBirth, GroupChange, GroupSlot, NodeDef, NodeId, NodeKind, Peak, PeakShare,
    Record, Temporary, ThreadEnd, ThreadIndex, ThreadStart, TickIndex,
};

use crate::group::Counts;
use crate::memory::{self, OutOfMemory, PageVec, Segmented, Zeroed};
use crate::recorder::Recorder;
use crate::sys;
use crate::thread::State;

/// Why the ledger cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// No memory for the writer's own tables.
    OutOfMemory,
    /// The capture cannot be written: an errno.
    Io(i32),
}

impl From<OutOfMemory> for Stopped {
    fn from(_: OutOfMemory) -> Self {
        Stopped::OutOfMemory
    }
}

/// Where records go.
pub trait Sink {
    /// Takes one record.
    fn record(&mut self, record: &Record<'_>) -> Result<(), Stopped>;
    /// The kernel's name of a thread, into `name`; gives its length.
    fn thread_name(&mut self, tid: u32, name: &mut [u8; 16]) -> usize;
}

/// What the capture says of a group so far.
#[derive(Clone, Copy)]
struct Written {
    counts: Counts,
    /// Whether the capture has it in its slot.
    open: bool,
    /// Whether it waits to be used again.
    retired: bool,
}

// SAFETY: zero counts, false and false.
unsafe impl Zeroed for Written {}

#[derive(Clone, Copy, Default)]
struct WrittenThread {
    tenants: u32,
    ended: bool,
}

/// What the writer remembers between ticks.
pub struct Ledger {
    written: Segmented<core::cell::Cell<Written>, 2048, 131072>,
    /// A node's id in the capture, 0 if it is not there yet; by the recorder's id.
    nodes: PageVec<u32>,
    node_count: u32,
    /// A code's id in the capture plus one; by the recorder's id.
    codes: PageVec<u32>,
    code_count: u32,
    /// Temporary blocks and bytes written; by node.
    temporary: PageVec<(u64, u64)>,
    threads: PageVec<WrittenThread>,
    changed: PageVec<u32>,
    /// The same below the nodes they are of.
    by_node: PageVec<u64>,
    /// Dead groups that may still grow, born while the tick before was written.
    young: PageVec<u32>,
    /// Dead groups found since the last batch went to `retiring`.
    retired: PageVec<u32>,
    /// Dead groups that wait for the threads in `inside` to leave the recorder.
    retiring: PageVec<u32>,
    inside: PageVec<(u32, u32)>,
    /// Dead groups with a share in the peak of `held_epoch`.
    held: PageVec<u32>,
    held_epoch: u32,
    path: PageVec<NodeId>,
}

// SAFETY: a cell is its content.
unsafe impl Zeroed for core::cell::Cell<Written> {}
// SAFETY: empty tables.
unsafe impl Zeroed for Ledger {}

impl Ledger {
    /// A ledger of which nothing is written.
    pub fn create() -> Result<&'static mut Ledger, OutOfMemory> {
        sys::register_membarrier();
        let memory = memory::map(size_of::<Ledger>())?;
        // SAFETY: the mapping is zeroed, large enough, page-aligned, and nobody else has it.
        Ok(unsafe { &mut *memory.cast::<Ledger>() })
    }

    /// Ends the current tick and writes what changed in it. Gives its number.
    pub fn tick(&mut self, recorder: &Recorder, sink: &mut impl Sink) -> Result<TickIndex, Stopped> {
        let over = recorder.next_tick();
        self.write_threads(recorder, sink)?;
        self.recycle(recorder)?;
        self.changed.clear();
        self.changed.extend(self.young.as_slice())?;
        self.young.clear();
        let mut result = Ok(());
        recorder.groups.take_changed(|group| result = result.and(self.changed.push(group)));
        result?;
        sys::membarrier();
        // In the same order in each tick, so that one tick compresses well after another.
        let mut changed = core::mem::take(&mut self.changed);
        let mut by_node = core::mem::take(&mut self.by_node);
        by_node.clear();
        for &group in changed.as_slice() {
            let node = recorder.groups.try_get(group).map_or(0, |row| row.node().0);
            by_node.push(u64::from(node) << 32 | u64::from(group))?;
        }
        by_node.as_mut_slice().sort_unstable();
        changed
            .as_mut_slice()
            .iter_mut()
            .zip(by_node.as_slice())
            .for_each(|(group, key)| *group = *key as u32);
        self.by_node = by_node;
        let written = self.write_groups(recorder, sink, &changed, over);
        self.changed = changed;
        written?;
        self.begin_retiring(recorder)?;
        Ok(over)
    }

    /// Whether anything is on the list of changes: if not, a tick has nothing to say.
    pub fn is_idle(&self, recorder: &Recorder) -> bool {
        !recorder.groups.any_changed() && self.young.is_empty()
    }

    /// Writes everything that is not written yet, then the peak.
    pub fn finish(&mut self, recorder: &Recorder, sink: &mut impl Sink) -> Result<TickIndex, Stopped> {
        let over = recorder.next_tick();
        self.write_threads(recorder, sink)?;
        recorder.groups.take_changed(|_| {});
        sys::membarrier();
        self.changed.clear();
        for group in recorder.inherited_groups() + 1..=recorder.groups.made() {
            self.changed.push(group)?;
        }
        let all = core::mem::take(&mut self.changed);
        let written = self.write_groups(recorder, sink, &all, over);
        let written = written.and_then(|()| self.write_all_temporary(recorder, sink));
        let written = written.and_then(|()| self.write_peak(recorder, sink, all.as_slice()));
        self.changed = all;
        written?;
        for index in 0..recorder.thread_count() {
            if let Some(thread) = recorder.thread(ThreadIndex(index)).filter(|t| t.state() == State::Running)
            {
                sink.record(&Record::ThreadEnd(ThreadEnd {
                    thread: ThreadIndex(index),
                    stack_bytes_high_water: thread.stack_high_water(),
                }))?;
            }
        }
        Ok(over)
    }

    fn write_threads(&mut self, recorder: &Recorder, sink: &mut impl Sink) -> Result<(), Stopped> {
        for index in 0..recorder.thread_count() {
            let Some(thread) = recorder.thread(ThreadIndex(index)) else { continue };
            while self.threads.len() <= index as usize {
                self.threads.push(WrittenThread::default())?;
            }
            let (tenants, state) = (thread.tenants.load(Ordering::Acquire), thread.state());
            let written = &mut self.threads.as_mut_slice()[index as usize];
            if tenants != written.tenants && state != State::Unused {
                *written = WrittenThread { tenants, ended: false };
                let mut name = [0; 16];
                let len = sink.thread_name(thread.tid(), &mut name).min(name.len());
                let start = ThreadStart { thread: ThreadIndex(index), tid: thread.tid(), name: &name[..len] };
                sink.record(&Record::ThreadStart(start))?;
            }
            if state == State::Ended && !written.ended && tenants != 0 {
                written.ended = true;
                let stack_bytes_high_water = thread.stack_high_water();
                sink.record(&Record::ThreadEnd(ThreadEnd {
                    thread: ThreadIndex(index),
                    stack_bytes_high_water,
                }))?;
            }
        }
        Ok(())
    }

    fn write_groups(
        &mut self,
        recorder: &Recorder,
        sink: &mut impl Sink,
        groups: &PageVec<u32>,
        over: TickIndex,
    ) -> Result<(), Stopped> {
        for &number in groups.as_slice() {
            self.write_group(recorder, sink, number, over)?;
        }
        Ok(())
    }

    fn write_group(
        &mut self,
        recorder: &Recorder,
        sink: &mut impl Sink,
        number: u32,
        over: TickIndex,
    ) -> Result<(), Stopped> {
        // A number of another process's making (after `fork`) has no business here.
        if number <= recorder.inherited_groups() || number > recorder.groups.made() {
            return Ok(());
        }
        let cell = self.written.ensure(number as usize)?;
        let mut written = cell.get();
        let Some(row) = recorder.groups.try_get(number) else { return Ok(()) };
        let counts = row.counts();
        if counts == Counts::default() {
            // Being made, or waiting to be used again.
            return Ok(());
        }
        let settled = counts.is_dead() && row.birth() <= over;
        if counts != written.counts || (written.open && settled) {
            let node = row.node();
            let delta = difference(&counts, &written.counts);
            let record = if written.open {
                Record::GroupChange(GroupChange { slot: GroupSlot(number), closed: settled, counts: delta })
            } else {
                let slot = (!settled).then_some(GroupSlot(number));
                Record::GroupBirth(GroupBirth {
                    node: self.node(recorder, sink, node)?,
                    domain: row.domain(),
                    slot,
                    counts: delta,
                })
            };
            sink.record(&record)?;
            self.write_temporary(recorder, sink, node)?;
            written = Written { counts, open: !settled, ..written };
        }
        if settled && !written.retired {
            written.retired = true;
            self.retired.push(number)?;
        } else if counts.is_dead() && !settled {
            self.young.push(number)?;
        }
        if let Some(cell) = self.written.try_get(number as usize) {
            cell.set(written);
        }
        Ok(())
    }

    fn write_temporary(
        &mut self,
        recorder: &Recorder,
        sink: &mut impl Sink,
        node: NodeId,
    ) -> Result<(), Stopped> {
        // SAFETY: a group's node was made by this tree.
        let row = unsafe { recorder.tree.node(node) };
        let now = (row.temporary_blocks.load(Ordering::Relaxed), row.temporary_bytes.load(Ordering::Relaxed));
        let before = *slot_of(&mut self.temporary, node.index(), (0, 0))?;
        if now == before {
            return Ok(());
        }
        self.temporary.as_mut_slice()[node.index()] = now;
        let node = self.node(recorder, sink, node)?;
        sink.record(&Record::Temporary(Temporary {
            node,
            allocations: now.0.wrapping_sub(before.0),
            bytes: now.1.wrapping_sub(before.1),
        }))
    }

    /// What threads counted after their groups were written last.
    fn write_all_temporary(&mut self, recorder: &Recorder, sink: &mut impl Sink) -> Result<(), Stopped> {
        (1..=recorder.tree.node_count())
            .try_for_each(|node| self.write_temporary(recorder, sink, NodeId(node)))
    }

    /// The node's id in the capture; writes it and its callers if they are new.
    pub fn node(
        &mut self,
        recorder: &Recorder,
        sink: &mut impl Sink,
        node: NodeId,
    ) -> Result<NodeId, Stopped> {
        let mut path = core::mem::take(&mut self.path);
        path.clear();
        let mut next = node;
        while next != NodeId(0) && *slot_of(&mut self.nodes, next.index(), 0)? == 0 {
            path.push(next)?;
            next = recorder.tree.describe(next).map_or(NodeId(0), |(parent, _)| parent);
        }
        while let Some(node) = path.pop() {
            let Some((parent, mut kind)) = recorder.tree.describe(node) else { continue };
            if let NodeKind::Python { code, offset } = kind {
                kind = NodeKind::Python { code: self.code(recorder, sink, code)?, offset };
            }
            let parent = match parent {
                NodeId(0) => parent,
                parent => NodeId(*slot_of(&mut self.nodes, parent.index(), 0)?),
            };
            sink.record(&Record::Node(NodeDef { parent, kind }))?;
            self.node_count += 1;
            *slot_of(&mut self.nodes, node.index(), 0)? = self.node_count;
        }
        self.path = path;
        Ok(NodeId(*slot_of(&mut self.nodes, node.index(), 0)?))
    }

    /// The node's id in the capture, 0 if it is not there.
    pub fn written_node(&self, node: NodeId) -> NodeId {
        NodeId(self.nodes.as_slice().get(node.index()).copied().unwrap_or(0))
    }

    fn code(&mut self, recorder: &Recorder, sink: &mut impl Sink, code: CodeId) -> Result<CodeId, Stopped> {
        let known = slot_of(&mut self.codes, code.index(), 0)?;
        if let Some(id) = known.checked_sub(1) {
            return Ok(CodeId(id));
        }
        self.code_count += 1;
        *known = self.code_count;
        if let Some(text) = recorder.tree.code(code) {
            sink.record(&Record::Code(text))?;
        }
        Ok(CodeId(self.code_count - 1))
    }

    fn write_peak(
        &mut self,
        recorder: &Recorder,
        sink: &mut impl Sink,
        groups: &[u32],
    ) -> Result<(), Stopped> {
        let epoch = recorder.live.epoch();
        let (_, tick) = recorder.live.peak();
        let shares = |number: &u32| {
            let row = recorder.groups.try_get(*number)?;
            let (blocks, bytes) = row.at_peak(epoch);
            (blocks != 0 || bytes != 0).then_some((row, blocks, bytes))
        };
        let (blocks, bytes) =
            groups.iter().filter_map(shares).fold((0u64, 0u64), |sum, (_, blocks, bytes)| {
                (sum.0 + u64::from(blocks), sum.1.wrapping_add(bytes))
            });
        sink.record(&Record::Peak(Peak { tick, bytes, blocks }))?;
        for (row, blocks, bytes) in groups.iter().filter_map(shares) {
            let node = self.node(recorder, sink, row.node())?;
            let (domain, birth) = (row.domain(), row.birth());
            sink.record(&Record::PeakShare(PeakShare { node, domain, birth, blocks: blocks.into(), bytes }))?;
        }
        Ok(())
    }

    /// Gives dead groups back that no thread can hold any more.
    fn recycle(&mut self, recorder: &Recorder) -> Result<(), Stopped> {
        let epoch = recorder.live.epoch();
        if self.held_epoch != epoch {
            self.held_epoch = epoch;
            while let Some(group) = self.held.pop() {
                self.retired.push(group)?;
            }
        }
        let still_inside = self.inside.as_slice().iter().any(|&(thread, turns)| {
            recorder.thread(ThreadIndex(thread)).is_some_and(|thread| thread.turns() == turns)
        });
        if still_inside {
            return Ok(());
        }
        while let Some(number) = self.retiring.pop() {
            let Some(row) = recorder.groups.try_get(number) else { continue };
            let Some(cell) = self.written.try_get(number as usize) else { continue };
            let written = cell.get();
            let counts = row.counts();
            if counts != written.counts || !counts.is_dead() || recorder.groups.is_changed(number) {
                // It came back to life, or will be written first.
                cell.set(Written { retired: false, ..written });
            } else if written.open || row.birth() >= recorder.tick() {
                self.retired.push(number)?;
            } else if row.at_peak(epoch) != (0, 0) {
                self.held.push(number)?;
            } else if recorder.groups.recycle(number) {
                cell.set(Written { counts: Counts::default(), open: false, retired: false });
            } else {
                self.retired.push(number)?;
            }
        }
        Ok(())
    }

    /// Once the last batch is through, has the next one wait for the threads
    /// that are inside the recorder now.
    fn begin_retiring(&mut self, recorder: &Recorder) -> Result<(), Stopped> {
        if !self.retiring.is_empty() || self.retired.is_empty() {
            return Ok(());
        }
        // Without it a thread's turns may be older than they look: nothing is used again.
        if !sys::membarrier() {
            return Ok(());
        }
        core::mem::swap(&mut self.retiring, &mut self.retired);
        self.inside.clear();
        for index in 0..recorder.thread_count() {
            let Some(thread) = recorder.thread(ThreadIndex(index)) else { continue };
            let turns = thread.turns();
            if turns & 1 == 1 && thread.state() == State::Running {
                self.inside.push((index, turns))?;
            }
        }
        Ok(())
    }
}

fn difference(now: &Counts, before: &Counts) -> Delta {
    Delta {
        allocations: now.alloc_blocks.wrapping_sub(before.alloc_blocks).into(),
        allocated_bytes: now.alloc_bytes.wrapping_sub(before.alloc_bytes),
        frees: now.freed_blocks.wrapping_sub(before.freed_blocks).into(),
        freed_bytes: now.freed_bytes.wrapping_sub(before.freed_bytes),
    }
}

/// Element `index`, after filling up with `empty` as far as that.
fn slot_of<T: Copy>(array: &mut PageVec<T>, index: usize, empty: T) -> Result<&mut T, OutOfMemory> {
    while array.len() <= index {
        array.push(empty)?;
    }
    Ok(&mut array.as_mut_slice()[index])
}
