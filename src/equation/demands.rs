//! What places demand of unknowns (3c.3): arguments of families and kernels that must be positive, increasing, probabilities.

use super::families::{Family, Place};
use super::functions::Function;
use super::shapes::density_of;
use super::tree::{Expr, ExprKind, Model, NameId, Role, StatementKind, SupportKind};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{BaseType, BinaryOp};

/// What a place demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demanded {
    /// Positive numbers. Narrows.
    Scale,
    /// Increasing numbers. Narrows.
    Cutpoints,
    /// Numbers between 0 and 1.
    Probability,
    /// Positive numbers, but never by narrowing: the mean of counts.
    MeanCount,
    /// A simplex.
    Simplex,
    /// A covariance or correlation matrix.
    Covariance,
    /// A Cholesky factor of one.
    Cholesky,
}

/// A demand of a place on an unknown.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    /// Of whom.
    pub name: NameId,
    /// What.
    pub what: Demanded,
    /// The family or function whose argument it is.
    pub by: String,
    /// The argument.
    pub place: Span,
}

impl Demand {
    /// Why, as `hlm expand` prints it.
    pub fn reason(&self) -> String {
        let what = match self.what {
            Demanded::Scale => "scale",
            Demanded::Cutpoints => "cutpoints",
            Demanded::Probability => "probability",
            Demanded::MeanCount => "mean",
            Demanded::Simplex => "probabilities",
            Demanded::Covariance => "covariance",
            Demanded::Cholesky => "Cholesky factor",
        };
        format!("{what} of {}", self.by)
    }

    /// What the unknown is, what its prior allows that it cannot be, and what to write instead.
    pub fn complaint(&self, name: &str) -> (&'static str, &'static str, String) {
        let logarithmic = match self.by.as_str() {
            "poisson" => "poisson_log",
            "neg_binomial_2" => "neg_binomial_2_log",
            _ => "log",
        };
        let logit = match self.by.as_str() {
            "binomial" => "binomial_logit",
            "categorical" => "categorical_logit",
            "multinomial" => "multinomial_logit",
            _ => "bernoulli_logit",
        };
        match self.what {
            Demanded::Scale => (
                "a scale",
                "negative values",
                format!("truncate the prior, `T[0, ]`, or give `{name}` a positive one"),
            ),
            Demanded::Cutpoints => (
                "a vector of cutpoints",
                "any order",
                format!("declare `positive_ordered {name}`, or give it a prior on the real line"),
            ),
            Demanded::Probability => (
                "a probability",
                "values outside 0 to 1",
                format!("use `{logit}({name})` or a beta prior"),
            ),
            Demanded::MeanCount => (
                "a mean count",
                "negative values",
                format!("use `{logarithmic}({name})` or a gamma prior"),
            ),
            Demanded::Simplex => (
                "a vector of probabilities",
                "values that do not sum to 1",
                format!("use `{logit}({name})` or a dirichlet prior"),
            ),
            Demanded::Covariance => (
                "a covariance matrix",
                "other matrices",
                format!(
                    "give `{name}` a prior such as `lkj_corr(2)` or `inv_wishart(…)`, or declare `cov_matrix {name}`"
                ),
            ),
            Demanded::Cholesky => (
                "a Cholesky factor",
                "other matrices",
                format!(
                    "give `{name}` the prior `lkj_corr_cholesky(2)`, or declare `cholesky_factor_cov {name}`"
                ),
            ),
        }
    }
}

/// Whether a support meets a demand. Bounds that are no numbers are taken to.
pub(super) fn is_met(what: Demanded, kind: &SupportKind) -> bool {
    let at_least = |bound: &Option<Expr>, least: f64| {
        bound
            .as_ref()
            .is_some_and(|bound| bound.number().is_none_or(|bound| bound >= least))
    };
    let at_most = |bound: &Option<Expr>, most: f64| {
        bound
            .as_ref()
            .is_some_and(|bound| bound.number().is_none_or(|bound| bound <= most))
    };
    match (what, kind) {
        (Demanded::Scale | Demanded::MeanCount | Demanded::Probability, SupportKind::Simplex) => {
            true
        }
        (Demanded::Scale | Demanded::MeanCount, SupportKind::Interval { lower, .. }) => {
            at_least(lower, 0.0)
        }
        (Demanded::Probability, SupportKind::Interval { lower, upper }) => {
            at_least(lower, 0.0) && at_most(upper, 1.0)
        }
        (Demanded::Cutpoints, SupportKind::Ordered) | (Demanded::Simplex, SupportKind::Simplex) => {
            true
        }
        (Demanded::Covariance, kind) => {
            matches!(kind, SupportKind::Covariance | SupportKind::Correlation)
        }
        (Demanded::Cholesky, kind) => matches!(
            kind,
            SupportKind::CholeskyCovariance | SupportKind::CholeskyCorrelation
        ),
        _ => false,
    }
}

