//! `memsight view` of a C program, and valgrind's verdict on the same one.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support_c::memsight;

/// A program of the gallery.
pub(crate) fn gallery(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/view/c").join(name)
}

/// What `memsight view --json` made of a program.
pub(crate) struct View {
    pub(crate) trace: Value,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Views a program that memsight can view. The arguments follow the program.
pub(crate) fn view(program: &Path, arguments: &[&str]) -> View {
    view_with(&[], program, arguments, "")
}

/// Views a program that is given as text.
pub(crate) fn view_text(text: &str, arguments: &[&str]) -> View {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program.c");
    std::fs::write(&program, text).unwrap();
    view(&program, arguments)
}

/// The same, with options, and with something on the program's stdin.
pub(crate) fn view_with(options: &[&str], program: &Path, arguments: &[&str], input: &str) -> View {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("view.json");
    let mut command = Command::new(memsight());
    command.arg("view").arg("--json").arg(&json).args(options).arg(program).args(arguments);
    let output = run(command, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {said}", output.status);
    let trace = std::fs::read_to_string(&json).unwrap_or_else(|error| panic!("no JSON: {error}; {said}"));
    View {
        trace: serde_json::from_str(&trace).expect("the trace is JSON"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: said,
    }
}

/// Runs a command that is given something on its stdin.
pub(crate) fn run(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be run");
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

impl View {
    pub(crate) fn steps(&self) -> &[Value] {
        self.trace["steps"].as_array().expect("a trace has steps")
    }

    pub(crate) fn last(&self) -> &Value {
        self.steps().last().expect("a trace has a step")
    }

    /// The first step before this line runs.
    pub(crate) fn at_line(&self, line: u64) -> &Value {
        let found = self.steps().iter().find(|step| step["line"] == line);
        found.unwrap_or_else(|| panic!("no step at line {line}"))
    }

    /// The function that runs.
    pub(crate) fn function<'a>(&self, step: &'a Value) -> &'a str {
        let stack = step["stack"].as_array().expect("a step has a stack");
        stack.last().map_or("", |frame| frame["function"].as_str().unwrap())
    }

    /// What a name of the innermost frame holds.
    pub(crate) fn name<'a>(&self, step: &'a Value, name: &str) -> &'a Value {
        let stack = step["stack"].as_array().expect("a step has a stack");
        let value = &stack.last().expect("a frame")["names"][name];
        assert!(value.is_object(), "no {name} in {stack:?}");
        value
    }

    /// The object that a name refers to.
    pub(crate) fn target(&self, step: &Value, name: &str) -> String {
        let value = self.name(step, name);
        value["ref"].as_str().unwrap_or_else(|| panic!("{name} is {value}")).to_owned()
    }

    /// What nothing leads to at a step.
    pub(crate) fn unreached<'a>(&self, step: &'a Value) -> Vec<&'a Value> {
        let heap = step["heap"].as_object().expect("a step has a heap");
        heap.values().filter(|object| object["standing"] == "unreached").collect()
    }

    /// The line that runs next when something is first lost.
    pub(crate) fn first_unreached_line(&self) -> u64 {
        let found = self.steps().iter().find(|step| !self.unreached(step).is_empty());
        found.expect("something is lost")["line"].as_u64().unwrap()
    }

    /// Blocks and bytes that nothing leads to at the end.
    pub(crate) fn leaked(&self) -> (u64, u64) {
        let lost = self.unreached(self.last());
        (lost.len() as u64, lost.iter().map(|object| object["bytes"].as_u64().unwrap()).sum())
    }

    /// The steps that are faults, and what is said of them.
    pub(crate) fn faults(&self) -> Vec<(usize, String)> {
        let steps = self.steps().iter().enumerate();
        let faults = steps.filter(|(_, step)| step["event"] == "exception");
        faults.map(|(at, step)| (at, step["say"].as_str().unwrap().to_owned())).collect()
    }

    pub(crate) fn only_fault(&self) -> (usize, String) {
        let mut faults = self.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    }
}

/// What valgrind says of a program.
pub(crate) struct Valgrind {
    text: String,
}

impl Valgrind {
    /// Of a program of the gallery, compiled as memsight compiles it.
    pub(crate) fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        let mut cc = Command::new("cc");
        cc.args(["-g", "-O0", "-fno-omit-frame-pointer", "-fno-stack-protector", "-w", "-o"]);
        let compiled = cc.arg(&program).arg(gallery(name)).status().expect("there is a cc");
        assert!(compiled.success());
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--leak-check=full", "--show-leak-kinds=definite,indirect"]).arg(&program);
        let output = valgrind.output().expect("there is a valgrind");
        Valgrind { text: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    /// Blocks and bytes that are lost, directly or with others.
    pub(crate) fn leaked(&self) -> (u64, u64) {
        if self.text.contains("All heap blocks were freed") {
            return (0, 0);
        }
        ["definitely lost: ", "indirectly lost: "].iter().fold((0, 0), |(blocks, bytes), word| {
            let rest = self.text.split(word).nth(1).unwrap_or_else(|| panic!("{}", self.text));
            let number = |text: &str| text.replace(',', "").parse::<u64>().unwrap();
            let mut words = rest.split_whitespace();
            let lost = number(words.next().unwrap());
            (blocks + number(words.nth(2).unwrap()), bytes + lost)
        })
    }

    /// The program's lines in the reports of a kind, in order.
    pub(crate) fn lines_of(&self, kind: &str) -> Vec<u64> {
        let mut lines = Vec::new();
        let mut inside = false;
        for line in self.text.lines() {
            let text = line.split_once("== ").map_or("", |(_, text)| text);
            if text.is_empty() || text.starts_with("LEAK SUMMARY") {
                inside = false;
            } else if text.contains(kind) && !text.starts_with(' ') {
                inside = true;
            }
            let place: Option<u64> =
                text.rsplit_once(".c:").and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok());
            lines.extend(place.filter(|_| inside));
        }
        lines
    }

    /// The signal that ended the program.
    pub(crate) fn signal(&self) -> Option<String> {
        let (_, rest) = self.text.split_once("default action of signal ")?;
        let (_, rest) = rest.split_once('(')?;
        Some(rest.split_once(')')?.0.to_owned())
    }
}
