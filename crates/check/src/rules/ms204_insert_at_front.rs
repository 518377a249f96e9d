//! MS204: `xs.insert(0, x)` in a loop.

use super::at_front::at_front;
use super::few_rounds::{appends_too, handed_on};
use super::ms203_pop_from_front::as_deque;
use super::patterns::{int, same_place};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Model;
use crate::syntax::{Expr, ExprCall};

pub(super) const RULE: Rule = Rule {
    code: "MS204",
    name: "insert-at-front",
    what: "A list that a loop puts items into at the front: `xs.insert(0, x)`.",
    why: "It costs no memory, but time: every item that is there is moved by one place, so that the whole \
          grows with the square of the length.",
    not_when: "Where the list is made within the same loop, or items are taken out of it there by place or \
               value; where its type is not known, as of `sys.path`; where it is the caller's, or is sorted, sliced \
               or looked up by number as well; where the loop runs a few times, as over the parts of a path. With some dozen items there is no \
               difference.",
    fix: "Append, and reverse once at the end; or `collections.deque` with `appendleft`. That fix is safe for \
          a local list with which nothing is done that a deque cannot do.",
    saves: Saves::Nothing,
    experiment: Experiment {
        setup: "items = list(range(200))\n",
        before: "xs = []\nfor item in items:\n    xs.insert(0, item)\n",
        after: "xs = []\nfor item in items:\n    xs.append(item)\nxs.reverse()\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, _: &'a Expr, call: &'a ExprCall) {
    let Some(list) = at_front(cx, call, "insert", 2) else { return };
    // A function that gets the list in every round wants it in order.
    let statement = cx.statement(cx.id(call));
    if takes_from_the_middle(cx, call, list)
        || handed_on(cx, list, statement)
        || appends_too(cx, list, statement)
    {
        return;
    }
    let mended = as_deque(cx, list);
    cx.found(
        call,
        format!(
            "`{}` moves every item there is, every round; append and reverse at the end, or take a deque",
            cx.brief(call)
        ),
        mended,
    );
}

/// Whether the loop takes the list's items out again by place or value, so that it only changes their order.
fn takes_from_the_middle<'a>(cx: &Model<'a>, call: &'a ExprCall, list: &'a Expr) -> bool {
    let Some(around) = cx.loop_around(cx.id(call)) else { return false };
    cx.region(around.body()).ids().filter_map(|id| cx.expr(id)?.as_call_expr()).any(|other| {
        let Expr::Attribute(method) = &*other.func else { return false };
        let takes = match method.attr.as_str() {
            "pop" => other.arguments.args.first().is_some_and(|at| int(at).is_none()),
            "remove" => true,
            _ => false,
        };
        takes && same_place(&method.value, list)
    })
}
