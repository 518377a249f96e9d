//! What went wrong, in one sentence.

use memsight_picture::{FrameKind, Name, Ref, Step};

use super::picture::Picture;
use super::space::{Of, Thing};
use super::wire::{Reason, Stop};

/// Addresses below this belong to nobody: what is reached there was reached through NULL.
const NULL_PAGE: u64 = 1 << 16;

/// Functions of the C library that read what their arguments point to, where a line may name them.
const READERS: [&str; 14] = [
    "printf", "fprintf", "puts", "fputs", "strlen", "strcpy", "strcat", "strcmp", "strdup", "memcpy",
    "memmove", "memset", "snprintf", "strncpy",
];

/// Of a stop that is a fault.
pub(super) fn words(picture: &Picture, stop: &Stop, step: &Step) -> String {
    let line = step.line;
    if stop.reason == Reason::Signal {
        return of_signal(picture, stop, step);
    }
    if stop.fault.as_deref() == Some("guard") {
        let function = step.stack.last().map_or("?", |frame| &frame.function);
        return format!(
            "line {line} finds the end of `{function}`'s frame overwritten, and the program is ended"
        );
    }
    let address = stop.address.unwrap_or(0);
    let what = match stop.by.as_deref() {
        Some("free") | None => "frees",
        Some(_) => "asks realloc for more of",
    };
    let Some((id, offset)) = picture.space.find(address) else {
        return format!("line {line} {what} {address:#x}, which malloc never gave");
    };
    let Some(thing) = picture.space.get(id) else {
        return format!("line {line} {what} {address:#x}, which malloc never gave");
    };
    match thing.of {
        Of::Heap { .. } if offset == 0 && thing.freed.is_some() => {
            let before =
                freed_at(thing).map_or(String::new(), |freed| format!(": line {freed} has freed it"));
            match what {
                "frees" => {
                    format!("line {line} frees a block of {} a second time{before}", bytes(thing.bytes))
                }
                _ => format!("line {line} {what} a block of {} that is no more{before}", bytes(thing.bytes)),
            }
        }
        Of::Heap { .. } => format!(
            "line {line} {what} an address {} inside a block of {}, not its beginning",
            bytes(offset),
            bytes(thing.bytes)
        ),
        Of::Stack | Of::Arguments | Of::Static => {
            let name = thing.name.as_deref().unwrap_or("a variable");
            let place = if thing.of != Of::Static { "on the stack" } else { "a global variable" };
            format!("line {line} {what} `{name}`, which is {place}: only what malloc gave can be freed")
        }
        Of::Text => {
            format!("line {line} {what} a text of the program itself: only what malloc gave can be freed")
        }
    }
}

fn of_signal(picture: &Picture, stop: &Stop, step: &Step) -> String {
    let name = stop.name.as_deref().unwrap_or("a signal");
    let line = step.line;
    let overwritten = step.stack.last().and_then(|top| Some((top, picture.overwritten_return(top.id)?)));
    match name {
        "SIGSEGV" | "SIGBUS" | "SIGILL" if overwritten.is_some() => {
            let (function, to) = overwritten.map_or(("?", 0), |(top, to)| (top.function.as_str(), to));
            format!("`{function}` returns to {to:#x}, where there is no code of its caller ({name})")
        }
        "SIGSEGV" | "SIGBUS" => match stop.address {
            Some(address) if address < NULL_PAGE => {
                let null =
                    dereferenced(picture, step, |value| matches!(value, Ref::Value(text) if text == "NULL"));
                match null {
                    Some((path, _)) => format!("line {line} follows `{path}`, a NULL pointer ({name})"),
                    None => format!("line {line} follows a NULL pointer ({name})"),
                }
            }
            Some(address) if address.abs_diff(stop.sp) < 1 << 16 && address < stop.sp + 4096 => {
                let deep = step.stack.iter().filter(|frame| frame.kind == FrameKind::Function).count();
                format!("line {line}: the stack is full, {deep} calls deep ({name})")
            }
            Some(address) if Some(address) == stop.at => {
                format!("it goes on at {address:#x}, where there is no code ({name})")
            }
            Some(address) => format!("line {line} reaches for {address:#x}, where there is nothing ({name})"),
            None => format!("line {line} reaches for memory that is not there ({name})"),
        },
        "SIGFPE" => format!("line {line} divides by zero, or overflows in a division ({name})"),
        "SIGILL" => format!("line {line} runs an instruction that does not exist ({name})"),
        "SIGABRT" => format!("the program ends itself at line {line} ({name})"),
        _ => format!("{name} comes at line {line}"),
    }
}

/// Whether the line that is about to run reaches through a pointer into what was freed: by its text,
/// since the debugger says so only once it is over.
pub(super) fn use_after_free(picture: &Picture, step: &Step) -> Option<String> {
    let is_freed = |value: &Ref| match value {
        Ref::Object { id, .. } => picture.space.get(*id).is_some_and(|thing| thing.freed.is_some()),
        Ref::Value(_) => false,
    };
    let (path, value) = dereferenced(picture, step, is_freed)?;
    let Ref::Object { id, .. } = value else { return None };
    let thing = picture.space.get(id)?;
    let size = bytes(thing.bytes);
    Some(match freed_at(thing) {
        Some(freed) => {
            format!("line {} uses `{path}`, which points to {size} that line {freed} has freed", step.line)
        }
        None => format!("line {} uses `{path}`, which points to {size} that were freed", step.line),
    })
}

