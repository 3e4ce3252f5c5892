//! A table in memory: named columns of typed cells, and where each cell stands in its file.

use std::collections::HashMap;

use super::csv::field_range;
use crate::source::{SourceId, SourceMap, Span};

/// A table, read from a file.
#[derive(Clone, Debug)]
pub struct Table {
    /// How messages call it: its file.
    pub name: String,
    /// Where its text is; `None` for a format that is not text.
    pub text: Option<Text>,
    /// Its columns, in the order of the file.
    pub columns: Vec<TableColumn>,
    /// Its number of rows.
    pub rows: usize,
}

/// The text of a table, to point into.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text.
    pub source: SourceId,
    /// Where the headings begin, in bytes.
    pub heading: u32,
    /// Where each row begins.
    pub starts: Vec<u32>,
    /// What separates its fields.
    pub delimiter: u8,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// Its heading as in the file.
    pub heading: String,
    /// The name by which models call it: the heading, in which everything but letters, digits and `_` is `_`.
    pub name: String,
    /// What it holds.
    pub cells: Cells,
}

/// The cells of a column. All have one type: the narrowest that fits each of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Integers without leading zeros.
    Integer(Vec<Option<i64>>),
    /// Numbers; NaN is a missing one.
    Real(Vec<f64>),
    /// Anything else: each cell's place among the texts, in the order of their first appearance.
    Text {
        /// Each cell's text; `None` is missing.
        codes: Vec<Option<u32>>,
        /// The texts.
        texts: Vec<String>,
    },
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// NA.
    Missing,
    /// An integer.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// Text.
    Text(&'a str),
}

impl Cell<'_> {
    /// As a number: `true` and `false` are 1 and 0. `None` for what is none, or missing.
    pub fn number(self) -> Option<f64> {
        match self {
            Cell::Missing => None,
            Cell::Integer(value) => Some(value as f64),
            Cell::Real(value) => Some(value),
            Cell::Text(text) => match text {
                "true" | "TRUE" | "True" | "T" => Some(1.0),
                "false" | "FALSE" | "False" | "F" => Some(0.0),
                // Digits with leading zeros are labels, but they count too.
                _ => text.parse().ok(),
            },
        }
    }

    /// As the label of a level: a whole number is spelled without a decimal point. `None` if missing.
    pub fn label(self) -> Option<String> {
        match self {
            Cell::Missing => None,
            Cell::Integer(value) => Some(value.to_string()),
            Cell::Real(value) => Some(value.to_string()),
            Cell::Text(text) => Some(text.to_string()),
        }
    }

    /// Whether it is missing.
    pub fn is_missing(self) -> bool {
        matches!(self, Cell::Missing)
    }
}

impl Cells {
    /// The cell of a row; missing beyond the last.
    pub fn get(&self, row: usize) -> Cell<'_> {
        match self {
            Cells::Integer(values) => match values.get(row) {
                Some(Some(value)) => Cell::Integer(*value),
                _ => Cell::Missing,
            },
            Cells::Real(values) => match values.get(row) {
                Some(value) if !value.is_nan() => Cell::Real(*value),
                _ => Cell::Missing,
            },
            Cells::Text { codes, texts } => match codes.get(row) {
                Some(Some(code)) => Cell::Text(&texts[*code as usize]),
                _ => Cell::Missing,
            },
        }
    }

    /// Cells of any types, which get the narrowest type that fits each of them.
    pub fn of<'c>(cells: impl Iterator<Item = Cell<'c>>) -> Cells {
        let cells: Vec<Cell<'_>> = cells.collect();
        let is_integer = |cell: &Cell<'_>| matches!(cell, Cell::Integer(_) | Cell::Missing);
        let is_number = |cell: &Cell<'_>| !matches!(cell, Cell::Text(_));
        let integer = |cell: &Cell<'_>| match cell {
            Cell::Integer(value) => Some(*value),
            _ => None,
        };
        if cells.iter().all(is_integer) && cells.iter().any(|cell| !cell.is_missing()) {
            return Cells::Integer(cells.iter().map(integer).collect());
        }
        if cells.iter().all(is_number) {
            let number = |cell: &Cell<'_>| cell.number().unwrap_or(f64::NAN);
            return Cells::Real(cells.iter().map(number).collect());
        }
        let mut codes = Codes::default();
        for cell in cells {
            codes.push(cell.label().as_deref());
        }
        codes.finish()
    }
}

/// An integer; digits with a leading zero are text (`007` is another label than `7`).
fn parse_integer(text: &str) -> Option<i64> {
    match has_leading_zero(text) {
        true => None,
        false => text.parse().ok(),
    }
}

