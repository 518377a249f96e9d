//! `memsight view` of the gallery: what it shows is what is there.
//!
//! A probe in the program (`view_twin/look.py`, put before each simple statement) writes
//! down what the names refer to. Once in a run without memsight, whose types, sizes,
//! counts and deaths the trace of the program must show; once in a traced run of the same
//! program, whose `id()`s must be the addresses of that very trace. The pictures stand in
//! `snapshots/view_*.txt`; `MEMSIGHT_RENEW=1` writes them anew.

mod support;
mod support_view;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{MINORS, Python, each_python, pythons};
use support_view::snapshot::{self, Texts};
use support_view::trace::Trace;
use support_view::twin::{self, Of};
use support_view::{Run, folder, invariants, name, programs, symbols};

fn gallery() -> Vec<PathBuf> {
    programs(&folder("../../examples/view"))
}

/// The trace of a program that ends well.
fn view(python: &Python, program: &Path, looks: Option<&Path>) -> Trace {
    let mut run = Run::view(python, program, &[]);
    run.command.envs(looks.map(|looks| ("MEMSIGHT_LOOKS", looks)));
    let ran = run.end();
    assert!(ran.status.success(), "{python}, {}: {}\n{}", name(program), ran.status, ran.stderr);
    ran.trace().unwrap_or_else(|error| panic!("{python}, {}: {error}", name(program)))
}

/// The gallery with a probe before each statement.
struct Probed {
    folder: tempfile::TempDir,
}

impl Probed {
    fn new() -> Self {
        let probed = tempfile::tempdir().expect("a folder for the programs");
        let scripts = folder("tests/view_twin");
        let mut command = pythons()[0].command();
        command.arg(scripts.join("instrument.py")).arg(scripts.join("look.py")).arg(probed.path());
        ended_well(command.args(gallery()));
        Probed { folder: probed }
    }

    fn program(&self, of: &Path) -> PathBuf {
        self.folder.path().join(of.file_name().expect("a program has a name"))
    }

    /// Where the probe writes in one run.
    fn looks(&self, program: &Path, python: &Python, run: &str) -> PathBuf {
        self.folder.path().join(format!("{}.{}.{run}", name(program), python.minor))
    }
}

