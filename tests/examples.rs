//! Every model of examples/ compiles on its folder's data, and both back ends compute the same from it; replicates
//! are as wide as the data.

#![allow(clippy::unwrap_used)]

use hlm::equation::lower::{Generate, Purpose};
use hlm::equation::plan::MissingValues;
use hlm::kernels::random::ChainRng;
use hlm::mcmc::{LogDensity, Settings};
use hlm::model::{BindOptions, Model, Posterior};
use hlm::run::RunSettings;
use programs::{Case, example, example_models, is_in_blocks};
use std::path::{Path, PathBuf};

mod programs;

#[path = "../examples/simulate.rs"]
#[allow(dead_code)]
mod simulate;

fn posterior(model: &Path, data: &[PathBuf]) -> Posterior {
    let name = model.display().to_string();
    if !is_in_blocks(model) {
        let case = Case::read(name, model, data);
        return case.posterior(&case.model);
    }
    let text = std::fs::read_to_string(model).unwrap();
    let json = std::fs::read(&data[0]).unwrap();
    let model = Model::from_text(&name, &text).unwrap_or_else(|failure| panic!("{failure}"));
    model
        .bind_json("data.json", &json, &BindOptions::default())
        .unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn every_example_compiles_and_both_back_ends_agree() {
    let models = example_models();
    assert!(models.len() >= 19, "{} examples found", models.len());
    for (model, data) in models {
        let posterior = posterior(&model, &data);
        let dimension = posterior.dimension();
        // Nowhere special: small, different values of both signs.
        let position: Vec<f64> = (0..dimension)
            .map(|i| 0.3 * (1.0 + i as f64).sin())
            .collect();
        let (mut compiled, mut literal) = (vec![0.0; dimension], vec![0.0; dimension]);
        let fast = (posterior.density()).log_density_gradient(&position, &mut compiled);
        let slow = (posterior.literal_density()).log_density_gradient(&position, &mut literal);
        let (fast, slow) = (fast.unwrap(), slow.unwrap());
        let name = model.display();
        assert!(fast.is_finite(), "{name}: log density {fast}");
        let agree = |a: f64, b: f64, scale: f64| (a - b).abs() <= 1e-10 * scale.max(1.0);
        assert!(agree(fast, slow, fast.abs()), "{name}: {fast} and {slow}");
        let scale = literal.iter().fold(0.0f64, |most, g| most.max(g.abs()));
        for (i, (a, b)) in compiled.iter().zip(&literal).enumerate() {
            assert!(
                agree(*a, *b, scale),
                "{name}: derivative {i} is {a} and {b}"
            );
        }
    }
}

#[test]
fn every_example_s_generated_quantities_run() {
    for (model, data) in example_models() {
        let posterior = posterior(&model, &data);
        let position = vec![0.1; posterior.dimension()];
        let mut drawer = posterior.drawer();
        let mut values = vec![f64::NAN; drawer.width()];
        let outcome = drawer.values(&position, &mut ChainRng::new(1, 1, 0), &mut values);
        let name = model.display();
        assert!(outcome.is_ok(), "{name}: {:?}", outcome.err());
        assert!(
            values.iter().all(|value| value.is_finite()),
            "{name}: {values:?}"
        );
    }
}

#[test]
fn simulated_tables_are_what_their_generator_makes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for file in simulate::files() {
        let committed = std::fs::read_to_string(root.join(file.path)).unwrap();
        assert!(committed == file.text, "{} is not as simulated", file.path);
    }
}

#[test]
fn replicates_are_as_wide_as_the_data() {
    let table = example("schools/students.csv");
    let path = example("schools/schools.hlm");
    let case = Case::read("schools".to_string(), &path, std::slice::from_ref(&table));
    let generate = Generate {
        replicates: true,
        log_lik: false,
    };
    let missing = MissingValues::default();
    let posterior = case.posterior(&case.lowered_for(&Purpose::Fit { generate, missing }));
    let settings = RunSettings {
        sampler: Settings {
            seed: 1,
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    };
    let draws = posterior.sample(&settings);
    let draws = draws.unwrap_or_else(|error| panic!("{error}"));
    let text = std::fs::read_to_string(&table).unwrap();
    let scores: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|row| row.rsplit(',').next().unwrap().parse().unwrap())
        .collect();
    // Where each score lies among its replicates: evenly from 0 to 1 if they are calibrated.
    let rank = |(at, score): (usize, &f64)| {
        let replicates = draws.pooled(&format!("score_rep[{}]", at + 1)).unwrap();
        let below = replicates.iter().filter(|replicate| *replicate < score);
        below.count() as f64 / replicates.len() as f64
    };
    let ranks: Vec<f64> = scores.iter().enumerate().map(rank).collect();
    for width in [0.5, 0.8, 0.95] {
        let inside = ranks
            .iter()
            .filter(|rank| (*rank - 0.5).abs() < width / 2.0);
        let share = inside.count() as f64 / ranks.len() as f64;
        // Four standard errors of a share of so many.
        let error = (width * (1.0 - width) / ranks.len() as f64).sqrt();
        assert!(
            (share - width).abs() < 4.0 * error,
            "{share} of the scores lie in {width}"
        );
    }
}
