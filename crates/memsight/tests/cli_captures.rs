//! `report` and `diff` over captures of known contents, and over files that are none.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use memsight_capture::{Domain, NodeId, Peak, PeakShare, Record, Start, Temporary, TickIndex, Track};
use memsight_insight::testing::{Writer, counts, start};

fn memsight(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_memsight")).args(arguments).env_remove("COLUMNS").output().unwrap()
}

fn capture(grown: u64) -> Writer {
    let mut w = Writer::new(start());
    let thread = w.thread(0, b"main");
    let module = w.frame(thread, "/work/orders.py", "<module>", 1);
    let load = w.frame(module, "/work/orders.py", "load", 10);
    w.birth(load, Some(0), counts(3, 300_000 + grown, 0, 0));
    w.birth(module, None, counts(5, 500, 5, 500));
    w.put(Record::Temporary(Temporary { node: module, allocations: 4, bytes: 400 }));
    w.tick(10);
    w.put(Record::Peak(Peak { tick: TickIndex(0), bytes: 300_100 + grown, blocks: 4 }));
    for (node, blocks, bytes) in [(3, 3, 300_000 + grown), (2, 1, 100)] {
        let (node, birth) = (NodeId(node), TickIndex(0));
        w.put(Record::PeakShare(PeakShare { node, domain: Domain::Object, birth, blocks, bytes }));
    }
    w.end(20);
    w
}

fn saved(folder: &Path, name: &str, mut writer: Writer) -> PathBuf {
    let path = folder.join(name);
    writer.save(&path);
    path
}

fn stdout_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_view_prints_and_fits_its_width() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "a.msight", capture(0));
    let views: [&[&str]; 12] = [
        &[],
        &["--tree"],
        &["--leaks"],
        &["--temporary"],
        &["--at", "end"],
        &["--at", "0.01"],
        &["--at", "0..0.01"],
        &["--by", "function"],
        &["--by", "module"],
        &["--by", "thread"],
        &["--by", "process"],
        &["--by", "type"],
    ];
    for width in ["60", "80", "100"] {
        for view in views {
            let output = Command::new(env!("CARGO_BIN_EXE_memsight"))
                .arg("report")
                .arg(&path)
                .args(view)
                .env("COLUMNS", width)
                .output()
                .unwrap();
            let text = stdout_of(&output);
            assert!(text.contains("Peak   300 kB"), "{view:?}: {text}");
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= width.parse::<usize>().unwrap(), "{view:?} at {width}: {text}");
            assert!(text.lines().all(|line| line == line.trim_end()), "{view:?}: {text}");
        }
    }
}

#[test]
fn json_has_the_keys_of_the_contract_and_sums_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "a.msight", capture(0));
    let text = stdout_of(&memsight(&["report", path.to_str().unwrap(), "--json"]));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in [
        "command",
        "exit_code",
        "signal",
        "interpreter",
        "duration_s",
        "track",
        "native",
        "totals",
        "peak",
        "end",
        "machine",
        "domains",
        "sites",
        "threads",
        "processes",
        "gc",
        "overhead",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["complete"], true);
    assert_eq!(json["domains"].as_array().unwrap().len(), 5);
    let sum = |key: &str| -> u64 {
        json["sites"].as_array().unwrap().iter().map(|site| site[key].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("allocations"), json["totals"]["allocations"].as_u64().unwrap());
    assert_eq!(sum("allocated_bytes"), json["totals"]["allocated_bytes"].as_u64().unwrap());
    assert_eq!(sum("peak_bytes"), json["peak"]["live_bytes"].as_u64().unwrap());
    assert_eq!(sum("live_bytes"), json["end"]["live_bytes"].as_u64().unwrap());
    assert_eq!(json["sites"][0]["line"], 10);
}

#[test]
fn a_limit_shortens_the_sites() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "a.msight", capture(0));
    let text = stdout_of(&memsight(&["report", path.to_str().unwrap(), "--json", "-n", "1", "--leaks"]));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["sites"].as_array().unwrap().len(), 1);
    assert_eq!(json["view"]["of"], "leaks");
    assert_eq!(json["view"]["rows"][0]["bytes"], 300_000);
}

#[test]
fn files_that_are_no_captures_are_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let mut other_version = capture(0).bytes();
    other_version[8] = 99;
    let files: [(&str, &[u8], &str); 4] = [
        ("empty", b"", "empty"),
        ("text", b"hello, this is no capture", "not a memsight capture"),
        ("short", b"\x89msight", "not a memsight capture"),
        ("version", &other_version, "version 99"),
    ];
    for (name, bytes, word) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let output = memsight(&["report", path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(said.contains(word) && said.contains(name), "{name}: {said}");
        assert!(output.stdout.is_empty());
    }
    for (missing, why) in [("/no/such/file", "No such file"), ("/tmp", "directory")] {
        let output = memsight(&["report", missing]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains(missing) && said.matches(why).count() == 1, "{said}");
    }
}

