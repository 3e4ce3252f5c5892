//! Three fits side by side: per group its size, three estimates and the shrinkage factor, per coefficient the pooling factor.

use crate::summary::{
    mean_shrinkage_factor, pooling_factor, quantile_of_sorted, shrinkage_factor, summarise,
};
use std::fmt::Write;

/// Beyond this R̂ the no-pooling estimate of a group is not reported: with a flat prior its data may not determine it.
/// Generous beside the 1.01 of Vehtari et al. (2021), since one group's mean is asked for and not a tail.
const MOST_RHAT: f64 = 1.1;

/// How an effect is pooled.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The effect's name.
    pub effect: String,
    /// What its groups are called: the letters and their columns.
    pub groups: String,
    /// One entry per coefficient that varies by group; a single one without a label if the effect is a number per group.
    pub coefficients: Vec<Coefficient>,
}

/// One coefficient of an effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficient {
    /// Its label; empty if the effect is a number per group.
    pub label: String,
    /// The groups, in the order of their levels.
    pub groups: Vec<Group>,
    /// Gelman and Pardoe's pooling factor λ.
    pub pooling_factor: f64,
}

/// One group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its level.
    pub label: String,
    /// How many observations it has.
    pub count: usize,
    /// By itself; not finite where its own data do not determine it.
    pub none: Estimate,
    /// As all groups.
    pub complete: Estimate,
    /// As one of a population.
    pub partial: Estimate,
    /// The weight B of the population in the partially pooled estimate.
    pub shrinkage: f64,
}

/// What the draws of a number say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The posterior mean.
    pub mean: f64,
    /// The posterior standard deviation.
    pub deviation: f64,
    /// The ends of the central 95 % range.
    pub range: (f64, f64),
}

impl Estimate {
    /// Of draws, pooled over chains.
    pub fn of(draws: &[f64]) -> Self {
        let count = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / count;
        let squares = draws.iter().map(|draw| (draw - mean) * (draw - mean));
        let deviation = (squares.sum::<f64>() / (count - 1.0)).sqrt();
        let mut sorted = draws.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let quantile = |probability| quantile_of_sorted(&sorted, probability);
        Estimate {
            mean,
            deviation,
            range: (quantile(0.025), quantile(0.975)),
        }
    }

    const UNKNOWN: Estimate = Estimate {
        mean: f64::NAN,
        deviation: f64::INFINITY,
        range: (f64::NEG_INFINITY, f64::INFINITY),
    };
}

/// The draws of one group's coefficient: one vector a chain for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupDraws {
    /// The group's label.
    pub label: String,
    /// How many observations it has.
    pub count: usize,
    /// The effect in the model without pooling.
    pub none: Vec<Vec<f64>>,
    /// The effect in the model with complete pooling.
    pub complete: Vec<Vec<f64>>,
    /// The effect in the model itself.
    pub partial: Vec<Vec<f64>>,
    /// Its location in the model itself, draw by draw as `partial`.
    pub location: Vec<Vec<f64>>,
    /// The standard deviation between groups in the model itself.
    pub deviation: Vec<Vec<f64>>,
}

impl Coefficient {
    /// The comparison of one coefficient. With `is_centred` the effects of each draw are compared after their mean over
    /// groups is taken off, in all three fits: where the location is a number, the mean of the groups is estimated
    /// elsewhere, and only their differences compare.
    pub fn new(label: String, mut groups: Vec<GroupDraws>, is_centred: bool) -> Self {
        let errors: Vec<Vec<f64>> = groups.iter().map(errors).collect();
        let errors: Vec<&[f64]> = errors.iter().map(Vec::as_slice).collect();
        let pooling_factor = pooling_factor(&errors);
        if is_centred {
            centre(&mut groups, |group| &mut group.none);
            centre(&mut groups, |group| &mut group.complete);
            centre(&mut groups, |group| &mut group.partial);
        }
        Coefficient {
            label,
            groups: groups.into_iter().map(Group::new).collect(),
            pooling_factor,
        }
    }
}

/// Effects minus their location, chains after each other.
fn errors(group: &GroupDraws) -> Vec<f64> {
    let (effects, locations) = (group.partial.concat(), group.location.concat());
    let pairs = effects.iter().zip(&locations);
    pairs.map(|(effect, location)| effect - location).collect()
}

