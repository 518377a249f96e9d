//! Equal strings and `bytes`, as text and JSON.

use memsight_heap::{Duplicate, Value, repr};
use serde_json::json;

use crate::heap::Heap;
use crate::look::{Look, columns, cut, fill, line, right};
use crate::units::{bytes, count, share};

/// `memsight heap --duplicates`: what is there more than once.
pub fn duplicates_text(heap: &Heap<'_>, look: &Look, limit: Option<usize>) -> String {
    let mut out = heap.heading(look);
    let found = &heap.snapshot.duplicates;
    line(&mut out, "");
    if found.group_count == 0 {
        line(&mut out, &look.dim("no two strings and no two bytes objects are equal"));
        return out;
    }
    line(&mut out, &look.bold(&in_words(heap)));
    line(&mut out, "");
    let shown = limit.unwrap_or(15).min(found.groups.len());
    let room = look.width.saturating_sub(32);
    let value_room = room / 2;
    let rows: Vec<_> = found.groups.iter().take(shown).map(|group| (group, value(group))).collect();
    let widest = rows.iter().map(|(_, text)| columns(text)).max().unwrap_or(0).clamp(5, value_room.max(5));
    let head = format!("{}     copies   type   {}  for example", right("saved", 11), fill("value", widest));
    line(&mut out, &look.dim(&head));
    for (group, text) in rows {
        let front = format!("{}{}", right(&bytes(group.saved_bytes), 11), right(&count(group.copies), 11));
        let example = cut(&heap.name_of(group.example), room.saturating_sub(widest + 2));
        let text = fill(&cut(&text, widest), widest);
        line(
            &mut out,
            &format!("{}   {}  {text}  {example}", look.bold(&front), fill(kind(&group.value), 5)),
        );
    }
    let rest = found.group_count.saturating_sub(shown as u64);
    if rest > 0 {
        let more = if (shown as u64) < found.groups.len() as u64 { "; -n shows more" } else { "" };
        line(&mut out, &look.dim(&format!("{}{} more values{more}", " ".repeat(32), count(rest))));
    }
    line(&mut out, "");
    let hint = "Saved is what would go if one of each were kept: sys.intern for strings, a dict of \
                those seen for bytes. Interned ones are not counted.";
    line(&mut out, &look.dim(&crate::look::folded(hint, look.width, 0)));
    out
}

/// The line of the overview, if duplicates are over a hundredth of the heap.
pub(crate) fn overview_line(heap: &Heap<'_>) -> Option<String> {
    let saved = heap.snapshot.duplicates.saved_bytes;
    (saved > heap.snapshot.bytes() / 100).then(|| format!("Duplicates  {}", in_words(heap)))
}

fn in_words(heap: &Heap<'_>) -> String {
    let found = &heap.snapshot.duplicates;
    format!(
        "{} ({}) in {} strings and bytes that are equal to another",
        bytes(found.saved_bytes),
        share(found.saved_bytes, heap.snapshot.bytes()),
        count(found.copies)
    )
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "str",
        Value::Bytes(_) => "bytes",
    }
}

/// How the value would be written in Python, `…` behind it if there may be more.
fn value(group: &Duplicate) -> String {
    let mut out = match &group.value {
        Value::Text(text) => repr(text),
        Value::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
    };
    if group.value.may_go_on() {
        out.push('…');
    }
    out
}

/// `duplicates` of `memsight heap --json`.
pub(crate) fn json(heap: &Heap<'_>, limit: usize) -> serde_json::Value {
    let found = &heap.snapshot.duplicates;
    let groups: Vec<_> = found
        .groups
        .iter()
        .take(limit)
        .map(|group| {
            json!({
                "type": kind(&group.value),
                "value": value(group),
                "cut": group.value.may_go_on(),
                "count": group.copies,
                "bytes": group.bytes,
                "saved_bytes": group.saved_bytes,
                "example": heap.paths.to(heap.graph(), group.example).name(heap.graph()),
            })
        })
        .collect();
    json!({
        "values": found.group_count,
        "copies": found.copies,
        "saved_bytes": found.saved_bytes,
        "largest": groups,
    })
}

#[cfg(test)]
mod tests {
    use memsight_heap::{Follow, GraphBuilder, Object};

    use super::*;

    fn shown(value: Value) -> String {
        let mut builder = GraphBuilder::new();
        let of = builder.add_type("str").unwrap();
        builder.add_object(Object { address: 16, type_id: of, bytes: 1, shared: false }).unwrap();
        let example = builder.finish(Follow::Usual).nodes().next().unwrap();
        super::value(&Duplicate { value, copies: 2, bytes: 2, saved_bytes: 1, example })
    }

    #[test]
    fn values_stay_in_their_line_and_say_if_they_may_go_on() {
        assert_eq!(shown(Value::Text("it's\n\u{1b}[1m\u{202e}ü".into())), "\"it's\\n\\x1b[1m\\u202eü\"");
        assert_eq!(shown(Value::Bytes(b"\0a'\xff".to_vec())), "b'\\x00a\\'\\xff'");
        assert_eq!(shown(Value::Text("x".repeat(61))), format!("'{}'…", "x".repeat(61)));
    }
}
