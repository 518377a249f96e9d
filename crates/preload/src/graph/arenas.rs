//! Python's own allocator as it stands: its arenas, their pools, and how full each is.
//!
//! The recorder knows what was mapped. A map of the size of an arena is one if every
//! pool in it reads as a pool: `struct pool_header` (`Objects/obmalloc.c`, since 3.12
//! `Include/internal/pycore_obmalloc.h`) is the same in all versions.
//!
//! ```text
//! pool   used u32 │ … │ first free block │ next │ previous │ arena u32 │ class u32 │ next u32 │ last u32 │ blocks
//!        0              8                  16     24         32          36          40         44         48
//! ```
//!
//! *Next* is the place of the first block that was never used, *last* the last place for one.

use memsight_capture::{Arena, ArenaBlocks, ArenasEnd, Domain, NodeId, Pool, SnapshotRecord};
use memsight_recorder::Recorder;
use memsight_recorder::ledger::{Ledger, Sink, Stopped};
use memsight_recorder::maps::Purpose;
use memsight_recorder::syscall;

use super::Array;
use super::progress::At;
use super::walk::Walk;

/// Bytes of a pool's header (`POOL_OVERHEAD`).
const HEADER: usize = 48;

/// Size classes (`NB_SMALL_SIZE_CLASSES`), each 16 bytes larger than the one before.
const CLASSES: u32 = 32;

/// Pools of an arena, in all versions.
const POOLS: usize = 64;

/// The largest block of a pool (`SMALL_REQUEST_THRESHOLD`).
const LARGEST: u32 = 512;

/// Bytes of an arena and of a pool (`ARENA_BITS`, `POOL_BITS`).
fn sizes(minor: u32) -> (usize, usize) {
    match minor {
        ..10 => (256 << 10, 4 << 10),
        _ => (1 << 20, 16 << 10),
    }
}

/// What a pool's header says.
struct Header {
    arena: u32,
    state: State,
}

enum State {
    /// It was never given a size class.
    Fresh,
    /// It has no used block.
    Free,
    Used {
        block_bytes: usize,
        used: usize,
        /// Where the blocks end that were ever used.
        end: usize,
    },
}

impl Header {
    /// Reads what may be a pool's, or `None` if it is none.
    fn read(words: &[u32; HEADER / 4], pool_bytes: usize) -> Option<Header> {
        let (used, arena, class) = (words[0], words[8], words[9]);
        let (next, last) = (words[10] as usize, words[11] as usize);
        if class == 0 && next == 0 && last == 0 && used == 0 {
            return Some(Header { arena, state: State::Fresh });
        }
        let block_bytes = (class.checked_add(1)? as usize).checked_mul(16)?;
        let room = (pool_bytes - HEADER) / block_bytes;
        let is_pool = class < CLASSES
            && last == pool_bytes - block_bytes
            && (HEADER + block_bytes..=pool_bytes).contains(&next)
            && (next - HEADER).is_multiple_of(block_bytes)
            && used as usize <= room;
        let state = match used {
            0 => State::Free,
            _ => State::Used { block_bytes, used: used as usize, end: next },
        };
        is_pool.then_some(Header { arena, state })
    }
}

/// The headers of an arena's pools.
type Headers = [[u32; HEADER / 4]; POOLS];

/// Has the kernel copy the headers of so many pools, which fails where a map cannot be read.
fn read_headers(first: usize, pools: usize, pool_bytes: usize, headers: &mut Headers) -> bool {
    let mut from = [[0usize; 2]; POOLS];
    for (place, part) in from.iter_mut().enumerate().take(pools) {
        *part = [first + place * pool_bytes, HEADER];
    }
    let to = [headers.as_mut_ptr() as usize, pools * HEADER];
    // SAFETY: asks for this process's own number.
    let pid = unsafe { syscall!(GETPID) } as usize;
    // SAFETY: it writes no more than `to` has room for, and says so where `from` cannot be read.
    let read = unsafe { syscall!(PROCESS_VM_READV, pid, to.as_ptr(), 1, from.as_ptr(), pools, 0) };
    read == (pools * HEADER) as isize
}

