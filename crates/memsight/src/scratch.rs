//! A folder for the time of a command: captures, what programs print, copies.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A new folder that only this user may enter, removed with all that is in it
/// when this is dropped, unless it is to be kept.
pub(crate) struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    /// Makes one among the temporary files; `purpose` becomes part of its name.
    pub(crate) fn create(purpose: &str) -> Result<Self> {
        let mut number = [0; 8];
        File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut number))?;
        let name = format!("memsight-{purpose}-{:016x}", u64::from_ne_bytes(number));
        let folder = std::env::temp_dir();
        Self::make(folder.canonicalize().unwrap_or(folder).join(name), false)
    }

    /// Makes this folder, which must not be there, and keeps it.
    pub(crate) fn kept(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).with_context(|| path.display().to_string())?;
        Self::make(path, true)
    }

    fn make(path: PathBuf, keep: bool) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            bail!("{}: is there already; name a folder that is not", path.display());
        }
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("{}: cannot be made", path.display()))?;
        Ok(Scratch { path, keep })
    }

    /// Where it is: absolute, and no link.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(path)
    }

    /// An empty file in it.
    pub(crate) fn file(&self, name: &str) -> Result<File> {
        let path = self.path.join(name);
        let options = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        options.with_context(|| path.display().to_string())
    }

    /// Removes the files in it, not the folders.
    pub(crate) fn empty(&self) {
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            let _ = remove(&self.path);
        }
    }
}

/// Removes a folder of memsight's with all that is in it, be it closed to its owner.
pub(crate) fn remove(folder: &Path) -> std::io::Result<()> {
    std::fs::remove_dir_all(folder).or_else(|_| {
        open_folders(folder);
        std::fs::remove_dir_all(folder)
    })
}

/// Lets the owner into all folders below one: a copied one may be closed to it.
fn open_folders(folder: &Path) {
    let _ = std::fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_folders(&entry.path());
        }
    }
}

/// The end of what a program printed, as the end of a sentence.
pub(crate) fn last_words(output: &mut File) -> String {
    match String::from_utf8_lossy(&tail(output, 2000)).trim() {
        "" => String::new(),
        words => format!(". The last that it printed:\n{words}"),
    }
}

/// The last bytes of a file, at most so many.
pub(crate) fn tail(file: &mut File, most: u64) -> Vec<u8> {
    let len = file.seek(SeekFrom::End(0)).unwrap_or(0);
    let mut bytes = Vec::new();
    let _ = file.seek(SeekFrom::Start(len.saturating_sub(most)));
    let _ = file.take(most).read_to_end(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_what_may_not_be_changed_in_it() {
        let scratch = Scratch::create("test").unwrap();
        let path = scratch.path().to_owned();
        std::fs::create_dir_all(path.join("a/b")).unwrap();
        std::fs::write(path.join("a/b/c"), "x").unwrap();
        std::fs::set_permissions(path.join("a/b"), Permissions::from_mode(0o500)).unwrap();
        std::fs::set_permissions(path.join("a"), Permissions::from_mode(0o000)).unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn only_the_end_of_a_long_output_is_read() {
        let scratch = Scratch::create("test").unwrap();
        let mut file = scratch.file("output").unwrap();
        std::io::Write::write_all(&mut file, &[b'x'; 5000]).unwrap();
        assert_eq!(tail(&mut file, 100).len(), 100);
        assert_eq!(tail(&mut file, 10_000).len(), 5000);
    }
}
