//! The library: every file parses alone, every function checks whatever its arguments depend on, every example prints
//! what it says, values and gradients agree with references computed from definitions, and `~` drops what Stan drops.

use hlm::check::{CheckOptions, Library, check, check_expression};
use hlm::diag::render;
use hlm::interp::{Effects, Interpreter, Value, display_value};
use hlm::kernels::random::ChainRng;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model};
use hlm::source::SourceMap;
use hlm::stdlib::files;
use hlm::syntax::{
    LibraryFunction, NoIncludes, ast, format_unsized_type, parse, parse_expression, parse_library,
};

fn library() -> (SourceMap, Library) {
    let mut sources = SourceMap::new();
    match Library::parse(&mut sources, files()) {
        Ok(library) => (sources, library),
        Err(found) => panic!("{}", render(&sources, &found, false)),
    }
}

/// Whether only the library itself can call a function.
fn is_hidden(function: &LibraryFunction) -> bool {
    function.doc.lines().any(|line| line == "@hidden")
}

/// The functions that programs can call.
fn public(library: &Library) -> impl Iterator<Item = &LibraryFunction> {
    (library.functions().into_iter()).filter(|function| !is_hidden(function))
}

/// The value of an expression of the language, or what is wrong with it.
fn evaluate(text: &str, sources: &SourceMap, library: &Library) -> Result<Value, String> {
    let mut sources = sources.clone();
    let source = sources.add("expression", text);
    let checked = parse_expression(&sources, source)
        .and_then(|expr| check_expression(&expr, &[], &None, library))
        .map_err(|found| render(&sources, &found, false))?;
    let mut rng = ChainRng::new(1, 0, 0);
    let effects = Effects {
        rng: Some(&mut rng),
        print: None,
    };
    Interpreter::new(&checked.program)
        .evaluate(&checked.expr, &[], effects)
        .map_err(|failure| failure.message().to_owned())
}

#[test]
fn every_file_parses_alone() {
    for (name, text) in files() {
        let mut sources = SourceMap::new();
        let source = sources.add(*name, *text);
        if let Err(found) = parse_library(&sources, source) {
            panic!("{}", render(&sources, &found, false));
        }
    }
}

/// A program whose one function passes its arguments on, which makes them depend on parameters.
fn caller_of(function: &ast::FunctionDef) -> Option<String> {
    let name = function.name.name.as_str();
    let types: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| {
            let qualifier = if parameter.data_only { "data " } else { "" };
            format!(
                "{qualifier}{}",
                format_unsized_type(&parameter.parameter_type)
            )
        })
        .collect();
    let declared: Vec<String> = types
        .iter()
        .enumerate()
        .map(|(position, ty)| format!("{ty} a{position}"))
        .collect();
    let names: Vec<String> = (0..types.len())
        .map(|position| format!("a{position}"))
        .collect();
    let suffix = name.rsplit_once('_').map_or("", |(_, suffix)| suffix);
    let is_density = ["lpdf", "lpmf", "cdf", "lcdf", "lccdf"].contains(&suffix);
    let passed = match names.split_first() {
        Some((outcome, rest)) if is_density => format!("{outcome} | {}", rest.join(", ")),
        _ => names.join(", "),
    };
    let called = name.replace("_lpdf", "_lupdf").replace("_lpmf", "_lupmf");
    let caller = match suffix {
        "lpdf" | "lpmf" | "lcdf" | "lccdf" | "cdf" | "rng" | "jacobian" => {
            format!("caller_{suffix}")
        }
        _ => "caller".to_owned(),
    };
    let declared = declared.join(", ");
    let Some(result) = &function.return_type else {
        return Some(format!(
            "functions {{ void {caller}({declared}) {{ {name}({passed}); }} }}"
        ));
    };
    let result = format_unsized_type(result);
    let both = if called == name {
        String::new()
    } else {
        format!("real b = {called}({passed}); ")
    };
    Some(format!(
        "functions {{ {result} {caller}({declared}) {{ {both}return {name}({passed}); }} }}"
    ))
}

