//! From the records of a capture to a [`Graph`].
//!
//! The capture is read three times, so that nothing of it is kept but what the
//! graph needs: once for which strings are names, once for the objects, once
//! for the references.

use std::collections::HashMap;
use std::path::Path;

use memsight_capture as capture;
use memsight_capture::{
    Content, LooseBlocks, Reader, Record, RootKind as FoundRoot, SnapshotReason, SnapshotRecord,
};

use crate::bits::Bits;
use crate::builder::{GraphBuilder, Object};
use crate::duplicates::{Duplicates, Equal};
use crate::fields::{self, Fields};
use crate::graph::{Follow, Graph};
use crate::label::Label;
use crate::private_heap::PrivateHeap;
use crate::root::Root;
use crate::{NameId, NodeId};

/// Why there is no graph to be had from a capture.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file is no capture.
    #[error(transparent)]
    Capture(#[from] capture::read::Error),
    /// It holds none.
    #[error("{path}: this capture has no object graph; record with: memsight run --heap exit -- PROGRAM")]
    NoSnapshot {
        /// The capture.
        path: String,
    },
    /// None could be taken.
    #[error("{path}: this capture has no object graph: {why}")]
    Refused {
        /// The capture.
        path: String,
        /// Why, in words.
        why: String,
    },
    /// It was begun and not ended.
    #[error("{path}: the object graph is cut ({how}); record again")]
    Cut {
        /// The capture.
        path: String,
        /// How the capture ends.
        how: String,
    },
    /// What it says cannot be true.
    #[error("{path}: the object graph is damaged: {source}")]
    Graph {
        /// The capture.
        path: String,
        /// What is wrong.
        source: crate::Error,
    },
}

/// The objects of a process at one moment.
pub struct Snapshot {
    /// The objects and their references.
    pub graph: Graph,
    /// Which of the capture's, from 1 on.
    pub number: usize,
    /// What it was taken for.
    pub reason: SnapshotReason,
    /// When, in nanoseconds since recording began.
    pub at_ns: u64,
    /// Live bytes then.
    pub live_bytes: u64,
    /// By object: the node of the call tree that allocated it, 0 if that was not recorded.
    pub allocated_at: Vec<capture::NodeId>,
    /// Blocks of Python's own allocators that belong to no object.
    pub loose: Vec<LooseBlocks>,
    /// Strings and `bytes` that are there more than once.
    pub duplicates: Duplicates,
    /// Python's own allocator.
    pub private_heap: PrivateHeap,
    /// In words, what could not be read.
    pub missing: String,
}

impl Snapshot {
    /// The bytes of all objects.
    pub fn bytes(&self) -> u64 {
        self.graph.nodes().fold(0, |sum, node| sum.saturating_add(self.graph.bytes(node)))
    }

    /// Where an object was allocated.
    pub fn allocated_at(&self, node: NodeId) -> capture::NodeId {
        self.allocated_at.get(node.index()).copied().unwrap_or_default()
    }

    /// Reads the last whole snapshot of a capture.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn read(path: &Path, follow: Follow) -> Result<Self, Unreadable> {
        Self::read_number(path, None, follow)
    }

    /// Reads one whole snapshot of a capture, by its number from 1 on; the last without one.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn read_number(path: &Path, number: Option<usize>, follow: Follow) -> Result<Self, Unreadable> {
        let shown = || path.display().to_string();
        let outline = Outline::read(path, number)?;
        let damaged = |source| Unreadable::Graph { path: shown(), source };
        let mut reading = Reading::new(outline);
        each_of(path, reading.outline.number, |record| reading.objects(record).map_err(damaged))?;
        reading.add_objects().map_err(damaged)?;
        each_of(path, reading.outline.number, |record| reading.references(record).map_err(damaged))?;
        reading.add_modules().map_err(damaged)?;
        reading.add_unexplained().map_err(damaged)?;
        Ok(reading.finish(follow))
    }
}

/// Which snapshot is read, and which of its strings are names.
struct Outline {
    number: usize,
    begin: capture::Snapshot,
    names: Bits,
    /// Why there are no objects in it.
    refused: Option<String>,
}

