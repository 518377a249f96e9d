//! Where the capture goes.
//!
//! The recorder makes the file itself, in the program's process. The default
//! name holds that process's id, which is not known before it runs, so the
//! recorder is given a template: it puts its own id in the place of `%p`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use memsight_insight::{captures_beside, is_capture, run_of};

use crate::sys;
use crate::terminal::say;

/// What the recorder replaces by the process id.
const PID: &str = "%p";

/// Where a capture goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To the path that this template gives.
    To(PathBuf),
    /// Nowhere: the program runs unrecorded, for this reason.
    Nowhere(String),
}

impl Destination {
    /// Settles where the capture goes. `-o` names a file that must not be there
    /// unless it is an old capture and `force` says so; without `-o` the working
    /// folder is used, or the folder for temporary files where that cannot be written.
    pub(crate) fn choose(output: Option<&Path>, name: &str, force: bool) -> Result<Self> {
        match output {
            Some(path) => Self::at(path, force),
            None => Self::by_default(name),
        }
    }

    fn at(path: &Path, force: bool) -> Result<Self> {
        let shown = path.display();
        let absolute = std::path::absolute(path).with_context(|| shown.to_string())?;
        if path.is_dir() {
            bail!("-o {shown}: is a folder; give the name of a file");
        }
        if path.symlink_metadata().is_ok() {
            if !is_replaceable(path) {
                bail!("-o {shown}: is there already and is no capture; choose another name");
            }
            if !force {
                bail!("-o {shown}: is there already; choose another name, or add --force to replace it");
            }
            let children = captures_of_children(path);
            std::fs::remove_file(path).with_context(|| format!("-o {shown}: cannot be replaced"))?;
            for child in children {
                let _ = std::fs::remove_file(child);
            }
        }
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        match sys::may_write_in(folder) {
            Ok(()) => Ok(Destination::To(absolute)),
            Err(why) => {
                Ok(Destination::Nowhere(format!("no file can be made in {}: {why}", folder.display())))
            }
        }
    }

    fn by_default(name: &str) -> Result<Self> {
        let file = format!("memsight-{}-{PID}.msight", harmless(name));
        let here = std::env::current_dir().context("the working folder is gone")?;
        let folders = [here.clone(), std::env::temp_dir()];
        let Some(folder) = folders.iter().find(|folder| sys::may_write_in(folder).is_ok()) else {
            return Ok(Destination::Nowhere(format!("no file can be made in {}", here.display())));
        };
        if *folder != here {
            say(&format!(
                "memsight: no file can be made in {}; the capture goes to {}",
                here.display(),
                folder.display()
            ));
        }
        Ok(Destination::To(folder.join(file)))
    }
}

/// Whether `--force` may replace what is at `path`: a capture, or an empty file that
/// was to become one. Never a device, or a script whose name got behind `-o`.
fn is_replaceable(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) => metadata.is_file() && (metadata.len() == 0 || is_capture(path)),
        // A link to nothing.
        Err(_) => path.is_symlink(),
    }
}

/// The captures beside one that are of the same run.
fn captures_of_children(path: &Path) -> Vec<PathBuf> {
    let Some(run_id) = run_of(path) else { return Vec::new() };
    let beside = captures_beside(path).into_iter().map(|(_, child)| child);
    beside.filter(|child| run_of(child) == Some(run_id)).collect()
}

/// The capture of a run, in the process with this id. Where the recorder found
/// the template's name taken it put a number after the id: 2, then 3.
pub(crate) fn capture_of_run(template: &Path, pid: i32, run_id: [u8; 16]) -> PathBuf {
    let first = path_in_process(template, &pid.to_string());
    let others = (2..).map(|number| path_in_process(template, &format!("{pid}-{number}")));
    let is_ours = |path: &PathBuf| run_of(path) == Some(run_id);
    let mut candidates = std::iter::once(first.clone()).chain(others).take_while(|path| path.exists());
    candidates.find(is_ours).unwrap_or(first)
}

