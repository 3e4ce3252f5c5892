//! The interpreter on programs built by hand: control flow, calls, lifts, assignment, failures.

use super::*;
use crate::builtins::Prim;
use crate::ir::{
    Callee, Constraint, Expr, ExprKind, Function, FunctionId, Index, Lift, Program, SizedTy, Stmt,
    StmtKind, VarId, VarRole, Variable,
};
use crate::source::{SourceId, Span};
use crate::types::{Level, Ty};

/// A program under construction.
#[derive(Default)]
struct Sketch {
    program: Program,
}

impl Sketch {
    fn variable(&mut self, name: &str, ty: Ty, dims: Vec<Expr>, role: VarRole) -> VarId {
        self.program.variables.push(Variable {
            name: name.to_owned(),
            sized: SizedTy { ty, dims },
            role,
            level: Level::Data,
            constraint: Constraint::None,
            span: Span::default(),
        });
        VarId(self.program.variables.len() as u32 - 1)
    }

    fn transformed(&mut self, name: &str, ty: Ty, dims: Vec<Expr>) -> VarId {
        let var = self.variable(name, ty, dims, VarRole::TransformedData);
        self.program.transformed_data.push(var);
        self.program.prepare.push(stmt(StmtKind::Declare(var)));
        var
    }

    fn then(&mut self, kind: StmtKind) {
        self.program.prepare.push(stmt(kind));
    }

    fn run(&self) -> Eval<Values> {
        let data = vec![None; self.program.variables.len()];
        Interpreter::new(&self.program).prepare(data, Effects::default())
    }

    fn value(&self, var: VarId) -> Value {
        let values = self.run().expect("the program runs");
        values[var.0 as usize].clone().expect("a value")
    }

    fn failure(&self) -> String {
        self.run()
            .expect_err("the program fails")
            .message()
            .to_owned()
    }
}

fn stmt(kind: StmtKind) -> Stmt {
    Stmt {
        kind,
        span: Span::default(),
    }
}

fn expr(kind: ExprKind, ty: Ty) -> Expr {
    Expr {
        kind,
        ty,
        level: Level::Data,
        span: Span::default(),
    }
}

fn int(value: i64) -> Expr {
    expr(ExprKind::Int(value), Ty::Int)
}

fn real(value: f64) -> Expr {
    expr(ExprKind::Real(value), Ty::Real)
}

fn read(var: VarId, ty: Ty) -> Expr {
    expr(ExprKind::Variable(var), ty)
}

fn prim(prim: Prim, args: Vec<Expr>, ty: Ty) -> Expr {
    expr(ExprKind::Call(Callee::Prim(prim), args), ty)
}

fn row(values: &[f64]) -> Expr {
    let elements = values.iter().map(|&value| real(value)).collect();
    expr(ExprKind::Row(elements), Ty::RowVector)
}

fn set(target: VarId, indices: Vec<Index>, value: Expr) -> StmtKind {
    StmtKind::Assign {
        target,
        indices,
        projections: Vec::new(),
        value,
    }
}

#[test]
fn loops_run_over_both_bounds_and_obey_break_and_continue() {
    let mut sketch = Sketch::default();
    let sum = sketch.transformed("sum", Ty::Int, vec![]);
    let at = sketch.variable("i", Ty::Int, vec![], VarRole::Loop);
    sketch.then(set(sum, vec![], int(0)));
    let is = |value| prim(Prim::EqInt, vec![read(at, Ty::Int), int(value)], Ty::Int);
    let when = |value, kind| {
        stmt(StmtKind::If {
            condition: is(value),
            then: vec![stmt(kind)],
            otherwise: vec![],
        })
    };
    let add = prim(
        Prim::AddInt,
        vec![read(sum, Ty::Int), read(at, Ty::Int)],
        Ty::Int,
    );
    sketch.then(StmtKind::For {
        var: at,
        lower: int(1),
        upper: int(10),
        body: vec![
            when(2, StmtKind::Continue),
            when(5, StmtKind::Break),
            stmt(set(sum, vec![], add)),
        ],
    });
    assert_eq!(sketch.value(sum), Value::Int(1 + 3 + 4));
}

