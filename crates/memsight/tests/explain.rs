//! `memsight explain` on every CPython of the machine: its pages say what was
//! measured there, and the rules' experiments show what the rules say.

mod support;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use memsight_check::{RULES, Rule, Saves};
use memsight_report::units;
use serde_json::Value;
use support::{Python, each_python, memsight, number, pythons};

const TOPICS: [&str; 11] = [
    "stack",
    "heap",
    "refcount",
    "gc",
    "private-heap",
    "leaks",
    "slicing",
    "indexing",
    "concat",
    "iterators",
    "libraries",
];

fn explain(arguments: &[&str]) -> Command {
    let mut command = Command::new(memsight());
    command.arg("explain").args(arguments).env("COLUMNS", "80").env_remove("VIRTUAL_ENV");
    command
}

fn text_of(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert!(said.is_empty(), "{said}");
    String::from_utf8(output.stdout.clone()).expect("pages are UTF-8")
}

fn page(python: &Python, name: &str) -> String {
    text_of(&explain(&[name, "--python"]).arg(&python.path).output().unwrap())
}

fn json(python: &Python, name: &str) -> Value {
    let output = explain(&[name, "--json", "--python"]).arg(&python.path).output().unwrap();
    serde_json::from_str(&text_of(&output)).expect("--json prints JSON")
}

fn part<'a>(measured: &'a Value, name: &str) -> &'a Value {
    let parts = measured["parts"].as_array().expect("there are parts");
    parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("no part {name} in {measured}"))
}

/// A page as one line, so that a sentence can be found wherever it was folded.
fn unfolded(page: &str) -> String {
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every topic's page on every Python, each made once.
fn pages() -> &'static [(&'static Python, &'static str, String)] {
    static PAGES: OnceLock<Vec<(&Python, &str, String)>> = OnceLock::new();
    PAGES.get_or_init(|| {
        each_python(|python| TOPICS.map(|topic| (python, topic, page(python, topic)))).concat()
    })
}

#[test]
fn every_topic_is_measured_on_every_python() {
    for (python, topic, page) in pages() {
        let first = page.lines().next().expect("a page has a title");
        assert!(first.contains(&format!("CPython 3.{}.", python.minor)), "{python}: {topic}: {first}");
        let lines = page.lines().count();
        assert!((20..=50).contains(&lines), "{python}: {topic} has {lines} lines");
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{python}: {topic}: {line}");
        }
        for name in unfolded(page).split("memsight explain ").skip(1) {
            let name = name.split([' ', '.']).next().expect("a split gives something");
            assert!(TOPICS.contains(&name) || Rule::find(name).is_some(), "{topic} leads to '{name}'");
        }
    }
}

/// The pages' sentences where versions differ. What is said is what was measured; this is what the
/// versions are known to do.
#[test]
fn pages_differ_where_versions_do() {
    for python in pythons() {
        let says = |topic: &str, words: &str, expected: bool| {
            let here = |page: &&(&Python, &str, String)| page.0.minor == python.minor && page.1 == topic;
            let (.., page) = pages().iter().find(here).expect("every topic has a page");
            let page = unfolded(page);
            assert_eq!(page.contains(words), expected, "{python}: '{words}' in {topic}:\n{page}");
        };
        let minor = python.minor;
        says("concat", "grows a text in place where `s` is a local name. It copies", minor >= 11);
        says("concat", "in place where `s` is a local name, a module's own name or a closure's", minor < 11);
        says("stack", "takes 111 B of a stack of Python's own", minor >= 11);
        says("stack", "keeps a frame of 4", minor < 11);
        says("stack", "each call took 3", minor < 11);
        says("private-heap", "arenas of 256 KiB", minor < 10);
        says("private-heap", "arenas of 1 MiB", minor >= 10);
        says("refcount", "`None` and the number 1 have a count that is set once and for all", minor >= 12);
        says("gc", "when 2000 more such objects were made", minor >= 13);
    }
}

