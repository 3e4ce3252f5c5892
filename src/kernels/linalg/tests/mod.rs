//! Checks each function against its defining equation and each adjoint against central differences.

mod decompositions;

use super::*;
use crate::kernels::random::{ChainRng, std_normal};

/// Sizes on both sides of every block boundary.
const SIZES: [usize; 8] = [0, 1, 2, 5, 9, 33, 70, 130];

fn random(rng: &mut ChainRng, count: usize) -> Vec<f64> {
    (0..count).map(|_| std_normal(rng)).collect()
}

fn transpose(a: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    (0..rows * cols)
        .map(|at| a[at / cols + at % cols * rows])
        .collect()
}

/// The product by definition.
fn product(a: &[f64], b: &[f64], rows: usize, inner: usize, cols: usize) -> Vec<f64> {
    (0..rows * cols)
        .map(|at| {
            (0..inner)
                .map(|k| a[at % rows + k * rows] * b[k + at / rows * inner])
                .sum()
        })
        .collect()
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|at| f64::from(at % n == at / n)).collect()
}

/// A random well-conditioned symmetric positive definite matrix.
fn positive_definite(rng: &mut ChainRng, n: usize) -> Vec<f64> {
    let root = random(rng, n * n);
    let mut a = product(&root, &transpose(&root, n, n), n, n, n);
    for j in 0..n {
        a[j + j * n] += n as f64;
    }
    a
}

/// A random lower triangular matrix with junk above its diagonal.
fn lower_with_junk(rng: &mut ChainRng, n: usize) -> Vec<f64> {
    let mut l = random(rng, n * n);
    for j in 0..n {
        l[j + j * n] = 2.0 * (n as f64).sqrt() + l[j + j * n].abs();
    }
    l
}

fn lower_part(a: &[f64], n: usize) -> Vec<f64> {
    a.iter()
        .enumerate()
        .map(|(at, &x)| if at % n < at / n { 0.0 } else { x })
        .collect()
}

fn symmetrise(a: &[f64], n: usize) -> Vec<f64> {
    a.iter()
        .zip(transpose(a, n, n))
        .map(|(x, y)| 0.5 * (x + y))
        .collect()
}

#[track_caller]
fn assert_close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    let scale = want
        .iter()
        .fold(1.0, |largest: f64, x| largest.max(x.abs()));
    for (k, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(
            (g - w).abs() <= tolerance * scale,
            "element {k}: {g} instead of {w} (of {})",
            want.len()
        );
    }
}

/// What a direction of the input may be.
#[derive(Clone, Copy)]
enum Domain {
    Any,
    Symmetric(usize),
}

/// Asserts that the adjoint's inner product with random directions is the output adjoint's with central differences of
/// fourth order.
#[track_caller]
fn check_adjoint(
    rng: &mut ChainRng,
    domain: Domain,
    x: &[f64],
    forward: impl Fn(&[f64]) -> Vec<f64>,
    adjoint: impl Fn(&[f64], &[f64], &[f64], &mut [f64]),
) {
    let y = forward(x);
    for _ in 0..6 {
        let y_bar = random(rng, y.len());
        let mut direction = random(rng, x.len());
        if let Domain::Symmetric(n) = domain {
            direction = symmetrise(&direction, n);
        }
        // Starts at 1, so that overwriting is told from accumulating.
        let mut x_bar = vec![1.0; x.len()];
        adjoint(x, &y, &y_bar, &mut x_bar);
        let got: f64 = x_bar
            .iter()
            .zip(&direction)
            .map(|(a, d)| (a - 1.0) * d)
            .sum();
        let along = |step: f64| -> f64 {
            let moved: Vec<f64> = x
                .iter()
                .zip(&direction)
                .map(|(a, d)| a + step * d)
                .collect();
            forward(&moved).iter().zip(&y_bar).map(|(a, b)| a * b).sum()
        };
        let h = 1e-3;
        let want = (8.0 * (along(h) - along(-h)) - (along(2.0 * h) - along(-2.0 * h))) / (12.0 * h);
        assert!(
            (got - want).abs() <= 1e-7 * (1.0 + want.abs()),
            "adjoint {got}, differences {want}"
        );
    }
}

