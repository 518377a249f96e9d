//! MS113: `text.split(",")[0]`.

use super::patterns::int;
use super::short::is_named_short;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Bound, Known, Type};
use crate::syntax::{Expr, ExprContext, ExprSubscript, Ranged, TextRange, TextSize};

pub(super) const RULE: Rule = Rule {
    code: "MS113",
    name: "split-for-one-part",
    what: "A text split into all its parts, of which one is used.",
    why: "`text.split(',')[0]` makes a str for every part and a list of them, to keep the first.",
    not_when: "Where `maxsplit` is given, or the receiver is a module such as `re`. Of what is short by its nature: a \
               line, a path, a name, what `str` or `repr` makes of an object.",
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
    if is_short(cx, &method.value) || subscript.ctx != ExprContext::Load {
        return;
    }
    let separator = match &*call.arguments.args {
        [] => None,
        [separator] if separator.is_starred_expr() => return,
        [separator] => Some(separator),
        _ => return,
    };
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

/// Whether a text is short by its nature: written out, a line, a path, a name, what `str` makes of an object.
fn is_short<'a>(cx: &Context<'_, 'a>, text: &'a Expr) -> bool {
    short_within(cx, text, 4)
}

/// The same by way of at most so many names.
fn short_within<'a>(cx: &Context<'_, 'a>, text: &'a Expr, names: u32) -> bool {
    if is_named_short(text) {
        return true;
    }
    match text {
        Expr::StringLiteral(_) => true,
        Expr::Name(_) => match cx.reaching(text).map(|binding| binding.how) {
            Some(Bound::Element(of)) => is_lines(cx, of),
            Some(Bound::Assigned(value)) => {
                names > 0 && value.is_call_expr() && short_within(cx, value, names - 1)
            }
            _ => false,
        },
        Expr::Call(call) => {
            let path = cx.path(&call.func);
            if path.is_some_and(|path| path.starts_with("os.path.") || path.starts_with("platform.")) {
                return true;
            }
            match &*call.func {
                // `line.strip()`
                Expr::Attribute(method) => {
                    matches!(&*method.attr, "lower" | "lstrip" | "readline" | "rstrip" | "strip" | "upper")
                        && (method.attr.as_str() == "readline" || short_within(cx, &method.value, names))
                }
                _ => matches!(cx.call_of_one(text), Some(("str" | "repr", _))),
            }
        }
        _ => false,
    }
}

/// Whether the items of something are lines, or names of files.
fn is_lines<'a>(cx: &Context<'_, 'a>, of: &'a Expr) -> bool {
    if cx.type_of(of).is_some_and(|known| matches!(known.ty, Type::TextFile | Type::BinaryFile))
        || cx.calls(of, "os.listdir").is_some()
    {
        return true;
    }
    let Expr::Call(call) = of else { return false };
    call.func.as_attribute_expr().is_some_and(|method| match method.attr.as_str() {
        "splitlines" | "readlines" => true,
        "split" => matches!(call.arguments.args.first(), Some(Expr::StringLiteral(text)) if text.value.to_str() == "\n"),
        _ => false,
    })
}
