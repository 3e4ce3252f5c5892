//! Sums of logarithms, which code on blocks takes as the logarithm of a product.

use super::super::blocks::Segments;
use super::*;

/// Σ log(input), Σ log1p(exp(-|input|)) and, in an element, Σ log(input²), with a logarithm that is used twice beside them.
fn logarithms(len: usize) -> Procedure {
    let mut build = Builder::new("logarithms");
    let input = build.buffer("input", Kind::Real, len, Role::Input(0));
    let sums = build.buffer("sums", Kind::Real, 4, Role::Output(0));
    let total = build.cell("total", Kind::Real);
    let [zero, one, end] = [0, 1, len as i64].map(|k| build.int(k));
    let [two, three] = [2, 3].map(|k| build.int(k));
    looped(&mut build, zero, end, false, |build, i| {
        let x = build.load(input, i);
        let log = build.prim(Prim::Log, &[x]);
        build.push(Stmt::Add(total, log));
        let size = build.prim(Prim::Abs, &[x]);
        let below = build.prim(Prim::Neg, &[size]);
        let exp = build.prim(Prim::Exp, &[below]);
        let log = build.prim(Prim::Log1p, &[exp]);
        build.push(Stmt::Accumulate(sums, zero, log));
        build.push(Stmt::Accumulate(sums, one, exp));
        let square = build.prim(Prim::Square, &[x]);
        let log = build.prim(Prim::Log, &[square]);
        build.push(Stmt::Accumulate(sums, two, log));
        build.push(Stmt::Accumulate(sums, two, x));
        let shifted = build.prim(Prim::Add, &[square, size]);
        let twice = build.prim(Prim::Log1p, &[shifted]);
        build.push(Stmt::Accumulate(sums, three, twice));
        build.push(Stmt::Accumulate(sums, three, twice));
    });
    finish(build, total)
}

/// How many sums of logarithms the first loop leaves to kernels.
fn log_sums(procedure: &Procedure) -> usize {
    let mut loops = procedure.body.iter();
    let Some(stmt @ Stmt::For { body, .. }) = loops.find(|stmt| matches!(stmt, Stmt::For { .. }))
    else {
        return 0;
    };
    let definitions = Definitions::of(procedure);
    let plan = Plan::new(procedure, &definitions, stmt, Host::detect(), |_| None);
    let plan = plan.expect("qualifies");
    Segments::new(procedure, &plan, body).map_or(0, |segments| segments.log_sums.len())
}

#[test]
fn sums_of_logarithms_agree_with_the_plain_sums() {
    for len in [16, 17, 31, 255, 256, 257, 600, 1030] {
        let procedure = logarithms(len);
        assert_eq!(log_sums(&procedure), 3);
        let input: Vec<f64> = (0..len).map(|at| (at as f64 * 0.37).exp() % 7.3).collect();
        check_scalar(&procedure, &[&input]);
        check_close(&procedure, &[&input]);
        // Products of these leave the range of numbers on the way.
        for base in [1e150, 1e-150] {
            let wide: Vec<f64> = (0..len).map(|at| base * (1.0 + at as f64)).collect();
            check_close(&procedure, &[&wide]);
        }
    }
}

#[test]
fn what_has_no_logarithm_counts_as_in_the_plain_sums() {
    let len = 300;
    let procedure = logarithms(len);
    let special = [
        vec![0.0],
        vec![-0.0],
        vec![f64::INFINITY],
        vec![f64::NAN],
        vec![-3.0],
        vec![5e-324],
        vec![0.0, f64::INFINITY],
        vec![f64::NEG_INFINITY, 2.0],
    ];
    for (count, numbers) in special.iter().enumerate() {
        let mut input: Vec<f64> = (0..len).map(|at| 1.0 + at as f64 * 0.01).collect();
        for (at, number) in numbers.iter().enumerate() {
            input[(at * 280 + count * 37) % len] = *number;
        }
        let expected = evaluate(&procedure, &[&input]);
        let found = compile_and_run(&procedure, &CompileOptions::default(), &[&input]);
        let pairs = [(expected.result.unwrap(), found.result.unwrap())];
        let others = expected.outputs[0].iter().zip(&found.outputs[0]);
        for (a, b) in pairs.into_iter().chain(others.map(|(a, b)| (*a, *b))) {
            let close = (a - b).abs() <= 1e-12 * (1.0 + a.abs());
            assert!(same_bits(a, b) || close, "{numbers:?}: {a} {b}");
        }
    }
}
