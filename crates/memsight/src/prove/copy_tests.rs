//! What is copied, what is put back, and where paths lead.

use super::*;

/// A project in `from`, copied into `to`.
fn copied(lay_out: impl Fn(&Path)) -> (tempfile::TempDir, PathBuf, Copy) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let (from, to) = (root.join("shop"), root.join("to"));
    [&from, &to].iter().for_each(|folder| fs::create_dir(folder).unwrap());
    lay_out(&from);
    let copy = Copy::of(from.clone(), Some("/alias/shop".into()), &to).unwrap();
    (folder, from, copy)
}

fn write(path: PathBuf, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn what_no_run_needs_is_not_copied() {
    let (_folder, from, copy) = copied(|from| {
        for file in [
            ".git/HEAD",
            "a/__pycache__/b.pyc",
            "target/CACHEDIR.TAG",
            "run.msight",
            "a/b.py",
            ".venv/pyvenv.cfg",
            ".venv/CACHEDIR.TAG",
            "node_modules/x",
        ] {
            write(from.join(file), "x");
        }
    });
    let names = |folder: &str| {
        let entries = fs::read_dir(copy.path().join(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(""), [".venv", "a", "node_modules"]);
    assert_eq!(names("a"), ["b.py"]);
    assert_eq!(fs::read_link(copy.path().join(".venv")).unwrap(), from.join(".venv"));
    assert!(copy.has(&from.join("a/b.py")).is_some() && copy.has(&from.join(".git/HEAD")).is_none());
}

#[test]
fn no_link_leads_back() {
    let (_folder, from, copy) = copied(|from| {
        write(from.join("a/b"), "x");
        write(from.parent().unwrap().join("beside"), "x");
        symlink("b", from.join("a/inside")).unwrap();
        symlink(from.join("a/b"), from.join("absolute")).unwrap();
        symlink("../beside", from.join("outside")).unwrap();
    });
    let target = |link: &str| fs::read_link(copy.path().join(link)).unwrap();
    assert_eq!(target("a/inside"), Path::new("b"));
    assert_eq!(target("absolute"), copy.path().join("a/b"));
    assert_eq!(target("outside"), from.join("../beside"));
}

#[test]
fn everything_is_put_back() {
    let (_folder, from, mut copy) = copied(|from| {
        for file in ["kept", "changed", "removed/file", "replaced", "closed/file", ".hidden"] {
            write(from.join(file), "old");
        }
        fs::set_permissions(from.join("changed"), Permissions::from_mode(0o750)).unwrap();
    });
    let to = copy.path().to_owned();
    fs::write(to.join("changed"), "new").unwrap();
    fs::remove_dir_all(to.join("removed")).unwrap();
    fs::remove_file(to.join("replaced")).unwrap();
    write(to.join("replaced/by/folder"), "new");
    write(to.join("added/file"), "new");
    for hidden in [".hidden", "added/.cache/file", "added/a.pyc", "report/.gitignore", "report/index"] {
        write(to.join(hidden), "new");
    }
    symlink("file", to.join("added/link")).unwrap();
    fs::set_permissions(to.join("closed"), Permissions::from_mode(0o500)).unwrap();
    let written = copy.written().unwrap();
    let paths: Vec<_> = written.keys().map(|path| path.to_str().unwrap()).collect();
    let expected = ["added/file", "added/link", "changed", "removed/file", "replaced", "replaced/by/folder"];
    assert_eq!(paths, expected);
    assert_eq!(written[Path::new("removed/file")], Left::Gone);
    assert_eq!(written[Path::new("added/link")], Left::Link("file".into()));
    assert_eq!(written[Path::new("added/file")], written[Path::new("changed")]);
    copy.change(Path::new("kept"), b"fixed");
    copy.renew().unwrap();
    let read = |file: &str| fs::read_to_string(to.join(file)).unwrap();
    assert_eq!(["kept", "changed", "removed/file", "replaced"].map(read), ["fixed", "old", "old", "old"]);
    assert!(!to.join("added").exists());
    assert_eq!(fs::metadata(to.join("closed")).unwrap().permissions().mode() & 0o700, 0o700);
    assert_eq!(fs::metadata(to.join("changed")).unwrap().permissions().mode() & 0o777, 0o750);
    fs::write(to.join("changed"), "new").unwrap();
    fs::write(from.join("changed"), "by the user").unwrap();
    let error = copy.renew().unwrap_err().to_string();
    assert!(error.contains("changed meanwhile"), "{error}");
}

#[test]
fn paths_of_the_command_lead_into_the_copy() {
    let (_folder, from, copy) = copied(|from| {
        write(from.join("a.py"), "x");
        write(from.join(".git/HEAD"), "x");
    });
    let mapped = |word: String| copy.mapped(OsStr::new(&word)).into_string().unwrap();
    let (from, to) = (from.display().to_string(), copy.path().display().to_string());
    assert_eq!(mapped(from.clone()), to);
    assert_eq!(mapped(format!("{from}/a.py")), format!("{to}/a.py"));
    assert_eq!(mapped("/alias/shop/a.py".into()), format!("{to}/a.py"));
    assert_eq!(mapped(format!("--out={from}/new")), format!("--out={to}/new"));
    for same in [format!("{from}/.git/HEAD"), format!("{from}s/a.py"), "a.py".into(), "-c".into()] {
        assert_eq!(mapped(same.clone()), same);
    }
}
