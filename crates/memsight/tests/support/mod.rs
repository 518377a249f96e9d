//! What the end-to-end tests share: the built memsight, every CPython of the
//! machine, and one recorded run of a program.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use memsight_capture::{Reader, Record};
use serde_json::Value;

/// The minor versions of CPython 3 that are recorded.
pub(crate) const MINORS: std::ops::RangeInclusive<u32> = 9..=13;

/// A CPython of the machine.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// The 11 of 3.11.
    pub(crate) minor: u32,
    /// The executable itself, no shim.
    pub(crate) path: PathBuf,
}

impl Python {
    /// Runs this interpreter without memsight.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

impl std::fmt::Display for Python {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Python 3.{} ({})", self.minor, self.path.display())
    }
}

/// The newest release of each minor version, oldest first. Says which are
/// missing; none at all is a failure.
pub(crate) fn pythons() -> &'static [Python] {
    static FOUND: OnceLock<Vec<Python>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let mut found = BTreeMap::new();
        for candidate in candidates() {
            if let Some((version, path)) = identify(&candidate) {
                let best = found.entry(version.0).or_insert_with(|| (version.1, path.clone()));
                if version.1 > best.0 {
                    *best = (version.1, path);
                }
            }
        }
        for minor in MINORS.filter(|minor| !found.contains_key(minor)) {
            eprintln!("no Python 3.{minor} on this machine: nothing is tested with it");
        }
        found.into_iter().map(|(minor, (_, path))| Python { minor, path }).collect()
    });
    assert!(!found.is_empty(), "no CPython 3.9 to 3.13 on PATH or below PYENV_ROOT: nothing can be tested");
    found
}

/// Interpreters that may be there: pyenv's, then those on PATH.
fn candidates() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    let roots = std::env::var_os("PYENV_ROOT").map(PathBuf::from).into_iter().chain(home);
    let versions = roots.filter_map(|root| std::fs::read_dir(root.join("versions")).ok());
    let mut all: Vec<PathBuf> =
        versions.flatten().flatten().map(|entry| entry.path().join("bin/python3")).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path) {
        all.extend(MINORS.map(|minor| folder.join(format!("python3.{minor}"))));
    }
    all.retain(|candidate| candidate.exists());
    all
}

/// Asks an interpreter for ((minor, micro), its true path); `None` if it is not one to test with.
fn identify(candidate: &Path) -> Option<((u32, u32), PathBuf)> {
    const ASK: &str = "import sys; v = sys.version_info; \
        print(sys.implementation.name, v[0], v[1], v[2], sys.executable)";
    let asked = Command::new(candidate).args(["-I", "-S", "-c", ASK]).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(asked.stdout).ok()?;
    let words: Vec<&str> = said.trim().splitn(5, ' ').collect();
    let ["cpython", "3", minor, micro, path] = words[..] else { return None };
    let minor = minor.parse().ok().filter(|minor| MINORS.contains(minor))?;
    Some(((minor, micro.parse().ok()?), path.into()))
}

/// The memsight to test: of `MEMSIGHT_BIN_DIR`, else of the workspace's release build.
pub(crate) fn memsight() -> PathBuf {
    let folder = match std::env::var_os("MEMSIGHT_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release"),
    };
    for name in ["memsight", "libmemsight_preload.so"] {
        let file = folder.join(name);
        assert!(
            file.is_file(),
            "{} is missing: cargo build --release -p memsight -p memsight-preload, or set MEMSIGHT_BIN_DIR",
            file.display()
        );
    }
    folder.join("memsight")
}

/// A Python program of `tests/programs`.
pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name)
}

/// What is left of a recorded run.
pub(crate) struct Recorded {
    folder: tempfile::TempDir,
    /// How the program ended, and what it wrote.
    pub(crate) output: Output,
}

impl Recorded {
    /// The capture of the program.
    pub(crate) fn capture(&self) -> PathBuf {
        self.folder.path().join("run.msight")
    }

    /// What the program wrote to stdout, if it ended with 0.
    pub(crate) fn stdout(&self) -> String {
        let (out, err) = (&self.output.stdout, String::from_utf8_lossy(&self.output.stderr));
        assert!(self.output.status.success(), "{}:\n{err}", self.output.status);
        String::from_utf8(out.clone()).expect("the program writes UTF-8")
    }

