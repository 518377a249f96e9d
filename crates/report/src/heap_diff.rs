//! Two snapshots of the object graph: which types grew, and what holds what came.

use std::collections::HashMap;

use memsight_heap::merged_paths;

use crate::heap::Heap;
use crate::heap_series::growth;
use crate::look::{Look, cut, line, printable, right};
use crate::units::{count, signed_bytes};

/// How much a type or a way of holding it changed.
struct Change {
    name: String,
    objects: i64,
    bytes: i64,
}

/// Of so many types that grew, the ways by which they are held are compared.
const EXPLAINED: usize = 3;

/// `memsight heap AFTER --diff BEFORE`.
pub fn diff(before: &Heap<'_>, after: &Heap<'_>, look: &Look, limit: Option<usize>) -> String {
    let mut out = after.heading(look);
    line(&mut out, &look.dim(&format!("before {}", before.size_in_words())));
    line(&mut out, "");
    let types = changes(by_type(before), by_type(after));
    let grown: Vec<&Change> = types.iter().filter(|change| change.bytes > 0).collect();
    if grown.is_empty() {
        line(&mut out, "No type grew.");
        return out;
    }
    let shown = limit.unwrap_or(10);
    line(&mut out, &look.dim("      bytes    objects   type that grew"));
    for change in grown.iter().take(shown) {
        write(&mut out, look, change);
    }
    if grown.len() > shown {
        line(&mut out, &look.dim(&format!("{}{} more", " ".repeat(25), count((grown.len() - shown) as u64))));
    }
    for change in grown.iter().take(EXPLAINED) {
        let ways = changes(by_way(before, &change.name), by_way(after, &change.name));
        let ways: Vec<&Change> = ways.iter().filter(|way| way.objects > 0).take(3).collect();
        if ways.is_empty() {
            continue;
        }
        line(&mut out, "");
        line(&mut out, &look.bold(&format!("More of {} are kept alive by", change.name)));
        for way in ways {
            write(&mut out, look, way);
        }
    }
    out
}

fn write(out: &mut String, look: &Look, change: &Change) {
    let sign = if change.objects < 0 { "-" } else { "+" };
    let objects = format!("{sign}{}", count(change.objects.unsigned_abs()));
    let front = format!("{}{}   ", look.bold(&right(&signed_bytes(change.bytes), 11)), right(&objects, 11));
    line(out, &format!("{front}{}", cut(&change.name, look.width.saturating_sub(25))));
}

/// Objects and bytes, by name.
type Amounts = HashMap<String, (u64, u64)>;

fn by_type(heap: &Heap<'_>) -> Amounts {
    let graph = heap.graph();
    let rows = heap.types().into_iter().map(|row| {
        let amount = (row.objects, row.shallow_bytes);
        (printable(graph.type_name(row.type_id)), amount)
    });
    sum(rows)
}

/// The ways by which objects of a type are held.
fn by_way(heap: &Heap<'_>, type_name: &str) -> Amounts {
    let graph = heap.graph();
    let is_it = |&node: &memsight_heap::NodeId| printable(graph.type_name(graph.type_of(node))) == type_name;
    let paths = merged_paths(graph, &heap.paths, graph.nodes().filter(is_it));
    sum(paths.into_iter().map(|path| (printable(&path.name), (path.count, path.bytes))))
}

fn sum(rows: impl Iterator<Item = (String, (u64, u64))>) -> Amounts {
    let mut sums = Amounts::new();
    for (name, (objects, bytes)) in rows {
        let row = sums.entry(name).or_default();
        *row = (row.0.saturating_add(objects), row.1.saturating_add(bytes));
    }
    sums
}

/// What changed; what grew most comes first.
fn changes(mut before: Amounts, after: Amounts) -> Vec<Change> {
    let mut all: Vec<Change> = after
        .into_iter()
        .map(|(name, (objects, bytes))| {
            let (objects_before, bytes_before) = before.remove(&name).unwrap_or_default();
            Change { name, objects: growth(objects_before, objects), bytes: growth(bytes_before, bytes) }
        })
        .collect();
    all.extend(before.into_iter().map(|(name, (objects, bytes))| Change {
        name,
        objects: growth(objects, 0),
        bytes: growth(bytes, 0),
    }));
    all.sort_by(|a, b| (b.bytes, b.objects, &a.name).cmp(&(a.bytes, a.objects, &b.name)));
    all
}
