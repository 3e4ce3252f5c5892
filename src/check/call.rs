//! Calls: which function of a name fits the arguments best, and how it is lifted over containers.

use super::Checker;
use super::frame::{Ending, Place};
use super::function::{Definition, Mode};
use super::operator::container_call;
use super::promote::{joint_level, prim_call, promote};

use super::fit::{Callable, Choice, fit, fit_prim};
use super::signature::{fitting_form, is_shape_query};
use crate::builtins::{Container, Draw, Prim};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Callee, Expr, ExprKind};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};
use crate::types::{Level, Ty};

impl<'a> Checker<'a> {
    /// A call as part of an expression.
    pub(super) fn call(
        &mut self,
        function: &'a ast::Identifier,
        arguments: &'a [ast::Expr],
        bar: bool,
        span: Span,
    ) -> Option<Expr> {
        let name = function.name.as_str();
        self.verify_not_hidden(function)?;
        let by_user = !self.user_definitions(name).is_empty();
        if !by_user && self.is_higher_order(name) {
            return self.higher_order(function, arguments, span);
        }
        let arguments = self.values(arguments);
        if matches!(Ending::of(name), Ending::Density | Ending::Cumulative) {
            return self.density_call(function, arguments, bar, span);
        }
        let arguments = arguments?;
        if bar {
            return self.misplaced_bar(function);
        }
        if !by_user && let Some(value) = self.renamed_operator(name, &arguments, span) {
            return value;
        }
        if !by_user
            && arguments.is_empty()
            && let Some(value) = super::higher_order::constant(name)
        {
            return Some(super::promote::real_constant(value, span));
        }
        let choice = self.choose(name, name, &arguments, function.span)?;
        self.verify_allowed(name, &choice, span)?;
        self.apply(choice, arguments, Mode::Plain, span)
    }

    /// Reports a call of a user's function that a variable of the same name hides. Library functions stay visible.
    fn verify_not_hidden(&mut self, function: &ast::Identifier) -> Option<()> {
        let name = &function.name;
        let by_user = !self.user_definitions(name).is_empty();
        let Some(binding) = self.scopes.find(name).filter(|_| by_user) else {
            return Some(());
        };
        let declared_at = binding.span;
        self.fail(
            Diagnostic::error(
                Code::UndeclaredFunction,
                format!("`{name}` is a variable here, not a function"),
                function.span,
                "called",
            )
            .with_secondary(declared_at, "declared here")
            .with_hint(format!(
                "rename the variable, or write `{name}[…]` for its elements"
            )),
        )
    }

    fn misplaced_bar<T>(&mut self, function: &ast::Identifier) -> Option<T> {
        let name = &function.name;
        if self.candidates(name).is_empty() {
            return self.undeclared_function(name, function.span);
        }
        self.fail(
            Diagnostic::error(
                Code::BarMisplaced,
                format!("`{name}` is called with a bar"),
                function.span,
                "not a density",
            )
            .with_hint("separate its arguments by commas"),
        )
    }

