//! The JSON is the contract's, to the letter.

use memsight_picture::{Name, NameKind, ObjectKind, Ref, States, json, testing};
use serde_json::{Value, json};

fn written(trace: &memsight_picture::Trace) -> Value {
    let mut text = Vec::new();
    json::write(trace, &mut text).expect("JSON");
    assert_eq!(text.last(), Some(&b'\n'));
    serde_json::from_slice(&text).expect("JSON that can be read")
}

#[test]
fn a_small_trace_is_written_as_the_contract_says() {
    let mut builder = testing::Builder::python("a.py", "a = [1000]\n");
    builder.line(1).say = "The program begins.".to_owned();
    let number = builder.int(1000);
    let list = builder.list(&[number]);
    builder.name("a", list);
    builder.temporary("list", 1, 8056);
    builder.print("done\n");
    builder.end();
    let trace = builder.finish("exit 0");
    let mut text = Vec::new();
    json::write(&trace, &mut text).expect("JSON");
    let expected = concat!(
        r#"{"schema_version":1,"language":"python","made_by":"CPython 3.12.1","#,
        r#""source":{"path":"a.py","text":"a = [1000]\n"},"#,
        r#""truncated":false,"truncated_because":null,"ending":"exit 0","notes":[],"steps":["#,
        r#"{"line":1,"event":"line","yields":false,"thread":0,"file":"a.py","say":"The program begins.","#,
        r#""stdout":"","stderr":"","value":null,"#,
        r#""stack":[{"id":0,"function":"<module>","kind":"module","file":"a.py","line":1,"names":{}}],"#,
        r#""heap":{},"born":[],"died":[],"changed":[],"unreached":[],"temporaries":[]},"#,
        r#"{"line":0,"event":"end","yields":false,"thread":0,"file":"a.py","say":"","#,
        r#""stdout":"done\n","stderr":"","value":null,"#,
        r#""stack":[{"id":0,"function":"<module>","kind":"module","file":"a.py","line":0,"#,
        r#""names":{"a":{"ref":"2"}}}],"#,
        r#""heap":{"1":{"address":"0x7f3a1c0c0a10","type":"int","kind":"value","standing":"reached","#,
        r#""bytes":28,"refcount":1,"immortal":false,"value":"1000","items":[],"hidden_items":0},"#,
        r#""2":{"address":"0x7f3a1c0c0a30","type":"list","kind":"sequence","standing":"reached","#,
        r#""bytes":64,"refcount":1,"immortal":false,"value":null,"items":[["0",{"ref":"1"}]],"hidden_items":0}},"#,
        r#""born":["1","2"],"died":[],"changed":[],"unreached":[],"#,
        r#""temporaries":[{"type":"list","count":1,"bytes":8056}]}]}"#,
        "\n",
    );
    assert_eq!(String::from_utf8(text).expect("UTF-8"), expected);
}

#[test]
fn every_step_has_its_whole_heap() {
    for (name, trace) in testing::traces() {
        let value = written(&trace);
        let states = States::new(&trace);
        for index in 0..trace.steps.len() {
            let heap = value["steps"][index]["heap"].as_object().expect("a heap");
            assert_eq!(heap.len(), states.at(index).objects.len(), "{name}, step {index}");
        }
    }
}

#[test]
fn variables_of_c_have_their_place_and_names_that_are_there_twice_a_number() {
    let mut builder = testing::Builder::c("a.c", "");
    let array = builder.object("int[2]", ObjectKind::Sequence, 8);
    builder.variable("p", "int *", 8, Some(Ref::Object { id: array, offset: 4 }));
    builder.variable("x", "int", 4, None);
    let mut step = builder.line(1).clone();
    let inner = step.stack[0].names[1].clone();
    step.stack[0].names.push(inner);
    step.stack[0].names.push(Name {
        name: "(held 1)".to_owned(),
        kind: NameKind::Held,
        to: Ref::Value("5".to_owned()),
        place: None,
    });
    let mut trace = builder.finish("exit 0");
    trace.steps = vec![step];
    let value = written(&trace);
    let x = json!({"value": "uninitialised",
                   "place": {"address": "0x7fffffffe490", "type": "int", "bytes": 4, "uninitialised": true}});
    let names = json!({
        "p": {"ref": "1", "offset": 4,
              "place": {"address": "0x7fffffffe498", "type": "int *", "bytes": 8, "uninitialised": false}},
        "x": x, "x (2)": x, "(held 1)": {"value": "5"},
    });
    assert_eq!(value["steps"][0]["stack"][0]["names"], names);
}

#[test]
fn a_leak_is_unreached_and_its_line_is_told() {
    let traces = testing::traces();
    let trace = &traces.iter().find(|(name, _)| *name == "c").expect("a trace of this name").1;
    let value = written(trace);
    let last = &value["steps"].as_array().expect("steps")[trace.steps.len() - 1];
    assert_eq!(last["unreached"], json!(["2"]));
    assert_eq!(last["heap"]["2"]["allocated_at"], json!({"file": "list.c", "line": 8}));
    assert_eq!(last["heap"]["2"]["refcount"], Value::Null);
}

#[test]
fn a_trace_without_anything_is_still_json() {
    let mut trace = testing::Builder::python("a.py", "").finish("killed by SIGKILL");
    trace.sources.clear();
    trace.truncated = Some("There were more than 2,000 steps.".to_owned());
    let value = written(&trace);
    assert_eq!(value["source"], json!({"path": "", "text": ""}));
    assert_eq!((&value["truncated"], &value["steps"]), (&json!(true), &json!([])));
    assert_eq!(value["truncated_because"], "There were more than 2,000 steps.");
}
