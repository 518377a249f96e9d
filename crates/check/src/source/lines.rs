//! Where the lines of a text are, and how far into its line an offset is.
//!
//! A file of one line of megabytes is asked for thousands of places in it, so
//! nothing here goes through a line from its start.

use std::ops::Range;

/// The lines of a text, which is given again to every question about it.
#[derive(Debug)]
pub(super) struct Lines {
    /// Where each line starts.
    starts: Vec<usize>,
    /// How many characters stand before each multiple of [`STEP`] bytes.
    chars: Vec<usize>,
}

const STEP: usize = 4096;

/// A longer line is shown in part.
const SHOWN_BYTES: usize = 1000;

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let breaks = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        let mut chars = vec![0];
        for chunk in bytes.chunks(STEP) {
            chars.push(chars[chars.len() - 1] + characters(chunk));
        }
        Self { starts, chars }
    }

    /// Where each line starts.
    pub(super) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The line that an offset is on, counted from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// How many characters of its line stand before an offset.
    pub(super) fn characters_before(&self, text: &str, offset: usize) -> usize {
        let start = self.starts.get(self.line_of(offset).wrapping_sub(1)).copied().unwrap_or(0);
        self.before(text, offset) - self.before(text, start)
    }

    fn before(&self, text: &str, offset: usize) -> usize {
        let step = offset / STEP;
        let known = self.chars.get(step).copied().unwrap_or(0);
        known + text.as_bytes().get(step * STEP..offset).map_or(0, characters)
    }

    /// The part of a line that is shown for an offset on it, and how many characters were left out
    /// before it. Most lines are shown whole; the line break never is.
    pub(super) fn shown<'t>(&self, text: &'t str, offset: usize) -> (&'t str, usize) {
        let line = self.line(text, self.line_of(offset));
        if line.len() <= SHOWN_BYTES {
            return (&text[line], 0);
        }
        let boundary = |at: usize| (at..line.end).find(|at| text.is_char_boundary(*at)).unwrap_or(line.end);
        let from = boundary(offset.saturating_sub(SHOWN_BYTES / 4).max(line.start));
        let to = boundary((from + SHOWN_BYTES).min(line.end));
        (&text[from..to], self.characters_before(text, from))
    }

    /// Where a line is, counted from 1, without its line break.
    fn line(&self, text: &str, line: usize) -> Range<usize> {
        let start = |index: usize| self.starts.get(index).copied().unwrap_or(text.len());
        let (from, to) = (start(line.saturating_sub(1)), start(line));
        from..from + text[from..to].trim_end_matches(['\n', '\r']).len()
    }
}

/// How many characters begin among some bytes of a text.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_python_ends_them() {
        let text = "a\r\nb\rc\nd";
        let lines = Lines::new(text);
        let all: Vec<_> = (1..=4).map(|line| &text[lines.line(text, line)]).collect();
        assert_eq!(all, ["a", "b", "c", "d"]);
    }

    #[test]
    fn characters_are_counted_not_bytes_however_long_the_line() {
        let text = format!("x = 1\n{}!", "é😀".repeat(5000));
        let lines = Lines::new(&text);
        let at = text.len() - 1;
        assert_eq!((lines.line_of(at), lines.characters_before(&text, at)), (2, 10_000));
        assert_eq!(lines.characters_before(&text, 6 + 2 + 4), 2);
    }

    #[test]
    fn a_long_line_is_shown_around_the_place_asked_for() {
        let text = format!("{}needle{}\n", "é".repeat(4000), "é".repeat(4000));
        let lines = Lines::new(&text);
        let at = text.find("needle").unwrap();
        let (shown, left_out) = lines.shown(&text, at);
        assert!(shown.len() <= SHOWN_BYTES + 4, "{}", shown.len());
        assert_eq!(shown.chars().skip(4000 - left_out).take(6).collect::<String>(), "needle");
    }
}
