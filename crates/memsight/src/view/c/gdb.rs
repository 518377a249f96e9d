//! gdb, driven through its machine interface, and what the program writes meanwhile.
//!
//! The code in `gdb/` runs inside gdb and answers each command with one line of JSON. Between two
//! commands the program stands still, so that what is in its pipe then was written up to that step.
//! Whatever way this ends, gdb is killed, by that the program, and then what they left running.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

use super::mi::{self, Record, Value};
use crate::launch;
use crate::scratch::Scratch;
use crate::sys;

/// The code that runs inside gdb, in the order in which its parts need each other.
const INSIDE: [(&str, &str); 4] = [
    ("types.py", include_str!("gdb/types.py")),
    ("functions.py", include_str!("gdb/functions.py")),
    ("stops.py", include_str!("gdb/stops.py")),
    ("session.py", include_str!("gdb/session.py")),
];

/// What gdb is told before the program starts.
const SETTINGS: [&str; 16] = [
    "set confirm off",
    "set pagination off",
    "set width 0",
    "set debuginfod enabled off",
    "set auto-load off",
    "set print thread-events off",
    "set print inferior-events off",
    "set print frame-arguments none",
    "set breakpoint always-inserted on",
    "set follow-fork-mode parent",
    "set detach-on-fork on",
    "handle all nostop noprint pass",
    "handle SIGTRAP stop print nopass",
    "handle SIGSEGV SIGBUS SIGFPE SIGILL SIGABRT SIGSYS stop print pass",
    "set startup-with-shell on",
    "set backtrace limit 100000",
];

/// The numbers under which the program's stdin, stdout and stderr come to gdb.
const STREAMS: [i32; 3] = [7, 8, 9];
/// What is kept of a program's output in one step, and in all.
const KEPT_IN_A_STEP: usize = 1 << 16;
const KEPT_IN_ALL: usize = 1 << 20;

/// Why the program was stopped from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Its time was over.
    Late,
    /// Somebody asked memsight to end, by this signal.
    Asked(i32),
}

/// An answer, or why there is none.
pub(super) enum Answer<T> {
    Given(T),
    Stopped(Stopped),
}

/// One of the program's streams: a pipe whose other end it has.
struct Stream {
    pipe: Option<PipeReader>,
    /// Written since the last step; not all of it is kept.
    new: Vec<u8>,
    kept: usize,
    cut: bool,
    /// All that was written, in bytes.
    written: u64,
    to_stderr: bool,
    /// Nobody reads our own stream any more.
    closed: bool,
}

/// gdb with the program in it.
pub(super) struct Gdb {
    process: Child,
    commands: ChildStdin,
    answers: ChildStdout,
    unread: Vec<u8>,
    out: Stream,
    err: Stream,
    typed: Option<PipeWriter>,
    deadline: Instant,
    token: u64,
    log: String,
}

/// What is to be started.
pub(super) struct Program<'a> {
    pub(super) file: &'a Path,
    pub(super) arguments: &'a [String],
    /// Whether our stdout is for data.
    pub(super) output_to_stderr: bool,
    pub(super) limit: Duration,
}

