//! Blocks and bytes, and the counters that everything is summed in.

/// Some blocks and the bytes asked for in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    /// An amount of `blocks` that hold `bytes`.
    pub const fn new(blocks: u64, bytes: u64) -> Self {
        Amount { blocks, bytes }
    }

    /// Adds another amount.
    pub fn add(&mut self, other: Amount) {
        self.blocks = self.blocks.saturating_add(other.blocks);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    /// Takes an amount away, down to nothing.
    pub fn take(&mut self, other: Amount) {
        self.blocks = self.blocks.saturating_sub(other.blocks);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    /// Whether there is nothing of it.
    pub fn is_zero(&self) -> bool {
        self.blocks == 0 && self.bytes == 0
    }
}

/// What happened at one place over the whole run. Adds up over places.
///
/// Invariant of a sound capture: `frees ≤ allocations`, `freed_bytes ≤
/// allocated_bytes` and `temporary.blocks ≤ frees`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks allocated.
    pub allocations: u64,
    /// Bytes asked for in those.
    pub allocated_bytes: u64,
    /// Blocks freed.
    pub frees: u64,
    /// Bytes freed with those.
    pub freed_bytes: u64,
    /// What was freed before its thread allocated again.
    pub temporary: Amount,
    /// What was alive at the peak.
    pub peak: Amount,
}

impl Counts {
    /// Adds the counters of another place.
    pub fn add(&mut self, other: &Counts) {
        self.allocations = self.allocations.saturating_add(other.allocations);
        self.allocated_bytes = self.allocated_bytes.saturating_add(other.allocated_bytes);
        self.frees = self.frees.saturating_add(other.frees);
        self.freed_bytes = self.freed_bytes.saturating_add(other.freed_bytes);
        self.temporary.add(other.temporary);
        self.peak.add(other.peak);
    }

    /// What is alive at the end of the recording.
    pub fn live(&self) -> Amount {
        Amount {
            blocks: self.allocations.saturating_sub(self.frees),
            bytes: self.allocated_bytes.saturating_sub(self.freed_bytes),
        }
    }
}
