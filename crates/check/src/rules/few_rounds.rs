//! Loops that run a few times, and what is known to stay short although a loop makes it grow: asked by the
//! rules about values that grow and about lists used at the front. `short` tells what is short by itself.

use super::short::{FEW, few, is_written_out, of_arguments};
use crate::model::shape::Loop;
use crate::model::{Ast, Bound, Model, NodeId, Type, Use, comprehension, int, same_place};
use crate::syntax::{CmpOp, Expr, ExprCall, Operator, Stmt, StmtFunctionDef, any_over_expr};

/// Whether what a statement makes grow at a place stays short, as far as the text around it shows: all loops
/// that add to it run a few times, or a test compares it with something short.
pub(super) fn stays_short<'a>(cx: &Model<'a>, place: &'a Expr, statement: NodeId) -> bool {
    few_rounds(cx, place, statement) || compared_with_little(cx, place) || serves_a_test(cx, statement)
}

/// Whether all loops around a statement, up to the one that begins a place anew, run a few times.
pub(super) fn few_rounds<'a>(cx: &Model<'a>, place: &'a Expr, statement: NodeId) -> bool {
    // Where a `break` follows, the loop itself runs the statement once.
    let leaves = leaves(cx, statement);
    let once = matches!(leaves, Some(Stmt::Break(_)));
    if matches!(leaves, Some(Stmt::Return(_) | Stmt::Raise(_))) {
        return true;
    }
    let mut at = statement;
    while let Some(around) = cx.loop_around(at) {
        if at != statement && cx.begun_within(place, at) {
            return true;
        }
        let brief = once && at == statement || is_brief(cx, around);
        if !brief {
            return false;
        }
        at = match around {
            Loop::For(it) => cx.id(it),
            Loop::While(it) => cx.id(it),
        };
    }
    at != statement
}

/// The statement by which the block of a statement ends, if it is sure to be reached.
pub(super) fn leaves<'a>(cx: &Model<'a>, statement: NodeId) -> Option<&'a Stmt> {
    let block = cx.siblings(statement)?;
    let goes_on = cx
        .region(block)
        .ids()
        .filter(|id| *id > statement)
        .any(|id| matches!(cx.stmt(id), Some(Stmt::Continue(_))));
    block.last().filter(|_| !goes_on)
}

/// Whether a statement is part of a test, or of a function that stands in one: what a test makes is as small as
/// it could be written.
pub(super) fn serves_a_test<'a>(cx: &Model<'a>, statement: NodeId) -> bool {
    let is_test = |function: &StmtFunctionDef| function.name.as_str().starts_with("test");
    let Some(own) = cx.function(statement) else { return false };
    is_test(own) || cx.function(cx.id(own)).is_some_and(is_test)
}

/// Whether a loop runs a few times.
fn is_brief<'a>(cx: &Model<'a>, around: Loop<'a>) -> bool {
    match around {
        Loop::For(it) => is_little(cx, &it.iter),
        Loop::While(it) => {
            takes_fields(cx, &it.test)
                || up_to_a_few(cx, &it.test)
                || cx
                    .region(&it.body)
                    .ids()
                    .filter_map(|id| cx.stmt(id))
                    .any(|step| climbs(cx, step) || divides(step, &it.test))
        }
    }
}

/// Whether something to go over has few items: written out, the parts of a name or a path, the arguments or
/// keywords of a call, the options of a program, a sample of a few.
pub(super) fn is_little<'a>(cx: &Model<'a>, iter: &'a Expr) -> bool {
    is_little_by(cx, iter, STEPS)
}

/// So many rounds, written out in the loop's head, are few.
const ROUNDS: i64 = 256;

/// So many names and calls are followed: `xs = list(xs)` leads to itself.
const STEPS: u32 = 6;

