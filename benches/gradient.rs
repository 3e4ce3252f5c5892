//! Log density and gradient: compiled code beside a vectorised gradient written by hand, and beside both slow twins.
//!
//! Run `cargo bench --bench gradient`. The hand-written gradients take the best instruction set of the machine (AVX-512, AVX2,
//! else scalar code), as a person who had to make this one model fast would write them; constants are dropped as `~` drops
//! them. Of the slow twins, the interpreter of the typed program has a log density only, the evaluator of the loops both.
//! The last lines give the ratios, and compare loops with the same models spelled with vectors. `-- --ratios` prints them
//! alone, in a few seconds.
#![allow(unsafe_code, missing_docs, clippy::unwrap_used, clippy::expect_used)]

use criterion::Criterion;
use hlm::interp::Interpreter;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, CompiledDensity, Model, Posterior};
use std::hint::black_box;
use std::time::Instant;

mod by_hand;
mod cases;

use cases::Case;

/// A batch lasts at least so many microseconds, so that the clock's own cost does not count.
const BATCH: u128 = 500;
/// Batches of each contender, in turn.
const BATCHES: usize = 101;

fn posterior(name: &str, program: &str, data: &[u8]) -> Posterior {
    let model = Model::from_text(name, program).expect("the program is right");
    model
        .bind_json(name, data, &BindOptions::default())
        .expect("the data fit")
}

/// The least time of one call in nanoseconds for each contender, of many batches in turn: whatever slows the machine down for
/// a while slows them all.
fn least<const N: usize>(mut contenders: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut time = |contender: usize, rounds: u32| {
        let start = Instant::now();
        (0..rounds).for_each(|_| contenders[contender]());
        start.elapsed()
    };
    let mut rounds = [1; N];
    for (contender, rounds) in rounds.iter_mut().enumerate() {
        while time(contender, *rounds).as_micros() < BATCH {
            *rounds *= 2;
        }
    }
    let mut least = [f64::INFINITY; N];
    for _ in 0..BATCHES {
        for contender in 0..N {
            let elapsed = time(contender, rounds[contender]).as_nanos() as f64;
            least[contender] = least[contender].min(elapsed / f64::from(rounds[contender]));
        }
    }
    least
}

fn close(ours: f64, theirs: f64, tolerance: f64) -> bool {
    (ours - theirs).abs() <= tolerance * theirs.abs().max(1.0)
}

/// Ends the bench where two contenders differ.
fn verify(case: &Case, density: &mut CompiledDensity) {
    let mut gradient = vec![0.0; case.position.len()];
    let mut expected = gradient.clone();
    let value = density
        .log_density_gradient(&case.position, &mut gradient)
        .expect("a density");
    let by_hand = (case.by_hand)(&case.position, &mut expected);
    assert!(
        close(value, by_hand, 1e-9),
        "{}: {value} {by_hand}",
        case.name
    );
    let scale = expected.iter().fold(1.0f64, |most, g| most.max(g.abs()));
    for (ours, theirs) in gradient.iter().zip(&expected) {
        let close = (ours - theirs).abs() <= 1e-8 * scale;
        assert!(close, "{}: {gradient:?} {expected:?}", case.name);
    }
}

fn gradients(criterion: &mut Criterion) {
    for case in cases::all() {
        let mut group = criterion.benchmark_group(case.name);
        let posterior = posterior(case.name, case.program, &case.json);
        let mut gradient = vec![0.0; case.position.len()];
        let mut density = posterior.density();
        let mut literal = posterior.literal_density();
        let interpreter = Interpreter::new(&posterior.model().program().typed);
        let interpreted = interpreter
            .log_density(posterior.values(), &case.position, true)
            .expect("a density");
        let value = density
            .log_density_gradient(&case.position, &mut gradient)
            .expect("a density");
        assert!(
            close(value, interpreted, 1e-9),
            "{}: {value} {interpreted}",
            case.name
        );
        group.bench_function("compiled", |bencher| {
            bencher.iter(|| density.log_density_gradient(black_box(&case.position), &mut gradient));
        });
        group.bench_function("by hand", |bencher| {
            bencher.iter(|| (case.by_hand)(black_box(&case.position), &mut gradient));
        });
        group.bench_function("evaluator of the loops", |bencher| {
            bencher.iter(|| literal.log_density_gradient(black_box(&case.position), &mut gradient));
        });
        let values = posterior.values();
        group.bench_function("interpreter, without gradient", |bencher| {
            bencher.iter(|| interpreter.log_density(values, black_box(&case.position), true));
        });
        group.finish();
    }
}

/// Prints a line per model: what compiled code takes beside code by hand.
fn ratios() {
    println!("model                        compiled      by hand   ratio");
    let mut logarithms = Vec::new();
    for case in cases::all() {
        let posterior = posterior(case.name, case.program, &case.json);
        let mut density = posterior.density();
        verify(&case, &mut density);
        let mut gradient = vec![0.0; case.position.len()];
        let mut other = gradient.clone();
        let [compiled, hand] = least([
            &mut || {
                let position = black_box(&case.position);
                let _ = black_box(density.log_density_gradient(position, &mut gradient));
            },
            &mut || {
                black_box((case.by_hand)(black_box(&case.position), &mut other));
            },
        ]);
        let ratio = compiled / hand;
        logarithms.push(ratio.ln());
        let name = case.name;
        println!("{name:24} {compiled:9.1} ns {hand:9.1} ns  {ratio:6.2}");
    }
    let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
    println!("geometric mean of the ratios {:26.2}", mean.exp());
}

/// Prints a line per model that is written in two ways.
fn spellings() {
    println!("model                            loop      vectors   ratio");
    for case in cases::all() {
        let Some(program) = case.as_loop else {
            continue;
        };
        let in_loop = posterior(case.name, program, &case.json);
        let in_vectors = posterior(case.name, case.program, &case.json);
        let (mut first, mut second) = (in_loop.density(), in_vectors.density());
        verify(&case, &mut first);
        let mut gradient = vec![0.0; case.position.len()];
        let mut other = gradient.clone();
        let [of_loop, of_vectors] = least([
            &mut || {
                let position = black_box(&case.position);
                let _ = black_box(first.log_density_gradient(position, &mut gradient));
            },
            &mut || {
                let position = black_box(&case.position);
                let _ = black_box(second.log_density_gradient(position, &mut other));
            },
        ]);
        let (name, ratio) = (case.name, of_loop / of_vectors);
        println!("{name:24} {of_loop:9.1} ns {of_vectors:9.1} ns  {ratio:6.2}");
    }
}

fn main() {
    if !std::env::args().any(|argument| argument == "--ratios") {
        let mut criterion = Criterion::default().configure_from_args();
        gradients(&mut criterion);
        criterion.final_summary();
    }
    ratios();
    spellings();
}
