//! MS501: a class without `__slots__`, of which many instances are kept.

use std::collections::BTreeSet;

use super::short::{few, numbers};
use super::{Experiment, On, Rule, Saves};
use crate::context::{Context, fix, replace};
use crate::finding::{Edit, Fix};
use crate::model::{Bound, Model, NodeId, Region, ScopeKind, SymbolId, Use, comprehension};
use crate::syntax::{Expr, ExprContext, Ranged, Stmt, StmtClassDef, StmtFunctionDef, TextRange, TextSize};
use crate::target::PythonVersion;

pub(super) const RULE: Rule = Rule {
    code: "MS501",
    name: "class-without-slots",
    what: "A class without `__slots__` of which a loop or comprehension makes instances that are kept.",
    why: "Every instance of such a class can take any attribute, and has room for a table of them. With three \
          attributes an instance takes 88 to 96 bytes, and 152 before Python 3.11; with `__slots__` it takes 56.",
    not_when: "Of classes with bases or a metaclass, of those that ask for `__dict__`, `vars`, `setattr`, \
               weak references or `cached_property`, that give an attribute a default in the class, or that \
               have no attributes. Where only a few instances are made, nothing is gained.",
    fix: "`__slots__` with all attributes that `__init__` gives; for a dataclass `slots=True`, from Python 3.10. \
          Unsafe: other code may give the instances more attributes, or ask for their `__dict__`.",
    saves: Saves::Peak,
    experiment: Experiment {
        setup: "class Plain:\n    def __init__(self, x, y, z):\n        self.x = x\n        self.y = y\n        self.z = z\n\
                class Slotted:\n    __slots__ = ('x', 'y', 'z')\n    def __init__(self, x, y, z):\n        self.x = x\n        self.y = y\n        self.z = z\n",
        before: "points = [Plain(1, 2, 3) for _ in range(100_000)]\n",
        after: "points = [Slotted(1, 2, 3) for _ in range(100_000)]\n",
        needs: &[],
    },
    on: &[On::Statement(check)],
};

const DOUBT: &str = "other code may give the instances more attributes, or ask for their `__dict__`";

fn check<'a>(cx: &mut Context<'_, 'a>, statement: &'a Stmt) {
    let Stmt::ClassDef(class) = statement else { return };
    let Some(symbol) = symbol_of(cx, class) else { return };
    let Some(kind) = kind(cx, class) else { return };
    let mut costs = kept(cx, symbol);
    let body = cx.region_of(cx.id(class));
    if costs.is_empty() || asks_for_more(cx, body, symbol) {
        return;
    }
    let fields = match kind {
        Kind::Plain => given(cx, class),
        Kind::Data(_) => fields(class),
    };
    let own = own_names(class);
    let has_defaults = fields.names.iter().any(|name| own.contains(name));
    let can = match kind {
        Kind::Plain => !has_defaults,
        Kind::Data(_) => !has_defaults || cx.python >= PythonVersion::minor(10),
    };
    if fields.names.is_empty() || !can {
        return;
    }
    costs.extend(fields.first);
    let inherited = cx.ids().any(|id| match cx.stmt(id) {
        Some(Stmt::ClassDef(other)) => other.bases().iter().any(|base| cx.symbol_of(base) == Some(symbol)),
        _ => false,
    });
    let mended = match kind {
        _ if inherited => None,
        Kind::Plain if fields.all_in_init && !given_elsewhere(cx, body, &fields.names) => {
            slots(cx, class, &fields.names)
        }
        Kind::Plain => None,
        Kind::Data(decorator) => data_slots(cx, decorator, body),
    };
    let advice = match kind {
        Kind::Data(_) if cx.python >= PythonVersion::minor(10) => "ask for `slots=True`",
        _ => "give it `__slots__`",
    };
    let message = format!(
        "instances of `{}` are made in a loop and kept, each with room for any attribute: {advice}",
        class.name
    );
    cx.found_with_costs(&class.name.range(), message, mended, costs);
}