impl Outline {
    fn read(path: &Path, wanted: Option<usize>) -> Result<Self, Unreadable> {
        let mut reader = Reader::open(path)?;
        let (mut begun, mut whole) = (None, None);
        let (mut number, mut names) = (0, Bits::default());
        while let Some(record) = reader.next_record() {
            let Record::Snapshot(record) = record else { continue };
            match record {
                SnapshotRecord::Begin(begin) => {
                    number += 1;
                    begun = Some(begin);
                    names = Bits::default();
                }
                SnapshotRecord::Edge(edge) => {
                    if let Some(name) = name_of(edge.label) {
                        names.add(name.index());
                    }
                }
                SnapshotRecord::End(end) if wanted.is_none_or(|wanted| wanted == number) => {
                    let why = (end.objects == 0).then(|| String::from_utf8_lossy(end.missing).into_owned());
                    let refused = why.filter(|why| !why.is_empty());
                    let names = std::mem::take(&mut names);
                    // One that was refused says less than the one before.
                    if refused.is_none() || whole.is_none() {
                        whole = begun.map(|begin| Outline { number, begin, names, refused });
                    }
                }
                _ => {}
            }
        }
        let path = path.display().to_string();
        match (whole, begun) {
            (Some(Outline { refused: Some(why), .. }), _) => Err(Unreadable::Refused { path, why }),
            (Some(whole), _) => Ok(whole),
            (None, Some(_)) => Err(Unreadable::Cut { path, how: reader.ending().to_string() }),
            (None, None) => Err(Unreadable::NoSnapshot { path }),
        }
    }
}

/// The string that names a reference.
fn name_of(label: capture::Label) -> Option<capture::ObjectId> {
    match label {
        capture::Label::Attribute(name) | capture::Label::Value(name) | capture::Label::Local(name) => {
            Some(name)
        }
        _ => None,
    }
}

/// Calls `take` with each record of one snapshot.
fn each_of(
    path: &Path,
    number: usize,
    mut take: impl FnMut(SnapshotRecord<'_>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut reader = Reader::open(path)?;
    let mut at = 0;
    while let Some(record) = reader.next_record() {
        let Record::Snapshot(record) = record else { continue };
        if matches!(record, SnapshotRecord::Begin(_)) {
            at += 1;
        }
        if at == number {
            take(record)?;
        }
    }
    Ok(())
}

/// An object, as far as it is known before its bytes are.
struct Found {
    address: u64,
    type_id: u32,
    /// References that somebody holds; less those that were found.
    held: u32,
}

/// How a key is shown.
#[derive(Clone, Copy)]
enum Key {
    Text(NameId),
    Number(i64),
    Other,
}

struct Reading {
    outline: Outline,
    builder: GraphBuilder,
    found: Vec<Found>,
    shared: Bits,
    bytes: Vec<u64>,
    allocated_at: Vec<capture::NodeId>,
    keys: HashMap<u32, Key>,
    words: Vec<NameId>,
    kinds: Vec<Container>,
    /// By type, what its objects refer to without a name.
    fields: Vec<Fields>,
    loose: Vec<LooseBlocks>,
    equal: Equal,
    private_heap: PrivateHeap,
    missing: String,
    modules: Option<capture::ObjectId>,
    /// Modules as roots: their names, and where they are.
    module_roots: Vec<(NameId, u64)>,
    /// The object whose references are being read, and of its entries so far.
    from: usize,
    next: usize,
    place: u32,
    other_key: Option<NameId>,
}

/// What tells how the references of a type's objects are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Tuple,
    Set,
    /// `None`, `True`, `...`: there is one of it.
    Singleton,
    Int,
    Str,
    Bytes,
    Other,
}

impl Container {
    fn of(type_name: &str) -> Self {
        match type_name {
            "tuple" => Container::Tuple,
            "set" | "frozenset" => Container::Set,
            "NoneType" | "bool" | "ellipsis" | "NotImplementedType" => Container::Singleton,
            "int" => Container::Int,
            "str" => Container::Str,
            "bytes" => Container::Bytes,
            _ => Container::Other,
        }
    }
}

/// Integers that the interpreter keeps one of each (`_PY_NSMALLNEGINTS`, `_PY_NSMALLPOSINTS`).
const SMALL_INTS: std::ops::RangeInclusive<i64> = -5..=256;

impl Reading {
    fn new(outline: Outline) -> Self {
        Reading {
            outline,
            builder: GraphBuilder::new(),
            found: Vec::new(),
            shared: Bits::default(),
            bytes: Vec::new(),
            allocated_at: Vec::new(),
            keys: HashMap::new(),
            words: Vec::new(),
            kinds: Vec::new(),
            fields: Vec::new(),
            loose: Vec::new(),
            equal: Equal::default(),
            private_heap: PrivateHeap::default(),
            missing: String::new(),
            modules: None,
            module_roots: Vec::new(),
            from: 0,
            next: 0,
            place: 0,
            other_key: None,
        }
    }

