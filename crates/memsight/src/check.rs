//! `memsight check`: finds code that wastes memory, ranks it by what it cost, and mends it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;
use memsight_check::output::{self, Format};
use memsight_check::{Applicability, Cost, Costs, Report, Request};
use memsight_insight::{Key, Moment, Program, site_lines, weights};
use memsight_report::{text, units};

use crate::exit::Exit;
use crate::terminal::{self, say};

/// The form of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Text,
    Json,
    Github,
    Sarif,
    Junit,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files and folders [default: the working folder].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Go by these rules only: codes, beginnings of codes (MS1) or names.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave these rules out.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Rank the findings by what their lines cost in this recorded run.
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Apply the fixes that are proven safe.
    #[arg(long)]
    fix: bool,
    /// Apply those that are not proven too, or show them with --diff.
    #[arg(long)]
    unsafe_fixes: bool,
    /// Print what fixes would change, and change nothing.
    #[arg(long, conflicts_with_all = ["output_format", "capture"])]
    diff: bool,
    /// The form of the findings.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    output_format: OutputFormat,
    /// Exit with 0 even if there are findings.
    #[arg(long)]
    exit_zero: bool,
}

/// Checks, and mends if asked to.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    let costs = args.capture.as_deref().map(costs_of).transpose()?;
    let mends = args.fix || args.diff || args.unsafe_fixes;
    let up_to = if args.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let request = Request {
        paths,
        select: args.select.clone(),
        ignore: args.ignore.clone(),
        fix: mends.then_some(up_to),
    };
    let mut report = memsight_check::run(&request).map_err(|problem| anyhow!("{problem}"))?;
    for problem in &report.problems {
        say(&format!("memsight: {problem}; not checked"));
    }
    if args.diff {
        return diff(&report, args);
    }
    write(&report)?;
    if let Some(costs) = &costs {
        report.rank(costs);
        if args.select.is_empty() {
            report.findings.retain(|located| !located.finding.rule.is_note());
        }
    }
    let text = match args.output_format {
        OutputFormat::Text => for_people(&report, costs.as_ref(), args, mends),
        OutputFormat::Json => output::render(&report, Format::Json, costs.as_ref()),
        OutputFormat::Github => output::render(&report, Format::Github, None),
        OutputFormat::Sarif => output::render(&report, Format::Sarif, None),
        OutputFormat::Junit => output::render(&report, Format::Junit, None),
    };
    terminal::print(&text)?;
    Ok(exit(&report, args))
}

fn exit(report: &Report, args: &Args) -> Exit {
    match () {
        () if !report.findings.is_empty() && !args.exit_zero => Exit::Exceeded,
        () if !report.problems.is_empty() => Exit::Failed,
        () => Exit::Fine,
    }
}

fn diff(report: &Report, args: &Args) -> Result<Exit> {
    for changed in &report.changed {
        terminal::print(&output::diff(changed))?;
    }
    say(&format!(
        "{} would be fixed in {}",
        counted(report.fixed, "finding"),
        counted(report.changed.len(), "file")
    ));
    Ok(match () {
        () if report.fixed > 0 && !args.exit_zero => Exit::Exceeded,
        () if !report.problems.is_empty() => Exit::Failed,
        () => Exit::Fine,
    })
}

fn write(report: &Report) -> Result<()> {
    for changed in &report.changed {
        changed.write().with_context(|| changed.path.display().to_string())?;
    }
    Ok(())
}

/// What every line of a capture cost.
pub(crate) fn costs_of(capture: &Path) -> Result<Costs> {
    let program = terminal::load(capture)?;
    costs_in(&program, &capture.to_string_lossy())
}

/// What every line of a recorded program cost.
pub(crate) fn costs_in(program: &Program, capture: &str) -> Result<Costs> {
    let weights = weights(program, Moment::Peak)?;
    let totals = program.totals();
    let total = Cost {
        allocated_bytes: totals.allocated_bytes,
        peak_bytes: program.peak.amount.bytes,
        allocations: totals.allocations,
    };
    let mut costs = Costs::new(capture.to_owned(), total);
    let folder = &program.first().recording.whereabouts.cwd;
    for line in site_lines(program, &weights) {
        let Key::Site(site) = &line.key else { continue };
        if site.line > 0 && !site.file.starts_with('<') {
            let cost = Cost {
                allocated_bytes: line.counts.allocated_bytes,
                peak_bytes: line.shown.bytes,
                allocations: line.counts.allocations,
            };
            costs.add(folder, &site.file, site.line as usize, cost);
        }
    }
    Ok(costs)
}

