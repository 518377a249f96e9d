//! MS419: `for line in subprocess.check_output(command).splitlines()`.

use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::Context;
use crate::syntax::Expr;

pub(super) const RULE: Rule = Rule {
    code: "MS419",
    name: "output-split",
    what: "All output of a program collected, to go over its lines.",
    why: "The output and all its lines are in memory together, and the first line waits for the program's end.",
    not_when: "Where the output is used as a whole.",
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
    let mut at = it.iter;
    let mut by_line = false;
    // Down through `.decode().strip().splitlines()`.
    while let Expr::Call(call) = at {
        if cx.is(&call.func, "subprocess.check_output") {
            if by_line {
                cx.found(it.iter, "all output of the program, and all its lines, are in memory together", None);
            }
            return;
        }
        let Expr::Attribute(method) = &*call.func else { return };
        by_line |= matches!(method.attr.as_str(), "splitlines" | "split");
        at = &method.value;
    }
}