/// The captures that `--keep` leaves are read once more, with `memsight report`, by line numbers
/// that stand in this test.
#[test]
fn a_page_says_what_its_captures_hold() {
    each_python(|python| {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let output = explain(&["slicing", "--python"]).arg(&python.path).arg("--keep").arg(&kept).output();
        let page = text_of(&output.unwrap());
        let said = std::fs::read_to_string(kept.join("output")).unwrap();
        let pid = said.lines().find_map(|line| line.strip_prefix("#part copies ")).expect("the part ran");
        let report = Command::new(memsight())
            .args(["report", "--json"])
            .arg(kept.join(format!("run.{pid}.msight")))
            .output()
            .unwrap();
        let report: Value = serde_json::from_str(&text_of(&report)).unwrap();
        let source = std::fs::read_to_string(kept.join("slicing.py")).unwrap();
        for (code, row) in
            [("x = xs[1:]", "xs[1:]"), ("x = text[1:]", "text[1:]"), ("x = view[1:]", "memoryview(data)[1:]")]
        {
            let line = 1 + source.lines().position(|line| line.starts_with(code)).expect("the line is there");
            let sites = report["sites"].as_array().unwrap().iter().filter(|site| site["line"] == line);
            let here = sites.filter(|site| site["file"].as_str().unwrap().ends_with("slicing.py"));
            let allocated: i64 = here.map(|site| number(&site["allocated_bytes"])).sum();
            let wanted = units::bytes(allocated as u64);
            let found =
                page.lines().find(|line| line.contains(&format!("{row}  "))).expect("the row is there");
            assert!(allocated > 0 && found.contains(&wanted), "{python}: {row}: {wanted} in '{found}'");
        }
    });
}

#[test]
fn the_json_holds_the_figures_of_the_page() {
    let python = pythons().last().expect("a Python");
    let (page, json) = (page(python, "MS101"), json(python, "MS101"));
    let figures =
        ["before", "after"].map(|name| units::bytes(number(&part(&json, name)["peak_bytes"]) as u64));
    let row = page.lines().find(|line| line.contains("at the peak")).expect("there is a table");
    let cells: Vec<&str> = row.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells[1..3], figures, "{page}");
    assert_eq!(figures[0], "2.4 MB", "{page}");
}

/// What a rule says it saves is what its experiment saves, on every interpreter that can run it.
#[test]
fn every_rules_experiment_shows_what_the_rule_says() {
    let wrong = each_python(|python| {
        let failures = RULES.iter().filter_map(|rule| failure(python, rule));
        failures.map(|why| format!("{python}: {why}")).collect::<Vec<_>>()
    })
    .concat();
    assert!(wrong.is_empty(), "rules whose experiment does not show it:\n{}", wrong.join("\n"));
}

/// Why a rule's experiment does not hold; `None` if it does, or if it cannot be run for want of a module.
fn failure(python: &Python, rule: &Rule) -> Option<String> {
    let measured = json(python, rule.code);
    if measured["missing"].as_array().is_some_and(|missing| !missing.is_empty()) {
        let known = measured["missing"]
            .as_array()?
            .iter()
            .all(|module| rule.experiment.needs.iter().any(|need| module == need));
        eprintln!("{python}: {} is not run, without {}", rule.code, measured["missing"]);
        return (!known).then(|| format!("{} lacks a module that it does not say it needs", rule.code));
    }
    for name in ["before", "after"] {
        if let Some(error) = part(&measured, name)["failed"].as_str() {
            return Some(format!("{}: its {name} raised {error}", rule.code));
        }
    }
    let figure = |name: &str, key: &str| number(&part(&measured, name)[key]);
    let [peak, allocated] =
        ["peak_bytes", "allocated_bytes"].map(|key| (figure("before", key), figure("after", key)));
    // As on the page: a difference is a kilobyte and a twentieth.
    let less = |(before, after): (i64, i64)| before - after >= 1000 && (before - after) * 20 >= before;
    let holds = match rule.saves {
        Saves::Peak => less(peak),
        Saves::Allocated => less(allocated),
        Saves::Nothing => !less(peak) && !less((peak.1, peak.0)),
    };
    (!holds).then(|| {
        format!(
            "{} {} saves {:?}: at the peak {} and {} bytes, allocated {} and {}",
            rule.code, rule.name, rule.saves, peak.0, peak.1, allocated.0, allocated.1
        )
    })
}

