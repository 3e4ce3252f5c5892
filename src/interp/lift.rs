//! Calls: primitives over scalars and containers, functions of the program once, per element or summed.

use std::borrow::Cow;

use super::evaluate::Evaluator;
use super::failure::{Eval, Failure};
use super::frame::Frame;
use super::statement::Flow;
use super::text::describe_shape;
use super::value::{Container, Scalars, Value};
use crate::builtins::{Draw, Kernel, Prim, Scalar};
use crate::ir::{Expr, FunctionId, Lift};
use crate::loops::linear::sample;
use crate::source::Span;
use crate::types::Ty;

/// The deepest nesting of calls: what a thread's usual stack of 2 MiB holds with room to spare (an unoptimised build
/// overflows it between 100 and 256; an optimised one needs a fraction).
const MAX_DEPTH: usize = if cfg!(debug_assertions) { 100 } else { 400 };

/// The most arguments that any primitive has.
const MAX_PRIM_ARGS: usize = 3;

impl Evaluator<'_, '_> {
    /// A primitive whose arguments are all scalars.
    pub(super) fn prim_of_scalars(
        &self,
        prim: Prim,
        args: &[Expr],
        span: Span,
        frame: &Frame<'_>,
    ) -> Eval<Scalar> {
        let mut scalars = [Scalar::Int(0); MAX_PRIM_ARGS];
        for (scalar, arg) in scalars.iter_mut().zip(args) {
            *scalar = self.scalar(arg, frame)?;
        }
        prim.apply(&scalars)
            .ok_or_else(|| no_result(prim, &scalars[..args.len().min(MAX_PRIM_ARGS)], span))
    }

    /// A random draw.
    pub(super) fn draw(
        &self,
        draw: Draw,
        args: &[Expr],
        span: Span,
        frame: &Frame<'_>,
    ) -> Eval<Value> {
        let mut scalars = Vec::with_capacity(args.len());
        for arg in args {
            scalars.push(self.scalar(arg, frame)?);
        }
        let mut effects = self.effects.borrow_mut();
        let Some(rng) = effects.rng.as_deref_mut() else {
            let message = "random numbers cannot be drawn here: there is no generator";
            return Err(Failure::fatal(message, span));
        };
        sample(draw, &scalars, rng)
            .map(Value::from)
            .map_err(|stop| Failure::fatal(stop.text, span))
    }

