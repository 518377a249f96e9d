//! Programs that start others: every process gets a capture, and the report of
//! the first holds them all.

mod support_c;

use std::path::Path;

use serde_json::Value;
use support_c::{Lab, Run, python};

/// Records Python code that prints `PID NAME` for each process it knows of.
fn record(lab: &Lab, python: &Path, code: &str) -> Run {
    let script = lab.write("script.py", code);
    lab.record(&[python, &script])
}

fn pythons() -> Vec<std::path::PathBuf> {
    python::all()
}

fn newest() -> std::path::PathBuf {
    python::pyenv("3.12").or_else(|| python::all().pop()).unwrap()
}

fn processes(run: &Run) -> &Vec<Value> {
    run.json["processes"].as_array().unwrap_or_else(|| panic!("{}", run.stderr))
}

fn process(run: &Run, pid: i64) -> &Value {
    let found = processes(run).iter().find(|process| process["pid"] == pid);
    found.unwrap_or_else(|| panic!("no process {pid} in {:#?}", processes(run)))
}

/// The numbers that a program printed.
fn numbers(run: &Run) -> Vec<i64> {
    run.stdout.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Bytes allocated at a line of `script.py`, over all processes.
fn bytes_at(run: &Run, line: i64) -> i64 {
    let here = |site: &&Value| site["file"].as_str().unwrap().ends_with("script.py") && site["line"] == line;
    run.json["sites"]
        .as_array()
        .unwrap()
        .iter()
        .filter(here)
        .map(|site| site["allocated_bytes"].as_i64().unwrap())
        .sum()
}

fn about(found: i64, expected: i64) {
    assert!((expected..expected + 20_000).contains(&found), "{found}, not about {expected}");
}

#[test]
fn a_forked_child_counts_only_what_it_allocates_itself() {
    for python in pythons() {
        let lab = Lab::new();
        let run = record(
            &lab,
            &python,
            "import os\nkept = bytearray(9_000_000)\npid = os.fork()\nif pid == 0:\n    del kept\n    own = bytearray(5_000_000)\n    os._exit(0)\n\
             os.waitpid(pid, 0)\nprint(os.getpid(), pid)\n",
        );
        run.ok();
        let pids = numbers(&run);
        assert_eq!(processes(&run).len(), 2);
        assert_eq!(process(&run, pids[0])["parent"], Value::Null);
        let child = process(&run, pids[1]);
        assert_eq!(child["parent"], pids[0]);
        assert_eq!(child["capture"], format!("run0.{}.msight", pids[1]));
        about(child["peak_bytes"].as_i64().unwrap(), 5_000_000);
        about(bytes_at(&run, 2), 9_000_000);
        about(bytes_at(&run, 6), 5_000_000);
        let alone = lab.report(&lab.path(&format!("run0.{}.msight", pids[1])));
        assert!(alone["totals"]["freed_bytes"].as_i64().unwrap() < 1_000_000, "{python:?}");
        assert_eq!(alone["complete"], true);
    }
}

#[test]
fn a_child_of_a_program_with_threads_is_recorded() {
    for python in pythons() {
        let lab = Lab::new();
        let run = record(
            &lab,
            &python,
            "import os, sys, threading\nstop = threading.Event()\ndef busy():\n    while not stop.is_set():\n        [bytearray(100) for _ in range(100)]\n\
             threads = [threading.Thread(target=busy) for _ in range(4)]\nfor t in threads: t.start()\nfor _ in range(10):\n    pid = os.fork()\n    if pid == 0:\n        \
             own = [bytearray(1000) for _ in range(2000)]\n        os._exit(7)\n    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7\nstop.set()\n\
             for t in threads: t.join()\n",
        );
        // CPython 3.12 and later warn of fork in a program with threads, recorded or not.
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(run.json["complete"], true, "{python:?} {}", run.stderr);
        assert_eq!(processes(&run).len(), 11, "{python:?}");
        let own = bytes_at(&run, 11);
        assert!(own > 21_000_000 && own < 24_000_000, "{own}");
    }
}

#[test]
fn what_subprocess_starts_is_followed_and_sees_its_own_environment() {
    for python in pythons() {
        let lab = Lab::new();
        let run = record(
            &lab,
            &python,
            "import os, subprocess, sys\nchild = 'import os; x = bytearray(3_000_000); print(sorted(os.environ))'\n\
             p = subprocess.Popen([sys.executable, '-c', child], env={}, stdout=subprocess.PIPE, text=True)\nout = p.communicate()[0]\n\
             assert out.strip() in ('[]', \"['LC_CTYPE']\"), out\nassert p.returncode == 0\n\
             assert not [name for name in os.environ if name in ('MEMSIGHT_CAPTURE', 'MEMSIGHT_RUN', 'MEMSIGHT_IMAGE', 'LD_PRELOAD')]\nprint(os.getpid(), p.pid)\n",
        );
        run.ok();
        let pids = numbers(&run);
        let child = process(&run, pids[1]);
        assert_eq!(child["parent"], pids[0], "{python:?}");
        assert!(child["peak_bytes"].as_i64().unwrap() > 3_000_000);
        assert_eq!(processes(&run).len(), 2, "{python:?}");
    }
}

#[test]
fn shells_and_what_they_start_are_followed() {
    let lab = Lab::new();
    let code = "import os, sys\nchild = sys.executable + ' -c \"import os; x = bytearray(2_000_000); print(os.getpid(), os.getppid())\"; true'\n\
                sys.stdout.flush()\nassert os.system(child) == 0\nprint(os.popen(child).read())\n";
    let run = record(&lab, &newest(), code);
    run.ok();
    let pids = numbers(&run);
    assert_eq!(processes(&run).len(), 5, "{:#?}", processes(&run));
    for pair in pids.chunks(2) {
        assert_eq!(process(&run, pair[0])["parent"], pair[1]);
        assert!(process(&run, pair[0])["peak_bytes"].as_i64().unwrap() > 2_000_000);
        assert_eq!(process(&run, pair[1])["command"][1], "-c");
    }
}

#[test]
fn pools_of_processes_are_recorded() {
    let pool = "import multiprocessing as mp, os, sys\ndef work(n):\n    block = bytearray(1_000_000 * n)\n    return os.getpid()\n\
                if __name__ == '__main__':\n    pool = mp.get_context(METHOD).Pool(2)\n    pids = set(pool.map(work, range(1, 9), chunksize=1))\n    \
                pool.close()\n    pool.join()\n    print(*pids)\n";
    for method in ["fork", "spawn", "forkserver"] {
        let lab = Lab::new();
        let run = record(&lab, &newest(), &pool.replace("METHOD", &format!("'{method}'")));
        run.ok();
        about(bytes_at(&run, 3), 36_000_000);
        for pid in numbers(&run) {
            assert!(process(&run, pid)["parent"].is_i64(), "{method}: {:#?}", processes(&run));
        }
    }
}

#[test]
fn posix_spawn_is_followed() {
    let lab = Lab::new();
    let run = record(
        &lab,
        &newest(),
        "import os, sys\npid = os.posix_spawn(sys.executable, [sys.executable, '-c', 'x = bytearray(3_000_000)'], {'A': 'b'})\n\
         os.waitpid(pid, 0)\nprint(os.getpid(), pid)\n",
    );
    run.ok();
    let pids = numbers(&run);
    assert_eq!(process(&run, pids[1])["parent"], pids[0]);
    assert!(process(&run, pids[1])["peak_bytes"].as_i64().unwrap() > 3_000_000);
}

#[test]
fn a_program_that_becomes_another_has_a_capture_of_each() {
    for python in pythons() {
        let lab = Lab::new();
        let run = record(
            &lab,
            &python,
            "import os, sys\nblock = bytearray(4_000_000)\nif sys.argv[1:] == []:\n    os.execv(sys.executable, [sys.executable, __file__, '1'])\nprint(os.getpid())\n",
        );
        run.ok();
        let pid = numbers(&run)[0];
        assert_eq!(processes(&run).len(), 2, "{python:?}");
        assert!(lab.path(&format!("run0.{pid}.1.msight")).is_file());
        about(bytes_at(&run, 2), 8_000_000);
    }
}

#[test]
fn a_failed_exec_changes_nothing() {
    for python in pythons() {
        let lab = Lab::new();
        let run = record(
            &lab,
            &python,
            "import os\nbefore = bytearray(2_000_000)\nfor _ in range(3):\n    try: os.execvp('no-such-program', ['x'])\n    except FileNotFoundError: pass\n\
             try: os.execv('/etc/passwd', ['x'])\nexcept PermissionError: pass\nafter = bytearray(3_000_000)\n",
        );
        run.ok();
        assert_eq!(processes(&run).len(), 1, "{python:?}");
        about(bytes_at(&run, 2), 2_000_000);
        about(bytes_at(&run, 8), 3_000_000);
    }
}

#[test]
fn a_program_is_found_along_path_by_exec() {
    let lab = Lab::new();
    let run = record(
        &lab,
        &newest(),
        "import os, sys\nos.environ['PATH'] = '/nowhere:/also/nowhere:' + os.path.dirname(sys.executable)\nprint(os.getpid(), flush=True)\n\
         os.execlp('python3', 'python3', '-c', 'x = bytearray(6_000_000)')\n",
    );
    run.ok();
    assert_eq!(processes(&run).len(), 2);
    let second = lab.report(&lab.path(&format!("run0.{}.1.msight", numbers(&run)[0])));
    assert!(second["peak"]["live_bytes"].as_i64().unwrap() > 6_000_000);
}

#[test]
fn every_exec_function_is_followed() {
    let lab = Lab::new();
    let program = lab.compile("execs.c");
    for way in ["execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "fexecve"] {
        let run = lab.record(&[program.to_str().unwrap(), way]);
        run.ok();
        assert_eq!(run.stdout, "one two - -\n", "{way}");
        assert_eq!(processes(&run).len(), 2, "{way}");
        let images: Vec<_> =
            processes(&run).iter().map(|process| process["command"][1].as_str().unwrap()).collect();
        assert_eq!(images, [way, "one"]);
        assert!(run.totals().bytes >= 1_000_000 + 2_000_000, "{way}");
    }
}

#[test]
fn a_daemon_is_recorded_by_its_own_capture() {
    let lab = Lab::new();
    let run = record(
        &lab,
        &newest(),
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        block = bytearray(5_000_000)\n        small = [bytearray(9) for _ in range(3_000)]\n        \
         open('pid', 'w').write(str(os.getpid()))\n        os._exit(0)\n    os._exit(0)\nos.wait()\n\
         while not os.path.exists('pid'):\n    time.sleep(0.01)\n",
    );
    run.ok();
    about(bytes_at(&run, 5), 5_000_000);
    let pid: i64 = std::fs::read_to_string(lab.path("pid")).unwrap().parse().unwrap();
    assert!(process(&run, pid)["peak_bytes"].as_i64().unwrap() > 5_000_000);
}

#[test]
fn children_are_left_alone_where_that_is_asked_for() {
    let lab = Lab::new();
    let script = lab.write(
        "script.py",
        "import os, subprocess, sys\npid = os.fork()\nif pid == 0:\n    x = bytearray(9_000_000); y = [bytearray(9) for _ in range(5000)]\n    os._exit(0)\n\
         os.waitpid(pid, 0)\nsubprocess.check_call([sys.executable, '-c', 'import os; print(os.environ.get(\"LD_PRELOAD\"))'])\n",
    );
    let run = lab.record_with(&["--no-follow"], &[newest(), script]);
    run.ok();
    assert_eq!(run.stdout, "None\n");
    assert_eq!(processes(&run).len(), 1);
    assert!(run.json["peak"]["live_bytes"].as_i64().unwrap() < 9_000_000);
}

#[test]
fn a_preloaded_library_of_the_users_is_kept() {
    let lab = Lab::new();
    let library = lab.compile_with("preloaded.c", "preloaded.so", &["-shared", "-fPIC"]);
    let capture = lab.new_capture();
    let mut command = lab.run_command(&capture, &[]);
    command.env("LD_PRELOAD", &library);
    command.args(["sh", "-c", "sh -c 'echo $PRELOADED $LD_PRELOAD'; true"]);
    let run = lab.finish(command, capture);
    run.ok();
    assert_eq!(run.stdout, format!("yes {}\n", library.display()));
    assert_eq!(processes(&run).len(), 2);
}

#[test]
fn captures_of_children_have_the_first_ones_ending() {
    for name in ["a.capture", "plain", "two.dots.bin"] {
        let lab = Lab::new();
        let capture = lab.path(name);
        let mut command = lab.run_command(&capture, &[]);
        command.args(["sh", "-c", "sh -c 'echo $PPID $$'; true"]);
        let run = lab.finish(command, capture);
        run.ok();
        let child = numbers(&run)[1];
        let expected = match name.rsplit_once('.') {
            Some((stem, suffix)) => format!("{stem}.{child}.{suffix}"),
            None => format!("{name}.{child}"),
        };
        assert_eq!(process(&run, child)["capture"], expected);
    }
}

/// Runs cases of `starts.c`, which check for themselves.
fn starts(case: &str) -> Run {
    let lab = Lab::new();
    let program = lab.compile("starts.c");
    let run = lab.record(&[program.to_str().unwrap(), case, "run"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{case}");
    run
}

#[test]
fn programs_are_started_from_threads_with_small_stacks() {
    starts("small_stack").ok();
}

#[test]
fn calls_of_system_may_overlap_and_the_environment_change_meanwhile() {
    let run = starts("overlapping");
    assert!(processes(run.ok()).len() > 4, "{:#?}", processes(&run));
}

#[test]
fn a_signal_handler_may_fork_while_its_thread_is_in_the_recorder() {
    starts("fork_in_handler");
}

#[test]
fn a_signal_handler_may_map_memory_while_another_thread_forks() {
    let lab = Lab::new();
    let program = lab.compile("starts.c");
    let run = lab.record_with(&["--no-follow"], &[program.to_str().unwrap(), "map_while_forking", "run"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_child_may_end_while_another_thread_starts_its_writer() {
    let run = starts("end_while_it_begins");
    assert_eq!(processes(run.ok()).len(), 101);
}

#[test]
fn a_child_may_call_what_the_c_library_lacks() {
    starts("fork_while_others_free");
}

#[test]
fn a_program_that_adopts_is_not_the_writers_parent() {
    starts("adopts").ok();
}

#[test]
fn children_of_vfork_leave_nothing_in_the_parents_memory() {
    let recorder_bytes = |children: usize| {
        let lab = Lab::new();
        let script = lab.write(
            "script.py",
            &format!(
                "import subprocess\nfor _ in range({children}): assert subprocess.call(['/bin/true']) == 0\n"
            ),
        );
        let capture = lab.new_capture();
        let mut command = lab.run_command(&capture, &[]);
        command.envs((0..600).map(|number| (format!("VARIABLE{number}"), "x")));
        command.args([newest(), script]);
        lab.finish(command, capture.clone()).ok();
        let alone = lab.path("alone.msight");
        std::fs::copy(&capture, &alone).unwrap();
        lab.report(&alone)["overhead"]["recorder_bytes"].as_u64().unwrap()
    };
    let (few, many) = (recorder_bytes(10), recorder_bytes(410));
    assert!(many < few + 400 * 4096, "{few} {many}");
}
