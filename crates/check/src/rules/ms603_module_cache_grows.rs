//! MS603: `if key not in CACHE: CACHE[key] = make(key)`, and nothing ever leaves `CACHE`.

use super::kept::{
    Container, Does, called_only_at_top, container_of, does, exported, given_constants, has_few_values,
    may_shrink, may_stop, statements, uses_of,
};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Bound, Model, ScopeId, ScopeKind, SymbolId};
use crate::syntax::{Expr, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS603",
    name: "module-cache-grows",
    what: "A module's dict that functions use as a cache, and from which nothing in the file takes anything out.",
    why: "Every key ever asked for stays in memory with its value until the program ends.",
    not_when: "Where the file removes from the dict, empties it, looks at its length, stores only below a bound or hands it to other code, \
               where only the file itself fills it while it is imported, and where the keys are few: constants, classes. A registry that refuses a key it has is no cache.",
    fix: "`functools.lru_cache(maxsize=…)` on the function, a `weakref.WeakValueDictionary`, or a bound: drop \
          the oldest entry when there are too many. There is no automatic fix, since the bound is yours to choose.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import functools\n",
        before: "ROWS = {}\ndef row(n):\n    if n not in ROWS:\n        ROWS[n] = [n] * 1_000\n    return ROWS[n]\n\
                 for n in range(2_000):\n    row(n)\n",
        after: "@functools.lru_cache(maxsize=128)\ndef row(n):\n    return [n] * 1_000\n\
                for n in range(2_000):\n    row(n)\n",
        needs: &[],
    },
    on: &[On::File(check)],
};

fn check(cx: &mut Context<'_, '_>) {
    for id in cx.symbols() {
        let symbol = cx.symbol(id);
        let name = symbol.name;
        if symbol.scope != ScopeId(0) || container_of(cx, id) != Some(Container::Dict) || exported(cx, name) {
            continue;
        }
        let uses = uses_of(cx, id);
        if may_shrink(cx, &uses) {
            continue;
        }
        let stores: Vec<&Expr> = uses.iter().copied().filter(|place| caches(cx, place, &uses)).collect();
        let Some(first) = stores.first() else { continue };
        let key = match does(cx, first) {
            Does::Adds(Some(key)) => cx.brief(key),
            _ => continue,
        };
        let Some(at) = cx.symbol(id).bindings.first().and_then(|binding| cx.stmt(cx.statement(binding.node)))
        else {
            continue;
        };
        let message = format!(
            "`{name}` keeps an entry for every `{key}` ever asked for: nothing in this file takes one out"
        );
        cx.found_with_costs(at, message, None, statements(cx, stores));
    }
}

/// Whether a use stores a value in a function that also looks it up by the same key.
fn caches<'a>(cx: &Model<'a>, place: &'a Expr, uses: &[&'a Expr]) -> bool {
    let Does::Adds(Some(key)) = does(cx, place) else { return false };
    let Some(function) = cx.function(cx.id(place)) else { return false };
    // A count is what the file wants to know; `setdefault` makes groups more often than caches.
    let value = match cx.stmt_of(place) {
        Some(Stmt::Assign(assign)) => &*assign.value,
        Some(Stmt::AnnAssign(assign)) => match assign.value.as_deref() {
            Some(value) => value,
            None => return false,
        },
        _ => return false,
    };
    // What begins anew from nothing is a state and no result.
    let nothing = value.is_literal_expr() && !value.is_string_literal_expr() || is_empty(value);
    if nothing || may_stop(cx, place) {
        return false;
    }
    let looked_up = |other: &&Expr| {
        let Some(parent) = cx.parent_expr(other) else { return false };
        let by = match parent {
            Expr::Subscript(item) if item.ctx.is_load() => &*item.slice,
            Expr::Attribute(method) if method.attr.as_str() == "get" => {
                match cx
                    .parent_expr(parent)
                    .and_then(Expr::as_call_expr)
                    .and_then(|call| call.arguments.args.first())
                {
                    Some(by) => by,
                    None => return false,
                }
            }
            _ => return false,
        };
        cx.text(by) == cx.text(key) && !refused(cx, other)
    };
    let own = cx.region_of(cx.id(function));
    let in_value = cx.region_of(cx.id(value));
    let here: Vec<&Expr> = uses.iter().copied().filter(|it| own.has(cx.id(*it)) && looked_up(it)).collect();
    !here.is_empty()
        && !here.iter().any(|it| in_value.has(cx.id(*it)))
        && has_many_values(cx, key)
        && !called_only_at_top(cx, function)
}

fn is_empty(value: &Expr) -> bool {
    match value {
        Expr::List(list) => list.elts.is_empty(),
        Expr::Dict(dict) => dict.items.is_empty(),
        _ => false,
    }
}

/// Whether a key that is there already is an error, as it is in a registry.
fn refused<'a>(cx: &Model<'a>, place: &'a Expr) -> bool {
    let test = cx.ancestors(cx.id(place)).find(|above| matches!(cx.stmt(*above), Some(Stmt::If(_))));
    test.is_some_and(|test| {
        cx.frame(test) == cx.frame(cx.id(place))
            && cx.region_of(test).ids().any(|id| matches!(cx.stmt(id), Some(Stmt::Raise(_))))
    })
}

/// Whether a key can have many values: it is made of what its function was given, classes left out.
fn has_many_values<'a>(cx: &Model<'a>, key: &'a Expr) -> bool {
    if names_a_class(cx, key) {
        return false;
    }
    cx.region_of(cx.id(key)).ids().filter_map(|id| cx.expr(id)).any(|name| {
        cx.symbol_of(name).is_some_and(|id| {
            let symbol = cx.symbol(id);
            cx.scope(symbol.scope).kind == ScopeKind::Function && varies(cx, id)
        })
    })
}

fn varies<'a>(cx: &Model<'a>, id: SymbolId) -> bool {
    let symbol = cx.symbol(id);
    symbol.bindings.iter().any(|binding| match binding.how {
        Bound::Parameter(..) => match cx.stmt(binding.node) {
            Some(Stmt::FunctionDef(function)) => {
                let own = function.parameters.iter().find(|it| it.name().as_str() == symbol.name);
                own.is_some_and(|it| !has_few_values(cx, it)) && !given_constants(cx, function, symbol.name)
            }
            _ => false,
        },
        Bound::Assigned(Expr::StringLiteral(_) | Expr::NumberLiteral(_)) => false,
        Bound::Assigned(value) => !names_a_class(cx, value),
        Bound::Element(_) | Bound::With(_) | Bound::Other => true,
        _ => false,
    })
}

/// Whether an expression is a class for all one can see: `type(x)`, `x.__class__`.
fn names_a_class<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Attribute(it) => it.attr.as_str() == "__class__",
        Expr::Tuple(it) => it.elts.iter().all(|item| names_a_class(cx, item)),
        _ => matches!(cx.call_of_one(expr), Some(("type", _))),
    }
}
