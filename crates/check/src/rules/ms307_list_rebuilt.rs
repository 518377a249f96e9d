//! MS307: `xs = xs + [x]`.

use super::patterns::{Growth, How, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, Ranged, Stmt, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS307",
    name: "list-rebuilt",
    what: "A list that grows in a loop by being made anew: `xs = xs + [x]`, `xs = [x] + xs`, `xs = [*xs, x]`.",
    why: "Every step makes a new list of all items there are; `append` and `+=` add to the one there is.",
    not_when: "Outside loops. `xs += ys` extends the list in place and is never reported.",
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
    if cx.loop_around(cx.id(statement)).is_none() {
        return;
    }
    let message = |cx: &Context<'_, 'a>| format!("`{}` makes the whole list anew at every step", cx.brief(statement));
    // `xs = [*xs, x]`.
    if let Expr::List(list) = &*assign.value {
        let unpacked = list.elts.iter().any(|element| {
            element.as_starred_expr().is_some_and(|starred| super::patterns::same_place(&starred.value, target))
        });
        if unpacked {
            cx.found(&statement.range(), message(cx), None);
        }
        return;
    }
    let Some(growth @ Growth { ty: Type::List, .. }) = growth(cx, statement) else { return };
    if growth.begun_within(cx, statement) {
        return;
    }
    let mut mended = None;
    if let How::Chain(pieces) = &growth.how
        && let [piece] = pieces[..]
        && !cx.has_comment(statement.range())
    {
        let private = cx.symbol_of(target).is_some_and(|symbol| cx.private(symbol));
        let edits = vec![replace(TextRange::new(target.end(), cx.outer_range(piece).start()), " += ")];
        let proven = private && cx.proven(piece) == Some(Type::List) && cx.proven(target) == Some(Type::List);
        mended = fix(proven, "add to the list there is", "another name for the list would see it grow", edits);
    }
    cx.found(&statement.range(), message(cx), mended);
}
