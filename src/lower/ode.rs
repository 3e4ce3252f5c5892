//! Differential equations that depend on parameters: the right-hand side becomes a procedure of its own, which a solver runs.
//!
//! What the right-hand side takes besides time and state is divided in three. What is known now is inlined. What may depend
//! on parameters is packed into one buffer, with respect to which the solver finds sensitivities. The rest (data that
//! are not known now, such as a row picked by the variable of a loop) is packed into another, without.

use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::view::{Operand, Source, Val, View, kind_of};
use crate::autodiff::differentiate;
use crate::builtins::{Integrator, Kind, Prim};
use crate::interp::{Container, Value};
use crate::ir::{Expr, ExprKind, FunctionId};
use crate::kernels::ode::Tolerances;
use crate::loops::{
    BufferId, Intrinsic, MessageKind, Part, Problem, Procedure, Role, Slice, Stmt, System, ValueId,
};
use crate::source::Span;
use crate::types::{Level, Ty};
use std::rc::Rc;

/// States up to this number are written out one by one: the code is shorter than the loop around it.
const WRITTEN_OUT: usize = 8;

/// All that a system's procedures depend on: calls that agree in it share them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SystemKey {
    function: FunctionId,
    /// The type of the state.
    state: Ty,
    passed_on: Vec<Passed>,
    problem: Problem,
}

/// How an argument reaches the right-hand side.
#[derive(Clone, Debug, PartialEq)]
enum Passed {
    /// It is known now.
    Known(Rc<Value>),
    /// A scalar in a buffer.
    Scalar(Kind, Place),
    /// A container in a buffer, in storage order.
    Container(Ty, Vec<usize>, Place),
    /// Part by part.
    Tuple(Vec<Passed>),
}

/// A place in what a system is given at each call of the solver.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    group: Group,
    offset: usize,
}

/// The buffers that hold a system's arguments.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Group {
    /// With sensitivities.
    Parameters,
    /// Without.
    Given,
}

/// What is packed for a system: the values and their places.
#[derive(Default)]
struct Packing {
    values: Vec<(Val, Place)>,
    parameters: usize,
    given: usize,
}

impl Packing {
    fn place(&mut self, group: Group, len: usize) -> Place {
        let end = match group {
            Group::Parameters => &mut self.parameters,
            Group::Given => &mut self.given,
        };
        let offset = *end;
        *end += len;
        Place { group, offset }
    }
}

