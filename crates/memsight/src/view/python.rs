//! A Python program under the recorder's tracer.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use memsight_capture::{Reader, Record, StepRecord, StepsOver};
use memsight_picture::{Source, Trace};

use super::Args;
use crate::launch::{self, Apart, Destination, Ended, Options, Stopped, Streams};
use crate::scratch::Scratch;
use crate::sys;
use memsight_report::text::signal_name;

/// How long a program may go on after the last step that is wanted.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is seen whether there were enough steps.
const LOOK: Duration = Duration::from_millis(250);

/// Runs the program and gives its steps.
pub(super) fn trace(args: &Args) -> Result<Trace> {
    let shown = args.program.display();
    if args.program.is_dir() {
        bail!("{shown}: is a folder; name the program's file");
    }
    std::fs::File::open(&args.program).with_context(|| format!("{shown}: cannot be read"))?;
    let mut command = vec![args.program.clone().into_os_string()];
    command.extend(args.arguments.iter().map(OsString::from));
    let target = launch::find(&command, args.python.as_deref())?;
    let scratch = Scratch::create("view")?;
    let capture = scratch.path().join("view.msight");
    let options =
        Options { recorder: launch::recorder()?, objects: true, follow: false, heap: String::new() };
    let environment = vec![("MEMSIGHT_STEPS".into(), wanted(args)?)];
    let apart = Apart { folder: ".".into(), environment };
    let streams =
        if args.json.as_deref() == Some(Path::new("-")) { Streams::Apart } else { Streams::Inherited };
    sys::note_ends();
    let mut late = Late::new(&capture, Duration::from_secs(args.timeout.into()));
    let destination = Destination::To(capture.clone());
    let (ended, stopped) =
        launch::record_apart(&target, &destination, &options, streams, &apart, &mut |so_far| {
            late.is(so_far)
        })?;
    if !capture.exists() {
        bail!("{shown}: nothing was recorded; the program drops LD_PRELOAD, or never began");
    }
    let mut reader = Reader::open(&capture)?;
    let mut trace = memsight_picture::python::read(&mut reader, load);
    trace.ending = ending(&ended, stopped, &late);
    let was_enough = trace.steps.len() > args.max_steps as usize;
    if was_enough || late.is_late {
        trace.truncated = Some(truncation(&trace, args, was_enough));
    }
    if trace.steps.is_empty() {
        bail!("{}", no_steps(args, &target.file, &trace));
    }
    Ok(trace)
}

/// Why there is nothing to show.
fn no_steps(args: &Args, interpreter: &Path, trace: &Trace) -> String {
    let shown = args.program.display();
    if let Some(line) = args.from {
        return format!(
            "{shown}: line {line} never ran ({}); --from takes the number of a line that does",
            trace.ending
        );
    }
    if let Some(name) = &args.function {
        return format!("{shown}: no function {name} was called ({})", trace.ending);
    }
    format!(
        "{shown}: there is no step to show; {} ended before the first line ran ({})",
        interpreter.display(),
        trace.ending
    )
}

/// What the tracer is told.
fn wanted(args: &Args) -> Result<OsString> {
    let program = plain(&std::path::absolute(&args.program)?);
    // What the program imports has its folder without links.
    let real = program.canonicalize().unwrap_or_else(|_| program.clone());
    let folder = |path: &Path| path.parent().unwrap_or(Path::new("/")).to_owned();
    let mut text = OsString::new();
    let mut add = |name: &str, value: &std::ffi::OsStr| -> Result<()> {
        if value.as_bytes().contains(&b'\n') {
            bail!("{}: a name with a line break in it cannot be viewed", value.display());
        }
        text.push(name);
        text.push("=");
        text.push(value);
        text.push("\n");
        Ok(())
    };
    add("program", program.as_os_str())?;
    add("root", folder(&program).as_os_str())?;
    add("real", folder(&real).as_os_str())?;
    add("steps", args.max_steps.max(1).to_string().as_ref())?;
    if let Some(line) = args.from {
        add("from", line.to_string().as_ref())?;
    }
    if let Some(name) = &args.function {
        add("function", name.as_ref())?;
    }
    if args.into {
        add("into", "1".as_ref())?;
    }
    Ok(text)
}

/// A path without `.` and `..`; links stay.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

/// A file of the program: its path from here, and its text.
fn load(path: &str) -> Source {
    let here = std::env::current_dir().unwrap_or_default();
    let text =
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let path = Path::new(path).strip_prefix(&here).unwrap_or(Path::new(path));
    Source { path: path.display().to_string(), text }
}

/// Whether the program has run for long enough.
struct Late<'a> {
    capture: &'a Path,
    limit: Duration,
    looked: Instant,
    /// Since when there are enough steps.
    enough: Option<Instant>,
    is_late: bool,
}

impl<'a> Late<'a> {
    fn new(capture: &'a Path, limit: Duration) -> Self {
        Late { capture, limit, looked: Instant::now(), enough: None, is_late: false }
    }

    fn is(&mut self, so_far: Duration) -> bool {
        if self.enough.is_none() && self.looked.elapsed() > LOOK {
            if has_enough(self.capture) {
                self.enough = Some(Instant::now());
            }
            self.looked = Instant::now();
        }
        self.is_late = so_far > self.limit || self.enough.is_some_and(|since| since.elapsed() > GRACE);
        self.is_late
    }
}

/// Whether the tracer has said that it takes no more steps.
fn has_enough(capture: &Path) -> bool {
    let Ok(mut reader) = Reader::open(capture) else { return false };
    while let Some(record) = reader.next_record() {
        if matches!(record, Record::Step(StepRecord::Over(StepsOver::Enough))) {
            return true;
        }
    }
    false
}

fn ending(ended: &Ended, stopped: Stopped, late: &Late<'_>) -> String {
    match (stopped, ended.waited.signal, ended.waited.code) {
        (Stopped::Late, ..) if late.enough.is_some() => {
            format!("stopped {} s after the last step", GRACE.as_secs())
        }
        (Stopped::Late, ..) => format!("stopped after {} s", late.limit.as_secs()),
        (Stopped::Asked(signal), ..) => format!("stopped by {}", signal_name(signal)),
        (Stopped::No, Some(signal), _) => format!("killed by {}", signal_name(signal)),
        (Stopped::No, None, code) => format!("exit {}", code.unwrap_or(0)),
    }
}

/// What is missing, and how to see it.
fn truncation(trace: &Trace, args: &Args, was_enough: bool) -> String {
    let steps = trace.steps.len();
    match was_enough {
        true => format!(
            "These are the first {} steps; there were more. --max-steps N takes more, --from LINE begins later, \
             --function NAME watches one function.",
            args.max_steps
        ),
        false => format!(
            "These are the {steps} steps that it took in {} s, when it was stopped. --timeout SECONDS gives it longer.",
            args.timeout
        ),
    }
}
