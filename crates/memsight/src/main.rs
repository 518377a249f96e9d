//! The command line: one file a subcommand, and what they share.
//!
//! | module       | what it does                                                   |
//! |--------------|----------------------------------------------------------------|
//! | `run`        | records a program and prints its summary                       |
//! | `report`     | answers questions about a capture                              |
//! | `diff`       | compares two captures                                          |
//! | `compare`    | records two commands in turn and compares those                |
//! | `check`      | finds code that wastes memory, and mends it                    |
//! | `prove`      | keeps the fixes that are measured to be worth it               |
//! | `explain`    | how it works, measured on the reader's own interpreter         |
//! | `heap`       | what is alive and who keeps it                                 |
//! | `view`       | a program's memory, step by step                               |
//! | `export`     | a capture in another tool's format                             |
//! | `launch`     | from a command line to a process with the recorder in it       |
//! | `exit`       | the one place where exit codes are decided                     |
//! | `scratch`    | a folder for the time of a command                             |
//! | `terminal`   | widths, colours, progress                                      |
//! | `signal`     | names of signals                                               |
//! | `sys`        | the system calls that need `unsafe`, and nothing else          |
//!
//! Data goes to stdout, everything else to stderr.
#![deny(unsafe_code)]

mod check;
mod compare;
mod diff;
mod exit;
mod explain;
mod export;
mod heap;
mod launch;
mod prove;
mod report;
mod run;
mod scratch;
mod signal;
mod size;
#[allow(unsafe_code)]
mod sys;
mod terminal;
mod view;
mod when;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// Shows where the memory of a Python program goes, why it is still there, and what to change.
#[derive(Parser)]
#[command(name = "memsight", version, max_term_width = 100)]
#[command(after_help = "Start with:  memsight run script.py")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Record a program and print where its memory went.
    Run(run::Args),
    /// Show what a capture holds.
    Report(report::Args),
    /// Show what changed between two captures.
    Diff(diff::Args),
    /// Show what is alive and who keeps it, of a run with --heap.
    Heap(heap::Args),
    /// Show a Python or C program's memory step by step: frames, names, objects.
    View(view::Args),
    /// Write what a capture holds in another tool's format.
    Export(export::Args),
    /// Record two commands in turn and compare them.
    Compare(compare::Args),
    /// Find code that wastes memory, rank it by what it cost, and mend it.
    Check(check::Args),
    /// Try fixes on a copy of the project, and keep those that change nothing but the memory.
    Prove(prove::Args),
    /// Explain how Python's memory works, or a rule of check, with an experiment run here.
    Explain(explain::Args),
}

fn main() {
    let result = match Cli::try_parse() {
        Ok(cli) => dispatch(cli.command),
        Err(usage) => Exit::usage(&usage),
    };
    exit::leave(result)
}

fn dispatch(command: Command) -> Exit {
    if !matches!(command, Command::Run(_) | Command::Prove(_) | Command::View(_)) {
        // `memsight report … | head` ends quietly; `run` must live on to pass the exit code, `prove` to
        // remove its copy, and `view` to end the program.
        sys::default_sigpipe();
    }
    let result = match command {
        Command::Run(args) => run::run(args),
        Command::Report(args) => report::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Prove(args) => prove::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Heap(args) => heap::run(&args),
        Command::View(args) => view::run(&args),
        Command::Export(args) => export::run(&args),
    };
    result.unwrap_or_else(|error| Exit::failed(&error))
}
