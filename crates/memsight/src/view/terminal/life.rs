//! What happened to what is selected, an event a line.

use memsight_picture::{Life, ObjectId, Ref, Trace, What};

use super::moment::{Moment, Tags, held_by, object_of};
use super::pane::Pane;
use super::text::{Ink, Line, cut, escaped, right};

/// Events of a variable at the most.
const EVENTS: usize = 500;

/// An object's life, from its birth on. What is to come is dim.
pub(super) fn of_object(
    moment: &Moment<'_>,
    tags: &Tags,
    id: ObjectId,
    life: &[Life],
    columns: usize,
) -> Pane {
    let of_type =
        moment.object(id).map(|object| format!(" {}", escaped(&object.of_type))).unwrap_or_default();
    let mut pane = Pane::new(&format!("the life of {}{of_type}", tags.of(id)), "");
    for event in life {
        let text = escaped(&event.text);
        let words = match event.what {
            What::Born => "+ born".to_owned(),
            What::Died if text.is_empty() || text == "freed" => "x freed".to_owned(),
            What::Died => format!("x died: {text}"),
            What::Left if text.is_empty() => "  leaves the picture".to_owned(),
            What::Left => format!("  leaves the picture: {text}"),
            What::Gained => format!("+ {text} refers to it"),
            What::Lost => format!("- {text} refers to it no more"),
            What::Count => format!("~ reference count {text}"),
            What::Value => format!("~ {text}"),
            What::Standing => format!("~ {text}"),
            What::More => "  and so on".to_owned(),
        };
        pane.lines.push(line(moment, event.step, &words, columns));
    }
    finished(pane, moment, |at| life[at].step)
}

/// What a variable held, from its first value on.
pub(super) fn of_name(moment: &Moment<'_>, tags: &Tags, frame: u32, name: &str, columns: usize) -> Pane {
    let mut pane = Pane::new(&format!("the values of {}", escaped(name)), "");
    let mut steps = Vec::new();
    let mut held: Option<&Ref> = None;
    for (index, step) in moment.trace.steps.iter().enumerate() {
        let now = held_by(step, frame, name);
        if now == held {
            continue;
        }
        if steps.len() == EVENTS {
            pane.lines.push(Line::of("  and so on", Ink::Dim));
            steps.push(index);
            break;
        }
        let words = match now {
            None => "x gone".to_owned(),
            Some(Ref::Value(value)) => format!("= {}", escaped(value)),
            Some(to) => format!("→ {}", object_of(to).map_or("?", |id| tags.of(id))),
        };
        pane.lines.push(line(moment, index, &words, columns));
        steps.push(index);
        held = now;
    }
    finished(pane, moment, |at| steps[at])
}

fn line(moment: &Moment<'_>, step: usize, words: &str, columns: usize) -> Line {
    let number = right(&(step + 1).to_string(), moment.trace.steps.len().to_string().len());
    let sign = if step == moment.index { "▶" } else { " " };
    let at = code_line(moment.trace, step);
    let ink = match step.cmp(&moment.index) {
        std::cmp::Ordering::Less => Ink::Plain,
        std::cmp::Ordering::Equal => Ink::Strong,
        std::cmp::Ordering::Greater => Ink::Dim,
    };
    Line::of(cut(&format!(" {sign} step {number}  {at}{words}"), columns), ink)
}

/// The line that had just run when a step was taken: what changed was its doing.
fn code_line(trace: &Trace, step: usize) -> String {
    let ran =
        step.checked_sub(1).and_then(|earlier| trace.steps.get(earlier)).map_or(0, |earlier| earlier.line);
    let widest =
        trace.sources.first().map_or(0, |source| source.text.lines().count()).to_string().len().max(2);
    match ran {
        0 => " ".repeat("line ".len() + widest + 2),
        ran => format!("line {}  ", right(&ran.to_string(), widest)),
    }
}

fn finished(mut pane: Pane, moment: &Moment<'_>, step: impl Fn(usize) -> usize) -> Pane {
    if pane.lines.is_empty() {
        pane.lines.push(Line::of("   nothing is known of it", Ink::Dim));
        return pane;
    }
    let count = pane.lines.len();
    let last = (0..count).rev().find(|&at| step(at) <= moment.index).unwrap_or(0);
    let first = (0..=last).find(|&at| step(at) == step(last)).unwrap_or(last);
    pane.focus = first..last + 1;
    pane
}
