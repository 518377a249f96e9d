//! Python's own allocator, as text and JSON: size classes, and the arenas that few
//! blocks keep.

use std::collections::HashMap;

use memsight_capture::NodeId;
use memsight_heap::{PrivateHeap, SparseArena};
use serde_json::{Value, json};

use crate::heap::Heap;
use crate::look::{Look, columns, cut, folded, line, printable, right};
use crate::units::{bytes, count, share};

/// What of one type was allocated at one place.
struct Kept<'a> {
    /// None of blocks that are no objects: a dict's table, a list's items, one that a
    /// type keeps for its next object.
    type_name: Option<&'a str>,
    allocated_at: Option<(&'a str, u32)>,
    blocks: u64,
    /// The stack of one of them.
    node: NodeId,
}

/// What Python's own allocator takes for it; nothing if that is not known.
pub(crate) fn in_words(private: &PrivateHeap) -> Option<String> {
    let total = private.missing().is_none().then(|| private.total())?;
    let rounding =
        private.classes().iter().fold(0u64, |sum, class| sum.saturating_add(class.rounding_bytes()));
    let beside = total.free_bytes.saturating_add(total.overhead_bytes);
    (total.arenas > 0).then(|| {
        format!(
            "Python's allocator has {} in {} {}: {} in use, {} of it by rounding up; {} free or headers",
            bytes(total.arena_bytes),
            count(total.arenas),
            if total.arenas == 1 { "arena" } else { "arenas" },
            bytes(total.used_bytes),
            bytes(rounding),
            bytes(beside)
        )
    })
}

/// `memsight heap --private-heap`
pub fn private_heap_text(heap: &Heap<'_>, look: &Look, limit: Option<usize>) -> String {
    let mut out = heap.heading(look);
    let private = &heap.snapshot.private_heap;
    line(&mut out, "");
    if let Some(missing) = private.missing() {
        line(
            &mut out,
            &look.warn(&folded(&format!("No private heap: {}", printable(missing)), look.width, 2)),
        );
        return out;
    }
    let total = private.total();
    let head = format!(
        "Private heap   {} {}, {}: {} used, {} free, {} for headers and rests",
        count(total.arenas),
        if total.arenas == 1 { "arena" } else { "arenas" },
        bytes(total.arena_bytes),
        bytes(total.used_bytes),
        bytes(total.free_bytes),
        bytes(total.overhead_bytes)
    );
    line(&mut out, &look.bold(&folded(&head, look.width, 15)));
    let pools = format!(
        "{} pools of {} KiB have used blocks, {} have none",
        count(total.pools),
        total.pool_bytes >> 10,
        count(total.free_pools)
    );
    line(&mut out, &format!("{}{pools}", " ".repeat(15)));
    line(&mut out, "");
    line(
        &mut out,
        &look.dim("  block     pools        used        free   fill      free of it     rounding"),
    );
    for class in private.classes() {
        let free_bytes = class.free_blocks.saturating_mul(class.block_bytes);
        let row = format!(
            "{}{}{}{}{}{}{}",
            right(&class.block_bytes.to_string(), 7),
            right(&count(class.pools), 10),
            right(&count(class.used_blocks), 12),
            right(&count(class.free_blocks), 12),
            right(&share(class.used_blocks, class.used_blocks.saturating_add(class.free_blocks)), 7),
            right(&bytes(free_bytes), 16),
            right(&bytes(class.rounding_bytes()), 13),
        );
        line(&mut out, &row);
    }
    let (blocks, outside) = private.elsewhere();
    if blocks > 0 {
        let note = format!(
            "note: {} blocks of up to 512 bytes ({}) lie in no arena that was seen being mapped",
            count(blocks),
            bytes(outside)
        );
        line(&mut out, &look.dim(&folded(&note, look.width, 2)));
    }
    write_sparse(&mut out, heap, look, limit.unwrap_or(5));
    out
}