/// Nothing stays behind: neither the experiment's folder nor what its setup made.
#[test]
fn nothing_is_left_on_the_disk() {
    let python = pythons().last().expect("a Python");
    for name in ["MS417", "leaks"] {
        let folder = tempfile::tempdir().unwrap();
        let output = explain(&[name, "--python"]).arg(&python.path).env("TMPDIR", folder.path()).output();
        text_of(&output.unwrap());
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{name} left {left:?}");
    }
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        for wait in [5, 30, 80, 150] {
            let folder = tempfile::tempdir().unwrap();
            let mut command = explain(&["slicing", "--python"]);
            command.arg(&pythons()[0].path).env("TMPDIR", folder.path());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(wait));
            let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
            assert!(sent.unwrap().success());
            let status = child.wait().unwrap();
            // A machine at rest may be through by then, one that is busy not have begun.
            assert!(status.signal() == Some(number) || status.success(), "{signal}: {status}");
            assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "{signal} after {wait} ms");
        }
    }
}

#[test]
fn the_list_names_every_topic_and_counts_the_rules() {
    let page = text_of(&explain(&[]).env("MEMSIGHT_PRELOAD", "/nowhere").output().unwrap());
    for topic in TOPICS {
        assert!(page.lines().any(|line| line.starts_with(&format!("  {topic} "))), "{topic}:\n{page}");
    }
    assert!(page.contains(&format!("{} topics, {} rules", TOPICS.len(), RULES.len())), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

fn refuses(command: &mut Command, words: &[&str]) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty());
    for word in words {
        assert!(said.contains(word), "no '{word}' in: {said}");
    }
}

#[test]
fn what_cannot_be_explained_is_said_with_the_nearest_names() {
    refuses(
        &mut explain(&["slicng"]),
        &["slicng", "no topic and no rule", "Did you mean slicing", "memsight explain"],
    );
    refuses(&mut explain(&["MS1O1"]), &["MS101"]);
    refuses(&mut explain(&["readlines"]), &["readlines-iterated"]);
    refuses(&mut explain(&["xyzzyxyzzy"]), &["no topic and no rule", "The list"]);
    refuses(&mut explain(&["gc", "concat"]), &["concat"]);
    refuses(&mut explain(&["--json"]), &["TOPIC"]);
    let folder = tempfile::tempdir().unwrap();
    refuses(explain(&["gc", "--keep"]).arg(folder.path()), &["--keep", "is there already"]);
}

#[test]
fn without_an_interpreter_there_is_a_clear_word() {
    let nowhere = tempfile::tempdir().unwrap();
    refuses(explain(&["gc"]).env("PATH", nowhere.path()), &["no Python", "--python PATH"]);
    refuses(&mut explain(&["gc", "--python", "/no/python"]), &["--python", "/no/python", "no such file"]);
    refuses(&mut explain(&["gc", "--python", "/bin/true"]), &["/bin/true"]);
}

#[test]
fn the_active_virtual_environment_is_measured() {
    let python = pythons().first().expect("a Python");
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(&python.path, bin.join("python")).unwrap();
    let output = explain(&["leaks"]).env("VIRTUAL_ENV", folder.path() as &Path).output().unwrap();
    assert!(text_of(&output).contains(&format!("CPython 3.{}.", python.minor)));
}
