//! `cargo xtask bench`: what recording costs, beside memray, on the same programs.
//!
//! Every workload is run plain and under each tool in turn, for some rounds, so
//! that a slow moment of the machine falls on all of them. A cost is the ratio
//! to the plain run of the same round. Not part of `test`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::python::{self, Python};
use crate::workspace::Workspace;

mod agree;
mod machine;
mod measure;
mod results;
mod table;
mod tables;
mod tools;
pub(crate) mod venv;
mod workloads;

use tools::{Bench, Tool};
use workloads::{WORKLOADS, Workload};

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct Options {
    /// How many times each workload is run with each tool
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Run only workloads whose name begins so; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Run only these tools (and the plain program)
    #[arg(long, value_enum, value_delimiter = ',', value_name = "TOOLS")]
    tools: Vec<Tool>,
    /// The Python to measure with [default: python3, or the newest supported]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Compare totals with memray's instead of measuring time
    #[arg(long)]
    agree: bool,
    /// Write every measured figure to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables to FILE as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Runs the benchmark. Fails if a program under any tool did.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let workspace = Workspace::load()?;
    let base = chosen_python(options.python.as_deref())?;
    let workloads = chosen_workloads(&options.only)?;
    let tools =
        if options.agree { vec![Tool::Objects, Tool::MemrayPython] } else { chosen_tools(&options.tools) };
    let memsight = if tools.iter().any(|tool| tool.is_memsight()) {
        Some(workspace.build_release()?.memsight)
    } else {
        None
    };
    let folder = workspace.target_directory.join("bench");
    let python = venv::ready(&folder, &base)?;
    let bench = Bench::new(folder, python, memsight)?;
    if options.agree {
        return agree::run(&bench, &workloads, options.markdown.as_deref());
    }
    let results = measure::all(&bench, &base, &workloads, &tools, options.rounds)?;
    for table in tables::all(&results) {
        println!("{}", table.to_text());
    }
    println!("{}", results.setting.sentence());
    if let Some(path) = &options.markdown {
        let tables: Vec<_> = tables::all(&results).iter().map(table::Table::to_markdown).collect();
        write(path, &format!("{}\n{}\n", tables.join("\n"), results.setting.sentence()))?;
    }
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&results).context("cannot write results as JSON")?;
        write(path, &(json + "\n"))?;
    }
    for failure in &results.failures {
        eprintln!("failed: {failure}");
    }
    Ok(results.failures.is_empty())
}

fn chosen_python(path: Option<&Path>) -> Result<Python> {
    let Some(path) = path else { return python::preferred() };
    match Python::ask(path.as_os_str()) {
        Some(python) if python.is_supported() => Ok(python),
        Some(python) => {
            bail!("{}: CPython {} is not supported, 3.9 to 3.13 are", path.display(), python.version_text())
        }
        None => bail!("{}: not a CPython that can be run", path.display()),
    }
}

fn chosen_workloads(only: &[String]) -> Result<Vec<&'static Workload>> {
    let is_chosen = |name: &str| only.is_empty() || only.iter().any(|start| name.starts_with(start.as_str()));
    let chosen: Vec<_> = WORKLOADS.iter().filter(|workload| is_chosen(workload.name)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = WORKLOADS.iter().map(|workload| workload.name).collect();
        bail!("no workload is called {}; there are {}", only.join(" or "), names.join(", "));
    }
    Ok(chosen)
}

/// The tools to run: the plain program is always first, since ratios are to it.
fn chosen_tools(only: &[Tool]) -> Vec<Tool> {
    let is_chosen = |tool: &Tool| *tool == Tool::Plain || only.is_empty() || only.contains(tool);
    Tool::ALL.into_iter().filter(is_chosen).collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
