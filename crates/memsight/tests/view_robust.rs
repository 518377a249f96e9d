//! Programs that end in no ordinary way, and files that are no programs: `memsight view`
//! comes to a clear end each time, says what happened, and leaves nothing running.

mod support;
mod support_view;

use std::path::{Path, PathBuf};

use support::{Python, each_python, pythons};
use support_view::trace::Trace;
use support_view::{Ran, Run, invariants};

/// A program of these lines in a folder of its own.
struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Lab { folder: tempfile::tempdir().expect("a folder for programs") }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("the folder can be written");
        path
    }
}

/// Views a program of these lines.
fn view(python: &Python, lines: &[&str], options: &[&str]) -> Ran {
    let lab = Lab::new();
    let program = lab.write("program.py", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    checked(Run::view(python, &program, options))
}

/// Runs it; nothing is left running and memsight did not panic.
fn checked(run: Run) -> Ran {
    let ran = run.within(45).end();
    assert_eq!(ran.left_running(), Vec::<String>::new(), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

/// The trace, which is sound.
fn trace(ran: &Ran) -> Trace {
    let trace = ran.trace().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(invariants::broken(&trace), Vec::<String>::new());
    trace
}

/// Whether a step is at this line of the program.
fn reaches(trace: &Trace, line: u64) -> bool {
    trace.steps.iter().any(|step| step.line == line)
}

#[test]
fn one_that_never_ends_is_stopped_and_what_there_is_is_shown() {
    each_python(|python| {
        let ran = view(python, &["count = 0", "while True:", "    count += 1"], &["--timeout", "2"]);
        let trace = trace(&ran);
        assert!(trace.truncated && trace.steps.len() >= 1000, "{python}: {} steps", trace.steps.len());
        assert!(ran.took.as_secs_f64() < 15.0, "{python}: it took {:?}", ran.took);
        assert!(trace.ending.contains("stopped"), "{python}: {}", trace.ending);
    });
}

#[test]
fn one_that_waits_for_ever_is_stopped() {
    each_python(|python| {
        let ran = view(python, &["import time", "kept = [1000]", "time.sleep(10 ** 6)"], &["--timeout", "2"]);
        let trace = trace(&ran);
        assert!(reaches(&trace, 3), "{python}: the line that waits is not shown");
        assert!(ran.took.as_secs_f64() < 15.0, "{python}: it took {:?}", ran.took);
        assert!(trace.ending.contains("stopped"), "{python}: {}", trace.ending);
    });
}

#[test]
fn one_that_will_not_be_stopped_is_killed() {
    let lines = [
        "import signal",
        "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):",
        "    signal.signal(number, signal.SIG_IGN)",
        "while True:",
        "    pass",
    ];
    for python in pythons() {
        let ran = view(python, &lines, &["--timeout", "2"]);
        let trace = trace(&ran);
        assert!(reaches(&trace, 5) && ran.took.as_secs_f64() < 15.0, "{python}: it took {:?}", ran.took);
    }
}

#[test]
fn children_of_one_that_is_stopped_are_stopped_too() {
    let lines = [
        "import subprocess, sys, time",
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        "time.sleep(600)",
    ];
    for python in pythons() {
        let ran = view(python, &lines, &["--timeout", "2"]);
        assert!(reaches(&trace(&ran), 3), "{python}");
    }
}

#[test]
fn no_more_steps_than_asked_for_are_shown_and_the_program_goes_on_to_its_end() {
    each_python(|python| {
        let lines = ["total = 0", "for number in range(5000):", "    total += number", "print(total)"];
        let ran = view(python, &lines, &["--max-steps", "50"]);
        let trace = trace(&ran);
        assert!(trace.truncated, "{python}");
        assert!((40..=51).contains(&trace.steps.len()), "{python}: {} steps", trace.steps.len());
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "12497500\n", "{python}");
        assert!(ran.status.success(), "{python}: {}", ran.stderr);
    });
}

#[test]
fn a_hundred_megabytes_of_output_pass_and_do_not_fill_the_trace() {
    each_python(|python| {
        let lines =
            ["row = 'x' * (2 ** 20 - 1)", "for number in range(100):", "    print(row)", "print('end')"];
        let ran = view(python, &lines, &[]);
        assert!(ran.status.success(), "{python}: {}", ran.stderr);
        assert_eq!(ran.stdout.len(), 100 * 2_usize.pow(20) + 4, "{python}");
        assert!(ran.stdout.ends_with(b"x\nend\n"), "{python}: what comes last is missing");
        let bytes = ran.json_bytes();
        assert!(bytes < 30_000_000, "{python}: the JSON has {bytes} bytes");
        assert!(reaches(&trace(&ran), 4), "{python}: the last line is not shown");
    });
}

#[test]
fn one_that_forks_is_viewed_and_its_child_is_not() {
    each_python(|python| {
        let lines = [
            "import os",
            "numbers = [1000]",
            "child = os.fork()",
            "if child == 0:",
            "    numbers.append(2000)",
            "    os._exit(0)",
            "os.waitpid(child, 0)",
            "print(numbers)",
        ];
        let ran = view(python, &lines, &[]);
        let trace = trace(&ran);
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "[1000]\n", "{python}: {}", ran.stderr);
        assert!(reaches(&trace, 8), "{python}: the parent's end is not shown");
        assert!(!reaches(&trace, 6), "{python}: a line that only the child runs is shown");
    });
}

#[test]
fn one_that_is_killed_shows_the_steps_up_to_it() {
    const KILLED: [(&str, &str); 3] = [
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("os.abort()", "killed by SIGABRT"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
    ];
    each_python(|python| {
        for (how, ending) in KILLED {
            let ran = view(
                python,
                &["import os, signal", "kept = [1000, 2000]", "last = kept", how, "never = 1"],
                &[],
            );
            let trace = trace(&ran);
            assert!(ran.status.success(), "{python}, {how}: {}", ran.stderr);
            assert!(reaches(&trace, 4), "{python}, {how}: the line that killed it is not shown");
            assert!(!reaches(&trace, 5), "{python}, {how}: it went on");
            assert_eq!(trace.ending, ending, "{python}, {how}");
        }
    });
}

#[test]
fn one_that_leaves_by_the_back_door_shows_the_steps_up_to_it() {
    each_python(|python| {
        let ran = view(python, &["import os", "kept = [1000]", "os._exit(3)"], &[]);
        assert!(reaches(&trace(&ran), 3), "{python}");
        assert_eq!(trace(&ran).ending, "exit 3", "{python}: {}", ran.stderr);
        let ran =
            view(python, &["import os", "kept = [1000]", "os.execv('/bin/echo', ['echo', 'instead'])"], &[]);
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "instead\n", "{python}: {}", ran.stderr);
        assert!(reaches(&trace(&ran), 3), "{python}");
    });
}

#[test]
fn one_that_closes_every_descriptor_is_viewed() {
    each_python(|python| {
        let ran = view(python, &["import os", "kept = [1000]", "os.closerange(3, 1024)", "print(kept)"], &[]);
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "[1000]\n", "{python}: {}", ran.stderr);
        assert!(reaches(&trace(&ran), 4), "{python}");
    });
}

