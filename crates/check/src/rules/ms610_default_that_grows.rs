//! MS610: `def add(item, items=[]): items.append(item)`.

use super::kept::{Container, Does, class_of, does, may_stop, tail, uses_of};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::finding::Fix;
use crate::model::{Model, NodeId, ScopeId, SymbolId};
use crate::syntax::{AnyParameterRef, Expr, Ranged, Stmt, StmtFunctionDef};

pub(super) const RULE: Rule = Rule {
    code: "MS610",
    name: "default-that-grows",
    what: "A list, dict or set as a parameter's default, to which the function adds.",
    why: "A default is made once, as the function is defined: every call without that argument adds to the same \
          object, which lives as long as the function.",
    not_when: "Where the function gives the name another value, removes from it, looks at its length or truth, or hands it \
               to other code, where all keys are constants, where a dict is only stored into, and where every call in the file passes the argument.",
    fix: "`None` as the default, and a new object in the function. Unsafe: calls no longer share it, which may \
          have been the purpose. None is proposed for a dict that is looked up, a cache: give it a bound.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "def add(n, rows=[]):\n    rows.append([n] * 1_000)\n    return len(rows)\nfor n in range(1_000):\n    add(n)\n",
        after: "def add(n, rows=None):\n    if rows is None:\n        rows = []\n    rows.append([n] * 1_000)\n    return len(rows)\n\
                for n in range(1_000):\n    add(n)\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::FunctionDef(function) = statement else { return };
    // A function within a function is defined anew, with its defaults.
    if cx.frame(cx.id(statement)) != ScopeId(0) && cx.function(cx.id(statement)).is_some() {
        return;
    }
    let Some(first) = function.body.first() else { return };
    for parameter in &*function.parameters {
        let Some(default) = parameter.default() else { continue };
        let Some(container) = empty(cx, default) else { continue };
        let Some(symbol) = cx.lookup(parameter.name().as_str(), cx.frame(cx.id(first))) else { continue };
        if cx.symbol(symbol).bindings.len() != 1 || cx.scope(cx.symbol(symbol).scope).by_string {
            continue;
        }
        let grown = grows(cx, symbol, function);
        let Some(&at) = grown.first() else { continue };
        if always_passed(cx, statement, function, parameter) {
            continue;
        }
        let name = parameter.name().as_str();
        let message = format!(
            "the default of `{name}` is one {} for all calls: what `{}` adds stays in it for ever",
            container.name(),
            cx.stmt_of(at).map_or_else(String::new, |statement| cx.brief(statement))
        );
        let fix = new_each_time(cx, symbol, function, default, name);
        let costs = grown.iter().filter_map(|at| cx.stmt_of(at)).map(Ranged::range).collect();
        cx.found_with_costs(&parameter, message, fix, costs);
    }
}

/// The container that an expression makes empty.
fn empty<'a>(cx: &Model<'a>, value: &'a Expr) -> Option<Container> {
    match value {
        Expr::List(list) if list.elts.is_empty() => Some(Container::List),
        Expr::Dict(dict) if dict.items.is_empty() => Some(Container::Dict),
        Expr::Call(call) if call.arguments.is_empty() => match cx.builtin(&call.func)? {
            "list" => Some(Container::List),
            "dict" => Some(Container::Dict),
            "set" => Some(Container::Set),
            _ => None,
        },
        _ => None,
    }
}

/// The uses of a parameter that make it grow, if no other makes it smaller or may.
fn grows<'a>(cx: &Model<'a>, symbol: SymbolId, function: &StmtFunctionDef) -> Vec<&'a Expr> {
    let mut grown = Vec::new();
    let uses = uses_of(cx, symbol);
    // What is only stored under keys, and never looked at, is meant to be kept alive.
    if uses.iter().all(|place| matches!(does(cx, place), Does::Adds(Some(_)))) {
        return grown;
    }
    for place in uses {
        // Filled once, where it is asked whether it is empty.
        if cx.is_test(place) {
            return Vec::new();
        }
        match does(cx, place) {
            Does::Adds(Some(key)) if key.is_literal_expr() => {}
            Does::Adds(_) if may_stop(cx, place) => {}
            Does::Adds(_) => grown.push(place),
            Does::Reads => {}
            Does::Escapes if cx.parent_stmt(place).is_some_and(Stmt::is_return_stmt) => {}
            Does::Escapes if passed_to(cx, place, function) => {}
            Does::Bounds | Does::Escapes => return Vec::new(),
        }
    }
    grown
}

/// Whether a function passes its parameter to itself.
fn passed_to(cx: &Model<'_>, place: &Expr, function: &StmtFunctionDef) -> bool {
    let call = cx.parent_expr(place).and_then(Expr::as_call_expr);
    call.is_some_and(|call| tail(&call.func) == Some(function.name.as_str()))
}

/// Whether the file calls the function from elsewhere, and every such call may pass the argument.
fn always_passed(
    cx: &Model<'_>,
    statement: &Stmt,
    function: &StmtFunctionDef,
    parameter: AnyParameterRef<'_>,
) -> bool {
    let own = cx.region_of(cx.id(statement));
    let name = parameter.name().as_str();
    let position = function.parameters.iter_non_variadic_params().position(|it| it.name().as_str() == name);
    let in_class = class_of(cx, function).is_some();
    let called = |id: NodeId| {
        let call = cx.expr(id)?.as_call_expr()?;
        let alike =
            call.func.is_attribute_expr() == in_class && tail(&call.func) == Some(function.name.as_str());
        alike.then_some(call)
    };
    let mut calls = cx.ids().filter(|id| !own.has(*id)).filter_map(called).peekable();
    calls.peek().is_some()
        && calls.all(|call| {
            let spread = call.arguments.args.iter().any(Expr::is_starred_expr)
                || call.arguments.keywords.iter().any(|word| word.arg.is_none());
            // A method's `self` is passed by the call.
            let bound = usize::from(call.func.is_attribute_expr());
            spread
                || call.arguments.find_keyword(name).is_some()
                || position.is_some_and(|at| call.arguments.args.len() + bound > at)
        })
}

/// The fix that makes the container in each call.
fn new_each_time<'a>(
    cx: &Context<'_, 'a>,
    symbol: SymbolId,
    function: &'a StmtFunctionDef,
    default: &'a Expr,
    name: &str,
) -> Option<Fix> {
    let looked_up = uses_of(cx, symbol).iter().any(|place| match cx.parent_expr(place) {
        Some(Expr::Subscript(item)) => item.ctx.is_load(),
        Some(Expr::Attribute(method)) => method.attr.as_str() == "get",
        Some(Expr::Compare(_)) => true,
        _ => false,
    });
    let is_docstring = |it: &&Stmt| it.as_expr_stmt().is_some_and(|it| it.value.is_string_literal_expr());
    let first = function.body.iter().find(|it| !is_docstring(it)).filter(|_| !looked_up)?;
    // A decorator or a comment would come between.
    let plain = !matches!(first, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
    let indent = plain.then(|| cx.indent(first))??;
    let newline = if cx.source.contains("\r\n") { "\r\n" } else { "\n" };
    let made =
        format!("if {name} is None:{newline}{indent}    {name} = {}{newline}{indent}", cx.text(default));
    let start = first.start().to_usize();
    let edits =
        vec![replace(default.range(), "None"), crate::finding::Edit { start, end: start, text: made }];
    fix(false, "make a new one in each call", "calls no longer share what they add", edits)
}