#[test]
fn elements_and_slices_are_assigned_and_checked() {
    let mut sketch = Sketch::default();
    let m = sketch.transformed("m", Ty::Matrix, vec![int(2), int(3)]);
    let single = |at| Index::Single(int(at));
    sketch.then(set(m, vec![single(1)], row(&[1.0, 2.0, 3.0])));
    sketch.then(set(m, vec![single(2), single(3)], real(9.0)));
    let values = sketch.value(m).to_reals();
    assert_eq!(
        (values[0], values[2], values[4], values[5]),
        (1.0, 2.0, 3.0, 9.0)
    );
    assert!(values[1].is_nan() && values[3].is_nan());

    sketch.then(set(m, vec![single(1)], row(&[1.0, 2.0])));
    assert_eq!(
        sketch.failure(),
        "the assigned part of `m` is a row vector of 3 elements, but the value is a row vector of 2 elements"
    );
}

#[test]
fn an_index_out_of_range_ends_the_run_with_name_and_size() {
    let mut sketch = Sketch::default();
    let v = sketch.transformed("v", Ty::RowVector, vec![int(3)]);
    sketch.then(set(v, vec![Index::Single(int(4))], real(0.0)));
    assert_eq!(
        sketch.failure(),
        "index 4 is out of range: the size of `v` is 3"
    );
}

#[test]
fn empty_ranges_are_empty_but_reads_of_vectors_check_where_they_begin() {
    let range = |lower, upper| Index::Range(Some(int(lower)), Some(int(upper)));
    let slice = |lower, upper| {
        let mut sketch = Sketch::default();
        let v = sketch.transformed("v", Ty::RowVector, vec![int(0)]);
        let three = Box::new(row(&[1.0, 2.0, 3.0]));
        let part = ExprKind::Index(three, vec![range(lower, upper)]);
        sketch.then(set(v, vec![], expr(part, Ty::RowVector)));
        sketch.run().map(|values| values[v.0 as usize].clone())
    };
    let values = |part: Eval<Option<Value>>| part.map(|value| value.map(|value| value.to_reals()));
    assert_eq!(values(slice(2, 3)), Ok(Some(vec![2.0, 3.0])));
    assert_eq!(values(slice(3, 2)), Ok(Some(vec![])));
    assert!(slice(4, 3).is_err());
}

#[test]
fn an_empty_variable_takes_any_size_and_another_does_not() {
    let mut sketch = Sketch::default();
    let none = sketch.transformed("none", Ty::RowVector, vec![int(0)]);
    let one = sketch.transformed("one", Ty::RowVector, vec![int(1)]);
    sketch.then(set(none, vec![], row(&[1.0, 2.0])));
    assert_eq!(sketch.value(none).to_reals(), [1.0, 2.0]);
    sketch.then(set(one, vec![], row(&[1.0, 2.0])));
    assert!(
        sketch
            .failure()
            .starts_with("`one` is a row vector of 1 element,")
    );
}

#[test]
fn primitives_lift_over_containers_of_one_shape() {
    let mut sketch = Sketch::default();
    let v = sketch.transformed("v", Ty::RowVector, vec![int(2)]);
    let sum = |b| prim(Prim::Add, vec![row(&[1.0, 2.0]), b], Ty::RowVector);
    sketch.then(set(v, vec![], sum(real(0.5))));
    assert_eq!(sketch.value(v).to_reals(), [1.5, 2.5]);
    sketch.then(set(v, vec![], sum(row(&[1.0, 2.0, 3.0]))));
    assert!(sketch.failure().contains("sizes do not match"));
}

/// A library function `f(real x, real y)` that rejects a negative x and returns x * y.
fn product(sketch: &mut Sketch) -> FunctionId {
    let x = sketch.variable("x", Ty::Real, vec![], VarRole::Argument);
    let y = sketch.variable("y", Ty::Real, vec![], VarRole::Argument);
    let negative = prim(Prim::Lt, vec![read(x, Ty::Real), real(0.0)], Ty::Int);
    let says = expr(ExprKind::Text("x is ".to_owned()), Ty::Void);
    let times = prim(
        Prim::Mul,
        vec![read(x, Ty::Real), read(y, Ty::Real)],
        Ty::Real,
    );
    sketch.program.functions.push(Function {
        name: "f".to_owned(),
        arguments: vec![x, y],
        result: Ty::Real,
        body: vec![
            stmt(StmtKind::If {
                condition: negative,
                then: vec![stmt(StmtKind::Reject(vec![says, read(x, Ty::Real)]))],
                otherwise: vec![],
            }),
            stmt(StmtKind::Return(Some(times))),
        ],
        from_library: true,
        span: Span::default(),
    });
    FunctionId(sketch.program.functions.len() as u32 - 1)
}

