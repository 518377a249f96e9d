//! A C program, step by step: compiled with debug information and run under gdb.
//!
//! ```text
//! prog.c ─▶ compile   cc, or the command that --compile names
//!           gdb       the debugger, its machine interface (mi), the program's output
//!           gdb/*.py  inside gdb: a stop at every line; what was given and freed; says where it is (wire)
//!           memory    the program's bytes, read from outside while it stands still
//!           picture   what there is, what leads to it, what changed
//!           space     what lies where; types: what bytes mean; draw: what is shown of them
//!           faults    what went wrong, in one sentence
//! ```
//!
//! What was never written is told by its bytes: blocks that malloc gives and the variables of a new
//! frame are filled with a pattern first. Nothing else of the program is changed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use memsight_picture::{Delta, Event, Language, SourceId, Step, Trace};
use memsight_report::text::signal_name;

use super::Args;
use crate::scratch::Scratch;
use crate::sys;
use gdb::{Answer, Gdb, Program, Stopped};
use memory::Memory;
use picture::Picture;
use wire::{Begun, Reason, Stop};

mod compile;
mod draw;
mod faults;
mod frames;
mod gdb;
mod memory;
mod mi;
mod picture;
mod reach;
mod redraw;
mod space;
mod types;
mod wire;

const PAINTED: &str = "What malloc gives and the variables of a new frame are filled with a pattern, \
    so that what was never written can be told: a program that reads such memory finds the pattern there.";

/// Runs the program to its end, or to the limit, and returns its steps.
pub(super) fn trace(args: &Args) -> Result<Trace> {
    sys::note_ends();
    let scratch = Scratch::create("view")?;
    let executable = compile::executable(args, &scratch)?;
    let program = Program {
        file: &executable,
        arguments: &args.arguments,
        output_to_stderr: args.json.as_deref() == Some(Path::new("-")),
        limit: Duration::from_secs(u64::from(args.timeout)),
    };
    let shown = args.program.display().to_string();
    let mut gdb = Gdb::start(&program, &scratch).context(shown.clone())?;
    let is_c = args.program.extension().is_some_and(|extension| extension == "c");
    let files = gdb.sources().context(shown.clone())?;
    if files.is_empty() {
        bail!("{shown}: has no debug information; compile it with cc -g -O0");
    }
    let own = compile::own_sources(files, is_c.then_some(&args.program), &executable);
    if own.is_empty() {
        bail!("{shown}: none of its source files is below its folder or this one");
    }
    let asked = serde_json::json!({"files": own, "line": args.from, "function": args.function});
    let call = format!("memsight_begin({})", serde_json::to_string(&asked.to_string())?);
    let begun: Begun = match gdb.ask(&call).context(shown.clone())? {
        Answer::Given(begun) => begun,
        Answer::Stopped(why) => bail!("{shown}: {} before main", words(why, args.timeout)),
    };
    let recorded = record(args, gdb, begun, is_c.then_some(args.program.as_path()));
    drop(scratch);
    recorded.context(shown)
}

