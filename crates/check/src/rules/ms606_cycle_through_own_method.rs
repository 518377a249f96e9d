//! MS606: `self.handler = self.on_event`.

use super::kept::{Method, attributes, holds, in_test, made_at, made_only_at_top, method, statements};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Ast, Model};
use crate::syntax::{Expr, ExprContext, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS606",
    name: "cycle-through-own-method",
    what: "An object that keeps one of its own methods, a function that names `self`, or itself in an attribute: \
           alone, or in a list, tuple or dict.",
    why: "The object refers to the bound method, and the method to the object. Such a cycle is not freed when \
          the last outer reference goes, but by the cycle collector, which waits until many new objects have been made.",
    not_when: "Where the file deletes the attribute or sets it to `None`, and for a class of which the file \
               makes all instances itself. In tests, and where the attribute is called a cycle: \
               it is made on purpose.",
    fix: "Call the method by its name, give it the second name in the class body (`handler = on_event`), keep the \
          method's name and use `getattr`, or keep a `weakref.WeakMethod`. There is no automatic fix.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "class Page:\n    def __init__(self):\n        self.text = bytearray(100_000)\n        self.show = self.show_plain\n\
                 \x20   def show_plain(self):\n        return len(self.text)\n\
                 for i in range(500):\n    Page().show()\n",
        after: "class Page:\n    def __init__(self):\n        self.text = bytearray(100_000)\n\
                \x20   def show_plain(self):\n        return len(self.text)\n    show = show_plain\n\
                for i in range(500):\n    Page().show()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some((name, me)) = cycle(cx, statement) else { return };
    // One finding speaks for the whole class.
    let class = cx.region_of(cx.id(me.class));
    let mut names: Vec<&str> = Vec::new();
    for (at, (other, _)) in class.ids().filter_map(|at| Some((at, cycle(cx, cx.stmt(at)?)?))) {
        if is_broken(cx, other) {
            continue;
        }
        if names.is_empty() && at != cx.id(statement) {
            return;
        }
        if !names.contains(&other) {
            names.push(other);
        }
    }
    if names.is_empty() || is_meant(&names) || made_only_at_top(cx, me.class) || in_test(cx, cx.id(statement))
    {
        return;
    }
    let receiver = cx.symbol(me.receiver).name;
    let refers = match names.len() {
        1 => format!("`{receiver}.{name}` refers"),
        2 => format!("`{receiver}.{name}` and one other attribute refer"),
        n => format!("`{receiver}.{name}` and {} other attributes refer", n - 1),
    };
    let finalized = |it: &Stmt| it.as_function_def_stmt().is_some_and(|it| it.name.as_str() == "__del__");
    let late = if me.class.body.iter().any(finalized) { ", and its `__del__` runs only then" } else { "" };
    let message = format!("{refers} back to `{receiver}`: a cycle that only the cycle collector frees{late}");
    cx.found_with_costs(statement, message, None, statements(cx, made_at(cx, me.class)));
}

/// The attribute of its own object to which a statement of a method assigns what refers to the object.
fn cycle<'a>(cx: &Model<'a>, statement: &'a Stmt) -> Option<(&'a str, Method<'a>)> {
    let assign = statement.as_assign_stmt()?;
    let me = method(cx, cx.id(statement))?;
    let name = assign.targets.iter().filter_map(Expr::as_attribute_expr).find_map(|target| {
        (cx.symbol_of(&target.value) == Some(me.receiver)).then_some(target.attr.as_str())
    })?;
    holds(cx, &assign.value, me.receiver, Some(me.class)).then_some((name, me))
}

/// Whether something is called a cycle: it is made on purpose.
fn is_meant(names: &[&str]) -> bool {
    names.iter().any(|name| name.to_ascii_lowercase().contains("cycle"))
}

/// Whether the file takes an attribute's value away again.
fn is_broken<'a>(cx: &Model<'a>, name: &str) -> bool {
    let cleared = |expr: &&'a Expr| {
        let ctx = expr.as_attribute_expr().map(|it| it.ctx);
        match (ctx, cx.node(cx.node(cx.id(*expr)).parent).ast) {
            (Some(ExprContext::Del), _) => true,
            (Some(ExprContext::Store), Ast::Stmt(Stmt::Assign(assign))) => match &*assign.value {
                Expr::NoneLiteral(_) => true,
                Expr::List(list) => list.elts.is_empty(),
                Expr::Dict(dict) => dict.items.is_empty(),
                _ => false,
            },
            // `self.handler, self.other = None, None`
            (Some(ExprContext::Store), Ast::Expr(_)) => true,
            (_, Ast::Expr(Expr::Attribute(method))) => method.attr.as_str() == "clear",
            _ => false,
        }
    };
    let all = attributes(cx, "__dict__");
    attributes(cx, name).iter().any(cleared) || all.iter().any(cleared)
}
