//! Long loops in parts: the same bits on any number of threads, sums that agree with the evaluator's, and of rows that fail the
//! first.

use super::scatter::{CELLS, Shape, grouped, shapes, table};
use super::*;
use crate::jit::Threads;
use crate::jit::parallel::Parallel;

const ROWS: usize = 40_001;

/// Rows of groups in one of three orders.
fn groups(order: usize) -> Vec<i64> {
    let group = |at: usize| match order {
        0 => at * CELLS / ROWS,
        1 => at % 2 * 7,
        _ => at * 7 % CELLS,
    };
    (0..ROWS).map(|at| group(at) as i64).collect()
}

/// What a procedure gives on so many threads, twice over.
fn on(threads: usize, procedure: &Procedure, inputs: &[&[f64]]) -> Outcome {
    let compiled = Compiled::compile(procedure, &CompileOptions::default()).expect("compiles");
    let threads = Threads::start(threads, 1).expect("threads");
    let mut workspace = compiled.workspace(threads.as_ref());
    let mut run = || {
        let mut outputs = outputs(procedure);
        let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let result = compiled.run(&mut workspace, inputs, &mut slices, None);
        let printed = String::new();
        Outcome {
            result,
            outputs,
            printed,
        }
    };
    run();
    run()
}

fn bits(outcome: &Outcome) -> Vec<u64> {
    let outputs = outcome.outputs.iter().flatten();
    outputs.map(|value| value.to_bits()).collect()
}

#[test]
fn sums_do_not_depend_on_the_number_of_threads() {
    for order in 0..3 {
        for shape in shapes().filter(|shape| shape.known) {
            let procedure = grouped(&groups(order), shape);
            assert_eq!(Parallel::all(&procedure, Host::detect()).len(), 1);
            check_close(&procedure, &[&table()]);
            let alone = on(1, &procedure, &[&table()]);
            assert!(alone.result.is_ok());
            for threads in [2, 4] {
                let together = on(threads, &procedure, &[&table()]);
                assert_eq!(alone.result, together.result);
                assert_eq!(bits(&alone), bits(&together));
            }
        }
    }
}

#[test]
fn the_first_row_that_fails_is_named() {
    let shape = Shape {
        checked: true,
        kernel: false,
        by_row: true,
        known: true,
    };
    for kernel in [false, true] {
        let procedure = grouped(&groups(0), Shape { kernel, ..shape });
        for group in [0, 3, CELLS - 1] {
            let mut table = table();
            // Every later group fails, too.
            table[2 + group..2 + CELLS].fill(f64::NAN);
            let expected = evaluate(&procedure, &[&table]).result;
            assert!(expected.is_err());
            for threads in [1, 2, 4] {
                assert_eq!(on(threads, &procedure, &[&table]).result, expected);
            }
        }
    }
}

#[test]
fn loops_that_are_short_or_of_unknown_length_stay_whole() {
    let shape = shapes().next().expect("a shape");
    assert!(!shape.known);
    let parts = |procedure: &Procedure| Parallel::all(procedure, Host::detect()).len();
    assert_eq!(parts(&grouped(&groups(0), shape)), 0);
    let known = Shape {
        known: true,
        ..shape
    };
    assert_eq!(parts(&grouped(&groups(0)[..5000], known)), 0);
}
