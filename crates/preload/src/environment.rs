//! The environment of the programs that this one starts: its own, and ours.
//!
//! A child of `vfork` makes one in its parent's memory and never comes back, a
//! thread that makes one may have a small stack, and so an environment is made
//! on the stack, in as much room as it needs.
//!
//! `system` and `popen` take theirs from `environ`. Ours is lent to them there:
//! by the first of the calls that overlap, until the last of them is over. Other
//! threads read and change `environ` meanwhile, so what is lent is never given
//! back, and what they copied of it is taken out of theirs.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use memsight_capture::Track;
use memsight_recorder::{SpinLock, memory, sys};

use crate::session::{Session, State, VARIABLES, enter, session};
use crate::text::Buffer;

pub(crate) type Args = *const *const c_char;

unsafe extern "C" {
    pub(crate) static mut environ: Args;

    /// Calls `take` with room of so many words on the stack (`variadic.c`).
    fn memsight_with_room(
        words: usize,
        take: unsafe extern "C" fn(*mut c_void, *mut c_void),
        context: *mut c_void,
    );
}

const WORD: usize = size_of::<usize>();

/// A larger environment than this, in words, gets a map of its own.
const ON_STACK: usize = 4096;

const PRELOAD: &CStr = c"LD_PRELOAD";

/// What is to be made: how much room it takes, and what goes in there.
struct Plan<'a> {
    original: Args,
    /// `NAME=value` of each variable of ours, in parts; left out if empty.
    own: [[&'a [u8]; 4]; VARIABLES.len()],
    variables: usize,
}

/// Calls `make` with the plan for an environment, or with `None` if it is to stay as it is.
///
/// # Safety
/// `original` is a NULL-ended array of NUL-ended strings, or null.
unsafe fn plan<R>(
    session: &Session,
    original: Args,
    same_process: bool,
    make: impl FnOnce(Option<&Plan<'_>>) -> R,
) -> R {
    let config = session.config();
    if session.state() == State::Off || !config.follow || original.is_null() {
        return make(None);
    }
    let mut image = Buffer::<48>::new();
    // Only the process that execs itself is the same process afterwards.
    image.push_number(if same_process { sys::pid().into() } else { 0 });
    image.push(b".");
    image.push_number(u64::from(config.image) + 1);
    let track: &[u8] = match config.track {
        Track::Objects => b"objects",
        Track::Heap => b"heap",
    };
    let (mut users_preload, mut variables) = (&[][..], 0);
    // SAFETY: passed on from the caller.
    unsafe {
        each(original, |_, text| {
            variables += 1;
            if let Some(value) = text.strip_prefix(b"LD_PRELOAD=") {
                users_preload = value;
            }
        });
    }
    let ours = config.library.as_bytes();
    // A program may pass on an environment that has our entry already.
    let users_preload = match users_preload.strip_prefix(ours) {
        Some([]) => &[][..],
        Some([b':', rest @ ..]) => rest,
        _ => users_preload,
    };
    let colon: &[u8] = if users_preload.is_empty() { b"" } else { b":" };
    let mut heap = Buffer::<64>::new();
    config.heap.write(&mut heap);
    let check: &[u8] = if config.check { b"MEMSIGHT_CHECK=1" } else { b"" };
    let mut patience = Buffer::<48>::new();
    if config.heap.is_any() {
        patience.push(b"MEMSIGHT_PATIENCE_MS=");
        patience.push_number(config.patience_ns / 1_000_000);
    }
    make(Some(&Plan {
        original,
        own: [
            [b"LD_PRELOAD=", ours, colon, users_preload],
            [b"MEMSIGHT_CAPTURE=", config.root.as_bytes(), b"", b""],
            [b"MEMSIGHT_RUN=", config.run.as_bytes(), b"", b""],
            [b"MEMSIGHT_TRACK=", track, b"", b""],
            [b"MEMSIGHT_FOLLOW=1", b"", b"", b""],
            [b"MEMSIGHT_IMAGE=", image.as_bytes(), b"", b""],
            [check, b"", b"", b""],
            [heap.as_bytes(), b"", b"", b""],
            [patience.as_bytes(), b"", b"", b""],
        ],
        variables,
    }))
}

/// Calls `visit` with each variable.
///
/// # Safety
/// `environment` is a NULL-ended array of NUL-ended strings.
unsafe fn each<'a>(environment: Args, mut visit: impl FnMut(*const c_char, &'a [u8])) {
    let mut next = environment;
    // SAFETY: the array ends with a null pointer, and each before it is a string.
    unsafe {
        while !(*next).is_null() {
            visit(*next, CStr::from_ptr(*next).to_bytes());
            next = next.add(1);
        }
    }
}

