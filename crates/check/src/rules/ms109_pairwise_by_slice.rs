//! MS109: `zip(xs, xs[1:])`.

use super::patterns::{Slice, Takes, consumer, int, loop_over, same_place, slice};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Model;
use crate::syntax::{Expr, ExprCall, Ranged};
use crate::target::PythonVersion;

pub(super) const RULE: Rule = Rule {
    code: "MS109",
    name: "pairwise-by-slice",
    what: "`zip(xs, xs[1:])`: each item with the next.",
    why: "The slice copies the whole list to be one item ahead in it. `itertools.pairwise` (Python 3.10) \
          keeps one item.",
    not_when: "Of NumPy arrays, whose slices are views, and of lists of a few items.",
    fix: "`itertools.pairwise(xs)`, or `zip(xs, itertools.islice(xs, 1, None))` before Python 3.10. Safe if \
          the list is proven to be one and nothing changes it meanwhile.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import itertools\nxs = list(range(300_000))\n",
        before: "for one, other in zip(xs, xs[1:]):\n    pass\n",
        after: "for one, other in zip(xs, itertools.islice(xs, 1, None)):\n    pass\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    if !cx.is_builtin(&call.func, "zip") {
        return;
    }
    let Some(ahead) = pairwise(cx, call).filter(|ahead| !ahead.is_small(cx)) else { return };
    let region = loop_over(cx, expr)
        .or_else(|| consumer(cx, expr).filter(|it| it.takes != Takes::Later).map(|it| it.region));
    if region.is_some_and(|region| cx.surely_changes(ahead.of, region)) {
        return;
    }
    let proven = ahead.proven() && region.is_some_and(|region| !cx.may_change(ahead.of, region));
    let of = cx.text(ahead.of);
    let doubt = match ahead.proven() {
        true => "it may change before the pairs are taken",
        false => "it may be an array, or change before the pairs are taken",
    };
    let fix = if cx.has_comment(expr.range()) {
        None
    } else if cx.python >= PythonVersion::minor(10) {
        cx.reach("itertools.pairwise", expr).and_then(|(name, mut edits)| {
            edits.push(replace(expr.range(), format!("{name}({of})")));
            fix(proven, "take pairs with `itertools.pairwise`", doubt, edits)
        })
    } else {
        cx.reach("itertools.islice", expr).and_then(|(name, mut edits)| {
            edits.push(replace(expr.range(), format!("zip({of}, {name}({of}, 1, None))")));
            fix(proven, "stay one ahead with `itertools.islice`", doubt, edits)
        })
    };
    cx.found(expr, format!("`{}` copies the sequence to be one item ahead in it", cx.brief(expr)), fix);
}

/// The slice that is one ahead, if a call of `zip` gets a sequence and that, or all but its last and that.
pub(super) fn pairwise<'a>(cx: &Model<'a>, call: &'a ExprCall) -> Option<Slice<'a>> {
    let [first, second] = &*call.arguments.args else { return None };
    let ahead = slice(cx, second).filter(|_| call.arguments.keywords.is_empty())?;
    let one = |bound: Option<&Expr>| bound.and_then(int);
    let from_second = one(ahead.bounds.lower.as_deref()) == Some(1)
        && ahead.bounds.upper.is_none()
        && ahead.step() == Some(1);
    let all_but_last = slice(cx, first).is_some_and(|slice| {
        same_place(slice.of, ahead.of)
            && slice.bounds.lower.is_none()
            && one(slice.bounds.upper.as_deref()) == Some(-1)
            && slice.step() == Some(1)
    });
    (from_second && (same_place(first, ahead.of) || all_but_last)).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::engine::{Options, fix};
    use crate::finding::Applicability;
    use crate::rules::Rule;
    use crate::target::PythonVersion;

    fn fixed(text: &str, minor: u8) -> String {
        let rules = Rule::find(RULE.code).into_iter().collect();
        let options = Options { rules, python: PythonVersion::minor(minor), ..Options::default() };
        fix(text, &options, Applicability::Safe).expect("it is Python").text
    }

    #[test]
    fn pairwise_is_used_only_where_every_python_has_it() {
        let text =
            "import itertools\n\n\ndef f(n):\n    xs = list(range(n))\n    return list(zip(xs, xs[1:]))\n";
        assert!(fixed(text, 9).contains("zip(xs, itertools.islice(xs, 1, None))"));
        assert!(fixed(text, 10).contains("list(itertools.pairwise(xs))"));
    }

    #[test]
    fn an_import_below_its_first_use_is_of_no_use() {
        let text = "xs = list('abc' * 100)\npairs = list(zip(xs, xs[1:]))\nimport itertools\n";
        assert_eq!(fixed(text, 10), text);
    }
}
