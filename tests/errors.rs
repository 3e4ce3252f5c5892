//! Each file under `tests/errors` holds one kind of mistake; beside it stands what the user reads.
//!
//! After a change of wording, run with `HLM_BLESS=1` to write the texts anew, and read the diff.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use hlm::check::CheckOptions;
use hlm::diag::{Code, render};
use hlm::equation::resolve;
use hlm::mcmc::Settings;
use hlm::model::{BindOptions, Model};
use hlm::run::{RunSettings, Silent, sample};
use hlm::session::read;
use hlm::source::SourceMap;
use hlm::syntax::{Form, Included, NoIncludes, parse_form};
use hlm::tables::{Options, Sources};

/// What the parser says about a program; empty if nothing.
fn parse_errors(path: &Path) -> String {
    let directory = path.parent().unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut sources = SourceMap::new();
    let id = sources.add(name, fs::read_to_string(path).unwrap());
    let mut resolver = |path: &str, _: &str| match fs::read_to_string(directory.join(path)) {
        Ok(text) => Ok(Included {
            name: path.to_owned(),
            text,
        }),
        Err(_) => Err("there is no such file".to_owned()),
    };
    match parse_form(&mut sources, id, &mut resolver) {
        Ok(_) => String::new(),
        Err(errors) => render(&sources, &errors, false),
    }
}

/// What the checker says about a program that parses; empty if nothing.
fn check_errors(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap();
    match read(&name, &text, &mut NoIncludes, &CheckOptions::default()) {
        Ok(_) => String::new(),
        Err(failure) => failure.render(false),
    }
}

/// What resolving says about a program in equation form, warnings included; empty if nothing.
fn equation_errors(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut sources = SourceMap::new();
    let id = sources.add(name, fs::read_to_string(path).unwrap());
    let program = match parse_form(&mut sources, id, &mut NoIncludes) {
        Ok(Form::Equation(program)) => program,
        Ok(Form::Block(_)) => return String::from("not in equation form"),
        Err(errors) => return render(&sources, &errors, false),
    };
    match resolve(&program) {
        Ok(resolved) => render(&sources, &resolved.warnings, false),
        Err(errors) => render(&sources, &errors, false),
    }
}

/// What binding says about a program and the data beside it; empty if nothing.
fn data_errors(path: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let model = Model::from_text(&name(path), &fs::read_to_string(path).unwrap()).unwrap();
    let beside = path.with_extension("json");
    let json = fs::read(&beside).unwrap();
    match model.bind_json(&name(&beside), &json, &BindOptions::default()) {
        Ok(_) => String::new(),
        Err(failure) => failure.render(false),
    }
}

/// What binding tables says about a program in equation form: those beside it, `NAME.csv` and `NAME.2.csv`, and values in
/// `NAME.json`; empty if nothing.
fn table_errors(path: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let model = Model::from_text(&name(path), &fs::read_to_string(path).unwrap());
    let model = model.unwrap_or_else(|failure| panic!("{failure}"));
    let mut sources = Sources::new(&model.program().sources);
    for extension in ["csv", "2.csv", "json"] {
        let beside = path.with_extension(extension);
        let Ok(bytes) = fs::read(&beside) else {
            continue;
        };
        let added = match extension {
            "json" => sources.add_json(&name(&beside), &bytes),
            _ => sources.add_csv(&name(&beside), &bytes, None),
        };
        if let Err(fault) = added {
            return render(&sources.texts, &[*fault], false);
        }
    }
    match model.bind_tables(&sources, &Options::default(), &BindOptions::default()) {
        Ok(_) => String::new(),
        Err(failure) => failure.render(false),
    }
}

