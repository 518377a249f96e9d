//! The walk: every object once, each with its references.
//!
//! Objects get their numbers when they are first met and are written in that
//! order, so an array of addresses is the queue as well.

use core::ffi::{c_int, c_void};
use core::mem;

use memsight_capture::{
    Content, Edge, Label, Object, ObjectId, Record, Root, RootKind, SnapshotEnd, SnapshotRecord, TypeId,
};
use memsight_recorder::Recorder;
use memsight_recorder::ledger::{Sink, Stopped};

use super::Array;
use super::content::{self, Room, Text};
use super::numbers::Numbers;
use super::progress::{At, Progress};
use super::types::{Type, Types, flag};
use crate::proof::Proof;
use crate::python::layout::Layout;
use crate::python::{Known, word};
use crate::session::Session;

/// A walk through all objects of the interpreter.
pub(crate) struct Walk<'a, S: Sink> {
    pub(crate) sink: &'a mut S,
    pub(crate) layout: &'static Layout,
    pub(crate) known: &'static Known,
    pub(crate) types: Types,
    interpreter: usize,
    pub(crate) recorder: &'static Recorder,
    pub(crate) proof: Proof,
    pub(crate) progress: &'static Progress,
    pub(crate) phase: Phase,
    /// Address of each object, by number.
    pub(crate) objects: Array<usize>,
    pub(crate) numbers: Numbers,
    /// Type of each object that was written, by number.
    pub(crate) types_of: Array<u32>,
    /// What `tp_traverse` told of the object at hand.
    pub(crate) told: Array<usize>,
    /// References of the object at hand that have a name.
    pub(crate) named: Array<(usize, Label)>,
    /// Types whose objects told of something that is no object.
    misled: Array<usize>,
}

/// What is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The objects that others tell of.
    Told,
    /// Those that nobody tells of.
    Held,
}

type Visit = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type Traverse = unsafe extern "C" fn(*mut c_void, Visit, *mut c_void) -> c_int;

