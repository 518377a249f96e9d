//! The column of the heap: objects in the order of their addresses.

use std::collections::BTreeSet;

use memsight_picture::{Language, Object, ObjectId, ObjectKind, Ref, Standing, Temporary};

use super::moment::{Mark, Moment, Tags, Target, object_of};
use super::pane::Pane;
use super::text::{Ink, Line, amount, cut, escaped, fill, right, width};

/// Objects shown of a section; beyond that only those that the step is about.
const OBJECTS: usize = 300;
/// From so many columns on addresses are whole.
const WIDE: usize = 58;
/// Columns of a label at the most.
const LABEL_COLUMNS: usize = 14;

/// How much of an object's items is shown: lines of a grid, and items that have a line each.
struct Unfolded {
    rows: usize,
    lines: usize,
}

const FOLDED: Unfolded = Unfolded { rows: 3, lines: 8 };
const SELECTED: Unfolded = Unfolded { rows: 16, lines: 60 };

/// Where the numbers of each object stand.
struct Columns {
    all: usize,
    tag: usize,
    bytes: usize,
    second: usize,
    address: usize,
}

/// The heap of a step in so many columns.
pub(super) fn pane(moment: &Moment<'_>, tags: &Tags, selected: Option<&Target>, columns: usize) -> Pane {
    let python = moment.trace.language == Language::Python;
    let sections = sections(moment, python);
    let shown = sections.iter().flat_map(|(_, objects)| objects);
    let tag = shown.clone().map(|object| tags.of(object.id).len()).max().unwrap_or(1);
    let bytes = shown.clone().map(|object| amount(object.bytes).len()).max().unwrap_or(0).clamp(5, 14);
    let second = shown.clone().map(|object| width(&second(moment, object))).max().unwrap_or(0).clamp(4, 12);
    let address = if columns >= WIDE { 14 } else { 6 };
    let columns = Columns { all: columns, tag, bytes, second, address };
    let title = if python { "refs" } else { "from" };
    let head = format!(
        "{}  {}  {}",
        right("bytes", columns.bytes),
        right(title, columns.second),
        fill("at", columns.address)
    );
    let mut pane = Pane::new("heap", &head);
    for (rule, objects) in &sections {
        if !rule.is_empty() && !objects.is_empty() {
            let title = cut(rule, columns.all.saturating_sub(6));
            let right = "─".repeat(columns.all.saturating_sub(width(&title) + 5));
            pane.lines.push(Line::of(format!(" ── {title} {right}"), Ink::Dim));
        }
        let kept = kept(moment, objects, selected);
        for object in objects.iter().filter(|object| kept.contains(&object.id)) {
            object_lines(&mut pane, moment, tags, object, selected, &columns);
        }
        if kept.len() < objects.len() {
            let more = amount((objects.len() - kept.len()) as u64);
            pane.lines.push(Line::of(format!("   +{more} more"), Ink::Dim));
        }
        if rule.is_empty() {
            pane.lines.extend(moment.step.delta.temporaries.iter().map(|made| temporary(made, &columns)));
        }
    }
    if pane.lines.is_empty() {
        pane.lines.push(Line::of("   nothing is on the heap", Ink::Dim));
    }
    pane.focus = focus(&pane, selected);
    pane
}

/// What is selected, or else what this step touched first.
fn focus(pane: &Pane, selected: Option<&Target>) -> std::ops::Range<usize> {
    let chosen = pane.lines.iter().position(|line| selected.is_some() && line.target.as_ref() == selected);
    let touched = |line: &Line| {
        line.pieces.first().is_some_and(|(_, ink)| matches!(ink, Ink::New | Ink::Changed | Ink::Gone))
    };
    match chosen.or_else(|| pane.lines.iter().position(touched)) {
        Some(at) => at..at + 1,
        None => 0..0,
    }
}

/// The objects of this step and those it freed, by where they stand, each in the order of addresses.
fn sections<'t>(moment: &Moment<'t>, python: bool) -> [(&'static str, Vec<&'t Object>); 4] {
    let lost = if python { "no name leads to these" } else { "leaked: no pointer leads to these" };
    let fixed = if python { "built into the interpreter" } else { "global variables" };
    let mut sections =
        [("", Vec::new()), (lost, Vec::new()), ("on the stack", Vec::new()), (fixed, Vec::new())];
    let gone = moment.step.delta.died.iter().filter(|id| !moment.now.contains_key(id));
    let gone = gone.filter_map(|id| moment.before.get(id));
    for &object in moment.now.values().chain(gone) {
        let section = match object.standing {
            Standing::Reached | Standing::Freed => 0,
            Standing::Unreached => 1,
            Standing::OnStack => 2,
            Standing::Static => 3,
        };
        sections[section].1.push(object);
    }
    for (_, objects) in &mut sections {
        objects.sort_by_key(|object| (object.address, object.id));
    }
    sections
}

