//! Blocks of Python's own allocators that belong to no object, by the line that allocated them.

use std::collections::HashMap;

use memsight_capture::Domain;
use memsight_insight::{Site, SiteId};
use serde_json::json;

use crate::heap::Heap;
use crate::look::{Look, columns, cut, fill, line, printable, right};
use crate::place::{file_and_line, short_function};
use crate::units::{bytes, count};

/// Blocks of one line and one allocator.
struct Row<'a> {
    site: &'a Site,
    domain: Domain,
    blocks: u64,
    bytes: u64,
}

fn rows<'a>(heap: &'a Heap<'_>) -> Vec<Row<'a>> {
    let tree = &heap.process().recording.tree;
    let mut sums: HashMap<(SiteId, Domain), (u64, u64)> = HashMap::new();
    for loose in &heap.snapshot.loose {
        let sum = sums.entry((tree.site_of(loose.node), loose.domain)).or_default();
        *sum = (sum.0.saturating_add(loose.blocks), sum.1.saturating_add(loose.bytes));
    }
    let row = |((site, domain), (blocks, bytes))| Row { site: tree.site(site), domain, blocks, bytes };
    let mut rows: Vec<Row<'_>> = sums.into_iter().map(row).collect();
    rows.sort_by(|a, b| {
        let place = |row: &Row<'a>| (&row.site.file, row.site.line, &row.site.function);
        b.bytes.cmp(&a.bytes).then_with(|| place(a).cmp(&place(b))).then(a.domain.cmp(&b.domain))
    });
    rows
}

fn total(rows: &[Row<'_>]) -> (u64, u64) {
    rows.iter().fold((0, 0), |(blocks, bytes): (u64, u64), row| {
        (blocks.saturating_add(row.blocks), bytes.saturating_add(row.bytes))
    })
}

/// `memsight heap --loose`.
pub fn loose_text(heap: &Heap<'_>, look: &Look, limit: Option<usize>) -> String {
    let rows = rows(heap);
    let mut out = heap.heading(look);
    line(&mut out, "");
    let (blocks, sum) = total(&rows);
    if rows.is_empty() {
        line(&mut out, "Every block of Python's allocators belongs to an object.");
        return out;
    }
    let what = if blocks == 1 { "block" } else { "blocks" };
    let head = format!("Loose  {} in {} {what} that belong to no object", bytes(sum), count(blocks));
    line(&mut out, &head);
    line(&mut out, "");
    let shown = limit.unwrap_or(10);
    let shown = if rows.len() == shown + 1 { rows.len() } else { shown };
    let cwd = &heap.process().recording.whereabouts.cwd;
    let texts: Vec<(String, String)> = rows
        .iter()
        .take(shown)
        .map(|row| {
            let function = match row.site.is_outside_python() {
                true => String::new(),
                false => printable(&short_function(&row.site.function)),
            };
            (printable(&file_and_line(row.site, cwd, 40)), function)
        })
        .collect();
    let width = texts.iter().map(|(place, _)| columns(place)).max().unwrap_or(0);
    line(&mut out, &look.dim("      bytes   blocks   domain   allocated at"));
    for (row, (place, function)) in rows.iter().zip(&texts) {
        let (amount, blocks) = (right(&bytes(row.bytes), 11), right(&count(row.blocks), 9));
        let front = format!("{}{blocks}   {}   ", look.bold(&amount), fill(row.domain.name(), 6));
        let function = cut(function, look.width.saturating_sub(34 + width));
        let text = format!("{front}{}  {function}", look.place(&fill(place, width)));
        line(&mut out, text.trim_end());
    }
    let rest = rows.len().saturating_sub(shown);
    if rest > 0 {
        line(&mut out, &look.dim(&format!("{}{} more", " ".repeat(32), count(rest as u64))));
    }
    out
}

/// `memsight heap --loose --json`. With `limit`, so many places.
pub fn loose_json(heap: &Heap<'_>, limit: Option<usize>) -> String {
    let rows = rows(heap);
    let (blocks, bytes) = total(&rows);
    let places: Vec<_> = rows
        .iter()
        .take(limit.unwrap_or(usize::MAX))
        .map(|row| {
            json!({
                "file": &*row.site.file,
                "line": row.site.line,
                "function": &*row.site.function,
                "domain": row.domain.name(),
                "blocks": row.blocks,
                "bytes": row.bytes,
            })
        })
        .collect();
    let all = json!({ "schema_version": 1, "blocks": blocks, "bytes": bytes, "sites": places });
    format!("{all:#}\n")
}
