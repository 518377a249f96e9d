//! A trace in the terminal.
//!
//! | module   | what it does                                             |
//! |----------|----------------------------------------------------------|
//! | `screen` | takes the terminal, listens, gives it back               |
//! | `draw`   | where the columns stand, and what is around them         |
//! | `look`   | bold, dim, coloured                                      |
//! | `app`    | where the reader is, and what each key does              |
//! | `jump`   | the next change, a line, a name                          |
//! | `predict` | asks for the next reference count                       |
//! | `code`, `stack`, `heap` | the three columns as lines                |
//! | `life`, `output`, `help` | what else can be seen as lines           |
//! | `pane`   | a column and what of it must be seen                     |
//! | `moment` | a step, the step before it, and what differs             |
//! | `text`   | text that is safe to show                                |
//! | `plain`  | the steps as plain text                                  |

use std::io::IsTerminal;

use anyhow::Result;
use memsight_picture::Trace;

use crate::exit::Exit;
use crate::terminal;

mod app;
mod code;
mod draw;
mod heap;
mod help;
mod jump;
mod life;
mod look;
mod moment;
mod output;
mod pane;
mod plain;
mod predict;
mod screen;
mod stack;
mod text;

/// Shows the steps one by one; where no terminal is to show them on, prints them as text.
pub(super) fn show(trace: &Trace) -> Result<Exit> {
    let look = terminal::stdout_look();
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if trace.steps.is_empty() || dumb || !std::io::stdout().is_terminal() {
        terminal::print(&plain::listing(trace, look.width))?;
        return Ok(Exit::Fine);
    }
    screen::run(&mut app::App::new(trace), look.color)
}

#[cfg(test)]
mod tests;
