//! Elementary functions and products of whole slices, by the widest vectors of the machine.
//!
//! Each function is written once, for one number and without branches; the compiler turns the loop around it into
//! vector code, once per level of instruction set, and the level is chosen at run time. Every level computes the same
//! operations in the same order (fused multiply-adds included), so results have the same bits on all of them.
//!
//! They are within 1 ulp (`exp`, `log`, `log1p`, `log1m`, `sin`, `cos`), 3 ulp (`log1m_exp`, `tanh`) or 2 ulp (the others) of
//! the true value, around zeros of the functions too: bounds that hold for the values of `tests/reference/simd.tsv` and held
//! for tens of thousands of random numbers each, not proven ones. Of ln Γ, ψ and ψ' that holds for positive numbers. Of those and the error functions there is one source: [`alone`] is what the scalar functions of
//! [`special`](super::special) use, with the same bits. The others have scalar twins of the machine's library, with the same
//! corner cases. Numbers that are rare (negative for ln Γ, large for sines) go to the scalar functions one by one.
#![allow(unsafe_code)]

/// Functions of the widest vectors of the machine, each written once as an inlined body, with a module `at_level` of the same
/// functions with the level chosen by the caller.
macro_rules! by_level {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) $(-> $result:ty)? = $($body:ident)::+;)*) => {
        $(
            $(#[$doc])*
            pub fn $name($($arg: $ty),*) $(-> $result)? {
                at_level::$name(Level::of_machine(), $($arg),*)
            }
        )*

        /// The same with the level chosen by the caller; a level above the machine's counts as the machine's.
        pub mod at_level {
            use super::Level;

            $(
                $(#[$doc])*
                pub fn $name(level: Level, $($arg: $ty),*) $(-> $result)? {
                    #[cfg(target_arch = "x86_64")]
                    #[target_feature(enable = "avx2,fma")]
                    fn avx2($($arg: $ty),*) $(-> $result)? {
                        super::$($body)::+($($arg),*)
                    }

                    #[cfg(target_arch = "x86_64")]
                    #[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl")]
                    fn avx512($($arg: $ty),*) $(-> $result)? {
                        super::$($body)::+($($arg),*)
                    }

                    match level.min(Level::of_machine()) {
                        // SAFETY: the machine has these instructions, by `Level::of_machine`.
                        #[cfg(target_arch = "x86_64")]
                        Level::Avx512 => unsafe { avx512($($arg),*) },
                        // SAFETY: as above.
                        #[cfg(target_arch = "x86_64")]
                        Level::Avx2 => unsafe { avx2($($arg),*) },
                        _ => super::$($body)::+($($arg),*),
                    }
                }
            )*
        }
    };
}

pub mod beta;
mod circular;
mod coefficients;
mod difference;
mod double;
mod elementary;
mod gamma;
mod logarithms;
mod normal;
mod pieces;
mod power;
pub mod product;
#[cfg(test)]
mod reference_tests;
pub mod scatter;
pub mod stages;

pub use beta::lbeta;
pub use difference::log_diff_exp;
pub use logarithms::{sum_log, sum_log1p};
pub use power::pow;

use pieces::pieces;
use std::sync::OnceLock;

/// Which instructions the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Whatever the program was compiled for.
    Portable,
    /// 256 bits and fused multiply-add.
    Avx2,
    /// 512 bits.
    Avx512,
}

impl Level {
    /// The highest level of this machine.
    pub fn of_machine() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            #[cfg(target_arch = "x86_64")]
            {
                let fused = std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("fma");
                let wide = std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl");
                match (fused, wide) {
                    (true, true) => return Level::Avx512,
                    (true, false) => return Level::Avx2,
                    _ => {}
                }
            }
            Level::Portable
        })
    }
}

/// The sum of partial sums, by halves.
#[inline(always)]
fn total<const N: usize>(mut sums: [f64; N]) -> f64 {
    let mut half = N / 2;
    while half > 0 {
        for k in 0..half {
            sums[k] += sums[k + half];
        }
        half /= 2;
    }
    sums[0]
}

/// A function from a slice to another of the same length.
pub type SliceFunction = fn(&[f64], &mut [f64]);

