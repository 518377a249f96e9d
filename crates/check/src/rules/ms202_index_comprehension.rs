//! MS202: `[f(xs[i]) for i in range(len(xs))]`.

use super::few_rounds::{is_asserted, is_in_full, is_sequence};
use super::patterns_index::{DOUBT, as_one, indexed, indices_of};
use super::{Experiment, Iterated, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::syntax::{Ranged, TextRange};

pub(super) const RULE: Rule = Rule {
    code: "MS202",
    name: "index-comprehension",
    what: "A comprehension over the indices of a sequence that only looks up the items.",
    why: "It costs no memory, as with a loop: it costs a look-up for every item, and a reader's time.",
    not_when: "Where the index serves to look up something else, a neighbour or a pair, or as the bound of a \
               range; of dicts and tables, and of `self` in its own methods; of what is written out with a few items; \
               and in assertions, where the look-up may be what is tested.",
    fix: "`[f(x) for x in xs]`, or `enumerate(xs)` where the number itself is used. Safe if the sequence is \
          proven to be a builtin one that nothing changes meanwhile. A generator expression runs later, so \
          there nothing is proven.",
    saves: Saves::Nothing,
    experiment: Experiment {
        setup: "xs = list(range(200))\n",
        before: "ys = [-xs[i] for i in range(len(xs))]\n",
        after: "ys = [-x for x in xs]\n",
        needs: &[],
    },
    on: &[On::Iterated(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, it: Iterated<'a>) {
    if it.statement.is_some() {
        return;
    }
    let Some(of) = indices_of(cx, it.iter) else { return };
    if is_in_full(cx, of) || is_asserted(cx, it.iter) && !is_sequence(cx.proven(of)) {
        return;
    }
    let Some(comp) = indexed(cx, it.target, of, it.body, &[cx.id(it.target)]) else { return };
    let (index, of_text) = (cx.text(it.target), cx.text(of));
    let head = TextRange::new(it.target.start(), cx.outer_range(it.iter).end());
    let free = !comp.otherwise || cx.is_free("enumerate", cx.node(cx.id(it.target)).scope);
    let fix =
        comp.by_item(cx, None).filter(|_| free && !cx.has_comment(head)).and_then(|(item, mut edits)| {
            let (head_text, says) = match comp.otherwise {
                true => (format!("{index}, {item} in enumerate({of_text})"), "let `enumerate` count"),
                false => (format!("{item} in {of_text}"), "go over the items"),
            };
            edits.push(replace(head, head_text));
            fix(comp.proven(cx), says, DOUBT, vec![as_one(cx, cx.range(it.body.from), edits)])
        });
    let message = match comp.otherwise {
        true => format!("`{index}` counts and looks up `{of_text}[{index}]`: `enumerate` does both"),
        false => format!("`{index}` only looks up `{of_text}[{index}]`: go over the items themselves"),
    };
    cx.found(it.iter, message, fix);
}
