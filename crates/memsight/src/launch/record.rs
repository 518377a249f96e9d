//! Runs a program with the recorder in it and waits for both to end.
//!
//! The recorder learns what to do from the environment:
//!
//! | variable           | value                                                       |
//! |--------------------|-------------------------------------------------------------|
//! | `LD_PRELOAD`       | the recorder, then whatever stood there                     |
//! | `MEMSIGHT_CAPTURE` | where the capture goes, `%p` for the process id             |
//! | `MEMSIGHT_RUN`     | 32 hex digits that all captures of the run share            |
//! | `MEMSIGHT_TRACK`   | `objects` or `heap`                                         |
//! | `MEMSIGHT_HEAP`    | `exit`, `peak`, a signal's number: when the object graph is |
//! |                    | taken; several with commas                                  |
//! | `MEMSIGHT_FOLLOW`  | `1` if child processes are recorded too, else `0`           |

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use memsight_insight::captures_beside;

use super::Destination;
use super::capture::capture_of_run;
use super::program::Target;
use crate::sys;

/// What to record.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The library that records.
    pub(crate) recorder: PathBuf,
    /// Python objects too, or only what is outside Python's object heap.
    pub(crate) objects: bool,
    /// Child processes too.
    pub(crate) follow: bool,
    /// When the object graph is taken, as the recorder reads it; never if empty.
    pub(crate) heap: String,
}

/// Where the program's output goes.
pub(crate) enum Streams {
    /// Where memsight's goes.
    Inherited,
    /// Where memsight's goes, but what it prints goes to memsight's standard error.
    Apart,
    /// To files, and no input.
    To {
        /// What it prints.
        stdout: File,
        /// What it complains about.
        stderr: File,
    },
}

/// How a recorded run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The program's end.
    pub(crate) waited: sys::Waited,
    /// Where its capture should be; `None` if it ran unrecorded.
    pub(crate) capture: Option<PathBuf>,
}

/// Where a program runs that is not to touch anything of the user's.
#[derive(Clone, Debug)]
pub(crate) struct Apart {
    /// Its working folder.
    pub(crate) folder: PathBuf,
    /// Variables that it sees other than memsight does.
    pub(crate) environment: Vec<(OsString, OsString)>,
}

/// Whether a program ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It did.
    No,
    /// It took too long.
    Late,
    /// Memsight was asked to end, by this signal.
    Asked(i32),
}

/// Runs `target` to its end and waits until its capture is written.
pub(crate) fn record(
    target: &Target,
    destination: &Destination,
    options: &Options,
    streams: Streams,
) -> Result<Ended> {
    let run_id = run_id()?;
    let mut command = command(target, destination, options, streams, run_id);
    let forwarding = sys::forward_signals();
    let child = start(&mut command, target)?;
    let waited = sys::wait(child).context(LOST)?;
    drop(forwarding);
    Ok(Ended { waited, capture: written(destination, child, run_id) })
}

/// Like [`record`], in a session of its own, until `is_late` says so of the time
/// since it began: what is left of it at its end is killed, and what it started in other sessions too. Memsight must be noting
/// signals that would end it, and have no other children.
pub(crate) fn record_apart(
    target: &Target,
    destination: &Destination,
    options: &Options,
    streams: Streams,
    apart: &Apart,
    is_late: &mut dyn FnMut(Duration) -> bool,
) -> Result<(Ended, Stopped)> {
    let run_id = run_id()?;
    let mut command = command(target, destination, options, streams, run_id);
    command.current_dir(&apart.folder).envs(apart.environment.iter().map(|(name, value)| (name, value)));
    sys::apart(&mut command);
    sys::adopt_orphans();
    let child = start(&mut command, target)?;
    let watched = watch(child, is_late).context(LOST);
    let capture = match &watched {
        Ok(_) => written(destination, child, run_id),
        Err(_) => None,
    };
    // Only now, since the recorder's writer is of the same group; and before the
    // wait, after which the group's id could be another's.
    sys::signal_group(child, libc::SIGKILL);
    let waited = sys::wait(child).context(LOST)?;
    end_orphans();
    Ok((Ended { waited, capture }, watched?))
}

