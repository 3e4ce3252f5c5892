//! How much memory a model with data takes, by a counting allocator: from the file's text to chains that are ready to run.
//!
//! A data file of many rows must not be held many times over: what the reader makes of it is shared by everything behind it.

// An allocator cannot be written without.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used)]

use hlm::bind::DataFile;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model, read_data};
use hlm::tables::{Options, Sources};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which counts bytes. What grows is copied, so that both copies count.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The tests of this file would count each other's memory.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A row is a group and an outcome of four bytes each and a covariate of eight, as `bench/scaling.py` counts.
const BYTES_PER_ROW: usize = 16;

const FEW: usize = 1_000;
const MANY: usize = 100_000;
const GROUPS: usize = 10;

/// How many bytes a function has at once at most, beyond those that it is called with.
fn peak_of<T>(function: impl FnOnce() -> T) -> (usize, T) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = function();
    (PEAK.load(Ordering::Relaxed) - before, result)
}

/// The bytes that a row takes at the peak, apart from what a process takes for few rows too.
fn bytes_per_row(peak: impl Fn(usize) -> usize) -> usize {
    // The library is parsed once per process: not by what is measured.
    hlm::session::library().unwrap();
    (peak(MANY) - peak(FEW)) / (MANY - FEW)
}

/// A group, an outcome and a covariate.
type Row = (usize, usize, f64);

fn rows(count: usize) -> impl Iterator<Item = Row> {
    // The constants of Numerical Recipes' generator; any numbers of six digits would do.
    let mut state = 1763_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    (0..count).map(move |_| {
        let covariate = (f64::from(next() % 4_000_000) - 2e6) * 1e-6;
        (next() as usize % GROUPS, (next() % 2) as usize, covariate)
    })
}

/// The data of the bench's hierarchical logistic regression.
fn json(count: usize) -> Vec<u8> {
    let column = |write: &dyn Fn(&mut String, Row)| {
        let mut text = String::new();
        for row in rows(count) {
            write(&mut text, row);
            text.push_str(", ");
        }
        text.truncate(text.len() - 2);
        text
    };
    let groups = column(&|text, (group, ..)| write!(text, "{}", group + 1).unwrap());
    let outcomes = column(&|text, (_, outcome, _)| write!(text, "{outcome}").unwrap());
    let covariates = column(&|text, (.., covariate)| write!(text, "{covariate:.6}").unwrap());
    format!(
        r#"{{"N": {count}, "J": {GROUPS}, "g": [{groups}], "y": [{outcomes}], "x": [{covariates}]}}"#
    )
    .into_bytes()
}

#[test]
fn data_in_json_are_held_few_times() {
    let _alone = ONE_AT_A_TIME.lock();
    let program = include_str!("../bench/programs/hierarchical_logistic.stan");
    let model = Model::from_text("logistic.stan", program).unwrap();
    let options = BindOptions::default();
    let peak = |count| {
        let text = json(count);
        let (peak, _) = peak_of(|| {
            // The file's text counts, as whoever reads it holds it until the data are bound.
            let text = text.to_vec();
            let data = read_data("data.json", &text).unwrap();
            let file = DataFile {
                name: "data.json",
                text: &text,
                data: &data,
            };
            let filled = model.fill(&file, &options).unwrap();
            drop((data, text));
            let posterior = filled.compile(&options).unwrap();
            let mut density = posterior.density();
            let mut gradient = vec![0.0; posterior.dimension()];
            let position = vec![0.1; posterior.dimension()];
            density
                .log_density_gradient(&position, &mut gradient)
                .unwrap();
            posterior
        });
        peak
    };
    let bytes = bytes_per_row(peak);
    assert!(
        bytes < 5 * BYTES_PER_ROW,
        "{bytes} bytes for a row of {BYTES_PER_ROW}"
    );
}

#[test]
fn a_chain_more_needs_no_data_more() {
    let _alone = ONE_AT_A_TIME.lock();
    let program = include_str!("../bench/programs/hierarchical_logistic.stan");
    let model = Model::from_text("logistic.stan", program).unwrap();
    let posterior = model.bind_json("data.json", &json(MANY), &BindOptions::default());
    let posterior = posterior.unwrap();
    let (bytes, _) = peak_of(|| (posterior.density(), posterior.drawer()));
    assert!(bytes < MANY, "{bytes} bytes for a chain");
}

const EQUATIONS: &str = "
index i
index g = group[i]
data y[i], x[i]
y[i] ~ bernoulli_logit(a[g] + b * x[i])
a[g] ~ normal(mu, tau)
mu, b ~ normal(0, 2)
tau ~ normal(0, 1)
";

/// The same data as a table.
fn csv(count: usize) -> Vec<u8> {
    let mut text = "group,y,x\n".to_string();
    for (group, outcome, covariate) in rows(count) {
        writeln!(text, "g{group},{outcome},{covariate:.6}").unwrap();
    }
    text.into_bytes()
}

#[test]
fn data_in_a_table_are_held_few_times() {
    let _alone = ONE_AT_A_TIME.lock();
    let model = Model::from_text("logistic.hlm", EQUATIONS).unwrap();
    let options = BindOptions::default();
    let peak = |count| {
        let text = csv(count);
        let (peak, _) = peak_of(|| {
            let text = text.to_vec();
            let mut sources = Sources::new(&model.program().sources);
            sources.add_csv("data.csv", &text, None).unwrap();
            let filled = model
                .fill_tables(&sources, &Options::default(), &options)
                .unwrap();
            drop((sources, text));
            filled.compile(&options).unwrap()
        });
        peak
    };
    let bytes = bytes_per_row(peak);
    assert!(
        bytes < 8 * BYTES_PER_ROW,
        "{bytes} bytes for a row of {BYTES_PER_ROW}"
    );
}