/// The path that a template gives in the process with this id, as the recorder
/// makes it: in the place of the last `%p` of the file's name.
fn path_in_process(template: &Path, pid: &str) -> PathBuf {
    let Some(name) = template.file_name() else { return template.into() };
    let name = name.as_bytes();
    let Some(at) = name.windows(PID.len()).rposition(|found| found == PID.as_bytes()) else {
        return template.into();
    };
    let name = [&name[..at], pid.as_bytes(), &name[at + PID.len()..]].concat();
    template.with_file_name(OsString::from_vec(name))
}

/// `name` as a part of a file's name.
fn harmless(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || "._+-".contains(c) { c } else { '_' };
    let name: String = name.chars().take(60).map(keep).collect();
    if name.is_empty() { "program".into() } else { name }
}

#[cfg(test)]
mod tests {
    use memsight_capture::Start;
    use memsight_insight::testing::{Writer, start};

    use super::*;

    #[test]
    fn names_become_harmless() {
        assert_eq!(harmless("http.server"), "http.server");
        assert_eq!(harmless("../a b%p"), ".._a_b_p");
        assert_eq!(harmless(""), "program");
    }

    #[test]
    fn the_process_id_takes_its_place() {
        assert_eq!(path_in_process(Path::new("/t/a-%p.msight"), "42"), Path::new("/t/a-42.msight"));
        assert_eq!(path_in_process(Path::new("/%p/%p%p%"), "7"), Path::new("/%p/%p7%"));
        assert_eq!(path_in_process(Path::new("/%p/a"), "7"), Path::new("/%p/a"));
        assert_eq!(path_in_process(Path::new("/t/a"), "7"), Path::new("/t/a"));
    }

    #[test]
    fn a_file_that_is_there_is_only_replaced_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.msight");
        let capture = Writer::new(start()).bytes();
        let cut_short = &capture[..capture.len() / 2];
        for old in [&capture[..], cut_short, b""] {
            std::fs::write(&path, old).unwrap();
            assert!(Destination::at(&path, false).is_err());
            assert_eq!(std::fs::read(&path).unwrap(), old);
            assert_eq!(Destination::at(&path, true).unwrap(), Destination::To(path.clone()));
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_is_no_capture_is_not_replaced_by_force_either() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("orders.py");
        std::fs::write(&script, "print('kept')").unwrap();
        let device = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &device).unwrap();
        for path in [&script, &device] {
            let error = Destination::at(path, true).unwrap_err().to_string();
            assert!(error.contains("no capture"), "{error}");
            assert!(path.exists());
        }
    }

    #[test]
    fn a_runs_capture_is_found_where_its_name_was_taken() {
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("a-%p.msight");
        let file = |name: &str| folder.path().join(name);
        let capture = |run| Writer::new(Start { run_id: [run; 16], ..start() }).bytes();
        std::fs::write(file("a-7.msight"), capture(1)).unwrap();
        std::fs::write(file("a-7-2.msight"), "no capture").unwrap();
        std::fs::write(file("a-7-3.msight"), capture(3)).unwrap();
        std::fs::write(file("a-7-5.msight"), capture(5)).unwrap();
        assert_eq!(capture_of_run(&template, 7, [1; 16]), file("a-7.msight"));
        assert_eq!(capture_of_run(&template, 7, [3; 16]), file("a-7-3.msight"));
        assert_eq!(capture_of_run(&template, 7, [5; 16]), file("a-7.msight"), "beyond a gap nothing is");
        assert_eq!(capture_of_run(&template, 8, [1; 16]), file("a-8.msight"));
    }

    #[test]
    fn force_replaces_the_captures_of_children_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let capture = |run| Writer::new(Start { run_id: [run; 16], ..start() }).bytes();
        for (name, run) in [("a.msight", 1), ("a.70.msight", 1), ("a.70.1.msight", 1), ("a.71.msight", 2)] {
            std::fs::write(file(name), capture(run)).unwrap();
        }
        Destination::at(&file("a.msight"), true).unwrap();
        let left =
            ["a.msight", "a.70.msight", "a.70.1.msight", "a.71.msight"].map(|name| file(name).exists());
        assert_eq!(left, [false, false, false, true]);
    }

    #[test]
    fn a_folder_that_is_not_there_means_no_recording() {
        let missing = Path::new("/nowhere/at/all/a.msight");
        assert!(matches!(Destination::at(missing, false), Ok(Destination::Nowhere(_))));
    }
}
