//! Where the reader is and what each key does. Nothing is drawn or read here.

use std::collections::BTreeMap;

use memsight_picture::{Language, Life, ObjectId, States, Trace, lives};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::moment::{Moment, Tags, Target, object_of};
use super::predict::Question;
use super::{heap, jump, stack};

/// Steps that PgUp and PgDn take.
const PAGE: usize = 10;
/// Columns that are assumed where only the order of lines matters.
const ANY_COLUMNS: usize = 40;
/// Characters of a search at the most.
const SEARCH: usize = 80;

/// The keys, in the order in which the help shows them.
pub(super) const KEYS: [(&str, &str); 14] = [
    ("→ l n", "the next step"),
    ("← h p", "the step before"),
    ("PgDn PgUp", "ten steps"),
    ("Home End", "the first and the last step"),
    ("↓ ↑", "select a name or an object"),
    ("Tab", "follow the arrow: from a name to its object and back"),
    ("Enter", "the life of what is selected: born, referred to, freed"),
    ("j J", "to the next change of what is selected, and to the one before"),
    ("/", "search a line by its number, a name or a function; again with nothing"),
    ("o", "what the program wrote"),
    ("d", "predict: the next reference count is asked before it is shown"),
    ("Esc", "close what is open, select nothing"),
    ("?", "this help"),
    ("q", "quit"),
];

/// What is open below the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    Nothing,
    Life,
    Output,
}

/// What the keys go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Steps,
    Help,
    Search(String),
    Predict(Question),
}

/// Whether to go on after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Quit,
    Interrupted,
}

/// The reader's place in a trace.
pub(super) struct App<'t> {
    pub(super) trace: &'t Trace,
    states: States<'t>,
    pub(super) tags: Tags,
    lives: Option<BTreeMap<ObjectId, Vec<Life>>>,
    /// The step that is shown.
    pub(super) index: usize,
    pub(super) selected: Option<Target>,
    pub(super) below: Below,
    pub(super) mode: Mode,
    /// What the last key led to, in words.
    pub(super) note: String,
    /// Whether counts are asked, and how many answers were right of how many.
    pub(super) predicting: Option<(u32, u32)>,
    last_search: String,
    /// The first line shown of each column.
    pub(super) tops: [usize; 3],
}

impl<'t> App<'t> {
    /// At the first step of a trace that has one.
    pub(super) fn new(trace: &'t Trace) -> Self {
        App {
            trace,
            states: States::new(trace),
            tags: Tags::new(trace),
            lives: None,
            index: 0,
            selected: None,
            below: Below::Nothing,
            mode: Mode::Steps,
            note: String::new(),
            predicting: None,
            last_search: String::new(),
            tops: [0; 3],
        }
    }

