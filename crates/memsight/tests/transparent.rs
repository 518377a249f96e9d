//! A recorded program behaves as one that is not: the same program, plain and
//! recorded, compared.

mod support;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use support::{Python, Run, pythons};

/// Runs the interpreter with these arguments, plain and recorded.
fn both(python: &Python, arguments: &[&str], prepare: impl Fn(&mut Command)) -> [Output; 2] {
    let mut plain = Command::new(&python.path);
    plain.args(arguments);
    let mut recorded = Run::new(None);
    recorded.command.arg(&python.path).args(arguments);
    [&mut plain, &mut recorded.command].map(|command| {
        prepare(command);
        command.output().expect("the program starts")
    })
}

fn behave_the_same(arguments: &[&str], prepare: impl Fn(&mut Command)) {
    for python in pythons() {
        let [plain, recorded] = both(python, arguments, &prepare);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&plain.stdout), text(&recorded.stdout), "{python}: stdout of {arguments:?}");
        assert_eq!(text(&plain.stderr), text(&recorded.stderr), "{python}: stderr of {arguments:?}");
        assert_eq!(plain.status, recorded.status, "{python}: {arguments:?}");
    }
}

#[test]
fn exit_codes_and_tracebacks_are_the_programs_own() {
    behave_the_same(&["-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"], |_| {});
    behave_the_same(&["-c", "def f():\n    raise ValueError(1)\nf()"], |_| {});
    behave_the_same(&["-c", "import os; os._exit(4)"], |_| {});
}

#[test]
fn a_signal_that_ends_the_program_ends_it_recorded() {
    behave_the_same(&["-c", "import os; os.abort()"], |_| {});
    behave_the_same(&["-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], |_| {});
    behave_the_same(&["-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"], |_| {});
}

/// A shell starts what it puts into the background with SIGINT ignored. Whoever then handles it still
/// gets it by way of memsight; whoever does not is not ended by it.
#[test]
fn a_signal_that_was_ignored_before_reaches_a_program_that_handles_it() {
    let program = "
import os, signal, sys, time
print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
def interrupted(*_):
    print('interrupted')
    sys.exit(3)
signal.signal(signal.SIGINT, interrupted)
os.kill(os.getppid() if 'run' in sys.argv else os.getpid(), signal.SIGINT)
time.sleep(20)
";
    let python = &pythons()[0];
    let mut recorded = Run::new(Some(python));
    let shell = ["-c", "trap '' INT; exec \"$@\"", "sh"];
    let mut command = Command::new("sh");
    command.args(shell).arg(recorded.command.get_program()).args(recorded.command.get_args());
    recorded.command = command;
    let recorded = recorded.output(&[&"-c", &program, &"run"]).output;
    let mut plain = Command::new("sh");
    let plain = plain.args(shell).arg(&python.path).args(["-c", program, "alone"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&plain.stdout), "True\ninterrupted\n");
    assert_eq!(String::from_utf8_lossy(&recorded.stdout), "True\ninterrupted\n");
    assert_eq!((plain.status.code(), recorded.status.code()), (Some(3), Some(3)));
}

#[test]
fn the_program_sees_neither_variables_nor_descriptors_nor_threads_nor_children_of_ours() {
    let program = "
import gc, os, sys
print(sorted(name for name in os.environ if name.startswith('MEMSIGHT_') or name == 'LD_PRELOAD'))
print(sorted(os.listdir('/proc/self/fd')))
print(open('/proc/self/stat').read().rsplit(')')[1].split()[17])
print(gc.callbacks, len(open('/proc/self/task/%d/children' % os.getpid()).read()))
try:
    os.wait()
except ChildProcessError as error:
    print(error)
child = os.fork()
if child == 0:
    os._exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";
    behave_the_same(&["-W", "error::DeprecationWarning", "-c", program], |command| {
        for name in ["MEMSIGHT_BIN_DIR", "MEMSIGHT_PRELOAD"] {
            command.env_remove(name);
        }
    });
}

#[test]
fn every_allocator_that_python_can_choose_is_recorded() {
    let program = "x = [bytearray(n) for n in range(2000)]; print(len(x))";
    for allocator in ["default", "malloc", "pymalloc", "debug", "malloc_debug", "pymalloc_debug"] {
        behave_the_same(&["-c", program], |command| {
            command.env("PYTHONMALLOC", allocator);
        });
    }
    behave_the_same(&["-X", "dev", "-c", program], |_| {});
    behave_the_same(&["-X", "tracemalloc", "-c", program], |_| {});
}

#[test]
fn what_is_piped_in_reaches_the_program() {
    let program = "import sys\nfor line in sys.stdin: print(len(line), line.upper(), end='')";
    for python in pythons() {
        let mut recorded = Run::new(None);
        let command = recorded.command.arg(&python.path).args(["-c", program]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(b"one\ntwo lines\n").expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "4 ONE\n10 TWO LINES\n", "{python}");
    }
}

#[test]
fn a_console_script_of_a_virtual_environment_is_recorded() {
    for python in pythons() {
        let folder = tempfile::tempdir().unwrap();
        let environment = folder.path().join("env");
        let made = python.command().args(["-m", "venv", "--without-pip"]).arg(&environment).status();
        assert!(made.unwrap().success(), "{python}: no virtual environment");
        let script = environment.join("bin/greet");
        let text =
            "import sys\nkept = [bytearray(1000) for _ in range(500)]\nprint(sys.prefix, *sys.argv[1:])\n";
        std::fs::write(&script, format!("#!{}\n{text}", environment.join("bin/python").display())).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", environment.join("bin").display(), std::env::var("PATH").unwrap());
        for program in [script.to_str().unwrap(), "greet"] {
            let mut run = Run::new(None);
            run.command.env("PATH", &path);
            let recorded = run.output(&[&program, &"you"]);
            assert_eq!(recorded.stdout(), format!("{} you\n", environment.display()), "{python}");
            let report = recorded.report();
            let version = report["interpreter"]["version"].as_str().unwrap_or_default().to_owned();
            assert!(version.starts_with(&format!("3.{}.", python.minor)), "{python}: {version}");
            let sites = report["sites"].as_array().expect("sites");
            let of_line = |line| sites.iter().filter(move |site| site["line"] == line);
            let kept: i64 = of_line(3).map(|site| support::number(&site["allocated_bytes"])).sum();
            assert!(kept >= 500 * 1000, "{python}: {kept}");
        }
    }
}
