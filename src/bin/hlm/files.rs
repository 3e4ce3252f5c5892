//! Reading what the user names: programs and data, with a sentence for what cannot be read.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::fault::Fault;
use hlm::bind::DataFile;
use hlm::check::CheckOptions;
use hlm::diag::{Code, Diagnostic};
use hlm::io::data_json::Data;
use hlm::model::{Model, read_data};
use hlm::session::Failure;

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

/// A data file, or none.
pub struct DataSource {
    /// What the user calls the file.
    name: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
    data: Data,
}

impl DataSource {
    /// Reads a data file; without one, no variable has a value.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(path: Option<&Path>) -> Result<DataSource, Fault> {
        let Some(path) = path else {
            return Ok(DataSource {
                name: None,
                bytes: Vec::new(),
                data: Data::new(),
            });
        };
        let bytes = read_bytes(path, "data file")?;
        let name = path.display().to_string();
        let data = read_data(&name, &bytes)?;
        Ok(DataSource {
            name: Some(name),
            bytes,
            data,
        })
    }

    /// As binding takes it.
    pub fn file(&self) -> DataFile<'_> {
        DataFile {
            name: self.name.as_deref().unwrap_or_default(),
            text: &self.bytes,
            data: &self.data,
        }
    }

    /// A fault of binding these data.
    pub fn explain(&self, mut failure: Failure) -> Fault {
        let is_about_absence = |finding: &&mut Diagnostic| finding.code == Code::MissingData;
        if self.name.is_none() {
            for finding in failure.diagnostics.iter_mut().filter(is_about_absence) {
                finding.notes.clear();
                finding.hint = Some("name the data file: `--data FILE`".to_string());
            }
        }
        Fault::Findings(failure)
    }

    /// The variables.
    pub fn data(&self) -> &Data {
        &self.data
    }
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
    let mut candidates: Vec<(usize, String)> =
        names.map(|name| (distance(&wanted, &name), name)).collect();
    candidates.sort();
    let (edits, name) = candidates.into_iter().next()?;
    let near = folder.map_or(name.clone().into(), |folder| folder.join(&name));
    // A third of the name may be wrong, as in most spelling aids.
    (edits <= wanted.chars().count() / 3).then(|| near.display().to_string())
}

/// Levenshtein's distance: the fewest characters to insert, remove or replace.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_count_edits() {
        assert_eq!(distance("schools", "schools"), 0);
        assert_eq!(distance("schols", "schools"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