fn call(function: FunctionId, lift: Lift, args: Vec<Expr>, ty: Ty) -> Expr {
    expr(ExprKind::Call(Callee::Function(function, lift), args), ty)
}

#[test]
fn functions_lift_element_by_element_or_to_a_sum() {
    let mut sketch = Sketch::default();
    let each = sketch.transformed("each", Ty::RowVector, vec![int(2)]);
    let sum = sketch.transformed("sum", Ty::Real, vec![]);
    let none = sketch.transformed("none", Ty::Real, vec![]);
    let f = product(&mut sketch);
    let args = || vec![row(&[1.0, 2.0]), real(10.0)];
    sketch.then(set(
        each,
        vec![],
        call(f, Lift::Each, args(), Ty::RowVector),
    ));
    sketch.then(set(sum, vec![], call(f, Lift::Sum, args(), Ty::Real)));
    let empty = vec![row(&[]), real(10.0)];
    sketch.then(set(none, vec![], call(f, Lift::Sum, empty, Ty::Real)));
    assert_eq!(sketch.value(each).to_reals(), [10.0, 20.0]);
    assert_eq!(sketch.value(sum), Value::Real(30.0));
    assert_eq!(sketch.value(none), Value::Real(0.0));

    let unequal = vec![row(&[1.0, 2.0]), row(&[1.0])];
    sketch.then(set(sum, vec![], call(f, Lift::Sum, unequal, Ty::Real)));
    assert_eq!(
        sketch.failure(),
        "f: sizes of the arguments do not match: x is a row vector of 2 elements, but y is a row vector of 1 element"
    );
}

#[test]
fn a_rejection_inside_the_library_is_blamed_on_the_call() {
    let mut sketch = Sketch::default();
    let r = sketch.transformed("r", Ty::Real, vec![]);
    let f = product(&mut sketch);
    let mut blamed = call(f, Lift::Whole, vec![real(-1.5), real(1.0)], Ty::Real);
    blamed.span = Span::new(SourceId(0), 7, 9);
    let place = blamed.span;
    sketch.then(set(r, vec![], blamed));
    // Fatal, because transformed data has no other position to try.
    assert_eq!(sketch.run(), Err(Failure::fatal("x is -1.5", place)));
}

#[test]
fn division_by_zero_and_negative_sizes_are_told() {
    let mut sketch = Sketch::default();
    let n = sketch.transformed("n", Ty::Int, vec![]);
    sketch.then(set(
        n,
        vec![],
        prim(Prim::DivInt, vec![int(7), int(0)], Ty::Int),
    ));
    assert_eq!(sketch.failure(), "integer division of 7 by zero");
    let mut sketch = Sketch::default();
    sketch.transformed("v", Ty::Vector, vec![int(-1)]);
    assert_eq!(sketch.failure(), "`v` is declared with the size -1");
}

#[test]
fn recursion_without_an_end_is_stopped() {
    let mut sketch = Sketch::default();
    let r = sketch.transformed("r", Ty::Real, vec![]);
    let f = FunctionId(0);
    sketch.program.functions.push(Function {
        name: "f".to_owned(),
        arguments: vec![],
        result: Ty::Real,
        body: vec![stmt(StmtKind::Return(Some(call(
            f,
            Lift::Whole,
            vec![],
            Ty::Real,
        ))))],
        from_library: false,
        span: Span::default(),
    });
    sketch.then(set(r, vec![], call(f, Lift::Whole, vec![], Ty::Real)));
    assert!(
        sketch
            .failure()
            .starts_with("`f` is called from within itself")
    );
}
