//! Runs of small models: what is kept, written and said.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use super::*;
use crate::diag::Code;
use crate::io::data_json::parse_data_json;
use crate::io::draws_csv::{Digits, read_draws_csv};
use crate::io::run_folder::RunFolder;
use crate::mcmc::{InitialPoint, Settings};
use crate::model::{BindOptions, Model, Posterior};

const NORMAL: &str = "parameters { real mu; vector<lower=0>[2] s; } \
    model { mu ~ normal(3, 2); s ~ exponential(1); } \
    generated quantities { real twice = 2 * mu; real noise = normal_rng(mu, 1); }";

fn posterior(text: &str) -> Posterior {
    let model = Model::from_text("m.hlm", text).unwrap();
    model
        .bind_json("d", b"{}", &BindOptions::default())
        .unwrap()
}

fn settings(chains: usize, warmup: usize, samples: usize) -> RunSettings {
    RunSettings {
        sampler: Settings {
            seed: 7,
            chains,
            threads: 2,
            warmup,
            samples,
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    }
}

/// A run's files in a folder of this test alone, removed when it ends.
struct Scratch(RunFiles);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path: PathBuf =
            std::env::temp_dir().join(format!("hlm-run-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Scratch(RunFiles {
            folder: RunFolder::create_at(&path, "m").unwrap(),
            data_file: String::new(),
            init: "2".into(),
            digits: Digits::Shortest,
            started: SystemTime::UNIX_EPOCH,
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.folder.path());
    }
}

fn run(posterior: &Posterior, settings: &RunSettings, files: Option<&RunFiles>) -> Run {
    sample(posterior, settings, files, &Silent, &AtomicBool::new(false)).unwrap()
}

fn all_values(draws: &Draws) -> Vec<f64> {
    let chains = draws.chains().iter();
    chains
        .flat_map(|chain| (0..draws.columns().len()).flat_map(|place| chain.column(place).to_vec()))
        .collect()
}

#[test]
fn draws_have_the_moments_of_the_model() {
    let draws = posterior(NORMAL).sample(&settings(4, 300, 500)).unwrap();
    assert_eq!(draws.rows(), 2000);
    let summary = draws.summary(&["mu", "s"]);
    let means: Vec<f64> = summary.rows.iter().map(|row| row.summary.mean).collect();
    assert_eq!(means.len(), 3);
    for (mean, (expected, tolerance)) in means.iter().zip([(3.0, 0.3), (1.0, 0.15), (1.0, 0.15)]) {
        assert!((mean - expected).abs() < tolerance, "{means:?}");
    }
    let (mu, twice) = (draws.get("mu").unwrap(), draws.get("twice").unwrap());
    assert_eq!(twice[2][17], 2.0 * mu[2][17]);
    assert_eq!(draws.get("s[2]"), draws.get("s.2"));
    assert!(draws.get("nu").is_none());
}

#[test]
fn draws_depend_on_seed_and_chain_only() {
    let posterior = posterior(NORMAL);
    let whole = settings(3, 50, 40);
    let mut alone = settings(1, 50, 40);
    alone.sampler.first_chain = 3;
    alone.sampler.threads = 1;
    let (whole, alone) = (
        posterior.sample(&whole).unwrap(),
        posterior.sample(&alone).unwrap(),
    );
    for place in 0..whole.columns().len() {
        assert_eq!(
            whole.chains()[2].column(place),
            alone.chains()[0].column(place)
        );
    }
    let mut other = settings(3, 50, 40);
    other.sampler.seed = 8;
    assert_ne!(
        all_values(&whole),
        all_values(&posterior.sample(&other).unwrap())
    );
}

#[test]
fn thinned_draws_are_those_of_the_whole_run() {
    let posterior = posterior(NORMAL);
    let whole = settings(1, 50, 40);
    let thinned = RunSettings {
        thin: 7,
        ..whole.clone()
    };
    let (whole, thinned) = (
        posterior.sample(&whole).unwrap(),
        posterior.sample(&thinned).unwrap(),
    );
    for place in 0..whole.columns().len() {
        let every: Vec<f64> = whole.chains()[0]
            .column(place)
            .iter()
            .copied()
            .step_by(7)
            .collect();
        assert_eq!(thinned.chains()[0].column(place), every);
    }
}

