//! MS605: `weakref.finalize(self, self.close)`.

use super::kept::{attributes, decorated, holds, made_at, made_only_at_top, method, statements};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Bound, Model, SymbolId};
use crate::syntax::{Expr, ExprCall, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS605",
    name: "finalizer-holds-its-object",
    what: "A `weakref.finalize` whose function or arguments refer to the object that it watches, or an `atexit` \
           function that refers to `self`.",
    why: "The registry of finalizers refers to the function, and a bound method, or a lambda that names the \
          object, refers to the object: it is never freed before the program ends, and the finalizer runs only then.",
    not_when: "Where the file calls `atexit.unregister`, for a class of which the file makes all instances \
               itself, for singletons, and for what watches a class.",
    fix: "Give `finalize` a static method or a function of the module, and only those parts of the object that \
          it needs; use `weakref.finalize` in place of `atexit.register`: it runs at exit too. There is no automatic fix.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import weakref\nclass Page:\n    def __init__(self):\n        self.text = bytearray(100_000)\n\
                \x20   def close(self):\n        pass\n    @staticmethod\n    def release():\n        pass\n",
        before: "for i in range(100):\n    page = Page()\n    weakref.finalize(page, page.close)\n",
        after: "for i in range(100):\n    page = Page()\n    weakref.finalize(page, page.release)\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let words = || call.arguments.keywords.iter().map(|word| &word.value);
    let me = method(cx, cx.id(expr));
    if cx.is(&call.func, "weakref.finalize") {
        let [watched, rest @ ..] = &*call.arguments.args else { return };
        let Some(object) = cx.symbol_of(watched) else { return };
        if is_class(cx, expr, object) {
            return;
        }
        let class = me.filter(|me| me.receiver == object).map(|me| me.class);
        let Some(holder) = rest.iter().chain(words()).find(|value| holds(cx, value, object, class)) else {
            return;
        };
        let object = cx.text(watched);
        let message = match cx.brief(holder) {
            itself if itself == object => {
                format!(
                    "`{object}` is passed to its own finalizer, which keeps it alive until the program ends"
                )
            }
            holder => format!(
                "`{holder}` refers to `{object}`, which its own finalizer thus keeps alive until the program ends"
            ),
        };
        let costs = class.map_or_else(Vec::new, |class| statements(cx, made_at(cx, class)));
        cx.found_with_costs(expr, message, None, costs);
    } else if cx.is(&call.func, "atexit.register") {
        let Some(me) = me else { return };
        let Some(holder) = call
            .arguments
            .args
            .iter()
            .chain(words())
            .find(|value| holds(cx, value, me.receiver, Some(me.class)))
        else {
            return;
        };
        let unregisters = attributes(cx, "unregister").iter().any(|it| cx.is(it, "atexit.unregister"))
            || cx.imported_as("atexit.unregister", cx.node(cx.id(expr)).scope, cx.id(expr)).is_some();
        let singleton = me.class.body.iter().any(|statement| match statement {
            Stmt::FunctionDef(function) => function.name.as_str() == "__new__",
            Stmt::Assign(assign) => cx.text(&assign.targets[0]).contains("instance"),
            Stmt::AnnAssign(assign) => cx.text(&*assign.target).contains("instance"),
            _ => false,
        });
        if unregisters || singleton || made_only_at_top(cx, me.class) {
            return;
        }
        let message = format!(
            "`{}` refers to `{}`, which `atexit` keeps alive until the program ends",
            cx.brief(holder),
            cx.symbol(me.receiver).name
        );
        cx.found_with_costs(expr, message, None, statements(cx, made_at(cx, me.class)));
    }
}

/// Whether a name is a class, or the `cls` of a class method: that lives on anyway.
fn is_class<'a>(cx: &Model<'a>, at: &'a Expr, name: SymbolId) -> bool {
    let symbol = cx.symbol(name);
    let of_method = || {
        cx.function(cx.id(at)).is_some_and(|function| {
            let first = function.parameters.iter_non_variadic_params().next();
            decorated(cx, function, &["classmethod"])
                && first.is_some_and(|first| first.name().as_str() == symbol.name)
        })
    };
    symbol.bindings.iter().any(|it| match it.how {
        Bound::Class(_) => true,
        Bound::Parameter(..) => of_method(),
        _ => false,
    })
}
