//! What a command line means: which file is executed, with which arguments.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{python, refuse};
use crate::sys;

/// A program ready to be executed.
#[derive(Debug)]
pub(crate) struct Target {
    /// The file to execute.
    pub(crate) file: PathBuf,
    /// What it is told its own name is.
    pub(crate) argv0: OsString,
    /// The arguments behind that.
    pub(crate) arguments: Vec<OsString>,
    /// What a capture of it is called.
    pub(crate) name: String,
}

/// Finds what `command` is to execute, and refuses what cannot be recorded.
/// `interpreter` is `--python`.
pub(crate) fn find(command: &[OsString], interpreter: Option<&Path>) -> Result<Target> {
    let Some((program, arguments)) = command.split_first() else {
        bail!("there is no program to run; write: memsight run script.py");
    };
    let target = match python_name(program, arguments)? {
        Some(name) => for_python(name, command, interpreter)?,
        None => {
            if interpreter.is_some() {
                bail!(
                    "--python is for script.py, -m module and -c code, and {} is none of them",
                    program.display()
                );
            }
            for_executable(program, arguments)?
        }
    };
    refuse::unless_recordable(&target.file)?;
    Ok(target)
}

/// What the capture is called if Python is to run `program`; `None` if it is an executable.
fn python_name(program: &OsStr, arguments: &[OsString]) -> Result<Option<String>> {
    let text = program.to_string_lossy();
    let path = Path::new(program);
    if let Some(module) = text.strip_prefix("-m") {
        let module = if module.is_empty() {
            arguments.first().map(|name| name.to_string_lossy())
        } else {
            Some(module.into())
        };
        return module.map(|name| Some(name.into_owned())).context("-m needs the name of a module");
    }
    if let Some(code) = text.strip_prefix("-c") {
        if code.is_empty() && arguments.is_empty() {
            bail!("-c needs code to run");
        }
        return Ok(Some("code".into()));
    }
    if text.starts_with('-') {
        bail!("'{text}' is no option of memsight run; see memsight run --help");
    }
    let is_script = path
        .extension()
        .is_some_and(|extension| ["py", "pyw", "pyz"].iter().any(|known| extension == *known));
    let is_package = path.join("__main__.py").is_file();
    if is_script || is_package {
        if !path.exists() {
            bail!("{}: there is no such script", path.display());
        }
        if is_script && path.is_dir() && !is_package {
            bail!("{}: is a folder without a __main__.py", path.display());
        }
        let stem = if is_package { path.file_name() } else { path.file_stem() };
        return Ok(Some(stem.unwrap_or(OsStr::new("script")).to_string_lossy().into_owned()));
    }
    Ok(None)
}

fn for_python(name: String, command: &[OsString], interpreter: Option<&Path>) -> Result<Target> {
    let file = python::interpreter(interpreter)?;
    Ok(Target { argv0: file.clone().into(), file, arguments: command.to_vec(), name })
}

fn for_executable(program: &OsStr, arguments: &[OsString]) -> Result<Target> {
    let file = on_path(program)?;
    let name = file.file_name().unwrap_or(program).to_string_lossy().into_owned();
    let as_given = Target { file, argv0: program.into(), arguments: arguments.to_vec(), name };
    // A shim for Python (pyenv's is a shell script) would only be recorded as a chain of programs.
    if as_given.name.starts_with("python") && python::is_shim(&as_given.file) {
        let file = python::behind_shim(&as_given.file)?;
        return Ok(Target { argv0: file.clone().into(), file, ..as_given });
    }
    match first_line(&as_given.file) {
        Some(first_line) => for_script(as_given, &first_line),
        None => Ok(as_given),
    }
}

/// A script of any language. The kernel starts its interpreter; only
/// `#!/usr/bin/env NAME` is followed here, so that the capture is of NAME.
fn for_script(script: Target, first_line: &str) -> Result<Target> {
    let (interpreter, argument) = match first_line.split_once(char::is_whitespace) {
        Some((interpreter, argument)) => (interpreter, argument.trim()),
        None => (first_line, ""),
    };
    let place = || format!("{}, whose first line is #!{first_line}", script.file.display());
    let is_env = Path::new(interpreter).file_name() == Some(OsStr::new("env"));
    let is_name =
        !argument.is_empty() && !argument.starts_with('-') && !argument.contains(['=', ' ', '\t', '/']);
    if is_env && is_name {
        let found = on_path(OsStr::new(argument)).with_context(place)?;
        let is_shim = argument.starts_with("python") && python::is_shim(&found);
        let file = if is_shim { python::behind_shim(&found)? } else { found };
        let mut arguments = vec![script.file.into_os_string()];
        arguments.extend(script.arguments);
        return Ok(Target { file, argv0: argument.into(), arguments, name: script.name });
    }
    if !Path::new(interpreter).exists() {
        bail!("{}: there is no {interpreter}", place());
    }
    refuse::unless_recordable(Path::new(interpreter)).with_context(place)?;
    Ok(script)
}

/// What follows `#!` on a file's first line.
fn first_line(file: &Path) -> Option<String> {
    // The kernel reads no further than this either.
    let mut bytes = [0; 256];
    let len = File::open(file).ok()?.read(&mut bytes).ok()?;
    let line = bytes[..len].strip_prefix(b"#!")?;
    let end = line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len());
    Some(String::from_utf8_lossy(&line[..end]).trim().to_owned())
}

/// The file that a name stands for, as a shell would find it.
pub(super) fn on_path(program: &OsStr) -> Result<PathBuf> {
    let shown = program.display();
    if program.is_empty() {
        bail!("the program's name is empty");
    }
    if program.as_bytes().contains(&b'/') {
        let path = PathBuf::from(program);
        if path.is_dir() {
            bail!("{shown}: is a folder; give a program, a script, or a package with a __main__.py");
        }
        if !path.exists() {
            bail!("{shown}: there is no such file");
        }
        if !sys::may_execute(&path) {
            bail!("{shown}: may not be executed; if it should be, run chmod +x {shown}");
        }
        return Ok(path);
    }
    let mut unusable = None;
    let folders = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    for folder in std::env::split_paths(&folders) {
        let path = folder.join(program);
        if path.is_file() && sys::may_execute(&path) {
            return Ok(path);
        }
        if path.is_file() {
            unusable.get_or_insert(path);
        }
    }
    if let Some(path) = unusable {
        bail!("{}: may not be executed", path.display());
    }
    if Path::new(program).is_dir() {
        bail!("{shown}: is a folder; give a program, a script, or a package with a __main__.py");
    }
    if Path::new(program).exists() {
        bail!("{shown}: no program of this name on PATH; for the file of this folder write ./{shown}");
    }
    bail!("{shown}: no program of this name on PATH")
}
