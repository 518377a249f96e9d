//! MS417: `for path in glob.glob(pattern)`.

use super::patterns::between;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Region;
use crate::syntax::{Expr, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS417",
    name: "glob-iterated",
    what: "`glob.glob(…)` that a loop goes over once.",
    why: "All paths are in memory before the first is looked at; `glob.iglob` finds them one by one, reading \
          one folder at a time.",
    not_when: "Where the loop makes, moves or removes files, or runs a program that may: there the list is a \
               guard.",
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

/// Functions and methods that make, move or remove files, or run a program that may.
const CHANGES: &[&str] = &[
    "Popen",
    "call",
    "check_call",
    "check_output",
    "copy",
    "copy2",
    "copyfile",
    "copytree",
    "extractall",
    "link",
    "makedirs",
    "mkdir",
    "move",
    "remove",
    "removedirs",
    "rename",
    "renames",
    "rmdir",
    "rmtree",
    "run",
    "save",
    "savefig",
    "symlink",
    "system",
    "touch",
    "unlink",
    "write_bytes",
    "write_text",
];

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some(call) = cx.calls(it.iter, "glob.glob") else { return };
    let Some(region) = between(cx, it) else { return };
    if changes_files(cx, region) {
        return;
    }
    let fix = cx.reach("glob.iglob", it.iter).and_then(|(name, mut edits)| {
        edits.push(replace(call.func.range(), name));
        fix(false, "find them one by one", "files made or removed meanwhile may be met or missed", edits)
    });
    cx.found(it.iter, format!("`{}` makes a list of all paths to go over them once", cx.brief(it.iter)), fix);
}

/// Whether a region makes, moves or removes files.
fn changes_files<'a>(cx: &Context<'_, 'a>, region: Region) -> bool {
    region.ids().filter_map(|id| cx.expr(id)).any(|expr| {
        let Expr::Call(call) = expr else { return false };
        let name = match &*call.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(method) => method.attr.as_str(),
            _ => return false,
        };
        let replaces = name == "replace" && cx.is(&call.func, "os.replace");
        let writes = name == "open"
            && call.arguments.find_argument_value("mode", 1).is_some_and(|mode| {
                !mode
                    .as_string_literal_expr()
                    .is_some_and(|mode| mode.value.chars().all(|c| matches!(c, 'r' | 'b' | 't')))
            });
        CHANGES.contains(&name) || replaces || writes
    })
}
