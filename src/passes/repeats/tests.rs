//! Loops over repeated rows, counted and not: the value stays, the rounds tell which it was.

use super::*;
use crate::loops::{Builder, Evaluator, Message, MessageKind};
use crate::passes::{Switches, improve_density};

/// Sixty rows of six kinds: an outcome and a level; every seventh row has the second outcome.
const ROWS: i64 = 60;

/// What a test's loop is built from.
struct Loop {
    build: Builder,
    total: CellId,
    /// The row's outcome, a real of data.
    outcome: ValueId,
    /// The effect of the row's level, a parameter.
    effect: ValueId,
    var: ValueId,
}

/// `for i in 1..61 { body }` over outcomes and levels of which there are few.
fn procedure(body: impl FnOnce(&mut Loop)) -> Procedure {
    let mut build = Builder::new("rows");
    let position = build.buffer("position", Kind::Real, 3, Role::Input(0));
    let outcomes: Vec<i64> = (0..ROWS).map(|row| i64::from(row % 7 == 0)).collect();
    let levels: Vec<i64> = (0..ROWS).map(|row| row * row % 3).collect();
    let mut ints = |name, values: Vec<i64>| {
        build.buffer(
            name,
            Kind::Int,
            values.len(),
            Role::ConstantInt(values.into()),
        )
    };
    let (outcomes, levels) = (ints("outcome", outcomes), ints("level", levels));
    let total = build.cell("total", Kind::Real);
    let [one, past] = [1, ROWS + 1].map(|bound| build.int(bound));
    let var = build.fresh(Kind::Int);
    build.open();
    let row = build.prim(Prim::SubInt, &[var, one]);
    let outcome = build.load(outcomes, row);
    let outcome = build.prim(Prim::ToReal, &[outcome]);
    let level = build.load(levels, row);
    let effect = build.load(position, level);
    let mut inside = Loop {
        build,
        total,
        outcome,
        effect,
        var,
    };
    body(&mut inside);
    let Loop { mut build, .. } = inside;
    let body = build.close();
    build.push(Stmt::For {
        var,
        start: one,
        end: past,
        reverse: false,
        body,
    });
    let mut procedure = build.finish();
    procedure.result = Some(total);
    procedure
}

/// The largest number of rounds of a loop at the top.
fn rounds(procedure: &Procedure) -> i64 {
    let constants = crate::passes::integers(&procedure.body);
    let rounds = procedure.body.iter().filter_map(|stmt| match stmt {
        Stmt::For { start, end, .. } => Some(constants.get(end)? - constants.get(start)?),
        _ => None,
    });
    rounds.max().unwrap_or(0)
}

fn value(procedure: &Procedure) -> f64 {
    let mut outputs = vec![0.0; 3];
    let has_output = procedure
        .buffers
        .iter()
        .any(|buffer| matches!(buffer.role, Role::Output(0)));
    let mut slices: Vec<&mut [f64]> = Vec::new();
    if has_output {
        slices.push(&mut outputs);
    }
    let position = [0.3, -1.25, 0.75];
    let value = Evaluator::new(procedure)
        .run(&[&position], &mut slices, None)
        .unwrap();
    value + outputs[0] + 3.0 * outputs[1] + 5.0 * outputs[2]
}

/// Checks that counting changes the value by rounding alone; returns the rounds that are left.
fn counted(mut procedure: Procedure) -> i64 {
    let before = value(&procedure);
    count(&mut procedure);
    crate::loops::verify(&procedure).unwrap();
    let rounds = rounds(&procedure);
    let check = |procedure: &Procedure| {
        let after = value(procedure);
        assert!(
            (after - before).abs() < 1e-12 * before.abs(),
            "{before} {after} {procedure}"
        );
    };
    check(&procedure);
    improve_density(&mut procedure, Switches::ALL);
    check(&procedure);
    rounds
}

/// outcome · effect − log1p(exp(effect))
fn term(inside: &mut Loop) -> ValueId {
    let build = &mut inside.build;
    let exp = build.prim(Prim::Exp, &[inside.effect]);
    let log = build.prim(Prim::Log1p, &[exp]);
    let product = build.prim(Prim::Mul, &[inside.outcome, inside.effect]);
    build.prim(Prim::Sub, &[product, log])
}

