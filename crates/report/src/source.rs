//! Source lines as they are on disk, where they still are what ran.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use memsight_insight::{Program, Site};

use crate::look::printable;

/// Files longer than this are not read for a line of theirs.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Reads source lines, each file once.
pub(crate) struct Sources {
    cwd: PathBuf,
    recorded: SystemTime,
    files: RefCell<HashMap<String, Option<Vec<String>>>>,
}

impl Sources {
    pub(crate) fn of(program: &Program) -> Self {
        let started = Duration::from_nanos(program.started_unix_ns());
        Sources {
            cwd: program.first().recording.whereabouts.cwd.clone(),
            recorded: SystemTime::UNIX_EPOCH.checked_add(started).unwrap_or(SystemTime::UNIX_EPOCH),
            files: RefCell::default(),
        }
    }

    /// The line of a site without its indentation; empty where it can't be
    /// read, or was changed after the program began.
    pub(crate) fn line(&self, site: &Site) -> String {
        if site.line == 0 || site.file.starts_with('<') {
            return String::new();
        }
        let mut files = self.files.borrow_mut();
        let lines = files.entry(site.file.to_string()).or_insert_with(|| self.read(&site.file));
        let line = lines.as_ref().and_then(|lines| lines.get(site.line as usize - 1));
        line.map(|line| printable(line.trim())).unwrap_or_default()
    }

    fn read(&self, file: &str) -> Option<Vec<String>> {
        let path = self.cwd.join(Path::new(file));
        let metadata = std::fs::metadata(&path).ok()?;
        let unchanged = metadata.modified().ok()? <= self.recorded;
        if !unchanged || !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
            return None;
        }
        let bytes = std::fs::read(&path).ok()?;
        Some(String::from_utf8_lossy(&bytes).lines().map(String::from).collect())
    }
}
