//! What happened at a step, in one sentence.
//!
//! A step may change many things, and a sentence has room for two. So everything that
//! could be said becomes a [`Fact`] with its rank, and the two that the reader wants to know
//! first are said: why the program stopped here, then what became of names, of objects, and
//! of what was freed.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Event, Frame, FrameKind, Language, NameKind, Object, ObjectId, Ref, Standing, Step, Trace,
};
use crate::replay::{Moment, Renamed, Replay, object_of};
use crate::words::{count, cut, plural};

mod describe;
mod objects;
#[cfg(test)]
mod tests;

use describe::{is_plain, is_the_programs, new, short_value, some, the, tick};

/// A sentence is not longer, so that it stands in a line of most windows.
pub const MAX_SENTENCE: usize = 140;

/// What the reader wants to know first, first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Why the step was taken: a call, a return, an exception, the end.
    Event,
    /// C: freed, leaked.
    Block,
    /// C: what dangles since then.
    Dangling,
    /// A name names something else, and what that meant for what it named.
    Name,
    /// An object's inside.
    Object,
    /// A frame is gone.
    Frame,
    /// No name leads to it.
    Unreached,
    Death,
    Temporary,
    Count,
    Output,
    Nothing,
}

struct Fact {
    rank: Rank,
    text: String,
}

/// Says what happened at each step that has no sentence yet.
pub fn say_all(trace: &mut Trace) {
    let sentences = sentences(trace);
    for (step, sentence) in trace.steps.iter_mut().zip(sentences) {
        if step.say.is_empty() {
            step.say = sentence;
        }
    }
}

/// A sentence for each step.
fn sentences(trace: &Trace) -> Vec<String> {
    let mut replay = Replay::new(trace);
    let mut frames_seen = BTreeSet::new();
    let mut last_by_thread = BTreeMap::<u32, &Step>::new();
    let mut sentences = Vec::with_capacity(trace.steps.len());
    for (index, step) in trace.steps.iter().enumerate() {
        let moment = replay.advance(step);
        let teller = Teller {
            trace,
            replay: &replay,
            moment: &moment,
            step,
            last: last_by_thread.insert(step.thread, step),
            is_first: index == 0,
            frames_seen: &frames_seen,
            born: step.delta.born.iter().map(|object| object.id).collect(),
            died: step.delta.died.iter().copied().collect(),
            facts: Vec::new(),
            mentioned: BTreeSet::new(),
        };
        sentences.push(teller.tell());
        frames_seen.extend(step.stack.iter().map(|frame| frame.id));
    }
    sentences
}

/// What can be said of one step.
struct Teller<'a, 't> {
    trace: &'t Trace,
    replay: &'a Replay<'t>,
    moment: &'a Moment<'t>,
    step: &'t Step,
    /// The step before of the same thread.
    last: Option<&'t Step>,
    is_first: bool,
    frames_seen: &'a BTreeSet<u32>,
    born: BTreeSet<ObjectId>,
    died: BTreeSet<ObjectId>,
    facts: Vec<Fact>,
    /// Objects of which something was said.
    mentioned: BTreeSet<ObjectId>,
}

