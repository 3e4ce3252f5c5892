//! Expressions over the draws of the last fit: evaluated draw by draw, and summarised.

use std::collections::BTreeMap;

use hlm::check::Visible;
use hlm::diag::{Code, Diagnostic};
use hlm::equation::lower::ascii;
use hlm::interp::{Container, Effects, Interpreter, Value};
use hlm::model::Posterior;
use hlm::run::Draws;
use hlm::session::Failure;
use hlm::summary::{Labels, quantile_of_sorted, summarise};
use hlm::syntax::ast::{Expr, ExprKind, Index, UnaryOp};
use hlm::syntax::format_expression;
use hlm::types::Ty;

use super::calculator::Calculator;

/// Probabilities of the quantiles that a table gives.
const PROBABILITIES: [f64; 3] = [0.05, 0.5, 0.95];

/// A variable that has draws.
struct Drawn {
    visible: Visible,
    dims: Vec<usize>,
    /// The places of its scalars among the draws' columns, in the order of values in memory.
    places: Vec<usize>,
}

/// The variables of a fit, for expressions.
pub struct Variables {
    drawn: BTreeMap<String, Drawn>,
}

/// What an expression came to.
struct Outcome {
    ty: Ty,
    /// The names of its scalars.
    names: Vec<String>,
    /// For each scalar, one number per draw, chain by chain.
    chains: Vec<Vec<Vec<f64>>>,
}

impl Variables {
    /// The variables of draws.
    pub fn new(posterior: &Posterior, draws: &Draws) -> Variables {
        let typed = &posterior.model().program().typed;
        let interpreter = Interpreter::new(typed);
        let place_of: BTreeMap<&str, usize> = draws
            .columns()
            .iter()
            .enumerate()
            .map(|(place, column)| (column.name.as_str(), place))
            .collect();
        let ids = (typed.parameters.iter().map(|parameter| parameter.variable))
            .chain(typed.transformed_parameters.iter().copied())
            .chain(typed.generated_quantities.iter().copied());
        let mut drawn = BTreeMap::new();
        for id in ids {
            let variable = typed.variable(id);
            let ty = variable.sized.ty.clone();
            let Ok(dims) = interpreter.declared_dims(id, posterior.values()) else {
                continue;
            };
            let template = Value::uninitialised(&ty, &dims);
            let names = template.output_names(&variable.name);
            let written: Option<Vec<usize>> = names
                .iter()
                .map(|name| place_of.get(name.as_str()).copied())
                .collect();
            // What is not saved, and tuples, no expression can use.
            let (Some(written), false) = (written, matches!(template, Value::Tuple(_))) else {
                continue;
            };
            let places = match &template {
                Value::Container(container) => {
                    let mut places = vec![0; written.len()];
                    for (place, at) in written.iter().zip(container.output_order()) {
                        places[at] = *place;
                    }
                    places
                }
                _ => written,
            };
            let name = variable.name.clone();
            let visible = Visible {
                name: name.clone(),
                ty,
            };
            drawn.insert(
                name,
                Drawn {
                    visible,
                    dims,
                    places,
                },
            );
        }
        Variables { drawn }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.drawn.keys().map(String::as_str)
    }

    /// Their names and types.
    pub fn visible(&self) -> Vec<Visible> {
        let drawn = self.drawn.values();
        drawn.map(|drawn| drawn.visible.clone()).collect()
    }

    /// The expression with the names that variables have in the program, where the user's are others: Greek letters are
    /// spelt out there, and names of functions end in `_`.
    pub fn in_program_names(&self, expr: &Expr) -> Expr {
        let mut expr = expr.clone();
        self.rename(&mut expr);
        expr
    }

    fn rename(&self, expr: &mut Expr) {
        if let ExprKind::Variable(name) = &mut expr.kind
            && !self.drawn.contains_key(name)
        {
            let plain = ascii(name);
            let candidates = [format!("{plain}_"), plain];
            if let Some(own) = candidates
                .into_iter()
                .find(|own| self.drawn.contains_key(own))
            {
                *name = own;
            }
        }
        for part in expr.parts_mut() {
            self.rename(part);
        }
    }

    /// Whether an expression names any of them.
    pub fn are_in(&self, expr: &Expr) -> bool {
        let names = expr.variables();
        names.iter().any(|name| self.drawn.contains_key(*name))
    }
}

