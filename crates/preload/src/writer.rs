//! The writer: a process of its own that shares this one's memory.
//!
//! It is no thread on purpose. A program that counts its threads, forks (CPython
//! 3.12 warns of `fork` with more than one thread), enters a namespace or walks
//! `/proc/self/task` must find itself as it would be without us. The writer is
//! a child of nobody the program can wait for: a short-lived process between
//! makes init (or the nearest subreaper) its parent. It has file descriptors
//! of its own, so the program may close all of its; it blocks all signals, and
//! as it outlives the program it writes down what happened up to a `kill -9`.
//!
//! It must never call the C library but for `memcpy` and its kin: it has no
//! thread control block of the C library's making, only zeroes in its place.

use core::arch::asm;
use core::sync::atomic::Ordering;

use memsight_capture::{
    Child, ChildKind, End, EndReason, Interpreter, Record, Start, StepRecord, StepsOver, Strings, ThreadEnd,
    ThreadIndex, Tick, TickIndex,
};
use memsight_recorder::ledger::{Ledger, Sink, Stopped};
use memsight_recorder::{Recorder, memory, sys, syscall};

use crate::session::{Session, WRITER_FAILED, path_pointer, session};
use crate::steps;
use crate::types;

use output::Output;
use requests::Requests;

mod output;
mod requests;
mod system;

/// The writer has not answered yet.
const STARTING: u32 = 0;
/// The capture is open.
const READY: u32 = 1;
/// Everything is written.
const DONE: u32 = 2;
/// It could not go on; [`crate::session::Control::errno`] says why.
const FAILED: u32 = 3;

const STACK_BYTES: usize = 512 << 10;
/// Zeroes below and above where the writer's `fs` points.
const LOCAL_BYTES: usize = 64 << 10;

const SHORTEST_TICK_NS: u64 = 10_000_000;
const LONGEST_TICK_NS: u64 = 60_000_000_000;

/// How often the writer looks whether the program is still there, at least.
const LOOK_NS: u64 = 20_000_000;
/// How often it samples the collector while the program is busy.
const SAMPLE_NS: u64 = 4_000_000;

/// Starts the writer and waits until the capture is open. Gives an errno.
pub(crate) fn start(session: &'static Session) -> Result<(), i32> {
    let control = &session.control;
    control.command.store(0, Ordering::Relaxed);
    control.answer.store(STARTING, Ordering::Relaxed);
    control.errno.store(0, Ordering::Relaxed);
    let stacks = memory::map(2 * (STACK_BYTES + LOCAL_BYTES)).map_err(|_| libc::ENOMEM)? as usize;
    let mut mask = u64::MAX;
    let mut before = 0u64;
    // SAFETY: masks are eight bytes; everything is blocked until the next call.
    unsafe { syscall!(RT_SIGPROCMASK, libc::SIG_SETMASK, &raw mut mask, &raw mut before, 8) };
    // A program that adopts the children of its children must not adopt the writer.
    let mut adopts = 0u32;
    // SAFETY: it writes an int; before Linux 3.4 it is unknown and changes nothing.
    unsafe { syscall!(PRCTL, libc::PR_GET_CHILD_SUBREAPER, &raw mut adopts) };
    let adopt = |adopts: u32| {
        // SAFETY: it takes a number.
        unsafe { syscall!(PRCTL, libc::PR_SET_CHILD_SUBREAPER, adopts) };
    };
    if adopts != 0 {
        adopt(0);
    }
    let between = clone(stacks, libc::CLONE_VFORK, 0, in_between, stacks + STACK_BYTES + LOCAL_BYTES);
    if between > 0 {
        // SAFETY: it has exited; nobody else can wait for a child without an exit signal.
        unsafe { syscall!(WAIT4, between, 0, libc::__WALL, 0) };
    }
    if adopts != 0 {
        adopt(adopts);
    }
    // SAFETY: as above.
    unsafe { syscall!(RT_SIGPROCMASK, libc::SIG_SETMASK, &raw mut before, 0, 8) };
    if between < 0 {
        return Err(-between as i32);
    }
    match wait_for_answer(session, STARTING) {
        READY => Ok(()),
        FAILED => Err(control.errno.load(Ordering::Relaxed) as i32),
        _ => Err(libc::EAGAIN),
    }
}

