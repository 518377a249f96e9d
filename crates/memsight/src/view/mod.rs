//! `memsight view`: a program's memory, step by step.
//!
//! | module     | what it does                                              |
//! |------------|-----------------------------------------------------------|
//! | `python`   | runs a Python program under the recorder's tracer         |
//! | `c`        | compiles a C program and drives it under gdb              |
//! | `page`     | writes the trace as one HTML file                         |
//! | `terminal` | shows it in the terminal                                  |

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use memsight_picture::Trace;

use crate::exit::Exit;

mod c;
mod page;
mod python;
mod terminal;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The program: a Python file, a C file, or (with --compile) the executable of a C program.
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// The program's arguments.
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Write the page here [default: memsight-view-NAME.html, unless --json or --terminal is given].
    #[arg(short, long, value_name = "FILE.html")]
    output: Option<PathBuf>,
    /// Write the trace as JSON; - for stdout, where the program's own output then goes to stderr.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Look at it here, in the terminal.
    #[arg(long)]
    terminal: bool,
    /// Take N steps at the most.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    max_steps: u32,
    /// Stop the program after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u32,
    /// Begin at this line of the program.
    #[arg(long, value_name = "LINE")]
    from: Option<u32>,
    /// Watch only calls of this function and what they call.
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// Step into the standard library and installed packages, too.
    #[arg(long)]
    into: bool,
    /// The interpreter [default: that of the active virtual environment, else python3].
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// How to build a C program, where `cc` alone does not do: its command line.
    #[arg(long, value_name = "COMMAND")]
    compile: Option<String>,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
}

/// Runs the program and shows its steps. That is fine however the program itself ended.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    if let Some(path) =
        args.json.as_deref().filter(|path| path.canonicalize().ok() == args.program.canonicalize().ok())
        && path.exists()
    {
        bail!("--json {}: is the program itself; give the name of another file", path.display());
    }
    let mut trace = match is_python(&args.program) {
        true => python::trace(args)?,
        false => c::trace(args)?,
    };
    memsight_picture::say_all(&mut trace);
    if let Some(path) = &args.json {
        write_json(&trace, path)?;
    }
    let page = args
        .output
        .clone()
        .or_else(|| (args.json.is_none() && !args.terminal).then(|| default_page(&args.program)));
    if let Some(path) = page {
        page::write(&trace, &path, args.force)?;
    }
    if args.terminal {
        return terminal::show(&trace);
    }
    Ok(Exit::Fine)
}

fn is_python(program: &Path) -> bool {
    program.extension().is_some_and(|extension| extension == "py" || extension == "pyw")
}

/// `memsight-view-NAME.html` in the working folder.
fn default_page(program: &Path) -> PathBuf {
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from(format!("memsight-view-{name}.html"))
}

fn write_json(trace: &Trace, path: &Path) -> Result<()> {
    if path == Path::new("-") {
        let mut out = BufWriter::new(io::stdout().lock());
        memsight_picture::json::write(trace, &mut out)?;
        return Ok(out.flush()?);
    }
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut out = BufWriter::new(file);
    memsight_picture::json::write(trace, &mut out)?;
    Ok(out.flush()?)
}