/// What a class is made with.
#[derive(Clone, Copy)]
enum Kind<'a> {
    /// The statement alone.
    Plain,
    /// `@dataclass`, with this decorator.
    Data(&'a Expr),
}

fn kind<'a>(cx: &Model<'a>, class: &'a StmtClassDef) -> Option<Kind<'a>> {
    let plain = class.keywords().is_empty() && class.bases().iter().all(|base| cx.is_builtin(base, "object"));
    let slotted = class.body.iter().any(|it| match it {
        Stmt::Assign(assign) => assign.targets.iter().any(|target| names(target, "__slots__")),
        Stmt::AnnAssign(assign) => names(&assign.target, "__slots__"),
        _ => false,
    });
    if !plain || slotted || class.type_params.is_some() {
        return None;
    }
    match &class.decorator_list[..] {
        [] => Some(Kind::Plain),
        [decorator] => {
            let (path, options) = match &decorator.expression {
                Expr::Call(call) => (&*call.func, &*call.arguments.keywords),
                name => (name, &[][..]),
            };
            let known = ["slots", "weakref_slot"];
            let says =
                options.iter().any(|word| word.arg.as_deref().is_none_or(|name| known.contains(&name)));
            (cx.is(path, "dataclasses.dataclass") && !says).then_some(Kind::Data(&decorator.expression))
        }
        _ => None,
    }
}

fn names(target: &Expr, name: &str) -> bool {
    target.as_name_expr().is_some_and(|it| it.id == name)
}

/// The symbol of a class, if nothing else has its name.
fn symbol_of(cx: &Model<'_>, class: &StmtClassDef) -> Option<SymbolId> {
    let id = cx.lookup(class.name.as_str(), cx.node(cx.id(class)).scope)?;
    let [binding] = cx.symbol(id).bindings[..] else { return None };
    matches!(binding.how, Bound::Class(other) if cx.id(other) == cx.id(class)).then_some(id)
}

/// Whether a class or the file around it does what instances with slots cannot do.
fn asks_for_more(cx: &Model<'_>, class: Region, symbol: SymbolId) -> bool {
    cx.ids().any(|id| match cx.expr(id) {
        Some(Expr::Attribute(it)) => {
            let name = it.attr.as_str();
            // `Point.x = 0` would take the place of what `__slots__` makes.
            let of_class = it.ctx != ExprContext::Load && cx.symbol_of(&it.value) == Some(symbol);
            of_class
                || name == "__dict__"
                || class.has(id) && matches!(name, "cached_property" | "__setattr__" | "__class__")
        }
        Some(name @ Expr::Name(it)) => match it.id.as_str() {
            "vars" => true,
            "setattr" | "delattr" | "cached_property" | "__class__" => class.has(id),
            _ => cx.path(name).is_some_and(|path| path.starts_with("weakref")),
        },
        _ => {
            class.has(id)
                && matches!(cx.stmt(id), Some(Stmt::FunctionDef(it)) if it.name.as_str().contains("attr__"))
        }
    })
}

/// The names that the class itself has.
fn own_names<'a>(class: &'a StmtClassDef) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut add = |target: &'a Expr| found.extend(target.as_name_expr().map(|name| name.id.as_str()));
    for statement in &class.body {
        match statement {
            Stmt::Assign(it) => it.targets.iter().for_each(&mut add),
            Stmt::AnnAssign(it) if it.value.is_some() => add(&it.target),
            _ => {}
        }
    }
    found.extend(class.body.iter().filter_map(|statement| match statement {
        Stmt::FunctionDef(it) => Some(it.name.as_str()),
        Stmt::ClassDef(it) => Some(it.name.as_str()),
        _ => None,
    }));
    found
}

/// The attributes of a class's instances.
struct Fields<'a> {
    /// Their names, in the order in which they are given.
    names: Vec<&'a str>,
    /// Whether `__init__` gives all of them.
    all_in_init: bool,
    /// The first statement that gives one: before Python 3.11 it makes the table.
    first: Option<TextRange>,
}

