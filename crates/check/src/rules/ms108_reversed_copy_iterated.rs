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
    not_when: "Of NumPy arrays, whose reversed slices are views, of ranges, and of an attribute, an item or a result \
               of which nothing is known: it may be an array.",
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
    if !slice.is_reversed() || slice.is_small(cx) || slice.is_obscure(cx) {
        return;
    }
    let region = match (loop_over(cx, expr), consumer(cx, expr)) {
        (Some(region), _) => Some(region),
        (None, Some(consumer)) if !matches!(consumer.takes, Takes::IntoList | Takes::Later) => {
            Some(consumer.region)
        }
        // A generator expression goes over it later.
        (None, None) if generator_over(cx, expr) => None,
        _ => return,
    };
    if region.is_some_and(|region| cx.surely_changes(slice.of, region)) {
        return;
    }
    let fix = (cx.is_free("reversed", cx.node(cx.id(expr)).scope) && !cx.has_comment(expr.range()))
        .then(|| {
            let proven = slice.proven() && region.is_some_and(|region| !cx.may_change(slice.of, region));
            let edits = vec![replace(expr.range(), format!("reversed({})", cx.argument_text(slice.of)))];
            let doubt = match slice.known {
                Some(known) if !known.proven => format!("it may not be a {}", known.ty.name()),
                Some(_) => "changes of the sequence made meanwhile would be seen".to_owned(),
                None => "it may be no sequence that `reversed` takes, or change meanwhile".to_owned(),
            };
            fix(proven, "walk from the end with `reversed`", &doubt, edits)
        })
        .flatten();
    cx.found(expr, format!("`{}` copies the whole sequence only to go over it", cx.brief(expr)), fix);
}

/// Whether a generator expression goes over something.
fn generator_over<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> bool {
    let Some(Expr::Generator(generator)) = cx.parent_expr(expr) else { return false };
    generator.generators.iter().any(|it| !it.is_async && cx.id(&it.iter) == cx.id(expr))
}
