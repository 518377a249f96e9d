//! MS308: `d = {**d, key: value}`.

use super::few_rounds::{handed_on, stays_short};
use super::patterns::same_place;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, Operator, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS308",
    name: "dict-rebuilt",
    what: "A dict that grows in a loop by being made anew: `d = {**d, k: v}`, `d = d | {k: v}`, `d = dict(d, k=v)`.",
    why: "Every step makes a new dict of all items there are; `d[k] = v` adds to the one there is.",
    not_when: "Outside loops and in those of a few rounds, and where each dict is kept: `rows.append(d)`. `d |= {k: v}` and `update` add in place.",
    fix: "`d[k] = v`. Safe if nothing else refers to the dict.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "",
        before: "def build():\n    d = {}\n    for i in range(1_000):\n        d = {**d, i: None}\nbuild()\n",
        after: "def build():\n    d = {}\n    for i in range(1_000):\n        d[i] = None\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target] = &assign.targets[..] else { return };
    let id = cx.id(statement);
    let symbol = cx.symbol_of(target);
    let kept = symbol.is_some_and(|symbol| cx.kept_in_loop(symbol, id));
    if !matches!(target, Expr::Name(_) | Expr::Attribute(_)) || kept {
        return;
    }
    if cx.begun_within(target, id) || !cx.revisited(target, id) {
        return;
    }
    if stays_short(cx, target, id) || handed_on(cx, target, id) {
        return;
    }
    let mut mended = None;
    let rebuilt = match &*assign.value {
        Expr::Dict(dict) => {
            let unpacks =
                |item: &crate::syntax::DictItem| item.key.is_none() && same_place(&item.value, target);
            if let [first, second] = &dict.items[..]
                && unpacks(first)
                && let Some(key) = &second.key
                && !cx.has_comment(statement.range())
            {
                let private = symbol.is_some_and(|symbol| cx.private(symbol) && !cx.lent(symbol, id));
                let doubt = match private {
                    true => "the value is then evaluated before the key",
                    false => "another name for the dict, or a loop over it, would see it",
                };
                let proven = private
                    && cx.proven(target) == Some(Type::Dict)
                    && cx.pure(key)
                    && cx.pure(&second.value)
                    // Of two that fail, the other one would be seen.
                    && (cx.cannot_fail(key) || cx.cannot_fail(&second.value));
                let item = format!(
                    "{}[{}] = {}",
                    cx.text(target),
                    cx.text(&cx.outer_range(key)),
                    cx.text(&cx.outer_range(&second.value))
                );
                mended = fix(
                    proven,
                    "put the item into the dict there is",
                    doubt,
                    vec![replace(statement.range(), item)],
                );
            }
            dict.items.len() > 1 && dict.items.first().is_some_and(unpacks)
        }
        Expr::BinOp(op) => {
            op.op == Operator::BitOr
                && same_place(&op.left, target)
                && cx.type_of(&op.right).is_some_and(|known| known.ty == Type::Dict)
        }
        Expr::Call(call) => {
            cx.is_builtin(&call.func, "dict")
                && call.arguments.len() > 1
                && call.arguments.args.first().is_some_and(|first| same_place(first, target))
        }
        _ => false,
    };
    if rebuilt {
        cx.found(
            &statement.range(),
            format!("`{}` makes the whole dict anew at every step", cx.brief(statement)),
            mended,
        );
    }
}
