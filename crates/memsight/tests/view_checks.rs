//! The checks of traces themselves: each must pass on what is right and find what is wrong.

mod support;
mod support_view;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support_view::snapshot::{self, Texts};
use support_view::trace::Trace;
use support_view::{invariants, symbols, twin};

fn object(address: &str, of_type: &str, bytes: u64, count: u64, items: &Value) -> Value {
    json!({"address": address, "type": of_type, "bytes": bytes, "refcount": count, "value": null, "items": items})
}

fn step(line: u64, names: &Value, heap: &Value, changes: [&[&str]; 3]) -> Value {
    json!({"line": line, "event": "line", "say": "a list lies at …a10", "stdout": "",
        "stack": [{"function": "<module>", "line": line, "names": names}],
        "heap": heap, "born": changes[0], "died": changes[1], "changed": changes[2]})
}

/// `a = [1000]`, then `b = a`, then `a = b = None`.
fn made() -> Value {
    let list = |count| object("0x7f00a10", "list", 64, count, &json!([["[0]", {"ref": "2"}]]));
    let number = object("0x7f00b20", "int", 28, 2, &json!([]));
    let to = json!({"ref": "1"});
    let steps = [
        step(1, &json!({}), &json!({}), [&[], &[], &[]]),
        step(2, &json!({"a": to}), &json!({"1": list(1), "2": number}), [&["1", "2"], &[], &[]]),
        step(3, &json!({"a": to, "b": to}), &json!({"1": list(2), "2": number}), [&[], &[], &["1"]]),
        step(4, &json!({}), &json!({}), [&[], &["1", "2"], &[]]),
    ];
    let text = "a = [1000]\nb = a\na = b = None  # freed: list\nprint(1)\n";
    json!({"schema_version": 1, "language": "python", "source": {"path": "made.py", "text": text},
        "truncated": false, "steps": steps})
}

/// The same as the probe would write it; the numbers of the untraced run are others.
fn looked() -> String {
    let list = |count, found| json!({"type": "list", "bytes": 64, "count": count, "found": found, "immortal": false, "shared": false});
    let number =
        json!({"type": "int", "bytes": 28, "count": 2, "found": 1, "immortal": false, "shared": false});
    let look = |line: u64, paths: &Value, objects: &Value, alive: &[u64], freed: &[u64]| {
        json!({"line": line, "functions": ["<module>"], "paths": paths, "objects": objects,
            "alive": alive, "freed": freed})
        .to_string()
    };
    [
        look(1, &json!({}), &json!({}), &[], &[]),
        look(
            2,
            &json!({"0\0a": 500, "0\0a\x000": 600}),
            &json!({"500": list(1, 1), "600": number}),
            &[],
            &[],
        ),
        look(
            3,
            &json!({"0\0a": 500, "0\0b": 500, "0\0a\x000": 600}),
            &json!({"500": list(2, 2), "600": number}),
            &[500, 600],
            &[],
        ),
        look(4, &json!({}), &json!({}), &[], &[500]),
    ]
    .join("\n")
}

fn broken(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut value = made();
    change(&mut value);
    invariants::broken(&Trace::read(&value).expect("it still has the shape"))
}

fn differences(of: twin::Of, change: impl FnOnce(&mut Value, &mut String)) -> Vec<String> {
    let (mut value, mut looks) = (made(), looked());
    change(&mut value, &mut looks);
    let trace = Trace::read(&value).expect("it still has the shape");
    let looks = twin::looks(&looks).expect("looks can be read");
    twin::compare(&trace, &looks, &BTreeSet::from([1, 2, 3, 4]), of).0
}

#[track_caller]
fn has(found: &[String], words: &str) {
    assert!(found.iter().any(|line| line.contains(words)), "{words:?} is not in {found:#?}");
}

#[test]
fn a_trace_that_is_right_passes_all_checks() {
    assert_eq!(broken(|_| ()), Vec::<String>::new());
    assert_eq!(differences(twin::Of::AnUntracedRun, |_, _| ()), Vec::<String>::new());
    let trace = Trace::read(&made()).unwrap();
    assert_eq!(twin::marks_not_kept(&trace), Vec::<String>::new());
    let looks = twin::looks(&looked()).unwrap();
    let (_, done) = twin::compare(&trace, &looks, &BTreeSet::from([1, 2, 3, 4]), twin::Of::AnUntracedRun);
    assert_eq!((done.lines, done.objects, done.counts, done.sizes), (4, 5, 5, 5), "{done:?}");
    assert_eq!((done.freed, done.alive), (2, 2), "{done:?}");
}

