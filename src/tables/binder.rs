//! The state of one binding: what has been found out about sets and columns, and what is wrong with them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::elements::Elements;
use super::long::Long;
use super::sources::Sources;
use super::table::{Cell, Table};
use super::{MissingPolicy, Options};
use crate::diag::Diagnostic;
use crate::equation::plan::{self, Fixed, Plan, SetId, SetKind};
use crate::io::data_json::{DataKind, DataValue};

/// Fills one plan from its sources. Functions that return `None` have said why in `faults`.
pub(super) struct Binder<'a> {
    pub(super) plan: &'a Plan,
    pub(super) sources: &'a Sources,
    pub(super) options: &'a Options,
    sets: Vec<Slot<Elements>>,
    columns: Vec<Slot<Found>>,
    /// Columns whose missing values have been looked at.
    pub(super) examined: Vec<Option<bool>>,
    /// Tables that gave something.
    pub(super) is_used: Vec<bool>,
    pub(super) longs: BTreeMap<usize, Option<Rc<Long>>>,
    /// Levels whose rows are left out, since a column over them has no value for them.
    pub(super) excluded: Excluded,
    /// Further such levels, found this time.
    pub(super) excluded_now: Excluded,
    pub(super) faults: Vec<Diagnostic>,
    pub(super) notes: Vec<String>,
}

/// Levels to do without: by set and label, the column that has no value for it.
pub(super) type Excluded = BTreeMap<SetId, BTreeMap<String, String>>;

/// Something that is found out at most once.
enum Slot<T> {
    Open,
    /// Being found out: asked for again, it would depend on itself.
    Busy,
    Done(Option<Rc<T>>),
}

/// Where a column's values are: element e is in holding `e % holdings.len()` at row `rows[e / holdings.len()]`.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// One, or for `X[i, p]` one a label.
    pub(super) holdings: Vec<Holding>,
    /// The row of each element of the sets before the labels.
    pub(super) rows: Vec<u32>,
    /// Of a prediction: the elements that stand elsewhere than the fit's.
    pub(super) new: Option<Elsewhere>,
}

/// Elements of which another table holds the values.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// As many as of the others.
    pub(super) holdings: Vec<Holding>,
    /// Which elements they are, of the sets before the labels.
    pub(super) is_there: Vec<bool>,
}

/// A column of a table, an array of a JSON file, or the constant covariate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Holding {
    Constant,
    Table { table: usize, column: usize },
    Value { file: usize, entry: usize },
}

impl Found {
    pub(super) fn len(&self) -> usize {
        self.rows.len() * self.holdings.len()
    }

    /// Where an element stands: in which holding, and its row there.
    pub(super) fn place(&self, element: usize) -> (Holding, usize) {
        let width = self.holdings.len();
        let at = element / width;
        let holdings = match &self.new {
            Some(new) if new.is_there[at] => &new.holdings,
            _ => &self.holdings,
        };
        (holdings[element % width], self.rows[at] as usize)
    }

    /// All holdings.
    pub(super) fn all_holdings(&self) -> impl Iterator<Item = Holding> {
        let new = self.new.iter().flat_map(|new| &new.holdings);
        self.holdings.iter().chain(new).copied()
    }
}

