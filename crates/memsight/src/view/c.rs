use anyhow::{Result, bail};
use memsight_picture::Trace;

pub(super) fn trace(_args: &super::Args) -> Result<Trace> {
    bail!("not yet")
}
