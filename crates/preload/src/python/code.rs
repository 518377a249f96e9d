//! Code objects: what they are called, their lines, and when they die.

use core::ffi::c_void;
use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};

use memsight_capture::LineTable;
use memsight_recorder::tree::{CodeText, Name};

use super::layout::Layout;
use super::word;
use crate::session::session;

/// A table of lines longer than this is left out, and with it the lines.
const MAX_LINES: usize = 512 << 10;

/// Whether an address that a frame names as its code is a code object.
///
/// # Safety
/// `address` is an object or 0.
#[inline(always)]
pub(crate) unsafe fn is_code(address: usize, code_type: usize, layout: &Layout) -> bool {
    // SAFETY: every object has its type at the same place.
    address != 0 && address & 7 == 0 && unsafe { word(address + layout.object.ob_type) } == code_type
}

/// Reads names, first line and table of lines.
///
/// # Safety
/// `code` is a live code object of this layout's version.
pub(super) unsafe fn read(code: usize, layout: &Layout, text: &mut CodeText) -> bool {
    let fields = &layout.code;
    // SAFETY: a live code object's fields hold live strings and bytes.
    unsafe {
        read_str(word(code + fields.filename), layout, &mut text.file);
        read_str(word(code + fields.qualname.unwrap_or(fields.name)), layout, &mut text.name);
        text.first_line = ((code + fields.first_line) as *const u32).read();
        let lines = word(code + fields.line_table);
        if lines == 0 {
            return false;
        }
        let len = word(lines + layout.bytes.len);
        text.lines = ((lines + layout.bytes.data) as u64, if len > MAX_LINES { 0 } else { len });
    }
    text.table = match layout.minor {
        9 => LineTable::Lnotab39,
        10 => LineTable::LineTable310,
        _ => LineTable::Locations311,
    };
    true
}

/// Reads a `str` as UTF-8.
///
/// # Safety
/// `object` is a live `str` or 0.
unsafe fn read_str(object: usize, layout: &Layout, name: &mut Name) {
    name.clear();
    if object == 0 {
        return;
    }
    let str = &layout.str;
    // SAFETY: the state word says where the characters are and how wide.
    unsafe {
        let state = ((object + str.state) as *const u32).read();
        let kind = (state >> str.kind_shift) & ((1 << str.kind_width) - 1);
        let compact = state >> str.compact_shift & 1 != 0;
        let ascii = state >> str.ascii_shift & 1 != 0;
        let data = match (compact, ascii) {
            (true, true) => object + str.ascii_data,
            (true, false) => object + str.compact_data,
            (false, _) => word(object + str.loose_data),
        };
        if data == 0 || kind == 0 {
            return;
        }
        let len = word(object + str.length).min(memsight_recorder::tree::MAX_NAME);
        for i in 0..len {
            let character = match kind {
                1 => u32::from((data as *const u8).add(i).read()),
                2 => u32::from((data as *const u16).add(i).read()),
                _ => (data as *const u32).add(i).read(),
            };
            name.push(char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
}

type Dealloc = unsafe extern "C" fn(*mut c_void);

static ORIGINAL_DEALLOC: AtomicUsize = AtomicUsize::new(0);

/// Puts ourselves before the deallocator of code objects: the one notice of
/// their death that every version has, that costs nothing until then, and that
/// holds no reference.
pub(super) fn watch_deaths(code_type: usize) {
    let Some(layout) = session().python.layout() else { return };
    let place = (code_type + layout.object.tp_dealloc) as *mut usize;
    // SAFETY: static types are writable data, and no thread runs Python yet.
    unsafe {
        let original = place.read();
        if original != 0 {
            ORIGINAL_DEALLOC.store(original, Ordering::Release);
            place.write(code_dies as *const () as usize);
        }
    }
}

unsafe extern "C" fn code_dies(code: *mut c_void) {
    // `enter` would pass by inside a hook, where no code dies.
    if let Some(recorder) = session().recorder()
        && let Some(_inside) = crate::session::enter()
    {
        recorder.tree.code_died(code as u64);
    }
    // SAFETY: it is the deallocator that was there, and takes the same argument.
    unsafe { mem::transmute::<usize, Dealloc>(ORIGINAL_DEALLOC.load(Ordering::Acquire))(code) }
}
