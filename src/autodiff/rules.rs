//! The derivative of every primitive: what a result's adjoint adds to each argument's.

use super::reverse::Reverse;
use crate::builtins::Prim;
use crate::loops::ValueId;

/// Adds to the arguments' adjoints what `result = prim(args)` passes back, given the result's adjoint.
///
/// Values of the forward sweep are asked for only where a rule needs them, since asking may mean keeping them.
pub(super) fn pass_back(
    rev: &mut Reverse<'_>,
    prim: Prim,
    args: &[ValueId],
    result: ValueId,
    adjoint: ValueId,
) {
    match (prim, args) {
        (Prim::Add, &[a, b]) => {
            rev.contribute(a, adjoint);
            rev.contribute(b, adjoint);
        }
        (Prim::Sub, &[a, b]) => {
            rev.contribute(a, adjoint);
            rev.contribute_negated(b, adjoint);
        }
        (Prim::Neg, &[a]) => rev.contribute_negated(a, adjoint),
        (Prim::Mul, &[a, b]) if a == b => {
            let slope = twice_times(rev, adjoint, a);
            rev.contribute(a, slope);
        }
        (Prim::Mul, &[a, b]) => {
            product(rev, a, b, adjoint);
            product(rev, b, a, adjoint);
        }
        (Prim::Fma, &[a, b, c]) => {
            product(rev, a, b, adjoint);
            product(rev, b, a, adjoint);
            rev.contribute(c, adjoint);
        }
        (Prim::Div, &[a, b]) => quotient(rev, a, b, result, adjoint),
        (Prim::Pow, &[a, b]) => power(rev, a, b, result, adjoint),
        (Prim::Fmin | Prim::Fmax, &[a, b]) => extremum(rev, prim, a, b, adjoint),
        (Prim::Fdim, &[a, b]) => {
            let (x, y) = (rev.primal(a), rev.primal(b));
            let above = rev.prim(Prim::Gt, &[x, y]);
            let zero = rev.real(0.0);
            let passed = rev.select(above, adjoint, zero);
            rev.contribute(a, passed);
            rev.contribute_negated(b, passed);
        }
        (Prim::Fmod, &[a, b]) => {
            rev.contribute(a, adjoint);
            if rev.is_active(b) {
                let (x, y) = (rev.primal(a), rev.primal(b));
                let ratio = rev.prim(Prim::Div, &[x, y]);
                let whole = rev.prim(Prim::Trunc, &[ratio]);
                let slope = rev.mul(adjoint, whole);
                rev.contribute_negated(b, slope);
            }
        }
        (Prim::Ldexp, &[a, n]) => {
            let n = rev.primal(n);
            let slope = rev.prim(Prim::Ldexp, &[adjoint, n]);
            rev.contribute(a, slope);
        }
        (Prim::Hypot, &[a, b]) => {
            let length = rev.primal(result);
            let scaled = rev.div(adjoint, length);
            product(rev, a, a, scaled);
            product(rev, b, b, scaled);
        }
        (Prim::Atan2, &[a, b]) => {
            let (y, x) = (rev.primal(a), rev.primal(b));
            let (yy, xx) = (rev.prim(Prim::Square, &[y]), rev.prim(Prim::Square, &[x]));
            let sum = rev.prim(Prim::Add, &[yy, xx]);
            let scaled = rev.div(adjoint, sum);
            product(rev, a, b, scaled);
            let minus = rev.prim(Prim::Neg, &[scaled]);
            product(rev, b, a, minus);
        }
        (Prim::LogSumExp, &[a, b]) => {
            for (one, other) in [(a, b), (b, a)] {
                if rev.is_active(one) {
                    let (x, y) = (rev.primal(one), rev.primal(other));
                    let difference = rev.prim(Prim::Sub, &[x, y]);
                    let share = rev.prim(Prim::InvLogit, &[difference]);
                    let slope = rev.mul(adjoint, share);
                    rev.contribute(one, slope);
                }
            }
        }
        (Prim::LogDiffExp, &[a, b]) => {
            // d/da = 1 / (1 - e^(b-a)), d/db = -1 / (e^(a-b) - 1)
            let (x, y) = (rev.primal(a), rev.primal(b));
            if rev.is_active(a) {
                let difference = rev.prim(Prim::Sub, &[y, x]);
                let expm1 = rev.prim(Prim::Expm1, &[difference]);
                let slope = rev.div(adjoint, expm1);
                rev.contribute_negated(a, slope);
            }
            if rev.is_active(b) {
                let difference = rev.prim(Prim::Sub, &[x, y]);
                let expm1 = rev.prim(Prim::Expm1, &[difference]);
                let slope = rev.div(adjoint, expm1);
                rev.contribute_negated(b, slope);
            }
        }
        (Prim::Lmultiply, &[a, b]) => {
            let y = rev.primal(b);
            if rev.is_active(a) {
                let log = rev.prim(Prim::Log, &[y]);
                let slope = rev.mul(adjoint, log);
                rev.contribute(a, slope);
            }
            if rev.is_active(b) {
                let x = rev.primal(a);
                let ratio = rev.div(x, y);
                let slope = rev.mul(adjoint, ratio);
                rev.contribute(b, slope);
            }
        }
        (Prim::Lbeta, &[a, b]) => {
            let (x, y) = (rev.primal(a), rev.primal(b));
            let sum = rev.prim(Prim::Add, &[x, y]);
            let together = rev.prim(Prim::Digamma, &[sum]);
            for (arg, value) in [(a, x), (b, y)] {
                if rev.is_active(arg) {
                    let own = rev.prim(Prim::Digamma, &[value]);
                    let slope = rev.prim(Prim::Sub, &[own, together]);
                    let slope = rev.mul(adjoint, slope);
                    rev.contribute(arg, slope);
                }
            }
        }
        (Prim::Lchoose, &[n, k]) => choose(rev, n, k, adjoint),
        (Prim::GammaP, &[a, x]) => incomplete_gamma(rev, a, x, adjoint),
        (Prim::GammaQ, &[a, x]) => {
            let minus = rev.prim(Prim::Neg, &[adjoint]);
            incomplete_gamma(rev, a, x, minus);
        }
        (Prim::IncBeta, &[a, b, x]) => incomplete_beta(rev, a, b, x, adjoint),
        (Prim::OwensT, &[h, a]) => owens(rev, h, a, adjoint),
        (Prim::BesselJ | Prim::BesselY | Prim::BesselI | Prim::BesselK, &[order, x]) => {
            bessel(rev, prim, order, x, result, adjoint);
        }
        (Prim::LogBesselI, &[order, x]) if rev.is_active(x) => {
            // d/dx log I_v(x) = I_{v+1}(x) / I_v(x) + v / x; `lower` refuses an order that is a parameter.
            let (v, point) = (rev.primal(order), rev.primal(x));
            let one = rev.real(1.0);
            let next = rev.prim(Prim::Add, &[v, one]);
            let (upper, lower) = (
                rev.prim(Prim::LogBesselI, &[next, point]),
                rev.primal(result),
            );
            let gap = rev.prim(Prim::Sub, &[upper, lower]);
            let ratio = rev.prim(Prim::Exp, &[gap]);
            let rest = rev.div(v, point);
            let slope = rev.prim(Prim::Add, &[ratio, rest]);
            let slope = rev.mul(adjoint, slope);
            rev.contribute(x, slope);
        }
        (_, &[a]) if rev.is_active(a) => {
            if let Some(slope) = unary_slope(rev, prim, a, result, adjoint) {
                rev.contribute(a, slope);
            }
        }
        _ => {}
    }
}

