//! A trace against what a probe in the program itself wrote down (`view_twin/look.py`).
//!
//! The probe stands before each simple statement. So at the step before such a line, the
//! trace must show what the probe saw there: under the same names, objects of the same
//! type, size and reference count, and those that the probe knows to have been freed since
//! the last line must have died. Looks and steps are paired by function and line in the
//! order in which they came.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::trace::{Frame, Object, Ref, Step, Trace};

/// What the probe saw before one statement.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    line: u64,
    /// Functions of the program's file that run, outermost first.
    functions: Vec<String>,
    /// Where each object was found: the frame's depth, a name, then labels.
    paths: BTreeMap<Vec<String>, u64>,
    objects: BTreeMap<u64, Seen>,
    /// Objects of the look before that are certainly still there.
    alive: BTreeSet<u64>,
    /// Those that are certainly freed.
    freed: BTreeSet<u64>,
}

/// An object as the probe saw it.
#[derive(Clone, Debug)]
struct Seen {
    of_type: String,
    /// `sys.getsizeof`.
    bytes: u64,
    /// `ob_refcnt`.
    count: u64,
    immortal: bool,
    /// Whether the interpreter itself may hold it, so that its count depends on more than the program.
    shared: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The same run: every object's address is its `id()`.
    TheSameRun,
    /// A run of its own without memsight: types, sizes, counts, deaths, and whether a string moved.
    AnUntracedRun,
}

/// How much was compared, so that a test can say that it was not nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) lines: usize,
    pub(crate) objects: usize,
    pub(crate) counts: usize,
    pub(crate) sizes: usize,
    pub(crate) freed: usize,
    pub(crate) alive: usize,
    pub(crate) moves: usize,
}

/// What the probe wrote.
pub(crate) fn looks(text: &str) -> Result<Vec<Look>, String> {
    let read = |(number, line): (usize, &str)| {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("look {number}: {error}"))?;
        read_look(&value).ok_or_else(|| format!("look {number} is {value}"))
    };
    text.lines().enumerate().map(read).collect()
}

fn read_look(value: &Value) -> Option<Look> {
    let numbers =
        |key: &str| value[key].as_array()?.iter().map(Value::as_u64).collect::<Option<BTreeSet<u64>>>();
    let path = |(path, number): (&String, &Value)| {
        Some((path.split('\0').map(str::to_owned).collect(), number.as_u64()?))
    };
    let object = |(id, seen): (&String, &Value)| {
        let seen = Seen {
            of_type: seen["type"].as_str()?.to_owned(),
            bytes: seen["bytes"].as_u64()?,
            count: seen["count"].as_u64()?,
            immortal: seen["immortal"].as_bool()?,
            shared: seen["shared"].as_bool()?,
        };
        Some((id.parse().ok()?, seen))
    };
    let functions = value["functions"].as_array()?.iter().map(|name| Some(name.as_str()?.to_owned()));
    Some(Look {
        line: value["line"].as_u64()?,
        functions: functions.collect::<Option<_>>()?,
        paths: value["paths"].as_object()?.iter().map(path).collect::<Option<_>>()?,
        objects: value["objects"].as_object()?.iter().map(object).collect::<Option<_>>()?,
        alive: numbers("alive")?,
        freed: numbers("freed")?,
    })
}

/// Addresses and bytes of what a name of a function referred to, look by look.
pub(crate) fn places_of(looks: &[Look], function: &str, name: &str) -> Vec<(u64, u64)> {
    let place = |look: &Look| {
        let depth = look.functions.len().checked_sub(1).filter(|&depth| look.functions[depth] == function)?;
        let address = look.paths.get(&vec![depth.to_string(), name.to_owned()])?;
        Some((*address, look.objects.get(address)?.bytes))
    };
    looks.iter().filter_map(place).collect()
}

/// Lines that the probe stands on, from the program's instrumented text.
pub(crate) fn lines_of(instrumented: &str) -> BTreeSet<u64> {
    let number = |(number, text): (usize, &str)| {
        text.trim_start().starts_with("__look__(").then_some(number as u64 + 1)
    };
    instrumented.lines().enumerate().filter_map(number).collect()
}

/// Compares; gives what differs (at most twenty), and how much was compared.
pub(crate) fn compare(
    trace: &Trace,
    looks: &[Look],
    lines: &BTreeSet<u64>,
    of: Of,
) -> (Vec<String>, Compared) {
    let mut comparing = Comparing { trace, of, found: Vec::new(), done: Compared::default() };
    let pairs = comparing.pairs(looks, lines);
    let mut before: Option<(&Look, usize)> = None;
    for (look, number) in pairs {
        comparing.step(look, number);
        if let Some((was, began)) = before.filter(|_| of == Of::AnUntracedRun) {
            comparing.between(was, began, look, number);
        }
        before = Some((look, number));
        if comparing.found.len() >= 20 {
            break;
        }
    }
    comparing.found.truncate(20);
    (comparing.found, comparing.done)
}

