//! What several rules look for: slices, builtins that take any iterable, and
//! the edits that they have in common.

use super::few_rounds::serves_a_test;
use super::short::{FEW, is_fields, is_named_short, is_written_out, of_arguments};
use crate::context::{Context, replace};
use crate::finding::Edit;
use crate::model::{Bound, Known, Model, Region, Type, Use};
pub(super) use crate::model::{int, same_place};
use crate::syntax::{
    Expr, ExprCall, ExprSlice, ExprSubscript, Operator, Ranged, Stmt, TextRange, TextSize, TokenKind,
};

/// `value[lower:upper:step]`.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    /// What is sliced.
    pub(super) of: &'a Expr,
    /// The bounds.
    pub(super) bounds: &'a ExprSlice,
    /// Its type, if it is known.
    pub(super) known: Option<Known>,
    /// Where it stands.
    range: TextRange,
}

/// The slice that an expression is, if it may copy.
pub(super) fn slice<'a>(cx: &Model<'a>, expr: &'a Expr) -> Option<Slice<'a>> {
    let Expr::Subscript(ExprSubscript { value, slice, .. }) = expr else { return None };
    let bounds = slice.as_slice_expr()?;
    let known = cx.type_of(value);
    // Where a star import could have given the name to something else, it most likely has not.
    let named = |func: &Expr| func.as_name_expr().is_some_and(|it| matches!(&*it.id, "range" | "memoryview"));
    let view = known.is_none() && value.as_call_expr().is_some_and(|call| named(&call.func));
    // A name may stand for one of them at times: `data = memoryview(data)`.
    let at_times = known.is_none()
        && cx.symbol_of(value).is_some_and(|symbol| {
            cx.symbol(symbol)
                .bindings
                .iter()
                .any(|it| matches!(it.how, Bound::Assigned(Expr::Call(call)) if named(&call.func)))
        });
    if view || at_times || known.is_some_and(|known| !known.ty.slice_copies()) {
        return None;
    }
    Some(Slice { of: value, bounds, known, range: expr.range() })
}

impl<'a> Slice<'a> {
    /// Whether it can only ever hold a few items: `xs[:3]`, `xs[2:5]`, `xs[-3:]`, the arguments of the
    /// program or of a call, what a test goes over.
    pub(super) fn is_small(&self, cx: &Model<'a>) -> bool {
        let few = |bound: Option<&Expr>| bound.and_then(int).is_some_and(|n| n.abs() <= FEW);
        let (lower, upper) = (self.bounds.lower.as_deref(), self.bounds.upper.as_deref());
        let from_end = |bound: Option<&Expr>| bound.and_then(int).is_some_and(|n| n < 0);
        let head = few(upper)
            && !from_end(upper)
            && lower.is_none_or(|lower| few(Some(lower)) && !from_end(Some(lower)));
        let tail = few(lower) && from_end(lower);
        // `xs[i:i + 3]`
        let window = lower.zip(upper).is_some_and(|(lower, upper)| {
            let ((one, before), (other, after)) = (offset(lower), offset(upper));
            same_place(one, other) && (0..=FEW).contains(&(after - before))
        });
        head || tail
            || window
            || serves_a_test(cx, cx.statement(cx.id(self.of)))
            || is_written_out(cx, self.of)
            || of_arguments(cx, self.of)
            || is_fields(cx, self.of)
            || is_named_short(self.of)
            || super::spans::is_bounded(cx, self)
    }

    /// Whether nothing tells what is sliced, so that it may be as short as a node's children or a row's fields:
    /// of no known type, and neither what the function was given nor begun as a builtin sequence. What slicing
    /// does to `self` is up to its class, and a record has few fields.
    pub(super) fn is_obscure(&self, cx: &Model<'a>) -> bool {
        let given = || {
            cx.symbol_of(self.of).is_some_and(|symbol| {
                cx.symbol(symbol).bindings.iter().any(|it| match it.how {
                    Bound::Parameter(_, false) => !matches!(cx.symbol(symbol).name, "self" | "cls"),
                    Bound::Assigned(value) => {
                        !mentions(value, self.of)
                            && cx.type_of(value).is_some_and(|known| known.ty.slice_copies())
                    }
                    _ => false,
                })
            })
        };
        self.known.is_none() && (!given() || super::spans::is_record(cx, self.of))
    }

