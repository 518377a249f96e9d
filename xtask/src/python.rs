//! The Python interpreters of this machine.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// The minor versions of CPython 3 that are supported, oldest first.
pub(crate) const SUPPORTED_MINORS: std::ops::RangeInclusive<u32> = 9..=13;

/// A CPython that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Python {
    /// `(major, minor, micro)`.
    pub(crate) version: (u32, u32, u32),
    /// `sys.executable`: the interpreter itself, not a shim in front of it.
    pub(crate) executable: PathBuf,
}

impl Python {
    /// Asks a candidate what it is. `None` if it does not run or is not CPython.
    pub(crate) fn ask(candidate: &OsStr) -> Option<Self> {
        let question = "import sys; print(sys.implementation.name, *sys.version_info[:3], sys.executable)";
        let output = Command::new(candidate)
            .args(["-c", question])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Self::from_answer(std::str::from_utf8(&output.stdout).ok()?)
    }

    fn from_answer(answer: &str) -> Option<Self> {
        let mut words = answer.trim_end().splitn(5, ' ');
        let implementation = words.next()?;
        let mut number = || words.next()?.parse().ok();
        let version = (number()?, number()?, number()?);
        let executable = PathBuf::from(words.next()?);
        (implementation == "cpython").then_some(Python { version, executable })
    }

    /// Whether memsight records this version.
    pub(crate) fn is_supported(&self) -> bool {
        self.version.0 == 3 && SUPPORTED_MINORS.contains(&self.version.1)
    }

    /// `3.11.7`.
    pub(crate) fn version_text(&self) -> String {
        let (major, minor, micro) = self.version;
        format!("{major}.{minor}.{micro}")
    }
}

/// The Python that a command without `--python` takes: `python3` if it is a
/// supported CPython, else the newest supported one there is.
pub(crate) fn preferred() -> Result<Python> {
    if let Some(python) = Python::ask("python3".as_ref()).filter(Python::is_supported) {
        return Ok(python);
    }
    match all_supported().pop() {
        Some(python) => Ok(python),
        None => bail!("no CPython of version 3.9 to 3.13 found on PATH or under pyenv; install one"),
    }
}

/// Every supported CPython on PATH and under pyenv, oldest first, each once.
pub(crate) fn all_supported() -> Vec<Python> {
    let on_path = SUPPORTED_MINORS.map(|minor| PathBuf::from(format!("python3.{minor}")));
    let candidates = std::iter::once("python3".into()).chain(on_path).chain(of_pyenv());
    let mut pythons: Vec<Python> = Vec::new();
    let mut seen = BTreeSet::new();
    for python in candidates.filter_map(|candidate| Python::ask(candidate.as_os_str())) {
        let file = python.executable.canonicalize().unwrap_or_else(|_| python.executable.clone());
        if python.is_supported() && seen.insert(file) {
            pythons.push(python);
        }
    }
    pythons.sort_by_key(|python| python.version);
    pythons
}

fn of_pyenv() -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    let folders = root.and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    let folders = folders.into_iter().flatten().flatten();
    let mut pythons: Vec<_> = folders.map(|folder| folder.path().join("bin/python3")).collect();
    pythons.sort();
    pythons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart_and_a_path_may_hold_spaces() {
        let python = Python::from_answer("cpython 3 12 1 /opt/my python/bin/python3\n").unwrap();
        assert_eq!(python.version, (3, 12, 1));
        assert_eq!(python.executable, Path::new("/opt/my python/bin/python3"));
        assert_eq!(python.version_text(), "3.12.1");
    }

    #[test]
    fn another_implementation_is_not_taken() {
        assert_eq!(Python::from_answer("pypy 3 10 14 /opt/pypy"), None);
    }

    #[test]
    fn a_version_outside_the_range_is_not_supported() {
        let python = |minor| Python { version: (3, minor, 0), executable: PathBuf::new() };
        assert!(!python(8).is_supported());
        assert!(python(9).is_supported());
        assert!(python(13).is_supported());
        assert!(!python(14).is_supported());
    }
}
