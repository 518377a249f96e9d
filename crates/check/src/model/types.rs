//! Which builtin type an expression has, and whether the text proves it.
//!
//! A type is *proven* if every way in which the value can come about gives it:
//! displays, builtins that nothing shadows, their methods, and names all of
//! whose bindings do. It is *hinted* if an annotation says so, or a method that
//! only that type is likely to have. A safe fix needs proof; a finding may rest
//! on a hint.

use super::{Binding, Bound, Model, SymbolId, tables};
use crate::syntax::{Expr, ExprCall, Number, Operator, UnaryOp};

/// A type that rules ask for. Its subclasses are not it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// `list`.
    List,
    /// `tuple`.
    Tuple,
    /// `str`.
    Str,
    /// `bytes`.
    Bytes,
    /// `bytearray`.
    ByteArray,
    /// `memoryview`, whose slices copy nothing.
    MemoryView,
    /// `dict`.
    Dict,
    /// `set`.
    Set,
    /// `frozenset`.
    FrozenSet,
    /// `int`.
    Int,
    /// `float`.
    Float,
    /// `bool`.
    Bool,
    /// `None`.
    Nothing,
    /// `range`, whose slices copy nothing.
    Range,
    /// Something that gives its items once.
    Iterator,
    /// A file opened as text.
    TextFile,
    /// A file opened as bytes.
    BinaryFile,
    /// An array of NumPy or a column of pandas, whose slices are views.
    Array,
    /// A table of pandas.
    Table,
    /// A function, class or module.
    Code,
    /// An instance of something else that is known not to be any of these.
    Other,
}

impl Type {
    /// Whether its slices copy what they hold.
    pub(crate) fn slice_copies(self) -> bool {
        matches!(self, Self::List | Self::Tuple | Self::Str | Self::Bytes | Self::ByteArray)
    }

    /// Whether its values never change.
    pub(crate) fn immutable(self) -> bool {
        matches!(
            self,
            Self::Str | Self::Bytes | Self::Int | Self::Float | Self::Bool | Self::Nothing | Self::Range
        )
    }

    /// How Python names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Tuple => "tuple",
            Self::Str => "str",
            Self::Bytes => "bytes",
            Self::ByteArray => "bytearray",
            Self::MemoryView => "memoryview",
            Self::Dict => "dict",
            Self::Set => "set",
            Self::FrozenSet => "frozenset",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Nothing => "None",
            Self::Range => "range",
            Self::Iterator => "iterator",
            Self::TextFile | Self::BinaryFile => "file",
            Self::Array => "array",
            Self::Table => "table",
            Self::Code | Self::Other => "object",
        }
    }
}

/// How many steps an answer about a type may take that each hang on the next.
const MAX_DEPTH_OF_TYPES: u32 = 500;

/// A type, and whether it is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The type.
    pub(crate) ty: Type,
    /// Whether the text proves it.
    pub(crate) proven: bool,
}

impl Known {
    pub(super) const fn proven(ty: Type) -> Self {
        Self { ty, proven: true }
    }

    pub(super) const fn hinted(ty: Type) -> Self {
        Self { ty, proven: false }
    }

    pub(super) fn and(self, proven: bool) -> Self {
        Self { proven: self.proven && proven, ..self }
    }

    /// The type of something that is the one or the other.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        (self.ty == other.ty).then(|| self.and(other.proven))
    }
}

/// What the bindings of a name come to.
enum Sum {
    /// None says anything yet.
    Open,
    /// All so far agree.
    One(Known),
    /// They don't, or one is not known.
    Mixed,
}

impl<'a> Model<'a> {
    /// The type of an expression, if it is known.
    pub(crate) fn type_of(&self, expr: &'a Expr) -> Option<Known> {
        self.one_step_on(|| self.type_by_form(expr))
    }

    /// An answer that may hang on another. One that hangs on another that hangs on another, and so on for
    /// longer than anybody writes, is not known.
    fn one_step_on(&self, ask: impl FnOnce() -> Option<Known>) -> Option<Known> {
        let depth = self.depth.get();
        if depth > MAX_DEPTH_OF_TYPES {
            return None;
        }
        self.depth.set(depth + 1);
        let known = ask();
        self.depth.set(depth);
        known
    }

