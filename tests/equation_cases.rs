//! The acceptance cases of the equation form resolve, with the properties that the language reference promises.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use hlm::diag::{Diagnostic, render};
use hlm::equation::tree::{Level, Model, Name, NameId, Role};
use hlm::equation::{Resolved, resolve};
use hlm::source::SourceMap;
use hlm::syntax::{Form, NoIncludes, parse_form};

fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/equation/cases");
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hlm"))
        .collect();
    paths.sort();
    paths
}

fn try_resolve(text: &str) -> (SourceMap, Result<Resolved, Vec<Diagnostic>>) {
    let mut sources = SourceMap::new();
    let id = sources.add("model.hlm", text);
    let form = match parse_form(&mut sources, id, &mut NoIncludes) {
        Ok(form) => form,
        Err(errors) => panic!("{}", render(&sources, &errors, false)),
    };
    let Form::Equation(program) = form else {
        panic!("not in equation form");
    };
    (sources, resolve(&program))
}

fn resolved(text: &str) -> Model {
    let (sources, result) = try_resolve(text);
    match result {
        Ok(resolved) => {
            assert!(
                resolved.warnings.is_empty(),
                "{}",
                render(&sources, &resolved.warnings, false)
            );
            resolved.model
        }
        Err(errors) => panic!("{text}\n{}", render(&sources, &errors, false)),
    }
}

fn case(name: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/equation/cases/{name}.hlm"));
    fs::read_to_string(path).unwrap()
}

/// A case's text with some of it replaced; what is replaced must be there.
fn changed(name: &str, from: &str, to: &str) -> String {
    let text = case(name);
    assert!(text.contains(from), "{name} has no {from}");
    text.replace(from, to)
}

fn codes(text: &str) -> Vec<&'static str> {
    match try_resolve(text).1 {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.code.number()).collect(),
    }
}

fn name<'a>(model: &'a Model, text: &str) -> &'a Name {
    model.names.iter().find(|name| name.name == text).unwrap()
}

fn id(model: &Model, text: &str) -> NameId {
    NameId(
        model
            .names
            .iter()
            .position(|name| name.name == text)
            .unwrap(),
    )
}

/// The letters of a name's dimensions.
fn axes(model: &Model, text: &str) -> Vec<String> {
    let axes = name(model, text).axes.iter();
    axes.map(|set| model.sets[set.0].name.clone()).collect()
}

#[test]
fn every_case_resolves_without_warnings() {
    let cases = cases();
    assert!(cases.len() >= 20);
    for path in cases {
        resolved(&fs::read_to_string(path).unwrap());
    }
}

#[test]
fn hidden_dimensions_are_found_where_forced() {
    let spend = resolved(&case("02_spend"));
    assert_eq!(axes(&spend, "beta"), ["j", "k", "p"]);
    assert_eq!(axes(&spend, "kappa_r"), ["l", "p"]);
    assert_eq!(axes(&spend, "mu_r"), ["l", "p"]);
    assert_eq!(axes(&spend, "g_country"), ["j", "p"]);
    assert!(axes(&spend, "s_region").is_empty());
    let sleep = resolved(&case("04_sleepstudy"));
    assert_eq!(axes(&sleep, "mu"), ["p"]);
    assert_eq!(axes(&sleep, "tau"), ["p"]);
    assert_eq!(axes(&sleep, "L"), ["p", "p"]);
    assert_eq!(axes(&sleep, "b"), ["s", "p"]);
    let horseshoe = resolved(&case("12_horseshoe"));
    assert!(axes(&horseshoe, "tau").is_empty());
    let parties = resolved(&case("17_categorical"));
    assert_eq!(axes(&parties, "eta"), ["i", "k"]);
}

#[test]
fn roles_and_levels_follow_from_use() {
    let classes = resolved(&case("20_classes"));
    assert_eq!(name(&classes, "m").role, Role::Definition(Level::Data));
    assert_eq!(name(&classes, "class").role, Role::Data);
    assert_eq!(name(&classes, "a").role, Role::Unknown);
    let survival = resolved(&case("18_survival"));
    assert_eq!(name(&survival, "m").role, Role::Definition(Level::Target));
    assert!(name(&survival, "event").is_integer);
    let occupancy = resolved(&case("15_occupancy"));
    assert!(name(&occupancy, "seen").is_integer);
    assert!(name(&occupancy, "y").is_integer);
    assert!(!name(&occupancy, "wind").is_integer);
    let missing = resolved(&case("16_missing"));
    assert!(name(&missing, "age").is_observed);
    let schools =
        resolved("index j\ndata y[j]\ny[j] ~ normal(mu, 1)\nmu ~ normal(0, 1)\ntwice = 2 * mu");
    assert_eq!(
        name(&schools, "twice").role,
        Role::Definition(Level::Generated)
    );
    assert_ne!(id(&schools, "mu"), id(&schools, "y"));
}

#[test]
fn case_9_needs_its_first_element() {
    let without = changed("09_random_walk", "x[g, 1] ~ normal(mu, 5)\nx", "x");
    assert!(codes(&without).contains(&"E0006"), "{:?}", codes(&without));
}
