//! MS403: `len([x for x in xs if x])`.

use super::counted::{has_few, makes_few};
use super::patterns::awaits;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::int;
use crate::syntax::{CmpOp, Expr, ExprCall, Ranged, Stmt, TextRange, TextSize};

pub(super) const RULE: Rule = Rule {
    code: "MS403",
    name: "list-to-count",
    what: "A list made only to take its length.",
    why: "All items are put into a list, counted and dropped. `sum(1 for …)` counts as they come by.",
    not_when: "A list that is known to be short is not reported: its source is written out, or a test asserts how \
               many there are. Nor is one whose items are awaited.",
    fix: "`sum(1 for x in xs if x)`. Safe if leaving the items out of account is proven to change nothing: \
          they are plain names or constants, or cannot fail; and if the conditions call nothing but builtins \
          that change nothing.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "count = len([x for x in range(300_000) if x % 2])\n",
        after: "count = sum(1 for x in range(300_000) if x % 2)\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let Some(("len", argument)) = cx.call_of_one(expr) else { return };
    if is_asserted(cx, expr) {
        return;
    }
    let message = "a whole list is made to be counted";
    match argument {
        Expr::ListComp(comp) if !makes_few(cx, argument) && !awaits(argument) => {
            // Items that call something would have to be made all the same.
            let idle = cx.cannot_fail(&comp.elt) && cx.pure(argument);
            let one = TextSize::from(1);
            let mendable = cx.pure(&comp.elt)
                && !cx.suspends(argument)
                && cx.token_after(argument.end()) == Some(crate::syntax::TokenKind::Rpar)
                && cx.is_free("sum", cx.node(cx.id(expr)).scope)
                && !cx.has_comment(comp.elt.range());
            let fix = mendable
                .then(|| {
                    let edits = vec![
                        replace(call.func.range(), "sum"),
                        replace(TextRange::at(argument.start(), one), ""),
                        replace(cx.outer_range(&comp.elt), "1"),
                        replace(TextRange::at(argument.end() - one, one), ""),
                    ];
                    fix(
                        idle,
                        "count them as they come by",
                        if cx.cannot_fail(&comp.elt) {
                            "a StopIteration in a condition becomes a RuntimeError"
                        } else {
                            "an item that cannot be made no longer fails"
                        },
                        edits,
                    )
                })
                .flatten();
            cx.found(argument, message, fix);
        }
        Expr::Call(inner) if matches!(cx.builtin(&inner.func), Some("list" | "tuple")) => {
            let lazy = inner.arguments.args.first().is_some_and(|of| {
                of.is_generator_expr()
                    || of
                        .as_call_expr()
                        .is_some_and(|call| matches!(cx.builtin(&call.func), Some("filter" | "map" | "zip")))
            });
            if lazy && !inner.arguments.args.iter().all(|of| makes_few(cx, of) || has_few(cx, of)) {
                cx.found(argument, message, None);
            }
        }
        _ => {}
    }
}

/// Whether an assertion says what a count is: `assert len([…]) == 4`, `self.assertEqual(len([…]), 4)`. No more
/// than that are in the list.
fn is_asserted<'a>(cx: &Context<'_, 'a>, count: &'a Expr) -> bool {
    match cx.parent_expr(count) {
        Some(whole @ Expr::Compare(it)) => {
            let asserted = matches!(cx.parent_stmt(whole), Some(Stmt::Assert(_)));
            let number = it.comparators.iter().chain([&*it.left]).any(|side| int(side).is_some());
            asserted && number && *it.ops == [CmpOp::Eq]
        }
        Some(Expr::Call(call)) => {
            let equal = call.func.as_attribute_expr().is_some_and(|it| it.attr.starts_with("assertEqual"));
            equal && call.arguments.args.iter().take(2).any(|side| int(side).is_some())
        }
        _ => false,
    }
}
