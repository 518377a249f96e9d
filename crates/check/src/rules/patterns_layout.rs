//! What the rules about a better layout share: a local name whose every use is seen.

use super::patterns::int;
use crate::model::{Bound, Model, NodeId, ScopeKind, SymbolId, comprehension};
use crate::syntax::{Expr, ExprCall, ExprContext, ExprSubscript, Stmt};

/// A local variable of a function that is bound once, and that no other code can see.
pub(super) struct Local<'a> {
    /// Its symbol.
    pub(super) symbol: SymbolId,
    /// What it is bound to.
    pub(super) value: &'a Expr,
    /// The names that read it.
    pub(super) uses: Vec<&'a Expr>,
}

/// The local variable that a statement binds.
pub(super) fn local<'a>(cx: &Model<'a>, statement: &'a Stmt) -> Option<Local<'a>> {
    // What an annotation says of the type would no longer be true.
    let Stmt::Assign(assign) = statement else { return None };
    let [target @ Expr::Name(_)] = &assign.targets[..] else { return None };
    let symbol = cx.symbol_of(target)?;
    let known = cx.symbol(symbol);
    let scope = cx.scope(known.scope);
    let alone = scope.kind == ScopeKind::Function
        && !scope.by_string
        && !known.captured
        && !known.bound_elsewhere
        && known.bindings.len() == 1;
    let uses = known.uses.iter().map(|name| cx.expr(*name)).collect::<Option<Vec<_>>>()?;
    alone.then_some(Local { symbol, value: &assign.value, uses })
}

/// What a use of a container does, as far as it is of a kind that other containers serve as well.
pub(super) enum Done<'a> {
    /// `xs.method(…)`.
    Method(&'a str, &'a ExprCall),
    /// `xs[…]` read.
    Read(&'a Expr, &'a ExprSubscript),
    /// `xs[…] = value`.
    Stored(&'a ExprSubscript, &'a Expr),
    /// Its only argument is the container: `len(xs)`, or the first one of several: `zip(xs, ys)`.
    Passed(&'a str, &'a Expr),
    /// A `for` statement or a comprehension goes over it, with this target.
    Iterated(&'a Expr),
    /// Only its truth matters.
    Tested,
}

/// What a use of a container does, if it is of one of these kinds.
pub(super) fn done<'a>(cx: &Model<'a>, name: &'a Expr) -> Option<Done<'a>> {
    if cx.is_test(name) {
        return Some(Done::Tested);
    }
    let id = cx.id(name);
    if let Some(Stmt::For(it)) = cx.parent_stmt(name) {
        return (cx.id(&*it.iter) == id && !it.is_async).then_some(Done::Iterated(&it.target));
    }
    let parent = cx.parent_expr(name)?;
    if let Some(generators) = comprehension(parent) {
        let own = generators.iter().find(|it| cx.id(&it.iter) == id && !it.is_async)?;
        return Some(Done::Iterated(&own.target));
    }
    match parent {
        Expr::Attribute(attribute) => {
            let call = cx.parent_expr(parent)?.as_call_expr()?;
            (cx.id(&*call.func) == cx.id(parent)).then_some(Done::Method(attribute.attr.as_str(), call))
        }
        Expr::Subscript(it) if cx.id(&*it.value) == id => match it.ctx {
            ExprContext::Load => Some(Done::Read(parent, it)),
            ExprContext::Store => match cx.parent_stmt(parent)? {
                Stmt::Assign(assign) => Some(Done::Stored(it, &assign.value)),
                _ => None,
            },
            _ => None,
        },
        Expr::Call(call) => {
            let positional = call.arguments.args.iter().any(|argument| cx.id(argument) == id);
            cx.builtin(&call.func).filter(|_| positional).map(|builtin| Done::Passed(builtin, parent))
        }
        _ => None,
    }
}

/// The value and the one argument of `xs.append(x)`.
pub(super) fn appended<'a>(done: &Done<'a>) -> Option<&'a Expr> {
    match done {
        Done::Method("append", call) if call.arguments.keywords.is_empty() => match &*call.arguments.args {
            [item] if !item.is_starred_expr() => Some(item),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a node is run again and again after a name was bound, so that a container grows.
pub(super) fn in_loop_after<'a>(cx: &Model<'a>, node: NodeId, symbol: SymbolId) -> bool {
    cx.loop_around(node).is_some_and(|around| {
        let body = cx.region(around.body());
        !cx.symbol(symbol).bindings.iter().any(|it| body.has(it.node))
    })
}

/// The names that read what a target binds, if it is a name that nothing else binds or sees.
pub(super) fn uses_of_target<'a>(cx: &Model<'a>, target: &'a Expr) -> Option<Vec<&'a Expr>> {
    let symbol = cx.symbol(cx.symbol_of(target)?);
    let plain = !symbol.captured && !symbol.bound_elsewhere && !cx.scope(symbol.scope).by_string;
    let elements = symbol.bindings.iter().all(|it| matches!(it.how, Bound::Element(_) | Bound::Other));
    (plain && elements).then(|| symbol.uses.iter().filter_map(|name| cx.expr(*name)).collect())
}

/// The constant text that a subscript looks up.
pub(super) fn key_of(subscript: &ExprSubscript) -> Option<&str> {
    subscript.slice.as_string_literal_expr().map(|text| text.value.to_str())
}

/// Whether a length is written out and small: a few items are not worth a word.
pub(super) fn is_few(length: &Expr) -> bool {
    int(length).is_some_and(|n| n <= 64)
}
