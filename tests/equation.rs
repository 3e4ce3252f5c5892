//! The acceptance cases of the equation form and the examples, expanded and run: what `hlm expand` prints is a program of
//! its own with the same log density, and what is generated on request agrees with it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod programs;

use std::fs;

use hlm::equation::lower::{Generate, Prediction, Purpose};
use hlm::equation::plan::{InputSource, MissingValues};
use hlm::io::data_json::{Data, DataKind, DataValue};
use hlm::kernels::random::{ChainRng, uniform};
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model, Posterior};
use hlm::predict::{CannotPredict, Fit, predict};
use hlm::session;
use hlm::source::SourceMap;
use hlm::tables::{MissingPolicy, Options, Sources, Table};
use programs::{Case, all, case, folder};

/// Of the random points and generated quantities.
const SEED: u64 = 20_260_101;

/// Random positions, not far from the origin, where densities are neither 0 nor flat.
fn points(dimension: usize) -> Vec<Vec<f64>> {
    let mut rng = ChainRng::new(SEED, 0, 0);
    let mut coordinate = || uniform(&mut rng, -1.0, 1.0);
    let mut point = || (0..dimension).map(|_| coordinate()).collect();
    (0..20).map(|_| point()).collect()
}

fn assert_close(case: &str, what: &str, left: f64, right: f64) {
    let tolerance = 1e-10 * (1.0 + left.abs().max(right.abs()));
    assert!(
        (left - right).abs() <= tolerance || (left.is_nan() && right.is_nan()) || left == right,
        "{case}: {what} is {left}, but {right} in the expansion"
    );
}

#[test]
fn expansions_are_programs_with_the_same_log_density() {
    for case in all() {
        let text = case.expanded();
        let printed = Model::from_text("expanded.stan", &text);
        let printed = printed.unwrap_or_else(|failure| panic!("{}: {failure}\n{text}", case.name));
        let posterior = case.posterior(&case.model);
        let (_, tabled) = case.tabulate(&case.model);
        let options = BindOptions::default();
        let again = printed.bind_data(&tabled.data, &options);
        let again = again.unwrap_or_else(|failure| panic!("{}: {failure}", case.name));
        assert_eq!(posterior.dimension(), again.dimension(), "{}", case.name);
        let (mut left, mut right) = (posterior.density(), again.density());
        let mut finite = 0;
        for point in points(posterior.dimension()) {
            let (mut first, mut second) = (vec![0.0; point.len()], vec![0.0; point.len()]);
            let one = left.log_density_gradient(&point, &mut first);
            let two = right.log_density_gradient(&point, &mut second);
            let (Ok(one), Ok(two)) = (one, two) else {
                continue;
            };
            finite += usize::from(one.is_finite());
            assert_close(&case.name, "the log density", one, two);
            for (one, two) in first.iter().zip(&second) {
                assert_close(&case.name, "a derivative", *one, *two);
            }
        }
        assert!(
            finite >= 15,
            "{}: {finite} of 20 points have a density",
            case.name
        );
    }
}

#[test]
fn log_lik_sums_to_the_likelihood() {
    for case in all() {
        let generate = Generate {
            replicates: true,
            log_lik: true,
        };
        let model = case.lowered_for(&Purpose::Fit {
            generate,
            missing: MissingValues::default(),
        });
        let plan = model.program().equations.as_ref().unwrap().plan.clone();
        let posterior = case.posterior(&model);
        let constants = Likelihood::of(&case);
        let mut drawer = posterior.drawer();
        let mut values = vec![0.0; drawer.width()];
        let mut compared = 0;
        for point in points(posterior.dimension()) {
            let mut rng = ChainRng::new(SEED, 1, 0);
            if drawer.values(&point, &mut rng, &mut values).is_err() {
                continue;
            }
            let Some(expected) = constants.at(&point) else {
                continue;
            };
            let names = plan
                .observed
                .iter()
                .filter_map(|seen| seen.log_lik.as_ref());
            let names: Vec<&String> = names.collect();
            let is_term = |name: &str| names.iter().any(|own| is_element(name, own));
            let columns = posterior.columns().iter().zip(&values);
            let terms = columns.filter(|(column, _)| is_term(&column.name));
            let sum: f64 = terms.map(|(_, value)| value).sum();
            let (expected, scale) = expected;
            let what = format!("{}: the log likelihood is {sum}, not {expected}", case.name);
            assert!((sum - expected).abs() <= 1e-10 * (1.0 + scale), "{what}");
            compared += 1;
        }
        assert!(compared >= 15, "{}: {compared} of 20 points", case.name);
    }
}