    /// A primitive lifted over containers of one shape, element by element.
    pub(super) fn prim(
        &self,
        prim: Prim,
        args: &[Expr],
        expr: &Expr,
        frame: &Frame<'_>,
    ) -> Eval<Value> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(arg, frame)?);
        }
        let Some(shape) = values.iter().find_map(|value| value.as_container()) else {
            return self
                .prim_of_scalars(prim, args, expr.span, frame)
                .map(Value::from);
        };
        for value in values.iter().filter_map(|value| value.as_container()) {
            if value.dims != shape.dims {
                let message = format!(
                    "{}: sizes do not match: {} and {}",
                    prim.name(),
                    describe_shape(&Value::Container(shape.clone())),
                    describe_shape(&Value::Container(value.clone())),
                );
                return Err(Failure::fatal(message, expr.span));
            }
        }
        let operands: Vec<Operand> = values.iter().map(|value| Operand::of(value)).collect();
        let result = match prim.real_kernel() {
            Some(kernel) => Scalars::Real(map_reals(kernel, &operands, shape.len()).into()),
            None => map_scalars(prim, &operands, shape.len(), &expr.ty, expr.span)?,
        };
        Ok(Value::Container(Container {
            ty: expr.ty.clone(),
            dims: shape.dims.clone(),
            scalars: result,
        }))
    }

    /// A call of a function of the program that returns a value.
    pub(super) fn function(
        &self,
        id: FunctionId,
        lift: Lift,
        args: &[Expr],
        expr: &Expr,
        frame: &Frame<'_>,
    ) -> Eval<Value> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(arg, frame)?);
        }
        match lift {
            Lift::Whole => self.invoke(id, values, expr.span),
            Lift::Each => self.invoke_each(id, &values, expr),
            Lift::Sum => {
                let mut sum = 0.0;
                self.for_each_element(id, &values, expr.span, |result| {
                    sum += result.as_real().unwrap_or(f64::NAN);
                })?;
                Ok(Value::Real(sum))
            }
        }
    }

    /// Runs a function once per element and gathers the results in a container of the call's type.
    fn invoke_each(&self, id: FunctionId, values: &[Cow<'_, Value>], expr: &Expr) -> Eval<Value> {
        let mut scalars = Scalars::unset(&expr.ty.scalar(), 0);
        let mut inner: Option<Vec<usize>> = None;
        let mut dims = self.for_each_element(id, values, expr.span, |result| {
            inner.get_or_insert_with(|| result.dims().to_vec());
            scalars.append(&result);
        })?;
        dims.extend(inner.unwrap_or_default());
        dims.resize(expr.ty.rank(), 0);
        Ok(Value::Container(Container {
            ty: expr.ty.clone(),
            dims,
            scalars,
        }))
    }

    /// Calls a function for each element of its lifted arguments; returns the sizes of what was lifted over.
    fn for_each_element(
        &self,
        id: FunctionId,
        values: &[Cow<'_, Value>],
        span: Span,
        mut take: impl FnMut(Value),
    ) -> Eval<Vec<usize>> {
        let lifted = self.lifted(id, values, span)?;
        let count: usize = lifted.dims.iter().product();
        for at in 0..count {
            let mut args = Vec::with_capacity(values.len());
            for (value, declared) in values.iter().zip(&lifted.declared) {
                args.push(part(value.as_ref(), declared, at, count));
            }
            take(self.invoke(id, args, span)?);
        }
        Ok(lifted.dims)
    }

    /// Which arguments are lifted, and over what shape. All must agree.
    fn lifted(&self, id: FunctionId, values: &[Cow<'_, Value>], span: Span) -> Eval<Lifted> {
        let function = self.program.function(id);
        let mut declared = Vec::with_capacity(values.len());
        let mut shape: Option<(usize, &[usize])> = None;
        for (position, (value, var)) in values.iter().zip(&function.arguments).enumerate() {
            let ty = &self.program.variable(*var).sized.ty;
            let container = match value.as_ref() {
                Value::Container(container) if container.ty != *ty => container,
                _ => {
                    declared.push(None);
                    continue;
                }
            };
            declared.push(Some(ty.clone()));
            let dims = &container.dims[..container.dims.len().saturating_sub(ty.rank())];
            match shape {
                Some((first, expected)) if expected != dims => {
                    let name = |at: usize| {
                        let var = function.arguments[at];
                        self.program.variable(var).name.as_str()
                    };
                    let message = format!(
                        "{}: sizes of the arguments do not match: {} is {}, but {} is {}",
                        function.name,
                        name(first),
                        describe_shape(&values[first]),
                        name(position),
                        describe_shape(value)
                    );
                    return Err(Failure::fatal(message, span));
                }
                Some(_) => {}
                None => shape = Some((position, dims)),
            }
        }
        // Nothing is lifted where the only lifted dimension was dropped by the checker: one call.
        let dims = shape.map_or_else(Vec::new, |(_, dims)| dims.to_vec());
        Ok(Lifted { declared, dims })
    }

    /// Runs a function that returns a value.
    pub(super) fn invoke<'f>(
        &self,
        id: FunctionId,
        args: Vec<Cow<'f, Value>>,
        span: Span,
    ) -> Eval<Value> {
        self.run_function(id, args, span)?
            .ok_or_else(|| Failure::internal("a function ended without a value", span))
    }

    /// Runs a function; the value is what it returned, if it did.
    pub(super) fn run_function<'f>(
        &self,
        id: FunctionId,
        args: Vec<Cow<'f, Value>>,
        span: Span,
    ) -> Eval<Option<Value>> {
        let function = self.program.function(id);
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            let message = format!(
                "`{}` is called from within itself more than {MAX_DEPTH} times",
                function.name
            );
            return Err(Failure::fatal(message, span));
        }
        let mut frame = self.layout.function_frame(id.0 as usize);
        for (var, value) in function.arguments.iter().zip(args) {
            frame.set(self.layout.slot(*var), value);
        }
        self.depth.set(depth + 1);
        let outcome = self.run(&function.body, &mut frame);
        self.depth.set(depth);
        match outcome {
            Ok(Flow::Return(value)) => Ok(value.map(|value| *value)),
            Ok(_) => Ok(None),
            Err(failure) if function.from_library => Err(failure.at(span)),
            Err(failure) => Err(failure),
        }
    }
}

