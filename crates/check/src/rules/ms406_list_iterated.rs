//! MS406: `for x in [f(y) for y in ys]`.

use super::patterns::{as_generator, few_items};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix};

pub(super) const RULE: Rule = Rule {
    code: "MS406",
    name: "list-comprehension-iterated",
    what: "A list comprehension that a loop or another comprehension goes over once.",
    why: "All items are made and put into a list before the first round; a generator makes each when its \
          round comes.",
    not_when: "Where the loop changes what the items are made of. A list of a few items is not reported.",
    fix: "Parentheses instead of brackets. Safe if the items call nothing but builtins that change nothing, \
          and nothing that they read can change in the loop.",
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
    if !it.iter.is_list_comp_expr() || few_items(cx, it.iter) {
        return;
    }
    let independent = cx.independent(it.iter, it.body);
    let guards = !independent && names_change(cx, it);
    if guards {
        return;
    }
    let proven = cx.pure(it.iter) && independent;
    let doubt = "what the items call and read runs between the rounds of the loop, and sees what they change";
    let fix = as_generator(cx, it.iter).and_then(|edits| fix(proven, "make each item when its round comes", doubt, edits));
    cx.found(it.iter, "a whole list is made only to go over it once", fix);
}

/// Whether the loop itself changes something that the items are made of.
fn names_change<'a>(cx: &Context<'_, 'a>, it: Iterated<'a>) -> bool {
    let own = cx.region_of(cx.id(it.iter));
    own.ids().filter_map(|id| cx.expr(id)).filter_map(|name| cx.symbol_of(name)).any(|symbol| {
        let symbol = cx.symbol(symbol);
        let outside = |at: &crate::model::NodeId| it.body.has(*at) && !own.has(*at);
        symbol.bindings.iter().any(|binding| outside(&binding.node))
            || symbol.uses.iter().any(|at| outside(at) && cx.use_of(*at) == crate::model::Use::Changes)
    })
}