    fn type_by_form(&self, expr: &'a Expr) -> Option<Known> {
        use Type::*;
        Some(Known::proven(match expr {
            Expr::List(_) | Expr::ListComp(_) => List,
            Expr::Tuple(_) => Tuple,
            Expr::Dict(_) | Expr::DictComp(_) => Dict,
            Expr::Set(_) | Expr::SetComp(_) => Set,
            Expr::Generator(_) => Iterator,
            Expr::StringLiteral(_) | Expr::FString(_) => Str,
            Expr::BytesLiteral(_) => Bytes,
            Expr::BooleanLiteral(_) => Bool,
            Expr::NoneLiteral(_) => Nothing,
            Expr::Lambda(_) => Code,
            Expr::NumberLiteral(number) => match number.value {
                Number::Int(_) => Int,
                Number::Float(_) => Float,
                Number::Complex { .. } => Other,
            },
            Expr::Named(named) => return self.type_of(&named.value),
            Expr::If(either) => return self.type_of(&either.body)?.join(self.type_of(&either.orelse)?),
            Expr::BoolOp(op) => {
                let mut types = op.values.iter().map(|value| self.type_of(value));
                let first = types.next()??;
                return types.try_fold(first, |sum, next| sum.join(next?));
            }
            Expr::UnaryOp(op) => match op.op {
                UnaryOp::Not => Bool,
                _ => return self.type_of(&op.operand).filter(|known| matches!(known.ty, Int | Float)),
            },
            Expr::BinOp(op) => return self.type_of_operation(&op.left, op.op, &op.right),
            Expr::Subscript(subscript) => {
                let of = self.type_of(&subscript.value)?;
                return match (of.ty, subscript.slice.is_slice_expr()) {
                    (List | Tuple | Str | Bytes | ByteArray | MemoryView | Range | Array, true) => Some(of),
                    (Str | Bytes | ByteArray | Range | List | Tuple, false) => {
                        Some(self.element_of(&subscript.value)?.and(of.proven))
                    }
                    _ => None,
                };
            }
            Expr::Call(call) => return self.type_of_call(call),
            Expr::Name(_) => return self.type_of_name(expr),
            Expr::Attribute(attribute) => {
                let holder = attribute.value.as_name_expr()?;
                let class = self.class(self.id(expr)).filter(|_| holder.id == "self")?;
                return self.attribute_type(class, attribute.attr.as_str());
            }
            _ => return None,
        }))
    }

    /// The type of an expression, if it is proven.
    pub(crate) fn proven(&self, expr: &'a Expr) -> Option<Type> {
        self.type_of(expr).filter(|known| known.proven).map(|known| known.ty)
    }

