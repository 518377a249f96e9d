//! What the rules about loops over indices share: what such a loop does with its
//! index, and the loop over the items that it could be.

use super::patterns::same_place;
use crate::context::{Context, replace};
use crate::finding::Edit;
use crate::model::{Bound, Model, NodeId, Region, ScopeKind, Type, Use};
use crate::syntax::{Expr, ExprContext, Ranged, Stmt, TextRange, TextSize};

/// What could differ where nothing is proven.
pub(super) const DOUBT: &str = "going over a mapping gives its keys, the sequence may change meanwhile, and other code may look for the index";

/// The sequence whose indices `range(len(xs))` gives.
pub(super) fn indices_of<'a>(cx: &Model<'a>, iter: &'a Expr) -> Option<&'a Expr> {
    let range = cx.builtin_call(iter, "range")?;
    let is = |bound: &Expr, n| super::patterns::int(bound) == Some(n);
    let stop = match &*range.arguments.args {
        [stop] => stop,
        [start, stop] if is(start, 0) => stop,
        [start, stop, step] if is(start, 0) && is(step, 1) => stop,
        _ => return None,
    };
    let of = length_of(cx, stop)?;
    range.arguments.keywords.is_empty().then_some(of)
}

/// The sequence of which an expression is the length: a name or a chain of attributes.
pub(super) fn length_of<'a>(cx: &Model<'a>, expr: &'a Expr) -> Option<&'a Expr> {
    cx.call_of_one(expr).filter(|(name, of)| *name == "len" && is_place(of)).map(|(_, of)| of)
}

fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::Attribute(attribute) => is_place(&attribute.value),
        _ => false,
    }
}

/// The name that a chain of attributes begins with.
fn root(expr: &Expr) -> &Expr {
    match expr {
        Expr::Attribute(attribute) => root(&attribute.value),
        _ => expr,
    }
}

/// What a body does with the index of a sequence.
pub(super) struct Indexed<'a> {
    /// The sequence.
    pub(super) of: &'a Expr,
    /// The index's name where it is bound.
    pub(super) index: &'a Expr,
    /// What is repeated.
    pub(super) body: Region,
    /// Every `xs[i]` in it; there is one at least.
    pub(super) reads: Vec<&'a Expr>,
    /// Whether the index serves for something else too.
    pub(super) otherwise: bool,
}

/// What a body does with an index, unless it changes the sequence or the index, or looks up anything
/// else by it. `own` are the bindings of the index in the body that belong to the loop itself.
pub(super) fn indexed<'a>(
    cx: &Model<'a>,
    index: &'a Expr,
    of: &'a Expr,
    body: Region,
    own: &[NodeId],
) -> Option<Indexed<'a>> {
    let symbol = cx.symbol(cx.symbol_of(index)?);
    let changed = symbol.bindings.iter().any(|it| body.has(it.node) && !own.contains(&it.node));
    if symbol.captured
        || symbol.bound_elsewhere
        || changed
        || !goes_by_number(cx, of)
        || is_self(cx, of)
        || is_more(cx, of)
    {
        return None;
    }
    if body.ids().any(|id| cx.expr(id).is_some_and(|it| same_place(it, of)) && cx.use_of(id) != Use::Reads) {
        return None;
    }
    let root_symbol = cx.symbol_of(root(of))?;
    if cx.symbol(root_symbol).bindings.iter().any(|it| body.has(it.node)) || rebinds_holder(cx, of, body) {
        return None;
    }
    let mut found = Indexed { of, index, body, reads: Vec::new(), otherwise: false };
    for name in symbol.uses.iter().filter(|name| body.has(**name)) {
        match cx.expr(cx.node(*name).parent) {
            Some(whole @ Expr::Subscript(it))
                if cx.id(&*it.slice) == *name
                    && it.ctx == ExprContext::Load
                    && same_place(&it.value, of)
                    && cx.symbol_of(root(&it.value)) == Some(root_symbol) =>
            {
                found.reads.push(whole);
            }
            // Neighbours and pairs read best with numbers.
            _ if places_something(cx, *name) => return None,
            _ => found.otherwise = true,
        }
    }
    (!found.reads.is_empty()).then_some(found)
}

/// Whether an attribute that leads to the sequence gets another value in the body.
fn rebinds_holder(cx: &Model<'_>, of: &Expr, body: Region) -> bool {
    let Expr::Attribute(attribute) = of else { return false };
    let stored = |id| {
        cx.expr(id).is_some_and(|it| match it {
            Expr::Attribute(inner) => inner.ctx != ExprContext::Load && same_place(&attribute.value, it),
            _ => false,
        })
    };
    body.ids().any(stored) || rebinds_holder(cx, &attribute.value, body)
}

