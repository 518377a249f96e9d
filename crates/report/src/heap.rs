//! The object graph as text: which types hold the bytes, which objects keep
//! them alive, who holds a type's objects, and what keeps itself alive.

use memsight_capture::SnapshotReason;
use memsight_heap::{
    CycleGroup, Cycles, Dominators, Graph, NodeId, Paths, Reach, Snapshot, TypeTotal, merged_paths,
    type_totals,
};
use memsight_insight::{Process, Program};

use serde_json::json;

use crate::look::{Look, columns, cut, fill, folded, line, path_lines, printable, right};
use crate::place::file_and_line;
use crate::units::{bytes, count, share};

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

    pub(crate) fn process(&self) -> &Process {
        self.process
    }

    /// How the program reaches an object.
    pub fn name_of(&self, node: NodeId) -> String {
        printable(&self.paths.to(self.graph(), node).name(self.graph()))
    }

    /// File and line that allocated an object, if they were recorded.
    pub fn allocated_at(&self, node: NodeId) -> Option<(&str, u32)> {
        self.site(self.snapshot.allocated_at(node))
    }

    /// File and line of a node of the call tree.
    pub(crate) fn site(&self, id: memsight_capture::NodeId) -> Option<(&str, u32)> {
        let tree = &self.process.recording.tree;
        if id.index() == 0 || id.index() >= tree.nodes().len() {
            return None;
        }
        let site = tree.site(tree.site_of(id));
        (!site.is_outside_python()).then_some((&*site.file, site.line))
    }

    /// The objects that retain most, by themselves: at most `limit`, none below half a percent.
    fn largest(&self, limit: usize) -> Vec<NodeId> {
        let rows = self.tree(limit);
        let mut all: Vec<NodeId> = rows.into_iter().flat_map(|row| row.objects).collect();
        all.sort_by_key(|&node| (u64::MAX - self.dominators.retained_bytes(node), node));
        all.truncate(limit);
        all
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
        line(&mut out, &format!("Heap   {}", folded(&self.size_in_words(), look.width.saturating_sub(7), 7)));
        let others = crate::heap_series::others(&self.process.recording.snapshots, self.snapshot.number);
        if let Some(text) = others {
            line(&mut out, &look.dim(&format!("       {}", folded(&text, look.width - 7, 7))));
        }
        if let Some(text) = self.other_processes() {
            line(&mut out, &look.dim(&format!("       {}", folded(&text, look.width.saturating_sub(7), 7))));
        }
        out
    }

    /// That the program had other processes, and where the objects are of that which held most.
    fn other_processes(&self) -> Option<String> {
        let all = &self.program.processes;
        let others = all.iter().skip(1).filter(|process| !process.recording.snapshots.is_empty());
        let most = others.max_by_key(|process| process.recording.peak_bytes())?;
        Some(format!(
            "of process {}, the first of {}; most of the others held process {}, {} at its peak: \
             memsight heap {}",
            self.process.recording.whereabouts.pid,
            all.len(),
            most.recording.whereabouts.pid,
            bytes(most.recording.peak_bytes()),
            crate::summary::quoted(&most.path)
        ))
    }

    pub(crate) fn size_in_words(&self) -> String {
        let objects = count(self.graph().node_count() as u64);
        let snapshot = self.snapshot;
        let peak = self.program.peak.amount.bytes;
        let when = crate::heap_series::when(snapshot.reason, snapshot.at_ns);
        let near = match snapshot.reason {
            SnapshotReason::Peak => format!(
                ", when {} of the peak's {} were live",
                bytes(snapshot.live_bytes),
                bytes(peak.max(snapshot.live_bytes))
            ),
            _ => String::new(),
        };
        format!("{objects} objects, {} {when}{near}", bytes(snapshot.bytes()))
    }

    /// Where most of some objects were allocated: a block that was used before keeps its first place.
    fn place_of_most(&self, objects: &[NodeId], width: usize) -> String {
        let mut times = std::collections::HashMap::new();
        for &node in objects.iter().take(SAMPLE) {
            times.entry(self.snapshot.allocated_at(node)).or_insert((0u32, node)).0 += 1;
        }
        let most = times.into_values().max_by_key(|&(count, first)| (count, std::cmp::Reverse(first)));
        most.map_or(String::new(), |(_, node)| self.place(node, width))
    }

    fn place(&self, node: NodeId, width: usize) -> String {
        self.place_of(self.snapshot.allocated_at(node), width)
    }

    /// File and line of a node of the call tree as they are shown, or nothing.
    pub(crate) fn place_of(&self, id: memsight_capture::NodeId, width: usize) -> String {
        let tree = &self.process.recording.tree;
        match self.site(id) {
            Some(_) => {
                let site = tree.site(tree.site_of(id));
                printable(&file_and_line(site, &self.process.recording.whereabouts.cwd, width))
            }
            None => String::new(),
        }
    }
}

