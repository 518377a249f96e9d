//! MS101: `for x in xs[1:]`.

use super::patterns::{loop_over, same_place, slice};
use super::spans::{is_first_of_sorted, is_from_middle, is_tail};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS101",
    name: "slice-copied-to-iterate",
    what: "A slice that a loop or comprehension goes over once.",
    why: "A slice of a list, tuple, str or bytes is a copy: eight bytes for each item of a list, all made \
          before the loop begins and kept until it ends. `itertools.islice` gives the same items and keeps none.",
    not_when: "A NumPy array's slice is a view, a range's and a memoryview's copy nothing either. `islice` \
               walks from the start, so a slice far from the start takes longer that way, and it takes no \
               negative bounds. A slice of a few items is not reported: a number written out, the fields of a line, an \
               attribute or item of which nothing is known. Nor is one from the end (`xs[-n:]`), or one from \
               the middle (`xs[i:j]`), except where a loop always cuts at the same beginning: `islice` cannot do the \
               one, and walks from the start to the other. Nor is one of a list that the loop changes: there the copy is needed.",
    fix: "`itertools.islice(xs, 1, None)`. Safe if the sequence is proven to be a builtin one, the bounds \
          not to be negative, and the loop not to change the list.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import itertools\nxs = list(range(300_000))\n",
        before: "for x in xs[1:]:\n    pass\n",
        after: "for x in itertools.islice(xs, 1, None):\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some(slice) = slice(cx, it.iter) else { return };
    if slice.is_full()
        || slice.is_reversed()
        || slice.is_small(cx)
        || slice.is_obscure(cx)
        || is_tail(&slice)
        || slice.step().is_none()
        || is_from_middle(cx, &slice, it.iter)
        || is_first_of_sorted(cx, &slice)
        || cx.surely_changes(slice.of, it.body)
        || !slice.proven() && takes_itself_out(cx, it)
    {
        return;
    }
    let stays = loop_over(cx, it.iter).is_some_and(|region| !cx.may_change(slice.of, region));
    let fix = slice.as_islice(cx).and_then(|(call, mut edits, natural)| {
        edits.push(replace(it.iter.range(), call));
        let proven = slice.proven() && natural && stays;
        fix(proven, "go over it with `itertools.islice`", &slice.doubts(natural, stays), edits)
    });
    cx.found(it.iter, format!("`{}` {} only to go over it", cx.brief(it.iter), slice.says()), fix);
}

/// Whether a loop lets an item take itself out of where it is: `child.remove()`.
fn takes_itself_out<'a>(cx: &Context<'_, 'a>, it: Iterated<'a>) -> bool {
    let leaves = |call: &ExprCall| match &*call.func {
        Expr::Attribute(method) => {
            matches!(method.attr.as_str(), "delete" | "destroy" | "detach" | "extract" | "remove" | "unlink")
                && call.arguments.is_empty()
                && same_place(&method.value, it.target)
        }
        _ => false,
    };
    it.body.ids().filter_map(|id| cx.expr(id)).any(|expr| expr.as_call_expr().is_some_and(leaves))
}
