//! The no-U-turn sampler as a literal recursion, slow and plain: the twin of `trajectory.rs`.
//!
//! Written after Betancourt (2017), appendix A, and Stan's `build_tree`. It consumes the same random numbers as the
//! iterative form, and every transition must agree to the bit. It also knows how to be wrong, see [`Mutation`].

use crate::mcmc::exponential::exp;
use crate::mcmc::integrator::leapfrog;
use crate::mcmc::metric::{InverseMetric, Metric};
use crate::mcmc::points::{Motion, Points};
use crate::mcmc::random::{Random, Randomness, chain_generator};
use crate::mcmc::trajectory::{Limits, Trajectory, Transition};
use crate::mcmc::vector::{Block, Lanes, block_count, dot, in_blocks};
use crate::mcmc::{DensityError, LogDensity};

use super::targets::{Correlated, Exact, Funnel, HalfPlane, Normals, StudentThree};
use super::weight::Weight;

/// A deliberate mistake, to see whether a test of correctness notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutation {
    None,
    /// A turn is looked for at the far end only.
    OneEnd,
    /// A subtree that turned is kept.
    KeepTurned,
    /// Inside subtrees the right half is preferred as at the top.
    BiasInside,
    /// The weights lack the kinetic energy.
    PotentialOnly,
}

/// A phase-space point with its own memory.
#[derive(Debug, Clone)]
pub(super) struct State {
    position: Vec<Lanes>,
    motion: Vec<Motion>,
    gradient: Vec<Lanes>,
    pub log_density: f64,
    pub energy: f64,
}

pub(super) struct Recursive<'a, D> {
    pub density: D,
    pub metric: &'a Metric,
    pub limits: Limits,
    pub mutation: Mutation,
    pub step_size: f64,
}

/// A subtree in the order of integration.
#[derive(Clone)]
struct Tree {
    begin: State,
    end: State,
    proposal: State,
    weight: Weight,
    momentum_sum: Vec<Lanes>,
    valid: bool,
    divergent: bool,
}

#[derive(Default)]
struct Leaves {
    count: usize,
    acceptance: f64,
}

fn add(left: &[Lanes], right: &[Lanes]) -> Vec<Lanes> {
    let sum = |(left, right): (&Lanes, &Lanes)| (Block(*left) + Block(*right)).0;
    left.iter().zip(right).map(sum).collect()
}

impl State {
    pub(super) fn position(&self) -> &[f64] {
        self.position.as_flattened()
    }

    pub(super) fn momentum(&self) -> Vec<Lanes> {
        self.motion.iter().map(|motion| motion.momentum).collect()
    }

    /// Whether the velocity points along a sum of momenta.
    fn follows(&self, sum: &[Lanes]) -> bool {
        dot(self.motion.iter().map(|motion| &motion.velocity), sum) > 0.0
    }
}

