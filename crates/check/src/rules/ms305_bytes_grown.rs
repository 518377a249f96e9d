//! MS305: `data += more` where `data` is bytes.

use super::few_rounds::{is_cut, stays_short};
use super::patterns_growth::{Growth, How, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Type;
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS305",
    name: "bytes-grown",
    what: "A bytes value that grows by `+` in a loop.",
    why: "CPython never extends bytes in place, not even in a local name: every step copies all there is, \
          and the bytes copied grow with the square of the length.",
    not_when: "Where the value is not known to be bytes. A bytearray grows in place. Where it stays \
               short: over a few rounds, or as a buffer that the loop takes from as well.",
    fix: "Begin with `bytearray()`, which `+=` extends in place, or collect the pieces and `b''.join` them. \
          There is no automatic fix, since a bytearray is no bytes: it can't be a key of a dict, and its methods change it.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "piece = bytes(64)\n",
        before: "def build():\n    data = b''\n    for i in range(3_000):\n        data += piece\n    return data\nbuild()\n",
        after: "def build():\n    data = bytearray()\n    for i in range(3_000):\n        data += piece\n    return data\nbuild()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(ref growth @ Growth { target, ty: Type::Bytes, ref how }) = growth(cx, statement) else {
        return;
    };
    let grown = matches!(target, Expr::Name(_) | Expr::Attribute(_)) && growth.goes_on(cx, statement);
    let id = cx.id(statement);
    if grown && !stays_short(cx, target, id) && !is_cut(cx, target, id) {
        let advice = match how {
            // A bytearray is moved as well by what is put in front.
            How::Front => "collect the pieces, and join them in reverse",
            _ => "bytes are never extended in place, a bytearray is",
        };
        let message = format!("every `{}` copies the whole of it: {advice}", cx.brief(statement));
        cx.found(&statement.range(), message, None);
    }
}
