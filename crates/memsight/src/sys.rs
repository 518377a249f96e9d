//! The system calls that need `unsafe`: signals, waiting, sessions, what a file may.
//!
//! Nothing here decides anything; each function is one call and its checks.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// The recorded program while it runs, 0 before.
static CHILD: AtomicI32 = AtomicI32::new(0);
/// Signals that came before it ran, one bit each.
static PENDING: AtomicU32 = AtomicU32::new(0);

/// Signals that memsight was started with ignoring, one bit each.
static IGNORED: AtomicU32 = AtomicU32::new(0);

/// What a terminal sends to the program as well, and what others send to memsight in its place.
const FORWARDED: [i32; 8] = [
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGCONT,
    libc::SIGALRM,
];

/// How the recorded program ended, and what it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waited {
    /// Its exit code, if it ended by itself.
    pub(crate) code: Option<i32>,
    /// The signal that ended it otherwise.
    pub(crate) signal: Option<i32>,
    /// Processor time of it and of the children it waited for, in nanoseconds.
    pub(crate) cpu_ns: u64,
}

/// Signals go on to the recorded program while this lives.
pub(crate) struct Forwarding {
    saved: Vec<(i32, libc::sigaction)>,
}

/// Passes signals on to the program that [`spawn`] starts. One that memsight was told to ignore the
/// program begins with ignoring too; but it may come to handle it, so it is passed on as well.
pub(crate) fn forward_signals() -> Forwarding {
    CHILD.store(0, Ordering::SeqCst);
    let mut saved = Vec::new();
    for signal in FORWARDED {
        let mut old = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: a null action only asks; `old` has room for the answer.
        if unsafe { libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr()) } != 0 {
            continue;
        }
        // SAFETY: zeroes are a valid sigaction, and the call above filled it.
        let old = unsafe { old.assume_init() };
        if old.sa_sigaction == libc::SIG_IGN {
            IGNORED.fetch_or(1 << signal, Ordering::SeqCst);
        }
        // SAFETY: zeroes are a valid sigaction: no flags, an empty mask.
        let mut new = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
        let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = pass_on;
        new.sa_sigaction = handler as libc::sighandler_t;
        new.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        // SAFETY: `pass_on` only uses atomics and kill(2), which a handler may.
        if unsafe { libc::sigaction(signal, &new, std::ptr::null_mut()) } == 0 {
            saved.push((signal, old));
        }
    }
    Forwarding { saved }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        for (signal, old) in &self.saved {
            // SAFETY: `old` is what sigaction itself gave for this signal.
            unsafe { libc::sigaction(*signal, old, std::ptr::null_mut()) };
        }
    }
}

extern "C" fn pass_on(signal: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a valid siginfo.
    let by_kernel = unsafe { (*info).si_code } > 0;
    if by_kernel {
        // A terminal sends to all of its foreground group: the program has it already.
        return;
    }
    match CHILD.load(Ordering::SeqCst) {
        child @ 1.. => send(child, signal),
        _ => _ = PENDING.fetch_or(1 << signal, Ordering::SeqCst),
    }
}

fn send(child: i32, signal: i32) {
    // SAFETY: kill(2) takes any numbers; errno is put back for whoever was interrupted.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        libc::kill(child, signal);
        *errno = before;
    }
}

/// Starts the program with the signal mask and the ignored signals that memsight was started with.
/// Handlers become defaults by `exec`, and std resets SIGPIPE.
pub(crate) fn spawn(command: &mut Command) -> io::Result<i32> {
    let mut mask = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: a null set only asks; `mask` has room for the answer.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr()) };
    // SAFETY: zeroes are an empty set, and the call above filled it.
    let mask = unsafe { mask.assume_init() };
    let ignored = IGNORED.load(Ordering::SeqCst);
    let restore = move || {
        for signal in FORWARDED.into_iter().filter(|signal| ignored & (1 << signal) != 0) {
            // SAFETY: SIG_IGN needs no code; signal is async-signal-safe.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        // SAFETY: `mask` is a valid set; sigprocmask is async-signal-safe.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut()) };
        Ok(())
    };
    // SAFETY: `restore` makes async-signal-safe calls only and allocates nothing.
    unsafe { command.pre_exec(restore) };
    let child = command.spawn()?.id() as i32;
    CHILD.store(child, Ordering::SeqCst);
    let pending = PENDING.swap(0, Ordering::SeqCst);
    FORWARDED.iter().filter(|&&signal| pending & (1 << signal) != 0).for_each(|&signal| send(child, signal));
    Ok(child)
}

