//! From where the program stands to a step: what there is, what leads to it, and what changed.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;

use memsight_picture::{
    Delta, Event, Frame, FrameKind, Name, NameKind, ObjectId, Place, Ref, Source, SourceId, Standing, Step,
    Temporary,
};

use super::draw::{Code, Pen};
use super::faults;
use super::memory::Memory;
use super::space::{LOOKED_AT, Of, Space, Thing};
use super::types::{self, Types};
use super::wire::{self, Begun, Function, Kind, Reason, Returned, Stop};

/// A text without an end within so many bytes is none.
const LONGEST_TEXT: u64 = 4096;

/// What is known of the program between two steps.
pub(super) struct Picture {
    pub(super) space: Space,
    pub(super) types: Types,
    code: Code,
    memory: Memory,
    functions: HashMap<usize, Function>,
    globals: Vec<(String, ObjectId)>,
    frames: HashMap<u32, Known>,
    threads: Vec<u32>,
    pub(super) sources: Vec<Source>,
    source_ids: HashMap<String, SourceId>,
    /// The line that each thread is at.
    lines: HashMap<u32, (SourceId, u32)>,
    shown: Vec<ObjectId>,
    passed_over: Vec<wire::Event>,
}

/// A frame whose variables are known.
struct Known {
    variables: Vec<Option<ObjectId>>,
    moving: BTreeMap<String, ObjectId>,
    return_address: Option<u64>,
    overrun: bool,
}

/// What one step found alive, and how.
struct Found {
    reached: HashSet<ObjectId>,
    shown: HashSet<ObjectId>,
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
                thing.is_object = is_object || sources.iter().any(|source| takes_address(&source.text, &global.name));
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
            shown: Vec::new(),
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
        let found = self.mark(&stop);
        self.draw(&stop, &found, &freed_now, &mut delta);
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
            let place = event.place.as_ref().and_then(|(file, line)| Some((*self.source_ids.get(file)?, *line)));
            let place = place.or_else(|| self.lines.get(&thread).copied());
            let old = event.old.filter(|&old| old != 0).and_then(|old| self.space.beginning_at(old));
            let old = old.filter(|&id| self.space.get(id).is_some_and(|thing| matches!(thing.of, Of::Heap { .. })));
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
    fn lose(&mut self, gone: Vec<ObjectId>, delta: &mut Delta) {
        for id in gone {
            if self.shown.contains(&id) {
                delta.died.push(id);
                self.shown.retain(|shown| *shown != id);
            }
        }
    }

    /// Makes the variables of new frames, and drops those of frames that are gone.
    fn follow_frames(&mut self, stop: &Stop, delta: &mut Delta) {
        let now: HashSet<u32> = stop.stacks.iter().flat_map(|(_, frames)| frames).map(|frame| frame.0).collect();
        let gone: Vec<u32> = self.frames.keys().copied().filter(|id| !now.contains(id)).collect();
        for id in gone {
            let Some(known) = self.frames.remove(&id) else { continue };
            for id in known.variables.into_iter().flatten().chain(known.moving.into_values()) {
                self.space.remove(id);
                self.lose(vec![id], delta);
            }
        }
        for (_, frames) in &stop.stacks {
            for frame in frames {
                if !self.frames.contains_key(&frame.0) {
                    self.enter(frame, delta);
                }
                self.follow_moving(frame, delta);
            }
        }
    }

