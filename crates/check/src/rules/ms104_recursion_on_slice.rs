//! MS104: `def f(xs): … f(xs[1:])`.

use super::patterns::slice;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Bound;
use crate::syntax::{Expr, ExprSubscript, Ranged, Stmt, StmtFunctionDef};

pub(super) const RULE: Rule = Rule {
    code: "MS104",
    name: "recursion-on-slice",
    what: "A function that calls itself with a slice of what it was given.",
    why: "Each call copies what is left, and every copy lives until its call returns: for `xs[1:]` the bytes \
          grow with the square of the length, for halves with its logarithm.",
    not_when: "Of arrays, ranges and memoryviews, whose slices copy nothing, and of slices of a few items.",
    fix: "Pass the list and two indices instead; there is no automatic fix, since the function's \
          parameters change.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "xs = list(range(900))\n",
        before: "def total(xs):\n    return xs[0] + total(xs[1:]) if xs else 0\ntotal(xs)\n",
        after: "def total(xs, at=0):\n    return xs[at] + total(xs, at + 1) if at < len(xs) else 0\ntotal(xs)\n",
        needs: &[],
    },
    on: &[On::Subscript(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, _: &'a ExprSubscript) {
    let Some(slice) = slice(cx, expr) else { return };
    let Some(function) = cx.function(cx.id(expr)) else { return };
    let is_parameter = cx.symbol_of(slice.of).is_some_and(|symbol| {
        cx.symbol(symbol).bindings.iter().any(|it| matches!(it.how, Bound::Parameter(_, false)))
    });
    if !is_parameter || slice.is_small(cx) {
        return;
    }
    let passed = match cx.parent_expr(expr) {
        Some(Expr::Call(call)) => calls_itself(cx, &call.func, function),
        // `left, right = xs[:middle], xs[middle:]`, and one of these is passed on.
        Some(Expr::Tuple(tuple)) => {
            let place = tuple.elts.iter().position(|element| element.range() == expr.range());
            let target = match cx.stmt_of(expr) {
                Some(Stmt::Assign(assign)) if assign.value.range() == tuple.range() => assign.targets.first(),
                _ => None,
            };
            let names = target.and_then(|target| target.as_tuple_expr()).map(|names| &names.elts);
            names
                .zip(place)
                .and_then(|(names, place)| names.get(place))
                .is_some_and(|name| passed_on(cx, name, function))
        }
        None => match cx.stmt_of(expr) {
            Some(Stmt::Assign(assign)) if assign.value.range() == expr.range() => {
                assign.targets.iter().any(|name| passed_on(cx, name, function))
            }
            _ => false,
        },
        _ => false,
    };
    if passed {
        let name = function.name.as_str();
        cx.found(
            expr,
            format!("`{name}` calls itself with the copy `{}`; pass indices instead", cx.brief(expr)),
            None,
        );
    }
}

/// Whether a name is an argument of a call of the function around it.
fn passed_on<'a>(cx: &Context<'_, 'a>, name: &'a Expr, function: &'a StmtFunctionDef) -> bool {
    let Some(symbol) = cx.symbol_of(name) else { return false };
    cx.symbol(symbol).uses.iter().any(|id| {
        cx.expr(*id).and_then(|name| cx.parent_expr(name)).and_then(Expr::as_call_expr).is_some_and(|call| {
            calls_itself(cx, &call.func, function)
                && call.arguments.args.iter().any(|argument| cx.id(argument) == *id)
        })
    })
}

fn calls_itself<'a>(cx: &Context<'_, 'a>, func: &Expr, function: &'a StmtFunctionDef) -> bool {
    match func {
        Expr::Name(_) => cx.symbol_of(func).is_some_and(|symbol| {
            cx.symbol(symbol)
                .bindings
                .iter()
                .any(|it| matches!(it.how, Bound::Function(other) if cx.id(other) == cx.id(function)))
        }),
        Expr::Attribute(attribute) => {
            attribute.attr.as_str() == function.name.as_str()
                && attribute
                    .value
                    .as_name_expr()
                    .is_some_and(|holder| holder.id == "self" || holder.id == "cls")
        }
        _ => false,
    }
}
