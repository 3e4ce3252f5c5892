//! The memory of a trajectory: phase-space points and momentum sums in two contiguous pools, never reallocated.
//!
//! A point lives as long as a subtree holds it as an end or as its proposal; freed places are reused last in,
//! first out, so that a trajectory over a small model stays in the first-level cache.

use super::vector::padded;

/// Index of a point in [`Points`].
pub(super) type PointId = u32;

/// Index of a vector in [`MomentumSums`].
pub(super) type SumId = u32;

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
    free: FreeList,
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
            free: FreeList::new(capacity),
        }
    }

    #[inline]
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Frees every point but one, which gets that many holders.
    pub(super) fn keep_only(&mut self, kept: PointId, holders: u32) {
        self.free.reset_below(kept);
        self.holders[kept as usize] = holders;
    }

    /// Takes a free point for that many holders.
    #[inline]
    pub(super) fn take(&mut self, holders: u32) -> PointId {
        let id = self.free.take();
        self.holders[id as usize] = holders;
        id
    }

    /// Drops one holder.
    #[inline]
    pub(super) fn release(&mut self, id: PointId) {
        let holders = &mut self.holders[id as usize];
        *holders -= 1;
        self.free.put_if(*holders == 0, id);
    }

    #[inline]
    pub(super) fn position(&self, id: PointId) -> &[f64] {
        &self.get(id).position[..self.dimension]
    }

    #[inline]
    pub(super) fn gradient(&self, id: PointId) -> &[f64] {
        &self.get(id).gradient[..self.dimension]
    }

    #[inline]
    pub(super) fn log_density(&self, id: PointId) -> f64 {
        self.log_density[id as usize]
    }

    /// The Hamiltonian: potential plus kinetic energy.
    #[inline]
    pub(super) fn energy(&self, id: PointId) -> f64 {
        self.energy[id as usize]
    }

    #[inline]
    pub(super) fn set_log_density(&mut self, id: PointId, log_density: f64) {
        self.log_density[id as usize] = log_density;
    }

    #[inline]
    pub(super) fn set_energy(&mut self, id: PointId, energy: f64) {
        self.energy[id as usize] = energy;
    }

    #[inline]
    pub(super) fn get(&self, id: PointId) -> Point<'_> {
        let stride = FIELDS * self.padded;
        Point::new(&self.values[id as usize * stride..][..stride], self.padded)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: PointId) -> PointMut<'_> {
        let stride = FIELDS * self.padded;
        PointMut::new(
            &mut self.values[id as usize * stride..][..stride],
            self.padded,
        )
    }

    /// One point to read and a different one to write.
    #[inline]
    pub(super) fn pair(&mut self, from: PointId, into: PointId) -> (Point<'_>, PointMut<'_>) {
        let (from, into) = read_and_write(&mut self.values, FIELDS * self.padded, from, into);
        (
            Point::new(from, self.padded),
            PointMut::new(into, self.padded),
        )
    }
}

impl<'a> Point<'a> {
    #[inline]
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
    #[inline]
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
    free: FreeList,
}

impl MomentumSums {
    pub(super) fn new(dimension: usize, capacity: usize) -> Self {
        let padded = padded(dimension);
        Self {
            padded,
            values: vec![0.0; capacity * padded],
            free: FreeList::new(capacity),
        }
    }

    pub(super) fn release_all(&mut self) {
        self.free.reset();
    }

    #[inline]
    pub(super) fn take(&mut self) -> SumId {
        self.free.take()
    }

    #[inline]
    pub(super) fn release(&mut self, id: SumId) {
        self.free.put_if(true, id);
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: SumId) -> &mut [f64] {
        &mut self.values[id as usize * self.padded..][..self.padded]
    }

    /// One sum to read and a different one to write.
    #[inline]
    pub(super) fn pair(&mut self, from: SumId, into: SumId) -> (&[f64], &mut [f64]) {
        read_and_write(&mut self.values, self.padded, from, into)
    }
}

/// The free places of a pool: those given back, last first, then those never used.
#[derive(Debug)]
struct FreeList {
    /// One longer than the pool, so that a place can be written before it is known whether it counts.
    returned: Vec<u32>,
    length: usize,
    untouched: u32,
}

impl FreeList {
    fn new(capacity: usize) -> Self {
        Self {
            returned: vec![0; capacity + 1],
            length: 0,
            untouched: 0,
        }
    }

    /// All places are free.
    fn reset(&mut self) {
        self.length = 0;
        self.untouched = 0;
    }

    /// All places but one are free, lower ones to be used first.
    fn reset_below(&mut self, kept: u32) {
        self.length = kept as usize;
        self.untouched = kept + 1;
        for (place, below) in self.returned.iter_mut().zip((0..kept).rev()) {
            *place = below;
        }
    }

    #[inline]
    fn take(&mut self) -> u32 {
        if self.length == 0 {
            self.untouched += 1;
            return self.untouched - 1;
        }
        self.length -= 1;
        self.returned[self.length]
    }

    /// Gives a place back, or not, without a branch: which it is cannot be predicted.
    #[inline]
    fn put_if(&mut self, free: bool, place: u32) {
        self.returned[self.length] = place;
        self.length += usize::from(free);
    }
}

/// Two different rows of a table, one shared and one exclusive.
#[inline]
fn read_and_write(
    values: &mut [f64],
    stride: usize,
    read: u32,
    write: u32,
) -> (&[f64], &mut [f64]) {
    debug_assert_ne!(read, write);
    let (read, write) = (read as usize, write as usize);
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
            write.gradient[0] = f64::from(into) + 1.0;
        }
        assert_eq!(points.gradient(0)[0], 1.0);
        assert_eq!(points.gradient(1)[0], 0.0);
        assert_eq!(points.gradient(2)[0], 3.0);
    }
}
