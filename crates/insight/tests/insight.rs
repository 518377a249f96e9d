//! The fold, tables, peaks and diffs over captures of known contents.

use std::path::Path;

use memsight_capture::{
    Child, ChildKind, Domain, Ending, NodeId, Peak, PeakShare, Record, Start, Temporary, TickIndex, TypeId,
    TypeShare,
};
use memsight_insight::testing::{Writer, counts, start};
use memsight_insight::{
    Amount, By, Counts, Key, Moment, Program, Site, calls, diff, left, site_lines, table, weights,
};

fn load(path: &Path) -> Program {
    Program::load(path, &|_, _, _| {}).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Two ticks: `load` keeps 300 bytes in both, `index` has 500 more in the first only.
fn two_ticks(start: Start<'static>) -> Writer {
    let mut w = Writer::new(start);
    let thread = w.thread(0, b"main");
    let module = w.frame(thread, "/work/orders.py", "<module>", 1);
    let load = w.frame(module, "/work/orders.py", "load", 10);
    let index = w.frame(module, "/work/orders.py", "index", 20);
    w.birth(load, Some(0), counts(3, 300, 0, 0));
    w.birth(index, Some(1), counts(5, 600, 1, 100));
    w.birth_in(Domain::Malloc, load, None, counts(2, 64, 2, 64));
    w.put(Record::Temporary(Temporary { node: load, allocations: 1, bytes: 32 }));
    w.tick(10);
    w.change(1, true, counts(0, 0, 4, 500));
    w.birth(load, Some(1), counts(1, 7, 0, 0));
    w.tick(20);
    w
}

fn with_peak(w: &mut Writer) -> &mut Writer {
    w.put(Record::Peak(Peak { tick: TickIndex(0), bytes: 820, blocks: 8 }));
    for (node, domain, blocks, bytes) in
        [(3, Domain::Object, 3, 300), (4, Domain::Object, 4, 500), (3, Domain::Malloc, 1, 20)]
    {
        let birth = TickIndex(0);
        w.put(Record::PeakShare(PeakShare { node: NodeId(node), domain, birth, blocks, bytes }));
    }
    w.put(Record::TypeName(b"dict"));
    w.put(Record::TypeShare(TypeShare { node: NodeId(3), type_id: TypeId(0), blocks: 2, bytes: 200 }));
    w.end(25)
}

fn site(function: &str, line: u32) -> Key {
    Key::Site(Site { file: "/work/orders.py".into(), function: function.into(), line })
}

fn shown(program: &Program, moment: Moment) -> Vec<(Key, Amount)> {
    let weights = weights(program, moment).unwrap();
    let lines = table(program, &weights, By::Site).into_iter();
    lines.filter(|line| !line.shown.is_zero()).map(|line| (line.key, line.shown)).collect()
}

#[test]
fn sums_of_sites_are_the_totals() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    with_peak(&mut two_ticks(start())).save(&path);
    let program = load(&path);
    let totals = program.totals();
    assert_eq!((totals.allocations, totals.allocated_bytes), (11, 971));
    assert_eq!((totals.frees, totals.freed_bytes), (7, 664));
    assert_eq!(totals.live(), Amount::new(4, 307));
    assert_eq!(totals.temporary, Amount::new(1, 32));
    let mut sums = Counts::default();
    for line in site_lines(&program, &weights(&program, Moment::End).unwrap()) {
        sums.add(&line.counts);
    }
    assert_eq!(sums, totals);
    assert_eq!(sums.peak, program.peak.amount);
    assert!(program.complete());
}

#[test]
fn the_recorded_peak_is_taken_as_it_is() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    with_peak(&mut two_ticks(start())).save(&path);
    let program = load(&path);
    assert_eq!(program.peak.amount, Amount::new(8, 820));
    assert_eq!(program.peak.at_ns, 10_000_000);
    assert!(program.peak.exact && program.peak.by_site_exact);
    assert_eq!(
        shown(&program, Moment::Peak),
        [(site("index", 20), Amount::new(4, 500)), (site("load", 10), Amount::new(4, 320))]
    );
}

