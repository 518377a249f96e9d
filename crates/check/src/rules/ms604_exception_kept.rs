//! MS604: `except E as e: self.errors.append(e)`.

use super::kept::{Handler, attributes, container, uses_of};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Ast, Bound, Model, NodeId, ScopeId, SymbolId, comprehension};
use crate::syntax::{ExceptHandler, Expr, ExprCall, ExprContext, Operator, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS604",
    name: "exception-kept",
    what: "An exception that is put somewhere where it outlives its handler: an attribute, a list, a dict, a \
           module's name; and of which the file only ever asks for the text.",
    why: "An exception refers to its traceback, the traceback to the frame of every call between the handler and the \
          place of the error, and each frame to all its local variables: they live as long as the exception is kept.",
    not_when: "Where the file raises it again, returns it, passes it on or asks for its traceback, where nothing \
               in the file reads it, and for a local list outside loops.",
    fix: "Keep `str(e)`, or `e.with_traceback(None)`. Unsafe: whoever prints or raises it again has no traceback; \
          exceptions in its `__context__` keep theirs.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "errors = []\ndef read(n):\n    buffer = bytearray(100_000)\n    raise ValueError(n)\n",
        before: "for n in range(100):\n    try:\n        read(n)\n    except ValueError as e:\n        errors.append(e)\n",
        after: "for n in range(100):\n    try:\n        read(n)\n    except ValueError as e:\n        errors.append(e.with_traceback(None))\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Try(it) = statement else { return };
    for handler in &it.handlers {
        let ExceptHandler::ExceptHandler(inner) = handler;
        let Some(name) = &inner.name else { continue };
        let body = cx.region(&inner.body);
        let Some(symbol) = cx.lookup(name.as_str(), cx.node(cx.id(statement)).scope) else { continue };
        let handler = Handler { name: Some(name.as_str()), body };
        let caught: Vec<&Expr> =
            uses_of(cx, symbol).into_iter().filter(|name| body.has(cx.id(*name))).collect();
        // What is raised again must keep its traceback, and what has lost it keeps nothing alive.
        let raises = body.ids().any(|id| matches!(cx.stmt(id), Some(Stmt::Raise(_))));
        let traced = caught.iter().any(|name| match cx.parent_expr(name) {
            Some(Expr::Attribute(it)) => matches!(it.attr.as_str(), "with_traceback" | "__traceback__"),
            _ => false,
        });
        if raises || traced {
            continue;
        }
        // One that is passed on as well lives where that is seen.
        let seen = |name: &&Expr| {
            stored_in(cx, name).is_some()
                || only_text(cx, name, 0)
                || cx.parent_expr(name).is_some_and(Expr::is_attribute_expr)
        };
        if !caught.iter().all(seen) {
            continue;
        }
        for name in caught {
            keep(cx, name, handler);
        }
    }
}

/// Reports a use of the exception if it stores it in a place of which the file asks no traceback.
fn keep<'a>(cx: &mut Context<'_, 'a>, name: &'a Expr, handler: Handler<'a>) {
    let Some(place) = stored_in(cx, name) else { return };
    let uses = match place {
        Expr::Attribute(attribute) => {
            let attr = attribute.attr.as_str();
            if attr.starts_with("__") || cx.symbol_of(&attribute.value) == cx.symbol_of(name) {
                return;
            }
            attributes(cx, attr)
        }
        Expr::Name(_) => {
            let Some(symbol) = cx.symbol_of(place) else { return };
            if !outlives(cx, symbol, handler) {
                return;
            }
            uses_of(cx, symbol)
        }
        _ => return,
    };
    let read = uses.iter().any(|place| looks(cx, place));
    if !read || !uses.iter().all(|place| only_text(cx, place, 0)) {
        return;
    }
    let what = cx.text(name);
    let message = format!(
        "`{}` keeps `{what}` and, by its traceback, every local variable of the calls that failed",
        cx.brief(place)
    );
    let edits = vec![replace(name.range(), format!("{what}.with_traceback(None)"))];
    let fix = fix(false, "keep it without its traceback", "the traceback cannot be printed any more", edits);
    cx.found(name, message, fix);
}

