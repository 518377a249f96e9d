//! One recorded run of COMMAND in the copy, and what it came to.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use memsight_check::{Cost, Costs};
use memsight_report::text::signal_name;

use super::copy::Copy;
use super::printed;
use super::written::Written;
use super::{Interrupted, unless_interrupted};
use crate::check::costs_in;
use crate::launch::{self, Apart, Destination, Options, Stopped, Streams, Target};
use crate::scratch::{self, Scratch, tail};
use crate::terminal;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was stopped after so long.
    Late(Duration),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Code(code) => write!(f, "exit code {code}"),
            End::Signal(signal) => write!(f, "ended by {}", signal_name(*signal)),
            End::Late(limit) => {
                let parts = if limit.as_secs() < 10 { 100.0 } else { 1.0 };
                write!(f, "not over after {} s", (limit.as_secs_f64() * parts).ceil() / parts)
            }
        }
    }
}

/// What a run came to.
pub(super) struct Trial {
    pub(super) end: End,
    pub(super) stdout: File,
    pub(super) stderr: File,
    pub(super) tests_passed: Option<u64>,
    /// The files that it left in the copy; none if it was stopped.
    pub(super) written: Written,
    /// What its lines cost; nothing if it was stopped.
    pub(super) costs: Costs,
    pub(super) wall: Duration,
}

impl Trial {
    /// What the whole run cost.
    pub(super) fn cost(&self) -> Cost {
        self.costs.total
    }
}

/// Runs COMMAND in the copy, always in the same surroundings.
pub(super) struct Runner<'a> {
    scratch: &'a Scratch,
    target: Target,
    options: Options,
    environment: Vec<(OsString, OsString)>,
    pub(super) copy: Copy,
}

impl<'a> Runner<'a> {
    pub(super) fn new(scratch: &'a Scratch, copy: Copy, command: &[OsString]) -> Result<Self> {
        let words: Vec<OsString> = command.iter().map(|word| copy.mapped(word)).collect();
        let target = launch::find(&words, None)?;
        let options =
            Options { recorder: launch::recorder()?, objects: true, follow: true, heap: String::new() };
        let environment = environment(&copy, scratch);
        Ok(Runner { scratch, target, options, environment, copy })
    }

    /// Runs once, from the copy as it is to be. `name` tells the output's files apart.
    pub(super) fn run(&mut self, name: &str, limit: Option<Duration>) -> Result<Trial> {
        unless_interrupted()?;
        self.copy.renew()?;
        let temporary = self.temporary();
        new_folder(&temporary)?;
        let mut stdout = self.scratch.file(&format!("stdout-{name}"))?;
        let mut stderr = self.scratch.file(&format!("stderr-{name}"))?;
        let twin = |file: &File| file.try_clone().context("the output's file");
        let streams = Streams::To { stdout: twin(&stdout)?, stderr: twin(&stderr)? };
        let captures = self.scratch.path().join("captures");
        new_folder(&captures)?;
        let destination = Destination::To(captures.join("run.msight"));
        let apart = Apart { folder: self.copy.path().to_owned(), environment: self.environment.clone() };
        let mut is_late = |so_far| limit.is_some_and(|limit| so_far > limit);
        let began = Instant::now();
        let (ended, stopped) =
            launch::record_apart(&self.target, &destination, &self.options, streams, &apart, &mut is_late)?;
        let wall = began.elapsed();
        let end = match (stopped, ended.waited.code, ended.waited.signal) {
            (Stopped::Asked(signal), ..) => return Err(Interrupted(signal).into()),
            (Stopped::Late, ..) => End::Late(limit.unwrap_or(wall)),
            (Stopped::No, _, Some(signal)) => End::Signal(signal),
            (Stopped::No, code, None) => End::Code(code.unwrap_or(0)),
        };
        let tests_passed = printed::tests_passed(&tail(&mut stdout, TAIL), &tail(&mut stderr, TAIL));
        let written = match end {
            End::Code(_) => self.copy.written()?,
            End::Signal(_) | End::Late(_) => Written::new(),
        };
        let costs = match (&end, &ended.capture) {
            (End::Code(_), Some(capture)) => self.costs(capture)?,
            _ => Costs::default(),
        };
        unless_interrupted()?;
        Ok(Trial { end, stdout, stderr, tests_passed, written, costs, wall })
    }

    fn costs(&self, capture: &Path) -> Result<Costs> {
        if !capture.exists() {
            bail!(
                "{} was not recorded: it drops LD_PRELOAD, or what it runs is no program of this system",
                self.target.name
            );
        }
        let program =
            terminal::load(capture).with_context(|| format!("{} was not recorded", self.target.name))?;
        costs_in(&program, "")
    }

    /// The folder for temporary files that COMMAND sees, empty at each run's beginning.
    fn temporary(&self) -> PathBuf {
        temporary(self.scratch)
    }
}

/// Makes an empty folder in place of what is there.
fn new_folder(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        scratch::remove(path).with_context(|| format!("{}: cannot be emptied", path.display()))?;
    }
    std::fs::create_dir(path).with_context(|| path.display().to_string())
}

/// The ends of outputs in which a test runner's counts are looked for.
const TAIL: u64 = 1 << 16;

fn temporary(scratch: &Scratch) -> PathBuf {
    scratch.path().join("tmp")
}

/// Whether the seed of hashes is left to memsight.
pub(super) fn chooses_seed() -> bool {
    std::env::var_os("PYTHONHASHSEED").is_none()
}

/// What makes runs alike: sets in the same order, no compiled files that only later runs would find,
/// and no way back into the folder that was copied.
fn environment(copy: &Copy, scratch: &Scratch) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> = vec![
        ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
        ("PWD".into(), copy.path().into()),
        ("TMPDIR".into(), temporary(scratch).into()),
    ];
    if chooses_seed() {
        variables.push(("PYTHONHASHSEED".into(), "0".into()));
    }
    for (name, value) in std::env::vars_os().filter(|(name, _)| !is_left(name)) {
        let mapped = std::env::split_paths(&value).map(|path| copy.mapped(path.as_os_str()));
        if let Ok(mapped) = std::env::join_paths(mapped)
            && (name == "PYTHONPATH" || value.as_bytes().starts_with(b"/"))
            && mapped != value
        {
            variables.push((name, mapped));
        }
    }
    variables
}

/// Whether a variable stays as it is, though it holds paths: programs and libraries are not copied
/// for their own sake, and the others are set already.
fn is_left(name: &OsStr) -> bool {
    const LEFT: [&str; 5] = ["PATH", "HOME", "VIRTUAL_ENV", "PWD", "TMPDIR"];
    LEFT.iter().any(|left| name == *left) || name.as_bytes().starts_with(b"LD_")
}
