//! Writes captures of known contents, for tests.

use std::path::Path;

use memsight_capture::chunk::{FILE_HEADER_LEN, HEADER_LEN, Header, MAX_PLAIN, file_header};
use memsight_capture::{
    CodeDef, CodeId, Domain, End, EndReason, Group, GroupBirth, GroupChange, GroupSlot, LineTable, NodeDef,
    NodeId, NodeKind, Out, Record, Start, Strings, ThreadIndex, ThreadStart, Tick, TickIndex, Track,
};

/// A capture that is being written.
pub struct Writer {
    file: Vec<u8>,
    plain: Vec<u8>,
    compressor: zstd_safe::CCtx<'static>,
    first: bool,
    codes: u32,
    nodes: u32,
    now: Tick,
}

/// A start record with nothing special about it.
pub fn start() -> Start<'static> {
    Start {
        run_id: *b"0123456789abcdef",
        pid: 4711,
        parent: 1,
        image: 0,
        started_unix_ns: 1_700_000_000_000_000_000,
        track: Track::Objects,
        native: false,
        machine_total_bytes: 16 << 30,
        cgroup_limit_bytes: Some(2_000_000_000),
        executable: b"/usr/bin/python3",
        cwd: b"/work",
        command: Strings::from_nul_ended(b"python3\0orders.py\0"),
    }
}

/// Counters of a group.
pub fn counts(allocations: u64, allocated_bytes: u64, frees: u64, freed_bytes: u64) -> Group {
    Group { allocations, allocated_bytes, frees, freed_bytes }
}

/// A capture's bytes with its records changed and framed anew, so that every
/// length and checksum is right and only the records are not. Each call of
/// `change` gets the records of one chunk.
pub fn reframed(capture: &[u8], mut change: impl FnMut(&mut Vec<u8>)) -> Vec<u8> {
    let mut file = capture[..FILE_HEADER_LEN.min(capture.len())].to_vec();
    let mut rest = &capture[file.len()..];
    let mut decompressor = zstd_safe::DCtx::create();
    let mut writer = Writer::empty();
    while let Some((header, after)) = rest.split_first_chunk::<HEADER_LEN>() {
        let header = Header::from_bytes(header).expect("a whole capture");
        let (stored, after) = after.split_at(header.stored as usize);
        rest = after;
        if header.stream_start {
            decompressor = zstd_safe::DCtx::create();
        }
        let mut records = vec![0; header.plain as usize];
        let mut output = zstd_safe::OutBuffer::around(&mut records[..]);
        let mut input = zstd_safe::InBuffer::around(stored);
        while input.pos() < stored.len() {
            decompressor.decompress_stream(&mut output, &mut input).expect("a whole capture");
        }
        change(&mut records);
        records.truncate(MAX_PLAIN);
        writer.plain = records;
        writer.flush();
    }
    file.append(&mut writer.file);
    file
}

impl Writer {
    /// A capture that begins with `start`.
    pub fn new(start: Start<'_>) -> Self {
        let mut writer = Self::empty();
        writer.file.extend_from_slice(&file_header());
        writer.put(Record::Start(start));
        writer
    }

    fn empty() -> Self {
        Writer {
            file: Vec::new(),
            plain: Vec::new(),
            compressor: zstd_safe::CCtx::create(),
            first: true,
            codes: 0,
            nodes: 0,
            now: Tick::default(),
        }
    }

    /// Appends a record.
    pub fn put(&mut self, record: Record<'_>) -> &mut Self {
        let mut buffer = vec![0; MAX_PLAIN];
        let mut out = Out::new(&mut buffer);
        record.encode(&mut out).expect("a test's record fits a chunk");
        if self.plain.len() + out.len() > MAX_PLAIN {
            self.flush();
        }
        self.plain.extend_from_slice(out.written());
        self
    }

