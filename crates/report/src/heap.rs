//! The object graph as text: which types hold the bytes, which objects keep
//! them alive, who holds a type's objects, and what keeps itself alive.

use std::collections::{BinaryHeap, HashSet};

use memsight_heap::{
    CycleGroup, Cycles, Dominators, Graph, Holder, NodeId, Paths, Reach, RootKind, Snapshot, TypeTotal,
    merged_paths, type_totals,
};
use memsight_insight::{Process, Program};

use serde_json::json;

use crate::look::{Look, columns, cut, fill, folded, line, printable, right};
use crate::place::file_and_line;
use crate::units::{bytes, count, seconds, share};

/// A snapshot and what was found out about it.
pub struct Heap<'a> {
    /// The objects.
    pub snapshot: &'a Snapshot,
    /// What retains how much.
    pub dominators: Dominators,
    /// A way to each object.
    pub paths: Paths,
    reach: Reach,
    program: &'a Program,
    process: &'a Process,
}

impl<'a> Heap<'a> {
    /// Analyses a snapshot of the program's first process.
    pub fn new(snapshot: &'a Snapshot, program: &'a Program) -> Self {
        let graph = &snapshot.graph;
        let reach = Reach::of(graph);
        Heap {
            snapshot,
            dominators: Dominators::of(graph, &reach),
            paths: Paths::of(graph, &reach),
            reach,
            program,
            process: program.first(),
        }
    }

    /// The objects.
    pub fn graph(&self) -> &Graph {
        &self.snapshot.graph
    }

    /// How the program reaches an object.
    pub fn name_of(&self, node: NodeId) -> String {
        printable(&self.paths.to(self.graph(), node).name(self.graph()))
    }

    /// File and line that allocated an object, if they were recorded.
    pub fn allocated_at(&self, node: NodeId) -> Option<(&str, u32)> {
        let tree = &self.process.recording.tree;
        let id = self.snapshot.allocated_at(node);
        if id.index() == 0 || id.index() >= tree.nodes().len() {
            return None;
        }
        let site = tree.site(tree.site_of(id));
        (!site.is_outside_python()).then_some((&*site.file, site.line))
    }

    /// The objects that retain most, each below the one that dominates it, with its depth.
    pub fn largest(&self, limit: usize) -> Vec<(usize, NodeId)> {
        let tops = RootKind::ALL.into_iter().map(Holder::Roots).chain([Holder::Several]);
        let top: Vec<NodeId> = tops.flat_map(|holder| self.dominators.children(holder)).copied().collect();
        let chosen = self.choose(&top, limit);
        let mut open: Vec<(usize, NodeId)> = self.below(top, &chosen).map(|node| (0, node)).collect();
        let mut rows = Vec::new();
        while let Some((depth, node)) = open.pop() {
            rows.push((depth, node));
            let children = self.dominators.children(Holder::Object(node)).to_vec();
            open.extend(self.below(children, &chosen).map(|node| (depth + 1, node)));
        }
        rows
    }

    /// Of some objects the chosen ones, and in place of each step what is below it; those
    /// that retain most come last.
    fn below(&self, mut open: Vec<NodeId>, chosen: &HashSet<NodeId>) -> impl Iterator<Item = NodeId> + use<> {
        let mut found = Vec::new();
        while let Some(node) = open.pop() {
            if chosen.contains(&node) && self.is_step(node) {
                open.extend_from_slice(self.dominators.children(Holder::Object(node)));
            } else if chosen.contains(&node) {
                found.push(node);
            }
        }
        found.sort_by_key(|&node| self.dominators.retained_bytes(node));
        found.into_iter()
    }

    /// Whether an object is a step on the way to what it holds, and nothing to anybody: a
    /// module, and the dict that an object's attributes are in.
    fn is_step(&self, node: NodeId) -> bool {
        let graph = self.graph();
        let is_dict_of = || {
            let path = self.paths.to(graph, node);
            let last = path.edges.last().map(|&edge| graph.edge(edge).label);
            last == Some(memsight_heap::Label::Dict)
        };
        match graph.type_name(graph.type_of(node)) {
            "module" => true,
            "dict" => is_dict_of(),
            _ => false,
        }
    }

    fn choose(&self, top: &[NodeId], limit: usize) -> HashSet<NodeId> {
        let retained = |node: NodeId| self.dominators.retained_bytes(node);
        let least = self.snapshot.bytes() / 200;
        let mut open: BinaryHeap<(u64, NodeId)> = top.iter().map(|&node| (retained(node), node)).collect();
        let mut chosen = HashSet::new();
        let mut left = limit;
        while let Some((size, node)) = open.pop() {
            if left == 0 || size == 0 || size < least {
                break;
            }
            chosen.insert(node);
            left -= usize::from(!self.is_step(node));
            let children = self.dominators.children(Holder::Object(node));
            // Children come by size: the first ones are enough.
            open.extend(children.iter().take(limit).map(|&node| (retained(node), node)));
        }
        chosen
    }

