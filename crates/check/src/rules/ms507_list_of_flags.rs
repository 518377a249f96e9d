//! MS507: `seen = [False] * n`.

use super::patterns::{int, natural};
use super::patterns_layout::{Done, done, is_few, local, uses_of_target};
use super::short::few_items;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Model, Type};
use crate::syntax::{CmpOp, Expr, Operator, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS507",
    name: "list-of-flags",
    what: "A local list of truth values, one for each number up to some bound: `seen = [False] * n`; or a list \
           of such lists.",
    why: "A list has 8 bytes for each reference to the one `False`. A `bytearray` has one byte for each.",
    not_when: "Where anything but a truth value is stored, a value is read for more than its truth, or the \
               list is passed on, returned or printed; where the length is a small number.",
    fix: "`bytearray(n)`, and `bytearray(b\"\\x01\") * n` where all begin true. Safe if the length is proven not \
          to be negative, which `[False] * n` takes for 0. An index out of range is the same error, with \
          another text.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "n = 500_000\n",
        before: "seen = [False] * n\nseen[3] = True\n",
        after: "seen = bytearray(n)\nseen[3] = True\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(flags) = local(cx, statement) else { return };
    // A list of such lists: `[[False] * width for _ in range(height)]`.
    let rows = flags.value.as_list_comp_expr().map(|comp| &*comp.elt).filter(|_| !few_items(cx, flags.value));
    let display = rows.unwrap_or(flags.value);
    let Some((first, count)) = repeated_flag(display) else { return };
    if is_few(count) {
        return;
    }
    let mut asked = false;
    for name in &flags.uses {
        let answer = match (rows, done(cx, name)) {
            (None, Some(done)) => asks(cx, &done),
            (Some(_), Some(Done::Read(row, it))) if !it.slice.is_slice_expr() => {
                done(cx, row).and_then(|done| asks(cx, &done))
            }
            (Some(_), Some(Done::Tested | Done::Passed("len", _))) => Some(false),
            _ => None,
        };
        match answer {
            Some(answer) => asked |= answer,
            None => return,
        }
    }
    let Stmt::Assign(assign) = statement else { return };
    if !asked {
        return;
    }
    let length = match count {
        Expr::BinOp(_) | Expr::UnaryOp(_) | Expr::If(_) | Expr::Lambda(_) if first => {
            format!("({})", cx.text(count))
        }
        count => cx.text(count).to_owned(),
    };
    let made =
        if first { format!("bytearray(b\"\\x01\") * {length}") } else { format!("bytearray({length})") };
    let free = cx.is_free("bytearray", cx.node(cx.id(display)).scope) && !cx.has_comment(display.range());
    let proven = natural(cx, count) || first && cx.proven(count) == Some(Type::Int);
    let mended = free
        .then(|| {
            fix(
                proven,
                "hold one byte for each",
                "a negative length is an error there",
                vec![replace(display.range(), made)],
            )
        })
        .flatten();
    let name = cx.text(&assign.targets[0]);
    cx.found(
        display,
        format!("`{name}` holds nothing but truth values, 8 bytes for each; a `bytearray` holds one in 1"),
        mended,
    );
}

/// Whether a use asks for truth values; `None` if it does anything that a `bytearray` would not do alike.
fn asks<'a>(cx: &Model<'a>, done: &Done<'a>) -> Option<bool> {
    let alike = |alike: bool, answer: bool| alike.then_some(answer);
    match *done {
        Done::Read(value, it) => alike(!it.slice.is_slice_expr() && is_asked(cx, value), true),
        Done::Stored(it, value) if it.slice.is_slice_expr() => alike(repeated_flag(value).is_some(), false),
        Done::Stored(_, value) => alike(is_flag(cx, value), false),
        Done::Tested | Done::Passed("len", _) => Some(false),
        Done::Passed("sum" | "any" | "all", _) => Some(true),
        Done::Passed("enumerate", counted) => alike(pairs_are_asked(cx, counted), true),
        Done::Method("count", call) => {
            alike(matches!(&*call.arguments.args, [flag] if flag_of(flag).is_some()), true)
        }
        Done::Iterated(target) => alike(is_asked_for(cx, target), true),
        _ => None,
    }
}

/// The truth value that a list display of one repeats, and how often: `[False] * n`, `n * [0]`.
fn repeated_flag(value: &Expr) -> Option<(bool, &Expr)> {
    let product = value.as_bin_op_expr().filter(|op| op.op == Operator::Mult)?;
    let (list, count) = match (&*product.left, &*product.right) {
        (Expr::List(list), count) | (count, Expr::List(list)) => (list, count),
        _ => return None,
    };
    let [flag] = &list.elts[..] else { return None };
    Some((flag_of(flag)?, count)).filter(|_| !count.is_list_expr())
}

/// The truth value that `True`, `False`, `1` or `0` is.
fn flag_of(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::BooleanLiteral(flag) => Some(flag.value),
        _ => int(expr).filter(|n| matches!(n, 0 | 1)).map(|n| n == 1),
    }
}

fn is_flag<'a>(cx: &Model<'a>, value: &'a Expr) -> bool {
    flag_of(value).is_some() || cx.proven(value) == Some(Type::Bool)
}

/// Whether only the truth of a value read matters: `if seen[i]`, `not seen[i]`, `seen[i] == 0`.
fn is_asked<'a>(cx: &Model<'a>, value: &'a Expr) -> bool {
    cx.is_test(value)
        || cx.parent_expr(value).and_then(Expr::as_compare_expr).is_some_and(|compare| {
            let equals = matches!(&*compare.ops, [CmpOp::Eq | CmpOp::NotEq]);
            equals
                && std::iter::once(&*compare.left)
                    .chain(&*compare.comparators)
                    .any(|side| flag_of(side).is_some())
        })
}

/// Whether only the truth matters of what a target is bound to.
fn is_asked_for<'a>(cx: &Model<'a>, target: &'a Expr) -> bool {
    target.is_name_expr()
        && uses_of_target(cx, target).is_some_and(|uses| uses.iter().all(|it| is_asked(cx, it)))
}

/// Whether `for i, flag in enumerate(flags)` asks only for the truth of `flag`.
fn pairs_are_asked<'a>(cx: &Model<'a>, counted: &'a Expr) -> bool {
    match done(cx, counted) {
        Some(Done::Iterated(Expr::Tuple(pair))) => {
            matches!(&pair.elts[..], [Expr::Name(_), flag] if is_asked_for(cx, flag))
        }
        _ => false,
    }
}
