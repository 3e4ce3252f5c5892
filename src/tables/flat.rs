//! One table for all that a model reads by row: a fit's rows, with what further tables say of their levels.

use super::binder::{Binder, Excluded, Found, Holding};
use super::join::Keys;
use super::table::{Cell, Cells, TableColumn};
use super::{Options, Sources};
use crate::equation::plan::{Column, Plan, SetId, SetKind};

/// The rows of a fit, with all that the model reads of them and of the levels that they belong to.
#[derive(Clone, Debug)]
pub struct Flat {
    /// What the table of the rows is called.
    pub name: String,
    /// How many rows there are: without those that missing values left out.
    pub rows: usize,
    /// The columns.
    pub columns: Vec<FlatColumn>,
}

/// A column of it.
#[derive(Clone, Debug)]
pub struct FlatColumn {
    /// The cells.
    pub column: TableColumn,
    /// The sets that it has a value for each element of; rows among them.
    pub over: Vec<SetId>,
    /// The set that its values are levels of.
    pub levels_of: Option<SetId>,
    /// Whether the model needs integers.
    pub is_integer: bool,
    /// Whether it is an outcome.
    pub is_outcome: bool,
}

impl Flat {
    /// The place of the column of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        let mut columns = self.columns.iter();
        columns.position(|column| column.column.name == name)
    }

    /// A cell.
    pub fn cell(&self, column: usize, row: usize) -> Cell<'_> {
        self.columns[column].column.cells.get(row)
    }
}

/// Puts together what a plan reads of the rows of its first outcome. `None` where they come from no table.
pub fn flat(plan: &Plan, sources: &Sources, options: &Options) -> Option<Flat> {
    let mut binder = Binder::new(plan, sources, options, Excluded::new());
    let table = binder.outcome_table()?;
    let rows = binder.rows_of(table);
    let mut flat = Flat {
        name: binder.table(table).name.clone(),
        rows: rows.len(),
        columns: Vec::new(),
    };
    for (place, column) in plan.columns.iter().enumerate() {
        if !column.is_needed || column.over.is_empty() {
            continue;
        }
        for found in binder.columns_by(table, place, &rows) {
            if flat.find(&found.name).is_none() {
                flat.columns.push(FlatColumn {
                    column: found,
                    over: column.over.clone(),
                    levels_of: column.levels_of,
                    is_integer: column.is_integer,
                    is_outcome: column.is_observed,
                });
            }
        }
    }
    Some(flat)
}

impl Binder<'_> {
    /// The table of the first outcome.
    fn outcome_table(&mut self) -> Option<usize> {
        let plan = self.plan;
        for observed in &plan.observed {
            let column = plan
                .columns
                .iter()
                .position(|column| column.name == observed.outcome);
            let found = match column {
                Some(column) if self.is_long(&plan.columns[column]) => {
                    self.long(column).map(|long| long.found.clone())
                }
                Some(column) => self.find(column),
                None => None,
            };
            let held = found.iter().flat_map(|found| found.all_holdings()).next();
            if let Some(Holding::Table { table, .. }) = held {
                return Some(table);
            }
            let rows = observed.over.first().and_then(|set| self.elements(*set));
            let rows = rows.as_ref().and_then(|elements| elements.rows.as_ref());
            if let Some(table) = rows.and_then(|rows| rows.table) {
                return Some(table);
            }
        }
        None
    }

    /// The rows of a table that take part.
    fn rows_of(&mut self, table: usize) -> Vec<u32> {
        for set in 0..self.plan.sets.len() {
            if !matches!(self.plan.sets[set].kind, SetKind::Rows) {
                continue;
            }
            let elements = self.elements(SetId(set));
            let rows = elements
                .as_ref()
                .and_then(|elements| elements.rows.as_ref());
            if let Some(rows) = rows.filter(|rows| rows.table == Some(table)) {
                return rows.kept.clone();
            }
        }
        (0..self.table(table).rows as u32).collect()
    }

    /// The values of a column at rows of a table, one column for each of its labels.
    fn columns_by(&mut self, table: usize, place: usize, rows: &[u32]) -> Vec<TableColumn> {
        let plan = self.plan;
        let column = &plan.columns[place];
        let Some(found) = (match self.is_long(column) {
            true => self.long_cells(table, column),
            false => self.find(place),
        }) else {
            return Vec::new();
        };
        let elements = match self.is_long(column) {
            // Its cells stand in the table's rows.
            true => Some(rows.iter().map(|row| Some(*row as usize)).collect()),
            false => self.elements_at(table, column, rows),
        };
        let Some(elements) = elements else {
            return Vec::new();
        };
        let width = found.holdings.len();
        let mut columns = Vec::new();
        for (at, holding) in found.holdings.iter().enumerate() {
            let (name, heading) = match holding {
                Holding::Constant => continue,
                Holding::Table { table, column } => {
                    let column = &self.table(*table).columns[*column];
                    (column.name.clone(), column.heading.clone())
                }
                Holding::Value { .. } => (column.name.clone(), column.name.clone()),
            };
            let cell = |element: &Option<usize>| match element {
                Some(element) => self.cell(&found, element * width + at),
                None => Cell::Missing,
            };
            let cells = Cells::of(elements.iter().map(cell));
            columns.push(TableColumn {
                heading,
                name,
                cells,
            });
        }
        columns
    }

    /// The cells of a long column, by the rows of its table.
    fn long_cells(&mut self, table: usize, column: &Column) -> Option<std::rc::Rc<Found>> {
        let at = self.table(table).find(&column.name)?;
        Some(std::rc::Rc::new(Found {
            holdings: vec![Holding::Table { table, column: at }],
            rows: (0..self.table(table).rows as u32).collect(),
            new: None,
        }))
    }

    /// The element of a column's sets, those of its labels apart, that each row belongs to.
    fn elements_at(
        &mut self,
        table: usize,
        column: &Column,
        rows: &[u32],
    ) -> Option<Vec<Option<usize>>> {
        let axes = match self.labels_behind(column) {
            Some(_) => &column.over[..column.over.len() - 1],
            None => &column.over[..],
        };
        let mut keys: Vec<(Keys, usize)> = Vec::new();
        for &set in axes {
            keys.push((self.keys(table, set)?, self.elements(set)?.len()));
        }
        let element = |row: &u32| {
            let mut along = keys.iter();
            along.try_fold(0, |element, (keys, size)| {
                Some(element * size + keys[*row as usize]?)
            })
        };
        Some(rows.iter().map(element).collect())
    }
}
