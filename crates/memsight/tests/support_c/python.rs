//! The Pythons of this machine.

use std::path::PathBuf;

/// An interpreter of pyenv, if it is installed.
pub(crate) fn pyenv(minor: &str) -> Option<PathBuf> {
    let versions = std::path::Path::new(&std::env::var_os("HOME")?).join(".pyenv/versions");
    let mut found: Vec<PathBuf> = std::fs::read_dir(versions)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{minor}.")))
        .map(|entry| entry.path().join("bin/python"))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop()
}

/// Every interpreter that is recorded; `python3` alone where there is no pyenv.
pub(crate) fn all() -> Vec<PathBuf> {
    let found: Vec<PathBuf> = ["3.9", "3.10", "3.11", "3.12", "3.13"].into_iter().filter_map(pyenv).collect();
    if found.is_empty() { vec!["python3".into()] } else { found }
}
