//! What no tracer writes is no reason to panic: records of any numbers, in any order.

use memsight_capture::{Cursor, Record, StepRecord};
use memsight_picture::{Source, States, json, page, python, say_all};
use proptest::prelude::*;

/// The records that bytes hold, up to the first that is none.
fn records(bytes: &[u8]) -> Vec<StepRecord<'_>> {
    let mut cursor = Cursor::new(bytes);
    let mut records = Vec::new();
    while let Ok(Record::Step(record)) = Record::decode(&mut cursor) {
        records.push(record);
    }
    records
}

/// Bytes that mostly decode: each record's kind, then small numbers for its fields.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let record = (0u8..14, prop::collection::vec(0u8..9, 0..12)).prop_map(|(kind, fields)| {
        let mut record = vec![31, kind];
        record.extend(fields);
        record
    });
    prop::collection::vec(record, 0..60).prop_map(|records| records.concat())
}

fn show(bytes: &[u8]) -> usize {
    let load = |path: &str| Source { path: path.to_owned(), text: String::new() };
    let mut trace = python::fold(records(bytes), load);
    say_all(&mut trace);
    for at in 0..trace.steps.len() {
        States::new(&trace).at(at);
    }
    json::write(&trace, &mut std::io::sink()).unwrap();
    page::write(&trace, &mut std::io::sink()).unwrap();
    trace.steps.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn records_in_any_order_make_some_trace(bytes in bytes()) {
        show(&bytes);
    }
}

#[test]
fn a_step_of_small_numbers_is_a_step() {
    // A word, a step at line 3 with a frame, a name and an object, its end.
    let bytes = [
        &[31, 0, 1, b'f'][..],
        &[31, 3, 2, 0, 0, 3],
        &[31, 4, 1, 0, 0, 3, 0],
        &[31, 5, 0, 0, 5],
        &[31, 7, 5, 16, 0, 0, 28, 2, 0, 1, 4],
        &[31, 12],
    ]
    .concat();
    assert_eq!(records(&bytes).len(), 6);
    assert_eq!(show(&bytes), 2);
}
