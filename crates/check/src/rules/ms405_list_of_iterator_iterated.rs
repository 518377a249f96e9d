//! MS405: `for x in list(map(f, xs))`.

use super::counted::{has_few, is_unpacked};
use super::patterns::{between, takes_all};
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
    fix: "Drop `list`. Safe if nothing that the items come from can change in the loop or is an iterator that \
          others use too, and what `map` and `filter` call is a builtin that changes nothing and cannot fail.",
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
    let Some(name @ ("map" | "filter" | "zip" | "range" | "enumerate" | "reversed")) =
        cx.builtin(&inner.func)
    else {
        return;
    };
    let Some(region) = between(cx, it) else { return };
    if has_few(cx, of) || is_unpacked(cx, it.iter) || name != "range" && cx.is_guard(of, region) {
        return;
    }
    let sources = inner.arguments.args.iter().skip(usize::from(matches!(name, "map" | "filter")));
    let changes = name != "range" && sources.clone().any(|source| cx.may_change(source, region));
    let proven = name == "range" || !changes && cx.can_be_late(of, region, takes_all(cx, it.iter));
    let doubt = "what it reads and calls is read and called between the rounds, and not at all after a break";
    let edits = vec![replace(it.iter.range(), cx.text(of))];
    let fix = (!cx.has_comment(it.iter.range()))
        .then(|| fix(proven, format!("go over the `{name}` itself"), doubt, edits))
        .flatten();
    cx.found(
        it.iter,
        format!("`{}` puts all items into a {kind} only to go over it", cx.brief(it.iter)),
        fix,
    );
}
