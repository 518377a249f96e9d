//! The caches of `functools` that stand above functions.

use super::kept::{attributes, tail};
use super::patterns::int;
use crate::model::Model;
use crate::syntax::{Expr, Stmt, StmtFunctionDef};

/// How many results a cache keeps.
#[derive(Clone, Copy)]
pub(super) enum Size<'a> {
    /// All; by this `None`, if it is written.
    All(Option<&'a Expr>),
    /// As many, if it is a number.
    Some(Option<i64>),
}

/// A cache that stands above a function.
#[derive(Clone, Copy)]
pub(super) struct Cache<'a> {
    /// The decorator.
    pub(super) decorator: &'a Expr,
    /// How many results it keeps.
    pub(super) size: Size<'a>,
}

/// What `lru_cache` keeps if it is not told.
const DEFAULT: i64 = 128;

/// The cache above a function, if the file never empties it.
pub(super) fn cache<'a>(cx: &Model<'a>, function: &'a StmtFunctionDef) -> Option<Cache<'a>> {
    let found = function.decorator_list.iter().find_map(|decorator| {
        let decorator = &decorator.expression;
        let size = match decorator {
            Expr::Call(call) if cx.is(&call.func, "functools.lru_cache") => {
                match call.arguments.find_argument_value("maxsize", 0) {
                    None => Size::Some(Some(DEFAULT)),
                    Some(none @ Expr::NoneLiteral(_)) => Size::All(Some(none)),
                    Some(other) => Size::Some(int(other)),
                }
            }
            _ if cx.is(decorator, "functools.cache") => Size::All(None),
            _ if cx.is(decorator, "functools.lru_cache") => Size::Some(Some(DEFAULT)),
            _ => return None,
        };
        Some(Cache { decorator, size })
    })?;
    (!is_emptied(cx, function)).then_some(found)
}

/// Whether `cache_clear` is asked of this function, or of something that may be it.
fn is_emptied(cx: &Model<'_>, function: &StmtFunctionDef) -> bool {
    let defined = |name: &str| {
        cx.ids()
            .any(|id| matches!(cx.stmt(id), Some(Stmt::FunctionDef(other)) if other.name.as_str() == name))
    };
    attributes(cx, "cache_clear")
        .iter()
        .filter_map(|expr| expr.as_attribute_expr())
        .any(|clear| tail(&clear.value).is_none_or(|name| name == function.name.as_str() || !defined(name)))
}
