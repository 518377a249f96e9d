//! When snapshots of the object graph are taken: on `memsight heap PID`, on a signal,
//! near the peak, and when memory is refused.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use memsight_capture::{Reader, Record, SnapshotRecord};
use serde_json::Value;

use support::{Python, each_python, memsight, number, program};

mod support;

/// A program that is being recorded, and runs until it is told to stop.
struct Running {
    folder: tempfile::TempDir,
    child: Child,
    stdout: BufReader<ChildStdout>,
    pid: String,
}

impl Running {
    /// `memsight run` with options of its own; the program prints its process id first.
    fn start(python: &Python, options: &[&str], code: &[&str]) -> Self {
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
    fn grow(python: &Python, options: &[&str]) -> Self {
        let stop = tempfile::tempdir().unwrap().keep().join("stop");
        let file = program("heap_grows.py");
        let mut running = Self::start(python, options, &[file.to_str().unwrap(), stop.to_str().unwrap()]);
        std::os::unix::fs::symlink(stop.parent().unwrap(), running.folder.path().join("stop-folder"))
            .unwrap();
        running.wait_for_rows();
        running
    }

    /// Until the program surely is at its own work.
    fn wait_for_rows(&mut self) {
        std::thread::sleep(std::time::Duration::from_millis(300));
    }

    fn capture(&self) -> PathBuf {
        self.folder.path().join("run.msight")
    }

    /// Lets the program end. Gives how, what it printed at the end, and what memsight said.
    fn stop(mut self) -> (ExitStatus, String, String, tempfile::TempDir) {
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

fn heap(arguments: &[&str]) -> Output {
    Command::new(memsight()).arg("heap").args(arguments).env("COLUMNS", "100").output().unwrap()
}

fn heap_json(what: &str, more: &[&str]) -> Value {
    let output = heap(&[&[what, "--json"], more].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many objects of a type there are.
fn count_of(heap: &Value, name: &str) -> i64 {
    let types = heap["types"].as_array().unwrap();
    types.iter().find(|row| row["type"] == name).map_or(0, |row| number(&row["count"]))
}

fn refusal(arguments: &[&str]) -> String {
    let output = heap(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_running_program_is_asked_by_its_process_id_as_often_as_one_likes() {
    each_python(|python| {
        let running = Running::grow(python, &[]);
        let first = count_of(&heap_json(&running.pid, &[]), "__main__.Row");
        std::thread::sleep(std::time::Duration::from_millis(200));
        let second = count_of(&heap_json(&running.pid, &[]), "__main__.Row");
        assert!(0 < first && first < second, "{python}: {first}, then {second} rows");
        let held = heap(&[&running.pid, "--who-holds", "Row"]);
        let held = String::from_utf8(held.stdout).unwrap();
        assert!(held.contains("__main__.SHELF.rows[*]"), "{python}: {held}");
        let capture = running.capture();
        let (status, rows, _, _folder) = running.stop();
        assert!(status.success(), "{python}: {status}");
        let rows: i64 = rows.parse().unwrap();
        let last = count_of(&heap_json(capture.to_str().unwrap(), &[]), "__main__.Row");
        assert!(second <= last && last <= rows, "{python}: {second}, {last}, {rows}");
    });
}

#[test]
fn the_recording_goes_on_as_if_nobody_had_asked() {
    each_python(|python| {
        let running = Running::grow(python, &[]);
        for _ in 0..3 {
            heap_json(&running.pid, &[]);
        }
        let capture = running.capture();
        let (_, rows, _, _folder) = running.stop();
        let report = Command::new(memsight()).arg("report").arg(&capture).arg("--json").output().unwrap();
        let report: Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!(report["complete"], true, "{python}");
        assert_eq!(report["overhead"]["lost_events"], 0, "{python}");
        let rows: i64 = rows.parse().unwrap();
        let sites = report["sites"].as_array().unwrap();
        let text = std::fs::read_to_string(program("heap_grows.py")).unwrap();
        let line = text.lines().position(|line| line.contains("Row(number))")).unwrap() + 1;
        let made = sites.iter().find(|site| site["line"] == line).map(|site| number(&site["allocations"]));
        assert!(made.is_some_and(|made| made >= rows), "{python}: {made:?} allocations for {rows} rows");
    });
}

#[test]
fn thresholds_that_the_program_sets_do_not_hide_its_collector() {
    const CODE: &str = "import gc, os, time
gc.set_threshold(100000, 50, 100)
class Thing: pass
THINGS = [Thing() for _ in range(1234)]
print(os.getpid(), flush=True)
while True:
    time.sleep(0.001); list(range(1000))";
    each_python(|python| {
        let mut running = Running::start(python, &[], &["-c", CODE]);
        let count = count_of(&heap_json(&running.pid, &[]), "__main__.Thing");
        Command::new("kill").arg(&running.pid).status().unwrap();
        running.child.wait().unwrap();
        assert_eq!(count, 1234, "{python}");
    });
}

#[test]
fn a_program_that_sleeps_is_waited_for_and_that_is_said() {
    const CODE: &str = "import os, time
class Thing: pass
THINGS = [Thing() for _ in range(77)]
print(os.getpid(), flush=True)
time.sleep(5)
THINGS += [Thing() for _ in range(3)]";
    let python = support::pythons().last().unwrap();
    let mut running = Running::start(python, &[], &["-c", CODE]);
    let output = heap(&[&running.pid, "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("has made no Python object for 3 s"), "{said}");
    assert!(said.contains("Ctrl-C stops waiting"), "{said}");
    let heap: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(count_of(&heap, "__main__.Thing") >= 77);
    running.child.wait().unwrap();
}

#[test]
fn who_cannot_be_asked_is_told_why() {
    let python = support::pythons().last().unwrap();
    let mut plain = python.command();
    let mut plain = plain.args(["-c", "import time; time.sleep(30)"]).spawn().unwrap();
    let pid = plain.id().to_string();
    let said = refusal(&[&pid]);
    assert!(said.contains("is not being recorded"), "{said}");
    assert!(said.contains("memsight run -- PROGRAM"), "{said}");
    plain.kill().unwrap();
    plain.wait().unwrap();
    let said = refusal(&[&pid]);
    assert!(said.contains("there is no such process"), "{said}");

    let mut run = Command::new(memsight());
    let folder = tempfile::tempdir().unwrap();
    run.args(["run", "-q", "-o"]).arg(folder.path().join("run.msight")).args(["--", "sleep", "30"]);
    let mut run = run.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let said = refusal(&[&run.id().to_string()]);
    assert!(said.contains("this is memsight itself"), "{said}");
    let pid = said.trim().rsplit(' ').next().unwrap().to_string();
    let said = refusal(&[&pid]);
    assert!(said.contains("has no Python whose objects can be walked"), "{said}");
    Command::new("kill").arg(&pid).status().unwrap();
    run.wait().unwrap();

    let code = "import os, time\nprint(os.getpid(), flush=True)\nwhile 1: time.sleep(0.01)";
    let mut running = Running::start(python, &["--track", "heap"], &["-c", code]);
    let said = refusal(&[&running.pid]);
    assert!(said.contains("--track heap"), "{said}");
    Command::new("kill").arg(&running.pid).status().unwrap();
    running.child.wait().unwrap();
}

/// `memsight run` with these options, to the end. Gives the capture's folder and both outputs.
fn run(python: &Python, options: &[&str], code: &[&str]) -> (tempfile::TempDir, String, String) {
    let (folder, status, out, err) = run_somehow(python, options, code);
    assert!(status.success(), "{python}: {status}: {err}");
    (folder, out, err)
}

/// The same for a program that may be killed.
fn run_somehow(
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

fn run_msight(folder: &tempfile::TempDir) -> String {
    folder.path().join("run.msight").to_str().unwrap().into()
}

/// Live bytes at each snapshot.
fn live_bytes(capture: &str) -> Vec<u64> {
    let mut reader = Reader::open(capture).unwrap();
    let mut all = Vec::new();
    while let Some(record) = reader.next_record() {
        if let Record::Snapshot(SnapshotRecord::Begin(begin)) = record {
            all.push(begin.live_bytes);
        }
    }
    all
}

#[test]
fn what_was_alive_near_the_peak_is_in_the_answer_though_it_is_gone_at_the_end() {
    const CODE: &str = "import time
class Big:
    def __init__(self, number): self.items = [number] * 20
class Small: pass
def work():
    rows = []
    for _ in range(60):
        rows += [Big(number) for number in range(1000)]
        time.sleep(0.005)
    until = time.time() + 1.5
    while time.time() < until: time.sleep(0.005); list(range(100))
    return len(rows)
work()
KEPT = [Small() for _ in range(1000)]
time.sleep(0.05)";
    each_python(|python| {
        let (folder, _, err) = run(python, &["--heap", "exit,peak"], &["-c", CODE]);
        let capture = run_msight(&folder);
        let peak = heap_json(&capture, &["--at", "peak"]);
        let exit = heap_json(&capture, &["--at", "exit"]);
        let big = count_of(&peak, "__main__.Big");
        assert!(big > 45_000, "{python}: {big} of 60,000 were there near the peak");
        assert_eq!(count_of(&peak, "__main__.Small"), 0, "{python}");
        assert_eq!(
            (count_of(&exit, "__main__.Big"), count_of(&exit, "__main__.Small")),
            (0, 1000),
            "{python}"
        );
        assert_eq!(peak["snapshot"]["reason"], "peak");
        assert_eq!(heap_json(&capture, &[])["snapshot"]["reason"], "exit", "the last is shown by default");

        let several = number(&peak["snapshots"]);
        assert!((3..40).contains(&several), "{python}: {several} snapshots");
        assert!(err.contains(&format!("Heap   {several} snapshots, the last at the end")), "{python}: {err}");
        assert!(err.contains("the program stood still for"), "{python}: {err}");
        let mut each = live_bytes(&capture);
        each.pop();
        assert!(each.windows(2).all(|pair| pair[1] * 10 >= pair[0] * 11), "{python}: {each:?}");

        let held = heap(&[&capture, "--at", "peak", "--who-holds", "Big"]);
        let held = String::from_utf8(held.stdout).unwrap();
        assert!(held.contains("work"), "{python}: {held}");
    });
}

#[test]
fn two_snapshots_of_one_capture_are_compared_and_several_in_a_row() {
    const CODE: &str = "import os, signal, time
class Row: pass
ROWS = []
for _ in range(4):
    ROWS += [Row() for _ in range(1000)]
    os.kill(os.getpid(), signal.SIGUSR1)
    until = time.time() + 0.25
    while time.time() < until: time.sleep(0.001); list(range(1000))";
    each_python(|python| {
        let (folder, ..) = run(python, &["--heap-on-signal", "SIGUSR1"], &["-c", CODE]);
        let capture = run_msight(&folder);
        let rows: Vec<i64> = (1..=4)
            .map(|at| count_of(&heap_json(&capture, &["--at", &at.to_string()]), "__main__.Row"))
            .collect();
        assert_eq!(rows, [1000, 2000, 3000, 4000], "{python}");
        let text = |arguments: &[&str]| String::from_utf8(heap(arguments).stdout).unwrap();
        let diff = text(&[&capture, "--at", "3", "--diff", "1"]);
        assert!(diff.contains("+2000   __main__.Row"), "{python}: {diff}");
        assert!(diff.contains("__main__.ROWS[*]"), "{python}: {diff}");
        let growth = text(&[&capture, "--growth"]);
        let row = growth.lines().find(|line| line.starts_with("__main__.Row")).unwrap();
        assert_eq!(row.matches('+').count(), 3, "{python}: {growth}");
        let steadily = growth.find("grew in each step").unwrap();
        assert!(growth.find("__main__.Row").unwrap() > steadily, "{python}: {growth}");
        let list = text(&[&capture, "--snapshots"]);
        let listed = list.lines().skip_while(|line| !line.starts_with("number")).skip(1).count();
        assert_eq!(listed, 4, "{python}: {list}");
        for (option, words) in [("9", "holds 4 snapshots"), ("peak", "record with --heap peak")] {
            let said = refusal(&[&capture, "--at", option]);
            assert!(said.contains(words), "{said}");
        }
    });
}

#[test]
fn a_handler_of_the_programs_own_holds_and_that_is_said() {
    const CODE: &str = "import os, signal, time
def wait():
    until = time.time() + 0.2
    while time.time() < until: time.sleep(0.001); list(range(1000))
print(signal.getsignal(signal.SIGUSR2), signal.getsignal(signal.SIGUSR1))
os.kill(os.getpid(), signal.SIGUSR2)
wait()
came = []
print(signal.signal(signal.SIGUSR2, lambda *_: came.append(1)))
signal.signal(signal.SIGUSR1, lambda *_: came.append(2))
for number in signal.SIGUSR2, signal.SIGUSR1: os.kill(os.getpid(), number)
wait()
print(sorted(came))";
    each_python(|python| {
        let plain =
            python.command().args(["-c", &CODE.replacen("os.kill", "(lambda *_: 0)", 1)]).output().unwrap();
        let (folder, out, err) = run(python, &["--heap-on-signal", "SIGUSR2"], &["-c", CODE]);
        assert_eq!(out, String::from_utf8(plain.stdout).unwrap(), "{python}: {err}");
        assert!(err.contains("the program handles the signal of --heap-on-signal itself"), "{python}: {err}");
        let snapshots = heap(&[&run_msight(&folder), "--json", "-n", "0"]);
        let heap: Value = serde_json::from_slice(&snapshots.stdout).unwrap();
        assert_eq!(heap["snapshots"], 1, "{python}");
    });
}

#[test]
fn a_refused_allocation_is_shown_once_if_snapshots_were_asked_for() {
    const CODE: &str = "class Held: pass
HELD = [Held() for _ in range(500)]
for _ in range(3):
    try: HELD * (1 << 50)
    except MemoryError: print('refused')
HELD = None";
    each_python(|python| {
        let (folder, out, err) = run(python, &["--heap", "exit"], &["-c", CODE]);
        assert_eq!(out, "refused\n".repeat(3), "{python}");
        let refused = heap_json(&run_msight(&folder), &["--at", "1"]);
        assert_eq!(refused["snapshot"]["reason"], "out-of-memory", "{python}: {err}");
        assert_eq!(refused["snapshots"], 2, "{python}");
        assert_eq!(count_of(&refused, "__main__.Held"), 500, "{python}");
        let (folder, ..) = run(python, &[], &["-c", CODE]);
        assert!(refusal(&[&run_msight(&folder)]).contains("has no object graph"), "{python}");
    });
}

#[test]
fn a_type_that_crashes_the_copy_is_left_out_while_the_program_runs_on() {
    const CODE: &str = "import ctypes, gc, os, signal, time
gc.disable()
class Bad: pass
class Good: pass
KEPT = [Bad() for _ in range(10)] + [Good() for _ in range(20)]
traverse = ctypes.c_void_p.from_address(id(Bad) + 184)
before, traverse.value = traverse.value, 1
os.kill(os.getpid(), signal.SIGUSR2)
until = time.time() + 1.5
while time.time() < until: time.sleep(0.001); list(range(1000))
traverse.value = before
print('done')";
    each_python(|python| {
        let (folder, out, err) = run(python, &["--heap-on-signal", "SIGUSR2"], &["-c", CODE]);
        assert_eq!(out, "done\n", "{python}: {err}");
        let capture = run_msight(&folder);
        let heap_of = heap_json(&capture, &[]);
        assert_eq!(heap_of["snapshots"], 1, "{python}");
        assert_eq!(count_of(&heap_of, "__main__.Good"), 20, "{python}");
        assert_eq!(count_of(&heap_of, "__main__.Bad"), 10, "{python}");
        let text = String::from_utf8(heap(&[&capture]).stdout).unwrap();
        assert!(text.contains("left out") && text.contains("__main__.Bad"), "{python}: {text}");
    });
}

#[test]
fn a_forked_child_is_asked_by_its_own_process_id() {
    const CODE: &str = "import os, time
class Thing: pass
if os.fork() == 0:
    THINGS = [Thing() for _ in range(2000)]
    print(os.getpid(), flush=True)
    until = time.time() + 20
    while time.time() < until: time.sleep(0.001); list(range(1000))
os.wait()";
    each_python(|python| {
        let mut running = Running::start(python, &[], &["-c", CODE]);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let answer = heap_json(&running.pid, &[]);
        Command::new("kill").arg(&running.pid).status().unwrap();
        running.child.wait().unwrap();
        assert_eq!(count_of(&answer, "__main__.Thing"), 2000, "{python}");
    });
}

#[test]
fn a_peak_at_the_very_end_is_in_the_answer() {
    const CODE: &str = "class Row: pass
ROWS = [[Row() for _ in range(1000)] for _ in range(600)]";
    each_python(|python| {
        let (folder, _, err) = run(python, &["--heap", "peak"], &["-c", CODE]);
        let peak = heap_json(&run_msight(&folder), &["--at", "peak", "-n", "40"]);
        let rows = count_of(&peak, "__main__.Row");
        assert!(rows > 500_000, "{python}: {rows} of 600,000: {err}");
        assert_eq!(peak["snapshot"]["reason"], "peak", "{python}");
    });
}

#[test]
fn a_program_that_is_no_python_has_no_failed_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(memsight());
    command
        .args(["run", "--heap", "exit,peak", "-o"])
        .arg(folder.path().join("run.msight"))
        .args(["--", "ls"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("could not be taken"), "{said}");
}

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

#[test]
fn the_objects_of_another_process_are_where_it_is_said() {
    const CODE: &str = "import os
class Thing: pass
if os.fork() == 0:
    THINGS = [Thing() for _ in range(30000)]
else:
    os.wait()";
    each_python(|python| {
        let (folder, _, _) = run(python, &["--heap", "exit"], &["-c", CODE]);
        let shown = String::from_utf8(heap(&[&run_msight(&folder)]).stdout).unwrap();
        assert!(shown.contains("the first of 2"), "{python}: {shown}");
        let (_, rest) = shown.split_once("memsight heap ").unwrap();
        let other = rest.split_whitespace().next().unwrap();
        assert_eq!(count_of(&heap_json(other, &[]), "__main__.Thing"), 30000, "{python}: {shown}");
        let other = String::from_utf8(heap(&[other]).stdout).unwrap();
        assert!(!other.contains("the first of"), "{python}: {other}");
        let leaks =
            Command::new(memsight()).args(["report", &run_msight(&folder), "--leaks"]).output().unwrap();
        let leaks = String::from_utf8(leaks.stdout).unwrap().replace('\n', " ");
        assert!(leaks.contains("is said of the first process"), "{python}: {leaks}");
    });
}

#[test]
fn a_program_that_is_killed_leads_to_snapshots_before_its_end() {
    const CODE: &str = "import os, signal, time
KEPT = []
for _ in range(60):
    KEPT += [bytearray(1000) for _ in range(1000)]
    time.sleep(0.005)
os.kill(os.getpid(), signal.SIGKILL)";
    each_python(|python| {
        let (folder, _, _, err) = run_somehow(python, &["--heap", "exit"], &["-c", CODE]);
        assert!(err.contains("memsight run --heap peak -- PROGRAM"), "{python}: {err}");
        let capture = run_msight(&folder);
        let why = refusal(&[&capture]);
        assert!(why.contains("was killed before its end") && why.contains("--heap peak"), "{python}: {why}");
        let (folder, _, _, err) = run_somehow(python, &["--heap", "exit,peak"], &["-c", CODE]);
        assert!(err.contains("memsight heap "), "{python}: {err}");
        let near = heap_json(&run_msight(&folder), &[]);
        assert!(count_of(&near, "bytearray") > 30_000, "{python}: {}", near["snapshot"]);
    });
}
