//! MS407: `for key in list(d)`.

use super::counted::written_few;
use super::patterns::between;
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS407",
    name: "dict-copied-to-iterate",
    what: "`list(d)`, `list(d.keys())`, `list(d.items())` or `list(d.values())` of a dict, or `list(s)` of a \
           set, that a loop goes over without changing it.",
    why: "The list guards against changes during the loop. Where there are none it only costs memory: eight \
          bytes for a key, 64 more for each pair of `items()`.",
    not_when: "Where the loop changes the dict, or calls something that could: there the list is needed. Nor is a dict reported \
               that is written out and does not grow.",
    fix: "Go over the dict or its view. Safe if it is proven to be a dict that the loop cannot change.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "d = dict.fromkeys(range(300_000))\n",
        before: "for key in list(d.keys()):\n    pass\n",
        after: "for key in d.keys():\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some(("list" | "tuple", of)) = cx.call_of_one(it.iter) else { return };
    let dict = match of {
        Expr::Call(call) if call.arguments.is_empty() => match &*call.func {
            Expr::Attribute(view) if matches!(view.attr.as_str(), "keys" | "items" | "values") => {
                &*view.value
            }
            _ => return,
        },
        _ => of,
    };
    let known = cx.type_of(dict);
    let is_dict = known.is_some_and(|known| matches!(known.ty, Type::Dict | Type::Set));
    let Some(region) = between(cx, it) else { return };
    if !dict.is_name_expr() || !is_dict || written_few(cx, dict) || cx.may_change(dict, region) {
        return;
    }
    let proven = known.is_some_and(|known| known.proven);
    let fix = (!cx.has_comment(it.iter.range()))
        .then(|| {
            fix(
                proven,
                "go over it directly",
                "it may not be a plain dict or set, and may change when it is read",
                vec![replace(it.iter.range(), cx.text(of))],
            )
        })
        .flatten();
    cx.found(it.iter, format!("`{}` copies what the loop does not change", cx.brief(it.iter)), fix);
}