/// Takes step after step.
fn record(args: &Args, mut gdb: Gdb, begun: Begun, c_file: Option<&Path>) -> Result<Trace> {
    let mut notes = begun.notes.clone();
    notes.push(PAINTED.into());
    let made_by = begun.made_by.clone();
    let mut output = Output { buffer: begun.stdout, shown_bytes: 0 };
    let memory = Memory::of(begun.pid)?;
    let mut picture = Picture::new(begun, memory, &|path: &Path| shown_path(path, c_file));
    let mut steps: Vec<Step> = Vec::new();
    let mut truncated = None;
    let mut was_fault = false;
    let most = args.max_steps.max(1) as usize;
    let ending = loop {
        if steps.len() >= most {
            truncated = Some(format!("It was stopped after {most} steps; --max-steps N takes more."));
            break format!("stopped after {most} steps");
        }
        let stop: Stop = match gdb.ask("memsight_next()")? {
            Answer::Given(stop) => stop,
            Answer::Stopped(why) => {
                let said = words(why, args.timeout);
                // Whoever presses Ctrl-C has seen enough; other signals mean memsight.
                if matches!(why, Stopped::Asked(signal) if signal != libc::SIGINT) {
                    bail!("{said}");
                }
                truncated = Some(format!("It was {said}; what it did before that is here."));
                break said;
            }
        };
        picture.moved();
        if stop.reason == Reason::Exited {
            let rest = output.since_before(&mut gdb, &mut picture);
            finish(&mut steps, rest, String::from_utf8_lossy(&gdb.stderr()).into_owned());
            break ended(&stop);
        }
        // A fault that was told comes back as the signal by which the C library ends the program.
        let is_echo = was_fault && stop.reason == Reason::Signal;
        if is_echo {
            picture.pass_over(stop);
            continue;
        }
        was_fault = stop.reason == Reason::Fault;
        let mut step = picture.step(stop);
        step.stdout = output.since_before(&mut gdb, &mut picture);
        step.stderr = String::from_utf8_lossy(&gdb.stderr()).into_owned();
        steps.push(step);
    };
    if steps.iter().all(|step| step.event == Event::End) && truncated.is_none() {
        let what = args.function.as_ref().map(|name| format!("{name} was never called"));
        let what = what.or(args.from.map(|line| format!("line {line} never ran")));
        notes.extend(what.map(|what| format!("There is nothing to see: {what}.")));
    }
    if gdb.output_was_cut() {
        notes.push("It wrote more than is kept here; all of it went to the output.".into());
    }
    Ok(Trace { language: Language::C, made_by, sources: picture.sources, steps, truncated, ending, notes })
}

/// What the program printed, be it still in its buffer.
struct Output {
    buffer: Option<u64>,
    /// How many bytes of all that it printed were told with a step.
    shown_bytes: u64,
}

impl Output {
    /// What was printed since the last call.
    fn since_before(&mut self, gdb: &mut Gdb, picture: &mut Picture) -> String {
        let (out, written) = gdb.stdout();
        let pending = picture.pending_output(self.buffer);
        // What was in the buffer at the step before and has been written since was told then.
        let told = self.shown_bytes.saturating_sub(written - (out.len() as u64).min(written));
        let mut new: Vec<u8> = out.iter().skip(told as usize).copied().collect();
        let told = self.shown_bytes.saturating_sub(written);
        new.extend(pending.iter().skip(told as usize));
        self.shown_bytes = self.shown_bytes.max(written + pending.len() as u64);
        String::from_utf8_lossy(&new).into_owned()
    }
}

/// The program is over: what it still wrote belongs to its last step.
fn finish(steps: &mut Vec<Step>, stdout: String, stderr: String) {
    match steps.last_mut() {
        Some(last) if last.event == Event::End => {
            last.stdout.push_str(&stdout);
            last.stderr.push_str(&stderr);
        }
        _ => steps.push(Step {
            event: Event::End,
            yields: false,
            thread: 0,
            source: SourceId(0),
            line: 0,
            stack: Vec::new(),
            value: None,
            stdout,
            stderr,
            delta: Delta::default(),
            say: String::new(),
        }),
    }
}

fn ended(stop: &Stop) -> String {
    match (stop.code, stop.signal) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("killed by {}", signal_name(signal)),
        (None, None) => "ended".into(),
    }
}

fn words(why: Stopped, seconds: u32) -> String {
    match why {
        Stopped::Late => format!("stopped after {seconds} s"),
        Stopped::Asked(signal) => format!("stopped by {}", signal_name(signal)),
    }
}

/// A file's path as the reader would write it.
fn shown_path(path: &Path, c_file: Option<&Path>) -> String {
    let real = |path: &Path| path.canonicalize().ok();
    if let Some(file) = c_file.filter(|file| real(file).is_some() && real(file) == real(path)) {
        return file.display().to_string();
    }
    let here = std::env::current_dir().ok().as_deref().and_then(real);
    let below = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}
