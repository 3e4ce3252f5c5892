//! Products of vectors, and of a matrix and a vector, by the widest vectors of the machine.
//!
//! A product with a matrix reads each of its elements once, so memory sets the pace: columns are taken four at a time, which
//! leaves one load of the vector for four of the matrix.

use super::{Level, total};

/// How many columns of a matrix are taken at once.
const COLUMNS: usize = 4;
/// How many partial sums a product of two vectors has.
const SUMS: usize = 16;
/// How many partial sums each of several products with one vector has.
const SUMS_OF_COLUMN: usize = 8;

by_level! {
    /// Σ xᵢ yᵢ over the shorter of both; the order of summation is fixed.
    fn dot(x: &[f64], y: &[f64]) -> f64 = dot_each;

    /// y += s x over the shorter of both.
    fn add_scaled(scale: f64, x: &[f64], y: &mut [f64]) = add_scaled_each;

    /// y += s A x, where column j of A is the `y.len()` elements of `a` from `j * stride` on, and x has one element a column.
    fn add_product(scale: f64, a: &[f64], stride: usize, x: &[f64], y: &mut [f64]) = add_product_each;

    /// y += s Aᵀ x, where column j of A is the `x.len()` elements of `a` from `j * stride` on, and y has one element a column.
    fn add_transposed_product(scale: f64, a: &[f64], stride: usize, x: &[f64], y: &mut [f64])
        = add_transposed_product_each;
}

#[inline(always)]
fn dot_each(x: &[f64], y: &[f64]) -> f64 {
    let length = x.len().min(y.len());
    let (x, x_rest) = x[..length].as_chunks::<SUMS>();
    let (y, y_rest) = y[..length].as_chunks::<SUMS>();
    let mut sums = [0.0; SUMS];
    for (x, y) in x.iter().zip(y) {
        for k in 0..SUMS {
            sums[k] = x[k].mul_add(y[k], sums[k]);
        }
    }
    x_rest
        .iter()
        .zip(y_rest)
        .fold(total(sums), |sum, (x, y)| x.mul_add(*y, sum))
}

#[inline(always)]
fn add_scaled_each(scale: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = scale.mul_add(*x, *y);
    }
}

#[inline(always)]
fn add_product_each(scale: f64, a: &[f64], stride: usize, x: &[f64], y: &mut [f64]) {
    let rows = y.len();
    let (groups, rest) = x.as_chunks::<COLUMNS>();
    for (group, x) in groups.iter().enumerate() {
        let [c0, c1, c2, c3] = columns(a, stride, group, rows);
        let [x0, x1, x2, x3] = x.map(|x| scale * x);
        for i in 0..rows {
            y[i] = (c0[i].mul_add(x0, c1[i] * x1)) + (c2[i].mul_add(x2, c3[i].mul_add(x3, y[i])));
        }
    }
    for (j, x) in rest.iter().enumerate() {
        let start = (groups.len() * COLUMNS + j) * stride;
        add_scaled_each(scale * x, &a[start..start + rows], y);
    }
}

#[inline(always)]
fn add_transposed_product_each(scale: f64, a: &[f64], stride: usize, x: &[f64], y: &mut [f64]) {
    let rows = x.len();
    let (groups, rest) = y.as_chunks_mut::<COLUMNS>();
    let grouped = groups.len() * COLUMNS;
    for (group, y) in groups.iter_mut().enumerate() {
        let columns = columns(a, stride, group, rows);
        for (y, product) in y.iter_mut().zip(dots(columns, x)) {
            *y = scale.mul_add(product, *y);
        }
    }
    for (j, y) in rest.iter_mut().enumerate() {
        let start = (grouped + j) * stride;
        *y = scale.mul_add(dot_each(&a[start..start + rows], x), *y);
    }
}

/// The columns of one group.
#[inline(always)]
fn columns(a: &[f64], stride: usize, group: usize, rows: usize) -> [&[f64]; COLUMNS] {
    std::array::from_fn(|k| {
        let start = (group * COLUMNS + k) * stride;
        &a[start..start + rows]
    })
}

/// The products of several vectors with one.
#[inline(always)]
fn dots(columns: [&[f64]; COLUMNS], x: &[f64]) -> [f64; COLUMNS] {
    const N: usize = SUMS_OF_COLUMN;
    let mut sums = [[0.0; N]; COLUMNS];
    let (chunks, rest) = x.as_chunks::<N>();
    let parts = columns.map(|column| column.as_chunks::<N>());
    let [c0, c1, c2, c3] = parts.map(|(chunks, _)| chunks);
    for ((((x, c0), c1), c2), c3) in chunks.iter().zip(c0).zip(c1).zip(c2).zip(c3) {
        for (sums, column) in sums.iter_mut().zip([c0, c1, c2, c3]) {
            for k in 0..N {
                sums[k] = column[k].mul_add(x[k], sums[k]);
            }
        }
    }
    let mut products = sums.map(total);
    for (product, (_, column)) in products.iter_mut().zip(parts) {
        for (x, c) in rest.iter().zip(column) {
            *product = x.mul_add(*c, *product);
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of all sizes around 1, by a fixed recipe.
    fn numbers(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn products_are_those_of_the_definition_at_every_level() {
        // Sizes on both sides of every chunk, and a stride beyond the rows.
        for (rows, cols) in [(0, 3), (1, 1), (7, 4), (8, 5), (33, 9), (64, 2), (129, 24)] {
            let stride = rows + 3;
            let a = numbers(stride * cols, 1);
            let (wide, tall) = (numbers(cols, 2), numbers(rows, 3));
            let (mut product, mut transposed) = (tall.clone(), wide.clone());
            for j in 0..cols {
                for i in 0..rows {
                    product[i] += 0.7 * a[i + j * stride] * wide[j];
                    transposed[j] += 0.7 * a[i + j * stride] * tall[i];
                }
            }
            let mut bits = Vec::new();
            for level in [Level::Portable, Level::Avx2, Level::Avx512] {
                let (mut y, mut z) = (tall.clone(), wide.clone());
                at_level::add_product(level, 0.7, &a, stride, &wide, &mut y);
                at_level::add_transposed_product(level, 0.7, &a, stride, &tall, &mut z);
                assert_close(&y, &product);
                assert_close(&z, &transposed);
                let all = y.iter().chain(&z).map(|value| value.to_bits());
                bits.push(all.collect::<Vec<u64>>());
            }
            assert!(bits.iter().all(|level| *level == bits[0]), "{rows} {cols}");
        }
    }

    #[test]
    fn vectors_multiply_and_add_at_every_level() {
        for length in [0, 1, 15, 16, 17, 100] {
            let (x, y) = (numbers(length, 4), numbers(length, 5));
            let expected: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
            let sums: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - 1.5 * x).collect();
            for level in [Level::Portable, Level::Avx2, Level::Avx512] {
                assert_close(&[at_level::dot(level, &x, &y)], &[expected]);
                let portable = at_level::dot(Level::Portable, &x, &y);
                assert_eq!(at_level::dot(level, &x, &y), portable);
                let mut found = y.clone();
                at_level::add_scaled(level, -1.5, &x, &mut found);
                assert_close(&found, &sums);
            }
        }
    }
}
