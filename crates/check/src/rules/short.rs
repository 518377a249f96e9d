//! What is short by its nature: what is written out, the arguments of a program or a call, the fields of a
//! line. A copy of that is not worth a word.

use crate::model::{Bound, Model, Use, int};
use crate::syntax::{Expr, ExprCall, Operator};

/// Up to so many items a copy is not worth a word.
pub(super) const FEW: i64 = 64;

/// Whether these are all the items of a display, and few.
pub(super) fn is_short(items: &[Expr]) -> bool {
    items.len() as i64 <= FEW && !items.iter().any(Expr::is_starred_expr)
}

/// Whether a comprehension goes over something written out with a few items: nothing is saved there.
pub(super) fn few_items<'a>(cx: &Model<'a>, comp: &'a Expr) -> bool {
    crate::model::comprehension(comp)
        .is_some_and(|generators| generators.iter().all(|generator| few(cx, &generator.iter)))
}

/// Whether an expression is written out with a few items, or what the program was called with.
pub(super) fn few<'a>(cx: &Model<'a>, iter: &'a Expr) -> bool {
    match iter {
        Expr::List(list) => list.elts.len() as i64 <= FEW,
        Expr::Tuple(tuple) => tuple.elts.len() as i64 <= FEW,
        Expr::Set(set) => set.elts.len() as i64 <= FEW,
        Expr::Dict(dict) => dict.items.len() as i64 <= FEW,
        Expr::StringLiteral(text) => text.value.len() as i64 <= FEW,
        // `string.ascii_letters + string.digits`
        Expr::BinOp(it) => it.op == Operator::Add && few(cx, &it.left) && few(cx, &it.right),
        Expr::Attribute(_) if cx.path(iter).is_some_and(|path| path.starts_with("string.")) => true,
        Expr::Name(_) => match cx.reaching(iter).map(|binding| binding.how) {
            Some(Bound::Assigned(value @ (Expr::Tuple(_) | Expr::StringLiteral(_)))) => few(cx, value),
            // A list may have grown since.
            Some(Bound::Assigned(value @ (Expr::List(_) | Expr::Set(_) | Expr::Dict(_)))) => {
                few(cx, value) && private_or_constant(cx, iter)
            }
            None => on_every_way(cx, iter) || of_arguments(cx, iter),
            _ => of_arguments(cx, iter),
        },
        Expr::Call(call) => match cx.builtin(&call.func) {
            Some("range") => numbers(call).is_some_and(|n| n <= FEW as u64),
            Some("enumerate" | "zip" | "reversed" | "sorted") => {
                call.arguments.args.first().is_some_and(|of| few(cx, of))
            }
            _ => of_arguments(cx, iter),
        },
        _ => of_arguments(cx, iter),
    }
}

/// How many numbers a `range` at most has, if its bounds are written out.
pub(super) fn numbers(range: &ExprCall) -> Option<u64> {
    let bounds: Option<Vec<i64>> = range.arguments.args.iter().map(int).collect();
    match bounds?[..] {
        [to] => Some(to.unsigned_abs()),
        [from, to, ..] => Some(to.saturating_sub(from).unsigned_abs()),
        [] => None,
    }
}

/// Whether each binding of a name is a tuple or text written out with a few items.
fn on_every_way<'a>(cx: &Model<'a>, name: &'a Expr) -> bool {
    let Some(symbol) = cx.symbol_of(name).map(|id| cx.symbol(id)) else { return false };
    let written =
        |value: &'a Expr| matches!(value, Expr::Tuple(_) | Expr::StringLiteral(_)) && few(cx, value);
    !symbol.bound_elsewhere
        && !symbol.bindings.is_empty()
        && symbol.bindings.iter().all(|it| matches!(it.how, Bound::Assigned(value) if written(value)))
}

/// Whether nothing changes what a name refers to.
fn private_or_constant<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    cx.symbol_of(of)
        .is_none_or(|symbol| !cx.symbol(symbol).uses.iter().any(|name| cx.use_of(*name) == Use::Changes))
}

/// Names of what has few parts.
const SHORT: &[&str] = &[
    "arg",
    "bases",
    "bounds",
    "dim",
    "dims",
    "fields",
    "format",
    "indents",
    "key",
    "keys",
    "labels",
    "levels",
    "name",
    "options",
    "opts",
    "parameters",
    "params",
    "parts",
    "path",
    "prefix",
    "shape",
    "suffix",
    "url",
    "word",
    "words",
];

