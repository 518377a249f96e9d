//! Makes a [`Graph`] of nodes, edges and roots that come in any order.
//!
//! Nothing is sorted while they come: an edge waits as nine bytes (target and label),
//! and its source is noted once for all edges in a row that share it, as the edges of
//! an object do. `finish` brings them into the order of their sources, one array after
//! the other, so that no more than one of them exists twice at any time. If they came
//! in that order, as they do from a walk in breadth, they stay where they are.
//!
//! What it is given may be damaged or made up. It is refused with an [`Error`] or
//! counted in [`Unknown`], and no more memory is taken than in proportion to it.

use crate::addresses::Addresses;
use crate::bits::Bits;
use crate::gathered::{DROPPED, Edges, NOT_COME, Nodes, Run};
use crate::graph::{Follow, Graph, Parts, Unknown};
use crate::label::Label;
use crate::name_table::NameTable;
use crate::root::Root;
use crate::{NameId, NodeId, TypeId};

/// Why no graph can be made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nodes, edges and roots are numbered by 32 bits.
    #[error("more than {max} objects and references together, which is more than a graph can hold")]
    TooLarge {
        /// How many there may be.
        max: u32,
    },
    /// Names are kept in one text.
    #[error("the names of attributes, keys and types take more than 4 GiB together")]
    TooMuchText,
    /// Two objects cannot be at one place at one time.
    #[error("two objects at the address {address:#x}")]
    TwoAtOneAddress {
        /// Where.
        address: u64,
    },
    /// A type's number is given by [`GraphBuilder::add_type`] alone.
    #[error("the object at {address:#x} is of type {number}, which does not exist")]
    NoSuchType {
        /// Where the object is.
        address: u64,
        /// The type's number.
        number: u32,
    },
    /// A name's number is given by [`GraphBuilder::name`] alone.
    #[error("a reference or root is called by name {number}, which does not exist")]
    NoSuchName {
        /// The name's number.
        number: u32,
    },
}

/// An object as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where it is; what edges call it by.
    pub address: u64,
    /// The number of its type, as [`GraphBuilder::add_type`] gave it.
    pub type_id: u32,
    /// How much was asked for to hold it, with its header and what it owns outright: a
    /// list's array, a plain instance's inline values.
    pub bytes: u64,
    /// Whether everybody shares it: an interned text, an immortal object. Edges to it
    /// are not followed unless [`Follow::Everything`] is asked for.
    pub shared: bool,
}

/// Takes the parts of a graph in any order.
///
/// ```
/// use memsight_heap::{Follow, GraphBuilder, Label, Object, Root};
///
/// let mut builder = GraphBuilder::new();
/// let list = builder.add_type("list")?;
/// let (app, cache) = (builder.name("app")?, builder.name("CACHE")?);
/// builder.add_root(0x10, Root::Module { module: app })?;
/// builder.add_edge(0x10, 0x20, Label::Global(cache))?;
/// for address in [0x10, 0x20] {
///     builder.add_object(Object { address, type_id: list, bytes: 56, shared: false })?;
/// }
/// let graph = builder.finish(Follow::Usual);
/// assert_eq!((graph.node_count(), graph.edge_count()), (2, 1));
/// # Ok::<(), memsight_heap::Error>(())
/// ```
pub struct GraphBuilder {
    max: u32,
    names: NameTable,
    types: Vec<NameId>,
    addresses: Addresses,
    type_of: Vec<TypeId>,
    bytes: Vec<u64>,
    shared: Bits,
    runs: Vec<Run>,
    targets: Vec<NodeId>,
    kinds: Vec<u8>,
    numbers: Vec<u32>,
    roots: Vec<(NodeId, Root)>,
}

impl Default for GraphBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl GraphBuilder {
    /// What a graph can hold: the numbers of 32 bits, less those that analyses need for
    /// themselves.
    pub const MAX: u32 = u32::MAX - 32;

    /// A builder that has been given nothing.
    pub fn new() -> Self {
        Self::with_max(Self::MAX)
    }

    /// A builder that refuses more than `max` objects, references and roots together,
    /// and no more than [`GraphBuilder::MAX`] whatever `max` is.
    pub fn with_max(max: u32) -> Self {
        GraphBuilder {
            max: max.min(Self::MAX),
            names: NameTable::default(),
            types: Vec::new(),
            addresses: Addresses::new(),
            type_of: Vec::new(),
            bytes: Vec::new(),
            shared: Bits::default(),
            runs: Vec::new(),
            targets: Vec::new(),
            kinds: Vec::new(),
            numbers: Vec::new(),
            roots: Vec::new(),
        }
    }

    /// The number of a name, to be used in labels and roots.
    ///
    /// # Errors
    /// [`Error::TooMuchText`]
    pub fn name(&mut self, text: &str) -> Result<NameId, Error> {
        self.names.intern(text).ok_or(Error::TooMuchText)
    }

    /// The text of a name.
    pub fn text(&self, name: NameId) -> &str {
        self.names.get(name)
    }

    /// The name of a type that was added; nothing if it was not.
    pub(crate) fn type_name(&self, number: u32) -> &str {
        self.types.get(number as usize).map_or("", |&name| self.names.get(name))
    }

