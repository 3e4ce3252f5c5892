//! The examples in equation form have the posteriors of programs in block form that were written by hand (tests/by_hand),
//! as one writes them in Stan: vectorised, and with effects in units of their scale where that samples better. These get
//! their data from the CSV files by the few lines below, not by the tables that are tested. The model of the talk, besides,
//! recovers what its table was simulated with.

#![allow(clippy::unwrap_used)]

use hlm::mcmc::Settings;
use hlm::model::{BindOptions, Model, Posterior};
use hlm::run::{Draws, RunSettings, Statistic};
use hlm::summary::Summariser;
use programs::{Case, example};
use std::fmt::Write;
use std::fs;
use std::path::Path;

mod programs;

/// A CSV file, column by column.
struct Table {
    columns: Vec<(String, Vec<String>)>,
}

impl Table {
    fn read(path: &str) -> Table {
        let text = fs::read_to_string(example(path)).unwrap();
        let mut lines = text.lines();
        let names = lines.next().unwrap().split(',');
        let mut columns: Vec<_> = names.map(|name| (name.to_string(), Vec::new())).collect();
        for line in lines {
            for ((_, column), cell) in columns.iter_mut().zip(line.split(',')) {
                column.push(cell.to_string());
            }
        }
        Table { columns }
    }

    fn column(&self, name: &str) -> &[String] {
        let mut columns = self.columns.iter();
        &columns.find(|(own, _)| own == name).unwrap().1
    }

    fn rows(&self) -> usize {
        self.columns[0].1.len()
    }

    fn numbers(&self, name: &str) -> String {
        format!("[{}]", self.column(name).join(", "))
    }

    /// The different texts of a column: by size if they are numbers.
    fn levels(&self, name: &str) -> Vec<&str> {
        let mut levels: Vec<&str> = self.column(name).iter().map(String::as_str).collect();
        levels.sort_by_key(|level| (level.parse::<i64>().unwrap_or(0), *level));
        levels.dedup();
        levels
    }

    fn codes(&self, name: &str) -> String {
        let levels = self.levels(name);
        let code = |cell: &String| 1 + levels.iter().position(|level| level == cell).unwrap();
        let codes: Vec<String> = self
            .column(name)
            .iter()
            .map(|cell| code(cell).to_string())
            .collect();
        format!("[{}]", codes.join(", "))
    }

    /// For each level of one column the code of the other's.
    fn parents(&self, child: &str, parent: &str) -> String {
        let levels = self.levels(parent);
        let parent_of = |level: &&str| {
            let row = self.column(child).iter().position(|cell| cell == level);
            let parent = &self.column(parent)[row.unwrap()];
            (1 + levels.iter().position(|level| level == parent).unwrap()).to_string()
        };
        let children = self.levels(child);
        let codes: Vec<String> = children.iter().map(parent_of).collect();
        format!("[{}]", codes.join(", "))
    }
}

/// A JSON object of texts that are JSON already.
fn json(members: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in members {
        let comma = if text.is_empty() { '{' } else { ',' };
        let _ = write!(text, "{comma}\"{name}\": {value}");
    }
    text + "}"
}

/// Where a hierarchy is centred, small steps are what keeps it out of trouble.
fn settings(warmup: usize, samples: usize, target_accept: f64) -> RunSettings {
    let mut sampler = Settings {
        seed: 1,
        warmup,
        samples,
        ..RunSettings::default().sampler
    };
    sampler.step_size.adaptation.target_accept = target_accept;
    RunSettings {
        sampler,
        ..RunSettings::default()
    }
}

fn drawn(posterior: &Posterior, settings: &RunSettings) -> Draws {
    let draws = posterior.sample(settings);
    draws.unwrap_or_else(|error| panic!("{error}"))
}

fn equation(model: &str, tables: &[&str], settings: &RunSettings) -> Draws {
    let tables: Vec<_> = tables.iter().map(|table| example(table)).collect();
    let case = Case::read(model.to_string(), &example(model), &tables);
    drawn(&case.posterior(&case.model), settings)
}

fn block(path: &Path, data: &str, settings: &RunSettings) -> Draws {
    let text = fs::read_to_string(path).unwrap();
    let name = path.display().to_string();
    let model = Model::from_text(&name, &text).unwrap_or_else(|failure| panic!("{failure}"));
    let bound = model.bind_json("data.json", data.as_bytes(), &BindOptions::default());
    drawn(
        &bound.unwrap_or_else(|failure| panic!("{failure}")),
        settings,
    )
}

fn by_hand(name: &str, data: &[(&str, String)], settings: &RunSettings) -> Draws {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/by_hand");
    block(&folder.join(name), &json(data), settings)
}

