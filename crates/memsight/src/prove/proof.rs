//! What came of a proof, as a value.

use std::ffi::OsString;

use memsight_check::{Applicability, Cost, Draft, Located};

use super::trial::End;
use super::verdict::{Noise, Verdict};

/// A finding with a fix, as it is named to people and programs.
pub(super) struct Named {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) path: String,
    /// The line of the file as it is, before any fix.
    pub(super) line: usize,
    /// What is wasted.
    pub(super) message: String,
    /// What the fix does.
    pub(super) fix: String,
    pub(super) applicability: Applicability,
}

impl Named {
    /// Of a finding that has a fix.
    pub(super) fn of(draft: &Draft, located: &Located) -> Option<Self> {
        let (finding, fix) = (&located.finding, located.finding.fix.as_ref()?);
        Some(Named {
            code: finding.rule.code,
            name: finding.rule.name,
            path: shown(draft),
            line: draft.original_line(located),
            message: finding.message.clone(),
            fix: fix.message.clone(),
            applicability: fix.applicability,
        })
    }
}

/// The path of a file, without the `./` of the working folder.
pub(super) fn shown(draft: &Draft) -> String {
    let path = draft.path();
    path.strip_prefix(".").unwrap_or(path).to_string_lossy().into_owned()
}

/// A fix, and what was decided about it.
pub(super) struct Tried {
    pub(super) named: Named,
    /// What the run cost without it.
    pub(super) before: Cost,
    /// What the run cost with it, if it ended by itself.
    pub(super) after: Option<Cost>,
    pub(super) verdict: Verdict,
}

/// The runs without fixes.
pub(super) struct Baseline {
    /// Whether memsight chose the seed of hashes, so that sets are in the same order.
    pub(super) seeded: bool,
    pub(super) end: End,
    pub(super) tests_passed: Option<u64>,
    pub(super) lines: u64,
    /// How many files it writes, changes or removes in the folder, the same each time.
    pub(super) files_written: usize,
    /// Those that it writes differently each time.
    pub(super) not_compared: Vec<String>,
    pub(super) cost: Cost,
    pub(super) noise: Noise,
}

/// What came of it all.
pub(super) struct Proof {
    pub(super) command: Vec<String>,
    /// `None` if there was no fix to try, and so no run.
    pub(super) baseline: Option<Baseline>,
    pub(super) fixes: Vec<Tried>,
    /// Fixes of lines that allocated nothing.
    pub(super) not_run: Vec<Named>,
    /// What a run costs with all fixes that were kept.
    pub(super) after: Option<Cost>,
    /// How many findings have no fix that could be tried.
    pub(super) without_fix: usize,
    /// How many files were checked.
    pub(super) files: usize,
}

impl Proof {
    /// Of a project without fixes.
    pub(super) fn of_nothing(command: &[OsString], drafts: &[Draft]) -> Self {
        Proof {
            command: words(command),
            baseline: None,
            fixes: Vec::new(),
            not_run: Vec::new(),
            after: None,
            without_fix: drafts.iter().map(|draft| draft.findings().len()).sum(),
            files: drafts.len(),
        }
    }

    /// How many fixes were kept.
    pub(super) fn kept(&self) -> usize {
        self.fixes.iter().filter(|tried| tried.verdict.is_kept()).count()
    }

    /// How many fixes of lines that ran were not tried after all.
    pub(super) fn left(&self) -> usize {
        self.fixes.iter().filter(|tried| matches!(tried.verdict, Verdict::NotTried(_))).count()
    }

    /// Whether a fix changed what the program does.
    pub(super) fn some_fix_differs(&self) -> bool {
        self.fixes.iter().any(|tried| matches!(tried.verdict, Verdict::Differs(_)))
    }

    /// Whether every fix of a line that ran was tried.
    pub(super) fn complete(&self) -> bool {
        self.left() == 0
    }
}

/// The words of a command as text.
pub(super) fn words(command: &[OsString]) -> Vec<String> {
    command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}
