//! Damaged captures: whatever their bytes, they are read to an end and shown, or
//! refused with words. Never a panic and never a hang.
//!
//! `MEMSIGHT_FUZZ_SECONDS` says for how long (else for two seconds),
//! `MEMSIGHT_FUZZ_CAPTURE` names a real capture to begin from, and
//! `MEMSIGHT_FUZZ_SEED` repeats a run.

use std::path::Path;

use memsight_capture::{
    Child, ChildKind, Domain, NodeId, Peak, PeakShare, Record, Temporary, ThreadEnd, ThreadIndex, TickIndex,
    TypeId, TypeShare,
};
use memsight_insight::testing::{Writer, counts, start};
use memsight_insight::{By, Moment, Program, diff};
use memsight_report::text::{self, Look, Outcome};
use memsight_report::{diff_json, json, view::View};

mod damage;

/// A capture with every kind of record.
fn whole() -> Vec<u8> {
    let mut w = Writer::new(start());
    for index in 0..2 {
        let thread = w.thread(index, b"worker");
        let mut node = thread;
        for line in 1..6 {
            node = w.frame(node, "/work/orders.py", "load", line * 10);
            w.birth(node, Some(index * 10 + line), counts(3, 300, 1, 100));
            w.birth(node, None, counts(5, 500, 5, 500));
            w.put(Record::Temporary(Temporary { node, allocations: 2, bytes: 200 }));
        }
        w.tick(10 + u64::from(index));
        w.change(index * 10 + 1, false, counts(2, 50, 3, 150));
        w.change(index * 10 + 2, true, counts(0, 0, 2, 200));
        w.flush();
    }
    w.tick(30);
    w.put(Record::TypeName(b"dict"));
    let (node, type_id) = (NodeId(3), TypeId(0));
    w.put(Record::TypeShare(TypeShare { node, type_id, blocks: 2, bytes: 64 }));
    w.put(Record::Peak(Peak { tick: TickIndex(1), bytes: 1400, blocks: 12 }));
    let (domain, birth) = (Domain::Object, TickIndex(0));
    w.put(Record::PeakShare(PeakShare { node, domain, birth, blocks: 12, bytes: 1400 }));
    w.put(Record::Child(Child { pid: 4712, kind: ChildKind::Fork }));
    let (thread, stack_bytes_high_water) = (ThreadIndex(1), Some(8192));
    w.put(Record::ThreadEnd(ThreadEnd { thread, stack_bytes_high_water }));
    w.end(40).bytes()
}

/// Reads the capture and shows it in every way. Whether it could be read.
fn show(path: &Path, intact: &Program) -> bool {
    let Ok(program) = Program::load(path, &|_, _, _| {}) else { return false };
    let look = Look { width: 80, color: false };
    let mut shown = text::report(&program, &look, Some(5));
    shown += &text::summary(&program, Outcome::default(), None, &look);
    shown += &text::leaks(&program, None, &look, None);
    shown += &text::temporary(&program, &look, None);
    let moments = [Moment::Peak, Moment::End, Moment::At(15_000_000), Moment::Between(5_000_000, 25_000_000)];
    for moment in moments {
        shown += &text::tree(&program, moment, &look, None).unwrap_or_default();
        for by in [By::Site, By::Function, By::File, By::Module, By::Thread, By::Process, By::Type] {
            shown += &text::view(&program, moment, by, &look, None).unwrap_or_default();
            let view = View::at(&program, moment, by, None).ok();
            shown += &json::report(&program, Outcome::default(), None, view).expect("JSON");
        }
    }
    let changes = diff(intact, &program);
    shown += &text::diff(intact, &program, &changes, &look, None);
    shown += &diff_json(&changes).expect("JSON");
    assert!(!shown.contains('\u{1b}'), "a capture's names reach the terminal as they are");
    true
}

#[test]
fn a_damaged_capture_is_shown_or_refused() {
    damage::damage_and(whole(), |path| {
        let intact = Program::load(path, &|_, _, _| {}).expect("the capture to begin from is whole");
        move |damaged: &Path| show(damaged, &intact)
    });
}
