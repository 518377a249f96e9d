//! MS602: `@lru_cache` on a method.

use super::cached::{Size, cache};
use super::kept::{class_of, made_at, made_only_at_top, method, statements, tail};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Bound, Model, ScopeId, ScopeKind};
use crate::syntax::{Stmt, StmtClassDef};

pub(super) const RULE: Rule = Rule {
    code: "MS602",
    name: "cache-on-method",
    what: "A method under `functools.lru_cache` or `functools.cache`.",
    why: "There is one cache for all instances, and `self` is part of its keys: the cache keeps alive every \
          instance whose method was called, with all that it refers to, until its entry is pushed out.",
    not_when: "On static and class methods, on enumerations and metaclasses, with a `maxsize` of a few, where \
               the file calls `cache_clear`, for classes whose instances are equal by value, and for a class of which the file makes all instances itself.",
    fix: "`functools.cached_property` for a method without arguments; otherwise a dict in the instance, or a \
          cached function of what the method needs of `self`. There is no automatic fix, since callers change.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import functools\n",
        before: "class Page:\n    def __init__(self):\n        self.text = bytearray(10_000)\n\
                 \x20   @functools.lru_cache(maxsize=None)\n    def size(self):\n        return len(self.text)\n\
                 for i in range(500):\n    Page().size()\n",
        after: "class Page:\n    def __init__(self):\n        self.text = bytearray(10_000)\n\
                \x20   @functools.cached_property\n    def size(self):\n        return len(self.text)\n\
                for i in range(500):\n    Page().size\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

/// So many instances kept are not worth a word.
const FEW: i64 = 16;

/// How many classes are followed to their bases.
const DEPTH: u32 = 4;

/// Whether instances of a class are equal by what they hold: the cache finds one's result for another, which
/// no instance could keep for itself.
fn is_value<'a>(cx: &Model<'a>, class: &'a StmtClassDef, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let compares = |it: &Stmt| it.as_function_def_stmt().is_some_and(|it| it.name.as_str() == "__eq__");
    class.body.iter().any(compares)
        || class.decorator_list.iter().any(|it| {
            let path = it.expression.as_call_expr().map_or(&it.expression, |call| &call.func);
            tail(path) == Some("dataclass")
        })
        || class.bases().iter().any(|base| {
            let own = cx.symbol_of(base).map(|id| &cx.symbol(id).bindings[..]);
            tail(base) == Some("NamedTuple")
                || base.as_call_expr().is_some_and(|call| tail(&call.func) == Some("namedtuple"))
                || own.is_some_and(|all| {
                    all.iter().any(|it| matches!(it.how, Bound::Class(base) if is_value(cx, base, depth)))
                })
        })
}

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::FunctionDef(function) = statement else { return };
    let Some(class) = class_of(cx, function) else { return };
    let Some(first) = function.body.first() else { return };
    let Some(cache) = cache(cx, function) else { return };
    let method = method(cx, cx.id(first));
    // A class made within a function goes with its caches.
    let within = cx.scope(cx.node(cx.id(class)).scope).kind == ScopeKind::Function;
    if method.is_none()
        || is_value(cx, class, DEPTH)
        || within
        || cx.frame(cx.id(class)) != ScopeId(0)
        || made_only_at_top(cx, class)
    {
        return;
    }
    let kept = match cache.size {
        Size::All(_) => "every instance that it was ever called on alive".to_owned(),
        Size::Some(Some(n)) if n < FEW => return,
        Size::Some(Some(n)) => format!("up to {n} instances alive"),
        Size::Some(None) => "the instances that it was called on last alive".to_owned(),
    };
    let name = function.name.as_str();
    let costs = statements(cx, made_at(cx, class));
    cx.found_with_costs(
        cache.decorator,
        format!("the cache of the method `{name}` keeps {kept}"),
        None,
        costs,
    );
}
