//! Wrong usage, and programs that cannot be recorded: nothing runs, the exit
//! code is 2, and the message says what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use memsight_insight::testing::{Writer, start};

/// Stands for the recorder in tests that record nothing.
const ANY_FILE: &str = "/proc/self/exe";

fn memsight(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_memsight"))
        .args(arguments)
        .current_dir(folder)
        .env("MEMSIGHT_PRELOAD", ANY_FILE)
        .output()
        .unwrap()
}

/// Runs memsight, which must exit with 2 and say all of `words` on stderr.
fn refuses(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = memsight(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: no '{word}' in: {said}");
    }
}

fn program(path: &Path, content: &[u8], mode: u32) {
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    refuses(here, &[], &["Usage"]);
    refuses(here, &["nonsense"], &["nonsense"]);
    refuses(here, &["run"], &["PROGRAM"]);
    refuses(here, &["run", "--bogus", "x.py"], &["--bogus", "--help"]);
    refuses(here, &["run", "--budget", "much", "true"], &["no size"]);
    refuses(here, &["run", "--budget", "5XB", "true"], &["unit"]);
    refuses(here, &["run", "--json", ".", "true"], &["folder"]);
    refuses(here, &["run", "--json", "/no/such/a.json", "true"], &["--json", "/no/such"]);
    refuses(here, &["run", "-m"], &["module"]);
    refuses(here, &["run", "--native", "true"], &["native stacks"]);
    refuses(here, &["run", "--heap", "end", "true"], &["end", "exit"]);
    refuses(here, &["run", "--heap", "exit", "--track", "heap", "true"], &["--track heap"]);
    refuses(here, &["report"], &["CAPTURE"]);
    refuses(here, &["report", "x", "--html", "y"], &["later version"]);
    refuses(here, &["report", "x", "--at", "soon"], &["no time"]);
    refuses(here, &["report", "x", "--by", "type", "--at", "peak"], &["--at end"]);
    refuses(here, &["heap"], &["CAPTURE"]);
    refuses(here, &["diff", "x"], &["AFTER"]);
    refuses(here, &["diff", "x", "y", "--fail-on-increase", "abc"], &["percent"]);
    refuses(here, &["compare", "-n", "0", "a", "b"], &["0"]);
    refuses(here, &["compare", "'true", "true"], &["quote"]);
    refuses(here, &["compare", "true", ""], &["B is empty"]);
    refuses(here, &["compare", "true", "no-such-program"], &["B: no-such-program"]);
}

#[test]
fn help_and_version_go_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    for argument in ["--help", "--version"] {
        let output = memsight(folder.path(), &[argument]);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains("memsight"));
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_program_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    refuses(here, &["run", "no-such-program"], &["no-such-program", "PATH"]);
    refuses(here, &["run", "./no-such-program"], &["no such file"]);
    refuses(here, &["run", "none.py"], &["none.py", "no such script"]);
    refuses(here, &["run", "--python", "/no/python", "-c", "1"], &["--python", "/no/python"]);
    program(&here.join("local"), b"", 0o755);
    refuses(here, &["run", "local"], &["./local"]);
}

#[test]
fn a_program_that_cannot_be_executed_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    program(&here.join("data"), b"#!/bin/sh\n", 0o644);
    refuses(here, &["run", "./data"], &["chmod +x"]);
    refuses(here, &["run", "."], &["folder"]);
    program(&here.join("text"), b"hello", 0o755);
    refuses(here, &["run", "./text"], &["#!"]);
    program(&here.join("lost"), b"#!/no/such/interpreter -x\n", 0o755);
    refuses(here, &["run", "./lost"], &["/no/such/interpreter"]);
    program(&here.join("lost-env"), b"#!/usr/bin/env no-such-language\n", 0o755);
    refuses(here, &["run", "./lost-env"], &["no-such-language", "first line"]);
}

#[test]
fn executables_that_take_no_preload_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut elf = vec![0; 64];
    elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
    elf[18] = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    elf[54] = 56;
    program(&here.join("static"), &elf, 0o755);
    refuses(here, &["run", "./static"], &["statically linked", "-static"]);
    elf[4] = 1;
    program(&here.join("small"), &elf, 0o755);
    refuses(here, &["run", "./small"], &["another kind of processor"]);
    elf[4] = 2;
    elf[32] = 64;
    elf[56] = 1;
    elf.extend_from_slice(&[0; 56]);
    elf[64] = 3;
    elf[64 + 8] = 120;
    elf[64 + 32] = 26;
    elf.extend_from_slice(b"/lib/ld-musl-x86_64.so.1\0\0");
    program(&here.join("musl"), &elf, 0o755);
    refuses(here, &["run", "./musl"], &["musl", "glibc"]);
}

#[test]
fn interpreters_that_are_too_old_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let real = std::fs::read("/proc/self/exe").unwrap();
    for (name, word) in [("python3.8", "3.8"), ("python2.7", "2.7"), ("pypy3", "PyPy")] {
        program(&here.join(name), &real, 0o755);
        let path = here.join(name);
        refuses(here, &["run", "--python", path.to_str().unwrap(), "-c", "1"], &[word, "3.9"]);
    }
    refuses(here, &["run", "--python", "/bin/sh", "--", "/bin/true"], &["--python is for"]);
}

#[test]
fn a_capture_that_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let capture = Writer::new(start()).bytes();
    std::fs::write(here.join("a.msight"), &capture).unwrap();
    refuses(here, &["run", "-o", "a.msight", "true"], &["a.msight", "--force"]);
    refuses(here, &["run", "-o", ".", "true"], &["folder"]);
    assert_eq!(std::fs::read(here.join("a.msight")).unwrap(), capture);
    std::fs::write(here.join("orders.py"), "kept").unwrap();
    refuses(here, &["run", "--force", "-o", "orders.py", "true"], &["orders.py", "no capture"]);
    assert_eq!(std::fs::read(here.join("orders.py")).unwrap(), b"kept");
}

#[test]
fn a_missing_recorder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old.msight"), "kept").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_memsight"))
        .args(["run", "-o", "old.msight", "--force", "true"])
        .current_dir(folder.path())
        .env("MEMSIGHT_PRELOAD", "/nowhere/libmemsight_preload.so")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("MEMSIGHT_PRELOAD") && said.contains("no such file"), "{said}");
    assert_eq!(std::fs::read(folder.path().join("old.msight")).unwrap(), b"kept");
}

#[test]
fn without_a_place_for_the_capture_the_program_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let run =
        |script: &str| memsight(folder.path(), &["run", "-o", "/nowhere/a.msight", "--", "sh", "-c", script]);
    let output = run("echo out; exit 7");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"out\n");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("without being recorded"), "{said}");
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(run("kill -TERM $$").status.signal(), Some(15));
}

#[test]
fn signals_go_on_to_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = Command::new(env!("CARGO_BIN_EXE_memsight"))
        .args(["run", "-o", "/nowhere/a.msight", "--", "sh", "-c", script])
        .current_dir(folder.path())
        .env("MEMSIGHT_PRELOAD", ANY_FILE)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    use std::io::{BufRead, BufReader};
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(lines.next().unwrap().unwrap(), "got it");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}
