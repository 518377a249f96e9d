//! A traced Python program: from the capture's records to a [`Trace`].
//!
//! Everything in a capture is hostile input: numbers that name nothing are left out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;

use memsight_capture::{
    Child, ChildKind, Interpreter, ObjectId as Number, Reader, Record, StepBegin, StepEvent, StepFrame,
    StepFrameKind, StepKind, StepLabel, StepNameKind, StepObject, StepRecord, StepStanding, StepStream,
    StepTemporary, StepsOver, WordId,
};

use crate::model::{
    Event, Frame, FrameKind, Language, Name, NameKind, Object, ObjectId, ObjectKind, Ref, Source, SourceId,
    Standing, Step, Temporary, Trace,
};

mod value;

/// Frames of generators have numbers from here on; the rest is the generator's own.
const GENERATORS: u32 = 1 << 30;

/// Reads the trace that a capture holds. `load` gives a file of the program by its path.
pub fn read<R: Read>(reader: &mut Reader<R>, load: impl FnMut(&str) -> Source) -> Trace {
    let mut fold = Fold::new(load);
    while let Some(record) = reader.next_record() {
        match record {
            Record::Step(record) => fold.step(record),
            Record::Interpreter(interpreter) => fold.interpreter(&interpreter),
            Record::Child(Child { kind: ChildKind::Exec, .. }) => fold.note(ANOTHER),
            Record::Child(_) => fold.note(CHILDREN),
            _ => {}
        }
    }
    fold.finish()
}

/// Makes a trace of records alone, of an interpreter that is not known.
pub fn fold<'a>(
    records: impl IntoIterator<Item = StepRecord<'a>>,
    load: impl FnMut(&str) -> Source,
) -> Trace {
    let mut fold = Fold::new(load);
    records.into_iter().for_each(|record| fold.step(record));
    fold.finish()
}

struct Fold<L> {
    load: L,
    words: Vec<String>,
    sources: HashMap<u32, SourceId>,
    trace: Trace,
    /// The step that has begun and not ended.
    open: Option<Step>,
    /// The object whose items are being said.
    object: Option<Object>,
    shown: HashSet<ObjectId>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Of each generator: the steps at which it was said whether it is over.
    generators: BTreeMap<u32, Vec<(usize, bool)>>,
}

impl<L: FnMut(&str) -> Source> Fold<L> {
    fn new(load: L) -> Self {
        Fold {
            load,
            words: Vec::new(),
            sources: HashMap::new(),
            trace: Trace {
                language: Language::Python,
                made_by: "Python".to_owned(),
                sources: Vec::new(),
                steps: Vec::new(),
                truncated: None,
                ending: String::new(),
                notes: Vec::new(),
            },
            open: None,
            object: None,
            shown: HashSet::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            generators: BTreeMap::new(),
        }
    }

    fn interpreter(&mut self, interpreter: &Interpreter<'_>) {
        self.trace.made_by = format!("CPython {}", String::from_utf8_lossy(interpreter.version));
    }

    fn word(&self, word: WordId) -> &str {
        self.words.get(word.index()).map_or("", String::as_str)
    }

    fn source(&mut self, word: WordId) -> SourceId {
        if let Some(&known) = self.sources.get(&word.0) {
            return known;
        }
        let path = self.word(word).to_owned();
        let source = (self.load)(&path);
        self.trace.sources.push(source);
        let id = SourceId(self.trace.sources.len() as u32 - 1);
        self.sources.insert(word.0, id);
        id
    }

