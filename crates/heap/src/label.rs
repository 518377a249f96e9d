//! What an edge is called: by which attribute, key or place one object refers to
//! another. Five bytes in a graph.

use crate::NameId;

/// How an object refers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// Not known: the collector's traversal shows the reference, and no decoder knows its name.
    Unknown,
    /// An attribute or a field that Python shows as one, such as `__traceback__` or `__self__`.
    Attribute(NameId),
    /// A slot of `__slots__`.
    Slot(NameId),
    /// A dict's value under a `str`, which the name is.
    Key(NameId),
    /// A dict's value under an `int`.
    KeyNumber(i32),
    /// A dict's value under something else, of which the name is the `repr`.
    KeyRepr(NameId),
    /// A dict's key, by its place in the dict.
    KeyItself(u32),
    /// An item of a list or another sequence that can change.
    ListIndex(u32),
    /// An item of a tuple.
    TupleIndex(u32),
    /// A member of a set, which has no place.
    Member,
    /// A variable of a function's closure.
    Cell(NameId),
    /// A local variable of a frame that is an object: a generator's or a traceback's.
    Local(NameId),
    /// A variable of a module.
    Global(NameId),
    /// An object's type.
    Type,
    /// An object's `__dict__`.
    Dict,
}

impl Label {
    /// The name in it, if there is one.
    pub fn name(self) -> Option<NameId> {
        match self {
            Label::Attribute(name)
            | Label::Slot(name)
            | Label::Key(name)
            | Label::KeyRepr(name)
            | Label::Cell(name)
            | Label::Local(name)
            | Label::Global(name) => Some(name),
            _ => None,
        }
    }

    /// The same without what tells one item of a container from another.
    pub fn without_place(self) -> Label {
        match self {
            Label::KeyNumber(_) | Label::KeyRepr(_) | Label::Key(_) => Label::KeyNumber(0),
            Label::ListIndex(_) | Label::TupleIndex(_) => Label::ListIndex(0),
            Label::KeyItself(_) => Label::KeyItself(0),
            other => other,
        }
    }

    /// A kind below 128 and a number.
    pub(crate) fn pack(self) -> (u8, u32) {
        match self {
            Label::Unknown => (0, 0),
            Label::Attribute(name) => (1, name.0),
            Label::Slot(name) => (2, name.0),
            Label::Key(name) => (3, name.0),
            Label::KeyNumber(number) => (4, number.cast_unsigned()),
            Label::KeyRepr(name) => (5, name.0),
            Label::KeyItself(place) => (6, place),
            Label::ListIndex(index) => (7, index),
            Label::TupleIndex(index) => (8, index),
            Label::Member => (9, 0),
            Label::Cell(name) => (10, name.0),
            Label::Local(name) => (11, name.0),
            Label::Global(name) => (12, name.0),
            Label::Type => (TYPE_KIND, 0),
            Label::Dict => (14, 0),
        }
    }

    pub(crate) fn unpack(kind: u8, number: u32) -> Label {
        let name = NameId(number);
        match kind {
            1 => Label::Attribute(name),
            2 => Label::Slot(name),
            3 => Label::Key(name),
            4 => Label::KeyNumber(number.cast_signed()),
            5 => Label::KeyRepr(name),
            6 => Label::KeyItself(number),
            7 => Label::ListIndex(number),
            8 => Label::TupleIndex(number),
            9 => Label::Member,
            10 => Label::Cell(name),
            11 => Label::Local(name),
            12 => Label::Global(name),
            TYPE_KIND => Label::Type,
            14 => Label::Dict,
            _ => Label::Unknown,
        }
    }
}

/// The kind of [`Label::Type`], which the graph looks for without unpacking.
pub(crate) const TYPE_KIND: u8 = 13;

#[cfg(test)]
mod tests {
    use super::Label;
    use crate::NameId;

    #[test]
    fn what_is_packed_comes_back() {
        let name = NameId(7);
        let all = [
            Label::Unknown,
            Label::Attribute(name),
            Label::Slot(name),
            Label::Key(name),
            Label::KeyNumber(-3),
            Label::KeyRepr(name),
            Label::KeyItself(u32::MAX),
            Label::ListIndex(u32::MAX),
            Label::TupleIndex(1),
            Label::Member,
            Label::Cell(name),
            Label::Local(name),
            Label::Global(name),
            Label::Type,
            Label::Dict,
        ];
        for (at, label) in all.into_iter().enumerate() {
            let (kind, number) = label.pack();
            assert_eq!(usize::from(kind), at);
            assert_eq!(Label::unpack(kind, number), label);
        }
    }
}