/// The attributes that methods give to `self`.
fn given<'a>(cx: &Model<'a>, class: &'a StmtClassDef) -> Fields<'a> {
    let mut fields = Fields { names: Vec::new(), all_in_init: true, first: None };
    let methods = class.body.iter().filter_map(Stmt::as_function_def_stmt);
    let (init, others): (Vec<&StmtFunctionDef>, Vec<_>) =
        methods.partition(|it| it.name.as_str() == "__init__");
    for (method, is_init) in
        init.into_iter().map(|it| (it, true)).chain(others.into_iter().map(|it| (it, false)))
    {
        let Some(this) = method.parameters.iter_non_variadic_params().next() else { continue };
        for id in cx.region(&method.body).ids() {
            let Some(it @ Expr::Attribute(attribute)) = cx.expr(id) else { continue };
            if attribute.ctx != ExprContext::Store || !names(&attribute.value, this.parameter.name.as_str()) {
                continue;
            }
            // What a class method gives is the class's.
            if method.decorator_list.iter().any(|it| names(&it.expression, "classmethod")) {
                return Fields { names: Vec::new(), all_in_init: false, first: None };
            }
            let name = attribute.attr.as_str();
            if !fields.names.contains(&name) {
                fields.names.push(name);
                fields.all_in_init &= is_init;
            }
            let copied = matches!(cx.parent_stmt(it), Some(Stmt::Assign(assign)) if assign.value.is_name_expr() || assign.value.is_literal_expr());
            if is_init && copied && fields.first.is_none() {
                fields.first = cx.stmt_of(it).map(Ranged::range);
            }
        }
    }
    fields
}

/// The fields of a dataclass.
fn fields(class: &StmtClassDef) -> Fields<'_> {
    let names = class.body.iter().filter_map(|statement| {
        let target = statement.as_ann_assign_stmt()?.target.as_name_expr()?;
        Some(target.id.as_str())
    });
    Fields { names: names.collect(), all_in_init: true, first: None }
}

/// Whether the file gives attributes that the class does not, to what may be its instances.
fn given_elsewhere(cx: &Model<'_>, class: Region, names: &[&str]) -> bool {
    let of_another = |holder: &Expr| {
        cx.symbol_of(holder).map(|id| cx.symbol(id)).is_some_and(|symbol| {
            let method = cx.scope(cx.scope(symbol.scope).parent).kind == ScopeKind::Class;
            symbol.bindings.iter().all(|it| match it.how {
                Bound::Parameter(..) => method,
                Bound::Class(_) | Bound::Import => true,
                _ => false,
            })
        })
    };
    cx.ids().filter(|id| !class.has(*id)).any(|id| match cx.expr(id) {
        Some(Expr::Attribute(it)) => {
            it.ctx != ExprContext::Load && !names.contains(&it.attr.as_str()) && !of_another(&it.value)
        }
        _ => false,
    })
}

/// The calls that make an instance again and again and keep it.
fn kept<'a>(cx: &Model<'a>, class: SymbolId) -> Vec<TextRange> {
    let calls = cx.symbol(class).uses.iter().filter_map(|name| {
        let call = cx.expr(cx.node(*name).parent)?;
        let func = &*call.as_call_expr()?.func;
        (cx.id(func) == *name && cx.repeated(cx.id(call)) && is_kept(cx, call)).then(|| call.range())
    });
    calls.collect()
}

