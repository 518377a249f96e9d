//! The records of the ledger and their bytes.
//!
//! A record is a tag byte and its fields; integers are LEB128 unless a width
//! is given, `bytes` stands behind its length. The tag's low five bits name
//! the record, its top three bits the domain where there is one.

use crate::codec::{Cursor, Full, Malformed, Out};
use crate::ids::{CodeId, GroupSlot, NodeId, ThreadIndex, TickIndex, TypeId};
use crate::objects::SnapshotRecord;
use crate::start::Start;
use crate::steps::{self, StepRecord};

/// Which allocator was asked: CPython's three domains, or the C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Domain {
    /// `PyObject_Malloc`: Python objects.
    Object = 0,
    /// `PyMem_Malloc`: buffers that belong to objects.
    Mem = 1,
    /// `PyMem_RawMalloc`: the interpreter's own, without the GIL.
    Raw = 2,
    /// `malloc` and its family.
    Malloc = 3,
    /// Anonymous private maps.
    Mmap = 4,
}

impl Domain {
    /// Every domain, in the order of their numbers.
    pub const ALL: [Domain; 5] = [Domain::Object, Domain::Mem, Domain::Raw, Domain::Malloc, Domain::Mmap];

    /// The domain's name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Domain::Object => "object",
            Domain::Mem => "mem",
            Domain::Raw => "raw",
            Domain::Malloc => "malloc",
            Domain::Mmap => "mmap",
        }
    }

    pub(crate) fn from_tag(tag: u8) -> Result<Self, Malformed> {
        Self::ALL.get(usize::from(tag >> 5)).copied().ok_or(Malformed("a domain"))
    }
}

/// A list of byte strings, each ended by a NUL byte as in `/proc/PID/cmdline`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strings<'a> {
    nul_ended: &'a [u8],
}

impl<'a> Strings<'a> {
    /// Takes bytes in which each string is ended by a NUL.
    pub fn from_nul_ended(nul_ended: &'a [u8]) -> Self {
        Strings { nul_ended }
    }

    /// The strings in order. A last one without its NUL counts too.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.nul_ended.strip_suffix(b"\0").unwrap_or(self.nul_ended);
        bytes.split(|&byte| byte == 0).filter(move |_| !self.nul_ended.is_empty())
    }

    pub(crate) fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.bytes(self.nul_ended)
    }

    pub(crate) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        Ok(Strings { nul_ended: cursor.bytes()? })
    }
}

/// How a code object's table of lines is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTable {
    /// CPython 3.9: `co_lnotab`.
    Lnotab39,
    /// CPython 3.10: `co_linetable` of PEP 626.
    LineTable310,
    /// CPython 3.11 and newer: the location table of PEP 657.
    Locations311,
}

/// A Python interpreter was found in the process: `(major, minor, micro)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interpreter<'a> {
    /// What `Py_GetVersion` says, up to its first space: `3.11.7`.
    pub version: &'a [u8],
    /// Whether its stacks can be read. If not, Python frames are missing.
    pub stacks: bool,
}

/// A code object: `table │ first line │ file │ name │ lines`. Ids count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeDef<'a> {
    /// `co_filename`, UTF-8 as far as it could be.
    pub file: &'a [u8],
    /// `co_qualname`, or `co_name` before CPython 3.11.
    pub name: &'a [u8],
    /// `co_firstlineno`.
    pub first_line: u32,
    /// How `lines` is written.
    pub table: LineTable,
    /// The table of lines.
    pub lines: &'a [u8],
}

/// What a node of the call tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A thread; its parent is no node.
    Thread(ThreadIndex),
    /// A Python frame at an instruction.
    Python {
        /// The frame's code.
        code: CodeId,
        /// Byte offset of the instruction in the code's bytecode.
        offset: u32,
    },
    /// A native frame (made by no version 1 writer yet).
    Native {
        /// The return address less one, as an address of the process.
        address: u64,
    },
}

/// A node of the call tree: `parent │ kind │ …`. Ids count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeDef {
    /// The caller's node, 0 for a thread. Always defined before.
    pub parent: NodeId,
    /// What the node stands for.
    pub kind: NodeKind,
}

