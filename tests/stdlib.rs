//! The library: every file parses alone, every function checks whatever its arguments depend on, every example prints
//! what it says, and values agree with references computed from definitions.

use hlm::check::{CheckOptions, Library, check, check_expression};
use hlm::diag::render;
use hlm::interp::{Effects, Interpreter, Value, display_value};
use hlm::kernels::random::ChainRng;
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
    if matches!(result.kind, ast::UnsizedKind::Tuple(_)) {
        // Parsed, but not yet supported by the checker.
        return None;
    }
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
    for function in library.functions() {
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
    for function in library.functions() {
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
