//! The folder of an experiment: its files, its captures, what it printed.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A folder that is removed at the end, unless it is to be kept.
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// Makes the folder: this one, or one among the temporary files that is removed at the end.
    pub(super) fn create(keep: Option<&Path>) -> Result<Self> {
        let path = match keep {
            Some(path) => std::path::absolute(path).with_context(|| format!("--keep {}", path.display()))?,
            None => {
                let mut number = [0; 8];
                File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut number))?;
                let name = format!("memsight-explain-{:016x}", u64::from_ne_bytes(number));
                std::env::temp_dir().join(name)
            }
        };
        if keep.is_some() && path.exists() {
            bail!("--keep {}: is there already; name a folder that is not", path.display());
        }
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("{}: cannot be made", path.display()))?;
        Ok(Folder { path, keep: keep.is_some() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into it.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(path)
    }

    /// Makes an empty file in it, to write and read.
    pub(super) fn file(&self, name: &str) -> Result<File> {
        let path = self.path.join(name);
        let options = File::options().read(true).write(true).create_new(true).open(&path);
        options.with_context(|| format!("{}: cannot be made", path.display()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
