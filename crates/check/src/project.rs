//! A whole project: its files through the engine, several at a time, and what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::config::{Config, Configs, matching, names};
use crate::engine::{self, Options};
use crate::evidence::{Cost, Costs};
use crate::files;
use crate::finding::{Applicability, Edit, Finding};
use crate::rules::{RULES, Rule};
use crate::source::{Position, Problem, Source};
use crate::syntax::STACK_BYTES;
use crate::target::PythonVersion;

/// What to check and how.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Codes to go by, in place of the configuration's.
    pub select: Vec<String>,
    /// Codes to leave out, besides the configuration's.
    pub ignore: Vec<String>,
    /// Which fixes to apply, if any.
    pub fix: Option<Applicability>,
}

/// A finding and where it is.
#[derive(Clone, Debug)]
pub struct Located {
    /// What was found.
    pub finding: Finding,
    /// The file, as it was named or found.
    pub path: PathBuf,
    /// Where it begins.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// Its first line, for people: a long one in part.
    pub shown: String,
    /// How many characters of the line were left out before that part.
    pub left_out: usize,
    /// What it cost in a recorded run; `None` if no run was asked for or nothing was allocated there.
    pub cost: Option<Cost>,
    /// The lines that the cost is of, from 1.
    lines: Vec<(usize, usize)>,
}

/// What came of a check.
#[derive(Debug, Default)]
pub struct Report {
    /// How many files were checked.
    pub files: usize,
    /// What was found, by file and place; by cost once there is evidence.
    pub findings: Vec<Located>,
    /// Files that could not be checked.
    pub problems: Vec<Problem>,
    /// Files that fixes changed.
    pub changed: Vec<Changed>,
    /// How many fixes were applied.
    pub fixed: usize,
}

/// A file that fixes changed.
#[derive(Debug)]
pub struct Changed {
    /// The file.
    pub path: PathBuf,
    /// What it was.
    pub before: Vec<u8>,
    /// What it is to be.
    pub after: Vec<u8>,
}

/// Checks files. Writes nothing: [`Changed::write`] does.
///
/// # Errors
/// If a path or a configuration cannot be read, or a code is not known.
pub fn run(request: &Request) -> Result<Report, Problem> {
    let work = listed(request)?;
    let outcomes = over_threads(&work, |path, options| {
        one(path, options, request.fix).unwrap_or_else(Outcome::Unreadable)
    });
    let mut report = Report::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Checked { findings, changed, fixed } => {
                report.files += 1;
                report.findings.extend(findings);
                report.changed.extend(changed);
                report.fixed += fixed;
            }
            Outcome::Unreadable(problem) => report.problems.push(problem),
        }
    }
    Ok(report)
}

/// The files that a request means, and how each is checked.
pub(crate) fn listed(request: &Request) -> Result<Vec<(PathBuf, Options)>, Problem> {
    for (option, codes) in [("--select", &request.select), ("--ignore", &request.ignore)] {
        let wrong = |reason: String| Problem { path: option.into(), line: None, reason };
        codes.iter().try_for_each(|code| matching(code).map(|_| ()).map_err(wrong))?;
    }
    let mut configs = Configs::default();
    let mut files = Vec::new();
    for path in &request.paths {
        let config = configs.of(&folder_of(path))?;
        files.extend(files::files(std::slice::from_ref(path), config.as_ref())?);
    }
    let mut work = Vec::new();
    let mut by_config: BTreeMap<PathBuf, Option<Config>> = BTreeMap::new();
    for path in files {
        let folder = folder_of(&path);
        if !by_config.contains_key(&folder) {
            by_config.insert(folder.clone(), configs.of(&folder)?);
        }
        let options = options(&path, by_config.get(&folder).and_then(Option::as_ref), request);
        work.push((path, options));
    }
    Ok(work)
}

/// The folder in which a configuration is looked for.
fn folder_of(path: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if path.is_dir() { path } else { path.parent().map(Path::to_owned).unwrap_or_default() }
}

fn options(path: &Path, config: Option<&Config>, request: &Request) -> Options {
    let mut rules: Vec<&'static Rule> = match config {
        _ if !request.select.is_empty() => RULES.iter().filter(|rule| names(&request.select, rule)).collect(),
        Some(config) => config.rules(),
        None => RULES.iter().collect(),
    };
    rules.retain(|rule| !names(&request.ignore, rule));
    if let Some(config) = config
        && !config.per_file_ignores.is_empty()
    {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        for (pattern, codes) in &config.per_file_ignores {
            if files::matches(pattern, &config.folder, &real) {
                rules.retain(|rule| !names(codes, rule));
            }
        }
    }
    let python = config.and_then(|config| config.python).unwrap_or(PythonVersion::OLDEST);
    Options { rules, python, notebook: false }
}

/// What one file came to.
enum Outcome {
    Checked { findings: Vec<Located>, changed: Option<Changed>, fixed: usize },
    Unreadable(Problem),
}

