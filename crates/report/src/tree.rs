//! The call tree as text: who called the lines that hold the bytes.
//!
//! A frame is indented below its caller only where there is a choice; a chain
//! of single calls goes straight down.
//!
//! ```text
//!   812 MB  100%  <module>   orders.py:210   main()
//!   812 MB  100%  main       orders.py:198   rows = load_rows(path)
//!   512 MB   63%  ├ load_rows  orders.py:88
//!   190 MB   23%  └ index      orders.py:131
//! ```

use std::collections::BinaryHeap;
use std::path::Path;

use memsight_insight::{Calls, Moment, NoSuchView, Program, calls, weights};

use crate::look::{Look, columns, cut, fill, line, printable, right};
use crate::place::{IMPORT, OUTSIDE, file_and_line, short_function};
use crate::source::Sources;
use crate::summary::heading;
use crate::units::{bytes, count, seconds, share};

/// `report --tree`: the `limit` largest frames.
pub fn tree(
    program: &Program,
    moment: Moment,
    look: &Look,
    limit: Option<usize>,
) -> Result<String, NoSuchView> {
    let calls = calls(program, &weights(program, moment)?);
    let mut out = heading(program, look);
    line(&mut out, "");
    let title = match moment {
        Moment::Peak => "Call tree of the bytes at the peak".into(),
        Moment::End => "Call tree of the bytes live at the end".into(),
        Moment::At(at) => format!("Call tree of the bytes live at {}", seconds(at)),
        Moment::Between(from, to) => {
            format!("Call tree of the bytes allocated from {} on and live at {}", seconds(from), seconds(to))
        }
    };
    line(&mut out, &look.bold(&title));
    line(&mut out, "");
    let drawing = Drawing {
        calls: &calls,
        chosen: largest(&calls, limit.unwrap_or(30)),
        sources: Sources::of(program),
        cwd: &program.first().recording.whereabouts.cwd,
        look,
    };
    let rows = drawing.rows();
    drawing.print(&mut out, &rows);
    let left_out = calls.frames.len() - drawing.chosen.iter().filter(|&&chosen| chosen).count();
    if left_out > 0 {
        let text = format!("{} smaller frames are not shown; -n shows more", count(left_out as u64));
        line(&mut out, &format!("{}{}", " ".repeat(20), look.dim(&text)));
    }
    Ok(out)
}

/// The largest frames: a caller is never smaller than what it called, so they hang together.
fn largest(calls: &Calls, limit: usize) -> Vec<bool> {
    let mut chosen = vec![false; calls.frames.len()];
    let entry = |&frame: &usize| (calls.frames[frame].total.bytes, usize::MAX - frame);
    let mut open: BinaryHeap<(u64, usize)> = calls.roots.iter().map(entry).collect();
    let mut left = limit;
    while let Some((size, frame)) = open.pop() {
        let frame = usize::MAX - frame;
        if left == 0 || size == 0 {
            break;
        }
        chosen[frame] = true;
        // The import machinery takes one line however deep it is.
        let is_import = calls.frames[frame].site.is_import_machinery();
        left -= usize::from(!is_import);
        open.extend(calls.frames[frame].callees.iter().map(entry));
    }
    chosen
}

struct Row {
    frame: usize,
    /// What stands before the name: the lines of the tree.
    branch: String,
    /// Frames of the import machinery that this one row stands for.
    import_frames: usize,
}

struct Drawing<'a> {
    calls: &'a Calls,
    chosen: Vec<bool>,
    sources: Sources,
    cwd: &'a Path,
    look: &'a Look,
}

impl Drawing<'_> {
    /// Rows from the top down. With a stack of its own, since call trees are deep.
    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut open = Vec::new();
        self.push_below(&mut open, &self.calls.roots, String::new());
        while let Some((frame, branch, below)) = open.pop() {
            let (last, import_frames) = self.skip_import(frame);
            rows.push(Row { frame, branch, import_frames });
            self.push_below(&mut open, &self.calls.frames[last].callees, below);
        }
        rows
    }

    /// Puts the chosen ones of `frames` on the stack, the first on top: each
    /// with its branch and with what stands before the frames below it.
    fn push_below(&self, open: &mut Vec<(usize, String, String)>, frames: &[usize], before: String) {
        let chosen: Vec<usize> = frames.iter().copied().filter(|&frame| self.chosen[frame]).collect();
        let single = chosen.len() == 1;
        for (number, &frame) in chosen.iter().enumerate().rev() {
            let last = number + 1 == chosen.len();
            let (branch, below) = match (single, last) {
                (true, _) => (before.clone(), before.clone()),
                (_, true) => (format!("{before}└ "), format!("{before}  ")),
                (_, false) => (format!("{before}├ "), format!("{before}│ ")),
            };
            open.push((frame, branch, below));
        }
    }

    /// The last of a chain of import frames that begins at `frame`, and how many they are.
    fn skip_import(&self, frame: usize) -> (usize, usize) {
        let (mut at, mut skipped) = (frame, 0);
        while self.calls.frames[at].site.is_import_machinery() {
            skipped += 1;
            let chosen: Vec<usize> =
                self.calls.frames[at].callees.iter().copied().filter(|&callee| self.chosen[callee]).collect();
            match chosen[..] {
                [only] if self.calls.frames[only].site.is_import_machinery() => at = only,
                _ => break,
            }
        }
        (at, skipped)
    }

    fn print(&self, out: &mut String, rows: &[Row]) {
        let names: Vec<String> = rows.iter().map(|row| self.name(row)).collect();
        let room = self.look.width.saturating_sub(20);
        let name_width = names.iter().map(|name| columns(name)).max().unwrap_or(0).min(room / 2);
        let places: Vec<String> = rows.iter().map(|row| self.place(row)).collect();
        let place_width = places.iter().map(|place| columns(place)).max().unwrap_or(0);
        let place_width = place_width.min(room.saturating_sub(name_width + 2));
        let source_width = room.saturating_sub(name_width + place_width + 4);
        for ((row, name), place) in rows.iter().zip(&names).zip(&places) {
            let frame = &self.calls.frames[row.frame];
            let part = share(frame.total.bytes, self.calls.total.bytes);
            let amount = self.look.bold(&right(&bytes(frame.total.bytes), 11));
            let front = format!("{amount}{}  ", right(&part, 6));
            let name = fill(&cut(name, name_width), name_width);
            let place = self.look.place(&fill(&cut(place, place_width), place_width));
            let source = if source_width >= 16 { self.sources.line(&frame.site) } else { String::new() };
            line(out, &format!("{front}{name}  {place}  {}", self.look.dim(&cut(&source, source_width))));
        }
    }

    fn place(&self, row: &Row) -> String {
        let site = &self.calls.frames[row.frame].site;
        if row.import_frames > 0 || site.is_outside_python() {
            return String::new();
        }
        printable(&file_and_line(site, self.cwd, (self.look.width * 3 / 10).clamp(20, 40)))
    }

    fn name(&self, row: &Row) -> String {
        let site = &self.calls.frames[row.frame].site;
        let name = match row.import_frames {
            0 if site.is_outside_python() => OUTSIDE.into(),
            0 => printable(&short_function(&site.function)),
            1 => IMPORT.into(),
            many => format!("{IMPORT} ({many} frames)"),
        };
        // Deep branches would push the names out of sight.
        let branch_width = columns(&row.branch);
        let branch = if branch_width > 24 {
            let tail: String = row.branch.chars().skip(branch_width - 22).collect();
            format!("… {tail}")
        } else {
            row.branch.clone()
        };
        format!("{branch}{name}")
    }
}