/// Every demand, in the order of the file. Reports E16.
pub(super) fn collect(model: &Model, diagnostics: &mut Vec<Diagnostic>) -> Vec<Demand> {
    let mut collector = Collector {
        model,
        demands: Vec::new(),
        faults: Vec::new(),
    };
    for statement in &model.statements {
        if let StatementKind::Draw {
            distribution,
            arguments,
            ..
        } = &statement.kind
        {
            collector.family(distribution, arguments);
        }
        for expr in statement.expressions() {
            expr.visit(&mut |part| {
                if let ExprKind::Call {
                    function,
                    arguments,
                    ..
                } = &part.kind
                {
                    collector.call(&function.name, arguments);
                }
            });
        }
    }
    diagnostics.append(&mut collector.faults);
    collector.demands
}

struct Collector<'m> {
    model: &'m Model,
    demands: Vec<Demand>,
    faults: Vec<Diagnostic>,
}

impl Collector<'_> {
    fn call(&mut self, function: &str, arguments: &[Expr]) {
        if let (Some(family), Some((_, rest))) = (density_of(function), arguments.split_first()) {
            self.family(family, rest);
        }
        if let Some(row) = Function::named(function) {
            let others = arguments.len().saturating_sub(row.scales);
            for argument in arguments.iter().skip(others) {
                self.scale(argument, function, argument.span);
            }
        }
    }

    fn family(&mut self, name: &str, arguments: &[Expr]) {
        let Some(family) = Family::named(name) else {
            return;
        };
        for (argument, place) in arguments.iter().zip(family.places) {
            let what = match place {
                Place::Scale => Demanded::Scale,
                Place::Cutpoints => Demanded::Cutpoints,
                Place::Probability => Demanded::Probability,
                Place::MeanCount => Demanded::MeanCount,
                Place::Simplex => Demanded::Simplex,
                // A number or a vector there is a scale.
                Place::Covariance if argument.axes.len() < 2 => Demanded::Scale,
                Place::Covariance => Demanded::Covariance,
                Place::Cholesky => Demanded::Cholesky,
                Place::Location | Place::Integer | Place::Other => continue,
            };
            match what {
                Demanded::Scale => self.scale(argument, name, argument.span),
                Demanded::Covariance | Demanded::Cholesky => self.matrix(argument, what, name),
                _ => self.alone(argument, what, name),
            }
        }
    }

    fn demand(&mut self, name: NameId, what: Demanded, by: &str, place: Span) {
        let known = self
            .demands
            .iter()
            .any(|known| known.name == name && known.what == what && known.by == by);
        if !known {
            self.demands.push(Demand {
                name,
                what,
                by: by.to_owned(),
                place,
            });
        }
    }

    /// The unknowns that make up a scale: factors of products, through definitions.
    fn scale(&mut self, expr: &Expr, by: &str, place: Span) {
        let mut found = Vec::new();
        self.factors(expr, &mut found, &mut Vec::new());
        for name in found {
            self.demand(name, Demanded::Scale, by, place);
        }
    }

    fn factors(&self, expr: &Expr, found: &mut Vec<NameId>, visiting: &mut Vec<NameId>) {
        match &expr.kind {
            ExprKind::Name { name, .. } => match self.model.names[name.0].role {
                Role::Unknown => found.push(*name),
                Role::Data => {}
                Role::Definition(_) if visiting.contains(name) => {}
                Role::Definition(_) => {
                    visiting.push(*name);
                    for value in self.values(*name) {
                        self.factors(value, found, visiting);
                    }
                    visiting.pop();
                }
            },
            ExprKind::Binary {
                operator:
                    BinaryOp::Multiply
                    | BinaryOp::Divide
                    | BinaryOp::ElementMultiply
                    | BinaryOp::ElementDivide,
                left,
                right,
            } => {
                self.factors(left, found, visiting);
                self.factors(right, found, visiting);
            }
            ExprKind::Call {
                function,
                arguments,
                ..
            } => {
                if let Some(scales) = scales_of(&function.name, arguments) {
                    self.factors(scales, found, visiting);
                }
            }
            _ => {}
        }
    }

    fn values(&self, name: NameId) -> Vec<&Expr> {
        let statements = self.model.statements.iter();
        let values = statements.filter_map(|statement| match &statement.kind {
            StatementKind::Define {
                name: defined,
                value,
                ..
            } if *defined == name => Some(value),
            _ => None,
        });
        values.collect()
    }

    /// A matrix: an unknown itself, or scales with one.
    fn matrix(&mut self, expr: &Expr, what: Demanded, by: &str) {
        match &expr.kind {
            ExprKind::Call {
                function,
                arguments,
                ..
            } => {
                if let Some(scales) = scales_of(&function.name, arguments) {
                    self.scale(scales, by, scales.span);
                    let mut inner = arguments.iter();
                    let inner = inner.find(|argument| !std::ptr::eq(*argument, scales));
                    if let Some(inner) = inner {
                        self.matrix(inner, what, by);
                    }
                }
            }
            ExprKind::Name { name, .. } => {
                if what == Demanded::Covariance && self.is_cholesky(*name) {
                    self.report_cholesky(*name, by, expr.span);
                } else {
                    self.alone(expr, what, by);
                }
            }
            _ => {}
        }
    }

    /// Whether the declaration or a prior of a name makes it a Cholesky factor.
    fn is_cholesky(&self, name: NameId) -> bool {
        let declared = &self.model.names[name.0].declared;
        if let Some(declared) = declared {
            return matches!(
                declared.base,
                BaseType::CholeskyFactorCov | BaseType::CholeskyFactorCorr
            );
        }
        self.model.statements.iter().any(|statement| {
            let is_own = statement.left().is_some_and(|(left, _)| left == name);
            match &statement.kind {
                StatementKind::Draw { distribution, .. } => {
                    is_own
                        && distribution.ends_with("_cholesky")
                        && Family::named(distribution).is_some_and(|family| {
                            family.shapes.iter().all(|one| one.starts_with("aa,"))
                        })
                }
                StatementKind::Define { .. } | StatementKind::Target { .. } => false,
            }
        })
    }

    fn report_cholesky(&mut self, name: NameId, by: &str, span: Span) {
        let text = &self.model.names[name.0].name;
        let title = format!("`{text}` is a Cholesky factor, and `{by}` takes a covariance matrix");
        let mut report = Diagnostic::error(Code::CholeskyFactor, title, span, "");
        let other = format!("{by}_cholesky");
        if Family::named(&other).is_some() {
            report = report.with_hint(format!("write `{other}(…, {text})`"));
        }
        self.faults.push(report);
    }

    /// An unknown that stands alone in a place; a definition that is nothing but a name passes the demand on.
    fn alone(&mut self, expr: &Expr, what: Demanded, by: &str) {
        let mut name = match &expr.kind {
            ExprKind::Name { name, .. } => *name,
            _ => return,
        };
        let mut seen = vec![name];
        while let Role::Definition(_) = self.model.names[name.0].role {
            let values = self.values(name);
            let [
                Expr {
                    kind: ExprKind::Name { name: next, .. },
                    ..
                },
            ] = values.as_slice()
            else {
                return;
            };
            name = *next;
            if seen.contains(&name) {
                return;
            }
            seen.push(name);
        }
        if self.model.names[name.0].role == Role::Unknown {
            self.demand(name, what, by, expr.span);
        }
    }
}

/// The argument of a function that holds scales.
fn scales_of<'e>(function: &str, arguments: &'e [Expr]) -> Option<&'e Expr> {
    match (function, arguments) {
        ("diag_pre_multiply", [scales, _])
        | ("diag_post_multiply" | "quad_form_diag", [_, scales]) => Some(scales),
        _ => None,
    }
}
