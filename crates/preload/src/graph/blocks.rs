//! Which block is whose: an object's own, one that it alone uses, or nobody's.
//!
//! A list's items, a dict's table, a bytearray's bytes are blocks of their own.
//! An object is the owner of a block that a word of its own block, or of one
//! that it owns, points to: as good for numpy's arrays and for types that
//! nobody here knows as for a list.

use memsight_capture::{Domain, LooseBlocks, NodeId, ObjectBytes, Record, SnapshotRecord, TypeId};
use memsight_recorder::ledger::{Ledger, Sink, Stopped};
use memsight_recorder::shadow::Slot;
use memsight_recorder::table::{Table, mix};

use super::Array;
use super::held::HEAD;
use super::progress::At;
use super::types::{Kind, Type, flag};
use super::walk::Walk;
use crate::python::word;

/// A block of this many bytes or more is not searched: it holds data.
const LARGE: u32 = 64 << 10;

/// Bytes that may stand before an object in its block.
pub(super) const BEFORE: [usize; 3] = [0, 16, 32];

/// How far the search for owners is.
#[derive(Default)]
pub(super) struct Owned {
    /// Objects, by number, that were looked at.
    objects: usize,
    /// Blocks whose words are still to be looked at, and how many bytes of them.
    pending: Array<(usize, u32)>,
}

