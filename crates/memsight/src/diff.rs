//! `memsight diff`: what changed between two captures.

use std::path::PathBuf;

use anyhow::{Result, bail};
use memsight_insight::{diff, same_track};
use memsight_report::{diff_json, text};

use crate::exit::Exit;
use crate::terminal::{self, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The earlier capture.
    before: PathBuf,
    /// The later capture.
    after: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Exit with 1 if the peak rose by more than this.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_on_increase: Option<f64>,
    /// Show the N largest changes [default: those that matter].
    #[arg(short = 'n', value_name = "N")]
    limit: Option<usize>,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if percent >= 0.0 && percent.is_finite() => Ok(percent),
        _ => Err("write a number of percent, for example 5".into()),
    }
}

/// Prints the difference.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    let before = terminal::load(&args.before)?;
    let after = terminal::load(&args.after)?;
    let changes = diff(&before, &after);
    let text = if args.json {
        diff_json(&changes)? + "\n"
    } else {
        text::diff(&before, &after, &changes, &terminal::stdout_look(), args.limit)
    };
    terminal::print(&text)?;
    let Some(limit) = args.fail_on_increase else { return Ok(Exit::Fine) };
    for (capture, program) in [(&args.before, &before), (&args.after, &after)] {
        if !program.complete() {
            bail!("{}: is incomplete, so whether the peak rose cannot be told", capture.display());
        }
    }
    if !same_track(&before, &after) {
        bail!("the captures were recorded with different --track, so whether the peak rose cannot be told");
    }
    match changes.peak_increase_percent() {
        Some(rose) if rose > limit => {
            say(&format!("memsight: the peak rose by {rose:.1}%, more than the {limit}% allowed"));
            Ok(Exit::Exceeded)
        }
        _ => Ok(Exit::Fine),
    }
}