/// adjoint · f'(a) for a function of one argument; `None` where the derivative is 0.
fn unary_slope(
    rev: &mut Reverse<'_>,
    prim: Prim,
    a: ValueId,
    result: ValueId,
    adjoint: ValueId,
) -> Option<ValueId> {
    let slope = match prim {
        Prim::Exp => {
            let y = rev.primal(result);
            rev.mul(adjoint, y)
        }
        Prim::Exp2 => {
            let y = rev.primal(result);
            let scaled = rev.scale(y, std::f64::consts::LN_2);
            rev.mul(adjoint, scaled)
        }
        Prim::Expm1 => {
            let y = rev.primal(result);
            let one = rev.real(1.0);
            let exp = rev.prim(Prim::Add, &[y, one]);
            rev.mul(adjoint, exp)
        }
        Prim::Log => {
            // By the reciprocal, which others need too and which need not wait for the adjoint.
            let x = rev.primal(a);
            let slope = rev.prim(Prim::Inv, &[x]);
            rev.mul(adjoint, slope)
        }
        Prim::Log2 => {
            let x = rev.primal(a);
            let scaled = rev.scale(x, std::f64::consts::LN_2);
            rev.div(adjoint, scaled)
        }
        Prim::Log10 => {
            let x = rev.primal(a);
            let scaled = rev.scale(x, std::f64::consts::LN_10);
            rev.div(adjoint, scaled)
        }
        Prim::Log1p => {
            let x = rev.primal(a);
            let one = rev.real(1.0);
            let sum = rev.prim(Prim::Add, &[one, x]);
            rev.div(adjoint, sum)
        }
        Prim::Log1m => {
            let x = rev.primal(a);
            let one = rev.real(1.0);
            let difference = rev.prim(Prim::Sub, &[x, one]);
            rev.div(adjoint, difference)
        }
        Prim::Log1pExp => {
            let x = rev.primal(a);
            let share = rev.prim(Prim::InvLogit, &[x]);
            rev.mul(adjoint, share)
        }
        Prim::Log1mExp => {
            // -e^x / (1 - e^x) = -1 / (e^-x - 1)
            let x = rev.primal(a);
            let minus = rev.prim(Prim::Neg, &[x]);
            let expm1 = rev.prim(Prim::Expm1, &[minus]);
            let slope = rev.div(adjoint, expm1);
            rev.prim(Prim::Neg, &[slope])
        }
        Prim::Sqrt => {
            // At 0 the slope is infinite; like Stan, pass nothing back, so that 0 times it is not NaN.
            // The slope does not wait for the adjoint.
            let y = rev.primal(result);
            let half = rev.real(0.5);
            let slope = rev.prim(Prim::Div, &[half, y]);
            let zero = rev.real(0.0);
            let at_zero = rev.prim(Prim::Eq, &[y, zero]);
            let slope = rev.select(at_zero, zero, slope);
            rev.mul(adjoint, slope)
        }
        Prim::Cbrt => {
            let y = rev.primal(result);
            let square = rev.prim(Prim::Square, &[y]);
            let thrice = rev.scale(square, 3.0);
            rev.div(adjoint, thrice)
        }
        Prim::Square => twice_times(rev, adjoint, a),
        Prim::Inv => {
            let y = rev.primal(result);
            let square = rev.mul(y, y);
            let slope = rev.mul(adjoint, square);
            rev.prim(Prim::Neg, &[slope])
        }
        Prim::InvSqrt => {
            // -y / (2 x)
            let (x, y) = (rev.primal(a), rev.primal(result));
            let ratio = rev.div(y, x);
            let half = rev.scale(ratio, -0.5);
            rev.mul(adjoint, half)
        }
        Prim::InvSquare => {
            let (x, y) = (rev.primal(a), rev.primal(result));
            let ratio = rev.div(y, x);
            let slope = rev.scale(ratio, -2.0);
            rev.mul(adjoint, slope)
        }
        Prim::Abs => {
            let x = rev.primal(a);
            let zero = rev.real(0.0);
            let minus = rev.prim(Prim::Neg, &[adjoint]);
            let (below, above) = (
                rev.prim(Prim::Lt, &[x, zero]),
                rev.prim(Prim::Gt, &[x, zero]),
            );
            let right = rev.select(above, adjoint, zero);
            rev.select(below, minus, right)
        }
        Prim::Sin => {
            let x = rev.primal(a);
            let cos = rev.prim(Prim::Cos, &[x]);
            rev.mul(adjoint, cos)
        }
        Prim::Cos => {
            let x = rev.primal(a);
            let sin = rev.prim(Prim::Sin, &[x]);
            let slope = rev.mul(adjoint, sin);
            rev.prim(Prim::Neg, &[slope])
        }
        Prim::Tan => {
            let y = rev.primal(result);
            let slope = one_plus_square(rev, y);
            rev.mul(adjoint, slope)
        }
        Prim::Asin | Prim::Acos => {
            let x = rev.primal(a);
            let inside = one_minus_square(rev, x);
            let root = rev.prim(Prim::Sqrt, &[inside]);
            let slope = rev.div(adjoint, root);
            if prim == Prim::Acos {
                rev.prim(Prim::Neg, &[slope])
            } else {
                slope
            }
        }
        Prim::Atan => {
            let x = rev.primal(a);
            let inside = one_plus_square(rev, x);
            rev.div(adjoint, inside)
        }
        Prim::Sinh => {
            let x = rev.primal(a);
            let cosh = rev.prim(Prim::Cosh, &[x]);
            rev.mul(adjoint, cosh)
        }
        Prim::Cosh => {
            let x = rev.primal(a);
            let sinh = rev.prim(Prim::Sinh, &[x]);
            rev.mul(adjoint, sinh)
        }
        Prim::Tanh => {
            let y = rev.primal(result);
            let slope = one_minus_square(rev, y);
            rev.mul(adjoint, slope)
        }
        Prim::Asinh => {
            let x = rev.primal(a);
            let inside = one_plus_square(rev, x);
            let root = rev.prim(Prim::Sqrt, &[inside]);
            rev.div(adjoint, root)
        }
        Prim::Acosh => {
            let x = rev.primal(a);
            let square = rev.prim(Prim::Square, &[x]);
            let one = rev.real(1.0);
            let inside = rev.prim(Prim::Sub, &[square, one]);
            let root = rev.prim(Prim::Sqrt, &[inside]);
            rev.div(adjoint, root)
        }
        Prim::Atanh => {
            let x = rev.primal(a);
            let inside = one_minus_square(rev, x);
            rev.div(adjoint, inside)
        }
        Prim::Logit => {
            let x = rev.primal(a);
            let one = rev.real(1.0);
            let rest = rev.prim(Prim::Sub, &[one, x]);
            let product = rev.mul(x, rest);
            rev.div(adjoint, product)
        }
        Prim::InvLogit => {
            let y = rev.primal(result);
            let one = rev.real(1.0);
            let rest = rev.prim(Prim::Sub, &[one, y]);
            let slope = rev.mul(y, rest);
            rev.mul(adjoint, slope)
        }
        Prim::LogInvLogit => {
            let x = rev.primal(a);
            let minus = rev.prim(Prim::Neg, &[x]);
            let slope = rev.prim(Prim::InvLogit, &[minus]);
            rev.mul(adjoint, slope)
        }
        Prim::Log1mInvLogit => {
            let x = rev.primal(a);
            let share = rev.prim(Prim::InvLogit, &[x]);
            let slope = rev.mul(adjoint, share);
            rev.prim(Prim::Neg, &[slope])
        }
        Prim::Phi => {
            let density = log_normal_density(rev, a);
            let density = rev.prim(Prim::Exp, &[density]);
            rev.mul(adjoint, density)
        }
        Prim::LogPhi => {
            let density = log_normal_density(rev, a);
            let value = rev.primal(result);
            let gap = rev.prim(Prim::Sub, &[density, value]);
            let hazard = rev.prim(Prim::Exp, &[gap]);
            rev.mul(adjoint, hazard)
        }
        Prim::InvPhi => {
            let density = log_normal_density(rev, result);
            let density = rev.prim(Prim::Exp, &[density]);
            rev.div(adjoint, density)
        }
        Prim::Erf | Prim::Erfc => {
            let x = rev.primal(a);
            let square = rev.prim(Prim::Square, &[x]);
            let minus = rev.prim(Prim::Neg, &[square]);
            let bell = rev.prim(Prim::Exp, &[minus]);
            let sign = if prim == Prim::Erf { 1.0 } else { -1.0 };
            let slope = rev.scale(bell, sign * std::f64::consts::FRAC_2_SQRT_PI);
            rev.mul(adjoint, slope)
        }
        Prim::Lgamma => {
            let x = rev.primal(a);
            let slope = rev.prim(Prim::Digamma, &[x]);
            rev.mul(adjoint, slope)
        }
        Prim::Tgamma => {
            let (x, y) = (rev.primal(a), rev.primal(result));
            let digamma = rev.prim(Prim::Digamma, &[x]);
            let slope = rev.mul(y, digamma);
            rev.mul(adjoint, slope)
        }
        Prim::Digamma => {
            let x = rev.primal(a);
            let slope = rev.prim(Prim::Trigamma, &[x]);
            rev.mul(adjoint, slope)
        }
        Prim::LambertW0 | Prim::LambertWm1 => {
            // W' = 1 / (x + e^W)
            let (x, w) = (rev.primal(a), rev.primal(result));
            let exp = rev.prim(Prim::Exp, &[w]);
            let sum = rev.prim(Prim::Add, &[x, exp]);
            rev.div(adjoint, sum)
        }
        _ => return None,
    };
    Some(slope)
}