    fn type_of_operation(&self, left: &'a Expr, op: Operator, right: &'a Expr) -> Option<Known> {
        use Type::*;
        let (left, right) = (self.type_of(left), self.type_of(right));
        let both = |one: Known, other: Known, ty| Some(Known { ty, proven: one.proven && other.proven });
        match (left, op, right) {
            // `'…' % x` is a str whatever x is.
            (Some(of @ Known { ty: Str | Bytes, .. }), Operator::Mod, _) => Some(of),
            (Some(of @ Known { ty: Array, .. }), _, _) | (_, _, Some(of @ Known { ty: Array, .. })) => {
                Some(of)
            }
            (
                Some(one @ Known { ty: List | Tuple | Str | Bytes | ByteArray, .. }),
                Operator::Add,
                Some(other),
            ) if one.ty == other.ty => one.join(other),
            // What is added to a str is a str, or it fails; but the other operand may bring its own `__radd__`.
            (Some(Known { ty: ty @ (Str | List | Bytes), .. }), Operator::Add, None)
            | (None, Operator::Add, Some(Known { ty: ty @ (Str | List | Bytes), .. })) => {
                Some(Known::hinted(ty))
            }
            (
                Some(one @ Known { ty: List | Tuple | Str | Bytes | ByteArray, .. }),
                Operator::Mult,
                Some(n),
            ) if matches!(n.ty, Int | Bool) => both(one, n, one.ty),
            (
                Some(n),
                Operator::Mult,
                Some(one @ Known { ty: List | Tuple | Str | Bytes | ByteArray, .. }),
            ) if matches!(n.ty, Int | Bool) => both(one, n, one.ty),
            (Some(Known { ty: ty @ (List | Tuple | Str | Bytes), .. }), Operator::Mult, None) => {
                Some(Known::hinted(ty))
            }
            (Some(Known { ty: ty @ (Set | FrozenSet | Dict), .. }), Operator::BitOr, None) => {
                Some(Known::hinted(ty))
            }
            (Some(one @ Known { ty: Set | FrozenSet | Dict, .. }), _, Some(other)) if one.ty == other.ty => {
                one.join(other)
            }
            (Some(one), _, Some(other)) => match (one.ty, other.ty) {
                (Int | Bool, Int | Bool) if op == Operator::Div => both(one, other, Float),
                (Int | Bool, Int | Bool) if op != Operator::Pow => both(one, other, Int),
                (Int | Float | Bool, Float) | (Float, Int | Bool) if op != Operator::Pow => {
                    both(one, other, Float)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn type_of_call(&self, call: &'a ExprCall) -> Option<Known> {
        if let Some(name) = self.builtin(&call.func) {
            if name == "open" {
                return self.opened(call, 1);
            }
            return tables::result_of_builtin(name).map(Known::proven);
        }
        if let Some(path) = self.path(&call.func) {
            return match path.as_str() {
                "copy.copy" | "copy.deepcopy" => self.type_of(call.arguments.args.first()?),
                // Its files split lines as `splitlines` does.
                "codecs.open" => self.opened(call, 1).map(|known| known.and(false)),
                "io.open" | "gzip.open" | "bz2.open" | "lzma.open" => self.opened(call, 1),
                path => tables::result_of_function(path).map(Known::proven),
            };
        }
        let Expr::Attribute(method) = &*call.func else {
            return match &*call.func {
                Expr::Name(_) => self.instance_of(&call.func),
                _ => None,
            };
        };
        let name = method.attr.as_str();
        if let Some(of) = self.type_of(&method.value) {
            if matches!((of.ty, name), (Type::List, "copy")) {
                return Some(of);
            }
            return tables::result_of_method(of.ty, name).map(|ty| Known { ty, proven: of.proven });
        }
        if name == "open" {
            // `Path.open(mode)`.
            return self.opened(call, 0).map(|known| known.and(false));
        }
        tables::likely_result_of_method(name).map(Known::hinted)
    }

    /// The type of what `open` gives, by the mode where it is written out.
    fn opened(&self, call: &'a ExprCall, position: usize) -> Option<Known> {
        let packed = matches!(self.path(&call.func).as_deref(), Some("gzip.open" | "bz2.open" | "lzma.open"));
        let binary = match call.arguments.find_argument_value("mode", position) {
            None => packed,
            // To these, `r` means bytes.
            Some(mode) if packed => !mode.as_string_literal_expr()?.value.chars().any(|c| c == 't'),
            Some(mode) => mode.as_string_literal_expr()?.value.chars().any(|c| c == 'b'),
        };
        Some(Known::proven(if binary { Type::BinaryFile } else { Type::TextFile }))
    }

    /// The type of an instance of a class of this file that has no bases.
    fn instance_of(&self, name: &Expr) -> Option<Known> {
        let symbol = self.symbol(self.symbol_of(name)?);
        match symbol.bindings[..] {
            [binding] => match binding.how {
                Bound::Class(class) if class.bases().is_empty() => Some(Known::proven(Type::Other)),
                _ => None,
            },
            _ => None,
        }
    }

    fn type_of_name(&self, name: &'a Expr) -> Option<Known> {
        let id = self.symbol_of(name)?;
        let symbol = self.symbol(id);
        if self.scope(symbol.scope).by_string {
            return None;
        }
        let in_class = self.scope(symbol.scope).kind == super::ScopeKind::Class;
        let known = match self.reaching(name) {
            Some(binding)
                if (symbol.bindings.len() > 1 || in_class) && !matches!(binding.how, Bound::Augmented(_)) =>
            {
                self.type_of_one(binding)?
            }
            _ => self.type_of_symbol(id)?.and(!in_class),
        };
        // A module's name may be given another value by whoever imports it, or by an import of all names.
        let in_module = symbol.scope == super::ScopeId(0);
        let own = self.frame(self.id(name)) == self.scope_frame(symbol.scope) && !self.star;
        Some(known.and(own || !in_module))
    }

    /// The type that one binding of several gives.
    fn type_of_one(&self, binding: Binding<'a>) -> Option<Known> {
        if let Some(known) = self.bound.borrow().get(&binding.node) {
            return *known;
        }
        self.bound.borrow_mut().insert(binding.node, None);
        let known = match self.type_of_binding(&binding.how) {
            Sum::One(known) => Some(known),
            _ => None,
        };
        self.bound.borrow_mut().insert(binding.node, known);
        known
    }

    /// The type that all bindings of a symbol agree on.
    pub(crate) fn type_of_symbol(&self, id: SymbolId) -> Option<Known> {
        if let Some(known) = self.known.borrow().get(&id) {
            return known.flatten();
        }
        let bindings = &self.symbol(id).bindings;
        let (later, first): (Vec<_>, Vec<_>) = bindings.iter().partition(|it| self.builds_on(id, &it.how));
        let mut known = self.guarded(id, || match self.sum(&first, None) {
            Sum::One(known) => Some(known),
            _ => None,
        });
        // `xs = xs[1:]` is a list if `xs` was one: what is found out on that assumption holds only with it.
        if let (Some(assumed), false) = (known, later.is_empty()) {
            self.known.borrow_mut().insert(id, Some(known));
            known = match self.sum(&later, known) {
                Sum::One(found) => Some(found),
                _ => None,
            };
            if known != Some(assumed) {
                self.known.borrow_mut().retain(|_, known| known.is_none());
                self.bound.borrow_mut().clear();
            }
        }
        self.known.borrow_mut().insert(id, Some(known));
        known
    }

    /// Whether a binding makes its value of what the name stood for before.
    fn builds_on(&self, id: SymbolId, how: &Bound<'a>) -> bool {
        let value = match *how {
            Bound::Augmented(_) => return true,
            Bound::Assigned(value) | Bound::Annotated(_, Some(value)) | Bound::Element(value) => value,
            _ => return false,
        };
        let region = self.region_of(self.id(value));
        self.symbol(id).uses.iter().any(|name| region.has(*name))
    }

    /// What some bindings of a symbol come to, of which `before` is what others did.
    fn sum(&self, bindings: &[&Binding<'a>], before: Option<Known>) -> Sum {
        let mut sum = before.map_or(Sum::Open, Sum::One);
        for binding in bindings {
            let next = match (&sum, binding.how) {
                (Sum::One(known), Bound::Augmented(statement)) => {
                    let value = self.type_of(&statement.value);
                    tables::after_augmented(*known, statement.op, value).map_or(Sum::Mixed, Sum::One)
                }
                _ => self.type_of_binding(&binding.how),
            };
            sum = match (sum, next) {
                (sum, Sum::Open) => sum,
                (Sum::Open, next) => next,
                (Sum::One(one), Sum::One(other)) => one.join(other).map_or(Sum::Mixed, Sum::One),
                _ => Sum::Mixed,
            };
        }
        sum
    }

    /// Answers a question about a symbol's type with "unknown" where it comes back to itself.
    fn guarded(&self, id: SymbolId, ask: impl FnOnce() -> Option<Known>) -> Option<Known> {
        if self.known.borrow().get(&id).is_some_and(Option::is_none) {
            return None;
        }
        let before = self.known.borrow_mut().insert(id, None);
        let answer = ask();
        match before {
            Some(known) => self.known.borrow_mut().insert(id, known),
            None => self.known.borrow_mut().remove(&id),
        };
        answer
    }

    fn type_of_binding(&self, how: &Bound<'a>) -> Sum {
        let one = |known: Option<Known>| known.map_or(Sum::Mixed, Sum::One);
        match *how {
            Bound::Assigned(value) => one(self.type_of(value)),
            Bound::Annotated(annotation, value) => {
                one(value.and_then(|value| self.type_of(value)).or_else(|| self.annotated(annotation)))
            }
            Bound::Augmented(_) => Sum::Open,
            Bound::Element(iterable) => one(self.element_of(iterable)),
            Bound::With(value) => match self.type_of(value) {
                Some(known @ Known { ty: Type::TextFile | Type::BinaryFile, .. }) => Sum::One(known),
                _ => Sum::Mixed,
            },
            Bound::Parameter(_, true) => Sum::Mixed,
            Bound::Parameter(annotation, false) => {
                one(annotation.and_then(|annotation| self.annotated(annotation)))
            }
            Bound::Function(_) | Bound::Class(_) => Sum::One(Known::proven(Type::Code)),
            Bound::Deleted => Sum::Open,
            Bound::Import | Bound::Exception | Bound::Other => Sum::Mixed,
        }
    }

    /// The type that an annotation names: `list[int]`, `Optional[str]`, `str | None`, or one of these in quotes.
    fn annotated(&self, annotation: &'a Expr) -> Option<Known> {
        let ty = match annotation {
            Expr::Name(name) => tables::type_named(name.id.as_str()),
            Expr::StringLiteral(text) => {
                let text = text.value.to_str();
                tables::type_named(text.split(['[', ' ']).next().unwrap_or(text))
            }
            Expr::Attribute(attribute) => tables::type_named(attribute.attr.as_str()),
            Expr::Subscript(subscript) => match &*subscript.value {
                Expr::Name(name) if name.id == "Optional" => return self.annotated(&subscript.slice),
                Expr::Attribute(attribute) if attribute.attr.as_str() == "Optional" => {
                    return self.annotated(&subscript.slice);
                }
                of => return self.annotated(of),
            },
            Expr::BinOp(op) if op.right.is_none_literal_expr() => return self.annotated(&op.left),
            _ => None,
        };
        ty.map(Known::hinted)
    }

    /// The type of the items that an iterable gives, if they are all of one.
    pub(crate) fn element_of(&self, iterable: &'a Expr) -> Option<Known> {
        self.one_step_on(|| self.element_by_form(iterable))
    }

    fn element_by_form(&self, iterable: &'a Expr) -> Option<Known> {
        use Type::*;
        match iterable {
            Expr::List(list) => self.all_of(&list.elts),
            Expr::Tuple(tuple) => self.all_of(&tuple.elts),
            Expr::Set(set) => self.all_of(&set.elts),
            Expr::ListComp(comp) => self.type_of(&comp.elt),
            Expr::SetComp(comp) => self.type_of(&comp.elt),
            Expr::Generator(comp) => self.type_of(&comp.elt),
            Expr::Name(_) => match self.reaching(iterable).map(|binding| binding.how) {
                Some(Bound::Assigned(value)) if !value.is_name_expr() => {
                    // Something else may have been put in meanwhile.
                    let immutable = matches!(self.proven(value), Some(Str | Bytes | Range | Tuple));
                    self.element_of(value).map(|known| known.and(immutable))
                }
                Some(Bound::Parameter(Some(annotation), false)) => self.annotated_element(annotation),
                _ => self.element_of_type(self.type_of(iterable)?),
            },
            Expr::Call(call) => {
                if let Some((name, argument)) = self.call_of_one(iterable)
                    && matches!(name, "list" | "tuple" | "sorted" | "reversed" | "iter" | "set" | "frozenset")
                {
                    return self.element_of(argument);
                }
                match self.builtin(&call.func) {
                    Some("enumerate" | "zip") => return Some(Known::proven(Tuple)),
                    Some("map") => {
                        let maker = self.builtin(call.arguments.args.first()?)?;
                        return tables::result_of_builtin(maker).map(Known::proven);
                    }
                    _ => {}
                }
                if let Expr::Attribute(method) = &*call.func {
                    let of = self.type_of(&method.value);
                    let text = match of.map(|known| known.ty) {
                        Some(Bytes | BinaryFile) => Bytes,
                        _ => Str,
                    };
                    let proven = of.is_some_and(|known| known.proven);
                    match method.attr.as_str() {
                        "split" | "rsplit" | "splitlines" | "readlines" => {
                            return Some(Known { ty: text, proven });
                        }
                        "items" if matches!(of, Some(Known { ty: Dict, .. })) => {
                            return Some(Known { ty: Tuple, proven });
                        }
                        _ => {}
                    }
                }
                if let Some(path) = self.path(&call.func) {
                    return tables::element_of_function(&path).map(Known::proven);
                }
                self.element_of_type(self.type_of(iterable)?)
            }
            Expr::Subscript(subscript) if subscript.slice.is_slice_expr() => {
                self.element_of(&subscript.value)
            }
            _ => self.element_of_type(self.type_of(iterable)?),
        }
    }

    fn element_of_type(&self, known: Known) -> Option<Known> {
        use Type::*;
        let ty = match known.ty {
            Str | TextFile => Str,
            BinaryFile => Bytes,
            Bytes | ByteArray | Range => Int,
            _ => return None,
        };
        Some(Known { ty, proven: known.proven })
    }

    /// The type of the items of `list[str]`.
    fn annotated_element(&self, annotation: &'a Expr) -> Option<Known> {
        let Expr::Subscript(subscript) = annotation else {
            return self.element_of_type(self.annotated(annotation)?);
        };
        match self.annotated(&subscript.value)?.ty {
            Type::List | Type::Set => self.annotated(&subscript.slice),
            _ => None,
        }
    }

    fn all_of(&self, items: &'a [Expr]) -> Option<Known> {
        let mut types = items.iter().map(|item| self.type_of(item));
        let first = types.next()??;
        types.try_fold(first, |sum, next| sum.join(next?))
    }
}
