//! What several of the hand-written gradients need of AVX-512.
#![allow(clippy::excessive_precision)]

use std::arch::x86_64::{
    __m512d, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm512_fmadd_pd, _mm512_fnmadd_pd,
    _mm512_mul_pd, _mm512_roundscale_pd, _mm512_scalef_pd, _mm512_set1_pd, _mm512_storeu_pd,
};

/// e^x for x that is not NaN, to about 1 ulp: x = n ln 2 + r, and the Taylor polynomial of degree 12 in r, its even and odd
/// terms apart so that the chain of dependent operations is half as long.
#[target_feature(enable = "avx512f")]
pub fn exp(x: __m512d) -> __m512d {
    let n = _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(
        _mm512_mul_pd(x, _mm512_set1_pd(std::f64::consts::LOG2_E)),
    );
    // ln 2 in two parts (fdlibm): the product of n with the first is exact.
    let r = _mm512_fnmadd_pd(n, _mm512_set1_pd(6.931_471_803_691_238_2e-1), x);
    let r = _mm512_fnmadd_pd(n, _mm512_set1_pd(1.908_214_929_270_587_7e-10), r);
    let square = _mm512_mul_pd(r, r);
    let even = [
        1.0 / 479_001_600.0,
        1.0 / 3_628_800.0,
        1.0 / 40_320.0,
        1.0 / 720.0,
        1.0 / 24.0,
        0.5,
        1.0,
    ];
    let odd = [
        1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        1.0 / 5_040.0,
        1.0 / 120.0,
        1.0 / 6.0,
        1.0,
    ];
    let mut p = _mm512_set1_pd(even[0]);
    for c in &even[1..] {
        p = _mm512_fmadd_pd(p, square, _mm512_set1_pd(*c));
    }
    let mut q = _mm512_set1_pd(odd[0]);
    for c in &odd[1..] {
        q = _mm512_fmadd_pd(q, square, _mm512_set1_pd(*c));
    }
    _mm512_scalef_pd(_mm512_fmadd_pd(q, r, p), n)
}

/// The product of the lanes.
#[target_feature(enable = "avx512f")]
pub fn product(x: __m512d) -> f64 {
    let mut lanes = [0.0; 8];
    // SAFETY: eight elements.
    unsafe { _mm512_storeu_pd(lanes.as_mut_ptr(), x) };
    lanes.iter().product()
}
