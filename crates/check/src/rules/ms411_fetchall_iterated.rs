//! MS411: `for row in cursor.fetchall()`.

use super::ms408_readlines_iterated::used_in;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Expr, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS411",
    name: "fetchall-iterated",
    what: "`cursor.fetchall()` that a loop goes over once.",
    why: "All rows are in memory before the first is looked at. A cursor of `sqlite3`, and of most other \
          drivers, gives them one by one.",
    not_when: "Where the loop uses the cursor for another query.",
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

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Expr::Call(call) = it.iter else { return };
    let Expr::Attribute(method) = &*call.func else { return };
    if method.attr.as_str() != "fetchall" || !call.arguments.is_empty() || used_in(cx, &method.value, it.iter, it.body) {
        return;
    }
    let edits = vec![replace(it.iter.range(), cx.text(&*method.value))];
    let fix = (!cx.has_comment(it.iter.range()))
        .then(|| fix(false, "go over the cursor", "the loop may change what the query reads", edits))
        .flatten();
    cx.found(it.iter, format!("`{}` puts all rows in memory to go over them once", cx.brief(it.iter)), fix);
}
