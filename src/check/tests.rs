//! Programs in, typed IR out: what the checker decides, on a library of a few lines.

use super::{CheckOptions, Checked, Library, Visible, check, check_expression};
use crate::builtins::{Container, Prim};
use crate::diag::{Diagnostic, render};
use crate::ir::{Callee, Constraint, Expr, ExprKind, Function, Lift, Stmt, StmtKind, Variable};
use crate::source::SourceMap;
use crate::syntax::{NoIncludes, parse, parse_expression};
use crate::types::{Level, Ty};

const LIBRARY: &str = "
/// Density.
real gauss_lpdf(real y, real mu, real sigma) {
  if (!(sigma > 0)) reject(\"scale \", sigma);
  real z = (y - mu) / sigma;
  return -0.5 * z * z - log(sigma) - 0.9;
}
/// Log cdf.
real gauss_lcdf(real y, real mu, real sigma) {
  return std_normal_lcdf((y - mu) / sigma | );
}
/// Passes its terms on.
real shifted_lpdf(real y, real mu) {
  return gauss_lpdf(y | mu, 2) - log(3);
}
/// Impossible below 0.
real positive_lpdf(real y, real rate) {
  if (y < 0) return negative_infinity();
  return log(rate) - rate * y;
}
/// Outcome in several dimensions.
real many_lpdf(vector y, vector mu) {
  return -0.5 * dot_product(y - mu, y - mu);
}
/// Random number.
real gauss_rng(real mu, real sigma) {
  return mu + sigma * std_normal_rng();
}
/// Elementwise.
real twice(real x) {
  return 2 * x;
}
/// Any container.
/// @flatten
real spread(vector x) {
  return max_of(x) - x[1];
}
/// Helper.
real max_of(vector x) {
  real m = x[1];
  for (i in 2:num_elements(x)) m = fmax(m, x[i]);
  return m;
}
/// Transform.
real lower_bound_jacobian(real y, real lb) {
  jacobian += y;
  return lb + exp(y);
}
/// Inverse.
real lower_bound_unconstrain(real x, real lb) {
  return log(x - lb);
}
/// Transform.
vector simplex_jacobian(vector y) {
  return append_row(y, 1);
}
/// Inverse.
vector simplex_unconstrain(vector x) {
  return head(x, num_elements(x) - 1);
}
";

fn library() -> (SourceMap, Library) {
    let mut sources = SourceMap::new();
    match Library::parse(&mut sources, &[("library", LIBRARY)]) {
        Ok(library) => (sources, library),
        Err(found) => panic!("{}", render(&sources, &found, false)),
    }
}

fn outcome(text: &str, options: CheckOptions) -> Result<Checked, (SourceMap, Vec<Diagnostic>)> {
    let (mut sources, library) = library();
    let source = sources.add("program", text);
    let program = match parse(&mut sources, source, &mut NoIncludes) {
        Ok(program) => program,
        Err(found) => panic!("{}", render(&sources, &found, false)),
    };
    check(&program, &library, &options).map_err(|found| (sources, found))
}

fn checked(text: &str) -> Checked {
    match outcome(text, CheckOptions::default()) {
        Ok(checked) => checked,
        Err((sources, found)) => panic!("{}", render(&sources, &found, false)),
    }
}

fn titles(text: &str) -> Vec<String> {
    match outcome(text, CheckOptions::default()) {
        Ok(_) => Vec::new(),
        Err((_, found)) => found.into_iter().map(|found| found.title).collect(),
    }
}

/// The value that the first `target +=` of the model adds.
fn added(checked: &Checked) -> &Expr {
    let values = checked
        .program
        .model
        .iter()
        .find_map(|stmt| match &stmt.kind {
            StmtKind::AddTarget(value) => Some(value),
            _ => None,
        });
    values.expect("adds something to the target")
}

/// The function that an expression calls, and how.
fn called<'c>(checked: &'c Checked, expr: &Expr) -> (&'c Function, Lift) {
    match &expr.kind {
        ExprKind::Call(Callee::Function(id, lift), _) => (checked.program.function(*id), *lift),
        other => panic!("{other:?} calls no function"),
    }
}

/// What the last statement of a function returns.
fn returned(function: &Function) -> &Expr {
    match function.body.last() {
        Some(Stmt {
            kind: StmtKind::Return(Some(value)),
            ..
        }) => value,
        other => panic!("{other:?} returns nothing"),
    }
}

/// How many calls of a primitive an expression holds.
fn count(expr: &Expr, prim: Prim) -> usize {
    match &expr.kind {
        ExprKind::Call(callee, arguments) => {
            usize::from(*callee == Callee::Prim(prim))
                + arguments
                    .iter()
                    .map(|argument| count(argument, prim))
                    .sum::<usize>()
        }
        _ => 0,
    }
}

fn variable<'c>(checked: &'c Checked, name: &str) -> &'c Variable {
    let mut variables = checked.program.variables.iter();
    variables
        .find(|variable| variable.name == name)
        .expect("declared")
}

