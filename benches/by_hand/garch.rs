//! GARCH(1, 1) over 200 days: y ~ normal(mu, sigma), sigma²[t] = a0 + a1 (y[t-1] - mu)² + b1 sigma²[t-1].
//!
//! Only the variances' recurrence, and its adjoint's, are sequential: one multiply-add a day each. The rest runs in lanes.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC, _mm512_add_pd, _mm512_div_pd, _mm512_fmadd_pd,
    _mm512_getexp_pd, _mm512_getmant_pd, _mm512_loadu_pd, _mm512_mul_pd, _mm512_reduce_add_pd,
    _mm512_set1_pd, _mm512_setzero_pd, _mm512_storeu_pd, _mm512_sub_pd,
};

/// Days: a multiple of eight.
pub const DAYS: usize = 200;

pub struct Garch {
    y: [f64; DAYS],
    /// Of the first day.
    variance: f64,
}

/// A number for each day, and room to read a day ahead.
type Series = [f64; DAYS + 8];

impl Garch {
    pub fn new(y: &[f64], sigma: f64) -> Garch {
        Garch {
            y: std::array::from_fn(|t| y[t]),
            variance: sigma * sigma,
        }
    }

    /// Of mu, log a0, and the logits of a1 and of b1 / (1 - a1).
    pub fn gradient(&self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let logistic = |u: f64| 1.0 / (1.0 + (-u).exp());
        let (mu, a0) = (position[0], position[1].exp());
        let (a1, share) = (logistic(position[2]), logistic(position[3]));
        let b1 = (1.0 - a1) * share;
        let sums = self.sums(mu, a0, a1, b1);
        gradient[0] = sums.by_mu;
        gradient[1] = sums.by_a0 * a0 + 1.0;
        let logs = (a1 * (1.0 - a1), share * (1.0 - share));
        gradient[2] = (sums.by_a1 - share * sums.by_b1) * logs.0 + 1.0 - 2.0 * a1 - a1;
        gradient[3] = sums.by_b1 * (1.0 - a1) * logs.1 + 1.0 - 2.0 * share;
        // Jacobians: of the exponential, of both logistics, and of the interval's width.
        let jacobian = position[1] + (logs.0 * logs.1 * (1.0 - a1)).ln();
        -0.5 * (sums.logs + sums.squares) + jacobian
    }