/// Whether an expression is the object whose method this is: going over it may be what the method is for.
fn is_self<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let first = |name: &Expr| {
        let function = cx.function(cx.id(name))?;
        let in_class = cx.scope(cx.node(cx.id(function)).scope).kind == ScopeKind::Class;
        let this = function.parameters.iter_non_variadic_params().next().filter(|_| in_class)?;
        Some(this.parameter.name.as_str())
    };
    matches!(of, Expr::Name(name) if first(of) == Some(name.id.as_str()))
}

/// Whether going over something may give what its indices give.
fn goes_by_number<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    use Type::*;
    cx.type_of(of).is_none_or(|known| {
        matches!(known.ty, List | Tuple | Str | Bytes | ByteArray | MemoryView | Range | Array)
    })
}

/// Whether something of unknown type is asked for what no sequence has: its items may be other things than
/// what its indices give.
fn is_more<'a>(cx: &Model<'a>, of: &'a Expr) -> bool {
    let Some(id) = cx.symbol_of(of).filter(|_| cx.type_of(of).is_none()) else { return false };
    cx.symbol(id).uses.iter().any(|name| match cx.expr(cx.node(*name).parent) {
        Some(Expr::Attribute(it)) => !OF_SEQUENCES.contains(&it.attr.as_str()),
        _ => false,
    })
}

/// What lists and text can be asked for.
const OF_SEQUENCES: &[&str] = &[
    "append",
    "clear",
    "copy",
    "count",
    "encode",
    "endswith",
    "extend",
    "find",
    "index",
    "insert",
    "join",
    "lower",
    "pop",
    "remove",
    "replace",
    "reverse",
    "rfind",
    "rstrip",
    "sort",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "upper",
];

/// Whether a name is part of an index or of the bounds of a range.
fn places_something(cx: &Model<'_>, name: NodeId) -> bool {
    cx.ancestors(name).take_while(|above| !cx.is_statement(*above)).any(|above| match cx.expr(above) {
        Some(Expr::Subscript(it)) => cx.region_of(cx.id(&*it.slice)).has(name),
        Some(Expr::Call(call)) => cx.is_builtin(&call.func, "range"),
        _ => false,
    })
}

impl<'a> Indexed<'a> {
    /// Whether the index, which these nodes of the loop bind and test, is read elsewhere while it might
    /// still be the loop's.
    pub(super) fn outlives(&self, cx: &Model<'a>, statement: &'a Stmt, own: &[NodeId]) -> bool {
        let Some(symbol) = cx.symbol_of(self.index).map(|id| cx.symbol(id)) else { return true };
        let here = cx.id(statement);
        let (block, end) = (cx.block(here), cx.node(here).end);
        let around = cx.loop_around(here).map(|around| cx.region(around.body()));
        let elsewhere = symbol
            .uses
            .iter()
            .filter(|name| !self.body.has(**name) && !own.contains(&cx.node(**name).parent));
        elsewhere.into_iter().any(|name| {
            if let Some(binding) = cx.expr(*name).and_then(|name| cx.reaching(name)) {
                return own.contains(&binding.node);
            }
            let earlier = *name < here && around.is_none_or(|around| !around.has(*name));
            // `i = 0` again, before the next loop.
            let beside =
                cx.ancestors(*name).find(|above| cx.is_statement(*above) && cx.block(*above) == block);
            let bound_again = beside.is_some_and(|beside| {
                symbol.bindings.iter().any(|it| {
                    let at = cx.statement(it.node);
                    matches!(it.how, Bound::Assigned(_)) && end <= at && at < beside && cx.block(at) == block
                })
            });
            !earlier && !bound_again
        })
    }

    /// Whether the sequence is proven to be one, and to stay as it is meanwhile.
    pub(super) fn proven(&self, cx: &Model<'a>) -> bool {
        let sequence = matches!(
            cx.proven(self.of),
            Some(Type::List | Type::Tuple | Type::Str | Type::Bytes | Type::ByteArray | Type::Range)
        );
        let Some(id) = cx.symbol_of(self.index) else { return false };
        let scope = cx.scope(cx.symbol(id).scope);
        let local = matches!(scope.kind, ScopeKind::Function | ScopeKind::Comprehension);
        let by_string = scope.by_string || cx.scope(cx.frame(cx.id(self.index))).by_string;
        sequence && local && !by_string && !cx.may_change(self.of, self.body)
    }

