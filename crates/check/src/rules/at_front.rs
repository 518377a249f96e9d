//! What the rules about the front of a list share: `xs.pop(0)` and `xs.insert(0, x)` in a loop, and where
//! a deque would not serve, or nothing is to be gained.

use super::few_rounds::{few_rounds, serves_a_test};
use super::patterns::{int, mentions, same_place};
use super::short::of_arguments;
use crate::model::shape::Loop;
use crate::model::{Bound, Model, NodeId, Region, ScopeKind, Type, Use, comprehension};
use crate::syntax::{CmpOp, Expr, ExprCall, ExprContext, Stmt, UnaryOp, any_over_expr};

/// So many rounds, written out, move little even if the list is long.
const ROUNDS: i64 = 1000;

/// The list whose method is called in a loop around it, with 0 as the first of so many arguments.
pub(super) fn at_front<'a>(
    cx: &Model<'a>,
    call: &'a ExprCall,
    method: &str,
    count: usize,
) -> Option<&'a Expr> {
    let Expr::Attribute(attribute) = &*call.func else { return None };
    let list = &*attribute.value;
    let arguments = &call.arguments;
    let zero = arguments.args.first().and_then(int) == Some(0);
    if attribute.attr.as_str() != method || !zero || arguments.args.len() != count || arguments.len() != count
    {
        return None;
    }
    if cx.type_of(list)?.ty != Type::List || of_arguments(cx, list) || is_the_callers(cx, list) {
        return None;
    }
    let around = cx.loop_around(cx.id(call))?;
    let short = |bound: &'a Expr| int(bound).is_some_and(|n| n.abs() <= ROUNDS);
    if let Loop::For(it) = around
        && cx.builtin_call(&it.iter, "range").is_some_and(|range| range.arguments.args.iter().all(short))
    {
        return None;
    }
    let body = cx.region(around.body());
    // A new list in every round is a short one.
    let made_anew = body.ids().any(|id| match cx.expr(id) {
        Some(Expr::Name(name)) => {
            name.ctx == ExprContext::Store && cx.expr(id).is_some_and(|it| same_place(it, list))
        }
        Some(it @ Expr::Attribute(inner)) => inner.ctx == ExprContext::Store && same_place(it, list),
        _ => false,
    });
    let statement = cx.statement(cx.id(call));
    let pointless = made_anew
        || few_rounds(cx, list, statement)
        || serves_a_test(cx, statement)
        || is_shared(cx, list)
        || is_gone_through(cx, list, body)
        || needs_a_list(cx, list, body);
    (!pointless).then_some(list)
}

/// Whether a list is the caller's: it can't be made a deque, and the caller may want what is left of it.
fn is_the_callers<'a>(cx: &Model<'a>, list: &'a Expr) -> bool {
    cx.symbol_of(list).is_some_and(|id| {
        let bindings = &cx.symbol(id).bindings;
        !bindings.is_empty() && bindings.iter().all(|it| matches!(it.how, Bound::Parameter(..)))
    })
}

/// Whether a list belongs to the function around: others use it meanwhile.
fn is_shared<'a>(cx: &Model<'a>, list: &'a Expr) -> bool {
    cx.symbol_of(list).is_some_and(|id| {
        let owner = cx.symbol(id).scope;
        cx.scope(owner).kind == ScopeKind::Function && cx.frame(cx.id(list)) != owner
    })
}

/// Whether a loop goes over all of a list anyway, looks its items up by a number that changes, at which a
/// deque is slow, or handles a deque beside it.
fn is_gone_through<'a>(cx: &Model<'a>, list: &'a Expr, body: Region) -> bool {
    let is_list = |it: &Expr| same_place(it, list);
    body.ids().any(|id| {
        if let Some(Stmt::For(it)) = cx.stmt(id) {
            return is_list(&it.iter);
        }
        match cx.expr(id) {
            Some(Expr::Subscript(it)) => is_list(&it.value) && int(&it.slice).is_none(),
            Some(Expr::Compare(it)) => {
                matches!(&*it.ops, [CmpOp::In | CmpOp::NotIn]) && it.comparators.iter().any(is_list)
            }
            Some(Expr::Attribute(it)) => match it.attr.as_str() {
                "popleft" => true,
                "index" | "count" => is_list(&it.value),
                _ => false,
            },
            Some(it) => comprehension(it).is_some_and(|all| all.iter().any(|one| is_list(&one.iter))),
            None => false,
        }
    })
}

