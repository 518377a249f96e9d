//! What the walk knows of each type: read once, at its first instance.

use memsight_capture::{Record, SnapshotRecord, TypeId, WordId};
use memsight_recorder::ledger::{Sink, Stopped};
use memsight_recorder::table::{Table, hash_bytes, mix};

use super::content::Text;
use super::{Array, object_arrays};
use crate::python::layout::Layout;
use crate::python::{Known, word};

/// `Py_TPFLAGS_*` (`Include/object.h`).
pub(crate) mod flag {
    /// Inline values (3.13).
    pub(crate) const INLINE_VALUES: usize = 1 << 2;
    /// A weak reference list before the object (3.12).
    pub(crate) const MANAGED_WEAKREF: usize = 1 << 3;
    /// A dict before the object (3.11).
    pub(crate) const MANAGED_DICT: usize = 1 << 4;
    pub(crate) const HEAP_TYPE: usize = 1 << 9;
    pub(crate) const HAVE_GC: usize = 1 << 14;
    pub(crate) const LONG: usize = 1 << 24;
    pub(crate) const LIST: usize = 1 << 25;
    pub(crate) const TUPLE: usize = 1 << 26;
    pub(crate) const BYTES: usize = 1 << 27;
    pub(crate) const STR: usize = 1 << 28;
    pub(crate) const DICT: usize = 1 << 29;
    pub(crate) const EXCEPTION: usize = 1 << 30;
    pub(crate) const TYPE: usize = 1 << 31;
}

/// How the references of a type's instances are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It has none.
    Leaf,
    /// It says nothing of its references, but has fields that are known: code objects, up to 3.12.
    Fields,
    /// `list` itself.
    List,
    /// `tuple` itself.
    Tuple,
    /// `dict` itself.
    Dict,
    /// `set` or `frozenset`.
    Set,
    /// A frame object.
    Frame,
    /// A generator, coroutine or asynchronous generator.
    Generator,
    /// A cell of a closure.
    Cell,
    /// A function written in Python.
    Function,
    /// A frame of a traceback.
    Traceback,
    /// Any other: what it says itself, named by what is known of it.
    Other,
}

/// A field of a type written in C, or a slot.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) offset: usize,
    pub(crate) word: WordId,
}

#[derive(Clone, Copy)]
pub(crate) struct Type {
    pub(crate) address: usize,
    pub(crate) kind: Kind,
    pub(crate) flags: usize,
    pub(crate) traverse: usize,
    pub(crate) dict_offset: isize,
    pub(crate) size: usize,
    pub(crate) fields: (u32, u32),
    /// An array of numpy.
    pub(crate) is_array: bool,
}

impl Type {
    pub(crate) fn has(&self, flag: usize) -> bool {
        self.flags & flag != 0
    }

    /// Bytes that stand before an instance in its block.
    pub(crate) fn bytes_before(&self, minor: u32) -> usize {
        bytes_before(self.flags, minor)
    }
}

/// Bytes that stand before an instance of a type with these flags.
pub(crate) fn bytes_before(flags: usize, minor: u32) -> usize {
    const WORDS: usize = 2 * size_of::<usize>();
    let collector = if flags & flag::HAVE_GC != 0 { WORDS } else { 0 };
    let managed = match minor {
        ..11 => 0,
        11 => flag::MANAGED_DICT,
        _ => flag::MANAGED_DICT | flag::MANAGED_WEAKREF,
    };
    collector + if flags & managed != 0 { WORDS } else { 0 }
}

/// All types met so far, and the words of their fields.
pub(crate) struct Types {
    pub(crate) layout: &'static Layout,
    known: &'static Known,
    rows: Array<Type>,
    table: Table,
    fields: Array<Field>,
    /// Address and length of each word, in the interpreter's memory or ours.
    words: Array<(usize, usize)>,
    word_table: Table,
}

