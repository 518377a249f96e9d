//! MS409: `for line in f.read().splitlines()`.

use super::few_rounds::serves_a_test;
use super::patterns::{Takes, consumer, loop_over};
use super::{Experiment, On, Rule, Saves};
use crate::context::Context;
use crate::model::{Bound, Type, comprehension};
use crate::syntax::{Expr, ExprCall, Stmt};

pub(super) const RULE: Rule = Rule {
    code: "MS409",
    name: "read-and-split",
    what: "The whole text of a file read to be split into lines: `f.read().splitlines()`, `f.read().split('\\n')`.",
    why: "The text and all its lines are in memory together; going over the file needs one line at a time.",
    not_when: "Where what is read is not known to be a file's, and where the list of lines itself is wanted.",
    fix: "`for line in f` with `line.rstrip('\\n')`. There is no automatic fix: `splitlines` also splits at \
          other characters, such as a form feed, and `split` gives an empty last line.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "import tempfile\nf = tempfile.TemporaryFile('w+')\nf.write('a line of text\\n' * 50_000)\nf.seek(0)\n",
        before: "for line in f.read().splitlines():\n    pass\n",
        after: "for line in f:\n    line = line.rstrip('\\n')\n",
        needs: &[],
    },
    on: &[On::Call(check)],
};

fn check<'a>(cx: &mut Context<'_, 'a>, expr: &'a Expr, call: &'a ExprCall) {
    let Expr::Attribute(method) = &*call.func else { return };
    let by_line = match (method.attr.as_str(), &*call.arguments.args) {
        ("splitlines", _) => true,
        ("split", [Expr::StringLiteral(text)]) => text.value.to_str() == "\n",
        ("split", [Expr::BytesLiteral(text)]) => text.value.bytes().eq(*b"\n"),
        _ => false,
    };
    // A test reads what it wrote.
    let in_test = serves_a_test(cx, cx.statement(cx.id(expr)));
    if by_line && !in_test && whole_file(cx, &method.value) && is_gone_over(cx, expr) {
        cx.found(
            expr,
            format!("`{}` has the whole text and all its lines in memory together", cx.brief(expr)),
            None,
        );
    }
}

/// Whether the lines are only gone over, at once or by the one use of a name.
fn is_gone_over<'a>(cx: &Context<'_, 'a>, lines: &'a Expr) -> bool {
    let used = |of: &'a Expr| {
        let by_generator = || {
            let parent = cx.parent_expr(of);
            parent
                .and_then(comprehension)
                .is_some_and(|all| all.iter().any(|it| cx.id(&it.iter) == cx.id(of)))
        };
        let taken = || consumer(cx, of).is_some_and(|it| it.takes != Takes::IntoList || it.name == "sorted");
        loop_over(cx, of).is_some() || by_generator() || taken()
    };
    let target = match cx.parent_stmt(lines) {
        Some(Stmt::Assign(assign)) if cx.id(&*assign.value) == cx.id(lines) => match &assign.targets[..] {
            [target @ Expr::Name(_)] => cx.symbol_of(target),
            _ => None,
        },
        _ => None,
    };
    let by_name = || match (cx.symbol(target?).bindings.len(), &cx.symbol(target?).uses[..]) {
        (1, [only]) => cx.expr(*only).map(used),
        _ => None,
    };
    used(lines) || by_name() == Some(true)
}

/// Whether an expression is written out as the name of an encoding.
fn is_encoding(expr: &Expr) -> bool {
    expr.as_string_literal_expr().is_some_and(|it| {
        let name = it.value.to_str().to_lowercase();
        ["utf", "ascii", "latin", "iso", "cp"].iter().any(|head| name.starts_with(head))
    })
}

fn is_self(expr: &Expr) -> bool {
    expr.as_name_expr().is_some_and(|name| &*name.id == "self")
}

/// Whether an expression is the whole content of a file.
pub(super) fn whole_file<'a>(cx: &Context<'_, 'a>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Call(call) => call.func.as_attribute_expr().is_some_and(|method| {
            let name = method.attr.as_str();
            let file = matches!(cx.type_of(&method.value), Some(known) if matches!(known.ty, Type::TextFile | Type::BinaryFile));
            match name {
                "read" => call.arguments.is_empty() && file,
                // A package's metadata have a method of this name as well, that takes the name of a file.
                "read_text" => {
                    call.arguments.args.iter().all(is_encoding) && !is_self(&method.value)
                }
                "decode" | "strip" | "rstrip" | "lstrip" => whole_file(cx, &method.value),
                _ => false,
            }
        }),
        Expr::Name(_) => match cx.reaching(expr).map(|binding| binding.how) {
            Some(Bound::Assigned(value)) if !value.is_name_expr() => {
                let once = cx.symbol_of(expr).is_some_and(|symbol| cx.symbol(symbol).uses.len() == 1);
                once && !super::patterns::mentions(value, expr) && whole_file(cx, value)
            }
            _ => false,
        },
        _ => false,
    }
}
