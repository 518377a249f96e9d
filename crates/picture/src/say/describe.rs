//! Objects in words.

use crate::model::{Language, Object, ObjectKind, Standing};
use crate::replay::{Replay, short_address};
use crate::words::{amount, count, cut, with_article};

/// A value that is not longer stands in the sentence.
const MAX_VALUE: usize = 24;

/// The object's value, if it is short.
pub(super) fn short_value(object: &Object) -> Option<String> {
    let value = object.value.as_ref().filter(|_| object.kind == ObjectKind::Value)?;
    (value.chars().count() <= MAX_VALUE).then(|| cut(value, MAX_VALUE))
}

/// Whether the value says it all: a number, `None`, `True`.
pub(super) fn is_plain(object: &Object) -> bool {
    matches!(object.of_type.as_str(), "int" | "float" | "bool" | "complex" | "NoneType" | "ellipsis")
        && short_value(object).is_some()
}

pub(super) fn items(object: &Object) -> u64 {
    object.hidden_items.saturating_add(object.items.len() as u64)
}

pub(super) fn is_container(object: &Object) -> bool {
    matches!(object.kind, ObjectKind::Sequence | ObjectKind::Mapping | ObjectKind::Set)
}

/// A type's name, cut where it would fill the sentence.
pub(super) fn type_of(object: &Object) -> String {
    cut(&object.of_type, 30)
}

/// `list of 3 items`, `empty list`, `str 'apple'`, `Node`.
fn noun(object: &Object, language: Language) -> String {
    let of_type = type_of(object);
    match (items(object), short_value(object)) {
        _ if language == Language::C => of_type,
        (0, _) if is_container(object) => format!("empty {of_type}"),
        (number, _) if is_container(object) => format!("{of_type} of {}", count(number, "item")),
        (_, Some(value)) => format!("{of_type} {value}"),
        _ => of_type,
    }
}

/// An object as it is first spoken of: `3000`, `a list of 3 items`.
pub(super) fn some(object: &Object, language: Language) -> String {
    match short_value(object) {
        Some(value) if is_plain(object) || object.of_type == "str" => value,
        _ => with_article(&noun(object, language)),
    }
}

/// An object that is known: `the list of 3 items`, `the 16-byte struct node at …2a0`.
pub(super) fn the(object: &Object, language: Language) -> String {
    let noun = noun(object, language);
    match language {
        Language::C => {
            format!("the {}-byte {noun} at {}", amount(object.bytes), short_address(object.address))
        }
        Language::Python if object.kind == ObjectKind::Fields => {
            format!("the {noun} at {}", short_address(object.address))
        }
        Language::Python => format!("the {noun}"),
    }
}

/// An object that was made in this step: `a new 53-byte str at …c30`.
pub(super) fn new(object: &Object, replay: &Replay<'_>) -> String {
    let (of_type, value) = (type_of(object), short_value(object));
    match value {
        Some(value) if is_plain(object) => return format!("a new {of_type}: {value}"),
        _ if object.kind == ObjectKind::Function || object.kind == ObjectKind::Class => {
            let noun = match object.kind {
                ObjectKind::Class => "class",
                _ => &of_type,
            };
            return format!("a new {noun} of {}", count(object.bytes, "byte"));
        }
        _ => {}
    }
    let number = match replay.language {
        Language::Python if is_container(object) && items(object) > 0 => {
            format!(" of {}", count(items(object), "item"))
        }
        _ => String::new(),
    };
    if let Some((source, start)) = shared_with(object, replay) {
        let called = replay.path(source.id).unwrap_or_else(|| the(source, replay.language));
        let end = start.saturating_add(items(object));
        let part = match items(source) == items(object) {
            true => tick(&called),
            false => tick(&format!("{called}[{start}:{end}]")),
        };
        return format!(
            "a new {}-byte {of_type}{number}: the same objects as in {part}",
            amount(object.bytes)
        );
    }
    let at = short_address(object.address);
    let text = format!("a new {}-byte {of_type}{number} at {at}", amount(object.bytes));
    match value {
        Some(value) if object.of_type == "str" => format!("{text}: {value}"),
        _ => text,
    }
}

/// An older sequence that has the items of this one, one after the other, and from which index on.
/// That they are the same objects is certain; that somebody copied them is not.
fn shared_with<'t>(object: &Object, replay: &Replay<'t>) -> Option<(&'t Object, u64)> {
    /// So many sequences are looked at.
    const MAX_LOOKED_AT: usize = 1000;
    if replay.language == Language::C || object.kind != ObjectKind::Sequence || object.items.len() < 2 {
        return None;
    }
    let older = replay.state.objects.values().filter(|source| {
        source.id != object.id && source.kind == ObjectKind::Sequence && items(source) >= items(object)
    });
    older.take(MAX_LOOKED_AT).find_map(|source| {
        let start = (0..source.items.len()).find(|&start| {
            let part = &source.items[start..];
            // What is hidden behind the last item shown cannot be compared.
            let seen = part.len().min(object.items.len());
            let whole = seen == object.items.len() || (source.hidden_items > 0 && seen > 1);
            whole && part[..seen].iter().zip(&object.items).all(|(left, right)| left.1 == right.1)
        })?;
        let start = start as u64;
        (start.saturating_add(items(object)) <= items(source)).then_some((*source, start))
    })
}

/// A name or a path in backticks.
pub(super) fn tick(text: &str) -> String {
    format!("`{}`", cut(text, 40).replace('`', "'"))
}

/// Whether it is the program's to allocate and free.
pub(super) fn is_the_programs(object: &Object) -> bool {
    !object.immortal && !matches!(object.standing, Standing::Static | Standing::OnStack)
}
