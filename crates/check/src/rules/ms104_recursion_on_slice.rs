//! MS104: `def f(xs): … f(xs[1:])`.

use super::patterns::{Slice, int, offset, same_place, slice};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Binding, Bound};
use crate::syntax::{Expr, ExprCall, ExprSubscript, Ranged, Stmt, StmtFunctionDef};

pub(super) const RULE: Rule = Rule {
    code: "MS104",
    name: "recursion-on-slice",
    what: "A function that calls itself with a slice of what it was given.",
    why: "Each call copies what is left, and every copy lives until its call returns: for `xs[1:]` the bytes \
          grow with the square of the length, for halves with its logarithm.",
    not_when: "Of arrays, ranges and memoryviews, whose slices copy nothing, of slices of a few items, of the parts \
               of a dotted name, and where a loop makes the call, or it goes down a nested list at the same time: \
               what is as deep as that is short.",
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
    if !is_parameter || slice.is_small(cx) || is_of_name(cx, &slice) {
        return;
    }
    let passed = match cx.parent_expr(expr) {
        Some(Expr::Call(call)) => goes_on(cx, call, slice.of, function),
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
                .is_some_and(|name| passed_on(cx, name, slice.of, function))
        }
        None => match cx.stmt_of(expr) {
            Some(Stmt::Assign(assign)) if assign.value.range() == expr.range() => {
                assign.targets.iter().any(|name| passed_on(cx, name, slice.of, function))
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

/// Whether a slice is cut at a dot, behind a prefix or before a suffix: a name has few of them.
fn is_of_name<'a>(cx: &Context<'_, 'a>, slice: &Slice<'a>) -> bool {
    let (lower, upper) = (slice.bounds.lower.as_deref(), slice.bounds.upper.as_deref());
    // `at = name.find('.')`
    let at_dot = |bound: &'a Expr| match cx.reaching(offset(bound).0).map(|binding| binding.how) {
        Some(Bound::Assigned(Expr::Call(call))) => {
            let method = call.func.as_attribute_expr();
            let finds = method.is_some_and(|method| {
                matches!(&*method.attr, "find" | "rfind" | "index" | "rindex")
                    && same_place(&method.value, slice.of)
            });
            finds && literal(call).is_some_and(|text| text == ".")
        }
        _ => false,
    };
    // `name.startswith('prefix_')` and `name[7:]`
    let prefix = lower.and_then(int).filter(|n| *n > 1 && upper.is_none());
    let behind = |length: i64| {
        cx.symbol_of(slice.of).is_some_and(|symbol| {
            cx.symbol(symbol).uses.iter().any(|name| {
                let method = cx.expr(*name).and_then(|name| cx.parent_expr(name));
                let call = method.and_then(|method| cx.parent_expr(method)).and_then(Expr::as_call_expr);
                method.and_then(Expr::as_attribute_expr).is_some_and(|it| it.attr.as_str() == "startswith")
                    && call.and_then(literal).is_some_and(|text| text.chars().count() as i64 == length)
            })
        })
    };
    // `name[:-len(suffix)]`
    let before = upper.and_then(Expr::as_unary_op_expr).is_some_and(|op| op.operand.is_call_expr());
    before || [lower, upper].into_iter().flatten().any(at_dot) || prefix.is_some_and(behind)
}

/// The first argument of a call, if it is a text written out.
fn literal(call: &ExprCall) -> Option<&str> {
    Some(call.arguments.args.first()?.as_string_literal_expr()?.value.to_str())
}

/// Whether a call of the function around it goes on for as long as there is something left. One that a loop
/// makes multiplies with every item, and one that goes into an item of another list ends with its depth.
fn goes_on<'a>(
    cx: &Context<'_, 'a>,
    call: &'a ExprCall,
    of: &'a Expr,
    function: &'a StmtFunctionDef,
) -> bool {
    let goes_down = |argument: &'a Expr| {
        argument.as_subscript_expr().is_some_and(|item| {
            !item.slice.is_slice_expr() && item.value.is_name_expr() && !same_place(&item.value, of)
        })
    };
    let again = match cx.stmt_of(&call.func) {
        // The loop around it ends there.
        Some(statement @ Stmt::Return(_)) => cx.repeated_within(cx.id(&*call.func), statement),
        _ => cx.repeated(cx.id(&*call.func)),
    };
    calls_itself(cx, &call.func, function) && !again && !call.arguments.args.iter().any(goes_down)
}

/// Whether a name is an argument of a call of the function around it, and bound to nothing else.
fn passed_on<'a>(cx: &Context<'_, 'a>, name: &'a Expr, of: &'a Expr, function: &'a StmtFunctionDef) -> bool {
    let Some(symbol) = cx.symbol_of(name) else { return false };
    let given = |it: &&Binding<'a>| matches!(it.how, Bound::Parameter(..));
    if cx.symbol(symbol).bindings.iter().filter(|it| !given(it)).count() > 1 {
        return false;
    }
    cx.symbol(symbol).uses.iter().any(|id| {
        cx.expr(*id).and_then(|name| cx.parent_expr(name)).and_then(Expr::as_call_expr).is_some_and(|call| {
            goes_on(cx, call, of, function)
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
