//! The column of the stack: the frames of the thread that runs, outermost first, and their names.

use memsight_picture::{Event, Frame, FrameKind, Name, NameKind};

use super::moment::{Mark, Moment, Tags, Target, object_of};
use super::pane::Pane;
use super::text::{Ink, Line, amount, cut, escaped, fill, width};

/// Frames at the outer and at the inner end that are shown of a deep stack.
const OUTER: usize = 3;
const INNER: usize = 40;
/// Names of a frame at the most.
const NAMES: usize = 60;
/// Columns of a name at the most.
const NAME_COLUMNS: usize = 14;

/// The stack of a step in so many columns.
pub(super) fn pane(moment: &Moment<'_>, tags: &Tags, selected: Option<&Target>, columns: usize) -> Pane {
    let mut pane = Pane::new("stack", "");
    let stack = &moment.step.stack;
    if moment.trace.steps.iter().take(moment.index + 1).any(|step| step.thread > 0) {
        pane.title = format!("stack of thread {}", moment.step.thread);
    }
    for (index, frame) in stack.iter().enumerate() {
        let folds = stack.len() > OUTER + INNER + 1;
        if folds && (OUTER..stack.len() - INNER).contains(&index) {
            if index == OUTER {
                let more = amount((stack.len() - INNER - OUTER) as u64);
                pane.lines.push(Line::of(format!("  +{more} more calls"), Ink::Dim));
            }
            continue;
        }
        let from = pane.lines.len();
        frame_lines(&mut pane, moment, tags, frame, columns);
        if index + 1 == stack.len() {
            returned(&mut pane, moment, tags, columns);
            pane.focus = focus(&pane, from);
        }
    }
    ghosts(&mut pane, moment, columns);
    if let Some(at) =
        pane.lines.iter().position(|line| selected.is_some() && line.target.as_ref() == selected)
    {
        pane.focus = at..at + 1;
    }
    if pane.lines.is_empty() {
        pane.lines.push(Line::of("  no call is open", Ink::Dim));
    }
    pane
}

/// The innermost frame from its heading to the last name that this step touched.
fn focus(pane: &Pane, from: usize) -> std::ops::Range<usize> {
    let touched = |line: &Line| line.pieces.iter().any(|(_, ink)| matches!(ink, Ink::New | Ink::Changed));
    let last = pane.lines.iter().rposition(touched).filter(|at| *at >= from);
    from..last.unwrap_or(pane.lines.len().saturating_sub(1).max(from)) + 1
}

fn frame_lines(pane: &mut Pane, moment: &Moment<'_>, tags: &Tags, frame: &Frame, columns: usize) {
    let is_new = moment.previous.is_some() && moment.frame_before(frame.id).is_none();
    let mark = if is_new { Mark::New } else { Mark::Same };
    let kind = match frame.kind {
        FrameKind::Generator => " (generator)",
        FrameKind::Class => " (class body)",
        FrameKind::Function | FrameKind::Module => "",
    };
    let at = if frame.line > 0 { format!(" line {}", frame.line) } else { String::new() };
    let room = columns.saturating_sub(3 + width(&at) + 3);
    let title = cut(&format!("{}{kind}", escaped(&frame.function)), room);
    let rule = "─".repeat(columns.saturating_sub(3 + width(&title) + 1 + width(&at)));
    let ink = if is_new { Ink::New } else { Ink::Strong };
    pane.lines.push(
        Line::of(format!(" {} ", mark.sign()), ink)
            .and(title, ink)
            .and(format!(" {rule}"), Ink::Dim)
            .and(at, Ink::Dim),
    );
    let longest = frame.names.iter().take(NAMES).map(|name| width(&escaped(&name.name))).max().unwrap_or(0);
    let name_columns = longest.min(NAME_COLUMNS).min(columns / 2);
    for name in frame.names.iter().take(NAMES) {
        pane.lines.push(name_line(moment, tags, frame, name, name_columns, columns));
    }
    if frame.names.len() > NAMES {
        let more = amount((frame.names.len() - NAMES) as u64);
        pane.lines.push(Line::of(format!("   +{more} more names"), Ink::Dim));
    }
}

fn name_line(
    moment: &Moment<'_>,
    tags: &Tags,
    frame: &Frame,
    name: &Name,
    name_columns: usize,
    columns: usize,
) -> Line {
    let mark = moment.name_mark(frame, name);
    let ink = match mark {
        Mark::New => Ink::New,
        Mark::Changed => Ink::Changed,
        Mark::Same | Mark::Gone => Ink::Plain,
    };
    let ink = if name.kind == NameKind::Held && ink == Ink::Plain { Ink::Dim } else { ink };
    let label = fill(&cut(&escaped(&name.name), name_columns), name_columns);
    let (arrow, what) = moment.reference(tags, &name.to);
    let uninitialised = name.place.as_ref().is_some_and(|place| place.uninitialised);
    let what = if uninitialised { "░ uninitialised".to_owned() } else { what };
    let was = moment.frame_before(frame.id).and_then(|before| {
        let old = before.names.iter().find(|other| other.name == name.name)?;
        object_of(&old.to).filter(|_| mark == Mark::Changed && object_of(&name.to) != object_of(&old.to))
    });
    let was = was.map(|old| format!("  was {}", tags.of(old))).unwrap_or_default();
    let shared = if name.kind == NameKind::Cell { "  shared" } else { "" };
    let line =
        Line::of(format!(" {} ", mark.sign()), ink).and(format!("{label} "), ink).and(arrow, Ink::Strong);
    let room = columns.saturating_sub(line.width() + 1 + width(&was) + width(shared));
    line.and(format!(" {}", cut(&what, room)), Ink::Plain)
        .and(was, Ink::Dim)
        .and(shared, Ink::Dim)
        .selects(Target::Name { frame: frame.id, name: name.name.clone() })
}

/// What is about to be returned, yielded or raised.
fn returned(pane: &mut Pane, moment: &Moment<'_>, tags: &Tags, columns: usize) {
    let word = match moment.step.event {
        Event::Return if moment.step.yields => "yields",
        Event::Return => "returns",
        Event::Exception => "raises",
        Event::Call | Event::Line | Event::End => return,
    };
    let Some(value) = &moment.step.value else { return };
    let (arrow, what) = moment.reference(tags, value);
    let line = Line::of(format!("   {word} "), Ink::Changed).and(arrow, Ink::Strong);
    let room = columns.saturating_sub(line.width() + 1);
    pane.lines.push(line.and(format!(" {}", cut(&what, room)), Ink::Plain));
}

/// Frames that were there a step ago: shown once more as what is gone.
fn ghosts(pane: &mut Pane, moment: &Moment<'_>, columns: usize) {
    let Some(previous) = moment.previous.filter(|previous| previous.thread == moment.step.thread) else {
        return;
    };
    let gone = previous
        .stack
        .iter()
        .filter(|old| moment.step.stack.iter().all(|frame| frame.id != old.id))
        .take(INNER);
    for frame in gone {
        let word = if previous.yields { "paused" } else { "left" };
        let title = cut(&escaped(&frame.function), columns.saturating_sub(4 + word.len()));
        let line = Line::of(" x ", Ink::Strong).and(title, Ink::Gone);
        pane.lines.push(line.and(format!(" {word}"), Ink::Dim));
    }
}
