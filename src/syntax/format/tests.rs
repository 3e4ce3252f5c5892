//! Tests of the printer: whatever it writes reads back as the same tree.

use super::*;
use crate::source::{SourceMap, Span};
use crate::syntax::{NoIncludes, parse, parse_expression};
use proptest::prelude::*;

/// The tree as text, spans left out: they print as `@source:start..end`.
fn without_spans(tree: &impl std::fmt::Debug) -> String {
    let dump = format!("{tree:?}");
    let mut parts = dump.split('@');
    let mut kept = parts.next().unwrap_or("").to_owned();
    for part in parts {
        kept.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || ":.".contains(c)));
    }
    kept
}

fn program(text: &str) -> Program {
    let mut sources = SourceMap::new();
    let id = sources.add("test", text);
    match parse(&mut sources, id, &mut NoIncludes) {
        Ok(program) => program,
        Err(errors) => panic!("{}", crate::diag::render(&sources, &errors, false)),
    }
}

fn expression(text: &str) -> Expr {
    let mut sources = SourceMap::new();
    let id = sources.add("test", text);
    match parse_expression(&sources, id) {
        Ok(expr) => expr,
        Err(errors) => panic!("{}", crate::diag::render(&sources, &errors, false)),
    }
}

/// Every construct of the language, in canonical form.
const EVERYTHING: &str = r#"functions {
  real later(real x);
  void show(data array[,] real x, tuple(int, array[] vector) y) {
    print("x is ", x, " and ", y);
    return;
  }
  real foo_lpdf(real y, real mu) {
    if (y > mu)
      return -square(y - mu);
    else if (y == mu)
      return 0;
    else {
      return negative_infinity();
    }
  }
  tuple(real,) one(real x) {
    return (x,);
  }
}
data {
  int<lower=1> N;
  array[N, 2] real<lower=0, upper=(N > 1)> x;
  tuple(int, array[3] vector<lower=-1>[N]) t;
}
transformed data {
  complex z = 1.0 + 2.5i;
  array[2] int n = {1, 2}, m;
  (m, n) = (n, m);
}
parameters {
  vector<offset=1, multiplier=2 * N>[N] y;
  cholesky_factor_cov[N, 2] L;
  simplex[N] p;
}
transformed parameters {
  real s = 0;
  jacobian += s;
}
model {
  for (i in 1:(N - 1)) {
    s += y[i]^2;
    y[i].1[2:, :3, :] ./= 2;
  }
  for (v in x)
    while (v > 1) {
      if (v > 2)
        break;
      continue;
    }
  profile("all") {
    target += foo_lpdf(y[1] | 2);
    target += std_normal_lpdf(s |);
  }
  y ~ normal(N ? 1 : 2, 3) T[0, ];
  {
    ;
    show(x, t);
  }
  if (!(N == 1 || N < 2 && 1))
    reject("no ", target());
  fatal_error([[1, 2], [3, 4]]');
}
generated quantities {
  real q = t.2[1][2];
}
"#;

#[test]
fn canonical_text_stays_as_it_is() {
    assert_eq!(format_program(&program(EVERYTHING)), EVERYTHING);
}

#[test]
fn only_needed_parentheses_remain() {
    for (written, printed) in [
        ("((a)) + (b * c)", "a + b * c"),
        ("(a + b) * c", "(a + b) * c"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("a ^ (b ^ c)", "a^b^c"),
        ("(a ^ b) ^ c", "(a^b)^c"),
        ("-(2 ^ 2)", "-2^2"),
        ("(-2) ^ 2", "(-2)^2"),
        ("2 ^ (-1)", "2^-1"),
        ("a * (b %/% c)", "a * b %/% c"),
        ("(a * b) %/% c", "(a * b) %/% c"),
        (
            "(a ? b : c) ? d : (e ? f : g)",
            "(a ? b : c) ? d : e ? f : g",
        ),
        ("(a + b)'", "(a + b)'"),
        ("(-a)'", "(-a)'"),
        ("-(a')", "-a'"),
        ("(a')[1]", "(a')[1]"),
        ("x[(a + 1):b]", "x[(a + 1):b]"),
        ("1e-7 + 1e10 + .5", "1e-7 + 10000000000.0 + 0.5"),
        ("(1).1", "(1).1"),
    ] {
        assert_eq!(
            format_expression(&expression(written)),
            printed,
            "{written}"
        );
    }
}

#[test]
fn an_else_keeps_its_if() {
    // No text parses to this tree without braces; trees that are made can have it.
    let inner = program("model { if (a) b(); }")
        .model
        .unwrap()
        .items
        .remove(0);
    let outer = program("model { if (c) d(); else e(); }")
        .model
        .unwrap()
        .items
        .remove(0);
    let StmtKind::If {
        condition,
        else_body,
        ..
    } = outer.kind
    else {
        panic!("not an if");
    };
    let tree = Stmt {
        kind: StmtKind::If {
            condition,
            then_body: Box::new(inner),
            else_body,
        },
        span: Span::default(),
    };
    assert_eq!(
        format_statement(&tree),
        "if (c) {\n  if (a)\n    b();\n} else\n  e();\n"
    );
}

fn node(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (0..=i32::MAX).prop_map(ExprKind::Int),
        (0.0..1e300f64).prop_map(ExprKind::Real),
        (0.0..1e-3f64).prop_map(ExprKind::Imaginary),
        "[a-zμσ][a-z_0-9]{0,3}x".prop_map(ExprKind::Variable),
        Just(ExprKind::Target),
    ]
    .prop_map(node);
    leaf.prop_recursive(6, 60, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new).boxed();
        let many = prop::collection::vec(inner.clone(), 1..4).boxed();
        let name = Just(Identifier {
            name: "f".to_owned(),
            span: Span::default(),
        });
        let index = prop_oneof![
            Just(Index::All),
            inner.clone().prop_map(Index::Single),
            (inner.clone(), prop::option::of(inner)).prop_map(|(lower, upper)| Index::Range {
                lower: Some(lower),
                upper
            }),
        ];
        prop_oneof![
            (any_unary(), boxed.clone())
                .prop_map(|(operator, operand)| ExprKind::Unary { operator, operand }),
            (any_binary(), boxed.clone(), boxed.clone()).prop_map(|(operator, left, right)| {
                ExprKind::Binary {
                    operator,
                    left,
                    right,
                }
            }),
            (boxed.clone(), boxed.clone(), boxed.clone()).prop_map(
                |(condition, if_true, if_false)| ExprKind::Ternary {
                    condition,
                    if_true,
                    if_false
                }
            ),
            (boxed.clone(), prop::collection::vec(index, 1..3))
                .prop_map(|(base, indices)| ExprKind::Index { base, indices }),
            (boxed, 1..9u32).prop_map(|(base, slot)| ExprKind::Projection { base, slot }),
            (name, many.clone(), any::<bool>()).prop_map(|(function, arguments, bar)| {
                ExprKind::Call {
                    function,
                    arguments,
                    bar,
                }
            }),
            many.clone().prop_map(ExprKind::Array),
            many.clone().prop_map(ExprKind::RowVector),
            many.prop_map(ExprKind::Tuple),
        ]
        .prop_map(node)
    })
}

