//! MS415: `sorted(xs)[:10]`.

use super::counted::has_few;
use super::patterns::int;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Bound, Type};
use crate::syntax::{Expr, ExprSubscript, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS415",
    name: "sorted-for-a-few",
    what: "A whole sequence sorted to take its first few items, or one.",
    why: "`sorted` copies all items. `heapq.nsmallest` keeps as many as are asked for, and `min` keeps one.",
    not_when: "Where more than a thousand or perhaps all are taken, for which sorting is the faster way, and where what is \
               sorted is known to have a few items. Where the same statement calls the function that would serve: \
               it compares the two.",
    fix: "`heapq.nsmallest(10, xs)`; with `reverse=True`, `heapq.nlargest`. Safe if the items are proven to be \
          of a type that has a total order, which floats have not: NaN. For one item, `min` or `max`; unsafe, \
          since of nothing they raise ValueError, not IndexError, and of items that are equal `sorted(xs)[-1]` \
          gives the last, `max(xs)` the first.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import heapq\nxs = list(range(300_000))\n",
        before: "first = sorted(xs)[:10]\n",
        after: "first = heapq.nsmallest(10, xs)\n",
        needs: &[],
    },
    on: &[On::Subscript(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, subscript: &'a ExprSubscript) {
    let Some(call) = cx.builtin_call(&subscript.value, "sorted") else { return };
    let [items] = &*call.arguments.args else { return };
    let word = |name: &str| call.arguments.find_keyword(name);
    let reverse = match word("reverse").map(|word| &word.value) {
        None => false,
        Some(Expr::BooleanLiteral(flag)) => flag.value,
        Some(_) => return,
    };
    let key = word("key").map_or_else(String::new, |word| format!(", {}", cx.text(word)));
    if items.is_starred_expr()
        || has_few(cx, items)
        || is_compared(cx, expr)
        || call.arguments.keywords.len()
            != usize::from(!key.is_empty()) + usize::from(word("reverse").is_some())
    {
        return;
    }
    let of = cx.argument_text(items);
    let scope = cx.node(cx.id(expr)).scope;
    let fix = match &*subscript.slice {
        Expr::Slice(slice) => {
            let Some(upper) =
                slice.upper.as_deref().filter(|_| slice.lower.is_none() && slice.step.is_none())
            else {
                return;
            };
            let literal = int(upper);
            if literal.is_some_and(|n| !(1..=1000).contains(&n)) || may_be_all(cx, upper) {
                return;
            }
            let function = if reverse { "heapq.nlargest" } else { "heapq.nsmallest" };
            cx.reach(function, expr).and_then(|(name, mut edits)| {
                let ordered = cx.element_of(items).is_some_and(|known| {
                    known.proven && matches!(known.ty, Type::Int | Type::Str | Type::Bytes)
                });
                edits.push(replace(expr.range(), format!("{name}({}, {of}{key})", cx.text(upper))));
                let proven = ordered && key.is_empty() && literal.is_some();
                let doubt = match literal {
                    Some(_) => "items that have no total order, such as NaN, may come out otherwise",
                    None => "a negative number means something else, and NaN has no order",
                };
                fix(proven, format!("keep only these with `{function}`"), doubt, edits)
            })
        }
        index => {
            let function = match (int(index), reverse) {
                (Some(0), false) | (Some(-1), true) => "min",
                (Some(-1), false) | (Some(0), true) => "max",
                _ => return,
            };
            let doubt = match int(index) {
                Some(0) => "of nothing it raises ValueError, not IndexError, and NaN has no order",
                _ => {
                    "of nothing it raises ValueError, not IndexError, and of equal items it gives the first, not the last"
                }
            };
            let edits = vec![replace(expr.range(), format!("{function}({of}{key})"))];
            cx.is_free(function, scope)
                .then(|| fix(false, format!("`{function}` keeps one item"), doubt, edits))
                .flatten()
        }
    };
    let fix = fix.filter(|_| !cx.has_comment(expr.range()));
    cx.found(expr, format!("`{}` sorts a copy of everything for the sake of a few", cx.brief(expr)), fix);
}

/// Whether the statement of an expression calls what could take its place, as a test of it does.
fn is_compared<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> bool {
    cx.region_of(cx.statement(cx.id(expr))).ids().filter_map(|id| cx.expr(id)).any(|other| {
        let Expr::Call(call) = other else { return false };
        let name = match &*call.func {
            Expr::Name(it) => it.id.as_str(),
            Expr::Attribute(it) => it.attr.as_str(),
            _ => return false,
        };
        matches!(name, "min" | "max" | "nsmallest" | "nlargest")
    })
}

/// Whether a bound is a name that may stand for a whole length: `width = len(xs)` where none was asked for.
fn may_be_all<'a>(cx: &Context<'_, 'a>, bound: &'a Expr) -> bool {
    cx.symbol_of(bound).is_some_and(|symbol| {
        let length = |value: &'a Expr| matches!(cx.call_of_one(value), Some(("len", _)));
        cx.symbol(symbol).bindings.iter().any(|it| matches!(it.how, Bound::Assigned(value) if length(value)))
    })
}
