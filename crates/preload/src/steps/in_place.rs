//! CPython 3.11 alone: lets `text += part` run as it would untraced.
//!
//! While a trace function is set, 3.11 runs no specialised instructions
//! (`TRACING_NEXTOPARG` in `Python/ceval.c`), and only a specialised one grows a string in
//! place. So the trace is paused while such a line runs, and goes on at the allocation
//! that the growth makes. The line is looked at closely: nothing in it can call Python
//! code or do without that allocation.
//!
//! ```text
//! LOAD_FAST text │ LOAD_FAST part or LOAD_CONST │ BINARY_OP += or + │ CACHE │ STORE_FAST text
//! ```

use super::tracer::Tracer;
use crate::python::{frames_of_thread, word};

/// The version that all of this is true of.
const MINOR: u32 = 11;

// `Include/opcode.h` of 3.11.
const LOAD_CONST: [u8; 2] = [100, 44];
const LOAD_FAST: [u8; 3] = [124, 45, 46];
const STORE_FAST: [u8; 3] = [125, 161, 167];
/// The forms of `BINARY_OP` for text, and the one that looks which form is fit.
const WARM_BINARY_OP: [u8; 3] = [3, 6, 7];
const ADD: [u8; 2] = [0, 13];

/// A line that runs with the trace paused.
#[derive(Clone, Copy)]
pub(super) struct Paused {
    thread_state: usize,
    frame: usize,
    /// Where its addition is in the code, in bytes.
    offset: i32,
    trace_function: usize,
}

impl Tracer {
    /// Pauses the trace if the line that is about to run grows a string.
    pub(super) fn pause_for_growth(&mut self, thread_state: usize, frame: usize) {
        if self.walk.layout.minor != MINOR {
            return;
        }
        let Some(offset) = self.growth_at(frame) else { return };
        let place = (thread_state + self.walk.layout.steps.trace_function) as *mut usize;
        // SAFETY: the state of the calling thread, which has the GIL.
        let trace_function = unsafe { place.replace(0) };
        self.paused = Some(Paused { thread_state, frame, offset, trace_function });
    }

    /// The offset of the addition, if the line that a frame is at has the form above.
    fn growth_at(&self, frame: usize) -> Option<i32> {
        const UNIT: usize = 2;
        let layout = self.walk.layout;
        // SAFETY: a live frame and its code; five units more are in the code, which ends
        // with a return.
        let (first, units) = unsafe {
            let code = word(frame + layout.frame.code);
            let start = code + layout.code.code_start?;
            let at = self.walk.offset_in(code, frame);
            let first = start + usize::try_from(at).ok()?;
            let end = code + layout.code.size + word(code + layout.references.size) * UNIT;
            if first + 5 * UNIT > end {
                return None;
            }
            (at, (first as *const [[u8; UNIT]; 5]).read_unaligned())
        };
        let [[load, text], [part, of], [addition, kind], _, [store, to]] = units;
        let fits = LOAD_FAST.contains(&load)
            && (LOAD_CONST.contains(&part) || LOAD_FAST.contains(&part) && self.is_text(frame, of))
            && WARM_BINARY_OP.contains(&addition)
            && ADD.contains(&kind)
            && STORE_FAST.contains(&store)
            && to == text
            && self.is_text(frame, text);
        fits.then_some(first + 2 * UNIT as i32)
    }

    /// Whether a local variable is a `str` with characters in it.
    fn is_text(&self, frame: usize, index: u8) -> bool {
        let layout = self.walk.layout;
        // SAFETY: the code of a live frame names its own variables.
        unsafe {
            let value =
                word(frame + layout.references.frame_locals + usize::from(index) * size_of::<usize>());
            value != 0
                && word(value + layout.object.ob_type) == self.landmarks.str
                && word(value + layout.str.length) > 0
        }
    }

    /// At an allocation: goes on with the trace once the addition has come, or anything else
    /// than the line runs.
    pub(super) fn go_on_after_growth(&mut self, thread_state: usize) {
        let Some(paused) = self.paused.filter(|paused| paused.thread_state == thread_state) else { return };
        let layout = self.walk.layout;
        let frame = frames_of_thread(layout, thread_state);
        // SAFETY: a live frame and its code.
        let offset = unsafe {
            if frame == 0 { -1 } else { self.walk.offset_in(word(frame + layout.frame.code), frame) }
        };
        if frame == paused.frame && (paused.offset - 4..paused.offset).contains(&offset) {
            return;
        }
        self.paused = None;
        // SAFETY: the state of the calling thread and the loop that it runs (`_PyCFrame`), whose
        // first byte says that it is traced.
        unsafe {
            ((thread_state + layout.steps.trace_function) as *mut usize).write(paused.trace_function);
            (word(thread_state + layout.thread.frame) as *mut u8).write(ALL_BITS);
        }
    }
}

const ALL_BITS: u8 = 255;
