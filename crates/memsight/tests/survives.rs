//! What must not hurt the program, nor the capture: kills, full disks, limits.

mod support_c;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support_c::{Lab, Run};

const BUSY: &str = "import os, sys, time\nopen('pid', 'w').write(str(os.getpid()))\nkept = []\nend = time.time() + float(sys.argv[1])\n\
    while time.time() < end:\n    kept.append([bytearray(100) for _ in range(50)])\n    if len(kept) > 500: kept.clear()\nprint('done')\nsys.exit(5)\n";

/// Another number each time.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Starts the busy program, and waits until it runs. Gives its process id too.
#[expect(clippy::zombie_processes, reason = "the caller waits for the child")]
fn start(lab: &Lab, capture: &Path, seconds: &str) -> (Child, u32) {
    let script = lab.write("busy.py", BUSY);
    let _ = std::fs::remove_file(lab.path("pid"));
    let mut command = lab.run_command(capture, &[]);
    command.args([support_c::python::all().pop().unwrap(), script]).arg(seconds);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().unwrap();
    let began = Instant::now();
    loop {
        let said = std::fs::read_to_string(lab.path("pid")).unwrap_or_default();
        if let Ok(pid) = said.parse() {
            return (child, pid);
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, "--", pid]).status().unwrap().success());
}

/// The writer of a process: it has the same executable, and our name.
fn writer_of(pid: u32) -> Option<u32> {
    let command_line = |pid: u32| std::fs::read(format!("/proc/{pid}/cmdline")).ok();
    let own = command_line(pid)?;
    let ids = std::fs::read_dir("/proc").ok()?.flatten();
    let mut others =
        ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|&other| other != pid);
    others.find(|&other| {
        let name = std::fs::read_to_string(format!("/proc/{other}/comm")).unwrap_or_default();
        name.trim() == "memsight" && command_line(other).as_ref() == Some(&own)
    })
}

/// It ran to its end, whatever became of the recording.
fn ran_on(run: &Run) -> bool {
    (run.code, run.stdout.as_str()) == (Some(5), "done\n")
}

#[test]
fn a_killed_program_leaves_a_capture_that_opens_and_says_so() {
    let lab = Lab::new();
    for _ in 0..10 {
        let capture = lab.new_capture();
        let (child, pid) = start(&lab, &capture, "30");
        let delay = random() % 600_000;
        std::thread::sleep(Duration::from_micros(delay));
        kill("-KILL", &pid.to_string());
        child.wait_with_output().unwrap();
        let report = lab.report(&capture);
        assert_eq!(report["complete"], false, "killed after {delay} µs");
        let allocations = report["totals"]["allocations"].as_i64().unwrap();
        assert!(allocations > 1000, "killed after {delay} µs: {report:#}");
    }
}

#[test]
fn python_under_a_limit_on_addresses_loses_at_most_the_recording() {
    let lab = Lab::new();
    let script = lab.write("busy.py", BUSY);
    let script = script.to_str().unwrap();
    let pythons = support_c::python::all();
    for python in &pythons {
        for limit in [400_000, 150_000, 100_000] {
            let limit = format!("ulimit -v {limit}");
            let run = lab.record_after(&limit, &[python.to_str().unwrap(), script, "0.3"]);
            assert!(ran_on(&run), "{} after {limit}: {}", python.display(), run.stderr);
            if run.json["complete"] != true {
                run.only_line();
            }
        }
    }
}

#[test]
fn a_killed_writer_does_not_hold_the_program_up() {
    let lab = Lab::new();
    let capture = lab.new_capture();
    let (child, pid) = start(&lab, &capture, "1.5");
    std::thread::sleep(Duration::from_millis(300));
    kill("-KILL", &writer_of(pid).expect("a writer").to_string());
    let run = Run::of(child.wait_with_output().unwrap(), capture);
    assert!(ran_on(&run), "{}", run.stderr);
    assert!(run.only_line().contains("the program runs on"), "{}", run.stderr);
    assert_eq!(run.json["complete"], false);
}

#[test]
fn a_stopped_and_continued_program_is_recorded_to_its_end() {
    let lab = Lab::new();
    let capture = lab.new_capture();
    let (child, pid) = start(&lab, &capture, "1.5");
    kill("-STOP", &pid.to_string());
    std::thread::sleep(Duration::from_millis(400));
    kill("-CONT", &pid.to_string());
    let run = Run::of(child.wait_with_output().unwrap(), capture);
    assert!(ran_on(&run), "{}", run.stderr);
    run.complete();
}

