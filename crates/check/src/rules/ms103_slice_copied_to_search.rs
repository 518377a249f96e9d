//! MS103: `x in xs[1:]`, `xs[i:].index(x)`.

use super::patterns::slice;
use super::spans::is_tail;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{CmpOp, Expr, ExprSubscript, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS103",
    name: "slice-copied-to-search",
    what: "A slice of a list or tuple made to look for something in it.",
    why: "`x in xs[1:]` copies all items but one to find the first that is equal. `xs.index(x, 1)` and \
          `islice` look at the list itself.",
    not_when: "The sequence must be known to be a list or tuple, and the slice to hold more than a few items.",
    fix: "`x in itertools.islice(xs, 1, None)`. Safe if the list or tuple is proven and the bounds are \
          proven not to be negative.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import itertools\nxs = list(range(300_000))\n",
        before: "found = -1 in xs[1:]\n",
        after: "found = -1 in itertools.islice(xs, 1, None)\n",
        needs: &[],
    },
    on: &[On::Subscript(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, _: &'a ExprSubscript) {
    let Some(slice) = slice(cx, expr) else { return };
    if !matches!(slice.ty(), Some(Type::List | Type::Tuple))
        || slice.is_full()
        || slice.is_reversed()
        || slice.is_small(cx)
        || is_tail(&slice)
    {
        return;
    }
    match cx.parent_expr(expr) {
        Some(Expr::Compare(compare)) => {
            let searched = matches!(*compare.ops, [CmpOp::In | CmpOp::NotIn])
                && compare.comparators[0].range() == expr.range();
            if !searched {
                return;
            }
            let fix = slice.as_islice(cx).and_then(|(call, mut edits, natural)| {
                edits.push(replace(expr.range(), call));
                let proven = slice.proven() && natural;
                fix(proven, "search with `itertools.islice`", &slice.doubts(natural, true), edits)
            });
            cx.found(expr, format!("`{}` {} only to search it", cx.brief(expr), slice.says()), fix);
        }
        Some(method_of @ Expr::Attribute(method)) if matches!(method.attr.as_str(), "index" | "count") => {
            let Some(Expr::Call(_)) = cx.parent_expr(method_of) else { return };
            cx.found(expr, format!("`{}` {} only to search it", cx.brief(expr), slice.says()), None);
        }
        _ => {}
    }
}
