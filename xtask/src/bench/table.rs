//! A table, for a terminal and as Markdown.

/// A table with a title; the first column is text, all others are figures.
pub(super) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads of columns.
    pub(super) fn new(title: &str, heads: Vec<String>) -> Self {
        Table { title: title.into(), rows: vec![heads] }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Aligned with spaces.
    pub(super) fn to_text(&self) -> String {
        let widths = self.widths();
        let mut text = format!("{}\n", self.title);
        for row in &self.rows {
            text.push_str(&format!("  {}\n", line(row, &widths, "  ").trim_end()));
        }
        text
    }

    /// As Markdown, aligned as well.
    pub(super) fn to_markdown(&self) -> String {
        let widths: Vec<_> = self.widths().into_iter().map(|width| width.max(3)).collect();
        let mut text = format!("**{}**\n\n", self.title);
        for (index, row) in self.rows.iter().enumerate() {
            text.push_str(&format!("| {} |\n", line(row, &widths, " | ")));
            if index == 0 {
                let rules = widths.iter().enumerate().map(|(column, width)| match column {
                    0 => "-".repeat(*width),
                    _ => format!("{}:", "-".repeat(width - 1)),
                });
                text.push_str(&format!("| {} |\n", rules.collect::<Vec<_>>().join(" | ")));
            }
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max()
        };
        (0..columns).map(|column| width(column).unwrap_or(0)).collect()
    }
}

fn line(row: &[String], widths: &[usize], between: &str) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, &width))| match column {
        0 => format!("{cell:<width$}"),
        _ => format!("{cell:>width$}"),
    });
    cells.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::new("Sizes", vec!["what".into(), "kB".into()]);
        table.row(vec!["a longer name".into(), "7".into()]);
        table.row(vec!["x".into(), "1,024".into()]);
        table
    }

    #[test]
    fn figures_line_up_at_the_right() {
        assert_eq!(
            example().to_text(),
            "Sizes\n  what              kB\n  a longer name      7\n  x              1,024\n"
        );
    }

    #[test]
    fn markdown_has_its_rule_under_the_heads() {
        let markdown = example().to_markdown();
        assert!(
            markdown
                .starts_with("**Sizes**\n\n| what          |    kB |\n| ------------- | ----: |\n| a longer")
        );
    }
}
