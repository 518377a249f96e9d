//! What names refer to: builtins, things imported, and the binding that reaches a use.

use super::{Ast, Binding, Bound, Model, NodeId, Region, ScopeId, ScopeKind, SymbolId};
use crate::syntax::{Expr, ExprCall, Stmt};

impl<'a> Model<'a> {
    /// The symbol that a name of this file refers to, if it is not a builtin.
    pub(crate) fn symbol_of(&self, name: &Expr) -> Option<SymbolId> {
        match name {
            Expr::Name(_) => self.resolved[self.id(name).0 as usize],
            _ => None,
        }
    }

    /// The name of the builtin that an expression is, as long as nothing in the file shadows it.
    pub(crate) fn builtin(&self, expr: &'a Expr) -> Option<&'a str> {
        match expr {
            Expr::Name(name) if !self.star && self.symbol_of(expr).is_none() => Some(name.id.as_str()),
            _ => None,
        }
    }

    /// Whether an expression is the builtin `name`.
    pub(crate) fn is_builtin(&self, expr: &'a Expr, name: &str) -> bool {
        self.builtin(expr) == Some(name)
    }

    /// The call of the builtin `name` that an expression is.
    pub(crate) fn builtin_call(&self, expr: &'a Expr, name: &str) -> Option<&'a ExprCall> {
        expr.as_call_expr().filter(|call| self.is_builtin(&call.func, name))
    }

    /// The builtin called with one positional argument and nothing else, and that argument.
    pub(crate) fn call_of_one(&self, expr: &'a Expr) -> Option<(&'a str, &'a Expr)> {
        let call = expr.as_call_expr()?;
        let name = self.builtin(&call.func)?;
        match (&*call.arguments.args, call.arguments.keywords.is_empty()) {
            ([argument], true) if !argument.is_starred_expr() => Some((name, argument)),
            _ => None,
        }
    }

    /// The full dotted path of something imported, such as `collections.deque`, whatever it was renamed to.
    pub(crate) fn path(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(_) => {
                let id = self.symbol_of(expr)?;
                let symbol = self.symbol(id);
                let imported = symbol.bindings.iter().all(|binding| matches!(binding.how, Bound::Import));
                imported.then(|| self.imports.get(&id).filter(|path| !path.is_empty()).cloned()).flatten()
            }
            Expr::Attribute(attribute) => {
                let mut path = self.path(&attribute.value)?;
                path.push('.');
                path.push_str(attribute.attr.as_str());
                Some(path)
            }
            _ => None,
        }
    }

    /// Whether an expression is an imported thing with this full path.
    pub(crate) fn is(&self, expr: &Expr, path: &str) -> bool {
        // Most attributes end otherwise: nothing is put together for them.
        let last = path.rsplit('.').next();
        let maybe = match expr {
            Expr::Name(_) => true,
            Expr::Attribute(attribute) => Some(attribute.attr.as_str()) == last,
            _ => false,
        };
        maybe && self.path(expr).is_some_and(|found| found == path)
    }

    /// Whether a function of this full path is called.
    pub(crate) fn calls(&self, expr: &'a Expr, path: &str) -> Option<&'a ExprCall> {
        expr.as_call_expr().filter(|call| self.is(&call.func, path))
    }

    /// The name under which the file knows an imported module or a name of one, if it is seen from `scope`
    /// and imported above the node `before`.
    pub(crate) fn imported_as(&self, path: &str, scope: ScopeId, before: NodeId) -> Option<&'a str> {
        if self.star {
            return None;
        }
        self.imports.iter().filter(|(_, known)| *known == path).find_map(|(id, _)| {
            let symbol = self.symbol(*id);
            let plain = symbol.bindings.len() == 1
                && symbol.scope == ScopeId(0)
                && symbol.bindings[0].node < before
                && self.at_top(symbol.bindings[0].node);
            (plain && self.lookup(symbol.name, scope) == Some(*id)).then_some(symbol.name)
        })
    }

    /// Whether a name means nothing yet, neither in this scope nor around it.
    pub(crate) fn is_free(&self, name: &str, scope: ScopeId) -> bool {
        !self.star && self.lookup(name, scope).is_none()
    }

    /// Whether a statement stands in the file itself, in no block.
    fn at_top(&self, node: NodeId) -> bool {
        matches!(self.node(self.node(node).parent).ast, Ast::Module)
    }

    /// Whether the statement that binds a name cannot run to its end without: `:=` behind an `and`, in a
    /// comprehension or in an `elif` may not be reached.
    fn always_bound(&self, name: NodeId) -> bool {
        let statement = self.statement(name);
        let mut inner = name;
        for above in self.ancestors(name).take_while(|above| *above > statement) {
            let reached = match self.node(above).ast {
                Ast::Expr(Expr::BoolOp(op)) => op.values.first().is_some_and(|first| self.id(first) == inner),
                Ast::Expr(Expr::If(either)) => self.id(&*either.test) == inner,
                Ast::Expr(Expr::Compare(compare)) => self.id(&*compare.left) == inner,
                Ast::Expr(expr) => super::comprehension(expr).is_none(),
                _ => true,
            };
            if !reached {
                return false;
            }
            inner = above;
        }
        match self.stmt(statement) {
            Some(Stmt::If(it)) => self.region_of(self.id(&*it.test)).has(name),
            Some(Stmt::Match(it)) => self.region_of(self.id(&*it.subject)).has(name),
            Some(Stmt::Assert(_)) => false,
            _ => true,
        }
    }

    /// The symbol that a name would mean in a scope.
    pub(crate) fn lookup(&self, name: &str, from: ScopeId) -> Option<SymbolId> {
        let mut at = from;
        loop {
            let scope = self.scope(at);
            if at == from || scope.kind != ScopeKind::Class {
                match scope.names.get(name) {
                    Some(super::Named::Own(id)) => return Some(*id),
                    Some(super::Named::Global) => at = ScopeId(0),
                    _ => {}
                }
            }
            if at == ScopeId(0) {
                return match self.scope(at).names.get(name) {
                    Some(super::Named::Own(id)) => Some(*id),
                    _ => None,
                };
            }
            at = self.scope(at).parent;
        }
    }

    /// The one binding whose value a use of a name sees, where the text proves that there is one: it
    /// stands before the use in a block around it, with no other between, also not by way of a loop.
    pub(crate) fn reaching(&self, name: &Expr) -> Option<Binding<'a>> {
        let id = self.symbol_of(name)?;
        let symbol = self.symbol(id);
        let here = self.id(name);
        // A class body that does not get to a binding sees the name of the file.
        if let [only] = symbol.bindings[..]
            && self.scope(symbol.scope).kind != ScopeKind::Class
        {
            return Some(only);
        }
        // A function or generator that reads a name of the scope around it runs at another time.
        if symbol.bound_elsewhere || self.scope_frame(symbol.scope) != self.frame(here) {
            return None;
        }
        let last = symbol.bindings_in(Region { from: NodeId(0), to: here }).last()?;
        if matches!(last.how, Bound::Augmented(_) | Bound::Deleted) {
            return None;
        }
        let statement = self.statement(last.node);
        let block = self.block(statement);
        // The use is in the same block or deeper in it.
        let dominated = match last.how {
            // Bound by the head of a loop, a function or a comprehension: seen within.
            Bound::Element(_) | Bound::With(_) => here < self.node(statement).end,
            Bound::Parameter(..) => true,
            Bound::Assigned(_) if !self.always_bound(last.node) => false,
            _ => {
                self.ancestors(here)
                    .any(|above| self.is_statement(above) && above > statement && self.block(above) == block)
                    || self.node(statement).end > here
            }
        };
        if !dominated {
            return None;
        }
        // A loop around the use that does not hold the binding may bring in a later one.
        let by_loop = self.ancestors(here).take_while(|above| *above > statement).any(|above| {
            self.is_loop(above)
                && !symbol.bindings_in(Region { from: above, to: self.node(above).end }).is_empty()
        });
        (!by_loop).then_some(*last)
    }
}
