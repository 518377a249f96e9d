//! Which files are checked: those named, and those of Python under the folders named.

use std::os::unix::fs::FileTypeExt;
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
            let kind = metadata.file_type();
            if kind.is_char_device() || kind.is_block_device() || kind.is_socket() {
                return Err(problem("is a device or a socket, not a file".into()));
            }
            found.push(path.clone());
            continue;
        }
        let mut walk = WalkBuilder::new(path);
        walk.hidden(false).require_git(false).sort_by_file_name(Ord::cmp);
        if let Some(config) = config.filter(|config| !config.exclude.is_empty()) {
            let mut patterns = OverrideBuilder::new(&config.folder);
            for pattern in &config.exclude {
                patterns.add(&format!("!{pattern}")).map_err(|error| problem(error.to_string()))?;
            }
            walk.overrides(patterns.build().map_err(|error| problem(error.to_string()))?);
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
                // As other tools name them, which some match with what they know.
                let path = entry.into_path();
                found.push(path.strip_prefix(".").map(Path::to_owned).unwrap_or(path));
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

/// Whether a text is a pattern; if not, why.
pub(crate) fn is_pattern(text: &str) -> Result<(), String> {
    OverrideBuilder::new("").add(text).map(|_| ()).map_err(|error| error.to_string())
}

/// Whether a path, seen from a folder, matches a pattern such as `tests/*`.
pub(crate) fn matches(pattern: &str, folder: &Path, path: &Path) -> bool {
    let mut patterns = OverrideBuilder::new(folder);
    let built = patterns.add(pattern).and_then(|patterns| patterns.build());
    built.is_ok_and(|patterns| patterns.matched(path, false).is_whitelist())
}
