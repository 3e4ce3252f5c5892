//! What a model costs with its data: from text to ready, and a gradient, as one JSON line.
//!
//! ```sh
//! cargo run --release --example cost -- MODEL DATA.json [POINTS.json]
//! ```
//!
//! The times until ready are those of a fresh process, the library included, by the clock and by the processor. Gradients are timed at the points of the file
//! (an array of unconstrained positions, or reference values as `--example oracle` takes them, whose typical points then
//! serve), else where a short chain ends; each is the least of many batches. `bench/run.py` calls this.

mod clock;

use clock::processor_time;
use hlm::bind::DataFile;
use hlm::mcmc::{ChainParts, LogDensity, Positions, Settings, Start, sample_chains};
use hlm::model::{BindOptions, CompiledDensity, Model, Posterior, read_data};
use serde_json::{Value, json};
use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// A batch lasts at least so many microseconds, so that the clock's own cost does not count.
const BATCH: u128 = 1_000;
/// Batches at a point: enough that one meets no interruption.
const BATCHES: usize = 31;
/// Points at which gradients are timed.
const POINTS: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [model, data] => cost(model, data, None),
        [model, data, points] => cost(model, data, Some(points)),
        _ => Err("usage: cost MODEL DATA.json [POINTS.json]".into()),
    };
    match outcome {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn cost(program: &str, data: &str, points: Option<&String>) -> Result<Value, Box<dyn Error>> {
    let (text, json) = (std::fs::read(program)?, std::fs::read(data)?);
    let (start, begin) = (Instant::now(), processor_time());
    let model = Model::from_text(program, &String::from_utf8_lossy(&text))?;
    let checked = start.elapsed();
    let data_file = read_data(data, &json)?;
    let read = start.elapsed();
    let file = DataFile {
        name: data,
        text: &json,
        data: &data_file,
    };
    let options = BindOptions::default();
    let filled = model.fill(&file, &options)?;
    drop((data_file, json));
    let posterior = filled.compile(&options)?;
    let (ready, end) = (start.elapsed(), processor_time());
    let mut points = match points {
        Some(file) => read_points(&serde_json::from_slice(&std::fs::read(file)?)?),
        None => Vec::new(),
    };
    if points.is_empty() {
        points = last_positions(&posterior)?;
    }
    let typed = &model.program().typed;
    let names: Vec<&str> = (typed.parameters.iter())
        .map(|parameter| typed.variables[parameter.variable.0 as usize].name.as_str())
        .collect();
    let mut density = posterior.density();
    let gradients: Result<Vec<Value>, String> = (points.iter().take(POINTS))
        .map(|point| gradient(&mut density, point))
        .collect();
    Ok(json!({
        "parameters": names,
        "dimension": posterior.dimension(),
        "check_ms": checked.as_secs_f64() * 1e3,
        "read_ms": (read - checked).as_secs_f64() * 1e3,
        "compile_ms": (ready - read).as_secs_f64() * 1e3,
        "ready_cpu_ms": end.saturating_sub(begin).as_secs_f64() * 1e3,
        "points": gradients?,
    }))
}

/// The positions of a file of points.
fn read_points(file: &Value) -> Vec<Vec<f64>> {
    let numbers = |point: &Value| -> Vec<f64> {
        let entries = point.as_array().map_or(&[][..], Vec::as_slice);
        entries.iter().filter_map(Value::as_f64).collect()
    };
    if let Some(points) = file.as_array() {
        return points.iter().map(numbers).collect();
    }
    let points = file["points"].as_array().map_or(&[][..], Vec::as_slice);
    (points.iter())
        .filter(|point| point["kind"] == "typical")
        .map(|point| numbers(&point["unconstrained"]))
        .collect()
}

/// The last positions of a short chain.
fn last_positions(posterior: &Posterior) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let settings = Settings {
        seed: 1,
        chains: 1,
        warmup: 150,
        samples: POINTS,
        ..Settings::default()
    };
    let prepare = |_chain| ChainParts {
        density: posterior.density(),
        sink: Positions::default(),
        start: Start::default(),
    };
    let outcomes = sample_chains(&settings, prepare, &AtomicBool::new(false))
        .map_err(|errors| format!("{errors:?}"))?;
    let mut chains = outcomes.into_iter().map(|outcome| outcome.sink.0);
    Ok(chains.next().unwrap_or_default())
}

fn gradient(density: &mut CompiledDensity, position: &[f64]) -> Result<Value, String> {
    let mut gradient = vec![f64::NAN; density.dimension()];
    let log_density = density
        .log_density_gradient(position, &mut gradient)
        .map_err(|error| error.to_string())?;
    let mut batch = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            let _ = black_box(density.log_density_gradient(black_box(position), &mut gradient));
        }
        start.elapsed()
    };
    let mut calls = 1;
    while batch(calls).as_micros() < BATCH {
        calls *= 2;
    }
    let least = (0..BATCHES)
        .map(|_| batch(calls).as_nanos() as f64 / f64::from(calls))
        .fold(f64::INFINITY, f64::min);
    Ok(json!({"position": position, "log_density": log_density, "nanoseconds": least}))
}
