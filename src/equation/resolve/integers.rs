//! Which data must be integers: outcomes of discrete families, conditions, lags, counts (3b).

use super::Resolver;
use crate::equation::families::{Family, Place};
use crate::equation::tree::{Expr, ExprKind, NameId, Order, Role, SetKind, Subscript};
use crate::syntax::ast::{self, BaseType, BinaryOp, UnaryOp, UnsizedKind};

/// Functions whose arguments at some places are integers.
const COUNTS: &[(&str, &[usize])] = &[
    ("rep_vector", &[1]),
    ("rep_row_vector", &[1]),
    ("rep_matrix", &[1, 2]),
    ("zeros_vector", &[0]),
    ("ones_vector", &[0]),
    ("uniform_simplex", &[0]),
    ("identity_matrix", &[0]),
    ("matrix_power", &[1]),
    ("lmgamma", &[0]),
    ("bessel_first_kind", &[0]),
    ("bessel_second_kind", &[0]),
    ("modified_bessel_first_kind", &[0]),
    ("modified_bessel_second_kind", &[0]),
];

impl Resolver<'_> {
    /// Marks names that a use needs as integers.
    pub(super) fn find_integers(&mut self) {
        let mut needed: Vec<NameId> = Vec::new();
        for statement in &self.model.statements {
            if let crate::equation::tree::StatementKind::Draw {
                variate,
                distribution,
                arguments,
                ..
            } = &statement.kind
            {
                let variate_and_arguments: Vec<&Expr> =
                    std::iter::once(variate).chain(arguments).collect();
                self.note_family(distribution, &variate_and_arguments, &mut needed);
            }
            for expr in statement.expressions() {
                self.note_needs(expr, &mut needed);
            }
        }
        for set in &self.model.sets {
            if let SetKind::Fixed(Order::Range(from, to))
            | SetKind::Levels {
                order: Some(Order::Range(from, to)),
                ..
            } = &set.kind
            {
                note_integer(from, &mut needed);
                note_integer(to, &mut needed);
            }
        }
        let mut next = 0;
        while next < needed.len() {
            let name = needed[next];
            for value in self.values(name) {
                note_integer(value, &mut needed);
            }
            next += 1;
        }
        for name in needed {
            let found = &mut self.model.names[name.0];
            found.is_integer = found.role != Role::Unknown;
        }
    }

    /// Notes what the parts of an expression need.
    fn note_needs(&self, expr: &Expr, needed: &mut Vec<NameId>) {
        expr.visit(&mut |part| {
            match &part.kind {
                ExprKind::Ternary { condition, .. } => note_integer(condition, needed),
                ExprKind::Unary {
                    operator: UnaryOp::Not,
                    operand,
                } => note_integer(operand, needed),
                ExprKind::Binary {
                    operator:
                        BinaryOp::And | BinaryOp::Or | BinaryOp::Modulo | BinaryOp::IntegerDivide,
                    left,
                    right,
                } => {
                    note_integer(left, needed);
                    note_integer(right, needed);
                }
                ExprKind::Call {
                    function,
                    arguments,
                    ..
                } => self.note_call(&function.name, arguments, needed),
                _ => {}
            }
            for subscript in part.subscripts() {
                note_steps(subscript, needed);
            }
        });
    }

    fn note_call(&self, function: &str, arguments: &[Expr], needed: &mut Vec<NameId>) {
        if let Some((_, places)) = COUNTS.iter().find(|(name, _)| *name == function) {
            for argument in places.iter().filter_map(|place| arguments.get(*place)) {
                note_integer(argument, needed);
            }
        }
        for place in self.integer_parameters(function) {
            if let Some(argument) = arguments.get(place) {
                note_integer(argument, needed);
            }
        }
        let suffixes = ["_lpmf", "_lupmf", "_lcdf", "_lccdf", "_cdf", "_rng"];
        for suffix in suffixes {
            let Some(family) = function.strip_suffix(suffix) else {
                continue;
            };
            // A call of a random number generator has no variate.
            if suffix == "_rng" {
                note_places(family, arguments, needed);
            } else {
                let all: Vec<&Expr> = arguments.iter().collect();
                self.note_family(family, &all, needed);
            }
        }
    }

    /// The places of the parameters of type int of the program's own function.
    fn integer_parameters(&self, function: &str) -> Vec<usize> {
        let functions = self.model.functions.iter().flat_map(|block| &block.items);
        let own = functions.filter(|own| own.name.name == function);
        own.flat_map(|own| own.parameters.iter().enumerate())
            .filter(|(_, parameter)| is_integer_type(&parameter.parameter_type.kind))
            .map(|(place, _)| place)
            .collect()
    }

    fn note_family(&self, family: &str, all: &[&Expr], needed: &mut Vec<NameId>) {
        let Some((variate, arguments)) = all.split_first() else {
            return;
        };
        let is_discrete = match Family::named(family) {
            Some(family) => family.is_discrete(),
            None => self.model.functions.iter().any(|block| {
                let mass = format!("{family}_lpmf");
                block.items.iter().any(|own| own.name.name == mass)
            }),
        };
        if is_discrete {
            note_integer(variate, needed);
        }
        let arguments: Vec<Expr> = arguments
            .iter()
            .map(|argument| (*argument).clone())
            .collect();
        note_places(family, &arguments, needed);
    }
}

fn note_places(family: &str, arguments: &[Expr], needed: &mut Vec<NameId>) {
    let Some(family) = Family::named(family) else {
        return;
    };
    for (argument, place) in arguments.iter().zip(family.places) {
        if *place == Place::Integer {
            note_integer(argument, needed);
        }
    }
}

fn is_integer_type(kind: &UnsizedKind) -> bool {
    match kind {
        UnsizedKind::Basic(base) => *base == BaseType::Int,
        UnsizedKind::Array { element, .. } => is_integer_type(&element.kind),
        UnsizedKind::Tuple(_) => false,
    }
}

fn note_steps(subscript: &Subscript, needed: &mut Vec<NameId>) {
    subscript.visit(&mut |part| {
        if let Subscript::Shift { by, .. } = part {
            note_integer(by, needed);
        }
    });
}

/// Notes the names that must be integers for an expression to be one.
fn note_integer(expr: &Expr, needed: &mut Vec<NameId>) {
    match &expr.kind {
        ExprKind::Name { name, .. } => {
            if !needed.contains(name) {
                needed.push(*name);
            }
        }
        ExprKind::Unary { operand, .. } => note_integer(operand, needed),
        ExprKind::Binary {
            operator,
            left,
            right,
        } => {
            if !operator.is_logical() {
                note_integer(left, needed);
                note_integer(right, needed);
            }
        }
        ExprKind::Ternary {
            if_true, if_false, ..
        } => {
            note_integer(if_true, needed);
            note_integer(if_false, needed);
        }
        ExprKind::Reduce { function, body, .. } => {
            if keeps_integers(function) {
                note_integer(body, needed);
            }
        }
        ExprKind::Call {
            function,
            arguments,
            ..
        } => {
            if keeps_integers(function) {
                for argument in arguments {
                    note_integer(argument, needed);
                }
            }
        }
        ExprKind::Array(list) => {
            for element in list {
                note_integer(element, needed);
            }
        }
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::LevelTest { .. }
        | ExprKind::Size(_)
        | ExprKind::LetterValue(_)
        | ExprKind::RowVector(_) => {}
    }
}

/// Whether a function of integers gives integers.
fn keeps_integers(function: &ast::Identifier) -> bool {
    ["sum", "min", "max", "prod", "abs"].contains(&function.name.as_str())
}
