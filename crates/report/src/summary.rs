//! The summary that `run` prints and `report` begins with.
//!
//! ```text
//! title          what ran, how it ended                                   the capture
//! warnings       what makes the figures less than the whole truth
//! Peak           how much, when, which share of what there was
//! table          the sites that made up the peak
//! Churn          short-lived allocations, and the heaviest line of them
//! Left, GC       what was still live at the end; the collector
//! Next           what to run now
//! ```

use std::path::Path;

use memsight_capture::{EndReason, Ending};
use memsight_insight::{By, Key, Left, Line, Moment, Process, Program, left, table, weights};

use crate::look::{Look, both_ends, columns, cut, folded, line, printable};
use crate::place::{OUTSIDE, program_name};
use crate::source::Sources;
use crate::table::{Column, Header, fold_imports, sensible, site_table};
use crate::units::{bytes, count, seconds, share};

/// How the program ended, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// What `run` prints when the program has ended: the five largest sites. `advice` is a command to
/// run next, and why, that comes before those that a report leads to.
pub fn summary(program: &Program, outcome: Outcome, advice: Option<(String, String)>, look: &Look) -> String {
    let facts = Facts::of(program);
    let mut out = head(&facts, outcome, look);
    // Five lines, of which all but the first hold a hundredth of the peak at least.
    let whole = facts.peak_bytes();
    let large = facts.sites.iter().take_while(|line| line.shown.bytes >= whole / 100).count();
    peak_table(&mut out, &facts, look, large.clamp(1, 5));
    tail(&mut out, &facts, look);
    next(&mut out, &facts, advice, look);
    out
}

/// What `report` prints: the `limit` largest sites, or those that matter.
pub fn report(program: &Program, look: &Look, limit: Option<usize>) -> String {
    let facts = Facts::of(program);
    let mut out = head(&facts, Outcome::default(), look);
    peak_table(&mut out, &facts, look, sensible(limit, &facts.sites));
    tail(&mut out, &facts, look);
    processes(&mut out, program, look);
    out
}

/// The title, warnings and the line about the peak.
pub(crate) fn heading(program: &Program, look: &Look) -> String {
    head(&Facts::of(program), Outcome::default(), look)
}

/// The largest site at the peak, `bytes` and `at file:line function`.
pub fn first_site(program: &Program) -> Option<(u64, String)> {
    let facts = Facts::of(program);
    let first = facts.sites.first()?;
    let (place, function) = crate::place::label(program, &first.key, cwd(program), 60);
    let place = format!("{place} {function}");
    Some((first.shown.bytes, format!("{}{}", preposition(&first.key), place.trim_end())))
}

/// What the parts of a summary are about.
struct Facts<'a> {
    program: &'a Program,
    sources: Sources,
    /// Lines at the peak, import machinery folded.
    sites: Vec<Line>,
    left: Left,
}

impl<'a> Facts<'a> {
    fn of(program: &'a Program) -> Self {
        let at_peak = weights(program, Moment::Peak);
        let sites = at_peak.map(|weights| table(program, &weights, By::Site)).unwrap_or_default();
        Facts { program, sources: Sources::of(program), sites: fold_imports(sites), left: left(program) }
    }

    fn peak_bytes(&self) -> u64 {
        self.program.peak.amount.bytes
    }
}

/// What a place needs before it in a sentence: `at orders.py:88`, `in import of modules`.
fn preposition(key: &Key) -> &'static str {
    match key {
        Key::Site(site) if site.is_outside_python() => "",
        Key::Import => "in ",
        _ => "at ",
    }
}

fn cwd(program: &Program) -> &Path {
    &program.first().recording.whereabouts.cwd
}

fn head(facts: &Facts<'_>, outcome: Outcome, look: &Look) -> String {
    let program = facts.program;
    let mut out = String::new();
    let file = program.first().path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let size: u64 = program.processes.iter().map(|process| process.file_bytes).sum();
    let captures = match program.processes.len() {
        1 => bytes(size),
        many => format!("{} in {many} captures", bytes(size)),
    };
    both_ends(&mut out, look, &title(program, outcome), &format!("{file}, {captures}"), 0);
    for warning in warnings(program, outcome) {
        line(&mut out, &look.warn(&folded(&warning, look.width, 2)));
    }
    line(&mut out, "");
    if program.totals().allocations == 0 {
        let nothing = match program.complete() {
            true => "Nothing was allocated.",
            false => "No allocation is in what was recorded.",
        };
        line(&mut out, nothing);
        return out;
    }
    let text = folded(&peak_line(program), look.width, 7);
    line(&mut out, &text.replace('\u{a0}', " ").replacen("Peak", &look.bold("Peak"), 1));
    out
}