impl<D: LogDensity> Recursive<'_, D> {
    pub(super) fn state(&mut self, position: &[f64]) -> State {
        let mut gradient = vec![0.0; position.len()];
        let log_density = self
            .density
            .log_density_gradient(position, &mut gradient)
            .unwrap();
        State {
            position: in_blocks(position, 0.0),
            motion: vec![Motion::default(); block_count(position.len())],
            gradient: in_blocks(&gradient, 0.0),
            log_density,
            energy: f64::NAN,
        }
    }

    /// Loads states into the pool that the shared leapfrog works on, and back.
    pub(super) fn step(&mut self, from: &State, step_size: f64) -> State {
        let mut points = Points::new(self.density.dimension(), 2);
        let start = points.get_mut(0);
        start.position.copy_from_slice(&from.position);
        start.motion.copy_from_slice(&from.motion);
        start.gradient.copy_from_slice(&from.gradient);
        leapfrog(&mut self.density, self.metric, step_size, &mut points, 0, 1).unwrap();
        let (log_density, energy) = (points.log_density(1), points.energy(1));
        let end = points.get_mut(1);
        State {
            position: end.position.to_vec(),
            motion: end.motion.to_vec(),
            gradient: end.gradient.to_vec(),
            log_density,
            energy,
        }
    }

    pub(super) fn kick_off<R: Randomness>(&mut self, state: &mut State, random: &mut R) {
        let dimension = self.density.dimension();
        let mut normals = state.position.clone();
        normals.fill(Lanes::default());
        let motion = &mut state.motion;
        let twice_kinetic = self
            .metric
            .sample_momentum(dimension, random, &mut normals, motion);
        state.energy = 0.5 * twice_kinetic - state.log_density;
    }

    pub(super) fn transition<R: Randomness>(
        &mut self,
        state: &mut State,
        random: &mut R,
    ) -> Transition {
        self.kick_off(state, random);
        let origin = state.clone();
        let mut forward_end = state.clone();
        let mut backward_end = state.clone();
        let mut momentum_sum = state.momentum();
        let mut weight = Weight::ONE;
        let mut leaves = Leaves::default();
        let mut depth = 0;
        let mut divergent = false;

        while depth < self.limits.depth {
            let forward = random.forward();
            let (near, far) = if forward {
                (&forward_end, &backward_end)
            } else {
                (&backward_end, &forward_end)
            };
            let step_size = if forward {
                self.step_size
            } else {
                -self.step_size
            };
            let tree = self.build(near, depth, step_size, &origin, random, &mut leaves);
            divergent |= tree.divergent;
            let kept = self.mutation == Mutation::KeepTurned && !tree.divergent;
            if !tree.valid && !kept {
                break;
            }
            depth += 1;
            if random.accept(tree.weight.over(weight)) {
                *state = tree.proposal.clone();
            }
            if !tree.valid {
                break;
            }
            let persists = self.persists(
                (far, near, &momentum_sum),
                (&tree.begin, &tree.end, &tree.momentum_sum),
            );
            weight = weight + tree.weight;
            momentum_sum = add(&momentum_sum, &tree.momentum_sum);
            if forward {
                forward_end = tree.end;
            } else {
                backward_end = tree.end;
            }
            if !persists {
                break;
            }
        }
        Transition {
            accept_stat: leaves.acceptance / leaves.count as f64,
            tree_depth: depth,
            leapfrog_steps: leaves.count,
            divergent,
            energy: state.energy,
        }
    }

    fn build<R: Randomness>(
        &mut self,
        from: &State,
        depth: usize,
        step_size: f64,
        origin: &State,
        random: &mut R,
        leaves: &mut Leaves,
    ) -> Tree {
        if depth == 0 {
            return self.leaf(from, step_size, origin, leaves);
        }
        let left = self.build(from, depth - 1, step_size, origin, random, leaves);
        if !left.valid {
            return left;
        }
        let right = self.build(&left.end, depth - 1, step_size, origin, random, leaves);
        if !right.valid {
            return right;
        }
        let weight = left.weight + right.weight;
        let against = match self.mutation {
            Mutation::BiasInside => left.weight,
            _ => weight,
        };
        let proposal = if random.accept(right.weight.over(against)) {
            right.proposal
        } else {
            left.proposal
        };
        let valid = self.persists(
            (&left.begin, &left.end, &left.momentum_sum),
            (&right.begin, &right.end, &right.momentum_sum),
        );
        Tree {
            begin: left.begin,
            end: right.end,
            proposal,
            weight,
            momentum_sum: add(&left.momentum_sum, &right.momentum_sum),
            valid,
            divergent: false,
        }
    }

    fn leaf(&mut self, from: &State, step_size: f64, origin: &State, leaves: &mut Leaves) -> Tree {
        let state = self.step(from, step_size);
        let error = state.energy - origin.energy;
        leaves.count += 1;
        let divergent = error > self.limits.energy_error;
        let weight = if error == f64::INFINITY {
            Weight::of_power(-1e4)
        } else if self.mutation == Mutation::PotentialOnly {
            Weight::of_power(state.log_density - origin.log_density)
        } else {
            Weight::of_power(-error)
        };
        leaves.acceptance += exp((-error).min(0.0));
        Tree {
            begin: state.clone(),
            end: state.clone(),
            momentum_sum: state.momentum(),
            proposal: state,
            weight,
            valid: !divergent,
            divergent,
        }
    }

    /// The criterion over the whole and across the seam; arguments are (begin, end, sum of momenta).
    fn persists(
        &self,
        left: (&State, &State, &[Lanes]),
        right: (&State, &State, &[Lanes]),
    ) -> bool {
        let one_end = self.mutation == Mutation::OneEnd;
        let goes_on = |begin: &State, end: &State, sum: Vec<Lanes>| {
            (one_end || begin.follows(&sum)) && end.follows(&sum)
        };
        goes_on(left.0, right.1, add(left.2, right.2))
            && goes_on(left.0, right.0, add(left.2, &right.0.momentum()))
            && goes_on(left.1, right.1, add(right.2, &left.1.momentum()))
    }
}

