//! `memsight compare`: records two commands in turn and compares them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use memsight_report::compare::{Comparison, Measured};
use memsight_report::text::signal_name;

use crate::exit::Exit;
use crate::launch::{self, Destination, Options, Streams, Target};
use crate::terminal;

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

/// Runs A and B in turn, so that what else the machine does falls on both.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    let targets = [target("A", &args.a)?, target("B", &args.b)?];
    let options = Options { recorder: launch::recorder()?, objects: true, follow: true };
    let folder = Folder::create()?;
    let mut runs = [Vec::new(), Vec::new()];
    for round in 0..args.runs {
        for side in [0, 1] {
            progress(round, args.runs, ["A", "B"][side]);
            let command = [&args.a, &args.b][side];
            let measured = measure(&targets[side], &options, &folder);
            match measured.with_context(|| format!("{}: {command}", ["A", "B"][side]))? {
                Ok(measured) => runs[side].push(measured),
                // Whoever interrupts the run means all of it.
                Err(signal) => return Ok(Exit::Signal(signal)),
            }
        }
    }
    clear_progress();
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
fn measure(target: &Target, options: &Options, folder: &Folder) -> Result<Result<Measured, i32>> {
    let capture = folder.0.join("run.msight");
    let mut output = folder.output()?;
    let twin = output.try_clone().context("the output's file")?;
    let ended = launch::record(target, &Destination::To(capture.clone()), options, Streams::To(twin))?;
    match (ended.waited.code, ended.waited.signal) {
        (_, Some(signal @ (libc::SIGINT | libc::SIGTERM | libc::SIGHUP))) => return Ok(Err(signal)),
        (Some(0), None) => {}
        (code, signal) => {
            let how = match (code, signal) {
                (_, Some(signal)) => format!("was ended by {}", signal_name(signal)),
                (code, _) => format!("failed with exit code {}", code.unwrap_or(0)),
            };
            clear_progress();
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

/// The end of what a command printed.
fn last_words(output: &mut File) -> String {
    const MOST: u64 = 2000;
    let len = output.seek(SeekFrom::End(0)).unwrap_or(0);
    let mut bytes = Vec::new();
    let _ = output.seek(SeekFrom::Start(len.saturating_sub(MOST)));
    let _ = output.take(MOST).read_to_end(&mut bytes);
    match String::from_utf8_lossy(&bytes).trim() {
        "" => String::new(),
        words => format!(". The last that it printed:\n{words}"),
    }
}

fn progress(round: u32, runs: u32, side: &str) {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[Krun {} of {runs}, {side}", round + 1);
    }
}

fn clear_progress() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

/// A folder for captures, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let mut number = [0; 8];
        File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut number))?;
        let name = format!("memsight-compare-{:016x}", u64::from_ne_bytes(number));
        let path = std::env::temp_dir().join(name);
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("{}: cannot be made", path.display()))?;
        Ok(Folder(path))
    }

    fn output(&self) -> Result<File> {
        let path: &Path = &self.0.join("output");
        let options = File::options().read(true).write(true).create(true).truncate(true).open(path);
        options.with_context(|| path.display().to_string())
    }

    /// Removes the captures of a run.
    fn empty(&self) {
        for entry in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