    fn enter(&mut self, frame: &wire::Frame, delta: &mut Delta) {
        let wire::Frame(number, function, _, cfa, ..) = frame;
        let mut known = Known {
            variables: Vec::new(),
            moving: BTreeMap::new(),
            return_address: if cfg!(target_arch = "x86_64") { self.memory.word(cfa.wrapping_sub(8)) } else { None },
            overrun: false,
        };
        let Some(function) = self.functions.get(function) else {
            self.frames.insert(*number, known);
            return;
        };
        let text = self.source_ids.get(&function.file).and_then(|id| self.sources.get(id.0 as usize));
        let text = text.map_or("", |source| source.text.as_str());
        let from_here = text.lines().skip(function.line.saturating_sub(1) as usize);
        let own_text: String = from_here.take_while(|line| !line.starts_with('}')).fold(String::new(), |text, line| text + line + "\n");
        let mut gone = Vec::new();
        let mut arguments = Vec::new();
        for variable in &function.variables {
            let Some(offset) = variable.offset else {
                known.variables.push(None);
                continue;
            };
            let address = cfa.wrapping_add_signed(offset);
            let (id, over) = self.space.add(address, self.types.bytes(variable.of_type), Of::Stack);
            gone.extend(over);
            if let Some(thing) = self.space.get_mut(id) {
                thing.element = Some(variable.of_type);
                thing.name = Some(variable.name.clone());
                thing.is_object =
                    self.types.is_aggregate(variable.of_type) || takes_address(&own_text, &variable.name);
            }
            known.variables.push(Some(id));
            if function.name == "main" && variable.argument {
                arguments.push((address, variable.of_type));
            }
        }
        if let [(count, _), (list, list_type), ..] = arguments[..] {
            self.add_arguments(count, list, list_type);
        }
        self.lose(gone, delta);
        self.frames.insert(*number, known);
    }

    /// The array that main's second argument leads to.
    fn add_arguments(&mut self, count: u64, list: u64, list_type: usize) {
        let count = types::number(&self.memory.read(count, 4)) as u64;
        let Kind::Pointer { to: Some(each) } = self.types.kind(list_type) else { return };
        let each = *each;
        let Some(list) = self.memory.word(list).filter(|_| count < 100_000) else { return };
        if self.space.find(list).is_some() {
            return;
        }
        // A block's elements are counted, a variable's are not: the texts follow from the pointers.
        let (id, _) = self.space.add(list, (count + 1) * 8, Of::Heap { own: false });
        if let Some(thing) = self.space.get_mut(id) {
            thing.element = Some(each);
        }
    }

    fn follow_moving(&mut self, frame: &wire::Frame, delta: &mut Delta) {
        let Some(known) = self.frames.get_mut(&frame.0) else { return };
        let mut gone = Vec::new();
        for wire::Moving(name, of_type, address, ..) in &frame.5 {
            let Some(address) = address else { continue };
            let bytes = self.types.bytes(*of_type);
            let same = |thing: &Thing| thing.address == *address && thing.bytes == bytes;
            if known.moving.get(name).and_then(|&id| self.space.get(id)).is_some_and(same) {
                continue;
            }
            if let Some(old) = known.moving.remove(name) {
                self.space.remove(old);
                gone.push(old);
            }
            let (id, over) = self.space.add(*address, bytes, Of::Stack);
            gone.extend(over);
            if let Some(thing) = self.space.get_mut(id) {
                thing.element = Some(*of_type);
                thing.name = Some(name.clone());
                thing.is_object = self.types.is_aggregate(*of_type);
            }
            known.moving.insert(name.clone(), id);
        }
        self.lose(gone, delta);
    }

    /// The variables that a frame's code sees where it is.
    fn visible(&self, frame: &wire::Frame) -> Vec<(&wire::Variable, Option<ObjectId>)> {
        let (Some(function), Some(known)) = (self.functions.get(&frame.1), self.frames.get(&frame.0)) else {
            return Vec::new();
        };
        let all = function.variables.iter().zip(known.variables.iter());
        let visible = all.filter(|(variable, _)| (variable.from..variable.to).contains(&frame.2));
        let mut visible: Vec<_> = visible
            .map(|(variable, id)| (variable, id.or_else(|| self.space.beginning_at(variable.address?))))
            .collect();
        visible.sort_by_key(|(variable, _)| (!variable.argument, variable.line));
        visible
    }

