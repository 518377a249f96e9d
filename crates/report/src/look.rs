//! How text may look: its width, and whether it has colour.

/// The width and colours of the place where text is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns. Nothing wraps at 100; below 96 sites take two lines.
    pub width: usize,
    /// Whether escape codes for colour are understood.
    pub color: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look { width: 100, color: false }
    }
}

impl Look {
    /// What counts.
    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What may be passed over.
    pub fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    /// What should be looked at.
    pub fn warn(&self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// A place in a source.
    pub fn place(&self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.into();
        }
        // The padding stays uncoloured, so that trailing blanks can be cut.
        let end = text.trim_end();
        format!("\x1b[{code}m{end}\x1b[0m{}", &text[end.len()..])
    }
}

/// `text` without anything that a terminal would take for a command.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

/// Columns that `text` takes: one a character, which holds for the text shown here.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text` cut to `width` columns, with an ellipsis where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.into();
    }
    let keep = width.saturating_sub(1);
    text.chars().take(keep).chain(['…']).collect()
}

/// `text` cut at its front.
pub(crate) fn cut_front(text: &str, width: usize) -> String {
    let have = columns(text);
    if have <= width {
        return text.into();
    }
    let skip = have - width.saturating_sub(1);
    ['…'].into_iter().chain(text.chars().skip(skip)).collect()
}

/// A path of attributes and items, in lines of at most `width` columns that begin with a step.
pub(crate) fn path_lines(path: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut step = String::new();
    let mut put = |step: &mut String| {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && columns(&lines[last]) + columns(step) > width {
            lines.push(String::new());
        }
        let last = lines.len() - 1;
        lines[last].push_str(step);
        step.clear();
    };
    for c in path.chars() {
        if matches!(c, '.' | '[' | '{' | '(') && !step.ends_with(['.', '(']) {
            put(&mut step);
        }
        step.push(c);
    }
    put(&mut step);
    lines.iter().map(|line| cut(line, width)).collect()
}

/// `text` filled up with blanks to `width` columns.
pub fn fill(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// `text` behind blanks, to `width` columns.
pub(crate) fn right(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(columns(text));
    format!("{}{text}", " ".repeat(blanks))
}

/// Appends a line without trailing blanks.
pub fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// Appends `left` and `right`, on one line where both fit.
pub(crate) fn both_ends(out: &mut String, look: &Look, left: &str, right: &str, indent: usize) {
    let gap = look.width.saturating_sub(columns(left) + columns(right));
    if gap >= 2 {
        line(out, &format!("{left}{}{}", " ".repeat(gap), look.dim(right)));
    } else {
        line(out, left);
        line(out, &format!("{}{}", " ".repeat(indent), look.dim(right)));
    }
}

/// Breaks `text` between words so that no line is longer than `width`; lines
/// after the first begin with `indent` blanks.
pub fn folded(text: &str, width: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let len = columns(word);
        if used > 0 && used + 1 + len > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            used = indent;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += len;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_its_width() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut_front("abcdef", 4), "…def");
        assert_eq!(cut("äöü", 3), "äöü");
    }

    #[test]
    fn long_text_is_broken_between_words() {
        assert_eq!(folded("one two three four", 9, 2), "one two\n  three\n  four");
        assert_eq!(folded("one", 1, 2), "one");
    }

    #[test]
    fn colour_leaves_the_padding_alone() {
        let look = Look { color: true, ..Look::default() };
        assert_eq!(look.bold("ab  "), "\x1b[1mab\x1b[0m  ");
        assert_eq!(Look::default().bold("ab"), "ab");
    }
}
