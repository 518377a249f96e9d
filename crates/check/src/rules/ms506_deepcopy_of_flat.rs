//! MS506: `copy.deepcopy(template)` in a loop, of a dict of constants.

use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Bound, Model, ScopeKind, SymbolId, Type, Use};
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS506",
    name: "deepcopy-of-flat",
    what: "`copy.deepcopy` of a list, dict or set in a loop, though it holds nothing that can change.",
    why: "`deepcopy` keeps a dict of everything that it has met, and a list besides, each time that it is \
          called. Where there are only numbers and texts inside, `copy` gives the same without them.",
    not_when: "Where anything that could change is put in, here or by other code that gets hold of it.",
    fix: "`template.copy()`. Safe for a local name that is bound once and never changed, but for a set, whose items \
          may come in another order.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "import copy\ntemplate = {'name': '', 'size': 0}\n",
        before: "for _ in range(1_000):\n    row = copy.deepcopy(template)\n",
        after: "for _ in range(1_000):\n    row = template.copy()\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let [of @ Expr::Name(_)] = &*call.arguments.args else { return };
    if !cx.is(&call.func, "copy.deepcopy") || !call.arguments.keywords.is_empty() || !cx.repeated(cx.id(expr))
    {
        return;
    }
    let Some(id) = cx.symbol_of(of) else { return };
    let [binding] = cx.symbol(id).bindings[..] else { return };
    let Bound::Assigned(value) = binding.how else { return };
    if !is_flat(cx, value) || !is_kept_as_it_is(cx, id) {
        return;
    }
    let symbol = cx.symbol(id);
    let scope = cx.scope(symbol.scope);
    let ordered = !value.is_set_expr();
    let proven = ordered
        && scope.kind == ScopeKind::Function
        && !scope.by_string
        && !symbol.captured
        && !symbol.bound_elsewhere;
    let of = cx.text(of);
    let edits = vec![replace(expr.range(), format!("{of}.copy()"))];
    let mended = (!cx.has_comment(expr.range()))
        .then(|| {
            let doubt = match ordered {
                true => "other code may put something into it that can change",
                false => "the items may come in another order",
            };
            fix(proven, "copy it alone", doubt, edits)
        })
        .flatten();
    cx.found(
        expr,
        format!(
            "`{}` looks for what else to copy, every round, and `{of}` holds nothing that can change",
            cx.brief(expr)
        ),
        mended,
    );
}

/// Whether a display holds nothing but what never changes.
fn is_flat<'a>(cx: &Model<'a>, display: &'a Expr) -> bool {
    let constant = |it: &'a Expr| cx.proven(it).is_some_and(|ty| ty.immutable() && ty != Type::Range);
    match display {
        Expr::List(list) => list.elts.iter().all(constant),
        Expr::Set(set) => set.elts.iter().all(constant),
        Expr::Dict(dict) => {
            dict.items.iter().all(|item| item.key.as_ref().is_some_and(constant) && constant(&item.value))
        }
        _ => false,
    }
}

/// Whether all uses of a name in this file read it or make a deep copy of it.
fn is_kept_as_it_is(cx: &Model<'_>, id: SymbolId) -> bool {
    cx.symbol(id).uses.iter().all(|name| {
        let copied = cx
            .expr(cx.node(*name).parent)
            .and_then(Expr::as_call_expr)
            .is_some_and(|call| cx.is(&call.func, "copy.deepcopy"));
        let returned = matches!(cx.stmt(cx.node(*name).parent), Some(crate::syntax::Stmt::Return(_)));
        copied || cx.use_of(*name) == Use::Reads && !returned
    })
}