/// How a call is lifted: for each argument its declared type if it is taken apart, and the sizes it is taken apart by.
struct Lifted {
    declared: Vec<Option<Ty>>,
    dims: Vec<usize>,
}

/// The argument for element `at` of `count`; elements lie one after another in storage.
fn part<'a>(value: &'a Value, declared: &Option<Ty>, at: usize, count: usize) -> Cow<'a, Value> {
    let (Some(ty), Value::Container(container)) = (declared, value) else {
        return Cow::Borrowed(value);
    };
    if ty.is_scalar() {
        return Cow::Owned(container.scalars.get(at).into());
    }
    let len = container.len() / count;
    let range = at * len..(at + 1) * len;
    let outer = container.dims.len() - ty.rank();
    Cow::Owned(Value::Container(Container {
        ty: ty.clone(),
        dims: container.dims[outer..].to_vec(),
        scalars: match &container.scalars {
            Scalars::Int(values) => Scalars::Int(values[range].to_vec().into()),
            Scalars::Real(values) => Scalars::Real(values[range].to_vec().into()),
        },
    }))
}

/// An argument of a lifted primitive.
enum Operand<'a> {
    Fixed(Scalar),
    Ints(&'a [i64]),
    Reals(&'a [f64]),
}

impl<'a> Operand<'a> {
    fn of(value: &'a Value) -> Operand<'a> {
        match value {
            Value::Int(value) => Operand::Fixed(Scalar::Int(*value)),
            Value::Real(value) => Operand::Fixed(Scalar::Real(*value)),
            Value::Container(container) => match &container.scalars {
                Scalars::Int(values) => Operand::Ints(values),
                Scalars::Real(values) => Operand::Reals(values),
            },
            Value::Tuple(_) => Operand::Fixed(Scalar::Real(f64::NAN)),
        }
    }

    fn at(&self, position: usize) -> Scalar {
        match self {
            Operand::Fixed(scalar) => *scalar,
            Operand::Ints(values) => Scalar::Int(values[position]),
            Operand::Reals(values) => Scalar::Real(values[position]),
        }
    }
}

/// A function of reals, element by element.
fn map_reals(kernel: Kernel, operands: &[Operand<'_>], len: usize) -> Vec<f64> {
    let real = |operand: usize, at: usize| operands[operand].at(at).as_real();
    match (kernel, operands) {
        (Kernel::R1(function), [Operand::Reals(xs)]) => xs.iter().map(|&x| function(x)).collect(),
        (Kernel::R1(function), _) => (0..len).map(|at| function(real(0, at))).collect(),
        (Kernel::R2(function), [Operand::Reals(xs), Operand::Reals(ys)]) => {
            xs.iter().zip(*ys).map(|(&x, &y)| function(x, y)).collect()
        }
        (Kernel::R2(function), _) => (0..len)
            .map(|at| function(real(0, at), real(1, at)))
            .collect(),
        (Kernel::R3(function), _) => (0..len)
            .map(|at| function(real(0, at), real(1, at), real(2, at)))
            .collect(),
    }
}

/// Any primitive, element by element.
fn map_scalars(
    prim: Prim,
    operands: &[Operand<'_>],
    len: usize,
    ty: &Ty,
    span: Span,
) -> Eval<Scalars> {
    let mut result = Scalars::unset(&ty.scalar(), len);
    let mut scalars = [Scalar::Int(0); MAX_PRIM_ARGS];
    for at in 0..len {
        for (scalar, operand) in scalars.iter_mut().zip(operands) {
            *scalar = operand.at(at);
        }
        let scalar = (prim.apply(&scalars))
            .ok_or_else(|| no_result(prim, &scalars[..operands.len()], span))?;
        result.set(at, scalar);
    }
    Ok(result)
}

/// Why a primitive had no result.
fn no_result(prim: Prim, args: &[Scalar], span: Span) -> Failure {
    let message = match (prim, args) {
        (Prim::DivInt | Prim::ModInt, [Scalar::Int(dividend), _]) => {
            format!("integer division of {dividend} by zero")
        }
        (Prim::ToInt, [value]) => {
            format!("to_int: {value} is not within the range of an int")
        }
        _ => format!("{} has no result", prim.name()),
    };
    Failure::rejected(message, span)
}
