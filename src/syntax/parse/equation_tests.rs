//! Tests of the equation form: trees by their canonical text, errors by code and place.

use super::*;
use crate::syntax::equation::{Domain, ItemKind, LevelOrder};
use crate::syntax::format::{format_equations, format_item};
use crate::syntax::lexer::NoIncludes;
use proptest::prelude::*;

fn form(name: &str, text: &str) -> Result<Form, String> {
    let mut sources = SourceMap::new();
    let id = sources.add(name, text);
    parse_form(&mut sources, id, &mut NoIncludes)
        .map_err(|errors| diag::render(&sources, &errors, false))
}

fn equations(text: &str) -> EquationProgram {
    match form("test.hlm", text) {
        Ok(Form::Equation(program)) => program,
        Ok(Form::Block(_)) => panic!("in block form:\n{text}"),
        Err(said) => panic!("{said}"),
    }
}

/// The items of a text, each in canonical form.
fn items(text: &str) -> Vec<String> {
    equations(text).items.iter().map(format_item).collect()
}

/// Code and text of the place of each error.
fn errors(text: &str) -> Vec<(Code, String)> {
    let mut sources = SourceMap::new();
    let id = sources.add("test.hlm", text);
    let Err(errors) = parse_form(&mut sources, id, &mut NoIncludes) else {
        return Vec::new();
    };
    let place = |error: &Diagnostic| sources.snippet(error.label.span).to_owned();
    errors
        .iter()
        .map(|error| (error.code, place(error)))
        .collect()
}

/// The programs that the language reference promises to accept.
fn cases() -> Vec<(String, String)> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/equations");
    let mut cases: Vec<(String, String)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.display().to_string(), text)
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_acceptance_case_parses_and_reads_back() {
    let cases = cases();
    assert_eq!(cases.len(), 22);
    for (name, text) in cases {
        match form(&name, &text) {
            Ok(Form::Equation(program)) => {
                let canonical = format_equations(&program);
                let again = format_equations(&equations(&canonical));
                assert_eq!(again, canonical, "{name}");
            }
            Ok(Form::Block(_)) => panic!("{name} in block form"),
            Err(said) => panic!("{name}\n{said}"),
        }
    }
}

#[test]
fn every_item_has_its_canonical_text() {
    for line in [
        "index i",
        "index j = county[i]",
        "index t = home[g], away[g]",
        "index t = home[g], away[g] in 1:52",
        "index k = rating[i] in {low, mid, high}",
        "index p = {1, spend, \"two words\", \"in\", \"1\"}",
        "index k = 1:3",
        "index h = 1:size(k) - 1",
        "index c = (s, class[i])",
        "index c = (s)",
        "index h = k",
        "data y[i], X[i, p], node1[e] in s, se",
        "param x[j], y",
        "ordered mu[k]",
        "real<lower=0, upper=1 - a1> b1",
        "y[i] ~ normal(mu, sigma)",
        "a, b[k] ~ normal(0, 1) T[0, ]",
        "ordered mu[k] ~ normal(0, 5)",
        "phi[node1[e]] - phi[node2[e]] ~ normal(0, 1)",
        "x[g, t] ~ normal(x[g, t - 1], tau)",
        "σ_β ~ Γ(2, 0.1)",
        "a[\"none\"] = 0",
        "real b = 2",
        "m[c] = mean[i](ses[i])",
        "s = sum[c](n[c] * p[c]) / sum[c](n[c])",
        "T = log_sum_exp[i, k](x[i, k])",
        "y = d[\"US\", :] * X[first(t), 2:]'",
        "f[i] = sex[i] == \"F\" ? 1 : normal_lpdf(y[i] | 0, 1)",
        "target += -square(x)",
        "target[i, k] += x[i]",
    ] {
        assert_eq!(items(line), [line]);
    }
}

#[test]
fn where_and_semicolons_part_items() {
    assert_eq!(
        items("a[j] = b[j] + c[j] where c[j] ~ normal(0, s); ;d = 1\n;\ne = 2"),
        [
            "a[j] = b[j] + c[j]",
            "c[j] ~ normal(0, s)",
            "d = 1",
            "e = 2"
        ]
    );
}