/// The places where a list is named: in its scope, or in the class if it is an attribute.
fn places<'a>(cx: &Model<'a>, list: &'a Expr) -> Vec<&'a Expr> {
    if let Some(id) = cx.symbol_of(list) {
        return cx.symbol(id).uses.iter().filter_map(|name| cx.expr(*name)).collect();
    }
    let all = match cx.class(cx.id(list)) {
        Some(class) => cx.region_of(cx.id(class)),
        None => cx.region_of(NodeId(0)),
    };
    all.ids().filter_map(|id| cx.expr(id)).filter(|it| same_place(it, list)).collect()
}

/// Whether something is done with a list anywhere that a deque can't do, or does slowly: it is sorted, sliced,
/// added to another list, or looked up by a number that changes.
fn needs_a_list<'a>(cx: &Model<'a>, list: &'a Expr, body: Region) -> bool {
    let local = cx.symbol_of(list).is_some();
    places(cx, list).into_iter().any(|name| match cx.parent_expr(name) {
        // What is sorted before the loop can be sorted before it becomes a deque.
        Some(Expr::Attribute(method)) => method.attr.as_str() == "sort" && (!local || body.has(cx.id(name))),
        Some(Expr::Subscript(it)) => {
            let changes = local && int(&it.slice).is_none();
            cx.id(&*it.value) == cx.id(name) && (changes || it.slice.is_slice_expr())
        }
        Some(Expr::BinOp(_)) => true,
        Some(Expr::Call(call)) => {
            cx.path(&call.func).is_some_and(|path| path.starts_with("heapq.") || path.starts_with("bisect."))
        }
        _ => false,
    })
}

/// Whether a loop only trims a list: it goes on while the first item is a certain one.
pub(super) fn is_trimmed<'a>(cx: &Model<'a>, call: &'a ExprCall, list: &'a Expr) -> bool {
    let Some(Loop::While(around)) = cx.loop_around(cx.id(call)) else { return false };
    let first = |it: &Expr| matches!(it, Expr::Subscript(at) if same_place(&at.value, list));
    any_over_expr(&around.test, |inner| match inner {
        Expr::Compare(compare) => {
            matches!(&*compare.ops, [CmpOp::Eq | CmpOp::In | CmpOp::Is])
                && any_over_expr(&compare.left, first)
        }
        Expr::UnaryOp(op) => op.op == UnaryOp::Not && any_over_expr(&op.operand, first),
        _ => false,
    })
}

/// Whether a loop only empties a list that is begun anew again and again: a batch, and no queue.
pub(super) fn is_drained_batch<'a>(cx: &Model<'a>, call: &'a ExprCall, list: &'a Expr) -> bool {
    let (Some(around), Some(id)) = (cx.loop_around(cx.id(call)), cx.symbol_of(list)) else { return false };
    let symbol = cx.symbol(id);
    let body = cx.region(around.body());
    let only_taken = symbol.uses.iter().filter(|name| body.has(**name)).all(|name| {
        matches!(cx.expr(cx.node(*name).parent), Some(Expr::Attribute(method)) if method.attr.as_str() == "pop")
            || cx.use_of(*name) == Use::Reads
    });
    only_taken && symbol.bindings.iter().any(|it| cx.loop_around(it.node).is_some())
}

/// Whether an attribute is a list that its class only empties: those who fill it rely on its being a list.
pub(super) fn is_filled_by_others<'a>(cx: &Model<'a>, list: &'a Expr) -> bool {
    let Expr::Attribute(attribute) = list else { return false };
    if attribute.attr.as_str().starts_with('_') {
        return false;
    }
    let fills = |name: &'a Expr| match (cx.parent_expr(name), cx.parent_stmt(name)) {
        (Some(Expr::Attribute(method)), _) => {
            matches!(method.attr.as_str(), "append" | "extend" | "insert" | "appendleft")
        }
        (_, Some(Stmt::Assign(it))) => {
            !mentions(&it.value, name) && !matches!(&*it.value, Expr::List(list) if list.elts.is_empty())
        }
        (_, Some(Stmt::AugAssign(_))) => true,
        // Given away whole, it may be filled there.
        (Some(call @ Expr::Call(_)), _) => cx.call_of_one(call).is_none_or(|(name, _)| name != "len"),
        _ => false,
    };
    !places(cx, list).into_iter().any(fills)
}
