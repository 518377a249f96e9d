//! MS413: `json.loads(f.read())`.

use super::kept::in_test;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::syntax::{Expr, ExprCall};

pub(super) const RULE: Rule = Rule {
    code: "MS413",
    name: "whole-file-parsed",
    what: "`json.loads(f.read())`: a whole file read to be parsed.",
    why: "The whole text is in memory together with what is parsed from it. `json.load(f)` reads better and \
          saves nothing: it reads the whole text too.",
    not_when: "For small files it does not matter; what a test reads is not reported.",
    fix: "Keep one document a line and parse line by line, or use a parser that takes a stream. There is no \
          automatic fix, since `json.load` would need as much.",
    saves: Saves::Nothing,
    experiment: Experiment {
        setup: "import io, json\nf = io.StringIO(json.dumps(list(range(30_000))))\n",
        before: "f.seek(0)\nparsed = json.loads(f.read())\n",
        after: "f.seek(0)\nparsed = json.load(f)\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, _: &'a ExprCall) {
    let Some(call) = cx.calls(expr, "json.loads") else { return };
    let Some(Expr::Call(read)) = call.arguments.args.first() else { return };
    let reads = read
        .func
        .as_attribute_expr()
        .is_some_and(|method| matches!(method.attr.as_str(), "read" | "read_text" | "read_bytes"));
    if reads && read.arguments.is_empty() && !in_test(cx, cx.id(expr)) {
        let message = format!(
            "`{}` has the whole text in memory with what is parsed; `json.load` would too",
            cx.brief(expr)
        );
        cx.found(expr, message, None);
    }
}