impl<'t> Teller<'_, 't> {
    fn tell(mut self) -> String {
        self.event();
        self.blocks();
        self.names();
        self.changes();
        self.frames_left();
        self.unreached();
        self.deaths();
        self.temporaries();
        self.counts();
        self.output();
        self.nothing();
        sentence(self.facts, self.step.event)
    }

    fn fact(&mut self, rank: Rank, text: String) {
        self.facts.push(Fact { rank, text });
    }

    fn language(&self) -> Language {
        self.trace.language
    }

    /// Python: a value that nobody made in this step and that nobody else's name says more of:
    /// `None` and small numbers, which the interpreter has one of, and what stands in the code,
    /// which others than the names and objects shown refer to.
    fn is_nobodys(&self, object: &Object) -> bool {
        let is_small = |value: &str| value.parse::<i64>().is_ok_and(|number| (-5..=256).contains(&number));
        let is_held = || object.references.is_some_and(|count| count > self.replay.references_to(object.id));
        self.language() == Language::Python
            && is_plain(object)
            && (!is_the_programs(object)
                || object.of_type == "int" && object.value.as_deref().is_some_and(is_small)
                || self.born.contains(&object.id) && is_held())
    }

    fn object(&self, to: &Ref) -> Option<&'t Object> {
        object_of(to).and_then(|id| self.replay.state.objects.get(&id)).copied()
    }

    /// What a name or a value is, in words.
    fn value(&self, to: &Ref) -> String {
        match (self.object(to), to) {
            (Some(object), _) => some(object, self.language()),
            (None, Ref::Value(value)) => cut(value, 40),
            (None, Ref::Object { .. }) => "an object that is not looked at".to_owned(),
        }
    }

    fn event(&mut self) {
        let frame = self.step.stack.last();
        let text = match self.step.event {
            Event::Call | Event::Line if self.is_first => match frame {
                Some(_) if self.step.stack.len() > 1 => "the picture begins here".to_owned(),
                _ => "the program begins".to_owned(),
            },
            Event::Call => match frame {
                Some(frame) => self.call(frame),
                None => return,
            },
            Event::Return => match frame {
                Some(frame) => self.returns(frame),
                None => return,
            },
            Event::Exception => self.exception(frame),
            Event::End => self.end(),
            Event::Line => return,
        };
        let passing = self.last.filter(|last| last.event == Event::Exception);
        let values = [Some(self.step), passing].into_iter().flatten().filter_map(|step| step.value.as_ref());
        self.mentioned.extend(values.filter_map(object_of));
        self.fact(Rank::Event, text);
    }

    fn call(&self, frame: &Frame) -> String {
        if self.frames_seen.contains(&frame.id) {
            return format!("{} goes on", self.frame(frame));
        }
        match frame.kind {
            FrameKind::Module => format!("{} begins", self.frame(frame)),
            FrameKind::Class => format!("the body of class {} begins", tick(&frame.function)),
            FrameKind::Function | FrameKind::Generator => {
                let given = frame.names.iter().filter(|name| {
                    name.kind != NameKind::Held
                        && !name.place.as_ref().is_some_and(|place| place.uninitialised)
                });
                let mut arguments: Vec<_> =
                    given.map(|name| format!("{} = {}", tick(&name.name), self.value(&name.to))).collect();
                let more = arguments.len().saturating_sub(2);
                arguments.truncate(2);
                let mut text = format!("{} is called", tick(&frame.function));
                if !arguments.is_empty() {
                    text.push_str(&format!(" with {}", arguments.join(" and ")));
                }
                if more > 0 {
                    text.push_str(&format!(" and {more} more"));
                }
                text
            }
        }
    }

    fn returns(&self, frame: &Frame) -> String {
        let who = self.frame(frame);
        match (&self.step.value, frame.kind) {
            (Some(value), _) if self.step.yields => format!("{who} yields {} and pauses", self.value(value)),
            (None, _) if self.step.yields => format!("{who} pauses"),
            (None, _) if self.is_unwinding() => format!("{who} is left by the exception"),
            (_, FrameKind::Module) => format!("{who} is at its end"),
            (_, FrameKind::Class) => format!("the body of class {} ends", tick(&frame.function)),
            (Some(value), _) => format!("{who} returns {}", self.value(value)),
            (None, _) => format!("{who} returns"),
        }
    }

    fn is_unwinding(&self) -> bool {
        self.language() == Language::Python && self.last.is_some_and(|last| last.event == Event::Exception)
    }

    fn exception(&self, frame: Option<&Frame>) -> String {
        let here = frame.map_or_else(|| "the program".to_owned(), |frame| self.frame(frame));
        let value = match self.step.value.as_ref().map(|value| (value, self.object(value))) {
            Some((_, Some(object))) => object,
            Some((Ref::Value(text), None)) => return format!("{} in {here}", cut(text, 80)),
            _ => return format!("an exception is raised in {here}"),
        };
        let of_type = cut(&value.of_type, 40);
        let comes_from_a_call = self.moment.left.iter().any(|frame| self.frames_seen.contains(&frame.id));
        if comes_from_a_call && !self.born.contains(&value.id) {
            return format!("the {of_type} comes to {here}");
        }
        match message(value) {
            Some(message) => format!("{of_type} is raised in {here}: {message}"),
            None => format!("{of_type} is raised in {here}"),
        }
    }

    fn end(&self) -> String {
        let leaked = self.replay.state.objects.values();
        let leaked: Vec<_> = leaked.filter(|object| object.standing == Standing::Unreached).collect();
        let text = format!("the program ends: {}", cut(&self.trace.ending, 60));
        match (self.language(), leaked.len() as u64) {
            (Language::C, blocks @ 1..) => {
                let bytes = leaked.iter().fold(0u64, |sum, object| sum.saturating_add(object.bytes));
                format!("{text}, and {} of {} leaked", count(blocks, "block"), count(bytes, "byte"))
            }
            _ => text,
        }
    }

    /// A function by its name, a file's own code by the file.
    fn frame(&self, frame: &Frame) -> String {
        match (frame.kind, frame.source.0) {
            (FrameKind::Module, 0) => "the program".to_owned(),
            (FrameKind::Module, source) => {
                let path = self.trace.sources.get(source as usize).map_or("a module", |source| &source.path);
                tick(path.rsplit('/').next().unwrap_or(path))
            }
            _ => tick(&frame.function),
        }
    }

    fn names(&mut self) {
        let moment = self.moment;
        for renamed in moment.renamed.iter().filter(|renamed| renamed.kind != NameKind::Held) {
            self.name(renamed);
        }
    }

    fn name(&mut self, renamed: &Renamed<'t>) {
        let name = tick(renamed.name);
        let Some(to) = renamed.to else {
            self.fact(Rank::Name, format!("the name {name} is gone"));
            self.what_became_of(renamed, None);
            return;
        };
        let verb = match (self.language(), renamed.from.is_some()) {
            (Language::C, _) => "now points to",
            (Language::Python, true) => "now names",
            (Language::Python, false) => "names",
        };
        let Some(object) = self.object(to) else {
            self.fact(Rank::Name, format!("{name} is now {}", self.value(to)));
            self.what_became_of(renamed, None);
            return;
        };
        // An array or struct that is the variable itself: what is in it is said by itself.
        if object.standing == Standing::OnStack && renamed.from.is_none() {
            return;
        }
        self.mentioned.insert(object.id);
        let text = match self.replay.other_path(object.id, renamed.frame.id, renamed.name) {
            _ if object.immortal || self.is_nobodys(object) => self.value(to),
            _ if self.born.contains(&object.id) && is_the_programs(object) => new(object, self.replay),
            Some(path) => self.same(object, &path),
            None => match is_plain(object) {
                true => self.value(to),
                false => the(object, self.language()),
            },
        };
        let inside = match to {
            Ref::Object { offset: 0, .. } | Ref::Value(_) => String::new(),
            Ref::Object { offset, .. } => format!(", {} behind its beginning", count(*offset, "byte")),
        };
        self.fact(Rank::Name, format!("{name} {verb} {text}{inside}"));
        self.what_became_of(renamed, Some(object));
    }

    /// An object that something else leads to as well.
    fn same(&self, object: &Object, path: &str) -> String {
        if is_plain(object) || (object.of_type == "str" && path.contains(['[', '.'])) {
            return match short_value(object) {
                Some(value) => format!("{}: {value}", tick(path)),
                None => tick(path),
            };
        }
        let of_type = describe::type_of(object);
        match object.references {
            Some(references) => {
                format!("the same {of_type} as {}: {}", tick(path), count(references, "reference"))
            }
            None => format!("the same {of_type} as {}", tick(path)),
        }
    }

    /// What a name's change meant for the object that it named.
    fn what_became_of(&mut self, renamed: &Renamed<'t>, now: Option<&Object>) {
        let Some(id) = renamed.from.and_then(object_of) else { return };
        let Some(old) = self.moment.old.get(&id).copied() else { return };
        if self.died.contains(&id) && old.standing != Standing::Freed && self.mentioned.insert(id) {
            let text = match now {
                Some(now) if now.of_type == old.of_type => "the old one was freed".to_owned(),
                _ => format!("{} was freed", the(old, self.language())),
            };
            self.fact(Rank::Name, text);
        } else if let Some(still) = self.replay.state.objects.get(&id) {
            let fewer = still.references.filter(|now| old.references.is_some_and(|before| *now < before));
            if let (Some(references), None, Standing::Reached) = (fewer, renamed.to, still.standing) {
                self.mentioned.insert(id);
                let left = count(references, "reference");
                self.fact(Rank::Name, format!("{} has {left} left", the(still, self.language())));
            }
        }
    }

    fn frames_left(&mut self) {
        let paused = self.last.is_some_and(|last| last.yields);
        let Some(frame) = self.moment.left.last() else { return };
        if paused || self.step.event == Event::End || frame.kind == FrameKind::Module {
            return;
        }
        let names: Vec<_> = frame
            .names
            .iter()
            .filter(|name| name.kind != NameKind::Held)
            .map(|name| tick(&name.name))
            .collect();
        let with = match names.as_slice() {
            [] => String::new(),
            [name] => format!(" with its name {name}"),
            [one, other] => format!(" with its names {one} and {other}"),
            more => format!(" with its {} names", more.len()),
        };
        self.fact(Rank::Frame, format!("the frame of {} is gone{with}", tick(&frame.function)));
    }

    fn output(&mut self) {
        let written = [&self.step.stdout, &self.step.stderr].into_iter().find(|text| !text.is_empty());
        if let Some(line) = written.and_then(|text| text.lines().find(|line| !line.trim().is_empty())) {
            let text = format!("the program wrote {}", tick(line));
            self.fact(Rank::Output, text);
        }
    }

    fn nothing(&mut self) {
        let text = match self.last {
            None if self.step.thread > 0 => format!("thread {} begins", self.step.thread),
            Some(last) if last.event == Event::Line && last.line > 0 => {
                format!("line {} changed nothing", last.line)
            }
            Some(Step { event: Event::Call, .. }) if self.step.line > 0 => {
                format!("line {} is next", self.step.line)
            }
            _ => "nothing changed".to_owned(),
        };
        self.fact(Rank::Nothing, text);
    }
}

