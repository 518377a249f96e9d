//! The model of one file: its syntax tree as an array with parents, its scopes,
//! names, types and effects. Rules ask it; it finds nothing itself.
//!
//! | module    | what it answers                                                        |
//! |-----------|------------------------------------------------------------------------|
//! | `build`   | one walk over the tree that makes the arrays                           |
//! | `names`   | what a name refers to: a local, an import, a builtin                   |
//! | `types`   | which builtin type an expression has, and whether that is proven       |
//! | `attributes` | what a class keeps in `self`                                         |
//! | `effects` | what evaluating something may change, and who else may refer to it     |
//! | `rounds`  | what loops do to a value from one round to the next                     |
//! | `failure` | what can fail half-way, and whether that would be seen                 |
//! | `guards`  | whether a copy is there because the loop over it changes the original  |
//! | `tables`  | what the builtins and the library give and do, as tables               |
//! | `shape`   | loops, statements and text around a node                               |
//!
//! Nodes are numbered in the order of the walk, so that a subtree is a range of
//! numbers: "is this use within that loop" is two comparisons.

mod attributes;
mod build;
pub(crate) mod effects;
mod failure;
mod guards;
mod names;
mod rounds;
pub(crate) mod shape;
mod tables;
pub(crate) mod types;

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use crate::syntax::{
    Expr, HasNodeIndex, Parsed, Ranged, Stmt, StmtAugAssign, StmtClassDef, StmtFunctionDef, TextRange,
};
use crate::target::PythonVersion;

pub(crate) use effects::{Region, Use};
pub(crate) use shape::{comprehension, int, same_place};
pub(crate) use types::{Known, Type};

/// Position of a node in [`Model::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) u32);

/// Position of a scope in [`Model::scopes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeId(pub(crate) u32);

/// Position of a symbol in [`Model::symbols`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SymbolId(pub(crate) u32);

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ast<'a> {
    /// The file.
    Module,
    /// A statement.
    Stmt(&'a Stmt),
    /// An expression.
    Expr(&'a Expr),
}

/// A node of the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    /// What it is.
    pub(crate) ast: Ast<'a>,
    /// Its parent; the module is its own.
    pub(crate) parent: NodeId,
    /// One past the last node of its subtree.
    pub(crate) end: NodeId,
    /// The scope in which it is evaluated.
    pub(crate) scope: ScopeId,
}

/// What a scope belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// The file.
    Module,
    /// A class body.
    Class,
    /// A function's body.
    Function,
    /// A lambda.
    Lambda,
    /// A list, set or dict comprehension, which is evaluated at once.
    Comprehension,
    /// A generator expression, which is evaluated later.
    Generator,
}

/// A region of the text in which a name has one meaning.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    /// What it belongs to.
    pub(crate) kind: ScopeKind,
    /// The scope around it; the module's is itself.
    pub(crate) parent: ScopeId,
    /// The node that opens it.
    pub(crate) node: NodeId,
    /// The names bound or declared in it.
    pub(crate) names: FxHashMap<&'a str, Named>,
    /// Whether names may be looked up in it by strings: `eval`, `exec`, `locals`, `vars`.
    pub(crate) by_string: bool,
    /// Whether it yields.
    pub(crate) yields: bool,
}

/// What a name stands for in a scope.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named {
    /// A symbol of this scope.
    Own(SymbolId),
    /// Declared `global`.
    Global,
    /// Declared `nonlocal`.
    Nonlocal,
}

/// A name in its scope, with everything that binds it and everything that reads it.
#[derive(Debug)]
pub(crate) struct Symbol<'a> {
    /// How it is spelled.
    pub(crate) name: &'a str,
    /// The scope that it belongs to.
    pub(crate) scope: ScopeId,
    /// What binds it, in the order of the nodes.
    pub(crate) bindings: Vec<Binding<'a>>,
    /// The names that read it, in the order of the walk.
    pub(crate) uses: Vec<NodeId>,
    /// Whether a function, lambda or generator within its scope reads or binds it.
    pub(crate) captured: bool,
    /// Whether another scope binds it by `global` or `nonlocal`.
    pub(crate) bound_elsewhere: bool,
}

impl<'a> Symbol<'a> {
    /// What binds it in a region.
    pub(crate) fn bindings_in(&self, region: Region) -> &[Binding<'a>] {
        let place = |id: NodeId| self.bindings.partition_point(|binding| binding.node < id);
        &self.bindings[place(region.from)..place(region.to).max(place(region.from))]
    }
}

/// Something that gives a name its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'a> {
    /// The node at which it happens.
    pub(crate) node: NodeId,
    /// How.
    pub(crate) how: Bound<'a>,
}

