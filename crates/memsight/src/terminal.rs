//! Where text goes: its width and colours, and progress on long reads.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use memsight_insight::{Error, Program};
use memsight_report::text::Look;

use crate::sys;

const NARROWEST: usize = 60;
const WIDEST: usize = 140;

/// The look of text on stdout.
pub(crate) fn stdout_look() -> Look {
    look(&std::io::stdout())
}

/// The look of text on stderr.
pub(crate) fn stderr_look() -> Look {
    look(&std::io::stderr())
}

/// Whether somebody watches stderr.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

fn look(stream: &(impl IsTerminal + AsRawFd)) -> Look {
    if !stream.is_terminal() {
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = columns.unwrap_or(Look::default().width);
        return Look { width: width.clamp(NARROWEST, WIDEST), color: false };
    }
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let width = sys::terminal_columns(stream.as_raw_fd()).unwrap_or(Look::default().width);
    Look { width: width.clamp(NARROWEST, WIDEST), color: !dumb && !set("NO_COLOR") }
}

/// Writes a line to stderr. Where that is closed there is nobody to tell.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes data to stdout, where a closed pipe is no error worth words.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("stdout cannot be written"))
        }
        _ => Ok(()),
    }
}

/// Says what is being done, in one line that the next replaces; where there is no terminal, in a line each.
pub(crate) fn progress(doing: &str) {
    let _ = if std::io::stderr().is_terminal() {
        let doing: String = doing.chars().take(stderr_look().width - 1).collect();
        write!(std::io::stderr(), "\r\x1b[K{doing}")
    } else {
        writeln!(std::io::stderr(), "{doing}")
    };
}

/// Takes the line of [`progress`] away.
pub(crate) fn clear_progress() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

/// Loads a run; after a second, says on a terminal how far it is.
pub(crate) fn load(path: &Path) -> Result<Program, Error> {
    let quiet = !std::io::stderr().is_terminal();
    let began = Instant::now();
    let said = Cell::new(None::<Instant>);
    let progress = |path: &Path, done: u64, len: u64| {
        let due = match said.get() {
            None => began.elapsed() > Duration::from_secs(1),
            Some(last) => last.elapsed() > Duration::from_millis(100),
        };
        if quiet || !due {
            return;
        }
        said.set(Some(Instant::now()));
        let percent = done.saturating_mul(100) / len.max(1);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let _ = write!(std::io::stderr(), "\r\x1b[Kreading {name}  {}%", percent.min(100));
    };
    let program = Program::load(path, &progress);
    if said.get().is_some() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    program
}
