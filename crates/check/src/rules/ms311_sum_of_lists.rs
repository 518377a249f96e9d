//! MS311: `sum(lists, [])`.

use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, ExprCall, Operator, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS311",
    name: "sum-of-lists",
    what: "Lists or tuples put together by `sum(lists, [])` or `functools.reduce`.",
    why: "Every step makes a new list of all items there are so far: the bytes allocated grow with the \
          square of the length.",
    not_when: "Where the start is a number, or the operator is not known.",
    fix: "`list(itertools.chain.from_iterable(lists))`. Safe if the items are proven to be lists.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "import itertools\nlists = [[i] for i in range(2_000)]\n",
        before: "flat = sum(lists, [])\n",
        after: "flat = list(itertools.chain.from_iterable(lists))\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    if cx.is_builtin(&call.func, "sum") {
        let [lists, start] = &*call.arguments.args else { return };
        let kind = match start {
            Expr::List(list) if list.elts.is_empty() => "list",
            Expr::Tuple(tuple) if tuple.elts.is_empty() => "tuple",
            _ => return,
        };
        let proven = cx.element_of(lists).is_some_and(|known| known.proven && known.ty.name() == kind);
        let fix = (!cx.has_comment(expr.range()) && cx.is_free(kind, cx.node(cx.id(expr)).scope))
            .then(|| cx.reach("itertools.chain", expr))
            .flatten()
            .and_then(|(chain, mut edits)| {
                let text = format!("{kind}({chain}.from_iterable({}))", cx.argument_text(lists));
                edits.push(replace(expr.range(), text));
                fix(proven, "chain them", "`chain` also takes what is not a list", edits)
            });
        cx.found(expr, format!("`{}` makes a new {kind} for each one it adds", cx.brief(expr)), fix);
    } else if cx.is(&call.func, "functools.reduce") && call.arguments.args.len() >= 2 {
        let adds = match &call.arguments.args[0] {
            Expr::Lambda(lambda) => matches!(&*lambda.body, Expr::BinOp(op) if op.op == Operator::Add),
            function => cx.is(function, "operator.add") || cx.is(function, "operator.concat"),
        };
        let of_lists = call.arguments.args.get(2).or(None).and_then(|start| cx.type_of(start)).map(|known| known.ty)
            .or_else(|| cx.element_of(&call.arguments.args[1]).map(|known| known.ty));
        if adds && matches!(of_lists, Some(Type::List | Type::Tuple | Type::Str | Type::Bytes)) {
            cx.found(expr, format!("`{}` makes a new sequence for each one it adds", cx.brief(expr)), None);
        }
    }
}
