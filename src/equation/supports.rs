//! Supports (3c): what every unknown is confined to, and why.
//!
//! A declared type wins. Otherwise the prior's family and truncation say it, and places narrow the real line: scales to
//! positive numbers, cutpoints to increasing ones. A narrowing is a truncation, unless the normaliser is constant.
//! Demands that no narrowing can meet are E10; discrete unknowns are E13; Cholesky factors in the place of a covariance
//! are E16.

use super::demands::{self, Demand, Demanded};
use super::families::{Family, Outcome, Place};
use super::tree::{
    Expr, ExprKind, Model, NameId, Purpose, Role, Statement, StatementKind, Subscript, Support,
    SupportKind,
};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{BaseType, Bounds};

/// A prior, taken apart.
struct Prior<'m> {
    statement: &'m Statement,
    variate: &'m Expr,
    distribution: &'m str,
    arguments: &'m [Expr],
    truncation: Option<&'m (Option<Expr>, Option<Expr>)>,
}

/// Finds the support of every unknown and writes it into the model.
pub(super) fn find_supports(model: &mut Model, diagnostics: &mut Vec<Diagnostic>) {
    let demands = demands::collect(model, diagnostics);
    let mut supports: Vec<(usize, Support)> = Vec::new();
    for position in 0..model.names.len() {
        if model.names[position].role != Role::Unknown {
            continue;
        }
        let name = NameId(position);
        let finder = Finder {
            model,
            name,
            priors: priors(model, name),
            demands: demands
                .iter()
                .filter(|demand| demand.name == name)
                .collect(),
        };
        match finder.support(diagnostics) {
            Ok(support) => supports.push((position, support)),
            Err(fault) => diagnostics.push(*fault),
        }
    }
    for (position, support) in supports {
        model.names[position].support = support;
    }
}

fn priors(model: &Model, name: NameId) -> Vec<Prior<'_>> {
    let statements = model.statements.iter();
    let priors = statements.filter_map(|statement| match &statement.kind {
        StatementKind::Draw {
            variate,
            purpose: Purpose::Prior(found),
            distribution,
            arguments,
            truncation,
            ..
        } if *found == name => Some(Prior {
            statement,
            variate,
            distribution,
            arguments,
            truncation: truncation.as_ref(),
        }),
        _ => None,
    });
    priors.collect()
}

/// The search for the support of one unknown.
struct Finder<'m> {
    model: &'m Model,
    name: NameId,
    priors: Vec<Prior<'m>>,
    demands: Vec<&'m Demand>,
}

