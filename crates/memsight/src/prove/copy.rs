//! The copy of the working folder that COMMAND runs in.
//!
//! Every run begins with the same files: before it, [`Copy::renew`] puts back
//! what the one before changed, made or removed. It knows that by the inode and
//! the time of its last change, which a program cannot set.
//!
//! | in the folder                              | in the copy                       |
//! |--------------------------------------------|-----------------------------------|
//! | files, folders                             | copied, with their permissions    |
//! | links into the folder                      | links into the copy               |
//! | other links                                | links to the same place           |
//! | virtual environments, `node_modules`       | links to them: nobody writes there |
//! | version control, caches, captures, devices | not there                         |

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileTimes, Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use memsight_report::units;

use super::unless_interrupted;
use super::written::{Left, Written};
use crate::scratch;

const LEFT_OUT: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".nox",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
];

/// More than this is taken for a mistake about which folder is the project's.
const MAX_ENTRIES: usize = 200_000;
const MAX_BYTES: u64 = 4 << 30;

/// What was made in the copy.
enum Entry {
    /// With these permissions.
    Folder(u32),
    Link(PathBuf),
    File {
        original: Stamp,
        copy: Stamp,
    },
}

/// What tells whether a file is still the one that was made: its inode, its
/// length and when it was last changed, be it by a `chmod`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64);

impl From<&Metadata> for Stamp {
    fn from(file: &Metadata) -> Self {
        Stamp(file.ino(), file.len(), file.ctime(), file.ctime_nsec())
    }
}

/// A copy of a folder.
pub(super) struct Copy {
    /// The folder, by its real path.
    from: PathBuf,
    /// By which other path it is known, through a link.
    alias: Option<PathBuf>,
    to: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
    bytes: u64,
    /// Files that are to have another content.
    changed: BTreeMap<PathBuf, Vec<u8>>,
}

impl Copy {
    /// Copies the working folder into a folder of the same name in `within`.
    pub(super) fn make(within: &Path) -> Result<Self> {
        let here = std::env::current_dir().context("the working folder is gone")?;
        let from = here.canonicalize().with_context(|| here.display().to_string())?;
        let named = std::env::var_os("PWD").map(PathBuf::from);
        let alias = named.filter(|path| *path != from && path.canonicalize().is_ok_and(|real| real == from));
        Self::of(from, alias, within)
    }

    fn of(from: PathBuf, alias: Option<PathBuf>, within: &Path) -> Result<Self> {
        let to = within.join(from.file_name().unwrap_or(OsStr::new("project")));
        let mut copy = Copy { from, alias, to, entries: BTreeMap::new(), bytes: 0, changed: BTreeMap::new() };
        fs::create_dir(&copy.to).with_context(|| copy.to.display().to_string())?;
        copy.folder(Path::new(""), within)?;
        Ok(copy)
    }

    /// Where the copy is.
    pub(super) fn path(&self) -> &Path {
        &self.to
    }

    /// Whether a file is of the copy; its path from the folder then.
    pub(super) fn has(&self, original: &Path) -> Option<PathBuf> {
        let real = original.canonicalize().ok()?;
        let inside = real.strip_prefix(&self.from).ok()?;
        matches!(self.entries.get(inside), Some(Entry::File { .. })).then(|| inside.to_owned())
    }

    fn folder(&mut self, inside: &Path, leave: &Path) -> Result<()> {
        let from = self.from.join(inside);
        let entries = match fs::read_dir(&from) {
            Err(error) if may_be_missing(&error) => return Ok(()),
            entries => entries.with_context(|| from.display().to_string())?,
        };
        for entry in entries {
            unless_interrupted()?;
            let entry = entry.with_context(|| from.display().to_string())?;
            let (name, path) = (entry.file_name(), entry.path());
            let kind = entry.file_type().with_context(|| path.display().to_string())?;
            let is_capture = path.extension().is_some_and(|extension| extension == "msight");
            let is_left_out = LEFT_OUT.iter().any(|left| name == *left);
            if is_capture
                || is_left_out
                || path == leave
                || path.join("CACHEDIR.TAG").is_file() && !is_environment(&path)
            {
                continue;
            }
            let inside = inside.join(&name);
            if kind.is_symlink() {
                let target = fs::read_link(&path).with_context(|| path.display().to_string())?;
                self.put(inside.clone(), Entry::Link(self.link_target(&inside, &target)))?;
            } else if kind.is_dir() && (name == "node_modules" || is_environment(&path)) {
                self.put(inside, Entry::Link(path))?;
            } else if kind.is_dir() {
                self.put(inside.clone(), Entry::Folder(0))?;
                self.folder(&inside, leave)?;
            } else if kind.is_file() {
                let none = Stamp(0, 0, 0, 0);
                self.put(inside, Entry::File { original: none, copy: none })?;
            }
        }
        Ok(())
    }

