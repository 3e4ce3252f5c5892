//! A straight line with normal noise: three sums in one pass.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256d, __m512d, _mm_add_pd, _mm_add_sd, _mm_cvtsd_f64, _mm_unpackhi_pd, _mm256_add_pd,
    _mm256_castpd256_pd128, _mm256_extractf128_pd, _mm256_fmadd_pd, _mm256_fnmadd_pd,
    _mm256_loadu_pd, _mm256_set1_pd, _mm256_setzero_pd, _mm256_sub_pd, _mm512_add_pd,
    _mm512_fmadd_pd, _mm512_fnmadd_pd, _mm512_loadu_pd, _mm512_reduce_add_pd, _mm512_set1_pd,
    _mm512_setzero_pd, _mm512_sub_pd,
};

/// y ~ normal(a + b x, sigma), sigma on the log scale: sums of squares, residuals, and residuals times x.
pub fn earn_height(y: &[f64], x: &[f64], position: &[f64], gradient: &mut [f64]) -> f64 {
    let (a, b, log_sigma) = (position[0], position[1], position[2]);
    let inverse = (-log_sigma).exp();
    let [squares, sum, product] = residual_sums(y, x, a, b);
    let precision = inverse * inverse;
    let n = y.len() as f64;
    gradient[0] = sum * precision;
    gradient[1] = product * precision;
    gradient[2] = squares * precision - n + 1.0;
    -0.5 * squares * precision - n * log_sigma + log_sigma
}

fn residual_sums(y: &[f64], x: &[f64], a: f64, b: f64) -> [f64; 3] {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the instructions are there.
            return unsafe { residual_sums_avx512(y, x, a, b) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the instructions are there.
            return unsafe { residual_sums_avx2(y, x, a, b) };
        }
    }
    residual_sums_scalar(y, x, a, b)
}

fn residual_sums_scalar(y: &[f64], x: &[f64], a: f64, b: f64) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (y, x) in y.iter().zip(x) {
        let d = y - a - b * x;
        sums[0] += d * d;
        sums[1] += d;
        sums[2] += d * x;
    }
    sums
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn residual_sums_avx512(y: &[f64], x: &[f64], a: f64, b: f64) -> [f64; 3] {
    let mut sums: [[__m512d; 2]; 3] = [[_mm512_setzero_pd(); 2]; 3];
    let (a8, b8) = (_mm512_set1_pd(a), _mm512_set1_pd(b));
    let whole = y.len().min(x.len()) / 16 * 16;
    for start in (0..whole).step_by(16) {
        for (half, offset) in [(0, start), (1, start + 8)] {
            // SAFETY: `offset + 8 <= whole`, which both slices reach.
            let (y8, x8) = unsafe {
                (
                    _mm512_loadu_pd(y.as_ptr().add(offset)),
                    _mm512_loadu_pd(x.as_ptr().add(offset)),
                )
            };
            let d = _mm512_fnmadd_pd(b8, x8, _mm512_sub_pd(y8, a8));
            sums[0][half] = _mm512_fmadd_pd(d, d, sums[0][half]);
            sums[1][half] = _mm512_add_pd(d, sums[1][half]);
            sums[2][half] = _mm512_fmadd_pd(d, x8, sums[2][half]);
        }
    }
    let rest = residual_sums_scalar(&y[whole..], &x[whole..], a, b);
    std::array::from_fn(|i| rest[i] + _mm512_reduce_add_pd(_mm512_add_pd(sums[i][0], sums[i][1])))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn residual_sums_avx2(y: &[f64], x: &[f64], a: f64, b: f64) -> [f64; 3] {
    let mut sums: [[__m256d; 2]; 3] = [[_mm256_setzero_pd(); 2]; 3];
    let (a4, b4) = (_mm256_set1_pd(a), _mm256_set1_pd(b));
    let whole = y.len().min(x.len()) / 8 * 8;
    for start in (0..whole).step_by(8) {
        for (half, offset) in [(0, start), (1, start + 4)] {
            // SAFETY: `offset + 4 <= whole`, which both slices reach.
            let (y4, x4) = unsafe {
                (
                    _mm256_loadu_pd(y.as_ptr().add(offset)),
                    _mm256_loadu_pd(x.as_ptr().add(offset)),
                )
            };
            let d = _mm256_fnmadd_pd(b4, x4, _mm256_sub_pd(y4, a4));
            sums[0][half] = _mm256_fmadd_pd(d, d, sums[0][half]);
            sums[1][half] = _mm256_add_pd(d, sums[1][half]);
            sums[2][half] = _mm256_fmadd_pd(d, x4, sums[2][half]);
        }
    }
    let rest = residual_sums_scalar(&y[whole..], &x[whole..], a, b);
    std::array::from_fn(|i| {
        let four = _mm256_add_pd(sums[i][0], sums[i][1]);
        let two = _mm_add_pd(
            _mm256_castpd256_pd128(four),
            _mm256_extractf128_pd::<1>(four),
        );
        rest[i] + _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
    })
}
