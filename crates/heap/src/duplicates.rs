//! Strings and `bytes` that are equal to others: what one of each would save.
//!
//! They are told to be equal by 56 bits of a hash of all of them. Among ten million
//! different ones two would be taken for equal once in a thousand captures.

use std::collections::HashMap;

use crate::NodeId;

/// Groups that are kept with their value; of the others there is the sum.
const KEPT: usize = 1000;

/// Bytes of a value from which on it may go on: a capture has the first 64 at the most,
/// and a character takes up to four.
const MAY_GO_ON: usize = 61;

/// Objects of one type with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// How the value begins.
    pub value: Value,
    /// How many there are.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their bytes less those of the largest, if it alone were kept.
    pub saved_bytes: u64,
    /// The one that was found first.
    pub example: NodeId,
}

/// The beginning of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a `str`.
    Text(String),
    /// Of a `bytes`.
    Bytes(Vec<u8>),
}

impl Value {
    /// Whether there may be more of it.
    pub fn may_go_on(&self) -> bool {
        match self {
            Value::Text(text) => text.len() >= MAY_GO_ON,
            Value::Bytes(bytes) => bytes.len() >= MAY_GO_ON,
        }
    }
}

/// What is there more than once, of strings and `bytes` that are neither interned nor immortal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Those that would save most first, a thousand at the most.
    pub groups: Vec<Duplicate>,
    /// How many groups there are in all.
    pub group_count: u64,
    /// Objects that are equal to one that would be kept.
    pub copies: u64,
    /// Their bytes.
    pub saved_bytes: u64,
}

/// Gathers values, and finds the equal ones.
#[derive(Default)]
pub(crate) struct Equal {
    /// A value's hash and whether it is a `bytes`, and the object's number.
    rows: Vec<(u64, u32)>,
    found: Duplicates,
    /// Of each object whose value is wanted, its group.
    wanted: HashMap<u32, usize>,
}

impl Equal {
    /// An object that could be one of several. A hash of 0 is not known.
    pub(crate) fn add(&mut self, number: usize, hash: u64, is_bytes: bool) {
        if let (Ok(number), true) = (u32::try_from(number), hash != 0) {
            self.rows.push((hash << 1 | u64::from(is_bytes), number));
        }
    }

    /// All are there, and these are their bytes by number.
    pub(crate) fn find(&mut self, bytes: &[u64]) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable();
        let groups = &mut self.found.groups;
        for same in rows.chunk_by(|(one, _), (other, _)| one == other).filter(|same| same.len() > 1) {
            let sizes = same.iter().map(|&(_, number)| bytes.get(number as usize).copied().unwrap_or(0));
            let (sum, largest) =
                sizes.fold((0u64, 0), |(sum, most), size| (sum.saturating_add(size), most.max(size)));
            let saved_bytes = sum - largest;
            self.found.group_count += 1;
            self.found.copies += same.len() as u64 - 1;
            self.found.saved_bytes = self.found.saved_bytes.saturating_add(saved_bytes);
            let value =
                if same[0].0 & 1 == 0 { Value::Text(String::new()) } else { Value::Bytes(Vec::new()) };
            let (copies, example) = (same.len() as u64, NodeId(same[0].1));
            groups.push(Duplicate { value, copies, bytes: sum, saved_bytes, example });
            if groups.len() == 4 * KEPT {
                keep_the_largest(groups);
            }
        }
        keep_the_largest(groups);
        self.wanted = groups.iter().enumerate().map(|(at, group)| (group.example.0, at)).collect();
    }

    /// The value of an object, if it is an example.
    pub(crate) fn say(&mut self, number: usize, start: &[u8]) {
        if self.wanted.is_empty() {
            return;
        }
        let Some(at) = u32::try_from(number).ok().and_then(|number| self.wanted.remove(&number)) else {
            return;
        };
        match &mut self.found.groups[at].value {
            Value::Text(text) => *text = String::from_utf8_lossy(start).into_owned(),
            Value::Bytes(bytes) => *bytes = start.to_vec(),
        }
    }

    pub(crate) fn finish(self) -> Duplicates {
        self.found
    }
}

fn keep_the_largest(groups: &mut Vec<Duplicate>) {
    groups.sort_by_key(|group| (u64::MAX - group.saved_bytes, group.example));
    groups.truncate(KEPT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_largest_of_equal_ones_are_saved() {
        let mut equal = Equal::default();
        for (number, hash, is_bytes) in [
            (0, 7, false),
            (1, 9, false),
            (2, 7, false),
            (3, 7, true),
            (4, 7, false),
            (5, 0, false),
            (6, 0, false),
        ] {
            equal.add(number, hash, is_bytes);
        }
        equal.find(&[50, 60, 80, 90, 50, 1, 1]);
        equal.say(0, "größe".as_bytes());
        equal.say(2, b"not the example");
        let found = equal.finish();
        let group = Duplicate {
            value: Value::Text("größe".into()),
            copies: 3,
            bytes: 180,
            saved_bytes: 100,
            example: NodeId(0),
        };
        let all = Duplicates { groups: vec![group], group_count: 1, copies: 2, saved_bytes: 100 };
        assert_eq!(found, all);
    }

    #[test]
    fn of_many_groups_those_that_save_most_are_kept_and_the_sum_is_of_all() {
        let mut equal = Equal::default();
        let count = 5 * KEPT;
        for number in 0..2 * count {
            equal.add(number, 1 + (number % count) as u64, true);
        }
        let bytes: Vec<u64> = (0..2 * count).map(|number| (number % count) as u64).collect();
        equal.find(&bytes);
        let found = equal.finish();
        assert_eq!(found.group_count, count as u64);
        assert_eq!(found.saved_bytes, (0..count as u64).sum());
        assert_eq!(found.groups.len(), KEPT);
        assert_eq!(found.groups[0].saved_bytes, count as u64 - 1);
        assert_eq!(found.groups[KEPT - 1].saved_bytes, (count - KEPT) as u64);
    }
}
