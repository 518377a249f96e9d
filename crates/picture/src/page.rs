//! A trace as the page reads it: what each step changed, in few bytes.
//!
//! The page takes this as JSON (gzip'd, in base64, inside the HTML file) and keeps
//! keyframes of its own. Texts that repeat stand once in `texts` and are named by their
//! index (`text` below); `str` is the text itself. Field names are short since there are many.
//!
//! ```text
//! Data   { schema_version: 1, language: "python"|"c", made_by: str, ending: str, truncated: str|null, notes: [str],
//!          sources: [{path: str, text: str}], steps: [Step], lives: {ID: [Life]}, texts: [str] }
//! Step   { e: "call"|"line"|"return"|"exception"|"end", y?: true (pauses), t: thread, f: source, l: line,
//!          say: str, out?: str, err?: str, v?: Ref (returned or raised),
//!          keep?: n, stack?: [Frame]   (the n outermost frames are as in the step before, these follow;
//!                                      both left out: all as in the step before),
//!          died?: [ID], left?: [ID], born?: [Object], changed?: [Change]   (to be done in this order),
//!          temp?: [[type text|null, count, bytes]] }
//! Frame  { id, n: function text, f: source, l: line, k: "function"|"module"|"class"|"generator",
//!          names: [[name text, kind, Ref, place?]] }     kind: "l"ocal "g"lobal "c"ell "h"eld
//! Place  [address hex, type text, bytes, uninitialised 0|1]
//! Ref    ID | [ID, offset] | {v: text}
//! Object { id, a: address hex, t: type text, k: kind, s: standing, b: bytes, r: count|null, i?: true (immortal),
//!          v?: value str, items?: [[label text, Ref]], more?: hidden items, at?: [source, line] }
//!          kind: "value" "sequence" "mapping" "set" "fields" "class" "function" "iterator" "closed"
//!          standing: "reached" "unreached" "freed" "stack" "static"
//! Change { id, any of a, t, k, s, b, r, i, v, more, at that differ (v and at are null where there is none now),
//!          splice?: [at, how many go, [[label text, Ref]]] (replaces a part of items) }
//! Life   [step, what, text]   what: "born" "died" "left" "+" (a reference gained; the text says whose) "-" (lost)
//!                             "count" (the count changed; the text is "2→3") "value" (value, size or number of
//!                             items changed; the text is the new one) "standing" (no name leads to it any more,
//!                             or one does again; the text says which) "more" (there is more that is not told)
//! ```

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::Serialize;

use crate::json::Address;
use crate::lives::{self, What};
use crate::model::{
    Event, Frame, FrameKind, Language, NameKind, Object, ObjectId, ObjectKind, Ref, Source, SourceId,
    Standing, Step, Trace,
};
use crate::replay::common;
use crate::state::State;

/// Writes what the page reads, as JSON. `out` should be buffered.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    Ok(serde_json::to_writer(out, &Data::new(trace))?)
}

#[derive(Serialize)]
struct Data<'t> {
    schema_version: u32,
    language: Language,
    made_by: &'t str,
    ending: &'t str,
    truncated: Option<&'t str>,
    notes: &'t [String],
    sources: &'t [Source],
    steps: Vec<StepData<'t>>,
    lives: BTreeMap<u32, Vec<(usize, &'static str, TextId)>>,
    texts: Vec<String>,
}

impl<'t> Data<'t> {
    fn new(trace: &'t Trace) -> Self {
        let mut texts = Texts::default();
        let mut state = State::default();
        let mut before = None;
        let mut steps = Vec::with_capacity(trace.steps.len());
        for step in &trace.steps {
            steps.push(StepData::new(step, before, &state, &mut texts));
            state.advance(step);
            before = Some(step);
        }
        let mut told = BTreeMap::new();
        for (id, life) in lives::lives(trace) {
            let events = life.iter().map(|life| (life.step, what(life.what), texts.id(&life.text)));
            told.insert(id.0, events.collect());
        }
        Data {
            schema_version: 1,
            language: trace.language,
            made_by: &trace.made_by,
            ending: &trace.ending,
            truncated: trace.truncated.as_deref(),
            notes: &trace.notes,
            sources: &trace.sources,
            steps,
            lives: told,
            texts: texts.all,
        }
    }
}

