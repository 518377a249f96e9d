//! MS406: `for x in [f(y) for y in ys]`.

use super::counted::makes_few;
use super::patterns::{as_generator, awaits, between, takes_all};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix};
use crate::model::{Bound, Model, Region, comprehension};
use crate::syntax::{Expr, ExprContext};

pub(super) const RULE: Rule = Rule {
    code: "MS406",
    name: "list-comprehension-iterated",
    what: "A list comprehension that a loop or another comprehension goes over once.",
    why: "All items are made and put into a list before the first round; a generator makes each when its \
          round comes.",
    not_when: "Where the loop changes what the items are made of, or both call methods of the same object, such \
               as a random generator. A list that is known to be short is not reported, nor is one whose items \
               begin work that goes on by itself, such as `pool.submit(…)`, or are awaited.",
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
    if !it.iter.is_list_comp_expr() || makes_few(cx, it.iter) || cx.begins_work(it.iter) || awaits(it.iter) {
        return;
    }
    let Some(region) = between(cx, it) else { return };
    if cx.is_guard(it.iter, region) || draws_on(cx, it.iter, region) || sets_within(cx, it.iter, region) {
        return;
    }
    let proven = cx.can_be_late(it.iter, region, takes_all(cx, it.iter));
    let doubt = "each item is made in its round: what it calls, reads or fails at comes later";
    let fix = as_generator(cx, it.iter)
        .and_then(|edits| fix(proven, "make each item when its round comes", doubt, edits));
    cx.found(it.iter, "a whole list is made only to go over it once", fix);
}

/// Whether items are made by methods of something whose methods a region calls as well: `rng.random()` in
/// both gives other numbers when the calls come by turns.
pub(super) fn draws_on<'a>(cx: &Model<'a>, items: &'a Expr, region: Region) -> bool {
    let own = cx.region_of(cx.id(items));
    let receiver = |expr: &'a Expr| Some(&*expr.as_call_expr()?.func.as_attribute_expr()?.value);
    let called = own.ids().filter_map(|id| cx.expr(id)).filter(|expr| !cx.pure(expr)).filter_map(receiver);
    called.into_iter().any(|of| {
        let mut root = of;
        while let Expr::Attribute(it) = root {
            root = &it.value;
        }
        let Some(symbol) = cx.symbol_of(root).map(|id| cx.symbol(id)) else { return false };
        // An item of the comprehension is another each time.
        let inner = symbol.bindings.iter().any(|it| own.has(it.node));
        let module = symbol.bindings.iter().any(|it| matches!(it.how, Bound::Import));
        let draws = !module || cx.path(of).is_some_and(|path| path.split('.').any(|part| part == "random"));
        let mut others = region.ids().filter(|id| !own.has(*id)).filter_map(|id| cx.expr(id));
        !inner && draws && others.any(|it| receiver(it).is_some_and(|other| cx.text(other) == cx.text(of)))
    })
}

/// Whether a region sets something within what the items come from: `graph.nodes[n][key] = value`.
fn sets_within<'a>(cx: &Model<'a>, items: &'a Expr, region: Region) -> bool {
    let Some(generators) = comprehension(items) else { return false };
    region.ids().filter_map(|id| cx.expr(id)).any(|expr| {
        let Expr::Subscript(item) = expr else { return false };
        let mut place = &*item.value;
        while let Expr::Subscript(outer) = place {
            place = &outer.value;
        }
        item.ctx != ExprContext::Load && generators.iter().any(|it| cx.text(&it.iter) == cx.text(place))
    })
}
