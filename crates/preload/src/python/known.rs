//! Types and functions of CPython that a snapshot of the object graph uses. They
//! are looked up before the program begins, and called in a copy of it alone.

use core::ffi::{CStr, c_int, c_long, c_longlong};
use core::mem;

use super::layout::Layout;
use super::{symbol, word};

/// Addresses; 0 for what this interpreter does not have.
pub(crate) struct Known {
    pub(crate) list: usize,
    pub(crate) tuple: usize,
    pub(crate) dict: usize,
    pub(crate) set: usize,
    pub(crate) frozenset: usize,
    pub(crate) frame: usize,
    pub(crate) cell: usize,
    pub(crate) code: usize,
    pub(crate) function: usize,
    pub(crate) traceback: usize,
    pub(crate) generators: [usize; 3],
    numbers: [usize; 2],
    dict_next: usize,
    module_dict: usize,
    as_long_long: usize,
    line_of: usize,
}

type DictNext = unsafe extern "C" fn(usize, *mut isize, *mut usize, *mut usize) -> c_int;
type ModuleDict = unsafe extern "C" fn() -> usize;
type AsLongLong = unsafe extern "C" fn(usize, *mut c_int) -> c_longlong;
type LineOf = unsafe extern "C" fn(usize, c_int) -> c_int;

impl Known {
    pub(super) const NOTHING: Known = Known {
        list: 0,
        tuple: 0,
        dict: 0,
        set: 0,
        frozenset: 0,
        frame: 0,
        cell: 0,
        code: 0,
        function: 0,
        traceback: 0,
        generators: [0; 3],
        numbers: [0; 2],
        dict_next: 0,
        module_dict: 0,
        as_long_long: 0,
        line_of: 0,
    };

    pub(super) fn find() -> Self {
        Known {
            list: symbol(c"PyList_Type"),
            tuple: symbol(c"PyTuple_Type"),
            dict: symbol(c"PyDict_Type"),
            set: symbol(c"PySet_Type"),
            frozenset: symbol(c"PyFrozenSet_Type"),
            frame: symbol(c"PyFrame_Type"),
            cell: symbol(c"PyCell_Type"),
            code: symbol(c"PyCode_Type"),
            function: symbol(c"PyFunction_Type"),
            traceback: symbol(c"PyTraceBack_Type"),
            generators: [c"PyGen_Type", c"PyCoro_Type", c"PyAsyncGen_Type"].map(symbol as fn(&CStr) -> usize),
            numbers: [c"PyFloat_Type", c"PyComplex_Type"].map(symbol as fn(&CStr) -> usize),
            dict_next: symbol(c"PyDict_Next"),
            module_dict: symbol(c"PyImport_GetModuleDict"),
            as_long_long: symbol(c"PyLong_AsLongLongAndOverflow"),
            line_of: symbol(c"PyCode_Addr2Line"),
        }
    }

    /// Whether a type is `float` or `complex`: numbers in place of references.
    pub(crate) fn is_number(&self, of: usize) -> bool {
        self.numbers.contains(&of)
    }

    pub(super) fn is_whole(&self) -> bool {
        [self.list, self.tuple, self.dict, self.code, self.dict_next, self.module_dict, self.as_long_long]
            .iter()
            .all(|&address| address != 0)
    }

    /// `sys.modules`, or 0.
    ///
    /// # Safety
    /// Called as by the thread that has the GIL.
    pub(crate) unsafe fn modules(&self) -> usize {
        // SAFETY: passed on from the caller.
        unsafe { mem::transmute::<usize, ModuleDict>(self.module_dict)() }
    }

    /// The next key and value of a dict, from `position` on.
    ///
    /// # Safety
    /// `dict` is a live dict, which nobody changes meanwhile.
    pub(crate) unsafe fn next_entry(&self, dict: usize, position: &mut isize) -> Option<(usize, usize)> {
        let (mut key, mut value) = (0, 0);
        // SAFETY: passed on from the caller; references are borrowed.
        let found = unsafe {
            mem::transmute::<usize, DictNext>(self.dict_next)(dict, position, &mut key, &mut value)
        };
        (found != 0 && key != 0 && value != 0).then_some((key, value))
    }

    /// The value that a dict has for a `str` of ASCII characters, or 0.
    ///
    /// # Safety
    /// `dict` is a live dict with strings for keys, or 0.
    pub(crate) unsafe fn dict_item(&self, dict: usize, name: &[u8], layout: &Layout) -> usize {
        let mut position = 0;
        if dict == 0 {
            return 0;
        }
        // SAFETY: passed on from the caller. The length is compared before the characters.
        unsafe {
            while let Some((key, value)) = self.next_entry(dict, &mut position) {
                let text = (key + layout.str.ascii_data) as *const u8;
                if word(key + layout.str.length) == name.len()
                    && core::slice::from_raw_parts(text, name.len()) == name
                {
                    return value;
                }
            }
        }
        0
    }

    /// The value of an `int`, if 64 bits hold it.
    ///
    /// # Safety
    /// `object` is a live `int`.
    pub(crate) unsafe fn small_int(&self, object: usize) -> Option<i64> {
        let mut overflow = 0;
        // SAFETY: passed on from the caller.
        let value = unsafe { mem::transmute::<usize, AsLongLong>(self.as_long_long)(object, &mut overflow) };
        (overflow == 0).then_some(value)
    }

    /// The line of an instruction, given by its offset in bytes; 0 if there is none.
    ///
    /// # Safety
    /// `code` is a live code object.
    pub(crate) unsafe fn line(&self, code: usize, offset: i32) -> u32 {
        if self.line_of == 0 {
            return 0;
        }
        // SAFETY: passed on from the caller.
        let line = unsafe { mem::transmute::<usize, LineOf>(self.line_of)(code, offset) };
        c_long::from(line).max(0) as u32
    }
}
