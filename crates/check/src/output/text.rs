//! `--output-format text`: a finding with its line, a caret below it, and what it cost.

use crate::evidence::{Cost, Costs};
use crate::finding::Applicability;
use crate::project::{Located, Report};

/// How text may look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Whether escape codes for colour are understood.
    pub color: bool,
    /// How a number of bytes is written for people.
    pub bytes: fn(u64) -> String,
    /// How a number of things is written for people.
    pub count: fn(u64) -> String,
}

impl Look {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The findings of a report, without its summary.
pub fn text(report: &Report, costs: Option<&Costs>, look: &Look) -> String {
    let mut out = String::new();
    for located in &report.findings {
        one(&mut out, located, costs, look);
    }
    out
}

fn one(out: &mut String, located: &Located, costs: Option<&Costs>, look: &Look) {
    let finding = &located.finding;
    let start = located.start;
    let cell = start.cell.map(|cell| format!("cell {cell}:")).unwrap_or_default();
    let place =
        format!("{}:{cell}{}:{}", printable(&located.path.to_string_lossy()), start.line, start.column);
    out.push_str(&format!("{} {}\n", look.paint("36", &place), look.paint("1;33", finding.rule.code)));
    for line in folded(&printable(&finding.message), look.width.saturating_sub(2)) {
        out.push_str(&format!("  {line}\n"));
    }
    let gutter = start.line.to_string();
    let blank = " ".repeat(gutter.len());
    let (shown, caret) = excerpt(located, look.width.saturating_sub(gutter.len() + 5));
    out.push_str(&format!("  {} {shown}\n", look.paint("2", &format!("{gutter} |"))));
    out.push_str(&format!("  {} {}\n", look.paint("2", &format!("{blank} |")), look.paint("33", &caret)));
    if let Some(costs) = costs {
        let said = match located.cost {
            _ if finding.rule.is_note() => "costs no memory: a note for the reader".to_owned(),
            Some(cost) => cost_said(cost, costs, look),
            None => "cost: nothing was allocated here in this run, so it did not run or had nothing to do"
                .to_owned(),
        };
        hanging(out, &said, look);
    }
    if let Some(fix) = &finding.fix {
        let label = match fix.applicability {
            Applicability::Safe => "fix: ",
            Applicability::Unsafe => "fix, not proven safe: ",
        };
        let message = fix.message.replace("; unsafe: ", ", though ");
        hanging(out, &format!("{label}{}", printable(&message)), look);
    }
    out.push('\n');
}

fn cost_said(cost: Cost, costs: &Costs, look: &Look) -> String {
    let at_peak = match cost.peak_bytes {
        0 => "nothing at the peak".to_owned(),
        bytes => format!("{} at the peak", (look.bytes)(bytes)),
    };
    format!(
        "cost: {} in {} allocation{} ({}), {at_peak}",
        (look.bytes)(cost.allocated_bytes),
        (look.count)(cost.allocations),
        if cost.allocations == 1 { "" } else { "s" },
        share(cost.allocated_bytes, costs.total.allocated_bytes),
    )
}

fn hanging(out: &mut String, text: &str, look: &Look) {
    for line in folded(text, look.width.saturating_sub(4)) {
        out.push_str(&format!("    {line}\n"));
    }
}

/// The part of a line that shows a finding, and the carets below it.
fn excerpt(located: &Located, width: usize) -> (String, String) {
    let line: Vec<char> = printable(&located.shown).chars().collect();
    let place = |column: usize| (column - 1).saturating_sub(located.left_out).min(line.len());
    let from = place(located.start.column);
    let to = if located.end.line == located.start.line { place(located.end.column) } else { line.len() };
    // The common indentation says nothing; a long line is cut around what was found.
    let indent = line.iter().take_while(|c| **c == ' ').count();
    let mut first = indent.min(from);
    if from - first > width.saturating_sub(20) {
        first = from - 10;
    }
    let last = line.len().min(first + width.saturating_sub(1));
    let mut shown: String = line[first..last].iter().collect();
    if first > indent || located.left_out > 0 {
        shown = format!("…{}", shown.chars().skip(1).collect::<String>());
    }
    if last < line.len() {
        shown.push('…');
    }
    let carets = to.min(last).saturating_sub(from).max(1);
    (shown, format!("{}{}", " ".repeat(from - first), "^".repeat(carets)))
}

fn share(part: u64, whole: u64) -> String {
    match (part as f64 / whole.max(1) as f64) * 100.0 {
        percent if percent < 1.0 => "under 1% of the run".into(),
        percent => format!("{percent:.0}% of the run"),
    }
}

/// Text without anything that a terminal would take for a command; a tab is one blank, as a column is one character.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

/// Text broken between words.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
