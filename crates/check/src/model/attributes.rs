//! The types of what a class keeps in attributes of `self`, found in one walk over the class.

use rustc_hash::FxHashMap;

use super::{Known, Model, NodeId};
use crate::syntax::{Expr, Stmt, StmtClassDef};

/// What is known of the attributes that a class gives `self`.
#[derive(Default)]
pub(super) struct Attributes {
    /// The values assigned to each.
    assigned: FxHashMap<Box<str>, Vec<NodeId>>,
    /// The types already found out.
    known: FxHashMap<Box<str>, Option<Known>>,
}

impl<'a> Model<'a> {
    /// The type of `self.name` where all assignments to it in the class agree. Another class may
    /// assign it too, so this is a hint.
    pub(super) fn attribute_type(&self, class: &'a StmtClassDef, name: &str) -> Option<Known> {
        let id = self.id(class);
        let of_class = |attributes: &Attributes| attributes.known.get(name).copied();
        if let Some(known) = self.attributes.borrow().get(&id).and_then(of_class) {
            return known;
        }
        let note = |known| {
            let mut all = self.attributes.borrow_mut();
            let of = all.entry(id).or_insert_with(|| self.attributes_of(class));
            of.known.insert(name.into(), known);
            of.assigned.get(name).cloned().unwrap_or_default()
        };
        // Where the question comes back to itself, nothing is known.
        let values = note(None);
        let known = self.agreed(name, &values);
        note(known);
        known
    }

    /// What a class assigns to attributes of `self`, by their names.
    fn attributes_of(&self, class: &'a StmtClassDef) -> Attributes {
        let mut attributes = Attributes::default();
        for id in self.region_of(self.id(class)).ids() {
            let (targets, value) = match self.stmt(id) {
                Some(Stmt::Assign(assign)) => (&assign.targets[..], Some(&*assign.value)),
                Some(Stmt::AnnAssign(assign)) => {
                    (std::slice::from_ref(&*assign.target), assign.value.as_deref())
                }
                _ => continue,
            };
            for name in targets.iter().filter_map(name_in_self) {
                let values = attributes.assigned.entry(name.into()).or_default();
                values.extend(value.map(|value| self.id(value)));
            }
        }
        attributes
    }

    fn agreed(&self, name: &str, values: &[NodeId]) -> Option<Known> {
        let mut sum: Option<Known> = None;
        for value in values {
            let value = self.expr(*value)?;
            // `self.x = self.x + y` says nothing new, nor does `None` before there is a value.
            if mentions(value, name) || value.is_none_literal_expr() {
                continue;
            }
            let known = match value {
                // A name passed in is what its annotation says.
                Expr::Name(_) | Expr::Attribute(_) if value.is_attribute_expr() => return None,
                _ => self.type_of(value)?,
            };
            sum = Some(match sum {
                Some(sum) => sum.join(known)?,
                None => known,
            });
        }
        sum.map(|known| known.and(false))
    }
}

/// The `name` of `self.name`.
fn name_in_self(expr: &Expr) -> Option<&str> {
    let attribute = expr.as_attribute_expr()?;
    let is_self = attribute.value.as_name_expr().is_some_and(|holder| holder.id == "self");
    is_self.then_some(attribute.attr.as_str())
}

/// Whether an expression reads `self.name`.
fn mentions(expr: &Expr, name: &str) -> bool {
    crate::syntax::any_over_expr(expr, |inner| name_in_self(inner) == Some(name))
}
