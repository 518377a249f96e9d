//! One run: the first process's capture and those of the processes it started.
//!
//! A followed process has its capture beside the first one's:
//!
//! ```text
//! STEM.msight          the first process
//! STEM.PID.msight      process PID
//! STEM.PID.K.msight    process PID after its K-th exec
//! ```
//! STEM is the first capture's for grandchildren too. All carry the run id of
//! the first; a file that doesn't is a stray of another run and left out.

use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use memsight_capture::{ChildKind, Reader, Record, read};

use crate::fold::fold;
use crate::lifetimes::Lifetimes;
use crate::peak::{ProgramPeak, find_peak};
use crate::recording::Recording;
use crate::{Amount, Counts};

/// Why a capture could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read as a capture.
    #[error(transparent)]
    Capture(#[from] read::Error),
}

/// More processes than this are not read in one run.
pub const MAX_PROCESSES: usize = 10_000;

/// One process's capture.
pub struct Process {
    /// The capture file.
    pub path: PathBuf,
    /// Its length in bytes when it was read.
    pub file_bytes: u64,
    /// Whether it was still being written when it was read.
    pub still_recorded: bool,
    /// What it says. The `peak` of its rows is its part of the *program's* peak.
    pub recording: Recording,
}

/// All processes of a run, the first one first.
pub struct Program {
    /// The captures, in the order they were found; never empty.
    pub processes: Vec<Process>,
    /// Process ids that were started but have no capture.
    pub not_recorded: Vec<u32>,
    /// Captures of children that could not be read, with the reason.
    pub unreadable: Vec<Error>,
    /// The moment of most live bytes over all processes.
    pub peak: ProgramPeak,
}

/// Is told how far reading is: bytes done of this file, and its length.
pub type Progress<'a> = &'a dyn Fn(&Path, u64, u64);

impl Program {
    /// Loads the capture at `path` and those of followed processes beside it.
    pub fn load(path: &Path, progress: Progress<'_>) -> Result<Self, Error> {
        let first = Process::load(path, progress)?;
        let run_id = first.recording.whereabouts.run_id;
        let mut program = Program {
            processes: vec![first],
            not_recorded: Vec::new(),
            unreadable: Vec::new(),
            peak: ProgramPeak::default(),
        };
        let mut failed = Vec::new();
        for (pid, path) in captures_beside(path) {
            match Process::load(&path, progress) {
                Ok(found) if found.recording.whereabouts.run_id == run_id => program.processes.push(found),
                Ok(_stray) => {}
                Err(error) => failed.push((pid, error)),
            }
        }
        program.processes[1..].sort_by_key(|process| process.recording.whereabouts.started_unix_ns);
        for (pid, error) in failed {
            // A damaged file of a process that is not of this run is a stray too.
            if program.is_known(pid) {
                program.unreadable.push(error);
            }
        }
        program.note_missing();
        program.peak = find_peak(&mut program.processes);
        Ok(program)
    }

    /// Whether a process of the run says that it started this one, or is it.
    fn is_known(&self, pid: u32) -> bool {
        self.processes.iter().any(|process| {
            let recording = &process.recording;
            recording.whereabouts.pid == pid || recording.children.iter().any(|child| child.pid == pid)
        })
    }

    fn note_missing(&mut self) {
        let has_capture = |pid| self.processes.iter().any(|process| process.recording.whereabouts.pid == pid);
        let children = self.processes.iter().flat_map(|process| &process.recording.children);
        let started = children.filter(|child| child.kind != ChildKind::Exec).map(|child| child.pid);
        let mut missing: Vec<u32> = started.filter(|&pid| !has_capture(pid)).collect();
        missing.sort_unstable();
        missing.dedup();
        self.not_recorded = missing;
    }

    /// The process that the run began with.
    pub fn first(&self) -> &Process {
        &self.processes[0]
    }

    /// What the command became: the first process after its last `exec`.
    pub fn last_image(&self) -> &Process {
        let pid = self.first().recording.whereabouts.pid;
        let images = self.processes.iter().filter(|process| process.recording.whereabouts.pid == pid);
        images.max_by_key(|process| process.recording.whereabouts.image).unwrap_or(self.first())
    }

