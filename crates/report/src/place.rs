//! Places as people read them: short paths, short function names.

use std::path::Path;

use memsight_insight::{Key, Program, Site, library_path};

use crate::look::{cut_front, printable};

/// What stands for allocations while no Python code ran.
pub(crate) const OUTSIDE: &str = "before or outside Python code";
/// What stands for all lines of the import machinery.
pub(crate) const IMPORT: &str = "import of modules";

/// A path, from the package on for libraries, else from the working folder on.
pub(crate) fn short_path(file: &str, cwd: &Path) -> String {
    if let Some(path) = library_path(file) {
        return path.into();
    }
    match Path::new(file).strip_prefix(cwd) {
        Ok(path) if cwd != Path::new("/") => path.to_string_lossy().into_owned(),
        _ => file.strip_prefix("./").unwrap_or(file).into(),
    }
}

/// The last two parts of a qualified name, without `<locals>`.
pub(crate) fn short_function(function: &str) -> String {
    let parts: Vec<&str> = function.split('.').filter(|part| *part != "<locals>").collect();
    parts[parts.len().saturating_sub(2)..].join(".")
}

/// `orders.py:88`, cut at its front to `width` columns.
pub(crate) fn file_and_line(site: &Site, cwd: &Path, width: usize) -> String {
    if site.is_outside_python() {
        return OUTSIDE.into();
    }
    let line = format!(":{}", site.line);
    let path = short_path(&site.file, cwd);
    format!("{}{line}", cut_front(&path, width.saturating_sub(line.len())))
}

/// The place and the function of a table's line.
pub(crate) fn label(program: &Program, key: &Key, cwd: &Path, width: usize) -> (String, String) {
    let (place, function) = raw_label(program, key, cwd, width);
    (printable(&place), printable(&function))
}

fn raw_label(program: &Program, key: &Key, cwd: &Path, width: usize) -> (String, String) {
    let alone = |place: String| (place, String::new());
    let or_outside = |path: String| if path.is_empty() { OUTSIDE.into() } else { path };
    match key {
        Key::Import => alone(IMPORT.into()),
        Key::Site(site) if site.is_outside_python() => alone(OUTSIDE.into()),
        Key::Site(site) => (file_and_line(site, cwd, width), short_function(&site.function)),
        Key::Function { file, .. } if file.is_empty() => alone(OUTSIDE.into()),
        Key::Function { file, function } => {
            (cut_front(&short_path(file, cwd), width), short_function(function))
        }
        Key::File(file) => alone(or_outside(cut_front(&short_path(file, cwd), width))),
        Key::Module(module) => alone(or_outside(cut_front(module, width))),
        Key::Type(name) => alone(cut_front(name, width)),
        Key::Thread { process, thread } => alone(thread_label(program, *process, *thread)),
        Key::Process(process) => alone(process_label(program, *process)),
    }
}

fn thread_label(program: &Program, process: usize, thread: u32) -> String {
    let process = &program.processes[process];
    let pid = process.recording.whereabouts.pid;
    let of = if program.processes.len() > 1 { format!(" of process {pid}") } else { String::new() };
    match process.recording.threads.get(thread as usize) {
        Some(found) if found.turns > 1 => {
            format!("{} ({} and {} after it){of}", found.name, found.tid, found.turns - 1)
        }
        Some(found) => format!("{} ({}){of}", found.name, found.tid),
        None => format!("thread {thread}{of}"),
    }
}

fn process_label(program: &Program, process: usize) -> String {
    let whereabouts = &program.processes[process].recording.whereabouts;
    format!("{} {}", whereabouts.pid, whereabouts.command.join(" "))
}

/// What a person calls the program: its script, its module or its own name.
///
/// ```text
/// python3 -X dev orders.py 7 → orders.py      python -m pytest -x → pytest
/// python3 -c 'print(1)'      → python3 -c     /usr/bin/convert a → convert
/// ```
pub(crate) fn program_name(command: &[String]) -> String {
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let Some((program, arguments)) = command.split_first() else { return "the program".into() };
    let program = base(program);
    if !program.starts_with("python") && !program.starts_with("pypy") {
        return program;
    }
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-c" => return format!("{program} -c"),
            "-m" => return arguments.next().cloned().unwrap_or(program),
            "-X" | "-W" | "--check-hash-based-pycs" => _ = arguments.next(),
            flag if flag.starts_with('-') => {}
            script => return base(script),
        }
    }
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_by_its_script() {
        for (command, name) in [
            ("python3 -X dev orders.py 7", "orders.py"),
            ("/usr/bin/python3.11 -m pytest -x", "pytest"),
            ("python -c print(1)", "python -c"),
            ("/usr/bin/convert a b", "convert"),
            ("python3", "python3"),
        ] {
            let command: Vec<String> = command.split(' ').map(String::from).collect();
            assert_eq!(program_name(&command), name);
        }
        assert_eq!(program_name(&[]), "the program");
    }

    #[test]
    fn paths_are_as_short_as_they_can_be() {
        let cwd = Path::new("/work");
        assert_eq!(short_path("/work/a/b.py", cwd), "a/b.py");
        assert_eq!(short_path("/other/b.py", cwd), "/other/b.py");
        assert_eq!(short_path("/v/lib/python3.11/site-packages/yaml/reader.py", cwd), "yaml/reader.py");
        assert_eq!(short_path("/usr/lib/python3.11/json/decoder.py", cwd), "json/decoder.py");
        assert_eq!(short_function("Outer.method.<locals>.inner"), "method.inner");
    }
}
