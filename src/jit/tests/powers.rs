//! Kernels of two arguments on blocks: powers of what differs between rounds and of what does not.

use super::*;

/// Sums of x^y, x^k and k^y for an input k, and x^y stored.
fn powers(len: usize) -> Procedure {
    let mut build = Builder::new("powers");
    let bases: Vec<f64> = (0..len).map(|at| 0.2 + at as f64 * 0.01).collect();
    let exponents: Vec<f64> = (0..len).map(|at| (at % 7) as f64 - 2.0).collect();
    let (bases, exponents) = (
        reals(&mut build, "bases", &bases),
        reals(&mut build, "exponents", &exponents),
    );
    let input = build.buffer("input", Kind::Real, 1, Role::Input(0));
    let stored = build.buffer("stored", Kind::Real, len, Role::Output(0));
    let [total, scaled] = ["total", "scaled"].map(|name| build.cell(name, Kind::Real));
    let [zero, end] = [0, len as i64].map(|k| build.int(k));
    let k = build.load(input, zero);
    looped(&mut build, zero, end, false, |build, i| {
        let (x, y) = (build.load(bases, i), build.load(exponents, i));
        let both = build.prim(Prim::Pow, &[x, y]);
        build.push(Stmt::Store(stored, i, both));
        build.push(Stmt::Add(total, both));
        for pair in [[x, k], [k, y]] {
            let power = build.prim(Prim::Pow, &pair);
            // More sums than have two registers each.
            for _ in 0..3 {
                let product = build.prim(Prim::Mul, &[power, x]);
                let cell = build.cell("sum", Kind::Real);
                build.push(Stmt::Add(cell, product));
                build.push(Stmt::Add(scaled, product));
            }
        }
    });
    let scaled = build.get(scaled);
    build.push(Stmt::Add(total, scaled));
    finish(build, total)
}

#[test]
fn powers_of_blocks_agree_with_the_evaluator() {
    for len in [16, 19, 255, 256, 530] {
        let procedure = powers(len);
        assert!(is_vectorised(&procedure));
        for k in [1.7, -0.3, 2.0] {
            check_scalar(&procedure, &[&[k]]);
            check_close(&procedure, &[&[k]]);
        }
    }
}
