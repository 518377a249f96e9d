//! `memsight run`: records a program and prints where its memory went.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use memsight_insight::Program;
use memsight_report::text::{self, Outcome};
use memsight_report::{json, units};

use crate::exit::Exit;
use crate::launch::{self, Destination, Ended, Options, Streams};
use crate::signal;
use crate::size;
use crate::sys;
use crate::terminal::{self, say};

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Track {
    /// Every Python object, and everything outside Python's heap.
    Objects,
    /// What is outside Python's object heap.
    Heap,
}

/// When the object graph is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HeapAt {
    /// At the program's end; there is none if a signal kills it: SIGKILL, or SIGTERM without a handler.
    Exit,
    /// Near the peak, as live bytes rise; these stay even if the program is killed.
    Peak,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write the capture to FILE [default: memsight-NAME-PID.msight in the working folder].
    #[arg(short, long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace FILE if it is there already and is a capture.
    #[arg(long)]
    force: bool,
    /// What to record.
    #[arg(long, value_enum, default_value = "objects")]
    track: Track,
    /// Record native stacks too (not in this version).
    #[arg(long)]
    native: bool,
    /// Leave child processes alone.
    #[arg(long)]
    no_follow: bool,
    /// Exit with 1 if the peak is above SIZE: 24MB, 1.5GiB, 500000.
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    budget: Option<u64>,
    /// Keep the object graph too, for `memsight heap`; both: --heap exit,peak.
    #[arg(long, value_enum, value_name = "WHEN", value_delimiter = ',')]
    heap: Vec<HeapAt>,
    /// Keep the object graph each time this signal comes: SIGUSR1, SIGUSR2, SIGRTMIN+1.
    #[arg(long, value_name = "SIGNAL", value_parser = signal::parse)]
    heap_on_signal: Option<i32>,
    /// Write the report as JSON to FILE, - for stdout.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print no summary.
    #[arg(short, long)]
    quiet: bool,
    /// The interpreter for script.py, -m and -c [default: the active virtual environment's, else python3].
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// An executable, script.py, -m module or -c code; and its arguments.
    #[arg(value_name = "PROGRAM", trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    program: Vec<OsString>,
}

/// Records the program and passes its exit code on.
pub(crate) fn run(args: Args) -> Result<Exit> {
    if args.native {
        bail!("--native: native stacks are not recorded by this version; leave the flag out");
    }
    if (!args.heap.is_empty() || args.heap_on_signal.is_some()) && args.track == Track::Heap {
        bail!("--heap needs the objects that --track heap leaves out; leave one of the two out");
    }
    if let Some(file) = &args.json {
        may_become_json(file)?;
    }
    let target = launch::find(&args.program, args.python.as_deref())?;
    // Before an old capture is replaced: without a recorder there would be no new one.
    let recorder = launch::recorder()?;
    let destination = Destination::choose(args.output.as_deref(), &target.name, args.force)?;
    if let Destination::Nowhere(why) = &destination {
        say(&format!("memsight: {why}; the program runs without being recorded"));
    }
    let options = Options {
        recorder,
        objects: args.track == Track::Objects,
        follow: !args.no_follow,
        heap: when_to_take(&args),
    };
    let ended = launch::record(&target, &destination, &options, Streams::Inherited)?;
    let own = match (ended.waited.code, ended.waited.signal) {
        (_, Some(signal)) => Exit::Signal(signal),
        (Some(0), None) => Exit::Fine,
        (code, None) => Exit::Code(code.unwrap_or(0)),
    };
    Ok(finish(&args, &ended, own))
}

/// When the object graph is taken, as the recorder reads it.
fn when_to_take(args: &Args) -> String {
    let at = [(HeapAt::Exit, "exit"), (HeapAt::Peak, "peak")];
    let words = at.into_iter().filter(|(at, _)| args.heap.contains(at)).map(|(_, word)| word.to_owned());
    let signal = args.heap_on_signal.map(|signal| signal.to_string());
    words.chain(signal).collect::<Vec<_>>().join(",")
}