#[test]
fn without_a_recorded_peak_the_highest_tick_is_shown() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    two_ticks(start()).save(&path);
    let program = load(&path);
    assert!(!program.complete());
    assert!(matches!(program.first().recording.ending, Ending::Open { .. }));
    assert_eq!(program.peak.amount, Amount::new(7, 800));
    assert!(!program.peak.by_site_exact);
    assert_eq!(
        shown(&program, Moment::Peak),
        [(site("index", 20), Amount::new(4, 500)), (site("load", 10), Amount::new(3, 300))]
    );
}

#[test]
fn a_moment_shows_what_lived_at_the_end_of_its_tick() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    with_peak(&mut two_ticks(start())).save(&path);
    let program = load(&path);
    let index = (site("index", 20), Amount::new(4, 500));
    assert_eq!(shown(&program, Moment::At(10_000_000))[0], index);
    assert_eq!(shown(&program, Moment::At(1))[0], index);
    let late = [(site("load", 10), Amount::new(4, 307))];
    assert_eq!(shown(&program, Moment::At(15_000_000)), late);
    assert_eq!(shown(&program, Moment::End), late);
    assert_eq!(shown(&program, Moment::At(25_000_000)), late);
    assert!(weights(&program, Moment::At(26_000_000)).is_err());
}

#[test]
fn a_window_shows_what_was_born_in_it_and_lived_on() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    with_peak(&mut two_ticks(start())).save(&path);
    let program = load(&path);
    let window = |from, to| shown(&program, Moment::Between(from, to));
    assert_eq!(window(10_000_000, 20_000_000), [(site("load", 10), Amount::new(1, 7))]);
    assert_eq!(window(0, 10_000_000).len(), 2);
    assert_eq!(window(5_000_000, 20_000_000), [(site("load", 10), Amount::new(4, 307))]);
    assert!(weights(&program, Moment::Between(2, 1)).is_err());
}

#[test]
fn lines_of_any_grouping_sum_to_the_same() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    with_peak(&mut two_ticks(start())).save(&path);
    let program = load(&path);
    let at_peak = weights(&program, Moment::Peak).unwrap();
    for by in [By::Site, By::Function, By::File, By::Module, By::Thread, By::Process] {
        let lines = table(&program, &at_peak, by);
        assert_eq!(lines.iter().map(|line| line.shown.bytes).sum::<u64>(), 820, "{by:?}");
        assert_eq!(lines.iter().map(|line| line.counts.allocations).sum::<u64>(), 11, "{by:?}");
    }
    let modules = table(&program, &at_peak, By::Module);
    assert_eq!(modules[0].key, Key::Module("orders".into()));
    let types = table(&program, &at_peak, By::Type);
    assert_eq!(types[0].key, Key::Type("dict".into()));
    assert_eq!(types[0].shown, Amount::new(2, 200));
}

#[test]
fn ages_are_counted_from_tick_to_tick() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    two_ticks(start()).save(&path);
    let lifetimes = load(&path).lifetimes();
    assert_eq!(lifetimes.within_a_tick, Amount::new(3, 164));
    assert_eq!(lifetimes.older[10_000_000u64.ilog2() as usize], Amount::new(4, 500));
}

#[test]
fn rows_after_the_last_tick_count() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    let mut w = two_ticks(start());
    w.birth(NodeId(4), Some(2), counts(1, 1000, 0, 0));
    w.change(0, false, counts(0, 0, 1, 100));
    w.save(&path);
    let program = load(&path);
    assert_eq!(program.live(), Amount::new(4, 1207));
}

