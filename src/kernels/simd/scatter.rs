//! Sums by group: adds each value to the cell of its index, without one addition waiting for the last one to the same cell.
//!
//! Added one by one, values of the same cell in a row take a round trip through memory each. Which of the functions here is
//! the faster depends on the order of the indices alone; the order of summation is fixed, and so are the bits.

use super::{Level, total};

/// How many values of a run are taken at once.
const CHUNK: usize = 8;
/// How many tables take turns where there are few cells.
const TURNS: usize = 4;
/// The most cells that [`add_few`] takes.
pub const FEW: usize = 16;

by_level! {
    /// Adds each value to the cell of its index plus `offset`, a run of equal indices at once. What has no cell is not added.
    fn add_runs(values: &[f64], indices: &[i64], offset: i64, table: &mut [f64]) = add_runs_each;

    /// Adds each value to the cell of its index plus `offset`. Where all cells are among [`FEW`] in a row, several copies of them
    /// take turns. What has no cell is not added.
    fn add_few(values: &[f64], indices: &[i64], offset: i64, table: &mut [f64]) = add_few_each;
}

#[inline(always)]
fn add_runs_each(values: &[f64], indices: &[i64], offset: i64, table: &mut [f64]) {
    let length = values.len().min(indices.len());
    let mut at = 0;
    while at < length {
        let run = indices[at];
        let mut sums = [0.0; CHUNK];
        while let Some(values) = values[at..length].first_chunk::<CHUNK>()
            && let Some(indices) = indices[at..length].first_chunk::<CHUNK>()
            && indices
                .iter()
                .fold(0, |others, index| others | (index ^ run))
                == 0
        {
            for k in 0..CHUNK {
                sums[k] += values[k];
            }
            at += CHUNK;
        }
        let mut sum = total(sums);
        while at < length && indices[at] == run {
            sum += values[at];
            at += 1;
        }
        add(sum, run, offset, table);
    }
}

#[inline(always)]
fn add_few_each(values: &[f64], indices: &[i64], offset: i64, table: &mut [f64]) {
    let least = indices
        .iter()
        .fold(i64::MAX, |least, index| least.min(*index));
    let most = indices
        .iter()
        .fold(i64::MIN, |most, index| most.max(*index));
    let first = least.wrapping_add(offset) as usize;
    let few = most.wrapping_sub(least) as u64 as usize;
    if few >= FEW || first.saturating_add(few) >= table.len() {
        return add_each(values, indices, offset, table);
    }
    let length = values.len().min(indices.len());
    let (values, values_left) = values[..length].as_chunks::<TURNS>();
    let (indices, indices_left) = indices[..length].as_chunks::<TURNS>();
    let mut copies = [[0.0; FEW]; TURNS];
    for (values, indices) in values.iter().zip(indices) {
        for k in 0..TURNS {
            add(values[k], indices[k], least.wrapping_neg(), &mut copies[k]);
        }
    }
    for (at, cell) in table[first..=first + few].iter_mut().enumerate() {
        let [a, b, c, d] = copies.map(|copy| copy[at]);
        *cell += (a + b) + (c + d);
    }
    add_each(values_left, indices_left, offset, table);
}

#[inline(always)]
fn add_each(values: &[f64], indices: &[i64], offset: i64, table: &mut [f64]) {
    for (value, index) in values.iter().zip(indices) {
        add(*value, *index, offset, table);
    }
}

#[inline(always)]
fn add(value: f64, index: i64, offset: i64, table: &mut [f64]) {
    if let Some(cell) = table.get_mut(index.wrapping_add(offset) as usize) {
        *cell += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Function = fn(Level, &[f64], &[i64], i64, &mut [f64]);

    /// Sums by the definition, and by the function at every level, which must give the same bits.
    fn check(function: Function, indices: &[i64], offset: i64, cells: usize) {
        let values = (0..indices.len()).map(|at| (at as f64 * 0.7).sin() + 0.1);
        let values: Vec<f64> = values.collect();
        let start: Vec<f64> = (0..cells).map(|at| at as f64).collect();
        let mut expected = start.clone();
        for (value, index) in values.iter().zip(indices) {
            expected[(index + offset) as usize] += value;
        }
        let [portable, avx2, avx512] = [Level::Portable, Level::Avx2, Level::Avx512].map(|level| {
            let mut found = start.clone();
            function(level, &values, indices, offset, &mut found);
            found
        });
        for (found, expected) in portable.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-12, "{indices:?}");
        }
        assert!(portable == avx2 && portable == avx512, "{indices:?}");
    }

    fn indices(length: i64, index: fn(i64) -> i64) -> Vec<i64> {
        (0..length).map(index).collect()
    }

    #[test]
    fn sums_of_runs_are_those_of_the_definition_at_every_level() {
        for length in [0, 1, 7, 8, 9, 31, 64, 100, 256] {
            check(at_level::add_runs, &indices(length, |_| 5), -5, 1);
            // Runs of every length up to 14, then back to the first cell.
            let growing = indices(length, |at| -3 + (2 * at).isqrt() % 14);
            check(at_level::add_runs, &growing, 3, 14);
            check(at_level::add_runs, &indices(length, |at| at / 8), 0, 32);
            check(at_level::add_runs, &indices(length, |at| at % 3), 0, 3);
            // A chunk of one index with another in the middle.
            let broken = indices(length, |at| i64::from(at % 16 == 11));
            check(at_level::add_runs, &broken, 0, 2);
        }
    }

    #[test]
    fn sums_of_few_cells_are_those_of_the_definition_at_every_level() {
        for length in [0, 1, 3, 4, 5, 100, 256] {
            check(at_level::add_few, &indices(length, |_| 5), -5, 1);
            check(at_level::add_few, &indices(length, |at| at % 2), 0, 2);
            check(
                at_level::add_few,
                &indices(length, |at| at * 7 % 16 - 1),
                1,
                16,
            );
            // More cells than take turns.
            check(at_level::add_few, &indices(length, |at| at * 7 % 41), 0, 41);
        }
    }

    #[test]
    fn what_has_no_cell_is_not_added() {
        for function in [add_runs, add_few] {
            let mut cells = [0.0; 2];
            let indices = [0, 1, 1, 2, 3, -1, i64::MIN, i64::MAX];
            function(&[1.0; 8], &indices, -1, &mut cells);
            function(&[1.0; 3], &[1, 2, 3], -1, &mut cells);
            assert_eq!(cells, [3.0, 2.0]);
        }
    }
}
