//! The columns on the screen: where each stands at this width, and what stands around them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};

use super::app::{App, Below, Mode};
use super::help;
use super::look::{linked, selected, style};
use super::moment::{Moment, Target};
use super::pane::Pane;
use super::text::{Ink, Line, amount, cut, escaped, fill, folded, width};
use super::{code, heap, life, output, plain, stack};

/// From so many columns on there are three side by side, and two.
const THREE: u16 = 96;
const TWO: u16 = 56;
/// Below this nothing can be read.
const SMALLEST: (u16, u16) = (30, 10);
/// Rows of the sentence.
const SENTENCE: u16 = 2;

const HINTS: [&str; 8] =
    ["? help", "q quit", "← → step", "↑ ↓ select", "Enter life", "j next change", "/ search", "d predict"];

/// Draws the step at which the reader is.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App<'_>, color: bool) {
    let area = frame.area();
    let (columns, rows) = SMALLEST;
    if area.width < columns || area.height < rows {
        let text = format!("too small: {columns} × {rows} is the least");
        frame.render_widget(
            Row::raw(cut(&text, area.width.into())),
            Rect { height: area.height.min(1), ..area },
        );
        return;
    }
    let Some(moment) = app.moment() else { return };
    let mut screen = Screen { frame, color };
    let (top, rest) = cut_off(area, 1);
    let foot = 1 + SENTENCE + 1;
    let (body, rest) = cut_off(rest, rest.height.saturating_sub(foot));
    screen.row(top, title(app, area.width.into()), Style::new());
    if app.mode == Mode::Help {
        let pane = help::pane(body.width.into());
        screen.pane(body, &pane, &mut 0, None, None);
        screen.rule(Rect { height: 1, ..rest }, &[]);
    } else {
        let below = if app.below == Below::Nothing { 0 } else { body.height * 2 / 5 };
        let (body, under) = cut_off(body, body.height - below);
        let separators = screen.columns(body, app, &moment);
        if below > 0 {
            let (rule, under) = cut_off(under, 1);
            screen.rule(rule, &separators);
            let pane = below_pane(app, &moment, under.width.into());
            screen.pane(under, &pane, &mut 0, None, None);
            screen.rule(Rect { height: 1, ..rest }, &[]);
        } else {
            screen.rule(Rect { height: 1, ..rest }, &separators);
        }
    }
    let (sentence, foot) = cut_off(cut_off(rest, 1).1, SENTENCE);
    for (index, line) in sentence_lines(app, &moment, sentence.width.into()).into_iter().enumerate() {
        screen.row(line_of(sentence, index), line, Style::new());
    }
    screen.row(foot, footer(app, foot.width.into()), Style::new());
}

