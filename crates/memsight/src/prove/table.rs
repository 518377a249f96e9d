//! The text of a proof: fix by fix, then what they come to.

use std::path::PathBuf;

use memsight_check::{Applicability, Changed, Cost};
use memsight_report::text::{Look, cut, fill, folded, line, printable};
use memsight_report::units;

use super::proof::{Baseline, Named, Proof, Tried};
use super::verdict::{Noise, Verdict};
use crate::check::counted;

/// Where what is said about a fix begins.
const INDENT: usize = 9;

/// The text of a proof.
pub(super) fn render(proof: &Proof, changed: &[Changed], written: &[PathBuf], look: &Look) -> String {
    let mut out = String::new();
    let (Some(baseline), Some(after)) = (&proof.baseline, proof.after) else {
        line(&mut out, &nothing(proof));
        return out;
    };
    head(&mut out, proof, baseline, look);
    for tried in &proof.fixes {
        one(&mut out, tried, baseline.noise, look);
    }
    if !proof.not_run.is_empty() {
        line(&mut out, "Not tried, since the command allocated nothing there, or did not get there:");
        for named in &proof.not_run {
            line(&mut out, &format!("{}{}", " ".repeat(INDENT), title(named, look)));
        }
        line(&mut out, "");
    }
    summary(&mut out, proof, baseline, after, look);
    next(&mut out, proof, changed, written, look);
    out
}

fn nothing(proof: &Proof) -> String {
    let files = counted(proof.files, "file");
    match proof.without_fix {
        0 if proof.files == 0 => "Nothing to prove: no Python files there that are not left out.".into(),
        0 => format!("Nothing to prove: nothing found in {files}."),
        count => {
            format!("Nothing to prove: {} in {files}, none with a fix to try.", counted(count, "finding"))
        }
    }
}

fn head(out: &mut String, proof: &Proof, baseline: &Baseline, look: &Look) {
    let command = printable(&proof.command.join(" "));
    line(out, &look.bold(&cut(&command, look.width)));
    let tests = baseline
        .tests_passed
        .map_or(String::new(), |tests| format!(", {} passed", counted(tests as usize, "test")));
    let seed = if baseline.seeded { ", with PYTHONHASHSEED=0" } else { "" };
    let printed = counted(baseline.lines as usize, "line");
    let files = match baseline.files_written {
        0 => String::new(),
        files => format!(", {} written", counted(files, "file")),
    };
    let said = format!(
        "as it is{seed}: {}, {printed} printed{files}{tests}, {} allocated, {} at the peak",
        baseline.end,
        units::bytes(baseline.cost.allocated_bytes),
        units::bytes(baseline.cost.peak_bytes)
    );
    line(out, &folded(&said, look.width, 2));
    if let Some(names) = not_compared(&baseline.not_compared) {
        let said = format!("not compared, since each run writes it differently: {names}");
        line(out, &folded(&said, look.width, 2));
    }
    line(out, "");
}

/// A few of some files.
fn not_compared(files: &[String]) -> Option<String> {
    const MOST: usize = 3;
    let shown = files.iter().take(MOST).map(|path| printable(path)).collect::<Vec<_>>().join(", ");
    let more = files.len().saturating_sub(MOST);
    (!files.is_empty()).then(|| if more == 0 { shown } else { format!("{shown} and {more} more") })
}

const UNSAFE: &str = "  not proven safe";

fn title(named: &Named, look: &Look) -> String {
    let note = if named.applicability == Applicability::Unsafe { UNSAFE } else { "" };
    format!("{}  {}{}", look.bold(named.code), look.place(&place(named)), look.dim(note))
}

fn title_columns(named: &Named) -> usize {
    title(named, &Look { color: false, ..Look::default() }).chars().count()
}

fn place(named: &Named) -> String {
    format!("{}:{}", printable(&named.path), named.line)
}

fn one(out: &mut String, tried: &Tried, noise: Noise, look: &Look) {
    let verdict = match tried.verdict {
        Verdict::Kept(_) => look.bold(&fill("kept", INDENT)),
        Verdict::NoFewer(_) | Verdict::Rises(_) => fill("dropped", INDENT),
        Verdict::Differs(_) => look.warn(&fill("dropped", INDENT)),
        Verdict::NotTried(_) => fill("left", INDENT),
    };
    let (title, what) = (title(&tried.named, look), what_it_does(&tried.named.fix));
    let taken = INDENT + title_columns(&tried.named) + 2;
    if taken + what.chars().count() <= look.width {
        line(out, &format!("{verdict}{title}  {what}"));
    } else {
        line(out, &format!("{verdict}{title}"));
        below(out, &what, look);
    }
    if let (Verdict::Kept(_) | Verdict::NoFewer(_) | Verdict::Rises(_), Some(after)) =
        (&tried.verdict, tried.after)
    {
        let before = tried.before;
        let parts = [
            format!("allocated {}", change(before.allocated_bytes, after.allocated_bytes, noise.allocated)),
            format!("peak {}", change(before.peak_bytes, after.peak_bytes, noise.peak)),
        ];
        let together = format!("{}   {}", fill(&parts[0], 42), parts[1]);
        let parts =
            if together.chars().count() + INDENT <= look.width { vec![together] } else { parts.into() };
        parts.iter().for_each(|part| line(out, &format!("{}{part}", " ".repeat(INDENT))));
    }
    if !tried.verdict.is_kept() {
        below(out, &printable(tried.verdict.reason()), look);
    }
    line(out, "");
}

