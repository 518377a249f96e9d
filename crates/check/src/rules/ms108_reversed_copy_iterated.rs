//! MS108: `for x in xs[::-1]`.

use super::patterns::{Takes, consumer, loop_over, slice};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Expr, ExprSubscript, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS108",
    name: "reversed-copy-iterated",
    what: "A reversed slice that a loop or a function goes over once.",
    why: "`xs[::-1]` copies the whole sequence; `reversed(xs)` walks over it from its end.",
    not_when: "Of NumPy arrays, whose reversed slices are views, and of ranges.",
    fix: "`reversed(xs)`. Safe if the sequence is proven to be a builtin one that the loop does not change.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "xs = list(range(300_000))\n",
        before: "for x in xs[::-1]:\n    pass\n",
        after: "for x in reversed(xs):\n    pass\n",
        needs: &[],
    },
    on: &[On::Subscript(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, _: &'a ExprSubscript) {
    let Some(slice) = slice(cx, expr) else { return };
    if !slice.is_reversed() || slice.is_small(cx) {
        return;
    }
    let region = match (loop_over(cx, expr), consumer(cx, expr)) {
        (Some(region), _) => region,
        (None, Some(consumer)) if !matches!(consumer.takes, Takes::IntoList | Takes::Later) => consumer.region,
        _ => return,
    };
    let fix = (cx.is_free("reversed", cx.node(cx.id(expr)).scope) && !cx.has_comment(expr.range()))
        .then(|| {
            let proven = slice.proven() && !cx.may_change(slice.of, region);
            let edits = vec![replace(expr.range(), format!("reversed({})", cx.argument_text(slice.of)))];
            fix(proven, "walk from the end with `reversed`", "changes of the sequence meanwhile would be seen", edits)
        })
        .flatten();
    cx.found(expr, format!("`{}` copies the whole sequence only to go over it", cx.brief(expr)), fix);
}
