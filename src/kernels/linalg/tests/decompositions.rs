//! The same checks for eigenvectors, QR, singular values and the exponential.

use super::*;

#[test]
fn eigenvectors_diagonalise() {
    let mut rng = ChainRng::new(1, 1, 8);
    for n in [0, 1, 2, 5, 40] {
        let a = symmetrise(&random(&mut rng, n * n), n);
        let (mut values, mut vectors) = (vec![0.0; n], vec![0.0; n * n]);
        eigen_sym(n, &a, &mut values, &mut vectors).unwrap();
        assert!(values.is_sorted());
        assert_close(
            &product(&transpose(&vectors, n, n), &vectors, n, n, n),
            &identity(n),
            1e-13,
        );
        let scaled: Vec<f64> = vectors
            .iter()
            .enumerate()
            .map(|(at, v)| v * values[at / n])
            .collect();
        assert_close(&product(&a, &vectors, n, n, n), &scaled, 1e-12);
    }
    let n = 4;
    let a = symmetrise(&random(&mut rng, n * n), n);
    let forward = |x: &[f64]| {
        let mut y = vec![0.0; n + n * n];
        let (values, vectors) = y.split_at_mut(n);
        eigen_sym(n, x, values, vectors).unwrap();
        y
    };
    check_adjoint(
        &mut rng,
        Domain::Symmetric(n),
        &a,
        forward,
        |_, y, y_bar, a_bar| {
            eigen_sym_adjoint(n, &y[..n], &y[n..], &y_bar[..n], &y_bar[n..], a_bar);
        },
    );
}

#[test]
fn thin_qr() {
    let mut rng = ChainRng::new(1, 1, 9);
    for (m, n) in [(0, 3), (1, 1), (5, 5), (7, 3), (3, 7), (60, 20)] {
        let k = m.min(n);
        let a = random(&mut rng, m * n);
        let (mut q, mut r) = (vec![0.0; m * k], vec![0.0; k * n]);
        qr_thin(m, n, &a, &mut q, &mut r);
        assert_close(&product(&q, &r, m, k, n), &a, 1e-13);
        assert_close(
            &product(&transpose(&q, m, k), &q, k, m, k),
            &identity(k),
            1e-13,
        );
        for j in 0..n {
            for i in 0..k {
                assert!(if i == j {
                    r[i + j * k] >= 0.0
                } else {
                    i < j || r[i + j * k] == 0.0
                });
            }
        }
        if m == 0 || m > 10 {
            continue;
        }
        let forward = |x: &[f64]| {
            let mut y = vec![0.0; m * k + k * n];
            let (q, r) = y.split_at_mut(m * k);
            qr_thin(m, n, x, q, r);
            y
        };
        check_adjoint(&mut rng, Domain::Any, &a, forward, |x, y, y_bar, a_bar| {
            let ((q, r), (q_bar, r_bar)) = (y.split_at(m * k), y_bar.split_at(m * k));
            qr_thin_adjoint(m, n, x, q, r, q_bar, r_bar, a_bar).unwrap();
        });
    }
}

#[test]
fn thin_svd() {
    let mut rng = ChainRng::new(1, 1, 10);
    for (m, n) in [(0, 3), (1, 1), (5, 5), (7, 3), (3, 7), (30, 20)] {
        let k = m.min(n);
        let a = random(&mut rng, m * n);
        let (mut u, mut s, mut v) = (vec![0.0; m * k], vec![0.0; k], vec![0.0; n * k]);
        svd(m, n, &a, &mut u, &mut s, &mut v).unwrap();
        let mut alone = vec![0.0; k];
        singular_values(m, n, &a, &mut alone).unwrap();
        assert_close(&alone, &s, 1e-13);
        assert!(s.is_sorted_by(|x, y| x >= y));
        let scaled: Vec<f64> = u
            .iter()
            .enumerate()
            .map(|(at, x)| x * s[at / m.max(1)])
            .collect();
        assert_close(&product(&scaled, &transpose(&v, n, k), m, k, n), &a, 1e-13);
        if m == 0 || m > 10 {
            continue;
        }
        let forward = |x: &[f64]| {
            let (mut u, mut s, mut v) = (vec![0.0; m * k], vec![0.0; k], vec![0.0; n * k]);
            svd(m, n, x, &mut u, &mut s, &mut v).unwrap();
            [u, s, v].concat()
        };
        check_adjoint(&mut rng, Domain::Any, &a, forward, |_, y, y_bar, a_bar| {
            let parts = |x: &[f64]| {
                (
                    x[..m * k].to_vec(),
                    x[m * k..m * k + k].to_vec(),
                    x[m * k + k..].to_vec(),
                )
            };
            let ((u, s, v), (u_bar, s_bar, v_bar)) = (parts(y), parts(y_bar));
            svd_adjoint(m, n, &u, &s, &v, &u_bar, &s_bar, &v_bar, a_bar);
        });
        let forward = |x: &[f64]| {
            let mut s = vec![0.0; k];
            singular_values(m, n, x, &mut s).unwrap();
            s
        };
        check_adjoint(&mut rng, Domain::Any, &a, forward, |x, _, s_bar, a_bar| {
            singular_values_adjoint(m, n, x, s_bar, a_bar).unwrap();
        });
    }
}

#[test]
fn exponential_of_known_matrices_and_its_adjoint() {
    // A rotation generator, and a nilpotent matrix.
    let angle = 30.0_f64;
    let mut result = [0.0; 4];
    matrix_exp(2, &[0.0, angle, -angle, 0.0], &mut result).unwrap();
    assert_close(
        &result,
        &[angle.cos(), angle.sin(), -angle.sin(), angle.cos()],
        1e-13,
    );
    matrix_exp(2, &[0.0, 0.0, 5.0, 0.0], &mut result).unwrap();
    assert_close(&result, &[1.0, 0.0, 5.0, 1.0], 1e-15);
    let mut rng = ChainRng::new(1, 1, 11);
    for n in [1, 4, 9] {
        let a = random(&mut rng, n * n);
        let (mut exponential, mut inverted) = (vec![0.0; n * n], vec![0.0; n * n]);
        matrix_exp(n, &a, &mut exponential).unwrap();
        let negative: Vec<f64> = a.iter().map(|x| -x).collect();
        matrix_exp(n, &negative, &mut inverted).unwrap();
        assert_close(
            &product(&exponential, &inverted, n, n, n),
            &identity(n),
            1e-10,
        );
        let forward = |x: &[f64]| {
            let mut y = vec![0.0; n * n];
            matrix_exp(n, x, &mut y).unwrap();
            y
        };
        check_adjoint(&mut rng, Domain::Any, &a, forward, |x, _, y_bar, a_bar| {
            matrix_exp_adjoint(n, x, y_bar, a_bar).unwrap();
        });
    }
}
