//! Ten leaks that programs have, and the lines that tell where they are: what holds the
//! objects, in the program's words, with their count, bytes and allocation site.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Python, memsight, program, pythons};

/// Records a leak with the object graph of its end.
fn record(python: &Python, name: &str, folder: &Path) -> PathBuf {
    let capture = folder.join(format!("{name}-{}.msight", python.minor));
    let output = Command::new(memsight())
        .args(["run", "-q", "--heap", "exit", "-o"])
        .arg(&capture)
        .arg("--python")
        .arg(&python.path)
        .arg("--")
        .arg(program(&format!("leaks/{name}.py")))
        .current_dir(program("leaks"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("memsight can be run");
    assert!(output.status.success(), "{python}: {}", String::from_utf8_lossy(&output.stderr));
    capture
}

/// What memsight says of a capture, in lines without the spaces that make columns.
fn said(capture: &Path, command: &str, options: &[&str]) -> Vec<String> {
    let output = Command::new(memsight())
        .arg(command)
        .arg(capture)
        .args(options)
        .env("COLUMNS", "200")
        .output()
        .expect("memsight can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Whether a line is as wanted; a `*` that is not in brackets stands for anything.
fn is(line: &str, wanted: &str) -> bool {
    let open = wanted.replace("[*]", "\u{1}").replace("{*}", "\u{2}");
    let parts: Vec<String> =
        open.split('*').map(|part| part.replace('\u{1}', "[*]").replace('\u{2}', "{*}")).collect();
    let (first, last) = (parts.first().map_or("", |part| part), parts.last().map_or("", |part| part));
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    if parts.len() == 1 {
        return rest.is_empty();
    }
    for part in &parts[1..parts.len() - 1] {
        let Some(found) = rest.find(part.as_str()) else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

/// Each of `wanted` is a line, in this order.
fn has_lines(python: &Python, said: &[String], wanted: &[&str]) {
    let mut lines = said.iter();
    for wanted in wanted {
        assert!(
            lines.any(|line| is(line, wanted)),
            "{python}: no line '{wanted}' in its place in\n{}",
            said.join("\n")
        );
    }
}

/// On every Python: the rows of the overview, the paths to the objects of a type, and
/// what the report says of the line that leaks.
fn story(name: &str, rows: &[&str], who: &str, paths: &[&str], leak: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder for captures");
    for python in pythons() {
        let capture = record(python, name, folder.path());
        has_lines(python, &said(&capture, "heap", &[]), rows);
        has_lines(python, &said(&capture, "heap", &["--who-holds", who]), paths);
        has_lines(python, &said(&capture, "report", &["--leaks"]), leak);
    }
}

#[test]
fn lru_cache_on_a_method_keeps_the_instances() {
    story(
        "cached_method",
        &[
            "1.6 MB __main__.Report type cached_method.py:5",
            "1.6 MB .total functools._lru_cache_wrapper functools.py:*",
            "1.6 MB .rows 100 × list cached_method.py:7",
        ],
        "Report",
        &["100 × __main__.Report.total.<cache>.keys()[*][*]", "allocated at cached_method.py:15*"],
        &[
            "1.6 MB cached_method.py:7 *__init__",
            "100 × list __main__.Report.total.<cache>.keys()[*][*].rows",
        ],
    );
}

#[test]
fn a_dict_of_a_module_that_only_grows() {
    story(
        "growing_dict",
        &[
            "* MB __main__.SESSIONS dict growing_dict.py:13",
            "* MB [*] 100 × __main__.Session growing_dict.py:13",
        ],
        "Session",
        &[
            "100 × __main__.SESSIONS[*]",
            "allocated at growing_dict.py:13, for example __main__.SESSIONS['user *']",
        ],
        &[
            "* MB growing_dict.py:9 *__init__",
            "200 k × int __main__.SESSIONS[*].rows[*]",
            "100 × list __main__.SESSIONS[*].rows",
        ],
    );
}

#[test]
fn exceptions_keep_the_frames_they_went_through() {
    story(
        "kept_exceptions",
        &[
            "2.1 MB __main__.ERRORS list kept_exceptions.py:15",
            "2.1 MB [*] 100 × ValueError kept_exceptions.py:8",
        ],
        "bytearray",
        &[
            "100 × __main__.ERRORS[*].__traceback__.tb_next.tb_frame.f_locals['text']",
            "allocated at kept_exceptions.py:7*",
        ],
        &[
            "2.0 MB kept_exceptions.py:7 parse",
            "100 × bytearray __main__.ERRORS[*].__traceback__.tb_next.tb_frame.f_locals['text']",
        ],
    );
}

#[test]
fn a_closure_in_a_registry_of_callbacks() {
    story(
        "callbacks",
        &["2.0 MB .callbacks list callbacks.py:17", "2.0 MB [*] 100 × function callbacks.py:14"],
        "Widget",
        &["100 × __main__.Bus.callbacks[*].__closure__[*].cell_contents", "allocated at callbacks.py:21*"],
        &[
            "2.0 MB callbacks.py:10 *__init__",
            "100 × bytearray __main__.Bus.callbacks[*].__closure__[*].cell_contents.pixels",
        ],
    );
}

#[test]
fn a_cycle_while_the_collector_is_off() {
    story(
        "cycle_collector_off",
        &[
            "2.0 MB <garbage __main__.Parent> 100 × __main__.Parent cycle_collector_off.py:22",
            "2.0 MB .child 100 × __main__.Child cycle_collector_off.py:9",
        ],
        "Child",
        &["100 × <garbage __main__.Parent>.child"],
        &[
            "2.0 MB cycle_collector_off.py:18 *__init__",
            "100 × bytearray <garbage __main__.Parent>.child.data",
        ],
    );
    let folder = tempfile::tempdir().expect("a folder for captures");
    for python in pythons() {
        let capture = record(python, "cycle_collector_off", folder.path());
        has_lines(
            python,
            &said(&capture, "heap", &["--cycles"]),
            &[
                "2.0 MB 100 × *__main__.Parent → __main__.Child",
                "break __main__.Child.parent: a weak reference there, or clear it when done",
            ],
        );
    }
}

#[test]
fn a_forgotten_thread_local() {
    story(
        "thread_local",
        &[
            "2.0 MB __main__.local*",
            "2.0 MB *['requests'] list thread_local.py:10",
            "2.0 MB [*] 100 × bytearray thread_local.py:10",
        ],
        "_thread._local",
        &["1 × __main__.local"],
        &["2.0 MB thread_local.py:10 handle", "100 × bytearray __main__.local.<by thread>*[*]"],
    );
}

#[test]
fn a_task_that_is_never_awaited() {
    story(
        "task_never_awaited",
        &[
            "2.1 MB __main__.BACKGROUND set task_never_awaited.py:4",
            "2.* MB ._coro 100 × coroutine task_never_awaited.py:16",
        ],
        "bytearray",
        &["100 × __main__.BACKGROUND{*}._coro.*['body']", "allocated at task_never_awaited.py:8*"],
        &["2.0 MB task_never_awaited.py:8 upload", "100 × bytearray __main__.BACKGROUND{*}._coro.*['body']"],
    );
}

#[test]
fn a_suspended_generator_keeps_its_file() {
    story(
        "suspended_generator",
        &["1.* MB __main__.READERS list suspended_generator.py:16"],
        "_io.BufferedReader",
        &["49 × __main__.READERS[*].*['file']", "allocated at suspended_generator.py:8*"],
        &["1.0 MB suspended_generator.py:8 lines", "49 × _io.BufferedReader __main__.READERS[*].*['file']"],
    );
}

#[test]
fn a_logging_handler_that_keeps_records() {
    story(
        "log_records",
        &[
            "2.1 MB .records list log_records.py:11",
            "2.1 MB [*] 100 × logging.LogRecord logging/__init__.py:*",
        ],
        "bytearray",
        &["100 × __main__.logger.handlers[*].records[*].args[*]", "allocated at log_records.py:17*"],
        &[
            "2.0 MB log_records.py:17 <module>",
            "100 × bytearray __main__.logger.handlers[*].records[*].args[*]",
        ],
    );
}

#[test]
fn a_cache_of_big_buffers() {
    story(
        "buffer_cache",
        &[
            "10 MB __main__.IMAGES __main__.Images buffer_cache.py:14",
            "10 MB .by_path dict buffer_cache.py:10",
            "10 MB [*] 50 × bytearray buffer_cache.py:10",
        ],
        "bytearray",
        &[
            "50 × __main__.IMAGES.by_path[*]",
            "allocated at buffer_cache.py:10, for example __main__.IMAGES.by_path['/img/0.png']",
        ],
        &["10 MB buffer_cache.py:10 *load", "50 × bytearray __main__.IMAGES.by_path[*]"],
    );
}
