//! The runs: twice without fixes, then fix by fix.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use memsight_check::{Applicability, Changed, Cost, Draft, Located};

use super::printed;
use super::proof::{self, Baseline, Named, Proof, Tried};
use super::trial::{self, End, Runner, Trial};
use super::verdict::{Behaviour, Noise, Verdict};
use super::written::Files;
use crate::scratch::last_words;
use crate::terminal::{self, say};

/// How long it may take.
pub(super) struct Limits {
    /// One run.
    pub(super) run: Option<Duration>,
    /// Everything.
    pub(super) all: Option<Duration>,
}

/// How many fixes there are to try.
pub(super) fn candidates(drafts: &[Draft], up_to: Applicability) -> usize {
    drafts.iter().flat_map(|draft| draft.pending()).filter(|located| is_wanted(located, up_to)).count()
}

fn is_wanted(located: &Located, up_to: Applicability) -> bool {
    located.finding.fix.as_ref().is_some_and(|fix| fix.applicability <= up_to)
}

/// A project's files, some of them mended, and the command that shows what that does.
pub(super) struct Search<'a> {
    runner: Runner<'a>,
    /// The files that the copy has, each with its path there.
    drafts: Vec<(Draft, PathBuf)>,
    up_to: Applicability,
    limits: Limits,
    began: Instant,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        runner: Runner<'a>,
        drafts: Vec<Draft>,
        up_to: Applicability,
        limits: Limits,
    ) -> Result<Self> {
        let mut in_copy = Vec::new();
        for draft in drafts {
            match runner.copy.has(draft.path()) {
                Some(inside) => in_copy.push((draft, inside)),
                None if draft.pending().next().is_some() => {
                    say(&format!("memsight: {}: is not part of the copy; not tried", proof::shown(&draft)));
                }
                None => {}
            }
        }
        Ok(Search { runner, drafts: in_copy, up_to, limits, began: Instant::now() })
    }

    /// Tries each fix, and says what the files are to be.
    pub(super) fn run(mut self, command: &[OsString]) -> Result<(Proof, Vec<Changed>)> {
        let (mut plain, mut noise, files) = self.plain()?;
        let lines = printed::lines(&mut plain.stdout).context("what the command printed")?;
        let (end, tests_passed, cost) = (plain.end, plain.tests_passed, plain.cost());
        let limit = self.limits.run.unwrap_or(plain.wall * 10 + Duration::from_secs(10));
        let mut proof = Proof {
            command: proof::words(command),
            baseline: Some(Baseline {
                seeded: trial::chooses_seed(),
                end,
                tests_passed,
                lines,
                files_written: files.compared(),
                not_compared: files.not_compared().map(|path| path.to_string_lossy().into_owned()).collect(),
                cost,
                noise,
            }),
            fixes: Vec::new(),
            not_run: self.not_run(&plain),
            after: None,
            without_fix: self.without_fix(),
            files: self.drafts.len(),
        };
        let total = self.drafts.iter().map(|(draft, _)| draft.pending().count()).sum::<usize>();
        let total = total.saturating_sub(proof.not_run.len());
        let mut behaviour = Behaviour { end, stdout: plain.stdout, tests_passed, files: Some(files) };
        let mut costs = plain.costs;
        while let Some((index, located)) = self.next(&costs) {
            let before = costs.total;
            let draft = &mut self.drafts[index].0;
            draft.settle(&located);
            let Some(named) = Named::of(draft, &located) else { continue };
            if self.limits.all.is_some_and(|all| self.began.elapsed() > all) {
                let verdict = Verdict::NotTried("the time of --stop-after was over".into());
                proof.fixes.push(Tried { named, before, after: None, verdict });
                continue;
            }
            let number = proof.fixes.len() + 1;
            let place = format!("{} {}:{}", named.code, named.path, named.line);
            terminal::progress(&format!("{number} of {}  {place}", total.max(number)));
            let (after, verdict) = match self.attempt(index, &located, limit)? {
                Err(problem) => (None, Verdict::NotTried(problem)),
                Ok((mended, mut trial)) => {
                    let mut verdict = behaviour.judge(&mut trial, &noise, cost, before)?;
                    // What rises may be another run's chance and not the fix's doing.
                    if matches!(verdict, Verdict::Rises(_))
                        && let Ok((_, mut again)) = self.attempt(index, &located, limit)?
                    {
                        noise = noise.max(Noise::among(&[trial.cost(), again.cost()]));
                        verdict = behaviour.judge(&mut again, &noise, cost, before)?;
                        trial = again;
                    }
                    let after = matches!(trial.end, End::Code(_)).then(|| trial.cost());
                    if verdict.is_kept() {
                        self.drafts[index].0 = mended;
                        costs = trial.costs;
                    }
                    (after, verdict)
                }
            };
            proof.fixes.push(Tried { named, before, after, verdict });
        }
        proof.after = Some(costs.total);
        if let Some(baseline) = &mut proof.baseline {
            baseline.noise = noise;
        }
        Ok((proof, self.drafts.iter().filter_map(|(draft, _)| draft.changed()).collect()))
    }

    /// The finding to try next: of those that the last run shows to cost anything, the one that costs most.
    fn next(&self, costs: &memsight_check::Costs) -> Option<(usize, Located)> {
        let mut best: Option<(Cost, usize, &Located)> = None;
        for (index, (draft, inside)) in self.drafts.iter().enumerate() {
            let file = self.runner.copy.path().join(inside);
            for located in draft.pending().filter(|located| is_wanted(located, self.up_to)) {
                let Some(cost) = located.cost_in(costs, &file) else { continue };
                let weight = |cost: &Cost| (cost.allocated_bytes, cost.peak_bytes);
                if best.as_ref().is_none_or(|(most, ..)| weight(&cost) > weight(most)) {
                    best = Some((cost, index, located));
                }
            }
        }
        best.map(|(_, index, located)| (index, located.clone()))
    }

    /// Runs with one more fix; in words why that cannot be.
    fn attempt(
        &mut self,
        index: usize,
        located: &Located,
        limit: Duration,
    ) -> Result<Result<(Draft, Trial), String>> {
        let (draft, inside) = &self.drafts[index];
        let mended = match draft.with(located) {
            Ok(mended) => mended,
            Err(problem) => return Ok(Err(format!("the fix cannot be made: {problem}"))),
        };
        self.runner.copy.change(inside, mended.bytes());
        let trial = self.runner.run("with", Some(limit))?;
        // What is kept is the same text again.
        let (draft, inside) = &self.drafts[index];
        self.runner.copy.change(inside, draft.bytes());
        Ok(Ok((mended, trial)))
    }

    /// The run without fixes that the others are compared with, the noise, and the files that it
    /// writes. The first run may find less prepared than later ones do, so where two differ it is
    /// left out, and three later ones say how much chance there is.
    fn plain(&mut self) -> Result<(Trial, Noise, Files)> {
        const MOST: u32 = 4;
        let mut before = self.plain_run(1)?;
        self.unless_original(&before)?;
        let mut costs = vec![before.cost()];
        for number in 2.. {
            let mut now = self.plain_run(number)?;
            costs.push(now.cost());
            let stdout = before.stdout.try_clone().context("the output's file")?;
            let tests_passed = before.tests_passed;
            let mut behaviour = Behaviour { end: before.end, stdout, tests_passed, files: None };
            let difference = behaviour.differs(&mut now)?;
            let last_two = Noise::among(&costs[costs.len() - 2..]);
            match difference {
                None if number == MOST || last_two.is_low(now.cost()) => {
                    let files = Files::of(before.written, std::mem::take(&mut now.written));
                    let noise = if number == MOST { Noise::among(&costs[1..]) } else { last_two };
                    return Ok((now, noise, files));
                }
                Some(difference) if number > 2 => {
                    bail!(
                        "the command does not do the same each time, so nothing can be proven with it: \
                         run again, it {difference}. \
                         Fix its random seeds, and keep times and addresses out of what it prints"
                    );
                }
                _ => before = now,
            }
        }
        bail!("the command was not run")
    }

    fn plain_run(&mut self, number: u32) -> Result<Trial> {
        terminal::progress(&format!("run {number} without fixes"));
        let mut trial = self.runner.run(&format!("plain-{number}"), self.limits.run)?;
        if trial.end != End::Code(0) {
            let words = match last_words(&mut trial.stderr) {
                words if words.is_empty() => last_words(&mut trial.stdout),
                words => words,
            };
            bail!(
                "the command fails in a copy of the working folder before any fix ({}), \
                 so nothing can be proven with it{words}",
                trial.end
            );
        }
        Ok(trial)
    }

    /// Refuses to go on where the command runs the files that were copied, not the copies.
    fn unless_original(&self, trial: &Trial) -> Result<()> {
        let Some((draft, _)) = self.drafts.iter().find(|(draft, _)| trial.costs.ran(draft.path())) else {
            return Ok(());
        };
        let root = import_root(draft.path());
        bail!(
            "the command ran {}, not its copy, so nothing can be proven with it: the project may be \
             installed in place (pip install -e). Put the copy before it: PYTHONPATH={} memsight prove …",
            draft.path().display(),
            root.display()
        )
    }

    fn not_run(&self, plain: &Trial) -> Vec<Named> {
        let mut not_run = Vec::new();
        for (draft, inside) in &self.drafts {
            let file = self.runner.copy.path().join(inside);
            for located in draft.pending().filter(|located| is_wanted(located, self.up_to)) {
                if located.cost_in(&plain.costs, &file).is_none() {
                    not_run.extend(Named::of(draft, located));
                }
            }
        }
        not_run
    }

    fn without_fix(&self) -> usize {
        let findings = self.drafts.iter().flat_map(|(draft, _)| draft.findings());
        findings.filter(|located| !is_wanted(located, self.up_to) && !located.finding.rule.is_note()).count()
    }
}

/// The folder that a module is imported from: the first above it that is no package.
fn import_root(file: &Path) -> PathBuf {
    let mut folder = file.parent().unwrap_or(Path::new(""));
    while folder.join("__init__.py").is_file() {
        folder = folder.parent().unwrap_or(Path::new(""));
    }
    let folder = folder.strip_prefix(".").unwrap_or(folder);
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}
