//! Regression on eight covariates with heavy tails: y ~ student_t(nu, a + X b, sigma), the matrix read once.
//!
//! With u = 1 + z²/nu, a row adds -(nu + 1)/2 log u and the constant of the density; everything else follows from 1/(nu u).

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m512d, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC, _mm512_add_pd, _mm512_div_pd, _mm512_fmadd_pd,
    _mm512_fnmadd_pd, _mm512_getexp_pd, _mm512_getmant_pd, _mm512_loadu_pd, _mm512_mul_pd,
    _mm512_reduce_add_pd, _mm512_set1_pd, _mm512_setzero_pd, _mm512_sub_pd,
};

use hlm::kernels::special::{digamma, lgamma};

/// Covariates.
pub const COLUMNS: usize = 8;
/// Rows between two logarithms: mantissas are below 2, so 1,000 of them may be multiplied.
#[cfg(target_arch = "x86_64")]
const BLOCK: usize = 512;

pub struct Robust {
    y: Vec<f64>,
    /// One covariate after the other.
    columns: Vec<f64>,
}

/// Over all rows.
#[derive(Default)]
struct Sums {
    /// Of log u.
    logs: f64,
    /// Of z² / (nu u).
    shares: f64,
    /// Of z / (nu u).
    residuals: f64,
    /// Of z / (nu u) times each covariate.
    products: [f64; COLUMNS],
}

impl Robust {
    pub fn new(y: &[f64], columns: &[Vec<f64>]) -> Robust {
        assert!(columns.len() == COLUMNS && columns.iter().all(|column| column.len() == y.len()));
        Robust {
            y: y.to_vec(),
            columns: columns.concat(),
        }
    }

    /// Of a, b, log sigma and log(nu - 1).
    pub fn gradient(&self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let (a, log_sigma, log_excess) = (position[0], position[9], position[10]);
        let b: [f64; COLUMNS] = std::array::from_fn(|k| position[1 + k]);
        let (inverse, excess) = ((-log_sigma).exp(), log_excess.exp());
        let (nu, n) = (1.0 + excess, self.y.len() as f64);
        let sums = self.sums(a, &b, inverse, nu);
        let scale = (nu + 1.0) * inverse;
        gradient[0] = scale * sums.residuals;
        for k in 0..COLUMNS {
            gradient[1 + k] = scale * sums.products[k];
        }
        gradient[9] = (nu + 1.0) * sums.shares - n + 1.0;
        let half = 0.5 * (nu + 1.0);
        let constant = lgamma(half) - lgamma(0.5 * nu) - 0.5 * nu.ln();
        let slope = 0.5 * (digamma(half) - digamma(0.5 * nu) - 1.0 / nu);
        let by_nu = n * slope - 0.5 * sums.logs + half / nu * sums.shares;
        // nu ~ gamma(2, 0.1)
        gradient[10] = (by_nu + 1.0 / nu - 0.1) * excess + 1.0;
        n * (constant - log_sigma) - half * sums.logs + nu.ln() - 0.1 * nu + log_sigma + log_excess
    }

    fn sums(&self, a: f64, b: &[f64; COLUMNS], inverse: f64, nu: f64) -> Sums {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the instructions are there.
            return unsafe { self.sums_avx512(a, b, inverse, nu) };
        }
        let mut sums = Sums::default();
        self.add_rows(0, a, b, inverse, nu, &mut sums);
        sums
    }

    fn add_rows(
        &self,
        first: usize,
        a: f64,
        b: &[f64; COLUMNS],
        inverse: f64,
        nu: f64,
        sums: &mut Sums,
    ) {
        let n = self.y.len();
        for i in first..n {
            let mut mean = a;
            for (k, b) in b.iter().enumerate() {
                mean += b * self.columns[k * n + i];
            }
            let z = (self.y[i] - mean) * inverse;
            let w = 1.0 / (nu + z * z);
            sums.logs += (z * z / nu).ln_1p();
            sums.shares += z * z * w;
            sums.residuals += z * w;
            for (k, sum) in sums.products.iter_mut().enumerate() {
                *sum += z * w * self.columns[k * n + i];
            }
        }
    }

    /// Eight rows at a time; the covariates' registers serve the mean and then the products.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn sums_avx512(&self, a: f64, b: &[f64; COLUMNS], inverse: f64, nu: f64) -> Sums {
        let n = self.y.len();
        let whole = n / 8 * 8;
        let zero = _mm512_setzero_pd();
        let (mut shares, mut residuals, mut products) = (zero, zero, [zero; COLUMNS]);
        let (nu8, inverse8, a8) = (
            _mm512_set1_pd(nu),
            _mm512_set1_pd(inverse),
            _mm512_set1_pd(a),
        );
        let mut logs = 0.0;
        for start in (0..whole).step_by(BLOCK) {
            let (mut mantissas, mut exponents) = (_mm512_set1_pd(1.0), zero);
            for i in (start..whole.min(start + BLOCK)).step_by(8) {
                // SAFETY: `i + 8 <= whole`, which the outcomes and each column reach.
                let (y, x): (__m512d, [__m512d; COLUMNS]) = unsafe {
                    (
                        _mm512_loadu_pd(self.y.as_ptr().add(i)),
                        std::array::from_fn(|k| {
                            _mm512_loadu_pd(self.columns.as_ptr().add(k * n + i))
                        }),
                    )
                };
                let (mut r, mut s) = (_mm512_sub_pd(y, a8), zero);
                for k in 0..COLUMNS / 2 {
                    r = _mm512_fnmadd_pd(_mm512_set1_pd(b[k]), x[k], r);
                    s = _mm512_fmadd_pd(_mm512_set1_pd(b[k + 4]), x[k + 4], s);
                }
                let z = _mm512_mul_pd(_mm512_sub_pd(r, s), inverse8);
                let square = _mm512_mul_pd(z, z);
                // nu u, whose logarithms are those of u and log nu.
                let u = _mm512_add_pd(nu8, square);
                let w = _mm512_div_pd(_mm512_set1_pd(1.0), u);
                let mantissa = _mm512_getmant_pd::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(u);
                mantissas = _mm512_mul_pd(mantissas, mantissa);
                exponents = _mm512_add_pd(exponents, _mm512_getexp_pd(u));
                shares = _mm512_fmadd_pd(square, w, shares);
                let zw = _mm512_mul_pd(z, w);
                residuals = _mm512_add_pd(residuals, zw);
                for k in 0..COLUMNS {
                    products[k] = _mm512_fmadd_pd(zw, x[k], products[k]);
                }
            }
            logs += super::wide::product(mantissas).ln()
                + _mm512_reduce_add_pd(exponents) * std::f64::consts::LN_2;
        }
        let mut sums = Sums {
            logs: logs - whole as f64 * nu.ln(),
            shares: _mm512_reduce_add_pd(shares),
            residuals: _mm512_reduce_add_pd(residuals),
            products: products.map(|lanes| _mm512_reduce_add_pd(lanes)),
        };
        self.add_rows(whole, a, b, inverse, nu, &mut sums);
        sums
    }
}
