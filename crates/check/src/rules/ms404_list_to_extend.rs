//! MS404: `xs.extend([f(y) for y in ys])`.

use super::counted::makes_few;
use super::patterns::{Takes, as_generator, awaits, consumer, mentions};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix};
use crate::syntax::{Expr, ExprCall};

pub(super) const RULE: Rule = Rule {
    code: "MS404",
    name: "list-to-extend",
    what: "A list comprehension made to extend a list or update a set.",
    why: "The new items are in two lists at once: the one made for the call, and the one extended.",
    not_when: "Where the receiver is not known to be a list, set or dict, or where the items read it: going \
               over what grows would not end. A list that is known to be short is not reported, nor is one whose items are awaited.",
    fix: "Give `extend` a generator. Safe if the receiver is a local that nothing else refers to, and the \
          items call nothing but builtins that change nothing and cannot fail, or the failure leaves the \
          function: a list adds nothing when an item fails, a generator adds those before it.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "",
        before: "xs = set()\nxs.update([x % 1000 for x in range(300_000)])\n",
        after: "xs = set()\nxs.update(x % 1000 for x in range(300_000))\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, _: &'a Expr, call: &'a ExprCall) {
    let Expr::Attribute(method) = &*call.func else { return };
    for argument in &call.arguments.args {
        if !argument.is_list_comp_expr()
            || makes_few(cx, argument)
            || cx.begins_work(argument)
            || awaits(argument)
        {
            continue;
        }
        let Some(consumer) = consumer(cx, argument) else { continue };
        if consumer.takes != Takes::Into || mentions(argument, &method.value) {
            continue;
        }
        let private = cx.symbol_of(&method.value).is_some_and(|symbol| cx.private(symbol));
        let whole = cx.all_items_endure(argument) || cx.unseen(consumer.region, cx.id(argument));
        let proven = cx.pure(argument) && cx.proven(&method.value).is_some() && private && whole;
        let doubt = "the items may read the receiver, and if one fails those before it have been added";
        let fix = as_generator(cx, argument)
            .and_then(|edits| fix(proven, "give the items one by one", doubt, edits));
        cx.found(
            argument,
            format!("a whole list is made for `{}`, which takes any iterable", consumer.name),
            fix,
        );
    }
}
