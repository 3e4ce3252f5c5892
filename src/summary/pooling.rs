//! How far a hierarchical model pools: per group the shrinkage factor, per effect the pooling factor.
//!
//! Gelman and Pardoe, "Bayesian measures of explained variance and pooling in multilevel (hierarchical) models",
//! Technometrics 48 (2006), section 3, for the pooling factor. The shrinkage factor is that of the normal model,
//! B = (σ²/n) / (τ² + σ²/n), with σ²/n read as the squared standard error of the group's own estimate.

/// The weight that partial pooling gives to a group's location, as against the group's own estimate: 0 is no pooling, 1
/// complete pooling.
///
/// `own_variance` is the variance of the group's own estimate (σ²/n in the normal model), `group_variance` the variance
/// between groups (τ²). NaN if both are 0 or either is negative or no number; an own estimate that is infinitely uncertain
/// has weight 0, so the factor is 1.
pub fn shrinkage_factor(own_variance: f64, group_variance: f64) -> f64 {
    let is_variance = |variance: f64| variance >= 0.0;
    if !is_variance(own_variance) || !is_variance(group_variance) {
        f64::NAN
    } else if own_variance == f64::INFINITY && group_variance.is_finite() {
        1.0
    } else {
        own_variance / (group_variance + own_variance)
    }
}

/// The posterior mean of the shrinkage factor: its average over draws of the standard deviation between groups, τ.
///
/// NaN without draws.
pub fn mean_shrinkage_factor(own_variance: f64, group_deviations: &[f64]) -> f64 {
    let factors = group_deviations
        .iter()
        .map(|deviation| shrinkage_factor(own_variance, deviation * deviation));
    factors.sum::<f64>() / group_deviations.len() as f64
}

/// Gelman and Pardoe's pooling factor of an effect: λ = 1 − V(E ε_k) / E(V ε_k), where V is the variance over groups and E
/// the mean over draws. Near 0 the effects are estimated each for itself, near 1 they are pooled.
///
/// `errors` has the draws of ε_k, the effect minus its location, one slice per group, all of one length. NaN for fewer
/// than two groups, without draws, or where the effects do not vary. Finite numbers of groups can make it slightly negative.
pub fn pooling_factor(errors: &[&[f64]]) -> f64 {
    let draws = errors.iter().map(|group| group.len()).min().unwrap_or(0);
    if errors.len() < 2 || draws == 0 {
        return f64::NAN;
    }
    let means: Vec<f64> = errors
        .iter()
        .map(|group| group[..draws].iter().sum::<f64>() / draws as f64)
        .collect();
    let mut group_values = vec![0.0; errors.len()];
    let mut mean_variance = 0.0;
    for draw in 0..draws {
        for (value, group) in group_values.iter_mut().zip(errors) {
            *value = group[draw];
        }
        mean_variance += variance(&group_values) / draws as f64;
    }
    if mean_variance > 0.0 {
        1.0 - variance(&means) / mean_variance
    } else {
        f64::NAN
    }
}

/// The variance of a sample, with n − 1 in the denominator.
fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / (count - 1.0)
}

#[cfg(test)]
mod tests {
    use super::{mean_shrinkage_factor, pooling_factor, shrinkage_factor};
    use crate::kernels::random::{ChainRng, normal};

    #[test]
    fn the_shrinkage_factor_is_that_of_the_slide() {
        // σ = 10, n = 4, τ = 5: a variance of 25 on either side.
        assert_eq!(shrinkage_factor(100.0 / 4.0, 25.0), 0.5);
        assert_eq!(shrinkage_factor(0.0, 25.0), 0.0);
        assert_eq!(shrinkage_factor(25.0, 0.0), 1.0);
        assert_eq!(shrinkage_factor(f64::INFINITY, 25.0), 1.0);
        assert!(shrinkage_factor(0.0, 0.0).is_nan());
        assert!(shrinkage_factor(-1.0, 2.0).is_nan());
    }

    #[test]
    fn the_mean_shrinkage_factor_averages_over_draws() {
        assert_eq!(mean_shrinkage_factor(9.0, &[3.0, 0.0]), 0.75);
        assert!(mean_shrinkage_factor(9.0, &[]).is_nan());
    }

    /// Groups simulated from the normal model with known variances, and draws from their exact posterior given μ: the
    /// draws' means shrink by B, and the pooling factor is B, as it is in the model with equal groups.
    #[test]
    fn simulated_normals_have_the_closed_form() {
        let (groups, draws) = (400, 400);
        let (mu, tau, own) = (3.0, 2.0, 1.5f64);
        let factor = shrinkage_factor(own * own, tau * tau);
        let mut rng = ChainRng::new(2006, 1, 0);
        let mut errors = Vec::new();
        let mut shrunk = (0.0, 0.0);
        for _ in 0..groups {
            let truth = normal(&mut rng, mu, tau);
            let estimate = normal(&mut rng, truth, own);
            let mean = factor * mu + (1.0 - factor) * estimate;
            let deviation = tau * factor.sqrt();
            let effects: Vec<f64> = (0..draws)
                .map(|_| normal(&mut rng, mean, deviation))
                .collect();
            let posterior_mean = effects.iter().sum::<f64>() / f64::from(draws);
            shrunk.0 += (estimate - posterior_mean) * (estimate - mu);
            shrunk.1 += (estimate - mu) * (estimate - mu);
            errors.push(effects.iter().map(|effect| effect - mu).collect());
        }
        let errors: Vec<&[f64]> = errors.iter().map(Vec::as_slice).collect();
        // The slope of what is lost on what there was.
        assert!((shrunk.0 / shrunk.1 - factor).abs() < 0.01, "{shrunk:?}");
        // The sampling error of a variance over 400 groups is 7 %.
        let pooling = pooling_factor(&errors);
        assert!((pooling - factor).abs() < 0.06, "{pooling} and {factor}");
    }

    #[test]
    fn the_pooling_factor_knows_both_extremes() {
        // Effects known exactly are not pooled; effects that are noise about one value are.
        let exact: [&[f64]; 3] = [&[1.0, 1.0], &[2.0, 2.0], &[4.0, 4.0]];
        assert_eq!(pooling_factor(&exact), 0.0);
        let noise: [&[f64]; 2] = [&[1.0, -1.0], &[-1.0, 1.0]];
        assert_eq!(pooling_factor(&noise), 1.0);
        assert!(pooling_factor(&noise[..1]).is_nan());
        assert!(pooling_factor(&[&[0.0, 0.0], &[0.0, 0.0]]).is_nan());
    }
}
