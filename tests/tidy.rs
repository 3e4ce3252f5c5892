//! The house rules that the compiler does not enforce: directions of import, headers, sizes, names.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// What each room of src/ may import of the others. `kernels`, `mcmc` and `types` know nothing of the language.
const IMPORTS: &[(&str, &[&str])] = &[
    ("autodiff", &["builtins", "loops"]),
    (
        "bind",
        &[
            "builtins", "diag", "interp", "io", "ir", "shared", "source", "types",
        ],
    ),
    ("builtins", &["kernels", "types"]),
    (
        "check",
        &["builtins", "diag", "ir", "source", "syntax", "types"],
    ),
    ("diag", &["source"]),
    (
        "equation",
        &["builtins", "diag", "source", "syntax", "types"],
    ),
    (
        "interp",
        &[
            "builtins", "ir", "kernels", "loops", "shared", "source", "types",
        ],
    ),
    ("io", &["shared", "summary"]),
    ("ir", &["builtins", "source", "types"]),
    ("jit", &["builtins", "kernels", "loops"]),
    ("kernels", &[]),
    ("loops", &["builtins", "kernels", "shared", "source"]),
    (
        "lower",
        // lower/ode.rs: a right-hand side is differentiated where its solver is called.
        &[
            "autodiff", "builtins", "diag", "interp", "ir", "kernels", "loops", "source", "types",
        ],
    ),
    ("mcmc", &[]),
    ("passes", &["builtins", "loops", "shared"]),
    ("plot", &[]),
    (
        "pooling",
        &[
            "equation", "interp", "io", "mcmc", "model", "plot", "run", "session", "source",
            "summary", "syntax", "tables",
        ],
    ),
    (
        "predict",
        &[
            "equation", "interp", "io", "kernels", "model", "plot", "session", "summary", "tables",
        ],
    ),
    ("shared", &[]),
    ("source", &[]),
    ("stdlib", &[]),
    ("summary", &["kernels"]),
    ("syntax", &["diag", "source"]),
    ("tables", &["diag", "equation", "io", "source", "summary"]),
    ("types", &[]),
];

/// These tie the rooms together and may import all of them.
const EVERYTHING: [&str; 4] = ["lib", "model", "run", "session"];

/// A file beyond this many lines has more than one subject.
const MOST_LINES: usize = 1000;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 5] = ["util", "utils", "helper", "helpers", "misc"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the repository, in order.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn all_rust_files() -> Vec<PathBuf> {
    let folders = ["src", "tests", "examples"];
    folders
        .iter()
        .flat_map(|folder| rust_files(folder))
        .collect()
}

fn short(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The room of a file of src/: its first folder, or its own name.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.iter().next().unwrap().to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

/// The rooms that a file's code names as `crate::ROOM`; its comments and its tests may name any.
fn imported(text: &str) -> Vec<String> {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut rooms = Vec::new();
    for line in lines {
        for after in line.split("crate::").skip(1) {
            let end = after.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            rooms.push(after[..end.unwrap_or(after.len())].to_string());
        }
    }
    rooms
}

fn assert_none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n{}", offences.join("\n"));
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let mut offences = Vec::new();
    for path in rust_files("src") {
        let room = room(&path);
        let is_test = path.ends_with("tests.rs") || path.iter().any(|part| part == "tests");
        if room == "bin" || is_test || EVERYTHING.contains(&room.as_str()) {
            continue;
        }
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == room) else {
            offences.push(format!(
                "{}: the room `{room}` is not in the table",
                short(&path)
            ));
            continue;
        };
        for other in imported(&std::fs::read_to_string(&path).unwrap()) {
            let is_room = IMPORTS.iter().any(|(name, _)| *name == other)
                || EVERYTHING.contains(&other.as_str());
            if is_room && other != room && !allowed.contains(&other.as_str()) {
                offences.push(format!("{}: `{room}` imports `{other}`", short(&path)));
            }
        }
    }
    assert_none("directions of import", &offences);
}

#[test]
fn every_file_says_what_it_is() {
    let mut offences = Vec::new();
    for path in all_rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            offences.push(short(&path));
        }
    }
    assert_none("files without a `//!` sentence on top", &offences);
}

#[test]
fn files_have_one_subject() {
    let mut offences = Vec::new();
    for path in all_rust_files() {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        if lines > MOST_LINES {
            offences.push(format!("{}: {lines} lines", short(&path)));
        }
    }
    assert_none("files that are too long", &offences);
}

#[test]
fn names_say_something() {
    let mut offences = Vec::new();
    for path in all_rust_files() {
        let name = path.file_stem().unwrap().to_string_lossy().to_string();
        let folder = path
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .to_string();
        let is_empty = |word: &str| EMPTY_NAMES.contains(&word);
        if name.split('_').any(is_empty) || is_empty(&folder) {
            offences.push(short(&path));
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let named = line
                .trim_start()
                .strip_prefix("pub ")
                .unwrap_or(line.trim_start());
            let module = named.strip_prefix("mod ").unwrap_or_default();
            if is_empty(module.trim_end_matches([';', '{', ' '])) {
                offences.push(format!("{}: {}", short(&path), line.trim()));
            }
        }
    }
    assert_none("names that say nothing", &offences);
}

#[test]
fn the_import_check_sees_imports() {
    let text = "//! crate::mcmc\nuse crate::{ir};\nuse crate::jit::Compiled; // x\n    let a = crate::bind::bind();\n";
    assert_eq!(imported(text), ["", "jit", "bind"]);
}