impl Lowering<'_> {
    /// The states at the output times, as an array of what the initial state is.
    pub fn solve_ode(
        &mut self,
        integrator: Integrator,
        args: &[Expr],
        expr: &Expr,
    ) -> Lowered<Val> {
        let span = expr.span;
        let ExprKind::Function(function) = args[0].kind else {
            return Err(LowerError::unsupported("this system", args[0].span));
        };
        let initial = self.value(&args[1])?;
        let initial_varies = self.varies(&initial, &args[1]);
        let initial = self.view_of(&initial, args[1].span)?;
        let states = self.known_dims(&initial, args[1].span)?[0];
        let (times, count) = self.solution_times(&args[2], &args[3])?;
        let tolerances = self.tolerances(integrator, args)?;
        let mut packing = Packing::default();
        let mut passed_on = Vec::new();
        for arg in &args[integrator.passed_on()] {
            let value = self.value(arg)?;
            let group = match self.varies(&value, arg) {
                true => Group::Parameters,
                false => Group::Given,
            };
            passed_on.push(self.pass(&value, group, &mut packing, arg)?);
        }
        let columns = packing.parameters + if initial_varies { states } else { 0 };
        let key = SystemKey {
            function,
            state: args[1].ty.clone(),
            passed_on,
            problem: Problem {
                states,
                parameters: packing.parameters,
                columns,
                given: packing.given,
                stiff: integrator.stiff,
                tolerances,
            },
        };
        let system = self.system(key, span)?;
        let [parameters, given] = self.pack(packing, span)?;
        let initial = self.slice(&initial, args[1].span)?;
        let inputs = [initial, parameters, given, times];
        self.call_solver(system, inputs, [states, count, columns], expr)
    }

    /// Whether a derivative with respect to a value may be asked for.
    fn varies(&self, value: &Val, expr: &Expr) -> bool {
        self.differentiable && expr.level == Level::Param && !matches!(value, Val::Static(_))
    }

    /// The initial time and the times of the solution, one after the other, and how many those are.
    fn solution_times(&mut self, first: &Expr, others: &Expr) -> Lowered<(Slice, usize)> {
        let (t0, times) = (self.value(first)?, self.value(others)?);
        for (value, expr) in [(&t0, first), (&times, others)] {
            if self.varies(value, expr) {
                return Err(LowerError::unsupported(
                    "a time of a solution that depends on parameters",
                    expr.span,
                ));
            }
        }
        if let (Val::Static(t0), Val::Static(times)) = (&t0, &times)
            && let Some(t0) = t0.as_real()
        {
            let times = times.to_reals();
            let all = [&[t0], times.as_slice()].concat();
            let all = Val::Static(Rc::new(Value::Container(Container::vector(all))));
            let all = self.view_of(&all, others.span)?;
            return Ok((self.slice(&all, others.span)?, times.len()));
        }
        let times = self.view_of(&times, others.span)?;
        let count = self.known_dims(&times, others.span)?[0];
        let all = self.new_storage("times", &Ty::Vector, &[1 + count]);
        let (zero, t0) = (self.int(0), self.scalar_of(&t0, first.span)?);
        self.store_element(&all, &[zero], t0)?;
        let rest = self.stretch(&all, 1, times.ty.clone(), &[count])?;
        self.copy_elements(&rest, &times)?;
        Ok((self.slice(&Rc::new(all), others.span)?, count))
    }

    fn tolerances(&mut self, integrator: Integrator, args: &[Expr]) -> Lowered<Tolerances> {
        let mut unknown = None;
        let tolerances = integrator.tolerances(|at| {
            let number = self.known(&args[at]).and_then(|value| value.as_real());
            if number.is_none() {
                unknown = Some(args[at].span);
            }
            number
        });
        tolerances.ok_or_else(|| {
            LowerError::dynamic("a tolerance of a solver", unknown.unwrap_or_default())
        })
    }

    // ------------------------------------------------------------------------------------------
    // Arguments
    // ------------------------------------------------------------------------------------------

    /// Finds a place for an argument.
    fn pass(
        &mut self,
        value: &Val,
        group: Group,
        packing: &mut Packing,
        arg: &Expr,
    ) -> Lowered<Passed> {
        Ok(match value {
            Val::Static(value) => Passed::Known(value.clone()),
            Val::Tuple(parts) => {
                let mut passed = Vec::with_capacity(parts.len());
                for part in parts {
                    passed.push(self.pass(part, group, packing, arg)?);
                }
                Passed::Tuple(passed)
            }
            Val::Scalar(scalar) => {
                let kind = self.builder.kind(*scalar);
                let int = self.builder.known_int(*scalar).map(Value::Int);
                let real = self.builder.known_real(*scalar).map(Value::Real);
                if let Some(constant) = int.or(real) {
                    return Ok(Passed::Known(Rc::new(constant)));
                }
                let place = packing.place(group_of(kind, group), 1);
                packing.values.push((value.clone(), place));
                Passed::Scalar(kind, place)
            }
            Val::View(view) => {
                let dims = self.known_dims(view, arg.span)?;
                let len = dims.iter().product();
                let place = packing.place(group_of(view.kind(), group), len);
                packing.values.push((value.clone(), place));
                Passed::Container(view.ty.clone(), dims, place)
            }
        })
    }

    /// Stores the arguments in their places; returns those with sensitivities and those without.
    fn pack(&mut self, packing: Packing, span: Span) -> Lowered<[Slice; 2]> {
        let parameters = self.new_storage("parameters", &Ty::Vector, &[packing.parameters]);
        let given = self.new_storage("given", &Ty::Vector, &[packing.given]);
        for (value, place) in &packing.values {
            let buffer = match place.group {
                Group::Parameters => &parameters,
                Group::Given => &given,
            };
            match value {
                Val::View(view) => {
                    let dims = self.known_dims(view, span)?;
                    let stretch = self.stretch(buffer, place.offset, view.ty.clone(), &dims)?;
                    self.copy_elements(&stretch, view)?;
                }
                scalar => {
                    let scalar = self.scalar_of(scalar, span)?;
                    let index = self.int(place.offset as i64);
                    self.store_element(buffer, &[index], scalar)?;
                }
            }
        }
        Ok([
            self.slice(&Rc::new(parameters), span)?,
            self.slice(&Rc::new(given), span)?,
        ])
    }

    /// A container of reals in storage order from an element of a buffer on. Integers are stored as reals.
    fn stretch(&mut self, whole: &View, from: usize, ty: Ty, dims: &[usize]) -> Lowered<View> {
        let Source::Strided { buffer, .. } = whole.source else {
            return Err(LowerError::unsupported("this storage", Span::default()));
        };
        let offset = self.int(from as i64);
        Ok(self.strided(ty, dims, buffer, offset))
    }

    /// An argument, as the right-hand side's procedure finds it.
    fn receive(&mut self, passed: &Passed, places: &dyn Fn(Place) -> (BufferId, usize)) -> Val {
        match passed {
            Passed::Known(value) => Val::Static(value.clone()),
            Passed::Tuple(parts) => {
                let parts = parts.iter().map(|part| self.receive(part, places));
                Val::Tuple(parts.collect())
            }
            Passed::Scalar(kind, place) => {
                let (buffer, offset) = places(*place);
                let index = self.int(offset as i64);
                let real = self.builder.load(buffer, index);
                Val::Scalar(match kind {
                    Kind::Real => real,
                    Kind::Int => self.prim(Prim::ToInt, &[real]),
                })
            }
            Passed::Container(ty, dims, place) => {
                let (buffer, offset) = places(*place);
                let offset = self.int(offset as i64);
                let view = self.strided(ty.clone(), dims, buffer, offset);
                Val::View(Rc::new(match kind_of(ty) {
                    Kind::Real => view,
                    Kind::Int => View {
                        ty: ty.clone(),
                        dims: view.dims.clone(),
                        source: Source::Map(Prim::ToInt, vec![Operand::View(Rc::new(view))]),
                    },
                }))
            }
        }
    }

    // ------------------------------------------------------------------------------------------
    // The system
    // ------------------------------------------------------------------------------------------

    /// The number of a system, made unless a call before this one did.
    fn system(&mut self, key: SystemKey, span: Span) -> Lowered<u32> {
        if let Some(known) = self.systems.iter().position(|system| *system == key) {
            return Ok(known as u32);
        }
        let right_side = self.right_side(&key, span)?;
        let needs_jacobian = key.problem.columns > 0 || key.problem.stiff;
        let weighted = needs_jacobian
            .then(|| self.weighted(&key, span))
            .transpose()?;
        let number = self.systems.len() as u32;
        self.builder.procedure.systems.push(System {
            name: self.program.function(key.function).name.clone(),
            problem: key.problem,
            right_side,
            weighted,
            coupled: None,
        });
        self.systems.push(key);
        Ok(number)
    }

    /// The procedure that computes dy/dt.
    fn right_side(&self, key: &SystemKey, span: Span) -> Lowered<Procedure> {
        let name = self.program.function(key.function).name.as_str();
        let mut inner = self.inner(name, false);
        let states = key.problem.states;
        let output = inner
            .builder
            .buffer("slope", Kind::Real, states, Role::Output(0));
        if let Some(slope) = inner.slope(key, span)? {
            let zero = inner.int(0);
            let place = inner.strided(slope.ty.clone(), &[states], output, zero);
            inner.copy_elements(&place, &slope)?;
        }
        Ok(inner.builder.finish())
    }

    /// The procedure that computes the gradient of a weighted sum of dy/dt's elements.
    fn weighted(&self, key: &SystemKey, span: Span) -> Lowered<Procedure> {
        let name = self.program.function(key.function).name.as_str();
        let mut inner = self.inner(name, true);
        let states = key.problem.states;
        let weights = inner
            .builder
            .buffer("weights", Kind::Real, states, Role::Input(2));
        let total = inner.builder.cell("total", Kind::Real);
        inner.builder.procedure.result = Some(total);
        if let Some(slope) = inner.slope(key, span)? {
            let mut term = |inner: &mut Self, index: ValueId| -> Lowered<()> {
                let element = inner.element(&slope, &[index])?;
                let (element, weight) = (
                    inner.real_value(element),
                    inner.builder.load(weights, index),
                );
                let product = inner.prim(Prim::Mul, &[weight, element]);
                inner.builder.push(Stmt::Add(total, product));
                Ok(())
            };
            let (zero, count) = (inner.int(0), inner.int(states as i64));
            if states <= WRITTEN_OUT {
                for state in 0..states {
                    let index = inner.int(state as i64);
                    term(&mut inner, index)?;
                }
            } else {
                inner.residual_loop(zero, count, &mut term)?;
            }
        }
        let mut gradient = differentiate(&inner.builder.finish());
        gradient.name = format!("gradient of {name}");
        // Nobody asks for the sum itself.
        gradient.result = None;
        Ok(gradient)
    }

    /// The state of lowering a procedure of a system.
    fn inner(&self, name: &str, differentiable: bool) -> Self {
        let mut inner = Lowering::bare(self.program, name);
        inner.differentiable = differentiable;
        inner.depth = self.depth;
        inner
    }

    /// dy/dt in a procedure of a system; none if it has another size than the state, which ends the run then.
    fn slope(&mut self, key: &SystemKey, span: Span) -> Lowered<Option<Rc<View>>> {
        let Problem {
            states,
            parameters,
            given,
            ..
        } = key.problem;
        let point = states + parameters;
        let point = self
            .builder
            .buffer("point", Kind::Real, point, Role::Input(0));
        let given = self
            .builder
            .buffer("given", Kind::Real, 1 + given, Role::Input(1));
        let zero = self.int(0);
        let time = self.builder.load(given, zero);
        let state = self.strided(key.state.clone(), &[states], point, zero);
        let places = |place: Place| match place.group {
            Group::Parameters => (point, states + place.offset),
            Group::Given => (given, 1 + place.offset),
        };
        let mut args = vec![Val::Scalar(time), Val::View(Rc::new(state))];
        for passed in &key.passed_on {
            args.push(self.receive(passed, &places));
        }
        let slope = self.invoke_value(key.function, args, span)?;
        let slope = self.view_of(&slope, span)?;
        let size = self.known_dims(&slope, span)?[0];
        if size == states {
            return Ok(Some(slope));
        }
        let text =
            format!("the system returns {size} derivatives, but the state has {states} elements");
        self.check(
            zero,
            MessageKind::Fatal,
            vec![Part::Text(text)],
            Vec::new(),
            span,
        );
        Ok(None)
    }

    /// Emits the call; its value is the solution.
    fn call_solver(
        &mut self,
        system: u32,
        inputs: [Slice; 4],
        [states, count, columns]: [usize; 3],
        expr: &Expr,
    ) -> Lowered<Val> {
        let span = expr.span;
        for (size, what) in [(states, "initial state"), (count, "array of times")] {
            let ok = self.int(size as i64);
            let text = format!("the {what} of the system is empty");
            let parts = vec![Part::Text(text)];
            self.check(ok, MessageKind::Fatal, parts, Vec::new(), span);
        }
        let solution = self.new_storage("solution", &expr.ty, &[count, states]);
        let height = count * states;
        let sensitivities = self.new_storage("sensitivities", &Ty::Matrix, &[height, columns]);
        let [solution_slice, sensitivities] = [
            (&solution, states, count),
            (&sensitivities, height, columns),
        ]
        .map(|(view, rows, cols)| {
            let (rows, cols) = (self.int(rows as i64), self.int(cols as i64));
            match &view.source {
                Source::Strided { buffer, offset, .. } => Some(Slice {
                    buffer: *buffer,
                    offset: *offset,
                    rows,
                    cols,
                }),
                _ => None,
            }
        });
        let message = self.plain_message(MessageKind::Reject, "", span);
        self.builder.push(Stmt::Call {
            function: Intrinsic::Ode(system),
            inputs: inputs.to_vec(),
            outputs: solution_slice.into_iter().chain(sensitivities).collect(),
            message,
        });
        Ok(Val::View(Rc::new(solution)))
    }
}

/// Integers have no derivatives.
fn group_of(kind: Kind, group: Group) -> Group {
    match kind {
        Kind::Real => group,
        Kind::Int => Group::Given,
    }
}
