//! A trace as `memsight view --json` writes it.
//!
//! Each step has its whole heap, so the text is many times what the trace is: it is written
//! step by step and never held. Who reads it needs no other step to understand one.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::model::{
    Event, Frame, FrameKind, Language, Name, Object, ObjectId, ObjectKind, Place, Ref, Source, SourceId,
    Standing, Step, Temporary, Trace,
};
use crate::state::State;

/// Writes a trace as JSON. `out` should be buffered.
///
/// ```
/// # use memsight_picture::{json, Language, Trace};
/// let trace = Trace {
///     language: Language::Python,
///     made_by: "CPython 3.12.1".to_owned(),
///     sources: Vec::new(),
///     steps: Vec::new(),
///     truncated: None,
///     ending: "exit 0".to_owned(),
///     notes: Vec::new(),
/// };
/// let mut text = Vec::new();
/// json::write(&trace, &mut text)?;
/// assert!(text.starts_with(br#"{"schema_version":1,"language":"python""#));
/// # std::io::Result::Ok(())
/// ```
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Document::new(trace))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'t> {
    schema_version: u32,
    language: Language,
    made_by: &'t str,
    source: &'t Source,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    other_sources: &'t [Source],
    truncated: bool,
    truncated_because: Option<&'t str>,
    ending: &'t str,
    notes: &'t [String],
    steps: Steps<'t>,
}

impl<'t> Document<'t> {
    fn new(trace: &'t Trace) -> Self {
        const NO_SOURCE: &Source = &Source { path: String::new(), text: String::new() };
        let (source, other_sources) = match trace.sources.split_first() {
            Some((first, others)) => (first, others),
            None => (NO_SOURCE, &[][..]),
        };
        Document {
            schema_version: 1,
            language: trace.language,
            made_by: &trace.made_by,
            source,
            other_sources,
            truncated: trace.truncated.is_some(),
            truncated_because: trace.truncated.as_deref(),
            ending: &trace.ending,
            notes: &trace.notes,
            steps: Steps(trace),
        }
    }
}

struct Steps<'t>(&'t Trace);

impl Serialize for Steps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut steps = serializer.serialize_seq(Some(self.0.steps.len()))?;
        let mut state = State::default();
        for step in &self.0.steps {
            state.advance(step);
            steps.serialize_element(&StepJson::new(step, &state, &self.0.sources))?;
        }
        steps.end()
    }
}

#[derive(Serialize)]
struct StepJson<'t> {
    line: u32,
    event: Event,
    yields: bool,
    thread: u32,
    file: &'t str,
    say: &'t str,
    stdout: &'t str,
    stderr: &'t str,
    value: Option<RefJson<'t>>,
    stack: Vec<FrameJson<'t>>,
    heap: Heap<'t>,
    born: Vec<Id>,
    died: Vec<Id>,
    changed: Vec<Id>,
    unreached: Vec<Id>,
    temporaries: Vec<TemporaryJson<'t>>,
}

impl<'t> StepJson<'t> {
    fn new(step: &'t Step, state: &'t State<'t>, sources: &'t [Source]) -> Self {
        let frame = |frame: &'t Frame| FrameJson {
            id: frame.id,
            function: &frame.function,
            kind: frame.kind,
            file: path(sources, frame.source),
            line: frame.line,
            names: Names(&frame.names),
        };
        let unreached = state.objects.values().filter(|object| object.standing == Standing::Unreached);
        StepJson {
            line: step.line,
            event: step.event,
            yields: step.yields,
            thread: step.thread,
            file: path(sources, step.source),
            say: &step.say,
            stdout: &step.stdout,
            stderr: &step.stderr,
            value: step.value.as_ref().map(RefJson::of),
            stack: step.stack.iter().map(frame).collect(),
            heap: Heap { state, sources },
            born: step.delta.born.iter().map(|object| Id(object.id)).collect(),
            died: step.delta.died.iter().copied().map(Id).collect(),
            changed: step.delta.changed.iter().map(|object| Id(object.id)).collect(),
            unreached: unreached.map(|object| Id(object.id)).collect(),
            temporaries: step.delta.temporaries.iter().map(TemporaryJson::of).collect(),
        }
    }
}

