//! Which files are checked: those named, and those of Python under the folders named.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use ignore::overrides::OverrideBuilder;

use crate::config::Config;
use crate::source::Problem;

/// Folders that hold other people's code or none, left out unless they are named.
const LEFT_OUT: &[&str] = &[
    "node_modules",
    "__pycache__",
    "__pypackages__",
    "site-packages",
    "venv",
    ".venv",
    "build",
    "dist",
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".nox",
    ".eggs",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".ipynb_checkpoints",
];

/// The files of some paths, in order, each once. What `.gitignore` leaves out is left out, but for
/// files that are named themselves.
pub(crate) fn files(paths: &[PathBuf], config: Option<&Config>) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    for path in paths {
        let problem = |reason: String| Problem { path: path.clone(), line: None, reason };
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => problem("no such file or folder".into()),
            _ => problem(error.to_string()),
        })?;
        if !metadata.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut walk = WalkBuilder::new(path);
        walk.hidden(false).require_git(false).sort_by_file_name(Ord::cmp);
        if let Some(config) = config.filter(|config| !config.exclude.is_empty()) {
            let mut patterns = OverrideBuilder::new(&config.folder);
            for pattern in &config.exclude {
                patterns.add(&format!("!{pattern}")).map_err(|error| problem(format!("exclude: {error}")))?;
            }
            walk.overrides(patterns.build().map_err(|error| problem(format!("exclude: {error}")))?);
        }
        let root = path.clone();
        walk.filter_entry(move |entry| {
            let name = entry.file_name().to_str().unwrap_or_default();
            entry.path() == root
                || !(LEFT_OUT.contains(&name) && entry.file_type().is_some_and(|kind| kind.is_dir()))
        });
        for entry in walk.build() {
            // A folder that may not be read has nothing to check.
            let Ok(entry) = entry else { continue };
            if entry.file_type().is_some_and(|kind| kind.is_file()) && is_python(entry.path()) {
                found.push(entry.into_path());
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

/// Whether a name is a Python source's or a notebook's. A stub is run by nobody.
fn is_python(path: &Path) -> bool {
    matches!(path.extension().and_then(|extension| extension.to_str()), Some("py" | "pyw" | "ipynb"))
}

/// Whether a path, seen from a folder, matches a pattern such as `tests/*`.
pub(crate) fn matches(pattern: &str, folder: &Path, path: &Path) -> bool {
    let mut patterns = OverrideBuilder::new(folder);
    let built = patterns.add(pattern).and_then(|patterns| patterns.build());
    built.is_ok_and(|patterns| patterns.matched(path, false).is_whitelist())
}