/// Says what was recorded. What goes wrong here never hides that the program failed.
fn finish(args: &Args, ended: &Ended, own: Exit) -> Exit {
    let result = tell(args, ended);
    match (result, own) {
        (Ok(true), own) => own,
        (Ok(false), _) => Exit::Exceeded,
        (Err(error), Exit::Fine) => Exit::failed(&error),
        (Err(error), own) => {
            Exit::failed(&error);
            own
        }
    }
}

/// Prints and writes what was asked for; whether the budget was kept.
fn tell(args: &Args, ended: &Ended) -> Result<bool> {
    let Some(capture) = &ended.capture else {
        return unrecorded(args, "nothing was recorded");
    };
    if !capture.exists() {
        let why = format!(
            "there is no capture at {}: it was removed, or the recorder never began to write \
             (a program may drop LD_PRELOAD, or run in another root folder)",
            capture.display()
        );
        return unrecorded(args, &why);
    }
    if args.quiet && args.json.is_none() && args.budget.is_none() {
        return Ok(true);
    }
    let program = terminal::load(&relative(capture))?;
    let outcome = Outcome { exit_code: ended.waited.code, signal: ended.waited.signal };
    if !args.quiet {
        summarise(&program, outcome);
    }
    if let Some(file) = &args.json {
        write_json(&program, outcome, file)?;
    }
    Ok(args.budget.is_none_or(|budget| within(budget, &program)))
}

/// What is asked of a recording that there isn't is an error; otherwise a word will do.
fn unrecorded(args: &Args, why: &str) -> Result<bool> {
    if args.budget.is_some() {
        bail!("{why}; the budget cannot be checked");
    }
    if args.json.is_some() {
        bail!("{why}; there is no report to write");
    }
    if args.output.is_none() || why != "nothing was recorded" {
        say(&format!("memsight: {why}"));
    }
    Ok(true)
}

fn summarise(program: &Program, outcome: Outcome) {
    let text = text::summary(program, outcome, crate::check::advice(program), &terminal::stderr_look());
    // A blank line between what the program printed and the summary.
    let gap = if std::io::stderr().is_terminal() { "\n" } else { "" };
    say(&format!("{gap}{}", text.trim_end()));
}

/// Before the program runs, for it may run for hours.
fn may_become_json(file: &Path) -> Result<()> {
    let shown = file.display();
    if file == Path::new("-") || file.exists() && !file.is_dir() {
        return Ok(());
    }
    if file.is_dir() {
        bail!("--json {shown}: is a folder; give the name of a file, or - for stdout");
    }
    let absolute = std::path::absolute(file).with_context(|| format!("--json {shown}"))?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    sys::may_write_in(folder)
        .with_context(|| format!("--json {shown}: no file can be made in {}", folder.display()))
}

fn write_json(program: &Program, outcome: Outcome, file: &Path) -> Result<()> {
    let text = json::report(program, outcome, None, None)? + "\n";
    if file == Path::new("-") {
        return terminal::print(&text);
    }
    std::fs::write(file, text).with_context(|| format!("--json {}: cannot be written", file.display()))
}

/// Checks the budget and says by how much it was exceeded, and where.
fn within(budget: u64, program: &Program) -> bool {
    let peak = program.peak.amount.bytes;
    if peak <= budget {
        return true;
    }
    let over = units::bytes(peak - budget);
    let (peak, budget) = (units::bytes(peak), units::bytes(budget));
    let most = match text::first_site(program) {
        Some((bytes, place)) => format!("; the largest part, {}, {place}", units::bytes(bytes)),
        None => String::new(),
    };
    say(&format!("memsight: over budget by {over}: the peak of {peak} is above {budget}{most}"));
    false
}

/// The path from the working folder, where it lies below that.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).into()
}
