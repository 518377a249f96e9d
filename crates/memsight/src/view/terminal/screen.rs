//! The terminal itself: it is taken, listened to, and given back whatever happens.

use std::io::{self, Stdout};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::app::{App, Flow};
use super::draw::draw;
use crate::exit::Exit;
use crate::sys;

/// How long a signal may wait to be seen.
const TICK: Duration = Duration::from_millis(100);

/// Whether the terminal is ours. It is given back once: leaving the screen a second time would put
/// the cursor back over what was said since.
static TAKEN: AtomicBool = AtomicBool::new(false);

type Hook = Arc<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync>;

/// The terminal is ours while this lives.
struct Taken {
    before: Hook,
}

impl Taken {
    fn take() -> io::Result<Self> {
        let before: Hook = Arc::from(panic::take_hook());
        let then = before.clone();
        // A panic aborts and nothing is dropped, so the hook gives the terminal back.
        panic::set_hook(Box::new(move |info| {
            give_back();
            then(info);
        }));
        let taken = Taken { before };
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen)?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
        // A thread that panics may not change the hook, and needs none any more.
        if !thread::panicking() {
            let before = self.before.clone();
            panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// Where even this fails there is no terminal left to put in order.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Shows the steps until the reader has enough of them.
pub(super) fn run(app: &mut App<'_>, color: bool) -> Result<Exit> {
    with_terminal(|| listen(app, color))
}

/// Does something while the terminal is ours.
pub(super) fn with_terminal(act: impl FnOnce() -> io::Result<Exit>) -> Result<Exit> {
    sys::note_ends();
    let taken = Taken::take().context("the terminal cannot be used; without --terminal a page is written")?;
    let result = act();
    drop(taken);
    result.context("the terminal was lost")
}

fn listen(app: &mut App<'_>, color: bool) -> io::Result<Exit> {
    let mut terminal: Terminal<CrosstermBackend<Stdout>> =
        Terminal::new(CrosstermBackend::new(io::stdout()))?;
    loop {
        terminal.draw(|frame| draw(frame, app, color))?;
        // Drawn anew only after something came.
        loop {
            if let Some(signal) = sys::asked_to_end() {
                return Ok(Exit::Signal(signal));
            }
            match event::poll(TICK) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => match app.key(key) {
                Flow::On => {}
                Flow::Quit => return Ok(Exit::Fine),
                Flow::Interrupted => return Ok(Exit::Signal(libc::SIGINT)),
            },
            _ => {}
        }
    }
}
