//! Pooling and prediction in the normal model with known variances, where both have closed forms.

#![allow(clippy::unwrap_used)]

use hlm::equation::lower::Prediction;
use hlm::equation::plan::SetId;
use hlm::kernels::random::{ChainRng, normal};
use hlm::mcmc::Settings;
use hlm::model::{BindOptions, Model, Posterior};
use hlm::pooling::effect::effects;
use hlm::pooling::{self, Fits, equations_of};
use hlm::predict::{CannotPredict, Fit, predict};
use hlm::run::{Draws, RunSettings};
use hlm::tables::{self, Sources};
use std::fmt::Write;

mod programs;

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

fn sources(model: &Model, tables: &[&str]) -> Sources {
    let mut sources = Sources::new(&model.program().sources);
    add(&mut sources, tables);
    sources.set("sigma", &SIGMA.to_string()).unwrap();
    sources.set("tau", &TAU.to_string()).unwrap();
    sources
}

fn add(sources: &mut Sources, tables: &[&str]) {
    for (place, table) in tables.iter().enumerate() {
        let name = format!("table {place}");
        sources.add_csv(&name, table.as_bytes(), None).unwrap();
    }
}

fn fitted(model: &Model) -> (Posterior, Draws) {
    fitted_to(model, &sources(model, &[&table()]))
}

