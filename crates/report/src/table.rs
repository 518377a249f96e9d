//! Tables of places: the sites of a summary, and every other view.

use memsight_insight::{
    Amount, By, Key, Line, Moment, NoSuchView, Program, left, seen_at, table, types_by_site, weights,
};

use crate::heap_leaks::HeldBySite;
use crate::look::{Look, columns, cut, fill, folded, line, path_lines, printable, right};
use crate::place::label;
use crate::source::Sources;
use crate::summary::heading;
use crate::units::{bytes, count, seconds, share};

/// A column between the amount and the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Part of all lines' bytes.
    Share,
    /// Blocks alive.
    Blocks,
    /// Bytes allocated there over the whole run.
    Allocated,
    /// Part of the place's allocations, under this heading.
    OfAllocations(&'static str),
}

impl Column {
    const fn head(self) -> &'static str {
        match self {
            Column::Share => "share",
            Column::Blocks => "blocks",
            Column::Allocated => "allocated",
            Column::OfAllocations(head) => head,
        }
    }

    fn width(self) -> usize {
        self.head().len().max(5) + 2
    }

    fn cell(self, row: &Line, total: u64) -> String {
        match self {
            Column::Share => share(row.shown.bytes, total),
            Column::Blocks => count(row.shown.blocks),
            Column::Allocated => bytes(row.counts.allocated_bytes),
            Column::OfAllocations(_) => share(row.shown.blocks, row.counts.allocations),
        }
    }
}

/// What stands above a table.
pub(crate) struct Header<'a> {
    /// Over the bytes.
    pub(crate) amount: &'a str,
    /// Over the rest.
    pub(crate) columns: &'a [Column],
}

/// Adds the lines of the import machinery up to one.
pub(crate) fn fold_imports(lines: Vec<Line>) -> Vec<Line> {
    let is_import = |line: &Line| matches!(&line.key, Key::Site(site) if site.is_import_machinery());
    let (import, mut others): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(is_import);
    let folded = import.into_iter().reduce(|mut all, line| {
        all.counts.add(&line.counts);
        all.shown.add(line.shown);
        all
    });
    if let Some(folded) = folded {
        let at = others.partition_point(|line| line.shown.bytes > folded.shown.bytes);
        others.insert(at, Line { key: Key::Import, ..folded });
    }
    others
}

/// One line made ready: every part as text.
struct Shown {
    amount: String,
    cells: Vec<String>,
    place: String,
    function: String,
    source: String,
    types: String,
}

/// From this width on a site takes one line; below, its source stands on a line of its own.
const ONE_LINE: usize = 96;
/// A source line cut shorter than this says nothing.
const LEAST_SOURCE: usize = 20;

