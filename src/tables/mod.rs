//! Data tables become the data block of a program in equation form: columns, levels, joins, missing values, labels.
//!
//! [`bind`] reads the [`Plan`] that lowering made beside the program: it finds the table of each row letter and the
//! column, or JSON value, of each name; orders levels, joins tables by them, verifies that nested levels nest, and fills
//! the variables of the data block. Everything that is wrong is reported at once, at its place in the file.

mod after_fit;
mod arrays;
mod binder;
mod choose;
mod csv;
mod elements;
mod fill;
mod flat;
mod join;
mod levels;
mod long;
mod missing;
#[cfg(feature = "parquet")]
mod parquet;
mod report;
mod sets;
mod sources;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{self, Diagnostic};
use crate::equation::plan::{Extent, Fixed, Plan, SetId, SetKind};
use crate::io::data_json::Data;
use crate::summary::{Labelling, Labels};

use binder::{Binder, Excluded};
use elements::Combined;

pub use arrays::{Arrays, arrays};
pub use csv::read_csv;
pub use flat::{Flat, FlatColumn, flat};
pub use missing::missing_values;
pub use sources::{FittedSet, Sources};
pub use table::{Cell, Cells, Table, TableColumn, Text};

/// What may become of missing values (EQUATION form, Binding).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingPolicy {
    /// They are an error.
    Error,
    /// The rows that have any are left out.
    Omit,
    /// The statement of an outcome that nothing else uses passes over them.
    Drop,
    /// Those of a continuous column with a statement of its own become unknowns.
    Impute,
}

impl MissingPolicy {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            MissingPolicy::Error => "error",
            MissingPolicy::Omit => "omit",
            MissingPolicy::Drop => "drop",
            MissingPolicy::Impute => "impute",
        }
    }
}

/// What binding may be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What becomes of missing values: of each column the first that can apply to it, an error if none can.
    pub missing: Vec<MissingPolicy>,
    /// The same for columns by name.
    pub by_column: Vec<(String, MissingPolicy)>,
}

/// What [`bind`] makes of tables.
#[derive(Clone, Debug)]
pub struct Tabled {
    /// The values of the data block.
    pub data: Data,
    /// The labels of each set's elements, in the order of [`Plan::sets`]. Those of a range that ends at a variable of
    /// transformed data come with [`settle`](Tabled::settle).
    pub labels: Vec<Arc<Labels>>,
    /// What the user should know: rows left out, rows not used.
    pub notes: Vec<String>,
    /// The combinations among the sets, for predictions to start from.
    combined: Vec<Option<Arc<Combined>>>,
    /// Of a prediction, by column: the element of each new row of a long one.
    new_rows: BTreeMap<usize, Vec<usize>>,
}

/// Fills a plan from tables, JSON files and single values.
///
/// # Errors
/// Everything that is wrong with them, in reading order; the places are in [`Sources::texts`].
pub fn bind(plan: &Plan, sources: &Sources, options: &Options) -> Result<Tabled, Vec<Diagnostic>> {
    let mut excluded = Excluded::new();
    loop {
        let mut binder = Binder::new(plan, sources, options, excluded);
        let tabled = fill(&mut binder);
        if !binder.faults.is_empty() {
            let mut faults = binder.faults;
            diag::sort(&mut faults);
            faults.dedup();
            return Err(faults);
        }
        if binder.excluded_now.is_empty() {
            return Ok(tabled);
        }
        // Without these levels' rows other levels may be gone too, so that everything is counted anew.
        excluded = binder.excluded;
        for (set, labels) in binder.excluded_now {
            excluded.entry(set).or_default().extend(labels);
        }
    }
}

/// Fills everything once.
fn fill(binder: &mut Binder<'_>) -> Tabled {
    let plan = binder.plan;
    let mut data = Data::new();
    for input in &plan.inputs {
        if let Some(value) = binder.fill(input) {
            data.set(&input.name, value);
        }
    }
    let (mut labels, mut combined) = (Vec::new(), Vec::new());
    for set in 0..plan.sets.len() {
        let elements = binder.elements(SetId(set));
        let found = elements.as_ref().map(|elements| elements.labels.clone());
        labels.push(found.unwrap_or_else(|| Arc::new(Labels::Count(0))));
        combined.push(elements.and_then(|elements| elements.combined.clone()));
    }
    let mut notes = binder.notes.clone();
    for (table, is_used) in binder.is_used.iter().enumerate() {
        if !is_used && !binder.is_of_fit(table) {
            let name = &binder.table(table).name;
            notes.push(format!("nothing is read from {name}"));
        }
    }
    Tabled {
        data,
        labels,
        notes,
        combined,
        new_rows: (binder.longs.iter())
            .filter_map(|(column, long)| Some((*column, long.as_ref()?.of_rows.clone())))
            .collect(),
    }
}

impl Tabled {
    /// Completes the labels of ranges that end at variables of transformed data, whose values `value` knows.
    pub fn settle(&mut self, plan: &Plan, value: &dyn Fn(&str) -> Option<i64>) {
        for (set, labels) in plan.sets.iter().zip(&mut self.labels) {
            if let SetKind::Fixed(Fixed::Computed(from, to)) = &set.kind
                && let (Extent::Variable(_), _) | (_, Extent::Variable(_)) = (from, to)
            {
                let end = |extent: &Extent| match extent {
                    Extent::Number(value) => Some(*value),
                    Extent::Variable(name) => value(name),
                    _ => None,
                };
                let (Some(from), Some(to)) = (end(from), end(to)) else {
                    continue;
                };
                *labels = Arc::new(match from {
                    1 => Labels::Count(usize::try_from(to).unwrap_or(0)),
                    _ => Labels::Listed((from..=to).map(|value| value.to_string()).collect()),
                });
            }
        }
    }

    /// Of a prediction: the element of a long column, by its place in the plan, that each new row stands for, counted from 0.
    pub fn elements_of_new_rows(&self, column: usize) -> Option<&[usize]> {
        self.new_rows.get(&column).map(Vec::as_slice)
    }

    /// The index sets, for predictions to start from.
    pub fn sets(&self) -> Vec<FittedSet> {
        let sets = self.labels.iter().zip(&self.combined);
        let set = |(labels, combined): (&Arc<Labels>, &Option<Arc<Combined>>)| FittedSet {
            labels: labels.clone(),
            combined: combined.clone(),
        };
        sets.map(set).collect()
    }

    /// The labels of the variables that draws have.
    pub fn labelling(&self, plan: &Plan) -> Labelling {
        let mut labelling = Labelling::default();
        for output in &plan.outputs {
            let of = |set: &SetId| self.labels[set.0].clone();
            labelling.set(&output.name, output.over.iter().map(of).collect());
        }
        labelling
    }
}