fn any_unary() -> impl Strategy<Value = UnaryOp> {
    prop::sample::select(vec![
        UnaryOp::Negate,
        UnaryOp::Plus,
        UnaryOp::Not,
        UnaryOp::Transpose,
    ])
}

fn any_binary() -> impl Strategy<Value = BinaryOp> {
    use BinaryOp::*;
    prop::sample::select(vec![
        Or,
        And,
        Equal,
        NotEqual,
        Less,
        LessEqual,
        Greater,
        GreaterEqual,
        Add,
        Subtract,
        Multiply,
        Divide,
        Modulo,
        ElementMultiply,
        ElementDivide,
        IntegerDivide,
        LeftDivide,
        Power,
        ElementPower,
    ])
}

proptest! {
    #[test]
    fn any_expression_reads_back_as_itself(expr in any_expr()) {
        let text = format_expression(&expr);
        prop_assert_eq!(without_spans(&expression(&text)), without_spans(&expr), "{}", text);
    }

    #[test]
    fn any_bound_reads_back_as_itself(expr in any_expr()) {
        let mut tree = program("data { real<lower=0> x; }");
        let declaration = &mut tree.data.as_mut().unwrap().items[0];
        declaration.type_spec.kind = TypeKind::Basic {
            base: BaseType::Real,
            bounds: Bounds::Interval { lower: Some(Box::new(expr)), upper: None },
            sizes: Vec::new(),
        };
        let text = format_program(&tree);
        prop_assert_eq!(without_spans(&program(&text)), without_spans(&tree), "{}", text);
    }
}