/// Kills all children of this process, and those that become its own by that.
pub(crate) fn end_orphans() {
    let began = Instant::now();
    while sys::reap() && began.elapsed() < GRACE {
        children().into_iter().for_each(sys::kill);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The children of this process.
fn children() -> Vec<i32> {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |id: &i32| {
        // `7 (its name) S 1 …`: the name may hold anything, the parent comes second behind it.
        let stat = std::fs::read(format!("/proc/{id}/stat")).unwrap_or_default();
        let stat = String::from_utf8_lossy(&stat);
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(&*own)
    };
    ids.filter(is_child).collect()
}

const LOST: &str = "the program's end cannot be waited for";

fn command(
    target: &Target,
    destination: &Destination,
    options: &Options,
    streams: Streams,
    run_id: [u8; 16],
) -> Command {
    let mut command = Command::new(&target.file);
    command.arg0(&target.argv0).args(&target.arguments);
    match streams {
        Streams::Inherited => {}
        Streams::Apart => {
            command.stdout(std::io::stderr());
        }
        Streams::To { stdout, stderr } => {
            command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        }
    }
    if let Destination::To(template) = destination {
        command.env("LD_PRELOAD", with_recorder(&options.recorder));
        command.env("MEMSIGHT_CAPTURE", template);
        let digits: String = run_id.iter().map(|byte| format!("{byte:02x}")).collect();
        command.env("MEMSIGHT_RUN", digits);
        if !options.heap.is_empty() {
            command.env("MEMSIGHT_HEAP", &options.heap);
        }
        command.env("MEMSIGHT_TRACK", if options.objects { "objects" } else { "heap" });
        command.env("MEMSIGHT_FOLLOW", if options.follow { "1" } else { "0" });
    }
    command
}

fn start(command: &mut Command, target: &Target) -> Result<i32> {
    sys::spawn(command).with_context(|| format!("{} cannot be run", target.file.display()))
}

/// How long a program may take to end once it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// Waits for the leader of a session. Where time is up, or memsight is asked to
/// end, the whole session is asked to, and killed if it does not.
fn watch(child: i32, is_late: &mut dyn FnMut(Duration) -> bool) -> std::io::Result<Stopped> {
    let began = Instant::now();
    let mut stopped = Stopped::No;
    let mut killed_at = None;
    let mut pause = Duration::from_micros(500);
    loop {
        if sys::is_over(child)? {
            return Ok(stopped);
        }
        if stopped == Stopped::No {
            if let Some(signal) = sys::asked_to_end() {
                stopped = Stopped::Asked(signal);
                sys::signal_group(child, signal);
            } else if is_late(began.elapsed()) {
                stopped = Stopped::Late;
                sys::signal_group(child, libc::SIGTERM);
            }
            killed_at = (stopped != Stopped::No).then(|| Instant::now() + GRACE);
        }
        if killed_at.is_some_and(|at| Instant::now() > at) {
            sys::signal_group(child, libc::SIGKILL);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Where the capture is, once it is written.
fn written(destination: &Destination, child: i32, run_id: [u8; 16]) -> Option<PathBuf> {
    let Destination::To(template) = destination else { return None };
    let capture = capture_of_run(template, child, run_id);
    wait_until_written(&capture, PATIENCE);
    let began = Instant::now();
    for (_, child) in captures_beside(&capture) {
        wait_until_written(&child, PATIENCE_WITH_CHILDREN.saturating_sub(began.elapsed()));
    }
    Some(capture)
}

const RECORDER: &str = "libmemsight_preload.so";

/// The library that records, at a path that the loader takes.
pub(crate) fn recorder() -> Result<PathBuf> {
    let path = installed_recorder()?;
    if path.as_os_str().as_bytes().iter().any(|byte| b" :".contains(byte)) {
        bail!(
            "the recorder is {}, and the system loads none with a space or a colon in its path. \
             Move it, or name a copy of it with MEMSIGHT_PRELOAD=PATH",
            path.display()
        );
    }
    Ok(path)
}

/// `MEMSIGHT_PRELOAD`, else beside memsight, else in `../lib/memsight`.
fn installed_recorder() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("MEMSIGHT_PRELOAD").filter(|path| !path.is_empty()) {
        let path = std::path::absolute(&path).context("MEMSIGHT_PRELOAD")?;
        if !path.is_file() {
            bail!("MEMSIGHT_PRELOAD is {}, and there is no such file", path.display());
        }
        return Ok(path);
    }
    let program = std::env::current_exe().context("where memsight itself is cannot be found out")?;
    let folder = program.parent().unwrap_or(Path::new("/"));
    let places = [folder.join(RECORDER), folder.join("../lib/memsight").join(RECORDER)];
    if let Some(found) = places.iter().find(|place| place.is_file()) {
        return Ok(found.canonicalize().unwrap_or_else(|_| found.clone()));
    }
    bail!(
        "the recorder {RECORDER} is not installed: it should be in {} or {}. \
         Put it there, or say where it is with MEMSIGHT_PRELOAD=PATH",
        places[0].display(),
        folder.parent().unwrap_or(folder).join("lib/memsight").display()
    )
}

fn with_recorder(recorder: &Path) -> OsString {
    let mut preload = recorder.as_os_str().to_owned();
    if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        preload.push(":");
        preload.push(others);
    }
    preload
}

fn run_id() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    let random = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    random.context("/dev/urandom cannot be read")?;
    Ok(bytes)
}

/// How long the writer may take after the program's end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long all child processes together may go on after the program's end.
const PATIENCE_WITH_CHILDREN: Duration = Duration::from_secs(2);

/// Waits for the writer, which holds the capture locked. Gives up after a
/// while: the report then says that it is still being written.
fn wait_until_written(capture: &Path, patience: Duration) {
    let Ok(file) = File::open(capture) else { return };
    let began = Instant::now();
    let mut pause = Duration::from_micros(200);
    while matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) && began.elapsed() < patience {
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
