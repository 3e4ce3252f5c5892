//! Reading what the user names: programs and data, with a sentence for what cannot be read.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::args::DataArgs;
use crate::fault::Fault;
use crate::screen;
use hlm::bind::DataFile;
use hlm::check::CheckOptions;
use hlm::diag::{Code, Diagnostic, edit_distance};
use hlm::io::data_json::Data;
use hlm::model::{BindOptions, Filled, Model, Posterior, read_data};
use hlm::run::{self, DataIdentity, FileIdentity};
use hlm::session::Failure;
use hlm::tables::{self, Sources};

/// How a file is called where `what` says what it should be.
///
/// # Errors
/// A sentence that says why it cannot be read.
pub fn read_bytes(path: &Path, what: &str) -> Result<Vec<u8>, Fault> {
    fs::read(path).map_err(|error| {
        let shown = path.display();
        Fault::new(match error.kind() {
            ErrorKind::NotFound => match similar(path) {
                Some(name) => format!("there is no {what} `{shown}`; did you mean `{name}`?"),
                None => format!("there is no {what} `{shown}`"),
            },
            ErrorKind::PermissionDenied => format!("the {what} `{shown}` may not be read by you"),
            ErrorKind::IsADirectory => format!("`{shown}` is a folder, where a {what} is needed"),
            _ => format!("the {what} `{shown}` could not be read: {error}"),
        })
    })
}

/// Reads and checks a program.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_model(path: &Path, options: &CheckOptions) -> Result<Model, Fault> {
    let bytes = read_bytes(path, "program")?;
    let shown = path.display();
    let text = String::from_utf8(bytes)
        .map_err(|_| Fault::new(format!("the program `{shown}` is not text in UTF-8")))?;
    Ok(Model::with_options(&shown.to_string(), &text, options)?)
}

/// Reads one file in Stan JSON.
///
/// # Errors
/// Why it cannot be read.
pub fn read_json(path: &Path) -> Result<Data, Fault> {
    let bytes = read_bytes(path, "data file")?;
    Ok(read_data(&path.display().to_string(), &bytes)?)
}

/// All that the user gave as data.
pub struct DataSource {
    files: Vec<GivenFile>,
    set: Vec<(String, String)>,
    options: tables::Options,
}

/// A data file.
struct GivenFile {
    /// The index that a table was given to.
    letter: Option<String>,
    path: PathBuf,
    name: String,
    format: Format,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Parquet,
}

impl DataSource {
    /// Reads the data files; without any, no variable has a value.
    ///
    /// # Errors
    /// Why one cannot be read.
    pub fn read(args: &DataArgs) -> Result<DataSource, Fault> {
        let policies = args.na.iter().cloned();
        let (by_column, missing): (Vec<_>, Vec<_>) =
            policies.partition(|(column, _)| column.is_some());
        let by_column = by_column.into_iter();
        Ok(DataSource {
            files: args
                .data
                .iter()
                .map(|text| GivenFile::read(text))
                .collect::<Result<_, _>>()?,
            set: args.set.clone(),
            options: tables::Options {
                missing: missing.into_iter().map(|(_, policy)| policy).collect(),
                by_column: by_column
                    .filter_map(|(column, policy)| Some((column?, policy)))
                    .collect(),
            },
        })
    }

