//! The frames of a thread that are the program's own, outermost first, and their names.

use memsight_capture::{
    ObjectId, StepEvent, StepFrame, StepFrameKind, StepKind, StepName, StepNameKind, StepRecord,
};
use memsight_recorder::memory::{OutOfMemory, PageVec};

use super::shape::{Held, Look, Names};
use super::tracer::{Moment, Tracer};
use crate::graph::content::Text;
use crate::graph::types::flag;
use crate::python::layout::ValueStack;
use crate::python::{frames_of_thread, is_code, word};

/// Deeper stacks are cut at the outer end.
const MOST_FRAMES: usize = 5_000;

/// A frame that has not ended.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) frame: usize,
    pub(super) code: usize,
    number: u32,
    /// Values on its stack at its last event.
    height: usize,
    /// How many of those stay for as long as the block does that its last line is in.
    base: usize,
}

/// A thread of the interpreter.
pub(super) struct Thread {
    /// Its `PyThreadState`.
    pub(super) state: usize,
    pub(super) number: u32,
    pub(super) rows: PageVec<Row>,
    /// Where its last step was, if that was a line.
    last_line: Option<Line>,
}

/// A line that has begun.
#[derive(Clone, Copy)]
struct Line {
    frame: u32,
    line: u32,
    /// Values on the stack of its frame.
    height: usize,
}

/// Functions that a line has for itself.
const COMPREHENSIONS: [&[u8]; 4] = [b"<listcomp>", b"<setcomp>", b"<dictcomp>", b"<genexpr>"];

/// Numbers from here on are of generators' frames.
const GENERATORS: u32 = 1 << 30;

impl Tracer {
    /// The row of a thread; a new one if it was not seen.
    pub(super) fn thread(&mut self, state: usize) -> Result<usize, OutOfMemory> {
        if let Some(at) = self.threads.as_slice().iter().position(|thread| thread.state == state) {
            return Ok(at);
        }
        let number = self.threads.len() as u32;
        self.threads.push(Thread { state, number, rows: PageVec::new(), last_line: None })?;
        Ok(self.threads.len() - 1)
    }

    /// Brings the rows of a thread up to date with its frames.
    pub(super) fn follow(&mut self, thread: usize, is_call: bool) -> Result<(), OutOfMemory> {
        let layout = self.walk.layout;
        self.chain.clear();
        let mut frame = frames_of_thread(layout, self.threads.as_slice()[thread].state);
        let mut count = 0;
        while frame != 0 && count < MOST_FRAMES {
            count += 1;
            let owner = layout.frame.owner.map(|offset| {
                // SAFETY: a live frame.
                unsafe { ((frame + offset) as *const u8).read() }
            });
            let is_shim = owner.is_some() && owner == layout.frame.owned_by_cstack;
            // SAFETY: a live frame; what it names as its code is an object.
            let code = unsafe { word(frame + layout.frame.code) };
            // SAFETY: as above.
            if !is_shim && unsafe { is_code(code, self.walk.known.code, layout) } && self.code(code)?.is_own {
                self.chain.push((frame, code))?;
            }
            // SAFETY: a live frame.
            frame = unsafe { word(frame + layout.frame.previous) };
        }
        let depth = self.chain.len();
        let mut same = 0;
        while same < depth {
            let chain = self.chain.as_slice()[depth - 1 - same];
            let known = self.threads.as_slice()[thread].rows.as_slice().get(same);
            let is_new = is_call && same == depth - 1 && self.generator_of(chain.0).is_none();
            if is_new || known.is_none_or(|row| (row.frame, row.code) != chain) {
                break;
            }
            same += 1;
        }
        self.threads.as_mut_slice()[thread].rows.truncate(same);
        for at in same..depth {
            let (frame, code) = self.chain.as_slice()[depth - 1 - at];
            let number = match self.generator_of(frame) {
                Some(generator) => match self.number_of(generator)? {
                    Some(number) => GENERATORS | number,
                    None => self.next_frame(),
                },
                None => self.next_frame(),
            };
            self.threads.as_mut_slice()[thread].rows.push(Row { frame, code, number, height: 0, base: 0 })?;
        }
        Ok(())
    }

