//! C programs that end in every way, or not at all: a clear end each time, and nothing left running.

mod support_c;
mod view_c_support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support_c::{Lab, memsight};
use view_c_support::{View, gallery, run, view_text, view_with};

fn view_of(lab: &Lab, text: &str, options: &[&str], arguments: &[&str], input: &str) -> View {
    view_with(options, &lab.write("program.c", text), arguments, input)
}

/// What memsight says of a program that it cannot view; it fails with 2.
fn refused(program: &Path, options: &[&str]) -> String {
    let mut command = Command::new(memsight());
    command.args(["view", "--json", "-"]).args(options).arg(program);
    let output = run(command, "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(output.stdout, b"");
    said
}

/// Whether a process still runs.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn a_program_that_never_ends_is_stopped_after_its_steps() {
    let lab = Lab::new();
    let text = "#include <stdio.h>\n#include <unistd.h>\nint main(void) {\n printf(\"%d\\n\", getpid());\n fflush(stdout);\n int n = 0;\n while (1)\n  n++;\n}\n";
    let view = view_of(&lab, text, &["--max-steps", "50"], &[], "");
    assert_eq!(view.steps().len(), 50);
    assert_eq!(view.trace["truncated"], true);
    assert_eq!(view.trace["ending"], "stopped after 50 steps");
    assert!(!runs(view.stdout.trim()), "it still runs");
}

#[test]
fn a_program_that_waits_is_stopped_after_its_time() {
    let lab = Lab::new();
    let text = "#include <unistd.h>\nint main(void) {\n pause();\n return 0;\n}\n";
    let began = Instant::now();
    let view = view_of(&lab, text, &["--timeout", "1"], &[], "");
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!((view.steps().len(), &view.trace["ending"]), (1, &"stopped after 1 s".into()));
}

#[test]
fn ctrl_c_ends_the_program_and_keeps_what_was_seen() {
    let lab = Lab::new();
    let program = lab.write("program.c", "#include <stdio.h>\n#include <unistd.h>\nint main(void) {\n printf(\"%d\\n\", getpid());\n fflush(stdout);\n pause();\n}\n");
    let json = lab.path("view.json");
    let mut command = Command::new(memsight());
    command.arg("view").arg("--json").arg(&json).arg(&program).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pid = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut pid)
        .unwrap();
    let killed = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
    assert!(!runs(pid.trim()), "the program still runs");
    let trace: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(trace["ending"], "stopped by SIGINT");
    // The signal may come as soon as the line is out, while the step after it is not taken.
    assert!(trace["steps"].as_array().unwrap().len() >= 2);
}

#[test]
fn all_that_a_program_prints_comes_through_and_little_of_it_is_kept() {
    let lab = Lab::new();
    let text = "#include <stdio.h>\nint main(void) {\n static char line[1000];\n for (int i = 0; i < 999; i++) line[i] = 'x';\n line[999] = '\\n';\n for (int i = 0; i < 100000; i++) fwrite(line, 1, 1000, stdout);\n return 3;\n}\n";
    let view = view_of(&lab, text, &[], &[], "");
    assert_eq!(view.stdout.len(), 100_000_000);
    assert_eq!(view.trace["ending"], "exit 3");
    let kept: usize = view.steps().iter().map(|step| step["stdout"].as_str().unwrap().len()).sum();
    assert!(kept < 2_000_000, "{kept}");
    let notes = view.trace["notes"].to_string();
    assert!(notes.contains("more than is kept"), "{notes}");
}

#[test]
fn the_output_is_the_programs_own_and_belongs_to_the_line_that_printed_it() {
    let lab = Lab::new();
    let text = "#include <stdio.h>\n#include <unistd.h>\nint main(void) {\n printf(\"a\");\n printf(\"b\\n\");\n fprintf(stderr, \"e\\n\");\n fflush(stdout);\n write(1, \"c\\n\", 2);\n printf(\"d\");\n return 0;\n}\n";
    let view = view_of(&lab, text, &[], &[], "");
    assert_eq!(view.stdout, "ab\nc\nd");
    let printed: Vec<(u64, &str)> = view
        .steps()
        .iter()
        .filter(|step| step["stdout"] != "")
        .map(|step| (step["line"].as_u64().unwrap(), step["stdout"].as_str().unwrap()))
        .collect();
    assert_eq!(printed, [(5, "a"), (6, "b\n"), (9, "c\n"), (10, "d")]);
    assert_eq!(view.at_line(7)["stderr"], "e\n");
    assert!(view.stderr.contains("e\n"));
}