impl<S: Sink> Walk<'_, S> {
    /// Says what each object takes that was not yet looked at.
    pub(super) fn write_blocks(&mut self, owned: &mut Owned, ledger: &Ledger) -> Result<(), Stopped> {
        let recorder = self.recorder;
        while let Some(&address) = self.objects.as_slice().get(owned.objects) {
            let of = self.types.get(TypeId(self.types_of.as_slice()[owned.objects]));
            owned.objects += 1;
            self.progress.step(At::Blocks(of.address));
            let is_avoided = self.progress.avoids(At::Blocks(of.address));
            let before = of.bytes_before(self.layout.minor);
            let found = [before, BEFORE[0], BEFORE[1], BEFORE[2]].into_iter().find_map(|before| {
                let block = address.wrapping_sub(before);
                recorder.shadow.peek(block).map(|slot| (block, slot))
            });
            let mut bytes = ObjectBytes::default();
            if let Some((_, slot)) = found {
                bytes.node = self.node_of(ledger, slot);
                bytes.block = slot.bytes.into();
            }
            if let Some((block, slot)) = found.filter(|_| !is_avoided) {
                bytes.node = self.node_of(ledger, self.newest(address, &of, slot));
                let values = self.values_block(address, &of);
                let values = if values == 0 { None } else { self.own(values)? };
                bytes.buffers = values.map_or(0, u64::from);
                // Neither the head nor what stands before it points to a block.
                let first = address + HEAD;
                let up_to = |bytes: u32| (block + bytes as usize).saturating_sub(first) as u32;
                bytes.buffers += match of.kind {
                    Kind::List => {
                        let items = self.own(self.list_items(address).0)?;
                        items.map_or(0, u64::from)
                    }
                    Kind::Tuple => 0,
                    Kind::Leaf if of.has(flag::STR | flag::BYTES | flag::LONG) && slot.bytes < LARGE => {
                        self.own_all(owned, first, up_to(slot.bytes.min(of.size as u32)))?
                    }
                    Kind::Leaf => self.own_all(owned, first, up_to(slot.bytes.min(4096)))?,
                    _ => self.own_all(owned, first, up_to(slot.bytes))?,
                };
            }
            self.write(SnapshotRecord::ObjectBytes(bytes))?;
        }
        Ok(())
    }

    /// The block that tells where an object was made. Lists and dicts come from free lists
    /// whose blocks somebody else allocated: what they hold tells better.
    fn newest(&self, object: usize, of: &Type, own: Slot) -> Slot {
        let buffer = match of.kind {
            Kind::List => self.list_items(object).0,
            // SAFETY: a live dict: its table of keys (`ma_keys`) or, without one of its own, its values.
            Kind::Dict => unsafe { word(object + self.layout.references.dict_keys) },
            _ => return own,
        };
        self.recorder.shadow.peek(buffer).filter(|_| buffer & 15 == 0).unwrap_or(own)
    }

    /// What the capture knows of who allocated a block. Nothing is written here but the
    /// snapshot: this is a copy of the writer, and the writer would not know of it.
    pub(super) fn node_of(&self, ledger: &Ledger, slot: Slot) -> NodeId {
        let recorder = self.recorder;
        match recorder.groups.try_get(slot.group) {
            Some(group) if slot.group > recorder.inherited_groups() => ledger.written_node(group.node()),
            _ => NodeId(0),
        }
    }

    /// Takes the blocks that the words of this one point to, and what those point to.
    /// Gives their bytes.
    fn own_all(&mut self, owned: &mut Owned, block: usize, bytes: u32) -> Result<u64, Stopped> {
        let mut sum = 0;
        owned.pending.push((block, bytes))?;
        while let Some((block, bytes)) = owned.pending.pop() {
            for at in (0..(bytes as usize & !7)).step_by(8) {
                // SAFETY: the word lies in a live block.
                let target = unsafe { word(block + at) };
                let target = self.unused_frame(target).unwrap_or(target);
                if let Some(bytes) = self.own(target)? {
                    self.progress.tick();
                    sum += u64::from(bytes);
                    if bytes < LARGE && self.domain_of(target) != Some(Domain::Mmap) {
                        owned.pending.push((target, bytes))?;
                    }
                }
            }
        }
        Ok(sum)
    }

    /// The block of a frame object that waits to be used again: up to CPython 3.10 a code
    /// object keeps one (`co_zombieframe`).
    fn unused_frame(&self, address: usize) -> Option<usize> {
        const HEADER: usize = 16;
        if self.layout.minor > 10 || address & 15 != 0 || address >> 47 != 0 || address < HEADER {
            return None;
        }
        let slot =
            self.recorder.shadow.peek(address - HEADER).filter(|slot| slot.bytes as usize > 2 * HEADER)?;
        let is_objects = self.recorder.groups.try_get(slot.group)?.domain() == Domain::Object;
        // SAFETY: both words lie in a live block.
        let (count, of) = unsafe { (word(address), word(address + self.layout.object.ob_type)) };
        (is_objects && count == 0 && of == self.known.frame).then_some(address - HEADER)
    }

    fn domain_of(&self, block: usize) -> Option<Domain> {
        let slot = self.recorder.shadow.peek(block)?;
        Some(self.recorder.groups.try_get(slot.group)?.domain())
    }

    /// Takes the block at an address, if it is one that nobody has. Gives its bytes.
    fn own(&mut self, block: usize) -> Result<Option<u32>, Stopped> {
        if block & 15 != 0 || block >> 47 != 0 {
            return Ok(None);
        }
        let Some(slot) = self.recorder.shadow.peek(block) else { return Ok(None) };
        if self.is_objects(block) || self.numbers.is_owned(block) || self.object_at_block(block).is_some() {
            return Ok(None);
        }
        self.numbers.own(block)?;
        Ok(Some(slot.bytes))
    }

    /// Whether an object lies in a block.
    pub(super) fn is_objects(&self, block: usize) -> bool {
        BEFORE.iter().any(|before| self.is_object(block + before))
    }

    /// Says what is still nobody's of the blocks that were left over.
    pub(super) fn write_loose(&mut self, left: &Array<usize>, ledger: &Ledger) -> Result<(), Stopped> {
        let recorder = self.recorder;
        self.progress.step(At::Else);
        let mut loose = Array::<LooseBlocks>::new();
        let mut table = Table::default();
        for &address in left.as_slice() {
            let Some(slot) = recorder.shadow.peek(address) else { continue };
            let Some(group) = recorder.groups.try_get(slot.group) else { continue };
            if slot.group <= recorder.inherited_groups()
                || self.is_objects(address)
                || self.numbers.is_owned(address)
            {
                continue;
            }
            let fresh = LooseBlocks { node: group.node(), domain: group.domain(), blocks: 0, bytes: 0 };
            add(&mut loose, &mut table, fresh, slot.bytes.into())?;
        }
        for row in loose.as_slice() {
            let node = ledger.written_node(row.node);
            self.sink.record(&Record::Snapshot(SnapshotRecord::LooseBlocks(LooseBlocks { node, ..*row })))?;
        }
        Ok(())
    }
}

fn add(
    loose: &mut Array<LooseBlocks>,
    table: &mut Table,
    fresh: LooseBlocks,
    bytes: u64,
) -> Result<(), Stopped> {
    let hash = mix(u64::from(fresh.node.0) << 3 | fresh.domain as u64);
    let rows = &*loose;
    let same = |row: u32| {
        let row = &rows.as_slice()[row as usize];
        row.node == fresh.node && row.domain == fresh.domain
    };
    let row = match table.find(hash, same) {
        Some(row) => row,
        None => {
            loose.push(fresh)?;
            table.insert(loose.len() as u32 - 1, hash)?;
            loose.len() as u32 - 1
        }
    };
    let row = &mut loose.as_mut_slice()[row as usize];
    row.blocks += 1;
    row.bytes += bytes;
    Ok(())
}
