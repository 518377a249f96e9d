//! MS505: `df = pd.concat([df, row])` in a loop.

use super::ms504_array_grown::{again_and_again, is_part};
use super::patterns::same_place;
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Bound, Model, Type};
use crate::syntax::{Expr, ExprCall, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS505",
    name: "table-grown",
    what: "A pandas table that grows in a loop: `df = pd.concat([df, row])`, `df = df.append(row)`.",
    why: "A table cannot grow in place: every step makes a new one and copies all rows that are there, so the \
          bytes copied grow with the square of the number of rows.",
    not_when: "Outside loops, and where the table begins anew in every round.",
    fix: "Collect the rows or tables in a list, and call `pd.concat` or `pd.DataFrame` once after the loop. There \
          is no automatic fix, since everything that reads the table in the loop changes.",
    saves: Saves::Allocated,
    experiment: Experiment {
        setup: "import pandas as pd\npart = pd.DataFrame({'x': range(100)})\n",
        before: "df = pd.DataFrame({'x': range(100)})\nfor _ in range(100):\n    df = pd.concat([df, part])\n",
        after: "parts = [pd.DataFrame({'x': range(100)})]\nfor _ in range(100):\n    parts.append(part)\ndf = pd.concat(parts)\n",
        needs: &["pandas"],
    },
    on: &[On::Statement(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::Assign(assign) = statement else { return };
    let ([target], Expr::Call(call)) = (&assign.targets[..], &*assign.value) else { return };
    if (is_concat(cx, call, target) || is_append(cx, call, target)) && again_and_again(cx, statement, target)
    {
        let message = format!(
            "`{}` copies the whole table at every step; collect the parts in a list",
            cx.brief(&statement.range())
        );
        cx.found(&statement.range(), message, None);
    }
}

fn is_concat<'a>(cx: &Model<'a>, call: &'a ExprCall, target: &Expr) -> bool {
    let across = call.arguments.find_keyword("axis").is_some();
    cx.is(&call.func, "pandas.concat")
        && !across
        && call.arguments.find_argument_value("objs", 0).is_some_and(|parts| is_part(parts, target))
}

/// Whether `df = df.append(row)`, of what begins as a table.
fn is_append<'a>(cx: &Model<'a>, call: &'a ExprCall, target: &'a Expr) -> bool {
    let Expr::Attribute(method) = &*call.func else { return false };
    let begins_as_table = cx.symbol_of(target).is_some_and(|id| {
        cx.symbol(id)
            .bindings
            .iter()
            .any(|it| matches!(it.how, Bound::Assigned(value) if cx.proven(value) == Some(Type::Table)))
    });
    begins_as_table && method.attr.as_str() == "append" && same_place(&method.value, target)
}
