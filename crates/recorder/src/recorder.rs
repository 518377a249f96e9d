//! One process's recording: what each event of the program does.
//!
//! Callers are inside a hook: they have [entered](Thread::enter) the thread,
//! call the real allocator themselves, and keep this order: an allocation is
//! recorded *after* the real one and a free *before* it, or another thread
//! could be given the address in between. For `realloc`: [`Recorder::take`],
//! the real call, then [`Recorder::release`] and [`Recorder::allocated`], or
//! [`Recorder::restore`] if it failed.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use memsight_capture::{Domain, NodeId, ThreadIndex, TickIndex};

use crate::group::{CountAs, Group, Groups, Live, bump64};
use crate::lock::{Held, SpinLock};
use crate::maps::{Maps, Purpose};
use crate::memory::{self, OutOfMemory, Segmented, Zeroed};
use crate::shadow::{Shadow, Slot};
use crate::stack::Frames;
use crate::sys;
use crate::table::{Table, mix};
use crate::thread::{State, Thread};
use crate::tree::Tree;

/// Up to this many threads get an index of their own; later ones take the
/// place of ended ones where they can.
const OWN_INDEX: u32 = 256;

/// The most threads that can be known at a time.
pub const MAX_THREADS: usize = 1 << 16;

/// The most that CPython's object allocator maps at a time, in bytes.
const ARENA: usize = 1 << 20;

/// A block that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its allocation group.
    pub group: u32,
    /// Bytes asked for.
    pub bytes: u64,
}

/// Blocks that no shadow slot can hold, by address.
struct Odd {
    table: Table,
    rows: memory::PageVec<(usize, Block)>,
    unused: memory::PageVec<u32>,
}

struct Locked {
    maps: Maps,
    odd: Odd,
}

/// The state of a recording. Lives in its own mapping, for the whole process.
pub struct Recorder {
    /// What the fast path reads first, on one line.
    tick: AtomicU32,
    on: AtomicBool,
    /// Live bytes and their peak.
    pub live: Live,
    /// The call tree.
    pub tree: Tree,
    /// The allocation groups.
    pub groups: Groups,
    /// Where every block is.
    pub shadow: Shadow,
    threads: Segmented<Thread, 64, { MAX_THREADS / 64 }>,
    thread_count: AtomicU32,
    /// Groups up to this one are the parent's, from before `fork`.
    inherited_groups: AtomicU32,
    odd_count: AtomicU32,
    lock: SpinLock,
    /// Whether `lock` is held for `fork`.
    forking: AtomicBool,
    locked: UnsafeCell<Locked>,
    reserved_bytes: AtomicI64,
    file_mapped_bytes: AtomicI64,
    lost_events: AtomicU64,
}

// SAFETY: `locked` is only touched under `lock`; everything else is atomic.
unsafe impl Sync for Recorder {}
// SAFETY: every part's zero is its empty state, and `on` is false.
unsafe impl Zeroed for Recorder {}

