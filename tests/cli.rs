//! The command line as its users meet it: what it prints, where it writes, and how it ends.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use command::Said;
use hlm::io::draws_csv::read_draws_csv;
use serde_json::Value;

const SCHOOLS: &str = "examples/eight_schools/eight_schools.hlm";
const SCHOOLS_DATA: &str = "examples/eight_schools/eight_schools.json";

/// A folder of one test alone, removed when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("hlm-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Runs `hlm` here.
    fn hlm(&self, args: &[&str]) -> Said {
        let output = command(args).current_dir(&self.0).output().unwrap();
        Said::new(output)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = command::hlm();
    command.args(args);
    command
}

/// A file of the repository.
fn repository(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(path).display().to_string()
}

fn schools<'a>(model: &'a str, data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [
        &[
            "sample", model, "--data", data, "--warmup", "200", "--draws", "100",
        ],
        more,
    ]
    .concat()
}

#[test]
fn eight_schools_from_program_to_summary() {
    let scratch = Scratch::new("schools");
    let (model, data) = (repository(SCHOOLS), repository(SCHOOLS_DATA));
    let said = scratch
        .hlm(&schools(&model, &data, &["--seed", "3", "--output", "run"]))
        .ended(0);
    assert!(said.out.contains("R-hat"), "{}", said.out);
    for row in ["lp__", "mu ", "tau ", "theta[8]"] {
        assert!(
            said.out.lines().any(|line| line.starts_with(row)),
            "{row}\n{}",
            said.out
        );
    }
    assert!(said.out.ends_with("Draws: run\n"), "{}", said.out);
    for words in ["eight_schools: checked in", "compiled in", "seed 3"] {
        assert!(said.err.contains(words), "{}", said.err);
    }
    assert!(!said.err.contains('\u{1b}'), "colour although nobody looks");

    for chain in 1..=4 {
        let file =
            read_draws_csv(&scratch.0.join(format!("run/eight_schools-{chain}.csv"))).unwrap();
        assert_eq!(file.sample.rows, 100);
        assert!(file.column("theta.8").is_some());
    }
    let run: Value =
        serde_json::from_slice(&fs::read(scratch.path("run/run.json")).unwrap()).unwrap();
    assert_eq!(run["status"], "finished");
    assert_eq!(run["seed"], 3);
    assert_eq!(run["program"], fs::read_to_string(&model).unwrap());
    let digest = run["data"]["files"][0]["sha256"].as_str().unwrap();
    assert_eq!(digest, hlm::run::sha256(&fs::read(&data).unwrap()));

    let again = scratch
        .hlm(&schools(&model, &data, &["--output", "run"]))
        .ended(1);
    again.complains(&["already holds a run"]);
}

