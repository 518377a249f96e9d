//! MS401: `sum([f(x) for x in xs])`.

use super::patterns::{Takes, as_generator, consumer, few_items};
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
               nothing. A list of a few items is not reported.",
    fix: "Drop the brackets. Safe if the item's expression calls nothing but builtins that change nothing: \
          `any` and `all` stop early, and whatever is lazy runs between other things.",
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
        if !argument.is_list_comp_expr() || few_items(cx, argument) {
            continue;
        }
        let Some(consumer) = consumer(cx, argument) else { continue };
        let lazy = match consumer.takes {
            Takes::All | Takes::UntilKnown => false,
            Takes::OneByOne => true,
            _ => continue,
        };
        let proven = cx.pure(argument) && (!lazy || cx.independent(argument, consumer.region));
        let doubt = if consumer.takes == Takes::UntilKnown {
            "what the items call is no longer called for all of them"
        } else {
            "what the items call runs between other things"
        };
        let fix = as_generator(cx, argument).and_then(|edits| fix(proven, "give the items one by one", doubt, edits));
        cx.found(argument, format!("`{}` gets a whole list to take one item at a time", consumer.name), fix);
    }
}
