//! `cargo xtask web`: builds the page of `memsight view` from `web/`, for memsight to be
//! built with. Its tests run in Chromium, as a step of `cargo xtask test`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace::{Workspace, cargo, root};

/// Options of `cargo xtask web`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run the page's tests in Chromium, too
    #[arg(long)]
    test: bool,
}

/// What Vite asks for.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Where the tests look for a browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Builds the page and, if asked, tests it.
pub(crate) fn run(options: &Options) -> Result<bool> {
    if let Some(missing) = missing_node() {
        bail!("{missing}; the page of memsight view needs it to be built");
    }
    let page = build()?;
    eprintln!("{}: there; memsight is built with it from now on", page.display());
    if !options.test {
        return Ok(true);
    }
    if let Some(missing) = missing_browser() {
        bail!("{missing}; the page's tests need it");
    }
    test()
}

/// A step of `cargo xtask test`, to run before memsight is built: builds the page and tests it,
/// as far as what that needs is there, and says what was left out.
pub(crate) fn step() -> Result<(bool, String)> {
    if let Some(missing) = missing_node() {
        eprintln!("web: not built and not tested: {missing}");
        return Ok((true, format!("SKIPPED: {missing}; memsight is built without its page")));
    }
    build()?;
    if let Some(missing) = missing_browser() {
        eprintln!("web: built, but not tested: {missing}");
        return Ok((true, format!("built, tests SKIPPED: {missing}")));
    }
    Ok((test()?, "built and tested in Chromium".into()))
}

/// Builds the page with the versions of the lock file, and gives its path.
fn build() -> Result<PathBuf> {
    for arguments in [&["ci", "--prefer-offline"][..], &["run", "build"]] {
        if !npm(arguments)? {
            bail!("npm {} failed; its messages are above", arguments.join(" "));
        }
    }
    let page = folder().join("dist/view.html");
    if !page.is_file() {
        bail!("npm run build succeeded but did not make {}", page.display());
    }
    Ok(page)
}

/// Runs the page's tests, with the traces that memsight-picture makes.
fn test() -> Result<bool> {
    let example = ["build", "-p", "memsight-picture", "--example", "sample", "--features", "testing"];
    if !cargo().args(example).status().context("cannot run cargo")?.success() {
        bail!("cargo {} failed; its messages are above", example.join(" "));
    }
    let sample = Workspace::load()?.target_directory.join("debug/examples/sample");
    let status = command(&["test"]).env("MEMSIGHT_SAMPLE", sample).status();
    Ok(status.context("cannot run npm")?.success())
}

fn npm(arguments: &[&str]) -> Result<bool> {
    Ok(command(arguments).status().context("cannot run npm")?.success())
}

fn command(arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(folder()).stdin(Stdio::null());
    npm
}

fn folder() -> PathBuf {
    root().join("web")
}

/// What is missing to build the page, if anything is.
fn missing_node() -> Option<String> {
    let (major, minor) = OLDEST_NODE;
    let wanted = format!("Node {major}.{minor} or newer");
    let Some(node) = version("node") else { return Some(format!("no node here ({wanted})")) };
    if parsed(&node).is_none_or(|version| version < OLDEST_NODE) {
        return Some(format!("node is {node}, not {wanted}"));
    }
    version("npm").is_none().then(|| "no npm here".into())
}

fn missing_browser() -> Option<String> {
    let chromium = std::env::var_os("CHROMIUM").map_or_else(|| CHROMIUM.into(), PathBuf::from);
    (!Path::is_file(&chromium)).then(|| format!("no {} (apt-get install chromium)", chromium.display()))
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Major and minor of a version such as `v20.19.2`.
fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        assert_eq!(parsed("v20.19.2"), Some((20, 19)));
        assert!(parsed("v9.99.0") < Some(OLDEST_NODE));
        assert!(parsed("v100.0.0") > Some(OLDEST_NODE));
        assert_eq!(parsed("20"), None);
    }

    #[test]
    fn the_lock_file_names_no_place_to_download_from() {
        let lock = std::fs::read_to_string(folder().join("package-lock.json")).unwrap();
        assert!(!lock.contains("\"resolved\""), "web/.npmrc leaves them out: npm install once more");
        assert!(lock.contains("\"integrity\""));
    }
}
