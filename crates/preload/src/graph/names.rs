//! Names of attributes and of local variables, and the functions that run.

use memsight_capture::{Label, Root, RootKind, SnapshotRecord};
use memsight_recorder::ledger::{Sink, Stopped};

use super::content::Text;
use super::types::{Type, flag};
use super::walk::Walk;
use crate::python::layout::{InstructionForm, Keys};
use crate::python::{frames_of_thread, word};

const WORD: usize = size_of::<usize>();

/// Kinds of `dk_kind` (`internal/pycore_dict.h`): any keys, with their hashes.
const GENERAL_KEYS: u8 = 0;

/// More frames than that are no stack.
const MAX_FRAMES: usize = 100_000;

impl<S: Sink> Walk<'_, S> {
    /// Names what an instance has as attributes: in a dict, or in values whose
    /// names its type keeps (from CPython 3.11).
    pub(crate) fn name_attributes(&mut self, object: usize, of: &Type) -> Result<(), Stopped> {
        let minor = self.layout.minor;
        if minor >= 11 && of.has(flag::MANAGED_DICT) {
            let values = self.values_of(object, of);
            if values != 0 {
                self.name_values(of.address, values)?;
            }
        }
        let Some(dict_place) = self.dict_place(object, of) else { return Ok(()) };
        let dict = self.types.word(b"__dict__", self.sink)?;
        self.name_field(dict_place, Label::Field(dict))
    }

    /// Where an instance has a reference to its dict, if it has one.
    pub(crate) fn dict_place(&self, object: usize, of: &Type) -> Option<usize> {
        let minor = self.layout.minor;
        if minor >= 11 && of.has(flag::MANAGED_DICT) {
            let place = object - 3 * WORD;
            // SAFETY: what stands before an instance with a managed dict.
            let has_values = minor == 12 && unsafe { word(place) } & 1 != 0;
            return (!has_values).then_some(place);
        }
        if of.dict_offset >= 0 {
            return (of.dict_offset > 0).then(|| object + of.dict_offset as usize);
        }
        // Counted from the end of an instance of variable size.
        let references = &self.layout.references;
        // SAFETY: a live instance and its type.
        let (count, each) =
            unsafe { (word(object + references.size) as isize, word(of.address + references.itemsize)) };
        let size = (of.size + count.unsigned_abs() * each).next_multiple_of(WORD);
        Some((object + size).wrapping_add_signed(of.dict_offset))
    }

    /// The values that stand in for a dict, or 0.
    pub(crate) fn values_of(&self, object: usize, of: &Type) -> usize {
        // SAFETY: what stands before an instance with a managed dict (`pycore_object.h`).
        unsafe {
            match self.layout.minor {
                11 => word(object - 4 * WORD),
                12 => match word(object - 3 * WORD) {
                    tagged if tagged & 1 != 0 => tagged + 1,
                    _ => 0,
                },
                _ if of.has(flag::INLINE_VALUES) => {
                    const VALID: usize = 3;
                    let values = object + of.size;
                    let is_valid = ((values + VALID) as *const u8).read() != 0;
                    if is_valid { values + WORD } else { 0 }
                }
                _ => 0,
            }
        }
    }

    /// The block of the values that stand in for a dict, where they have one of their own;
    /// their length in bytes stands below them (`_PyDictValues`, 3.11 and 3.12). Or 0.
    pub(crate) fn values_block(&self, object: usize, of: &Type) -> usize {
        if !matches!(self.layout.minor, 11 | 12) {
            return 0;
        }
        let managed = if of.has(flag::MANAGED_DICT) { self.values_of(object, of) } else { 0 };
        let values = match managed {
            // `ma_values` follows `ma_keys`: an instance's dict took over its values.
            // SAFETY: a live dict.
            0 if of.has(flag::DICT) => unsafe { word(object + self.layout.references.dict_keys + WORD) },
            managed => managed,
        };
        match values {
            0 => 0,
            // SAFETY: the byte below the values.
            values => values - usize::from(unsafe { ((values - 1) as *const u8).read() }),
        }
    }

    fn name_values(&mut self, of: usize, values: usize) -> Result<(), Stopped> {
        let references = &self.layout.references;
        let Some(Keys { log2_index_bytes, kind, entries, indices }) = references.keys else { return Ok(()) };
        // SAFETY: keys that a live type keeps for its instances.
        let (keys, first, count, each) = unsafe {
            let keys = word(of + references.cached_keys);
            if keys == 0 {
                return Ok(());
            }
            let index_bytes = 1usize << ((keys + log2_index_bytes) as *const u8).read();
            let is_general = ((keys + kind) as *const u8).read() == GENERAL_KEYS;
            (keys, indices + index_bytes, word(keys + entries), if is_general { 3 } else { 2 })
        };
        for at in 0..count {
            let entry = keys + first + at * each * WORD;
            // SAFETY: there are `count` entries, and as many places for values.
            let (name, value) =
                unsafe { (word(if each == 3 { entry + WORD } else { entry }), word(values + at * WORD)) };
            if name != 0 && value != 0 {
                let name = self.number(name)?;
                self.named.push((value, Label::Attribute(name)))?;
            }
        }
        Ok(())
    }

    /// The evaluation loop's frame of a frame object.
    pub(crate) fn frame_of(&self, object: usize) -> usize {
        match self.layout.references.frame_data {
            0 => object,
            // SAFETY: a live frame object.
            offset => unsafe { word(object + offset) },
        }
    }

    pub(crate) fn name_generator_locals(&mut self, object: usize) -> Result<(), Stopped> {
        match self.layout.references.generator_frame {
            Some(offset) => self.name_locals(object + offset),
            None => Ok(()),
        }
    }

    /// Names what the local variables of a frame refer to.
    pub(crate) fn name_locals(&mut self, frame: usize) -> Result<(), Stopped> {
        self.each_local(frame, |walk, name, value| {
            let name = walk.number(name)?;
            Ok(walk.named.push((value, Label::Local(name)))?)
        })
    }

    /// Calls `visit` with the name and value of each local variable that has one.
    pub(crate) fn each_local(
        &mut self,
        frame: usize,
        mut visit: impl FnMut(&mut Self, usize, usize) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let references = &self.layout.references;
        // SAFETY: a live frame; its code is a code object, or it is no function's.
        let code = unsafe { word(frame + self.layout.frame.code) };
        // SAFETY: as above.
        if code == 0 || unsafe { word(code + self.layout.object.ob_type) } != self.known.code {
            return Ok(());
        }
        let lists = match (references.local_names, references.old_local_names) {
            (Some(offset), _) => [Some(offset), None, None],
            (None, Some(offsets)) => offsets.map(Some),
            _ => return Ok(()),
        };
        let mut at = 0;
        for offset in lists.into_iter().flatten() {
            // SAFETY: a live code object's names are a tuple of strings.
            let (names, count) = self.tuple_items(unsafe { word(code + offset) });
            for index in 0..count {
                // SAFETY: as many places for values as there are names.
                let (name, value) = unsafe {
                    (word(names + index * WORD), word(frame + references.frame_locals + at * WORD))
                };
                at += 1;
                if value != 0 && name != 0 {
                    visit(self, name, value)?;
                }
            }
        }
        Ok(())
    }

    /// The local variables of all functions that run, in every thread.
    pub(crate) fn seed_threads(&mut self, interpreter: usize) -> Result<(), Stopped> {
        let references = &self.layout.references;
        // SAFETY: the interpreter's own list of threads.
        let mut thread = unsafe { word(interpreter + references.first_thread) };
        while thread != 0 {
            let mut frame = frames_of_thread(self.layout, thread);
            let mut count = 0;
            while frame != 0 && count < MAX_FRAMES {
                self.seed_frame(frame)?;
                // SAFETY: a live frame.
                frame = unsafe { word(frame + self.layout.frame.previous) };
                count += 1;
            }
            // SAFETY: as above.
            thread = unsafe { word(thread + references.next_thread) };
        }
        Ok(())
    }

    /// Where a frame is in its code, in bytes.
    pub(crate) fn offset_in(&self, code: usize, frame: usize) -> i32 {
        let place = frame + self.layout.frame.instruction;
        // SAFETY: a live frame's instruction, in the form of its version.
        unsafe {
            match self.layout.frame.instruction_form {
                InstructionForm::IndexInBytes => (place as *const i32).read(),
                InstructionForm::IndexInUnits => (place as *const i32).read() * 2,
                InstructionForm::PreviousUnit | InstructionForm::CurrentUnit => {
                    let start = code + self.layout.code.code_start.unwrap_or(0);
                    word(place).wrapping_sub(start) as i32
                }
            }
        }
    }

    fn seed_frame(&mut self, frame: usize) -> Result<(), Stopped> {
        if self.layout.minor < 11 {
            let target = self.number(frame)?;
            self.write(SnapshotRecord::Root(Root { kind: RootKind::Frame, target }))?;
        }
        let owner = self.layout.frame.owner.map_or(0, |offset| {
            // SAFETY: a live frame.
            unsafe { ((frame + offset) as *const u8).read() }
        });
        if Some(owner) == self.layout.frame.owned_by_cstack {
            return Ok(());
        }
        self.each_local(frame, |walk, name, value| {
            let (mut function, mut file, mut variable) =
                (Text::<240>::new(), Text::<1024>::new(), Text::<120>::new());
            let fields = &walk.layout.code;
            // SAFETY: a live frame of a function, and its code.
            let line = unsafe {
                let code = word(frame + walk.layout.frame.code);
                function.push_str_object(word(code + fields.qualname.unwrap_or(fields.name)), walk.layout);
                file.push_str_object(word(code + fields.filename), walk.layout);
                variable.push_str_object(name, walk.layout);
                walk.known.line(code, walk.offset_in(code, frame))
            };
            let kind = RootKind::Local {
                function: function.as_bytes(),
                file: file.as_bytes(),
                line,
                name: variable.as_bytes(),
            };
            let target = walk.number(value)?;
            walk.write(SnapshotRecord::Root(Root { kind, target }))
        })
    }
}
