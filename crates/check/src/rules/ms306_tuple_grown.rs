//! MS306: `t += (x,)`.

use super::patterns_growth::{Growth, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Type;
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS306",
    name: "tuple-grown",
    what: "A tuple that grows by `+` in a loop.",
    why: "A tuple is never extended in place: every step copies all items there are.",
    not_when: "Where the value is not known to be a tuple, and outside loops.",
    fix: "Append to a list and make the tuple at the end.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "",
        before: "def build():\n    t = ()\n    for i in range(2_000):\n        t += (i,)\n    return t\nbuild()\n",
        after: "def build():\n    t = []\n    for i in range(2_000):\n        t.append(i)\n    return tuple(t)\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(growth @ Growth { target, ty: Type::Tuple, .. }) = growth(cx, statement) else { return };
    let grown = matches!(target, Expr::Name(_) | Expr::Attribute(_)) && growth.goes_on(cx, statement);
    if grown {
        cx.found(
            &statement.range(),
            format!("every `{}` copies the whole tuple; append to a list instead", cx.brief(statement)),
            None,
        );
    }
}
