//! What each primitive computes: the one table that the interpreter, the loop evaluator and the JIT share.

use super::{Kind, Prim};
use crate::kernels::special;

/// One scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// An `int`; truth values are 0 and 1.
    Int(i64),
    /// A `real`.
    Real(f64),
}

impl Scalar {
    /// The scalar as a real.
    #[inline]
    pub fn as_real(self) -> f64 {
        match self {
            Scalar::Int(value) => value as f64,
            Scalar::Real(value) => value,
        }
    }

    /// The scalar as an integer; reals are truncated towards zero, NaN becomes 0.
    #[inline]
    pub fn as_int(self) -> i64 {
        match self {
            Scalar::Int(value) => value,
            Scalar::Real(value) => value as i64,
        }
    }
}

/// The function behind a primitive that is more than an instruction or two. Integers are passed and returned as the
/// `f64` of the same value.
#[derive(Clone, Copy, Debug)]
pub enum Kernel {
    /// Of one argument.
    R1(fn(f64) -> f64),
    /// Of two arguments.
    R2(fn(f64, f64) -> f64),
    /// Of three arguments.
    R3(fn(f64, f64, f64) -> f64),
}

impl Kernel {
    /// Calls it; missing arguments count as NaN.
    #[inline]
    pub fn call(self, args: &[Scalar]) -> f64 {
        let arg = |at: usize| args.get(at).map_or(f64::NAN, |scalar| scalar.as_real());
        match self {
            Kernel::R1(function) => function(arg(0)),
            Kernel::R2(function) => function(arg(0), arg(1)),
            Kernel::R3(function) => function(arg(0), arg(1), arg(2)),
        }
    }
}

impl Prim {
    /// The function that computes it; `None` for conversions, integer arithmetic, comparisons, logic and the four
    /// real operations with `Neg`, which [`Prim::apply`] spells out.
    pub fn kernel(self) -> Option<Kernel> {
        use Kernel::{R1, R2, R3};
        Some(match self {
            Prim::ToReal | Prim::ToInt => return None,
            Prim::AddInt | Prim::SubInt | Prim::MulInt | Prim::DivInt | Prim::ModInt => {
                return None;
            }
            Prim::NegInt | Prim::AbsInt | Prim::MinInt | Prim::MaxInt => return None,
            Prim::EqInt | Prim::NeInt | Prim::LtInt => return None,
            Prim::LeInt | Prim::GtInt | Prim::GeInt => return None,
            Prim::Eq | Prim::Ne | Prim::Lt | Prim::Le | Prim::Gt | Prim::Ge => return None,
            Prim::Not | Prim::AndInt | Prim::OrInt => return None,
            Prim::IsInf | Prim::IsNan => return None,
            Prim::Add | Prim::Sub | Prim::Mul | Prim::Div | Prim::Neg => return None,

            Prim::IntStep => R1(special::int_step),
            Prim::Fma => R3(special::fma),
            Prim::Pow => R2(special::pow),
            Prim::Abs => R1(special::abs),
            Prim::Fmin => R2(special::fmin),
            Prim::Fmax => R2(special::fmax),
            Prim::Fdim => R2(special::fdim),
            Prim::Fmod => R2(special::fmod),
            Prim::Ldexp => R2(special::ldexp),
            Prim::Floor => R1(special::floor),
            Prim::Ceil => R1(special::ceil),
            Prim::Round => R1(special::round),
            Prim::Trunc => R1(special::trunc),
            Prim::Step => R1(special::step),
            Prim::StopGradient => R1(|x| x),

            Prim::Exp => R1(special::exp),
            Prim::Exp2 => R1(special::exp2),
            Prim::Expm1 => R1(special::expm1),
            Prim::Log => R1(special::log),
            Prim::Log2 => R1(special::log2),
            Prim::Log10 => R1(special::log10),
            Prim::Log1p => R1(special::log1p),
            Prim::Log1m => R1(special::log1m),
            Prim::Log1pExp => R1(special::log1p_exp),
            Prim::Log1mExp => R1(special::log1m_exp),
            Prim::LogSumExp => R2(special::log_sum_exp),
            Prim::LogDiffExp => R2(special::log_diff_exp),
            Prim::Sqrt => R1(special::sqrt),
            Prim::Cbrt => R1(special::cbrt),
            Prim::Square => R1(special::square),
            Prim::Inv => R1(special::inv),
            Prim::InvSqrt => R1(special::inv_sqrt),
            Prim::InvSquare => R1(special::inv_square),
            Prim::Hypot => R2(special::hypot),
            Prim::Sin => R1(special::sin),
            Prim::Cos => R1(special::cos),
            Prim::Tan => R1(special::tan),
            Prim::Asin => R1(special::asin),
            Prim::Acos => R1(special::acos),
            Prim::Atan => R1(special::atan),
            Prim::Atan2 => R2(special::atan2),
            Prim::Sinh => R1(special::sinh),
            Prim::Cosh => R1(special::cosh),
            Prim::Tanh => R1(special::tanh),
            Prim::Asinh => R1(special::asinh),
            Prim::Acosh => R1(special::acosh),
            Prim::Atanh => R1(special::atanh),

            Prim::Logit => R1(special::logit),
            Prim::InvLogit => R1(special::inv_logit),
            Prim::LogInvLogit => R1(special::log_inv_logit),
            Prim::Log1mInvLogit => R1(special::log1m_inv_logit),
            Prim::Phi => R1(special::phi),
            Prim::LogPhi => R1(special::log_phi),
            Prim::InvPhi => R1(special::inv_phi),
            Prim::Erf => R1(special::erf),
            Prim::Erfc => R1(special::erfc),

            Prim::Lgamma => R1(special::lgamma),
            Prim::Tgamma => R1(special::tgamma),
            Prim::Digamma => R1(special::digamma),
            Prim::Trigamma => R1(special::trigamma),
            Prim::Lbeta => R2(special::lbeta),
            Prim::Lchoose => R2(special::lchoose),
            Prim::Choose => R2(special::choose),
            Prim::Lmultiply => R2(special::lmultiply),
            Prim::GammaP => R2(special::gamma_p),
            Prim::GammaQ => R2(special::gamma_q),
            Prim::GammaPDa => R2(special::gamma_p_da),
            Prim::IncBeta => R3(special::inc_beta),
            Prim::IncBetaDa => R3(special::inc_beta_da),
            Prim::IncBetaDb => R3(special::inc_beta_db),
            Prim::BesselJ => R2(special::bessel_first_kind),
            Prim::BesselY => R2(special::bessel_second_kind),
            Prim::BesselI => R2(special::modified_bessel_first_kind),
            Prim::BesselK => R2(special::modified_bessel_second_kind),
            Prim::LogBesselI => R2(special::log_modified_bessel_first_kind),
            Prim::OwensT => R2(special::owens_t),
            Prim::LambertW0 => R1(special::lambert_w0),
            Prim::LambertWm1 => R1(special::lambert_wm1),
        })
    }

