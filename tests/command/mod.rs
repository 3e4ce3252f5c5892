//! The command `hlm` as the tests run it, and what it said.

use std::process::{Command, Output};

/// `hlm`, in an environment that does not choose colours for it.
pub fn hlm() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlm"));
    command.env_remove("NO_COLOR");
    command
}

/// What a command said and how it ended.
pub struct Said {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl Said {
    pub fn new(output: Output) -> Said {
        Said {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }

    #[track_caller]
    pub fn ended(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn complains(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}
