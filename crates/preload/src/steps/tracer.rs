//! One step: from the frames to the objects, and what differs from the step before.

use memsight_capture::{
    ObjectId, Record, StepBegin, StepEvent, StepItem, StepLabel, StepObject, StepRecord, StepStanding,
    StepTemporary, StepValue, StepsOver, WordId,
};
use memsight_recorder::Recorder;
use memsight_recorder::ledger::{Sink, Stopped};
use memsight_recorder::memory::{OutOfMemory, PageVec};

use super::code::Codes;
use super::encode::Gathered;
use super::frames::Thread;
use super::in_place::Paused;
use super::lives::{LifeId, Lives};
use super::region::Tail;
use super::shape::{Held, Landmarks, Look, Shape, Shapes, method_name};
use super::temporaries::Young;
use super::value::{self, Numbers, Room};
use super::words::Words;
use super::{Wanted, output};
use crate::graph::content::Text;
use crate::graph::progress::Progress;
use crate::graph::types::flag;
use crate::graph::walk::Walk;
use crate::python::word;
use crate::session::Session;

/// The collector's header before an object (`PyGC_Head`).
pub(super) const HEADER: usize = 16;

/// More objects than that at a time are not shown.
const MOST_OBJECTS: usize = 20_000;

/// The walk's own records are not wanted here.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn record(&mut self, _: &Record<'_>) -> Result<(), Stopped> {
        Ok(())
    }

    fn thread_name(&mut self, _: u32, _: &mut [u8; 16]) -> usize {
        0
    }
}

/// A trace that is being taken.
pub(super) struct Tracer {
    pub(super) walk: Walk<'static, Nowhere>,
    pub(super) wanted: &'static Wanted,
    pub(super) words: Words,
    pub(super) codes: Codes,
    pub(super) shapes: Shapes,
    pub(super) landmarks: Landmarks,
    pub(super) numbers: Numbers,
    pub(super) own_modules: PageVec<WordId>,
    pub(super) threads: PageVec<Thread>,
    pub(super) frame_numbers: u32,
    /// Frames of the thread at hand, innermost first.
    pub(super) chain: PageVec<(usize, usize)>,
    /// What the object or frame at hand holds.
    pub(super) items: PageVec<(Held, usize)>,
    pub(super) tail: Tail,
    pub(super) gathered: Gathered,
    pub(super) lives: Lives,
    pub(super) young: Young,
    /// Objects that were met in this step, and how many of them were looked at.
    queue: PageVec<LifeId>,
    looked_at: usize,
    standing: StepStanding,
    /// Objects that could not be shown in this step.
    beyond: u64,
    /// The step at hand, counted from 1.
    pub(super) step: u32,
    /// A line that runs with the trace paused.
    pub(super) paused: Option<Paused>,
    /// Whether the line to begin at was reached.
    pub(super) has_begun: bool,
}

/// What a step is of.
pub(super) struct Moment {
    pub(super) event: StepEvent,
    pub(super) thread: usize,
    pub(super) line: u32,
    pub(super) value: Option<usize>,
}

impl Tracer {
    pub(super) fn new(
        session: &'static Session,
        recorder: &'static Recorder,
        wanted: &'static Wanted,
        landmarks: Landmarks,
        numbers: Numbers,
    ) -> Option<Self> {
        // SAFETY: it has no bytes, so any aligned address will do, and nobody else's is changed.
        let nowhere: &'static mut Nowhere = unsafe { &mut *core::ptr::dangling_mut::<Nowhere>() };
        Some(Tracer {
            walk: Walk::new(session, recorder, nowhere, Progress::share()?)?,
            wanted,
            words: Words::default(),
            codes: Codes::default(),
            shapes: Shapes::default(),
            landmarks,
            numbers,
            own_modules: PageVec::new(),
            threads: PageVec::new(),
            frame_numbers: 0,
            chain: PageVec::new(),
            items: PageVec::new(),
            tail: Tail::new(),
            gathered: Gathered::default(),
            lives: Lives::default(),
            young: Young::default(),
            queue: PageVec::new(),
            looked_at: 0,
            standing: StepStanding::Reached,
            beyond: 0,
            step: 0,
            paused: None,
            has_begun: wanted.from == 0,
        })
    }

