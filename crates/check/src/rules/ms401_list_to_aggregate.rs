//! MS401: `sum([f(x) for x in xs])`.

use super::counted::{has_few, makes_few};
use super::ms406_list_iterated::draws_on;
use super::patterns::{Takes, as_generator, awaits, consumer, takes_all};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix};
use crate::syntax::{Expr, ExprCall};

pub(super) const RULE: Rule = Rule {
    code: "MS401",
    name: "list-to-aggregate",
    what: "A list comprehension made for `sum`, `min`, `max`, `any`, `all`, `math.fsum` or `enumerate`, `zip`, `map`.",
    why: "The whole list is in memory before the first item is looked at. A generator gives the items one \
          by one: a million of them need nothing instead of 8 MB, and the items themselves need not live together.",
    not_when: "`''.join([…])` and `sorted([…])` make a list of their own anyway: there a generator saves \
               nothing. A list that is known to be short is not reported, nor is one whose items begin work that goes on \
               by itself, such as `pool.submit(…)`, or are awaited: `sum` takes no such generator.",
    fix: "Drop the brackets. Safe for `sum`, `min` and `max` if the items call nothing but builtins that \
          change nothing. `any` and `all` stop early, and `enumerate`, `zip` and `map` make the items between \
          the rounds of a loop: there the items must not fail either, and must not come from an iterator \
          that others use too. Where the function itself fails at an item, later ones are no longer made.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "total = sum([x * 2 for x in range(300_000)])\n",
        after: "total = sum(x * 2 for x in range(300_000))\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, _: &'a Expr, call: &'a ExprCall) {
    for argument in &call.arguments.args {
        if !argument.is_list_comp_expr()
            || makes_few(cx, argument)
            || cx.begins_work(argument)
            || awaits(argument)
        {
            continue;
        }
        let Some(consumer) = consumer(cx, argument) else { continue };
        // What is paired with a few things written out is as many.
        let written = |other: &'a Expr| matches!(other, Expr::List(_) | Expr::Tuple(_)) && has_few(cx, other);
        if consumer.name == "zip" && call.arguments.args.iter().any(written) {
            continue;
        }
        // A sum of lists is a matter of MS311: it is the sums that cost.
        let start = call.arguments.find_argument_value("start", 1);
        if consumer.name == "sum" && start.is_some_and(|it| it.is_list_expr() || it.is_tuple_expr()) {
            continue;
        }
        let (proven, doubt) = match consumer.takes {
            Takes::All => (
                cx.pure(argument) && has_quiet_key(cx, call),
                if cx.pure(argument) {
                    "the key is called between the items and may change what they read"
                } else {
                    "a StopIteration in what the items call becomes a RuntimeError"
                },
            ),
            Takes::UntilKnown => (
                cx.pure(argument) && cx.all_items_endure(argument),
                "it stops at the item that decides: later ones call nothing, fail at nothing and stay in their iterator",
            ),
            Takes::OneByOne
                if cx.is_guard(argument, consumer.region) || draws_on(cx, argument, consumer.region) =>
            {
                continue;
            }
            Takes::OneByOne => (
                cx.can_be_late(argument, consumer.region, takes_all(cx, argument)),
                "each item is made in its round: what it calls, reads or fails at comes later",
            ),
            _ => continue,
        };
        let fix = as_generator(cx, argument)
            .and_then(|edits| fix(proven, "give the items one by one", doubt, edits));
        let message = format!("`{}` gets a whole list and takes one item at a time", consumer.name);
        cx.found(argument, message, fix);
    }
}

/// Whether a call has no `key=` that could see or change anything but an item.
pub(super) fn has_quiet_key<'a>(cx: &Context<'_, 'a>, call: &'a ExprCall) -> bool {
    call.arguments.keywords.iter().all(|word| match (word.arg.as_deref(), &word.value) {
        (Some("key"), key @ Expr::Lambda(_)) => cx.pure(key),
        (Some("key"), key @ Expr::Name(_)) => matches!(cx.builtin(key), Some("len" | "abs" | "str")),
        (Some("key") | None, _) => false,
        _ => true,
    })
}
