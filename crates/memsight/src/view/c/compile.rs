//! From a C file, or a command that builds one, to an executable with debug information.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::super::Args;
use crate::scratch::Scratch;

/// What `cc` is told. Frames are left as plain as they come: a variable that is overrun lies beside
/// the one that overruns, and what comes of it is seen.
const FLAGS: [&str; 4] = ["-g", "-O0", "-fno-omit-frame-pointer", "-fno-stack-protector"];

/// The executable to look at.
pub(super) fn executable(args: &Args, scratch: &Scratch) -> Result<PathBuf> {
    let program = &args.program;
    let shown = program.display();
    if let Some(build) = &args.compile {
        // What a build prints is no data.
        let status =
            Command::new("/bin/sh").arg("-c").arg(build).stdout(Stdio::from(std::io::stderr())).status();
        let status = status.context("/bin/sh cannot be run")?;
        if !status.success() {
            bail!("'{build}' failed ({status}); what it says is above");
        }
        if !program.is_file() {
            bail!("{shown}: '{build}' has not made it; PROGRAM is the executable that --compile builds");
        }
        return absolute(program);
    }
    if program.is_dir() {
        bail!("{shown}: is a folder; give a .py file, a .c file, or an executable with debug information");
    }
    if !program.exists() {
        bail!("{shown}: there is no such file");
    }
    if program.extension().is_none_or(|extension| extension != "c") {
        if starts_as_elf(program) {
            return absolute(program);
        }
        bail!("{shown}: is no .py file, no .c file and no executable");
    }
    let to = scratch.path().join(program.file_stem().unwrap_or_default());
    let mut cc = Command::new("cc");
    cc.args(FLAGS).arg("-o").arg(&to).arg(program).args(["-lm", "-pthread"]);
    let status = cc.stdin(Stdio::null()).stdout(Stdio::from(std::io::stderr())).status().map_err(
        |error| match error.kind() {
            std::io::ErrorKind::NotFound => anyhow::anyhow!(
                "there is no cc to compile {shown} with; install a C compiler (Debian: apt-get install gcc), \
                 or give --compile a command that has one"
            ),
            _ => anyhow::Error::new(error).context("cc cannot be run"),
        },
    )?;
    if !status.success() {
        bail!("{shown}: cc cannot compile it; what it says is above");
    }
    Ok(to)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| path.display().to_string())
}

fn starts_as_elf(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

/// Which of the program's files are its own: those below the folder of its main file, and of those that
/// are elsewhere none. `c_file` is the program, if it is one.
pub(super) fn own_sources(mut all: Vec<PathBuf>, c_file: Option<&Path>, executable: &Path) -> Vec<PathBuf> {
    let main = c_file.and_then(|path| path.canonicalize().ok());
    let folder = main.as_deref().unwrap_or(executable).parent().map(Path::to_owned);
    let here = std::env::current_dir().and_then(|folder| folder.canonicalize()).ok();
    all.retain(|path| {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let below = |folder: &Option<PathBuf>| folder.as_ref().is_some_and(|folder| real.starts_with(folder));
        below(&folder) || (main.is_none() && below(&here))
    });
    all.sort_by_key(|path| (path.canonicalize().ok() != main, path.clone()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_files_are_those_in_the_folder_and_the_program_comes_first() {
        let scratch = Scratch::create("test").unwrap();
        let main = scratch.write("main.c", "").unwrap();
        let other = scratch.write("a.c", "").unwrap();
        let all = vec![other.clone(), PathBuf::from("/usr/include/stdio.h"), main.clone()];
        assert_eq!(own_sources(all, Some(&main), Path::new("/tmp/x")), [main, other]);
    }
}