impl<'a> Binder<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        sources: &'a Sources,
        options: &'a Options,
        excluded: Excluded,
    ) -> Binder<'a> {
        Binder {
            plan,
            sources,
            options,
            sets: plan.sets.iter().map(|_| Slot::Open).collect(),
            columns: plan.columns.iter().map(|_| Slot::Open).collect(),
            examined: vec![None; plan.columns.len()],
            is_used: vec![false; sources.tables.len()],
            longs: BTreeMap::new(),
            excluded,
            excluded_now: Excluded::new(),
            faults: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The elements of a set.
    pub(super) fn elements(&mut self, set: SetId) -> Option<Rc<Elements>> {
        match self.sets.get(set.0)? {
            Slot::Done(elements) => elements.clone(),
            Slot::Busy => None,
            Slot::Open => {
                self.sets[set.0] = Slot::Busy;
                let elements = self.resolve(set).map(Rc::new);
                self.sets[set.0] = Slot::Done(elements.clone());
                elements
            }
        }
    }

    fn resolve(&mut self, set: SetId) -> Option<Elements> {
        let plan = self.plan;
        match &plan.sets[set.0].kind {
            SetKind::Rows => self.rows(set),
            SetKind::Levels { columns, order } => self.levels(set, columns, order.as_ref()),
            SetKind::Fixed(fixed) => self.spelled_out(fixed),
            SetKind::Combinations { parts, carrier } => self.combinations(set, parts, *carrier),
        }
    }

    /// Where a column's values are.
    pub(super) fn find(&mut self, column: usize) -> Option<Rc<Found>> {
        match self.columns.get(column)? {
            Slot::Done(found) => found.clone(),
            Slot::Busy => None,
            Slot::Open => {
                self.columns[column] = Slot::Busy;
                let found = self.locate(column).map(Rc::new);
                self.columns[column] = Slot::Done(found.clone());
                if let Some(found) = &found {
                    self.note_use(column, found);
                }
                found
            }
        }
    }

    /// Notes which tables gave something; a name that several of a table's columns have is a fault.
    fn note_use(&mut self, place: usize, found: &Found) {
        for holding in found.all_holdings() {
            if let Holding::Table { table, column } = holding {
                self.is_used[table] = true;
                let name = &self.table(table).columns[column].name;
                let columns = self.table(table).columns_named(name);
                if columns.len() > 1 {
                    self.report_one_name(place, table, &columns);
                }
            }
        }
    }

    fn locate(&mut self, place: usize) -> Option<Found> {
        let column = &self.plan.columns[place];
        let Some(&first) = column.over.first() else {
            return self.single_value(column);
        };
        if self.is_by_row(column) {
            let elements = self.elements(first)?;
            let rows = elements.rows.as_ref()?;
            if let Some(holdings) = self.holdings(column, rows.table) {
                return Some(Found {
                    holdings,
                    rows: rows.kept.clone(),
                    new: None,
                });
            }
            return self.array(column);
        }
        match self.join(place) {
            Ok(None) => self.array(column),
            Ok(found) => found,
            Err(()) => None,
        }
    }

    /// Whether a column has one value, or one per label, in each row of a table.
    pub(super) fn is_by_row(&self, column: &plan::Column) -> bool {
        let kind = |set: &SetId| &self.plan.sets[set.0].kind;
        if !column.is_needed {
            return false;
        }
        match column.over.as_slice() {
            [rows] => matches!(kind(rows), SetKind::Rows),
            [rows, labels] => {
                matches!(kind(rows), SetKind::Rows) && matches!(kind(labels), SetKind::Fixed(_))
            }
            _ => false,
        }
    }

    /// The labels behind a column's last letter, if a table holds a column for each of them.
    pub(super) fn labels_behind(&self, column: &plan::Column) -> Option<SetId> {
        let last = *column.over.last()?;
        let is_labelled =
            column.over.len() > 1 && matches!(self.plan.sets[last.0].kind, SetKind::Fixed(_));
        is_labelled.then_some(last)
    }

    /// The names that a column's values can have in a table: one list for it, or one for each of its labels; `None` for
    /// the constant covariate. No list at all where the labels are not known.
    pub(super) fn spellings(&mut self, column: &plan::Column) -> Option<Vec<Option<Vec<String>>>> {
        let Some(set) = self.labels_behind(column) else {
            return Some(vec![Some(vec![column.name.clone()])]);
        };
        let labels = self.elements(set)?.all_labels();
        let has_constant = match &self.plan.sets[set.0].kind {
            SetKind::Fixed(Fixed::Labels(labels)) => has_constant(labels),
            _ => false,
        };
        let spellings = labels.iter().enumerate().map(|(at, label)| {
            if at == 0 && has_constant {
                return None;
            }
            let is_number = label.bytes().all(|byte| byte.is_ascii_digit());
            let name = &column.name;
            Some(match is_number {
                // `X.1` is read as `X_1`.
                true => vec![
                    format!("{name}{label}"),
                    format!("{name}_{label}"),
                    label.clone(),
                ],
                false => vec![super::table::column_name(label)],
            })
        });
        Some(spellings.collect())
    }

    /// Where the values of a column by row are, in a table or in JSON arrays; `None`, without a fault, if not all are.
    pub(super) fn holdings(
        &mut self,
        column: &plan::Column,
        table: Option<usize>,
    ) -> Option<Vec<Holding>> {
        let spellings = self.spellings(column)?;
        let holding = |names: &Option<Vec<String>>| match names {
            None => Some(Holding::Constant),
            Some(names) => self.holding(names, table),
        };
        spellings.iter().map(holding).collect()
    }

    fn holding(&self, names: &[String], table: Option<usize>) -> Option<Holding> {
        let in_table = table.and_then(|table| {
            let column = self.column_of(table, names)?;
            Some(Holding::Table { table, column })
        });
        in_table.or_else(|| {
            let value = names.iter().find_map(|name| self.sources.value(name))?;
            let (file, entry) = value;
            let dims = &self.sources.entry(value).value.as_ref().ok()?.dims;
            (dims.len() == 1).then_some(Holding::Value { file, entry })
        })
    }

    pub(super) fn table(&self, table: usize) -> &'a Table {
        &self.sources.tables[table].table
    }

    /// The column of a table that has one of these names.
    pub(super) fn column_of(&self, table: usize, names: &[String]) -> Option<usize> {
        let table = self.table(table);
        names.iter().find_map(|name| table.find(name))
    }

    /// The cell of a holding at a row.
    pub(super) fn held(&self, holding: Holding, row: usize) -> Cell<'a> {
        match holding {
            Holding::Constant => Cell::Integer(1),
            Holding::Table { table, column } => self.table(table).cell(column, row),
            Holding::Value { file, entry } => match &self.sources.entry((file, entry)).value {
                Ok(value) => element(value, row),
                Err(_) => Cell::Missing,
            },
        }
    }

    /// The cell of an element.
    pub(super) fn cell(&self, found: &Found, element: usize) -> Cell<'a> {
        let (holding, row) = found.place(element);
        self.held(holding, row)
    }

    /// The cells of all elements.
    pub(super) fn cells(&self, found: &Found) -> impl Iterator<Item = Cell<'a>> {
        (0..found.len()).map(|element| self.cell(found, element))
    }

    /// What is to become of the missing values of a column.
    pub(super) fn policy(&self, column: &plan::Column) -> MissingPolicy {
        let given = self
            .options
            .by_column
            .iter()
            .find(|(name, _)| *name == column.name);
        if let Some((_, policy)) = given {
            return *policy;
        }
        let applies = |policy: &&MissingPolicy| match policy {
            MissingPolicy::Error => true,
            MissingPolicy::Omit => self.can_omit(column),
            MissingPolicy::Drop => column.is_observed && !column.is_used_elsewhere,
            MissingPolicy::Impute => {
                column.can_impute && !column.is_integer && column.levels_of.is_none()
            }
        };
        let chosen = self.options.missing.iter().find(applies);
        chosen.copied().unwrap_or(MissingPolicy::Error)
    }

    /// Whether rows can be left out for a missing value of a column: rows of its own, or those of its level.
    pub(super) fn can_omit(&self, column: &plan::Column) -> bool {
        let of_level = column
            .over
            .first()
            .is_some_and(|set| self.is_level_of_rows(*set));
        self.is_by_row(column) || self.is_long(column) || of_level
    }

    /// Whether a set is of levels that stand in the rows of tables.
    pub(super) fn is_level_of_rows(&self, set: SetId) -> bool {
        let is_in_rows = |&column: &usize| {
            let column = &self.plan.columns[column];
            column.over.len() == 1 && self.is_by_row(column)
        };
        match &self.plan.sets[set.0].kind {
            SetKind::Levels { columns, .. } => columns.iter().all(is_in_rows),
            _ => false,
        }
    }

    pub(super) fn is_long(&self, column: &plan::Column) -> bool {
        use plan::InputSource::*;
        self.plan.inputs.iter().any(|input| match input.source {
            LongRows(at) | LongValues(at) | LongPosition { column: at, .. } => {
                self.plan.columns[at].name == column.name
            }
            _ => false,
        })
    }
}

/// Whether label 1 is the constant covariate: first of a set that also has names.
fn has_constant(labels: &[String]) -> bool {
    let is_number = |label: &String| label.bytes().all(|byte| byte.is_ascii_digit());
    labels.first().is_some_and(|label| label == "1") && !labels.iter().all(is_number)
}

/// An element of an array, by its place in row-major order.
fn element(value: &DataValue, at: usize) -> Cell<'_> {
    let is_missing = !value.missing.is_empty()
        && value
            .missing
            .binary_search_by_key(&at, |missing| missing.index)
            .is_ok();
    if is_missing {
        return Cell::Missing;
    }
    match &value.kind {
        DataKind::Int(values) => values
            .get(at)
            .map_or(Cell::Missing, |value| Cell::Integer(*value)),
        DataKind::Real(values) => match values.get(at) {
            Some(value) if !value.is_nan() => Cell::Real(*value),
            _ => Cell::Missing,
        },
        DataKind::Tuple(_) => Cell::Missing,
    }
}
