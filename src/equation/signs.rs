//! The sign check (3c.5): sets of unknowns whose joint sign no data can tell.
//!
//! Every unknown with a support symmetric about 0, and every definition, has a bit: whether its sign is flipped. The
//! model is unchanged by a flip if the bits satisfy linear equations mod 2: terms of a sum flip together, bits of
//! factors add, arguments of other functions do not flip. Gaussian elimination finds the flips that are left; each is
//! E11.

use std::collections::BTreeSet;

use super::families::{Family, Outcome, Place};
use super::shapes::density_of;
use super::tree::{
    Expr, ExprKind, Level, Model, NameId, Purpose, Role, StatementKind, SupportKind,
};
use crate::diag::{Code, Diagnostic};
use crate::syntax::ast::{BaseType, BinaryOp, UnaryOp};

/// The sum mod 2 of some names' bits.
type Bits = BTreeSet<NameId>;

/// How an expression answers to a flip.
enum Parity {
    /// The literal 0, which is its own negative.
    Zero,
    /// It flips if the sum of these bits is 1.
    Flips(Bits),
}

/// Finds flips that leave the model unchanged.
///
/// `free` says for each name whether it is declared without a constraint: its author knows.
pub(super) fn check_signs(
    model: &Model,
    declared_free: &[bool],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut signs = Signs {
        model,
        declared_free,
        equations: Vec::new(),
    };
    signs.statements();
    let flips = kernel(&signs.variables(), signs.equations.clone());
    for flip in flips {
        let mut unknowns: Vec<NameId> = flip
            .into_iter()
            .filter(|name| model.names[name.0].role == Role::Unknown)
            .collect();
        // The one with the fewest indices is the likeliest to be a scale.
        unknowns.sort_by_key(|name| model.names[name.0].axes.len());
        if !unknowns.is_empty() {
            diagnostics.push(report(model, &unknowns));
        }
    }
}

struct Signs<'m> {
    model: &'m Model,
    declared_free: &'m [bool],
    /// Sums of bits that are 0.
    equations: Vec<Bits>,
}