/// Appends a table of the `limit` first lines.
pub(crate) fn site_table(
    out: &mut String,
    program: &Program,
    sources: &Sources,
    look: &Look,
    header: &Header<'_>,
    lines: &[Line],
    limit: usize,
) {
    let total = lines.iter().fold(0u64, |sum, line| sum.saturating_add(line.shown.bytes));
    // Saying that there is one more takes the line that it would take.
    let limit = if lines.len() == limit + 1 { lines.len() } else { limit };
    let shown = ready(program, sources, look, header, &lines[..lines.len().min(limit)], total);
    let amount_width = columns(header.amount).max(9) + 2;
    let mut head = right(header.amount, amount_width);
    for column in header.columns {
        head += &right(column.head(), column.width());
    }
    let indent = columns(&head) + 3;
    line(out, &look.dim(&format!("{head}   where")));
    let widest = |part: fn(&Shown) -> &str| shown.iter().map(|row| columns(part(row))).max().unwrap_or(0);
    let named = shown.iter().filter(|row| !row.function.is_empty());
    let place_width = named.map(|row| columns(&row.place)).max().unwrap_or(0);
    let function_width = widest(|row| &row.function);
    let one_line = look.width >= ONE_LINE;
    for row in &shown {
        let mut front = look.bold(&right(&row.amount, amount_width));
        for (column, cell) in header.columns.iter().zip(&row.cells) {
            front += &right(cell, column.width());
        }
        front += "   ";
        let room = look.width.saturating_sub(indent);
        if row.function.is_empty() {
            line(out, &format!("{front}{}", look.place(&cut(&row.place, room))));
            continue;
        }
        let place = look.place(&fill(&row.place, place_width));
        let function = fill(&row.function, function_width);
        let rest = room.saturating_sub(place_width + function_width + 4);
        if one_line {
            let with_types = rest.saturating_sub(columns(&row.types) + 2);
            let (types, width) = match row.types.is_empty() || with_types < LEAST_SOURCE {
                true => ("", rest),
                false => (row.types.as_str(), with_types),
            };
            let source = fill(&cut(&row.source, width), width);
            line(out, &format!("{front}{place}  {function}  {}  {types}", look.dim(&source)));
        } else {
            let text = format!("{function}  {}", row.types);
            let text = cut(text.trim_end(), room.saturating_sub(place_width + 2));
            line(out, &format!("{front}{place}  {text}"));
            if !row.source.is_empty() {
                let source = cut(&row.source, room.saturating_sub(2));
                line(out, &format!("{}{}", " ".repeat(indent + 2), look.dim(&source)));
            }
        }
    }
    let rest = lines.iter().skip(limit).fold(Amount::default(), |mut sum, line| {
        sum.add(line.shown);
        sum
    });
    if lines.len() > limit {
        let more = lines.len() - limit;
        let amount = right(&bytes(rest.bytes), amount_width);
        let cells: String = header
            .columns
            .iter()
            .map(|column| {
                let cell = if *column == Column::Share { share(rest.bytes, total) } else { String::new() };
                right(&cell, column.width())
            })
            .collect();
        line(out, &look.dim(&format!("{amount}{cells}   {} more", count(more as u64))));
    }
}

fn ready(
    program: &Program,
    sources: &Sources,
    look: &Look,
    header: &Header<'_>,
    lines: &[Line],
    total: u64,
) -> Vec<Shown> {
    let cwd = &program.first().recording.whereabouts.cwd;
    let types = types_by_site(program);
    let place_width = (look.width * 3 / 10).clamp(24, 44);
    let function_width = (look.width / 5).clamp(16, 28);
    let mut shown = Vec::new();
    for row in lines {
        let (place, function) = label(program, &row.key, cwd, place_width);
        let site = match &row.key {
            Key::Site(site) if !site.is_outside_python() => Some(site),
            _ => None,
        };
        // Types are known at the end: they only tell of a line's bytes if they hold most of them.
        let of_site = site.and_then(|site| types.get(site));
        let of_site = of_site.filter(|types| bytes_of(types) >= row.shown.bytes / 2);
        shown.push(Shown {
            amount: bytes(row.shown.bytes),
            cells: header.columns.iter().map(|column| column.cell(row, total)).collect(),
            place,
            function: function_within(&function, function_width),
            source: site.map(|site| sources.line(site)).unwrap_or_default(),
            types: of_site.map(|types| type_names(types)).unwrap_or_default(),
        });
    }
    shown
}

/// `JSONDecoder.raw_decode`, or `raw_decode` where that is too wide.
fn function_within(function: &str, width: usize) -> String {
    let own_name = function.rsplit('.').next().unwrap_or(function);
    cut(if columns(function) > width { own_name } else { function }, width)
}

/// How many of `lines` to show: as many as were asked for, else those that
/// matter, up to 20.
pub(crate) fn sensible(limit: Option<usize>, lines: &[Line]) -> usize {
    const MOST: usize = 20;
    let total = lines.iter().fold(0u64, |sum, line| sum.saturating_add(line.shown.bytes));
    let matters = |line: &&Line| line.shown.bytes >= total / 1000;
    limit.unwrap_or_else(|| lines.iter().take_while(matters).count().clamp(1, MOST))
}

fn bytes_of(types: &[(String, Amount)]) -> u64 {
    types.iter().fold(0, |sum, (_, amount)| sum.saturating_add(amount.bytes))
}

/// `8.0 M dict, str`: how many objects of the types that hold most of the bytes.
fn type_names(types: &[(String, Amount)]) -> String {
    let all = bytes_of(types);
    let large = types.iter().take(2).filter(|(_, amount)| amount.bytes >= all / 10);
    let blocks = types.iter().fold(0u64, |sum, (_, amount)| sum.saturating_add(amount.blocks));
    let names: Vec<String> = large.map(|(name, _)| crate::look::printable(name)).collect();
    if names.is_empty() { String::new() } else { format!("{} {}", count(blocks), names.join(", ")) }
}

