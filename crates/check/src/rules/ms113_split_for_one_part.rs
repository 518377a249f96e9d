//! MS113: `text.split(",")[0]`.

use super::patterns::int;
use super::short::is_named_short;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Bound, Known, Type};
use crate::syntax::{Expr, ExprContext, ExprSubscript, Operator, Ranged, TextRange, TextSize};

pub(super) const RULE: Rule = Rule {
    code: "MS113",
    name: "split-for-one-part",
    what: "A text split into all its parts, of which one is used.",
    why: "`text.split(',')[0]` makes a str for every part and a list of them, to keep the first.",
    not_when: "Where `maxsplit` is given, or the receiver is a module such as `re`. Of what is most likely short, such as \
               a name, a path or a line: what is split must be read from somewhere, joined or repeated, or be \
               split into its lines.",
    fix: "`text.split(',', 1)[0]`, and `text.rsplit(',', 1)[-1]` for the last. Safe if the receiver is proven \
          to be a str or bytes; for the last part also if the separator is one character.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "text = 'word,' * 100_000\n",
        before: "first = text.split(',')[0]\n",
        after: "first = text.split(',', 1)[0]\n",
        needs: &[],
    },
    on: &[On::Subscript(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, subscript: &'a ExprSubscript) {
    let Some(index) = int(&subscript.slice) else { return };
    let Expr::Call(call) = &*subscript.value else { return };
    let Expr::Attribute(method) = &*call.func else { return };
    let known = cx.type_of(&method.value);
    let text = known.is_some_and(|known| matches!(known.ty, Type::Str | Type::Bytes));
    if method.attr.as_str() != "split"
        || !text
        || !call.arguments.keywords.is_empty()
        || !(-1..=3).contains(&index)
    {
        return;
    }
    if subscript.ctx != ExprContext::Load {
        return;
    }
    let separator = match &*call.arguments.args {
        [] => None,
        [separator] if separator.is_starred_expr() => return,
        [separator] => Some(separator),
        _ => return,
    };
    if !may_be_long(cx, &method.value, separator) {
        return;
    }
    let one_character = separator.is_none_or(|separator| match separator {
        Expr::StringLiteral(text) => text.value.chars().count() == 1,
        Expr::BytesLiteral(bytes) => bytes.value.bytes().count() == 1,
        Expr::NoneLiteral(_) => true,
        _ => false,
    });
    let count = if index < 0 { 1 } else { index + 1 };
    let mut edits = vec![match separator {
        Some(separator) => replace(TextRange::empty(cx.outer_range(separator).end()), format!(", {count}")),
        None => {
            let close = call.arguments.end() - TextSize::from(1);
            replace(
                TextRange::new(call.arguments.start() + TextSize::from(1), close),
                format!("None, {count}"),
            )
        }
    }];
    if index < 0 {
        edits.insert(0, replace(method.attr.range(), "rsplit"));
    }
    let proven = known.is_some_and(|known| known.proven) && (index >= 0 || one_character);
    let fix = (!cx.has_comment(call.arguments.range()))
        .then(|| {
            let doubt = match known {
                Some(Known { proven: true, .. }) => {
                    "separators that overlap are found in another way from the end"
                }
                _ => "it may be neither str nor bytes",
            };
            fix(proven, "split no further than needed", doubt, edits)
        })
        .flatten();
    cx.found(expr, format!("`{}` makes every part of the text to use one", cx.brief(expr)), fix);
}

/// Whether a text may well be long: it is read from somewhere, joined or repeated, or has lines.
fn may_be_long<'a>(cx: &Context<'_, 'a>, text: &'a Expr, separator: Option<&Expr>) -> bool {
    let by_line = match separator {
        Some(Expr::StringLiteral(text)) => text.value.to_str().contains('\n'),
        Some(Expr::BytesLiteral(bytes)) => bytes.value.bytes().any(|byte| byte == b'\n'),
        _ => false,
    };
    (by_line && !text.is_string_literal_expr()) || is_made_long(cx, text, 4)
}

/// The same of its making, by way of at most so many names and methods.
fn is_made_long<'a>(cx: &Context<'_, 'a>, text: &'a Expr, steps: u32) -> bool {
    if steps == 0 {
        return false;
    }
    match text {
        Expr::Name(_) => match cx.reaching(text).map(|binding| binding.how) {
            Some(Bound::Assigned(value)) => !is_named_short(text) && is_made_long(cx, value, steps - 1),
            _ => false,
        },
        Expr::BinOp(op) => op.op == Operator::Mult,
        Expr::Call(call) => call.func.as_attribute_expr().is_some_and(|method| match method.attr.as_str() {
            "check_output" | "getvalue" | "join" | "read" | "read_bytes" | "read_text" => {
                // `os.path.join` makes a path.
                cx.path(&call.func).is_none_or(|path| !path.starts_with("os."))
            }
            "decode" | "lower" | "lstrip" | "replace" | "rstrip" | "strip" | "upper" => {
                is_made_long(cx, &method.value, steps - 1)
            }
            _ => false,
        }),
        _ => false,
    }
}