fn what(what: What) -> &'static str {
    match what {
        What::Born => "born",
        What::Died => "died",
        What::Left => "left",
        What::Gained => "+",
        What::Lost => "-",
        What::Count => "count",
        What::Value => "value",
        What::Standing => "standing",
        What::More => "more",
    }
}

/// An index into `texts`.
#[derive(Clone, Copy, Serialize)]
struct TextId(usize);

#[derive(Default)]
struct Texts {
    all: Vec<String>,
    ids: HashMap<String, TextId>,
}

impl Texts {
    fn id(&mut self, text: &str) -> TextId {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = TextId(self.all.len());
        self.all.push(text.to_owned());
        self.ids.insert(text.to_owned(), id);
        id
    }
}

#[derive(Serialize)]
struct StepData<'t> {
    e: Event,
    #[serde(skip_serializing_if = "is_false")]
    y: bool,
    t: u32,
    f: u32,
    l: u32,
    say: &'t str,
    #[serde(skip_serializing_if = "str::is_empty")]
    out: &'t str,
    #[serde(skip_serializing_if = "str::is_empty")]
    err: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<RefData>,
    #[serde(skip_serializing_if = "is_zero")]
    keep: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<Vec<FrameData>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    died: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    born: Vec<ObjectData<'t>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<ChangeData<'t>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    temp: Vec<(Option<TextId>, u64, u64)>,
}

