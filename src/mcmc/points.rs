//! The memory of a trajectory: phase-space points and momentum sums in two contiguous pools, never reallocated.
//!
//! A point lives as long as a subtree holds it as an end or as its proposal; freed places are reused last in,
//! first out, so that a trajectory over a small model stays in the first-level cache.

use super::vector::{LANES, Lanes, block_count};

/// Index of a point in [`Points`].
pub(super) type PointId = u32;

/// Index of a vector in [`MomentumSums`].
pub(super) type SumId = u32;

/// One block of a momentum and of its velocity M⁻¹p; the U-turn criterion always wants both.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Motion {
    pub momentum: Lanes,
    pub velocity: Lanes,
}

/// A pool of phase-space points.
#[derive(Debug)]
pub(super) struct Points {
    dimension: usize,
    /// Blocks per vector.
    blocks: usize,
    positions: Vec<Lanes>,
    motions: Vec<Motion>,
    gradients: Vec<Lanes>,
    log_density: Vec<f64>,
    energy: Vec<f64>,
    holders: Vec<u32>,
    free: FreeList,
}

/// The vectors of one point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a> {
    pub position: &'a [Lanes],
    pub motion: &'a [Motion],
    pub gradient: &'a [Lanes],
}

/// The vectors of one point, to be written.
#[derive(Debug)]
pub(super) struct PointMut<'a> {
    pub position: &'a mut [Lanes],
    pub motion: &'a mut [Motion],
    pub gradient: &'a mut [Lanes],
}

impl Points {
    pub(super) fn new(dimension: usize, capacity: usize) -> Self {
        let blocks = block_count(dimension);
        Self {
            dimension,
            blocks,
            positions: vec![[0.0; LANES]; capacity * blocks],
            motions: vec![Motion::default(); capacity * blocks],
            gradients: vec![[0.0; LANES]; capacity * blocks],
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
        &row(&self.positions, self.blocks, id).as_flattened()[..self.dimension]
    }

    #[inline]
    pub(super) fn gradient(&self, id: PointId) -> &[f64] {
        &row(&self.gradients, self.blocks, id).as_flattened()[..self.dimension]
    }

    #[inline]
    pub(super) fn motion(&self, id: PointId) -> &[Motion] {
        row(&self.motions, self.blocks, id)
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
    pub(super) fn get_mut(&mut self, id: PointId) -> PointMut<'_> {
        PointMut {
            position: row_mut(&mut self.positions, self.blocks, id),
            motion: row_mut(&mut self.motions, self.blocks, id),
            gradient: row_mut(&mut self.gradients, self.blocks, id),
        }
    }

    /// One point to read and a different one to write.
    #[inline]
    pub(super) fn pair(&mut self, from: PointId, into: PointId) -> (Point<'_>, PointMut<'_>) {
        let (old_position, position) = rows(&mut self.positions, self.blocks, from, into);
        let (old_motion, motion) = rows(&mut self.motions, self.blocks, from, into);
        let (old_gradient, gradient) = rows(&mut self.gradients, self.blocks, from, into);
        let from = Point {
            position: old_position,
            motion: old_motion,
            gradient: old_gradient,
        };
        let into = PointMut {
            position,
            motion,
            gradient,
        };
        (from, into)
    }
}

/// A pool of vectors for ρ, the sum of the momenta of a subtree.
#[derive(Debug)]
pub(super) struct MomentumSums {
    /// Blocks per vector.
    blocks: usize,
    values: Vec<Lanes>,
    free: FreeList,
}

impl MomentumSums {
    pub(super) fn new(dimension: usize, capacity: usize) -> Self {
        let blocks = block_count(dimension);
        Self {
            blocks,
            values: vec![[0.0; LANES]; capacity * blocks],
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
    pub(super) fn get_mut(&mut self, id: SumId) -> &mut [Lanes] {
        row_mut(&mut self.values, self.blocks, id)
    }

    /// One sum to read and a different one to write.
    #[inline]
    pub(super) fn pair(&mut self, from: SumId, into: SumId) -> (&[Lanes], &mut [Lanes]) {
        rows(&mut self.values, self.blocks, from, into)
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

#[inline]
fn row<T>(table: &[T], length: usize, row: u32) -> &[T] {
    &table[row as usize * length..][..length]
}

#[inline]
fn row_mut<T>(table: &mut [T], length: usize, row: u32) -> &mut [T] {
    &mut table[row as usize * length..][..length]
}

/// Two different rows of a table, one shared and one exclusive.
#[inline]
fn rows<T>(table: &mut [T], length: usize, read: u32, write: u32) -> (&[T], &mut [T]) {
    debug_assert_ne!(read, write);
    let (read, write) = (read as usize, write as usize);
    if read < write {
        let (low, high) = table.split_at_mut(write * length);
        (&low[read * length..][..length], &mut high[..length])
    } else {
        let (low, high) = table.split_at_mut(read * length);
        (&high[..length], &mut low[write * length..][..length])
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
            assert_eq!(read.position.len(), 1);
            write.gradient[0][0] = f64::from(into) + 1.0;
        }
        assert_eq!(points.gradient(0)[0], 1.0);
        assert_eq!(points.gradient(1)[0], 0.0);
        assert_eq!(points.gradient(2)[0], 3.0);
    }
}
