//! Distributions: densities and cumulative functions by their suffixes, `~`, truncation, and the constants that
//! a density drops.

use super::Checker;
use super::frame::{Ending, Place};
use super::function::Mode;
use super::operator::{combined, container_call, negated};
use super::promote::{int_constant, prim_call, promote, real_constant, with_scalar};
use super::scope::nearest;
use crate::builtins::{Container, Prim};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Expr, Stmt, StmtKind};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};
use crate::types::{Level, Ty};

/// The suffixes of densities.
const DENSITIES: [&str; 2] = ["_lpdf", "_lpmf"];

/// The name without its density suffix (unnormalised ones included), if it has one.
fn without_suffix(name: &str) -> Option<&str> {
    ["_lpdf", "_lpmf", "_lupdf", "_lupmf"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
}

impl<'a> Checker<'a> {
    /// `foo_lpdf(y | …)` and the like: densities, cumulative distribution functions.
    pub(super) fn density_call(
        &mut self,
        function: &'a ast::Identifier,
        arguments: Option<Vec<Expr>>,
        bar: bool,
        span: Span,
    ) -> Option<Expr> {
        let name = function.name.as_str();
        if !bar
            && arguments
                .as_ref()
                .is_none_or(|arguments| arguments.len() != 1)
        {
            return self.missing_bar(function);
        }
        let (called, mode) = self.density_mode(name, function.span)?;
        self.suffixed_call(&called, mode, function, arguments?, span)
    }

    /// The function that a density's name calls, and whether it drops its constants.
    pub(super) fn density_mode(&mut self, name: &str, span: Span) -> Option<(String, Mode)> {
        let Some(stem) = name.strip_suffix("_lupdf").or(name.strip_suffix("_lupmf")) else {
            return Some((name.to_owned(), Mode::Plain));
        };
        let place = self.frame.place;
        if !place.drops_constants() {
            return self.fail(
                Diagnostic::error(
                    Code::NoUnnormalizedHere,
                    format!("`{name}` cannot be called here"),
                    span,
                    format!("in {}", place.describe()),
                )
                .with_note("Densities without their constants belong to the model block and to user-defined densities.")
                .with_hint(format!("write `{stem}_lp{}`", &name[name.len() - 2..])),
            );
        }
        let inside_plain =
            place == Place::Function(Ending::Density) && self.frame.mode == Mode::Plain;
        let mode = if inside_plain {
            Mode::Plain
        } else {
            self.dropping()
        };
        Some((format!("{stem}_lp{}", &name[name.len() - 2..]), mode))
    }

    /// How densities are called that may drop their constants.
    fn dropping(&self) -> Mode {
        if self.options.keep_constants {
            Mode::Plain
        } else {
            Mode::Unnormalized
        }
    }

    fn suffixed_call(
        &mut self,
        called: &str,
        mode: Mode,
        function: &ast::Identifier,
        arguments: Vec<Expr>,
        span: Span,
    ) -> Option<Expr> {
        let logarithm = called
            .strip_suffix("_cdf")
            .map(|stem| format!("{stem}_lcdf"));
        if self.candidates(called).is_empty() {
            return match logarithm.filter(|name| !self.candidates(name).is_empty()) {
                Some(logarithm) => self.exponential_of(&logarithm, function, arguments, span),
                None => self.unknown_density(function),
            };
        }
        let choice = self.choose(called, &function.name, &arguments, function.span)?;
        // The cdf of several outcomes is a product, the log cdf a sum.
        if let Some(logarithm) = logarithm
            && choice.is_lifted()
        {
            return self.exponential_of(&logarithm, function, arguments, span);
        }
        let call = self.apply(choice, arguments, mode, span)?;
        if call.ty.is_container() {
            return Some(container_call(Container::Sum, Ty::Real, vec![call], span));
        }
        Some(call)
    }

    fn exponential_of(
        &mut self,
        logarithm: &str,
        function: &ast::Identifier,
        arguments: Vec<Expr>,
        span: Span,
    ) -> Option<Expr> {
        let call = self.suffixed_call(logarithm, Mode::Plain, function, arguments, span)?;
        Some(prim_call(Prim::Exp, vec![call], span))
    }

    fn missing_bar<T>(&mut self, function: &ast::Identifier) -> Option<T> {
        let name = &function.name;
        if self.candidates(name).is_empty() && without_suffix(name).is_none() {
            return self.undeclared_function(name, function.span);
        }
        self.fail(
            Diagnostic::error(
                Code::BarMisplaced,
                format!("`{name}` is called without a bar"),
                function.span,
                "",
            )
            .with_hint(format!("write a bar after the outcome: `{name}(y | …)`")),
        )
    }

    fn unknown_density<T>(&mut self, function: &ast::Identifier) -> Option<T> {
        let name = &function.name;
        let stem = name
            .rsplit_once('_')
            .map_or(name.as_str(), |(stem, _)| stem);
        match self.density_named(stem) {
            Some(known) => {
                let title = format!("`{stem}` has no function `{name}`");
                self.fail(
                    Diagnostic::error(Code::UndeclaredFunction, title, function.span, "")
                        .with_note(format!("Its density is `{known}`.")),
                )
            }
            None => self.unknown_distribution(stem, function.span),
        }
    }

    /// `normal_lpdf` for `normal`, whichever suffix the distribution has.
    pub(super) fn density_named(&self, stem: &str) -> Option<String> {
        DENSITIES
            .iter()
            .map(|suffix| format!("{stem}{suffix}"))
            .find(|name| !self.candidates(name).is_empty())
    }

    fn unknown_distribution<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let title = format!("there is no distribution `{name}`");
        let diagnostic = Diagnostic::error(Code::UnknownDistribution, title, span, "");
        let names = self
            .functions
            .keys()
            .copied()
            .chain(self.library.public_names());
        let diagnostic = match nearest(name, names.filter_map(without_suffix)) {
            Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
            None => diagnostic.with_note(format!(
                "A distribution of your own is a function `{name}_lpdf` or `{name}_lpmf`."
            )),
        };
        self.fail(diagnostic)
    }

    /// `variate ~ distribution(arguments) T[…]`
    pub(super) fn tilde(
        &mut self,
        variate: &'a ast::Expr,
        distribution: &'a ast::Identifier,
        arguments: &'a [ast::Expr],
        truncation: Option<&'a ast::Truncation>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> Option<()> {
        self.verify_adds_to_target("`~`", span);
        let outcome = self.value(variate);
        let parameters = self.values(arguments);
        let name = distribution.name.as_str();
        let Some(density) = self.density_named(name) else {
            return self.no_such_distribution(distribution);
        };
        let (outcome, parameters) = (outcome?, parameters?);
        let mut all = vec![outcome.clone()];
        all.extend(parameters.iter().cloned());
        let choice = self.choose(&density, name, &all, distribution.span)?;
        let kind = choice.outcome_kind();
        let mode = self.dropping();
        let call = self.apply(choice, all, mode, span)?;
        let call = if call.ty.is_container() {
            container_call(Container::Sum, Ty::Real, vec![call], span)
        } else {
            call
        };
        out.push(stmt(StmtKind::AddTarget(call), span));
        if let Some(truncation) = truncation {
            let ty = with_scalar(&outcome.ty, &kind);
            let outcome = promote(outcome, &ty);
            self.truncate(name, outcome, parameters, truncation, out)?;
        }
        Some(())
    }

    fn no_such_distribution<T>(&mut self, distribution: &ast::Identifier) -> Option<T> {
        let name = &distribution.name;
        let suffixed = [
            "_lpdf", "_lpmf", "_lupdf", "_lupmf", "_cdf", "_lcdf", "_lccdf", "_log",
        ]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .filter(|stem| self.density_named(stem).is_some());
        if let Some(stem) = suffixed {
            return self.fail(
                Diagnostic::error(
                    Code::SuperfluousSuffix,
                    format!("after `~` a distribution has no suffix, but this is `{name}`"),
                    distribution.span,
                    "",
                )
                .with_hint(format!("write `~ {stem}(…)`")),
            );
        }
        self.unknown_distribution(name, distribution.span)
    }

    /// Reports a statement that changes the log density where that is not allowed.
    pub(super) fn verify_adds_to_target(&mut self, what: &str, span: Span) {
        let place = self.frame.place;
        if place.adds_to_target() {
            return;
        }
        self.report(
            Diagnostic::error(
                Code::NoTargetHere,
                format!("{what} changes the log density, which cannot be done here"),
                span,
                format!("in {}", place.describe()),
            )
            .with_note(
                "The log density is built in the model block and in functions ending in _lp.",
            ),
        );
    }

    /// Minus infinity for outcomes out of bounds, else minus the log of the probability within.
    fn truncate(
        &mut self,
        name: &str,
        outcome: Expr,
        parameters: Vec<Expr>,
        written: &'a ast::Truncation,
        out: &mut Vec<Stmt>,
    ) -> Option<()> {
        let span = written.span;
        let lower = self.truncation_bound(&outcome, written.lower.as_ref());
        let upper = self.truncation_bound(&outcome, written.upper.as_ref());
        let (lower, upper) = (lower?, upper?);
        let within =
            self.log_probability_within(name, &outcome, parameters, &lower, &upper, span)?;
        let mut statements = vec![stmt(StmtKind::AddTarget(negated(within, span)), span)];
        for (bound, outside) in [
            (upper, (Prim::GtInt, Prim::Gt)),
            (lower, (Prim::LtInt, Prim::Lt)),
        ] {
            let Some(bound) = bound else { continue };
            let condition = any_outside(outside, &outcome, &bound, span);
            let impossible = real_constant(f64::NEG_INFINITY, span);
            statements = vec![stmt(
                StmtKind::If {
                    condition,
                    then: vec![stmt(StmtKind::AddTarget(impossible), span)],
                    otherwise: statements,
                },
                span,
            )];
        }
        out.extend(statements);
        Some(())
    }

    /// A bound as a number of the outcome's kind; `Some(None)` if not written.
    fn truncation_bound(
        &mut self,
        outcome: &Expr,
        written: Option<&'a ast::Expr>,
    ) -> Option<Option<Expr>> {
        let Some(written) = written else {
            return Some(None);
        };
        let bound = self.value(written)?;
        let kind = outcome.ty.scalar();
        if super::promote::promotions(&bound.ty, &kind).is_none() {
            let title = format!(
                "the bound of a truncation must be {kind} here, not {}",
                bound.ty
            );
            return self.fail(Diagnostic::error(Code::Truncation, title, bound.span, ""));
        }
        Some(Some(promote(bound, &kind)))
    }

    fn log_probability_within(
        &mut self,
        name: &str,
        outcome: &Expr,
        parameters: Vec<Expr>,
        lower: &Option<Expr>,
        upper: &Option<Expr>,
        span: Span,
    ) -> Option<Expr> {
        // Mass at the lower bound itself belongs to the inside.
        let below = lower.clone().map(|bound| match bound.ty {
            Ty::Int => prim_call(Prim::SubInt, vec![bound, int_constant(1, span)], span),
            _ => bound,
        });
        let shape = parameters
            .iter()
            .find(|parameter| parameter.ty.is_container());
        let shape = shape.map(|parameter| with_scalar(&parameter.ty, &Ty::Real));
        let mut cumulative = |suffix: &str, bound: Expr, separately: bool| {
            let mut arguments = vec![bound];
            arguments.extend(parameters.iter().cloned());
            self.cumulative(
                name,
                suffix,
                arguments,
                shape.as_ref().filter(|_| separately),
                span,
            )
        };
        let within = match (below, upper.clone()) {
            (Some(below), Some(upper)) => {
                let upper = cumulative("_lcdf", upper, true)?;
                let below = cumulative("_lcdf", below, true)?;
                prim_call(Prim::LogDiffExp, vec![upper, below], span)
            }
            (Some(below), None) => cumulative("_lccdf", below, false)?,
            (None, Some(upper)) => cumulative("_lcdf", upper, false)?,
            (None, None) => return Some(real_constant(0.0, span)),
        };
        if within.ty.is_container() {
            return Some(container_call(Container::Sum, Ty::Real, vec![within], span));
        }
        if outcome.ty.is_container() && shape.is_none() {
            let count = Expr {
                level: Level::Data,
                ..container_call(Container::NumElements, Ty::Int, vec![outcome.clone()], span)
            };
            return Some(combined(Prim::Mul, count, within, span));
        }
        Some(within)
    }

    /// A cumulative function of the distribution; for every element on its own if a shape is given.
    fn cumulative(
        &mut self,
        name: &str,
        suffix: &str,
        arguments: Vec<Expr>,
        separately: Option<&Ty>,
        span: Span,
    ) -> Option<Expr> {
        let function = format!("{name}{suffix}");
        if self.candidates(&function).is_empty() {
            return self.fail(
                Diagnostic::error(
                    Code::Truncation,
                    format!("`{name}` cannot be truncated"),
                    span,
                    "",
                )
                .with_note(format!(
                    "This needs a function `{function}`, which does not exist."
                )),
            );
        }
        let choice = self.choose(&function, &function, &arguments, span)?;
        let choice = match separately {
            Some(shape) => choice.each(shape),
            None => choice,
        };
        let call = self.apply(choice, arguments, Mode::Plain, span)?;
        if call.ty.is_container() && separately.is_none() {
            return Some(container_call(Container::Sum, Ty::Real, vec![call], span));
        }
        Some(call)
    }

    /// What a library density returns without the terms that are data; `Some(None)` if nothing is left.
    ///
    /// Terms are what `+` and `-` join. A term that is a call of another library density drops its own. Minus
    /// infinity is never dropped: it says that the outcome is impossible.
    pub(super) fn kept_terms(&mut self, written: &'a ast::Expr) -> Option<Option<Expr>> {
        let span = written.span;
        match &written.kind {
            ast::ExprKind::Binary {
                operator: operator @ (BinaryOp::Add | BinaryOp::Subtract),
                left,
                right,
            } => {
                let (left, right) = (self.kept_terms(left), self.kept_terms(right));
                match (left?, right?) {
                    (Some(left), Some(right)) => {
                        self.binary(*operator, left, right, span).map(Some)
                    }
                    (None, Some(right)) if *operator == BinaryOp::Subtract => {
                        Some(Some(negated(right, span)))
                    }
                    (left, right) => Some(left.or(right)),
                }
            }
            ast::ExprKind::Unary {
                operator: UnaryOp::Negate,
                operand,
            } => {
                let operand = self.kept_terms(operand)?;
                Some(operand.map(|operand| negated(operand, span)))
            }
            ast::ExprKind::Call {
                function,
                arguments,
                bar: true,
            } if Ending::of(&function.name) == Ending::Density => {
                let arguments = self.values(arguments)?;
                let call = self.suffixed_call(
                    &function.name,
                    Mode::Unnormalized,
                    function,
                    arguments,
                    span,
                )?;
                Some((call.level == Level::Param).then_some(call))
            }
            ast::ExprKind::Call { function, .. } if function.name == "negative_infinity" => {
                self.value(written).map(Some)
            }
            _ => {
                let term = self.value(written)?;
                Some((term.level == Level::Param).then_some(term))
            }
        }
    }
}

/// Whether any element of the outcome lies beyond the bound.
fn any_outside(outside: (Prim, Prim), outcome: &Expr, bound: &Expr, span: Span) -> Expr {
    let prim = if bound.ty == Ty::Int {
        outside.0
    } else {
        outside.1
    };
    let compared = prim_call(prim, vec![outcome.clone(), bound.clone()], span);
    if !outcome.ty.is_container() {
        return compared;
    }
    let count = container_call(Container::Sum, Ty::Int, vec![compared], span);
    prim_call(Prim::GtInt, vec![count, int_constant(0, span)], span)
}

fn stmt(kind: StmtKind, span: Span) -> Stmt {
    Stmt { kind, span }
}