    /// Whether `[:]`.
    pub(super) fn is_full(&self) -> bool {
        self.bounds.lower.is_none() && self.bounds.upper.is_none() && self.step() == Some(1)
    }

    /// Whether `[::-1]`.
    pub(super) fn is_reversed(&self) -> bool {
        self.bounds.lower.is_none() && self.bounds.upper.is_none() && self.step() == Some(-1)
    }

    /// The step, if it is written out.
    pub(super) fn step(&self) -> Option<i64> {
        self.bounds.step.as_deref().map_or(Some(1), int)
    }

    /// Whether what is sliced is proven to be of a type that copies.
    pub(super) fn proven(&self) -> bool {
        self.known.is_some_and(|known| known.proven)
    }

    /// Its type, if it is known.
    pub(super) fn ty(&self) -> Option<Type> {
        self.known.map(|known| known.ty)
    }

    /// How the message speaks of what is copied.
    pub(super) fn says(&self) -> &'static str {
        match self.ty() {
            Some(Type::List) => "copies a part of the list",
            Some(Type::Tuple) => "copies a part of the tuple",
            Some(Type::Str) => "copies a part of the text",
            Some(Type::Bytes | Type::ByteArray) => "copies a part of the bytes",
            _ => "copies a part of the sequence",
        }
    }

    /// What `islice` could do otherwise where something is not proven: that the bounds are not negative, and
    /// that nothing changes what is sliced meanwhile.
    pub(super) fn doubts(&self, natural: bool, stays: bool) -> String {
        let ty = match self.known {
            Some(Known { proven: true, .. }) => None,
            Some(known) => Some(format!("it may not be a {}", known.ty.name())),
            None => Some("it may be an array, or a class with slices of its own".to_owned()),
        };
        let bound = (!natural).then(|| "`islice` takes no negative bound".to_owned());
        let change = (!stays).then(|| "`islice` sees changes made meanwhile".to_owned());
        [ty, bound, change].into_iter().flatten().collect::<Vec<_>>().join(", and ")
    }

    /// `itertools.islice(of, lower, upper, step)` in the place of the slice, with the edit that imports it,
    /// and whether the bounds are proven not to be negative. `None` if one is negative.
    pub(super) fn as_islice(&self, cx: &Context<'_, 'a>) -> Option<(String, Vec<Edit>, bool)> {
        let (lower, upper) = (self.bounds.lower.as_deref(), self.bounds.upper.as_deref());
        let mut proven = true;
        for bound in [lower, upper].into_iter().flatten() {
            if super::spans::is_negated(bound) || cx.suspends(bound) {
                return None;
            }
            proven &= natural(cx, bound);
        }
        let step = match (self.bounds.step.as_deref(), self.step()) {
            (_, Some(1)) => None,
            (step, Some(n)) if n > 1 => step,
            _ => return None,
        };
        if cx.has_comment(self.range) {
            return None;
        }
        let (name, edits) = cx.reach("itertools.islice", self.of)?;
        let of = cx.argument_text(self.of);
        let text = |bound: Option<&'a Expr>| bound.map_or("None", |bound| cx.text(bound));
        let mut call = format!("{name}({of}, ");
        match (lower, step) {
            (None, None) => call.push_str(text(upper)),
            _ => {
                call.push_str(lower.map_or("0", |lower| cx.text(lower)));
                call.push_str(", ");
                call.push_str(text(upper));
            }
        }
        if let Some(step) = step {
            call.push_str(", ");
            call.push_str(cx.text(step));
        }
        call.push(')');
        Some((call, edits, proven))
    }
}

/// A bound as something and a number added to it.
pub(super) fn offset(bound: &Expr) -> (&Expr, i64) {
    if let Expr::BinOp(op) = bound
        && let Some(n) = int(&op.right)
        && n.abs() <= FEW
    {
        match op.op {
            Operator::Add => return (&op.left, n),
            Operator::Sub => return (&op.left, -n),
            _ => {}
        }
    }
    (bound, 0)
}

/// Whether an expression is proven to be a number of 0 or more.
pub(super) fn natural<'a>(cx: &Model<'a>, expr: &'a Expr) -> bool {
    natural_within(cx, expr, 8)
}

