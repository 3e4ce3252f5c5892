//! Long tables: an outcome over several level letters exists where a row does.

use std::collections::HashMap;
use std::rc::Rc;

use super::MissingPolicy;
use super::binder::{Binder, Found, Holding};
use super::join::Keys;

/// The existing elements of a long column, ordered by their positions.
#[derive(Clone, Debug)]
pub(super) struct Long {
    /// Where each element's value is.
    pub(super) found: Rc<Found>,
    /// Each element's position in each of the column's sets, counted from 0.
    pub(super) positions: Vec<Vec<usize>>,
    /// Of a prediction: how many of the elements the fit had. They come first, and the values found are theirs.
    pub(super) fitted: usize,
    /// Of a prediction: the element of each new row.
    pub(super) of_rows: Vec<usize>,
}

impl Long {
    pub(super) fn len(&self) -> usize {
        self.positions.len()
    }

    /// For each element the one `lag` earlier along an axis, counted from 1; 0 where there is none.
    pub(super) fn earlier(&self, axis: usize, lag: usize) -> Vec<i64> {
        // Of several elements in one place the first counts: what was observed before what is predicted.
        let numbered = self.positions.iter().enumerate().rev();
        let places: HashMap<&[usize], usize> = numbered
            .map(|(at, position)| (position.as_slice(), at))
            .collect();
        let before = |position: &Vec<usize>| {
            let mut position = position.clone();
            position[axis] = position[axis].checked_sub(lag)?;
            places.get(position.as_slice()).map(|at| *at as i64 + 1)
        };
        let row = |position| before(position).unwrap_or(0);
        self.positions.iter().map(row).collect()
    }
}

impl Binder<'_> {
    /// The existing elements of a long column.
    pub(super) fn long(&mut self, place: usize) -> Option<Rc<Long>> {
        if let Some(known) = self.longs.get(&place) {
            return known.clone();
        }
        let long = self.read_long(place).map(Rc::new);
        self.longs.insert(place, long.clone());
        long
    }

    fn read_long(&mut self, place: usize) -> Option<Long> {
        if let Some(new) = self.new_long_rows(place)? {
            return Some(new);
        }
        self.existing_long_rows(place)
    }

    /// The rows of a long column that have a value; of a prediction those of the fit.
    pub(super) fn existing_long_rows(&mut self, place: usize) -> Option<Long> {
        let plan = self.plan;
        let column = &plan.columns[place];
        let mut fitting: Vec<(usize, usize, Vec<Keys>)> = Vec::new();
        for table in 0..self.sources.tables.len() {
            if self.sources.fitted.is_some() && !self.is_of_fit(table) {
                continue;
            }
            let Some(at) = self.table(table).find(&column.name) else {
                continue;
            };
            let keys: Option<Vec<Keys>> = column
                .over
                .iter()
                .map(|&set| self.keys(table, set))
                .collect();
            if let Some(keys) = keys {
                fitting.push((table, at, keys));
            }
        }
        match fitting.as_slice() {
            [(table, at, keys)] => self.long_rows(place, *table, *at, keys),
            [] => self.long_array(place),
            several => {
                let tables: Vec<usize> = several.iter().map(|(table, ..)| *table).collect();
                self.report_several_joins(place, &column.over, &tables);
                None
            }
        }
    }

    fn long_rows(
        &mut self,
        place: usize,
        table: usize,
        column: usize,
        keys: &[Keys],
    ) -> Option<Long> {
        self.is_used[table] = true;
        let holding = Holding::Table { table, column };
        let mut elements: Vec<(Vec<usize>, u32)> = Vec::new();
        let (mut surplus, mut missing) = (Vec::new(), Vec::new());
        for row in 0..self.table(table).rows {
            let position: Option<Vec<usize>> = keys.iter().map(|keys| keys[row]).collect();
            match position {
                None => surplus.push(row),
                Some(_) if self.held(holding, row).is_missing() => missing.push(row),
                Some(position) => elements.push((position, row as u32)),
            }
        }
        let declared = &self.plan.columns[place];
        self.note_surplus(&declared.over, table, &surplus);
        let is_left_out = matches!(
            self.policy(declared),
            MissingPolicy::Omit | MissingPolicy::Drop
        );
        // The fit has said what became of its missing values.
        let is_known = self.is_of_fit(table);
        if is_known {
            missing.clear();
        }
        if is_left_out && !missing.is_empty() {
            self.note_missing(place, missing.len());
        } else if !missing.is_empty() {
            let found = Found {
                holdings: vec![holding],
                rows: missing.iter().map(|row| *row as u32).collect(),
                new: None,
            };
            self.report_missing(place, &found, &(0..missing.len()).collect::<Vec<_>>());
            return None;
        }
        elements.sort();
        let repeated = elements.windows(2).find(|pair| pair[0].0 == pair[1].0);
        if let Some(pair) = repeated {
            let rows = (pair[0].1 as usize, pair[1].1 as usize);
            self.report_repeated(place, &pair[0].0, holding, rows);
            return None;
        }
        let (positions, rows) = elements.into_iter().unzip();
        Some(Long {
            found: Rc::new(Found {
                holdings: vec![holding],
                rows,
                new: None,
            }),
            positions,
            fitted: 0,
            of_rows: Vec::new(),
        })
    }

    /// A JSON array over all combinations, of which those that are not null exist.
    fn long_array(&mut self, place: usize) -> Option<Long> {
        let plan = self.plan;
        let column = &plan.columns[place];
        let found = self.array(column)?;
        let mut sizes = Vec::new();
        for &set in &column.over {
            sizes.push(self.elements(set)?.len());
        }
        let mut positions = Vec::new();
        let mut rows = Vec::new();
        for element in 0..found.len() {
            if self.cell(&found, element).is_missing() {
                continue;
            }
            let mut rest = element;
            let mut position: Vec<usize> = sizes
                .iter()
                .rev()
                .map(|size| {
                    let at = rest % size;
                    rest /= size;
                    at
                })
                .collect();
            position.reverse();
            positions.push(position);
            rows.push(found.rows[element]);
        }
        Some(Long {
            found: Rc::new(Found { rows, ..found }),
            positions,
            fitted: 0,
            of_rows: Vec::new(),
        })
    }
}
