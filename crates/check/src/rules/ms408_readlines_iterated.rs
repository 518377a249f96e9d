//! MS408: `for line in f.readlines()`.

use super::patterns::{Takes, between, consumer, takes_all};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Bound, Model, Region, ScopeKind, Type};
use crate::syntax::{Expr, ExprCall, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS408",
    name: "readlines-iterated",
    what: "`f.readlines()` that a loop, comprehension or function goes over once.",
    why: "All lines of the file are in memory before the first is looked at; the file itself gives them one \
          by one.",
    not_when: "Where the loop uses the file: `f.tell()`, `f.seek()`, `f.read()` and writing to it behave \
               otherwise while lines are being taken from it. In a function that is named `readlines` or tests it.",
    fix: "Go over `f`. Safe if it is opened here and nothing uses it in the loop or after it, and the loop \
          calls nothing that could write to it under another name. A line that cannot be decoded fails in its \
          round, not before the first: for text, nothing that the loop did until then may be seen, unless the \
          file is opened with `errors=` or `encoding=` such that anything can be decoded.",
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
    if let Some(region) = between(cx, it) {
        report(cx, it.iter, region);
    }
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
    if known.is_some() && !is_file || used_in(cx, file, expr, region) || within(cx, expr, "readlines") {
        return;
    }
    let alone = known.is_some_and(|known| is_file && known.proven) && used_last(cx, file, expr);
    let never_fails = known.is_some_and(|known| known.ty == Type::BinaryFile)
        || opened(cx, file).is_some_and(decodes_everything);
    let proven = alone
        && if never_fails {
            !cx.runs_other_code(region) && !uses_files(cx, expr, region)
        } else {
            takes_all(cx, expr) && cx.unseen(region, cx.id(expr))
        };
    let doubt =
        "the file may be changed or used meanwhile, and a line that cannot be decoded fails in its round";
    let fix = (!cx.has_comment(expr.range()))
        .then(|| fix(proven, "go over the file itself", doubt, vec![replace(expr.range(), cx.text(file))]))
        .flatten();
    let message = format!("`{}` puts all lines of the file in memory to go over them once", cx.brief(expr));
    cx.found(expr, message, fix);
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
    region
        .ids()
        .filter(|id| !own.has(*id))
        .filter_map(|id| cx.expr(id))
        .any(|other| super::patterns::same_place(other, file))
}

/// Whether an expression is in a function that is named for a method: one that hands it on, or tests it.
pub(super) fn within(cx: &Model<'_>, expr: &Expr, method: &str) -> bool {
    cx.function(cx.id(expr)).is_some_and(|function| function.name.contains(method))
}

/// The call of `open` that a file comes from.
pub(super) fn opened<'a>(cx: &Model<'a>, file: &'a Expr) -> Option<&'a ExprCall> {
    match file {
        Expr::Call(call) => Some(call),
        _ => match cx.reaching(file)?.how {
            Bound::With(Expr::Call(call)) | Bound::Assigned(Expr::Call(call)) => Some(call),
            _ => None,
        },
    }
}

/// Whether a file is opened so that any bytes can be decoded.
fn decodes_everything(open: &ExprCall) -> bool {
    let word =
        |name: &str| open.arguments.find_keyword(name).and_then(|word| word.value.as_string_literal_expr());
    word("errors").is_some_and(|how| {
        matches!(how.value.to_str(), "ignore" | "replace" | "surrogateescape" | "backslashreplace")
    }) || word("encoding").is_some_and(|encoding| {
        matches!(encoding.value.to_str().to_lowercase().as_str(), "latin-1" | "latin1" | "iso-8859-1")
    })
}

/// Whether a region reads or writes some file: it may be the one in question under another name.
fn uses_files<'a>(cx: &Model<'a>, apart: &'a Expr, region: Region) -> bool {
    let own = cx.region_of(cx.id(apart));
    region.ids().filter(|id| !own.has(*id)).filter_map(|id| cx.expr(id)).any(|expr| {
        expr.as_attribute_expr().is_some_and(|method| {
            matches!(cx.type_of(&method.value), Some(known) if matches!(known.ty, Type::TextFile | Type::BinaryFile))
        })
    })
}

/// Whether a file is opened here, nothing but a local name refers to it, and it is not used again: where
/// a loop over it is left early, it stands at another place than after `readlines`.
fn used_last<'a>(cx: &Model<'a>, file: &'a Expr, expr: &'a Expr) -> bool {
    if opened(cx, file).is_none() || file.is_call_expr() {
        return file.is_call_expr();
    }
    let (Some(id), Some(binding)) = (cx.symbol_of(file), cx.reaching(file)) else { return false };
    let symbol = cx.symbol(id);
    let here = cx.id(expr);
    let again = match cx.loop_around(here) {
        Some(around) => !cx.region(around.body()).has(binding.node),
        None => cx.repeated(here),
    };
    if matches!(binding.how, Bound::Assigned(_)) && !cx.bound_alone(binding.node) {
        return false;
    }
    let closed = matches!(binding.how, Bound::With(_)) || cx.scope(symbol.scope).kind == ScopeKind::Function;
    let own = cx.region_of(here);
    let next = symbol.bindings.iter().map(|it| it.node).filter(|node| *node > here).min();
    let later =
        |name: crate::model::NodeId| name > here && !own.has(name) && next.is_none_or(|next| name < next);
    closed
        && !again
        && !symbol.captured
        && !symbol.bound_elsewhere
        && symbol.uses.iter().all(|name| cx.use_of(*name) != crate::model::Use::GivesAway && !later(*name))
}
