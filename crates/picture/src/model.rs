//! What a trace holds. Everything here is a plain value.

use serde::Serialize;

/// What the program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Python, by CPython.
    Python,
    /// C.
    C,
}

/// One object for the whole trace, even where its address is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u32);

/// A file of the program: an index into [`Trace::sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A file of the program. The first of a trace is the program itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its path as the reader would write it.
    pub path: String,
    /// Its text; empty if it could not be read.
    pub text: String,
}

/// A program, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What it is written in.
    pub language: Language,
    /// The interpreter or compiler, in words: `CPython 3.12.1`.
    pub made_by: String,
    /// Its files.
    pub sources: Vec<Source>,
    /// The steps, in the order they were taken.
    pub steps: Vec<Step>,
    /// If there were more steps than are here, why these are all: a sentence.
    pub truncated: Option<String>,
    /// How it ended, in words: `exit 0`, `killed by SIGSEGV`, `stopped after 60 s`.
    pub ending: String,
    /// What is not known, a sentence each.
    pub notes: Vec<String>,
}

/// Why a step was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A function was called, or a paused one goes on.
    Call,
    /// A line is about to run.
    Line,
    /// A function is about to return or, if [`Step::yields`], pauses.
    Return,
    /// An exception was raised or passes through this frame. In C: a fault such as a double free.
    Exception,
    /// The program is over.
    End,
}

/// The moment before `line` runs. What the step changed was done since the step before.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Why it was taken.
    pub event: Event,
    /// Whether the function that is about to return will go on later (`yield`, `await`).
    pub yields: bool,
    /// Which thread runs, counted from 0 in the order of their first steps.
    pub thread: u32,
    /// The file of the line.
    pub source: SourceId,
    /// The line that runs next, counted from 1; 0 if there is none.
    pub line: u32,
    /// The frames of the thread that runs, outermost first.
    pub stack: Vec<Frame>,
    /// What is returned, yielded or raised.
    pub value: Option<Ref>,
    /// What the program wrote to stdout since the step before.
    pub stdout: String,
    /// What it wrote to stderr since then.
    pub stderr: String,
    /// What changed since the step before.
    pub delta: Delta,
    /// What happened, in one sentence.
    pub say: String,
}

/// A call that has not returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The same for as long as the frame lives, and no other's.
    pub id: u32,
    /// The function's name; `<module>` for a file's own code.
    pub function: String,
    /// Its file.
    pub source: SourceId,
    /// The line it is at.
    pub line: u32,
    /// What kind of call.
    pub kind: FrameKind,
    /// Its names, in the order of the code.
    pub names: Vec<Name>,
}

/// What kind of call a frame is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameKind {
    /// A function.
    Function,
    /// A file's own code.
    Module,
    /// The body of a class.
    Class,
    /// A generator or coroutine, which lives on the heap.
    Generator,
}

/// A name and what it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name as the program writes it; `(held)` with a number for what is held without one.
    pub name: String,
    /// What kind of name.
    pub kind: NameKind,
    /// What it refers to.
    pub to: Ref,
    /// In C: where the variable itself lies, its type and its bytes.
    pub place: Option<Place>,
}

/// What kind of name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A local variable or argument.
    Local,
    /// A name of a module.
    Global,
    /// A local variable that an inner function shares, or that an outer one shares with this.
    Cell,
    /// No name: held by the evaluation of the line, as the list that a `for` walks through.
    Held,
}

/// Where a C variable lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its address.
    pub address: u64,
    /// Its type as the program writes it.
    pub of_type: String,
    /// Its bytes.
    pub bytes: u64,
    /// Whether it never got a value.
    pub uninitialised: bool,
}

/// What a name or a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ref {
    /// A reference to an object. In C a pointer to its beginning, or `offset` bytes behind that.
    Object {
        /// Which object.
        id: ObjectId,
        /// How far behind its beginning; 0 in Python.
        offset: u64,
    },
    /// A C value that is no pointer, or a pointer to nothing that is known: `NULL`, `0x10`,
    /// `uninitialised`, a function's name.
    Value(String),
}

impl Ref {
    /// A reference to an object's beginning.
    pub fn to(id: ObjectId) -> Self {
        Ref::Object { id, offset: 0 }
    }
}

/// What an object is, as far as a picture of it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectKind {
    /// A value without references: a number, a string, `None`.
    Value,
    /// Items in order: a list, a tuple, a deque; in C an array.
    Sequence,
    /// A dict: labels are its keys.
    Mapping,
    /// A set: labels are empty.
    Set,
    /// Named fields: an instance, a struct.
    Fields,
    /// A class.
    Class,
    /// A function or method; its items are what it closes over and its defaults.
    Function,
    /// A paused or running generator, coroutine or other iterator.
    Iterator,
    /// An object whose inside is not looked at: a module, an open file.
    Closed,
}

/// Where an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Names lead to it.
    Reached,
    /// It is alive and no name of the program leads to it: garbage that waits for the collector,
    /// something only C code holds; in C a leak.
    Unreached,
    /// C: it was freed, and a pointer still refers to it.
    Freed,
    /// C: it lies in a frame of the stack.
    #[serde(rename = "stack")]
    OnStack,
    /// It was not allocated: a global variable of C, an object built into the interpreter.
    Static,
}

/// An object as it is at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Which.
    pub id: ObjectId,
    /// Where it lies.
    pub address: u64,
    /// Its type's name.
    pub of_type: String,
    /// What it is for a picture.
    pub kind: ObjectKind,
    /// Where it stands.
    pub standing: Standing,
    /// Bytes asked for: its own block and those that are its alone.
    pub bytes: u64,
    /// Its reference count; `None` in C and for an immortal object.
    pub references: Option<u64>,
    /// Whether its reference count never changes (`None`, small numbers, from CPython 3.12).
    pub immortal: bool,
    /// Its value in short, as the program would write it; a long one is cut and ends with `…`.
    pub value: Option<String>,
    /// What it holds: labels (an index, a key, an attribute) and references.
    pub items: Vec<(String, Ref)>,
    /// Items that it has and that are not in `items`.
    pub hidden_items: u64,
    /// C: the line that allocated it.
    pub allocated_at: Option<(SourceId, u32)>,
}

/// Objects that were made and freed between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Temporary {
    /// Their type's name; `None` for memory that no object owned.
    pub of_type: Option<String>,
    /// How many.
    pub count: u64,
    /// Their bytes in all.
    pub bytes: u64,
}

/// What a step changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// Objects that were not in the step before. (They may have been made earlier, and a name
    /// leads to them only now.)
    pub born: Vec<Object>,
    /// Objects that differ, as they are now.
    pub changed: Vec<Object>,
    /// Objects that were freed.
    pub died: Vec<ObjectId>,
    /// Objects that live on where nobody looks: no name leads to them any more, and they are
    /// built into the interpreter or beyond what is looked at.
    pub left: Vec<ObjectId>,
    /// Objects that came and went within the step.
    pub temporaries: Vec<Temporary>,
}
