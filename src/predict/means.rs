//! The mean of an outcome given the parameters, per family, as an expression of the equation form.

/// The mean of a family, given its arguments as text in the language; `None` for a family without a mean that is a number
/// or without a closed form.
pub fn mean(family: &str, arguments: &[String]) -> Option<String> {
    let argument = |place: usize| arguments.get(place).map(|text| format!("({text})"));
    Some(match family {
        "normal"
        | "logistic"
        | "double_exponential"
        | "multi_normal"
        | "multi_normal_cholesky"
        | "bernoulli"
        | "poisson"
        | "neg_binomial_2"
        | "beta_proportion"
        | "MVN" => argument(0)?,
        "student_t" | "student" => argument(1)?,
        "bernoulli_logit" => format!("inv_logit{}", argument(0)?),
        "binomial" => format!("{} * {}", argument(0)?, argument(1)?),
        "binomial_logit" => format!("{} * inv_logit{}", argument(0)?, argument(1)?),
        "poisson_log" | "neg_binomial_2_log" => format!("exp{}", argument(0)?),
        "exponential" => format!("1 / {}", argument(0)?),
        "gamma" | "Γ" => format!("{} / {}", argument(0)?, argument(1)?),
        "inv_gamma" => format!("{} / ({} - 1)", argument(1)?, argument(0)?),
        "beta" => format!("{} / ({} + {})", argument(0)?, argument(0)?, argument(1)?),
        "lognormal" => format!("exp({} + {}^2 / 2)", argument(0)?, argument(1)?),
        "weibull" => format!("{} * tgamma(1 + 1 / {})", argument(1)?, argument(0)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::mean;

    #[test]
    fn means_are_those_of_the_families() {
        let arguments = ["a[j]".to_string(), "s".to_string()];
        assert_eq!(mean("normal", &arguments).as_deref(), Some("(a[j])"));
        assert_eq!(
            mean("poisson_log", &arguments).as_deref(),
            Some("exp(a[j])")
        );
        assert_eq!(mean("gamma", &arguments).as_deref(), Some("(a[j]) / (s)"));
        assert_eq!(mean("cauchy", &arguments), None);
        assert_eq!(mean("student_t", &arguments[..1]), None);
    }
}
