//! A page of text: paragraphs, code and tables, laid out for a width.

use memsight_report::text::{self, Look};

/// Lines longer than this tire the eye.
const WIDEST: usize = 96;

/// A page, block by block.
#[derive(Debug)]
pub(super) struct Page {
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Block {
    Title { left: String, right: String },
    Heading(String),
    Text(String),
    Found(String),
    Code(String),
    Table(Table),
    Next(Vec<(String, String)>),
}

impl Page {
    /// A page with its title, and what the title's line ends with.
    pub(super) fn new(left: impl Into<String>, right: impl Into<String>) -> Self {
        Page { blocks: vec![Block::Title { left: left.into(), right: right.into() }] }
    }

    /// A word or two above what follows.
    pub(super) fn heading(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Heading(text.into()));
        self
    }

    /// A paragraph.
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    /// A paragraph that says what was found, which the eye should come to first.
    pub(super) fn found(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Found(text.into()));
        self
    }

    /// Lines of code.
    pub(super) fn code(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Code(text.into()));
        self
    }

    /// A table.
    pub(super) fn table(mut self, table: Table) -> Self {
        self.blocks.push(Block::Table(table));
        self
    }

    /// Commands that lead on, and what each shows.
    pub(super) fn next(mut self, commands: &[(&str, &str)]) -> Self {
        let owned = commands.iter().map(|&(command, shows)| (command.into(), shows.into()));
        self.blocks.push(Block::Next(owned.collect()));
        self
    }

    /// The page for a place of this look.
    pub(super) fn render(&self, look: &Look) -> String {
        let width = look.width.min(WIDEST);
        let mut out = String::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let under_heading = at > 0 && matches!(self.blocks[at - 1], Block::Heading(_));
            if at > 0 && !under_heading {
                out.push('\n');
            }
            block.render(&mut out, look, width);
        }
        out
    }
}

impl Block {
    fn render(&self, out: &mut String, look: &Look, width: usize) {
        match self {
            Block::Title { left, right } => title(out, look, width, left, right),
            Block::Heading(text) => line(out, &paint(look, "2", text)),
            Block::Text(text) => folded(text, width, "").iter().for_each(|part| line(out, part)),
            Block::Found(text) => {
                folded(text, width, "").iter().for_each(|part| line(out, &paint(look, "1", part)));
            }
            Block::Code(text) => {
                let lines = text.trim_end().lines().flat_map(|code| code_lines(code, width));
                lines.for_each(|code| line(out, &paint(look, "36", &code)));
            }
            Block::Table(table) => table.render(out, look, width),
            Block::Next(commands) => out.push_str(&text::next(commands, &Look { width, ..*look })),
        }
    }
}

/// A line of code, indented. One that is too long goes on in the next, further in: nothing is cut
/// from what was run.
fn code_lines(code: &str, width: usize) -> Vec<String> {
    const LEFT: &str = "    ";
    if columns(LEFT) + columns(code) <= width {
        return vec![format!("{LEFT}{code}")];
    }
    let body = code.trim_start();
    let left = format!("{LEFT}{}", &code[..code.len() - body.len()]);
    let lines = folded(body, width.saturating_sub(columns(&left)), "        ");
    lines.into_iter().map(|part| format!("{left}{part}")).collect()
}

fn title(out: &mut String, look: &Look, width: usize, left: &str, right: &str) {
    let used = columns(left) + columns(right);
    if used + 2 <= width {
        let gap = " ".repeat(width - used);
        line(out, &format!("{}{gap}{}", paint(look, "1", left), paint(look, "2", right)));
    } else {
        folded(left, width, "").iter().for_each(|part| line(out, &paint(look, "1", part)));
        line(out, &paint(look, "2", right));
    }
}

/// Rows of cells under a head. The first column and those whose head begins with `<` are text and
/// begin at the left, the others are numbers and end at the right.
#[derive(Debug, Default)]
pub(super) struct Table {
    head: Vec<String>,
    left: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads.
    pub(super) fn new(head: &[&str]) -> Self {
        Table {
            left: head.iter().enumerate().map(|(at, text)| at == 0 || text.starts_with('<')).collect(),
            head: head.iter().map(|text| text.trim_start_matches('<').to_string()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(mut self, cells: [&str; N]) -> Self {
        self.rows.push(cells.iter().map(|text| text.to_string()).collect());
        self
    }

    fn render(&self, out: &mut String, look: &Look, width: usize) {
        let count = self.head.len();
        let mut widths = vec![0; count];
        for row in std::iter::once(&self.head).chain(&self.rows) {
            for (at, cell) in row.iter().enumerate().take(count) {
                widths[at] = widths[at].max(columns(cell));
            }
        }
        let needed = INDENT + widths.iter().sum::<usize>() + GAP.len() * count.saturating_sub(1);
        // What does not fit is cut from the widest column, which is one of text.
        if let Some(widest) = widths.iter_mut().max() {
            *widest -= needed.saturating_sub(width).min(widest.saturating_sub(1));
        }
        for (at, row) in std::iter::once(&self.head).chain(&self.rows).enumerate() {
            let mut text = " ".repeat(INDENT);
            for (column, cell) in row.iter().enumerate().take(count) {
                let cell = cut(cell, widths[column]);
                let blanks = " ".repeat(widths[column] - columns(&cell));
                text.push_str(if column == 0 { "" } else { GAP });
                text.push_str(&if self.left[column] { cell + &blanks } else { blanks + &cell });
            }
            let text = text.trim_end();
            line(out, &if at == 0 { paint(look, "2", text) } else { text.into() });
        }
    }
}

const INDENT: usize = 2;
const GAP: &str = "   ";

/// `text` in lines of at most `width` columns, broken between words and never within `code`.
/// Lines after the first begin with `indent`.
pub(super) fn folded(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut empty = true;
    for word in words(text) {
        let used = lines.last().map_or(0, |last| columns(last));
        if !empty && used + 1 + columns(word) > width {
            lines.push(indent.into());
            empty = true;
        }
        if let Some(last) = lines.last_mut() {
            if !empty {
                last.push(' ');
            }
            last.push_str(word);
        }
        empty = false;
    }
    lines
}

/// The words of a text; what stands between backticks is one.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut begin = 0;
    let mut in_code = false;
    for (at, character) in text.char_indices() {
        match character {
            '`' => in_code = !in_code,
            ' ' | '\n' if !in_code => {
                words.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[begin..]);
    words.retain(|word| !word.is_empty());
    words
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.into();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn paint(look: &Look, code: &str, text: &str) -> String {
    if look.color && !text.trim().is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_never_broken_and_lines_keep_their_width() {
        assert_eq!(folded("one `s += t` two", 9, "  "), ["one", "  `s += t`", "  two"]);
        assert_eq!(folded("", 9, ""), [""]);
    }

    #[test]
    fn numbers_end_where_their_head_ends() {
        let table = Table::new(&["", "peak"]).row(["a", "8 B"]).row(["bb", "1.2 MB"]);
        let page = Page::new("Title", "").table(table).render(&Look { width: 60, color: false });
        assert_eq!(page, "Title\n\n         peak\n  a       8 B\n  bb   1.2 MB\n");
    }
}
