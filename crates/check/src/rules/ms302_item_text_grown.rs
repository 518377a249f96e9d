//! MS302: `texts[key] += more`.

use super::few_rounds::{read_whole, stays_short};
use super::patterns::same_place;
use super::patterns_growth::{Growth, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::shape::Loop;
use crate::model::{NodeId, Type};
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS302",
    name: "item-text-grown",
    what: "A str, bytes or tuple in a dict or list that grows by `+=` in a loop.",
    why: "The container is a second reference to the text, so every step copies all there is, and the bytes \
          copied grow with the square of the length.",
    not_when: "Where the type of what is added is not known, where the loop runs a few times, and where each round of it has \
               another key, as in `for i in range(len(lines)): lines[i] += t`.",
    fix: "Keep a list of pieces, an `io.StringIO` or a `bytearray` under the key, and join at the end. There \
          is no automatic fix, since everything that reads the item changes.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "texts = {'a': ''}\n",
        before: "for i in range(3_000):\n    texts['a'] += 'row of a table'\n",
        after: "pieces = []\nfor i in range(3_000):\n    pieces.append('row of a table')\ntexts['a'] = ''.join(pieces)\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(
        growth @ Growth {
            target: Expr::Subscript(_), ty: ty @ (Type::Str | Type::Bytes | Type::Tuple), ..
        },
    ) = growth(cx, statement)
    else {
        return;
    };
    let id = cx.id(statement);
    if growth.goes_on(cx, statement)
        && !stays_short(cx, growth.target, id)
        && !read_whole(cx, growth.target, id)
        && !is_another_place(cx, growth.target, id)
    {
        let message = format!(
            "every `{}` copies the whole {}: the container refers to it too",
            cx.brief(statement),
            ty.name()
        );
        cx.found(&statement.range(), message, None);
    }
}

/// Whether the loop goes over the keys or places themselves: `for i in reversed(found): lines[i] += t`.
fn is_another_place<'a>(cx: &Context<'_, 'a>, place: &'a Expr, statement: NodeId) -> bool {
    let (Expr::Subscript(item), Some(Loop::For(around))) = (place, cx.loop_around(statement)) else {
        return false;
    };
    around.target.is_name_expr()
        && same_place(&around.target, &item.slice)
        && cx.loop_around(cx.id(around)).is_none()
}