#[test]
fn rows_are_counted_where_a_loop_only_adds() {
    let plain = procedure(|inside| {
        let term = term(inside);
        inside.build.push(Stmt::Add(inside.total, term));
    });
    // Squares of integers are 0 or 1 modulo 3.
    assert_eq!(counted(plain), 4);
    let in_branches = procedure(|inside| {
        let term = term(inside);
        let zero = inside.build.real(0.0);
        let is_one = inside.build.prim(Prim::Gt, &[inside.outcome, zero]);
        inside.build.open();
        inside.build.push(Stmt::Add(inside.total, term));
        let then = inside.build.close();
        inside.build.open();
        let half = inside.build.real(0.5);
        let other = inside.build.prim(Prim::Mul, &[term, half]);
        inside.build.push(Stmt::Add(inside.total, other));
        let otherwise = inside.build.close();
        inside.build.push(Stmt::If {
            condition: is_one,
            then,
            otherwise,
        });
    });
    assert_eq!(counted(in_branches), 4);
}

#[test]
fn what_belongs_to_a_round_is_not_multiplied() {
    let through_a_cell = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let cell = build.cell("own", Kind::Real);
        build.push(Stmt::Set(cell, inside.outcome));
        build.push(Stmt::Add(cell, term));
        let sum = build.get(cell);
        let square = build.prim(Prim::Square, &[sum]);
        build.push(Stmt::Add(inside.total, square));
    });
    assert_eq!(counted(through_a_cell), 4);
    let through_a_buffer = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let own = build.buffer("own", Kind::Real, 1, Role::Work);
        build.procedure.scopes.insert(own, inside.var);
        let at = build.int(0);
        build.push(Stmt::Store(own, at, inside.outcome));
        build.push(Stmt::Accumulate(own, at, term));
        let sum = build.load(own, at);
        let square = build.prim(Prim::Square, &[sum]);
        build.push(Stmt::Add(inside.total, square));
    });
    assert_eq!(counted(through_a_buffer), 4);
    let into_a_buffer = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let sums = build.buffer("sums", Kind::Real, 3, Role::Output(0));
        let at = build.int(1);
        build.push(Stmt::Accumulate(sums, at, term));
        build.push(Stmt::Add(inside.total, term));
    });
    assert_eq!(counted(into_a_buffer), 4);
}

#[test]
fn coefficients_are_summed() {
    // row · effect − exp(effect) · row: three levels, and rows of which no two are the same.
    let both_ways = procedure(|inside| {
        let build = &mut inside.build;
        let row = build.prim(Prim::ToReal, &[inside.var]);
        let product = build.prim(Prim::Mul, &[row, inside.effect]);
        build.push(Stmt::Add(inside.total, product));
        let exp = build.prim(Prim::Exp, &[inside.effect]);
        let exp = build.prim(Prim::Neg, &[exp]);
        let product = build.prim(Prim::Mul, &[exp, row]);
        build.push(Stmt::Add(inside.total, product));
    });
    assert_eq!(counted(both_ways), 2);
    let used_twice = procedure(|inside| {
        let build = &mut inside.build;
        let row = build.prim(Prim::ToReal, &[inside.var]);
        let product = build.prim(Prim::Mul, &[row, inside.effect]);
        build.push(Stmt::Add(inside.total, product));
        let square = build.prim(Prim::Square, &[product]);
        build.push(Stmt::Add(inside.total, square));
    });
    assert_eq!(counted(used_twice), ROWS);
    let with_an_offset = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let row = build.prim(Prim::ToReal, &[inside.var]);
        let product = build.prim(Prim::Mul, &[row, inside.effect]);
        let sum = build.prim(Prim::Sub, &[product, term]);
        build.push(Stmt::Add(inside.total, sum));
    });
    assert_eq!(counted(with_an_offset), ROWS);
}

