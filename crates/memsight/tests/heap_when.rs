//! When snapshots of the object graph are taken: on `memsight heap PID`, on a signal,
//! near the peak, and when memory is refused.

use std::process::Command;

use memsight_capture::{Reader, Record, SnapshotRecord};

use serde_json::Value;
use support::{each_python, memsight, number, program};
use support_heap::{Running, count_of, heap, heap_json, refusal, run, run_msight, run_somehow};

mod support;
mod support_heap;

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
        time.sleep(0.015)
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
    until = time.time() + 0.5
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
