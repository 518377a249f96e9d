//! The bytes of a program that stands still, read page by page and each page once.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

const PAGE: u64 = 4096;

/// The memory of a process.
pub(super) struct Memory {
    file: File,
    pages: HashMap<u64, Option<Box<[u8]>>>,
}

impl Memory {
    pub(super) fn of(pid: i32) -> Result<Self> {
        let path = format!("/proc/{pid}/mem");
        let file = File::open(&path)
            .with_context(|| format!("{path}: the program's memory may not be read; run as the same user"))?;
        Ok(Memory { file, pages: HashMap::new() })
    }

    /// Forgets what was read: the program went on.
    pub(super) fn refresh(&mut self) {
        self.pages.clear();
    }

    /// So many bytes from an address on; fewer where there is no memory.
    pub(super) fn read(&mut self, address: u64, len: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len.min(1 << 20) as usize);
        let Some(end) = address.checked_add(len) else { return bytes };
        let mut at = address;
        while at < end {
            let page = at & !(PAGE - 1);
            let file = &self.file;
            let read = self.pages.entry(page).or_insert_with(|| {
                let mut bytes = vec![0; PAGE as usize];
                file.read_exact_at(&mut bytes, page).ok().map(|()| bytes.into_boxed_slice())
            });
            let Some(read) = read else { break };
            let from = (at - page) as usize;
            let to = ((end - page).min(PAGE)) as usize;
            bytes.extend_from_slice(&read[from..to]);
            at = page + PAGE;
        }
        bytes
    }

    /// The word at an address.
    pub(super) fn word(&mut self, address: u64) -> Option<u64> {
        let bytes = self.read(address, 8);
        Some(u64::from_ne_bytes(bytes.try_into().ok()?))
    }

    /// A text with its end, if there is one within `most` bytes.
    pub(super) fn text(&mut self, address: u64, most: u64) -> Option<Vec<u8>> {
        let bytes = self.read(address, most);
        let end = bytes.iter().position(|&byte| byte == 0)?;
        Some(bytes[..=end].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_over_pages_and_not_where_there_is_none() {
        let mut memory = Memory::of(std::process::id() as i32).unwrap();
        let bytes: Vec<u8> = (0..20_000_u32).map(|n| n as u8).collect();
        let address = bytes.as_ptr() as u64;
        assert_eq!(memory.read(address, bytes.len() as u64), bytes);
        assert_eq!(memory.word(address), Some(0x0706_0504_0302_0100));
        assert_eq!(memory.text(address + 1, 300).map(|text| text.len()), Some(256));
        assert!(memory.read(16, 8).is_empty());
        assert!(memory.read(u64::MAX - 4, 8).is_empty());
        assert_eq!(memory.word(0), None);
    }
}
