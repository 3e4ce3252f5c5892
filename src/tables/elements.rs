//! The elements of an index set once data are known.

use std::collections::HashMap;
use std::sync::Arc;

use crate::summary::Labels;

/// The elements of an index set.
#[derive(Clone, Debug)]
pub(super) struct Elements {
    pub(super) labels: Arc<Labels>,
    /// Where listed labels are.
    places: HashMap<String, usize>,
    /// Of rows: where they come from. Of other sets: nothing.
    pub(super) rows: Option<Rows>,
    /// Of combinations: which they are; nothing of other sets.
    pub(super) combined: Option<Arc<Combined>>,
    /// Of combinations: the one of each element of the carrier.
    pub(super) membership: Vec<usize>,
}

/// Where the elements of a set of rows come from.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// The table; `None` for the length of JSON arrays.
    pub(super) table: Option<usize>,
    /// How many rows it has.
    pub(super) total: usize,
    /// Those that take part.
    pub(super) kept: Vec<u32>,
}

/// The combinations that occur.
#[derive(Clone, Debug)]
pub(super) struct Combined {
    /// Each combination's parts, as positions among the parts' levels.
    pub(super) tuples: Vec<Vec<usize>>,
    /// The labels of each part's levels.
    pub(super) labels: Vec<Arc<Labels>>,
    /// Where each combination is.
    pub(super) places: HashMap<Vec<usize>, usize>,
}

impl Elements {
    /// Levels with labels.
    pub(super) fn listed(labels: Vec<String>) -> Elements {
        let numbered = labels.iter().enumerate();
        let places = numbered.map(|(at, label)| (label.clone(), at)).collect();
        Elements {
            labels: Arc::new(Labels::Listed(labels)),
            places,
            rows: None,
            combined: None,
            membership: Vec::new(),
        }
    }

    /// Levels 1 to `count`.
    pub(super) fn numbered(count: usize) -> Elements {
        Elements {
            labels: Arc::new(Labels::Count(count)),
            places: HashMap::new(),
            rows: None,
            combined: None,
            membership: Vec::new(),
        }
    }

    /// Levels with labels that are known already.
    pub(super) fn labelled(labels: &Labels) -> Elements {
        match labels {
            Labels::Count(count) => Elements::numbered(*count),
            Labels::Listed(labels) => Elements::listed(labels.clone()),
        }
    }

    /// The rows that take part; their labels are their numbers before any was left out.
    pub(super) fn of_rows(rows: Rows) -> Elements {
        let elements = match rows.kept.len() == rows.total {
            true => Elements::numbered(rows.total),
            false => {
                let number = |row: &u32| (row + 1).to_string();
                Elements::listed(rows.kept.iter().map(number).collect())
            }
        };
        Elements {
            rows: Some(rows),
            ..elements
        }
    }

    /// Combinations, and which of them each element of the carrier belongs to.
    pub(super) fn of_combinations(combined: Combined, membership: Vec<usize>) -> Elements {
        let label = |tuple: &Vec<usize>| {
            let parts = tuple.iter().zip(&combined.labels);
            let parts = parts.map(|(place, labels)| labels.get(*place).unwrap_or_default());
            parts.collect::<Vec<_>>().join(":")
        };
        let labels = combined.tuples.iter().map(label).collect();
        Elements {
            combined: Some(Arc::new(combined)),
            membership,
            ..Elements::listed(labels)
        }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The element of this label, counted from 0.
    pub(super) fn position(&self, label: &str) -> Option<usize> {
        match &*self.labels {
            Labels::Count(_) => self.labels.position(label),
            Labels::Listed(_) => self.places.get(label).copied(),
        }
    }

    pub(super) fn label(&self, element: usize) -> String {
        self.labels.get(element).unwrap_or_default().into_owned()
    }

    /// All labels, for near misses.
    pub(super) fn all_labels(&self) -> Vec<String> {
        (0..self.len()).map(|element| self.label(element)).collect()
    }
}
