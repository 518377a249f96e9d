//! How many items something can have at most, by the way in which the same file makes it: a range with
//! numbers for bounds, a list written out and what is made from it. A list of a thousand references is
//! eight kilobytes, and not worth a word.

use std::cell::Cell;

use super::kept::in_test;
use super::short::{FEW, few_items, is_fields, of_arguments};
use crate::model::{Binding, Bound, Model, NodeId, ScopeKind, Symbol, Use, comprehension, int};
use crate::syntax::{BoolOp, CmpOp, Expr, ExprCall, Operator, Stmt};

/// Up to so many items a list of references is not worth a word.
const MANY: i64 = 1000;

/// In how many places a name may be whose items are counted.
const PLACES: usize = 300;

/// How many expressions are looked at for one count: names that are made of each other have no end.
const STEPS: u32 = 64;

/// Whether a comprehension makes a list that is known to be short.
pub(super) fn makes_few<'a>(cx: &Model<'a>, comp: &'a Expr) -> bool {
    let Some(generators) = comprehension(comp) else { return false };
    // The parts of the parts of a line are a few as well.
    let of_a_line = || {
        generators.iter().all(|it| {
            it.iter.as_call_expr().is_some_and(|call| !call.arguments.is_empty()) && is_fields(cx, &it.iter)
        })
    };
    few_items(cx, comp)
        || of_a_line()
        || has_few(cx, comp)
        || looks_up(cx, comp)
        || picks_keys(cx, comp)
        || is_unpacked(cx, comp)
        || in_stub(cx, cx.id(comp))
}

/// Whether something is known to have no more items than are worth a word.
pub(super) fn has_few<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    most(cx, of, &Cell::new(STEPS)).is_some_and(|n| n <= MANY)
}

/// Whether a dict or set is written out, with some items but few, and nothing adds to it.
pub(super) fn written_few<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    most(cx, of, &Cell::new(STEPS)).is_some_and(|n| (1..=MANY).contains(&n))
}

/// How many items an expression has at most; `None` if that is not known.
fn most<'a>(cx: &Model<'a>, of: &'a Expr, steps: &Cell<u32>) -> Option<i64> {
    steps.set(steps.get().checked_sub(1)?);
    if of_arguments(cx, of) {
        return Some(FEW);
    }
    let all = |items: &'a [Expr]| {
        items.iter().try_fold(0_i64, |sum, item| match item {
            Expr::Starred(rest) => Some(sum.saturating_add(most(cx, &rest.value, steps)?)),
            _ => Some(sum.saturating_add(1)),
        })
    };
    match of {
        Expr::List(list) => all(&list.elts),
        Expr::Tuple(tuple) => all(&tuple.elts),
        Expr::Set(set) => all(&set.elts),
        Expr::Dict(dict) => {
            dict.items.iter().all(|item| item.key.is_some()).then_some(dict.items.len() as i64)
        }
        Expr::StringLiteral(text) => Some(text.value.chars().count() as i64),
        Expr::BytesLiteral(text) => Some(text.value.bytes().count() as i64),
        Expr::Name(name) if name.id.ends_with("args") => Some(FEW),
        Expr::Name(_) => most_of_name(cx, of, steps),
        Expr::Attribute(_) if cx.is(of, "sys.path") => Some(FEW),
        Expr::Call(call) => most_of_call(cx, of, call, steps),
        Expr::If(either) => Some(most(cx, &either.body, steps)?.max(most(cx, &either.orelse, steps)?)),
        Expr::BinOp(op) => match op.op {
            Operator::Add => Some(most(cx, &op.left, steps)?.saturating_add(most(cx, &op.right, steps)?)),
            Operator::Mult => Some(most(cx, &op.left, steps)?.saturating_mul(int(&op.right)?)),
            _ => None,
        },
        Expr::Subscript(part) => {
            let bounds = part.slice.as_slice_expr()?;
            let (from, to) = (bounds.lower.as_deref().and_then(int), bounds.upper.as_deref().and_then(int));
            match (from, to, bounds.lower.is_some(), bounds.upper.is_some()) {
                (_, Some(to), false, _) if to >= 0 => Some(to),
                (Some(from), Some(to), ..) if from >= 0 && to >= 0 => Some((to - from).max(0)),
                (Some(from), None, _, false) if from < 0 => Some(from.saturating_neg()),
                _ => most(cx, &part.value, steps),
            }
        }
        _ => comprehension(of)?
            .iter()
            .try_fold(1_i64, |product, it| Some(product.saturating_mul(most(cx, &it.iter, steps)?))),
    }
}

