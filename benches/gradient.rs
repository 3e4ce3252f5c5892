//! Log density and gradient: compiled code beside a vectorised gradient written by hand, and beside both slow twins.
//!
//! Run `cargo bench --bench gradient`. The hand-written gradients take the best instruction set of the machine (AVX-512, AVX2,
//! else scalar code), as a person who had to make this one model fast would write them; constants are dropped as `~` drops
//! them. Of the slow twins, the interpreter of the typed program has a log density only, the evaluator of the loops both.
//! The last lines give the ratios.
#![allow(unsafe_code, missing_docs, clippy::unwrap_used, clippy::expect_used)]

use criterion::{Criterion, criterion_group};
use hlm::interp::Interpreter;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model, Posterior};
use std::hint::black_box;
use std::time::Instant;

mod by_hand;

const EIGHT_SCHOOLS: &str = include_str!("../examples/eight_schools/eight_schools.hlm");
const EIGHT_SCHOOLS_DATA: &[u8] = include_bytes!("../examples/eight_schools/eight_schools.json");

/// Earnings by height, 1,192 people (Gelman and Hill 2007): three parameters, one long sum.
const HEIGHT: &str = "
data { int<lower=0> N; vector[N] earn; vector[N] height; }
parameters { vector[2] beta; real<lower=0> sigma; }
model { earn ~ normal(beta[1] + beta[2] * height, sigma); }
";

fn posterior(name: &str, program: &str, data: &[u8]) -> Posterior {
    let model = Model::from_text(name, program).expect("the program is right");
    model
        .bind_json(name, data, &BindOptions::default())
        .expect("the data fit")
}

/// People whose earnings grow with their height, made by a fixed recipe: the bench measures time, not people.
fn heights() -> (Vec<f64>, Vec<f64>, Vec<u8>) {
    let (mut heights, mut earnings) = (Vec::new(), Vec::new());
    let mut state = 1_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for _ in 0..1192 {
        let height = 58.0 + 19.0 * uniform();
        heights.push(height);
        earnings.push(-60_000.0 + 1_250.0 * height + 40_000.0 * (uniform() - 0.5));
    }
    let json = format!("{{\"N\": 1192, \"earn\": {earnings:?}, \"height\": {heights:?}}}");
    (heights, earnings, json.into_bytes())
}

/// The least time of one call in nanoseconds, of several batches.
fn least(mut call: impl FnMut()) -> f64 {
    let mut rounds = 1_u32;
    loop {
        let start = Instant::now();
        (0..rounds).for_each(|_| call());
        if start.elapsed().as_micros() > 2_000 {
            break;
        }
        rounds *= 2;
    }
    (0..41)
        .map(|_| {
            let start = Instant::now();
            (0..rounds).for_each(|_| call());
            start.elapsed().as_nanos() as f64 / f64::from(rounds)
        })
        .fold(f64::INFINITY, f64::min)
}

/// Log density at a position, its gradient into the second slice.
type ByHand = dyn Fn(&[f64], &mut [f64]) -> f64;

struct Case {
    name: &'static str,
    posterior: Posterior,
    position: Vec<f64>,
    by_hand: Box<ByHand>,
}

fn cases() -> Vec<Case> {
    let (heights, earnings, json) = heights();
    let schools = by_hand::Schools::new();
    vec![
        Case {
            name: "eight_schools",
            posterior: posterior("eight_schools", EIGHT_SCHOOLS, EIGHT_SCHOOLS_DATA),
            position: vec![4.0, 1.2, 0.3, -0.2, 0.5, 0.1, -0.7, 0.4, 0.9, 0.0],
            by_hand: Box::new(move |position, gradient| schools.gradient(position, gradient)),
        },
        Case {
            name: "earn_height",
            posterior: posterior("earn_height", HEIGHT, &json),
            position: vec![-60_000.0, 1_250.0, 9.5],
            by_hand: Box::new(move |position, gradient| {
                by_hand::earn_height(&earnings, &heights, position, gradient)
            }),
        },
    ]
}

fn gradients(criterion: &mut Criterion) {
    let mut ratios = Vec::new();
    for case in cases() {
        let mut group = criterion.benchmark_group(case.name);
        let mut gradient = vec![0.0; case.position.len()];
        let mut expected = gradient.clone();
        let mut density = case.posterior.density();
        let mut literal = case.posterior.literal_density();
        let value = density
            .log_density_gradient(&case.position, &mut gradient)
            .expect("a density");
        let by_hand = (case.by_hand)(&case.position, &mut expected);
        assert!(
            (value - by_hand).abs() < 1e-9 * by_hand.abs().max(1.0),
            "{value} {by_hand}"
        );
        let interpreter = Interpreter::new(&case.posterior.model().program().typed);
        let interpreted = interpreter
            .log_density(case.posterior.values(), &case.position, true)
            .expect("a density");
        assert!((value - interpreted).abs() < 1e-9 * value.abs().max(1.0));
        for (ours, theirs) in gradient.iter().zip(&expected) {
            assert!(
                (ours - theirs).abs() < 1e-8 * theirs.abs().max(1.0),
                "{gradient:?} {expected:?}"
            );
        }
        group.bench_function("compiled", |bencher| {
            bencher.iter(|| density.log_density_gradient(black_box(&case.position), &mut gradient));
        });
        group.bench_function("by hand", |bencher| {
            bencher.iter(|| (case.by_hand)(black_box(&case.position), &mut gradient));
        });
        group.bench_function("evaluator of the loops", |bencher| {
            bencher.iter(|| literal.log_density_gradient(black_box(&case.position), &mut gradient));
        });
        let values = case.posterior.values();
        group.bench_function("interpreter, without gradient", |bencher| {
            bencher.iter(|| interpreter.log_density(values, black_box(&case.position), true));
        });
        group.finish();
        let compiled = least(|| {
            let _ =
                black_box(density.log_density_gradient(black_box(&case.position), &mut gradient));
        });
        let hand = least(|| {
            black_box((case.by_hand)(black_box(&case.position), &mut gradient));
        });
        ratios.push((case.name, compiled, hand));
    }
    for (name, compiled, hand) in ratios {
        println!(
            "{name}: compiled {compiled:.0} ns, by hand {hand:.0} ns, ratio {:.2}",
            compiled / hand
        );
    }
}

criterion_group!(benches, gradients);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