fn title(program: &Program, outcome: Outcome) -> String {
    let last = &program.last_image().recording;
    let first = program_name(&program.first().recording.whereabouts.command);
    let became = program_name(&last.whereabouts.command);
    let name = if first == became { first } else { format!("{first} → {became}") };
    let time = seconds(program.duration_ns());
    let name = printable(&cut(&name, 50));
    let recorded = &last.end;
    match (outcome.exit_code, outcome.signal) {
        (Some(code), _) => format!("{name} finished in {time}, exit {code}"),
        (_, Some(signal)) => format!("{name} was ended by {} after {time}", signal_name(signal)),
        _ if program.still_recorded() => format!("{name} is still running, {time} so far"),
        _ if matches!(recorded, Some((EndReason::Exit, _))) => format!("{name} ran for {time}"),
        _ => format!("{name}: {time} recorded"),
    }
}

/// What makes the figures less than the whole truth, most serious first.
fn warnings(program: &Program, outcome: Outcome) -> Vec<String> {
    let mut warnings = Vec::new();
    if program.still_recorded() {
        warnings.push("still being recorded: what follows is what there was so far".into());
    }
    let first = program.first().recording.whereabouts.pid;
    for process in program.processes.iter().filter(|process| !process.still_recorded) {
        let recording = &process.recording;
        let upto = seconds(recording.duration_ns);
        let pid = recording.whereabouts.pid;
        let which = if program.processes.len() > 1 { format!(" (process {pid})") } else { String::new() };
        let how = match (&recording.ending, &recording.end) {
            (Ending::Damaged { .. }, _) => format!("the capture is {}", recording.ending),
            (_, Some((EndReason::Failed, why))) => format!("the recorder gave up: {}", printable(why)),
            (Ending::Torn { .. } | Ending::Open { .. }, _) | (_, Some((EndReason::Killed, _)) | None) => {
                killed(program, if pid == first { outcome } else { Outcome::default() })
            }
            (Ending::Whole, Some((EndReason::Exit | EndReason::Exec, remark))) => {
                if !remark.is_empty() {
                    warnings.push(format!("note{which}: {}", printable(remark)));
                }
                continue;
            }
        };
        warnings.push(format!("INCOMPLETE{which}: {how}; what was recorded up to {upto} follows"));
    }
    for error in &program.unreadable {
        warnings.push(format!("a child's capture cannot be read: {error}"));
    }
    if program.lost_events() > 0 {
        let lost = match program.lost_events() {
            1 => "one allocation or free could not be recorded: figures are off by it".into(),
            many => format!(
                "{} allocations and frees could not be recorded: figures are off by those",
                count(many)
            ),
        };
        warnings.push(lost);
    }
    for process in &program.processes {
        if let Some(found) = process.recording.interpreter.as_ref().filter(|found| !found.stacks) {
            let version = printable(&found.version);
            warnings.push(format!("the stacks of Python {version} cannot be read: allocations have no line"));
            break;
        }
    }
    warnings
}

/// How a process ended whose capture has no end.
fn killed(program: &Program, outcome: Outcome) -> String {
    const SIGKILL: i32 = 9;
    match outcome.signal {
        Some(SIGKILL) => format!("killed by SIGKILL{}", for_its_memory(program)),
        Some(signal) => format!("ended by {}", signal_name(signal)),
        None if outcome.exit_code.is_some() => "recording stopped before the program ended".into(),
        None => format!("it was killed or ended in a way that cannot be seen{}", for_its_memory(program)),
    }
}

/// What to think of where the memory that there was had nearly gone: that is
/// when the kernel kills.
fn for_its_memory(program: &Program) -> String {
    let (limit, of) = limit(program);
    let resident = program.peak.rss_bytes;
    if resident.saturating_mul(10) <= limit.saturating_mul(8) {
        return String::new();
    }
    format!(", perhaps for its memory: {} were resident of {} that {of}", bytes(resident), bytes(limit))
}