impl<'a, S: Sink> Walk<'a, S> {
    pub(crate) fn new(
        session: &'static Session,
        recorder: &'static Recorder,
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
            recorder,
            proof: Proof::new(&layout.object, session.python.type_type()),
            progress,
            phase: Phase::Told,
            objects: Array::new(),
            numbers: Numbers::new().ok()?,
            types_of: Array::new(),
            told: Array::new(),
            named: Array::new(),
            misled: Array::new(),
        })
    }

    pub(crate) fn write(&mut self, record: SnapshotRecord<'_>) -> Result<(), Stopped> {
        self.sink.record(&Record::Snapshot(record))
    }

    /// The number of the object at an address.
    pub(crate) fn number(&mut self, address: usize) -> Result<ObjectId, Stopped> {
        if let Some(number) = self.numbers.find(address) {
            return Ok(ObjectId(number));
        }
        self.objects.push(address)?;
        let number = self.objects.len() as u32 - 1;
        self.numbers.insert(address, number)?;
        Ok(ObjectId(number))
    }

    /// Whether there is an object at an address.
    pub(crate) fn is_object(&self, address: usize) -> bool {
        self.numbers.find(address).is_some()
    }

    /// Where the walk begins: the modules, what runs, what the collector tracks.
    pub(crate) fn seed(&mut self) -> Result<(), Stopped> {
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
        let mut count = 0;
        // Each is another object; a ring that does not come back to its head would have no end.
        while header != head && header != 0 && count <= self.objects.len() {
            self.number(header + HEADER)?;
            self.progress.step(At::Else);
            header = next(header);
            count += 1;
        }
        Ok(())
    }

    /// Writes the objects that were numbered and not yet written, and with each the objects
    /// it refers to, until there are no more.
    pub(crate) fn run(&mut self) -> Result<(), Stopped> {
        while let Some(&address) = self.objects.as_slice().get(self.types_of.len()) {
            if let Some(&soon) = self.objects.as_slice().get(self.types_of.len() + AHEAD) {
                prefetch(soon);
            }
            // SAFETY: every object has its type at the same place.
            let type_address = unsafe { word(address + self.layout.object.ob_type) };
            self.progress.step(match self.phase {
                Phase::Told => At::References(type_address),
                Phase::Held => At::Held,
            });
            let type_id = self.types.at(type_address, self.sink)?;
            self.types_of.push(type_id.0)?;
            let of = self.types.get(type_id);
            self.write_object(address, type_id, &of)?;
            if !self.progress.avoids(At::References(type_address)) {
                self.write_references(address, &of)?;
            }
        }
        Ok(())
    }

    fn write_object(&mut self, address: usize, type_id: TypeId, of: &Type) -> Result<(), Stopped> {
        let mut room = Room::new();
        let content = match self.progress.avoids(At::References(of.address)) {
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

    pub(crate) fn write_edge(&mut self, label: Label, target: usize) -> Result<(), Stopped> {
        self.progress.tick();
        let target = self.number(target)?;
        self.write(SnapshotRecord::Edge(Edge { label, target }))
    }

    /// Writes a reference that an object of this type told, unless there is no object.
    pub(crate) fn write_told(&mut self, label: Label, target: usize, of: &Type) -> Result<(), Stopped> {
        self.progress.tick();
        let target = match self.numbers.find(target) {
            Some(number) => ObjectId(number),
            None if self.proves_object(target) => self.number(target)?,
            None if self.misled.as_slice().contains(&of.address) => return Ok(()),
            None => return Ok(self.misled.push(of.address)?),
        };
        self.write(SnapshotRecord::Edge(Edge { label, target }))
    }

    pub(crate) fn interpreter(&self) -> usize {
        self.interpreter
    }

    /// Forgets what was known of types: one has come to the address of another.
    pub(crate) fn forget_types(&mut self) {
        self.types = Types::new(self.layout, self.known);
    }

    /// Forgets which pages of the program were there.
    pub(crate) fn forget_pages(&mut self) {
        self.proof = Proof::new(&self.layout.object, self.proof.type_type());
    }

    /// Has the object say what it refers to.
    pub(crate) fn traverse(&mut self, object: usize, of: &Type) -> Result<(), Stopped> {
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

    /// Says what is missing, and ends the snapshot.
    pub(crate) fn end(&mut self, paused_ns: u64) -> Result<(), Stopped> {
        const REFERENCES: &[u8] =
            b"left out is what objects of these types refer to, since asking them crashed or took too long: ";
        const BLOCKS: &[u8] =
            b"left out are the buffers of objects of these types, since reading them crashed: ";
        const MISLED: &[u8] =
            b"objects of these types told of references that lead to no object; those are left out: ";
        let progress = self.progress;
        let mut missing = Text::<1024>::new();
        self.say_types(
            &mut missing,
            REFERENCES,
            progress.avoided().filter_map(|at| match at {
                At::References(of) => Some(of),
                _ => None,
            }),
        )?;
        self.say_types(
            &mut missing,
            BLOCKS,
            progress.avoided().filter_map(|at| match at {
                At::Blocks(of) => Some(of),
                _ => None,
            }),
        )?;
        let misled = mem::replace(&mut self.misled, Array::new());
        self.say_types(&mut missing, MISLED, misled.as_slice().iter().copied())?;
        if progress.avoids(At::Held) {
            missing.push(if missing.len() == 0 { b"" } else { b"; " });
            missing.push(b"left out are objects that only C code holds, since reading them crashed");
        }
        let objects = self.objects.len() as u64;
        self.write(SnapshotRecord::End(SnapshotEnd { objects, paused_ns, missing: missing.as_bytes() }))
    }

    /// Names types after a sentence's beginning, if there are any.
    fn say_types(
        &mut self,
        text: &mut Text<1024>,
        beginning: &[u8],
        types: impl Iterator<Item = usize>,
    ) -> Result<(), Stopped> {
        for (at, of) in types.enumerate() {
            if at == 0 && text.len() > 0 {
                text.push(b"; ");
            }
            text.push(if at == 0 { beginning } else { b", " });
            let of = self.types.at(of, self.sink)?;
            self.types.write_name(&self.types.get(of), text);
        }
        Ok(())
    }
}

/// So many objects on, memory is asked for before it is read.
const AHEAD: usize = 8;

/// Asks for memory that is to be read soon; a hint that never fails.
#[inline(always)]
fn prefetch(address: usize) {
    // SAFETY: it reads nothing, whatever the address.
    unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(address as *const i8) }
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
