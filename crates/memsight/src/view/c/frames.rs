//! The variables of frames: made when a frame is new, dropped with it, and named at each step.

use std::collections::{BTreeMap, HashSet};

use memsight_picture::{Delta, Frame, FrameKind, Name, NameKind, ObjectId, Place, Ref, SourceId, Step};

use super::draw::Pen;
use super::picture::{Known, Picture};
use super::space::{LOOKED_AT, Of, Thing};
use super::types;
use super::wire::{self, Kind, Returned, Stop};

impl Picture {
    /// Makes the variables of new frames, and drops those of frames that are gone.
    pub(super) fn follow_frames(&mut self, stop: &Stop, delta: &mut Delta) {
        let now: HashSet<u32> =
            stop.stacks.iter().flat_map(|(_, frames)| frames).map(|frame| frame.0).collect();
        let gone: Vec<u32> = self.frames.keys().copied().filter(|id| !now.contains(id)).collect();
        for id in gone {
            let Some(known) = self.frames.remove(&id) else { continue };
            let ids = known.variables.into_iter().flatten().chain(known.moving.into_values());
            let things = ids.filter_map(|id| self.space.remove(id)).collect();
            self.lose(things, delta);
        }
        for (_, frames) in &stop.stacks {
            for frame in frames {
                if !self.frames.contains_key(&frame.0) {
                    self.enter(frame, delta);
                }
                self.follow_moving(frame, delta);
            }
        }
    }

    fn enter(&mut self, frame: &wire::Frame, delta: &mut Delta) {
        let wire::Frame(number, function, _, cfa, ..) = frame;
        let mut known = Known {
            variables: Vec::new(),
            moving: BTreeMap::new(),
            return_address: if cfg!(target_arch = "x86_64") {
                self.memory.word(cfa.wrapping_sub(8))
            } else {
                None
            },
            overrun: None,
        };
        let Some(function) = self.functions.get(function) else {
            self.frames.insert(*number, known);
            return;
        };
        let text = self.source_ids.get(&function.file).and_then(|id| self.sources.get(id.0 as usize));
        let text = text.map_or("", |source| source.text.as_str());
        let from_here = text.lines().skip(function.line.saturating_sub(1) as usize);
        let own_text: String = from_here
            .take_while(|line| !line.starts_with('}'))
            .fold(String::new(), |text, line| text + line + "\n");
        let mut gone = Vec::new();
        let mut arguments = Vec::new();
        for variable in &function.variables {
            let Some(offset) = variable.offset else {
                known.variables.push(None);
                continue;
            };
            let address = cfa.wrapping_add_signed(offset);
            let (id, over) = self.space.add(address, self.types.bytes(variable.of_type), Of::Stack);
            gone.extend(over);
            if let Some(thing) = self.space.get_mut(id) {
                thing.element = Some(variable.of_type);
                thing.name = Some(variable.name.clone());
                thing.is_object =
                    self.types.is_aggregate(variable.of_type) || takes_address(&own_text, &variable.name);
            }
            known.variables.push(Some(id));
            if function.name == "main" && variable.argument {
                arguments.push((address, variable.of_type));
            }
        }
        if let [(count, _), (list, list_type), ..] = arguments[..] {
            self.add_arguments(count, list, list_type);
        }
        self.lose(gone, delta);
        self.frames.insert(*number, known);
    }

    /// The array that main's second argument leads to.
    fn add_arguments(&mut self, count: u64, list: u64, list_type: usize) {
        let count = types::number(&self.memory.read(count, 4)) as u64;
        let Kind::Pointer { to: Some(each) } = self.types.kind(list_type) else { return };
        let each = *each;
        let Some(list) = self.memory.word(list).filter(|_| count < 100_000) else { return };
        if self.space.find(list).is_some() {
            return;
        }
        let (id, _) = self.space.add(list, (count + 1) * 8, Of::Arguments);
        if let Some(thing) = self.space.get_mut(id) {
            thing.element = Some(each);
        }
    }

