//! The page of a rule: its documentation, and its experiment as it came out here.

use anyhow::Result;
use memsight_check::{Experiment, Rule, Saves};
use memsight_insight::Counts;
use memsight_report::units::{bytes, count, share};

use super::measured::{Measured, Part};
use super::page::{Page, Table};

/// The experiment as the file that is run.
pub(super) fn experiment(experiment: &Experiment) -> String {
    let Experiment { setup, before, after, .. } = experiment;
    format!("{setup}\n# part: before\n{before}\n# part: after\n{after}\n")
}

/// The page.
pub(super) fn page(rule: &Rule, measured: &Measured) -> Result<Page> {
    let note = if rule.is_note() { ", a note" } else { "" };
    let mut page = Page::new(format!("{} {}{note}", rule.code, rule.name), measured.python.clone());
    let outcome = Outcome::of(measured)?;
    page = page.found(outcome.says(rule, measured));
    page = page.text(format!("{} {}", rule.what, rule.why));
    page = page.heading("Not when").text(rule.not_when).heading("Fix").text(rule.fix);
    if !rule.experiment.setup.is_empty() {
        page = page.heading("Beforehand, not measured").code(rule.experiment.setup);
    }
    page = page.heading("Before").code(rule.experiment.before).heading("After").code(rule.experiment.after);
    if let Outcome::Ran { before, after } = outcome {
        page = page.table(table(&before.all, &after.all));
    }
    let select = format!("memsight check --select {} .", rule.code);
    Ok(page.next(&[(&select, "finds it in your code")]))
}

fn table(before: &Counts, after: &Counts) -> Table {
    let row = |table: Table, name: &str, figure: fn(&Counts) -> u64, text: fn(u64) -> String| {
        let (was, is) = (figure(before), figure(after));
        table.row([name, &text(was), &text(is), &change(was, is)])
    };
    let mut table = Table::new(&["", "before", "after", "change"]);
    table = row(table, "at the peak", |counts| counts.peak.bytes, bytes);
    table = row(table, "allocated", |counts| counts.allocated_bytes, bytes);
    row(table, "allocations", |counts| counts.allocations, count)
}

/// `−99%`, `+12%`, `≈` for less than that, or nothing where a share says nothing.
fn change(was: u64, is: u64) -> String {
    match (was, is) {
        _ if was == is => "same".into(),
        (0, _) => String::new(),
        _ if was.abs_diff(is) < was / 100 => "≈".into(),
        _ if is < was => format!("−{}", share(was - is, was)),
        _ if is >= was.saturating_mul(3) => format!("{:.0}×", is as f64 / was as f64),
        _ => format!("+{}", share(is - was, was)),
    }
}

/// How the experiment went.
enum Outcome<'a> {
    /// It was not run: modules are missing.
    Missing,
    /// A part ended with an exception.
    Failed(&'a str),
    /// Both ways were measured.
    Ran { before: &'a Part, after: &'a Part },
}

impl<'a> Outcome<'a> {
    fn of(measured: &'a Measured) -> Result<Self> {
        if !measured.missing.is_empty() {
            return Ok(Outcome::Missing);
        }
        if let Some(error) = measured.parts.iter().find_map(|part| part.failed.as_deref()) {
            return Ok(Outcome::Failed(error));
        }
        Ok(Outcome::Ran { before: measured.part("before")?, after: measured.part("after")? })
    }

    /// What there is to say first.
    fn says(&self, rule: &Rule, measured: &Measured) -> String {
        let python = &measured.python;
        match self {
            Outcome::Missing => format!(
                "Not measured: the experiment needs {}, which this {python} has not. Install it there, or \
                 name another interpreter with --python.",
                measured.missing.join(" and ")
            ),
            Outcome::Failed(error) => format!(
                "Not measured: the experiment does not run on {python}, which raised {error}. Nothing is \
                 claimed of this interpreter."
            ),
            Outcome::Ran { before, after } => verdict(rule.saves, &before.all, &after.all, python),
        }
    }
}

/// Less than this is no difference: a part of what was there, and bytes.
const LEAST_SHARE: f64 = 0.05;
const LEAST_BYTES: u64 = 1000;

/// What the figures say about the rule.
fn verdict(saves: Saves, before: &Counts, after: &Counts, python: &str) -> String {
    let peak = (before.peak.bytes, after.peak.bytes);
    let allocated = (before.allocated_bytes, after.allocated_bytes);
    let (figures, at) = match saves {
        Saves::Allocated => ([allocated, peak], ["over the run", "at its peak"]),
        Saves::Peak | Saves::Nothing => ([peak, allocated], ["at its peak", "over the run"]),
    };
    let [first, second] = figures.map(|(was, is)| Change::of(was, is));
    match (first, second) {
        (Change::Less(less), _) => {
            format!(
                "On {python} the second way took {} {}{}.",
                less.says("less"),
                at[0],
                second.behind(&first, at[1])
            )
        }
        (Change::Same, Change::Less(less)) => {
            format!(
                "On {python} the second way took {} {}, and {} {}.",
                less.says("less"),
                at[1],
                alike(figures[0]),
                at[0]
            )
        }
        (Change::Same, Change::Same) if saves == Saves::Nothing => {
            format!("On {python} both ways took the same memory: this rule is about time and reading.")
        }
        (Change::Same, _) => {
            format!("On {python} it makes no difference: this rule is of no use on this interpreter.")
        }
        (Change::More(more), _) => {
            format!(
                "On {python} the second way took {} {}{}: do not follow this rule on this interpreter \
                 without measuring your own program.",
                more.says("more"),
                at[0],
                second.behind(&first, at[1])
            )
        }
    }
}

