//! The object graph in the format of Chrome's heap snapshots (`.heapsnapshot`), which
//! its developer tools and memlab read.
//!
//! It is written as it is made; only the names are kept until the end. A node is
//! seven numbers and an edge is three:
//!
//! ```text
//! nodes    type, name, id, self_size, edge_count, trace_node_id, detachedness
//! edges    type, name or index, to_node      of node 0, of node 1, …; to_node is a place in `nodes`
//!
//! node 0   the root                 its edge leads to node 1
//! node 1   (GC roots)               its edges lead to 2 … 8
//! 2 … 8    the kinds of roots       their edges lead to what they hold
//! 9 …      the objects
//! then     what an object takes over 4 GiB, a piece each: readers keep 32 bits of a size
//! ```
//!
//! A reference that analyses do not follow (to a type, to what everybody shares) is a
//! weak edge: readers do not count it for what an object retains either.

use std::collections::HashMap;
use std::io::{self, Write};

use memsight_heap::{Dominators, Edge, Graph, Holder, Label, NameId, NodeId, Root, RootKind, Start};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Objects.
    pub objects: u64,
    /// References between them.
    pub references: u64,
    /// The bytes of all objects.
    pub bytes: u64,
}

/// Numbers of a node.
const FIELDS: u64 = 7;

/// Nodes before the first object.
const BEFORE: u64 = 2 + RootKind::ALL.len() as u64;

/// The largest size that readers can keep.
const LARGEST: u64 = u32::MAX as u64;

/// Places in `node_types` and `edge_types`, which are V8's.
mod kind {
    pub(super) const NODE_OBJECT: u8 = 3;
    pub(super) const NODE_NATIVE: u8 = 8;
    pub(super) const NODE_SYNTHETIC: u8 = 9;
    pub(super) const EDGE_ELEMENT: u8 = 1;
    pub(super) const EDGE_PROPERTY: u8 = 2;
    pub(super) const EDGE_INTERNAL: u8 = 3;
    pub(super) const EDGE_WEAK: u8 = 6;
}

const META: &str = r#"{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],
"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic","concatenated string","sliced string","symbol","bigint","object shape"],"string","number","number","number","number","number"],
"edge_fields":["type","name_or_index","to_node"],
"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],
"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],
"trace_node_fields":["id","function_info_index","count","size","children"],
"sample_fields":["timestamp_us","last_assigned_id"],
"location_fields":["object_index","script_id","line","column"]}"#;

/// Writes the graph.
///
/// # Errors
/// Those of `out`, and [`io::ErrorKind::InvalidInput`] for a graph of more objects than
/// the format can number.
pub fn write(graph: &Graph, dominators: &Dominators, out: &mut impl Write) -> io::Result<Written> {
    let export = Export::new(graph, dominators)?;
    let mut strings = Strings::default();
    let (nodes, edges) = (export.node_count(), export.edge_count());
    write!(out, "{{\"snapshot\":{{\"meta\":{META},\n\"node_count\":{nodes},\"edge_count\":{edges},")?;
    write!(out, "\"trace_function_count\":0}},\n\"nodes\":[")?;
    export.write_nodes(out, &mut strings)?;
    write!(out, "],\n\"edges\":[")?;
    export.write_edges(out, &mut strings)?;
    write!(
        out,
        "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[],\n"
    )?;
    strings.write(out, graph)?;
    writeln!(out, "}}")?;
    out.flush()?;
    Ok(Written {
        objects: graph.node_count() as u64,
        references: graph.edge_count() as u64,
        bytes: graph.nodes().fold(0, |sum, node| sum.saturating_add(graph.bytes(node))),
    })
}

struct Export<'a> {
    graph: &'a Graph,
    dominators: &'a Dominators,
    /// Objects whose size does not fit, and the number of the first node for the rest.
    large: Vec<(NodeId, u64)>,
    nodes: u64,
}

