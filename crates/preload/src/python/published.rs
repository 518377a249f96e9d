//! What an interpreter says of its own layout: 3.13 and newer publish offsets
//! in `_PyRuntime`, for tools like this one (`pycore_runtime.h`,
//! `_Py_DebugOffsets`). They win over the table, which was measured on one
//! patch release.

use core::cell::UnsafeCell;

use super::layout::{DEBUG_OFFSETS_3_13, Layout};
use super::{symbol, word};

struct Place(UnsafeCell<Option<Layout>>);

// SAFETY: written once, by the constructor, before there is a second thread.
unsafe impl Sync for Place {}

static PUBLISHED: Place = Place(UnsafeCell::new(None));

/// The row with the interpreter's own offsets in place of the measured ones.
/// `None` if what is published is not of this row's version.
pub(super) fn correct(row: &'static Layout) -> Option<&'static Layout> {
    if row.minor != 13 {
        return Some(row);
    }
    let at = &DEBUG_OFFSETS_3_13;
    let runtime = symbol(c"_PyRuntime");
    if runtime == 0 {
        return None;
    }
    let base = runtime + at.in_runtime;
    // SAFETY: the structure lies whole in the runtime's static data.
    let read = |offset: usize| unsafe { word(base + offset) };
    let is_ours = read(at.cookie) == usize::from_le_bytes(*b"xdebugpy")
        && read(at.version) >> 16 == 0x030d
        && read(at.free_threaded) == 0;
    if !is_ours {
        return None;
    }
    let mut layout = *row;
    layout.thread.interp = read(at.thread_interp);
    layout.thread.frame = read(at.thread_current_frame);
    layout.thread.thread_id = read(at.thread_id);
    layout.frame.previous = read(at.frame_previous);
    layout.frame.code = read(at.frame_executable);
    layout.frame.instruction = read(at.frame_instr_ptr);
    layout.frame.owner = Some(read(at.frame_owner));
    // What is not published is only used where the rest of the frame is as it was measured.
    if layout.frame != row.frame || layout.thread != row.thread {
        layout.frame.values = None;
    }
    layout.code.filename = read(at.code_filename);
    layout.code.name = read(at.code_name);
    layout.code.qualname = Some(read(at.code_qualname));
    layout.code.line_table = read(at.code_linetable);
    layout.code.first_line = read(at.code_firstlineno);
    layout.code.code_start = Some(read(at.code_co_code_adaptive));
    layout.object.ob_type = read(at.object_ob_type);
    layout.object.tp_name = read(at.type_tp_name);
    layout.object.tp_flags = read(at.type_tp_flags);
    layout.bytes.len = read(at.bytes_ob_size);
    layout.bytes.data = read(at.bytes_ob_sval);
    layout.str.state = read(at.str_state);
    layout.str.length = read(at.str_length);
    layout.str.ascii_data = read(at.str_asciiobject_size);
    // The collector's own fields keep their distance from where its state begins.
    let moved = read(at.interp_gc).wrapping_sub(row.gc.base);
    for offset in [&mut layout.gc.base, &mut layout.gc.stats, &mut layout.gc.threshold] {
        *offset = offset.wrapping_add(moved);
    }
    layout.gc.collecting = layout.gc.base + read(at.gc_collecting);
    // SAFETY: there is one thread.
    let place = unsafe { &mut *PUBLISHED.0.get() };
    Some(place.insert(layout))
}