/// The body of a slice function. A macro, because functions passed as values need not be inlined, and those that are not
/// have no wide instructions.
macro_rules! body {
    (each $function:path, $from:ident, $to:ident) => {
        for (to, from) in $to.iter_mut().zip($from) {
            *to = $function(*from);
        }
    };
    (pieces $function:path, $from:ident, $to:ident) => {
        pieces($from, $to, $function)
    };
}

macro_rules! slice_functions {
    ($($(#[$doc:meta])* $name:ident = $way:ident $function:path;)*) => {
        by_level! {
            $(
                $(#[$doc])*
                ///
                /// Of each number of `from`, into `to`; as many as the shorter of both has.
                fn $name(from: &[f64], to: &mut [f64]) = bodies::$name;
            )*
        }

        mod bodies {
            use super::*;

            $(
                #[inline(always)]
                pub(super) fn $name(from: &[f64], to: &mut [f64]) {
                    body!($way $function, from, to);
                }
            )*
        }

        /// Every function by name.
        pub const ALL: &[(&str, SliceFunction)] = &[$((stringify!($name), $name),)*];
    };
}

slice_functions! {
    /// e^x.
    exp = pieces elementary::Exp;
    /// e^x - 1.
    expm1 = each elementary::expm1;
    /// The natural logarithm.
    log = each elementary::log;
    /// log(1 + x).
    log1p = each elementary::log1p;
    /// log(1 - x).
    log1m = each elementary::log1m;
    /// log(1 + e^x).
    log1p_exp = each elementary::log1p_exp;
    /// log(1 - e^x).
    log1m_exp = each elementary::log1m_exp;
    /// 1 / (1 + e^-x).
    inv_logit = each elementary::inv_logit;
    /// log(inv_logit(x)).
    log_inv_logit = each elementary::log_inv_logit;
    /// log(1 - inv_logit(x)).
    log1m_inv_logit = each elementary::log1m_inv_logit;
    /// The hyperbolic tangent.
    tanh = each elementary::tanh;
    /// ln |Γ(x)|.
    lgamma = pieces gamma::Lgamma;
    /// ψ(x) = d ln Γ(x) / dx.
    digamma = pieces gamma::Digamma;
    /// ψ'(x).
    trigamma = pieces gamma::Trigamma;
    /// The error function.
    erf = each normal::erf;
    /// 1 - erf(x).
    erfc = each normal::erfc;
    /// The standard normal distribution function.
    phi = each normal::phi;
    /// Its logarithm.
    log_phi = each normal::log_phi;
    /// The sine.
    sin = pieces circular::Sin;
    /// The cosine.
    cos = pieces circular::Cos;
}

/// Functions of one number that have the bits of the slice functions.
pub mod alone {
    use super::pieces::alone;
    use super::{Level, gamma, normal};

    by_level! {
        /// ln Γ(x) for x > 0, within 2 ulp.
        fn lgamma(x: f64) -> f64 = lgamma_alone;

        /// ψ(x) for x > 0, within 2 ulp.
        fn digamma(x: f64) -> f64 = digamma_alone;

        /// ψ'(x) for x > 0, within 2 ulp.
        fn trigamma(x: f64) -> f64 = trigamma_alone;

        /// The error function, within 2 ulp.
        fn erf(x: f64) -> f64 = normal::erf;

        /// 1 - erf(x), within 2 ulp.
        fn erfc(x: f64) -> f64 = normal::erfc;

        /// The standard normal distribution function, within 2 ulp.
        fn phi(x: f64) -> f64 = normal::phi;

        /// Its logarithm, within 2 ulp.
        fn log_phi(x: f64) -> f64 = normal::log_phi;
    }

    #[inline(always)]
    fn lgamma_alone(x: f64) -> f64 {
        alone(x, gamma::Lgamma)
    }

    #[inline(always)]
    fn digamma_alone(x: f64) -> f64 {
        alone(x, gamma::Digamma)
    }

    #[inline(always)]
    fn trigamma_alone(x: f64) -> f64 {
        alone(x, gamma::Trigamma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::special;

    type Case = (SliceFunction, fn(f64) -> f64, f64);

    /// Each function, its scalar twin, and how many ulp they may differ (both err).
    const CASES: &[Case] = &[
        (exp, special::exp, 2.0),
        (expm1, special::expm1, 3.0),
        (log, special::log, 2.0),
        (log1p, special::log1p, 2.0),
        (log1m, special::log1m, 2.0),
        (log1p_exp, special::log1p_exp, 3.0),
        (log1m_exp, special::log1m_exp, 4.0),
        (inv_logit, special::inv_logit, 3.0),
        (log_inv_logit, special::log_inv_logit, 3.0),
        (log1m_inv_logit, special::log1m_inv_logit, 3.0),
        (tanh, special::tanh, 4.0),
        (lgamma, special::lgamma, 0.0),
        (digamma, special::digamma, 0.0),
        (trigamma, special::trigamma, 0.0),
        (erf, special::erf, 0.0),
        (erfc, special::erfc, 0.0),
        (phi, special::phi, 0.0),
        (log_phi, special::log_phi, 0.0),
        (sin, special::sin, 2.0),
        (cos, special::cos, 2.0),
    ];

    /// Points of every magnitude and sign, dense around 0, 1 and the bounds of argument reduction, and the extremes.
    fn points() -> Vec<f64> {
        let mut points = vec![
            0.0,
            -0.0,
            1.0,
            -1.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MIN_POSITIVE,
            5e-324,
            -5e-324,
            f64::MAX,
            f64::MIN,
            709.782712893384,
            709.7827128933841,
            -708.5,
            -745.1332191019411,
            -745.1332191019412,
            36.7,
            -36.7,
        ];
        let bounds = [
            std::f64::consts::LN_2,
            std::f64::consts::SQRT_2,
            std::f64::consts::FRAC_1_SQRT_2,
            0.5,
            1.0,
            2.0,
        ];
        for step in -200..=200 {
            for bound in bounds {
                points.push(bound * (1.0 + f64::from(step) * 1e-4));
                points.push(bound.mul_add(f64::from(step) / 2.0, f64::EPSILON));
            }
            points.push(f64::from(step) * 3.77);
            points.push(1.31f64.powi(step * 5) * 1.0000001);
            points.push(-(1.31f64.powi(step * 5)));
            points.push(-f64::from(step).abs() * 0.004_999);
        }
        points
    }

    fn ulps_apart(a: f64, b: f64) -> f64 {
        if a == b || (a.is_nan() && b.is_nan()) {
            return 0.0;
        }
        let size = a.abs().max(b.abs());
        let ulp = (size.next_up() - size).max(5e-324);
        (a - b).abs() / ulp
    }

    #[test]
    fn slices_agree_with_scalars() {
        let points = points();
        for ((function, scalar, bound), (name, _)) in CASES.iter().zip(ALL) {
            let mut found = vec![0.0; points.len()];
            function(&points, &mut found);
            for (&x, &found) in points.iter().zip(&found) {
                let expected = scalar(x);
                let apart = ulps_apart(expected, found);
                assert!(
                    apart <= *bound,
                    "{name}({x:e}) = {found:e} instead of {expected:e}"
                );
            }
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let points = points();
        let compute = |function: fn(Level, &[f64], &mut [f64]), level| {
            let mut found = vec![0.0; points.len()];
            function(level, &points, &mut found);
            let bits = found.iter().map(|value: &f64| match value.is_nan() {
                true => 0,
                false => value.to_bits(),
            });
            bits.collect::<Vec<u64>>()
        };
        for function in [
            at_level::exp,
            at_level::log,
            at_level::log1p,
            at_level::log1p_exp,
            at_level::tanh,
            at_level::lgamma,
            at_level::digamma,
            at_level::trigamma,
            at_level::erf,
            at_level::erfc,
            at_level::phi,
            at_level::log_phi,
            at_level::sin,
            at_level::cos,
        ] {
            let portable = compute(function, Level::Portable);
            assert_eq!(compute(function, Level::Avx2), portable);
            assert_eq!(compute(function, Level::Avx512), portable);
        }
    }
}