    /// The report that `run --json` wrote.
    pub(crate) fn report(&self) -> Value {
        let path = self.folder.path().join("run.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("no report: {error}; memsight said:\n{}", String::from_utf8_lossy(&self.output.stderr))
        });
        serde_json::from_str(&text).expect("the report is JSON")
    }

    /// The capture of a process that the program started.
    pub(crate) fn capture_of(&self, pid: &str) -> PathBuf {
        self.folder.path().join(format!("run.{pid}.msight"))
    }

    /// The words of the capture's last record.
    pub(crate) fn end_detail(&self) -> String {
        let mut reader = Reader::open(self.capture()).expect("the capture opens");
        let mut detail = None;
        while let Some(record) = reader.next_record() {
            if let Record::End(end) = record {
                detail = Some(String::from_utf8_lossy(end.detail).into_owned());
            }
        }
        detail.unwrap_or_else(|| panic!("the capture has no last record: it {}", reader.ending()))
    }
}

/// `memsight run -q` with a capture and a report in a folder of their own. The
/// program follows as further arguments.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    /// To be given the program and its surroundings.
    pub(crate) command: Command,
}

impl Run {
    pub(crate) fn new(python: Option<&Python>) -> Self {
        Run::with(python, &[])
    }

    /// With options of `memsight run`.
    pub(crate) fn with(python: Option<&Python>, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the capture");
        let mut command = Command::new(memsight());
        command.args(["run", "-q", "-o"]).arg(folder.path().join("run.msight"));
        command.arg("--json").arg(folder.path().join("run.json"));
        if let Some(python) = python {
            command.arg("--python").arg(&python.path);
        }
        command.args(options);
        command.arg("--").env("PYTHONDONTWRITEBYTECODE", "1");
        Run { folder, command }
    }

    /// The same, started by another program that is given it as its arguments.
    pub(crate) fn below(self, launcher: &[impl AsRef<OsStr>]) -> Self {
        let mut command = Command::new(&launcher[0]);
        command.args(&launcher[1..]).arg(self.command.get_program()).args(self.command.get_args());
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Run { command, ..self }
    }

    pub(crate) fn output(mut self, arguments: &[&dyn AsRef<OsStr>]) -> Recorded {
        self.command.args(arguments.iter().map(|argument| argument.as_ref()));
        let output = self.command.output().expect("memsight can be run");
        Recorded { folder: self.folder, output }
    }
}

/// Records a program of `tests/programs`.
pub(crate) fn record(python: &Python, name: &str) -> Recorded {
    Run::new(Some(python)).output(&[&program(name)])
}

/// Records a program of `tests/programs` and its object graph.
pub(crate) fn record_heap(python: &Python, name: &str) -> Recorded {
    record_heap_with(python, name, &[])
}

/// The same, in an environment with these variables.
pub(crate) fn record_heap_with(python: &Python, name: &str, environment: &[(&str, &str)]) -> Recorded {
    let mut run = Run::new(Some(python));
    let arguments: Vec<_> = run.command.get_args().map(OsStr::to_owned).collect();
    let mut command = Command::new(memsight());
    command.args(&arguments[..1]).args(["--heap", "exit"]).args(&arguments[1..]);
    run.command = command;
    run.command.env("PYTHONDONTWRITEBYTECODE", "1").envs(environment.iter().copied());
    run.output(&[&program(name)])
}

/// What `memsight ARGUMENTS` prints, which ends with 0.
pub(crate) fn answer(arguments: &[&dyn AsRef<OsStr>]) -> String {
    let output = Command::new(memsight())
        .args(arguments.iter().map(|argument| argument.as_ref()))
        .output()
        .expect("memsight can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("memsight prints UTF-8")
}

/// A whole number of a report.
pub(crate) fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

/// The sum of a number over a report's list.
pub(crate) fn sum(list: &Value, key: &str) -> i64 {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    list.iter().map(|entry| number(&entry[key])).sum()
}

/// Calls `test` for every CPython, two at a time, and returns what it returned.
pub(crate) fn each_python<T: Send>(test: impl Fn(&'static Python) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let more = || pythons().get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(more).map(&test).collect::<Vec<T>>()
    };
    std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        let done =
            workers.map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.into_iter().flatten().collect()
    })
}
