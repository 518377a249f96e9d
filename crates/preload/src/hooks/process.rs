//! Processes that begin and end: `fork`, `exec`, `posix_spawn`, `_exit`.
//!
//! A program that is followed gets, for what it starts, the variables back that
//! were taken out of its own environment; what it set itself stays. `vfork` is
//! not hooked: its child shares this memory until it execs, and what it
//! allocates until then it does allocate here.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::Ordering;

use memsight_capture::{ChildKind, EndReason, Track};
use memsight_recorder::{memory, sys};

use crate::real;
use crate::session::{ExitCode, Session, State, VARIABLES, session};
use crate::text::Buffer;

type Args = *const *const c_char;

unsafe extern "C" {
    static mut environ: Args;
}

/// How many variables an environment may have before its copy needs a map of its own.
const ON_STACK: usize = 256;

const OWN_VARIABLES: usize = VARIABLES.len() + 1;

/// The environment for a program that is started: the caller's, and ours.
struct Environment {
    on_stack: [MaybeUninit<*const c_char>; ON_STACK],
    mapped: *mut *const c_char,
    /// `NAME=value` of each variable of ours.
    own: [Buffer<4224>; OWN_VARIABLES],
    original: Args,
    used: bool,
}

impl Environment {
    /// # Safety
    /// `original` is a NULL-ended array of NUL-ended strings, or null.
    unsafe fn new(session: &Session, original: Args, exec: bool) -> Self {
        let mut this = Environment {
            on_stack: [MaybeUninit::uninit(); ON_STACK],
            mapped: ptr::null_mut(),
            own: [const { Buffer::new() }; OWN_VARIABLES],
            original,
            used: false,
        };
        let recorded = matches!(session.state(), State::Recording | State::Forked | State::Ended);
        if recorded && session.config().follow && !original.is_null() {
            // SAFETY: passed on from the caller.
            unsafe { this.fill(session, exec) };
        }
        this
    }

    unsafe fn fill(&mut self, session: &Session, exec: bool) {
        let mut count = 0;
        // SAFETY: the array ends with a null pointer.
        while !unsafe { *self.original.add(count) }.is_null() {
            count += 1;
        }
        let places = count + OWN_VARIABLES + 1;
        let mut next = if places <= ON_STACK {
            self.on_stack.as_mut_ptr().cast::<*const c_char>()
        } else {
            // Given back with the memory of the process: `exec` follows.
            let Ok(map) = memory::map(places * size_of::<*const c_char>()) else { return };
            self.mapped = map.cast();
            self.mapped
        };
        let mut users_preload: &[u8] = &[];
        for index in 0..count {
            // SAFETY: below the count.
            let variable = unsafe { *self.original.add(index) };
            // SAFETY: each is a NUL-ended string.
            let text = unsafe { CStr::from_ptr(variable) }.to_bytes();
            if let Some(value) = text.strip_prefix(b"LD_PRELOAD=") {
                users_preload = value;
            } else if !VARIABLES.iter().any(|name| is_variable(text, name.to_bytes())) {
                // SAFETY: there is a place for every variable.
                unsafe {
                    next.write(variable);
                    next = next.add(1);
                }
            }
        }
        self.write_own(session, users_preload, exec);
        for variable in self.own.iter().filter(|variable| !variable.as_bytes().is_empty()) {
            // SAFETY: places were counted for these and the final null.
            unsafe {
                next.write(variable.as_ptr());
                next = next.add(1);
            }
        }
        // SAFETY: as above.
        unsafe { next.write(ptr::null()) };
        self.used = true;
    }

