//! Of a prediction: a fit's levels and tables come first, new rows and the levels that only they have stand behind them.

use std::rc::Rc;

use super::binder::{Binder, Elsewhere, Found, Holding};
use super::choose::Required;
use super::elements::Elements;
use super::join::{Candidate, Keys};
use super::levels::{Coded, Level, in_order};
use super::long::Long;
use super::report::Place;
use super::sets::LARGEST_RANGE;
use super::sources::FittedSet;
use crate::diag::{Code, Diagnostic};
use crate::equation::plan::{InputSource, SetId};
use crate::summary::Labels;

impl<'a> Binder<'a> {
    /// The elements that a set had in the fit, of a prediction.
    pub(super) fn fitted(&self, set: SetId) -> Option<&'a FittedSet> {
        self.sources.fitted.as_ref()?.sets.get(set.0)
    }

    /// Whether a table is of the fit that a prediction is from.
    pub(super) fn is_of_fit(&self, table: usize) -> bool {
        let fitted = self.sources.fitted.as_ref();
        fitted.is_some_and(|fitted| table < fitted.tables)
    }

    /// The tables that were added for a prediction.
    pub(super) fn new_tables(&self) -> Vec<usize> {
        let fitted = self.sources.fitted.as_ref();
        let first = fitted.map_or(self.sources.tables.len(), |fitted| fitted.tables);
        (first..self.sources.tables.len()).collect()
    }

    /// Of a prediction: the table with the new rows of a letter. Where none has any of its columns, there are no new rows,
    /// and those of the fit stand. `None` if a table has some but not all.
    pub(super) fn new_table_of(&mut self, set: SetId) -> Option<Option<usize>> {
        let letters = &self.plan.sets[set.0].letters;
        let tables = self.new_tables();
        let is_given = |table: &usize| {
            let letter = self.sources.tables[*table].letter.as_ref();
            letter.is_some_and(|letter| letters.contains(letter))
        };
        if let Some(given) = tables.iter().copied().find(is_given) {
            return Some(Some(given));
        }
        let required = self.columns_by_row(set)?;
        let count = |table: usize| {
            let has = |(_, names): &&Required| self.column_of(table, names).is_some();
            required.iter().filter(has).count()
        };
        // The first of several equals.
        let best = tables.into_iter().rev().max_by_key(|table| count(*table));
        match best.map(|table| (table, count(table))) {
            Some((table, found)) if found == required.len() => Some(Some(table)),
            Some((_, 0)) | None => Some(None),
            Some(_) => {
                self.report_no_table(set, &required);
                None
            }
        }
    }

    /// Of a prediction: the levels of the fit, then those that only new rows have. Levels of outcomes are the fit's.
    pub(super) fn levels_after(
        &mut self,
        set: SetId,
        columns: &[usize],
        fitted: &Labels,
    ) -> Option<Elements> {
        let plan = self.plan;
        let known = Elements::labelled(fitted);
        let mut new: Vec<Level<'_>> = Vec::new();
        for &column in columns {
            if !plan.columns[column].is_needed {
                continue;
            }
            let found = self.find(column)?;
            self.examine_missing(column, &found);
            let coded = Coded::of(self.cells(&found));
            let is_new = |level: &Level<'_>| known.position(&level.label()).is_none();
            new.extend(coded.levels().into_iter().filter(is_new));
        }
        if new.is_empty() {
            return Some(known);
        }
        let mut labels = known.all_labels();
        match plan.sets[set.0].is_lagged {
            true => labels.extend(self.later_levels(set, columns, labels.last(), &new)?),
            false => labels.extend(in_order(new)),
        }
        Some(Elements::listed(labels))
    }

    /// Lagged levels up to the last new one: those in between follow from each other.
    fn later_levels(
        &mut self,
        set: SetId,
        columns: &[usize],
        last: Option<&String>,
        new: &[Level<'_>],
    ) -> Option<Vec<String>> {
        let number = |level: &Level<'_>| match level {
            Level::Integer(value) => Some(*value),
            _ => None,
        };
        let last: Option<i64> = last.and_then(|label| label.parse().ok());
        let numbers: Option<Vec<i64>> = new.iter().map(number).collect();
        match (last, numbers) {
            (Some(last), Some(numbers))
                if numbers
                    .iter()
                    .all(|at| *at > last && at - last < LARGEST_RANGE) =>
            {
                let end = numbers.into_iter().max().unwrap_or(last);
                Some((last + 1..=end).map(|value| value.to_string()).collect())
            }
            _ => {
                self.report_not_later(set, columns, new[0]);
                None
            }
        }
    }

    /// Of a prediction: for each element of the axes a row of the fit's table, else one of a new table. Where both have
    /// one, they agree.
    pub(super) fn one_of_either(
        &mut self,
        place: usize,
        axes: &[SetId],
        fitted: &Candidate,
        new: &Candidate,
    ) -> Option<Found> {
        let old_rows = self.rows_of_elements(place, axes, fitted)?;
        let new_rows = self.rows_of_elements(place, axes, new)?;
        let (mut rows, mut is_there, mut without) = (Vec::new(), Vec::new(), Vec::new());
        for (element, both) in old_rows.into_iter().zip(new_rows).enumerate() {
            if let (Some(old), Some(row)) = both {
                let holdings = fitted.holdings.iter().zip(&new.holdings);
                let places = holdings.map(|(a, b)| ((*a, old as usize), (*b, row as usize)));
                let level = |(holding, row)| Level::of(self.held(holding, row));
                let mut places = places.filter(|(a, b)| {
                    let (a, b) = (level(*a), level(*b));
                    a.is_some() && b.is_some() && a != b
                });
                if let Some((a, b)) = places.next() {
                    self.report_varying(place, axes, element, a, b);
                    return None;
                }
            }
            match both {
                (Some(row), _) | (None, Some(row)) => rows.push(row),
                (None, None) => without.push(element),
            }
            is_there.push(both.0.is_none());
        }
        if !without.is_empty() {
            self.report_without_row(place, axes, &without, new.table);
            return None;
        }
        self.is_used[new.table] = true;
        Some(Found {
            holdings: fitted.holdings.clone(),
            rows,
            new: Some(Elsewhere {
                holdings: new.holdings.clone(),
                is_there,
            }),
        })
    }

    /// Of a prediction: an element for each new row, in their order, whose outcome is not known.
    pub(super) fn new_long_rows(&mut self, place: usize) -> Option<Option<Long>> {
        let column = &self.plan.columns[place];
        for table in self.new_tables() {
            let keys = column.over.iter().map(|&set| self.keys(table, set));
            let Some(keys) = keys.collect::<Option<Vec<Keys>>>() else {
                continue;
            };
            self.is_used[table] = true;
            let rows = self.table(table).rows;
            let mut positions = Vec::new();
            for row in 0..rows {
                let position: Option<Vec<usize>> = keys.iter().map(|keys| keys[row]).collect();
                let Some(position) = position else {
                    let axis = keys.iter().position(|keys| keys[row].is_none());
                    self.report_no_position(place, axis.unwrap_or(0), table, row);
                    return None;
                };
                positions.push(position);
            }
            let goes_on = self.plan.inputs.iter().any(
                |input| matches!(input.source, InputSource::FittedRows(column) if column == place),
            );
            return match goes_on {
                true => self.long_onwards(place, table, positions),
                false => Some(Long {
                    found: Rc::new(Found {
                        holdings: vec![Holding::Constant],
                        rows: (0..rows as u32).collect(),
                        new: None,
                    }),
                    of_rows: (0..rows).collect(),
                    positions,
                    fitted: 0,
                }),
            }
            .map(Some);
        }
        Some(None)
    }

    /// The rows of the fit, and behind them the new ones in an order in which each follows those that it depends on.
    fn long_onwards(
        &mut self,
        place: usize,
        table: usize,
        positions: Vec<Vec<usize>>,
    ) -> Option<Long> {
        let fitted = self.existing_long_rows(place)?;
        let count = fitted.positions.len();
        let mut rows: Vec<(Vec<usize>, usize)> = positions.into_iter().zip(0..).collect();
        rows.sort();
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let holding = Holding::Table { table, column: 0 };
            self.report_repeated(place, &pair[0].0, holding, (pair[0].1, pair[1].1));
            return None;
        }
        let mut of_rows = vec![0; rows.len()];
        for (at, (_, row)) in rows.iter().enumerate() {
            of_rows[*row] = count + at;
        }
        let new = rows.into_iter().map(|(position, _)| position);
        Some(Long {
            found: fitted.found,
            positions: fitted.positions.into_iter().chain(new).collect(),
            fitted: count,
            of_rows,
        })
    }

    /// Whether a value is one of the fit that a prediction is from.
    pub(super) fn is_from_fit(&self, place: Place) -> bool {
        matches!(place.0, Holding::Table { table, .. } if self.is_of_fit(table))
    }

    /// A new level that does not come after those of the fit, though each follows from the one before.
    fn report_not_later(&mut self, set: SetId, columns: &[usize], level: Level<'_>) {
        let (name, letter) = (&self.plan.columns[columns[0]].name, self.letter_of(set));
        let title = format!(
            "`{name}` {} does not come after those of the fit, but the model reaches from one {letter} to the one before",
            level.label()
        );
        let span = self.plan.sets[set.0].span;
        let fault = Diagnostic::error(Code::LevelOrder, title, span, "declared here");
        self.faults.push(fault.with_hint(
            "to predict between or before known ones, put rows without outcome into the fit",
        ));
    }

    /// A new row that says nothing of a level of its outcome, or names one that the file does not have.
    fn report_no_position(&mut self, place: usize, axis: usize, table: usize, row: usize) {
        let column = &self.plan.columns[place];
        let kind = self.kind_of(column.over[axis]);
        let name = &self.table(table).name;
        let label = self.table(table).find(&kind);
        let label = label.and_then(|at| self.table(table).cell(at, row).label());
        let title = match label {
            Some(label) => format!(
                "row {} of {name} is of {kind} \"{label}\", which the model does not have",
                row + 1
            ),
            None => format!("row {} of {name} is of no {kind}", row + 1),
        };
        let fault = Diagnostic::error(Code::LevelWithoutRow, title, column.span, "declared here");
        self.faults.push(fault.with_hint(
            "an index that is declared with `in` has the levels of the file alone: a new row has one of them",
        ));
    }
}
