//! `memsight heap`: what is alive and who keeps it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use memsight_heap::{Follow, Graph, NodeId, Snapshot};
use memsight_insight::Program;
use memsight_report::heap::{self, Heap};
use memsight_report::{heap_diff, heap_duplicates, heap_loose, heap_loose_json, heap_private};

use crate::exit::Exit;
use crate::terminal;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The capture of a run with --heap.
    capture: PathBuf,
    /// Print JSON.
    #[arg(long, conflicts_with_all = ["who_holds", "cycles", "duplicates", "private_heap"])]
    json: bool,
    /// Show what keeps the objects of a type alive, or the object at an address (0x7f…).
    #[arg(long, value_name = "TYPE|ADDRESS")]
    who_holds: Option<String>,
    /// Show objects that keep each other alive.
    #[arg(long, conflicts_with = "who_holds")]
    cycles: bool,
    /// Show strings and bytes that are there more than once.
    #[arg(long, conflicts_with_all = ["who_holds", "cycles"])]
    duplicates: bool,
    /// Show Python's own allocator: size classes, and arenas that few blocks keep.
    #[arg(long, conflicts_with_all = ["who_holds", "cycles", "duplicates"])]
    private_heap: bool,
    /// Show what grew since another capture's end.
    #[arg(long, value_name = "BEFORE", conflicts_with_all = ["who_holds", "cycles", "duplicates", "private_heap", "json"])]
    diff: Option<PathBuf>,
    /// Show the memory of Python's allocators that belongs to no object.
    #[arg(long, conflicts_with_all = ["who_holds", "cycles", "diff", "duplicates", "private_heap"])]
    loose: bool,
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
    let open = |capture: &Path| -> Result<(Program, Snapshot)> {
        Ok((terminal::load(capture)?, Snapshot::read(capture, follow)?))
    };
    let (program, snapshot) = open(&args.capture)?;
    let heap = Heap::new(&snapshot, &program);
    let look = terminal::stdout_look();
    let text = match &args.who_holds {
        Some(what) => {
            let targets = find(heap.graph(), what)?;
            heap::who_holds(&heap, &targets, what, &look, args.limit)
        }
        None if args.diff.is_some() => {
            let (program, snapshot) = open(args.diff.as_deref().unwrap_or(&args.capture))?;
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
