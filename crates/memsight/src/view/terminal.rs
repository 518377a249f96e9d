use anyhow::{Result, bail};
use memsight_picture::Trace;

pub(super) fn show(_trace: &Trace) -> Result<()> {
    bail!("not yet")
}