    /// Where a link of the copy leads, so that none leads back into the folder.
    fn link_target(&self, link: &Path, target: &Path) -> PathBuf {
        if target.is_absolute() {
            return self.inside(target).map_or(target.to_owned(), |inside| self.to.join(inside));
        }
        let beside = self.from.join(link).parent().map(|folder| folder.join(target)).unwrap_or_default();
        let leads_out = beside.canonicalize().is_ok_and(|real| !real.starts_with(&self.from));
        if leads_out { beside } else { target.to_owned() }
    }

    fn put(&mut self, inside: PathBuf, entry: Entry) -> Result<()> {
        if let Some(entry) = self.made(&inside, &entry)? {
            self.entries.insert(inside, entry);
        }
        self.unless_too_much()
    }

    fn unless_too_much(&self) -> Result<()> {
        if self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            bail!(
                "{}: holds more than {MAX_ENTRIES} files or {}, too much to copy; \
                 start memsight in the folder of the project itself",
                self.from.display(),
                units::bytes(MAX_BYTES)
            );
        }
        Ok(())
    }

    /// Makes an entry in the copy; `None` if the original may not be read.
    fn made(&mut self, inside: &Path, entry: &Entry) -> Result<Option<Entry>> {
        let (from, to) = (self.from.join(inside), self.to.join(inside));
        let shown = || format!("{}: cannot be copied", from.display());
        match entry {
            Entry::Folder(_) => {
                fs::create_dir(&to).with_context(shown)?;
                // Whatever they are: the copy has to be written and removed.
                let mode = fs::metadata(&from).with_context(shown)?.permissions().mode() | 0o700;
                fs::set_permissions(&to, Permissions::from_mode(mode)).with_context(shown)?;
                Ok(Some(Entry::Folder(mode)))
            }
            Entry::Link(target) => {
                symlink(target, &to).with_context(shown)?;
                Ok(Some(Entry::Link(target.clone())))
            }
            Entry::File { original, .. } => {
                let metadata = match fs::File::open(&from).and_then(|file| file.metadata()) {
                    Err(error) if may_be_missing(&error) && original.0 == 0 => return Ok(None),
                    metadata => metadata.with_context(shown)?,
                };
                let now = Stamp::from(&metadata);
                if original.0 != 0 && *original != now {
                    bail!("{}: was changed meanwhile; start again", from.display());
                }
                self.bytes = self.bytes.saturating_add(metadata.len());
                // Before the disk is full of it.
                self.unless_too_much()?;
                match self.changed.get(inside) {
                    Some(content) => {
                        fs::write(&to, content).with_context(shown)?;
                        fs::set_permissions(&to, metadata.permissions()).with_context(shown)?;
                    }
                    None => {
                        fs::copy(&from, &to).with_context(shown)?;
                        if let (Ok(file), Ok(time)) =
                            (fs::File::options().append(true).open(&to), metadata.modified())
                        {
                            let _ = file.set_times(FileTimes::new().set_modified(time));
                        }
                    }
                }
                let copy = Stamp::from(&fs::metadata(&to).with_context(shown)?);
                Ok(Some(Entry::File { original: now, copy }))
            }
        }
    }

    /// Gives a file of the copy another content, from the next run on.
    pub(super) fn change(&mut self, inside: &Path, content: &[u8]) {
        self.changed.insert(inside.to_owned(), content.to_owned());
        if let Some(Entry::File { copy, .. }) = self.entries.get_mut(inside) {
            *copy = Stamp(0, 0, 0, 0);
        }
    }

    /// Puts everything back as it was.
    pub(super) fn renew(&mut self) -> Result<()> {
        let mut whole = BTreeSet::new();
        self.sift(Path::new(""), &mut whole)?;
        self.bytes = 0;
        let missing: Vec<PathBuf> =
            self.entries.keys().filter(|inside| !whole.contains(*inside)).cloned().collect();
        for inside in missing {
            if let Some(entry) = self.entries.remove(&inside)
                && let Some(entry) = self.made(&inside, &entry)?
            {
                self.entries.insert(inside, entry);
            }
        }
        Ok(())
    }

    /// Removes what is not as it was made, and notes what is.
    fn sift(&self, inside: &Path, whole: &mut BTreeSet<PathBuf>) -> Result<()> {
        let folder = self.to.join(inside);
        let shown = || format!("{}: the copy cannot be renewed", folder.display());
        for entry in fs::read_dir(&folder).with_context(shown)? {
            let entry = entry.with_context(shown)?;
            let (inside, path) = (inside.join(entry.file_name()), entry.path());
            let metadata = entry.metadata().with_context(shown)?;
            let is_whole = self.is_whole(&inside, &path, &metadata);
            match is_whole {
                true if metadata.is_dir() => {
                    self.open(&inside, &path, &metadata).with_context(shown)?;
                    whole.insert(inside.clone());
                    self.sift(&inside, whole)?;
                }
                true => _ = whole.insert(inside),
                false if metadata.is_dir() => scratch::remove(&path).with_context(shown)?,
                false => fs::remove_file(&path).with_context(shown)?,
            }
        }
        Ok(())
    }

    /// Gives a folder of the copy its permissions again.
    fn open(&self, inside: &Path, path: &Path, metadata: &Metadata) -> std::io::Result<()> {
        match self.entries.get(inside) {
            Some(Entry::Folder(mode)) if *mode != metadata.permissions().mode() => {
                fs::set_permissions(path, Permissions::from_mode(*mode))
            }
            _ => Ok(()),
        }
    }

    /// Whether a file of the copy is the one that was made.
    fn is_whole(&self, inside: &Path, path: &Path, metadata: &Metadata) -> bool {
        match self.entries.get(inside) {
            Some(Entry::Folder(_)) => metadata.is_dir(),
            Some(Entry::Link(target)) => fs::read_link(path).is_ok_and(|found| found == *target),
            Some(Entry::File { copy, .. }) => metadata.is_file() && *copy == Stamp::from(metadata),
            None => false,
        }
    }

    /// What the run before left in the copy that was not there, or not so.
    pub(super) fn written(&self) -> Result<Written> {
        let mut written = Written::new();
        let mut seen = BTreeSet::new();
        self.search(Path::new(""), &mut seen, &mut written)?;
        for (inside, entry) in &self.entries {
            if !matches!(entry, Entry::Folder(_)) && !seen.contains(inside) && !is_of_tools(inside) {
                written.insert(inside.clone(), Left::Gone);
            }
        }
        Ok(written)
    }

    fn search(&self, inside: &Path, seen: &mut BTreeSet<PathBuf>, written: &mut Written) -> Result<()> {
        let folder = self.to.join(inside);
        let shown = || format!("{}: what the command wrote cannot be read", folder.display());
        let entries = match fs::read_dir(&folder) {
            Err(error) if may_be_missing(&error) => return Ok(()),
            entries => entries.with_context(shown)?,
        };
        for entry in entries {
            unless_interrupted()?;
            let entry = entry.with_context(shown)?;
            let (inside, path) = (inside.join(entry.file_name()), entry.path());
            // A process that outlives the command may still remove its files.
            let Ok(metadata) = entry.metadata() else { continue };
            let was_folder = self.entries.get(&inside).map(|entry| matches!(entry, Entry::Folder(_)));
            if was_folder == Some(metadata.is_dir()) {
                seen.insert(inside.clone());
            }
            if metadata.is_dir() {
                if was_folder.is_some() || !is_of_tools(&inside) && !keeps_itself_out(&path) {
                    self.search(&inside, seen, written)?;
                }
            } else if !is_of_tools(&inside) && !self.is_whole(&inside, &path, &metadata) {
                let left = match () {
                    () if metadata.is_symlink() => fs::read_link(&path).map(Left::Link),
                    () if metadata.is_file() => Left::of(&path),
                    () => continue,
                };
                match left {
                    Err(error) if may_be_missing(&error) => continue,
                    left => _ = written.insert(inside, left.with_context(shown)?),
                }
            }
        }
        Ok(())
    }

    /// A path's way from the folder, if it leads into it.
    fn inside<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let roots = [Some(&self.from), self.alias.as_ref()];
        roots.into_iter().flatten().find_map(|root| path.strip_prefix(root).ok())
    }

    /// A word of the command: paths into the folder, alone or behind a `=`, become paths into the
    /// copy, but for those of what was left out of it.
    pub(super) fn mapped(&self, word: &OsStr) -> OsString {
        let bytes = word.as_bytes();
        let at = match bytes.iter().position(|byte| *byte == b'=') {
            Some(at) if bytes.get(at + 1) == Some(&b'/') && bytes[0] != b'/' => at + 1,
            _ => 0,
        };
        let path = Path::new(OsStr::from_bytes(&bytes[at..]));
        let Some(inside) = self.inside(path) else { return word.to_owned() };
        let there = if inside.as_os_str().is_empty() { self.to.clone() } else { self.to.join(inside) };
        let is_left_out = there.symlink_metadata().is_err() && path.symlink_metadata().is_ok();
        if is_left_out {
            return word.to_owned();
        }
        let mut mapped = bytes[..at].to_vec();
        mapped.extend_from_slice(there.as_os_str().as_bytes());
        OsString::from_vec(mapped)
    }
}

/// What may not be read the program could not read either, and what is gone by now was temporary.
fn may_be_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::NotFound)
}

/// Whether a name is of what tools keep for themselves.
fn is_of_tools(inside: &Path) -> bool {
    let name = inside.file_name().unwrap_or_default();
    let ends = inside.extension().is_some_and(|end| end == "pyc" || end == "msight");
    ends || name.as_bytes().starts_with(b".") || LEFT_OUT.iter().any(|left| name == *left)
}

/// Whether a folder says that it is a cache or a report of a tool's, as pytest's and coverage's do.
fn keeps_itself_out(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").is_file() || folder.join(".gitignore").is_file()
}

/// Whether a folder is a virtual environment.
fn is_environment(folder: &Path) -> bool {
    folder.join("pyvenv.cfg").is_file()
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