    /// Sums over all processes.
    pub fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for process in &self.processes {
            totals.add(&process.recording.totals());
        }
        totals
    }

    /// How long blocks lived, over all processes.
    pub fn lifetimes(&self) -> Lifetimes {
        let mut all = Lifetimes::default();
        for process in &self.processes {
            all.merge(&process.recording.lifetimes);
        }
        all
    }

    /// When recording of the first process began, in nanoseconds since 1970.
    pub fn started_unix_ns(&self) -> u64 {
        self.first().recording.whereabouts.started_unix_ns
    }

    /// How long the first process ran in all its images, in nanoseconds.
    pub fn duration_ns(&self) -> u64 {
        let last = &self.last_image().recording;
        let since = last.whereabouts.started_unix_ns.saturating_sub(self.started_unix_ns());
        since.saturating_add(last.duration_ns)
    }

    /// Whether every process's capture is whole and each ended by itself.
    pub fn complete(&self) -> bool {
        self.unreadable.is_empty() && self.processes.iter().all(|process| process.recording.complete())
    }

    /// Whether any process is still being recorded.
    pub fn still_recorded(&self) -> bool {
        self.processes.iter().any(|process| process.still_recorded)
    }

    /// Allocations and frees that could not be recorded, over all processes.
    pub fn lost_events(&self) -> u64 {
        let ticks = self.processes.iter().filter_map(|process| process.recording.last_tick);
        ticks.fold(0, |sum, tick| sum.saturating_add(tick.lost_events))
    }

    /// What is alive at the end of each process, summed.
    pub fn live(&self) -> Amount {
        self.totals().live()
    }
}

impl Process {
    fn load(path: &Path, progress: Progress<'_>) -> Result<Self, Error> {
        let (mut reader, file_bytes, still_recorded) = open(path, progress)?;
        let missing_start = || read::Error::NoStart {
            path: path.into(),
            offset: 0,
            what: "it does not begin with a start record".into(),
        };
        let recording = fold(&mut reader).ok_or_else(missing_start)?;
        Ok(Process { path: path.into(), file_bytes, still_recorded, recording })
    }

    /// Opens the capture once more, for a second pass.
    pub(crate) fn reopen(&self) -> Option<Reader<BufReader<Counted<'_>>>> {
        open(&self.path, &|_, _, _| {}).ok().map(|(reader, ..)| reader)
    }
}

type Opened<'a> = (Reader<BufReader<Counted<'a>>>, u64, bool);

fn open<'a>(path: &'a Path, progress: Progress<'a>) -> Result<Opened<'a>, Error> {
    let io = |source| read::Error::Io { path: path.into(), source };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(io(std::io::ErrorKind::IsADirectory.into()).into());
    }
    // The writer holds the file locked for as long as it writes.
    let still_recorded = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    let counted = Counted { file, path, done: Cell::new(0), len: metadata.len(), progress };
    let reader = Reader::new(BufReader::with_capacity(1 << 16, counted), path)?;
    Ok((reader, metadata.len(), still_recorded))
}

/// A file that says how far it was read.
pub(crate) struct Counted<'a> {
    file: File,
    path: &'a Path,
    done: Cell<u64>,
    len: u64,
    progress: Progress<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let more = self.file.read(buffer)?;
        self.done.set(self.done.get().saturating_add(more as u64));
        (self.progress)(self.path, self.done.get(), self.len);
        Ok(more)
    }
}

/// The run that a capture says it is of: 16 bytes that all captures of a run share.
/// `None` if that cannot be read.
pub fn run_of(capture: &Path) -> Option<[u8; 16]> {
    match Reader::open(capture).ok()?.next_record()? {
        Record::Start(start) => Some(start.run_id),
        _ => None,
    }
}

/// Whether a file begins as a capture does, whatever became of the rest and
/// whichever version wrote it.
pub fn is_capture(path: &Path) -> bool {
    !matches!(
        Reader::open(path),
        Err(read::Error::Io { .. } | read::Error::Empty { .. } | read::Error::NotACapture { .. })
    )
}

/// Captures beside the first one that are named after it, and their process ids,
/// in the order of those and of their images. The folder is searched rather than
/// asking each process for its children: it does not see those of `system(3)`.
pub fn captures_beside(first: &Path) -> Vec<(u32, PathBuf)> {
    let name = first.file_name().unwrap_or_default().as_encoded_bytes();
    let dot = name.iter().rposition(|&byte| byte == b'.').filter(|&at| at > 0).unwrap_or(name.len());
    let (stem, suffix) = name.split_at(dot);
    let numbers_of = |other: &[u8]| {
        let numbers = other.strip_prefix(stem)?.strip_prefix(b".")?.strip_suffix(suffix)?;
        let numbers = std::str::from_utf8(numbers).ok()?;
        let (pid, image) = numbers.split_once('.').unwrap_or((numbers, "0"));
        Some((pid.parse::<u32>().ok()?, image.parse::<u32>().ok()?))
    };
    let folder = first.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(u32, u32, PathBuf)> = Vec::new();
    for entry in entries.flatten() {
        if let Some((pid, image)) = numbers_of(entry.file_name().as_encoded_bytes()) {
            found.push((pid, image, first.with_file_name(entry.file_name())));
        }
    }
    found.sort();
    found.truncate(MAX_PROCESSES);
    found.into_iter().map(|(pid, _, path)| (pid, path)).collect()
}