    /// A name for an item that means nothing yet where the loop stands.
    fn fresh_name(&self, cx: &Model<'a>) -> Option<String> {
        let at = cx.id(self.index);
        let frame = cx.region_of(cx.scope(cx.frame(at)).node);
        let taken = |name: &str| {
            let bound =
                |id| cx.symbol(id).name == name && cx.symbol(id).bindings.iter().any(|it| frame.has(it.node));
            let named = |id| matches!(cx.expr(id), Some(Expr::Name(it)) if it.id == name);
            cx.lookup(name, cx.node(at).scope).is_some() || frame.ids().any(named) || cx.symbols().any(bound)
        };
        let plural = match self.of {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            of => cx.text(of),
        };
        let general = ["item", "element", "value"].map(str::to_owned);
        singular(plural).into_iter().chain(general).find(|name| !taken(name))
    }

    /// The edits that put an item's name in the place of every `xs[i]`, and that name. Where the body
    /// begins with `x = xs[i]`, that is the name, and the assignment goes.
    pub(super) fn by_item(&self, cx: &Model<'a>, body: Option<&'a [Stmt]>) -> Option<(String, Vec<Edit>)> {
        let first = body.and_then(|body| self.named_first(cx, body));
        let (name, mut edits, dropped) = match first {
            Some((name, lines)) => (name, vec![replace(lines, "")], lines),
            None => (self.fresh_name(cx)?, Vec::new(), TextRange::default()),
        };
        for range in
            self.reads.iter().map(|read| read.range()).filter(|range| !dropped.contains_range(*range))
        {
            let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let before = cx.source[..range.start().to_usize()].chars().next_back();
            let after = cx.source[range.end().to_usize()..].chars().next();
            if cx.has_comment(range) || joined(before) || joined(after) {
                return None;
            }
            edits.push(replace(range, name.as_str()));
        }
        Some((name, edits))
    }

    /// The name of `x = xs[i]`, if the body begins with that and binds `x` nowhere else, and its lines.
    fn named_first(&self, cx: &Model<'a>, body: &'a [Stmt]) -> Option<(String, TextRange)> {
        let [first @ Stmt::Assign(assign), _, ..] = body else { return None };
        let [Expr::Name(name)] = &assign.targets[..] else { return None };
        let symbol = cx.symbol(cx.symbol_of(&assign.targets[0])?);
        let bound = symbol.bindings.iter().filter(|it| self.body.has(it.node)).count();
        let is_read = self.reads.iter().any(|read| cx.id(*read) == cx.id(&*assign.value));
        (is_read && bound == 1 && !symbol.bound_elsewhere)
            .then(|| cx.whole_lines(first))
            .flatten()
            .map(|lines| (name.id.to_string(), lines))
    }
}

/// Several edits as one of everything from the first to the end of `range`: what else could be mended in
/// there waits until the names are known.
pub(super) fn as_one(cx: &Context<'_, '_>, range: TextRange, mut edits: Vec<Edit>) -> Edit {
    edits.sort();
    let start =
        edits.first().map_or(range.start().to_usize(), |edit| edit.start.min(range.start().to_usize()));
    let (mut text, mut at) = (String::new(), start);
    for edit in &edits {
        text.push_str(&cx.source[at..edit.start]);
        text.push_str(&edit.text);
        at = edit.end;
    }
    let end = range.end().to_usize().max(at);
    text.push_str(&cx.source[at..end]);
    replace(
        TextRange::new(
            TextSize::try_from(start).unwrap_or_default(),
            TextSize::try_from(end).unwrap_or_default(),
        ),
        text,
    )
}

/// What one of several is called: `names` gives `name`, `entries` gives `entry`.
fn singular(plural: &str) -> Option<String> {
    let plural = plural.trim_start_matches('_');
    let of_four = |ending: &str| plural.ends_with(ending);
    let one = if let Some(stem) = plural.strip_suffix("ies") {
        format!("{stem}y")
    } else if ["sses", "xes", "ches", "shes"].into_iter().any(of_four) {
        plural.strip_suffix("es")?.to_owned()
    } else if ["ss", "us", "is", "as", "ses"].into_iter().any(of_four) {
        return None;
    } else {
        plural.strip_suffix('s')?.to_owned()
    };
    let plain = one.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (one.len() > 2 && plain && !TAKEN.contains(&one.as_str())).then_some(one)
}

/// Keywords and builtins that a plural may end up as.
const TAKEN: &[&str] = &[
    "all", "any", "assert", "bin", "bool", "break", "byte", "class", "compile", "complex", "continue",
    "dict", "dir", "eval", "except", "exec", "exit", "filter", "float", "format", "from", "global", "hash",
    "help", "hex", "import", "input", "int", "iter", "lambda", "len", "list", "map", "max", "min", "next",
    "object", "oct", "open", "ord", "pass", "pow", "print", "property", "raise", "range", "repr", "return",
    "round", "set", "slice", "str", "sum", "tuple", "type", "var", "while", "with", "yield", "zip",
];
