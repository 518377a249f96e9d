//! `cargo xtask suite`: modules of CPython's own tests, plain and recorded, test by test.
//!
//! A program must behave under memsight as it does without. CPython's tests
//! look at much that a recorder could disturb: reference counts, collections,
//! threads, file descriptors, children, signals. Not part of `test`, since
//! some of them take minutes and a few are unsteady by themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::python::{self, Python};
use crate::workspace::{ReleaseBuild, Workspace, root};

/// The modules that are run where none are named.
const MODULES: &[&str] = &[
    "test_gc",
    "test_threading",
    "test_generators",
    "test_coroutines",
    "test_subprocess",
    "test_os",
    "test_mmap",
    "test_json",
];

/// Options of `cargo xtask suite`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only these modules
    #[arg(value_name = "MODULE")]
    modules: Vec<String>,
    /// Run with this Python only [default: all supported ones]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

/// How each test ended, by its name.
type Outcomes = BTreeMap<String, String>;

/// Runs the modules. Fails if a test ended otherwise recorded than plain.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let workspace = Workspace::load()?;
    let build = workspace.build_release()?;
    let folder = workspace.target_directory.join("suite");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let pythons = match &options.python {
        None => python::all_supported(),
        Some(path) => match Python::ask(path.as_os_str()) {
            Some(python) => vec![python],
            None => bail!("{}: not a CPython that can be run", path.display()),
        },
    };
    let modules: Vec<&str> = match options.modules.is_empty() {
        true => MODULES.to_vec(),
        false => options.modules.iter().map(String::as_str).collect(),
    };
    let mut same = true;
    for python in &pythons {
        for module in &modules {
            same &= compare(&build, python, module, &folder)?;
        }
    }
    Ok(same)
}

fn compare(build: &ReleaseBuild, python: &Python, module: &str, folder: &Path) -> Result<bool> {
    let name = format!("{} {module}", python.version_text());
    let mut plain = outcomes(build, python, module, folder, false)?;
    let mut recorded = outcomes(build, python, module, folder, true)?;
    let mut differing = differences(&plain, &recorded);
    if !differing.is_empty() {
        // Once more: a test that is unsteady by itself differs between plain runs too.
        let again = [false, true].map(|record| outcomes(build, python, module, folder, record));
        let [plain_again, recorded_again] = again;
        plain.extend(plain_again?.into_iter().filter(|(test, _)| differing.contains(test)));
        recorded.extend(recorded_again?.into_iter().filter(|(test, _)| differing.contains(test)));
        differing = differences(&plain, &recorded);
    }
    let passed = recorded.values().filter(|outcome| *outcome == "ok").count();
    let verdict = if differing.is_empty() { "the same" } else { "DIFFERENT" };
    println!("{name:<26} {:>4} tests, {passed:>4} ok recorded: {verdict}", plain.len());
    for test in &differing {
        let [was, is] = [&plain, &recorded].map(|of| of.get(test).map_or("not run", String::as_str));
        println!("    {test}: plain {was}, recorded {is}");
    }
    Ok(differing.is_empty() && !plain.is_empty())
}

fn differences(plain: &Outcomes, recorded: &Outcomes) -> Vec<String> {
    let all = plain.keys().chain(recorded.keys().filter(|test| !plain.contains_key(*test)));
    all.filter(|test| plain.get(*test) != recorded.get(*test)).cloned().collect()
}

fn outcomes(
    build: &ReleaseBuild,
    python: &Python,
    module: &str,
    folder: &Path,
    record: bool,
) -> Result<Outcomes> {
    let written = folder.join("outcomes.json");
    let _ = std::fs::remove_file(&written);
    let mut command = match record {
        false => Command::new(&python.executable),
        true => {
            let mut command = Command::new(&build.memsight);
            command.args(["run", "-q", "-o"]).arg(folder.join("suite.msight")).arg("--force").arg("--");
            command.arg(&python.executable);
            command
        }
    };
    command.arg(root().join("xtask/src/suite/outcomes.py")).arg(module).arg(&written);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    let text = std::fs::read_to_string(&written)
        .with_context(|| format!("{module} came to no end ({status}): {command:?}"))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what was expected", written.display()))
}
