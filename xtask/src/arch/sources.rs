//! The rules on source files: where `unsafe` stands and how long a file is.

/// What is wrong with a crate's first file, which has to rule `unsafe` out: with
/// `forbid`, or with `deny` where one file of the crate is excepted.
pub(super) fn root_breach(path: &str, text: &str, crate_folder: &str, places: &[&str]) -> Option<String> {
    let folder = format!("{crate_folder}/");
    if places.contains(&folder.as_str()) {
        return None;
    }
    let has_excepted_file = places.iter().any(|place| place.starts_with(&folder));
    let level = if has_excepted_file { "deny" } else { "forbid" };
    let attribute = format!("#![{level}(unsafe_code)]");
    let present = text.lines().any(|line| line.trim_start().starts_with(&attribute));
    (!present).then(|| format!("{path}: lacks {attribute}"))
}

/// The first `unsafe` of a file that is in none of the places where it may stand.
pub(super) fn unsafe_breach(path: &str, text: &str, places: &[&str]) -> Option<String> {
    if !path.ends_with(".rs") || places.iter().any(|place| path.starts_with(place)) {
        return None;
    }
    let code = without_comments_and_strings(text);
    let line = code.lines().position(|line| words(line).any(|word| word == "unsafe"))?;
    Some(format!("{path}:{}: unsafe outside the places that may have it", line + 1))
}

/// Whether a file is longer than `max` lines without being excepted.
pub(super) fn length_breach(path: &str, text: &str, max: usize, excepted: &[(&str, &str)]) -> Option<String> {
    let lines = text.lines().count();
    let is_excepted = excepted.iter().any(|(excepted, _)| *excepted == path);
    (lines > max && !is_excepted).then(|| format!("{path}: {lines} lines; split a file by {max}"))
}

/// Exceptions for files that are gone or short enough by now.
pub(super) fn needless_exceptions(
    files: &[(String, String)],
    max: usize,
    excepted: &[(&str, &str)],
) -> Vec<String> {
    let is_long =
        |wanted: &str| files.iter().any(|(path, text)| path == wanted && text.lines().count() > max);
    let needless = excepted.iter().filter(|(path, _)| !is_long(path));
    needless
        .map(|(path, _)| format!("{path}: needs no exception from {max} lines; take it out of the table"))
        .collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !(character.is_alphanumeric() || character == '_'))
}

/// The text with comments, strings and characters blanked out, line by line as before.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped_len(rest, code.chars().next_back());
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (blank, after) = rest.split_at(skipped);
            code.push(' ');
            code.extend(blank.chars().filter(|character| *character == '\n'));
            rest = after;
        }
    }
    code
}

/// How many bytes at the front of `rest` are a comment, a string or a
/// character; 0 if it starts with code.
fn skipped_len(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        return comment.find("*/").map_or(rest.len(), |end| end + 4);
    }
    if let Some(string) = rest.strip_prefix('"') {
        return end_of_quoted(string, '"').map_or(rest.len(), |end| end + 1);
    }
    let in_word = before.is_some_and(|character| character.is_alphanumeric() || character == '_');
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !in_word || before == Some('b')) {
        return raw_string_len(raw).map_or(0, |len| len + 1);
    }
    if let Some(character) = rest.strip_prefix('\'') {
        let is_escape = character.starts_with('\\');
        let is_plain = character.chars().nth(1) == Some('\'');
        if is_escape || is_plain {
            return end_of_quoted(character, '\'').map_or(0, |end| end + 1);
        }
    }
    0
}

/// Bytes up to and with the closing quote; a backslash takes the next character with it.
fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of `#"…"#` with any number of `#`, or `None` if that is not what stands here.
fn raw_string_len(text: &str) -> Option<usize> {
    let hashes = text.len() - text.trim_start_matches('#').len();
    let content = text[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    content.find(&close).map(|end| hashes + 1 + end + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: &[&str] = &["crates/recorder/", "xtask/src/os.rs"];

    #[test]
    fn a_root_file_must_forbid_unsafe_code() {
        let judge = |path, text, folder| root_breach(path, text, folder, PLACES);
        assert_eq!(judge("crates/a/src/lib.rs", "#![forbid(unsafe_code)]\n", "crates/a"), None);
        let found = judge("crates/a/src/lib.rs", "#![deny(unsafe_code)]\n", "crates/a");
        assert_eq!(found.as_deref(), Some("crates/a/src/lib.rs: lacks #![forbid(unsafe_code)]"));
    }

    #[test]
    fn a_crate_with_one_excepted_file_must_deny_and_an_excepted_crate_need_not() {
        let judge = |path, text, folder| root_breach(path, text, folder, PLACES);
        assert_eq!(judge("xtask/src/main.rs", "#![deny(unsafe_code)] // but os\n", "xtask"), None);
        assert!(judge("xtask/src/main.rs", "fn main() {}", "xtask").is_some());
        assert_eq!(judge("crates/recorder/src/lib.rs", "", "crates/recorder"), None);
    }

    #[test]
    fn an_attribute_in_a_comment_forbids_nothing() {
        let text = "//! #![forbid(unsafe_code)]\n";
        assert!(root_breach("crates/a/src/lib.rs", text, "crates/a", PLACES).is_some());
    }

    #[test]
    fn unsafe_code_is_found_at_its_line() {
        let found = unsafe_breach("crates/a/src/b.rs", "fn f() {\n    unsafe { g() }\n}\n", PLACES);
        assert_eq!(found.as_deref(), Some("crates/a/src/b.rs:2: unsafe outside the places that may have it"));
    }

    #[test]
    fn the_word_in_comments_strings_and_names_is_not_unsafe_code() {
        let text = "// unsafe\n/* unsafe */ let a = \"unsafe \\\" unsafe\"; let b = r#\"\" unsafe \"#;\n\
                    let c = '\"'; let d: &'static str = unsafe_name; let e = '\\''; // unsafe {\n";
        assert_eq!(unsafe_breach("crates/a/src/b.rs", text, PLACES), None);
    }

    #[test]
    fn unsafe_code_behind_a_string_is_still_found() {
        let text = "let a = \"// no comment\"; let b = '\"'; unsafe { g() }";
        assert!(unsafe_breach("crates/a/src/b.rs", text, PLACES).is_some());
    }

    #[test]
    fn unsafe_code_in_its_places_is_fine() {
        assert_eq!(unsafe_breach("crates/recorder/src/map.rs", "unsafe { g() }", PLACES), None);
        assert_eq!(unsafe_breach("xtask/src/os.rs", "unsafe { g() }", PLACES), None);
    }

    #[test]
    fn a_long_file_is_a_breach_unless_excepted() {
        let text = "x\n".repeat(11);
        assert!(length_breach("a.rs", &text, 10, &[]).is_some());
        assert_eq!(length_breach("a.rs", &text, 10, &[("a.rs", "a table")]), None);
        assert_eq!(length_breach("a.rs", &text, 11, &[]), None);
    }

    #[test]
    fn an_exception_that_is_not_needed_is_a_breach() {
        let files = [("a.rs".to_owned(), "x\n".repeat(11)), ("b.rs".to_owned(), "x\n".into())];
        let found = needless_exceptions(&files, 10, &[("a.rs", ""), ("b.rs", ""), ("gone.rs", "")]);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("b.rs:") && found[1].starts_with("gone.rs:"));
    }
}
