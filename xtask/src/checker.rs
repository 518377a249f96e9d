//! `cargo xtask checker`: the checker tried on other people's code and on random programs. Not part of
//! `test`, since it takes minutes and most of it brings in packages from PyPI.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::bench::venv;
use crate::python;
use crate::workspace::{Workspace, root};

/// Options of `cargo xtask checker`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Apply all safe fixes to packages of PyPI and run their own tests
    Safety {
        /// Only these packages
        packages: Vec<String>,
    },
    /// Draw findings at random, for a person to read and judge
    Sample {
        /// Where the drawing begins; the list that is kept was drawn with the number here
        #[arg(long, value_name = "N", default_value_t = 4)]
        seed: u64,
    },
    /// Run random programs before and after their safe fixes, on every CPython there is
    Differ {
        /// Which programs: those of this number and the ones after it
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 25)]
        programs: u64,
    },
    /// Time it beside ruff on the standard library
    Speed,
}

/// Runs one of the scripts of `bench/checker`.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let workspace = Workspace::load()?;
    let memsight = workspace.build_release()?.memsight;
    let base = python::preferred()?;
    let folder = workspace.target_directory.join("checker");
    let script = |name: &str| {
        let mut command = Command::new(&base.executable);
        command.arg(root().join("bench/checker").join(name)).arg(&memsight);
        command
    };
    match &options.what {
        What::Safety { packages } => succeeds(script("safety.py").arg(&folder).args(packages)),
        What::Sample { seed } => {
            succeeds(script("sample.py").arg(&folder).args(["--seed", &seed.to_string()]))
        }
        What::Differ { seed, programs } => {
            let mut command = script("differ.py");
            command.args(["--seed", &seed.to_string(), "--programs", &programs.to_string()]);
            for python in python::all_supported() {
                command.arg("--python").arg(python.executable);
            }
            succeeds(&mut command)
        }
        What::Speed => {
            let python = venv::ready(&workspace.target_directory.join("bench"), &base)?;
            let ruff = python.parent().unwrap_or(Path::new("")).join("ruff");
            succeeds(script("speed.py").arg(ruff))
        }
    }
}

fn succeeds(command: &mut Command) -> Result<bool> {
    Ok(command.status().with_context(|| format!("cannot run {command:?}"))?.success())
}
