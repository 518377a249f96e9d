//! MS509: `places.setdefault(word, []).append(i)`, then `len(places[word])`.

use super::patterns_layout::{Done, done, in_loop_after, local, uses_of_target};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Model;
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS509",
    name: "lists-to-count",
    what: "A local dict of lists that grow, of which only the lengths are used.",
    why: "Every list has 56 bytes and 8 or more for each item, and keeps the items. A `collections.Counter` has one \
          number for each key.",
    not_when: "Where a list is gone over, looked into or passed on, and so is the dict.",
    fix: "`counts = collections.Counter()`, and `counts[word] += 1`. There is no automatic fix, since a \
          `Counter` gives 0 for what it has not counted.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "from collections import Counter\nwords = [str(i % 1000) for i in range(100_000)]\n",
        before: "places = {}\nfor i, word in enumerate(words):\n    places.setdefault(word, []).append(i)\ncounts = {word: len(found) for word, found in places.items()}\n",
        after: "counts = Counter()\nfor word in words:\n    counts[word] += 1\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(lists) = local(cx, statement) else { return };
    let by_default = cx.calls(lists.value, "collections.defaultdict").is_some_and(|call| {
        call.arguments.len() == 1 && call.arguments.args.iter().all(|made| cx.is_builtin(made, "list"))
    });
    let empty = lists.value.as_dict_expr().is_some_and(|dict| dict.items.is_empty())
        || cx.builtin_call(lists.value, "dict").is_some_and(|call| call.arguments.is_empty());
    if !by_default && !empty {
        return;
    }
    let (mut adds, mut counted) = (Vec::new(), false);
    for name in &lists.uses {
        match done(cx, name) {
            Some(Done::Tested | Done::Passed("len", _)) => {}
            Some(Done::Read(list, it)) if !it.slice.is_slice_expr() => match done(cx, list) {
                Some(Done::Method("append", _)) if by_default => adds.push(list),
                Some(Done::Passed("len", _)) => counted = true,
                _ => return,
            },
            Some(Done::Method("setdefault", call)) if is_fresh_list(&call.arguments.args) => {
                let Some(list) = cx.expr(cx.node(cx.node(cx.id(*name)).parent).parent) else { return };
                match done(cx, list) {
                    Some(Done::Method("append", _)) => adds.push(list),
                    _ => return,
                }
            }
            Some(Done::Method("items" | "values", call)) if call.arguments.is_empty() => {
                let Some(view) = cx.expr(cx.node(cx.node(cx.id(*name)).parent).parent) else { return };
                if !only_counts(cx, view) {
                    return;
                }
                counted = true;
            }
            Some(Done::Method("keys", _) | Done::Iterated(_)) => {}
            None if is_member_test(cx, name) => {}
            _ => return,
        }
    }
    let grown = adds.iter().find(|list| in_loop_after(cx, cx.id(**list), lists.symbol));
    if let Some(list) = grown.filter(|_| counted) {
        let name = match statement {
            Stmt::Assign(assign) => cx.text(&assign.targets[0]),
            _ => return,
        };
        let costs = adds.iter().map(|list| list.range()).collect();
        cx.found_with_costs(
            *list,
            format!("only the lengths of the lists in `{name}` are used; a `Counter` keeps no items"),
            None,
            costs,
        );
    }
}

fn is_fresh_list(arguments: &[Expr]) -> bool {
    matches!(arguments, [_, Expr::List(list)] if list.elts.is_empty())
}

fn is_member_test(cx: &Model<'_>, name: &Expr) -> bool {
    use crate::syntax::CmpOp::{In, NotIn};
    cx.parent_expr(name).and_then(Expr::as_compare_expr).is_some_and(|compare| {
        matches!(&*compare.ops, [In | NotIn])
            && compare.comparators.iter().any(|side| cx.id(side) == cx.id(name))
    })
}

/// Whether a loop over `places.items()` or `places.values()` takes only the lengths of the lists.
fn only_counts<'a>(cx: &Model<'a>, view: &'a Expr) -> bool {
    let Some(Done::Iterated(target)) = done(cx, view) else { return false };
    let list = match target {
        Expr::Tuple(pair) => match &pair.elts[..] {
            [Expr::Name(_), list @ Expr::Name(_)] => list,
            _ => return false,
        },
        name => name,
    };
    uses_of_target(cx, list).is_some_and(|uses| {
        !uses.is_empty() && uses.iter().all(|it| matches!(done(cx, it), Some(Done::Passed("len", _))))
    })
}
