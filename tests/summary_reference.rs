//! Compares summaries with those of ArviZ, written by `tests/reference/summary.py`.

use hlm::summary::{Summariser, ebfmi, mcse_quantile};
use proptest::prelude::*;
use serde_json::Value;

/// Both sides compute in double precision, in different orders.
const TOLERANCE: f64 = 1e-9;

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect()
}

#[test]
fn summaries_agree_with_arviz() {
    let cases: Value = serde_json::from_str(include_str!("reference/summary.json")).unwrap();
    let probabilities = [0.05, 0.5, 0.95];
    for case in cases.as_array().unwrap() {
        let chains: Vec<Vec<f64>> = case["chains"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect();
        let chains: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
        let found = Summariser::new(&probabilities).summarise(&chains);
        let expected = &case["expected"];
        let agree = |measure: &str, found: f64, expected: &Value| {
            let expected = expected.as_f64().unwrap();
            let agrees = (found - expected).abs() <= TOLERANCE * expected.abs();
            assert!(
                agrees,
                "{} of {}: {found}, not {expected}",
                measure, case["name"]
            );
        };
        agree("mean", found.mean, &expected["mean"]);
        agree("mcse_mean", found.mcse_mean, &expected["mcse_mean"]);
        agree("sd", found.sd, &expected["sd"]);
        agree("mcse_sd", found.mcse_sd, &expected["mcse_sd"]);
        agree("ess_bulk", found.ess_bulk, &expected["ess_bulk"]);
        agree("ess_tail", found.ess_tail, &expected["ess_tail"]);
        if chains.len() > 1 {
            agree("rhat", found.rhat, &expected["rhat"]);
        }
        for (place, &probability) in probabilities.iter().enumerate() {
            agree(
                "quantile",
                found.quantiles[place],
                &expected["quantiles"][place],
            );
            agree(
                "mcse_quantile",
                mcse_quantile(&chains, probability),
                &expected["mcse_quantiles"][place],
            );
        }
        for (chain, expected) in chains.iter().zip(expected["ebfmi"].as_array().unwrap()) {
            agree("ebfmi", ebfmi(chain), expected);
        }
    }
}

#[test]
fn what_cannot_be_judged_is_nan() {
    let summarise = |chains: &[&[f64]]| Summariser::new(&[0.5]).summarise(chains);
    let constant = summarise(&[&[0.1; 10], &[0.1; 10]]);
    assert_eq!((constant.quantiles[0], constant.nan_draws), (0.1, 0));
    assert!((constant.mean - 0.1).abs() < 1e-15 && constant.sd < 1e-15);
    let with_nan = summarise(&[
        &[1.0, 2.0, f64::NAN, 3.0, 4.0],
        &[5.0, 6.0, 7.0, 8.0, f64::NAN],
    ]);
    assert_eq!(
        (
            with_nan.mean,
            with_nan.quantiles[0],
            with_nan.nan_draws,
            with_nan.draws
        ),
        (4.5, 4.5, 2, 10)
    );
    let infinite = summarise(&[&[1.0, 2.0, 3.0, f64::INFINITY]]);
    assert_eq!(
        (
            infinite.mean,
            infinite.quantiles[0],
            infinite.infinite_draws
        ),
        (f64::INFINITY, 2.5, 1)
    );
    let short = summarise(&[&[1.0, 2.0, 3.0]]);
    assert_eq!((short.mean, short.sd), (2.0, 1.0));
    for summary in [&constant, &with_nan, &infinite, &short] {
        let measures = [
            summary.rhat,
            summary.ess_bulk,
            summary.ess_tail,
            summary.mcse_mean,
            summary.mcse_sd,
        ];
        assert!(
            measures.iter().all(|measure| measure.is_nan()),
            "{summary:?}"
        );
    }
    let none = summarise(&[]);
    assert!(none.mean.is_nan() && none.quantiles[0].is_nan() && none.draws == 0);
}

#[test]
fn chains_that_are_stuck_apart_have_no_effective_draws() {
    let summary = Summariser::new(&[]).summarise(&[&[1.0; 100], &[2.0; 100]]);
    assert_eq!(summary.rhat, f64::INFINITY);
    assert!(summary.ess_bulk < 5.0, "{summary:?}");
}

#[test]
fn an_interrupted_chain_is_judged_by_what_all_chains_have() {
    let long: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 101)).collect();
    let whole = Summariser::new(&[0.5]).summarise(&[&long[..80], &long[..80]]);
    let cut = Summariser::new(&[0.5]).summarise(&[&long, &long[..80], &[]]);
    assert_eq!((cut.rhat, cut.ess_bulk), (whole.rhat, whole.ess_bulk));
    assert_eq!(cut.draws, 180);
}

proptest! {
    #[test]
    fn any_draws_are_summarised_without_panic(
        chains in prop::collection::vec(prop::collection::vec(
            prop_oneof![any::<f64>(), (0i32..4).prop_map(f64::from), -1.0..1.0f64], 0..70), 0..4),
    ) {
        let chains: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
        let summary = Summariser::new(&[0.0, 0.05, 0.5, 1.0]).summarise(&chains);
        prop_assert!(summary.rhat.is_nan() || summary.rhat > 0.0);
        prop_assert!(summary.ess_bulk.is_nan() || summary.ess_bulk > 0.0);
        let _ = mcse_quantile(&chains, 0.5);
    }
}
