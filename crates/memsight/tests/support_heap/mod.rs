//! What the tests of snapshots share: programs that are recorded while they run, and what
//! `memsight heap` says.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use serde_json::Value;

use crate::support::{Python, memsight, number, program};

/// A program that is being recorded, and runs until it is told to stop.
pub(crate) struct Running {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    pub(crate) pid: String,
}

impl Running {
    /// `memsight run` with options of its own; the program prints its process id first.
    pub(crate) fn start(python: &Python, options: &[&str], code: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(memsight());
        command.args(["run", "-o"]).arg(folder.path().join("run.msight")).args(options);
        command.arg("--python").arg(&python.path).arg("--").args(code);
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("COLUMNS", "100");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut pid = String::new();
        stdout.read_line(&mut pid).unwrap();
        Running { folder, child, stdout, pid: pid.trim().into() }
    }

    /// The growing program.
    pub(crate) fn grow(python: &Python, options: &[&str]) -> Self {
        let stop = tempfile::tempdir().unwrap().keep().join("stop");
        let file = program("heap_grows.py");
        let mut running = Self::start(python, options, &[file.to_str().unwrap(), stop.to_str().unwrap()]);
        std::os::unix::fs::symlink(stop.parent().unwrap(), running.folder.path().join("stop-folder"))
            .unwrap();
        running.wait_for_rows();
        running
    }

    /// Until the program surely is at its own work.
    pub(crate) fn wait_for_rows(&mut self) {
        std::thread::sleep(std::time::Duration::from_millis(300));
    }

    pub(crate) fn capture(&self) -> PathBuf {
        self.folder.path().join("run.msight")
    }

    /// Lets the program end. Gives how, what it printed at the end, and what memsight said.
    pub(crate) fn stop(mut self) -> (ExitStatus, String, String, tempfile::TempDir) {
        let stop = self.folder.path().join("stop-folder");
        std::fs::write(stop.join("stop"), "").unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let status = self.child.wait().unwrap();
        std::fs::remove_dir_all(stop.canonicalize().unwrap()).unwrap();
        (status, out.trim().into(), err, self.folder)
    }
}

pub(crate) fn heap(arguments: &[&str]) -> Output {
    Command::new(memsight()).arg("heap").args(arguments).env("COLUMNS", "100").output().unwrap()
}

pub(crate) fn heap_json(what: &str, more: &[&str]) -> Value {
    let output = heap(&[&[what, "--json"], more].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many objects of a type there are.
pub(crate) fn count_of(heap: &Value, name: &str) -> i64 {
    let types = heap["types"].as_array().unwrap();
    types.iter().find(|row| row["type"] == name).map_or(0, |row| number(&row["count"]))
}

pub(crate) fn refusal(arguments: &[&str]) -> String {
    let output = heap(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// `memsight run` with these options, to the end. Gives the capture's folder and both outputs.
pub(crate) fn run(python: &Python, options: &[&str], code: &[&str]) -> (tempfile::TempDir, String, String) {
    let (folder, status, out, err) = run_somehow(python, options, code);
    assert!(status.success(), "{python}: {status}: {err}");
    (folder, out, err)
}

/// The same for a program that may be killed.
pub(crate) fn run_somehow(
    python: &Python,
    options: &[&str],
    code: &[&str],
) -> (tempfile::TempDir, ExitStatus, String, String) {
    let mut running = Command::new(memsight());
    let folder = tempfile::tempdir().unwrap();
    running.args(["run", "-o"]).arg(folder.path().join("run.msight")).args(options);
    running.arg("--python").arg(&python.path).arg("--").args(code);
    running.env("PYTHONDONTWRITEBYTECODE", "1").env("COLUMNS", "140");
    let output = running.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    (folder, output.status, out, err)
}

pub(crate) fn run_msight(folder: &tempfile::TempDir) -> String {
    folder.path().join("run.msight").to_str().unwrap().into()
}
