//! MS111: `struct.unpack_from(layout, data[at:])`.

use super::patterns::{natural, slice};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Bound;
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS111",
    name: "unpack-of-slice",
    what: "`struct.unpack_from` of a slice to the end of a buffer.",
    why: "The slice copies the rest of the buffer to read a few bytes of it; `unpack_from` takes an offset.",
    not_when: "Of a memoryview, whose slices copy nothing.",
    fix: "`struct.unpack_from(layout, data, at)`. Safe if the buffer is proven to be bytes, the offset not to \
          be negative, and the layout not to be empty. A buffer that is too short is the same error, with \
          another text.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import struct\ndata = bytes(1_000_000)\n",
        before: "number = struct.unpack_from('<I', data[8:])\n",
        after: "number = struct.unpack_from('<I', data, 8)\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, _: &'a Expr, call: &'a ExprCall) {
    // Both `struct.unpack_from(layout, …)` and `Struct(layout).unpack_from(…)`.
    let (layout, buffer) = match &*call.func {
        func if cx.is(func, "struct.unpack_from") => {
            (call.arguments.args.first(), call.arguments.args.get(1))
        }
        Expr::Attribute(method) if method.attr.as_str() == "unpack_from" => {
            (layout_of(cx, &method.value), call.arguments.args.first())
        }
        _ => return,
    };
    let Some(expr) = buffer else { return };
    let last = call.arguments.args.last().is_some_and(|last| last.range() == expr.range());
    let Some(slice) = slice(cx, expr) else { return };
    let Some(lower) = slice.bounds.lower.as_deref() else { return };
    if slice.bounds.upper.is_some() || slice.step() != Some(1) || slice.is_small(cx) {
        return;
    }
    if !last || !call.arguments.keywords.is_empty() || cx.suspends(lower) {
        return;
    }
    // In parentheses of its own it would be a tuple.
    let whole = cx.outer_range(expr);
    let edits = vec![replace(whole, format!("{}, {}", cx.argument_text(slice.of), cx.text(lower)))];
    // A layout of no bytes fits even behind the end of a slice, but at no offset there.
    let some_bytes = layout.is_some_and(|layout| match layout {
        Expr::StringLiteral(text) => {
            text.value.chars().any(|c| c.is_ascii_alphabetic()) && !text.value.to_str().contains('0')
        }
        _ => false,
    });
    let proven = slice.proven() && natural(cx, lower) && some_bytes;
    let doubt = "a negative offset beyond the start fails, and so does an empty layout beyond the end";
    let fix =
        (!cx.has_comment(whole)).then(|| fix(proven, "give the offset instead", doubt, edits)).flatten();
    cx.found(expr, format!("`{}` copies the rest of the buffer to read a few bytes", cx.brief(expr)), fix);
}

/// The layout of a `struct.Struct`, if it is at hand.
fn layout_of<'a>(cx: &Context<'_, 'a>, of: &'a Expr) -> Option<&'a Expr> {
    let made = match of {
        Expr::Name(_) => match cx.reaching(of)?.how {
            Bound::Assigned(value) => value,
            _ => return None,
        },
        made => made,
    };
    cx.calls(made, "struct.Struct")?.arguments.args.first()
}
