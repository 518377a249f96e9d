//! The call tree: nodes, the code they stand in, and which address is which code.
//!
//! A node is (parent, code, instruction offset). Code is known by its
//! *content*, so a program that compiles the same source again and again does
//! not grow the tree; but a thread meets it by *address*, and an address
//! can be given to other code once its code object died. Each address
//! therefore has a generation, which its death raises: what a thread remembers
//! of an older generation no longer holds.
//!
//! A function that calls itself twice has as many stacks as the calls that it
//! makes in all. A tree of more than `FOLD_FROM` nodes therefore folds
//! recursion: an instruction that is on the stack already gets no deeper node
//! but the one that it has. Sites and their bytes stay exact; only how deep the
//! recursion was is lost, and the capture says so.
//!
//! Nodes of different threads are different nodes (their roots are), so the
//! counters in a node have one writer. Everything that makes a row here is
//! under one lock and off the fast path; rows never move and never change
//! but for their counters.

use core::cell::UnsafeCell;
use core::slice;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use memsight_capture::{CodeDef, CodeId, Domain, LineTable, NodeId, NodeKind, ThreadIndex};

use crate::lock::SpinLock;
use crate::memory::{self, OutOfMemory, Segmented, Zeroed};
use crate::stack::{Described, Frames};
use crate::table::{Table, hash_bytes, mix};

/// No code: a thread's root.
const NO_CODE: u32 = u32::MAX;

/// What lives at an address was met, but never as code that could be read.
const UNREAD: u32 = u32::MAX;

/// From this many nodes on, recursion is folded.
const FOLD_FROM: u32 = 1 << 17;

/// The longest file or function name that is kept, in bytes.
pub const MAX_NAME: usize = 1024;

/// One node of the call tree.
#[repr(align(64))]
pub struct Node {
    parent: AtomicU32,
    code: AtomicU32,
    /// Byte offset of the instruction; of a root, its thread's index.
    offset: AtomicU32,
    /// The group of each domain that this node allocated in last.
    pub(crate) groups: [AtomicU32; Domain::ALL.len()],
    pub(crate) temporary_blocks: AtomicU64,
    pub(crate) temporary_bytes: AtomicU64,
}

// SAFETY: zeroed atomics are zeroes.
unsafe impl Zeroed for Node {}

struct Code {
    text: AtomicU64,
    file_len: AtomicU32,
    name_len: AtomicU32,
    lines_len: AtomicU32,
    first_line: AtomicU32,
    table: AtomicU32,
}

// SAFETY: zeroed atomics are zeroes; rows are read only after they were filled.
unsafe impl Zeroed for Code {}

struct Address {
    pointer: AtomicU64,
    generation: AtomicU32,
    /// The code that lives there plus one, [`UNREAD`], or 0 if it died.
    code: AtomicU32,
}

// SAFETY: zeroed atomics are zeroes.
unsafe impl Zeroed for Address {}

/// What a thread remembers of an address to know whether it still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) row: u32,
    pub(crate) generation: u32,
}

/// A name read from the program, cut at [`MAX_NAME`].
pub struct Name {
    bytes: [u8; MAX_NAME],
    len: usize,
}

