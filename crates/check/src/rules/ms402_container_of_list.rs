//! MS402: `set([f(x) for x in xs])`.

use super::counted::makes_few;
use super::patterns::{Takes, as_generator, awaits, consumer, in_f_string};
use super::short::is_fields;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Expr, ExprCall, Operator, Ranged, TextRange, TextSize};

pub(super) const RULE: Rule = Rule {
    code: "MS402",
    name: "container-of-list",
    what: "A list comprehension made to fill a set, frozenset, tuple, dict, bytes or `Counter`.",
    why: "The list and what is made of it are in memory together, and the list is gone right after.",
    not_when: "A list that is known to be short is not reported, such as the values of a `'%s %s' %`, nor \
               is one whose items begin work that goes on by itself.",
    fix: "A set or dict comprehension, or a generator. Safe if the item's expression calls nothing but \
          builtins that change nothing. Where the function itself fails at an item, such as a `set` at a list, \
          later ones are no longer made.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "unique = set([x % 1000 for x in range(300_000)])\n",
        after: "unique = {x % 1000 for x in range(300_000)}\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let Some(comp @ Expr::ListComp(inner)) = call.arguments.args.first() else { return };
    let Some(consumer) = consumer(cx, comp) else { return };
    let container = consumer.takes == Takes::Into && !matches!(consumer.name, "extend" | "update");
    let fields = inner.generators.iter().all(|it| is_fields(cx, &it.iter));
    let awaited = awaits(comp) && !matches!(consumer.name, "set" | "dict");
    // A format takes as many as it has places for.
    let formatted = cx.parent_expr(expr).and_then(Expr::as_bin_op_expr).is_some_and(|op| {
        op.op == Operator::Mod && op.left.is_string_literal_expr() && cx.id(&*op.right) == cx.id(expr)
    });
    if formatted || !container || makes_few(cx, comp) || fields || cx.begins_work(comp) || awaited {
        return;
    }
    let proven = cx.pure(comp);
    let doubt = "a StopIteration in what the items call may become a RuntimeError";
    let one = TextSize::from(1);
    let alone = call.arguments.len() == 1;
    // `set([` … `])` with nothing between the brackets becomes `{` … `}`.
    let head = TextRange::new(expr.start(), comp.start() + one);
    let tail = TextRange::new(comp.end() - one, expr.end());
    let doubled = in_f_string(cx, expr) && cx.source[..expr.start().to_usize()].ends_with('{');
    let braces = match consumer.name {
        _ if doubled => None,
        "set" if alone => cx.builtin(&call.func).map(|_| (None, "")),
        "dict" if alone => match &*inner.elt {
            Expr::Tuple(pair) if pair.elts.len() == 2 && !pair.elts.iter().any(Expr::is_starred_expr) => {
                Some((Some((pair.range(), pair.elts[0].range(), pair.elts[1].range())), ""))
            }
            _ => None,
        },
        _ => None,
    };
    let edits = match braces {
        Some((pair, _)) if !cx.has_comment(head) && !cx.has_comment(tail) && !cx.suspends(comp) => {
            let mut edits = vec![replace(head, "{")];
            if let Some((whole, key, value)) = pair {
                if cx.has_comment(whole) {
                    return;
                }
                let text = |range: TextRange| &cx.source[range.to_std_range()];
                edits.push(replace(whole, format!("{}: {}", text(key), text(value))));
            }
            edits.push(replace(tail, "}"));
            Some(edits)
        }
        Some(_) => None,
        None => as_generator(cx, comp),
    };
    let fix = edits.and_then(|edits| fix(proven, "fill it directly", doubt, edits));
    cx.found(comp, format!("a whole list is made only to fill a `{}`", consumer.name), fix);
}