/// Whether an expression is what the program or a call was given: `sys.argv`, `*args`.
pub(super) fn of_arguments<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    let named = |name: &str| matches!(name, "argv" | "args" | "arguments");
    match expr {
        Expr::Name(name) => {
            named(name.id.as_str())
                || cx.symbol_of(expr).is_some_and(|symbol| {
                    let all = &cx.symbol(symbol).bindings;
                    all.iter().any(|binding| matches!(binding.how, Bound::Parameter(_, true)))
                })
        }
        // `__mro__`, `__args__` and their like are short as well.
        Expr::Attribute(attribute) => named(&attribute.attr) || attribute.attr.starts_with("__"),
        Expr::Call(call) => {
            call.arguments.is_empty()
                && call.func.as_attribute_expr().is_some_and(|it| it.attr.as_str() == "mro")
        }
        _ => false,
    }
}

/// Whether a name says that what it refers to has few items.
pub(super) fn is_named_short(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => short_name(name.id.as_str()),
        Expr::Attribute(attribute) => short_name(attribute.attr.as_str()),
        _ => false,
    }
}

/// Whether something of this name has few items.
pub(super) fn short_name(name: &str) -> bool {
    name.ends_with("args")
        || name.ends_with("line")
        || name.starts_with("arg_")
        || SHORT
            .iter()
            .any(|short| name.strip_suffix(short).is_some_and(|head| head.is_empty() || head.ends_with('_')))
}

/// Whether an expression is written out in the file.
pub(super) fn is_written_out<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    match value_of(cx, expr) {
        Some(Expr::List(list)) => is_short(&list.elts) && private_or_constant(cx, expr),
        Some(Expr::Tuple(tuple)) => is_short(&tuple.elts),
        Some(Expr::StringLiteral(text)) => text.value.len() as i64 <= FEW,
        Some(Expr::Call(call)) => split(call).is_some_and(|(text, _)| {
            let text = match text {
                Expr::Call(trimmed) => match &*trimmed.func {
                    Expr::Attribute(it) if matches!(it.attr.as_str(), "strip" | "lstrip" | "rstrip") => {
                        &it.value
                    }
                    _ => text,
                },
                _ => text,
            };
            match value_of(cx, text) {
                Some(Expr::StringLiteral(text)) => text.value.to_str().matches('\n').count() as i64 <= FEW,
                Some(text @ Expr::FString(_)) => {
                    cx.text(text).matches('\n').count() as i64 <= FEW && names_little(cx, text)
                }
                _ => false,
            }
        }),
        _ => false,
    }
}

/// Whether an f-string puts in nothing but names such as `__name__`: those have no lines.
fn names_little<'a>(cx: &Model<'a>, text: &'a Expr) -> bool {
    cx.region_of(cx.id(text)).ids().filter_map(|id| cx.expr(id)).all(|part| match part {
        Expr::Name(name) => name.id.starts_with("__"),
        other => other.is_f_string_expr() || other.is_string_literal_expr(),
    })
}

/// Whether an expression is the fields of one line, the words of a sentence or the parts of a dotted name:
/// `line.split(',')`. The lines of a text are not, nor are the words of a whole file.
pub(super) fn is_fields<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    let Some(Expr::Call(call)) = value_of(cx, expr) else { return false };
    if !private_or_constant(cx, expr) {
        return false;
    }
    if let Some(path) = cx.path(&call.func) {
        return matches!(path.as_str(), "re.split" | "shlex.split");
    }
    let Some((text, by_line)) = split(call) else { return false };
    let read = |call: &ExprCall| {
        call.func.as_attribute_expr().is_some_and(|it| matches!(it.attr.as_str(), "read" | "read_text"))
    };
    !by_line && !matches!(value_of(cx, text), Some(Expr::Call(call)) if read(call))
}

/// The text that a call splits, and whether it does so by line.
fn split(call: &ExprCall) -> Option<(&Expr, bool)> {
    let method = call.func.as_attribute_expr()?;
    let by_line = match (method.attr.as_str(), call.arguments.args.first()) {
        ("splitlines", _) => true,
        ("split" | "rsplit", Some(Expr::StringLiteral(text))) => text.value.to_str().contains('\n'),
        ("split" | "rsplit", Some(Expr::BytesLiteral(text))) => text.value.bytes().any(|byte| byte == b'\n'),
        ("split" | "rsplit", _) => false,
        _ => return None,
    };
    Some((&method.value, by_line))
}

/// The value of an expression, by way of the one binding of a name.
fn value_of<'a>(cx: &Model<'a>, expr: &'a Expr) -> Option<&'a Expr> {
    match expr {
        Expr::Name(_) => match cx.reaching(expr).map(|binding| binding.how) {
            Some(Bound::Assigned(value)) => Some(value),
            _ => None,
        },
        other => Some(other),
    }
}