#[test]
fn every_function_checks() {
    let (sources, library) = library();
    let mut wrong = String::new();
    for function in public(&library) {
        let Some(text) = caller_of(&function.definition) else {
            continue;
        };
        let mut sources = sources.clone();
        let source = sources.add("caller", text);
        let checked = parse(&mut sources, source, &mut NoIncludes)
            .and_then(|program| check(&program, &library, &CheckOptions::default()));
        if let Err(found) = checked {
            wrong.push_str(&render(&sources, &found, false));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whether a program that defines a function checks.
fn can_define(function: &str, sources: &SourceMap, library: &Library) -> bool {
    let mut sources = sources.clone();
    let source = sources.add("program", format!("functions {{ {function} }}"));
    parse(&mut sources, source, &mut NoIncludes)
        .and_then(|program| check(&program, library, &CheckOptions::default()))
        .is_ok()
}

#[test]
fn programs_may_use_names_that_are_not_stans() {
    let (sources, library) = library();
    let of_stan = "real inv_cloglog(real x) { return x; }";
    let helper = "real together(real x) { return x; }";
    let extension = "int binomial_logit_rng(int N, real alpha) { return N; }";
    assert!(!can_define(of_stan, &sources, &library));
    assert!(can_define(helper, &sources, &library));
    assert!(can_define(extension, &sources, &library));
}

/// The examples of a function: what is printed, and what the comment says of it.
fn examples(function: &LibraryFunction) -> impl Iterator<Item = (&str, &str)> {
    function.doc.lines().filter_map(|line| {
        let (code, said) = line.strip_prefix("@example ")?.split_once("  // ")?;
        Some((code.strip_prefix("print(")?.strip_suffix(");")?, said))
    })
}

/// Whether a number, or every number of a container, is the printed one to the six digits that are printed.
fn agrees(printed: &str, said: &str) -> bool {
    let parts =
        |text: &str| -> Vec<String> { text.split(['[', ']', ',']).map(str::to_owned).collect() };
    let (printed, said) = (parts(printed), parts(said));
    printed.len() == said.len()
        && printed
            .iter()
            .zip(&said)
            .all(|(printed, said)| match (printed.parse(), said.parse()) {
                (Ok(printed), Ok(said)) => is_near(printed, said, 6e-6),
                _ => printed == said,
            })
}

fn is_near(value: f64, wanted: f64, tolerance: f64) -> bool {
    value == wanted
        || (value.is_nan() && wanted.is_nan())
        || (value - wanted).abs() <= tolerance * wanted.abs()
        || (value - wanted).abs() <= 1e-15
}

#[test]
fn every_example_prints_what_it_says() {
    let (sources, library) = library();
    let mut count = 0;
    let mut wrong = String::new();
    for function in public(&library) {
        for (code, said) in examples(function) {
            count += 1;
            let printed = match evaluate(code, &sources, &library) {
                Ok(value) => display_value(&value),
                Err(message) => message,
            };
            if !agrees(&printed, said) {
                wrong.push_str(&format!("{code}\tsaid\t{said}\tprinted\t{printed}\n"));
            }
        }
    }
    assert!(count > 300, "only {count} examples found");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn values_agree_with_their_definitions() {
    let (sources, library) = library();
    let mut wrong = String::new();
    for line in include_str!("reference/stdlib.tsv").lines() {
        let (code, value) = line.split_once('\t').unwrap();
        let wanted: f64 = value.parse().unwrap();
        match evaluate(code, &sources, &library) {
            Ok(Value::Real(value)) if is_near(value, wanted, 1e-11) => {}
            Ok(value) => wrong.push_str(&format!("{code} is {value:?}, should be {wanted:e}\n")),
            Err(message) => wrong.push_str(&format!("{code}: {message}\n")),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The name and the arguments of a call that is all of an expression.
fn call_parts(code: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = code.split_once('(')?;
    let inside = rest.strip_suffix(')')?;
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inside.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' | '|' if depth == 0 => {
                parts.push(inside[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(inside[start..].trim());
    Some((name, parts))
}

/// A program whose target is the call with parameters for its numbers, and for factors of its vectors and matrices;
/// and the parameters' values that make it the call as written.
fn program_of(code: &str, library: &Library) -> Option<(String, Vec<f64>)> {
    let (name, arguments) = call_parts(code)?;
    let takes_real = |position: usize| {
        (library
            .functions()
            .iter()
            .map(|function| &function.definition))
        .filter(|function| {
            function.name.name == name && function.parameters.len() == arguments.len()
        })
        .any(|function| {
            let parameter = &function.parameters[position];
            !parameter.data_only && format_unsized_type(&parameter.parameter_type) == "real"
        })
    };
    let mut values = Vec::new();
    let mut passed = Vec::new();
    for (position, argument) in arguments.iter().enumerate() {
        let parameter = format!("a{}", values.len());
        match argument.parse::<f64>() {
            Ok(value) if takes_real(position) => {
                values.push(value);
                passed.push(parameter);
            }
            Err(_) if argument.starts_with('[') => {
                values.push(1.0);
                passed.push(format!("{parameter} * {argument}"));
            }
            _ => passed.push((*argument).to_owned()),
        }
    }
    let declared: String = (0..values.len()).map(|k| format!("real a{k}; ")).collect();
    let bar = code.contains(" | ");
    let passed = if bar {
        format!("{} | {}", passed[0], passed[1..].join(", "))
    } else {
        passed.join(", ")
    };
    let text = format!("parameters {{ {declared}}} model {{ target += {name}({passed}); }}");
    (!values.is_empty()).then_some((text, values))
}

/// The derivative by central differences of fourth order; `None` where the function cannot be evaluated nearby.
fn difference(density: &mut impl LogDensity, values: &[f64], k: usize) -> Option<f64> {
    let step = 1e-3 * values[k].abs().max(0.125);
    let mut scratch = vec![0.0; values.len()];
    let mut at = |shift: f64| {
        let mut values = values.to_vec();
        values[k] += shift * step;
        density.log_density_gradient(&values, &mut scratch).ok()
    };
    let near = at(1.0)? - at(-1.0)?;
    let far = at(2.0)? - at(-2.0)?;
    Some((8.0 * near - far) / (12.0 * step))
}

#[test]
fn compiled_values_and_gradients_agree() {
    let (_, library) = library();
    let mut wrong = String::new();
    let mut count = 0;
    for line in include_str!("reference/stdlib.tsv").lines() {
        let (code, value) = line.split_once('\t').unwrap();
        let wanted: f64 = value.parse().unwrap();
        let Some((text, values)) = program_of(code, &library) else {
            continue;
        };
        let bound = Model::from_text("reference", &text)
            .and_then(|model| model.bind_json("none", b"{}", &BindOptions::default()));
        let posterior = match bound {
            Ok(posterior) => posterior,
            Err(failure) => {
                wrong.push_str(&format!("{text}\n{failure}\n"));
                continue;
            }
        };
        let mut density = posterior.density();
        let mut gradient = vec![0.0; values.len()];
        match density.log_density_gradient(&values, &mut gradient) {
            Ok(value) if is_near(value, wanted, 1e-11) => {}
            found => wrong.push_str(&format!(
                "{code} compiled gives {found:?}, should be {wanted:e}\n"
            )),
        }
        for (k, derivative) in gradient.iter().enumerate() {
            let Some(slope) = difference(&mut density, &values, k) else {
                continue;
            };
            count += 1;
            if slope.is_finite() && (derivative - slope).abs() > 1e-6 * slope.abs().max(1.0) {
                wrong.push_str(&format!(
                    "{code}: derivative {k} is {}, by differences {slope}\n",
                    derivative
                ));
            }
        }
    }
    assert!(count > 300, "only {count} derivatives compared");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Random numbers through their own cdf, which makes them uniform.
const CONTINUOUS: [(&str, &str); 26] = [
    ("normal", "0.5, 2"),
    ("student_t", "4, 0.5, 2"),
    ("cauchy", "0.5, 2"),
    ("double_exponential", "0.5, 2"),
    ("logistic", "0.5, 2"),
    ("gumbel", "0.5, 2"),
    ("exp_mod_normal", "0.5, 2, 0.75"),
    ("skew_normal", "0.5, 2, -3"),
    ("skew_double_exponential", "0.5, 2, 0.25"),
    ("lognormal", "0.5, 0.75"),
    ("loglogistic", "2, 3"),
    ("exponential", "2"),
    ("gamma", "0.75, 3"),
    ("inv_gamma", "2.5, 3"),
    ("chi_square", "3"),
    ("inv_chi_square", "3"),
    ("scaled_inv_chi_square", "3, 2"),
    ("weibull", "1.5, 2"),
    ("frechet", "1.5, 2"),
    ("rayleigh", "2"),
    ("pareto", "2, 1.5"),
    ("pareto_type_2", "-1, 2, 1.5"),
    ("uniform", "1, 3"),
    ("beta", "0.75, 2"),
    ("beta_proportion", "0.25, 5"),
    ("von_mises", "0, 2"),
];

/// Random numbers of other kinds with their means.
const MEANS: [(&str, f64); 31] = [
    ("std_normal_rng()^2", 1.0),
    ("bernoulli_rng(0.25)", 0.25),
    ("bernoulli_logit_rng(0)", 0.5),
    ("binomial_rng(8, 0.25)", 2.0),
    ("binomial_logit_rng(8, 0)", 4.0),
    ("beta_binomial_rng(8, 2, 6)", 2.0),
    ("poisson_rng(2.5)", 2.5),
    ("poisson_log_rng(0)", 1.0),
    ("neg_binomial_rng(3, 2)", 1.5),
    ("neg_binomial_2_rng(2, 3)", 2.0),
    // The second moment: mean² + mean + mean² / phi.
    ("neg_binomial_2_rng(2, 4)^2", 7.0),
    ("neg_binomial_2_log_rng(0, 3)", 1.0),
    ("beta_neg_binomial_rng(2, 6, 3)", 1.2),
    ("yule_simon_rng(4)", 4.0 / 3.0),
    ("hypergeometric_rng(3, 4, 8)", 1.0),
    ("discrete_range_rng(1, 6)", 3.5),
    ("discrete_range_rng(1, 6)^2", 91.0 / 6.0),
    ("categorical_rng([0.25, 0.25, 0.5]')", 2.25),
    ("categorical_logit_rng([0, 0, 0]')", 2.0),
    ("ordered_logistic_rng(0, [0]')", 1.5),
    ("ordered_probit_rng(0, [0]')", 1.5),
    ("multinomial_rng([0.25, 0.75]', 8)[1]", 2.0),
    ("multinomial_logit_rng([0, 0]', 8)[2]", 4.0),
    ("dirichlet_multinomial_rng([1, 3]', 8)[1]", 2.0),
    ("dirichlet_rng([0.5, 1.5]')[1]", 0.25),
    ("dirichlet_rng([0.5, 1.5]')[1]^2", 0.125),
    (
        "quad_form([[0, 1], [0, 0]], multi_normal_rng([0, 0]', [[1, 0.5], [0.5, 2]]))",
        0.5,
    ),
    (
        "quad_form([[0, 1], [0, 0]], multi_normal_cholesky_rng([0, 0]', [[1, 0], [0.5, 2]]))",
        0.5,
    ),
    (
        "quad_form([[0, 1], [0, 0]], multi_student_t_rng(8, [0, 0]', [[1, 0.75], [0.75, 2]]))",
        1.0,
    ),
    ("lkj_corr_rng(3, 1.5)[3, 2]^2", 1.0 / 5.0),
    ("wishart_rng(5, [[1, 0.5], [0.5, 2]])[2, 1]", 2.5),
];

/// More of [`MEANS`], with the tolerance that a heavy tail needs.
const HEAVY_MEANS: [(&str, f64); 4] = [
    ("inv_wishart_rng(9, [[1, 0.5], [0.5, 2]])[2, 1]", 0.5 / 6.0),
    ("lkj_corr_cholesky_rng(3, 1.5)[2, 1]^2", 1.0 / 5.0),
    (
        "quad_form([[0, 1], [0, 0]], multi_normal_prec_rng([0, 0]', [[2, -1], [-1, 2]]))",
        1.0 / 3.0,
    ),
    (
        "hmm_latent_rng([[0, 0], [0, 0]], [[0.75, 0.25], [0.25, 0.75]], [0.5, 0.5]')[2]",
        1.5,
    ),
];

#[test]
fn random_numbers_follow_their_distributions() {
    const DRAWS: usize = 20_000;
    let mut expressions = Vec::new();
    for (name, arguments) in CONTINUOUS {
        let uniform = format!("{name}_cdf({name}_rng({arguments}) | {arguments})");
        expressions.push((uniform.clone(), 0.5));
        expressions.push((format!("square({uniform})"), 1.0 / 3.0));
    }
    for (code, mean) in MEANS.into_iter().chain(HEAVY_MEANS) {
        expressions.push((code.to_owned(), mean));
    }
    let declared: String = (expressions.iter().enumerate())
        .map(|(k, (code, _))| format!("real x{k} = {code}; "))
        .collect();
    let text = format!("generated quantities {{ {declared} }}");
    let posterior = Model::from_text("random", &text)
        .and_then(|model| model.bind_json("none", b"{}", &BindOptions::default()))
        .unwrap_or_else(|failure| panic!("{failure}"));
    let mut drawer = posterior.drawer();
    let mut rng = ChainRng::new(20261122, 0, 0);
    let mut values = vec![0.0; drawer.width()];
    let mut sums = vec![(0.0, 0.0); drawer.width()];
    for _ in 0..DRAWS {
        drawer.values(&[], &mut rng, &mut values).expect("a draw");
        for (sum, value) in sums.iter_mut().zip(&values) {
            sum.0 += value;
            sum.1 += value * value;
        }
    }
    let mut wrong = String::new();
    for ((code, mean), (sum, squares)) in expressions.iter().zip(sums) {
        let draws = DRAWS as f64;
        let found = sum / draws;
        let error = ((squares / draws - found * found) / draws).sqrt();
        // Of a hundred means one beyond five standard errors would be chance once in twenty thousand seeds.
        if found.is_nan() || (found - mean).abs() > 5.0 * error {
            wrong.push_str(&format!(
                "{code}: mean {found} ± {error}, should be {mean}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Statements in which `a` is a parameter and all else data, the value of `a`, and the sum of the terms that Stan keeps.
fn kept_terms() -> Vec<(&'static str, f64, f64)> {
    let (half_log_two_pi, eta, phi) = (0.5 * std::f64::consts::TAU.ln(), 0.5, 4.0_f64);
    let softplus = (1.0 + (eta - phi.ln()).exp()).ln();
    vec![
        ("1.5 ~ normal(a, 2)", 0.5, -0.125),
        ("1.5 ~ normal(1, a)", 2.0, -0.5 * 0.0625 - 2.0_f64.ln()),
        // All are data: nothing is kept.
        ("1.5 ~ normal(1, 2)", 2.0, 0.0),
        // Kept as a whole, as Stan does.
        ("1 ~ lognormal(a, 2)", 0.5, -0.03125 - half_log_two_pi),
        (
            "3 ~ neg_binomial_2_log(a, 4)",
            eta,
            3.0 * eta - 7.0 * softplus - 3.0 * phi.ln(),
        ),
        (
            "3 ~ neg_binomial_2_log_glm([[1]], a, [0]', 4)",
            eta,
            3.0 * eta - 7.0 * (softplus + phi.ln()),
        ),
        ("3 ~ poisson(a)", 2.0, 3.0 * 2.0_f64.ln() - 2.0),
        ("2 ~ binomial(3, a)", 0.5, 3.0 * 0.5_f64.ln()),
        ("a ~ gamma(3, 2)", 2.0, 2.0 * 2.0_f64.ln() - 4.0),
        ("2 ~ gamma(3, a)", 2.0, 3.0 * 2.0_f64.ln() - 4.0),
        ("a ~ beta(2, 3)", 0.5, 3.0 * 0.5_f64.ln()),
        ("a ~ cauchy(0, 2)", 2.0, -2.0_f64.ln()),
        (
            "a ~ student_t(3, 0, 1)",
            2.0,
            -2.0 * (1.0 + 4.0 / 3.0_f64).ln(),
        ),
        ("a ~ uniform(0, 4)", 2.0, 0.0),
        ("a ~ uniform(0, 1)", 2.0, f64::NEG_INFINITY),
        ("-1 ~ inv_gamma(a, 1)", 2.0, f64::NEG_INFINITY),
        (
            "[a, 0]' ~ multi_normal([0, 0]', [[2, 0], [0, 3]])",
            2.0,
            -1.0,
        ),
        (
            "[[a, 0], [0, 1]] ~ wishart(4, [[1, 0], [0, 1]])",
            2.0,
            0.5 * 2.0_f64.ln() - 1.5,
        ),
    ]
}

#[test]
fn tilde_keeps_the_terms_that_stan_keeps() {
    for (statement, value, wanted) in kept_terms() {
        let text = format!("parameters {{ real a; }} model {{ {statement}; }}");
        let posterior = Model::from_text("kept", &text)
            .and_then(|model| model.bind_json("none", b"{}", &BindOptions::default()))
            .unwrap_or_else(|failure| panic!("{failure}"));
        let found = posterior
            .density()
            .log_density_gradient(&[value], &mut [0.0]);
        match found {
            Ok(found) if is_near(found, wanted, 1e-12) => {}
            found => panic!("{statement} adds {found:?}, should add {wanted}"),
        }
    }
}