    /// Whether an event is but a part of what the line of the step before does: one round of a
    /// comprehension.
    pub(super) fn is_part_of_line(&mut self, moment: &Moment) -> Result<bool, OutOfMemory> {
        let [.., caller, row] = *self.threads.as_slice()[moment.thread].rows.as_slice() else {
            return Ok(self.repeats_line(moment));
        };
        let function = self.code(row.code)?.function;
        if matches!(self.words.get(function).rsplit(|&byte| byte == b'.').next(), Some(name) if COMPREHENSIONS.contains(&name))
            && self.line_of(caller.frame) == moment.line
        {
            return Ok(true);
        }
        Ok(self.repeats_line(moment))
    }

    /// From 3.12 on a comprehension has no frame of its own: its rounds are events of the line
    /// that it stands in, with more values on the stack than when that line began.
    fn repeats_line(&mut self, moment: &Moment) -> bool {
        let has_inlined = self.walk.layout.minor >= 12;
        let thread = &mut self.threads.as_mut_slice()[moment.thread];
        let Some(row) = thread.rows.as_slice().last() else { return false };
        let line = Line { frame: row.number, line: moment.line, height: row.height };
        let is_line = moment.event == StepEvent::Line;
        let begun = thread.last_line.filter(|begun| (begun.frame, begun.line) == (line.frame, line.line));
        if has_inlined && is_line && begun.is_some_and(|begun| line.height > begun.height) {
            return true;
        }
        thread.last_line = is_line.then_some(line);
        false
    }

    fn next_frame(&mut self) -> u32 {
        self.frame_numbers += 1;
        self.frame_numbers
    }

    /// The generator or coroutine that a frame is of.
    fn generator_of(&self, frame: usize) -> Option<usize> {
        let layout = self.walk.layout;
        if let Some(flags) = layout.frame.flags {
            // SAFETY: a live frame.
            return Some(unsafe { word(frame + flags.generator) }).filter(|&generator| generator != 0);
        }
        // SAFETY: as above.
        let owner = unsafe { ((frame + layout.frame.owner?) as *const u8).read() };
        (Some(owner) == layout.frame.owned_by_generator)
            .then(|| layout.references.generator_frame.map(|offset| frame - offset))
            .flatten()
    }

    /// The frame of a generator that waits or runs, if it is not over.
    pub(super) fn paused_frame(&self, generator: usize) -> Option<usize> {
        /// `FRAME_COMPLETED` and what comes after it (`internal/pycore_frame.h`).
        const OVER: i8 = 1;
        let layout = self.walk.layout;
        if let Some(offset) = layout.steps.generator_frame_object {
            // SAFETY: a live generator.
            return Some(unsafe { word(generator + offset) }).filter(|&frame| frame != 0);
        }
        // SAFETY: as above.
        let state = unsafe { ((generator + layout.steps.generator_state?) as *const i8).read() };
        (state < OVER).then(|| layout.references.generator_frame.map(|offset| generator + offset)).flatten()
    }

    /// Whether the frame of a generator is one of those that run: its variables are told there.
    pub(super) fn runs(&self, frame: usize) -> bool {
        let threads = self.threads.as_slice().iter();
        threads.flat_map(|thread| thread.rows.as_slice()).any(|row| row.frame == frame)
    }

    /// The line where a frame waits.
    pub(super) fn line_of(&self, frame: usize) -> u32 {
        // SAFETY: a live frame and its code.
        unsafe {
            let code = word(frame + self.walk.layout.frame.code);
            self.walk.known.line(code, self.walk.offset_in(code, frame))
        }
    }

