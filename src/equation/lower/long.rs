//! Observed columns over several level letters: they exist where a long table has a row, and are read there (R5).

use super::build;
use super::context::Lowering;
use super::form::{Form, Value};
use super::scope::Scope;
use super::usage;
use crate::equation::plan::InputSource;
use crate::equation::tree::{
    ExprKind, LetterId, Model, NameId, Purpose, Role, SetKind, Statement, StatementKind, Subscript,
};
use crate::source::Span;
use crate::syntax::ast;

/// For each name whether it is read from a long table: an outcome over several sets of levels, used in its own statement
/// alone, at the statement's letters or a fixed number of elements earlier. Any other use needs every element.
pub(super) fn columns(model: &Model) -> Vec<bool> {
    let is_long = |name: usize| is_long(model, NameId(name));
    (0..model.names.len()).map(is_long).collect()
}

fn is_long(model: &Model, name: NameId) -> bool {
    let column = &model.names[name.0];
    let is_open =
        |set: &crate::equation::tree::SetId| !matches!(model.sets[set.0].kind, SetKind::Fixed(_));
    let could_be = column.role == Role::Data
        && column.is_observed
        && column.axes.len() >= 2
        && column.axes.iter().all(is_open);
    could_be
        && model.statements.iter().all(|statement| {
            let uses = uses(statement, name);
            uses.is_empty()
                || matches!(&statement.kind, StatementKind::Draw { purpose, .. } if *purpose == Purpose::Observation(name))
                    && uses.iter().all(|subscripts| reach(subscripts, statement).is_some())
        })
}

fn uses(statement: &Statement, name: NameId) -> Vec<&[Subscript]> {
    let expressions = statement.expressions();
    let all = expressions.into_iter().flat_map(usage::subscripts_of);
    all.filter(|(used, _)| *used == name)
        .map(|(_, subscripts)| subscripts)
        .collect()
}

/// Where a use of a long column lies relative to the row: nowhere else (`Some(None)`), or so many elements earlier along an
/// axis; `None` for any other use.
fn reach(subscripts: &[Subscript], statement: &Statement) -> Option<Option<(usize, usize)>> {
    let mut lag = None;
    if subscripts.len() != statement.letters.len() {
        return None;
    }
    for (axis, (subscript, letter)) in subscripts.iter().zip(&statement.letters).enumerate() {
        match subscript {
            Subscript::Letter(own) if own == letter => {}
            Subscript::Shift { of, by } if **of == Subscript::Letter(*letter) && lag.is_none() => {
                let by = by.constant().filter(|by| *by < 0)?;
                lag = Some((axis, by.unsigned_abs() as usize));
            }
            _ => return None,
        }
    }
    Some(lag)
}

