//! `cargo xtask heap`: a snapshot of the object graph beside what objgraph, guppy3 and
//! pympler need. Not part of `test`, since it takes minutes and brings these in from PyPI.

use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::python;
use crate::workspace::{Workspace, root};

/// Options of `cargo xtask heap`.
#[derive(Args)]
pub(crate) struct Options {
    /// How many objects
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    objects: u64,
    /// How often each tool is measured, in turn with the others
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: u32,
    /// Leave the other tools out
    #[arg(long)]
    alone: bool,
}

/// Runs the script of `bench/heap`.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let workspace = Workspace::load()?;
    let memsight = workspace.build_release()?.memsight;
    let mut command = Command::new(&python::preferred()?.executable);
    command.arg(root().join("bench/heap/speed.py")).arg(&memsight);
    command.arg(workspace.target_directory.join("heap"));
    command.args(["--objects", &options.objects.to_string(), "--rounds", &options.rounds.to_string()]);
    command.args(options.alone.then_some("--alone"));
    Ok(command.status().with_context(|| format!("cannot run {command:?}"))?.success())
}