impl<'t> StepData<'t> {
    /// `state` is that of the step before.
    fn new(step: &'t Step, before: Option<&Step>, state: &State<'t>, texts: &mut Texts) -> Self {
        let delta = &step.delta;
        let stack_before = before.map_or(&[][..], |before| &before.stack);
        let same_stack = before.is_some() && stack_before == step.stack;
        let (keep, _) = common(stack_before, &step.stack, |old, new| old == new);
        let ids = |ids: &[ObjectId]| ids.iter().map(|id| id.0).collect();
        let mut born: Vec<_> = delta.born.iter().map(|object| ObjectData::new(object, texts)).collect();
        let mut changed = Vec::new();
        for object in &delta.changed {
            match state.objects.get(&object.id) {
                Some(old) => changed.extend(ChangeData::new(old, object, texts)),
                None => born.push(ObjectData::new(object, texts)),
            }
        }
        let temporaries = delta.temporaries.iter();
        let temp = temporaries
            .map(|made| (made.of_type.as_ref().map(|of_type| texts.id(of_type)), made.count, made.bytes));
        StepData {
            e: step.event,
            y: step.yields,
            t: step.thread,
            f: step.source.0,
            l: step.line,
            say: &step.say,
            out: &step.stdout,
            err: &step.stderr,
            temp: temp.collect(),
            v: step.value.as_ref().map(|value| RefData::new(value, texts)),
            keep: if same_stack { 0 } else { keep as u64 },
            stack: (!same_stack)
                .then(|| step.stack[keep..].iter().map(|frame| FrameData::new(frame, texts)).collect()),
            died: ids(&delta.died),
            left: ids(&delta.left),
            born,
            changed,
        }
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize)]
struct FrameData {
    id: u32,
    n: TextId,
    f: u32,
    l: u32,
    k: FrameKind,
    names: Vec<NameData>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum NameData {
    Plain(TextId, &'static str, RefData),
    Placed(TextId, &'static str, RefData, (Address, TextId, u64, u8)),
}

impl FrameData {
    fn new(frame: &Frame, texts: &mut Texts) -> Self {
        let names = frame.names.iter().map(|name| {
            let kind = match name.kind {
                NameKind::Local => "l",
                NameKind::Global => "g",
                NameKind::Cell => "c",
                NameKind::Held => "h",
            };
            let (text, to) = (texts.id(&name.name), RefData::new(&name.to, texts));
            match &name.place {
                None => NameData::Plain(text, kind, to),
                Some(place) => {
                    let of_type = texts.id(&place.of_type);
                    let uninitialised = u8::from(place.uninitialised);
                    NameData::Placed(
                        text,
                        kind,
                        to,
                        (Address(place.address), of_type, place.bytes, uninitialised),
                    )
                }
            }
        });
        let names = names.collect();
        FrameData {
            id: frame.id,
            n: texts.id(&frame.function),
            f: frame.source.0,
            l: frame.line,
            k: frame.kind,
            names,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum RefData {
    Beginning(u32),
    Inside(u32, u64),
    Value { v: TextId },
}

impl RefData {
    fn new(to: &Ref, texts: &mut Texts) -> Self {
        match to {
            Ref::Object { id, offset: 0 } => RefData::Beginning(id.0),
            Ref::Object { id, offset } => RefData::Inside(id.0, *offset),
            Ref::Value(value) => RefData::Value { v: texts.id(value) },
        }
    }
}

type ItemData = (TextId, RefData);

fn items(items: &[(String, Ref)], texts: &mut Texts) -> Vec<ItemData> {
    items.iter().map(|(label, to)| (texts.id(label), RefData::new(to, texts))).collect()
}

#[derive(Serialize)]
struct ObjectData<'t> {
    id: u32,
    a: Address,
    t: TextId,
    k: ObjectKind,
    s: Standing,
    b: u64,
    r: Option<u64>,
    #[serde(skip_serializing_if = "is_false")]
    i: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<&'t str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemData>,
    #[serde(skip_serializing_if = "is_zero")]
    more: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<(u32, u32)>,
}

impl<'t> ObjectData<'t> {
    fn new(object: &'t Object, texts: &mut Texts) -> Self {
        ObjectData {
            id: object.id.0,
            a: Address(object.address),
            t: texts.id(&object.of_type),
            k: object.kind,
            s: object.standing,
            b: object.bytes,
            r: object.references,
            i: object.immortal,
            v: object.value.as_deref(),
            items: items(&object.items, texts),
            more: object.hidden_items,
            at: object.allocated_at.map(line),
        }
    }
}

fn line((source, line): (SourceId, u32)) -> (u32, u32) {
    (source.0, line)
}

/// A field that differs is `Some`, and one that has no value now is `Some(None)`.
#[derive(Serialize)]
struct ChangeData<'t> {
    id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<TextId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<ObjectKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<Standing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<Option<&'t str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Option<(u32, u32)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    splice: Option<(usize, usize, Vec<ItemData>)>,
}

impl<'t> ChangeData<'t> {
    /// `None` if nothing differs.
    fn new(old: &Object, new: &'t Object, texts: &mut Texts) -> Option<Self> {
        if old == new {
            return None;
        }
        let of_type = (old.of_type != new.of_type).then(|| texts.id(&new.of_type));
        Some(ChangeData {
            id: new.id.0,
            a: (old.address != new.address).then_some(Address(new.address)),
            t: of_type,
            k: (old.kind != new.kind).then_some(new.kind),
            s: (old.standing != new.standing).then_some(new.standing),
            b: (old.bytes != new.bytes).then_some(new.bytes),
            r: (old.references != new.references).then_some(new.references),
            i: (old.immortal != new.immortal).then_some(new.immortal),
            v: (old.value != new.value).then_some(new.value.as_deref()),
            more: (old.hidden_items != new.hidden_items).then_some(new.hidden_items),
            at: (old.allocated_at != new.allocated_at).then_some(new.allocated_at.map(line)),
            splice: splice(&old.items, &new.items, texts),
        })
    }
}

/// What is between the first and the last difference.
fn splice(
    old: &[(String, Ref)],
    new: &[(String, Ref)],
    texts: &mut Texts,
) -> Option<(usize, usize, Vec<ItemData>)> {
    if old == new {
        return None;
    }
    let (before, behind) = common(old, new, |old, new| old == new);
    let put = items(&new[before..new.len() - behind], texts);
    Some((before, old.len() - before - behind, put))
}
