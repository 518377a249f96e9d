//! MS307: `xs = xs + [x]`.

use super::few_rounds::{appends_too, handed_on, stays_short};
use super::patterns::same_place;
use super::patterns_growth::{Growth, How, growth, in_place};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix};
use crate::model::Type;
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS307",
    name: "list-rebuilt",
    what: "A list that grows in a loop by being made anew: `xs = xs + [x]`, `xs = [x] + xs`, `xs = [*xs, x]`.",
    why: "Every step makes a new list of all items there are; `append` and `+=` add to the one there is.",
    not_when: "Outside loops and in those of a few rounds, and where each list is kept, handed to a function \
               or gone over: `rows.append(xs)`. `xs += ys` extends the list in place and is never reported.",
    fix: "`xs += [x]`. Safe if nothing else refers to the list and what is added is proven to be a list. \
          What is put in front has no fix: append, and reverse at the end.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "",
        before: "def build():\n    xs = []\n    for i in range(2_000):\n        xs = xs + [i]\nbuild()\n",
        after: "def build():\n    xs = []\n    for i in range(2_000):\n        xs += [i]\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target] = &assign.targets[..] else { return };
    let id = cx.id(statement);
    let symbol = cx.symbol_of(target);
    // What is kept in every round is made anew for a reason.
    let kept = symbol.is_some_and(|symbol| cx.kept_in_loop(symbol, id));
    if kept || cx.begun_within(target, id) || !cx.revisited(target, id) {
        return;
    }
    let in_front = match &*assign.value {
        Expr::BinOp(op) => same_place(&op.right, target),
        Expr::List(list) => list.elts.first().is_some_and(|first| !first.is_starred_expr()),
        _ => false,
    };
    if stays_short(cx, target, id) || handed_on(cx, target, id) || in_front && appends_too(cx, target, id) {
        return;
    }
    let message =
        |cx: &Context<'_, 'a>| format!("`{}` makes the whole list anew at every step", cx.brief(statement));
    // `xs = [*xs, x]`.
    if let Expr::List(list) = &*assign.value {
        let unpacked = list.elts.iter().any(|element| {
            element.as_starred_expr().is_some_and(|starred| same_place(&starred.value, target))
        });
        if unpacked {
            cx.found(&statement.range(), message(cx), None);
        }
        return;
    }
    let Some(Growth { ty: Type::List, how, .. }) = growth(cx, statement) else { return };
    let mut mended = None;
    if let How::Chain(pieces) = &how
        && let [piece] = pieces[..]
        && !cx.has_comment(statement.range())
    {
        let private = symbol.is_some_and(|symbol| cx.private(symbol) && !cx.lent(symbol, id));
        let is_list = cx.proven(piece) == Some(Type::List);
        let proven = private && is_list && cx.proven(target) == Some(Type::List);
        let doubt = match private {
            true if !is_list => "`+=` takes any iterable, where `+` takes only a list",
            _ => "another name for the list, or a loop over it, would see it grow",
        };
        mended = fix(
            proven,
            "add to the list there is",
            doubt,
            vec![in_place(cx, statement, target, '+', &[piece])],
        );
    }
    cx.found(&statement.range(), message(cx), mended);
}