/// What the draws say about an expression that names variables of the fit: a table, or a probability.
///
/// # Errors
/// What is wrong with the expression, or why it has no value at some draw.
pub fn describe(
    calculator: &mut Calculator,
    variables: &Variables,
    draws: &Draws,
    expr: &Expr,
) -> Result<String, Failure> {
    let over = Over { variables, draws };
    let placed = &over.with_positions(calculator, expr)?;
    // The summary of a number over the draws has a whole table to show.
    let (written, expr) = match (only_argument(expr), only_argument(placed)) {
        (Some(written), Some(argument)) if over.is_number(calculator, argument) => {
            (written, argument)
        }
        _ => (expr, placed),
    };
    let name = format_expression(written);
    let folded = over.fold_summaries(calculator, expr)?;
    if !variables.are_in(&folded) {
        let (ty, value, _) = calculator.value(&folded)?;
        let spelled = super::calculator::spell(&ty, &value);
        return Ok(format!(
            "{} : {spelled}\n",
            hlm::interp::display_value(&value)
        ));
    }
    let Outcome { ty, names, chains } = over.evaluate(calculator, &folded, &name)?;
    let columns: Vec<(&str, Vec<&[f64]>)> = names
        .iter()
        .zip(&chains)
        .map(|(name, chains)| (name.as_str(), chains.iter().map(Vec::as_slice).collect()))
        .collect();
    let mut summary = summarise(&columns, &PROBABILITIES, &[]);
    let names = over.with_labels(&folded, &name, names);
    for (row, name) in summary.rows.iter_mut().zip(&names) {
        row.name.clone_from(name);
    }
    if ty == Ty::Int && is_truth(&folded) {
        let row = &summary.rows[0].summary;
        return Ok(format!(
            "probability {} of {name}, over {} draws\n",
            probability(row.mean),
            summary.draws
        ));
    }
    Ok(summary.to_text())
}

/// A probability with the digits that draws can support.
fn probability(value: f64) -> String {
    format!("{value:.3}")
}

/// Whether the value of an expression says yes or no.
fn is_truth(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary { operator, .. } => operator.is_logical(),
        ExprKind::Unary { operator, .. } => *operator == UnaryOp::Not,
        _ => false,
    }
}

/// The argument of `mean(tau)`, `sd(tau)` or `median(tau)`.
fn only_argument(expr: &Expr) -> Option<&Expr> {
    let ExprKind::Call {
        function,
        arguments,
        ..
    } = &expr.kind
    else {
        return None;
    };
    let [argument] = arguments.as_slice() else {
        return None;
    };
    let is_table = ["mean", "sd", "median"].contains(&function.name.as_str());
    is_table.then_some(argument)
}

/// Draws, and what they are draws of.
struct Over<'f> {
    variables: &'f Variables,
    draws: &'f Draws,
}