impl Recorder {
    /// A new recording, off until [`Recorder::turn_on`].
    pub fn create() -> Result<&'static Recorder, OutOfMemory> {
        let memory = memory::map(size_of::<Recorder>())?;
        // SAFETY: the mapping is zeroed, large enough, page-aligned, and never given back.
        Ok(unsafe { &*memory.cast::<Recorder>() })
    }

    /// Whether events are recorded.
    #[inline(always)]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Begins to record.
    pub fn turn_on(&self) {
        self.on.store(true, Ordering::Release);
    }

    /// Stops recording; hooks pass everything by from now on.
    pub fn turn_off(&self) {
        self.on.store(false, Ordering::Release);
    }

    /// The current tick.
    pub fn tick(&self) -> TickIndex {
        TickIndex(self.tick.load(Ordering::Relaxed))
    }

    /// Begins the next tick and gives the one that is over.
    pub fn next_tick(&self) -> TickIndex {
        TickIndex(self.tick.fetch_add(1, Ordering::SeqCst))
    }

    /// Bytes in arenas of Python's allocator, and bytes of mapped files.
    pub fn mapped(&self) -> (u64, u64) {
        let load = |counter: &AtomicI64| counter.load(Ordering::Relaxed).max(0) as u64;
        (load(&self.reserved_bytes), load(&self.file_mapped_bytes))
    }

    /// Events that could not be recorded.
    pub fn lost_events(&self) -> u64 {
        self.lost_events.load(Ordering::Relaxed)
    }

    /// Rows of threads so far.
    pub fn thread_count(&self) -> u32 {
        self.thread_count.load(Ordering::Acquire)
    }

    /// A thread's row.
    pub fn thread(&self, index: ThreadIndex) -> Option<&Thread> {
        self.threads.try_get(index.index())
    }

    /// How many threads are inside the recorder at this moment.
    pub fn threads_inside(&self) -> u32 {
        let inside = |index: &u32| self.thread(ThreadIndex(*index)).is_some_and(Thread::is_recording);
        (0..self.thread_count()).filter(inside).count() as u32
    }

    /// Groups of the parent process end here.
    #[inline]
    pub fn inherited_groups(&self) -> u32 {
        self.inherited_groups.load(Ordering::Relaxed)
    }

    /// Gives the calling thread a row.
    pub fn attach(&self, tid: u32) -> Result<&Thread, OutOfMemory> {
        let _held = self.lock.lock();
        let count = self.thread_count.load(Ordering::Relaxed);
        let ended = (count >= OWN_INDEX).then(|| self.ended_thread(count)).flatten();
        let index = ended.unwrap_or(ThreadIndex(count));
        let thread = self.threads.ensure(index.index())?;
        let root = match ended {
            Some(_) => thread.root(),
            None => self.tree.root(index)?,
        };
        thread.begin(index, root, tid);
        if ended.is_none() {
            self.thread_count.store(count + 1, Ordering::Release);
        }
        if count > 0 {
            self.live.share();
        }
        Ok(thread)
    }

    /// Takes the row of a thread that ends back.
    pub fn detach(&self, thread: &Thread) {
        thread.end();
    }

    fn ended_thread(&self, count: u32) -> Option<ThreadIndex> {
        let ended = |index: &u32| self.thread(ThreadIndex(*index)).is_some_and(|t| t.state() == State::Ended);
        (0..count).find(ended).map(ThreadIndex)
    }

    /// The node of the calling thread's stack.
    ///
    /// # Safety
    /// `thread` is the calling thread's row and inside the recorder; `top` is
    /// its innermost frame or 0, and the chain is not changing.
    #[inline(always)]
    pub unsafe fn stack<F: Frames>(&self, thread: &Thread, top: u64, frames: &F) -> NodeId {
        let root = thread.root();
        if top == 0 {
            return root;
        }
        // SAFETY: the thread is inside the recorder, so nobody else uses its cache.
        let cache = unsafe { &mut *thread.stack.get() };
        match cache.node(top, root, &self.tree, frames) {
            Ok(node) => node,
            Err(OutOfMemory) => {
                self.lose();
                root
            }
        }
    }

    /// Records an allocation. `with_gil`: the calling thread has the one lock that
    /// whoever says so has in turn, as it has when this is said of a free.
    ///
    /// # Safety
    /// `thread` is the calling thread's row, `node` is of its part of the tree.
    #[inline(always)]
    pub unsafe fn allocated(
        &self,
        thread: &Thread,
        node: NodeId,
        domain: Domain,
        address: usize,
        bytes: usize,
        with_gil: bool,
    ) {
        let count_as = self.count_as(true, with_gil);
        // SAFETY: passed on from the caller.
        let Some((number, _)) = (unsafe { self.count_allocation(node, domain, bytes as u64, count_as) })
        else {
            return;
        };
        let noted = if Slot::fits(address, bytes) {
            self.shadow.set(address, number, bytes as u32)
        } else {
            self.set_odd(address, Block { group: number, bytes: bytes as u64 }).map(|()| None)
        };
        match noted {
            Ok(None) => {}
            Ok(Some(missed)) => self.release_missed(missed),
            Err(OutOfMemory) => {
                // Its free will not be seen, so it must not count as alive for good.
                self.count_free(number, bytes as u64, 1, count_as);
                self.lose();
            }
        }
        thread.last_address.store(address, Ordering::Relaxed);
        thread.last_node.store(node.0, Ordering::Relaxed);
    }

    /// Records that a block is being freed. Unknown addresses are passed by.
    #[inline(always)]
    pub fn freed(&self, thread: Option<&Thread>, address: usize, with_gil: bool) {
        if let Some(block) = self.take(address) {
            self.release(thread, address, block, with_gil);
        }
    }

    /// Takes out what is noted of a block; nothing is counted yet.
    #[inline(always)]
    pub fn take(&self, address: usize) -> Option<Block> {
        match self.shadow.take(address) {
            Some(slot) => Some(Block { group: slot.group, bytes: u64::from(slot.bytes) }),
            None if self.odd_count.load(Ordering::Relaxed) != 0 => self.take_odd(address),
            None => None,
        }
    }

    /// The block that stood at an address before was given back unseen, as by a
    /// signal handler that came while its thread was inside.
    #[cold]
    fn release_missed(&self, missed: Slot) {
        if missed.group > self.inherited_groups.load(Ordering::Relaxed) {
            self.count_free(missed.group, missed.bytes.into(), 1, CountAs::Anyone);
            self.lose();
        }
    }

    /// Puts back what [`Recorder::take`] took, where the block lives on.
    pub fn restore(&self, address: usize, block: Block) {
        let noted = if Slot::fits(address, block.bytes as usize) {
            self.shadow.set(address, block.group, block.bytes as u32).map(|_| ())
        } else {
            self.set_odd(address, block)
        };
        if noted.is_err() {
            self.lose();
        }
    }

    /// Counts a block that was taken out as freed.
    #[inline(always)]
    pub fn release(&self, thread: Option<&Thread>, address: usize, block: Block, with_gil: bool) {
        if block.group <= self.inherited_groups.load(Ordering::Relaxed) {
            return;
        }
        let row = self.count_free(block.group, block.bytes, 1, self.count_as(thread.is_some(), with_gil));
        let Some(thread) = thread else { return };
        if thread.last_address.load(Ordering::Relaxed) == address
            && thread.last_node.load(Ordering::Relaxed) == row.node().0
        {
            thread.last_address.store(0, Ordering::Relaxed);
            // SAFETY: a group's node was made by this tree.
            let node = unsafe { self.tree.node(row.node()) };
            bump64(&node.temporary_blocks, 1);
            bump64(&node.temporary_bytes, block.bytes);
        }
    }

    /// Records an anonymous private map (after [`Recorder::unmapped`] of what it replaced).
    ///
    /// # Safety
    /// `node` is of the calling thread's part of the tree.
    pub unsafe fn mapped_block(&self, node: NodeId, address: usize, bytes: usize) {
        // SAFETY: passed on from the caller.
        let counted =
            unsafe { self.count_allocation(node, Domain::Mmap, bytes as u64, self.count_as(true, false)) };
        let Some((group, _)) = counted else { return };
        if self.note_map(address, bytes, Purpose::Block(group)).is_err() {
            self.count_free(group, bytes as u64, 1, CountAs::Anyone);
        }
    }

    /// Notes an arena of an allocator, from within that allocator. It may hold a
    /// lock that `fork` waits for, which has ours by then: it is left out in that case.
    pub fn mapped_arena(&self, address: usize, bytes: usize) {
        let Some(_held) = self.lock_unless_forking() else { return };
        self.reserved_bytes.fetch_add(bytes as i64, Ordering::Relaxed);
        if self.insert_map(address, bytes, Purpose::Arena).is_err() {
            self.reserved_bytes.fetch_sub(bytes as i64, Ordering::Relaxed);
        }
        // One of CPython's (`ARENA_BITS`), not one that glibc keeps for a thread.
        if bytes <= ARENA {
            self.shadow.prepare(address, bytes);
        }
    }

    /// Records that an allocator unmaps a range, as [`Recorder::mapped_arena`] does.
    pub fn unmapped_arena(&self, address: usize, bytes: usize) {
        let Some(_held) = self.lock_unless_forking() else { return };
        // SAFETY: the lock is held.
        self.remove_maps(unsafe { &mut (*self.locked.get()).maps }, address, bytes);
    }

    /// The lock, or `None` and a lost event where `fork` has had it for long: it
    /// may wait for this thread, whose signal handler came while it was in `free`.
    fn lock_with_patience(&self) -> Option<Held<'_>> {
        const PATIENCE_NS: u64 = 200_000_000;
        let began = core::cell::Cell::new(0);
        let held = self.lock.lock_unless(|| {
            if !self.forking.load(Ordering::Relaxed) {
                began.set(0);
                return false;
            }
            let now = sys::monotonic_ns();
            if began.get() == 0 {
                began.set(now);
            }
            now - began.get() > PATIENCE_NS
        });
        if held.is_none() {
            self.lose();
        }
        held
    }

    fn lock_unless_forking(&self) -> Option<Held<'_>> {
        self.lock.lock_unless(|| self.forking.load(Ordering::Relaxed))
    }

    /// Notes a mapped file.
    pub fn mapped_file(&self, address: usize, bytes: usize) {
        self.file_mapped_bytes.fetch_add(bytes as i64, Ordering::Relaxed);
        if self.note_map(address, bytes, Purpose::File).is_err() {
            self.file_mapped_bytes.fetch_sub(bytes as i64, Ordering::Relaxed);
        }
    }

    /// Records that a range is unmapped, wholly or in part. Gives the purpose
    /// of the first part that was mapped.
    pub fn unmapped(&self, address: usize, bytes: usize) -> Option<Purpose> {
        let _held = self.lock_with_patience()?;
        // SAFETY: the lock is held.
        self.remove_maps(unsafe { &mut (*self.locked.get()).maps }, address, bytes)
    }

    /// Every piece of the maps: its start, its bytes, and what it is. False if another
    /// thread has the tables at this moment, or had when this process was copied.
    pub fn for_each_map(&self, visit: impl FnMut(usize, usize, Purpose)) -> bool {
        let Some(_held) = self.lock.lock_unless(|| true) else { return false };
        // SAFETY: the lock is held.
        unsafe { &(*self.locked.get()).maps }.for_each(visit);
        true
    }

    fn remove_maps(&self, maps: &mut Maps, address: usize, bytes: usize) -> Option<Purpose> {
        let mut first = None;
        let result = maps.remove(address, bytes, |purpose, bytes, last| {
            first.get_or_insert(purpose);
            match purpose {
                Purpose::Block(group) if group > self.inherited_groups.load(Ordering::Relaxed) => {
                    self.count_free(group, bytes as u64, last.into(), CountAs::Anyone);
                }
                Purpose::Block(_) => {}
                Purpose::Arena => {
                    self.reserved_bytes.fetch_sub(bytes as i64, Ordering::Relaxed);
                }
                Purpose::File => {
                    self.file_mapped_bytes.fetch_sub(bytes as i64, Ordering::Relaxed);
                }
            }
        });
        if result.is_err() {
            self.lose();
        }
        first
    }

    /// Before `fork`: keeps other threads out of the tables until it is over.
    pub fn before_fork(&self) {
        self.lock.acquire();
        self.tree.lock.acquire();
        self.forking.store(true, Ordering::Relaxed);
    }

    /// After `fork`, in the parent.
    pub fn after_fork_in_parent(&self) {
        self.forking.store(false, Ordering::Relaxed);
        self.tree.lock.release();
        self.lock.release();
    }

    /// After `fork`, in the child: what was allocated before belongs to the
    /// parent's capture, and only the calling thread is left.
    ///
    /// # Safety
    /// Called by the only thread, inside the recorder, whose row is `survivor`.
    pub unsafe fn after_fork_in_child(&self, survivor: Option<&Thread>, tid: u32) {
        self.forking.store(false, Ordering::Relaxed);
        self.tree.lock.release();
        self.lock.release();
        self.groups.take_changed(|_| {});
        self.inherited_groups.store(self.groups.made(), Ordering::Relaxed);
        self.groups.forget_recycled();
        self.live.restart();
        // A new tick, or nodes would go on with groups of the parent's.
        self.tick.fetch_add(1, Ordering::Relaxed);
        self.lost_events.store(0, Ordering::Relaxed);
        for index in 0..self.thread_count() {
            let Some(thread) = self.thread(ThreadIndex(index)) else { continue };
            match survivor {
                Some(me) if core::ptr::eq(me, thread) => thread.renumber(tid),
                _ => thread.forget(),
            }
        }
        self.tree.forget_temporary();
    }

    /// `known`: the thread has a row, so that it is the only one while there is only one.
    #[inline(always)]
    fn count_as(&self, known: bool, with_gil: bool) -> CountAs {
        match (with_gil, known && self.live.is_alone()) {
            (true, _) => CountAs::GilHolder,
            (false, true) => CountAs::OnlyThread,
            (false, false) => CountAs::Anyone,
        }
    }

    /// Counts an allocation and gives its group.
    #[inline(always)]
    unsafe fn count_allocation(
        &self,
        node: NodeId,
        domain: Domain,
        bytes: u64,
        count_as: CountAs,
    ) -> Option<(u32, &Group)> {
        let tick = self.tick.load(Ordering::Relaxed);
        // SAFETY: the caller says that the node is of the tree and of this thread.
        let place = unsafe { &self.tree.node(node).groups[domain as usize] };
        let mut number = place.load(Ordering::Relaxed);
        // SAFETY: a node only ever holds groups that were given out, or 0.
        if number == 0 || !unsafe { self.groups.get(number) }.is(node, tick, domain) {
            let Ok(fresh) = self.groups.begin(node, tick, domain, self.live.epoch()) else {
                self.lose();
                return None;
            };
            number = fresh;
            place.store(number, Ordering::Relaxed);
        }
        // SAFETY: as above.
        let row = unsafe { self.groups.get(number) };
        row.save(self.live.epoch());
        row.add(bytes, 1);
        self.live.add(bytes, tick, count_as);
        self.groups.changed(number, row);
        Some((number, row))
    }

    /// Counts freed blocks.
    #[inline(always)]
    fn count_free(&self, group: u32, bytes: u64, blocks: u32, count_as: CountAs) -> &Group {
        // SAFETY: only groups that were given out stand in the shadow and the maps.
        let row = unsafe { self.groups.get(group) };
        row.save(self.live.epoch());
        // What was allocated with the GIL is freed with it, and nothing else is: a group's
        // counters without a lock have one writer at a time.
        row.remove(bytes, blocks, count_as != CountAs::Anyone);
        self.live.remove(bytes, count_as);
        self.groups.changed(group, row);
        row
    }

    fn note_map(&self, address: usize, bytes: usize, purpose: Purpose) -> Result<(), OutOfMemory> {
        let _held = self.lock_with_patience().ok_or(OutOfMemory)?;
        self.insert_map(address, bytes, purpose)
    }

    /// The lock is held.
    fn insert_map(&self, address: usize, bytes: usize, purpose: Purpose) -> Result<(), OutOfMemory> {
        // SAFETY: as the caller says.
        let maps = unsafe { &mut (*self.locked.get()).maps };
        // What was there before was unmapped unseen, as by a system call of the program's own.
        if let Some(Purpose::Block(_)) = self.remove_maps(maps, address, bytes) {
            self.lose();
        }
        maps.insert(address, bytes, purpose).inspect_err(|_| self.lose())
    }

    #[cold]
    fn set_odd(&self, address: usize, block: Block) -> Result<(), OutOfMemory> {
        let _held = self.lock.lock();
        // SAFETY: the lock is held.
        let odd = unsafe { &mut (*self.locked.get()).odd };
        let row = match odd.unused.pop() {
            Some(row) => {
                odd.rows.as_mut_slice()[row as usize] = (address, block);
                row
            }
            None => {
                odd.rows.push((address, block))?;
                odd.rows.len() as u32 - 1
            }
        };
        odd.table.insert(row, mix(address as u64))?;
        self.odd_count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    #[cold]
    fn take_odd(&self, address: usize) -> Option<Block> {
        let _held = self.lock.lock();
        // SAFETY: the lock is held.
        let odd = unsafe { &mut (*self.locked.get()).odd };
        let rows = odd.rows.as_slice();
        let row = odd.table.remove(mix(address as u64), |row| rows[row as usize].0 == address)?;
        self.odd_count.fetch_sub(1, Ordering::Relaxed);
        let block = rows[row as usize].1;
        // A row that cannot be noted as unused is only a few bytes lost.
        let _ = odd.unused.push(row);
        Some(block)
    }

    #[cold]
    fn lose(&self) {
        self.lost_events.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
