//! CPython's frames as the stack cache wants them: two forms, one trait.
//!
//! Up to 3.10 a frame is an object with its instruction as a number; from 3.11
//! it lies on the interpreter's own stack and points into the code. In both,
//! the key of (code, instruction) is one word.

use memsight_capture::{CodeId, NodeId, NodeKind};
use memsight_recorder::tree::CodeText;
use memsight_recorder::{Described, Frames};

use super::layout::{Layout, OWNED_BY_THREAD, Values};
use super::{Python, code, word};
use crate::session::Inside;

/// What is written above the values of a frame that waits for its callee: no
/// object's address, nor any other that a program could have.
const MARK: usize = 0x6d73_6967_6874_6d6b;

/// The frames of 3.11 and newer (`_PyInterpreterFrame`).
pub(super) struct Internal {
    layout: &'static Layout,
    code_type: usize,
    previous: usize,
    instruction: usize,
    /// Where the mark goes, or none if frames must not be marked now.
    values: Option<&'static Values>,
}

impl Internal {
    #[inline(always)]
    pub(super) fn new(layout: &'static Layout, code_type: usize, may_mark: bool) -> Self {
        let (previous, instruction) = (layout.frame.previous, layout.frame.instruction);
        let values = if may_mark { layout.frame.values.as_ref() } else { None };
        Internal { layout, code_type, previous, instruction, values }
    }

    /// The first unused place above the values of a frame that waits in a call
    /// of another Python function, one that the evaluation loop made by itself.
    ///
    /// The loop stores the height of the stack of values before such a call and
    /// -1 when it goes on (`_PyFrame_SetStackPointer`, `_PyFrame_GetStackPointer`
    /// in `pycore_frame.h`). Every instruction that calls so has taken its
    /// operands off the stack, the lowest of them from this very place, and
    /// the callee's result is pushed there (`_PyFrame_StackPush`). So the place
    /// is inside the frame, nobody reads it before it is written, and it is
    /// written before the frame can wait in another call. Not so where a generator is
    /// resumed or a trace function runs; those are told by `above` and by
    /// `may_mark`.
    #[inline(always)]
    fn unused_place(&self, frame: u64, above: u64) -> Option<*mut usize> {
        let values = self.values?;
        let frame = frame as usize;
        // SAFETY: both are live frames of the calling thread.
        let (height, owner, owner_above) = unsafe {
            (
                ((frame + values.height) as *const i32).read(),
                ((frame + values.owner) as *const u8).read(),
                ((above as usize + values.owner) as *const u8).read(),
            )
        };
        (height >= 0 && owner == OWNED_BY_THREAD && owner_above == OWNED_BY_THREAD)
            .then(|| (frame + values.first + height as usize * size_of::<usize>()) as *mut usize)
    }
}

impl Frames for Internal {
    #[inline(always)]
    fn previous(&self, frame: u64) -> u64 {
        // SAFETY: a live frame of the calling thread, at an offset of its version.
        unsafe { word(frame as usize + self.previous) as u64 }
    }

    #[inline(always)]
    fn key(&self, frame: u64) -> u64 {
        // SAFETY: as above. The instruction lies in its code, so its address names both.
        unsafe { word(frame as usize + self.instruction) as u64 }
    }

    /// As CPython's own `_PyFrame_IsIncomplete` (`pycore_frame.h`): frames that
    /// the C stack owns, and those that have not come to their first
    /// instruction of the source, are none that a traceback would show.
    fn describe(&self, frame: u64) -> Described {
        let frame = frame as usize;
        let none = Described { code: 0, offset: 0, visible: false };
        let layout = self.layout;
        // SAFETY: as above; the fields of a code object are read after its type was compared.
        unsafe {
            let owner = layout.frame.owner.map(|offset| ((frame + offset) as *const u8).read());
            if owner.is_some() && owner == layout.frame.owned_by_cstack {
                return none;
            }
            let code = word(frame + layout.frame.code);
            if !code::is_code(code, self.code_type, layout) {
                return none;
            }
            let start = code + layout.code.code_start.unwrap_or(0);
            let instruction = word(frame + self.instruction);
            let first =
                layout.code.first_traceable.map_or(0, |offset| ((code + offset) as *const i32).read());
            let begun = instruction >= start.wrapping_add_signed(first as isize * 2);
            Described {
                code: code as u64,
                offset: instruction.saturating_sub(start) as u32,
                visible: begun || owner == layout.frame.owned_by_generator,
            }
        }
    }

    #[inline(always)]
    fn is_marked(&self, frame: u64, above: u64) -> bool {
        // SAFETY: the place lies in the frame.
        self.unused_place(frame, above).is_some_and(|place| unsafe { place.read() } == MARK)
    }

