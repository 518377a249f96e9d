//! Asks a running recording for a snapshot, and waits until it is in the capture.
//!
//! The writer is found by its name and by the capture that it has open, which says
//! whose it is. How it is asked, and answers, stands in [`memsight_capture::ask`].

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use memsight_capture::ask::{self, Answer};
use memsight_capture::{Reader, Record, Track};

use crate::sys;
use crate::terminal::{clear_progress, progress, say, stderr_is_terminal};

/// The writer looks at least every 20 ms; a stopped or very busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so long without an allocation it is said what that means.
const QUIET: Duration = Duration::from_secs(3);

/// The recording of a running process.
struct Writer {
    id: u32,
    capture: PathBuf,
    track: Track,
}

/// Has the process take a snapshot now, and gives the capture that it is in.
pub(super) fn snapshot_of(pid: u32) -> Result<PathBuf> {
    let process = Path::new("/proc").join(pid.to_string());
    let Ok(found) = fs::metadata(&process) else {
        bail!("{pid}: there is no such process (and no file of this name); it may have ended");
    };
    let name = name_of(pid).unwrap_or_default();
    let (user, _) = sys::user_and_group();
    if user != 0 && found.uid() != user {
        bail!(
            "{pid}: process {pid} ({name}) belongs to another user, {}; ask as that user, or as root",
            found.uid()
        );
    }
    let writers = writers(&process);
    let Some(writer) = writers.iter().find_map(|&id| writer_of(id, pid)) else {
        if let Some(child) = children(pid).into_iter().find(|&child| is_recorded(child)) {
            bail!("{pid}: this is memsight itself; ask the program that it records: memsight heap {child}");
        }
        bail!(
            "{pid}: process {pid} ({name}) is not being recorded; \
             only a program that was started with memsight can be asked: memsight run -- PROGRAM"
        );
    };
    wait_for_snapshot(&writer, pid, &name)?;
    Ok(writer.capture)
}

fn wait_for_snapshot(writer: &Writer, pid: u32, name: &str) -> Result<()> {
    let before = answer_of(writer.id).map_or(0, |(_, number)| number);
    sys::send_value(writer.id as i32, ask::SIGNAL, ask::VALUE)
        .with_context(|| format!("{pid}: its writer, process {}, cannot be asked", writer.id))?;
    let began = Instant::now();
    let (mut said, mut shown) = (false, Instant::now());
    let result = loop {
        std::thread::sleep(Duration::from_millis(5));
        let waited = began.elapsed();
        let answer = answer_of(writer.id);
        let due = shown.elapsed() > Duration::from_millis(200) && waited > Duration::from_secs(1);
        if due {
            shown = Instant::now();
        }
        match answer {
            _ if !Path::new("/proc").join(writer.id.to_string()).exists() || is_dead(writer.id) => {
                break ended(writer, pid, name);
            }
            Some((Answer::Taken, number)) if number != before => break Ok(()),
            Some((Answer::Fails, number)) if number != before => {
                break Err(anyhow::anyhow!(
                    "{pid}: process {pid} ({name}) could not be copied or its copy not be walked: \
                     there may be too little memory for a second process of its size; it runs on as before"
                ));
            }
            Some((Answer::Never, number)) if number != before => break Err(never(writer, pid, name)),
            Some((Answer::Asked, number)) if number != before => {
                said = said || waited > QUIET && tell_to_wait(writer, pid, name, waited);
            }
            Some((Answer::Walks, _)) => tell_of_walk(writer, pid, name, waited, due),
            _ if waited > PATIENCE => {
                break Err(anyhow::anyhow!(
                    "{pid}: its writer, process {}, does not answer: it may be stopped, or of another \
                     version of memsight",
                    writer.id
                ));
            }
            _ => {}
        }
    };
    clear_progress();
    result
}

/// Says that nothing happens, and why. Always `true`: it was said.
fn tell_to_wait(writer: &Writer, pid: u32, name: &str, waited: Duration) -> bool {
    clear_progress();
    say(&format!(
        "memsight: process {pid} ({name}) has made no Python object for {} s: it sleeps, waits, or is in C \
         code. Waiting until it does; Ctrl-C stops waiting. The snapshot is then taken all the same, and \
         memsight heap {} shows it",
        waited.as_secs(),
        writer.capture.display()
    ));
    true
}

