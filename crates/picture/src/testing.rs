//! Small traces of known contents, for the tests of this crate and of those that show them.
//!
//! [`Builder`] is told what a program does to its names and objects. It counts references,
//! frees what nothing refers to and finds out what each step changed, so that a made trace
//! holds together like a recorded one. Addresses and sizes are those of CPython 3.12 in
//! kind, not to the byte.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Delta, Event, Frame, FrameKind, Language, Name, NameKind, Object, ObjectId, ObjectKind, Place, Ref,
    Source, SourceId, Standing, Step, Temporary, Trace,
};

mod samples;

pub use samples::{large, traces};

/// A trace that is being made.
pub struct Builder {
    trace: Trace,
    now: BTreeMap<ObjectId, Object>,
    before: BTreeMap<ObjectId, Object>,
    stack: Vec<Frame>,
    held: BTreeMap<ObjectId, u64>,
    built_in: BTreeMap<String, Object>,
    freed: BTreeSet<ObjectId>,
    vacant: BTreeMap<u64, Vec<u64>>,
    next_address: u64,
    next_frame: u32,
    next_object: u32,
    temporaries: Vec<Temporary>,
    stdout: String,
}

impl Builder {
    /// A Python program, which begins in its module.
    pub fn python(path: &str, text: &str) -> Self {
        let mut builder = Self::new(Language::Python, "CPython 3.12.1", path, text, 0x7f3a_1c0c_0a10);
        builder.push("<module>", FrameKind::Module);
        builder
    }

    /// A C program, which begins in `main`.
    pub fn c(path: &str, text: &str) -> Self {
        let mut builder = Self::new(Language::C, "cc 12.2.0, gdb 13.1", path, text, 0x5555_5555_92a0);
        builder.push("main", FrameKind::Function);
        builder
    }

    fn new(language: Language, made_by: &str, path: &str, text: &str, next_address: u64) -> Self {
        Builder {
            trace: Trace {
                language,
                made_by: made_by.to_owned(),
                sources: vec![Source { path: path.to_owned(), text: text.to_owned() }],
                steps: Vec::new(),
                truncated: None,
                ending: "exit 0".to_owned(),
                notes: Vec::new(),
            },
            now: BTreeMap::new(),
            before: BTreeMap::new(),
            stack: Vec::new(),
            held: BTreeMap::new(),
            built_in: BTreeMap::new(),
            freed: BTreeSet::new(),
            vacant: BTreeMap::new(),
            next_address,
            next_frame: 0,
            next_object: 1,
            temporaries: Vec::new(),
            stdout: String::new(),
        }
    }

    /// The trace, with the ending in words.
    pub fn finish(mut self, ending: &str) -> Trace {
        ending.clone_into(&mut self.trace.ending);
        self.trace
    }

    /// An object without items, at an address of its own.
    pub fn object(&mut self, of_type: &str, kind: ObjectKind, bytes: u64) -> ObjectId {
        let id = ObjectId(self.next_object);
        self.next_object += 1;
        let address = self.room(bytes);
        let object = Object {
            id,
            address,
            of_type: of_type.to_owned(),
            kind,
            standing: Standing::Reached,
            bytes,
            references: None,
            immortal: false,
            value: None,
            items: Vec::new(),
            hidden_items: 0,
            allocated_at: None,
        };
        self.now.insert(id, object);
        id
    }

    /// The object as it is now, to be changed.
    pub fn edit(&mut self, id: ObjectId) -> &mut Object {
        self.now.get_mut(&id).expect("an object that is alive")
    }

    /// An `int`; a small one is the interpreter's own.
    pub fn int(&mut self, value: i64) -> ObjectId {
        match (-5..=256).contains(&value) {
            true => self.built_in("int", &value.to_string(), 28),
            false => self.value("int", &value.to_string(), 28),
        }
    }

    /// `None`.
    pub fn none(&mut self) -> ObjectId {
        self.built_in("NoneType", "None", 16)
    }