/// The pointer of some kind that the line reaches through: a variable, or a member of what one points to.
fn dereferenced(picture: &Picture, step: &Step, wanted: impl Fn(&Ref) -> bool) -> Option<(String, Ref)> {
    let frames = step.stack.iter().rev();
    let mut frames =
        frames.filter(|frame| frame.id == 0 || Some(frame.id) == step.stack.last().map(|top| top.id));
    let text = without_texts(picture.line(step.source, step.line));
    frames.find_map(|frame| frame.names.iter().find_map(|name| through(picture, name, &text, &wanted)))
}

fn through(
    picture: &Picture,
    name: &Name,
    text: &str,
    wanted: &impl Fn(&Ref) -> bool,
) -> Option<(String, Ref)> {
    // A variable that is an object itself holds its pointer as its only item.
    let held = match &name.to {
        Ref::Object { id, .. } => {
            let drawn = picture.space.get(*id).filter(|thing| thing.of != Of::Text)?.drawn.as_ref()?;
            let own = name.place.as_ref().is_some_and(|place| place.address == drawn.address);
            match own {
                true => drawn.items.first().filter(|(label, _)| label.is_empty()).map(|(_, to)| to.clone()),
                false => Some(name.to.clone()),
            }
        }
        value => Some(value.clone()),
    };
    let held = held?;
    if wanted(&held) && reaches_through(text, &name.name) {
        return Some((name.name.clone(), held));
    }
    let Ref::Object { id, .. } = held else { return None };
    let items = &picture.space.get(id)?.drawn.as_ref()?.items;
    items.iter().find_map(|(label, to)| {
        let path = format!("{}->{label}", name.name);
        (wanted(to) && reaches_through(text, &path)).then(|| (path, to.clone()))
    })
}

/// Whether a line reads or writes what an expression points to.
fn reaches_through(text: &str, path: &str) -> bool {
    let part_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices(path).any(|(at, _)| {
        let (before, behind) = (&text[..at], text[at + path.len()..].trim_start());
        let last = before.trim_end().chars().next_back();
        if before.ends_with(part_of_word) || before.ends_with("->") || before.ends_with('.') {
            return false;
        }
        if text[at + path.len()..].starts_with(part_of_word) {
            return false;
        }
        let is_declared = || {
            let word = before.trim_end().trim_end_matches('*').trim_end();
            word.ends_with(part_of_word) && !word.ends_with("return")
        };
        behind.starts_with("->")
            || behind.starts_with('[')
            || (last == Some('*') && !is_declared())
            || (matches!(last, Some('(' | ','))
                && (behind.starts_with(',') || behind.starts_with(')'))
                && is_read(before))
    })
}

/// Whether the call that is open at the end of this text reads what it is given.
fn is_read(before: &str) -> bool {
    let mut depth = 0;
    for (at, letter) in before.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' if depth == 0 => {
                let word = before[..at].trim_end();
                return READERS.iter().any(|known| {
                    word.strip_suffix(known).is_some_and(|rest| {
                        !rest.ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_')
                    })
                });
            }
            '(' => depth -= 1,
            _ => {}
        }
    }
    false
}

/// A line without what is between quotes and behind `//`.
fn without_texts(line: &str) -> String {
    let mut out = String::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '/' && letters.peek() == Some(&'/') {
            break;
        }
        out.push(letter);
        if letter == '"' {
            while let Some(inner) = letters.next() {
                match inner {
                    '\\' => _ = letters.next(),
                    '"' => {
                        out.push('"');
                        break;
                    }
                    _ => {}
                }
            }
        }
    }
    out
}

fn freed_at(thing: &Thing) -> Option<u32> {
    thing.freed.flatten().map(|(_, line)| line)
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_reaches_through_is_seen_in_its_text() {
        for text in [
            "p->next = q;",
            "x = *p;",
            "p[3] = 1;",
            "return *p;",
            "printf(\"%d\", p->n);",
            "strlen(p)",
            "puts(p);",
        ] {
            assert!(reaches_through(text, "p"), "{text}");
        }
        for text in [
            "q = p;",
            "free(p);",
            "int *p = q;",
            "pp->n = 1;",
            "p = NULL;",
            "q->p = r;",
            "use(p)",
            "if (p) x();",
        ] {
            assert!(!reaches_through(text, "p"), "{text}");
        }
        assert!(reaches_through("n = head->next->value;", "head->next"));
        assert!(!reaches_through("head = head->next;", "head->next"));
    }

    #[test]
    fn what_is_between_quotes_is_no_code() {
        assert_eq!(without_texts(r#"f("p->x \" (", p); // p->n"#), "f(\"\", p); ");
    }
}