/// Does something with each file on as many threads as there are processors; the answers are in the
/// order of the files. The threads' stacks are large, since a tree is walked as deep as it is nested;
/// what is not touched of them costs nothing.
pub(crate) fn over_threads<T: Send>(
    work: &[(PathBuf, Options)],
    each: impl Fn(&Path, &Options) -> T + Sync,
) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(work.len().max(1));
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<(usize, T)>> = Mutex::default();
    let worker = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, options)) = work.get(index) else { return };
            let outcome = each(path, options);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((index, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // Without a thread of its own this one does the work: it may then be nested less deep.
            if std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, worker).is_err() {
                break;
            }
        }
    });
    worker();
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn one(path: &Path, options: &Options, fix: Option<Applicability>) -> Result<Outcome, Problem> {
    let mut source = Source::read(path)?;
    let options = Options { notebook: source.is_notebook(), ..options.clone() };
    let Some(up_to) = fix else {
        let findings =
            engine::check(&source.text, &options).map_err(|error| unreadable(path, &source, error))?;
        return Ok(Outcome::Checked { findings: locate(path, &source, findings), changed: None, fixed: 0 });
    };
    let fixed =
        engine::fix(&source.text, &options, up_to).map_err(|error| unreadable(path, &source, error))?;
    let mut changed = None;
    if fixed.applied > 0 {
        let problem = |reason: String| Problem { path: path.to_owned(), line: None, reason };
        let before = source.original().map_err(problem)?;
        let after = source.encode(&fixed.text).map_err(problem)?;
        changed = Some(Changed { path: path.to_owned(), before, after });
        source.replace(fixed.text);
    }
    Ok(Outcome::Checked { findings: locate(path, &source, fixed.left), changed, fixed: fixed.applied })
}

/// What is wrong with a text that is no Python.
pub(crate) fn unreadable(path: &Path, source: &Source, error: crate::syntax::Unreadable) -> Problem {
    Problem { path: path.to_owned(), line: Some(source.position(error.at).line), reason: error.message }
}

pub(crate) fn locate(path: &Path, source: &Source, findings: Vec<Finding>) -> Vec<Located> {
    findings
        .into_iter()
        .map(|finding| {
            let own = [(finding.start, finding.end)];
            let ranges = if finding.costs_at.is_empty() { &own[..] } else { &finding.costs_at };
            let lines =
                ranges.iter().map(|(from, to)| (source.line_of(*from), source.line_of(*to))).collect();
            let (shown, left_out) = source.shown(finding.start);
            Located {
                path: path.to_owned(),
                start: source.position(finding.start),
                end: source.position(finding.end),
                shown: shown.to_owned(),
                left_out,
                cost: None,
                lines,
                finding,
            }
        })
        .collect()
}

impl Report {
    /// Adds what a recorded run says, and puts what cost most first. Notes, which cost nothing, go last.
    pub fn rank(&mut self, costs: &Costs) {
        for located in &mut self.findings {
            located.cost = costs.of(&located.path, &located.lines);
        }
        let weight = |located: &Located| {
            let cost = located.cost.unwrap_or_default();
            (!located.finding.rule.is_note(), cost.allocated_bytes, cost.peak_bytes)
        };
        self.findings.sort_by_key(|located| std::cmp::Reverse(weight(located)));
    }

    /// What the lines of all findings cost together, each line counted once, and how many lines that is.
    pub fn cost(&self, costs: &Costs) -> (Cost, usize) {
        let mut by_file: BTreeMap<&Path, Vec<(usize, usize)>> = BTreeMap::new();
        for located in
            self.findings.iter().filter(|located| located.cost.is_some() && !located.finding.rule.is_note())
        {
            by_file.entry(&located.path).or_default().extend(&located.lines);
        }
        let mut sum = Cost::default();
        let mut lines = 0;
        for (path, ranges) in by_file {
            sum.add(costs.of(path, &ranges).unwrap_or_default());
            lines += costs.count(path, &ranges);
        }
        (sum, lines)
    }
}

impl Located {
    /// The edits of the fix, in bytes from the start of the text.
    pub fn edits(&self) -> &[Edit] {
        self.finding.fix.as_ref().map_or(&[], |fix| &fix.edits)
    }

    /// What it cost in a run of another copy of its file; `None` if nothing was allocated there.
    pub fn cost_in(&self, costs: &Costs, file: &Path) -> Option<Cost> {
        costs.of(file, &self.lines)
    }
}

impl Changed {
    /// Writes the file anew, beside the old one and then in its place, with the same permissions.
    ///
    /// # Errors
    /// If the file was changed meanwhile, or cannot be written.
    pub fn write(&self) -> std::io::Result<()> {
        // A link is followed: what it leads to is changed, not the link.
        let path = self.path.canonicalize()?;
        if std::fs::read(&path)? != self.before {
            return Err(std::io::Error::other("was changed meanwhile, and is left as it is"));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = path.with_file_name(format!(".{name}.memsight-{}", std::process::id()));
        let written = std::fs::write(&beside, &self.after)
            .and_then(|()| std::fs::set_permissions(&beside, std::fs::metadata(&path)?.permissions()))
            .and_then(|()| std::fs::rename(&beside, &path));
        if written.is_err() {
            // What could not be put in place is of no use.
            let _ = std::fs::remove_file(&beside);
        }
        written
    }
}
