//! `cargo xtask demo`: memsight on two programs that come with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::python::{self, Python};
use crate::workspace::{ReleaseBuild, Workspace, root};

const EXAMPLES: [(&str, &str); 2] = [
    ("index_stdlib", "reads this Python's standard library, tokenises it and builds an index"),
    ("five_practices", "five habits that cost memory, each in a small task"),
];

/// Records each example and prints its report. Fails if one of them did.
pub(crate) fn run() -> Result<bool> {
    let workspace = Workspace::load()?;
    let python = python::preferred()?;
    let build = workspace.build_release()?;
    let folder = workspace.target_directory.join("demo");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut captures = Vec::new();
    for (name, what) in EXAMPLES {
        println!("\n=== {name}.py on CPython {}: {what}\n", python.version_text());
        captures.push(record_and_report(&build, &python, &folder, name)?);
    }
    println!("\n=== The captures; `memsight report CAPTURE` reads them again\n");
    for capture in captures {
        let bytes = std::fs::metadata(&capture).map_or(0, |file| file.len());
        println!("  {}  ({} kB)", capture.display(), bytes.div_ceil(1000));
    }
    println!("  memsight is {}", build.memsight.display());
    Ok(true)
}

fn record_and_report(build: &ReleaseBuild, python: &Python, folder: &Path, name: &str) -> Result<PathBuf> {
    let script = root().join("examples").join(name).with_extension("py");
    let capture = folder.join(name).with_extension("msight");
    // memsight never overwrites a capture by itself.
    let _ = std::fs::remove_file(&capture);
    let mut record = Command::new(&build.memsight);
    record.args(["run", "--python"]).arg(&python.executable).arg("-o").arg(&capture).arg("--").arg(script);
    must_succeed(record)?;
    println!("\n--- memsight report {name}.msight -n 10\n");
    let mut report = Command::new(&build.memsight);
    report.arg("report").arg(&capture).args(["-n", "10"]);
    must_succeed(report)?;
    Ok(capture)
}

fn must_succeed(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{status} from {command:?}");
    }
    Ok(())
}
