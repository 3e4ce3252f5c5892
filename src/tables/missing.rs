//! Missing values: an error, rows left out, outcomes passed over, or unknowns.

use std::collections::BTreeMap;

use super::binder::{Binder, Excluded, Found};
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
    let mut binder = Binder::new(plan, sources, options, Excluded::new());
    for (place, column) in plan.columns.iter().enumerate() {
        let policy = binder.policy(column);
        if !is_asked(&policy) || binder.is_long(column) {
            continue;
        }
        let Some(found) = binder.find(place) else {
            continue;
        };
        if binder.cells(&found).any(|cell| cell.is_missing()) {
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
        let column = &self.plan.columns[place];
        let is_level = column
            .over
            .first()
            .is_some_and(|set| self.is_level_of_rows(*set));
        if is_level
            && !missing.is_empty()
            && self.policy(column) == MissingPolicy::Omit
            && self.exclude_levels(place, found, &missing)
        {
            self.examined[place] = Some(false);
            return false;
        }
        let is_fault = !missing.is_empty() && !self.is_provided_for(place);
        if is_fault {
            self.report_missing(place, found, &missing);
        } else if !missing.is_empty() {
            self.note_missing(place, missing.len());
        }
        self.examined[place] = Some(is_fault);
        is_fault
    }

    /// Leaves out the rows of levels that a column has no value for, when binding begins anew. Returns whether that helps:
    /// levels that the model or JSON counts out stay though no row has them.
    fn exclude_levels(&mut self, place: usize, found: &Found, missing: &[usize]) -> bool {
        let column = &self.plan.columns[place];
        let set = column.over[0];
        let Some(elements) = self.elements(set) else {
            return false;
        };
        // Elements of the first set follow one another in equal parts.
        let share = found.len() / elements.len().max(1);
        for &element in missing {
            let (holding, _) = found.place(element);
            let label = elements.label(element / share.max(1));
            let is_known = |labels: &BTreeMap<String, String>| labels.contains_key(&label);
            if self.excluded.get(&set).is_some_and(is_known) {
                return false;
            }
            let name = self.holding_name(holding, column);
            self.excluded_now
                .entry(set)
                .or_default()
                .insert(label, name);
        }
        true
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
