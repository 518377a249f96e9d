//! One walk over the syntax tree that numbers its nodes and finds its scopes and names.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use super::{Ast, Binding, Bound, Model, Named, Node, NodeId, Scope, ScopeId, ScopeKind, Symbol, SymbolId};
use crate::syntax::{
    Comprehension, ExceptHandler, Expr, ExprContext, HasNodeIndex, Parameters, Parsed, Pattern, Stmt,
    TypeParam, Visitor, walk_except_handler, walk_expr, walk_parameters, walk_pattern, walk_stmt,
    walk_type_params,
};
use crate::target::PythonVersion;

/// A name seen, to be resolved when all scopes are known.
struct Seen<'a> {
    name: &'a str,
    node: NodeId,
    scope: ScopeId,
    /// `None` reads it.
    binds: Option<Bound<'a>>,
}

struct Builder<'a> {
    nodes: Vec<Node<'a>>,
    scopes: Vec<Scope<'a>>,
    symbols: Vec<Symbol<'a>>,
    seen: Vec<Seen<'a>>,
    imported: Vec<(ScopeId, &'a str, String)>,
    star: bool,
    parent: NodeId,
    scope: ScopeId,
    /// How the names of a target being walked are bound.
    target: Bound<'a>,
}

impl<'a> Model<'a> {
    /// The model of a file.
    pub(crate) fn new(source: &'a str, parsed: &'a Parsed, python: PythonVersion) -> Self {
        let mut builder = Builder {
            nodes: Vec::with_capacity(source.len() / 8),
            scopes: Vec::new(),
            symbols: Vec::new(),
            seen: Vec::new(),
            imported: Vec::new(),
            star: false,
            parent: NodeId(0),
            scope: ScopeId(0),
            target: Bound::Other,
        };
        builder.nodes.push(Node { ast: Ast::Module, parent: NodeId(0), end: NodeId(0), scope: ScopeId(0) });
        builder.scopes.push(Scope {
            kind: ScopeKind::Module,
            parent: ScopeId(0),
            node: NodeId(0),
            names: FxHashMap::default(),
            by_string: false,
            yields: false,
        });
        builder.visit_body(&parsed.module().body);
        builder.nodes[0].end = NodeId(builder.nodes.len() as u32);
        builder.finish(source, parsed, python)
    }
}

impl<'a> Builder<'a> {
    fn next(&self) -> NodeId {
        NodeId(self.nodes.len() as u32)
    }

    /// Numbers a node and walks what is in it.
    fn enter(&mut self, ast: Ast<'a>, number: &impl HasNodeIndex, walk: impl FnOnce(&mut Self)) {
        let id = self.next();
        number.node_index().set(id.0.into());
        self.nodes.push(Node { ast, parent: self.parent, end: id, scope: self.scope });
        let parent = std::mem::replace(&mut self.parent, id);
        walk(self);
        self.parent = parent;
        self.nodes[id.0 as usize].end = self.next();
    }

    /// Walks in a new scope, opened by the node being walked.
    fn scoped(&mut self, kind: ScopeKind, walk: impl FnOnce(&mut Self)) {
        let id = ScopeId(self.scopes.len() as u32);
        self.scopes.push(Scope {
            kind,
            parent: self.scope,
            node: self.parent,
            names: FxHashMap::default(),
            by_string: false,
            yields: false,
        });
        let outer = std::mem::replace(&mut self.scope, id);
        walk(self);
        self.scope = outer;
    }

    fn see(&mut self, name: &'a str, node: NodeId, scope: ScopeId, binds: Option<Bound<'a>>) {
        if binds.is_some() {
            self.own(name, scope);
        }
        self.seen.push(Seen { name, node, scope, binds });
    }

