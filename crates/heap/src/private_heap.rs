//! Python's own allocator at the moment of a snapshot: size classes, and the arenas that
//! few blocks keep.
//!
//! ```text
//! arena 1 MiB (256 KiB to 3.9)
//!   pool 16 KiB (4 KiB): header │ block │ block │ … │ rest      blocks of one size, 16 to 512
//! ```
//!
//! An arena is given back to the system when none of its blocks is used.

use memsight_capture::{Arena, ArenaBlocks, ArenasEnd, Pool};

use crate::NodeId;
use crate::graph::Graph;

/// The arenas, in the order of their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateHeap {
    arenas: Vec<Arena>,
    /// With the place of their arena.
    pools: Vec<(u32, Pool)>,
    /// Blocks that are no objects, with the place of their arena.
    others: Vec<(u32, ArenaBlocks)>,
    end: Option<(u64, u64, String)>,
}

/// The pools of one size of block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeClass {
    /// The size of a block.
    pub block_bytes: u64,
    /// How many pools have a used block.
    pub pools: u64,
    /// Blocks that are used.
    pub used_blocks: u64,
    /// Blocks that are free, in these pools.
    pub free_blocks: u64,
    /// Of the used blocks, those whose allocation was recorded.
    pub recorded_blocks: u64,
    /// Bytes asked for those.
    pub asked_bytes: u64,
}

impl SizeClass {
    /// Of the recorded blocks, bytes that nobody asked for: sizes are rounded up.
    pub fn rounding_bytes(&self) -> u64 {
        (self.recorded_blocks.saturating_mul(self.block_bytes)).saturating_sub(self.asked_bytes)
    }
}

/// What all arenas come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrivateTotal {
    /// How many there are.
    pub arenas: u64,
    /// Their bytes.
    pub arena_bytes: u64,
    /// The size of a pool.
    pub pool_bytes: u64,
    /// Pools with a used block.
    pub pools: u64,
    /// Pools without: they held blocks once, or never did.
    pub free_pools: u64,
    /// Bytes of used blocks.
    pub used_bytes: u64,
    /// Bytes of free blocks and of free pools.
    pub free_bytes: u64,
    /// Bytes of headers, and of the rests in which no block fits.
    pub overhead_bytes: u64,
}

/// An arena of which little is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseArena {
    /// Where it begins.
    pub address: u64,
    /// Its size.
    pub bytes: u64,
    /// Blocks that are used.
    pub used_blocks: u64,
    /// Their bytes.
    pub used_bytes: u64,
    /// Whether it has pools that never held a block: it is young, not worn.
    pub is_young: bool,
    /// The objects in it.
    pub objects: Vec<NodeId>,
    /// The blocks in it that are no objects, by the stack that allocated them.
    pub others: Vec<ArenaBlocks>,
}

impl PrivateHeap {
    pub(crate) fn arena(&mut self, arena: Arena) {
        self.arenas.push(arena);
    }

    pub(crate) fn pool(&mut self, pool: Pool) {
        if let Some(last) = self.last() {
            self.pools.push((last, pool));
        }
    }

    pub(crate) fn blocks(&mut self, blocks: ArenaBlocks) {
        if let Some(last) = self.last() {
            self.others.push((last, blocks));
        }
    }

    /// The place of the arena said last. A pool before any is nobody's: the capture is
    /// damaged there.
    fn last(&self) -> Option<u32> {
        self.arenas.len().checked_sub(1).and_then(|last| u32::try_from(last).ok())
    }

    pub(crate) fn end(&mut self, end: &ArenasEnd<'_>) {
        let missing = String::from_utf8_lossy(end.missing).into_owned();
        self.end = Some((end.elsewhere_blocks, end.elsewhere_bytes, missing));
    }

    /// Why there is nothing to be told, in words.
    pub fn missing(&self) -> Option<&str> {
        match &self.end {
            None => Some("this capture is of a memsight that did not record it"),
            Some((_, _, missing)) if !missing.is_empty() => Some(missing),
            Some(_) if self.arenas.is_empty() => {
                Some("Python's own allocator has no arena; PYTHONMALLOC may have turned it off")
            }
            Some(_) => None,
        }
    }

    /// Blocks that are small enough for a pool and lie in no arena that is known, and
    /// the bytes asked for them.
    pub fn elsewhere(&self) -> (u64, u64) {
        self.end.as_ref().map_or((0, 0), |&(blocks, bytes, _)| (blocks, bytes))
    }

