//! `hlm repl`: a model that grows line by line, and expressions of the language, one after another.

mod calculator;
mod columns;
mod draws;
mod editor;
mod help;
mod notebook;
mod session;
#[cfg(test)]
mod tests;
mod workplace;

use std::fs;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

use rustyline::error::ReadlineError;

use crate::args::ReplArgs;
use crate::fault::Fault;
use crate::interrupt;
use crate::screen;
use session::{Answer, Session};

/// Where lines are remembered: in the user's home, or within XDG_STATE_HOME where that is set.
const HISTORY: &str = ".hlm_history";

/// Runs the command.
///
/// # Errors
/// Data that cannot be read, or a terminal that cannot be used.
pub fn run(args: &ReplArgs) -> Result<ExitCode, Fault> {
    interrupt::at_prompt(false);
    let mut session = Session::new();
    for file in &args.data {
        screen::note(session.add_data(file)?.trim_end());
    }
    let unusable =
        |error: ReadlineError| Fault::new(format!("the terminal cannot be used: {error}"));
    let mut editor = editor::editor(session.vocabulary()).map_err(unusable)?;
    let is_terminal = stdin().is_terminal();
    let history = history_file().filter(|_| is_terminal);
    if let Some(path) = &history {
        // There is none before the first time.
        let _ = editor.load_history(path);
        screen::note("hlm: a model line by line, or expressions; `:help` says more, `:quit` ends");
    }
    let mut all_is_well = true;
    loop {
        match editor.readline(if is_terminal { "> " } else { "" }) {
            Ok(text) => {
                interrupt::at_prompt(true);
                let outcome = answer(&mut session, &text);
                interrupt::at_prompt(false);
                match outcome {
                    Outcome::Fine => {}
                    Outcome::Failed => all_is_well = false,
                    Outcome::Over => break,
                }
                if let Some(assistant) = editor.helper_mut().filter(|_| is_terminal) {
                    assistant.vocabulary = session.vocabulary();
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(unusable(error)),
        }
    }
    if let Some(path) = &history {
        // A history that cannot be kept is no reason to complain at the end.
        let _ = path.parent().map(fs::create_dir_all);
        let _ = editor.save_history(path);
    }
    // A script learns that one of its lines failed; a person has seen it.
    Ok(match is_terminal || all_is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// How the prompt goes on after some input.
enum Outcome {
    Fine,
    Failed,
    Over,
}

/// Answers what was entered, line by line up to the first that fails.
fn answer(session: &mut Session, text: &str) -> Outcome {
    for input in editor::inputs(text) {
        match session.answer(&input) {
            // Nobody reads what cannot be written.
            Answer::Text(text) => {
                if screen::print(&text).is_err() {
                    return Outcome::Over;
                }
            }
            Answer::Note(text) => screen::note(&text),
            Answer::Trouble(Fault::Unread) | Answer::Quit => return Outcome::Over,
            Answer::Trouble(fault) => {
                fault.report();
                return Outcome::Failed;
            }
        }
    }
    Outcome::Fine
}

fn history_file() -> Option<PathBuf> {
    match std::env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty()) {
        Some(state) => Some(PathBuf::from(state).join("hlm").join("history")),
        None => std::env::home_dir().map(|home| home.join(HISTORY)),
    }
}