fn is_element(column: &str, variable: &str) -> bool {
    let rest = column.strip_prefix(variable);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The likelihood by itself: the log density with all constants, less that of the program without its observed statements.
struct Likelihood {
    whole: Posterior,
    prior: Posterior,
}

impl Likelihood {
    fn of(case: &Case) -> Likelihood {
        let options = hlm::check::CheckOptions {
            keep_constants: true,
        };
        let text = case.expanded();
        let observed = observed_statements(case);
        let program = case.model.program();
        let mut prior = program.syntax.clone();
        let block = prior.model.as_mut().unwrap();
        block.items.retain(|item| !observed.contains(&item.span));
        let prior = hlm::syntax::format_program(&prior);
        let (_, tabled) = case.tabulate(&case.model);
        let bind = |text: &str| {
            let model = Model::with_options("expanded.stan", text, &options);
            let model = model.unwrap_or_else(|failure| panic!("{failure}"));
            model
                .bind_data(&tabled.data, &BindOptions::default())
                .unwrap()
        };
        Likelihood {
            whole: bind(&text),
            prior: bind(&prior),
        }
    }

    /// The log likelihood, and the size of the numbers whose difference it is.
    fn at(&self, point: &[f64]) -> Option<(f64, f64)> {
        let mut gradient = vec![0.0; point.len()];
        let whole = self
            .whole
            .density()
            .log_density_gradient(point, &mut gradient);
        let prior = self
            .prior
            .density()
            .log_density_gradient(point, &mut gradient);
        let (whole, prior) = (whole.ok()?, prior.ok()?);
        Some((whole - prior, whole.abs() + prior.abs()))
    }
}

/// The places of statements that say how probable data are.
fn observed_statements(case: &Case) -> Vec<hlm::source::Span> {
    use hlm::equation::tree::{Purpose, StatementKind};
    let equations = case.model.program().equations.as_ref().unwrap();
    let is_observed = |kind: &StatementKind| match kind {
        StatementKind::Draw { purpose, .. } => matches!(purpose, Purpose::Observation(_)),
        StatementKind::Target { .. } => true,
        StatementKind::Define { .. } => false,
    };
    let statements = equations.model.statements.iter();
    statements
        .filter(|statement| is_observed(&statement.kind))
        .map(|statement| statement.span)
        .collect()
}

#[test]
fn priors_predict_data() {
    for case in all() {
        let model = case.lowered_for(&Purpose::Prior);
        let text = session::expand(model.program());
        let printed = Model::from_text("prior.stan", &text);
        printed.unwrap_or_else(|failure| panic!("{}: {failure}\n{text}", case.name));
        let posterior = case.posterior(&model);
        let mut drawer = posterior.drawer();
        let mut values = vec![0.0; drawer.width()];
        let origin = vec![0.1; posterior.dimension()];
        let drawn = drawer.values(&origin, &mut ChainRng::new(SEED, 0, 0), &mut values);
        drawn.unwrap_or_else(|stop| panic!("{}: {stop}", case.name));
        assert!(
            values.iter().all(|value| value.is_finite()),
            "{}: {values:?}",
            case.name
        );
    }
}

#[test]
fn models_with_an_order_of_draws_need_no_sampler_for_their_prior() {
    for name in ["01_eight_schools", "02_spend", "03_radon", "09_random_walk"] {
        let case = case(name);
        let posterior = case.posterior(&case.lowered_for(&Purpose::Prior));
        assert_eq!(posterior.dimension(), 0, "{name}");
    }
    for name in ["14_bym", "11_mixture"] {
        let case = case(name);
        let posterior = case.posterior(&case.lowered_for(&Purpose::Prior));
        assert!(posterior.dimension() > 0, "{name}");
    }
}

/// To be read: what people see who ask what their model stands for.
#[test]
fn expansions_read_as_a_person_would_write_them() {
    for name in ["01_eight_schools", "02_spend", "03_radon"] {
        let case = case(name);
        let expanded = case.expanded();
        let path = folder().join("expanded").join(format!("{name}.stan"));
        if std::env::var_os("HLM_BLESS").is_some() {
            fs::write(&path, &expanded).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        assert_eq!(expanded, expected, "HLM_BLESS=1 accepts the change");
    }
}

/// Cases whose likelihood is a term of the target, or whose rows cannot be predicted one by one.
const UNPREDICTABLE: [&str; 5] = [
    "11_mixture",
    "13_gaussian_process",
    "14_bym",
    "15_occupancy",
    "18_survival",
];

#[test]
fn predictions_are_programs() {
    for case in all() {
        let purpose = Purpose::Predict(Prediction::default());
        let lowered = case.model.for_purpose(&purpose);
        if UNPREDICTABLE.contains(&case.name.as_str()) {
            assert!(lowered.is_err(), "{}", case.name);
            continue;
        }
        let lowered = lowered.unwrap_or_else(|failure| panic!("{}: {failure}", case.name));
        let text = session::expand(lowered.program());
        let printed = Model::from_text("predict.stan", &text);
        printed.unwrap_or_else(|failure| panic!("{}: {failure}\n{text}", case.name));
    }
}

/// New rows like those of the fit, in every model: each has as many draws as the fit, all of them numbers.
#[test]
fn new_rows_have_predictions() {
    let mut rows = 0;
    for case in all() {
        if UNPREDICTABLE.contains(&case.name.as_str()) {
            continue;
        }
        let posterior = case.posterior(&case.model);
        let draws = transformed(&posterior);
        let columns = posterior.transformed_columns().iter().zip(&draws);
        let fit = Fit {
            posterior: &posterior,
            columns: columns
                .map(|(column, draws)| (column.name.as_str(), vec![draws.as_slice()]))
                .collect(),
        };
        let mut sources = case.sources.clone();
        sources.follow(posterior.sets());
        let mut tables: Vec<Table> = case.sources.tables().cloned().collect();
        tables.extend(rows_of_json(&case.name));
        for table in &tables {
            sources.add_table(table.clone(), None);
        }
        let predicted = predict(&fit, &sources, &Prediction::default(), SEED);
        if case.name == "09_autoregression" {
            // The first week of a subject has none before it.
            let Err(CannotPredict::Because(reason)) = predicted else {
                panic!("{predicted:?}");
            };
            assert!(
                reason.contains("row 1 of the new rows has no `y` 1 before it"),
                "{reason}"
            );
            continue;
        }
        let predicted = predicted.unwrap_or_else(|reason| match reason {
            CannotPredict::Because(sentence) => panic!("{}: {sentence}", case.name),
            CannotPredict::Failure(failure) => panic!("{}: {failure}", case.name),
        });
        assert!(!predicted.outcomes.is_empty(), "{}", case.name);
        for outcome in &predicted.outcomes {
            let (name, count) = (&case.name, draws[0].len());
            if let [table] = tables.as_slice() {
                rows += table.rows;
                assert_eq!(
                    outcome.observations.len(),
                    table.rows,
                    "{name}: {outcome:?}"
                );
            }
            for draws in outcome.observations.iter().chain(&outcome.means) {
                assert_eq!(draws.len(), count, "{name}");
                assert!(
                    draws.iter().all(|draw| draw.is_finite()),
                    "{name}: {outcome:?}"
                );
            }
        }
    }
    assert!(rows > 100, "{rows} rows were predicted");
}

/// The longest arrays of a case's JSON, as a table: its rows. `None` where there are matrices, too.
fn rows_of_json(name: &str) -> Option<Table> {
    let bytes = fs::read(folder().join("data").join(format!("{name}.json"))).ok()?;
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let arrays = json.as_object().unwrap().iter();
    let arrays = arrays.filter_map(|(name, value)| Some((name, value.as_array()?)));
    let arrays: Vec<_> = arrays.collect();
    let longest = arrays.iter().map(|(_, array)| array.len()).max()?;
    if arrays.iter().any(|(_, array)| array[0].is_array()) {
        return None;
    }
    let columns: Vec<_> = (arrays.into_iter())
        .filter(|(_, array)| array.len() == longest)
        .collect();
    let names = columns.iter().map(|(name, _)| name.as_str());
    let mut text = names.collect::<Vec<_>>().join(",");
    for row in 0..longest {
        let cells = columns.iter().map(|(_, array)| array[row].to_string());
        text.push('\n');
        text.push_str(&cells.collect::<Vec<_>>().join(","));
    }
    let read = hlm::tables::read_csv(&mut SourceMap::new(), "rows.csv", text.as_bytes());
    Some(read.unwrap())
}

/// Parameters and transformed parameters at some points, column by column.
fn transformed(posterior: &Posterior) -> Vec<Vec<f64>> {
    let mut drawer = posterior.transformer();
    let mut values = vec![0.0; drawer.width()];
    let mut draws = vec![Vec::new(); posterior.transformed_columns().len()];
    let mut rng = ChainRng::new(SEED, 0, 0);
    for point in points(posterior.dimension()) {
        if drawer.values(&point, &mut rng, &mut values).is_ok() {
            for (draws, value) in draws.iter_mut().zip(&values) {
                draws.push(*value);
            }
        }
    }
    draws
}

/// At the rows and levels of the fit, a prediction copies what the fit had, and `mean(age)` keeps its value.
#[test]
fn predictions_at_fitted_rows_copy_the_fit() {
    for (name, outcome, mean) in [
        ("03_radon", "log_radon", radon_mean as Mean),
        ("19_growth", "height", growth_mean as Mean),
    ] {
        let case = case(name);
        let fit = case.posterior(&case.model);
        let point = points(fit.dimension()).remove(0);
        let mut drawer = fit.transformer();
        let mut values = vec![0.0; drawer.width()];
        let mut rng = ChainRng::new(SEED, 0, 0);
        drawer.values(&point, &mut rng, &mut values).unwrap();
        let columns = fit.transformed_columns();
        let fitted = |name: &str| {
            let place = columns.iter().position(|column| column.name == name);
            values[place.unwrap_or_else(|| panic!("{name}"))]
        };

        let lowered = case.lowered_for(&Purpose::Predict(Prediction::default()));
        let (lowered, mut tabled) = case.tabulate(&lowered);
        let plan = lowered.program().equations.as_ref().unwrap().plan.clone();
        for input in &plan.inputs {
            let value = match &input.source {
                InputSource::FittedSize(set) => {
                    DataValue::int(vec![tabled.labels[set.0].len() as i64], Vec::new())
                }
                InputSource::Frozen(name) if name == "mean_age" => {
                    DataValue::real(vec![6.0], Vec::new())
                }
                InputSource::Frozen(_) => DataValue::real(vec![0.5], Vec::new()),
                _ => continue,
            };
            tabled.data.set(&input.name, value);
        }
        let options = BindOptions::default();
        let bound = lowered.fill_tabled(&tabled, &options).unwrap();
        let prediction = lowered.compile(bound, &options).unwrap();
        let position = prediction.unconstrain(&|name| {
            let (variable, rest) = name.split_once('.').unwrap_or((name, ""));
            let mut parameters = plan.fitted.iter();
            let known = parameters.find(|known| known.parameter == variable)?;
            Some(match rest {
                "" => fitted(&known.variable),
                rest => fitted(&format!("{}.{rest}", known.variable)),
            })
        });
        let mut drawer = prediction.drawer();
        let mut predicted = vec![0.0; drawer.width()];
        drawer
            .values(&position.unwrap(), &mut rng, &mut predicted)
            .unwrap();
        for row in 0..3 {
            let column = format!("{outcome}_mean.{}", row + 1);
            let columns = prediction.columns();
            let place = columns.iter().position(|own| own.name == column);
            let expected = mean(&fitted, &tabled.data, row);
            assert_close(name, &column, predicted[place.unwrap()], expected);
        }
    }
}

type Mean = fn(&dyn Fn(&str) -> f64, &Data, usize) -> f64;

fn radon_mean(fitted: &dyn Fn(&str) -> f64, data: &Data, row: usize) -> f64 {
    let county = element(data, "county", row);
    fitted(&format!("a.{county}")) + fitted("b") * element(data, "basement", row)
}

/// With the mean and standard deviation of age that the prediction was given.
fn growth_mean(fitted: &dyn Fn(&str) -> f64, data: &Data, row: usize) -> f64 {
    let child = element(data, "child", row);
    let z = (element(data, "age", row) - 6.0) / 0.5;
    let coefficient = |at: usize| fitted(&format!("b.{child}.{at}"));
    coefficient(1) + coefficient(2) * z + coefficient(3) * z * z
}

fn element(data: &Data, name: &str, row: usize) -> f64 {
    match &data.get(name).unwrap().value.as_ref().unwrap().kind {
        DataKind::Int(values) => values[row] as f64,
        DataKind::Real(values) => values[row],
        other => panic!("{name}: {other:?}"),
    }
}

/// Missing covariates are unknowns with their statement's distribution; missing outcomes have no statement.
#[test]
fn missing_values_are_imputed_or_dropped() {
    const BY_HAND: &str = "
data { int N; vector[N] y; vector[N] age; }
parameters {
  real a; real b; real<lower=0> sigma; real mu_age; real<lower=0> s_age; vector[2] gap;
}
model {
  vector[N] whole = age;
  whole[2] = gap[1];
  whole[5] = gap[2];
  for (i in 1:N) if (i != 3) y[i] ~ normal(a + b * whole[i], sigma);
  whole ~ normal(mu_age, s_age);
  [a, b, mu_age] ~ normal(0, 5);
  [sigma, s_age] ~ exponential(1);
}";
    let table = "y,age\n1.2,3.4\n0.3,NA\nNA,4.0\n2.2,5.1\n0.4,NA\n0.9,3.8\n";
    let json = r#"{"N": 6, "y": [1.2, 0.3, 0, 2.2, 0.4, 0.9], "age": [3.4, 0, 4.0, 5.1, 0, 3.8]}"#;
    let case = case("16_missing");
    let mut sources = Sources::new(&case.model.program().sources);
    sources.add_csv("ages.csv", table.as_bytes(), None).unwrap();
    let policies = Options {
        by_column: vec![
            ("age".to_string(), MissingPolicy::Impute),
            ("y".to_string(), MissingPolicy::Drop),
        ],
        ..Options::default()
    };
    let generate = Generate {
        replicates: true,
        log_lik: true,
    };
    let model = case.lowered_for(&Purpose::Fit {
        generate,
        missing: MissingValues::default(),
    });
    let (model, tabled) = model.tabulate(&sources, &policies).unwrap();
    let options = BindOptions::default();
    let bound = model.fill_tabled(&tabled, &options).unwrap();
    let posterior = model.compile(bound, &options).unwrap();
    let by_hand = Model::from_text("by_hand.stan", BY_HAND).unwrap();
    let by_hand = by_hand
        .bind_json("ages.json", json.as_bytes(), &options)
        .unwrap();

    assert_eq!(posterior.dimension(), by_hand.dimension());
    let names = |posterior: &Posterior| -> Vec<String> {
        let columns = posterior.columns().iter();
        columns.map(|column| column.name.clone()).collect()
    };
    let (mut left, mut right) = (posterior.drawer(), by_hand.drawer());
    let (columns, others) = (names(&posterior), names(&by_hand));
    for point in points(posterior.dimension()) {
        let mut rng = ChainRng::new(SEED, 0, 0);
        let (mut values, mut same) = (vec![0.0; left.width()], vec![0.0; right.width()]);
        left.values(&point, &mut rng, &mut values).unwrap();
        // The same parameters may stand in another order.
        let position = by_hand.unconstrain(&|name| {
            let name = name.replace("gap", "age_missing");
            let place = columns.iter().position(|own| *own == name)?;
            Some(values[place])
        });
        let position = position.unwrap();
        right.values(&position, &mut rng, &mut same).unwrap();
        assert_eq!(others.len(), same.len());
        let mut gradient = vec![0.0; point.len()];
        let one = posterior
            .density()
            .log_density_gradient(&point, &mut gradient);
        let two = by_hand
            .density()
            .log_density_gradient(&position, &mut gradient);
        assert_close("16_missing", "the log density", one.unwrap(), two.unwrap());
        // What was not observed has no log likelihood.
        for missing in ["log_lik_y.3", "log_lik_age.2", "log_lik_age.5"] {
            let place = columns.iter().position(|own| own == missing).unwrap();
            assert_eq!(values[place], 0.0, "{missing}");
        }
    }
}
