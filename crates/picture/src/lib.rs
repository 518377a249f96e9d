//! A program's memory step by step: the call stack, the names, the objects they
//! refer to, what was made and what was freed.
//!
//! A [`Trace`] comes from a traced Python program's capture or from a C program under a
//! debugger; the terminal, the page and the JSON of `memsight view` show it. It keeps
//! the first step whole and of every other what it changed; [`States`] puts the steps
//! together again. Nothing is drawn here.
#![forbid(unsafe_code)]

pub mod json;
mod lives;
mod model;
pub mod page;
mod replay;
mod say;
mod state;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod words;

pub use lives::{Life, MAX_EVENTS, What, lives};
pub use model::{
    Delta, Event, Frame, FrameKind, Language, Name, NameKind, Object, ObjectId, ObjectKind, Place, Ref,
    Source, SourceId, Standing, Step, Temporary, Trace,
};
pub use say::{MAX_SENTENCE, say_all};
pub use state::{State, States};
