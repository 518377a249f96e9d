//! MS110: `sorted(list(xs))`.

use super::few_rounds::serves_a_test;
use super::patterns::{Takes, consumer, slice};
use super::short::few;
use super::spans::is_made_of_few;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS110",
    name: "copy-of-copy",
    what: "`list(…)` or `tuple(…)` made for a function that takes any iterable and copies it, or keeps none.",
    why: "`sorted`, `list`, `set`, `sum` and the like go over whatever they are given. A list made for them \
          is gone as soon as they are done.",
    not_when: "Of what is written out with a few items, also where the result is compared with that, and where a \
               function measures memory with `tracemalloc`. For `any` and `all`, which stop early, and for what is not known to be a container, dropping \
               the list could change how much of an iterator is used: that fix is unsafe.",
    fix: "Give the function what the list was made of. Safe for `sorted`, `list` and `tuple`, and where what is \
          copied is proven to be a builtin container that nothing changes meanwhile; not for a set of a set or \
          dict, whose items could come in another order.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "xs = tuple(range(300_000))\n",
        before: "ordered = sum(list(xs))\n",
        after: "ordered = sum(xs)\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, _: &'a crate::syntax::ExprCall) {
    let Some((kind @ ("list" | "tuple"), of)) = cx.call_of_one(expr) else { return };
    let Some(consumer) = consumer(cx, expr) else { return };
    // A comprehension in there is a matter of MS401, a slice of MS102.
    // A test may be about the copy.
    let in_test = serves_a_test(cx, cx.statement(cx.id(expr)));
    if in_test || is_made_of_few(cx, of) || is_compared(cx, consumer.call) || measures(cx, expr) {
        return;
    }
    let plain = !of.is_list_comp_expr() && slice(cx, of).is_none() && !of.is_generator_expr();
    let taken = matches!(consumer.takes, Takes::All | Takes::UntilKnown | Takes::Into)
        || matches!(consumer.name, "sorted" | "list");
    if !plain || !taken || consumer.name == "dict" || matches!(consumer.name, "bytes" | "bytearray") {
        return;
    }
    // `s.update(list(s))` guards against changing what is gone over.
    if !matches!(consumer.takes, Takes::IntoList) && matches!(consumer.name, "extend" | "update") {
        return;
    }
    let ty = cx.proven(of);
    // `Counter(list(d))` counts keys; of a mapping itself it takes the values for counts.
    if consumer.name == "Counter" && !ty.is_some_and(|ty| is_container(ty) && ty != Type::Dict) {
        return;
    }
    let stays = !cx.may_change(of, consumer.region);
    // A set takes over the places that the items have in another's table, or makes room for all at once.
    let reordered = matches!(consumer.name, "set" | "frozenset")
        && !ty.is_some_and(|ty| !matches!(ty, Type::Set | Type::FrozenSet | Type::Dict));
    let proven = match consumer.takes {
        Takes::IntoList => true,
        Takes::UntilKnown => false,
        _ => consumer.name == "tuple" || ty.is_some_and(is_container) && stays && !reordered,
    };
    let doubt = match consumer.takes {
        Takes::UntilKnown => "an iterator would be used up only as far as needed",
        _ if reordered && stays && ty.is_some() => "the items may come in another order",
        _ => "the items would be read and used in turn, not all read first",
    };
    let fix = (!cx.has_comment(expr.range()))
        .then(|| {
            let edits = vec![replace(expr.range(), cx.argument_text(of))];
            fix(proven, format!("drop `{kind}`"), doubt, edits)
        })
        .flatten();
    cx.found(
        expr,
        format!("`{}` makes a {kind} only for `{}`, which takes any iterable", cx.brief(expr), consumer.name),
        fix,
    );
}

/// Whether it holds its items, so that going over it runs no other code.
fn is_container(ty: Type) -> bool {
    use Type::*;
    matches!(ty, List | Tuple | Str | Bytes | ByteArray | Dict | Set | FrozenSet | Range)
}

/// Whether what a call gives is compared with a few items that are written out: it is as few.
fn is_compared<'a>(cx: &Context<'_, 'a>, call: &'a ExprCall) -> bool {
    let written = |other: &'a Expr| {
        matches!(other, Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) | Expr::Dict(_)) && few(cx, other)
    };
    let Some(call) = cx.expr(cx.id(call)) else { return false };
    match cx.parent_expr(call) {
        Some(Expr::Compare(compare)) => written(&compare.left) || compare.comparators.iter().any(written),
        Some(Expr::Call(check)) => {
            let method = check.func.as_attribute_expr();
            method.is_some_and(|method| method.attr.starts_with("assert"))
                && check.arguments.args.iter().any(written)
        }
        _ => false,
    }
}

/// Whether a function measures memory: what it makes is made on purpose.
fn measures<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> bool {
    cx.function(cx.id(expr)).is_some_and(|function| cx.text(function).contains("tracemalloc."))
}