/// Names are those of files, `theta.1`: levels stand in the same order.
fn assert_same_posterior(one: &Draws, other: &Draws, names: &[&str]) {
    for name in names {
        let [(mean, error), (other, other_error)] = [one, other].map(|draws| {
            let chains = draws.get(name).unwrap_or_else(|| panic!("{name}"));
            let found = Summariser::new(&[0.5]).summarise(&chains);
            (found.mean, found.mcse_mean)
        });
        let distance = (mean - other).abs() / error.hypot(other_error);
        println!("{name}: {mean:.4} and {other:.4}, {distance:.1} errors apart");
        assert!(
            distance < 4.0,
            "{name}: {mean} and {other}, {distance} errors apart"
        );
    }
}

#[test]
fn eight_schools() {
    let table = Table::read("eight_schools/schools.csv");
    let data = [
        ("J", table.rows().to_string()),
        ("effect", table.numbers("effect")),
        ("se", table.numbers("se")),
    ];
    let (model, file) = (
        "eight_schools/eight_schools_equation.hlm",
        "eight_schools/schools.csv",
    );
    let one = equation(model, &[file], &settings(2000, 5000, 0.99));
    let other = by_hand("eight_schools.stan", &data, &settings(1000, 2000, 0.95));
    let names = ["mu", "tau", "theta.1", "theta.3", "theta.7"];
    assert_same_posterior(&one, &other, &names);
}

#[test]
fn schools() {
    let table = Table::read("schools/students.csv");
    let data = [
        ("N", table.rows().to_string()),
        ("J", table.levels("school").len().to_string()),
        ("school", table.codes("school")),
        ("score", table.numbers("score")),
    ];
    let settings = settings(1000, 1000, 0.9);
    let one = equation("schools/schools.hlm", &["schools/students.csv"], &settings);
    let other = by_hand("schools.stan", &data, &settings);
    let names = ["mu", "tau", "sigma", "theta.1", "theta.9", "theta.16"];
    assert_same_posterior(&one, &other, &names);
}

#[test]
fn classrooms() {
    let settings = settings(1000, 1000, 0.8);
    let (model, file) = (
        "classrooms/classrooms_equation.hlm",
        "classrooms/pupils.csv",
    );
    let one = equation(model, &[file], &settings);
    let data = fs::read_to_string(example("classrooms/classrooms.json")).unwrap();
    let other = block(&example("classrooms/classrooms.hlm"), &data, &settings);
    let names = ["mu", "tau", "sigma", "theta.1", "theta.7", "theta.12"];
    assert_same_posterior(&one, &other, &names);
}

#[test]
fn radon() {
    let houses = Table::read("radon/houses.csv");
    let counties = Table::read("radon/counties.csv");
    let data = [
        ("N", houses.rows().to_string()),
        ("J", counties.rows().to_string()),
        ("county", houses.codes("county")),
        ("floor_of_house", houses.numbers("floor")),
        ("log_radon", houses.numbers("log_radon")),
        ("log_uranium", counties.numbers("log_uranium")),
    ];
    let settings = settings(1000, 1000, 0.9);
    let tables = ["radon/houses.csv", "radon/counties.csv"];
    let one = equation("radon/radon.hlm", &tables, &settings);
    let other = by_hand("radon.stan", &data, &settings);
    let names = ["b", "g0", "g1", "s_a", "sigma", "a.1", "a.42", "a.70"];
    assert_same_posterior(&one, &other, &names);
}

#[test]
fn sleep() {
    let table = Table::read("sleep/tests.csv");
    let data = [
        ("N", table.rows().to_string()),
        ("S", table.levels("subject").len().to_string()),
        ("subject", table.codes("subject")),
        ("days", table.numbers("days")),
        ("reaction", table.numbers("reaction")),
    ];
    let centred = settings(1000, 2000, 0.99);
    let one = equation("sleep/sleep.hlm", &["sleep/tests.csv"], &centred);
    let other = by_hand("sleep.stan", &data, &settings(1000, 1000, 0.9));
    let names = [
        "mu.1", "mu.2", "tau.1", "tau.2", "L.2.1", "sigma", "b.1.1", "b.3.2", "b.18.2",
    ];
    assert_same_posterior(&one, &other, &names);
}

#[test]
fn hospitals() {
    let table = Table::read("hospitals/hospitals.csv");
    let data = [
        ("J", table.rows().to_string()),
        ("operations", table.numbers("operations")),
        ("deaths", table.numbers("deaths")),
    ];
    let file = "hospitals/hospitals.csv";
    let one = equation(
        "hospitals/hospitals.hlm",
        &[file],
        &settings(1000, 2000, 0.95),
    );
    let other = by_hand("hospitals.stan", &data, &settings(1000, 1000, 0.9));
    let names = ["mu", "tau", "a.1", "a.2", "risk.1", "risk.8"];
    assert_same_posterior(&one, &other, &names);
}

#[test]
fn junctions() {
    let table = Table::read("junctions/accidents.csv");
    let data = [
        ("J", table.rows().to_string()),
        ("D", table.levels("district").len().to_string()),
        ("district", table.codes("district")),
        ("years", table.numbers("years")),
        ("roundabout", table.numbers("roundabout")),
        ("accidents", table.numbers("accidents")),
    ];
    let file = "junctions/accidents.csv";
    let one = equation(
        "junctions/junctions.hlm",
        &[file],
        &settings(1000, 3000, 0.98),
    );
    let other = by_hand("junctions.stan", &data, &settings(1000, 1000, 0.9));
    let names = [
        "mu",
        "b",
        "s_junction",
        "s_district",
        "g.1",
        "g.6",
        "a.1",
        "a.60",
    ];
    assert_same_posterior(&one, &other, &names);
}

