//! Functions that take functions, and the constants that are written as calls.

use std::f64::consts;

use super::Checker;
use super::frame::{Ending, Place};
use super::function::Mode;
use super::promote::{int_constant, joint_level, prim_call, promote, promotions};
use crate::builtins::{Container, Prim};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Callee, Expr, ExprKind, Lift};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Level, Ty};

/// The value of a call without arguments that is a constant.
pub(super) fn constant(name: &str) -> Option<f64> {
    match name {
        "pi" => Some(consts::PI),
        "e" => Some(consts::E),
        "sqrt2" => Some(consts::SQRT_2),
        "log2" => Some(consts::LN_2),
        "log10" => Some(consts::LN_10),
        "not_a_number" => Some(f64::NAN),
        "positive_infinity" => Some(f64::INFINITY),
        "negative_infinity" => Some(f64::NEG_INFINITY),
        "machine_precision" => Some(f64::EPSILON),
        _ => None,
    }
}

/// Functions that take functions, which this version cannot run.
fn is_unsupported(name: &str) -> bool {
    name.starts_with("laplace_")
        || matches!(
            name,
            "algebra_solver"
                | "algebra_solver_newton"
                | "solve_newton"
                | "solve_newton_tol"
                | "solve_powell"
                | "solve_powell_tol"
                | "integrate_1d"
                | "integrate_1d_double_exponential"
                | "integrate_1d_gauss_kronrod"
                | "dae"
                | "dae_tol"
                | "ode_adjoint_tol_ctl"
        )
}

/// The integrator of that name. Methods of one kind share an implementation: they differ in how they step, not in
/// what they solve.
fn integrator(name: &str) -> Option<Container> {
    match name {
        "ode_ckrk" => Some(Container::OdeRk45),
        "ode_ckrk_tol" => Some(Container::OdeRk45Tol),
        "ode_adams" => Some(Container::OdeBdf),
        "ode_adams_tol" => Some(Container::OdeBdfTol),
        _ => Container::named(name)
            .filter(|_| name.starts_with("ode_") || name.starts_with("integrate_ode")),
    }
}

/// The last argument of the old interface as an int; the others as they are.
fn step_count((position, argument): (usize, Expr)) -> Expr {
    if position != 8 || argument.ty != Ty::Real {
        return argument;
    }
    let span = argument.span;
    prim_call(Prim::ToInt, vec![argument], span)
}

impl<'a> Checker<'a> {
    /// Whether a call of that name passes a function.
    pub(super) fn is_higher_order(&self, name: &str) -> bool {
        integrator(name).is_some()
            || is_unsupported(name)
            || matches!(name, "reduce_sum" | "reduce_sum_static" | "map_rect")
    }

    /// A call whose first argument is the name of a function.
    pub(super) fn higher_order(
        &mut self,
        function: &'a ast::Identifier,
        arguments: &'a [ast::Expr],
        span: Span,
    ) -> Option<Expr> {
        let name = function.name.as_str();
        if is_unsupported(name) {
            return self.unsupported(&format!("`{name}` is"), function.span);
        }
        let Some((first, rest)) = arguments.split_first() else {
            return self.function_expected(name, function.span);
        };
        let ast::ExprKind::Variable(passed) = &first.kind else {
            return self.function_expected(name, first.span);
        };
        if self.user_definitions(passed).is_empty() && self.scopes.find(passed).is_some() {
            return self.function_expected(name, first.span);
        }
        let rest = self.values(rest)?;
        match name {
            "reduce_sum" | "reduce_sum_static" => {
                self.reduce_sum(name, passed, rest, first.span, span)
            }
            "map_rect" => self.map_rect(passed, rest, first.span, span),
            _ => {
                let integrator = integrator(name)?;
                self.integrate(integrator, name, passed, rest, first.span, span)
            }
        }
    }