    fn built_in(&mut self, of_type: &str, value: &str, bytes: u64) -> ObjectId {
        if let Some(object) = self.built_in.get(value) {
            self.now.entry(object.id).or_insert_with(|| object.clone());
            return object.id;
        }
        let id = self.value(of_type, value, bytes);
        let object = self.edit(id);
        (object.standing, object.immortal) = (Standing::Static, true);
        let object = object.clone();
        self.built_in.insert(value.to_owned(), object);
        id
    }

    /// An object that is known by its value alone.
    pub fn value(&mut self, of_type: &str, value: &str, bytes: u64) -> ObjectId {
        let id = self.object(of_type, ObjectKind::Value, bytes);
        self.edit(id).value = Some(value.to_owned());
        id
    }

    /// A `str` of ASCII characters.
    pub fn string(&mut self, text: &str) -> ObjectId {
        self.value("str", &format!("'{text}'"), 41 + text.len() as u64)
    }

    /// A `list` that has room for just its items.
    pub fn list(&mut self, items: &[ObjectId]) -> ObjectId {
        let id = self.object("list", ObjectKind::Sequence, 56 + 8 * items.len() as u64);
        self.set_items(id, items);
        id
    }

    /// Gives a sequence these items.
    pub fn set_items(&mut self, id: ObjectId, items: &[ObjectId]) {
        let items = items.iter().enumerate().map(|(index, &item)| (index.to_string(), Ref::to(item)));
        self.edit(id).items = items.collect();
    }

    /// Sets a field, an attribute or an item by its label.
    pub fn set(&mut self, id: ObjectId, label: &str, to: Ref) {
        let items = &mut self.edit(id).items;
        match items.iter_mut().find(|(at, _)| at == label) {
            Some((_, old)) => *old = to,
            None => items.push((label.to_owned(), to)),
        }
    }

    /// `count` references from where nobody looks, such as a code object's constants.
    pub fn hold(&mut self, id: ObjectId, count: u64) {
        self.held.insert(id, count);
    }

    /// Makes a name of the innermost frame refer to an object.
    pub fn name(&mut self, name: &str, to: ObjectId) {
        self.name_as(name, Ref::to(to), None);
    }

    /// A reference that the evaluation of the line holds.
    pub fn hold_as(&mut self, name: &str, to: ObjectId) {
        let frame = self.stack.last_mut().expect("a frame");
        frame.names.push(Name { name: name.to_owned(), kind: NameKind::Held, to: Ref::to(to), place: None });
    }

    /// A variable of C in the innermost frame.
    pub fn variable(&mut self, name: &str, of_type: &str, bytes: u64, to: Option<Ref>) {
        let frame = self.stack.last().expect("a frame");
        let address = match frame.names.iter().find(|old| old.name == name).and_then(|old| old.place.as_ref())
        {
            Some(place) => place.address,
            None => 0x7fff_ffff_e4a0 - 0x60 * u64::from(frame.id) - 8 * (frame.names.len() as u64 + 1),
        };
        let uninitialised = to.is_none();
        let to = to.unwrap_or_else(|| Ref::Value("uninitialised".to_owned()));
        self.name_as(name, to, Some(Place { address, of_type: of_type.to_owned(), bytes, uninitialised }));
    }

    fn name_as(&mut self, name: &str, to: Ref, place: Option<Place>) {
        let frame = self.stack.last_mut().expect("a frame");
        let kind = match frame.kind {
            FrameKind::Module => NameKind::Global,
            _ => NameKind::Local,
        };
        match frame.names.iter_mut().find(|old| old.name == name) {
            Some(old) => (old.to, old.place) = (to, place),
            None => frame.names.push(Name { name: name.to_owned(), kind, to, place }),
        }
    }

    /// Takes a name out of the innermost frame.
    pub fn unname(&mut self, name: &str) {
        let frame = self.stack.last_mut().expect("a frame");
        frame.names.retain(|old| old.name != name);
    }