    /// Adds a type by its name, with its module but for builtins, and gives its number:
    /// 0, 1, 2 … in the order in which they are added.
    ///
    /// # Errors
    /// [`Error::TooMuchText`]
    pub fn add_type(&mut self, name: &str) -> Result<u32, Error> {
        let name = self.name(name)?;
        // Below the number that stands for none.
        if self.types.len() >= self.max as usize {
            return Err(Error::TooLarge { max: self.max });
        }
        self.types.push(name);
        Ok(self.types.len() as u32 - 1)
    }

    /// Adds an object.
    ///
    /// # Errors
    /// [`Error::NoSuchType`], [`Error::TwoAtOneAddress`], [`Error::TooLarge`]
    pub fn add_object(&mut self, object: Object) -> Result<(), Error> {
        let Object { address, type_id, bytes, shared } = object;
        if type_id as usize >= self.types.len() {
            return Err(Error::NoSuchType { address, number: type_id });
        }
        let node = self.node(address)?;
        if self.type_of[node.index()] != NOT_COME {
            return Err(Error::TwoAtOneAddress { address });
        }
        self.type_of[node.index()] = TypeId(type_id);
        self.bytes[node.index()] = bytes;
        if shared {
            self.shared.add(node.index());
        }
        Ok(())
    }

    /// Adds a reference from the object at one address to that at another. Either may
    /// come later; if it never does, the reference is counted in [`Graph::unknown`].
    ///
    /// # Errors
    /// [`Error::NoSuchName`], [`Error::TooLarge`]
    pub fn add_edge(&mut self, from: u64, to: u64, label: Label) -> Result<(), Error> {
        let from = self.node(from)?;
        let to = self.node(to)?;
        self.connect(from, to, label)
    }

    /// The same between objects that have come, by their numbers: 0, 1, 2 … in the order
    /// in which they were added, if nothing was mentioned before.
    pub(crate) fn connect(&mut self, from: NodeId, to: NodeId, label: Label) -> Result<(), Error> {
        self.check_names(label.name())?;
        self.check_room()?;
        match self.runs.last_mut() {
            Some(run) if run.from == from.0 => run.edges += 1,
            _ => self.runs.push(Run { from: from.0, edges: 1 }),
        }
        let (kind, number) = label.pack();
        self.targets.push(to);
        self.kinds.push(kind);
        self.numbers.push(number);
        Ok(())
    }

    /// Says that something outside the graph holds the object at this address.
    ///
    /// # Errors
    /// [`Error::NoSuchName`], [`Error::TooLarge`]
    pub fn add_root(&mut self, to: u64, root: Root) -> Result<(), Error> {
        self.check_names(root.names())?;
        let to = self.node(to)?;
        self.check_room()?;
        self.roots.push((to, root));
        Ok(())
    }

    fn check_names(&self, names: impl IntoIterator<Item = NameId>) -> Result<(), Error> {
        let unknown = names.into_iter().find(|name| name.index() >= self.names.len());
        unknown.map_or(Ok(()), |name| Err(Error::NoSuchName { number: name.0 }))
    }

    fn check_room(&self) -> Result<(), Error> {
        let taken = self.addresses.len() + self.targets.len() + self.roots.len();
        if taken < self.max as usize { Ok(()) } else { Err(Error::TooLarge { max: self.max }) }
    }

    /// The number of the node at an address, which comes to be by being mentioned.
    fn node(&mut self, address: u64) -> Result<NodeId, Error> {
        let room = (self.max as usize).saturating_sub(self.targets.len() + self.roots.len());
        let node = self.addresses.number(address, room).ok_or(Error::TooLarge { max: self.max })?;
        if node.index() == self.type_of.len() {
            self.type_of.push(NOT_COME);
            self.bytes.push(0);
        }
        Ok(node)
    }

    /// The graph of all that came; analyses go along the edges that `follow` says.
    pub fn finish(mut self, follow: Follow) -> Graph {
        self.names.close();
        let mut nodes = Nodes {
            addresses: self.addresses.into_vec(),
            types: self.type_of,
            bytes: self.bytes,
            shared: self.shared,
        };
        let mut edges =
            Edges { runs: self.runs, targets: self.targets, kinds: self.kinds, numbers: self.numbers };
        let mut unknown = Unknown::default();
        if let Some(moved) = nodes.drop_those_not_come() {
            edges.renumber(&moved, &mut unknown);
            let roots = self.roots.len();
            self.roots.retain_mut(|(node, _)| {
                *node = moved[node.index()];
                *node != DROPPED
            });
            unknown.roots = (roots - self.roots.len()) as u64;
        }
        self.roots.sort_by_key(|(_, root)| root.kind());
        let first_edge = edges.sort_by_source(nodes.addresses.len());
        nodes.shrink();
        Graph::new(
            Parts {
                addresses: nodes.addresses,
                types: nodes.types,
                bytes: nodes.bytes,
                shared: nodes.shared,
                first_edge,
                targets: edges.targets,
                kinds: edges.kinds,
                numbers: edges.numbers,
                roots: self.roots,
                names: self.names,
                type_names: self.types,
                unknown,
            },
            follow,
        )
    }
}
