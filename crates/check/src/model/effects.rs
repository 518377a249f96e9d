//! What evaluating something may change, and who else may refer to a value.
//!
//! Everything here errs on one side: `true` is said only where the text proves
//! it. What a proof leaves out of account, as every reader of Python does, is
//! that attributes, operators and `str()` may run code of a class.

use super::{Ast, Bound, Known, Model, NodeId, ScopeKind, SymbolId, Type, tables};
use crate::syntax::{Expr, ExprCall, ExprContext, Stmt, any_over_expr};

/// The nodes of some neighbouring statements or of one expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// The first.
    pub(crate) from: NodeId,
    /// One past the last.
    pub(crate) to: NodeId,
}

impl Region {
    /// Whether a node is among them.
    pub(crate) fn has(self, id: NodeId) -> bool {
        self.from <= id && id < self.to
    }

    /// These and others, and what stands between.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    /// All of them.
    pub(crate) fn ids(self) -> impl Iterator<Item = NodeId> {
        (self.from.0..self.to.0).map(NodeId)
    }
}

/// What a use of a name does with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Reads it, and keeps no reference to it.
    Reads,
    /// Changes it in place.
    Changes,
    /// Gives it to something that may keep or change it.
    GivesAway,
}

impl<'a> Model<'a> {
    /// Whether evaluating an expression changes nothing and calls nothing but builtins and functions
    /// of the library that are known to change nothing.
    pub(crate) fn pure(&self, expr: &'a Expr) -> bool {
        self.region_of(self.id(expr)).ids().all(|id| match self.expr(id) {
            Some(Expr::Call(call)) => self.pure_call(call),
            Some(
                Expr::Await(_)
                | Expr::Yield(_)
                | Expr::YieldFrom(_)
                | Expr::Named(_)
                | Expr::IpyEscapeCommand(_),
            ) => false,
            _ => true,
        })
    }

