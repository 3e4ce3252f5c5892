//! Reads files of draws: ours, CmdStan's, whole or cut off by an interruption.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Elapsed, InverseMetric};
use crate::io::{FileError, FileProblem};

/// One chain's file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChainDraws {
    /// The leading columns that end in `__`: `lp__` and the sampler's statistics.
    pub sampler_columns: Vec<String>,
    /// The elements of the variables, as `theta.1.2`.
    pub columns: Vec<String>,
    /// The warmup draws, if they were saved.
    pub warmup: DrawsBlock,
    /// The draws after warmup.
    pub sample: DrawsBlock,
    /// Step size at the end of warmup.
    pub step_size: Option<f64>,
    /// Metric at the end of warmup.
    pub inverse_metric: Option<InverseMetric>,
    /// The settings in the order of the file.
    pub header: Vec<HeaderEntry>,
    /// Seconds taken; `None` when the run has not ended by itself.
    pub elapsed: Option<Elapsed>,
    /// The line, from 1, on which the file is cut off within a row; the row is left out.
    pub cut_off_at: Option<usize>,
}

/// Rows of a file of draws, turned into columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DrawsBlock {
    /// Number of draws.
    pub rows: usize,
    /// The sampler's columns one after the other, `rows` numbers each.
    pub sampler: Vec<f64>,
    /// The variables' columns one after the other, `rows` numbers each.
    pub draws: Vec<f64>,
}

/// A setting in the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderEntry {
    /// The names of the sections around it and its own, as `sample.adapt.delta` or `data.file`.
    pub path: String,
    /// The value without the mark ` (Default)`.
    pub value: String,
}

impl ChainDraws {
    /// The value of a setting by its path or the end of one: `seed`, `data.file`. The first that fits.
    pub fn header_value(&self, key: &str) -> Option<&str> {
        let fits = |path: &str| {
            path.strip_suffix(key)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.header
            .iter()
            .find(|entry| fits(&entry.path))
            .map(|entry| entry.value.as_str())
    }

    /// The draws after warmup of one column, whether variable (`theta.1`) or sampler's (`divergent__`).
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let find = |names: &[String]| names.iter().position(|other| other == name);
        let block = &self.sample;
        let (values, place) = match find(&self.columns) {
            Some(place) => (&block.draws, place),
            None => (&block.sampler, find(&self.sampler_columns)?),
        };
        values.get(place * block.rows..(place + 1) * block.rows)
    }
}

/// The draws after warmup of all columns, one slice a chain: `lp__` first, then the variables. The form that
/// [`summarise`](crate::summary::summarise) takes. The chains must have the same columns, as from [`read_chains`].
pub fn columns_of(chains: &[ChainDraws]) -> Vec<(&str, Vec<&[f64]>)> {
    let Some(first) = chains.first() else {
        return Vec::new();
    };
    let log_density = first.sampler_columns.iter().filter(|name| *name == "lp__");
    let names = log_density.chain(&first.columns);
    names
        .map(|name| {
            (
                name.as_str(),
                chains
                    .iter()
                    .filter_map(|chain| chain.column(name))
                    .collect(),
            )
        })
        .collect()
}

/// Reads the files of one run, one chain each, which must have the same columns.
pub fn read_chains(paths: &[PathBuf]) -> Result<Vec<ChainDraws>, FileError> {
    let mut chains: Vec<ChainDraws> = Vec::new();
    for path in paths {
        let chain = read_draws_csv(path)?;
        if let Some(first) = chains.first() {
            let names =
                |chain: &ChainDraws| [chain.sampler_columns.as_slice(), &chain.columns].concat();
            let (expected, found) = (names(first), names(&chain));
            if let Some(place) =
                (0..expected.len().max(found.len())).find(|&i| expected.get(i) != found.get(i))
            {
                let (expected, found) = (expected.get(place).cloned(), found.get(place).cloned());
                let problem = FileProblem::OtherColumns {
                    first: paths[0].clone(),
                    expected,
                    found,
                };
                return Err(FileError::new(path, problem));
            }
        }
        chains.push(chain);
    }
    Ok(chains)
}

/// Reads one chain's file.
pub fn read_draws_csv(path: &Path) -> Result<ChainDraws, FileError> {
    let file = File::open(path).map_err(|error| FileError::system(path, error))?;
    parse_draws_csv(BufReader::with_capacity(1 << 16, file), path)
}

