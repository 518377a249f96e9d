//! Exit codes, decided here and nowhere else.
//!
//! | code | when                                                                    |
//! |------|-------------------------------------------------------------------------|
//! | 0    | fine                                                                    |
//! | 1    | a budget exceeded, an increase that was not to be, findings, a fix that  |
//! |      | changed what the program does                                           |
//! | 2    | wrong usage, or memsight itself could not do it                         |
//! | own  | `run`: the program's own code or signal, unless its budget was exceeded |

use crate::sys;
use crate::terminal::say;

/// How memsight ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done, and nothing was wrong.
    Fine,
    /// A limit that the user set was exceeded.
    Exceeded,
    /// Wrong usage, or memsight could not do it. The reason has been said.
    Failed,
    /// As the recorded program ended.
    Code(i32),
    /// By the signal that ended the recorded program.
    Signal(i32),
}

impl Exit {
    /// Wrong usage, or a request for help, as clap found it.
    pub(crate) fn usage(found: &clap::Error) -> Self {
        // Nothing is left to do where even this cannot be printed.
        let _ = found.print();
        if found.use_stderr() { Exit::Failed } else { Exit::Fine }
    }

    /// Memsight could not do it: says why.
    pub(crate) fn failed(error: &anyhow::Error) -> Self {
        say(&format!("memsight: {}", with_causes(error)));
        Exit::Failed
    }
}

/// An error and its causes in one line, each said once: some name theirs themselves.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Ends the process.
pub(crate) fn leave(exit: Exit) -> ! {
    match exit {
        Exit::Fine => std::process::exit(0),
        Exit::Exceeded => std::process::exit(1),
        Exit::Failed => std::process::exit(2),
        Exit::Code(code) => std::process::exit(code),
        Exit::Signal(signal) => {
            sys::die_by(signal);
            // A signal that did not end this process is told as a shell tells it.
            std::process::exit(128 + signal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let path = std::path::Path::new("/no/such.msight");
        let error = memsight_insight::Program::load(path, &|_, _, _| {}).err().unwrap();
        let text = with_causes(&anyhow::Error::from(error));
        assert_eq!(text.matches("No such file").count(), 1, "{text}");
        let error = anyhow::anyhow!("no room").context("the capture").context("orders.py");
        assert_eq!(with_causes(&error), "orders.py: the capture: no room");
    }
}
