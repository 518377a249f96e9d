//! What a run left in the copy: the files that it wrote, changed or removed.
//!
//! A program's work is often a file and not what it prints, so these are compared as well. Left out
//! is what tools keep for themselves: hidden files, compiled ones, caches, captures.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memsight_report::units;

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// It is there, with this length and a digest of its content.
    Content(u64, u64),
    /// It is a link to there.
    Link(PathBuf),
    /// It was of the copy, and is gone.
    Gone,
}

impl Left {
    /// Of a file.
    pub(super) fn of(file: &Path) -> io::Result<Self> {
        let mut file = File::open(file)?;
        let (mut len, mut digest, mut piece) = (0, DefaultHasher::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(Left::Content(len, digest.finish())),
                Ok(read) => {
                    len += read as u64;
                    digest.write(&piece[..read]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What a run left, by paths from the folder.
pub(super) type Written = BTreeMap<PathBuf, Left>;

/// What like runs left, as what other runs are held to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// What both left alike.
    same: Written,
    /// What they did not: a log with times in it, say.
    other: BTreeSet<PathBuf>,
    /// Whether one wrote a file that the other did not, by a random name, say.
    has_loose_names: bool,
}

impl Files {
    /// Of two like runs.
    pub(super) fn of(one: Written, mut other: Written) -> Self {
        let mut files = Files::default();
        for (path, left) in one {
            match other.remove(&path) {
                Some(again) if again == left => _ = files.same.insert(path, left),
                again => {
                    files.has_loose_names |= again.is_none();
                    files.other.insert(path);
                }
            }
        }
        files.has_loose_names |= !other.is_empty();
        files.other.extend(other.into_keys());
        files
    }

    /// How many files are compared.
    pub(super) fn compared(&self) -> usize {
        self.same.len()
    }

    /// The files that are not, since like runs write them differently.
    pub(super) fn not_compared(&self) -> impl Iterator<Item = &Path> {
        self.other.iter().map(PathBuf::as_path)
    }

    /// In words what another run left differently, the first such file; `None` if nothing.
    pub(super) fn differs(&self, run: &Written) -> Option<String> {
        for (path, left) in &self.same {
            let path_shown = path.display();
            match (left, run.get(path)) {
                (left, Some(now)) if left == now => {}
                (Left::Gone, None) => return Some(format!("leaves {path_shown}, which it removed before")),
                (_, None) => return Some(format!("does not write {path_shown}")),
                (_, Some(Left::Gone)) => return Some(format!("removes {path_shown}")),
                (Left::Content(before, _), Some(Left::Content(now, _))) if before != now => {
                    let before = units::bytes(*before);
                    return Some(format!(
                        "writes something else to {path_shown}: {} instead of {before}",
                        units::bytes(*now)
                    ));
                }
                (_, Some(_)) => return Some(format!("writes something else to {path_shown}")),
            }
        }
        let is_new = |path: &&PathBuf| !self.same.contains_key(*path) && !self.other.contains(*path);
        let new = run.keys().find(is_new).filter(|_| !self.has_loose_names)?;
        Some(format!("changes {} as well", new.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, u64)]) -> Written {
        files.iter().map(|&(path, digest)| (path.into(), Left::Content(9, digest))).collect()
    }

    #[test]
    fn what_like_runs_write_alike_is_compared() {
        let plain = [("log", 1), ("out", 2)];
        let files = Files::of(written(&plain), written(&[("log", 7), ("out", 2)]));
        assert_eq!(files.compared(), 1);
        assert_eq!(files.not_compared().collect::<Vec<_>>(), [Path::new("log")]);
        let differs = |run: &[(&str, u64)]| files.differs(&written(run)).unwrap_or_default();
        assert_eq!(differs(&[("log", 3), ("out", 2)]), "");
        assert_eq!(differs(&[("out", 2)]), "");
        assert_eq!(differs(&[("log", 1), ("out", 3)]), "writes something else to out");
        assert_eq!(differs(&[("log", 1)]), "does not write out");
        assert_eq!(differs(&[("a", 1), ("log", 1), ("out", 2)]), "changes a as well");
        let mut gone = written(&plain);
        gone.insert("out".into(), Left::Gone);
        assert_eq!(files.differs(&gone).unwrap(), "removes out");
    }

    #[test]
    fn a_new_file_is_no_difference_where_names_are_random() {
        let files = Files::of(written(&[("a1", 1), ("out", 2)]), written(&[("b2", 1), ("out", 2)]));
        assert_eq!(files.differs(&written(&[("c3", 1), ("out", 2)])), None);
        assert!(files.differs(&written(&[("c3", 1)])).is_some());
    }
}
