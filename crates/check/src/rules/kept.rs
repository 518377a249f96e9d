//! What the rules on memory that is kept alive ask: what a file does with a container that
//! outlives its functions, which object a method is called on, and what refers to it.
//!
//! Everything here errs towards silence: a use that is not understood lets the container go.

use crate::model::{Ast, Bound, Model, NodeId, Region, ScopeId, ScopeKind, SymbolId, Type, comprehension};
use crate::syntax::{
    AnyParameterRef, CmpOp, ExceptHandler, Expr, ExprContext, Ranged, Stmt, StmtClassDef, StmtFunctionDef,
    TextRange,
};

/// What a use of a container does to it.
#[derive(Clone, Copy)]
pub(super) enum Does<'a> {
    /// Adds to it, under this key or without one.
    Adds(Option<&'a Expr>),
    /// Takes something out, or compares its length: it may have a bound.
    Bounds,
    /// Only looks.
    Reads,
    /// Hands it to code that may do anything with it.
    Escapes,
}

/// What a use of a container does, `place` being the name or attribute.
pub(super) fn does<'a>(cx: &Model<'a>, place: &'a Expr) -> Does<'a> {
    let id = cx.id(place);
    let is = |other: &Expr| cx.id(other) == id;
    let parent = match cx.node(cx.node(id).parent).ast {
        Ast::Expr(parent) => parent,
        Ast::Stmt(Stmt::For(it)) if is(&it.iter) => return Does::Reads,
        Ast::Stmt(Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_) | Stmt::Expr(_)) => return Does::Reads,
        _ => return Does::Escapes,
    };
    match parent {
        Expr::Attribute(method) => match cx.parent_expr(parent) {
            Some(Expr::Call(call)) if cx.id(&*call.func) == cx.id(parent) => {
                let first = call.arguments.args.first();
                match method.attr.as_str() {
                    "append" | "appendleft" | "add" | "insert" | "extend" | "update" => Does::Adds(None),
                    "setdefault" => Does::Adds(first),
                    "get" | "items" | "keys" | "values" | "copy" | "index" | "count" | "sort" | "reverse"
                    | "move_to_end" | "most_common" | "union" | "isdisjoint" => Does::Reads,
                    "pop"
                    | "popitem"
                    | "popleft"
                    | "clear"
                    | "remove"
                    | "discard"
                    | "difference_update"
                    | "intersection_update" => Does::Bounds,
                    _ => Does::Escapes,
                }
            }
            _ => Does::Escapes,
        },
        Expr::Subscript(item) if is(&item.value) => match item.ctx {
            ExprContext::Load => Does::Reads,
            ExprContext::Store if !item.slice.is_slice_expr() => Does::Adds(Some(&item.slice)),
            _ => Does::Bounds,
        },
        Expr::Subscript(_) | Expr::FString(_) | Expr::Compare(_) => Does::Reads,
        Expr::Call(call) => {
            if call.arguments.keywords.iter().any(|word| is(&word.value) && word.arg.is_some()) {
                return Does::Escapes;
            }
            match cx.builtin(&call.func) {
                Some("len") => {
                    let compared = cx.parent_expr(parent).is_some_and(Expr::is_compare_expr);
                    if compared { Does::Bounds } else { Does::Reads }
                }
                Some(
                    "list" | "tuple" | "set" | "frozenset" | "dict" | "sorted" | "iter" | "bool" | "str"
                    | "repr" | "print" | "any" | "all" | "sum" | "min" | "max" | "enumerate" | "zip"
                    | "reversed" | "isinstance" | "type" | "id",
                ) => Does::Reads,
                // `f(**container)` passes a copy.
                _ if call.arguments.keywords.iter().any(|word| is(&word.value)) => Does::Reads,
                _ => Does::Escapes,
            }
        }
        Expr::Starred(_) => Does::Reads,
        Expr::Dict(dict) => {
            let spread = dict.items.iter().any(|item| item.key.is_none() && is(&item.value));
            if spread { Does::Reads } else { Does::Escapes }
        }
        _ if cx.is_test(place) => Does::Reads,
        _ => {
            let over = comprehension(parent).is_some_and(|all| all.iter().any(|one| is(&one.iter)));
            if over { Does::Reads } else { Does::Escapes }
        }
    }
}

