//! The acceptance cases of the equation form resolve, with the properties that the language reference promises.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use hlm::diag::{Diagnostic, render};
use hlm::equation::tree::{ExprKind, Level, Model, Name, Role, SupportKind};
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
}

/// Whether a name is confined to positive numbers by 0 as its lower bound.
fn is_positive(model: &Model, text: &str) -> bool {
    match &name(model, text).support.kind {
        SupportKind::Interval {
            lower: Some(lower),
            upper: None,
        } => lower.kind == ExprKind::Int(0),
        _ => false,
    }
}

fn reason<'a>(model: &'a Model, text: &str) -> &'a str {
    &name(model, text).support.reason
}

#[test]
fn scales_are_positive_and_say_why() {
    let schools = resolved(&case("01_eight_schools"));
    assert!(is_positive(&schools, "tau"));
    assert_eq!(reason(&schools, "tau"), "scale of normal");
    assert!(!name(&schools, "tau").support.truncates);
    assert_eq!(name(&schools, "theta").support.kind, SupportKind::Real);
    let sleep = resolved(&case("04_sleepstudy"));
    assert!(is_positive(&sleep, "tau"));
    assert_eq!(reason(&sleep, "tau"), "scale of multi_normal_cholesky");
    assert_eq!(
        name(&sleep, "L").support.kind,
        SupportKind::CholeskyCorrelation
    );
    let horseshoe = resolved(&case("12_horseshoe"));
    assert!(is_positive(&horseshoe, "tau") && is_positive(&horseshoe, "lambda"));
    let process = resolved(&case("13_gaussian_process"));
    assert!(is_positive(&process, "alpha"));
    assert_eq!(reason(&process, "alpha"), "scale of gp_exp_quad_cov");
    let spend = resolved(&case("02_spend"));
    for text in ["sigma", "s_country", "s_region", "nu"] {
        assert!(is_positive(&spend, text), "{text}");
    }
    assert_eq!(reason(&spend, "nu"), "scale of student_t");
}

#[test]
fn cutpoints_are_ordered_and_probabilities_bounded() {
    let ordered = resolved(&case("08_ordered"));
    assert_eq!(name(&ordered, "cut").support.kind, SupportKind::Ordered);
    assert!(!name(&ordered, "cut").support.truncates);
    let areas = resolved(&case("14_bym"));
    let SupportKind::Interval { lower, upper } = &name(&areas, "rho").support.kind else {
        panic!("rho has no bounds");
    };
    assert!(lower.is_some() && upper.is_some());
    let mixture = resolved(&case("11_mixture"));
    assert_eq!(name(&mixture, "w").support.kind, SupportKind::Simplex);
}

#[test]
fn a_narrowing_under_unknown_arguments_is_a_truncation() {
    let text = "index j = g[i]\nindex i\ndata y[i]\ny[i] ~ normal(mu, sigma[j])\n\
                sigma[j] ~ normal(m, s)\nmu, m ~ normal(0, 1)\ns ~ exponential(1)";
    assert!(name(&resolved(text), "sigma").support.truncates);
    let at_zero = text
        .replace("normal(m, s)", "normal(0, s)")
        .replace("mu, m", "mu");
    assert!(!name(&resolved(&at_zero), "sigma").support.truncates);
}

#[test]
fn mirrored_signs_are_refused() {
    let schools = "index j\ndata y[j], se[j]\ny[j] ~ normal(mu + tau * z[j], se[j])\n\
                   z[j] ~ normal(0, 1)\nmu ~ normal(0, 5)\ntau ~ cauchy(0, 5)";
    assert_eq!(codes(schools), ["E0011"]);
    assert!(codes(&format!("{schools} T[0, ]")).is_empty());
    assert!(codes(&format!("{schools}\nreal tau")).is_empty());
    let meta = "index i\ndata y[i], se[i]\ny[i] ~ normal(mu, sqrt(se[i]^2 + tau^2))\n\
                mu ~ normal(0, 5)\ntau ~ cauchy(0, 5)";
    assert_eq!(codes(meta), ["E0011"]);
    assert!(codes(&format!("{meta} T[0, ]")).is_empty());
    let signed = changed(
        "05_two_parameter_logistic",
        "lognormal(0, s_a)",
        "normal(0, s_a)",
    );
    assert_eq!(codes(&signed), ["E0011"]);
    let areas = changed("14_bym", " T[0, ]", "");
    assert_eq!(codes(&areas), ["E0011"]);
    let factors = "index i\nindex k = item[i]\nindex j = person[i]\ndata y[i]\n\
                   y[i] ~ normal(load[k] * f[j], s)\nload[k], f[j] ~ normal(0, 1)\ns ~ exponential(1)";
    assert_eq!(codes(factors), ["E0011"]);
}

#[test]
fn case_9_needs_its_first_element() {
    let without = changed("09_random_walk", "x[g, 1] ~ normal(mu, 5)\nx", "x");
    assert!(codes(&without).contains(&"E0006"), "{:?}", codes(&without));
}

#[test]
fn combinations_are_reached_by_membership_and_lead_to_their_parts() {
    use hlm::equation::tree::Subscript;
    let classes = resolved(&case("20_classes"));
    let mut seen = (false, false);
    for statement in &classes.statements {
        for expr in statement.expressions() {
            expr.visit(&mut |part| {
                for subscript in part.subscripts() {
                    seen.0 |= matches!(subscript, Subscript::Membership { .. });
                    seen.1 |= matches!(subscript, Subscript::Part { part: 0, .. });
                }
                if let ExprKind::Reduce { agreeing, .. } = &part.kind {
                    assert_eq!(agreeing.len(), 1);
                }
            });
        }
    }
    assert_eq!(seen, (true, true));
}
