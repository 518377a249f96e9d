//! MS416: `ys = [f(x) for x in xs]`, then `for y in ys`.

use super::ms401_list_to_aggregate::has_quiet_key;
use super::patterns::{Takes, as_generator, consumer, loop_over, takes_all};
use super::short::{few, few_items, is_fields, is_named_short, is_written_out, short_name};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::finding::Edit;
use crate::model::{Region, ScopeKind};
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS416",
    name: "list-used-once",
    what: "A list given a name only for the next statement to go over it once.",
    why: "All items are in memory together, though each is looked at once.",
    not_when: "Where the list is used a second time, or something comes between: a generator gives its items \
               only once, and late. Items that begin work which goes on by itself, such as \
               `pool.submit(…)`, are not reported, nor are those of an asynchronous comprehension, those made of \
               the fields of a line, or a few.",
    fix: "A generator. Safe if the items call nothing but builtins that change nothing, nothing that they \
          read can change before they are taken, and either they cannot fail or taking them is the first \
          thing that the next statement does.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "ys = [x * 2 for x in range(300_000)]\ntotal = sum(ys)\n",
        after: "ys = (x * 2 for x in range(300_000))\ntotal = sum(ys)\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let [target @ Expr::Name(_)] = &assign.targets[..] else { return };
    let Some(id) = cx.symbol_of(target) else { return };
    let symbol = cx.symbol(id);
    let scope = cx.scope(symbol.scope);
    // One binding, one use, both in a function: at a module's or class's top anybody may look the name up.
    let [used] = symbol.uses[..] else { return };
    if symbol.bindings.len() != 1 || symbol.captured || scope.kind != ScopeKind::Function || scope.by_string {
        return;
    }
    let Some(name) = cx.expr(used) else { return };
    let Some(next) = cx.next_stmt(statement) else { return };
    if is_named_short(target) {
        return;
    }
    if !cx.region_of(cx.id(next)).has(used) || cx.repeated_within(used, next) {
        return;
    }
    let taken = match (loop_over(cx, name), consumer(cx, name)) {
        (Some(rounds), _) => Taken::OneByOne(rounds),
        (None, Some(consumer)) => match consumer.takes {
            Takes::OneByOne => Taken::OneByOne(consumer.region),
            Takes::UntilKnown => Taken::UntilKnown,
            Takes::Into if matches!(consumer.name, "extend" | "update") => Taken::OneByOne(consumer.region),
            Takes::All if !has_quiet_key(cx, consumer.call) => Taken::UntilKnown,
            Takes::All | Takes::Into => Taken::AtOnce,
            _ => return,
        },
        _ => return,
    };
    let (items, edits) = match &*assign.value {
        comp @ Expr::ListComp(it) => {
            let few = few_items(cx, comp) || it.generators.iter().all(|one| is_short(cx, &one.iter));
            // Only `async for` goes over an asynchronous generator.
            if few || it.generators.iter().any(|one| one.is_async) || awaits(cx, comp) {
                return;
            }
            (comp, as_generator(cx, comp))
        }
        call => match cx.call_of_one(call) {
            Some(("list", of @ Expr::Call(inner)))
                if matches!(cx.builtin(&inner.func), Some("map" | "filter" | "zip" | "range"))
                    && !few(cx, of) =>
            {
                (of, (!cx.has_comment(call.range())).then(|| vec![replace(call.range(), cx.text(of))]))
            }
            _ => return,
        },
    };
    let whole = cx.region_of(cx.id(next));
    if cx.begins_work(items) || cx.is_guard(items, whole) {
        return;
    }
    // An `except` clause would catch what making the items fails at.
    if matches!(next, Stmt::Try(it) if !it.handlers.is_empty()) && !cx.all_items_endure(items) {
        return;
    }
    // What the next statement evaluates before it takes the first item counts too.
    let unmoved = || cx.independent(items, whole);
    let proven = cx.pure(items)
        && match taken {
            Taken::OneByOne(rounds) => {
                let taken = takes_all(cx, name) && always(cx, name, next) && cx.unseen(whole, cx.id(items));
                unmoved() && cx.can_be_late(items, rounds, taken)
            }
            Taken::UntilKnown => unmoved() && cx.all_items_endure(items),
            Taken::AtOnce => is_first(cx, name, next) || unmoved() && cx.all_items_endure(items),
        };
    let doubt = "each item is made when it is taken: what it calls, reads or fails at comes later";
    let fix = edits.and_then(|mut edits| {
        // The statement that takes the items is left alone in this round: what is proven of it stays so.
        edits.push(Edit {
            start: next.start().to_usize(),
            end: next.end().to_usize(),
            text: cx.text(next).to_owned(),
        });
        fix(proven, "make the items as they are taken", doubt, edits)
    });
    cx.found(&*assign.value, format!("`{}` is a whole list that is gone over once", cx.text(target)), fix);
}