#[test]
fn a_density_drops_terms_that_are_data() {
    let with_data_scale =
        checked("data { real s; } parameters { real y; } model { y ~ gauss(0, s); }");
    let (density, _) = called(&with_data_scale, added(&with_data_scale));
    assert_eq!(count(returned(density), Prim::Log), 0);
    assert_eq!(
        count(returned(density), Prim::Sub),
        0,
        "nothing is left to subtract"
    );

    let with_parameter = checked("parameters { real s; } model { 1.0 ~ gauss(0, s); }");
    let (density, _) = called(&with_parameter, added(&with_parameter));
    assert_eq!(count(returned(density), Prim::Log), 1);
}

#[test]
fn constants_are_kept_where_asked_for() {
    let text = "data { real s; } parameters { real y; } model { y ~ gauss(0, s); }";
    let options = CheckOptions {
        keep_constants: true,
    };
    let Ok(kept) = outcome(text, options) else {
        panic!("has no errors");
    };
    let (density, _) = called(&kept, added(&kept));
    assert_eq!(count(returned(density), Prim::Log), 1);
    let plain = checked(
        "data { real s; } parameters { real y; } model { target += gauss_lpdf(y | 0, s); }",
    );
    let (density, _) = called(&plain, added(&plain));
    assert_eq!(count(returned(density), Prim::Log), 1);
}

#[test]
fn dropping_passes_through_library_densities() {
    let program = checked("parameters { real y; } model { y ~ shifted(0); }");
    let (outer, _) = called(&program, added(&program));
    let (inner, _) = called(&program, returned(outer));
    assert_eq!(inner.name, "gauss_lpdf");
    assert_eq!(count(returned(inner), Prim::Log), 0);
}

#[test]
fn impossibility_is_never_dropped() {
    let program = checked("data { real y; } parameters { real r; } model { y ~ positive(r); }");
    let (density, _) = called(&program, added(&program));
    let StmtKind::If { then, .. } = &density.body[0].kind else {
        panic!("checks its outcome first");
    };
    let StmtKind::Return(Some(value)) = &then[0].kind else {
        panic!("returns at once");
    };
    assert_eq!(value.kind, ExprKind::Real(f64::NEG_INFINITY));
}

#[test]
fn a_user_density_passes_dropping_on() {
    let text = |call: &str| {
        format!(
            "functions {{ real mine_lpdf(real y, data real s) {{ return gauss_lupdf(y | 0, s); }} }}
             data {{ real s; }} parameters {{ real y; }} model {{ {call} }}"
        )
    };
    for (call, logs) in [
        ("y ~ mine(s);", 0),
        ("target += mine_lupdf(y | s);", 0),
        ("target += mine_lpdf(y | s);", 1),
    ] {
        let program = checked(&text(call));
        let (mine, _) = called(&program, added(&program));
        let (inner, _) = called(&program, returned(mine));
        assert_eq!(count(returned(inner), Prim::Log), logs, "{call}");
    }
}

#[test]
fn calls_lift_over_containers() {
    let program = checked(
        "data { int N; vector[N] y; array[2] vector[N] z; }
         parameters { real mu; vector[N] m; }
         model { y ~ gauss(mu, 1); z ~ many(m); target += twice(m); target += spread(to_array_1d(m)); }
         generated quantities { array[N] real r = gauss_rng(m, 1); }",
    );
    let adds: Vec<&Expr> = program
        .program
        .model
        .iter()
        .filter_map(|stmt| match &stmt.kind {
            StmtKind::AddTarget(value) => Some(value),
            _ => None,
        })
        .collect();
    assert_eq!(called(&program, adds[0]).1, Lift::Sum);
    assert_eq!(called(&program, adds[1]).1, Lift::Sum);
    assert_eq!(called(&program, adds[2]).1, Lift::Each);
    assert_eq!(adds[2].ty, Ty::Vector);
    let ExprKind::Call(_, arguments) = &adds[3].kind else {
        panic!("calls spread");
    };
    assert!(matches!(
        arguments[0].kind,
        ExprKind::Call(Callee::Container(Container::ToVector), _)
    ));
}

#[test]
fn instances_are_shared() {
    let program = checked(
        "data { real y; } parameters { real a; real b; } model { y ~ gauss(a, 1); y ~ gauss(b, 1); a ~ gauss(0, 1); }",
    );
    let densities = program
        .program
        .functions
        .iter()
        .filter(|function| function.name == "gauss_lpdf");
    assert_eq!(densities.count(), 2, "outcome data or parameter");
}

