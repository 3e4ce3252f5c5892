//! Columns with one value per level: from a table with a row per level, or constant within it in a longer one.

use std::rc::Rc;

use super::binder::{Binder, Found, Holding};
use super::levels::Level;
use crate::equation::plan::{SetId, SetKind};

/// The element of a set that each row of a table belongs to; `None` for a row of another level, or of none.
pub(super) type Keys = Vec<Option<usize>>;

/// A table that can give a column over levels.
pub(super) struct Candidate {
    pub(super) table: usize,
    pub(super) holdings: Vec<Holding>,
    pub(super) keys: Vec<Keys>,
}

impl Binder<'_> {
    /// A column over levels, from the only table that has it beside the levels' own columns. `Ok(None)`: there is none.
    pub(super) fn join(&mut self, place: usize) -> Result<Option<Found>, ()> {
        let plan = self.plan;
        let column = &plan.columns[place];
        let spellings = self.spellings(column).ok_or(())?;
        let axes = match self.labels_behind(column) {
            Some(_) => &column.over[..column.over.len() - 1],
            None => &column.over[..],
        };
        let mut candidates = Vec::new();
        for table in 0..self.sources.tables.len() {
            let holding = |names: &Option<Vec<String>>| match names {
                None => Some(Holding::Constant),
                Some(names) => {
                    let column = self.column_of(table, names)?;
                    Some(Holding::Table { table, column })
                }
            };
            let Some(holdings) = spellings.iter().map(holding).collect() else {
                continue;
            };
            let keys: Option<Vec<Keys>> = axes.iter().map(|&set| self.keys(table, set)).collect();
            if let Some(keys) = keys {
                candidates.push(Candidate {
                    table,
                    holdings,
                    keys,
                });
            }
        }
        let letters = axes.iter().flat_map(|set| plan.sets[set.0].letters.clone());
        let given = self.sources.given_to(&letters.collect::<Vec<_>>());
        if candidates.len() > 1
            && let Some(given) = given
        {
            candidates.retain(|candidate| candidate.table == given);
        }
        let is_of_fit = |candidate: &Candidate| self.is_of_fit(candidate.table);
        let (fitted, new): (Vec<_>, Vec<_>) = candidates.into_iter().partition(is_of_fit);
        for several in [&fitted, &new] {
            if several.len() > 1 {
                let tables: Vec<usize> = several.iter().map(|found| found.table).collect();
                self.report_several_joins(place, axes, &tables);
                return Err(());
            }
        }
        let found = match (fitted.first(), new.first()) {
            (None, None) => return Ok(None),
            (Some(only), None) | (None, Some(only)) => self.one_row_each(place, axes, only),
            (Some(fitted), Some(new)) => self.one_of_either(place, axes, fitted, new),
        };
        found.map(Some).ok_or(())
    }

    /// The size of each axis.
    fn sizes(&mut self, axes: &[SetId]) -> Option<Vec<usize>> {
        axes.iter()
            .map(|&set| Some(self.elements(set)?.len()))
            .collect()
    }

    /// One row for each element of the axes.
    fn one_row_each(&mut self, place: usize, axes: &[SetId], from: &Candidate) -> Option<Found> {
        let rows = self.rows_of_elements(place, axes, from)?;
        if rows.contains(&None) {
            let without: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].is_none()).collect();
            self.report_without_row(place, axes, &without, from.table);
            return None;
        }
        Some(Found {
            holdings: from.holdings.clone(),
            rows: rows.into_iter().flatten().collect(),
            new: None,
        })
    }

    /// The row of each element of the axes, if it has one; the values of further rows must agree with it.
    pub(super) fn rows_of_elements(
        &mut self,
        place: usize,
        axes: &[SetId],
        from: &Candidate,
    ) -> Option<Vec<Option<u32>>> {
        let sizes = self.sizes(axes)?;
        let count = sizes
            .iter()
            .try_fold(1usize, |count, size| count.checked_mul(*size))?;
        let mut rows: Vec<Option<u32>> = vec![None; count];
        let mut surplus = Vec::new();
        for row in 0..self.table(from.table).rows {
            let keys = from.keys.iter().zip(&sizes);
            let element = keys
                .map(|(keys, size)| Some((keys[row]?, size)))
                .try_fold(0, |element, key| {
                    key.map(|(key, size)| element * size + key)
                });
            let Some(element) = element else {
                surplus.push(row);
                continue;
            };
            match rows[element] {
                None => rows[element] = Some(row as u32),
                Some(first) => {
                    let differs = from.holdings.iter().find(|holding| {
                        let level = |row| Level::of(self.held(**holding, row));
                        let (old, new) = (level(first as usize), level(row));
                        old.is_some() && new.is_some() && old != new
                    });
                    if let Some(holding) = differs {
                        let (first, second) = ((*holding, first as usize), (*holding, row));
                        self.report_varying(place, axes, element, first, second);
                        return None;
                    }
                    // A value that another row of the level has is not missing.
                    if self.present(from, first as usize) < self.present(from, row) {
                        rows[element] = Some(row as u32);
                    }
                }
            }
        }
        if !self.is_of_fit(from.table) {
            self.note_surplus(axes, from.table, &surplus);
        }
        Some(rows)
    }

    /// How many of a candidate's values a row has.
    fn present(&self, from: &Candidate, row: usize) -> usize {
        let is_present = |holding: &&Holding| !self.held(**holding, row).is_missing();
        from.holdings.iter().filter(is_present).count()
    }

    /// The element of a set that each row of a table belongs to; `None` if the table does not tell.
    pub(super) fn keys(&mut self, table: usize, set: SetId) -> Option<Keys> {
        let plan = self.plan;
        match &plan.sets[set.0].kind {
            SetKind::Rows => {
                let elements = self.elements(set)?;
                let rows = elements
                    .rows
                    .as_ref()
                    .filter(|rows| rows.table == Some(table))?;
                let mut keys = vec![None; rows.total];
                for (element, row) in rows.kept.iter().enumerate() {
                    keys[*row as usize] = Some(element);
                }
                Some(keys)
            }
            SetKind::Levels { columns, .. } => {
                let names: Vec<String> = columns
                    .iter()
                    .map(|&column| plan.columns[column].name.clone())
                    .collect();
                self.keys_by_name(table, set, &names)
                    .or_else(|| self.keys_by_path(table, columns))
            }
            SetKind::Fixed(_) => self.keys_by_name(table, set, &[]),
            SetKind::Combinations { parts, carrier } => {
                self.keys_of_combinations(table, set, parts, *carrier)
            }
        }
    }

    /// Keys that stand in a column: of the level's name, of the letter's, or the first of a table given to the letter.
    fn keys_by_name(&mut self, table: usize, set: SetId, names: &[String]) -> Option<Keys> {
        let plan = self.plan;
        let letters = &plan.sets[set.0].letters;
        let present: Vec<usize> = names
            .iter()
            .filter_map(|name| self.table(table).find(name))
            .collect();
        let column = match present.as_slice() {
            [only] => *only,
            // A row with two levels of the set belongs to neither.
            [_, _, ..] => return None,
            [] => match self.column_of(table, letters) {
                Some(column) => column,
                None if self.sources.given_to(letters) == Some(table) => 0,
                None => return None,
            },
        };
        let elements = self.elements(set)?;
        let rows = self.table(table).rows;
        let holding = Holding::Table { table, column };
        let cells = (0..rows).map(|row| self.held(holding, row));
        let coded = super::levels::Coded::of(cells);
        let place = |(level, _): &(Level<'_>, usize)| elements.position(&level.label());
        let places: Vec<Option<usize>> = coded.distinct.iter().map(place).collect();
        let key = |code: &Option<u32>| code.and_then(|code| places[code as usize]);
        Some(coded.codes.iter().map(key).collect())
    }

    /// Keys by way of another set: a row of county j lies in region[j].
    fn keys_by_path(&mut self, table: usize, columns: &[usize]) -> Option<Keys> {
        let [column] = columns else { return None };
        let [from] = self.plan.columns[*column].over.as_slice() else {
            return None;
        };
        let keys = self.keys(table, *from)?;
        let positions = self.positions(*column)?;
        Some(
            keys.into_iter()
                .map(|key| key.map(|key| positions[key]))
                .collect(),
        )
    }

    fn keys_of_combinations(
        &mut self,
        table: usize,
        set: SetId,
        parts: &[crate::equation::plan::Part],
        carrier: SetId,
    ) -> Option<Keys> {
        let elements = self.elements(set)?;
        let combined = elements.combined.as_ref()?;
        if let Some(keys) = self.keys(table, carrier) {
            let of = |key: usize| elements.membership[key];
            return Some(keys.into_iter().map(|key| key.map(of)).collect());
        }
        let mut columns = Vec::new();
        for (part, labels) in parts.iter().zip(&combined.labels) {
            columns.push(match part.set {
                Some(set) => self.keys(table, set)?,
                None => {
                    let name = &self.plan.columns[*part.path.last()?].name;
                    let column = self.table(table).find(name)?;
                    let label = |row| self.table(table).cell(column, row).label();
                    (0..self.table(table).rows)
                        .map(|row| labels.position(&label(row)?))
                        .collect()
                }
            });
        }
        let key = |row: usize| {
            let tuple: Vec<usize> = columns
                .iter()
                .map(|keys| keys[row])
                .collect::<Option<_>>()?;
            combined.places.get(&tuple).copied()
        };
        Some((0..self.table(table).rows).map(key).collect())
    }

    /// A set and its elements, for messages that name one of several axes' elements.
    pub(super) fn axes_labels(&mut self, axes: &[SetId], mut element: usize) -> Vec<String> {
        let mut labels = Vec::new();
        for &set in axes.iter().rev() {
            let Some(elements) = self.elements(set) else {
                continue;
            };
            let elements: Rc<_> = elements;
            let size = elements.len().max(1);
            labels.push(elements.label(element % size));
            element /= size;
        }
        labels.reverse();
        labels
    }
}