/// Whether a statement runs only where something is less than something else: it may stop at a bound.
pub(super) fn may_stop<'a>(cx: &Model<'a>, place: &'a Expr) -> bool {
    let frame = cx.frame(cx.id(place));
    let ordered = |op: &CmpOp| matches!(op, CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE);
    let compares = |id: NodeId| matches!(cx.expr(id), Some(Expr::Compare(it)) if it.ops.iter().any(ordered));
    cx.ancestors(cx.id(place)).take_while(|above| cx.frame(*above) == frame).any(|above| {
        match cx.stmt(above) {
            Some(Stmt::If(it)) => cx.region_of(cx.id(&*it.test)).ids().any(compares),
            _ => false,
        }
    })
}

/// Whether some use of a container takes something out of it or hands it on.
pub(super) fn may_shrink<'a>(cx: &Model<'a>, uses: &[&'a Expr]) -> bool {
    uses.iter().any(|place| matches!(does(cx, place), Does::Bounds | Does::Escapes))
}

/// The kinds of containers that grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// A list, or a deque without a length.
    List,
    /// A dict, of whichever kind.
    Dict,
    /// A set.
    Set,
}

impl Container {
    /// How Python names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Dict => "dict",
            Self::Set => "set",
        }
    }
}

/// The container that an expression makes.
pub(super) fn container<'a>(cx: &Model<'a>, value: &'a Expr) -> Option<Container> {
    match value {
        Expr::List(_) | Expr::ListComp(_) => Some(Container::List),
        Expr::Dict(_) | Expr::DictComp(_) => Some(Container::Dict),
        Expr::Set(_) | Expr::SetComp(_) => Some(Container::Set),
        Expr::Call(call) => {
            if let Some("list" | "dict" | "set") = cx.builtin(&call.func) {
                return match cx.type_of(value)?.ty {
                    Type::List => Some(Container::List),
                    Type::Dict => Some(Container::Dict),
                    _ => Some(Container::Set),
                };
            }
            match cx.path(&call.func)?.as_str() {
                "collections.defaultdict" | "collections.OrderedDict" | "collections.Counter" => {
                    Some(Container::Dict)
                }
                "collections.deque" if call.arguments.find_argument_value("maxlen", 1).is_none() => {
                    Some(Container::List)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The container that a name of the file or of a class is bound to for good.
pub(super) fn container_of<'a>(cx: &Model<'a>, id: SymbolId) -> Option<Container> {
    let symbol = cx.symbol(id);
    let scope = cx.scope(symbol.scope);
    if !matches!(scope.kind, ScopeKind::Module | ScopeKind::Class)
        || symbol.bound_elsewhere
        || scope.by_string
    {
        return None;
    }
    match symbol.bindings[..] {
        [only] => match only.how {
            Bound::Assigned(value) | Bound::Annotated(_, Some(value)) => container(cx, value),
            _ => None,
        },
        _ => None,
    }
}

/// The expressions that read a name.
pub(super) fn uses_of<'a>(cx: &Model<'a>, id: SymbolId) -> Vec<&'a Expr> {
    cx.symbol(id).uses.iter().filter_map(|name| cx.expr(*name)).collect()
}

/// Every attribute of this name in the file, whatever it is an attribute of.
pub(super) fn attributes<'a>(cx: &Model<'a>, name: &str) -> Vec<&'a Expr> {
    let named = |expr: &Expr| expr.as_attribute_expr().is_some_and(|it| it.attr.as_str() == name);
    cx.ids().filter_map(|id| cx.expr(id)).filter(|expr| named(expr)).collect()
}

/// Whether the file offers a name to others in `__all__`: they may do with it what is not seen here.
pub(super) fn exported(cx: &Model<'_>, name: &str) -> bool {
    let Some(all) = cx.lookup("__all__", ScopeId(0)) else { return false };
    cx.symbol(all).bindings.iter().any(|binding| match binding.how {
        Bound::Assigned(value) | Bound::Annotated(_, Some(value)) => cx
            .region_of(cx.id(value))
            .ids()
            .any(|id| matches!(cx.expr(id), Some(Expr::StringLiteral(text)) if text.value.to_str() == name)),
        // Put together in another way.
        _ => true,
    })
}

