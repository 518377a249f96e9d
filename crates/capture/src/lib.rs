//! The capture file: what one recorded process leaves behind.
//!
//! A capture is a file header, then chunks. Each chunk carries a checksum and
//! a piece of one continuous zstd stream; the decompressed stream is a
//! sequence of [`Record`]s. Records describe the call tree once and then, tick
//! by tick, what changed: the *ledger*. `docs/capture-format.md` draws it byte
//! by byte and the tests beside each encoder hold the drawing to the bytes.
//!
//! The writing side ([`Record::encode`], [`chunk`]) is `no_std`, allocates
//! nothing and cannot fail but for a full buffer, since it runs next to a
//! program that must not notice. The reading side ([`read`], feature `read`)
//! takes whole, growing, torn and damaged files and never panics on any bytes.
//!
//! This crate knows nothing of processes, Python or analysis.
//!
//! ```
//! use memsight_capture::{Record, Cursor, Out, Tick};
//! let mut buffer = [0u8; 128];
//! let mut out = Out::new(&mut buffer);
//! Record::Tick(Tick { live_bytes: 42, ..Tick::default() }).encode(&mut out).unwrap();
//! let mut cursor = Cursor::new(out.written());
//! assert!(matches!(Record::decode(&mut cursor), Ok(Record::Tick(t)) if t.live_bytes == 42));
//! ```
#![cfg_attr(not(any(feature = "read", test)), no_std)]
#![forbid(unsafe_code)]

mod arenas;
pub mod ask;
pub mod chunk;
mod codec;
mod ids;
mod objects;
#[cfg(feature = "read")]
pub mod read;
mod record;
mod start;
mod step_value;
mod steps;

pub use arenas::{Arena, ArenaBlocks, ArenasEnd, Pool};
pub use codec::{Cursor, Full, Malformed, Out};
pub use ids::{CodeId, GroupSlot, NodeId, ObjectId, ThreadIndex, TickIndex, TypeId, WordId};
pub use objects::{
    Content, Edge, Label, LooseBlocks, Object, ObjectBytes, Root, RootKind, Snapshot, SnapshotEnd,
    SnapshotReason, SnapshotRecord,
};
#[cfg(feature = "read")]
pub use read::{Ending, Reader};
pub use record::{
    Child, ChildKind, CodeDef, Domain, End, EndReason, Gc, Group, GroupBirth, GroupChange, Interpreter,
    LineTable, NodeDef, NodeKind, Peak, PeakShare, Record, Strings, Temporary, ThreadEnd, ThreadStart, Tick,
    TypeShare,
};
pub use start::{Start, Track};
pub use step_value::StepValue;
pub use steps::{
    StepBegin, StepEvent, StepFrame, StepFrameKind, StepItem, StepKind, StepLabel, StepName, StepNameKind,
    StepObject, StepRecord, StepStanding, StepStream, StepTemporary, StepsOver,
};
