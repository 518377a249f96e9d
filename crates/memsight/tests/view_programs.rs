//! A hundred small programs, by theme: under `memsight view` each does what it does alone.
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
//! | `# stdout: partly` | other processes or plain system calls write to its stdout, too |

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
        // Viewing went well, however the program itself ended.
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
            Ok(trace) => found.extend(self.of_trace(&trace, viewed)),
            Err(error) => found.push(error),
        }
        found
    }

    fn of_trace(&self, trace: &Trace, viewed: &Ran) -> Vec<String> {
        let mut found = invariants::broken(trace);
        let ending = format!("exit {}", self.exit);
        if trace.ending != ending {
            found.push(format!("its end is told as {} and was {ending}", trace.ending));
        }
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

#[test]
fn a_hundred_small_programs_do_what_they_do_alone() {
    let programs = all(&folder("tests/view_programs"));
    assert!(programs.len() >= 100, "{} programs", programs.len());
    // Two interpreters a program, so that each of them has its share; MEMSIGHT_ALL=1 takes them all.
    let takes_all = std::env::var_os("MEMSIGHT_ALL").is_some();
    let count = pythons().len();
    let has_its_turn = |program: usize, python: usize| {
        takes_all || python == program % count || python == (program + count / 2) % count
    };
    let work: Vec<(&Program, &Python)> = programs
        .iter()
        .enumerate()
        .flat_map(|(at, program)| {
            pythons().iter().enumerate().map(move |(turn, python)| (at, turn, program, python))
        })
        .filter(|&(at, turn, program, python)| python.minor >= program.since && has_its_turn(at, turn))
        .map(|(_, _, program, python)| (program, python))
        .collect();
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
