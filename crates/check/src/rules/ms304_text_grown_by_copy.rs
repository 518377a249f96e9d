//! MS304: `s = s + a + b`, `s = f"{s}{t}"`, `s = t + s`.

use super::few_rounds::{read_whole, stays_short};
use super::patterns_growth::{Growth, How, growth, in_place};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix};
use crate::model::{ScopeKind, Type};
use crate::syntax::{Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS304",
    name: "text-grown-by-copy",
    what: "A local str that grows in a loop in a way that CPython cannot do in place.",
    why: "`s += t` on a local name extends the str in place. `s = s + a + b` makes `s + a` first, as a new \
          str; `f'{s}{t}'` and `t + s` make a new one too. Each step then copies all there is.",
    not_when: "`s += t` and `s = s + t` on a plain local name are linear and are never reported. Nor is \
               what grows over a few rounds, as the parts of a path, or is looked at as a whole in each.",
    fix: "`s += a + b`. Safe if all pieces are proven to be str. What is put in front has no fix: collect \
          the pieces and join them in reverse.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "cells = [str(i) for i in range(3_000)]\n",
        before: "def build():\n    s = ''\n    for cell in cells:\n        s = s + cell + ','\nbuild()\n",
        after: "def build():\n    s = ''\n    for cell in cells:\n        s += cell + ','\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(growth @ Growth { target, ty: Type::Str, .. }) = growth(cx, statement) else { return };
    let Some(symbol) = cx.symbol_of(target) else { return };
    let id = cx.id(statement);
    let symbol = cx.symbol(symbol);
    let local = cx.scope(symbol.scope).kind == ScopeKind::Function
        && !symbol.captured
        && cx.frame(id) == symbol.scope;
    if !local || !growth.goes_on(cx, statement) {
        return;
    }
    if stays_short(cx, target, id) || read_whole(cx, target, id) {
        return;
    }
    let name = cx.text(target);
    match growth.how {
        How::Chain(pieces) => {
            let proven = pieces.iter().all(|piece| cx.proven(piece) == Some(Type::Str));
            let fix = (!cx.has_comment(statement.range()))
                .then(|| {
                    let edits = vec![in_place(cx, statement, target, '+', &pieces)];
                    let proven = proven && cx.proven(target) == Some(Type::Str);
                    fix(proven, "add the pieces to each other first", "a piece may not be a str", edits)
                })
                .flatten();
            cx.found(
                &statement.range(),
                format!(
                    "`{}` copies all of `{name}`: only `{name} += …` extends it in place",
                    cx.brief(statement)
                ),
                fix,
            );
        }
        How::Formatted | How::Front => {
            cx.found(
                &statement.range(),
                format!("`{}` copies all of `{name}` at every step", cx.brief(statement)),
                None,
            );
        }
        How::Plain => {}
    }
}