/// A thread began to allocate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadStart<'a> {
    /// Its index. Said again for a new thread that takes an ended one's place.
    pub thread: ThreadIndex,
    /// The kernel's thread id.
    pub tid: u32,
    /// The kernel's name for it (`/proc/PID/task/TID/comm`).
    pub name: &'a [u8],
}

/// A thread ended, or the run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadEnd {
    /// Its index.
    pub thread: ThreadIndex,
    /// The most of its stack that was ever in use, in bytes (to a page), if known.
    pub stack_bytes_high_water: Option<u64>,
}

/// Counters of an allocation group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Blocks allocated.
    pub allocations: u64,
    /// Bytes asked for in those.
    pub allocated_bytes: u64,
    /// Blocks freed.
    pub frees: u64,
    /// Bytes freed with those.
    pub freed_bytes: u64,
}

impl Group {
    fn encode_births(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.int(self.allocations)?;
        out.int(self.allocated_bytes)
    }

    fn encode_all(&self, out: &mut Out<'_>) -> Result<(), Full> {
        self.encode_births(out)?;
        out.int(self.frees)?;
        out.int(self.freed_bytes)
    }

    fn decode_all(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        Ok(Group {
            allocations: cursor.int()?,
            allocated_bytes: cursor.int()?,
            frees: cursor.int()?,
            freed_bytes: cursor.int()?,
        })
    }
}

/// A group of this tick: blocks that one node allocated in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupBirth {
    /// The allocating stack.
    pub node: NodeId,
    /// Which allocator.
    pub domain: Domain,
    /// Where later changes will refer to, or `None` if every block died
    /// before the tick was written: such a group is closed at once.
    pub slot: Option<GroupSlot>,
    /// The counters so far.
    pub counts: Group,
}

/// What changed in a group since it was last written: deltas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupChange {
    /// The group. If its live blocks reach zero and `closed`, the slot is free.
    pub slot: GroupSlot,
    /// No more changes follow; the slot may be given to another group.
    pub closed: bool,
    /// The deltas.
    pub counts: Group,
}

/// Temporary allocations of a node since last said: freed before their thread
/// allocated again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Temporary {
    /// The allocating stack.
    pub node: NodeId,
    /// How many.
    pub allocations: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The collector's counters since the interpreter began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gc {
    /// Collections of each generation.
    pub collections: [u64; 3],
    /// Objects collected.
    pub collected: u64,
    /// Objects found uncollectable.
    pub uncollectable: u64,
    /// Time spent collecting in nanoseconds, from samples of the collector's
    /// own flag.
    pub sampled_ns: u64,
}

/// The end of a tick: the groups written since the last one belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// The tick's number. Numbers rise; one where nothing changed may be missing.
    pub index: TickIndex,
    /// Its end in nanoseconds since recording began.
    pub end_ns: u64,
    /// Resident memory of the process, in bytes.
    pub rss_bytes: u64,
    /// Live bytes at its end.
    pub live_bytes: u64,
    /// The highest that live bytes have been so far, exactly.
    pub peak_bytes: u64,
    /// The tick in which that was.
    pub peak_tick: TickIndex,
    /// Bytes that Python's own allocator holds in arenas.
    pub reserved_bytes: u64,
    /// Bytes of files mapped in by `mmap`.
    pub file_mapped_bytes: u64,
    /// Memory that the recorder itself holds, in bytes.
    pub recorder_bytes: u64,
    /// Allocations and frees that could not be recorded.
    pub lost_events: u64,
    /// The collector, where an interpreter is present and its counters are known.
    pub gc: Option<Gc>,
}

/// The peak: the first moment of most live bytes. [`PeakShare`]s follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peak {
    /// The tick it was in.
    pub tick: TickIndex,
    /// Live bytes then.
    pub bytes: u64,
    /// Live blocks then.
    pub blocks: u64,
}

