//! MS106: `[xs[i:i + n] for i in range(0, len(xs), n)]`.

use super::patterns::{loop_over, slice};
use super::short::few;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Ast, Use};
use crate::syntax::{Expr, Operator, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS106",
    name: "list-of-chunks",
    what: "A list of all the chunks that a sequence is cut into.",
    why: "Together the chunks are a second copy of the sequence, alive until the list goes. One chunk at a \
          time is enough for most uses.",
    not_when: "Of arrays, ranges and memoryviews, whose slices copy nothing; where the chunks are given one \
               by one already; where the list is given to anything else, joined, counted or changed; and of few \
               chunks.",
    fix: "Go over the chunks with a generator, or with `itertools.batched` (Python 3.12). Whoever uses the \
          list may need it whole, so there is no automatic fix.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "xs = list(range(300_000))\n",
        before: "for chunk in [xs[i:i + 100] for i in range(0, len(xs), 100)]:\n    pass\n",
        after: "for chunk in (xs[i:i + 100] for i in range(0, len(xs), 100)):\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some(range) = cx.builtin_call(it.iter, "range") else { return };
    let Ast::Expr(Expr::ListComp(comp)) = cx.node(it.body.from).ast else { return };
    let whole = &cx.node(it.body.from).ast;
    let Ast::Expr(whole) = whole else { return };
    if range.arguments.args.len() != 3 || comp.generators.len() != 1 || loop_over(cx, whole).is_some() {
        return;
    }
    // Who calls the function expects a list, and a few chunks are a few.
    let given_back =
        cx.parent_expr(whole).is_none() && matches!(cx.parent_stmt(whole), Some(Stmt::Return(_)));
    if given_back || few(cx, it.iter) || is_needed(cx, whole) {
        return;
    }
    let Some(slice) = slice(cx, &comp.elt) else { return };
    let (Some(Expr::Name(lower)), Some(Expr::BinOp(upper))) =
        (slice.bounds.lower.as_deref(), slice.bounds.upper.as_deref())
    else {
        return;
    };
    let Expr::Name(target) = it.target else { return };
    let from_target = lower.id == target.id
        && upper.op == Operator::Add
        && [&*upper.left, &*upper.right]
            .iter()
            .any(|side| side.as_name_expr().is_some_and(|name| name.id == target.id));
    if from_target && slice.of.is_name_expr() {
        let of = cx.text(slice.of);
        cx.found(
            *whole,
            format!("all chunks of `{of}` at once are a second copy of it; take one at a time"),
            None,
        );
    }
}

/// Whether all chunks may be needed at once: unless the list has a name that is only read from here on, and
/// not counted, joined or asked for one of them.
fn is_needed<'a>(cx: &Context<'_, 'a>, whole: &'a Expr) -> bool {
    let Some(Stmt::Assign(assign)) = cx.parent_stmt(whole) else { return true };
    let [name] = &assign.targets[..] else { return true };
    let Some(symbol) = cx.symbol_of(name) else { return true };
    cx.symbol(symbol).uses.iter().any(|id| {
        cx.use_of(*id) != Use::Reads
            || match cx.expr(*id).and_then(|name| cx.parent_expr(name)) {
                Some(Expr::Subscript(item)) => cx.id(&*item.value) == *id,
                Some(Expr::Call(call)) => call.func.is_attribute_expr() || cx.is_builtin(&call.func, "len"),
                _ => false,
            }
    })
}