/// Reads one chain from text; `path` names it in errors.
pub fn parse_draws_csv(mut input: impl BufRead, path: &Path) -> Result<ChainDraws, FileError> {
    let mut reader = Reader::new(path);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let count = input
            .read_until(b'\n', &mut bytes)
            .map_err(|error| FileError::system(path, error))?;
        if count == 0 {
            return reader.finish();
        }
        reader.line += 1;
        // A last row without its line break may lack digits even when it has all its fields.
        if bytes.last() != Some(&b'\n') && bytes.first() != Some(&b'#') {
            reader.chain.cut_off_at = Some(reader.line);
            return reader.finish();
        }
        let Ok(line) = str::from_utf8(&bytes) else {
            return Err(reader.error(FileProblem::NotUtf8));
        };
        reader.read_line(line.trim_end())?;
    }
}

/// At most so many characters of a field that is no name are quoted: it may be a file's one long line.
const LONGEST_QUOTE: usize = 30;

/// Whether a column's name may begin like this; programs of other languages than Stan's may use any letter.
fn starts_a_name(text: &str) -> bool {
    text.starts_with(|character: char| character.is_alphabetic() || character == '_')
}

struct Reader<'a> {
    path: &'a Path,
    line: usize,
    chain: ChainDraws,
    has_columns: bool,
    /// Rows since the head or the adaptation block, row after row.
    values: Vec<f64>,
    rows: usize,
    /// Names of the header's sections around the current line, with their indents.
    sections: Vec<(usize, String)>,
    part: Part,
    has_adaptation: bool,
    warmup_seconds: Option<f64>,
}

