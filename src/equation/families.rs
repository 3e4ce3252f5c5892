//! The families: one row per density of the library, with what the equation form must know of it.
//!
//! What stands left of `~`, what each argument means, whether the density is symmetric about its location and whether
//! truncation is possible. Rows without shapes are univariate: the variate is a number and so is every argument, or the
//! variate is a vector and each argument a number or a vector (3b).

use Outcome as O;
use Place as P;

/// What a family's values are confined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The real line, or vectors over it.
    Line,
    /// Numbers above 0.
    Positive,
    /// Numbers between 0 and 1.
    Unit,
    /// Angles, from -π to π.
    Circle,
    /// Numbers between two of the arguments, by their places.
    Between(usize, usize),
    /// Numbers above one of the arguments.
    Above(usize),
    /// Simplexes.
    Simplex,
    /// Covariance matrices.
    Covariance,
    /// Correlation matrices.
    Correlation,
    /// Cholesky factors of covariance matrices.
    CholeskyCovariance,
    /// Cholesky factors of correlation matrices.
    CholeskyCorrelation,
    /// Integers.
    Discrete,
}

/// What an argument means (3c.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where the values are: in their units.
    Location,
    /// A number that must be positive: a standard deviation, shape, rate, number of degrees of freedom, concentration.
    Scale,
    /// Cutpoints: increasing.
    Cutpoints,
    /// Checked: between 0 and 1.
    Probability,
    /// Checked: a mean of counts, positive.
    MeanCount,
    /// Checked: probabilities that sum to 1.
    Simplex,
    /// A covariance matrix, or scales where it is a number or a vector.
    Covariance,
    /// A Cholesky factor of a covariance matrix.
    Cholesky,
    /// An integer.
    Integer,
    /// Anything else: a linear predictor, a bound.
    Other,
}

/// A family.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name, without suffix.
    pub name: &'static str,
    /// What its values are.
    pub outcome: Outcome,
    /// What its arguments mean.
    pub places: &'static [Place],
    /// How many of the last arguments may be absent.
    pub optional: usize,
    /// The shapes of variate and arguments, one text per form (see [`super::functions`]); empty if univariate.
    pub shapes: &'static [&'static str],
    /// Whether the density is symmetric about its location, or about 0 if it has none.
    pub is_symmetric: bool,
    /// Whether its distribution function is in the library, so that it can be truncated.
    pub has_cdf: bool,
}

impl Family {
    /// The family of that name.
    pub fn named(name: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// Every family's name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FAMILIES.iter().map(|family| family.name)
    }

    /// Whether its values are integers.
    pub fn is_discrete(&self) -> bool {
        self.outcome == Outcome::Discrete
    }

    /// Whether its values are levels in an order: the outcome of cutpoints.
    pub fn is_ordinal(&self) -> bool {
        self.places.contains(&Place::Cutpoints)
    }

    /// Whether variate and arguments are numbers, taken elementwise over vectors.
    pub fn is_univariate(&self) -> bool {
        self.shapes.is_empty()
    }
}

/// The family that a name right of `~` means; aliases hold there only.
pub fn unalias(name: &str) -> &str {
    match name {
        "student" => "student_t",
        "MVN" => "multi_normal",
        "Γ" => "gamma",
        _ => name,
    }
}

const fn univariate(name: &'static str, outcome: Outcome, places: &'static [Place]) -> Family {
    Family {
        name,
        outcome,
        places,
        optional: 0,
        shapes: &[],
        is_symmetric: false,
        has_cdf: true,
    }
}

const fn without_cdf(name: &'static str, outcome: Outcome, places: &'static [Place]) -> Family {
    Family {
        has_cdf: false,
        ..univariate(name, outcome, places)
    }
}

const fn symmetric(name: &'static str, places: &'static [Place]) -> Family {
    Family {
        is_symmetric: true,
        ..univariate(name, Outcome::Line, places)
    }
}

