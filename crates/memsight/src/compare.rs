//! `memsight compare`: records two commands in turn and compares them.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};

use anyhow::{Context, Result, bail};
use memsight_report::compare::{Comparison, Measured};
use memsight_report::text::signal_name;

use crate::exit::Exit;
use crate::launch::{self, Destination, Options, Streams, Target};
use crate::scratch::{Scratch, last_words};
use crate::{sys, terminal};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often each command is run.
    #[arg(short = 'n', value_name = "RUNS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// A command, in quotes: 'python3 a.py'.
    #[arg(value_name = "COMMAND A")]
    a: String,
    /// The other command.
    #[arg(value_name = "COMMAND B")]
    b: String,
}

/// Runs A and B in turn, so that what else the machine does falls on both. Whoever interrupts it
/// finds nothing left behind.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    sys::note_ends();
    let compared = compare(args);
    match sys::asked_to_end() {
        Some(signal) => Ok(Exit::Signal(signal)),
        None => compared,
    }
}

fn compare(args: &Args) -> Result<Exit> {
    let targets = [target("A", &args.a)?, target("B", &args.b)?];
    let options = Options { recorder: launch::recorder()?, objects: true, follow: true, heap: String::new() };
    let folder = Scratch::create("compare")?;
    let mut runs = [Vec::new(), Vec::new()];
    for round in 0..args.runs {
        for side in [0, 1] {
            progress(round, args.runs, ["A", "B"][side]);
            let command = [&args.a, &args.b][side];
            let measured = measure(&targets[side], &options, &folder);
            if let Some(signal) = sys::asked_to_end() {
                return Ok(Exit::Signal(signal));
            }
            match measured.with_context(|| format!("{}: {command}", ["A", "B"][side]))? {
                Ok(measured) => runs[side].push(measured),
                // Whoever interrupts the run means all of it.
                Err(signal) => return Ok(Exit::Signal(signal)),
            }
        }
    }
    terminal::clear_progress();
    let comparison = Comparison { commands: [args.a.clone(), args.b.clone()], runs };
    let text = if args.json { comparison.json()? + "\n" } else { comparison.text(&terminal::stdout_look()) };
    terminal::print(&text)?;
    Ok(Exit::Fine)
}

fn target(side: &str, command: &str) -> Result<Target> {
    let words = shlex::split(command).with_context(|| format!("{command}: a quote is not closed"))?;
    if words.is_empty() {
        bail!("{side} is empty; write two commands, each in quotes: 'python3 a.py' 'python3 b.py'");
    }
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    launch::find(&words, None).with_context(|| format!("{side}: {command}"))
}

/// One recorded run; the signal if the user interrupted it.
fn measure(target: &Target, options: &Options, folder: &Scratch) -> Result<Result<Measured, i32>> {
    let capture = folder.path().join("run.msight");
    let mut output = folder.file("output")?;
    let twin = || output.try_clone().context("the output's file");
    let streams = Streams::To { stdout: twin()?, stderr: twin()? };
    let ended = launch::record(target, &Destination::To(capture.clone()), options, streams)?;
    match (ended.waited.code, ended.waited.signal) {
        (_, Some(signal @ (libc::SIGINT | libc::SIGTERM | libc::SIGHUP))) => return Ok(Err(signal)),
        (Some(0), None) => {}
        (code, signal) => {
            let how = match (code, signal) {
                (_, Some(signal)) => format!("was ended by {}", signal_name(signal)),
                (code, _) => format!("failed with exit code {}", code.unwrap_or(0)),
            };
            terminal::clear_progress();
            bail!("{how}, so there is nothing to compare{}", last_words(&mut output));
        }
    }
    let program = terminal::load(&capture).with_context(|| format!("{} was not recorded", target.name))?;
    let totals = program.totals();
    folder.empty();
    Ok(Ok(Measured {
        peak_bytes: program.peak.amount.bytes,
        allocated_bytes: totals.allocated_bytes,
        allocations: totals.allocations,
        cpu_ns: ended.waited.cpu_ns,
    }))
}

fn progress(round: u32, runs: u32, side: &str) {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[Krun {} of {runs}, {side}", round + 1);
    }
}