    /// Follows pointers from all variables, and finds what they do not lead to.
    fn mark(&mut self, stop: &Stop) -> Found {
        let mut roots: Vec<ObjectId> = self.globals.iter().map(|(_, id)| *id).collect();
        for frame in stop.stacks.iter().flat_map(|(_, frames)| frames) {
            roots.extend(self.visible(frame).into_iter().filter_map(|(_, id)| id));
            roots.extend(self.frames.get(&frame.0).into_iter().flat_map(|known| known.moving.values().copied()));
        }
        let mut found = Found { reached: HashSet::new(), shown: HashSet::new() };
        let mut queue: VecDeque<(ObjectId, Option<usize>)> = roots.iter().map(|id| (*id, None)).collect();
        let mut words = stop.registers.clone();
        if let Some(Returned::Bits(bits)) = stop.value {
            words.push(bits);
        }
        for word in words {
            let target = self.space.find(word).map(|(id, _)| id);
            let is_block = |id: &ObjectId| self.space.get(*id).is_some_and(|thing| matches!(thing.of, Of::Heap { .. }));
            queue.extend(target.filter(is_block).filter(|id| self.space.get(*id).is_some_and(|thing| thing.freed.is_none())).map(|id| (id, None)));
        }
        self.follow(&mut queue, &mut found.reached, stop.sp);
        found.shown = found.reached.clone();
        let is_lost = |thing: &&Thing| {
            thing.of == Of::Heap { own: true } && thing.freed.is_none() && !found.reached.contains(&thing.id)
        };
        let lost: Vec<ObjectId> = self.space.things().filter(is_lost).map(|thing| thing.id).collect();
        queue.extend(lost.into_iter().map(|id| (id, None)));
        self.follow(&mut queue, &mut found.shown, stop.sp);
        found
    }

    fn follow(&mut self, queue: &mut VecDeque<(ObjectId, Option<usize>)>, seen: &mut HashSet<ObjectId>, sp: u64) {
        while let Some((id, hint)) = queue.pop_front() {
            let is_better = self.take_type(id, hint);
            if !seen.insert(id) && !is_better {
                continue;
            }
            let Some(thing) = self.space.get(id) else { continue };
            let (Some(element), None) = (thing.element, thing.freed) else { continue };
            if thing.of == Of::Text {
                continue;
            }
            let (element, count) = match thing.of {
                Of::Heap { .. } => self.types.elements(element, thing.bytes),
                _ => (element, 1),
            };
            let layout = self.types.layout(element, count, thing.bytes);
            if layout.pointers.is_empty() {
                continue;
            }
            let bytes = self.memory.read(thing.address, thing.bytes);
            self.note_written(id, &bytes);
            let Some(thing) = self.space.get(id) else { continue };
            let unwritten: Vec<bool> =
                layout.pointers.iter().map(|(offset, _)| thing.is_unwritten(*offset, 8)).collect();
            for ((offset, to), unwritten) in layout.pointers.iter().zip(unwritten) {
                let word = bytes.get(*offset as usize..*offset as usize + 8);
                let (Some(word), false) = (word, unwritten) else { continue };
                let Some((target, inside)) = self.resolve(types::number(word) as u64, *to, sp) else { continue };
                if let Some(thing) = self.space.get_mut(target) {
                    thing.is_object = true;
                }
                queue.push_back((target, if inside == 0 { *to } else { None }));
            }
        }
    }

    /// A block has the type of the pointers to it; one that says more replaces one that says less.
    fn take_type(&mut self, id: ObjectId, hint: Option<usize>) -> bool {
        let (Some(hint), Some(thing)) = (hint, self.space.get(id)) else { return false };
        let fits = self.types.bytes(hint) > 0 && self.types.bytes(hint) <= thing.bytes;
        let rank = |id: usize| match self.types.kind(id) {
            Kind::Closed => 0,
            Kind::Char => 1,
            Kind::Struct { .. } | Kind::Union { .. } => 3,
            _ => 2,
        };
        let is_block = matches!(thing.of, Of::Heap { .. });
        let better = is_block && fits && thing.element.is_none_or(|known| rank(hint) > rank(known));
        if let (true, Some(thing)) = (better, self.space.get_mut(id)) {
            thing.element = Some(hint);
        }
        better
    }

