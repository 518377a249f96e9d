//! `memsight export`: what a capture holds in another tool's format.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use memsight_heap::{Dominators, Follow, Reach, Snapshot};
use memsight_report::heapsnapshot;
use memsight_report::units::{bytes, count};

use crate::exit::Exit;
use crate::terminal;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The capture.
    capture: PathBuf,
    /// The format.
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// Write to this file.
    #[arg(short = 'o', value_name = "FILE")]
    output: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// The object graph of a run with --heap, for Chrome's developer tools (Memory, Load) and memlab.
    Heapsnapshot,
}

/// Writes the file.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    match args.to {
        Format::Heapsnapshot => heapsnapshot(args),
    }
}

fn heapsnapshot(args: &Args) -> Result<Exit> {
    let snapshot = Snapshot::read(&args.capture, Follow::Usual)?;
    let dominators = Dominators::of(&snapshot.graph, &Reach::of(&snapshot.graph));
    let unwritable = || format!("-o {}: cannot be written", args.output.display());
    let is = |path: &Path| path.canonicalize().ok();
    if is(&args.output).is_some_and(|output| is(&args.capture) == Some(output)) {
        bail!("-o {}: this is the capture itself; name another file", args.output.display());
    }
    let file = File::create(&args.output).with_context(unwritable)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let written = heapsnapshot::write(&snapshot.graph, &dominators, &mut out).with_context(unwritable)?;
    terminal::say(&format!(
        "{}: {} objects, {}, {} references",
        args.output.display(),
        count(written.objects),
        bytes(written.bytes),
        count(written.references)
    ));
    Ok(Exit::Fine)
}
