//! A file that is mended fix by fix, where whoever asks for it decides about each.
//!
//! [`crate::fix`] makes all fixes at once. Here one fix makes a new draft: the
//! text is checked again, so the places of what is still to come are right, and
//! what was decided already is carried along as the text moves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::engine::{self, Options};
use crate::finding::Edit;
use crate::project::{Changed, Located, Request, listed, locate, over_threads, unreadable};
use crate::source::{Problem, Source};

/// A file's text with some fixes made.
#[derive(Clone, Debug)]
pub struct Draft {
    path: PathBuf,
    options: Options,
    /// The file as it was read.
    original: Vec<u8>,
    /// The file with the fixes.
    bytes: Vec<u8>,
    /// For each line, which line of the original it is of; from 1.
    lines: Vec<usize>,
    findings: Vec<Located>,
    /// Findings that were decided about: where they begin, and the rule's code.
    settled: BTreeSet<(usize, &'static str)>,
}

/// Reads the files of a request; besides them, those that could not be. Notebooks are left out,
/// since no command runs them as they are.
///
/// # Errors
/// If a path or a configuration cannot be read, or a code is not known.
pub fn drafts(request: &Request) -> Result<(Vec<Draft>, Vec<Problem>), Problem> {
    let mut work = listed(request)?;
    work.retain(|(path, _)| path.extension().is_none_or(|extension| extension != "ipynb"));
    let (mut drafts, mut problems) = (Vec::new(), Vec::new());
    for read in over_threads(&work, Draft::read) {
        match read {
            Ok(draft) => drafts.push(draft),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((drafts, problems))
}

impl Draft {
    fn read(path: &Path, options: &Options) -> Result<Self, Problem> {
        // The source refuses what is too large before it reads it.
        let source = Source::read(path)?;
        let problem = |reason: String| Problem { path: path.to_owned(), line: None, reason };
        let bytes = source.original().map_err(problem)?;
        let findings =
            engine::check(&source.text, options).map_err(|error| unreadable(path, &source, error))?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            original: bytes.clone(),
            bytes,
            lines: (1..=source.line_starts().len()).collect(),
            findings: locate(path, &source, findings),
            settled: BTreeSet::new(),
        })
    }

    /// The file, as it was named or found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file is to hold.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is found in the draft, fixes or not.
    pub fn findings(&self) -> &[Located] {
        &self.findings
    }

    /// Findings that have a fix, could save memory and were not decided about.
    pub fn pending(&self) -> impl Iterator<Item = &Located> {
        self.findings.iter().filter(|located| {
            let finding = &located.finding;
            let settled = self.settled.contains(&(finding.start, finding.rule.code));
            finding.fix.is_some() && !finding.rule.is_note() && !settled
        })
    }

    /// The line of the original that a finding is on.
    pub fn original_line(&self, located: &Located) -> usize {
        let line = located.start.line;
        self.lines.get(line.wrapping_sub(1)).copied().unwrap_or(line)
    }

    /// Notes that a finding was decided about.
    pub fn settle(&mut self, located: &Located) {
        self.settled.insert((located.finding.start, located.finding.rule.code));
    }

    /// The draft with the fix of one of its findings.
    ///
    /// # Errors
    /// If the text would be Python no more, or cannot be written in the file's encoding.
    pub fn with(&self, located: &Located) -> Result<Self, Problem> {
        let work = [(self.path.clone(), self.options.clone())];
        let mut made = over_threads(&work, |_, _| self.fixed(located));
        made.pop().unwrap_or_else(|| self.fixed(located))
    }

    fn fixed(&self, located: &Located) -> Result<Self, Problem> {
        let problem = |reason: String| Problem { path: self.path.clone(), line: None, reason };
        let (edits, _) = engine::merge(&[&located.finding]);
        let old = Source::of(&self.path, self.bytes.clone())?;
        let bytes = old.encode(&engine::apply(&old.text, &edits)).map_err(problem)?;
        let new = Source::of(&self.path, bytes.clone())?;
        let findings =
            engine::check(&new.text, &self.options).map_err(|error| unreadable(&self.path, &new, error))?;
        let line_before = |start: &usize| self.lines[old.line_of(before(*start, &edits)) - 1];
        Ok(Self {
            path: self.path.clone(),
            options: self.options.clone(),
            original: self.original.clone(),
            bytes,
            lines: new.line_starts().iter().map(line_before).collect(),
            findings: locate(&self.path, &new, findings),
            settled: self.settled.iter().map(|(start, code)| (after(*start, &edits), *code)).collect(),
        })
    }

    /// The change of the file; `None` if no fix was made.
    pub fn changed(&self) -> Option<Changed> {
        let (path, before, after) = (self.path.clone(), self.original.clone(), self.bytes.clone());
        (before != after).then_some(Changed { path, before, after })
    }
}

/// Where an offset is after edits, which are in order.
fn after(offset: usize, edits: &[Edit]) -> usize {
    let mut now = offset;
    for edit in edits {
        if edit.end <= offset {
            now = now + edit.text.len() - (edit.end - edit.start);
        } else if edit.start < offset {
            return now - (offset - edit.start);
        }
    }
    now
}

/// Where an offset was before edits, which are in order; the start of an edit for what it brought.
fn before(offset: usize, edits: &[Edit]) -> usize {
    let (mut grown, mut shrunk) = (0, 0);
    for edit in edits {
        let start = edit.start + grown - shrunk;
        if offset < start {
            break;
        }
        if offset < start + edit.text.len() {
            return edit.start;
        }
        grown += edit.text.len();
        shrunk += edit.end - edit.start;
    }
    offset + shrunk - grown
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "import sys\n\n\n\
                        def total(n):\n    return sum([i for i in range(n)])\n\n\n\
                        def most(n):\n    return max([i for i in range(n)])\n\n\n\
                        print(total(9), most(9))\n";

    fn draft(text: &str) -> (tempfile::TempDir, Draft) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        std::fs::write(&path, text).unwrap();
        let request = Request { paths: vec![path], select: vec!["MS401".into()], ..Request::default() };
        let (mut drafts, problems) = drafts(&request).unwrap();
        assert!(problems.is_empty());
        (folder, drafts.pop().unwrap())
    }

