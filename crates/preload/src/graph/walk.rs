//! The walk: every object once, each with its references.
//!
//! Objects get their numbers when they are first met and are written in that
//! order, so an array of addresses is the queue as well.

use core::ffi::{c_int, c_void};
use core::mem;

use memsight_capture::{
    Content, Edge, Label, Object, ObjectId, Record, Root, RootKind, SnapshotEnd, SnapshotRecord, TypeId,
};
use memsight_recorder::ledger::{Sink, Stopped};

use super::content::{self, Room, Text};
use super::numbers::Numbers;
use super::types::{Kind, Type, Types, flag};
use super::{Array, Progress};
use crate::python::layout::Layout;
use crate::python::{Known, word};
use crate::session::Session;

/// A walk through all objects of the interpreter.
pub(super) struct Walk<'a, S: Sink> {
    pub(super) sink: &'a mut S,
    pub(super) layout: &'static Layout,
    pub(super) known: &'static Known,
    pub(super) types: Types,
    interpreter: usize,
    progress: &'static Progress,
    /// Address of each object, by number.
    pub(super) objects: Array<usize>,
    pub(super) numbers: Numbers,
    /// Type of each object that was written, by number.
    pub(super) types_of: Array<u32>,
    /// What `tp_traverse` told of the object at hand.
    pub(super) told: Array<usize>,
    /// References of the object at hand that have a name.
    pub(super) named: Array<(usize, Label)>,
}

type Visit = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type Traverse = unsafe extern "C" fn(*mut c_void, Visit, *mut c_void) -> c_int;

impl<'a, S: Sink> Walk<'a, S> {
    pub(super) fn new(
        session: &'static Session,
        sink: &'a mut S,
        progress: &'static Progress,
    ) -> Option<Self> {
        let layout = session.python.graph_layout()?;
        let known = session.python.known();
        Some(Walk {
            sink,
            layout,
            known,
            types: Types::new(layout, known),
            interpreter: session.python.interpreter()?,
            progress,
            objects: Array::new(),
            numbers: Numbers::new().ok()?,
            types_of: Array::new(),
            told: Array::new(),
            named: Array::new(),
        })
    }

    pub(super) fn write(&mut self, record: SnapshotRecord<'_>) -> Result<(), Stopped> {
        self.sink.record(&Record::Snapshot(record))
    }

    /// The number of the object at an address.
    pub(super) fn number(&mut self, address: usize) -> Result<ObjectId, Stopped> {
        if let Some(number) = self.numbers.find(address) {
            return Ok(ObjectId(number));
        }
        self.objects.push(address)?;
        let number = self.objects.len() as u32 - 1;
        self.numbers.insert(address, number)?;
        Ok(ObjectId(number))
    }

    /// Whether there is an object at an address.
    pub(super) fn is_object(&self, address: usize) -> bool {
        self.numbers.find(address).is_some()
    }

    /// Where the walk begins: the modules, what runs, what the collector tracks.
    pub(super) fn seed(&mut self) -> Result<(), Stopped> {
        // SAFETY: it is called as by the thread that has the GIL.
        let modules = unsafe { self.known.modules() };
        if modules != 0 {
            let target = self.number(modules)?;
            self.write(SnapshotRecord::Root(Root { kind: RootKind::Modules, target }))?;
        }
        self.seed_threads(self.interpreter)?;
        let references = &self.layout.references;
        let ring = self.layout.gc.generation_stride;
        for generation in 0..3 {
            self.seed_tracked(self.interpreter + references.generations + generation * ring)?;
        }
        self.seed_tracked(self.interpreter + references.permanent)
    }

    /// The objects of one generation: a ring of headers (`PyGC_Head`).
    fn seed_tracked(&mut self, head: usize) -> Result<(), Stopped> {
        const HEADER: usize = 16;
        // SAFETY: the collector's own lists; its low bits are flags.
        let next = |header: usize| unsafe { word(header) } & !3;
        let mut header = next(head);
        while header != head && header != 0 {
            self.number(header + HEADER)?;
            self.progress.step(0);
            header = next(header);
        }
        Ok(())
    }

    /// Writes the objects, and with each the objects it refers to, until there are no more.
    pub(super) fn run(&mut self) -> Result<(), Stopped> {
        let mut at = 0;
        while let Some(&address) = self.objects.as_slice().get(at) {
            // SAFETY: every object has its type at the same place.
            let type_address = unsafe { word(address + self.layout.object.ob_type) };
            self.progress.step(type_address);
            let type_id = self.types.at(type_address, self.sink)?;
            self.types_of.push(type_id.0)?;
            let of = self.types.get(type_id);
            self.write_object(address, type_id, &of)?;
            if of.kind != Kind::Leaf && !self.progress.avoids(type_address) {
                self.write_references(address, &of)?;
            }
            at += 1;
        }
        Ok(())
    }

    fn write_object(&mut self, address: usize, type_id: TypeId, of: &Type) -> Result<(), Stopped> {
        let mut room = Room::new();
        let content = match self.progress.avoids(of.address) {
            true => Content::Unknown,
            // SAFETY: a live instance of this type.
            false => unsafe { content::of(address, of, self.layout, self.known, &mut room) },
        };
        // SAFETY: every object begins with its reference count.
        let references = unsafe { word(address) };
        let is_immortal = self.layout.minor >= 12 && (references as i32) < 0;
        let object = Object {
            type_id,
            address: address as u64,
            references: (!is_immortal).then_some(references as u64),
            // SAFETY: the collector's header stands before the object.
            tracked: of.has(flag::HAVE_GC) && unsafe { word(address - 16) } != 0,
            content,
        };
        self.write(SnapshotRecord::Object(object))
    }

    pub(super) fn write_edge(&mut self, label: Label, target: usize) -> Result<(), Stopped> {
        let target = self.number(target)?;
        self.write(SnapshotRecord::Edge(Edge { label, target }))
    }

    /// Has the object say what it refers to.
    pub(super) fn traverse(&mut self, object: usize, of: &Type) -> Result<(), Stopped> {
        self.told.clear();
        if of.traverse == 0 {
            return Ok(());
        }
        let told: *mut Array<usize> = &raw mut self.told;
        // SAFETY: it is the type's own function, called as the collector calls it.
        let result = unsafe {
            mem::transmute::<usize, Traverse>(of.traverse)(object as *mut c_void, visit, told.cast())
        };
        if result == OUT_OF_MEMORY { Err(Stopped::OutOfMemory) } else { Ok(()) }
    }

    pub(super) fn end(&mut self) -> Result<(), Stopped> {
        let objects = self.objects.len() as u64;
        let mut missing = Text::<512>::new();
        for avoided in self.progress.avoided() {
            let of = self.types.at(avoided, self.sink)?;
            missing.push(if missing.len() == 0 {
                b"left out is what objects of these types refer to, since asking them crashed: "
            } else {
                b", "
            });
            self.types.write_name(&self.types.get(of), &mut missing);
        }
        self.write(SnapshotRecord::End(SnapshotEnd { objects, missing: missing.as_bytes() }))
    }
}

const OUT_OF_MEMORY: c_int = 0x6d65;

unsafe extern "C" fn visit(object: *mut c_void, told: *mut c_void) -> c_int {
    // SAFETY: `traverse` gave its own array.
    let told = unsafe { &mut *told.cast::<Array<usize>>() };
    match told.push(object as usize) {
        Ok(()) => 0,
        Err(_) => OUT_OF_MEMORY,
    }
}
