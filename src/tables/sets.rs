//! Index sets from data: rows of the right table, levels in their order, combinations that occur.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::binder::{Binder, Found};
use super::elements::{Combined, Elements, Rows};
use super::levels::{Coded, Level, in_order};
use crate::equation::plan::{Extent, Fixed, Part, SetId, SetKind};
use crate::summary::Labels;

/// A range has at most so many elements: more would be a slip, and fill the memory.
pub(super) const LARGEST_RANGE: i64 = 100_000_000;

/// The place of a level that JSON names by its number, where the labels are text.
fn counted(level: Level<'_>, elements: &Elements) -> Option<usize> {
    let Level::Integer(value) = level else {
        return None;
    };
    let has_numbers = elements
        .all_labels()
        .iter()
        .any(|label| label.parse::<i64>().is_ok());
    let place = usize::try_from(value).ok()?.checked_sub(1)?;
    (!has_numbers && place < elements.len()).then_some(place)
}

impl Binder<'_> {
    /// The rows of a table, or as many as JSON arrays have elements.
    pub(super) fn rows(&mut self, set: SetId) -> Option<Elements> {
        let table = self.table_of(set)?;
        let total = match table {
            Some(table) => self.table(table).rows,
            None => self.array_length(set)?,
        };
        let kept = self.complete_rows(set, table, total);
        Some(Elements::of_rows(Rows { table, total, kept }))
    }

    /// The levels in columns.
    pub(super) fn levels(
        &mut self,
        set: SetId,
        columns: &[usize],
        order: Option<&Fixed>,
    ) -> Option<Elements> {
        if let Some(order) = order {
            return self.spelled_out(order);
        }
        if let Some(fitted) = self.fitted(set) {
            return self.levels_after(set, columns, &fitted.labels);
        }
        let mut found = Vec::new();
        for &column in columns {
            let at = self.find(column)?;
            self.examine_missing(column, &at);
            found.push(at);
        }
        let coded: Vec<Coded<'_>> = found
            .iter()
            .map(|found| Coded::of(self.cells(found)))
            .collect();
        let levels: Vec<Level<'_>> = coded.iter().flat_map(Coded::levels).collect();
        let from_json = found.iter().all(|found| !self.is_in_table(found));
        if from_json {
            return self.counted_levels(set, columns, &levels);
        }
        let labels = in_order(levels.clone());
        self.check_order(set, columns, &found, &coded, &labels)?;
        Some(Elements::listed(labels))
    }

    /// JSON integers are levels 1 to the largest.
    fn counted_levels(
        &mut self,
        set: SetId,
        columns: &[usize],
        levels: &[Level<'_>],
    ) -> Option<Elements> {
        let mut largest = 0;
        for level in levels {
            match level {
                Level::Integer(value) if (1..=LARGEST_RANGE).contains(value) => {
                    largest = largest.max(*value);
                }
                _ => {
                    self.report_uncountable(set, columns, *level);
                    return None;
                }
            }
        }
        Some(Elements::numbered(largest as usize))
    }

    /// Whether ordinal levels have an order, and lagged ones no gaps.
    fn check_order(
        &mut self,
        set: SetId,
        columns: &[usize],
        found: &[Rc<Found>],
        coded: &[Coded<'_>],
        labels: &[String],
    ) -> Option<()> {
        let declared = &self.plan.sets[set.0];
        let text = coded
            .iter()
            .zip(columns)
            .zip(found)
            .find_map(|((coded, &column), found)| {
                let mut distinct = coded.distinct.iter();
                let (_, element) = distinct.find(|(level, _)| level.is_text())?;
                Some((column, found.place(*element)))
            });
        if declared.is_ordinal
            && let Some((column, place)) = text
        {
            self.report_unordered(set, column, place, labels);
            return None;
        }
        if !declared.is_lagged {
            return Some(());
        }
        if let Some((column, place)) = text {
            self.report_lag_of_text(set, column, place);
            return None;
        }
        let numbers: Vec<i64> = labels
            .iter()
            .filter_map(|label| label.parse().ok())
            .collect();
        let is_gapless = numbers.len() == labels.len()
            && numbers
                .windows(2)
                .all(|pair| pair[1] == pair[0].saturating_add(1));
        if !is_gapless {
            self.report_gaps(set, columns, &numbers, labels);
            return None;
        }
        Some(())
    }

    /// Labels or a range of the file.
    pub(super) fn spelled_out(&mut self, fixed: &Fixed) -> Option<Elements> {
        let (from, to) = match fixed {
            Fixed::Labels(labels) => return Some(Elements::listed(labels.clone())),
            Fixed::Range(from, to) => (*from, *to),
            Fixed::Computed(from, to) => (self.extent(from)?, self.extent(to)?),
        };
        if from == 1 && (0..=LARGEST_RANGE).contains(&to) {
            return Some(Elements::numbered(to as usize));
        }
        if to.saturating_sub(from) > LARGEST_RANGE {
            self.report_long_range(from, to);
            return None;
        }
        Some(Elements::listed(
            (from..=to).map(|value| value.to_string()).collect(),
        ))
    }

    /// The value of a range's end; `None` also where only the running program knows it.
    fn extent(&mut self, extent: &Extent) -> Option<i64> {
        match extent {
            Extent::Number(value) => Some(*value),
            // Sizes keep the values that they had in a fit.
            Extent::Size(set) => match self.fitted(*set) {
                Some(fitted) => Some(fitted.labels.len() as i64),
                None => Some(self.elements(*set)?.len() as i64),
            },
            Extent::Scalar(column) => self.integer(*column),
            Extent::Sum(left, right) => self.extent(left)?.checked_add(self.extent(right)?),
            Extent::Difference(left, right) => self.extent(left)?.checked_sub(self.extent(right)?),
            Extent::Product(left, right) => self.extent(left)?.checked_mul(self.extent(right)?),
            Extent::Variable(_) => None,
        }
    }

    /// The combinations of parts that occur among the elements of the carrier; of a prediction, after those of the fit.
    pub(super) fn combinations(
        &mut self,
        set: SetId,
        parts: &[Part],
        carrier: SetId,
    ) -> Option<Elements> {
        let size = self.elements(carrier)?.len();
        let fitted = self.fitted(set).and_then(|set| set.combined.clone());
        let mut positions = Vec::new();
        let mut labels = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let known = fitted.as_ref().map(|fitted| &*fitted.labels[at]);
            let (places, of) = self.part(part, carrier, size, known)?;
            positions.push(places);
            labels.push(of);
        }
        let tuple = |element: usize| -> Vec<usize> {
            positions.iter().map(|places| places[element]).collect()
        };
        let (mut tuples, mut places) = match fitted {
            Some(fitted) => (fitted.tuples.clone(), fitted.places.clone()),
            None => (Vec::new(), HashMap::new()),
        };
        let occurring: BTreeSet<Vec<usize>> = (0..size).map(tuple).collect();
        for tuple in occurring {
            if !places.contains_key(&tuple) {
                places.insert(tuple.clone(), tuples.len());
                tuples.push(tuple);
            }
        }
        let membership = (0..size).map(|element| places[&tuple(element)]).collect();
        let combined = Combined {
            tuples,
            labels,
            places,
        };
        Some(Elements::of_combinations(combined, membership))
    }

    /// Each carrier element's position in a part, and the labels of the part's levels.
    fn part(
        &mut self,
        part: &Part,
        carrier: SetId,
        size: usize,
        known: Option<&Labels>,
    ) -> Option<(Vec<usize>, Arc<Labels>)> {
        let mut places: Vec<usize> = (0..size).collect();
        let mut labels = self.elements(carrier)?.labels.clone();
        for &column in &part.path {
            let (positions, of) = match self.plan.columns[column].levels_of {
                Some(set) => (self.positions(column)?, self.elements(set)?.labels.clone()),
                None => self.own_levels(column, known)?,
            };
            places = places.iter().map(|&place| positions[place]).collect();
            labels = of;
        }
        Some((places, labels))
    }

    /// The levels of a column that no letter ranges over, after those that a fit knew.
    fn own_levels(
        &mut self,
        column: usize,
        known: Option<&Labels>,
    ) -> Option<(Vec<usize>, Arc<Labels>)> {
        let found = self.find(column)?;
        if self.examine_missing(column, &found) {
            return None;
        }
        let coded = Coded::of(self.cells(&found));
        let known = known.map(Elements::labelled);
        let mut labels = known.as_ref().map_or(Vec::new(), Elements::all_labels);
        let is_new = |level: &Level<'_>| match &known {
            Some(known) => known.position(&level.label()).is_none(),
            None => true,
        };
        labels.extend(in_order(
            coded.levels().into_iter().filter(is_new).collect(),
        ));
        let elements = Elements::listed(labels);
        let place = |(level, _): &(Level<'_>, usize)| elements.position(&level.label());
        let places: Vec<usize> = coded.distinct.iter().filter_map(place).collect();
        let positions = coded
            .codes
            .iter()
            .flatten()
            .map(|code| places[*code as usize]);
        Some((positions.collect(), elements.labels.clone()))
    }

    /// The positions of a column's values among the levels of its set, counted from 0.
    pub(super) fn positions(&mut self, column: usize) -> Option<Vec<usize>> {
        let set = self.plan.columns[column].levels_of?;
        let found = self.find(column)?;
        let elements = self.elements(set)?;
        let is_missing = self.examine_missing(column, &found);
        let coded = Coded::of(self.cells(&found));
        let from_json = !self.is_in_table(&found);
        let place = |(level, _): &(Level<'_>, usize)| {
            let by_label = elements.position(&level.label());
            by_label.or_else(|| counted(*level, &elements).filter(|_| from_json))
        };
        let places: Vec<Option<usize>> = coded.distinct.iter().map(place).collect();
        let unknown: Vec<usize> = (0..places.len())
            .filter(|&at| places[at].is_none())
            .collect();
        if !unknown.is_empty() {
            let unknown: Vec<_> = unknown.iter().map(|&at| coded.distinct[at]).collect();
            self.report_unknown_levels(column, set, &found, &unknown, &elements);
            return None;
        }
        if is_missing {
            return None;
        }
        // A missing level that is not a fault belongs to an outcome whose statement passes over it.
        let position =
            |code: &Option<u32>| code.and_then(|code| places[code as usize]).unwrap_or(0);
        Some(coded.codes.iter().map(position).collect())
    }

    /// Whether a set is of rows.
    pub(super) fn is_rows(&self, set: SetId) -> bool {
        matches!(self.plan.sets[set.0].kind, SetKind::Rows)
    }
}
