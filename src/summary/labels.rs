//! Labels of the elements of dimensions, so that `d_country.1.2` reads `d_country[US, spend]`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The labels of the elements of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// So many elements, called 1, 2, …
    Count(usize),
    /// Their names.
    Listed(Vec<String>),
}

impl Labels {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Labels::Count(count) => *count,
            Labels::Listed(labels) => labels.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The label of an element, counted from 0; `None` beyond the last.
    pub fn get(&self, element: usize) -> Option<Cow<'_, str>> {
        match self {
            Labels::Count(count) => {
                (element < *count).then(|| Cow::Owned((element + 1).to_string()))
            }
            Labels::Listed(labels) => labels.get(element).map(|label| Cow::Borrowed(&**label)),
        }
    }

    /// The element that a label names, counted from 0.
    pub fn position(&self, label: &str) -> Option<usize> {
        match self {
            Labels::Count(count) => {
                let number: usize = label.parse().ok()?;
                (1..=*count).contains(&number).then(|| number - 1)
            }
            Labels::Listed(labels) => labels.iter().position(|listed| listed == label),
        }
    }
}

/// The labels of the dimensions of variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelling {
    variables: BTreeMap<String, Vec<Arc<Labels>>>,
}

impl Labelling {
    /// Says what labels a variable's dimensions have, outermost first.
    pub fn set(&mut self, variable: &str, dimensions: Vec<Arc<Labels>>) {
        self.variables.insert(variable.to_string(), dimensions);
    }

    /// The labels of a variable's dimensions; `None` where nothing is known of it.
    pub fn dimensions(&self, variable: &str) -> Option<&[Arc<Labels>]> {
        self.variables.get(variable).map(Vec::as_slice)
    }

    /// Whether no variable has labels.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// The labels of a column's indexes: `["US", "spend"]` for `d_country.1.2`. `None` for a column of a variable that
    /// has no labels, or other dimensions.
    pub fn of_column(&self, column: &str) -> Option<Vec<Cow<'_, str>>> {
        let mut parts = column.split('.');
        let dimensions = self.variables.get(parts.next()?)?;
        let indexes: Vec<&str> = parts.collect();
        if indexes.len() != dimensions.len() || indexes.is_empty() {
            return None;
        }
        let label = |(labels, index): (&Arc<Labels>, &&str)| {
            let index: usize = index.parse().ok()?;
            let label = labels.get(index.checked_sub(1)?)?;
            Some(Cow::Owned(label.into_owned()))
        };
        dimensions.iter().zip(&indexes).map(label).collect()
    }

    /// A column's name with labels: `d_country[US, spend]`. `None` as of [`of_column`](Labelling::of_column).
    pub fn name(&self, column: &str) -> Option<String> {
        let variable = column.split('.').next()?;
        let labels = self.of_column(column)?;
        Some(format!("{variable}[{}]", labels.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_labels() {
        let mut labelling = Labelling::default();
        let countries = Labels::Listed(vec!["DE".into(), "US".into()]);
        labelling.set("d", vec![Arc::new(countries), Arc::new(Labels::Count(3))]);
        assert_eq!(labelling.name("d.2.3").as_deref(), Some("d[US, 3]"));
        for unknown in ["d", "d.1", "d.3.1", "d.0.1", "e.1.1", "d.x.1"] {
            assert_eq!(labelling.name(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn labels_are_found() {
        let rows = Labels::Count(2);
        assert_eq!((rows.position("2"), rows.position("0")), (Some(1), None));
        let names = Labels::Listed(vec!["a".into()]);
        assert_eq!((names.position("a"), names.get(1)), (Some(0), None));
    }
}
