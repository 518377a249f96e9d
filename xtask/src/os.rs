//! Running a program and everything it leaves behind, to the last process.
//!
//! memsight's writer is a process of its own that outlives the program it
//! records, and its time belongs to the cost of recording. So this process makes
//! itself the one that orphans go to (`PR_SET_CHILD_SUBREAPER`, prctl(2)), and a
//! run is over when no child is left. The one module with `unsafe`: the standard
//! library has neither `wait4` nor `prctl`.
#![allow(unsafe_code)]

use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What a run took, all its descendants included but where it says otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Exit code of the program itself; `None` if a signal ended it.
    pub(crate) exit_code: Option<i32>,
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Until the program itself ended, leaving out what went on behind it.
    pub(crate) wall: Duration,
    /// The most that the program itself had resident, in bytes. Holds for
    /// programs larger than xtask, whose figure it inherits.
    pub(crate) max_rss_bytes: u64,
}

/// Runs a program and waits until it and all its descendants are gone.
///
/// To be called with no other child alive. Fails if something is still running
/// after `limit`; that is killed.
pub(crate) fn run_to_the_last(mut command: Command, limit: Duration) -> Result<Run> {
    become_subreaper()?;
    let start = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let watchdog = Watchdog::start(limit);
    let mut run = Run { exit_code: None, cpu: Duration::ZERO, wall: Duration::ZERO, max_rss_bytes: 0 };
    while let Some(reaped) = reap()? {
        run.cpu += reaped.cpu;
        if u32::try_from(reaped.pid) == Ok(child.id()) {
            run.wall = start.elapsed();
            run.exit_code = reaped.exit_code;
            run.max_rss_bytes = reaped.max_rss_bytes;
        }
    }
    if watchdog.stop() {
        bail!("{command:?}: still running after {} s, killed", limit.as_secs());
    }
    Ok(run)
}

struct Reaped {
    pid: libc::pid_t,
    exit_code: Option<i32>,
    cpu: Duration,
    max_rss_bytes: u64,
}

/// Waits for any child; `None` when there is none left.
fn reap() -> Result<Option<Reaped>> {
    let mut status = 0;
    // SAFETY: all zeroes are a valid `rusage`, a struct of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals of the right type.
    let pid = unsafe { libc::wait4(-1, &raw mut status, 0, &raw mut usage) };
    if pid < 0 {
        let error = std::io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ECHILD) => Ok(None),
            Some(libc::EINTR) => reap(),
            _ => Err(error).context("wait4"),
        };
    }
    Ok(Some(Reaped {
        pid,
        exit_code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
        cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
        max_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
    }))
}

fn duration(time: libc::timeval) -> Duration {
    let microseconds = time.tv_sec * 1_000_000 + time.tv_usec;
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
}

fn become_subreaper() -> Result<()> {
    // SAFETY: this option takes an integer and no pointer.
    let result = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    if result != 0 {
        return Err(std::io::Error::last_os_error()).context("prctl(PR_SET_CHILD_SUBREAPER)");
    }
    Ok(())
}

/// Kills this process's children when time is up, until it is told to stop.
struct Watchdog {
    stop: mpsc::Sender<()>,
    thread: std::thread::JoinHandle<bool>,
}

impl Watchdog {
    fn start(limit: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut fired = false;
            let mut wait = limit;
            // Killed children leave theirs to us, so it takes several rounds.
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                fired = true;
                wait = Duration::from_millis(50);
                kill_children();
            }
            fired
        });
        Watchdog { stop, thread }
    }

    /// Whether it had to act.
    fn stop(self) -> bool {
        drop(self.stop);
        self.thread.join().unwrap_or(true)
    }
}

/// Kills the children of every thread of this process (proc_tid_children(5)).
fn kill_children() {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    for task in tasks {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for pid in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            // SAFETY: takes two integers; the pid is that of a child not yet reaped.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    /// One test, since each part has to be alone with its children.
    #[test]
    fn a_run_ends_with_its_last_descendant_and_never_after_its_limit() {
        let started = Instant::now();
        let run = run_to_the_last(shell("sleep 1 & exit 3"), Duration::from_secs(20)).unwrap();
        assert_eq!(run.exit_code, Some(3));
        assert!(started.elapsed() >= Duration::from_secs(1), "the orphan was not waited for");
        assert!(run.wall < Duration::from_secs(1), "the wall time is that of the program itself");

        let busy = "n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done";
        let run = run_to_the_last(shell(&format!("({busy}) & :")), Duration::from_secs(20)).unwrap();
        assert!(run.cpu > Duration::from_millis(2), "the orphan's time counts");
        assert!(run.max_rss_bytes > 0);

        let outcome = run_to_the_last(shell("sleep 60 & sleep 60"), Duration::from_millis(100));
        assert!(outcome.unwrap_err().to_string().contains("still running"));

        let run = run_to_the_last(shell("kill -9 $$"), Duration::from_secs(20)).unwrap();
        assert_eq!(run.exit_code, None);
    }
}
