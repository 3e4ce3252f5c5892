//! Stan's JSON data format: what a data file holds, with the place of every value kept for error messages.
//!
//! The rules are CmdStan's (its JSON chapter), with these liberties: any case of `"+inf"` and friends is read,
//! booleans are 0 and 1, `null` and `"NA"` are kept as missing values with their place, and a value that no Stan
//! program can use (ragged, text, a record) is an error only when it is asked for, since data files often carry more
//! than the program declares.

mod builder;
mod error;
mod parse;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;

pub use error::{DataError, DataProblem};
pub use parse::parse_data_json;
pub use write::{write_data_json, write_json_number};

use crate::shared::Shared;

/// A data file: its variables in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Data {
    entries: Vec<DataEntry>,
    ignored: Vec<IgnoredEntry>,
    places: BTreeMap<String, usize>,
}

/// One named variable of a data file.
#[derive(Debug, Clone, PartialEq)]
pub struct DataEntry {
    /// The name as written.
    pub name: String,
    /// Bytes of the name in the file, without the quotes.
    pub name_span: Range<usize>,
    /// The value, or why no Stan variable can hold what is written (to be reported only if a program declares it).
    pub value: Result<DataValue, DataError>,
}

/// A member whose name is not an identifier (such as `"_hlm"`): no program can declare it, tools may read it.
#[derive(Debug, Clone, PartialEq)]
pub struct IgnoredEntry {
    /// The name as written.
    pub name: String,
    /// Bytes of the name in the file, without the quotes.
    pub name_span: Range<usize>,
    /// Bytes of the value: syntactically valid JSON (bare `NaN` and `Inf` apart).
    pub value_span: Range<usize>,
}

/// A rectangular array of numbers or of tuples; a scalar has no dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct DataValue {
    /// The numbers, in row-major order.
    pub kind: DataKind,
    /// Sizes, outermost first; empty for a scalar. `[]` is `[0]` and stands for any shape without elements.
    pub dims: Vec<usize>,
    /// Bytes of the value in the file; `0..0` for a value made in memory.
    pub span: Range<usize>,
    /// Elements that are `null` or `"NA"`, in ascending order. They hold 0 (integers) or NaN (reals) in `kind`.
    pub missing: Vec<MissingElement>,
    /// Where and why an array stopped being an integer array; `None` for integers, tuples and values made in memory.
    pub first_real: Option<FirstReal>,
}

/// What a [`DataValue`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum DataKind {
    /// All elements were written as integers that fit 32 bits (or as booleans). Also an array without elements.
    Int(Shared<i64>),
    /// At least one element was not; `1.0` counts as real.
    Real(Shared<f64>),
    /// Slots of a tuple, or of an array of tuples: each slot's `dims` are the dims of the array followed by its own.
    Tuple(Vec<DataValue>),
}

/// A missing element of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingElement {
    /// Zero-based place in the row-major values.
    pub index: usize,
    /// Bytes of the `null` in the file.
    pub span: Range<usize>,
}

/// The first element that an integer variable could not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstReal {
    /// Zero-based place in the row-major values.
    pub index: usize,
    /// Bytes of the element in the file.
    pub span: Range<usize>,
    /// What makes it a real.
    pub reason: RealReason,
}

/// Why an element is not an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealReason {
    /// A decimal point, an exponent, or a special value such as `NaN`.
    Written,
    /// An integer outside the 32-bit range of Stan's `int`.
    BeyondInt32,
}

impl Data {
    /// Data without any variable, as `{}`.
    pub fn new() -> Data {
        Data::default()
    }

    /// The variable of this name.
    pub fn get(&self, name: &str) -> Option<&DataEntry> {
        self.places.get(name).map(|&place| &self.entries[place])
    }

    /// All variables in the order of the file.
    pub fn entries(&self) -> &[DataEntry] {
        &self.entries
    }

    /// Members whose names are not identifiers.
    pub fn ignored(&self) -> &[IgnoredEntry] {
        &self.ignored
    }

    /// Adds a variable made in memory, or replaces the one of this name (which keeps its place in the order).
    pub fn set(&mut self, name: &str, value: DataValue) {
        self.put(DataEntry {
            name: name.to_string(),
            name_span: 0..0,
            value: Ok(value),
        });
    }

    fn put(&mut self, entry: DataEntry) {
        if let Some(&place) = self.places.get(&entry.name) {
            self.entries[place] = entry;
        } else {
            self.places.insert(entry.name.clone(), self.entries.len());
            self.entries.push(entry);
        }
    }
}

impl DataValue {
    /// An integer array in row-major order (a scalar with `dims` empty), made in memory.
    pub fn int(values: impl Into<Shared<i64>>, dims: Vec<usize>) -> DataValue {
        DataValue::in_memory(DataKind::Int(values.into()), dims)
    }

    /// A real array in row-major order (a scalar with `dims` empty), made in memory.
    pub fn real(values: impl Into<Shared<f64>>, dims: Vec<usize>) -> DataValue {
        DataValue::in_memory(DataKind::Real(values.into()), dims)
    }

    fn in_memory(kind: DataKind, dims: Vec<usize>) -> DataValue {
        DataValue {
            kind,
            dims,
            span: 0..0,
            missing: Vec::new(),
            first_real: None,
        }
    }

    /// True when a dimension is zero: such a value fits every declared shape that has a zero dimension too.
    pub fn is_empty(&self) -> bool {
        self.dims.contains(&0)
    }

    /// All elements as reals, in row-major order; `None` for tuples.
    pub fn to_reals(&self) -> Option<Vec<f64>> {
        match &self.kind {
            DataKind::Int(values) => Some(values.iter().map(|&value| value as f64).collect()),
            DataKind::Real(values) => Some(values.to_vec()),
            DataKind::Tuple(_) => None,
        }
    }

    /// Bytes of element `index` (row-major, zero-based) in the file this value was read from, found by rereading
    /// the value; `None` for tuples, values made in memory and places past the end.
    pub fn element_span(&self, file: &[u8], index: usize) -> Option<Range<usize>> {
        if matches!(self.kind, DataKind::Tuple(_)) || self.span.is_empty() {
            return None;
        }
        let is_structure = |byte: u8| b"[], \t\r\n".contains(&byte);
        let end = self.span.end.min(file.len());
        let mut at = self.span.start;
        let mut count = 0;
        while at < end {
            if is_structure(file[at]) {
                at += 1;
                continue;
            }
            let start = at;
            while at < end && !is_structure(file[at]) {
                at += 1;
            }
            if count == index {
                return Some(start..at);
            }
            count += 1;
        }
        None
    }
}

/// Whether a program could declare a variable of this name: a letter, then letters, digits and underscores.
fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(char::is_alphabetic)
        && characters.all(|character| character.is_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests;
