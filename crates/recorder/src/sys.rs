//! The few system calls that the recorder makes, without the C library.
//!
//! The C library's wrappers set `errno` and may be interposed by the program
//! or by our own hooks. These return the kernel's result, a negative errno on
//! failure, and touch nothing else.

use core::arch::asm;

/// System call numbers (x86-64, `arch/x86/entry/syscalls/syscall_64.tbl`).
pub mod nr {
    #![allow(missing_docs)]
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const OPEN: usize = 2;
    pub const CLOSE: usize = 3;
    pub const FSTAT: usize = 5;
    pub const LSEEK: usize = 8;
    pub const MMAP: usize = 9;
    pub const MUNMAP: usize = 11;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const ACCESS: usize = 21;
    pub const SCHED_YIELD: usize = 24;
    pub const MREMAP: usize = 25;
    pub const MINCORE: usize = 27;
    pub const MADVISE: usize = 28;
    pub const NANOSLEEP: usize = 35;
    pub const GETPID: usize = 39;
    pub const CLONE: usize = 56;
    pub const EXIT: usize = 60;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const FLOCK: usize = 73;
    pub const FTRUNCATE: usize = 77;
    pub const GETCWD: usize = 79;
    pub const READLINK: usize = 89;
    pub const SYSINFO: usize = 99;
    pub const GETPPID: usize = 110;
    pub const SETSID: usize = 112;
    pub const PRCTL: usize = 157;
    pub const ARCH_PRCTL: usize = 158;
    pub const GETTID: usize = 186;
    pub const FUTEX: usize = 202;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const PRLIMIT64: usize = 302;
    pub const PROCESS_VM_READV: usize = 310;
    pub const RT_SIGTIMEDWAIT: usize = 128;
    pub const MEMBARRIER: usize = 324;
    pub const GETDENTS64: usize = 217;
    pub const PIDFD_OPEN: usize = 434;
    pub const CLOSE_RANGE: usize = 436;
    pub const POLL: usize = 7;
}

/// Makes a system call of up to six arguments and gives the kernel's result.
///
/// # Safety
/// The arguments must be what the call named by `number` takes.
#[inline]
pub unsafe fn syscall(number: usize, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the caller vouches for the arguments; the kernel clobbers rcx and r11 only.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// `syscall!(NAME, arg, …)`: a system call with zeroes for what is left out.
#[macro_export]
macro_rules! syscall {
    ($name:ident $(, $arg:expr)* $(,)?) => {{
        let mut args = [0usize; 6];
        let given = [$($arg as usize),*];
        args[..given.len()].copy_from_slice(&given);
        $crate::sys::syscall($crate::sys::nr::$name, args)
    }};
}

/// Nanoseconds of the monotonic clock.
pub fn monotonic_ns() -> u64 {
    clock_ns(1)
}

/// Nanoseconds since 1970.
pub fn realtime_ns() -> u64 {
    clock_ns(0)
}

fn clock_ns(clock: usize) -> u64 {
    let mut time = [0u64; 2];
    // SAFETY: clock_gettime writes a timespec, two 64-bit integers.
    unsafe { syscall!(CLOCK_GETTIME, clock, time.as_mut_ptr()) };
    time[0] * 1_000_000_000 + time[1]
}

/// Gives the processor to another thread.
pub fn yield_now() {
    // SAFETY: sched_yield takes no arguments.
    unsafe { syscall!(SCHED_YIELD, 0) };
}

/// The process id, asked of the kernel each time.
pub fn pid() -> u32 {
    // SAFETY: getpid takes no arguments.
    unsafe { syscall!(GETPID, 0) as u32 }
}

/// The thread id.
pub fn tid() -> u32 {
    // SAFETY: gettid takes no arguments.
    unsafe { syscall!(GETTID, 0) as u32 }
}

/// Makes every thread of this memory run a full memory barrier. `false` if the
/// kernel does not, as without [`register_membarrier`].
pub fn membarrier() -> bool {
    const PRIVATE_EXPEDITED: usize = 1 << 3;
    // SAFETY: membarrier takes a command and flags.
    unsafe { syscall!(MEMBARRIER, PRIVATE_EXPEDITED, 0) == 0 }
}

/// Allows [`membarrier`] for this memory. Kept over nothing: call again after `fork`.
pub fn register_membarrier() {
    const REGISTER_PRIVATE_EXPEDITED: usize = 1 << 4;
    // SAFETY: membarrier takes a command and flags.
    unsafe { syscall!(MEMBARRIER, REGISTER_PRIVATE_EXPEDITED, 0) };
}
