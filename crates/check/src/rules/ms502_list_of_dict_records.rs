//! MS502: `rows = [{"name": …, "age": …} for …]`, then `row["name"]`.

use super::patterns::int;
use super::patterns_layout::{Done, appended, done, in_loop_after, key_of, local, uses_of_target};
use super::short::few_items;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Model;
use crate::syntax::{Expr, ExprContext, ExprSubscript, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS502",
    name: "list-of-dict-records",
    what: "A local list of dicts that all have the same keys, each of which is only asked for these keys; \
           also `list(csv.DictReader(file))`.",
    why: "Every dict has a table of its own for its keys: with three of them it takes 184 bytes, 232 before \
          Python 3.11. An instance of a class with `__slots__` takes 56, a named tuple 72.",
    not_when: "Where the list or a row of it is passed on, returned or changed in its keys: there a dict may be \
               what is asked for. Where the dicts differ, or there are only a few.",
    fix: "A class with `__slots__`, a dataclass with `slots=True`, or a `NamedTuple`. There is no automatic \
          fix: it needs a name.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "from collections import namedtuple\nRow = namedtuple('Row', 'x y z')\n",
        before: "rows = [{'x': 1, 'y': 2, 'z': 3} for _ in range(100_000)]\ntotal = sum(row['x'] for row in rows)\n",
        after: "rows = [Row(1, 2, 3) for _ in range(100_000)]\ntotal = sum(row.x for row in rows)\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Some(rows) = local(cx, statement) else { return };
    let read =
        matches!(cx.call_of_one(rows.value), Some(("list", of)) if cx.calls(of, "csv.DictReader").is_some());
    let mut dicts = match rows.value {
        comp @ Expr::ListComp(it) if !few_items(cx, comp) => vec![&*it.elt],
        Expr::List(list) if list.elts.is_empty() => Vec::new(),
        _ if read => Vec::new(),
        _ => return,
    };
    let (mut uses, mut in_loop) = (Vec::new(), read || !dicts.is_empty());
    for name in &rows.uses {
        let Some(done) = done(cx, name) else { return };
        match appended(&done) {
            Some(item) => {
                dicts.push(item);
                in_loop |= in_loop_after(cx, cx.id(*name), rows.symbol);
            }
            None => uses.push(done),
        }
    }
    // What a file's first line says is not known here.
    let keys = if read { None } else { dicts.first().and_then(|dict| keys_of(dict)) };
    let alike = match &keys {
        Some(keys) => keys.len() > 1 && dicts.iter().all(|dict| keys_of(dict).is_some_and(|it| it == *keys)),
        None => read && dicts.is_empty(),
    };
    if !alike || !in_loop {
        return;
    }
    let mut asked = false;
    for done in uses {
        match asks(cx, &done, keys.as_deref()) {
            Some(keyed) => asked |= keyed,
            None => return,
        }
    }
    let Stmt::Assign(assign) = statement else { return };
    if asked {
        let name = cx.text(&assign.targets[0]);
        let message = format!(
            "every dict in `{name}` has the same keys; a class with `__slots__` holds as much in a third of the bytes"
        );
        let costs = dicts.iter().map(|dict| dict.range()).collect();
        cx.found_with_costs(*dicts.first().unwrap_or(&rows.value), message, None, costs);
    }
}

/// The keys of a dict display, if all are constant texts and each comes once.
fn keys_of(dict: &Expr) -> Option<Vec<&str>> {
    let items = &dict.as_dict_expr()?.items;
    let keys: Option<Vec<&str>> =
        items.iter().map(|item| Some(item.key.as_ref()?.as_string_literal_expr()?.value.to_str())).collect();
    keys.filter(|keys| keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key)))
}

/// Whether a use of the list asks its rows for their keys; `None` if it does anything else with a row.
fn asks<'a>(cx: &Model<'a>, done: &Done<'a>, keys: Option<&[&str]>) -> Option<bool> {
    let keyed = |row: &'a Expr| match cx.parent_expr(row)? {
        Expr::Subscript(it) if cx.id(&*it.value) == cx.id(row) => by_key(it, keys),
        _ => None,
    };
    match done {
        Done::Tested | Done::Passed("len", _) => Some(false),
        Done::Read(row, it) => {
            let one = int(&it.slice).is_some() || it.slice.is_name_expr();
            one.then(|| keyed(row)).flatten()
        }
        Done::Iterated(target) => {
            let rows = uses_of_target(cx, target)?;
            rows.iter().try_fold(false, |_, row| keyed(row))
        }
        _ => None,
    }
}

/// Whether `row["key"]` reads or sets one of the keys, or any where they are not known.
fn by_key(subscript: &ExprSubscript, keys: Option<&[&str]>) -> Option<bool> {
    let known = key_of(subscript).is_some_and(|key| keys.is_none_or(|keys| keys.contains(&key)));
    (known && subscript.ctx != ExprContext::Del).then_some(true)
}