impl<'a> Export<'a> {
    fn new(graph: &'a Graph, dominators: &'a Dominators) -> io::Result<Self> {
        let mut nodes = BEFORE + graph.node_count() as u64;
        let mut large = Vec::new();
        for node in graph.nodes().filter(|&node| graph.bytes(node) > LARGEST) {
            large.push((node, nodes));
            nodes = nodes.saturating_add(pieces(graph.bytes(node)));
        }
        if nodes.saturating_mul(FIELDS) > u64::from(u32::MAX) {
            let most = u64::from(u32::MAX) / FIELDS;
            let text = format!("{nodes} objects; a .heapsnapshot can number {most}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(Export { graph, dominators, large, nodes })
    }

    fn node_count(&self) -> u64 {
        self.nodes
    }

    fn edge_count(&self) -> u64 {
        let kinds = RootKind::ALL.len();
        let held: usize = RootKind::ALL.into_iter().map(|kind| self.held_by(kind)).sum();
        let rest: u64 = self.large.iter().map(|&(node, _)| pieces(self.graph.bytes(node))).sum();
        (1 + kinds + held + self.graph.edge_count()) as u64 + rest
    }

    /// The roots of a kind. What is kept by edges that are not followed, and what nothing
    /// keeps, has none: the objects that no other dominates stand for them.
    fn roots(&self, kind: RootKind) -> &'a [(NodeId, Root)] {
        let roots = self.graph.roots();
        let start = roots.partition_point(|(_, root)| root.kind() < kind);
        let end = roots.partition_point(|(_, root)| root.kind() <= kind);
        &roots[start..end]
    }

    fn tops(&self, kind: RootKind) -> &'a [NodeId] {
        match kind {
            RootKind::Shared | RootKind::Garbage => self.dominators.children(Holder::Roots(kind)),
            _ => &[],
        }
    }

    fn held_by(&self, kind: RootKind) -> usize {
        self.roots(kind).len() + self.tops(kind).len()
    }

    /// The first node for what does not fit into the size of an object, and how many.
    fn rest(&self, node: NodeId) -> Option<(u64, u64)> {
        let at = self.large.binary_search_by_key(&node, |&(node, _)| node).ok()?;
        Some((self.large[at].1, pieces(self.graph.bytes(node))))
    }

    fn write_nodes(&self, out: &mut impl Write, strings: &mut Strings) -> io::Result<()> {
        let mut number = 0u64;
        let mut node = |out: &mut dyn Write, kind: u8, name: u32, bytes: u64, edges: u64| {
            let comma = if number == 0 { "" } else { ",\n" };
            let id = 2 * number + 1;
            number += 1;
            write!(out, "{comma}{kind},{name},{id},{bytes},{edges},0,0")
        };
        let root = strings.made("");
        node(out, kind::NODE_SYNTHETIC, root, 0, 1)?;
        let roots = strings.made("(GC roots)");
        node(out, kind::NODE_SYNTHETIC, roots, 0, RootKind::ALL.len() as u64)?;
        for kind in RootKind::ALL {
            let name = strings.made(kind_name(kind));
            node(out, kind::NODE_SYNTHETIC, name, 0, self.held_by(kind) as u64)?;
        }
        let mut names: Vec<Option<u32>> = vec![None; self.graph.type_count()];
        for object in self.graph.nodes() {
            let of = self.graph.type_of(object);
            let name = *names[of.index()].get_or_insert_with(|| strings.made(self.graph.type_name(of)));
            let rest = self.rest(object).map_or(0, |(_, pieces)| pieces);
            let edges = self.graph.edges(object).len() as u64 + rest;
            node(out, kind::NODE_OBJECT, name, self.graph.bytes(object).min(LARGEST), edges)?;
        }
        for &(object, _) in &self.large {
            let of = self.graph.type_name(self.graph.type_of(object));
            let name = strings.made(&format!("(more of {of})"));
            let mut left = self.graph.bytes(object) - LARGEST;
            while left > 0 {
                node(out, kind::NODE_NATIVE, name, left.min(LARGEST), 0)?;
                left -= left.min(LARGEST);
            }
        }
        Ok(())
    }