    fn follow_moving(&mut self, frame: &wire::Frame, delta: &mut Delta) {
        let Some(known) = self.frames.get_mut(&frame.0) else { return };
        let mut gone = Vec::new();
        for wire::Moving(name, of_type, address, ..) in &frame.5 {
            let Some(address) = address else { continue };
            let bytes = self.types.bytes(*of_type);
            let same = |thing: &Thing| thing.address == *address && thing.bytes == bytes;
            if known.moving.get(name).and_then(|&id| self.space.get(id)).is_some_and(same) {
                continue;
            }
            if let Some(old) = known.moving.remove(name) {
                gone.extend(self.space.remove(old));
            }
            let (id, over) = self.space.add(*address, bytes, Of::Stack);
            gone.extend(over);
            if let Some(thing) = self.space.get_mut(id) {
                thing.element = Some(*of_type);
                thing.name = Some(name.clone());
                thing.is_object = self.types.is_aggregate(*of_type);
            }
            known.moving.insert(name.clone(), id);
        }
        self.lose(gone, delta);
    }

    /// The variables that a frame's code sees where it is.
    pub(super) fn visible(&self, frame: &wire::Frame) -> Vec<(&wire::Variable, Option<ObjectId>)> {
        let (Some(function), Some(known)) = (self.functions.get(&frame.1), self.frames.get(&frame.0)) else {
            return Vec::new();
        };
        let all = function.variables.iter().zip(known.variables.iter());
        let visible = all.filter(|(variable, _)| (variable.from..variable.to).contains(&frame.2));
        let mut visible: Vec<_> = visible
            .map(|(variable, id)| (variable, id.or_else(|| self.space.beginning_at(variable.address?))))
            .collect();
        visible.sort_by_key(|(variable, _)| (!variable.argument, variable.line));
        visible
    }

    /// The frames of a thread, below them the variables that no frame holds.
    pub(super) fn stack(&mut self, stop: &Stop, thread: u32) -> Vec<Frame> {
        let mut stack = Vec::new();
        if !self.globals.is_empty() {
            let names = self.globals.clone();
            let names =
                names.into_iter().filter_map(|(name, id)| self.name(name, NameKind::Global, id, stop.sp));
            let names = names.collect();
            stack.push(Frame {
                id: 0,
                function: "<globals>".into(),
                source: SourceId(0),
                line: 0,
                kind: FrameKind::Module,
                names,
            });
        }
        let frames = stop.stacks.iter().find(|(known, _)| *known == thread).map(|(_, frames)| frames);
        for frame in frames.into_iter().flatten() {
            let visible: Vec<(String, u32, Option<ObjectId>)> = self
                .visible(frame)
                .into_iter()
                .map(|(variable, id)| (variable.name.clone(), variable.line, id))
                .collect();
            let mut names: Vec<Name> = Vec::new();
            for (name, line, id) in visible {
                // An inner variable hides an outer one of the same name, and both are there.
                let hides = names.iter().any(|known| known.name == name);
                let shown = if hides { format!("{name} (line {line})") } else { name };
                names.extend(id.and_then(|id| self.name(shown, NameKind::Local, id, stop.sp)));
            }
            for wire::Moving(name, _, _, text) in &frame.5 {
                let id = self.frames.get(&frame.0).and_then(|known| known.moving.get(name)).copied();
                match (id, text) {
                    (Some(id), _) => names.extend(self.name(name.clone(), NameKind::Local, id, stop.sp)),
                    (None, Some(text)) => names.push(Name {
                        name: name.clone(),
                        kind: NameKind::Local,
                        to: Ref::Value(text.clone()),
                        place: None,
                    }),
                    (None, None) => {}
                }
            }
            let function = self.functions.get(&frame.1);
            let source = function.and_then(|function| self.source_ids.get(&function.file)).copied();
            stack.push(Frame {
                id: frame.0,
                function: function.map_or_else(String::new, |function| function.name.clone()),
                source: source.unwrap_or(SourceId(0)),
                line: frame.4,
                kind: FrameKind::Function,
                names,
            });
        }
        stack
    }

