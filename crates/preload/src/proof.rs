//! Whether there is a type at an address. Memory that may not be there is read
//! with care: the kernel is asked once for each page, and again when something of
//! the recorder's own has moved: a stray word may point into its tables.

use memsight_recorder::memory::{self, PageVec};
use memsight_recorder::table::{Table, mix};

use crate::python::careful_word;
use crate::python::layout::Object;

/// `Py_TPFLAGS_READY` (`Include/object.h`).
const READY: usize = 1 << 12;

/// `Py_TPFLAGS_TYPE_SUBCLASS`.
const TYPE_SUBCLASS: usize = 1 << 31;

/// Whether an object can be at an address: aligned, in the half that programs have, and not
/// among the first pages, which nobody maps.
pub(crate) fn may_be_object(address: usize) -> bool {
    address >= 1 << 16 && address & 7 == 0 && address >> 47 == 0
}

/// What is known of the program's memory.
pub(crate) struct Proof {
    ob_type: usize,
    flags: usize,
    /// Address of `type`.
    type_type: usize,
    /// Pages that were asked for, and whether they can be read.
    pages: PageVec<(usize, bool)>,
    page_table: Table,
    /// The page that was asked for last.
    last_page: (usize, bool),
    /// The recorder's moves when pages were asked for.
    moves: u64,
}

impl Proof {
    pub(crate) fn new(layout: &Object, type_type: usize) -> Self {
        Proof {
            ob_type: layout.ob_type,
            flags: layout.tp_flags,
            type_type,
            pages: PageVec::new(),
            page_table: Table::default(),
            last_page: (0, false),
            moves: memory::moves(),
        }
    }

    /// The address of `type`.
    pub(crate) fn type_type(&self) -> usize {
        self.type_type
    }

    /// Whether there is a type at an address: it says so, and its own type, or
    /// that one's, is `type` itself.
    pub(crate) fn is_type(&mut self, address: usize) -> bool {
        if self.word(address + self.flags).is_none_or(|flags| flags & READY == 0) {
            return false;
        }
        // What its type makes are types, and so on up to `type`; an object of another kind is none.
        let mut meta = address;
        for _ in 0..4 {
            let Some(next) = self.word(meta + self.ob_type).filter(|&next| may_be_object(next)) else {
                return false;
            };
            if self.word(next + self.flags).is_none_or(|flags| flags & TYPE_SUBCLASS == 0) {
                return false;
            }
            if next == self.type_type {
                return true;
            }
            meta = next;
        }
        false
    }

    /// Reads a word. The kernel is asked once for each page whether it is there.
    pub(crate) fn word(&mut self, address: usize) -> Option<usize> {
        let page = address >> 12;
        if self.moves != memory::moves() {
            self.ask_again();
        }
        if self.last_page.0 != page {
            self.last_page = (page, self.is_readable(page)?);
            // To note a page may move the table of pages itself.
            if self.moves != memory::moves() {
                self.ask_again();
                self.last_page = (page, careful_word(page << 12).is_some());
            }
        }
        let readable = self.last_page.1;
        // SAFETY: the page is there, an aligned word lies in one page, and the program waits.
        (readable && address & 7 == 0).then(|| unsafe { (address as *const usize).read_volatile() })
    }

    /// Forgets what is known of pages, so that each is asked for again.
    #[cold]
    fn ask_again(&mut self) {
        self.last_page = (0, false);
        self.pages = PageVec::new();
        self.page_table = Table::default();
        self.moves = memory::moves();
    }

    fn is_readable(&mut self, page: usize) -> Option<bool> {
        let hash = mix(page as u64);
        let pages = &mut self.pages;
        if let Some(row) = self.page_table.find(hash, |row| pages.as_slice()[row as usize].0 == page) {
            return Some(pages.as_slice()[row as usize].1);
        }
        let readable = careful_word(page << 12).is_some();
        pages.push((page, readable)).ok()?;
        let row = pages.len() as u32 - 1;
        self.page_table.insert(row, hash).ok()?;
        Some(readable)
    }
}
