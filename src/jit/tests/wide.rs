//! Loops eight rounds at a time against the literal evaluator, at every number of rounds left over.

use super::*;

/// Lengths around which groups of eight, blocks and the least number of rounds begin and end.
const LENGTHS: [usize; 9] = [40, 41, 47, 48, 55, 255, 256, 257, 515];

/// A loop over so many rounds.
fn rounds(len: usize, body: impl FnOnce(&mut Builder, ValueId)) -> impl FnOnce(&mut Builder) {
    move |build| {
        let (zero, end) = (build.int(0), build.int(len as i64));
        looped(build, zero, end, false, body);
    }
}

/// The numbers that a loop over rows computes and their sum, eight rounds at a time: the same numbers as the evaluator's to
/// the bit, and the same sum to rounding.
fn check(procedure: &Procedure, inputs: &[&[f64]]) {
    verify(procedure).expect("well formed");
    let options = CompileOptions {
        check_bounds: false,
        ..CompileOptions::default()
    };
    let compiled = Compiled::compile(procedure, &options).expect("compiles");
    if Host::detect().wide {
        assert!(compiled.wide_functions() > 0, "{procedure}");
    }
    let expected = evaluate(procedure, inputs);
    let found = compile_and_run(procedure, &options, inputs);
    for (expected, found) in expected
        .outputs
        .iter()
        .flatten()
        .zip(found.outputs.iter().flatten())
    {
        assert!(
            same_bits(*expected, *found),
            "{expected} {found}\n{procedure}"
        );
    }
    match (expected.result, found.result) {
        (Ok(expected), Ok(found)) => {
            let close = (expected - found).abs() <= 1e-12 * (1.0 + expected.abs());
            assert!(
                close || same_bits(expected, found),
                "{expected} {found}\n{procedure}"
            );
        }
        (expected, found) => assert_eq!(expected, found),
    }
}

#[test]
fn rounds_are_counted() {
    for len in LENGTHS {
        let mut build = Builder::new("counts");
        let total = build.cell("total", Kind::Real);
        let size = build.cell("size", Kind::Real);
        let (start, end) = (build.int(3), build.int(len as i64 + 3));
        looped(&mut build, start, end, false, |build, i| {
            let number = build.prim(Prim::ToReal, &[i]);
            let abs = build.prim(Prim::Abs, &[number]);
            build.push(Stmt::Add(size, abs));
            build.push(Stmt::Add(total, number));
        });
        check(&finish(build, total), &[]);
    }
}