    fn write_own(&mut self, session: &Session, users_preload: &[u8], exec: bool) {
        let config = session.config();
        let [preload, capture, run, track, follow, image, check] = &mut self.own;
        preload.push(b"LD_PRELOAD=");
        preload.push(config.library.as_bytes());
        // A program may pass on an environment that has our entry already.
        let ours = config.library.as_bytes();
        if !users_preload.is_empty() && !users_preload.starts_with(ours) {
            preload.push(b":");
            preload.push(users_preload);
        }
        capture.push(b"MEMSIGHT_CAPTURE=");
        capture.push(config.root.as_bytes());
        run.push(b"MEMSIGHT_RUN=");
        run.push(config.run.as_bytes());
        track.push(match config.track {
            Track::Objects => b"MEMSIGHT_TRACK=objects",
            Track::Heap => b"MEMSIGHT_TRACK=heap",
        });
        follow.push(b"MEMSIGHT_FOLLOW=1");
        image.push(b"MEMSIGHT_IMAGE=");
        // Only the process that execs itself is the same process afterwards.
        let same_process = exec && session.is_this_process();
        image.push_number(if same_process { sys::pid().into() } else { 0 });
        image.push(b".");
        image.push_number(u64::from(config.image) + 1);
        if config.check {
            check.push(b"MEMSIGHT_CHECK=1");
        }
    }

    fn as_ptr(&self) -> Args {
        match (self.used, self.mapped.is_null()) {
            (false, _) => self.original,
            (true, true) => self.on_stack.as_ptr().cast(),
            (true, false) => self.mapped.cast_const(),
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if !self.mapped.is_null() && session().is_this_process() {
            let mut places = 0;
            // SAFETY: the array was filled up to its null.
            while !unsafe { *self.mapped.add(places) }.is_null() {
                places += 1;
            }
            // SAFETY: mapped here; its size rounds up to the same pages.
            unsafe { memory::unmap(self.mapped.cast(), (places + 1) * size_of::<*const c_char>()) };
        }
    }
}

fn is_variable(text: &[u8], name: &[u8]) -> bool {
    text.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'='))
}