    fn sums(&self, mu: f64, a0: f64, a1: f64, b1: f64) -> Sums {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
            // SAFETY: the instructions are there.
            return unsafe { self.sums_avx512(mu, a0, a1, b1) };
        }
        self.sums_scalar(mu, a0, a1, b1)
    }

    fn sums_scalar(&self, mu: f64, a0: f64, a1: f64, b1: f64) -> Sums {
        let mut v = [self.variance; DAYS];
        for t in 1..DAYS {
            let r = self.y[t - 1] - mu;
            v[t] = a0 + a1 * r * r + b1 * v[t - 1];
        }
        let (mut sums, mut adjoint) = (Sums::default(), 0.0);
        for t in (0..DAYS).rev() {
            let r = self.y[t] - mu;
            sums.by_mu += r / v[t] - 2.0 * a1 * adjoint * r;
            sums.by_a1 += adjoint * r * r;
            sums.by_b1 += adjoint * v[t];
            sums.by_a0 += adjoint;
            sums.logs += v[t].ln();
            sums.squares += r * r / v[t];
            adjoint = 0.5 * (r * r / v[t] - 1.0) / v[t] + b1 * adjoint;
        }
        sums
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,fma")]
    fn sums_avx512(&self, mu: f64, a0: f64, a1: f64, b1: f64) -> Sums {
        let (mut innovations, mut v, mut d): (Series, Series, Series) =
            ([0.0; DAYS + 8], [0.0; DAYS + 8], [0.0; DAYS + 8]);
        let (mu8, zero, one) = (_mm512_set1_pd(mu), _mm512_setzero_pd(), _mm512_set1_pd(1.0));
        for t in (0..DAYS).step_by(8) {
            // SAFETY: `t + 8 <= DAYS`.
            unsafe {
                let r = _mm512_sub_pd(_mm512_loadu_pd(self.y.as_ptr().add(t)), mu8);
                let square = _mm512_mul_pd(r, r);
                let innovation = _mm512_fmadd_pd(_mm512_set1_pd(a1), square, _mm512_set1_pd(a0));
                _mm512_storeu_pd(innovations.as_mut_ptr().add(t), innovation);
            }
        }
        v[0] = self.variance;
        let mut last = v[0];
        for (v, innovation) in v[1..DAYS].iter_mut().zip(&innovations) {
            last = b1.mul_add(last, *innovation);
            *v = last;
        }
        let (mut mantissas, mut exponents) = (one, zero);
        let (mut squares, mut by_mu) = (zero, zero);
        for t in (0..DAYS).step_by(8) {
            // SAFETY: `t + 8 <= DAYS`.
            unsafe {
                let r = _mm512_sub_pd(_mm512_loadu_pd(self.y.as_ptr().add(t)), mu8);
                let v = _mm512_loadu_pd(v.as_ptr().add(t));
                let inverse = _mm512_div_pd(one, v);
                let scaled = _mm512_mul_pd(r, inverse);
                let square = _mm512_mul_pd(r, scaled);
                let slope = _mm512_mul_pd(
                    _mm512_mul_pd(_mm512_set1_pd(0.5), inverse),
                    _mm512_sub_pd(square, one),
                );
                _mm512_storeu_pd(d.as_mut_ptr().add(t), slope);
                let mantissa = _mm512_getmant_pd::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(v);
                mantissas = _mm512_mul_pd(mantissas, mantissa);
                exponents = _mm512_add_pd(exponents, _mm512_getexp_pd(v));
                squares = _mm512_add_pd(squares, square);
                by_mu = _mm512_add_pd(by_mu, scaled);
            }
        }
        // From here on d[t] is the adjoint of the variance of day t.
        let mut adjoint = 0.0;
        for d in d[1..DAYS].iter_mut().rev() {
            adjoint = b1.mul_add(adjoint, *d);
            *d = adjoint;
        }
        let (mut by_a0, mut by_a1, mut by_b1, mut lagged) = (zero, zero, zero, zero);
        for t in (0..DAYS).step_by(8) {
            // SAFETY: `t + 9 <= DAYS + 8`; after the last day the adjoint is 0.
            unsafe {
                let adjoint = _mm512_loadu_pd(d.as_ptr().add(t + 1));
                let r = _mm512_sub_pd(_mm512_loadu_pd(self.y.as_ptr().add(t)), mu8);
                let product = _mm512_mul_pd(adjoint, r);
                by_a0 = _mm512_add_pd(by_a0, adjoint);
                lagged = _mm512_add_pd(lagged, product);
                by_a1 = _mm512_fmadd_pd(product, r, by_a1);
                by_b1 = _mm512_fmadd_pd(adjoint, _mm512_loadu_pd(v.as_ptr().add(t)), by_b1);
            }
        }
        Sums {
            by_mu: _mm512_reduce_add_pd(by_mu) - 2.0 * a1 * _mm512_reduce_add_pd(lagged),
            by_a0: _mm512_reduce_add_pd(by_a0),
            by_a1: _mm512_reduce_add_pd(by_a1),
            by_b1: _mm512_reduce_add_pd(by_b1),
            logs: super::wide::product(mantissas).ln()
                + _mm512_reduce_add_pd(exponents) * std::f64::consts::LN_2,
            squares: _mm512_reduce_add_pd(squares),
        }
    }
}

/// Of the log density's rows: derivatives, and what the value is made of.
#[derive(Default)]
struct Sums {
    by_mu: f64,
    by_a0: f64,
    by_a1: f64,
    by_b1: f64,
    logs: f64,
    squares: f64,
}
