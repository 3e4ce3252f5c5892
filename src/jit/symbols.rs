//! The addresses that compiled code calls: each primitive's kernel behind the C calling convention.
//!
//! Code embeds addresses as constants, so there is no symbol table in which a name could be missing or mean
//! something else.

use super::scatter::Order;
use crate::builtins::{Kernel, Kind, Prim};
use crate::kernels::simd::{self, scatter};
use std::slice;

/// The address of a primitive's kernel and how many reals it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// Of a function of the C calling convention, of reals, that returns a real.
    pub address: usize,
    /// How many arguments.
    pub arity: usize,
}

// The primitive is a constant, so that in optimised builds `kernel` folds away and the call is direct.
extern "C" fn unary<const PRIM: usize>(x: f64) -> f64 {
    match Prim::ALL[PRIM].kernel() {
        Some(Kernel::R1(function)) => function(x),
        _ => f64::NAN,
    }
}

extern "C" fn binary<const PRIM: usize>(x: f64, y: f64) -> f64 {
    match Prim::ALL[PRIM].kernel() {
        Some(Kernel::R2(function)) => function(x, y),
        _ => f64::NAN,
    }
}

extern "C" fn ternary<const PRIM: usize>(x: f64, y: f64, z: f64) -> f64 {
    match Prim::ALL[PRIM].kernel() {
        Some(Kernel::R3(function)) => function(x, y, z),
        _ => f64::NAN,
    }
}

/// The kernel of a primitive of one real, for each of `count` numbers.
///
/// # Safety
/// `from` and `to` are `count` reals each, apart from each other.
unsafe extern "C" fn each<const PRIM: usize>(from: *const f64, to: *mut f64, count: u64) {
    // SAFETY: the caller's.
    let (from, to) = unsafe {
        (
            slice::from_raw_parts(from, count as usize),
            slice::from_raw_parts_mut(to, count as usize),
        )
    };
    match Prim::ALL[PRIM] {
        Prim::Exp => simd::exp(from, to),
        Prim::Expm1 => simd::expm1(from, to),
        Prim::Log => simd::log(from, to),
        Prim::Log1p => simd::log1p(from, to),
        Prim::Log1m => simd::log1m(from, to),
        Prim::Log1pExp => simd::log1p_exp(from, to),
        Prim::Log1mExp => simd::log1m_exp(from, to),
        Prim::InvLogit => simd::inv_logit(from, to),
        Prim::LogInvLogit => simd::log_inv_logit(from, to),
        Prim::Log1mInvLogit => simd::log1m_inv_logit(from, to),
        Prim::Tanh => simd::tanh(from, to),
        Prim::Lgamma => simd::lgamma(from, to),
        Prim::Digamma => simd::digamma(from, to),
        Prim::Trigamma => simd::trigamma(from, to),
        Prim::Erf => simd::erf(from, to),
        Prim::Erfc => simd::erfc(from, to),
        Prim::Phi => simd::phi(from, to),
        Prim::LogPhi => simd::log_phi(from, to),
        Prim::Sin => simd::sin(from, to),
        Prim::Cos => simd::cos(from, to),
        _ => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = unary::<PRIM>(*from);
            }
        }
    }
}

/// As [`each`], of two reals.
///
/// # Safety
/// `first`, `second` and `to` are `count` reals each, `to` apart from the others.
unsafe extern "C" fn pairs<const PRIM: usize>(
    first: *const f64,
    second: *const f64,
    to: *mut f64,
    count: u64,
) {
    // SAFETY: the caller's.
    let (first, second, to) = unsafe {
        (
            slice::from_raw_parts(first, count as usize),
            slice::from_raw_parts(second, count as usize),
            slice::from_raw_parts_mut(to, count as usize),
        )
    };
    match Prim::ALL[PRIM] {
        Prim::Pow => simd::pow(first, second, to),
        Prim::Lbeta => simd::lbeta(first, second, to),
        Prim::LogDiffExp => simd::log_diff_exp(first, second, to),
        _ => {
            for ((to, x), y) in to.iter_mut().zip(first).zip(second) {
                *to = binary::<PRIM>(*x, *y);
            }
        }
    }
}