fn most_of_name<'a>(cx: &Model<'a>, name: &'a Expr, steps: &Cell<u32>) -> Option<i64> {
    let symbol = cx.symbol(cx.symbol_of(name)?);
    // All places of a name are gone through for each that asks.
    if symbol.bound_elsewhere || symbol.uses.len() + symbol.bindings.len() > PLACES {
        return None;
    }
    let begun = match cx.reaching(name).map(|binding| binding.how) {
        Some(Bound::Assigned(value) | Bound::Annotated(_, Some(value))) => most(cx, value, steps)?,
        Some(Bound::Element(iter)) => {
            let items = written_out(cx, iter)?;
            items.iter().try_fold(0, |most_yet, item| Some(most(cx, item, steps)?.max(most_yet)))?
        }
        Some(_) => return None,
        // Whichever of them the name has, together they are no fewer.
        None => symbol.bindings.iter().try_fold(0_i64, |sum, binding| {
            let value = match binding.how {
                Bound::Assigned(value) | Bound::Annotated(_, Some(value)) => value,
                Bound::Augmented(grown)
                    if grown.op == Operator::Add && is_done_once(cx, symbol, binding.node) =>
                {
                    &grown.value
                }
                _ => return None,
            };
            Some(sum.saturating_add(most(cx, value, steps)?))
        })?,
    };
    let mut changes = symbol.uses.iter().filter(|it| cx.use_of(**it) == Use::Changes).peekable();
    // What begins empty is there to be filled, perhaps in ways that are not seen.
    if changes.peek().is_some() && begun == 0 {
        return None;
    }
    changes.try_fold(begun, |sum, change| {
        let added =
            if is_done_once(cx, symbol, *change) { added(cx, cx.expr(*change)?, steps) } else { None };
        Some(sum.saturating_add(added?))
    })
}

/// How many items a change adds to what a name refers to.
fn added<'a>(cx: &Model<'a>, name: &'a Expr, steps: &Cell<u32>) -> Option<i64> {
    let method = match cx.parent_expr(name)? {
        Expr::Subscript(item) if !item.slice.is_slice_expr() => return Some(1),
        method => method,
    };
    let call = cx.parent_expr(method)?.as_call_expr()?;
    match method.as_attribute_expr()?.attr.as_str() {
        "append" | "add" | "insert" | "setdefault" => Some(1),
        "extend" | "update" if call.arguments.keywords.is_empty() => {
            most(cx, call.arguments.args.first()?, steps)
        }
        "sort" | "reverse" | "pop" | "remove" | "discard" => Some(0),
        _ => None,
    }
}

/// Whether a node is run but once before its name has a new value: in no loop that does not begin anew.
fn is_done_once(cx: &Model<'_>, symbol: &Symbol<'_>, node: NodeId) -> bool {
    let anew = |it: &Binding<'_>| matches!(it.how, Bound::Assigned(_));
    let here = cx.frame(node) == cx.scope_frame(symbol.scope);
    let by_comprehension = cx.stmt(cx.statement(node)).is_some_and(|it| cx.repeated_within(node, it));
    here && !by_comprehension
        && cx
            .loop_around(node)
            .is_none_or(|around| symbol.bindings_in(cx.region(around.body())).iter().any(anew))
}

fn most_of_call<'a>(cx: &Model<'a>, whole: &'a Expr, call: &'a ExprCall, steps: &Cell<u32>) -> Option<i64> {
    let args = &call.arguments.args;
    let least = |of: &'a [Expr]| of.iter().filter_map(|it| most(cx, it, steps)).min();
    // A star import could have given the name to something else, but most likely has not.
    let by_name =
        |it: &'a Expr| it.as_name_expr().filter(|_| cx.symbol_of(it).is_none()).map(|it| it.id.as_str());
    match cx.builtin(&call.func).or_else(|| by_name(&call.func)) {
        Some("range") => {
            let number = |at: usize| args.get(at).map(|it| number(cx, it, steps));
            let (from, to) = match args.len() {
                1 => (0, number(0)??),
                _ => (number(0)??, number(1)??),
            };
            let step = number(2).unwrap_or(Some(1))?.checked_abs().filter(|step| *step > 0)?;
            Some((to.checked_sub(from)?.checked_abs()? + step - 1) / step)
        }
        Some("list" | "tuple" | "set" | "frozenset" | "sorted" | "reversed" | "enumerate" | "iter") => {
            most(cx, args.first()?, steps)
        }
        Some("dict") if call.arguments.keywords.is_empty() => most(cx, args.first()?, steps),
        Some("zip") => least(args),
        Some("divmod") => Some(2),
        Some("map" | "filter") => least(args.get(1..)?),
        Some(_) => None,
        None => match (call.func.as_attribute_expr()?.attr.as_str(), args.is_empty()) {
            ("keys" | "values" | "items" | "copy", true) => {
                most(cx, &call.func.as_attribute_expr()?.value, steps)
            }
            // As many as the pattern has.
            ("groups", _) => Some(FEW),
            ("split" | "rsplit", false) if is_fields(cx, whole) => Some(FEW),
            _ => None,
        },
    }
}

/// A number written out, or the most that a length can be; perhaps under a name.
fn number<'a>(cx: &Model<'a>, expr: &'a Expr, steps: &Cell<u32>) -> Option<i64> {
    let value = |expr: &'a Expr| {
        int(expr).or_else(|| match cx.call_of_one(expr)? {
            ("len", of) => most(cx, of, steps),
            _ => None,
        })
    };
    value(expr).or_else(|| match cx.reaching(expr)?.how {
        Bound::Assigned(assigned) => value(assigned),
        _ => None,
    })
}

