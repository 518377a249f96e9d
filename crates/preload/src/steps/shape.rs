//! How the objects of a type are looked at, and what one holds.
//!
//! The program's own classes and the containers of CPython are opened; what else C
//! code or the standard library keeps inside is a closed box.

use core::ffi::CStr;

use memsight_capture::{Label, StepKind, WordId};
use memsight_recorder::memory::{OutOfMemory, PageVec};
use memsight_recorder::table::{Table, mix};

use super::tracer::Tracer;
use crate::graph::content::Text;
use crate::graph::types::{Kind, Type, flag};
use crate::python::word;

const WORD: usize = size_of::<usize>();

/// Items of one object that are said.
const MOST_ITEMS: usize = 2000;

/// How an object's items are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It has none that are looked at.
    Nothing,
    List,
    Tuple,
    Dict,
    Set,
    /// An instance of a class of the program, or another object whose attributes are looked at.
    Instance,
    Class,
    Function,
    Method,
    Module,
    Cell,
    Generator,
    /// What it says itself (`tp_traverse`).
    Told,
}

/// A type, as far as a trace needs it.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) of: Type,
    /// An address may come to hold another type.
    identity: [usize; 2],
    pub(super) word: WordId,
    pub(super) kind: StepKind,
    pub(super) look: Look,
}

#[derive(Default)]
pub(super) struct Shapes {
    rows: PageVec<Shape>,
    table: Table,
}

/// By what an object holds another.
#[derive(Clone, Copy)]
pub(super) enum Held {
    Nothing,
    Index(usize),
    Word(WordId),
    /// The key object of a dict.
    Key(usize),
}

/// Types that are known by their addresses; 0 where there is none.
#[derive(Clone, Copy)]
pub(super) struct Landmarks {
    pub(super) module: usize,
    pub(super) method: usize,
    pub(super) builtin: usize,
    pub(super) none: usize,
    pub(super) str: usize,
    pub(super) deque: &'static [u8],
}

fn c_string(address: usize) -> &'static [u8] {
    // SAFETY: names of types are C strings that live as long as the type.
    if address == 0 { &[] } else { unsafe { CStr::from_ptr(address as *const _) }.to_bytes() }
}

impl Tracer {
    /// The shape of a live type.
    pub(super) fn shape(&mut self, address: usize) -> Result<Shape, OutOfMemory> {
        let object = &self.walk.layout.object;
        // SAFETY: a live type.
        let identity =
            unsafe { [word(address + object.tp_flags) & !VOLATILE, word(address + object.tp_name)] };
        let hash = mix(address as u64);
        let rows = &self.shapes.rows;
        let row = self.shapes.table.find(hash, |row| rows.as_slice()[row as usize].of.address == address);
        if let Some(row) = row {
            let known = self.shapes.rows.as_slice()[row as usize];
            if known.identity == identity {
                return Ok(known);
            }
            // What is known of other types may be as old.
            self.forget_types();
        }
        let fresh = self.read_shape(address, identity)?;
        self.shapes.rows.push(fresh)?;
        self.shapes.table.insert(self.shapes.rows.len() as u32 - 1, hash)?;
        Ok(fresh)
    }

    /// Whether a type was met. It is alive, since a type that dies is forgotten.
    pub(super) fn knows_type(&self, address: usize) -> bool {
        let rows = self.shapes.rows.as_slice();
        let hash = mix(address as u64);
        self.shapes.table.find(hash, |row| rows[row as usize].of.address == address).is_some()
    }

    pub(super) fn forget_types(&mut self) {
        self.walk.forget_types();
        self.shapes = Shapes::default();
    }

    fn read_shape(&mut self, address: usize, identity: [usize; 2]) -> Result<Shape, OutOfMemory> {
        let id = self.walk.types.at(address, self.walk.sink).map_err(|_| OutOfMemory)?;
        let of = self.walk.types.get(id);
        let mut name = Text::<240>::new();
        self.walk.types.write_name(&of, &mut name);
        let word = self.word(name.as_bytes().strip_prefix(b"__main__.").unwrap_or(name.as_bytes()))?;
        let (look, kind) = self.classify(&of, name.as_bytes());
        Ok(Shape { of, identity, word, kind, look })
    }