impl Gdb {
    /// Starts gdb and tells it of the program, which does not run yet.
    pub(super) fn start(program: &Program, scratch: &Scratch) -> Result<Self> {
        let (out, out_of_program) = io::pipe().context("no pipe for the program's output")?;
        let (err, err_of_program) = io::pipe().context("no pipe for the program's output")?;
        // A program that gdb starts is in the background of a terminal and may not read from it.
        let (input, typed) = match io::IsTerminal::is_terminal(&io::stdin()) {
            true => io::pipe().map(|(input, typed)| (Some(input), Some(typed))).context("no pipe")?,
            false => (None, None),
        };
        // gdb's own stdin takes the place of ours before the others are handed down.
        let input = match input {
            Some(input) => OwnedFd::from(input),
            None => {
                io::stdin().as_fd().try_clone_to_owned().context("our stdin is closed; give it /dev/null")?
            }
        };
        let mut command = Command::new("gdb");
        command.args(["-nx", "-nh", "-q", "--interpreter=mi3"]).env("SHELL", "/bin/sh");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let from = [input.as_raw_fd(), out_of_program.as_raw_fd(), err_of_program.as_raw_fd()];
        sys::apart(&mut command);
        sys::hand_down(&mut command, from.into_iter().zip(STREAMS).collect());
        sys::adopt_orphans();
        let mut process = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow::anyhow!(
                "there is no gdb, by which C programs are looked at; install it (Debian: apt-get install gdb)"
            ),
            _ => anyhow::Error::new(error).context("gdb cannot be started"),
        })?;
        let (Some(commands), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("gdb has no pipes");
        };
        let stream = |pipe, to_stderr| Stream {
            pipe: Some(pipe),
            new: Vec::new(),
            kept: 0,
            cut: false,
            written: 0,
            to_stderr,
            closed: false,
        };
        let mut gdb = Gdb {
            process,
            commands,
            answers,
            unread: Vec::new(),
            out: stream(out, program.output_to_stderr),
            err: stream(err, true),
            typed,
            deadline: Instant::now() + program.limit,
            token: 0,
            log: String::new(),
        };
        gdb.prepare(program, scratch)?;
        Ok(gdb)
    }

    fn prepare(&mut self, program: &Program, scratch: &Scratch) -> Result<()> {
        for setting in SETTINGS {
            self.console(setting)?;
        }
        if let Some(shell) = std::env::var_os("SHELL") {
            self.console(&format!("set environment SHELL {}", shell.display()))?;
        } else {
            self.console("unset environment SHELL")?;
        }
        // gdb tells programs how wide its terminal is.
        let missing = |name: &&str| std::env::var_os(name).is_none();
        let unset: Vec<String> =
            ["LINES", "COLUMNS"].into_iter().filter(missing).map(|name| format!(" -u {name}")).collect();
        if !unset.is_empty() {
            self.console(&format!("set exec-wrapper env{}", unset.concat()))?;
        }
        for (name, text) in INSIDE {
            let path = scratch.write(name, text)?;
            self.console(&format!("source {}", path.display()))?;
        }
        let file = program.file.display().to_string();
        self.command(&format!("-file-exec-and-symbols {}", mi_quoted(&file)))?.given("gdb cannot read it")?;
        let arguments: Vec<String> = program.arguments.iter().map(|text| shell_quoted(text)).collect();
        let [stdin, stdout, stderr] = STREAMS;
        let streams = format!("<&{stdin} >&{stdout} 2>&{stderr} {stdin}<&- {stdout}>&- {stderr}>&-");
        self.console(&format!("set args {} {streams}", arguments.join(" ")))
    }

    /// The source files that the program's debug information names.
    pub(super) fn sources(&mut self) -> Result<Vec<PathBuf>> {
        let answer = self.command("-file-list-exec-source-files")?.given("gdb cannot list its files")?;
        let files = answer.results.iter().find(|(name, _)| name == "files");
        let Some((_, Value::List(files))) = files else { return Ok(Vec::new()) };
        let mut paths: Vec<PathBuf> =
            files.iter().filter_map(|file| file.text("fullname").map(PathBuf::from)).collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Calls a function of the code inside gdb, which answers with a value.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, call: &str) -> Result<Answer<T>> {
        let python = mi_quoted(&format!("python {call}"));
        let heard = match self.wait_for(&format!("-interpreter-exec console {python}"), Heard::answer)? {
            Answer::Given(heard) => heard,
            Answer::Stopped(why) => return Ok(Answer::Stopped(why)),
        };
        if let Some(error) = heard.error {
            bail!("{}{}", error.trim(), self.said());
        }
        let text = heard.answer().with_context(|| format!("gdb gave no answer{}", self.said()))?;
        let value: serde_json::Value = serde_json::from_str(text).context("gdb's answer cannot be read")?;
        if let Some(error) = value.get("error").and_then(serde_json::Value::as_str) {
            bail!("{error}{}", self.said());
        }
        Ok(Answer::Given(serde_json::from_value(value).context("gdb's answer cannot be read")?))
    }

    /// What gdb has warned of, as the end of a sentence.
    pub(super) fn said(&self) -> String {
        let warnings: Vec<&str> = self
            .log
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("warning: ") || line.contains("ptrace"))
            .collect();
        match warnings.is_empty() {
            true => String::new(),
            false => format!(" ({})", warnings.join("; ")),
        }
    }

    /// What the program wrote to stdout since the last call, and how many bytes it wrote in all.
    pub(super) fn stdout(&mut self) -> (Vec<u8>, u64) {
        (std::mem::take(&mut self.out.new), self.out.written)
    }

    /// What it wrote to stderr since the last call.
    pub(super) fn stderr(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.err.new)
    }

    /// Whether it wrote more than was kept.
    pub(super) fn output_was_cut(&self) -> bool {
        self.out.cut || self.err.cut
    }

    /// Ends all that runs, and passes on what the program still had written.
    pub(super) fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        launch::end_orphans();
        let _ = self.drain();
    }

    fn console(&mut self, command: &str) -> Result<()> {
        let heard = self.command(&format!("-interpreter-exec console {}", mi_quoted(command)))?;
        heard.given(&format!("gdb cannot '{command}'; gdb 10 or newer with Python is needed")).map(|_| ())
    }

    fn command(&mut self, text: &str) -> Result<Answer<Heard>> {
        self.wait_for(text, |heard| heard.class.as_deref())
    }

    /// Gives a command and listens until there is what is waited for, or an error. Of a command that
    /// lets the program run gdb says only that it runs.
    fn wait_for(&mut self, text: &str, awaited: fn(&Heard) -> Option<&str>) -> Result<Answer<Heard>> {
        self.token += 1;
        let line = format!("{}{text}\n", self.token);
        self.commands.write_all(line.as_bytes()).context("gdb has ended")?;
        let mut heard = Heard::default();
        loop {
            while let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                match mi::parse(&line) {
                    Some(Record::Console(text)) => heard.console.push_str(&text),
                    Some(Record::Log(text)) => self.log.push_str(&text),
                    Some(Record::Answer { token, class, results }) if token == Some(self.token) => {
                        let is_message = |(name, _): &&(String, Value)| name == "msg";
                        if class == "error" {
                            heard.error = Some(match results.iter().find(is_message) {
                                Some((_, Value::Text(text))) => text.clone(),
                                _ => "gdb gives no reason".into(),
                            });
                        }
                        heard.results = results;
                        heard.class = Some(class);
                    }
                    _ => {}
                }
                if heard.error.is_some() || awaited(&heard).is_some() {
                    self.drain()?;
                    return Ok(Answer::Given(heard));
                }
            }
            if let Some(why) = self.listen()? {
                return Ok(Answer::Stopped(why));
            }
        }
    }

    /// Waits for whatever comes first.
    fn listen(&mut self) -> Result<Option<Stopped>> {
        if let Some(signal) = sys::asked_to_end() {
            return Ok(Some(Stopped::Asked(signal)));
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Some(Stopped::Late));
        }
        let mut descriptors = vec![self.answers.as_raw_fd()];
        descriptors.push(self.out.descriptor());
        descriptors.push(self.err.descriptor());
        descriptors.push(if self.typed.is_some() { 0 } else { -1 });
        let wait_ms = left.min(Duration::from_millis(200)).as_millis() as i32 + 1;
        let ready = sys::readable(&descriptors, wait_ms).context("gdb cannot be listened to")?;
        if ready[0] {
            let mut bytes = vec![0; 1 << 16];
            let len = self.answers.read(&mut bytes).context("gdb cannot be listened to")?;
            if len == 0 {
                bail!("gdb has ended{}", self.said());
            }
            self.unread.extend_from_slice(&bytes[..len]);
        }
        if ready[1] {
            self.out.read();
        }
        if ready[2] {
            self.err.read();
        }
        if ready[3] {
            self.pass_typed();
        }
        Ok(None)
    }

    /// Takes all that the program has written.
    fn drain(&mut self) -> Result<()> {
        loop {
            let descriptors = [self.out.descriptor(), self.err.descriptor()];
            let ready = sys::readable(&descriptors, 0).context("the program's output cannot be read")?;
            if ready[0] {
                self.out.read();
            }
            if ready[1] {
                self.err.read();
            }
            if !ready[0] && !ready[1] {
                return Ok(());
            }
        }
    }

    fn pass_typed(&mut self) {
        let mut bytes = [0; 4096];
        let len = io::stdin().lock().read(&mut bytes).unwrap_or(0);
        let passed = self.typed.as_mut().is_some_and(|typed| typed.write_all(&bytes[..len]).is_ok());
        if len == 0 || !passed {
            self.typed = None;
        }
    }
}