impl Name {
    /// Forgets what was written.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends one character, or nothing once the name is full.
    pub fn push(&mut self, character: char) {
        let mut utf8 = [0; 4];
        let utf8 = character.encode_utf8(&mut utf8).as_bytes();
        if let Some(place) = self.bytes.get_mut(self.len..self.len + utf8.len()) {
            place.copy_from_slice(utf8);
            self.len += utf8.len();
        }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Where [`Frames::read_code`] puts what it reads of a code object.
pub struct CodeText {
    /// `co_filename`.
    pub file: Name,
    /// `co_qualname` or `co_name`.
    pub name: Name,
    /// `co_firstlineno`.
    pub first_line: u32,
    /// How the table of lines is written.
    pub table: LineTable,
    /// Address and length of the table of lines, valid until the next event.
    pub lines: (u64, usize),
}

impl CodeText {
    /// Whether this is what is known of a code object already.
    pub fn is(&self, known: &CodeDef<'_>) -> bool {
        self.definition() == *known
    }

    fn definition(&self) -> CodeDef<'_> {
        let lines = match self.lines {
            (0, _) | (_, 0) => &[][..],
            // SAFETY: `read_code` gave the address and length of a live bytes object.
            (lines, len) => unsafe { slice::from_raw_parts(lines as *const u8, len) },
        };
        CodeDef {
            file: self.file.as_slice(),
            name: self.name.as_slice(),
            first_line: self.first_line,
            table: self.table,
            lines,
        }
    }
}

/// The tables that change under the lock.
struct Tables {
    nodes: Table,
    codes: Table,
    addresses: Table,
    text: CodeText,
    /// Where the next text goes and how many bytes are left there.
    arena: (u64, usize),
}

/// The call tree of a process.
pub struct Tree {
    nodes: Segmented<Node, 1024, 32768>,
    codes: Segmented<Code, 1024, 4096>,
    addresses: Segmented<Address, 1024, 4096>,
    node_count: AtomicU32,
    code_count: AtomicU32,
    address_count: AtomicU32,
    deaths: AtomicU32,
    pub(crate) lock: SpinLock,
    tables: UnsafeCell<Tables>,
}

// SAFETY: `tables` is only touched under `lock`; everything else is atomic.
unsafe impl Sync for Tree {}
// SAFETY: empty tables, no rows; LineTable's zero is its first variant.
unsafe impl Zeroed for Tree {}

impl Tree {
    /// Nodes made so far; their ids are 1 up to and with this.
    pub fn node_count(&self) -> u32 {
        self.node_count.load(Ordering::Acquire)
    }

    /// How many code objects have died; a thread that sees it change trusts
    /// none of the frames that it remembers.
    #[inline(always)]
    pub(crate) fn deaths(&self) -> u32 {
        self.deaths.load(Ordering::Relaxed)
    }

    /// The node's row.
    ///
    /// # Safety
    /// The node was made by this tree.
    #[inline(always)]
    pub unsafe fn node(&self, node: NodeId) -> &Node {
        // SAFETY: rows up to the count exist.
        unsafe { self.nodes.get(node.index()) }
    }

    /// A node's parent and what it stands for.
    #[inline]
    pub fn describe(&self, node: NodeId) -> Option<(NodeId, NodeKind)> {
        let row = self.nodes.try_get(node.index())?;
        let offset = row.offset.load(Ordering::Relaxed);
        let kind = match row.code.load(Ordering::Relaxed) {
            NO_CODE => NodeKind::Thread(ThreadIndex(offset)),
            code => NodeKind::Python { code: CodeId(code), offset },
        };
        Some((NodeId(row.parent.load(Ordering::Relaxed)), kind))
    }

    /// What is known of a code object.
    pub fn code(&self, code: CodeId) -> Option<CodeDef<'_>> {
        let row = self.codes.try_get(code.index())?;
        let text = row.text.load(Ordering::Acquire) as *const u8;
        if text.is_null() {
            return None;
        }
        let len = |field: &AtomicU32| field.load(Ordering::Relaxed) as usize;
        let (file, name, lines) = (len(&row.file_len), len(&row.name_len), len(&row.lines_len));
        // SAFETY: a published text holds these bytes one after the other and never changes.
        let bytes = unsafe { slice::from_raw_parts(text, file + name + lines) };
        Some(CodeDef {
            file: &bytes[..file],
            name: &bytes[file..file + name],
            lines: &bytes[file + name..],
            first_line: row.first_line.load(Ordering::Relaxed),
            table: LINE_TABLES[len(&row.table)],
        })
    }

    /// Makes a thread's root.
    pub(crate) fn root(&self, thread: ThreadIndex) -> Result<NodeId, OutOfMemory> {
        let _held = self.lock.lock();
        self.make_node(NodeId(0), NO_CODE, thread.0)
    }

    /// Whether what is at the address is still what it was.
    #[inline(always)]
    pub(crate) fn holds(&self, stamp: Stamp) -> bool {
        // SAFETY: a stamp names a row that was made.
        unsafe { self.addresses.get(stamp.row as usize) }.generation.load(Ordering::Relaxed)
            == stamp.generation
    }

