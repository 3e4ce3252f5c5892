//! Files in and out: Stan JSON data, draws as CmdStan CSV, run folders. Plain arrays only; no language, no compiler.

pub mod data_json;
pub mod draws_csv;
mod file_error;
pub mod run_folder;

pub use file_error::{FileError, FileProblem};
