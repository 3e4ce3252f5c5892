//! What the interpreter is asked for: sizes, transformed data, log densities, constrained values, generated quantities.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

use rand::Rng;

use super::evaluate::Evaluator;
use super::failure::{Eval, Failure};
use super::frame::{Frame, Layout};
use super::validate::Violation;
use super::value::{Container, Scalars, Value};
use crate::ir::{Expr, Program, VarId};
use crate::source::Span;

/// The values of a program's variables, one place per [`VarId`]; variables without a value have none.
pub type Values = Vec<Option<Value>>;

/// What an evaluation may touch outside of itself.
#[derive(Default)]
pub struct Effects<'e> {
    /// The generator of `_rng` functions; where there is none, a draw ends the run.
    pub rng: Option<&'e mut dyn Rng>,
    /// Called with each line that `print` writes (without the end of the line); where there is none, it is dropped.
    pub print: Option<&'e mut dyn FnMut(&str)>,
}

impl fmt::Debug for Effects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects")
            .field("rng", &self.rng.is_some())
            .field("print", &self.print.is_some())
            .finish()
    }
}

/// A variable of the program with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The variable.
    pub variable: VarId,
    /// Its value.
    pub value: Value,
}

/// What one draw of generated quantities gave.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Every generated quantity, in order of declaration.
    pub values: Vec<Named>,
    /// Why the block was left early, if it was: what was not computed by then is unset (NaN).
    pub rejected: Option<Failure>,
}

/// Evaluates a program literally. Cheap to make; holds no values.
#[derive(Debug)]
pub struct Interpreter<'p> {
    program: &'p Program,
    layout: Layout,
}

