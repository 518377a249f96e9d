//! The references of one object, each by the name that the program has for it.
//!
//! Lists, tuples and dicts are read for what they hold. Any other object says
//! by `tp_traverse` what it refers to, without names; names are what is known
//! of its fields, attributes and variables, matched by the object referred to.

use memsight_capture::Label;
use memsight_recorder::ledger::{Sink, Stopped};

use super::types::{Kind, Type, flag};
use super::walk::Walk;
use crate::python::word;

/// What a place inside a live object refers to.
fn in_object(object: usize, offset: usize) -> usize {
    // SAFETY: the layout's offsets lie inside the object.
    unsafe { word(object + offset) }
}

/// Up to so many comparisons names are matched one by one.
const FEW: usize = 4096;

impl<S: Sink> Walk<'_, S> {
    pub(crate) fn write_references(&mut self, object: usize, of: &Type) -> Result<(), Stopped> {
        if of.is_array {
            self.write_array(object, of)?;
        }
        match of.kind {
            Kind::Leaf if of.is_array => Ok(()),
            Kind::Leaf => self.write_untold(object, of),
            Kind::List => self.write_items(self.list_items(object)),
            Kind::Tuple => self.write_items(self.tuple_items(object)),
            Kind::Dict => self.write_entries(object),
            Kind::Set => self.write_all_as(object, of, Label::Key),
            Kind::Fields => {
                self.named.clear();
                self.name_fields(object, of)?;
                self.write_named()
            }
            // The collector does not know types that are no heap types (`type_is_gc`).
            Kind::Other if of.has(flag::TYPE) && !self.is_heap_type(object) => {
                self.named.clear();
                self.name_fields(object, of)?;
                self.write_named()
            }
            Kind::Frame | Kind::Generator | Kind::Cell | Kind::Function | Kind::Traceback | Kind::Other => {
                self.traverse(object, of)?;
                self.name_all(object, of)?;
                self.write_matched(of)
            }
        }
    }

    fn is_heap_type(&self, object: usize) -> bool {
        in_object(object, self.layout.object.tp_flags) & flag::HEAP_TYPE != 0
    }

    /// Where a list's items are, and how many.
    pub(crate) fn list_items(&self, object: usize) -> (usize, usize) {
        let references = &self.layout.references;
        // SAFETY: a live list.
        unsafe { (word(object + references.list_items), word(object + references.size)) }
    }

    /// Where a tuple's items are, and how many.
    pub(crate) fn tuple_items(&self, object: usize) -> (usize, usize) {
        let references = &self.layout.references;
        // SAFETY: a live tuple.
        unsafe { (object + references.tuple_items, word(object + references.size)) }
    }

    fn write_items(&mut self, (items, count): (usize, usize)) -> Result<(), Stopped> {
        for index in 0..count {
            // SAFETY: there are `count` items; a new tuple or list may still lack some.
            let item = unsafe { word(items + index * size_of::<usize>()) };
            if item != 0 {
                self.write_edge(Label::Item(index as u64), item)?;
            }
        }
        Ok(())
    }

    fn write_entries(&mut self, dict: usize) -> Result<(), Stopped> {
        let mut position = 0;
        // SAFETY: a live dict that nobody changes.
        while let Some((key, value)) = unsafe { self.known.next_entry(dict, &mut position) } {
            let name = self.number(key)?;
            self.write_edge(Label::Key, key)?;
            self.write_edge(Label::Value(name), value)?;
        }
        Ok(())
    }

    fn write_all_as(&mut self, object: usize, of: &Type, label: Label) -> Result<(), Stopped> {
        self.traverse(object, of)?;
        for at in 0..self.told.len() {
            let target = self.told.as_slice()[at];
            self.write_told(if target == of.address { Label::Type } else { label }, target, of)?;
        }
        Ok(())
    }

    /// Collects the references that have names.
    fn name_all(&mut self, object: usize, of: &Type) -> Result<(), Stopped> {
        self.named.clear();
        self.named.push((of.address, Label::Type))?;
        self.name_fields(object, of)?;
        self.name_attributes(object, of)?;
        if of.has(flag::LIST) {
            self.name_items(self.list_items(object))?;
        } else if of.has(flag::TUPLE) {
            self.name_items(self.tuple_items(object))?;
        } else if of.has(flag::DICT) {
            self.name_entries(object)?;
        }
        let references = &self.layout.references;
        match of.kind {
            Kind::Frame => self.name_locals(self.frame_of(object)),
            Kind::Generator => self.name_generator_locals(object),
            Kind::Cell => self.name_places(object, [references.cell_content], [b"cell_contents"]),
            Kind::Function => self.name_places(
                object,
                references.function,
                [b"__code__", b"__name__", b"__qualname__", b"__defaults__", b"__kwdefaults__"],
            ),
            Kind::Traceback => self.name_places(object, [references.traceback_next], [b"tb_next"]),
            _ if of.has(flag::EXCEPTION) => self.name_places(
                object,
                references.exception,
                [b"args", b"__traceback__", b"__context__", b"__cause__"],
            ),
            _ => Ok(()),
        }
    }

    /// Names places that a type does not declare as members.
    fn name_places<const N: usize>(
        &mut self,
        object: usize,
        places: [usize; N],
        words: [&'static [u8]; N],
    ) -> Result<(), Stopped> {
        for (offset, word) in places.into_iter().zip(words) {
            let word = self.types.word(word, self.sink)?;
            self.name_field(object + offset, Label::Field(word))?;
        }
        Ok(())
    }

    pub(crate) fn name_fields(&mut self, object: usize, of: &Type) -> Result<(), Stopped> {
        for at in 0..self.types.fields(of).len() {
            let field = self.types.fields(of)[at];
            self.name_field(object + field.offset, Label::Field(field.word))?;
        }
        if of.address == self.known.code {
            // Not among its members; up to 3.12 a code object does not say what it refers to.
            let lists = [self.layout.references.local_names];
            let old = self.layout.references.old_local_names.into_iter().flatten();
            for offset in lists.into_iter().flatten().chain(old) {
                let word = self.types.word(b"co_varnames", self.sink)?;
                if !self.named.as_slice().iter().any(|&(target, _)| target == in_object(object, offset)) {
                    self.name_field(object + offset, Label::Field(word))?;
                }
            }
        }
        if of.has(flag::TYPE) {
            let word = self.types.word(b"__dict__", self.sink)?;
            self.name_field(object + self.layout.references.type_dict, Label::Field(word))?;
        }
        Ok(())
    }

    /// Notes the name of what a place refers to, if anything.
    pub(crate) fn name_field(&mut self, place: usize, label: Label) -> Result<(), Stopped> {
        // SAFETY: a place for a reference inside a live object.
        let target = unsafe { word(place) };
        if target != 0 {
            self.named.push((target, label))?;
        }
        Ok(())
    }

    fn name_items(&mut self, (items, count): (usize, usize)) -> Result<(), Stopped> {
        (0..count).try_for_each(|index| {
            self.name_field(items + index * size_of::<usize>(), Label::Item(index as u64))
        })
    }

    fn name_entries(&mut self, dict: usize) -> Result<(), Stopped> {
        let mut position = 0;
        // SAFETY: a live dict that nobody changes.
        while let Some((key, value)) = unsafe { self.known.next_entry(dict, &mut position) } {
            let name = self.number(key)?;
            self.named.push((key, Label::Key))?;
            self.named.push((value, Label::Value(name)))?;
        }
        Ok(())
    }

    fn write_named(&mut self) -> Result<(), Stopped> {
        for at in 0..self.named.len() {
            let (target, label) = self.named.as_slice()[at];
            self.write_edge(label, target)?;
        }
        Ok(())
    }

    /// Writes what the object told, with names where there are.
    fn write_matched(&mut self, of: &Type) -> Result<(), Stopped> {
        if self.told.len() * self.named.len() > FEW {
            return self.write_sorted(of);
        }
        for at in 0..self.told.len() {
            let target = self.told.as_slice()[at];
            let place = self.named.as_slice().iter().position(|&(named, _)| named == target);
            let label = match place {
                // Each name is used once.
                Some(place) => {
                    core::mem::replace(&mut self.named.as_mut_slice()[place], (0, Label::Unknown)).1
                }
                None => Label::Unknown,
            };
            self.write_told(label, target, of)?;
        }
        Ok(())
    }

    fn write_sorted(&mut self, of: &Type) -> Result<(), Stopped> {
        self.told.as_mut_slice().sort_unstable();
        self.named.as_mut_slice().sort_unstable_by_key(|&(target, _)| target);
        let mut next = 0;
        for at in 0..self.told.len() {
            let target = self.told.as_slice()[at];
            let named = self.named.as_slice();
            while named.get(next).is_some_and(|&(named, _)| named < target) {
                next += 1;
            }
            let label = match named.get(next) {
                Some(&(named, label)) if named == target => {
                    next += 1;
                    label
                }
                _ => Label::Unknown,
            };
            self.write_told(label, target, of)?;
        }
        Ok(())
    }
}