/// 2 · adjoint · x, the factors of a constant adjoint (the -½ of a normal density) folded into one.
fn twice_times(rev: &mut Reverse<'_>, adjoint: ValueId, x: ValueId) -> ValueId {
    let x = rev.primal(x);
    let twice = rev.twice(adjoint);
    rev.mul(twice, x)
}

/// For a product: `arg` gets adjoint · other.
fn product(rev: &mut Reverse<'_>, arg: ValueId, other: ValueId, adjoint: ValueId) {
    if rev.is_active(arg) {
        let other = rev.primal(other);
        let slope = rev.mul(adjoint, other);
        rev.contribute(arg, slope);
    }
}

fn quotient(rev: &mut Reverse<'_>, a: ValueId, b: ValueId, result: ValueId, adjoint: ValueId) {
    let divisor = rev.primal(b);
    let slope = rev.div(adjoint, divisor);
    rev.contribute(a, slope);
    if rev.is_active(b) {
        let ratio = rev.primal(result);
        let slope = rev.mul(slope, ratio);
        rev.contribute_negated(b, slope);
    }
}

/// a^b: b·a^b/a and a^b·log a. Of a zero base, only the first power passes anything back.
fn power(rev: &mut Reverse<'_>, a: ValueId, b: ValueId, result: ValueId, adjoint: ValueId) {
    let (base, exponent) = (rev.primal(a), rev.primal(b));
    if rev.is_active(a) {
        let value = rev.primal(result);
        let ratio = rev.div(value, base);
        let slope = rev.mul(exponent, ratio);
        let [zero, one] = [0.0, 1.0].map(|constant| rev.real(constant));
        let is_first = rev.prim(Prim::Eq, &[exponent, one]);
        let at_zero = rev.select(is_first, one, zero);
        let is_zero = rev.prim(Prim::Eq, &[base, zero]);
        let slope = rev.select(is_zero, at_zero, slope);
        let slope = rev.mul(adjoint, slope);
        rev.contribute(a, slope);
    }
    if rev.is_active(b) {
        let value = rev.primal(result);
        let log = rev.prim(Prim::Log, &[base]);
        let slope = rev.mul(value, log);
        let zero = rev.real(0.0);
        let is_zero = rev.prim(Prim::Eq, &[base, zero]);
        let slope = rev.select(is_zero, zero, slope);
        let slope = rev.mul(adjoint, slope);
        rev.contribute(b, slope);
    }
}