    /// Reads and checks a program for these data, whose names help to explain what is wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read_model(&self, path: &Path, options: &CheckOptions) -> Result<Model, Fault> {
        let mut fault = match read_model(path, options) {
            Err(Fault::Findings(fault)) => fault,
            other => return other,
        };
        let is_undeclared = |finding: &&mut Diagnostic| {
            matches!(finding.code, Code::NothingDepends | Code::NoPrior)
        };
        for finding in fault.diagnostics.iter_mut().filter(is_undeclared) {
            let Some(name) = finding.title.split('`').nth(1).map(str::to_string) else {
                continue;
            };
            let Some(file) = self.file_with(&name) else {
                continue;
            };
            let term = fault.sources.snippet(finding.label.span);
            let term = if term.starts_with(&name) { term } else { &name };
            finding
                .notes
                .push(format!("`{name}` is a column of {file}"));
            finding.hint = Some(format!("declare it: `data {term}`"));
        }
        Err(Fault::Findings(fault))
    }

    /// The file that has a column or value of this name.
    fn file_with(&self, name: &str) -> Option<&str> {
        let has_it = |file: &&GivenFile| {
            let mut sources = Sources::default();
            let added = match file.format {
                Format::Json => sources.add_json(&file.name, &file.bytes),
                Format::Csv => sources.add_csv(&file.name, &file.bytes, None),
                Format::Parquet => return false,
            };
            added.is_ok() && tables::arrays(&sources).has(name)
        };
        self.files
            .iter()
            .find(has_it)
            .map(|file| file.name.as_str())
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.set.is_empty()
    }

    /// The files' names, as a sentence lists them.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        match names.is_empty() {
            true => "--set".to_string(),
            false => names.join(" and "),
        }
    }

    /// Which data they are, for the description of a run.
    pub fn identity(&self) -> DataIdentity {
        let file = |file: &GivenFile| FileIdentity {
            path: absolute(&file.path),
            letter: file.letter.clone(),
            sha256: run::sha256(&file.bytes),
        };
        DataIdentity {
            files: self.files.iter().map(file).collect(),
            set: self.set.clone(),
            missing: self.options.clone(),
        }
    }

    /// Fills a model's data.
    ///
    /// # Errors
    /// Everything that is wrong with the data.
    pub fn fill(&self, model: &Model, options: &BindOptions) -> Result<Filled, Fault> {
        if model.program().equations.is_some() {
            let sources = self.sources(model)?;
            return Ok(model.fill_tables(&sources, &self.options, options)?);
        }
        if let [only] = self.files.as_slice()
            && only.format == Format::Json
            && self.set.is_empty()
        {
            let data = read_data(&only.name, &only.bytes)?;
            let file = DataFile {
                name: &only.name,
                text: &only.bytes,
                data: &data,
            };
            let filled = model.fill(&file, options);
            return filled.map_err(|failure| self.explain(failure, &[]));
        }
        let sources = self.sources(model)?;
        let arrays = tables::arrays(&sources);
        let name = self.names();
        let file = DataFile {
            name: &name,
            text: &[],
            data: &arrays.data,
        };
        let filled = model.fill(&file, options);
        filled.map_err(|failure| self.explain(failure, &arrays.text))
    }

    /// Fills a model's data and compiles. What is to be known about the data is said.
    ///
    /// # Errors
    /// Everything that is wrong with the data, or what cannot be compiled.
    pub fn bind(&self, model: &Model, options: &BindOptions) -> Result<Posterior, Fault> {
        let filled = self.fill(model, options)?;
        filled.notes().iter().for_each(|note| screen::note(note));
        Ok(filled.compile(options)?)
    }

    /// The tables and values, behind the program's texts.
    ///
    /// # Errors
    /// What keeps a file from being understood.
    pub fn sources(&self, model: &Model) -> Result<Sources, Fault> {
        let mut sources = Sources::new(&model.program().sources);
        self.add_to(&mut sources)?;
        Ok(sources)
    }

    /// Adds the tables and values to others.
    ///
    /// # Errors
    /// What keeps a file from being understood.
    pub fn add_to(&self, sources: &mut Sources) -> Result<(), Fault> {
        for file in &self.files {
            let letter = file.letter.as_deref();
            let added = match file.format {
                Format::Json => sources.add_json(&file.name, &file.bytes),
                Format::Csv => sources.add_csv(&file.name, &file.bytes, letter),
                #[cfg(feature = "parquet")]
                Format::Parquet => sources.add_parquet(&file.name, file.bytes.clone(), letter),
                #[cfg(not(feature = "parquet"))]
                Format::Parquet => {
                    return Err(Fault::new(format!(
                        "{} is in Parquet, which this hlm was built without; build it with `--features parquet`, or \
                         write the table as CSV",
                        file.name
                    )));
                }
            };
            added.map_err(|fault| in_texts(sources, *fault))?;
        }
        for (name, value) in &self.set {
            let set = sources.set(name, value);
            set.map_err(|fault| in_texts(sources, *fault))?;
        }
        Ok(())
    }

    /// The first file that is no table.
    pub fn first_json(&self) -> Option<&str> {
        let mut files = self.files.iter();
        let json = files.find(|file| file.format == Format::Json);
        json.map(|file| file.name.as_str())
    }

    /// What becomes of missing values.
    pub fn options(&self) -> &tables::Options {
        &self.options
    }

    /// A fault of binding these data to a program in block form.
    fn explain(&self, mut failure: Failure, text: &[(String, String)]) -> Fault {
        let is_about_absence = |finding: &&mut Diagnostic| finding.code == Code::MissingData;
        for finding in failure.diagnostics.iter_mut().filter(is_about_absence) {
            if self.is_empty() {
                finding.notes.clear();
                finding.hint = Some("name the data file: `--data FILE`".to_string());
            }
            for (column, table) in text {
                if finding.title.contains(&format!("`{column}`")) {
                    finding
                        .notes
                        .push(format!("the column `{column}` of {table} is text"));
                    finding.hint = Some(
                        "a program in block form takes numbers: number the labels in the file or give JSON, or write the \
                         model in equation form, which makes levels of text"
                            .to_string(),
                    );
                }
            }
        }
        Fault::Findings(failure)
    }
}

impl GivenFile {
    /// Reads `FILE` or `LETTER=FILE`.
    fn read(text: &str) -> Result<GivenFile, Fault> {
        let (letter, path) = match text.split_once('=') {
            Some((letter, path)) if is_name(letter) && !Path::new(text).exists() => {
                (Some(letter.to_string()), PathBuf::from(path))
            }
            _ => (None, PathBuf::from(text)),
        };
        let extension = path
            .extension()
            .map(|extension| extension.to_ascii_lowercase());
        let format = match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("csv" | "tsv" | "tab" | "txt") => Format::Csv,
            Some("parquet" | "pq") => Format::Parquet,
            _ => Format::Json,
        };
        if letter.is_some() && format == Format::Json {
            return Err(Fault::new(format!(
                "`{text}`: an index is given a table, but {} is read as JSON",
                path.display()
            )));
        }
        Ok(GivenFile {
            letter,
            bytes: read_bytes(&path, "data file")?,
            name: path.display().to_string(),
            path,
            format,
        })
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(char::is_alphabetic)
        && characters.all(|character| character.is_alphanumeric() || character == '_')
}

fn in_texts(sources: &Sources, fault: Diagnostic) -> Fault {
    Fault::Findings(Failure {
        sources: sources.texts.clone(),
        diagnostics: vec![fault],
    })
}

/// A path from the root.
pub fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    path.display().to_string()
}

/// A file in the same folder whose name differs in few characters.
fn similar(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let names = fs::read_dir(folder.unwrap_or(Path::new(".")))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut candidates: Vec<(usize, String)> = names
        .map(|name| (edit_distance(&wanted, &name), name))
        .collect();
    candidates.sort();
    let (edits, name) = candidates.into_iter().next()?;
    let near = folder.map_or(name.clone().into(), |folder| folder.join(&name));
    // A third of the name may be wrong, as in most spelling aids.
    (edits <= wanted.chars().count() / 3).then(|| near.display().to_string())
}