    /// Everything of that name that can be called from the code at hand.
    pub(super) fn candidates(&self, name: &str) -> Vec<Callable<'a>> {
        let mut found: Vec<Callable> = self
            .user_definitions(name)
            .iter()
            .copied()
            .map(Callable::Defined)
            .collect();
        found.extend(self.library_definitions(name).map(Callable::Defined));
        let in_library = self.frame.from_library;
        let prims = Prim::named(name).filter(|&prim| in_library || !is_internal(prim));
        found.extend(prims.map(Callable::Prim));
        found.extend(Container::named(name).map(Callable::Container));
        let draw = Draw::named(name).filter(|&draw| in_library || draw == Draw::Normal);
        found.extend(draw.map(Callable::Draw));
        found
    }

    /// Whether the library or the compiler has a function of that name.
    pub(super) fn is_library_name(&self, name: &str) -> bool {
        self.library_definitions(name).next().is_some()
            || Prim::named(name).next().is_some()
            || Container::named(name).is_some()
    }

    /// Whether a function of the compiler takes these types.
    pub(super) fn builtin_takes(&self, name: &str, parameters: &[Ty]) -> bool {
        Prim::named(name).any(|prim| fit_prim(prim, parameters).is_some())
            || Container::named(name)
                .is_some_and(|function| fitting_form(function, parameters).is_some())
    }

    /// The function of that name that fits the arguments best; reports if there is none.
    ///
    /// Messages call it `shown`, which is the distribution's name after `~`.
    pub(super) fn choose(
        &mut self,
        name: &str,
        shown: &str,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Choice<'a>> {
        let candidates = self.candidates(name);
        if candidates.is_empty() {
            return self.undeclared_function(name, span);
        }
        let types: Vec<Ty> = arguments
            .iter()
            .map(|argument| argument.ty.clone())
            .collect();
        let mut fits: Vec<Choice> = candidates
            .iter()
            .filter_map(|&callable| fit(callable, &types).map(|fit| Choice { callable, fit }))
            .collect();
        fits.sort_by_key(|choice| (choice.fit.lifted, choice.fit.promotions));
        let ambiguous = matches!(fits.as_slice(), [first, second, ..]
            if is_user(first.callable) && is_user(second.callable)
                && first.fit.promotions == second.fit.promotions);
        if ambiguous {
            return self.ambiguous(shown, &fits, span);
        }
        match fits.into_iter().next() {
            Some(choice) => Some(choice),
            None => self.no_fit(shown, &candidates, arguments, span),
        }
    }

    /// Builds the call of a chosen function.
    pub(super) fn apply(
        &mut self,
        choice: Choice<'a>,
        arguments: Vec<Expr>,
        mode: Mode,
        span: Span,
    ) -> Option<Expr> {
        let Choice { callable, fit } = choice;
        let arguments: Vec<Expr> = arguments
            .into_iter()
            .zip(&fit.parameters)
            .map(|(argument, ty)| converted(argument, ty))
            .collect();
        let level = joint_level(&arguments);
        match callable {
            Callable::Prim(Prim::ToInt)
                if !self.frame.from_library && !self.is_static_data(&arguments[0]) =>
            {
                self.not_data("to_int", "its argument", arguments[0].span)
            }
            Callable::Prim(prim) => Some(Expr {
                ty: fit.result,
                ..prim_call(prim, arguments, span)
            }),
            Callable::Container(function) => {
                let call = container_call(function, fit.result, arguments, span);
                let level = if is_shape_query(function) {
                    Level::Data
                } else {
                    call.level
                };
                Some(Expr { level, ..call })
            }
            Callable::Draw(draw) => Some(Expr {
                kind: ExprKind::Call(Callee::Draw(draw), arguments),
                ty: fit.result,
                level: self.random_level(),
                span,
            }),
            Callable::Defined(definition) => {
                self.verify_data_arguments(definition, &arguments)?;
                let levels: Vec<Level> = arguments.iter().map(|argument| argument.level).collect();
                let id = self.instance(definition, &levels, mode);
                let level = match definition.ending() {
                    Ending::Random => self.random_level(),
                    Ending::Target => Level::Param,
                    _ => level,
                };
                Some(Expr {
                    kind: ExprKind::Call(Callee::Function(id, fit.lift), arguments),
                    ty: fit.result,
                    level,
                    span,
                })
            }
        }
    }

    /// The level of a random number.
    fn random_level(&self) -> Level {
        match self.frame.place {
            Place::TransformedData => Level::Data,
            _ => Level::Param,
        }
    }

    /// Checks that functions with special endings are called where they have a meaning.
    pub(super) fn verify_allowed(
        &mut self,
        name: &str,
        choice: &Choice<'a>,
        span: Span,
    ) -> Option<()> {
        let ending = match choice.callable {
            Callable::Draw(_) => Ending::Random,
            Callable::Defined(_) => Ending::of(name),
            _ => return Some(()),
        };
        let place = self.frame.place;
        let (code, title, note) = match ending {
            Ending::Random if !place.draws() => (
                Code::NoRandomHere,
                format!("`{name}` draws random numbers, which cannot be done here"),
                "Random numbers are drawn in transformed data, in generated quantities and in functions ending in _rng.",
            ),
            Ending::Target if !place.sees_target() => (
                Code::NoTargetHere,
                format!("`{name}` can change the log density, which cannot be done here"),
                "Functions ending in _lp are called in transformed parameters, in the model block and in functions ending in _lp.",
            ),
            Ending::Jacobian if !place.adds_jacobian() => (
                Code::NoJacobianHere,
                format!("`{name}` adds a Jacobian, which cannot be done here"),
                "Functions ending in _jacobian are called in transformed parameters and in functions ending in _jacobian.",
            ),
            _ => return Some(()),
        };
        let label = format!("in {}", place.describe());
        self.fail(Diagnostic::error(code, title, span, label).with_note(note))
    }

    pub(super) fn verify_data_arguments(
        &mut self,
        definition: Definition<'a>,
        arguments: &[Expr],
    ) -> Option<()> {
        let mut verified = Some(());
        for (parameter, argument) in definition.ast.parameters.iter().zip(arguments) {
            if parameter.data_only && !self.is_static_data(argument) {
                let what = format!("`{}`", parameter.name.name);
                verified = self.not_data(definition.name(), &what, argument.span);
            }
        }
        verified
    }

    /// Reports an argument that must not depend on parameters.
    pub(super) fn not_data<T>(&mut self, function: &str, what: &str, span: Span) -> Option<T> {
        let title = format!("`{function}` takes only data for {what}");
        self.fail(
            Diagnostic::error(Code::DataOnly, title, span, "may depend on parameters").with_note(
                "Only data, transformed data and arguments qualified `data` count as data here.",
            ),
        )
    }

    /// `add(a, b)` and the like: operators under another name.
    fn renamed_operator(
        &mut self,
        name: &str,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Option<Expr>> {
        use BinaryOp::*;
        if let [operand] = arguments {
            let operator = match name {
                "minus" => UnaryOp::Negate,
                "plus" => UnaryOp::Plus,
                "logical_negation" => UnaryOp::Not,
                _ => return None,
            };
            return Some(self.unary(operator, operand.clone(), span));
        }
        let [left, right] = arguments else {
            return None;
        };
        let operator = match name {
            "add" => Add,
            "subtract" => Subtract,
            "multiply" => Multiply,
            "divide" => Divide,
            "elt_multiply" => ElementMultiply,
            "elt_divide" => ElementDivide,
            "modulus" => Modulo,
            "logical_eq" => Equal,
            "logical_neq" => NotEqual,
            "logical_lt" => Less,
            "logical_lte" => LessEqual,
            "logical_gt" => Greater,
            "logical_gte" => GreaterEqual,
            _ => return None,
        };
        Some(self.binary(operator, left.clone(), right.clone(), span))
    }

    /// A call that stands alone as a statement.
    pub(super) fn call_statement(
        &mut self,
        function: &'a ast::Identifier,
        arguments: &'a [ast::Expr],
        span: Span,
    ) -> Option<(crate::ir::FunctionId, Vec<Expr>)> {
        let name = function.name.as_str();
        self.verify_not_hidden(function)?;
        let arguments = self.values(arguments)?;
        let choice = self.choose(name, name, &arguments, function.span)?;
        self.verify_allowed(name, &choice, span)?;
        if *choice.result() != Ty::Void {
            let title = format!("the value of `{name}` is not used");
            return self.fail(
                Diagnostic::error(Code::UnusedValue, title, span, "")
                    .with_hint("assign it to a variable, or add it to the target"),
            );
        }
        let call = self.apply(choice, arguments, Mode::Plain, span)?;
        match call.kind {
            ExprKind::Call(Callee::Function(id, _), arguments) => Some((id, arguments)),
            _ => None,
        }
    }
}

/// Whether the primitive is for the compiler and the library only.
fn is_internal(prim: Prim) -> bool {
    matches!(
        prim,
        Prim::ToReal
            | Prim::AndInt
            | Prim::OrInt
            | Prim::StopGradient
            | Prim::GammaPDa
            | Prim::IncBetaDa
            | Prim::IncBetaDb
    )
}

fn is_user(callable: Callable) -> bool {
    matches!(callable, Callable::Defined(definition) if !definition.from_library)
}

/// An argument as a value of the type that the function takes.
fn converted(argument: Expr, ty: &Ty) -> Expr {
    if *ty == Ty::Vector && argument.ty != Ty::Vector {
        let span = argument.span;
        return container_call(Container::ToVector, Ty::Vector, vec![argument], span);
    }
    promote(argument, ty)
}