fn extremum(rev: &mut Reverse<'_>, prim: Prim, a: ValueId, b: ValueId, adjoint: ValueId) {
    let (x, y) = (rev.primal(a), rev.primal(b));
    let compare = if prim == Prim::Fmin {
        Prim::Le
    } else {
        Prim::Ge
    };
    let (first, missing) = (rev.prim(compare, &[x, y]), rev.prim(Prim::IsNan, &[y]));
    let first = rev.prim(Prim::OrInt, &[first, missing]);
    let zero = rev.real(0.0);
    let (to_a, to_b) = (
        rev.select(first, adjoint, zero),
        rev.select(first, zero, adjoint),
    );
    rev.contribute(a, to_a);
    rev.contribute(b, to_b);
}

/// log of the binomial coefficient: Γ(n+1) / (Γ(k+1) Γ(n-k+1)).
fn choose(rev: &mut Reverse<'_>, n: ValueId, k: ValueId, adjoint: ValueId) {
    let (total, chosen) = (rev.primal(n), rev.primal(k));
    let one = rev.real(1.0);
    let difference = rev.prim(Prim::Sub, &[total, chosen]);
    let rest = rev.prim(Prim::Add, &[difference, one]);
    let rest = rev.prim(Prim::Digamma, &[rest]);
    for (arg, value, sign) in [(n, total, 1.0), (k, chosen, -1.0)] {
        if rev.is_active(arg) {
            let next = rev.prim(Prim::Add, &[value, one]);
            let own = rev.prim(Prim::Digamma, &[next]);
            let slope = rev.prim(Prim::Sub, &[own, rest]);
            let slope = rev.scale(slope, sign);
            let slope = rev.mul(adjoint, slope);
            rev.contribute(arg, slope);
        }
    }
}