#[test]
fn an_interrupt_from_the_terminal_reaches_the_program() {
    let lab = Lab::new();
    let capture = lab.new_capture();
    let (child, pid) = start(&lab, &capture, "30");
    kill("-INT", &pid.to_string());
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("KeyboardInterrupt"));
    assert!(lab.report(&capture)["totals"]["allocations"].as_i64().unwrap() > 1000);
}

#[test]
fn a_removed_output_folder_does_no_harm() {
    let lab = Lab::new();
    let folder = lab.path("away");
    std::fs::create_dir(&folder).unwrap();
    let capture = folder.join("a.msight");
    let (child, _) = start(&lab, &capture, "1");
    std::fs::remove_dir_all(&folder).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert_eq!(output.stdout, b"done\n");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// A file system of its own, where mounting is allowed.
struct Mount(PathBuf);

impl Mount {
    fn new(at: PathBuf, options: &str) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at).output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(Mount(at));
        }
        eprintln!("skipped: no file system can be mounted here");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_ends_the_recording_and_nothing_else() {
    let lab = Lab::new();
    let Some(mount) = Mount::new(lab.path("full"), "size=64k") else { return };
    let capture = mount.0.join("a.msight");
    let mut command = lab.run_command(&capture, &[]);
    command.args([support_c::python::all().pop().unwrap(), lab.write("busy.py", BUSY)]).arg("2");
    let run = lab.finish(command, capture);
    assert_eq!((run.code, run.stdout.as_str()), (Some(5), "done\n"), "{}", run.stderr);
    assert!(run.stderr.lines().next().unwrap_or_default().contains("no space left"), "{}", run.stderr);
    assert_eq!(lab.report(&run.capture)["complete"], false);
}

#[test]
fn a_read_only_working_folder_does_no_harm() {
    let lab = Lab::new();
    let Some(mount) = Mount::new(lab.path("fixed"), "ro") else { return };
    let output = Command::new(support_c::memsight())
        .args(["run", "-q", "-o", "a.msight", "sh", "-c", "echo done; exit 5"])
        .current_dir(&mount.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(5), &b"done\n"[..]), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_standard_error_that_nobody_reads_does_not_end_the_program() {
    let lab = Lab::new();
    let program = lab.compile("grower.c");
    let capture = lab.new_capture();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let command = lab.run_command(&capture, &[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 8; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.arg(program).arg("1").current_dir(lab.folder()).stderr(writer).stdout(Stdio::piped());
    let run = Run::of(shell.output().unwrap(), capture);
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), "done\n"));
}

/// Records a program where one system call fails with an errno.
fn where_fails(call: i64, errno: i32, program: &[&str]) -> Run {
    let lab = Lab::new();
    let sandbox = lab.compile("sandbox.c");
    let capture = lab.new_capture();
    let run = lab.run_command(&capture, &[]);
    let mut command = Command::new(sandbox);
    command.args([call.to_string(), errno.to_string()]).arg(run.get_program()).args(run.get_args());
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(program).current_dir(lab.folder());
    lab.finish(command, capture)
}

#[test]
fn a_pipe_ends_with_the_program_where_the_kernel_is_old() {
    let program = "import os, subprocess, sys, time\nread, write = os.pipe()\n\
        child = subprocess.Popen([sys.executable, '-c', f'import os, time; os.close({write}); time.sleep(4)'], pass_fds=[write])\n\
        os.close(write)\nbegan = time.time()\nassert os.read(read, 1) == b''\nassert time.time() - began < 3\nchild.kill()\n";
    const CLOSE_RANGE: i64 = 436;
    for python in support_c::python::all() {
        let run = where_fails(CLOSE_RANGE, 38, &[python.to_str().unwrap(), "-c", program]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", python.display());
    }
}

#[test]
fn stacks_are_read_where_a_sandbox_forbids_to_look_into_processes() {
    const PROCESS_VM_READV: i64 = 310;
    for python in support_c::python::all() {
        for errno in [1, 38] {
            let program = "kept = [bytearray(10_000) for _ in range(1000)]";
            let run = where_fails(PROCESS_VM_READV, errno, &[python.to_str().unwrap(), "-c", program]);
            let site = &run.ok().json["sites"][0];
            assert_eq!((site["file"].as_str(), site["line"].as_i64()), (Some("<string>"), Some(1)));
            let types = run.json["types"].as_array().unwrap();
            assert!(types.iter().any(|share| share["type"] == "bytearray"), "{types:?}");
        }
    }
}