    #[cold]
    fn mark(&self, frame: u64, above: u64) {
        let Some(place) = self.unused_place(frame, above) else { return };
        // The shim below an `__init__` (3.12 and newer) has pushed nothing of its own.
        if self.describe(frame).visible {
            // SAFETY: the place lies in the frame, above its values, and holds nothing.
            unsafe { place.write(MARK) };
        }
    }

    fn read_code(&self, code: u64, text: &mut CodeText) -> bool {
        // SAFETY: `describe` has found it to be a code object, and the GIL or its frame keeps it.
        unsafe { code::read(code as usize, self.layout, text) }
    }
}

/// What `f_trace_lines` is in a frame that we marked: true, as it was, but not 1.
const MARKED: u8 = 0x6d;

/// The frames of 3.9 and 3.10 (`PyFrameObject`).
///
/// Here the mark is in the callee. A new frame has `f_trace_lines` set to 1, the
/// program can make that true or false, and everybody only asks whether it is
/// true (`frameobject.c`, `ceval.c`). So a frame with our value in it has not
/// ended since it was marked, and as long as it has not, its caller and all below
/// wait for it. A generator's frame is another matter: it comes back.
pub(super) struct Objects {
    layout: &'static Layout,
    code_type: usize,
}

impl Objects {
    #[inline(always)]
    pub(super) fn new(layout: &'static Layout, code_type: usize) -> Self {
        Objects { layout, code_type }
    }
}

impl Frames for Objects {
    #[inline(always)]
    fn previous(&self, frame: u64) -> u64 {
        // SAFETY: a live frame of the calling thread, at an offset of its version.
        unsafe { word(frame as usize + self.layout.frame.previous) as u64 }
    }

    /// Code objects lie on multiples of 16 below 2^47: 43 bits tell them
    /// apart, and 21 are left for the instruction.
    #[inline(always)]
    fn key(&self, frame: u64) -> u64 {
        let frame = frame as usize;
        // SAFETY: as above.
        unsafe {
            let code = word(frame + self.layout.frame.code) as u64;
            let instruction = ((frame + self.layout.frame.instruction) as *const i32).read();
            (code >> 4) << 21 | u64::from(instruction as u32 & 0x1f_ffff)
        }
    }

    fn describe(&self, frame: u64) -> Described {
        let frame = frame as usize;
        // SAFETY: as above.
        unsafe {
            let code = word(frame + self.layout.frame.code);
            if !code::is_code(code, self.code_type, self.layout) {
                return Described { code: 0, offset: 0, visible: false };
            }
            let instruction = ((frame + self.layout.frame.instruction) as *const i32).read();
            let offset = instruction.max(0) as u32 * Python::instruction_unit(self.layout);
            Described { code: code as u64, offset, visible: true }
        }
    }

    #[inline(always)]
    fn is_marked(&self, _frame: u64, above: u64) -> bool {
        // SAFETY: a live frame of the calling thread, at an offset of its version.
        self.layout.frame.flags.is_some_and(|flags| unsafe {
            ((above as usize + flags.trace_lines) as *const u8).read() == MARKED
        })
    }

    #[cold]
    fn mark(&self, _frame: u64, above: u64) {
        let Some(flags) = self.layout.frame.flags else { return };
        let (lines, above) = ((above as usize + flags.trace_lines) as *mut u8, above as usize);
        // SAFETY: as above; the value stays a true one.
        unsafe {
            if lines.read() == 1 && word(above + flags.generator) == 0 {
                lines.write(MARKED);
            }
        }
    }

    fn read_code(&self, code: u64, text: &mut CodeText) -> bool {
        // SAFETY: `describe` has found it to be a code object, and its frame keeps it.
        unsafe { code::read(code as usize, self.layout, text) }
    }
}

/// Whether the path of `node` is the chain of frames from `top`, read anew.
pub(super) fn agrees<F: Frames>(frames: &F, inside: &Inside, top: usize, node: NodeId) -> bool {
    let tree = &inside.recorder().tree;
    let (mut frame, mut node) = (top as u64, node);
    while frame != 0 {
        let described = frames.describe(frame);
        if described.visible && described.code != 0 {
            let Some((parent, NodeKind::Python { code, offset })) = tree.describe(node) else { return false };
            if offset != described.offset || !is_same_code(frames, inside, described.code, code) {
                return false;
            }
            node = parent;
        }
        frame = frames.previous(frame);
    }
    matches!(tree.describe(node), Some((_, NodeKind::Thread(_))))
}

fn is_same_code<F: Frames>(frames: &F, inside: &Inside, address: u64, id: CodeId) -> bool {
    let Some(known) = inside.recorder().tree.code(id) else { return false };
    inside.recorder().tree.with_scratch(|text| frames.read_code(address, text) && text.is(&known))
}