/// P(a, x): ∂/∂x = x^(a-1) e^-x / Γ(a) (DLMF 8.2.4).
fn incomplete_gamma(rev: &mut Reverse<'_>, a: ValueId, x: ValueId, adjoint: ValueId) {
    let (shape, point) = (rev.primal(a), rev.primal(x));
    if rev.is_active(a) {
        let slope = rev.prim(Prim::GammaPDa, &[shape, point]);
        let slope = rev.mul(adjoint, slope);
        rev.contribute(a, slope);
    }
    if rev.is_active(x) {
        let one = rev.real(1.0);
        let below = rev.prim(Prim::Sub, &[shape, one]);
        let power = rev.prim(Prim::Lmultiply, &[below, point]);
        let gamma = rev.prim(Prim::Lgamma, &[shape]);
        let log = rev.prim(Prim::Sub, &[power, point]);
        let log = rev.prim(Prim::Sub, &[log, gamma]);
        let density = rev.prim(Prim::Exp, &[log]);
        let slope = rev.mul(adjoint, density);
        rev.contribute(x, slope);
    }
}

/// I_x(a, b): ∂/∂x = x^(a-1) (1-x)^(b-1) / B(a, b) (DLMF 8.17.1).
fn incomplete_beta(rev: &mut Reverse<'_>, a: ValueId, b: ValueId, x: ValueId, adjoint: ValueId) {
    let args = [rev.primal(a), rev.primal(b), rev.primal(x)];
    for (arg, derivative) in [(a, Prim::IncBetaDa), (b, Prim::IncBetaDb)] {
        if rev.is_active(arg) {
            let slope = rev.prim(derivative, &args);
            let slope = rev.mul(adjoint, slope);
            rev.contribute(arg, slope);
        }
    }
    if rev.is_active(x) {
        let one = rev.real(1.0);
        let rest = rev.prim(Prim::Sub, &[one, args[2]]);
        let (first, second) = (
            rev.prim(Prim::Sub, &[args[0], one]),
            rev.prim(Prim::Sub, &[args[1], one]),
        );
        let left = rev.prim(Prim::Lmultiply, &[first, args[2]]);
        let right = rev.prim(Prim::Lmultiply, &[second, rest]);
        let beta = rev.prim(Prim::Lbeta, &[args[0], args[1]]);
        let log = rev.prim(Prim::Add, &[left, right]);
        let log = rev.prim(Prim::Sub, &[log, beta]);
        let density = rev.prim(Prim::Exp, &[log]);
        let slope = rev.mul(adjoint, density);
        rev.contribute(x, slope);
    }
}

