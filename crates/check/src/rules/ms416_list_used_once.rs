//! MS416: `ys = [f(x) for x in xs]`, then `for y in ys`.

use super::patterns::{Takes, as_generator, consumer, few_items, loop_over};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::finding::Edit;
use crate::model::{Region, ScopeKind};
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS416",
    name: "list-used-once",
    what: "A list given a name only for the next statement to go over it once.",
    why: "All items are in memory together, though each is looked at once.",
    not_when: "Where the list is used a second time, or something comes between: a generator gives its items \
               only once, and late.",
    fix: "A generator. Safe if the items call nothing but builtins that change nothing, and nothing that they \
          read can change before they are taken.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "ys = [x * 2 for x in range(300_000)]\ntotal = sum(ys)\n",
        after: "ys = (x * 2 for x in range(300_000))\ntotal = sum(ys)\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target @ Expr::Name(_)] = &assign.targets[..] else { return };
    let Some(id) = cx.symbol_of(target) else { return };
    let symbol = cx.symbol(id);
    let scope = cx.scope(symbol.scope);
    // One binding, one use, both in a function: at a module's or class's top anybody may look the name up.
    let [used] = symbol.uses[..] else { return };
    if symbol.bindings.len() != 1 || symbol.captured || scope.kind != ScopeKind::Function || scope.by_string {
        return;
    }
    let Some(name) = cx.expr(used) else { return };
    let Some(next) = cx.next_stmt(statement) else { return };
    if !cx.region_of(cx.id(next)).has(used) || cx.repeated_within(used, next) {
        return;
    }
    let region: Region = match (loop_over(cx, name), consumer(cx, name)) {
        (Some(body), _) => body,
        (None, Some(consumer)) if matches!(consumer.takes, Takes::All | Takes::UntilKnown | Takes::Into | Takes::OneByOne) => consumer.region,
        _ => return,
    };
    let (items, edits) = match &*assign.value {
        comp @ Expr::ListComp(_) if !few_items(cx, comp) => (comp, as_generator(cx, comp)),
        call => match cx.call_of_one(call) {
            Some(("list", of @ Expr::Call(inner))) if matches!(cx.builtin(&inner.func), Some("map" | "filter" | "zip" | "range")) => {
                (of, (!cx.has_comment(call.range())).then(|| vec![replace(call.range(), cx.text(of))]))
            }
            _ => return,
        },
    };
    // What the next statement evaluates before it takes the first item counts too.
    let whole = cx.region_of(cx.id(next));
    let proven = cx.pure(items) && cx.independent(items, region) && cx.independent(items, whole);
    let doubt = "what the items call and read runs later, while they are taken";
    let fix = edits.and_then(|mut edits| {
        // The statement that takes the items is left alone in this round: what is proven of it stays so.
        edits.push(Edit { start: next.start().to_usize(), end: next.end().to_usize(), text: cx.text(next).to_owned() });
        fix(proven, "make the items as they are taken", doubt, edits)
    });
    cx.found(&*assign.value, format!("`{}` is a whole list that is gone over once", cx.text(target)), fix);
}
