//! From the innermost frame to a node of the call tree, without walking it all.
//!
//! Between two allocations most of a stack stays as it was. A thread keeps
//! the last one it saw as three arrays (frame address, instruction, node) with
//! a map from address to position. The *verified-prefix walk*:
//!
//! 1. climb from the innermost frame until one is in the map,
//! 2. from there check downward that each frame's caller and instruction are
//!    as remembered. The loads do not wait for each other, so they overlap,
//! 3. look up nodes from the outermost instruction that differs.
//!
//! The first match alone proves nothing: a function called twice from two
//! lines has the same frame address both times, and only its caller's
//! instruction tells. So step 2 goes to the bottom, unless it meets a frame
//! that [carries our mark](Frames::is_marked): the program would have
//! overwritten that, had the frame run since, so that all below it is as it was.

use memsight_capture::NodeId;

use crate::memory::{OutOfMemory, PageVec, Zeroed};
use crate::table::Table;
use crate::tree::{CodeText, Stamp, Tree};

/// A chain of more frames is taken for broken, and its stack for unknown.
const MAX_DEPTH: usize = 1 << 22;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Address of the code object, or 0 if the frame has none.
    pub code: u64,
    /// Byte offset of the instruction in the bytecode.
    pub offset: u32,
    /// Whether it is a frame that the language knows: neither a shim of the
    /// interpreter nor one that has not begun.
    pub visible: bool,
}

/// A chain of frames in the program's memory.
pub trait Frames {
    /// The caller of a frame, 0 for the outermost.
    fn previous(&self, frame: u64) -> u64;
    /// Code and instruction in one word: equal keys, equal place in the code.
    fn key(&self, frame: u64) -> u64;
    /// What the frame is.
    fn describe(&self, frame: u64) -> Described;
    /// Whether a frame, which called `above`, has certainly not run since it was
    /// marked, in either of them.
    fn is_marked(&self, _frame: u64, _above: u64) -> bool {
        false
    }
    /// Marks a frame, which called `above`, so that [`Frames::is_marked`] is true
    /// until it runs again. Frames where that cannot be are left alone.
    fn mark(&self, _frame: u64, _above: u64) {}
    /// Reads a code object. `false` if it cannot be one.
    fn read_code(&self, code: u64, text: &mut CodeText) -> bool;
}

#[derive(Clone, Copy)]
struct Found {
    key: u64,
    parent: u32,
    node: u32,
    stamp: Stamp,
    /// How many code objects had died when the stamp was last found to hold.
    held_at: u32,
}

/// Rows of [`StackCache::recent`]: a page of memory.
const RECENT: usize = 4096 / size_of::<Found>();

#[inline(always)]
fn recent_place(key: u64, parent: NodeId) -> usize {
    ((key >> 1) as usize).wrapping_add(parent.index().wrapping_mul(61)) % RECENT
}

/// A thread's memory of its stack and of the nodes it met.
pub struct StackCache {
    frames: PageVec<u64>,
    keys: PageVec<u64>,
    nodes: PageVec<u32>,
    depth: usize,
    /// Frames above the known ones, innermost first.
    fresh: PageVec<u64>,
    /// Position of a frame by address; entries may be out of date.
    positions: PageVec<u32>,
    /// What was found for a parent and a key, and where by their hash.
    found: PageVec<Found>,
    places: Table,
    /// Some of these again, each in the one place that it can have.
    recent: PageVec<Found>,
    deaths: u32,
}

// SAFETY: empty arrays and zero counts are an empty cache.
unsafe impl Zeroed for StackCache {}

impl StackCache {
    /// The node of the stack whose innermost frame is `top`; `root` if it is 0.
    #[inline]
    pub(crate) fn node<F: Frames>(
        &mut self,
        top: u64,
        root: NodeId,
        tree: &Tree,
        frames: &F,
    ) -> Result<NodeId, OutOfMemory> {
        if self.deaths != tree.deaths() {
            self.deaths = tree.deaths();
            self.depth = 0;
        }
        let known = self.climb(top, frames)?;
        let (known, lowest) = match self.verify(known, frames) {
            Some(lowest) => (known, lowest),
            None if known == 0 => (0, 0),
            None => {
                self.depth = 0;
                (self.climb(top, frames)?, 0)
            }
        };
        self.refresh(lowest, known, root, tree, frames)?;
        self.push_fresh(known, root, tree, frames)?;
        Ok(match self.depth {
            0 => root,
            // SAFETY: the arrays hold `depth` elements.
            depth => NodeId(unsafe { *self.nodes.data().add(depth - 1) }),
        })
    }

    /// Collects frames until one is known, and gives how many are known up to
    /// and with that one.
    #[inline(always)]
    fn climb<F: Frames>(&mut self, top: u64, frames: &F) -> Result<usize, OutOfMemory> {
        self.fresh.clear();
        let mut frame = top;
        // SAFETY: the array holds `depth` elements.
        if self.depth != 0 && unsafe { *self.frames.data().add(self.depth - 1) } == top {
            return Ok(self.depth);
        }
        while frame != 0 {
            if let Some(position) = self.position(frame) {
                return Ok(position + 1);
            }
            if self.fresh.len() == MAX_DEPTH {
                self.fresh.clear();
                return Ok(0);
            }
            self.fresh.push(frame)?;
            frame = frames.previous(frame);
        }
        Ok(0)
    }