    /// The child of `parent` for a frame, made if it is new. A frame that is
    /// none of its own (a shim, or one that has not begun) gives its parent.
    #[cold]
    pub(crate) fn child<F: Frames>(
        &self,
        parent: NodeId,
        frame: u64,
        frames: &F,
    ) -> Result<(NodeId, Stamp), OutOfMemory> {
        let Described { code, offset, visible } = frames.describe(frame);
        let _held = self.lock.lock();
        // SAFETY: the lock is held.
        let tables = unsafe { &mut *self.tables.get() };
        let row = self.address_row(tables, code)?;
        let address = self.addresses.ensure(row as usize)?;
        let stamp = Stamp { row, generation: address.generation.load(Ordering::Relaxed) };
        let mut known = address.code.load(Ordering::Relaxed);
        if known == 0 {
            // The thread remembers this frame, so the code's death must be noticed.
            address.code.store(UNREAD, Ordering::Relaxed);
            known = UNREAD;
        }
        if code == 0 || !visible {
            return Ok((parent, stamp));
        }
        let id = match known {
            UNREAD => {
                if !frames.read_code(code, &mut tables.text) {
                    return Ok((parent, stamp));
                }
                let id = self.intern(tables)?;
                address.code.store(id + 1, Ordering::Relaxed);
                id
            }
            known => known - 1,
        };
        Ok((self.intern_node(tables, parent, id, offset)?, stamp))
    }

