//! What the code around a slice says of its length: a bound that is a small number, a length that was asked
//! for, a sequence made of a few things. These are guesses on the side of silence; they prove nothing.

use super::patterns::{Slice, int, mentions};
use super::short::{FEW, few, is_fields, is_named_short, is_short};
use crate::model::{Ast, Bound, Model, NodeId, Use, comprehension};
use crate::syntax::{BoolOp, CmpOp, Expr, ExprAttribute, ExprCompare, Operator, Stmt, UnaryOp};

/// Whether a slice, or what is sliced, can only hold a few items.
pub(super) fn is_bounded<'a>(cx: &Model<'a>, slice: &Slice<'a>) -> bool {
    let (lower, upper) = (slice.bounds.lower.as_deref(), slice.bounds.upper.as_deref());
    // `xs[:level]`
    let head = upper.is_some_and(|upper| is_small_number(cx, upper))
        && lower.is_none_or(|lower| int(lower).is_some_and(|n| n >= 0));
    head || made_within(cx, slice.of, 4, true) || is_told_short(cx, slice.of)
}

/// Whether a slice begins at a place counted from the end: `xs[-n:]`. An iterator cannot do that.
pub(super) fn is_tail(slice: &Slice<'_>) -> bool {
    slice.bounds.lower.as_deref().is_some_and(is_negated)
}

/// Whether a number has a minus before it: `-n`, `-n - 1`.
pub(super) fn is_negated(bound: &Expr) -> bool {
    match bound {
        Expr::UnaryOp(op) => op.op == UnaryOp::USub,
        Expr::BinOp(op) => is_negated(&op.left),
        _ => false,
    }
}

/// Whether a slice is a part from the middle that is cut once, or one after the other: `islice` would walk to it
/// from the start. Where a loop always cuts at the same beginning, there is no way to walk.
pub(super) fn is_from_middle<'a>(cx: &Model<'a>, slice: &Slice<'a>, expr: &'a Expr) -> bool {
    let (lower, upper) = (slice.bounds.lower.as_deref(), slice.bounds.upper.as_deref());
    let Some(lower) = lower.filter(|lower| int(lower).is_none()) else { return false };
    if upper.is_none_or(is_negated) {
        return false;
    }
    // A loop that goes over the slice itself runs after it is cut.
    let mut inner = cx.id(expr);
    let (mut moves, mut within) = (false, false);
    for above in cx.ancestors(cx.id(expr)) {
        let again = match cx.node(above).ast {
            Ast::Stmt(Stmt::FunctionDef(_) | Stmt::ClassDef(_)) => break,
            Ast::Stmt(Stmt::For(it)) => inner != cx.id(&*it.iter),
            Ast::Stmt(Stmt::While(_)) => true,
            Ast::Expr(whole) => comprehension(whole)
                .is_some_and(|all| all.first().is_some_and(|first| cx.id(&first.iter) != inner)),
            _ => false,
        };
        let round = cx.region_of(above);
        let bound = |name: NodeId| {
            let symbol = cx.expr(name).filter(|it| it.is_name_expr()).and_then(|it| cx.symbol_of(it));
            symbol.is_some_and(|symbol| !cx.symbol(symbol).bindings_in(round).is_empty())
        };
        within |= again;
        moves |= again && cx.region_of(cx.id(lower)).ids().any(bound);
        inner = above;
    }
    moves || !within
}

/// Whether a slice is the first few of what was sorted: MS415 has that.
pub(super) fn is_first_of_sorted<'a>(cx: &Model<'a>, slice: &Slice<'a>) -> bool {
    slice.bounds.lower.is_none() && cx.builtin_call(slice.of, "sorted").is_some()
}

/// Whether a bound is a small number by a name: one written out, or how deep something is nested.
fn is_small_number<'a>(cx: &Model<'a>, bound: &'a Expr) -> bool {
    let small = |value: &Expr| int(value).is_some_and(|n| (0..=FEW).contains(&n));
    let nesting = |name: &str| name.ends_with("level") || name.ends_with("depth");
    match bound {
        Expr::Attribute(attribute) => nesting(&attribute.attr),
        Expr::Name(name) => {
            nesting(&name.id)
                || match cx.reaching(bound).map(|binding| binding.how) {
                    Some(Bound::Assigned(Expr::If(choice))) => small(&choice.body) && small(&choice.orelse),
                    Some(Bound::Assigned(value)) => small(value),
                    _ => false,
                }
        }
        _ => false,
    }
}

/// Whether a sequence is made of as many items as something that has a few: `list(kwargs.items())`.
pub(super) fn is_made_of_few<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    made_within(cx, expr, 4, false)
}

