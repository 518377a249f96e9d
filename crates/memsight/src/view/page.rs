use std::path::Path;

use anyhow::{Result, bail};
use memsight_picture::Trace;

pub(super) fn write(_trace: &Trace, _path: &Path, _force: bool) -> Result<()> {
    bail!("not yet")
}
