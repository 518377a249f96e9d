//! MS410: `for line in text.split("\n")`.

use super::patterns::few_items;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::Context;
use crate::model::Type;
use crate::syntax::{Expr, ExprCall, Operator};

pub(super) const RULE: Rule = Rule {
    code: "MS410",
    name: "lines-of-text-iterated",
    what: "`text.split('\\n')` or `text.splitlines()` that a loop goes over once.",
    why: "All lines are made before the first is looked at: for each, some 50 bytes and its text once more.",
    not_when: "For a text written out in the file, and where the receiver is not known to be a str.",
    fix: "If the text came from a file, go over the file. Otherwise `re.finditer('.+', text)` gives one line \
          at a time. An `io.StringIO(text)` is no help: it keeps four bytes for each character.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import re\ntext = 'a line of text\\n' * 50_000\n",
        before: "for line in text.split('\\n'):\n    pass\n",
        after: "for match in re.finditer('.+', text):\n    line = match.group()\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Expr::Call(ExprCall { func, arguments, .. }) = it.iter else { return };
    let Expr::Attribute(method) = &**func else { return };
    let by_line = match (method.attr.as_str(), &*arguments.args) {
        ("splitlines", _) => true,
        ("split", [Expr::StringLiteral(text)]) => text.value.to_str() == "\n",
        _ => false,
    };
    let text = cx.type_of(&method.value).is_some_and(|known| known.ty == Type::Str);
    // What a file was read for is a matter of MS409; what is written out is short.
    let other = match &*method.value {
        Expr::Call(call) => call.func.as_attribute_expr().is_some_and(|inner| matches!(inner.attr.as_str(), "read" | "read_text")),
        Expr::StringLiteral(_) => true,
        Expr::BinOp(op) => op.op == Operator::Mod,
        _ => false,
    };
    if by_line && text && !other && !few_items(cx, it.iter) {
        cx.found(it.iter, format!("`{}` makes all lines to go over them once", cx.brief(it.iter)), None);
    }
}