    fn classify(&mut self, of: &Type, name: &[u8]) -> (Look, StepKind) {
        let landmarks = self.landmarks;
        let is_value = of.has(flag::STR | flag::BYTES | flag::LONG)
            || of.address == landmarks.none
            || [self.numbers.float, self.numbers.complex, self.numbers.bytearray].contains(&of.address);
        let is_own = of.has(flag::HEAP_TYPE) && self.is_own_type(of.address);
        let module = name.iter().rposition(|&byte| byte == b'.').map_or(&b""[..], |dot| &name[..dot]);
        let is_open = OPEN_MODULES.contains(&module);
        match of.kind {
            _ if is_value && !is_own => (Look::Nothing, StepKind::Value),
            Kind::List => (Look::List, StepKind::Sequence),
            Kind::Tuple => (Look::Tuple, StepKind::Sequence),
            Kind::Dict => (Look::Dict, StepKind::Mapping),
            Kind::Set => (Look::Set, StepKind::Set),
            Kind::Cell => (Look::Cell, StepKind::Fields),
            Kind::Generator => (Look::Generator, StepKind::Iterator),
            Kind::Function => (Look::Function, StepKind::Function),
            Kind::Frame | Kind::Traceback | Kind::Fields => (Look::Nothing, StepKind::Closed),
            _ if of.address == landmarks.method => (Look::Method, StepKind::Function),
            _ if of.address == landmarks.builtin => (Look::Nothing, StepKind::Function),
            _ if of.address == landmarks.module => (Look::Module, StepKind::Closed),
            _ if of.has(flag::TYPE) => (Look::Class, StepKind::Class),
            _ if of.has(flag::LIST) => (Look::List, StepKind::Sequence),
            _ if of.has(flag::TUPLE) => (Look::Tuple, StepKind::Sequence),
            _ if of.has(flag::DICT) => (Look::Dict, StepKind::Mapping),
            _ if name == landmarks.deque => (Look::Told, StepKind::Sequence),
            _ if is_own || of.has(flag::EXCEPTION) => (Look::Instance, StepKind::Fields),
            _ if self.wanted.into && of.has(flag::HEAP_TYPE) => (Look::Instance, StepKind::Fields),
            Kind::Leaf if is_open && is_iterator(name) => (Look::Nothing, StepKind::Iterator),
            Kind::Leaf => (Look::Nothing, StepKind::Closed),
            _ if is_open && is_iterator(name) => (Look::Told, StepKind::Iterator),
            _ if is_open => (Look::Told, StepKind::Fields),
            _ => (Look::Nothing, StepKind::Closed),
        }
    }

    /// Whether a class is the program's: its module is.
    pub(super) fn is_own_type(&mut self, address: usize) -> bool {
        let layout = self.walk.layout;
        // SAFETY: a live heap type; its dict has strings for keys.
        let module = unsafe {
            let dict = word(address + layout.references.type_dict);
            self.walk.known.dict_item(dict, b"__module__", layout)
        };
        module != 0 && self.is_own_module(module)
    }

    /// Whether a `str` is the name of a module of the program.
    pub(super) fn is_own_module(&mut self, name: usize) -> bool {
        // SAFETY: a live object has a type.
        let of = unsafe { word(name + self.walk.layout.object.ob_type) };
        // SAFETY: a live type.
        if unsafe { word(of + self.walk.layout.object.tp_flags) } & flag::STR == 0 {
            return false;
        }
        let mut text = Text::<240>::new();
        // SAFETY: a live `str`.
        unsafe { text.push_str_object(name, self.walk.layout) };
        text.as_bytes() == b"__main__"
            || self.own_modules.as_slice().iter().any(|&own| self.words.get(own) == text.as_bytes())
    }

