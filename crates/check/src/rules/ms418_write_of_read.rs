//! MS418: `out.write(f.read())`.

use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, ExprCall, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS418",
    name: "write-of-read",
    what: "A file copied by reading all of it and writing all of it.",
    why: "The whole content is in memory; `shutil.copyfileobj` copies a block at a time.",
    not_when: "Where a part of the file is read, or the receiver is not known to be a file.",
    fix: "`shutil.copyfileobj(f, out)`. Safe if both are proven to be files opened alike.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import shutil, tempfile\nf = tempfile.TemporaryFile()\nf.write(bytes(4_000_000))\nf.seek(0)\nout = tempfile.TemporaryFile()\n",
        before: "out.write(f.read())\n",
        after: "shutil.copyfileobj(f, out)\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let Expr::Attribute(write) = &*call.func else { return };
    let [Expr::Call(inner)] = &*call.arguments.args else { return };
    let Expr::Attribute(read) = &*inner.func else { return };
    let copies = write.attr.as_str() == "write" && read.attr.as_str() == "read" && inner.arguments.is_empty();
    if !copies || !call.arguments.keywords.is_empty() || !matches!(cx.parent_stmt(expr), Some(Stmt::Expr(_))) {
        return;
    }
    let (from, to) = (cx.type_of(&read.value), cx.type_of(&write.value));
    let file = |ty| matches!(ty, Type::TextFile | Type::BinaryFile);
    let (Some(from), Some(to)) = (from, to) else { return };
    if !file(from.ty) || !file(to.ty) {
        return;
    }
    let fix = (!cx.has_comment(expr.range()))
        .then(|| cx.reach("shutil.copyfileobj", expr))
        .flatten()
        .and_then(|(name, mut edits)| {
            edits.push(replace(expr.range(), format!("{name}({}, {})", cx.text(&*read.value), cx.text(&*write.value))));
            fix(from.ty == to.ty && from.proven && to.proven, "copy a block at a time", "they may not be files", edits)
        });
    cx.found(expr, format!("`{}` has the whole file in memory to copy it", cx.brief(expr)), fix);
}
