//! Where data come from: tables, JSON files and values set one by one, each with its text for messages.

use std::sync::Arc;

use super::csv::read_csv;
use super::elements::Combined;
use super::table::Table;
use crate::diag::{Code, Diagnostic};
use crate::io::data_json::{Data, DataEntry, parse_data_json};
use crate::source::{SourceId, SourceMap, Span};
use crate::summary::Labels;

/// All that a user gave as data.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The texts of the data behind those of the program, so that a message can point into both.
    pub texts: SourceMap,
    pub(super) tables: Vec<Given>,
    pub(super) values: Vec<Values>,
    pub(super) fitted: Option<Fitted>,
}

/// What a prediction has from its fit.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    /// How many of the tables are the fit's; they come first.
    pub(super) tables: usize,
    /// The elements of the fit's sets.
    pub(super) sets: Vec<FittedSet>,
}

/// An index set as a fit had it. In predictions its elements come first, in the same order.
#[derive(Clone, Debug)]
pub struct FittedSet {
    /// Its labels.
    pub labels: Arc<Labels>,
    /// Of combinations, what they combine.
    pub(super) combined: Option<Arc<Combined>>,
}

/// A table, and the letter that the user gave it to.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) letter: Option<String>,
    pub(super) table: Table,
}

/// Named values: a JSON file, or a value set on its own.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) name: String,
    pub(super) source: SourceId,
    pub(super) data: Data,
}

impl Sources {
    /// No data yet; `program` are the texts that the plan's places point into.
    pub fn new(program: &SourceMap) -> Sources {
        Sources {
            texts: program.clone(),
            ..Sources::default()
        }
    }

    /// Adds a table in CSV. A `letter` gives it outright to that index.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn add_csv(
        &mut self,
        name: &str,
        bytes: &[u8],
        letter: Option<&str>,
    ) -> Result<(), Box<Diagnostic>> {
        let table = read_csv(&mut self.texts, name, bytes)?;
        self.add_table(table, letter);
        Ok(())
    }

    /// Adds a table in Parquet. A `letter` gives it outright to that index.
    ///
    /// # Errors
    /// What keeps it from being read.
    #[cfg(feature = "parquet")]
    pub fn add_parquet(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        letter: Option<&str>,
    ) -> Result<(), Box<Diagnostic>> {
        let table = super::parquet::read_parquet(name, bytes)?;
        self.add_table(table, letter);
        Ok(())
    }

    /// Makes of the tables so far those of a fit, which had these sets: tables that are added later hold new rows, and
    /// levels that the fit did not have.
    pub fn follow(&mut self, sets: &[FittedSet]) {
        self.fitted = Some(Fitted {
            tables: self.tables.len(),
            sets: sets.to_vec(),
        });
    }

    /// Adds a table that was made in memory.
    pub fn add_table(&mut self, table: Table, letter: Option<&str>) {
        self.tables.push(Given {
            letter: letter.map(str::to_string),
            table,
        });
    }

    /// Adds a JSON file of named values. What is added later wins.
    ///
    /// # Errors
    /// Where it is not JSON of the form that Stan reads.
    pub fn add_json(&mut self, name: &str, bytes: &[u8]) -> Result<(), Box<Diagnostic>> {
        let source = self.texts.add(name, String::from_utf8_lossy(bytes));
        let data = parse_data_json(bytes).map_err(|error| {
            let span = Span::new(source, error.span.start as u32, error.span.end as u32);
            Diagnostic::error(Code::DataFile, error.problem.to_string(), span, "")
        })?;
        self.values.push(Values {
            name: name.to_string(),
            source,
            data,
        });
        Ok(())
    }

    /// Sets one value, a number or an array in JSON's form: `se`, `0.3`.
    ///
    /// # Errors
    /// A value that is none.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Box<Diagnostic>> {
        let text = format!("{{\"{name}\": {value}}}");
        self.add_json(&format!("--set {name}"), text.as_bytes())
    }

    /// The tables, in the order in which they were given.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().map(|given| &given.table)
    }

    /// The tables that were added after those of a fit.
    pub fn new_tables(&self) -> impl Iterator<Item = &Table> {
        let fitted = self.fitted.as_ref().map_or(0, |fitted| fitted.tables);
        self.tables().skip(fitted)
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.values.is_empty()
    }

    /// The value of this name: the file that has it and its place among the file's entries.
    pub(super) fn value(&self, name: &str) -> Option<(usize, usize)> {
        let files = self.values.iter().enumerate().rev();
        let mut found = files.filter_map(|(file, values)| {
            let mut entries = values.data.entries().iter();
            Some((file, entries.position(|entry| entry.name == name)?))
        });
        found.next()
    }

    pub(super) fn entry(&self, (file, entry): (usize, usize)) -> &DataEntry {
        &self.values[file].data.entries()[entry]
    }

    /// The table that was given to one of these letters.
    pub(super) fn given_to(&self, letters: &[String]) -> Option<usize> {
        let is_theirs = |given: &Given| {
            let letter = given.letter.as_ref();
            letter.is_some_and(|letter| letters.contains(letter))
        };
        self.tables.iter().position(is_theirs)
    }
}