    /// What a pointer leads to. A text that was not known becomes a thing.
    fn resolve(&mut self, word: u64, to: Option<usize>, sp: u64) -> Option<(ObjectId, u64)> {
        if let Some(found) = self.space.find(word) {
            return Some(found);
        }
        let gone = word < sp && sp - word < 1 << 20;
        if word < 4096 || gone || !self.types.is_char(to?) {
            return None;
        }
        let text = self.memory.text(word, LONGEST_TEXT)?;
        let (id, _) = self.space.add(word, text.len() as u64, Of::Text);
        Some((id, 0))
    }

    fn note_written(&mut self, id: ObjectId, bytes: &[u8]) {
        if let Some(thing) = self.space.get_mut(id)
            && thing.freed.is_none()
        {
            thing.note_written(&bytes[..bytes.len().min(LOOKED_AT as usize)]);
        }
    }

    /// Draws what changed.
    fn draw(&mut self, stop: &Stop, found: &Found, freed_now: &[ObjectId], delta: &mut Delta) {
        let before: HashSet<ObjectId> = self.shown.iter().copied().collect();
        let mut shown: Vec<ObjectId> = found.shown.iter().copied().collect();
        shown.retain(|id| self.space.get(*id).is_some_and(|thing| thing.is_object));
        shown.sort_unstable();
        for id in before.iter().chain(&shown) {
            if let Some(thing) = self.space.get_mut(*id) {
                thing.shown = false;
            }
        }
        for &id in &shown {
            if let Some(thing) = self.space.get_mut(id) {
                thing.shown = true;
            }
        }
        // Variables that are no objects are read where their names are drawn.
        for id in found.shown.iter().copied() {
            let Some(thing) = self.space.get(id) else { continue };
            let (address, len, is_text) = (thing.address, thing.bytes.min(LOOKED_AT), thing.of == Of::Text);
            let bytes = match is_text {
                true => self.memory.text(address, LONGEST_TEXT).unwrap_or_default(),
                false => self.memory.read(address, len),
            };
            self.note_written(id, &bytes);
            if let (true, Some(thing)) = (is_text, self.space.get_mut(id)) {
                thing.bytes = bytes.len() as u64;
            }
            if let Some(object) = self.redrawn(id, found, bytes, stop.sp) {
                match before.contains(&id) {
                    true => delta.changed.push(object),
                    false => delta.born.push(object),
                }
            }
        }
        delta.born.sort_by_key(|object| object.id);
        delta.changed.sort_by_key(|object| object.id);
        self.leave(&before, &shown, freed_now, delta);
        self.shown = shown;
    }

    /// A thing's object if it differs from what was drawn last.
    fn redrawn(&mut self, id: ObjectId, found: &Found, bytes: Vec<u8>, sp: u64) -> Option<memsight_picture::Object> {
        let pen = Pen { types: &self.types, space: &self.space, code: &self.code, sp };
        let thing = self.space.get(id).filter(|thing| thing.is_object)?;
        let standing = match thing.of {
            _ if thing.freed.is_some() => Standing::Freed,
            Of::Static | Of::Text => Standing::Static,
            Of::Stack => Standing::OnStack,
            Of::Heap { own: false } if thing.allocated_at.is_none() => Standing::OnStack,
            Of::Heap { .. } if found.reached.contains(&id) => Standing::Reached,
            Of::Heap { .. } => Standing::Unreached,
        };
        let targets = match thing.element {
            Some(element) if thing.of != Of::Text => {
                let (element, count) = pen.elements(thing, element);
                let layout = self.types.layout(element, count, thing.bytes);
                let word = |offset: u64| bytes.get(offset as usize..offset as usize + 8).map(types::number);
                layout.pointers.iter().map(|(offset, _)| pen.target(word(*offset)? as u64)).collect()
            }
            _ => Vec::new(),
        };
        let mark = (bytes, targets);
        let same = thing.drawn.as_ref().is_some_and(|drawn| {
            drawn.standing == standing && drawn.bytes == thing.bytes && thing.drawn_from == mark && thing.shown
        });
        let known_type = thing.drawn.as_ref().map(|drawn| drawn.of_type == self.type_of(thing));
        let was_shown = self.shown.binary_search(&id).is_ok();
        if same && was_shown && known_type == Some(true) {
            return None;
        }
        let object = pen.object(thing, standing, &mark.0);
        let differs = !was_shown || thing.drawn.as_ref() != Some(&object);
        if let Some(thing) = self.space.get_mut(id) {
            thing.drawn = Some(object.clone());
            thing.drawn_from = mark;
        }
        differs.then_some(object)
    }