#[test]
fn files_hold_what_memory_holds() {
    let scratch = Scratch::new("files");
    let settings = RunSettings {
        thin: 3,
        save_warmup: true,
        ..settings(2, 20, 31)
    };
    let run = run(&posterior(NORMAL), &settings, Some(&scratch.0));
    for chain in run.draws.chains() {
        let file = read_draws_csv(&scratch.0.folder.chain_file(chain.chain)).unwrap();
        assert_eq!((file.warmup.rows, file.sample.rows), (7, 11));
        for (place, column) in run.draws.columns().iter().enumerate() {
            assert_eq!(file.column(&column.name), Some(chain.column(place)));
        }
        let energy = chain.statistic(Statistic::Energy);
        assert_eq!(file.column("energy__"), Some(energy));
        assert!(
            file.step_size.is_some() && file.inverse_metric.is_some() && file.elapsed.is_some()
        );
    }
}

#[test]
fn a_model_without_parameters_simulates() {
    let scratch = Scratch::new("fixed");
    let model =
        posterior("generated quantities { real x = normal_rng(0, 1); int k = poisson_rng(4); }");
    let run = run(&model, &settings(2, 100, 50), Some(&scratch.0));
    assert_eq!(run.draws.rows(), 100);
    assert!(
        run.draws
            .summary(&[])
            .rows
            .iter()
            .all(|row| row.name != "lp__")
    );
    let file = read_draws_csv(&scratch.0.folder.chain_file(2)).unwrap();
    assert_eq!(file.sampler_columns, ["lp__", "accept_stat__"]);
    assert_eq!(file.column("x"), run.draws.get("x").map(|chains| chains[1]));
    assert_eq!(file.header_value("algorithm"), Some("fixed_param"));
    let x = run.draws.get("x").unwrap();
    assert_ne!(x[0], x[1]);
    assert_ne!(x[0][0], x[0][1]);
}

#[test]
fn an_impossible_start_names_the_line() {
    let model = posterior("parameters { real s; } model { target += normal_lpdf(1 | 0, s - 9); }");
    let run = run(&model, &settings(2, 10, 10), None);
    let findings = run.findings(&model);
    let [finding] = findings.diagnostics.as_slice() else {
        panic!("{findings}");
    };
    assert_eq!(finding.code, Code::NoInitialValue);
    assert!(finding.title.contains("100"), "{findings}");
    assert!(
        findings
            .sources
            .snippet(finding.label.span)
            .contains("normal_lpdf")
    );
    assert!(
        findings
            .to_string()
            .contains("chains 1 and 2 did not start")
    );
    let error = model.sample(&settings(2, 10, 10)).unwrap_err().to_string();
    assert!(error.contains("Scale parameter"), "{error}");
}

#[test]
fn a_failing_chain_keeps_its_draws_and_names_the_line() {
    let model = posterior(
        "transformed data { vector[2] v = [1, 2]'; } parameters { real mu; } \
         model { int k = 1; while (k < 3) { if (mu > 1.5) k += 5; k += 1; } mu ~ normal(v[k - 2], 1); }",
    );
    let mut settings = settings(1, 0, 400);
    settings.sampler.step_size.initial = 0.3;
    settings.initial = InitialPoint::Given(vec![0.0]);
    let run = run(&model, &settings, None);
    let kept = run.draws.rows();
    assert!(kept > 0 && kept < 400, "{kept}");
    let findings = run.findings(&model);
    assert_eq!(findings.diagnostics[0].code, Code::RunFailed);
    let text = findings.to_string();
    assert!(text.contains("is out of range"), "{text}");
    assert!(
        text.contains(&format!("chain 1 ended after {kept} draw")),
        "{text}"
    );
}