/// How a name is bound.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound<'a> {
    /// `name = value`, also `name := value`.
    Assigned(&'a Expr),
    /// `name: annotation = value`.
    Annotated(&'a Expr, Option<&'a Expr>),
    /// `name += value` and its like.
    Augmented(&'a StmtAugAssign),
    /// An element of an iterable: the target of `for` or of a comprehension.
    Element(&'a Expr),
    /// `with value as name`.
    With(&'a Expr),
    /// A parameter, with its annotation; the flag tells `*args` and `**kwargs`.
    Parameter(Option<&'a Expr>, bool),
    /// A module or a name of one, by its dotted path.
    Import,
    /// A function.
    Function(&'a StmtFunctionDef),
    /// A class.
    Class(&'a StmtClassDef),
    /// `except … as name`.
    Exception,
    /// `del name`.
    Deleted,
    /// In some other way: unpacked, matched, a type parameter.
    Other,
}

/// How many places in a file a name may have.
const MAX_PLACES_OF_NAME: usize = 10_000;

/// One file, ready for questions.
pub(crate) struct Model<'a> {
    /// Its text.
    pub(crate) source: &'a str,
    /// Its syntax tree and tokens.
    pub(crate) parsed: &'a Parsed,
    /// The oldest Python that the project runs on.
    pub(crate) python: PythonVersion,
    nodes: Vec<Node<'a>>,
    scopes: Vec<Scope<'a>>,
    symbols: Vec<Symbol<'a>>,
    /// For each node that is a name, the symbol it refers to.
    resolved: Vec<Option<SymbolId>>,
    /// The dotted paths of imported symbols.
    imports: FxHashMap<SymbolId, String>,
    /// Whether `from … import *` may have bound any name.
    star: bool,
    /// Types already found out; `None` while they are being found out.
    known: RefCell<FxHashMap<SymbolId, Option<Option<Known>>>>,
    /// The same for single bindings of names that have several, by where they stand.
    bound: RefCell<FxHashMap<NodeId, Option<Known>>>,
    /// The same for attributes of `self`, by class.
    attributes: RefCell<FxHashMap<NodeId, attributes::Attributes>>,
    /// Which symbols are private, as far as that was asked.
    private: RefCell<FxHashMap<SymbolId, bool>>,
    /// How many questions about types wait for the one being answered.
    depth: Cell<u32>,
}

impl<'a> Model<'a> {
    /// Every node, in the order of the walk.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// A node.
    pub(crate) fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id.0 as usize]
    }

    /// A scope.
    pub(crate) fn scope(&self, id: ScopeId) -> &Scope<'a> {
        &self.scopes[id.0 as usize]
    }

    /// A symbol.
    pub(crate) fn symbol(&self, id: SymbolId) -> &Symbol<'a> {
        &self.symbols[id.0 as usize]
    }

    /// Where a name is read or bound that is read and bound so often that only a program can have written
    /// the text. Rules go through all places of a name for each that they find.
    pub(crate) fn crowded(&self) -> Option<(&'a str, NodeId)> {
        let symbol = self.symbols.iter().find(|symbol| {
            let imported = symbol.bindings.iter().all(|binding| matches!(binding.how, Bound::Import));
            !imported && symbol.uses.len() + symbol.bindings.len() > MAX_PLACES_OF_NAME
        })?;
        Some((symbol.name, symbol.bindings.first().map_or(NodeId(0), |binding| binding.node)))
    }

    /// Every symbol.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = SymbolId> + use<> {
        (0..self.symbols.len() as u32).map(SymbolId)
    }

    /// The number of a statement or expression of this file.
    pub(crate) fn id(&self, node: &impl HasNodeIndex) -> NodeId {
        // Nodes that the walk leaves out, such as parameters, are never asked for.
        NodeId(node.node_index().load().as_u32().unwrap_or(0))
    }

    /// The expression at a node.
    pub(crate) fn expr(&self, id: NodeId) -> Option<&'a Expr> {
        match self.node(id).ast {
            Ast::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    /// The statement at a node.
    pub(crate) fn stmt(&self, id: NodeId) -> Option<&'a Stmt> {
        match self.node(id).ast {
            Ast::Stmt(stmt) => Some(stmt),
            _ => None,
        }
    }

    /// Where a node is in the text.
    pub(crate) fn range(&self, id: NodeId) -> TextRange {
        match self.node(id).ast {
            Ast::Module => self.parsed.module().range(),
            Ast::Stmt(stmt) => stmt.range(),
            Ast::Expr(expr) => expr.range(),
        }
    }

    /// The text of something.
    pub(crate) fn text(&self, of: &impl Ranged) -> &'a str {
        &self.source[of.range().to_std_range()]
    }
}