    /// Totals of all types; those that retain most come first.
    pub fn types(&self) -> Vec<TypeTotal> {
        type_totals(self.graph(), &self.dominators)
    }

    /// What keeps itself alive.
    pub fn cycles(&self) -> Cycles {
        Cycles::of(self.graph(), &self.reach)
    }

    /// Objects and bytes that nothing reaches any more.
    pub fn garbage(&self) -> (u64, u64) {
        let all = self.graph().nodes().filter(|&node| self.reach.is_garbage(node));
        all.fold((0, 0), |(objects, sum), node| (objects + 1, sum + self.graph().bytes(node)))
    }

    pub(crate) fn heading(&self, look: &Look) -> String {
        let mut out = crate::summary::heading(self.program, look);
        line(&mut out, "");
        line(&mut out, &format!("Heap   {}", self.size_in_words()));
        out
    }

    pub(crate) fn size_in_words(&self) -> String {
        let objects = count(self.graph().node_count() as u64);
        let when = match self.snapshot.reason {
            memsight_capture::SnapshotReason::Exit => "at the end".into(),
            _ => format!("at {}", seconds(self.snapshot.at_ns)),
        };
        format!("{objects} objects, {} {when}", bytes(self.snapshot.bytes()))
    }

    fn place(&self, node: NodeId, width: usize) -> String {
        let tree = &self.process.recording.tree;
        let id = self.snapshot.allocated_at(node);
        match self.allocated_at(node) {
            Some(_) => {
                let site = tree.site(tree.site_of(id));
                printable(&file_and_line(site, &self.process.recording.whereabouts.cwd, width))
            }
            None => String::new(),
        }
    }
}

/// `memsight heap`: what it is made of, and the objects that keep most alive.
pub fn overview(heap: &Heap<'_>, look: &Look, limit: Option<usize>) -> String {
    let mut out = heap.heading(look);
    let graph = heap.graph();
    let mut types = heap.types();
    let own: Vec<TypeTotal> = {
        types.sort_by_key(|row| std::cmp::Reverse(row.shallow_bytes));
        types.clone()
    };
    // What the program's own classes keep says more than that dicts keep everything.
    let is_own = |row: &TypeTotal| graph.type_name(row.type_id).contains('.');
    let mut keepers: Vec<TypeTotal> = types.into_iter().filter(is_own).collect();
    keepers.sort_by_key(|row| std::cmp::Reverse(row.retained_bytes));
    let shown = limit.unwrap_or(6);
    line(&mut out, "");
    type_table(&mut out, heap, look, "own", "made of", &own, shown, |row| row.shallow_bytes);
    line(&mut out, "");
    type_table(&mut out, heap, look, "retained", "kept alive by objects of", &keepers, shown, |row| {
        row.retained_bytes
    });
    line(&mut out, "");
    write_tree(&mut out, heap, look, limit.unwrap_or(12));
    let (objects, garbage) = heap.garbage();
    if objects > 0 {
        line(&mut out, "");
        let text = format!(
            "Garbage  {} in {} objects that nothing reaches: they wait for the cycle collector",
            bytes(garbage),
            count(objects)
        );
        line(&mut out, &folded(&text, look.width, 9));
    }
    if !heap.snapshot.missing.is_empty() {
        let note = format!("note: {}", printable(&heap.snapshot.missing));
        line(&mut out, &look.warn(&folded(&note, look.width, 2)));
    }
    line(&mut out, "");
    write_next(&mut out, heap, &keepers, &own, objects > 0);
    out
}

fn write_next(out: &mut String, heap: &Heap<'_>, keepers: &[TypeTotal], own: &[TypeTotal], garbage: bool) {
    let file = heap.process.path.display();
    let of = keepers.iter().chain(own).next().map(|row| heap.graph().type_name(row.type_id));
    let who = format!("memsight heap {file} --who-holds {}", of.unwrap_or("dict"));
    let cycles = format!("memsight heap {file} --cycles");
    let width = columns(&who).max(columns(&cycles));
    line(out, &format!("Next   {}  the references that keep them alive", fill(&printable(&who), width)));
    if garbage {
        line(out, &format!("       {}  which reference to break", fill(&cycles, width)));
    }
}

