//! What loops do to a value from one round to the next: whether what grows at a place goes on growing,
//! and whether something is still going over what a statement changes.

use super::shape::Loop;
use super::{Ast, Bound, Model, NodeId, Region, SymbolId, Type, same_place};
use crate::syntax::{Expr, Stmt, any_over_expr};

impl<'a> Model<'a> {
    /// Whether a loop around a statement comes back to a place such as `self.text` or `texts[key]` again and
    /// again. `for i in range(n): xs[i] += t` and `for node in nodes: node.text += t` visit each place once.
    pub(crate) fn revisited(&self, place: &'a Expr, statement: NodeId) -> bool {
        let Some(root) = root_of(place) else { return false };
        let Some(symbol) = self.symbol_of(root) else { return false };
        let mut at = statement;
        while let Some(around) = self.loop_around(at) {
            let region = self.rounds_of(around);
            if self.is_the_newest(place, region) {
                return false;
            }
            let moved =
                !place.is_name_expr() && self.symbol(symbol).bindings.iter().any(|it| region.has(it.node));
            if moved || self.rebinds_part(place, region) {
                return false;
            }
            if !self.picks_another(place, around) {
                return true;
            }
            at = match around {
                Loop::For(it) => self.id(it),
                Loop::While(it) => self.id(it),
            };
        }
        false
    }

    /// Whether a place is the last of a list that a region adds to: `lines[-1] += t` and `lines.append(t)`.
    fn is_the_newest(&self, place: &'a Expr, region: Region) -> bool {
        let Expr::Subscript(subscript) = place else { return false };
        super::int(&subscript.slice) == Some(-1)
            && region.ids().any(|id| match self.expr(id) {
                Some(Expr::Attribute(method)) => {
                    method.attr.as_str() == "append" && same_place(&method.value, &subscript.value)
                }
                _ => false,
            })
    }

    /// What runs in every round of a loop.
    fn rounds_of(&self, around: Loop<'a>) -> Region {
        match around {
            Loop::For(it) => Region { from: self.id(&*it.target), to: self.region(&it.body).to },
            Loop::While(it) => Region { from: self.id(&*it.test), to: self.region(&it.body).to },
        }
    }

    /// Whether a region binds what a place is a part of: `self.node = …` for `self.node.text`.
    fn rebinds_part(&self, place: &'a Expr, region: Region) -> bool {
        let mut part = place;
        loop {
            part = match part {
                Expr::Attribute(it) => &it.value,
                Expr::Subscript(it) => &it.value,
                _ => return false,
            };
            if !part.is_name_expr() && self.assigns(part, region, |_| true) {
                return true;
            }
        }
    }

