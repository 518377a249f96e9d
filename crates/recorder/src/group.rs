//! Allocation groups, and the exact peak in constant time.
//!
//! A group is what one node allocated from one domain in one tick. A block's
//! shadow slot names its group, so a free finds in one step what it belongs to.
//!
//! The peak needs no copy of anything. A new maximum of live bytes starts a
//! new *epoch*; a group that changes for the first time in an epoch first
//! saves what it had alive, which is what it had at the maximum:
//!
//! ```text
//! live bytes   total ──▶ 5 ──▶ 9 ──▶ 7 ──▶ 8      epoch 2 began at 9
//! group A              3     4     4     5        saves 4 when it goes to 5
//! group B              2     5     3     3        saves 5 when it goes to 3
//! at the peak          A: saved 4, B: saved 5 = 9
//! a group not touched since epoch 2 began had at the peak what it has now
//! ```

use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering, compiler_fence};

use memsight_capture::{Domain, NodeId, TickIndex};

use crate::memory::{OutOfMemory, Segmented, Zeroed};

/// The end of the list of changed groups; 0 says "not in the list".
const END: u32 = u32::MAX;

/// Freed groups that wait for a thread to take them.
const RING: usize = 1 << 16;

/// One allocation group: a cache line. `alloc_*` and `own_*` are written by
/// the node's thread alone, `other_*` by any thread.
#[repr(align(64))]
pub struct Group {
    node: AtomicU32,
    /// Birth tick, shifted left by three, and the domain.
    birth: AtomicU32,
    pub(crate) alloc_blocks: AtomicU32,
    own_freed_blocks: AtomicU32,
    other_freed_blocks: AtomicU32,
    next_changed: AtomicU32,
    pub(crate) alloc_bytes: AtomicU64,
    own_freed_bytes: AtomicU64,
    other_freed_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    peak_blocks: AtomicU32,
    peak_epoch: AtomicU32,
}

// SAFETY: zeroed atomics are zeroes.
unsafe impl Zeroed for Group {}

/// A group's counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks allocated.
    pub alloc_blocks: u32,
    /// Blocks freed.
    pub freed_blocks: u32,
    /// Bytes allocated.
    pub alloc_bytes: u64,
    /// Bytes freed.
    pub freed_bytes: u64,
}

impl Counts {
    /// Live blocks and bytes.
    pub fn live(&self) -> (u32, u64) {
        (self.alloc_blocks.wrapping_sub(self.freed_blocks), self.alloc_bytes.wrapping_sub(self.freed_bytes))
    }

    /// Whether nothing that was allocated is still alive.
    pub fn is_dead(&self) -> bool {
        self.live() == (0, 0)
    }
}

impl Group {
    /// Which stack allocated.
    #[inline]
    pub fn node(&self) -> NodeId {
        NodeId(self.node.load(Ordering::Relaxed))
    }

    /// When the group was born.
    #[inline]
    pub fn birth(&self) -> TickIndex {
        TickIndex(self.birth.load(Ordering::Relaxed) >> 3)
    }

    /// From which domain.
    #[inline]
    pub fn domain(&self) -> Domain {
        let number = self.birth.load(Ordering::Relaxed) as usize & 7;
        Domain::ALL.get(number).copied().unwrap_or(Domain::Mmap)
    }

    /// The counters now.
    #[inline]
    pub fn counts(&self) -> Counts {
        let [own, other] =
            [&self.own_freed_blocks, &self.other_freed_blocks].map(|c| c.load(Ordering::Relaxed));
        let [own_b, other_b] =
            [&self.own_freed_bytes, &self.other_freed_bytes].map(|c| c.load(Ordering::Relaxed));
        Counts {
            alloc_blocks: self.alloc_blocks.load(Ordering::Relaxed),
            freed_blocks: own.wrapping_add(other),
            alloc_bytes: self.alloc_bytes.load(Ordering::Relaxed),
            freed_bytes: own_b.wrapping_add(other_b),
        }
    }