    #[inline(always)]
    fn position(&self, frame: u64) -> Option<usize> {
        let positions = self.positions.as_slice();
        let position = *positions.get(place(frame, positions.len()))? as usize;
        // SAFETY: the array holds `depth` elements.
        (position < self.depth && unsafe { *self.frames.data().add(position) } == frame).then_some(position)
    }

    /// Checks the first `known` frames against the program and takes over
    /// changed instructions. Gives the outermost position that changed
    /// (`known` if none), or `None` if a caller is another one.
    #[inline(always)]
    fn verify<F: Frames>(&mut self, known: usize, frames: &F) -> Option<usize> {
        let (addresses, keys) = (self.frames.data(), self.keys.data());
        let mut lowest = known;
        let mut at = known.checked_sub(1)?;
        let mut above = self.fresh.as_slice().last().copied().unwrap_or(0);
        // SAFETY: `at` stays below the depth. The frame is live: it is the one that was
        // found, or was seen to be the caller of the one before. It is taken from the
        // array and not from the program, so that the loads do not wait for each other.
        unsafe {
            let mut frame = *addresses.add(at);
            loop {
                let key = frames.key(frame);
                if key != *keys.add(at) {
                    *keys.add(at) = key;
                    lowest = at;
                }
                if above != 0 {
                    if frames.is_marked(frame, above) {
                        return Some(lowest);
                    }
                    // If the frames below turn out to be others, they are walked anew
                    // before this event is over, and then the mark holds for those.
                    frames.mark(frame, above);
                }
                let caller = frames.previous(frame);
                if at == 0 {
                    return (caller == 0).then_some(lowest);
                }
                at -= 1;
                above = frame;
                let expected = *addresses.add(at);
                frame = apart(expected);
                if caller != expected {
                    return None;
                }
            }
        }
    }

    /// Looks up the nodes of positions `from..known` again.
    #[inline(always)]
    fn refresh<F: Frames>(
        &mut self,
        from: usize,
        known: usize,
        root: NodeId,
        tree: &Tree,
        frames: &F,
    ) -> Result<(), OutOfMemory> {
        // What is not looked up to the end is not to be trusted by the next event.
        self.depth = from;
        for i in from..known {
            // SAFETY: `i` is below the former depth.
            let (frame, key) = unsafe { (*self.frames.data().add(i), *self.keys.data().add(i)) };
            let node = self.child(self.node_below(i, root), key, frame, tree, frames)?;
            // SAFETY: as above.
            unsafe { *self.nodes.data().add(i) = node.0 };
            self.depth = i + 1;
        }
        Ok(())
    }

    /// Adds the fresh frames above the known ones.
    #[inline(always)]
    fn push_fresh<F: Frames>(
        &mut self,
        known: usize,
        root: NodeId,
        tree: &Tree,
        frames: &F,
    ) -> Result<(), OutOfMemory> {
        self.depth = known;
        let depth = known + self.fresh.len();
        if depth > self.frames.capacity() || depth * 2 > self.positions.len() {
            self.grow(depth, known)?;
        }
        while let Some(frame) = self.fresh.pop() {
            let i = self.depth;
            let key = frames.key(frame);
            let node = self.child(self.node_below(i, root), key, frame, tree, frames)?;
            let positions = self.positions.as_mut_slice();
            let place = place(frame, positions.len());
            // SAFETY: the arrays have room for `depth` elements, and `place` is below the length.
            unsafe {
                *self.frames.data().add(i) = frame;
                *self.keys.data().add(i) = key;
                *self.nodes.data().add(i) = node.0;
                *positions.get_unchecked_mut(place) = i as u32;
            }
            self.depth = i + 1;
        }
        Ok(())
    }

    #[inline(always)]
    fn node_below(&self, position: usize, root: NodeId) -> NodeId {
        match position {
            0 => root,
            // SAFETY: positions below one in use hold nodes.
            _ => NodeId(unsafe { *self.nodes.data().add(position - 1) }),
        }
    }

    #[inline(always)]
    fn child<F: Frames>(
        &mut self,
        parent: NodeId,
        key: u64,
        frame: u64,
        tree: &Tree,
        frames: &F,
    ) -> Result<NodeId, OutOfMemory> {
        let recent = self.recent.data();
        if !recent.is_null() {
            // SAFETY: the array holds `RECENT` rows, and the place is below that.
            let recent = unsafe { &*recent.add(recent_place(key, parent)) };
            if recent.key == key && recent.parent == parent.0 && recent.held_at == self.deaths {
                return Ok(NodeId(recent.node));
            }
        }
        self.find_among_all(parent, key, frame, tree, frames)
    }