fn is_little_by<'a>(cx: &Model<'a>, iter: &'a Expr, steps: u32) -> bool {
    let Some(left) = steps.checked_sub(1) else { return false };
    let is_little = |cx, of| is_little_by(cx, of, left);
    let is_small_number = |cx, of| is_small_number(cx, of, left);
    if few(cx, iter) || is_written_out(cx, iter) || is_parts(cx, iter) {
        return true;
    }
    match iter {
        Expr::BytesLiteral(bytes) => bytes.value.bytes().count() as i64 <= FEW,
        Expr::BinOp(op) if op.op == Operator::Add => is_little(cx, &op.left) && is_little(cx, &op.right),
        Expr::Subscript(slice) if slice.slice.is_slice_expr() => is_little(cx, &slice.value),
        Expr::Name(_) => {
            let Some(symbol) = cx.symbol_of(iter).map(|id| cx.symbol(id)) else { return false };
            let grows = symbol.uses.iter().any(|name| adds(cx, *name));
            let little = |how: Bound<'a>, node| match how {
                Bound::Parameter(_, starred) => starred,
                Bound::Assigned(value) => !value.is_name_expr() && is_little(cx, value),
                Bound::Other => unpacks_options(cx, node),
                _ => false,
            };
            let keywords = symbol.bindings.iter().any(|it| match it.how {
                Bound::Assigned(value) => is_keywords(cx, value),
                _ => false,
            });
            keywords
                || !grows
                    && !symbol.bindings.is_empty()
                    && symbol.bindings.iter().all(|it| little(it.how, it.node))
        }
        Expr::Call(call) => match (&*call.func, cx.builtin(&call.func)) {
            (Expr::Name(name), _) if name.id == "xrange" => {
                call.arguments.args.iter().all(|bound| is_small_number(cx, bound))
            }
            (_, Some("range")) => call.arguments.args.iter().all(|bound| {
                let few = int(bound).is_some_and(|n| n.abs() <= ROUNDS);
                few && steps == STEPS || is_small_number(cx, bound)
            }),
            (_, Some("list" | "tuple" | "set" | "sorted" | "reversed" | "enumerate" | "iter")) => {
                call.arguments.args.first().is_some_and(|of| is_little(cx, of))
            }
            (_, Some("map" | "filter")) => call.arguments.args.get(1).is_some_and(|of| is_little(cx, of)),
            (_, Some("zip")) => call.arguments.args.iter().any(|of| is_little(cx, of)),
            (Expr::Attribute(method), _) => match method.attr.as_str() {
                "items" | "keys" | "values" => {
                    is_little(cx, &method.value)
                        || is_keywords(cx, &method.value)
                        || is_measured(cx, &method.value)
                }
                "sample" | "choices" => {
                    call.arguments.args.get(1).is_some_and(|count| is_small_number(cx, count))
                }
                _ => false,
            },
            _ => false,
        },
        _ => comprehension(iter)
            .is_some_and(|generators| generators.iter().all(|generator| is_little(cx, &generator.iter))),
    }
}

/// Whether something to go over is written out in full with its few items.
pub(super) fn is_in_full<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let literal = |value: &'a Expr| match value {
        Expr::BytesLiteral(bytes) => bytes.value.bytes().count() as i64 <= FEW,
        Expr::List(_) | Expr::Tuple(_) | Expr::StringLiteral(_) => few(cx, value),
        _ => false,
    };
    let by_all_bindings = || {
        let Some(symbol) = cx.symbol_of(of).map(|id| cx.symbol(id)) else { return false };
        let mut bindings = symbol.bindings.iter();
        bindings.all(|it| matches!(it.how, Bound::Assigned(value) if literal(value)))
            && !symbol.uses.iter().any(|name| cx.use_of(*name) == Use::Changes)
    };
    few(cx, of) && !of_arguments(cx, of) || is_written_out(cx, of) || by_all_bindings()
}

/// Whether an `if` around finds that something has few items: `len(found) == 1`.
fn is_measured<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let few = |test: &'a Expr| {
        let Expr::Compare(compare) = test else { return false };
        let ([CmpOp::Eq | CmpOp::Lt | CmpOp::LtE], [count]) = (&*compare.ops, &*compare.comparators) else {
            return false;
        };
        int(count).is_some_and(|n| n <= FEW)
            && matches!(cx.call_of_one(&compare.left), Some(("len", it)) if same_place(it, of))
    };
    cx.ancestors(cx.id(of)).filter_map(|above| cx.stmt(above)).any(|above| {
        let Stmt::If(branch) = above else { return false };
        let test = match &*branch.test {
            Expr::BoolOp(op) if op.op.as_str() == "and" => op.values.iter().any(few),
            test => few(test),
        };
        test && cx.region(&branch.body).has(cx.id(of))
    })
}

/// Whether a use of a list adds to it.
fn adds(cx: &Model<'_>, name: NodeId) -> bool {
    let parent = cx.node(name).parent;
    match cx.node(parent).ast {
        Ast::Expr(Expr::Attribute(it)) => matches!(it.attr.as_str(), "append" | "extend" | "insert" | "add"),
        Ast::Stmt(Stmt::AugAssign(it)) => cx.id(&*it.target) == name,
        _ => false,
    }
}

