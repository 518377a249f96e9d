//! MS105: `data = data[n:]` in a loop.

use super::patterns::{int, natural, same_place, slice};
use super::short::{is_named_short, of_arguments};
use super::spans::is_tail;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Ast, Bound, NodeId, Type};
use crate::syntax::{Expr, ExprContext, Ranged, Stmt, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS105",
    name: "queue-by-slice",
    what: "A loop that takes something off a sequence by binding its name to a slice of it.",
    why: "Every round copies all that is left: the bytes copied grow with the square of the length.",
    not_when: "Of arrays, ranges and memoryviews, whose slices copy nothing, outside loops, where each rest is kept, \
               where a loop only strips an end: `while s[:1] == '.': s = s[1:]`, where the tail is kept \
               (`xs[-n:]`), and where other functions take it and give the rest back: \
               `token, text = read(text)`. Nor of what is named or packed as something short.",
    fix: "Keep an index, or go over a `memoryview`. For a list or bytearray that nothing else refers to, \
          `del xs[:n]` does the same without a copy, and that fix is safe.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "source = list(range(20_000))\n",
        before: "xs = list(source)\nwhile xs:\n    xs = xs[100:]\n",
        after: "xs = list(source)\nwhile xs:\n    del xs[:100]\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target] = &assign.targets[..] else { return };
    let Some(slice) = slice(cx, &assign.value) else { return };
    if !same_place(target, slice.of) || slice.step() != Some(1) || slice.is_full() {
        return;
    }
    // `xs[a:b]` keeps a part from the middle.
    let (lower, upper) = (slice.bounds.lower.as_deref(), slice.bounds.upper.as_deref());
    let rest = match (lower, upper) {
        (Some(lower), None) => format!("[:{}]", cx.text(lower)),
        (None, Some(upper)) => format!("[{}:]", cx.text(upper)),
        _ => return,
    };
    // What gets shorter once is no queue: the loop goes on as long as there is something left, or for ever.
    let Some(around) = cx.loop_around(cx.id(statement)) else { return };
    let Some(test) = around.test() else { return };
    let bound = lower.or(upper);
    let by_test = crate::syntax::any_over_expr(test, |inner| same_place(inner, target));
    if !by_test && !test.is_boolean_literal_expr() || is_tail(&slice) || is_short(cx, slice.of) {
        return;
    }
    let id = cx.id(statement);
    // Read anew in every round, cut at a place that is found, or kept: the rest of nothing, or needed.
    let cut = !by_test && (upper.is_some() || cx.begun_within(target, id));
    if cut || is_trimmed(around.body(), test, target) || is_kept(cx, target, id) || is_handed_over(cx, target)
    {
        return;
    }
    let private = cx.symbol_of(target).is_some_and(|symbol| cx.private(symbol) && !cx.lent(symbol, id));
    let in_place = matches!(slice.ty(), Some(Type::List | Type::ByteArray)) && slice.proven() && private;
    let fix = in_place
        .then(|| {
            let range = TextRange::new(statement.start(), statement.end());
            // `xs[None:]` is all of it, and so is `xs[:None]`.
            let number = |bound: &'a Expr| matches!(cx.proven(bound), Some(Type::Int)) || natural(cx, bound);
            let simple = bound.is_some_and(|bound| cx.pure(bound) && number(bound)) && !cx.has_comment(range);
            simple.then(|| {
                fix(
                    true,
                    "take them off in place",
                    "",
                    vec![replace(range, format!("del {}{rest}", cx.text(target)))],
                )
            })
        })
        .flatten()
        .flatten();
    let advice = match slice.ty() {
        Some(Type::List | Type::ByteArray) => "; keep an index, or take items off with `del`",
        Some(Type::Bytes) => "; keep an index, or a memoryview",
        _ => "; keep an index",
    };
    cx.found(
        &*assign.value,
        format!("`{}` copies all that is left, every round{advice}", cx.brief(&*assign.value)),
        fix,
    );
}

/// Whether a loop does nothing with an item but take it off for as long as one is of some kind: a few.
fn is_trimmed(body: &[Stmt], test: &Expr, target: &Expr) -> bool {
    let looks = |inner: &Expr| inner.as_subscript_expr().is_some_and(|it| same_place(&it.value, target));
    // `text = text[1:]` itself, and counting.
    let counts = |statement: &Stmt| match statement {
        Stmt::AugAssign(it) => int(&it.value).is_some(),
        _ => false,
    };
    // `text[0].isdigit()`: a number has few digits.
    let of_digits = |inner: &Expr| {
        let asked = inner.as_attribute_expr().filter(|it| it.attr.as_str() == "isdigit");
        asked.is_some_and(|it| looks(&it.value))
    };
    let others = body.iter().filter(|statement| !counts(statement)).count();
    others == 1 && crate::syntax::any_over_expr(test, looks) || crate::syntax::any_over_expr(test, of_digits)
}

/// Whether there is never much in something: what a call or a name says is short, or one packed record.
fn is_short<'a>(cx: &Context<'_, 'a>, of: &'a Expr) -> bool {
    let packs = |value: &Expr| match value {
        Expr::Call(call) => {
            call.func.as_attribute_expr().is_some_and(|method| method.attr.as_str() == "pack")
                && !call.arguments.args.iter().any(Expr::is_starred_expr)
        }
        _ => false,
    };
    let packed = cx.symbol_of(of).is_some_and(|symbol| {
        cx.symbol(symbol).bindings.iter().any(|it| matches!(it.how, Bound::Assigned(value) if packs(value)))
    });
    packed || of_arguments(cx, of) || is_named_short(of)
}

/// Whether functions get what is left and give it back shorter: no index could be kept through them.
fn is_handed_over<'a>(cx: &Context<'_, 'a>, target: &'a Expr) -> bool {
    let Some(symbol) = cx.symbol_of(target) else { return false };
    cx.symbol(symbol).uses.iter().filter_map(|name| cx.expr(*name)).any(|name| {
        let Some(call @ Expr::Call(it)) = cx.parent_expr(name) else { return false };
        let given = it.arguments.args.iter().any(|argument| cx.id(argument) == cx.id(name));
        let back = match cx.parent_stmt(call) {
            Some(Stmt::Assign(assign)) => match &assign.targets[..] {
                [Expr::Tuple(tuple)] => tuple.elts.iter().any(|element| same_place(element, target)),
                _ => false,
            },
            _ => false,
        };
        given && back
    })
}

/// Whether each rest is kept: `rests.append(xs)`, `found[xs] = n`.
fn is_kept<'a>(cx: &Context<'_, 'a>, target: &'a Expr, statement: NodeId) -> bool {
    let Some(symbol) = cx.symbol_of(target) else { return false };
    let round = cx.loop_around(statement).map(|around| cx.region(around.body()));
    let as_key = |name: &NodeId| {
        round.is_some_and(|round| round.has(*name))
            && match cx.node(cx.node(*name).parent).ast {
                Ast::Expr(Expr::Subscript(item)) => {
                    item.ctx == ExprContext::Store && cx.id(&*item.slice) == *name
                }
                _ => false,
            }
    };
    cx.kept_in_loop(symbol, statement) || cx.symbol(symbol).uses.iter().any(as_key)
}
