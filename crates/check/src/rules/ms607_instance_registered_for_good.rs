//! MS607: `INSTANCES.append(self)` in `__init__`.

use super::kept::{
    Container, attributes, container_of, exported, instances_are_few, made_at, made_only_at_top, may_shrink,
    method, statements, uses_of,
};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Model, Named, NodeId, ScopeId, ScopeKind, SymbolId};
use crate::syntax::{Expr, ExprContext, Stmt, StmtClassDef};

pub(super) const RULE: Rule = Rule {
    code: "MS607",
    name: "instance-registered-for-good",
    what: "An instance that puts itself into a list, set or dict of the module or the class as it is made, and \
           nothing in the file ever takes it out.",
    why: "The container keeps every instance ever made alive until the program ends, with all that it refers to.",
    not_when: "Where the file removes from the container or hands it to other code, for a class of which the \
               file makes all instances itself, for metaclasses, whose instances are classes, and where it finds \
               an instance in the container by its key.",
    fix: "`weakref.WeakSet()`, or a `weakref.WeakValueDictionary()` by key: an instance leaves it when it is \
          freed. There is no automatic fix, since the instances may be meant to live on.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import weakref\n",
        before: "PAGES = []\nclass Page:\n    def __init__(self):\n        self.text = bytearray(100_000)\n        PAGES.append(self)\n\
                 for i in range(100):\n    Page()\n",
        after: "PAGES = weakref.WeakSet()\nclass Page:\n    def __init__(self):\n        self.text = bytearray(100_000)\n        PAGES.add(self)\n\
                for i in range(100):\n    Page()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let id = cx.id(statement);
    let Some(me) = method(cx, id) else { return };
    if !matches!(me.function.name.as_str(), "__init__" | "__post_init__" | "__attrs_post_init__") {
        return;
    }
    let myself = |value: &Expr| cx.symbol_of(value) == Some(me.receiver);
    let place = match statement {
        Stmt::Expr(it) => {
            let Some(call) = it.value.as_call_expr() else { return };
            let Expr::Attribute(add) = &*call.func else { return };
            let adds = matches!(add.attr.as_str(), "append" | "appendleft" | "add" | "insert");
            if !adds || !call.arguments.args.last().is_some_and(myself) {
                return;
            }
            &*add.value
        }
        Stmt::Assign(it) if myself(&it.value) => {
            let [Expr::Subscript(item)] = &it.targets[..] else { return };
            // Under a constant there is one.
            if item.slice.is_literal_expr() {
                return;
            }
            &*item.value
        }
        _ => return,
    };
    let Some((name, container, uses)) = registry(cx, place, me.class, me.receiver, id) else { return };
    if exported(cx, name)
        || may_shrink(cx, &uses)
        || instances_are_few(cx, me.class)
        || made_only_at_top(cx, me.class)
        || is_looked_up(cx, &uses)
    {
        return;
    }
    let class = me.class.name.as_str();
    let message = format!(
        "the {} `{name}` keeps every instance of `{class}` alive: nothing in this file takes one out",
        container.name()
    );
    cx.found_with_costs(statement, message, None, statements(cx, made_at(cx, me.class)));
}

/// Whether the file finds an instance in the container by its key: there it may be the only one that holds it.
fn is_looked_up<'a>(cx: &Model<'a>, uses: &[&'a Expr]) -> bool {
    uses.iter().any(|place| match cx.parent_expr(place) {
        Some(Expr::Subscript(it)) => it.ctx.is_load(),
        Some(Expr::Attribute(method)) => method.attr.as_str() == "get",
        _ => false,
    })
}

/// The container of the module or of the class that a place is, and all its uses.
fn registry<'a>(
    cx: &Model<'a>,
    place: &'a Expr,
    class: &'a StmtClassDef,
    receiver: SymbolId,
    at: NodeId,
) -> Option<(&'a str, Container, Vec<&'a Expr>)> {
    match place {
        Expr::Name(name) => {
            let id = cx.symbol_of(place)?;
            let module = cx.symbol(id).scope == ScopeId(0);
            module.then(|| Some((name.id.as_str(), container_of(cx, id)?, uses_of(cx, id))))?
        }
        Expr::Attribute(attribute) => {
            let of_class = match &*attribute.value {
                Expr::Attribute(it) => {
                    it.attr.as_str() == "__class__" && cx.symbol_of(&it.value) == Some(receiver)
                }
                holder @ Expr::Call(_) => {
                    matches!(cx.call_of_one(holder), Some(("type", of)) if cx.symbol_of(of) == Some(receiver))
                }
                holder @ Expr::Name(name) => {
                    cx.symbol_of(holder) == Some(receiver)
                        || name.id == class.name.as_str()
                            && cx.symbol_of(holder) == cx.lookup(class.name.as_str(), cx.node(at).scope)
                }
                _ => false,
            };
            let name = attribute.attr.as_str();
            let id = of_class.then(|| class_name(cx, class, name))??;
            let mut uses = attributes(cx, name);
            // An attribute of this name that is assigned to may be the instance's own.
            let assigned =
                |expr: &&Expr| expr.as_attribute_expr().is_some_and(|it| it.ctx != ExprContext::Load);
            if uses.iter().any(assigned) {
                return None;
            }
            uses.extend(uses_of(cx, id));
            Some((name, container_of(cx, id)?, uses))
        }
        _ => None,
    }
}

/// The symbol of a name bound in a class body.
fn class_name(cx: &Model<'_>, class: &StmtClassDef, name: &str) -> Option<SymbolId> {
    let scope = cx.node(cx.id(class.body.first()?)).scope;
    let scope = cx.scope(scope);
    match (scope.kind, scope.names.get(name)) {
        (ScopeKind::Class, Some(Named::Own(id))) => Some(*id),
        _ => None,
    }
}