    fn type_of(&self, thing: &Thing) -> String {
        match (thing.of, thing.element) {
            (Of::Text, _) => format!("char [{}]", thing.bytes),
            (_, None) => "void".into(),
            (Of::Heap { .. }, Some(element)) => {
                let (element, count) = self.types.elements(element, thing.bytes);
                self.types.name_of(element, count)
            }
            (_, Some(element)) => self.types.name(element).to_owned(),
        }
    }

    /// Notes what was shown and is no more.
    fn leave(&mut self, before: &HashSet<ObjectId>, shown: &[ObjectId], freed_now: &[ObjectId], delta: &mut Delta) {
        let mut gone: Vec<ObjectId> = before.iter().copied().filter(|id| shown.binary_search(id).is_err()).collect();
        gone.sort_unstable();
        for id in gone {
            match self.space.get(id).map(|thing| thing.freed.is_some()) {
                Some(true) => delta.died.push(id),
                Some(false) => delta.left.push(id),
                None => {}
            }
        }
        let freed = self.space.things().filter(|thing| thing.freed.is_some() && shown.binary_search(&thing.id).is_err());
        let freed: Vec<ObjectId> = freed.map(|thing| thing.id).chain(freed_now.iter().copied()).collect();
        for id in freed {
            if shown.binary_search(&id).is_err() {
                self.space.remove(id);
            }
        }
    }

    /// The frames of a thread, below them the variables that no frame holds.
    fn stack(&mut self, stop: &Stop, thread: u32) -> Vec<Frame> {
        let mut stack = Vec::new();
        if !self.globals.is_empty() {
            let names = self.globals.clone();
            let names = names.into_iter().filter_map(|(name, id)| self.name(name, NameKind::Global, id, stop.sp));
            let names = names.collect();
            stack.push(Frame {
                id: 0,
                function: "<globals>".into(),
                source: SourceId(0),
                line: 0,
                kind: FrameKind::Module,
                names,
            });
        }
        let frames = stop.stacks.iter().find(|(known, _)| *known == thread).map(|(_, frames)| frames);
        for frame in frames.into_iter().flatten() {
            let visible: Vec<(String, u32, Option<ObjectId>)> = self
                .visible(frame)
                .into_iter()
                .map(|(variable, id)| (variable.name.clone(), variable.line, id))
                .collect();
            let mut names: Vec<Name> = Vec::new();
            for (name, line, id) in visible {
                // An inner variable hides an outer one of the same name, and both are there.
                let hides = names.iter().any(|known| known.name == name);
                let shown = if hides { format!("{name} (line {line})") } else { name };
                names.extend(id.and_then(|id| self.name(shown, NameKind::Local, id, stop.sp)));
            }
            for wire::Moving(name, _, _, text, _) in &frame.5 {
                let id = self.frames.get(&frame.0).and_then(|known| known.moving.get(name)).copied();
                match (id, text) {
                    (Some(id), _) => names.extend(self.name(name.clone(), NameKind::Local, id, stop.sp)),
                    (None, Some(text)) => names.push(Name {
                        name: name.clone(),
                        kind: NameKind::Local,
                        to: Ref::Value(text.clone()),
                        place: None,
                    }),
                    (None, None) => {}
                }
            }
            let function = self.functions.get(&frame.1);
            let source = function.and_then(|function| self.source_ids.get(&function.file)).copied();
            stack.push(Frame {
                id: frame.0,
                function: function.map_or_else(String::new, |function| function.name.clone()),
                source: source.unwrap_or(SourceId(0)),
                line: frame.4,
                kind: FrameKind::Function,
                names,
            });
        }
        stack
    }