#[test]
fn products_match_their_definition() {
    let mut rng = ChainRng::new(1, 1, 0);
    for m in [0, 1, 3, 8, 20] {
        for n in [0, 1, 2, 9] {
            for k in [0, 1, 7, 16] {
                let (a, b) = (random(&mut rng, m * k), random(&mut rng, k * n));
                let want = product(&a, &b, m, k, n);
                for (flip_a, flip_b) in [(false, false), (false, true), (true, false), (true, true)]
                {
                    let stored_a = if flip_a {
                        transpose(&a, m, k)
                    } else {
                        a.clone()
                    };
                    let stored_b = if flip_b {
                        transpose(&b, k, n)
                    } else {
                        b.clone()
                    };
                    let left = if flip_a {
                        Matrix::new(&stored_a, k, m)
                    } else {
                        Matrix::new(&stored_a, m, k)
                    };
                    let right = if flip_b {
                        Matrix::new(&stored_b, n, k)
                    } else {
                        Matrix::new(&stored_b, k, n)
                    };
                    let mut c = vec![f64::NAN; m * n];
                    multiply(
                        left.transposed_if(flip_a),
                        right.transposed_if(flip_b),
                        &mut c,
                    );
                    assert_close(&c, &want, 1e-13);
                }
            }
        }
    }
    assert_eq!(dot(&[1.0; 19], &[2.0; 19]), 38.0);
}

#[test]
fn product_adjoints() {
    let mut rng = ChainRng::new(1, 1, 1);
    for (m, k, n) in [(4, 3, 5), (9, 10, 8), (6, 4, 1), (1, 7, 3)] {
        for (flip_a, flip_b) in [(false, false), (false, true), (true, false), (true, true)] {
            let inputs = random(&mut rng, m * k + k * n);
            let split =
                |x: &[f64]| -> (Vec<f64>, Vec<f64>) { (x[..m * k].to_vec(), x[m * k..].to_vec()) };
            let dims = |flip: bool, rows: usize, cols: usize| {
                if flip { (cols, rows) } else { (rows, cols) }
            };
            let (dims_a, dims_b) = (dims(flip_a, m, k), dims(flip_b, k, n));
            let forward = |x: &[f64]| {
                let (a, b) = split(x);
                let mut c = vec![0.0; m * n];
                let a = Matrix::new(&a, dims_a.0, dims_a.1).transposed_if(flip_a);
                multiply(
                    a,
                    Matrix::new(&b, dims_b.0, dims_b.1).transposed_if(flip_b),
                    &mut c,
                );
                c
            };
            check_adjoint(
                &mut rng,
                Domain::Any,
                &inputs,
                forward,
                |x, _, c_bar, x_bar| {
                    let (a, b) = split(x);
                    let (a_bar, b_bar) = x_bar.split_at_mut(m * k);
                    let a = (Matrix::new(&a, dims_a.0, dims_a.1), flip_a);
                    let b = (Matrix::new(&b, dims_b.0, dims_b.1), flip_b);
                    product_adjoint(a, b, c_bar, Some(a_bar), None);
                    product_adjoint(a, b, c_bar, None, Some(b_bar));
                },
            );
        }
    }
}

#[test]
fn triangular_solves_invert_products() {
    let mut rng = ChainRng::new(1, 1, 2);
    for n in SIZES {
        for m in [0, 1, 3, 10] {
            let stored = lower_with_junk(&mut rng, n);
            let l = lower_part(&stored, n);
            let x = random(&mut rng, n * m);
            let mut solved = vec![0.0; n * m];
            for transpose_l in [false, true] {
                let matrix = if transpose_l {
                    transpose(&l, n, n)
                } else {
                    l.clone()
                };
                solve_lower(
                    transpose_l,
                    n,
                    m,
                    &stored,
                    &product(&matrix, &x, n, n, m),
                    &mut solved,
                );
                assert_close(&solved, &x, 1e-12);
                let rows = transpose(&x, n, m);
                solve_lower_right(
                    transpose_l,
                    m,
                    n,
                    &product(&rows, &matrix, m, n, n),
                    &stored,
                    &mut solved,
                );
                assert_close(&solved, &rows, 1e-12);
            }
        }
    }
}

