//! MS411: `for row in cursor.fetchall()`.

use super::ms408_readlines_iterated::{used_in, within};
use super::patterns::between;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Region;
use crate::syntax::{Expr, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS411",
    name: "fetchall-iterated",
    what: "`cursor.fetchall()` that a loop goes over once.",
    why: "All rows are in memory before the first is looked at. A cursor of `sqlite3`, and of most other \
          drivers, gives them one by one.",
    not_when: "Where the loop uses the cursor, or any other, for another query or commits; in a function that opens a database in \
               memory, which holds what the function puts there, and in one named for `fetchall`.",
    fix: "Go over the cursor. Unsafe: the loop may change the table that is being read, the connection may \
          be shared, and a driver may not have iteration (PEP 249 leaves it open).",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t (a, b)')\n\
                db.executemany('insert into t values (?, ?)', ((i, str(i)) for i in range(30_000)))\ncursor = db.cursor()\n",
        before: "cursor.execute('select * from t')\nfor row in cursor.fetchall():\n    pass\n",
        after: "cursor.execute('select * from t')\nfor row in cursor:\n    pass\n",
        needs: &["sqlite3"],
    },
    on: &[On::Iterated(check)],
};

/// Methods that use a connection or cursor, whatever it is called.
const QUERIES: &[&str] = &[
    "callproc",
    "commit",
    "execute",
    "executemany",
    "executescript",
    "fetchall",
    "fetchmany",
    "fetchone",
    "rollback",
];

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Expr::Call(call) = it.iter else { return };
    let Expr::Attribute(method) = &*call.func else { return };
    let Some(region) = between(cx, it) else { return };
    if method.attr.as_str() != "fetchall"
        || !call.arguments.is_empty()
        || used_in(cx, holder(&method.value), it.iter, region)
        || queries(cx, it.iter, region)
        || within(cx, it.iter, "fetchall")
        || fills_it_itself(cx, it.iter)
    {
        return;
    }
    let edits = vec![replace(it.iter.range(), cx.text(&*method.value))];
    let doubt = "the loop may change what the query reads, and not every driver's cursor can be gone over";
    let fix =
        (!cx.has_comment(it.iter.range())).then(|| fix(false, "go over the cursor", doubt, edits)).flatten();
    cx.found(it.iter, format!("`{}` puts all rows in memory to go over them once", cx.brief(it.iter)), fix);
}

/// What the cursor comes from: `db` in `db.execute(query)`.
fn holder(cursor: &Expr) -> &Expr {
    match cursor {
        Expr::Call(call) => call.func.as_attribute_expr().map_or(cursor, |method| holder(&method.value)),
        _ => cursor,
    }
}

/// Whether a region asks some database something.
fn queries<'a>(cx: &Context<'_, 'a>, apart: &'a Expr, region: Region) -> bool {
    let own = cx.region_of(cx.id(apart));
    region
        .ids()
        .filter(|id| !own.has(*id))
        .filter_map(|id| cx.expr(id))
        .any(|expr| expr.as_attribute_expr().is_some_and(|method| QUERIES.contains(&method.attr.as_str())))
}

/// Whether the function around an expression opens a database in memory.
fn fills_it_itself<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> bool {
    let in_memory =
        |expr: &Expr| expr.as_string_literal_expr().is_some_and(|it| it.value.to_str() == ":memory:");
    cx.function(cx.id(expr))
        .is_some_and(|function| cx.region(&function.body).ids().filter_map(|id| cx.expr(id)).any(in_memory))
}