/// `report --at … --by …`.
pub fn view(
    program: &Program,
    moment: Moment,
    by: By,
    look: &Look,
    limit: Option<usize>,
) -> Result<String, NoSuchView> {
    let weights = weights(program, moment)?;
    let mut lines = table(program, &weights, by);
    if by == By::Site {
        lines = fold_imports(lines);
    }
    lines.retain(|line| !line.shown.is_zero());
    let mut out = heading(program, look);
    line(&mut out, "");
    let (amount, said) = match moment {
        _ if by == By::Type => ("live", "Live at the end, by type".into()),
        Moment::Peak => ("at the peak", format!("At the peak, by {}", by_name(by))),
        Moment::End => ("live", format!("Live at the end, by {}", by_name(by))),
        Moment::At(at) => ("live", format!("Live at {}, by {}", seconds(seen_at(program, at)), by_name(by))),
        Moment::Between(from, to) => {
            let (from, to) = (seconds(from), seconds(seen_at(program, to)));
            ("live", format!("Allocated from {from} on and still live at {to}, by {}", by_name(by)))
        }
    };
    if by == By::Type && lines.is_empty() {
        line(
            &mut out,
            &folded(
                "This capture holds no object types: they are read when a Python program ends by itself.",
                look.width,
                0,
            ),
        );
        return Ok(out);
    }
    line(&mut out, &look.bold(&said));
    line(&mut out, "");
    let all = [Column::Share, Column::Blocks, Column::Allocated];
    // What was allocated over the whole run says little beside one moment of it.
    let whole_run = matches!(moment, Moment::Peak | Moment::End) && by != By::Type;
    let columns = if whole_run { &all[..] } else { &all[..2] };
    let header = Header { amount, columns };
    site_table(&mut out, program, &Sources::of(program), look, &header, &lines, sensible(limit, &lines));
    if lines.is_empty() {
        line(&mut out, "Nothing.");
    }
    if by == By::Type {
        no_objects(&mut out, program, &lines, look);
    }
    Ok(out)
}

/// What is live at the end beside the objects themselves.
fn no_objects(out: &mut String, program: &Program, types: &[Line], look: &Look) {
    let objects = types.iter().fold(Amount::default(), |mut sum, line| {
        sum.add(line.shown);
        sum
    });
    let mut rest = program.live();
    rest.take(objects);
    if rest.bytes == 0 {
        return;
    }
    line(out, "");
    let text = format!(
        "{} more is in no object: what objects hold outside themselves, as a list its items, a dict its \
         table, an array its data; and what libraries took for themselves.",
        bytes(rest.bytes)
    );
    line(out, &folded(&text, look.width, 0));
}

fn by_name(by: By) -> &'static str {
    match by {
        By::Site => "site",
        By::Function => "function",
        By::File => "file",
        By::Module => "module",
        By::Type => "type",
        By::Thread => "thread",
        By::Process => "process",
    }
}

/// `report --leaks`: what is live at the end, without what importing left; with the
/// object graph also what keeps it alive.
pub fn leaks(program: &Program, held: Option<&HeldBySite<'_>>, look: &Look, limit: Option<usize>) -> String {
    let left = left(program);
    let mut out = heading(program, look);
    line(&mut out, "");
    let title = format!("{} in {} blocks live at the end", bytes(left.total.bytes), count(left.total.blocks));
    line(&mut out, &look.bold(&title));
    line(&mut out, "");
    let header =
        Header { amount: "live", columns: &[Column::Share, Column::Blocks, Column::OfAllocations("kept")] };
    if left.sites.is_empty() {
        line(&mut out, "Nothing that the program's own lines allocated.");
    } else {
        site_table(
            &mut out,
            program,
            &Sources::of(program),
            look,
            &header,
            &left.sites,
            sensible(limit, &left.sites),
        );
    }
    line(&mut out, "");
    let apart = [
        (left.importing, "while modules were imported: code, classes, constants"),
        (left.outside_python, "before or outside Python code: the interpreter's own, mostly"),
    ];
    for (amount, what) in apart.into_iter().filter(|(amount, _)| !amount.is_zero()) {
        line(&mut out, &format!("{}   {}", right(&bytes(amount.bytes), 11), look.dim(what)));
    }
    if let Some(held) = held {
        write_held(&mut out, program, held, &left.sites, look, limit);
    }
    line(&mut out, "");
    let kept = "Live at the end is not lost: a program may hold on to it until it ends on purpose.";
    let text = match held {
        Some(_) if program.processes.len() > 1 => format!(
            "{kept} What keeps it alive is said of the first process; the captures of the others, beside \
             its own, say it of theirs."
        ),
        Some(_) => kept.to_owned(),
        // One that is killed comes to no end.
        None if crate::summary::was_killed(program.first()) => {
            format!("{kept} Recorded with --heap peak, memsight heap says what held it.")
        }
        None => format!("{kept} Recorded with --heap exit, this says what holds it."),
    };
    line(&mut out, &folded(&text, look.width, 0));
    out
}