/// The same by way of at most so many names, and of what a name says, if it is `named` that counts.
fn made_within<'a>(cx: &Model<'a>, expr: &'a Expr, names: u32, named: bool) -> bool {
    let leaf = || few(cx, expr) || named && is_named_short(expr);
    match expr {
        // What a class gives one by one are its members, which are written out.
        Expr::Name(name) if name.id == "cls" => true,
        Expr::Name(_) => match cx.reaching(expr).map(|binding| binding.how) {
            Some(Bound::Assigned(value @ (Expr::Call(_) | Expr::ListComp(_)))) => {
                names > 0
                    && !mentions(value, expr)
                    && !is_grown(cx, expr)
                    && made_within(cx, value, names - 1, named)
            }
            _ => leaf(),
        },
        Expr::Attribute(attribute) => match of_class(cx, attribute) {
            Some(value) if names > 0 => made_within(cx, value, names - 1, named),
            _ => leaf(),
        },
        Expr::List(list) => is_short(&list.elts),
        Expr::Tuple(tuple) => is_short(&tuple.elts),
        Expr::Set(set) => is_short(&set.elts),
        Expr::ListComp(_) | Expr::SetComp(_) | Expr::Generator(_) => match comprehension(expr) {
            Some([only]) => made_within(cx, &only.iter, names, named),
            _ => false,
        },
        Expr::Call(call) => {
            let arguments = &call.arguments.args;
            match cx.builtin(&call.func) {
                Some("list" | "tuple" | "sorted" | "reversed" | "enumerate" | "zip") => {
                    arguments.first().is_some_and(|of| made_within(cx, of, names, named))
                }
                Some("range") => arguments.iter().all(is_few_written),
                Some("map" | "filter") => {
                    arguments.get(1).is_some_and(|of| made_within(cx, of, names, named))
                }
                _ => match &*call.func {
                    Expr::Attribute(method) if matches!(&*method.attr, "items" | "keys" | "values") => {
                        call.arguments.is_empty() && made_within(cx, &method.value, names, named)
                    }
                    _ => few(cx, expr) || is_fields(cx, expr),
                },
            }
        }
        _ => leaf(),
    }
}

/// What the class around gives a name of its own at first: `self.names`, after `names = (…)`.
fn of_class<'a>(cx: &Model<'a>, attribute: &'a ExprAttribute) -> Option<&'a Expr> {
    let holder = attribute.value.as_name_expr()?;
    if !matches!(&*holder.id, "self" | "cls") {
        return None;
    }
    let class = cx.class(cx.id(holder))?;
    class.body.iter().find_map(|statement| match statement {
        Stmt::Assign(assign) => match &assign.targets[..] {
            [Expr::Name(name)] if name.id == *attribute.attr => Some(&*assign.value),
            _ => None,
        },
        _ => None,
    })
}

/// Whether something may put more than a few items into what a name refers to: anything that changes it,
/// but for an item that gets another value, and an `append` that is no part of a loop.
fn is_grown<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let grows = |name: NodeId| match cx.expr(name).and_then(|name| cx.parent_expr(name)) {
        Some(Expr::Subscript(item)) => item.slice.is_slice_expr(),
        Some(Expr::Attribute(method)) => {
            method.attr.as_str() != "append" || cx.repeated(name) || cx.frame(name) != cx.frame(cx.id(of))
        }
        _ => true,
    };
    cx.symbol_of(of).is_none_or(|symbol| {
        let symbol = cx.symbol(symbol);
        symbol.uses.iter().any(|name| cx.use_of(*name) == Use::Changes && grows(*name))
            || symbol.bindings.iter().any(|it| matches!(it.how, Bound::Augmented(_)))
    })
}

/// The uses of a name. One that is used more often than anyone writes is not looked into: every slice of it
/// would go over all its uses.
fn uses<'a, 'm>(cx: &'m Model<'a>, of: &Expr) -> &'m [NodeId] {
    cx.symbol_of(of)
        .map(|symbol| &cx.symbol(symbol).uses[..])
        .filter(|uses| uses.len() <= 1000)
        .unwrap_or(&[])
}

