//! The tools that are compared: how each is told to record a program and to read
//! what it recorded.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::os::{Run, run_to_the_last};

use super::workloads::Workload;

/// A way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tool {
    /// By itself.
    Plain,
    /// `memsight run --track objects`
    Objects,
    /// `memsight run --track heap`
    Heap,
    /// `memray run`
    Memray,
    /// `memray run --trace-python-allocators`
    MemrayPython,
}

impl Tool {
    /// All of them, in the order they take turns.
    pub(super) const ALL: [Tool; 5] =
        [Tool::Plain, Tool::Objects, Tool::Heap, Tool::Memray, Tool::MemrayPython];

    /// Its name at the head of a column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tool::Plain => "plain",
            Tool::Objects => "memsight",
            Tool::Heap => "--track heap",
            Tool::Memray => "memray",
            Tool::MemrayPython => "memray python",
        }
    }

    /// Whether it needs the `memsight` binary.
    pub(super) fn is_memsight(self) -> bool {
        matches!(self, Tool::Objects | Tool::Heap)
    }
}

/// What a benchmark runs with: interpreter, memsight, and a folder for what they write.
pub(super) struct Bench {
    folder: PathBuf,
    python: PathBuf,
    memsight: Option<PathBuf>,
}

/// A program's arguments as Python takes them.
pub(super) type Program = Vec<OsString>;

/// What came of recording a program once.
pub(super) struct Recorded {
    /// Times, of everything down to the last process.
    pub(super) run: Run,
    /// Length of what was written, in bytes, over all files.
    pub(super) capture_bytes: u64,
    /// The most the program had resident, in bytes, if it said so.
    pub(super) rss_bytes: Option<u64>,
}

/// No run takes longer unless something is wrong.
const LIMIT: Duration = Duration::from_secs(900);

impl Bench {
    /// Makes the folder ready. `memsight` may be missing if no tool needs it.
    pub(super) fn new(folder: PathBuf, python: PathBuf, memsight: Option<PathBuf>) -> Result<Self> {
        let bench = Bench { folder, python, memsight };
        bench.clear_captures()?;
        Ok(bench)
    }

    /// The arguments that run a workload.
    pub(super) fn program(workload: &Workload) -> Program {
        let arguments = workload.arguments.iter().map(OsString::from);
        std::iter::once(workload.script().into()).chain(arguments).collect()
    }

    /// Runs `program` with `tool`. Earlier captures are gone after that.
    pub(super) fn record(&self, tool: Tool, program: &Program) -> Result<Recorded> {
        self.clear_captures()?;
        let rss = self.folder.join("rss");
        let _ = std::fs::remove_file(&rss);
        let mut command = self.command(tool)?;
        command.args(program).env("MEMSIGHT_BENCH_RSS", &rss).env("PYTHONHASHSEED", "0");
        let run = self.run(command)?;
        let rss_bytes = std::fs::read_to_string(&rss).ok().and_then(|text| text.parse().ok());
        Ok(Recorded { run, capture_bytes: self.captured_bytes()?, rss_bytes })
    }

    /// Reads the last capture of `tool` as its user would for totals. What it
    /// says goes to [`Bench::report_json`].
    pub(super) fn report(&self, tool: Tool) -> Result<Run> {
        let json = self.report_json();
        let _ = std::fs::remove_file(&json);
        if tool.is_memsight() {
            let mut command = Command::new(self.memsight()?);
            command.arg("report").arg(self.capture(tool)).arg("--json");
            let file = File::create(&json).with_context(|| format!("cannot write {}", json.display()))?;
            return self.run_to(command, file.into());
        }
        let mut command = Command::new(&self.python);
        command.args(["-m", "memray", "stats", "--json", "-f", "-o"]).arg(&json).arg(self.capture(tool));
        self.run(command)
    }

    /// Where [`Bench::report`] leaves what was said.
    pub(super) fn report_json(&self) -> PathBuf {
        self.folder.join("report.json")
    }

    fn command(&self, tool: Tool) -> Result<Command> {
        let mut command = Command::new(match tool {
            Tool::Objects | Tool::Heap => self.memsight()?,
            Tool::Plain | Tool::Memray | Tool::MemrayPython => &self.python,
        });
        match tool {
            Tool::Plain => {}
            Tool::Objects | Tool::Heap => {
                let track = if tool == Tool::Heap { "heap" } else { "objects" };
                command.args(["run", "-q", "--track", track, "--python"]).arg(&self.python);
                command.arg("-o").arg(self.capture(tool)).arg("--");
            }
            Tool::Memray | Tool::MemrayPython => {
                command.args(["-m", "memray", "run", "-f", "-q", "-o"]).arg(self.capture(tool));
                command.args((tool == Tool::MemrayPython).then_some("--trace-python-allocators"));
            }
        }
        Ok(command)
    }

    fn run(&self, command: Command) -> Result<Run> {
        self.run_to(command, Stdio::null())
    }

    fn run_to(&self, mut command: Command, stdout: Stdio) -> Result<Run> {
        let errors = self.folder.join("stderr");
        let file = File::create(&errors).with_context(|| format!("cannot write {}", errors.display()))?;
        command.stdin(Stdio::null()).stdout(stdout).stderr(file);
        let line = format!("{command:?}");
        let run = run_to_the_last(command, LIMIT)?;
        if run.exit_code != Some(0) {
            let said = std::fs::read_to_string(&errors).unwrap_or_default();
            let how = run.exit_code.map_or("a signal".into(), |code| format!("exit code {code}"));
            bail!("{line} ended with {how}: {}", said.trim_end());
        }
        Ok(run)
    }

    fn memsight(&self) -> Result<&Path> {
        self.memsight.as_deref().context("memsight was not built")
    }

    fn captures(&self) -> PathBuf {
        self.folder.join("captures")
    }

    fn capture(&self, tool: Tool) -> PathBuf {
        self.captures().join(if tool.is_memsight() { "run.msight" } else { "run.memray" })
    }

    fn clear_captures(&self) -> Result<()> {
        let captures = self.captures();
        let _ = std::fs::remove_dir_all(&captures);
        std::fs::create_dir_all(&captures).with_context(|| format!("cannot make {}", captures.display()))
    }

    fn captured_bytes(&self) -> Result<u64> {
        let captures = self.captures();
        let files =
            std::fs::read_dir(&captures).with_context(|| format!("cannot list {}", captures.display()))?;
        Ok(files.flatten().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum())
    }
}
