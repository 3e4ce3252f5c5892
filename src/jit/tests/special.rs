//! Special functions on blocks: scalar code, blocks and the evaluator have the same bits.

use super::*;
use crate::jit::blocks::Segments;

/// Primitives whose slice kernel and scalar kernel have one source.
const ONE_SOURCE: &[Prim] = &[
    Prim::Lgamma,
    Prim::Digamma,
    Prim::Trigamma,
    Prim::Erf,
    Prim::Erfc,
    Prim::Phi,
    Prim::LogPhi,
];

/// A function's values at points, stored.
fn stored(prim: Prim, points: &[f64]) -> Procedure {
    let mut build = Builder::new("stored");
    let points_buffer = reals(&mut build, "points", points);
    let values = build.buffer("values", Kind::Real, points.len(), Role::Output(0));
    let [zero, end] = [0, points.len() as i64].map(|k| build.int(k));
    let total = build.cell("total", Kind::Real);
    looped(&mut build, zero, end, false, |build, i| {
        let x = build.load(points_buffer, i);
        let value = build.prim(prim, &[x]);
        build.push(Stmt::Store(values, i, value));
    });
    finish(build, total)
}

#[test]
fn blocks_of_special_functions_have_the_evaluators_bits() {
    let special = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        5e-324,
        -1.0,
        -2.5,
        1.0,
        2.0,
        1e300,
        -1e300,
    ];
    for shift in [-5.0, 0.01, 40.0] {
        let regular = (0..700).map(|at| shift + f64::from(at) * 0.013);
        let scattered = special.iter().copied().chain(regular);
        let points: Vec<f64> = scattered.collect();
        for &prim in ONE_SOURCE {
            let procedure = stored(prim, &points);
            let (stmt, plan) = first_plan(&procedure).unwrap();
            let Stmt::For { body, .. } = stmt else {
                panic!("no loop")
            };
            assert!(Segments::new(&procedure, &plan, body).is_some());
            let outcome = check_scalar(&procedure, &[]);
            let found = compile_and_run(&procedure, &CompileOptions::default(), &[]);
            for (at, x) in points.iter().enumerate() {
                let (expected, found) = (outcome.outputs[0][at], found.outputs[0][at]);
                assert!(
                    same_bits(expected, found),
                    "{prim:?}({x:e}): {expected:e} {found:e}"
                );
            }
        }
    }
}
