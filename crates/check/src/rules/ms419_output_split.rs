//! MS419: `for line in subprocess.check_output(command).splitlines()`.

use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::Context;
use crate::syntax::Expr;

pub(super) const RULE: Rule = Rule {
    code: "MS419",
    name: "output-split",
    what: "All output of a program collected, to go over its lines.",
    why: "The output and all its lines are in memory together, and the first line waits for the program's end.",
    not_when: "Where the output is used as a whole, or is split into words.",
    fix: "`with subprocess.Popen(command, stdout=subprocess.PIPE) as program` and go over `program.stdout`. \
          There is no automatic fix, since the exit code has to be looked at too.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import subprocess, sys\ncommand = [sys.executable, '-c', \"print('a line of text\\\\n' * 50_000)\"]\n",
        before: "for line in subprocess.check_output(command).splitlines():\n    pass\n",
        after: "with subprocess.Popen(command, stdout=subprocess.PIPE) as program:\n    for line in program.stdout:\n        pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Expr::Call(call) = it.iter else { return };
    let Expr::Attribute(method) = &*call.func else { return };
    let by_line = match (method.attr.as_str(), &*call.arguments.args) {
        ("splitlines", _) => true,
        ("split", [Expr::StringLiteral(text)]) => text.value.to_str() == "\n",
        ("split", [Expr::BytesLiteral(text)]) => text.value.bytes().eq(*b"\n"),
        _ => false,
    };
    if by_line && of_output(cx, &method.value) {
        cx.found(it.iter, "all output of the program and all its lines are in memory together", None);
    }
}

/// Whether an expression is the output of a program, perhaps decoded and trimmed.
pub(super) fn of_output<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    if cx.is(&call.func, "subprocess.check_output") {
        return true;
    }
    call.func.as_attribute_expr().is_some_and(|method| {
        matches!(method.attr.as_str(), "decode" | "strip" | "rstrip" | "lstrip")
            && of_output(cx, &method.value)
    })
}