/// For the lines that most of what is live came from, what keeps it alive.
fn write_held(
    out: &mut String,
    program: &Program,
    held: &HeldBySite<'_>,
    sites: &[Line],
    look: &Look,
    limit: Option<usize>,
) {
    let cwd = &program.first().recording.whereabouts.cwd;
    let all = sites.iter().fold(0u64, |sum, line| sum.saturating_add(line.shown.bytes));
    let large = sites.iter().take(limit.unwrap_or(5)).take_while(|line| line.shown.bytes >= all / 100);
    let mut title = Some("Kept alive by");
    for row in large {
        let Key::Site(site) = &row.key else { continue };
        let ways = held.of(site);
        let bytes_of_all = ways.iter().fold(0u64, |sum, way| sum.saturating_add(way.bytes));
        let matter = ways.iter().take(3).filter(|way| way.bytes >= bytes_of_all / 10);
        if ways.is_empty() {
            continue;
        }
        if let Some(title) = title.take() {
            line(out, "");
            line(out, &look.bold(title));
        }
        line(out, "");
        let (place, function) = label(program, &row.key, cwd, look.width.saturating_sub(30));
        line(out, &format!("{}   {}  {function}", right(&bytes(row.shown.bytes), 11), look.place(&place)));
        for way in matter {
            let what = format!("{} × {}", count(way.count), printable(&way.type_name));
            let text = format!("{what}  {}", printable(&way.path));
            let room = look.width.saturating_sub(14);
            if columns(&text) <= room {
                line(out, &format!("{}{text}", " ".repeat(14)));
            } else {
                line(out, &format!("{}{}", " ".repeat(14), cut(&what, room)));
                for part in path_lines(&printable(&way.path), room - 2) {
                    line(out, &format!("{}{part}", " ".repeat(16)));
                }
            }
        }
    }
}

/// `report --temporary`: what was freed before its thread allocated again.
pub fn temporary(program: &Program, look: &Look, limit: Option<usize>) -> String {
    let mut out = heading(program, look);
    let totals = program.totals();
    line(&mut out, "");
    let of_all = share(totals.temporary.blocks, totals.allocations);
    let title = format!(
        "{} in {} short-lived allocations, {of_all} of all",
        bytes(totals.temporary.bytes),
        count(totals.temporary.blocks)
    );
    line(&mut out, &look.bold(&title));
    line(&mut out, "");
    let Ok(weights) = weights(program, Moment::Peak) else { return out };
    let mut lines = fold_imports(table(program, &weights, By::Site));
    lines.iter_mut().for_each(|line| line.shown = line.counts.temporary);
    lines.retain(|line| !line.shown.is_zero());
    lines.sort_by(|a, b| b.shown.bytes.cmp(&a.shown.bytes).then_with(|| a.key.cmp(&b.key)));
    let header = Header {
        amount: "temporary",
        columns: &[Column::Share, Column::Blocks, Column::OfAllocations("of all")],
    };
    site_table(&mut out, program, &Sources::of(program), look, &header, &lines, sensible(limit, &lines));
    line(&mut out, "");
    line(&mut out, &folded("Each was freed before its thread allocated anything else.", look.width, 0));
    out
}