#[test]
fn triangular_solve_adjoints() {
    let mut rng = ChainRng::new(1, 1, 3);
    let (n, m) = (6, 4);
    let mut inputs = lower_with_junk(&mut rng, n);
    inputs.extend(random(&mut rng, n * m));
    for flip in [false, true] {
        let forward = |x: &[f64]| {
            let mut y = vec![0.0; n * m];
            solve_lower(flip, n, m, &x[..n * n], &x[n * n..], &mut y);
            y
        };
        check_adjoint(
            &mut rng,
            Domain::Any,
            &inputs,
            forward,
            |x, y, y_bar, x_bar| {
                let (l_bar, b_bar) = x_bar.split_at_mut(n * n);
                solve_lower_adjoint(flip, n, m, &x[..n * n], y, y_bar, Some(l_bar), Some(b_bar));
            },
        );
        let forward = |x: &[f64]| {
            let mut y = vec![0.0; n * m];
            solve_lower_right(flip, m, n, &x[n * n..], &x[..n * n], &mut y);
            y
        };
        check_adjoint(
            &mut rng,
            Domain::Any,
            &inputs,
            forward,
            |x, y, y_bar, x_bar| {
                let (l_bar, b_bar) = x_bar.split_at_mut(n * n);
                solve_lower_right_adjoint(
                    flip,
                    m,
                    n,
                    &x[..n * n],
                    y,
                    y_bar,
                    Some(b_bar),
                    Some(l_bar),
                );
            },
        );
    }
}

#[test]
fn cholesky_and_its_relatives_satisfy_their_equations() {
    let mut rng = ChainRng::new(1, 1, 4);
    for n in SIZES {
        let a = positive_definite(&mut rng, n);
        let mut l = vec![f64::NAN; n * n];
        cholesky(n, &a, &mut l).unwrap();
        assert_eq!(l, lower_part(&l, n));
        assert_close(&product(&l, &transpose(&l, n, n), n, n, n), &a, 1e-14);
        let mut inverse = vec![0.0; n * n];
        inverse_spd(n, &a, &mut inverse).unwrap();
        assert_close(&product(&a, &inverse, n, n, n), &identity(n), 1e-12);
        let b = random(&mut rng, n * 3);
        let mut x = vec![0.0; n * 3];
        solve_spd(n, 3, &a, &b, &mut x).unwrap();
        assert_close(&product(&a, &x, n, n, 3), &b, 1e-12);
        let log_determinant = log_determinant_spd(n, &a).unwrap();
        assert!(
            (log_determinant - log_abs_determinant(n, &a)).abs()
                < 1e-11 * log_determinant.abs().max(1.0)
        );
    }
}

