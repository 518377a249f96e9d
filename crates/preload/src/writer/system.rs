//! What the writer asks the kernel: the process, its memory, its limits.

use core::ffi::c_char;
use core::sync::atomic::{AtomicU64, Ordering};

use memsight_capture::ask;
use memsight_recorder::ledger::Stopped;
use memsight_recorder::{memory, syscall};

use crate::session::{Path, Session};
use crate::text::leading_number;

/// The recorded process, seen from the writer.
pub(super) struct Target {
    pid: u32,
    /// A descriptor that becomes readable when the process ends, or negative.
    pidfd: isize,
    /// A word that no other process has the same of.
    mark: &'static AtomicU64,
    /// Whether the kernel lets us read there at all.
    readable: bool,
}

impl Target {
    pub(super) fn open(session: &'static Session) -> Self {
        let pid = session.pid.load(Ordering::Relaxed);
        // SAFETY: pidfd_open takes a process id and flags.
        let pidfd = unsafe { syscall!(PIDFD_OPEN, pid, 0) };
        let mut target = Target { pid, pidfd, mark: &session.started_ns, readable: false };
        target.readable = target.read_mark().is_ok();
        target
    }

    /// Whether the process has ended.
    pub(super) fn is_gone(&self) -> bool {
        if self.pidfd < 0 {
            // SAFETY: signal 0 only asks whether the process exists.
            return unsafe { syscall!(KILL, self.pid, 0) } < 0;
        }
        // struct pollfd: descriptor, events asked for, events seen.
        let mut poll = [self.pidfd as u32, libc::POLLIN as u32];
        // SAFETY: polls one descriptor and does not wait.
        unsafe { syscall!(POLL, poll.as_mut_ptr(), 1, 0) == 1 }
    }

    /// Whether the process has another memory than ours now: it did an `exec`.
    /// Its memory is then read at an address of ours. The memory that we share
    /// may always be read, so a refusal says that it is another.
    pub(super) fn runs_another_program(&self) -> bool {
        match self.read_mark() {
            Ok(mark) => mark != self.mark.load(Ordering::Relaxed),
            Err(errno) => self.readable && (errno == libc::EFAULT || errno == libc::EPERM),
        }
    }

    fn read_mark(&self) -> Result<u64, i32> {
        let mut mark = 0u64;
        let local = [&raw mut mark as usize, size_of::<u64>()];
        let remote = [self.mark.as_ptr() as usize, size_of::<u64>()];
        // SAFETY: the kernel checks the remote address; the local one holds as much.
        let read = unsafe { syscall!(PROCESS_VM_READV, self.pid, local.as_ptr(), 1, remote.as_ptr(), 1, 0) };
        if read == size_of::<u64>() as isize { Ok(mark) } else { Err(-read.min(0) as i32) }
    }
}

/// `/proc/self/statm`, which is of the memory that we share.
pub(super) struct Statm(usize);

impl Statm {
    pub(super) fn open() -> Option<Self> {
        let file = open(c"/proc/self/statm".as_ptr());
        (file >= 0).then_some(Statm(file as usize))
    }

    /// Resident memory in bytes.
    pub(super) fn rss_bytes(&self) -> u64 {
        const PREAD64: usize = 17;
        let mut text = [0u8; 64];
        // SAFETY: reads into a buffer of this length.
        let len = unsafe {
            memsight_recorder::sys::syscall(
                PREAD64,
                [self.0, text.as_mut_ptr() as usize, text.len(), 0, 0, 0],
            )
        };
        let text = &text[..len.clamp(0, 64) as usize];
        let second = text.iter().position(|&byte| byte == b' ').map_or(text.len(), |at| at + 1);
        leading_number(&text[second..]).unwrap_or(0) * 4096
    }
}

/// What is said of a process once.
pub(super) struct Facts {
    pub(super) machine_total_bytes: u64,
    pub(super) cgroup_limit_bytes: Option<u64>,
    executable: &'static mut [u8],
    cwd: &'static mut [u8],
    command: &'static mut [u8],
}

const PATH: usize = 4096;
/// Of a longer command line the first part is kept.
const COMMAND: usize = 64 << 10;