    /// Collects what an object holds. Gives how many items are left out.
    pub(super) fn hold(&mut self, object: usize, shape: &Shape) -> Result<u64, OutOfMemory> {
        self.items.clear();
        let references = &self.walk.layout.references;
        let mut hidden = 0;
        match shape.look {
            Look::Nothing => {}
            Look::List => hidden = self.hold_array(self.walk.list_items(object))?,
            Look::Tuple => hidden = self.hold_array(self.walk.tuple_items(object))?,
            Look::Dict => hidden = self.hold_entries(object)?,
            Look::Set | Look::Told => hidden = self.hold_told(object, shape)?,
            Look::Cell => {
                let (place, word) = (object + references.cell_content, self.word(b"cell_contents")?);
                self.hold_place(place, Held::Word(word))?;
            }
            Look::Function => self.hold_function(object)?,
            Look::Method => {
                let (function, this) =
                    (self.walk.layout.steps.method_function, self.walk.layout.steps.method_self);
                let words = [self.word(b"__self__")?, self.word(b"__func__")?];
                self.hold_place(object + this, Held::Word(words[0]))?;
                self.hold_place(object + function, Held::Word(words[1]))?;
            }
            Look::Generator => {
                if let Some(frame) = self.paused_frame(object).filter(|&frame| !self.runs(frame)) {
                    self.walk.named.clear();
                    self.walk.name_locals(frame).map_err(|_| OutOfMemory)?;
                    self.hold_named(0)?;
                }
            }
            Look::Class if self.is_heap_type(object) && self.is_own_type(object) => {
                // SAFETY: a live heap type's dict.
                let dict = unsafe { word(object + references.type_dict) };
                self.hold_names(dict, Names::Class)?;
            }
            Look::Module if self.is_own_module_object(object) => {
                // SAFETY: a live module's dict (`md_dict`) follows its head.
                let dict = unsafe { word(object + 2 * WORD) };
                self.hold_names(dict, Names::Module)?;
            }
            Look::Class | Look::Module => {}
            Look::Instance => {}
        }
        let has_attributes = matches!(shape.look, Look::Instance)
            || matches!(shape.look, Look::List | Look::Tuple | Look::Dict | Look::Set)
                && shape.of.has(flag::HEAP_TYPE)
                && self.is_own_type(shape.of.address);
        if has_attributes {
            self.hold_attributes(object, &shape.of)?;
        }
        Ok(hidden)
    }

    pub(super) fn is_heap_type(&self, object: usize) -> bool {
        // SAFETY: a live type.
        unsafe { word(object + self.walk.layout.object.tp_flags) & flag::HEAP_TYPE != 0 }
    }

    pub(super) fn is_own_module_object(&mut self, module: usize) -> bool {
        let layout = self.walk.layout;
        // SAFETY: a live module's dict has strings for keys.
        let name = unsafe {
            let dict = word(module + 2 * WORD);
            self.walk.known.dict_item(dict, b"__name__", layout)
        };
        name != 0 && self.is_own_module(name)
    }

    fn hold_place(&mut self, place: usize, held: Held) -> Result<(), OutOfMemory> {
        // SAFETY: a place for a reference inside a live object.
        let target = unsafe { word(place) };
        if target != 0 { self.items.push((held, target)) } else { Ok(()) }
    }

    fn hold_array(&mut self, (items, count): (usize, usize)) -> Result<u64, OutOfMemory> {
        const LAST: usize = 10;
        if items == 0 {
            return Ok(0);
        }
        let first = if count > MOST_ITEMS { MOST_ITEMS - LAST } else { count };
        for index in (0..first).chain((count - LAST.min(count)).max(first)..count) {
            self.hold_place(items + index * WORD, Held::Index(index))?;
        }
        Ok(count.saturating_sub(MOST_ITEMS) as u64)
    }