    #[test]
    fn offsets_follow_edits_and_lead_back() {
        let edit = |start, end, text: &str| Edit { start, end, text: text.into() };
        let edits = [edit(0, 0, "new\n"), edit(10, 14, "x")];
        assert_eq!([0, 5, 12, 14, 20].map(|offset| after(offset, &edits)), [4, 9, 14, 15, 21]);
        assert_eq!([0, 4, 9, 14, 15, 21].map(|offset| before(offset, &edits)), [0, 0, 5, 10, 14, 20]);
    }

    #[test]
    fn a_fix_leaves_the_others_to_be_decided() {
        let (_folder, mut first) = draft(TEXT);
        let pending: Vec<Located> = first.pending().cloned().collect();
        assert_eq!(pending.len(), 2);
        first.settle(&pending[0]);
        let second = first.with(&pending[0]).unwrap();
        assert!(second.pending().count() == 1 && second.changed().is_some() && first.changed().is_none());
        let last = second.pending().next().unwrap().clone();
        assert_eq!(second.original_line(&last), 9);
        let text = String::from_utf8(second.with(&last).unwrap().bytes().to_vec()).unwrap();
        assert_eq!(text, TEXT.replace("([i", "(i").replace("(n)])", "(n))"));
    }

    #[test]
    fn what_was_decided_stays_decided_as_the_text_moves() {
        let (_folder, mut draft) = draft(TEXT);
        let pending: Vec<Located> = draft.pending().cloned().collect();
        draft.settle(&pending[1]);
        let next = draft.with(&pending[0]).unwrap();
        assert_eq!(next.pending().count(), 0);
    }
}