#[test]
fn what_contradicts_itself_ends_the_reading_with_words() {
    type Break = fn(&mut Writer);
    let breaks: [(&str, Break); 9] = [
        ("group slot 9", |w| _ = w.change(9, false, counts(0, 0, 0, 0))),
        ("node 77", |w| _ = w.birth(NodeId(77), None, counts(1, 1, 1, 1))),
        ("node 78", |w| {
            _ = w.put(Record::Temporary(Temporary { node: NodeId(78), allocations: 1, bytes: 1 }))
        }),
        ("below node 79", |w| _ = w.frame(NodeId(79), "f", "f", 1)),
        ("group slot 268435456", |w| _ = w.birth(NodeId(1), Some(1 << 28), counts(1, 1, 0, 0))),
        ("group slot 9000000", |w| _ = w.birth(NodeId(1), Some(9_000_000), counts(1, 1, 0, 0))),
        ("type 5", |w| {
            let share = TypeShare { node: NodeId(1), type_id: TypeId(5), blocks: 1, bytes: 1 };
            w.put(Record::TypeShare(share));
        }),
        ("tick 0 after tick 1", |w| _ = w.put(Record::Tick(Default::default()))),
        ("second start", |w| _ = w.put(Record::Start(start()))),
    ];
    let folder = folder();
    for (number, (words, damage)) in breaks.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.msight"));
        let mut w = two_ticks(start());
        damage(&mut w);
        w.end(30).save(&path);
        let program = load(&path);
        assert!(!program.complete());
        let said = program.first().recording.ending.to_string();
        assert!(said.contains(words), "{words}: {said}");
        assert_eq!(program.totals().allocations, 11);
    }
}

#[test]
fn hostile_counters_saturate() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    let mut w = two_ticks(start());
    for _ in 0..2 {
        w.put(Record::GroupBirth(memsight_capture::GroupBirth {
            node: NodeId(3),
            domain: Domain::Raw,
            slot: None,
            counts: counts(u64::MAX, u64::MAX, u64::MAX, u64::MAX),
        }));
    }
    w.end(30).save(&path);
    let program = load(&path);
    assert_eq!(program.totals().allocations, u64::MAX);
    assert_eq!(shown(&program, Moment::End), [(site("load", 10), Amount::new(4, 307))]);
}

#[test]
fn a_cut_capture_gives_an_error_or_says_that_it_is_incomplete() {
    let folder = folder();
    let bytes = with_peak(&mut two_ticks(start())).bytes();
    for end in 0..bytes.len() {
        let path = folder.path().join("cut.msight");
        std::fs::write(&path, &bytes[..end]).unwrap();
        if let Ok(program) = Program::load(&path, &|_, _, _| {}) {
            assert!(!program.complete(), "cut at {end}");
        }
    }
}

#[test]
fn processes_of_one_run_are_added_up() {
    let folder = folder();
    let first = folder.path().join("run.msight");
    let child = |pid| Record::Child(Child { pid, kind: ChildKind::Spawn });
    let mut w = two_ticks(start());
    w.put(child(5000)).put(child(5001)).put(child(5002));
    with_peak(&mut w).save(&first);
    // Begins while the first still has its 307 bytes, and lives on after it.
    let later = Start { pid: 5000, started_unix_ns: start().started_unix_ns + 15_000_000, ..start() };
    with_peak(&mut two_ticks(later)).save(&folder.path().join("run.5000.msight"));
    let stray = Start { pid: 5001, run_id: [9; 16], ..start() };
    with_peak(&mut two_ticks(stray)).save(&folder.path().join("run.5001.msight"));
    let program = load(&first);
    assert_eq!(program.processes.len(), 2);
    assert_eq!(program.totals().allocations, 22);
    // Both are named, and what stands at 5001's place is another run's.
    assert_eq!(program.not_recorded, [5001, 5002]);
    // The child's own peak of 820, at 25 ms, when the parent has ended: so its tick's end counts.
    assert_eq!(program.peak.amount.bytes, 820);
    let at_peak = weights(&program, Moment::Peak).unwrap();
    assert_eq!(at_peak.total().bytes, 820);
    assert_eq!(program.peak.processes, 1);
}

#[test]
fn peaks_of_processes_that_overlap_are_summed_by_tick() {
    let folder = folder();
    let first = folder.path().join("run.msight");
    let mut w = two_ticks(start());
    w.put(Record::Child(Child { pid: 5000, kind: ChildKind::Fork }));
    with_peak(&mut w).save(&first);
    let later = Start { pid: 5000, started_unix_ns: start().started_unix_ns + 11_000_000, ..start() };
    with_peak(&mut two_ticks(later)).save(&folder.path().join("run.5000.msight"));
    let program = load(&first);
    assert_eq!(program.peak.amount.bytes, 307 + 820);
    assert_eq!(program.peak.at_ns, 21_000_000);
    assert_eq!(program.peak.processes, 2);
    assert!(!program.peak.exact);
    assert_eq!(weights(&program, Moment::Peak).unwrap().total(), program.peak.amount);
}

