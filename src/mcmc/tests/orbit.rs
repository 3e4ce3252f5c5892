//! Exact invariance: on one orbit of the leapfrog, all random decisions of a transition are enumerated.
//!
//! With π(i) ∝ exp(−Hᵢ) on the points i of the orbit and P(i→j) the probability that a transition that begins at
//! i chooses j, Σᵢ π(i) P(i→j) = π(j) has to hold for every j, to rounding. Deliberate mistakes have to break it.

use crate::mcmc::LogDensity;
use crate::mcmc::metric::{InverseMetric, Metric};
use crate::mcmc::random::{Random, Randomness, chain_generator};
use crate::mcmc::trajectory::{Limits, Trajectory};

use super::recursive::{Mutation, Recursive, State};
use super::targets::{Exact, Funnel, HalfPlane, Normals};

const DEPTH: usize = 3;
const REACH: usize = (1 << DEPTH) - 1;

/// Decisions as scripted, then "no" to all others; remembers the probability of what it did.
struct Script {
    momentum: Vec<f64>,
    decisions: Vec<bool>,
    made: usize,
    probability: f64,
}

impl Script {
    fn decide(&mut self, probability: f64) -> bool {
        // Not a number is the choice inside a subtree whose weight underflowed, which is never accepted whole.
        if probability >= 1.0 || probability <= 0.0 || probability.is_nan() {
            return probability >= 1.0;
        }
        if self.made == self.decisions.len() {
            self.decisions.push(false);
        }
        let decision = self.decisions[self.made];
        self.made += 1;
        self.probability *= if decision {
            probability
        } else {
            1.0 - probability
        };
        decision
    }

    /// Goes to the next leaf of the tree of decisions; false after the last.
    fn next(&mut self) -> bool {
        while self.decisions.last() == Some(&true) {
            self.decisions.pop();
        }
        if let Some(last) = self.decisions.last_mut() {
            *last = true;
        }
        self.made = 0;
        self.probability = 1.0;
        !self.decisions.is_empty()
    }
}

impl Randomness for Script {
    fn forward(&mut self) -> bool {
        self.decide(0.5)
    }
    fn accept(&mut self, probability: f64) -> bool {
        self.decide(probability)
    }
    fn uniform(&mut self) -> f64 {
        unreachable!("a transition takes decisions only")
    }
    fn fill_normal(&mut self, values: &mut [f64]) {
        values.copy_from_slice(&self.momentum);
    }
}

/// An orbit, and a way to make a transition from one of its points.
struct Orbit<D> {
    density: D,
    states: Vec<State>,
    step_size: f64,
    limits: Limits,
}

impl<D: LogDensity + Clone> Orbit<D> {
    fn new(density: D, position: &[f64], momentum: &[f64], step_size: f64) -> Self {
        let metric = Metric::new(&InverseMetric::unit(position.len()), position.len()).unwrap();
        let limits = Limits {
            depth: DEPTH,
            energy_error: 1000.0,
        };
        let mut literal = Recursive {
            density: density.clone(),
            metric: &metric,
            limits,
            mutation: Mutation::None,
            step_size,
        };
        let mut centre = literal.state(position);
        let mut script = Script {
            momentum: momentum.to_vec(),
            decisions: vec![],
            made: 0,
            probability: 1.0,
        };
        literal.kick_off(&mut centre, &mut script);
        let mut walk = |step_size: f64| {
            let mut states = vec![centre.clone()];
            for step in 0..REACH {
                // Beyond an impossible point there is no orbit.
                if states[step].energy == f64::INFINITY {
                    break;
                }
                states.push(literal.step(&states[step], step_size));
            }
            states.retain(|state| state.energy < f64::INFINITY);
            states
        };
        let mut states = walk(-step_size);
        states.reverse();
        states.pop();
        states.extend(walk(step_size));
        Self {
            density,
            states,
            step_size,
            limits,
        }
    }

