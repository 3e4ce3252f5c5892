//! Tests of the parser: trees by their canonical text, errors by code and place.

use super::*;
use crate::syntax::ast::{Bounds, ExprKind, LValue, StmtKind, TypeKind};
use crate::syntax::format::{format_expression, format_statement};
use crate::syntax::lexer::{Included, NoIncludes};
use proptest::prelude::*;

fn parsed(text: &str) -> Result<Program, Vec<Diagnostic>> {
    let mut sources = SourceMap::new();
    let id = sources.add("test", text);
    parse(&mut sources, id, &mut NoIncludes)
}

/// Code and text of the place of each error.
fn errors(text: &str) -> Vec<(Code, String)> {
    let mut sources = SourceMap::new();
    let id = sources.add("test", text);
    match parse(&mut sources, id, &mut NoIncludes) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .iter()
            .map(|error| {
                let place = sources.snippet(error.label.span);
                (error.code, place.to_owned())
            })
            .collect(),
    }
}

fn expression(text: &str) -> Expr {
    let mut sources = SourceMap::new();
    let id = sources.add("test", text);
    parse_expression(&sources, id).unwrap()
}

fn statements(text: &str) -> Vec<Stmt> {
    let mut sources = SourceMap::new();
    let id = sources.add("test", text);
    parse_statements(&sources, id).unwrap()
}

/// The expression with parentheses around every operation.
fn grouped(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Unary { operator, operand } => {
            format!("({} {})", operator.symbol(), grouped(operand))
        }
        ExprKind::Binary {
            operator,
            left,
            right,
        } => format!(
            "({} {} {})",
            grouped(left),
            operator.symbol(),
            grouped(right)
        ),
        ExprKind::Ternary {
            condition,
            if_true,
            if_false,
        } => format!(
            "({} ? {} : {})",
            grouped(condition),
            grouped(if_true),
            grouped(if_false)
        ),
        _ => format_expression(expr),
    }
}

#[test]
fn operators_group_as_in_stan() {
    for (text, expected) in [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("2 * 7 %/% 2", "(2 * (7 %/% 2))"),
        ("a * b \\ c", "(a * (b \\ c))"),
        ("-2^2", "(- (2 ^ 2))"),
        ("2^-2^2", "(2 ^ (- (2 ^ 2)))"),
        ("2^3^2", "(2 ^ (3 ^ 2))"),
        ("-a * b", "((- a) * b)"),
        ("!a == b", "((! a) == b)"),
        ("a^b'", "(a ^ (' b))"),
        ("-a'", "(- (' a))"),
        ("a < b == c > d", "((a < b) == (c > d))"),
        ("a || b && c", "(a || (b && c))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b ? c : d : e", "(a ? (b ? c : d) : e)"),
        ("a .* b ./ c % d", "(((a .* b) ./ c) % d)"),
    ] {
        assert_eq!(grouped(&expression(text)), expected, "{text}");
    }
}

#[test]
fn spans_cover_what_was_written() {
    let text = "a + (b * c)";
    let expr = expression(text);
    let ExprKind::Binary { left, right, .. } = &expr.kind else {
        panic!("not a sum");
    };
    assert_eq!(&text[expr.span.range()], text);
    assert_eq!(&text[left.span.range()], "a");
    assert_eq!(&text[right.span.range()], "b * c");
}

#[test]
fn an_else_belongs_to_the_nearest_if() {
    let tree = statements("if (a) if (b) x(); else y();").remove(0);
    let StmtKind::If {
        then_body,
        else_body: None,
        ..
    } = tree.kind
    else {
        panic!("the outer if took the else");
    };
    assert!(matches!(
        then_body.kind,
        StmtKind::If {
            else_body: Some(_),
            ..
        }
    ));
}

#[test]
fn braces_are_blocks_or_arrays_by_what_they_hold() {
    let kinds = statements("{ x = {1, 2}; } {} {1, 2} ~ foo();");
    assert!(matches!(&kinds[0].kind, StmtKind::Block(body) if body.len() == 1));
    assert!(matches!(&kinds[1].kind, StmtKind::Block(body) if body.is_empty()));
    assert!(matches!(&kinds[2].kind, StmtKind::Tilde { .. }));
}

#[test]
fn t_is_a_name_and_a_truncation() {
    let kinds = statements("T ~ normal(T[1], 1) T[0, T]; T = 1;");
    assert_eq!(
        format_statement(&kinds[0]),
        "T ~ normal(T[1], 1) T[0, T];\n"
    );
    assert!(matches!(&kinds[1].kind, StmtKind::Assign { .. }));
}

#[test]
fn a_truncation_without_bounds_is_none() {
    let tree = statements("y ~ normal(0, 1) T[,];").remove(0);
    assert!(matches!(
        tree.kind,
        StmtKind::Tilde {
            truncation: None,
            ..
        }
    ));
}

#[test]
fn places_are_flat() {
    let tree = statements("x[1, 2].3[4] = 5;").remove(0);
    let StmtKind::Assign {
        target: LValue::Place(place),
        ..
    } = tree.kind
    else {
        panic!("not an assignment to a place");
    };
    assert_eq!(place.variable.name, "x");
    assert_eq!(place.path.len(), 3);
}

