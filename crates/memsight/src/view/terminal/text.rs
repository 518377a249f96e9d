//! Text that is safe to show, and lines of it with what it means.
//!
//! Program text may hold anything, a terminal's commands as well: [`escaped`] stands between
//! it and every line.

use ratatui::text::Span;

use super::moment::Target;

/// What a piece of text is, from which its look follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Plain.
    Plain,
    /// What may be passed over.
    Dim,
    /// A heading, a tag.
    Strong,
    /// Was not there a step ago.
    New,
    /// Was otherwise a step ago.
    Changed,
    /// Is there no more.
    Gone,
    /// The line that runs next.
    Next,
}

/// A line of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Its pieces from left to right.
    pub(super) pieces: Vec<(String, Ink)>,
    /// What is selected by selecting this line.
    pub(super) target: Option<Target>,
}

impl Line {
    /// A line of one piece.
    pub(super) fn of(text: impl Into<String>, ink: Ink) -> Self {
        Line::default().and(text, ink)
    }

    /// The line with one piece more.
    pub(super) fn and(mut self, text: impl Into<String>, ink: Ink) -> Self {
        self.pieces.push((text.into(), ink));
        self
    }

    /// The line, filled with blanks up to a column.
    pub(super) fn up_to(self, column: usize) -> Self {
        let blanks = column.saturating_sub(self.width());
        self.and(" ".repeat(blanks), Ink::Plain)
    }

    /// The line as what is selected with it.
    pub(super) fn selects(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Columns it takes.
    pub(super) fn width(&self) -> usize {
        self.pieces.iter().map(|(text, _)| width(text)).sum()
    }
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// A text without anything that a terminal would obey or that would stand where it is not:
/// control characters, those that turn the direction of writing, those of no width.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            '\u{e0000}'..='\u{e0fff}' => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// A text cut to so many columns, with an ellipsis where something is missing.
pub(super) fn cut(text: &str, columns: usize) -> String {
    // Beyond this many characters nothing fits, and measuring them would take long.
    let near: String = text.chars().take(columns.saturating_add(1).saturating_mul(4)).collect();
    if near.len() == text.len() && width(text) <= columns {
        return near;
    }
    if columns == 0 {
        return String::new();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in near.chars() {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        if used + wide > columns - 1 {
            break;
        }
        used += wide;
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// A text in lines of at most so many columns, broken between words where that can be.
pub(super) fn folded(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let gap = usize::from(!lines[last].is_empty());
        if width(&lines[last]) + gap + width(word) <= columns {
            lines[last].push_str(&" ".repeat(gap));
            lines[last].push_str(word);
            continue;
        }
        if gap > 0 {
            lines.push(String::new());
        }
        for c in word.chars() {
            let last = lines.len() - 1;
            if width(&lines[last]) + width(c.encode_utf8(&mut [0; 4])) > columns {
                lines.push(String::new());
            }
            let last = lines.len() - 1;
            lines[last].push(c);
        }
    }
    lines
}

/// A text filled with blanks to so many columns.
pub(super) fn fill(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// A text behind blanks, to so many columns.
pub(super) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// A number with its thousands apart: `12,431`.
pub(super) fn amount(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 byte`, `2,000 bytes`.
pub(super) fn count_of(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", amount(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(escaped("a\x1b[2Jb\u{9b}m\n"), "a\\x1b[2Jb\\x9bm\\n");
        assert_eq!(escaped("x\u{202e}y\u{200d}\u{feff}"), "x\\u202ey\\u200d\\ufeff");
        assert_eq!(escaped("\u{e0041}"), "\\U000e0041");
        assert_eq!(escaped("Grüße 東京 🎉"), "Grüße 東京 🎉");
    }

    #[test]
    fn a_cut_counts_columns_and_not_characters() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("東京都庁", 5), "東京…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(width(&cut(&"x".repeat(100_000), 10)), 10);
    }

    #[test]
    fn a_sentence_is_broken_between_words_and_a_long_word_anywhere() {
        assert_eq!(folded("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(folded("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(folded("", 9), [""]);
    }

    #[test]
    fn amounts_have_their_thousands_apart() {
        assert_eq!([0, 999, 8_056, 12_431_000].map(amount), ["0", "999", "8,056", "12,431,000"]);
        assert_eq!(count_of(1, "byte"), "1 byte");
        assert_eq!(count_of(2000, "byte"), "2,000 bytes");
    }
}
