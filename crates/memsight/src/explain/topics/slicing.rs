//! Slices copy, and what copies nothing.

use anyhow::Result;

use super::Topic;
use crate::explain::lab::Measured;
use crate::explain::page::Page;

pub(super) const TOPIC: Topic =
    Topic { name: "slicing", line: "what a slice copies, and what copies nothing", experiment: include_str!("../experiments/slicing.py"), page };

fn page(measured: &Measured) -> Result<Page> {
    Ok(Page::new("", measured.python.clone()))
}
