//! The addresses that compiled code calls: each primitive's kernel behind the C calling convention.
//!
//! Code embeds addresses as constants, so there is no symbol table in which a name could be missing or mean
//! something else.

use crate::builtins::{Kernel, Prim};

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