/// The memory there was, and whose it is.
fn limit(program: &Program) -> (u64, &'static str) {
    let whereabouts = &program.first().recording.whereabouts;
    match whereabouts.cgroup_limit_bytes {
        Some(limit) if limit < whereabouts.machine_total_bytes => (limit, "this container may use"),
        _ => (whereabouts.machine_total_bytes, "this machine has"),
    }
}

fn peak_line(program: &Program) -> String {
    let peak = &program.peak;
    let (limit, of) = limit(program);
    let mut text = format!("Peak   {} at {}", bytes(peak.amount.bytes), seconds(peak.at_ns));
    if peak.processes > 1 {
        text += &format!(" in {} processes, summed tick by tick", peak.processes);
    }
    if limit > 0 {
        let share = share(peak.amount.bytes, limit);
        text += &format!(": {share} of the {} that {of}", bytes(limit));
    }
    // Stays in one piece where the line is folded.
    text + " "
        + &format!("(resident then, recorder included: {})", bytes(peak.rss_bytes)).replace(' ', "\u{a0}")
}

fn peak_table(out: &mut String, facts: &Facts<'_>, look: &Look, limit: usize) {
    let mut lines: Vec<Line> = facts.sites.clone();
    lines.retain(|line| !line.shown.is_zero());
    if lines.is_empty() {
        return;
    }
    line(out, "");
    let heading = if facts.program.peak.by_site_exact { "at the peak" } else { "near the peak" };
    let header = Header { amount: heading, columns: &[Column::Share] };
    site_table(out, facts.program, &facts.sources, look, &header, &lines, limit);
    if !facts.program.peak.by_site_exact {
        let note = "By site at the end of the tick with most live bytes; the peak itself is exact.";
        let note = if facts.program.peak.exact { note } else { "By site at the resolution of ticks." };
        line(out, &format!("               {}", look.dim(&cut(note, look.width - 15))));
    }
}

fn tail(out: &mut String, facts: &Facts<'_>, look: &Look) {
    if facts.program.totals().allocations == 0 {
        return;
    }
    line(out, "");
    if let Some(text) = churn(facts, look) {
        line(out, &text);
    }
    if let Some(text) = crate::heap_series::taken(&facts.program.first().recording.snapshots) {
        line(out, &format!("{}  {}", look.bold("Heap "), folded(&text, look.width - 7, 7)));
    }
    let left = left_text(facts);
    let gc = gc_text(facts.program);
    let gap = look.width.saturating_sub(columns(&left) + columns(&gc) + 8);
    let labelled = |label: &str, text: &str| format!("{}  {text}", look.bold(label));
    if gap > 0 && columns(&left) <= 63 && !gc.is_empty() {
        let left = crate::look::fill(&left, 63.min(look.width.saturating_sub(columns(&gc) + 14)));
        line(out, &format!("{}{}", labelled("Left ", &left), labelled("GC", &gc)));
    } else {
        line(out, &labelled("Left ", &folded(&left, look.width - 7, 7)));
        if !gc.is_empty() {
            line(out, &labelled("GC   ", &gc));
        }
    }
}

fn churn(facts: &Facts<'_>, look: &Look) -> Option<String> {
    let total = facts.program.totals().temporary;
    if total.blocks == 0 {
        return None;
    }
    let heaviest = facts.sites.iter().max_by_key(|line| line.counts.temporary.bytes)?;
    let (place, source) = match &heaviest.key {
        Key::Site(site) if !site.is_outside_python() => {
            (crate::place::file_and_line(site, cwd(facts.program), 40), facts.sources.line(site))
        }
        Key::Import => (crate::place::IMPORT.into(), String::new()),
        _ => (OUTSIDE.into(), String::new()),
    };
    let text = format!(
        "{} in {} short-lived allocations, {} of it {}{}",
        bytes(total.bytes),
        count(total.blocks),
        share(heaviest.counts.temporary.bytes, total.bytes),
        preposition(&heaviest.key),
        printable(&place)
    );
    let room = look.width.saturating_sub(columns(&text) + 9);
    let label = look.bold("Churn");
    let source = cut(&source, room.max(look.width.min(60)));
    if source.is_empty() {
        return Some(format!("{label}  {}", folded(&text, look.width - 7, 7)));
    }
    if columns(&source) <= room {
        return Some(format!("{label}  {text}  {}", look.dim(&source)));
    }
    Some(format!("{label}  {}\n       {}", folded(&text, look.width - 7, 7), look.dim(&source)))
}