    fn step(&mut self, record: StepRecord<'_>) {
        match record {
            StepRecord::Word(word) => self.words.push(String::from_utf8_lossy(word).into_owned()),
            StepRecord::Output { bytes: [], .. } => self.note(LOST_OUTPUT),
            StepRecord::Output { stream: StepStream::Stdout, bytes } => self.stdout.extend_from_slice(bytes),
            StepRecord::Output { stream: StepStream::Stderr, bytes } => self.stderr.extend_from_slice(bytes),
            StepRecord::Begin(begin) => self.begin(&begin),
            StepRecord::Frame(frame) => self.frame(&frame),
            StepRecord::Name(name) => {
                let to = Ref::to(id_of(name.target));
                let word = self.word(name.name).to_owned();
                let Some(frame) = self.open.as_mut().and_then(|step| step.stack.last_mut()) else { return };
                let kind = match name.kind {
                    StepNameKind::Local => NameKind::Local,
                    StepNameKind::Global => NameKind::Global,
                    StepNameKind::Cell => NameKind::Cell,
                    StepNameKind::Held => NameKind::Held,
                };
                let held = frame.names.iter().filter(|name| name.kind == NameKind::Held).count();
                let name = if kind == NameKind::Held { format!("(held {})", held + 1) } else { word };
                frame.names.push(Name { name, kind, to, place: None });
            }
            StepRecord::Value(target) => {
                if let Some(step) = &mut self.open {
                    step.value = Some(Ref::to(id_of(target)));
                }
            }
            StepRecord::Object(object) => {
                self.close_object();
                self.object = Some(self.object_of(&object));
            }
            StepRecord::Item(item) => {
                let label = self.label(&item.label);
                if let Some(object) = &mut self.object {
                    object.items.push((label, Ref::to(id_of(item.target))));
                }
            }
            StepRecord::Died(target) => {
                self.close_object();
                if self.shown.remove(&id_of(target))
                    && let Some(step) = &mut self.open
                {
                    step.delta.died.push(id_of(target));
                }
            }
            StepRecord::Left(target) => {
                self.close_object();
                if self.shown.remove(&id_of(target))
                    && let Some(step) = &mut self.open
                {
                    step.delta.left.push(id_of(target));
                }
            }
            StepRecord::Temporary(temporary) => self.temporary(&temporary),
            StepRecord::End => {
                self.close_object();
                self.trace.steps.extend(self.open.take());
            }
            StepRecord::Over(why) => self.trace.truncated = Some(why_over(why).to_owned()),
        }
    }

    fn note(&mut self, text: &str) {
        if !self.trace.notes.iter().any(|note| note == text) {
            self.trace.notes.push(text.to_owned());
        }
    }

    fn begin(&mut self, begin: &StepBegin) {
        let source = self.source(begin.file);
        self.open = Some(Step {
            event: match begin.event {
                StepEvent::Call => Event::Call,
                StepEvent::Exception => Event::Exception,
                StepEvent::Line => Event::Line,
                StepEvent::Return => Event::Return,
            },
            yields: false,
            thread: begin.thread,
            source,
            // A file's own code is called before its first line.
            line: begin.line.max(1),
            stack: Vec::new(),
            value: None,
            stdout: text_of(std::mem::take(&mut self.stdout)),
            stderr: text_of(std::mem::take(&mut self.stderr)),
            delta: Default::default(),
            say: String::new(),
        });
    }

    fn frame(&mut self, frame: &StepFrame) {
        let source = self.source(frame.file);
        let function = self.word(frame.function).to_owned();
        let Some(step) = &mut self.open else { return };
        step.stack.push(Frame {
            id: frame.id,
            function,
            source,
            line: frame.line.max(1),
            kind: match frame.kind {
                StepFrameKind::Function => FrameKind::Function,
                StepFrameKind::Module => FrameKind::Module,
                StepFrameKind::Class => FrameKind::Class,
                StepFrameKind::Generator => FrameKind::Generator,
            },
            names: Vec::new(),
        });
    }

