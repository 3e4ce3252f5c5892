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

use super::density::{Cause, DensityError, LogDensity};
use super::integrator::leapfrog;
use super::metric::Metric;
use super::points::{MomentumSums, PointId, Points, SumId};
use super::random::Randomness;
use super::turning::{Seam, points_persist, subtrees_persist};
use super::weight::Weight;

/// The state of a chain and the memory in which its trajectories grow.
#[derive(Debug)]
pub(super) struct Trajectory {
    points: Points,
    sums: MomentumSums,
    /// Completed left subtrees that wait for their right sibling, deepest first.
    pending: Vec<Subtree>,
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

/// A trajectory of 2^k points in the order of integration.
#[derive(Debug, Clone, Copy)]
struct Subtree {
    begin: PointId,
    end: PointId,
    /// The point chosen so far.
    proposal: PointId,
    /// Σ exp(H₀ − H).
    weight: Weight,
    /// Sum of the momenta; a single point has none but its own.
    sum: Option<SumId>,
}

impl Subtree {
    fn single(point: PointId, weight: Weight) -> Self {
        Self {
            begin: point,
            end: point,
            proposal: point,
            weight,
            sum: None,
        }
    }

    /// The same trajectory seen against the order of integration.
    fn reversed(self) -> Self {
        Self {
            begin: self.end,
            end: self.begin,
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

/// Statistics over all leaves of a transition.
#[derive(Default)]
struct Leaves {
    count: usize,
    acceptance: f64,
}

/// What stays the same for all steps of one doubling.
struct Flow<'a> {
    metric: &'a Metric,
    /// Signed.
    step_size: f64,
    initial_energy: f64,
}

impl Trajectory {
    pub(super) fn new(dimension: usize, limits: Limits) -> Self {
        // Each level of pending subtrees, the one in growth and the whole tree hold three points and one sum at most;
        // one point more is the state before the transition.
        let trees = limits.depth + 2;
        Self {
            points: Points::new(dimension, 3 * trees + 1),
            sums: MomentumSums::new(dimension, trees + 1),
            pending: Vec::with_capacity(trees),
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
        point.position[..dimension].copy_from_slice(position);
        let log_density =
            density.log_density_gradient(position, &mut point.gradient[..dimension])?;
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
        // In the order of time.
        let mut tree = Subtree::single(self.current, Weight::ONE);
        let mut leaves = Leaves::default();
        let mut depth = 0;
        let mut divergent = false;

        while depth < self.limits.depth {
            let forward = random.forward();
            let grown = if forward { tree } else { tree.reversed() };
            let flow = Flow {
                metric,
                step_size: if forward { step_size } else { -step_size },
                initial_energy,
            };
            let subtree = match self.grow(density, &flow, grown.end, depth, random, &mut leaves)? {
                Growth::Complete(subtree) => subtree,
                Growth::Turned => break,
                Growth::Diverged => {
                    divergent = true;
                    break;
                }
            };
            depth += 1;
            let take_new = random.accept(subtree.weight.over(grown.weight));
            let (merged, persists) = self.merge(grown, subtree, take_new);
            tree = if forward { merged } else { merged.reversed() };
            if !persists {
                break;
            }
        }

        self.current = tree.proposal;
        Ok(Transition {
            accept_stat: leaves.acceptance / leaves.count as f64,
            tree_depth: depth,
            leapfrog_steps: leaves.count,
            divergent,
            energy: self.points.energy(self.current),
        })
    }

    /// Draws the current state's momentum; returns its energy.
    fn sample_momentum<R: Randomness>(&mut self, metric: &Metric, random: &mut R) -> f64 {
        let dimension = self.points.dimension();
        let twice_kinetic =
            metric.sample_momentum(dimension, random, &mut self.points.get_mut(self.current));
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
        depth: usize,
        random: &mut R,
        leaves: &mut Leaves,
    ) -> Result<Growth, Cause> {
        self.pending.clear();
        let mut leaf: usize = 0;
        loop {
            // Held as begin, end and proposal of the new leaf.
            let point = self.points.take(3);
            let energy = leapfrog(
                density,
                flow.metric,
                flow.step_size,
                &mut self.points,
                from,
                point,
            )?;
            leaves.count += 1;
            let error = energy - flow.initial_energy;
            if error == f64::INFINITY {
                return Ok(Growth::Diverged);
            }
            let weight = Weight::exp(-error);
            leaves.acceptance += weight.acceptance();
            if error > self.limits.energy_error {
                return Ok(Growth::Diverged);
            }

            let mut subtree = Subtree::single(point, weight);
            for _ in 0..leaf.trailing_ones() {
                let Some(left) = self.pending.pop() else {
                    break;
                };
                let share = subtree.weight.over(left.weight + subtree.weight);
                let take_right = random.accept(share);
                let (merged, persists) = self.merge(left, subtree, take_right);
                if !persists {
                    return Ok(Growth::Turned);
                }
                subtree = merged;
            }
            leaf += 1;
            if leaf == 1 << depth {
                return Ok(Growth::Complete(subtree));
            }
            self.pending.push(subtree);
            from = point;
        }
    }

    /// Joins two adjacent subtrees of equal size, and says whether the whole may go on.
    fn merge(&mut self, left: Subtree, right: Subtree, take_right: bool) -> (Subtree, bool) {
        let (sum, persists) = match (left.sum, right.sum) {
            (Some(sum), Some(right_sum)) => {
                let seam = Seam {
                    begin: self.points.get(left.begin),
                    left_end: self.points.get(left.end),
                    right_begin: self.points.get(right.begin),
                    end: self.points.get(right.end),
                };
                let (added, into) = self.sums.pair(right_sum, sum);
                let persists = subtrees_persist(&seam, into, added);
                self.sums.release(right_sum);
                (sum, persists)
            }
            _ => {
                let sum = self.sums.take();
                let (left, right) = (self.points.get(left.end), self.points.get(right.begin));
                (sum, points_persist(left, right, self.sums.get_mut(sum)))
            }
        };
        let (proposal, passed_over) = if take_right {
            (right.proposal, left.proposal)
        } else {
            (left.proposal, right.proposal)
        };
        for released in [left.end, right.begin, passed_over] {
            self.points.release(released);
        }
        let merged = Subtree {
            begin: left.begin,
            end: right.end,
            proposal,
            weight: left.weight + right.weight,
            sum: Some(sum),
        };
        (merged, persists)
    }
}