impl Signs<'_> {
    /// The names with a bit.
    fn variables(&self) -> Vec<NameId> {
        let names = (0..self.model.names.len()).map(NameId);
        names.filter(|name| self.has_bit(*name)).collect()
    }

    fn has_bit(&self, name: NameId) -> bool {
        let found = &self.model.names[name.0];
        match found.role {
            Role::Data | Role::Definition(Level::Data | Level::Generated) => false,
            Role::Definition(Level::Target) => true,
            Role::Unknown if self.declared_free[name.0] => false,
            Role::Unknown => match &found.declared {
                Some(declared) => matches!(
                    declared.base,
                    BaseType::SumToZeroVector | BaseType::UnitVector
                ),
                None => match &found.support.kind {
                    SupportKind::Real | SupportKind::SumToZero | SupportKind::UnitVector => true,
                    SupportKind::Interval { lower, upper } => {
                        let number = |bound: &Option<Expr>| bound.as_ref().and_then(Expr::number);
                        match (number(lower), number(upper)) {
                            (Some(lower), Some(upper)) => lower == -upper,
                            _ => false,
                        }
                    }
                    _ => false,
                },
            },
        }
    }

    fn statements(&mut self) {
        let model = self.model;
        for statement in &model.statements {
            match &statement.kind {
                StatementKind::Draw {
                    variate,
                    purpose,
                    distribution,
                    arguments,
                    truncation,
                    ..
                } => {
                    let is_cut = truncation.is_some()
                        || matches!(purpose, Purpose::Prior(name) if !self.has_bit(*name));
                    self.density(distribution, variate, arguments, is_cut);
                }
                StatementKind::Define { name, value, .. } => {
                    let role = model.names[name.0].role;
                    if matches!(role, Role::Definition(Level::Data | Level::Generated)) {
                        continue;
                    }
                    let value = self.parity(value);
                    self.equate(Parity::Flips(self.bit(*name)), value);
                }
                StatementKind::Target { value } => self.require(value),
            }
        }
    }

    fn bit(&self, name: NameId) -> Bits {
        let mut bits = Bits::new();
        if self.has_bit(name) {
            bits.insert(name);
        }
        bits
    }

    fn equate(&mut self, one: Parity, other: Parity) {
        if let (Parity::Flips(one), Parity::Flips(other)) = (one, other) {
            self.equations.push(&one ^ &other);
        }
    }

    /// An expression does not flip.
    fn require(&mut self, expr: &Expr) {
        let parity = self.parity(expr);
        self.equate(parity, Parity::Flips(Bits::new()));
    }

    /// Variate and arguments of a family.
    fn density(&mut self, family: &str, variate: &Expr, arguments: &[Expr], is_cut: bool) {
        let row = Family::named(family);
        let centre = row.filter(|row| row.is_symmetric && !is_cut);
        let Some(row) = centre else {
            // A uniform between -c and c is symmetric about 0.
            let is_level = row.is_some_and(|row| matches!(row.outcome, Outcome::Between(..)))
                && arguments.iter().all(|argument| argument.number().is_some());
            if is_level {
                self.parity(variate);
            } else {
                self.require(variate);
            }
            for argument in arguments {
                self.require(argument);
            }
            return;
        };
        let flips = self.parity(variate);
        let location = row
            .places
            .iter()
            .position(|place| *place == Place::Location);
        for (place, argument) in arguments.iter().enumerate() {
            if Some(place) != location {
                self.require(argument);
            }
        }
        if let Some(argument) = location.and_then(|place| arguments.get(place)) {
            let centre = self.parity(argument);
            self.equate(flips, centre);
        }
    }

    fn parity(&mut self, expr: &Expr) -> Parity {
        if expr.number() == Some(0.0) {
            return Parity::Zero;
        }
        match &expr.kind {
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Size(_)
            | ExprKind::LetterValue(_)
            | ExprKind::LevelTest { .. } => fixed(),
            ExprKind::Name { name, .. } => Parity::Flips(self.bit(*name)),
            ExprKind::Unary { operator, operand } => match operator {
                UnaryOp::Negate | UnaryOp::Plus | UnaryOp::Transpose => self.parity(operand),
                UnaryOp::Not => self.fixed_parts(expr),
            },
            ExprKind::Binary {
                operator,
                left,
                right,
            } => self.operator(*operator, left, right),
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => {
                self.require(condition);
                self.together(&[if_true, if_false])
            }
            ExprKind::Reduce { function, body, .. } => match function.name.as_str() {
                "sum" | "mean" => self.parity(body),
                _ => self.fixed_parts(expr),
            },
            ExprKind::RowVector(list) | ExprKind::Array(list) => {
                let list: Vec<&Expr> = list.iter().collect();
                self.together(&list)
            }
            ExprKind::Call {
                function,
                arguments,
                ..
            } => self.call(&function.name, arguments, expr),
        }
    }

    /// No part flips, and neither does the whole.
    fn fixed_parts(&mut self, expr: &Expr) -> Parity {
        for part in expr.parts() {
            self.require(part);
        }
        fixed()
    }

    /// Terms of a sum flip together.
    fn together(&mut self, terms: &[&Expr]) -> Parity {
        let mut whole = Parity::Zero;
        for term in terms {
            let term = self.parity(term);
            whole = match (whole, term) {
                (Parity::Zero, term) => term,
                (whole, Parity::Zero) => whole,
                (Parity::Flips(one), Parity::Flips(other)) => {
                    self.equations.push(&one ^ &other);
                    Parity::Flips(one)
                }
            };
        }
        whole
    }

    fn product(&mut self, left: &Expr, right: &Expr) -> Parity {
        match (self.parity(left), self.parity(right)) {
            (Parity::Flips(one), Parity::Flips(other)) => Parity::Flips(&one ^ &other),
            _ => Parity::Zero,
        }
    }

    fn operator(&mut self, operator: BinaryOp, left: &Expr, right: &Expr) -> Parity {
        match operator {
            BinaryOp::Add | BinaryOp::Subtract => self.together(&[left, right]),
            BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::ElementMultiply
            | BinaryOp::ElementDivide => self.product(left, right),
            BinaryOp::Power | BinaryOp::ElementPower => {
                self.require(right);
                match right.constant() {
                    Some(power) if power % 2 == 0 => {
                        self.parity(left);
                        fixed()
                    }
                    Some(_) => self.parity(left),
                    None => {
                        self.require(left);
                        fixed()
                    }
                }
            }
            BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
            | BinaryOp::Modulo
            | BinaryOp::IntegerDivide
            | BinaryOp::LeftDivide => {
                self.require(left);
                self.require(right);
                fixed()
            }
        }
    }

    fn call(&mut self, function: &str, arguments: &[Expr], expr: &Expr) -> Parity {
        match (function, arguments) {
            // Linear.
            (
                "sum" | "mean" | "cumulative_sum" | "to_vector" | "to_row_vector" | "diag_matrix"
                | "reverse",
                [argument],
            )
            | ("rep_vector" | "rep_row_vector", [argument, _]) => self.parity(argument),
            ("dot_product" | "diag_pre_multiply" | "diag_post_multiply", [left, right]) => {
                self.product(left, right)
            }
            // Even. The sums inside still flip together.
            (
                "square" | "abs" | "dot_self" | "norm1" | "norm2" | "crossprod" | "tcrossprod",
                [argument],
            ) => {
                self.parity(argument);
                fixed()
            }
            _ => {
                let suffixes = ["_lpdf", "_lpmf", "_lupdf", "_lupmf"];
                let is_density = suffixes.iter().any(|suffix| function.ends_with(suffix));
                if let (true, Some(family), Some((variate, rest))) =
                    (is_density, density_of(function), arguments.split_first())
                {
                    self.density(family, variate, rest, false);
                    return fixed();
                }
                self.fixed_parts(expr)
            }
        }
    }
}