/// What there is to say of figures that are no [`Change`], though the table may show one.
fn alike((was, is): (u64, u64)) -> &'static str {
    match was.abs_diff(is) {
        0 => "the same",
        1..LEAST_BYTES => "the same within 1 kB",
        _ => "nearly the same",
    }
}

/// A figure before and after.
#[derive(Clone, Copy)]
enum Change {
    Same,
    Less(Difference),
    More(Difference),
}

#[derive(Clone, Copy)]
struct Difference {
    bytes: u64,
    of: u64,
}

impl Difference {
    fn says(&self, less: &str) -> String {
        match self.of {
            0 => format!("{} {less}", bytes(self.bytes)),
            of => format!("{} {less} ({})", bytes(self.bytes), share(self.bytes, of)),
        }
    }
}

impl Change {
    fn of(was: u64, is: u64) -> Self {
        let difference = was.abs_diff(is);
        let much = difference >= LEAST_BYTES && difference as f64 >= was.max(is) as f64 * LEAST_SHARE;
        match (much, is < was) {
            (false, _) => Change::Same,
            (true, true) => Change::Less(Difference { bytes: difference, of: was }),
            (true, false) => Change::More(Difference { bytes: difference, of: was }),
        }
    }

    /// The second figure behind the first: in the same direction, or against it.
    fn behind(&self, first: &Change, at: &str) -> String {
        let (difference, less) = match self {
            Change::Same => return String::new(),
            Change::Less(difference) => (difference, "less"),
            Change::More(difference) => (difference, "more"),
        };
        let against = std::mem::discriminant(self) != std::mem::discriminant(first);
        format!("{} {} {at}", if against { ", but" } else { " and" }, difference.says(less))
    }
}

#[cfg(test)]
mod tests {
    use memsight_check::RULES;
    use memsight_report::text::Look;

    use super::*;

    fn measured(figures: &[(u64, u64)]) -> Measured {
        let part = |name: &str, (peak, allocated)| {
            let mut part = Part { name: name.into(), ..Part::default() };
            part.all.peak.bytes = peak;
            part.all.allocated_bytes = allocated;
            part
        };
        let parts = ["before", "after"].iter().zip(figures).map(|(name, &figures)| part(name, figures));
        Measured { python: "CPython 3.99.0".into(), minor: 99, missing: Vec::new(), parts: parts.collect() }
    }

    fn says(saves: Saves, before: (u64, u64), after: (u64, u64)) -> String {
        let measured = measured(&[before, after]);
        verdict(saves, &measured.parts[0].all, &measured.parts[1].all, &measured.python)
    }

    #[test]
    fn the_verdict_is_what_the_figures_say_and_not_what_the_rule_does() {
        let less = says(Saves::Peak, (2_400_000, 2_400_000), (0, 2_400_000));
        assert_eq!(less, "On CPython 3.99.0 the second way took 2.4 MB less (100%) at its peak.");
        let same = says(Saves::Peak, (2_400_000, 2_400_000), (2_400_100, 2_400_000));
        assert!(same.contains("no difference") && same.contains("of no use"), "{same}");
        let more = says(Saves::Peak, (1_000_000, 5_000_000), (3_000_000, 1_000_000));
        assert!(
            more.contains("2.0 MB more (200%) at its peak, but 4.0 MB less (80%) over the run"),
            "{more}"
        );
        assert!(more.contains("do not follow"), "{more}");
        let small = says(Saves::Nothing, (928, 2_400), (0, 0));
        assert!(
            small.contains("2.4 kB less (100%) over the run, and the same within 1 kB at its"),
            "{small}"
        );
        let note = says(Saves::Nothing, (1_000_000, 1_000_000), (1_000_000, 1_000_000));
        assert!(note.contains("time and reading"), "{note}");
    }

    #[test]
    fn what_was_not_run_is_said() {
        let unfolded = |measured: &Measured| {
            let page = page(&RULES[0], measured).unwrap().render(&Look::default());
            page.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut without = measured(&[]);
        without.missing.push("numpy".into());
        let text = unfolded(&without);
        assert!(text.contains("Not measured: the experiment needs numpy"), "{text}");
        let mut failed = measured(&[(0, 0)]);
        failed.parts[0].failed = Some("AttributeError: no pairwise".into());
        let text = unfolded(&failed);
        assert!(text.contains("raised AttributeError: no pairwise"), "{text}");
    }

    #[test]
    fn no_rules_page_is_wider_than_its_place() {
        let measured = measured(&[(2_400_000, 2_400_000), (0, 328)]);
        for (rule, width) in RULES.iter().flat_map(|rule| [(rule, 80), (rule, 120)]) {
            let text = page(rule, &measured).unwrap().render(&Look { width, color: false });
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{}: {line}", rule.code);
            }
        }
    }
}
