//! Snapshots of what differs between versions of CPython: one file for all of them.
//!
//! A line that all versions share stands as it is; one that differs stands once for each
//! text, behind the versions that have it. Where versions have another number of lines,
//! they have a section of their own.
//!
//! ```text
//! == 3.9 3.10 3.11 3.12 3.13
//! | step 1: line 3 of <module>
//! 3.9 3.10| @1 Node 64 bytes
//! 3.11 3.12 3.13| @1 Node 48 bytes
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;

/// Texts by minor version.
pub(crate) type Texts = BTreeMap<u32, String>;

/// The file that holds these texts.
pub(crate) fn merged(texts: &Texts) -> String {
    let mut sections: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (&minor, text) in texts {
        sections.entry(text.lines().count()).or_default().push(minor);
    }
    let mut sections: Vec<Vec<u32>> = sections.into_values().collect();
    sections.sort();
    let mut out = String::new();
    for minors in sections {
        let _ = writeln!(out, "== {}", written(&minors));
        let columns: Vec<Vec<&str>> = minors.iter().map(|minor| texts[minor].lines().collect()).collect();
        for row in 0..columns[0].len() {
            for (text, minors) in alike(&minors, columns.iter().map(|column| column[row])) {
                let who = if minors.len() == columns.len() { String::new() } else { written(&minors) };
                let _ = writeln!(out, "{who}| {text}");
            }
        }
    }
    out
}

/// The text of one version, if the file has it.
pub(crate) fn text_of(minor: u32, file: &str) -> Option<String> {
    let wanted = format!("3.{minor}");
    let mut in_section = false;
    let mut out = None::<String>;
    for line in file.lines() {
        if let Some(minors) = line.strip_prefix("== ") {
            in_section = minors.split(' ').any(|minor| minor == wanted);
            if in_section {
                out.get_or_insert_default();
            }
        } else if let Some((who, text)) = line.split_once("| ").filter(|_| in_section)
            && (who.is_empty() || who.split(' ').any(|minor| minor == wanted))
            && let Some(out) = &mut out
        {
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

/// The first line that differs, with both texts; `None` if they are the same.
pub(crate) fn difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let same = expected.iter().zip(&actual).take_while(|(one, other)| one == other).count();
    let line = |lines: &[&str]| lines.get(same).map_or("nothing".to_owned(), |line| format!("{line:?}"));
    let step = actual[..same].iter().rev().find(|line| line.starts_with("step ")).copied();
    let place = step.unwrap_or("the beginning");
    Some(format!("in {place}: the snapshot has {}, now it is {}", line(&expected), line(&actual)))
}

fn alike<'t>(minors: &[u32], texts: impl Iterator<Item = &'t str>) -> Vec<(&'t str, Vec<u32>)> {
    let mut found: Vec<(&str, Vec<u32>)> = Vec::new();
    for (&minor, text) in minors.iter().zip(texts) {
        match found.iter_mut().find(|(other, _)| *other == text) {
            Some((_, minors)) => minors.push(minor),
            None => found.push((text, vec![minor])),
        }
    }
    found
}

fn written(minors: &[u32]) -> String {
    minors.iter().map(|minor| format!("3.{minor}")).collect::<Vec<_>>().join(" ")
}