impl Finder<'_> {
    fn support(&self, diagnostics: &mut Vec<Diagnostic>) -> Result<Support, Box<Diagnostic>> {
        let name = &self.model.names[self.name.0];
        self.refuse_discrete()?;
        if let Some(declared) = &name.declared {
            diagnostics.extend(self.cut_prior(declared.base, &declared.bounds));
            return Ok(Support {
                kind: SupportKind::Real,
                reason: String::from("declared"),
                place: Some(declared.span),
                truncates: false,
            });
        }
        let mut kinds = self.priors.iter().map(|prior| self.of_prior(prior));
        let first = kinds.next().unwrap_or_default();
        let kinds: Vec<SupportKind> = std::iter::once(first).chain(kinds).collect();
        self.meet(kinds)
    }

    fn refuse_discrete(&self) -> Result<(), Box<Diagnostic>> {
        for prior in &self.priors {
            if Family::named(prior.distribution).is_some_and(Family::is_discrete) {
                let text = &self.model.names[self.name.0].name;
                let title = format!("`{text}` is discrete and unknown");
                let span = prior.statement.span;
                return Err(Box::new(
                    Diagnostic::error(Code::DiscreteUnknown, title, span, "")
                        .with_note("Unknowns are continuous: gradients move them.")
                        .with_hint("sum it out, as in `target[i] += log_mix(p, …, …)`, or declare it as data"),
                ));
            }
        }
        Ok(())
    }

    /// What a prior confines the unknown to (3c.2).
    fn of_prior(&self, prior: &Prior) -> SupportKind {
        let argument = |place: usize| prior.arguments.get(place).cloned();
        let outcome = Family::named(prior.distribution).map(|family| family.outcome);
        let span = prior.statement.span;
        let number = |value: i32| Some(Expr::new(ExprKind::Int(value), span));
        let (lower, upper) = match outcome {
            None | Some(Outcome::Line | Outcome::Discrete) => (None, None),
            Some(Outcome::Positive) => (number(0), None),
            Some(Outcome::Unit) => (number(0), number(1)),
            Some(Outcome::Circle) => (Some(pi(true, span)), Some(pi(false, span))),
            Some(Outcome::Between(lower, upper)) => (argument(lower), argument(upper)),
            Some(Outcome::Above(lower)) => (argument(lower), None),
            Some(Outcome::Simplex) => return SupportKind::Simplex,
            Some(Outcome::Covariance) => return SupportKind::Covariance,
            Some(Outcome::Correlation) => return SupportKind::Correlation,
            Some(Outcome::CholeskyCovariance) => return SupportKind::CholeskyCovariance,
            Some(Outcome::CholeskyCorrelation) => return SupportKind::CholeskyCorrelation,
        };
        let (cut_lower, cut_upper) = match prior.truncation {
            Some((lower, upper)) => (lower.clone(), upper.clone()),
            None => (None, None),
        };
        match (
            tighter(lower, cut_lower, f64::max),
            tighter(upper, cut_upper, f64::min),
        ) {
            (None, None) => SupportKind::Real,
            (lower, upper) => SupportKind::Interval { lower, upper },
        }
    }

    /// Narrows the real line as places demand (3c.3, 3c.4).
    fn meet(&self, mut kinds: Vec<SupportKind>) -> Result<Support, Box<Diagnostic>> {
        let mut truncates = false;
        for demand in &self.demands {
            let narrowed = match demand.what {
                Demanded::Scale => SupportKind::Interval {
                    lower: Some(Expr::new(ExprKind::Int(0), demand.place)),
                    upper: None,
                },
                Demanded::Cutpoints => SupportKind::Ordered,
                _ => SupportKind::Real,
            };
            for (place, kind) in kinds.iter_mut().enumerate() {
                if demands::is_met(demand.what, kind) {
                    continue;
                }
                let prior = self.priors.get(place);
                if *kind != SupportKind::Real || narrowed == SupportKind::Real {
                    return Err(Box::new(self.unmet(demand, prior)));
                }
                if let Some(prior) = prior {
                    truncates |= self.must_truncate(demand, prior)?;
                }
                *kind = narrowed.clone();
            }
        }
        let kind = self.agreed(kinds)?;
        Ok(Support {
            truncates,
            ..self.with_reason(kind)
        })
    }

    /// Priors of different elements confine them alike.
    fn agreed(&self, kinds: Vec<SupportKind>) -> Result<SupportKind, Box<Diagnostic>> {
        let first = kinds.first().cloned().unwrap_or_default();
        let differs = kinds.iter().position(|kind| !same(kind, &first));
        let Some(place) = differs else {
            return Ok(first);
        };
        let text = &self.model.names[self.name.0].name;
        let title = format!("the priors of `{text}` have different supports");
        let span = self.priors[place].statement.span;
        Err(Box::new(
            Diagnostic::error(Code::SupportUnmet, title, span, "")
                .with_secondary(self.priors[0].statement.span, "another prior")
                .with_hint(format!("declare its type, as in `real<lower=0> {text}`")),
        ))
    }

    fn with_reason(&self, kind: SupportKind) -> Support {
        let (reason, place) = match (self.demands.first(), self.priors.first()) {
            _ if kind == SupportKind::Real => (String::new(), None),
            (Some(demand), _) => (demand.reason(), Some(demand.place)),
            (None, Some(prior)) if prior.truncation.is_some() => {
                (String::from("truncated"), Some(prior.statement.span))
            }
            (None, Some(prior)) => (
                format!("support of {}", prior.distribution),
                Some(prior.statement.span),
            ),
            (None, None) => (String::new(), None),
        };
        Support {
            kind,
            reason,
            place,
            truncates: false,
        }
    }

    /// Whether narrowing a prior to what a place demands needs its normaliser.
    ///
    /// # Errors
    /// E10 if it does and the family cannot be truncated.
    fn must_truncate(&self, demand: &Demand, prior: &Prior) -> Result<bool, Box<Diagnostic>> {
        let is_constant = match demand.what {
            // The orders of exchangeable numbers are equally likely.
            Demanded::Cutpoints => self.has_equal_arguments(prior),
            _ => self.is_normaliser_constant(prior),
        };
        if is_constant {
            return Ok(false);
        }
        let family = Family::named(prior.distribution);
        if demand.what == Demanded::Scale && family.is_some_and(|family| family.has_cdf) {
            return Ok(true);
        }
        let text = &self.model.names[self.name.0].name;
        let (title, hint) = match demand.what {
            Demanded::Cutpoints => (
                format!(
                    "`{text}` holds the {}, but its prior differs between them",
                    demand.reason()
                ),
                format!("`ordered` in front of `{text}`"),
            ),
            _ => (
                format!(
                    "`{text}` is the {}, but {} cannot be truncated",
                    demand.reason(),
                    prior.distribution
                ),
                format!("`real<lower=0>` in front of `{text}`"),
            ),
        };
        Err(Box::new(
            Diagnostic::error(Code::SupportUnmet, title, prior.statement.span, "")
                .with_secondary(demand.place, demand.reason())
                .with_hint(format!(
                    "declare its type: {hint}, which leaves the normaliser out"
                )),
        ))
    }

    /// Whether the probability of positive values depends on no unknown.
    fn is_normaliser_constant(&self, prior: &Prior) -> bool {
        if prior
            .arguments
            .iter()
            .all(|argument| !self.reads_unknown(argument))
        {
            return true;
        }
        let Some(family) = Family::named(prior.distribution) else {
            return false;
        };
        let location = family
            .places
            .iter()
            .position(|place| *place == Place::Location);
        let at_zero = location.is_none_or(|place| {
            let argument = prior.arguments.get(place);
            argument.and_then(Expr::number) == Some(0.0)
        });
        family.is_symmetric && family.is_univariate() && at_zero
    }

    /// Whether the arguments are the same for all entries along the last axis.
    fn has_equal_arguments(&self, prior: &Prior) -> bool {
        let Some(last) = self.model.names[self.name.0].axes.last() else {
            return true;
        };
        let Some(family) = Family::named(prior.distribution) else {
            return false;
        };
        let own = prior
            .variate
            .subscripts()
            .last()
            .and_then(Subscript::root)
            .filter(|letter| self.model.letters[letter.0].set == *last);
        family.is_univariate()
            && prior.arguments.iter().all(|argument| {
                let mut varies = !argument.axes.is_empty();
                argument.visit(&mut |part| {
                    let subscripts = part.subscripts().iter();
                    let mut roots = subscripts.filter_map(Subscript::root);
                    varies |= own.is_some_and(|own| roots.any(|root| root == own));
                });
                !varies
            })
    }

    fn reads_unknown(&self, expr: &Expr) -> bool {
        reads_unknown(self.model, expr)
    }

    fn unmet(&self, demand: &Demand, prior: Option<&Prior>) -> Diagnostic {
        let text = &self.model.names[self.name.0].name;
        let (what, allowed, hint) = demand.complaint(text);
        let title = if prior.is_some() {
            format!("`{text}` is {what}, but its prior allows {allowed}")
        } else {
            format!("`{text}` is {what}, but nothing keeps it from {allowed}")
        };
        let mut report = Diagnostic::error(Code::SupportUnmet, title, demand.place, "");
        if let Some(prior) = prior {
            report = report.with_secondary(prior.statement.span, "its prior");
        }
        report.with_hint(hint)
    }

    /// A warning if a declared type cuts a prior whose normaliser depends on unknowns (3c.1).
    fn cut_prior(&self, base: BaseType, bounds: &Bounds) -> Option<Diagnostic> {
        let Bounds::Interval { lower, upper } = bounds else {
            return None;
        };
        let is_half_line = upper.is_none()
            && lower
                .as_ref()
                .is_some_and(|lower| matches!(lower.kind, crate::syntax::ast::ExprKind::Int(0)));
        let prior = self.priors.iter().find(|prior| {
            let of_prior = self.of_prior(prior);
            let is_data = !prior.arguments.iter().any(|one| self.reads_unknown(one));
            let is_constant = is_data || is_half_line && self.is_normaliser_constant(prior);
            of_prior == SupportKind::Real && base == BaseType::Real && !is_constant
        })?;
        let text = &self.model.names[self.name.0].name;
        let title =
            format!("the type of `{text}` cuts its prior, whose normaliser depends on unknowns");
        Some(
            Diagnostic::warning(Code::CutPrior, title, prior.statement.span, "")
                .with_note("As in Stan, a declared type leaves the normaliser out: the prior is not that of a truncated variable.")
                .with_hint("with the normaliser: leave the type out, or write `T[…, …]`"),
        )
    }
}

