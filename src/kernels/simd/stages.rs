//! What a Runge-Kutta step does with its stages: weighted sums of vectors that are multiples of eight long.
//!
//! Stages stand one after the other, each as long as the solution. Systems are small, so that a call per stage would cost
//! more than its sum: eight elements of all stages at a time are summed in one register.

use super::Level;

/// Vectors are padded with zeros to multiples of this.
pub const LANES: usize = 8;

by_level! {
    /// `out = y + step Σ weights[s] stages[s]`, of vectors whose length is a multiple of [`LANES`].
    fn advance(weights: &[f64], stages: &[f64], step: f64, y: &[f64], out: &mut [f64]) = advance_body;
    /// The largest element of `|step Σ weights[s] stages[s]| / (absolute + relative (|y| + |step stages[0]|))`; NaN if one is NaN
    /// or infinite.
    fn largest_error(weights: &[f64], stages: &[f64], step: f64, y: &[f64], allowed: [f64; 2]) -> f64 = largest_error_body;
}

/// Eight elements from `at` on of the weighted sum of stages of length `len`.
#[inline(always)]
fn weighted_sum(weights: &[f64], stages: &[f64], len: usize, at: usize) -> [f64; LANES] {
    let mut sum = [0.0; LANES];
    for (weight, stage) in weights.iter().zip(stages.chunks_exact(len)) {
        let stage = &stage[at..at + LANES];
        for (sum, value) in sum.iter_mut().zip(stage) {
            *sum = weight.mul_add(*value, *sum);
        }
    }
    sum
}

#[inline(always)]
fn advance_body(weights: &[f64], stages: &[f64], step: f64, y: &[f64], out: &mut [f64]) {
    let eights = y.chunks_exact(LANES).zip(out.chunks_exact_mut(LANES));
    for (block, (y_part, out)) in eights.enumerate() {
        let sum = weighted_sum(weights, stages, y.len(), block * LANES);
        for ((out, y), sum) in out.iter_mut().zip(y_part).zip(sum) {
            *out = step.mul_add(sum, *y);
        }
    }
}

#[inline(always)]
fn largest_error_body(
    weights: &[f64],
    stages: &[f64],
    step: f64,
    y: &[f64],
    [absolute, relative]: [f64; 2],
) -> f64 {
    // What is not finite makes the second sum NaN, which a maximum would pass over.
    let (mut largest, mut trouble) = ([0.0; LANES], [0.0; LANES]);
    let eights = y.chunks_exact(LANES).zip(stages.chunks_exact(LANES));
    for (block, (y_part, first)) in eights.enumerate() {
        let sum = weighted_sum(weights, stages, y.len(), block * LANES);
        for lane in 0..LANES {
            let magnitude = y_part[lane].abs() + (step * first[lane]).abs();
            let error = (step * sum[lane]).abs() / relative.mul_add(magnitude, absolute);
            trouble[lane] += error * 0.0;
            largest[lane] = if error > largest[lane] {
                error
            } else {
                largest[lane]
            };
        }
    }
    let largest = largest.into_iter().fold(0.0, f64::max);
    if trouble.iter().sum::<f64>() == 0.0 {
        largest
    } else {
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

    /// Three stages of sixteen elements, and a solution.
    fn example() -> (Vec<f64>, Vec<f64>) {
        let number = |k: usize| ((k * 37 % 101) as f64 - 50.0) / 7.0;
        (
            (0..48).map(number).collect(),
            (100..116).map(number).collect(),
        )
    }

    #[test]
    fn every_level_computes_the_same_bits_and_what_the_definition_says() {
        let (stages, y) = example();
        let (weights, step, allowed) = ([0.3, -1.25, 0.7], 0.0625, [1e-3, 1e-2]);
        let sum = |i: usize| (0..3).map(|s| weights[s] * stages[16 * s + i]).sum::<f64>();
        let error = |i: usize| {
            let magnitude = y[i].abs() + (step * stages[i]).abs();
            (step * sum(i)).abs() / (allowed[0] + allowed[1] * magnitude)
        };
        let largest = (0..16).map(error).fold(0.0, f64::max);
        let mut portable = [0.0; 16];
        at_level::advance(Level::Portable, &weights, &stages, step, &y, &mut portable);
        for level in LEVELS {
            let mut out = [0.0; 16];
            at_level::advance(level, &weights, &stages, step, &y, &mut out);
            assert_eq!(out.map(f64::to_bits), portable.map(f64::to_bits));
            for i in 0..16 {
                assert!((out[i] - (y[i] + step * sum(i))).abs() < 1e-13);
            }
            let found = at_level::largest_error(level, &weights, &stages, step, &y, allowed);
            assert!(
                (found / largest - 1.0).abs() < 1e-13,
                "{found} is not {largest}"
            );
            let of_portable =
                at_level::largest_error(Level::Portable, &weights, &stages, step, &y, allowed);
            assert_eq!(found.to_bits(), of_portable.to_bits());
        }
    }

    #[test]
    fn no_element_that_is_not_finite_is_passed_over() {
        for trouble in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for at in [0, 5, 15, 21, 47] {
                let (mut stages, y) = example();
                stages[at] = trouble;
                for level in LEVELS {
                    let found =
                        at_level::largest_error(level, &[1.0; 3], &stages, 0.1, &y, [1.0, 0.0]);
                    assert!(found.is_nan(), "{trouble} at {at}: {found}");
                }
            }
        }
    }
}