/// `PyMemberDef` (`Include/structmember.h`): name, kind, offset, flags, documentation.
const MEMBER_BYTES: usize = 40;
const T_OBJECT: i32 = 6;
const T_OBJECT_EX: i32 = 16;

impl Types {
    pub(crate) fn new(layout: &'static Layout, known: &'static Known) -> Self {
        Types {
            layout,
            known,
            rows: Array::new(),
            table: Table::default(),
            fields: Array::new(),
            words: Array::new(),
            word_table: Table::default(),
        }
    }

    pub(crate) fn get(&self, id: TypeId) -> Type {
        self.rows.as_slice()[id.index()]
    }

    pub(crate) fn fields(&self, of: &Type) -> &[Field] {
        self.fields.as_slice().get(of.fields.0 as usize..of.fields.1 as usize).unwrap_or(&[])
    }

    /// Whether objects of this type were met.
    pub(crate) fn has(&self, address: usize) -> bool {
        self.find(address).is_some()
    }

    fn find(&self, address: usize) -> Option<u32> {
        let rows = self.rows.as_slice();
        self.table.find(mix(address as u64), |row| rows[row as usize].address == address)
    }

    /// The type at an address; says its name if it is new.
    pub(crate) fn at(&mut self, address: usize, sink: &mut impl Sink) -> Result<TypeId, Stopped> {
        let hash = mix(address as u64);
        if let Some(row) = self.find(address) {
            return Ok(TypeId(row));
        }
        let fresh = self.read(address, sink)?;
        self.rows.push(fresh)?;
        let row = self.rows.len() as u32 - 1;
        self.table.insert(row, hash)?;
        let mut name = Text::<240>::new();
        self.write_name(&fresh, &mut name);
        sink.record(&Record::Snapshot(SnapshotRecord::ObjectType(name.as_bytes())))?;
        Ok(TypeId(row))
    }

    fn read(&mut self, address: usize, sink: &mut impl Sink) -> Result<Type, Stopped> {
        let (object, references) = (&self.layout.object, &self.layout.references);
        // SAFETY: a live type of this layout's version.
        let (flags, traverse, size, dict_offset) = unsafe {
            (
                word(address + object.tp_flags),
                word(address + references.traverse),
                word(address + object.tp_basicsize),
                word(address + references.dict_offset) as isize,
            )
        };
        let first = self.fields.len() as u32;
        self.read_fields(address, sink)?;
        let known = self.known;
        let kind = match address {
            _ if traverse == 0 && first < self.fields.len() as u32 => Kind::Fields,
            _ if traverse == 0 => Kind::Leaf,
            _ if address == known.list => Kind::List,
            _ if address == known.tuple => Kind::Tuple,
            _ if address == known.dict => Kind::Dict,
            _ if address == known.set || address == known.frozenset => Kind::Set,
            _ if address == known.frame => Kind::Frame,
            _ if known.generators.contains(&address) => Kind::Generator,
            _ if address == known.cell => Kind::Cell,
            _ if address == known.function => Kind::Function,
            _ if address == known.traceback => Kind::Traceback,
            _ => Kind::Other,
        };
        let fields = (first, self.fields.len() as u32);
        let is_array = size >= object_arrays::BYTES && self.is_based_on(address, object_arrays::TYPE_NAME);
        Ok(Type { address, kind, flags, traverse, dict_offset, size, fields, is_array })
    }

    /// Whether it is a type written in C of this name, or has one among those it is based on.
    fn is_based_on(&self, address: usize, name: &[u8]) -> bool {
        let (object, references) = (&self.layout.object, &self.layout.references);
        let mut of = address;
        for _ in 0..64 {
            // SAFETY: a live type, whose name is a C string.
            let (flags, text) = unsafe { (word(of + object.tp_flags), word(of + object.tp_name)) };
            // SAFETY: as above.
            let text = unsafe { core::ffi::CStr::from_ptr(text as *const _) };
            if flags & flag::HEAP_TYPE == 0 && text.to_bytes() == name {
                return true;
            }
            // SAFETY: as above.
            of = unsafe { word(of + references.base) };
            if of == 0 {
                break;
            }
        }
        false
    }

