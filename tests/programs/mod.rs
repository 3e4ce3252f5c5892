//! Programs in equation form with their data: the acceptance cases of the language reference, and the examples.

#![allow(dead_code, clippy::unwrap_used)]

use hlm::equation::lower::Purpose;
use hlm::model::{BindOptions, Model, Posterior};
use hlm::session;
use hlm::tables::{Options, Sources, Tabled};
use std::fs;
use std::path::{Path, PathBuf};

/// A program with its data.
pub struct Case {
    /// The name of its file, of an example with its folder's.
    pub name: String,
    /// As it stands there.
    pub text: String,
    pub model: Model,
    pub sources: Sources,
}

impl Case {
    /// A program on tables, or on one JSON file.
    pub fn read(name: String, path: &Path, data: &[PathBuf]) -> Case {
        let text = fs::read_to_string(path).unwrap();
        let model = Model::from_text(&format!("{name}.hlm"), &text);
        let model = model.unwrap_or_else(|failure| panic!("{failure}"));
        let mut sources = Sources::new(&model.program().sources);
        for file in data {
            let bytes = fs::read(file).unwrap();
            let name = file.file_name().unwrap().to_string_lossy();
            let added = match file.extension().is_some_and(|kind| kind == "json") {
                true => sources.add_json(&name, &bytes),
                false => sources.add_csv(&name, &bytes, None),
            };
            added.unwrap();
        }
        Case {
            name,
            text,
            model,
            sources,
        }
    }

    pub fn tabulate(&self, model: &Model) -> (Model, Tabled) {
        let tabulated = model.tabulate(&self.sources, &Options::default());
        tabulated.unwrap_or_else(|failure| panic!("{}: {failure}", self.name))
    }

    pub fn posterior(&self, model: &Model) -> Posterior {
        let options = BindOptions::default();
        let filled = model.fill_tables(&self.sources, &Options::default(), &options);
        let filled = filled.unwrap_or_else(|failure| panic!("{}: {failure}", self.name));
        let posterior = filled.compile(&options);
        posterior.unwrap_or_else(|failure| panic!("{}: {failure}", self.name))
    }

    pub fn lowered_for(&self, purpose: &Purpose) -> Model {
        let model = self.model.for_purpose(purpose);
        model.unwrap_or_else(|failure| panic!("{}: {failure}", self.name))
    }

    /// What `hlm expand` prints.
    pub fn expanded(&self) -> String {
        session::expand(self.model.program())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The folder of the acceptance cases and what belongs to them.
pub fn folder() -> PathBuf {
    root().join("tests/equation")
}

/// Every acceptance case.
pub fn cases() -> Vec<Case> {
    let paths = entries(&folder().join("cases"));
    assert!(paths.len() >= 25);
    paths.iter().map(|path| read_case(path)).collect()
}

pub fn case(name: &str) -> Case {
    read_case(&folder().join("cases").join(format!("{name}.hlm")))
}

fn read_case(path: &Path) -> Case {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let data = folder().join("data");
    let json = data.join(format!("{name}.json"));
    let data = match json.exists() {
        true => json,
        false => data.join(format!("{name}.csv")),
    };
    Case::read(name, path, &[data])
}

/// Every example in equation form.
pub fn examples() -> Vec<Case> {
    let models = example_models().into_iter();
    let equations = models.filter(|(path, _)| !is_in_blocks(path));
    let cases: Vec<Case> = equations
        .map(|(path, tables)| Case::read(example_name(&path), &path, &tables))
        .collect();
    assert!(cases.len() >= 10, "{} examples found", cases.len());
    cases
}

/// The examples and the acceptance cases.
pub fn all() -> Vec<Case> {
    let mut all = examples();
    all.extend(cases());
    all
}

/// The folder and the stem of its file: `spend/spend`.
fn example_name(path: &Path) -> String {
    let short = path.strip_prefix(root().join("examples")).unwrap();
    short.with_extension("").display().to_string()
}

/// A file below examples/.
pub fn example(path: &str) -> PathBuf {
    root().join("examples").join(path)
}

pub fn is_in_blocks(model: &Path) -> bool {
    let text = fs::read_to_string(model).unwrap();
    text.contains("parameters {")
}

/// Each model of examples/ with its folder's data: the one JSON file of a model in block form, the tables of one in
/// equation form.
pub fn example_models() -> Vec<(PathBuf, Vec<PathBuf>)> {
    let mut models = Vec::new();
    let folders = entries(&root().join("examples"));
    for folder in folders.into_iter().filter(|path| path.is_dir()) {
        let files = entries(&folder);
        let with_extension = |extension: &str| -> Vec<PathBuf> {
            let has = |path: &&PathBuf| path.extension().is_some_and(|found| found == extension);
            files.iter().filter(has).cloned().collect()
        };
        // Code that examples share is none.
        if with_extension("hlm").is_empty() {
            continue;
        }
        assert!(
            folder.join("README.md").exists(),
            "{} needs a page",
            folder.display()
        );
        let mut tables = with_extension("csv");
        // What a simulation started from is no data.
        tables.retain(|path| !path.ends_with("truth.csv"));
        for model in with_extension("hlm") {
            let data = match is_in_blocks(&model) {
                true => with_extension("json"),
                false => tables.clone(),
            };
            assert!(!data.is_empty(), "{} needs data", model.display());
            models.push((model, data));
        }
    }
    models
}