fn ended_well(command: &mut Command) {
    let output = command.output().expect("it can be run");
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_looks(path: &Path) -> Vec<twin::Look> {
    twin::looks(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What went wrong, with where.
fn complain(wrong: Vec<Vec<String>>) {
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn named(python: &Python, program: &Path, found: Vec<String>) -> Vec<String> {
    found.into_iter().map(|line| format!("3.{} {}: {line}", python.minor, name(program))).collect()
}

#[test]
fn types_sizes_counts_and_deaths_are_those_of_an_untraced_run() {
    let probed = Probed::new();
    let wrong = each_python(|python| {
        let mut wrong = Vec::new();
        let (mut freed, mut moves) = (0, 0);
        for program in gallery() {
            let looks = probed.looks(&program, python, "untraced");
            let twin = probed.program(&program);
            ended_well(python.command().arg(&twin).env("MEMSIGHT_LOOKS", &looks));
            let trace = view(python, &program, None);
            let lines = twin::lines_of(&read(&twin));
            let (found, done) = twin::compare(&trace, &read_looks(&looks), &lines, Of::AnUntracedRun);
            wrong.extend(named(python, &program, found));
            let enough = done.lines > 10 && done.counts > 10 && done.sizes > 10 && done.alive > 10;
            if !enough {
                wrong.extend(named(python, &program, vec![format!("too little was compared: {done:?}")]));
            }
            freed += done.freed;
            moves += done.moves;
        }
        assert!(freed > 20 && moves > 20, "{python}: {freed} deaths and {moves} strings compared");
        wrong
    });
    complain(wrong);
}

#[test]
fn addresses_are_the_ids_of_the_same_run() {
    let probed = Probed::new();
    let wrong = each_python(|python| {
        let mut wrong = Vec::new();
        for program in gallery() {
            let looks = probed.looks(&program, python, "traced");
            let probed = probed.program(&program);
            let trace = view(python, &probed, Some(&looks));
            let lines = twin::lines_of(&read(&probed));
            let (mut found, done) = twin::compare(&trace, &read_looks(&looks), &lines, Of::TheSameRun);
            if done.objects < 50 {
                found.push(format!("too little was compared: {done:?}"));
            }
            wrong.extend(named(python, &program, found));
        }
        wrong
    });
    complain(wrong);
}

#[test]
fn what_holds_of_every_trace_holds_of_the_gallery_and_marked_lines_free_what_they_say() {
    let wrong = each_python(|python| {
        let mut wrong = Vec::new();
        for program in gallery() {
            let trace = view(python, &program, None);
            let mut found = invariants::broken(&trace);
            found.extend(twin::marks_not_kept(&trace));
            if trace.truncated {
                found.push("it is truncated".into());
            }
            if trace.text != read(&program) {
                found.push("the source is another".into());
            }
            wrong.extend(named(python, &program, found));
        }
        wrong
    });
    complain(wrong);
}

#[test]
fn the_probe_alone_sees_a_string_stay_where_a_local_has_it_and_move_where_two_have() {
    let probed = Probed::new();
    let program = folder("../../examples/view").join("string_grows.py");
    each_python(|python| {
        let looks = probed.looks(&program, python, "alone");
        ended_well(python.command().arg(probed.program(&program)).env("MEMSIGHT_LOOKS", &looks));
        let looks = read_looks(&looks);
        let (stayed, _) = growths(&twin::places_of(&looks, "grown_alone", "text"));
        assert!(stayed > 1, "{python}: it stayed {stayed} times");
        let (stayed, moved) = growths(&twin::places_of(&looks, "grown_while_shared", "text"));
        assert!(stayed == 0 && moved > 1, "{python}: it stayed {stayed} times and moved {moved} times");
    });
}

/// Addresses and bytes of a function's `text`, line by line.
fn addresses_of_text(trace: &Trace, function: &str) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for step in trace.steps.iter().filter(|step| step.event == "line") {
        let frame = step.innermost().filter(|frame| frame.function == function);
        let id = frame.and_then(|frame| frame.names.get("text")?.id());
        let object = id.and_then(|id| step.heap.get(id));
        found.extend(object.map(|object| (object.address, object.bytes)));
    }
    found
}

/// A line that made a string longer, within its size class: how often it stayed, and how often it moved.
fn growths(addresses: &[(u64, u64)]) -> (usize, usize) {
    let class = |bytes: u64| bytes.div_ceil(16);
    let grown = addresses.windows(2).filter(|pair| pair[0].1 < pair[1].1);
    let within = grown.filter(|pair| class(pair[0].1) == class(pair[1].1));
    let stayed: Vec<bool> = within.map(|pair| pair[0].0 == pair[1].0).collect();
    let count = |wanted: bool| stayed.iter().filter(|&&stayed| stayed == wanted).count();
    (count(true), count(false))
}

#[test]
fn a_string_grows_in_place_where_a_local_alone_has_it_and_is_a_new_one_where_not() {
    let program = folder("../../examples/view").join("string_grows.py");
    each_python(|python| {
        let trace = view(python, &program, None);
        let (stayed, moved) = growths(&addresses_of_text(&trace, "grown_alone"));
        // It moves at first, until the interpreter has specialised the line: the untraced twin says when.
        assert!(stayed > 1, "{python}: alone, it stayed {stayed} times and moved {moved} times");
        let (stayed, moved) = growths(&addresses_of_text(&trace, "grown_while_shared"));
        assert!(
            stayed == 0 && moved > 1,
            "{python}: shared, it stayed {stayed} times and moved {moved} times"
        );
    });
}

#[test]
fn the_pictures_of_the_gallery_are_as_they_were() {
    let folder = folder("tests").join("snapshots");
    let renew = std::env::var_os("MEMSIGHT_RENEW").is_some();
    let mut wrong = Vec::new();
    for program in gallery() {
        let texts: Texts =
            each_python(|python| (python.minor, symbols::symbolic(&view(python, &program, None))))
                .into_iter()
                .collect();
        let path = folder.join(format!("view_{}.txt", name(&program)));
        if renew {
            assert_eq!(
                texts.len(),
                MINORS.count(),
                "a snapshot is of all versions, and some are not on this machine"
            );
            let written = std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(&path, snapshot::merged(&texts)));
            written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            continue;
        }
        let file = std::fs::read_to_string(&path).unwrap_or_default();
        for (minor, text) in &texts {
            let difference = match snapshot::text_of(*minor, &file) {
                Some(expected) => snapshot::difference(&expected, text),
                None => Some(format!("{} has nothing of it", path.display())),
            };
            wrong.extend(difference.map(|found| format!("3.{minor} {}: {found}", name(&program))));
        }
    }
    assert!(wrong.is_empty(), "MEMSIGHT_RENEW=1 writes them anew, if this is right:\n{}", wrong.join("\n"));
}