/// A rectangle's first rows, and the rest.
fn cut_off(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

fn line_of(area: Rect, index: usize) -> Rect {
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    match index < area.height {
        true => Rect { y: area.y + index, height: 1, ..area },
        false => Rect { height: 0, ..area },
    }
}

/// The file, which step of how many, and where that is.
fn title(app: &App<'_>, columns: usize) -> Line {
    let path = app.trace.sources.first().map(|source| escaped(&source.path)).unwrap_or_default();
    let count = app.trace.steps.len();
    let step = format!("  step {} of {}  ", amount(app.index as u64 + 1), amount(count as u64));
    let score = match app.predicting {
        Some((right, of)) => format!("  predict {right} of {of} right"),
        None if app.index + 1 == count => format!("  {}", cut(&escaped(&app.trace.ending), columns / 3)),
        None => format!("  {}", cut(&escaped(&app.trace.made_by), columns / 3)),
    };
    let room = columns.saturating_sub(1 + width(&step) + width(&score) + 1);
    let path = cut(&path, room.saturating_sub(12).max(8));
    let bar = room.saturating_sub(width(&path)).min(60);
    let before = (bar.saturating_sub(1) * app.index).checked_div(count - 1).unwrap_or(0);
    let after = bar.saturating_sub(before + 1);
    let mark = if bar > 0 { "●" } else { "" };
    Line::of(format!(" {path}"), Ink::Strong)
        .and(step, Ink::Strong)
        .and(format!("{}{mark}", "━".repeat(before)), Ink::Strong)
        .and("─".repeat(after), Ink::Dim)
        .and(score, Ink::Plain)
}

fn below_pane(app: &App<'_>, moment: &Moment<'_>, columns: usize) -> Pane {
    if app.below == Below::Output {
        return output::pane(app.trace, app.index, columns);
    }
    // Who predicts must not read ahead.
    let known = |id| {
        let life = app.life(id);
        match app.predicting {
            Some(_) => &life[..life.partition_point(|event| event.step <= app.index)],
            None => life,
        }
    };
    match &app.selected {
        Some(Target::Object(id)) => life::of_object(moment, &app.tags, *id, known(*id), columns),
        Some(Target::Name { frame, name }) => match moment.named(*frame, name) {
            Some(id) => life::of_object(moment, &app.tags, id, known(id), columns),
            None => life::of_name(moment, &app.tags, *frame, name, columns),
        },
        None => Pane::new("nothing is selected", ""),
    }
}

/// What happened; on the last step also why there are no more, and what is not known.
fn sentence_lines(app: &App<'_>, moment: &Moment<'_>, columns: usize) -> Vec<Line> {
    let mut text = plain::sentence(moment.step);
    if app.index + 1 == app.trace.steps.len() {
        for more in app.trace.truncated.iter().chain(&app.trace.notes) {
            text = format!("{text} {}", escaped(more));
        }
    }
    let mut parts = folded(text.trim_start(), columns.saturating_sub(2));
    let most = usize::from(SENTENCE);
    if parts.len() > most {
        parts.truncate(most);
        if let Some(last) = parts.last_mut() {
            *last = cut(&format!("{last} …"), columns.saturating_sub(2));
        }
    }
    parts.into_iter().map(|part| Line::of(format!(" {part}"), Ink::Strong)).collect()
}

fn footer(app: &App<'_>, columns: usize) -> Line {
    let text = match &app.mode {
        Mode::Help => "any key goes back".to_owned(),
        Mode::Search(text) => format!("line, name or function: {}▏", escaped(text)),
        Mode::Predict(question) => {
            format!("{} {}▏", cut(&question.words(), columns.saturating_sub(14)), question.typed)
        }
        Mode::Steps => escaped(&app.note),
    };
    if !text.is_empty() {
        return Line::of(format!(" {}", cut(&text, columns.saturating_sub(2))), Ink::Changed);
    }
    let mut hints = String::new();
    for hint in HINTS {
        if 1 + width(&hints) + 3 + width(hint) <= columns {
            hints.push_str(if hints.is_empty() { "" } else { "   " });
            hints.push_str(hint);
        }
    }
    Line::of(format!(" {hints}"), Ink::Dim)
}

/// The frame with what the drawing of everything needs.
struct Screen<'a, 'f> {
    frame: &'a mut Frame<'f>,
    color: bool,
}

impl Screen<'_, '_> {
    fn row(&mut self, area: Rect, line: Line, over: Style) {
        if area.height == 0 {
            return;
        }
        let spans: Vec<Span<'_>> = line
            .pieces
            .into_iter()
            .map(|(text, ink)| Span::styled(text, style(ink, self.color).patch(over)))
            .collect();
        self.frame.render_widget(Row::from(spans), Rect { height: 1, ..area });
    }

    /// A rule; separators of columns above end in it.
    fn rule(&mut self, area: Rect, separators: &[u16]) {
        let text = (0..area.width).map(|x| if separators.contains(&x) { '┴' } else { '─' });
        self.row(area, Line::of(text.collect::<String>(), Ink::Dim), Style::new());
    }

    /// The three columns. Where separators end at the bottom.
    fn columns(&mut self, area: Rect, app: &mut App<'_>, moment: &Moment<'_>) -> Vec<u16> {
        let areas = layout(area, moment);
        let chosen = app.selected.clone();
        let link = match &chosen {
            Some(Target::Name { frame, name }) => moment.named(*frame, name),
            Some(Target::Object(id)) => Some(*id),
            None => None,
        };
        // What shows the link is the other column.
        let leads = |target: &Target| match target {
            Target::Name { frame, name } => link.is_some() && moment.named(*frame, name) == link,
            Target::Object(id) => Some(*id) == link,
        };
        let panes = [
            code::pane(moment, areas.panes[0].width.into()),
            stack::pane(moment, &app.tags, chosen.as_ref(), areas.panes[1].width.into()),
            heap::pane(moment, &app.tags, seen(chosen.as_ref(), link).as_ref(), areas.panes[2].width.into()),
        ];
        for (index, (pane, &area)) in panes.iter().zip(&areas.panes).enumerate() {
            self.pane(area, pane, &mut app.tops[index], chosen.as_ref(), Some(&leads));
        }
        for &area in &areas.separators {
            for y in 0..area.height {
                let row = line_of(area, y.into());
                self.row(row, Line::of("│", Ink::Dim), Style::new());
            }
        }
        if let Some(rule) = areas.rule {
            let ends: Vec<u16> = areas.separators.iter().map(|area| area.x).collect();
            self.rule(rule, &ends);
            return Vec::new();
        }
        areas.separators.iter().map(|area| area.x).collect()
    }

    /// A column with its heading, scrolled so that what must be seen is.
    fn pane(
        &mut self,
        area: Rect,
        pane: &Pane,
        top: &mut usize,
        chosen: Option<&Target>,
        leads: Option<&dyn Fn(&Target) -> bool>,
    ) {
        let (head, body) = cut_off(area, 1);
        let columns = usize::from(area.width);
        let rows = usize::from(body.height);
        *top = pane.top(*top, rows);
        self.row(head, heading(pane, *top, rows, columns), Style::new());
        for (index, line) in pane.lines.iter().skip(*top).take(rows).enumerate() {
            let row = line_of(body, index);
            let line = line.clone();
            match &line.target {
                Some(target) if Some(target) == chosen => {
                    let mut line = line.up_to(columns);
                    if let Some((text, _)) = line.pieces.first_mut().filter(|(text, _)| text.starts_with(' '))
                    {
                        text.replace_range(..1, "❯");
                    }
                    self.row(row, line, selected());
                }
                Some(target) if leads.is_some_and(|leads| leads(target)) => self.row(row, line, linked()),
                _ => self.row(row, line, Style::new()),
            }
        }
    }
}

/// What the column of the heap must show: the selected object, or that to which the selected name leads.
fn seen(chosen: Option<&Target>, link: Option<memsight_picture::ObjectId>) -> Option<Target> {
    link.map(Target::Object).or_else(|| chosen.cloned())
}

/// A column's heading, with how many lines are above and below what is seen.
fn heading(pane: &Pane, top: usize, rows: usize, columns: usize) -> Line {
    let below = pane.lines.len().saturating_sub(top + rows) as u64;
    let mut hidden = String::new();
    if top > 0 {
        hidden.push_str(&format!("  ↑{}", amount(top as u64)));
    }
    if below > 0 {
        hidden.push_str(&format!("  ↓{}", amount(below)));
    }
    let room = columns.saturating_sub(width(&pane.head) + 1);
    let left = cut(&pane.title, room.saturating_sub(width(&hidden) + 1));
    let left = cut(&format!(" {left}{hidden}"), room);
    Line::of(fill(&left, columns.saturating_sub(width(&pane.head))), Ink::Strong)
        .and(pane.head.clone(), Ink::Dim)
}

/// Where code, stack and heap stand, and what is between them.
struct Areas {
    panes: [Rect; 3],
    separators: Vec<Rect>,
    rule: Option<Rect>,
}

fn layout(area: Rect, moment: &Moment<'_>) -> Areas {
    if area.width >= THREE {
        // The heap needs most, and code no more than its longest line.
        let longest = longest_line(moment);
        let code = (area.width * 30 / 100).min(longest.max(24));
        let stack = area.width * 27 / 100;
        let (code_area, rest) = beside(area, code);
        let (first, rest) = beside(rest, 1);
        let (stack_area, rest) = beside(rest, stack);
        let (second, heap_area) = beside(rest, 1);
        return Areas {
            panes: [code_area, stack_area, heap_area],
            separators: vec![first, second],
            rule: None,
        };
    }
    if area.width >= TWO {
        let (top, rest) = cut_off(area, area.height * 2 / 5);
        let (rule, heap_area) = cut_off(rest, 1);
        let code = (area.width * 55 / 100).min(longest_line(moment).max(30));
        let (code_area, rest) = beside(top, code);
        let (between, stack_area) = beside(rest, 1);
        return Areas {
            panes: [code_area, stack_area, heap_area],
            separators: vec![between],
            rule: Some(rule),
        };
    }
    let (code_area, rest) = cut_off(area, area.height / 4);
    let (stack_area, heap_area) = cut_off(rest, area.height / 3);
    Areas { panes: [code_area, stack_area, heap_area], separators: Vec::new(), rule: None }
}

/// Columns that the code takes where nothing is cut.
fn longest_line(moment: &Moment<'_>) -> u16 {
    const FAR: usize = 200;
    let source = moment.trace.sources.get(moment.step.source.0 as usize);
    let lines = source.map(|source| source.text.lines()).into_iter().flatten();
    let longest = lines.map(|line| line.len().min(FAR)).max().unwrap_or(0);
    u16::try_from(longest + 8).unwrap_or(u16::MAX)
}

/// A rectangle's first columns, and the rest.
fn beside(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    (Rect { width: columns, ..area }, Rect { x: area.x + columns, width: area.width - columns, ..area })
}