#[test]
fn rows_that_differ_or_depend_on_each_other_stay() {
    let by_row = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let row = build.prim(Prim::ToReal, &[inside.var]);
        let sum = build.prim(Prim::Add, &[term, row]);
        build.push(Stmt::Add(inside.total, sum));
    });
    assert_eq!(counted(by_row), ROWS);
    let carried = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let last = build.cell("last", Kind::Real);
        let before = build.get(last);
        build.push(Stmt::Set(last, term));
        let product = build.prim(Prim::Mul, &[before, term]);
        build.push(Stmt::Add(inside.total, product));
    });
    assert_eq!(counted(carried), ROWS);
    let kept_in_a_branch = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let last = build.cell("last", Kind::Real);
        let zero = build.real(0.0);
        let is_one = build.prim(Prim::Gt, &[inside.outcome, zero]);
        build.open();
        build.push(Stmt::Set(last, term));
        let then = build.close();
        build.push(Stmt::If {
            condition: is_one,
            then,
            otherwise: Vec::new(),
        });
        let last = build.get(last);
        build.push(Stmt::Add(inside.total, last));
    });
    assert_eq!(counted(kept_in_a_branch), ROWS);
    let running = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        build.push(Stmt::Add(inside.total, term));
        let sum = build.get(inside.total);
        let half = build.real(0.5);
        let half = build.prim(Prim::Mul, &[sum, half]);
        build.push(Stmt::Add(inside.total, half));
    });
    assert_eq!(counted(running), ROWS);
    let stored = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let kept = build.buffer("kept", Kind::Real, 3, Role::Output(0));
        let at = build.int(2);
        build.push(Stmt::Store(kept, at, term));
        build.push(Stmt::Add(inside.total, term));
    });
    assert_eq!(counted(stored), ROWS);
}

#[test]
fn what_follows_the_loop_sees_its_last_round() {
    let mut last = None;
    let mut procedure = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let cell = build.cell("last", Kind::Real);
        last = Some(cell);
        build.push(Stmt::Set(cell, term));
        build.push(Stmt::Add(inside.total, term));
    });
    let value = procedure.fresh(Kind::Real);
    let total = procedure.result.unwrap();
    procedure
        .body
        .push(Stmt::Let(value, Op::Get(last.unwrap())));
    procedure.body.push(Stmt::Add(total, value));
    assert_eq!(counted(procedure), ROWS);
}

#[test]
fn a_check_that_fails_for_some_rows_still_fails() {
    let mut procedure = procedure(|inside| {
        let term = term(inside);
        let build = &mut inside.build;
        let message = build.message(Message {
            kind: MessageKind::Reject,
            parts: Vec::new(),
            span: Default::default(),
        });
        let least = build.real(-1.0);
        let ok = build.prim(Prim::Ge, &[inside.effect, least]);
        build.push(Stmt::Check {
            ok,
            message,
            values: vec![inside.outcome],
        });
        build.push(Stmt::Add(inside.total, term));
    });
    let run = |procedure: &Procedure, effect: f64| {
        Evaluator::new(procedure).run(&[&[0.0, effect, 0.0]], &mut [], None)
    };
    assert!(count(&mut procedure));
    assert!(run(&procedure, 0.0).is_ok() && run(&procedure, -1.5).is_err());
}

#[test]
fn a_sample_of_many_rows_tells_whether_they_repeat() {
    let left = |kinds: i64, kind: &dyn Fn(i64) -> i64| {
        let rows = 3 * PROBE as i64;
        let mut build = Builder::new("many");
        let position = build.buffer("position", Kind::Real, 3, Role::Input(0));
        let data: Vec<f64> = (0..rows).map(|row| (kind(row) % kinds) as f64).collect();
        let role = Role::ConstantReal(data.into());
        let data = build.buffer("x", Kind::Real, rows as usize, role);
        let total = build.cell("total", Kind::Real);
        let [zero, end] = [0, rows].map(|bound| build.int(bound));
        let effect = build.load(position, zero);
        build
            .for_loop(zero, end, false, |build, i| -> Result<(), ()> {
                let x = build.load(data, i);
                let product = build.prim(Prim::Mul, &[x, effect]);
                let sine = build.prim(Prim::Sin, &[product]);
                build.push(Stmt::Add(total, sine));
                Ok(())
            })
            .unwrap();
        let mut procedure = build.finish();
        procedure.result = Some(total);
        counted(procedure)
    };
    let rows = 3 * PROBE as i64;
    // In order, and mixed by a multiplication.
    let mixed = |row: i64| row * 48_271 % 2_147_483_647;
    for kind in [&|row: i64| row, &mixed as &dyn Fn(i64) -> i64] {
        assert_eq!(left(1_000, kind), 1_000);
        assert_eq!(left(rows / 4, kind), rows / 4);
        assert_eq!(left(rows / 2, kind), rows);
        assert_eq!(left(i64::MAX, kind), rows);
    }
}
