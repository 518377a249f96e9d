//! What a copy and the writer tell each other, in memory that they share.

use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use memsight_recorder::syscall;

/// Copies that may fail before a snapshot is given up.
pub(crate) const TRIES: usize = 8;

/// The copy has written everything.
pub(crate) const DONE: u32 = u32::MAX;

/// What a copy is at. With a type's address it fits in a word: types are aligned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// What objects of this type refer to.
    References(usize),
    /// The blocks that objects of this type own.
    Blocks(usize),
    /// Objects that only C code holds.
    Held,
    /// Before all that, or none of it.
    Else,
}

const BLOCKS: usize = 1;
const HELD: usize = 2;

impl At {
    fn to_word(self) -> usize {
        match self {
            At::References(of) => of,
            At::Blocks(of) => of | BLOCKS,
            At::Held => HELD,
            At::Else => 0,
        }
    }

    fn from_word(word: usize) -> Self {
        match word {
            0 => At::Else,
            HELD => At::Held,
            _ if word & BLOCKS != 0 => At::Blocks(word & !BLOCKS),
            _ => At::References(word),
        }
    }
}

/// How a copy ended.
pub(crate) enum Ended {
    /// Everything is written.
    Done,
    /// It crashed, or hung, at this.
    Crashed(At),
    /// It could not go on, with this errno.
    Failed(i32),
}

/// The shared page. All zeroes before the first copy.
pub(crate) struct Progress {
    /// Raised with everything that is done.
    steps: AtomicU64,
    at: AtomicUsize,
    /// Length of the capture as far as the copy has written it.
    written: AtomicUsize,
    /// What stopped it: 0, an errno, or [`DONE`].
    outcome: AtomicU32,
    /// What made copies fail.
    avoided: [AtomicUsize; TRIES],
}

impl Progress {
    /// A page that is shared with the copies, if the system has one.
    pub(crate) fn share() -> Option<&'static Self> {
        const READ_WRITE: usize = 3;
        const SHARED_ANONYMOUS: usize = 0x1 | 0x20;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let page = unsafe { syscall!(MMAP, 0, 4096, READ_WRITE, SHARED_ANONYMOUS, usize::MAX, 0) };
        // SAFETY: a page of zeroes is a `Progress`, and it is never unmapped.
        (page > 0).then(|| unsafe { &*(page as *const Progress) })
    }

    /// Before the next copy.
    pub(crate) fn begin(&self) {
        self.at.store(0, Ordering::Relaxed);
        self.outcome.store(0, Ordering::Relaxed);
    }

    /// In the copy: it is at something else.
    pub(crate) fn step(&self, at: At) {
        self.at.store(at.to_word(), Ordering::Relaxed);
        self.tick();
    }

    /// In the copy: it comes on.
    pub(crate) fn tick(&self) {
        self.steps.store(self.steps.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// In the copy: it ends, with the capture so long.
    pub(crate) fn end(&self, outcome: u32, written: usize) {
        self.written.store(written, Ordering::Relaxed);
        self.outcome.store(outcome, Ordering::Release);
    }

    /// After the copy has ended.
    pub(crate) fn outcome(&self) -> Ended {
        match self.outcome.load(Ordering::Acquire) {
            DONE => Ended::Done,
            0 => Ended::Crashed(At::from_word(self.at.load(Ordering::Relaxed))),
            errno => Ended::Failed(errno as i32),
        }
    }

    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// Has the next copies leave something out.
    pub(crate) fn avoid(&self, attempt: usize, at: At) {
        if let Some(place) = self.avoided.get(attempt) {
            place.store(at.to_word(), Ordering::Relaxed);
        }
    }

    pub(crate) fn avoided(&self) -> impl Iterator<Item = At> + use<'_> {
        let words = self.avoided.iter().map(|avoided| avoided.load(Ordering::Relaxed));
        // They come one after the other.
        words.take_while(|&word| word != 0).map(At::from_word)
    }

    pub(crate) fn avoids(&self, at: At) -> bool {
        self.avoided().any(|avoided| avoided == at)
    }
}