/// The same by way of at most so many names: one that is made of itself would come round without end.
fn natural_within<'a>(cx: &Model<'a>, expr: &'a Expr, names: u32) -> bool {
    match expr {
        Expr::NumberLiteral(_) => int(expr).is_some_and(|n| n >= 0),
        Expr::Call(_) => matches!(cx.call_of_one(expr), Some(("len" | "ord", _))),
        Expr::BinOp(op) => {
            use crate::syntax::Operator::*;
            let both = natural_within(cx, &op.left, names) && natural_within(cx, &op.right, names);
            both && matches!(op.op, Add | Mult | FloorDiv | Mod | BitAnd | BitOr | RShift)
        }
        Expr::Name(_) => match cx.reaching(expr).map(|binding| binding.how) {
            Some(Bound::Assigned(value)) => names > 0 && natural_within(cx, value, names - 1),
            Some(Bound::Element(iter)) => cx.builtin_call(iter, "range").is_some_and(|call| {
                call.arguments.args.iter().all(|bound| names > 0 && natural_within(cx, bound, names - 1))
            }),
            _ => false,
        },
        _ => false,
    }
}

/// What takes the items of an iterable.
#[derive(Clone, Copy)]
pub(super) struct Consumer<'a> {
    /// How it is called in a message: `sum`, `extend`.
    pub(super) name: &'a str,
    /// How it takes them.
    pub(super) takes: Takes,
    /// The call.
    pub(super) call: &'a ExprCall,
    /// What runs between two items.
    pub(super) region: Region,
}

/// How the items of an iterable are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// All of them at once, and none is kept: `sum`, `max`.
    All,
    /// As many as are needed: `any`, `all`.
    UntilKnown,
    /// All of them at once, into something new: `set`, `tuple`, `Counter`, `extend`.
    Into,
    /// All of them at once, into a list of its own: nothing is saved by giving them one by one.
    IntoList,
    /// One by one, by a `for` statement or comprehension around it: `enumerate`, `zip`, `map`.
    OneByOne,
    /// One by one, by whoever gets the result.
    Later,
}

/// What takes the items of an expression that is a positional argument of a call.
pub(super) fn consumer<'a>(cx: &Model<'a>, expr: &'a Expr) -> Option<Consumer<'a>> {
    let call = cx.parent_expr(expr)?.as_call_expr()?;
    let whole = cx.parent_expr(expr)?;
    let position = call.arguments.args.iter().position(|argument| argument.range() == expr.range())?;
    let here = cx.region_of(cx.id(whole));
    let consumer = |name, takes| Some(Consumer { name, takes, call, region: here });
    if let Some(name) = cx.builtin(&call.func) {
        let first = position == 0;
        return match name {
            "sum" if first => consumer(name, Takes::All),
            "min" | "max" if first && call.arguments.args.len() == 1 => consumer(name, Takes::All),
            "any" | "all" if first => consumer(name, Takes::UntilKnown),
            "set" | "frozenset" | "tuple" | "dict" | "bytes" | "bytearray" if first => {
                consumer(name, Takes::Into)
            }
            "sorted" | "list" if first => consumer(name, Takes::IntoList),
            "enumerate" if first => lazily(cx, whole, call, name),
            "zip" => lazily(cx, whole, call, name),
            "map" | "filter" if !first => lazily(cx, whole, call, name),
            _ => None,
        };
    }
    if let Some(path) = cx.path(&call.func) {
        return match path.as_str() {
            "math.fsum" | "math.prod" => consumer(tail(&call.func)?, Takes::All),
            "collections.Counter" | "collections.deque" if position == 0 => {
                consumer(tail(&call.func)?, Takes::Into)
            }
            _ => None,
        };
    }
    let Expr::Attribute(method) = &*call.func else { return None };
    let of = cx.type_of(&method.value).map(|known| known.ty);
    match (of, method.attr.as_str()) {
        (Some(Type::List | Type::ByteArray), "extend") | (Some(Type::Set | Type::Dict), "update") => {
            consumer(method.attr.as_str(), Takes::Into)
        }
        (Some(Type::Str), "join") => consumer("join", Takes::IntoList),
        _ => None,
    }
}

