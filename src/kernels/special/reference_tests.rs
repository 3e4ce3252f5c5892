//! Compares every special function with 50-digit values computed by tests/reference/special.py.

use super::*;

const REFERENCE: &str = include_str!("../../../tests/reference/special.tsv");

enum Function {
    One(fn(f64) -> f64),
    Two(fn(f64, f64) -> f64),
    Three(fn(f64, f64, f64) -> f64),
}

use Function::{One, Three, Two};

/// Name, function, relative tolerance, and the magnitude below which the tolerance is absolute instead: 0 where relative
/// precision holds everywhere, more where a zero of the function cancels.
const CASES: &[(&str, Function, f64, f64)] = &[
    ("asinh", One(asinh), 1e-15, 0.0),
    ("acosh", One(acosh), 1e-15, 0.0),
    ("atanh", One(atanh), 1e-15, 0.0),
    ("log1m", One(log1m), 1e-15, 0.0),
    ("log1m_exp", One(log1m_exp), 1e-15, 0.0),
    ("log1p_exp", One(log1p_exp), 1e-15, 0.0),
    ("logit", One(logit), 1e-15, 0.0),
    ("inv_logit", One(inv_logit), 1e-15, 0.0),
    ("log_inv_logit", One(log_inv_logit), 1e-15, 0.0),
    ("log1m_inv_logit", One(log1m_inv_logit), 1e-15, 0.0),
    ("cloglog", One(cloglog), 1e-14, 0.0),
    ("inv_cloglog", One(inv_cloglog), 1e-15, 0.0),
    ("log1p_minus", One(log1p_minus), 1e-15, 0.0),
    ("log_sum_exp", Two(log_sum_exp), 1e-15, 0.0),
    ("log_diff_exp", Two(log_diff_exp), 1e-15, 0.0),
    ("log_inv_logit_diff", Two(log_inv_logit_diff), 1e-15, 0.0),
    ("binary_log_loss", Two(binary_log_loss), 1e-15, 0.0),
    ("log_mix", Three(log_mix), 1e-15, 0.0),
    ("lgamma", One(lgamma), 1e-15, 0.1),
    ("lgamma_1p", One(lgamma_1p), 1e-15, 0.0),
    (
        "lgamma_stirling_correction",
        One(lgamma_stirling_correction),
        1e-15,
        0.0,
    ),
    ("tgamma", One(tgamma), 1e-14, 0.0),
    ("digamma", One(digamma), 1e-14, 0.0),
    ("trigamma", One(trigamma), 1e-14, 0.0),
    ("tetragamma", One(tetragamma), 2e-14, 0.0),
    ("lbeta", Two(lbeta), 1e-14, 0.1),
    ("beta", Two(beta), 1e-14, 0.0),
    ("lchoose", Two(lchoose), 1e-14, 0.1),
    ("choose", Two(choose), 1e-14, 0.0),
    ("falling_factorial", Two(falling_factorial), 1e-14, 0.0),
    ("rising_factorial", Two(rising_factorial), 1e-14, 0.0),
    (
        "log_rising_factorial",
        Two(log_rising_factorial),
        1e-14,
        0.0,
    ),
    (
        "log_falling_factorial",
        Two(log_falling_factorial),
        1e-14,
        0.0,
    ),
    ("lmgamma", Two(lmgamma), 1e-14, 0.0),
    ("erf", One(erf), 1e-15, 0.0),
    ("erfc", One(erfc), 1e-15, 0.0),
    ("erfcx", One(erfcx), 2e-15, 0.0),
    ("phi", One(phi), 2e-15, 0.0),
    ("log_phi", One(log_phi), 2e-15, 0.0),
    ("log_phi_complement", One(log_phi_complement), 2e-15, 0.0),
    ("phi_approx", One(phi_approx), 2e-15, 0.0),
    ("inv_phi", One(inv_phi), 2e-15, 0.0),
    ("owens_t", Two(owens_t), 1e-14, 0.0),
    ("gamma_p", Two(gamma_p), 1e-13, 0.0),
    ("gamma_q", Two(gamma_q), 1e-13, 0.0),
    ("log_gamma_p", Two(log_gamma_p), 1e-14, 1e-3),
    ("log_gamma_q", Two(log_gamma_q), 1e-14, 0.0),
    ("gamma_p_dx", Two(gamma_p_dx), 1e-13, 0.0),
    ("gamma_p_da", Two(gamma_p_da), 1e-12, 0.0),
    ("inc_beta", Three(inc_beta), 1e-13, 0.0),
    ("inc_beta_dx", Three(inc_beta_dx), 1e-13, 0.0),
    ("inc_beta_da", Three(inc_beta_da), 1e-12, 0.0),
    ("inc_beta_db", Three(inc_beta_db), 1e-12, 0.0),
    ("log_inc_beta", Three(log_inc_beta), 1e-14, 0.0),
    (
        "log_inc_beta_complement",
        Three(log_inc_beta_complement),
        1e-13,
        0.0,
    ),
    ("bessel_first_kind", Two(bessel_first_kind), 2e-14, 0.1),
    ("bessel_second_kind", Two(bessel_second_kind), 2e-14, 0.1),
    (
        "modified_bessel_first_kind",
        Two(modified_bessel_first_kind),
        1e-13,
        0.0,
    ),
    (
        "modified_bessel_second_kind",
        Two(modified_bessel_second_kind),
        2e-13,
        0.0,
    ),
    (
        "log_modified_bessel_first_kind",
        Two(log_modified_bessel_first_kind),
        1e-14,
        1.0,
    ),
    (
        "log_modified_bessel_first_kind_d_order",
        Two(log_modified_bessel_first_kind_d_order),
        1e-14,
        1.0,
    ),
    (
        "log_modified_bessel_second_kind",
        Two(log_modified_bessel_second_kind),
        1e-14,
        1.0,
    ),
    ("lambert_w0", One(lambert_w0), 2e-15, 0.0),
    ("lambert_wm1", One(lambert_wm1), 2e-15, 0.0),
    ("student_t_cdf", Two(student_t_cdf), 1e-14, 0.0),
    ("student_t_log_cdf", Two(student_t_log_cdf), 1e-14, 0.0),
    ("von_mises_cdf", Two(von_mises_cdf), 1e-15, 1.0),
];

#[test]
fn functions_match_their_reference_values() {
    let mut failures = String::new();
    let mut seen = vec![0; CASES.len()];
    for line in REFERENCE.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let numbers: Vec<f64> = fields[1..]
            .iter()
            .map(|field| field.parse().unwrap())
            .collect();
        let index = CASES.iter().position(|case| case.0 == fields[0]).unwrap();
        let (_, function, tolerance, floor) = &CASES[index];
        seen[index] += 1;
        let (got, want) = match (function, numbers.as_slice()) {
            (One(f), &[x, want]) => (f(x), want),
            (Two(f), &[x, y, want]) => (f(x, y), want),
            (Three(f), &[x, y, z, want]) => (f(x, y, z), want),
            _ => panic!("wrong number of arguments: {line}"),
        };
        let bound = tolerance * want.abs().max(*floor);
        if got != want && ((got - want).abs() > bound || got.is_nan()) {
            let relative = (got - want) / want;
            failures += &format!("{line}\n    got {got:e}, relative error {relative:.1e}\n");
        }
    }
    for (case, &count) in CASES.iter().zip(&seen) {
        assert!(count > 0, "no reference value for {}", case.0);
    }
    assert!(failures.is_empty(), "{failures}");
}
