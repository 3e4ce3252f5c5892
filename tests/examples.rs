//! Every model of examples/ compiles on its folder's data, and both back ends compute the same from it; what two of them
//! draw is right.

#![allow(clippy::unwrap_used)]

use hlm::equation::lower::{Generate, Purpose};
use hlm::equation::plan::MissingValues;
use hlm::kernels::random::ChainRng;
use hlm::mcmc::{LogDensity, Settings};
use hlm::model::{BindOptions, Model, Posterior};
use hlm::run::{Draws, RunSettings};
use hlm::summary::Summariser;
use hlm::tables::{self, Sources};
use std::path::{Path, PathBuf};

#[path = "../examples/simulate.rs"]
#[allow(dead_code)]
mod simulate;

/// Each model of examples/ with its folder's data: the one JSON file of a model in block form, the tables of one in
/// equation form.
fn models() -> Vec<(PathBuf, Vec<PathBuf>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut models = Vec::new();
    for folder in entries(&root).into_iter().filter(|path| path.is_dir()) {
        let files = entries(&folder);
        let with_extension = |extension: &str| -> Vec<PathBuf> {
            let has = |path: &&PathBuf| path.extension().is_some_and(|found| found == extension);
            files.iter().filter(has).cloned().collect()
        };
        assert!(
            folder.join("README.md").exists(),
            "{} needs a page",
            folder.display()
        );
        let mut tables = with_extension("csv");
        // What a simulation started from is no data.
        tables.retain(|path| !path.ends_with("truth.csv"));
        for model in with_extension("hlm") {
            let is_in_blocks = std::fs::read_to_string(&model)
                .unwrap()
                .contains("parameters {");
            let data = match is_in_blocks {
                true => with_extension("json"),
                false => tables.clone(),
            };
            assert!(!data.is_empty(), "{} needs data", model.display());
            models.push((model, data));
        }
    }
    models
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn posterior(model: &Path, data: &[PathBuf]) -> Posterior {
    let text = std::fs::read_to_string(model).unwrap();
    let name = model.to_string_lossy();
    let model = Model::from_text(&name, &text).unwrap_or_else(|failure| panic!("{failure}"));
    bound(&model, data)
}

fn bound(model: &Model, data: &[PathBuf]) -> Posterior {
    let options = BindOptions::default();
    if model.program().equations.is_none() {
        let json = std::fs::read(&data[0]).unwrap();
        return model
            .bind_json(&data[0].to_string_lossy(), &json, &options)
            .unwrap_or_else(|failure| panic!("{failure}"));
    }
    let mut sources = Sources::new(&model.program().sources);
    for table in data {
        let bytes = std::fs::read(table).unwrap();
        sources
            .add_csv(&table.to_string_lossy(), &bytes, None)
            .unwrap();
    }
    let (model, tabled) = model
        .tabulate(&sources, &tables::Options::default())
        .unwrap_or_else(|failure| panic!("{failure}"));
    let bound = model.fill_tabled(&tabled, &options);
    let bound = bound.unwrap_or_else(|failure| panic!("{failure}"));
    model
        .compile(bound, &options)
        .unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn every_example_compiles_and_both_back_ends_agree() {
    let models = models();
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
    for (model, data) in models() {
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

fn drawn(posterior: &Posterior) -> Draws {
    let settings = RunSettings {
        sampler: Settings {
            seed: 1,
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    };
    let draws = posterior.sample(&settings);
    draws.unwrap_or_else(|error| panic!("{error}"))
}

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path)
}

#[test]
fn both_forms_of_classrooms_have_the_same_posterior() {
    let folder = |model, data| drawn(&posterior(&example(model), &[example(data)]));
    let block = folder("classrooms/classrooms.hlm", "classrooms/classrooms.json");
    let equation = folder(
        "classrooms/classrooms_equation.hlm",
        "classrooms/pupils.csv",
    );
    for name in ["mu", "tau", "sigma", "theta[1]", "theta[7]", "theta[12]"] {
        let [(mean, error), (other, other_error)] = [&block, &equation].map(|draws| {
            let chains = draws.get(name).unwrap();
            let found = Summariser::new(&[0.5]).summarise(&chains);
            (found.mean, found.mcse_mean)
        });
        let distance = (mean - other).abs() / error.hypot(other_error);
        assert!(
            distance < 4.0,
            "{name}: {mean} and {other}, {distance} errors apart"
        );
    }
}

#[test]
fn replicates_are_as_wide_as_the_data() {
    let path = example("schools/schools.hlm");
    let text = std::fs::read_to_string(&path).unwrap();
    let model =
        Model::from_text("schools.hlm", &text).unwrap_or_else(|failure| panic!("{failure}"));
    let generate = Generate {
        replicates: true,
        log_lik: false,
    };
    let missing = MissingValues::default();
    let model = model.for_purpose(&Purpose::Fit { generate, missing });
    let model = model.unwrap_or_else(|failure| panic!("{failure}"));
    let table = example("schools/students.csv");
    let draws = drawn(&bound(&model, std::slice::from_ref(&table)));
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
