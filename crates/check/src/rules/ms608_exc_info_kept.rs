//! MS608: `tb = sys.exc_info()[2]` kept in a local name.

use super::kept::{Handler, handler, in_test, stays_bound};
use super::patterns::int;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::shape::Loop;
use crate::model::{Bound, Model, NodeId};
use crate::syntax::{Expr, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS608",
    name: "exc-info-kept",
    what: "A local name that keeps the exception being handled, or its traceback, until the function ends.",
    why: "The traceback refers to this call's frame, and the frame to the name: a cycle. After the call its \
          local variables are not freed but wait for the cycle collector, and so do those of the calls below. \
          `except … as e` deletes `e` for this very reason.",
    not_when: "Where the name is deleted or given another value later, also by way of a loop, and outside the \
               handler: there the traceback does not refer to the function. Where the handler takes the traceback off the exception. A test is run once, and a loop without an \
               end does not return: there it does not matter.",
    fix: "`del` the name, or set it to `None`, in a `finally`. There is no automatic fix.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import sys\n",
        before: "def read():\n    buffer = bytearray(100_000)\n    try:\n        int('x')\n    except ValueError:\n\
                 \x20       tb = sys.exc_info()[2]\nfor i in range(200):\n    read()\n",
        after: "def read():\n    buffer = bytearray(100_000)\n    try:\n        int('x')\n    except ValueError:\n\
                \x20       tb = sys.exc_info()[2]\n        del tb\nfor i in range(200):\n    read()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let id = cx.id(statement);
    let Some(name) = kept(cx, statement) else { return };
    let Some(handler) = handler(cx, id) else { return };
    if in_test(cx, id) || goes_on_for_ever(cx, id) {
        return;
    }
    // One finding speaks for all names that keep the exception.
    let mut names = vec![name];
    for (at, other) in handler.body.ids().filter_map(|at| Some((at, kept(cx, cx.stmt(at)?)?))) {
        if at < id {
            return;
        }
        if !names.contains(&other) {
            names.push(other);
        }
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "{} and this call's frame refer to each other, through the traceback: the call's local variables wait for the cycle collector",
        names.join(", ")
    );
    cx.found(statement, message, None);
}

/// The name in which a statement of an `except` clause keeps the exception or its traceback.
fn kept<'a>(cx: &Model<'a>, statement: &'a Stmt) -> Option<&'a str> {
    let assign = statement.as_assign_stmt()?;
    let id = cx.id(statement);
    let [target] = &assign.targets[..] else { return None };
    cx.function(id)?;
    let handler = handler(cx, id)?;
    let mut kept = names(cx, target, &assign.value);
    kept.retain(|name| cx.symbol_of(name).is_some_and(|symbol| stays_bound(cx, symbol, id)));
    if kept.is_empty() || sheds_traceback(cx, handler) {
        return None;
    }
    // A message speaks of `tb` rather than of `_`.
    let kept = kept.iter().copied().find(|name| cx.text(*name) != "_").or(kept.first().copied());
    kept.map(|name| cx.text(name))
}

/// Whether an `except` clause takes the traceback off its exception: `e.__traceback__ = None`.
fn sheds_traceback(cx: &Model<'_>, handler: Handler<'_>) -> bool {
    handler.body.ids().filter_map(|id| cx.expr(id)).any(|expr| match expr {
        Expr::Attribute(it) => match it.attr.as_str() {
            "__traceback__" => it.ctx.is_store() && is_caught(cx, &it.value),
            "with_traceback" => is_caught(cx, &it.value),
            _ => false,
        },
        _ => false,
    })
}

/// Whether a statement is in a loop that nothing but a failure ends: the call is never over.
fn goes_on_for_ever(cx: &Model<'_>, id: NodeId) -> bool {
    let Some(around @ Loop::While(it)) = cx.loop_around(id) else { return false };
    let endless = match &*it.test {
        Expr::BooleanLiteral(test) => test.value,
        test => int(test).is_some_and(|n| n != 0),
    };
    endless && !cx.quits(cx.region(around.body()))
}

/// The names of a target that get the exception or its traceback.
fn names<'a>(cx: &Model<'a>, target: &'a Expr, value: &'a Expr) -> Vec<&'a Expr> {
    let parts = || target.as_tuple_expr().map(|tuple| &tuple.elts[..]).unwrap_or_default();
    let is_exc_info = |expr: &'a Expr| cx.calls(expr, "sys.exc_info").is_some();
    match value {
        Expr::Name(_) if is_caught(cx, value) && target.is_name_expr() => vec![target],
        Expr::Attribute(it) if it.attr.as_str() == "__traceback__" && is_caught(cx, &it.value) => {
            vec![target]
        }
        Expr::Call(_) if is_exc_info(value) => match parts() {
            [] => vec![target],
            [_, exception, traceback] => vec![exception, traceback],
            _ => Vec::new(),
        },
        Expr::Call(_) if cx.calls(value, "sys.exception").is_some() => vec![target],
        Expr::Subscript(item) if is_exc_info(&item.value) => match &*item.slice {
            Expr::Slice(slice) => match (slice.lower.as_deref().and_then(int), parts()) {
                (None | Some(0), [_, rest @ ..]) => rest.iter().collect(),
                (_, rest) if !rest.is_empty() => rest.iter().collect(),
                _ => vec![target],
            },
            index => match int(index) {
                Some(1 | 2 | -1 | -2) => vec![target],
                _ => Vec::new(),
            },
        },
        _ => Vec::new(),
    }
}

/// Whether a name is that of the exception being handled here, and of no other.
fn is_caught(cx: &Model<'_>, name: &Expr) -> bool {
    let Some(symbol) = cx.symbol_of(name) else { return false };
    let named = name.as_name_expr().map(|name| name.id.as_str());
    handler(cx, cx.id(name)).is_some_and(|handler| handler.name == named)
        && cx.symbol(symbol).bindings.iter().any(|binding| matches!(binding.how, Bound::Exception))
}