/// Has the writer end the capture, and waits until it did.
pub(crate) fn stop(session: &'static Session, reason: EndReason) {
    let control = &session.control;
    control.command.store(reason as u32 + 1, Ordering::Release);
    futex_wake(&control.command);
    match wait_for_answer(session, READY) {
        DONE => {}
        FAILED => session.call_attention(WRITER_FAILED),
        _ => {
            control.errno.store(libc::ESRCH as u32, Ordering::Relaxed);
            session.call_attention(WRITER_FAILED);
        }
    }
}

/// Waits until the answer is another than `known`, as long as the writer lives.
fn wait_for_answer(session: &Session, known: u32) -> u32 {
    let control = &session.control;
    loop {
        let answer = control.answer.load(Ordering::Acquire);
        if answer != known {
            return answer;
        }
        if control.writer.load(Ordering::Acquire) == 0 {
            return control.answer.load(Ordering::Acquire);
        }
        futex_wait(&control.answer, known, 20_000_000);
    }
}

pub(crate) fn futex_wait(word: &core::sync::atomic::AtomicU32, value: u32, timeout_ns: u64) {
    let timeout = [timeout_ns / 1_000_000_000, timeout_ns % 1_000_000_000];
    // SAFETY: waits on a word of our own memory for a time.
    unsafe { syscall!(FUTEX, word.as_ptr(), libc::FUTEX_WAIT, value, timeout.as_ptr(), 0, 0) };
}

pub(crate) fn futex_wake(word: &core::sync::atomic::AtomicU32) {
    // SAFETY: wakes whoever waits on a word of our own memory.
    unsafe { syscall!(FUTEX, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX, 0, 0, 0) };
}

