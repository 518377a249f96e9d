//! Index types. Each names a row of one table and cannot be mixed with another.

macro_rules! index_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a position in a table.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index_types! {
    /// A node of the call tree. Defined by [`crate::NodeDef`] records, numbered
    /// from 1 in the order they appear; 0 is "no node".
    NodeId;
    /// A code object, by content: equal code at two addresses has one id.
    /// Defined by [`crate::CodeDef`] records, numbered from 0 in order.
    CodeId;
    /// Where an allocation group's counters stand while any block of it lives.
    /// A slot is used again once its group is closed.
    GroupSlot;
    /// A thread of the program, numbered from 0 in the order they were seen.
    /// After many threads, an ended thread's index may be given to a new one.
    ThreadIndex;
    /// A tick of the ledger, numbered from 0.
    TickIndex;
    /// An object type seen at the end of the run, numbered from 0 in order. A snapshot
    /// numbers its types anew.
    TypeId;
    /// An object of a snapshot, numbered from 0 in the order they are said.
    ObjectId;
    /// A word of a snapshot, numbered from 0 in order.
    WordId;
}