/// Text below a fix's title.
fn below(out: &mut String, text: &str, look: &Look) {
    let text = folded(text, look.width.saturating_sub(INDENT), 0);
    text.lines().for_each(|part| line(out, &format!("{}{part}", " ".repeat(INDENT))));
}

/// What a fix does, without what could differ: that was tried.
fn what_it_does(message: &str) -> String {
    printable(message.split("; unsafe: ").next().unwrap_or(message))
}

/// `1401.2 → 1394.0 MB (−7.2 MB)`, with as many digits as show the difference.
fn change(before: u64, after: u64, noise: u64) -> String {
    let difference = i64::try_from(i128::from(after) - i128::from(before)).unwrap_or(i64::MAX);
    if difference.unsigned_abs() <= noise {
        return format!("{} as before", units::bytes(before));
    }
    const UNITS: [(&str, f64); 5] = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)];
    let most = before.max(after) as f64;
    // The larger unit would hide what the change is about.
    let (unit, size) = UNITS.into_iter().find(|(_, size)| most >= size * 10.0).unwrap_or(("B", 1.0));
    let shown = difference.unsigned_abs() as f64 / size;
    let digits = match shown {
        _ if unit == "B" => 0,
        10.0.. => 0,
        1.0.. => 1,
        0.1.. => 2,
        _ => 3,
    };
    format!(
        "{:.digits$} → {:.digits$} {unit} ({})",
        before as f64 / size,
        after as f64 / size,
        units::signed_bytes(difference)
    )
}

fn summary(out: &mut String, proof: &Proof, baseline: &Baseline, after: Cost, look: &Look) {
    let (kept, tried) = (proof.kept(), proof.fixes.len() - proof.left());
    if proof.fixes.is_empty() {
        return line(out, "No fix is of a line that allocated anything, so none was tried.");
    }
    if kept == 0 {
        return line(out, "No fix is kept.");
    }
    let (which, them) = match (kept, tried) {
        (1, 1) => ("The fix is kept".to_owned(), "it"),
        (1, _) => (format!("1 of {tried} fixes is kept"), "it"),
        _ => (format!("{kept} of {tried} fixes are kept"), "them"),
    };
    let tests = if baseline.tests_passed.is_some() { " and passes the same tests" } else { "" };
    let writes = if baseline.files_written > 0 { " and writes" } else { "" };
    let said = format!("{which}. With {them} the command prints{writes} the same{tests}, with less:");
    line(out, &folded(&said, look.width, 0));
    let before = baseline.cost;
    let rows = [
        (
            "peak",
            change(before.peak_bytes, after.peak_bytes, 0),
            percent(before.peak_bytes, after.peak_bytes),
        ),
        (
            "allocated",
            change(before.allocated_bytes, after.allocated_bytes, 0),
            percent(before.allocated_bytes, after.allocated_bytes),
        ),
        (
            "allocations",
            format!("{} → {}", units::count(before.allocations), units::count(after.allocations)),
            percent(before.allocations, after.allocations),
        ),
    ];
    for (name, change, percent) in rows {
        line(out, &format!("  {} {} {percent:>7}", look.bold(&fill(name, 12)), fill(&change, 40)));
    }
}

fn percent(before: u64, after: u64) -> String {
    let percent = (after as f64 / before.max(1) as f64 - 1.0) * 100.0;
    match percent {
        _ if before == after => String::new(),
        -0.1..0.0 => "−<0.1%".into(),
        0.0..0.1 => "+<0.1%".into(),
        ..0.0 => format!("−{:.1}%", -percent),
        _ => format!("+{percent:.1}%"),
    }
}

fn next(out: &mut String, proof: &Proof, changed: &[Changed], written: &[PathBuf], look: &Look) {
    let differing = proof.fixes.iter().filter(|tried| matches!(tried.verdict, Verdict::Differs(_))).count();
    let mut says = Vec::new();
    if !written.is_empty() {
        let paths: Vec<_> = written.iter().map(|path| printable(&path.to_string_lossy())).collect();
        says.push(format!("Written: {}.", paths.join(", ")));
    } else if !changed.is_empty() {
        says.push(format!(
            "Nothing is written: the same with --fix writes them to {}.",
            counted(changed.len(), "file")
        ));
    }
    match differing {
        0 => {}
        1 => says.push("One fix changed what the program does, and is dropped: exit code 1.".into()),
        _ => says
            .push(format!("{differing} fixes changed what the program does, and are dropped: exit code 1.")),
    }
    match proof.left() {
        0 => {}
        1 => says.push("One fix was not tried.".into()),
        left => says.push(format!("{left} fixes were not tried.")),
    }
    if proof.without_fix > 0 {
        let few = proof.without_fix == 1;
        says.push(format!(
            "{} more {} no fix to try: memsight check says what to do there.",
            proof.without_fix,
            if few { "finding has" } else { "findings have" }
        ));
    }
    says.iter().for_each(|said| line(out, &folded(said, look.width, 2)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_enough_digits_to_be_seen() {
        assert_eq!(change(1_401_199_365, 1_394_000_000, 1024), "1401.2 → 1394.0 MB (−7.2 MB)");
        assert_eq!(change(1_401_199_365, 1_401_190_000, 1024), "1401.199 → 1401.190 MB (−9.4 kB)");
        assert_eq!(change(29_228_453, 21_000_000, 1024), "29.2 → 21.0 MB (−8.2 MB)");
        assert_eq!(change(29_228_453, 29_228_500, 1024), "29 MB as before");
        assert_eq!(change(5_000, 2_000, 1024), "5000 → 2000 B (−3.0 kB)");
    }
}
