//! The cyclic collector's own counters, read from outside.
//!
//! `gc.callbacks` would tell more, but a callback makes the interpreter build
//! a dict for each collection: the program's own allocations would change.

use memsight_capture::Gc;

use super::careful_word;
use super::layout::{self, Layout};

/// Where an interpreter keeps its collector's state.
pub(crate) struct Collector {
    interpreter: usize,
    fields: &'static layout::Gc,
}

impl Collector {
    /// The collector of an interpreter.
    pub(super) fn at(interpreter: usize, layout: &'static Layout) -> Self {
        Collector { interpreter, fields: &layout.gc }
    }

    /// Whether its thresholds are found where this version keeps them: these
    /// offsets are private to CPython and may move. To be asked before the
    /// program runs, which may set thresholds of its own.
    pub(super) fn is_here(interpreter: usize, layout: &'static Layout) -> bool {
        let fields = &layout.gc;
        let threshold = |generation: usize| {
            let at = interpreter + fields.threshold + generation * fields.generation_stride;
            careful_word(at).map(|word| word as u32 as i32)
        };
        (0..3).all(|generation| threshold(generation) == Some(fields.startup_thresholds[generation]))
    }

    /// Whether a collection runs at this moment.
    pub(crate) fn is_collecting(&self) -> bool {
        careful_word(self.interpreter + self.fields.collecting).is_some_and(|word| word as u32 != 0)
    }

    /// The counters so far.
    pub(crate) fn read(&self, sampled_ns: u64) -> Option<Gc> {
        let mut gc = Gc { sampled_ns, ..Gc::default() };
        for generation in 0..3 {
            let entry = self.interpreter + self.fields.stats + generation * self.fields.stats_stride;
            gc.collections[generation] = careful_word(entry + self.fields.collections)? as u64;
            gc.collected += careful_word(entry + self.fields.collected)? as u64;
            gc.uncollectable += careful_word(entry + self.fields.uncollectable)? as u64;
        }
        Some(gc)
    }
}