    /// Σᵢ π(i) P(i→centre) / π(centre) − 1, and how many different decisions were enumerated.
    fn imbalance(
        &self,
        centre: &[f64],
        mut transition: impl FnMut(&State, &mut Script) -> Vec<f64>,
    ) -> (f64, usize) {
        let dimension = self.density.dimension();
        let at_centre = |position: &[f64]| {
            let near = |(x, y): (&f64, &f64)| (x - y).abs() < 1e-9 * (1.0 + y.abs());
            position.iter().zip(centre).all(near)
        };
        let own = self
            .states
            .iter()
            .find(|state| at_centre(&state.position()[..dimension]))
            .unwrap()
            .energy;
        let (mut flow, mut runs) = (0.0, 0);
        for state in &self.states {
            let mut script = Script {
                momentum: state.momentum().as_flattened()[..dimension].to_vec(),
                decisions: vec![],
                made: 0,
                probability: 1.0,
            };
            loop {
                let arrived = transition(state, &mut script);
                runs += 1;
                if at_centre(&arrived) {
                    flow += (own - state.energy).exp() * script.probability;
                }
                if !script.next() {
                    break;
                }
            }
        }
        (flow - 1.0, runs)
    }

    fn imbalance_of_sampler(&self, centre: &[f64]) -> (f64, usize) {
        let dimension = self.density.dimension();
        let metric = Metric::unit(dimension);
        let mut trajectory = Trajectory::new(dimension, self.limits);
        let mut density = self.density.clone();
        self.imbalance(centre, |state, script| {
            trajectory
                .set_position(&mut density, &state.position()[..dimension])
                .unwrap();
            trajectory
                .transition(&mut density, &metric, self.step_size, script)
                .unwrap();
            trajectory.position().to_vec()
        })
    }

    fn imbalance_of_mutant(&self, centre: &[f64], mutation: Mutation) -> f64 {
        let dimension = self.density.dimension();
        let mut literal = Recursive {
            density: self.density.clone(),
            metric: &Metric::unit(dimension),
            limits: self.limits,
            mutation,
            step_size: self.step_size,
        };
        let (imbalance, _) = self.imbalance(centre, |state, script| {
            let mut state = literal.state(&state.position()[..dimension]);
            literal.transition(&mut state, script);
            state.position()[..dimension].to_vec()
        });
        imbalance
    }
}

/// Orbits from stationary draws, over step sizes that turn early, late and not at all within the depth.
fn orbits<D: Exact>(density: &D) -> Vec<(Orbit<D>, Vec<f64>)> {
    let mut random = Random::new(chain_generator(11, 0));
    [0.05, 0.3, 0.6, 0.9, 1.3]
        .into_iter()
        .flat_map(|step_size| [step_size; 4])
        .map(|step_size| {
            let position = density.sample(&mut random);
            let mut momentum = vec![0.0; position.len()];
            random.fill_normal(&mut momentum);
            let orbit = Orbit::new(density.clone(), &position, &momentum, step_size);
            (orbit, position)
        })
        .collect()
}

fn check<D: Exact>(density: &D) {
    let mut runs = 0;
    for (orbit, centre) in orbits(density) {
        let (imbalance, enumerated) = orbit.imbalance_of_sampler(&centre);
        assert!(
            imbalance.abs() < 1e-12,
            "step {}: {imbalance:e}",
            orbit.step_size
        );
        runs += enumerated;
    }
    assert!(runs > 10_000, "{runs}");
}

#[test]
fn transitions_leave_the_orbit_invariant() {
    check(&Normals(vec![1.0, 0.5]));
    check(&Normals(vec![1.0, 0.3, 2.0]));
    check(&Funnel { dimension: 3 });
}

#[test]
fn so_they_do_where_trajectories_diverge() {
    // A wall, not a low limit of the energy error: the limit is relative to the start of the transition, so that the
    // balance holds only up to exp(−limit), which is why Stan's limit is 1000.
    for (position, momentum) in [([0.4, 0.1], [0.9, -0.3]), ([0.8, 1.0], [-0.5, 0.8])] {
        for step_size in [0.1, 0.35, 0.7] {
            let orbit = Orbit::new(HalfPlane, &position, &momentum, step_size);
            let (imbalance, _) = orbit.imbalance_of_sampler(&position);
            assert!(imbalance.abs() < 1e-12, "step {step_size}: {imbalance:e}");
        }
    }
}

#[test]
fn mistakes_break_the_balance() {
    let density = Normals(vec![1.0, 0.3, 2.0]);
    let orbits = orbits(&density);
    let worst = |mutation| {
        orbits
            .iter()
            .map(|(orbit, centre)| orbit.imbalance_of_mutant(centre, mutation).abs())
            .fold(0.0, f64::max)
    };
    assert!(worst(Mutation::None) < 1e-12);
    for mutation in [
        Mutation::OneEnd,
        Mutation::KeepTurned,
        Mutation::BiasInside,
        Mutation::PotentialOnly,
    ] {
        assert!(worst(mutation) > 1e-3, "{mutation:?} goes unnoticed");
    }
}
