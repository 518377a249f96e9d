//! MS310: `shown = s` and `s += t` in the same loop.

use super::patterns_growth::{Growth, How, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{ScopeKind, Type};
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS310",
    name: "text-grown-while-shared",
    what: "A local str that grows by `+=` in a loop which also gives it a second name.",
    why: "While another name refers to the str, CPython must not extend it in place: the step after each \
          sharing copies all there is.",
    not_when: "Where the other name is bound outside the loop, or does not hold the str itself.",
    fix: "Write to an `io.StringIO`, or take the second name once, after the loop.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "def build():\n    s = ''\n    for i in range(3_000):\n        shown = s\n        s += 'row of a table'\n    return shown\nbuild()\n",
        after: "def build():\n    s = ''\n    for i in range(3_000):\n        s += 'row of a table'\n    shown = s\n    return shown\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(growth @ Growth { target, ty: Type::Str, how: How::Plain, .. }) = &growth(cx, statement) else {
        return;
    };
    let Some(symbol) = cx.symbol_of(target) else { return };
    let symbol = cx.symbol(symbol);
    let Some(around) = cx.loop_around(cx.id(statement)) else { return };
    if cx.scope(symbol.scope).kind != ScopeKind::Function || symbol.captured || !growth.goes_on(cx, statement)
    {
        return;
    }
    let body = cx.region(around.body());
    // Only what happens in every round makes every step copy.
    let in_every_round = |other: &'a Stmt| around.body().iter().any(|it| it.range() == other.range());
    let shared = symbol.uses.iter().filter(|name| body.has(**name)).find_map(|name| {
        let parent = cx.stmt(cx.node(*name).parent).filter(|parent| in_every_round(parent))?;
        let Stmt::Assign(assign) = parent else { return None };
        // The other name must still hold it when it grows.
        let holds = |other: &&'a Expr| {
            other.is_name_expr()
                && cx.symbol_of(other).is_some_and(|other| cx.symbol(other).bindings.len() <= 2)
        };
        (cx.id(&*assign.value) == *name).then(|| assign.targets.iter().find(holds)).flatten()
    });
    if let Some(other) = shared {
        let message = format!(
            "`{}` copies the whole text while `{}` refers to it too",
            cx.brief(statement),
            cx.text(other)
        );
        cx.found(&statement.range(), message, None);
    }
}