/// Numbers of all kinds, in no order.
fn numbers(len: usize, seed: f64) -> Vec<f64> {
    let special = [
        0.0,
        -0.0,
        0.5,
        -0.5,
        2.5,
        1e18,
        -1e-300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    let number = |at: usize| match at % 5 {
        4 => special[(at / 5) % special.len()],
        _ => 7.0 * (at as f64 * 0.731 + seed).sin(),
    };
    (0..len).map(number).collect()
}

#[test]
fn primitives_of_reals_have_the_evaluators_bits() {
    for &prim in Prim::ALL {
        let host = Host::detect();
        let condition = prim::real_condition(prim).is_some()
            || matches!(prim, Prim::IsNan | Prim::IsInf | Prim::IntStep);
        if !condition && !prim::is_inline_real(prim, host) {
            continue;
        }
        for len in [40, 47, 300] {
            let mut build = Builder::new(prim.name());
            let total = build.cell("total", Kind::Real);
            let out = build.buffer("out", Kind::Real, len, Role::Output(0));
            let columns: Vec<BufferId> = (0..3)
                .map(|at| reals(&mut build, "x", &numbers(len, f64::from(at))))
                .collect();
            let uniform = build.buffer("uniform", Kind::Real, 1, Role::Input(0));
            let zero = build.int(0);
            let (uniform, constant) = (build.load(uniform, zero), build.real(-1.25));
            let body = |build: &mut Builder, i| {
                let rows: Vec<ValueId> = columns.iter().map(|x| build.load(*x, i)).collect();
                // Each argument from a row, from what is the same in all rounds, and from a constant.
                let mut sum = None;
                let kinds = [rows.clone(), vec![uniform; 3], vec![constant; 3]];
                for choice in 0..kinds.len().pow(prim.args().len() as u32) {
                    let pick =
                        |at: usize| kinds[choice / kinds.len().pow(at as u32) % kinds.len()][at];
                    let args: Vec<ValueId> = (0..prim.args().len()).map(pick).collect();
                    if args.iter().all(|arg| !rows.contains(arg)) {
                        continue;
                    }
                    let mut value = build.prim(prim, &args);
                    if condition {
                        value = build.define(Kind::Real, Op::Select(value, rows[1], constant));
                    }
                    sum = Some(match sum {
                        None => value,
                        Some(sum) => build.prim(Prim::Sub, &[value, sum]),
                    });
                }
                build.push(Stmt::Store(out, i, sum.expect("an argument")));
            };
            rounds(len, body)(&mut build);
            check(&finish(build, total), &[&[0.375]]);
        }
    }
}

#[test]
fn tables_are_read_and_added_to_at_indices() {
    for len in LENGTHS {
        let mut build = Builder::new("tables");
        let total = build.cell("total", Kind::Real);
        let table = reals(&mut build, "table", &numbers(13, 0.2));
        // No sums by group of which a kernel would take care: in no order, of many cells.
        let cells = 400;
        let out = build.buffer("out", Kind::Real, cells, Role::Output(0));
        let places: Vec<i64> = (0..len as i64).map(|at| (at * at * 7 + at) % 11).collect();
        let places = build.buffer("places", Kind::Int, len, Role::ConstantInt(places.into()));
        let far: Vec<i64> = (0..len as i64).map(|at| at * 37 % 399).collect();
        let far = build.buffer("far", Kind::Int, len, Role::ConstantInt(far.into()));
        let (one, two) = (build.int(1), build.int(2));
        let half = build.real(0.5);
        rounds(len, |build, i| {
            let place = build.load(places, i);
            let place = build.prim(Prim::AddInt, &[place, two]);
            let value = build.load(table, place);
            let value = build.prim(Prim::Fmax, &[value, half]);
            let value = build.prim(Prim::Fmin, &[value, half]);
            let cell = build.load(far, i);
            let cell = build.prim(Prim::AddInt, &[cell, one]);
            build.push(Stmt::Accumulate(out, cell, value));
            build.push(Stmt::Add(total, value));
        })(&mut build);
        check(&finish(build, total), &[]);
    }
}

/// More columns than address registers, more sums and intermediate values than vector registers.
#[test]
fn crowded_bodies_go_to_memory() {
    for len in [40, 61, 300] {
        for width in [3, 12, 20, 40] {
            let mut build = Builder::new("crowded");
            let total = build.cell("total", Kind::Real);
            let columns: Vec<f64> = (0..width * len).map(|at| 1.5 + (at as f64).cos()).collect();
            let columns = reals(&mut build, "columns", &columns);
            // The code does not know these, so each column has an address of its own.
            let starts: Vec<i64> = (0..width as i64).map(|at| at * len as i64).collect();
            let starts = build.buffer("starts", Kind::Int, width, Role::ConstantInt(starts.into()));
            let sums: Vec<CellId> = (0..width).map(|_| build.cell("sum", Kind::Real)).collect();
            let out = build.buffer("out", Kind::Real, len, Role::Output(0));
            let weight = build.buffer("weight", Kind::Real, width, Role::Input(0));
            rounds(len, |build, i| {
                let mut values = Vec::new();
                for at in 0..width {
                    let place = build.int(at as i64);
                    let start = build.load(starts, place);
                    let row = build.prim(Prim::AddInt, &[i, start]);
                    let (x, w) = (build.load(columns, row), build.load(weight, place));
                    let shifted = build.prim(Prim::Sub, &[x, w]);
                    values.push(build.prim(Prim::Fma, &[shifted, w, x]));
                }
                let mut last = values[0];
                for (at, value) in values.iter().enumerate() {
                    last = build.prim(Prim::Fma, &[last, *value, values[width - 1 - at]]);
                    last = build.prim(Prim::Div, &[last, *value]);
                    let product = build.prim(Prim::Mul, &[last, *value]);
                    build.push(Stmt::Add(sums[at], product));
                }
                build.push(Stmt::Store(out, i, last));
            })(&mut build);
            for sum in sums {
                let sum = build.get(sum);
                build.push(Stmt::Add(total, sum));
            }
            let weights: Vec<f64> = (0..width).map(|at| 0.1 + at as f64 / 7.0).collect();
            check(&finish(build, total), &[&weights]);
        }
    }
}

#[test]
fn the_first_round_that_fails_stops_the_run() {
    for len in LENGTHS {
        for bad in [None, Some(0), Some(len - 1), Some(len / 2)] {
            let mut build = Builder::new("checks");
            let total = build.cell("total", Kind::Real);
            let x = build.buffer("x", Kind::Real, len, Role::Input(0));
            let rejected = build.message(message(MessageKind::Reject, "not positive: "));
            let nothing = build.real(0.0);
            rounds(len, |build, i| {
                let value = build.load(x, i);
                let ok = build.prim(Prim::Gt, &[value, nothing]);
                build.push(Stmt::Check {
                    ok,
                    message: rejected,
                    values: vec![value],
                });
                let root = build.prim(Prim::Sqrt, &[value]);
                build.push(Stmt::Add(total, root));
            })(&mut build);
            let mut input: Vec<f64> = (0..len).map(|at| 1.0 + at as f64).collect();
            if let Some(bad) = bad {
                input[bad] = -0.5 - bad as f64;
            }
            check(&finish(build, total), &[&input]);
        }
    }
}

/// What a check of an index guards must not be read or written before it is looked at.
#[test]
fn checked_indices_are_checked_first() {
    for uniform in [false, true] {
        let len = 64;
        let mut build = Builder::new("wild");
        let total = build.cell("total", Kind::Real);
        let table = build.buffer("table", Kind::Real, 5, Role::Input(0));
        let sums = build.buffer("sums", Kind::Real, 5, Role::Output(0));
        let mut places: Vec<i64> = (0..len as i64).map(|at| at % 5).collect();
        places[if uniform { 0 } else { 20 }] = 1 << 40;
        let places = build.buffer("places", Kind::Int, len, Role::ConstantInt(places.into()));
        let outside = build.message(message(MessageKind::Reject, "outside: "));
        let (zero, five) = (build.int(0), build.int(5));
        rounds(len, |build, i| {
            let place = build.load(places, if uniform { zero } else { i });
            let ok = build.prim(Prim::LtInt, &[place, five]);
            build.push(Stmt::Check {
                ok,
                message: outside,
                values: vec![place],
            });
            let x = build.load(table, place);
            let root = build.prim(Prim::Sqrt, &[x]);
            build.push(Stmt::Accumulate(sums, place, root));
            let square = build.prim(Prim::Square, &[root]);
            build.push(Stmt::Add(total, square));
        })(&mut build);
        let procedure = finish(build, total);
        let found = compile_and_run(&procedure, &CompileOptions::default(), &[&[1.0; 5]]);
        let stop = found.result.unwrap_err();
        assert_eq!(stop.text, "outside: 1099511627776");
    }
}

/// What a round has just stored is what it loads, even where it is the same in all rounds.
#[test]
fn stored_numbers_are_those_loaded() {
    for kernel in [false, true] {
        let len = 64;
        let mut build = Builder::new("forwarded");
        let total = build.cell("total", Kind::Real);
        let input = build.buffer("input", Kind::Real, 1, Role::Input(0));
        let work = build.buffer("work", Kind::Real, len, Role::Work);
        let out = build.buffer("out", Kind::Real, len, Role::Output(0));
        let data = reals(&mut build, "data", &[0.25; 64]);
        let zero = build.int(0);
        let shared = build.load(input, zero);
        rounds(len, |build, i| {
            build.push(Stmt::Store(work, i, shared));
            let same = build.load(work, i);
            let square = build.prim(Prim::Square, &[same]);
            let mut x = build.load(data, i);
            if kernel {
                x = build.prim(Prim::Erf, &[x]);
            }
            let product = build.prim(Prim::Fma, &[x, same, square]);
            build.push(Stmt::Store(out, i, product));
        })(&mut build);
        check(&finish(build, total), &[&[1.5]]);
    }
}

#[test]
fn rounds_that_fail_add_to_no_table_twice() {
    for reverse in [false, true] {
        let len = 600;
        let mut build = Builder::new("failing");
        let total = build.cell("total", Kind::Real);
        let x = build.buffer("x", Kind::Real, len, Role::Input(0));
        let out = build.buffer("out", Kind::Real, len, Role::Output(0));
        let rejected = build.message(message(MessageKind::Reject, "too large: "));
        let (zero, end, most) = (build.int(0), build.int(len as i64), build.real(2.0));
        looped(&mut build, zero, end, reverse, |build, i| {
            let value = build.load(x, i);
            let phi = build.prim(Prim::Erf, &[value]);
            // Holds for infinity as well, of which the sum of all is not finite: rounds run again, and do not fail.
            let ok = build.prim(Prim::Lt, &[phi, most]);
            build.push(Stmt::Check {
                ok,
                message: rejected,
                values: vec![value],
            });
            build.push(Stmt::Accumulate(out, i, value));
            build.push(Stmt::Add(total, phi));
        });
        let mut input: Vec<f64> = (0..len).map(|at| (at as f64).sin()).collect();
        input[300] = f64::INFINITY;
        let procedure = finish(build, total);
        verify(&procedure).expect("well formed");
        let expected = evaluate(&procedure, &[&input]);
        let found = compile_and_run(&procedure, &CompileOptions::default(), &[&input]);
        assert_eq!(expected.outputs, found.outputs);
    }
}
