//! MS412: `for word in re.findall(pattern, text)`.

use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::model::Type;
use crate::syntax::{Expr, Ranged};

pub(super) const RULE: Rule = Rule {
    code: "MS412",
    name: "findall-iterated",
    what: "`re.findall(…)` that a loop goes over once.",
    why: "All matches are made and put into a list before the first is looked at; `re.finditer` finds them \
          one by one.",
    not_when: "Where the function is not the `re` module's own.",
    fix: "`(match.group() for match in re.finditer(…))`. Safe if the pattern is written out and has no \
          groups, for which `findall` gives something else, and the text is proven to be a str.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import re\ntext = 'some words ' * 50_000\n",
        before: "for word in re.findall('[a-z]+', text):\n    pass\n",
        after: "for word in (match.group() for match in re.finditer('[a-z]+', text)):\n    pass\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let Some(call) = cx.calls(it.iter, "re.findall") else { return };
    let [pattern, text, ..] = &*call.arguments.args else { return };
    let groups = match pattern {
        Expr::StringLiteral(pattern) => Some(pattern.value.to_str().contains('(')),
        Expr::BytesLiteral(pattern) => Some(pattern.value.bytes().any(|byte| byte == b'(')),
        _ => None,
    };
    // A generator's iterable takes no `:=`.
    let fixed = (groups != Some(true) && !cx.has_comment(it.iter.range()) && !cx.suspends(it.iter))
        .then(|| cx.reach("re.finditer", it.iter))
        .flatten()
        .and_then(|(function, mut edits)| {
            let arguments = cx.text(&call.arguments);
            let matches = format!("(match.group() for match in {function}{arguments})");
            edits.push(replace(it.iter.range(), matches));
            let immutable = matches!(cx.proven(text), Some(Type::Str | Type::Bytes));
            let doubt = match groups {
                None => "of a pattern with groups, `findall` gives the groups",
                Some(_) => "the text may be something that the loop changes",
            };
            fix(groups == Some(false) && immutable, "find them one by one", doubt, edits)
        });
    cx.found(it.iter, format!("`{}` makes all matches to go over them once", cx.brief(it.iter)), fixed);
}