/// T(h, a): ∂/∂h = -φ(h) (Φ(ah) - ½) = -φ(h) erf(ah/√2) / 2; ∂/∂a = exp(-h²(1+a²)/2) / (2π(1+a²)) (Owen 1956).
fn owens(rev: &mut Reverse<'_>, h: ValueId, a: ValueId, adjoint: ValueId) {
    let (x, slope_of_line) = (rev.primal(h), rev.primal(a));
    if rev.is_active(h) {
        let density = log_normal_density(rev, h);
        let density = rev.prim(Prim::Exp, &[density]);
        let product = rev.mul(x, slope_of_line);
        let scaled = rev.scale(product, std::f64::consts::FRAC_1_SQRT_2);
        let erf = rev.prim(Prim::Erf, &[scaled]);
        let slope = rev.mul(density, erf);
        let slope = rev.scale(slope, -0.5);
        let slope = rev.mul(adjoint, slope);
        rev.contribute(h, slope);
    }
    if rev.is_active(a) {
        let stretch = one_plus_square(rev, slope_of_line);
        let square = rev.prim(Prim::Square, &[x]);
        let product = rev.mul(square, stretch);
        let log = rev.scale(product, -0.5);
        let bell = rev.prim(Prim::Exp, &[log]);
        let scaled = rev.scale(bell, 0.5 * std::f64::consts::FRAC_1_PI);
        let slope = rev.div(scaled, stretch);
        let slope = rev.mul(adjoint, slope);
        rev.contribute(a, slope);
    }
}

