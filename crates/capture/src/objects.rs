//! The records of a snapshot of the object graph.
//!
//! A snapshot begins with [`Snapshot`] and ends with [`SnapshotEnd`]; between
//! the two stand only these records. Objects are numbered from 0 in the order
//! they are said, and an edge or root may name one that is said later.
//!
//! ```text
//! Snapshot  Root…  ( ( ObjectType* Word* Object Edge* )…  ObjectBytes… )…  LooseBlocks…  SnapshotEnd
//! ```
//!
//! Objects that only C code holds come after the bytes of all others. A snapshot of
//! no objects says at its end why there are none.

use crate::arenas::{self, Arena, ArenaBlocks, ArenasEnd, Pool};
use crate::codec::{Cursor, Full, Malformed, Out};
use crate::ids::{NodeId, ObjectId, TypeId, WordId};
use crate::record::Domain;

/// What a snapshot was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotReason {
    /// The interpreter began to shut down.
    Exit,
    /// Live bytes came to a new maximum.
    Peak,
    /// Somebody asked for it.
    Asked,
    /// An allocation failed.
    OutOfMemory,
}

/// The objects of an interpreter at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What for.
    pub reason: SnapshotReason,
    /// When, in nanoseconds since recording began.
    pub at_ns: u64,
    /// Live bytes then.
    pub live_bytes: u64,
}

/// Where the program's reach begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKind<'a> {
    /// `sys.modules`.
    Modules,
    /// A local variable of a function that runs.
    Local {
        /// The function's qualified name.
        function: &'a [u8],
        /// Its file.
        file: &'a [u8],
        /// The line it is at, 0 if unknown.
        line: u32,
        /// The variable's name.
        name: &'a [u8],
    },
    /// A frame object of a function that runs, up to CPython 3.10.
    Frame,
}

/// An object that is reached without another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root<'a> {
    /// From where.
    pub kind: RootKind<'a>,
    /// Which object.
    pub target: ObjectId,
}

/// What is known of an object's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing.
    Unknown,
    /// A `str`, UTF-8; a long one is cut.
    Text {
        /// Its beginning.
        text: &'a [u8],
        /// Fifty-six bits of a hash of all of it: equal strings have equal ones.
        hash: u64,
        /// Whether the interpreter keeps it as the only one of its kind.
        interned: bool,
    },
    /// An `int`.
    Int(i64),
    /// A `bytes`.
    Bytes {
        /// Its beginning.
        start: &'a [u8],
        /// Fifty-six bits of a hash of all of it.
        hash: u64,
    },
}

/// An object: the next [`ObjectId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Its type.
    pub type_id: TypeId,
    /// Where it lies.
    pub address: u64,
    /// Its reference count, or `None` if it is immortal.
    pub references: Option<u64>,
    /// Whether the collector tracks it.
    pub tracked: bool,
    /// Its value.
    pub content: Content<'a>,
}

/// By what an object refers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// It is not known how.
    Unknown,
    /// An attribute whose name is this `str`.
    Attribute(ObjectId),
    /// A dict's value for this key.
    Value(ObjectId),
    /// A dict's key, or an item of a set.
    Key,
    /// An item of a list or tuple.
    Item(u64),
    /// A field of a type written in C: a word.
    Field(WordId),
    /// The object's type.
    Type,
    /// A local variable of a frame, whose name is this `str`.
    Local(ObjectId),
}

/// A reference of the object said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// By what.
    pub label: Label,
    /// To which object.
    pub target: ObjectId,
}

/// What an object takes: the next object's, in the order of their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectBytes {
    /// The stack that allocated it; node 0 if it was not recorded.
    pub node: NodeId,
    /// Bytes asked for its own block.
    pub block: u64,
    /// Bytes asked for blocks that are its alone: a list's items, a dict's table.
    pub buffers: u64,
}

/// Blocks that are no object's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LooseBlocks {
    /// The stack that allocated them.
    pub node: NodeId,
    /// Which allocator.
    pub domain: Domain,
    /// How many.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The snapshot is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotEnd<'a> {
    /// Objects in it.
    pub objects: u64,
    /// How long the program stood still for it, in nanoseconds.
    pub paused_ns: u64,
    /// In words, what could not be read.
    pub missing: &'a [u8],
}

