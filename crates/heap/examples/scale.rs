//! Seconds and memory for graphs of the size of a large program:
//! `cargo run --release -p memsight-heap --example scale [SHAPE] [MILLIONS]`.
//!
//! Shapes are
//! - `walk` (the default): a tree in the order in which a walk in breadth meets its
//!   objects, of which half refer to nothing, as texts and numbers do. The others refer
//!   to two children, to two that are near by, and to their parent or to any leaf;
//! - `random`: a tree in any order at random addresses, and half as many references
//!   again from anywhere to anywhere. No program is so scattered;
//! - `list`, `star`;
//! - `ladder`: every object refers to the next, to the one before and to the first.
//!
//! One shape a process, as the peak of its memory is part of what is measured. Where
//! other programs run beside it, what counts is the time on a processor.

use std::time::Instant;

use memsight_heap::{
    Cycles, Dominators, Error, Follow, Graph, GraphBuilder, Holder, Label, Object, Paths, Reach, Root,
    RootKind, merged_paths, type_totals,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let shape = arguments.next().unwrap_or_else(|| "walk".into());
    let millions: u64 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let start = Instant::now();

    let graph = timed("build", || build(&shape, millions * 1_000_000))?;
    println!("{} objects, {} references", graph.node_count(), graph.edge_count());
    let reach = timed("reach", || Reach::of(&graph));
    let tree = timed("dominators", || Dominators::of(&graph, &reach));
    let totals = timed("types", || type_totals(&graph, &tree));
    let cycles = timed("cycles", || Cycles::of(&graph, &reach));
    let paths = timed("paths", || Paths::of(&graph, &reach));
    let merged = timed("merged", || merged_paths(&graph, &paths, graph.nodes()));
    let deepest = timed("names", || {
        let last = graph.nodes().next_back();
        last.map(|node| paths.to(&graph, node).name(&graph))
    });

    let mebibytes = |bytes: u64| bytes >> 20;
    for total in totals.iter().take(3) {
        let name = graph.type_name(total.type_id);
        println!("{name}: {} objects retain {} MiB", total.objects, mebibytes(total.retained_bytes));
    }
    let garbage = tree.retained_by(Holder::Roots(RootKind::Garbage));
    println!("garbage: {} MiB", mebibytes(garbage));
    for group in cycles.groups().iter().take(3) {
        println!("{} cycles of {} objects, {} MiB", group.count, group.objects, mebibytes(group.bytes));
    }
    for path in merged.iter().take(3) {
        println!("{} × {}", path.count, path.name);
    }
    println!("the last object: {}", deepest.unwrap_or_default());
    let (all, busy) = (start.elapsed().as_secs_f64(), busy_seconds().unwrap_or(0.0));
    println!("in all {all:.1} s, of which {busy:.1} on a processor; peak {} MiB", peak_mebibytes()?);
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, busy_before) = (Instant::now(), busy_seconds().unwrap_or(0.0));
    let result = work();
    let peak = peak_mebibytes().unwrap_or(0);
    let busy = busy_seconds().unwrap_or(0.0) - busy_before;
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:12} {seconds:6.2} s, of which {busy:5.2} on a processor; peak so far {peak} MiB");
    result
}

/// For how long the system has let this thread run, as /proc/self/schedstat says it.
fn busy_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

/// The most memory that this process had resident, as proc(5) says it.
fn peak_mebibytes() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kibibytes = line.split_whitespace().nth(1).ok_or("VmHWM without a number")?;
    Ok(kibibytes.parse::<u64>()? >> 10)
}

fn build(shape: &str, count: u64) -> Result<Graph, Error> {
    let mut builder = GraphBuilder::new();
    let types: Vec<u32> =
        (0..200).map(|number| builder.add_type(&format!("app.T{number}"))).collect::<Result<_, _>>()?;
    let module = builder.name("app")?;
    let next = builder.name("next")?;
    let value = builder.name("value")?;
    let parent = builder.name("parent")?;
    let scattered = shape == "random";
    // An odd factor moves every number to one of its own.
    let address =
        |number: u64| if scattered { number.wrapping_mul(0x9e37_79b9_7f4a_7c15) } else { number * 48 + 48 };
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut add = |builder: &mut GraphBuilder, number: u64| {
        let type_id = types[(random.below(200) * random.below(200) / 200) as usize];
        builder.add_object(Object {
            address: address(number),
            type_id,
            bytes: 16 + number % 200,
            shared: false,
        })
    };
    builder.add_root(address(0), Root::Module { module })?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for number in 0..count {
        add(&mut builder, number)?;
        let place = number as u32;
        match shape {
            "list" if number > 0 => {
                builder.add_edge(address(number - 1), address(number), Label::Slot(next))?
            }
            "star" if number > 0 => builder.add_edge(address(0), address(number), Label::ListIndex(place))?,
            "ladder" => {
                builder.add_edge(address(number), address((number + 1) % count), Label::Slot(next))?;
                builder.add_edge(address(number), address(number.saturating_sub(1)), Label::Slot(parent))?;
                builder.add_edge(address(number), address(0), Label::ListIndex(place))?;
            }
            "walk" if number < count / 2 => {
                for child in [number * 2 + 1, number * 2 + 2] {
                    builder.add_edge(address(number), address(child % count), Label::ListIndex(place))?;
                }
                for name in [next, value] {
                    let near = number + random.below(5000);
                    builder.add_edge(address(number), address(near % count), Label::Slot(name))?;
                }
                if random.below(4) > 0 {
                    let leaf = count / 2 + random.below(count / 2);
                    builder.add_edge(address(number), address(leaf), Label::Slot(value))?;
                } else {
                    builder.add_edge(address(number), address(number / 2), Label::Slot(parent))?;
                }
            }
            "random" => {
                for child in [number * 2 + 1, number * 2 + 2] {
                    // One in two thousand is missing: what was below may be garbage.
                    if child < count && random.below(2000) > 0 {
                        builder.add_edge(address(number), address(child), Label::ListIndex(place))?;
                    }
                }
                let from = address(random.below(count));
                builder.add_edge(from, address(random.below(count)), Label::Slot(next))?;
                if number % 2 == 0 {
                    builder.add_edge(from, address(random.below(number + 1)), Label::Slot(parent))?;
                }
            }
            _ => {}
        }
    }
    Ok(builder.finish(Follow::Usual))
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