/// What checking the program's own files comes to, as a step to take: the command, and what its
/// findings cover. `None` if they cover nothing to speak of, or if anything is in the way.
pub(crate) fn advice(program: &Program) -> Option<(String, String)> {
    let capture = program.first().path.clone();
    let costs = costs_in(program, &capture.to_string_lossy()).ok()?;
    let folder = program.first().recording.whereabouts.cwd.canonicalize().ok()?;
    let is_own = |file: &Path| {
        let inside = file.strip_prefix(&folder).ok();
        let installed =
            |part: &Path| part.iter().any(|name| name == "site-packages" || name == "node_modules");
        inside.is_some_and(|path| !installed(path)) && file.is_file()
    };
    let mut paths: Vec<PathBuf> = costs.files().filter(|file| is_own(file)).map(Path::to_owned).collect();
    paths.sort();
    paths.truncate(MAX_FILES_FOR_ADVICE);
    if paths.is_empty() {
        return None;
    }
    let mut report = memsight_check::run(&Request { paths, ..Request::default() }).ok()?;
    report.rank(&costs);
    report.findings.retain(|located| located.cost.is_some() && !located.finding.rule.is_note());
    let (cost, _) = report.cost(&costs);
    let covers = if cost.peak_bytes * 20 >= costs.total.peak_bytes.max(1) {
        format!("{} of the peak", units::share(cost.peak_bytes, costs.total.peak_bytes))
    } else if cost.allocated_bytes * 20 >= costs.total.allocated_bytes.max(1) {
        format!(
            "{} of all that was allocated",
            units::share(cost.allocated_bytes, costs.total.allocated_bytes)
        )
    } else {
        return None;
    };
    let verb = if report.findings.len() == 1 { "covers" } else { "cover" };
    let found = counted(report.findings.len(), "finding");
    Some((
        format!("memsight check --capture {} .", text::quoted(&capture)),
        format!("{found} {verb} {covers}"),
    ))
}

/// Checking more files than these at the end of a run would be noticed.
const MAX_FILES_FOR_ADVICE: usize = 300;

fn for_people(report: &Report, costs: Option<&Costs>, args: &Args, mends: bool) -> String {
    let look = terminal::stdout_look();
    let look =
        output::Look { width: look.width, color: look.color, bytes: units::bytes, count: units::count };
    let mut out = output::text(report, costs, &look);
    if mends && report.fixed > 0 {
        out.push_str(&format!(
            "Fixed {} in {}.\n",
            counted(report.fixed, "finding"),
            counted(report.changed.len(), "file")
        ));
    }
    let (found, files) = (report.findings.len(), counted(report.files, "file"));
    if found == 0 && report.files == 0 && report.problems.is_empty() {
        out.push_str("Nothing to check: no Python files there that are not left out.\n");
        return out;
    }
    if found == 0 {
        out.push_str(&format!("Nothing found in {files}.\n"));
        return out;
    }
    let of = |applicability| {
        let with = |fix: &memsight_check::Fix| fix.applicability == applicability;
        report.findings.iter().filter(|located| located.finding.fix.as_ref().is_some_and(with)).count()
    };
    let (safe, unproven) = (of(Applicability::Safe), of(Applicability::Unsafe));
    let mut said = format!("{} in {files}", counted(found, "finding"));
    let ran = |located: &memsight_check::Located| costs.is_some_and(|costs| costs.ran(&located.path));
    if costs.is_some() && !report.findings.iter().any(ran) {
        said.push_str(", and none of these files ran in this capture: it may be of another program");
    } else if let Some(costs) = costs {
        let (cost, lines) = report.cost(costs);
        said.push_str(&format!(
            ": {} allocated {}, {} of the run; at the peak {}",
            if lines == 1 { "this 1 line".to_owned() } else { format!("these {lines} lines") },
            units::bytes(cost.allocated_bytes),
            units::share(cost.allocated_bytes, costs.total.allocated_bytes),
            units::bytes(cost.peak_bytes)
        ));
    }
    text::line(&mut out, &text::folded(&format!("{said}."), look.width, 0));
    let again = what_again(args);
    let mut steps = Vec::new();
    let mut step = |command: &str, why: String| steps.push((format!("memsight {command}"), why));
    if safe > 0 {
        step(&format!("check --fix{again}"), format!("mends {safe} of them, proven safe"));
    }
    if unproven > 0 {
        step(&format!("check --unsafe-fixes --diff{again}"), format!("shows {unproven} more, not proven"));
    }
    if safe + unproven > 0 {
        step(&format!("prove{again} -- COMMAND"), "tries them on a copy, and measures".into());
    }
    if let Some(first) = report.findings.first() {
        step(&format!("explain {}", first.finding.rule.code), "how it works, measured here".into());
    }
    text::line(&mut out, "");
    out.push_str(&text::next(&steps, &terminal::stdout_look()));
    out
}

/// The paths and rules that were asked for, to be asked for again; not where they are many.
fn what_again(args: &Args) -> String {
    const MOST: usize = 40;
    let mut words = String::new();
    for (option, codes) in [("--select", &args.select), ("--ignore", &args.ignore)] {
        if !codes.is_empty() {
            words.push_str(&format!(" {option} {}", codes.join(",")));
        }
    }
    for path in &args.paths {
        words.push_str(&format!(" {}", text::quoted(path)));
    }
    if words.chars().count() > MOST { " …".into() } else { words }
}

/// `1 file`, `3 files`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
