//! MS306: `t += (x,)`.

use super::few_rounds::{handed_on, is_cut, stays_short};
use super::patterns_growth::{Growth, growth};
use super::short::is_named_short;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Type;
use crate::syntax::{Expr, Ranged, Stmt, any_over_expr};

pub(super) const RULE: Rule = Rule {
    code: "MS306",
    name: "tuple-grown",
    what: "A tuple that grows by `+` in a loop.",
    why: "A tuple is never extended in place: every step copies all items there are.",
    not_when: "Where the value is not known to be a tuple, and outside loops. Where it stays short: over a few \
               rounds, or as the options of a command. Where each round hands it to a function.",
    fix: "Append to a list and make the tuple at the end.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "",
        before: "def build():\n    t = ()\n    for i in range(2_000):\n        t += (i,)\n    return t\nbuild()\n",
        after: "def build():\n    t = []\n    for i in range(2_000):\n        t.append(i)\n    return tuple(t)\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(growth @ Growth { target, ty: Type::Tuple, .. }) = growth(cx, statement) else { return };
    let grown = matches!(target, Expr::Name(_) | Expr::Attribute(_)) && growth.goes_on(cx, statement);
    if grown
        && !stays_short(cx, target, cx.id(statement))
        && !handed_on(cx, target, cx.id(statement))
        && !is_cut(cx, target, cx.id(statement))
        && !is_named_short(target)
        && !adds_an_option(statement)
    {
        cx.found(
            &statement.range(),
            format!("every `{}` copies the whole tuple; append to a list instead", cx.brief(statement)),
            None,
        );
    }
}

/// Whether what is added is an option of a command: `('-' + name, value)`. A command has a few.
fn adds_an_option(statement: &Stmt) -> bool {
    let dash =
        |expr: &Expr| expr.as_string_literal_expr().is_some_and(|text| text.value.to_str().starts_with('-'));
    let named = |expr: &Expr| matches!(expr, Expr::BinOp(op) if dash(&op.left));
    let option = |expr: &Expr| matches!(expr, Expr::Tuple(tuple) if tuple.elts.first().is_some_and(named));
    match statement {
        Stmt::Assign(it) => any_over_expr(&it.value, option),
        Stmt::AugAssign(it) => any_over_expr(&it.value, option),
        _ => false,
    }
}
