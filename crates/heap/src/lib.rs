//! Heap: the object graph of a Python process → who keeps what alive.
//!
//! A [`GraphBuilder`] takes objects, references and roots in any order and makes a
//! [`Graph`] of them. Questions are asked of that: what the roots [`Reach`], which
//! object dominates which and retains how much ([`Dominators`]), what each type comes
//! to ([`type_totals`]), what keeps itself alive ([`Cycles`]), and by
//! which references an object is held ([`Paths`], [`merged_paths`]).
//!
//! A [`Snapshot`] is read from a capture. Nothing here draws or prints. Objects and references come from files
//! that may say anything: what cannot be true is refused or counted where the graph is
//! built, sums saturate, and no walk recurses.
#![forbid(unsafe_code)]

mod addresses;
mod bits;
mod breaking;
mod builder;
mod components;
mod cycles;
mod dominators;
mod duplicates;
mod fields;
mod gathered;
mod graph;
mod ids;
mod label;
mod merged;
mod name_table;
mod names;
mod paths;
mod private_heap;
mod reach;
mod root;
mod rows;
mod semi_nca;
mod slots;
mod snapshot;
mod types;

pub use breaking::EdgeToBreak;
pub use builder::{Error, GraphBuilder, Object};
pub use cycles::{CycleGroup, Cycles};
pub use dominators::{Dominators, Holder};
pub use duplicates::{Duplicate, Duplicates, Value};
pub use graph::{Edge, Follow, Graph, Unknown};
pub use ids::{EdgeId, NameId, NodeId, TypeId};
pub use label::Label;
pub use merged::{MergedPath, merged_paths};
pub use name_table::NameTable;
pub use names::repr;
pub use paths::{Path, Paths, Start};
pub use private_heap::{PrivateHeap, PrivateTotal, SizeClass, SparseArena};
pub use reach::Reach;
pub use root::{Root, RootKind};
pub use snapshot::{Snapshot, Unreadable};
pub use types::{TypeTotal, type_totals};