impl Facts {
    /// Asks the kernel.
    pub(super) fn gather() -> Result<Self, Stopped> {
        let place = memory::map(2 * PATH + COMMAND)?;
        // SAFETY: a fresh mapping of this length, cut into three.
        let (executable, cwd, command) = unsafe {
            (
                core::slice::from_raw_parts_mut(place, PATH),
                core::slice::from_raw_parts_mut(place.add(PATH), PATH),
                core::slice::from_raw_parts_mut(place.add(2 * PATH), COMMAND),
            )
        };
        // SAFETY: both calls write at most the given length.
        let (exe_len, cwd_len) = unsafe {
            (
                syscall!(READLINK, c"/proc/self/exe".as_ptr(), executable.as_mut_ptr(), PATH),
                syscall!(GETCWD, cwd.as_mut_ptr(), PATH),
            )
        };
        let command_len = read_file(c"/proc/self/cmdline".as_ptr(), command);
        // struct sysinfo (sysinfo(2)): total memory is the fifth word, its unit at byte 104.
        let mut info = [0u64; 14];
        // SAFETY: sysinfo writes a structure of 112 bytes.
        unsafe { syscall!(SYSINFO, info.as_mut_ptr()) };
        let unit = u64::from(info[13] as u32).max(1);
        Ok(Facts {
            machine_total_bytes: info[4].saturating_mul(unit),
            cgroup_limit_bytes: cgroup_limit(),
            executable: &mut executable[..exe_len.clamp(0, PATH as isize) as usize],
            // getcwd counts its NUL.
            cwd: &mut cwd[..(cwd_len - 1).clamp(0, PATH as isize) as usize],
            command: &mut command[..command_len],
        })
    }

    pub(super) fn executable(&self) -> &[u8] {
        self.executable
    }

    pub(super) fn cwd(&self) -> &[u8] {
        self.cwd
    }

    pub(super) fn command(&self) -> &[u8] {
        self.command
    }
}

/// The memory limit of the control group: version 2's `memory.max`, or version
/// 1's `memory.limit_in_bytes`. A container sees its own group at the root.
fn cgroup_limit() -> Option<u64> {
    let mut groups = [0u8; 4096];
    let len = read_file(c"/proc/self/cgroup".as_ptr(), &mut groups);
    for line in groups[..len].split(|&byte| byte == b'\n') {
        let mut fields = line.splitn(3, |&byte| byte == b':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (base, file): (&[u8], &[u8]) = if controllers.is_empty() {
            (b"/sys/fs/cgroup", b"/memory.max")
        } else if controllers.split(|&byte| byte == b',').any(|name| name == b"memory") {
            (b"/sys/fs/cgroup/memory", b"/memory.limit_in_bytes")
        } else {
            continue;
        };
        let path: &[u8] = if path == b"/" { b"" } else { path };
        let limit = [path, b""].iter().find_map(|path| limit_in(base, path, file));
        if limit.is_some() {
            return limit;
        }
    }
    None
}

fn limit_in(base: &[u8], path: &[u8], file: &[u8]) -> Option<u64> {
    let mut name = Path::new();
    let whole = name.push(base) && name.push(path) && name.push(file);
    let mut text = [0u8; 32];
    let len = if whole { read_file(name.as_ptr(), &mut text) } else { 0 };
    // "max" is no number, and version 1 says "no limit" by a number near 2^63.
    leading_number(&text[..len]).filter(|&bytes| bytes < 1 << 60)
}

/// The kernel's name of a thread.
pub(super) fn thread_name(pid: u32, tid: u32, name: &mut [u8; 16]) -> usize {
    let mut path = Path::new();
    path.push(b"/proc/");
    path.push_number(pid.into());
    path.push(b"/task/");
    path.push_number(tid.into());
    path.push(b"/comm");
    let len = read_file(path.as_ptr(), name);
    name[..len].trim_ascii_end().len()
}