    /// Live blocks and bytes at the peak whose epoch is `epoch`.
    #[inline]
    pub fn at_peak(&self, epoch: u32) -> (u32, u64) {
        if self.peak_epoch.load(Ordering::Relaxed) == epoch {
            (self.peak_blocks.load(Ordering::Relaxed), self.peak_bytes.load(Ordering::Relaxed))
        } else {
            self.counts().live()
        }
    }

    /// Whether the group is this node's in this tick.
    #[inline(always)]
    pub(crate) fn is(&self, node: NodeId, tick: u32, domain: Domain) -> bool {
        // `begin` writes the birth last: whoever sees it sees its node.
        self.birth.load(Ordering::Acquire) == tick << 3 | domain as u32
            && self.node.load(Ordering::Relaxed) == node.0
    }

    /// Counts allocated blocks. Only the node's thread may.
    #[inline(always)]
    pub(crate) fn add(&self, bytes: u64, blocks: u32) {
        bump32(&self.alloc_blocks, blocks);
        bump64(&self.alloc_bytes, bytes);
    }

    /// Counts freed blocks. `one_at_a_time`: no other thread can be here with the same group.
    #[inline(always)]
    pub(crate) fn remove(&self, bytes: u64, blocks: u32, one_at_a_time: bool) {
        if one_at_a_time {
            bump32(&self.own_freed_blocks, blocks);
            bump64(&self.own_freed_bytes, bytes);
        } else {
            self.other_freed_blocks.fetch_add(blocks, Ordering::Relaxed);
            self.other_freed_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Saves what is alive if the group has not changed in this epoch yet.
    #[inline(always)]
    pub(crate) fn save(&self, epoch: u32) {
        if self.peak_epoch.load(Ordering::Relaxed) != epoch {
            let (blocks, bytes) = self.counts().live();
            self.peak_blocks.store(blocks, Ordering::Relaxed);
            self.peak_bytes.store(bytes, Ordering::Relaxed);
            self.peak_epoch.store(epoch, Ordering::Relaxed);
        }
    }

    fn begin(&self, node: NodeId, tick: u32, domain: Domain, epoch: u32) {
        self.node.store(node.0, Ordering::Relaxed);
        self.birth.store(tick << 3 | domain as u32, Ordering::Release);
        // It had nothing at the last maximum.
        self.peak_bytes.store(0, Ordering::Relaxed);
        self.peak_blocks.store(0, Ordering::Relaxed);
        self.peak_epoch.store(epoch, Ordering::Relaxed);
    }

    fn clear(&self) {
        for counter in
            [&self.alloc_blocks, &self.own_freed_blocks, &self.other_freed_blocks, &self.peak_blocks]
        {
            counter.store(0, Ordering::Relaxed);
        }
        for counter in [&self.alloc_bytes, &self.own_freed_bytes, &self.other_freed_bytes, &self.peak_bytes] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// Adds without a locked instruction: for counters with one writer.
#[inline(always)]
pub(crate) fn bump32(counter: &AtomicU32, by: u32) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

/// Adds without a locked instruction: for counters with one writer.
#[inline(always)]
pub(crate) fn bump64(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

type Rows = Segmented<Group, 1024, 262144>;

/// All groups: which are in use, which changed, which are free again.
pub struct Groups {
    rows: Rows,
    /// Rows ever made; row 0 is not used.
    made: AtomicU32,
    changed: AtomicU32,
    ring_head: AtomicU32,
    ring_tail: AtomicU32,
    ring: [AtomicU32; RING],
}

// SAFETY: no rows, an empty list, an empty ring.
unsafe impl Zeroed for Groups {}

impl Groups {
    /// The row of a group.
    ///
    /// # Safety
    /// The group was given out by `begin`.
    #[inline(always)]
    pub unsafe fn get(&self, group: u32) -> &Group {
        // SAFETY: rows that were given out exist.
        unsafe { self.rows.get(group as usize) }
    }

    /// The row of a group, if it was made.
    #[inline]
    pub fn try_get(&self, group: u32) -> Option<&Group> {
        self.rows.try_get(group as usize)
    }

    /// The highest row ever given out.
    pub fn made(&self) -> u32 {
        self.made.load(Ordering::Acquire)
    }

    /// A row of its own for a new group.
    #[cold]
    pub(crate) fn begin(
        &self,
        node: NodeId,
        tick: u32,
        domain: Domain,
        epoch: u32,
    ) -> Result<u32, OutOfMemory> {
        let group = match self.recycled() {
            Some(group) => group,
            None => self.make()?,
        };
        self.rows.ensure(group as usize)?.begin(node, tick, domain, epoch);
        Ok(group)
    }

    /// For tests: every row was given out.
    #[cfg(test)]
    pub(crate) fn pretend_full(&self) {
        self.made.store(Rows::CAPACITY as u32 - 1, Ordering::Relaxed);
    }

    fn make(&self) -> Result<u32, OutOfMemory> {
        let more = |made| (made + 1 < Rows::CAPACITY as u32).then_some(made + 1);
        let made = self.made.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
        made.map_or(Err(OutOfMemory), |made| Ok(made + 1))
    }

    fn recycled(&self) -> Option<u32> {
        let mut head = self.ring_head.load(Ordering::Acquire);
        while head != self.ring_tail.load(Ordering::Acquire) {
            let group = self.ring[head as usize % RING].load(Ordering::Relaxed);
            match self.ring_head.compare_exchange(
                head,
                head.wrapping_add(1),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(group),
                Err(now) => head = now,
            }
        }
        None
    }

    /// Gives a dead group back, which no thread can still reach. `false` if the ring is full.
    pub(crate) fn recycle(&self, group: u32) -> bool {
        let tail = self.ring_tail.load(Ordering::Relaxed);
        if tail.wrapping_sub(self.ring_head.load(Ordering::Acquire)) as usize >= RING {
            return false;
        }
        if let Some(row) = self.rows.try_get(group as usize) {
            row.clear();
        }
        self.ring[tail as usize % RING].store(group, Ordering::Relaxed);
        self.ring_tail.store(tail.wrapping_add(1), Ordering::Release);
        true
    }

    /// After `fork`: groups that wait to be used again are older than the child.
    pub(crate) fn forget_recycled(&self) {
        self.ring_head.store(self.ring_tail.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Puts a group on the list of changed ones, if it is not there.
    #[inline(always)]
    pub(crate) fn changed(&self, group: u32, row: &Group) {
        // The counters before the list: the writer's half of this fence is `membarrier`.
        compiler_fence(Ordering::SeqCst);
        if row.next_changed.load(Ordering::Relaxed) == 0 {
            self.push_changed(group, row);
        }
    }

    #[cold]
    fn push_changed(&self, group: u32, row: &Group) {
        if row.next_changed.compare_exchange(0, END, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let mut head = self.changed.load(Ordering::Relaxed);
        loop {
            row.next_changed.store(if head == 0 { END } else { head }, Ordering::Relaxed);
            match self.changed.compare_exchange_weak(head, group, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes the whole list and gives each group to `visit`. After a memory
    /// barrier on every thread, a change that follows puts its group on the
    /// list anew, and one before is seen in the counters.
    pub(crate) fn take_changed(&self, mut visit: impl FnMut(u32)) {
        let mut next = self.changed.swap(0, Ordering::AcqRel);
        while next != 0 && next != END {
            visit(next);
            let Some(row) = self.rows.try_get(next as usize) else { return };
            next = row.next_changed.swap(0, Ordering::AcqRel);
        }
    }

    /// Whether any group is on the list of changed ones.
    pub(crate) fn any_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed) != 0
    }

    /// Whether a group is on the list of changed ones.
    pub(crate) fn is_changed(&self, group: u32) -> bool {
        self.rows.try_get(group as usize).is_some_and(|row| row.next_changed.load(Ordering::Relaxed) != 0)
    }
}

/// What makes a counting thread the only one that counts at this moment, so that no
/// locked instruction is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountAs {
    /// No other has ever allocated or freed.
    OnlyThread,
    /// It has the GIL, and so has everybody who counts as this.
    GilHolder,
    /// Nothing.
    Anyone,
}

/// Live bytes of the process and their maximum.
pub struct Live {
    /// Whether more than one thread ever allocated or freed.
    shared: AtomicBool,
    /// The part counted while there was one thread.
    alone: AtomicI64,
    /// The part counted by whoever had the GIL.
    with_gil: AtomicI64,
    /// The part counted without it since there were several threads.
    together: AtomicI64,
    max: AtomicI64,
    epoch: AtomicU32,
    tick: AtomicU32,
}

// SAFETY: zero live bytes, no second thread.
unsafe impl Zeroed for Live {}

impl Live {
    /// Whether only one thread ever allocated or freed.
    #[inline(always)]
    pub(crate) fn is_alone(&self) -> bool {
        !self.shared.load(Ordering::Relaxed)
    }

    pub(crate) fn share(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }

    /// Live bytes now.
    pub fn bytes(&self) -> u64 {
        let parts = [&self.alone, &self.with_gil, &self.together];
        parts.iter().map(|part| part.load(Ordering::Relaxed)).sum::<i64>().max(0) as u64
    }

    /// The maximum so far and the tick it was in.
    pub fn peak(&self) -> (u64, TickIndex) {
        (self.max.load(Ordering::Relaxed).max(0) as u64, TickIndex(self.tick.load(Ordering::Relaxed)))
    }

    /// The epoch: changes when there is a new maximum.
    #[inline(always)]
    pub fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// After `fork`: the child's own allocations begin at zero, with one thread.
    pub(crate) fn restart(&self) {
        for counter in [&self.alone, &self.with_gil, &self.together, &self.max] {
            counter.store(0, Ordering::Relaxed);
        }
        self.epoch.fetch_add(1, Ordering::Relaxed);
        self.tick.store(0, Ordering::Relaxed);
    }

    /// Counts allocated bytes and sees whether they make a new maximum.
    #[inline(always)]
    pub(crate) fn add(&self, bytes: u64, tick: u32, count_as: CountAs) {
        let live = self.change(bytes as i64, count_as);
        if live > self.max.load(Ordering::Relaxed) {
            self.raise(live, tick);
        }
    }

    /// Counts freed bytes.
    #[inline(always)]
    pub(crate) fn remove(&self, bytes: u64, count_as: CountAs) {
        self.change(-(bytes as i64), count_as);
    }

    /// Gives the live bytes. Each part has one writer at a time or takes a locked instruction.
    #[inline(always)]
    fn change(&self, by: i64, count_as: CountAs) -> i64 {
        let [alone, with_gil, together] =
            [&self.alone, &self.with_gil, &self.together].map(|part| part.load(Ordering::Relaxed));
        let live = alone.wrapping_add(with_gil).wrapping_add(by);
        match count_as {
            CountAs::OnlyThread => self.alone.store(alone.wrapping_add(by), Ordering::Relaxed),
            CountAs::GilHolder => self.with_gil.store(with_gil.wrapping_add(by), Ordering::Relaxed),
            CountAs::Anyone => return live.wrapping_add(self.together.fetch_add(by, Ordering::Relaxed)),
        }
        live.wrapping_add(together)
    }

    #[inline(always)]
    fn raise(&self, live: i64, tick: u32) {
        if self.is_alone() {
            self.max.store(live, Ordering::Relaxed);
            bump32(&self.epoch, 1);
        } else {
            if self.max.fetch_max(live, Ordering::Relaxed) >= live {
                return;
            }
            self.epoch.fetch_add(1, Ordering::Relaxed);
        }
        self.tick.store(tick, Ordering::Relaxed);
    }
}
