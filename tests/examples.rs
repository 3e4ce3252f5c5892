//! Every model of examples/ compiles on its folder's data, and both back ends compute the same from it.

#![allow(clippy::unwrap_used)]

use hlm::kernels::random::ChainRng;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model, Posterior};
use std::path::{Path, PathBuf};

#[path = "../examples/simulate.rs"]
#[allow(dead_code)]
mod simulate;

/// Each model of examples/ with its data: a folder's models share the folder's one data file.
fn models() -> Vec<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut models = Vec::new();
    for folder in entries(&root).into_iter().filter(|path| path.is_dir()) {
        let files = entries(&folder);
        let with_extension = |extension: &str| -> Vec<PathBuf> {
            let has = |path: &&PathBuf| path.extension().is_some_and(|found| found == extension);
            files.iter().filter(has).cloned().collect()
        };
        let data = with_extension("json");
        if with_extension("hlm").is_empty() {
            continue;
        }
        assert_eq!(data.len(), 1, "{} needs one data file", folder.display());
        assert!(
            folder.join("README.md").exists(),
            "{} needs a page",
            folder.display()
        );
        for model in with_extension("hlm") {
            models.push((model, data[0].clone()));
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

fn posterior(model: &Path, data: &Path) -> Posterior {
    let text = std::fs::read_to_string(model).unwrap();
    let json = std::fs::read(data).unwrap();
    let name = model.to_string_lossy();
    let checked = Model::from_text(&name, &text).unwrap_or_else(|failure| panic!("{failure}"));
    checked
        .bind_json(&data.to_string_lossy(), &json, &BindOptions::default())
        .unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn every_example_compiles_and_both_back_ends_agree() {
    let models = models();
    assert!(models.len() >= 9, "{} examples found", models.len());
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
