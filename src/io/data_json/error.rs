//! What can be wrong with a data file, as facts with a place.

use std::fmt;
use std::ops::Range;

/// A problem with a data file and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct DataError {
    /// What is wrong.
    pub problem: DataProblem,
    /// Bytes of the file that it is about; empty at the end of the file.
    pub span: Range<usize>,
    /// Line of the start, from 1.
    pub line: usize,
    /// Character within the line, from 1.
    pub column: usize,
}

/// What is wrong with a data file.
#[derive(Debug, Clone, PartialEq)]
pub enum DataProblem {
    /// The text is not JSON here.
    Unexpected {
        /// The text found, or "the end of the file".
        found: String,
        /// What could stand here.
        expected: &'static str,
    },
    /// A string without its closing quote, or with a bare line break inside.
    UnterminatedString,
    /// A backslash followed by something that JSON does not know.
    BadEscape,
    /// Bytes that are not UTF-8 in a string.
    NotUtf8,
    /// Something that begins like a number and is none, such as `01`, `.5` or `1.`.
    BadNumber(String),
    /// A number beyond the largest double.
    NumberTooLarge(String),
    /// Two members of one name.
    RepeatedName {
        /// The name.
        name: String,
        /// Bytes of its first occurrence.
        first: Range<usize>,
    },
    /// Brackets nested deeper than the reader follows.
    TooDeep,
    /// Rows of different lengths.
    Ragged {
        /// Length of the earlier rows.
        expected: usize,
        /// Length of this one.
        found: usize,
    },
    /// A number beside an array, a tuple beside a number, and the like.
    MixedElements {
        /// What the earlier elements are.
        expected: &'static str,
        /// What this one is.
        found: &'static str,
    },
    /// A string that is not one of the special values.
    Text(String),
    /// An object with a key that is not a slot number.
    NotATuple(String),
    /// The keys of a tuple are not exactly 1, 2, … n, or differ from those of the tuples before it.
    TupleSlots {
        /// Number of slots that the tuple should have: the number of its keys, or that of the tuples before it.
        expected: usize,
    },
}

impl fmt::Display for DataProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DataProblem::*;
        match self {
            Unexpected { found, expected } => write!(f, "found {found}, expected {expected}"),
            UnterminatedString => write!(f, "this string is not closed on its line"),
            BadEscape => write!(f, "unknown escape in a string; write a backslash as \\\\"),
            NotUtf8 => write!(f, "this string is not valid UTF-8; save the file as UTF-8"),
            BadNumber(text) => write!(
                f,
                "`{text}` is not a number in JSON, which wants digits on both sides of the point and no leading zeros \
                 or plus sign"
            ),
            NumberTooLarge(text) => {
                write!(
                    f,
                    "`{text}` is too large for a double; write \"Infinity\" if that is meant"
                )
            }
            RepeatedName { name, .. } => write!(f, "`{name}` is given twice"),
            TooDeep => write!(
                f,
                "brackets are nested more than {} deep",
                super::parse::MAX_DEPTH
            ),
            Ragged { expected, found } => write!(
                f,
                "this array has length {found}, but those before it at this level have length {expected}; arrays must \
                 be rectangular"
            ),
            MixedElements { expected, found } => {
                write!(
                    f,
                    "found {found} among elements of which an earlier one is {expected}"
                )
            }
            Text(text) => write!(
                f,
                "found the text \"{text}\" where a number must stand (as text only \"NaN\", \"Inf\", \"-Inf\", \
                 \"Infinity\", \"-Infinity\" and \"NA\" are known)"
            ),
            NotATuple(key) => write!(
                f,
                "found an object with the key \"{key}\"; a tuple is written {{\"1\": …, \"2\": …}} and nothing else \
                 may be an object"
            ),
            TupleSlots { expected: 0 } => write!(
                f,
                "a tuple needs at least one slot, as in {{\"1\": …, \"2\": …}}"
            ),
            TupleSlots { expected } => {
                write!(
                    f,
                    "the keys of this tuple must be exactly \"1\" to \"{expected}\", each once"
                )
            }
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.problem
        )
    }
}

impl std::error::Error for DataError {}

/// Counts lines and columns forward through a file, so that many errors in ascending order cost one pass.
pub(super) struct LineCounter<'a> {
    file: &'a [u8],
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> LineCounter<'a> {
    pub(super) fn new(file: &'a [u8]) -> LineCounter<'a> {
        LineCounter {
            file,
            offset: 0,
            line: 1,
            column: 1,
        }
    }

    /// The error with its place; `span` must not start before the one of the call before.
    pub(super) fn locate(&mut self, problem: DataProblem, span: Range<usize>) -> DataError {
        let target = span.start.min(self.file.len());
        for &byte in self.file.get(self.offset..target).unwrap_or_default() {
            if byte == b'\n' {
                self.line += 1;
                self.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.column += 1;
            }
        }
        self.offset = target.max(self.offset);
        DataError {
            problem,
            span,
            line: self.line,
            column: self.column,
        }
    }
}
