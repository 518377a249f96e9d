//! The figures of the checker's documentation, reproduced: what a slice of a
//! million numbers takes, a record, a text of many pieces. Each is asserted
//! within what its CPython is known to do, and printed (`--nocapture`).

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use memsight_insight::{Key, Moment, Program, site_lines, weights};
use support::{Python, Run, each_python, memsight, program};

/// Bytes at the peak of each part of `programs/figures.py`, and bytes left at its end.
struct Figures(BTreeMap<String, (u64, u64)>);

/// The figures of every Python, each measured once.
fn all() -> &'static [(&'static Python, Figures)] {
    static ALL: OnceLock<Vec<(&Python, Figures)>> = OnceLock::new();
    ALL.get_or_init(|| each_python(|python| (python, Figures::measure(python))))
}

impl Figures {
    fn measure(python: &Python) -> Self {
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/explain/experiments/harness.py");
        let recorded = Run::new(Some(python)).output(&[&harness, &program("figures.py")]);
        let said = recorded.stdout();
        let parts = said.lines().filter_map(|line| {
            let (name, pid) = line.strip_prefix("#part ")?.split_once(' ')?;
            Some((name.to_owned(), figures_of(&recorded.capture_of(pid))))
        });
        assert!(!said.contains("#failed"), "{python}: {said}");
        Figures(parts.collect())
    }

    fn peak(&self, part: &str) -> u64 {
        self.0.get(part).unwrap_or_else(|| panic!("no part {part}")).0
    }

    fn left(&self, part: &str) -> u64 {
        self.0.get(part).unwrap_or_else(|| panic!("no part {part}")).1
    }
}

/// Peak and left bytes of a process, but for what the harness itself holds.
fn figures_of(capture: &Path) -> (u64, u64) {
    let program = Program::load(capture, &|_, _, _| {}).expect("the part was recorded");
    let at_peak = weights(&program, Moment::Peak).expect("there is a peak");
    let lines = site_lines(&program, &at_peak);
    let own = lines
        .iter()
        .filter(|line| matches!(&line.key, Key::Site(site) if !site.file.ends_with("harness.py")));
    own.fold((0, 0), |(peak, left), line| (peak + line.shown.bytes, left + line.counts.live().bytes))
}

/// Asserts that a figure in bytes is within a range in units of `unit`, and prints it.
fn within(python: &Python, what: &str, bytes: u64, unit: f64, range: std::ops::RangeInclusive<f64>) {
    let figure = bytes as f64 / unit;
    println!("3.{}  {what:<46} {figure:9.2}", python.minor);
    assert!(range.contains(&figure), "{python}: {what}: {figure}, not within {range:?}");
}

const MB: f64 = 1e6;

#[test]
fn the_checkers_figures_are_measured_anew() {
    for (python, figures) in all() {
        let peak = |part: &str| figures.peak(part);
        // What comes on top of the million numbers that are there anyway.
        let more = |part: &str, than: &str| peak(part).saturating_sub(figures.left(than));
        let above = |part: &str| more(part, "numbers");
        let mb = |what: &str, bytes: u64, range| within(python, what, bytes, MB, range);
        mb("sum([..]), MB", peak("sum_list"), 36.0..=41.0);
        mb("sum(..), MB", peak("sum_generator"), 0.0..=0.01);
        mb("xs[1:], MB", above("slice"), 7.9..=8.1);
        mb("islice(xs, 1, None), MB", above("islice"), 0.0..=0.01);
        mb("zip(xs, xs[1:]), MB", above("zip_slice"), 7.9..=8.1);
        mb("pairwise(xs), MB", above("pairwise"), 0.0..=0.01);
        mb("sorted(xs)[:10], MB", more("sorted", "mixed"), 11.0..=12.5);
        mb("nsmallest(10, xs), MB", more("nsmallest", "mixed"), 0.0..=0.01);
        mb("tuple([..]), MB", peak("tuple_list"), 16.0..=17.0);
        mb("tuple(..), MB", peak("tuple_generator"), 8.0..=10.0);
        mb("set([..]), MB", peak("set_list"), 84.0..=93.0);
        mb("{..}, MB", peak("set_comprehension"), 60.0..=72.0);
        mb("list of floats, MB", figures.left("floats_list"), 32.0..=33.0);
        mb("array of floats, MB", figures.left("floats_array"), 8.0..=8.6);
    }
}

#[test]
fn a_record_takes_what_its_layout_takes() {
    for (python, figures) in all() {
        // Without the list, whose references are 8 bytes each and some room to grow.
        const LIST_BYTES: u64 = 85_176;
        let records = |part: &str| figures.left(part).saturating_sub(LIST_BYTES);
        let bytes = |what: &str, part: &str, range| within(python, what, records(part), 10_000.0, range);
        bytes("a dict of three, bytes", "records_dict", 182.0..=240.0);
        bytes("an object of three, bytes", "records_object", 88.0..=168.0);
        bytes("a slotted object of three, bytes", "records_slotted", 55.9..=56.1);
    }
}

#[test]
fn join_needs_more_at_its_peak_than_adding() {
    for (python, figures) in all() {
        let mb = |what: &str, part: &str, range| within(python, what, figures.peak(part), MB, range);
        mb("3 MB of text by join, MB", "text_join", 20.0..=24.0);
        mb("3 MB of text by join of a generator, MB", "text_join_generator", 20.0..=24.0);
        mb("3 MB of text by += on a local, MB", "text_added", 3.0..=3.1);
        // Up to 3.11 it joins the pieces a hundred thousand at a time.
        let stringio = if python.minor < 12 { 8.0..=11.0 } else { 5.9..=7.5 };
        mb("3 MB of text by StringIO, MB", "text_stringio", stringio);
    }
}

/// Where `s += t` extends the text in place, by the versions that do.
#[test]
fn text_is_extended_in_place_where_the_checker_says() {
    each_python(|python| {
        let output = std::process::Command::new(memsight())
            .args(["explain", "concat", "--json", "--python"])
            .arg(&python.path)
            .output()
            .expect("memsight can be run");
        let measured: serde_json::Value = serde_json::from_slice(&output.stdout).expect("--json prints JSON");
        let parts = measured["parts"].as_array().expect("there are parts");
        let until_3_10 = python.minor < 11;
        let cases = [
            ("local", true),
            ("module", until_3_10),
            ("closure", until_3_10),
            ("global", false),
            ("attribute", false),
            ("item", false),
            ("shared", false),
            ("two_added", false),
            ("prepended", false),
            ("formatted", false),
            ("bytes", false),
        ];
        for (name, in_place) in cases {
            let part = parts.iter().find(|part| part["name"] == name).expect("the part is there");
            let moved = part["printed"]["moved"].as_f64().expect("it says how often the text moved");
            assert_eq!(moved < 200.0, in_place, "{python}: {name} moved {moved} times in 2000 steps");
        }
    });
}