    fn name(&mut self, name: String, kind: NameKind, id: ObjectId, sp: u64) -> Option<Name> {
        let thing = self.space.get(id)?;
        let element = thing.element?;
        let bytes = self.memory.read(thing.address, thing.bytes.min(LOOKED_AT));
        let pen = Pen { types: &self.types, space: &self.space, code: &self.code, sp };
        let to = match thing.is_object {
            true => Ref::to(id),
            false => match self.types.layout(element, 1, thing.bytes).slots.first() {
                Some(slot) => pen.slot(thing, slot, &bytes),
                None => Ref::Value("…".into()),
            },
        };
        let place = Place {
            address: thing.address,
            of_type: self.types.name(element).to_owned(),
            bytes: thing.bytes,
            uninitialised: thing.is_unwritten(0, thing.bytes.min(LOOKED_AT)),
        };
        Some(Name { name, kind, to, place: Some(place) })
    }

    fn returned(&self, stop: &Stop, thread: u32) -> Option<Ref> {
        let value = stop.value?;
        let frames = &stop.stacks.iter().find(|(known, _)| *known == thread)?.1;
        let returns = self.functions.get(&frames.last()?.1)?.returns?;
        let pen = Pen { types: &self.types, space: &self.space, code: &self.code, sp: stop.sp };
        Some(match (value, self.types.kind(returns)) {
            (Returned::Float(value), _) => Ref::Value(value.to_string()),
            (Returned::Bits(bits), Kind::Pointer { .. } | Kind::Function) => pen.pointer(bits),
            (Returned::Bits(bits), _) => {
                let width = (self.types.bytes(returns) * 8).clamp(8, 64) as u32;
                let raw = u128::from(bits) & ((1 << width) - 1);
                Ref::Value(self.types.scalar(returns, raw, width, &bits.to_ne_bytes()))
            }
        })
    }

    /// Whether a frame no longer returns to where it was called from.
    fn overrun(&mut self, stop: &Stop, thread: u32, step: &Step) -> Option<String> {
        let frames = &stop.stacks.iter().find(|(known, _)| *known == thread)?.1;
        for frame in frames {
            let Some(known) = self.frames.get_mut(&frame.0) else { continue };
            let Some(expected) = known.return_address.filter(|_| !known.overrun) else { continue };
            let now = self.memory.word(frame.3.wrapping_sub(8))?;
            if now != expected {
                known.overrun = true;
                let name = self.functions.get(&frame.1).map_or("?", |function| &function.name);
                let arrays = step.stack.iter().filter(|drawn| drawn.id == frame.0).flat_map(|drawn| &drawn.names);
                let is_array = |name: &&Name| name.place.as_ref().is_some_and(|place| place.of_type.contains('['));
                let culprit = arrays.filter(is_array).max_by_key(|name| name.place.as_ref().map(|place| place.address));
                let past = culprit.map_or(String::new(), |name| format!(" past the end of `{}`", name.name));
                return Some(format!(
                    "something wrote{past} over where `{name}` returns to: {now:#x} instead of {expected:#x}"
                ));
            }
        }
        None
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

/// Whether a text takes a variable's address.
fn takes_address(text: &str, name: &str) -> bool {
    let part_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices('&').any(|(at, _)| {
        let before = text[..at].trim_end().chars().next_back();
        let rest = text[at + 1..].trim_start();
        // Behind a value it is the operator between two.
        let is_unary = before.is_none_or(|letter| !part_of_word(letter) && !")]&".contains(letter));
        is_unary && rest.strip_prefix(name).is_some_and(|rest| !rest.starts_with(part_of_word))
    })
}

#[cfg(test)]
mod tests {
    use super::takes_address;

    #[test]
    fn an_address_is_taken_by_a_unary_ampersand() {
        assert!(takes_address("swap(&left, & right);", "left"));
        assert!(takes_address("swap(&left, & right);", "right"));
        assert!(!takes_address("swap(&leftover);", "left"));
        assert!(!takes_address("if (a & left && left)", "left"));
        assert!(!takes_address("f(x) & left", "left"));
    }
}