    fn write_edges(&self, out: &mut impl Write, strings: &mut Strings) -> io::Result<()> {
        let mut first = true;
        let mut edge = |out: &mut dyn Write, kind: u8, name: u32, to: u64| {
            let comma = if std::mem::take(&mut first) { "" } else { ",\n" };
            write!(out, "{comma}{kind},{name},{}", to * FIELDS)
        };
        edge(out, kind::EDGE_ELEMENT, 1, 1)?;
        for at in 0..RootKind::ALL.len() as u32 {
            edge(out, kind::EDGE_ELEMENT, at + 1, u64::from(at) + 2)?;
        }
        for kind in RootKind::ALL {
            for (at, &(node, root)) in self.roots(kind).iter().enumerate() {
                let (kind, name) = match root {
                    Root::Unexplained => (kind::EDGE_ELEMENT, at as u32),
                    _ => (kind::EDGE_INTERNAL, strings.made(&Start::Root(root).name(self.graph))),
                };
                edge(out, kind, name, number(node))?;
            }
            for (at, &node) in self.tops(kind).iter().enumerate() {
                edge(out, kind::EDGE_ELEMENT, at as u32, number(node))?;
            }
        }
        for object in self.graph.nodes() {
            for reference in self.graph.edges(object) {
                let (kind, name) = name_of(&reference, strings);
                edge(out, kind, name, number(reference.to))?;
            }
            if let Some((first, pieces)) = self.rest(object) {
                let name = strings.made("(more)");
                for piece in first..first + pieces {
                    edge(out, kind::EDGE_INTERNAL, name, piece)?;
                }
            }
        }
        Ok(())
    }
}

/// Nodes for what does not fit into one.
fn pieces(bytes: u64) -> u64 {
    bytes.saturating_sub(1) / LARGEST
}

/// The number of an object's node.
fn number(node: NodeId) -> u64 {
    BEFORE + node.index() as u64
}

fn kind_name(kind: RootKind) -> &'static str {
    match kind {
        RootKind::Module => "(modules)",
        RootKind::Local => "(local variables)",
        RootKind::Thread => "(threads)",
        RootKind::Builtin => "(interpreter)",
        RootKind::Unexplained => "(held from C)",
        RootKind::Shared => "(shared)",
        RootKind::Garbage => "(garbage)",
    }
}

/// The kind of an edge, and its name or index.
fn name_of(edge: &Edge, strings: &mut Strings) -> (u8, u32) {
    let (kind, name) = match edge.label {
        Label::Attribute(name)
        | Label::Slot(name)
        | Label::Key(name)
        | Label::KeyRepr(name)
        | Label::Cell(name)
        | Label::Local(name)
        | Label::Global(name) => (kind::EDGE_PROPERTY, strings.name(name)),
        Label::Dict => (kind::EDGE_PROPERTY, strings.made("__dict__")),
        Label::Type => (kind::EDGE_PROPERTY, strings.made("__class__")),
        // An index is no string: a table of a name for each would be longer than the graph.
        Label::ListIndex(index) | Label::TupleIndex(index) if edge.followed => (kind::EDGE_ELEMENT, index),
        Label::ListIndex(_) | Label::TupleIndex(_) => (kind::EDGE_WEAK, strings.made("(item)")),
        Label::KeyNumber(number) if edge.followed && number >= 0 => {
            (kind::EDGE_ELEMENT, number.unsigned_abs())
        }
        Label::KeyNumber(_) if !edge.followed => (kind::EDGE_WEAK, strings.made("(value)")),
        Label::KeyNumber(number) => (kind::EDGE_PROPERTY, strings.made(&number.to_string())),
        Label::KeyItself(_) => (kind::EDGE_INTERNAL, strings.made("(key)")),
        Label::Member => (kind::EDGE_INTERNAL, strings.made("(member)")),
        Label::Unknown => (kind::EDGE_INTERNAL, strings.made("(unnamed)")),
    };
    (if edge.followed { kind } else { kind::EDGE_WEAK }, name)
}

/// The strings, each once, in the order of their numbers.
#[derive(Default)]
struct Strings {
    names: HashMap<NameId, u32>,
    made: HashMap<String, u32>,
    all: Vec<Text>,
}

enum Text {
    Name(NameId),
    Made(String),
}

impl Strings {
    fn name(&mut self, name: NameId) -> u32 {
        let next = self.all.len() as u32;
        *self.names.entry(name).or_insert_with(|| {
            self.all.push(Text::Name(name));
            next
        })
    }

    fn made(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.made.get(text) {
            return number;
        }
        let next = self.all.len() as u32;
        self.made.insert(text.into(), next);
        self.all.push(Text::Made(text.into()));
        next
    }

    fn write(&self, out: &mut impl Write, graph: &Graph) -> io::Result<()> {
        write!(out, "\"strings\":[")?;
        for (at, text) in self.all.iter().enumerate() {
            let text = match text {
                Text::Name(name) => graph.names().get(*name),
                Text::Made(text) => text,
            };
            out.write_all(if at == 0 { b"" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, text)?;
        }
        write!(out, "]")
    }
}

#[cfg(test)]
#[path = "heapsnapshot_tests.rs"]
mod tests;
