//! One transition of the no-U-turn sampler: multinomial, iterative, without allocation.
//!
//! Hoffman and Gelman (2014) with the changes of Betancourt (2017), appendix A, in the form that Stan runs: the trajectory
//! doubles in a random direction of time until it turns, diverges or is as deep as allowed; inside a new subtree a
//! point is chosen in proportion to exp(−H), between the old tree and the new one with a bias to the new.
//!
//! Where Stan recurses, a stack of pending left subtrees is kept here: leaf n completes as many subtrees as n ends in
//! binary ones. `tests/recursive.rs` holds the recursion; both consume the same random numbers and agree to the bit.
//! Deviations from Stan: the gradient at the accepted point is kept for the next transition (Stan evaluates it again),
//! directions come from one random bit, and a log density of +∞ counts as divergent.

use std::hint::select_unpredictable;

use super::density::{Cause, DensityError, LogDensity};
use super::exponential::exp;
use super::integrator::leapfrog;
use super::metric::Metric;
use super::points::{MomentumSums, PointId, Points, SumId};
use super::random::Randomness;
use super::turning::{Seam, points_persist, subtrees_persist};
use super::vector::{Lanes, block_count};

/// The state of a chain and the memory in which its trajectories grow.
#[derive(Debug)]
pub(super) struct Trajectory {
    points: Points,
    sums: MomentumSums,
    /// Completed left subtrees that wait for their right sibling, by depth.
    pending: Vec<Subtree>,
    /// Scratch for a fresh momentum.
    normals: Vec<Lanes>,
    /// The chain's state.
    current: PointId,
    limits: Limits,
}

/// What ends a trajectory besides a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The number of doublings.
    pub depth: usize,
    /// H − H₀ beyond which a point diverged.
    pub energy_error: f64,
}

/// What one transition did; the state it arrived at is the trajectory's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Transition {
    /// Mean of min(1, exp(H₀ − H)) over all new points, those of discarded subtrees included.
    pub accept_stat: f64,
    /// Number of completed doublings.
    pub tree_depth: usize,
    /// Number of leapfrog steps, equally of gradients.
    pub leapfrog_steps: usize,
    /// Whether a step's energy error was beyond the limit.
    pub divergent: bool,
    /// The Hamiltonian of the accepted point.
    pub energy: f64,
}

/// The sum of a single point: none but its own momentum.
const OWN_MOMENTUM: SumId = SumId::MAX;

/// A weight exp(origin − H) above e to this moves the origin; sums of 2²⁰ such weights cannot overflow.
const LARGEST_POWER: f64 = 300.0;

/// A trajectory of 2^k points in the order of integration.
#[derive(Debug, Clone, Copy)]
struct Subtree {
    begin: PointId,
    end: PointId,
    /// The point chosen so far.
    proposal: PointId,
    /// Sum of the momenta, or [`OWN_MOMENTUM`].
    sum: SumId,
    /// Σ exp(origin − H), see [`Weighing`].
    weight: f64,
}

impl Subtree {
    #[inline]
    fn single(point: PointId, weight: f64) -> Self {
        Self {
            begin: point,
            end: point,
            proposal: point,
            sum: OWN_MOMENTUM,
            weight,
        }
    }

    /// The same trajectory seen against the order of integration, if so wished.
    #[inline]
    fn reversed_if(self, reverse: bool) -> Self {
        Self {
            begin: select_unpredictable(reverse, self.end, self.begin),
            end: select_unpredictable(reverse, self.begin, self.end),
            ..self
        }
    }
}

/// How the growth of a new subtree ended; one that failed is discarded whole.
enum Growth {
    Complete(Subtree),
    Turned,
    Diverged,
}

/// The energies that points are weighed against, and statistics over all leaves of a transition.
///
/// Weights are relative to `origin`, which is H₀ unless the trajectory falls so far below it that they would overflow
/// (a chain far out in the tail); where Stan takes logarithms at every leaf, here the origin moves. Weights that
/// underflow are of points that would be accepted with probability e^−700.
struct Weighing {
    initial_energy: f64,
    origin: f64,
    leaves: usize,
    /// Σ min(1, exp(H₀ − H)).
    acceptance: f64,
}

/// What stays the same for all steps of one doubling.
struct Flow<'a> {
    metric: &'a Metric,
    /// Signed.
    step_size: f64,
    depth: usize,
}