/// A number. Digits alone are one only where they identify a double: 20 of them are a label.
fn parse_real(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['+', '-']);
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    if has_leading_zero(text) || (is_whole && text.parse::<i64>().is_err()) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| !value.is_nan())
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What R writes for a missing value without quotation marks, and for the text with them.
pub const QUOTED_NA: &str = "NA";

/// Whether a field says that its value is missing: the spellings of R, pandas and SQL.
pub fn is_missing(text: &str) -> bool {
    const SPELLINGS: [&str; 12] = [
        "", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "null", "NULL", "Null",
    ];
    SPELLINGS.contains(&text)
}

/// A heading as a name of the language: other characters than letters, digits and `_` become `_`.
pub fn column_name(heading: &str) -> String {
    let allowed = |character: char| character.is_alphanumeric() || character == '_';
    heading
        .trim()
        .chars()
        .map(|character| if allowed(character) { character } else { '_' })
        .collect()
}

/// Finds the narrowest type that fits a column's texts, so that those of numbers need not be kept to be typed later.
#[derive(Debug, Default)]
pub struct Survey {
    narrowest: Narrowest,
    has_quoted_na: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Narrowest {
    /// Missing cells alone.
    #[default]
    Nothing,
    Integer,
    Real,
    Text,
}

impl Survey {
    /// Takes note of a cell's text; spaces around it do not count.
    pub fn see(&mut self, text: &str) {
        let text = text.trim();
        if self.narrowest == Narrowest::Text || is_missing(text) {
            return;
        }
        let may_be_integer = self.narrowest != Narrowest::Real;
        self.narrowest = if may_be_integer && parse_integer(text).is_some() {
            Narrowest::Integer
        } else if parse_real(text).is_some() {
            Narrowest::Real
        } else {
            Narrowest::Text
        };
    }

    /// Takes note of a cell that says `NA` in quotation marks: text among text (Namibia is no missing country), missing
    /// among numbers.
    pub fn see_quoted_na(&mut self) {
        self.has_quoted_na = true;
    }

    /// Collects the column's cells, `rows` of them.
    pub fn builder(self, rows: usize) -> CellsBuilder {
        match self.narrowest {
            Narrowest::Integer => CellsBuilder::Integer(Vec::with_capacity(rows)),
            Narrowest::Nothing if self.has_quoted_na => {
                CellsBuilder::Integer(Vec::with_capacity(rows))
            }
            // Nothing but missing cells: of a number rather than of text, so that they are reported as missing.
            Narrowest::Real | Narrowest::Nothing => CellsBuilder::Real(Vec::with_capacity(rows)),
            Narrowest::Text => CellsBuilder::Text(Codes::default()),
        }
    }
}

/// Collects the cells of one column whose type is known.
#[derive(Debug)]
pub enum CellsBuilder {
    /// Of [`Cells::Integer`].
    Integer(Vec<Option<i64>>),
    /// Of [`Cells::Real`].
    Real(Vec<f64>),
    /// Of [`Cells::Text`].
    Text(Codes),
}

impl CellsBuilder {
    /// Adds a cell that the survey saw; spaces around it do not count.
    pub fn push(&mut self, text: &str) {
        let text = text.trim();
        let present = (!is_missing(text)).then_some(text);
        match self {
            CellsBuilder::Integer(values) => values.push(present.and_then(parse_integer)),
            CellsBuilder::Real(values) => {
                values.push(present.and_then(parse_real).unwrap_or(f64::NAN));
            }
            CellsBuilder::Text(codes) => codes.push(present),
        }
    }

    /// Adds a cell that says `NA` in quotation marks.
    pub fn push_quoted_na(&mut self) {
        match self {
            CellsBuilder::Integer(values) => values.push(None),
            CellsBuilder::Real(values) => values.push(f64::NAN),
            CellsBuilder::Text(codes) => codes.push(Some(QUOTED_NA)),
        }
    }

    /// The cells.
    pub fn finish(self) -> Cells {
        match self {
            CellsBuilder::Integer(values) => Cells::Integer(values),
            CellsBuilder::Real(values) => Cells::Real(values),
            CellsBuilder::Text(codes) => codes.finish(),
        }
    }
}

/// Collects texts: each distinct one is kept once.
#[derive(Debug, Default)]
pub struct Codes {
    places: HashMap<String, u32>,
    texts: Vec<String>,
    codes: Vec<Option<u32>>,
}

impl Codes {
    fn push(&mut self, text: Option<&str>) {
        let code = text.map(|text| match self.places.get(text) {
            Some(place) => *place,
            None => {
                let place = self.texts.len() as u32;
                self.places.insert(text.to_string(), place);
                self.texts.push(text.to_string());
                place
            }
        });
        self.codes.push(code);
    }