impl Over<'_> {
    /// The names of a value's elements with labels in place of numbers, where the value has as many elements as a
    /// variable with labels that it is computed from: `(theta - mu)[US]`.
    fn with_labels(&self, expr: &Expr, name: &str, names: Vec<String>) -> Vec<String> {
        let labels = (expr.variables().into_iter())
            .filter_map(|variable| self.labels_of(variable))
            .find(|labels| labels.len() == names.len());
        match labels {
            Some(labels) if names.len() > 1 => {
                let base = base(expr, name);
                let labelled = labels.iter().map(|labels| format!("{base}[{labels}]"));
                labelled.collect()
            }
            _ => names,
        }
    }

    /// The labels of a variable's elements, in the order of its columns.
    fn labels_of(&self, variable: &str) -> Option<Vec<String>> {
        let columns = self.draws.columns().iter();
        let own = columns.filter(|column| column.name.split('.').next() == Some(variable));
        own.map(|column| Some(self.draws.labelling().of_column(&column.name)?.join(", ")))
            .collect()
    }

    /// The expression with positions in place of labels: `theta["US"]`, `theta[US]`.
    fn with_positions(&self, calculator: &Calculator, expr: &Expr) -> Result<Expr, Failure> {
        let mut expr = expr.clone();
        match self.place_labels(calculator, &mut expr) {
            Ok(()) => Ok(expr),
            Err(found) => Err(calculator.failure(vec![*found])),
        }
    }

    fn place_labels(
        &self,
        calculator: &Calculator,
        expr: &mut Expr,
    ) -> Result<(), Box<Diagnostic>> {
        for part in expr.parts_mut() {
            self.place_labels(calculator, part)?;
        }
        let ExprKind::Index { base, indices } = &mut expr.kind else {
            return Ok(());
        };
        let ExprKind::Variable(name) = &base.kind else {
            return Ok(());
        };
        let Some(dimensions) = self.draws.labelling().dimensions(name) else {
            return Ok(());
        };
        for (index, labels) in indices.iter_mut().zip(dimensions) {
            let Index::Single(index) = index else {
                continue;
            };
            let label = match &index.kind {
                ExprKind::Text(label) => label.clone(),
                ExprKind::Int(label) => label.to_string(),
                ExprKind::Variable(label) if !self.is_known(calculator, label) => label.clone(),
                _ => continue,
            };
            match (labels.position(&label), &**labels) {
                (Some(position), _) => index.kind = ExprKind::Int(position as i32 + 1),
                // What counts from 1 has its own message for numbers beyond its end.
                (None, Labels::Count(_)) if matches!(index.kind, ExprKind::Int(_)) => {}
                (None, labels) => return Err(Box::new(unknown_label(name, labels, &label, index))),
            }
        }
        Ok(())
    }

    fn is_known(&self, calculator: &Calculator, name: &str) -> bool {
        self.variables.drawn.contains_key(name) || calculator.names().any(|own| own == name)
    }

    /// Whether an expression is a number at each draw, and not the same at all.
    fn is_number(&self, calculator: &Calculator, expr: &Expr) -> bool {
        let is_scalar = |ty: &Ty| matches!(ty, Ty::Int | Ty::Real);
        self.variables.are_in(expr)
            && calculator
                .check(expr, &self.variables.visible())
                .is_ok_and(|checked| is_scalar(&checked.expr.ty))
    }

    /// The expression with numbers in place of summaries over the draws: `mean(tau)` where tau is a number.
    fn fold_summaries(&self, calculator: &Calculator, expr: &Expr) -> Result<Expr, Failure> {
        let mut folded = expr.clone();
        self.fold(calculator, &mut folded)?;
        Ok(folded)
    }

    fn fold(&self, calculator: &Calculator, expr: &mut Expr) -> Result<(), Failure> {
        for part in expr.parts_mut() {
            self.fold(calculator, part)?;
        }
        let ExprKind::Call {
            function,
            arguments,
            ..
        } = &expr.kind
        else {
            return Ok(());
        };
        let (Some(summary), Some(argument)) =
            (summary_named(&function.name, arguments), arguments.first())
        else {
            return Ok(());
        };
        if !self.is_number(calculator, argument) {
            return Ok(());
        }
        let Outcome { chains, .. } = self.evaluate(calculator, argument, "")?;
        let number = summary(&chains.concat().concat());
        expr.kind = ExprKind::Real(number.abs());
        if number < 0.0 {
            let operand = Box::new(expr.clone());
            expr.kind = ExprKind::Unary {
                operator: UnaryOp::Negate,
                operand,
            };
        }
        Ok(())
    }

    /// The values at every draw.
    fn evaluate(
        &self,
        calculator: &Calculator,
        expr: &Expr,
        name: &str,
    ) -> Result<Outcome, Failure> {
        let mentioned = expr.variables();
        let drawn = &self.variables.drawn;
        let used: Vec<&Drawn> = drawn
            .iter()
            .filter(|(name, _)| mentioned.contains(&name.as_str()))
            .map(|(_, drawn)| drawn)
            .collect();
        let visible: Vec<Visible> = used.iter().map(|drawn| drawn.visible.clone()).collect();
        let checked = calculator.check(expr, &visible)?;
        let mut values: Vec<Option<Value>> = calculator.values().cloned().map(Some).collect();
        let first = values.len();
        values.resize(checked.program.variables.len(), None);
        let interpreter = Interpreter::new(&checked.program);
        let base = base(expr, name);
        let mut names = Vec::new();
        let mut chains: Vec<Vec<Vec<f64>>> = Vec::new();
        for (at, chain) in self.draws.chains().iter().enumerate() {
            let columns: Vec<Vec<&[f64]>> = used
                .iter()
                .map(|drawn| {
                    drawn
                        .places
                        .iter()
                        .map(|place| chain.column(*place))
                        .collect()
                })
                .collect();
            for row in 0..chain.rows() {
                for (offset, (drawn, columns)) in used.iter().zip(&columns).enumerate() {
                    values[first + offset] = Some(drawn.value(columns, row));
                }
                let value = interpreter
                    .evaluate(&checked.expr, &values, Effects::default())
                    .map_err(|failure| calculator.no_value(&failure))?;
                if names.is_empty() {
                    names = bracketed(&value, name, &base);
                    chains = vec![vec![Vec::new(); self.draws.chains().len()]; names.len()];
                }
                for (scalar, chains) in value.output_reals().into_iter().zip(&mut chains) {
                    chains[at].push(scalar);
                }
            }
        }
        Ok(Outcome {
            ty: checked.expr.ty,
            names,
            chains,
        })
    }
}