/// A method, and the object that it is called on.
pub(super) struct Method<'a> {
    /// Its own first parameter.
    pub(super) receiver: SymbolId,
    /// The function.
    pub(super) function: &'a StmtFunctionDef,
    /// The class whose body it stands in.
    pub(super) class: &'a StmtClassDef,
}

/// The method that evaluates a node, if its first parameter is an instance: not a class method, not
/// a method of a metaclass, not of an enumeration, whose members live on anyway.
pub(super) fn method<'a>(cx: &Model<'a>, id: NodeId) -> Option<Method<'a>> {
    let function = cx.function(id)?;
    let class = class_of(cx, function)?;
    let first = function.parameters.iter_non_variadic_params().next()?;
    let implicit = matches!(function.name.as_str(), "__new__" | "__init_subclass__" | "__class_getitem__");
    let bound_to_class = decorated(cx, function, &["staticmethod", "classmethod"]);
    if implicit || bound_to_class || instances_are_few(cx, class) {
        return None;
    }
    let receiver = cx.lookup(first.name().as_str(), cx.frame(cx.id(function.body.first()?)))?;
    Some(Method { receiver, function, class })
}

/// The class in whose body a function stands.
pub(super) fn class_of<'a>(cx: &Model<'a>, function: &'a StmtFunctionDef) -> Option<&'a StmtClassDef> {
    let scope = cx.scope(cx.node(cx.id(function)).scope);
    match (scope.kind, cx.stmt(scope.node)) {
        (ScopeKind::Class, Some(Stmt::ClassDef(class))) => Some(class),
        _ => None,
    }
}

/// Whether a function has one of these decorators of `builtins`.
pub(super) fn decorated<'a>(cx: &Model<'a>, function: &'a StmtFunctionDef, names: &[&str]) -> bool {
    let named = |expr: &'a Expr| cx.builtin(expr).is_some_and(|name| names.contains(&name));
    function.decorator_list.iter().any(|decorator| named(&decorator.expression))
}

/// Whether a class is a metaclass or an enumeration, by its bases.
pub(super) fn instances_are_few(cx: &Model<'_>, class: &StmtClassDef) -> bool {
    class.bases().iter().any(|base| {
        let text = cx.text(base);
        text == "type"
            || ["Enum", "Flag", "Meta", "Metaclass", "TestCase"].iter().any(|end| text.ends_with(end))
    })
}

/// The undecorated function of a class that a name is, if nothing assigns the name on an instance.
pub(super) fn is_method<'a>(cx: &Model<'a>, class: &'a StmtClassDef, name: &str) -> bool {
    let plain = |stmt: &Stmt| {
        stmt.as_function_def_stmt().is_some_and(|it| it.name.as_str() == name && it.decorator_list.is_empty())
    };
    let assigned = |expr: &&Expr| expr.as_attribute_expr().is_some_and(|it| it.ctx == ExprContext::Store);
    class.body.iter().any(plain) && !attributes(cx, name).iter().any(assigned)
}

/// Where instances of a class are made, as far as this file shows it: its own and those of the classes that
/// name it as a base.
pub(super) fn made_at<'a>(cx: &Model<'a>, class: &'a StmtClassDef) -> Vec<&'a Expr> {
    let kin = |other: &StmtClassDef| {
        std::ptr::eq(other, class)
            || other
                .bases()
                .iter()
                .any(|base| base.as_name_expr().is_some_and(|name| name.id == class.name.as_str()))
    };
    let called = |expr: &Expr| {
        let func = &expr.as_call_expr()?.func;
        let symbol = cx.symbol(cx.symbol_of(func)?);
        Some(symbol.bindings.iter().any(|it| matches!(it.how, Bound::Class(other) if kin(other))))
    };
    cx.ids().filter_map(|id| cx.expr(id)).filter(|expr| called(expr) == Some(true)).collect()
}

/// Whether all instances of a class are made once each by the file itself: they are as many as are written out.
pub(super) fn made_only_at_top<'a>(cx: &Model<'a>, class: &'a StmtClassDef) -> bool {
    let calls = made_at(cx, class);
    let once = |call: &&Expr| cx.frame(cx.id(*call)) == ScopeId(0) && !cx.repeated(cx.id(*call));
    !calls.is_empty() && calls.iter().all(once)
}

