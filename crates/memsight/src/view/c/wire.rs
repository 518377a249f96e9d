//! What the code in gdb says, as it says it: a value of JSON an answer.

use serde::Deserialize;

/// The program has begun, and this is where its things are.
#[derive(Deserialize)]
pub(super) struct Begun {
    pub(super) pid: i32,
    /// Where the C library keeps stdout's buffer.
    pub(super) stdout: Option<u64>,
    pub(super) globals: Vec<Global>,
    /// Where each own function begins.
    pub(super) code: Vec<(u64, String)>,
    /// The own files, the program's first.
    pub(super) files: Vec<String>,
    pub(super) made_by: String,
    pub(super) notes: Vec<String>,
    pub(super) types: Vec<Type>,
}

/// A variable that lives as long as the program.
#[derive(Deserialize)]
pub(super) struct Global {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) of_type: usize,
    pub(super) address: u64,
    /// The function that it is `static` in.
    pub(super) function: Option<String>,
}

/// A type.
#[derive(Deserialize)]
pub(super) struct Type {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) bytes: u64,
    #[serde(flatten)]
    pub(super) kind: Kind,
}

/// What the bytes of a type mean.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Kind {
    Bool,
    Char,
    Signed,
    Unsigned,
    Float,
    Enum {
        values: Vec<(String, i64)>,
    },
    /// A pointer to a function.
    Function,
    Pointer {
        /// The type that it points to; `None` is `void`.
        to: Option<usize>,
    },
    Array {
        of: usize,
        count: u64,
    },
    Struct {
        fields: Vec<Field>,
    },
    Union {
        fields: Vec<Field>,
    },
    /// Not looked into.
    Closed,
}

/// A member: its name, where it begins and how many bits it has, if they are not its type's.
#[derive(Deserialize)]
pub(super) struct Field(pub(super) String, pub(super) u64, pub(super) u64, pub(super) usize);

/// A function of the own files, told when it is first called.
#[derive(Deserialize)]
pub(super) struct Function {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) variables: Vec<Variable>,
    pub(super) returns: Option<usize>,
}

/// A variable of a function.
#[derive(Deserialize)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) argument: bool,
    pub(super) line: u32,
    /// The code in which it is seen.
    pub(super) from: u64,
    pub(super) to: u64,
    #[serde(rename = "type")]
    pub(super) of_type: usize,
    /// How far from the frame's beginning it lies.
    pub(super) offset: Option<i64>,
    /// Where it lies, if that is `static`.
    pub(super) address: Option<u64>,
}

/// Why the program stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reason {
    Call,
    Line,
    Return,
    Signal,
    Fault,
    /// It is about to end.
    End,
    /// It has ended.
    Exited,
}

/// The program stands still.
#[derive(Deserialize)]
pub(super) struct Stop {
    pub(super) reason: Reason,
    pub(super) thread: Option<u32>,
    pub(super) value: Option<Returned>,
    #[serde(default)]
    pub(super) sp: u64,
    #[serde(default)]
    pub(super) registers: Vec<u64>,
    #[serde(default)]
    pub(super) stacks: Vec<(u32, Vec<Frame>)>,
    pub(super) events: Vec<Event>,
    pub(super) functions: Vec<Function>,
    pub(super) types: Vec<Type>,
    /// Of a signal: its name, the address it is about, and where in the code.
    pub(super) name: Option<String>,
    pub(super) address: Option<u64>,
    pub(super) at: Option<u64>,
    /// Of a fault: which, and which function found it.
    pub(super) fault: Option<String>,
    pub(super) by: Option<String>,
    /// How it exited.
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
}

/// What a function is about to return.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Returned {
    Bits(u64),
    Float(f64),
}

/// A call that has not returned: its id, its function, where it is, where it begins, its line, and
/// variables that do not lie still.
#[derive(Deserialize)]
pub(super) struct Frame(
    pub(super) u32,
    pub(super) usize,
    pub(super) u64,
    pub(super) u64,
    pub(super) u32,
    pub(super) Vec<Moving>,
);

/// A variable that does not lie still: its name, its type, and where it is or what it holds.
#[derive(Deserialize)]
pub(super) struct Moving(
    pub(super) String,
    pub(super) usize,
    pub(super) Option<u64>,
    pub(super) Option<String>,
);

/// Memory was given, given back, or both.
#[derive(Deserialize)]
pub(super) struct Event {
    /// The block that is no more.
    pub(super) old: Option<u64>,
    /// The block that is new; 0 for none.
    pub(super) address: u64,
    pub(super) bytes: u64,
    /// Whether it was given to the program, and not to the C library for itself.
    pub(super) own: bool,
    /// The own line that asked.
    pub(super) place: Option<(String, u32)>,
}
