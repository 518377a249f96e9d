//! What is alive at the end, by type: read from the objects themselves.
//!
//! The writer does this while the program waits. A block of the object domain
//! need not be an object (a dict's table of keys is none), and where in the
//! block the object begins depends on the type. So a block counts for a type
//! only where the word that would be its type is proven to be one: it says so
//! itself, and its own type is a kind of type.

use memsight_capture::{Domain, Record, TypeId, TypeShare};
use memsight_recorder::Recorder;
use memsight_recorder::ledger::{Ledger, Sink, Stopped};
use memsight_recorder::memory::PageVec;
use memsight_recorder::table::{Table, mix};

use crate::proof::Proof;
use crate::python::{careful_read, word};
use crate::session::Session;

/// Where an object can begin in its block, in words: a plain one, one with the
/// collector's header, one with its dict and weak references before that.
const STARTS: [usize; 3] = [0, 2, 4];

const MAX_TYPE_NAME: usize = 120;

#[derive(Clone, Copy)]
struct Block {
    address: usize,
    node: u32,
    bytes: u32,
}

#[derive(Clone, Copy)]
struct Share {
    node: u32,
    type_id: u32,
    blocks: u64,
    bytes: u64,
}

struct Census<'a, S: Sink> {
    type_name: usize,
    proof: Proof,
    sink: &'a mut S,
    recorder: &'a Recorder,
    /// Addresses that were looked at, and the type they are (plus one) or 0.
    candidates: PageVec<(usize, u32)>,
    candidate_table: Table,
    types: u32,
    shares: PageVec<Share>,
    share_table: Table,
}

/// Writes the types of all live objects, by type and allocating node.
pub(crate) fn write(
    session: &Session,
    recorder: &Recorder,
    ledger: &mut Ledger,
    sink: &mut impl Sink,
) -> Result<(), Stopped> {
    let Some(layout) = session.python.object_layout() else { return Ok(()) };
    let mut census = Census {
        type_name: layout.tp_name,
        proof: Proof::new(layout, session.python.type_type()),
        sink,
        recorder,
        candidates: PageVec::new(),
        candidate_table: Table::default(),
        types: 0,
        shares: PageVec::new(),
        share_table: Table::default(),
    };
    let mut result = Ok(());
    recorder.shadow.for_each(|address, slot| {
        let Some(group) = recorder.groups.try_get(slot.group) else { return };
        if result.is_ok() && group.domain() == Domain::Object && slot.group > recorder.inherited_groups() {
            result = census.block(Block { address, node: group.node().0, bytes: slot.bytes });
        }
    });
    result?;
    let shares = core::mem::take(&mut census.shares);
    for share in shares.as_slice() {
        let node = ledger.node(recorder, sink, memsight_capture::NodeId(share.node))?;
        let type_id = TypeId(share.type_id);
        sink.record(&Record::TypeShare(TypeShare {
            node,
            type_id,
            blocks: share.blocks,
            bytes: share.bytes,
        }))?;
    }
    Ok(())
}

impl<S: Sink> Census<'_, S> {
    fn block(&mut self, block: Block) -> Result<(), Stopped> {
        for start in STARTS {
            let at = block.address + start * size_of::<usize>();
            if block.bytes as usize >= (start + 2) * size_of::<usize>()
                // SAFETY: both words lie in a block that CPython's allocator gave and has not
                // taken back, and the program waits.
                && let (references, candidate) = unsafe { (word(at), word(at + size_of::<usize>())) }
                && references != 0
                && let Some(type_id) = self.type_at(candidate)?
            {
                return self.add(block, type_id);
            }
        }
        Ok(())
    }

    fn add(&mut self, block: Block, type_id: u32) -> Result<(), Stopped> {
        let hash_of = |share: &Share| mix(u64::from(share.node) << 32 | u64::from(share.type_id));
        let fresh = Share { node: block.node, type_id, blocks: 0, bytes: 0 };
        let hash = hash_of(&fresh);
        let shares = &mut self.shares;
        let found = self.share_table.find(hash, |row| {
            let share = &shares.as_slice()[row as usize];
            share.node == block.node && share.type_id == type_id
        });
        let row = match found {
            Some(row) => row,
            None => {
                shares.push(fresh)?;
                let row = shares.len() as u32 - 1;
                self.share_table.insert(row, hash)?;
                row
            }
        };
        let share = &mut shares.as_mut_slice()[row as usize];
        share.blocks += 1;
        share.bytes += u64::from(block.bytes);
        Ok(())
    }

    /// The type at an address, if there is one.
    fn type_at(&mut self, address: usize) -> Result<Option<u32>, Stopped> {
        // The collector's header links to another block's beginning; no type is there.
        let is_block = || self.recorder.shadow.peek(address & !7).is_some();
        if address < 1 << 16 || address & 7 != 0 || address >> 47 != 0 || is_block() {
            return Ok(None);
        }
        let hash = mix(address as u64);
        let candidates = &self.candidates;
        let found = self.candidate_table.find(hash, |row| candidates.as_slice()[row as usize].0 == address);
        if let Some(row) = found {
            return Ok(self.candidates.as_slice()[row as usize].1.checked_sub(1));
        }
        let type_id = self.read_type(address)?;
        self.candidates.push((address, type_id.map_or(0, |id| id + 1)))?;
        let candidates = &self.candidates;
        let row = candidates.len() as u32 - 1;
        self.candidate_table.insert(row, hash)?;
        Ok(type_id)
    }

    fn read_type(&mut self, address: usize) -> Result<Option<u32>, Stopped> {
        let is_type = self.proof.is_type(address);
        let Some(text) = self.proof.word(address + self.type_name).filter(|_| is_type) else {
            return Ok(None);
        };
        let mut name = [0u8; MAX_TYPE_NAME];
        // A name may stand at the end of what is mapped.
        if !careful_read(text, name.as_mut_ptr(), name.len()) {
            let in_page = 4096 - (text & 4095);
            if !careful_read(text, name.as_mut_ptr(), in_page.min(name.len())) {
                return Ok(None);
            }
        }
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        let name = &name[..end];
        if name.is_empty() || name.iter().any(|&byte| byte < b' ') || core::str::from_utf8(name).is_err() {
            return Ok(None);
        }
        self.sink.record(&Record::TypeName(name))?;
        self.types += 1;
        Ok(Some(self.types - 1))
    }
}
