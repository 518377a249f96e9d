//! The naive model: every event in a list, replayed from its beginning.

use memsight_capture::Domain;

use super::frames::{Map as Table, StackId};

/// Whose allocations: the stack and which allocator.
pub(super) type Key = (StackId, Domain);

/// Bytes of a page of the naive maps.
pub(super) const PAGE: usize = 4096;

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Allocated {
        thread: usize,
        key: Key,
        address: usize,
        bytes: u64,
    },
    /// `thread` is none if the recorder did not know which one it was.
    Freed {
        thread: Option<usize>,
        address: usize,
    },
    Mapped {
        key: Key,
        address: usize,
        bytes: usize,
    },
    Unmapped {
        address: usize,
        bytes: usize,
    },
    Tick,
}

/// Counters of a stack and domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) allocations: u64,
    pub(super) allocated_bytes: u64,
    pub(super) frees: u64,
    pub(super) freed_bytes: u64,
}

#[derive(Clone, Debug)]
struct Block {
    serial: usize,
    key: Key,
    birth: u32,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct Map {
    key: Key,
    birth: u32,
    pages: usize,
}

/// The state after some events.
#[derive(Clone, Debug, Default)]
pub(super) struct Naive {
    pub(super) tick: u32,
    serial: usize,
    blocks: Table<usize, Block>,
    pages: Table<usize, usize>,
    maps: Vec<Map>,
    last: Table<usize, usize>,
    pub(super) sums: Table<Key, Sum>,
    pub(super) temporary: Table<StackId, (u64, u64)>,
    pub(super) live_bytes: u64,
}

/// Blocks and bytes by whose they are and the tick they were allocated in.
pub(super) type Shares = Table<(Key, u32), (u64, u64)>;

impl Naive {
    /// The state at the beginning of a recording whose first tick is `tick`.
    pub(super) fn new(tick: u32) -> Self {
        Naive { tick, ..Naive::default() }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Allocated { thread, key, address, bytes } => {
                self.count_birth(key, *bytes);
                self.serial += 1;
                self.last.insert(*thread, self.serial);
                let block = Block { serial: self.serial, key: *key, birth: self.tick, bytes: *bytes };
                assert!(self.blocks.insert(*address, block).is_none(), "an address is given out twice");
            }
            Event::Freed { thread, address } => {
                let Some(block) = self.blocks.remove(address) else { return };
                self.count_death(&block.key, block.bytes, 1);
                if thread.is_some_and(|thread| self.last.get(&thread) == Some(&block.serial)) {
                    let temporary = self.temporary.entry(block.key.0).or_default();
                    *temporary = (temporary.0 + 1, temporary.1 + block.bytes);
                }
            }
            Event::Mapped { key, address, bytes } => {
                self.count_birth(key, *bytes as u64);
                for page in 0..bytes / PAGE {
                    assert!(self.pages.insert(address + page * PAGE, self.maps.len()).is_none());
                }
                self.maps.push(Map { key: *key, birth: self.tick, pages: bytes / PAGE });
            }
            Event::Unmapped { address, bytes } => {
                for page in 0..bytes / PAGE {
                    let Some(map) = self.pages.remove(&(address + page * PAGE)) else { continue };
                    self.maps[map].pages -= 1;
                    let last = self.maps[map].pages == 0;
                    let key = self.maps[map].key;
                    self.count_death(&key, PAGE as u64, last.into());
                }
            }
            Event::Tick => self.tick += 1,
        }
    }

    /// What is alive.
    pub(super) fn shares(&self) -> Shares {
        let mut shares = Shares::default();
        let mut add = |key: &Key, birth: u32, bytes: u64| {
            let share = shares.entry((*key, birth)).or_default();
            *share = (share.0 + 1, share.1 + bytes);
        };
        for block in self.blocks.values() {
            add(&block.key, block.birth, block.bytes);
        }
        for map in self.maps.iter().filter(|map| map.pages > 0) {
            add(&map.key, map.birth, (map.pages * PAGE) as u64);
        }
        shares
    }

    /// Addresses of the blocks that are alive.
    pub(super) fn addresses(&self) -> impl Iterator<Item = usize> {
        self.blocks.keys().copied()
    }

    fn count_birth(&mut self, key: &Key, bytes: u64) {
        let sum = self.sums.entry(*key).or_default();
        sum.allocations += 1;
        sum.allocated_bytes += bytes;
        self.live_bytes += bytes;
    }

    fn count_death(&mut self, key: &Key, bytes: u64, blocks: u64) {
        let sum = self.sums.entry(*key).or_default();
        sum.frees += blocks;
        sum.freed_bytes += bytes;
        self.live_bytes -= bytes;
    }
}

/// The peak of a list of events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NaivePeak {
    pub(super) tick: u32,
    pub(super) bytes: u64,
    pub(super) shares: Shares,
}

/// Replays the events twice: to find the first moment of most live bytes, and
/// to see what was alive then.
pub(super) fn peak(first_tick: u32, events: &[Event]) -> NaivePeak {
    let mut naive = Naive::new(first_tick);
    let (mut bytes, mut count) = (0, 0);
    for (i, event) in events.iter().enumerate() {
        naive.apply(event);
        if naive.live_bytes > bytes {
            (bytes, count) = (naive.live_bytes, i + 1);
        }
    }
    let mut naive = Naive::new(first_tick);
    events[..count].iter().for_each(|event| naive.apply(event));
    NaivePeak { tick: naive.tick, bytes, shares: naive.shares() }
}