    /// The fields that hold objects, of the type and what it is based on.
    fn read_fields(&mut self, address: usize, sink: &mut impl Sink) -> Result<(), Stopped> {
        let references = &self.layout.references;
        let mut of = address;
        let mut steps = 0;
        while of != 0 && steps < 64 {
            // SAFETY: a live type; its members end with one without a name.
            let mut member = unsafe { word(of + references.members) };
            let mut count = 0;
            // SAFETY: as above.
            while member != 0 && count < 256 && unsafe { word(member) } != 0 {
                // SAFETY: as above.
                let (name, kind, offset) =
                    unsafe { (word(member), ((member + 8) as *const i32).read(), word(member + 16)) };
                if matches!(kind, T_OBJECT | T_OBJECT_EX) && offset < 1 << 16 {
                    let word = self.c_word(name, sink)?;
                    self.fields.push(Field { offset, word })?;
                }
                member += MEMBER_BYTES;
                count += 1;
            }
            // SAFETY: as above.
            of = unsafe { word(of + references.base) };
            steps += 1;
        }
        Ok(())
    }

    fn c_word(&mut self, text: usize, sink: &mut impl Sink) -> Result<WordId, Stopped> {
        // SAFETY: a name of a member is a C string.
        let bytes = unsafe { core::ffi::CStr::from_ptr(text as *const core::ffi::c_char) }.to_bytes();
        self.word(&bytes[..bytes.len().min(100)], sink)
    }

    /// A word's number; says it if it is new. It stays where it is.
    pub(crate) fn word(&mut self, text: &[u8], sink: &mut impl Sink) -> Result<WordId, Stopped> {
        let hash = hash_bytes(1, text);
        let words = &self.words;
        // SAFETY: words are static strings or members' names of types that live.
        let same = |row: u32| unsafe {
            let (address, len) = words.as_slice()[row as usize];
            core::slice::from_raw_parts(address as *const u8, len) == text
        };
        if let Some(row) = self.word_table.find(hash, same) {
            return Ok(WordId(row));
        }
        self.words.push((text.as_ptr() as usize, text.len()))?;
        let row = self.words.len() as u32 - 1;
        self.word_table.insert(row, hash)?;
        sink.record(&Record::Snapshot(SnapshotRecord::Word(text)))?;
        Ok(WordId(row))
    }

    /// The text of a word.
    pub(crate) fn text(&self, word: WordId) -> &[u8] {
        let Some(&(address, len)) = self.words.as_slice().get(word.index()) else { return &[] };
        // SAFETY: words stay where they are.
        unsafe { core::slice::from_raw_parts(address as *const u8, len) }
    }

    /// `module.Name`, as the program would write it; builtins without their module.
    pub(crate) fn write_name<const N: usize>(&self, of: &Type, name: &mut Text<N>) {
        let (object, references) = (&self.layout.object, &self.layout.references);
        if of.has(flag::HEAP_TYPE) {
            // SAFETY: a live heap type; its dict is a `dict`.
            unsafe {
                let dict = word(of.address + references.type_dict);
                let module = self.known.dict_item(dict, b"__module__", self.layout);
                let start = name.len();
                if module != 0 {
                    name.push_str_object(module, self.layout);
                }
                if &name.as_bytes()[start..] == b"builtins" {
                    name.truncate(start);
                } else if module != 0 {
                    name.push(b".");
                }
                name.push_str_object(word(of.address + references.qualname), self.layout);
            }
            return;
        }
        // SAFETY: a type's name is a C string.
        let text = unsafe { core::ffi::CStr::from_ptr(word(of.address + object.tp_name) as *const _) };
        name.push_lossy(text.to_bytes());
    }
}
