//! MS508: `np.array([f(x) for x in xs])`.

use super::patterns::as_generator;
use super::short::few_items;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::{Model, Type};
use crate::syntax::{Expr, ExprCall, Ranged, TextRange, TextSize};

pub(super) const RULE: Rule = Rule {
    code: "MS508",
    name: "list-to-array",
    what: "A NumPy array made of a list comprehension of numbers: `np.array([float(x) for x in xs])`.",
    why: "The list has every number as an object of some 24 bytes and a reference to it, 32 in all, before the \
          array takes 8. `np.fromiter` takes the numbers one by one.",
    not_when: "Where the items are not known to be numbers: `fromiter` makes no array of rows.",
    fix: "`np.fromiter((float(x) for x in xs), dtype=float)`; with `count=len(xs)` it also makes the array in one \
          piece. Unsafe: whole numbers beyond 64 bits are an error there, and nothing at all gives an array of \
          another type.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import numpy as np\nwords = [str(i / 7) for i in range(200_000)]\n",
        before: "a = np.array([float(word) for word in words])\n",
        after: "a = np.fromiter((float(word) for word in words), dtype=float)\n",
        needs: &["numpy"],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let [items] = &*call.arguments.args else { return };
    if !cx.is(&call.func, "numpy.array") && !cx.is(&call.func, "numpy.asarray") {
        return;
    }
    let Some((of, ty)) = numbers(cx, items) else { return };
    let dtype = match &*call.arguments.keywords {
        [] => match ty {
            Type::Float => ", dtype=float",
            Type::Bool => ", dtype=bool",
            _ => ", dtype=int",
        },
        [word] if word.arg.as_deref() == Some("dtype") && is_number_type(cx, &word.value) => "",
        _ => return,
    };
    let mended = from_items(cx, call, items, of, dtype)
        .filter(|_| !cx.has_comment(TextRange::new(call.start(), items.start())));
    let mended = mended.and_then(|edits| {
        fix(
            false,
            "take the numbers one by one",
            "an empty list, and numbers beyond 64 bits, give something else",
            edits,
        )
    });
    cx.found(
        expr,
        format!(
            "`{}` makes a list of all numbers before the array; `fromiter` takes them one by one",
            cx.brief(expr)
        ),
        mended,
    );
}

/// What gives the numbers of a list that is made only to be passed, and their type.
fn numbers<'a>(cx: &Model<'a>, list: &'a Expr) -> Option<(&'a Expr, Type)> {
    let of = match list {
        Expr::ListComp(_) if !few_items(cx, list) => list,
        _ => match cx.call_of_one(list) {
            Some(("list", of)) if cx.builtin_call(of, "map").is_some() => of,
            _ => return None,
        },
    };
    let ty = cx.element_of(of)?.ty;
    matches!(ty, Type::Int | Type::Float | Type::Bool).then_some((of, ty))
}

fn is_number_type<'a>(cx: &Model<'a>, dtype: &'a Expr) -> bool {
    let Some(path) = cx.path(dtype) else {
        return matches!(cx.builtin(dtype), Some("int" | "float" | "bool" | "complex"));
    };
    path.strip_prefix("numpy.").is_some_and(|name| {
        ["int", "uint", "float", "complex", "bool", "double"].iter().any(|kind| name.starts_with(kind))
    })
}

/// The edits that make `np.array([…])` an `np.fromiter(…)`.
fn from_items<'a>(
    cx: &Context<'_, 'a>,
    call: &'a ExprCall,
    list: &'a Expr,
    of: &'a Expr,
    dtype: &str,
) -> Option<Vec<crate::finding::Edit>> {
    let Expr::Attribute(function) = &*call.func else { return None };
    let mut edits = vec![replace(function.attr.range(), "fromiter")];
    let (range, one) = (list.range(), TextSize::from(1));
    if list.is_list_comp_expr() {
        as_generator(cx, list)?;
        edits.push(replace(TextRange::at(range.start(), one), "("));
        edits.push(replace(TextRange::at(range.end() - one, one), format!("){dtype}")));
    } else if cx.has_comment(range) {
        return None;
    } else {
        edits.push(replace(range, format!("{}{dtype}", cx.argument_text(of))));
    }
    Some(edits)
}