/// Whether an expression is the keyword arguments of the function, or those put together with others.
fn is_keywords<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    match expr {
        Expr::Name(name) => cx.function(cx.id(expr)).is_some_and(|function| {
            function.parameters.kwarg.as_deref().is_some_and(|it| it.name.as_str() == name.id.as_str())
        }),
        Expr::Call(call) => call.arguments.args.iter().any(|argument| is_keywords(cx, argument)),
        _ => false,
    }
}

/// Whether a name is unpacked from what `getopt` finds on the command line.
fn unpacks_options(cx: &Model<'_>, binding: NodeId) -> bool {
    let Some(Stmt::Assign(assign)) = cx.stmt(cx.statement(binding)) else { return false };
    let Expr::Call(call) = &*assign.value else { return false };
    cx.path(&call.func).is_some_and(|path| path.starts_with("getopt."))
}

/// Whether an expression is a small number, or a name that is only ever given small ones.
fn is_small_number<'a>(cx: &Model<'a>, expr: &'a Expr, steps: u32) -> bool {
    let small = |expr: &Expr| int(expr).is_some_and(|n| n.abs() <= FEW);
    match expr {
        Expr::BinOp(op) => steps
            .checked_sub(1)
            .is_some_and(|left| [&op.left, &op.right].iter().all(|it| is_small_number(cx, it, left))),
        Expr::Name(_) => cx.symbol_of(expr).is_some_and(|id| {
            let bindings = &cx.symbol(id).bindings;
            !bindings.is_empty()
                && bindings.iter().all(|it| matches!(it.how, Bound::Assigned(value) if small(value)))
        }),
        Expr::Call(_) => matches!(cx.call_of_one(expr), Some(("len", of)) if is_little_by(cx, of, steps)),
        _ => small(expr),
    }
}

/// Whether an expression is the parts of a name or a path: `name.split('.')`.
fn is_parts<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    let by_separator = |value: &'a Expr| match value {
        Expr::Call(call) => splits_into_parts(call),
        // `parts = parts[:-1]`, and another name for the parts.
        Expr::Subscript(it) => it.slice.is_slice_expr() && same_place(&it.value, expr),
        Expr::Name(_) => cx.reaching(value).is_some_and(|it| match it.how {
            Bound::Assigned(Expr::Call(call)) => splits_into_parts(call),
            _ => false,
        }),
        _ => false,
    };
    match expr {
        Expr::Name(_) => cx.symbol_of(expr).map(|id| cx.symbol(id)).is_some_and(|symbol| {
            let value = |how| match how {
                Bound::Assigned(value) | Bound::Annotated(_, Some(value)) => Some(value),
                _ => None,
            };
            let grows = symbol.uses.iter().any(|name| adds(cx, *name));
            let reached = cx.reaching(expr).and_then(|it| value(it.how)).is_some_and(by_separator);
            let mut bindings = symbol.bindings.iter();
            !grows
                && !symbol.bindings.is_empty()
                && (reached || bindings.all(|it| value(it.how).is_some_and(by_separator)))
        }),
        _ => by_separator(expr),
    }
}

/// Whether a call splits a text at something other than the ends of its lines.
fn splits_into_parts(call: &ExprCall) -> bool {
    let Expr::Attribute(method) = &*call.func else { return false };
    let separator = call.arguments.args.first();
    matches!(method.attr.as_str(), "split" | "rsplit")
        && separator.is_some_and(|at| match at {
            Expr::StringLiteral(text) => !text.value.to_str().contains('\n'),
            Expr::BytesLiteral(text) => text.value.bytes().all(|byte| byte != b'\n'),
            Expr::NoneLiteral(_) => false,
            _ => true,
        })
}

/// Whether a test asks if there are parts of a name or a path left.
fn takes_fields<'a>(cx: &Model<'a>, test: &'a Expr) -> bool {
    let left =
        |expr| is_parts(cx, cx.call_of_one(expr).filter(|(name, _)| *name == "len").map_or(expr, |it| it.1));
    match test {
        Expr::BoolOp(op) => op.values.iter().any(left),
        Expr::Compare(compare) => left(&compare.left),
        _ => left(test),
    }
}

/// Whether a test is `len(data) < n` where `n` is small or the size of a struct.
fn up_to_a_few<'a>(cx: &Model<'a>, test: &'a Expr) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let ([CmpOp::Lt | CmpOp::LtE], [bound]) = (&*compare.ops, &*compare.comparators) else { return false };
    let of_struct = |expr: &'a Expr| match expr {
        Expr::Attribute(size) if size.attr.as_str() == "size" => {
            let made = cx.reaching(&size.value).map(|it| it.how);
            matches!(made, Some(Bound::Assigned(value)) if cx.calls(value, "struct.Struct").is_some())
        }
        _ => cx.calls(expr, "struct.calcsize").is_some(),
    };
    let value = match cx.reaching(bound).map(|it| it.how) {
        Some(Bound::Assigned(value)) => value,
        _ => bound,
    };
    matches!(cx.call_of_one(&compare.left), Some(("len", _)))
        && (is_small_number(cx, bound, STEPS) || of_struct(value))
}

