//! From where the program stands to a step: what there is, what leads to it, and what changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use memsight_picture::{Delta, Event, FrameKind, ObjectId, Source, SourceId, Step, Temporary};

use super::draw::Code;
use super::faults;
use super::frames::takes_address;
use super::memory::Memory;
use super::space::{Of, Space, Thing};
use super::types::Types;
use super::wire::{self, Begun, Function, Reason, Stop};

/// What is known of the program between two steps.
pub(super) struct Picture {
    pub(super) space: Space,
    pub(super) types: Types,
    pub(super) code: Code,
    pub(super) memory: Memory,
    pub(super) functions: HashMap<usize, Function>,
    pub(super) globals: Vec<(String, ObjectId)>,
    pub(super) frames: HashMap<u32, Known>,
    threads: Vec<u32>,
    pub(super) sources: Vec<Source>,
    pub(super) source_ids: HashMap<String, SourceId>,
    /// The line that each thread is at.
    lines: HashMap<u32, (SourceId, u32)>,
    /// How many stops there were: what was reached at the last one is marked with it.
    pub(super) stops: u32,
    passed_over: Vec<wire::Event>,
}

/// A frame whose variables are known.
pub(super) struct Known {
    pub(super) variables: Vec<Option<ObjectId>>,
    pub(super) moving: BTreeMap<String, ObjectId>,
    pub(super) return_address: Option<u64>,
    /// Where it returns to instead, if that was overwritten.
    pub(super) overrun: Option<u64>,
}

impl Picture {
    pub(super) fn new(begun: Begun, memory: Memory, shown_path: &dyn Fn(&Path) -> String) -> Self {
        let mut types = Types::default();
        types.add(begun.types);
        let mut sources = Vec::new();
        let mut source_ids = HashMap::new();
        for file in &begun.files {
            let text = std::fs::read(file).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            source_ids.insert(file.clone(), SourceId(sources.len() as u32));
            sources.push(Source { path: shown_path(Path::new(file)), text });
        }
        let mut space = Space::default();
        let mut globals = Vec::new();
        for global in begun.globals {
            let (id, _) = space.add(global.address, types.bytes(global.of_type), Of::Static);
            let is_object = types.is_aggregate(global.of_type);
            if let Some(thing) = space.get_mut(id) {
                thing.element = Some(global.of_type);
                thing.name = Some(global.name.clone());
                thing.is_object =
                    is_object || sources.iter().any(|source| takes_address(&source.text, &global.name));
            }
            let name = match global.function {
                Some(function) => format!("{function}.{}", global.name),
                None => global.name,
            };
            globals.push((name, id));
        }
        let code = Code(begun.code.into_iter().collect());
        Picture {
            space,
            types,
            code,
            memory,
            functions: HashMap::new(),
            globals,
            frames: HashMap::new(),
            threads: Vec::new(),
            sources,
            source_ids,
            lines: HashMap::new(),
            stops: 0,
            passed_over: Vec::new(),
        }
    }

    /// Bytes that the program has printed and that are still in its buffer.
    pub(super) fn pending_output(&mut self, stdout: Option<u64>) -> Vec<u8> {
        // Of a FILE: flags, three pointers of reading, then the beginning and the end of what is to be written.
        let Some(file) = stdout else { return Vec::new() };
        let (Some(base), Some(end)) = (self.memory.word(file + 32), self.memory.word(file + 40)) else {
            return Vec::new();
        };
        match end.checked_sub(base) {
            Some(len @ 1..=0x10_0000) => self.memory.read(base, len),
            _ => Vec::new(),
        }
    }

    /// Must be called when the program has moved, before all else.
    pub(super) fn moved(&mut self) {
        self.memory.refresh();
    }

    /// Takes in a stop that is no step of its own.
    pub(super) fn pass_over(&mut self, mut stop: Stop) {
        self.learn(&mut stop);
        self.passed_over.append(&mut stop.events);
    }

    fn learn(&mut self, stop: &mut Stop) {
        self.types.add(std::mem::take(&mut stop.types));
        for function in std::mem::take(&mut stop.functions) {
            self.functions.insert(function.number, function);
        }
    }

