//! MS609: `frame = inspect.currentframe()` without `del frame`.

use super::kept::{in_test, stays_bound};
use super::patterns::int;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Model;
use crate::syntax::{Expr, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS609",
    name: "frame-kept-in-itself",
    what: "A local name that keeps the frame of its own call: `inspect.currentframe()`, `sys._getframe()`, \
           `inspect.stack()`.",
    why: "The frame refers to its local names and one of these to the frame: a cycle. After the call its local \
          variables are not freed but wait for the cycle collector.",
    not_when: "Where the name is deleted or given another value later, and for the frame of a caller: \
               `sys._getframe(1)`, `inspect.currentframe().f_back`. A test is run once: there it does not matter.",
    fix: "`del` the name in a `finally`, as the documentation of `inspect` advises, or keep only what is needed \
          of the frame. There is no automatic fix.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import inspect\n",
        before: "def read():\n    buffer = bytearray(100_000)\n    frame = inspect.currentframe()\n    return frame.f_lineno\n\
                 for i in range(200):\n    read()\n",
        after: "def read():\n    buffer = bytearray(100_000)\n    frame = inspect.currentframe()\n    try:\n        return frame.f_lineno\n\
                \x20   finally:\n        del frame\nfor i in range(200):\n    read()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target @ Expr::Name(_)] = &assign.targets[..] else { return };
    if !is_own_frame(cx, &assign.value) || in_test(cx, cx.id(statement)) {
        return;
    }
    let Some(symbol) = cx.symbol_of(target) else { return };
    if stays_bound(cx, symbol, cx.id(statement)) {
        let name = cx.text(target);
        let message = format!(
            "`{name}` is kept in the very frame that it refers to: the call's local variables wait for the cycle collector"
        );
        cx.found(statement, message, None);
    }
}

/// Whether an expression gives the frame that evaluates it, or a list with it.
fn is_own_frame<'a>(cx: &Model<'a>, value: &'a Expr) -> bool {
    let Some(call) = value.as_call_expr() else { return false };
    let arguments = &call.arguments;
    match cx.path(&call.func).as_deref() {
        Some("inspect.currentframe") => arguments.is_empty(),
        Some("inspect.stack") => true,
        Some("sys._getframe") => arguments.args.first().is_none_or(|depth| int(depth) == Some(0)),
        _ => false,
    }
}
