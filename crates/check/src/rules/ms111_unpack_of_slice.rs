//! MS111: `struct.unpack_from(layout, data[at:])`.

use super::patterns::{natural, slice};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS111",
    name: "unpack-of-slice",
    what: "`struct.unpack_from` of a slice to the end of a buffer.",
    why: "The slice copies the rest of the buffer to read a few bytes of it; `unpack_from` takes an offset.",
    not_when: "Of a memoryview, whose slices copy nothing.",
    fix: "`struct.unpack_from(layout, data, at)`. Safe if the buffer is proven to be bytes and the offset not \
          to be negative.",
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
    let buffer = match &*call.func {
        func if cx.is(func, "struct.unpack_from") => call.arguments.args.get(1),
        Expr::Attribute(method) if method.attr.as_str() == "unpack_from" => call.arguments.args.first(),
        _ => return,
    };
    let Some(expr) = buffer else { return };
    let last = call.arguments.args.last().is_some_and(|last| last.range() == expr.range());
    let Some(slice) = slice(cx, expr) else { return };
    let Some(lower) = slice.bounds.lower.as_deref() else { return };
    if slice.bounds.upper.is_some() || slice.step() != Some(1) || !last || !call.arguments.keywords.is_empty() {
        return;
    }
    let edits = vec![replace(expr.range(), format!("{}, {}", cx.text(slice.of), cx.text(lower)))];
    let proven = slice.proven() && natural(cx, lower);
    let fix = (!cx.has_comment(expr.range()))
        .then(|| fix(proven, "give the offset instead", "an offset beyond the end fails otherwise", edits))
        .flatten();
    cx.found(expr, format!("`{}` copies the rest of the buffer to read a few bytes", cx.brief(expr)), fix);
}