#[test]
fn words() {
    let table = Table::read("words/trials.csv");
    let data = [
        ("N", table.rows().to_string()),
        ("R", table.levels("reader").len().to_string()),
        ("W", table.levels("word").len().to_string()),
        ("reader", table.codes("reader")),
        ("word", table.codes("word")),
        ("rare", table.numbers("rare")),
        ("log_time", table.numbers("log_time")),
    ];
    let settings = settings(1000, 1000, 0.8);
    let one = equation("words/words.hlm", &["words/trials.csv"], &settings);
    let other = by_hand("words.stan", &data, &settings);
    let names = [
        "mu",
        "b",
        "s_reader",
        "s_word",
        "sigma",
        "a_reader.1",
        "a_word.40",
    ];
    assert_same_posterior(&one, &other, &names);
}

/// What examples/simulate.rs started from, by the names of the summary.
fn truth() -> Vec<(String, f64)> {
    let text = fs::read_to_string(example("spend/truth.csv")).unwrap();
    let rows = text.lines().skip(1);
    let row = |line: &str| {
        let (name, value) = line.rsplit_once(',').unwrap();
        (name.trim_matches('"').to_string(), value.parse().unwrap())
    };
    rows.map(row).collect()
}

/// Whether a value lies between the 2.5 and 97.5 % quantiles.
fn is_inside(draws: &Draws, name: &str, value: f64) -> bool {
    let chains = draws.get(name).unwrap_or_else(|| panic!("{name}"));
    let found = Summariser::new(&[0.025, 0.975]).summarise(&chains);
    (found.quantiles[0]..=found.quantiles[1]).contains(&value)
}

#[test]
fn spend() {
    let equations = equation(
        "spend/spend.hlm",
        &["spend/ads.csv"],
        &settings(1000, 1000, 0.8),
    );

    // The geometry is kind.
    let statistic = |which: Statistic| {
        let chains = equations.chains().iter();
        chains.flat_map(move |chain| chain.statistic(which).iter().copied())
    };
    let divergences: f64 = statistic(Statistic::Divergent).sum();
    let depth = statistic(Statistic::TreeDepth).fold(0.0, f64::max);
    assert!(divergences <= 10.0, "{divergences} divergences");
    assert!(depth < 10.0, "tree depth {depth}");
    let scales = [
        "nu",
        "sigma",
        "s_country",
        "s_vertical",
        "s_region",
        "s_industry",
    ];
    for name in scales {
        let found = Summariser::new(&[0.5]).summarise(&equations.get(name).unwrap());
        assert!(
            found.ess_bulk > 400.0,
            "{name}: effective draws {}",
            found.ess_bulk
        );
        assert!(found.rhat < 1.02, "{name}: R-hat {}", found.rhat);
    }

    // The truth is found.
    let truth = truth();
    for (name, value) in &truth[..scales.len()] {
        assert!(scales.contains(&name.as_str()), "{name}");
        assert!(is_inside(&equations, name, *value), "{name} is not {value}");
    }
    let share = |name: &str| {
        let elements = truth.iter().filter(|(own, _)| own.starts_with(name));
        let inside: Vec<bool> = elements
            .map(|(name, value)| is_inside(&equations, name, *value))
            .collect();
        let count = inside.iter().filter(|inside| **inside).count();
        println!("{name}: {count} of {}", inside.len());
        count as f64 / inside.len() as f64
    };
    // Elements of a level miss together, so that a share of few is not as near to 95 % as one of many.
    for (name, least) in [
        ("beta[", 0.92),
        ("d_country[", 0.85),
        ("d_vertical[", 0.85),
        ("d_region[", 0.7),
        ("d_industry[", 0.7),
    ] {
        let share = share(name);
        assert!(share >= least, "{name}: {share}");
    }

    let ads = Table::read("spend/ads.csv");
    let levels = |name: &str| ads.levels(name).len().to_string();
    let data = [
        ("N", ads.rows().to_string()),
        ("J", levels("country")),
        ("K", levels("vertical")),
        ("L", levels("region")),
        ("M", levels("industry")),
        ("country", ads.codes("country")),
        ("vertical", ads.codes("vertical")),
        ("region", ads.parents("country", "region")),
        ("industry", ads.parents("vertical", "industry")),
        ("spend", ads.numbers("spend")),
        ("bid", ads.numbers("bid")),
        ("y", ads.numbers("y")),
    ];
    let other = by_hand("spend.stan", &data, &settings(500, 500, 0.8));
    assert_same_posterior(&equations, &other, &scales);
    let elements = ["d_region.1.1", "d_region.6.2", "d_industry.3.3"];
    assert_same_posterior(&equations, &other, &elements);
}