#[allow(clippy::too_many_arguments, reason = "one table, two columns that differ")]
fn type_table(
    out: &mut String,
    heap: &Heap<'_>,
    look: &Look,
    amount: &str,
    what: &str,
    rows: &[TypeTotal],
    shown: usize,
    of: impl Fn(&TypeTotal) -> u64,
) {
    let total = heap.snapshot.bytes();
    line(out, &look.dim(&format!("{}  share  objects   {what}", right(amount, 11))));
    let shown = if rows.len() == shown + 1 { rows.len() } else { shown };
    for row in rows.iter().take(shown) {
        let name = printable(heap.graph().type_name(row.type_id));
        let front = format!(
            "{}{}{}   ",
            look.bold(&right(&bytes(of(row)), 11)),
            right(&share(of(row), total), 7),
            right(&count(row.objects), 9),
        );
        line(out, &format!("{front}{}", cut(&name, look.width.saturating_sub(30))));
    }
    let rest = rows.len().saturating_sub(shown);
    if rest > 0 {
        line(out, &look.dim(&format!("{}{} more", " ".repeat(30), count(rest as u64))));
    }
}

fn write_tree(out: &mut String, heap: &Heap<'_>, look: &Look, limit: usize) {
    let graph = heap.graph();
    let mut above: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (depth, node) in heap.largest(limit) {
        let name = heap.name_of(node);
        above.truncate(depth);
        // Below the object that keeps it, only the rest of the way is said.
        let rest = above.last().and_then(|keeper| name.strip_prefix(keeper.as_str()));
        let text = rest.filter(|rest| !rest.is_empty()).unwrap_or(&name);
        let text = format!("{}{text}", "  ".repeat(depth.min(12)));
        let of = printable(graph.type_name(graph.type_of(node)));
        rows.push((node, [text, of, heap.place(node, 30)]));
        above.push(name);
    }
    let widest = |at: usize| rows.iter().map(|(_, texts)| columns(&texts[at])).max().unwrap_or(0);
    let room = look.width.saturating_sub(14);
    let place = widest(2).min(30);
    let kind = widest(1).clamp(4, 24);
    let name = widest(0).min(room.saturating_sub(place + kind + 4)).max(20);
    line(
        out,
        &look.dim(&format!(
            "   retained   {}  {}  allocated at",
            fill("kept alive by", name),
            fill("type", kind)
        )),
    );
    for (node, [text, of, at]) in &rows {
        let amount = look.bold(&right(&bytes(heap.dominators.retained_bytes(*node)), 11));
        let text = fill(&cut(text, name), name);
        let of = fill(&cut(of, kind), kind);
        line(out, &format!("{amount}   {text}  {of}  {}", look.place(at)));
    }
}

/// `memsight heap --who-holds`: the ways by which objects are kept alive.
pub fn who_holds(
    heap: &Heap<'_>,
    targets: &[NodeId],
    what: &str,
    look: &Look,
    limit: Option<usize>,
) -> String {
    let mut out = heap.heading(look);
    let graph = heap.graph();
    let sum: u64 = targets.iter().map(|&node| graph.bytes(node)).sum();
    line(&mut out, "");
    let head = format!(
        "{} × {}, {} of their own, kept alive by",
        count(targets.len() as u64),
        printable(what),
        bytes(sum)
    );
    line(&mut out, &look.bold(&head));
    line(&mut out, "");
    let merged = merged_paths(graph, &heap.paths, targets.iter().copied());
    let shown = limit.unwrap_or(10);
    for path in merged.iter().take(shown) {
        let front = format!("{}  ", right(&format!("{} ×", count(path.count)), 12));
        let room = look.width.saturating_sub(14);
        line(&mut out, &format!("{}{}", look.bold(&front), cut(&printable(&path.name), room)));
        let at = heap.place(path.example, 40);
        let example = heap.name_of(path.example);
        let mut more = format!("for example {example}");
        if !at.is_empty() {
            more = format!("allocated at {at}, {more}");
        }
        line(&mut out, &format!("{}{}", " ".repeat(14), look.dim(&cut(&more, room))));
    }
    if merged.len() > shown {
        let more = format!("{} more ways; -n shows more", count((merged.len() - shown) as u64));
        line(&mut out, &format!("{}{}", " ".repeat(14), look.dim(&more)));
    }
    out
}

