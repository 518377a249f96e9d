//! MS408: `for line in f.readlines()`.

use super::patterns::{Takes, consumer};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Model, Region, Type};
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS408",
    name: "readlines-iterated",
    what: "`f.readlines()` that a loop, comprehension or function goes over once.",
    why: "All lines of the file are in memory before the first is looked at; the file itself gives them one \
          by one.",
    not_when: "Where the loop uses the file: `f.tell()`, `f.seek()`, `f.read()` and writing to it behave \
               otherwise while lines are being taken from it.",
    fix: "Go over `f`. Safe if it is proven to be a file that nothing in the loop uses.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import tempfile\nf = tempfile.TemporaryFile('w+')\nf.write('a line of text\\n' * 50_000)\nf.seek(0)\n",
        before: "for line in f.readlines():\n    pass\n",
        after: "for line in f:\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(iterated), On::Call(consumed)],
};

fn iterated<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let body = it.body;
    report(cx, it.iter, body);
}

fn consumed<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, _: &'a ExprCall) {
    let Some(consumer) = consumer(cx, expr) else { return };
    if !matches!(consumer.takes, Takes::Later | Takes::IntoList) {
        report(cx, expr, consumer.region);
    }
}

fn report<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, region: Region) {
    let Some(file) = readlines(expr) else { return };
    let known = cx.type_of(file);
    let is_file = known.is_some_and(|known| matches!(known.ty, Type::TextFile | Type::BinaryFile));
    if known.is_some() && !is_file || used_in(cx, file, expr, region) {
        return;
    }
    let proven = is_file && known.is_some_and(|known| known.proven) && own_file(cx, file);
    let fix = (!cx.has_comment(expr.range()))
        .then(|| fix(proven, "go over the file itself", "what is called may use the file meanwhile", vec![replace(expr.range(), cx.text(file))]))
        .flatten();
    cx.found(expr, format!("`{}` puts all lines of the file in memory to go over them once", cx.brief(expr)), fix);
}

/// The file of `f.readlines()`.
fn readlines(expr: &Expr) -> Option<&Expr> {
    let call = expr.as_call_expr()?;
    let method = call.func.as_attribute_expr()?;
    (method.attr.as_str() == "readlines" && call.arguments.is_empty()).then_some(&*method.value)
}

/// Whether a file is used in a region apart from one expression.
pub(super) fn used_in<'a>(cx: &Model<'a>, file: &'a Expr, apart: &'a Expr, region: Region) -> bool {
    let own = cx.region_of(cx.id(apart));
    region.ids().filter(|id| !own.has(*id)).filter_map(|id| cx.expr(id)).any(|other| super::patterns::same_place(other, file))
}

/// Whether nothing but a local name refers to a file.
pub(super) fn own_file<'a>(cx: &Model<'a>, file: &'a Expr) -> bool {
    if file.is_call_expr() {
        return true;
    }
    let Some(symbol) = cx.symbol_of(file) else { return false };
    let symbol = cx.symbol(symbol);
    !symbol.captured && !symbol.bound_elsewhere && symbol.uses.iter().all(|name| cx.use_of(*name) != crate::model::Use::GivesAway)
}