/// Adds `count` values to the cells of a table of length `len` that the indices plus `offset` name.
///
/// # Safety
/// Values and indices are `count` each, the table `len`, all apart from each other.
unsafe extern "C" fn scatter_add<const RUNS: bool>(
    values: *const f64,
    indices: *const i64,
    count: u64,
    offset: i64,
    table: *mut f64,
    len: u64,
) {
    // SAFETY: the caller's.
    let (values, indices, table) = unsafe {
        (
            slice::from_raw_parts(values, count as usize),
            slice::from_raw_parts(indices, count as usize),
            slice::from_raw_parts_mut(table, len as usize),
        )
    };
    match RUNS {
        true => scatter::add_runs(values, indices, offset, table),
        false => scatter::add_few(values, indices, offset, table),
    }
}

/// The address of a function `(values, indices, count, offset, table, len)` that adds values to the cells of indices.
pub(super) fn scatter_symbol(order: Order) -> usize {
    match order {
        Order::Runs => scatter_add::<true> as *const () as usize,
        Order::Few => scatter_add::<false> as *const () as usize,
    }
}

/// The sum of a logarithm over `count` numbers.
///
/// # Safety
/// `from` is `count` reals.
unsafe extern "C" fn sum_log(from: *const f64, count: u64) -> f64 {
    // SAFETY: the caller's.
    simd::sum_log(unsafe { std::slice::from_raw_parts(from, count as usize) })
}

/// As [`sum_log`], of 1 + x.
///
/// # Safety
/// `from` is `count` reals.
unsafe extern "C" fn sum_log1p(from: *const f64, count: u64) -> f64 {
    // SAFETY: the caller's.
    simd::sum_log1p(unsafe { std::slice::from_raw_parts(from, count as usize) })
}

/// The address of a function `(from, count)` that adds a primitive's kernel up over a slice of reals.
pub(super) fn sum_symbol(prim: Prim) -> Option<usize> {
    match prim {
        Prim::Log => Some(sum_log as *const () as usize),
        Prim::Log1p => Some(sum_log1p as *const () as usize),
        _ => None,
    }
}

macro_rules! symbols {
    (unary: $($unary:ident)*; binary: $($binary:ident)*; ternary: $($ternary:ident)*;) => {
        /// The symbol of a primitive that code calls rather than spells out; none for the others.
        pub(super) fn symbol(prim: Prim) -> Option<Symbol> {
            let (address, arity) = match prim {
                $(Prim::$unary => (unary::<{ Prim::$unary as usize }> as *const () as usize, 1),)*
                $(Prim::$binary => (binary::<{ Prim::$binary as usize }> as *const () as usize, 2),)*
                $(Prim::$ternary => (ternary::<{ Prim::$ternary as usize }> as *const () as usize, 3),)*
                _ => return None,
            };
            Some(Symbol { address, arity })
        }

        /// The address of a function that applies a primitive's kernel to slices of reals. It takes a slice for each argument,
        /// one for the results, and how many numbers each has.
        pub(super) fn slice_symbol(prim: Prim) -> Option<usize> {
            if prim.args().contains(&Kind::Int) {
                return None;
            }
            match prim {
                $(Prim::$unary => Some(each::<{ Prim::$unary as usize }> as *const () as usize),)*
                $(Prim::$binary => Some(pairs::<{ Prim::$binary as usize }> as *const () as usize),)*
                _ => None,
            }
        }
    };
}

symbols! {
    unary:
        Exp Exp2 Expm1 Log Log2 Log10 Log1p Log1m Log1pExp Log1mExp Cbrt
        Floor Ceil Round Trunc
        Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh
        Logit InvLogit LogInvLogit Log1mInvLogit Phi LogPhi InvPhi Erf Erfc
        Lgamma Tgamma Digamma Trigamma LambertW0 LambertWm1;
    binary:
        Pow Fmod Ldexp LogSumExp LogDiffExp Hypot Atan2
        Lbeta Lchoose Choose Lmultiply GammaP GammaQ GammaPDa
        BesselJ BesselY BesselI BesselK LogBesselI OwensT;
    ternary:
        Fma IncBeta IncBetaDa IncBetaDb;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_symbol_has_a_kernel_of_its_arity() {
        for &prim in Prim::ALL {
            let Some(symbol) = symbol(prim) else { continue };
            let arity = match prim.kernel() {
                Some(Kernel::R1(_)) => 1,
                Some(Kernel::R2(_)) => 2,
                Some(Kernel::R3(_)) => 3,
                None => panic!("{prim:?} has no kernel"),
            };
            assert_eq!(
                (symbol.arity, prim.args().len()),
                (arity, arity),
                "{prim:?}"
            );
        }
    }
}
