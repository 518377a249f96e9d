//! The list of what can be explained, and names that are nearly one of it.

use memsight_check::{RULES, Rule};

use super::page::{Page, Table};
use super::topics::TOPICS;

/// Families of rules, by the digit behind `MS`.
const FAMILIES: &[(char, &str)] = &[
    ('1', "copies made by slicing"),
    ('2', "loops and indexing"),
    ('3', "strings, bytes and sequences built piece by piece"),
    ('4', "whole lists where an iterator serves"),
    ('5', "a library or a layout that needs less"),
    ('6', "memory kept alive"),
];

fn family(digit: char) -> Vec<&'static Rule> {
    RULES.iter().filter(|rule| rule.code.chars().nth(2) == Some(digit)).collect()
}

/// The list of topics and of the families of rules.
pub(super) fn page() -> Page {
    let topics =
        TOPICS.iter().fold(Table::new(&["topic", "<"]), |table, topic| table.row([topic.name, topic.line]));
    let mut families = Table::new(&["rules", "<", "how many"]);
    for &(digit, line) in FAMILIES {
        let rules = family(digit);
        if let (Some(first), Some(last)) = (rules.first(), rules.last()) {
            let span = format!("{} to {}", first.code, last.code);
            families = families.row([&span, line, &rules.len().to_string()]);
        }
    }
    Page::new("What memsight can explain", format!("{} topics, {} rules", TOPICS.len(), RULES.len()))
        .text(
            "Each page says how something works, runs an experiment under the recorder on your own \
             Python, and prints what it measured there.",
        )
        .table(topics)
        .table(families)
        .next(&[
            ("memsight explain slicing", "a topic"),
            ("memsight explain MS101", "a rule, by its code or its name"),
            ("memsight check .", "the rules, on your code"),
        ])
}

/// What to say of a name that is none, with those that it may stand for.
pub(super) fn unknown(name: &str) -> String {
    let near = near(name);
    let meant = match &near[..] {
        [] => String::new(),
        [one] => format!(" Did you mean {one}?"),
        [first @ .., last] => format!(" Did you mean {} or {last}?", first.join(", ")),
    };
    format!("explain {name}: is no topic and no rule.{meant} The list: memsight explain")
}

/// The names that one nearly is, nearest first.
fn near(name: &str) -> Vec<&'static str> {
    const MOST: usize = 3;
    let name = name.to_lowercase();
    let rules = RULES.iter().flat_map(|rule| [rule.code, rule.name]);
    let names = TOPICS.iter().map(|topic| topic.name).chain(rules);
    let mut scored: Vec<(usize, &str)> = names
        .filter_map(|known| {
            let lower = known.to_lowercase();
            let away = if name.len() >= 3 && lower.contains(&*name) { 1 } else { distance(&name, &lower) };
            (away <= (lower.len() / 3).max(1)).then_some((away, known))
        })
        .collect();
    scored.sort_by_key(|&(away, _)| away);
    scored.truncate(MOST);
    scored.into_iter().map(|(_, known)| known).collect()
}

/// How many letters must be put in, left out or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_a_name_finds_it() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(near("slcing")[0], "slicing");
        assert_eq!(near("ms1O1")[0], "MS101");
        assert!(near("refcounts").contains(&"refcount"));
        assert!(near("xyzzyxyzzy").is_empty());
    }

    #[test]
    fn every_rule_is_of_a_family() {
        let listed: usize = FAMILIES.iter().map(|&(digit, _)| family(digit).len()).sum();
        assert_eq!(listed, RULES.len());
    }
}
