//! What `memsight run` asks for, by the environment, and what the capture is called.

use memsight_capture::Track;
use memsight_recorder::{sys, syscall};

use super::{Path, path_pointer};
use crate::steps::Wanted;
use crate::text::{Buffer, env, leading_number};

/// What the environment asked for.
pub(crate) struct Config {
    /// The first process's capture; others are named after it.
    pub(crate) root: Path,
    /// This process's capture.
    pub(crate) capture: Path,
    /// 32 hexadecimal digits.
    pub(crate) run: Buffer<33>,
    /// Path of this library.
    pub(crate) library: Path,
    pub(crate) follow: bool,
    pub(crate) track: Track,
    /// How many programs this process id had been before.
    pub(crate) image: u32,
    /// Whether stacks are walked twice and compared.
    pub(crate) check: bool,
    /// When the object graph is written.
    pub(crate) heap: Heap,
    /// The trace that is to be taken, if any.
    pub(crate) steps: Wanted,
    /// A copy that reads the object graph and comes no further in this time hangs.
    pub(crate) patience_ns: u64,
}

/// When the object graph is written, unless somebody asks.
#[derive(Clone, Copy)]
pub(crate) struct Heap {
    /// At the end.
    pub(crate) exit: bool,
    /// Near the peak.
    pub(crate) peak: bool,
    /// Whenever this signal comes; 0 is none.
    pub(crate) signal: u32,
}

impl Heap {
    pub(super) const NEVER: Heap = Heap { exit: false, peak: false, signal: 0 };

    /// From `exit`, `peak`, a signal's number, or several of these with commas.
    fn parse(text: &[u8]) -> Self {
        text.split(|&byte| byte == b',').fold(Heap::NEVER, |heap, word| match word {
            b"exit" => Heap { exit: true, ..heap },
            b"peak" => Heap { peak: true, ..heap },
            other => {
                Heap { signal: leading_number(other).map_or(heap.signal, |number| number as u32), ..heap }
            }
        })
    }

    /// Whether snapshots were asked for before the program ran.
    pub(crate) fn is_any(self) -> bool {
        self.exit || self.peak || self.signal != 0
    }

    /// The same as [`Heap::parse`] reads it, with the variable's name.
    pub(crate) fn write(self, to: &mut Buffer<64>) {
        let mut glue: &[u8] = b"MEMSIGHT_HEAP=";
        for (word, wanted) in [(&b"exit"[..], self.exit), (b"peak", self.peak)] {
            if wanted {
                to.push(glue);
                to.push(word);
                glue = b",";
            }
        }
        if self.signal != 0 {
            to.push(glue);
            to.push_number(self.signal.into());
        }
    }
}

const PATIENCE_MS: u64 = 10_000;

/// How many names are tried before one that is taken is left to fail.
const TRIES: u32 = 10_000;

/// Writes the name of this process's capture: the first one's with the process
/// id, and a number if the process had other programs before or the name is
/// taken. Process ids come again, and captures of other runs may lie there.
pub(super) fn name_capture(config: &mut Config) {
    let root = config.root.as_bytes();
    let name_at = root.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    let dot = root[name_at..].iter().rposition(|&byte| byte == b'.').filter(|&at| at > 0);
    let (stem, suffix) = root.split_at(dot.map_or(root.len(), |at| name_at + at));
    let capture = &mut config.capture;
    for number in config.image..config.image + TRIES {
        capture.clear();
        capture.push(stem);
        capture.push(b".");
        capture.push_number(sys::pid().into());
        if number > 0 {
            capture.push(b".");
            capture.push_number(number.into());
        }
        capture.push(suffix);
        if !is_there(capture) {
            return;
        }
    }
}

