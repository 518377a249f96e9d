//! The tree of dominators as rows: what keeps most alive, and below it what it keeps.
//!
//! Objects that are kept in the same way and are of one type are one row, so that a
//! cache of ten thousand results is not ten thousand rows.

use std::collections::{BinaryHeap, HashMap};

use memsight_heap::{Graph, Holder, Label, NodeId, RootKind, TypeId, merged_paths};

use crate::heap::Heap;
use crate::look::printable;

/// Objects that are kept alive by the same object, or by several that are alike.
pub struct Row {
    /// How many rows it is below the top.
    pub depth: usize,
    /// The objects, of one type; those that retain most come first.
    pub objects: Vec<NodeId>,
    /// What they retain together.
    pub retained_bytes: u64,
    /// The path to them in the program's words; below another row only the rest of the way.
    pub name: String,
}

/// So many objects that are alike have rows of their own.
const FEW: usize = 2;

struct Branch {
    objects: Vec<NodeId>,
    retained_bytes: u64,
    below: Vec<usize>,
}

impl Heap<'_> {
    /// The rows for what retains most: at most `limit`, and nothing below half a percent.
    pub fn tree(&self, limit: usize) -> Vec<Row> {
        let least = (self.snapshot.bytes() / 200).max(1);
        let tops = RootKind::ALL.into_iter().map(Holder::Roots).chain([Holder::Several]);
        let steps = Steps::of(self.graph());
        let mut branches: Vec<Branch> = Vec::new();
        let mut open = BinaryHeap::new();
        let mut waiting = self.branches(&steps, tops, least);
        let mut top = Vec::new();
        let (mut above, mut left) = (None::<usize>, limit);
        loop {
            for branch in waiting.drain(..) {
                let number = branches.len();
                open.push((branch.retained_bytes, usize::MAX - number, above));
                branches.push(branch);
            }
            let Some((_, number, parent)) = open.pop() else { break };
            let number = usize::MAX - number;
            match parent {
                Some(parent) => branches[parent].below.push(number),
                None => top.push(number),
            }
            left = left.saturating_sub(1);
            if left == 0 {
                break;
            }
            let holders = branches[number].objects.iter().map(|&node| Holder::Object(node));
            waiting = self.branches(&steps, holders, least);
            above = Some(number);
        }
        self.rows(&branches, &top)
    }

    /// The branches as rows, each with those below it. A chain of objects may be as long as
    /// there are rows, so this does not recurse.
    fn rows(&self, branches: &[Branch], top: &[usize]) -> Vec<Row> {
        let mut rows = Vec::new();
        // What is still to be written of each level, and how the row above it is called.
        let mut levels = vec![(top.iter(), None::<(&[NodeId], [String; 2])>)];
        while let Some((left, keeper)) = levels.last_mut() {
            let Some(&number) = left.next() else {
                levels.pop();
                continue;
            };
            let branch = &branches[number];
            let names = self.names(&branch.objects);
            // Below the object that keeps it, only the rest of the way is said.
            let rest = keeper.as_ref().and_then(|(keepers, keeper)| {
                let rest = |name: &str| names[0].strip_prefix(name).filter(|rest| !rest.is_empty());
                let rest = keeper.iter().find_map(|name| rest(name)).map(str::to_owned);
                // Steps that are alike are one in a name, and so are those above and these.
                rest.or_else(|| self.step_from(keepers, &branch.objects))
            });
            let name = rest.unwrap_or_else(|| names[0].clone());
            rows.push(Row {
                depth: levels.len() - 1,
                objects: branch.objects.clone(),
                retained_bytes: branch.retained_bytes,
                name,
            });
            levels.push((branch.below.iter(), Some((branch.objects.as_slice(), names))));
        }
        rows
    }

    /// The one reference from objects to those that they keep, as the way to the first has it.
    fn step_from(&self, keepers: &[NodeId], objects: &[NodeId]) -> Option<String> {
        let graph = self.graph();
        let edge = graph.edge(self.paths.last_edge(graph, *objects.first()?)?);
        if !keepers.contains(&edge.from) {
            return None;
        }
        Some(match edge.label {
            label if objects.len() > 1 && label.without_place() != label => "[*]".into(),
            Label::ListIndex(_) | Label::KeyNumber(_) if objects.len() > 1 => "[*]".into(),
            label => printable(&label.name_of_step(graph)),
        })
    }

    /// How objects are reached: one by its own path and by what it has in common with
    /// others, several by that alone.
    fn names(&self, objects: &[NodeId]) -> [String; 2] {
        let merged = merged_paths(self.graph(), &self.paths, objects.iter().copied());
        let merged = merged.into_iter().next().map(|path| printable(&path.name)).unwrap_or_default();
        match objects {
            [one] => [self.name_of(*one), merged],
            _ => [merged.clone(), merged],
        }
    }

    /// What hangs below some places, those that are alike together.
    fn branches(&self, steps: &Steps, places: impl Iterator<Item = Holder>, least: u64) -> Vec<Branch> {
        let retained = |node: NodeId| self.dominators.retained_bytes(node);
        let mut alike: HashMap<Kind, Vec<NodeId>> = HashMap::new();
        let mut open: Vec<Holder> = places.collect();
        while let Some(place) = open.pop() {
            let way_from = steps.way_from(self, place);
            for &node in self.dominators.children(place) {
                if steps.has(self, node) {
                    open.push(Holder::Object(node));
                    continue;
                }
                let way = match way_from {
                    // Most of what has a name of its own is small.
                    Way::ByName if retained(node) < least => continue,
                    Way::ByName => Kind::One(node),
                    Way::Alike => {
                        let label = self.last_label(node);
                        Kind::Many(self.graph().type_of(node), label.map(Label::without_place))
                    }
                    Way::Attribute => Kind::Many(self.graph().type_of(node), self.last_label(node)),
                };
                alike.entry(way).or_default().push(node);
            }
        }
        let branch = |objects: Vec<NodeId>| Branch {
            retained_bytes: objects.iter().map(|&node| retained(node)).fold(0, u64::saturating_add),
            objects,
            below: Vec::new(),
        };
        let mut found = Vec::new();
        for (_, mut objects) in alike {
            objects.sort_unstable_by_key(|&node| (u64::MAX - retained(node), node));
            let all = objects.iter().map(|&node| retained(node)).fold(0, u64::saturating_add);
            let mean = all / objects.len().max(1) as u64;
            // What is much larger than the others of its kind is said by its own name.
            let large = objects.iter().take_while(|&&node| retained(node) / 10 > mean).count();
            let single = if objects.len() - large <= FEW { objects.len() } else { large };
            let rest = objects.split_off(single);
            found.extend(objects.into_iter().map(|node| branch(vec![node])));
            if !rest.is_empty() {
                found.push(branch(rest));
            }
        }
        found.retain(|branch| branch.retained_bytes >= least);
        found.sort_by_key(|branch| (u64::MAX - branch.retained_bytes, branch.objects.first().copied()));
        found
    }

    /// The last reference on the way to an object.
    fn last_label(&self, node: NodeId) -> Option<Label> {
        self.paths.last_edge(self.graph(), node).map(|edge| self.graph().label(edge))
    }
}