/// How far the main thread's stack has grown, in bytes.
pub(super) fn main_stack_bytes() -> Option<u64> {
    let file = open(c"/proc/self/maps".as_ptr());
    let file = usize::try_from(file).ok()?;
    let mut text = [0u8; 8192];
    let mut kept = 0;
    let found = loop {
        // SAFETY: reads into the rest of a buffer.
        let len = unsafe { syscall!(READ, file, text.as_mut_ptr().add(kept), text.len() - kept) };
        if len <= 0 {
            break None;
        }
        let end = kept + len as usize;
        let whole = text[..end].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let stack = text[..whole].split(|&byte| byte == b'\n').find(|line| line.ends_with(b"[stack]"));
        if let Some(line) = stack {
            break range_bytes(line);
        }
        text.copy_within(whole..end, 0);
        kept = if whole == 0 { 0 } else { end - whole };
    };
    // SAFETY: closes our own descriptor.
    unsafe { syscall!(CLOSE, file) };
    found
}

/// The length of `START-END …`, both in hexadecimal.
fn range_bytes(line: &[u8]) -> Option<u64> {
    let number = |text: &[u8]| {
        text.iter().try_fold(0u64, |sum, &digit| Some(sum << 4 | u64::from((digit as char).to_digit(16)?)))
    };
    let dash = line.iter().position(|&byte| byte == b'-')?;
    let space = line.iter().position(|&byte| byte == b' ')?;
    number(line.get(dash + 1..space)?)?.checked_sub(number(&line[..dash])?)
}

/// Closes all descriptors where `close_range` is not there: before Linux 5.9, and
/// in sandboxes that are older. One that stays open would keep a pipe of the
/// program's from ending.
pub(super) fn close_one_by_one() {
    let close = |descriptor: usize| {
        // SAFETY: closes a descriptor of this process's own copy.
        unsafe { syscall!(CLOSE, descriptor) };
    };
    // Where there are too many, there is one to read the others by then.
    (0..3).for_each(close);
    let Ok(folder) = usize::try_from(open(c"/proc/self/fd".as_ptr())) else {
        return (3..1 << 16).for_each(close);
    };
    let mut entries = [0u64; 512];
    loop {
        // SAFETY: it writes entries into a buffer of this length.
        let len = unsafe { syscall!(GETDENTS64, folder, entries.as_mut_ptr(), size_of_val(&entries)) }.max(0);
        // SAFETY: so many bytes were written.
        let mut rest = unsafe { core::slice::from_raw_parts(entries.as_ptr().cast::<u8>(), len as usize) };
        if rest.is_empty() {
            return close(folder);
        }
        // struct linux_dirent64: the entry's length at byte 16, its name at byte 19.
        while let Some(&[low, high, _, ref name @ ..]) = rest.get(16..) {
            if let Some(descriptor) = leading_number(name).filter(|&number| number != folder as u64) {
                close(descriptor as usize);
            }
            rest = rest.get(usize::from(u16::from_le_bytes([low, high])).max(1)..).unwrap_or_default();
        }
    }
}

fn open(path: *const c_char) -> isize {
    // SAFETY: open takes a NUL-ended path.
    unsafe { syscall!(OPEN, path, libc::O_RDONLY | libc::O_CLOEXEC, 0) }
}

/// Reads a file as far as the buffer goes, and gives the length.
fn read_file(path: *const c_char, to: &mut [u8]) -> usize {
    let Ok(file) = usize::try_from(open(path)) else { return 0 };
    let mut len = 0;
    while len < to.len() {
        // SAFETY: reads into the rest of the buffer.
        let more = unsafe { syscall!(READ, file, to.as_mut_ptr().add(len), to.len() - len) };
        if more <= 0 {
            break;
        }
        len += more as usize;
    }
    // SAFETY: closes our own descriptor.
    unsafe { syscall!(CLOSE, file) };
    len
}

/// Whether somebody asked for a snapshot since the last look (`memsight_capture::ask`).
pub(super) fn is_asked() -> bool {
    // struct siginfo (sigaction(2)): the number, a code in the second word, a value in the fourth.
    let mut info = [0u64; 16];
    let only = 1u64 << (ask::SIGNAL - 1);
    let no_time = [0u64; 2];
    let mut asked = false;
    // SAFETY: it reads a mask of eight bytes and a timespec, and writes a siginfo of 128 bytes.
    while unsafe { syscall!(RT_SIGTIMEDWAIT, &raw const only, info.as_mut_ptr(), no_time.as_ptr(), 8) } > 0 {
        asked |= info[1] as u32 as i32 == libc::SI_QUEUE && info[3] as usize == ask::VALUE;
    }
    asked
}