/// One record of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotRecord<'a> {
    /// The first.
    Begin(Snapshot),
    /// A root.
    Root(Root<'a>),
    /// The next [`TypeId`] of this snapshot: its qualified name.
    ObjectType(&'a [u8]),
    /// The next [`WordId`] of this snapshot.
    Word(&'a [u8]),
    /// An object.
    Object(Object<'a>),
    /// A reference.
    Edge(Edge),
    /// What an object takes.
    ObjectBytes(ObjectBytes),
    /// Blocks of no object.
    LooseBlocks(LooseBlocks),
    /// An arena.
    Arena(Arena),
    /// A pool of the arena said last.
    Pool(Pool),
    /// Blocks of the arena said last.
    ArenaBlocks(ArenaBlocks),
    /// The last of the arenas.
    ArenasEnd(ArenasEnd<'a>),
    /// The last.
    End(SnapshotEnd<'a>),
}

pub(crate) mod tag {
    pub(crate) const SNAPSHOT: u8 = 21;
    pub(crate) const ROOT: u8 = 22;
    pub(crate) const OBJECT_TYPE: u8 = 23;
    pub(crate) const WORD: u8 = 24;
    pub(crate) const OBJECT: u8 = 25;
    pub(crate) const EDGE: u8 = 26;
    pub(crate) const OBJECT_BYTES: u8 = 27;
    pub(crate) const LOOSE_BLOCKS: u8 = 28;
    pub(crate) const SNAPSHOT_END: u8 = 29;
    pub(crate) const PRIVATE_HEAP: u8 = 30;
}

const IMMORTAL: u8 = 1 << 5;
const TRACKED: u8 = 1 << 6;

impl<'a> SnapshotRecord<'a> {
    pub(crate) fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        match self {
            SnapshotRecord::Begin(snapshot) => {
                out.byte(tag::SNAPSHOT)?;
                out.byte(match snapshot.reason {
                    SnapshotReason::Exit => 0,
                    SnapshotReason::Peak => 1,
                    SnapshotReason::Asked => 2,
                    SnapshotReason::OutOfMemory => 3,
                })?;
                out.int(snapshot.at_ns)?;
                out.int(snapshot.live_bytes)
            }
            SnapshotRecord::Root(root) => encode_root(root, out),
            SnapshotRecord::ObjectType(name) => {
                out.byte(tag::OBJECT_TYPE)?;
                out.bytes(name)
            }
            SnapshotRecord::Word(word) => {
                out.byte(tag::WORD)?;
                out.bytes(word)
            }
            SnapshotRecord::Object(object) => encode_object(object, out),
            SnapshotRecord::Edge(edge) => encode_edge(edge, out),
            SnapshotRecord::ObjectBytes(bytes) => {
                out.byte(tag::OBJECT_BYTES)?;
                out.int(bytes.node.0.into())?;
                out.int(bytes.block)?;
                out.int(bytes.buffers)
            }
            SnapshotRecord::LooseBlocks(loose) => {
                out.byte(tag::LOOSE_BLOCKS | (loose.domain as u8) << 5)?;
                out.int(loose.node.0.into())?;
                out.int(loose.blocks)?;
                out.int(loose.bytes)
            }
            SnapshotRecord::Arena(arena) => arena.encode(out),
            SnapshotRecord::Pool(pool) => pool.encode(out),
            SnapshotRecord::ArenaBlocks(blocks) => blocks.encode(out),
            SnapshotRecord::ArenasEnd(end) => end.encode(out),
            SnapshotRecord::End(end) => {
                out.byte(tag::SNAPSHOT_END)?;
                out.int(end.objects)?;
                out.int(end.paused_ns)?;
                out.bytes(end.missing)
            }
        }
    }

    /// Reads what follows a tag, or `None` if the tag is none of these.
    pub(crate) fn decode(tag: u8, cursor: &mut Cursor<'a>) -> Result<Option<Self>, Malformed> {
        Ok(Some(match tag & 0x1f {
            tag::SNAPSHOT => SnapshotRecord::Begin(Snapshot {
                reason: match cursor.byte()? {
                    0 => SnapshotReason::Exit,
                    1 => SnapshotReason::Peak,
                    2 => SnapshotReason::Asked,
                    3 => SnapshotReason::OutOfMemory,
                    _ => return Err(Malformed("a reason for a snapshot")),
                },
                at_ns: cursor.int()?,
                live_bytes: cursor.int()?,
            }),
            tag::ROOT => SnapshotRecord::Root(decode_root(cursor)?),
            tag::OBJECT_TYPE => SnapshotRecord::ObjectType(cursor.bytes()?),
            tag::WORD => SnapshotRecord::Word(cursor.bytes()?),
            tag::OBJECT => SnapshotRecord::Object(decode_object(tag, cursor)?),
            tag::EDGE => SnapshotRecord::Edge(decode_edge(tag, cursor)?),
            tag::OBJECT_BYTES => SnapshotRecord::ObjectBytes(ObjectBytes {
                node: NodeId(cursor.int32()?),
                block: cursor.int()?,
                buffers: cursor.int()?,
            }),
            tag::LOOSE_BLOCKS => SnapshotRecord::LooseBlocks(LooseBlocks {
                domain: Domain::from_tag(tag)?,
                node: NodeId(cursor.int32()?),
                blocks: cursor.int()?,
                bytes: cursor.int()?,
            }),
            tag::PRIVATE_HEAP => arenas::decode(tag, cursor)?,
            tag::SNAPSHOT_END => SnapshotRecord::End(SnapshotEnd {
                objects: cursor.int()?,
                paused_ns: cursor.int()?,
                missing: cursor.bytes()?,
            }),
            _ => return Ok(None),
        }))
    }
}

/// `22 │ target │ 0`, `22 │ target │ 1 │ line │ function │ file │ name`, `22 │ target │ 2`
fn encode_root(root: &Root<'_>, out: &mut Out<'_>) -> Result<(), Full> {
    out.byte(tag::ROOT)?;
    out.int(root.target.0.into())?;
    match root.kind {
        RootKind::Modules => out.byte(0),
        RootKind::Local { function, file, line, name } => {
            out.byte(1)?;
            out.int(line.into())?;
            out.bytes(function)?;
            out.bytes(file)?;
            out.bytes(name)
        }
        RootKind::Frame => out.byte(2),
    }
}

fn decode_root<'a>(cursor: &mut Cursor<'a>) -> Result<Root<'a>, Malformed> {
    let target = ObjectId(cursor.int32()?);
    let kind = match cursor.byte()? {
        0 => RootKind::Modules,
        1 => RootKind::Local {
            line: cursor.int32()?,
            function: cursor.bytes()?,
            file: cursor.bytes()?,
            name: cursor.bytes()?,
        },
        2 => RootKind::Frame,
        _ => return Err(Malformed("a kind of root")),
    };
    Ok(Root { kind, target })
}

/// `25+immortal+tracked │ type │ address (8 bytes) │ references │ content`
fn encode_object(object: &Object<'_>, out: &mut Out<'_>) -> Result<(), Full> {
    let immortal = if object.references.is_none() { IMMORTAL } else { 0 };
    out.byte(tag::OBJECT | immortal | if object.tracked { TRACKED } else { 0 })?;
    out.int(object.type_id.0.into())?;
    out.raw(&object.address.to_le_bytes())?;
    out.int(object.references.unwrap_or(0))?;
    match object.content {
        Content::Unknown => out.byte(0),
        Content::Text { text, hash, interned } => {
            out.byte(if interned { 4 } else { 1 })?;
            out.bytes(text)?;
            out.int(hash)
        }
        Content::Int(value) => {
            out.byte(2)?;
            out.int((value << 1 ^ value >> 63) as u64)
        }
        Content::Bytes { start, hash } => {
            out.byte(5)?;
            out.bytes(start)?;
            out.int(hash)
        }
    }
}

fn decode_object<'a>(tag: u8, cursor: &mut Cursor<'a>) -> Result<Object<'a>, Malformed> {
    let type_id = TypeId(cursor.int32()?);
    let mut address = [0; 8];
    address.copy_from_slice(cursor.raw(8)?);
    let references = cursor.int()?;
    Ok(Object {
        type_id,
        address: u64::from_le_bytes(address),
        references: (tag & IMMORTAL == 0).then_some(references),
        tracked: tag & TRACKED != 0,
        content: match cursor.byte()? {
            0 => Content::Unknown,
            kind @ (1 | 4) => {
                Content::Text { text: cursor.bytes()?, hash: cursor.int()?, interned: kind == 4 }
            }
            2 => {
                let value = cursor.int()?;
                Content::Int((value >> 1) as i64 ^ -((value & 1) as i64))
            }
            5 => Content::Bytes { start: cursor.bytes()?, hash: cursor.int()? },
            _ => return Err(Malformed("a kind of content")),
        },
    })
}