#[test]
fn stdin_arguments_and_the_exit_code_are_the_programs_own() {
    let lab = Lab::new();
    let text = "#include <stdio.h>\nint main(int argc, char **argv) {\n char line[20];\n if (fgets(line, 20, stdin)) printf(\"%d %s %s %s\", argc, argv[1], argv[2], line);\n return 7;\n}\n";
    let view = view_of(&lab, text, &[], &["a 'b'", "$HOME \"c\""], "hello\n");
    assert_eq!(view.stdout, "3 a 'b' $HOME \"c\" hello\n");
    assert_eq!(view.trace["ending"], "exit 7");
    let step = view.at_line(4);
    let list = &step["heap"][view.target(step, "argv")];
    let second = list["items"][2][1]["ref"].as_str().unwrap();
    assert_eq!(step["heap"][second]["value"], r#""$HOME \"c\"""#);
    assert_eq!(list["items"][3][1]["value"], "NULL");
}

#[test]
fn a_child_is_not_followed_and_does_not_stay() {
    let lab = Lab::new();
    let text = "#include <stdio.h>\n#include <unistd.h>\nint main(void) {\n pid_t child = fork();\n if (child == 0) {\n  sleep(1000);\n  return 0;\n }\n printf(\"%d\\n\", child);\n return 0;\n}\n";
    let view = view_of(&lab, text, &[], &[], "");
    assert_eq!(view.trace["ending"], "exit 0");
    assert!(view.steps().iter().all(|step| step["line"] != 6), "the child was followed");
    assert!(!runs(view.stdout.trim()), "the child still runs");
}

#[test]
fn a_program_may_kill_itself() {
    for (call, ending) in [
        ("raise(SIGKILL)", "killed by SIGKILL"),
        ("abort()", "killed by SIGABRT"),
        ("_exit(5)", "exit 5"),
        ("raise(SIGTERM)", "killed by SIGTERM"),
    ] {
        let text = format!(
            "#include <signal.h>\n#include <stdlib.h>\n#include <unistd.h>\nint main(void) {{\n {call};\n}}\n"
        );
        let view = view_text(&text, &[]);
        assert_eq!(view.trace["ending"], ending);
        assert_eq!(view.last()["event"], "end");
    }
}

#[test]
fn what_cannot_be_viewed_is_refused() {
    let lab = Lab::new();
    let cases = [
        (lab.write("syntax.c", "int main(void) { return }\n"), "cc cannot compile it"),
        (lab.write("empty.c", ""), "cc cannot compile it"),
        (lab.write("binary.c", "\u{0}\u{1}\u{fffd}\u{7f}"), "cc cannot compile it"),
        (lab.write("notes.txt", "hello"), "is no .py file, no .c file and no executable"),
        (lab.path("missing.c"), "there is no such file"),
        (lab.folder().to_owned(), "is a folder"),
    ];
    for (program, said) in cases {
        let words = refused(&program, &[]);
        assert!(words.contains(said), "{}: {words}", program.display());
    }
    assert!(refused(&lab.path("syntax.c"), &[]).contains("expected expression"), "what cc says is passed on");
}

#[test]
fn a_missing_debugger_or_compiler_is_said() {
    let lab = Lab::new();
    let program = lab.write("program.c", "int main(void) { return 0; }\n");
    let view = |path: &Path| {
        let mut command = Command::new(memsight());
        command.args(["view", "--json", "-"]).arg(&program).env("PATH", path);
        let output = run(command, "");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let bin = lab.path("bin");
    std::fs::create_dir(&bin).unwrap();
    assert!(view(&bin).contains("there is no cc"));
    for tool in ["cc", "as", "ld"] {
        std::os::unix::fs::symlink(Path::new("/usr/bin").join(tool), bin.join(tool)).unwrap();
    }
    let said = view(&bin);
    assert!(said.contains("there is no gdb"), "{said}");
}

#[test]
fn an_executable_without_debug_information_is_refused_and_one_with_it_is_viewed() {
    let lab = Lab::new();
    let source = lab.write(
        "program.c",
        "int twice(int n) {\n return 2 * n;\n}\nint main(void) {\n return twice(2);\n}\n",
    );
    let program = lab.path("program");
    let compile = |flags: &str| format!("cc {flags} -o {} {}", program.display(), source.display());
    let stripped = compile("-O0 -g0");
    assert!(refused(&program, &["--compile", &stripped]).contains("no debug information"));
    let with = compile("-O0 -g");
    let view = view_with(&["--compile", &with], &program, &[], "");
    assert_eq!(view.trace["ending"], "exit 4");
    assert!(view.steps().iter().any(|step| view.function(step) == "twice"));
    assert!(refused(&program, &["--compile", "exit 3"]).contains("'exit 3' failed"));
}

#[test]
fn a_part_of_a_program_can_be_watched() {
    let from = view_with(&["--from", "11"], &gallery("recursion.c"), &[], "");
    assert_eq!(from.steps()[0]["line"], 12, "line 11 has no code of its own");
    let function = view_with(&["--function", "sum"], &gallery("recursion.c"), &[], "");
    assert!(function.steps().iter().all(|step| step["event"] == "end" || function.function(step) == "sum"));
    assert_eq!(function.steps()[0]["stack"].as_array().unwrap().len(), 2, "main has called it");
    let mut command = Command::new(memsight());
    command.args(["view", "--json", "-", "--function", "nothing"]).arg(gallery("recursion.c"));
    let output = run(command, "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("it has no function nothing"));
}

#[test]
fn each_thread_has_its_stack() {
    let lab = Lab::new();
    let text = "#include <pthread.h>\nstatic void *work(void *given) {\n int *number = given;\n *number += 1;\n return number;\n}\nint main(void) {\n pthread_t threads[2];\n int numbers[2] = {1, 2};\n for (int i = 0; i < 2; i++)\n  pthread_create(&threads[i], 0, work, &numbers[i]);\n for (int i = 0; i < 2; i++)\n  pthread_join(threads[i], 0);\n return numbers[0] * 10 + numbers[1];\n}\n";
    let view = view_of(&lab, text, &[], &[], "");
    assert_eq!(view.trace["ending"], "exit 23");
    let threads: std::collections::BTreeSet<u64> = view
        .steps()
        .iter()
        .filter(|step| view.function(step) == "work")
        .map(|step| step["thread"].as_u64().unwrap())
        .collect();
    assert_eq!(threads.into_iter().collect::<Vec<_>>(), [1, 2]);
    assert!(
        view.steps()
            .iter()
            .all(|step| view.function(step) != "work" || step["stack"].as_array().unwrap().len() == 1)
    );
}

#[test]
fn jumps_and_signal_handlers_keep_the_stack_right() {
    let lab = Lab::new();
    let text = "#include <setjmp.h>\n#include <signal.h>\nstatic jmp_buf back;\nstatic volatile int seen;\nstatic void deep(int n) {\n if (n == 0) longjmp(back, 1);\n deep(n - 1);\n}\nstatic void handler(int number) {\n seen = number;\n}\nint main(void) {\n if (setjmp(back) == 0)\n  deep(3);\n signal(SIGUSR1, handler);\n raise(SIGUSR1);\n return seen;\n}\n";
    let view = view_of(&lab, text, &[], &[], "");
    assert_eq!(view.trace["ending"], format!("exit {}", libc_sigusr1()));
    let functions = |step: &serde_json::Value| -> Vec<String> {
        step["stack"].as_array().unwrap()[1..]
            .iter()
            .map(|frame| frame["function"].as_str().unwrap().to_owned())
            .collect()
    };
    let deepest = view.steps().iter().map(functions).max_by_key(Vec::len).unwrap();
    assert_eq!(deepest, ["main", "deep", "deep", "deep", "deep"]);
    assert_eq!(functions(view.at_line(15)), ["main"]);
    assert_eq!(functions(view.at_line(10)), ["main", "handler"]);
}

fn libc_sigusr1() -> i32 {
    10
}

#[test]
fn two_thousand_steps_with_many_objects_are_taken_in_time() {
    let lab = Lab::new();
    let text = "#include <stdlib.h>\nstruct node { long value; struct node *next; };\nint main(void) {\n struct node *head = NULL;\n for (int i = 0; i < 300; i++) {\n  struct node *node = malloc(sizeof *node);\n  node->value = i;\n  node->next = head;\n  head = node;\n }\n for (struct node *at = head; at; at = at->next)\n  at->value += 1;\n return 0;\n}\n";
    let began = Instant::now();
    let view = view_of(&lab, text, &["--max-steps", "2000"], &[], "");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(view.steps().len(), 2000);
    let last = view.last()["heap"].as_object().unwrap().len();
    assert_eq!(last, 300);
}