    fn function_expected<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let title = format!("the first argument of `{name}` is the name of a function");
        self.fail(Diagnostic::error(Code::NotAFunction, title, span, ""))
    }

    /// `reduce_sum(f, x, grainsize, …)` is defined as the sum of `f` over slices: here the one slice that is
    /// everything.
    fn reduce_sum(
        &mut self,
        name: &str,
        passed: &str,
        mut rest: Vec<Expr>,
        passed_span: Span,
        span: Span,
    ) -> Option<Expr> {
        let sliced = rest.len() >= 2 && matches!(rest[0].ty, Ty::Array(_)) && rest[1].ty == Ty::Int;
        if !sliced {
            let title =
                format!("`{name}` takes a function, an array, a grain size and further arguments");
            return self.fail(Diagnostic::error(Code::ArgumentTypes, title, span, ""));
        }
        let whole = rest.remove(0);
        let size = Expr {
            kind: ExprKind::Call(Callee::Container(Container::Size), vec![whole.clone()]),
            ty: Ty::Int,
            level: Level::Data,
            span,
        };
        rest[0] = size;
        let mut arguments = vec![whole, int_constant(1, span)];
        arguments.append(&mut rest);
        self.verify_can_be_passed(passed, passed_span)?;
        let (called, mode) = self.density_mode(passed, passed_span)?;
        let choice = self.choose(&called, passed, &arguments, passed_span)?;
        self.verify_passed_result(passed, choice.result(), &Ty::Real, passed_span)?;
        self.apply(choice, arguments, mode, span)
    }

    /// `map_rect(f, phi, thetas, x_rs, x_is)`: the results of `f` for every element, end to end.
    fn map_rect(
        &mut self,
        passed: &str,
        rest: Vec<Expr>,
        passed_span: Span,
        span: Span,
    ) -> Option<Expr> {
        let declared = [
            Ty::Vector,
            Ty::Vector,
            Ty::Real.array_of(1),
            Ty::Int.array_of(1),
        ];
        let given = [
            Ty::Vector,
            Ty::Vector.array_of(1),
            Ty::Real.array_of(2),
            Ty::Int.array_of(2),
        ];
        let arguments = self.typed_arguments("map_rect", rest, &given, span)?;
        self.verify_known("map_rect", &arguments[2..])?;
        let id = self.passed_function(passed, &declared, &Ty::Vector, &arguments, passed_span)?;
        let level = joint_level(&arguments);
        let each = Expr {
            kind: ExprKind::Call(Callee::Function(id, Lift::Each), arguments),
            ty: Ty::Vector.array_of(1),
            level,
            span,
        };
        Some(super::operator::container_call(
            Container::ToVector,
            Ty::Vector,
            vec![each],
            span,
        ))
    }

    /// The solution of a system of differential equations.
    fn integrate(
        &mut self,
        integrator: Container,
        name: &str,
        passed: &str,
        mut rest: Vec<Expr>,
        passed_span: Span,
        span: Span,
    ) -> Option<Expr> {
        let old = name.starts_with("integrate_ode");
        let with_tolerances = name.ends_with("_tol");
        let reals = Ty::Real.array_of(1);
        let state = if old { reals.clone() } else { Ty::Vector };
        let tolerances = [Ty::Real, Ty::Real, Ty::Int];
        let mut expected = vec![state.clone(), Ty::Real, reals.clone()];
        if old {
            expected.extend([reals.clone(), reals, Ty::Int.array_of(1)]);
            if rest.len() > expected.len() {
                // The old interface takes the number of steps as a real, too.
                rest = rest.into_iter().enumerate().map(step_count).collect();
                expected.extend(tolerances);
            }
        } else {
            if with_tolerances {
                expected.extend(tolerances);
            }
            let further = rest
                .iter()
                .skip(expected.len())
                .map(|argument| argument.ty.clone());
            expected.extend(further.collect::<Vec<_>>());
        }
        let arguments = self.typed_arguments(name, rest, &expected, span)?;
        if old {
            self.verify_known(name, &arguments[4..])?;
        }
        let level = joint_level(&arguments);
        let passed_on = match (old, with_tolerances) {
            (true, _) => &arguments[3..6],
            (false, true) => &arguments[6..],
            (false, false) => &arguments[3..],
        };
        let time = Expr {
            level: arguments[1].level.max(arguments[2].level),
            ..arguments[1].clone()
        };
        let current = Expr {
            level,
            ..arguments[0].clone()
        };
        let mut inner = vec![time, current];
        inner.extend(passed_on.iter().cloned());
        let types: Vec<Ty> = inner.iter().map(|argument| argument.ty.clone()).collect();
        let id = self.passed_function(passed, &types, &state, &inner, passed_span)?;
        let mut all = vec![Expr {
            kind: ExprKind::Function(id),
            ty: Ty::Void,
            level: Level::Data,
            span: passed_span,
        }];
        all.extend(arguments);
        Some(Expr {
            kind: ExprKind::Call(Callee::Container(integrator), all),
            ty: state.array_of(1),
            level,
            span,
        })
    }

    /// Arguments as values of these types.
    fn typed_arguments(
        &mut self,
        name: &str,
        arguments: Vec<Expr>,
        expected: &[Ty],
        span: Span,
    ) -> Option<Vec<Expr>> {
        if arguments.len() != expected.len() {
            let title = format!("`{name}` is called with {} arguments", arguments.len() + 1);
            let types = super::call_errors::list(expected);
            return self.fail(
                Diagnostic::error(Code::ArgumentCount, title, span, "")
                    .with_note(format!("It takes (function, {types}).")),
            );
        }
        let mut typed = Vec::new();
        for (argument, ty) in arguments.into_iter().zip(expected) {
            if promotions(&argument.ty, ty).is_none() {
                let title = format!("`{name}` takes {ty} here, not {}", argument.ty);
                return self.fail(Diagnostic::error(
                    Code::ArgumentTypes,
                    title,
                    argument.span,
                    "",
                ));
            }
            typed.push(promote(argument, ty));
        }
        Some(typed)
    }

    /// Reports arguments that depend on parameters where the function takes data only.
    fn verify_known(&mut self, name: &str, arguments: &[Expr]) -> Option<()> {
        let generated = matches!(self.frame.place, Place::Generated | Place::Prompt);
        match arguments
            .iter()
            .find(|argument| argument.level == Level::Param && !generated)
        {
            Some(unknown) => self.not_data(name, "this argument", unknown.span),
            None => Some(()),
        }
    }

    /// Reports functions whose calls are more than their value.
    fn verify_can_be_passed(&mut self, passed: &str, span: Span) -> Option<()> {
        let ending = match Ending::of(passed) {
            Ending::Target => "_lp",
            Ending::Jacobian => "_jacobian",
            Ending::Random => "_rng",
            Ending::Plain | Ending::Density | Ending::Cumulative => return Some(()),
        };
        let title = format!("a function ending in {ending} cannot be passed");
        self.fail(Diagnostic::error(Code::NotAFunction, title, span, ""))
    }

    fn verify_passed_result(
        &mut self,
        passed: &str,
        result: &Ty,
        wanted: &Ty,
        span: Span,
    ) -> Option<()> {
        if result == wanted {
            return Some(());
        }
        let title = format!("`{passed}` must return {wanted} here, not {result}");
        self.fail(Diagnostic::error(Code::ArgumentTypes, title, span, ""))
    }

    /// The instance of a function that is passed and will be called with values of these types and levels.
    fn passed_function(
        &mut self,
        passed: &str,
        types: &[Ty],
        result: &Ty,
        arguments: &[Expr],
        span: Span,
    ) -> Option<crate::ir::FunctionId> {
        self.verify_can_be_passed(passed, span)?;
        if self.user_definitions(passed).is_empty() {
            return self.undeclared_function(passed, span);
        }
        let Some(definition) = self.user_function_taking(passed, types) else {
            let title = format!(
                "`{passed}` does not take ({})",
                super::call_errors::list(types)
            );
            return self.fail(
                Diagnostic::error(Code::ArgumentTypes, title, span, "")
                    .with_note("These are the types that it is called with here."),
            );
        };
        if definition.parameters() != types {
            let title = format!(
                "`{passed}` must take exactly ({})",
                super::call_errors::list(types)
            );
            return self.fail(Diagnostic::error(Code::ArgumentTypes, title, span, ""));
        }
        self.verify_passed_result(passed, &definition.result(), result, span)?;
        self.verify_data_arguments(definition, arguments)?;
        let levels: Vec<Level> = arguments.iter().map(|argument| argument.level).collect();
        Some(self.instance(definition, &levels, Mode::Plain))
    }
}
