//! MS102: `sum(xs[1:])`.

use super::ms109_pairwise_by_slice::pairwise;
use super::patterns::{Takes, consumer, same_place, slice};
use super::spans::{is_first_of_sorted, is_from_middle, is_tail};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, ExprSubscript, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS102",
    name: "slice-copied-to-aggregate",
    what: "A slice that `sum`, `max`, `any`, `set`, `enumerate`, `zip` and the like take the items of.",
    why: "The slice is a copy, made for a function that looks at each item once.",
    not_when: "Where the function makes a list of its own anyway (`sorted`, `list`, `''.join`), of arrays, \
               ranges and memoryviews, whose slices copy nothing, of slices of a few items or from the end \
               (`xs[-n:]`), from the middle (`xs[i:j]`), and of an \
               attribute or item of which nothing is known. Where the list is \
               changed meanwhile, the copy is needed.",
    fix: "`sum(itertools.islice(xs, 1, None))`. Safe if the sequence is proven to be a builtin one and the \
          bounds not to be negative, and, where the items are taken one by one, if nothing changes it meanwhile.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import itertools\nxs = list(range(300_000))\n",
        before: "total = sum(xs[1:])\n",
        after: "total = sum(itertools.islice(xs, 1, None))\n",
        needs: &[],
    },
    on: &[On::Subscript(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, _: &'a ExprSubscript) {
    let Some(slice) = slice(cx, expr) else { return };
    let Some(consumer) = consumer(cx, expr) else { return };
    let into_more = matches!(consumer.takes, Takes::IntoList | Takes::Later)
        || matches!(consumer.name, "bytes" | "bytearray");
    if into_more || slice.is_full() || slice.is_reversed() || slice.is_small(cx) || slice.is_obscure(cx) {
        return;
    }
    if is_tail(&slice) || is_from_middle(cx, &slice, expr) || is_first_of_sorted(cx, &slice) {
        return;
    }
    // `tuple` of a tuple gives that tuple itself.
    if consumer.name == "tuple" && slice.ty().is_none_or(|ty| ty == Type::Tuple) {
        return;
    }
    // A bytearray takes a buffer at once, other things item by item.
    let method = consumer.call.func.as_attribute_expr();
    if method.is_some_and(|it| cx.type_of(&it.value).is_some_and(|known| known.ty == Type::ByteArray)) {
        return;
    }
    // `zip(xs, xs[1:])` is a rule of its own.
    let pairs = consumer.name == "zip"
        && consumer.call.arguments.args.iter().any(|other| same_place(other, slice.of));
    if pairs || consumer.name == "zip" && pairwise(cx, consumer.call).is_some() {
        return;
    }
    // `xs.extend(xs[1:])` would never end without the copy.
    if cx.surely_changes(slice.of, consumer.region) {
        return;
    }
    let stays = !cx.may_change(slice.of, consumer.region);
    let fix = slice.as_islice(cx).and_then(|(call, mut edits, natural)| {
        edits.push(replace(expr.range(), call));
        let message = format!("give `{}` the items with `itertools.islice`", consumer.name);
        fix(slice.proven() && natural && stays, message, &slice.doubts(natural, stays), edits)
    });
    cx.found(expr, format!("`{}` {} only for `{}`", cx.brief(expr), slice.says(), consumer.name), fix);
}