impl Trajectory {
    pub(super) fn new(dimension: usize, limits: Limits) -> Self {
        // Each level of pending subtrees, the one in growth and the whole tree hold three points and one sum at most;
        // one point more is the state before the transition.
        let trees = limits.depth + 2;
        Self {
            points: Points::new(dimension, 3 * trees + 1),
            sums: MomentumSums::new(dimension, trees + 1),
            pending: vec![Subtree::single(0, 0.0); trees],
            normals: vec![Lanes::default(); block_count(dimension)],
            current: 0,
            limits,
        }
    }

    pub(super) fn position(&self) -> &[f64] {
        self.points.position(self.current)
    }

    pub(super) fn gradient(&self) -> &[f64] {
        self.points.gradient(self.current)
    }

    pub(super) fn log_density(&self) -> f64 {
        self.points.log_density(self.current)
    }

    /// Moves the chain to a position; returns the log density there, which the caller has to find finite.
    pub(super) fn set_position<D: LogDensity>(
        &mut self,
        density: &mut D,
        position: &[f64],
    ) -> Result<f64, DensityError> {
        let dimension = self.points.dimension();
        let point = self.points.get_mut(self.current);
        point.position.as_flattened_mut()[..dimension].copy_from_slice(position);
        let gradient = &mut point.gradient.as_flattened_mut()[..dimension];
        let log_density = density.log_density_gradient(position, gradient)?;
        self.points.set_log_density(self.current, log_density);
        Ok(log_density)
    }

    /// H₀ − H after one step from the current state with a fresh momentum; the state stays.
    pub(super) fn try_step<D: LogDensity, R: Randomness>(
        &mut self,
        density: &mut D,
        metric: &Metric,
        step_size: f64,
        random: &mut R,
    ) -> Result<f64, Cause> {
        self.points.keep_only(self.current, 1);
        let initial_energy = self.sample_momentum(metric, random);
        let trial = self.points.take(1);
        let energy = leapfrog(
            density,
            metric,
            step_size,
            &mut self.points,
            self.current,
            trial,
        )?;
        Ok(initial_energy - energy)
    }

    /// Moves the chain by one transition. After a fatal error of the density the state is what it was.
    pub(super) fn transition<D: LogDensity, R: Randomness>(
        &mut self,
        density: &mut D,
        metric: &Metric,
        step_size: f64,
        random: &mut R,
    ) -> Result<Transition, Cause> {
        // Held as begin, end and proposal of the first tree, and as the state to return to after a fatal error.
        self.points.keep_only(self.current, 4);
        self.sums.release_all();
        let initial_energy = self.sample_momentum(metric, random);
        let mut weighing = Weighing {
            initial_energy,
            origin: initial_energy,
            leaves: 0,
            acceptance: 0.0,
        };
        // In the order of time.
        let mut tree = Subtree::single(self.current, 1.0);
        let mut depth = 0;
        let mut divergent = false;

        while depth < self.limits.depth {
            let forward = random.forward();
            let grown = tree.reversed_if(!forward);
            let flow = Flow {
                metric,
                step_size: select_unpredictable(forward, step_size, -step_size),
                depth,
            };
            let origin = weighing.origin;
            let subtree = match self.grow(density, &flow, grown.end, random, &mut weighing)? {
                Growth::Complete(subtree) => subtree,
                Growth::Turned => break,
                Growth::Diverged => {
                    divergent = true;
                    break;
                }
            };
            depth += 1;
            let grown = Subtree {
                weight: weighing.moved(grown.weight, origin),
                ..grown
            };
            let take_new = random.accept(subtree.weight / grown.weight);
            let (merged, persists) = self.merge(grown, subtree, take_new);
            tree = merged.reversed_if(!forward);
            if !persists {
                break;
            }
        }

        self.current = tree.proposal;
        Ok(Transition {
            accept_stat: weighing.acceptance / weighing.leaves as f64,
            tree_depth: depth,
            leapfrog_steps: weighing.leaves,
            divergent,
            energy: self.points.energy(self.current),
        })
    }