    /// A code object is being deallocated.
    pub fn code_died(&self, pointer: u64) {
        let _held = self.lock.lock();
        // SAFETY: the lock is held.
        let tables = unsafe { &*self.tables.get() };
        let Some(row) = tables.addresses.find(mix(pointer), |row| self.pointer(row) == pointer) else {
            return;
        };
        let Some(address) = self.addresses.try_get(row as usize) else { return };
        if address.code.swap(0, Ordering::Relaxed) != 0 {
            address.generation.fetch_add(1, Ordering::Relaxed);
            self.deaths.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lends the place where code objects are read to, for a check.
    pub fn with_scratch<R>(&self, read: impl FnOnce(&mut CodeText) -> R) -> R {
        let _held = self.lock.lock();
        // SAFETY: the lock is held.
        read(unsafe { &mut (*self.tables.get()).text })
    }

    /// After `fork`: temporary allocations so far are the parent's.
    pub(crate) fn forget_temporary(&self) {
        for node in (1..=self.node_count()).filter_map(|node| self.nodes.try_get(node as usize)) {
            // Only what was raised is written, since a write copies the page.
            if node.temporary_blocks.load(Ordering::Relaxed) != 0 {
                node.temporary_blocks.store(0, Ordering::Relaxed);
                node.temporary_bytes.store(0, Ordering::Relaxed);
            }
        }
    }

    fn pointer(&self, row: u32) -> u64 {
        self.addresses.try_get(row as usize).map_or(0, |address| address.pointer.load(Ordering::Relaxed))
    }

    fn address_row(&self, tables: &mut Tables, pointer: u64) -> Result<u32, OutOfMemory> {
        let hash = mix(pointer);
        if let Some(row) = tables.addresses.find(hash, |row| self.pointer(row) == pointer) {
            return Ok(row);
        }
        let row = self.address_count.load(Ordering::Relaxed);
        self.addresses.ensure(row as usize)?.pointer.store(pointer, Ordering::Relaxed);
        tables.addresses.insert(row, hash)?;
        self.address_count.store(row + 1, Ordering::Release);
        Ok(row)
    }

    /// The id of the code whose text was just read.
    fn intern(&self, tables: &mut Tables) -> Result<u32, OutOfMemory> {
        let fresh = tables.text.definition();
        let hash = hash_code(&fresh);
        if let Some(id) = tables.codes.find(hash, |id| self.code(CodeId(id)) == Some(fresh)) {
            return Ok(id);
        }
        let copy = copy_text(&mut tables.arena, [fresh.file, fresh.name, fresh.lines])?;
        let id = self.code_count.load(Ordering::Relaxed);
        let row = self.codes.ensure(id as usize)?;
        row.file_len.store(fresh.file.len() as u32, Ordering::Relaxed);
        row.name_len.store(fresh.name.len() as u32, Ordering::Relaxed);
        row.lines_len.store(fresh.lines.len() as u32, Ordering::Relaxed);
        row.first_line.store(fresh.first_line, Ordering::Relaxed);
        row.table
            .store(LINE_TABLES.iter().position(|&t| t == fresh.table).unwrap_or(0) as u32, Ordering::Relaxed);
        row.text.store(copy, Ordering::Release);
        tables.codes.insert(id, hash)?;
        self.code_count.store(id + 1, Ordering::Release);
        Ok(id)
    }

    fn intern_node(
        &self,
        tables: &mut Tables,
        parent: NodeId,
        code: u32,
        offset: u32,
    ) -> Result<NodeId, OutOfMemory> {
        let hash = hash_node(parent.0, code, offset);
        let key = |row: u32| {
            self.nodes.try_get(row as usize).map(|node| {
                let load = |field: &AtomicU32| field.load(Ordering::Relaxed);
                (load(&node.parent), load(&node.code), load(&node.offset))
            })
        };
        if let Some(row) = tables.nodes.find(hash, |row| key(row) == Some((parent.0, code, offset))) {
            return Ok(NodeId(row));
        }
        if self.is_folding()
            && let Some(above) = self.same_above(parent, code, offset)
        {
            return Ok(above);
        }
        let node = self.make_node(parent, code, offset)?;
        tables.nodes.insert(node.0, hash)?;
        Ok(node)
    }

    /// Whether the tree is so large that it folds recursion.
    pub fn is_folding(&self) -> bool {
        self.node_count.load(Ordering::Relaxed) >= FOLD_FROM
    }

    /// The nearest caller that stands at the same instruction.
    fn same_above(&self, parent: NodeId, code: u32, offset: u32) -> Option<NodeId> {
        let mut node = parent;
        while node != NodeId(0) {
            let row = self.nodes.try_get(node.index())?;
            if row.code.load(Ordering::Relaxed) == code && row.offset.load(Ordering::Relaxed) == offset {
                return Some(node);
            }
            node = NodeId(row.parent.load(Ordering::Relaxed));
        }
        None
    }

    fn make_node(&self, parent: NodeId, code: u32, offset: u32) -> Result<NodeId, OutOfMemory> {
        let id = self.node_count.load(Ordering::Relaxed) + 1;
        let row = self.nodes.ensure(id as usize)?;
        row.parent.store(parent.0, Ordering::Relaxed);
        row.code.store(code, Ordering::Relaxed);
        row.offset.store(offset, Ordering::Relaxed);
        self.node_count.store(id, Ordering::Release);
        Ok(NodeId(id))
    }
}

const LINE_TABLES: [LineTable; 3] = [LineTable::Lnotab39, LineTable::LineTable310, LineTable::Locations311];

fn hash_node(parent: u32, code: u32, offset: u32) -> u64 {
    mix(mix(u64::from(parent) << 32 | u64::from(code)) ^ u64::from(offset))
}

fn hash_code(code: &CodeDef<'_>) -> u64 {
    let seed = hash_bytes(u64::from(code.first_line), code.file);
    hash_bytes(hash_bytes(seed, code.name), code.lines)
}

/// Copies the parts one after the other to where they stay.
fn copy_text(arena: &mut (u64, usize), parts: [&[u8]; 3]) -> Result<u64, OutOfMemory> {
    const ARENA: usize = 256 << 10;
    let len: usize = parts.iter().map(|part| part.len()).sum();
    if len > arena.1 || arena.0 == 0 {
        let bytes = len.max(ARENA);
        *arena = (memory::map(bytes)? as u64, bytes);
    }
    let start = arena.0;
    for part in parts {
        // SAFETY: `len` bytes were left in the arena, and nobody else writes there.
        unsafe { (arena.0 as *mut u8).copy_from_nonoverlapping(part.as_ptr(), part.len()) };
        arena.0 += part.len() as u64;
        arena.1 -= part.len();
    }
    Ok(start)
}
