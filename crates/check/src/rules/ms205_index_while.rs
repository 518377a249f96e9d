//! MS205: `i = 0`, `while i < len(xs)`, `i += 1`.

use super::few_rounds::is_in_full;
use super::patterns::int;
use super::patterns_index::{DOUBT, as_one, indexed, length_of};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::NodeId;
use crate::syntax::{CmpOp, Expr, Operator, Ranged, Stmt, StmtWhile, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS205",
    name: "index-while",
    what: "A `while` loop that counts up an index only to look up the items of a sequence.",
    why: "It costs no memory, but time: a comparison, a call of `len` and an addition for every item.",
    not_when: "Where the body changes the sequence, as loops over a list of things to do, or uses the index \
               for anything else, or the index is read after the loop; \
               of what is written out with a few items.",
    fix: "`for x in xs`. Safe in a function, if the sequence is proven to be a builtin one and the body not to \
          change it.",
    saves: Saves::Nothing,
    experiment: Experiment {
        setup: "xs = list(range(200))\n",
        before: "i = 0\nwhile i < len(xs):\n    xs[i]\n    i += 1\n",
        after: "for x in xs:\n    x\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::While(around) = statement else { return };
    let Some((index, of)) = bounded(cx, &around.test) else { return };
    if is_in_full(cx, of) {
        return;
    }
    let Some(begin @ Stmt::Assign(zero)) = cx.previous_stmt(statement) else { return };
    let [counter] = &zero.targets[..] else { return };
    if int(&zero.value) != Some(0)
        || cx.symbol_of(counter).is_none()
        || cx.symbol_of(counter) != cx.symbol_of(index)
    {
        return;
    }
    let Some((step, target)) = step(cx, around, index) else { return };
    let body = cx.region(&around.body);
    let Some(loop_) = indexed(cx, counter, of, body, &[target]) else { return };
    let late = loop_.reads.iter().any(|read| cx.id(*read) > cx.id(step)) || skips(cx, around, cx.id(step));
    let counted = [cx.id(counter), target, cx.id(&*around.test)];
    if loop_.otherwise || late || is_given_away(cx, of) || loop_.outlives(cx, statement, &counted) {
        return;
    }
    let head = TextRange::new(statement.start(), cx.outer_range(&around.test).end());
    let lines = cx.whole_lines(begin).zip(cx.whole_lines(step));
    let fix =
        lines.zip(loop_.by_item(cx, Some(&around.body))).and_then(|((begin, step), (item, mut edits))| {
            // Something must be left to repeat.
            let dropped = edits.iter().filter(|edit| edit.text.is_empty()).count() + 1;
            let end = around.body.last().map_or(head.end(), Ranged::end);
            edits.extend([
                replace(begin, ""),
                replace(head, format!("for {item} in {}", cx.text(of))),
                replace(step, ""),
            ]);
            (around.body.len() > dropped && !cx.has_comment(head))
                .then(|| {
                    fix(
                        loop_.proven(cx),
                        "go over the items",
                        DOUBT,
                        vec![as_one(cx, TextRange::new(head.start(), end), edits)],
                    )
                })
                .flatten()
        });
    let (index, of) = (cx.text(index), cx.text(of));
    cx.found(
        &*around.test,
        format!("`{index}` is counted up only to look up `{of}[{index}]`: go over the items themselves"),
        fix,
    );
}

/// Whether something else was given the sequence, and may make it grow while the loop runs: that is what
/// such a loop is written for.
fn is_given_away<'a>(cx: &Context<'_, 'a>, of: &'a Expr) -> bool {
    cx.symbol_of(of).is_some_and(|id| {
        cx.symbol(id).uses.iter().any(|name| match cx.expr(cx.node(*name).parent) {
            Some(Expr::Call(call)) => cx.builtin(&call.func).is_none(),
            _ => false,
        })
    })
}

/// The index and the sequence of `i < len(xs)`.
fn bounded<'a>(cx: &Context<'_, 'a>, test: &'a Expr) -> Option<(&'a Expr, &'a Expr)> {
    let compare = test.as_compare_expr()?;
    let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
    let (index, length) = match op {
        CmpOp::Lt | CmpOp::NotEq => (&*compare.left, right),
        CmpOp::Gt => (right, &*compare.left),
        _ => return None,
    };
    Some((index, length_of(cx, length)?)).filter(|_| index.is_name_expr())
}

/// The statement of the body that is `i += 1`, and the node of its target.
fn step<'a>(cx: &Context<'_, 'a>, around: &'a StmtWhile, index: &'a Expr) -> Option<(&'a Stmt, NodeId)> {
    around.body.iter().find_map(|statement| match statement {
        Stmt::AugAssign(add)
            if add.op == Operator::Add
                && int(&add.value) == Some(1)
                && cx.symbol_of(&add.target) == cx.symbol_of(index) =>
        {
            Some((statement, cx.id(&*add.target)))
        }
        _ => None,
    })
}

/// Whether a `continue` of the loop itself passes over its step.
fn skips(cx: &Context<'_, '_>, around: &StmtWhile, step: NodeId) -> bool {
    let own = cx.id(around);
    cx.region(&around.body).ids().take_while(|id| *id < step).any(|id| {
        matches!(cx.stmt(id), Some(Stmt::Continue(_)))
            && cx.ancestors(id).find(|above| cx.is_loop(*above)) == Some(own)
    })
}