/// What an exception says, from a value such as `ValueError('no')`.
fn message(object: &Object) -> Option<String> {
    let value = object.value.as_deref()?;
    let inner = value.strip_prefix(object.of_type.as_str()).and_then(|rest| rest.strip_prefix('('));
    let inner = inner.and_then(|rest| rest.strip_suffix([')', '…'])).unwrap_or(value);
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    let quoted = ['\'', '"'].into_iter().find_map(|quote| inner.strip_prefix(quote)?.strip_suffix(quote));
    let message = quoted.unwrap_or(inner);
    (!message.is_empty()).then(|| cut(message, 70))
}

/// The first fact and, where there is room, the second. How the program ended leaves room for
/// what its last line did.
fn sentence(mut facts: Vec<Fact>, event: Event) -> String {
    facts.sort_by_key(|fact| fact.rank);
    let most = match event {
        Event::End => 3,
        _ => 2,
    };
    let mut text = String::new();
    for fact in facts.iter().take(most) {
        if text.is_empty() {
            text.clone_from(&fact.text);
        } else if fact.rank != Rank::Nothing && fits(&text, &fact.text) {
            text.push_str("; ");
            text.push_str(&fact.text);
        }
    }
    let mut text = cut(&text, MAX_SENTENCE - 1);
    if let Some(first) = text.get(..1) {
        let capital = first.to_ascii_uppercase();
        text.replace_range(..1, &capital);
    }
    if !text.ends_with('…') {
        text.push('.');
    }
    text
}

fn fits(first: &str, second: &str) -> bool {
    first.chars().count() + 2 + second.chars().count() < MAX_SENTENCE
}

/// Several objects: `3 lists`, or `5 objects` of several types.
fn several(objects: &[&Object]) -> String {
    let Some(first) = objects.first() else { return String::new() };
    match objects.iter().all(|object| object.of_type == first.of_type) {
        true => format!("{} {}", objects.len(), plural(&describe::type_of(first))),
        false => count(objects.len() as u64, "object"),
    }
}