struct Comparing<'t> {
    trace: &'t Trace,
    of: Of,
    found: Vec<String>,
    done: Compared,
}

impl<'t> Comparing<'t> {
    fn frames(&self, step: &'t Step) -> Vec<&'t Frame> {
        let is_own = |frame: &&Frame| self.trace.is_main(frame) && !is_nameless(&frame.function);
        step.stack.iter().filter(is_own).collect()
    }

    /// Each look with the number of its step.
    fn pairs<'l>(&mut self, looks: &'l [Look], lines: &BTreeSet<u64>) -> Vec<(&'l Look, usize)> {
        let is_looked_at = |step: &Step| {
            let own = step.innermost().is_some_and(|f| self.trace.is_main(f) && !is_nameless(&f.function));
            own && step.event == "line" && lines.contains(&step.line)
        };
        let steps = self.trace.steps.iter().enumerate().filter(|(_, step)| is_looked_at(step));
        let mut steps = steps.map(|(number, step)| (number, step.line)).peekable();
        let mut pairs = Vec::new();
        for (place, look) in looks.iter().enumerate() {
            match steps.next() {
                Some((number, line)) if line == look.line => pairs.push((look, number)),
                other => {
                    let line = other
                        .map_or("no step".into(), |(number, line)| format!("step {number}, line {line}"));
                    self.found.push(format!(
                        "look {place} was before line {}, and in the trace follows {line}",
                        look.line
                    ));
                    return pairs;
                }
            }
        }
        if let Some((number, line)) = steps.peek() {
            self.found.push(format!("step {number} (line {line}) came after the last look"));
        }
        self.done.lines = pairs.len();
        pairs
    }

    fn step(&mut self, look: &Look, number: usize) {
        let step = &self.trace.steps[number];
        let frames = self.frames(step);
        let functions: Vec<&str> = frames.iter().map(|frame| short(&frame.function)).collect();
        if functions != look.functions {
            self.say(number, format!("{functions:?} run, and the probe saw {:?}", look.functions));
            return;
        }
        let mut ids: BTreeMap<u64, &str> = BTreeMap::new();
        for (path, &address) in &look.paths {
            let seen = &look.objects[&address];
            match resolve(step, &frames, path) {
                Found::Object(id, object) => {
                    let known = *ids.entry(address).or_insert(id);
                    if known != id {
                        self.say(number, format!("{} is {id}, and {known} elsewhere", written(path)));
                    }
                    self.object(number, path, address, seen, object);
                }
                Found::NotLookedAt => {}
                Found::Nothing => {
                    self.say(number, format!("{} ({}) is not shown", written(path), seen.of_type))
                }
            }
        }
        for (depth, frame) in frames.iter().enumerate() {
            for name in frame.names.keys().filter(|name| !name.starts_with("__") && !name.starts_with('(')) {
                if !look.paths.contains_key(&vec![depth.to_string(), name.clone()]) {
                    self.say(number, format!("{name} of {} is shown and does not exist", frame.function));
                }
            }
        }
    }

    fn object(&mut self, number: usize, path: &[String], address: u64, seen: &Seen, object: &Object) {
        let mut differ = |what: &str, shown: String, really: String| {
            self.found.push(format!(
                "step {number}: {what} of {} is shown as {shown} and is {really}",
                written(path)
            ));
        };
        if object.short_type() != seen.of_type {
            differ("the type", object.of_type.clone(), seen.of_type.clone());
        }
        self.done.objects += 1;
        if self.of == Of::TheSameRun {
            if object.address != address {
                differ("the address", format!("{:#x}", object.address), format!("{address:#x}"));
            }
            return;
        }
        let count = (!seen.immortal).then_some(seen.count);
        if !seen.shared || seen.immortal {
            self.done.counts += 1;
            if object.references != count {
                differ("the count", format!("{:?}", object.references), format!("{count:?}"));
            }
        }
        if !seen.shared
            && let Some(sizes) = sizes(seen)
        {
            self.done.sizes += 1;
            if !sizes.contains(&object.bytes) {
                differ("the size", object.bytes.to_string(), format!("{sizes:?}"));
            }
        }
    }

    /// What became of the objects of one look at the next.
    fn between(&mut self, was: &Look, began: usize, look: &Look, number: usize) {
        let steps = &self.trace.steps;
        let died: BTreeSet<&String> = steps[began + 1..=number].iter().flat_map(|step| &step.died).collect();
        let frames = self.frames(&steps[began]);
        for (path, address) in &was.paths {
            let Found::Object(id, object) = resolve(&steps[began], &frames, path) else { continue };
            let seen = &was.objects[address];
            let dead = died.contains(&id.to_owned());
            if look.freed.contains(address) {
                // A string that grows may be the same one elsewhere, for the allocator.
                let lives_elsewhere = seen.of_type == "str" && steps[number].heap.contains_key(id);
                self.done.freed += 1;
                if !dead && !lives_elsewhere {
                    self.say(number, format!("{} of step {began} was freed and did not die", written(path)));
                }
            } else if look.alive.contains(address) {
                self.done.alive += 1;
                if dead {
                    self.say(number, format!("{} of step {began} died and is alive", written(path)));
                }
            }
            if seen.of_type == "str" && !seen.shared && look.functions == was.functions {
                self.string(number, path, (*address, object.address), look);
            }
        }
    }

