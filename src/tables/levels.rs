//! Levels: what counts as one label, and the order in which labels stand.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use super::table::Cell;
use crate::diag::edit_distance;

/// A whole number as large as this may be another one in a double (2⁵³).
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// What a cell says as a label: `2` and `2.0` are the same, `02` is another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level<'a> {
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

impl<'a> Level<'a> {
    /// A cell's; `None` if it is missing.
    pub(super) fn of(cell: Cell<'a>) -> Option<Level<'a>> {
        Some(match cell {
            Cell::Missing => return None,
            Cell::Integer(value) => Level::Integer(value),
            Cell::Real(value) if value.fract() == 0.0 && value.abs() < LARGEST_WHOLE => {
                Level::Integer(value as i64)
            }
            Cell::Real(value) => Level::Real(value),
            Cell::Text(text) => Level::Text(text),
        })
    }

    pub(super) fn label(self) -> String {
        match self {
            Level::Integer(value) => value.to_string(),
            Level::Real(value) => value.to_string(),
            Level::Text(text) => text.to_string(),
        }
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Level::Text(_))
    }
}

impl PartialEq for Level<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Level::Integer(a), Level::Integer(b)) => a == b,
            (Level::Real(a), Level::Real(b)) => a.to_bits() == b.to_bits(),
            (Level::Text(a), Level::Text(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Level<'_> {}

impl Hash for Level<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Level::Integer(value) => value.hash(state),
            Level::Real(value) => value.to_bits().hash(state),
            Level::Text(text) => text.hash(state),
        }
    }
}

/// Numbers by size; all others by the code points of their labels, numbers among text included.
fn compare(left: &Level<'_>, right: &Level<'_>) -> Ordering {
    match (left, right) {
        (Level::Integer(a), Level::Integer(b)) => a.cmp(b),
        (Level::Real(a), Level::Real(b)) => a.total_cmp(b),
        (Level::Integer(a), Level::Real(b)) => (*a as f64).total_cmp(b),
        (Level::Real(a), Level::Integer(b)) => a.total_cmp(&(*b as f64)),
        (Level::Text(a), Level::Text(b)) => a.cmp(b),
        _ => left.label().cmp(&right.label()),
    }
}

/// The labels of levels in their order, each once: numerically if all are numbers, else by code point.
pub(super) fn in_order(mut levels: Vec<Level<'_>>) -> Vec<String> {
    if levels.iter().any(|level| level.is_text()) {
        let mut labels: Vec<String> = levels.into_iter().map(Level::label).collect();
        labels.sort();
        labels.dedup();
        return labels;
    }
    levels.sort_by(compare);
    levels.dedup();
    levels.into_iter().map(Level::label).collect()
}

/// Cells as places among their distinct levels.
#[derive(Debug, Default)]
pub(super) struct Coded<'a> {
    /// Each cell's level, as its place in `distinct`; `None` is missing.
    pub(super) codes: Vec<Option<u32>>,
    /// The levels in the order of their first appearance, with the cell of that.
    pub(super) distinct: Vec<(Level<'a>, usize)>,
}

impl<'a> Coded<'a> {
    pub(super) fn of(cells: impl Iterator<Item = Cell<'a>>) -> Coded<'a> {
        let mut coded = Coded::default();
        let mut places: HashMap<Level<'a>, u32> = HashMap::new();
        for (at, cell) in cells.enumerate() {
            let code = Level::of(cell).map(|level| {
                *places.entry(level).or_insert_with(|| {
                    coded.distinct.push((level, at));
                    coded.distinct.len() as u32 - 1
                })
            });
            coded.codes.push(code);
        }
        coded
    }

    pub(super) fn levels(&self) -> Vec<Level<'a>> {
        self.distinct.iter().map(|(level, _)| *level).collect()
    }
}

/// The candidate that differs least from a word, without regard to case, if it is near: at most a third of the word's
/// letters are wrong.
pub(super) fn nearest<'c>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let folded = wanted.to_lowercase();
    let distances = candidates
        .into_iter()
        .map(|candidate| (edit_distance(&folded, &candidate.to_lowercase()), candidate));
    let (edits, candidate) = distances.min()?;
    (edits <= wanted.chars().count().max(2) / 2 && edits < candidate.chars().count().max(1))
        .then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_stand_by_size_and_text_by_code_point() {
        use Level::*;
        assert_eq!(
            in_order(vec![Integer(10), Integer(9), Integer(10)]),
            ["9", "10"]
        );
        assert_eq!(
            in_order(vec![Real(1.5), Integer(1), Integer(2)]),
            ["1", "1.5", "2"]
        );
        assert_eq!(
            in_order(vec![Text("b"), Text("B"), Text("ä"), Text("a")]),
            ["B", "a", "b", "ä"]
        );
        // One text makes labels of all.
        assert_eq!(
            in_order(vec![Integer(9), Integer(10), Text("x")]),
            ["10", "9", "x"]
        );
    }

    #[test]
    fn cells_are_coded() {
        let cells = [
            Cell::Integer(2),
            Cell::Missing,
            Cell::Real(2.0),
            Cell::Text("2"),
        ];
        let coded = Coded::of(cells.into_iter());
        assert_eq!(coded.codes, [Some(0), None, Some(0), Some(1)]);
        assert_eq!(coded.distinct[1].1, 3);
    }

    #[test]
    fn near_misses() {
        assert_eq!(nearest("contry", ["country", "region"]), Some("country"));
        assert_eq!(nearest("US", ["us", "DE"]), Some("us"));
        assert_eq!(nearest("x", ["y", "z"]), None);
        assert_eq!(nearest("x", []), None);
    }

    proptest! {
        #[test]
        fn order_is_total(values in proptest::collection::vec(
            prop_oneof![(-9i64..9).prop_map(Some), Just(None)], 0..20)) {
            let level = |value: &Option<i64>| value.map_or(Level::Text("t"), Level::Integer);
            let labels = in_order(values.iter().map(level).collect());
            let mut reversed = values.clone();
            reversed.reverse();
            prop_assert_eq!(&labels, &in_order(reversed.iter().map(level).collect()));
            let mut unique = labels.clone();
            unique.dedup();
            prop_assert_eq!(unique, labels);
        }
    }
}