fn fitted_to(model: &Model, sources: &Sources) -> (Posterior, Draws) {
    let options = BindOptions::default();
    let filled = model.fill_tables(sources, &tables::Options::default(), &options);
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

fn fit<'f>(posterior: &'f Posterior, draws: &'f Draws) -> Fit<'f> {
    let columns = posterior.columns().iter().enumerate();
    let columns = columns.map(|(place, column)| {
        let chains = draws.chains().iter().map(|chain| chain.column(place));
        (column.name.as_str(), chains.collect())
    });
    Fit {
        posterior,
        columns: columns.collect(),
    }
}

#[test]
fn a_new_group_is_wider_than_a_known_one_by_the_closed_form() {
    let model = Model::from_text("schools", MODEL).unwrap_or_else(|failure| panic!("{failure}"));
    let (posterior, draws) = fitted(&model);
    let fit = fit(&posterior, &draws);
    // E is known by 30 pupils, A by one; neither order nor company of the fit is kept.
    let mut sources = sources(&model, &[&table()]);
    sources.follow(posterior.sets());
    add(&mut sources, &["school\nE\nnowhere\nA\n"]);
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

/// Schools lie in districts, which a second table gives, and districts differ by as much as `s`.
const DISTRICTS: &str = "
index i
index j = school[i]
index l = district[j]
data y[i], wealth[j], sigma, tau, s
y[i] ~ normal(theta[j], sigma)
theta[j] ~ normal(m[l] + b * wealth[j], tau)
m[l] ~ normal(10, s)
b ~ normal(0, 0.001)
";
const S: f64 = 4.0;
const SCHOOLS: &str = "school,district,wealth
A,North,1
B,North,2
C,North,0
D,South,1
E,South,3
";

/// The posterior variance of the mean of a district with schools of these sizes. What `b` adds is nothing.
fn district_variance(sizes: &[usize]) -> f64 {
    let own = sizes
        .iter()
        .map(|size| 1.0 / (TAU * TAU + SIGMA * SIGMA / *size as f64));
    1.0 / (1.0 / (S * S) + own.sum::<f64>())
}

#[test]
fn a_new_group_has_its_own_parents_and_numbers() {
    let model =
        Model::from_text("districts", DISTRICTS).unwrap_or_else(|failure| panic!("{failure}"));
    let data = || {
        let mut sources = sources(&model, &[&table(), SCHOOLS]);
        sources.set("s", &S.to_string()).unwrap();
        sources
    };
    let (posterior, draws) = fitted_to(&model, &data());
    let fit = fit(&posterior, &draws);
    let predicted = |tables: &[&str], without: &[usize]| {
        let mut sources = data();
        sources.follow(posterior.sets());
        add(&mut sources, tables);
        let prediction = Prediction {
            without: without.iter().map(|set| SetId(*set)).collect(),
        };
        predict(&fit, &sources, &prediction, 1)
    };
    let rows = "school\nF\nG\nE\n";
    let schools = "school,district,wealth\nF,North,2\nG,West,2\n";
    let north = district_variance(&[1, 2, 4]);
    let variances = |tables: &[&str], without: &[usize]| -> Vec<f64> {
        let predicted = predicted(tables, without).unwrap_or_else(refused);
        predicted.outcomes[0]
            .means
            .iter()
            .map(|draws| variance(draws))
            .collect()
    };

    let new = variances(&[rows, schools], &[]);
    assert_near(
        "a new school of a known district",
        new[0],
        TAU * TAU + north,
    );
    assert_near("a new school of a new district", new[1], TAU * TAU + S * S);
    assert!(new[2] < 0.5, "a known school: {}", new[2]);
    // The same from one table, whose rows say what their school is like.
    let rows_alone = "school,district,wealth\nF,North,2\nG,West,2\nE,South,3\n";
    assert_eq!(variances(&[rows_alone], &[]), new);

    // Set 1 are the schools: at their location they are as their district is.
    let none = variances(&[rows, schools], &[1]);
    assert_near("no school of a known district", none[0], north);
    assert_near("no school of a new district", none[1], S * S);

    // What a new school is like is not made up from other schools.
    let refusal = |tables: &[&str]| match predicted(tables, &[]) {
        Err(CannotPredict::Failure(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    };
    let nowhere = refusal(&[rows]);
    assert!(
        nowhere.contains("has no row for school \"F\" and \"G\""),
        "{nowhere}"
    );
    assert!(
        nowhere.contains("give the new rows a column `"),
        "{nowhere}"
    );
    let moved = refusal(&["school,district,wealth\nE,North,3\n"]);
    assert!(
        moved.contains("school \"E\" is in district South"),
        "{moved}"
    );
    let richer = refusal(&["school,district,wealth\nE,South,4\n"]);
    assert!(
        richer.contains("what the fit knows keeps its value"),
        "{richer}"
    );
}

/// Effects about unknowns, about predictors, about 0; crossed, nested, vectors.
#[test]
fn every_effect_of_the_examples_compares() {
    let settings = RunSettings {
        sampler: Settings {
            seed: 1,
            chains: 1,
            warmup: 20,
            samples: 20,
            // Only the names and sizes are looked at.
            max_depth: 4,
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    };
    let mut compared = 0;
    for case in programs::examples() {
        let (program, equations) = equations_of(&case.model).unwrap();
        for effect in effects(&program, &equations.model) {
            let what = format!("{}: {}", case.name, effect.name);
            let models = pooling::derive(&case.model, &program, &effect);
            let models = models.unwrap_or_else(|failure| panic!("{what}: {failure}"));
            let fit = |model: &Model| {
                let posterior = case.posterior(model);
                let draws = posterior.sample(&settings);
                let draws = draws.unwrap_or_else(|error| panic!("{what}: {error}"));
                (posterior, draws)
            };
            let (_, none) = fit(&models.none.model);
            let (posterior, partial) = fit(&models.partial.model);
            let (_, complete) = fit(&models.complete.model);
            let fits = Fits {
                none: &none,
                partial: &partial,
                complete: &complete,
            };
            let comparison = pooling::compare(&effect, &posterior, &fits);
            let comparison = comparison.unwrap_or_else(|reason| panic!("{what}: {reason}"));
            for coefficient in &comparison.coefficients {
                for group in &coefficient.groups {
                    // Without pooling a group may be undetermined, after so few draws any group.
                    let estimates = [&group.partial, &group.complete];
                    let is_finite = estimates.iter().all(|estimate| estimate.mean.is_finite());
                    assert!(is_finite, "{what}: {group:?}");
                }
            }
            compared += 1;
        }
    }
    assert!(compared >= 12, "{compared} effects");
}

/// An autoregression with known coefficients: forecasts have closed forms.
const SERIES: &str = "
index i
index g = subject[i]
index t = week[i]
data y[g, t], phi, sigma
y[g, t] ~ normal(a[g] + phi * y[g, t-1], sigma)
a[g] ~ normal(0, 1e-6)
";
const PHI: f64 = 0.8;

#[test]
fn series_go_on_from_their_last_value() {
    let model = Model::from_text("series", SERIES).unwrap_or_else(|failure| panic!("{failure}"));
    let observed = "subject,week,y\nA,1,1\nA,2,4\nA,3,10\nB,1,0\nB,2,-5\nB,3,-20\n";
    let mut data = Sources::new(&model.program().sources);
    add(&mut data, &[observed]);
    data.set("phi", &PHI.to_string()).unwrap();
    data.set("sigma", &SIGMA.to_string()).unwrap();
    let (posterior, draws) = fitted_to(&model, &data);
    let fit = fit(&posterior, &draws);
    let predicted = |rows: &str| {
        let mut sources = data.clone();
        sources.follow(posterior.sets());
        add(&mut sources, &[rows]);
        predict(&fit, &sources, &Prediction::default(), 1)
    };

    // In any order; week 3 was observed, and is predicted from week 2 alone.
    let rows = "subject,week\nA,6\nB,4\nA,3\nA,5\nA,4\n";
    let predicted_rows = predicted(rows).unwrap_or_else(refused);
    let outcome = &predicted_rows.outcomes[0];
    let steps = [(10.0, 3), (-20.0, 1), (4.0, 1), (10.0, 2), (10.0, 1)];
    for (row, (last, ahead)) in steps.into_iter().enumerate() {
        let decay = PHI.powi(ahead);
        let expected = SIGMA * SIGMA * (1.0 - decay * decay) / (1.0 - PHI * PHI);
        assert_near("a forecast", variance(&outcome.observations[row]), expected);
        let draws = &outcome.observations[row];
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!(
            (mean - decay * last).abs() < 0.3,
            "{mean}, not {}",
            decay * last
        );
        // Given the parameters and the value before: one step of noise less.
        let expected = expected - SIGMA * SIGMA;
        let found = variance(&outcome.means[row]);
        assert!(
            (found - expected).abs() < 0.1 * expected + 1e-6,
            "{found}, not {expected}"
        );
    }

    let reason = |rows: &str| match predicted(rows) {
        Err(CannotPredict::Because(reason)) => reason,
        Err(CannotPredict::Failure(failure)) => failure.to_string(),
        Ok(_) => panic!("{rows} can be predicted"),
    };
    // Nothing leads from week 3 to week 6.
    let gap = reason("subject,week\nA,6\n");
    assert!(
        gap.contains("row 1 of the new rows has no `y` 1 before it"),
        "{gap}"
    );
    let unknown = reason("subject,week\nA,4\nC,4\nC,5\n");
    assert!(
        unknown.contains("row 2 of the new rows has no `y` 1 before it"),
        "{unknown}"
    );
    let twice = reason("subject,week\nA,4\nA,4\n");
    assert!(twice.contains("rows 1 and 2 both give y[A, 4]"), "{twice}");
    let before = reason("subject,week\nA,0\n");
    assert!(
        before.contains("does not come after those of the fit"),
        "{before}"
    );
}
