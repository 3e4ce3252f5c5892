//! Primitives that are an instruction or a few, for scalars and for pairs of lanes.

use super::host::Host;
use crate::builtins::Prim;
use crate::loops::ValueId;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F64, F64X2, I64, I64X2};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::FunctionBuilder;

/// Whether a primitive takes reals to a real in instructions that [`real`] emits.
pub(super) fn is_inline_real(prim: Prim, host: Host) -> bool {
    match prim {
        Prim::Floor | Prim::Ceil | Prim::Trunc | Prim::Round => host.rounds,
        Prim::Fma => host.fuses,
        Prim::Add
        | Prim::Sub
        | Prim::Mul
        | Prim::Div
        | Prim::Neg
        | Prim::Abs
        | Prim::Fmin
        | Prim::Fmax
        | Prim::Fdim
        | Prim::Step
        | Prim::StopGradient
        | Prim::Sqrt
        | Prim::Square
        | Prim::Inv
        | Prim::InvSqrt
        | Prim::InvSquare => true,
        _ => false,
    }
}

/// Emits a primitive of reals ([`is_inline_real`]) on `F64` or `F64X2`.
pub(super) fn real(builder: &mut FunctionBuilder<'_>, prim: Prim, args: &[Value]) -> Option<Value> {
    let ty = builder.func.dfg.value_type(*args.first()?);
    let one = |builder: &mut FunctionBuilder<'_>| constant(builder, ty, 1.0);
    Some(match (prim, args) {
        (Prim::Add, &[a, b]) => builder.ins().fadd(a, b),
        (Prim::Sub, &[a, b]) => builder.ins().fsub(a, b),
        (Prim::Mul, &[a, b]) => builder.ins().fmul(a, b),
        (Prim::Div, &[a, b]) => builder.ins().fdiv(a, b),
        (Prim::Neg, &[a]) => builder.ins().fneg(a),
        (Prim::StopGradient, &[a]) => a,
        (Prim::Fma, &[a, b, c]) => builder.ins().fma(a, b, c),
        (Prim::Abs, &[a]) => builder.ins().fabs(a),
        (Prim::Floor, &[a]) => builder.ins().floor(a),
        (Prim::Ceil, &[a]) => builder.ins().ceil(a),
        (Prim::Trunc, &[a]) => builder.ins().trunc(a),
        (Prim::Round, &[a]) => {
            // The largest number below one half: one half itself would lift 0.49999999999999994 to 1.
            let below_half = constant(builder, ty, 0.5_f64.next_down());
            let half = with_sign(builder, below_half, a);
            let sum = builder.ins().fadd(a, half);
            builder.ins().trunc(sum)
        }
        (Prim::Sqrt, &[a]) => builder.ins().sqrt(a),
        (Prim::Square, &[a]) => builder.ins().fmul(a, a),
        (Prim::Inv, &[a]) => {
            let one = one(builder);
            builder.ins().fdiv(one, a)
        }
        (Prim::InvSqrt, &[a]) => {
            let (one, root) = (one(builder), builder.ins().sqrt(a));
            builder.ins().fdiv(one, root)
        }
        (Prim::InvSquare, &[a]) => {
            let (one, square) = (one(builder), builder.ins().fmul(a, a));
            builder.ins().fdiv(one, square)
        }
        (Prim::Fmin, &[a, b]) => extreme(builder, FloatCC::LessThan, a, b),
        (Prim::Fmax, &[a, b]) => extreme(builder, FloatCC::GreaterThan, a, b),
        (Prim::Fdim, &[a, b]) => {
            let below = compare(builder, FloatCC::LessThanOrEqual, a, b);
            let (zero, difference) = (constant(builder, ty, 0.0), builder.ins().fsub(a, b));
            choose(builder, below, zero, difference)
        }
        (Prim::Step, &[a]) => {
            let (zero, one) = (constant(builder, ty, 0.0), one(builder));
            // NaN steps up, as in the kernel.
            let below = compare(builder, FloatCC::LessThan, a, zero);
            choose(builder, below, zero, one)
        }
        _ => return None,
    })
}

/// A value that is not negative, with the sign of another.
fn with_sign(builder: &mut FunctionBuilder<'_>, size: Value, sign: Value) -> Value {
    let ty = builder.func.dfg.value_type(sign);
    if ty == F64 {
        return builder.ins().fcopysign(size, sign);
    }
    let mask = constant(builder, ty, -0.0);
    let sign = builder.ins().band(sign, mask);
    builder.ins().bor(size, sign)
}

/// The second where it compares so with the first, or where the first is NaN; else the first. (The machine's own
/// minimum and maximum return the second operand when either is NaN. Of zeros of both signs this takes the first, as
/// the kernels do.)
fn extreme(builder: &mut FunctionBuilder<'_>, condition: FloatCC, a: Value, b: Value) -> Value {
    let second = compare(builder, condition, b, a);
    let first_is_nan = compare(builder, FloatCC::Unordered, a, a);
    let take_second = builder.ins().bor(second, first_is_nan);
    choose(builder, take_second, b, a)
}

/// A comparison: `I8` of scalars, a mask `I64X2` of pairs.
pub(super) fn compare(
    builder: &mut FunctionBuilder<'_>,
    condition: FloatCC,
    a: Value,
    b: Value,
) -> Value {
    builder.ins().fcmp(condition, a, b)
}

/// Whether numbers are finite, as [`compare`] tells: the difference of an infinity to itself is NaN. It needs no constants.
pub(super) fn finite(builder: &mut FunctionBuilder<'_>, value: Value) -> Value {
    let difference = builder.ins().fsub(value, value);
    compare(builder, FloatCC::Ordered, difference, difference)
}