#[test]
fn a_capture_cut_at_any_byte_is_an_error_or_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.msight");
    let bytes = capture(0).bytes();
    for end in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        std::fs::write(&path, &bytes[..end]).unwrap();
        let output = memsight(&["report", path.to_str().unwrap()]);
        match output.status.code() {
            Some(0) => assert!(stdout_of(&output).contains("INCOMPLETE"), "cut at {end}"),
            code => assert_eq!(code, Some(2), "cut at {end}"),
        }
    }
}

#[test]
fn a_capture_that_is_being_written_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "a.msight", capture(0));
    let writer = std::fs::File::open(&path).unwrap();
    writer.lock().unwrap();
    let text = stdout_of(&memsight(&["report", path.to_str().unwrap()]));
    assert!(text.contains("so far") && text.contains("still being recorded"), "{text}");
}

#[test]
fn an_increase_that_is_not_allowed_is_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let before = saved(folder.path(), "before.msight", capture(0));
    let after = saved(folder.path(), "after.msight", capture(30_000));
    let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
    let text = stdout_of(&memsight(&["diff", before, after]));
    assert!(text.contains("+30 kB") && text.contains("orders.py:10"), "{text}");
    let fails = |limit| memsight(&["diff", before, after, "--fail-on-increase", limit]).status.code();
    assert_eq!(fails("5"), Some(1));
    assert_eq!(fails("15"), Some(0));
    let json: serde_json::Value =
        serde_json::from_str(&stdout_of(&memsight(&["diff", "--json", before, after]))).unwrap();
    assert_eq!(json["sites"][0]["after"]["peak_bytes"], 330_000);
}

#[test]
fn captures_that_were_recorded_differently_are_said_not_to_compare() {
    let folder = tempfile::tempdir().unwrap();
    let objects = saved(folder.path(), "objects.msight", capture(0));
    let mut heap = Writer::new(Start { track: Track::Heap, ..start() });
    heap.end(20);
    let heap = saved(folder.path(), "heap.msight", heap);
    let (objects, heap) = (objects.to_str().unwrap(), heap.to_str().unwrap());
    let said = stdout_of(&memsight(&["diff", objects, heap]));
    assert!(said.contains("NOT COMPARABLE") && said.contains("--track"), "{said}");
    assert!(!stdout_of(&memsight(&["diff", objects, objects])).contains("COMPARABLE"));
    let checked = memsight(&["diff", objects, heap, "--fail-on-increase", "5"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&checked.stderr).contains("--track"));
}

#[test]
fn a_diff_fits_its_width_and_keeps_small_changes_for_those_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &str, bytes: u64, trifle: u64| {
        let mut w = Writer::new(start());
        let thread = w.thread(0, b"main");
        let file = "/work/a/rather/long/way/to/the/file/of/orders.py";
        let large = w.frame(thread, file, "Warehouse.load_everything_at_once", 1234);
        let small = w.frame(thread, "/work/small.py", "trifle", 7);
        w.birth(large, Some(0), counts(1, bytes, 0, 0));
        w.birth(small, Some(1), counts(1, trifle, 0, 0));
        w.tick(10);
        w.end(20);
        saved(folder.path(), name, w)
    };
    let (before, after) = (with("before.msight", 1_000_000, 100), with("after.msight", 2_000_000, 400));
    let diff = |width: &str, more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_memsight"))
            .args(["diff", before.to_str().unwrap(), after.to_str().unwrap()])
            .args(more)
            .env("COLUMNS", width)
            .output()
            .unwrap();
        stdout_of(&output)
    };
    for width in ["80", "100", "120"] {
        let text = diff(width, &["-n", "5"]);
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= width.parse::<usize>().unwrap(), "at {width}: {text}");
        assert!(text.contains("orders.py:1234") && text.contains("Warehouse"), "at {width}: {text}");
        assert!(text.contains("small.py:7"), "{text}");
    }
    let text = diff("100", &[]);
    assert!(text.contains("orders.py") && !text.contains("small.py") && text.contains("1 more"), "{text}");
}

#[test]
fn a_moment_is_told_as_the_end_of_its_tick() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "a.msight", capture(0));
    let at = |moment| stdout_of(&memsight(&["report", path.to_str().unwrap(), "--at", moment]));
    assert!(at("0.001").contains("Live at 0.010 s"), "{}", at("0.001"));
    assert!(at("0.015").contains("Live at 0.020 s"), "{}", at("0.015"));
    assert!(at("0.001..99").contains("still live at 0.020 s"), "{}", at("0.001..99"));
    assert!(!at("0.001").contains("allocated "), "what the whole run allocated is no answer here");
}