/// Around a call that replaces this program by another, or fails to.
fn replace(environment: Args, real: impl FnOnce(Args) -> c_int) -> c_int {
    let session = session();
    if session.state() == State::Off {
        return real(environment);
    }
    // SAFETY: the environment is the caller's own argument, or `environ`.
    let environment = unsafe { Environment::new(session, environment, true) };
    if !session.is_this_process() {
        // A child of `vfork` goes its own way; our memory stays as it is.
        session.note_child(sys::pid(), ChildKind::Spawn);
        return real(environment.as_ptr());
    }
    // The writer keeps this memory, and ends the capture once it sees that the
    // process has another. If the call fails, nothing has happened.
    let pending = &session.control.exec;
    pending.fetch_add(1, Ordering::AcqRel);
    let result = real(environment.as_ptr());
    pending.fetch_sub(1, Ordering::AcqRel);
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execve(path: *const c_char, args: Args, environment: Args) -> c_int {
    let Some(real) = real::execve() else { return -1 };
    // SAFETY: the caller's own arguments.
    replace(environment, |environment| unsafe { real(path, args, environment) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execv(path: *const c_char, args: Args) -> c_int {
    // SAFETY: the caller's own arguments and environment.
    unsafe { execve(path, args, environ) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvpe(file: *const c_char, args: Args, environment: Args) -> c_int {
    let Some(real) = real::execvpe() else { return -1 };
    // SAFETY: the caller's own arguments.
    replace(environment, |environment| unsafe { real(file, args, environment) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvp(file: *const c_char, args: Args) -> c_int {
    // SAFETY: the caller's own arguments and environment.
    unsafe { execvpe(file, args, environ) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fexecve(file: c_int, args: Args, environment: Args) -> c_int {
    let Some(real) = real::fexecve() else { return -1 };
    // SAFETY: the caller's own arguments.
    replace(environment, |environment| unsafe { real(file, args, environment) })
}

macro_rules! variadic {
    ($($name:ident => $collect:ident;)*) => {$(
        unsafe extern "C" {
            fn $collect();
        }

        // Stable Rust cannot define a variadic function: `variadic.c` does, and
        // makes an array of the arguments for the functions above.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            core::arch::naked_asm!("jmp {}", sym $collect)
        }
    )*};
}

variadic! {
    execl => memsight_execl;
    execle => memsight_execle;
    execlp => memsight_execlp;
}

/// Called by `variadic.c`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memsight_exec_array(
    path: *const c_char,
    args: Args,
    environment: Args,
    search: c_int,
) -> c_int {
    // SAFETY: the arguments that the program gave, as arrays.
    unsafe {
        let environment = if environment.is_null() { environ } else { environment };
        match search {
            0 => execve(path, args, environment),
            _ => execvpe(path, args, environment),
        }
    }
}

type Spawn =
    unsafe extern "C" fn(*mut c_int, *const c_char, *const c_void, *const c_void, Args, Args) -> c_int;

unsafe fn spawn(
    real: Option<Spawn>,
    place: *mut c_int,
    path: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    args: Args,
    environment: Args,
) -> c_int {
    let Some(real) = real else { return libc::ENOSYS };
    let session = session();
    if session.state() == State::Off {
        // SAFETY: the caller's own arguments.
        return unsafe { real(place, path, actions, attributes, args, environment) };
    }
    let mut pid = 0;
    // SAFETY: the caller's own arguments, and a place for the process id.
    let result = unsafe {
        let environment = Environment::new(session, environment, false);
        real(&mut pid, path, actions, attributes, args, environment.as_ptr())
    };
    if result == 0 {
        session.note_child(pid as u32, ChildKind::Spawn);
        if !place.is_null() {
            // SAFETY: the caller's own place.
            unsafe { place.write(pid) };
        }
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawn(
    place: *mut c_int,
    path: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    args: Args,
    environment: Args,
) -> c_int {
    // SAFETY: the caller's own arguments.
    unsafe { spawn(real::posix_spawn(), place, path, actions, attributes, args, environment) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawnp(
    place: *mut c_int,
    file: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    args: Args,
    environment: Args,
) -> c_int {
    // SAFETY: the caller's own arguments.
    unsafe { spawn(real::posix_spawnp(), place, file, actions, attributes, args, environment) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fork() -> c_int {
    let Some(real) = real::fork() else { return -1 };
    // SAFETY: fork takes no arguments; its handlers are the session's.
    let pid = unsafe { real() };
    let session = session();
    if pid > 0 && matches!(session.state(), State::Recording | State::Forked) {
        session.note_child(pid as u32, ChildKind::Fork);
    }
    pid
}

/// The C library starts these through its own `environ`, past our hooks. It is
/// exchanged for the time of the call, unless the program changes it meanwhile.
fn with_environment<R>(real: impl FnOnce() -> R) -> R {
    let session = session();
    if session.state() == State::Off {
        return real();
    }
    // SAFETY: `environ` is the C library's own array; what other threads do with
    // it at this moment they do at their own risk with or without us.
    unsafe {
        let before = environ;
        let ours = Environment::new(session, before, false);
        environ = ours.as_ptr();
        let result = real();
        if environ == ours.as_ptr() {
            environ = before;
        }
        result
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn system(command: *const c_char) -> c_int {
    let Some(real) = real::system() else { return -1 };
    // SAFETY: the caller's own argument.
    with_environment(|| unsafe { real(command) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn popen(command: *const c_char, mode: *const c_char) -> *mut c_void {
    let Some(real) = real::popen() else { return ptr::null_mut() };
    // SAFETY: the caller's own arguments.
    with_environment(|| unsafe { real(command, mode) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _exit(code: ExitCode) -> ! {
    session().finish(EndReason::Exit);
    // SAFETY: exit_group ends the process with this code; it takes nothing else.
    unsafe { memsight_recorder::syscall!(EXIT_GROUP, code) };
    // SAFETY: the call above does not return.
    unsafe { core::hint::unreachable_unchecked() }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _Exit(code: ExitCode) -> ! {
    // SAFETY: the two are one.
    unsafe { _exit(code) }
}
