//! What cannot be recorded, said before anything runs.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::elf::{self, Kind};
use crate::sys;

/// Refuses an executable that the recorder cannot be loaded into.
pub(super) fn unless_recordable(path: &Path) -> Result<()> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).with_context(|| shown.to_string())?;
    let (uid, gid) = sys::user_and_group();
    let mode = metadata.permissions().mode();
    let changes_user = mode & libc::S_ISUID != 0 && metadata.uid() != uid;
    let changes_group = mode & libc::S_ISGID != 0 && mode & libc::S_IXGRP != 0 && metadata.gid() != gid;
    if changes_user || changes_group {
        bail!(
            "{shown}: runs as another user (it is setuid or setgid), so the system loads no recorder \
             into it; run it as that user, or run a copy without that bit"
        );
    }
    if uid != 0 && sys::has_capabilities(path) {
        bail!(
            "{shown}: carries capabilities, so the system loads no recorder into it; \
             run it as root, or run a copy without them"
        );
    }
    // A program that may be executed but not read is left to the loader.
    let Ok(file) = File::open(path) else { return Ok(()) };
    match elf::kind_of(&file) {
        Kind::Dynamic { loader } if loader.contains("musl") => bail!(
            "{shown}: uses musl, and memsight records programs of glibc; \
             use a build for glibc (on Alpine: a container of another distribution)"
        ),
        Kind::Dynamic { .. } => Ok(()),
        Kind::Static => bail!(
            "{shown}: is statically linked, so no recorder can be loaded into it; \
             build it without -static"
        ),
        Kind::OtherMachine => {
            bail!("{shown}: is for another kind of processor than memsight ({})", std::env::consts::ARCH)
        }
        Kind::NotElf if starts_with_hash_bang(&file) => Ok(()),
        Kind::NotElf => bail!("{shown}: is neither a program nor a script with a #! line"),
    }
}

fn starts_with_hash_bang(file: &File) -> bool {
    use std::os::unix::fs::FileExt;
    let mut start = [0; 2];
    file.read_exact_at(&mut start, 0).is_ok() && start == *b"#!"
}
