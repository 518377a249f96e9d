//! MS201: `for i in range(len(xs))`.

use super::few_rounds::is_in_full;
use super::patterns_index::{DOUBT, as_one, indexed, indices_of};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Ranged, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS201",
    name: "index-loop",
    what: "A `for` loop over the indices of a sequence that only looks up the items.",
    why: "It costs no memory: `range` makes one number at a time. It costs a look-up for every item, and a \
          reader has to see that nothing else is done with the index.",
    not_when: "Where the index serves to look up something else, a neighbour or a pair, to store, or as the \
               bound of a range; where the body changes the sequence; of dicts and tables, \
               of `self` in its own methods, and of what is written out with a few items.",
    fix: "`for x in xs`, or `for i, x in enumerate(xs)` where the number itself is used. Safe in a function, \
          if the sequence is proven to be a builtin one and the body not to change it.",
    saves: Saves::Nothing,
    experiment: Experiment {
        setup: "xs = list(range(200))\n",
        before: "for i in range(len(xs)):\n    xs[i]\n",
        after: "for x in xs:\n    x\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    let (Some(statement), Some(whole)) = (it.statement, cx.parent_stmt(it.iter)) else { return };
    let Some(of) = indices_of(cx, it.iter) else { return };
    if is_in_full(cx, of) {
        return;
    }
    let Some(loop_) = indexed(cx, it.target, of, cx.region(&statement.body), &[]) else { return };
    let numbered = loop_.otherwise || loop_.outlives(cx, whole, &[cx.id(it.target)]);
    let (index, of_text) = (cx.text(it.target), cx.text(of));
    let head = TextRange::new(it.target.start(), cx.outer_range(it.iter).end());
    let free = !numbered || cx.is_free("enumerate", cx.node(cx.id(it.target)).scope);
    let mended = loop_.by_item(cx, Some(&statement.body)).filter(|_| free && !cx.has_comment(head));
    let fix = mended.and_then(|(item, mut edits)| {
        let (head_text, says) = match numbered {
            true => (format!("{index}, {item} in enumerate({of_text})"), "let `enumerate` count"),
            false => (format!("{item} in {of_text}"), "go over the items"),
        };
        edits.push(replace(head, head_text));
        let end = statement.body.last().map_or(head.end(), Ranged::end);
        fix(loop_.proven(cx), says, DOUBT, vec![as_one(cx, TextRange::new(head.start(), end), edits)])
    });
    let message = match numbered {
        true => format!("`{index}` counts and looks up `{of_text}[{index}]`: `enumerate` does both"),
        false => format!("`{index}` only looks up `{of_text}[{index}]`: go over the items themselves"),
    };
    cx.found(it.iter, message, fix);
}
