//! `memsight heap`: what is alive and who keeps it.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use memsight_heap::{Follow, Graph, NodeId, Snapshot, Unreadable};
use memsight_insight::Program;
use memsight_report::heap::{self, Heap};
use memsight_report::text::Look;
use memsight_report::{Series, heap_diff, heap_duplicates, heap_loose, heap_loose_json, heap_private};

use crate::exit::Exit;
use crate::terminal;

use at::At;

mod ask;
mod at;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The capture of a run with --heap, or the process id of a program that runs under memsight.
    #[arg(value_name = "CAPTURE|PID")]
    capture: PathBuf,
    /// Print JSON.
    #[arg(long, conflicts_with_all = ["who_holds", "cycles", "diff", "snapshots", "growth", "gc"])]
    json: bool,
    /// Show what keeps the objects of a type alive, or the object at an address (0x7f…).
    #[arg(long, value_name = "TYPE|ADDRESS", group = "question")]
    who_holds: Option<String>,
    /// Show objects that keep each other alive.
    #[arg(long, group = "question")]
    cycles: bool,
    /// Show strings and bytes that are there more than once.
    #[arg(long, group = "question")]
    duplicates: bool,
    /// Show Python's own allocator: size classes, and arenas that few blocks keep.
    #[arg(long, group = "question")]
    private_heap: bool,
    /// Show the memory of Python's allocators that belongs to no object.
    #[arg(long, group = "question")]
    loose: bool,
    /// Show what grew since another capture, or since another snapshot of this one.
    #[arg(long, value_name = "BEFORE|AT", group = "question")]
    diff: Option<PathBuf>,
    /// Of several snapshots the one at the end, near the peak, or the Nth [default: the last].
    #[arg(long, value_name = "exit|peak|N", value_parser = at::parse, conflicts_with_all = ["snapshots", "growth", "gc"])]
    at: Option<At>,
    /// List the capture's snapshots.
    #[arg(long, group = "question")]
    snapshots: bool,
    /// Show which types grew from each snapshot to the next.
    #[arg(long, group = "question")]
    growth: bool,
    /// Show what the cycle collector did, and when; of any capture.
    #[arg(long, group = "question")]
    gc: bool,
    /// Follow references to types and to what everybody shares, too.
    #[arg(long)]
    everything: bool,
    /// Show the N largest.
    #[arg(short = 'n', value_name = "N")]
    limit: Option<usize>,
}

/// Prints what was asked for.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    let follow = if args.everything { Follow::Everything } else { Follow::Usual };
    let capture = match pid_of(&args.capture) {
        Some(pid) => ask::snapshot_of(pid)?,
        None => args.capture.clone(),
    };
    let program = terminal::load(&capture)?;
    let look = terminal::stdout_look();
    if args.gc {
        terminal::print(&memsight_report::heap_gc(&program, &look, args.limit))?;
        return Ok(Exit::Fine);
    }
    if args.snapshots && !program.first().recording.snapshots.is_empty() {
        terminal::print(&memsight_report::heap_snapshots(&program, &look))?;
        return Ok(Exit::Fine);
    }
    if args.growth {
        terminal::print(&growth(&capture, &program, follow, &look, args.limit)?)?;
        return Ok(Exit::Fine);
    }
    let number = match args.at {
        Some(at) => Some(at.number_in("--at", &capture, &program)?),
        // Another near the peak may have come after the one that was asked for.
        None if capture != args.capture => at::last_asked(&program),
        None => None,
    };
    let snapshot =
        Snapshot::read_number(&capture, number, follow).map_err(|error| explained(error, &program))?;
    let heap = Heap::new(&snapshot, &program);
    let text = match &args.who_holds {
        Some(what) => {
            let targets = find(heap.graph(), what)?;
            heap::who_holds(&heap, &targets, what, &look, args.limit)
        }
        None if args.diff.is_some() => {
            let before = args.diff.as_deref().unwrap_or(&capture);
            let (path, program, number) = before_of(before, &capture)?;
            let snapshot = Snapshot::read_number(&path, number, follow)?;
            heap_diff(&Heap::new(&snapshot, &program), &heap, &look, args.limit)
        }
        None if args.loose && args.json => heap_loose_json(&heap, args.limit),
        None if args.loose => heap_loose(&heap, &look, args.limit),
        None if args.json => heap::json(&heap, args.limit),
        None if args.cycles => heap::cycles_text(&heap, &look, args.limit),
        None if args.duplicates => heap_duplicates(&heap, &look, args.limit),
        None if args.private_heap => heap_private(&heap, &look, args.limit),
        None => heap::overview(&heap, &look, args.limit),
    };
    terminal::print(&text)?;
    Ok(Exit::Fine)
}

/// Why there is no graph of a program that may well have been recorded with `--heap exit`.
fn explained(error: Unreadable, program: &Program) -> anyhow::Error {
    match error {
        Unreadable::NoSnapshot { path } if memsight_report::was_killed(program.first()) => anyhow!(
            "{path}: this capture has no object graph: the program was killed before its end, where \
             --heap exit takes it; --heap peak takes some as memory rises, and memsight heap PID one \
             of a program that runs"
        ),
        other => other.into(),
    }
}

/// What is compared with: another capture, or another snapshot of the same.
fn before_of(before: &Path, capture: &Path) -> Result<(PathBuf, Program, Option<usize>)> {
    let at = before.to_str().filter(|_| !before.exists()).and_then(|text| at::parse(text).ok());
    let Some(at) = at else {
        return Ok((before.into(), terminal::load(before)?, None));
    };
    let program = terminal::load(capture)?;
    let number = at.number_in("--diff", capture, &program)?;
    Ok((capture.into(), program, Some(number)))
}

/// Which types grew from each snapshot to the next.
fn growth(
    capture: &Path,
    program: &Program,
    follow: Follow,
    look: &Look,
    limit: Option<usize>,
) -> Result<String> {
    let count = program.first().recording.snapshots.len();
    if count == 1 {
        bail!(
            "--growth: {} holds one snapshot only; memsight run --heap exit,peak keeps several, \
             and so does memsight heap PID while the program runs",
            capture.display()
        );
    }
    let mut series = Series::new(count);
    for number in series.numbers().to_vec() {
        series.add(&Snapshot::read_number(capture, Some(number), follow)?);
    }
    Ok(series.text(program, look, limit))
}

/// The process that is meant: a number that no file is called by.
fn pid_of(what: &Path) -> Option<u32> {
    let digits = what.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().filter(|_| !what.exists())
}

/// The objects of a type, by its whole name or its last part, or the one at an address.
fn find(graph: &Graph, what: &str) -> Result<Vec<NodeId>> {
    if let Some(digits) = what.strip_prefix("0x") {
        let address = u64::from_str_radix(digits, 16).ok();
        let Some(node) = address.and_then(|address| graph.node_at(address)) else {
            bail!("--who-holds {what}: no object is at this address");
        };
        return Ok(vec![node]);
    }
    let is_it = |name: &str| name == what || name.rsplit('.').next() == Some(what);
    let types: Vec<_> = graph.types().filter(|&of| is_it(graph.type_name(of))).collect();
    if types.is_empty() {
        bail!("--who-holds {what}: no object of this type is alive; memsight heap CAPTURE lists the types");
    }
    Ok(graph.nodes().filter(|&node| types.contains(&graph.type_of(node))).collect())
}
