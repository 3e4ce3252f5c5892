//! Bernoulli outcomes in groups: y ~ bernoulli_logit(alpha[g] + b x), alpha ~ normal(mu, tau).
//!
//! With s = ±eta (the sign is that of the outcome) and e = exp(-|s|), a row's log density is min(s, 0) - log(1 + e), and its
//! derivative by s is (e or 1) / (1 + e). The factors 1 + e lie in (1, 2], so 1,000 of them may be multiplied before a
//! logarithm is taken.

#[cfg(target_arch = "x86_64")]
use super::wide::{exp, product};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m512d, _CMP_GE_OQ, _mm512_abs_pd, _mm512_add_pd, _mm512_cmp_pd_mask, _mm512_div_pd,
    _mm512_fmadd_pd, _mm512_loadu_pd, _mm512_mask_blend_pd, _mm512_maskz_loadu_pd, _mm512_min_pd,
    _mm512_mul_pd, _mm512_reduce_add_pd, _mm512_set1_pd, _mm512_setzero_pd, _mm512_storeu_pd,
    _mm512_sub_pd,
};

/// Rows between two logarithms, and of a block whose numbers stay in the first-level cache.
const BLOCK: usize = 256;

pub struct Logistic {
    /// Zero-based.
    group: Vec<u32>,
    /// 1 for a success, -1 for a failure.
    sign: Vec<f64>,
    x: Vec<f64>,
    groups: usize,
    /// Where each group's rows begin, and the end, if the rows come sorted by group.
    starts: Option<Vec<usize>>,
}

/// Sums over rows: of log densities, and of their derivatives by the coefficient.
type Sums = (f64, f64);

impl Logistic {
    pub fn new(group: &[usize], y: &[u8], x: &[f64], groups: usize) -> Logistic {
        let sorted = group.is_sorted();
        let starts = sorted.then(|| {
            (1..=groups + 1)
                .map(|g| group.partition_point(|&of_row| of_row < g))
                .collect()
        });
        Logistic {
            group: group.iter().map(|&g| g as u32 - 1).collect(),
            sign: y.iter().map(|&y| 2.0 * f64::from(y) - 1.0).collect(),
            x: x.to_vec(),
            groups,
            starts,
        }
    }

    /// Of mu, log tau, alpha and b.
    pub fn gradient(&self, position: &[f64], gradient: &mut [f64]) -> f64 {
        assert!(position.len() == self.groups + 3 && gradient.len() == position.len());
        let (mu, log_tau) = (position[0], position[1]);
        let (alpha, b) = (&position[2..2 + self.groups], position[2 + self.groups]);
        let tau = log_tau.exp();
        let inverse = 1.0 / tau;
        let (mut squares, mut pull) = (0.0, 0.0);
        for (bar, alpha) in gradient[2..].iter_mut().zip(alpha) {
            let z = (alpha - mu) * inverse;
            squares += z * z;
            pull += z;
            *bar = -z * inverse;
        }
        let (value, slope) = self.rows(alpha, b, &mut gradient[2..2 + self.groups]);
        gradient[0] = pull * inverse - mu / 25.0;
        gradient[1] = squares - self.groups as f64 + 1.0 - tau * tau;
        gradient[2 + self.groups] = slope - b / 25.0;
        value
            - 0.5 * (squares + tau * tau + (mu * mu + b * b) / 25.0)
            - (self.groups as f64 - 1.0) * log_tau
    }