#[test]
fn failing_generated_quantities_are_counted() {
    let model = posterior(
        "parameters { real mu; } model { mu ~ normal(0, 1); } \
         generated quantities { real s = exponential_rng(mu); }",
    );
    let run = run(&model, &settings(1, 50, 100), None);
    let negative = run.draws.get("mu").unwrap()[0]
        .iter()
        .filter(|mu| **mu <= 0.0)
        .count();
    let missing = run.draws.get("s").unwrap()[0]
        .iter()
        .filter(|s| s.is_nan())
        .count();
    assert!(negative > 0);
    assert_eq!(missing, negative);
    let findings = run.findings(&model);
    assert_eq!(findings.diagnostics[0].code, Code::GeneratedFailed);
    assert!(
        findings
            .to_string()
            .contains(&format!("failed for {negative} draws")),
        "{findings}"
    );
}

/// Interrupts a run after so many transitions.
struct Interrupting<'a>(&'a AtomicBool, AtomicUsize);

impl Progress for Interrupting<'_> {
    fn transition(&self, _: &Transition) {
        if self.1.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn an_interrupted_run_keeps_its_draws() {
    let scratch = Scratch::new("interrupted");
    let interrupt = AtomicBool::new(false);
    let progress = Interrupting(&interrupt, AtomicUsize::new(75));
    let model = posterior(NORMAL);
    let run = sample(
        &model,
        &settings(1, 50, 1000),
        Some(&scratch.0),
        &progress,
        &interrupt,
    )
    .unwrap();
    assert_eq!(run.draws.rows(), 25);
    assert_eq!(run.findings(&model).diagnostics, []);
    let file = read_draws_csv(&scratch.0.folder.chain_file(1)).unwrap();
    assert_eq!((file.sample.rows, file.cut_off_at), (25, None));
    assert!(file.elapsed.is_some());
    let program = "m.hlm";
    let described = describe(
        &model,
        program,
        &DataIdentity::default(),
        &settings(1, 50, 1000),
        &scratch.0,
        Some(&run),
    );
    assert_eq!(described["status"], "interrupted");
    assert_eq!(described["columns"][2], "s.2");
    assert_eq!(described["program"], NORMAL);
}

#[test]
fn initial_values_come_from_files() {
    let model = posterior(NORMAL);
    let point = |json: &str| {
        let data = parse_data_json(json.as_bytes()).unwrap();
        initial_point(&model, &data, 1.0)
    };
    let whole = point(r#"{"s": [1, 2.718281828459045], "mu": -4, "other": 3}"#).unwrap();
    let InitialPoint::Given(position) = whole else {
        panic!("{whole:?}");
    };
    assert_eq!(position[..2], [-4.0, 0.0]);
    assert!((position[2] - 1.0).abs() < 1e-15);
    let part = point(r#"{"mu": 2}"#).unwrap();
    let expected = InitialPoint::Partial {
        values: vec![Some(2.0), None, None],
        radius: 1.0,
    };
    assert_eq!(part, expected);
    assert!(
        point(r#"{"s": [1]}"#)
            .unwrap_err()
            .contains("1 numbers for 2")
    );
    assert!(
        point(r#"{"s": [1, -2]}"#)
            .unwrap_err()
            .contains("cannot be used")
    );
}

#[test]
fn printed_lines_reach_progress() {
    struct Printed(Mutex<String>);
    impl Progress for Printed {
        fn printed(&self, chain: u64, text: &str) {
            self.0.lock().unwrap().push_str(&format!("{chain}: {text}"));
        }
    }
    let model = posterior(
        "parameters { real mu; } model { mu ~ normal(0, 1); } generated quantities { print(\"drawn\"); }",
    );
    let printed = Printed(Mutex::default());
    sample(
        &model,
        &settings(1, 5, 2),
        None,
        &printed,
        &AtomicBool::new(false),
    )
    .unwrap();
    assert_eq!(printed.0.into_inner().unwrap(), "1: drawn\n1: drawn\n");
}

#[test]
fn impossible_settings_are_named() {
    let settings = RunSettings {
        thin: 0,
        initial: InitialPoint::Random { radius: -1.0 },
        ..settings(0, 1, 1)
    };
    let named: Vec<&str> = settings
        .validate()
        .unwrap_err()
        .iter()
        .map(|error| error.setting)
        .collect();
    assert_eq!(named, ["chains", "thin", "init"]);
}
