//! Copies and writers that are killed or stopped while a snapshot is taken.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Python, each_python, memsight};
use support_heap::{Running, count_of, heap_json, refusal, run, run_msight};

mod support;
mod support_heap;

/// Processes of a command line with these words in it, and of a name that begins so.
fn processes(words: &str, name: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let read = |id: &str, file: &str| std::fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    let is_it = |id: &String| {
        let is_its = String::from_utf8_lossy(&read(id, "cmdline")).contains(words);
        is_its && String::from_utf8_lossy(&read(id, "comm")).starts_with(name)
    };
    ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).filter(is_it).collect()
}

/// Waits until it is so, for a while.
fn comes_to_be(mut is_so: impl FnMut() -> bool) -> bool {
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 20 {
        if is_so() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    false
}

fn send(signal: &str, id: &str) {
    assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
}

/// A program whose copy never comes to its end, and the copy's process id.
fn with_a_copy_that_hangs(python: &Python, words: &str) -> (Running, String) {
    const CODE: &str = "import ctypes, gc, os, signal, time
gc.disable()
class Slow: pass
KEPT = Slow()
traverse = ctypes.c_void_p.from_address(id(Slow) + 184)
before, traverse.value = traverse.value, ctypes.cast(ctypes.CDLL(None).pause, ctypes.c_void_p).value
print(os.getpid(), flush=True)
os.kill(os.getpid(), signal.SIGUSR2)
until = time.time() + 4
while time.time() < until: time.sleep(0.001); list(range(1000))
traverse.value = before
print('done')
";
    let code = format!("{CODE}# {words}");
    let running = Running::start(python, &["--heap-on-signal", "SIGUSR2"], &["-c", &code]);
    let mut copies = Vec::new();
    assert!(comes_to_be(|| {
        copies = processes(words, "memsight copy");
        !copies.is_empty()
    }));
    (running, copies.remove(0))
}

fn rest(running: &mut Running) -> String {
    let mut out = String::new();
    running.stdout.read_to_string(&mut out).unwrap();
    assert!(running.child.wait().unwrap().success());
    out
}

#[test]
fn a_copy_that_somebody_kills_is_said_and_no_type_is_blamed() {
    let words = format!("killed copy of {}", std::process::id());
    let python = support::pythons().last().unwrap();
    let (mut running, copy) = with_a_copy_that_hangs(python, &words);
    let score = std::fs::read_to_string(format!("/proc/{copy}/oom_score_adj")).unwrap();
    assert_eq!(score.trim(), "1000");
    send("-KILL", &copy);
    assert_eq!(rest(&mut running), "done\n");
    let said = refusal(&[running.capture().to_str().unwrap()]);
    assert!(said.contains("was killed: there may be too little memory for it"), "{said}");
    assert!(!said.contains("Slow"), "{said}");
}

#[test]
fn a_copy_ends_with_its_writer() {
    let words = format!("orphaned copy of {}", std::process::id());
    let python = support::pythons().last().unwrap();
    let (mut running, copy) = with_a_copy_that_hangs(python, &words);
    let writers = processes(&words, "memsight");
    let writer = writers.iter().find(|&id| *id != copy && *id != running.child.id().to_string());
    send("-KILL", writer.unwrap());
    assert!(comes_to_be(|| processes(&words, "memsight copy").is_empty()));
    assert_eq!(rest(&mut running), "done\n");
}

#[test]
fn a_writer_that_is_stopped_does_not_stop_the_program() {
    const CODE: &str = "import os, sys, time
class Thing: pass
THINGS = [Thing() for _ in range(77)]
print(os.getpid(), flush=True)
os.read(0, 1)
for _ in range(100): list(range(1000))
print('went on', flush=True)
until = time.time() + 2
while time.time() < until: time.sleep(0.001); list(range(1000))
# stopped writer of ";
    let words = format!("stopped writer of {}", std::process::id());
    let code = CODE.replace("stopped writer of ", &words);
    let python = support::pythons().last().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(memsight());
    command.args(["run", "-q", "-o"]).arg(folder.path().join("run.msight"));
    command.arg("--python").arg(&python.path).args(["--", "-c", &code]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut pid = String::new();
    stdout.read_line(&mut pid).unwrap();
    let asks = Command::new(memsight()).args(["heap", pid.trim(), "--json"]).stdout(Stdio::piped()).spawn();
    let mut writers = Vec::new();
    assert!(comes_to_be(|| {
        writers = processes(&words, "memsight asked");
        !writers.is_empty()
    }));
    // It has also said that a thread is to stand still by the time that it is stopped.
    std::thread::sleep(std::time::Duration::from_millis(100));
    send("-STOP", &writers[0]);
    drop(child.stdin.take());
    let (said, line) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        said.send(line).unwrap();
    });
    let line = line.recv_timeout(std::time::Duration::from_secs(20));
    send("-CONT", &writers[0]);
    assert_eq!(line.as_deref(), Ok("went on\n"));
    let answer = asks.unwrap().wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(count_of(&answer, "__main__.Thing"), 77);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_forked_child_takes_no_snapshot_that_its_parent_was_asked_for() {
    const CODE: &str = "import os, signal, time
def work():
    until = time.time() + 0.5
    while time.time() < until: time.sleep(0.001); list(range(1000))
os.kill(os.getpid(), signal.SIGUSR2)
work()
child = os.fork()
KEPT = [object() for _ in range(100000)]
work()
if child: os.waitpid(child, 0)";
    each_python(|python| {
        let (folder, ..) = run(python, &["--heap-on-signal", "SIGUSR2"], &["-c", CODE]);
        let captures = std::fs::read_dir(folder.path()).unwrap().flatten();
        let captures: Vec<_> = captures.map(|entry| entry.path().to_str().unwrap().to_owned()).collect();
        let (parent, child) =
            (run_msight(&folder), captures.iter().find(|path| !path.ends_with("/run.msight")));
        assert_eq!(heap_json(&parent, &["-n", "0"])["snapshots"], 1, "{python}");
        let said = refusal(&[child.unwrap()]);
        assert!(said.contains("has no object graph; record with"), "{python}: {said}");
    });
}