impl<'p> Interpreter<'p> {
    /// An interpreter of a checked program.
    pub fn new(program: &'p Program) -> Interpreter<'p> {
        Interpreter {
            program,
            layout: Layout::new(program),
        }
    }

    /// The sizes that a top-level variable is declared with.
    ///
    /// # Errors
    /// A negative size, or any failure of the expressions, which use `values`.
    pub fn declared_dims(&self, variable: VarId, values: &[Option<Value>]) -> Eval<Vec<usize>> {
        let frame = self.frame(values);
        self.evaluator(false, Effects::default())
            .declared_dims(variable, &frame)
    }

    /// Checks a variable's declared constraint: what breaks it, if anything does.
    ///
    /// # Errors
    /// Any failure of the constraint's own expressions, which use `values`.
    pub fn check_constraint(
        &self,
        variable: VarId,
        values: &[Option<Value>],
    ) -> Eval<Result<(), Violation>> {
        let frame = self.frame(values);
        self.evaluator(false, Effects::default())
            .check_constraint(variable, &frame)
    }

    /// The value of an expression over top-level variables, as the REPL asks for it.
    ///
    /// # Errors
    /// Any failure of the expression.
    pub fn evaluate(
        &self,
        expr: &Expr,
        values: &[Option<Value>],
        effects: Effects<'_>,
    ) -> Eval<Value> {
        let frame = self.frame(values);
        let evaluator = self.evaluator(false, effects);
        evaluator.eval(expr, &frame).map(Cow::into_owned)
    }

    /// Runs `transformed data` over the data: returns data and transformed data.
    ///
    /// # Errors
    /// Every failure is fatal here.
    pub fn prepare(&self, data: Values, effects: Effects<'_>) -> Eval<Values> {
        let mut frame = self.frame(&data);
        let evaluator = self.evaluator(false, effects);
        evaluator
            .run(&self.program.prepare, &mut frame)
            .map_err(Failure::into_fatal)?;
        let computed = self.collect(&self.program.transformed_data, &mut frame)?;
        drop(frame);
        let mut values = data;
        for named in computed {
            values[named.variable.0 as usize] = Some(named.value);
        }
        Ok(values)
    }

    /// The number of unconstrained parameters.
    ///
    /// # Errors
    /// Any failure of the parameters' size expressions, which use `data`.
    pub fn dimension(&self, data: &[Option<Value>]) -> Eval<usize> {
        let frame = self.frame(data);
        let evaluator = self.evaluator(false, Effects::default());
        let mut dimension = 0;
        for parameter in &self.program.parameters {
            let dims = evaluator.declared_dims(parameter.free, &frame)?;
            dimension += dims.iter().product::<usize>();
        }
        Ok(dimension)
    }

    /// The log density at an unconstrained position: constants dropped as the program says, the Jacobian of the
    /// constraining transforms included if `jacobian`. `data` holds data and transformed data.
    ///
    /// # Errors
    /// [`Failure::Rejected`] where the density is zero or undefined, [`Failure::Fatal`] where the program is wrong.
    pub fn log_density(
        &self,
        data: &[Option<Value>],
        unconstrained: &[f64],
        jacobian: bool,
    ) -> Eval<f64> {
        self.log_density_with(data, unconstrained, jacobian, Effects::default())
    }

    /// [`Interpreter::log_density`] with what `print` needs.
    ///
    /// # Errors
    /// The same.
    pub fn log_density_with(
        &self,
        data: &[Option<Value>],
        unconstrained: &[f64],
        jacobian: bool,
        effects: Effects<'_>,
    ) -> Eval<f64> {
        let mut frame = self.frame(data);
        let evaluator = self.evaluator(jacobian, effects);
        self.constrain_into(&evaluator, unconstrained, &mut frame)?;
        evaluator.run(&self.program.model, &mut frame)?;
        Ok(evaluator.target.get())
    }

    /// The log density of given parameter values, without any Jacobian: what `model` and `target +=` statements of
    /// `transformed parameters` add. `values` holds data, transformed data and parameters.
    ///
    /// # Errors
    /// As of [`Interpreter::log_density`].
    pub fn log_density_of_parameters(&self, values: &[Option<Value>]) -> Eval<f64> {
        let mut frame = self.frame(values);
        let evaluator = self.evaluator(false, Effects::default());
        evaluator.run(&self.program.transform, &mut frame)?;
        evaluator.run(&self.program.model, &mut frame)?;
        Ok(evaluator.target.get())
    }

    /// Parameters and transformed parameters at an unconstrained position, in order of declaration.
    ///
    /// # Errors
    /// As of [`Interpreter::log_density`].
    pub fn constrain(&self, data: &[Option<Value>], unconstrained: &[f64]) -> Eval<Vec<Named>> {
        let mut frame = self.frame(data);
        let evaluator = self.evaluator(false, Effects::default());
        self.constrain_into(&evaluator, unconstrained, &mut frame)?;
        self.collect(&self.constrained(), &mut frame)
    }

    /// The unconstrained position of given parameter values. `values` holds data, transformed data and parameters.
    ///
    /// # Errors
    /// A value outside its constraint.
    pub fn unconstrain(&self, values: &[Option<Value>]) -> Eval<Vec<f64>> {
        let mut frame = self.frame(values);
        let evaluator = self.evaluator(false, Effects::default());
        evaluator.run(&self.program.unconstrain, &mut frame)?;
        let mut position = Vec::new();
        for parameter in &self.program.parameters {
            let span = self.program.variable(parameter.variable).span;
            let free = evaluator.variable(parameter.free, span, &frame)?;
            position.extend(free.to_reals());
        }
        Ok(position)
    }

    /// Generated quantities at an unconstrained position.
    ///
    /// # Errors
    /// A rejection before the block, or a fatal failure in it; a rejection in the block is part of the result.
    pub fn generate(
        &self,
        data: &[Option<Value>],
        unconstrained: &[f64],
        effects: Effects<'_>,
    ) -> Eval<Generated> {
        let mut frame = self.frame(data);
        let evaluator = self.evaluator(false, effects);
        self.constrain_into(&evaluator, unconstrained, &mut frame)?;
        // What the block does not reach is still a column of the output.
        for &variable in &self.program.generated_quantities {
            evaluator.declare(variable, &mut frame)?;
        }
        let rejected = match evaluator.run(&self.program.generate, &mut frame) {
            Ok(_) => None,
            Err(rejected @ Failure::Rejected { .. }) => Some(rejected),
            Err(fatal) => return Err(fatal),
        };
        Ok(Generated {
            values: self.collect(&self.program.generated_quantities, &mut frame)?,
            rejected,
        })
    }

    /// The names of values in output order, column-major over all dimensions: `theta.1.2`.
    pub fn column_names(&self, values: &[Named]) -> Vec<String> {
        let name = |named: &Named| &self.program.variable(named.variable).name;
        (values.iter())
            .flat_map(|named| named.value.output_names(name(named)))
            .collect()
    }

    /// The variables of `parameters` and `transformed parameters`.
    fn constrained(&self) -> Vec<VarId> {
        let parameters = self.program.parameters.iter();
        (parameters.map(|parameter| parameter.variable))
            .chain(self.program.transformed_parameters.iter().copied())
            .collect()
    }

    fn constrain_into(
        &self,
        evaluator: &Evaluator<'_, '_>,
        unconstrained: &[f64],
        frame: &mut Frame<'_>,
    ) -> Eval<()> {
        let mut rest = unconstrained;
        for parameter in &self.program.parameters {
            let dims = evaluator.declared_dims(parameter.free, frame)?;
            let Some((scalars, after)) = rest.split_at_checked(dims.iter().product()) else {
                return Err(self.wrong_dimension(unconstrained.len()));
            };
            rest = after;
            let value = if dims.is_empty() {
                Value::Real(scalars[0])
            } else {
                Value::Container(Container {
                    ty: self.program.variable(parameter.free).sized.ty.clone(),
                    dims,
                    scalars: Scalars::Real(scalars.to_vec().into()),
                })
            };
            frame.set(self.layout.slot(parameter.free), Cow::Owned(value));
        }
        if !rest.is_empty() {
            return Err(self.wrong_dimension(unconstrained.len()));
        }
        evaluator.run(&self.program.constrain, frame)?;
        evaluator.run(&self.program.transform, frame)?;
        Ok(())
    }

    fn wrong_dimension(&self, given: usize) -> Failure {
        let message = format!("a position of {given} numbers does not fit the parameters");
        Failure::fatal(message, Span::default())
    }

    fn collect(&self, variables: &[VarId], frame: &mut Frame<'_>) -> Eval<Vec<Named>> {
        let take = |&variable: &VarId| {
            let value = frame.take(self.layout.slot(variable)).ok_or_else(|| {
                let variable = self.program.variable(variable);
                Failure::internal(
                    format!("`{}` was not declared", variable.name),
                    variable.span,
                )
            })?;
            Ok(Named { variable, value })
        };
        variables.iter().map(take).collect()
    }

    /// A frame of the program that borrows what has a value.
    fn frame<'v>(&self, values: &'v [Option<Value>]) -> Frame<'v> {
        let mut frame = self.layout.program_frame();
        for (at, value) in values.iter().enumerate() {
            if let Some(value) = value {
                frame.set(self.layout.slot(VarId(at as u32)), Cow::Borrowed(value));
            }
        }
        frame
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn evaluator<'a, 'e>(
        &'a self,
        jacobian: bool,
        effects: Effects<'e>,
    ) -> Evaluator<'a, 'e> {
        Evaluator {
            program: self.program,
            layout: &self.layout,
            target: Cell::new(0.0),
            jacobian,
            effects: RefCell::new(effects),
            depth: Cell::new(0),
        }
    }
}
