//! The first record of a capture: which process this is and where it ran.

use crate::codec::{Cursor, Full, Malformed, Out};
use crate::record::Strings;

/// What is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Track {
    /// Every Python object and every allocation outside Python's heap.
    #[default]
    Objects,
    /// Allocations outside Python's object heap only.
    Heap,
}

/// Which process this capture is of.
///
/// ```text
/// run id 16 │ pid │ parent │ image │ started │ track │ native │ machine │ cgroup+1 │ exe │ cwd │ n │ n args
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start<'a> {
    /// Chosen once for a `memsight run`; the same in every process it followed.
    pub run_id: [u8; 16],
    /// Process id.
    pub pid: u32,
    /// The parent's process id when recording began.
    pub parent: u32,
    /// How many programs this process id had been before (0, or the count of `exec`s).
    pub image: u32,
    /// When recording began: nanoseconds since 1970 (CLOCK_REALTIME).
    pub started_unix_ns: u64,
    /// What is recorded.
    pub track: Track,
    /// Whether native stacks are recorded.
    pub native: bool,
    /// The machine's memory in bytes.
    pub machine_total_bytes: u64,
    /// The memory limit of the control group, in bytes, where there is one.
    pub cgroup_limit_bytes: Option<u64>,
    /// Path of the executable.
    pub executable: &'a [u8],
    /// The working folder.
    pub cwd: &'a [u8],
    /// The command line, program first.
    pub command: Strings<'a>,
}

impl<'a> Start<'a> {
    pub(crate) fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.raw(&self.run_id)?;
        out.int(self.pid.into())?;
        out.int(self.parent.into())?;
        out.int(self.image.into())?;
        out.int(self.started_unix_ns)?;
        out.byte(match self.track {
            Track::Objects => 0,
            Track::Heap => 1,
        })?;
        out.byte(self.native.into())?;
        out.int(self.machine_total_bytes)?;
        out.int(self.cgroup_limit_bytes.map_or(0, |limit| limit.saturating_add(1)))?;
        out.bytes(self.executable)?;
        out.bytes(self.cwd)?;
        self.command.encode(out)
    }

    pub(crate) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        let mut run_id = [0; 16];
        run_id.copy_from_slice(cursor.raw(16)?);
        Ok(Start {
            run_id,
            pid: cursor.int32()?,
            parent: cursor.int32()?,
            image: cursor.int32()?,
            started_unix_ns: cursor.int()?,
            track: match cursor.byte()? {
                0 => Track::Objects,
                1 => Track::Heap,
                _ => return Err(Malformed("a way of tracking")),
            },
            native: cursor.byte()? != 0,
            machine_total_bytes: cursor.int()?,
            cgroup_limit_bytes: cursor.int()?.checked_sub(1),
            executable: cursor.bytes()?,
            cwd: cursor.bytes()?,
            command: Strings::decode(cursor)?,
        })
    }
}
