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

/// Records each example and prints its report, and mends what the second one wastes. Fails if one of
/// them did.
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
    check_and_prove(&build, &python, &folder)?;
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
    must_succeed(&mut record)?;
    println!("\n--- memsight report {name}.msight -n 10\n");
    let mut report = Command::new(&build.memsight);
    report.arg("report").arg(&capture).args(["-n", "10"]);
    must_succeed(&mut report)?;
    Ok(capture)
}

/// Finds what the second example wastes, and mends a copy of it by what is measured to be worth it.
fn check_and_prove(build: &ReleaseBuild, python: &Python, folder: &Path) -> Result<()> {
    let wasteful = folder.join("practices");
    std::fs::create_dir_all(&wasteful).with_context(|| format!("cannot make {}", wasteful.display()))?;
    let script = "five_practices.py";
    let original = root().join("examples").join(script);
    println!("\n--- memsight check --capture five_practices.msight {script}\n");
    let mut check = Command::new(&build.memsight);
    check.args(["check", "--exit-zero", "--capture"]).arg(folder.join("five_practices.msight"));
    must_succeed(check.arg(&original).current_dir(folder))?;
    std::fs::copy(&original, wasteful.join(script)).with_context(|| format!("cannot copy {script}"))?;
    println!("\n--- memsight prove --fix -- python3 {script}, on a copy in {}\n", wasteful.display());
    let mut prove = Command::new(&build.memsight);
    prove.args(["prove", "--fix", "--"]).arg(&python.executable).arg(script).current_dir(&wasteful);
    must_succeed(&mut prove)
}

fn must_succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{status} from {command:?}");
    }
    Ok(())
}
