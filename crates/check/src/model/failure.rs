//! What can fail half-way, and whether anybody would see how far it came.
//!
//! A list is made before anything is done with its first item; a generator makes
//! the fifth when four have been dealt with. If the fifth fails, or is never asked
//! for, the two differ, unless one of the questions here is answered with yes.
//! As in `effects`, comparing, `str()` and truth are taken to work for any class.

use super::{Bound, Model, NodeId, Region, ScopeKind, Type, tables};
use crate::syntax::{CmpOp, Comprehension, Expr, ExprCall, ExprContext, Number, Operator, Stmt, UnaryOp};

/// Types whose items can be gone over again and again, without fail.
fn is_container(ty: Type) -> bool {
    use Type::*;
    matches!(ty, List | Tuple | Str | Bytes | ByteArray | Range | Dict | Set | FrozenSet)
}

fn is_number(ty: Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Bool)
}

fn is_whole(ty: Type) -> bool {
    matches!(ty, Type::Int | Type::Bool)
}

impl<'a> Model<'a> {
    /// Whether going over an iterable cannot fail and uses nothing up that others may go over too.
    pub(crate) fn endures(&self, iterable: &'a Expr) -> bool {
        match iterable {
            Expr::Generator(comp) => self.items_endure(&comp.generators, &[&*comp.elt]),
            Expr::Call(call) => {
                let arguments = &*call.arguments.args;
                let plain =
                    call.arguments.keywords.is_empty() && !arguments.iter().any(Expr::is_starred_expr);
                match self.builtin(&call.func) {
                    Some("range") => true,
                    Some("enumerate") => arguments.first().is_some_and(|of| self.endures(of)),
                    Some("zip") => plain && arguments.iter().all(|of| self.endures(of)),
                    Some("reversed") => arguments.first().is_some_and(|of| {
                        matches!(
                            self.proven(of),
                            Some(Type::List | Type::Tuple | Type::Str | Type::Bytes | Type::Range)
                        )
                    }),
                    Some("map") => match arguments {
                        [maker, of] => {
                            matches!(self.builtin(maker), Some("str" | "repr" | "type" | "id"))
                                && self.endures(of)
                        }
                        _ => false,
                    },
                    Some("filter") => match arguments {
                        [test, of] => test.is_none_literal_expr() && self.endures(of),
                        _ => false,
                    },
                    _ => self.is_view(call) || self.proven(iterable).is_some_and(is_container),
                }
            }
            _ => self.proven(iterable).is_some_and(is_container),
        }
    }

    /// Whether a call is `d.keys()`, `d.values()` or `d.items()` of a dict.
    fn is_view(&self, call: &'a ExprCall) -> bool {
        call.func.as_attribute_expr().is_some_and(|method| {
            matches!(method.attr.as_str(), "keys" | "values" | "items")
                && call.arguments.is_empty()
                && self.proven(&method.value) == Some(Type::Dict)
        })
    }

    /// Whether none of the items of a comprehension can fail, nor what they come from, the evaluation of
    /// its first iterable left out: a list and a generator both begin with that.
    pub(crate) fn all_items_endure(&self, comp: &'a Expr) -> bool {
        match comp {
            Expr::ListComp(it) => self.items_endure(&it.generators, &[&*it.elt]),
            Expr::Generator(it) => self.items_endure(&it.generators, &[&*it.elt]),
            other => self.endures(other),
        }
    }