fn fixed() -> Parity {
    Parity::Flips(Bits::new())
}

/// A basis of the flips that satisfy all equations (Gaussian elimination mod 2).
fn kernel(variables: &[NameId], mut equations: Vec<Bits>) -> Vec<Bits> {
    let mut pivots: Vec<(NameId, Bits)> = Vec::new();
    for variable in variables {
        let Some(place) = equations.iter().position(|one| one.contains(variable)) else {
            continue;
        };
        let pivot = equations.swap_remove(place);
        for equation in equations
            .iter_mut()
            .chain(pivots.iter_mut().map(|(_, equation)| equation))
        {
            if equation.contains(variable) {
                *equation = &*equation ^ &pivot;
            }
        }
        pivots.push((*variable, pivot));
    }
    let is_pivot = |variable: &NameId| pivots.iter().any(|(pivot, _)| pivot == variable);
    let free = variables.iter().filter(|variable| !is_pivot(variable));
    free.map(|variable| {
        let mut flip = Bits::from([*variable]);
        for (pivot, equation) in &pivots {
            if equation.contains(variable) {
                flip.insert(*pivot);
            }
        }
        flip
    })
    .collect()
}

fn report(model: &Model, unknowns: &[NameId]) -> Diagnostic {
    let mut texts: Vec<String> = unknowns
        .iter()
        .map(|name| format!("`{}`", model.names[name.0].name))
        .collect();
    let last = texts.pop().unwrap_or_default();
    let (title, place) = if texts.is_empty() {
        (
            format!("the sign of {last} can be swapped without changing the model"),
            unknowns[0],
        )
    } else {
        let title = format!(
            "the signs of {} and {last} can be swapped without changing the model",
            texts.join(", ")
        );
        (title, unknowns[0])
    };
    let mut report = Diagnostic::error(Code::MirroredSigns, title, model.names[place.0].span, "");
    for other in &unknowns[1..] {
        report = report.with_secondary(model.names[other.0].span, "together with this");
    }
    report = report.with_note(
        "The posterior would have a mirror image, and chains would disagree about which half they are in.",
    );
    let prior = prior_text(model, unknowns[0]);
    report.with_hint(match prior {
        Some(prior) => format!("a scale is positive: `{prior} T[0, ]`; if the mirror image is meant, declare one of them `real`"),
        None => String::from("give one of them a positive prior; if the mirror image is meant, declare one of them `real`"),
    })
}

/// A univariate prior as written, alone on its line.
fn prior_text(model: &Model, name: NameId) -> Option<String> {
    model.statements.iter().find_map(|statement| {
        let StatementKind::Draw {
            variate,
            purpose: Purpose::Prior(found),
            distribution,
            arguments,
            truncation: None,
            ..
        } = &statement.kind
        else {
            return None;
        };
        let has_cdf = Family::named(distribution).is_some_and(|family| family.has_cdf);
        (*found == name && has_cdf).then(|| {
            format!(
                "{} ~ {distribution}({})",
                model.expr_text(variate),
                model.list_text(arguments)
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(names: &[usize]) -> Bits {
        names.iter().map(|name| NameId(*name)).collect()
    }

    #[test]
    fn the_kernel_of_a_system_mod_2_is_found() {
        let variables: Vec<NameId> = (0..4).map(NameId).collect();
        // 0 + 1 = 0, 1 + 2 = 0, 3 = 0: only 0, 1 and 2 together can flip.
        let equations = vec![bits(&[0, 1]), bits(&[1, 2]), bits(&[3])];
        assert_eq!(kernel(&variables, equations), [bits(&[0, 1, 2])]);
        let regular = vec![bits(&[0, 1]), bits(&[1]), bits(&[2, 3]), bits(&[2])];
        assert!(kernel(&variables, regular).is_empty());
        assert_eq!(kernel(&variables, Vec::new()).len(), 4);
    }
}
