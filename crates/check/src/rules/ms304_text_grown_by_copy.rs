//! MS304: `s = s + a + b`, `s = f"{s}{t}"`, `s = t + s`.

use super::patterns::{Growth, How, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{ScopeKind, Type};
use crate::syntax::{Ranged, Stmt, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS304",
    name: "text-grown-by-copy",
    what: "A local str that grows in a loop in a way that CPython cannot do in place.",
    why: "`s += t` on a local name extends the str in place. `s = s + a + b` makes `s + a` first, as a new \
          str; `f'{s}{t}'` and `t + s` make a new one too. Each step then copies all there is.",
    not_when: "`s += t` and `s = s + t` on a plain local name are linear and are never reported.",
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
    let local = cx.scope(symbol.scope).kind == ScopeKind::Function && !symbol.captured && cx.frame(id) == symbol.scope;
    if !local || cx.loop_around(id).is_none() {
        return;
    }
    // Begun anew in every round of the loop, it only grows for a few steps.
    if growth.begun_within(cx, statement) {
        return;
    }
    let name = cx.text(target);
    match growth.how {
        How::Chain(pieces) => {
            let rest = TextRange::new(pieces[0].start(), pieces[pieces.len() - 1].end());
            let str_pieces = pieces.iter().all(|piece| cx.proven(piece) == Some(Type::Str));
            let plain = !cx.has_comment(statement.range()) && pieces.iter().all(|piece| cx.outer_range(piece) == piece.range() || *piece != pieces[0]);
            let fix = plain
                .then(|| {
                    let edits = vec![replace(TextRange::new(target.end(), rest.start()), " += ")];
                    fix(str_pieces && cx.proven(target) == Some(Type::Str), "add the pieces to each other first", "a piece may not be a str", edits)
                })
                .flatten();
            cx.found(&statement.range(), format!("`{}` copies all of `{name}`: only `{name} += …` extends it in place", cx.brief(statement)), fix);
        }
        How::Formatted | How::Front => {
            cx.found(&statement.range(), format!("`{}` copies all of `{name}` at every step", cx.brief(statement)), None);
        }
        How::Plain => {}
    }
}