    fn name(&mut self, name: String, kind: NameKind, id: ObjectId, sp: u64) -> Option<Name> {
        let thing = self.space.get(id)?;
        let element = thing.element?;
        let bytes = self.memory.read(thing.address, thing.bytes.min(LOOKED_AT));
        let pen = Pen { types: &self.types, space: &self.space, code: &self.code, sp };
        let to = match thing.is_object {
            true => Ref::to(id),
            false => match self.types.layout(element, 1, thing.bytes).slots.first() {
                Some(slot) => pen.slot(thing, slot, &bytes),
                None => Ref::Value("…".into()),
            },
        };
        let place = Place {
            address: thing.address,
            of_type: self.types.name(element).to_owned(),
            bytes: thing.bytes,
            uninitialised: thing.is_unwritten(0, thing.bytes.min(LOOKED_AT)),
        };
        Some(Name { name, kind, to, place: Some(place) })
    }

    pub(super) fn returned(&self, stop: &Stop, thread: u32) -> Option<Ref> {
        let value = stop.value?;
        let frames = &stop.stacks.iter().find(|(known, _)| *known == thread)?.1;
        let returns = self.functions.get(&frames.last()?.1)?.returns?;
        let pen = Pen { types: &self.types, space: &self.space, code: &self.code, sp: stop.sp };
        Some(match (value, self.types.kind(returns)) {
            (Returned::Float(value), _) => Ref::Value(value.to_string()),
            (Returned::Bits(bits), Kind::Pointer { .. } | Kind::Function) => pen.pointer(bits),
            (Returned::Bits(bits), _) => {
                let width = (self.types.bytes(returns) * 8).clamp(8, 64) as u32;
                let raw = u128::from(bits) & ((1 << width) - 1);
                Ref::Value(self.types.scalar(returns, raw, width, &bits.to_ne_bytes()))
            }
        })
    }

    /// Whether a frame no longer returns to where it was called from.
    pub(super) fn overrun(&mut self, stop: &Stop, thread: u32, step: &Step) -> Option<String> {
        let frames = &stop.stacks.iter().find(|(known, _)| *known == thread)?.1;
        let mut found = None;
        for frame in frames {
            let Some(known) = self.frames.get_mut(&frame.0) else { continue };
            let Some(expected) = known.return_address.filter(|_| known.overrun.is_none()) else { continue };
            let now = self.memory.word(frame.3.wrapping_sub(8))?;
            if now != expected {
                known.overrun = Some(now);
                found = Some((frame, now, expected));
            }
        }
        // The innermost: its variables were overrun, and those of its callers with them.
        let (frame, now, expected) = found?;
        let name = self.functions.get(&frame.1).map_or("?", |function| &function.name);
        let arrays = step.stack.iter().filter(|drawn| drawn.id == frame.0).flat_map(|drawn| &drawn.names);
        let is_array = |name: &&Name| name.place.as_ref().is_some_and(|place| place.of_type.contains('['));
        let culprit =
            arrays.filter(is_array).max_by_key(|name| name.place.as_ref().map(|place| place.address));
        let past = culprit.map_or(String::new(), |name| format!(" past the end of `{}`", name.name));
        Some(format!(
            "something wrote{past}, over where `{name}` returns to: now {now:#x}, not {expected:#x}"
        ))
    }

    /// Where a frame returns to, if that was overwritten.
    pub(super) fn overwritten_return(&self, frame: u32) -> Option<u64> {
        self.frames.get(&frame)?.overrun
    }
}

/// Whether a text takes a variable's address.
pub(super) fn takes_address(text: &str, name: &str) -> bool {
    let part_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices('&').any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + 1..]);
        // Behind a value it is the operator between two, but not behind the parenthesis of a cast.
        let is_unary = match before.trim_end().chars().next_back() {
            Some(')') => before.ends_with(')') && behind.starts_with(name),
            last => last.is_none_or(|letter| !part_of_word(letter) && !"]&".contains(letter)),
        };
        is_unary && behind.trim_start().strip_prefix(name).is_some_and(|rest| !rest.starts_with(part_of_word))
    })
}

#[cfg(test)]
mod tests {
    use super::takes_address;

    #[test]
    fn an_address_is_taken_by_a_unary_ampersand() {
        assert!(takes_address("swap(&left, & right);", "left"));
        assert!(takes_address("swap(&left, & right);", "right"));
        assert!(!takes_address("swap(&leftover);", "left"));
        assert!(!takes_address("if (a & left && left)", "left"));
        assert!(takes_address("print((void *)&left)", "left"));
        assert!(!takes_address("f(x) & left", "left"));
    }
}