/// Whether a step goes from something to what holds it: a path's folder, a node's parent. That ends soon.
fn climbs(cx: &Model<'_>, step: &Stmt) -> bool {
    let Stmt::Assign(assign) = step else { return false };
    let [target] = &assign.targets[..] else { return false };
    match &*assign.value {
        Expr::Attribute(it) => it.attr.as_str().contains("parent") && same_place(&it.value, target),
        // `node.get_parent()`.
        Expr::Call(call) if call.arguments.is_empty() => call.func.as_attribute_expr().is_some_and(|it| {
            it.attr.as_str().to_ascii_lowercase().contains("parent") && same_place(&it.value, target)
        }),
        Expr::Call(call) => {
            let own = |it: &Expr| any_over_expr(target, |inner| same_place(inner, it));
            let of_path = cx
                .path(&call.func)
                .is_some_and(|path| matches!(path.as_str(), "os.path.split" | "os.path.dirname"));
            of_path && call.arguments.args.first().is_some_and(own)
        }
        _ => false,
    }
}

/// Whether a step divides what a loop's test looks at: as many rounds as a number has digits.
fn divides(step: &Stmt, test: &Expr) -> bool {
    let by = |op| matches!(op, Operator::FloorDiv | Operator::RShift);
    let tested = |name: &Expr| name.is_name_expr() && any_over_expr(test, |inner| same_place(inner, name));
    match step {
        Stmt::AugAssign(assign) => by(assign.op) && tested(&assign.target),
        Stmt::Assign(assign) => {
            let own = |of: &Expr| {
                any_over_expr(of, |inner| {
                    tested(inner)
                        && assign.targets.iter().any(|it| any_over_expr(it, |part| same_place(part, inner)))
                })
            };
            any_over_expr(&assign.value, |inner| match inner {
                Expr::BinOp(op) => by(op.op) && own(&op.left),
                Expr::Call(call) => {
                    call.func.as_name_expr().is_some_and(|name| name.id == "divmod")
                        && call.arguments.args.first().is_some_and(own)
                }
                _ => false,
            })
        }
        _ => false,
    }
}

/// Whether a test in the same function compares a name with something short: so it is itself.
fn compared_with_little<'a>(cx: &Model<'a>, place: &'a Expr) -> bool {
    let Some(symbol) = cx.symbol_of(place).map(|id| cx.symbol(id)) else { return false };
    symbol.uses.iter().any(|name| match cx.expr(cx.node(*name).parent) {
        Some(Expr::Call(call)) => {
            let asserts = call
                .func
                .as_attribute_expr()
                .is_some_and(|method| method.attr.as_str().starts_with("assert"));
            let others = || call.arguments.args.iter().filter(|argument| cx.id(*argument) != *name);
            asserts && others().any(|other| is_little_text(cx, other))
        }
        Some(whole @ Expr::Compare(compare)) => {
            let asserted = matches!(cx.parent_stmt(whole), Some(Stmt::Assert(_)));
            asserted && compare.comparators.iter().chain([&*compare.left]).any(|it| is_little_text(cx, it))
        }
        _ => false,
    })
}

/// The longest text that a test compares with and that still counts as short.
const LITTLE: i64 = 4096;

/// Whether an expression is a short text: written out, one repeated, one encoded, or some of these.
fn is_little_text<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    length(cx, expr, STEPS).is_some_and(|length| length > 0 && length <= LITTLE)
}