fn is_kept<'a>(cx: &Model<'a>, value: &'a Expr) -> bool {
    let id = cx.id(value);
    match cx.parent_expr(value) {
        Some(Expr::Tuple(_) | Expr::List(_)) => cx.parent_expr(value).is_some_and(|outer| is_kept(cx, outer)),
        Some(outer @ (Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_))) => {
            let item = comprehension(outer).is_some_and(|generators| {
                generators.iter().all(|it| {
                    !cx.region_of(cx.id(&it.iter)).has(id)
                        && !it.ifs.iter().any(|test| cx.region_of(cx.id(test)).has(id))
                })
            });
            let rounds = |all: &'a [crate::syntax::Comprehension]| {
                all.iter().try_fold(1_u64, |n, one| Some(n.saturating_mul(rounds(cx, &one.iter)?)))
            };
            item && comprehension(outer).and_then(rounds).is_none_or(|n| n > FEW_INSTANCES)
        }
        Some(outer @ Expr::Call(call)) => {
            let Expr::Attribute(method) = &*call.func else { return false };
            let adds =
                matches!(method.attr.as_str(), "append" | "add" | "appendleft" | "insert" | "setdefault");
            adds && !is_emptied(cx, &method.value) && grows(cx, outer, cx.id(outer))
        }
        Some(_) => false,
        None => match cx.parent_stmt(value) {
            Some(Stmt::Assign(assign)) => match &assign.targets[..] {
                [Expr::Subscript(_)] => grows(cx, value, id),
                // `p = Point(…)`, then `points.append(p)` in the same round.
                [target @ Expr::Name(_)] => {
                    let symbol = cx.symbol_of(target).map(|id| cx.symbol(id));
                    symbol.is_some_and(|symbol| {
                        symbol.bindings.len() == 1
                            && symbol.uses.iter().filter_map(|name| cx.expr(*name)).any(|name| {
                                cx.parent_expr(name).is_some_and(Expr::is_call_expr) && is_kept(cx, name)
                            })
                    })
                }
                _ => false,
            },
            _ => false,
        },
    }
}

/// Whether a name is a stack or a queue: what it holds is taken out again.
fn is_emptied<'a>(cx: &Model<'a>, container: &'a Expr) -> bool {
    let Some(symbol) = cx.symbol_of(container).map(|id| cx.symbol(id)) else { return false };
    symbol.uses.iter().filter_map(|name| cx.parent_expr(cx.expr(*name)?)).any(|parent| match parent {
        Expr::Attribute(method) => matches!(method.attr.as_str(), "pop" | "popleft" | "clear"),
        Expr::Subscript(item) => {
            item.ctx == ExprContext::Del || item.ctx == ExprContext::Store && item.slice.is_slice_expr()
        }
        _ => false,
    })
}

/// Whether a statement in a loop is run more than a few times.
fn grows<'a>(cx: &Model<'a>, value: &'a Expr, id: NodeId) -> bool {
    match cx.loop_around(id) {
        Some(crate::model::shape::Loop::For(it)) => rounds(cx, &it.iter).is_none_or(|n| n > FEW_INSTANCES),
        Some(crate::model::shape::Loop::While(_)) => true,
        None => cx.repeated(cx.id(value)),
    }
}

/// With so many instances a few kilobytes are saved at most: not worth a word.
const FEW_INSTANCES: u64 = 256;

/// How often a loop over this is run at most, if that can be told.
fn rounds<'a>(cx: &Model<'a>, iter: &'a Expr) -> Option<u64> {
    let written = |value: &Expr| match value {
        Expr::List(list) => Some(list.elts.len()),
        Expr::Tuple(tuple) => Some(tuple.elts.len()),
        _ => None,
    };
    if let Some(n) = written(iter) {
        return Some(n as u64);
    }
    // A name that may be a list written out is a list of a few at other times too.
    let by_name = cx.symbol_of(iter).map(|id| cx.symbol(id)).and_then(|symbol| {
        let grows = symbol.uses.iter().any(|name| cx.use_of(*name) == Use::Changes);
        let lengths = symbol.bindings.iter().filter_map(|it| match it.how {
            Bound::Assigned(value) => written(value).filter(|n| *n > 0),
            _ => None,
        });
        lengths.max().filter(|_| !grows)
    });
    by_name
        .map(|n| n as u64)
        .or_else(|| cx.builtin_call(iter, "range").and_then(numbers))
        .or_else(|| few(cx, iter).then_some(16))
}

