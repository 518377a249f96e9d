//! MS603: `if key not in CACHE: CACHE[key] = make(key)`, and nothing ever leaves `CACHE`.

use super::kept::{
    Container, Does, called_only_at_top, container_of, does, exported, given_constants, given_only,
    has_few_values, may_shrink, may_stop, statements, uses_of,
};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Ast, Binding, Bound, Model, NodeId, Region, ScopeId, ScopeKind, SymbolId, int};
use crate::syntax::{Expr, ExprCall, Operator, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS603",
    name: "module-cache-grows",
    what: "A module's dict that functions use as a cache, and from which nothing in the file takes anything out.",
    why: "Every key ever asked for stays in memory with its value until the program ends.",
    not_when: "Where the file removes from the dict, empties it, looks at its length, stores only below a bound or hands it to other code, \
               where only the file itself fills it while it is imported, and where the keys are few: constants, classes, what a shift or a remainder leaves, keys of another table. \
               A registry that refuses a key it has is no cache, nor is a setting, or a state that is stored \
               though the key was found.",
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
    let here: Vec<&Expr> = uses.iter().copied().filter(|it| own.has(cx.id(*it))).collect();
    let found: Vec<&Expr> = here.iter().copied().filter(looked_up).collect();
    !found.is_empty()
        && !found.iter().any(|it| in_value.has(cx.id(*it)))
        && !is_given(cx, value, key)
        && is_for_a_miss(cx, place, &here, &found, own)
        && !has_table(cx, own, key, &here)
        && has_many_values(cx, key)
        && !called_only_at_top(cx, function)
}

/// Whether a value is what the caller passed for this key, as it is or made over: a setting, which cannot be
/// made again. What need not be passed is made here where it is not.
fn is_given(cx: &Model<'_>, value: &Expr, key: &Expr) -> bool {
    let Some(symbol) = cx.symbol_of(value).map(|id| cx.symbol(id)) else { return false };
    let passed = |binding: &Binding<'_>| matches!(binding.how, Bound::Parameter(..));
    let must = |binding: &Binding<'_>| match cx.stmt(binding.node) {
        Some(Stmt::FunctionDef(function)) if passed(binding) => {
            let own = function.parameters.iter().find(|it| it.name().as_str() == symbol.name);
            own.is_some_and(|it| it.default().is_none())
        }
        _ => false,
    };
    cx.text(value) != cx.text(key) && (symbol.bindings.iter().all(passed) || symbol.bindings.iter().any(must))
}

/// Whether a value is stored where its key was not found. What is stored at other times too is a state.
fn is_for_a_miss<'a>(
    cx: &Model<'a>,
    place: &'a Expr,
    uses: &[&'a Expr],
    found: &[&'a Expr],
    own: Region,
) -> bool {
    let at = cx.id(place);
    let names: Vec<SymbolId> = found
        .iter()
        .filter_map(|it| cx.stmt_of(it)?.as_assign_stmt())
        .flat_map(|assign| assign.targets.iter().filter_map(|target| cx.symbol_of(target)))
        .collect();
    let asks = |test: &Expr| {
        let region = cx.region_of(cx.id(test));
        uses.iter().any(|it| region.has(cx.id(*it)))
            || region.ids().filter_map(|id| cx.symbol_of(cx.expr(id)?)).any(|id| names.contains(&id))
    };
    let leaves = |body: &[Stmt]| {
        matches!(body.last(), Some(Stmt::Return(_) | Stmt::Continue(_) | Stmt::Break(_) | Stmt::Raise(_)))
    };
    let given_back = |it: &&Expr| cx.id(*it) < at && cx.stmt_of(it).is_some_and(Stmt::is_return_stmt);
    found.iter().any(given_back)
        || own.ids().any(|id| match (cx.stmt(id), cx.expr(id)) {
            (Some(Stmt::If(it)), _) => {
                let tests = it.elif_else_clauses.iter().filter_map(|clause| clause.test.as_ref());
                (cx.region_of(id).has(at) || leaves(&it.body)) && tests.chain([&*it.test]).any(asks)
            }
            (Some(Stmt::Try(it)), _) => found.iter().any(|place| cx.region(&it.body).has(cx.id(*place))),
            (_, Some(Expr::If(it))) => asks(&it.test),
            _ => false,
        })
}

/// Whether a function finds the key in a table of the module or in somebody's attribute as well: there are no
/// more entries than keys of that one.
fn has_table<'a>(cx: &Model<'a>, own: Region, key: &Expr, uses: &[&'a Expr]) -> bool {
    let here = |table: &'a Expr, by: &Expr| {
        (table.is_attribute_expr() || is_of_module(cx, table))
            && cx.text(by) == cx.text(key)
            && !uses.iter().any(|place| cx.id(*place) == cx.id(table))
    };
    own.ids().filter_map(|id| cx.expr(id)).any(|expr| match expr {
        Expr::Subscript(item) => item.ctx.is_load() && here(&item.value, &item.slice),
        Expr::Call(call) => gets(call).is_some_and(|(table, by)| is_of_module(cx, table) && here(table, by)),
        _ => false,
    })
}