#[test]
fn a_syntax_error_is_told_as_python_tells_it() {
    each_python(|python| {
        let ran = view(python, &["kept = [1000]", "def broken(:", "    pass"], &[]);
        assert_eq!(ran.status.code(), Some(2), "{python}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("SyntaxError") && ran.stderr.contains("line 2"),
            "{python}: {}",
            ran.stderr
        );
    });
}

#[test]
fn an_empty_file_has_a_trace_in_which_nothing_happens() {
    each_python(|python| {
        let ran = view(python, &[], &[]);
        assert!(ran.status.success() && ran.stdout.is_empty(), "{python}: {}", ran.stderr);
        let trace = trace(&ran);
        assert!(!trace.truncated && trace.steps.len() < 5, "{python}: {} steps", trace.steps.len());
    });
}

#[test]
fn a_binary_file_is_refused_in_words() {
    each_python(|python| {
        let lab = Lab::new();
        let bytes: Vec<u8> =
            (0..4096_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for (name, bytes) in [("noise.py", bytes.as_slice()), ("elf.py", b"\x7fELF\x02\x01\x01\0\xff\xfe")] {
            let ran = checked(Run::view(python, &lab.write(name, bytes), &[]));
            assert!(!ran.status.success() && ran.status.code().is_some(), "{python}, {name}: {}", ran.status);
            assert!(!ran.stderr.trim().is_empty(), "{python}, {name}: nothing is said");
        }
    });
}

#[test]
fn what_is_no_file_is_refused_with_its_name() {
    let lab = Lab::new();
    let folder = lab.folder.path().join("folder.py");
    std::fs::create_dir(&folder).unwrap();
    let unreadable = lab.folder.path().join("loop.py");
    std::os::unix::fs::symlink(&unreadable, &unreadable).unwrap();
    for path in [Path::new("/no/such/program.py"), &folder, &unreadable] {
        let ran = checked(Run::view(&pythons()[0], path, &[]));
        assert_eq!(ran.status.code(), Some(2), "{}: {}", path.display(), ran.stderr);
        assert!(ran.stderr.contains(&path.display().to_string()), "{}: {}", path.display(), ran.stderr);
        assert!(ran.json_bytes() == 0, "{}: there is a trace of nothing", path.display());
    }
}

#[test]
fn an_interpreter_that_is_none_is_refused() {
    let lab = Lab::new();
    let program = lab.write("program.py", "print(1)\n");
    for (interpreter, told) in [("/no/such/python", "/no/such/python"), ("/bin/true", "no step to show")] {
        let python = Python { minor: 0, path: interpreter.into() };
        let ran = checked(Run::view(&python, &program, &[]));
        assert_eq!(ran.status.code(), Some(2), "{interpreter}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{interpreter}: {}", ran.stderr);
    }
}

#[test]
fn only_what_is_asked_for_is_watched() {
    let lines = [
        "def outer(number):",
        "    doubled = inner(number)",
        "    return doubled",
        "def inner(number):",
        "    return number * 2",
        "before = outer(1000)",
        "after = outer(2000)",
        "print(before + after)",
    ];
    each_python(|python| {
        let ran = view(python, &lines, &["--function", "inner"]);
        let trace_of_function = trace(&ran);
        let outside = |line: u64| trace_of_function.steps.iter().any(|s| s.event == "line" && s.line == line);
        assert!(outside(5) && !outside(3) && !outside(8), "{python}: more than the function is watched");
        let trace_from = trace(&view(python, &lines, &["--from", "7"]));
        let line = |line: u64| trace_from.steps.iter().any(|s| s.event == "line" && s.line == line);
        assert!(line(7) && line(5) && line(8) && !line(6), "{python}: it does not begin at line 7");
    });
}