    /// Second time: objects, what they take, and the texts that are names.
    fn objects(&mut self, record: SnapshotRecord<'_>) -> Result<(), crate::Error> {
        match record {
            SnapshotRecord::ObjectType(name) => {
                let name = String::from_utf8_lossy(name);
                self.kinds.push(Container::of(&name));
                self.fields.push(fields::of_type(&name));
                self.builder.add_type(&name)?;
            }
            SnapshotRecord::Word(word) => {
                self.words.push(self.builder.name(&String::from_utf8_lossy(word))?);
            }
            SnapshotRecord::Object(object) => self.object(&object)?,
            SnapshotRecord::ObjectBytes(bytes) => {
                self.bytes.push(bytes.block.saturating_add(bytes.buffers));
                self.allocated_at.push(bytes.node);
            }
            SnapshotRecord::LooseBlocks(loose) => self.loose.push(loose),
            SnapshotRecord::Arena(arena) => self.private_heap.arena(arena),
            SnapshotRecord::Pool(pool) => self.private_heap.pool(pool),
            SnapshotRecord::ArenaBlocks(blocks) => self.private_heap.blocks(blocks),
            SnapshotRecord::ArenasEnd(end) => self.private_heap.end(&end),
            SnapshotRecord::End(end) => self.missing = String::from_utf8_lossy(end.missing).into_owned(),
            SnapshotRecord::Begin(_) | SnapshotRecord::Root(_) | SnapshotRecord::Edge(_) => {}
        }
        Ok(())
    }

