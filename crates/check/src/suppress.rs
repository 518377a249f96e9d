//! `# memsight: ignore[MS101, MS203]` on a line silences what is found there.

use std::ops::Range;

use crate::finding::Finding;
use crate::syntax::{Ranged, TokenKind, Tokens};

/// Takes out findings that a comment on one of their lines tells to leave out.
pub(crate) fn drop_ignored(text: &str, tokens: &Tokens, findings: &mut Vec<Finding>) {
    if findings.is_empty() || !text.contains("memsight:") {
        return;
    }
    // The lines of the comments, in the order of the text.
    let ignored: Vec<(Range<usize>, Ignore<'_>)> = tokens
        .iter()
        .filter(|token| token.kind() == TokenKind::Comment)
        .filter_map(|token| {
            let range = token.range().to_std_range();
            let from = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
            Some((from..range.end, Ignore::parse(&text[range])?))
        })
        .collect();
    findings.retain(|finding| {
        let first = ignored.partition_point(|(line, _)| line.end < finding.start);
        let on_its_lines = ignored[first..].iter().take_while(|(line, _)| line.start <= finding.end);
        !on_its_lines.into_iter().any(|(_, ignore)| ignore.covers(finding.rule.code))
    });
}

/// What a comment tells to leave out.
#[derive(Debug, PartialEq, Eq)]
enum Ignore<'a> {
    All,
    Codes(Vec<&'a str>),
}

impl<'a> Ignore<'a> {
    fn parse(comment: &'a str) -> Option<Self> {
        let rest = comment.split("memsight:").nth(1)?.trim_start().strip_prefix("ignore")?;
        match rest.strip_prefix('[') {
            Some(rest) => Some(Self::Codes(rest.split(']').next()?.split(',').map(str::trim).collect())),
            None if rest.starts_with(|c: char| c.is_alphanumeric() || c == '-') => None,
            None => Some(Self::All),
        }
    }

    fn covers(&self, code: &str) -> bool {
        match self {
            Self::All => true,
            Self::Codes(codes) => codes.iter().any(|prefix| !prefix.is_empty() && code.starts_with(prefix)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_codes_or_all() {
        assert_eq!(Ignore::parse("# memsight: ignore"), Some(Ignore::All));
        assert_eq!(
            Ignore::parse("# slow, but small  # memsight: ignore[MS101, MS2]"),
            Some(Ignore::Codes(vec!["MS101", "MS2"]))
        );
        assert_eq!(Ignore::parse("# memsight: ignored"), None);
        assert_eq!(Ignore::parse("# noqa"), None);
        assert!(!Ignore::parse("# memsight: ignore[]").unwrap().covers("MS101"));
        assert!(Ignore::parse("# memsight: ignore[MS2]").unwrap().covers("MS203"));
    }
}
