//! What the rules about values that grow share: `s += t`, and whether it is done in place.

use super::patterns::same_place;
use crate::context::replace;
use crate::finding::Edit;
use crate::model::{Known, Model, Type};
use crate::syntax::{Expr, Ranged, Stmt, TextRange};

/// A value that grows: `s += t`, `s = s + t`.
pub(super) struct Growth<'a> {
    /// What grows.
    pub(super) target: &'a Expr,
    /// Of what type it is.
    pub(super) ty: Type,
    /// How it is written.
    pub(super) how: How<'a>,
}

/// How a growth is written.
pub(super) enum How<'a> {
    /// `s += t`, and `s = s + t` for a str, which CPython treats alike.
    Plain,
    /// `s = s + a + b`: what is added, in order.
    Chain(Vec<&'a Expr>),
    /// `s = f"{s}…"`.
    Formatted,
    /// `s = t + s`.
    Front,
}

/// The growth that a statement is, if the type is known and grows by `+`.
pub(super) fn growth<'a>(cx: &Model<'a>, statement: &'a Stmt) -> Option<Growth<'a>> {
    use crate::syntax::Operator::Add;
    let of = |ty: Option<Known>| {
        ty.map(|known| known.ty).filter(|ty| matches!(ty, Type::Str | Type::Bytes | Type::Tuple | Type::List))
    };
    match statement {
        Stmt::AugAssign(assign) if assign.op == Add => {
            let target = cx.type_of(&assign.target).map(|known| known.ty);
            let ty = of(cx.type_of(&assign.value)).or_else(|| of(cx.type_of(&assign.target)))?;
            // `xs += t` extends a list or a bytearray whatever is added; only text is a sign by itself.
            if ty == Type::List || target.is_none() && ty != Type::Str || target.is_some_and(|it| it != ty) {
                return None;
            }
            Some(Growth { target: &assign.target, ty, how: How::Plain })
        }
        Stmt::Assign(assign) => {
            let [target] = &assign.targets[..] else { return None };
            if let Expr::FString(text) = &*assign.value {
                let mentions = crate::syntax::any_over_expr(&assign.value, |inner| same_place(inner, target));
                let first = text.value.elements().next()?.as_interpolation()?;
                let whole = same_place(&first.expression, target) && first.format_spec.is_none();
                return (mentions && whole && of(cx.type_of(target)) == Some(Type::Str)).then_some(Growth {
                    target,
                    ty: Type::Str,
                    how: How::Formatted,
                });
            }
            let mut pieces = Vec::new();
            let mut left = &*assign.value;
            while let Expr::BinOp(op) = left {
                if op.op != Add {
                    break;
                }
                pieces.push(&*op.right);
                left = &op.left;
            }
            pieces.reverse();
            let last = *pieces.last()?;
            let known = pieces.iter().copied().chain([left]).find_map(|piece| of(cx.type_of(piece)));
            let grown = cx.type_of(target).map(|known| known.ty);
            let ty = known.or_else(|| of(cx.type_of(target)))?;
            // An array adds a list or a tuple to each of its rows.
            let array = matches!(ty, Type::List | Type::Tuple) && grown.is_none();
            if array || grown.is_some_and(|it| it != ty) {
                return None;
            }
            if same_place(left, target) {
                let plain = pieces.len() == 1 && ty == Type::Str;
                return Some(Growth { target, ty, how: if plain { How::Plain } else { How::Chain(pieces) } });
            }
            same_place(last, target).then_some(Growth { target, ty, how: How::Front })
        }
        _ => None,
    }
}

/// The edit that makes `target = target op one op other` into `target op= one op other`.
pub(super) fn in_place<'a>(
    cx: &Model<'a>,
    statement: &Stmt,
    target: &Expr,
    op: char,
    added: &[&'a Expr],
) -> Edit {
    let text = match added {
        [one] => cx.text(*one).to_owned(),
        several => {
            let texts: Vec<&str> = several.iter().map(|piece| cx.text(&cx.outer_range(piece))).collect();
            texts.join(&format!(" {op} "))
        }
    };
    // Lines that went on within parentheses still have to.
    let text = if text.contains('\n') { format!("({text})") } else { text };
    replace(TextRange::new(target.end(), statement.end()), format!(" {op}= {text}"))
}

impl<'a> Growth<'a> {
    /// Whether it goes on growing: a loop around comes back to it, and does not begin it anew each time.
    pub(super) fn goes_on(&self, cx: &Model<'a>, statement: &Stmt) -> bool {
        let id = cx.id(statement);
        !cx.begun_within(self.target, id) && cx.revisited(self.target, id)
    }
}
