//! What a snapshot says of Python's own allocator: arenas, the pools in them, and how
//! full each is. Arenas and pools are CPython's (`Objects/obmalloc.c`).

use crate::codec::{Cursor, Full, Malformed, Out};
use crate::ids::NodeId;
use crate::objects::{SnapshotRecord, tag};

/// An arena of Python's own allocator. The pools that are said next lie in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arena {
    /// Where it begins.
    pub address: u64,
    /// Its size.
    pub bytes: u64,
    /// The size of a pool.
    pub pool_bytes: u64,
    /// Pools all of whose blocks were freed.
    pub free_pools: u64,
    /// Pools that never held a block.
    pub fresh_pools: u64,
}

/// A pool with used blocks, which are of one size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// Its place among the arena's pools, from 0.
    pub place: u64,
    /// The size of a block.
    pub block_bytes: u64,
    /// Blocks that it has room for.
    pub blocks: u64,
    /// Those that are used.
    pub used: u64,
    /// Of the used ones, those that the recorder saw allocated.
    pub recorded: u64,
    /// Bytes asked for those.
    pub asked: u64,
}

/// Blocks of the arena said last that are no objects. Said of arenas of which little is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArenaBlocks {
    /// The stack that allocated them.
    pub node: NodeId,
    /// How many.
    pub blocks: u64,
    /// Bytes asked for them.
    pub bytes: u64,
}

/// The arenas are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArenasEnd<'a> {
    /// Blocks small enough for a pool that lie in no arena that is known.
    pub elsewhere_blocks: u64,
    /// Bytes asked for those.
    pub elsewhere_bytes: u64,
    /// In words, why there is no telling; mostly empty.
    pub missing: &'a [u8],
}

impl Arena {
    /// `30 │ address (8 bytes) │ bytes │ pool bytes │ free pools │ fresh pools`
    pub(crate) fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.byte(tag::PRIVATE_HEAP)?;
        out.raw(&self.address.to_le_bytes())?;
        let Arena { address: _, bytes, pool_bytes, free_pools, fresh_pools } = *self;
        [bytes, pool_bytes, free_pools, fresh_pools].into_iter().try_for_each(|number| out.int(number))
    }
}

impl Pool {
    /// `30+1 │ place │ block bytes │ blocks │ used │ recorded │ asked`
    pub(crate) fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.byte(tag::PRIVATE_HEAP | 1 << 5)?;
        let Pool { place, block_bytes, blocks, used, recorded, asked } = *self;
        let all = [place, block_bytes, blocks, used, recorded, asked];
        all.into_iter().try_for_each(|number| out.int(number))
    }
}

impl ArenaBlocks {
    /// `30+3 │ node │ blocks │ bytes`
    pub(crate) fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.byte(tag::PRIVATE_HEAP | 3 << 5)?;
        out.int(self.node.0.into())?;
        out.int(self.blocks)?;
        out.int(self.bytes)
    }
}

impl ArenasEnd<'_> {
    /// `30+2 │ blocks │ bytes │ missing`
    pub(crate) fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.byte(tag::PRIVATE_HEAP | 2 << 5)?;
        out.int(self.elsewhere_blocks)?;
        out.int(self.elsewhere_bytes)?;
        out.bytes(self.missing)
    }
}

/// Reads what follows a tag of these.
pub(crate) fn decode<'a>(tag: u8, cursor: &mut Cursor<'a>) -> Result<SnapshotRecord<'a>, Malformed> {
    Ok(match tag >> 5 {
        0 => {
            let mut address = [0; 8];
            address.copy_from_slice(cursor.raw(8)?);
            SnapshotRecord::Arena(Arena {
                address: u64::from_le_bytes(address),
                bytes: cursor.int()?,
                pool_bytes: cursor.int()?,
                free_pools: cursor.int()?,
                fresh_pools: cursor.int()?,
            })
        }
        1 => SnapshotRecord::Pool(Pool {
            place: cursor.int()?,
            block_bytes: cursor.int()?,
            blocks: cursor.int()?,
            used: cursor.int()?,
            recorded: cursor.int()?,
            asked: cursor.int()?,
        }),
        2 => SnapshotRecord::ArenasEnd(ArenasEnd {
            elsewhere_blocks: cursor.int()?,
            elsewhere_bytes: cursor.int()?,
            missing: cursor.bytes()?,
        }),
        3 => SnapshotRecord::ArenaBlocks(ArenaBlocks {
            node: NodeId(cursor.int32()?),
            blocks: cursor.int()?,
            bytes: cursor.int()?,
        }),
        _ => return Err(Malformed("a part of the private heap")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_and_a_pool_are_as_drawn() {
        let mut buffer = [0; 32];
        let mut out = Out::new(&mut buffer);
        let arena = Arena { address: 0x0102, bytes: 300, pool_bytes: 64, free_pools: 2, fresh_pools: 1 };
        arena.encode(&mut out).unwrap();
        assert_eq!(out.written(), [0x1e, 2, 1, 0, 0, 0, 0, 0, 0, 0xac, 2, 64, 2, 1]);
        let mut out = Out::new(&mut buffer);
        Pool { place: 3, block_bytes: 48, blocks: 84, used: 5, recorded: 4, asked: 100 }
            .encode(&mut out)
            .unwrap();
        assert_eq!(out.written(), [0x3e, 3, 48, 84, 5, 4, 100]);
    }
}
