//! One chain as `hlm sample` runs it, and the processor time that it took, as one JSON line.
//!
//! ```sh
//! cargo run --release --example chain -- MODEL DATA.json FOLDER SEED WARMUP DRAWS
//! ```
//!
//! The draws of warmup are written too. The time is that of the chain's thread alone, as Linux counts it; a busy machine
//! does not change it. `bench/run.py` calls this.

mod clock;

use clock::processor_time;
use hlm::io::draws_csv::Digits;
use hlm::io::run_folder::RunFolder;
use hlm::mcmc::{Ending, Settings};
use hlm::model::{BindOptions, Model};
use hlm::run::{Progress, RunFiles, RunSettings, Transition, sample};
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match chain(&arguments) {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn chain(arguments: &[String]) -> Result<Value, Box<dyn Error>> {
    let [program, data, folder, seed, warmup, draws] = arguments else {
        return Err("usage: chain MODEL DATA.json FOLDER SEED WARMUP DRAWS".into());
    };
    let (text, json) = (std::fs::read(program)?, std::fs::read(data)?);
    let model = Model::from_text(program, &String::from_utf8_lossy(&text))?;
    let posterior = model.bind_json(data, &json, &BindOptions::default())?;
    let settings = RunSettings {
        sampler: Settings {
            seed: seed.parse()?,
            chains: 1,
            threads: 1,
            warmup: warmup.parse()?,
            samples: draws.parse()?,
            ..RunSettings::default().sampler
        },
        save_warmup: true,
        ..RunSettings::default()
    };
    let files = RunFiles {
        folder: RunFolder::create_at(Path::new(folder), model.name())?,
        data_file: data.clone(),
        init: "2".to_string(),
        digits: Digits::Shortest,
        started: SystemTime::now(),
    };
    let transitions = settings.sampler.warmup + settings.sampler.samples;
    let clock = Clock {
        last: transitions,
        nanoseconds: AtomicU64::new(0),
    };
    let interrupt = AtomicBool::new(false);
    let run = sample(&posterior, &settings, Some(&files), &clock, &interrupt)?;
    let chain = run.chains.first().ok_or("no chain")?;
    let report = &chain.report;
    if !matches!(report.ending, Ending::Finished) {
        return Err(report.ending.to_string().into());
    }
    let phases = [&report.counts.warmup, &report.counts.sampling];
    let elapsed = report.times.warmup + report.times.sampling;
    Ok(json!({
        "file": files.folder.chain_file(report.chain).display().to_string(),
        "leapfrog_steps": phases.iter().map(|phase| phase.leapfrog_steps).sum::<u64>(),
        "transitions": transitions,
        "divergences": report.counts.sampling.divergences,
        "cpu_seconds": clock.nanoseconds.load(Ordering::Relaxed) as f64 * 1e-9,
        "own_seconds": elapsed.as_secs_f64(),
    }))
}

/// Reads the processor time of the chain's thread, which began with the chain, after the last transition.
struct Clock {
    last: usize,
    nanoseconds: AtomicU64,
}

impl Progress for Clock {
    fn transition(&self, transition: &Transition) {
        if transition.done == self.last {
            let nanoseconds = processor_time().as_nanos() as u64;
            self.nanoseconds.store(nanoseconds, Ordering::Relaxed);
        }
    }
}
