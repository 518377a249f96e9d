//! Code that is the program's own: its file, its name, and what kind of frame it makes.

use memsight_capture::WordId;
use memsight_recorder::memory::{OutOfMemory, PageVec};
use memsight_recorder::table::{Table, mix};

use super::tracer::Tracer;
use crate::graph::content::Text;
use crate::python::word;
use crate::session::Path;

/// `co_flags` (`Include/cpython/code.h`): local variables are in the frame, not in a dict.
const OPTIMIZED: i32 = 1;

/// What is known of a code object.
#[derive(Clone, Copy)]
pub(super) struct Code {
    address: usize,
    /// Where its names are: an address may come to hold other code.
    identity: [usize; 3],
    pub(super) file: WordId,
    pub(super) function: WordId,
    /// Whether it is the program's own.
    pub(super) is_own: bool,
    /// Whether it is a function's.
    pub(super) is_function: bool,
}

#[derive(Default)]
pub(super) struct Codes {
    rows: PageVec<Code>,
    table: Table,
}

impl Tracer {
    /// What is known of a live code object.
    pub(super) fn code(&mut self, address: usize) -> Result<Code, OutOfMemory> {
        let fields = &self.walk.layout.code;
        let name = fields.qualname.unwrap_or(fields.name);
        // SAFETY: a live code object.
        let identity = unsafe {
            [
                word(address + fields.filename),
                word(address + name),
                ((address + fields.first_line) as *const u32).read() as usize,
            ]
        };
        let hash = mix(address as u64);
        let rows = &self.codes.rows;
        let row = self.codes.table.find(hash, |row| rows.as_slice()[row as usize].address == address);
        if let Some(row) = row {
            let known = self.codes.rows.as_slice()[row as usize];
            if known.identity == identity {
                return Ok(known);
            }
        }
        let fresh = self.read_code(address, identity)?;
        match row {
            Some(row) => self.codes.rows.as_mut_slice()[row as usize] = fresh,
            None => {
                self.codes.rows.push(fresh)?;
                self.codes.table.insert(self.codes.rows.len() as u32 - 1, hash)?;
            }
        }
        Ok(fresh)
    }

    fn read_code(&mut self, address: usize, identity: [usize; 3]) -> Result<Code, OutOfMemory> {
        let layout = self.walk.layout;
        let (mut file, mut function) = (Text::<1024>::new(), Text::<160>::new());
        // SAFETY: a live code object's names are strings.
        let flags = unsafe {
            file.push_str_object(identity[0], layout);
            function.push_str_object(identity[1], layout);
            ((address + layout.steps.code_flags) as *const i32).read()
        };
        let path = plain(file.as_bytes());
        let is_own = self.wanted.is_own(path.as_bytes());
        let mut fresh = Code {
            address,
            identity,
            file: WordId(0),
            function: WordId(0),
            is_own,
            is_function: flags & OPTIMIZED != 0,
        };
        if is_own {
            fresh.file = self.word(path.as_bytes())?;
            fresh.function = self.word(function.as_bytes())?;
        }
        Ok(fresh)
    }
}

/// A path without `.`, `..` and empty parts, as `memsight view` writes the program's.
fn plain(path: &[u8]) -> Path {
    let mut plain = Path::new();
    if path.first() != Some(&b'/') {
        plain.push(path);
        return plain;
    }
    let mut parts = [&[][..]; 128];
    let mut count = 0usize;
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => count = count.saturating_sub(1),
            _ if count < parts.len() => {
                parts[count] = part;
                count += 1;
            }
            _ => {}
        }
    }
    for part in &parts[..count] {
        plain.push(b"/");
        plain.push(part);
    }
    plain
}