/// What one allocation group had alive at the peak. All shares sum to the peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeakShare {
    /// The allocating stack.
    pub node: NodeId,
    /// Which allocator.
    pub domain: Domain,
    /// The tick that the blocks were allocated in.
    pub birth: TickIndex,
    /// Live blocks of the group at the peak.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Objects of one type, allocated by one node, alive at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeShare {
    /// The allocating stack.
    pub node: NodeId,
    /// The type, said before by a type name record.
    pub type_id: TypeId,
    /// Blocks.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How a child process came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildKind {
    /// `fork`: it began as a copy.
    Fork,
    /// `posix_spawn` or `vfork` with `exec`: it began with a program of its own.
    Spawn,
    /// `exec`: the same process, another program.
    Exec,
}

/// A process was started, with a capture of its own beside this one if it was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its process id.
    pub pid: u32,
    /// How.
    pub kind: ChildKind,
}

/// Why a capture ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The program ended by itself, or its interpreter began to shut down.
    Exit,
    /// The program was replaced by another (`exec`).
    Exec,
    /// The process was gone: it was killed, or ended in a way that cannot be seen.
    Killed,
    /// The recorder gave up; the text says why.
    Failed,
}

/// The last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End<'a> {
    /// Why recording ended.
    pub reason: EndReason,
    /// When, in nanoseconds since it began.
    pub at_ns: u64,
    /// In words, where there is more to say.
    pub detail: &'a [u8],
}