fn left_text(facts: &Facts<'_>) -> String {
    let left = &facts.left;
    let when = match facts.program.processes.len() {
        _ if facts.program.still_recorded() => "now",
        1 => "at the end",
        // They need not have been there at the same time.
        _ => "at each process's end",
    };
    let mut text = format!("{} still live {when}", bytes(left.total.bytes));
    if left.importing.bytes > 0 {
        text += &format!(" ({} of it from import)", bytes(left.importing.bytes));
    }
    text
}

fn gc_text(program: &Program) -> String {
    let Some(gc) = program.last_image().recording.gc() else { return String::new() };
    let runs = gc.collections.iter().fold(0u64, |sum, &runs| sum.saturating_add(runs));
    let time = if gc.sampled_ns == 0 { String::new() } else { format!(", about {}", seconds(gc.sampled_ns)) };
    format!("{} runs{time}", count(runs))
}

/// Child processes: what each held at its own peak.
fn processes(out: &mut String, program: &Program, look: &Look) {
    if !program.not_recorded.is_empty() {
        let many = program.not_recorded.len();
        let some: Vec<String> = program.not_recorded.iter().take(5).map(u32::to_string).collect();
        let more = if many > 5 { ", …" } else { "" };
        let which = if many > 1 { "processes" } else { "process" };
        let text = format!("{many} without a capture here: {which} {}{more}", some.join(", "));
        line(out, &format!("{}  {text}", look.bold("Child")));
    }
    if program.processes.len() < 2 {
        return;
    }
    line(out, "");
    line(out, "   own peak    process");
    for process in &program.processes {
        let whereabouts = &process.recording.whereabouts;
        let command = printable(&whereabouts.command.join(" "));
        let pid = whereabouts.pid;
        let text = format!("{:>11}  {pid:>9}  {command}", bytes(process.recording.peak_bytes()));
        line(out, &cut(&text, look.width));
    }
}

/// What to run now: what would change the reader's mind first.
fn next(out: &mut String, facts: &Facts<'_>, advice: Option<(String, String)>, look: &Look) {
    let capture = quoted(&facts.program.first().path);
    let totals = facts.program.totals();
    if totals.allocations == 0 {
        return;
    }
    let program_left: u64 = facts.left.sites.iter().map(|line| line.shown.bytes).sum();
    let mut steps: Vec<(String, String)> = advice.into_iter().collect();
    if program_left > 1_000_000 && program_left >= facts.peak_bytes() / 5 {
        steps.push((
            format!("memsight report {capture} --leaks"),
            "where what is still live came from".into(),
        ));
    }
    if !facts.program.first().recording.snapshots.is_empty() {
        steps.push((format!("memsight heap {capture}"), "what is alive and who keeps it".into()));
    } else if was_killed(facts.program.first()) {
        let again = "memsight run --heap peak -- PROGRAM".into();
        steps.push((again, "what it holds, though it is killed".into()));
    }
    if totals.temporary.bytes > totals.allocated_bytes / 5 {
        steps.push((format!("memsight report {capture} --temporary"), "which lines churn".into()));
    }
    steps.push((format!("memsight report {capture} --tree"), "who called the lines above".into()));
    if steps.len() < 2 {
        steps.push((format!("memsight diff {capture} LATER"), "after a change: what it saved".into()));
    }
    steps.truncate(3);
    line(out, "");
    out.push_str(&crate::next::next(&steps, look));
}

/// Whether a process came to no end that it could tell of. No snapshot of that end can be.
pub fn was_killed(process: &Process) -> bool {
    let end = process.recording.end.as_ref().map(|(reason, _)| *reason);
    !process.still_recorded && matches!(end, Some(EndReason::Killed) | None)
}