/// Makes a process that shares this memory and begins at `begin`, on the stack
/// at `stack` with a block of zeroes above it for its thread-local variables.
/// `tid` is where `flags` have the kernel write its id.
fn clone(stack: usize, flags: i32, tid: usize, begin: extern "C" fn(usize) -> !, argument: usize) -> isize {
    let top = stack + STACK_BYTES;
    let local = top + LOCAL_BYTES / 2;
    // SAFETY: a thread control block begins with its own address (x86-64 psABI, TLS).
    unsafe { (local as *mut usize).write(local) };
    let flags = (libc::CLONE_VM | libc::CLONE_UNTRACED | libc::CLONE_SETTLS | flags) as usize;
    let result: isize;
    // SAFETY: the child runs on a stack of its own and never comes back; the parent only
    // sees the registers that a system call changes.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") sys::nr::CLONE as isize => result,
            in("rdi") flags,
            in("rsi") top,
            in("rdx") tid,
            in("r10") tid,
            in("r8") local,
            in("r12") argument,
            in("r13") begin,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// The process between: makes the writer and goes, so that the writer is nobody's child.
extern "C" fn in_between(stack: usize) -> ! {
    let control = &session().control;
    // The kernel writes the writer's id before it runs, and 0 when it has ended, by whatever
    // means. (Its id alone would not tell: an init that never waits keeps the dead.)
    let flags = libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_CLEARTID;
    let writer = clone(stack, flags, control.writer.as_ptr() as usize, writer, 0);
    if writer < 0 {
        control.errno.store(-writer as u32, Ordering::Relaxed);
        control.answer.store(FAILED, Ordering::Release);
    }
    exit()
}

fn exit() -> ! {
    // SAFETY: ends this process alone.
    unsafe { syscall!(EXIT, 0) };
    // SAFETY: the call above does not return.
    unsafe { core::hint::unreachable_unchecked() }
}

extern "C" fn writer(_: usize) -> ! {
    let session = session();
    // SAFETY: these calls change this process alone: its own descriptors (clone
    // without CLONE_FILES copied them), its session and its name.
    unsafe {
        if syscall!(CLOSE_RANGE, 0, u32::MAX, 0) < 0 {
            system::close_one_by_one();
        }
        syscall!(SETSID, 0);
        syscall!(PRCTL, libc::PR_SET_NAME, c"memsight".as_ptr());
    }
    let control = &session.control;
    let answer = match write_capture(session) {
        Ok(()) => DONE,
        Err(stopped) => {
            let errno = match stopped {
                Stopped::OutOfMemory => libc::ENOMEM,
                Stopped::Io(errno) => errno,
            };
            if let Some(recorder) = session.recorder() {
                recorder.turn_off();
            }
            control.errno.store(errno as u32, Ordering::Relaxed);
            session.call_attention(WRITER_FAILED);
            FAILED
        }
    };
    control.answer.store(answer, Ordering::Release);
    futex_wake(&control.answer);
    exit()
}

fn write_capture(session: &'static Session) -> Result<(), Stopped> {
    let recorder = session.recorder().ok_or(Stopped::OutOfMemory)?;
    let mut output =
        Output::open(path_pointer(&session.config().capture), session.pid.load(Ordering::Relaxed))?;
    write_start(session, &mut output)?;
    output.flush()?;
    // Before the program goes on: it may become another at once.
    let target = system::Target::open(session);
    session.control.answer.store(READY, Ordering::Release);
    futex_wake(&session.control.answer);
    Writer {
        session,
        recorder,
        output,
        ledger: Ledger::create()?,
        target,
        statm: system::Statm::open(),
        children: 0,
        interpreter: false,
        gc_sampled_ns: 0,
        last_rss: 0,
        requests: Requests::default(),
        steps: steps::region::Head::default(),
    }
    .run()
}

fn write_start(session: &Session, output: &mut Output) -> Result<(), Stopped> {
    let config = session.config();
    let mut run_id = [0; 16];
    for (byte, digits) in run_id.iter_mut().zip(config.run.as_bytes().chunks(2)) {
        let value = |digit: &u8| (*digit as char).to_digit(16).unwrap_or(0) as u8;
        *byte = digits.iter().fold(0, |sum, digit| sum << 4 | value(digit));
    }
    let facts = system::Facts::gather()?;
    output.record(&Record::Start(Start {
        run_id,
        pid: session.pid.load(Ordering::Relaxed),
        parent: session.parent.load(Ordering::Relaxed),
        image: config.image,
        started_unix_ns: sys::realtime_ns()
            - (sys::monotonic_ns() - session.started_ns.load(Ordering::Relaxed)),
        track: config.track,
        native: false,
        machine_total_bytes: facts.machine_total_bytes,
        cgroup_limit_bytes: facts.cgroup_limit_bytes,
        executable: facts.executable(),
        cwd: facts.cwd(),
        command: Strings::from_nul_ended(facts.command()),
    }))
}

struct Writer {
    session: &'static Session,
    recorder: &'static Recorder,
    output: Output,
    ledger: &'static mut Ledger,
    target: system::Target,
    statm: Option<system::Statm>,
    children: u32,
    interpreter: bool,
    gc_sampled_ns: u64,
    last_rss: u64,
    requests: Requests,
    steps: steps::region::Head,
}

impl Writer {
    fn run(mut self) -> Result<(), Stopped> {
        let mut tick_ends = SHORTEST_TICK_NS;
        let mut looked_ns = self.elapsed_ns();
        loop {
            let now = self.elapsed_ns();
            let idle = self.ledger.is_idle(self.recorder);
            let nap =
                if idle { LOOK_NS } else { SAMPLE_NS.min(tick_ends.saturating_sub(now)).max(1_000_000) };
            if self.requests.is_any() {
                // Whoever comes to stand still is not to wait for long.
                self.session.wait_for_standstill(nap.min(SAMPLE_NS));
            } else {
                futex_wait(&self.session.control.command, 0, nap);
            }
            if self.session.takes_up_standstill() {
                self.take_snapshot()?;
            }
            let command = self.session.control.command.load(Ordering::Acquire);
            if let Some(reason) = command.checked_sub(1) {
                return self.finish(reason_of(reason));
            }
            self.look_for_requests();
            let before = core::mem::replace(&mut looked_ns, self.elapsed_ns());
            self.sample_gc(looked_ns - before);
            let about_to_exec = self.session.control.exec.load(Ordering::Acquire) != 0;
            if self.target.is_gone() {
                // What it became by `exec` may have ended since the last look.
                return self.finish(if about_to_exec { EndReason::Exec } else { EndReason::Killed });
            }
            if self.target.runs_another_program() {
                return self.finish(EndReason::Exec);
            }
            if looked_ns >= tick_ends {
                self.write_steps()?;
                self.tick()?;
                let now = self.elapsed_ns();
                tick_ends = now + (now / 1000).clamp(SHORTEST_TICK_NS, LONGEST_TICK_NS);
            }
        }
    }

    fn elapsed_ns(&self) -> u64 {
        sys::monotonic_ns() - self.session.started_ns.load(Ordering::Relaxed)
    }

    fn sample_gc(&mut self, since_ns: u64) {
        if self.session.python.collector().is_some_and(|collector| collector.is_collecting()) {
            self.gc_sampled_ns += since_ns;
        }
    }

    fn tick(&mut self) -> Result<(), Stopped> {
        let rss = self.statm.as_ref().map_or(0, system::Statm::rss_bytes);
        if self.ledger.is_idle(self.recorder) && rss.abs_diff(self.last_rss) < 1 << 20 {
            return Ok(());
        }
        self.last_rss = rss;
        let end_ns = self.elapsed_ns();
        let over = self.ledger.tick(self.recorder, &mut self.output)?;
        self.write_rest()?;
        self.close_tick(over, end_ns, rss)
    }

    fn close_tick(&mut self, index: TickIndex, end_ns: u64, rss_bytes: u64) -> Result<(), Stopped> {
        let (peak_bytes, peak_tick) = self.recorder.live.peak();
        let (reserved_bytes, file_mapped_bytes) = self.recorder.mapped();
        let tick = Tick {
            index,
            end_ns,
            rss_bytes,
            live_bytes: self.recorder.live.bytes(),
            peak_bytes,
            peak_tick,
            reserved_bytes,
            file_mapped_bytes,
            recorder_bytes: memory::mapped_bytes(),
            lost_events: self.recorder.lost_events(),
            gc: self.session.python.collector().and_then(|collector| collector.read(self.gc_sampled_ns)),
        };
        self.output.record(&Record::Tick(tick))?;
        self.output.flush()
    }

    /// What is said once, when it is known.
    fn write_rest(&mut self) -> Result<(), Stopped> {
        if !self.interpreter && self.session.python.is_settled() {
            self.write_interpreter()?;
        }
        let count = self.session.child_count.load(Ordering::Acquire);
        while self.children < count {
            let place = self.session.children.get(self.children as usize);
            let Some(child) = place.map(|place| place.load(Ordering::Acquire)).filter(|&child| child != 0)
            else {
                break;
            };
            let kind = match child & 0x7f {
                0 => ChildKind::Fork,
                1 => ChildKind::Spawn,
                _ => ChildKind::Exec,
            };
            self.output.record(&Record::Child(Child { pid: (child >> 8) as u32, kind }))?;
            self.children += 1;
        }
        Ok(())
    }

    /// The steps of a trace that were taken since.
    fn write_steps(&mut self) -> Result<(), Stopped> {
        let output = &mut self.output;
        self.steps.take(|record| output.encoded(record))
    }

    /// What the traced program wrote after its last step, and what nobody else could say.
    fn write_last_output(&mut self) -> Result<(), Stopped> {
        if steps::events::has_other_interpreters() {
            self.output.record(&Record::Step(StepRecord::Over(StepsOver::Interpreters)))?;
        }
        let (output, mut done) = (&mut self.output, Ok(()));
        steps::output::take(|stream, bytes| {
            if done.is_ok() {
                done = output.record(&Record::Step(StepRecord::Output { stream, bytes }));
            }
        });
        done
    }

    fn write_interpreter(&mut self) -> Result<(), Stopped> {
        if let Some((version, stacks)) = self.session.python.version() {
            self.interpreter = true;
            self.output.record(&Record::Interpreter(Interpreter { version, stacks }))?;
        }
        Ok(())
    }

    fn finish(mut self, reason: EndReason) -> Result<(), Stopped> {
        self.session.go_on();
        self.wait_for_threads();
        let at_ns = self.elapsed_ns();
        let rss = self.statm.as_ref().map_or(0, system::Statm::rss_bytes);
        let over = self.ledger.finish(self.recorder, &mut self.output)?;
        if !self.interpreter {
            self.write_interpreter()?;
        }
        self.write_rest()?;
        self.write_steps()?;
        self.write_last_output()?;
        if reason == EndReason::Exec {
            let pid = self.session.pid.load(Ordering::Relaxed);
            self.output.record(&Record::Child(Child { pid, kind: ChildKind::Exec }))?;
        }
        self.write_main_stack()?;
        self.close_tick(over, at_ns, rss)?;
        if reason == EndReason::Exit {
            types::write(self.session, self.recorder, self.ledger, &mut self.output)?;
            self.take_last_snapshot(at_ns)?;
        }
        let mut detail = crate::text::Buffer::<256>::new();
        let mismatches = self.session.python.mismatches();
        if self.session.config().check {
            detail.push(b"check: ");
            detail.push_number(mismatches.into());
            detail.push(b" stacks differ, ");
            detail.push_number(self.session.nested_calls().into());
            detail.push(b" nested calls");
        } else if self.recorder.tree.is_folding() {
            detail.push(b"very many different call stacks: recursion in them is shown once, whatever its depth; all bytes are exact");
        }
        let failed = self.failed_snapshots();
        if failed > 0 && !self.session.config().check {
            if !detail.as_bytes().is_empty() {
                detail.push(b"; ");
            }
            detail.push_number(failed.into());
            detail.push(if failed == 1 { b" snapshot" } else { b" snapshots" });
            detail.push(b" of the object graph could not be taken");
        }
        self.output.record(&Record::End(End { reason, at_ns, detail: detail.as_bytes() }))?;
        self.output.flush()
    }

    /// Threads that are inside the recorder finish what they are at.
    fn wait_for_threads(&self) {
        let started = sys::monotonic_ns();
        while sys::monotonic_ns() - started < 5_000_000 && self.recorder.threads_inside() > 1 {
            sys::yield_now();
        }
    }

    fn write_main_stack(&mut self) -> Result<(), Stopped> {
        let pid = self.session.pid.load(Ordering::Relaxed);
        let is_main =
            |index: &u32| self.recorder.thread(ThreadIndex(*index)).is_some_and(|thread| thread.tid() == pid);
        let main = (0..self.recorder.thread_count()).find(is_main);
        let Some((main, bytes)) = main.zip(system::main_stack_bytes()) else { return Ok(()) };
        let stack_bytes_high_water = Some(bytes);
        self.output
            .record(&Record::ThreadEnd(ThreadEnd { thread: ThreadIndex(main), stack_bytes_high_water }))
    }
}

fn reason_of(number: u32) -> EndReason {
    match number {
        1 => EndReason::Exec,
        2 => EndReason::Killed,
        3 => EndReason::Failed,
        _ => EndReason::Exit,
    }
}
