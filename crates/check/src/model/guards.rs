//! Whether a copy is there for a reason: the loop that goes over it changes what it was made from.
//!
//! These are guesses on the side of silence. They prove nothing: a loop that looks harmless here may
//! change things all the same, which `effects` tells.

use super::{Bound, Model, NodeId, Region, Use, tables};
use crate::syntax::{Expr, ExprContext};

/// Calls that begin something which goes on by itself: making all of them first is the point.
const BEGINS: &[&str] = &[
    "Popen",
    "Process",
    "Thread",
    "apply_async",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "create_task",
    "delay",
    "ensure_future",
    "remote",
    "run_coroutine_threadsafe",
    "run_in_executor",
    "send_async",
    "spawn",
    "start",
    "start_soon",
    "submit",
];

impl<'a> Model<'a> {
    /// Whether an expression begins work that goes on by itself, such as `pool.submit(f, x)`.
    pub(crate) fn begins_work(&self, expr: &'a Expr) -> bool {
        self.region_of(self.id(expr)).ids().any(|id| {
            let Some(Expr::Call(call)) = self.expr(id) else { return false };
            match &*call.func {
                Expr::Name(name) => BEGINS.contains(&name.id.as_str()),
                Expr::Attribute(method) => BEGINS.contains(&method.attr.as_str()),
                _ => false,
            }
        })
    }

    /// Whether a region changes, binds anew or hands on something that an expression reads.
    pub(crate) fn is_guard(&self, of: &'a Expr, region: Region) -> bool {
        let own = self.region_of(self.id(of));
        // A view of a dict changes with the dict.
        let seen = own.ids().filter_map(|id| self.view_of(self.expr(id)?));
        self.reads_changing(of, region) || seen.into_iter().any(|dict| self.reads_changing(dict, region))
    }

    /// The dict of which a name is a view: `keys = table.keys()`.
    fn view_of(&self, name: &'a Expr) -> Option<&'a Expr> {
        let Bound::Assigned(Expr::Call(call)) = name.as_name_expr().and_then(|_| self.reaching(name))?.how
        else {
            return None;
        };
        let method = call.func.as_attribute_expr().filter(|_| call.arguments.is_empty())?;
        matches!(method.attr.as_str(), "items" | "keys" | "values").then_some(&*method.value)
    }

    /// The same, names that are views left out.
    fn reads_changing(&self, of: &'a Expr, region: Region) -> bool {
        let own = self.region_of(self.id(of));
        own.ids().filter_map(|id| self.expr(id)).filter(|expr| expr.is_name_expr()).any(|root| {
            let Some(symbol) = self.symbol_of(root) else { return false };
            let symbol = self.symbol(symbol);
            let is_value = !symbol
                .bindings
                .iter()
                .any(|it| matches!(it.how, Bound::Import | Bound::Function(_) | Bound::Class(_)));
            let inner = own.has(self.scope(symbol.scope).node) && self.scope(symbol.scope).node != NodeId(0);
            let place = self.place(root);
            // `os.environ` and `sys.modules` are values of modules.
            (is_value || place.is_attribute_expr()) && !inner && self.place_changes(place, of, region)
        })
    }

    /// The chain of attributes that begins with a name, a method that is called left out.
    fn place(&self, root: &'a Expr) -> &'a Expr {
        let mut place = root;
        while let Some(parent @ Expr::Attribute(_)) = self.parent_expr(place) {
            if self.is_called(parent) {
                break;
            }
            place = parent;
        }
        place
    }

    fn is_called(&self, expr: &'a Expr) -> bool {
        matches!(self.parent_expr(expr), Some(Expr::Call(call)) if self.id(&*call.func) == self.id(expr))
    }

    fn place_changes(&self, place: &'a Expr, of: &'a Expr, region: Region) -> bool {
        let own = self.region_of(self.id(of));
        let source = self.is_source(place, of);
        region.ids().filter(|id| !own.has(*id)).filter_map(|id| self.expr(id)).any(|other| {
            let Some(ctx) = context(other) else { return false };
            if self.text(other) == self.text(place) {
                return ctx != ExprContext::Load
                    || self.is_changed(other)
                    || source && self.is_handed_on(other);
            }
            // `self.remove(x)` while going over what `self.items` holds.
            let holds = source
                && self.text(place).strip_prefix(self.text(other)).is_some_and(|rest| rest.starts_with('.'));
            let method =
                self.parent_expr(other).filter(|parent| parent.is_attribute_expr() && self.is_called(parent));
            holds && (method.is_some() || self.is_handed_on(other))
        })
    }

    /// Whether a place in an expression is gone over there.
    fn is_source(&self, place: &'a Expr, of: &'a Expr) -> bool {
        let mut inner = place;
        while self.id(inner) != self.id(of) {
            let Some(parent) = self.parent_expr(inner) else { return true };
            if let Some(generators) = super::comprehension(parent) {
                return generators.iter().any(|it| self.id(&it.iter) == self.id(inner));
            }
            inner = parent;
        }
        true
    }

    fn is_changed(&self, place: &'a Expr) -> bool {
        match self.parent_expr(place) {
            Some(parent @ Expr::Attribute(method)) => {
                tables::mutates(method.attr.as_str()) && self.is_called(parent)
            }
            Some(Expr::Subscript(item)) => {
                item.ctx != ExprContext::Load && self.id(&*item.value) == self.id(place)
            }
            _ => place.is_name_expr() && self.use_of(self.id(place)) == Use::Changes,
        }
    }

    /// Whether something is an argument of a call that is not known to change nothing.
    fn is_handed_on(&self, place: &'a Expr) -> bool {
        match self.parent_expr(place) {
            Some(Expr::Call(call)) => {
                self.id(&*call.func) != self.id(place)
                    && !self.pure_call(call)
                    && !self.is_builtin(&call.func, "print")
                    && !self.proven(place).is_some_and(super::Type::immutable)
            }
            _ => false,
        }
    }
}

fn context(expr: &Expr) -> Option<ExprContext> {
    match expr {
        Expr::Name(it) => Some(it.ctx),
        Expr::Attribute(it) => Some(it.ctx),
        _ => None,
    }
}
