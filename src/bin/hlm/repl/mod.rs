//! `hlm repl`: expressions of the language, evaluated one after another.

mod editor;
mod session;

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

use rustyline::error::ReadlineError;

use crate::args::ReplArgs;
use crate::fault::Fault;
use crate::files::read_json;
use crate::screen;
use session::{Answer, Session};

/// Where lines are remembered, in the user's home.
const HISTORY: &str = ".hlm_history";

/// Runs the command.
///
/// # Errors
/// Data that cannot be read, or a terminal that cannot be used.
pub fn run(args: &ReplArgs) -> Result<ExitCode, Fault> {
    let mut session = Session::new();
    if let Some(path) = &args.data {
        screen::note(&session.take_data(&read_json(path)?));
    }
    let unusable =
        |error: ReadlineError| Fault::new(format!("the terminal cannot be used: {error}"));
    let mut editor = editor::editor().map_err(unusable)?;
    let is_terminal = stdin().is_terminal();
    let history = history_file().filter(|_| is_terminal);
    if let Some(path) = &history {
        // There is none before the first time.
        let _ = editor.load_history(path);
        screen::note("hlm's language, an expression at a time; `:help` says more, `:quit` ends");
    }
    let mut all_is_well = true;
    loop {
        match editor.readline(if is_terminal { "> " } else { "" }) {
            Ok(line) => match session.answer(&line) {
                Answer::Text(text) => screen::print(&text)?,
                Answer::Trouble(failure) => {
                    all_is_well = false;
                    screen::findings(&failure);
                }
                Answer::Unknown(sentence) => {
                    all_is_well = false;
                    screen::error(&sentence);
                }
                Answer::Quit => break,
            },
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(unusable(error)),
        }
    }
    if let Some(path) = &history {
        // A history that cannot be kept is no reason to complain at the end.
        let _ = editor.save_history(path);
    }
    // A script learns that one of its lines failed; a person has seen it.
    Ok(match is_terminal || all_is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn history_file() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(HISTORY))
}