    /// Draws the current state's momentum; returns its energy.
    fn sample_momentum<R: Randomness>(&mut self, metric: &Metric, random: &mut R) -> f64 {
        let dimension = self.points.dimension();
        let motion = self.points.get_mut(self.current).motion;
        let twice_kinetic = metric.sample_momentum(dimension, random, &mut self.normals, motion);
        let energy = 0.5 * twice_kinetic - self.log_density();
        self.points.set_energy(self.current, energy);
        energy
    }

    /// Integrates 2^depth steps on from a point and merges them into one subtree.
    fn grow<D: LogDensity, R: Randomness>(
        &mut self,
        density: &mut D,
        flow: &Flow<'_>,
        mut from: PointId,
        random: &mut R,
        weighing: &mut Weighing,
    ) -> Result<Growth, Cause> {
        let mut leaf: usize = 0;
        loop {
            // Held as begin, end and proposal of the new leaf.
            let point = self.points.take(3);
            let (metric, step_size) = (flow.metric, flow.step_size);
            let energy = leapfrog(density, metric, step_size, &mut self.points, from, point)?;
            if weighing.overflows(energy) {
                self.move_origin(weighing, energy);
            }
            let mut subtree = Subtree::single(point, weighing.weigh(energy));
            // An infinite energy is beyond every limit, even an infinite one.
            if energy - weighing.initial_energy > self.limits.energy_error || energy.is_infinite() {
                return Ok(Growth::Diverged);
            }
            let completed = leaf.trailing_ones() as usize;
            for level in 0..completed {
                let left = self.pending[level];
                let share = subtree.weight / (left.weight + subtree.weight);
                let take_right = random.accept(share);
                let (merged, persists) = self.merge(left, subtree, take_right);
                if !persists {
                    return Ok(Growth::Turned);
                }
                subtree = merged;
            }
            leaf += 1;
            if leaf >> flow.depth == 1 {
                return Ok(Growth::Complete(subtree));
            }
            self.pending[completed] = subtree;
            from = point;
        }
    }

    /// Takes a lower energy as the origin of all weights.
    #[cold]
    fn move_origin(&mut self, weighing: &mut Weighing, energy: f64) {
        let old = weighing.origin;
        weighing.origin = energy;
        for subtree in &mut self.pending {
            subtree.weight = weighing.moved(subtree.weight, old);
        }
    }

    /// Joins two adjacent subtrees of equal size, and says whether the whole may go on.
    #[inline]
    fn merge(&mut self, left: Subtree, right: Subtree, take_right: bool) -> (Subtree, bool) {
        let left_end = self.points.motion(left.end);
        let right_begin = self.points.motion(right.begin);
        let (sum, persists) = if left.sum == OWN_MOMENTUM {
            let sum = self.sums.take();
            let persists = points_persist(left_end, right_begin, self.sums.get_mut(sum));
            (sum, persists)
        } else {
            let seam = Seam {
                begin: self.points.motion(left.begin),
                left_end,
                right_begin,
                end: self.points.motion(right.end),
            };
            let (added, into) = self.sums.pair(right.sum, left.sum);
            let persists = subtrees_persist(&seam, into, added);
            self.sums.release(right.sum);
            (left.sum, persists)
        };
        let passed_over = select_unpredictable(take_right, left.proposal, right.proposal);
        for released in [left.end, right.begin, passed_over] {
            self.points.release(released);
        }
        let merged = Subtree {
            begin: left.begin,
            end: right.end,
            proposal: select_unpredictable(take_right, right.proposal, left.proposal),
            sum,
            weight: left.weight + right.weight,
        };
        (merged, persists)
    }
}

impl Weighing {
    #[inline]
    fn overflows(&self, energy: f64) -> bool {
        self.origin - energy > LARGEST_POWER
    }

    /// The weight of a new leaf, which is also counted.
    #[inline]
    fn weigh(&mut self, energy: f64) -> f64 {
        let weight = exp(self.origin - energy);
        let acceptance = if self.origin == self.initial_energy {
            weight
        } else {
            exp((self.initial_energy - energy).min(0.0))
        };
        self.leaves += 1;
        self.acceptance += acceptance.min(1.0);
        weight
    }

    /// A weight relative to an earlier origin, relative to the present one.
    #[inline]
    fn moved(&self, weight: f64, earlier: f64) -> f64 {
        if earlier == self.origin {
            weight
        } else {
            weight * exp(self.origin - earlier)
        }
    }
}