/// What a short run of a program, with the data beside it if there are any, has to say; empty if nothing.
fn run_errors(path: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let model = Model::from_text(&name(path), &fs::read_to_string(path).unwrap()).unwrap();
    let beside = path.with_extension("json");
    let json = fs::read(&beside).unwrap_or_else(|_| b"{}".to_vec());
    let posterior = model
        .bind_json(&name(&beside), &json, &BindOptions::default())
        .unwrap();
    let settings = RunSettings {
        sampler: Settings {
            seed: 1,
            chains: 2,
            warmup: 20,
            samples: 20,
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    };
    let run = sample(
        &posterior,
        &settings,
        None,
        &Silent,
        &AtomicBool::new(false),
    )
    .unwrap();
    run.findings(&posterior).render(false)
}

fn fixtures(phase: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/errors")
        .join(phase);
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hlm"))
        .collect();
    paths.sort();
    paths
}

/// Compares what `diagnose` says about each fixture with the text beside it.
fn check_fixtures(phase: &str, diagnose: impl Fn(&Path) -> String) {
    let mut changed = Vec::new();
    for path in fixtures(phase) {
        let said = diagnose(&path);
        assert!(!said.is_empty(), "{} has no error", path.display());
        let beside = path.with_extension("txt");
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if said == expected {
            continue;
        }
        if std::env::var_os("HLM_BLESS").is_some() {
            fs::write(&beside, &said).unwrap();
        } else {
            changed.push(format!(
                "{}\nexpected:\n{expected}\nsaid:\n{said}",
                path.display()
            ));
        }
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

/// Each code of these phases appears in some text beside a fixture.
fn check_every_code(phases: &[&str], letter: char, elsewhere: &[Code]) {
    let texts: String = phases
        .iter()
        .flat_map(|phase| fixtures(phase))
        .map(|path| fs::read_to_string(path.with_extension("txt")).unwrap_or_default())
        .collect();
    for &code in Code::ALL {
        if code.number().starts_with(letter) && !elsewhere.contains(&code) {
            let shown = format!("[{}]", code.number());
            assert!(texts.contains(&shown), "no fixture shows {code:?}");
        }
    }
}

#[test]
fn parse_errors_read_as_written_down() {
    check_fixtures("parse", parse_errors);
}

#[test]
fn every_parse_error_has_a_fixture() {
    // Four gigabytes are no fixture, and libraries are parsed by another function.
    let elsewhere = [Code::SourceTooLarge, Code::UndocumentedFunction];
    check_every_code(&["parse"], 'P', &elsewhere);
}

#[test]
fn name_errors_read_as_written_down() {
    check_fixtures("name", check_errors);
}

#[test]
fn every_name_error_has_a_fixture() {
    check_every_code(&["name"], 'N', &[]);
}

#[test]
fn type_errors_read_as_written_down() {
    check_fixtures("type", check_errors);
}

#[test]
fn every_type_error_has_a_fixture() {
    // A warning; see below.
    check_every_code(&["type"], 'T', &[Code::IntegerDivision]);
}

#[test]
fn equation_errors_read_as_written_down() {
    check_fixtures("equation", equation_errors);
}

#[test]
fn every_equation_error_has_a_fixture() {
    // Tables show that levels are not nested.
    check_every_code(&["equation", "tables"], 'E', &[]);
}

#[test]
fn division_of_integers_is_a_warning() {
    let text = "transformed data {\n  real x = 1 / 2;\n}\n";
    let program = read("a", text, &mut NoIncludes, &CheckOptions::default()).unwrap();
    let codes: Vec<Code> = program.warnings.iter().map(|found| found.code).collect();
    assert_eq!(codes, [Code::IntegerDivision]);
}

#[test]
fn data_errors_read_as_written_down() {
    check_fixtures("data", data_errors);
}

#[test]
fn every_data_error_has_a_fixture() {
    check_every_code(&["data", "tables"], 'D', &[]);
}

#[test]
fn table_errors_read_as_written_down() {
    check_fixtures("tables", table_errors);
}

#[test]
fn run_errors_read_as_written_down() {
    check_fixtures("run", run_errors);
}

#[test]
fn every_run_error_has_a_fixture() {
    // Disks fill up elsewhere, the prompt tests its own, and what cannot be compiled ends before it runs.
    let elsewhere = [
        Code::DrawsNotStored,
        Code::EvaluationFailed,
        Code::NotCompiled,
    ];
    check_every_code(&["run"], 'R', &elsewhere);
}
