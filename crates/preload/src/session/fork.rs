//! What `fork` needs: nobody in the tables while it copies them, and a recording
//! of its own for the child.

use core::sync::atomic::Ordering;

use memsight_recorder::thread::Within;
use memsight_recorder::{Recorder, sys};

use super::config::name_capture;
use super::{FORKED, Session, State, WRITER_FAILED};
use crate::environment;
use crate::hooks::signals;
use crate::steps::{self, Stage};
use crate::tls::{self, Local};

impl Session {
    /// Before `fork`: no other thread may be in the tables. What a signal handler
    /// allocates until it is over passes by.
    pub(super) fn before_fork(&self) {
        let Some(recorder) = self.recorder() else { return };
        let local = tls::get();
        let after = match local {
            // A signal handler forks, and its thread may have the locks.
            Local::Attaching => return,
            Local::Row(thread) if thread.within() == Within::Recorder => return,
            Local::Row(thread) => thread.enter().then_some(local),
            Local::New | Local::Ended => {
                tls::set(Local::Attaching);
                Some(local)
            }
        };
        environment::before_fork();
        self.late_lock.acquire();
        recorder.before_fork();
        // SAFETY: the locks are held. pthread_self takes no arguments.
        unsafe {
            *self.after_fork.get() = after;
            self.forking.store(libc::pthread_self() as usize, Ordering::Relaxed);
        }
    }

    /// Whether the calling thread took the locks in [`Session::before_fork`], and
    /// where it was.
    fn is_forking(&self) -> Option<Option<Local>> {
        // SAFETY: pthread_self takes no arguments.
        let me = unsafe { libc::pthread_self() } as usize;
        // SAFETY: it is this thread that has the locks.
        (self.forking.load(Ordering::Relaxed) == me).then(|| unsafe { *self.after_fork.get() })
    }

    fn is_over(&self, after: Option<Local>) {
        match after {
            Some(Local::Row(thread)) => thread.leave(),
            Some(other) => tls::set(other),
            None => {}
        }
    }

    pub(super) fn after_fork_in_parent(&self) {
        let Some((recorder, after)) = self.recorder().zip(self.is_forking()) else { return };
        self.forking.store(0, Ordering::Relaxed);
        recorder.after_fork_in_parent();
        self.late_lock.release();
        environment::after_fork_in_parent();
        self.is_over(after);
    }

    pub(super) fn after_fork_in_child(&'static self) {
        let Some(recorder) = self.recorder() else { return };
        let forking = self.is_forking();
        self.forking.store(0, Ordering::Relaxed);
        let Some(after) = forking else {
            // The tables are as the signal handler found them. Its thread may have been
            // standing still, for a writer that this process does not have.
            recorder.turn_off();
            self.forget_standstill();
            signals::stop_listening();
            self.state.store(State::Off as u32, Ordering::Release);
            return;
        };
        self.late_lock.release();
        environment::after_fork_in_child();
        self.continue_in_child(recorder);
        self.is_over(after);
    }

    /// Makes this child of `fork` a recording of its own.
    fn continue_in_child(&'static self, recorder: &'static Recorder) {
        let survivor = match tls::get() {
            Local::Row(thread) => Some(thread),
            _ => None,
        };
        // SAFETY: this is the only thread, and its row is the survivor.
        unsafe { recorder.after_fork_in_child(survivor, sys::tid()) };
        self.note_process();
        // Its parent alone is traced.
        steps::set_stage(Stage::Off);
        self.started_ns.store(sys::monotonic_ns(), Ordering::Relaxed);
        self.late.store(core::ptr::null_mut(), Ordering::Relaxed);
        self.child_count.store(0, Ordering::Relaxed);
        self.ending.store(false, Ordering::Relaxed);
        self.control.command.store(0, Ordering::Relaxed);
        self.control.exec.store(0, Ordering::Relaxed);
        self.forget(WRITER_FAILED);
        self.forget_standstill();
        let recorded = matches!(self.state(), State::Recording | State::Forked) && recorder.is_on();
        // SAFETY: there is one thread.
        let config = unsafe { &mut *self.config.get() };
        if !recorded || !config.follow {
            recorder.turn_off();
            signals::stop_listening();
            self.state.store(State::Off as u32, Ordering::Release);
            return;
        }
        config.image = 0;
        name_capture(config);
        self.forked_allocations.store(0, Ordering::Relaxed);
        self.state.store(State::Forked as u32, Ordering::Release);
        self.call_attention(FORKED);
    }
}