fn tail(func: &Expr) -> Option<&str> {
    match func {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// A call that gives its items one by one: to a loop around it, to another consumer, or later.
fn lazily<'a>(cx: &Model<'a>, whole: &'a Expr, call: &'a ExprCall, name: &'a str) -> Option<Consumer<'a>> {
    let own = cx.region_of(cx.id(whole));
    let (takes, region) = match loop_over(cx, whole) {
        // What is mapped is called between two items.
        Some(region) => (Takes::OneByOne, region.and(own)),
        None => match consumer(cx, whole) {
            Some(outer) if outer.takes != Takes::Later => (Takes::OneByOne, outer.region),
            _ => (Takes::Later, own),
        },
    };
    // What `map` calls runs between two items too.
    Some(Consumer { name, takes, call, region: region.and(own) })
}

/// What runs between two items of an expression that a loop or comprehension goes over; `None` also where a
/// generator expression goes over it at a time that is not seen here.
pub(super) fn loop_over<'a>(cx: &Model<'a>, iter: &'a Expr) -> Option<Region> {
    let id = cx.id(iter);
    if let Some(Stmt::For(it)) = cx.parent_stmt(iter) {
        let body = Region { from: cx.id(&*it.target), to: cx.region(&it.body).to };
        return (cx.id(&*it.iter) == id && !it.is_async).then_some(body);
    }
    let parent = cx.parent_expr(iter)?;
    let generators = crate::model::comprehension(parent)?;
    let generator = generators.iter().find(|generator| cx.id(&generator.iter) == id)?;
    let own = cx.region_of(cx.id(parent));
    if generator.is_async {
        None
    } else if parent.is_generator_expr() {
        if let Some(around) = loop_over(cx, parent) {
            return Some(around.and(own));
        }
        consumer(cx, parent).filter(|outer| outer.takes != Takes::Later).map(|outer| outer.region.and(own))
    } else {
        Some(own)
    }
}

/// What runs between two items of what a loop or comprehension goes over, what binds them included;
/// `None` where a generator's items are taken at another time.
pub(super) fn between<'a>(cx: &Model<'a>, it: crate::rules::Iterated<'a>) -> Option<Region> {
    match it.statement {
        Some(_) => Some(cx.region_of(cx.id(it.target)).and(it.body)),
        None => loop_over(cx, it.iter),
    }
}

/// Whether all items of an iterable are taken as long as nothing fails, at one go: `any` stops early, and
/// so does `zip` at the end of the shortest.
pub(super) fn takes_all<'a>(cx: &Model<'a>, iter: &'a Expr) -> bool {
    if let Some(Stmt::For(it)) = cx.parent_stmt(iter) {
        return cx.id(&*it.iter) == cx.id(iter) && !cx.quits(cx.region(&it.body));
    }
    let Some(parent) = cx.parent_expr(iter) else { return false };
    if crate::model::comprehension(parent).is_some() {
        return !parent.is_generator_expr() || takes_all(cx, parent);
    }
    let Some(consumer) = consumer(cx, iter) else { return false };
    match consumer.takes {
        Takes::All | Takes::Into | Takes::IntoList => true,
        Takes::OneByOne => {
            let alone = consumer.call.arguments.args.len() - usize::from(consumer.name == "map") == 1;
            (alone || matches!(consumer.name, "enumerate" | "filter")) && takes_all(cx, parent)
        }
        Takes::UntilKnown | Takes::Later => false,
    }
}

/// The edits that turn the brackets of a list comprehension into a generator's parentheses, or drop them
/// where a call's own serve. `None` if it awaits.
pub(super) fn as_generator<'a>(cx: &Model<'a>, comp: &'a Expr) -> Option<Vec<Edit>> {
    let generators = crate::model::comprehension(comp)?;
    if generators.iter().any(|generator| generator.is_async) || cx.suspends(comp) || needs_frame(comp) {
        return None;
    }
    let range = comp.range();
    let one = TextSize::from(1);
    let open = TextRange::at(range.start(), one);
    let close = TextRange::at(range.end() - one, one);
    let alone = match cx.parent_expr(comp) {
        Some(Expr::Call(call)) => {
            call.arguments.len() == 1
                && call.arguments.args.first().is_some_and(|argument| argument.range() == range)
                && cx.token_after(range.end()) == Some(TokenKind::Rpar)
                && cx.outer_range(comp) == range
        }
        _ => false,
    };
    let bare = alone || cx.outer_range(comp) != range;
    let (left, right) = if bare { ("", "") } else { ("(", ")") };
    let place = |bracket: TextRange| if bare { whole_line(cx, bracket).unwrap_or(bracket) } else { bracket };
    Some(vec![replace(place(open), left), replace(place(close), right)])
}