#[test]
fn failures_say_where() {
    let mut l = [0.0; 9];
    let indefinite = [4.0, 2.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    assert_eq!(
        cholesky(3, &indefinite, &mut l),
        Err(Failure::NotPositiveDefinite {
            pivot: 1,
            value: 0.0
        })
    );
    let lopsided = [4.0, 2.0, 1.0, 3.0];
    let failure = cholesky(2, &lopsided, &mut l).unwrap_err();
    assert_eq!(
        failure,
        Failure::NotSymmetric {
            row: 1,
            col: 0,
            below: 2.0,
            above: 1.0
        }
    );
    assert_eq!(
        failure.to_string(),
        "the matrix is not symmetric: element [2, 1] is 2, but [1, 2] is 1"
    );
    let with_nan = [1.0, 0.0, 0.0, f64::NAN];
    assert!(matches!(
        cholesky(2, &with_nan, &mut l),
        Err(Failure::NotPositiveDefinite { pivot: 1, .. })
    ));
    assert_eq!(
        solve(2, 1, &[1.0, 2.0, 2.0, 4.0], &[1.0, 1.0], &mut l),
        Err(Failure::Singular { pivot: 1 })
    );
    assert_eq!(
        eigen_sym(2, &with_nan, &mut l, &mut [0.0; 4]),
        Err(Failure::NotFinite)
    );
    assert_eq!(determinant(2, &[1.0, 2.0, 2.0, 4.0]), 0.0);
    assert_eq!(
        log_abs_determinant(2, &[1.0, 2.0, 2.0, 4.0]),
        f64::NEG_INFINITY
    );
}

#[test]
fn positive_definite_adjoints() {
    let mut rng = ChainRng::new(1, 1, 5);
    for n in [1, 2, 5, 12] {
        let a = positive_definite(&mut rng, n);
        let domain = Domain::Symmetric(n);
        let forward = |x: &[f64]| {
            let mut l = vec![0.0; n * n];
            cholesky(n, x, &mut l).unwrap();
            l
        };
        check_adjoint(&mut rng, domain, &a, forward, |_, l, l_bar, a_bar| {
            cholesky_adjoint(n, l, l_bar, a_bar)
        });
        let forward = |x: &[f64]| {
            let mut inverse = vec![0.0; n * n];
            inverse_spd(n, x, &mut inverse).unwrap();
            inverse
        };
        check_adjoint(&mut rng, domain, &a, forward, |_, y, y_bar, a_bar| {
            inverse_spd_adjoint(n, y, y_bar, a_bar)
        });
        let forward = |x: &[f64]| vec![log_determinant_spd(n, x).unwrap()];
        check_adjoint(&mut rng, domain, &a, forward, |x, _, y_bar, a_bar| {
            log_determinant_spd_adjoint(n, x, y_bar[0], a_bar).unwrap();
        });
        let b = random(&mut rng, n * 2);
        let forward = |x: &[f64]| {
            let mut y = vec![0.0; n * 2];
            solve_spd(n, 2, x, &b, &mut y).unwrap();
            y
        };
        check_adjoint(&mut rng, domain, &a, forward, |x, y, y_bar, a_bar| {
            solve_spd_adjoint(n, 2, x, y, y_bar, Some(a_bar), None).unwrap();
        });
        let forward = |x: &[f64]| {
            let mut y = vec![0.0; n * 2];
            solve_spd(n, 2, &a, x, &mut y).unwrap();
            y
        };
        check_adjoint(&mut rng, Domain::Any, &b, forward, |_, y, y_bar, b_bar| {
            solve_spd_adjoint(n, 2, &a, y, y_bar, None, Some(b_bar)).unwrap();
        });
    }
}

#[test]
fn elimination_satisfies_its_equations() {
    let mut rng = ChainRng::new(1, 1, 6);
    for n in SIZES {
        let a = random(&mut rng, n * n);
        let b = random(&mut rng, n * 3);
        let mut x = vec![0.0; n * 3];
        solve(n, 3, &a, &b, &mut x).unwrap();
        assert_close(&product(&a, &x, n, n, 3), &b, 1e-9);
        solve_right(3, n, &b, &a, &mut x).unwrap();
        assert_close(&product(&x, &a, 3, n, n), &b, 1e-9);
        let mut inverted = vec![0.0; n * n];
        inverse(n, &a, &mut inverted).unwrap();
        assert_close(&product(&a, &inverted, n, n, n), &identity(n), 1e-9);
    }
    assert!((determinant(3, &[0.0, 2.0, 1.0, 1.0, 0.0, 3.0, 4.0, 5.0, 6.0]) - 17.0).abs() < 1e-14);
}

#[test]
fn elimination_adjoints() {
    let mut rng = ChainRng::new(1, 1, 7);
    let (n, m) = (5, 3);
    let mut inputs = random(&mut rng, n * n);
    for j in 0..n {
        inputs[j + j * n] += 4.0;
    }
    let a = inputs.clone();
    inputs.extend(random(&mut rng, n * m));
    let forward = |x: &[f64]| {
        let mut y = vec![0.0; n * m];
        solve(n, m, &x[..n * n], &x[n * n..], &mut y).unwrap();
        y
    };
    check_adjoint(
        &mut rng,
        Domain::Any,
        &inputs,
        forward,
        |x, y, y_bar, x_bar| {
            let (a_bar, b_bar) = x_bar.split_at_mut(n * n);
            solve_adjoint(n, m, &x[..n * n], y, y_bar, Some(a_bar), Some(b_bar)).unwrap();
        },
    );
    let forward = |x: &[f64]| {
        let mut y = vec![0.0; n * m];
        solve_right(m, n, &x[n * n..], &x[..n * n], &mut y).unwrap();
        y
    };
    check_adjoint(
        &mut rng,
        Domain::Any,
        &inputs,
        forward,
        |x, y, y_bar, x_bar| {
            let (a_bar, b_bar) = x_bar.split_at_mut(n * n);
            solve_right_adjoint(m, n, &x[..n * n], y, y_bar, Some(b_bar), Some(a_bar)).unwrap();
        },
    );
    let forward = |x: &[f64]| {
        let mut y = vec![0.0; n * n];
        inverse(n, x, &mut y).unwrap();
        y
    };
    check_adjoint(&mut rng, Domain::Any, &a, forward, |_, y, y_bar, a_bar| {
        inverse_adjoint(n, y, y_bar, a_bar)
    });
    let forward = |x: &[f64]| vec![determinant(n, x) * 1e-3];
    check_adjoint(&mut rng, Domain::Any, &a, forward, |x, y, y_bar, a_bar| {
        determinant_adjoint(n, x, y[0], y_bar[0], a_bar).unwrap();
    });
    let forward = |x: &[f64]| vec![log_abs_determinant(n, x)];
    check_adjoint(&mut rng, Domain::Any, &a, forward, |x, _, y_bar, a_bar| {
        log_abs_determinant_adjoint(n, x, y_bar[0], a_bar).unwrap();
    });
}
