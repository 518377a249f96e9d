//! A reader of the records: encodes each, decodes it again, and holds it to
//! what the format promises (defined before used, a slot closed before it is
//! given out again).

use memsight_capture::{Cursor, Domain, NodeKind, Out, Peak, Record};

use super::frames::{Map, Stack, StackId};
use super::naive::{Key, Shares, Sum};
use crate::ledger::{Sink, Stopped};

/// A group whose slot is open.
#[derive(Debug)]
struct Open {
    key: Key,
    sum: Sum,
}

/// What the program does while a record is written.
type Meanwhile<'a> = Box<dyn FnMut(&Record<'_>) + 'a>;

/// What a capture says.
#[derive(Default)]
pub(super) struct Capture<'a> {
    codes: Vec<u32>,
    /// Stack of each node; of node 0, none.
    nodes: Vec<StackId>,
    open: Map<u32, Open>,
    pub(super) sums: Map<Key, Sum>,
    pub(super) temporary: Map<StackId, (u64, u64)>,
    pub(super) peak: Option<Peak>,
    pub(super) shares: Shares,
    pub(super) started: Vec<(u32, u32)>,
    pub(super) ended: Vec<u32>,
    pub(super) records: usize,
    /// Runs when a record arrives, in the middle of a tick.
    pub(super) meanwhile: Option<Meanwhile<'a>>,
}

impl Capture<'_> {
    /// Live blocks and bytes of all.
    pub(super) fn live(&self) -> (u64, u64) {
        self.sums.values().fold((0, 0), |live, sum| {
            (live.0 + sum.allocations - sum.frees, live.1 + sum.allocated_bytes - sum.freed_bytes)
        })
    }

    /// Slots that are open although nothing in them is alive.
    pub(super) fn open_but_dead(&self) -> usize {
        let dead = |open: &&Open| {
            open.sum.allocations == open.sum.frees && open.sum.allocated_bytes == open.sum.freed_bytes
        };
        self.open.values().filter(dead).count()
    }

    fn key(&self, node: u32, domain: Domain) -> Key {
        assert!(node > 0 && (node as usize) < self.nodes.len(), "node {node} is used but not defined");
        (self.nodes[node as usize], domain)
    }

    fn count(&mut self, key: &Key, counts: &memsight_capture::Group) {
        add(self.sums.entry(*key).or_default(), counts);
    }

    fn take(&mut self, record: &Record<'_>) {
        self.records += 1;
        assert!(self.peak.is_none() || matches!(record, Record::PeakShare(_) | Record::ThreadEnd(_)));
        match record {
            Record::Code(code) => {
                let text = code.first_line;
                assert_eq!(code.file, format!("file{text}.py").as_bytes());
                assert_eq!(code.name, format!("name{text}").as_bytes());
                assert_eq!(code.lines, vec![text as u8; text as usize % 5]);
                assert!(!self.codes.contains(&text), "code is defined twice");
                self.codes.push(text);
            }
            Record::Node(node) => {
                if self.nodes.is_empty() {
                    self.nodes.push(StackId::of(Stack { thread: u32::MAX, places: Vec::new() }));
                }
                assert!((node.parent.index()) < self.nodes.len(), "the parent is not defined");
                let stack = match node.kind {
                    NodeKind::Thread(thread) => {
                        assert_eq!(node.parent.0, 0);
                        Stack { thread: thread.0, places: Vec::new() }
                    }
                    NodeKind::Python { code, offset } => {
                        assert_ne!(node.parent.0, 0);
                        let mut stack = self.nodes[node.parent.index()].get();
                        stack.places.push((self.codes[code.index()], offset));
                        stack
                    }
                    NodeKind::Native { .. } => unreachable!(),
                };
                let stack = StackId::of(stack);
                assert!(!self.nodes.contains(&stack), "a node is defined twice");
                self.nodes.push(stack);
            }
            Record::GroupBirth(birth) => {
                let key = self.key(birth.node.0, birth.domain);
                self.count(&key, &birth.counts);
                let Some(slot) = birth.slot else {
                    assert_eq!(birth.counts.allocations, birth.counts.frees);
                    assert_eq!(birth.counts.allocated_bytes, birth.counts.freed_bytes);
                    return;
                };
                let mut sum = Sum::default();
                add(&mut sum, &birth.counts);
                let before = self.open.insert(slot.0, Open { key, sum });
                assert!(before.is_none(), "slot {} is given out while it is open", slot.0);
            }
            Record::GroupChange(change) => {
                let open = self.open.get_mut(&change.slot.0).expect("a change of a slot that is not open");
                add(&mut open.sum, &change.counts);
                let key = open.key;
                if change.closed {
                    let open = self.open.remove(&change.slot.0).unwrap();
                    assert_eq!(open.sum.allocations, open.sum.frees);
                    assert_eq!(open.sum.allocated_bytes, open.sum.freed_bytes);
                }
                self.count(&key, &change.counts);
            }
            Record::Temporary(temporary) => {
                let (stack, _) = self.key(temporary.node.0, Domain::Malloc);
                let sum = self.temporary.entry(stack).or_default();
                *sum = (sum.0 + temporary.allocations, sum.1 + temporary.bytes);
            }
            Record::Peak(peak) => assert!(self.peak.replace(*peak).is_none()),
            Record::PeakShare(share) => {
                let key = self.key(share.node.0, share.domain);
                let sum = self.shares.entry((key, share.birth.0)).or_default();
                *sum = (sum.0 + share.blocks, sum.1 + share.bytes);
            }
            Record::ThreadStart(start) => self.started.push((start.thread.0, start.tid)),
            Record::ThreadEnd(end) => self.ended.push(end.thread.0),
            other => panic!("the ledger does not write {other:?}"),
        }
    }
}

fn add(sum: &mut Sum, counts: &memsight_capture::Group) {
    sum.allocations += counts.allocations;
    sum.allocated_bytes += counts.allocated_bytes;
    sum.frees += counts.frees;
    sum.freed_bytes += counts.freed_bytes;
    assert!(
        sum.frees <= sum.allocations && sum.freed_bytes <= sum.allocated_bytes,
        "more freed than allocated"
    );
}

impl Sink for Capture<'_> {
    fn record(&mut self, record: &Record<'_>) -> Result<(), Stopped> {
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile(record);
        }
        let mut buffer = [0; 256];
        let mut out = Out::new(&mut buffer);
        record.encode(&mut out).expect("a record of a test is short");
        let mut cursor = Cursor::new(out.written());
        let read = Record::decode(&mut cursor).expect("what was encoded can be decoded");
        assert!(cursor.at_end());
        assert_eq!(&read, record);
        self.take(&read);
        Ok(())
    }

    fn thread_name(&mut self, tid: u32, name: &mut [u8; 16]) -> usize {
        let text = format!("thread {tid}");
        name[..text.len()].copy_from_slice(text.as_bytes());
        text.len()
    }
}