    /// Enters a call.
    pub fn push(&mut self, function: &str, kind: FrameKind) {
        let id = self.next_frame;
        self.next_frame += 1;
        let function = function.to_owned();
        self.stack.push(Frame { id, function, source: SourceId(0), line: 1, kind, names: Vec::new() });
    }

    /// Leaves the innermost call.
    pub fn pop(&mut self) {
        self.stack.pop();
    }

    /// Leaves a generator's frame, whose names live on in its object.
    pub fn pause(&mut self, generator: ObjectId) -> Frame {
        let frame = self.stack.pop().expect("a frame");
        let names = frame.names.iter().map(|name| (name.name.clone(), name.to.clone()));
        self.edit(generator).items = names.collect();
        frame
    }

    /// Goes on in a generator's frame.
    pub fn resume(&mut self, generator: ObjectId, frame: Frame) {
        self.edit(generator).items.clear();
        self.stack.push(frame);
    }

    /// What the program writes before the next step.
    pub fn print(&mut self, text: &str) {
        self.stdout.push_str(text);
    }

    /// Objects that come and go before the next step.
    pub fn temporary(&mut self, of_type: &str, count: u64, bytes: u64) {
        self.temporaries.push(Temporary { of_type: Some(of_type.to_owned()), count, bytes });
    }

    /// C: a block from `malloc`.
    pub fn malloc(&mut self, of_type: &str, bytes: u64, line: u32) -> ObjectId {
        let id = self.object(of_type, ObjectKind::Fields, bytes);
        self.edit(id).allocated_at = Some((SourceId(0), line));
        id
    }

    /// C: gives a block back.
    pub fn free(&mut self, id: ObjectId) {
        self.freed.insert(id);
    }

    /// A step before this line.
    pub fn line(&mut self, line: u32) -> &mut Step {
        self.step(Event::Line, line, None)
    }

    /// A step at the beginning of a call.
    pub fn call(&mut self, line: u32) -> &mut Step {
        self.step(Event::Call, line, None)
    }

    /// A step before the innermost call returns.
    pub fn returns(&mut self, line: u32, value: Option<Ref>) -> &mut Step {
        self.step(Event::Return, line, value)
    }

    /// A step before a generator pauses.
    pub fn yields(&mut self, line: u32, value: ObjectId) -> &mut Step {
        let step = self.step(Event::Return, line, Some(Ref::to(value)));
        step.yields = true;
        step
    }

    /// The last step.
    pub fn end(&mut self) -> &mut Step {
        self.step(Event::End, 0, None)
    }

    /// Takes a step: what changed since the last one goes with it.
    pub fn step(&mut self, event: Event, line: u32, value: Option<Ref>) -> &mut Step {
        if let Some(frame) = self.stack.last_mut() {
            frame.line = line;
        }
        match self.trace.language {
            Language::Python => self.count(value.as_ref()),
            Language::C => self.find_lost(value.as_ref()),
        }
        let delta = self.delta();
        self.trace.steps.push(Step {
            event,
            yields: false,
            thread: 0,
            source: SourceId(0),
            line,
            stack: self.stack.clone(),
            value,
            stdout: std::mem::take(&mut self.stdout),
            stderr: String::new(),
            delta,
            say: String::new(),
        });
        self.trace.steps.last_mut().expect("the step just taken")
    }

    fn delta(&mut self) -> Delta {
        let mut delta = Delta { temporaries: std::mem::take(&mut self.temporaries), ..Delta::default() };
        for (id, object) in &self.now {
            match self.before.get(id) {
                None => delta.born.push(object.clone()),
                Some(old) if old != object => delta.changed.push(object.clone()),
                Some(_) => {}
            }
        }
        let gone = self.before.iter().filter(|(id, _)| !self.now.contains_key(id));
        for (&id, object) in gone {
            match object.standing {
                Standing::Static => delta.left.push(id),
                _ => delta.died.push(id),
            }
        }
        self.before.clone_from(&self.now);
        delta
    }

