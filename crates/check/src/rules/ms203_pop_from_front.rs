//! MS203: `queue.pop(0)` in a loop.

use super::at_front::{at_front, is_drained_batch, is_filled_by_others, is_trimmed};
use super::few_rounds::handed_on;
use super::patterns::int;
use super::patterns_layout::{Done, done, local};
use super::short::of_arguments;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::finding::Fix;
use crate::model::{Bound, Model, Type};
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS203",
    name: "pop-from-front",
    what: "A list that a loop takes items from at the front: `queue.pop(0)`.",
    why: "It costs no memory, but time: every item that is left is moved by one place, so that taking all \
          of them grows with the square of the length. `collections.deque` takes the first in one step.",
    not_when: "Where the list is made within the same loop, or written out with all its items; where its type \
               is not known; where it is the caller's, or is sorted, sliced, looked up by number or gone over \
               as well, which a deque can't do or does no better; where only a few are taken off, or a batch \
               is emptied. With some dozen items there is no difference.",
    fix: "`collections.deque`, and `popleft`. Safe for a local list that is only appended to, taken from, \
          counted and tested: a deque has no slices and no `sort`. The error on an empty deque is the same, \
          with another text.",
    saves: Saves::Nothing,
    experiment: Experiment {
        setup: "import collections\nqueue = [None] * 200\nother = collections.deque(queue)\n",
        before: "while queue:\n    queue.pop(0)\n",
        after: "while other:\n    other.popleft()\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, _: &'a Expr, call: &'a ExprCall) {
    let Some(list) = at_front(cx, call, "pop", 1) else { return };
    if is_written_out(cx, list)
        || is_trimmed(cx, call, list)
        || is_drained_batch(cx, call, list)
        || is_filled_by_others(cx, list)
        // A function that gets the list in every round may do with it what a deque can't do.
        || handed_on(cx, list, cx.statement(cx.id(call)))
    {
        return;
    }
    let mended = as_deque(cx, list);
    cx.found(
        call,
        format!("`{}` moves every item that is left, every round; a deque moves none", cx.brief(call)),
        mended,
    );
}

/// More places than these nobody wants changed by one fix.
const MAX_CHANGES: usize = 50;

/// Whether a list is a display of some items to which only single ones are added, or comes from the arguments.
fn is_written_out<'a>(cx: &Model<'a>, list: &'a Expr) -> bool {
    let Some(symbol) = cx.symbol_of(list).map(|id| cx.symbol(id)) else { return false };
    let uses = || symbol.uses.iter().filter_map(|name| cx.expr(*name));
    // An empty list is filled by what is seen here, if nothing else gets it.
    let filled_here = || {
        uses().all(|name| done(cx, name).is_some())
            && uses().any(|name| matches!(done(cx, name), Some(Done::Method("append", _))))
    };
    let display = |value: &Expr| match value {
        Expr::List(list) if list.elts.is_empty() => filled_here(),
        Expr::List(list) => !list.elts.iter().any(Expr::is_starred_expr),
        Expr::Subscript(slice) => of_arguments(cx, &slice.value),
        _ => false,
    };
    let all = symbol.bindings.iter().all(|it| match it.how {
        Bound::Assigned(value) | Bound::Annotated(_, Some(value)) => display(value),
        _ => false,
    });
    all && !uses().any(|name| match done(cx, name) {
        Some(Done::Method("append", _)) => cx.loop_around(cx.id(name)).is_some(),
        Some(Done::Method("extend" | "insert", _)) => true,
        _ => false,
    })
}

/// The fix that makes a local list a deque, if a deque serves for all that is done with it.
pub(super) fn as_deque<'a>(cx: &Context<'_, 'a>, list: &'a Expr) -> Option<Fix> {
    let [binding] = cx.symbol(cx.symbol_of(list)?).bindings[..] else { return None };
    let local = local(cx, cx.stmt(cx.statement(binding.node))?)?;
    if cx.proven(local.value) != Some(Type::List)
        || !cx.fresh(local.value)
        || cx.has_comment(local.value.range())
    {
        return None;
    }
    if local.uses.len() > MAX_CHANGES {
        return None;
    }
    let mut edits = Vec::new();
    for name in local.uses {
        match done(cx, name)? {
            Done::Tested | Done::Passed("len", _) => {}
            Done::Read(_, it) if matches!(int(&it.slice), Some(0 | -1)) => {}
            Done::Method(method, call) => {
                let Expr::Attribute(attribute) = &*call.func else { return None };
                let arguments = &call.arguments;
                let plain =
                    arguments.keywords.is_empty() && !arguments.args.iter().any(Expr::is_starred_expr);
                if !plain || cx.has_comment(arguments.range()) {
                    return None;
                }
                match (method, &*arguments.args) {
                    ("append" | "extend", [_]) | ("pop" | "clear", []) => {}
                    ("pop", [at]) if int(at) == Some(0) => {
                        edits.push(replace(attribute.attr.range(), "popleft"));
                        edits.push(replace(arguments.range(), "()"));
                    }
                    ("insert", [at, item]) if int(at) == Some(0) => {
                        edits.push(replace(attribute.attr.range(), "appendleft"));
                        edits.push(replace(arguments.range(), format!("({})", cx.argument_text(item))));
                    }
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    // `todo.insert(0, todo.pop(0))`
    edits.sort();
    if edits.windows(2).any(|pair| pair[1].start < pair[0].end) {
        return None;
    }
    let (deque, import) = cx.reach("collections.deque", local.value)?;
    let made = match local.value {
        Expr::List(list) if list.elts.is_empty() => format!("{deque}()"),
        value => {
            let items =
                cx.call_of_one(value).filter(|(name, _)| *name == "list").map_or(value, |(_, items)| items);
            format!("{deque}({})", cx.argument_text(items))
        }
    };
    edits.push(replace(local.value.range(), made));
    edits.extend(import);
    fix(true, "make it a deque", "", edits)
}