/// Of so many objects it is asked where they were allocated.
const SAMPLE: usize = 1000;

/// `memsight heap`: what it is made of, and the objects that keep most alive.
pub fn overview(heap: &Heap<'_>, look: &Look, limit: Option<usize>) -> String {
    let mut out = heap.heading(look);
    if let Some(text) = crate::heap_private::in_words(&heap.snapshot.private_heap) {
        line(&mut out, &look.dim(&format!("       {}", folded(&text, look.width.saturating_sub(7), 7))));
    }
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
    let much = garbage > heap.snapshot.bytes() / 50;
    if much {
        line(&mut out, "");
        let text = format!(
            "Garbage  {} in {} objects that nothing reaches: they wait for the cycle collector",
            bytes(garbage),
            count(objects)
        );
        line(&mut out, &folded(&text, look.width, 9));
    }
    let duplicates = crate::heap_duplicates::overview_line(heap);
    if let Some(duplicates) = &duplicates {
        line(&mut out, "");
        line(&mut out, &folded(duplicates, look.width, 12));
    }
    if !heap.snapshot.missing.is_empty() {
        let note = format!("note: {}", printable(&heap.snapshot.missing));
        line(&mut out, &look.warn(&folded(&note, look.width, 2)));
    }
    line(&mut out, "");
    // A class of the program if its objects keep much, else what there is most of.
    let keeper = keepers.iter().find(|row| row.retained_bytes > heap.snapshot.bytes() / 10);
    let of = keeper.or(own.first()).map(|row| graph.type_name(row.type_id));
    let who = format!("--who-holds {}", of.unwrap_or("dict"));
    let mut next = vec![(who.as_str(), "the references that keep them alive")];
    if much {
        next.push(("--cycles", "which reference to break"));
    }
    if duplicates.is_some() {
        next.push(("--duplicates", "which values are there more than once"));
    }
    write_next(&mut out, heap, &next, look);
    out
}

fn write_next(out: &mut String, heap: &Heap<'_>, next: &[(&str, &str)], look: &Look) {
    let file = crate::summary::quoted(&heap.process.path);
    let steps = next
        .iter()
        .map(|(option, why)| (printable(&format!("memsight heap {file} {option}")), (*why).into()));
    out.push_str(&crate::next::next(&steps.collect::<Vec<_>>(), look));
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
    // What is below a percent says little.
    let matter = rows.iter().take_while(|row| of(row) >= total / 100).count().max(1);
    let shown = if rows.len() == shown + 1 { rows.len() } else { shown.min(matter) };
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
    let rows = heap.tree(limit).into_iter().map(|row| {
        let first = row.objects[0];
        let times = match row.objects.len() {
            1 => String::new(),
            objects => format!("{} × ", count(objects as u64)),
        };
        let whole = printable(graph.type_name(graph.type_of(first)));
        // A class's own name says more than the module that it is cut after.
        let fits = columns(&times) + columns(&whole) <= look.width / 5;
        let of = if fits { &*whole } else { whole.rsplit('.').next().unwrap_or(&whole) };
        let of = format!("{times}{of}");
        let name = format!("{}{}", "  ".repeat(row.depth.min(12)), row.name);
        (row.retained_bytes, [name, of, heap.place_of_most(&row.objects, look.width / 4)])
    });
    let rows: Vec<_> = rows.collect();
    let widest = |at: usize| rows.iter().map(|(_, texts)| columns(&texts[at])).max().unwrap_or(0);
    let room = look.width.saturating_sub(14);
    let place = widest(2).min(look.width / 4);
    let kind = widest(1).clamp(4, look.width / 5);
    let name = widest(0).min(room.saturating_sub(place + kind + 4)).max(20);
    line(
        out,
        &look.dim(&format!(
            "   retained   {}  {}  allocated at",
            fill("kept alive by", name),
            fill("type", kind)
        )),
    );
    for (retained, [text, of, at]) in &rows {
        let amount = look.bold(&right(&bytes(*retained), 11));
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
    let sum = targets.iter().map(|&node| graph.bytes(node)).fold(0, u64::saturating_add);
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
        let front = right(&format!("{} ×", count(path.count)), 12);
        let room = look.width.saturating_sub(14);
        let name = printable(&path.name);
        let at = heap.place(path.example, 40);
        let at = if at.is_empty() { at } else { format!("allocated at {at}") };
        let example = match heap.name_of(path.example) {
            example if example == name => String::new(),
            example => format!("for example {example}"),
        };
        for (part, front) in
            path_lines(&name, room).iter().zip([&*front].into_iter().chain(std::iter::repeat("")))
        {
            line(&mut out, &look.bold(&format!("{}  {part}", fill(front, 12))));
        }
        let both = if at.is_empty() || example.is_empty() {
            format!("{at}{example}")
        } else {
            format!("{at}, {example}")
        };
        let texts = if columns(&both) <= room { vec![both] } else { vec![at, example] };
        for part in texts.iter().filter(|text| !text.is_empty()).flat_map(|text| path_lines(text, room)) {
            line(&mut out, &format!("{}{}", " ".repeat(14), look.dim(&part)));
        }
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
    let retained = cycles.retained_bytes(&heap.dominators);
    let mut all: Vec<(&CycleGroup, u64)> = cycles.groups().iter().zip(retained).collect();
    all.sort_by_key(|&(group, retained)| (u64::MAX - retained, group.example));
    let (of_classes, all): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(group, _)| is_of_classes(heap, group));
    let mut out = heap.heading(look);
    for (garbage, title, none) in [
        (true, "Garbage: cycles that nothing reaches; only the cycle collector frees them", "no garbage"),
        (
            false,
            "Cycles that the program still reaches: harmless until it lets go of them",
            "no cycles that the program still reaches, but for classes and modules",
        ),
    ] {
        let groups: Vec<_> = all.iter().filter(|(group, _)| group.garbage == garbage).collect();
        line(&mut out, "");
        if groups.is_empty() {
            line(&mut out, &look.dim(none));
            continue;
        }
        line(&mut out, &look.bold(title));
        line(&mut out, &look.dim("   retained      cycles   of"));
        let shown = limit.unwrap_or(8);
        for &&(group, retained) in groups.iter().take(shown) {
            write_cycle(&mut out, heap, group, retained, look);
        }
        if groups.len() > shown {
            let more = format!("{} more shapes; -n shows more", count((groups.len() - shown) as u64));
            line(&mut out, &format!("{}{}", " ".repeat(26), look.dim(&more)));
        }
    }
    if !of_classes.is_empty() {
        let sum = |of: fn(&CycleGroup) -> u64| {
            of_classes.iter().map(|(group, _)| of(group)).fold(0, u64::saturating_add)
        };
        let cycles = sum(|group| group.count);
        let own = sum(|group| group.bytes);
        let text = format!(
            "note: {} cycles of {} through classes and modules are left out: each class refers to itself by \
             what it inherits, each module by its functions",
            count(cycles),
            bytes(own)
        );
        line(&mut out, "");
        line(&mut out, &look.dim(&folded(&text, look.width, 2)));
    }
    out
}

