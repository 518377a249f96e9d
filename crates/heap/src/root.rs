//! From where the interpreter itself holds objects.

use crate::NameId;

/// Something outside the graph that keeps an object of it alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// The table of imported modules holds a module of this name.
    Module {
        /// The module's name, `os.path`.
        module: NameId,
    },
    /// A running function's local variable.
    Local {
        /// The function's qualified name with its module.
        function: NameId,
        /// The line that it is on, from 1; 0 if there is none.
        line: u32,
        /// The variable's name.
        variable: NameId,
    },
    /// A thread's state: the exception being handled, its context, its hooks.
    Thread {
        /// What of the state it is.
        field: NameId,
    },
    /// The interpreter itself: builtins, static types, interned strings.
    Builtin {
        /// How it is called there.
        name: NameId,
    },
    /// More references than were found: something in C holds it.
    Unexplained,
}

/// The kinds of roots, in the order in which a path prefers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RootKind {
    /// [`Root::Module`]
    Module,
    /// [`Root::Local`]
    Local,
    /// [`Root::Thread`]
    Thread,
    /// [`Root::Builtin`]
    Builtin,
    /// [`Root::Unexplained`]
    Unexplained,
    /// Alive, but only by edges that are not followed: types by their instances,
    /// interned and immortal objects.
    Shared,
    /// Unreachable: waiting for the collector, or never to be freed.
    Garbage,
}

impl RootKind {
    /// Every kind, in order.
    pub const ALL: [RootKind; 7] = [
        RootKind::Module,
        RootKind::Local,
        RootKind::Thread,
        RootKind::Builtin,
        RootKind::Unexplained,
        RootKind::Shared,
        RootKind::Garbage,
    ];
}

impl Root {
    /// Which kind it is.
    pub fn kind(self) -> RootKind {
        match self {
            Root::Module { .. } => RootKind::Module,
            Root::Local { .. } => RootKind::Local,
            Root::Thread { .. } => RootKind::Thread,
            Root::Builtin { .. } => RootKind::Builtin,
            Root::Unexplained => RootKind::Unexplained,
        }
    }

    /// The names in it.
    pub(crate) fn names(self) -> impl Iterator<Item = NameId> {
        let (first, second) = match self {
            Root::Module { module } => (Some(module), None),
            Root::Local { function, variable, .. } => (Some(function), Some(variable)),
            Root::Thread { field } => (Some(field), None),
            Root::Builtin { name } => (Some(name), None),
            Root::Unexplained => (None, None),
        };
        first.into_iter().chain(second)
    }
}
