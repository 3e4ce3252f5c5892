//! Pooling and prediction in the normal model with known variances, where both have closed forms.

#![allow(clippy::unwrap_used)]

use hlm::equation::lower::Prediction;
use hlm::kernels::random::{ChainRng, normal};
use hlm::mcmc::Settings;
use hlm::model::{BindOptions, Model, Posterior};
use hlm::pooling::effect::effects;
use hlm::pooling::{self, Fits, equations_of};
use hlm::predict::{CannotPredict, Fit, predict};
use hlm::run::{Draws, RunSettings};
use hlm::tables::{self, Sources};
use std::fmt::Write;

const MODEL: &str = "
index i
index j = school[i]
data y[i], sigma, tau
y[i] ~ normal(theta[j], sigma)
theta[j] ~ normal(mu, tau)
param mu
";
const SIGMA: f64 = 3.0;
const TAU: f64 = 2.0;
/// Pupils of each school.
const SIZES: [usize; 5] = [1, 2, 4, 9, 30];

/// Schools A to E about 10.
fn table() -> String {
    let mut rng = ChainRng::new(2006, 1, 0);
    let mut text = String::from("school,y\n");
    for (school, size) in ["A", "B", "C", "D", "E"].iter().zip(SIZES) {
        let theta = normal(&mut rng, 10.0, TAU);
        for _ in 0..size {
            let _ = writeln!(text, "{school},{}", normal(&mut rng, theta, SIGMA));
        }
    }
    text
}

fn refused<T>(reason: CannotPredict) -> T {
    match reason {
        CannotPredict::Because(sentence) => panic!("{sentence}"),
        CannotPredict::Failure(failure) => panic!("{failure}"),
    }
}

fn sources(model: &Model, table: &str) -> Sources {
    let mut sources = Sources::new(&model.program().sources);
    sources
        .add_csv("schools.csv", table.as_bytes(), None)
        .unwrap();
    sources.set("sigma", &SIGMA.to_string()).unwrap();
    sources.set("tau", &TAU.to_string()).unwrap();
    sources
}

fn fitted(model: &Model) -> (Posterior, Draws) {
    let options = BindOptions::default();
    let sources = sources(model, &table());
    let filled = model.fill_tables(&sources, &tables::Options::default(), &options);
    let posterior = filled
        .unwrap_or_else(|failure| panic!("{failure}"))
        .compile(&options);
    let posterior = posterior.unwrap_or_else(|failure| panic!("{failure}"));
    let settings = RunSettings {
        sampler: Settings {
            seed: 1,
            samples: 2000,
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    };
    let draws = posterior
        .sample(&settings)
        .unwrap_or_else(|error| panic!("{error}"));
    (posterior, draws)
}

/// (σ²/n) / (τ² + σ²/n)
fn shrinkage(size: usize) -> f64 {
    let own = SIGMA * SIGMA / size as f64;
    own / (TAU * TAU + own)
}

/// The posterior variance of mu under its flat prior.
fn location_variance() -> f64 {
    let precisions = SIZES.map(|size| 1.0 / (TAU * TAU + SIGMA * SIGMA / size as f64));
    1.0 / precisions.iter().sum::<f64>()
}

fn variance(draws: &[f64]) -> f64 {
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    draws
        .iter()
        .map(|draw| (draw - mean) * (draw - mean))
        .sum::<f64>()
        / (draws.len() - 1) as f64
}

/// Variances of some thousand draws that are nearly independent have errors of about 3 %.
fn assert_near(what: &str, found: f64, expected: f64) {
    assert!(
        (found / expected - 1.0).abs() < 0.1,
        "{what}: {found}, not {expected}"
    );
}

#[test]
fn shrinkage_factors_are_those_of_the_slide() {
    let model = Model::from_text("schools", MODEL).unwrap_or_else(|failure| panic!("{failure}"));
    let (program, equations) = equations_of(&model).unwrap();
    let effects = effects(&program, &equations.model);
    assert_eq!(effects.len(), 1);
    let models = pooling::derive(&model, &program, &effects[0]);
    let models = models.unwrap_or_else(|failure| panic!("{failure}"));
    let (_, none) = fitted(&models.none.model);
    let (posterior, partial) = fitted(&models.partial.model);
    let (_, complete) = fitted(&models.complete.model);
    let fits = Fits {
        none: &none,
        partial: &partial,
        complete: &complete,
    };
    let comparison = pooling::compare(&effects[0], &posterior, &fits).unwrap();
    assert_eq!(comparison.groups, "school");
    let [coefficient] = comparison.coefficients.as_slice() else {
        panic!("{comparison:?}");
    };
    for (group, size) in coefficient.groups.iter().zip(SIZES) {
        assert_eq!(group.count, size);
        let expected = shrinkage(size);
        assert!(
            (group.shrinkage - expected).abs() < 0.02,
            "{group:?}: not {expected}"
        );
        // The same weight moves the estimate.
        let location = partial.pooled("mu").unwrap();
        let location = location.iter().sum::<f64>() / location.len() as f64;
        let pulled = expected * location + (1.0 - expected) * group.none.mean;
        assert!(
            (group.partial.mean - pulled).abs() < 0.2,
            "{group:?}: not {pulled}"
        );
    }
    let factor = coefficient.pooling_factor;
    assert!(factor > 0.1 && factor < 0.9, "{factor}");
}

#[test]
fn a_new_group_is_wider_than_a_known_one_by_the_closed_form() {
    let model = Model::from_text("schools", MODEL).unwrap_or_else(|failure| panic!("{failure}"));
    let (posterior, draws) = fitted(&model);
    let columns = posterior.columns().iter().enumerate();
    let fit = Fit {
        posterior: &posterior,
        columns: columns
            .map(|(place, column)| {
                let chains = draws.chains().iter().map(|chain| chain.column(place));
                (column.name.as_str(), chains.collect())
            })
            .collect(),
    };
    // E is known by 30 pupils, A by one; neither order nor company of the fit is kept.
    let mut sources = sources(&model, &table());
    sources.follow(posterior.sets());
    let rows = "school\nE\nnowhere\nA\n";
    sources.add_csv("rows.csv", rows.as_bytes(), None).unwrap();
    let predicted = predict(&fit, &sources, &Prediction::default(), 1);
    let predicted = predicted.unwrap_or_else(refused);
    let [outcome] = predicted.outcomes.as_slice() else {
        panic!("one outcome");
    };
    let known = |size: usize| {
        let weight = shrinkage(size);
        TAU * TAU * weight + weight * weight * location_variance()
    };
    let new = TAU * TAU + location_variance();
    let noise = SIGMA * SIGMA;
    for (row, mean) in [known(30), new, known(1)].into_iter().enumerate() {
        assert_near("mean", variance(&outcome.means[row]), mean);
        assert_near(
            "observation",
            variance(&outcome.observations[row]),
            mean + noise,
        );
    }
    assert!(variance(&outcome.means[1]) > variance(&outcome.means[2]));
    // The known school's mean is the fit's, draw by draw.
    assert_eq!(outcome.means[0], draws.pooled("theta[E]").unwrap());
}
