//! The object graph accounts for what was recorded.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Python, Recorded, Run, each_python, memsight, number, program, sum};

/// Records a program with its object graph.
fn record(python: &Python, program: &Path) -> Recorded {
    Run::with(Some(python), &HEAP).output(&[&program])
}

/// What `memsight heap` says of a run, as JSON.
fn heap(recorded: &Recorded, options: &[&str]) -> Value {
    heap_of(&recorded.capture(), options)
}

fn heap_of(capture: &Path, options: &[&str]) -> Value {
    let output = Command::new(memsight())
        .arg("heap")
        .arg(capture)
        .arg("--json")
        .args(options)
        .output()
        .expect("memsight can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "memsight heap: {said}");
    serde_json::from_slice(&output.stdout).expect("memsight heap --json prints JSON")
}

/// Bytes at the end.
#[derive(Debug)]
struct Account {
    /// Live in Python's own allocators, by the recorder.
    live: i64,
    /// Live of the C library and of the kernel, of which objects may own some.
    other: i64,
    /// Of objects and of what they own.
    objects: i64,
    /// Of nobody.
    loose: i64,
}

impl Account {
    fn of(recorded: &Recorded) -> Self {
        let report = recorded.report();
        let domains = report["domains"].as_array().expect("the report has domains");
        let is_pythons = |domain: &&Value| domain["domain"] == "object" || domain["domain"] == "mem";
        let all = sum(&report["domains"], "live_bytes");
        let live = domains.iter().filter(is_pythons).map(|domain| number(&domain["live_bytes"])).sum();
        Account {
            live,
            other: all - live,
            objects: number(&heap(recorded, &["-n", "1"])["shallow_bytes"]),
            loose: number(&heap(recorded, &["--loose"])["bytes"]),
        }
    }
}

#[test]
fn objects_account_for_what_is_alive() {
    let wrong: Vec<String> = each_python(|python| {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.py");
        std::fs::write(&empty, "").expect("an empty script");
        let empty = record(python, &empty);
        empty.stdout();
        let empty = Account::of(&empty);
        let kinds = record(python, &program("heap_kinds.py"));
        kinds.stdout();
        let kinds = Account::of(&kinds);
        let live = kinds.live - empty.live;
        assert!(live > 20_000_000, "{python}: {kinds:?}");
        let (objects, loose) = (kinds.objects - empty.objects, kinds.loose - empty.loose);
        let other = kinds.other - empty.other;
        println!("{python}: {live} live, {objects} of objects, {loose} loose, {other} of others");
        // Half a percent, where two would do.
        let is_near = |bytes: i64| bytes * 200 <= live;
        let is_right = is_near(live - objects) && is_near(objects - live - other) && is_near(loose.abs());
        (!is_right).then(|| format!("{python}: {kinds:?}, of an empty script {empty:?}"))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The number of objects of a type.
fn count_of(heap: &Value, name: &str) -> i64 {
    let types = heap["types"].as_array().expect("the heap has types");
    types.iter().filter(|of| of["type"] == name).map(|of| number(&of["count"])).sum()
}

/// What is left out of a graph, in words.
fn missing(heap: &Value) -> &str {
    heap["missing"].as_str().expect("missing is text")
}

/// What `memsight heap` says in place of a graph.
fn refusal(recorded: &Recorded) -> String {
    let output = Command::new(memsight()).arg("heap").arg(recorded.capture()).output().expect("it runs");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("memsight writes UTF-8")
}

/// Runs `python -c program` with its object graph, or without.
fn run_text(python: &Python, options: &[&str], text: &str) -> Recorded {
    Run::with(Some(python), options).output(&[&"-c", &text])
}

const HEAP: [&str; 2] = ["--heap", "exit"];

/// Without a random layout of memory: keys that are addresses make tables of other sizes.
const FIXED_LAYOUT: [&str; 3] = ["setarch", "x86_64", "-R"];

#[test]
fn nothing_is_changed_by_looking() {
    let [setarch, options @ ..] = FIXED_LAYOUT;
    if !Command::new(setarch).args(options).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("{FIXED_LAYOUT:?} is not allowed here: not tested that looking changes nothing");
        return;
    }
    each_python(|python| {
        let observe = |options: &[&str]| {
            let mut run = Run::with(None, options).below(&FIXED_LAYOUT);
            run.command.env("PYTHONHASHSEED", "0");
            run.output(&[&python.path, &"-S", &program("heap_untouched.py")])
        };
        // Now and then a run differs by a block without anybody looking: what most saw counts.
        let most = |options: &[&str]| {
            let mut seen = BTreeMap::<String, usize>::new();
            for _ in 0..5 {
                *seen.entry(observe(options).stdout()).or_default() += 1;
            }
            let most = seen.iter().max_by_key(|&(_, &runs)| runs).map(|(text, _)| text.clone());
            (most.expect("there were runs"), seen)
        };
        let ((with, all_with), (without, all_without)) = (most(&HEAP), most(&[]));
        assert_eq!(with, without, "{python}: {all_with:#?} {all_without:#?}");
        let looked = observe(&HEAP);
        let seen = looked.stdout();
        assert_eq!(seen.lines().count(), 1, "{python}: {seen}");
        assert_eq!(String::from_utf8_lossy(&looked.output.stderr), "", "{python}");
        // What it saw last it saw after the snapshot, which still has it.
        let heap = heap(&looked, &[]);
        assert_eq!(count_of(&heap, "__main__.Observer"), 1, "{python}");
        assert_eq!(missing(&heap), "", "{python}");
    });
}

/// Builds an extension; `None` if that cannot be done here.
fn build_extension(python: &Python, name: &str, folder: &Path) -> Option<()> {
    const ASK: &str = "import sysconfig; print(sysconfig.get_path('include'))";
    let asked = python.command().args(["-c", ASK]).output().expect("the interpreter runs");
    let include = String::from_utf8(asked.stdout).expect("a path").trim().to_owned();
    if !Path::new(&include).join("Python.h").is_file() {
        eprintln!("{python}: no headers in {include}: nothing is tested of extensions");
        return None;
    }
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-I", &include, "-o"])
        .arg(folder.join(name).with_extension("so"))
        .arg(program(&format!("{name}.c")))
        .output()
        .expect("there is a C compiler");
    assert!(built.status.success(), "{python}: {}", String::from_utf8_lossy(&built.stderr));
    Some(())
}

#[test]
fn types_that_misbehave_are_named_and_left_out() {
    each_python(|python| {
        let folder = tempfile::tempdir().expect("a folder");
        if build_extension(python, "awkward", folder.path()).is_none() {
            return;
        }
        let all = ["Crashes", "Hangs", "Lies", "Walled"];
        for names in [&all[..1], &all[1..2], &all[2..3], &all[3..], &all] {
            let mut run = Run::with(Some(python), &HEAP);
            run.command.env("PYTHONPATH", folder.path()).env("MEMSIGHT_PATIENCE_MS", "300");
            run.command.arg(program("heap_awkward.py"));
            let arguments: Vec<&dyn AsRef<std::ffi::OsStr>> = names.iter().map(|name| name as _).collect();
            let recorded = run.output(&arguments);
            assert_eq!(recorded.output.status.code(), Some(7), "{python}: {names:?}");
            assert_eq!(recorded.output.stdout, format!("{}\n", names.len()).into_bytes(), "{python}");
            assert_eq!(String::from_utf8_lossy(&recorded.output.stderr), "", "{python}: {names:?}");
            let heap = heap(&recorded, &[]);
            // Found are those that the awkward objects hold, too: by whatever way.
            assert_eq!(count_of(&heap, "__main__.Found"), 100 + names.len() as i64, "{python}: {names:?}");
            for name in all {
                let is_said = missing(&heap).contains(&format!("awkward.{name}"));
                assert_eq!(is_said, names.contains(&name), "{python}: {names:?}: {}", missing(&heap));
            }
            assert_eq!(missing(&heap).matches("awkward.").count(), names.len(), "{}", missing(&heap));
        }
    });
}

#[test]
fn objects_in_arrays_are_held_by_them_and_arrays_by_their_views() {
    each_python(|python| {
        let folder = tempfile::tempdir().expect("a folder");
        if build_extension(python, "arrays", folder.path()).is_none() {
            return;
        }
        let mut run = Run::with(Some(python), &HEAP);
        run.command.env("PYTHONPATH", folder.path());
        let recorded = run.output(&[&program("heap_arrays.py")]);
        assert_eq!(recorded.stdout(), "300\n", "{python}");
        let heap = heap(&recorded, &["-n", "1000"]);
        assert_eq!(missing(&heap), "", "{python}");
        let first = &heap["dominators"][0];
        assert_eq!(first["name"], "__main__.COLUMN", "{python}: {first}");
        assert!(number(&first["retained_bytes"]) > 2_400_000, "{python}: {first}");
        let ask = |what: &str| {
            let mut asked = Command::new(memsight());
            asked.arg("heap").arg(recorded.capture()).args(["--who-holds", what, "-n", "100"]);
            String::from_utf8(asked.output().expect("it runs").stdout).expect("memsight writes UTF-8")
        };
        let texts = ask("Text");
        assert!(texts.contains("300 ×  __main__.COLUMN[*]\n"), "{python}: {texts}");
        assert!(!texts.contains("held from C"), "{python}: {texts}");
        let arrays = ask("ndarray");
        assert!(arrays.contains("1 ×  __main__.VIEW.base\n"), "{python}: {arrays}");
        assert_eq!(count_of(&heap, "__main__.Kept"), 1, "{python}: numbers are no references");
        let kinds = ask("Kept");
        assert!(kinds.contains("1 ×  __main__.NAMED[*]\n"), "{python}: {kinds}");
    });
}

#[test]
fn two_hundred_threads_are_alive_at_the_end() {
    const TEXT: &str = "import threading\nready = threading.Barrier(201)\n\
        def wait(number):\n    mine = [f'thread {number}'] * 3\n    ready.wait()\n    threading.Event().wait()\n\
        for number in range(200):\n    threading.Thread(target=wait, args=(number,), daemon=True).start()\n\
        ready.wait()\nprint('end')\n";
    each_python(|python| {
        let recorded = run_text(python, &HEAP, TEXT);
        assert_eq!(recorded.stdout(), "end\n", "{python}");
        let heap = heap(&recorded, &[]);
        assert_eq!(count_of(&heap, "threading.Thread"), 200, "{python}");
        assert_eq!(missing(&heap), "", "{python}");
    });
}

#[test]
fn a_program_may_end_anywhere() {
    // In the middle of an import, in a finaliser, by a signal handler's exception, in a thread.
    let endings = [
        "import sys\nsys.exit(3)\n",
        "import os, sys\nclass Last:\n    def __del__(self): os._exit(3)\nLast()\n",
        "import os, sys\nclass Last:\n    def __del__(self, exit=os._exit): exit(3)\nlast = Last()\n",
        "import signal, sys\nsignal.signal(signal.SIGALRM, lambda *_: sys.exit(3))\n\
         signal.setitimer(signal.ITIMER_REAL, 0.01)\nwhile True: [[]]\n",
        "import os, threading\nthreading.Thread(target=lambda: os._exit(3)).start()\nthreading.Event().wait()\n",
    ];
    each_python(|python| {
        let folder = tempfile::tempdir().expect("a folder");
        for (at, text) in endings.iter().enumerate() {
            std::fs::write(folder.path().join("ending.py"), text).expect("a module");
            let main = folder.path().join("main.py");
            std::fs::write(&main, "class Kept: pass\nkept = [Kept() for _ in range(50)]\nimport ending\n")
                .expect("a program");
            let recorded = record(python, &main);
            assert_eq!(recorded.output.status.code(), Some(3), "{python}: ending {at}");
            assert_eq!(String::from_utf8_lossy(&recorded.output.stderr), "", "{python}: ending {at}");
            let heap = heap(&recorded, &[]);
            assert_eq!(count_of(&heap, "__main__.Kept"), 50, "{python}: ending {at}");
            assert_eq!(missing(&heap), "", "{python}: ending {at}");
        }
    });
}

#[test]
fn a_forked_child_has_a_graph_of_its_own() {
    const TEXT: &str = "import os, sys\nclass Before: pass\nclass After: pass\n\
        kept = [Before() for _ in range(20)]\nchild = os.fork()\n\
        if child == 0:\n    more = [After() for _ in range(2000)]\n    sys.exit(5)\n\
        print(child, os.WEXITSTATUS(os.waitpid(child, 0)[1]))\n";
    each_python(|python| {
        let recorded = run_text(python, &HEAP, TEXT);
        let said = recorded.stdout();
        let (child, status) = said.trim().split_once(' ').expect("two numbers");
        assert_eq!(status, "5", "{python}");
        for (capture, after) in [(recorded.capture(), 0), (recorded.capture_of(child), 2000)] {
            let heap = heap_of(&capture, &[]);
            assert_eq!(count_of(&heap, "__main__.Before"), 20, "{python}: {}", capture.display());
            assert_eq!(count_of(&heap, "__main__.After"), after, "{python}: {}", capture.display());
        }
    });
}

#[test]
fn too_little_memory_for_the_walk_is_said() {
    // A limit of the program's own would not be its writer's.
    const LIMIT: [&str; 3] = ["sh", "-c", "ulimit -v 400000; exec \"$0\" \"$@\""];
    const TEXT: &str = "kept = [[i] for i in range(200_000)]\n\
        used = int(open('/proc/self/statm').read().split()[0]) * 4\n\
        rest = bytearray((400_000 - used - 3_000) * 1024)\nprint('end')\n";
    each_python(|python| {
        let recorded = Run::with(Some(python), &HEAP).below(&LIMIT).output(&[&"-c", &TEXT]);
        assert_eq!(recorded.stdout(), "end\n", "{python}");
        assert_eq!(String::from_utf8_lossy(&recorded.output.stderr), "", "{python}");
        let said = refusal(&recorded);
        assert!(said.contains("there was not enough memory for it"), "{python}: {said}");
    });
}

#[test]
fn a_copy_that_is_refused_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_copy = folder.path().join("no_copy");
    let built = Command::new("cc").arg("-o").arg(&no_copy).arg(program("no_copy.c")).status();
    assert!(built.expect("there is a C compiler").success());
    each_python(|python| {
        let run = Run::with(Some(python), &HEAP).below(&[&no_copy]);
        let recorded = run.output(&[&"-c", &"kept = [[]]\nprint('end')"]);
        assert_eq!(recorded.stdout(), "end\n", "{python}");
        assert_eq!(String::from_utf8_lossy(&recorded.output.stderr), "", "{python}");
        let said = refusal(&recorded);
        assert!(said.contains("the system refused a copy of the process"), "{python}: {said}");
        assert!(said.contains("EAGAIN"), "{python}: {said}");
    });
}
