//! The records of a trace: a program's frames, names and objects, step by step.
//!
//! A step is what stands between [`StepRecord::Begin`] and [`StepRecord::End`]; one
//! that was not ended was not finished. Of the objects only those are said that are
//! new or differ from the step before. Every number of an object means one object for
//! the whole trace, even where its address is used again.
//!
//! ```text
//! ( Word… Output… Begin ( Frame Name… )… Value? ( Object Item… )… Died… Left… Temporary… End )…  Over?
//! 31 │ kind │ fields
//! ```

use crate::codec::{Cursor, Full, Malformed, Out};
use crate::ids::{ObjectId, WordId};
use crate::step_value::{StepValue, decode_value, encode_value};

/// Why a step was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StepEvent {
    /// A function was called, or goes on.
    Call = 0,
    /// An exception was raised, or passes.
    Exception = 1,
    /// A line is about to run.
    Line = 2,
    /// A function is about to return.
    /// A function is about to return, or a generator to pause.
    Return = 3,
}

/// The first record of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepBegin {
    /// Why.
    pub event: StepEvent,
    /// Which thread, counted from 0 in the order of their first steps.
    pub thread: u32,
    /// The file of the line.
    pub file: WordId,
    /// The line, 0 if there is none.
    pub line: u32,
}

/// What kind of call a frame is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StepFrameKind {
    /// A function.
    Function = 0,
    /// A file's own code.
    Module = 1,
    /// The body of a class.
    Class = 2,
    /// A generator or coroutine.
    Generator = 3,
}

/// A frame of the thread that runs; they are said outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepFrame {
    /// The same for as long as the frame lives, and no other's.
    pub id: u32,
    /// The function's name.
    pub function: WordId,
    /// Its file.
    pub file: WordId,
    /// The line it is at.
    pub line: u32,
    /// What kind of call.
    pub kind: StepFrameKind,
}

/// What kind of name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StepNameKind {
    /// A local variable.
    Local = 0,
    /// A name of a module or of a class's body.
    Global = 1,
    /// A variable that functions share; it refers to their cell.
    Cell = 2,
    /// No name: a value that the frame computes with.
    Held = 3,
}

/// A name of the frame said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepName {
    /// The name; of a held value what it is for is not known, and this is empty.
    pub name: WordId,
    /// What kind.
    pub kind: StepNameKind,
    /// What it refers to.
    pub target: ObjectId,
}

/// What an object is, as far as a picture of it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StepKind {
    /// A value without references.
    Value = 0,
    /// Items in order.
    Sequence = 1,
    /// Keys and values.
    Mapping = 2,
    /// Items without order.
    Set = 3,
    /// Named fields.
    Fields = 4,
    /// A class.
    Class = 5,
    /// A function or method.
    Function = 6,
    /// A generator or another iterator.
    Iterator = 7,
    /// What is not looked into.
    Closed = 8,
}

/// Where an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StepStanding {
    /// Names lead to it.
    Reached = 0,
    /// It is alive, and no name leads to it.
    Unreached = 1,
    /// It was not allocated.
    Static = 2,
}

/// An object that is new or differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepObject<'a> {
    /// Which.
    pub id: ObjectId,
    /// Where it lies.
    pub address: u64,
    /// Its type's name.
    pub of_type: WordId,
    /// What it is for a picture.
    pub kind: StepKind,
    /// Where it stands.
    pub standing: StepStanding,
    /// Bytes of its block and of those that are its alone.
    pub bytes: u64,
    /// Its reference count, or `None` if it is immortal.
    pub references: Option<u64>,
    /// Its value.
    pub value: StepValue<'a>,
    /// Items that it has and that are not said.
    pub hidden_items: u64,
}

/// By what an object holds an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepLabel<'a> {
    /// Nothing: the items of a set.
    None,
    /// Its place.
    Index(u64),
    /// A word: an attribute or field.
    Word(WordId),
    /// A dict's key.
    Key {
        /// The key's type.
        of_type: WordId,
        /// The key itself.
        value: StepValue<'a>,
    },
}

/// A reference of the object said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepItem<'a> {
    /// By what.
    pub label: StepLabel<'a>,
    /// To which object.
    pub target: ObjectId,
}