    /// Notes how many values the innermost frame of a thread computes with. Where it does not say
    /// so, an exception finds those of its line's beginning; a call or return finds none.
    pub(super) fn note_height(&mut self, thread: usize, event: StepEvent) -> Result<(), OutOfMemory> {
        let Some(row) = self.threads.as_slice()[thread].rows.as_slice().last().copied() else {
            return Ok(());
        };
        let known = if event == StepEvent::Exception { row.height } else { 0 };
        let height = self.height_of(&row).unwrap_or(known);
        let bottom = self.stack_bottom(row.frame, row.code);
        let mut base = if event == StepEvent::Line { 0 } else { row.base.min(height) };
        // SAFETY: there are so many values.
        let value = |index: usize| unsafe { word(bottom + index * size_of::<usize>()) };
        while event == StepEvent::Line && base < height && self.is_of_a_block(value(base))? {
            base += 1;
        }
        if let Some(row) = self.threads.as_mut_slice()[thread].rows.as_mut_slice().last_mut() {
            (row.height, row.base) = (height, base);
        }
        Ok(())
    }

    /// Whether a value is one that a block keeps below what its lines compute: the iterator of a
    /// loop, the way out of a `with`, the exception that is handled.
    fn is_of_a_block(&mut self, value: usize) -> Result<bool, OutOfMemory> {
        if value & 7 != 0 || value != 0 && !self.walk.proves_object(value) {
            return Ok(false);
        }
        if value == 0 {
            return Ok(true);
        }
        // SAFETY: it was proven to be an object.
        let of = unsafe { word(value + self.walk.layout.object.ob_type) };
        let shape = self.shape(of)?;
        Ok(shape.kind == StepKind::Iterator
            || shape.look == Look::Method
            || shape.of.has(flag::EXCEPTION)
            || of == self.walk.known.traceback
            || of == self.landmarks.none)
    }

    /// How many values are on a frame's stack, if it says so now.
    fn height_of(&self, row: &Row) -> Option<usize> {
        let layout = self.walk.layout;
        // SAFETY: a live frame and its code.
        unsafe {
            let int = |address: usize| (address as *const i32).read();
            let height = match layout.steps.value_stack {
                ValueStack::Bounded { bottom, top } => {
                    let (bottom, top) = (word(row.frame + bottom), word(row.frame + top));
                    (top != 0).then(|| top.saturating_sub(bottom) / size_of::<usize>())
                }
                ValueStack::Counted { height, .. } => usize::try_from(int(row.frame + height)).ok(),
                ValueStack::AboveLocals { locals } => {
                    let all = usize::try_from(int(row.frame + layout.frame.values?.height)).ok()?;
                    all.checked_sub(usize::try_from(int(row.code + locals)).ok()?)
                }
            };
            let most = int(row.code + layout.steps.stack_size).max(0) as usize;
            height.filter(|&height| height <= most)
        }
    }

    /// Where a frame's stack of values begins.
    pub(super) fn stack_bottom(&self, frame: usize, code: usize) -> usize {
        let layout = self.walk.layout;
        // SAFETY: a live frame and its code.
        unsafe {
            match layout.steps.value_stack {
                ValueStack::Bounded { bottom, .. } | ValueStack::Counted { bottom, .. } => {
                    word(frame + bottom)
                }
                ValueStack::AboveLocals { locals } => {
                    let count = ((code + locals) as *const i32).read().max(0) as usize;
                    frame + layout.references.frame_locals + count * size_of::<usize>()
                }
            }
        }
    }

    /// Meets what the frames of a thread refer to, and writes them if they are the stack shown.
    pub(super) fn write_frames(&mut self, thread: usize, line: Option<u32>) -> Result<(), OutOfMemory> {
        let count = self.threads.as_slice()[thread].rows.len();
        for at in 0..count {
            let row = self.threads.as_slice()[thread].rows.as_slice()[at];
            let is_innermost = at + 1 == count;
            let code = self.code(row.code)?;
            let layout = self.walk.layout;
            // SAFETY: a live frame.
            let (globals, locals) =
                unsafe { (word(row.frame + layout.steps.globals), word(row.frame + layout.steps.locals)) };
            let kind = match () {
                () if self.generator_of(row.frame).is_some() => StepFrameKind::Generator,
                () if code.is_function => StepFrameKind::Function,
                () if locals == globals => StepFrameKind::Module,
                () => StepFrameKind::Class,
            };
            if let Some(line) = line {
                let line = if is_innermost { line } else { self.line_of(row.frame) };
                let frame =
                    StepFrame { id: row.number, function: code.function, file: code.file, line, kind };
                self.write(StepRecord::Frame(frame))?;
            }
            self.items.clear();
            match kind {
                StepFrameKind::Module => {
                    self.note_module(globals)?;
                    self.hold_names(globals, Names::Module)?;
                }
                StepFrameKind::Class if self.is_dict(locals) => self.hold_names(locals, Names::Class)?,
                StepFrameKind::Class => {}
                StepFrameKind::Function | StepFrameKind::Generator => self.hold_locals(row.frame)?,
            }
            let height = if is_innermost { row.height } else { self.height_of(&row).unwrap_or(row.base) };
            let bottom = self.stack_bottom(row.frame, row.code);
            for index in 0..height {
                // SAFETY: there are so many values.
                let value = unsafe { word(bottom + index * size_of::<usize>()) };
                if value & 7 == 0 && self.walk.proves_object(value) && !self.is_builtin(value) {
                    self.items.push((Held::Index(index), value))?;
                }
            }
            self.write_names(kind, line.is_some())?;
        }
        Ok(())
    }