/// J' = J_{n-1} - n/x J_n, and likewise Y, I; K' = -K_{n-1} - n/x K_n (DLMF 10.6.2, 10.29.2).
fn bessel(
    rev: &mut Reverse<'_>,
    prim: Prim,
    order: ValueId,
    x: ValueId,
    result: ValueId,
    adjoint: ValueId,
) {
    let (n, point, value) = (rev.primal(order), rev.primal(x), rev.primal(result));
    let one = rev.int(1);
    let below = rev.prim(Prim::SubInt, &[n, one]);
    let lower = rev.prim(prim, &[below, point]);
    let lower = if prim == Prim::BesselK {
        rev.prim(Prim::Neg, &[lower])
    } else {
        lower
    };
    let n = rev.prim(Prim::ToReal, &[n]);
    let ratio = rev.div(n, point);
    let rest = rev.mul(ratio, value);
    let slope = rev.prim(Prim::Sub, &[lower, rest]);
    let slope = rev.mul(adjoint, slope);
    rev.contribute(x, slope);
}

fn log_normal_density(rev: &mut Reverse<'_>, x: ValueId) -> ValueId {
    let x = rev.primal(x);
    let square = rev.prim(Prim::Square, &[x]);
    let half = rev.scale(square, -0.5);
    let constant = rev.real(0.5 * (2.0 * std::f64::consts::PI).ln());
    rev.prim(Prim::Sub, &[half, constant])
}

fn one_plus_square(rev: &mut Reverse<'_>, x: ValueId) -> ValueId {
    let square = rev.prim(Prim::Square, &[x]);
    let one = rev.real(1.0);
    rev.prim(Prim::Add, &[one, square])
}

fn one_minus_square(rev: &mut Reverse<'_>, x: ValueId) -> ValueId {
    let square = rev.prim(Prim::Square, &[x]);
    let one = rev.real(1.0);
    rev.prim(Prim::Sub, &[one, square])
}