/// Those that are shown of a section: all of a small one, else what the step, a name or the
/// selection is about, and then the first ones.
fn kept(moment: &Moment<'_>, objects: &[&Object], selected: Option<&Target>) -> BTreeSet<ObjectId> {
    if objects.len() <= OBJECTS {
        return objects.iter().map(|object| object.id).collect();
    }
    let names = moment.step.stack.iter().rev().flat_map(|frame| &frame.names);
    let mut wanted: BTreeSet<ObjectId> = names.filter_map(|name| object_of(&name.to)).take(OBJECTS).collect();
    if let Some(Target::Object(id)) = selected {
        wanted.insert(*id);
    }
    let delta = &moment.step.delta;
    let touched =
        delta.born.iter().chain(&delta.changed).map(|object| object.id).chain(delta.died.iter().copied());
    wanted.extend(touched.take(OBJECTS));
    let (first, rest): (Vec<&Object>, Vec<&Object>) =
        objects.iter().copied().partition(|object| wanted.contains(&object.id));
    first.into_iter().chain(rest).take(OBJECTS).map(|object| object.id).collect()
}

fn object_lines(
    pane: &mut Pane,
    moment: &Moment<'_>,
    tags: &Tags,
    object: &Object,
    selected: Option<&Target>,
    columns: &Columns,
) {
    let mark = moment.mark(object.id);
    let freed = mark == Mark::Gone || object.standing == Standing::Freed;
    let mark = if freed { Mark::Gone } else { mark };
    let count_moved = second(moment, object).contains('→');
    let ink = match mark {
        Mark::New => Ink::New,
        Mark::Changed => Ink::Changed,
        Mark::Gone => Ink::Gone,
        Mark::Same => Ink::Plain,
    };
    let mark_ink = if ink == Ink::Plain && count_moved { Ink::Changed } else { ink };
    let tag = fill(tags.of(object.id), columns.tag);
    let line = Line::of(format!(" {}", mark.sign()), mark_ink).and(format!("{tag} "), Ink::Strong);
    let indent = line.width();
    let numbers = columns.bytes + columns.second + columns.address + 6;
    let room = columns.all.saturating_sub(indent + numbers);
    let type_name = escaped(&object.of_type);
    let value = object.value.as_deref().map(escaped).filter(|value| *value != type_name);
    let value_fits = value.as_deref().is_none_or(|value| width(&type_name) + 1 + width(value) <= room);
    let line = line.and(cut(&type_name, room), if ink == Ink::Plain { Ink::Strong } else { ink });
    let line = match &value {
        Some(value) if value_fits => line.and(" ", Ink::Plain).and(value.clone(), ink),
        _ => line,
    };
    let count_ink = if count_moved { Ink::Changed } else { Ink::Plain };
    let line = line
        .up_to(columns.all.saturating_sub(numbers))
        .and(format!("  {}", right(&bytes(moment, object), columns.bytes)), Ink::Plain)
        .and(format!("  {}", right(&second(moment, object), columns.second)), count_ink)
        .and(format!("  {}", address(object.address, columns.address)), Ink::Dim);
    pane.lines.push(line.selects(Target::Object(object.id)));
    if let Some(value) = value.filter(|_| !value_fits) {
        let room = columns.all.saturating_sub(indent + 2);
        pane.lines.push(Line::of(" ".repeat(indent + 2), Ink::Plain).and(cut(&value, room), ink));
    }
    if freed {
        let text = format!("{}░░ freed", " ".repeat(indent + 2));
        pane.lines.push(Line::of(text, Ink::Dim));
        if mark == Mark::Gone && object.standing != Standing::Freed {
            return;
        }
    }
    let unfolded = match selected {
        Some(Target::Object(id)) if *id == object.id => SELECTED,
        _ => FOLDED,
    };
    item_lines(pane, moment, tags, object, columns, indent + 1, &unfolded);
}

fn bytes(moment: &Moment<'_>, object: &Object) -> String {
    match moment.before.get(&object.id) {
        Some(before) if before.bytes < object.bytes => format!("↑{}", amount(object.bytes)),
        Some(before) if before.bytes > object.bytes => format!("↓{}", amount(object.bytes)),
        _ => amount(object.bytes),
    }
}

/// The second number: in Python the reference count and what it was, in C the line that allocated it.
fn second(moment: &Moment<'_>, object: &Object) -> String {
    if moment.trace.language == Language::C {
        return object.allocated_at.map(|(_, line)| line.to_string()).unwrap_or_default();
    }
    let count = |object: &Object| match object.references {
        _ if object.immortal => "∞".to_owned(),
        Some(count) => amount(count),
        None => "–".to_owned(),
    };
    match (moment.before.get(&object.id), moment.now.get(&object.id)) {
        (Some(before), Some(now)) if count(before) != count(now) => {
            format!("{}→{}", count(before), count(now))
        }
        (Some(before), None) => format!("{}→0", count(before)),
        _ => count(object),
    }
}

/// An address, or its end where there is little room.
fn address(address: u64, columns: usize) -> String {
    let whole = format!("0x{address:x}");
    if whole.len() <= columns {
        return fill(&whole, columns);
    }
    let digits = columns.saturating_sub(1);
    format!("…{}", &whole[whole.len().saturating_sub(digits)..])
}