    /// The function that computes it from reals alone: of every primitive that takes and returns reals.
    pub fn real_kernel(self) -> Option<Kernel> {
        match self {
            Prim::Add => Some(Kernel::R2(|x, y| x + y)),
            Prim::Sub => Some(Kernel::R2(|x, y| x - y)),
            Prim::Mul => Some(Kernel::R2(|x, y| x * y)),
            Prim::Div => Some(Kernel::R2(|x, y| x / y)),
            Prim::Neg => Some(Kernel::R1(|x| -x)),
            _ if self.result() == Kind::Int || self.args().contains(&Kind::Int) => None,
            _ => self.kernel(),
        }
    }

    /// Computes it. `None` where there is no result: an integer division by zero, and `to_int` of a real that no
    /// 32-bit integer can hold. `args` has the primitive's number of arguments, of its kinds.
    pub fn apply(self, args: &[Scalar]) -> Option<Scalar> {
        let int = |at: usize| args[at].as_int();
        let real = |at: usize| args[at].as_real();
        let truth = |value: bool| Scalar::Int(i64::from(value));
        Some(match self {
            Prim::ToReal => Scalar::Real(real(0)),
            Prim::ToInt => {
                let value = special::trunc(real(0));
                let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
                return fits.then_some(Scalar::Int(value as i64));
            }
            Prim::AddInt => Scalar::Int(int(0).wrapping_add(int(1))),
            Prim::SubInt => Scalar::Int(int(0).wrapping_sub(int(1))),
            Prim::MulInt => Scalar::Int(int(0).wrapping_mul(int(1))),
            Prim::DivInt if int(1) == 0 => return None,
            Prim::DivInt => Scalar::Int(int(0).wrapping_div(int(1))),
            Prim::ModInt if int(1) == 0 => return None,
            Prim::ModInt => Scalar::Int(int(0).wrapping_rem(int(1))),
            Prim::NegInt => Scalar::Int(int(0).wrapping_neg()),
            Prim::AbsInt => Scalar::Int(int(0).wrapping_abs()),
            Prim::MinInt => Scalar::Int(int(0).min(int(1))),
            Prim::MaxInt => Scalar::Int(int(0).max(int(1))),
            Prim::EqInt => truth(int(0) == int(1)),
            Prim::NeInt => truth(int(0) != int(1)),
            Prim::LtInt => truth(int(0) < int(1)),
            Prim::LeInt => truth(int(0) <= int(1)),
            Prim::GtInt => truth(int(0) > int(1)),
            Prim::GeInt => truth(int(0) >= int(1)),
            Prim::Eq => truth(real(0) == real(1)),
            Prim::Ne => truth(real(0) != real(1)),
            Prim::Lt => truth(real(0) < real(1)),
            Prim::Le => truth(real(0) <= real(1)),
            Prim::Gt => truth(real(0) > real(1)),
            Prim::Ge => truth(real(0) >= real(1)),
            Prim::Not => truth(int(0) == 0),
            Prim::AndInt => truth(int(0) != 0 && int(1) != 0),
            Prim::OrInt => truth(int(0) != 0 || int(1) != 0),
            Prim::IsInf => truth(real(0).is_infinite()),
            Prim::IsNan => truth(real(0).is_nan()),
            Prim::Add => Scalar::Real(real(0) + real(1)),
            Prim::Sub => Scalar::Real(real(0) - real(1)),
            Prim::Mul => Scalar::Real(real(0) * real(1)),
            Prim::Div => Scalar::Real(real(0) / real(1)),
            Prim::Neg => Scalar::Real(-real(0)),
            _ => {
                let result = self.kernel()?.call(args);
                match self.result() {
                    Kind::Real => Scalar::Real(result),
                    Kind::Int => Scalar::Int(result as i64),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_primitive_has_a_kernel_of_its_arity_or_is_spelled_out() {
        for &prim in Prim::ALL {
            let arity = prim.args().len();
            match prim.kernel() {
                Some(Kernel::R1(_)) => assert_eq!(arity, 1, "{prim:?}"),
                Some(Kernel::R2(_)) => assert_eq!(arity, 2, "{prim:?}"),
                Some(Kernel::R3(_)) => assert_eq!(arity, 3, "{prim:?}"),
                None => {
                    let ones: Vec<Scalar> = (prim.args().iter())
                        .map(|kind| match kind {
                            Kind::Int => Scalar::Int(1),
                            Kind::Real => Scalar::Real(1.0),
                        })
                        .collect();
                    let result = prim.apply(&ones);
                    let is_int = matches!(result, Some(Scalar::Int(_)));
                    assert!(result.is_some(), "{prim:?}");
                    assert_eq!(is_int, prim.result() == Kind::Int, "{prim:?}");
                }
            }
        }
    }

    #[test]
    fn integer_division_truncates_towards_zero_and_refuses_zero() {
        let ints = |a, b| [Scalar::Int(a), Scalar::Int(b)];
        assert_eq!(Prim::DivInt.apply(&ints(-7, 2)), Some(Scalar::Int(-3)));
        assert_eq!(Prim::ModInt.apply(&ints(-7, 2)), Some(Scalar::Int(-1)));
        assert_eq!(Prim::DivInt.apply(&ints(1, 0)), None);
        assert_eq!(Prim::ModInt.apply(&ints(1, 0)), None);
    }

    #[test]
    fn comparisons_with_nan_are_false() {
        let nan = [Scalar::Real(f64::NAN), Scalar::Real(1.0)];
        assert_eq!(Prim::Lt.apply(&nan), Some(Scalar::Int(0)));
        assert_eq!(Prim::Ge.apply(&nan), Some(Scalar::Int(0)));
        assert_eq!(Prim::Ne.apply(&nan), Some(Scalar::Int(1)));
    }

    #[test]
    fn kernels_of_integers_take_and_return_integers() {
        let args = [Scalar::Int(5), Scalar::Int(2)];
        assert_eq!(Prim::Choose.apply(&args), Some(Scalar::Int(10)));
        assert_eq!(
            Prim::ToInt.apply(&[Scalar::Real(-2.9)]),
            Some(Scalar::Int(-2))
        );
        assert_eq!(Prim::ToInt.apply(&[Scalar::Real(f64::NAN)]), None);
    }
}