const fn shaped(
    name: &'static str,
    outcome: Outcome,
    places: &'static [Place],
    shapes: &'static [&'static str],
) -> Family {
    Family {
        shapes,
        ..without_cdf(name, outcome, places)
    }
}

const fn elliptic(
    name: &'static str,
    places: &'static [Place],
    shapes: &'static [&'static str],
) -> Family {
    Family {
        is_symmetric: true,
        ..shaped(name, Outcome::Line, places, shapes)
    }
}

/// The forms of a regression of integers or reals on a matrix: intercept and slopes.
const REGRESSION: &[&str] = &["a,ab,_,b", "a,ab,a,b", "a,b,_,b"];
/// The same with a scale.
const REGRESSION_AND_SCALE: &[&str] = &["a,ab,_,b,_", "a,ab,a,b,_", "a,ab,_,b,a", "a,ab,a,b,a"];

const FAMILIES: &[Family] = &[
    // Continuous, unbounded.
    symmetric("normal", &[P::Location, P::Scale]),
    symmetric("std_normal", &[]),
    symmetric("student_t", &[P::Scale, P::Location, P::Scale]),
    symmetric("cauchy", &[P::Location, P::Scale]),
    symmetric("double_exponential", &[P::Location, P::Scale]),
    symmetric("logistic", &[P::Location, P::Scale]),
    univariate("gumbel", O::Line, &[P::Location, P::Scale]),
    univariate(
        "exp_mod_normal",
        O::Line,
        &[P::Location, P::Scale, P::Scale],
    ),
    univariate("skew_normal", O::Line, &[P::Location, P::Scale, P::Other]),
    univariate(
        "skew_double_exponential",
        O::Line,
        &[P::Location, P::Scale, P::Probability],
    ),
    // Continuous, bounded.
    univariate("von_mises", O::Circle, &[P::Location, P::Scale]),
    univariate("uniform", O::Between(0, 1), &[P::Other, P::Other]),
    univariate("beta", O::Unit, &[P::Scale, P::Scale]),
    univariate("beta_proportion", O::Unit, &[P::Probability, P::Scale]),
    // Continuous, positive.
    univariate("lognormal", O::Positive, &[P::Other, P::Scale]),
    univariate("loglogistic", O::Positive, &[P::Scale, P::Scale]),
    univariate("exponential", O::Positive, &[P::Scale]),
    univariate("gamma", O::Positive, &[P::Scale, P::Scale]),
    univariate("inv_gamma", O::Positive, &[P::Scale, P::Scale]),
    univariate("chi_square", O::Positive, &[P::Scale]),
    univariate("inv_chi_square", O::Positive, &[P::Scale]),
    univariate("scaled_inv_chi_square", O::Positive, &[P::Scale, P::Scale]),
    univariate("weibull", O::Positive, &[P::Scale, P::Scale]),
    univariate("frechet", O::Positive, &[P::Scale, P::Scale]),
    univariate("rayleigh", O::Positive, &[P::Scale]),
    univariate("pareto", O::Above(0), &[P::Scale, P::Scale]),
    univariate(
        "pareto_type_2",
        O::Above(0),
        &[P::Location, P::Scale, P::Scale],
    ),
    Family {
        optional: 1,
        ..without_cdf(
            "wiener",
            O::Above(1),
            &[P::Scale, P::Scale, P::Probability, P::Other, P::Scale],
        )
    },
    // Discrete.
    univariate("bernoulli", O::Discrete, &[P::Probability]),
    without_cdf("bernoulli_logit", O::Discrete, &[P::Other]),
    univariate("binomial", O::Discrete, &[P::Integer, P::Probability]),
    without_cdf("binomial_logit", O::Discrete, &[P::Integer, P::Other]),
    univariate(
        "beta_binomial",
        O::Discrete,
        &[P::Integer, P::Scale, P::Scale],
    ),
    univariate("poisson", O::Discrete, &[P::MeanCount]),
    without_cdf("poisson_log", O::Discrete, &[P::Other]),
    univariate("neg_binomial", O::Discrete, &[P::Scale, P::Scale]),
    univariate("neg_binomial_2", O::Discrete, &[P::MeanCount, P::Scale]),
    without_cdf("neg_binomial_2_log", O::Discrete, &[P::Other, P::Scale]),
    univariate(
        "beta_neg_binomial",
        O::Discrete,
        &[P::Scale, P::Scale, P::Scale],
    ),
    univariate("yule_simon", O::Discrete, &[P::Scale]),
    without_cdf(
        "hypergeometric",
        O::Discrete,
        &[P::Integer, P::Integer, P::Integer],
    ),
    univariate("discrete_range", O::Discrete, &[P::Integer, P::Integer]),
    // Categorical and ordered.
    shaped("categorical", O::Discrete, &[P::Simplex], &["_,a", "b,a"]),
    shaped(
        "categorical_logit",
        O::Discrete,
        &[P::Other],
        &["_,a", "b,a"],
    ),
    shaped(
        "ordered_logistic",
        O::Discrete,
        &[P::Other, P::Cutpoints],
        &["_,_,a", "b,b,a"],
    ),
    shaped(
        "ordered_probit",
        O::Discrete,
        &[P::Other, P::Cutpoints],
        &["_,_,a", "b,b,a", "b,_,a"],
    ),
    shaped("multinomial", O::Discrete, &[P::Simplex], &["a,a"]),
    shaped("multinomial_logit", O::Discrete, &[P::Other], &["a,a"]),
    shaped("dirichlet_multinomial", O::Discrete, &[P::Scale], &["a,a"]),
    // Vectors.
    shaped("dirichlet", O::Simplex, &[P::Scale], &["a,a"]),
    // A number or a vector is a scale here, unlike in block form.
    elliptic(
        "multi_normal",
        &[P::Location, P::Covariance],
        &["a,a,_", "a,a,a", "a,a,aa"],
    ),
    elliptic(
        "multi_normal_cholesky",
        &[P::Location, P::Cholesky],
        &["a,a,aa"],
    ),
    elliptic(
        "multi_normal_prec",
        &[P::Location, P::Covariance],
        &["a,a,aa"],
    ),
    elliptic(
        "multi_student_t",
        &[P::Scale, P::Location, P::Covariance],
        &["a,_,a,aa"],
    ),
    elliptic(
        "multi_student_t_cholesky",
        &[P::Scale, P::Location, P::Cholesky],
        &["a,_,a,aa"],
    ),
    // Matrices.
    shaped("lkj_corr", O::Correlation, &[P::Scale], &["aa,_"]),
    shaped(
        "lkj_corr_cholesky",
        O::CholeskyCorrelation,
        &[P::Scale],
        &["aa,_"],
    ),
    shaped(
        "lkj_cov",
        O::Covariance,
        &[P::Other, P::Scale, P::Scale],
        &["aa,a,a,_"],
    ),
    shaped(
        "wishart",
        O::Covariance,
        &[P::Scale, P::Covariance],
        &["aa,_,aa"],
    ),
    shaped(
        "inv_wishart",
        O::Covariance,
        &[P::Scale, P::Covariance],
        &["aa,_,aa"],
    ),
    shaped(
        "wishart_cholesky",
        O::CholeskyCovariance,
        &[P::Scale, P::Cholesky],
        &["aa,_,aa"],
    ),
    shaped(
        "inv_wishart_cholesky",
        O::CholeskyCovariance,
        &[P::Scale, P::Cholesky],
        &["aa,_,aa"],
    ),
    shaped(
        "multi_gp",
        O::Line,
        &[P::Covariance, P::Scale],
        &["ba,aa,b"],
    ),
    shaped(
        "multi_gp_cholesky",
        O::Line,
        &[P::Cholesky, P::Scale],
        &["ba,aa,b"],
    ),
    shaped(
        "gaussian_dlm_obs",
        O::Line,
        &[
            P::Other,
            P::Other,
            P::Covariance,
            P::Covariance,
            P::Location,
            P::Covariance,
        ],
        &["rt,nr,nn,rr,nn,n,nn", "rt,nr,nn,r,nn,n,nn"],
    ),
    // Regressions.
    shaped(
        "normal_id_glm",
        O::Line,
        &[P::Other, P::Other, P::Other, P::Scale],
        REGRESSION_AND_SCALE,
    ),
    shaped(
        "bernoulli_logit_glm",
        O::Discrete,
        &[P::Other, P::Other, P::Other],
        REGRESSION,
    ),
    shaped(
        "poisson_log_glm",
        O::Discrete,
        &[P::Other, P::Other, P::Other],
        REGRESSION,
    ),
    shaped(
        "neg_binomial_2_log_glm",
        O::Discrete,
        &[P::Other, P::Other, P::Other, P::Scale],
        REGRESSION_AND_SCALE,
    ),
    shaped(
        "binomial_logit_glm",
        O::Discrete,
        &[P::Integer, P::Other, P::Other, P::Other],
        &["a,_,ab,_,b", "a,_,ab,a,b", "a,a,ab,_,b", "a,a,ab,a,b"],
    ),
    shaped(
        "categorical_logit_glm",
        O::Discrete,
        &[P::Other, P::Other, P::Other],
        &["a,ab,c,bc"],
    ),
    shaped(
        "ordered_logistic_glm",
        O::Discrete,
        &[P::Other, P::Other, P::Cutpoints],
        &["a,ab,b,c"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// The library's functions whose name ends in one of some suffixes: the name without it, with the numbers of arguments.
    fn library(suffixes: &[&str]) -> BTreeMap<String, BTreeSet<usize>> {
        let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (_, text) in crate::stdlib::files() {
            let mut is_hidden = false;
            for line in text.lines() {
                if line.starts_with("///") {
                    is_hidden |= line.contains("@hidden");
                    continue;
                }
                let signature = line
                    .strip_prefix("real ")
                    .and_then(|rest| rest.split_once('('));
                if let Some((name, arguments)) = signature
                    && !is_hidden
                {
                    let family = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
                    if let Some(family) = family {
                        let nested = arguments.replace("[,]", "");
                        let count = nested.matches(", ").count();
                        found.entry(family.to_owned()).or_default().insert(count);
                    }
                }
                is_hidden = false;
            }
        }
        found
    }

    #[test]
    fn every_density_of_the_library_has_a_row_and_no_row_is_more() {
        let densities = library(&["_lpdf", "_lpmf"]);
        let missing: Vec<&String> = densities
            .keys()
            .filter(|name| Family::named(name).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        for family in FAMILIES {
            let counts = &densities[family.name];
            let (least, most) = (family.places.len() - family.optional, family.places.len());
            assert!(
                counts.contains(&least) && counts.contains(&most),
                "{family:?}"
            );
            assert!(counts.iter().all(|count| (least..=most).contains(count)));
            for shape in family.shapes {
                assert_eq!(shape.split(',').count(), most + 1, "{family:?}");
            }
        }
    }

    #[test]
    fn discrete_rows_are_those_of_mass_functions() {
        let masses = library(&["_lpmf"]);
        for family in FAMILIES {
            assert_eq!(
                family.is_discrete(),
                masses.contains_key(family.name),
                "{family:?}"
            );
        }
    }

    #[test]
    fn rows_that_can_be_truncated_have_a_distribution_function() {
        // The distribution function of the standard normal is a primitive; its complement is in the library.
        let complements = library(&["_lccdf"]);
        for family in FAMILIES {
            assert_eq!(
                family.has_cdf,
                complements.contains_key(family.name),
                "{family:?}"
            );
        }
    }

    #[test]
    fn aliases_are_names_of_rows() {
        for alias in ["student", "MVN", "Γ"] {
            assert!(Family::named(alias).is_none());
            assert!(Family::named(unalias(alias)).is_some());
        }
    }
}