    #[inline(never)]
    fn find_among_all<F: Frames>(
        &mut self,
        parent: NodeId,
        key: u64,
        frame: u64,
        tree: &Tree,
        frames: &F,
    ) -> Result<NodeId, OutOfMemory> {
        let found = self.found.data();
        // SAFETY: the table holds rows of the array.
        let is_it = |row: u32| unsafe {
            let found = &*found.add(row as usize);
            found.key == key && found.parent == parent.0
        };
        if let Some(row) = self.places.find(hash_of_child(key, parent.0), is_it) {
            // SAFETY: as above.
            let found = unsafe { &mut *found.add(row as usize) };
            if found.held_at == self.deaths || tree.holds(found.stamp) {
                found.held_at = self.deaths;
                let node = NodeId(found.node);
                self.note_recent(row as usize)?;
                return Ok(node);
            }
        }
        self.find_child(parent, key, frame, tree, frames)
    }

    fn note_recent(&mut self, row: usize) -> Result<(), OutOfMemory> {
        self.recent.reserve(RECENT)?;
        let found = self.found.as_slice()[row];
        let place = recent_place(found.key, NodeId(found.parent));
        // SAFETY: room was made, and a fresh mapping is zeroes, which no key and parent are.
        unsafe { self.recent.data().add(place).write(found) };
        Ok(())
    }

    #[cold]
    fn find_child<F: Frames>(
        &mut self,
        parent: NodeId,
        key: u64,
        frame: u64,
        tree: &Tree,
        frames: &F,
    ) -> Result<NodeId, OutOfMemory> {
        let (node, stamp) = tree.child(parent, frame, frames)?;
        if self.places.is_full() {
            self.forget_dead(tree)?;
        }
        self.remember(Found { key, parent: parent.0, node: node.0, stamp, held_at: self.deaths })?;
        Ok(node)
    }

    /// Keeps an entry, over one for the same place whose code died.
    fn remember(&mut self, entry: Found) -> Result<(), OutOfMemory> {
        let found = &mut self.found;
        let hash = hash_of_child(entry.key, entry.parent);
        let same = |row: u32| {
            let other = &found.as_slice()[row as usize];
            other.key == entry.key && other.parent == entry.parent
        };
        if let Some(row) = self.places.find(hash, same) {
            found.as_mut_slice()[row as usize] = entry;
            return Ok(());
        }
        found.push(entry)?;
        let placed = self.places.insert(found.len() as u32 - 1, hash);
        if placed.is_err() {
            found.pop();
        }
        placed
    }

    /// Leaves out entries of dead code, if there are so many that this makes room.
    fn forget_dead(&mut self, tree: &Tree) -> Result<(), OutOfMemory> {
        let held = self.found.as_slice().iter().filter(|entry| tree.holds(entry.stamp)).count();
        if held > self.found.len() / 3 * 2 {
            return Ok(());
        }
        let old = core::mem::take(&mut self.found);
        self.places = Table::default();
        for entry in old.as_slice().iter().filter(|entry| tree.holds(entry.stamp)) {
            self.remember(*entry)?;
        }
        Ok(())
    }

    #[cold]
    fn grow(&mut self, depth: usize, known: usize) -> Result<(), OutOfMemory> {
        let capacity = (depth * 2).next_power_of_two().max(512);
        grow_to(&mut self.keys, known, capacity)?;
        grow_to(&mut self.nodes, known, capacity)?;
        self.positions = PageVec::zeroed(capacity * 4)?;
        for i in 0..known {
            // SAFETY: the array holds `known` elements.
            let frame = unsafe { *self.frames.data().add(i) };
            let len = self.positions.len();
            self.positions.as_mut_slice()[place(frame, len)] = i as u32;
        }
        // Last, since its capacity stands for all: where memory ran out before,
        // the next event tries again.
        grow_to(&mut self.frames, known, capacity)
    }
}

/// Moves an array whose first `kept` elements were written past its length.
fn grow_to<T: Copy>(array: &mut PageVec<T>, kept: usize, capacity: usize) -> Result<(), OutOfMemory> {
    let mut bigger = PageVec::new();
    bigger.reserve(capacity)?;
    if !array.data().is_null() {
        // SAFETY: `kept` elements were written within the old capacity.
        bigger.extend(unsafe { core::slice::from_raw_parts(array.data(), kept.min(array.capacity())) })?;
    }
    *array = bigger;
    Ok(())
}

/// The same value, though the compiler does not know. Once it has compared the
/// remembered caller to the one that was read it would go on with the latter,
/// and each frame's load would wait for the one before: ten times slower.
#[inline(always)]
fn apart(mut value: u64) -> u64 {
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {0} */", inout(reg) value, options(pure, nomem, nostack, preserves_flags))
    };
    value
}

/// Where a key belongs in a table of `len` places, a power of two below 2^32.
#[inline(always)]
fn place(key: u64, len: usize) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & len.wrapping_sub(1)
}

#[inline(always)]
fn hash_of_child(key: u64, parent: u32) -> u64 {
    (key ^ u64::from(parent).wrapping_mul(0xd6e8_feb8_6659_fd93)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}