#[test]
fn the_seed_decides_whatever_the_threads() {
    let scratch = Scratch::new("seed");
    let (model, data) = (repository(SCHOOLS), repository(SCHOOLS_DATA));
    for (folder, threads) in [("one", "1"), ("three", "3")] {
        let more = [
            "--seed",
            "11",
            "--threads",
            threads,
            "--output",
            folder,
            "--quiet",
        ];
        let said = scratch.hlm(&schools(&model, &data, &more)).ended(0);
        assert_eq!(said.out, format!("{folder}\n"));
    }
    for chain in 1..=4 {
        let draws = |folder: &str| {
            let text =
                fs::read_to_string(scratch.path(&format!("{folder}/eight_schools-{chain}.csv")));
            let text = text.unwrap();
            let rows = text.lines().filter(|line| !line.starts_with('#'));
            rows.map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(draws("one"), draws("three"));
    }
}

/// A hierarchical logistic regression on so many rows that its sums run in parts.
const LONG: &str = "
data { int N; int J; array[N] int g; array[N] int y; vector[N] x; }
parameters { real mu; real<lower=0> tau; vector[J] alpha; real b; }
model {
  mu ~ normal(0, 5); tau ~ normal(0, 1); b ~ normal(0, 5);
  alpha ~ normal(mu, tau);
  y ~ bernoulli_logit(alpha[g] + b * x);
}
";

#[test]
fn threads_within_chains_change_no_draw() {
    let scratch = Scratch::new("within");
    let rows = 0..40_000;
    let groups: Vec<usize> = rows.clone().map(|row| row * 7 % 20 + 1).collect();
    let outcomes: Vec<usize> = rows.clone().map(|row| row * row % 7 % 2).collect();
    let covariate: Vec<f64> = rows.map(|row| (row as f64 * 0.3).sin()).collect();
    let data =
        serde_json::json!({"N": 40_000, "J": 20, "g": groups, "y": outcomes, "x": covariate});
    let model = scratch.write("long.hlm", LONG);
    let data = scratch.write("long.json", &data.to_string());
    let options = "--chains 2 --warmup 12 --draws 3 --max-depth 4 --seed 5 --quiet";
    for threads in ["1", "2", "4"] {
        let mut args = vec!["sample", &model, "--data", &data];
        args.extend(options.split_whitespace());
        args.extend(["--threads-per-chain", threads, "--output", threads]);
        scratch.hlm(&args).ended(0);
    }
    let draws = |threads: &str, chain: usize| -> Vec<String> {
        let path = scratch.path(&format!("{threads}/long-{chain}.csv"));
        let text = fs::read_to_string(path).unwrap();
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        rows.map(String::from).collect()
    };
    for chain in [1, 2] {
        assert_eq!(draws("1", chain).len(), 4);
        assert_eq!(draws("1", chain), draws("2", chain));
        assert_eq!(draws("1", chain), draws("4", chain));
    }
    let none = [
        "sample",
        &model,
        "--data",
        &data,
        "--threads-per-chain",
        "0",
    ];
    scratch
        .hlm(&none)
        .ended(1)
        .complains(&["--threads-per-chain must be from 1 to 1024"]);
}

#[test]
fn a_run_gets_a_folder_of_its_own() {
    let scratch = Scratch::new("folder");
    let model = scratch.write(
        "m.hlm",
        "parameters { real mu; } model { mu ~ normal(0, 1); }",
    );
    let args = [
        "sample", &model, "--warmup", "50", "--draws", "20", "--quiet",
    ];
    let first = scratch.hlm(&args).ended(0).out;
    let second = scratch.hlm(&args).ended(0).out;
    assert_ne!(first, second);
    assert!(first.starts_with("m-20"), "{first}");
    assert!(scratch.0.join(first.trim()).join("m-4.csv").exists());
}

#[test]
fn options_reach_the_sampler_and_the_file() {
    let scratch = Scratch::new("options");
    let model = scratch.write(
        "m.hlm",
        "parameters { vector[2] mu; } model { mu ~ normal(0, 1); }",
    );
    let init = scratch.write("init.json", r#"{"mu": [0.25, -0.5]}"#);
    let args = [
        "sample",
        &model,
        "--output",
        "run",
        "--chains",
        "1",
        "--warmup",
        "40",
        "--draws",
        "21",
        "--thin",
        "2",
        "--save-warmup",
        "--metric",
        "dense",
        "--target-accept",
        "0.9",
        "--max-depth",
        "5",
        "--step-size",
        "0.5",
        "--init",
        &init,
        "--sig-figs",
        "4",
        "--seed",
        "9",
    ];
    scratch.hlm(&args).ended(0);
    let file = read_draws_csv(&scratch.0.join("run/m-1.csv")).unwrap();
    assert_eq!((file.warmup.rows, file.sample.rows), (20, 11));
    let settings = [
        ("thin", "2"),
        ("save_warmup", "true"),
        ("metric", "dense_e"),
        ("delta", "0.9"),
        ("max_depth", "5"),
        ("stepsize", "0.5"),
        ("init", &init),
        ("sig_figs", "4"),
        ("seed", "9"),
    ];
    for (key, value) in settings {
        assert_eq!(file.header_value(key), Some(value), "{key}");
    }
    let longest = |number: &f64| {
        number
            .abs()
            .to_string()
            .replace('.', "")
            .trim_start_matches('0')
            .len()
    };
    assert!(
        file.column("mu.1")
            .unwrap()
            .iter()
            .all(|number| longest(number) <= 4)
    );
}

#[test]
fn large_variables_are_shown_in_part() {
    let scratch = Scratch::new("large");
    let model = scratch.write(
        "m.hlm",
        "parameters { vector[200] alpha; real mu; } model { alpha ~ normal(mu, 1); mu ~ normal(0, 1); } \
         generated quantities { vector[300] twice = append_row(alpha, rep_vector(mu, 100)); }",
    );
    let args = [
        "sample", &model, "--warmup", "100", "--draws", "50", "--output", "run", "--chains", "2",
    ];
    let said = scratch.hlm(&args).ended(0);
    assert!(said.out.lines().count() < 40, "{}", said.out);
    assert!(said.out.contains("mu"), "{}", said.out);
    assert!(
        said.out.contains("more of alpha") && said.out.contains("hlm summary run"),
        "{}",
        said.out
    );
    let whole = scratch.hlm(&["summary", "run"]).ended(0);
    assert_eq!(
        whole.out.lines().filter(|line| line.contains('[')).count(),
        500
    );
}

#[test]
fn summaries_choose_and_print_for_programs() {
    let scratch = Scratch::new("summary");
    let (model, data) = (repository(SCHOOLS), repository(SCHOOLS_DATA));
    scratch
        .hlm(&schools(
            &model,
            &data,
            &["--seed", "3", "--output", "run", "--quiet"],
        ))
        .ended(0);
    let chosen = scratch
        .hlm(&["summary", "run", "--vars", "tau", "--vars", "theta[?]"])
        .ended(0);
    assert_eq!(chosen.out.lines().count(), 10, "{}", chosen.out);
    let json = scratch
        .hlm(&["summary", "run/eight_schools-1.csv", "--format", "json"])
        .ended(0);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["chains"], 1);
    assert_eq!(json["rows"][1]["name"], "mu");
    assert!(json["warnings"][0]["message"].is_string());
    scratch
        .hlm(&["summary", "run", "--vars", "nu"])
        .ended(1)
        .complains(&["`nu`", "theta"]);
    scratch
        .hlm(&["summary", "nowhere"])
        .ended(1)
        .complains(&["no file or folder `nowhere`"]);
    scratch
        .hlm(&["summary", "."])
        .ended(1)
        .complains(&["no draws"]);
    scratch.hlm(&["summary"]).ended(2);
}

#[test]
fn a_model_without_parameters_simulates() {
    let scratch = Scratch::new("simulate");
    let model = scratch.write(
        "m.hlm",
        "generated quantities { real x = normal_rng(5, 0.1); }",
    );
    let said = scratch
        .hlm(&["sample", &model, "--draws", "50", "--output", "run"])
        .ended(0);
    assert!(said.err.contains("no parameters"), "{}", said.err);
    assert!(
        said.out.contains('x') && !said.out.contains("lp__"),
        "{}",
        said.out
    );
}

#[test]
fn a_model_that_cannot_start_says_why() {
    let scratch = Scratch::new("start");
    let model = scratch.write(
        "m.hlm",
        "parameters {\n  real s;\n}\nmodel {\n  1 ~ normal(0, s - 9);\n}\n",
    );
    let said = scratch
        .hlm(&["sample", &model, "--seed", "1", "--output", "run"])
        .ended(1);
    said.complains(&[
        "error[R0002]",
        "100",
        "m.hlm:5:",
        "must be positive",
        "hint",
    ]);
    // Nothing was made, so the place is free for the next attempt.
    assert!(!scratch.0.join("run/run.json").exists());
}

/// An index far from anything, in a loop that would run several rounds at once.
#[test]
fn a_wild_index_is_named() {
    let scratch = Scratch::new("wild");
    let model = scratch.write(
        "m.hlm",
        "data { int N; array[N] int g; vector[N] y; }
parameters { vector[5] alpha; }
model {
  for (n in 1:N) {
    y[n] ~ normal(alpha[g[n]] * exp(alpha[g[n]]), 1);
  }
}
",
    );
    let mut groups = [3; 64];
    groups[40] = 1_000_000_000;
    let data = serde_json::json!({"N": 64, "g": groups.as_slice(), "y": vec![0.5; 64]});
    let data = scratch.write("d.json", &data.to_string());
    let said = scratch
        .hlm(&["sample", &model, "--data", &data, "--output", "run"])
        .ended(1);
    said.complains(&[
        "error[R0001]",
        "m.hlm:5:",
        "index 1000000000",
        "size of `alpha` is 5",
    ]);
}

#[test]
fn a_model_that_fails_keeps_its_draws() {
    let scratch = Scratch::new("fails");
    let text = "transformed data { vector[2] v = [1, 2]'; }\nparameters { real mu; }\nmodel {\n  int k = 1;\n  \
                while (k < 3) { if (mu > 1.5) k += 5; k += 1; }\n  mu ~ normal(v[k - 2], 1);\n}\n";
    let model = scratch.write("m.hlm", text);
    let args = [
        "sample",
        &model,
        "--chains",
        "1",
        "--warmup",
        "0",
        "--step-size",
        "0.3",
        "--init",
        "0",
        "--seed",
        "1",
        "--output",
        "run",
    ];
    let said = scratch.hlm(&args).ended(1);
    said.complains(&["error[R0001]", "m.hlm:6:", "index", "are kept"]);
    let rows = read_draws_csv(&scratch.0.join("run/m-1.csv"))
        .unwrap()
        .sample
        .rows;
    assert!(rows > 0 && said.out.contains("mu"), "{rows}\n{}", said.out);
}

#[test]
fn failing_generated_quantities_are_a_warning() {
    let scratch = Scratch::new("generated");
    let text = "parameters { real mu; }\nmodel { mu ~ normal(0, 1); }\ngenerated quantities {\n  \
                real s = exponential_rng(mu);\n}\n";
    let model = scratch.write("m.hlm", text);
    let args = [
        "sample", &model, "--seed", "1", "--warmup", "100", "--draws", "50", "--output", "run",
    ];
    let said = scratch.hlm(&args).ended(0);
    said.complains(&["warning[R0003]", "m.hlm:4:"]);
    assert!(said.out.contains("draws are NaN"), "{}", said.out);
}

#[test]
fn wrong_programs_and_data_end_in_a_diagnostic() {
    let scratch = Scratch::new("wrong");
    let typo = scratch.write(
        "typo.hlm",
        "parameters { real mu; } model { mu ~ normol(0, 1); }",
    );
    let data_model = scratch.write("data.hlm", "data { int N; vector[N] y; } model { }");
    let short = scratch.write("short.json", r#"{"N": 3, "y": [1, 2]}"#);
    let broken = scratch.write("broken.json", r#"{"N": 3, "#);
    let bad_init = scratch.write("init.json", r#"{"mu": [1, 2]}"#);
    let fine = scratch.write(
        "fine.hlm",
        "parameters { real mu; } model { mu ~ normal(0, 1); }",
    );
    let cases: [(&[&str], &[&str]); 9] = [
        (
            &["sample", &typo],
            &["error[N0003]", "typo.hlm:1:", "normal"],
        ),
        (&["check", &typo], &["error[N0003]"]),
        (
            &["sample", &data_model],
            &["error[D0001]", "`N` and `y`", "--data FILE"],
        ),
        (
            &["check", &data_model, "--data", &short],
            &["error[D0002]", "short.json"],
        ),
        (
            &["sample", &data_model, "--data", &broken],
            &["error[D0009]", "broken.json"],
        ),
        (
            &["sample", "fin.hlm"],
            &["no program `fin.hlm`", "did you mean `fine.hlm`"],
        ),
        (&["sample", &fine, "--data", "."], &["is a folder"]),
        (
            &["sample", &fine, "--init", &bad_init],
            &["init.json", "`mu`", "shape"],
        ),
        (
            &["sample", &fine, "--target-accept", "1.5", "--thin", "0"],
            &["--target-accept must be", "--thin must be at least 1"],
        ),
    ];
    for (args, words) in cases {
        let said = scratch.hlm(args).ended(1);
        said.complains(words);
        assert_eq!(said.out, "");
    }
    scratch
        .hlm(&["sample", &fine, "--metric", "round"])
        .ended(2)
        .complains(&["diagonal"]);
    scratch.hlm(&["smaple"]).ended(2).complains(&["sample"]);
    let folders = fs::read_dir(&scratch.0)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), 0, "nothing ran, so nothing was written");
}

#[test]
fn stages_print() {
    let scratch = Scratch::new("stages");
    let (model, data) = (repository(SCHOOLS), repository(SCHOOLS_DATA));
    let stages = [
        ("tokens", "Name(\"J\")"),
        ("ast", "Program {"),
        ("ir", "target += sum normal_lpdf(y"),
        ("density", "procedure log_density {"),
        ("grad", "procedure gradient {"),
        ("clif", "function u0:0"),
    ];
    for (stage, words) in stages {
        let said = scratch
            .hlm(&["check", &model, "--data", &data, "--emit", stage])
            .ended(0);
        assert!(said.out.contains(words), "{stage}:\n{}", said.out);
    }
    let said = scratch.hlm(&["check", &model]).ended(0);
    assert!(
        said.out.is_empty() && said.err.contains("is fine"),
        "{}",
        said.err
    );
    scratch
        .hlm(&["check", &model, "--emit", "grad"])
        .ended(1)
        .complains(&["--data FILE"]);
}

fn points(said: &Said) -> Vec<Value> {
    said.out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn log_densities_at_points() {
    let scratch = Scratch::new("points");
    let text = "parameters { real<lower=0> s; } transformed parameters { real twice = 2 * s; } \
                model { if (s > 100) reject(\"too large\"); s ~ normal(1, 2); }";
    let model = scratch.write("m.hlm", text);
    let given = scratch.write(
        "points.json",
        r#"{"columns": ["twice", "s"], "points": [
            {"unconstrained": [0.5], "values": [3.2974425414002564, 1.6487212707001282]},
            {"unconstrained": [6], "values": [0, 403]}]}"#,
    );
    let s = 0.5_f64.exp();
    let (kernel, jacobian) = (-0.5 * ((s - 1.0) / 2.0).powi(2), 0.5);
    let constants = -2.0_f64.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
    let cases: [(&[&str], f64); 5] = [
        (&[], kernel + jacobian),
        (&["--full"], kernel + jacobian + constants),
        (&["--no-jacobian"], kernel),
        (&["--constrained"], kernel + jacobian),
        (&["--interpreter"], kernel + jacobian),
    ];
    for (more, expected) in cases {
        let args = [&["log-density", &model, "--points", &given], more].concat();
        let said = scratch.hlm(&args).ended(0);
        let lines = points(&said);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["columns"], serde_json::json!(["s", "twice"]));
        let found = lines[1]["log_density"].as_f64().unwrap();
        assert!(
            (found - expected).abs() < 1e-12,
            "{more:?}: {found} for {expected}"
        );
        let slope = -(s - 1.0) / 4.0 * s
            + if more.contains(&"--no-jacobian") {
                0.0
            } else {
                1.0
            };
        let found = lines[1]["gradient"][0].as_f64().unwrap();
        assert!(
            (found - slope).abs() < 1e-12,
            "{more:?}: {found} for {slope}"
        );
        let twice = lines[1]["values"][1].as_f64().unwrap();
        assert!((twice - 2.0 * s).abs() < 1e-12);
        assert_eq!(lines[2]["log_density"], "-Infinity");
        assert_eq!(lines[2]["gradient"], serde_json::json!(["NaN"]));
        assert!(
            lines[2]["reason"].as_str().unwrap().ends_with("too large"),
            "{}",
            lines[2]
        );
    }
    let wrong = scratch.write("wrong.json", r#"{"points": [{"unconstrained": [1, 2]}]}"#);
    let said = scratch
        .hlm(&["log-density", &model, "--points", &wrong])
        .ended(1);
    said.complains(&["point 1 has 2 unconstrained numbers"]);
    let args = ["log-density", &model, "--points", &wrong, "--constrained"];
    scratch.hlm(&args).ended(1).complains(&["`columns`"]);
    scratch.hlm(&["log-density", &model]).ended(2);
}

#[test]
fn the_prompt_reads_lines_from_elsewhere() {
    let scratch = Scratch::new("prompt");
    let mut child = command(&["repl"])
        .current_dir(&scratch.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "x = {1, 2,\n 3}\nsum(x) / 2.0\n:type x\nx[4]\n:quit\nnever read\n";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let said = Said::new(child.wait_with_output().unwrap()).ended(1);
    assert_eq!(
        said.out,
        "x = [1,2,3] : array[3] int\n3 : real\narray[] int\n"
    );
    said.complains(&["error[R0005]", "4"]);
}

#[test]
fn help_has_examples() {
    let scratch = Scratch::new("help");
    for command in ["sample", "summary", "check", "log-density"] {
        let said = scratch.hlm(&[command, "--help"]).ended(0);
        assert!(said.out.contains("Examples:"), "{}", said.out);
    }
    let said = scratch.hlm(&["help"]).ended(0);
    assert!(
        said.out.contains("hlm sample") && said.out.contains("Exit codes"),
        "{}",
        said.out
    );
}

/// Houses in counties, with a number per county from a table of its own.
const RADON: &str = "\
index i
index j = county[i]
index p = {1, floor}
data y[i], X[i, p], u[j], prior_sd
y[i] ~ normal(X[i] * b + a[j] + c[j, p], sigma)
a[j] ~ normal(g * u[j], tau)
b[p], c[j, p] ~ normal(0, prior_sd)
g ~ normal(0, 1)
sigma, tau ~ exponential(1)
";

const HOUSES: &str =
    "county,floor,y\nSt. Louis,0,1.1\nAitkin,1,0.2\nSt. Louis,1,0.9\nAitkin,0,0.4\nAitkin,NA,3\n";

const COUNTIES: &str = "u,county\n0.3,St. Louis\n0.1,Aitkin\n0.2,Cass\n";

#[test]
fn tables_and_labels_from_program_to_summary() {
    let scratch = Scratch::new("tables");
    let model = RADON
        .replace("a[j] + c[j, p]", "a[j]")
        .replace("b[p], c[j, p]", "b[p]");
    let model = scratch.write("radon.hlm", &model);
    let houses = scratch.write("houses.csv", HOUSES);
    let counties = scratch.write("counties.csv", COUNTIES);
    let data = [
        "--data",
        &houses,
        "--data",
        &format!("j={counties}"),
        "--set",
        "prior_sd=2",
    ];
    let said = scratch
        .hlm(&[&["check", &model], &data[..]].concat())
        .ended(1);
    said.complains(&["[D0014]", "`floor` is missing in row 5 of", "`--na omit`"]);

    let run = ["--na", "omit", "--seed", "1", "--output", "run"];
    let short = ["--chains", "2", "--warmup", "200", "--draws", "50"];
    let said = scratch
        .hlm(&[&["sample", &model], &data[..], &run, &short].concat())
        .ended(0);
    said.complains(&[
        "1 of 5 rows",
        "are left out for missing values: `floor` in 1",
    ]);
    said.complains(&["is about no county of the data, and not used: row 3"]);
    for row in ["a[Aitkin]", "a[St. Louis]", "b[floor]", "sigma "] {
        let is_row = |line: &str| line.starts_with(row);
        assert!(said.out.lines().any(is_row), "{row}\n{}", said.out);
    }

    let description = fs::read_to_string(scratch.0.join("run/run.json")).unwrap();
    let description: Value = serde_json::from_str(&description).unwrap();
    assert_eq!(description["data"]["files"][1]["letter"], "j");
    assert_eq!(description["data"]["set"]["prior_sd"], "2");
    assert_eq!(description["data"]["na"][0], "omit");
    assert_eq!(description["sets"][1]["labels"][1], "St. Louis");
    assert_eq!(description["variables"]["b"]["sets"][0], 2);
    assert!(
        description["program"]
            .as_str()
            .unwrap()
            .contains("index j = county[i]")
    );
    let draws = read_draws_csv(&scratch.0.join("run/radon-1.csv")).unwrap();
    assert!(
        draws.columns.iter().any(|column| column == "a.2"),
        "{:?}",
        draws.columns
    );

    for (pattern, rows) in [
        ("a[St. Louis]", 1),
        ("a[*]", 2),
        ("a.2", 1),
        ("b[floor]", 1),
    ] {
        let said = scratch
            .hlm(&["summary", "run", "--vars", pattern, "--format", "json"])
            .ended(0);
        let summary: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(summary["rows"].as_array().unwrap().len(), rows, "{pattern}");
    }
    let said = scratch
        .hlm(&["summary", "run", "--vars", "a.2", "--format", "json"])
        .ended(0);
    let summary: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(summary["rows"][0]["name"], "a[St. Louis]");
    assert_eq!(summary["rows"][0]["labels"][0], "St. Louis");
    scratch
        .hlm(&["summary", "run", "--vars", "a[Cass]"])
        .ended(1);
}

#[test]
fn a_forgotten_declaration_is_found_among_the_columns() {
    let scratch = Scratch::new("undeclared");
    let text = "index j\ny[j] ~ normal(m + b * x[j], 1)\nm, b ~ normal(0, 5)\n";
    let model = scratch.write("m.hlm", text);
    let data = scratch.write("schools.csv", "y,x\n1,2\n");
    let said = scratch.hlm(&["check", &model, "--data", &data]).ended(1);
    said.complains(&[
        "[E0004]",
        "[E0005]",
        "`x` is a column of",
        "declare it: `data y[j]`",
    ]);
}

#[test]
fn missing_values_change_the_program_that_runs() {
    let scratch = Scratch::new("na");
    let text = "index i\ndata y[i], x[i]\ny[i] ~ normal(a + b * x[i], sigma)\nx[i] ~ normal(m, s)\n\
                a, b, m ~ normal(0, 5)\nsigma, s ~ exponential(1)\n";
    let model = scratch.write("line.hlm", text);
    let data = scratch.write("line.csv", "y,x\n1,1\nNA,2\n3,NA\n4,4\n2,1.5\n");
    let sample = [
        "sample", &model, "--data", &data, "--chains", "1", "--warmup", "200", "--draws", "50",
    ];
    let run = |na: &str, output: &str| {
        let args = [
            &sample[..],
            &["--na", na, "--seed", "1", "--output", output],
        ]
        .concat();
        scratch.hlm(&args).ended(0)
    };
    let said = run("drop,impute", "unknown");
    said.complains(&[
        "1 missing value of `x` become",
        "1 missing value of the outcome `y`",
    ]);
    let imputed = said
        .out
        .lines()
        .filter(|line| line.starts_with("x"))
        .count();
    assert!(imputed >= 1, "{}", said.out);
    let said = run("y=omit,x=omit", "omitted");
    said.complains(&["2 of 5 rows"]);
    assert!(
        !said.out.lines().any(|line| line.starts_with('x')),
        "{}",
        said.out
    );
    let said = scratch
        .hlm(&["check", &model, "--data", &data, "--na", "guess"])
        .ended(2);
    said.complains(&["`guess` is not one of error, omit, drop, impute"]);
}

#[test]
fn programs_in_block_form_read_columns_as_arrays() {
    let scratch = Scratch::new("columns");
    let text = "data { int N; vector[N] y; array[N] int group; } parameters { real mu; } \
                model { mu ~ normal(0, 1); y ~ normal(mu, 1); }";
    let model = scratch.write("m.stan", text);
    let good = scratch.write("good.csv", "y,group\n1.5,1\n2,2\n");
    scratch.hlm(&["check", &model, "--data", &good]).ended(0);
    let text = scratch.write("text.csv", "y,group\n1.5,a\n2,b\n");
    let said = scratch.hlm(&["check", &model, "--data", &text]).ended(1);
    said.complains(&["[D0001]", "the column `group`", "is text", "equation form"]);
    let given = scratch.hlm(&["check", &model, "--data", &text, "--set", "group=[1, 2]"]);
    given.ended(0);
    let said = scratch.hlm(&["check", &model, "--set", "group"]).ended(2);
    said.complains(&["NAME=VALUE"]);
}