#[test]
fn bounds_come_in_either_order() {
    let program = parsed("parameters { real<upper=1, lower=0> x; }").unwrap();
    let declaration = &program.parameters.unwrap().items[0];
    let TypeKind::Basic {
        bounds: Bounds::Interval {
            lower: Some(lower), ..
        },
        ..
    } = &declaration.type_spec.kind
    else {
        panic!("no lower bound");
    };
    assert_eq!(lower.kind, ExprKind::Int(0));
}

#[test]
fn blocks_may_be_missing_but_not_swapped() {
    assert_eq!(parsed(""), Ok(Program::default()));
    assert!(parsed("data {} model {}").is_ok());
    assert_eq!(
        errors("model {} data {}"),
        [(Code::BlockOrder, "data".to_owned())]
    );
}

#[test]
fn every_faulty_statement_is_reported_once() {
    let text = "model {
        real x = 1 2;
        for (i in 1:3) { y = ; }
        if (x) z = 1 else w = 2;
        x = 1;
        while x { x = 2; }
    }";
    let places: Vec<String> = errors(text).into_iter().map(|(_, place)| place).collect();
    assert_eq!(places, ["2", ";", "else", "x"]);
}

#[test]
fn unbalanced_brackets_are_one_error() {
    let text = "model { for (i in 1:3 { y = ; } x = ; }";
    assert_eq!(errors(text).len(), 1);
}

#[test]
fn errors_in_an_included_file_point_into_it() {
    let mut sources = SourceMap::new();
    let id = sources.add("main", "functions {\n#include <f.stan>\n}");
    let mut resolver = |path: &str, _: &str| {
        Ok(Included {
            name: path.to_owned(),
            text: "real f() { return 1 2; }".to_owned(),
        })
    };
    let errors = parse(&mut sources, id, &mut resolver).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(sources.name(errors[0].label.span.source), "f.stan");
    assert_eq!(sources.snippet(errors[0].label.span), "2");
}

#[test]
fn the_deepest_text_allowed_does_not_overflow_the_stack() {
    let brackets = "(".repeat(250) + "1" + &")".repeat(250);
    let sum = "1".to_owned() + &" + 1".repeat(1000);
    let minuses = "-".repeat(1000) + "1";
    for text in [brackets, sum, minuses] {
        let expr = expression(&text);
        assert!(!format_expression(&expr).is_empty());
    }
    let deeper = format!("model {{ real x = {}1; }}", "-".repeat(100_000));
    assert_eq!(errors(&deeper)[0].0, Code::NestingTooDeep);
}

const LIBRARY: &str = "\
/// Normal density.
///
/// @example normal_lpdf(0 | 0, 1)
real normal_lpdf(real y, real mu, real sigma) {
  /// not documentation
  return -log(sigma);
}

// A plain comment is no documentation either.
/// Twice.
real twice(real x) { return 2 * x; }
";

#[test]
fn library_functions_come_with_their_docs() {
    let mut sources = SourceMap::new();
    let id = sources.add("library", LIBRARY);
    let functions = parse_library(&sources, id).unwrap();
    let found: Vec<(&str, &str)> = functions
        .iter()
        .map(|function| {
            (
                function.definition.name.name.as_str(),
                function.doc.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (
                "normal_lpdf",
                "Normal density.\n\n@example normal_lpdf(0 | 0, 1)"
            ),
            ("twice", "Twice."),
        ]
    );
}

#[test]
fn library_functions_need_docs() {
    let mut sources = SourceMap::new();
    let id = sources.add("library", "real f(real x) { return x; }");
    let errors = parse_library(&sources, id).unwrap_err();
    assert_eq!(errors[0].code, Code::UndocumentedFunction);
}

#[test]
fn function_files_need_no_block() {
    let mut sources = SourceMap::new();
    let id = sources.add("f", "void f(); real g(data int n) { return n; }");
    let functions = parse_functions(&mut sources, id, &mut NoIncludes).unwrap();
    assert_eq!(functions.len(), 2);
    assert!(functions[0].body.is_none() && functions[1].parameters[0].data_only);
}

/// Words that meet in programs, right and wrong.
const WORDS: &[&str] = &[
    "model",
    "data",
    "{",
    "}",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ";",
    ",",
    "~",
    "=",
    "+=",
    "+",
    "-",
    "'",
    "<",
    ">",
    "?",
    ":",
    "|",
    "if",
    "else",
    "for",
    "in",
    "x",
    "T",
    "real",
    "int",
    "array",
    "tuple",
    "vector",
    "1",
    "2.5",
    ".1",
    "\"t\"",
    "return",
    "target",
    "lower",
    "functions",
    "normal",
    "# c\n",
    "<-",
];

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        let mut sources = SourceMap::new();
        let id = sources.add("test", words.join(" "));
        if let Err(errors) = parse(&mut sources, id, &mut NoIncludes) {
            prop_assert!(!errors.is_empty());
            prop_assert!(!diag::render(&sources, &errors, false).is_empty());
        }
    }

    #[test]
    fn no_characters_make_the_parser_panic(text in "\\PC*") {
        let mut sources = SourceMap::new();
        let id = sources.add("test", text);
        let _ = parse(&mut sources, id, &mut NoIncludes);
        let _ = parse_expression(&sources, id);
    }
}
