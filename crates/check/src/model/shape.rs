//! What stands around a node: statements, blocks, loops, functions; and the text between.

use super::{Ast, Model, NodeId, Region, ScopeId, ScopeKind};
use crate::syntax::{
    Expr, Number, Ranged, Stmt, StmtClassDef, StmtFor, StmtFunctionDef, StmtWhile, TextRange, TextSize,
    TokenKind, UnaryOp,
};

impl<'a> Model<'a> {
    /// The nodes above one, the nearest first, the module left out.
    pub(crate) fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = id;
        std::iter::from_fn(move || {
            at = self.node(at).parent;
            (at != NodeId(0)).then_some(at)
        })
    }

    /// The parent of an expression, if it is an expression.
    pub(crate) fn parent_expr(&self, expr: &Expr) -> Option<&'a Expr> {
        self.expr(self.node(self.id(expr)).parent)
    }

    /// The parent of an expression, if it is a statement.
    pub(crate) fn parent_stmt(&self, expr: &Expr) -> Option<&'a Stmt> {
        self.stmt(self.node(self.id(expr)).parent)
    }

    /// Whether a node is a statement.
    pub(crate) fn is_statement(&self, id: NodeId) -> bool {
        matches!(self.node(id).ast, Ast::Stmt(_))
    }

    /// The statement that a node is or is part of.
    pub(crate) fn statement(&self, id: NodeId) -> NodeId {
        let mut at = id;
        while !self.is_statement(at) && at != NodeId(0) {
            at = self.node(at).parent;
        }
        at
    }

    /// The statement of an expression.
    pub(crate) fn stmt_of(&self, expr: &Expr) -> Option<&'a Stmt> {
        self.stmt(self.statement(self.id(expr)))
    }

    /// The list of statements that a statement stands in, as its parent and the start of the list.
    pub(crate) fn block(&self, statement: NodeId) -> (NodeId, usize) {
        let parent = self.node(statement).parent;
        let start = self.siblings(statement).map_or(0, |list| list.as_ptr() as usize);
        (parent, start)
    }

    /// The statements of the list that a statement stands in.
    pub(crate) fn siblings(&self, statement: NodeId) -> Option<&'a [Stmt]> {
        let range = self.range(statement);
        let within = |list: &'a [Stmt]| -> Option<&'a [Stmt]> {
            let (first, last) = (list.first()?, list.last()?);
            (first.start() <= range.start() && range.end() <= last.end()).then_some(list)
        };
        let parent = match self.node(self.node(statement).parent).ast {
            Ast::Module => return within(&self.parsed.module().body),
            Ast::Stmt(parent) => parent,
            Ast::Expr(_) => return None,
        };
        match parent {
            Stmt::FunctionDef(it) => within(&it.body),
            Stmt::ClassDef(it) => within(&it.body),
            Stmt::For(it) => within(&it.body).or_else(|| within(&it.orelse)),
            Stmt::While(it) => within(&it.body).or_else(|| within(&it.orelse)),
            Stmt::With(it) => within(&it.body),
            Stmt::If(it) => within(&it.body)
                .or_else(|| it.elif_else_clauses.iter().find_map(|clause| within(&clause.body))),
            Stmt::Try(it) => within(&it.body)
                .or_else(|| it.handlers.iter().find_map(|handler| within(&handler.as_except_handler()?.body)))
                .or_else(|| within(&it.orelse))
                .or_else(|| within(&it.finalbody)),
            Stmt::Match(it) => it.cases.iter().find_map(|case| within(&case.body)),
            _ => None,
        }
    }

    /// The statement after one, in the same list.
    pub(crate) fn next_stmt(&self, statement: &Stmt) -> Option<&'a Stmt> {
        let list = self.siblings(self.id(statement))?;
        list.iter().find(|other| other.start() >= statement.end())
    }

    /// The statement before one, in the same list.
    pub(crate) fn previous_stmt(&self, statement: &Stmt) -> Option<&'a Stmt> {
        let list = self.siblings(self.id(statement))?;
        list.iter().rev().find(|other| other.end() <= statement.start())
    }

    /// Whether a node is a `for` or `while` statement.
    pub(crate) fn is_loop(&self, id: NodeId) -> bool {
        matches!(self.node(id).ast, Ast::Stmt(Stmt::For(_) | Stmt::While(_)))
    }

    /// The nodes of some statements.
    pub(crate) fn region(&self, statements: &'a [Stmt]) -> Region {
        match (statements.first(), statements.last()) {
            (Some(first), Some(last)) => Region { from: self.id(first), to: self.node(self.id(last)).end },
            _ => Region { from: NodeId(0), to: NodeId(0) },
        }
    }

    /// The nodes of an expression or statement.
    pub(crate) fn region_of(&self, id: NodeId) -> Region {
        Region { from: id, to: self.node(id).end }
    }

    /// The loop that runs a node again and again within its own function: the nearest whose body or
    /// `while` test holds it.
    pub(crate) fn loop_around(&self, id: NodeId) -> Option<Loop<'a>> {
        let scope = self.scope_frame(self.node(id).scope);
        self.ancestors(id).take_while(|above| self.scope_frame(self.node(*above).scope) == scope).find_map(
            |above| {
                let found = match self.stmt(above)? {
                    Stmt::For(it) => Loop::For(it),
                    Stmt::While(it) => Loop::While(it),
                    _ => return None,
                };
                let repeated = match found {
                    Loop::For(it) => self.region(&it.body).has(id),
                    Loop::While(it) => {
                        self.region(&it.body).has(id) || self.region_of(self.id(&*it.test)).has(id)
                    }
                };
                repeated.then_some(found)
            },
        )
    }

    /// The comprehension or loop that evaluates a node once for each item.
    pub(crate) fn repeated(&self, id: NodeId) -> bool {
        if self.loop_around(id).is_some() {
            return true;
        }
        let mut inner = id;
        for above in self.ancestors(id) {
            let generators = match self.node(above).ast {
                Ast::Stmt(_) => return false,
                Ast::Expr(expr) => comprehension(expr),
                Ast::Module => None,
            };
            if let Some(generators) = generators {
                let first = generators.first().map(|generator| self.id(&generator.iter));
                if first != Some(inner) {
                    return true;
                }
            }
            inner = above;
        }
        false
    }

    /// Whether a node is evaluated more than once each time that a statement runs.
    pub(crate) fn repeated_within(&self, id: NodeId, statement: &Stmt) -> bool {
        let mut inner = id;
        let stop = self.id(statement);
        for above in std::iter::once(id).chain(self.ancestors(id)).take_while(|above| *above >= stop) {
            let again = match self.node(above).ast {
                Ast::Stmt(Stmt::For(it)) => inner != self.id(&*it.iter),
                Ast::Stmt(Stmt::While(_)) => true,
                Ast::Expr(Expr::Lambda(_)) => true,
                Ast::Expr(expr) => comprehension(expr).is_some_and(|generators| {
                    generators.first().map(|first| self.id(&first.iter)) != Some(inner)
                }),
                _ => false,
            };
            if again && above != id {
                return true;
            }
            inner = above;
        }
        false
    }

    /// The scope of the function, class or file that a scope's comprehensions are part of.
    pub(crate) fn scope_frame(&self, scope: ScopeId) -> ScopeId {
        let mut at = scope;
        while self.scope(at).kind == ScopeKind::Comprehension {
            at = self.scope(at).parent;
        }
        at
    }

    /// The scope of the function, class or file that evaluates a node.
    pub(crate) fn frame(&self, id: NodeId) -> ScopeId {
        self.scope_frame(self.node(id).scope)
    }

    /// The function whose body holds a node.
    pub(crate) fn function(&self, id: NodeId) -> Option<&'a StmtFunctionDef> {
        let mut at = self.node(id).scope;
        loop {
            let scope = self.scope(at);
            match scope.kind {
                ScopeKind::Function => {
                    return match self.stmt(scope.node) {
                        Some(Stmt::FunctionDef(function)) => Some(function),
                        _ => None,
                    };
                }
                ScopeKind::Module | ScopeKind::Class => return None,
                _ => at = scope.parent,
            }
        }
    }

    /// The class in whose body, or in whose method's body, a node is.
    pub(crate) fn class(&self, id: NodeId) -> Option<&'a StmtClassDef> {
        let mut at = self.node(id).scope;
        loop {
            let scope = self.scope(at);
            match scope.kind {
                ScopeKind::Class => {
                    return match self.stmt(scope.node) {
                        Some(Stmt::ClassDef(class)) => Some(class),
                        _ => None,
                    };
                }
                ScopeKind::Module => return None,
                _ => at = scope.parent,
            }
        }
    }

    /// Whether a comment stands in a range: text that a fix must not drop.
    pub(crate) fn has_comment(&self, range: TextRange) -> bool {
        let tokens = self.parsed.tokens();
        let first = tokens.partition_point(|token| token.start() < range.start());
        tokens[first..]
            .iter()
            .take_while(|token| token.start() < range.end())
            .any(|token| token.kind() == TokenKind::Comment)
    }

    /// The kind of the first token at or after an offset, line breaks and comments left out.
    pub(crate) fn token_after(&self, offset: TextSize) -> Option<TokenKind> {
        let tokens = self.parsed.tokens();
        let first = tokens.partition_point(|token| token.start() < offset);
        tokens[first..].iter().map(|token| token.kind()).find(|kind| !kind.is_trivia())
    }

    /// The whole range of an expression, with the parentheses that are its own.
    pub(crate) fn outer_range(&self, expr: &'a Expr) -> TextRange {
        let tokens = self.parsed.tokens();
        let mut range = expr.range();
        let first = tokens.partition_point(|token| token.start() < range.start());
        let mut before = tokens[..first].iter().rev().filter(|token| !token.kind().is_trivia());
        let next = tokens.partition_point(|token| token.start() < range.end());
        let mut after = tokens[next..].iter().filter(|token| !token.kind().is_trivia());
        // A call's own parentheses are none of its argument's.
        let parent = self.node(self.id(expr)).parent;
        let bounds = match self.node(parent).ast {
            Ast::Expr(Expr::Call(call)) if call.arguments.range().contains_range(range) => TextRange::new(
                call.arguments.start() + TextSize::from(1),
                call.arguments.end() - TextSize::from(1),
            ),
            _ => self.range(parent),
        };
        while let (Some(left), Some(right)) = (before.next(), after.next()) {
            let around = TextRange::new(left.start(), right.end());
            if left.kind() != TokenKind::Lpar
                || right.kind() != TokenKind::Rpar
                || !bounds.contains_range(around)
            {
                break;
            }
            range = around;
        }
        range
    }

    /// The white space at the start of a statement's line, if nothing else precedes it there.
    pub(crate) fn indent(&self, statement: &impl Ranged) -> Option<&'a str> {
        let start = statement.start().to_usize();
        let line = self.source[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let indent = &self.source[line..start];
        indent.trim().is_empty().then_some(indent)
    }

    /// The range of whole lines that a statement fills, its line break included, if it shares them with nothing.
    pub(crate) fn whole_lines(&self, statement: &impl Ranged) -> Option<TextRange> {
        let indent = self.indent(statement)?;
        let start = statement.start() - TextSize::of(indent);
        let rest = &self.source[statement.end().to_usize()..];
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        rest[..end].trim().is_empty().then(|| {
            TextRange::new(
                start,
                TextSize::try_from(statement.end().to_usize() + end).unwrap_or(statement.end()),
            )
        })
    }
}