/// `memsight heap --cycles`: what keeps itself alive.
pub fn cycles_text(heap: &Heap<'_>, look: &Look, limit: Option<usize>) -> String {
    let cycles = heap.cycles();
    let mut out = heap.heading(look);
    for (garbage, title, none) in [
        (true, "Garbage: cycles that nothing reaches; only the cycle collector frees them", "no garbage"),
        (
            false,
            "Cycles that the program still reaches: harmless until it lets go of them",
            "no other cycles",
        ),
    ] {
        let groups: Vec<&CycleGroup> =
            cycles.groups().iter().filter(|group| group.garbage == garbage).collect();
        line(&mut out, "");
        if groups.is_empty() {
            line(&mut out, &look.dim(none));
            continue;
        }
        line(&mut out, &look.bold(title));
        let shown = limit.unwrap_or(8);
        for group in groups.iter().take(shown) {
            write_cycle(&mut out, heap, group, look);
        }
        if groups.len() > shown {
            let more = format!("{} more shapes; -n shows more", count((groups.len() - shown) as u64));
            line(&mut out, &format!("{}{}", " ".repeat(12), look.dim(&more)));
        }
    }
    out
}

fn write_cycle(out: &mut String, heap: &Heap<'_>, group: &CycleGroup, look: &Look) {
    let graph = heap.graph();
    let types: Vec<String> = group
        .types
        .iter()
        .map(|&(of, times)| match times {
            1 => printable(graph.type_name(of)),
            _ => format!("{} {}", count(times.into()), printable(graph.type_name(of))),
        })
        .collect();
    let front =
        format!("{}{}   ", right(&bytes(group.bytes), 11), right(&format!("{} ×", count(group.count)), 9));
    let room = look.width.saturating_sub(23);
    line(out, &format!("{}{}", look.bold(&front), cut(&types.join(" → "), room)));
    let edge = graph.edge(group.edge_to_break.edge);
    let from = group.edge_to_break.owner.unwrap_or(edge.from);
    let broken = format!(
        "break {}{}",
        printable(graph.type_name(graph.type_of(from))),
        printable(&edge.label.name_of_step(graph))
    );
    let advice = if group.edge_to_break.suffices {
        "a weak reference there, or clear it when done"
    } else {
        "one of several"
    };
    line(out, &format!("{}{}", " ".repeat(23), look.dim(&cut(&format!("{broken}: {advice}"), room))));
}

/// `memsight heap --json`. With `limit`, so many types, dominators and cycles.
pub fn json(heap: &Heap<'_>, limit: Option<usize>) -> String {
    let graph = heap.graph();
    let limit = limit.unwrap_or(usize::MAX);
    let type_name = |node: NodeId| graph.type_name(graph.type_of(node));
    let types: Vec<_> = heap
        .types()
        .iter()
        .take(limit)
        .map(|row| {
            json!({
                "type": graph.type_name(row.type_id),
                "count": row.objects,
                "shallow_bytes": row.shallow_bytes,
                "retained_bytes": row.retained_bytes,
            })
        })
        .collect();
    let dominators: Vec<_> = heap
        .largest(limit.min(MOST_DOMINATORS))
        .into_iter()
        .map(|(_, node)| {
            let path = heap.paths.to(graph, node);
            let steps: Vec<_> = path
                .edges
                .iter()
                .map(|&edge| {
                    let edge = graph.edge(edge);
                    let via = edge.label.name_of_step(graph);
                    json!({"from": type_name(edge.from), "via": via, "to": type_name(edge.to)})
                })
                .collect();
            json!({
                "address": format!("{:#x}", graph.address(node)),
                "type": type_name(node),
                "name": path.name(graph),
                "shallow_bytes": graph.bytes(node),
                "retained_bytes": heap.dominators.retained_bytes(node),
                "allocated_at": heap.allocated_at(node).map(|(file, line)| json!({"file": file, "line": line})),
                "path": steps,
            })
        })
        .collect();
    let cycles: Vec<_> = heap
        .cycles()
        .groups()
        .iter()
        .take(limit)
        .map(|group| {
            let edge = graph.edge(group.edge_to_break.edge);
            let from = group.edge_to_break.owner.unwrap_or(edge.from);
            json!({
                "types": group.types.iter().map(|&(of, _)| graph.type_name(of)).collect::<Vec<_>>(),
                "count": group.count,
                "objects": group.objects,
                "bytes": group.bytes,
                "garbage": group.garbage,
                "edge_to_break": {
                    "from": type_name(from),
                    "via": edge.label.name_of_step(graph),
                    "to": type_name(edge.to),
                },
            })
        })
        .collect();
    let all = json!({
        "schema_version": 1,
        "objects": graph.node_count(),
        "shallow_bytes": heap.snapshot.bytes(),
        "types": types,
        "dominators": dominators,
        "cycles": cycles,
        "private_heap": null,
    });
    format!("{all:#}\n")
}

/// Dominators in JSON: what is below half a percent of the heap is left out anyway.
const MOST_DOMINATORS: usize = 1000;