/// A path as it must be written for a shell.
pub fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = path.strip_prefix("./").unwrap_or(&path);
    let plain = |c: char| c.is_alphanumeric() || "_./,:+@%-".contains(c);
    match path {
        _ if path.contains(char::is_control) => "CAPTURE".into(),
        _ if path.starts_with('-') => format!("./{path}"),
        _ if path.chars().all(plain) => path.into(),
        _ => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// The name of a signal of Linux.
pub fn signal_name(signal: i32) -> String {
    const NAMES: [&str; 32] = [
        "",
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    match usize::try_from(signal).ok().and_then(|signal| NAMES.get(signal)) {
        Some(name) if !name.is_empty() => (*name).into(),
        _ => format!("signal {signal}"),
    }
}

#[cfg(test)]
mod tests {
    use memsight_capture::{Record, Start, Tick, TickIndex};
    use memsight_insight::testing::{Writer, counts, start};

    use super::*;

    /// A run whose captures are these, by name.
    fn program(captures: &mut [(&str, Writer)]) -> Program {
        let folder = tempfile::tempdir().unwrap();
        for (name, writer) in captures.iter_mut() {
            writer.save(&folder.path().join(name));
        }
        Program::load(&folder.path().join(captures[0].0), &|_, _, _| {}).unwrap()
    }

    fn cut_short(pid: u32) -> Writer {
        let mut w = Writer::new(Start { pid, ..start() });
        let thread = w.thread(0, b"main");
        let module = w.frame(thread, "/work/orders.py", "<module>", 1);
        w.birth(module, Some(0), counts(1, 500, 0, 0));
        w.tick(10);
        w
    }

    #[test]
    fn how_a_recording_was_cut_short_is_said_of_the_process_that_it_is_known_of() {
        let alone = program(&mut [("a.msight", cut_short(7))]);
        let said = |program: &Program, exit_code, signal| warnings(program, Outcome { exit_code, signal });
        assert!(said(&alone, Some(1), None)[0].contains("recording stopped before the program ended"));
        assert!(said(&alone, None, Some(15))[0].contains("ended by SIGTERM"));
        assert!(said(&alone, None, None)[0].contains("cannot be seen"));
        let mut first = cut_short(7);
        first.end(20);
        let with_child = program(&mut [("a.msight", first), ("a.8.msight", cut_short(8))]);
        let of_child = said(&with_child, Some(0), None);
        assert!(
            of_child[0].contains("(process 8)") && of_child[0].contains("cannot be seen"),
            "{of_child:?}"
        );
    }

    #[test]
    fn where_memory_had_nearly_gone_that_is_said_of_whatever_cannot_be_seen() {
        let full = Start { cgroup_limit_bytes: Some(9_000_000), ..start() };
        let mut w = Writer::new(full);
        w.tick(10);
        let program = program(&mut [("a.msight", w)]);
        for (signal, said) in [(None, true), (Some(9), true), (Some(15), false)] {
            let text = warnings(&program, Outcome { exit_code: None, signal }).concat();
            assert_eq!(text.contains("perhaps for its memory"), said, "{text}");
        }
    }

    #[test]
    fn a_recording_without_an_allocation_only_says_that_there_was_none_if_it_is_whole() {
        let mut whole = Writer::new(start());
        whole.end(20);
        let look = Look::default();
        assert!(report(&program(&mut [("a.msight", whole)]), &look, None).contains("Nothing was allocated"));
        let text = report(&program(&mut [("a.msight", Writer::new(start()))]), &look, None);
        assert!(!text.contains("Nothing was allocated") && text.contains("No allocation is in"), "{text}");
    }

    #[test]
    fn one_lost_event_is_told_as_one() {
        let mut w = cut_short(7);
        let tick = TickIndex(1);
        w.put(Record::Tick(Tick { index: tick, end_ns: 20_000_000, lost_events: 1, ..Tick::default() }));
        w.end(20);
        let text = warnings(&program(&mut [("a.msight", w)]), Outcome::default()).concat();
        assert!(text.contains("one allocation or free could not"), "{text}");
    }

    #[test]
    fn sentences_name_a_place_with_the_word_it_needs() {
        let site = |file: &str| {
            Key::Site(memsight_insight::Site { function: "f".into(), file: file.into(), line: 1 })
        };
        assert_eq!(preposition(&site("a.py")), "at ");
        assert_eq!(preposition(&Key::Import), "in ");
    }

    #[test]
    fn paths_are_quoted_where_a_shell_needs_it() {
        for (path, written) in [
            ("a/b-7.msight", "a/b-7.msight"),
            ("größe.msight", "größe.msight"),
            ("two words.msight", "'two words.msight'"),
            ("it's.msight", r"'it'\''s.msight'"),
            ("-x.msight", "./-x.msight"),
            ("a\nb", "CAPTURE"),
        ] {
            assert_eq!(quoted(Path::new(path)), written);
        }
    }
}
