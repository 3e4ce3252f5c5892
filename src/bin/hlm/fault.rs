//! What ends a command early, and how its user reads it.

use std::io;
use std::process::ExitCode;

use crate::screen;
use hlm::io::FileError;
use hlm::session::Failure;

/// Why a command could not do what it was asked.
pub enum Fault {
    /// Findings about a program or its data.
    Findings(Failure),
    /// Anything else, in a sentence without a full stop.
    Sentence(String),
    /// Nobody reads our output any more (`hlm summary … | head`): no error.
    Unread,
}

impl Fault {
    /// A fault in words.
    pub fn new(sentence: impl Into<String>) -> Fault {
        Fault::Sentence(sentence.into())
    }

    /// Tells the user; the exit code is 1.
    pub fn report(self) -> ExitCode {
        match self {
            Fault::Findings(failure) => screen::findings(&failure),
            Fault::Sentence(sentence) => screen::error(&sentence),
            Fault::Unread => return ExitCode::SUCCESS,
        }
        ExitCode::FAILURE
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        Fault::Findings(failure)
    }
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Fault {
        Fault::Sentence(error.to_string())
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Fault::Unread,
            _ => Fault::Sentence(format!("the output could not be written: {error}")),
        }
    }
}
