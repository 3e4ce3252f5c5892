//! Which table gives a row letter its rows, and which rows take part; values that JSON files give by name.

use std::collections::BTreeMap;

use super::MissingPolicy;
use super::binder::{Binder, Found, Holding};
use super::levels::Level;
use crate::equation::plan::{Column, SetId};

/// What a table must have to be that of a row letter: the column's place, and the names that it can have.
pub(super) type Required = (usize, Vec<String>);

impl Binder<'_> {
    /// The table of a row letter: the one given to it, else the only one with all its columns; `Some(None)` where JSON
    /// arrays give all of them.
    pub(super) fn table_of(&mut self, set: SetId) -> Option<Option<usize>> {
        let (plan, sources) = (self.plan, self.sources);
        if sources.fitted.is_some()
            && let Some(table) = self.new_table_of(set)?
        {
            return Some(Some(table));
        }
        if let Some(table) = sources.given_to(&plan.sets[set.0].letters) {
            return Some(Some(table));
        }
        let required = self.required_columns(set)?;
        if required.is_empty() {
            return Some(None);
        }
        let has = |table: &usize, (_, names): &Required| self.column_of(*table, names).is_some();
        let tables = 0..sources.tables.len();
        let complete: Vec<usize> = tables
            .filter(|table| required.iter().all(|wanted| has(table, wanted)))
            .collect();
        match complete.as_slice() {
            [only] => Some(Some(*only)),
            [] => {
                self.report_no_table(set, &required);
                None
            }
            several => {
                // Outcomes over levels are read from the same rows.
                let is_long = |column: &&Column| column.over.len() > 1 && self.is_long(column);
                let long: Vec<&Column> = plan.columns.iter().filter(is_long).collect();
                let holds_long = |table: &&usize| {
                    long.iter()
                        .all(|column| self.table(**table).find(&column.name).is_some())
                };
                let fitting: Vec<usize> = several.iter().filter(holds_long).copied().collect();
                match fitting.as_slice() {
                    [only] => Some(Some(*only)),
                    _ => {
                        self.report_several_tables(set, several, &required);
                        None
                    }
                }
            }
        }
    }

    /// The columns that the rows' table must have: those that no JSON file gives.
    fn required_columns(&mut self, set: SetId) -> Option<Vec<Required>> {
        let mut required = self.columns_by_row(set)?;
        required.retain(|(place, names)| {
            let is_value = |name: &String| self.sources.value(name).is_some();
            !is_value(&self.plan.columns[*place].name) && !names.iter().any(is_value)
        });
        Some(required)
    }

    /// The columns with one value a row, or one per label.
    pub(super) fn columns_by_row(&mut self, set: SetId) -> Option<Vec<Required>> {
        let mut columns = Vec::new();
        for (place, column) in self.plan.columns.iter().enumerate() {
            if column.over.first() == Some(&set) && self.is_by_row(column) {
                let spellings = self.spellings(column)?;
                columns.extend(spellings.into_iter().flatten().map(|names| (place, names)));
            }
        }
        Some(columns)
    }

    /// The length of the JSON arrays over a row letter.
    pub(super) fn array_length(&mut self, set: SetId) -> Option<usize> {
        for column in &self.plan.columns {
            if column.over.first() != Some(&set) {
                continue;
            }
            let mut names = vec![column.name.clone()];
            if self.is_by_row(column) {
                names.extend(self.spellings(column)?.into_iter().flatten().flatten());
            }
            let lengths = names.iter().find_map(|name| {
                let entry = self.sources.entry(self.sources.value(name)?);
                entry.value.as_ref().ok()?.dims.first().copied()
            });
            if lengths.is_some() {
                return lengths;
            }
        }
        self.report_no_rows(set);
        None
    }

    /// The rows that have every value that `--na omit` asks for.
    pub(super) fn complete_rows(
        &mut self,
        set: SetId,
        table: Option<usize>,
        total: usize,
    ) -> Vec<u32> {
        let mut is_complete = vec![true; total];
        let mut counts = Vec::new();
        for column in &self.plan.columns {
            let is_theirs = column.over.first() == Some(&set) && self.is_by_row(column);
            if !is_theirs || self.policy(column) != MissingPolicy::Omit {
                continue;
            }
            for holding in self.holdings(column, table).unwrap_or_default() {
                let mut count = 0;
                for (row, complete) in is_complete.iter_mut().enumerate() {
                    if self.held(holding, row).is_missing() {
                        count += 1;
                        *complete = false;
                    }
                }
                let name = self.holding_name(holding, column);
                if count > 0 && !counts.contains(&(name.clone(), count)) {
                    counts.push((name, count));
                }
            }
        }
        self.leave_out_levels(set, table, &mut is_complete, &mut counts);
        let kept: Vec<u32> = (0..total as u32)
            .filter(|&row| is_complete[row as usize])
            .collect();
        if kept.len() < total {
            self.note_omitted(table, total, kept.len(), &counts);
        }
        kept
    }

    /// Leaves out the rows of levels that a column over them has no value for; counts them by that column.
    fn leave_out_levels(
        &mut self,
        set: SetId,
        table: Option<usize>,
        is_complete: &mut [bool],
        counts: &mut Vec<(String, usize)>,
    ) {
        let plan = self.plan;
        let excluded = std::mem::take(&mut self.excluded);
        for (levels, labels) in &excluded {
            let is_theirs = |column: &&Column| {
                column.levels_of == Some(*levels) && column.over == [set] && self.is_by_row(column)
            };
            let columns: Vec<&Column> = plan.columns.iter().filter(is_theirs).collect();
            let mut by_column: BTreeMap<&String, usize> = BTreeMap::new();
            for column in columns {
                for holding in self.holdings(column, table).unwrap_or_default() {
                    for (row, complete) in is_complete.iter_mut().enumerate() {
                        let label = self.held(holding, row).label();
                        if let Some(reason) = label.and_then(|label| labels.get(&label)) {
                            *by_column.entry(reason).or_default() += 1;
                            *complete = false;
                        }
                    }
                }
            }
            counts.extend(
                by_column
                    .into_iter()
                    .map(|(name, count)| (name.clone(), count)),
            );
        }
        self.excluded = excluded;
    }

    /// A value without letters.
    pub(super) fn single_value(&mut self, column: &Column) -> Option<Found> {
        let Some((file, entry)) = self.sources.value(&column.name) else {
            self.report_no_value(column);
            return None;
        };
        match &self.sources.entry((file, entry)).value {
            Ok(value) if value.dims.is_empty() => Some(Found {
                holdings: vec![Holding::Value { file, entry }],
                rows: vec![0],
                new: None,
            }),
            Ok(value) => {
                self.report_shape(column, (file, entry), &value.dims, &[]);
                None
            }
            Err(error) => {
                self.report_unusable(column, (file, entry), error);
                None
            }
        }
    }

    /// An integer without letters.
    pub(super) fn integer(&mut self, column: usize) -> Option<i64> {
        let found = self.find(column)?;
        match Level::of(self.cell(&found, 0)) {
            Some(Level::Integer(value)) => Some(value),
            _ => {
                self.report_not_integer(column, found.place(0));
                None
            }
        }
    }

    /// An array that a JSON file gives by name, with one value per element of the column's sets.
    pub(super) fn array(&mut self, column: &Column) -> Option<Found> {
        let Some(place) = self.sources.value(&column.name) else {
            self.report_no_column(column);
            return None;
        };
        let mut sizes = Vec::new();
        let mut kept: Vec<Vec<u32>> = Vec::new();
        for &set in &column.over {
            let elements = self.elements(set)?;
            let (total, rows) = match &elements.rows {
                Some(rows) => (rows.total, rows.kept.clone()),
                None => (elements.len(), (0..elements.len() as u32).collect()),
            };
            sizes.push(total);
            kept.push(rows);
        }
        let value = match &self.sources.entry(place).value {
            Ok(value) => value,
            Err(error) => {
                self.report_unusable(column, place, error);
                return None;
            }
        };
        if value.dims != sizes {
            self.report_shape(column, place, &value.dims, &sizes);
            return None;
        }
        let mut rows = vec![0u32];
        for (size, kept) in sizes.iter().zip(&kept) {
            let size = *size as u32;
            let along = |row: &u32| {
                let start = row * size;
                kept.iter()
                    .map(move |&element| start + element)
                    .collect::<Vec<_>>()
            };
            rows = rows.iter().flat_map(along).collect();
        }
        let (file, entry) = place;
        Some(Found {
            holdings: vec![Holding::Value { file, entry }],
            rows,
            new: None,
        })
    }

    /// Whether any of a column's values come from a table.
    pub(super) fn is_in_table(&self, found: &Found) -> bool {
        let mut holdings = found.all_holdings();
        holdings.any(|holding| matches!(holding, Holding::Table { .. }))
    }

    /// What a holding is called in its file.
    pub(super) fn holding_name(&self, holding: Holding, column: &Column) -> String {
        match holding {
            Holding::Constant => column.name.clone(),
            Holding::Table { table, column } => self.table(table).columns[column].heading.clone(),
            Holding::Value { file, entry } => self.sources.entry((file, entry)).name.clone(),
        }
    }
}
