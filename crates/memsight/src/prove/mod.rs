//! `memsight prove`: tries fixes on a copy of the project, and keeps those that
//! change nothing but the memory.
//!
//! ```text
//! PATH ─▶ drafts ─┐                     ┌─ Behaviour  the same?  ─┐
//!                 ├─▶ Runner ─▶ Trial ──┤                         ├─▶ Verdict ─▶ Proof ─▶ table, json
//! folder ─▶ Copy ─┘   COMMAND           └─ Noise      fewer bytes?┘
//! ```
//!
//! | module    | what it is                                                    |
//! |-----------|---------------------------------------------------------------|
//! | `copy`    | the copy that COMMAND runs in, put back before each run       |
//! | `trial`   | one recorded run and what it came to                          |
//! | `printed` | comparing outputs; what test runners say                      |
//! | `written` | the files that a run left in the copy                      |
//! | `verdict` | whether a fix is kept                                         |
//! | `search`  | the runs without fixes, then fix by fix                       |
//! | `proof`   | what came of it, as a value                                   |
//! | `table`   | that for people                                               |
//! | `json`    | that for programs                                             |
//!
//! Nothing of the user's is written but with `--fix`, at the very end.

mod copy;
mod json;
mod printed;
mod proof;
mod search;
mod table;
mod trial;
mod verdict;
mod written;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use memsight_check::{Applicability, Changed, Draft, Request};

use self::copy::Copy;
use self::proof::Proof;
use self::search::{Limits, Search};
use self::trial::Runner;
use crate::exit::Exit;
use crate::launch;
use crate::scratch::Scratch;
use crate::sys;
use crate::terminal::{self, say};

#[derive(clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Args {
    /// Files and folders whose fixes are tried [default: the working folder].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Go by these rules only: codes, beginnings of codes (MS1) or names.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave these rules out.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Try no fix but those that are proven safe by the source alone.
    #[arg(long)]
    safe_only: bool,
    /// Write the fixes that are kept. Without it nothing is changed.
    #[arg(long)]
    fix: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The longest that a run may take [default: with a fix, ten times that without and 10 s].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Try no further fix once this much time has passed.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    stop_after: Option<Duration>,
    /// What shows that the program still does the same: a script, tests.
    #[arg(value_name = "COMMAND", last = true, required = true)]
    command: Vec<OsString>,
}

const DETAILS: &str = "\
COMMAND runs in a copy of the working folder: twice as it is (four times if
what it allocates differs), then once for each fix whose lines allocated
anything, those that allocated most first; twice where a figure rises. A fix
is kept if exit code, stdout, the files written into the folder and the number
of tests passed stay the same, and fewer bytes are allocated or the peak is
lower. Fixes that are kept stay for the runs after.

Files that two runs without fixes write differently are not compared, nor are
hidden ones, caches and folders with a .gitignore of their own.

Paths into the folder, as words of COMMAND and in environment variables, lead
into the copy. COMMAND has no input and no terminal, a folder of its own for
temporary files, and sees PYTHONDONTWRITEBYTECODE=1 and, unless it is set
already, PYTHONHASHSEED=0. It has to do the same at each run. What it writes
outside of the working folder stays; what it leaves running is ended.

The copy has no version control, no caches and no captures; virtual
environments and node_modules are linked.

Exit codes: 0 if no fix changed what the program does, whether any was kept or
not; 1 if one did (it is dropped; the others are kept all the same); 2 if
nothing could be proven.

  memsight prove -- python3 orders.py
  memsight prove src --fix -- python3 -m pytest -q";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("must be more than 0".into()) } else { Ok(duration) }
}

/// Whoever interrupts a run means all of it.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted(i32);

/// An error if memsight was asked to end.
fn unless_interrupted() -> Result<()> {
    match sys::asked_to_end() {
        Some(signal) => Err(Interrupted(signal).into()),
        None => Ok(()),
    }
}

/// Proves, and writes what is proven if asked to.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    sys::note_ends();
    let proven = prove(args);
    if proven.is_err() {
        terminal::clear_progress();
    }
    match proven {
        Err(error) => match error.downcast_ref::<Interrupted>() {
            Some(Interrupted(signal)) => Ok(Exit::Signal(*signal)),
            None => Err(error),
        },
        exit => exit,
    }
}

fn prove(args: &Args) -> Result<Exit> {
    // Before anything is copied.
    launch::find(&args.command, None)?;
    let drafts = drafts(args)?;
    let up_to = if args.safe_only { Applicability::Safe } else { Applicability::Unsafe };
    let (proof, changed) = if search::candidates(&drafts, up_to) == 0 {
        (Proof::of_nothing(&args.command, &drafts), Vec::new())
    } else {
        let scratch = Scratch::create("prove")?;
        terminal::progress("copying the working folder");
        let copy = Copy::make(scratch.path())?;
        let runner = Runner::new(&scratch, copy, &args.command)?;
        let limits = Limits { run: args.timeout, all: args.stop_after };
        Search::new(runner, drafts, up_to, limits)?.run(&args.command)?
        // The copy and the captures go here, before anything is printed.
    };
    terminal::clear_progress();
    unless_interrupted()?;
    let written = if args.fix { write(&changed)? } else { Vec::new() };
    let text = match args.json {
        true => json::render(&proof, &written)?,
        false => table::render(&proof, &changed, &written, &terminal::stdout_look()),
    };
    terminal::print(&text)?;
    Ok(if proof.some_fix_differs() { Exit::Exceeded } else { Exit::Fine })
}

fn drafts(args: &Args) -> Result<Vec<Draft>> {
    let here = std::env::current_dir().context("the working folder is gone")?;
    let here = here.canonicalize().unwrap_or(here);
    for path in &args.paths {
        if path.canonicalize().is_ok_and(|real| !real.starts_with(&here)) {
            bail!(
                "{}: lies outside of {}, the folder that is copied; start memsight in a folder that holds it",
                path.display(),
                here.display()
            );
        }
    }
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let request =
        Request { paths, select: args.select.clone(), ignore: args.ignore.clone(), ..Request::default() };
    let (drafts, problems) = memsight_check::drafts(&request).map_err(|problem| anyhow!("{problem}"))?;
    for problem in &problems {
        say(&format!("memsight: {problem}; not checked"));
    }
    Ok(drafts)
}

/// Writes the files with the fixes that were kept, or none of them if one was changed meanwhile.
fn write(changed: &[Changed]) -> Result<Vec<PathBuf>> {
    for file in changed {
        if std::fs::read(&file.path).ok().as_deref() != Some(&file.before) {
            bail!("{}: was changed meanwhile, so nothing was written; start again", file.path.display());
        }
    }
    for file in changed {
        file.write().with_context(|| format!("{}: cannot be written", file.path.display()))?;
    }
    Ok(changed.iter().map(|file| file.path.clone()).collect())
}
