//! MS107: `for x in xs[:]`.

use super::patterns::{loop_over, slice};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS107",
    name: "full-copy-iterated",
    what: "A copy of a whole list that a loop goes over without changing the list.",
    why: "The copy guards against changes during the loop. Where there are none, it only costs eight bytes \
          an item.",
    not_when: "Where the loop changes the list, or calls something that could: there the copy is needed. \
               A full slice of a tuple, str or bytes copies nothing.",
    fix: "Go over the list itself. Safe if it is proven to be a list that the loop cannot change.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "xs = list(range(300_000))\n",
        before: "for x in xs[:]:\n    pass\n",
        after: "for x in xs:\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some(of) = copied(cx, it.iter) else { return };
    // Only a list whose name is at hand can be followed through the loop.
    let Some(region) = loop_over(cx, it.iter) else { return };
    let is_list = cx.type_of(of).is_some_and(|known| known.ty == Type::List);
    if !of.is_name_expr() || !is_list || cx.may_change(of, region) {
        return;
    }
    let proven = cx.proven(of) == Some(Type::List);
    let edits = vec![replace(it.iter.range(), cx.text(of))];
    let fix = (!cx.has_comment(it.iter.range()))
        .then(|| fix(proven, "go over the list itself", "it may not be a list", edits))
        .flatten();
    cx.found(it.iter, format!("`{}` copies a list that the loop does not change", cx.brief(it.iter)), fix);
}

/// What `xs[:]`, `list(xs)`, `tuple(xs)` and `xs.copy()` copy.
fn copied<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> Option<&'a Expr> {
    if let Some(slice) = slice(cx, expr) {
        return slice.is_full().then_some(slice.of);
    }
    if let Some(("list" | "tuple", of)) = cx.call_of_one(expr) {
        return Some(of);
    }
    let call = expr.as_call_expr()?;
    let method = call.func.as_attribute_expr()?;
    (method.attr.as_str() == "copy" && call.arguments.is_empty()).then_some(&*method.value)
}