impl Plan<'_> {
    /// Words of the pointers, and of all that is made.
    fn words(&self) -> (usize, usize) {
        let pointers = self.variables + self.own.len() + 1;
        let text: usize = self.own.iter().flatten().map(|part| part.len()).sum::<usize>() + self.own.len();
        (pointers, pointers + text.div_ceil(WORD))
    }

    /// Writes the environment and gives it.
    ///
    /// # Safety
    /// There is as much room as [`Plan::words`] says.
    unsafe fn write(&self, room: *mut c_void) -> Args {
        let mut next = room.cast::<*const c_char>();
        let mut left = self.variables;
        let mut put = |variable| {
            // SAFETY: places were counted for all variables, for ours and for the null.
            unsafe {
                next.write(variable);
                next = next.add(1);
            }
        };
        // SAFETY: as when it was planned; another thread may have added variables since.
        unsafe {
            each(self.original, |variable, text| {
                let is_ours =
                    VARIABLES.iter().chain([&PRELOAD]).any(|name| is_variable(text, name.to_bytes()));
                if !is_ours && left > 0 {
                    left -= 1;
                    put(variable);
                }
            });
        }
        // SAFETY: the text comes behind the pointers.
        let mut text = unsafe { room.cast::<usize>().add(self.words().0).cast::<u8>() };
        for parts in self.own.iter().filter(|parts| !parts[0].is_empty()) {
            put(text.cast_const().cast());
            for part in parts.iter().chain([&&b"\0"[..]]) {
                // SAFETY: their bytes were counted.
                unsafe {
                    text.copy_from_nonoverlapping(part.as_ptr(), part.len());
                    text = text.add(part.len());
                }
            }
        }
        put(ptr::null());
        room.cast_const().cast()
    }
}

fn is_variable(text: &[u8], name: &[u8]) -> bool {
    text.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'='))
}

/// Calls `real` with the environment for a program that is started.
///
/// # Safety
/// `original` is a NULL-ended array of NUL-ended strings, or null.
pub(crate) unsafe fn with_ours<R>(
    session: &Session,
    original: Args,
    same_process: bool,
    real: impl FnOnce(Args) -> R,
) -> R {
    let make = |plan: Option<&Plan<'_>>| {
        let Some(plan) = plan else { return real(original) };
        let words = plan.words().1;
        if words <= ON_STACK {
            // SAFETY: the room has so many words.
            return with_room(words, |room| real(unsafe { plan.write(room) }));
        }
        let Ok(map) = memory::map(words * WORD) else { return real(original) };
        // SAFETY: mapped here; the program that was started has a copy.
        unsafe {
            let result = real(plan.write(map.cast()));
            memory::unmap(map, words * WORD);
            result
        }
    };
    // SAFETY: passed on from the caller.
    unsafe { plan(session, original, same_process, make) }
}

fn with_room<R, F: FnOnce(*mut c_void) -> R>(words: usize, take: F) -> R {
    struct Call<F, R>(Option<F>, MaybeUninit<R>);
    unsafe extern "C" fn call<F: FnOnce(*mut c_void) -> R, R>(room: *mut c_void, context: *mut c_void) {
        // SAFETY: the context is the call below.
        let call = unsafe { &mut *context.cast::<Call<F, R>>() };
        if let Some(take) = call.0.take() {
            call.1.write(take(room));
        }
    }
    let mut context = Call(Some(take), MaybeUninit::uninit());
    // SAFETY: it calls `call` once, which writes the result.
    unsafe {
        memsight_with_room(words, call::<F, R>, (&raw mut context).cast());
        context.1.assume_init()
    }
}