/// Objects that came and went within the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepTemporary {
    /// Their type; `None` for memory that no object owned.
    pub of_type: Option<WordId>,
    /// How many.
    pub count: u64,
    /// Their bytes in all.
    pub bytes: u64,
}

/// Where the program wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStream {
    /// To its standard output.
    Stdout,
    /// To its standard error.
    Stderr,
}

/// Why no more steps are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StepsOver {
    /// As many as were asked for were taken.
    Enough = 0,
    /// There is no memory for more.
    OutOfMemory = 1,
    /// The program has set a trace function of its own.
    Replaced = 2,
    /// The program has made a second interpreter.
    Interpreters = 3,
}

/// One record of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepRecord<'a> {
    /// The next word of the trace, counted from 0.
    Word(&'a [u8]),
    /// What the program wrote before the next step; nothing where some of it was not kept.
    Output {
        /// Where to.
        stream: StepStream,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A step.
    Begin(StepBegin),
    /// A frame.
    Frame(StepFrame),
    /// A name of it.
    Name(StepName),
    /// What is returned or raised.
    Value(ObjectId),
    /// An object.
    Object(StepObject<'a>),
    /// A reference of it.
    Item(StepItem<'a>),
    /// An object was freed.
    Died(ObjectId),
    /// An object lives on where nobody looks.
    Left(ObjectId),
    /// Objects that came and went.
    Temporary(StepTemporary),
    /// The step is whole.
    End,
    /// No more steps are taken.
    Over(StepsOver),
}

pub(crate) const STEP: u8 = 31;

const NO_WORD: u64 = 0;

impl<'a> StepRecord<'a> {
    /// Writes the record.
    pub fn encode(&self, out: &mut Out<'_>) -> Result<(), Full> {
        out.byte(STEP)?;
        match self {
            StepRecord::Word(word) => {
                out.byte(0)?;
                out.bytes(word)
            }
            StepRecord::Output { stream, bytes } => {
                out.byte(match stream {
                    StepStream::Stdout => 1,
                    StepStream::Stderr => 2,
                })?;
                out.bytes(bytes)
            }
            StepRecord::Begin(begin) => {
                out.byte(3)?;
                out.byte(begin.event as u8)?;
                out.int(begin.thread.into())?;
                out.int(begin.file.0.into())?;
                out.int(begin.line.into())
            }
            StepRecord::Frame(frame) => {
                out.byte(4)?;
                out.int(frame.id.into())?;
                out.int(frame.function.0.into())?;
                out.int(frame.file.0.into())?;
                out.int(frame.line.into())?;
                out.byte(frame.kind as u8)
            }
            StepRecord::Name(name) => {
                out.byte(5)?;
                out.int(name.name.0.into())?;
                out.byte(name.kind as u8)?;
                out.int(name.target.0.into())
            }
            StepRecord::Value(target) => {
                out.byte(6)?;
                out.int(target.0.into())
            }
            StepRecord::Object(object) => encode_object(object, out),
            StepRecord::Item(item) => {
                out.byte(8)?;
                match &item.label {
                    StepLabel::None => out.byte(0)?,
                    StepLabel::Index(index) => {
                        out.byte(1)?;
                        out.int(*index)?;
                    }
                    StepLabel::Word(word) => {
                        out.byte(2)?;
                        out.int(word.0.into())?;
                    }
                    StepLabel::Key { of_type, value } => {
                        out.byte(3)?;
                        out.int(of_type.0.into())?;
                        encode_value(value, out)?;
                    }
                }
                out.int(item.target.0.into())
            }
            StepRecord::Died(id) => {
                out.byte(9)?;
                out.int(id.0.into())
            }
            StepRecord::Left(id) => {
                out.byte(10)?;
                out.int(id.0.into())
            }
            StepRecord::Temporary(temporary) => {
                out.byte(11)?;
                out.int(temporary.of_type.map_or(NO_WORD, |word| u64::from(word.0) + 1))?;
                out.int(temporary.count)?;
                out.int(temporary.bytes)
            }
            StepRecord::End => out.byte(12),
            StepRecord::Over(why) => {
                out.byte(13)?;
                out.byte(*why as u8)
            }
        }
    }

    /// Reads what follows the tag.
    pub(crate) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        Ok(match cursor.byte()? {
            0 => StepRecord::Word(cursor.bytes()?),
            1 => StepRecord::Output { stream: StepStream::Stdout, bytes: cursor.bytes()? },
            2 => StepRecord::Output { stream: StepStream::Stderr, bytes: cursor.bytes()? },
            3 => StepRecord::Begin(StepBegin {
                event: one_of(
                    cursor,
                    &[StepEvent::Call, StepEvent::Exception, StepEvent::Line, StepEvent::Return],
                )?,
                thread: cursor.int32()?,
                file: WordId(cursor.int32()?),
                line: cursor.int32()?,
            }),
            4 => StepRecord::Frame(StepFrame {
                id: cursor.int32()?,
                function: WordId(cursor.int32()?),
                file: WordId(cursor.int32()?),
                line: cursor.int32()?,
                kind: one_of(
                    cursor,
                    &[
                        StepFrameKind::Function,
                        StepFrameKind::Module,
                        StepFrameKind::Class,
                        StepFrameKind::Generator,
                    ],
                )?,
            }),
            5 => StepRecord::Name(StepName {
                name: WordId(cursor.int32()?),
                kind: one_of(
                    cursor,
                    &[StepNameKind::Local, StepNameKind::Global, StepNameKind::Cell, StepNameKind::Held],
                )?,
                target: ObjectId(cursor.int32()?),
            }),
            6 => StepRecord::Value(ObjectId(cursor.int32()?)),
            7 => StepRecord::Object(decode_object(cursor)?),
            8 => StepRecord::Item(StepItem {
                label: match cursor.byte()? {
                    0 => StepLabel::None,
                    1 => StepLabel::Index(cursor.int()?),
                    2 => StepLabel::Word(WordId(cursor.int32()?)),
                    3 => StepLabel::Key { of_type: WordId(cursor.int32()?), value: decode_value(cursor)? },
                    _ => return Err(Malformed("a kind of label")),
                },
                target: ObjectId(cursor.int32()?),
            }),
            9 => StepRecord::Died(ObjectId(cursor.int32()?)),
            10 => StepRecord::Left(ObjectId(cursor.int32()?)),
            11 => StepRecord::Temporary(StepTemporary {
                of_type: match cursor.int32()? {
                    0 => None,
                    word => Some(WordId(word - 1)),
                },
                count: cursor.int()?,
                bytes: cursor.int()?,
            }),
            12 => StepRecord::End,
            13 => StepRecord::Over(one_of(
                cursor,
                &[StepsOver::Enough, StepsOver::OutOfMemory, StepsOver::Replaced, StepsOver::Interpreters],
            )?),
            _ => return Err(Malformed("a record of a trace")),
        })
    }
}

fn one_of<T: Copy>(cursor: &mut Cursor<'_>, all: &[T]) -> Result<T, Malformed> {
    all.get(usize::from(cursor.byte()?)).copied().ok_or(Malformed("a number below the count of its kinds"))
}

/// `31 │ 7 │ id │ address │ type │ kind + 16 × standing │ bytes │ references + 1, 0 if immortal │ hidden │ value`
fn encode_object(object: &StepObject<'_>, out: &mut Out<'_>) -> Result<(), Full> {
    out.byte(7)?;
    out.int(object.id.0.into())?;
    out.int(object.address)?;
    out.int(object.of_type.0.into())?;
    out.byte(object.kind as u8 | (object.standing as u8) << 4)?;
    out.int(object.bytes)?;
    out.int(object.references.map_or(0, |count| count.saturating_add(1)))?;
    out.int(object.hidden_items)?;
    encode_value(&object.value, out)
}

fn decode_object<'a>(cursor: &mut Cursor<'a>) -> Result<StepObject<'a>, Malformed> {
    const KINDS: [StepKind; 9] = [
        StepKind::Value,
        StepKind::Sequence,
        StepKind::Mapping,
        StepKind::Set,
        StepKind::Fields,
        StepKind::Class,
        StepKind::Function,
        StepKind::Iterator,
        StepKind::Closed,
    ];
    const STANDINGS: [StepStanding; 3] =
        [StepStanding::Reached, StepStanding::Unreached, StepStanding::Static];
    let (id, address) = (ObjectId(cursor.int32()?), cursor.int()?);
    let of_type = WordId(cursor.int32()?);
    let both = cursor.byte()?;
    Ok(StepObject {
        id,
        address,
        of_type,
        kind: *KINDS.get(usize::from(both & 15)).ok_or(Malformed("a kind of object"))?,
        standing: *STANDINGS.get(usize::from(both >> 4)).ok_or(Malformed("where an object stands"))?,
        bytes: cursor.int()?,
        references: cursor.int()?.checked_sub(1),
        hidden_items: cursor.int()?,
        value: decode_value(cursor)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;

    fn examples() -> Vec<StepRecord<'static>> {
        let object = |value| {
            StepRecord::Object(StepObject {
                id: ObjectId(7),
                address: 0x7f00_1234_5670,
                of_type: WordId(2),
                kind: StepKind::Closed,
                standing: StepStanding::Static,
                bytes: 56,
                references: Some(0),
                value,
                hidden_items: 12_431,
            })
        };
        let item = |label| StepRecord::Item(StepItem { label, target: ObjectId(9) });
        vec![
            StepRecord::Word(b"append"),
            StepRecord::Output { stream: StepStream::Stdout, bytes: b"hello\n" },
            StepRecord::Output { stream: StepStream::Stderr, bytes: b"" },
            StepRecord::Begin(StepBegin { event: StepEvent::Return, thread: 1, file: WordId(0), line: 300 }),
            StepRecord::Frame(StepFrame {
                id: 5,
                function: WordId(1),
                file: WordId(0),
                line: 3,
                kind: StepFrameKind::Generator,
            }),
            StepRecord::Name(StepName { name: WordId(3), kind: StepNameKind::Held, target: ObjectId(7) }),
            StepRecord::Value(ObjectId(7)),
            object(StepValue::Nothing),
            object(StepValue::Int(i64::MIN)),
            object(StepValue::Int(-1)),
            object(StepValue::Big { negative: true, count: 3, digits: &[1, 0, 0, 0] }),
            object(StepValue::Float(0.1f64.to_bits())),
            object(StepValue::Complex(u64::MAX, 1)),
            object(StepValue::Text { start: b"apple", length: 500 }),
            object(StepValue::Bytes { start: b"\xff\0", length: 2 }),
            object(StepValue::Named(b"f")),
            object(StepValue::Paused { name: b"countdown", line: 4, over: false }),
            item(StepLabel::None),
            item(StepLabel::Index(u64::MAX)),
            item(StepLabel::Word(WordId(4))),
            item(StepLabel::Key { of_type: WordId(1), value: StepValue::Int(3) }),
            StepRecord::Died(ObjectId(1)),
            StepRecord::Left(ObjectId(2)),
            StepRecord::Temporary(StepTemporary { of_type: None, count: 1, bytes: 8056 }),
            StepRecord::Temporary(StepTemporary { of_type: Some(WordId(0)), count: 1, bytes: 8056 }),
            StepRecord::End,
            StepRecord::Over(StepsOver::Replaced),
        ]
    }

    #[test]
    fn every_record_comes_back() {
        for record in examples() {
            let mut buffer = [0; 256];
            let mut out = Out::new(&mut buffer);
            record.encode(&mut out).unwrap();
            let mut cursor = Cursor::new(out.written());
            assert_eq!(Record::decode(&mut cursor), Ok(Record::Step(record)));
            assert!(cursor.at_end());
        }
    }

    #[test]
    fn a_record_that_is_cut_anywhere_is_malformed() {
        for record in examples() {
            let mut buffer = [0; 256];
            let mut out = Out::new(&mut buffer);
            record.encode(&mut out).unwrap();
            for end in 1..out.len() {
                assert!(
                    Record::decode(&mut Cursor::new(&out.written()[..end])).is_err(),
                    "{record:?} to {end}"
                );
            }
        }
    }
}
