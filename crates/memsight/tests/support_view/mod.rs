//! What the tests of `memsight view` share: one run of it, its JSON as values, and the
//! checks of those.
//!
//! | module       | what it checks                                                        |
//! |--------------|-----------------------------------------------------------------------|
//! | `trace`      | that the JSON has the shape that is promised                          |
//! | `invariants` | what holds of every trace, whatever the program                       |
//! | `twin`       | a trace against what a probe in the program itself wrote down         |
//! | `symbols`    | writes a trace without what differs from run to run, for snapshots    |
//! | `snapshot`   | one file for all versions, with lines that differ marked              |

#![allow(dead_code, reason = "each test file uses some of it")]

pub(crate) mod invariants;
pub(crate) mod snapshot;
pub(crate) mod symbols;
pub(crate) mod trace;
pub(crate) mod twin;

use std::ffi::OsStr;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Python, memsight};
use trace::Trace;

/// In the environment of a run and of all that it starts, so that what is left of it is found.
const MARK: &str = "MEMSIGHT_TEST_MARK";

/// A folder of the repository or of the tests.
pub(crate) fn folder(below_the_crate: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below_the_crate).canonicalize().expect("the folder is there")
}

/// The Python files of a folder, but for those that others import.
pub(crate) fn programs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.retain(|path| path.extension() == Some(OsStr::new("py")) && !name(path).starts_with('_'));
    found.sort();
    found
}

/// A path's last part without its extension.
pub(crate) fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A command to be run to its end, with files for what it is given and what it writes.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    /// To be given arguments and surroundings.
    pub(crate) command: Command,
    mark: String,
    limit: Duration,
}

/// How a run ended.
pub(crate) struct Ran {
    folder: tempfile::TempDir,
    /// Its exit code or signal.
    pub(crate) status: ExitStatus,
    /// What it wrote to stdout.
    pub(crate) stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub(crate) stderr: String,
    /// How long it ran.
    pub(crate) took: Duration,
    mark: String,
}

impl Run {
    /// A program by itself.
    pub(crate) fn plain(python: &Python, program: &Path) -> Self {
        let mut command = python.command();
        command.arg(program);
        Run::of(command, tempfile::tempdir().expect("a folder for the run"))
    }

    /// `memsight view --json` of a program.
    pub(crate) fn view(python: &Python, program: &Path, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the run");
        let mut command = Command::new(memsight());
        command.arg("view").arg("--json").arg(folder.path().join("view.json"));
        command.arg("--python").arg(&python.path).args(options).arg(program);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        Run::of(command, folder)
    }

    fn of(mut command: Command, folder: tempfile::TempDir) -> Self {
        let mark = format!("{:016x}", RandomState::new().build_hasher().finish());
        command.env(MARK, &mark).stdin(Stdio::null()).process_group(0);
        Run { folder, command, mark, limit: Duration::from_secs(60) }
    }

    /// The most that it may take.
    pub(crate) fn within(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// What it reads from stdin.
    pub(crate) fn given(mut self, stdin: &str) -> Self {
        let path = self.folder.path().join("stdin");
        std::fs::write(&path, stdin).expect("the folder can be written");
        self.command.stdin(File::open(path).expect("it was just written"));
        self
    }

    /// Runs it to its end. If it takes too long it is killed, and the test fails.
    pub(crate) fn end(self) -> Ran {
        self.try_end().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same; tells if it took too long.
    pub(crate) fn try_end(mut self) -> Result<Ran, String> {
        // Files and no pipes: what is left running could hold a pipe open.
        let create = |name| File::create(self.folder.path().join(name)).expect("the folder can be written");
        self.command.stdout(create("stdout")).stderr(create("stderr"));
        let began = Instant::now();
        let mut child = self.command.spawn().expect("it can be started");
        let status = loop {
            match child.try_wait().expect("it is our child") {
                Some(status) => break status,
                None if began.elapsed() > self.limit => return Err(self.give_up(child)),
                None => std::thread::sleep(Duration::from_millis(4)),
            }
        };
        let took = began.elapsed();
        let read = |name| std::fs::read(self.folder.path().join(name)).expect("it was created");
        let (stdout, stderr) = (read("stdout"), String::from_utf8_lossy(&read("stderr")).into_owned());
        Ok(Ran { folder: self.folder, status, stdout, stderr, took, mark: self.mark })
    }

    fn give_up(&self, mut child: Child) -> String {
        for pid in marked(&self.mark) {
            kill(pid);
        }
        let _ = child.wait();
        let said = std::fs::read(self.folder.path().join("stderr")).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        format!("{:?} did not end within {:?}; it said:\n{said}", self.command, self.limit)
    }
}

impl Ran {
    /// The trace that `view --json` wrote.
    pub(crate) fn trace(&self) -> Result<Trace, String> {
        let path = self.folder.path().join("view.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("no trace: {error}; exit {}, stderr:\n{}", self.status, self.stderr))?;
        let value = serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
        Trace::read(&value)
    }

    /// Bytes of the JSON.
    pub(crate) fn json_bytes(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("view.json")).map_or(0, |about| about.len())
    }

    /// What the program wrote to stderr: without memsight's own lines.
    pub(crate) fn program_stderr(&self) -> String {
        let is_programs = |line: &&str| !line.starts_with("memsight");
        self.stderr.split_inclusive('\n').filter(is_programs).collect()
    }

    /// Command lines of what it started and what still runs after two seconds; those are killed.
    pub(crate) fn left_running(&self) -> Vec<String> {
        let began = Instant::now();
        let mut left = marked(&self.mark);
        while !left.is_empty() && began.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(10));
            left = marked(&self.mark);
        }
        let tell = |&pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            kill(pid);
            format!("{pid}: {}", String::from_utf8_lossy(&line).replace('\0', " "))
        };
        left.iter().map(tell).collect()
    }
}

/// Processes with the mark in their environment that have not ended.
fn marked(mark: &str) -> Vec<u32> {
    let wanted = format!("{MARK}={mark}").into_bytes();
    let ids = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_mark = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == wanted)
    };
    ids.filter(has_mark).collect()
}

fn kill(pid: u32) {
    // It may have ended by itself in between.
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
}
