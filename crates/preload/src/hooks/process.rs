//! Processes that begin and end: `fork`, `exec`, `posix_spawn`, `_exit`.
//!
//! A program that is followed gets, for what it starts, the variables back that
//! were taken out of its own environment; what it set itself stays. `vfork` is
//! not hooked: its child shares this memory until it execs, and what it
//! allocates until then it does allocate here.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;
use core::sync::atomic::Ordering;

use memsight_capture::{ChildKind, EndReason};
use memsight_recorder::sys;

use crate::environment::{self, Args, environ};
use crate::real;
use crate::session::{ExitCode, State, session};

/// Around a call that replaces this program by another, or fails to.
fn replace(environment: Args, real: impl FnOnce(Args) -> c_int) -> c_int {
    let session = session();
    if session.state() == State::Off {
        return real(environment);
    }
    let is_this_process = session.is_this_process();
    let real = |environment| {
        if !is_this_process {
            // A child of `vfork` goes its own way; our memory stays as it is.
            session.note_child(sys::pid(), ChildKind::Spawn);
            return real(environment);
        }
        // The writer keeps this memory, and ends the capture once it sees that the
        // process has another. If the call fails, nothing has happened.
        let pending = &session.control.exec;
        pending.fetch_add(1, Ordering::AcqRel);
        let result = real(environment);
        pending.fetch_sub(1, Ordering::AcqRel);
        result
    };
    // SAFETY: the environment is the caller's own argument, or `environ`.
    unsafe { environment::with_ours(session, environment, is_this_process, real) }
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
        environment::with_ours(session, environment, false, |environment| {
            real(&mut pid, path, actions, attributes, args, environment)
        })
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

#[unsafe(no_mangle)]
unsafe extern "C" fn system(command: *const c_char) -> c_int {
    let Some(real) = real::system() else { return -1 };
    // SAFETY: the caller's own argument.
    environment::while_lent(|| unsafe { real(command) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn popen(command: *const c_char, mode: *const c_char) -> *mut c_void {
    let Some(real) = real::popen() else { return ptr::null_mut() };
    // SAFETY: the caller's own arguments.
    environment::while_lent(|| unsafe { real(command, mode) })
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