/// How long a text is that is written out.
fn length<'a>(cx: &Model<'a>, expr: &'a Expr, steps: u32) -> Option<i64> {
    let left = steps.checked_sub(1)?;
    let length = |of| length(cx, of, left);
    match expr {
        Expr::StringLiteral(text) => Some(text.value.len() as i64),
        Expr::BytesLiteral(text) => Some(text.value.bytes().count() as i64),
        Expr::BinOp(op) if op.op == Operator::Mult => length(&op.left)?.checked_mul(int(&op.right)?),
        Expr::Set(set) => set.elts.iter().map(length).sum(),
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "encode" => length(&method.value),
            _ => None,
        },
        Expr::Name(_) => match cx.reaching(expr)?.how {
            Bound::Assigned(value) if !value.is_name_expr() => length(value),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a loop looks at all of a text that it makes grow, in every round: it can't be put together later.
pub(super) fn read_whole<'a>(cx: &Model<'a>, place: &'a Expr, statement: NodeId) -> bool {
    let Some(around) = cx.loop_around(statement) else { return false };
    let test = around.test().map(|test| cx.region_of(cx.id(test)));
    let body = cx.region(around.body());
    let reads = |id: NodeId| {
        let Some(expr) = cx.expr(id).filter(|expr| same_place(expr, place)) else { return false };
        let grows = match cx.stmt_of(expr) {
            Some(Stmt::Assign(it)) => it.targets.iter().any(|target| same_place(target, place)),
            Some(Stmt::AugAssign(it)) => same_place(&it.target, place),
            _ => false,
        };
        let parent = cx.parent_expr(expr);
        let measured =
            parent.is_some_and(|it| matches!(cx.call_of_one(it), Some(("len" | "id" | "type", _))));
        let looked_up = matches!(parent, Some(Expr::Subscript(_)));
        !grows && !measured && !looked_up && !cx.is_test(expr)
    };
    test.into_iter().chain([body]).flat_map(|region| region.ids()).any(reads)
}

/// Whether a loop hands all of what it makes grow to a function in every round, or goes over it: then each
/// round needs it whole, or takes as long as to make it anew.
pub(super) fn handed_on<'a>(cx: &Model<'a>, place: &'a Expr, statement: NodeId) -> bool {
    let Some(around) = cx.loop_around(statement) else { return false };
    let grown = cx.region_of(statement);
    let is_place = |it: &Expr| same_place(it, place);
    cx.region(around.body()).ids().filter(|id| !grown.has(*id)).any(|id| {
        if let Some(Stmt::For(it)) = cx.stmt(id) {
            return is_place(&it.iter);
        }
        match cx.expr(id) {
            Some(Expr::Call(call)) => {
                // `found.difference(xs)` of a set keeps nothing of it.
                let builtin = match &*call.func {
                    Expr::Attribute(method) => cx.type_of(&method.value).is_some(),
                    func => cx.builtin(func).is_some(),
                };
                let given =
                    call.arguments.keywords.iter().map(|word| &word.value).chain(&call.arguments.args);
                !builtin && given.into_iter().any(is_place)
            }
            Some(it) => comprehension(it).is_some_and(|all| all.iter().any(|one| is_place(&one.iter))),
            None => false,
        }
    })
}

/// Whether a loop appends to a list as well: then what it puts in front is the exception, and may happen once.
pub(super) fn appends_too<'a>(cx: &Model<'a>, list: &'a Expr, statement: NodeId) -> bool {
    cx.loop_around(statement).is_some_and(|around| {
        cx.region(around.body()).ids().any(|id| match cx.expr(id) {
            Some(Expr::Attribute(it)) => it.attr.as_str() == "append" && same_place(&it.value, list),
            _ => false,
        })
    })
}

/// Whether a loop around a statement cuts off what is at the front of a place: a buffer that stays short.
pub(super) fn is_cut<'a>(cx: &Model<'a>, place: &'a Expr, statement: NodeId) -> bool {
    let cuts = |id| match cx.stmt(id) {
        Some(Stmt::Assign(it)) => {
            let cut = |value: &Expr| {
                value
                    .as_subscript_expr()
                    .is_some_and(|it| it.slice.is_slice_expr() && same_place(&it.value, place))
            };
            it.targets.iter().any(|target| same_place(target, place)) && cut(&it.value)
        }
        _ => false,
    };
    cx.loop_around(statement).is_some_and(|around| cx.region(around.body()).ids().any(cuts))
}

/// Whether an expression stands in an assertion: there the look-up may be what is tested.
pub(super) fn is_asserted<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    matches!(cx.stmt_of(expr), Some(Stmt::Assert(_)))
        || cx.ancestors(cx.id(expr)).take_while(|above| !cx.is_statement(*above)).any(|above| {
            let Some(Expr::Call(call)) = cx.expr(above) else { return false };
            call.func.as_attribute_expr().is_some_and(|method| method.attr.as_str().starts_with("assert"))
        })
}

/// Whether a type is one of which the items and what their indices give are known to be the same.
pub(super) fn is_sequence(ty: Option<Type>) -> bool {
    matches!(ty, Some(Type::List | Type::Tuple | Type::Str | Type::Bytes | Type::ByteArray | Type::Range))
}
