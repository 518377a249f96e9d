//! What was alive at a chosen tick: a second pass over the capture.

use std::io::Read;
use std::ops::RangeInclusive;

use memsight_capture::{Group, Reader, Record};

use crate::amount::Amount;
use crate::fold::{OpenGroup, Slots};
use crate::recording::Recording;

/// Which blocks to count, in positions of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Ticks in which the blocks were allocated.
    pub born: RangeInclusive<usize>,
    /// The tick at whose end they must still be alive.
    pub alive_at: usize,
}

/// Blocks of the window, by position in [`Recording::rows`]. `reader` stands at
/// the start of the capture that `recording` was folded from. A file that is no
/// longer what it was gives less, never an error.
pub fn amounts_at<R: Read>(reader: &mut Reader<R>, recording: &Recording, window: &Window) -> Vec<Amount> {
    let mut amounts = vec![Amount::default(); recording.rows.len()];
    let mut slots = Slots::default();
    let mut now = 0;
    while let Some(record) = reader.next_record() {
        match record {
            Record::GroupBirth(group) => {
                let Some(row) = recording.row_of(group.node, group.domain) else { break };
                if window.born.contains(&now) {
                    count(&mut amounts[row], &group.counts);
                }
                let open = OpenGroup { row: row as u32, birth: now as u32 };
                if slots.open(group.slot, open).is_err() {
                    break;
                }
            }
            Record::GroupChange(change) => {
                let Ok(group) = slots.change(&change) else { break };
                if window.born.contains(&(group.birth as usize))
                    && let Some(amount) = amounts.get_mut(group.row as usize)
                {
                    count(amount, &change.counts);
                }
            }
            Record::Tick(_) if now == window.alive_at => break,
            Record::Tick(_) => now += 1,
            _ => {}
        }
    }
    amounts
}

fn count(amount: &mut Amount, group: &Group) {
    amount.add(Amount::new(group.allocations, group.allocated_bytes));
    amount.take(Amount::new(group.frees, group.freed_bytes));
}
