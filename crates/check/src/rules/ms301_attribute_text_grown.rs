//! MS301: `self.text += more`.

use super::patterns::{Growth, growth};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::Type;
use crate::syntax::{Expr, Ranged, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS301",
    name: "attribute-text-grown",
    what: "A str in an attribute that grows by `+=` again and again.",
    why: "CPython can extend a str in place only while a local variable alone refers to it. An attribute is \
          a second reference, so every step copies all there is: the bytes copied grow with the square of the length.",
    not_when: "Outside loops, unless the attribute begins as an empty text that methods add to.",
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
    let Some(Growth { target: target @ Expr::Attribute(attribute), ty: Type::Str, .. }) = growth(cx, statement) else {
        return;
    };
    let id = cx.id(statement);
    let method = cx.function(id).is_some_and(|function| function.name.as_str() != "__init__");
    let accumulates = method
        && cx.class(id).is_some_and(|class| {
            let region = cx.region_of(cx.id(class));
            region.ids().any(|other| match cx.stmt(other) {
                Some(Stmt::Assign(assign)) => {
                    let empty = assign.value.as_string_literal_expr().is_some_and(|text| text.value.is_empty());
                    empty && assign.targets.iter().any(|it| super::patterns::same_place(it, target))
                }
                _ => false,
            })
        });
    if cx.loop_around(id).is_some() || accumulates {
        let name = attribute.attr.as_str();
        let message = format!("every `{}` copies all of `{name}`: an attribute's text is never extended in place", cx.brief(statement));
        cx.found(&statement.range(), message, None);
    }
}