/// Runs both forms side by side from the same start with the same generator; returns what happened on the way.
fn compare<D: LogDensity + Clone>(
    density: D,
    inverse_metric: &InverseMetric,
    step_size: f64,
    start: &[f64],
    transitions: usize,
) -> (Vec<usize>, usize) {
    let metric = Metric::new(inverse_metric, density.dimension()).unwrap();
    let limits = Limits {
        depth: 6,
        energy_error: 1000.0,
    };
    let mut fast = Trajectory::new(density.dimension(), limits);
    let mut fast_density = density.clone();
    fast.set_position(&mut fast_density, start).unwrap();
    let mut slow = Recursive {
        density,
        metric: &metric,
        limits,
        mutation: Mutation::None,
        step_size,
    };
    let mut state = slow.state(start);
    let [mut fast_random, mut slow_random] = [(); 2].map(|()| Random::new(chain_generator(9, 0)));

    let (mut depths, mut divergences) = (vec![0; limits.depth + 1], 0);
    for _ in 0..transitions {
        let quick = fast
            .transition(&mut fast_density, &metric, step_size, &mut fast_random)
            .unwrap();
        let literal = slow.transition(&mut state, &mut slow_random);
        assert_eq!(quick, literal);
        assert_eq!(fast.position(), &state.position()[..start.len()]);
        assert_eq!(
            fast.gradient(),
            &state.gradient.as_flattened()[..start.len()]
        );
        assert_eq!(fast.log_density(), state.log_density);
        depths[quick.tree_depth] += 1;
        divergences += usize::from(quick.divergent);
    }
    (depths, divergences)
}

#[test]
fn iteration_and_recursion_agree_to_the_bit() {
    let unit = InverseMetric::unit;
    let (depths, _) = compare(Normals(vec![1.0; 7]), &unit(7), 0.2, &[0.5; 7], 300);
    assert!(depths[3] > 0 && depths[4] > 0, "{depths:?}");

    let deviations = vec![0.01, 0.1, 1.0, 10.0];
    let variances = InverseMetric::Diagonal(vec![1e-4, 1e-2, 1.0, 1.0]);
    let (depths, _) = compare(
        Normals(deviations.clone()),
        &variances,
        0.4,
        &deviations,
        300,
    );
    assert!(depths.iter().skip(3).all(|count| *count > 0), "{depths:?}");

    let (_, divergences) = compare(Funnel { dimension: 5 }, &unit(5), 0.5, &[0.1; 5], 500);
    assert!(divergences > 0);

    let (_, divergences) = compare(HalfPlane, &unit(2), 0.3, &[1.0, 0.0], 300);
    assert!(divergences > 0);

    let heavy = StudentThree { dimension: 3 };
    let start = heavy.sample(&mut Random::new(chain_generator(3, 0)));
    compare(heavy, &unit(3), 0.8, &start, 300);

    let correlated = Correlated {
        precision: vec![2.0, -0.9, 0.3, -0.9, 1.0, 0.1, 0.3, 0.1, 0.7],
        mean: vec![1.0, -2.0, 0.0],
    };
    let dense = InverseMetric::Dense(vec![1.0, 0.4, 0.0, 0.4, 1.5, -0.2, 0.0, -0.2, 1.2]);
    compare(correlated, &dense, 0.3, &[0.0; 3], 300);

    // Far in the tail: weights beyond the range of a double.
    compare(Normals(vec![1.0; 2]), &unit(2), 0.5, &[3000.0, -2000.0], 50);
}

#[test]
fn a_fatal_error_leaves_the_state() {
    #[derive(Clone)]
    struct Fragile(usize);
    impl LogDensity for Fragile {
        fn dimension(&self) -> usize {
            2
        }
        fn log_density_gradient(
            &mut self,
            position: &[f64],
            gradient: &mut [f64],
        ) -> Result<f64, DensityError> {
            self.0 += 1;
            if self.0 > 5 {
                return Err(DensityError::fatal("out of order"));
            }
            Normals(vec![1.0; 2]).log_density_gradient(position, gradient)
        }
    }
    let metric = Metric::unit(2);
    let limits = Limits {
        depth: 5,
        energy_error: 1000.0,
    };
    let mut trajectory = Trajectory::new(2, limits);
    let mut density = Fragile(0);
    trajectory.set_position(&mut density, &[0.3, 0.4]).unwrap();
    let mut random = Random::new(chain_generator(0, 0));
    let error = trajectory
        .transition(&mut density, &metric, 0.05, &mut random)
        .unwrap_err();
    assert_eq!(error.to_string(), "out of order");
    assert_eq!(trajectory.position(), [0.3, 0.4]);
    assert_eq!(trajectory.gradient(), [-0.3, -0.4]);
}
