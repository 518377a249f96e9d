//! MS405: `for x in list(map(f, xs))`.

use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Expr, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS405",
    name: "list-of-iterator-iterated",
    what: "`list(map(…))`, `list(filter(…))`, `list(zip(…))`, `list(range(…))`, `list(enumerate(…))`, \
           `list(reversed(…))` that a loop goes over.",
    why: "These give their items one by one. The list puts them all in memory before the loop begins.",
    not_when: "Where the loop changes what the items come from: there the list is a guard.",
    fix: "Drop `list`. Safe if nothing that the items come from can change in the loop, and what `map` and \
          `filter` call is a builtin that changes nothing.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "for x in list(range(300_000)):\n    pass\n",
        after: "for x in range(300_000):\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some((kind @ ("list" | "tuple"), of)) = cx.call_of_one(it.iter) else { return };
    let Expr::Call(inner) = of else { return };
    let Some(name @ ("map" | "filter" | "zip" | "range" | "enumerate" | "reversed")) = cx.builtin(&inner.func) else { return };
    let sources = inner.arguments.args.iter().skip(usize::from(matches!(name, "map" | "filter")));
    // `for x in list(filter(f, xs)): xs.remove(x)` needs the list.
    let changes = name != "range" && sources.clone().any(|source| cx.may_change(source, it.body));
    let known_to_change = sources.clone().any(|source| {
        let named = cx.symbol_of(source).map(|symbol| cx.symbol(symbol));
        named.is_some_and(|symbol| symbol.uses.iter().any(|at| it.body.has(*at) && cx.use_of(*at) == crate::model::Use::Changes))
    });
    if known_to_change {
        return;
    }
    let fix = (!cx.has_comment(it.iter.range()))
        .then(|| {
            let edits = vec![replace(it.iter.range(), cx.text(of))];
            fix(cx.pure(of) && !changes, format!("go over the `{name}` itself"), "what it calls runs between the rounds of the loop, and sees what they change", edits)
        })
        .flatten();
    cx.found(it.iter, format!("`{}` puts all items into a {kind} only to go over it", cx.brief(it.iter)), fix);
}