#[test]
fn labels_remember_how_they_were_written() {
    let program = equations("index p = {007, 1_000, x, \"2\"}");
    let ItemKind::Index {
        domain: Some(Domain::Set(LevelOrder::Labels(labels))),
        ..
    } = &program.items[0].kind
    else {
        panic!("no labels");
    };
    let labels: Vec<(&str, bool)> = labels
        .iter()
        .map(|label| (label.text.as_str(), label.is_integer))
        .collect();
    assert_eq!(
        labels,
        [("007", true), ("1000", true), ("x", false), ("2", false)]
    );
}

#[test]
fn functions_come_first() {
    let text =
        "functions {\n  real twice(data real x) {\n    return 2 * x;\n  }\n}\n\ny ~ f(twice(1))\n";
    assert_eq!(format_equations(&equations(text)), text);
    assert_eq!(errors("a = 1\nfunctions { }").len(), 1);
}

#[test]
fn a_sign_at_the_start_of_a_line_stays_there() {
    let text = "a = 1;\n-x[i] ~ normal(0, 1)\n";
    assert_eq!(format_equations(&equations(text)), text);
}

#[test]
fn stan_files_are_in_block_form() {
    assert!(form("a.stan", "y ~ normal(0, 1)").is_err());
    assert!(matches!(form("a.hlm", ""), Ok(Form::Block(_))));
    assert!(matches!(form("a.hlm", "model { }"), Ok(Form::Block(_))));
    assert!(matches!(form("a.stan", "model { }"), Ok(Form::Block(_))));
}

#[test]
fn faults_on_several_lines_are_found_at_once() {
    let text =
        "index i = \ny ~ 3\nb = 2\ntarget + = 3\nx[i] += 3\na, b = 2\n theta[j]\nx[1][2] = 3";
    let found = errors(text);
    let places: Vec<&str> = found.iter().map(|(_, place)| place.as_str()).collect();
    assert_eq!(places, ["~", "+", "x[i]", "a, b", "theta[j]", "x[1][2]"]);
}

#[test]
fn long_files_are_not_deep() {
    equations(&"a[i] = (b + c) * d[i]^2 - e\n".repeat(3000));
}

/// Words of the form, for texts without sense.
const WORDS: &[&str] = &[
    "index",
    "data",
    "param",
    "where",
    "in",
    "functions",
    "target",
    "T",
    "x",
    "y",
    "i",
    "σ",
    "1",
    "2.5",
    ".5",
    "3i",
    "\"US\"",
    "real",
    "ordered",
    "array",
    "vector",
    "lower",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ":",
    "|",
    "~",
    "?",
    "<",
    ">",
    "=",
    "+=",
    "==",
    "+",
    "-",
    "*",
    "'",
    ".1",
    "\n",
    "\n",
    "\n",
    "// x\n",
    "for",
    "void",
    "mean[i](x)",
    "y[i] ~ normal(0, 1)\n",
    "x = 1\n",
    "index j = x[i]\n",
    "<lower=0>",
    "#include a\n",
];

proptest! {
    #[test]
    fn no_equations_make_the_parser_panic(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..60),
    ) {
        let text = words.join(" ");
        let _ = crate::syntax::equation_line_is_complete(&text);
        let mut sources = SourceMap::new();
        let id = sources.add("test", text);
        match parse_form(&mut sources, id, &mut NoIncludes) {
            Ok(Form::Equation(program)) => {
                let canonical = format_equations(&program);
                let again = equations(&canonical);
                prop_assert_eq!(format_equations(&again), canonical);
            }
            Ok(Form::Block(_)) => {}
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(!diag::render(&sources, &errors, false).is_empty());
            }
        }
    }

    #[test]
    fn no_characters_make_the_line_pass_panic(text in "\\PC*") {
        let _ = crate::syntax::equation_line_is_complete(&text);
        let _ = form("test", &text);
    }
}