/// Whether an expression stands in the braces of an f-string: there a brace of its own would double theirs, and
/// before Python 3.12 a quotation mark could end the text.
pub(super) fn in_f_string(cx: &Model<'_>, expr: &Expr) -> bool {
    cx.ancestors(cx.id(expr)).any(|above| cx.expr(above).is_some_and(Expr::is_f_string_expr))
}

/// The line of a bracket that stands alone on it, its line break included.
fn whole_line(cx: &Model<'_>, bracket: TextRange) -> Option<TextRange> {
    let (start, end) = (bracket.start().to_usize(), bracket.end().to_usize());
    let line = cx.source[..start].rfind('\n')? + 1;
    let rest = cx.source[end..].find('\n')? + 1;
    let alone = cx.source[line..start].trim().is_empty() && cx.source[end..end + rest].trim().is_empty();
    let at = |offset: usize| TextSize::try_from(offset).ok();
    alone.then_some(TextRange::new(at(line)?, at(end + rest)?))
}

/// Whether an expression asks for the function around it: since Python 3.12 a list comprehension runs in
/// that function, while a generator never does.
fn needs_frame(expr: &Expr) -> bool {
    crate::syntax::any_over_expr(
        expr,
        |inner| matches!(inner, Expr::Name(name) if matches!(name.id.as_str(), "super" | "__class__" | "locals" | "vars" | "dir" | "eval" | "exec")),
    )
}

impl<'a> Model<'a> {
    /// The text of an expression as an argument of a call: in parentheses if it has a comma of its own.
    pub(super) fn argument_text(&self, expr: &'a Expr) -> String {
        let text = self.text(expr);
        match expr {
            Expr::Tuple(tuple) if !tuple.parenthesized => format!("({text})"),
            Expr::Yield(_) | Expr::YieldFrom(_) => format!("({text})"),
            Expr::Generator(generator) if !generator.parenthesized => format!("({text})"),
            _ => text.to_owned(),
        }
    }

    /// Whether a region surely changes what a name refers to, so that a copy made before it is needed.
    pub(super) fn surely_changes(&self, of: &'a Expr, region: Region) -> bool {
        let Some(symbol) = self.symbol_of(of).map(|id| self.symbol(id)) else { return false };
        if self.type_of(of).is_some_and(|known| known.ty.immutable() || known.ty == Type::Tuple) {
            return false;
        }
        let changed = symbol.uses.iter().any(|name| region.has(*name) && self.use_of(*name) == Use::Changes);
        let grown = |bound: &Bound<'a>| matches!(bound, Bound::Augmented(_));
        changed || symbol.bindings.iter().any(|it| region.has(it.node) && grown(&it.how))
    }

    /// Whether what a name refers to may be changed in a region, by this expression's own measure: something
    /// made anew cannot be, an attribute may always be.
    pub(super) fn may_change(&self, of: &'a Expr, region: Region) -> bool {
        // A tuple's items may change, but not which they are.
        if self.proven(of).is_some_and(|ty| ty.immutable() || ty == Type::Tuple) {
            return false;
        }
        match of {
            Expr::Name(_) => self.symbol_of(of).is_none_or(|symbol| self.changed_in(symbol, region)),
            Expr::Call(_) | Expr::List(_) | Expr::ListComp(_) | Expr::Tuple(_) | Expr::BinOp(_) => {
                !self.fresh(of)
            }
            _ => true,
        }
    }
}

/// Whether a comprehension awaits something, so that only an asynchronous generator could take its place.
pub(super) fn awaits(comp: &Expr) -> bool {
    let asynchronous = |all: &[crate::syntax::Comprehension]| all.iter().any(|it| it.is_async);
    crate::model::comprehension(comp).is_some_and(asynchronous)
        || crate::syntax::any_over_expr(comp, Expr::is_await_expr)
}

/// Whether an expression reads a place.
pub(super) fn mentions(expr: &Expr, place: &Expr) -> bool {
    crate::syntax::any_over_expr(expr, |inner| same_place(inner, place))
}
