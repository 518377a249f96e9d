//! MS503: `xs = [float(word) for word in words]`.

use super::patterns::as_generator;
use super::patterns_layout::{Done, appended, done, in_loop_after, local};
use super::short::few_items;
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::finding::{Edit, Fix};
use crate::model::{Model, Type};
use crate::syntax::{Expr, Ranged, Stmt, TextRange, TextSize};

pub(super) const RULE: Rule = Rule {
    code: "MS503",
    name: "list-of-floats",
    what: "A local list of nothing but floats that is used as an array is: looked up, gone over, added up.",
    why: "Every float is an object of 24 bytes, and the list has 8 more for a reference to it. \
          `array.array('d')` has the 8 bytes of the number alone.",
    not_when: "Where the list is passed on, returned, compared or printed, or used once. Where the floats \
               are kept elsewhere as well, only the references are saved. Every look-up in an array makes a \
               new float, which takes a little longer.",
    fix: "`array.array('d', …)`. Safe if all that is stored is proven to be floats, by nothing but builtins.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import array\nwords = [str(i / 7) for i in range(100_000)]\n",
        before: "xs = [float(word) for word in words]\ntotal = sum(xs)\n",
        after: "xs = array.array('d', (float(word) for word in words))\ntotal = sum(xs)\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(floats) = local(cx, statement) else { return };
    let is_float = |value: &'a Expr| cx.proven(value) == Some(Type::Float);
    let begins_empty = floats.value.as_list_expr().is_some_and(|list| list.elts.is_empty());
    if !begins_empty && !made_of_floats(cx, floats.value) {
        return;
    }
    let (mut added, mut read) = (false, 0);
    for name in &floats.uses {
        let Some(done) = done(cx, name) else { return };
        match &done {
            _ if appended(&done).is_some_and(is_float) => {
                added |= in_loop_after(cx, cx.id(*name), floats.symbol);
            }
            Done::Stored(it, value) if !it.slice.is_slice_expr() && is_float(value) => {}
            Done::Tested => {}
            Done::Passed("len", _) => read += 1,
            Done::Read(_, it) if !it.slice.is_slice_expr() => read += repeats(cx, name),
            Done::Passed("sum" | "min" | "max" | "sorted" | "enumerate" | "zip" | "reversed", _) => {
                read += repeats(cx, name)
            }
            Done::Iterated(_) => read += repeats(cx, name),
            _ => return,
        }
    }
    // A list that is gone over once needs no container at all.
    if begins_empty && !added || read < if begins_empty { 1 } else { 2 } {
        return;
    }
    let mended = as_array(cx, floats.value);
    let costs = if begins_empty { floats.uses.iter().map(|name| name.range()).collect() } else { Vec::new() };
    let name = match statement {
        Stmt::Assign(assign) => cx.text(&assign.targets[0]),
        _ => return,
    };
    let message = format!("`{name}` holds nothing but floats, 32 bytes for each; an `array` holds it in 8");
    cx.found_with_costs(floats.value, message, mended, costs);
}

/// How often a use counts: in a loop it is more than one.
fn repeats(cx: &Model<'_>, name: &Expr) -> usize {
    1 + usize::from(cx.repeated(cx.id(name)))
}

/// Whether a list of unknown length is made of what is proven to be floats.
fn made_of_floats<'a>(cx: &Model<'a>, value: &'a Expr) -> bool {
    let floats = |items: &'a Expr| cx.element_of(items).is_some_and(|it| it.proven && it.ty == Type::Float);
    match value {
        comp @ Expr::ListComp(_) => floats(comp) && !few_items(cx, comp),
        call => {
            matches!(cx.call_of_one(call), Some(("list", of @ Expr::Call(_))) if cx.builtin_call(of, "map").is_some() && floats(of))
        }
    }
}

/// The fix that makes an array in the place of the list.
fn as_array<'a>(cx: &Context<'_, 'a>, value: &'a Expr) -> Option<Fix> {
    let (array, import) = cx.reach("array.array", value)?;
    let range = value.range();
    let mut edits: Vec<Edit> = match value {
        Expr::List(_) => vec![replace(range, format!("{array}(\"d\")"))],
        Expr::ListComp(_) => {
            as_generator(cx, value)?;
            let inner = TextRange::new(range.start() + TextSize::from(1), range.end() - TextSize::from(1));
            vec![
                replace(TextRange::new(range.start(), inner.start()), format!("{array}(\"d\", (")),
                replace(TextRange::new(inner.end(), range.end()), "))"),
            ]
        }
        call => {
            let (_, items) = cx.call_of_one(call)?;
            vec![replace(range, format!("{array}(\"d\", {})", cx.text(items)))]
        }
    };
    edits.extend(import);
    let clear = !value.is_call_expr() || !cx.has_comment(range);
    let proven = !matches!(value, Expr::ListComp(_)) || cx.pure(value);
    clear
        .then(|| {
            fix(proven, "hold the numbers in an array", "what the items call may end the making of it", edits)
        })
        .flatten()
}