    /// The pools that have used blocks.
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().map(|(_, pool)| pool)
    }

    /// By size of block, the smallest first.
    pub fn classes(&self) -> Vec<SizeClass> {
        let mut classes = std::collections::BTreeMap::<u64, SizeClass>::new();
        for pool in self.pools() {
            let class = classes.entry(pool.block_bytes).or_default();
            class.block_bytes = pool.block_bytes;
            class.pools += 1;
            class.used_blocks = class.used_blocks.saturating_add(pool.used);
            class.free_blocks = class.free_blocks.saturating_add(pool.blocks.saturating_sub(pool.used));
            class.recorded_blocks = class.recorded_blocks.saturating_add(pool.recorded);
            class.asked_bytes = class.asked_bytes.saturating_add(pool.asked);
        }
        classes.into_values().collect()
    }

    /// What all come to.
    pub fn total(&self) -> PrivateTotal {
        let sum = |of: &dyn Fn(&Arena) -> u64| self.arenas.iter().map(of).fold(0, u64::saturating_add);
        let free_pools = sum(&|arena| arena.free_pools.saturating_add(arena.fresh_pools));
        let arena_bytes = sum(&|arena| arena.bytes);
        let free_pool_bytes =
            sum(&|arena| arena.free_pools.saturating_add(arena.fresh_pools).saturating_mul(arena.pool_bytes));
        let (mut used_bytes, mut free_bytes) = (0u64, free_pool_bytes);
        for class in self.classes() {
            used_bytes = used_bytes.saturating_add(class.used_blocks.saturating_mul(class.block_bytes));
            free_bytes = free_bytes.saturating_add(class.free_blocks.saturating_mul(class.block_bytes));
        }
        PrivateTotal {
            arenas: self.arenas.len() as u64,
            arena_bytes,
            pool_bytes: self.arenas.first().map_or(0, |arena| arena.pool_bytes),
            pools: self.pools.len() as u64,
            free_pools,
            used_bytes,
            free_bytes,
            overhead_bytes: arena_bytes.saturating_sub(used_bytes).saturating_sub(free_bytes),
        }
    }

    /// Arenas of which at most an eighth is used, the emptiest first.
    pub fn sparse(&self, graph: &Graph) -> Vec<SparseArena> {
        let mut used = vec![(0u64, 0u64); self.arenas.len()];
        for (arena, pool) in &self.pools {
            let (blocks, bytes) = &mut used[*arena as usize];
            *blocks = blocks.saturating_add(pool.used);
            *bytes = bytes.saturating_add(pool.used.saturating_mul(pool.block_bytes));
        }
        let mut others = vec![Vec::new(); self.arenas.len()];
        for &(arena, blocks) in &self.others {
            others[arena as usize].push(blocks);
        }
        let mut sparse: Vec<SparseArena> = self
            .arenas
            .iter()
            .zip(used)
            .zip(others)
            .filter(|((arena, (_, bytes)), _)| *bytes <= arena.bytes / 8)
            .map(|((arena, (used_blocks, used_bytes)), others)| SparseArena {
                address: arena.address,
                bytes: arena.bytes,
                used_blocks,
                used_bytes,
                is_young: arena.fresh_pools > 0,
                objects: Vec::new(),
                others,
            })
            .collect();
        sparse.sort_by_key(|arena| arena.address);
        if !sparse.is_empty() {
            for node in graph.nodes() {
                let address = graph.address(node);
                let after = sparse.partition_point(|arena| arena.address <= address);
                let Some(arena) = after.checked_sub(1).map(|at| &mut sparse[at]) else { continue };
                if address - arena.address < arena.bytes {
                    arena.objects.push(node);
                }
            }
        }
        sparse.sort_by_key(|arena| (arena.used_bytes, arena.address));
        sparse
    }
}

#[cfg(test)]
mod tests {
    use memsight_capture::{Arena, ArenasEnd, Pool};

    use super::*;
    use crate::{Follow, GraphBuilder, Object};

    const OTHERS: ArenaBlocks = ArenaBlocks { node: memsight_capture::NodeId(7), blocks: 9, bytes: 400 };