    fn hold_entries(&mut self, dict: usize) -> Result<u64, OutOfMemory> {
        let (mut position, mut count, mut hidden) = (0, 0, 0);
        // SAFETY: a live dict that nobody changes.
        while let Some((key, value)) = unsafe { self.walk.known.next_entry(dict, &mut position) } {
            count += 1;
            if count > MOST_ITEMS {
                hidden += 1;
                continue;
            }
            // SAFETY: a live object.
            let of = unsafe { word(key + self.walk.layout.object.ob_type) };
            if self.shape(of)?.look == Look::Nothing {
                self.items.push((Held::Key(key), value))?;
            } else {
                let words = [self.word(b"key")?, self.word(b"value")?];
                self.items.push((Held::Word(words[0]), key))?;
                self.items.push((Held::Word(words[1]), value))?;
            }
        }
        Ok(hidden)
    }

    fn hold_told(&mut self, object: usize, shape: &Shape) -> Result<u64, OutOfMemory> {
        self.walk.traverse(object, &shape.of).map_err(|_| OutOfMemory)?;
        self.walk.named.clear();
        self.walk.name_fields(object, &shape.of).map_err(|_| OutOfMemory)?;
        let in_order = shape.kind == StepKind::Sequence;
        let count = self.walk.told.len();
        for at in 0..count.min(MOST_ITEMS) {
            let target = self.walk.told.as_slice()[at];
            if target == shape.of.address || !self.walk.proves_object(target) {
                continue;
            }
            // SAFETY: it was proven.
            let of = unsafe { word(target + self.walk.layout.object.ob_type) };
            if of == self.walk.known.code || of == self.walk.known.frame {
                continue;
            }
            let field = self.walk.named.as_slice().iter().find(|&&(named, _)| named == target);
            let label = match field.copied() {
                Some((_, Label::Field(word))) => {
                    let mut name = Text::<120>::new();
                    name.push(self.walk.types.text(word));
                    Held::Word(self.word(name.as_bytes())?)
                }
                _ if in_order => Held::Index(self.items.len()),
                _ => Held::Nothing,
            };
            self.items.push((label, target))?;
        }
        Ok(count.saturating_sub(MOST_ITEMS) as u64)
    }

    fn hold_function(&mut self, function: usize) -> Result<(), OutOfMemory> {
        let references = &self.walk.layout.references;
        // SAFETY: a live function's fields: its code, closure and defaults.
        let (code, closure) = unsafe {
            (word(function + references.function[0]), word(function + self.walk.layout.steps.closure))
        };
        if code == 0 || !self.code(code)?.is_own {
            return Ok(());
        }
        let [.., defaults, named_defaults] = references.function;
        let words = [self.word(b"__defaults__")?, self.word(b"__kwdefaults__")?];
        self.hold_place(function + defaults, Held::Word(words[0]))?;
        self.hold_place(function + named_defaults, Held::Word(words[1]))?;
        if closure != 0 {
            let word = self.word(b"__closure__")?;
            self.items.push((Held::Word(word), closure))?;
        }
        Ok(())
    }

    /// What a walk named: attributes, fields, local variables; but not `except`.
    fn hold_named(&mut self, except: usize) -> Result<(), OutOfMemory> {
        for at in 0..self.walk.named.len() {
            let (target, label) = self.walk.named.as_slice()[at];
            if target == except {
                continue;
            }
            let mut name = Text::<120>::new();
            match label {
                Label::Attribute(id) | Label::Local(id) => {
                    let Some(&text) = self.walk.objects.as_slice().get(id.index()) else { continue };
                    // SAFETY: names are strings, which live as long as what they name.
                    unsafe { name.push_str_object(text, self.walk.layout) };
                }
                Label::Field(word) => name.push(self.walk.types.text(word)),
                _ => continue,
            }
            let word = self.word(name.as_bytes())?;
            self.items.push((Held::Word(word), target))?;
        }
        Ok(())
    }

    fn hold_attributes(&mut self, object: usize, of: &Type) -> Result<(), OutOfMemory> {
        let references = &self.walk.layout.references;
        self.walk.named.clear();
        self.walk.name_fields(object, of).map_err(|_| OutOfMemory)?;
        self.walk.name_attributes(object, of).map_err(|_| OutOfMemory)?;
        let dict = self.dict_of(object, of).unwrap_or(0);
        self.hold_named(dict)?;
        if of.has(flag::EXCEPTION) {
            let names: [&[u8]; 4] = [b"args", b"__traceback__", b"__context__", b"__cause__"];
            for (offset, name) in references.exception.into_iter().zip(names) {
                let word = self.word(name)?;
                self.hold_place(object + offset, Held::Word(word))?;
            }
        }
        if dict != 0 {
            self.hold_names(dict, Names::Instance)?;
        }
        Ok(())
    }

