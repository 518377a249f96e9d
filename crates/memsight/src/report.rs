//! `memsight report`: answers questions about a capture.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;
use memsight_heap::{Follow, Snapshot};
use memsight_insight::{By, Moment, Program};
use memsight_report::heap_leaks::HeldBySite;
use memsight_report::text::{self, Outcome};
use memsight_report::{json, view::View};

use crate::exit::Exit;
use crate::{terminal, when};

/// How a table is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Grouping {
    Site,
    Function,
    File,
    Module,
    Type,
    Thread,
    Process,
}

impl From<Grouping> for By {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Site => By::Site,
            Grouping::Function => By::Function,
            Grouping::File => By::File,
            Grouping::Module => By::Module,
            Grouping::Type => By::Type,
            Grouping::Thread => By::Thread,
            Grouping::Process => By::Process,
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The capture; those of child processes are found beside it.
    capture: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Write a page of HTML (not in this version).
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show the call tree.
    #[arg(long, conflicts_with_all = ["by", "leaks", "temporary", "json"])]
    tree: bool,
    /// Look at this moment: peak, end, seconds (3.5), or what was allocated in a window and lived on (2..3.5).
    #[arg(long, value_name = "MOMENT", value_parser = when::parse, conflicts_with_all = ["leaks", "temporary"])]
    at: Option<Moment>,
    /// Group by.
    #[arg(long, value_enum, conflicts_with_all = ["leaks", "temporary"])]
    by: Option<Grouping>,
    /// Show what is still live at the end, apart from what importing left.
    #[arg(long, conflicts_with = "temporary")]
    leaks: bool,
    /// Show allocations that were freed before their thread allocated again.
    #[arg(long)]
    temporary: bool,
    /// Show the N largest [default: those that matter, with --json all].
    #[arg(short = 'n', value_name = "N")]
    limit: Option<usize>,
}

/// Prints the report.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    if args.html.is_some() {
        bail!("--html: HTML pages come with a later version; leave the flag out, or use --json");
    }
    let by_type = args.by == Some(Grouping::Type);
    if by_type && args.at.is_some_and(|moment| moment != Moment::End) {
        bail!("--by type: types are only known of what is live at the end; add --at end");
    }
    let program = terminal::load(&args.capture)?;
    let text = if args.json { as_json(args, &program)? } else { as_text(args, &program)? };
    terminal::print(&text)?;
    Ok(Exit::Fine)
}

fn as_text(args: &Args, program: &Program) -> Result<String> {
    let look = terminal::stdout_look();
    let limit = args.limit;
    let moment = args.at.unwrap_or_default();
    if args.tree {
        return Ok(text::tree(program, moment, &look, limit)?);
    }
    if args.leaks {
        let snapshot = snapshot(args, program)?;
        let held = snapshot.as_ref().map(|snapshot| HeldBySite::new(snapshot, program));
        return Ok(text::leaks(program, held.as_ref(), &look, limit));
    }
    if args.temporary {
        return Ok(text::temporary(program, &look, limit));
    }
    if args.at.is_some() || args.by.is_some() {
        let by = args.by.map(By::from).unwrap_or_default();
        return Ok(text::view(program, moment, by, &look, limit)?);
    }
    Ok(text::report(program, &look, limit))
}

/// The object graph, if the capture holds one.
fn snapshot(args: &Args, program: &Program) -> Result<Option<Snapshot>> {
    let has_objects = !program.first().recording.snapshots.is_empty();
    Ok(has_objects.then(|| Snapshot::read(&args.capture, Follow::Usual)).transpose()?)
}

fn as_json(args: &Args, program: &Program) -> Result<String> {
    let view = if args.leaks {
        let snapshot = snapshot(args, program)?;
        let held = snapshot.as_ref().map(|snapshot| HeldBySite::new(snapshot, program));
        Some(View::leaks(program, held.as_ref(), args.limit))
    } else if args.temporary {
        Some(View::temporary(program, args.limit)?)
    } else if args.at.is_some() || args.by.is_some() {
        let by = args.by.map(By::from).unwrap_or_default();
        Some(View::at(program, args.at.unwrap_or_default(), by, args.limit)?)
    } else {
        None
    };
    Ok(json::report(program, Outcome::default(), args.limit, view)? + "\n")
}
