//! Every rule against its fixture: code that it must find and code that it must not.
//!
//! `fixtures/ms101.py` belongs to MS101. A comment says what is expected of the line below it:
//!
//! | comment    | the line below                                        |
//! |------------|-------------------------------------------------------|
//! | `# safe`   | is found, and its fix is proven safe                  |
//! | `# unsafe` | is found, and its fix is not proven                   |
//! | `# found`  | is found, and has no fix                              |
//!
//! Two words mean two findings on one line. Every other line must stay silent, and every fix must be
//! Python that has less to find. The snapshot beside it shows messages and fixed text to a reader;
//! `INSTA_UPDATE=always cargo test -p memsight-check` makes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use memsight_check::{Applicability, Finding, Options, RULES, Rule, apply, check};

fn fixture_of(rule: &Rule) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(format!("{}.py", rule.code.to_lowercase()))
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

fn verdict(finding: &Finding) -> &'static str {
    match finding.fix.as_ref().map(|fix| fix.applicability) {
        Some(Applicability::Safe) => "safe",
        Some(Applicability::Unsafe) => "unsafe",
        None => "found",
    }
}

/// What the comments of a fixture expect, by line.
fn expected(text: &str) -> BTreeMap<usize, Vec<&str>> {
    let mut expected = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = line.trim().strip_prefix("# ") else { continue };
        let words: Vec<&str> = comment.split_whitespace().collect();
        if words.iter().all(|word| matches!(*word, "safe" | "unsafe" | "found")) {
            expected.insert(index + 2, words);
        }
    }
    expected
}

fn options(rule: &'static Rule) -> Options {
    Options { rules: vec![rule], ..Options::default() }
}

/// What a reader of the snapshot sees of a finding: its message, and its line before and after the fix.
fn shown(text: &str, finding: &Finding) -> String {
    let mut out = format!("{}: {}\n", line_of(text, finding.start), finding.message);
    let Some(fix) = &finding.fix else { return out };
    let _ = writeln!(out, "  {}: {}", fix.applicability, fix.message);
    let mut edits = fix.edits.clone();
    edits.sort();
    let fixed = apply(text, &edits);
    for change in similar::TextDiff::from_lines(text, &fixed).iter_all_changes() {
        if change.tag() != similar::ChangeTag::Equal {
            let _ = writeln!(out, "  {}{}", change.tag(), change.value().trim_end());
        }
    }
    out
}

#[test]
fn every_rule_finds_what_its_fixture_says_and_nothing_else() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let path = fixture_of(rule);
        let Ok(text) = std::fs::read_to_string(&path) else {
            wrong.push(format!("{}: no fixture {}", rule.code, path.display()));
            continue;
        };
        let findings = check(&text, &options(rule)).expect("a fixture is Python");
        let expected = expected(&text);
        let mut found: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for finding in &findings {
            found.entry(line_of(&text, finding.start)).or_default().push(verdict(finding));
        }
        let lines: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        for line in lines {
            let (wanted, got) = (expected.get(line), found.get(line));
            if wanted != got {
                let source = text.lines().nth(line - 1).unwrap_or_default().trim();
                wrong
                    .push(format!("{} line {line}: expected {wanted:?}, found {got:?}: {source}", rule.code));
            }
        }
        if expected.is_empty() {
            wrong.push(format!("{}: its fixture has nothing to find", rule.code));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_fix_leaves_python_with_less_to_find() {
    for rule in RULES {
        let Ok(text) = std::fs::read_to_string(fixture_of(rule)) else { continue };
        let findings = check(&text, &options(rule)).expect("a fixture is Python");
        for finding in &findings {
            let Some(fix) = &finding.fix else { continue };
            let mut edits = fix.edits.clone();
            edits.sort();
            let fixed = apply(&text, &edits);
            let line = line_of(&text, finding.start);
            let left = check(&fixed, &options(rule))
                .unwrap_or_else(|error| panic!("{} line {line}: {error:?}\n{fixed}", rule.code));
            assert!(left.len() < findings.len(), "{} line {line}: found again after its fix", rule.code);
        }
    }
}

#[test]
fn the_snapshots_show_messages_and_fixes() {
    for rule in RULES {
        let Ok(text) = std::fs::read_to_string(fixture_of(rule)) else { continue };
        let findings = check(&text, &options(rule)).expect("a fixture is Python");
        let all: String = findings.iter().map(|finding| shown(&text, finding)).collect();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(rule.code.to_lowercase(), all);
        });
    }
}
