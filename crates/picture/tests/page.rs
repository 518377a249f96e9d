//! The page's data holds what the trace holds: put together again, every step is the same.

mod support;

use std::collections::BTreeMap;

use memsight_picture::{
    Event, Frame, FrameKind, Name, NameKind, Object, ObjectId, ObjectKind, Place, Ref, SourceId, Standing,
    States, Trace, page, testing,
};
use proptest::prelude::*;
use serde_json::Value;

/// Reads the page's data as the page does.
struct Page {
    texts: Vec<String>,
    stack: Vec<Frame>,
    objects: BTreeMap<ObjectId, Object>,
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn small(value: &Value) -> u32 {
    u32::try_from(number(value)).expect("a small number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn hex(value: &Value) -> u64 {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x")).expect("an address");
    u64::from_str_radix(digits, 16).expect("an address")
}

impl Page {
    fn text(&self, index: &Value) -> String {
        self.texts[usize::try_from(number(index)).expect("an index")].clone()
    }

    fn to(&self, value: &Value) -> Ref {
        match value {
            Value::Number(_) => Ref::to(ObjectId(small(value))),
            Value::Array(both) => Ref::Object { id: ObjectId(small(&both[0])), offset: number(&both[1]) },
            _ => Ref::Value(self.text(&value["v"])),
        }
    }

    fn items(&self, value: &Value) -> Vec<(String, Ref)> {
        list(value).iter().map(|item| (self.text(&item[0]), self.to(&item[1]))).collect()
    }

    fn frame(&self, frame: &Value) -> Frame {
        let name = |name: &Value| Name {
            name: self.text(&name[0]),
            kind: match name[1].as_str() {
                Some("l") => NameKind::Local,
                Some("g") => NameKind::Global,
                Some("c") => NameKind::Cell,
                _ => NameKind::Held,
            },
            to: self.to(&name[2]),
            place: name.get(3).map(|place| Place {
                address: hex(&place[0]),
                of_type: self.text(&place[1]),
                bytes: number(&place[2]),
                uninitialised: place[3] == 1,
            }),
        };
        Frame {
            id: small(&frame["id"]),
            function: self.text(&frame["n"]),
            source: SourceId(small(&frame["f"])),
            line: small(&frame["l"]),
            kind: match frame["k"].as_str() {
                Some("function") => FrameKind::Function,
                Some("module") => FrameKind::Module,
                Some("class") => FrameKind::Class,
                _ => FrameKind::Generator,
            },
            names: list(&frame["names"]).iter().map(name).collect(),
        }
    }

    /// Sets the fields that are there.
    fn change(&self, object: &mut Object, fields: &Value) {
        for (key, value) in fields.as_object().expect("an object") {
            match key.as_str() {
                "id" => {}
                "a" => object.address = hex(value),
                "t" => object.of_type = self.text(value),
                "k" => {
                    object.kind = match value.as_str() {
                        Some("value") => ObjectKind::Value,
                        Some("sequence") => ObjectKind::Sequence,
                        Some("mapping") => ObjectKind::Mapping,
                        Some("set") => ObjectKind::Set,
                        Some("fields") => ObjectKind::Fields,
                        Some("class") => ObjectKind::Class,
                        Some("function") => ObjectKind::Function,
                        Some("iterator") => ObjectKind::Iterator,
                        _ => ObjectKind::Closed,
                    }
                }
                "s" => {
                    object.standing = match value.as_str() {
                        Some("reached") => Standing::Reached,
                        Some("unreached") => Standing::Unreached,
                        Some("freed") => Standing::Freed,
                        Some("stack") => Standing::OnStack,
                        _ => Standing::Static,
                    }
                }
                "b" => object.bytes = number(value),
                "r" => object.references = value.as_u64(),
                "i" => object.immortal = value == &Value::Bool(true),
                "v" => object.value = value.as_str().map(str::to_owned),
                "items" => object.items = self.items(value),
                "more" => object.hidden_items = number(value),
                "at" => {
                    let line = value.as_array().map(|at| (SourceId(small(&at[0])), small(&at[1])));
                    object.allocated_at = line;
                }
                "splice" => {
                    let at = usize::try_from(number(&value[0])).expect("an index");
                    let gone = usize::try_from(number(&value[1])).expect("an index");
                    object.items.splice(at..at + gone, self.items(&value[2]));
                }
                _ => panic!("a field that the page does not know: {key}"),
            }
        }
    }

    fn step(&mut self, step: &Value) {
        if let Some(stack) = step.get("stack") {
            self.stack.truncate(step.get("keep").map_or(0, |keep| small(keep) as usize));
            for frame in list(stack) {
                let frame = self.frame(frame);
                self.stack.push(frame);
            }
        }
        for id in list(&step["died"]).iter().chain(list(&step["left"])) {
            self.objects.remove(&ObjectId(small(id)));
        }
        for born in list(&step["born"]) {
            let mut object = support::object(small(&born["id"]));
            self.change(&mut object, born);
            self.objects.insert(object.id, object);
        }
        for changed in list(&step["changed"]) {
            let id = ObjectId(small(&changed["id"]));
            let mut object = self.objects.remove(&id).expect("a change of an object that is there");
            self.change(&mut object, changed);
            self.objects.insert(id, object);
        }
    }
}

fn check(name: &str, trace: &Trace) {
    let mut text = Vec::new();
    page::write(trace, &mut text).expect("the page's data");
    let data: Value = serde_json::from_slice(&text).expect("JSON");
    let texts = list(&data["texts"]).iter().map(|text| text.as_str().expect("a text").to_owned());
    let mut page = Page { texts: texts.collect(), stack: Vec::new(), objects: BTreeMap::new() };
    let states = States::new(trace);
    assert_eq!(list(&data["steps"]).len(), trace.steps.len());
    for (index, (step, told)) in trace.steps.iter().zip(list(&data["steps"])).enumerate() {
        page.step(told);
        assert_eq!(page.stack, step.stack, "{name}, step {index}");
        let objects: BTreeMap<_, _> =
            states.at(index).objects.into_iter().map(|(id, object)| (id, object.clone())).collect();
        assert_eq!(page.objects, objects, "{name}, step {index}");
        assert_eq!(told.get("v").map(|value| page.to(value)), step.value, "{name}, step {index}");
        assert_eq!(told["l"], step.line);
        assert_eq!(told.get("y").is_some(), step.yields);
        assert_eq!(told["say"], step.say.as_str());
        assert_eq!(told.get("out").and_then(Value::as_str).unwrap_or_default(), step.stdout);
        assert_eq!(list(&told["temp"]).len(), step.delta.temporaries.len());
    }
}

#[test]
fn the_made_traces_come_back_from_the_page() {
    for (name, trace) in testing::traces() {
        check(name, &trace);
    }
}

#[test]
fn a_frame_that_waits_is_not_told_again() {
    let traces = testing::traces();
    let trace = &traces.iter().find(|(name, _)| *name == "recursion").expect("a trace of this name").1;
    let mut text = Vec::new();
    page::write(trace, &mut text).expect("the page's data");
    let data: Value = serde_json::from_slice(&text).expect("JSON");
    let deepest = trace.steps.iter().position(|step| step.stack.len() == 4).expect("three calls");
    let told = &data["steps"][deepest];
    assert_eq!((small(&told["keep"]), list(&told["stack"]).len()), (3, 1));
    assert_eq!(trace.steps[deepest].event, Event::Call);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_trace_comes_back_from_the_page(random in support::random_steps()) {
        check("random", &support::trace(&random));
    }
}
