//! MS311: `sum(lists, [])`.

use super::few_rounds::is_little;
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
    not_when: "Where the start is a number, the operator is not known, or the lists are a few.",
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
        let (lists, start) = match (&*call.arguments.args, &*call.arguments.keywords) {
            ([lists, start], []) => (lists, start),
            ([lists], [word]) if word.arg.as_deref() == Some("start") => (lists, &word.value),
            _ => return,
        };
        // A few lists are added in a few steps.
        if is_little(cx, lists) || lists.is_starred_expr() {
            return;
        }
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
                let text = match lists {
                    Expr::Generator(_) => cx.text(lists).to_owned(),
                    _ => format!("({})", cx.argument_text(lists)),
                };
                let text = format!("{kind}({chain}.from_iterable{text})");
                edits.push(replace(expr.range(), text));
                let doubt = format!("the items may be no {kind}s, and `chain` takes any iterable");
                fix(proven, "chain them", &doubt, edits)
            });
        cx.found(expr, format!("`{}` makes a new {kind} for each one it adds", cx.brief(expr)), fix);
    } else if cx.is(&call.func, "functools.reduce") && call.arguments.args.len() >= 2 {
        let adds = match &call.arguments.args[0] {
            // `s + x[0] * x[1]` adds numbers, or what is like them.
            Expr::Lambda(lambda) => {
                let named = |it: &Expr| matches!(it, Expr::Name(_) | Expr::List(_) | Expr::Tuple(_));
                matches!(&*lambda.body, Expr::BinOp(op) if op.op == Operator::Add && named(&op.left) && named(&op.right))
            }
            function => cx.is(function, "operator.add") || cx.is(function, "operator.concat"),
        };
        let of_lists = match call.arguments.args.get(2) {
            Some(start) => cx.type_of(start),
            None => cx.element_of(&call.arguments.args[1]),
        };
        let of_lists = of_lists.map(|known| known.ty);
        let little = is_little(cx, &call.arguments.args[1]);
        if adds && !little && matches!(of_lists, Some(Type::List | Type::Tuple | Type::Str | Type::Bytes)) {
            cx.found(expr, format!("`{}` makes a new sequence for each one it adds", cx.brief(expr)), None);
        }
    }
}
