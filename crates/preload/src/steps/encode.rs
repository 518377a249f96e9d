//! From records to bytes: to the region at once, or gathered until it is known that they differ.

use memsight_capture::{Out, Record, StepRecord, WordId};
use memsight_recorder::memory::{OutOfMemory, PageVec};
use memsight_recorder::table::hash_bytes;

use super::region::LONGEST;
use super::tracer::Tracer;

/// Records of one object, each behind its length in two bytes.
#[derive(Default)]
pub(super) struct Gathered(PageVec<u8>);

impl Gathered {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn push(&mut self, record: StepRecord<'_>) -> Result<(), OutOfMemory> {
        with_bytes(record, |bytes| {
            self.0.extend(&(bytes.len() as u16).to_le_bytes())?;
            self.0.extend(bytes)
        })
    }

    /// A hash of a record and of what was gathered. Never 0.
    pub(super) fn hash_with(&self, record: StepRecord<'_>) -> u64 {
        let seed = with_bytes(record, |bytes| hash_bytes(5, bytes));
        hash_bytes(seed, self.0.as_slice()) | 1
    }

    fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        core::iter::from_fn(move || {
            let (len, after) = rest.split_first_chunk::<2>()?;
            let (record, next) = after.split_at_checked(u16::from_le_bytes(*len).into())?;
            rest = next;
            Some(record)
        })
    }
}

fn with_bytes<R>(record: StepRecord<'_>, take: impl FnOnce(&[u8]) -> R) -> R {
    let mut buffer = [0; LONGEST];
    let mut out = Out::new(&mut buffer);
    // Names and texts are cut, so every record fits.
    if Record::Step(record).encode(&mut out).is_err() {
        out.truncate(0);
    }
    take(out.written())
}

impl Tracer {
    pub(super) fn write(&mut self, record: StepRecord<'_>) -> Result<(), OutOfMemory> {
        with_bytes(record, |bytes| self.tail.push(bytes))
    }

    pub(super) fn write_gathered(&mut self) -> Result<(), OutOfMemory> {
        self.gathered.records().try_for_each(|record| self.tail.push(record))
    }

    /// The number of a word, which is said if it is new.
    pub(super) fn word(&mut self, text: &[u8]) -> Result<WordId, OutOfMemory> {
        let (word, is_new) = self.words.number(text)?;
        if is_new {
            self.write(StepRecord::Word(text))?;
        }
        Ok(word)
    }
}