    /// Whether a region has an assignment to a place whose value passes a test.
    fn assigns(&self, place: &Expr, region: Region, test: impl Fn(&'a Expr) -> bool) -> bool {
        region.ids().any(|id| match self.stmt(id) {
            Some(Stmt::Assign(it)) => {
                it.targets.iter().any(|target| same_place(target, place)) && test(&it.value)
            }
            _ => false,
        })
    }

    /// Whether every round of a loop has a key of its own for a place.
    fn picks_another(&self, place: &'a Expr, around: Loop<'a>) -> bool {
        let Loop::For(it) = around else { return false };
        let subscript = match place {
            Expr::Subscript(subscript) => subscript,
            Expr::Attribute(attribute) => return self.picks_another(&attribute.value, around),
            _ => return false,
        };
        let bound =
            |name: &Expr| name.is_name_expr() && any_over_expr(&it.target, |inner| same_place(inner, name));
        any_over_expr(&subscript.slice, bound) && self.gives_each_once(&it.iter, &subscript.value)
            || self.picks_another(&subscript.value, around)
    }

    /// Whether an iterable gives no key of a container twice.
    fn gives_each_once(&self, iter: &'a Expr, container: &Expr) -> bool {
        if same_place(iter, container) {
            return true;
        }
        match iter {
            Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) | Expr::Dict(_) => true,
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) => {
                    matches!(method.attr.as_str(), "keys" | "items") && call.arguments.is_empty()
                }
                func => match self.builtin(func) {
                    Some("range" | "enumerate") => true,
                    Some("list" | "tuple" | "sorted" | "reversed") => call
                        .arguments
                        .args
                        .first()
                        .is_some_and(|first| self.gives_each_once(first, container)),
                    Some("set" | "frozenset") => true,
                    _ => false,
                },
            },
            _ => matches!(
                self.type_of(iter).map(|known| known.ty),
                Some(Type::Dict | Type::Set | Type::FrozenSet | Type::Range)
            ),
        }
    }

    /// Whether a place is given a new value in every round of the loop around a statement, so that what is
    /// there never grows for long.
    pub(crate) fn begun_within(&self, place: &'a Expr, statement: NodeId) -> bool {
        let Some(around) = self.loop_around(statement) else { return false };
        let body = self.rounds_of(around);
        let own = self.region_of(statement);
        let anew = |value: &Expr| !any_over_expr(value, |inner| same_place(inner, place));
        let Some(symbol) = self.symbol_of(place) else {
            return self.assigns(place, body, anew);
        };
        self.symbol(symbol).bindings.iter().any(|binding| {
            let begins = match binding.how {
                Bound::Assigned(value) | Bound::Annotated(_, Some(value)) => anew(value),
                Bound::Other | Bound::Element(_) | Bound::With(_) | Bound::Deleted => true,
                _ => false,
            };
            begins && body.has(binding.node) && !own.has(binding.node)
        })
    }

    /// Whether what a name refers to is kept by something else in the loop around a statement, so that each
    /// round needs a value of its own: `rows.append(xs)`, `yield xs`, `last = xs`.
    pub(crate) fn kept_in_loop(&self, id: SymbolId, statement: NodeId) -> bool {
        let Some(around) = self.loop_around(statement) else { return false };
        let rounds = self.rounds_of(around);
        let symbol = self.symbol(id);
        symbol.captured
            || symbol.uses.iter().filter(|name| rounds.has(**name)).any(|name| {
                match self.node(self.node(*name).parent).ast {
                    Ast::Stmt(Stmt::Assign(_) | Stmt::AnnAssign(_)) => true,
                    Ast::Stmt(_) | Ast::Module => false,
                    Ast::Expr(Expr::Call(call)) => {
                        let takes = call.func.as_attribute_expr().is_some_and(|method| {
                            let name = method.attr.as_str();
                            super::tables::mutates(name) && !matches!(name, "extend" | "update")
                                || matches!(name, "put" | "put_nowait" | "send")
                        });
                        takes && call.arguments.args.iter().any(|argument| self.id(argument) == *name)
                    }
                    // `{**d, key: value}` copies what is in it.
                    Ast::Expr(Expr::Dict(dict)) => {
                        dict.items.iter().any(|item| item.key.is_some() && self.id(&item.value) == *name)
                    }
                    Ast::Expr(parent) => matches!(
                        parent,
                        Expr::Yield(_) | Expr::Tuple(_) | Expr::List(_) | Expr::Set(_) | Expr::Named(_)
                    ),
                }
            })
    }

    /// Whether something may be going over the value of a name while a statement runs: a loop around it, or
    /// an iterator made before.
    pub(crate) fn lent(&self, id: SymbolId, statement: NodeId) -> bool {
        self.symbol(id).uses.iter().any(|name| self.lends(*name, statement))
    }

    fn lends(&self, name: NodeId, to: NodeId) -> bool {
        let mut at = name;
        let mut lazy = false;
        loop {
            let above = self.node(at).parent;
            match self.node(above).ast {
                Ast::Stmt(Stmt::For(it)) if self.id(&*it.iter) == at => return self.region(&it.body).has(to),
                Ast::Stmt(_) | Ast::Module => return lazy,
                Ast::Expr(Expr::Attribute(it)) => {
                    if !matches!(it.attr.as_str(), "keys" | "values" | "items") {
                        return lazy;
                    }
                    lazy = true;
                }
                Ast::Expr(Expr::Call(call)) => match self.builtin(&call.func) {
                    Some("iter" | "enumerate" | "zip" | "map" | "filter" | "reversed") => lazy = true,
                    Some(name) if super::tables::pure_builtin(name) || name == "next" => return false,
                    // The call of `xs.keys` itself.
                    _ if self.id(&*call.func) == at => {}
                    _ => return lazy,
                },
                Ast::Expr(Expr::Generator(_)) => lazy = true,
                Ast::Expr(Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Starred(_)) => {
                    return false;
                }
                Ast::Expr(_) => return lazy,
            }
            at = above;
        }
    }
}

/// The name at the beginning of a chain of attributes and subscripts.
fn root_of(place: &Expr) -> Option<&Expr> {
    match place {
        Expr::Name(_) => Some(place),
        Expr::Attribute(it) => root_of(&it.value),
        Expr::Subscript(it) => root_of(&it.value),
        _ => None,
    }
}