/// Writes the name of the first capture: its template with the process id, and
/// a number from 2 on if the name is taken. In a container ids are alike in each run.
fn name_first(root: &mut Path, before: &[u8], after: &[u8]) {
    for number in 1..TRIES {
        root.clear();
        root.push(before);
        root.push_number(sys::pid().into());
        if number > 1 {
            root.push(b"-");
            root.push_number(number.into());
        }
        root.push(after);
        if !is_there(root) {
            return;
        }
    }
}

fn is_there(path: &Path) -> bool {
    // SAFETY: access takes a NUL-ended path.
    unsafe { syscall!(ACCESS, path_pointer(path), libc::F_OK) == 0 }
}

/// Reads what the environment asks for and takes it out of the environment.
pub(super) fn configure(config: &mut Config) -> bool {
    let (Some(capture), Some(run)) = (env(c"MEMSIGHT_CAPTURE"), env(c"MEMSIGHT_RUN")) else { return false };
    config.run.push(run);
    config.track = if env(c"MEMSIGHT_TRACK") == Some(b"heap") { Track::Heap } else { Track::Objects };
    config.follow = env(c"MEMSIGHT_FOLLOW") != Some(b"0");
    config.check = env(c"MEMSIGHT_CHECK").is_some();
    config.heap = env(c"MEMSIGHT_HEAP").map_or(Heap::NEVER, Heap::parse);
    if let Some(wanted) = env(c"MEMSIGHT_STEPS") {
        config.steps.parse(wanted);
    }
    let patience_ms = env(c"MEMSIGHT_PATIENCE_MS").and_then(leading_number).unwrap_or(PATIENCE_MS);
    config.patience_ns = patience_ms.saturating_mul(1_000_000);
    if let Some(image) = env(c"MEMSIGHT_IMAGE") {
        let (pid, count) = split_once(image, b'.');
        if leading_number(pid) == Some(sys::pid().into()) {
            config.image = leading_number(count).unwrap_or(0) as u32;
        }
        config.root.push(capture);
        name_capture(config);
    } else {
        match split_pid(capture) {
            (before, Some(after)) => name_first(&mut config.root, before, after),
            (whole, None) => drop(config.root.push(whole)),
        }
        config.capture.push(config.root.as_bytes());
    }
    let preload = env(c"LD_PRELOAD").unwrap_or_default();
    let (library, rest) = split_once(preload, b':');
    config.library.push(library);
    restore_environment(rest);
    true
}

fn split_once(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == at) {
        Some(position) => (&text[..position], &text[position + 1..]),
        None => (text, &[]),
    }
}

/// Splits at the last `%p` of a file's name, which stands for the process id.
fn split_pid(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let name_at = text.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    match text.windows(2).rposition(|pair| pair == b"%p").filter(|&at| at >= name_at) {
        Some(at) => (&text[..at], Some(&text[at + 2..])),
        None => (text, None),
    }
}

/// The variables that `memsight run` sets and the program does not see.
pub(crate) const VARIABLES: [&core::ffi::CStr; 9] = [
    c"MEMSIGHT_CAPTURE",
    c"MEMSIGHT_RUN",
    c"MEMSIGHT_TRACK",
    c"MEMSIGHT_FOLLOW",
    c"MEMSIGHT_IMAGE",
    c"MEMSIGHT_CHECK",
    c"MEMSIGHT_HEAP",
    c"MEMSIGHT_STEPS",
    c"MEMSIGHT_PATIENCE_MS",
];

fn restore_environment(users_preload: &[u8]) {
    for name in VARIABLES {
        // SAFETY: unsetenv takes a name; there is one thread.
        unsafe { libc::unsetenv(name.as_ptr()) };
    }
    if users_preload.is_empty() {
        // SAFETY: as above.
        unsafe { libc::unsetenv(c"LD_PRELOAD".as_ptr()) };
        return;
    }
    let mut value = Path::new();
    value.push(users_preload);
    // SAFETY: setenv copies a NUL-ended value; there is one thread.
    unsafe { libc::setenv(c"LD_PRELOAD".as_ptr(), value.as_ptr(), 1) };
}
