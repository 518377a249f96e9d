//! What a run printed: whether two runs printed the same, and how many tests passed.
//!
//! Output is read piece by piece: a program may print more than fits in memory.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// The first line in which two outputs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Its number, from 1.
    pub(super) line: u64,
    /// What the first printed there, if it got so far.
    pub(super) before: Option<String>,
    /// What the second printed there.
    pub(super) after: Option<String>,
}

/// Where two outputs begin to differ, but for the times in a test runner's closing line.
pub(super) fn first_difference(before: &mut File, after: &mut File) -> io::Result<Option<Difference>> {
    let mut before = Pieces::of(before)?;
    let mut after = Pieces::of(after)?;
    let mut line = 1;
    loop {
        match (before.next()?, after.next()?) {
            (None, None) => return Ok(None),
            (Some(one), Some(other)) if one == other || without_time(&one) == without_time(&other) => {
                line += u64::from(one.ends_with(b"\n"));
            }
            (one, other) => {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
                return Ok(Some(Difference { line, before: one.map(text), after: other.map(text) }));
            }
        }
    }
}

/// How many lines an output has.
pub(super) fn lines(output: &mut File) -> io::Result<u64> {
    let mut pieces = Pieces::of(output)?;
    let (mut lines, mut open) = (0, false);
    while let Some(piece) = pieces.next()? {
        open = !piece.ends_with(b"\n");
        lines += u64::from(!open);
    }
    Ok(lines + u64::from(open))
}

/// An output, line by line; a longer one in parts.
struct Pieces<'a>(BufReader<&'a mut File>);

impl<'a> Pieces<'a> {
    const MOST: u64 = 1 << 16;

    fn of(file: &'a mut File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Pieces(BufReader::with_capacity(1 << 16, file)))
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::new();
        self.0.by_ref().take(Self::MOST).read_until(b'\n', &mut piece)?;
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// How many tests passed, as pytest says at the end of its output, or unittest at the end of its
/// complaints; `None` if neither ran.
pub(super) fn tests_passed(stdout: &[u8], stderr: &[u8]) -> Option<u64> {
    let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    let of_pytest = stdout.lines().rev().find_map(|line| {
        let (counts, _) = closing(line)?;
        Some(number_before(counts, "passed").unwrap_or(0))
    });
    of_pytest.or_else(|| of_unittest(&stderr)).or_else(|| of_unittest(&stdout))
}

/// The counts and the time of the line that pytest ends with: `== 3 passed, 1 skipped in 0.12s ==`.
fn closing(line: &str) -> Option<(&str, &str)> {
    const WORDS: [&str; 6] = ["passed", "failed", "skipped", "error", "xfailed", "no tests ran"];
    let (counts, time) = line.trim().trim_matches('=').trim().rsplit_once(" in ")?;
    let seconds = time.split(' ').next()?.strip_suffix('s')?;
    let is_time = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_time && WORDS.iter().any(|word| counts.contains(word))).then_some((counts, time))
}

/// `Ran 3 tests in 0.001s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=1)`.
fn of_unittest(output: &str) -> Option<u64> {
    let mut lines = output.lines().rev();
    let counts = lines.find(|line| line.starts_with("OK") || line.starts_with("FAILED"))?;
    let ran = lines.find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse::<u64>().ok())?;
    let inside = counts.split_once('(').map_or("", |(_, inside)| inside.trim_end_matches(')'));
    let not_passed = inside.split(',').filter_map(|part| part.trim().split_once('=')?.1.parse::<u64>().ok());
    Some(not_passed.fold(ran, u64::saturating_sub))
}

fn number_before(counts: &str, word: &str) -> Option<u64> {
    let part = counts.split(',').find(|part| part.trim().ends_with(word))?;
    part.trim().split(' ').next()?.parse().ok()
}

/// A line without the time that a test took.
fn without_time(line: &[u8]) -> Cow<'_, [u8]> {
    let text = std::str::from_utf8(line).ok();
    match text.and_then(closing).map(|(counts, _)| counts.as_bytes()) {
        Some(counts) => Cow::Owned(counts.to_vec()),
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn difference(before: &str, after: &str) -> Option<Difference> {
        let file = |text: &str| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file
        };
        first_difference(&mut file(before), &mut file(after)).unwrap()
    }

    #[test]
    fn the_first_line_that_differs_is_found() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        let expected = Difference { line: 2, before: Some("b".into()), after: Some("c".into()) };
        assert_eq!(difference("a\nb\n", "a\nc\n"), Some(expected));
        let expected = Difference { line: 2, before: None, after: Some("b".into()) };
        assert_eq!(difference("a\n", "a\nb"), Some(expected));
        let long = "x".repeat(200_000);
        assert_eq!(difference(&format!("{long}\na"), &format!("{long}\nb")).unwrap().line, 2);
    }

    #[test]
    fn the_time_of_a_test_run_is_no_difference() {
        let of = |time: &str| format!("t.py ..\n\n===== 2 passed, 1 skipped in {time} =====\n");
        assert_eq!(difference(&of("0.12s"), &of("71.30s (0:01:11)")), None);
        assert_eq!(difference("2 passed in 0.1s\n", "2 passed in 0.2s\n"), None);
        assert!(difference("2 passed in 0.1s\n", "3 passed in 0.1s\n").is_some());
        assert!(difference("slept in 0.1s\n", "slept in 0.2s\n").is_some());
    }

    #[test]
    fn tests_are_counted_as_their_runner_says() {
        let pytest = |line: &str| tests_passed(line.as_bytes(), b"");
        assert_eq!(pytest("=== 3 passed, 1 skipped in 0.12s ===\n"), Some(3));
        assert_eq!(pytest("1 failed, 12 passed, 1 warning in 61.2s (0:01:01)\n"), Some(12));
        assert_eq!(pytest("2 failed in 0.12s\n"), Some(0));
        let unittest = |text: &str| tests_passed(b"", text.as_bytes());
        assert_eq!(unittest("...\n-----\nRan 3 tests in 0.001s\n\nOK\n"), Some(3));
        assert_eq!(unittest("Ran 5 tests in 0.001s\n\nOK (skipped=1)\n"), Some(4));
        assert_eq!(unittest("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n"), Some(2));
        assert_eq!(tests_passed(b"OK, all fine\n", b"Ran away\n"), None);
    }
}