/// One record of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Always the first.
    Start(Start<'a>),
    /// An interpreter was found.
    Interpreter(Interpreter<'a>),
    /// The next [`CodeId`].
    Code(CodeDef<'a>),
    /// The next [`NodeId`].
    Node(NodeDef),
    /// A thread began.
    ThreadStart(ThreadStart<'a>),
    /// A thread ended.
    ThreadEnd(ThreadEnd),
    /// A group of this tick.
    GroupBirth(GroupBirth),
    /// A change to an older group.
    GroupChange(GroupChange),
    /// Temporary allocations of this tick.
    Temporary(Temporary),
    /// The tick is over.
    Tick(Tick),
    /// The peak, once at the end.
    Peak(Peak),
    /// A part of the peak.
    PeakShare(PeakShare),
    /// The next [`TypeId`]: its qualified name.
    TypeName(&'a [u8]),
    /// Live objects at the end by type.
    TypeShare(TypeShare),
    /// Of a snapshot of the object graph.
    Snapshot(SnapshotRecord<'a>),
    /// A part of a trace.
    Step(StepRecord<'a>),
    /// A child process.
    Child(Child),
    /// Always the last.
    End(End<'a>),
}

mod tag {
    pub(super) const START: u8 = 1;
    pub(super) const INTERPRETER: u8 = 2;
    pub(super) const CODE: u8 = 3;
    pub(super) const NODE: u8 = 4;
    pub(super) const THREAD_START: u8 = 5;
    pub(super) const THREAD_END: u8 = 6;
    pub(super) const CLOSED_GROUP: u8 = 7;
    pub(super) const OPEN_GROUP: u8 = 8;
    pub(super) const CHANGE: u8 = 9;
    pub(super) const CLOSING_CHANGE: u8 = 10;
    pub(super) const TEMPORARY: u8 = 11;
    pub(super) const TICK: u8 = 12;
    pub(super) const PEAK: u8 = 13;
    pub(super) const PEAK_SHARE: u8 = 14;
    pub(super) const TYPE_NAME: u8 = 15;
    pub(super) const TYPE_SHARE: u8 = 16;
    pub(super) const CHILD: u8 = 17;
    pub(super) const END: u8 = 18;
    pub(super) const DEATHS: u8 = 19;
    pub(super) const CLOSING_DEATHS: u8 = 20;
}

impl<'a> Record<'a> {
    /// Appends the record to `out`, or leaves `out` as it was if it is full.
    pub fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        let before = out.len();
        let result = self.encode_fields(out);
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    fn encode_fields(&self, out: &mut Out<'_>) -> Result<(), Full> {
        match self {
            Record::Start(start) => {
                out.byte(tag::START)?;
                start.encode(out)
            }
            Record::Interpreter(interpreter) => {
                out.byte(tag::INTERPRETER)?;
                out.byte(interpreter.stacks.into())?;
                out.bytes(interpreter.version)
            }
            Record::Code(code) => {
                out.byte(tag::CODE)?;
                out.byte(match code.table {
                    LineTable::Lnotab39 => 0,
                    LineTable::LineTable310 => 1,
                    LineTable::Locations311 => 2,
                })?;
                out.int(code.first_line.into())?;
                out.bytes(code.file)?;
                out.bytes(code.name)?;
                out.bytes(code.lines)
            }
            Record::Node(node) => encode_node(node, out),
            Record::ThreadStart(thread) => {
                out.byte(tag::THREAD_START)?;
                out.int(thread.thread.0.into())?;
                out.int(thread.tid.into())?;
                out.bytes(thread.name)
            }
            Record::ThreadEnd(thread) => {
                out.byte(tag::THREAD_END)?;
                out.int(thread.thread.0.into())?;
                out.int(thread.stack_bytes_high_water.map_or(0, |bytes| bytes.saturating_add(1)))
            }
            Record::GroupBirth(group) => encode_birth(group, out),
            Record::GroupChange(change) => encode_change(change, out),
            Record::Temporary(temporary) => {
                out.byte(tag::TEMPORARY)?;
                out.int(temporary.node.0.into())?;
                out.int(temporary.allocations)?;
                out.int(temporary.bytes)
            }
            Record::Tick(tick) => encode_tick(tick, out),
            Record::Peak(peak) => {
                out.byte(tag::PEAK)?;
                out.int(peak.tick.0.into())?;
                out.int(peak.bytes)?;
                out.int(peak.blocks)
            }
            Record::PeakShare(share) => {
                out.byte(tag::PEAK_SHARE | (share.domain as u8) << 5)?;
                out.int(share.node.0.into())?;
                out.int(share.birth.0.into())?;
                out.int(share.blocks)?;
                out.int(share.bytes)
            }
            Record::TypeName(name) => {
                out.byte(tag::TYPE_NAME)?;
                out.bytes(name)
            }
            Record::TypeShare(share) => {
                out.byte(tag::TYPE_SHARE)?;
                out.int(share.node.0.into())?;
                out.int(share.type_id.0.into())?;
                out.int(share.blocks)?;
                out.int(share.bytes)
            }
            Record::Snapshot(record) => record.encode(out),
            Record::Step(record) => record.encode(out),
            Record::Child(child) => {
                out.byte(tag::CHILD)?;
                out.byte(match child.kind {
                    ChildKind::Fork => 0,
                    ChildKind::Spawn => 1,
                    ChildKind::Exec => 2,
                })?;
                out.int(child.pid.into())
            }
            Record::End(end) => {
                out.byte(tag::END)?;
                out.byte(match end.reason {
                    EndReason::Exit => 0,
                    EndReason::Exec => 1,
                    EndReason::Killed => 2,
                    EndReason::Failed => 3,
                })?;
                out.int(end.at_ns)?;
                out.bytes(end.detail)
            }
        }
    }

    /// Reads the next record.
    pub fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        let tag = cursor.byte()?;
        Ok(match tag & 0x1f {
            tag::START => Record::Start(Start::decode(cursor)?),
            tag::INTERPRETER => {
                let stacks = cursor.byte()? != 0;
                Record::Interpreter(Interpreter { version: cursor.bytes()?, stacks })
            }
            tag::CODE => Record::Code(CodeDef {
                table: match cursor.byte()? {
                    0 => LineTable::Lnotab39,
                    1 => LineTable::LineTable310,
                    2 => LineTable::Locations311,
                    _ => return Err(Malformed("a kind of line table")),
                },
                first_line: cursor.int32()?,
                file: cursor.bytes()?,
                name: cursor.bytes()?,
                lines: cursor.bytes()?,
            }),
            tag::NODE => Record::Node(decode_node(cursor)?),
            tag::THREAD_START => Record::ThreadStart(ThreadStart {
                thread: ThreadIndex(cursor.int32()?),
                tid: cursor.int32()?,
                name: cursor.bytes()?,
            }),
            tag::THREAD_END => Record::ThreadEnd(ThreadEnd {
                thread: ThreadIndex(cursor.int32()?),
                stack_bytes_high_water: cursor.int()?.checked_sub(1),
            }),
            tag::CLOSED_GROUP => {
                let node = NodeId(cursor.int32()?);
                let (allocations, allocated_bytes) = (cursor.int()?, cursor.int()?);
                let counts =
                    Group { allocations, allocated_bytes, frees: allocations, freed_bytes: allocated_bytes };
                Record::GroupBirth(GroupBirth { node, domain: Domain::from_tag(tag)?, slot: None, counts })
            }
            tag::OPEN_GROUP => Record::GroupBirth(GroupBirth {
                node: NodeId(cursor.int32()?),
                domain: Domain::from_tag(tag)?,
                slot: Some(GroupSlot(cursor.int32()?)),
                counts: Group::decode_all(cursor)?,
            }),
            kind @ (tag::CHANGE | tag::CLOSING_CHANGE) => Record::GroupChange(GroupChange {
                slot: GroupSlot(cursor.int32()?),
                closed: kind == tag::CLOSING_CHANGE,
                counts: Group::decode_all(cursor)?,
            }),
            kind @ (tag::DEATHS | tag::CLOSING_DEATHS) => Record::GroupChange(GroupChange {
                slot: GroupSlot(cursor.int32()?),
                closed: kind == tag::CLOSING_DEATHS,
                counts: Group { frees: cursor.int()?, freed_bytes: cursor.int()?, ..Group::default() },
            }),
            tag::TEMPORARY => Record::Temporary(Temporary {
                node: NodeId(cursor.int32()?),
                allocations: cursor.int()?,
                bytes: cursor.int()?,
            }),
            tag::TICK => Record::Tick(decode_tick(cursor)?),
            tag::PEAK => Record::Peak(Peak {
                tick: TickIndex(cursor.int32()?),
                bytes: cursor.int()?,
                blocks: cursor.int()?,
            }),
            tag::PEAK_SHARE => Record::PeakShare(PeakShare {
                domain: Domain::from_tag(tag)?,
                node: NodeId(cursor.int32()?),
                birth: TickIndex(cursor.int32()?),
                blocks: cursor.int()?,
                bytes: cursor.int()?,
            }),
            tag::TYPE_NAME => Record::TypeName(cursor.bytes()?),
            tag::TYPE_SHARE => Record::TypeShare(TypeShare {
                node: NodeId(cursor.int32()?),
                type_id: TypeId(cursor.int32()?),
                blocks: cursor.int()?,
                bytes: cursor.int()?,
            }),
            tag::CHILD => Record::Child(Child {
                kind: match cursor.byte()? {
                    0 => ChildKind::Fork,
                    1 => ChildKind::Spawn,
                    2 => ChildKind::Exec,
                    _ => return Err(Malformed("a kind of child")),
                },
                pid: cursor.int32()?,
            }),
            tag::END => Record::End(End {
                reason: match cursor.byte()? {
                    0 => EndReason::Exit,
                    1 => EndReason::Exec,
                    2 => EndReason::Killed,
                    3 => EndReason::Failed,
                    _ => return Err(Malformed("a reason to end")),
                },
                at_ns: cursor.int()?,
                detail: cursor.bytes()?,
            }),
            steps::STEP => Record::Step(StepRecord::decode(cursor)?),
            _ => match SnapshotRecord::decode(tag, cursor)? {
                Some(record) => Record::Snapshot(record),
                None => return Err(Malformed("a known record")),
            },
        })
    }
}

/// `4 │ parent │ 0 │ thread`, `4 │ parent │ 1 │ code │ offset`, `4 │ parent │ 2 │ address`
fn encode_node(node: &NodeDef, out: &mut Out<'_>) -> Result<(), Full> {
    out.byte(tag::NODE)?;
    out.int(node.parent.0.into())?;
    match node.kind {
        NodeKind::Thread(thread) => {
            out.byte(0)?;
            out.int(thread.0.into())
        }
        NodeKind::Python { code, offset } => {
            out.byte(1)?;
            out.int(code.0.into())?;
            out.int(offset.into())
        }
        NodeKind::Native { address } => {
            out.byte(2)?;
            out.int(address)
        }
    }
}

fn decode_node(cursor: &mut Cursor<'_>) -> Result<NodeDef, Malformed> {
    let parent = NodeId(cursor.int32()?);
    let kind = match cursor.byte()? {
        0 => NodeKind::Thread(ThreadIndex(cursor.int32()?)),
        1 => NodeKind::Python { code: CodeId(cursor.int32()?), offset: cursor.int32()? },
        2 => NodeKind::Native { address: cursor.int()? },
        _ => return Err(Malformed("a kind of node")),
    };
    Ok(NodeDef { parent, kind })
}

/// The commonest record by far is the closed group, so it says the least:
/// `7+domain │ node │ allocations │ bytes`; an open one
/// `8+domain │ node │ slot │ allocations │ bytes │ frees │ freed bytes`.
fn encode_birth(group: &GroupBirth, out: &mut Out<'_>) -> Result<(), Full> {
    let domain = (group.domain as u8) << 5;
    match group.slot {
        None => {
            out.byte(tag::CLOSED_GROUP | domain)?;
            out.int(group.node.0.into())?;
            group.counts.encode_births(out)
        }
        Some(slot) => {
            out.byte(tag::OPEN_GROUP | domain)?;
            out.int(group.node.0.into())?;
            out.int(slot.0.into())?;
            group.counts.encode_all(out)
        }
    }
}

/// A change is mostly deaths alone: `19 │ slot │ frees │ freed bytes`
/// (20: and the slot is free again); with late births `9` and `10`, and all
/// four counters.
fn encode_change(change: &GroupChange, out: &mut Out<'_>) -> Result<(), Full> {
    let counts = &change.counts;
    if counts.allocations == 0 && counts.allocated_bytes == 0 {
        out.byte(if change.closed { tag::CLOSING_DEATHS } else { tag::DEATHS })?;
        out.int(change.slot.0.into())?;
        out.int(counts.frees)?;
        out.int(counts.freed_bytes)
    } else {
        out.byte(if change.closed { tag::CLOSING_CHANGE } else { tag::CHANGE })?;
        out.int(change.slot.0.into())?;
        counts.encode_all(out)
    }
}

/// `12 │ index │ end │ rss │ live │ peak │ peak tick │ reserved │ file mapped │ recorder │ lost │ gc?`
/// and with gc `1 │ gen 0 │ gen 1 │ gen 2 │ collected │ uncollectable │ ns`, else `0`.
fn encode_tick(tick: &Tick, out: &mut Out<'_>) -> Result<(), Full> {
    out.byte(tag::TICK)?;
    out.int(tick.index.0.into())?;
    out.int(tick.end_ns)?;
    out.int(tick.rss_bytes)?;
    out.int(tick.live_bytes)?;
    out.int(tick.peak_bytes)?;
    out.int(tick.peak_tick.0.into())?;
    out.int(tick.reserved_bytes)?;
    out.int(tick.file_mapped_bytes)?;
    out.int(tick.recorder_bytes)?;
    out.int(tick.lost_events)?;
    let Some(gc) = &tick.gc else { return out.byte(0) };
    out.byte(1)?;
    for collections in gc.collections {
        out.int(collections)?;
    }
    out.int(gc.collected)?;
    out.int(gc.uncollectable)?;
    out.int(gc.sampled_ns)
}

fn decode_tick(cursor: &mut Cursor<'_>) -> Result<Tick, Malformed> {
    Ok(Tick {
        index: TickIndex(cursor.int32()?),
        end_ns: cursor.int()?,
        rss_bytes: cursor.int()?,
        live_bytes: cursor.int()?,
        peak_bytes: cursor.int()?,
        peak_tick: TickIndex(cursor.int32()?),
        reserved_bytes: cursor.int()?,
        file_mapped_bytes: cursor.int()?,
        recorder_bytes: cursor.int()?,
        lost_events: cursor.int()?,
        gc: match cursor.byte()? {
            0 => None,
            _ => Some(Gc {
                collections: [cursor.int()?, cursor.int()?, cursor.int()?],
                collected: cursor.int()?,
                uncollectable: cursor.int()?,
                sampled_ns: cursor.int()?,
            }),
        },
    })
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