/// What `environ` is while it is lent.
struct Lent {
    lock: SpinLock,
    inner: UnsafeCell<Inner>,
}

struct Inner {
    /// Calls that it is lent to.
    calls: u32,
    /// What `environ` was.
    before: Args,
    room: *mut c_void,
    words: usize,
}

// SAFETY: `inner` is only touched under `lock`.
unsafe impl Sync for Lent {}

static LENT: Lent = Lent {
    lock: SpinLock::new(),
    inner: UnsafeCell::new(Inner { calls: 0, before: ptr::null(), room: ptr::null_mut(), words: 0 }),
};

/// Makes a call of the C library that starts a program with what is in `environ`.
pub(crate) fn while_lent<R>(real: impl FnOnce() -> R) -> R {
    if session().state() == State::Off || !session().config().follow {
        return real();
    }
    with_lent(Inner::lend);
    let result = real();
    with_lent(Inner::take_back);
    result
}

fn with_lent(change: fn(&mut Inner)) {
    // A signal handler that forks must not meet a lock of its own thread's.
    let _inside = enter();
    let _held = LENT.lock.lock();
    // SAFETY: the lock is held.
    change(unsafe { &mut *LENT.inner.get() });
}

impl Inner {
    fn lend(&mut self) {
        self.calls += 1;
        if self.calls > 1 {
            return;
        }
        // SAFETY: `environ` is the C library's own array; what other threads do with
        // it at this moment they do at their own risk with or without us.
        unsafe {
            self.before = environ;
            plan(session(), environ, false, |plan| {
                let Some(plan) = plan else { return };
                let words = plan.words().1;
                if words > self.words {
                    // The old room stays: another thread may be reading there.
                    let Ok(map) = memory::map(2 * words * WORD) else { return };
                    (self.room, self.words) = (map.cast(), 2 * words);
                }
                environ = plan.write(self.room);
            });
        }
    }

    /// Puts back what `environ` was, unless the program has changed it.
    fn is_put_back(&self) -> bool {
        // SAFETY: as above.
        unsafe {
            let is_ours = environ == self.room.cast_const().cast();
            if is_ours {
                environ = self.before;
            }
            is_ours
        }
    }

    fn take_back(&mut self) {
        self.calls -= 1;
        if self.calls > 0 || self.is_put_back() {
            return;
        }
        // SAFETY: as above.
        unsafe {
            // The program has changed it, and so has a copy with our variables in it.
            let room = self.room as usize..self.room as usize + self.words * WORD;
            for name in VARIABLES.iter().chain([&PRELOAD]) {
                let value = libc::getenv(name.as_ptr());
                if !room.contains(&(value as usize)) {
                    continue;
                }
                let users = session().config().library.as_bytes().len() + 1;
                if *name == PRELOAD && CStr::from_ptr(value).count_bytes() > users {
                    libc::setenv(name.as_ptr(), value.add(users), 1);
                } else {
                    libc::unsetenv(name.as_ptr());
                }
            }
        }
    }
}

/// Before `fork`: no other thread may be lending.
pub(crate) fn before_fork() {
    LENT.lock.acquire();
}

pub(crate) fn after_fork_in_parent() {
    LENT.lock.release();
}

/// The threads that it was lent to are not in the child.
pub(crate) fn after_fork_in_child() {
    LENT.lock.release();
    // SAFETY: there is one thread.
    let inner = unsafe { &mut *LENT.inner.get() };
    if core::mem::take(&mut inner.calls) != 0 {
        // A copy keeps our variables: the lock of `unsetenv` may be taken for good.
        inner.is_put_back();
    }
}