#[test]
fn an_exec_goes_on_in_the_next_capture_of_the_process() {
    let folder = folder();
    let first = folder.path().join("run.msight");
    let mut w = two_ticks(start());
    w.put(Record::Child(Child { pid: 4711, kind: ChildKind::Exec }));
    w.end(20).save(&first);
    let next = Start { image: 1, started_unix_ns: start().started_unix_ns + 20_000_000, ..start() };
    with_peak(&mut two_ticks(next)).save(&folder.path().join("run.4711.1.msight"));
    let program = load(&first);
    assert_eq!(program.processes.len(), 2);
    assert_eq!(program.last_image().recording.whereabouts.image, 1);
    assert_eq!(program.duration_ns(), 45_000_000);
    assert!(program.not_recorded.is_empty());
    assert_eq!(program.peak.processes, 1);
}

#[test]
fn the_call_tree_sums_to_what_is_shown() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    let mut w = two_ticks(start());
    w.birth(NodeId(1), Some(4), counts(1, 11, 0, 0));
    with_peak(&mut w).save(&path);
    let program = load(&path);
    let tree = calls(&program, &weights(&program, Moment::End).unwrap());
    assert_eq!(tree.total, Amount::new(5, 318));
    let roots: Vec<_> = tree.roots.iter().map(|&root| &tree.frames[root]).collect();
    assert_eq!(roots.len(), 2);
    assert_eq!(&*roots[0].site.function, "<module>");
    assert_eq!((roots[0].own.bytes, roots[0].total.bytes), (0, 307));
    assert!(roots[1].site.is_outside_python());
    assert_eq!(roots[1].total.bytes, 11);
    assert_eq!(&*tree.frames[roots[0].callees[0]].site.function, "load");
}

#[test]
fn what_importing_left_is_apart() {
    let folder = folder();
    let path = folder.path().join("a.msight");
    let mut w = two_ticks(start());
    let import = w.frame(NodeId(2), "<frozen importlib._bootstrap>", "_find_and_load", 1176);
    let module = w.frame(import, "/work/shop.py", "<module>", 3);
    w.birth(module, Some(7), counts(2, 40, 0, 0));
    w.birth(NodeId(1), Some(8), counts(1, 5, 0, 0));
    w.end(30).save(&path);
    let left = left(&load(&path));
    assert_eq!(left.total.bytes, 307 + 45);
    assert_eq!(left.importing, Amount::new(2, 40));
    assert_eq!(left.outside_python, Amount::new(1, 5));
    assert_eq!(left.sites.len(), 1);
    assert_eq!(left.sites[0].shown.bytes, 307);
}

#[test]
fn a_site_whose_line_moved_is_the_same_site() {
    let folder = folder();
    let (before, after) = (folder.path().join("a.msight"), folder.path().join("b.msight"));
    with_peak(&mut two_ticks(start())).save(&before);
    let mut w = Writer::new(start());
    let thread = w.thread(0, b"main");
    let load = w.frame(thread, "/work/orders.py", "load", 12);
    let fresh = w.frame(thread, "/work/orders.py", "fresh", 40);
    w.birth(load, Some(0), counts(1, 100, 0, 0));
    w.birth(fresh, Some(1), counts(1, 1000, 0, 0));
    w.tick(10).end(20).save(&after);
    let diff = diff(&load_program(&before), &load_program(&after));
    assert_eq!((diff.before.peak_bytes, diff.after.peak_bytes), (820, 1100));
    assert_eq!(diff.peak_increase_percent().unwrap().round(), 34.0);
    let by_function = |name: &str| diff.sites.iter().find(|site| &*site.site.function == name).unwrap();
    let moved = by_function("load");
    assert_eq!((moved.line_before, moved.line_after), (Some(10), Some(12)));
    assert_eq!(moved.peak_delta(), 100 - 320);
    assert_eq!(by_function("fresh").line_before, None);
    assert_eq!(by_function("index").line_after, None);
    assert_eq!(&*diff.sites[0].site.function, "fresh");
}

fn load_program(path: &Path) -> Program {
    load(path)
}