    /// The roots: names, what is being returned, and what is held elsewhere.
    fn roots(&self, value: Option<&Ref>) -> Vec<ObjectId> {
        let names = self.stack.iter().flat_map(|frame| &frame.names).map(|name| &name.to);
        let held = self.held.iter().flat_map(|(&id, &count)| (0..count).map(move |_| id));
        names.chain(value).filter_map(object_of).chain(held).collect()
    }

    /// Python: counts references, and frees what has none.
    fn count(&mut self, value: Option<&Ref>) {
        let roots = self.roots(value);
        loop {
            let items =
                self.now.values().flat_map(|object| &object.items).filter_map(|(_, to)| object_of(to));
            let mut counts = BTreeMap::<ObjectId, u64>::new();
            for id in roots.iter().copied().chain(items) {
                *counts.entry(id).or_default() += 1;
            }
            let dead: Vec<_> = self.now.keys().filter(|id| !counts.contains_key(id)).copied().collect();
            if dead.is_empty() {
                for object in self.now.values_mut().filter(|object| !object.immortal) {
                    object.references = counts.get(&object.id).copied();
                }
                break;
            }
            for id in dead {
                self.vacate(id);
            }
        }
        let reached = self.reached(&roots);
        for object in self.now.values_mut().filter(|object| object.standing != Standing::Static) {
            object.standing = match reached.contains(&object.id) {
                true => Standing::Reached,
                false => Standing::Unreached,
            };
        }
    }

    /// C: says which blocks nothing leads to, and forgets those freed that nothing refers to.
    fn find_lost(&mut self, value: Option<&Ref>) {
        let mut roots = self.roots(value);
        let fixed = [Standing::OnStack, Standing::Static];
        roots.extend(
            self.now.values().filter(|object| fixed.contains(&object.standing)).map(|object| object.id),
        );
        let reached = self.reached(&roots);
        let gone: Vec<_> = self.freed.iter().filter(|id| !reached.contains(id)).copied().collect();
        for id in gone {
            self.freed.remove(&id);
            self.vacate(id);
        }
        for object in self.now.values_mut().filter(|object| !fixed.contains(&object.standing)) {
            object.standing = match reached.contains(&object.id) {
                _ if self.freed.contains(&object.id) => Standing::Freed,
                true => Standing::Reached,
                false => Standing::Unreached,
            };
        }
    }

    /// What the roots lead to. What a freed block holds leads nowhere.
    fn reached(&self, roots: &[ObjectId]) -> BTreeSet<ObjectId> {
        let mut reached = BTreeSet::new();
        let mut next = roots.to_vec();
        while let Some(id) = next.pop() {
            if reached.insert(id) && !self.freed.contains(&id) {
                let items = self.now.get(&id).into_iter().flat_map(|object| &object.items);
                next.extend(items.filter_map(|(_, to)| object_of(to)));
            }
        }
        reached
    }

    /// An address for so many bytes: one that was freed, as allocators do, or a new one.
    fn room(&mut self, bytes: u64) -> u64 {
        let class = bytes.max(1).next_multiple_of(16);
        if let Some(address) = self.vacant.get_mut(&class).and_then(Vec::pop) {
            return address;
        }
        let address = self.next_address;
        self.next_address += class;
        address
    }

    fn vacate(&mut self, id: ObjectId) {
        let Some(object) = self.now.remove(&id) else { return };
        if !object.immortal {
            let class = object.bytes.max(1).next_multiple_of(16);
            self.vacant.entry(class).or_default().push(object.address);
        }
    }
}

fn object_of(to: &Ref) -> Option<ObjectId> {
    match to {
        Ref::Object { id, .. } => Some(*id),
        Ref::Value(_) => None,
    }
}