/// Whether a value refers to what a name does: the name itself, one of its methods, a function that uses the
/// name later, or one of these within a display or a `functools.partial`.
pub(super) fn holds<'a>(
    cx: &Model<'a>,
    value: &'a Expr,
    of: SymbolId,
    class: Option<&'a StmtClassDef>,
) -> bool {
    // A default is evaluated at once; what a body names is looked up when it runs.
    let used_later = |region: Region, here: ScopeId| {
        cx.symbol(of).uses.iter().any(|name| region.has(*name) && cx.node(*name).scope != here)
    };
    let here = cx.node(cx.id(value)).scope;
    match value {
        Expr::Name(_) => {
            let Some(id) = cx.symbol_of(value) else { return false };
            id == of
                || match cx.symbol(id).bindings[..] {
                    [only] => {
                        let inner =
                            matches!(only.how, Bound::Function(_)) && cx.symbol(id).scope != ScopeId(0);
                        inner && used_later(cx.region_of(only.node), cx.node(only.node).scope)
                    }
                    _ => false,
                }
        }
        Expr::Attribute(attribute) => {
            cx.symbol_of(&attribute.value) == Some(of)
                && class.is_some_and(|class| is_method(cx, class, attribute.attr.as_str()))
        }
        Expr::Lambda(_) => used_later(cx.region_of(cx.id(value)), here),
        Expr::Tuple(it) => it.elts.iter().any(|item| holds(cx, item, of, class)),
        Expr::List(it) => it.elts.iter().any(|item| holds(cx, item, of, class)),
        Expr::Dict(it) => it.items.iter().any(|item| holds(cx, &item.value, of, class)),
        Expr::Call(call) if cx.is(&call.func, "functools.partial") => {
            let words = call.arguments.keywords.iter().map(|word| &word.value);
            call.arguments.args.iter().chain(words).any(|item| holds(cx, item, of, class))
        }
        _ => false,
    }
}

/// An `except` clause.
#[derive(Clone, Copy)]
pub(super) struct Handler<'a> {
    /// The name that it gives the exception.
    pub(super) name: Option<&'a str>,
    /// What it runs.
    pub(super) body: Region,
}

/// The `except` clause that runs a node, in the same function.
pub(super) fn handler<'a>(cx: &Model<'a>, id: NodeId) -> Option<Handler<'a>> {
    let frame = cx.frame(id);
    cx.ancestors(id).take_while(|above| cx.frame(*above) == frame).find_map(|above| match cx.stmt(above) {
        Some(Stmt::Try(it)) => it.handlers.iter().find_map(|handler| {
            let ExceptHandler::ExceptHandler(inner) = handler;
            let body = cx.region(&inner.body);
            let name = inner.name.as_ref().map(|name| name.as_str());
            body.has(id).then_some(Handler { name, body })
        }),
        _ => None,
    })
}

/// Whether a local name keeps what it is given at `here` until its function ends: nothing deletes it or gives
/// it another value later, nor earlier in a loop around.
pub(super) fn stays_bound(cx: &Model<'_>, id: SymbolId, here: NodeId) -> bool {
    let symbol = cx.symbol(id);
    let scope = cx.scope(symbol.scope);
    let around = cx.loop_around(here).map(|it| cx.region(it.body()));
    scope.kind == ScopeKind::Function
        && symbol.scope == cx.frame(here)
        && !scope.by_string
        && !symbol.captured
        && !symbol.bound_elsewhere
        && symbol.bindings.iter().all(|binding| {
            let own = cx.statement(binding.node) == cx.statement(here);
            let again = around.is_some_and(|region| region.has(binding.node));
            own || binding.node < here && !again && !matches!(binding.how, Bound::Deleted)
        })
}

/// Whether a statement belongs to a test, which runs once.
pub(super) fn in_test(cx: &Model<'_>, id: NodeId) -> bool {
    cx.ancestors(id).any(|above| match cx.stmt(above) {
        Some(Stmt::FunctionDef(it)) => it.name.starts_with("test"),
        Some(Stmt::ClassDef(it)) => {
            it.name.contains("Test") || it.bases().iter().any(|base| cx.text(base).contains("Test"))
        }
        _ => false,
    })
}