/// The items of a display, perhaps under a name.
pub(super) fn written_out<'a>(cx: &Model<'a>, of: &'a Expr) -> Option<&'a [Expr]> {
    let value = match of {
        Expr::Name(_) => match cx.reaching(of)?.how {
            Bound::Assigned(value) => value,
            _ => return None,
        },
        _ => of,
    };
    match value {
        Expr::List(list) => Some(&list.elts),
        Expr::Tuple(tuple) => Some(&tuple.elts),
        Expr::Set(set) => Some(&set.elts),
        _ => None,
    }
}

/// Whether each item is looked up in a dict that is written out, by what an object made in the same function
/// goes over: `[names[n] for n in graph]`. That object has hardly more keys than the dict.
fn looks_up<'a>(cx: &Model<'a>, comp: &'a Expr) -> bool {
    let Expr::ListComp(list) = comp else { return false };
    let (Expr::Subscript(item), [only]) = (&*list.elt, &list.generators[..]) else { return false };
    let by_target = crate::model::same_place(&item.slice, &only.target);
    let made_here = cx.type_of(&only.iter).is_none()
        && cx.reaching(&only.iter).is_some_and(|it| matches!(it.how, Bound::Assigned(Expr::Call(_))));
    let table = match &*item.value {
        Expr::Attribute(it) => {
            let own = it.value.as_name_expr().is_some_and(|name| matches!(&*name.id, "self" | "cls"));
            let class = cx.class(cx.id(comp)).filter(|_| own);
            class.and_then(|class| {
                class.body.iter().find_map(|statement| match statement {
                    Stmt::Assign(assign) => match &assign.targets[..] {
                        [Expr::Name(name)] if name.id == it.attr.id => Some(&*assign.value),
                        _ => None,
                    },
                    _ => None,
                })
            })
        }
        name => match cx.reaching(name).map(|it| it.how) {
            Some(Bound::Assigned(value)) if has_few(cx, name) => Some(value),
            _ => None,
        },
    };
    by_target && made_here && table.is_some_and(|it| it.is_dict_expr() && has_few(cx, it))
}

/// Whether the items are those of a dict whose keys are among a few: `[v for k, v in d.items() if k in ("a", "b")]`.
fn picks_keys<'a>(cx: &Model<'a>, comp: &'a Expr) -> bool {
    let Some([only]) = comprehension(comp) else { return false };
    let view = only.iter.as_call_expr().filter(|call| call.arguments.is_empty());
    let Some(view) = view.and_then(|call| call.func.as_attribute_expr()) else { return false };
    let key = match (view.attr.as_str(), &only.target) {
        ("keys", key) => key,
        ("items", Expr::Tuple(pair)) if pair.elts.len() == 2 => &pair.elts[0],
        _ => return false,
    };
    let among = |test: &'a Expr| {
        test.as_compare_expr().is_some_and(|it| {
            *it.ops == [CmpOp::In]
                && crate::model::same_place(&it.left, key)
                && it.comparators.iter().all(|few| has_few(cx, few))
        })
    };
    only.ifs.iter().any(|test| match test {
        Expr::BoolOp(op) if op.op == BoolOp::And => op.values.iter().any(among),
        _ => among(test),
    })
}

/// Whether what is made of something, item by item, is unpacked into names: `a, b = [f(x) for x in it]`.
pub(super) fn is_unpacked<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let mut whole = of;
    while let Some(parent) = cx.parent_expr(whole) {
        let passed_on = match parent {
            Expr::Call(call) => {
                matches!(cx.builtin(&call.func), Some("list" | "tuple" | "map" | "sorted" | "reversed"))
            }
            _ => comprehension(parent).is_some_and(|all| {
                all.len() == 1 && all[0].ifs.is_empty() && cx.id(&all[0].iter) == cx.id(whole)
            }),
        };
        if !passed_on {
            return false;
        }
        whole = parent;
    }
    let Some(Stmt::Assign(assign)) = cx.parent_stmt(whole) else { return false };
    let names = |target: &Expr| match target {
        Expr::Tuple(names) => !names.elts.iter().any(Expr::is_starred_expr),
        Expr::List(names) => !names.elts.iter().any(Expr::is_starred_expr),
        _ => false,
    };
    cx.id(&*assign.value) == cx.id(whole) && assign.targets.iter().any(names)
}

/// Whether a node is in a class that a test makes for itself, which holds what the test puts into it.
fn in_stub(cx: &Model<'_>, id: NodeId) -> bool {
    let Some(function) = cx.function(id) else { return false };
    let around = cx.scope(cx.node(cx.id(function)).scope);
    around.kind == ScopeKind::Class && cx.function(around.node).is_some_and(|_| in_test(cx, around.node))
}