    fn finish(self) -> Cells {
        Cells::Text {
            codes: self.codes,
            texts: self.texts,
        }
    }
}

impl Table {
    /// The places of the columns of this name: none, one, or several that sanitising made equal.
    pub fn columns_named(&self, name: &str) -> Vec<usize> {
        let places = self.columns.iter().enumerate();
        let named = places.filter(|(_, column)| column.name == name);
        named.map(|(place, _)| place).collect()
    }

    /// The place of the first column of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// A cell; missing beyond the table.
    pub fn cell(&self, column: usize, row: usize) -> Cell<'_> {
        let column = self.columns.get(column);
        column.map_or(Cell::Missing, |column| column.cells.get(row))
    }

    /// Where a cell stands; `None` where the table is no text.
    pub fn cell_span(&self, texts: &SourceMap, column: usize, row: usize) -> Option<Span> {
        let text = self.text.as_ref()?;
        let start = *text.starts.get(row)?;
        Some(text.field_span(texts, start, column))
    }

    /// Where a column's heading stands; `None` where the table is no text.
    pub fn heading_span(&self, texts: &SourceMap, column: usize) -> Option<Span> {
        let text = self.text.as_ref()?;
        Some(text.field_span(texts, text.heading, column))
    }
}

impl Text {
    fn field_span(&self, texts: &SourceMap, start: u32, field: usize) -> Span {
        let bytes = texts.text(self.source).as_bytes();
        let range = field_range(bytes, start as usize, self.delimiter, field);
        Span::new(self.source, range.start as u32, range.end as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(texts: &[&str]) -> Cells {
        let mut survey = Survey::default();
        texts.iter().for_each(|text| survey.see(text));
        let mut builder = survey.builder(texts.len());
        texts.iter().for_each(|text| builder.push(text));
        builder.finish()
    }

    #[test]
    fn columns_have_the_narrowest_type_that_fits() {
        assert_eq!(
            cells(&["1", "NA", " -3 "]),
            Cells::Integer(vec![Some(1), None, Some(-3)])
        );
        assert_eq!(
            cells(&["1", "2.5", "1e3"]),
            Cells::Real(vec![1.0, 2.5, 1000.0])
        );
        assert!(matches!(cells(&["1", "x"]), Cells::Text { .. }));
        assert!(matches!(cells(&["01", "02"]), Cells::Text { .. }));
        assert!(matches!(cells(&["0", "10"]), Cells::Integer(_)));
        // More digits than a double or a 64-bit integer holds are a label.
        assert!(matches!(
            cells(&["123456789012345678901"]),
            Cells::Text { .. }
        ));
        assert!(matches!(cells(&["NA", ""]), Cells::Real(_)));
    }

    #[test]
    fn cells_are_numbers_and_labels() {
        let text = cells(&["TRUE", "FALSE", "01", "x", "NA"]);
        let numbers: Vec<Option<f64>> = (0..5).map(|row| text.get(row).number()).collect();
        assert_eq!(numbers, [Some(1.0), Some(0.0), Some(1.0), None, None]);
        assert_eq!(text.get(2).label().as_deref(), Some("01"));
        let reals = cells(&["2.0", "2.5"]);
        assert_eq!(reals.get(0).label().as_deref(), Some("2"));
        assert_eq!(reals.get(1).label().as_deref(), Some("2.5"));
        assert!(reals.get(9).is_missing());
    }

    #[test]
    fn a_quoted_na_is_a_label_among_labels_only() {
        let with = |texts: &[&str]| {
            let mut survey = Survey::default();
            texts.iter().for_each(|text| survey.see(text));
            survey.see_quoted_na();
            let mut builder = survey.builder(texts.len() + 1);
            texts.iter().for_each(|text| builder.push(text));
            builder.push_quoted_na();
            builder.finish()
        };
        assert_eq!(with(&["DE", "NA"]).get(2), Cell::Text("NA"));
        assert!(with(&["DE", "NA"]).get(1).is_missing());
        assert_eq!(
            with(&["1", "2"]),
            Cells::Integer(vec![Some(1), Some(2), None])
        );
        assert!(with(&["1.5"]).get(1).is_missing());
    }

    #[test]
    fn headings_become_names() {
        for (heading, name) in [
            ("log.radon", "log_radon"),
            (" X 1", "X_1"),
            ("größe", "größe"),
            ("a-b/c", "a_b_c"),
        ] {
            assert_eq!(column_name(heading), name);
        }
    }
}
