//! The virtual environment with the peers in it: memray, pyperformance and ruff.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::python::Python;
use crate::workspace::root;

/// The interpreter of the environment below `folder`, which is made if it is
/// not there or was made for other requirements.
pub(crate) fn ready(folder: &Path, base: &Python) -> Result<PathBuf> {
    let (major, minor, _) = base.version;
    let venv = folder.join("venv").join(format!("{major}.{minor}"));
    let python = venv.join("bin/python");
    let requirements = root().join("bench/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let wanted = format!("{wanted}# for {}\n", base.executable.display());
    // Written last, so it is there only if everything before it went well.
    let stamp = venv.join("memsight-bench-requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("making {}", venv.display());
    must_succeed(Command::new(&base.executable).args(["-m", "venv", "--clear"]).arg(&venv))?;
    must_succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}

fn must_succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{status} from {command:?}");
    }
    Ok(())
}