    /// Makes sure that a scope has an entry for a name that it binds.
    fn own(&mut self, name: &'a str, scope: ScopeId) {
        let symbols = &mut self.symbols;
        self.scopes[scope.0 as usize].names.entry(name).or_insert_with(|| {
            let id = SymbolId(symbols.len() as u32);
            symbols.push(Symbol {
                name,
                scope,
                bindings: Vec::new(),
                uses: Vec::new(),
                captured: false,
                bound_elsewhere: false,
            });
            Named::Own(id)
        });
    }

    /// Walks an assignment's target, of which a plain name is bound by `how`.
    fn target(&mut self, target: &'a Expr, how: Bound<'a>) {
        let outer =
            std::mem::replace(&mut self.target, if target.is_name_expr() { how } else { Bound::Other });
        self.visit_expr(target);
        self.target = outer;
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters {
            let inner = parameter.as_parameter();
            let how = Bound::Parameter(inner.annotation.as_deref(), parameter.is_variadic());
            self.see(inner.name.as_str(), self.parent, self.scope, Some(how));
        }
    }

    /// Walks a comprehension, whose first iterable is evaluated around it.
    fn comprehension(&mut self, kind: ScopeKind, generators: &'a [Comprehension], results: &[&'a Expr]) {
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        self.scoped(kind, |this| {
            for (index, generator) in generators.iter().enumerate() {
                if index > 0 {
                    this.visit_expr(&generator.iter);
                }
                this.target(&generator.target, Bound::Element(&generator.iter));
                for test in &generator.ifs {
                    this.visit_expr(test);
                }
            }
            for result in results {
                this.visit_expr(result);
            }
        });
    }

    /// The scope in which `:=` binds: the nearest that is not a comprehension's.
    fn walrus_scope(&self) -> ScopeId {
        let mut scope = self.scope;
        while matches!(self.scopes[scope.0 as usize].kind, ScopeKind::Comprehension | ScopeKind::Generator) {
            scope = self.scopes[scope.0 as usize].parent;
        }
        scope
    }

    fn finish(mut self, source: &'a str, parsed: &'a Parsed, python: PythonVersion) -> Model<'a> {
        let mut resolved = vec![None; self.nodes.len()];
        let mut seen = std::mem::take(&mut self.seen);
        // Parameters of a function are seen at its own node, after its decorators.
        seen.sort_by_key(|seen| seen.node);
        for seen in seen {
            let Some((id, crossed)) = self.resolve(seen.name, seen.scope) else { continue };
            let symbol = &mut self.symbols[id.0 as usize];
            symbol.captured |= crossed;
            // A generator runs its `:=` when it is asked for an item.
            let by_generator = self.scopes[self.nodes[seen.node.0 as usize].scope.0 as usize].kind
                == ScopeKind::Generator
                && symbol.scope != self.nodes[seen.node.0 as usize].scope;
            symbol.captured |= by_generator;
            if let Some(how) = seen.binds {
                symbol.bound_elsewhere |= crossed || by_generator;
                symbol.bindings.push(Binding { node: seen.node, how });
            } else {
                symbol.uses.push(seen.node);
            }
            // Parameters, imports and definitions are seen at a node that is not a name.
            let slot = &mut resolved[seen.node.0 as usize];
            if matches!(self.nodes[seen.node.0 as usize].ast, Ast::Expr(Expr::Name(_))) {
                *slot = Some(id);
            }
        }
        let mut imports: FxHashMap<SymbolId, String> = FxHashMap::default();
        for (scope, name, path) in std::mem::take(&mut self.imported) {
            if let Some((id, _)) = self.resolve(name, scope) {
                // A name that stands for one thing or another, as after `except ImportError`, is neither.
                let known = imports.entry(id).or_insert_with(|| path.clone());
                if *known != path {
                    known.clear();
                }
            }
        }
        imports.retain(|_, path| !path.is_empty());
        Model {
            source,
            parsed,
            python,
            nodes: self.nodes,
            scopes: self.scopes,
            symbols: self.symbols,
            resolved,
            imports,
            star: self.star,
            known: RefCell::default(),
            bound: RefCell::default(),
            attributes: RefCell::default(),
            private: RefCell::default(),
            depth: Cell::default(),
        }
    }

    /// The symbol that a name means in a scope, and whether a function's border lies between.
    fn resolve(&mut self, name: &'a str, from: ScopeId) -> Option<(SymbolId, bool)> {
        let mut crossed = false;
        let mut at = from;
        loop {
            let scope = &self.scopes[at.0 as usize];
            // A class body's names are seen in it, not in the functions within.
            let visible = at == from || scope.kind != ScopeKind::Class;
            match scope.names.get(name).filter(|_| visible) {
                Some(Named::Own(id)) => return Some((*id, crossed)),
                Some(Named::Global) => {
                    self.own(name, ScopeId(0));
                    let Some(Named::Own(id)) = self.scopes[0].names.get(name) else { return None };
                    return Some((*id, true));
                }
                Some(Named::Nonlocal) | None => {}
            }
            if at == ScopeId(0) {
                return None;
            }
            crossed |= matches!(scope.kind, ScopeKind::Function | ScopeKind::Lambda | ScopeKind::Generator);
            at = scope.parent;
        }
    }
}

