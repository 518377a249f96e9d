//! MS112: `text[at:].startswith(prefix)`.

use super::patterns::slice;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, ExprCall, Ranged, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS112",
    name: "method-of-slice",
    what: "`startswith`, `count`, `find` or `index` of a slice to the end of a text.",
    why: "The slice copies the rest of the text; these methods take the bounds as arguments.",
    not_when: "Where the receiver is not known to be a str or bytes.",
    fix: "`text.startswith(prefix, at)`. Safe for `startswith` and `count` if the receiver is proven to be a \
          str or bytes and the argument is a text that is not empty. `find` and `index` count from another place, so they \
          have no fix.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "text = 'ab' * 500_000\n",
        before: "found = text[2:].startswith('ab')\n",
        after: "found = text.startswith('ab', 2)\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let Expr::Attribute(method) = &*call.func else { return };
    let name = method.attr.as_str();
    if !matches!(name, "startswith" | "count" | "find" | "index") || !call.arguments.keywords.is_empty() {
        return;
    }
    let [argument] = &*call.arguments.args else { return };
    if argument.is_starred_expr() || argument.is_generator_expr() {
        return;
    }
    let Some(slice) = slice(cx, &method.value) else { return };
    let Some(lower) = slice.bounds.lower.as_deref() else { return };
    let text = matches!(slice.ty(), Some(Type::Str | Type::Bytes));
    if !text || slice.bounds.upper.is_some() || slice.step() != Some(1) || slice.is_small(cx) {
        return;
    }
    let not_empty = match argument {
        Expr::StringLiteral(text) => !text.value.is_empty(),
        Expr::BytesLiteral(bytes) => bytes.value.iter().any(|part| !part.as_slice().is_empty()),
        _ => false,
    };
    // The bound is then evaluated after the argument.
    let in_order = cx.independent(lower, cx.region_of(cx.id(argument)));
    let fix = (matches!(name, "startswith" | "count") && cx.pure(lower) && !cx.has_comment(expr.range()))
        .then(|| {
            let bounds = TextRange::new(cx.outer_range(slice.of).end(), method.value.end());
            let edits = vec![
                replace(bounds, ""),
                replace(TextRange::empty(cx.outer_range(argument).end()), format!(", {}", cx.text(lower))),
            ];
            let doubt = match (slice.proven(), not_empty) {
                (false, _) => "it may be neither str nor bytes",
                (_, false) => "an empty argument is not found beyond the end",
                _ => "the bound is evaluated after the argument",
            };
            fix(slice.proven() && not_empty && in_order, "give the bound as an argument", doubt, edits)
        })
        .flatten();
    cx.found(expr, format!("`{}` copies the rest of the text for `{name}`", cx.brief(&*method.value)), fix);
}