    /// A string under the same name stayed where it was in both runs, or in neither.
    fn string(&mut self, number: usize, path: &[String], was: (u64, u64), look: &Look) {
        let step = &self.trace.steps[number];
        let (Some(&now), Found::Object(_, object)) =
            (look.paths.get(path), resolve(step, &self.frames(step), path))
        else {
            return;
        };
        self.done.moves += 1;
        if (was.0 == now) != (was.1 == object.address) {
            let really = if was.0 == now { "stayed in place" } else { "is at another address" };
            self.say(number, format!("without memsight, {} {really}", written(path)));
        }
    }

    fn say(&mut self, number: usize, what: String) {
        self.found.push(format!("step {number} (line {}): {what}", self.trace.steps[number].line));
    }
}

/// What a path leads to in a trace.
enum Found<'t> {
    Object(&'t str, &'t Object),
    /// The trace says that it does not show everything there.
    NotLookedAt,
    Nothing,
}

fn resolve<'t>(step: &'t Step, frames: &[&'t Frame], path: &[String]) -> Found<'t> {
    let [depth, name, labels @ ..] = path else { return Found::Nothing };
    let frame = depth.parse().ok().and_then(|depth: usize| frames.get(depth));
    let object = |to: Option<&'t Ref>| {
        let id = to.and_then(Ref::id)?;
        Some((id, step.heap.get(id)?))
    };
    let Some(mut at) = object(frame.and_then(|frame| frame.names.get(name))) else { return Found::Nothing };
    for label in labels {
        let item = at.1.items.iter().find(|(other, _)| bare(other) == label);
        match object(item.map(|(_, to)| to)) {
            Some(next) => at = next,
            None if at.1.hidden_items > 0 => return Found::NotLookedAt,
            None => return Found::Nothing,
        }
    }
    Found::Object(at.0, at.1)
}

/// A label without what tells an index, a key or an attribute.
fn bare(label: &str) -> &str {
    label.trim_start_matches(['.', '[', '\'', '"']).trim_end_matches([']', '\'', '"'])
}

/// The sizes that an object of a builtin type may have; `None` where `getsizeof` is known to be wrong.
fn sizes(seen: &Seen) -> Option<Vec<u64>> {
    match seen.of_type.as_str() {
        "str" | "bytes" | "bytearray" | "float" | "list" | "tuple" | "dict" | "set" | "frozenset" => {
            Some(vec![seen.bytes])
        }
        // From 3.10 on, a small one is asked for as the whole struct, with its padding.
        "int" if seen.bytes == 28 => Some(vec![28, 32]),
        "int" => Some(vec![seen.bytes]),
        _ => None,
    }
}

fn short(function: &str) -> &str {
    function.rsplit('.').next().unwrap_or_default()
}

/// `<listcomp>` and the like, in which no statement stands.
fn is_nameless(function: &str) -> bool {
    short(function).starts_with('<') && function != "<module>"
}

fn written(path: &[String]) -> String {
    path.get(1..).unwrap_or_default().join(" → ")
}

/// Lines marked with `# freed: TYPE` behind which no object of that type dies.
pub(crate) fn marks_not_kept(trace: &Trace) -> Vec<String> {
    let mut found = Vec::new();
    for (place, text) in trace.text.lines().enumerate() {
        let Some((_, of_type)) = text.split_once("# freed: ") else { continue };
        let line = place as u64 + 1;
        let visits: Vec<usize> = (0..trace.steps.len())
            .filter(|&at| trace.steps[at].line == line && trace.steps[at].event == "line")
            .collect();
        if visits.is_empty() {
            found.push(format!("line {line} does not run"));
        }
        let kept = visits.iter().filter(|&&at| dies_after(trace, at, of_type)).count();
        if kept != visits.len() {
            found.push(format!("line {line} runs {} times and frees a {of_type} {kept} times", visits.len()));
        }
    }
    found
}

/// Whether an object of this type dies before the next line of the frame, or of one that it
/// returns to, begins to run.
fn dies_after(trace: &Trace, at: usize, of_type: &str) -> bool {
    let depth = trace.steps[at].stack.len();
    let last = (at + 1..trace.steps.len()).find(|&step| {
        let step = &trace.steps[step];
        step.event == "end" || step.event == "line" && step.stack.len() <= depth
    });
    let dies = |step: usize| {
        let was = &trace.steps[step - 1].heap;
        trace.steps[step]
            .died
            .iter()
            .any(|id| was.get(id).is_some_and(|object| object.short_type() == of_type))
    };
    (at + 1..=last.unwrap_or(at)).any(dies)
}
