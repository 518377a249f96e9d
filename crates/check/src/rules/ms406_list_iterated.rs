//! MS406: `for x in [f(y) for y in ys]`.

use super::patterns::{as_generator, between, takes_all};
use super::short::few_items;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix};

pub(super) const RULE: Rule = Rule {
    code: "MS406",
    name: "list-comprehension-iterated",
    what: "A list comprehension that a loop or another comprehension goes over once.",
    why: "All items are made and put into a list before the first round; a generator makes each when its \
          round comes.",
    not_when: "Where the loop changes what the items are made of. A list of a few items is not reported, nor \
               is one whose items begin work that goes on by itself, such as `pool.submit(…)`.",
    fix: "Parentheses instead of brackets. Safe if the items call nothing but builtins that change nothing \
          and cannot fail, nothing that they read can change in the loop, and they don't come from an iterator.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "for x in [i * 2 for i in range(300_000)]:\n    pass\n",
        after: "for x in (i * 2 for i in range(300_000)):\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    if !it.iter.is_list_comp_expr() || few_items(cx, it.iter) || cx.begins_work(it.iter) {
        return;
    }
    let Some(region) = between(cx, it) else { return };
    if cx.is_guard(it.iter, region) {
        return;
    }
    let proven = cx.can_be_late(it.iter, region, takes_all(cx, it.iter));
    let doubt = "each item is made in its round: what it calls, reads or fails at comes later";
    let fix = as_generator(cx, it.iter)
        .and_then(|edits| fix(proven, "make each item when its round comes", doubt, edits));
    cx.found(it.iter, "a whole list is made only to go over it once", fix);
}
