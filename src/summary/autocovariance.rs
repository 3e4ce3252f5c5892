//! Autocovariances averaged over chains: the first lags directly, all of them by a fast Fourier transform.
//!
//! Draws of a good sampler are nearly independent, so the estimators stop after a few lags, which are cheapest by their
//! definition. When they go on, the power spectra of all chains are added (two real chains a complex transform) and
//! transformed back once.

use std::f64::consts::TAU;

/// Lags computed directly before the transform takes over: about where their cost reaches that of the transform for
/// eight half chains of 500 draws (measured).
const DIRECT_LAGS: usize = 40;

/// Lanes of the dot product, so that the compiler may use vector registers without reordering a single sum.
const LANES: usize = 8;

/// Averages over chains of the autocovariances (denominator n, not n − t) of sequences of equal length.
pub(super) struct Autocovariance<'a> {
    /// The sequences one after the other, each with its mean taken off.
    centred: Vec<f64>,
    length: usize,
    means: Vec<f64>,
    /// All lags, once the transform has run.
    all_lags: Vec<f64>,
    transform: &'a mut Transform,
}

impl<'a> Autocovariance<'a> {
    /// `sequences` holds sequences of `length` draws one after the other.
    pub(super) fn new(
        sequences: &[f64],
        length: usize,
        transform: &'a mut Transform,
    ) -> Autocovariance<'a> {
        let mut centred = sequences.to_vec();
        let mut means = Vec::with_capacity(sequences.len() / length);
        for sequence in centred.chunks_exact_mut(length) {
            let mean = sum(sequence) / length as f64;
            sequence.iter_mut().for_each(|value| *value -= mean);
            means.push(mean);
        }
        Autocovariance {
            centred,
            length,
            means,
            all_lags: Vec::new(),
            transform,
        }
    }

    /// Mean of each sequence.
    pub(super) fn means(&self) -> &[f64] {
        &self.means
    }

    /// The autocovariance at `lag` (less than the length), averaged over the sequences.
    pub(super) fn at(&mut self, lag: usize) -> f64 {
        if lag < DIRECT_LAGS && self.all_lags.is_empty() {
            let lagged = |sequence: &[f64]| dot(&sequence[..self.length - lag], &sequence[lag..]);
            return self
                .centred
                .chunks_exact(self.length)
                .map(lagged)
                .sum::<f64>()
                / self.centred.len() as f64;
        }
        if self.all_lags.is_empty() {
            self.all_lags = self.transform.lagged_products(&self.centred, self.length);
        }
        self.all_lags[lag] / self.centred.len() as f64
    }
}

/// Sum with a fixed order of additions that vector registers can follow.
pub(super) fn sum(values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// Dot product in the same order as [`sum`].
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (left, right) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest: f64 = left
        .remainder()
        .iter()
        .zip(right.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (left, right) in left.zip(right) {
        for ((lane, x), y) in lanes.iter_mut().zip(left).zip(right) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// A complex fast Fourier transform of one size (a power of two), with its roots of unity kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Transform {
    /// cos and −sin of 2πk/size for k below half the size.
    roots: Vec<(f64, f64)>,
    size: usize,
}

impl Transform {
    /// Σᵢ xᵢ xᵢ₊ₜ for every lag t below `length`, added over the sequences.
    fn lagged_products(&mut self, sequences: &[f64], length: usize) -> Vec<f64> {
        // Padding with as many zeros keeps the ends of a sequence apart.
        self.prepare((2 * length).next_power_of_two());
        let size = self.size;
        let mut power = vec![0.0; size];
        let mut work = vec![(0.0, 0.0); size];
        for pair in sequences.chunks(2 * length) {
            let (first, second) = pair.split_at(length);
            work.fill((0.0, 0.0));
            work.iter_mut()
                .zip(first)
                .for_each(|(slot, &value)| slot.0 = value);
            work.iter_mut()
                .zip(second)
                .for_each(|(slot, &value)| slot.1 = value);
            self.run(&mut work);
            power
                .iter_mut()
                .zip(&work)
                .for_each(|(sum, (re, im))| *sum += re * re + im * im);
        }
        // With Z the transform of x + iy, |X(k)|² + |Y(k)|² = (|Z(k)|² + |Z(−k)|²) / 2. That is even in k, so the
        // transform back is the transform itself, and real.
        for (k, slot) in work.iter_mut().enumerate() {
            *slot = ((power[k] + power[(size - k) % size]) / 2.0, 0.0);
        }
        self.run(&mut work);
        work[..length]
            .iter()
            .map(|(re, _)| re / size as f64)
            .collect()
    }

    fn prepare(&mut self, size: usize) {
        if self.size != size {
            self.size = size;
            let angle = |k: usize| TAU * k as f64 / size as f64;
            self.roots = (0..size / 2)
                .map(|k| (libm::cos(angle(k)), -libm::sin(angle(k))))
                .collect();
        }
    }

    /// Transforms `values` in place: radix 2, decimation in time.
    fn run(&self, values: &mut [(f64, f64)]) {
        let size = self.size;
        let unused_bits = usize::BITS - size.trailing_zeros();
        for i in 1..size {
            let j = i.reverse_bits() >> unused_bits;
            if i < j {
                values.swap(i, j);
            }
        }
        let mut half = 1;
        while half < size {
            let stride = size / (2 * half);
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((a, b), (cos, sin)) in low
                    .iter_mut()
                    .zip(high)
                    .zip(self.roots.iter().step_by(stride))
                {
                    let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                    *b = (a.0 - turned.0, a.1 - turned.1);
                    *a = (a.0 + turned.0, a.1 + turned.1);
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sequences without structure: digits of a linear congruence.
    fn noise(count: usize) -> Vec<f64> {
        let mut state: u64 = 1;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn transform_agrees_with_the_definition() {
        for (sequences, length) in [(1, 1), (1, 5), (2, 64), (3, 50), (8, 101)] {
            let values = noise(sequences * length);
            let products = Transform::default().lagged_products(&values, length);
            for (lag, &found) in products.iter().enumerate() {
                let lagged = |sequence: &[f64]| {
                    (lag..length)
                        .map(|i| sequence[i] * sequence[i - lag])
                        .sum::<f64>()
                };
                let expected: f64 = values.chunks(length).map(lagged).sum();
                assert!(
                    (found - expected).abs() < 1e-11,
                    "{sequences}×{length}, lag {lag}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn direct_lags_meet_those_of_the_transform() {
        let values = noise(3 * 200);
        let mut transform = Transform::default();
        let mut direct = Autocovariance::new(&values, 200, &mut transform);
        let before: Vec<f64> = (0..DIRECT_LAGS).map(|lag| direct.at(lag)).collect();
        direct.at(DIRECT_LAGS);
        for (lag, before) in before.into_iter().enumerate() {
            assert!((before - direct.at(lag)).abs() < 1e-14, "lag {lag}");
        }
    }
}
