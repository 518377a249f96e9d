//! Programs in C, compiled when a test runs, and what memsight records of them.
//!
//! What the C library itself allocates at start-up differs between machines, so
//! figures are differences: a program runs once as it is and once with the last
//! argument `skip`, which leaves out the calls that are looked at.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod python;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A folder for one test's programs and captures.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    runs: AtomicU32,
}

/// One recorded run.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) capture: PathBuf,
    /// What `run --json` wrote, `Null` if it wrote nothing.
    pub(crate) json: Value,
}

/// What a report says was allocated and freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) allocations: i64,
    pub(crate) bytes: i64,
    pub(crate) frees: i64,
    pub(crate) freed_bytes: i64,
    pub(crate) live_blocks: i64,
    pub(crate) live_bytes: i64,
}

/// What a case comes to if everything it allocates is freed.
pub(crate) fn all_freed(blocks: i64, bytes: i64) -> Totals {
    Totals { allocations: blocks, bytes, frees: blocks, freed_bytes: bytes, live_blocks: 0, live_bytes: 0 }
}

/// Where `memsight` and its recorder are.
pub(crate) fn bin_dir() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release");
    std::env::var_os("MEMSIGHT_BIN_DIR").map_or_else(built, PathBuf::from)
}

/// The command line, as built.
pub(crate) fn memsight() -> PathBuf {
    bin_dir().join("memsight")
}

impl Lab {
    pub(crate) fn new() -> Self {
        Lab { folder: tempfile::tempdir().unwrap(), runs: AtomicU32::new(0) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Compiles `programs/NAME.c` (or `.cpp`) to `NAME`.
    pub(crate) fn compile(&self, source: &str) -> PathBuf {
        self.compile_with(source, source.split('.').next().unwrap(), &["-pthread"])
    }

    /// Compiles `programs/SOURCE` to `output` with more flags.
    pub(crate) fn compile_with(&self, source: &str, output: &str, flags: &[&str]) -> PathBuf {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(source);
        let to = self.path(output);
        let compiler = if source.ends_with(".cpp") { "c++" } else { "cc" };
        let done = Command::new(compiler)
            .args(["-O1", "-fno-builtin", "-g", "-o"])
            .arg(&to)
            .arg(&from)
            .args(flags)
            .output()
            .unwrap();
        assert!(done.status.success(), "{source}: {}", String::from_utf8_lossy(&done.stderr));
        to
    }

    /// A capture's path that is not taken yet.
    pub(crate) fn new_capture(&self) -> PathBuf {
        self.path(&format!("run{}.msight", self.runs.fetch_add(1, Ordering::Relaxed)))
    }

    /// `memsight run -q --json … -o …` before a program, in the folder. A run
    /// that hangs is killed, and its test fails by its exit code.
    pub(crate) fn run_command(&self, capture: &Path, options: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--foreground", "-s", "KILL", "60"]).arg(memsight());
        command.args(["run", "-q", "--json"]).arg(capture.with_extension("json"));
        command.arg("-o").arg(capture).args(options).arg("--").current_dir(self.folder());
        command.env("MEMSIGHT_PRELOAD", bin_dir().join("libmemsight_preload.so"));
        command
    }

    /// Records a program.
    pub(crate) fn record<S: AsRef<OsStr>>(&self, program: &[S]) -> Run {
        self.record_with(&[], program)
    }

    /// Records a program, with options of `memsight run`.
    pub(crate) fn record_with<S: AsRef<OsStr>>(&self, options: &[&str], program: &[S]) -> Run {
        let capture = self.new_capture();
        let mut command = self.run_command(&capture, options);
        command.args(program);
        self.finish(command, capture)
    }

    /// Records a program that a shell starts after `preparation` (`ulimit …`).
    pub(crate) fn record_after(&self, preparation: &str, program: &[&str]) -> Run {
        let capture = self.new_capture();
        let run = self.run_command(&capture, &[]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{preparation}; exec \"$@\"")).arg("sh");
        shell.arg(run.get_program()).args(run.get_args()).args(program).current_dir(self.folder());
        shell.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.finish(shell, capture)
    }

    /// Runs a command that [`Lab::run_command`] began.
    pub(crate) fn finish(&self, mut command: Command, capture: PathBuf) -> Run {
        Run::of(command.output().unwrap(), capture)
    }

    /// What a case of a program allocates and frees: the run less the same with `skip`.
    pub(crate) fn cost(&self, program: &Path, arguments: &[&str]) -> Totals {
        let once = |last: &str| {
            let mut command = vec![program.to_str().unwrap()];
            command.extend(arguments);
            command.push(last);
            let run = self.record(&command);
            run.ok();
            run.totals()
        };
        once("run").less(once("skip"))
    }

    /// `memsight report --json` of a capture.
    pub(crate) fn report(&self, capture: &Path) -> Value {
        let output = Command::new("timeout")
            .args(["-s", "KILL", "60"])
            .arg(memsight())
            .arg("report")
            .arg(capture)
            .arg("--json")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "report of {}: {said}", capture.display());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Run {
    pub(crate) fn of(output: Output, capture: PathBuf) -> Self {
        let json = std::fs::read(capture.with_extension("json")).unwrap_or_default();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            capture,
            json: serde_json::from_slice(&json).unwrap_or_default(),
        }
    }

    /// The program ended with 0 and was recorded to its end, without a word.
    pub(crate) fn ok(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.complete()
    }

    /// The program was recorded to its end, without a word.
    pub(crate) fn complete(&self) -> &Self {
        assert_eq!(self.stderr, "");
        assert_eq!(self.json["complete"], true, "{:#}", self.json);
        assert_eq!(self.json["overhead"]["lost_events"], 0);
        self
    }

    pub(crate) fn totals(&self) -> Totals {
        totals(&self.json)
    }

    /// The one line that memsight says.
    pub(crate) fn only_line(&self) -> &str {
        let mut lines = self.stderr.lines();
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with("memsight: ") && lines.next().is_none(), "one line: {:?}", self.stderr);
        line
    }
}

/// The totals of a report.
pub(crate) fn totals(json: &Value) -> Totals {
    let number =
        |part: &str, key: &str| json[part][key].as_i64().unwrap_or_else(|| panic!("{part}.{key}: {json}"));
    Totals {
        allocations: number("totals", "allocations"),
        bytes: number("totals", "allocated_bytes"),
        frees: number("totals", "frees"),
        freed_bytes: number("totals", "freed_bytes"),
        live_blocks: number("end", "live_blocks"),
        live_bytes: number("end", "live_bytes"),
    }
}

impl Totals {
    pub(crate) fn less(self, other: Totals) -> Totals {
        Totals {
            allocations: self.allocations - other.allocations,
            bytes: self.bytes - other.bytes,
            frees: self.frees - other.frees,
            freed_bytes: self.freed_bytes - other.freed_bytes,
            live_blocks: self.live_blocks - other.live_blocks,
            live_bytes: self.live_bytes - other.live_bytes,
        }
    }
}
