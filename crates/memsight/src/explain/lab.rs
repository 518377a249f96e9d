//! Runs an experiment on the reader's interpreter under the recorder, and reads what it measured.
//!
//! An experiment is a Python file in parts. `experiments/harness.py` gives each
//! part a process of its own, forked behind the setup, so that a part's capture
//! holds what the part did and nothing else:
//!
//! ```text
//! harness.py ──fork── setup ──fork── part 1     run.PID.msight
//!            ──fork── setup ──fork── part 2     run.PID.msight
//! ```
//!
//! A comment `#: NAME` at the end of a line marks it: what was allocated while
//! that line stood on the stack, in the line itself or in what it called, is
//! counted under its name.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::measured::{self, Measured};
use crate::launch::{self, Apart, Destination, Options, Stopped, Streams};
use crate::scratch::Scratch;

const HARNESS: &str = include_str!("experiments/harness.py");

/// Where experiments are run.
pub(super) struct Lab {
    /// `--python`.
    pub(super) python: Option<PathBuf>,
    /// The library that records.
    pub(super) recorder: PathBuf,
    /// Where the experiment and its captures are to stay.
    pub(super) keep: Option<PathBuf>,
}

impl Lab {
    /// Runs an experiment; the signal if the user interrupted it. `name` is what its file is called.
    pub(super) fn run(&self, name: &str, source: &str, needs: &[&str]) -> Result<Result<Measured, i32>> {
        let folder = match &self.keep {
            Some(path) => Scratch::kept(path).context("--keep")?,
            None => Scratch::create("explain")?,
        };
        let harness = folder.write("harness.py", HARNESS)?;
        let experiment = folder.write(&format!("{name}.py"), source)?;
        let mut command: Vec<OsString> = vec![harness.into(), experiment.clone().into()];
        command.extend(needs.iter().map(OsString::from));
        let target = launch::find(&command, self.python.as_deref())?;
        let options =
            Options { recorder: self.recorder.clone(), objects: true, follow: true, heap: String::new() };
        // What an interrupted experiment leaves goes with the folder.
        let environment = vec![("TMPDIR".into(), folder.path().into())];
        let apart = Apart { folder: ".".into(), environment };
        let mut output = folder.file("output")?;
        let twin = || output.try_clone().context("the output's file");
        let streams = Streams::To { stdout: twin()?, stderr: twin()? };
        let capture = folder.path().join("run.msight");
        let destination = Destination::To(capture.clone());
        let (ended, stopped) =
            launch::record_apart(&target, &destination, &options, streams, &apart, &mut |_| false)?;
        if let Stopped::Asked(signal) = stopped {
            return Ok(Err(signal));
        }
        let said = text_of(&mut output)?;
        if ended.waited.code != Some(0) {
            bail!("{}: the experiment failed on it. What it said:\n{}", target.file.display(), said.trim());
        }
        check_stacks(&capture, &target.file)?;
        measured::read(&said, folder.path(), &experiment, source).map(Ok)
    }
}

fn text_of(output: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    output.seek(SeekFrom::Start(0)).context("the experiment's output")?;
    output.read_to_end(&mut bytes).context("the experiment's output")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Without Python's stacks nothing could be told apart.
fn check_stacks(capture: &Path, interpreter: &Path) -> Result<()> {
    let program = measured::load(capture)?;
    match &program.first().recording.interpreter {
        Some(found) if found.stacks => Ok(()),
        Some(found) => bail!(
            "{}: is Python {}, whose stacks this version cannot read; choose CPython 3.9 to 3.13 with \
             --python PATH",
            interpreter.display(),
            found.version
        ),
        None => bail!("{}: no CPython was found in it; choose one with --python PATH", interpreter.display()),
    }
}