/// A loop statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loop<'a> {
    /// `for`.
    For(&'a StmtFor),
    /// `while`.
    While(&'a StmtWhile),
}

impl<'a> Loop<'a> {
    /// The test of a `while`.
    pub(crate) fn test(self) -> Option<&'a Expr> {
        match self {
            Loop::While(it) => Some(&it.test),
            Loop::For(_) => None,
        }
    }

    /// What it repeats.
    pub(crate) fn body(self) -> &'a [Stmt] {
        match self {
            Loop::For(it) => &it.body,
            Loop::While(it) => &it.body,
        }
    }
}

/// The generators of a comprehension or generator expression.
pub(crate) fn comprehension(expr: &Expr) -> Option<&[crate::syntax::Comprehension]> {
    match expr {
        Expr::ListComp(it) => Some(&it.generators),
        Expr::SetComp(it) => Some(&it.generators),
        Expr::DictComp(it) => Some(&it.generators),
        Expr::Generator(it) => Some(&it.generators),
        _ => None,
    }
}

/// The number that an expression is, a sign before it included.
pub(crate) fn int(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(n) => n.as_i64(),
            _ => None,
        },
        Expr::UnaryOp(op) if op.op == UnaryOp::USub => int(&op.operand).map(|n| -n),
        _ => None,
    }
}

/// Whether two expressions are the same name or chain of attributes.
pub(crate) fn same_place(one: &Expr, other: &Expr) -> bool {
    match (one, other) {
        (Expr::Name(one), Expr::Name(other)) => one.id == other.id,
        (Expr::Attribute(one), Expr::Attribute(other)) => {
            one.attr.as_str() == other.attr.as_str() && same_place(&one.value, &other.value)
        }
        (Expr::Subscript(one), Expr::Subscript(other)) => {
            same_place(&one.value, &other.value) && same_key(&one.slice, &other.slice)
        }
        _ => false,
    }
}

fn same_key(one: &Expr, other: &Expr) -> bool {
    match (one, other) {
        (Expr::StringLiteral(one), Expr::StringLiteral(other)) => one.value.to_str() == other.value.to_str(),
        (Expr::NumberLiteral(_), Expr::NumberLiteral(_)) => int(one).is_some() && int(one) == int(other),
        _ => same_place(one, other),
    }
}
