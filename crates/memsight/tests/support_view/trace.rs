//! The JSON of `memsight view` as values. Reading is strict: a key that is promised and
//! missing, or of another type, is an error that says where.

use std::collections::BTreeMap;

use serde_json::Value;

/// A whole trace.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) truncated: bool,
    pub(crate) ending: String,
    pub(crate) steps: Vec<Step>,
}

/// One step with its whole heap.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) line: u64,
    pub(crate) event: String,
    pub(crate) say: String,
    pub(crate) stdout: String,
    pub(crate) stack: Vec<Frame>,
    pub(crate) heap: BTreeMap<String, Object>,
    pub(crate) born: Vec<String>,
    pub(crate) died: Vec<String>,
    pub(crate) changed: Vec<String>,
}

/// A frame, with its names in the order of the JSON.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) function: String,
    pub(crate) line: u64,
    pub(crate) file: Option<String>,
    pub(crate) names: BTreeMap<String, Ref>,
}

/// What a name or an item holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ref {
    To(String),
    Value(String),
}

impl Ref {
    /// The id of the object that it refers to.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Ref::To(id) => Some(id),
            Ref::Value(_) => None,
        }
    }
}

/// An object at one step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) address: u64,
    pub(crate) of_type: String,
    pub(crate) bytes: u64,
    pub(crate) references: Option<u64>,
    pub(crate) standing: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) items: Vec<(String, Ref)>,
    pub(crate) hidden_items: u64,
}

impl Object {
    /// Its type's name without its module.
    pub(crate) fn short_type(&self) -> &str {
        self.of_type.rsplit('.').next().unwrap_or_default()
    }
}

impl Step {
    /// The frame that runs.
    pub(crate) fn innermost(&self) -> Option<&Frame> {
        self.stack.last()
    }
}

impl Trace {
    /// Reads it from its JSON.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        if value["schema_version"] != 1 {
            return Err(format!("schema_version is {}", value["schema_version"]));
        }
        if value["language"] != "python" {
            return Err(format!("language is {}", value["language"]));
        }
        let steps = list(value, "steps")?.iter().enumerate();
        let steps =
            steps.map(|(number, step)| read_step(step).map_err(|error| format!("step {number}: {error}")));
        Ok(Trace {
            path: text(&value["source"], "path")?,
            text: text(&value["source"], "text")?,
            truncated: value["truncated"].as_bool().ok_or("truncated is no boolean")?,
            ending: value["ending"].as_str().unwrap_or_default().to_owned(),
            steps: steps.collect::<Result<_, _>>()?,
        })
    }

    /// Whether a frame runs the program's own file.
    pub(crate) fn is_main(&self, frame: &Frame) -> bool {
        frame.file.as_ref().is_none_or(|file| *file == self.path)
    }
}

fn read_step(step: &Value) -> Result<Step, String> {
    let heap = step["heap"].as_object().ok_or("heap is no object")?.iter();
    let heap = heap.map(|(id, object)| {
        let object = read_object(object).map_err(|error| format!("object {id}: {error}"))?;
        Ok::<_, String>((id.clone(), object))
    });
    Ok(Step {
        line: number(step, "line")?,
        event: text(step, "event")?,
        say: text(step, "say")?,
        stdout: text(step, "stdout")?,
        stack: list(step, "stack")?.iter().map(read_frame).collect::<Result<_, _>>()?,
        heap: heap.collect::<Result<_, _>>()?,
        born: ids(step, "born")?,
        died: ids(step, "died")?,
        changed: ids(step, "changed")?,
    })
}

fn read_frame(frame: &Value) -> Result<Frame, String> {
    let names = frame["names"].as_object().ok_or("names is no object")?.iter();
    let names = names.map(|(name, to)| Ok::<_, String>((name.clone(), read_ref(to)?)));
    Ok(Frame {
        function: text(frame, "function")?,
        line: number(frame, "line")?,
        file: frame["file"].as_str().map(str::to_owned),
        names: names.collect::<Result<_, _>>()?,
    })
}

fn read_object(object: &Value) -> Result<Object, String> {
    let address = text(object, "address")?;
    let digits = address.strip_prefix("0x").ok_or_else(|| format!("the address {address} is not as 0x…"))?;
    let item = |item: &Value| match item.as_array().map(Vec::as_slice) {
        Some([label, to]) => Ok((label.as_str().ok_or("a label is no text")?.to_owned(), read_ref(to)?)),
        _ => Err(format!("an item is {item}")),
    };
    let references = match &object["refcount"] {
        Value::Null if object.get("refcount").is_some() => None,
        count => Some(count.as_u64().ok_or_else(|| format!("refcount is {count}"))?),
    };
    Ok(Object {
        address: u64::from_str_radix(digits, 16)
            .map_err(|error| format!("the address {address}: {error}"))?,
        of_type: text(object, "type")?,
        bytes: number(object, "bytes")?,
        references,
        standing: object["standing"].as_str().map(str::to_owned),
        value: object["value"].as_str().map(str::to_owned),
        items: list(object, "items")?.iter().map(item).collect::<Result<_, String>>()?,
        hidden_items: object["hidden_items"].as_u64().unwrap_or(0),
    })
}

fn read_ref(value: &Value) -> Result<Ref, String> {
    match (value["ref"].as_str(), value["value"].as_str()) {
        (Some(id), None) => Ok(Ref::To(id.to_owned())),
        (None, Some(text)) => Ok(Ref::Value(text.to_owned())),
        _ => Err(format!("{value} is no REF")),
    }
}

fn ids(value: &Value, key: &str) -> Result<Vec<String>, String> {
    let id = |id: &Value| id.as_str().map(str::to_owned).ok_or_else(|| format!("{key} has {id}"));
    list(value, key)?.iter().map(id).collect()
}

fn list<'v>(value: &'v Value, key: &str) -> Result<&'v Vec<Value>, String> {
    value[key].as_array().ok_or_else(|| format!("{key} is {}", value[key]))
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    value[key].as_str().map(str::to_owned).ok_or_else(|| format!("{key} is {}", value[key]))
}

fn number(value: &Value, key: &str) -> Result<u64, String> {
    value[key].as_u64().ok_or_else(|| format!("{key} is {}", value[key]))
}
