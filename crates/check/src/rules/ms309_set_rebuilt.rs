//! MS309: `s = s | {x}`.

use super::few_rounds::{handed_on, stays_short};
use super::patterns::same_place;
use super::patterns_growth::in_place;
use super::patterns_layout::{Done, done};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix};
use crate::model::{Model, SymbolId, Type};
use crate::syntax::{Expr, Operator, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS309",
    name: "set-rebuilt",
    what: "A set that grows in a loop by being made anew: `s = s | {x}`, `s = s.union(xs)`.",
    why: "Every step makes a new set of all items there are; `add`, `update` and `|=` add to the one there is.",
    not_when: "Outside loops and in those of a few rounds, where each set is kept (`rows.append(s)`), and for a frozenset, which can only be \
               made anew.",
    fix: "`s |= {x}`. Safe if nothing else refers to the set, what is added is proven to be a set, and nothing \
          asks in which order the items are, which is another one for a set that grew in place.",
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
    let id = cx.id(statement);
    let symbol = cx.symbol_of(target);
    let kept = symbol.is_some_and(|symbol| cx.kept_in_loop(symbol, id));
    if kept || !is_set(target) && !is_set(&assign.value) {
        return;
    }
    if cx.begun_within(target, id) || !cx.revisited(target, id) {
        return;
    }
    if stays_short(cx, target, id) || handed_on(cx, target, id) {
        return;
    }
    let private = symbol.is_some_and(|symbol| cx.private(symbol) && !cx.lent(symbol, id));
    let mut mended = None;
    let rebuilt = match &*assign.value {
        Expr::BinOp(op) if op.op == Operator::BitOr && same_place(&op.left, target) => {
            if !cx.has_comment(statement.range()) {
                let is_set = cx.proven(&op.right) == Some(Type::Set);
                let unordered = symbol.is_some_and(|symbol| order_is_unseen(cx, symbol));
                let proven = private && cx.proven(target) == Some(Type::Set) && is_set && unordered;
                let doubt = match private {
                    true if !is_set => "what is added may not be a set",
                    true => "the items may come in another order",
                    _ => "another name for the set, or a loop over it, would see it grow",
                };
                let edits = vec![in_place(cx, statement, target, '|', &[&op.right])];
                mended = fix(proven, "add to the set there is", doubt, edits);
            }
            true
        }
        Expr::Call(call) => call
            .func
            .as_attribute_expr()
            .is_some_and(|method| method.attr.as_str() == "union" && same_place(&method.value, target)),
        _ => false,
    };
    if rebuilt {
        cx.found(
            &statement.range(),
            format!("`{}` makes the whole set anew at every step", cx.brief(statement)),
            mended,
        );
    }
}

/// Whether all uses of a set are the same in whatever order its items are.
fn order_is_unseen(cx: &Model<'_>, set: SymbolId) -> bool {
    cx.symbol(set).uses.iter().filter_map(|name| cx.expr(*name)).all(|name| match done(cx, name) {
        Some(Done::Tested | Done::Passed("len", _)) => true,
        Some(Done::Method(method, _)) => {
            matches!(
                method,
                "add" | "clear" | "discard" | "isdisjoint" | "issubset" | "issuperset" | "update"
            )
        }
        Some(_) => false,
        None => match cx.parent_expr(name) {
            Some(Expr::Compare(_)) => true,
            Some(union @ Expr::BinOp(_)) => match cx.parent_stmt(union) {
                Some(Stmt::Assign(assign)) => assign.targets.iter().all(|target| same_place(target, name)),
                _ => false,
            },
            _ => false,
        },
    })
}
