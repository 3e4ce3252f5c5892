//! The data block's variables, each from its source.

use super::binder::{Binder, Found};
use super::elements::Elements;
use super::levels::Level;
use super::table::Cell;
use crate::equation::plan::{Column, Input, InputSource, SetId};
use crate::io::data_json::DataValue;

impl Binder<'_> {
    /// The value of a variable of the data block.
    pub(super) fn fill(&mut self, input: &Input) -> Option<DataValue> {
        match &input.source {
            InputSource::Size(set) => Some(number(self.elements(*set)?.len())),
            InputSource::Column(column) => self.column(*column),
            InputSource::Map(column) => {
                let positions = self.positions(*column)?;
                let dims = self.dims(&self.plan.columns[*column])?;
                Some(DataValue::int(from_one(positions.into_iter()), dims))
            }
            InputSource::Membership { combination, .. } => {
                let elements = self.elements(*combination)?;
                Some(list(from_one(elements.membership.iter().copied())))
            }
            InputSource::PartOf { combination, part } => {
                let elements = self.elements(*combination)?;
                let tuples = &elements.combined.as_ref()?.tuples;
                Some(list(from_one(tuples.iter().map(|tuple| tuple[*part]))))
            }
            InputSource::LongRows(column) => Some(number(self.long(*column)?.len())),
            InputSource::FittedRows(column) => Some(number(self.long(*column)?.fitted)),
            InputSource::LongPosition { column, axis } => {
                let long = self.long(*column)?;
                Some(list(from_one(
                    long.positions.iter().map(|position| position[*axis]),
                )))
            }
            InputSource::LongValues(column) => {
                let long = self.long(*column)?;
                self.values(*column, &long.found, vec![long.found.len()])
            }
            InputSource::LongLag { column, axis, lag } => {
                Some(list(self.long(*column)?.earlier(*axis, *lag)))
            }
            InputSource::Position { set, label } => self.position(*set, label),
            InputSource::LevelValues(set) => {
                let elements = self.elements(*set)?;
                self.level_values(*set, &elements)
            }
            InputSource::FittedSize(set) => Some(number(self.fitted(*set)?.labels.len())),
            // Values that the fit computed are given by whoever predicts.
            InputSource::Frozen(_) => None,
            InputSource::MissingCount(column) => {
                Some(number(self.elements_with(*column, true)?.len()))
            }
            InputSource::MissingPositions(column) => Some(list(self.elements_with(*column, true)?)),
            InputSource::PresentCount(column) => {
                Some(number(self.elements_with(*column, false)?.len()))
            }
            InputSource::PresentPositions(column) => {
                Some(list(self.elements_with(*column, false)?))
            }
        }
    }

    /// The sizes of a column.
    fn dims(&mut self, column: &Column) -> Option<Vec<usize>> {
        let size = |&set: &SetId| Some(self.elements(set)?.len());
        column.over.iter().map(size).collect()
    }

    fn column(&mut self, place: usize) -> Option<DataValue> {
        let found = self.find(place)?;
        if self.examine_missing(place, &found) {
            return None;
        }
        let dims = self.dims(&self.plan.columns[place])?;
        self.values(place, &found, dims)
    }

    /// Numbers; 0 for missing ones, which the program passes over.
    fn values(&mut self, place: usize, found: &Found, dims: Vec<usize>) -> Option<DataValue> {
        let column = &self.plan.columns[place];
        if column.is_integer {
            let mut values = Vec::with_capacity(found.len());
            for element in 0..found.len() {
                let cell = self.cell(found, element);
                let value = match Level::of(cell) {
                    None => Some(0),
                    Some(Level::Integer(value)) => i32::try_from(value).ok().map(i64::from),
                    Some(_) => match cell.number() {
                        Some(value)
                            if value.fract() == 0.0 && value.abs() < f64::from(i32::MAX) =>
                        {
                            Some(value as i64)
                        }
                        _ => None,
                    },
                };
                match value {
                    Some(value) => values.push(value),
                    None => {
                        self.report_no_number(place, found.place(element), cell);
                        return None;
                    }
                }
            }
            return Some(DataValue::int(values, dims));
        }
        let mut values = Vec::with_capacity(found.len());
        for element in 0..found.len() {
            let cell = self.cell(found, element);
            match cell.number() {
                Some(value) => values.push(value),
                None if matches!(cell, Cell::Missing) => values.push(0.0),
                None => {
                    self.report_no_number(place, found.place(element), cell);
                    return None;
                }
            }
        }
        Some(DataValue::real(values, dims))
    }

    fn position(&mut self, set: SetId, label: &str) -> Option<DataValue> {
        let elements = self.elements(set)?;
        match elements.position(label) {
            Some(position) => Some(number(position + 1)),
            None => {
                self.report_no_such_level(set, label, &elements);
                None
            }
        }
    }

    fn level_values(&mut self, set: SetId, elements: &Elements) -> Option<DataValue> {
        let labels = elements.all_labels();
        let values: Option<Vec<i64>> = labels
            .iter()
            .map(|label| label.parse::<i32>().ok().map(i64::from))
            .collect();
        if values.is_none() {
            self.report_no_level_values(set, &labels);
        }
        Some(list(values?))
    }
}

fn number(value: usize) -> DataValue {
    DataValue::int(vec![value as i64], Vec::new())
}

fn list(values: Vec<i64>) -> DataValue {
    let length = values.len();
    DataValue::int(values, vec![length])
}

fn from_one(positions: impl Iterator<Item = usize>) -> Vec<i64> {
    positions.map(|position| position as i64 + 1).collect()
}
