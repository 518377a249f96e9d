//! Which Python runs scripts, modules and code.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::elf::{self, Kind};
use super::program::on_path;

/// The oldest minor version of Python 3 whose stacks can be read.
const OLDEST_MINOR: u32 = 9;

/// The interpreter: `--python`, else that of the active virtual environment, else `python3`.
pub(super) fn interpreter(asked_for: Option<&Path>) -> Result<PathBuf> {
    let found = match asked_for {
        Some(path) => on_path(path.as_os_str()).context("--python")?,
        None => match in_virtual_environment() {
            Some(path) => path,
            None => on_path(OsStr::new("python3")).context("no Python; name one with --python PATH")?,
        },
    };
    let real = if is_shim(&found) { behind_shim(&found)? } else { found };
    refuse_old(&real)?;
    Ok(real)
}

fn in_virtual_environment() -> Option<PathBuf> {
    let environment = std::env::var_os("VIRTUAL_ENV").filter(|path| !path.is_empty())?;
    let path = Path::new(&environment).join("bin/python");
    path.exists().then_some(path)
}

/// Whether a file is a stand-in for Python, like the shell scripts of pyenv.
pub(super) fn is_shim(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| elf::kind_of(&file) == Kind::NotElf)
}

/// Asks a shim which Python it stands for. This one run is not recorded.
pub(super) fn behind_shim(shim: &Path) -> Result<PathBuf> {
    let asked = Command::new(shim)
        .args(["-I", "-S", "-c", "import sys; print(sys.executable)"])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{}: cannot be run", shim.display()))?;
    let said = String::from_utf8_lossy(&asked.stdout);
    let path = Path::new(said.trim());
    if !asked.status.success() || !path.is_absolute() {
        bail!(
            "{}: is no Python that can be run: {}",
            shim.display(),
            String::from_utf8_lossy(&asked.stderr).trim()
        );
    }
    Ok(path.into())
}

/// Refuses an interpreter that says by its name that it is too old, or is another one.
fn refuse_old(interpreter: &Path) -> Result<()> {
    let real = std::fs::canonicalize(interpreter).unwrap_or_else(|_| interpreter.into());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name.starts_with("pypy") {
        bail!("{}: is PyPy; memsight records CPython 3.{OLDEST_MINOR} and newer", interpreter.display());
    }
    if let Some((major, minor)) = version_in(&name)
        && (major < 3 || minor < OLDEST_MINOR)
    {
        bail!(
            "{}: is Python {major}.{minor}; memsight records CPython 3.{OLDEST_MINOR} and newer, \
             choose one with --python PATH",
            interpreter.display()
        );
    }
    Ok(())
}

/// The version in `python3.8`, `python2.7`.
fn version_in(name: &str) -> Option<(u32, u32)> {
    let (major, minor) = name.strip_prefix("python")?.split_once('.')?;
    let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn a_name_says_its_version() {
        assert_eq!(version_in("python3.8"), Some((3, 8)));
        assert_eq!(version_in("python3.13t"), Some((3, 13)));
        assert_eq!(version_in("python2.7"), Some((2, 7)));
        assert_eq!(version_in("python3"), None);
        assert_eq!(version_in("ruby3.1"), None);
    }
}