    /// Whether an object is a function of C, which waits to be called and is no story.
    fn is_builtin(&self, object: usize) -> bool {
        // SAFETY: it was proven to be an object.
        unsafe { word(object + self.walk.layout.object.ob_type) == self.landmarks.builtin }
    }

    fn hold_locals(&mut self, frame: usize) -> Result<(), OutOfMemory> {
        self.walk.named.clear();
        self.walk.name_locals(frame).map_err(|_| OutOfMemory)?;
        for at in 0..self.walk.named.len() {
            let (target, label) = self.walk.named.as_slice()[at];
            let memsight_capture::Label::Local(id) = label else { continue };
            let Some(&name) = self.walk.objects.as_slice().get(id.index()) else { continue };
            let mut text = Text::<120>::new();
            // SAFETY: the names of a live code object's variables.
            unsafe { text.push_str_object(name, self.walk.layout) };
            let word = self.word(text.as_bytes())?;
            self.items.push((Held::Word(word), target))?;
        }
        Ok(())
    }

    fn write_names(&mut self, kind: StepFrameKind, is_shown: bool) -> Result<(), OutOfMemory> {
        for at in 0..self.items.len() {
            let (held, target) = self.items.as_slice()[at];
            let Some(number) = self.meet(target)? else { continue };
            if !is_shown {
                continue;
            }
            // SAFETY: what a name refers to is alive.
            let of = unsafe { word(target + self.walk.layout.object.ob_type) };
            let in_dict = matches!(kind, StepFrameKind::Module | StepFrameKind::Class);
            let (name, kind) = match held {
                Held::Word(word) if in_dict => (word, StepNameKind::Global),
                Held::Word(word) if of == self.walk.known.cell => (word, StepNameKind::Cell),
                Held::Word(word) => (word, StepNameKind::Local),
                _ => (self.word(b"")?, StepNameKind::Held),
            };
            self.write(StepRecord::Name(StepName { name, kind, target: ObjectId(number) }))?;
        }
        Ok(())
    }

    fn is_dict(&self, object: usize) -> bool {
        let layout = self.walk.layout;
        // SAFETY: a live object, or 0.
        object != 0
            && unsafe { word(word(object + layout.object.ob_type) + layout.object.tp_flags) } & flag::DICT
                != 0
    }

    /// A file of the program runs its own code: its name is a module of the program.
    fn note_module(&mut self, globals: usize) -> Result<(), OutOfMemory> {
        // SAFETY: a live module's dict has strings for keys.
        let name = unsafe { self.walk.known.dict_item(globals, b"__name__", self.walk.layout) };
        if name == 0 || self.is_own_module(name) {
            return Ok(());
        }
        let mut text = Text::<240>::new();
        // SAFETY: a live object, whose type says whether it is a `str`.
        unsafe {
            let of = word(name + self.walk.layout.object.ob_type);
            if word(of + self.walk.layout.object.tp_flags) & flag::STR == 0 {
                return Ok(());
            }
            text.push_str_object(name, self.walk.layout);
        }
        let word = self.word(text.as_bytes())?;
        self.own_modules.push(word)
    }
}