impl Drawn {
    fn value(&self, columns: &[&[f64]], row: usize) -> Value {
        let numbers = || columns.iter().map(|column| column[row]);
        let ty = &self.visible.ty;
        match ty {
            Ty::Int => Value::Int(columns[0][row] as i64),
            Ty::Real => Value::Real(columns[0][row]),
            _ if ty.scalar() == Ty::Int => Value::Container(Container::ints(
                ty.clone(),
                self.dims.clone(),
                numbers().map(|number| number as i64).collect::<Vec<_>>(),
            )),
            _ => Value::Container(Container::reals(
                ty.clone(),
                self.dims.clone(),
                numbers().collect::<Vec<_>>(),
            )),
        }
    }
}

/// Labels that a message lists.
const LISTED: usize = 8;

fn unknown_label(variable: &str, labels: &Labels, label: &str, place: &Expr) -> Diagnostic {
    let title = format!("`{variable}` has no level `{label}`");
    let found = Diagnostic::error(Code::UnknownLevel, title, place.span, "");
    let listed: Vec<String> = (0..labels.len().min(LISTED))
        .filter_map(|element| Some(labels.get(element)?.into_owned()))
        .collect();
    let more = if labels.len() > LISTED { ", …" } else { "" };
    found.with_hint(format!("Its levels are {}{more}.", listed.join(", ")))
}

/// An expression as brackets can follow it.
fn base(expr: &Expr, name: &str) -> String {
    match expr.kind {
        ExprKind::Unary { .. } | ExprKind::Binary { .. } | ExprKind::Ternary { .. } => {
            format!("({name})")
        }
        _ => name.to_string(),
    }
}

/// The names of a value's scalars: the expression itself, with indexes where there are several.
fn bracketed(value: &Value, name: &str, base: &str) -> Vec<String> {
    let names = value.output_names("");
    let bracketed = |suffix: &String| match suffix.strip_prefix('.') {
        Some(indices) => format!("{base}[{}]", indices.replace('.', ",")),
        None => name.to_string(),
    };
    names.iter().map(bracketed).collect()
}

/// A number that many draws come to.
type SummaryOfDraws = dyn Fn(&[f64]) -> f64;

/// What a function does with the draws of a number, if it is one that summarises.
fn summary_named(name: &str, arguments: &[Expr]) -> Option<Box<SummaryOfDraws>> {
    let mean = |draws: &[f64]| draws.iter().sum::<f64>() / draws.len() as f64;
    let variance = move |draws: &[f64]| {
        let centre = mean(draws);
        let squares = draws
            .iter()
            .map(|draw| (draw - centre).powi(2))
            .sum::<f64>();
        squares / (draws.len() as f64 - 1.0)
    };
    let quantile = |probability: f64| {
        move |draws: &[f64]| {
            let mut sorted = draws.to_vec();
            sorted.sort_by(f64::total_cmp);
            quantile_of_sorted(&sorted, probability)
        }
    };
    Some(match (name, arguments) {
        ("mean", [_]) => Box::new(mean),
        ("variance", [_]) => Box::new(variance),
        ("sd", [_]) => Box::new(move |draws| variance(draws).sqrt()),
        ("median", [_]) => Box::new(quantile(0.5)),
        ("quantile", [_, probability]) => match probability.kind {
            ExprKind::Real(probability) => Box::new(quantile(probability)),
            _ => return None,
        },
        _ => return None,
    })
}
