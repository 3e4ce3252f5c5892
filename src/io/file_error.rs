//! What can go wrong with a file of draws or a run folder, as facts with the path and the line.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A problem with a file or folder.
#[derive(Debug)]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// The line of the file, from 1, if the problem has one.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: FileProblem,
}

/// What is wrong with a file or folder.
#[derive(Debug)]
pub enum FileProblem {
    /// The system refused to read or write: no such file, no permission, a full disk.
    System(io::Error),
    /// A file of draws without the line that names its columns.
    NoColumnLine,
    /// A line in the place of the columns' names that does not name any: the file is of another kind.
    NotDraws {
        /// The first field of the line.
        found: String,
    },
    /// A row with too few or too many fields.
    FieldCount {
        /// Number of columns.
        expected: usize,
        /// Number of fields in this row.
        found: usize,
    },
    /// A field that is not a number.
    NotANumber {
        /// The column's name.
        column: String,
        /// The field as written.
        text: String,
    },
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Files of one run that do not have the same columns.
    OtherColumns {
        /// The file that it is compared with.
        first: PathBuf,
        /// The first column that differs there; `None` when it has fewer columns.
        expected: Option<String>,
        /// The column in this file; `None` when this file has fewer columns.
        found: Option<String>,
    },
    /// A folder that already holds the files of a run.
    HoldsARun {
        /// The file that is in the way.
        file: PathBuf,
    },
}

impl FileError {
    pub(crate) fn new(path: &Path, problem: FileProblem) -> FileError {
        FileError {
            path: path.to_path_buf(),
            line: None,
            problem,
        }
    }

    pub(crate) fn system(path: &Path, error: io::Error) -> FileError {
        FileError::new(path, FileProblem::System(error))
    }

    pub(crate) fn at_line(path: &Path, line: usize, problem: FileProblem) -> FileError {
        FileError {
            line: Some(line),
            ..FileError::new(path, problem)
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |column: &Option<String>| {
            column
                .as_ref()
                .map_or("no column".to_string(), |name| format!("`{name}`"))
        };
        match self {
            FileProblem::System(error) => write!(f, "{error}"),
            FileProblem::NoColumnLine => {
                write!(
                    f,
                    "no line that names the columns: the run ended before it began, or this is no file of draws"
                )
            }
            FileProblem::NotDraws { found } => write!(
                f,
                "this is no CSV file of draws: the names of its columns should stand here, not `{found}`"
            ),
            FileProblem::FieldCount { expected, found } => {
                write!(
                    f,
                    "this row has {found} fields, but there are {expected} columns"
                )
            }
            FileProblem::NotANumber { column, text } => {
                write!(f, "`{text}` in column `{column}` is not a number")
            }
            FileProblem::NotUtf8 => write!(f, "this line is not valid UTF-8"),
            FileProblem::OtherColumns {
                first,
                expected,
                found,
            } => write!(
                f,
                "not a chain of the same run as {}: it has {} where that has {}",
                first.display(),
                name(found),
                name(expected)
            ),
            FileProblem::HoldsARun { file } => write!(
                f,
                "this folder already holds a run ({}), which is never overwritten; name another folder",
                file.display()
            ),
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            FileProblem::System(error) => Some(error),
            _ => None,
        }
    }
}
