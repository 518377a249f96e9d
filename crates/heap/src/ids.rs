//! The numbers by which a graph calls its nodes, edges, types and names. Each is a
//! type of its own, four bytes, and a position in the arrays of the one graph that
//! gave it.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The number as a position.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// An object.
    NodeId
}
id! {
    /// A reference from one object to another.
    EdgeId
}
id! {
    /// A Python type.
    TypeId
}
id! {
    /// A text in the graph's [`NameTable`](crate::NameTable).
    NameId
}