    fn object(&mut self, object: &capture::Object<'_>) -> Result<(), crate::Error> {
        let number = self.found.len();
        let kind = self.kinds.get(object.type_id.index()).copied().unwrap_or(Container::Other);
        let (is_one, key) = match object.content {
            Content::Text { text, interned, .. } => {
                let text = self.outline.names.has(number).then(|| String::from_utf8_lossy(text));
                (interned, text.map(|text| self.builder.name(&text)).transpose()?.map(Key::Text))
            }
            Content::Int(value) => {
                (kind == Container::Int && SMALL_INTS.contains(&value), Some(Key::Number(value)))
            }
            Content::Bytes { .. } | Content::Unknown => (kind == Container::Singleton, None),
        };
        if object.references.is_none() || is_one || kind == Container::Singleton {
            self.shared.add(number);
        } else {
            match object.content {
                Content::Text { hash, .. } if kind == Container::Str => self.equal.add(number, hash, false),
                Content::Bytes { hash, .. } if kind == Container::Bytes => self.equal.add(number, hash, true),
                _ => {}
            }
        }
        if self.outline.names.has(number) {
            self.keys.insert(number as u32, key.unwrap_or(Key::Other));
        }
        self.found.push(Found {
            address: object.address,
            type_id: object.type_id.0,
            held: object.references.map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)),
        });
        Ok(())
    }

    fn add_objects(&mut self) -> Result<(), crate::Error> {
        for (number, found) in self.found.iter().enumerate() {
            self.builder.add_object(Object {
                address: found.address,
                type_id: found.type_id,
                bytes: self.bytes.get(number).copied().unwrap_or(0),
                shared: self.shared.has(number),
            })?;
        }
        self.equal.find(&self.bytes);
        self.bytes = Vec::new();
        Ok(())
    }

    /// Third time: references and roots.
    fn references(&mut self, record: SnapshotRecord<'_>) -> Result<(), crate::Error> {
        match record {
            SnapshotRecord::Root(root) => self.root(&root),
            SnapshotRecord::Object(object) => {
                if let Content::Text { text: start, .. } | Content::Bytes { start, .. } = object.content {
                    self.equal.say(self.next, start);
                }
                self.from = self.next;
                self.next += 1;
                self.place = 0;
                Ok(())
            }
            SnapshotRecord::Edge(edge) => self.edge(edge),
            _ => Ok(()),
        }
    }

    fn root(&mut self, root: &capture::Root<'_>) -> Result<(), crate::Error> {
        let Some(target) = self.hold(root.target) else { return Ok(()) };
        let root = match root.kind {
            FoundRoot::Modules => {
                self.modules = Some(root.target);
                Root::Builtin { name: self.builder.name("sys.modules")? }
            }
            FoundRoot::Local { function, line, name, .. } => Root::Local {
                function: self.builder.name(&String::from_utf8_lossy(function))?,
                line,
                variable: self.builder.name(&String::from_utf8_lossy(name))?,
            },
            FoundRoot::Frame => Root::Thread { field: self.builder.name("frame")? },
        };
        self.builder.add_root(target, root)
    }

    /// One of the references to an object is explained. Gives its address.
    fn hold(&mut self, object: capture::ObjectId) -> Option<u64> {
        let found = self.found.get_mut(object.index())?;
        found.held = found.held.saturating_sub(1);
        Some(found.address)
    }

    fn edge(&mut self, edge: capture::Edge) -> Result<(), crate::Error> {
        let Some(from) = self.found.get(self.from) else { return Ok(()) };
        let type_id = from.type_id as usize;
        let kind = self.kinds.get(type_id).copied();
        let kind = kind.unwrap_or(Container::Other);
        let Some(target) = self.hold(edge.target) else { return Ok(()) };
        let label = match self.label(edge.label, kind)? {
            Label::Unknown => self.unnamed(type_id, edge.target)?,
            label => label,
        };
        let is_modules = self.modules.is_some_and(|modules| modules.index() == self.from);
        if let (true, Label::Key(module)) = (is_modules, label) {
            self.module_roots.push((module, target));
        }
        // Objects were added in their order, before anything was said of them.
        self.builder.connect(NodeId(self.from as u32), NodeId(edge.target.0), label)
    }

    fn label(&mut self, label: capture::Label, kind: Container) -> Result<Label, crate::Error> {
        let place = |index| u32::try_from(index).unwrap_or(u32::MAX);
        Ok(match label {
            capture::Label::Unknown => Label::Unknown,
            capture::Label::Attribute(name) => self.named(name).map_or(Label::Unknown, Label::Attribute),
            capture::Label::Local(name) => self.named(name).map_or(Label::Unknown, Label::Local),
            capture::Label::Value(key) => match self.keys.get(&key.0) {
                Some(&Key::Text(name)) => Label::Key(name),
                Some(&Key::Number(number)) => match i32::try_from(number) {
                    Ok(number) => Label::KeyNumber(number),
                    Err(_) => Label::KeyRepr(self.builder.name(&number.to_string())?),
                },
                _ => Label::KeyRepr(self.other_key()?),
            },
            capture::Label::Key if kind == Container::Set => Label::Member,
            capture::Label::Key => {
                self.place = self.place.saturating_add(1);
                Label::KeyItself(self.place - 1)
            }
            capture::Label::Item(index) if kind == Container::Tuple => Label::TupleIndex(place(index)),
            capture::Label::Item(index) => Label::ListIndex(place(index)),
            capture::Label::Field(word) => match self.words.get(word.index()) {
                Some(&name) if self.builder.text(name) == "__dict__" => Label::Dict,
                Some(&name) => Label::Attribute(name),
                None => Label::Unknown,
            },
            capture::Label::Type => Label::Type,
        })
    }

    /// What is known of a reference that has no name.
    fn unnamed(&mut self, from: usize, target: capture::ObjectId) -> Result<Label, crate::Error> {
        let fields = self.fields.get(from).copied().unwrap_or_default();
        let to = self.found.get(target.index()).map_or("", |found| self.builder.type_name(found.type_id));
        match fields::to_type(fields, to) {
            Some(field) => {
                let place = self.place;
                self.place = self.place.saturating_add(1);
                field.label(place, |name| self.builder.name(name))
            }
            None => Ok(Label::Unknown),
        }
    }

    fn named(&self, object: capture::ObjectId) -> Option<NameId> {
        match self.keys.get(&object.0) {
            Some(&Key::Text(name)) => Some(name),
            _ => None,
        }
    }

    /// What stands for a key that is neither text nor number.
    fn other_key(&mut self) -> Result<NameId, crate::Error> {
        if let Some(name) = self.other_key {
            return Ok(name);
        }
        let name = self.builder.name("…")?;
        self.other_key = Some(name);
        Ok(name)
    }

    /// Of two equally short paths the one from the root that comes first is shown: the
    /// program's own module, then those that are no part of a package.
    fn add_modules(&mut self) -> Result<(), crate::Error> {
        let mut roots = std::mem::take(&mut self.module_roots);
        roots.sort_by_cached_key(|&(module, _)| {
            let name = self.builder.text(module);
            (name != "__main__", name.matches('.').count())
        });
        roots
            .into_iter()
            .try_for_each(|(module, target)| self.builder.add_root(target, Root::Module { module }))
    }

    /// What has more references than were found is held by something in C.
    fn add_unexplained(&mut self) -> Result<(), crate::Error> {
        for (number, found) in self.found.iter().enumerate() {
            if found.held > 0 && !self.shared.has(number) {
                self.builder.add_root(found.address, Root::Unexplained)?;
            }
        }
        Ok(())
    }

    fn finish(self, follow: Follow) -> Snapshot {
        let capture::Snapshot { reason, at_ns, live_bytes } = self.outline.begin;
        Snapshot {
            number: self.outline.number,
            graph: self.builder.finish(follow),
            reason,
            at_ns,
            live_bytes,
            allocated_at: self.allocated_at,
            loose: self.loose,
            duplicates: self.equal.finish(),
            private_heap: self.private_heap,
            missing: self.missing,
        }
    }
}