/// What objects have in common that are one row.
#[derive(PartialEq, Eq, Hash)]
enum Kind {
    One(NodeId),
    Many(TypeId, Option<Label>),
}

/// How what hangs below a place is told apart.
#[derive(Clone, Copy)]
enum Way {
    /// Each has a name of its own: a module's variables, what a root holds.
    ByName,
    /// By attributes, as a class's objects have them.
    Attribute,
    /// By type alone, as a container's items.
    Alike,
}

/// Objects that are steps on the way to what they hold, and nothing to anybody: modules,
/// and the dicts that objects' attributes are in.
struct Steps {
    module: Option<TypeId>,
    dict: Option<TypeId>,
}

impl Steps {
    fn of(graph: &Graph) -> Self {
        let called = |name: &str| graph.types().find(|&of| graph.type_name(of) == name);
        Steps { module: called("module"), dict: called("dict") }
    }

    fn way_from(&self, heap: &Heap<'_>, place: Holder) -> Way {
        let graph = heap.graph();
        let node = match place {
            Holder::Object(node) => node,
            // Of garbage only the kind is known.
            Holder::Roots(RootKind::Garbage) => return Way::Alike,
            Holder::Roots(_) | Holder::Several => return Way::ByName,
        };
        if Some(graph.type_of(node)) == self.module {
            return Way::ByName;
        }
        if Some(graph.type_of(node)) != self.dict || heap.last_label(node) != Some(Label::Dict) {
            return Way::Alike;
        }
        let edge = heap.paths.last_edge(graph, node);
        let of_module = edge.is_some_and(|edge| Some(graph.type_of(graph.edge(edge).from)) == self.module);
        if of_module { Way::ByName } else { Way::Attribute }
    }

    fn has(&self, heap: &Heap<'_>, node: NodeId) -> bool {
        let of = Some(heap.graph().type_of(node));
        of == self.module || of == self.dict && heap.last_label(node) == Some(Label::Dict)
    }
}
