//! The memory of a trajectory: phase-space points and momentum sums in two contiguous pools, never reallocated.
//!
//! A point lives as long as a subtree holds it as an end or as its proposal; freed places are reused last in,
//! first out, so that a trajectory over a small model stays in the first-level cache.

use super::vector::padded;

/// Index of a point in [`Points`].
pub(super) type PointId = usize;

/// Index of a vector in [`MomentumSums`].
pub(super) type SumId = usize;

const FIELDS: usize = 4;

/// A pool of phase-space points.
#[derive(Debug)]
pub(super) struct Points {
    dimension: usize,
    padded: usize,
    /// Position, momentum, velocity and gradient of each point, one after the other.
    values: Vec<f64>,
    log_density: Vec<f64>,
    energy: Vec<f64>,
    holders: Vec<u32>,
    free: Vec<PointId>,
    /// Points from here on have not been used in this transition.
    untouched: PointId,
}

/// The vectors of one point, padded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a> {
    pub position: &'a [f64],
    pub momentum: &'a [f64],
    pub velocity: &'a [f64],
    pub gradient: &'a [f64],
}

/// The vectors of one point, padded, to be written.
#[derive(Debug)]
pub(super) struct PointMut<'a> {
    pub position: &'a mut [f64],
    pub momentum: &'a mut [f64],
    pub velocity: &'a mut [f64],
    pub gradient: &'a mut [f64],
}

impl Points {
    pub(super) fn new(dimension: usize, capacity: usize) -> Self {
        let padded = padded(dimension);
        Self {
            dimension,
            padded,
            values: vec![0.0; capacity * FIELDS * padded],
            log_density: vec![f64::NEG_INFINITY; capacity],
            energy: vec![f64::INFINITY; capacity],
            holders: vec![0; capacity],
            free: Vec::with_capacity(capacity),
            untouched: 0,
        }
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Frees every point but one, which gets that many holders.
    pub(super) fn keep_only(&mut self, kept: PointId, holders: u32) {
        self.free.clear();
        self.free.extend((0..kept).rev());
        self.untouched = kept + 1;
        self.holders[kept] = holders;
    }

    /// Takes a free point for that many holders.
    pub(super) fn take(&mut self, holders: u32) -> PointId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.untouched += 1;
            self.untouched - 1
        });
        self.holders[id] = holders;
        id
    }

    /// Drops one holder.
    pub(super) fn release(&mut self, id: PointId) {
        self.holders[id] -= 1;
        if self.holders[id] == 0 {
            self.free.push(id);
        }
    }

    pub(super) fn position(&self, id: PointId) -> &[f64] {
        &self.get(id).position[..self.dimension]
    }

    pub(super) fn gradient(&self, id: PointId) -> &[f64] {
        &self.get(id).gradient[..self.dimension]
    }

    pub(super) fn log_density(&self, id: PointId) -> f64 {
        self.log_density[id]
    }

    /// The Hamiltonian: potential plus kinetic energy.
    pub(super) fn energy(&self, id: PointId) -> f64 {
        self.energy[id]
    }

    pub(super) fn set_log_density(&mut self, id: PointId, log_density: f64) {
        self.log_density[id] = log_density;
    }

    pub(super) fn set_energy(&mut self, id: PointId, energy: f64) {
        self.energy[id] = energy;
    }

    pub(super) fn get(&self, id: PointId) -> Point<'_> {
        let stride = FIELDS * self.padded;
        Point::new(&self.values[id * stride..][..stride], self.padded)
    }

    pub(super) fn get_mut(&mut self, id: PointId) -> PointMut<'_> {
        let stride = FIELDS * self.padded;
        PointMut::new(&mut self.values[id * stride..][..stride], self.padded)
    }

    /// One point to read and a different one to write.
    pub(super) fn pair(&mut self, from: PointId, into: PointId) -> (Point<'_>, PointMut<'_>) {
        let (from, into) = read_and_write(&mut self.values, FIELDS * self.padded, from, into);
        (
            Point::new(from, self.padded),
            PointMut::new(into, self.padded),
        )
    }
}

impl<'a> Point<'a> {
    fn new(values: &'a [f64], padded: usize) -> Self {
        let (position, values) = values.split_at(padded);
        let (momentum, values) = values.split_at(padded);
        let (velocity, gradient) = values.split_at(padded);
        Self {
            position,
            momentum,
            velocity,
            gradient,
        }
    }
}

impl<'a> PointMut<'a> {
    fn new(values: &'a mut [f64], padded: usize) -> Self {
        let (position, values) = values.split_at_mut(padded);
        let (momentum, values) = values.split_at_mut(padded);
        let (velocity, gradient) = values.split_at_mut(padded);
        Self {
            position,
            momentum,
            velocity,
            gradient,
        }
    }
}

/// A pool of vectors for ρ, the sum of the momenta of a subtree.
#[derive(Debug)]
pub(super) struct MomentumSums {
    padded: usize,
    values: Vec<f64>,
    free: Vec<SumId>,
    /// Sums from here on have not been used in this transition.
    untouched: SumId,
}

impl MomentumSums {
    pub(super) fn new(dimension: usize, capacity: usize) -> Self {
        let padded = padded(dimension);
        Self {
            padded,
            values: vec![0.0; capacity * padded],
            free: Vec::with_capacity(capacity),
            untouched: 0,
        }
    }

    pub(super) fn release_all(&mut self) {
        self.free.clear();
        self.untouched = 0;
    }

    pub(super) fn take(&mut self) -> SumId {
        self.free.pop().unwrap_or_else(|| {
            self.untouched += 1;
            self.untouched - 1
        })
    }

    pub(super) fn release(&mut self, id: SumId) {
        self.free.push(id);
    }

    pub(super) fn get_mut(&mut self, id: SumId) -> &mut [f64] {
        &mut self.values[id * self.padded..][..self.padded]
    }

    /// One sum to read and a different one to write.
    pub(super) fn pair(&mut self, from: SumId, into: SumId) -> (&[f64], &mut [f64]) {
        read_and_write(&mut self.values, self.padded, from, into)
    }
}

/// Two different rows of a table, one shared and one exclusive.
fn read_and_write(
    values: &mut [f64],
    stride: usize,
    read: usize,
    write: usize,
) -> (&[f64], &mut [f64]) {
    debug_assert_ne!(read, write);
    if read < write {
        let (low, high) = values.split_at_mut(write * stride);
        (&low[read * stride..][..stride], &mut high[..stride])
    } else {
        let (low, high) = values.split_at_mut(read * stride);
        (&high[..stride], &mut low[write * stride..][..stride])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_free_when_its_last_holder_lets_go() {
        let mut points = Points::new(3, 4);
        points.keep_only(1, 1);
        let first = points.take(2);
        assert_eq!(first, 0);
        points.release(first);
        assert_eq!(points.take(1), 2);
        points.release(first);
        assert_eq!(points.take(1), first);
    }

    #[test]
    fn pairs_are_the_same_in_either_order() {
        let mut points = Points::new(3, 3);
        for (from, into) in [(0, 2), (2, 0)] {
            let (read, write) = points.pair(from, into);
            assert_eq!(read.position.len(), 4);
            write.gradient[0] = into as f64 + 1.0;
        }
        assert_eq!(points.gradient(0)[0], 1.0);
        assert_eq!(points.gradient(1)[0], 0.0);
        assert_eq!(points.gradient(2)[0], 3.0);
    }
}
