//! A hundred small programs, by theme: under `memsight view` each does what it does alone.
//!
//! Each runs on 3.12 and on two others, the next program on the next of them.
//! `MEMSIGHT_TEST_ALL=1` runs each on each.
//!
//! Comments at the head of a program say what it needs:
//!
//! | comment            | meaning                                                        |
//! |--------------------|----------------------------------------------------------------|
//! | `# since 3.N`      | older versions do not know its syntax                          |
//! | `# args: A B`      | its arguments                                                  |
//! | `# stdin: A\|B`    | lines that it reads                                            |
//! | `# exit: N`        | its exit code, where that is not 0                             |
//! | `# stderr: yes`    | it writes to stderr                                            |
//! | `# stdout: partly` | it writes to its stdout where no trace sees it: from other         |
//! |                    | processes, or while the interpreter shuts down                 |

mod support;
mod support_view;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{Python, pythons};
use support_view::trace::Trace;
use support_view::{Ran, Run, folder, invariants, name, programs};

/// What a program's head says.
struct Program {
    path: PathBuf,
    since: u32,
    arguments: Vec<String>,
    stdin: String,
    exit: i32,
    stderr: bool,
    stdout_is_its_own: bool,
}

impl Program {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).expect("the program can be read");
        let said = |key: &str| text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key));
        let number = |text: &str| text.parse().expect("a head has numbers where they belong");
        Program {
            since: said("since 3.").map_or(0, |minor| number(minor) as u32),
            arguments: said("args: ").map_or(Vec::new(), |args| args.split(' ').map(str::to_owned).collect()),
            stdin: said("stdin: ").map_or(String::new(), |lines| lines.replace('|', "\n") + "\n"),
            exit: said("exit: ").map_or(0, number),
            stderr: said("stderr: ") == Some("yes"),
            stdout_is_its_own: said("stdout: ") != Some("partly"),
            path,
        }
    }

    fn run(&self, mut run: Run) -> Result<Ran, String> {
        run.command.args(&self.arguments).env("COLUMNS", "80");
        run.given(&self.stdin).within(30).try_end()
    }

    /// What differs when it is viewed.
    fn differences(&self, python: &Python) -> Vec<String> {
        let plain = self.run(Run::plain(python, &self.path));
        let viewed = self.run(Run::view(python, &self.path, &[]));
        let found = match (plain, viewed) {
            (Ok(plain), Ok(viewed)) => self.compare(&plain, &viewed),
            (plain, viewed) => [plain.err(), viewed.err()].into_iter().flatten().collect(),
        };
        found.into_iter().map(|line| format!("3.{} {}: {line}", python.minor, name(&self.path))).collect()
    }

    fn compare(&self, plain: &Ran, viewed: &Ran) -> Vec<String> {
        let mut found = Vec::new();
        if plain.status.code() != Some(self.exit) || plain.stderr.is_empty() == self.stderr {
            found.push(format!("by itself it ends with {}: {}", plain.status, plain.stderr));
        }
        // It could be shown, whatever the program made of it.
        if !viewed.status.success() {
            found.push(format!("view ends with {}: {}", viewed.status, viewed.stderr));
        }
        if viewed.stdout != plain.stdout {
            found.push(differ("stdout", &plain.stdout, &viewed.stdout));
        }
        if viewed.program_stderr() != plain.stderr {
            found.push(differ("stderr", plain.stderr.as_bytes(), viewed.program_stderr().as_bytes()));
        }
        found.extend(viewed.left_running().into_iter().map(|left| format!("still runs: {left}")));
        match viewed.trace() {
            Ok(trace) => {
                found.extend(self.of_trace(&trace, viewed));
                if trace.ending != format!("exit {}", self.exit) {
                    found.push(format!("it ends with {} and by itself with {}", trace.ending, plain.status));
                }
            }
            Err(error) => found.push(error),
        }
        found
    }

    fn of_trace(&self, trace: &Trace, viewed: &Ran) -> Vec<String> {
        let mut found = invariants::broken(trace);
        let said: String = trace.steps.iter().map(|step| step.stdout.as_str()).collect();
        let shown = String::from_utf8_lossy(&viewed.stdout);
        if self.stdout_is_its_own && !trace.truncated && said != shown {
            found.push(differ("stdout of the steps", shown.as_bytes(), said.as_bytes()));
        }
        if trace.steps.last().is_none_or(|step| step.event != "end") && !trace.truncated {
            found.push("the last step is not the end".into());
        }
        found
    }
}

fn differ(what: &str, expected: &[u8], actual: &[u8]) -> String {
    let same = expected.iter().zip(actual).take_while(|(one, other)| one == other).count();
    let tell =
        |text: &[u8]| format!("{:?}", String::from_utf8_lossy(&text[same..text.len().min(same + 200)]));
    format!("{what} from byte {same} on is {} and should be {}", tell(actual), tell(expected))
}

fn all(folder: &Path) -> Vec<Program> {
    programs(folder).into_iter().map(Program::read).collect()
}

/// Whether it is an interpreter's turn.
fn is_turn(place: usize, python: &Python) -> bool {
    let others: Vec<u32> = pythons().iter().map(|other| other.minor).filter(|&minor| minor != 12).collect();
    (place..place + 2).any(|turn| others.get(turn % others.len().max(1)) == Some(&python.minor))
}

#[test]
fn a_hundred_small_programs_do_what_they_do_alone() {
    let programs = all(&folder("tests/view_programs"));
    assert!(programs.len() >= 100, "{} programs", programs.len());
    let is_all = std::env::var_os("MEMSIGHT_TEST_ALL").is_some();
    let runs_on = |place: usize, python: &Python| is_all || python.minor == 12 || is_turn(place, python);
    let work: Vec<(&Program, &Python)> = programs
        .iter()
        .enumerate()
        .flat_map(|(place, program)| pythons().iter().map(move |python| (place, program, python)))
        .filter(|&(place, program, python)| python.minor >= program.since && runs_on(place, python))
        .map(|(_, program, python)| (program, python))
        .collect();
    assert!(work.len() >= programs.len(), "{} runs of {} programs", work.len(), programs.len());
    let next = AtomicUsize::new(0);
    let worker = || {
        let more = || work.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(more).flat_map(|(program, python)| program.differences(python)).collect::<Vec<_>>()
    };
    let wrong = std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).concat()
    });
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