impl Drop for Gdb {
    fn drop(&mut self) {
        self.end();
    }
}

impl Stream {
    fn descriptor(&self) -> i32 {
        self.pipe.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Takes what is there and passes it on.
    fn read(&mut self) {
        let mut bytes = [0; 1 << 16];
        let len = self.pipe.as_mut().map_or(0, |pipe| pipe.read(&mut bytes).unwrap_or(0));
        if len == 0 {
            self.pipe = None;
            return;
        }
        let bytes = &bytes[..len];
        self.written += len as u64;
        let room = KEPT_IN_A_STEP.saturating_sub(self.new.len()).min(KEPT_IN_ALL - self.kept);
        self.cut |= len > room;
        self.new.extend_from_slice(&bytes[..len.min(room)]);
        self.kept += len.min(room);
        if self.closed {
            return;
        }
        let passed = match self.to_stderr {
            true => io::stderr().write_all(bytes),
            false => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
        };
        self.closed = passed.is_err();
    }
}

/// What gdb said until it had done a command.
#[derive(Default)]
struct Heard {
    class: Option<String>,
    console: String,
    results: Vec<(String, Value)>,
    error: Option<String>,
}

impl Heard {
    /// What the code inside gdb has answered, once it is complete.
    fn answer(&self) -> Option<&str> {
        let (_, answer) = self.console.rsplit_once("memsight {")?;
        answer.ends_with('\n').then(|| &self.console[self.console.len() - answer.len() - 1..])
    }
}

impl Answer<Heard> {
    /// The answer; what went wrong otherwise.
    fn given(self, what: &str) -> Result<Heard> {
        match self {
            Answer::Given(Heard { error: Some(error), .. }) => bail!("{what}: {}", error.trim()),
            Answer::Given(heard) => Ok(heard),
            Answer::Stopped(_) => bail!("{what}: stopped before that"),
        }
    }
}

/// As an argument of a command of the machine interface.
pub(super) fn mi_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_through_both_quotes() {
        assert_eq!(mi_quoted("a \"b\" \\c\n"), r#""a \"b\" \\c\n""#);
        assert_eq!(shell_quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
