//! The command line: `hlm sample`, `prior`, `summary`, `check`, `expand`, `log-density` and `repl`, over the crate's public interface.

mod args;
mod commands;
mod fault;
mod files;
mod interrupt;
mod progress;
mod repl;
mod screen;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;
use fault::Fault;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Repl(args) => repl::run(&args),
        command => commands::execute(&command),
    };
    outcome.unwrap_or_else(Fault::report)
}