/// Whether a cycle goes through a class or a module that the program reaches.
fn is_of_classes(heap: &Heap<'_>, group: &CycleGroup) -> bool {
    // Where there is a descriptor there is its class, whatever makes that.
    let machinery = |of| {
        let name = heap.graph().type_name(of);
        matches!(name, "type" | "module" | "abc.ABCMeta") || name.ends_with("_descriptor")
    };
    !group.garbage && group.types.iter().any(|&(of, _)| machinery(of))
}

/// The reference to break, as the object that has it calls it.
fn broken_step(group: &CycleGroup, graph: &Graph) -> String {
    let label = graph.edge(group.edge_to_break.edge).label;
    match group.edge_to_break.owner {
        Some(_) => label.name_of_step_in_dict(graph),
        None => label.name_of_step(graph),
    }
}

fn write_cycle(out: &mut String, heap: &Heap<'_>, group: &CycleGroup, retained: u64, look: &Look) {
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
        format!("{}{}   ", right(&bytes(retained), 11), right(&format!("{} ×", count(group.count)), 12));
    let room = look.width.saturating_sub(26);
    line(out, &format!("{}{}", look.bold(&front), cut(&types.join(" → "), room)));
    let edge = graph.edge(group.edge_to_break.edge);
    let from = group.edge_to_break.owner.unwrap_or(edge.from);
    let broken = format!(
        "break {}{}",
        printable(graph.type_name(graph.type_of(from))),
        printable(&broken_step(group, graph))
    );
    let advice = if group.edge_to_break.suffices {
        "a weak reference there, or clear it when done"
    } else {
        "one of several"
    };
    for part in folded(&format!("{broken}: {advice}"), room, 0).lines() {
        line(out, &format!("{}{}", " ".repeat(26), look.dim(&cut(part, room))));
    }
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
        .map(|node| {
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
                    "via": broken_step(group, graph),
                    "to": type_name(edge.to),
                },
            })
        })
        .collect();
    let all = json!({
        "schema_version": 1,
        "objects": graph.node_count(),
        "shallow_bytes": heap.snapshot.bytes(),
        "missing": heap.snapshot.missing,
        "snapshot": crate::heap_series::json(heap.snapshot.number, &heap.process.recording.snapshots),
        "snapshots": heap.process.recording.snapshots.len(),
        "types": types,
        "dominators": dominators,
        "cycles": cycles,
        "duplicates": crate::heap_duplicates::json(heap, limit),
        "private_heap": crate::heap_private::json(heap, limit),
        "private_heap_missing": heap.snapshot.private_heap.missing(),
    });
    format!("{all:#}\n")
}

/// Dominators in JSON: what is below half a percent of the heap is left out anyway.
const MOST_DOMINATORS: usize = 1000;