    fn items_endure(&self, generators: &'a [Comprehension], results: &[&'a Expr]) -> bool {
        generators.iter().enumerate().all(|(index, generator)| {
            !generator.is_async
                && self.endures(&generator.iter)
                && (index == 0 || self.endures_evaluation(&generator.iter))
                && self.fits(&generator.target, &generator.iter)
                && generator.ifs.iter().all(|test| self.cannot_fail(test))
        }) && results.iter().all(|result| self.cannot_fail(result))
    }

    fn endures_evaluation(&self, iterable: &'a Expr) -> bool {
        match iterable {
            Expr::Call(call) => match self.builtin(&call.func) {
                Some("range") => {
                    let whole = |of: &'a Expr| self.cannot_fail(of) && self.proven(of).is_some_and(is_whole);
                    call.arguments.args.len() < 3 && call.arguments.args.iter().all(whole)
                }
                Some("enumerate" | "zip" | "reversed" | "map" | "filter") => {
                    call.arguments.args.iter().all(|of| self.cannot_fail(of))
                }
                _ => self.is_view(call) || self.cannot_fail(iterable),
            },
            _ => self.cannot_fail(iterable),
        }
    }

    /// Whether what a comprehension goes over is, at each level, something that stays as it is.
    pub(crate) fn sources_endure(&self, comp: &'a Expr) -> bool {
        match super::comprehension(comp) {
            Some(generators) => generators.iter().all(|generator| self.endures(&generator.iter)),
            None => match comp.as_call_expr() {
                Some(call) if matches!(self.builtin(&call.func), Some("map" | "filter")) => {
                    call.arguments.args.iter().skip(1).all(|of| self.endures(of))
                }
                _ => self.endures(comp),
            },
        }
    }

    /// Whether a target takes apart exactly what an iterable gives.
    fn fits(&self, target: &Expr, iterable: &'a Expr) -> bool {
        let Expr::Tuple(names) = target else { return target.is_name_expr() };
        let Expr::Call(call) = iterable else { return false };
        let given = match self.builtin(&call.func) {
            Some("enumerate") => 2,
            Some("zip") => call.arguments.args.len(),
            _ if self.is_view(call) && self.text(&*call.func).ends_with("items") => 2,
            _ => return false,
        };
        names.elts.len() == given && names.elts.iter().all(Expr::is_name_expr)
    }

    /// Whether evaluating an expression cannot fail and uses nothing up.
    pub(crate) fn cannot_fail(&self, expr: &'a Expr) -> bool {
        let all = |of: &'a [Expr]| of.iter().all(|inner| self.cannot_fail(inner));
        match expr {
            Expr::NumberLiteral(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::Name(_) => true,
            Expr::Tuple(tuple) => all(&tuple.elts),
            Expr::List(list) => all(&list.elts),
            Expr::FString(text) => text.value.elements().all(|element| {
                element
                    .as_interpolation()
                    .is_none_or(|part| part.format_spec.is_none() && self.cannot_fail(&part.expression))
            }),
            Expr::UnaryOp(op) => {
                let known = self.proven(&op.operand);
                self.cannot_fail(&op.operand)
                    && match op.op {
                        UnaryOp::Not => true,
                        UnaryOp::Invert => known.is_some_and(is_whole),
                        _ => known.is_some_and(is_number),
                    }
            }
            Expr::BoolOp(op) => all(&op.values),
            Expr::If(it) => [&it.test, &it.body, &it.orelse].into_iter().all(|part| self.cannot_fail(part)),
            Expr::Compare(it) => match (&*it.ops, &*it.comparators) {
                ([op], [right]) => {
                    self.cannot_fail(&it.left)
                        && self.cannot_fail(right)
                        && self.can_compare(&it.left, *op, right)
                }
                _ => false,
            },
            Expr::BinOp(op) => {
                self.cannot_fail(&op.left)
                    && self.cannot_fail(&op.right)
                    && self.can_operate(&op.left, op.op, &op.right)
            }
            Expr::Subscript(it) => {
                let Expr::Slice(slice) = &*it.slice else { return false };
                let bounds = [&slice.lower, &slice.upper].into_iter().flatten();
                let step = slice.step.as_deref().is_none_or(is_nonzero);
                let mut whole =
                    bounds.map(|bound| self.cannot_fail(bound) && self.proven(bound).is_some_and(is_whole));
                step && whole.all(|whole| whole)
                    && self.cannot_fail(&it.value)
                    && self.proven(&it.value).is_some_and(|of| of.slice_copies() || of == Type::Range)
            }
            Expr::ListComp(comp) => {
                comp.generators.first().is_some_and(|first| self.endures_evaluation(&first.iter))
                    && self.all_items_endure(expr)
            }
            Expr::Call(call) => self.call_cannot_fail(call),
            _ => false,
        }
    }

    fn can_compare(&self, left: &'a Expr, op: CmpOp, right: &'a Expr) -> bool {
        use Type::*;
        match op {
            CmpOp::Is | CmpOp::IsNot | CmpOp::Eq | CmpOp::NotEq => true,
            CmpOp::In | CmpOp::NotIn => match self.proven(right) {
                Some(List | Tuple | Range) => true,
                Some(Str) => self.proven(left) == Some(Str),
                Some(Set | FrozenSet | Dict) => self.proven(left).is_some_and(Type::immutable),
                _ => false,
            },
            _ => match (self.proven(left), self.proven(right)) {
                (Some(one), Some(other)) => {
                    is_number(one) && is_number(other) || one == other && matches!(one, Str | Bytes)
                }
                _ => false,
            },
        }
    }

    fn can_operate(&self, left: &'a Expr, op: Operator, right: &'a Expr) -> bool {
        use Operator::*;
        use Type::{Bytes, Float, List, Str, Tuple};
        let (Some(one), Some(other)) = (self.proven(left), self.proven(right)) else { return false };
        // A whole number of any size does not fit a float.
        let floats = (one == Float || left.is_number_literal_expr())
            && (other == Float || right.is_number_literal_expr());
        match op {
            Add if one == other && matches!(one, Str | Bytes | List | Tuple) => true,
            Mult if is_whole(other) && matches!(one, Str | Bytes | List | Tuple) => true,
            Add | Sub | Mult => is_whole(one) && is_whole(other) || floats,
            BitAnd | BitOr | BitXor => is_whole(one) && is_whole(other),
            FloorDiv | Mod => is_whole(one) && is_whole(other) && is_nonzero(right),
            Div => floats && is_nonzero(right),
            _ => false,
        }
    }

    fn call_cannot_fail(&self, call: &'a ExprCall) -> bool {
        use Type::*;
        let arguments = &*call.arguments.args;
        if !call.arguments.keywords.is_empty() || !arguments.iter().all(|of| self.cannot_fail(of)) {
            return false;
        }
        if let Some(name) = self.builtin(&call.func) {
            return match (name, arguments) {
                ("str" | "repr" | "type" | "id" | "callable" | "bool", [_]) => true,
                ("isinstance", [_, class]) => self.is_class(class),
                ("len", [of]) => self.proven(of).is_some_and(is_container),
                ("abs", [of]) => self.proven(of).is_some_and(is_number),
                ("hex" | "bin" | "oct" | "int", [of]) => self.proven(of).is_some_and(is_whole),
                ("float", [of]) => self.proven(of) == Some(Float),
                ("list" | "tuple", [of]) => self.endures(of),
                _ => false,
            };
        }
        let Expr::Attribute(method) = &*call.func else { return false };
        let Some(of) = self.proven(&method.value).filter(|_| self.cannot_fail(&method.value)) else {
            return false;
        };
        match (of, method.attr.as_str(), arguments) {
            (
                Str | Bytes,
                "lower" | "upper" | "title" | "capitalize" | "swapcase" | "strip" | "lstrip" | "rstrip"
                | "split" | "splitlines",
                [],
            )
            | (Str, "casefold", [])
            | (List | Dict | Set, "copy", []) => true,
            (Str | Bytes, name, []) => name.starts_with("is"),
            (
                Str | Bytes,
                "strip" | "lstrip" | "rstrip" | "startswith" | "endswith" | "find" | "count" | "removeprefix"
                | "removesuffix",
                [with],
            ) => self.proven(with) == Some(of),
            (Str, "split", [Expr::StringLiteral(with)]) => !with.value.is_empty(),
            (Str | Bytes, "replace", [old, new]) => {
                self.proven(old) == Some(of) && self.proven(new) == Some(of)
            }
            (Dict, "get", [key] | [key, _]) => self.proven(key).is_some_and(Type::immutable),
            _ => false,
        }
    }

    fn is_class(&self, expr: &'a Expr) -> bool {
        match expr {
            Expr::Tuple(several) => several.elts.iter().all(|one| self.is_class(one)),
            Expr::Name(_) => match self.builtin(expr) {
                Some(name) => tables::type_named(name).is_some(),
                None => matches!(self.reaching(expr).map(|it| it.how), Some(Bound::Class(_))),
            },
            _ => false,
        }
    }

    /// Whether nobody can tell how far a region came when it fails: it calls nothing that is seen
    /// outside, it sets only names of its function that nothing else refers to, and no `try` or `with`
    /// around it goes on afterwards. The expression `at`, which may be part of it, is left out.
    pub(crate) fn unseen(&self, region: Region, at: NodeId) -> bool {
        let frame = self.frame(at);
        let caught =
            self.ancestors(at).take_while(|above| self.frame(*above) == frame).any(|above| {
                match self.stmt(above) {
                    Some(Stmt::Try(_)) => true,
                    Some(Stmt::With(it)) => it.items.iter().any(|item| {
                        !matches!(self.proven(&item.context_expr), Some(Type::TextFile | Type::BinaryFile))
                    }),
                    _ => false,
                }
            });
        let scope = self.scope(frame);
        if caught || scope.kind != ScopeKind::Function || scope.by_string {
            return false;
        }
        let private = |name: &Expr| self.symbol_of(name).is_some_and(|symbol| self.private(symbol));
        let apart = self.region_of(at);
        region.ids().filter(|id| !apart.has(*id)).all(|id| match self.node(id).ast {
            super::Ast::Expr(Expr::Call(call)) => {
                let changes = call
                    .func
                    .as_attribute_expr()
                    .is_some_and(|method| tables::mutates(method.attr.as_str()) && private(&method.value));
                changes || self.pure_call(call)
            }
            super::Ast::Expr(name @ Expr::Name(it)) if it.ctx != ExprContext::Load => {
                self.symbol_of(name).is_some_and(|symbol| {
                    let symbol = self.symbol(symbol);
                    let own = symbol.scope == frame || region.has(self.scope(symbol.scope).node);
                    own && !symbol.captured && !symbol.bound_elsewhere
                })
            }
            super::Ast::Expr(Expr::Subscript(it)) => it.ctx == ExprContext::Load || private(&it.value),
            super::Ast::Expr(Expr::Attribute(it)) => it.ctx == ExprContext::Load,
            super::Ast::Expr(
                Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) | Expr::IpyEscapeCommand(_),
            ) => false,
            super::Ast::Stmt(Stmt::AugAssign(it)) => {
                let Some(symbol) = self.symbol_of(&it.target) else {
                    return it.target.is_subscript_expr();
                };
                let immutable =
                    self.type_of_symbol(symbol).is_some_and(|known| known.proven && known.ty.immutable());
                immutable || self.private(symbol)
            }
            super::Ast::Stmt(Stmt::For(it)) => self.endures(&it.iter),
            super::Ast::Stmt(
                Stmt::With(_)
                | Stmt::Import(_)
                | Stmt::ImportFrom(_)
                | Stmt::FunctionDef(_)
                | Stmt::ClassDef(_)
                | Stmt::IpyEscapeCommand(_),
            ) => false,
            _ => true,
        })
    }

    /// Whether a region may be left before its loop has come to the end.
    pub(crate) fn quits(&self, region: Region) -> bool {
        region.ids().any(|id| matches!(self.stmt(id), Some(Stmt::Break(_) | Stmt::Return(_))))
    }

    /// Whether making the items of a comprehension or iterator one by one, with a region run between
    /// them, cannot be told from making all of them first.
    /// `taken` tells whether all of them are taken if nothing fails.
    pub(crate) fn can_be_late(&self, items: &'a Expr, region: Region, taken: bool) -> bool {
        self.pure(items)
            && self.independent(items, region)
            && self.sources_endure(items)
            && (self.all_items_endure(items) || taken && self.unseen(region, self.id(items)))
    }
}

/// Whether an expression is a number written out that is not 0.
fn is_nonzero(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(n) => n.as_i64().is_some_and(|n| n != 0),
            Number::Float(n) => *n != 0.0,
            Number::Complex { .. } => false,
        },
        Expr::UnaryOp(op) if op.op == UnaryOp::USub => is_nonzero(&op.operand),
        _ => false,
    }
}