    /// The step at which the program stands.
    pub(super) fn step(&mut self, mut stop: Stop) -> Step {
        self.learn(&mut stop);
        stop.events.splice(..0, self.passed_over.drain(..));
        let thread = stop.thread.unwrap_or(1);
        if !self.threads.contains(&thread) {
            self.threads.push(thread);
        }
        let mut delta = Delta::default();
        let freed_now = self.apply_events(&stop, thread, &mut delta);
        self.follow_frames(&stop, &mut delta);
        self.mark(&stop);
        self.redraw(stop.sp, &freed_now, &mut delta);
        let stack = self.stack(&stop, thread);
        let top = stack.iter().rfind(|frame| frame.kind == FrameKind::Function);
        let (source, line) = top.map_or((SourceId(0), 0), |frame| (frame.source, frame.line));
        if line > 0 {
            self.lines.insert(thread, (source, line));
        }
        let event = match stop.reason {
            Reason::Call => Event::Call,
            Reason::Line => Event::Line,
            Reason::Return => Event::Return,
            Reason::Signal | Reason::Fault => Event::Exception,
            Reason::End | Reason::Exited => Event::End,
        };
        let position = self.threads.iter().position(|known| *known == thread).unwrap_or(0);
        let mut step = Step {
            event,
            yields: false,
            thread: position as u32,
            source,
            line: if event == Event::End { 0 } else { line },
            value: self.returned(&stop, thread),
            stack,
            stdout: String::new(),
            stderr: String::new(),
            delta,
            say: String::new(),
        };
        let overrun = self.overrun(&stop, thread, &step);
        let words = match event {
            Event::Exception => Some(faults::words(self, &stop, &step)),
            Event::End => None,
            _ => overrun.or_else(|| faults::use_after_free(self, &step)),
        };
        if let Some(words) = words {
            step.event = Event::Exception;
            step.say = words;
        }
        step
    }

    /// Takes in what was given and freed. Returns the blocks that were freed.
    fn apply_events(&mut self, stop: &Stop, thread: u32, delta: &mut Delta) -> Vec<ObjectId> {
        let mut new = HashSet::new();
        let mut freed = Vec::new();
        for event in &stop.events {
            let place =
                event.place.as_ref().and_then(|(file, line)| Some((*self.source_ids.get(file)?, *line)));
            let place = place.or_else(|| self.lines.get(&thread).copied());
            let old = event.old.filter(|&old| old != 0).and_then(|old| self.space.beginning_at(old));
            let old =
                old.filter(|&id| self.space.get(id).is_some_and(|thing| matches!(thing.of, Of::Heap { .. })));
            if let (Some(id), true) = (old, event.old == Some(event.address)) {
                // It grew or shrank where it was.
                if let Some(thing) = self.space.get_mut(id) {
                    thing.bytes = event.bytes;
                    thing.written.truncate(event.bytes as usize);
                }
                continue;
            }
            let element = old.and_then(|id| self.space.get(id)).and_then(|thing| thing.element);
            if let Some(thing) = old.and_then(|id| self.space.get_mut(id)) {
                thing.freed = Some(place);
                let bytes = thing.bytes;
                if new.remove(&thing.id) {
                    let id = thing.id;
                    if matches!(thing.of, Of::Heap { own: true }) {
                        note_temporary(delta, bytes);
                    }
                    self.space.remove(id);
                } else {
                    freed.push(thing.id);
                }
            }
            if event.address != 0 {
                let (id, gone) = self.space.add(event.address, event.bytes, Of::Heap { own: event.own });
                self.lose(gone, delta);
                new.insert(id);
                if let Some(thing) = self.space.get_mut(id) {
                    thing.allocated_at = place;
                    thing.element = element;
                }
            }
        }
        freed
    }

    /// Things that are no more: those that were shown have died.
    pub(super) fn lose(&mut self, gone: Vec<Thing>, delta: &mut Delta) {
        for thing in gone {
            if thing.shown {
                delta.died.push(thing.id);
            }
        }
    }

    /// A line of a source, without what is around it.
    pub(super) fn line(&self, source: SourceId, line: u32) -> &str {
        let text = self.sources.get(source.0 as usize).map_or("", |source| source.text.as_str());
        text.lines().nth(line.saturating_sub(1) as usize).unwrap_or("").trim()
    }
}

fn note_temporary(delta: &mut Delta, bytes: u64) {
    match delta.temporaries.iter_mut().find(|known| known.of_type.is_none()) {
        Some(known) => {
            known.count += 1;
            known.bytes += bytes;
        }
        None => delta.temporaries.push(Temporary { of_type: None, count: 1, bytes }),
    }
}