#[test]
fn a_key_that_is_missing_or_of_another_type_is_told() {
    for (key, words) in [("say", "say is null"), ("died", "died is null"), ("heap", "heap is no object")] {
        let mut value = made();
        value["steps"][1].as_object_mut().unwrap().remove(key);
        let error = Trace::read(&value).err().unwrap();
        assert!(error.contains(words) && error.contains("step 1"), "{error}");
    }
    let mut value = made();
    value["steps"][1]["heap"]["1"].as_object_mut().unwrap().remove("refcount");
    has(&[Trace::read(&value).err().unwrap()], "refcount");
    let mut value = made();
    value["steps"][1]["heap"]["1"]["address"] = json!(4711);
    has(&[Trace::read(&value).err().unwrap()], "address");
}

#[test]
fn each_invariant_can_fail() {
    has(&broken(|t| t["steps"][1]["event"] = json!("jump")), "the event is");
    has(&broken(|t| t["steps"][1]["say"] = json!("")), "nothing is said");
    has(&broken(|t| t["steps"][1]["stack"] = json!([])), "the stack is empty");
    has(&broken(|t| t["steps"][1]["line"] = json!(3)), "innermost frame is at line 2");
    has(&broken(|t| t["steps"][1]["stack"][0]["line"] = json!(99)), "at line 99 of 4");
    has(&broken(|t| t["steps"][1]["stack"][0]["names"]["c"] = json!({"ref": "9"})), "c refers to 9");
    has(&broken(|t| t["steps"][1]["heap"]["1"]["items"][0][1] = json!({"ref": "9"})), "[0] of 1 refers to 9");
    has(&broken(|t| t["steps"][2]["heap"]["2"]["address"] = json!("0x7f00a10")), "are both at");
    has(&broken(|t| t["steps"][1]["born"] = json!(["1"])), "new in the heap");
    has(&broken(|t| t["steps"][3]["died"] = json!(["7"])), "was never there");
    has(&broken(|t| t["steps"][2]["died"] = json!(["1"])), "is in the heap and died");
    has(&broken(|t| t["steps"][2]["died"] = json!(["1"])), "died again");
    has(&broken(|t| t["steps"][2]["changed"] = json!([])), "differs from the step before");
    has(&broken(|t| t["steps"][2]["changed"] = json!(["1", "2"])), "2 is as in the step before");
    has(&broken(|t| t["steps"][2]["heap"]["1"]["refcount"] = json!(1)), "has 1 references, and 2 are shown");
}

#[test]
fn the_twin_finds_another_count_size_type_name_and_fate() {
    use twin::Of::AnUntracedRun as Twin;
    let heap = |t: &mut Value, key: &str, value: Value| t["steps"][2]["heap"]["1"][key] = value;
    has(&differences(Twin, |t, _| heap(t, "refcount", json!(3))), "the count of a is shown as Some(3)");
    has(&differences(Twin, |t, _| heap(t, "refcount", json!(null))), "the count of a is shown as None");
    has(&differences(Twin, |t, _| heap(t, "bytes", json!(56))), "the size of a is shown as 56");
    has(&differences(Twin, |t, _| heap(t, "type", json!("tuple"))), "the type of a");
    has(&differences(Twin, |t, _| heap(t, "items", json!([]))), "a → 0 (int) is not shown");
    let names = |t: &mut Value| t["steps"][2]["stack"][0]["names"].as_object_mut().unwrap().clone();
    has(
        &differences(Twin, |t, _| {
            let mut left = names(t);
            left.remove("b");
            t["steps"][2]["stack"][0]["names"] = left.into();
        }),
        "b (list) is not shown",
    );
    has(
        &differences(Twin, |t, _| t["steps"][2]["stack"][0]["names"]["c"] = json!({"ref": "1"})),
        "c of <module>",
    );
    has(
        &differences(Twin, |t, _| t["steps"][2]["stack"][0]["names"]["b"] = json!({"ref": "2"})),
        "elsewhere",
    );
    has(&differences(Twin, |t, _| t["steps"][3]["died"] = json!([])), "was freed and did not die");
    has(&differences(Twin, |t, _| t["steps"][2]["died"] = json!(["1"])), "died and is alive");
    has(&differences(Twin, |t, _| t["steps"][2]["stack"][0]["function"] = json!("f")), "the probe saw");
    has(&differences(Twin, |t, _| t["steps"][2]["event"] = json!("call")), "look 2 was before line 3");
    has(
        &differences(Twin, |_, looks| *looks = looks.lines().take(3).collect::<Vec<_>>().join("\n")),
        "last look",
    );
}