/// The fix that writes `__slots__` at the beginning of a class.
fn slots(cx: &Context<'_, '_>, class: &StmtClassDef, fields: &[&str]) -> Option<Fix> {
    let first = class.body.first()?;
    let indent = cx.indent(first)?;
    let newline = if cx.source.contains("\r\n") { "\r\n" } else { "\n" };
    let quoted: Vec<String> = fields.iter().map(|name| format!("\"{name}\"")).collect();
    let short = match &quoted[..] {
        [one] => format!("({one},)"),
        all => format!("({})", all.join(", ")),
    };
    let tuple = if indent.len() + "__slots__ = ".len() + short.len() <= 88 {
        short
    } else {
        let lines: String = quoted.iter().map(|name| format!("{indent}    {name},{newline}")).collect();
        format!("({newline}{lines}{indent})")
    };
    let docstring = matches!(first, Stmt::Expr(it) if it.value.is_string_literal_expr());
    let (at, text) = if docstring {
        let at = cx.whole_lines(first)?.end();
        let after = &cx.source[at.to_usize()..];
        let blank = after.lines().next().is_none_or(|line| line.trim().is_empty());
        let gap = if blank { "" } else { newline };
        (at, format!("{newline}{indent}__slots__ = {tuple}{newline}{gap}"))
    } else {
        let head = TextRange::new(class.name.end(), first.start());
        if cx.has_comment(head) {
            return None;
        }
        (first.start() - TextSize::of(indent), format!("{indent}__slots__ = {tuple}{newline}{newline}"))
    };
    fix(false, "say which attributes there are", DOUBT, vec![replace(TextRange::empty(at), text)])
}

/// The fix that asks `dataclass` for slots, which makes the class anew: what refers to the first one is lost.
fn data_slots<'a>(cx: &Context<'_, 'a>, decorator: &'a Expr, class: Region) -> Option<Fix> {
    let by_itself = class.ids().any(|id| cx.expr(id).is_some_and(|it| names(it, "super")));
    if cx.python < PythonVersion::minor(10) || by_itself {
        return None;
    }
    let edit: Edit = match decorator {
        Expr::Call(call) => {
            let close = call.arguments.end() - TextSize::from(1);
            let last = call.arguments.keywords.last().map(Ranged::end);
            match last {
                Some(end) => replace(TextRange::empty(end), ", slots=True"),
                None => replace(TextRange::empty(close), "slots=True"),
            }
        }
        name => replace(TextRange::empty(name.end()), "(slots=True)"),
    };
    fix(false, "ask for slots", DOUBT, vec![edit])
}

#[cfg(test)]
mod tests {
    use super::{PythonVersion, RULE};
    use crate::{Applicability, Options, fix};

    fn fixed(source: &str, minor: u8) -> String {
        let options =
            Options { rules: vec![&RULE], python: PythonVersion::minor(minor), ..Options::default() };
        fix(source, &options, Applicability::Unsafe).expect("it is Python").text
    }

    #[test]
    fn a_dataclass_is_asked_for_slots_from_python_3_10() {
        let source = "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 0\nps = [P(i) for i in range(1000)]\n";
        assert_eq!(fixed(source, 9), source);
        assert_eq!(fixed(source, 10), source.replace("@dataclass", "@dataclass(slots=True)"));
        let called = source.replace("@dataclass", "@dataclass()");
        assert_eq!(fixed(&called, 12), source.replace("@dataclass", "@dataclass(slots=True)"));
        let frozen = source.replace("@dataclass", "@dataclass(frozen=True)");
        assert_eq!(fixed(&frozen, 12), source.replace("@dataclass", "@dataclass(frozen=True, slots=True)"));
    }

    #[test]
    fn a_dataclass_that_names_its_super_class_is_left_alone() {
        let source = "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    def f(self):\n        return super().__repr__()\nps = [P(i) for i in range(1000)]\n";
        assert_eq!(fixed(source, 12), source);
    }
}
