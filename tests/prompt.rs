//! Sessions at the prompt, played from scripts as people type them.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a session left behind.
struct Played {
    out: String,
    notes: String,
    succeeded: bool,
}

/// Plays a script in a folder of its own.
fn play(name: &str, script: &str) -> (Played, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("prompt-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hlm"))
        .arg("repl")
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let played = Played {
        out: String::from_utf8(output.stdout).unwrap(),
        notes: String::from_utf8(output.stderr).unwrap(),
        succeeded: output.status.success(),
    };
    (played, folder)
}

fn example(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path);
    path.display().to_string()
}

/// The number in a column of the rows that begin with a name, in the order of the tables that have one.
fn numbers(text: &str, name: &str, column: usize) -> Vec<f64> {
    text.lines()
        .filter_map(|line| line.strip_prefix(name)?.split_whitespace().nth(column))
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// The lesson: schools pooled completely, not at all, and in part.
#[test]
fn the_pooling_lesson() {
    let students = example("schools/students.csv");
    let fit = ":fit --chains 2 --warmup 500 --draws 500 --seed 1 --quiet";
    let (played, folder) = play(
        "lesson",
        &format!(
            "// one mean for all
:data {students}
index i
index j = school[i]
data score[i]
score[i] ~ normal(mu, sigma)
mu ~ normal(50, 25)
sigma ~ cauchy(0, 10)
{fit}
mean(mu)
// a mean of its own for each school
score[i] ~ normal(theta[j], sigma)
param theta[j]
:drop mu
{fit}
theta[\"Ashwood\"]
// a population of means
theta[j] ~ normal(mu, tau)
mu ~ normal(50, 25)
tau ~
  cauchy(0, 10)
{fit}
theta[Ashwood]
theta[\"Cedar\"] > theta[\"Park\"]
sd(theta) < 100
:summary tau sigma
:show
:pooling --chains 2 --warmup 300 --draws 300 --seed 1 --quiet --output pooling
:save lesson.hlm
:quit
never read
"
        ),
    );
    assert!(played.succeeded, "{}", played.notes);
    let Played { out, notes, .. } = played;
    assert!(out.contains("school  levels Ashwood, Brook"), "{out}");
    assert!(notes.contains("replaces  score[i] ~ normal(mu, sigma)"));
    assert!(notes.contains("drops  mu ~ normal(50, 25)"));
    assert!(notes.contains("replaces  param theta[j]"));
    let complete = numbers(&out, "mu", 0)[0];
    let none = numbers(&out, "theta[\"Ashwood\"]", 0)[0];
    let partial = numbers(&out, "theta[Ashwood]", 0)[0];
    assert!(
        complete < partial && partial < none,
        "{complete} {partial} {none}"
    );
    assert!(
        out.contains("probability 1.000 of theta[\"Cedar\"] > theta[\"Park\"]")
            || out.contains("probability 0.9")
    );
    assert!(out.contains("probability 1.000 of sd(theta) < 100"));
    assert_eq!(numbers(&out, "tau", 0).len(), 1, "{out}");
    assert!(out.contains("pooling factor"), "{out}");
    assert!(folder.join("pooling").is_dir());
    let saved = fs::read_to_string(folder.join("lesson.hlm")).unwrap();
    assert!(out.contains(&saved));
    assert_eq!(
        saved,
        "index i\nindex j = school[i]\ndata score[i]\nscore[i] ~ normal(theta[j], sigma)\n\
         sigma ~ cauchy(0, 10)\ntheta[j] ~ normal(mu, tau)\nmu ~ normal(50, 25)\n\
         tau ~ cauchy(0, 10)\n"
    );
}

/// A program in block form is loaded, fitted and asked, but not changed.
#[test]
fn a_program_in_blocks() {
    let program = example("eight_schools/eight_schools.hlm");
    let data = example("eight_schools/eight_schools.json");
    let (played, _) = play(
        "blocks",
        &format!(
            ":load {program}
:data {data}
:fit --chains 1 --warmup 300 --draws 300 --seed 1 --quiet
tau > 0
mean(y)
mu ~ normal(0, 1)
"
        ),
    );
    assert!(!played.succeeded);
    assert!(
        played
            .out
            .contains("probability 1.000 of tau > 0, over 300 draws"),
        "{}",
        played.out
    );
    assert!(played.out.contains("8.75 : real"));
    assert!(played.notes.contains("in block form"), "{}", played.notes);
}

/// Faults are shown as at the command line, with the names that the user knows.
#[test]
fn faults_speak_of_what_was_typed() {
    let (played, _) = play(
        "faults",
        "index j\ndata y[j]\ny[j] ~ normal(theta, 1)\n:fit\ntheta + 1\nz ~ normal(0, 1)\nz^2\n:fit --nonsense\n:pooling\n",
    );
    assert!(!played.succeeded);
    for sentence in [
        "error[E0005]",
        "model.hlm:3:15",
        "error[N0001]: `theta` is not declared",
        "`z` is a name of the model that has no draws yet",
        "unexpected argument '--nonsense'",
    ] {
        assert!(
            played.notes.contains(sentence),
            "{sentence}: {}",
            played.notes
        );
    }
    assert!(!played.notes.contains("hlm-prompt"), "{}", played.notes);
}
