//! `memsight prove`: fixes tried on a copy, and kept for what they save.

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Python, memsight, number, pythons};

/// A project, and a folder for temporary files beside it.
struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("project")).unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        Lab { folder }
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project").canonicalize().unwrap()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.project().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn three(&self) {
        let program = support::program("prove_three.py");
        self.write("three.py", &std::fs::read_to_string(program).unwrap());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(memsight());
        command.arg("prove").args(arguments).current_dir(self.project());
        command.env("TMPDIR", self.folder.path().join("tmp")).env("COLUMNS", "80");
        command.env_remove("PYTHONHASHSEED").env_remove("PYTHONPATH").env_remove("VIRTUAL_ENV");
        command
    }

    fn prove(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert!(self.nothing_is_left(), "{arguments:?} left something behind");
        output
    }

    /// Proves, with `--json`.
    fn proof(&self, arguments: &[&str], exit_code: i32) -> Value {
        let output = self.prove(&[&["--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(exit_code), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Memsight exits with 2 and says all of `words`.
    fn refuses(&self, arguments: &[&str], words: &[&str]) {
        let output = self.prove(arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: no '{word}' in: {said}");
        }
    }

    fn nothing_is_left(&self) -> bool {
        std::fs::read_dir(self.folder.path().join("tmp")).unwrap().next().is_none()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn newest() -> &'static Python {
    pythons().last().unwrap()
}

fn path_of(python: &Python) -> &str {
    python.path.to_str().unwrap()
}

/// Every file below a folder with its content and permissions.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>, std::fs::Permissions)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let permissions = path.metadata().unwrap().permissions();
            found.push((path.clone(), std::fs::read(&path).unwrap(), permissions));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

#[test]
fn a_fix_is_kept_one_that_shows_is_dropped_and_one_that_never_ran_is_not_tried() {
    for python in pythons() {
        let lab = Lab::new();
        lab.three();
        let before = contents(&lab.project());
        let proof = lab.proof(&["--", path_of(python), "three.py"], 1);
        assert_eq!(contents(&lab.project()), before, "{python}");
        let lines = |list: &str| -> Vec<i64> {
            proof[list].as_array().unwrap().iter().map(|fix| number(&fix["line"])).collect()
        };
        assert_eq!((lines("fixes"), lines("not_run")), (vec![5, 14], vec![20]), "{python}: {proof:#}");
        let (kept, dropped) = (&proof["fixes"][0], &proof["fixes"][1]);
        assert_eq!((&kept["kept"], &kept["verdict"]), (&true.into(), &"kept".into()), "{python}: {kept:#}");
        assert_eq!(
            (&dropped["kept"], &dropped["verdict"]),
            (&false.into(), &"differs".into()),
            "{python}: {dropped:#}"
        );
        assert!(dropped["reason"].as_str().unwrap().contains("line 3 is \"took 0\""), "{dropped:#}");
        assert_eq!(proof["after"], kept["after"], "{python}");
        for figure in ["allocated_bytes", "peak_bytes"] {
            let saved = number(&proof["baseline"][figure]) - number(&proof["after"][figure]);
            assert!(saved > 300_000, "{python}: {figure} {saved}");
        }
    }
}

#[test]
fn the_json_has_its_keys() {
    let lab = Lab::new();
    lab.three();
    let proof = lab.proof(&["three.py", "--safe-only", "--", path_of(newest()), "three.py"], 0);
    assert_eq!(number(&proof["schema_version"]), 1);
    assert_eq!(proof["command"][1], "three.py");
    assert_eq!((number(&proof["baseline"]["exit_code"]), &proof["complete"]), (0, &true.into()));
    assert!(proof["baseline"]["tests_passed"].is_null());
    assert_eq!(proof["fixes"].as_array().unwrap().len(), 1);
    let fix = &proof["fixes"][0];
    assert_eq!((fix["path"].as_str(), fix["applicability"].as_str()), (Some("three.py"), Some("safe")));
    for key in ["code", "name", "message", "fix", "reason"] {
        assert!(!fix[key].as_str().unwrap().is_empty(), "{key}");
    }
    for cost in [&proof["baseline"], &fix["before"], &fix["after"], &proof["after"]] {
        for key in ["allocated_bytes", "peak_bytes", "allocations"] {
            assert!(number(&cost[key]) > 0, "{key}");
        }
    }
    assert!(proof["written"].as_array().unwrap().is_empty());
}

#[test]
fn what_is_written_prints_the_same_with_less() {
    let lab = Lab::new();
    lab.three();
    let script = lab.project().join("three.py");
    let python = newest();
    let plain = python.command().arg(&script).output().unwrap();
    let output = lab.prove(&["--fix", "three.py", "--", path_of(python), "three.py"]);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(text.contains("Written: three.py") && text.contains("1 of 2 fixes is kept"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(said(&output).lines().filter(|line| line.contains(" of 2  MS")).count(), 2);
    let written = std::fs::read_to_string(&script).unwrap();
    assert!(written.contains("sum(number * 2 for") && written.contains("max([number"), "{written}");
    assert_eq!(python.command().arg(&script).output().unwrap().stdout, plain.stdout);
    let again = lab.proof(&["--safe-only", "--", path_of(python), "three.py"], 0);
    assert!(again["fixes"].as_array().unwrap().is_empty(), "{again:#}");
}

#[test]
fn tests_are_a_command_too() {
    let lab = Lab::new();
    lab.write("orders/__init__.py", "");
    lab.write("tests/__init__.py", "");
    lab.write(
        "orders/sums.py",
        "def total(n):\n    return sum([i * i for i in range(n)])\n\n\n\
         def parts(text):\n    return len([int(part) for part in text.split()])\n",
    );
    lab.write(
        "tests/test_sums.py",
        "import unittest\n\nfrom orders.sums import parts, total\n\n\n\
         class Sums(unittest.TestCase):\n\
         \x20   def test_total(self):\n        self.assertEqual(total(20_000), 2666466670000)\n\n\
         \x20   def test_parts(self):\n        self.assertEqual(parts('1 ' * 5_000), 5_000)\n\n\
         \x20   def test_no_number(self):\n        self.assertRaises(ValueError, parts, 'x')\n",
    );
    for python in pythons() {
        let command =
            ["orders", "--", path_of(python), "-m", "unittest", "discover", "-s", "tests", "-t", "."];
        // Counting without making the parts lets a test fail: that fix is dropped.
        let proof = lab.proof(&command, 1);
        assert_eq!(number(&proof["baseline"]["tests_passed"]), 3, "{python}");
        let of = |key: &str| [&proof["fixes"][0][key], &proof["fixes"][1][key]];
        assert_eq!(of("line"), [2, 6], "{python}: {proof:#}");
        assert_eq!(of("verdict"), ["kept", "differs"], "{python}: {proof:#}");
        assert_eq!(of("reason")[1], "exit code 1 instead of exit code 0", "{python}: {proof:#}");
    }
}

#[test]
fn a_command_that_differs_each_time_proves_nothing() {
    let lab = Lab::new();
    lab.write("random_one.py", "import os\nprint(sum([i for i in range(9999)]))\nprint(os.urandom(8))\n");
    lab.refuses(
        &["--", path_of(newest()), "random_one.py"],
        &["does not do the same each time", "line 2 is", "random seeds"],
    );
}

#[test]
fn a_set_is_in_the_same_order_each_time() {
    let lab = Lab::new();
    lab.write("sets.py", "print(sum([i for i in range(9999)]))\nprint({str(i) for i in range(50)})\n");
    let proof = lab.proof(&["--", path_of(newest()), "sets.py"], 0);
    assert_eq!(proof["fixes"][0]["kept"], true, "{proof:#}");
}

#[test]
fn what_a_run_leaves_behind_is_not_there_for_the_next() {
    let lab = Lab::new();
    lab.write("kept.txt", "first\n");
    lab.write(
        "writes.py",
        "import os, tempfile\n\
         print(os.listdir('.'), open('kept.txt').read(), os.listdir(tempfile.gettempdir()))\n\
         print(sum([i for i in range(9999)]))\n\
         os.makedirs('new/folder')\n\
         open('new/folder/file', 'w').close()\n\
         open('kept.txt', 'a').write('more')\n\
         tempfile.mkstemp()\n",
    );
    let proof = lab.proof(&["--", path_of(newest()), "writes.py"], 0);
    assert_eq!(proof["fixes"][0]["kept"], true, "{proof:#}");
    assert_eq!(std::fs::read_to_string(lab.project().join("kept.txt")).unwrap(), "first\n");
    assert!(!lab.project().join("new").exists());
}

#[test]
fn a_fix_that_shows_in_a_file_only_is_dropped() {
    let lab = Lab::new();
    lab.write(
        "writes.py",
        "import os, time\n\
         os.makedirs('new')\n\n\n\
         def say(text, to='new/order'):\n\
         \x20   with open(to, 'a') as file:\n        file.write(str(text))\n\
         \x20   return text\n\n\n\
         def run():\n\
         \x20   texts = list(map(say, range(5)))\n\
         \x20   for text in texts:\n        say('then')\n\n\n\
         run()\n\
         say(sum([i for i in range(9999)]), 'new/total')\n\
         say(time.time_ns(), 'new/log')\n\
         say('', 'new/' + str(time.time_ns()))\n\
         say(time.time_ns(), '.hidden')\n",
    );
    let proof = lab.proof(&["--", path_of(newest()), "writes.py"], 1);
    assert_eq!(proof["baseline"]["files_written"], 2, "{proof:#}");
    let not_compared = proof["baseline"]["files_not_compared"].as_array().unwrap();
    assert!(not_compared.len() == 3 && not_compared.contains(&"new/log".into()), "{proof:#}");
    let of = |code: &str| {
        let fixes = proof["fixes"].as_array().unwrap();
        fixes.iter().find(|fix| fix["code"] == code).unwrap_or_else(|| panic!("no {code} in {proof:#}"))
    };
    assert_eq!(of("MS401")["kept"], true, "{proof:#}");
    let fixes = proof["fixes"].as_array().unwrap();
    let showing = fixes.iter().find(|fix| fix["code"] != "MS401").unwrap();
    assert_eq!(showing["verdict"], "differs", "{proof:#}");
    assert!(showing["reason"].as_str().unwrap().contains("something else to new/order"), "{proof:#}");
}

#[test]
fn the_copy_is_what_runs() {
    let lab = Lab::new();
    lab.write("src/shop/__init__.py", "");
    lab.write("src/shop/sums.py", "def total(n):\n    return sum([i for i in range(n)])\n");
    lab.write("main.py", "import shop.sums\nprint(shop.sums.total(9999))\n");
    let here = lab.project();
    let (main, source) = (here.join("main.py"), here.join("src"));
    // By absolute paths, which are led into the copy.
    let arguments = ["src", "--json", "--", path_of(newest()), main.to_str().unwrap()];
    let output = lab.command(&arguments).env("PYTHONPATH", &source).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let proof: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(proof["fixes"][0]["kept"], true, "{proof:#}");
    // A variable that names a file of the folder names the copy's.
    let code = "import os, runpy; open(os.environ['LOG'], 'w').close(); runpy.run_path('main.py')";
    let mut command = lab.command(&["src", "--", path_of(newest()), "-c", code]);
    let output = command.env("LOG", here.join("log")).env("PYTHONPATH", "src").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!here.join("log").exists());
    // By a path that cannot be seen from outside, as pip install -e leaves it.
    let text = format!("import sys\nsys.path.append('/' + {:?})\n", &source.to_str().unwrap()[1..]);
    lab.write("main.py", &(text + "import shop.sums\nprint(shop.sums.total(9999))\n"));
    lab.refuses(&["src", "--", path_of(newest()), "main.py"], &["not its copy", "sums.py", "PYTHONPATH=src"]);
}

#[test]
fn what_cannot_be_proven_is_said() {
    let lab = Lab::new();
    lab.three();
    let python = path_of(newest());
    lab.refuses(&["three.py"], &["COMMAND"]);
    lab.refuses(&["--", "no-such-program"], &["no-such-program", "PATH"]);
    lab.refuses(&["none.py", "--", python, "three.py"], &["none.py", "no such file"]);
    lab.refuses(&["..", "--", python, "three.py"], &["..", "outside", "start memsight in"]);
    lab.refuses(&["--select", "XX9", "--", python, "three.py"], &["XX9"]);
    lab.refuses(&["--timeout", "0", "--", python, "three.py"], &["more than 0"]);
    lab.refuses(
        &["--", python, "-c", "import sys; sys.exit('lost a file')"],
        &["fails", "before any fix", "exit code 1", "lost a file"],
    );
    let forever = ["--timeout", "0.5", "--", python, "-c", "while True: pass"];
    lab.refuses(&forever, &["not over after 0.5 s"]);
}

#[test]
fn a_fix_that_never_ends_is_dropped() {
    let lab = Lab::new();
    // Without the list each item is made after the last was taken, and more are asked for.
    lab.write(
        "grows.py",
        "more = list(range(2000))\n\n\n\
         def taken(item):\n    return item\n\n\n\
         def add(item):\n    more.append(item)\n\n\n\
         def run():\n\
         \x20   items = list(map(taken, more))\n\
         \x20   for item in items:\n        add(item)\n\n\n\
         run()\nprint(len(more))\n",
    );
    let proof = lab.proof(&["--timeout", "2", "--", path_of(newest()), "grows.py"], 1);
    let fix = &proof["fixes"][0];
    assert_eq!(fix["verdict"], "differs", "{proof:#}");
    assert!(fix["after"].is_null() && fix["reason"].as_str().unwrap().contains("not over after 2 s"));
}

#[test]
fn a_project_without_findings_is_fine() {
    let lab = Lab::new();
    lab.write("fine.py", "print('fine')\n");
    let output = lab.prove(&["--", path_of(newest()), "fine.py"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Nothing to prove: nothing found in 1 file.\n");
    let proof = lab.proof(&["--", path_of(newest()), "fine.py"], 0);
    assert!(proof["baseline"].is_null() && proof["after"].is_null() && proof["complete"] == true);
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let lab = Lab::new();
    lab.three();
    let pids = lab.folder.path().join("pids");
    lab.write(
        "sleeps.py",
        "import os, subprocess, sys, time\n\
         sleep = [sys.executable, '-c', 'import time; time.sleep(100)']\n\
         child = subprocess.Popen(sleep)\n\
         daemon = subprocess.Popen(sleep, start_new_session=True)\n\
         with open(sys.argv[1] + '.new', 'w') as file:\n    print(os.getpid(), child.pid, daemon.pid, file=file)\n\
         os.rename(sys.argv[1] + '.new', sys.argv[1])\n\
         time.sleep(100)\n",
    );
    for signal in ["INT", "TERM"] {
        let arguments = ["--", path_of(newest()), "sleeps.py", pids.to_str().unwrap()];
        let mut command = lab.command(&arguments);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let begun = lines.map_while(Result::ok).any(|line| line.contains("run 1 without fixes"));
        assert!(begun);
        let until = |what: &dyn Fn() -> bool| {
            let began = Instant::now();
            while !what() && began.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(what(), "after {signal}");
        };
        until(&|| pids.exists());
        assert!(!lab.nothing_is_left());
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let number = if signal == "INT" { 2 } else { 15 };
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        assert!(lab.nothing_is_left(), "{signal}");
        let text = std::fs::read_to_string(&pids).unwrap();
        let is_gone = |pid: &str| {
            // One that nobody has waited for yet has no command line either.
            std::fs::read(format!("/proc/{pid}/cmdline")).map_or(true, |line| line.is_empty())
        };
        until(&|| text.split_whitespace().all(is_gone));
        std::fs::remove_file(&pids).unwrap();
    }
}