#[test]
fn the_same_run_has_the_same_addresses() {
    let really = |looks: &mut String| {
        *looks =
            looks.replace("500", &0x7f0_0a10_u64.to_string()).replace("600", &0x7f0_0b20_u64.to_string());
    };
    let same = differences(twin::Of::TheSameRun, |_, looks| really(looks));
    assert_eq!(same, Vec::<String>::new());
    let other = differences(twin::Of::TheSameRun, |trace, looks| {
        really(looks);
        trace["steps"][1]["heap"]["2"]["address"] = json!("0x7f00b30");
    });
    has(&other, "the address of a → 0 is shown as 0x7f00b30 and is 0x7f00b20");
}

#[test]
fn a_string_that_moves_in_one_run_alone_is_found() {
    let string = |address: &str| object(address, "str", 55, 1, &json!([]));
    let trace = |second: &str, died: &[&str]| {
        let mut value = made();
        let to = json!({"ref": "1"});
        let heap = json!({"1": string("0x7f00a10")});
        let changed: &[&str] = if second == "0x7f00a10" { &[] } else { &["1"] };
        value["steps"] = json!([
            step(1, &json!({"s": to}), &heap, [&["1"], &[], &[]]),
            step(2, &json!({"s": to}), &json!({"1": string(second)}), [&[], died, changed]),
        ]);
        Trace::read(&value).unwrap()
    };
    let seen = json!({"type": "str", "bytes": 55, "count": 1, "immortal": false, "shared": false});
    let look = |line: u64, at: u64| {
        json!({"line": line, "functions": ["<module>"], "paths": {"0\0s": at}, "objects": {at.to_string(): seen},
            "alive": [], "freed": []})
        .to_string()
    };
    let lines = BTreeSet::from([1, 2]);
    let compare = |trace: &Trace, second: u64| {
        let looks = twin::looks(&[look(1, 500), look(2, second)].join("\n")).unwrap();
        twin::compare(trace, &looks, &lines, twin::Of::AnUntracedRun).0
    };
    assert_eq!(compare(&trace("0x7f00a10", &[]), 500), Vec::<String>::new());
    assert_eq!(compare(&trace("0x7f00c30", &[]), 700), Vec::<String>::new());
    has(&compare(&trace("0x7f00c30", &[]), 500), "s stayed in place");
    has(&compare(&trace("0x7f00a10", &[]), 700), "s is at another address");
}

#[test]
fn a_mark_that_nothing_dies_behind_is_told() {
    let mut value = made();
    value["steps"][3]["died"] = json!(["2"]);
    has(&twin::marks_not_kept(&Trace::read(&value).unwrap()), "line 3 runs 1 times and frees a list 0 times");
    value["source"]["text"] = json!("a\nb\nc\nd\ne  # freed: list\n");
    has(&twin::marks_not_kept(&Trace::read(&value).unwrap()), "line 5 does not run");
}

#[test]
fn the_symbolic_text_has_no_address_and_every_change() {
    let text = symbols::symbolic(&Trace::read(&made()).unwrap());
    let expected = "\
step 0: line at line 1 of <module>
  say a list lies at @?
  <module>:1
step 1: line at line 2 of <module>
  say a list lies at @?
  <module>:2 a=@1
  + @1 list 64 bytes, 1 references [0]=@2
  + @2 int 28 bytes, 2 references
step 2: line at line 3 of <module>
  say a list lies at @?
  <module>:3 a=@1 b=@1
  * @1 list 64 bytes, 2 references [0]=@2
step 3: line at line 4 of <module>
  say a list lies at @?
  <module>:4
  - @1
  - @2
truncated: false
";
    assert_eq!(text, expected);
}

#[test]
fn one_file_holds_the_texts_of_all_versions() {
    let texts = Texts::from([
        (9, "step 0\n  a | b\n  48 bytes\n".to_owned()),
        (10, "step 0\n  a | b\n  48 bytes\n".to_owned()),
        (11, "step 0\n  a | b\n  64 bytes\n".to_owned()),
        (12, "step 0\n  a\n".to_owned()),
    ]);
    let file = snapshot::merged(&texts);
    let expected = "\
== 3.9 3.10 3.11
| step 0
|   a | b
3.9 3.10|   48 bytes
3.11|   64 bytes
== 3.12
| step 0
|   a
";
    assert_eq!(file, expected);
    for (minor, text) in &texts {
        assert_eq!(snapshot::text_of(*minor, &file).as_ref(), Some(text), "3.{minor}");
    }
    assert_eq!(snapshot::text_of(13, &file), None);
    assert_eq!(snapshot::difference(&texts[&9], &texts[&10]), None);
    let told = snapshot::difference(&texts[&9], &texts[&11]).unwrap();
    assert!(told.contains("step 0") && told.contains("48 bytes") && told.contains("64 bytes"), "{told}");
}
