//! Binding of a small program to right and wrong data.

use super::*;
use crate::diag::Code;
use crate::io::data_json::parse_data_json;
use crate::ir::{Constraint, Expr, ExprKind, SizedTy, VarRole, Variable};
use crate::source::Span;
use crate::types::Level;

fn expr(kind: ExprKind) -> Expr {
    Expr {
        kind,
        ty: Ty::Int,
        level: Level::Data,
        span: Span::default(),
    }
}

/// `int<lower=0> J; vector[J] y; array[J] int<lower=0> n; matrix[J, 2] X;`
fn program() -> Program {
    let mut program = Program::default();
    let j = || expr(ExprKind::Variable(VarId(0)));
    let zero = || Constraint::Lower(Box::new(expr(ExprKind::Int(0))));
    let declarations = [
        ("J", Ty::Int, vec![], zero()),
        ("y", Ty::Vector, vec![j()], Constraint::None),
        ("n", Ty::Int.array_of(1), vec![j()], zero()),
        (
            "X",
            Ty::Matrix,
            vec![j(), expr(ExprKind::Int(2))],
            Constraint::None,
        ),
    ];
    for (name, ty, dims, constraint) in declarations {
        program.data.push(VarId(program.variables.len() as u32));
        program.variables.push(Variable {
            name: name.to_owned(),
            sized: SizedTy { ty, dims },
            role: VarRole::Data,
            level: Level::Data,
            constraint,
            span: Span::default(),
        });
    }
    program
}

fn bind_text(text: &str) -> Result<Bound, Vec<Diagnostic>> {
    let data = parse_data_json(text.as_bytes()).expect("a JSON object");
    let file = DataFile {
        name: "data.json",
        text: text.as_bytes(),
        data: &data,
    };
    bind(&program(), &file, Effects::default())
}

fn faults(text: &str) -> Vec<(Code, String)> {
    (bind_text(text).expect_err("faulty data").into_iter())
        .map(|fault| (fault.code, fault.title))
        .collect()
}

fn fault(text: &str) -> Diagnostic {
    let mut faults = bind_text(text).expect_err("faulty data");
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[test]
fn values_are_read_in_storage_order_and_extras_are_named() {
    let text = r#"{"J": 2, "y": [1, 2.5], "n": [3, 4], "X": [[1, 2], [3, 4]], "extra": 1}"#;
    let bound = bind_text(text).expect("good data");
    let reals = |at: usize| bound.values[at].as_ref().map(Value::to_reals);
    assert_eq!(reals(1), Some(vec![1.0, 2.5]));
    assert_eq!(reals(3), Some(vec![1.0, 3.0, 2.0, 4.0]));
    assert_eq!(bound.unused, ["extra"]);
}

#[test]
fn missing_variables_are_listed_at_once_but_empty_ones_may_be_absent() {
    let missing = fault(r#"{"Y": [1]}"#);
    assert_eq!(missing.title, "the data do not have `J`, `y`, `n` and `X`");
    assert_eq!(
        missing.notes,
        ["data.json has `Y`; `y` is another name, as upper and lower case differ"]
    );
    assert!(bind_text(r#"{"J": 0}"#).is_ok());
    assert!(bind_text(r#"{"J": 0, "y": [], "X": []}"#).is_ok());
}

#[test]
fn a_wrong_shape_shows_what_was_declared_and_what_was_found_where() {
    let fault = fault("{\"J\": 2, \"n\": [1, 2],\n \"y\": [1, 2, 3], \"X\": [[1, 2], [3, 4]]}");
    assert_eq!(
        fault.title,
        "`y` is a vector of 2 elements, but the data have 3 values"
    );
    assert_eq!(fault.label.text, "declared `vector[J]`, with J = 2");
    assert_eq!(fault.notes, ["data.json:2:7: 3 values here"]);
}

#[test]
fn each_variable_reports_its_own_fault() {
    let text = r#"{"J": 3, "y": [1, null, "NA"], "n": [1, 2.0, 3], "X": [[1, 2, 3], [4, 5, 6]]}"#;
    assert_eq!(
        faults(text),
        [
            (
                Code::MissingElements,
                "`y` has 2 missing values (NA): y[2] and y[3]".to_owned()
            ),
            (
                Code::NotInteger,
                "`n[2]` is 2.0, which is not an integer".to_owned()
            ),
            (
                Code::WrongShape,
                "`X` is a 3 by 2 matrix, but the data have 2 rows of 3 values".to_owned()
            ),
        ]
    );
}

#[test]
fn a_broken_constraint_names_the_element_and_its_place() {
    let fault = fault(r#"{"J": 2, "y": [1, 2], "n": [1, -7], "X": [[1, 2], [3, 4]]}"#);
    assert_eq!(fault.code, Code::OutOfSupport);
    assert_eq!(fault.title, "`n[2]` is -7, but must be at least 0");
    assert_eq!(fault.notes, ["data.json:1:32: the value is here"]);
}

#[test]
fn text_is_reported_only_where_it_is_declared() {
    let good = r#"{"J": 1, "y": [1], "n": [1], "X": [[1, 2]], "label": ["a"]}"#;
    assert!(bind_text(good).is_ok());
    let bad = fault(r#"{"J": 1, "y": ["a"], "n": [1], "X": [[1, 2]]}"#);
    assert_eq!(bad.code, Code::UnusableData);
}

#[test]
fn a_scalar_for_one_element_gets_the_brackets_explained() {
    let fault = fault(r#"{"J": 1, "y": 3, "n": [1], "X": [[1, 2]]}"#);
    assert_eq!(
        fault.hint.as_deref(),
        Some("write a single element in brackets: \"y\": […]")
    );
}
