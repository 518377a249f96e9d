//! A column: its lines, and which of them must be seen.

use std::ops::Range;

use super::text::Line;

/// A column of text.
#[derive(Clone, Debug, Default)]
pub(super) struct Pane {
    /// Its heading.
    pub(super) title: String,
    /// What stands over its right side.
    pub(super) head: String,
    /// Its lines, from the top.
    pub(super) lines: Vec<Line>,
    /// The lines that must be seen; empty if it does not matter.
    pub(super) focus: Range<usize>,
}

/// Lines kept between what must be seen and the edge.
const MARGIN: usize = 2;

impl Pane {
    /// A column without lines.
    pub(super) fn new(title: &str, head: &str) -> Self {
        Pane { title: title.to_owned(), head: head.to_owned(), ..Pane::default() }
    }

    /// The first line to show in `height` lines, if it was `top` before: moved no further than needed.
    pub(super) fn top(&self, top: usize, height: usize) -> usize {
        let last = self.lines.len().saturating_sub(height);
        let top = top.min(last);
        if self.focus.is_empty() || height == 0 {
            return top;
        }
        let margin = MARGIN.min(height.saturating_sub(self.focus.len()) / 2);
        let top = if self.focus.end + margin > top + height { self.focus.end + margin - height } else { top };
        let top = if self.focus.start < top + margin { self.focus.start.saturating_sub(margin) } else { top };
        top.min(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pane(lines: usize, focus: Range<usize>) -> Pane {
        Pane { lines: vec![Line::default(); lines], focus, ..Pane::default() }
    }

    #[test]
    fn a_column_scrolls_only_to_show_what_must_be_seen() {
        assert_eq!(pane(5, 4..5).top(0, 10), 0);
        assert_eq!(pane(100, 50..51).top(0, 10), 43);
        assert_eq!(pane(100, 50..51).top(45, 10), 45);
        assert_eq!(pane(100, 3..4).top(45, 10), 1);
        assert_eq!(pane(100, 99..100).top(0, 10), 90);
        assert_eq!(pane(100, 0..0).top(95, 10), 90);
        assert_eq!(pane(100, 20..60).top(0, 10), 20);
    }
}
