//! Missing values: an error, rows left out, outcomes passed over, or unknowns.

use super::binder::{Binder, Found};
use super::{MissingPolicy, Options, Sources};
use crate::diag::{self, Diagnostic};
use crate::equation::plan::{InputSource, MissingValues, Plan};

/// Which columns' missing values change the program, for lowering to be told before it makes the plan that
/// [`bind`](super::bind) fills.
///
/// # Errors
/// Everything that is wrong with the data, missing values apart.
pub fn missing_values(
    plan: &Plan,
    sources: &Sources,
    options: &Options,
) -> Result<MissingValues, Vec<Diagnostic>> {
    let mut values = MissingValues::default();
    let is_asked =
        |policy: &MissingPolicy| matches!(policy, MissingPolicy::Drop | MissingPolicy::Impute);
    let mut policies = options.missing.iter();
    if !policies.any(is_asked) && !options.by_column.iter().any(|(_, policy)| is_asked(policy)) {
        return Ok(values);
    }
    let mut binder = Binder::new(plan, sources, options);
    for (place, column) in plan.columns.iter().enumerate() {
        let policy = binder.policy(column);
        if !is_asked(&policy) || binder.is_long(column) {
            continue;
        }
        let Some(found) = binder.find(place) else {
            continue;
        };
        if binder.cells(&found).iter().any(|cell| cell.is_missing()) {
            match policy {
                MissingPolicy::Drop => values.dropped.push(column.name.clone()),
                _ => values.imputed.push(column.name.clone()),
            }
        }
    }
    if binder.faults.is_empty() {
        return Ok(values);
    }
    let mut faults = binder.faults;
    diag::sort(&mut faults);
    Err(faults)
}

impl Binder<'_> {
    /// Looks at the missing values of a column. Returns whether they are a fault.
    pub(super) fn examine_missing(&mut self, place: usize, found: &Found) -> bool {
        if let Some(is_fault) = self.examined[place] {
            return is_fault;
        }
        let is_missing = |element: &usize| self.cell(found, *element).is_missing();
        let missing: Vec<usize> = (0..found.len()).filter(is_missing).collect();
        let is_fault = !missing.is_empty() && !self.is_provided_for(place);
        if is_fault {
            self.report_missing(place, found, &missing);
        } else if !missing.is_empty() {
            self.note_missing(place, missing.len());
        }
        self.examined[place] = Some(is_fault);
        is_fault
    }

    /// Whether the program was made for missing values of this column.
    pub(super) fn is_provided_for(&self, place: usize) -> bool {
        self.plan.inputs.iter().any(|input| match input.source {
            InputSource::MissingPositions(column) | InputSource::PresentPositions(column) => {
                column == place
            }
            _ => false,
        })
    }

    /// The elements of a column that have a value, or that have none, counted from 1.
    pub(super) fn elements_with(&mut self, place: usize, is_missing: bool) -> Option<Vec<i64>> {
        let found = self.find(place)?;
        let chosen = (0..found.len())
            .filter(|&element| self.cell(&found, element).is_missing() == is_missing);
        Some(chosen.map(|element| element as i64 + 1).collect())
    }
}