    /// The step that is shown, put together.
    pub(super) fn moment(&self) -> Option<Moment<'t>> {
        Moment::new(self.trace, &self.states, self.index)
    }

    /// What happened to an object, if its life was asked for.
    pub(super) fn life(&self, id: ObjectId) -> &[Life] {
        self.lives.as_ref().and_then(|lives| lives.get(&id)).map_or(&[], Vec::as_slice)
    }

    /// Does what a key asks for.
    pub(super) fn key(&mut self, key: KeyEvent) -> Flow {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Flow::Interrupted,
                _ => Flow::On,
            };
        }
        self.note.clear();
        match std::mem::replace(&mut self.mode, Mode::Steps) {
            Mode::Help => Flow::On,
            Mode::Search(text) => self.search_key(text, key.code),
            Mode::Predict(question) => self.predict_key(question, key.code),
            Mode::Steps => self.step_key(key.code),
        }
    }

    fn step_key(&mut self, code: KeyCode) -> Flow {
        match code {
            KeyCode::Right | KeyCode::Char('l' | 'n' | ' ') => self.forward(),
            KeyCode::Left | KeyCode::Char('h' | 'p') => self.go(self.index.saturating_sub(1)),
            KeyCode::PageDown => self.go(self.index.saturating_add(PAGE)),
            KeyCode::PageUp => self.go(self.index.saturating_sub(PAGE)),
            KeyCode::Home => self.go(0),
            KeyCode::End => self.go(usize::MAX),
            KeyCode::Down => self.select(true),
            KeyCode::Up => self.select(false),
            KeyCode::Tab => self.follow(),
            KeyCode::Enter => self.show_life(),
            KeyCode::Char('j') => self.jump(true),
            KeyCode::Char('J') => self.jump(false),
            KeyCode::Char('/') => self.mode = Mode::Search(String::new()),
            KeyCode::Char('o') => {
                self.below = if self.below == Below::Output { Below::Nothing } else { Below::Output };
            }
            KeyCode::Char('d') => self.toggle_predict(),
            KeyCode::Char('?') => self.mode = Mode::Help,
            KeyCode::Esc if self.below != Below::Nothing => self.below = Below::Nothing,
            KeyCode::Esc => self.selected = None,
            KeyCode::Char('q') => return Flow::Quit,
            _ => {}
        }
        Flow::On
    }

    fn last(&self) -> usize {
        self.trace.steps.len().saturating_sub(1)
    }

    fn go(&mut self, index: usize) {
        let to = index.min(self.last());
        if to == self.index {
            self.note = if to == 0 { "This is the first step." } else { "This is the last step." }.to_owned();
        }
        self.index = to;
    }

    fn forward(&mut self) {
        if self.predicting.is_some() {
            let next = Moment::new(self.trace, &self.states, self.index + 1);
            let selected = self.selected.as_ref();
            if let Some(question) = next.and_then(|next| Question::about(&next, &self.tags, selected)) {
                self.mode = Mode::Predict(question);
                return;
            }
        }
        self.go(self.index + 1);
    }

    fn toggle_predict(&mut self) {
        if self.trace.language == Language::C {
            self.note = "C counts no references: there is nothing to predict.".to_owned();
            return;
        }
        let (text, predicting) = match self.predicting {
            None => {
                ("Predict mode: the next step asks for a reference count before it is shown.", Some((0, 0)))
            }
            Some(_) => ("Predict mode is off.", None),
        };
        self.note = text.to_owned();
        self.predicting = predicting;
    }

    fn predict_key(&mut self, mut question: Question, code: KeyCode) -> Flow {
        match code {
            KeyCode::Char('q') => return Flow::Quit,
            KeyCode::Esc => {
                self.go(self.index + 1);
                self.note = "Not answered.".to_owned();
                return Flow::On;
            }
            KeyCode::Left => return Flow::On,
            KeyCode::Enter => {
                if let Some((right, words)) = question.answer() {
                    self.go(self.index + 1);
                    self.predicting = self.predicting.map(|(rights, of)| (rights + u32::from(right), of + 1));
                    self.note = words;
                    return Flow::On;
                }
            }
            KeyCode::Backspace => _ = question.typed.pop(),
            KeyCode::Char(c) => question.digit(c),
            _ => {}
        }
        self.mode = Mode::Predict(question);
        Flow::On
    }

    fn search_key(&mut self, mut text: String, code: KeyCode) -> Flow {
        match code {
            KeyCode::Esc => return Flow::On,
            KeyCode::Enter => {
                if !text.trim().is_empty() {
                    self.last_search = text.trim().to_owned();
                }
                self.search();
                return Flow::On;
            }
            KeyCode::Backspace if text.is_empty() => return Flow::On,
            KeyCode::Backspace => _ = text.pop(),
            KeyCode::Char(c) if text.len() < SEARCH => text.push(c),
            _ => {}
        }
        self.mode = Mode::Search(text);
        Flow::On
    }

    fn search(&mut self) {
        let text = &self.last_search;
        if text.is_empty() {
            return;
        }
        let Some(found) = jump::search(self.trace, text, self.index) else {
            self.note = match text.parse::<u32>() {
                Ok(line) => format!("No step is at line {line}."),
                Err(_) => format!("In no step does a name {text} change or a function {text} begin."),
            };
            return;
        };
        if found.step == self.index {
            self.note = format!("Nowhere else: {text} is only here.");
        } else if found.step < self.index {
            self.note = "Searched on from the first step.".to_owned();
        }
        self.index = found.step;
        if found.target.is_some() {
            self.selected = found.target;
        }
    }

    fn jump(&mut self, forward: bool) {
        let Some(target) = &self.selected else {
            self.note = "Select a name or an object first, with ↑ or ↓.".to_owned();
            return;
        };
        match jump::change(self.trace, target, self.index, forward) {
            Some(step) => self.index = step,
            None => {
                let when = if forward { "after" } else { "before" };
                self.note = format!("What is selected does not change {when} this step.");
            }
        }
    }

    /// What can be selected, names first, each in the order in which it is shown.
    fn targets(&self) -> Vec<Target> {
        let Some(moment) = self.moment() else { return Vec::new() };
        let selected = self.selected.as_ref();
        let names = stack::pane(&moment, &self.tags, selected, ANY_COLUMNS);
        let objects = heap::pane(&moment, &self.tags, selected, ANY_COLUMNS);
        names.lines.into_iter().chain(objects.lines).filter_map(|line| line.target).collect()
    }

    fn select(&mut self, down: bool) {
        let targets = self.targets();
        let at = self.selected.as_ref().and_then(|selected| targets.iter().position(|it| it == selected));
        let to = match (at, down) {
            (None, true) => 0,
            (None, false) => targets.len().saturating_sub(1),
            (Some(at), true) => (at + 1).min(targets.len().saturating_sub(1)),
            (Some(at), false) => at.saturating_sub(1),
        };
        match targets.get(to) {
            Some(target) => self.selected = Some(target.clone()),
            None => self.note = "Here is nothing to select.".to_owned(),
        }
    }

    fn follow(&mut self) {
        let Some(moment) = self.moment() else { return };
        let to = match &self.selected {
            None => None,
            Some(Target::Name { frame, name }) => moment.named(*frame, name).map(Target::Object),
            Some(Target::Object(id)) => leads_to(&moment, *id),
        };
        match to {
            Some(target) => self.selected = Some(target),
            None if self.selected.is_none() => self.select(true),
            None => self.note = "No arrow leads on from here.".to_owned(),
        }
    }

    fn show_life(&mut self) {
        if self.below == Below::Life {
            self.below = Below::Nothing;
            return;
        }
        if self.selected.is_none() {
            self.note = "Select a name or an object first, with ↑ or ↓.".to_owned();
            return;
        }
        let trace = self.trace;
        self.lives.get_or_insert_with(|| lives(trace));
        self.below = Below::Life;
    }
}

/// What refers to an object: the innermost name, else the first object.
fn leads_to(moment: &Moment<'_>, id: ObjectId) -> Option<Target> {
    let names =
        moment.step.stack.iter().rev().flat_map(|frame| frame.names.iter().map(move |name| (frame, name)));
    let name = names.into_iter().find(|(_, name)| object_of(&name.to) == Some(id));
    if let Some((frame, name)) = name {
        return Some(Target::Name { frame: frame.id, name: name.name.clone() });
    }
    let holder = moment
        .now
        .values()
        .find(|holder| holder.id != id && holder.items.iter().any(|(_, to)| object_of(to) == Some(id)))?;
    Some(Target::Object(holder.id))
}