/// Whether an expression depends on an unknown.
pub(super) fn reads_unknown(model: &Model, expr: &Expr) -> bool {
    use super::tree::Level;
    let mut found = false;
    expr.visit(&mut |part| {
        if let ExprKind::Name { name, .. } = &part.kind {
            found |= !matches!(
                model.names[name.0].role,
                Role::Data | Role::Definition(Level::Data)
            );
        }
    });
    found
}

/// The bound that both allow: numbers are compared; else that of the truncation, which the author wrote.
fn tighter(family: Option<Expr>, cut: Option<Expr>, choose: fn(f64, f64) -> f64) -> Option<Expr> {
    match (family, cut) {
        (Some(family), Some(cut)) => match (family.number(), cut.number()) {
            (Some(one), Some(other)) if choose(one, other) == one => Some(family),
            _ => Some(cut),
        },
        (family, cut) => cut.or(family),
    }
}

/// Whether two supports are the same, wherever they were written.
fn same(one: &SupportKind, other: &SupportKind) -> bool {
    match (one, other) {
        (
            SupportKind::Interval { lower, upper },
            SupportKind::Interval {
                lower: other_lower,
                upper: other_upper,
            },
        ) => {
            let equal = |one: &Option<Expr>, other: &Option<Expr>| match (one, other) {
                (None, None) => true,
                (Some(one), Some(other)) => {
                    one.kind == other.kind
                        || one.number().is_some() && one.number() == other.number()
                }
                _ => false,
            };
            equal(lower, other_lower) && equal(upper, other_upper)
        }
        (one, other) => one == other,
    }
}

/// π, or -π.
fn pi(negative: bool, span: Span) -> Expr {
    let call = Expr::new(
        ExprKind::Call {
            function: crate::syntax::ast::Identifier {
                name: String::from("pi"),
                span,
            },
            arguments: Vec::new(),
            bar: false,
        },
        span,
    );
    if !negative {
        return call;
    }
    Expr::new(
        ExprKind::Unary {
            operator: crate::syntax::ast::UnaryOp::Negate,
            operand: Box::new(call),
        },
        span,
    )
}
