//! The developer's commands, run as `cargo xtask COMMAND`: one file a command.
//!
//! Nothing here is part of what users install. The commands call `cargo`, `pip`
//! and `memsight` itself as other programs would, and depend on no other crate
//! of the workspace, so that `arch` can judge them all.
#![deny(unsafe_code)] // `os` alone may: there is no safe `wait4`

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod arch;
mod bench;
mod checker;
mod demo;
mod heap;
mod os;
mod python;
mod suite;
mod test;
mod web;
mod workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The developer's commands of memsight")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build memsight, record the two examples and print their reports
    Demo,
    /// Run everything that CI runs
    Test,
    /// Check which crate may depend on which, where unsafe code stands, and the length of files
    Arch,
    /// Run CPython's own tests plain and recorded, and compare test by test
    Suite(suite::Options),
    /// Measure what recording costs, beside memray
    Bench(bench::Options),
    /// Try the checker on other people's code: is it right, safe and quick?
    Checker(checker::Options),
    /// Measure a snapshot of the object graph, beside objgraph, guppy3 and pympler
    Heap(heap::Options),
    /// Build the page of `memsight view`, and test it in a browser
    Web(web::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo => demo::run(),
        Command::Test => test::run(),
        Command::Arch => arch::run(),
        Command::Suite(options) => suite::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Checker(options) => checker::run(&options),
        Command::Heap(options) => heap::run(&options),
        Command::Web(options) => web::run(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}
