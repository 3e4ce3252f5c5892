//! Sums over rounds in lanes: checks that a sum implies, and what a sum that overflows must not make of them.

use super::*;

/// Sums of squares and products of `y - m` with a check that each m is finite, of which only `square` (or none) tells.
fn residuals(locations: &[f64], told: bool) -> (Procedure, Vec<f64>) {
    let len = locations.len();
    let mut build = Builder::new("residuals");
    let data: Vec<f64> = (0..len).map(|at| (at as f64 * 0.7).sin()).collect();
    let y = reals(&mut build, "y", &data);
    let m = build.buffer("m", Kind::Real, len, Role::Input(0));
    let squares = build.cell("squares", Kind::Real);
    let rejected = build.message(message(MessageKind::Reject, "location "));
    let [zero, end] = [0, len as i64].map(|k| build.int(k));
    let infinity = build.real(f64::INFINITY);
    looped(&mut build, zero, end, false, |build, i| {
        let (y, m) = (build.load(y, i), build.load(m, i));
        let size = build.prim(Prim::Abs, &[m]);
        let ok = build.prim(Prim::Lt, &[size, infinity]);
        build.push(Stmt::Check {
            ok,
            message: rejected,
            values: vec![m],
        });
        let difference = match told {
            true => build.prim(Prim::Sub, &[y, m]),
            // The inverse of infinity is finite: the sum tells nothing.
            false => build.prim(Prim::Inv, &[m]),
        };
        let square = build.prim(Prim::Square, &[difference]);
        build.push(Stmt::Add(squares, square));
        let product = build.prim(Prim::Mul, &[difference, y]);
        build.push(Stmt::Add(squares, product));
    });
    (finish(build, squares), locations.to_vec())
}

#[test]
fn numbers_that_are_not_finite_are_found_by_their_sum_or_without_it() {
    for told in [true, false] {
        for len in [4, 9, 21] {
            let fine: Vec<f64> = (0..len).map(|at| 1.0 + at as f64).collect();
            let (procedure, input) = residuals(&fine, told);
            assert!(is_vectorised(&procedure));
            check_scalar(&procedure, &[&input]);
            check_close(&procedure, &[&input]);
            for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                for at in 0..len {
                    let mut locations = fine.clone();
                    locations[at] = wrong;
                    let (procedure, input) = residuals(&locations, told);
                    let outcome = check_scalar(&procedure, &[&input]);
                    assert!(outcome.result.is_err());
                    check_close(&procedure, &[&input]);
                }
            }
        }
    }
}

#[test]
fn a_sum_that_overflows_is_no_failed_check() {
    let locations = [1e200, -1e200, 1e200, 1e200, 3.0, 1e308, 1e308, 1e308];
    for told in [true, false] {
        let (procedure, input) = residuals(&locations, told);
        let compiled = compile_and_run(&procedure, &CompileOptions::default(), &[&input]);
        let expected = check_scalar(&procedure, &[&input]);
        let (Ok(expected), Ok(found)) = (expected.result, compiled.result) else {
            panic!("no check fails");
        };
        assert!(same_bits(expected, found) || (expected - found).abs() < 1e-12 * expected.abs());
    }
}