/// Whether a comprehension goes over what is short by its nature, or by the numbers of that.
fn is_short<'a>(cx: &Context<'_, 'a>, items: &'a Expr) -> bool {
    let items = match cx.builtin_call(items, "range").map(|range| &*range.arguments.args) {
        Some([first, ..]) if length_of(cx, first).is_some() => length_of(cx, first).unwrap_or(items),
        Some([_, to, ..]) => length_of(cx, to).unwrap_or(items),
        _ => items,
    };
    let named = match items {
        Expr::Attribute(it) => short_name(it.attr.as_str()),
        _ => is_named_short(items),
    };
    named || is_fields(cx, items) || is_written_out(cx, items)
}

/// What an expression is the length of.
fn length_of<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> Option<&'a Expr> {
    cx.call_of_one(expr).and_then(|(name, of)| (name == "len").then_some(of))
}

/// Whether an expression awaits something: as a generator it would be an asynchronous one.
fn awaits(cx: &Context<'_, '_>, expr: &Expr) -> bool {
    cx.region_of(cx.id(expr)).ids().any(|id| matches!(cx.expr(id), Some(Expr::Await(_))))
}

/// How the next statement takes the items.
enum Taken {
    /// All in one go.
    AtOnce,
    /// Until one decides, or with a function called between two of them.
    UntilKnown,
    /// With these nodes between two of them.
    OneByOne(Region),
}

/// Whether a statement evaluates a name whenever it runs, and catches nothing that happens then.
fn always<'a>(cx: &Context<'_, 'a>, name: &'a Expr, statement: &'a Stmt) -> bool {
    let head = match statement {
        Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::Expr(_) | Stmt::Return(_) => true,
        Stmt::For(it) => cx.region_of(cx.id(&*it.iter)).has(cx.id(name)),
        _ => false,
    };
    let mut inner = cx.id(name);
    head && cx.ancestors(inner).take_while(|above| *above > cx.id(statement)).all(|above| {
        let Some(expr) = cx.expr(above) else { return false };
        let first = match crate::model::comprehension(expr) {
            Some(generators) => generators.first().map(|first| cx.id(&first.iter)) == Some(inner),
            None => !matches!(
                expr,
                Expr::If(_) | Expr::BoolOp(_) | Expr::Lambda(_) | Expr::Compare(_) | Expr::Named(_)
            ),
        };
        inner = above;
        first
    })
}

/// Whether taking the items is the first thing in a statement that anybody could see.
fn is_first<'a>(cx: &Context<'_, 'a>, name: &'a Expr, statement: &'a Stmt) -> bool {
    let used = cx.id(name);
    // What is assigned to comes after the value.
    let from = match statement {
        Stmt::Assign(assign) => cx.id(&*assign.value),
        _ => cx.id(statement),
    };
    let before = Region { from, to: used };
    always(cx, name, statement)
        && before.ids().filter_map(|id| cx.expr(id)).all(|expr| {
            let around = cx.region_of(cx.id(expr)).has(used);
            if around {
                !expr.is_await_expr() && !expr.is_yield_expr()
            } else {
                cx.pure(expr) && is_quiet(cx, expr)
            }
        })
}

/// Whether nothing is seen of evaluating an expression, whose parts are looked at by themselves, and it does not
/// fail before the items could.
fn is_quiet<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Name(_) => {
            let called = cx.parent_expr(expr).and_then(Expr::as_call_expr);
            called.is_some_and(|call| cx.id(&*call.func) == cx.id(expr)) || cx.reaching(expr).is_some()
        }
        Expr::Attribute(_) => true,
        expr => !expr.is_call_expr() && cx.cannot_fail(expr),
    }
}