fn temporary(made: &Temporary, columns: &Columns) -> Line {
    let what = made.of_type.as_deref().map_or_else(|| "memory".to_owned(), escaped);
    let what = if made.count == 1 { what } else { format!("{} × {what}", amount(made.count)) };
    let numbers = columns.bytes + columns.second + columns.address + 6;
    let line = Line::of(format!(" x{} ", " ".repeat(columns.tag)), Ink::Gone);
    let room = columns.all.saturating_sub(line.width() + numbers);
    let line = line.and(cut(&what, room), Ink::Gone).up_to(columns.all.saturating_sub(numbers));
    let bytes = right(&amount(made.bytes), columns.bytes);
    line.and(format!("  {bytes}"), Ink::Plain)
        .and(cut("  made and freed", columns.second + columns.address + 4), Ink::Dim)
}

/// An item as it is shown: its sign, its label, where it leads and what is there.
struct Cell {
    sign: &'static str,
    ink: Ink,
    label: String,
    arrow: String,
    what: String,
}

fn cell(moment: &Moment<'_>, tags: &Tags, object: &Object, label: &str, to: &Ref, index: usize) -> Cell {
    let (arrow, what) = moment.reference(tags, to);
    let indexed = matches!(object.kind, ObjectKind::Sequence);
    let shown = match object.kind {
        ObjectKind::Sequence => format!("[{}]", escaped(label)),
        _ => escaped(label),
    };
    let old = moment.before.get(&object.id).filter(|_| moment.now.contains_key(&object.id));
    let mark = match old {
        None => Mark::Same,
        Some(old) => {
            // Labels are mostly in their old places; looking everywhere for each would be quadratic.
            let there = old.items.get(index).filter(|(other, _)| other == label);
            let there = there
                .or_else(|| (!indexed).then(|| old.items.iter().find(|(other, _)| other == label)).flatten());
            match there {
                None => Mark::New,
                Some((_, other)) if other != to => Mark::Changed,
                Some(_) => Mark::Same,
            }
        }
    };
    let ink = match mark {
        Mark::New => Ink::New,
        Mark::Changed => Ink::Changed,
        Mark::Same | Mark::Gone => Ink::Plain,
    };
    let what = if what == "uninitialised" { "░ uninitialised".to_owned() } else { what };
    Cell { sign: mark.sign(), ink, label: shown, arrow, what }
}

fn item_lines(
    pane: &mut Pane,
    moment: &Moment<'_>,
    tags: &Tags,
    object: &Object,
    columns: &Columns,
    indent: usize,
    unfolded: &Unfolded,
) {
    let room = columns.all.saturating_sub(indent);
    let grid = matches!(object.kind, ObjectKind::Sequence | ObjectKind::Set);
    let most = if grid { unfolded.rows * room.max(8) / 8 } else { unfolded.lines };
    let cells: Vec<Cell> = object
        .items
        .iter()
        .take(most)
        .enumerate()
        .map(|(index, (label, to))| cell(moment, tags, object, label, to, index))
        .collect();
    let shown = if grid {
        grid_lines(pane, &cells, indent, room, unfolded.rows)
    } else {
        let longest = cells.iter().map(|cell| width(&cell.label)).max().unwrap_or(0);
        let label_columns = longest.min(LABEL_COLUMNS);
        for cell in &cells {
            let label = fill(&cut(&cell.label, label_columns), label_columns);
            pane.lines.push(cell_line(Line::of(" ".repeat(indent), Ink::Plain), cell, &label, room));
        }
        cells.len()
    };
    let more = (object.items.len() - shown) as u64;
    let more = more.saturating_add(object.hidden_items);
    if more > 0 {
        pane.lines.push(Line::of(format!("{}+{} more", " ".repeat(indent + 1), amount(more)), Ink::Dim));
    }
}

fn cell_line(line: Line, cell: &Cell, label: &str, room: usize) -> Line {
    let from = line.width();
    let gap = if label.is_empty() { "" } else { " " };
    let line = line.and(format!("{}{label}{gap}", cell.sign), cell.ink).and(cell.arrow.clone(), Ink::Strong);
    let left = (from + room).saturating_sub(line.width() + 1);
    line.and(format!(" {}", cut(&cell.what, left)), Ink::Plain)
}

/// Puts cells of one width side by side. How many there was room for.
fn grid_lines(pane: &mut Pane, cells: &[Cell], indent: usize, room: usize, rows: usize) -> usize {
    let wide = |cell: &Cell| {
        1 + width(&cell.label)
            + usize::from(!cell.label.is_empty())
            + width(&cell.arrow)
            + 1
            + width(&cell.what)
    };
    let widest = cells.iter().map(wide).max().unwrap_or(0).min(room);
    let across = ((room + 2) / (widest + 2).max(1)).max(1);
    let shown = cells.len().min(across * rows);
    for row in cells[..shown].chunks(across) {
        let mut line = Line::of(" ".repeat(indent), Ink::Plain);
        for (index, cell) in row.iter().enumerate() {
            line = cell_line(line.up_to(indent + index * (widest + 2)), cell, &cell.label, widest);
        }
        pane.lines.push(line);
    }
    shown
}
