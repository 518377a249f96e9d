//! MS418: `out.write(f.read())`.

use super::ms408_readlines_iterated::opened;
use super::patterns::same_place;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Bound, Type};
use crate::syntax::{Expr, ExprCall, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS418",
    name: "write-of-read",
    what: "A file copied by reading all of it and writing all of it.",
    why: "The whole content is in memory; `shutil.copyfileobj` copies a block at a time.",
    not_when: "Where a part of the file is read, where it is written to itself, or where the receiver is not \
               known to be a file.",
    fix: "`shutil.copyfileobj(f, out)`. Safe if both are opened here as bytes by `open`, the second with mode \
          `wb` or `xb` and surely open still: one opened to append may be the file that is read, and would be \
          copied without end; a closed one fails only when there is something to write; of text that cannot \
          be decoded or unpacked the first blocks would be written.",
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
    if !copies || !call.arguments.keywords.is_empty() || !matches!(cx.parent_stmt(expr), Some(Stmt::Expr(_)))
    {
        return;
    }
    let (from, to) = (cx.type_of(&read.value), cx.type_of(&write.value));
    let file = |ty| matches!(ty, Type::TextFile | Type::BinaryFile);
    let (Some(from), Some(to)) = (from, to) else { return };
    if !file(from.ty) || !file(to.ty) || same_place(&read.value, &write.value) {
        return;
    }
    let bytes = from.ty == Type::BinaryFile && to.ty == Type::BinaryFile && from.proven && to.proven;
    let new = match (opened(cx, &read.value), opened(cx, &write.value)) {
        (Some(source), Some(copy)) => {
            let plain = [source, copy].iter().all(|call| cx.is_builtin(&call.func, "open"));
            source.range() != copy.range() && plain && is_new(copy) && is_open(cx, &write.value)
        }
        _ => false,
    };
    let fix = (!cx.has_comment(expr.range()))
        .then(|| cx.reach("shutil.copyfileobj", expr))
        .flatten()
        .and_then(|(name, mut edits)| {
            edits.push(replace(
                expr.range(),
                format!("{name}({}, {})", cx.text(&*read.value), cx.text(&*write.value)),
            ));
            let doubt =
                "it may be closed, or one file under two names, and if a block cannot be copied those before it are";
            fix(bytes && new, "copy a block at a time", doubt, edits)
        });
    cx.found(expr, format!("`{}` has the whole file in memory to copy it", cx.brief(expr)), fix);
}

/// Whether a file that was opened is surely open where it is written to: inside the `with` that closes it, and
/// given to nothing that could.
fn is_open<'a>(cx: &Context<'_, 'a>, file: &'a Expr) -> bool {
    let Some((symbol, binding)) = cx.symbol_of(file).zip(cx.reaching(file)) else {
        return file.is_call_expr();
    };
    let within = !matches!(binding.how, Bound::With(_))
        || cx.ancestors(cx.id(file)).any(|above| above == cx.statement(binding.node));
    within
        && cx.symbol(symbol).uses.iter().all(|name| match cx.expr(cx.node(*name).parent) {
            Some(Expr::Attribute(it)) => {
                matches!(it.attr.as_str(), "write" | "writelines" | "flush" | "seek" | "tell")
            }
            _ => false,
        })
}

/// Whether a file is opened so that it holds nothing at first.
fn is_new(open: &ExprCall) -> bool {
    let mode = open.arguments.find_argument_value("mode", 1).and_then(Expr::as_string_literal_expr);
    mode.is_some_and(|mode| {
        mode.value.chars().any(|c| matches!(c, 'w' | 'x')) && !mode.value.chars().any(|c| c == '+')
    })
}