/// The operands of a primitive that leave its result finite only if they are finite themselves.
pub(super) fn passes_infinity(prim: Prim, args: &[ValueId]) -> &[ValueId] {
    match prim {
        Prim::Add | Prim::Sub | Prim::Mul | Prim::Fma | Prim::Neg | Prim::Abs | Prim::Square => {
            args
        }
        Prim::Div => &args[..1],
        _ => &[],
    }
}

/// `condition ? then : otherwise`, with a condition as [`compare`] makes it.
pub(super) fn choose(
    builder: &mut FunctionBuilder<'_>,
    condition: Value,
    then: Value,
    otherwise: Value,
) -> Value {
    if builder.func.dfg.value_type(condition) == I64X2 {
        let mask = reinterpret(builder, F64X2, condition);
        builder.ins().bitselect(mask, then, otherwise)
    } else {
        builder.ins().select(condition, then, otherwise)
    }
}

/// The same bits as another type of vectors.
pub(super) fn reinterpret(builder: &mut FunctionBuilder<'_>, ty: Type, value: Value) -> Value {
    let flags = MemFlagsData::new().with_endianness(Endianness::Little);
    builder.ins().bitcast(ty, flags, value)
}

/// A constant in every lane.
pub(super) fn constant(builder: &mut FunctionBuilder<'_>, ty: Type, value: f64) -> Value {
    let scalar = builder.ins().f64const(value);
    if ty == F64 {
        scalar
    } else {
        builder.ins().splat(ty, scalar)
    }
}

/// The comparison of reals that a primitive is.
pub(super) fn real_condition(prim: Prim) -> Option<FloatCC> {
    Some(match prim {
        Prim::Eq => FloatCC::Equal,
        Prim::Ne => FloatCC::NotEqual,
        Prim::Lt => FloatCC::LessThan,
        Prim::Le => FloatCC::LessThanOrEqual,
        Prim::Gt => FloatCC::GreaterThan,
        Prim::Ge => FloatCC::GreaterThanOrEqual,
        _ => return None,
    })
}

/// The comparison of integers that a primitive is.
pub(super) fn int_condition(prim: Prim) -> Option<IntCC> {
    Some(match prim {
        Prim::EqInt => IntCC::Equal,
        Prim::NeInt => IntCC::NotEqual,
        Prim::LtInt => IntCC::SignedLessThan,
        Prim::LeInt => IntCC::SignedLessThanOrEqual,
        Prim::GtInt => IntCC::SignedGreaterThan,
        Prim::GeInt => IntCC::SignedGreaterThanOrEqual,
        _ => return None,
    })
}

/// The truth value (scalars: `I8`, pairs: a mask) of a primitive that asks about reals.
pub(super) fn question(
    builder: &mut FunctionBuilder<'_>,
    prim: Prim,
    args: &[Value],
) -> Option<Value> {
    if let (Some(condition), &[a, b]) = (real_condition(prim), args) {
        return Some(compare(builder, condition, a, b));
    }
    let &[a] = args else { return None };
    let ty = builder.func.dfg.value_type(a);
    Some(match prim {
        Prim::IsNan => compare(builder, FloatCC::Unordered, a, a),
        Prim::IsInf => {
            let size = builder.ins().fabs(a);
            let infinity = constant(builder, ty, f64::INFINITY);
            compare(builder, FloatCC::Equal, size, infinity)
        }
        Prim::IntStep => {
            let zero = constant(builder, ty, 0.0);
            compare(builder, FloatCC::GreaterThan, a, zero)
        }
        _ => return None,
    })
}

/// Emits arithmetic of integers.
pub(super) fn int(builder: &mut FunctionBuilder<'_>, prim: Prim, args: &[Value]) -> Option<Value> {
    Some(match (prim, args) {
        (Prim::AddInt, &[a, b]) => builder.ins().iadd(a, b),
        (Prim::SubInt, &[a, b]) => builder.ins().isub(a, b),
        (Prim::MulInt, &[a, b]) => builder.ins().imul(a, b),
        (Prim::NegInt, &[a]) => builder.ins().ineg(a),
        (Prim::AbsInt, &[a]) => {
            let negative = builder.ins().icmp_imm_s(IntCC::SignedLessThan, a, 0);
            let opposite = builder.ins().ineg(a);
            builder.ins().select(negative, opposite, a)
        }
        (Prim::MinInt, &[a, b]) => {
            let less = builder.ins().icmp(IntCC::SignedLessThan, a, b);
            builder.ins().select(less, a, b)
        }
        (Prim::MaxInt, &[a, b]) => {
            let less = builder.ins().icmp(IntCC::SignedLessThan, a, b);
            builder.ins().select(less, b, a)
        }
        (Prim::DivInt | Prim::ModInt, &[a, b]) => divide(builder, prim, a, b),
        _ => return None,
    })
}

/// Division that cannot trap. The machine faults on a divisor of 0 (which a check excludes) and on the least integer
/// divided by -1 (which wraps), so both divisors are replaced and the result put right.
fn divide(builder: &mut FunctionBuilder<'_>, prim: Prim, a: Value, b: Value) -> Value {
    let next = builder.ins().iadd_imm_s(b, 1);
    let special = builder
        .ins()
        .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, next, 1);
    let one = builder.ins().iconst(I64, 1);
    let divisor = builder.ins().select(special, one, b);
    if prim == Prim::ModInt {
        // Remainders by 1 and by -1 are 0.
        return builder.ins().srem(a, divisor);
    }
    let quotient = builder.ins().sdiv(a, divisor);
    let negated = builder.ins().ineg(a);
    builder.ins().select(special, negated, quotient)
}
