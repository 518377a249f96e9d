//! MS417: `for path in glob.glob(pattern)`.

use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::Ranged;

pub(super) const RULE: Rule = Rule {
    code: "MS417",
    name: "glob-iterated",
    what: "`glob.glob(…)` that a loop goes over once.",
    why: "All paths are in memory before the first is looked at; `glob.iglob` finds them one by one.",
    not_when: "Where the loop makes or removes files: there the list is a guard. The fix is unsafe for that reason.",
    fix: "`glob.iglob(…)`. Unsafe: files made or removed meanwhile may be met or missed.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import glob, os, tempfile\nfolder = tempfile.TemporaryDirectory()\nfor i in range(40):\n    \
                sub = os.path.join(folder.name, f'{i:02}')\n    os.mkdir(sub)\n    for j in range(100):\n        \
                open(os.path.join(sub, f'{j:03}'), 'w').close()\npattern = os.path.join(folder.name, '*', '*')\n\
                for path in glob.iglob(pattern):\n    pass\n",
        before: "for path in glob.glob(pattern):\n    pass\n",
        after: "for path in glob.iglob(pattern):\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some(call) = cx.calls(it.iter, "glob.glob") else { return };
    let fix = cx.reach("glob.iglob", it.iter).and_then(|(name, mut edits)| {
        edits.push(replace(call.func.range(), name));
        fix(false, "find them one by one", "files made or removed meanwhile may be met or missed", edits)
    });
    cx.found(it.iter, format!("`{}` makes a list of all paths to go over them once", cx.brief(it.iter)), fix);
}
