//! MS303: `TEXT += more` where the name is not a plain local.

use super::few_rounds::{read_whole, stays_short};
use super::patterns_growth::{Growth, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{ScopeKind, Type};
use crate::syntax::{Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS303",
    name: "global-text-grown",
    what: "A str under a module's name, a `global` or a closure's name that grows by `+=` in a loop.",
    why: "CPython extends a str in place only in a plain local variable. A `global` name is never that; a \
          module's own name and a closure's are not since Python 3.11. Elsewhere every step copies all there is.",
    not_when: "A plain local `s += t` is linear, also within `try`, and is never reported. \
               Nor is what grows over a few rounds, or is looked at as a whole in each.",
    fix: "Do the work in a function with a local name, or use `io.StringIO`.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "text = ''\ndef grow():\n    global text\n    for i in range(3_000):\n        text += 'row of a table'\n\
                def grow_local():\n    own = ''\n    for i in range(3_000):\n        own += 'row of a table'\n    return own\n",
        before: "grow()\n",
        after: "text = grow_local()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(growth @ Growth { target, ty: Type::Str, .. }) = growth(cx, statement) else { return };
    let Some(symbol) = cx.symbol_of(target) else { return };
    let id = cx.id(statement);
    if !growth.goes_on(cx, statement) || stays_short(cx, target, id) || read_whole(cx, target, id) {
        return;
    }
    let symbol = cx.symbol(symbol);
    let kind = cx.scope(symbol.scope).kind;
    let here = cx.frame(id);
    let what = match kind {
        ScopeKind::Module if here != symbol.scope => "a global name's text is never extended in place",
        ScopeKind::Module => "a module's own name is not extended in place since Python 3.11",
        ScopeKind::Class => "a class's name is not extended in place since Python 3.11",
        ScopeKind::Function if symbol.captured => {
            "a name that a closure shares is not extended in place since Python 3.11"
        }
        _ => return,
    };
    cx.found(
        &statement.range(),
        format!("every `{}` copies the whole text: {what}", cx.brief(statement)),
        None,
    );
}