fn centre(groups: &mut [GroupDraws], pick: impl Fn(&mut GroupDraws) -> &mut Vec<Vec<f64>>) {
    let count = groups.len() as f64;
    let Some(first) = groups.first_mut() else {
        return;
    };
    let mut means: Vec<Vec<f64>> =
        (pick(first).iter().map(|chain| vec![0.0; chain.len()])).collect();
    for group in groups.iter_mut() {
        for (means, chain) in means.iter_mut().zip(pick(group)) {
            for (mean, value) in means.iter_mut().zip(chain) {
                *mean += *value / count;
            }
        }
    }
    for group in groups {
        for (means, chain) in means.iter().zip(pick(group)) {
            for (mean, value) in means.iter().zip(chain) {
                *value -= mean;
            }
        }
    }
}

impl Group {
    fn new(draws: GroupDraws) -> Self {
        let none = own_estimate(&draws.none);
        let variance = none.deviation * none.deviation;
        let shrinkage = if variance.is_finite() {
            mean_shrinkage_factor(variance, &draws.deviation.concat())
        } else {
            shrinkage_factor(variance, 1.0)
        };
        Group {
            label: draws.label,
            count: draws.count,
            none,
            complete: Estimate::of(&draws.complete.concat()),
            partial: Estimate::of(&draws.partial.concat()),
            shrinkage,
        }
    }
}

/// The estimate without pooling, or none where chains disagree.
fn own_estimate(chains: &[Vec<f64>]) -> Estimate {
    let slices: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    let summary = summarise(&[("own", slices)], &[0.5], &[]);
    let rhat = summary
        .rows
        .first()
        .map_or(f64::NAN, |row| row.summary.rhat);
    if rhat > MOST_RHAT {
        Estimate::UNKNOWN
    } else {
        Estimate::of(&chains.concat())
    }
}

impl Comparison {
    /// As a table for people: per group n, three estimates with their standard deviations, and B; λ below.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for coefficient in &self.coefficients {
            let name = match coefficient.label.as_str() {
                "" => self.effect.clone(),
                label => format!("{}[…, {label}]", self.effect),
            };
            let mut rows =
                vec![["", "n", "no pooling", "partial", "complete", "B"].map(str::to_string)];
            rows[0][0] = format!("{name}, by {}", self.groups);
            let decimals = decimals(coefficient);
            for group in &coefficient.groups {
                let shown = |estimate: &Estimate| {
                    if estimate.mean.is_finite() {
                        let Estimate {
                            mean, deviation, ..
                        } = estimate;
                        format!("{mean:.decimals$} ± {deviation:.decimals$}")
                    } else {
                        "undetermined".to_string()
                    }
                };
                rows.push([
                    group.label.clone(),
                    group.count.to_string(),
                    shown(&group.none),
                    shown(&group.partial),
                    shown(&group.complete),
                    format!("{:.2}", group.shrinkage),
                ]);
            }
            aligned(&rows, &mut text);
            let factor = coefficient.pooling_factor;
            let _ = writeln!(text, "pooling factor λ of {name}: {factor:.2}\n");
        }
        text
    }

    /// As CSV, one line per group and coefficient.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("effect,coefficient,group,n");
        for kind in ["no", "partial", "complete"] {
            for what in ["mean", "sd", "q2.5", "q97.5"] {
                let _ = write!(text, ",{kind}_{what}");
            }
        }
        text.push_str(",shrinkage_factor,pooling_factor\n");
        for coefficient in &self.coefficients {
            for group in &coefficient.groups {
                let labels = [&self.effect, &coefficient.label, &group.label];
                let labels: Vec<String> = labels.into_iter().map(|label| field(label)).collect();
                let _ = write!(text, "{},{}", labels.join(","), group.count);
                for estimate in [&group.none, &group.partial, &group.complete] {
                    let Estimate {
                        mean,
                        deviation,
                        range: (low, high),
                    } = estimate;
                    let _ = write!(text, ",{mean},{deviation},{low},{high}");
                }
                let factor = coefficient.pooling_factor;
                let _ = writeln!(text, ",{},{factor}", group.shrinkage);
            }
        }
        text
    }
}