    fn object_of(&mut self, object: &StepObject<'_>) -> Object {
        let of_type = self.word(object.of_type).to_owned();
        if let memsight_capture::StepValue::Paused { over, .. } = object.value {
            let steps = self.trace.steps.len();
            self.generators.entry(object.id.0).or_default().push((steps, over));
        }
        Object {
            id: id_of(object.id),
            address: object.address,
            kind: match object.kind {
                StepKind::Value => ObjectKind::Value,
                StepKind::Sequence => ObjectKind::Sequence,
                StepKind::Mapping => ObjectKind::Mapping,
                StepKind::Set => ObjectKind::Set,
                StepKind::Fields => ObjectKind::Fields,
                StepKind::Class => ObjectKind::Class,
                StepKind::Function => ObjectKind::Function,
                StepKind::Iterator => ObjectKind::Iterator,
                StepKind::Closed => ObjectKind::Closed,
            },
            standing: match object.standing {
                StepStanding::Reached => Standing::Reached,
                StepStanding::Unreached => Standing::Unreached,
                StepStanding::Static => Standing::Static,
            },
            bytes: object.bytes,
            references: object.references,
            immortal: object.references.is_none(),
            value: match object.kind {
                StepKind::Fields => value::made_with(&of_type, &object.value),
                _ => value::text(&of_type, &object.value),
            },
            of_type,
            items: Vec::new(),
            hidden_items: object.hidden_items,
            allocated_at: None,
        }
    }

    fn label(&self, label: &StepLabel<'_>) -> String {
        match label {
            StepLabel::None => String::new(),
            StepLabel::Index(index) => index.to_string(),
            StepLabel::Word(word) => self.word(*word).to_owned(),
            StepLabel::Key { of_type, value } => {
                value::text(self.word(*of_type), value).unwrap_or_else(|| self.word(*of_type).to_owned())
            }
        }
    }

    fn close_object(&mut self) {
        let (Some(object), Some(step)) = (self.object.take(), &mut self.open) else { return };
        if self.shown.insert(object.id) {
            step.delta.born.push(object);
        } else {
            step.delta.changed.push(object);
        }
    }

    fn temporary(&mut self, temporary: &StepTemporary) {
        self.close_object();
        let of_type = temporary.of_type.map(|word| self.word(word).to_owned());
        let Some(step) = &mut self.open else { return };
        step.delta.temporaries.push(Temporary { of_type, count: temporary.count, bytes: temporary.bytes });
    }

    fn finish(mut self) -> Trace {
        self.see_which_returns_pause();
        let (stdout, stderr) = (text_of(self.stdout), text_of(self.stderr));
        if let Some(last) = self.trace.steps.last() {
            let end = Step {
                event: Event::End,
                yields: false,
                thread: last.thread,
                source: last.source,
                line: 0,
                stack: Vec::new(),
                value: None,
                stdout,
                stderr,
                delta: Default::default(),
                say: String::new(),
            };
            self.trace.steps.push(end);
        }
        self.trace
    }

    /// CPython says of a generator that pauses that it returns. It pauses if its frame comes
    /// back, or if it is said not to be over after that.
    fn see_which_returns_pause(&mut self) {
        let mut later = HashSet::new();
        for at in (0..self.trace.steps.len()).rev() {
            let Some(step) = self.trace.steps.get_mut(at) else { return };
            let innermost = step.stack.last().filter(|frame| frame.kind == FrameKind::Generator);
            if step.event == Event::Return
                && let Some(frame) = innermost
            {
                let said = self.generators.get(&(frame.id & !GENERATORS));
                let next = said.and_then(|said| said.iter().find(|&&(step, _)| step > at));
                let is_exhausted = next.map(|&(_, over)| over);
                step.yields = later.contains(&frame.id) || is_exhausted == Some(false);
            }
            if matches!(step.event, Event::Call | Event::Line | Event::Exception) {
                later.extend(innermost.map(|frame| frame.id));
            }
        }
    }
}

fn why_over(why: StepsOver) -> &'static str {
    match why {
        StepsOver::Enough => "There were more steps than were asked for.",
        StepsOver::OutOfMemory => "There was no memory for more steps.",
        StepsOver::Interpreters => {
            "The program made a second interpreter: what it did from then on is not shown."
        }
        StepsOver::Replaced => {
            "The program set a trace function of its own (sys.settrace, a debugger, coverage): \
             what it did from then on is not shown."
        }
    }
}

const CHILDREN: &str = "The program started other processes; what those did is not shown.";
const ANOTHER: &str = "The program became another one (exec), which is not shown.";
const LOST_OUTPUT: &str = "The program wrote more than is kept here: some of its output is left out.";

fn id_of(number: Number) -> ObjectId {
    ObjectId(number.0)
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
