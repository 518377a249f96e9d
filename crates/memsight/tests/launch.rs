//! Programs that cannot be recorded, and programs that fail by themselves: real
//! ones, as a compiler and an interpreter make them.

mod support_c;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use support_c::{Lab, python};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("60").arg(support_c::memsight()).args(["run", "-q"]).args(arguments).current_dir(folder);
    command.output().unwrap()
}

/// Memsight refuses with exit code 2, in one line that says all of `words`.
fn refuses(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = run(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(said.starts_with("memsight: ") && !said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: no '{word}' in: {said}");
    }
}

#[test]
fn what_is_no_program_is_refused_with_what_to_do() {
    let lab = Lab::new();
    let here = lab.folder();
    refuses(here, &["./nothing"], &["no such file"]);
    refuses(here, &["."], &["folder"]);
    lab.write("data", "#!/bin/sh\n");
    refuses(here, &["./data"], &["chmod +x"]);
    let lost = lab.write("lost", "#!/no/such/interpreter\n");
    std::fs::set_permissions(lost, PermissionsExt::from_mode(0o755)).unwrap();
    refuses(here, &["./lost"], &["/no/such/interpreter"]);
}

#[test]
fn a_static_program_is_refused() {
    let lab = Lab::new();
    lab.compile_with("grower.c", "grower", &["-static"]);
    refuses(lab.folder(), &["./grower", "0"], &["statically linked", "-static"]);
}

#[test]
fn a_program_of_another_user_is_refused() {
    let lab = Lab::new();
    let program = lab.compile("grower.c");
    let owned = Command::new("chown").arg("65534:65534").arg(&program).status().unwrap().success();
    if !owned {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o4755)).unwrap();
    refuses(lab.folder(), &["./grower", "0"], &["setuid", "copy"]);
}

#[test]
fn an_interpreter_that_is_too_old_is_refused() {
    let lab = Lab::new();
    let script = lab.write("a.py", "print('ran')\n");
    for minor in ["2.7", "3.6", "3.8"] {
        let Some(old) = python::pyenv(minor) else { continue };
        refuses(
            lab.folder(),
            &["--python", old.to_str().unwrap(), script.to_str().unwrap()],
            &[minor, "3.9"],
        );
    }
}

#[test]
fn a_recorder_that_the_loader_would_not_find_is_refused() {
    for folder in ["with space", "with:colon"] {
        let lab = Lab::new();
        let installed = lab.path(folder);
        std::fs::create_dir(&installed).unwrap();
        for file in ["memsight", "libmemsight_preload.so"] {
            std::fs::copy(support_c::bin_dir().join(file), installed.join(file)).unwrap();
        }
        let output = Command::new(installed.join("memsight")).args(["run", "true"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("space or a colon"), "{said}");
    }
}

#[test]
fn a_percent_sign_in_a_path_is_nothing_special() {
    let lab = Lab::new();
    let here = lab.path("a%pb");
    std::fs::create_dir(&here).unwrap();
    for arguments in [&["true"][..], &["-o", "x.msight", "true"]] {
        let output = run(&here, arguments);
        assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{output:?}");
    }
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 2);
}

#[test]
fn a_script_ends_as_it_does_without_memsight() {
    let lab = Lab::new();
    for python in python::all() {
        for (name, text) in [
            ("empty.py", ""),
            ("wrong.py", "def f(:\n"),
            ("raises.py", "1/0\n"),
            ("exits.py", "raise SystemExit(9)\n"),
        ] {
            let script = lab.write(name, text);
            let plain = Command::new(&python).arg(&script).output().unwrap();
            let recorded =
                run(lab.folder(), &["--python", python.to_str().unwrap(), script.to_str().unwrap()]);
            assert_eq!(recorded.status.code(), plain.status.code(), "{name}");
            assert_eq!(recorded.stdout, plain.stdout, "{name}");
            assert_eq!(
                String::from_utf8_lossy(&recorded.stderr),
                String::from_utf8_lossy(&plain.stderr),
                "{name}"
            );
        }
    }
}