/// `26+kind │ target │ what the kind refers to, if anything`
fn encode_edge(edge: &Edge, out: &mut Out<'_>) -> Result<(), Full> {
    let (kind, more) = match edge.label {
        Label::Unknown => (0, None),
        Label::Attribute(name) => (1, Some(u64::from(name.0))),
        Label::Value(key) => (2, Some(key.0.into())),
        Label::Key => (3, None),
        Label::Item(index) => (4, Some(index)),
        Label::Field(word) => (5, Some(word.0.into())),
        Label::Type => (6, None),
        Label::Local(name) => (7, Some(name.0.into())),
    };
    out.byte(tag::EDGE | kind << 5)?;
    out.int(edge.target.0.into())?;
    more.map_or(Ok(()), |more| out.int(more))
}

fn decode_edge(tag: u8, cursor: &mut Cursor<'_>) -> Result<Edge, Malformed> {
    let target = ObjectId(cursor.int32()?);
    let label = match tag >> 5 {
        0 => Label::Unknown,
        1 => Label::Attribute(ObjectId(cursor.int32()?)),
        2 => Label::Value(ObjectId(cursor.int32()?)),
        3 => Label::Key,
        4 => Label::Item(cursor.int()?),
        5 => Label::Field(WordId(cursor.int32()?)),
        6 => Label::Type,
        _ => Label::Local(ObjectId(cursor.int32()?)),
    };
    Ok(Edge { label, target })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    fn examples() -> Vec<SnapshotRecord<'static>> {
        let local = RootKind::Local { function: b"main", file: b"a.py", line: 7, name: b"rows" };
        let object = Object {
            type_id: TypeId(3),
            address: 0x7f00_1234_5670,
            references: Some(2),
            tracked: true,
            content: Content::Unknown,
        };
        let text = Content::Text { text: b"k", hash: 1 << 39, interned: true };
        let labels = [
            Label::Unknown,
            Label::Attribute(ObjectId(9)),
            Label::Value(ObjectId(300)),
            Label::Key,
            Label::Item(1 << 40),
            Label::Field(WordId(1)),
            Label::Type,
            Label::Local(ObjectId(0)),
        ];
        let mut all = vec![
            SnapshotRecord::Begin(Snapshot { reason: SnapshotReason::Peak, at_ns: 5, live_bytes: 900 }),
            SnapshotRecord::Root(Root { kind: RootKind::Modules, target: ObjectId(0) }),
            SnapshotRecord::Root(Root { kind: local, target: ObjectId(70_000) }),
            SnapshotRecord::Root(Root { kind: RootKind::Frame, target: ObjectId(1) }),
            SnapshotRecord::ObjectType(b"app.Session"),
            SnapshotRecord::Word(b"__self__"),
            SnapshotRecord::Object(object),
            SnapshotRecord::Object(Object { references: None, tracked: false, ..object }),
            SnapshotRecord::Object(Object { content: text, ..object }),
            SnapshotRecord::Object(Object {
                content: Content::Text { text: b"", hash: 0, interned: false },
                ..object
            }),
            SnapshotRecord::Object(Object { content: Content::Int(i64::MIN), ..object }),
            SnapshotRecord::Object(Object {
                content: Content::Bytes { start: b"\0\xff", hash: 7 },
                ..object
            }),
            SnapshotRecord::ObjectBytes(ObjectBytes { node: NodeId(4), block: 56, buffers: 800 }),
            SnapshotRecord::LooseBlocks(LooseBlocks {
                node: NodeId(4),
                domain: Domain::Mem,
                blocks: 1,
                bytes: 64,
            }),
            SnapshotRecord::Arena(Arena {
                address: 0x7f00_0000_1000,
                bytes: 1 << 20,
                pool_bytes: 1 << 14,
                free_pools: 3,
                fresh_pools: 0,
            }),
            SnapshotRecord::Pool(Pool {
                place: 63,
                block_bytes: 48,
                blocks: 340,
                used: 300,
                recorded: 299,
                asked: 12_000,
            }),
            SnapshotRecord::ArenaBlocks(ArenaBlocks { node: NodeId(400), blocks: 2, bytes: 96 }),
            SnapshotRecord::ArenasEnd(ArenasEnd { elsewhere_blocks: 1, elsewhere_bytes: 9, missing: b"?" }),
            SnapshotRecord::End(SnapshotEnd { objects: 12, paused_ns: 300, missing: b"" }),
        ];
        all.extend(labels.map(|label| SnapshotRecord::Edge(Edge { label, target: ObjectId(5) })));
        all
    }

    #[test]
    fn every_record_of_a_snapshot_comes_back() {
        for example in examples() {
            let mut buffer = [0; 256];
            let mut out = Out::new(&mut buffer);
            let record = Record::Snapshot(example);
            record.encode(&mut out).unwrap();
            let mut cursor = Cursor::new(out.written());
            assert_eq!(Record::decode(&mut cursor), Ok(record));
            assert!(cursor.at_end());
        }
    }

    #[test]
    fn a_record_of_a_snapshot_that_is_cut_is_malformed() {
        for example in examples() {
            let mut buffer = [0; 256];
            let mut out = Out::new(&mut buffer);
            Record::Snapshot(example).encode(&mut out).unwrap();
            for len in 0..out.len() {
                assert!(Record::decode(&mut Cursor::new(&out.written()[..len])).is_err(), "{example:?}");
            }
        }
    }

    #[test]
    fn an_edge_is_as_drawn() {
        let mut buffer = [0; 16];
        let mut out = Out::new(&mut buffer);
        let edge = Edge { label: Label::Value(ObjectId(300)), target: ObjectId(5) };
        SnapshotRecord::Edge(edge).encode(&mut out).unwrap();
        assert_eq!(out.written(), [26 | 2 << 5, 5, 0xac, 2]);
    }
}
