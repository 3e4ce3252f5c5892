//! Solutions of differential equations whose right-hand side is a function of the program. Values only: no sensitivities.

use std::borrow::Cow;

use super::evaluate::Evaluator;
use super::failure::{Eval, Failure};
use super::frame::Frame;
use super::value::{Container, Value};
use crate::builtins::Integrator;
use crate::ir::{Expr, ExprKind, FunctionId};
use crate::kernels::ode::{self, Tolerances};
use crate::kernels::special;
use crate::source::Span;
use crate::types::{Level, Ty};

/// Where parameters are involved, Stan controls the error of the states together with that of their sensitivities, and so
/// takes shorter steps than the states alone ask for. Here they are alone, so their tolerance is smaller: by a factor
/// with which the log densities of the oracle's models agree to 1e-5 even far out.
const TIGHTER: f64 = 1e-2;
/// How many more steps of a fifth-order method that can take, with room to spare (1e2^(1/5) = 2.5).
const MORE_STEPS: u64 = 4;

/// A system of equations: the function, what it takes besides time and state, and how its state is typed.
struct System<'s, 'v> {
    function: FunctionId,
    passed_on: &'s [Cow<'v, Value>],
    state: Ty,
    span: Span,
}

impl Evaluator<'_, '_> {
    /// The states at the output times, as an array of what the initial state is.
    pub(super) fn solve_ode(
        &self,
        integrator: Integrator,
        args: &[Expr],
        expr: &Expr,
        frame: &Frame<'_>,
    ) -> Eval<Value> {
        let Some((
            Expr {
                kind: ExprKind::Function(function),
                ..
            },
            _,
        )) = args.split_first()
        else {
            return Err(Failure::internal(
                "an integrator takes a function",
                expr.span,
            ));
        };
        let mut values = vec![Cow::Owned(Value::Int(0))];
        for arg in &args[1..] {
            values.push(self.eval(arg, frame)?);
        }
        let number = |at: usize| values.get(at).and_then(|value| value.as_real());
        let (y0, t0) = (values[1].to_reals(), number(2).unwrap_or(f64::NAN));
        let times = values[3].to_reals();
        let Some(mut tolerances) = integrator.tolerances(number) else {
            return Err(Failure::internal("tolerances are numbers", expr.span));
        };
        verify(&y0, t0, &times, &tolerances, expr.span)?;
        if expr.level == Level::Param {
            tolerances.relative *= TIGHTER;
            tolerances.absolute *= TIGHTER;
            tolerances.max_steps = tolerances.max_steps.saturating_mul(MORE_STEPS);
        }
        let system = System {
            function: *function,
            passed_on: &values[integrator.passed_on()],
            state: values[1].ty(),
            span: expr.span,
        };
        let mut states = vec![0.0; times.len() * y0.len()];
        let right_side = |t: f64, y: &[f64], dy: &mut [f64]| self.derivative(&system, t, y, dy);
        let outcome = if integrator.stiff {
            let jacobian = |t: f64, y: &[f64], j: &mut [f64]| self.jacobian(&system, t, y, j);
            let n = y0.len();
            ode::bdf(
                right_side,
                jacobian,
                n,
                t0,
                &y0,
                &times,
                &tolerances,
                &mut states,
            )
        } else {
            ode::rk45(right_side, t0, &y0, &times, &tolerances, &mut states)
        };
        outcome.map_err(|failure| match failure {
            ode::Failure::System(failure) => failure,
            solver => Failure::rejected(solver.to_string(), expr.span),
        })?;
        let dims = vec![times.len(), y0.len()];
        Ok(Value::Container(Container::reals(
            expr.ty.clone(),
            dims,
            states,
        )))
    }

    /// dy/dt, by the program's function.
    fn derivative(&self, system: &System<'_, '_>, t: f64, y: &[f64], dy: &mut [f64]) -> Eval<()> {
        let state = Container::reals(system.state.clone(), vec![y.len()], y.to_vec());
        let mut args = vec![
            Cow::Owned(Value::Real(t)),
            Cow::Owned(Value::Container(state)),
        ];
        let passed_on = system.passed_on.iter();
        args.extend(passed_on.map(|value| Cow::Borrowed(value.as_ref())));
        let result = self.invoke(system.function, args, system.span)?.to_reals();
        if result.len() != dy.len() {
            let message = format!(
                "the system returns {} derivatives, but the state has {} elements",
                result.len(),
                dy.len()
            );
            return Err(Failure::fatal(message, system.span));
        }
        dy.copy_from_slice(&result);
        Ok(())
    }

    /// ∂(dy/dt)/∂y by forward differences, which serves Newton's iteration: it needs no more than a direction.
    fn jacobian(&self, system: &System<'_, '_>, t: f64, y: &[f64], out: &mut [f64]) -> Eval<()> {
        let n = y.len();
        let (mut base, mut moved) = (vec![0.0; n], vec![0.0; n]);
        self.derivative(system, t, y, &mut base)?;
        let mut state = y.to_vec();
        for column in 0..n {
            // The step that balances rounding against curvature; 1e-5 keeps it from vanishing with the state.
            let step = special::sqrt(f64::EPSILON) * special::abs(y[column]).max(1e-5);
            state[column] = y[column] + step;
            self.derivative(system, t, &state, &mut moved)?;
            for row in 0..n {
                out[row + column * n] = (moved[row] - base[row]) / (state[column] - y[column]);
            }
            state[column] = y[column];
        }
        Ok(())
    }
}

/// What Stan requires of an integrator's arguments.
fn verify(y0: &[f64], t0: f64, times: &[f64], tolerances: &Tolerances, span: Span) -> Eval<()> {
    if y0.is_empty() || times.is_empty() {
        let what = if y0.is_empty() {
            "initial state"
        } else {
            "array of times"
        };
        return Err(Failure::fatal(
            format!("the {what} of the system is empty"),
            span,
        ));
    }
    ode::verify(y0, t0, times, tolerances).map_err(|what| Failure::rejected(what, span))
}
