//! Programs that assert what the language means: `tests/language/*.stan` call `fatal_error` when something is wrong.

#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use hlm::bind::DataFile;
use hlm::check::CheckOptions;
use hlm::io::data_json::Data;
use hlm::session::{self, Failure};
use hlm::syntax::Included;

/// Checks a program and runs its transformed data.
fn run(path: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(path).expect("readable");
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut include =
        |included: &str, _from: &str| match fs::read_to_string(path.with_file_name(included)) {
            Ok(text) => Ok(Included {
                name: included.to_owned(),
                text,
            }),
            Err(error) => Err(error.to_string()),
        };
    let program = session::read(&name, &text, &mut include, &CheckOptions::default())?;
    let file = DataFile {
        name: "no data",
        text: b"",
        data: &Data::new(),
    };
    session::bind(&program, &file, 1).map(|_| ())
}

#[test]
fn programs_mean_what_they_assert() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language");
    let mut programs: Vec<PathBuf> = (fs::read_dir(folder).expect("a folder"))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "stan")
        })
        .collect();
    programs.sort();
    assert!(programs.len() > 10);
    let failures = programs.iter().filter_map(|path| run(path).err());
    let wrong: String = failures.map(|failure| failure.render(false)).collect();
    assert!(wrong.is_empty(), "{wrong}");
}
