//! How long a model in equation form takes from its text to a gradient that can run, for every acceptance case and example:
//! reading the tables, checking, lowering to block form, binding, differentiating, compiling to machine code.
//!
//! Run `cargo bench --bench ready`. It prints milliseconds, the median of several, and fails if one takes longer than 50.
#![allow(missing_docs, clippy::unwrap_used)]

use hlm::model::{BindOptions, Model};
use hlm::tables::Options;
use programs::Case;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[path = "../tests/programs/mod.rs"]
mod programs;

/// What a statistician does not notice, and what this project promises.
const MOST: Duration = Duration::from_millis(50);

/// An odd number, so that the median is one of them.
const ROUNDS: usize = 9;

struct Times {
    /// Text to checked program.
    check: Duration,
    /// Tables, read already, to data.
    bind: Duration,
    /// Data and program to a compiled gradient.
    compile: Duration,
}

impl Times {
    fn all(&self) -> Duration {
        self.check + self.bind + self.compile
    }
}

fn times(case: &Case) -> Times {
    let options = BindOptions::default();
    let start = Instant::now();
    let model = Model::from_text(&case.name, &case.text).unwrap();
    let check = start.elapsed();
    let start = Instant::now();
    let filled = model
        .fill_tables(&case.sources, &Options::default(), &options)
        .unwrap();
    let bind = start.elapsed();
    let start = Instant::now();
    black_box(filled.compile(&options).unwrap().density());
    Times {
        check,
        bind,
        compile: start.elapsed(),
    }
}

fn main() -> ExitCode {
    // The library is parsed once per process, and not the model's time.
    let _ = hlm::session::library();
    println!("{:>36}  check   bind  compile  all, in ms", "");
    let mut slow = Vec::new();
    for case in programs::all() {
        let mut rounds: Vec<Times> = (0..ROUNDS).map(|_| times(&case)).collect();
        rounds.sort_by_key(Times::all);
        let median = &rounds[ROUNDS / 2];
        let [check, bind, compile, all] = [median.check, median.bind, median.compile, median.all()]
            .map(|time| 1e3 * time.as_secs_f64());
        println!(
            "{:>36} {check:6.1} {bind:6.1} {compile:8.1} {all:5.1}",
            case.name
        );
        if median.all() > MOST {
            slow.push(case.name);
        }
    }
    if slow.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("longer than {MOST:?}: {}", slow.join(", "));
    ExitCode::FAILURE
}