/// Whether the program is over. Its id stays its own until [`wait`] is called.
pub(crate) fn is_over(child: i32) -> io::Result<bool> {
    // SAFETY: zeroes are a valid siginfo, in which si_pid stays 0 if nothing is over.
    let mut info = unsafe { MaybeUninit::<libc::siginfo_t>::zeroed().assume_init() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` has room for the answer.
    let result = unsafe { libc::waitid(libc::P_PID, child as libc::id_t, &mut info, flags) };
    let error = io::Error::last_os_error();
    match result {
        // SAFETY: waitid filled it, or left the zeroes.
        0 => Ok(unsafe { info.si_pid() } == child),
        _ if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        _ => Err(error),
    }
}

/// Waits for the program to end.
pub(crate) fn wait(child: i32) -> io::Result<Waited> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: `status` and `usage` have room for the answers.
        let found = unsafe { libc::wait4(child, &mut status, 0, usage.as_mut_ptr()) };
        if found == child {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    CHILD.store(0, Ordering::SeqCst);
    // SAFETY: zeroes are a valid rusage, and the call above filled it.
    let usage = unsafe { usage.assume_init() };
    let in_ns = |time: libc::timeval| time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000;
    Ok(Waited {
        code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
        signal: libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)),
        cpu_ns: in_ns(usage.ru_utime) + in_ns(usage.ru_stime),
    })
}

/// The signal that asked memsight to end while [`note_ends`] is in force, else 0.
static ASKED_TO_END: AtomicI32 = AtomicI32::new(0);

/// What asks a process to end and can be noted.
const ENDS: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// From now on signals that would end memsight are only noted, so that it can
/// clean up. One that it was told to ignore stays ignored.
pub(crate) fn note_ends() {
    for signal in ENDS {
        let handler: extern "C" fn(i32) = note_end;
        // SAFETY: `note_end` only uses an atomic, which a handler may.
        let old = unsafe { libc::signal(signal, handler as libc::sighandler_t) };
        if old == libc::SIG_IGN {
            // SAFETY: puts back what was there.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }
}

extern "C" fn note_end(signal: i32) {
    ASKED_TO_END.store(signal, Ordering::SeqCst);
}

/// The signal that asked memsight to end, if one did.
pub(crate) fn asked_to_end() -> Option<i32> {
    Some(ASKED_TO_END.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// Gives a command a session of its own: no terminal, and a group of
/// processes that [`signal_group`] reaches.
pub(crate) fn apart(command: &mut Command) {
    let leave = || {
        // SAFETY: setsid takes nothing and is async-signal-safe.
        match unsafe { libc::setsid() } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: `leave` makes one async-signal-safe call and allocates nothing.
    unsafe { command.pre_exec(leave) };
}

/// Which of some descriptors can be read, or are closed at the other end, once one of them can or so
/// many milliseconds have passed.
pub(crate) fn readable(descriptors: &[RawFd], wait_ms: i32) -> io::Result<Vec<bool>> {
    let asked = |&fd: &RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut asked: Vec<_> = descriptors.iter().map(asked).collect();
    // SAFETY: `asked` has as many entries as are said.
    let found = unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, wait_ms) };
    let error = io::Error::last_os_error();
    match found {
        -1 if error.kind() != io::ErrorKind::Interrupted => Err(error),
        -1 => Ok(vec![false; descriptors.len()]),
        _ => Ok(asked.iter().map(|entry| entry.revents != 0).collect()),
    }
}

/// Gives a command descriptors under numbers that it knows, and lets it be killed when this process
/// ends. The descriptors must stay open until it is started.
pub(crate) fn hand_down(command: &mut Command, given: Vec<(RawFd, RawFd)>) {
    /// Above all numbers that are given.
    const ASIDE: RawFd = 20;
    let give = move || {
        let mut aside = [-1; 8];
        for (place, &(from, _)) in aside.iter_mut().zip(&given) {
            // SAFETY: copies a descriptor to a free number.
            *place = unsafe { libc::fcntl(from, libc::F_DUPFD_CLOEXEC, ASIDE) };
        }
        for (&from, &(_, to)) in aside.iter().zip(&given) {
            // SAFETY: dup2 takes any numbers.
            if unsafe { libc::dup2(from, to) } == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        // SAFETY: sets one attribute of this process.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
        Ok(())
    };
    // SAFETY: `give` makes async-signal-safe calls only and allocates nothing.
    unsafe { command.pre_exec(give) };
}

/// From now on whose parent ends becomes a child of this process, in whatever session it is.
pub(crate) fn adopt_orphans() {
    // SAFETY: sets one attribute of this process.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// Waits for the children that are over. Whether any is left.
pub(crate) fn reap() -> bool {
    loop {
        // SAFETY: a null status is not filled.
        match unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } {
            1.. => {}
            0 => return true,
            _ => return false,
        }
    }
}

/// Sends a signal that carries a value to a process that is no child.
pub(crate) fn send_value(pid: i32, signal: i32, value: usize) -> io::Result<()> {
    let value = libc::sigval { sival_ptr: value as *mut libc::c_void };
    // SAFETY: the value is a number to both sides.
    match unsafe { libc::sigqueue(pid, signal, value) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Kills a child, whose id stays its own until it is waited for.
pub(crate) fn kill(child: i32) {
    if child > 1 {
        send(child, libc::SIGKILL);
    }
}

/// Sends a signal to all processes of the group that `leader` began.
pub(crate) fn signal_group(leader: i32, signal: i32) {
    if leader > 1 {
        send(-leader, signal);
    }
}

/// Ends this process by a signal, without a core of its own. Returns where the
/// signal does not end a process.
pub(crate) fn die_by(signal: i32) {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain calls with valid arguments; the set is filled before it is used.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        libc::signal(signal, libc::SIG_DFL);
        let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, set.as_ptr(), std::ptr::null_mut());
        libc::raise(signal);
    }
}

/// Lets a closed pipe end this process, as it does most programs.
pub(crate) fn default_sigpipe() {
    // SAFETY: sets a default disposition.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// Columns of the terminal at a descriptor.
pub(crate) fn terminal_columns(descriptor: RawFd) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one winsize.
    let result = unsafe { libc::ioctl(descriptor, libc::TIOCGWINSZ, &mut size) };
    (result == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Whether this process may execute a file.
pub(crate) fn may_execute(path: &Path) -> bool {
    access(path, libc::X_OK).is_ok()
}

/// Whether this process may make files in a folder.
pub(crate) fn may_write_in(folder: &Path) -> io::Result<()> {
    access(folder, libc::W_OK | libc::X_OK)
}

fn access(path: &Path, mode: i32) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: `path` ends in a NUL and lives on.
    match unsafe { libc::access(path.as_ptr(), mode) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether a file carries capabilities that it gives to the process that runs it.
pub(crate) fn has_capabilities(path: &Path) -> bool {
    let Ok(path) = c_path(path) else { return false };
    let name = c"security.capability";
    // SAFETY: both names end in a NUL; a null buffer of no length only asks for the size.
    let len = unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), std::ptr::null_mut(), 0) };
    len > 0
}

/// This process's user and group: `(uid, gid)`.
pub(crate) fn user_and_group() -> (u32, u32) {
    // SAFETY: takes nothing and cannot fail.
    unsafe { (libc::getuid(), libc::getgid()) }
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}