impl<S: Sink> Walk<'_, S> {
    /// Says what arenas there are and what is in their pools.
    pub(super) fn write_arenas(&mut self, recorder: &Recorder, ledger: &Ledger) -> Result<(), Stopped> {
        let (arena_bytes, pool_bytes) = sizes(self.layout.minor);
        let mut maps = Array::<usize>::new();
        let mut result = Ok(());
        let told = recorder.for_each_map(|start, bytes, purpose| {
            if bytes == arena_bytes && purpose != Purpose::File && result.is_ok() {
                result = maps.push(start);
            }
        });
        result?;
        let mut end = ArenasEnd::default();
        if !told {
            end.missing = b"another thread was mapping memory when the snapshot was taken";
            return self.write(SnapshotRecord::ArenasEnd(end));
        }
        let mut arenas = Array::<usize>::new();
        for &start in maps.as_slice() {
            self.progress.step(At::Else);
            if self.write_arena(recorder, ledger, start, arena_bytes, pool_bytes)? {
                arenas.push(start)?;
            }
        }
        // They come by address, as the maps do.
        let starts = arenas.as_slice();
        // Most blocks lie in the arena that the one before lay in.
        let mut arena = 0;
        recorder.shadow.for_each(|address, slot| {
            // What asks for no bytes gets them from `malloc`.
            let is_small = (1..=LARGEST).contains(&slot.bytes);
            if !is_small || address.wrapping_sub(arena) < arena_bytes {
                return;
            }
            let at = starts.partition_point(|&start| start <= address);
            if at > 0 && address - starts[at - 1] < arena_bytes {
                arena = starts[at - 1];
                return;
            }
            let Some(group) = recorder.groups.try_get(slot.group) else { return };
            if matches!(group.domain(), Domain::Object | Domain::Mem) {
                end.elsewhere_blocks += 1;
                end.elsewhere_bytes += u64::from(slot.bytes);
            }
        });
        self.write(SnapshotRecord::ArenasEnd(end))
    }

    /// Writes what is in a map, if it is an arena.
    fn write_arena(
        &mut self,
        recorder: &Recorder,
        ledger: &Ledger,
        start: usize,
        bytes: usize,
        pool_bytes: usize,
    ) -> Result<bool, Stopped> {
        // Pools begin at multiples of their size; an arena need not.
        let first = start.next_multiple_of(pool_bytes);
        let pools = ((start + bytes - first) / pool_bytes).min(POOLS);
        let mut arena = Arena {
            address: start as u64,
            bytes: bytes as u64,
            pool_bytes: pool_bytes as u64,
            ..Arena::default()
        };
        let mut headers: Headers = [[0; HEADER / 4]; POOLS];
        if !read_headers(first, pools, pool_bytes, &mut headers) {
            return Ok(false);
        }
        let headers = &headers[..pools];
        let (mut number, mut used_bytes) = (None, 0);
        for words in headers {
            let Some(header) = Header::read(words, pool_bytes) else { return Ok(false) };
            match header.state {
                State::Fresh => arena.fresh_pools += 1,
                State::Free => arena.free_pools += 1,
                // All pools of an arena know it by the same number.
                State::Used { .. } if *number.get_or_insert(header.arena) != header.arena => {
                    return Ok(false);
                }
                State::Used { block_bytes, used, .. } => used_bytes += used * block_bytes,
            }
        }
        // Without a used block CPython gives an arena back: this is memory of another kind.
        if number.is_none() {
            return Ok(false);
        }
        self.write(SnapshotRecord::Arena(arena))?;
        let is_sparse = used_bytes <= bytes / 8;
        let mut others = Array::<ArenaBlocks>::new();
        for (place, words) in headers.iter().enumerate() {
            let pool = first + place * pool_bytes;
            let header = Header::read(words, pool_bytes);
            let Some(Header { state: State::Used { block_bytes, used, end }, .. }) = header else { continue };
            let (mut recorded, mut asked) = (0, 0);
            for block in (HEADER..end).step_by(block_bytes) {
                let Some(slot) = recorder.shadow.peek(pool + block) else { continue };
                recorded += 1;
                asked += u64::from(slot.bytes);
                if is_sparse && !self.is_objects(pool + block) {
                    let node = self.node_of(ledger, slot);
                    add(&mut others, node, slot.bytes.into())?;
                }
            }
            self.write(SnapshotRecord::Pool(Pool {
                place: place as u64,
                block_bytes: block_bytes as u64,
                blocks: ((pool_bytes - HEADER) / block_bytes) as u64,
                used: used as u64,
                recorded,
                asked,
            }))?;
        }
        others.as_slice().iter().try_for_each(|&row| self.write(SnapshotRecord::ArenaBlocks(row)))?;
        Ok(true)
    }
}

/// Counts a block. An arena that is sparse has few, of fewer places still.
fn add(rows: &mut Array<ArenaBlocks>, node: NodeId, bytes: u64) -> Result<(), Stopped> {
    if let Some(row) = rows.as_mut_slice().iter_mut().find(|row| row.node == node) {
        row.blocks += 1;
        row.bytes += bytes;
        return Ok(());
    }
    Ok(rows.push(ArenaBlocks { node, blocks: 1, bytes })?)
}
