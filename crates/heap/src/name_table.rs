//! The texts of a graph: names of types, attributes and variables, and keys. Each is
//! kept once, all in one string, so that ten million keys are no ten million
//! allocations.

use std::hash::{BuildHasher, RandomState};

use crate::NameId;
use crate::slots::Slots;

/// Texts by number.
#[derive(Default)]
pub struct NameTable {
    text: String,
    /// Where each text ends; it begins where the one before it ends.
    ends: Vec<u32>,
    slots: Slots,
    hasher: RandomState,
}

impl NameTable {
    /// The number of a text; `None` if all texts together would pass 4 GiB.
    pub(crate) fn intern(&mut self, text: &str) -> Option<NameId> {
        let hash = self.hasher.hash_one(text);
        let known = self.slots.find(hash, |number| self.text(number) == text);
        if let Some(number) = known {
            return Some(NameId(number));
        }
        let end = u32::try_from(self.text.len() + text.len()).ok()?;
        let number = u32::try_from(self.ends.len()).ok().filter(|&number| number < Slots::MAX)?;
        self.text.push_str(text);
        self.ends.push(end);
        let NameTable { text, ends, slots, hasher } = self;
        slots.insert(hash, number, |number| hasher.hash_one(text_at(text, ends, number)));
        Some(NameId(number))
    }

    /// Forgets how texts are found, once no more will come.
    pub(crate) fn close(&mut self) {
        self.slots = Slots::default();
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// The text of a number; empty if this table never gave it.
    pub fn get(&self, name: NameId) -> &str {
        self.text(name.0)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every text with its number.
    pub fn iter(&self) -> impl Iterator<Item = (NameId, &str)> {
        (0..self.ends.len() as u32).map(|number| (NameId(number), self.text(number)))
    }

    fn text(&self, number: u32) -> &str {
        text_at(&self.text, &self.ends, number)
    }
}

fn text_at<'a>(text: &'a str, ends: &[u32], number: u32) -> &'a str {
    let at = number as usize;
    let start = at.checked_sub(1).map_or(0, |before| ends.get(before).copied().unwrap_or(0));
    let end = ends.get(at).copied().unwrap_or(start);
    text.get(start as usize..end as usize).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::NameTable;
    use crate::NameId;

    #[test]
    fn a_text_has_one_number_and_comes_back() {
        let mut table = NameTable::default();
        let texts: Vec<String> = (0..5000).map(|i| format!("κ{i}")).chain([String::new()]).collect();
        let ids: Vec<NameId> = texts.iter().map(|text| table.intern(text).unwrap()).collect();
        for (text, id) in texts.iter().zip(&ids) {
            assert_eq!(table.intern(text), Some(*id));
            assert_eq!(table.get(*id), text);
        }
        assert_eq!(table.len(), texts.len());
        assert_eq!(table.get(NameId(u32::MAX)), "");
    }
}
