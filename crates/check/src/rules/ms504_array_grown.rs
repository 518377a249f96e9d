//! MS504: `a = np.append(a, x)` in a loop.

use super::patterns::same_place;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Model;
use crate::syntax::{Expr, ExprCall, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS504",
    name: "array-grown",
    what: "A NumPy array that grows in a loop: `a = np.append(a, x)`, `a = np.concatenate([a, b])`, and their like.",
    why: "An array cannot grow in place: every step makes a new one and copies all that is there, so the \
          bytes copied grow with the square of the length.",
    not_when: "Outside loops; where a part of the array is put together with something new, as a window over \
               a stream; where the array begins anew in every round.",
    fix: "Collect the pieces in a list, and put them together once after the loop; or make the array as long as \
          it will be and fill it. There is no automatic fix, since everything that reads the array in the \
          loop changes.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "import numpy as np\n",
        before: "a = np.empty(0)\nfor i in range(3_000):\n    a = np.append(a, i)\n",
        after: "pieces = []\nfor i in range(3_000):\n    pieces.append(float(i))\na = np.array(pieces)\n",
        needs: &["numpy"],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target] = &assign.targets[..] else { return };
    let grows = match &*assign.value {
        Expr::Call(call) => is_grown_by(cx, call, target),
        Expr::Subscript(it) if cx.is(&it.value, "numpy.r_") || cx.is(&it.value, "numpy.c_") => it
            .slice
            .as_tuple_expr()
            .is_some_and(|parts| parts.elts.iter().any(|part| same_place(part, target))),
        _ => false,
    };
    if grows && again_and_again(cx, statement, target) {
        let message = format!(
            "`{}` copies the whole array at every step; collect the pieces in a list",
            cx.brief(&statement.range())
        );
        cx.found(&statement.range(), message, None);
    }
}

fn is_grown_by<'a>(cx: &Model<'a>, call: &'a ExprCall, target: &Expr) -> bool {
    let Some(path) = cx.path(&call.func) else { return false };
    let Some(first) = call.arguments.args.first() else { return false };
    match path.as_str() {
        "numpy.append" | "numpy.insert" => same_place(first, target),
        "numpy.concatenate" | "numpy.vstack" | "numpy.hstack" | "numpy.dstack" | "numpy.row_stack"
        | "numpy.column_stack" => is_part(first, target),
        _ => false,
    }
}

/// Whether a place is one of the parts that a list or tuple names.
pub(super) fn is_part(parts: &Expr, place: &Expr) -> bool {
    let parts = match parts {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        _ => return false,
    };
    parts.iter().any(|part| same_place(part, place))
}

/// Whether a statement that makes a value longer is run many times before the value begins anew.
pub(super) fn again_and_again<'a>(cx: &Model<'a>, statement: &'a Stmt, target: &'a Expr) -> bool {
    let around = match cx.loop_around(cx.id(statement)) {
        None => return false,
        Some(crate::model::shape::Loop::For(it)) => Some(&it.iter),
        Some(crate::model::shape::Loop::While(_)) => None,
    };
    let few = around.is_some_and(|iter| match &**iter {
        Expr::List(list) => list.elts.len() <= 8,
        Expr::Tuple(tuple) => tuple.elts.len() <= 8,
        iter => cx
            .builtin_call(iter, "range")
            .is_some_and(|range| range.arguments.args.iter().all(super::patterns_layout::is_few)),
    });
    !few && !cx.begun_within(target, cx.id(statement))
}
