//! Many paths as few: those to ten thousand results of jobs are one, ten thousand times
//! `app.Session.jobs[*].result`.
//!
//! Two paths are the same if they are so without list indices and keys, and without how
//! many times in a row a step is gone: all nodes of a linked list are `app.HEAD(.next)*`.
//! Patterns share their beginnings and are made along the tree of shortest paths, each
//! object's once from that of the object before it; so a million paths of a thousand
//! steps are no thousand million.

use std::collections::HashMap;

use crate::NodeId;
use crate::graph::Graph;
use crate::label::Label;
use crate::names::{as_seen, in_dict, start_name, write_step};
use crate::paths::{Found, Paths, Start};

/// Paths that are the same but for indices and keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedPath {
    /// The path in the program's words.
    pub name: String,
    /// To how many objects it leads.
    pub count: u64,
    /// The objects' own bytes.
    pub bytes: u64,
    /// The first of them.
    pub example: NodeId,
}

/// A pattern has no more steps than this: in a tree of objects every way down is a
/// pattern of its own.
const MOST_STEPS: u16 = 24;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Start(Start),
    Label(Label),
    /// As many more as there may be.
    Deeper,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Pattern {
    /// The pattern without its last step; of a start, its own number.
    before: u32,
    step: Step,
    /// Whether the step is gone more than once.
    repeated: bool,
    steps: u16,
}

/// Merges the shortest paths to some objects; what most of them have comes first.
pub fn merged_paths(
    graph: &Graph,
    paths: &Paths,
    targets: impl IntoIterator<Item = NodeId>,
) -> Vec<MergedPath> {
    let mut patterns = Patterns { graph, all: Vec::new(), numbers: HashMap::new(), last_made: Vec::new() };
    let mut pattern_of = vec![UNKNOWN; graph.node_count()];
    let mut counts: Vec<Option<(u64, u64, NodeId)>> = Vec::new();
    let mut way = Vec::new();
    for target in targets {
        // Up to an object whose pattern is known, and down again.
        let mut node = target;
        while pattern_of[node.index()] == UNKNOWN {
            match paths.found(graph, node) {
                Found::By(edge) => {
                    way.push((node, graph.label(edge)));
                    node = graph.source(edge);
                }
                Found::At(start) => pattern_of[node.index()] = patterns.start(start),
            }
        }
        let mut pattern = pattern_of[node.index()];
        while let Some((node, label)) = way.pop() {
            pattern = patterns.extend(pattern, label);
            pattern_of[node.index()] = pattern;
        }
        counts.resize(patterns.all.len(), None);
        let (count, bytes, _) = counts[pattern as usize].get_or_insert((0, 0, target));
        *count += 1;
        *bytes = bytes.saturating_add(graph.bytes(target));
    }
    let found = counts.iter().zip(0..).filter_map(|(count, pattern)| count.map(|count| (count, pattern)));
    let mut merged: Vec<MergedPath> = found
        .map(|((count, bytes, example), pattern)| MergedPath {
            name: patterns.name(pattern),
            count,
            bytes,
            example,
        })
        .collect();
    merged
        .sort_by(|a, b| b.count.cmp(&a.count).then(b.bytes.cmp(&a.bytes)).then_with(|| a.name.cmp(&b.name)));
    merged
}

const UNKNOWN: u32 = u32::MAX;

struct Patterns<'a> {
    graph: &'a Graph,
    all: Vec<Pattern>,
    numbers: HashMap<Pattern, u32>,
    /// By pattern, what was made of it last: a list's items are all the same.
    last_made: Vec<Option<(Label, u32)>>,
}

impl Patterns<'_> {
    fn start(&mut self, start: Start) -> u32 {
        self.number(Pattern { before: 0, step: Step::Start(start), repeated: false, steps: 0 })
    }

    /// The pattern of what such a reference leads to.
    fn extend(&mut self, before: u32, label: Label) -> u32 {
        // A `__dict__` has attributes for keys.
        let of_dict = self.all[before as usize].step == Step::Label(Label::Dict);
        let label = if of_dict { as_seen(label) } else { as_seen(label).without_place() };
        if let Some((last, pattern)) = self.last_made[before as usize]
            && last == label
        {
            return pattern;
        }
        let pattern = self.make(before, label);
        self.last_made[before as usize] = Some((label, pattern));
        pattern
    }

    fn make(&mut self, before: u32, label: Label) -> u32 {
        let mut before = before;
        let mut step = Step::Label(label.without_place());
        let last = self.all[before as usize];
        if last.step == Step::Label(Label::Dict)
            && !last.repeated
            && let Some(attribute) = in_dict(label, self.graph.names())
        {
            before = last.before;
            step = Step::Label(attribute);
        }
        let last = self.all[before as usize];
        if last.step == Step::Deeper {
            return before;
        }
        if last.step == step {
            return self.number(Pattern { repeated: true, ..last });
        }
        if last.steps == MOST_STEPS {
            step = Step::Deeper;
        }
        self.number(Pattern { before, step, repeated: false, steps: last.steps + 1 })
    }

    fn number(&mut self, pattern: Pattern) -> u32 {
        // There are no more patterns than objects.
        let next = self.all.len() as u32;
        let number = *self.numbers.entry(pattern).or_insert(next);
        if number == next {
            self.all.push(pattern);
            self.last_made.push(None);
        }
        number
    }

    fn name(&self, pattern: u32) -> String {
        let mut steps = Vec::new();
        let mut pattern = self.all[pattern as usize];
        let start = loop {
            match pattern.step {
                Step::Start(start) => break start,
                step => steps.push((step, pattern.repeated)),
            }
            pattern = self.all[pattern.before as usize];
        };
        let mut name = start_name(start, self.graph);
        for (step, repeated) in steps.into_iter().rev() {
            let mut text = String::new();
            match step {
                Step::Label(Label::ListIndex(_) | Label::KeyNumber(_)) => text.push_str("[*]"),
                Step::Label(Label::KeyItself(_)) => text.push_str(".keys()[*]"),
                Step::Label(label) => write_step(&mut text, label, self.graph.names()),
                Step::Start(_) | Step::Deeper => text.push('…'),
            }
            if repeated {
                text = format!("({text})*");
            }
            name.push_str(&text);
        }
        name
    }
}