fn path(sources: &[Source], id: SourceId) -> &str {
    sources.get(id.0 as usize).map_or("", |source| &source.path)
}

#[derive(Serialize)]
struct FrameJson<'t> {
    id: u32,
    function: &'t str,
    kind: FrameKind,
    file: &'t str,
    line: u32,
    names: Names<'t>,
}

/// A name that is there twice, as a variable of C in an inner block, has a number from then on.
struct Names<'t>(&'t [Name]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = serializer.serialize_map(Some(self.0.len()))?;
        let mut taken = BTreeSet::new();
        for name in self.0 {
            let numbered = (2u32..).map(|number| format!("{} ({number})", name.name));
            let mut keys = std::iter::once(name.name.clone()).chain(numbered);
            if let Some(key) = keys.find(|key| !taken.contains(key)) {
                let place = name.place.as_ref().map(PlaceJson::of);
                names.serialize_entry(&key, &RefJson { place, ..RefJson::of(&name.to) })?;
                taken.insert(key);
            }
        }
        names.end()
    }
}

#[derive(Default, Serialize)]
struct RefJson<'t> {
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    to: Option<Id>,
    #[serde(skip_serializing_if = "is_zero")]
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceJson<'t>>,
}

impl<'t> RefJson<'t> {
    fn of(to: &'t Ref) -> Self {
        match to {
            Ref::Object { id, offset } => {
                RefJson { to: Some(Id(*id)), offset: *offset, ..RefJson::default() }
            }
            Ref::Value(value) => RefJson { value: Some(value), ..RefJson::default() },
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize)]
struct PlaceJson<'t> {
    address: Address,
    #[serde(rename = "type")]
    of_type: &'t str,
    bytes: u64,
    uninitialised: bool,
}

impl<'t> PlaceJson<'t> {
    fn of(place: &'t Place) -> Self {
        PlaceJson {
            address: Address(place.address),
            of_type: &place.of_type,
            bytes: place.bytes,
            uninitialised: place.uninitialised,
        }
    }
}

struct Heap<'t> {
    state: &'t State<'t>,
    sources: &'t [Source],
}

impl Serialize for Heap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let objects = self.state.objects.values();
        serializer.collect_map(objects.map(|object| (Id(object.id), ObjectJson::of(object, self.sources))))
    }
}

#[derive(Serialize)]
struct ObjectJson<'t> {
    address: Address,
    #[serde(rename = "type")]
    of_type: &'t str,
    kind: ObjectKind,
    standing: Standing,
    bytes: u64,
    refcount: Option<u64>,
    immortal: bool,
    value: Option<&'t str>,
    items: Items<'t>,
    hidden_items: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocated_at: Option<LineJson<'t>>,
}

impl<'t> ObjectJson<'t> {
    fn of(object: &'t Object, sources: &'t [Source]) -> Self {
        ObjectJson {
            address: Address(object.address),
            of_type: &object.of_type,
            kind: object.kind,
            standing: object.standing,
            bytes: object.bytes,
            refcount: object.references,
            immortal: object.immortal,
            value: object.value.as_deref(),
            items: Items(&object.items),
            hidden_items: object.hidden_items,
            allocated_at: object
                .allocated_at
                .map(|(source, line)| LineJson { file: path(sources, source), line }),
        }
    }
}

#[derive(Serialize)]
struct LineJson<'t> {
    file: &'t str,
    line: u32,
}

struct Items<'t>(&'t [(String, Ref)]);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(label, to)| (label, RefJson::of(to))))
    }
}

#[derive(Serialize)]
struct TemporaryJson<'t> {
    #[serde(rename = "type")]
    of_type: Option<&'t str>,
    count: u64,
    bytes: u64,
}

impl<'t> TemporaryJson<'t> {
    fn of(temporary: &'t Temporary) -> Self {
        TemporaryJson {
            of_type: temporary.of_type.as_deref(),
            count: temporary.count,
            bytes: temporary.bytes,
        }
    }
}

/// An object's id, a text as a key of JSON must be.
struct Id(ObjectId);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.0)
    }
}

/// An address in hexadecimal: as a number it might not survive a reader that has only floats.
pub(crate) struct Address(pub(crate) u64);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}