/// What the next comment line means.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Header,
    Adaptation,
    Diagonal,
    Dense,
    Other,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path) -> Reader<'a> {
        Reader {
            path,
            line: 0,
            chain: ChainDraws::default(),
            has_columns: false,
            values: Vec::new(),
            rows: 0,
            sections: Vec::new(),
            part: Part::Header,
            has_adaptation: false,
            warmup_seconds: None,
        }
    }

    fn error(&self, problem: FileProblem) -> FileError {
        FileError::at_line(self.path, self.line, problem)
    }

    fn read_line(&mut self, line: &str) -> Result<(), FileError> {
        if let Some(comment) = line.strip_prefix('#') {
            self.read_comment(comment);
            Ok(())
        } else if line.is_empty() {
            Ok(())
        } else if self.has_columns {
            self.read_row(line)
        } else {
            self.read_columns(line)
        }
    }

    fn read_columns(&mut self, line: &str) -> Result<(), FileError> {
        let fields = line.split(',').map(|name| name.trim().trim_matches('"'));
        // JSON, say, or a file of numbers alone.
        if let Some(other) = fields.clone().find(|name| !starts_a_name(name)) {
            let found = other.chars().take(LONGEST_QUOTE).collect();
            return Err(self.error(FileProblem::NotDraws { found }));
        }
        let mut names = fields.map(str::to_string).peekable();
        while let Some(name) = names.next_if(|name| name.ends_with("__")) {
            self.chain.sampler_columns.push(name);
        }
        self.chain.columns = names.collect();
        self.has_columns = true;
        self.part = Part::Other;
        Ok(())
    }

    fn width(&self) -> usize {
        self.chain.sampler_columns.len() + self.chain.columns.len()
    }

    fn read_row(&mut self, line: &str) -> Result<(), FileError> {
        self.part = Part::Other;
        let start = self.values.len();
        for (place, field) in line.split(',').enumerate() {
            match field.trim().parse() {
                Ok(value) => self.values.push(value),
                Err(_) => {
                    let mut names = self.chain.sampler_columns.iter().chain(&self.chain.columns);
                    let column = names
                        .nth(place)
                        .cloned()
                        .unwrap_or_else(|| format!("number {}", place + 1));
                    return Err(self.error(FileProblem::NotANumber {
                        column,
                        text: field.to_string(),
                    }));
                }
            }
        }
        let (expected, found) = (self.width(), self.values.len() - start);
        if found != expected {
            return Err(self.error(FileProblem::FieldCount { expected, found }));
        }
        self.rows += 1;
        Ok(())
    }

    fn read_comment(&mut self, comment: &str) {
        let text = comment.trim();
        if text == "Adaptation terminated" {
            self.chain.warmup = self.take_block(self.rows);
            self.has_adaptation = true;
            self.part = Part::Adaptation;
        } else if text.ends_with(" seconds (Warm-up)") || text.ends_with(" seconds (Sampling)") {
            self.read_elapsed(text);
        } else {
            match self.part {
                Part::Header => self.read_header(comment),
                Part::Adaptation => self.read_adaptation(text),
                Part::Diagonal => {
                    self.chain.inverse_metric = parse_list(text).map(InverseMetric::Diagonal);
                    self.part = Part::Other;
                }
                Part::Dense => match (&mut self.chain.inverse_metric, parse_list(text)) {
                    (Some(InverseMetric::Dense(rows)), Some(row)) => rows.push(row),
                    _ => self.part = Part::Other,
                },
                Part::Other => {}
            }
        }
    }

    fn read_header(&mut self, comment: &str) {
        let indent = comment.len() - comment.trim_start().len();
        self.sections.retain(|&(outer, _)| outer < indent);
        let text = comment.trim_start();
        let (key, value) = match text.split_once(" =") {
            Some((key, value)) => (key, value.trim()),
            None => return self.sections.push((indent, text.trim().to_string())),
        };
        let names = self.sections.iter().map(|(_, name)| name.as_str());
        let path = names.chain([key]).collect::<Vec<_>>().join(".");
        let value = value
            .strip_suffix("(Default)")
            .unwrap_or(value)
            .trim()
            .to_string();
        self.chain.header.push(HeaderEntry { path, value });
    }

    fn read_adaptation(&mut self, text: &str) {
        if let Some(number) = text.strip_prefix("Step size =") {
            self.chain.step_size = number.trim().parse().ok();
        } else if text.starts_with("Diagonal elements of inverse mass matrix") {
            self.part = Part::Diagonal;
        } else if text.starts_with("Elements of inverse mass matrix") {
            self.chain.inverse_metric = Some(InverseMetric::Dense(Vec::new()));
            self.part = Part::Dense;
        } else if text.starts_with("No free parameters for unit metric") {
            self.chain.inverse_metric = Some(InverseMetric::Unit);
            self.part = Part::Other;
        }
    }

    fn read_elapsed(&mut self, text: &str) {
        let number = text
            .trim_start_matches("Elapsed Time:")
            .split_whitespace()
            .next();
        let Some(seconds) = number.and_then(|number| number.parse().ok()) else {
            return;
        };
        if text.ends_with("(Warm-up)") {
            self.warmup_seconds = Some(seconds);
        } else {
            self.chain.elapsed = self.warmup_seconds.map(|warmup| Elapsed {
                warmup,
                sampling: seconds,
            });
        }
    }

    /// Turns the first `rows` of the gathered rows into columns, and forgets them.
    fn take_block(&mut self, rows: usize) -> DrawsBlock {
        let width = self.width();
        let values: Vec<f64> = self.values.drain(..rows * width).collect();
        self.rows -= rows;
        let columns = |range: Range<usize>| {
            let places = range.flat_map(|column| (0..rows).map(move |row| row * width + column));
            places.map(|place| values[place]).collect()
        };
        let leading = self.chain.sampler_columns.len();
        DrawsBlock {
            rows,
            sampler: columns(0..leading),
            draws: columns(leading..width),
        }
    }

    fn finish(mut self) -> Result<ChainDraws, FileError> {
        if !self.has_columns {
            return Err(FileError::new(self.path, FileProblem::NoColumnLine));
        }
        if !self.has_adaptation {
            self.chain.warmup = self.take_block(self.warmup_rows_by_header().min(self.rows));
        }
        self.chain.sample = self.take_block(self.rows);
        Ok(self.chain)
    }

    /// How many rows are warmup according to the settings: all that can be known of a run that was interrupted before
    /// its adaptation block.
    fn warmup_rows_by_header(&self) -> usize {
        let value = |key| self.chain.header_value(key);
        let number = |key| value(key).and_then(|text| text.parse::<usize>().ok());
        if !matches!(value("save_warmup"), Some("true" | "1"))
            || value("algorithm") == Some("fixed_param")
        {
            return 0;
        }
        number("num_warmup")
            .unwrap_or(0)
            .div_ceil(number("thin").unwrap_or(1).max(1))
    }
}

/// The numbers of a comma-separated list; `None` if one is not a number.
fn parse_list(text: &str) -> Option<Vec<f64>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',')
        .map(|number| number.trim().parse().ok())
        .collect()
}