/// What a call of `get` asks, and for which key.
fn gets(call: &ExprCall) -> Option<(&Expr, &Expr)> {
    let method = call.func.as_attribute_expr().filter(|it| it.attr.as_str() == "get")?;
    Some((&method.value, call.arguments.args.first()?))
}

fn is_of_module(cx: &Model<'_>, name: &Expr) -> bool {
    cx.symbol_of(name).is_some_and(|id| cx.symbol(id).scope == ScopeId(0))
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
                own.is_some_and(|it| !has_few_values(cx, it))
                    && !given_constants(cx, function, symbol.name)
                    && !given_only(cx, function, symbol.name, |value| is_coarse(cx, value, DEPTH))
            }
            _ => false,
        },
        Bound::Assigned(Expr::StringLiteral(_) | Expr::NumberLiteral(_)) => false,
        Bound::Assigned(value) => !names_a_class(cx, value) && !is_coarse(cx, value, DEPTH),
        Bound::Element(_) | Bound::Other => !is_of_a_table(cx, binding.node),
        Bound::With(_) => true,
        _ => false,
    })
}

/// How many names are followed to where their values come from.
const DEPTH: u32 = 4;

/// Whether an expression is made to have few values: by a shift or a remainder, out of a table of the module, as
/// an attribute of one that is imported, or by all the calls of its function.
fn is_coarse<'a>(cx: &Model<'a>, value: &'a Expr, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        Expr::BinOp(it) => match it.op {
            Operator::RShift => true,
            // A power of two for what a call such as `n.bit_length()` gives.
            Operator::LShift => int(&it.left).is_some() && it.right.is_call_expr(),
            Operator::Mod | Operator::BitAnd => int(&it.right).is_some() && !it.left.is_literal_expr(),
            Operator::Add | Operator::Sub => int(&it.right).is_some() && is_coarse(cx, &it.left, depth),
            _ => false,
        },
        Expr::Call(call) => match cx.call_of_one(value) {
            Some(("int", of)) => is_coarse(cx, of, depth),
            _ => gets(call).is_some_and(|(table, _)| is_of_module(cx, table)),
        },
        Expr::Subscript(item) => is_of_module(cx, &item.value),
        Expr::Attribute(_) => cx.path(value).is_some(),
        Expr::Name(_) => cx.symbol_of(value).is_some_and(|id| {
            let symbol = cx.symbol(id);
            !symbol.bindings.is_empty()
                && symbol.bindings.iter().all(|binding| match (binding.how, cx.stmt(binding.node)) {
                    (Bound::Assigned(value), _) => is_coarse(cx, value, depth),
                    (Bound::Parameter(..), Some(Stmt::FunctionDef(function))) => {
                        given_constants(cx, function, symbol.name)
                    }
                    _ => false,
                })
        }),
        _ => false,
    }
}

/// Whether a name is bound to the items of a table of the module or of an imported one:
/// `for name, module in sys.modules.items()`.
fn is_of_a_table(cx: &Model<'_>, target: NodeId) -> bool {
    let Some(Stmt::For(it)) = cx.stmt(cx.statement(target)) else { return false };
    let mut of = &*it.iter;
    let mut viewed = false;
    while let Expr::Call(call) = of {
        let Expr::Attribute(method) = &*call.func else { break };
        if !call.arguments.is_empty() || !matches!(method.attr.as_str(), "items" | "keys" | "values" | "copy")
        {
            break;
        }
        (of, viewed) = (&method.value, true);
    }
    viewed && (cx.path(of).is_some() || is_of_module(cx, of))
}

/// Whether an expression is a class for all one can see: `type(x)`, `x.__class__`, or what a class derives from;
/// or a function that is being decorated: there are as many as are written out.
fn names_a_class<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Attribute(it) => it.attr.as_str() == "__class__",
        Expr::Tuple(it) => it.elts.iter().all(|item| names_a_class(cx, item)),
        Expr::Name(_) => cx.symbol_of(expr).is_some_and(|id| {
            cx.symbol(id).uses.iter().any(|name| match cx.node(cx.node(*name).parent).ast {
                Ast::Stmt(Stmt::ClassDef(class)) => class.bases().iter().any(|base| cx.id(base) == *name),
                Ast::Expr(Expr::Call(call)) => cx.is(&call.func, "functools.wraps"),
                _ => false,
            })
        }),
        _ => matches!(cx.call_of_one(expr), Some(("type", _))),
    }
}