    /// Whether an expression awaits, yields or binds a name: it cannot be moved into another scope.
    pub(crate) fn suspends(&self, expr: &Expr) -> bool {
        any_over_expr(expr, |inner| {
            matches!(inner, Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) | Expr::Named(_))
        })
    }

    pub(super) fn pure_call(&self, call: &'a ExprCall) -> bool {
        // A function passed in is called.
        let arguments =
            || call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|word| &word.value));
        // `**words` may hold one too.
        let no_callback = || {
            let calls = |name: &str| {
                matches!(name, "key" | "cls") || name == "default" && self.path(&call.func).is_some()
            };
            call.arguments.keywords.iter().all(|word| word.arg.as_deref().is_some_and(|name| !calls(name)))
        };
        if let Some(name) = self.builtin(&call.func) {
            return match name {
                "map" | "filter" => arguments().next().is_some_and(|first| {
                    first.is_none_literal_expr() || self.builtin(first).is_some_and(tables::pure_builtin)
                }),
                name => tables::pure_builtin(name) && no_callback(),
            };
        }
        if let Some(path) = self.path(&call.func) {
            let no_words = call.arguments.keywords.is_empty();
            return tables::pure_function(&path) && no_callback() && (no_words || path != "json.dumps");
        }
        let Expr::Attribute(method) = &*call.func else { return false };
        self.proven(&method.value).is_some_and(|of| tables::pure_method(of, method.attr.as_str()))
    }

    /// Whether running a region may run code that is not in it: anything called that is not known,
    /// anything that waits.
    pub(crate) fn runs_other_code(&self, region: Region) -> bool {
        region.ids().any(|id| match self.node(id).ast {
            Ast::Expr(Expr::Call(call)) => !self.harmless_call(call),
            Ast::Expr(Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) | Expr::IpyEscapeCommand(_)) => {
                true
            }
            Ast::Stmt(Stmt::With(_) | Stmt::Import(_) | Stmt::ImportFrom(_) | Stmt::IpyEscapeCommand(_)) => {
                true
            }
            Ast::Stmt(Stmt::ClassDef(_)) => true,
            Ast::Stmt(Stmt::FunctionDef(function)) => !function.decorator_list.is_empty(),
            Ast::Stmt(Stmt::For(it)) => it.is_async || !self.plainly_iterated(&it.iter),
            Ast::Expr(expr) => super::comprehension(expr).is_some_and(|generators| {
                generators.iter().any(|it| it.is_async || !self.plainly_iterated(&it.iter))
            }),
            _ => false,
        })
    }

    /// Whether going over something runs no code but that of builtins: anything unknown has a `__next__`
    /// of its own, and a generator a body.
    fn plainly_iterated(&self, iter: &'a Expr) -> bool {
        use Type::*;
        match self.proven(iter) {
            Some(List | Tuple | Str | Bytes | ByteArray | Range | Dict | Set | FrozenSet) => true,
            Some(TextFile | BinaryFile | MemoryView) => true,
            // What a view or an iterator made right here goes over.
            Some(Iterator | Other) => match iter {
                Expr::Call(call) => match &*call.func {
                    Expr::Attribute(method) => self.proven(&method.value) == Some(Dict),
                    func => {
                        let mapped = matches!(self.builtin(func), Some("map" | "filter"));
                        let mut items = call.arguments.args.iter().skip(usize::from(mapped));
                        self.pure_call(call) && items.all(|it| self.plainly_iterated(it))
                    }
                },
                // Its own parts are in the region as well.
                Expr::Generator(_) => true,
                _ => false,
            },
            // `enumerate(xs, 1)`
            Some(Int | Bool | Nothing) => true,
            _ => false,
        }
    }

    /// Whether a call runs only builtins: it may change its receiver, and nothing else.
    fn harmless_call(&self, call: &'a ExprCall) -> bool {
        if self.is_builtin(&call.func, "print") {
            return call.arguments.find_keyword("file").is_none();
        }
        if self.pure_call(call) {
            return !self.goes_over_something(call);
        }
        let Expr::Attribute(method) = &*call.func else { return false };
        let builtin = self.proven(&method.value).is_some_and(|of| {
            !matches!(of, Type::Other | Type::Code | Type::Iterator | Type::Array | Type::Table)
        });
        builtin && call.arguments.keywords.is_empty() && !self.goes_over_something(call)
    }

    /// Whether a builtin goes over an argument that has code of its own to run.
    fn goes_over_something(&self, call: &'a ExprCall) -> bool {
        let takes_items = match &*call.func {
            Expr::Attribute(method) => {
                matches!(method.attr.as_str(), "extend" | "update" | "join" | "writelines" | "fsum" | "prod")
            }
            func => matches!(
                self.builtin(func),
                Some(
                    "all"
                        | "any"
                        | "bytearray"
                        | "bytes"
                        | "dict"
                        | "frozenset"
                        | "list"
                        | "max"
                        | "min"
                        | "set"
                        | "sorted"
                        | "sum"
                        | "tuple"
                )
            ),
        };
        let one = call.arguments.args.len() == 1 || self.is_builtin(&call.func, "sum");
        takes_items && one && call.arguments.args.first().is_some_and(|first| !self.plainly_iterated(first))
    }

    /// Whether a region changes some container or attribute in place.
    pub(crate) fn changes_something(&self, region: Region) -> bool {
        let own = |expr: &Expr| self.symbol_of(expr).is_some_and(|symbol| self.private(symbol));
        region.ids().any(|id| match self.node(id).ast {
            Ast::Expr(Expr::Subscript(it)) => it.ctx != ExprContext::Load && !own(&it.value),
            Ast::Expr(Expr::Attribute(it)) => {
                it.ctx != ExprContext::Load || tables::mutates(it.attr.as_str()) && !own(&it.value)
            }
            // `ys += …` changes a list of which `ys` is another name.
            Ast::Stmt(Stmt::AugAssign(it)) => {
                let number = self.type_of(&it.target).is_some_and(|known| known.ty.immutable());
                it.target.is_name_expr() && !number && !own(&it.target)
            }
            _ => false,
        })
    }

    /// What a use of a name does with its value.
    pub(crate) fn use_of(&self, name: NodeId) -> Use {
        let Some(expr) = self.expr(name) else { return Use::GivesAway };
        let above = self.node(name).parent;
        let statement = match self.node(above).ast {
            Ast::Expr(parent) => return self.use_in(expr, parent),
            Ast::Stmt(statement) => statement,
            Ast::Module => return Use::GivesAway,
        };
        match statement {
            Stmt::For(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Expr(_) | Stmt::Assert(_) => Use::Reads,
            // What stands in `finally` runs while the caller's value waits.
            Stmt::Return(_) if !self.before_finally(above) => Use::Reads,
            // A class of its own may keep what is added to it.
            Stmt::AugAssign(assign) if self.is_builtin_value(&assign.target) => Use::Reads,
            _ => Use::GivesAway,
        }
    }

    fn use_in(&self, name: &'a Expr, parent: &'a Expr) -> Use {
        let builtin = self.is_builtin_value(name);
        match parent {
            Expr::Attribute(attribute) => {
                let called =
                    matches!(self.parent_expr(parent), Some(Expr::Call(call)) if *call.func == *parent);
                match (called, attribute.ctx) {
                    (_, ExprContext::Store | ExprContext::Del) => Use::Changes,
                    (true, _) if tables::mutates(attribute.attr.as_str()) => Use::Changes,
                    (true, _) if attribute.attr.as_str().starts_with("__") => Use::GivesAway,
                    (true, _)
                        if matches!(attribute.attr.as_str(), "items" | "keys" | "values")
                            && self.parent_expr(parent).is_some_and(|view| self.is_kept(view)) =>
                    {
                        Use::GivesAway
                    }
                    (true, _) if builtin || tables::keeps_receiver_in(attribute.attr.as_str()) => Use::Reads,
                    _ => Use::GivesAway,
                }
            }
            Expr::Subscript(subscript)
                if *subscript.value == *name && self.id(&*subscript.value) == self.id(name) =>
            {
                match subscript.ctx {
                    ExprContext::Load if builtin || !subscript.slice.is_slice_expr() => Use::Reads,
                    ExprContext::Load => Use::GivesAway,
                    _ => Use::Changes,
                }
            }
            Expr::Call(call) if self.hands_back(call, name) => Use::GivesAway,
            Expr::Call(call) => {
                let kept = self.builtin(&call.func).is_some_and(tables::lazy_builtin) && self.is_kept(parent);
                if kept {
                    return Use::GivesAway;
                }
                if self.pure_call(call)
                    || self.is_builtin(&call.func, "print")
                    || self.is_builtin(&call.func, "iter")
                {
                    return Use::Reads;
                }
                let Expr::Attribute(method) = &*call.func else { return Use::GivesAway };
                let reads = matches!(
                    method.attr.as_str(),
                    "extend" | "update" | "join" | "write" | "writelines" | "union"
                );
                let positional = call.arguments.args.iter().any(|it| self.id(it) == self.id(name));
                if reads && positional && self.is_builtin_value(&method.value) {
                    Use::Reads
                } else {
                    Use::GivesAway
                }
            }
            Expr::Compare(_)
            | Expr::BinOp(_)
            | Expr::UnaryOp(_)
            | Expr::FString(_)
            | Expr::Slice(_)
            | Expr::Starred(_) => Use::Reads,
            // `{**d}` copies what is in it.
            Expr::Dict(dict)
                if dict.items.iter().any(|it| it.key.is_none() && self.id(&it.value) == self.id(name)) =>
            {
                Use::Reads
            }
            // `return xs, n` ends the function that the name is of.
            Expr::Tuple(_) | Expr::List(_) | Expr::Dict(_) if self.is_returned(parent) => Use::Reads,
            Expr::If(either) if self.id(&*either.test) == self.id(name) => Use::Reads,
            Expr::BoolOp(_) if self.is_test(parent) => Use::Reads,
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                let iterated = super::shape::comprehension(parent).is_some_and(|generators| {
                    generators.iter().any(|generator| self.id(&generator.iter) == self.id(name))
                });
                let kept = parent.is_generator_expr() && self.is_kept(parent);
                if iterated && !kept { Use::Reads } else { Use::GivesAway }
            }
            _ => Use::GivesAway,
        }
    }

    /// Whether an expression is known to be of a builtin type.
    fn is_builtin_value(&self, expr: &'a Expr) -> bool {
        self.type_of(expr)
            .is_some_and(|known| !matches!(known.ty, Type::Other | Type::Array | Type::Table | Type::Code))
    }

    /// Whether a statement stands where a `finally` runs after it.
    fn before_finally(&self, statement: NodeId) -> bool {
        let own = self.frame(statement);
        self.ancestors(statement)
            .take_while(|above| self.frame(*above) == own)
            .any(|above| matches!(self.stmt(above), Some(Stmt::Try(it)) if !it.finalbody.is_empty()))
    }

    /// Whether a builtin keeps an argument itself, or may give it back: `dict(key=xs)`, `max(xs, ys)`,
    /// `sum(lists, xs)`.
    fn hands_back(&self, call: &'a ExprCall, argument: &Expr) -> bool {
        let first = call.arguments.args.first().is_some_and(|first| self.id(first) == self.id(argument));
        match self.builtin(&call.func) {
            Some("max" | "min") => !first || call.arguments.args.len() > 1,
            Some("dict" | "sum") => !first,
            Some("slice") => true,
            // `d.get(key, xs)`
            _ => !first && call.func.as_attribute_expr().is_some_and(|method| method.attr.as_str() == "get"),
        }
    }

    /// Whether an expression is what a function returns, or a part of it.
    fn is_returned(&self, expr: &'a Expr) -> bool {
        match self.parent_expr(expr) {
            Some(parent @ (Expr::Tuple(_) | Expr::List(_) | Expr::Dict(_))) => self.is_returned(parent),
            Some(_) => false,
            None => matches!(self.parent_stmt(expr), Some(Stmt::Return(_))),
        }
    }

    /// Whether an iterator or view may be gone over by another statement than its own, when what it gives
    /// may have changed.
    fn is_kept(&self, view: &'a Expr) -> bool {
        let Some(parent) = self.parent_expr(view) else {
            return match self.parent_stmt(view) {
                Some(Stmt::For(it)) => self.id(&*it.iter) != self.id(view),
                Some(Stmt::Expr(_) | Stmt::Return(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_)) => {
                    false
                }
                _ => true,
            };
        };
        match parent {
            Expr::Call(call) => match (self.builtin(&call.func), &*call.func) {
                (Some(name), _) if tables::lazy_builtin(name) => self.is_kept(parent),
                (Some(name), _) => !tables::pure_builtin(name) && !matches!(name, "next" | "print"),
                (None, Expr::Attribute(method)) => {
                    let takes =
                        matches!(method.attr.as_str(), "extend" | "update" | "join" | "writelines" | "union");
                    !takes || self.type_of(&method.value).is_none()
                }
                _ => true,
            },
            Expr::Generator(_) => self.is_kept(parent),
            Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Compare(_)
            | Expr::BinOp(_)
            | Expr::Starred(_) => false,
            _ => true,
        }
    }

    /// Whether only the truth of an expression matters.
    pub(crate) fn is_test(&self, expr: &Expr) -> bool {
        let id = self.id(expr);
        match self.node(self.node(id).parent).ast {
            Ast::Stmt(Stmt::If(_) | Stmt::Assert(_)) => true,
            Ast::Stmt(Stmt::While(it)) => self.id(&*it.test) == id,
            Ast::Expr(Expr::UnaryOp(op)) => op.op == crate::syntax::UnaryOp::Not,
            Ast::Expr(Expr::If(either)) => self.id(&*either.test) == id,
            Ast::Expr(parent @ Expr::BoolOp(_)) => self.is_test(parent),
            Ast::Expr(parent) => match super::shape::comprehension(parent) {
                Some(generators) => generators.iter().any(|it| it.ifs.iter().any(|test| self.id(test) == id)),
                None => matches!(self.call_of_one(parent), Some(("bool", _))),
            },
            _ => false,
        }
    }

    /// Whether a value is made new by its expression, so that nothing else refers to it.
    pub(crate) fn fresh(&self, expr: &'a Expr) -> bool {
        match expr {
            Expr::List(_)
            | Expr::Dict(_)
            | Expr::Set(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_) => true,
            Expr::Call(call) => match self.builtin(&call.func) {
                Some(name) => matches!(name, "list" | "dict" | "set" | "sorted" | "bytearray"),
                None => matches!(
                    self.type_of(expr),
                    Some(Known { ty: Type::List | Type::Dict | Type::Set | Type::ByteArray, proven: true })
                ),
            },
            Expr::Subscript(it) if it.slice.is_slice_expr() => {
                self.proven(expr).is_some_and(Type::slice_copies)
            }
            Expr::BinOp(_) => self.proven(expr).is_some(),
            _ => self.proven(expr).is_some_and(Type::immutable),
        }
    }

    /// Whether nothing but one local name ever refers to its values while the function runs.
    pub(crate) fn private(&self, id: SymbolId) -> bool {
        if let Some(private) = self.private.borrow().get(&id) {
            return *private;
        }
        let private = self.found_private(id);
        self.private.borrow_mut().insert(id, private);
        private
    }

    fn found_private(&self, id: SymbolId) -> bool {
        let symbol = self.symbol(id);
        let scope = self.scope(symbol.scope);
        scope.kind == ScopeKind::Function
            && !scope.by_string
            && !symbol.captured
            && !symbol.bound_elsewhere
            && symbol.bindings.iter().all(|binding| match binding.how {
                Bound::Assigned(value) => self.fresh(value) && self.bound_alone(binding.node),
                Bound::Annotated(_, Some(value)) => self.fresh(value),
                Bound::Augmented(_) | Bound::Deleted | Bound::Annotated(_, None) => true,
                _ => false,
            })
            && symbol.uses.iter().all(|name| self.use_of(*name) != Use::GivesAway)
    }

    /// Whether what is assigned to a name goes nowhere else: not to a second target as in `a = b = []`, nor
    /// to what stands around a `:=`.
    pub(crate) fn bound_alone(&self, name: NodeId) -> bool {
        match self.node(self.node(name).parent).ast {
            Ast::Stmt(Stmt::Assign(assign)) => assign.targets.len() == 1,
            Ast::Expr(named @ Expr::Named(_)) => self.is_test(named),
            _ => false,
        }
    }

    /// Whether a name may get another value in a region.
    pub(crate) fn bound_in(&self, id: SymbolId, region: Region) -> bool {
        let symbol = self.symbol(id);
        !symbol.bindings_in(region).is_empty()
            || symbol.bound_elsewhere && self.runs_other_code(region)
            || self.scope(symbol.scope).by_string
    }

    /// Whether a name or what it refers to may change in a region.
    pub(crate) fn changed_in(&self, id: SymbolId, region: Region) -> bool {
        if self.bound_in(id, region) {
            return true;
        }
        let symbol = self.symbol(id);
        let immutable = self.type_of_symbol(id).is_some_and(|known| known.proven && known.ty.immutable());
        if immutable {
            return false;
        }
        let inside = symbol.uses.iter().filter(|name| region.has(**name));
        if inside.into_iter().any(|name| self.use_of(*name) != Use::Reads) {
            return true;
        }
        !self.private(id) && (self.runs_other_code(region) || self.changes_something(region))
    }

    /// Whether an expression gives the same before and after a region has run.
    pub(crate) fn independent(&self, expr: &'a Expr, region: Region) -> bool {
        let mut looks_inside = false;
        // A comprehension evaluates its first iterable at once: `range(n)` stays what it is.
        let settled = super::comprehension(expr)
            .and_then(|generators| generators.first())
            .filter(|first| self.proven(&first.iter).is_some_and(Type::immutable))
            .map(|first| self.region_of(self.id(&first.iter)));
        for id in self.region_of(self.id(expr)).ids() {
            if settled.is_some_and(|settled| settled.has(id)) {
                continue;
            }
            match self.expr(id) {
                Some(name @ Expr::Name(_)) => {
                    let Some(symbol) = self.symbol_of(name) else { continue };
                    let own = self.region_of(self.id(expr)).has(self.scope(self.symbol(symbol).scope).node)
                        && self.scope(self.symbol(symbol).scope).kind != ScopeKind::Module;
                    if !own && self.changed_in(symbol, region) {
                        return false;
                    }
                    looks_inside |= self.looked_into(name);
                }
                Some(Expr::Attribute(it)) => {
                    looks_inside |= !self.proven(&it.value).is_some_and(Type::immutable)
                }
                Some(Expr::Subscript(it)) => {
                    looks_inside |= !self.proven(&it.value).is_some_and(Type::immutable)
                }
                // What the file system holds is changed by no name.
                Some(Expr::Call(call)) => {
                    looks_inside |= self.path(&call.func).is_some_and(|path| path.starts_with("os.path."))
                }
                _ => {}
            }
        }
        !looks_inside || !(self.runs_other_code(region) || self.changes_something(region))
    }

    /// Whether more is done with a name's value than to hand it on: `len(x)` changes with what is in it.
    fn looked_into(&self, name: &'a Expr) -> bool {
        let handed_on = match self.parent_expr(name) {
            Some(Expr::Call(call)) => self.id(&*call.func) == self.id(name),
            Some(parent) => super::comprehension(parent).is_some_and(|generators| {
                !generators.iter().any(|it| it.ifs.iter().any(|test| self.id(test) == self.id(name)))
            }),
            None => true,
        };
        !handed_on && !self.proven(name).is_some_and(Type::immutable)
    }
}