/// Says how far the walk is, where somebody watches.
fn tell_of_walk(writer: &Writer, pid: u32, name: &str, waited: Duration, due: bool) {
    if due && stderr_is_terminal() {
        let written = fs::metadata(&writer.capture).map_or(0, |file| file.len());
        progress(&format!(
            "walking a copy of process {pid} ({name}): {} s, {} in the capture",
            waited.as_secs(),
            memsight_report::units::bytes(written)
        ));
    }
}

/// The writer has gone: with the program, and perhaps with a last snapshot.
fn ended(writer: &Writer, pid: u32, name: &str) -> Result<()> {
    if has_snapshot(&writer.capture) {
        say(&format!("memsight: process {pid} ({name}) has ended; this is its last snapshot"));
        return Ok(());
    }
    bail!(
        "{pid}: process {pid} ({name}) ended before it could be asked; \
         memsight report {} shows what was recorded",
        writer.capture.display()
    )
}

fn has_snapshot(capture: &Path) -> bool {
    let Ok(mut reader) = Reader::open(capture) else { return false };
    while let Some(record) = reader.next_record() {
        if matches!(record, Record::Snapshot(memsight_capture::SnapshotRecord::End(_))) {
            return true;
        }
    }
    false
}

fn never(writer: &Writer, pid: u32, name: &str) -> anyhow::Error {
    if writer.track == Track::Heap {
        return anyhow::anyhow!(
            "{pid}: process {pid} ({name}) is recorded with --track heap, which leaves Python's objects out; \
             start it without that to ask for them"
        );
    }
    anyhow::anyhow!(
        "{pid}: process {pid} ({name}) has no Python whose objects can be walked: it is no Python program, \
         has several interpreters, or is a CPython that memsight does not know (3.9 to 3.13 it does); \
         memsight report {} shows its allocations",
        writer.capture.display()
    )
}

fn answer_of(writer: u32) -> Option<(Answer, u32)> {
    Answer::from_name(&name_of(writer)?)
}

fn name_of(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect())
}

/// Whether a process has ended, and nobody has waited for it.
fn is_dead(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// Processes that have a writer's name and the executable of this one: they share its memory.
fn writers(process: &Path) -> Vec<u32> {
    let own = fs::read_link(process.join("exe")).ok();
    let is_writer = |&id: &u32| {
        name_of(id).is_some_and(|name| name == ask::NAME || Answer::from_name(&name).is_some())
            && fs::read_link(format!("/proc/{id}/exe")).ok() == own
    };
    processes().filter(is_writer).collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The recording of process `pid`, if it is this writer's.
fn writer_of(id: u32, pid: u32) -> Option<Writer> {
    let mut files = fs::read_dir(format!("/proc/{id}/fd")).ok()?.flatten();
    let inner = inner_id(pid);
    files.find_map(|file| {
        // To open a pipe would be to wait for who writes there.
        fs::metadata(file.path()).ok().filter(fs::Metadata::is_file)?;
        let mut reader = Reader::open(file.path()).ok()?;
        let Some(Record::Start(start)) = reader.next_record() else { return None };
        let track = start.track;
        let is_its = start.pid == pid || Some(start.pid) == inner;
        let link = fs::read_link(file.path()).ok()?;
        // One that was removed is still there for those who have it open.
        let capture = if link.exists() { relative(&link) } else { file.path() };
        is_its.then_some(Writer { id, capture, track })
    })
}

/// The process's id in its own namespace.
fn inner_id(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}

fn is_recorded(pid: u32) -> bool {
    writers(&Path::new("/proc").join(pid.to_string())).into_iter().any(|id| writer_of(id, pid).is_some())
}

fn children(pid: u32) -> Vec<u32> {
    let parent = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    processes().filter(|&id| parent(id) == Some(pid)).collect()
}

fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).into()
}
