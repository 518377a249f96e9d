//! `memsight explain`: how Python's memory works, measured on the reader's own interpreter.
//!
//! | module     | what it does                                                      |
//! |------------|-------------------------------------------------------------------|
//! | `lab`      | runs an experiment under the recorder, on the reader's Python     |
//! | `measured` | what it measured, from its output and its captures                |
//! | `topics`   | the pages of the topics: an experiment, and text from its figures |
//! | `rule`     | the page of a rule of `check`, from its documentation             |
//! | `index`    | the list of all of them, and names that are nearly one            |
//! | `json`     | what an experiment measured, for programs                         |
//! | `page`     | paragraphs and tables, laid out for a width                       |
//!
//! A page makes no claim that its experiment has not just shown: where versions
//! of Python differ, the sentence is chosen by the figures and not by the version.

mod index;
mod json;
mod lab;
mod measured;
mod page;
mod rule;
mod topics;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use memsight_check::Rule;

use self::lab::Lab;
use self::topics::Topic;
use crate::exit::Exit;
use crate::{launch, sys, terminal};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A topic, or a rule by its code or name; left out: the list of them.
    #[arg(value_name = "TOPIC | RULE")]
    name: Option<String>,
    /// The interpreter to measure [default: the active virtual environment's, else python3].
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Print what was measured, as JSON.
    #[arg(long, requires = "name")]
    json: bool,
    /// Leave the experiment and its captures in FOLDER, which is made for it.
    #[arg(long, value_name = "FOLDER", requires = "name")]
    keep: Option<PathBuf>,
}

/// What can be explained.
enum Subject {
    Topic(&'static Topic),
    Rule(&'static Rule),
}

/// Explains one thing, or lists all. Whoever interrupts it finds nothing left behind.
pub(crate) fn run(args: &Args) -> Result<Exit> {
    sys::note_ends();
    let explained = explain(args);
    match sys::asked_to_end() {
        Some(signal) => Ok(Exit::Signal(signal)),
        None => explained,
    }
}

fn explain(args: &Args) -> Result<Exit> {
    let look = terminal::stdout_look();
    let Some(name) = &args.name else {
        terminal::print(&index::page().render(&look))?;
        return Ok(Exit::Fine);
    };
    let subject = subject(name).ok_or_else(|| anyhow!("{}", index::unknown(name)))?;
    let lab = Lab { python: args.python.clone(), recorder: launch::recorder()?, keep: args.keep.clone() };
    let measured = match subject {
        Subject::Topic(topic) => lab.run(topic.name, topic.experiment, &[])?,
        Subject::Rule(rule) => {
            let experiment = &rule.experiment;
            lab.run(&rule.code.to_lowercase(), &rule::experiment(experiment), experiment.needs)?
        }
    };
    let measured = match measured {
        Ok(measured) => measured,
        Err(signal) => return Ok(Exit::Signal(signal)),
    };
    let text = match subject {
        _ if args.json => json::measured(name, &measured)? + "\n",
        Subject::Topic(topic) => (topic.page)(&measured)?.render(&look),
        Subject::Rule(rule) => rule::page(rule, &measured)?.render(&look),
    };
    if sys::asked_to_end().is_none() {
        terminal::print(&text)?;
    }
    Ok(Exit::Fine)
}

fn subject(name: &str) -> Option<Subject> {
    let topic = topics::TOPICS.iter().find(|topic| topic.name.eq_ignore_ascii_case(name));
    topic.map(Subject::Topic).or_else(|| Rule::find(name).map(Subject::Rule))
}
