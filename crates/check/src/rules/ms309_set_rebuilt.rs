//! MS309: `s = s | {x}`.

use super::patterns::same_place;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, Operator, Ranged, Stmt, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS309",
    name: "set-rebuilt",
    what: "A set that grows in a loop by being made anew: `s = s | {x}`, `s = s.union(xs)`.",
    why: "Every step makes a new set of all items there are; `add`, `update` and `|=` add to the one there is.",
    not_when: "Outside loops, and for a frozenset, which can only be made anew.",
    fix: "`s |= {x}`. Safe if nothing else refers to the set and what is added is proven to be a set.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "",
        before: "def build():\n    s = set()\n    for i in range(1_000):\n        s = s | {i}\nbuild()\n",
        after: "def build():\n    s = set()\n    for i in range(1_000):\n        s |= {i}\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target] = &assign.targets[..] else { return };
    let is_set = |expr: &'a Expr| cx.type_of(expr).is_some_and(|known| known.ty == Type::Set);
    if cx.loop_around(cx.id(statement)).is_none() || !is_set(target) && !is_set(&assign.value) {
        return;
    }
    let private = cx.symbol_of(target).is_some_and(|symbol| cx.private(symbol));
    let mut mended = None;
    let rebuilt = match &*assign.value {
        Expr::BinOp(op) if op.op == Operator::BitOr && same_place(&op.left, target) => {
            if !cx.has_comment(statement.range()) {
                let proven = private && cx.proven(target) == Some(Type::Set) && cx.proven(&op.right) == Some(Type::Set);
                let edits = vec![replace(TextRange::new(target.end(), cx.outer_range(&op.right).start()), " |= ")];
                mended = fix(proven, "add to the set there is", "another name for the set would see it grow", edits);
            }
            true
        }
        Expr::Call(call) => call.func.as_attribute_expr().is_some_and(|method| {
            method.attr.as_str() == "union" && same_place(&method.value, target)
        }),
        _ => false,
    };
    if rebuilt {
        cx.found(&statement.range(), format!("`{}` makes the whole set anew at every step", cx.brief(statement)), mended);
    }
}