/// Whether the code makes sure that there are a few items: by `assert len(xs) == 4` or
/// `if len(xs) != 4: return` before, or in the body of `if len(xs) == 4:`.
fn is_told_short<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let at = cx.id(of);
    uses(cx, of).iter().any(|name| {
        let Some(length) = cx.expr(*name).and_then(|name| cx.parent_expr(name)) else { return false };
        if !matches!(cx.call_of_one(length), Some(("len", _))) || cx.frame(*name) != cx.frame(at) {
            return false;
        }
        match cx.parent_expr(length) {
            Some(test @ Expr::Compare(compare)) => {
                says_few(compare, cx.id(length), cx) && is_sure(cx, test, at)
                    || says_other(compare) && is_turned_away(cx, test, at)
            }
            Some(Expr::Call(call)) => {
                let method = call.func.as_attribute_expr().map(|method| method.attr.as_str());
                method == Some("assertEqual") && *name < at && call.arguments.args.iter().any(is_few_written)
            }
            _ => false,
        }
    })
}

/// A length that is written out as a number tells more than a guess: up to here it is as good as nothing.
const FEW_TOLD: i64 = 256;

/// Whether an expression is such a length: `4`, `2 * 100`.
fn is_few_written(expr: &Expr) -> bool {
    let n = match expr {
        Expr::BinOp(op) if op.op == Operator::Mult => int(&op.left).zip(int(&op.right)),
        _ => int(expr).map(|n| (n, 1)),
    };
    n.and_then(|(n, times)| n.checked_mul(times)).is_some_and(|n| (0..=FEW_TOLD).contains(&n))
}

/// Whether a comparison says that a length is a small number, or less.
fn says_few<'a>(compare: &'a ExprCompare, length: NodeId, cx: &Model<'a>) -> bool {
    let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return false };
    if cx.id(&*compare.left) == length {
        matches!(op, CmpOp::Eq | CmpOp::Lt | CmpOp::LtE) && is_few_written(right)
    } else {
        matches!(op, CmpOp::Eq | CmpOp::Gt | CmpOp::GtE) && is_few_written(&compare.left)
    }
}

/// Whether a comparison says that a length is not a small number, or that it is, after `not`.
fn says_other(compare: &ExprCompare) -> bool {
    let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return false };
    matches!(op, CmpOp::NotEq | CmpOp::Eq) && is_few_written(right)
}

/// Whether a node is only reached where a test, alone or as one of several, did not hold: `if len(xs) != 3: return`,
/// `if not len(xs) == 3: return`.
fn is_turned_away<'a>(cx: &Model<'a>, test: &'a Expr, at: NodeId) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let mut whole = test;
    let mut negated = compare.ops.contains(&CmpOp::NotEq);
    loop {
        match cx.parent_expr(whole) {
            Some(not @ Expr::UnaryOp(op)) if op.op == UnaryOp::Not && whole.is_compare_expr() => {
                negated = !negated;
                whole = not;
            }
            Some(both @ Expr::BoolOp(op)) if op.op == BoolOp::Or => whole = both,
            Some(_) => return false,
            None => break,
        }
    }
    let Some(branch @ Stmt::If(it)) = cx.parent_stmt(whole) else { return false };
    let leaves = matches!(it.body.last(), Some(Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_)));
    // What comes after it in the same list of statements.
    let behind = |above: NodeId| {
        cx.is_statement(above) && above > cx.id(branch) && cx.block(above) == cx.block(cx.id(branch))
    };
    negated && leaves && cx.id(&*it.test) == cx.id(whole) && cx.ancestors(at).any(behind)
}

/// Whether a node is only reached where a test holds, alone or with others.
fn is_sure<'a>(cx: &Model<'a>, test: &'a Expr, at: NodeId) -> bool {
    let mut whole = test;
    while let Some(both @ Expr::BoolOp(op)) = cx.parent_expr(whole) {
        if op.op != BoolOp::And {
            return false;
        }
        whole = both;
    }
    let is_whole = |test: &Expr| cx.id(test) == cx.id(whole);
    match cx.parent_stmt(whole) {
        Some(Stmt::Assert(it)) => is_whole(&it.test) && cx.id(&*it.test) < at,
        Some(Stmt::If(it)) => {
            is_whole(&it.test) && cx.region(&it.body).has(at)
                || it.elif_else_clauses.iter().any(|clause| {
                    clause.test.as_ref().is_some_and(is_whole) && cx.region(&clause.body).has(at)
                })
        }
        _ => false,
    }
}

/// Whether what a name refers to is a record: its items are read at three places, each written out.
pub(super) fn is_record<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let place = |name: &NodeId| match cx.parent_expr(cx.expr(*name)?)? {
        Expr::Subscript(item) if cx.id(&*item.value) == *name => int(&item.slice),
        _ => None,
    };
    let mut places: Vec<i64> = uses(cx, of).iter().filter_map(place).collect();
    places.sort_unstable();
    places.dedup();
    places.len() >= 3
}
