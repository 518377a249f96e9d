//! MS601: `@functools.cache` on a function with parameters.

use super::cached::{Size, cache};
use super::kept::{given_constants, has_few_values};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::ScopeId;
use crate::syntax::{AnyParameterRef, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS601",
    name: "unbounded-cache",
    what: "A module's function whose results are all kept: `functools.cache`, or `lru_cache` with no `maxsize`.",
    why: "Every set of arguments ever passed stays in memory with its result until the program ends.",
    not_when: "Without parameters, where all parameters can have but a few values (bool, a class, an \
               enumeration, a `Literal`) or the file itself passes only constants, where it calls `cache_clear`, and for functions within \
               functions, whose caches go with them. A recursion may need all its results, and a function that gives nothing \
               is cached to run once.",
    fix: "A `maxsize`. Unsafe: a result that was dropped is computed again and is another object.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import functools\ndef row(n):\n    return [n] * 1_000\n",
        before: "row_of = functools.lru_cache(maxsize=None)(row)\nfor n in range(2_000):\n    row_of(n)\n",
        after: "row_of = functools.lru_cache(maxsize=128)(row)\nfor n in range(2_000):\n    row_of(n)\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::FunctionDef(function) = statement else { return };
    let id = cx.id(statement);
    let few = |parameter: AnyParameterRef<'_>| {
        has_few_values(cx, parameter) || given_constants(cx, function, parameter.name().as_str())
    };
    if cx.node(id).scope != ScopeId(0) || function.parameters.iter().all(few) {
        return;
    }
    let Some(cache) = cache(cx, function) else { return };
    let Size::All(written) = cache.size else { return };
    let name = function.name.as_str();
    let region = cx.region_of(id);
    let recursive = cx
        .lookup(name, ScopeId(0))
        .is_some_and(|symbol| cx.symbol(symbol).uses.iter().any(|at| region.has(*at)));
    // What gives nothing is cached to run once for each set of arguments.
    let gives = region.ids().any(|at| matches!(cx.stmt(at), Some(Stmt::Return(it)) if it.value.is_some()));
    if recursive || !gives {
        return;
    }
    let edits = match written {
        Some(none) => Some(vec![replace(none.range(), "128")]),
        None => cx.reach("functools.lru_cache", cache.decorator).map(|(path, mut edits)| {
            edits.push(replace(cache.decorator.range(), format!("{path}(maxsize=128)")));
            edits
        }),
    };
    let doubt = "a dropped result is computed again and is another object";
    let fix = edits.and_then(|edits| fix(false, "keep the results used last", doubt, edits));
    let message =
        format!("the cache of `{name}` keeps the result of every set of arguments it was ever called with");
    cx.found_with_costs(cache.decorator, message, fix, vec![function.range()]);
}