fn write_sparse(out: &mut String, heap: &Heap<'_>, look: &Look, limit: usize) {
    let sparse = heap.snapshot.private_heap.sparse(heap.graph());
    line(out, "");
    if sparse.is_empty() {
        line(out, &look.dim("no arena is kept by few blocks: more than an eighth of each is used"));
        return;
    }
    let sum = |of: fn(&SparseArena) -> u64| sparse.iter().map(of).fold(0, u64::saturating_add);
    let head = format!(
        "Arenas kept by few blocks: {}, {}, for {} of used blocks",
        count(sparse.len() as u64),
        bytes(sum(|arena| arena.bytes)),
        bytes(sum(|arena| arena.used_bytes))
    );
    line(out, &look.bold(&head));
    let room = look.width.saturating_sub(16);
    for arena in sparse.iter().take(limit) {
        let age = if arena.is_young { "  not filled yet" } else { "" };
        let blocks = if arena.used_blocks == 1 { "block" } else { "blocks" };
        let head = format!(
            "{:#x}   {} {blocks}, {} of {}{age}",
            arena.address,
            count(arena.used_blocks),
            bytes(arena.used_bytes),
            bytes(arena.bytes)
        );
        line(out, &format!("  {head}"));
        let kept = kept(heap, arena);
        for row in kept.iter().take(4) {
            let place = heap.place_of(row.node, 40);
            let of = printable(row.type_name.unwrap_or("(table, buffer, or kept for reuse)"));
            let of = cut(&of, room.saturating_sub(columns(&place) + 2));
            let front = right(&format!("{} ×", count(row.blocks)), 14);
            line(out, &format!("{front}  {of}  {}", look.place(&place)));
        }
        let shown: u64 = kept.iter().take(4).map(|row| row.blocks).fold(0, u64::saturating_add);
        let rest = arena.used_blocks.saturating_sub(shown);
        if rest > 0 {
            let text = match rest {
                1 => "1 other block".into(),
                _ => format!("{} other blocks", count(rest)),
            };
            line(out, &look.dim(&format!("{}{text}", " ".repeat(16))));
        }
    }
    if sparse.len() > limit {
        let more = format!("  {} more; -n shows more", count((sparse.len() - limit) as u64));
        line(out, &look.dim(&more));
    }
}

/// What is in an arena by type and place, the most first.
fn kept<'a>(heap: &'a Heap<'_>, arena: &SparseArena) -> Vec<Kept<'a>> {
    let graph = heap.graph();
    let mut rows: HashMap<_, Kept<'a>> = HashMap::new();
    let objects = arena.objects.iter().map(|&object| {
        let type_name = graph.type_name(graph.type_of(object));
        (Some(type_name), heap.snapshot.allocated_at(object), 1)
    });
    let others = arena.others.iter().map(|row| (None, row.node, row.blocks));
    for (type_name, node, blocks) in objects.chain(others) {
        let allocated_at = heap.site(node);
        let fresh = Kept { type_name, allocated_at, blocks: 0, node };
        let row = rows.entry((type_name, allocated_at)).or_insert(fresh);
        row.blocks = row.blocks.saturating_add(blocks);
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.blocks), row.type_name, row.allocated_at));
    rows
}

/// `private_heap` of `memsight heap --json`: null if it is not known.
pub(crate) fn json(heap: &Heap<'_>, limit: usize) -> Value {
    let private = &heap.snapshot.private_heap;
    if private.missing().is_some() {
        return Value::Null;
    }
    let total = private.total();
    let classes: Vec<_> = private
        .classes()
        .iter()
        .map(|class| {
            json!({
                "block_bytes": class.block_bytes,
                "pools": class.pools,
                "used_blocks": class.used_blocks,
                "free_blocks": class.free_blocks,
                "rounding_bytes": class.rounding_bytes(),
            })
        })
        .collect();
    let sparse = private.sparse(heap.graph());
    let sparse_arenas: Vec<_> = sparse.iter().take(limit).map(|arena| sparse_json(heap, arena)).collect();
    let (elsewhere_blocks, elsewhere_bytes) = private.elsewhere();
    json!({
        "arenas": total.arenas,
        "arena_bytes": total.arena_bytes,
        "pools": total.pools,
        "pool_bytes": total.pool_bytes,
        "free_pools": total.free_pools,
        "used_bytes": total.used_bytes,
        "free_bytes": total.free_bytes,
        "overhead_bytes": total.overhead_bytes,
        "classes": classes,
        "sparse_arena_count": sparse.len(),
        "sparse_arenas": sparse_arenas,
        "elsewhere": {"blocks": elsewhere_blocks, "bytes": elsewhere_bytes},
    })
}

fn sparse_json(heap: &Heap<'_>, arena: &SparseArena) -> Value {
    let kept: Vec<_> = kept(heap, arena)
        .iter()
        .map(|row| {
            json!({
                "type": row.type_name,
                "blocks": row.blocks,
                "allocated_at": row.allocated_at.map(|(file, line)| json!({"file": file, "line": line})),
            })
        })
        .collect();
    json!({
        "address": format!("{:#x}", arena.address),
        "bytes": arena.bytes,
        "used_blocks": arena.used_blocks,
        "used_bytes": arena.used_bytes,
        "not_filled_yet": arena.is_young,
        "kept_by": kept,
    })
}
