//! `cargo xtask arch`: the rules of the layout, checked.
//!
//! The tables here are the rules; [`dependencies`] and [`sources`] judge by
//! them. A new crate, a longer file or a new place for `unsafe` needs a line in
//! a table, with its reason, and so a reviewer's eye.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::{Workspace, root};

mod dependencies;
mod sources;

/// Which crates of the workspace a crate may name as its dependency.
///
/// `capture ← recorder ← preload` and `capture ← insight, heap ← report ← memsight`.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("memsight-capture", &[]),
    ("memsight-recorder", &["memsight-capture"]),
    ("memsight-preload", &["memsight-recorder", "memsight-capture"]),
    ("memsight-insight", &["memsight-capture"]),
    ("memsight-heap", &["memsight-capture"]),
    ("memsight-report", &["memsight-insight", "memsight-heap", "memsight-capture"]),
    ("memsight-check", &[]),
    ("memsight-picture", &["memsight-capture"]),
    (
        "memsight",
        &[
            "memsight-check",
            "memsight-picture",
            "memsight-report",
            "memsight-insight",
            "memsight-heap",
            "memsight-capture",
        ],
    ),
    ("xtask", &[]),
];

/// What must not be reached over any number of steps, whatever the table above
/// comes to say: a crate, and the crates it must never pull in.
const NEVER_REACHES: &[(&str, &[&str])] = &[
    ("memsight-preload", &["memsight-insight", "memsight-heap", "memsight-report", "memsight"]),
    (
        "memsight-recorder",
        &["memsight-preload", "memsight-insight", "memsight-heap", "memsight-report", "memsight"],
    ),
    ("memsight", &["memsight-preload", "memsight-recorder"]),
];

/// Where `unsafe` may stand: a crate's folder or one file, and why.
const UNSAFE_PLACES: &[(&str, &str)] = &[
    ("crates/recorder/", "shadow memory and maps of its own"),
    ("crates/preload/", "stands in for malloc and reads CPython's structures"),
    ("crates/memsight/src/sys.rs", "passing signals on and waiting for the program have no safe form"),
    ("xtask/src/os.rs", "wait4 and prctl have no safe form"),
];

/// The most lines that a file may have.
const MAX_LINES: usize = 600;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[
    ("crates/capture/src/record.rs", "a table: every record beside its encoder and decoder"),
    ("crates/preload/src/python/layout.rs", "a table: the offsets of five CPython versions"),
];

/// Prints every breach of the rules; `true` if there was none.
pub(crate) fn run() -> Result<bool> {
    let workspace = Workspace::load()?;
    let mut breaches = dependencies::breaches(&workspace.packages, MAY_DEPEND_ON, NEVER_REACHES);
    let places: Vec<&str> = UNSAFE_PLACES.iter().map(|(place, _)| *place).collect();
    for package in &workspace.packages {
        breaches.extend(root_file_breaches(package, &places)?);
    }
    let files = source_files(&workspace)?;
    for (path, text) in &files {
        breaches.extend(sources::unsafe_breach(path, text, &places));
        breaches.extend(sources::length_breach(path, text, MAX_LINES, LONG_FILES));
    }
    breaches.extend(sources::needless_exceptions(&files, MAX_LINES, LONG_FILES));
    for breach in &breaches {
        println!("  {breach}");
    }
    match breaches.len() {
        0 => println!("arch: {} crates and {} files keep the rules", workspace.packages.len(), files.len()),
        count => {
            println!("arch: {count} against the rules; they and their exceptions stand in xtask/src/arch.rs")
        }
    }
    Ok(breaches.is_empty())
}

fn root_file_breaches(package: &crate::workspace::Package, places: &[&str]) -> Result<Vec<String>> {
    let folder = package.manifest_path.parent().map_or_else(String::new, relative);
    let shipped = package.targets.iter().filter(|target| {
        target.kind.iter().any(|kind| matches!(kind.as_str(), "lib" | "rlib" | "cdylib" | "bin"))
    });
    let mut breaches = Vec::new();
    for target in shipped {
        let text = read(&target.src_path)?;
        breaches.extend(sources::root_breach(&relative(&target.src_path), &text, &folder, places));
    }
    Ok(breaches)
}

/// Every Rust and C file of the workspace's packages: its path from the root, and its text.
fn source_files(workspace: &Workspace) -> Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    for package in &workspace.packages {
        if let Some(folder) = package.manifest_path.parent() {
            collect_sources(folder, &mut paths)?;
        }
    }
    paths.sort();
    paths.iter().map(|path| Ok((relative(path), read(path)?))).collect()
}

fn collect_sources(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        let is_source = path.extension().is_some_and(|extension| extension == "rs" || extension == "c");
        if path.is_dir() {
            collect_sources(&path, paths)?;
        } else if is_source {
            paths.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