    /// Adds the derivatives by each group's effect to `bar`.
    fn rows(&self, alpha: &[f64], b: f64, bar: &mut [f64]) -> Sums {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the instructions are there.
            return unsafe {
                match &self.starts {
                    Some(starts) => self.sorted_avx512(starts, alpha, b, bar),
                    None => self.rows_avx512(alpha, b, bar),
                }
            };
        }
        self.rows_scalar(0..self.x.len(), alpha, b, bar)
    }

    fn rows_scalar(
        &self,
        rows: std::ops::Range<usize>,
        alpha: &[f64],
        b: f64,
        bar: &mut [f64],
    ) -> Sums {
        let (mut value, mut slope) = (0.0, 0.0);
        for start in rows.clone().step_by(BLOCK) {
            let mut factors = 1.0;
            for i in start..rows.end.min(start + BLOCK) {
                let g = self.group[i] as usize;
                let s = self.sign[i] * (alpha[g] + b * self.x[i]);
                let e = (-s.abs()).exp();
                factors *= 1.0 + e;
                value += s.min(0.0);
                let d = self.sign[i] * if s >= 0.0 { e } else { 1.0 } / (1.0 + e);
                bar[g] += d;
                slope += d * self.x[i];
            }
            value -= factors.ln();
        }
        (value, slope)
    }

    /// Gathers, computes and scatters a block at a time, each in a loop of its own: faster than all in one.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn rows_avx512(&self, alpha: &[f64], b: f64, bar: &mut [f64]) -> Sums {
        let (mut effects, mut d) = ([0.0; BLOCK], [0.0; BLOCK]);
        let whole = self.x.len() / BLOCK * BLOCK;
        let (mut value, mut slope) = (0.0, _mm512_setzero_pd());
        for start in (0..whole).step_by(BLOCK) {
            let group = &self.group[start..start + BLOCK];
            let (x, sign) = (&self.x[start..], &self.sign[start..]);
            for (effect, &g) in effects.iter_mut().zip(group) {
                *effect = alpha[g as usize];
            }
            let mut sums = Accumulators::new();
            for i in (0..BLOCK).step_by(8) {
                // SAFETY: `i + 8 <= BLOCK`, which all of them reach.
                unsafe {
                    let x8 = _mm512_loadu_pd(x.as_ptr().add(i));
                    let effect = _mm512_loadu_pd(effects.as_ptr().add(i));
                    let eta = _mm512_fmadd_pd(_mm512_set1_pd(b), x8, effect);
                    let d8 = sums.add(eta, _mm512_loadu_pd(sign.as_ptr().add(i)));
                    slope = _mm512_fmadd_pd(d8, x8, slope);
                    _mm512_storeu_pd(d.as_mut_ptr().add(i), d8);
                }
            }
            value += sums.value();
            for (d, &g) in d.iter().zip(group) {
                bar[g as usize] += d;
            }
        }
        let rest = self.rows_scalar(whole..self.x.len(), alpha, b, bar);
        (value + rest.0, _mm512_reduce_add_pd(slope) + rest.1)
    }

    /// A run of rows shares its effect, so nothing is gathered or scattered.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn sorted_avx512(&self, starts: &[usize], alpha: &[f64], b: f64, bar: &mut [f64]) -> Sums {
        let (mut value, mut slope) = (0.0, _mm512_setzero_pd());
        let b8 = _mm512_set1_pd(b);
        for g in 0..self.groups {
            let effect = _mm512_set1_pd(alpha[g]);
            let mut of_group = _mm512_setzero_pd();
            for start in (starts[g]..starts[g + 1]).step_by(BLOCK) {
                let end = starts[g + 1].min(start + BLOCK);
                let mut sums = Accumulators::new();
                let whole = start + (end - start) / 8 * 8;
                for i in (start..whole).step_by(8) {
                    // SAFETY: `i + 8 <= end`, which both reach.
                    let (x8, sign) = unsafe {
                        let pointers = (self.x.as_ptr().add(i), self.sign.as_ptr().add(i));
                        (_mm512_loadu_pd(pointers.0), _mm512_loadu_pd(pointers.1))
                    };
                    let d8 = sums.add(_mm512_fmadd_pd(b8, x8, effect), sign);
                    of_group = _mm512_add_pd(d8, of_group);
                    slope = _mm512_fmadd_pd(d8, x8, slope);
                }
                if whole < end {
                    let mask = (1_u8 << (end - whole)) - 1;
                    // SAFETY: the mask ends where the rows do.
                    let (x8, sign) = unsafe {
                        let pointers = (self.x.as_ptr().add(whole), self.sign.as_ptr().add(whole));
                        (
                            _mm512_maskz_loadu_pd(mask, pointers.0),
                            _mm512_maskz_loadu_pd(mask, pointers.1),
                        )
                    };
                    // A sign of 0 makes a factor of 2 and no derivative.
                    let d8 = sums.add(_mm512_fmadd_pd(b8, x8, effect), sign);
                    value += std::f64::consts::LN_2 * (8 - (end - whole)) as f64;
                    of_group = _mm512_add_pd(d8, of_group);
                    slope = _mm512_fmadd_pd(d8, x8, slope);
                }
                value += sums.value();
            }
            bar[g] += _mm512_reduce_add_pd(of_group);
        }
        (value, _mm512_reduce_add_pd(slope))
    }
}

/// The sum of min(s, 0) and the product of 1 + e of at most 1,000 rows.
#[cfg(target_arch = "x86_64")]
struct Accumulators {
    linear: __m512d,
    factors: __m512d,
}

#[cfg(target_arch = "x86_64")]
impl Accumulators {
    #[target_feature(enable = "avx512f")]
    fn new() -> Accumulators {
        Accumulators {
            linear: _mm512_setzero_pd(),
            factors: _mm512_set1_pd(1.0),
        }
    }

    /// Takes eight rows in; returns the derivatives of their log densities by eta.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn add(&mut self, eta: __m512d, sign: __m512d) -> __m512d {
        let (zero, one) = (_mm512_setzero_pd(), _mm512_set1_pd(1.0));
        let s = _mm512_mul_pd(sign, eta);
        let e = exp(_mm512_sub_pd(zero, _mm512_abs_pd(s)));
        let factor = _mm512_add_pd(one, e);
        self.factors = _mm512_mul_pd(self.factors, factor);
        self.linear = _mm512_add_pd(self.linear, _mm512_min_pd(s, zero));
        let success = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(s, zero);
        let numerator = _mm512_mask_blend_pd(success, one, e);
        _mm512_div_pd(_mm512_mul_pd(sign, numerator), factor)
    }

    #[target_feature(enable = "avx512f")]
    fn value(&self) -> f64 {
        _mm512_reduce_add_pd(self.linear) - product(self.factors).ln()
    }
}
