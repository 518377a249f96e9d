//! MS611: `_log.append(line)`, and nothing reads `_log`.

use super::kept::{Does, container_of, does, exported, uses_of};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Model, ScopeId};
use crate::syntax::{Expr, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS611",
    name: "list-never-read",
    what: "A private list, set or dict of a module to which functions add, and which nothing in the file reads.",
    why: "It grows with every call, for nobody.",
    not_when: "For public names, which other files may read, and where the name says that objects are to be kept alive, and for functions and classes that are registered.",
    fix: "Remove it, or use a `collections.deque` with a `maxlen` where the last items are of use in a debugger. \
          There is no automatic fix.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import collections\n",
        before: "_log = []\ndef note(n):\n    _log.append([n] * 1_000)\nfor n in range(1_000):\n    note(n)\n",
        after: "_log = collections.deque(maxlen=100)\ndef note(n):\n    _log.append([n] * 1_000)\nfor n in range(1_000):\n    note(n)\n",
        needs: &[],
    },
    on: &[On::File(check)],
};

/// Parts of names of containers that are there to keep what is in them, or for other files to use.
const KEEPING: &[&str] = &["keep", "alive", "ref", "hold", "pin", "cache", "leak", "clean", "regist", "hook"];

/// Names of functions and classes, of which a program has so many as are written out.
const CODE: &[&str] =
    &["cls", "klass", "type_", "func", "fn", "f", "function", "callback", "cb", "method", "module"];

fn check(cx: &mut Context<'_, '_>) {
    for id in cx.symbols() {
        let symbol = cx.symbol(id);
        let name = symbol.name;
        let private = name.starts_with('_') && !name.starts_with("__");
        let lower = name.to_lowercase();
        if symbol.scope != ScopeId(0) || !private || KEEPING.iter().any(|part| lower.contains(part)) {
            continue;
        }
        let Some(container) = container_of(cx, id) else { continue };
        let uses = uses_of(cx, id);
        let adds = |place: &&Expr| {
            let Some(parent) = cx.parent_expr(place) else { return false };
            // `CACHE.setdefault(key, value)` may be asked for its value.
            let unused = match cx.parent_stmt(parent) {
                Some(statement) => statement.is_assign_stmt(),
                None => cx
                    .parent_expr(parent)
                    .is_some_and(|call| cx.parent_stmt(call).is_some_and(Stmt::is_expr_stmt)),
            };
            let constant = matches!(does(cx, place), Does::Adds(Some(key)) if key.is_literal_expr());
            matches!(does(cx, place), Does::Adds(_)) && unused && !constant && !adds_code(cx, place)
        };
        let in_function = uses.iter().copied().find(|place| cx.function(cx.id(*place)).is_some());
        let Some(at) = in_function else { continue };
        let Some(statement) = cx.stmt_of(at) else { continue };
        if exported(cx, name) || !uses.iter().all(adds) {
            continue;
        }
        let message = format!(
            "the {} `{name}` grows with every call, and nothing in this file reads it",
            container.name()
        );
        cx.found(statement, message, None);
    }
}

/// Whether what a statement adds is a function or class, by its name.
fn adds_code<'a>(cx: &Model<'a>, place: &'a Expr) -> bool {
    let Some(statement) = cx.stmt_of(place) else { return false };
    cx.region_of(cx.id(statement)).ids().any(|id| match cx.expr(id) {
        Some(Expr::Name(name)) => CODE.contains(&name.id.as_str()),
        _ => false,
    })
}
