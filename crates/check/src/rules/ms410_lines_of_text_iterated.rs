//! MS410: `for line in text.split("\n")`.

use super::counted::written_out;
use super::ms409_read_and_split::whole_file;
use super::ms419_output_split::of_output;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Bound, Type};
use crate::syntax::{Expr, ExprCall, Operator};

pub(super) const RULE: Rule = Rule {
    code: "MS410",
    name: "lines-of-text-iterated",
    what: "`text.split('\\n')` or `text.splitlines()` that a loop goes over once.",
    why: "All lines are made before the first is looked at: for each, some 50 bytes and its text once more.",
    not_when: "For a text written out in the file, a traceback or what `str()` gives, and where the receiver is \
               not known to be a str.",
    fix: "If the text came from a file, go over the file. Otherwise `re.finditer('(?m)^.*$', text)` gives what \
          `split('\\n')` does, one line at a time. An `io.StringIO(text)` is no help: it keeps four bytes for \
          each character. There is no automatic fix: `splitlines` also splits at other characters, such as a \
          form feed, and gives no empty last line.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import re\ntext = 'a line of text\\n' * 50_000\n",
        before: "for line in text.split('\\n'):\n    pass\n",
        after: "for match in re.finditer('(?m)^.*$', text):\n    line = match.group()\n",
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
    // What a file or a program was read for is a matter of MS409 and MS419.
    let other = whole_file(cx, &method.value) || of_output(cx, &method.value);
    if by_line && text && !other && !is_short(cx, &method.value) {
        cx.found(it.iter, format!("`{}` makes all lines to go over them once", cx.brief(it.iter)), None);
    }
}

/// Whether a text is written out in the file, or of a kind that is short.
fn is_short<'a>(cx: &Context<'_, 'a>, text: &'a Expr) -> bool {
    match text {
        Expr::StringLiteral(_) | Expr::FString(_) => true,
        Expr::BinOp(op) => op.op == Operator::Mod || is_short(cx, &op.left) && is_short(cx, &op.right),
        Expr::Name(_) => match cx.reaching(text).map(|binding| binding.how) {
            Some(Bound::Assigned(value)) => !value.is_name_expr() && is_short(cx, value),
            // One of several texts that are written out.
            Some(Bound::Element(iter)) => {
                written_out(cx, iter).is_some_and(|texts| texts.iter().all(|text| is_short(cx, text)))
            }
            _ => false,
        },
        Expr::Call(call) => {
            let of_exception = cx.path(&call.func).is_some_and(|path| path.starts_with("traceback."));
            let dedented = cx.path(&call.func).is_some_and(|path| path.starts_with("textwrap."))
                && call.arguments.args.first().is_some_and(|of| is_short(cx, of));
            let trimmed = call.func.as_attribute_expr().is_some_and(|method| {
                matches!(method.attr.as_str(), "strip" | "lstrip" | "rstrip" | "format")
                    && is_short(cx, &method.value)
            });
            of_exception
                || dedented
                || trimmed
                || matches!(cx.builtin(&call.func), Some("str" | "repr" | "input"))
        }
        _ => false,
    }
}
