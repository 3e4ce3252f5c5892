//! The models of tests/models against CmdStan: log density, gradient and constrained values, by both back ends.
//!
//! A posterior is three files: the model in this project's words (NAME.hlm), its data (NAME.json), and points computed
//! with CmdStan (NAME.oracle.json; see tests/models/README.md). tests/agreement defines what agreement means.

#![allow(clippy::unwrap_used)]

mod agreement;

use agreement::{BackEnd, Reference};
use std::path::{Path, PathBuf};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".hlm").map(str::to_string))
        .collect();
    names.sort();
    names
}

fn compare(folder: &Path, name: &str) -> Result<(), String> {
    let reference = Reference::read(&folder.join(format!("{name}.oracle.json")))?;
    let read = |extension: &str| {
        let path = folder.join(format!("{name}.{extension}"));
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let (program, data) = (read("hlm")?, read("json")?);
    let file = format!("{name}.hlm");
    let posterior = agreement::posterior(&file, &program, data.as_bytes(), &reference)?;
    for back_end in [BackEnd::Compiled, BackEnd::Literal] {
        let differences = agreement::differences(&posterior, &reference, back_end);
        if !differences.is_empty() {
            return Err(format!("{back_end:?}: {}", differences.join("\n    ")));
        }
    }
    Ok(())
}

#[test]
fn models_agree_with_cmdstan() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let names = names(&folder);
    assert!(names.len() >= 34, "only {} models found", names.len());
    let failures: Vec<String> = (names.iter())
        .filter_map(|name| Some(format!("{name}: {}", compare(&folder, name).err()?)))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} models differ:\n{}",
        failures.len(),
        names.len(),
        failures.join("\n")
    );
}