/// The ranges of some expressions' statements, for where a cost arises.
pub(super) fn statements<'a>(cx: &Model<'a>, of: impl IntoIterator<Item = &'a Expr>) -> Vec<TextRange> {
    of.into_iter().filter_map(|expr| cx.stmt_of(expr)).map(Ranged::range).collect()
}

/// Whether a function that stores something is only ever called by the file itself while it is imported.
pub(super) fn called_only_at_top(cx: &Model<'_>, function: &StmtFunctionDef) -> bool {
    let here = cx.node(cx.id(function)).scope;
    let Some(id) = cx.lookup(function.name.as_str(), here) else { return false };
    let uses = &cx.symbol(id).uses;
    here == ScopeId(0) && !uses.is_empty() && uses.iter().all(|name| cx.frame(*name) == ScopeId(0))
}

/// Whether the file calls one of its own functions, and passes for a parameter only what is written out: literals
/// and names of the module.
pub(super) fn given_constants<'a>(cx: &Model<'a>, function: &StmtFunctionDef, parameter: &str) -> bool {
    given_only(cx, function, parameter, |value| {
        value.is_literal_expr() || cx.symbol_of(value).is_some_and(|name| cx.symbol(name).scope == ScopeId(0))
    })
}

/// Whether the file calls one of its own functions, and passes for a parameter only what is of some kind.
pub(super) fn given_only<'a>(
    cx: &Model<'a>,
    function: &StmtFunctionDef,
    parameter: &str,
    kind: impl Fn(&'a Expr) -> bool,
) -> bool {
    let position =
        function.parameters.iter_non_variadic_params().position(|it| it.name().as_str() == parameter);
    let (ScopeId(0), Some(position)) = (cx.node(cx.id(function)).scope, position) else { return false };
    let Some(id) = cx.lookup(function.name.as_str(), ScopeId(0)) else { return false };
    let uses = uses_of(cx, id);
    let constant = |name: &&'a Expr| match cx.parent_expr(name) {
        Some(Expr::Call(call)) if cx.id(&*call.func) == cx.id(*name) => {
            let argument = call.arguments.find_argument_value(parameter, position);
            !call.arguments.args.iter().any(Expr::is_starred_expr) && argument.is_none_or(&kind)
        }
        _ => false,
    };
    !uses.is_empty() && uses.iter().all(constant)
}

/// Whether a parameter can have only a few values, by its annotation, its default or its name.
pub(super) fn has_few_values(cx: &Model<'_>, parameter: AnyParameterRef<'_>) -> bool {
    let name = parameter.name().as_str();
    let named = matches!(name, "cls" | "klass" | "type_" | "typ" | "tp")
        || name.ends_with("_cls")
        || name.ends_with("_class");
    match parameter.as_parameter().annotation.as_deref() {
        Some(annotation) => named || names_few_values(cx, annotation),
        None => named || parameter.default().is_some_and(Expr::is_boolean_literal_expr),
    }
}

fn names_few_values(cx: &Model<'_>, annotation: &Expr) -> bool {
    match annotation {
        Expr::Subscript(it) if tail(&it.value) == Some("Optional") => names_few_values(cx, &it.slice),
        Expr::Subscript(it) => names_few_values(cx, &it.value),
        Expr::BinOp(it) if it.right.is_none_literal_expr() => names_few_values(cx, &it.left),
        Expr::StringLiteral(text) => {
            let name = text.value.to_str();
            is_few(name.split(['[', ' ']).next().unwrap_or(name))
        }
        Expr::Name(name) => {
            let enumeration = cx.symbol_of(annotation).is_some_and(|id| {
                cx.symbol(id)
                    .bindings
                    .iter()
                    .any(|it| matches!(it.how, Bound::Class(class) if instances_are_few(cx, class)))
            });
            enumeration || is_few(name.id.as_str())
        }
        Expr::Attribute(it) => is_few(it.attr.as_str()),
        _ => false,
    }
}

fn is_few(annotation: &str) -> bool {
    matches!(annotation, "bool" | "type" | "Type" | "Literal" | "None") || annotation.ends_with("Enum")
}

/// The last part of a name or chain of attributes.
pub(super) fn tail(of: &Expr) -> Option<&str> {
    match of {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}
