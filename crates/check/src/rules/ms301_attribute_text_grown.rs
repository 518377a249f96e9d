//! MS301: `self.text += more`.

use super::few_rounds::{leaves, read_whole, stays_short};
use super::patterns::{mentions, same_place};
use super::patterns_growth::{Growth, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{NodeId, Region, ScopeKind, Type};
use crate::syntax::{Expr, Ranged, Stmt, StmtClassDef};

pub(super) const RULE: Rule = Rule {
    code: "MS301",
    name: "attribute-text-grown",
    what: "A str in an attribute that grows by `+=` again and again.",
    why: "CPython can extend a str in place only while a local variable alone refers to it. An attribute is \
          a second reference, so every step copies all there is: the bytes copied grow with the square of the length.",
    not_when: "Where each round of the loop has another object, as in `for node in nodes: node.text += t`; \
               where the loop runs a few times or looks at all of the text in every round; and outside loops, \
               unless the attribute begins as an empty text in `__init__` alone, and other methods add to it.",
    fix: "Write to an `io.StringIO` kept in the attribute, or collect the pieces in a list and join them at \
          the end. There is no automatic fix, since everything that reads the attribute changes.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "import io\nclass Page:\n    pass\npage = Page()\n",
        before: "page.text = ''\nfor i in range(3_000):\n    page.text += 'row of a table'\n",
        after: "out = io.StringIO()\nfor i in range(3_000):\n    out.write('row of a table')\npage.text = out.getvalue()\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(growth) = growth(cx, statement) else { return };
    let (Expr::Attribute(attribute), Type::Str) = (growth.target, growth.ty) else { return };
    let id = cx.id(statement);
    let grows = growth.goes_on(cx, statement)
        && !stays_short(cx, growth.target, id)
        && !read_whole(cx, growth.target, id)
        && !is_begun_by_call(cx, &growth, id);
    if grows || accumulates(cx, &growth, statement) {
        let name = attribute.attr.as_str();
        let brief = cx.brief(statement);
        let message =
            format!("every `{brief}` copies all of `{name}`: an attribute's text is never extended in place");
        cx.found(&statement.range(), message, None);
    }
}

/// Whether the loop calls a method of the object that begins the text anew, by itself or by one that it calls
/// in turn: the text is then one token at a time.
fn is_begun_by_call<'a>(cx: &Context<'_, 'a>, growth: &Growth<'a>, statement: NodeId) -> bool {
    let (Some(around), Some(class)) = (cx.loop_around(statement), cx.class(statement)) else { return false };
    calls_beginner(cx, cx.region(around.body()), growth.target, class, 2)
}

fn calls_beginner<'a>(
    cx: &Context<'_, 'a>,
    region: Region,
    place: &'a Expr,
    class: &'a StmtClassDef,
    steps: u32,
) -> bool {
    let (Expr::Attribute(text), Some(left)) = (place, steps.checked_sub(1)) else { return false };
    let begins = |id| match cx.stmt(id) {
        Some(Stmt::Assign(it)) => {
            it.targets.iter().any(|target| same_place(target, place)) && !mentions(&it.value, place)
        }
        _ => false,
    };
    region.ids().filter_map(|id| cx.expr(id)?.as_call_expr()?.func.as_attribute_expr()).any(|called| {
        same_place(&called.value, &text.value)
            && class.body.iter().filter_map(Stmt::as_function_def_stmt).any(|method| {
                let body = cx.region(&method.body);
                method.name.as_str() == called.attr.as_str()
                    && (body.ids().any(begins) || calls_beginner(cx, body, place, class, left))
            })
    })
}

/// Whether a method adds to a text that its class begins empty once and for all: it is called many times.
/// What another method begins anew is the text of one element, and a class within a function serves that alone.
fn accumulates<'a>(cx: &Context<'_, 'a>, growth: &Growth<'a>, statement: &'a Stmt) -> bool {
    let id = cx.id(statement);
    let (Some(function), Some(class)) = (cx.function(id), cx.class(id)) else { return false };
    let own = cx.region_of(cx.id(function));
    let assigned = |other| match cx.stmt(other) {
        Some(Stmt::Assign(assign)) if assign.targets.iter().any(|it| same_place(it, growth.target)) => {
            Some(&*assign.value)
        }
        _ => None,
    };
    let begun_here = own.ids().filter_map(assigned).any(|value| !mentions(value, growth.target));
    let empty = |value: &Expr| value.as_string_literal_expr().is_some_and(|text| text.value.is_empty());
    let once = |at| cx.function(at).is_none_or(|method| method.name.as_str() == "__init__");
    let mut begun = cx
        .region_of(cx.id(class))
        .ids()
        .filter_map(|at| {
            // A text that is cut again, as an indent, is begun anew as well.
            let anew = |value: &&Expr| value.is_subscript_expr() || !mentions(value, growth.target);
            Some((at, assigned(at).filter(anew)?))
        })
        .peekable();
    // What happens when something failed happens once.
    let fails = matches!(leaves(cx, id), Some(Stmt::Raise(_)))
        || cx.ancestors(id).any(|above| match cx.stmt(above) {
            Some(Stmt::Try(it)) => {
                it.handlers.iter().any(|handler| handler.range().contains_range(statement.range()))
            }
            _ => false,
        });
    !begun_here
        && !fails
        && cx.loop_around(id).is_none()
        && cx.scope(cx.node(cx.id(class)).scope).kind != ScopeKind::Function
        && begun.peek().is_some()
        && begun.all(|(at, value)| empty(value) && once(at))
}