#[test]
fn levels_follow_values_and_conditions() {
    let program = checked(
        "parameters { real mu; }
         model {
           int by_value = mu > 0;
           int by_condition = 0;
           if (mu > 0) by_condition = 1;
           int later = 0;
           for (i in 1:3) { int copy = later; later = by_value; }
           int rounds = 0;
           while (1) { rounds += 1; if (mu > rounds) break; }
           int constant = 3;
           real counts_as_parameter = 1;
         }",
    );
    for (name, level) in [
        ("by_value", Level::Param),
        ("by_condition", Level::Param),
        ("copy", Level::Param),
        ("rounds", Level::Param),
        ("constant", Level::Data),
        ("counts_as_parameter", Level::Param),
    ] {
        assert_eq!(variable(&program, name).level, level, "{name}");
    }
}

#[test]
fn sizes_are_data_whatever_is_in_them() {
    let program = checked("parameters { vector[3] v; } model { int n = num_elements(v); }");
    assert_eq!(variable(&program, "n").level, Level::Data);
}

#[test]
fn recursion_ends() {
    let program = checked(
        "functions { real f(real x, int n) { return n == 0 ? x : f(x * 2, n - 1); } }
         parameters { real mu; } model { target += f(mu, 3); }",
    );
    assert_eq!(program.program.functions.len(), 1);
}

#[test]
fn parameters_have_free_forms() {
    let program = checked(
        "data { int K; } parameters { vector<lower=1>[K] s; array[2] simplex[K] p; real mu; } model {}",
    );
    let ir = &program.program;
    let free = |position: usize| ir.variable(ir.parameters[position].free);
    assert_eq!(free(0).sized.ty, Ty::Vector);
    assert_eq!(free(1).sized.ty, Ty::Vector.array_of(1));
    assert_eq!(count(&free(1).sized.dims[1], Prim::SubInt), 1);
    assert_eq!(
        ir.variable(ir.parameters[1].variable).constraint,
        Constraint::Simplex
    );
    assert_eq!(ir.constrain.len(), 6, "declared and assigned, three times");
    assert!(
        matches!(&ir.constrain[5].kind, StmtKind::Assign { value, .. }
        if value.kind == ExprKind::Variable(ir.parameters[2].free))
    );
}

#[test]
fn truncation_normalises() {
    let program = checked("parameters { real y; } model { y ~ gauss(0, 1) T[-1, 2]; }");
    let [density, truncation] = program.program.model.as_slice() else {
        panic!("a density and its truncation");
    };
    assert!(matches!(density.kind, StmtKind::AddTarget(_)));
    let StmtKind::If { otherwise, .. } = &truncation.kind else {
        panic!("checks the lower bound");
    };
    let StmtKind::If { otherwise, .. } = &otherwise[0].kind else {
        panic!("checks the upper bound");
    };
    let StmtKind::AddTarget(value) = &otherwise[0].kind else {
        panic!("normalises");
    };
    assert_eq!(count(value, Prim::LogDiffExp), 1);
}

#[test]
fn integers_promote_and_overloads_prefer_not_to() {
    let program = checked(
        "functions { real f(int n) { return 1; } real f(real x) { return 2; } }
         transformed data { real a = f(1); real b = f(1.0); real c = 3; array[2] real d = {1, 2.5}; }",
    );
    let calls: Vec<&Function> = program.program.functions.iter().collect();
    assert_eq!(calls.len(), 2);
    let first = program.program.variable(calls[0].arguments[0]);
    assert_eq!(first.sized.ty, Ty::Int);
}

#[test]
fn every_fault_is_reported_once() {
    let found = titles(
        "parameters { real mu; }
         model { for (i in 1:2) { target += nu; } if (mu > 0) { int k = 1.5; k = xi; } }",
    );
    assert_eq!(
        found,
        [
            "`nu` is not declared",
            "real cannot be assigned to int",
            "`xi` is not declared",
        ]
    );
}

#[test]
fn expressions_of_the_prompt_see_its_variables() {
    let (mut sources, library) = library();
    let source = sources.add("prompt", "twice(x) + gauss_rng(0, 1)");
    let Ok(expr) = parse_expression(&sources, source) else {
        panic!("parses");
    };
    let visible = [Visible {
        name: "x".to_owned(),
        ty: Ty::Real,
    }];
    let Ok(checked) = check_expression(&expr, &visible, &None, &library) else {
        panic!("checks");
    };
    assert_eq!(checked.expr.ty, Ty::Real);
    assert!(checked.program.functions.len() >= 2);
}

#[test]
fn tuples_are_taken_apart() {
    let program = checked(
        "functions { tuple(real, array[] int) pair(real x) { return (x, {1, 2}); } }
         transformed data {
           tuple(real, vector[2]) t;
           t.1 = 3;
           t.2[1] = 4;
           real a;
           array[2] int b;
           (a, b) = pair(1);
           real c = pair(2).1 + t.2[1];
         }",
    );
    let projected = program.program.prepare.iter().any(|stmt| {
        matches!(&stmt.kind, StmtKind::Assign { projections, indices, .. }
            if *projections == [1] && indices.len() == 1)
    });
    assert!(projected);
    assert!(titles("transformed data { tuple(int, real) t = (1.5, 2); }").len() == 1);
}