impl Lowering<'_> {
    /// The long column whose statement this is, if it is one.
    pub(super) fn long_outcome(&self, statement: &Statement) -> Option<NameId> {
        match &statement.kind {
            StatementKind::Draw {
                purpose: Purpose::Observation(name),
                variate,
                ..
            } if self.long[name.0] && matches!(variate.kind, ExprKind::Name { .. }) => Some(*name),
            _ => None,
        }
    }

    /// The number of rows in which a long column exists.
    pub(super) fn long_rows(&mut self, column: NameId, span: Span) -> ast::Expr {
        let wanted = format!("N_{}", self.data_names[column.0]);
        let source = InputSource::LongRows(self.column(column));
        let name = self.input(source, &wanted, self.name(column).span);
        build::variable(name, span)
    }

    /// Of a prediction: the number of rows of a long column that the fit had.
    pub(super) fn fitted_rows(&mut self, column: NameId, span: Span) -> ast::Expr {
        let wanted = format!("N_{}_fitted", self.data_names[column.0]);
        let source = InputSource::FittedRows(self.column(column));
        let name = self.input(source, &wanted, self.name(column).span);
        build::variable(name, span)
    }

    /// Whether a prediction of a long column goes on from the rows of the fit, since it follows from its own earlier values.
    pub(super) fn goes_on(&self, name: NameId) -> bool {
        self.prediction.is_some() && self.long[name.0] && self.reads_itself(name)
    }

    /// Of a prediction: an outcome that follows from its own earlier values, those of the fit as they were observed, each
    /// new one drawn after the one before.
    pub(super) fn define_onwards(&mut self, name: NameId) -> super::define::Piece {
        let span = self.name(name).span;
        let called = self.called(name);
        let rows = self.fitted_rows(name, span);
        let observed = self.own_input(name, InputSource::LongValues(self.column(name)));
        let fitted = vec![build::range(build::int(1, span), rows)];
        let mut statements = vec![
            self.declare_name(name, None),
            build::assign(&called, fitted, build::variable(observed, span), span),
        ];
        for statement in self.providers_of(name) {
            statements.extend(self.assignments(statement));
        }
        super::define::Piece {
            names: vec![called],
            statements,
        }
    }

    /// Lets a statement's letters stand for their elements in a row of the long table.
    pub(super) fn bind_long(
        &mut self,
        column: NameId,
        row: &str,
        letters: &[LetterId],
        scope: &mut Scope,
        span: Span,
    ) {
        let called = self.data_names[column.0].clone();
        let place = self.column(column);
        for (axis, &letter) in letters.iter().enumerate() {
            let set = self.name(column).axes[axis];
            let wanted = format!("{}_of_{called}", self.model.sets[set.0].name);
            let source = InputSource::LongPosition {
                column: place,
                axis,
            };
            let map = self.input(source, &wanted, self.name(column).span);
            let row = build::variable(row, span);
            let term = build::element(build::variable(map, span), row, span);
            scope.terms.push((letter, term));
        }
        scope.long = Some((column, build::variable(row, span)));
    }

    /// The row in which a long column stands so many elements earlier; 0 where it does not.
    fn earlier_row(&mut self, column: NameId, axis: usize, lag: usize) -> String {
        let called = self.data_names[column.0].clone();
        let letter = self.name(column).axes[axis];
        let letter = &self.model.sets[letter.0].name;
        let is_last = axis + 1 == self.name(column).axes.len();
        let wanted = match is_last {
            true => format!("{called}_lag{lag}"),
            false => format!("{called}_{letter}_lag{lag}"),
        };
        let source = InputSource::LongLag {
            column: self.column(column),
            axis,
            lag,
        };
        self.input(source, &wanted, self.name(column).span)
    }

    /// The value of a long column: in the row at hand, or in that of an earlier element.
    pub(super) fn long_value(
        &mut self,
        name: NameId,
        subscripts: &[Subscript],
        scope: &mut Scope,
        span: Span,
    ) -> Value {
        let values = if self.simulated.contains(&name) {
            self.called(name)
        } else {
            self.own_input(name, InputSource::LongValues(self.column(name)))
        };
        let values = build::variable(values, span);
        let is_integer = self.name(name).is_integer || self.name(name).levels_of.is_some();
        let form = if is_integer { Form::INT } else { Form::REAL };
        let Some((_, row)) = scope.long.clone() else {
            self.refuse("this outcome can only be read in its own statement", span);
            return Value::new(values, form);
        };
        let lag = subscripts.iter().enumerate().find_map(|(axis, subscript)| {
            let Subscript::Shift { by, .. } = subscript else {
                return None;
            };
            Some((axis, by.constant()?.unsigned_abs() as usize))
        });
        let row = match lag {
            None => row,
            Some((axis, lag)) => {
                let earlier = self.earlier_row(name, axis, lag);
                build::element(build::variable(earlier, span), row, span)
            }
        };
        Value::new(build::element(values, row, span), form)
    }

    /// The conditions under which the earlier elements of a long column that a statement uses exist.
    pub(super) fn earlier_rows_exist(
        &mut self,
        statement: &Statement,
        column: NameId,
        scope: &Scope,
    ) -> Vec<ast::Expr> {
        let Some((_, row)) = scope.long.clone() else {
            return Vec::new();
        };
        let mut lags: Vec<(usize, usize)> = uses(statement, column)
            .into_iter()
            .filter_map(|subscripts| reach(subscripts, statement).flatten())
            .collect();
        lags.sort_unstable();
        lags.dedup();
        let span = statement.span;
        let exists = |(axis, lag): (usize, usize)| {
            let earlier = self.earlier_row(column, axis, lag);
            let earlier = build::element(build::variable(earlier, span), row.clone(), span);
            build::binary(ast::BinaryOp::Greater, earlier, build::int(0, span), span)
        };
        lags.into_iter().map(exists).collect()
    }
}