impl<'a> Visitor<'a> for Builder<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.enter(Ast::Stmt(stmt), stmt, |this| match stmt {
            Stmt::FunctionDef(function) => {
                let at = this.parent;
                this.see(function.name.as_str(), at, this.scope, Some(Bound::Function(function)));
                for decorator in &function.decorator_list {
                    this.visit_decorator(decorator);
                }
                walk_parameters(this, &function.parameters);
                if let Some(returns) = &function.returns {
                    this.visit_annotation(returns);
                }
                this.scoped(ScopeKind::Function, |this| {
                    if let Some(parameters) = &function.type_params {
                        this.visit_type_params(parameters);
                    }
                    this.parameters(&function.parameters);
                    this.visit_body(&function.body);
                });
            }
            Stmt::ClassDef(class) => {
                let at = this.parent;
                this.see(class.name.as_str(), at, this.scope, Some(Bound::Class(class)));
                for decorator in &class.decorator_list {
                    this.visit_decorator(decorator);
                }
                if let Some(arguments) = &class.arguments {
                    this.visit_arguments(arguments);
                }
                this.scoped(ScopeKind::Class, |this| {
                    if let Some(parameters) = &class.type_params {
                        this.visit_type_params(parameters);
                    }
                    this.visit_body(&class.body);
                });
            }
            Stmt::Assign(assign) => {
                this.visit_expr(&assign.value);
                for target in &assign.targets {
                    this.target(target, Bound::Assigned(&assign.value));
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    this.visit_expr(value);
                }
                this.visit_annotation(&assign.annotation);
                this.target(&assign.target, Bound::Annotated(&assign.annotation, assign.value.as_deref()));
            }
            Stmt::AugAssign(assign) => {
                this.visit_expr(&assign.value);
                this.target(&assign.target, Bound::Augmented(assign));
            }
            Stmt::For(statement) => {
                this.visit_expr(&statement.iter);
                this.target(&statement.target, Bound::Element(&statement.iter));
                this.visit_body(&statement.body);
                this.visit_body(&statement.orelse);
            }
            Stmt::With(statement) => {
                for item in &statement.items {
                    this.visit_expr(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        this.target(target, Bound::With(&item.context_expr));
                    }
                }
                this.visit_body(&statement.body);
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let path = alias.name.as_str();
                    let (name, path) = match &alias.asname {
                        Some(name) => (name.as_str(), path),
                        // `import a.b` binds `a`.
                        None => {
                            let first = path.split('.').next().unwrap_or(path);
                            (first, first)
                        }
                    };
                    this.imported.push((this.scope, name, path.to_owned()));
                    this.see(name, this.parent, this.scope, Some(Bound::Import));
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        this.star = true;
                        continue;
                    }
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    let dots = ".".repeat(import.level as usize);
                    let module = import.module.as_ref().map_or("", |module| module.as_str());
                    this.imported.push((this.scope, name, format!("{dots}{module}.{}", alias.name)));
                    this.see(name, this.parent, this.scope, Some(Bound::Import));
                }
            }
            // At the top of a file the statement says nothing.
            Stmt::Global(_) if this.scope == ScopeId(0) => {}
            Stmt::Global(global) => {
                for name in &global.names {
                    this.scopes[this.scope.0 as usize].names.insert(name.as_str(), Named::Global);
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                for name in &nonlocal.names {
                    this.scopes[this.scope.0 as usize].names.insert(name.as_str(), Named::Nonlocal);
                }
            }
            _ => walk_stmt(this, stmt),
        });
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.enter(Ast::Expr(expr), expr, |this| match expr {
            Expr::Name(name) => {
                let binds = match name.ctx {
                    ExprContext::Store => Some(this.target),
                    ExprContext::Del => Some(Bound::Deleted),
                    _ => None,
                };
                this.see(name.id.as_str(), this.parent, this.scope, binds);
            }
            Expr::Named(named) => {
                this.visit_expr(&named.value);
                if let Expr::Name(name) = &*named.target {
                    let scope = this.walrus_scope();
                    this.enter(Ast::Expr(&named.target), &*named.target, |this| {
                        this.see(name.id.as_str(), this.parent, scope, Some(Bound::Assigned(&named.value)));
                    });
                }
            }
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    walk_parameters(this, parameters);
                }
                this.scoped(ScopeKind::Lambda, |this| {
                    if let Some(parameters) = &lambda.parameters {
                        this.parameters(parameters);
                    }
                    this.visit_expr(&lambda.body);
                });
            }
            Expr::ListComp(comp) => {
                this.comprehension(ScopeKind::Comprehension, &comp.generators, &[&*comp.elt])
            }
            Expr::SetComp(comp) => {
                this.comprehension(ScopeKind::Comprehension, &comp.generators, &[&*comp.elt])
            }
            Expr::DictComp(comp) => {
                let results: Vec<&Expr> = comp.key.as_deref().into_iter().chain([&*comp.value]).collect();
                this.comprehension(ScopeKind::Comprehension, &comp.generators, &results);
            }
            Expr::Generator(comp) => {
                this.comprehension(ScopeKind::Generator, &comp.generators, &[&*comp.elt])
            }
            Expr::Yield(_) | Expr::YieldFrom(_) => {
                this.scopes[this.scope.0 as usize].yields = true;
                walk_expr(this, expr);
            }
            Expr::Call(call) => {
                if let Expr::Name(name) = &*call.func
                    && matches!(name.id.as_str(), "eval" | "exec" | "locals" | "vars" | "dir")
                {
                    this.scopes[this.scope.0 as usize].by_string = true;
                }
                walk_expr(this, expr);
            }
            // Within a target's subscript or attribute names are read, and within a tuple they are unpacked.
            _ => {
                let outer = std::mem::replace(&mut this.target, Bound::Other);
                walk_expr(this, expr);
                this.target = outer;
            }
        });
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.see(name.as_str(), self.parent, self.scope, Some(Bound::Exception));
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(pattern) => pattern.name.as_ref(),
            Pattern::MatchStar(pattern) => pattern.name.as_ref(),
            Pattern::MatchMapping(pattern) => pattern.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.see(name.as_str(), self.parent, self.scope, Some(Bound::Other));
        }
        walk_pattern(self, pattern);
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.see(parameter.name().as_str(), self.parent, self.scope, Some(Bound::Other));
    }

    fn visit_type_params(&mut self, parameters: &'a crate::syntax::TypeParams) {
        walk_type_params(self, parameters);
    }
}