/// A field of CSV (RFC 4180).
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

/// So many decimals that the largest estimate has three digits and more.
fn decimals(coefficient: &Coefficient) -> usize {
    let estimates = (coefficient.groups.iter()).map(|group| group.partial.mean.abs());
    let most = estimates.fold(0.0f64, f64::max);
    match most {
        most if most >= 100.0 => 0,
        most if most >= 10.0 => 1,
        _ => 2,
    }
}

/// Columns side by side, the first to the left and the others to the right.
fn aligned(rows: &[[String; 6]], text: &mut String) {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    for row in rows {
        let pad = width(0) - row[0].chars().count();
        let mut line = format!("{}{}", row[0], " ".repeat(pad));
        for (column, cell) in row.iter().enumerate().skip(1) {
            let pad = width(column) - cell.chars().count();
            let _ = write!(line, "  {}{cell}", " ".repeat(pad));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{Coefficient, Comparison, GroupDraws};
    use crate::kernels::random::{ChainRng, normal};

    fn draws(rng: &mut ChainRng, mean: f64, deviation: f64) -> Vec<Vec<f64>> {
        let mut chain = || (0..500).map(|_| normal(rng, mean, deviation)).collect();
        vec![chain(), chain()]
    }

    fn group(rng: &mut ChainRng, label: &str, estimate: f64) -> GroupDraws {
        GroupDraws {
            label: label.to_string(),
            count: 4,
            none: draws(rng, estimate, 5.0),
            complete: draws(rng, 0.0, 1.0),
            partial: draws(rng, estimate / 2.0, 3.5),
            location: vec![vec![0.0; 500]; 2],
            deviation: vec![vec![5.0; 500]; 2],
        }
    }

    #[test]
    fn a_group_is_shrunk_by_its_own_and_the_population_s_variance() {
        let mut rng = ChainRng::new(1, 1, 0);
        let groups = vec![
            group(&mut rng, "A", 10.0),
            group(&mut rng, "B, or C", -10.0),
        ];
        let coefficient = Coefficient::new(String::new(), groups, false);
        for group in &coefficient.groups {
            assert!((group.shrinkage - 0.5).abs() < 0.03, "{group:?}");
            assert!((group.partial.mean.abs() - 5.0).abs() < 0.5, "{group:?}");
        }
        let comparison = Comparison {
            effect: "theta".to_string(),
            groups: "school".to_string(),
            coefficients: vec![coefficient],
        };
        let text = comparison.to_text();
        assert!(
            text.contains("theta, by school") && text.contains("pooling factor"),
            "{text}"
        );
        let csv = comparison.to_csv();
        assert!(csv.contains("theta,,\"B, or C\",4,"), "{csv}");
        let fields = |line: &str| line.replace("\"B, or C\"", "B").split(',').count();
        assert!(csv.lines().all(|line| fields(line) == 18), "{csv}");
    }

    #[test]
    fn a_group_that_its_data_do_not_determine_has_no_estimate_of_its_own() {
        let mut rng = ChainRng::new(2, 1, 0);
        let mut lost = group(&mut rng, "A", 10.0);
        for (k, chain) in lost.none.iter_mut().enumerate() {
            chain.iter_mut().for_each(|draw| *draw += 1e6 * k as f64);
        }
        let coefficient = Coefficient::new(String::new(), vec![lost], false);
        assert!(coefficient.groups[0].none.mean.is_nan());
        assert_eq!(coefficient.groups[0].shrinkage, 1.0);
    }

    #[test]
    fn centred_effects_are_differences_from_their_mean() {
        let mut rng = ChainRng::new(3, 1, 0);
        let groups = vec![group(&mut rng, "A", 107.0), group(&mut rng, "B", 93.0)];
        let coefficient = Coefficient::new(String::new(), groups, true);
        let sum = coefficient.groups[0].none.mean + coefficient.groups[1].none.mean;
        assert!(sum.abs() < 1e-9, "{sum}");
        assert!((coefficient.groups[0].none.mean - 7.0).abs() < 0.5);
    }
}