    /// The entries of a dict by which names go.
    pub(super) fn hold_names(&mut self, dict: usize, whose: Names) -> Result<(), OutOfMemory> {
        let layout = self.walk.layout;
        let mut position = 0;
        if dict == 0 {
            return Ok(());
        }
        // SAFETY: a live dict that nobody changes.
        while let Some((key, value)) = unsafe { self.walk.known.next_entry(dict, &mut position) } {
            // SAFETY: a live object and its type.
            let flags = unsafe { word(word(key + layout.object.ob_type) + layout.object.tp_flags) };
            if flags & flag::STR == 0 {
                continue;
            }
            let mut name = Text::<120>::new();
            // SAFETY: a live `str`.
            unsafe { name.push_str_object(key, layout) };
            if self.is_of_interest(name.as_bytes(), value, whose)? {
                let word = self.word(name.as_bytes())?;
                self.items.push((Held::Word(word), value))?;
            }
        }
        Ok(())
    }

    /// Whether a name of a module, a class or an instance is shown: not what the interpreter
    /// puts there, and not what was imported from elsewhere.
    fn is_of_interest(&mut self, name: &[u8], value: usize, whose: Names) -> Result<bool, OutOfMemory> {
        if whose == Names::Instance {
            return Ok(true);
        }
        // SAFETY: a live object.
        let of = unsafe { word(value + self.walk.layout.object.ob_type) };
        let shape = self.shape(of)?;
        Ok(match shape.look {
            Look::Function => {
                // SAFETY: a live function's code.
                let code = unsafe { word(value + self.walk.layout.references.function[0]) };
                code != 0 && self.code(code)?.is_own
            }
            _ if name.starts_with(b"__") || name.starts_with(b"_abc_") => false,
            Look::Class => self.is_heap_type(value) && self.is_own_type(value),
            Look::Module => self.is_own_module_object(value),
            _ => shape.kind != StepKind::Function && !is_plumbing(self.words.get(shape.word)),
        })
    }

    /// The dict of an instance, if nobody else refers to it: it is a part of the instance then.
    pub(super) fn dict_of(&self, object: usize, of: &Type) -> Option<usize> {
        let place = self.walk.dict_place(object, of)?;
        // SAFETY: a place for a dict of a live instance.
        let dict = unsafe { word(place) };
        // SAFETY: a live object, if it is none of the tagged words.
        (dict != 0 && dict & 7 == 0 && unsafe { word(dict) } == 1).then_some(dict)
    }
}

/// Whose names are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Module,
    Class,
    Instance,
}

/// `Py_TPFLAGS_VALID_VERSION_TAG` and others that come and go while a type lives.
const VOLATILE: usize = 1 << 19 | 1 << 20 | 1 << 21 | 1 << 22;

/// Modules whose types written in C are opened.
const OPEN_MODULES: [&[u8]; 5] = [b"", b"collections", b"itertools", b"functools", b"types"];

/// Descriptors that a class gets by itself.
fn is_plumbing(of_type: &[u8]) -> bool {
    matches!(of_type, b"getset_descriptor" | b"wrapper_descriptor" | b"method_descriptor" | b"_abc._abc_data")
}

fn is_iterator(name: &[u8]) -> bool {
    name.ends_with(b"iterator")
        || name.starts_with(b"itertools.")
        || matches!(name, b"enumerate" | b"zip" | b"map" | b"filter" | b"reversed")
}

/// The name of a function written in C.
pub(super) fn method_name(definition: usize) -> &'static [u8] {
    // SAFETY: a `PyMethodDef` begins with its name.
    if definition == 0 { &[] } else { c_string(unsafe { word(definition) }) }
}
