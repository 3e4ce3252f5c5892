//! Functions that early versions of Stan had, with their present spelling.

/// Old name and what to write now.
const REMOVED: &[(&str, &str)] = &[
    ("binomial_coefficient_log", "write `lchoose(n, k)`"),
    (
        "cov_exp_quad",
        "write `gp_exp_quad_cov(x, sigma, length_scale)`",
    ),
    ("fabs", "write `abs(x)`"),
    ("get_lp", "write `target()`"),
    ("if_else", "write `condition ? a : b`"),
    ("increment_log_prob", "write `target += …`"),
    ("integrate_ode_cvode", "write `ode_bdf`"),
    ("multiply_log", "write `lmultiply(x, y)`"),
    ("lp__", "write `target()`"),
];

/// What to write instead of a removed function.
pub(super) fn replacement(name: &str) -> Option<&'static str> {
    REMOVED
        .iter()
        .find(|(removed, _)| *removed == name)
        .map(|(_, replacement)| *replacement)
}

#[cfg(test)]
mod tests {
    use super::replacement;

    #[test]
    fn removed_functions_have_hints() {
        assert_eq!(replacement("fabs"), Some("write `abs(x)`"));
        assert_eq!(replacement("abs"), None);
    }
}