/// The place in which an exception is stored: alone or in a tuple, list or dict.
fn stored_in<'a>(cx: &Model<'a>, name: &'a Expr) -> Option<&'a Expr> {
    let mut value = name;
    while let Some(parent @ (Expr::Tuple(_) | Expr::List(_) | Expr::Dict(_))) = cx.parent_expr(value) {
        value = parent;
    }
    match cx.node(cx.node(cx.id(value)).parent).ast {
        Ast::Expr(Expr::Call(call)) => match &*call.func {
            Expr::Attribute(add) if is_add(add.attr.as_str()) && cx.id(value) != cx.id(&*call.func) => {
                call.arguments.keywords.is_empty().then_some(&*add.value)
            }
            _ => None,
        },
        Ast::Stmt(Stmt::Assign(assign)) if cx.id(&*assign.value) == cx.id(value) => match &assign.targets[..]
        {
            [Expr::Subscript(item)] => Some(&*item.value),
            [place @ Expr::Attribute(_)] => Some(place),
            [place @ Expr::Name(_)] => {
                cx.symbol_of(place).filter(|id| cx.symbol(*id).scope == ScopeId(0)).map(|_| place)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_add(method: &str) -> bool {
    matches!(method, "append" | "appendleft" | "add" | "insert")
}

/// Whether a name's container lives on while other exceptions come: a module's, seen from a function, or a
/// local one in a loop.
fn outlives(cx: &Model<'_>, id: SymbolId, handler: Handler<'_>) -> bool {
    let symbol = cx.symbol(id);
    if symbol.scope == ScopeId(0) && cx.frame(handler.body.from) != ScopeId(0) {
        return true;
    }
    let Some(around) = cx.loop_around(handler.body.from) else { return false };
    let region = cx.region(around.body());
    // What the function was given is its caller's, and what is made anew in every round holds one round's.
    symbol.bindings.iter().all(|binding| {
        let made = matches!(binding.how, Bound::Assigned(value) | Bound::Annotated(_, Some(value)) if container(cx, value).is_some());
        made && !region.has(binding.node)
    })
}

/// Whether a use reads what a place holds, other than to add to it.
fn looks(cx: &Model<'_>, place: &Expr) -> bool {
    let stores = |ctx: ExprContext| ctx != ExprContext::Load;
    match (place, cx.parent_expr(place)) {
        (Expr::Attribute(it), _) if stores(it.ctx) => false,
        (_, Some(Expr::Subscript(item))) if stores(item.ctx) => false,
        (_, Some(Expr::Attribute(method))) => {
            !is_add(method.attr.as_str()) && method.attr.as_str() != "clear"
        }
        _ => true,
    }
}

/// So deep are loops over loops followed.
const DEEP: u32 = 4;

/// Whether a use of a place that holds exceptions asks at most for their texts, types and number.
fn only_text<'a>(cx: &Model<'a>, of: &'a Expr, depth: u32) -> bool {
    if depth > DEEP {
        return false;
    }
    let id = cx.id(of);
    let is = |other: &Expr| cx.id(other) == id;
    let all_of = |target: &'a Expr| targets(cx, target).iter().all(|name| only_text(cx, name, depth + 1));
    let parent = match cx.node(cx.node(id).parent).ast {
        Ast::Expr(parent) => parent,
        Ast::Stmt(Stmt::For(it)) => return is(&it.iter) && all_of(&it.target),
        Ast::Stmt(Stmt::Assign(it)) => return it.targets.iter().any(is),
        Ast::Stmt(Stmt::AnnAssign(it)) => return is(&it.target),
        Ast::Stmt(Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_) | Stmt::Expr(_) | Stmt::Delete(_)) => {
            return true;
        }
        _ => return false,
    };
    match parent {
        Expr::Compare(_) | Expr::FString(_) => true,
        Expr::BinOp(op) => op.op == Operator::Mod && !is(&op.left),
        Expr::Tuple(_) => {
            matches!(cx.parent_expr(parent), Some(Expr::BinOp(op)) if op.op == Operator::Mod && op.left.is_string_literal_expr())
        }
        Expr::Subscript(item) if is(&item.value) => {
            item.ctx != ExprContext::Load || only_text(cx, parent, depth + 1)
        }
        Expr::Attribute(it) => match it.attr.as_str() {
            name if is_add(name) => true,
            "clear" | "args" | "errno" | "strerror" | "filename" | "code" | "message" | "__class__" => true,
            "items" | "values" => match cx.parent_expr(parent) {
                Some(call @ Expr::Call(_)) => only_text(cx, call, depth + 1),
                _ => false,
            },
            _ => false,
        },
        Expr::Call(call) => only_prints(cx, call),
        _ if cx.is_test(of) => true,
        _ => match comprehension(parent).and_then(|all| all.iter().find(|one| is(&one.iter))) {
            Some(over) => all_of(&over.target),
            None => false,
        },
    }
}

/// Whether a call makes a text or number of its arguments: `str`, `len`, a logger's method.
fn only_prints<'a>(cx: &Model<'a>, call: &'a ExprCall) -> bool {
    let traced =
        call.arguments.keywords.iter().any(|word| matches!(word.arg.as_deref(), Some("exc_info") | None));
    if let Some(name) = cx.builtin(&call.func) {
        return matches!(
            name,
            "str" | "repr" | "print" | "len" | "bool" | "isinstance" | "type" | "format" | "any"
        );
    }
    let Expr::Attribute(method) = &*call.func else { return false };
    let prints = matches!(
        method.attr.as_str(),
        "format" | "debug" | "info" | "warning" | "warn" | "error" | "critical" | "log"
    );
    prints && !traced
}

/// The uses of the names that a loop's target binds.
fn targets<'a>(cx: &Model<'a>, target: &'a Expr) -> Vec<&'a Expr> {
    let region = cx.region_of(cx.id(target));
    let bound = |id: NodeId| cx.expr(id).and_then(|name| cx.symbol_of(name));
    region.ids().filter_map(bound).flat_map(|symbol| uses_of(cx, symbol)).collect()
}