    fn heap() -> PrivateHeap {
        let mut heap = PrivateHeap::default();
        let arena = |address, free_pools, fresh_pools| Arena {
            address,
            bytes: 1 << 20,
            pool_bytes: 1 << 14,
            free_pools,
            fresh_pools,
        };
        let pool = |place, block_bytes, used, recorded, asked| Pool {
            place,
            block_bytes,
            blocks: (16384 - 48) / block_bytes,
            used,
            recorded,
            asked,
        };
        heap.pool(pool(0, 16, 1, 1, 1));
        heap.arena(arena(0x100_0000, 62, 0));
        heap.pool(pool(0, 48, 340, 340, 340 * 41));
        heap.pool(pool(63, 512, 1, 0, 0));
        heap.arena(arena(0x200_0000, 0, 63));
        heap.pool(pool(5, 48, 40, 30, 30 * 48));
        heap.blocks(OTHERS);
        heap.end(&ArenasEnd::default());
        heap
    }

    #[test]
    fn classes_and_totals_add_up_to_the_arenas() {
        let heap = heap();
        let [small, large] = heap.classes()[..] else { panic!("two sizes of blocks") };
        assert_eq!((small.pools, small.used_blocks, small.free_blocks), (2, 380, 300));
        assert_eq!(small.rounding_bytes(), 340 * 7);
        assert_eq!((large.block_bytes, large.free_blocks, large.rounding_bytes()), (512, 30, 0));
        let total = heap.total();
        assert_eq!((total.arenas, total.pools, total.free_pools), (2, 3, 125));
        assert_eq!(total.used_bytes, 380 * 48 + 512);
        assert_eq!(total.free_bytes, 300 * 48 + 30 * 512 + 125 * 16384);
        // Three headers, and what is left behind the last block: 16 of 48 and 464 of 512.
        assert_eq!(total.overhead_bytes, 3 * 48 + 16 * 2 + 464);
        assert_eq!(total.used_bytes + total.free_bytes + total.overhead_bytes, 2 << 20);
    }

    #[test]
    fn an_arena_of_few_blocks_is_told_with_the_objects_in_it() {
        let mut builder = GraphBuilder::new();
        let list = builder.add_type("list").unwrap();
        for address in [0xff_fff0, 0x100_0010, 0x110_0000, 0x200_0040] {
            builder.add_object(Object { address, type_id: list, bytes: 56, shared: false }).unwrap();
        }
        let graph = builder.finish(Follow::Usual);
        let sparse = heap().sparse(&graph);
        assert_eq!(sparse.len(), 2);
        assert_eq!((sparse[0].address, sparse[0].used_blocks, sparse[0].is_young), (0x200_0000, 40, true));
        assert_eq!(sparse[0].objects, [NodeId(3)]);
        assert_eq!((&sparse[0].others[..], &sparse[1].others[..]), (&[OTHERS][..], &[][..]));
        assert_eq!((sparse[1].used_bytes, sparse[1].is_young), (340 * 48 + 512, false));
        assert_eq!(sparse[1].objects, [NodeId(1)]);
    }

    #[test]
    fn numbers_that_cannot_be_true_are_added_without_harm() {
        const MAX: u64 = u64::MAX;
        let mut heap = PrivateHeap::default();
        for _ in 0..2 {
            let arena =
                Arena { address: MAX, bytes: MAX, pool_bytes: MAX, free_pools: MAX, fresh_pools: MAX };
            heap.arena(arena);
            for (blocks, used) in [(MAX, MAX), (0, MAX), (MAX, 0)] {
                heap.pool(Pool { place: MAX, block_bytes: MAX, blocks, used, recorded: MAX, asked: MAX });
            }
        }
        let total = heap.total();
        assert_eq!((total.arenas, total.pools, total.used_bytes, total.overhead_bytes), (2, 6, MAX, 0));
        assert_eq!(heap.classes()[0].used_blocks, MAX);
        assert!(heap.sparse(&GraphBuilder::new().finish(Follow::Usual)).is_empty());
    }

    #[test]
    fn what_is_not_there_is_said() {
        let mut heap = PrivateHeap::default();
        assert!(heap.missing().unwrap().contains("did not record"));
        heap.end(&ArenasEnd::default());
        assert!(heap.missing().unwrap().contains("PYTHONMALLOC"));
        heap.end(&ArenasEnd { missing: b"busy", ..ArenasEnd::default() });
        assert_eq!(heap.missing(), Some("busy"));
    }
}