    /// Whether a step is within what was asked for. What came and went since the last is
    /// forgotten if it is not.
    pub(super) fn is_wanted(&mut self, moment: &Moment) -> Result<bool, OutOfMemory> {
        let is_wanted = self.is_within(moment)?;
        if !is_wanted {
            drop(self.young.take()?);
        }
        Ok(is_wanted)
    }

    fn is_within(&mut self, moment: &Moment) -> Result<bool, OutOfMemory> {
        let Some(row) = self.threads.as_slice()[moment.thread].rows.as_slice().last().copied() else {
            return Ok(false);
        };
        if !self.has_begun {
            let code = self.code(row.code)?;
            self.has_begun = moment.event == StepEvent::Line
                && moment.line == self.wanted.from
                && self.words.get(code.file) == self.wanted.program.as_bytes();
        }
        if !self.has_begun || self.wanted.function.as_bytes().is_empty() {
            return Ok(self.has_begun);
        }
        for at in 0..self.threads.as_slice()[moment.thread].rows.len() {
            let code = self.threads.as_slice()[moment.thread].rows.as_slice()[at].code;
            let function = self.code(code)?.function;
            let (name, wanted) = (self.words.get(function), self.wanted.function.as_bytes());
            let last = name.rsplit(|&byte| byte == b'.').next();
            if name == wanted || last == Some(wanted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a step.
    pub(super) fn take(&mut self, moment: &Moment) -> Result<(), OutOfMemory> {
        self.step += 1;
        self.queue.clear();
        self.walk.forget_pages();
        (self.looked_at, self.beyond, self.standing) = (0, 0, StepStanding::Reached);
        let mut told = Ok(());
        output::take(|stream, bytes| {
            if told.is_ok() {
                told = self.write(StepRecord::Output { stream, bytes });
            }
        });
        told?;
        let innermost = self.threads.as_slice()[moment.thread].rows.as_slice().last().copied();
        let Some(innermost) = innermost else { return Ok(()) };
        let file = self.code(innermost.code)?.file;
        let thread = self.threads.as_slice()[moment.thread].number;
        let line = moment.line;
        self.write(StepRecord::Begin(StepBegin { event: moment.event, thread, file, line }))?;
        for at in 0..self.threads.len() {
            if at == moment.thread {
                self.write_frames(at, Some(line))?;
            } else if self.lives_on(at) {
                self.follow(at, false)?;
                self.write_frames(at, None)?;
            }
        }
        if let Some(value) = moment.value
            && let Some(number) = self.meet(value)?
        {
            self.write(StepRecord::Value(ObjectId(number)))?;
        }
        self.look_at_all()?;
        self.see_who_is_left()?;
        for at in 0..self.lives.died.len() {
            self.write(StepRecord::Died(ObjectId(self.lives.died.as_slice()[at])))?;
        }
        self.lives.died.clear();
        let sums = self.young.take()?;
        // What came before the first step is the interpreter's start.
        let sums = if self.step == 1 { &[] } else { sums.as_slice() };
        for sum in sums {
            let of_type = (sum.of_type != 0).then_some(WordId(sum.word));
            self.write(StepRecord::Temporary(StepTemporary { of_type, count: sum.count, bytes: sum.bytes }))?;
        }
        self.write(StepRecord::End)?;
        self.tail.publish();
        Ok(())
    }

    /// Whether a thread's state is still in the interpreter's list.
    fn lives_on(&self, thread: usize) -> bool {
        let references = &self.walk.layout.references;
        let wanted = self.threads.as_slice()[thread].state;
        // SAFETY: the interpreter's own list of threads.
        let mut state = unsafe { word(self.walk.interpreter() + references.first_thread) };
        for _ in 0..100_000 {
            if state == 0 || state == wanted {
                break;
            }
            // SAFETY: as above.
            state = unsafe { word(state + references.next_thread) };
        }
        state == wanted
    }

    /// Says that no more steps are taken.
    pub(super) fn end(&mut self, why: StepsOver) {
        // Where even this finds no memory, the missing end says as much.
        let _ = self.write(StepRecord::Over(why));
        self.tail.publish();
    }

    /// The number of an object that something refers to; it is looked at in this step.
    pub(super) fn meet(&mut self, address: usize) -> Result<Option<u32>, OutOfMemory> {
        // SAFETY: every object has its type at the same place.
        let of_type = unsafe { word(address + self.walk.layout.object.ob_type) };
        if self.lives.len() >= MOST_OBJECTS && self.lives.at(address).is_none() {
            self.beyond += 1;
            return Ok(None);
        }
        let id = self.lives.of(address, of_type)?;
        let step = self.step;
        let life = self.lives.get_mut(id);
        if life.met != step {
            life.met = step;
            self.queue.push(id)?;
        }
        Ok(Some(self.lives.get(id).number))
    }

    /// The number of an object, whether or not it is looked at.
    pub(super) fn number_of(&mut self, address: usize) -> Result<Option<u32>, OutOfMemory> {
        // SAFETY: as above.
        let of_type = unsafe { word(address + self.walk.layout.object.ob_type) };
        if self.lives.len() >= MOST_OBJECTS && self.lives.at(address).is_none() {
            return Ok(None);
        }
        let id = self.lives.of(address, of_type)?;
        Ok(Some(self.lives.get(id).number))
    }

    fn look_at_all(&mut self) -> Result<(), OutOfMemory> {
        while let Some(&id) = self.queue.as_slice().get(self.looked_at) {
            self.looked_at += 1;
            self.look_at(id)?;
        }
        Ok(())
    }

    fn look_at(&mut self, id: LifeId) -> Result<(), OutOfMemory> {
        let life = *self.lives.get(id);
        let object = life.address;
        let shape = self.shape(life.of_type)?;
        let mut hidden = self.hold(object, &shape)?;
        let block = self.block_of(object, &shape.of);
        let bytes = match block {
            Some(block) => block.1 + self.buffer_bytes(object, &shape, block),
            None => self.static_bytes(object, &shape.of),
        };
        self.gathered.clear();
        let before = self.beyond;
        for at in 0..self.items.len() {
            let (held, target) = self.items.as_slice()[at];
            let Some(number) = self.meet(target)? else { continue };
            self.gather_item(held, ObjectId(number))?;
        }
        hidden += self.beyond - before;
        // SAFETY: every object begins with its reference count.
        let count = unsafe { word(object) };
        let is_immortal = self.walk.layout.minor >= 12 && (count as i32) < 0;
        let standing = if block.is_none() { StepStanding::Static } else { self.standing };
        let mut room = Room::new();
        let mut name = Text::<200>::new();
        let value = self.value_of(object, &shape, &mut room, &mut name);
        let record = StepObject {
            id: ObjectId(life.number),
            address: object as u64,
            of_type: shape.word,
            kind: shape.kind,
            standing,
            bytes: bytes as u64,
            references: (!is_immortal).then_some(count as u64),
            value,
            hidden_items: hidden,
        };
        let said = self.gathered.hash_with(StepRecord::Object(record));
        let is_loose = matches!(shape.look, Look::Tuple) && !is_tracked(object, &shape);
        let row = self.lives.get_mut(id);
        row.block = block.map_or(0, |(block, _)| block);
        row.may_leave = block.is_none()
            || is_immortal
            || is_loose
            || matches!(shape.look, Look::Nothing | Look::Function | Look::Module);
        row.is_shown = true;
        if row.said != said {
            row.said = said;
            self.write(StepRecord::Object(record))?;
            self.write_gathered()?;
        }
        Ok(())
    }

    fn gather_item(&mut self, held: Held, target: ObjectId) -> Result<(), OutOfMemory> {
        let mut room = Room::new();
        let label = match held {
            Held::Nothing => StepLabel::None,
            Held::Index(index) => StepLabel::Index(index as u64),
            Held::Word(word) => StepLabel::Word(word),
            Held::Key(key) => {
                // SAFETY: a live object.
                let of = unsafe { word(key + self.walk.layout.object.ob_type) };
                let shape = self.shape(of)?;
                // SAFETY: a live object of this type.
                let value = unsafe {
                    value::of(key, &shape.of, self.walk.layout, self.walk.known, &self.numbers, &mut room)
                };
                StepLabel::Key { of_type: shape.word, value }
            }
        };
        self.gathered.push(StepRecord::Item(StepItem { label, target }))
    }

    fn value_of<'a>(
        &mut self,
        object: usize,
        shape: &Shape,
        room: &'a mut Room,
        name: &'a mut Text<200>,
    ) -> StepValue<'a> {
        let layout = self.walk.layout;
        let references = &layout.references;
        // SAFETY: a live object of this type; its names are strings.
        unsafe {
            match shape.look {
                Look::Function => name.push_str_object(word(object + references.function[2]), layout),
                Look::Class if self.is_heap_type(object) => {
                    name.push_str_object(word(object + references.qualname), layout);
                }
                Look::Class => {
                    let of = self.walk.types.at(object, self.walk.sink);
                    let Ok(of) = of.map(|id| self.walk.types.get(id)) else { return StepValue::Nothing };
                    self.walk.types.write_name(&of, name);
                }
                Look::Module => {
                    let dict = word(object + 2 * size_of::<usize>());
                    let of_name = self.walk.known.dict_item(dict, b"__name__", layout);
                    if of_name != 0 {
                        name.push_str_object(of_name, layout);
                    }
                }
                Look::Generator => {
                    name.push_str_object(word(object + layout.steps.generator_name), layout);
                    let frame = self.paused_frame(object);
                    let line = frame.map_or(0, |frame| self.line_of(frame));
                    return StepValue::Paused { name: name.as_bytes(), line, over: frame.is_none() };
                }
                Look::Nothing if shape.of.address == self.landmarks.builtin => {
                    name.push(method_name(word(object + layout.steps.method_definition)));
                }
                _ if shape.of.has(flag::EXCEPTION) => return self.argument_of(object, room),
                _ => {
                    return value::of(object, &shape.of, layout, self.walk.known, &self.numbers, room);
                }
            }
        }
        StepValue::Named(name.as_bytes())
    }

    /// What an exception was made with, if that is one value; a name of no letters for nothing.
    ///
    /// # Safety
    /// A live exception.
    unsafe fn argument_of<'a>(&mut self, exception: usize, room: &'a mut Room) -> StepValue<'a> {
        let layout = self.walk.layout;
        // SAFETY: a live exception's arguments are a tuple, or not there yet.
        unsafe {
            let arguments = word(exception + layout.references.exception[0]);
            if arguments == 0 || word(arguments + layout.object.ob_type) != self.walk.known.tuple {
                return StepValue::Nothing;
            }
            match self.walk.tuple_items(arguments) {
                (_, 0) => StepValue::Named(b""),
                (items, 1) => {
                    let only = word(items);
                    let Ok(shape) = self.shape(word(only + layout.object.ob_type)) else {
                        return StepValue::Nothing;
                    };
                    value::of(only, &shape.of, layout, self.walk.known, &self.numbers, room)
                }
                _ => StepValue::Nothing,
            }
        }
    }

    /// Objects that no name leads to any more: those on a free list are dead, those that
    /// others than the program's names hold leave the picture, the rest waits to be collected.
    fn see_who_is_left(&mut self) -> Result<(), OutOfMemory> {
        self.standing = StepStanding::Unreached;
        for pass in [Pass::Containers, Pass::Values] {
            for row in 0..self.lives.rows() {
                let id = LifeId(row);
                if !self.lives.is_alive(id) || self.lives.get(id).met == self.step {
                    continue;
                }
                let life = *self.lives.get(id);
                // SAFETY: its block was not given back, or it lies where nothing is allocated.
                let (count, of) =
                    unsafe { (word(life.address), word(life.address + self.walk.layout.object.ob_type)) };
                if count == 0 || of != life.of_type {
                    self.lives.end(id)?;
                } else if life.is_shown && life.may_leave && pass == Pass::Values {
                    let row = self.lives.get_mut(id);
                    (row.is_shown, row.said) = (false, 0);
                    self.write(StepRecord::Left(ObjectId(life.number)))?;
                } else if life.is_shown && !life.may_leave {
                    self.lives.get_mut(id).met = self.step;
                    self.queue.push(id)?;
                }
            }
            self.look_at_all()?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Containers,
    Values,
}

/// Whether the collector follows an object.
fn is_tracked(object: usize, shape: &Shape) -> bool {
    // SAFETY: the collector's header stands before the object.
    shape.of.has(flag::HAVE_GC) && unsafe { word(object - 16) } != 0
}