    /// Ends the chunk.
    pub fn flush(&mut self) -> &mut Self {
        if self.plain.is_empty() {
            return self;
        }
        let mut stored = vec![0; zstd_safe::compress_bound(self.plain.len())];
        let mut output = zstd_safe::OutBuffer::around(&mut stored[..]);
        let mut input = zstd_safe::InBuffer::around(&self.plain);
        let flush = zstd_safe::zstd_sys::ZSTD_EndDirective::ZSTD_e_flush;
        while self.compressor.compress_stream2(&mut output, &mut input, flush).expect("it compresses") != 0 {}
        let len = output.pos();
        let header = Header::of(&stored[..len], self.plain.len(), self.first);
        self.first = false;
        self.file.extend_from_slice(&header.to_bytes());
        self.file.extend_from_slice(&stored[..len]);
        self.plain.clear();
        self
    }

    /// A thread and its root node.
    pub fn thread(&mut self, index: u32, name: &[u8]) -> NodeId {
        let thread = ThreadIndex(index);
        self.put(Record::ThreadStart(ThreadStart { thread, tid: 4711 + index, name }));
        self.node(NodeId(0), NodeKind::Thread(thread))
    }

    /// A frame of a function of one line.
    pub fn frame(&mut self, parent: NodeId, file: &str, name: &str, line: u32) -> NodeId {
        let code = CodeDef {
            file: file.as_bytes(),
            name: name.as_bytes(),
            first_line: line,
            table: LineTable::Lnotab39,
            lines: &[],
        };
        self.put(Record::Code(code));
        self.codes += 1;
        self.node(parent, NodeKind::Python { code: CodeId(self.codes - 1), offset: 0 })
    }

    /// The next node.
    pub fn node(&mut self, parent: NodeId, kind: NodeKind) -> NodeId {
        self.put(Record::Node(NodeDef { parent, kind }));
        self.nodes += 1;
        NodeId(self.nodes)
    }

    /// A group of Python objects; kept open if it has a slot.
    pub fn birth(&mut self, node: NodeId, slot: Option<u32>, counts: Group) -> &mut Self {
        self.birth_in(Domain::Object, node, slot, counts)
    }

    /// A group in some domain.
    pub fn birth_in(&mut self, domain: Domain, node: NodeId, slot: Option<u32>, counts: Group) -> &mut Self {
        self.now.live_bytes += counts.allocated_bytes - counts.freed_bytes;
        self.put(Record::GroupBirth(GroupBirth { node, domain, slot: slot.map(GroupSlot), counts }))
    }

    /// A change of a group.
    pub fn change(&mut self, slot: u32, closed: bool, counts: Group) -> &mut Self {
        self.now.live_bytes = self.now.live_bytes + counts.allocated_bytes - counts.freed_bytes;
        self.put(Record::GroupChange(GroupChange { slot: GroupSlot(slot), closed, counts }))
    }

    /// Ends the tick at `end_ms`, with what is live by the births and changes so far.
    pub fn tick(&mut self, end_ms: u64) -> &mut Self {
        self.now.end_ns = end_ms * 1_000_000;
        self.now.rss_bytes = self.now.live_bytes + 8_000_000;
        if self.now.live_bytes > self.now.peak_bytes {
            self.now.peak_bytes = self.now.live_bytes;
            self.now.peak_tick = self.now.index;
        }
        let tick = self.now;
        self.now.index = TickIndex(tick.index.0 + 1);
        self.put(Record::Tick(tick))
    }

    /// The last record.
    pub fn end(&mut self, at_ms: u64) -> &mut Self {
        self.put(Record::End(End { reason: EndReason::Exit, at_ns: at_ms * 1_000_000, detail: b"" }))
    }

    /// The file's bytes.
    pub fn bytes(&mut self) -> Vec<u8> {
        self.flush();
        self.file.clone()
    }

    /// Writes the file.
    pub fn save(&mut self, path: &Path) {
        let bytes = self.bytes();
        std::fs::write(path, bytes).expect("a test's capture can be written");
    }
}
